"""Where a pull stands, as text that survives a kill; and which moment the next pull has to begin at. Pure."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from backlint.errors import StoreError

MINUTE = 60_000
HOUR = 60 * MINUTE
# Jira's search is behind its data, mostly by seconds; so every pull begins before the last change seen, and once a
# day one begins a whole day before (bulk changes and re-ranking were seen hours late).
OVERLAP = 15 * MINUTE
WIDE_OVERLAP = 24 * HOUR
WIDE_EVERY = 20 * HOUR
# A database may keep whole seconds only, so two changes can share a stamp.
SAME_STAMP = 2_000
MOST_SEEN = 2_000  # entries; without one an issue in the overlap is read twice, and nothing else happens


class Cursor(Struct, omit_defaults=True):
    """All times are milliseconds since 1970 by the tracker's clock.

    A full pull goes by creation, which never changes; later ones by change. `seen` holds what is already stored of the
    stretch that the next search repeats.
    """

    v: int = 1
    full: bool = True
    since: int = 0  # lower bound of this pull
    started: int = 0
    high: int = 0  # newest `updated` ever seen
    at: int = 0  # `created` or `updated` of the last issue done
    last: str = ""  # its id
    wide: int = 0  # when a pull last went back a whole day
    seen: dict[str, int] = {}

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def lower(self) -> int:
        """Where the search of this pull begins, or goes on."""
        if self.full:
            return to_minute(self.at)
        return max(self.since, to_minute(self.at - OVERLAP)) if self.at else self.since

    def is_known(self, id: str, updated: int) -> bool:
        return self.seen.get(id) == updated

    def note(self, id: str, updated: int) -> None:
        """An issue is stored as of `updated`."""
        self.high = max(self.high, updated)
        if updated <= self.started - SAME_STAMP:
            self.seen[id] = updated
        else:
            self.seen.pop(id, None)

    def forget_old(self) -> None:
        """Keep what a search can still find again, and not too much of it."""
        bound = self._next_since() if self.full else min(self._next_since(), self.lower)
        kept = sorted(((updated, id) for id, updated in self.seen.items() if updated >= bound), reverse=True)
        self.seen = {id: updated for updated, id in kept[:MOST_SEEN]}

    def finished(self) -> Cursor:
        """The cursor that starts the next pull."""
        self.full, self.since, self.at = False, self._next_since(), 0
        self.forget_old()
        return Cursor(full=False, since=self.since, high=self.high, wide=self.wide, seen=self.seen)

    def _next_since(self) -> int:
        """Not the newest `updated` alone: an issue read early may have changed while the pull went on."""
        reached = min(self.started, self.high) if self.high else self.started
        return to_minute(reached - OVERLAP)


def read_cursor(text: str | None, *, source: str) -> Cursor:
    """None begins a full pull."""
    if text is None:
        return Cursor()
    try:
        found = msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError as error:
        raise StoreError(f"{source}: the saved position cannot be read ({error}); run `backlint pull --full`") from None
    if found.v != 1:
        raise StoreError(f"{source}: the saved position is of a newer version; upgrade, or run `backlint pull --full`")
    return found


def begin(cursor: Cursor, now: int) -> Cursor:
    """The cursor as a pull starts with it; one that goes on after a kill keeps its start."""
    if cursor.started:
        return cursor
    cursor.started = now
    cursor.wide = cursor.wide or now
    if not cursor.full and now - cursor.wide >= WIDE_EVERY:
        cursor.since -= WIDE_OVERLAP
        cursor.wide = now
        cursor.seen = {}
    return cursor


def to_minute(moment: int) -> int:
    """Whether JQL honours the seconds of such a number is not documented, so they are cut off here [unverified]."""
    return max(0, moment - moment % MINUTE)
