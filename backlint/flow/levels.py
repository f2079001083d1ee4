"""Service level expectations by class, and the cycle-time score that rests on them (catalogue 5.6, 5.8)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.flow.items import Identity, Item, items, team_of
from backlint.flow.level import ServiceLevel
from backlint.flow.options import DEFAULTS, ITEM_TYPES, FlowOptions, Mode
from backlint.model import Issue, IssueType
from backlint.percentile import SLE_SAMPLE, rank, share_below

WINDOW = timedelta(days=90)
DAY = timedelta(days=1)
ORGANISATION: tuple[None, None] = (None, None)
_plural = {IssueType.STORY: "stories"}

Class = tuple[str | None, IssueType | None]  # team and type, team alone, or everyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An item's place in its class: the expectation, or how many finished items there are instead of the 20 needed.

    `slower_than` percent of `others` were quicker.
    """

    level: ServiceLevel | None
    available: int = 0
    others: int = 0
    slower_than: int | None = None

    @property
    def rank(self) -> str:
        """Why the score is what it is, in words."""
        if self.level is None:
            return f"{self.available} of {SLE_SAMPLE} items needed"
        return f"slower than {self.slower_than} % of {self.others}" if self.slower_than is not None else ""


@dataclass(frozen=True, slots=True)
class _Finish:
    at: datetime
    cycle: timedelta
    key: tuple[Identity, int]


class _Window:
    """Cycle times of one class within the last 90 days, kept sorted while time moves on."""

    def __init__(self) -> None:
        self.finishes: list[_Finish] = []
        self.ascending: list[timedelta] = []
        self._in, self._out = 0, 0

    def move(self, to: datetime) -> None:
        """Forward only. The window is closed at both ends."""
        while self._in < len(self.finishes) and self.finishes[self._in].at <= to:
            insort(self.ascending, self.finishes[self._in].cycle)
            self._in += 1
        while self._out < self._in and self.finishes[self._out].at < to - WINDOW:
            del self.ascending[bisect_left(self.ascending, self.finishes[self._out].cycle)]
            self._out += 1

    def without(self, cycle: timedelta | None) -> tuple[int, timedelta | None]:
        """How many others there are, and their 85th percentile if they are enough."""
        count = len(self.ascending) - (cycle is not None)
        if count < SLE_SAMPLE:
            return count, None
        place = rank(85, count) - 1
        if cycle is not None and bisect_left(self.ascending, cycle) <= place:
            place += 1
        return count, self.ascending[place]


def service_levels(
    issues: Iterable[Issue], now: datetime, options: FlowOptions = DEFAULTS
) -> dict[Identity, ServiceLevel]:
    """The expectation that each issue is measured by: in force now, for finished ones at their (last) finish."""
    return levels_of(items(issues, now, options), now)


def levels_of(found: Iterable[Item], now: datetime) -> dict[Identity, ServiceLevel]:
    """The same for items that were made already."""
    latest: dict[Identity, ServiceLevel] = {}
    for (identity, _), standing in standings(found, now).items():  # by time, so that an issue's last episode stays
        latest.pop(identity, None)
        if standing.level is not None:
            latest[identity] = standing.level
    return latest


def standings(found: Iterable[Item], now: datetime) -> dict[tuple[Identity, int], Standing]:
    """(identity, episode number) -> its place in its class, without the item itself.

    The class is team and type; with fewer than 20 finished items the team, then the organisation.
    """
    found = [item for item in found if item.issue.type in ITEM_TYPES and item.why_outside is None]
    windows: dict[Class, _Window] = defaultdict(_Window)
    asked: list[tuple[datetime, int, Item, int, timedelta | None]] = []
    finishes: list[tuple[_Finish, tuple[Class, ...]]] = []
    for place, item in enumerate(found):
        for episode in item.episodes:
            cycle = episode.cycle_time(Mode.ELAPSED)
            at = episode.finished_at if cycle is not None and episode.finished_at is not None else now
            asked.append((at, place, item, episode.number, cycle))
            if cycle is not None:
                finish = _Finish(at, cycle, (item.issue.identity, episode.number))
                finishes.append((finish, classes(item.issue, at)))
    for finish, of in sorted(finishes, key=lambda each: each[0].at):
        for name in of:
            windows[name].finishes.append(finish)
    asked.sort(key=lambda each: each[:2])
    answers: dict[tuple[Identity, int], Standing] = {}
    for at, _, item, number, cycle in asked:
        answers[item.issue.identity, number] = _standing(item, at, cycle, windows, now)
    return answers


def classes(issue: Issue, at: datetime | None = None) -> tuple[Class, Class, Class]:
    """From the narrowest to the widest: team and type, team, organisation."""
    team = team_of(issue, at)
    return (team or "", issue.type), (team or "", None), ORGANISATION


def _standing(
    item: Item, at: datetime, cycle: timedelta | None, windows: Mapping[Class, _Window], now: datetime
) -> Standing:
    available = 0
    measured = cycle if cycle is not None else item.age(now)
    for name in classes(item.issue, at):
        window = windows[name]
        window.move(at)
        available, duration = window.without(cycle)
        if duration is not None:
            return Standing(
                level=ServiceLevel(duration / DAY, available, _scope(item.issue, name), kind_name(name[1])),
                available=available,
                others=available,
                slower_than=None if measured is None else _slower_than(measured, window.ascending, cycle),
            )
    return Standing(level=None, available=available)


def _slower_than(measured: timedelta, ascending: Sequence[timedelta], own: timedelta | None) -> int:
    """An item is not quicker than itself, so that only the count must do without it."""
    if own is None:
        return share_below(measured, ascending)
    return 100 * bisect_left(ascending, measured) // (len(ascending) - 1)


def _scope(issue: Issue, name: Class) -> str:
    if name == ORGANISATION:
        return "organisation"
    return "team" if issue.team is not None else "project"


def kind_name(type: IssueType | None) -> str:
    """What a class is made of, in the plural."""
    return "items" if type is None else _plural.get(type, f"{type.value}s")


def cycle_score(spent: timedelta, expected: timedelta) -> int:
    """The cycle-time score, 0 to 100, of a cycle time (or age) against the expectation; exact, rounded down."""
    if expected <= timedelta():
        return 0 if spent > timedelta() else 100
    # In whole microseconds: a float of 99.999 would be rounded down to the wrong point.
    took, limit = _microseconds(spent), _microseconds(expected)
    if 2 * took <= limit:
        return 100
    if took >= 2 * limit:
        return 0
    return (150 * limit - 100 * took) // limit if took <= limit else (100 * limit - 50 * took) // limit


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
