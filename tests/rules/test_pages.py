"""The pages of the rules, and that docs/rules.md is what the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest

from backlint.rules.pages import page, pages
from backlint.rules.registry import all_rules, find
from backlint.rules.rule import Rule
from backlint.rules.secret_text import find_secrets

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_documentation_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == pages(), "run: python -m backlint.rules.pages > docs/rules.md"


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_option_is_explained(rule: type[Rule]) -> None:
    table = page(rule)

    for name in rule.options():
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.rstrip("| ").count("|") == 3, row


def test_a_page_holds_all_that_a_reader_asks() -> None:
    text = page(find("AC001"))

    assert text.startswith("## AC001 missing-acceptance-criteria\n")
    assert "- Severity: error near, info far" in text
    assert "- Types: story" in text
    assert "`needs-acceptance-criteria`" in text
    assert "Two to five bullets" in text
    assert "- three paragraphs of background" in text


def test_no_page_holds_what_looks_like_a_credential() -> None:
    assert [each.kind for each in find_secrets(DOCS.read_text(encoding="utf-8"))] == []
