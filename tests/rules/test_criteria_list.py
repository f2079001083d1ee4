"""Criteria one by one: what is one, what belongs to another, and what is none."""

from __future__ import annotations

import pytest

from backlint.backlog import one_issue_backlog
from backlint.rules.criteria_list import criteria, results, scenarios
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.vague_text import is_anchored, vague_word
from backlint.text.cache import TextCache
from tests.factory import an_issue

MIXED = """\
## Acceptance criteria

- The file opens in a spreadsheet
  - with a header in its first row
- Amounts keep two decimals

Scenario: export
Given an invoice list with three rows
When the user presses Export
Then a file with three rows is downloaded
"""


def listed(body: str, **given: object) -> list[tuple[str, int, bool | None]]:
    issue = an_issue(body=body, **given)
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    return [(each.text, each.depth, each.is_ticked) for each in criteria(issue, context)]


def test_steps_of_a_scenario_are_no_criteria_of_their_own() -> None:
    issue = an_issue(body=MIXED)
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())

    (told, _), *rest = scenarios(issue, context)
    assert not rest
    assert " ".join(results(told).split()) == "Then a file with three rows is downloaded"
    assert [(text, depth) for text, depth, _ in listed(MIXED)] == [
        ("The file opens in a spreadsheet", 0),
        ("with a header in its first row", 1),
        ("Amounts keep two decimals", 0),
    ]


def test_boxes_count_without_a_heading_unless_they_list_work() -> None:
    assert [ticked for _, _, ticked in listed("- [x] The file opens in a sheet\n- [ ] Amounts keep cents\n")] == [
        True,
        False,
    ]
    assert listed("- [x] Write the export\n- [ ] Deploy to staging soon\n") == []
    assert listed("## Definition of done\n\n- [x] Code is reviewed well\n- [ ] Tests are all green\n") == []


def test_a_field_is_read_line_by_line() -> None:
    assert (
        len(listed("", fields={"acceptance_criteria": "- The file opens in a sheet\n- Amounts keep two decimals\n"}))
        == 2
    )


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        ("Page loads fast", "en", "fast"),
        ("Errors are handled gracefully", "en", "gracefully"),
        ("Die Seite lädt schnell", "de", "schnell"),
        ("La page est rapide", "fr", "rapide"),
        ("La página es rápida", "es", "rápida"),
        ("A página é rápida", "pt", "rápida"),
        ("La pagina è veloce", "it", "veloce"),
        ("De pagina is snel", "nl", "snel"),
        ("Strona działa szybko", "pl", "działa"),
        ("Opens from Fast Checkout", "en", None),
        ("The file has a header", "en", None),
        ("Breakfast is served", "en", None),
    ],
)
def test_vague_words_by_language(text: str, language: str, word: str | None) -> None:
    assert vague_word(text, language) == word


@pytest.mark.parametrize(
    "text",
    [
        "p95 under 2 s",
        "Shows 'Card declined'",
        "Shows “saved”",
        "The button is disabled",
        "returns NOT_FOUND",
        "at least as many",
        "see https://example.com",
    ],
)
def test_anchors_are_what_one_can_look_at(text: str) -> None:
    assert is_anchored(text)


@pytest.mark.parametrize(
    "text", ["Page loads fast", "Works correctly on mobile", "It's easy", "Errors are handled gracefully"]
)
def test_without_an_anchor_nothing_can_be_looked_at(text: str) -> None:
    assert not is_anchored(text)
