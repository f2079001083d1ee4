"""Days and periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from backlint.rules.dates_text import find_date, find_limit

WRITTEN = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Review date: 2026-09-30", date(2026, 9, 30)),
        ("30 Sep 2026", date(2026, 9, 30)),
        ("Sep 30th, 2026", date(2026, 9, 30)),
        ("30. September 2026", date(2026, 9, 30)),
        ("am 30.09.2026", date(2026, 9, 30)),
        ("le 1er octobre 2026", date(2026, 10, 1)),
        ("30 de septiembre de 2026", date(2026, 9, 30)),
        ("30 settembre 2026", date(2026, 9, 30)),
        ("30 września 2026", date(2026, 9, 30)),
        ("2026年9月30日", date(2026, 9, 30)),
        ("25/12/2026", date(2026, 12, 25)),
        ("05/05/2026", date(2026, 5, 5)),
        ("30 Sep", date(2026, 9, 30)),
        ("1 March", date(2027, 3, 1)),
        ("in two weeks", date(2026, 3, 16)),
    ],
)
def test_a_day_is_read(text: str, day: date) -> None:
    found = find_date(text, written_on=WRITTEN)

    assert found is not None
    assert found.day == day


@pytest.mark.parametrize("text", ["31 February 2026", "version 2.10.2026.1", "some time next quarter", "1/2", ""])
def test_what_is_no_day_is_not_read(text: str) -> None:
    assert find_date(text, written_on=WRITTEN) is None


def test_day_and_month_may_not_be_told_apart() -> None:
    found = find_date("03/04/2026")

    assert found is not None
    assert (found.is_ambiguous, found.day) == (True, None)
    assert find_date("03/04/2026", date_order="dmy").day == date(2026, 4, 3)  # type: ignore[union-attr]
    assert find_date("03/04/2026", date_order="mdy").day == date(2026, 3, 4)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "by 30 Sep",
        "within two weeks",
        "by June",
        "in Q3",
        "Q4 2026",
        "by the end of the year",
        "bis Ende Q3",
        "next quarter",
    ],
)
def test_a_limit_is_found(text: str) -> None:
    assert find_limit(f"fewer tickets {text}") is not None


@pytest.mark.parametrize("text", ["in v2.0", "for 3 users", "may be reduced", "by the team"])
def test_what_is_no_limit_is_not_found(text: str) -> None:
    assert find_limit(f"fewer tickets {text}") is None
