"""Judging never fails and never takes long, whatever stands in an issue."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.backlog import one_issue_backlog
from backlint.model import IssueType, Markup
from backlint.rules.engine import judge
from backlint.rules.registry import all_rules
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache
from backlint.text.languages import sure_language
from tests.factory import an_issue

# Repeated beginnings of what the rules look for: where a careless pattern would try every combination.
PIECES = [
    "so that ", "done when ", "must be 5 ", "from 1 to ", "make it ", "we want to ", "as a user I ", "in order to ",
    "the goal of this ", "Accountable: Ana and ", "Owner: ", "@a ", "1/2/", "by the end of ", "within two ",
    "- [ ] ", "Estimate: ", "N/A - ", "review on ", "as a user I want to export and ", "when I open ",
    "if we do, then ", "token: ", "at least 5 answers ", "recall of ", "we believe ", "Option A ", "Q1 ", "phone: 0",
    "by June ", "without raising ", "um a ", "(", "[", "*", "_", "|", "> ", "a" * 40, "1", " ", "\n",
]  # fmt: skip
WORDS = st.lists(
    st.sampled_from([*PIECES, "users ", "%", "Goal: ", "## Acceptance criteria\n", "TBD\n", ".", "? "]), max_size=40
)


def failures(body: str, markup: Markup, type: IssueType = IssueType.STORY) -> list[str]:
    """Rules that raised. A rule with word lists may well say that it cannot tell the language."""
    issue = an_issue(type=type, body=body, title=body[:80] or "Export", markup=markup)
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    found = judge(issue, [rule() for rule in all_rules()], context)
    return [each.rule for each in found if each.reason.startswith("the rule itself failed")]


@settings(max_examples=100, deadline=None)
@given(
    pieces=WORDS, markup=st.sampled_from([Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN]), type=st.sampled_from(IssueType)
)
def test_no_text_breaks_a_rule(pieces: list[str], markup: Markup, type: IssueType) -> None:
    assert failures("".join(pieces), markup, type) == []


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_no_text_is_slow(piece: str) -> None:
    body = piece * (20_000 // len(piece))
    sure_language("the model of languages is loaded once, which is not what is measured here")
    started = time.process_time()

    for type in (IssueType.STORY, IssueType.EPIC, IssueType.BUG):
        assert failures(body, Markup.PLAIN, type) == []

    # Twenty thousand characters take a few hundredths of a second; a pattern gone wrong takes minutes.
    assert time.process_time() - started < 3
