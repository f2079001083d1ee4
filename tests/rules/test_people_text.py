"""Names as people write them, and the accounts they mean."""

from __future__ import annotations

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import Person
from backlint.rules.people_text import is_team, owners, raci_rows, resolve, split_names
from backlint.rules.rule import EXAMPLE_NOW
from backlint.text.cache import TextCache
from tests.factory import an_issue


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ana", ("Ana",)),
        ("Ana and Ben", ("Ana", "Ben")),
        ("Ana Example, Ben Example", ("Ana Example", "Ben Example")),
        ("Ana & Ben / Cid", ("Ana", "Ben", "Cid")),
        ("Ana und Ben", ("Ana", "Ben")),
        ("@ana, cc @ben", ("ana", "ben")),
        ("[~ana]", ("ana",)),
        ("[~accountid:5b10a]", ("5b10a",)),
        ("**Ana**", ("Ana",)),
        ("Ana (product)", ("Ana",)),
        ("Example and Sons Ltd", ("Example and Sons Ltd",)),
        ("TBD", ()),
        ("to be defined", ()),
        ("?", ()),
        ("niemand", ()),
        ("", ()),
        ("whoever reviews the next three pull requests of this kind", ()),
    ],
)
def test_names_are_split(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize("name", ["@acme/payments", "Payments team", "crew seven", "backend"])
def test_a_group_is_nobody_in_particular(name: str) -> None:
    assert is_team(name, ["@Backend"])


def test_a_person_is_no_group() -> None:
    assert not is_team("Ana Example", ["backend"])


def test_a_written_name_means_one_account_or_none() -> None:
    people = {
        ("demo", "1"): Person(id="1", name="Ana Example", handle="ana", email="ana@example.com"),
        ("demo", "2"): Person(id="2", name="Ben Example", handle="ben"),
        ("demo", "3"): Person(id="3", name="Ben Other", handle="other"),
        ("else", "4"): Person(id="4", name="Zoe Example", handle="zoe"),
    }
    backlog = one_issue_backlog(an_issue(), now=EXAMPLE_NOW, people=people)

    for name in ("1", "@ana", "Ana", "ana example", "ana@example.com"):
        assert resolve(backlog, "demo", name) == people["demo", "1"]
    assert resolve(backlog, "demo", "Ben Example") == people["demo", "2"]
    assert resolve(backlog, "demo", "ben") == people["demo", "2"] or resolve(backlog, "demo", "ben") is None
    assert resolve(backlog, "demo", "zoe") is None


def test_raci_rows_are_told_from_legends() -> None:
    body = """\
| Task | Ana | Ben |
| --- | --- | --- |
| Release the export | A/R | C |
| Withdraw the export | C | A |

| Letter | Means | Count |
| --- | --- | --- |
| A | Accountable | 1 |
"""
    rows = [holders for _, holders in raci_rows(TextCache().body(an_issue(body=body)))]

    assert rows == [("Ana",), ("Ben",)]


def test_an_owner_is_named_once() -> None:
    issue = an_issue(body="## Owner\n\nAna Example\n\n## Notes\n\nThe owner of the old list has left.\n")

    assert [each.who for each in owners(issue, TextCache().body(issue))] == ["Ana Example"]
