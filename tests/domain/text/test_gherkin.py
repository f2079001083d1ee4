"""Scenarios in every shape."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from backlint.model import Markup
from backlint.text.document import Scenario, read
from backlint.text.gherkin import KEYWORDS


def scenarios(text: str, markup: Markup = Markup.MARKDOWN) -> tuple[Scenario, ...]:
    return read(text, markup).scenarios


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Given a signed in user\nWhen the button is pressed\nThen a file is saved", "en"),
        ("When the button is pressed\nThen a file is saved", "en"),
        ("Angenommen ein Nutzer ist da\nWenn er den Knopf drückt\nDann wird gespeichert jetzt", "de"),
        ("Étant donné un utilisateur connecté\nQuand il appuie ici\nAlors un fichier est créé", "fr"),
        ("Dado un usuario registrado\nCuando pulsa el botón\nEntonces se guarda todo", "es"),
        ("Dado um usuário logado\nQuando aperta o botão\nEntão um arquivo é salvo", "pt"),
        ("Dato un utente registrato\nQuando preme il pulsante\nAllora si salva tutto", "it"),
        ("Stel een gebruiker is ingelogd\nAls hij op de knop drukt\nDan wordt alles bewaard", "nl"),
        ("Mając zalogowanego użytkownika\nGdy naciska ten przycisk\nWtedy plik jest zapisany", "pl"),
    ],
)
def test_steps_of_one_language_are_a_scenario(text: str, language: str) -> None:
    (scenario,) = scenarios(text)

    assert (scenario.language, scenario.is_shell) == (language, False)


@pytest.mark.parametrize(
    "text",
    [
        "- **GIVEN** a signed in user\n- **WHEN** the button is pressed\n- **THEN** a file is saved",
        "* Given a signed in user\n  When the button is pressed\n  Then a file is saved",
        "| Given | a signed in user |\n|---|---|\n| When | the button is pressed |\n| Then | a file is saved |",
        "Given a signed in user, when the button is pressed, then a file is saved.",
        "Some words first. Given a signed in user, when the button is pressed, then a file is saved.",
        "Scenario: export\n\nGiven a signed in user\n\nWhen the button is pressed\n\nThen a file is saved",
        "```gherkin\nWhen the button is pressed\nThen a file is saved\n```",
        "WHEN the button is pressed THEN the system SHALL save a file",
    ],
)
def test_bullets_tables_sentences_and_fences_hold_scenarios(text: str) -> None:
    (scenario,) = scenarios(text)

    assert not scenario.is_shell


@pytest.mark.parametrize(
    "text",
    [
        "When I open the page it is empty.",
        "Given a signed in user\nThen a file is saved",
        "Then a file is saved\nWhen the button is pressed",
        "Wenn der Knopf gedrückt wird\nThen a file is saved",
        "* step one is here\n* step two is here",
        "When I press save, then it crashes.",
        "Als Nutzer möchte ich filtern\nDann finde ich es schneller",
        "I was given the key when I came and then I left the house.",
    ],
)
def test_other_text_is_no_scenario(text: str) -> None:
    assert scenarios(text) == ()


@pytest.mark.parametrize("step", ["[the outcome]", "<result>", "...", "it", ""])
def test_a_step_of_less_than_two_words_makes_a_shell(step: str) -> None:
    (scenario,) = scenarios(f"Given a signed in user\nWhen the button is pressed\nThen {step} ") or (None,)

    assert scenario is None or scenario.is_shell


def test_each_given_begins_a_scenario_of_its_own() -> None:
    one = "Given a signed in user\nWhen the button is pressed\nThen a file is saved\nAnd a note is shown\n\n"

    assert len(scenarios(one * 3)) == 3


def test_an_outline_with_examples_is_one_scenario() -> None:
    rows = "".join(f"  | {number} | {number} |\n" for number in range(20))
    steps = "Given a signed in user\nWhen <a> is typed in\nThen <b> is shown there\n"
    text = f"```\nScenario Outline: many\n{steps}Examples:\n{rows}```\n"

    (scenario,) = scenarios(text)
    assert not scenario.is_shell


def test_a_heading_ends_a_scenario() -> None:
    assert scenarios("When the button is pressed\n\n## Notes\n\nThen we went home again") == ()


def test_a_scenario_has_its_place() -> None:
    text = "Before it all.\n\nWhen the button is pressed\nThen a file is saved\n\nAfter it all."
    (scenario,) = scenarios(text)

    assert text[scenario.start : scenario.end] == "When the button is pressed\nThen a file is saved"


def test_quoted_and_struck_steps_do_not_count() -> None:
    assert scenarios("> When the button is pressed\n> Then a file is saved") == ()
    assert scenarios("- ~~When the button is pressed~~\n- ~~Then a file is saved~~") == ()


@pytest.mark.parametrize("language", KEYWORDS)
def test_the_keywords_are_those_of_gherkins_own_list(language: str) -> None:
    pytest.importorskip("gherkin", reason="gherkin-official is not installed")
    table = json.loads(resources.files("gherkin").joinpath("gherkin-languages.json").read_text(encoding="utf-8"))[
        language
    ]

    for role in ("given", "when", "then"):
        official = {word.strip().casefold() for word in table[role]} - {"*"}
        assert set(KEYWORDS[language][role]) == official


def test_a_capital_i_with_a_dot_is_a_keyword_in_no_other_way_than_a_small_one() -> None:
    (scenario,) = scenarios("Gdy naciska ten przycisk\nWtedy plik jest zapisany\nİ nic więcej nie ginie")

    assert scenario.language == "pl"
