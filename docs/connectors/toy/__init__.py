"""A connector for a tracker that does not exist: the whole of what adding a tracker takes, in one folder."""
