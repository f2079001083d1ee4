"""The sentence of a user story, in several languages and over several lines."""

from __future__ import annotations

import time

import pytest

from backlint.model import Markup
from backlint.text.story import has_story, read_story
from backlint.text.ticks import ticks


@pytest.mark.parametrize(
    ("text", "role", "want", "benefit"),
    [
        (
            "As a clerk, I want to export the list so that I close earlier.",
            "clerk",
            "to export the list",
            "I close earlier",
        ),
        ("As an admin I'd like an export", "admin", "an export", None),
        ("Hello, as a new developer I would like a guide", "new developer", "a guide", None),
        ("Narrative As a developer, I need parallel imports", "developer", "parallel imports", None),
        ("As a clerk\nI want an export\nSo that the month is closed", "clerk", "an export", "the month is closed"),
        ("As a user, given I have rows, I want to sort them", "user, given I have rows", "to sort them", None),
        ("Als gebruiker wil ik filteren zodat ik sneller vind", "gebruiker", "filteren", "ik sneller vind"),
        ("Als Kunde möchte ich Rechnungen finden, damit ich zahle", "Kunde", "Rechnungen finden", "ich zahle"),
        ("En tant que client, je veux trouver mes factures afin de payer", "client", "trouver mes factures", "payer"),
        ("Como contable quiero exportar la lista para cerrar", "contable", "exportar la lista", "cerrar"),
        ("Como contadora quero exportar a lista para fechar", "contadora", "exportar a lista", "fechar"),
        ("Come contabile voglio esportare la lista", "contabile", "esportare la lista", None),
        ("Jako księgowa chcę eksportu listy, aby zamknąć miesiąc", "księgowa", "eksportu listy", "zamknąć miesiąc"),
    ],
)
def test_the_parts_of_a_story(text: str, role: str, want: str, benefit: str | None) -> None:
    story = read_story(text)

    assert story is not None
    assert (story.role, story.want, story.benefit) == (role, want, benefit)
    assert text[story.start : story.start + 3].strip()


def test_a_job_story_names_a_situation() -> None:
    story = read_story("When I get a feed, I want to mark posts, so I can go on")

    assert story is not None
    assert (story.is_job, story.role, story.want) == (True, "I get a feed", "to mark posts")


@pytest.mark.parametrize(
    "text",
    [
        "As a …, I want …, so that …",
        "As a [role], I want [feature] so that [benefit]",
        "As role I want _goal_ so that benefit",
        "As a <type of user> I want <some goal>",
    ],
)
def test_slots_are_no_parts(text: str) -> None:
    story = read_story(text)

    assert story is not None
    assert story.missing == ("role", "want", "benefit")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "As a visitor I can only see one button",
        "As a visitor I cannot log in",
        "As an aside. I want that",
        "The same as the other one, I want a pony",
        "I'll log it as an urgent issue, and see what I can do",
        "Currently, if we want to use it, we can run the import, but a user cannot see it",
        "I want to export the list",
    ],
)
def test_other_sentences_are_no_stories(text: str) -> None:
    assert read_story(text) is None


def test_a_filled_sentence_goes_before_an_empty_one() -> None:
    story = read_story("As a …, I want …\n\nAs a clerk, I want an export.")

    assert story is not None
    assert story.role == "clerk"


def test_two_wants_are_counted() -> None:
    story = read_story("As a clerk I want an export. I want a schedule.")

    assert story is not None
    assert story.wants == ("an export", "a schedule")


@pytest.mark.parametrize("piece", ["as a ", ", as a x I want ", "I want ", "As a b, ", "so that ", "when I x, I want "])
def test_reading_takes_linear_time(piece: str) -> None:
    started = time.process_time()

    read_story(piece * (100_000 // len(piece)))

    assert time.process_time() - started < 1


def test_a_habit_is_read_from_any_notation() -> None:
    told = '{"type":"text","text":"As a clerk I want an export"}'
    adf = f'{{"type":"doc","content":[{{"type":"paragraph","content":[{told}]}}]}}'

    assert has_story("", adf, Markup.ADF)
    assert has_story("", "**As a** clerk **I want** an export", Markup.MARKDOWN)
    assert has_story("As a clerk I want an export", "", Markup.MARKDOWN)
    assert not has_story("Export", "A button for it", Markup.MARKDOWN)


def test_boxes_are_read_from_any_notation() -> None:
    adf = '[{"type":"taskItem","attrs":{"state":"DONE"}},{"type":"taskItem","attrs":{"state":"TODO"}}]'

    assert list(ticks("- [x] one\n  1. [ ] two\n* [X] three\n[x] no box\n", Markup.MARKDOWN)) == [True, False, True]
    assert list(ticks(adf, Markup.ADF)) == [True, False]
