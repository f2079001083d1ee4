"""One folder, one tracker: the only places that know a tracker's API."""
