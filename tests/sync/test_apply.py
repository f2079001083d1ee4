"""Carrying plans out against a tracker that behaves: once, in spite of lost answers, people and crashes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from backlint.errors import PermissionMissing, TrackerDown
from backlint.examples import an_issue
from backlint.model import IssueType, StatusCategory
from backlint.settings import Settings
from backlint.sync import writes
from backlint.sync.apply import Applied, apply, settle_unsettled, undo
from backlint.sync.audit import audit, make_plan, new_id
from backlint.sync.check import check_store
from backlint.sync.database import reading
from backlint.sync.plan import Change, ChangeKind, Plan
from backlint.sync.pull import pull
from tests.sync.memory_tracker import MemoryTracker, statuses_as

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
WRITE = {"mode": "labels+comment", "first_run": "write", "quiet_hours": "off", "abort_share": 1.0}


def settings(**write_back: object) -> Settings:
    return Settings.model_validate({"write_back": {**WRITE, **write_back}, "check": {"profile": "starter"}})


@pytest.fixture
def clock() -> Callable[[], datetime]:
    ticks = itertools.count()
    return lambda: NOON + timedelta(minutes=next(ticks))


@pytest.fixture
def tracker() -> MemoryTracker:
    started = statuses_as(StatusCategory.ACTIVE)
    return MemoryTracker(
        [
            an_issue(id="1", title="Export invoices", status=started, body="", assignees=("mia",)),
            an_issue(id="2", title="Search by order number", status=started, body=GOOD, assignees=("mia",)),
            an_issue(id="3", title="Print labels", status=started, body=GOOD),
        ]
    )


GOOD = """As a shop owner I want to find orders by number so that support answers 30 % faster.

## Outcome
Median handling time of tickets falls from 12 to 8 minutes by 30 June 2026.

Review date: 2026-07-15

## Acceptance criteria
- Typing a full order number shows exactly that order
- An unknown number shows "No order found"
"""


def pulled_and_planned(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime], chosen: Settings | None = None
) -> Plan:
    chosen = chosen or settings()
    pull(engine, [tracker], now=clock())
    result = check_store(engine, chosen, run=new_id("check"), now=clock())
    return make_plan(engine, chosen, result, now=clock())


def applied(engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]) -> Applied:
    planned = pulled_and_planned(engine, tracker, clock)
    return apply(engine, planned.changes, {tracker.name: tracker}, run=new_id("apply"), clock=clock)


def test_what_is_planned_is_written_and_the_second_plan_is_empty(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    result = applied(engine, tracker, clock)

    assert result.failed == []
    assert "hygiene:needs-detail" in tracker.issues["1"].labels
    assert "hygiene:needs-owner" in tracker.issues["3"].labels
    assert [len(tracker.own_comments(id)) for id in ("1", "3")] == [1, 1]
    assert tracker.issues["2"].comments == ()
    offline = check_store(engine, settings(), run=new_id("check"), now=clock())
    assert make_plan(engine, settings(), offline, now=clock()).changes == ()
    assert pulled_and_planned(engine, tracker, clock).changes == ()


def test_a_label_that_a_person_removed_stays_removed(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    applied(engine, tracker, clock)
    tracker.edit("3", labels=frozenset({"human"}))

    again = applied(engine, tracker, clock)

    assert again.applied == []
    assert tracker.issues["3"].labels == {"human"}


def test_a_comment_that_a_person_deleted_or_edited_stays_so(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    applied(engine, tracker, clock)
    tracker.edit("1", comments=())
    (comment,) = tracker.own_comments("3")
    tracker.edit("3", comments=(replace(comment, body="I wrote my own words here"),))

    applied(engine, tracker, clock)

    assert tracker.issues["1"].comments == ()
    assert tracker.own_comments("3")[0].body == "I wrote my own words here"


def test_fixing_an_issue_takes_the_label_away_and_quiets_the_comment(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    applied(engine, tracker, clock)
    tracker.edit("3", assignees=("mia",))

    applied(engine, tracker, clock)

    assert tracker.issues["3"].labels == frozenset()
    assert tracker.own_comments("3")[0].body == "Nothing left to ask on this issue."


def test_a_change_since_the_check_holds_the_write_back(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    tracker.edit("3", assignees=("mia",))

    result = apply(engine, planned.changes, {"demo": tracker}, run="r", clock=clock)

    assert {change.key for change, _ in result.held_back} == {"DEMO-3"}
    assert tracker.issues["3"].labels == frozenset()


def test_a_lost_answer_to_a_comment_makes_no_second_one(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    (wanted,) = [c for c in planned.changes if c.key == "DEMO-3" and not c.kind.is_label]
    tracker.lose_next = True

    result = apply(engine, [wanted], {"demo": tracker}, run="r", clock=clock)

    assert len(result.applied) == 1
    assert len(tracker.own_comments("3")) == 1


def test_a_failing_issue_is_reported_and_the_others_are_written(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    tracker.delete("1")

    result = apply(engine, planned.changes, {"demo": tracker}, run="r", clock=clock)

    assert {change.key for change, _ in result.failed} == {"DEMO-1"}
    assert "hygiene:needs-owner" in tracker.issues["3"].labels


def test_a_label_whose_answer_is_lost_for_good_is_still_known_to_be_ours(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    (wanted,) = [c for c in planned.changes if c.key == "DEMO-3" and c.kind.is_label]
    tracker.lose_next = True

    result = apply(engine, [wanted], {"demo": tracker}, run="r", clock=clock)
    assert ([change for change, _ in result.failed], result.unanswered) == ([wanted], {("demo", "3")})
    settle_unsettled(engine, {"demo": tracker}, clock=clock)

    tracker.edit("3", assignees=("mia",))
    applied(engine, tracker, clock)
    assert tracker.issues["3"].labels == frozenset()


def test_a_changed_comment_whose_write_never_arrived_is_not_taken_for_written(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    applied(engine, tracker, clock)
    (standing,) = tracker.own_comments("3")
    change = Change(
        source="demo", issue="3", key="DEMO-3", kind=ChangeKind.PUT_COMMENT, because=("OWN001",), body="Other words"
    )
    with engine.begin() as connection:
        (row,) = writes.want(connection, "r", [change], now=clock())
        writes.mark_sent(connection, row, now=clock())

    settle_unsettled(engine, {"demo": tracker}, clock=clock)

    with reading(engine) as connection:
        (row,) = writes.of_run(connection, "r")
        last = writes.written(connection)["demo", "3"][-1]
    assert (row.state, last.body) == (writes.DROPPED, standing.body)


def test_a_missing_permission_fails_the_change_and_nothing_is_recorded_as_written(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    tracker.down = PermissionMissing("demo: the token needs write", status=403)

    result = apply(engine, planned.changes, {"demo": tracker}, run="r", clock=clock)

    assert len(result.failed) == len(planned.changes)
    with reading(engine) as connection:
        assert writes.written(connection) == {}


class Killed(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("moment", range(1, 13))
def test_a_crash_at_any_write_ends_as_if_it_had_not_happened(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime], moment: int
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    undisturbed = {"1": 1, "3": 1}
    calls = itertools.count(1)
    original, sent = tracker._write, tracker._call

    def write_then_die(*args: object, **values: object) -> None:
        original(*args, **values)  # type: ignore[arg-type]
        if next(calls) == moment:
            raise Killed

    def die_before() -> None:
        if next(calls) == moment:
            raise Killed
        sent()

    tracker._write, tracker._call = write_then_die, die_before  # type: ignore[method-assign]
    with suppress(Killed):
        apply(engine, planned.changes, {"demo": tracker}, run="r", clock=clock)
    tracker._write, tracker._call = original, sent  # type: ignore[method-assign]

    settle_unsettled(engine, {"demo": tracker}, clock=clock)
    applied(engine, tracker, clock)

    assert {id: len(tracker.own_comments(id)) for id in undisturbed} == undisturbed
    assert tracker.issues["3"].labels == {"hygiene:needs-owner"}
    assert pulled_and_planned(engine, tracker, clock).changes == ()
    tracker.edit("3", assignees=("mia",))
    applied(engine, tracker, clock)
    assert tracker.issues["3"].labels == frozenset()  # it is still known to be ours


def test_an_undone_run_leaves_the_tracker_as_it_was_and_stays_undone(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    before = {id: (issue.labels, issue.comments) for id, issue in tracker.issues.items()}
    result = applied(engine, tracker, clock)

    undone, left = undo(engine, result.run, {"demo": tracker}, clock=clock)

    assert (len(undone), left) == (len(result.applied), [])
    assert {id: (issue.labels, issue.comments) for id, issue in tracker.issues.items()} == before
    assert applied(engine, tracker, clock).applied == []


def test_undo_leaves_what_a_person_touched(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    result = applied(engine, tracker, clock)
    (comment,) = tracker.own_comments("3")
    tracker.edit("3", comments=(replace(comment, body="My own words"),))

    _, left = undo(engine, result.run, {"demo": tracker}, clock=clock)

    assert [(change.key, why) for change, why in left] == [("DEMO-3", "a person edited the comment")]
    assert tracker.own_comments("3")[0].body == "My own words"


def test_the_first_audit_records_a_baseline_and_writes_nothing(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    careful = settings(first_run="baseline")

    first = audit(engine, careful, [tracker], clock=clock)
    tracker.add(an_issue(id="9", title="New and bare", type=IssueType.STORY, status=statuses_as(StatusCategory.ACTIVE)))
    second = audit(engine, careful, [tracker], clock=clock)

    assert first.plan.changes == ()
    assert all(finding.is_baseline for _, finding in first.check.findings())
    assert {change.issue for change in second.plan.changes} == {"9"}


def test_a_baseline_entry_dies_when_a_person_edits_the_text(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    careful = settings(first_run="baseline")
    audit(engine, careful, [tracker], clock=clock)
    tracker.edit("3", body=GOOD + "\nOne more line.")

    second = audit(engine, careful, [tracker], clock=clock)

    assert {change.issue for change in second.plan.changes} == {"3"}


def test_a_scope_that_was_not_read_completely_is_not_judged_and_not_written(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    pull(engine, [tracker], now=clock())
    tracker.down_after_pages = 0

    result = audit(engine, settings(), [tracker], clock=clock)

    assert [state.scope for state in result.check.cannot_say] == ["DEMO"]
    assert result.check.checked == ()
    assert result.plan.changes == ()


def test_an_answer_lost_while_the_tracker_stays_down_is_settled_by_a_later_run(
    engine: sa.Engine, tracker: MemoryTracker, clock: Callable[[], datetime]
) -> None:
    planned = pulled_and_planned(engine, tracker, clock)
    label = next(change for change in planned.changes if change.kind.is_label)
    with engine.begin() as connection:
        (row,) = writes.want(connection, "r", [label], now=clock())
        writes.mark_sent(connection, row, now=clock())
    tracker.down = TrackerDown("demo: no answer in time")

    settle_unsettled(engine, {"demo": tracker}, clock=clock)
    with reading(engine) as connection:
        assert len(writes.unsettled(connection)) == 1
    tracker.down = None
    settle_unsettled(engine, {"demo": tracker}, clock=clock)

    with reading(engine) as connection:
        assert writes.unsettled(connection) == ()
