"""Twice the text is twice the work: counted in calls, which no other load on the machine can disturb."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import IssueType, Markup
from backlint.rules.engine import judge
from backlint.rules.registry import all_rules
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache
from tests.factory import an_issue

RULES = [rule() for rule in all_rules()]
SMALL = 3_000  # characters
TIMES = 4


def adf(count: int) -> str:
    nodes = [{"type": "mystery", "content": [{"type": "text", "text": f"Unknown node {n}."}]} for n in range(count)]
    return json.dumps({"type": "doc", "version": 1, "content": nodes})


# Each gives a text that grows with its argument.
NASTY: dict[str, tuple[Markup, Callable[[int], str]]] = {
    "a log": (Markup.MARKDOWN, lambda n: "2026-03-10 12:00:00,123 ERROR [main] com.acme.Bill - no row 17 of it\n" * n),
    "a stack trace": (Markup.PLAIN, lambda n: "    at com.acme.billing.Export.write(Export.java:17)\n" * n),
    "a long list": (Markup.MARKDOWN, lambda n: "".join(f"- [ ] The row {row} is in the list\n" for row in range(n))),
    "nested lists": (Markup.MARKDOWN, lambda n: "".join("  " * (row % 60) + "- a nested point\n" for row in range(n))),
    "nested quotes": (Markup.MARKDOWN, lambda n: "".join(">" * (row % 80) + " quoted words\n" for row in range(n))),
    "one quote in another": (Markup.MARKDOWN, lambda n: "> " * n + "x\n"),
    "marks that never close": (Markup.MARKDOWN, lambda n: "*a **b _c [d](e ~~f " * n),
    "fences that never close": (Markup.MARKDOWN, lambda n: "```\nx\n~~~\n" * n),
    "HTML": (Markup.MARKDOWN, lambda n: "<div><p>a line of <b>text</b><br>\n" * n),
    "comments that never close": (Markup.MARKDOWN, lambda n: "<!-- " * n),
    "folds": (Markup.MARKDOWN, lambda n: "<details><summary>Goal</summary>\n\ntext of it\n\n" * n),
    "a table": (Markup.MARKDOWN, lambda n: "| a | b |\n|---|---|\n" + "| the first | the second |\n" * n),
    "right to left": (Markup.MARKDOWN, lambda n: "يجب أن تظهر القائمة مرتبة حسب الاسم\n" * n),
    "emoji": (Markup.MARKDOWN, lambda n: "🎉 🚀 done ✅\n" * n),
    "no spaces": (Markup.MARKDOWN, lambda n: "請求書の一覧を表計算で開く" * n),
    "headings": (Markup.MARKDOWN, lambda n: "## Acceptance criteria\n\n- TBD\n\n" * n),
    "other headings": (
        Markup.MARKDOWN,
        lambda n: "## Steps to reproduce\n\nOpen the list\n\n## Goal\n\nMore users\n\n" * n,
    ),
    "scenarios": (Markup.MARKDOWN, lambda n: "Given a list\nWhen I sort it\nThen it is sorted\n\n" * n),
    "stories": (Markup.PLAIN, lambda n: "As a user I want to " * n),
    "owners": (Markup.PLAIN, lambda n: "Owner: Ana and Ben\n" * n),
    "wiki macros": (Markup.WIKI, lambda n: "{panel}\n{quote}\n{code}\n{color:red}x{color}\n" * n),
    "wiki marks": (Markup.WIKI, lambda n: "*a _b -c +d ^e " * n),
    "a wiki table": (Markup.WIKI, lambda n: "|a line|b line|\n" * n),
    "unknown nodes": (Markup.ADF, adf),
}


def calls(text: str, markup: Markup, type: IssueType) -> int:
    """How many functions are called to judge an issue with this text."""
    issue = an_issue(type=type, body=text, markup=markup)
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        judge(issue, RULES, context)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("type", [IssueType.STORY, IssueType.BUG])
def test_the_work_grows_with_the_text_and_no_faster(name: str, type: IssueType) -> None:
    markup, text = NASTY[name]
    count = max(1, SMALL * 10 // len(text(10)))
    calls("The list is sorted.", markup, type)  # what is loaded once is not counted

    few, many = calls(text(count), markup, type), calls(text(TIMES * count), markup, type)
    assert many < 1.25 * TIMES * few
