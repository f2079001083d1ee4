"""Dates as trackers and spreadsheets print them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from backlint.connectors.file.dates import DateReader, day_comes_first

AFTERNOON = datetime(2026, 11, 24, 15, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T15:04:00Z",
        "2026-11-24T16:04:00+01:00",
        "2026-11-24 15:04",
        "24/Nov/26 3:04 PM",
        "24/Nov/26 03:04 pm",
        "24/Nov/2026 15:04",
        "24 nov. 2026 15:04",
        "24-Nov-26 3:04 p.m.",
        "24.11.2026 15:04",
        "24.11.26 15:04:00",
        "11/24/2026 15:04",
        "24/11/2026 15:04",
        "Tue Nov 24 2026 15:04:00 GMT+0000 (GMT)",
        "Tue Nov 24 2026 16:04:00 GMT+0100 (Central European Standard Time)",
    ],
)
def test_every_known_format_gives_the_same_moment(text: str) -> None:
    assert DateReader().instant(text) == AFTERNOON


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("02/Mär/26", 3),
        ("02/Mrz/26", 3),
        ("02/mai/26", 5),
        ("02/août/26", 8),
        ("02/Dez/26", 12),
        ("02/paź/26", 10),
        ("2 juillet 2026", 7),
    ],
)
def test_months_are_known_in_the_languages_of_the_exports(text: str, month: int) -> None:
    assert DateReader().day(text) == date(2026, month, 2)


@pytest.mark.parametrize(("text", "hour"), [("24/Nov/26 12:04 AM", 0), ("24/Nov/26 12:04 PM", 12)])
def test_twelve_is_midnight_in_the_morning_and_noon_in_the_afternoon(text: str, hour: int) -> None:
    assert DateReader().instant(text).hour == hour


def test_a_date_without_a_zone_is_in_the_zone_given() -> None:
    assert DateReader(zone=ZoneInfo("Europe/Berlin")).instant("24/Nov/26 4:04 PM") == AFTERNOON


@pytest.mark.parametrize(
    "text", ["yesterday", "24/Foo/26 3:04 PM", "31/Feb/26", "24/Nov/26 25:00", "20261", "24/Nov/26 3:04 Uhr"]
)
def test_what_is_no_known_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no known|no such"):
        DateReader().instant(text)


def test_a_date_that_can_be_read_two_ways_is_refused_until_the_order_is_known() -> None:
    with pytest.raises(ValueError, match="day first or month first"):
        DateReader().day("03/04/2026")

    assert DateReader(day_first=True).day("03/04/2026") == date(2026, 4, 3)
    assert DateReader(day_first=False).day("03/04/2026") == date(2026, 3, 4)
    assert DateReader().day("04/04/2026") == date(2026, 4, 4)


def test_the_order_is_learned_from_the_dates_that_show_it() -> None:
    assert day_comes_first(["03/04/2026", "24/04/2026"]) is True
    assert day_comes_first(["03/04/2026", "4/24/2026 16:14"]) is False
    assert day_comes_first(["03/04/2026", "24.04.2026"]) is None
    assert day_comes_first(["24/04/2026", "04/24/2026"]) is None
