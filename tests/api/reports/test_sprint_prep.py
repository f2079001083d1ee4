"""Sprint-planning prep: what it plans for, what fits, what it asks, and what it leaves to people."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from backlint.api.commands.report_sprint_prep import build_from_backlog
from backlint.api.reports import Answer, to_csv, to_html, to_json, to_markdown
from backlint.api.reports.sprint_prep import Candidate, SprintPrep
from backlint.errors import InputError
from backlint.model import Issue, IssueType, SprintMembership
from backlint.readiness import Need, Standing
from backlint.rules.engine import judge_scopes
from backlint.rules.sprint_overcommitted import SprintOvercommitted
from backlint.settings import Settings
from backlint.sync.check import judge_backlog, make_backlog
from tests.api.reports.backlog import DONE, GOOD, NOW
from tests.api.reports.planning_backlog import (
    SETTINGS,
    a_candidate,
    a_sprint,
    a_sprint_prep,
    a_sprint_prep_of_the_backlog,
    candidates,
    in_sprints,
    past_sprints,
)


@pytest.fixture(scope="module")
def report() -> SprintPrep:
    return a_sprint_prep()


def prepared(*issues: Issue, settings: Settings = SETTINGS, **given: Any) -> SprintPrep:
    return build_from_backlog(make_backlog(issues, settings, now=NOW), settings, **{"scope": None, **given})


def found(report: SprintPrep, key: str) -> Candidate:
    return next(each for each in report.candidates if each.key == key)


# -- the sprint and its capacity -----------------------------------------------------------------------------------


def test_the_next_sprint_is_planned_and_its_last_day_is_the_one_before_the_morning_it_ends(report: SprintPrep) -> None:
    assert report.window.name == "Payments 14"
    assert (report.window.first, report.window.last) == (date(2026, 6, 2), date(2026, 6, 15))
    assert report.window.assumed == ""


def test_leave_within_the_sprint_is_taken_off_and_later_leave_is_not(report: SprintPrep) -> None:
    assert report.capacity.working_days == 10
    assert report.capacity.away_days == 2  # two people on its last day; the rest of their week is after it
    assert report.capacity.availability == Fraction(24, 25)


def test_less_people_finish_less(report: SprintPrep) -> None:
    away = [{"team": "Payments", "first": "2026-06-02", "last": "2026-06-15", "people": 3}]
    fewer = SETTINGS.model_copy(update={"leave": Settings.model_validate({"leave": away}).leave})

    found = prepared(*past_sprints(), *candidates(), settings=fewer).capacity

    assert found.availability == Fraction(2, 5)
    assert found.items85 is not None
    assert report.capacity.items85 is not None
    assert found.items85 < report.capacity.items85
    assert found.points85 == pytest.approx(6)  # of 15


def test_the_size_of_a_team_nobody_has_told_is_that_of_those_who_finish_things() -> None:
    found = prepared(*past_sprints(), *candidates(), settings=Settings())

    assert (found.capacity.people, found.capacity.is_size_known) == (1, False)
    assert "1 people (who finished something in the last 90 days)" in to_markdown(found)


def test_more_than_is_finished_half_of_the_time_asks_what_moves_out(report: SprintPrep) -> None:
    assert report.planned == 35
    assert report.overcommitted == "error"
    assert "More than is finished half of the time: what moves out?" in to_markdown(report)


def test_the_rule_and_the_report_forecast_the_same_for_a_team_that_counts_items() -> None:
    issues = [replace(issue, estimate=None) for issue in (*past_sprints(), *candidates())]
    backlog = make_backlog(issues, SETTINGS, now=NOW)
    capacity = build_from_backlog(backlog, SETTINGS, scope="Payments").capacity
    _, context, _ = judge_backlog(backlog, SETTINGS, issues=())

    said = [each.message or each.reason for each in judge_scopes([SprintOvercommitted()], context)]

    half, most = capacity.items50, capacity.items85
    assert [each for each in said if f"half the time this team finishes {half}, 85 % of the time {most}" in each]


def test_a_capacity_that_was_set_wins_over_the_forecast() -> None:
    settings = SETTINGS.model_copy(update={"rules": {"PLN001": {"capacity": {"Payments": 40}}}})

    found = prepared(*past_sprints(), *candidates(), settings=settings)

    assert found.overcommitted == ""
    assert {each.fits for each in found.candidates} == {"capacity"}
    assert "Capacity is set to 40 points." in to_markdown(found).replace(". 85 %", ".\n")


def test_the_lines_fall_where_the_sum_passes_them(report: SprintPrep) -> None:
    totals = [sum(each.counts for each in report.candidates[: place + 1]) for place in range(len(report.candidates))]

    for total, each in zip(totals, report.candidates, strict=True):
        assert (each.fits == "85 %") == (total <= (report.capacity.likely or 0))
        assert (each.fits == "beyond") == (total > (report.capacity.even or 0))


def test_the_rest_of_the_running_sprint_is_named(report: SprintPrep) -> None:
    assert [(each.key, each.sprints, each.is_candidate) for each in report.carry_over] == [
        ("PAY-3001", 2, True),
        ("PAY-3012", 2, False),
    ]
    assert report.left_over == 1


# -- the candidates ------------------------------------------------------------------------------------------------


def test_every_candidate_is_ready_nearly_or_not_and_the_others_have_one_question(report: SprintPrep) -> None:
    assert [each.key for each in report.of_standing(Standing.READY)] == ["PAY-3001", "PAY-3002", "PAY-3005", "PAY-3008"]
    assert [each.key for each in report.of_standing(Standing.NEARLY)] == ["PAY-3003"]
    assert {each.key for each in report.of_standing(Standing.NOT_READY)} == {"PAY-3004", "PAY-3006", "PAY-3007"}
    assert all(each.ready.question for each in report.candidates if each.standing is not Standing.READY)


def test_a_blocker_outside_the_sprint_makes_it_unready_and_one_inside_does_not(report: SprintPrep) -> None:
    late = {(each.key, each.blocker): each.is_late for each in report.dependencies}

    assert late == {("PAY-3004", "PAY-3010"): True, ("PAY-3008", "PAY-3002"): False}
    assert found(report, "PAY-3004").ready.question == "Can PAY-3010 come first, or does this wait?"


def test_what_is_begun_and_carried_over_comes_first_then_the_score(report: SprintPrep) -> None:
    assert report.candidates[0].key == "PAY-3001"
    assert found(report, "PAY-3002").score == 4000  # of the epic above: 5000 x 2 x 0.8 / 2
    assert found(report, "PAY-3006").score is None
    keys = [each.key for each in report.candidates]
    assert keys.index("PAY-3008") < keys.index("PAY-3006")


def test_big_items_are_sliced_by_what_they_say_themselves(report: SprintPrep) -> None:
    (hide, *_) = report.too_big

    assert hide.key == "PAY-3005"
    assert hide.basis == "its criteria"
    assert len(hide.slices) == 4
    assert hide.slices[0].startswith("the oldest order is on top; a click on the date")


def test_scenarios_are_slices_by_their_names() -> None:
    body = (
        "As a clerk I want to pay later so that I keep the order.\n\n"
        "Scenario: in time\nGiven an open order\nWhen the clerk pays today\nThen the order is closed\n\n"
        "Scenario: too late\nGiven an open order\nWhen the clerk pays after a month\nThen a fee is added\n"
    )
    (big,) = prepared(a_candidate(1, body=body, estimate=20.0, parent=None)).too_big

    assert (big.basis, len(big.slices)) == ("its scenarios", 2)


def test_an_item_that_says_nothing_gets_a_question_instead_of_a_slice() -> None:
    found = prepared(a_candidate(1, body="Big.", estimate=20.0, parent=None))

    assert found.too_big[0].slices == ()
    assert "which part would teach us most?" in to_markdown(found)


def test_the_share_of_each_outcome_adds_up(report: SprintPrep) -> None:
    assert sum(each.share for each in report.outcomes) == 1
    assert report.outcomes[0].name == "PAY-3000 Faster checkout"


def test_what_was_put_off_and_what_does_not_fit_are_not_now(report: SprintPrep) -> None:
    why = {each.key: each.why for each in report.not_now}

    assert why["PAY-3011"] == "put off on purpose, to be looked at again on 2026-09-01"
    assert why["PAY-3005"] == "beyond what is finished half of the time"
    assert "PAY-3001" not in why


def test_room_for_work_is_what_the_cap_leaves(report: SprintPrep) -> None:
    assert (report.room.in_progress, report.room.cap, report.room.free) == (4, 4, 0)
    assert "no room: finish one first" in to_html(report)


def test_subtasks_epics_and_closed_items_are_no_candidates() -> None:
    others = (
        a_candidate(2, type=IssueType.SUBTASK),
        a_candidate(3, type=IssueType.EPIC),
        a_candidate(4, status=DONE),
        a_candidate(5, sprints=(SprintMembership(sprint=a_sprint(14), removed_at=NOW),)),
    )

    assert [each.key for each in prepared(a_candidate(1), *others).candidates] == ["PAY-1"]


def test_a_rule_that_is_switched_off_is_no_need() -> None:
    settings = Settings.model_validate({"check": {"disable": ["AC001", "AC002"]}})
    (only,) = prepared(a_candidate(1, body="Too short."), settings=settings).candidates

    assert Need.ACCEPTANCE not in {each.need for each in only.ready.missing}


# -- empty states and refusals -------------------------------------------------------------------------------------


def test_without_candidates_the_top_of_the_backlog_stands_instead() -> None:
    found = a_sprint_prep_of_the_backlog()

    assert found.is_backlog
    assert "No candidates in the next sprint; the top 9 of the backlog instead." in to_markdown(found)
    assert "PAY-3011" not in {each.key for each in found.candidates}  # put off on purpose
    assert found.overcommitted == ""


def test_ten_of_the_backlog_are_enough() -> None:
    found = prepared(*(a_candidate(number, sprints=()) for number in range(1, 30)))

    assert len(found.candidates) == 10


def test_a_sprint_without_dates_gets_assumed_ones_that_are_named() -> None:
    undated = replace(a_sprint(14), starts_at=None, ends_at=None)

    found = prepared(a_candidate(1, sprints=(SprintMembership(sprint=undated),)))

    assert found.window.last - found.window.first == timedelta(days=13)
    assert found.window.assumed == "the sprint has no dates yet; 14 days long"


def test_a_sprint_that_should_have_begun_is_planned_from_today() -> None:
    late = replace(a_sprint(13), state="future")

    found = prepared(a_candidate(1, sprints=(SprintMembership(sprint=late),)))

    assert found.window.first == NOW.date()
    assert "it was to begin on 2026-05-19" in found.window.assumed


def test_another_open_sprint_can_be_named() -> None:
    found = prepared(a_candidate(1), a_candidate(2, sprints=in_sprints(15)), sprint="payments 15")

    assert [each.key for each in found.candidates] == ["PAY-2"]


def test_a_sprint_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"no open sprint 'X'; there is Payments 14"):
        prepared(a_candidate(1), sprint="X")


def test_several_teams_have_to_be_told_apart() -> None:
    with pytest.raises(InputError, match=r"name it with --scope; there are Checkout, Payments"):
        prepared(a_candidate(1), a_candidate(2, team="Checkout"))


def test_nothing_at_all_is_said_to_be_nothing() -> None:
    found = prepared(a_candidate(1, status=DONE))

    assert found.answer is Answer.NOTHING_TO_MEASURE
    assert "**Nothing to plan.**" in to_markdown(found)
    assert "Nothing to plan." in to_html(found)


def test_a_source_that_could_not_be_read_is_not_planned_from() -> None:
    found = prepared(a_candidate(1), health=(replace(GOOD, complete=False),))

    assert found.answer is Answer.CANNOT_SAY
    assert found.candidates == ()


def test_too_few_finished_sprints_promise_no_points() -> None:
    recent = [issue for issue in past_sprints() if issue.sprints[0].sprint.id in ("11", "12")]

    found = prepared(*recent, a_candidate(1))

    assert (found.capacity.points85, found.overcommitted) == (None, "")
    assert found.candidates[0].fits == ""


# -- the formats ---------------------------------------------------------------------------------------------------


def test_the_json_explains_every_need(report: SprintPrep) -> None:
    facts = json.loads(to_json(report))
    first = facts["candidates"][0]

    assert {need["need"] for need in first["needs"]} == {each.value for each in Need}
    assert facts["planned"] == {
        "items": 8,
        "points": 33.0,
        "unestimated": 1,
        "counted": 35.0,
        "overcommitted": "error",
    }


def test_the_csv_is_one_table_with_the_question_of_each(report: SprintPrep) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(report))))
    states = {row["issue"]: row["state"] for row in rows if row["place"]}

    assert states["PAY-3004"] == "not ready"
    assert next(row for row in rows if row["issue"] == "PAY-3003")["question"].startswith("What must be observably")
    assert {"running sprint", "not now"} <= {row["state"] for row in rows}


def test_a_title_from_outside_is_escaped_everywhere() -> None:
    nasty = a_candidate(1, title="<script>alert(1)</script> | [x](javascript:1)", url="javascript:alert(1)")
    found = prepared(nasty)

    assert "<script>alert" not in to_html(found)
    assert "javascript:alert" not in to_html(found)
    assert "\\<script\\>" in to_markdown(found)
