"""What counts as a person's activity on an issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from backlint.activity import bulk_edits, human_events
from backlint.backlog import one_issue_backlog
from backlint.examples import CREATED_AT
from backlint.model import FieldChange, Issue, Link, LinkKind, StatusCategory
from tests.factory import a_comment, a_transition, an_issue

NOW = CREATED_AT + timedelta(days=100)


def later(days: float) -> timedelta:
    return timedelta(days=days)


def moved(count: int, minutes: float) -> tuple[Issue, ...]:
    """Issues moved by one actor, spread over the minutes given, on day 50."""
    return tuple(
        an_issue(
            id=str(number),
            transitions=(
                a_transition(
                    CREATED_AT + later(50) + timedelta(minutes=minutes * number / count),
                    StatusCategory.BACKLOG,
                    StatusCategory.TODO,
                    actor="ana",
                ),
            ),
        )
        for number in range(count)
    )


def last(*issues: Issue) -> timedelta:
    at = one_issue_backlog(*issues, now=NOW).last_human_activity(issues[0])
    assert at is not None
    return at - CREATED_AT


def test_people_count_and_machines_do_not() -> None:
    issue = an_issue(
        comments=(
            a_comment("Yes.", CREATED_AT + later(3)),
            a_comment("Built.", CREATED_AT + later(5), id="c2", is_bot=True),
            a_comment("Checked.", CREATED_AT + later(6), id="c3", is_own=True),
        ),
        changes=(
            FieldChange(at=CREATED_AT + later(4), field="labels", actor="ana"),
            FieldChange(at=CREATED_AT + later(7), field="Rank", actor="ana"),
        ),
    )

    assert [event.kind for event in human_events(issue)] == ["created", "comment", "field"]
    assert last(issue) == later(4)


def test_a_pull_request_is_activity() -> None:
    issue = an_issue(links=(Link(LinkKind.PULL_REQUEST, "https://example.com/pull/1", CREATED_AT + later(9)),))

    assert last(issue) == later(9)


def test_twenty_issues_within_five_minutes_are_a_bulk_edit() -> None:
    assert last(*moved(20, minutes=5)) == later(0)
    assert last(*moved(19, minutes=1)) == later(50)
    assert last(*moved(20, minutes=200)) == later(50)


def test_an_edit_of_the_same_person_at_another_time_counts() -> None:
    first, *others = moved(20, minutes=1)
    edited = replace(first, changes=(FieldChange(at=CREATED_AT + later(60), field="priority", actor="ana"),))

    assert last(edited, *others) == later(60)


def test_bulk_edits_of_one_issue_are_no_bulk_edit() -> None:
    many = tuple(FieldChange(at=CREATED_AT + timedelta(seconds=n), field="labels", actor="ana") for n in range(40))

    assert bulk_edits([an_issue(changes=many)]) == {}


def test_the_future_is_not_the_past() -> None:
    issue = an_issue(comments=(a_comment("Soon.", NOW + later(1)),))

    assert last(issue) == later(0)
