"""Titles that are alike are found without comparing each with each, and none is missed."""

from __future__ import annotations

import sys
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.backlog import Backlog
from backlint.rules.probable_duplicate import ProbableDuplicate
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.similar_titles import alike, by_what_they_say, says_the_same, title_of
from backlint.text.cache import TextCache
from tests.factory import an_issue

WORDS = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def compared_with_each(titles: list[frozenset[str]], threshold: float) -> set[frozenset[frozenset[str]]]:
    return {
        frozenset((one, other))
        for one in titles
        for other in titles
        if one != other and len(one & other) >= threshold * len(one | other) - 1e-9
    }


@settings(max_examples=60, deadline=None)
@given(
    base=st.lists(st.sampled_from(WORDS), min_size=1, max_size=24, unique=True),
    edits=st.lists(st.tuples(st.sampled_from(WORDS), st.booleans()), max_size=12),
    threshold=st.sampled_from([0.5, 0.7, 0.8, 0.9, 0.95]),
)
def test_no_pair_is_missed_and_none_invented(base: list[str], edits: list[tuple[str, bool]], threshold: float) -> None:
    titles = [frozenset(base)]
    for word, is_added in edits:
        titles.append(titles[-1] | {word} if is_added else titles[-1] - {word} or titles[-1])

    found = [frozenset((pair.one, pair.other)) for pair in alike(titles, threshold)]

    assert set(found) == compared_with_each(titles, threshold)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Release 4.1", "Release 41"), ("C++ support", "C# support"), ("Report for May", "Report for June")],
)
def test_what_tells_titles_apart_is_kept(one: str, other: str) -> None:
    assert title_of(one) != title_of(other)


def test_capitals_width_and_punctuation_are_not() -> None:
    assert title_of("Ｌogin fails, on SAFARI!") == title_of("login fails on safari")


def test_endings_and_articles_say_the_same_and_a_negation_does_not() -> None:
    the_list = title_of("export the lists").tokens

    assert says_the_same(title_of("export a list").tokens, the_list)
    assert not says_the_same(title_of("do not export the list").tokens, the_list)


def calls_for(count: int, words: int) -> int:
    """How many functions are called to look for duplicates among so many titles."""
    random = Random(7)
    vocabulary = [f"{random.choice(WORDS)}{number}x" for number in range(words)]
    titles = [" ".join(random.choices(vocabulary, k=random.randint(4, 14))).replace("1", "l") for _ in range(count)]
    issues = tuple(
        an_issue(id=str(number), title=title, created_at=EXAMPLE_NOW - timedelta(minutes=count - number))
        for number, title in enumerate(titles)
    )
    context = Context(now=EXAMPLE_NOW, backlog=Backlog(issues=issues, now=EXAMPLE_NOW), texts=TextCache())
    rule = ProbableDuplicate()
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        list(rule.check(issues[0], context))
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("words", [2000, 30], ids=["many words", "few words"])
def test_the_work_grows_with_the_number_of_titles_not_with_its_square(words: int) -> None:
    few, many = calls_for(1_000, words), calls_for(8_000, words)

    # Eight times the titles: linear is 8, quadratic 64.
    assert many < 12 * few


@settings(max_examples=100, deadline=None)
@given(
    titles=st.sets(
        st.frozensets(st.sampled_from(["export", "exports", "list", "lists", "the", "of", "new"])), max_size=12
    )
)
def test_titles_that_say_the_same_are_in_one_group(titles: set[frozenset[str]]) -> None:
    groups = list(by_what_they_say(titles))

    for one in titles:
        for other in titles:
            if one != other and says_the_same(one, other):
                assert any(one in group and other in group for group in groups)


def test_a_series_is_not_compared_with_itself() -> None:
    series = [frozenset(f"the same words in every title but for one {letter * 3}".split()) for letter in "abcdefgh"]

    assert list(by_what_they_say(series)) == []
