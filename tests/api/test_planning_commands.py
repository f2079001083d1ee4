"""`backlint report forecast` and `report sprint-prep` as people meet them: files in, refusals in words, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backlint.model import Issue, StatusCategory
from backlint.normalised import to_dict
from tests.api.conftest import CommandLine
from tests.api.reports.planning_backlog import a_candidate, candidates, past_sprints
from tests.factory import a_transition, an_issue

DONE, ACTIVE, TODO = StatusCategory.DONE, StatusCategory.ACTIVE, StatusCategory.TODO


def a_file(issues: Iterable[Issue]) -> str:
    """The issues as the program exports them."""
    Path("issues.jsonl").write_text("".join(json.dumps(to_dict(issue)) + "\n" for issue in issues), encoding="utf-8")
    return "issues.jsonl"


def finished(count: int, *, weeks: int = 10, actor: str | None = None, at_once: bool = False) -> list[Issue]:
    """Items finished evenly over the last weeks before the clock of this machine, or all in one second."""
    now = datetime.now(UTC)
    found = []
    for number in range(count):
        ended = now - timedelta(days=20) if at_once else now - timedelta(days=7 * weeks * (number + 1) / count)
        steps = (
            a_transition(ended - timedelta(days=2), TODO, ACTIVE, actor=actor),
            a_transition(ended, ACTIVE, DONE, actor=actor),
        )
        created = ended - timedelta(days=4)
        found.append(an_issue(id=str(number + 1), category=DONE, transitions=steps, created_at=created))
    return found


def test_a_forecast_of_a_file_answers_both_questions(backlint: CommandLine) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()

    outcome = backlint("report", "forecast", "--input", a_file(finished(40)), "--items", "10", "--until", until)

    assert outcome.code == 0
    assert "85 % likely at least" in outcome.out
    assert "85 % likely on or before" in outcome.out
    assert "likely: 10 items by" in outcome.out


def test_the_json_stands_alone_on_standard_output(backlint: CommandLine) -> None:
    outcome = backlint("report", "forecast", "--input", a_file(finished(40)), "--format", "json")

    assert outcome.json["algorithm"] == "week-nested/1"
    assert outcome.json["how_many"]["p85"] <= outcome.json["how_many"]["p50"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--until", "2020-01-01"), "--until 2020-01-01 has passed"),
        (("--until", "2999-01-01"), "more than 730 days away"),
        (("--until", "tomorrow"), "write a day as 2026-03-31"),
        (("--items", "0"), "--items 0: at least 1"),
        (("--items", "-4"), "--items -4: at least 1"),
        (("--format", "pdf"), "--format 'pdf'"),
        (("--scope", "nowhere"), "nothing belongs to 'nowhere'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_words(
    backlint: CommandLine, options: tuple[str, ...], said: str
) -> None:
    outcome = backlint("report", "forecast", "--input", a_file(finished(40)), *options)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


@pytest.mark.parametrize(
    ("issues", "reason"),
    [
        ([an_issue(id="1")], "no item was ever finished"),
        (finished(1, weeks=2), "complete weeks since the first finished item; 6 are needed"),
        (finished(10_000, actor="mia", at_once=True), "no item was ever finished"),
    ],
    ids=["nothing finished", "one item", "10,000 closed in one second"],
)
def test_a_scope_that_allows_no_forecast_gets_the_reason(
    backlint: CommandLine, issues: list[Issue], reason: str
) -> None:
    outcome = backlint("report", "forecast", "--input", a_file(issues), "--items", "5")

    assert outcome.code == 0
    assert reason in outcome.out.replace("No item", "no item")
    assert "likely" not in outcome.out.split("## Each item")[0]


def test_changes_out_of_order_and_after_now_do_not_make_throughput(backlint: CommandLine) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    skewed = replace(
        an_issue(id="900", category=DONE), transitions=(a_transition(ahead, TODO, DONE),), created_at=ahead
    )
    file = a_file([*finished(40), skewed])

    outcome = backlint("report", "forecast", "--input", file, "--format", "json")

    assert sum(sum(week["finished"]) for week in outcome.json["history"]["weeks"]) <= 40


def test_sprint_prep_of_a_file_reads_like_a_note(backlint: CommandLine) -> None:
    outcome = backlint("report", "sprint-prep", "--input", a_file([*past_sprints(), *candidates()]))

    assert outcome.code == 0
    assert "# Sprint prep: Payments, Payments 14" in outcome.out
    assert "## Not ready" in outcome.out


def test_readiness_is_guidance_unless_the_team_wants_it_enforced(backlint: CommandLine) -> None:
    file = a_file(candidates())

    free = backlint("report", "sprint-prep", "--input", file)
    Path("backlint.toml").write_text("[planning]\nenforce = true\n", encoding="utf-8")
    enforced = backlint("report", "sprint-prep", "--input", file)
    ready = a_candidate(1, body=a_candidate(1).body, assignees=("ana",), parent=None)
    Path("backlint.toml").write_text("[planning]\nenforce = true\ngates = []\nready_from = 0\n", encoding="utf-8")
    lenient = backlint("report", "sprint-prep", "--input", a_file([ready]))

    assert (free.code, enforced.code, lenient.code) == (0, 1, 0)


def test_several_teams_are_named_so_that_one_can_be_chosen(backlint: CommandLine) -> None:
    file = a_file([a_candidate(1), a_candidate(2, team="Checkout")])

    refused = backlint("report", "sprint-prep", "--input", file)
    chosen = backlint("report", "sprint-prep", "--input", file, "--scope", "Checkout")

    assert refused.code == 2
    assert "name it with --scope; there are Checkout, Payments" in refused.err
    assert "# Sprint prep: Checkout" in chosen.out


def test_the_readout_of_a_file_is_a_draft_to_edit(backlint: CommandLine) -> None:
    outcome = backlint("report", "weekly", "--input", a_file(finished(40)), "--scope", "DEMO")

    assert outcome.code == 0
    assert "# Weekly readout: DEMO" in outcome.out
    assert "3 items finished" in outcome.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--audience", "engineers"), "did you mean engineering?"),
        (("--audience", "board"), "use executive, engineering, product, design, marketing"),
        (("--since", "2026-03-09", "--until", "2026-03-02"), "--since 2026-03-09 is after --until 2026-03-02"),
        (("--since", "9.3.2026"), "write a day as 2026-03-31"),
        (("--scope", "DEM"), "nothing belongs to 'DEM'; there is demo"),
    ],
)
def test_a_readout_that_cannot_be_given_is_refused_in_words(
    backlint: CommandLine, options: tuple[str, ...], said: str
) -> None:
    outcome = backlint("report", "weekly", "--input", a_file(finished(3)), *options)

    assert outcome.code == 2
    assert said in outcome.err


def test_one_item_is_listed_and_no_number_is_made_of_it(backlint: CommandLine) -> None:
    outcome = backlint("report", "weekly", "--audience", "engineering", "--input", a_file(finished(1)))

    assert "Cycle time, median: –" in outcome.out


def test_a_holiday_calendar_that_does_not_exist_is_refused(backlint: CommandLine) -> None:
    Path("backlint.toml").write_text('[calendar]\ncountry = "XX"\n', encoding="utf-8")

    outcome = backlint("report", "forecast", "--input", a_file(finished(40)))

    assert outcome.code == 2
    assert "no holidays are known for country 'XX'" in outcome.err
