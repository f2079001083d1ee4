"""Closings and board moves become one chain of statuses."""

from __future__ import annotations

import pytest

from backlint.model import Issue, StatusCategory
from tests.connectors.github.payloads import (
    added,
    at,
    board,
    closed,
    day,
    event,
    item,
    moved,
    node,
    option,
    person,
    read,
    removed,
    reopened,
)


def chain(issue: Issue) -> list[str]:
    """The ids that the issue went through, the first one included."""
    steps = issue.transitions
    return [steps[0].before.id, *(step.after.id for step in steps)] if steps else [issue.status.id]


def closed_issue(*events: dict[str, object], reason: str | None = "COMPLETED") -> dict[str, object]:
    return node(*events, state="CLOSED", stateReason=reason, closedAt=day(20))


def test_an_issue_that_nobody_touched_is_open_in_the_backlog() -> None:
    issue = read(node())

    assert (issue.status.id, issue.status.category, issue.transitions) == ("open", StatusCategory.BACKLOG, ())


@pytest.mark.parametrize(
    ("reason", "id", "category"),
    [
        ("COMPLETED", "closed:completed", StatusCategory.DONE),
        ("NOT_PLANNED", "closed:not_planned", StatusCategory.CANCELLED),
        ("DUPLICATE", "closed:duplicate", StatusCategory.CANCELLED),
        (None, "closed:completed", StatusCategory.DONE),
    ],
)
def test_the_close_reason_says_what_the_end_was(reason: str | None, id: str, category: StatusCategory) -> None:
    issue = read(closed_issue(closed(20, reason), reason=reason))

    assert (issue.status.id, issue.status.category) == (id, category)
    assert issue.transitions[-1].after == issue.status
    assert issue.transitions[-1].at == at(20)


def test_a_reason_that_is_not_known_yet_has_no_meaning_until_somebody_gives_it_one() -> None:
    raw = closed_issue(closed(20, "EVAPORATED"), reason="EVAPORATED")

    assert read(raw).status.category is StatusCategory.UNKNOWN
    assert read(raw, statuses={"closed:evaporated": StatusCategory.CANCELLED}).status.category is (
        StatusCategory.CANCELLED
    )


def test_board_moves_and_the_closing_are_one_chain() -> None:
    moves = board(
        added(2), moved(2, "", "Todo", "09:00:05"), moved(5, "Todo", "In Progress"), moved(9, "In Progress", "Done"),
        items=(item(option("Done")),),
    )  # fmt: skip

    issue = read(closed_issue(closed(20)), moves)

    assert chain(issue) == ["open", "project:7:Todo", "project:7:In Progress", "project:7:Done", "closed:completed"]
    assert [step.after.category.value for step in issue.transitions] == ["todo", "active", "waiting", "done"]
    assert [step.sequence for step in issue.transitions] == [0, 1, 2, 3]


def test_done_on_the_board_of_an_open_issue_is_not_done() -> None:
    issue = read(node(), board(moved(9, "In Progress", "Done"), items=(item(option("Done")),)))

    assert issue.status.id == "project:7:Done"
    assert issue.is_open
    assert issue.status.category is StatusCategory.WAITING


def test_a_team_may_say_that_done_on_the_board_is_done() -> None:
    issue = read(
        node(),
        board(moved(9, "In Progress", "Done"), items=(item(option("Done")),)),
        statuses={"project:7:Done": StatusCategory.DONE},
    )

    assert issue.status.category is StatusCategory.DONE


def test_the_card_that_a_workflow_moves_after_the_closing_changes_nothing() -> None:
    moves = board(
        moved(5, "Todo", "In Progress"), moved(20, "In Progress", "Done", automated=True), items=(item(option("Done")),)
    )

    issue = read(closed_issue(closed(20)), moves)

    assert chain(issue) == ["project:7:Todo", "project:7:In Progress", "closed:completed"]


def test_after_reopening_a_done_card_is_stale_until_it_moves() -> None:
    moves = board(
        moved(5, "Todo", "In Progress"),
        moved(10, "In Progress", "Done", automated=True),
        moved(15, "Done", "In Progress"),
        items=(item(option("In Progress")),),
    )

    issue = read(node(closed(10), reopened(12)), moves)

    assert chain(issue) == [
        "project:7:Todo", "project:7:In Progress", "closed:completed", "open", "project:7:In Progress",
    ]  # fmt: skip
    assert [step.at.day for step in issue.transitions] == [5, 10, 12, 15]


def test_a_reopened_issue_whose_card_still_says_done_is_open() -> None:
    moves = board(moved(10, "In Progress", "Done", automated=True), items=(item(option("Done")),))

    issue = read(node(closed(10), reopened(12)), moves)

    assert issue.status.id == "open"
    assert issue.history_is_complete


def test_a_card_that_is_taken_off_the_board_leaves_the_issue_open() -> None:
    issue = read(node(), board(added(2), moved(3, "", "In Progress"), removed(8)))

    assert chain(issue) == ["open", "project:7:In Progress", "open"]


def test_a_card_that_came_with_a_status_had_it_since_it_was_put_on_the_board() -> None:
    moves = board(added(4), moved(6, "Todo", "In Progress"), items=(item(option("In Progress")),))

    issue = read(node(), moves)

    assert [(step.at.day, step.after.id) for step in issue.transitions] == [
        (4, "project:7:Todo"),
        (6, "project:7:In Progress"),
    ]


def test_moves_on_another_board_are_not_mixed_in() -> None:
    moves = board(
        moved(5, "", "In Progress", board=7),
        moved(6, "", "Shaping", board=9),
        items=(item(option("Shaping"), board=9), item(option("In Progress"), board=7)),
    )

    assert chain(read(node(), moves)) == ["open", "project:7:In Progress"]
    configured = {"project:9:Shaping": StatusCategory.TODO}
    assert chain(read(node(), moves, statuses=configured)) == ["open", "project:9:Shaping"]


def test_without_a_history_only_the_time_of_the_present_option_is_known() -> None:
    issue = read(node(), board(items=(item(option("In Progress", 14)),)))

    assert [(step.at.day, step.after.id) for step in issue.transitions] == [(14, "project:7:In Progress")]
    assert not issue.history_is_complete


def test_a_closing_that_left_no_event_is_known_by_its_time() -> None:
    issue = read(closed_issue(reason="COMPLETED"))

    assert [(step.at, step.after.id) for step in issue.transitions] == [(at(20), "closed:completed")]
    assert issue.transitions[0].actor is None


def test_a_reason_that_was_changed_afterwards_is_the_present_one() -> None:
    issue = read(closed_issue(closed(20, None), reason="NOT_PLANNED"))

    assert chain(issue) == ["open", "closed:not_planned"]
    assert issue.transitions[-1].after.category is StatusCategory.CANCELLED


def test_who_moved_it_is_kept_and_automation_is_marked() -> None:
    robot = event("ClosedEvent", 20, stateReason="COMPLETED") | {"actor": person(77, "release-robot", "Bot")}
    moves = board(moved(5, "Todo", "In Progress", automated=True), items=(item(option("In Progress")),))

    issue = read(closed_issue(robot), moves)

    assert [(step.actor, step.is_bot) for step in issue.transitions] == [("501", True), ("77", True)]


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Todo", "todo"), ("📋 Backlog", "backlog"), ("🏗 In progress", "active"), ("In Review", "active"),
        ("✅ Done", "waiting"), ("Needs triage", "triage"), ("Shaping", "unknown"), ("Blocked", "unknown"),
    ],
)  # fmt: skip
def test_usual_option_names_are_understood_and_others_reported(name: str, category: str) -> None:
    issue = read(node(), board(items=(item(option(name)),)))

    assert issue.status.category.value == category
    assert issue.status.name == name
