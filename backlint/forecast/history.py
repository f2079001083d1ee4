"""What a forecast rests on: how many items a team finished on each day of its last complete weeks (catalogue 6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from backlint.calendars import EVERY_DAY, Calendar
from backlint.flow.metrics import iso_week

WEEKS = 12
FEWEST_WEEKS, MOST_WEEKS = 6, 26
HOLIDAY_WEEK = 3  # holidays in a week that make it no example of a usual one
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Week:
    """Items finished on each day, Monday to Sunday."""

    monday: date
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class History:
    """The sample, oldest week first. `left_out` are weeks within its span that are no part of it, with the reason."""

    weeks: tuple[Week, ...]
    left_out: tuple[tuple[date, str], ...] = ()
    first_finish: date | None = None  # ever, not only within the sample

    @cached_property
    def finished(self) -> int:
        return sum(week.total for week in self.weeks)

    @property
    def why_no_forecast(self) -> str | None:
        """The reason in words; None when the sample is enough."""
        if self.first_finish is None:
            return "no item was ever finished"
        if len(self.weeks) < FEWEST_WEEKS:
            left_out = f" ({len(self.left_out)} left out for holidays)" if self.left_out else ""
            return (
                f"{len(self.weeks)} complete weeks since the first finished item{left_out}; {FEWEST_WEEKS} are needed"
            )
        if not self.finished:
            return f"no item was finished in the last {len(self.weeks)} complete weeks"
        return None

    @property
    def rows(self) -> list[list[int]]:
        """As the seed and the reports have it."""
        return [list(week.counts) for week in self.weeks]


def history(finished: Mapping[date, int], day: date, *, weeks: int = WEEKS, calendar: Calendar = EVERY_DAY) -> History:
    """The last complete ISO weeks before the day. Days and weeks without a finish stay; they are part of the truth.

    Weeks before the team's first finished item are left out: it was not there yet. So are weeks full of holidays.
    """
    started = min((at for at, count in finished.items() if count), default=None)
    if started is None or started >= iso_week(day):
        return History((), first_finish=started)
    kept: list[Week] = []
    left_out: list[tuple[date, str]] = []
    monday = max(iso_week(day) - weeks * WEEK, iso_week(started))
    while monday < iso_week(day):
        free = len(calendar.holidays_between(monday, monday + timedelta(days=6)))
        if free >= HOLIDAY_WEEK:
            left_out.append((monday, f"{free} holidays"))
        else:
            kept.append(week_of(finished, monday))
        monday += WEEK
    return History(tuple(kept), tuple(left_out), started)


def week_of(finished: Mapping[date, int], monday: date) -> Week:
    return Week(monday, tuple(finished.get(monday + timedelta(days=number), 0) for number in range(7)))
