"""Rows of a report that are too many to be made all at once: counted and ordered by arrays, made when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np

Item = TypeVar("Item")
DAY = 86_400_000_000  # microseconds


class Many(Sequence[Item], Generic[Item]):
    """A sequence whose items are made in parts.

    `order` are rough keys (whole numbers, ascending) of all items: those of the same rough key are put into order by
    `key` once they are made. `make` makes the items at some places of `order`, in the order of the places.
    """

    def __init__(
        self,
        order: Any,
        make: Callable[[Any], list[Item]],
        key: Callable[[Item], Any],
        *,
        lengths: Any = None,
        part: int = 20_000,
    ) -> None:
        """`lengths` are the durations of all items in microseconds, below zero where there is none."""
        self._rough = np.asarray(order)
        self._make, self._key, self._part = make, key, part
        self._lengths = np.asarray(lengths if lengths is not None else order)

    def __len__(self) -> int:
        return len(self._rough)

    def __iter__(self) -> Iterator[Item]:
        places = np.argsort(self._rough, kind="stable")
        first = 0
        while first < len(places):
            last = self._end_of(places, min(first + self._part, len(places)))
            yield from self._sorted(places[first:last], self._rough, self._key)
            first = last

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        if isinstance(place, slice):
            if place.start or place.step or place.stop is None or place.stop < 0:
                return tuple(self)[place]
            return self.head(place.stop)
        if place in (-1, len(self) - 1) and len(self):
            tied = np.flatnonzero(self._rough == self._rough.max())
            return self._sorted(tied, self._rough, self._key)[-1]
        if place < 0 or place >= len(self):
            raise IndexError(place)
        return self.head(place + 1)[place]

    def head(self, count: int) -> list[Item]:
        """The first ones."""
        return self.least(self._rough, count, self._key)

    def least(self, rough: Any, count: int, key: Callable[[Item], Any]) -> list[Item]:
        """The first ones in another order, with rough keys of its own."""
        count = min(count, len(self))
        if not count:
            return []
        limit = np.partition(rough, count - 1)[count - 1]
        return self._sorted(np.flatnonzero(rough <= limit), rough, key)[:count]

    def longest(self, count: int, key: Callable[[Item], Any]) -> list[Item]:
        return self.least(-self._lengths, count, key)

    @property
    def days(self) -> Any:
        """The known lengths in days."""
        return self._lengths[self._lengths >= 0] / DAY

    def drawn(self, most: int) -> list[Item]:
        """Of those with a length the longest, and of the others every n-th: as many as a picture can show."""
        places = np.flatnonzero(self._lengths >= 0)
        places = places[np.argsort(-self._lengths[places], kind="stable")]
        kept, rest = places[: most // 2], places[most // 2 :]
        step = max(1, -(-len(rest) // (most - most // 2)))
        return self._make(np.sort(np.concatenate((kept, rest[::step]))))

    def _sorted(self, places: Any, rough: Any, key: Callable[[Item], Any]) -> list[Item]:
        made = zip(rough[places].tolist(), self._make(places), strict=True)
        return [item for _, item in sorted(made, key=lambda pair: (pair[0], key(pair[1])))]

    def _end_of(self, places: Any, last: int) -> int:
        """Behind the items that share a rough key with the one before `last`."""
        while last < len(places) and self._rough[places[last]] == self._rough[places[last - 1]]:
            last += 1
        return last
