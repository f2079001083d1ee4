"""Lists that a tracker gives page by page."""

from __future__ import annotations

from collections.abc import Hashable

from backlint.errors import TrackerDown


class Bookmarks:
    """The places at which one list was continued. A tracker that names one twice would be followed for ever."""

    def __init__(self, source: str, what: str) -> None:
        self._source, self._what = source, what
        self._places: set[Hashable] = set()

    def turn_to(self, place: Hashable) -> None:
        """TrackerDown if the list was continued there before."""
        if place in self._places:
            raise TrackerDown(f"{self._source}: {self._what} goes round in circles; try again later")
        self._places.add(place)
