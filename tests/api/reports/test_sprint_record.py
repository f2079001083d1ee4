"""What became of sprints: each number with the issues that it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from backlint.api.reports import build_cycle_time
from backlint.api.reports.entries import Entry
from backlint.api.reports.sprint_record import SprintRecord
from backlint.model import Issue, IssueType, Sprint, SprintMembership
from backlint.scopes import Scopes
from tests.api.reports.backlog import DOING, DONE, NOW, THE_SPRINT, an_item, in_sprint, the_backlog_in_sprints


def records(*issues: Issue) -> tuple[SprintRecord, ...]:
    found = tuple(Scopes(issues).sprints.values())
    return build_cycle_time(issues, scope="x", now=NOW, sprints=found).sprints


def keys(found: tuple[Entry, ...] | None) -> list[str | None] | None:
    return None if found is None else [each.key for each in found]


def test_committed_is_what_was_in_at_the_start_and_finished_what_was_done_within() -> None:
    (record,) = records(*the_backlog_in_sprints())

    assert keys(record.committed) == ["PAY-30", "PAY-36", "PAY-43"]
    assert keys(record.finished) == ["PAY-30", "PAY-43"]
    assert record.predictability == Fraction(2, 3)


def test_what_came_in_later_is_added_and_is_no_part_of_predictability() -> None:
    (record,) = records(*the_backlog_in_sprints())

    assert keys(record.added) == ["PAY-37"]
    assert record.scope_change == Fraction(1, 3)


def test_what_was_open_at_the_end_is_carried_over() -> None:
    (record,) = records(*the_backlog_in_sprints())

    assert keys(record.carried) == ["PAY-36", "PAY-37"]


def test_what_was_done_before_the_start_was_not_committed() -> None:
    done = an_item(1, (40, DOING), (30, DONE))
    open_one = an_item(2, (20, DOING))

    (record,) = records(*in_sprint((done, open_one), THE_SPRINT, added={"PAY-1": 50, "PAY-2": 50}))

    assert keys(record.committed) == ["PAY-2"]


def test_a_running_sprint_has_carried_nothing_over_yet() -> None:
    running = Sprint(id="8", name="Payments 8", state="active", starts_at=NOW - timedelta(days=3),
                     ends_at=NOW + timedelta(days=11))  # fmt: skip

    (record,) = records(*in_sprint((an_item(1, (2, DOING)),), running, added={"PAY-1": 10}))

    assert record.carried is None
    assert record.is_running


def test_where_nothing_says_when_items_came_in_no_scope_change_is_claimed() -> None:
    issue = replace(an_item(1, (20, DOING), (10, DONE)), sprints=(SprintMembership(sprint=THE_SPRINT),))

    (record,) = records(issue)

    assert record.added is None
    assert record.scope_change is None
    assert record.predictability == 1


def test_subtasks_and_sprints_without_dates_are_left_out() -> None:
    subtask = an_item(1, (20, DOING), type=IssueType.SUBTASK)
    no_dates = replace(THE_SPRINT, id="9", starts_at=None, ends_at=None)

    assert records(*in_sprint((an_item(2, (20, DOING)),), no_dates, added={"PAY-2": 25})) == ()
    assert records(*in_sprint((subtask,), THE_SPRINT, added={"PAY-1": 25}))[0].committed == ()
