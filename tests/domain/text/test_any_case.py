"""A pattern in any case: the same matches as the plain one, at the same places."""

from __future__ import annotations

import re

import pytest

from backlint.text.any_case import AnyCase

WORDS = r"(?<!\w) (?: reduce\ \w+ | größe | faster )"


@pytest.mark.parametrize("text", ["", "Reduce COST", "it is FASTER", "Die GRÖSSE, die Größe", "İ reduce it", "nothing"])
def test_it_finds_what_the_plain_pattern_finds(text: str) -> None:
    plain, found = re.compile(WORDS, re.VERBOSE | re.IGNORECASE), AnyCase(WORDS)

    assert [match.span() for match in found.finditer(text)] == [match.span() for match in plain.finditer(text)]
    assert found.holds(text) is (plain.search(text) is not None)
    assert bool(found.search(text, 1)) is (plain.search(text, 1) is not None)


def test_the_match_is_as_written() -> None:
    match = AnyCase(WORDS).search("We Reduce COST")

    assert match is not None
    assert match.group() == "Reduce COST"
