"""Histories that no figure can be made of: a stated reason instead of a number, never a wrong number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from backlint.api.reports.cycle_time import CycleTimeReport, build_cycle_time
from backlint.api.reports.health import Answer
from backlint.flow import Flag, items
from backlint.forecast.history import history
from backlint.model import Issue, Status, StatusCategory
from tests.factory import a_transition, an_issue

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TODO, DOING, DONE = StatusCategory.TODO, StatusCategory.ACTIVE, StatusCategory.DONE


def ago(days: float) -> datetime:
    return NOW - days * DAY


def an_item(number: int, *steps: tuple[datetime, StatusCategory, StatusCategory], **how: object) -> Issue:
    facts = {"created_at": ago(60), "category": steps[-1][2] if steps else TODO, **how}
    transitions = tuple(
        a_transition(at, before, after, sequence=place) for place, (at, before, after) in enumerate(steps)
    )
    return an_issue(id=str(number), key=f"PAY-{number}", transitions=transitions, **facts)


def report(*issues: Issue) -> CycleTimeReport:
    return build_cycle_time(issues, scope="PAY", now=NOW)


def reasons(made: CycleTimeReport) -> list[str]:
    return [each.why for each in made.excluded]


def test_a_finish_stamped_before_its_start_has_no_negative_time():
    made = report(an_item(1, (ago(5), TODO, DOING), (ago(9), DOING, DONE)))

    assert made.rows == ()
    assert reasons(made) == ["finish unknown: the history has a gap"]


def test_clocks_that_run_ahead_are_flagged_and_no_time_lies_in_the_future():
    made = report(an_item(1, (ago(2), TODO, DOING), (NOW + 3 * DAY, DOING, DONE)))

    (row,) = made.rows
    assert row.finished_at == NOW
    assert row.cycle == 2 * DAY
    assert row.flags == (Flag.SKEW.value,)
    assert made.quality.skewed == 1


def test_a_history_with_a_gap_says_that_the_start_is_unknown():
    made = report(an_item(1, (ago(9), TODO, StatusCategory.BACKLOG), (ago(3), DOING, DONE)))

    assert made.rows == ()
    assert reasons(made) == ["start unknown: the history has a gap"]


def test_a_status_that_was_deleted_since_is_named_and_not_guessed_at():
    gone = Status("10077", "In QA (old)", StatusCategory.UNKNOWN)
    steps = (
        a_transition(ago(9), TODO, DOING),
        a_transition(ago(7), DOING, DONE, sequence=1),
    )
    first, last = steps
    through = (first, type(first)(at=ago(8), before=first.after, after=gone, sequence=1),
               type(last)(at=ago(7), before=gone, after=last.after, sequence=2))  # fmt: skip
    made = report(an_issue(id="1", key="PAY-1", created_at=ago(60), status=last.after, transitions=through))

    assert made.rows == ()
    assert reasons(made) == ["status 'In QA (old)' has no category"]
    assert made.quality.unmapped == 1


def test_ten_thousand_items_finished_in_one_second_are_housekeeping_and_no_forecast():
    at = ago(3)
    issues = [
        an_issue(
            id=str(number), key=f"PAY-{number}", created_at=ago(60), category=DONE,
            transitions=(a_transition(at, TODO, DONE, actor="bulk"),),
        )
        for number in range(10_000)
    ]  # fmt: skip
    made = report(*issues)

    assert made.rows == ()
    assert set(reasons(made)) == {"finished without a known start"}
    assert made.quality.bulk_closed == 10_000
    assert made.quality.needs_banner
    assert [week.bulk_closed for week in made.weeks if week.finished] == [10_000]
    assert all(Flag.BULK_CLOSED in item.flags for item in items(issues, NOW))


def test_a_team_that_changed_its_workflow_last_month_keeps_its_finishes():
    """A migration moves everything that was done to the new done: nothing is finished anew by it."""
    new_done = Status("20001", "Released", DONE)
    first = a_transition(ago(50), TODO, DOING)
    last = a_transition(ago(45), DOING, DONE, sequence=1)
    moved = type(last)(at=ago(20), before=last.after, after=new_done, sequence=2, actor="admin")
    made = report(an_issue(id="1", key="PAY-1", created_at=ago(60), status=new_done, transitions=(first, last, moved)))

    (row,) = made.rows
    assert row.finished_at == ago(45)
    assert row.cycle == 5 * DAY


def test_a_scope_without_finished_items_has_nothing_to_measure():
    made = report(an_item(1), an_item(2))

    assert made.answer is Answer.NOTHING_TO_MEASURE
    assert made.found.p50 is None
    assert history({}, date(2026, 6, 1)).why_no_forecast == "no item was ever finished"


def test_one_item_is_listed_and_makes_no_statistics():
    made = report(an_item(1, (ago(5), TODO, DOING), (ago(2), DOING, DONE)))

    assert len(made.rows) == 1
    assert (made.found.p50, made.found.p85, made.expectation) == (None, None, None)
    assert made.found.sample.remark == "1 of 5 items needed for a median"


def test_a_creation_in_the_future_is_skew_and_no_negative_age():
    made = report(an_item(1, (NOW + DAY, TODO, DOING), created_at=NOW + 2 * DAY))

    (ageing,) = made.ageing
    assert ageing.age == timedelta()
    assert Flag.SKEW.value in ageing.flags
