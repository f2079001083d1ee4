"""When a single item that is already in progress will be done (catalogue 6.4)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.flow.items import Item
from backlint.flow.levels import ORGANISATION, WINDOW, Class, classes
from backlint.flow.options import ITEM_TYPES, Mode
from backlint.model import IssueType
from backlint.percentile import SLE_SAMPLE, percentile

FEWEST_LEFT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemForecast:
    """The ages at which half and 85 % of the items that got as old as this one were done; None: too few of them.

    `left` of `sample` finished items took longer than this one has taken so far; `kind` says which they are.
    """

    age: timedelta
    left: int
    sample: int
    kind: str = "items"
    p50: timedelta | None = None
    p85: timedelta | None = None
    started_at: datetime | None = None

    @property
    def likely_by(self) -> datetime | None:
        """When it is done with 85 % likelihood."""
        return self._at(self.p85)

    @property
    def even_by(self) -> datetime | None:
        """When it is as likely done as not."""
        return self._at(self.p50)

    def _at(self, age: timedelta | None) -> datetime | None:
        return None if age is None or self.started_at is None else self.started_at + age

    @property
    def remark(self) -> str:
        if self.p85 is None:
            return f"older than almost everything seen: {self.left} of {self.sample} {self.kind} took longer"
        return f"{self.left} of {self.sample} {self.kind} took longer than this one so far"


def item_forecast(
    cycles: Iterable[timedelta], age: timedelta, *, kind: str = "items", started_at: datetime | None = None
) -> ItemForecast:
    """Out of the cycle times of its class that are longer than its age."""
    ascending = sorted(cycles)
    left = ascending[bisect_right(ascending, age) :]
    is_enough = len(left) >= FEWEST_LEFT
    return ItemForecast(
        age=age,
        left=len(left),
        sample=len(ascending),
        kind=kind,
        p50=percentile(50, left) if is_enough else None,
        p85=percentile(85, left) if is_enough else None,
        started_at=started_at,
    )


class CycleClasses:
    """Cycle times of the last 90 days by class: team and type, else the team, else everyone."""

    def __init__(self, found: Iterable[Item], now: datetime) -> None:
        self._cycles: dict[Class, list[timedelta]] = {}
        for item in found:
            if item.issue.type in ITEM_TYPES:
                for episode in item.finished():
                    at, cycle = episode.finished_at, episode.cycle_time(Mode.ELAPSED)
                    if at is not None and cycle is not None and now - WINDOW <= at <= now:
                        for name in classes(item.issue, at):
                            self._cycles.setdefault(name, []).append(cycle)

    def forecast(self, item: Item, now: datetime) -> ItemForecast | None:
        """For an item in progress, by the narrowest class with enough items; None when its age is not known."""
        age = item.age(now)
        if age is None or item.current is None:
            return None
        name = next(
            (each for each in classes(item.issue) if len(self._cycles.get(each, ())) >= SLE_SAMPLE), ORGANISATION
        )
        return item_forecast(self._cycles.get(name, ()), age, kind=_kind(name), started_at=item.current.started_at)


def _kind(name: Class) -> str:
    team, type = name
    if team is None:
        return "items of all teams"
    if type is None:
        return "items of the team"
    return "stories" if type is IssueType.STORY else f"{type.value}s"
