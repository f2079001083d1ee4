"""Whether the trackers' data can be relied on: what every report says of each source before any figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How the last pull of a source went. `as_of` is its end; `error` is the fact and the remedy, fit to print."""

    name: str
    tracker: str
    complete: bool
    as_of: datetime | None
    issues: int
    error: str | None = None
    requests: int = 0
    seconds: float = 0.0


class OfSources:
    """What every report is made from: sources of known health, told in the team's zone."""

    __slots__ = ()
    if TYPE_CHECKING:

        @property
        def timezone(self) -> str: ...
        @property
        def health(self) -> tuple[SourceHealth, ...]: ...

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def unreadable(self) -> tuple[SourceHealth, ...]:
        return tuple(source for source in self.health if not source.complete)


class Answer(StrEnum):
    """What a report can say: figures, or one of the three ways of having none."""

    FIGURES = "figures"
    NOTHING_WRONG = "nothing_wrong"
    NOTHING_TO_MEASURE = "nothing_to_measure"
    CANNOT_SAY = "cannot_say"


def unreadable(health: Iterable[SourceHealth]) -> frozenset[str]:
    """The sources whose pull did not finish: nothing is said about their issues."""
    return frozenset(source.name for source in health if not source.complete)


def without_figures(health: Iterable[SourceHealth], *, is_unread: bool) -> Answer:
    """Why there are none: what it is about was read and holds nothing, or it (`is_unread`) was not read to the end."""
    return Answer.CANNOT_SAY if is_unread or all_failed(health) else Answer.NOTHING_TO_MEASURE


def all_failed(health: Iterable[SourceHealth]) -> bool:
    """Whether there are sources and none could be read."""
    health = tuple(health)
    return bool(health) and not any(source.complete for source in health)
