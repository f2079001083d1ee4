"""Commands in comments: what is one, what is only a mention, and what it says."""

from __future__ import annotations

import json
from datetime import date

import pytest

from backlint.model import Markup
from backlint.text.commands import Command, Verb, commands


def read(text: str, markup: Markup = Markup.MARKDOWN) -> list[Command]:
    return list(commands(text, markup))


def test_a_waiver_names_rules_a_day_and_a_reason() -> None:
    (command,) = read("/hygiene waive AC001, OUT002 until 2026-06-30: copy change only")

    assert command == Command(
        verb=Verb.WAIVE, rules=("AC001", "OUT002"), until=date(2026, 6, 30), reason="copy change only"
    )


@pytest.mark.parametrize(("said", "days"), [("for 10 days", 10), ("for 2 weeks", 14), ("for 1 month", 30)])
def test_a_waiver_may_last_for_a_time(said: str, days: int) -> None:
    (command,) = read(f"/hygiene waive ac001 {said} because it is a spike")

    assert (command.days, command.reason) == (days, "because it is a spike")
    assert command.last_day(date(2026, 3, 1)) is not None


def test_a_family_is_its_letters_in_capitals_and_the_reason_may_begin_with_any_word() -> None:
    assert read("/hygiene waive OUT the goal is in the epic")[0] == Command(
        verb=Verb.WAIVE, rules=("OUT",), reason="the goal is in the epic"
    )
    assert read("/hygiene wrong AC001 it is there")[0].reason == "it is there"


def test_several_commands_stand_on_lines_of_their_own_and_a_reason_may_follow_below() -> None:
    text = "Thanks for the hint.\n\n/hygiene wrong TXT001\nThe text is in the epic.\n/hygiene unwaive AC001"

    assert [(each.verb, each.rules, each.reason) for each in read(text)] == [
        (Verb.WRONG, ("TXT001",), "The text is in the epic."),
        (Verb.UNWAIVE, ("AC001",), ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "> /hygiene waive AC001: quoted from another reply",
        "```\n/hygiene waive AC001: an example\n```",
        "    /hygiene waive AC001: indented code",
        "Write /hygiene waive AC001 if it does not apply.",
        "/hygienic waive AC001",
        "~~/hygiene waive AC001: taken back~~",
    ],
)
def test_what_is_quoted_shown_or_mentioned_is_no_command(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/hygiene wave AC001", "did you mean `waive`?"),
        ("/hygiene waive", "name the rule"),
        ("/hygiene waive AC001 until friday: away", "`friday` is no day"),
        ("/hygiene frobnicate", "there are `waive`, `unwaive`"),
    ],
)
def test_a_mistake_is_named_with_the_remedy(text: str, says: str) -> None:
    assert says in read(text)[0].problem


def test_the_word_alone_asks_for_help() -> None:
    assert read("/hygiene") == [Command(verb=Verb.HELP)]


def test_wiki_markup_and_adf_hold_commands_too() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "/hygiene wrong AC001 no"}]}
    adf = json.dumps({"type": "doc", "version": 1, "content": [paragraph]})

    assert read("h3. Reply\n/hygiene wrong AC001 no", Markup.WIKI)[0].verb is Verb.WRONG
    assert read(adf, Markup.ADF)[0].rules == ("AC001",)
    assert read("{quote}\n/hygiene wrong AC001 no\n{quote}", Markup.WIKI) == []
