"""The Monte Carlo engine `week-nested/1`: how many by a day, when for a number of items (catalogue 6.2, 6.3).

Each trial first draws a history of its own out of the known weeks, which carries the uncertainty of a short history,
then walks the calendar and draws one week of that history for each ISO week it enters. The order of draws is part of
the algorithm's name: a history, then a growth factor unless there is only one, then one draw a week. `random.Random`
gives the same numbers in every version of Python.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from random import Random
from typing import Any

from backlint.calendars import EVERY_DAY, Calendar
from backlint.flow.metrics import iso_week
from backlint.forecast.history import History, Week
from backlint.percentile import rank

ALGORITHM = "week-nested/1"
TRIALS = 10_000
HORIZON = 730  # days; a trial that is not done by then counts as never
LEVELS = (50, 70, 85, 95)
NO_GROWTH = (1.0, 1.0)
# Sums of shares of days, and products with a growth factor, are floats: 3 * 0.1 must not become one item more.
_SLACK = 1e-9


def seed_of(*, scope: str, day: date, question: Mapping[str, Any], history: History) -> int:
    """A seed out of what is asked, so that the same question on the same facts has the same answer everywhere."""
    canonical = json.dumps(
        {
            "algorithm": ALGORITHM,
            "scope": scope,
            "day": day.isoformat(),
            "question": dict(question),
            "history": history.rows,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return int.from_bytes(hashlib.sha256(canonical.encode()).digest()[:8], "big")


@dataclass(frozen=True)
class HowMany:
    """Items finished from `start` to `until`, both included, in each trial."""

    start: date
    until: date
    trials: tuple[int, ...]

    @cached_property
    def _ascending(self) -> list[int]:
        return sorted(self.trials)

    def at(self, percent: int) -> int:
        """The largest number that at least so many percent of the trials reach."""
        return self._ascending[-rank(percent, len(self.trials))]

    def at_level(self, level: int) -> int:
        """The same for a level in hundredths of a percent, as self-calibration has it."""
        return self._ascending[-_rank_of(level, len(self.trials))]

    def chance(self, items: int) -> Fraction:
        """The share of trials that finish at least so many."""
        reached = len(self.trials) - bisect_left(self._ascending, items)
        return Fraction(reached, len(self.trials))


@dataclass(frozen=True)
class When:
    """The day on which each trial has finished `items`; None: not within the horizon."""

    start: date
    items: int
    trials: tuple[date | None, ...]

    @cached_property
    def _ascending(self) -> list[date]:
        """Those that end; the endless ones are the rest."""
        return sorted(day for day in self.trials if day is not None)

    def at(self, percent: int) -> date | None:
        """The day on or before which so many percent of the trials are done; None: later than the horizon."""
        place = rank(percent, len(self.trials)) - 1
        return self._ascending[place] if place < len(self._ascending) else None

    def at_level(self, level: int) -> date | None:
        place = _rank_of(level, len(self.trials)) - 1
        return self._ascending[place] if place < len(self._ascending) else None

    def chance(self, until: date) -> Fraction:
        """The share of trials that are done on or before the day."""
        return Fraction(bisect_right(self._ascending, until), len(self.trials))

    @property
    def endless(self) -> int:
        return len(self.trials) - len(self._ascending)


def _rank_of(level: int, count: int) -> int:
    """The nearest rank of a level in hundredths of a percent."""
    return -(-level * count // 10_000)


def how_many(
    history: History,
    start: date,
    until: date,
    *,
    seed: int,
    trials: int = TRIALS,
    calendar: Calendar = EVERY_DAY,
) -> HowMany:
    """How many items are finished from the start to the end of a day; ValueError when it comes before the start."""
    if until < start:
        raise ValueError(f"{until} is before {start}")
    gains = _Gains(history.weeks, start, calendar, until)
    rows = [gains.row(number) for number in range(gains.weeks_to(until))]
    random, count = Random(seed).random, len(history.weeks)
    found = []
    for _ in range(trials):
        own = [int(random() * count) for _ in range(count)]
        total = 0.0
        for row in rows:
            total += row[own[int(random() * count)]]
        found.append(floor(total + _SLACK))
    return HowMany(start, until, tuple(found))


def when(
    history: History,
    items: int,
    start: date,
    *,
    seed: int,
    growth: tuple[float, float] = NO_GROWTH,
    trials: int = TRIALS,
    calendar: Calendar = EVERY_DAY,
) -> When:
    """The day on which so many items are finished, work from the start on; ValueError for fewer than one."""
    if items < 1:
        raise ValueError(f"{items} items: at least one")
    last = start + timedelta(days=HORIZON - 1)
    gains = _Gains(history.weeks, start, calendar, last)
    ends = gains.weeks_to(last)
    random, count = Random(seed).random, len(history.weeks)
    target = _targets(items, growth, random)
    rows: list[Sequence[float]] = []
    found: list[date | None] = []
    for _ in range(trials):
        own = [int(random() * count) for _ in range(count)]
        wanted = target() - _SLACK
        total, number = 0.0, 0
        while number < ends:
            if number == len(rows):
                rows.append(gains.row(number))
            chosen = own[int(random() * count)]
            reached = total + rows[number][chosen]
            if reached >= wanted:
                found.append(gains.day(number, chosen, wanted - total))
                break
            total = reached
            number += 1
        else:
            found.append(None)
    return When(start, items, tuple(found))


def _targets(items: int, growth: tuple[float, float], random: Callable[[], float]) -> Callable[[], int]:
    """How many items a trial must finish; drawn only where the factor is not certain."""
    low, high = growth
    if low == high:
        certain = ceil(items * low - _SLACK)
        return lambda: certain
    return lambda: ceil(items * (low + (high - low) * random()) - _SLACK)


class _Gains:
    """What each week of the history would bring in each week of the calendar, cut to the days that count."""

    def __init__(self, weeks: Sequence[Week], start: date, calendar: Calendar, until: date) -> None:
        self._weeks, self._start, self._calendar, self._until = weeks, start, calendar, until
        self._monday = iso_week(start)
        self._full = [float(week.total) for week in weeks]
        self._known: dict[int, list[float]] = {}

    def weeks_to(self, until: date) -> int:
        return (iso_week(until) - self._monday).days // 7 + 1

    def row(self, number: int) -> Sequence[float]:
        """One figure for each week of the history."""
        shares = self._shares(number)
        if shares == [1.0] * 7:
            return self._full
        return [sum(count * share for count, share in zip(week.counts, shares, strict=True)) for week in self._weeks]

    def _shares(self, number: int) -> list[float]:
        """How much of each day counts: none outside the span and on holidays, less during leave."""
        if number not in self._known:
            self._known[number] = self._shares_of(number)
        return self._known[number]

    def _shares_of(self, number: int) -> list[float]:
        monday = self._monday + timedelta(weeks=number)
        week = [monday + timedelta(days=place) for place in range(7)]
        return [self._calendar.share(day) if self._start <= day <= self._until else 0.0 for day in week]

    def day(self, number: int, chosen: int, missing: float) -> date:
        """The day of the week on which what is missing is there."""
        total, monday = 0.0, self._monday + timedelta(weeks=number)
        for place, share in enumerate(self._shares(number)):
            total += self._weeks[chosen].counts[place] * share
            if total >= missing - _SLACK:
                return monday + timedelta(days=place)
        raise AssertionError("asked of a week that does not reach the target")
