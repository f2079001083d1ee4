"""Texts read once."""

from __future__ import annotations

from backlint.model import Markup
from backlint.rules.rule import Texts
from backlint.text.cache import TextCache
from backlint.text.templates import known, template_key
from tests.factory import an_issue


def test_it_is_what_rules_ask_for() -> None:
    texts: Texts = TextCache()

    assert texts.read("one two three", Markup.PLAIN).words == 3


def test_a_body_is_read_once_and_again_when_it_changes() -> None:
    cache = TextCache()
    issue = an_issue(body="the list is sorted")

    first = cache.body(issue)

    assert cache.body(an_issue(body="the list is sorted")) is first
    assert cache.body(an_issue(body="the list is not sorted")) is not first


def test_the_same_text_in_two_issues_is_two_documents() -> None:
    cache = TextCache()

    assert cache.body(an_issue(id="1", body="a b c")) is not cache.body(an_issue(id="2", body="a b c"))


def test_a_body_loses_the_lines_of_its_template_and_a_comment_does_not() -> None:
    issue = an_issue(body="the list is sorted")
    cache = TextCache({template_key(issue): known(["the list is sorted"])})

    assert cache.body(issue).items == ()
    assert len(cache.read(issue.body, issue.markup).items) == 1


def test_it_never_holds_more_than_it_may() -> None:
    cache = TextCache(max_documents=3)
    for number in range(10):
        cache.read(f"text number {number}", Markup.PLAIN)

    assert len(cache) == 3


def test_long_texts_push_others_out_and_the_last_one_stays() -> None:
    cache = TextCache(max_characters=100)
    cache.read("a" * 60, Markup.PLAIN)
    cache.read("b" * 60, Markup.PLAIN)

    assert len(cache) == 1
    cache.read("c" * 500, Markup.PLAIN)
    assert len(cache) == 1
