"""How reports write figures: durations, moments, counts, the same in every format."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def days(span: timedelta | None) -> float | None:
    """Days as a number for programs."""
    return None if span is None else round(span / DAY, 6)


def in_days(span: timedelta | None) -> str:
    """Days for people, to one decimal, halves rounded up; a dash where there is none."""
    if span is None:
        return "–"
    tenths = (20 * span + DAY) // (2 * DAY)  # formatting a float would give 2.2 for 2.25
    return f"{tenths // 10}.{tenths % 10} d"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    return "–" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def day(at: datetime | date | None, zone: ZoneInfo) -> str:
    if isinstance(at, datetime):
        at = at.astimezone(zone).date()
    return "–" if at is None else at.isoformat()


def percent(share: Fraction | None) -> str:
    return "–" if share is None else f"{float(100 * share):.0f} %"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 item`, `1,204 items`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def signed(change: int) -> str:
    """`+3`, `-2` with a true minus, `±0`."""
    return "±0" if change == 0 else f"{'+' if change > 0 else '−'}{abs(change)}"
