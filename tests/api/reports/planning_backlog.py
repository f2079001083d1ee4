"""One team with half a year of finished work, a running sprint and a next one, for the reports that look ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from backlint.api.reports.forecast import ForecastReport, build_forecast
from backlint.calendars import Calendar, Leave
from backlint.model import Issue
from tests.api.reports.backlog import BROKEN, DOING, DONE, GOOD, NOW, an_item

TODAY = NOW.date()  # a Monday
# Items finished in each of the last 30 weeks, oldest first.
WEEKLY = (4, 6, 3, 5, 7, 2, 5, 4, 6, 5, 3, 8, 4, 5, 6, 0, 5, 4, 7, 5, 3, 6, 5, 4, 8, 2, 5, 6, 4, 5)
HOLIDAYS = frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14), date(2026, 6, 4)})
CALENDAR = Calendar(
    holidays=HOLIDAYS, people=5, leave=(Leave(first=date(2026, 6, 8), last=date(2026, 6, 12), people=2),)
)


def finished() -> Iterator[Issue]:
    """Each week's items on its working days, started two to nine days before."""
    number = 1000
    for place, count in enumerate(WEEKLY):
        monday = TODAY - timedelta(weeks=len(WEEKLY) - place)
        for nth in range(count):
            number += 1
            day = datetime.combine(monday + timedelta(days=nth % 5), time(15), UTC)
            before = (NOW - day) / timedelta(days=1)
            yield an_item(number, (before + 2 + number % 8, DOING), (before, DONE), team="Payments")


def in_progress() -> tuple[Issue, ...]:
    return (
        an_item(2001, (3, DOING), team="Payments"),
        an_item(2002, (6.5, DOING), team="Payments"),
        an_item(2003, (40, DOING), team="Payments"),
    )


def a_forecast(**given: Any) -> ForecastReport:
    values: dict[str, Any] = {
        "scope": "Payments",
        "now": NOW,
        "timezone": "Europe/Berlin",
        "items": 25,
        "until": date(2026, 6, 28),
        "calendar": CALENDAR,
        "health": (GOOD, BROKEN),
    }
    return build_forecast((*finished(), *in_progress()), **{**values, **given})


def a_forecast_without_history() -> ForecastReport:
    """Three weeks of work: too little for any figure, and one item in progress."""
    young = [issue for issue in finished() if (issue.updated_at or NOW) > NOW - timedelta(days=33)]
    return build_forecast((*young, *in_progress()[:1]), scope="Pilot", now=NOW, items=10)
