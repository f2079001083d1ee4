"""Expressions: what they read, what is refused at load and where it points, and that none can grow without bound."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from backlint.backlog import one_issue_backlog
from backlint.custom_rules import Place
from backlint.errors import ConfigurationError
from backlint.examples import a_comment, an_issue
from backlint.model import ChecklistItem, Issue, Link, LinkKind, Markup, StatusCategory
from backlint.rules.expression import (
    MAX_EXPRESSION,
    MAX_TEXT,
    VARIABLES,
    CannotSayError,
    Expression,
)
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache

NOWHERE = Place("rules.toml")
ISSUE = an_issue(
    title="Export of invoices",
    body="## Goal\n\nFinance downloads the list by itself.\n\n> quoted words\n",
    labels=frozenset({"web", "Finance"}),
    estimate=5.0,
    priority=2,
    category=StatusCategory.ACTIVE,
    checklist=(ChecklistItem("Amounts keep cents", is_ticked=True),),
    links=(Link(LinkKind.BLOCKED_BY, "7"),),
    comments=(a_comment("hello"), a_comment("I am a bot", id="2", is_bot=True)),
    fields={"outcome": "fewer copies", "reach": 12, "parts": ["a", "b"], "by": datetime(2026, 9, 30, tzinfo=UTC)},
)


def holds(text: str, issue: Issue = ISSUE) -> bool:
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    return Expression(text, NOWHERE).holds(issue, context)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'issue.title == "Export of invoices"',
        'issue.title.folded().startsWith("export")',
        'issue.labels.exists(l, l == "web") && size(issue.labels) == 2',
        'issue.labels.all(l, l.folded() in ["web", "finance"])',
        "issue.estimate > 3.0 && issue.estimate < 8",
        "issue.priority == 2 && !issue.has_due_on",
        'issue.body.matches("(?i)FINANCE\\\\s+downloads") && issue.body.contains("quoted")',
        '!issue.text.contains("quoted") && issue.words == 6',
        'issue.headings == ["Goal"]',
        "issue.is_started && issue.is_open && issue.is_near",
        'now - issue.created_at > duration("100h")',
        'issue.checklist.exists(c, c.is_ticked && c.text.matches("cents$"))',
        'issue.links.exists(link, link.kind == "blocked_by")',
        "issue.comments == 1",
        'has(issue.fields.outcome) && !has(issue.fields.metric) && issue.fields.outcome.contains("copies")',
        'issue.fields.reach > 10 && issue.fields.parts.exists(p, p == "b")',
        'timestamp(issue.fields.by) > timestamp("2026-01-01T00:00:00Z")',
        'issue.type == "story" && issue.project == "DEMO" && issue.team == "" && issue.sprints == []',
        '// what a person notes\nissue.category == "active"',
    ],
)
def test_an_expression_that_is_true_holds(text: str) -> None:
    assert holds(text)
    assert not holds(f"!(\n{text}\n)")


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize(
    "issue", [replace(ISSUE, due_on=date(2026, 4, 1), review_on=date(2026, 4, 2)), an_issue()], ids=["full", "bare"]
)
def test_every_variable_has_a_value_of_the_type_it_promises(name: str, issue: Issue) -> None:
    asked = f"issue.has_{name.removeprefix('issue.')}" if name in ("issue.due_on", "issue.review_on") else "true"

    assert holds(f"!{asked} || {name} == {name}", issue)


def test_a_document_of_jira_is_read_as_its_text() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "hi there"}]}
    adf = json.dumps({"type": "doc", "version": 1, "content": [paragraph]})

    assert holds('issue.text == "hi there" && issue.body.startsWith("hi")', replace(ISSUE, body=adf, markup=Markup.ADF))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("issue.estimate > 3.0", "issue.estimate is not set"),
        ("issue.due_on > now", "issue.due_on is not set"),
        ('issue.fields.metric == "x"', "the field metric is not set: has(issue.fields.metric) asks for it"),
    ],
)
def test_a_value_that_is_not_set_gives_no_answer(text: str, said: str) -> None:
    with pytest.raises(CannotSayError) as error:
        holds(text, an_issue())

    assert (error.value.reason, error.value.is_missing) == (said, True)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("issue.titel == 'x'", "1:1", "nothing is called issue.titel; did you mean issue.title?"),
        ("title == 'x'", "1:1", "nothing is called title; did you mean issue.title?"),
        ("issue.title == 'x' &&\n  issue.hedings == []", "2:3", "did you mean issue.headings?"),
        ("issue.title == 3", "1:13", "== does not go with (string, int)"),
        ("1 +", "1:4", "Syntax error"),
        ("", "1:1", "Syntax error"),
        ("issue.words", "1:1", "the expression gives a whole number; write one that is true or false"),
        ("issue.title.matches('(')", "1:1", "invalid regular expression: missing ): ("),
        ("issue.title.matches(issue.key)", "1:1", "matches takes one pattern in quotes, written out"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Expression(text, Place("rules.toml", 1, 1))

    assert str(error.value).startswith(f"rules.toml:{place}: ")
    assert said in str(error.value)


BOMBS = {
    "text that doubles": "issue.body + issue.body == ''",
    "text that doubles, its type hidden": "dyn(issue.body) + dyn(issue.body) == ''",
    "lists that double": "[issue.body].map(x, [x, x]).map(x, [x, x]) == []",
    "three loops in one another": "issue.labels.all(a, issue.labels.all(b, issue.labels.all(c, a != b || b != c)))",
    "many loops": " && ".join("issue.labels.all(a, a != 'x')" for _ in range(9)),
    "a whole text searched in every turn": "issue.labels.exists(a, issue.body.matches('(a|b)*c'))",
    "the same by another name": "issue.labels.exists(a, dyn(issue.body).matches('(a|b)*c'))",
    "a text searched in a loop in a loop": "[issue.body].exists(b, issue.labels.exists(a, b.matches('(a|b)*c')))",
    "a pattern of an issue": "issue.body.matches(issue.title)",
    "a pattern that explodes": "issue.body.matches('((a{0,100}){0,100}){0,100}')",
    "too long": f"issue.title == '{'x' * MAX_EXPRESSION}'",
    "too deep": "(" * 900 + "true" + ")" * 900,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_is_lit(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Expression(text, NOWHERE)


@pytest.mark.parametrize(
    ("text", "issue", "said"),
    [
        (
            "issue.labels.all(a, issue.labels.all(b, a != b || a == b))",
            an_issue(labels=frozenset(map(str, range(500)))),
            "its loops take more than 10,000 turns",
        ),
        ("issue.body == ''", an_issue(body="x" * (MAX_TEXT + 1)), "issue.body has more than 100,000 characters"),
        ("issue.labels == []", an_issue(labels=frozenset(map(str, range(1_001)))), "more than 1,000 entries"),
        ("issue.fields.reach > 0", an_issue(fields={"reach": 2**80}), "no answer"),
    ],
    ids=["loops", "text", "list", "number"],
)
def test_an_issue_that_is_too_large_is_not_judged(text: str, issue: Issue, said: str) -> None:
    with pytest.raises(CannotSayError) as error:
        holds(text, issue)

    assert said in error.value.reason
    assert not error.value.is_missing


def test_backtracking_patterns_end() -> None:
    assert not holds('issue.body.matches("(a+)+$")', an_issue(body="a" * 50_000 + "b"))
