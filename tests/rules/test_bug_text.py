"""Steps, observed and expected behaviour and environment, however a report tells them."""

from __future__ import annotations

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import Evidence, Issue, IssueType
from backlint.rules.bug_text import stated_actual, stated_environment, stated_expected, stated_steps
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache
from tests.factory import an_issue

VAGUE = ("latest", "current")


def a_bug(body: str, title: str = "The list of invoices") -> tuple[Issue, Context]:
    issue = an_issue(type=IssueType.BUG, title=title, body=body)
    return issue, Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())


def environment(body: str) -> Evidence | None:
    issue, context = a_bug(body)
    return stated_environment(issue, context.texts.body(issue), context, VAGUE)


@pytest.mark.parametrize(
    "body",
    [
        "## Steps to reproduce\n\n1. Open the list\n2. Press Export\n",
        "## STR\n\n1. Login\n2. Export\n",
        "## To reproduce\n\n```\nexport --format csv\n```\n",
        "1. Open the list\n2. Press Export\n",
        "- Go to the list\n- Scroll to its end\n",
        "*Test Steps* # Login as a clerk # Click the list # Press Export",
        "When I click on Export, the file is empty.",
        "Clicking is fine, but after opening the list twice it is empty.",
        "Try hitting the Export button twice.",
        "I opened the list and pressed Export.",
        "Open the list and press on Export; the file is empty.",
        "```bash\nexport invoices\n```\n",
        "```\n$ export invoices\n```\n",
        "GET /invoices?page=2 gives no rows.",
        "See https://stackblitz.com/edit/empty-file for it.",
        "Wenn ich auf Export klicke, ist die Datei leer.",
        "Quand je clique sur Exporter, le fichier est vide.",
        "Cuando hago clic en Exportar, el archivo está vacío.",
        "## Étapes pour reproduire\n\n1. Ouvrir la liste des factures\n",
        "## 再現手順\n\n1. 請求書の一覧を開いて出力を押す\n",
    ],
)
def test_steps_are_found(body: str) -> None:
    assert stated_steps(*a_bug(body)) is not None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "The list is empty.",
        "Go to '...'\nClick on '....'\nSee error\n",
        "## Steps to reproduce\n\n1.\n2.\n3.\n",
        "## Steps to reproduce\n\nAlways\n",
        "```\nValueError: no rows\n    at write (export.js:12:3)\n```\n",
        "## Expected behaviour\n\n- Open rows are shown first\n- Click areas are large\n",
        "Let's fix this by setting a static year.",
    ],
)
def test_no_steps_are_invented(body: str) -> None:
    assert stated_steps(*a_bug(body)) is None


@pytest.mark.parametrize(
    "body",
    [
        "### Expected behaviour\n\nSorted by the date\n",
        "Expected: sorted",
        "The list should be sorted by date.",
        "Sorted by name instead of by date.",
        "It is supposed to be sorted.",
        "I would have expected three rows.",
        "Die Liste sollte sortiert sein.",
        "La liste devrait être triée.",
        "La lista debería estar ordenada.",
        "De lijst zou gesorteerd moeten zijn, volgens de datum in plaats van de naam.",
    ],
)
def test_what_was_expected_is_found(body: str) -> None:
    assert stated_expected(*a_bug(body)) is not None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "List is sorted by name.",
        "### Expected Behavior\n\n_No response_\n",
        "## Steps\n\n1. Open the list, which should have three rows\n",
        "Should we look into it?",
    ],
)
def test_no_expectation_is_invented(body: str) -> None:
    assert stated_expected(*a_bug(body)) is None


@pytest.mark.parametrize(
    "body",
    [
        "### Actual behaviour\n\nSorted by name\n",
        "Nothing happens.",
        "Sorted by name, should be by date.",
        "```\nTypeError: x is undefined\n```\n",
        "![list](https://example.com/a.png)",
        "The order is wrong.",
        "Die Liste ist falsch sortiert.",
        "No se abre la lista.",
        "A lista não abre.",
    ],
)
def test_what_happened_is_found(body: str) -> None:
    assert stated_actual(*a_bug(body)) is not None


@pytest.mark.parametrize(
    "body",
    ["", "Expected: sorted", "## Steps\n\n1. Open the list\n2. Press Export\n", "The list should not lose rows."],
)
def test_no_fault_is_invented(body: str) -> None:
    assert stated_actual(*a_bug(body)) is None


@pytest.mark.parametrize(
    "body",
    [
        "Seen in 4.2.1.",
        "On Android 15.",
        "Firefox only.",
        "Build 4711 has it.",
        "Since 3f2a9c1.",
        "## Environment\n\nStaging\n",
    ],
)
def test_an_environment_is_found(body: str) -> None:
    assert environment(body) is not None


@pytest.mark.parametrize(
    "body", ["", "Version: latest", "It took 2.5 seconds.", "## Environment\n\ncurrent version\n", "12 rows"]
)
def test_no_environment_is_invented(body: str) -> None:
    assert environment(body) is None
