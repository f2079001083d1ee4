from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from backlint.api.reports.charts import Dot, thinned
from backlint.api.reports.figures import counted, in_days, percent, signed
from backlint.api.reports.tables import is_web, link, markdown_table


@pytest.mark.parametrize(
    ("days", "text"), [(2.25, "2.3 d"), (0.04, "0.0 d"), (0.05, "0.1 d"), (12, "12.0 d"), (None, "–")]
)  # fmt: skip
def test_days_are_rounded_as_people_do(days, text):
    assert in_days(None if days is None else timedelta(days=days)) == text


def test_counts_have_their_noun():
    assert [counted(n, "item") for n in (0, 1, 1204)] == ["0 items", "1 item", "1,204 items"]


def test_changes_have_a_sign():
    assert [signed(n) for n in (3, 0, -2)] == ["+3", "±0", "−2"]


def test_shares_are_percent():
    assert percent(Fraction(5, 14)) == "36 %"


@pytest.mark.parametrize(
    ("url", "is_link"),
    [("https://a.example/1", True), ("http://localhost:8080/x", True), ("javascript:x", False), ("https://a b", False),
     (None, False), ("data:text/html,x", False)],
)  # fmt: skip
def test_only_addresses_of_the_web_become_links(url, is_link):
    assert is_web(url) is is_link


def test_a_table_cell_cannot_break_its_table():
    table = markdown_table(("a", "b"), [(link("x|y\nz", "https://a.example/<1>"), 2)], numbers=(1,))

    assert table.splitlines()[1:] == ["| --- | ---: |", "| [x\\|y z](<https://a.example/%3C1%3E>) | 2 |"]


def test_thinning_keeps_the_slowest():
    dots = [Dot(x=n, y=n, title=str(n)) for n in range(10_000)]
    kept = thinned(dots, 100)

    assert len(kept) <= 100
    assert [dot.y for dot in kept[:50]] == list(range(9999, 9949, -1))
