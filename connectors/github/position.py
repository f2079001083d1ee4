"""How far a pull has come: what the cursor's opaque text holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from backlint.connectors.github.mapping import utc
from backlint.errors import RequestRefused

# Issues are asked for again from a little before the newest one seen: GitHub's answers come from copies that may lag.
OVERLAP = timedelta(minutes=2)
# Whether a board says that it has changed when one of its cards moves is not documented [unverified]. It is believed
# for a day; then the board is gone through in any case.
SWEEP_EVERY = timedelta(hours=24)
MOST_RECENT = 2000  # remembered issues; beyond that they are simply pulled again


@dataclass(frozen=True, slots=True)
class Found:
    """An issue to fetch: its node id, and the time of its last change if the list of changed ones named it."""

    id: str
    updated_at: datetime | None = None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """When a board was last gone through, and what it said of its own last change then. None: not yet."""

    updated_at: str | None = None
    swept_at: datetime | None = None

    def is_due(self, updated_at: str, now: datetime) -> bool:
        return self.updated_at != updated_at or self.swept_at is None or now - self.swept_at >= SWEEP_EVERY

    @property
    def asks_since(self) -> datetime | None:
        return self.swept_at - OVERLAP if self.swept_at else None


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the newest change delivered; `recent` the issues of the overlap, which need not be sent twice.

    `started_at` is when the pull under way began, by the server's clock. `etag` belongs to the newest entry of the
    list of issues and is only kept by complete pulls. `has_all` once everything has been delivered.
    """

    version: int = 1
    since: datetime | None = None
    recent: dict[str, datetime] = {}
    etag: str | None = None
    boards: dict[str, Look] = {}
    started_at: datetime | None = None
    has_all: bool = False

    @property
    def asks_since(self) -> datetime | None:
        return self.since - OVERLAP if self.since else None

    def has_delivered(self, found: Found) -> bool:
        """Sent already, in this very state. Times have whole seconds, so the last second itself is never sure."""
        at = found.updated_at
        return self.since is not None and at is not None and at < self.since and self.recent.get(found.id) == at

    def behind(self, found: Iterable[Found], *, boards: frozenset[str]) -> Position:
        """After these issues have been delivered too."""
        delivered = {each.id: each.updated_at for each in found if each.updated_at is not None}
        newest = max([*delivered.values(), *([self.since] if self.since else [])], default=None)
        if newest is None:
            return self.knowing(boards)
        kept = {**self.recent, **delivered}
        recent = {id: at for id, at in kept.items() if at >= newest - OVERLAP}
        return msgspec.structs.replace(
            self.knowing(boards), since=newest, recent=recent if len(recent) <= MOST_RECENT else {}, etag=None
        )

    def knowing(self, boards: Iterable[str]) -> Position:
        """With boards that came up. The first pull sees all their cards; later a new one has to be gone through."""
        new = Look(swept_at=None if self.has_all else self.started_at)
        return msgspec.structs.replace(self, boards={**dict.fromkeys(sorted(boards), new), **self.boards})

    def starting(self, now: datetime, linked: Mapping[str, str]) -> Position:
        """As a pull begins; the first one sees every card of the linked boards, given with their own last change."""
        begun = msgspec.structs.replace(self, started_at=self.started_at or now)
        if self.has_all or self.since is not None:
            return begun
        looks = {id: Look(updated_at=updated_at, swept_at=begun.started_at) for id, updated_at in linked.items()}
        return msgspec.structs.replace(begun, boards={**looks, **self.boards})

    def complete(self, *, etag: str | None, swept: Mapping[str, Look]) -> Position:
        """The start of the next pull."""
        boards = {**self.boards, **swept}
        return msgspec.structs.replace(self, etag=etag, boards=boards, started_at=None, has_all=True)

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def position(cursor: str | None, *, source: str) -> Position:
    """The position that a cursor stands for; RequestRefused if it is none of ours."""
    if cursor is None:
        return Position()
    try:
        read = msgspec.json.decode(cursor, type=Position)
    except msgspec.MsgspecError as error:
        raise RequestRefused(f"{source}: the stored cursor cannot be read ({error}); pull with --full") from None
    return msgspec.structs.replace(read, since=utc(read.since) if read.since else None)
