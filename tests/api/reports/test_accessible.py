"""What the approved pages owe to people who use a keyboard, a screen reader or large letters."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parent / "golden").glob("*.html"))
FIGURE = re.compile(r"<figure>.*?</figure>", re.DOTALL)
by_name = pytest.mark.parametrize("page", [page.read_text(encoding="utf-8") for page in PAGES], ids=lambda page: "")


@by_name
def test_every_chart_has_a_name_that_says_what_it_shows(page: str) -> None:
    charts = re.findall(r'<svg viewBox="0 0 [0-9]{3,} [^>]*>', page)

    assert [chart for chart in charts if not re.search(r'role="img" aria-label="[^"]{12,}"', chart)] == []


@by_name
def test_every_chart_has_its_numbers_in_a_table_beside_it_or_one_link_away(page: str) -> None:
    for figure in FIGURE.findall(page):
        if 'role="img"' in figure and "<table" not in figure:
            (target,) = re.findall(r'href="#([^"]+)"', figure)
            assert "<table" in page.partition(f'id="{target}"')[2], target


@by_name
def test_every_table_says_what_it_holds(page: str) -> None:
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)

    assert [table[:80] for table in tables if "<caption" not in table] == []


@by_name
def test_no_two_places_have_one_name(page: str) -> None:
    places = re.findall(r'\bid="([^"]+)"', page)

    assert len(places) == len(set(places))


@by_name
def test_headings_do_not_skip_a_level(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]

    assert levels[0] == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []
