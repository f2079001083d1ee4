from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backlint.working_time import WorkingHours, inclusive_days, working_days, working_time

UTC_ZONE = ZoneInfo("UTC")
OFFICE = WorkingHours(zone=UTC_ZONE)


def at(day: int, hour: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_t10_in_working_time_and_in_dates():
    assert working_days(at(4, 9), at(9, 15), OFFICE) == 3.75
    assert inclusive_days(at(4, 9), at(9, 15), UTC_ZONE) == 6


def test_t10_a_holiday_is_no_working_day():
    calendar = WorkingHours(zone=UTC_ZONE, holidays=frozenset({date(2026, 3, 5)}))

    assert working_days(at(4, 9), at(9, 15), calendar) == 2.75


def test_t15_two_dates_are_touched():
    berlin = ZoneInfo("Europe/Berlin")
    start, end = (datetime(2026, 3, day, 12, tzinfo=berlin).astimezone(UTC) for day in (28, 29))

    assert inclusive_days(start, end, berlin) == 2


def test_a_break_is_the_space_between_two_spans():
    calendar = WorkingHours(zone=UTC_ZONE, hours=((time(9), time(13)), (time(14), time(18))))

    assert working_time(at(2, 9), at(3, 9), calendar) == timedelta(hours=8)  # Monday to Tuesday
    assert working_time(at(6, 16), at(9, 10), calendar) == timedelta(hours=3)  # over the weekend


def test_working_hours_follow_summer_time():
    calendar = WorkingHours(zone=ZoneInfo("Europe/Berlin"))

    assert working_time(at(27, 0), at(28, 0), calendar) == timedelta(hours=8)
    assert working_time(at(30, 7), at(30, 8), calendar) == timedelta(hours=1)  # 9 o'clock in Berlin since Sunday
    assert working_time(at(27, 7), at(27, 8), calendar) == timedelta()


def test_nothing_is_worked_on_a_weekend():
    assert working_time(at(7), at(9), OFFICE) == timedelta()
