"""Purposes, pains and measures in running text, in several languages."""

from __future__ import annotations

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import IssueType, Project
from backlint.rules.measure_text import is_output, measure
from backlint.rules.outcome_text import inherited_outcome, own_outcomes
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.words import repeats_the_work
from backlint.text.cache import TextCache
from tests.factory import an_issue


def stated(body: str, title: str = "Export of the list") -> list[str]:
    issue = an_issue(title=title, body=body)
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    return [each.text for each in own_outcomes(issue, context)]


@pytest.mark.parametrize(
    "body",
    [
        "As a clerk I want an export so that month end closes a day earlier.",
        "As a clerk, I'd like an export so I can send the list to the auditor.",
        "In order to close the month earlier, clerks export the list.",
        "We add an export to reduce copying by hand.",
        "This will allow users to find their invoices without calling us.",
        "The aim of this change is a quicker close of the month.",
        "Copying the list by hand is tedious.",
        "Clerks have to manually retype each row.",
        "The goal is to get open invoices below 100.",
        "Als Buchhalterin will ich exportieren, damit der Abschluss früher fertig ist.",
        "Wir brauchen den Export, um den Abschluss früher fertig zu haben.",
        "En tant que comptable je veux un export afin de clôturer le mois plus tôt.",
        "Como contable quiero exportar la lista para que el cierre termine antes.",
        "Como contadora quero exportar a lista para que o fechamento termine antes.",
        "Come contabile voglio esportare affinché la chiusura finisca prima.",
        "Als boekhouder wil ik exporteren zodat de maand eerder sluit.",
        "Jako księgowa chcę eksportu, aby zamknięcie miesiąca było szybsze.",
        "Goal: fewer questions about invoices",
        "## Why\n\nClerks copy the list by hand each month.\n",
    ],
)
def test_a_purpose_is_found(body: str) -> None:
    assert stated(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "As a clerk I can export the list as CSV.",
        "As a clerk I want to export the list so that it is done.",
        "As a clerk I want to export the list so that the list is exported.",
        "As a clerk I want an export so that",
        "We build X so that Y grows.",
        "## Goal\n\nTBD\n",
        "## Goal\n\nExport of the list\n",
        "The upload fails, so it could be that the token has expired.",
        "In order to reproduce, open the list and press Export.",
        "Double-click a row to open it.",
        "> so that month end closes a day earlier",
    ],
)
def test_no_purpose_is_invented(body: str) -> None:
    assert stated(body) == []


def test_a_purpose_may_stand_in_the_title() -> None:
    assert stated("", title="Export the list so that month end closes earlier")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Checkout drop-off from 42 % to 35 % by 2026-09-30", ()),
        ("p95 search < 300 ms within two weeks of release", ()),
        ("support handles 30 % fewer tickets by June", ()),
        ("Abbruchquote von 4,5 % auf 3,9 % bis Ende Q3", ()),
        ("réduire le taux d'erreurs de 5 % à 2 % avant fin juin", ()),
        ("reducir las quejas al menos 20 % antes de junio", ()),
        ("double the number of sign-ups by Q4 2026", ()),
        ("activation 31 % → 36 %", ("date",)),
        ("halve the response time", ("date",)),
        ("more sign-ups by June", ("number",)),
        ("Users are happier with search", ("metric", "number", "date")),
        ("Ship v2.0 with 3 new buttons", ("metric", "number", "date")),
        ("increase the conversion rate", ("number", "date")),
        ("see #4711", ("metric", "number", "date")),
    ],
)
def test_the_parts_of_a_measure(text: str, missing: tuple[str, ...]) -> None:
    assert measure(text).missing == missing


@pytest.mark.parametrize(
    "text", ["implement SSO", "We want to build an export", "Ajouter un bouton", "Implementar SSO"]
)
def test_a_verb_of_building_makes_an_output(text: str) -> None:
    assert is_output(text)


@pytest.mark.parametrize("text", ["fewer tickets", "Users address each other", "buildings are found faster"])
def test_other_words_do_not(text: str) -> None:
    assert not is_output(text)


def test_a_repetition_is_told_by_its_content_words() -> None:
    assert repeats_the_work("the invoices are exported", "export invoices")
    assert repeats_the_work("it works", "anything")
    assert not repeats_the_work("the month closes earlier", "export invoices")


def test_an_outcome_is_inherited_from_three_steps_above_and_no_more() -> None:
    chain = [an_issue(id=str(number), body="", parent=str(number + 1)) for number in range(1, 6)]
    chain[3] = an_issue(id="4", type=IssueType.INITIATIVE, body="Outcome: fewer calls about invoices")
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(*chain, now=EXAMPLE_NOW), texts=TextCache())

    assert inherited_outcome(chain[0], context, depth=3) is not None
    assert inherited_outcome(chain[0], context, depth=2) is None


def test_a_project_without_an_outcome_gives_none() -> None:
    issue = an_issue(body="")
    project = Project(source="demo", id="DEMO", name="Demo", body="The team that builds the export.")
    backlog = one_issue_backlog(issue, now=EXAMPLE_NOW, projects={("demo", "DEMO"): project})
    context = Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache())

    assert inherited_outcome(issue, context, depth=3) is None
