"""Durations in working time and in calendar dates, for teams that want them printed so (catalogue 5.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WORKING_DAY = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When a team works, in its own zone. `hours` are spans of a day, so that a break is the space between two."""

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})  # Monday is 0
    hours: tuple[tuple[time, time], ...] = ((time(9), time(17)),)
    holidays: frozenset[date] = frozenset()

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working spans of a day, in UTC: within one zone Python subtracts wall clocks and forgets summer time."""
        if day.weekday() in self.weekdays and day not in self.holidays:
            for opens, closes in self.hours:
                yield self._utc(day, opens), self._utc(day, closes)

    def _utc(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def working_time(start: datetime, end: datetime, calendar: WorkingHours) -> timedelta:
    """How much of [start, end) lies within working hours."""
    worked = timedelta()
    day, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    while day <= last:
        for opens, closes in calendar.on(day):
            worked += max(min(closes, end) - max(opens, start), timedelta())
        day += timedelta(days=1)
    return worked


def working_days(start: datetime, end: datetime, calendar: WorkingHours) -> float:
    """Working time in days of 8 hours."""
    return working_time(start, end, calendar) / WORKING_DAY


def inclusive_days(start: datetime, finish: datetime, zone: ZoneInfo) -> int:
    """Calendar dates touched from start to finish, both included."""
    return (finish.astimezone(zone).date() - start.astimezone(zone).date()).days + 1
