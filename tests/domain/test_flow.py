"""The hand-worked examples of the flow metrics (T10 to T24), and the edges between them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backlint.flow import (
    Flag,
    FlowOptions,
    Item,
    Mode,
    ServiceLevel,
    StartSource,
    cycle_score,
    handoffs,
    items,
    reopenings,
    service_levels,
    standings,
    team_of,
    timeline,
)
from backlint.flow.metrics import (
    average_wip,
    bug_rate,
    cumulative_flow,
    due_when_started,
    finished_between,
    flow_efficiency,
    in_progress,
    iso_week,
    local_day,
    on_time,
    sprint_predictability,
    throughput,
    time_in_status,
    wip_at,
    wip_counts,
)
from backlint.model import (
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Presence,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Transition,
)
from tests.factory import a_transition, an_issue

BACKLOG, TODO, ACTIVE, WAITING = (StatusCategory(name) for name in ("backlog", "todo", "active", "waiting"))
DONE, CANCELLED, UNKNOWN = StatusCategory.DONE, StatusCategory.CANCELLED, StatusCategory.UNKNOWN
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def at(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def moved(
    created: datetime, *steps: tuple[datetime, StatusCategory], first: StatusCategory = TODO, **rest: Any
) -> Issue:
    """An issue created in `first` that then went through the statuses."""
    before, transitions = first, []
    for moment, after in steps:
        transitions.append(a_transition(moment, before, after))
        before = after
    rest.setdefault("category", before)
    return an_issue(created_at=created, transitions=tuple(transitions), **rest)


def item(issue: Issue, now: datetime = NOW, **options: Any) -> Item:
    (found,) = items([issue], now, FlowOptions(**options))
    return found


def only(issue: Issue, now: datetime = NOW, **options: Any) -> Any:
    (episode,) = item(issue, now, **options).episodes
    return episode


# -- the catalogue's examples ----------------------------------------------------------------------------------------


def test_t10_lead_reaction_and_cycle_time():
    issue = moved(at(3, 2, 9), (at(3, 4, 9), ACTIVE), (at(3, 9, 15), DONE))
    flow, episode = item(issue), only(issue)

    assert flow.lead_time(episode) == days(7.25)
    assert episode.reaction_time == days(2)
    assert episode.cycle_time() == days(5.25)


def test_t11_a_soon_reopening_is_the_same_episode():
    issue = moved(at(3, 2), (at(3, 3, 9), ACTIVE), (at(3, 5, 9), DONE), (at(3, 9, 9), ACTIVE), (at(3, 10, 21), DONE))
    flow, episode = item(issue), only(issue)

    assert [episode.cycle_time(mode) for mode in Mode] == [days(7.5), days(3.5), days(7.5)]
    assert throughput((e.finished_at for _, e in finished_between([flow], None, None)), ZONE) == {date(2026, 3, 10): 1}
    assert reopenings(flow.timeline) == (at(3, 9, 9),)
    assert episode.reopenings == 1


def test_t12_moving_back_pauses_without_forgetting_the_start():
    issue = moved(at(3, 2), (at(3, 3), ACTIVE), (at(3, 5), TODO), (at(3, 12), ACTIVE), (at(3, 14), DONE))
    episode = only(issue)

    assert episode.reaction_time == days(1)
    assert [episode.cycle_time(mode) for mode in Mode] == [days(11), days(4), days(2)]
    assert not wip_at([item(issue)], at(3, 8))
    assert wip_at([item(issue)], at(3, 13))


def test_t13_a_late_reopening_is_rework_and_the_first_finish_stays():
    issue = moved(at(1, 28), (at(1, 30), ACTIVE), (at(2, 2), DONE), (at(3, 2), ACTIVE), (at(3, 4), DONE))
    first, second = item(issue).episodes

    assert (first.cycle_time(), second.cycle_time()) == (days(3), days(2))
    assert (first.is_rework, second.is_rework) == (False, True)
    weeks = [local_day(e.finished_at, ZONE).isocalendar().week for _, e in finished_between([item(issue)], None, None)]
    assert weeks == [6, 10]
    assert item(issue).lead_time(second) == days(2)


@pytest.mark.parametrize(("later", "count"), [(timedelta(), 1), (timedelta(seconds=1), 2)])
def test_t13_exactly_fourteen_days_is_still_the_same_episode(later, count):
    reopened = at(2, 2) + days(14) + later
    issue = moved(at(1, 28), (at(1, 30), ACTIVE), (at(2, 2), DONE), (reopened, ACTIVE), (at(3, 4), DONE))

    assert len(item(issue).episodes) == count


def test_t14_flow_efficiency_leaves_out_waiting_and_blocked_time():
    issue = moved(
        at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), WAITING), (at(3, 7), ACTIVE), (at(3, 8), WAITING), (at(3, 9), DONE),
        changes=(
            FieldChange(at=at(3, 7, 6), field="flagged", after="Impediment"),
            FieldChange(at=at(3, 7, 18), field="flagged", before="Impediment"),
        ),
    )  # fmt: skip

    assert only(issue).cycle_time() == days(7)
    assert flow_efficiency(item(issue), only(issue)) == Fraction(5, 14)


def test_flow_efficiency_without_waiting_data_is_not_measurable():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE))

    assert flow_efficiency(item(issue), only(issue)) is None
    assert flow_efficiency(item(issue), only(issue), is_measurable=True) == 1


def test_t15_a_day_that_lost_an_hour_is_short():
    start, end = (datetime(2026, 3, day, 12, tzinfo=BERLIN).astimezone(UTC) for day in (28, 29))
    issue = moved(at(3, 1), (start, ACTIVE), (end, DONE))

    assert only(issue).cycle_time() == timedelta(hours=23)


def test_t16_the_zone_decides_the_month():
    finish = at(3, 31, 23, 30)

    months = [local_day(finish, ZoneInfo(name)).month for name in ("UTC", "America/New_York", "Europe/Berlin")]
    assert months == [3, 3, 4]


def test_t17_created_as_done_counts_as_throughput_without_cycle_time():
    issue = moved(at(3, 2), first=DONE)
    flow, episode = item(issue), only(issue)

    assert flow.lead_time(episode) == timedelta()
    assert episode.cycle_time() is None
    assert flow.why_no_cycle_time(episode) == "created as done"
    assert len(list(finished_between([flow], None, None))) == 1


def test_t18_an_event_before_creation_is_skew():
    issue = moved(at(3, 2), (at(3, 1, 23, 59, 58), ACTIVE), (at(3, 5), DONE))

    assert only(issue).reaction_time == timedelta()
    assert only(issue).cycle_time() == days(3)
    assert Flag.SKEW in item(issue).flags


def test_t19_dragged_across_the_board_was_never_started():
    issue = moved(at(3, 2), (at(3, 4), ACTIVE), (at(3, 4, 0, 0, 5), DONE))
    flow, episode = item(issue), only(issue)

    assert episode.cycle_time() is None
    assert flow.lead_time(episode) == days(2) + timedelta(seconds=5)
    assert flow.why_no_cycle_time(episode) == "started and finished within a minute"


@pytest.mark.parametrize(("seconds", "is_started"), [(60, False), (61, True)])
def test_the_shortest_cycle_is_more_than_a_minute(seconds, is_started):
    issue = moved(at(3, 2), (at(3, 4), ACTIVE), (at(3, 4) + timedelta(seconds=seconds), DONE))

    assert (only(issue).started_at is not None) is is_started


def test_t21_work_in_progress_is_throughput_times_cycle_time():
    spans = [(at(3, 1), at(3, 5)), (at(3, 2), at(3, 4)), (at(3, 3), at(3, 9))]
    found = items([moved(at(3, 1), (a, ACTIVE), (b, DONE), id=str(n)) for n, (a, b) in enumerate(spans)], NOW)

    wip = average_wip(in_progress(found), at(3, 1), at(3, 9))
    finished = [episode for _, episode in finished_between(found, at(3, 1), at(3, 10))]
    mean = sum((episode.cycle_time() for episode in finished), timedelta()) / 3

    assert wip == Fraction(3, 2)
    assert Fraction(len(finished), 8) == Fraction(375, 1000)
    assert mean == days(4)
    assert Fraction(3, 8) * 4 == wip
    assert wip_counts(in_progress(found), [at(3, 1), at(3, 3), at(3, 4), at(3, 9)]) == [1, 3, 2, 0]


def test_t22_on_time_is_measured_against_the_date_at_the_start():
    def due(id: str, *steps: tuple[datetime, StatusCategory], **rest: Any) -> Issue:
        return moved(at(3, 1), (at(3, 2), ACTIVE), *steps, id=id, **rest)

    day = date(2026, 3, 10)
    late = FieldChange(at=at(3, 5), field="due_on", before="2026-03-10", after="2026-03-15")
    found = items(
        [
            due("early", (at(3, 9), DONE), due_on=day),
            due("moved", (at(3, 14), DONE), due_on=date(2026, 3, 15), changes=(late,)),
            due("last minute", (datetime(2026, 3, 10, 23, 59, tzinfo=BERLIN).astimezone(UTC), DONE), due_on=day),
            due("open", due_on=day),
            due("cancelled", (at(3, 8), CANCELLED), due_on=day),
            due("undated", (at(3, 9), DONE)),
        ],
        at(3, 12),
    )

    result = on_time(found, at(3, 12), BERLIN)

    assert (result.on_time, result.due, result.moved) == (2, 4, 1)
    assert result.share == Fraction(1, 2)


def test_a_date_set_after_the_start_counts_when_it_is_the_first():
    set_late = FieldChange(at=at(3, 5), field="due_on", before=None, after="2026-03-15")
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), due_on=date(2026, 3, 15), changes=(set_late,))

    assert due_when_started(issue, at(3, 2)) == date(2026, 3, 15)


def test_open_items_that_are_not_due_yet_are_not_counted():
    found = items([moved(at(3, 1), (at(3, 2), ACTIVE), due_on=date(2026, 3, 12))], at(3, 12))

    assert on_time(found, at(3, 12, 18), ZONE).due == 0


def test_t23_the_finish_belongs_to_the_team_that_holds_it():
    change = FieldChange(at=at(3, 5), field="team", before="A", after="B")
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 9), DONE), team="B", changes=(change,))

    assert only(issue).cycle_time() == days(7)
    assert [team_of(issue, moment) for moment in (at(3, 3), at(3, 6), at(3, 9), None)] == ["A", "B", "B", "B"]
    assert handoffs(issue) == 1
    assert wip_at([item(issue)], at(3, 3))


def test_t24_without_started_statuses_a_pull_request_is_the_start():
    pull = Link(LinkKind.PULL_REQUEST, "https://github.com/o/r/pull/7", at(3, 6, 12))
    issue = moved(at(3, 2), (at(3, 8), DONE), first=BACKLOG, links=(pull,))
    flow, episode = item(issue), only(issue)

    assert flow.lead_time(episode) == days(6)
    assert episode.cycle_time() == days(1.5)
    assert episode.start_source is StartSource.PULL_REQUEST
    assert [episode.cycle_time(mode) for mode in Mode] == [days(1.5)] * 3


def test_t24_without_a_pull_request_nothing_is_guessed():
    issue = moved(at(3, 2), (at(3, 8), DONE), first=BACKLOG)

    assert only(issue).cycle_time() is None
    assert item(issue).why_no_cycle_time(only(issue)) == "finished without a known start"


def test_t24_closed_as_not_planned_is_in_no_distribution():
    issue = moved(at(3, 2), (at(3, 3), ACTIVE), (at(3, 8), CANCELLED))

    assert not list(item(issue).finished())
    assert item(issue).why_no_cycle_time(only(issue)) == "cancelled"


# -- where a start is known from -----------------------------------------------------------------------------------


def test_the_status_comes_before_the_label_and_the_label_before_the_pull_request():
    label = FieldChange(at=at(3, 4), field="labels", before="bug", after="bug, In Progress")
    pull = Link(LinkKind.PULL_REQUEST, "o/r#7", at(3, 3))
    closed = moved(at(3, 2), (at(3, 8), DONE), changes=(label,), links=(pull,))
    through = moved(at(3, 2), (at(3, 5), ACTIVE), (at(3, 8), DONE), changes=(label,), links=(pull,))
    labels = {"demo": ("in progress",)}

    assert only(closed, in_progress_labels=labels).start_source is StartSource.LABEL
    assert only(through, in_progress_labels=labels).start_source is StartSource.STATUS
    assert only(closed).start_source is StartSource.PULL_REQUEST


def test_a_label_that_merely_contains_the_words_is_no_start():
    label = FieldChange(at=at(3, 4), field="labels", after="not in progress yet")
    issue = moved(at(3, 2), (at(3, 8), DONE), changes=(label,))

    assert only(issue, in_progress_labels={"demo": ("in progress",)}).started_at is None


def test_an_assignment_is_a_start_only_when_asked_for():
    taken = FieldChange(at=at(3, 4), field="assignee", after="mia")
    issue = moved(at(3, 2), (at(3, 8), DONE), changes=(taken,))

    assert only(issue).started_at is None
    assert only(issue, assignment_is_start=True).start_source is StartSource.ASSIGNMENT


def test_a_pull_request_after_the_finish_is_no_start():
    pull = Link(LinkKind.PULL_REQUEST, "o/r#7", at(3, 9))

    assert only(moved(at(3, 2), (at(3, 8), DONE), links=(pull,))).started_at is None


def test_an_epic_starts_with_its_earliest_child():
    epic = moved(at(3, 1), (at(3, 20), ACTIVE), (at(3, 30), DONE), id="E", type=IssueType.EPIC)
    children = [moved(at(3, 2), (at(3, n), ACTIVE), id=str(n), parent="E") for n in (8, 5)]
    found = {each.issue.id: each for each in items([epic, *children], NOW)}

    (episode,) = found["E"].episodes
    assert (episode.started_at, episode.start_source) == (at(3, 5), StartSource.CHILD)
    assert episode.cycle_time() == days(25)


def test_an_initiative_starts_with_the_first_start_below_its_epics():
    initiative = moved(at(3, 1), id="I", type=IssueType.INITIATIVE)
    epic = moved(at(3, 1), id="E", key="D-E", type=IssueType.EPIC, parent="I")
    story = moved(at(3, 2), (at(3, 8), ACTIVE), id="S", parent="D-E")
    found = {each.issue.id: each for each in items([initiative, epic, story], NOW)}

    assert found["I"].episodes[0].started_at == at(3, 8)


# -- histories that are not whole ----------------------------------------------------------------------------------


def a_step(moment: datetime, before: tuple[str, StatusCategory], after: tuple[str, StatusCategory]) -> Transition:
    return Transition(at=moment, before=Status(*before[:1], before[0], before[1]), after=Status(after[0], *after))


def test_a_start_hidden_in_a_gap_is_unknown_not_guessed():
    steps = (
        a_step(at(3, 3), ("new", BACKLOG), ("ready", TODO)),
        a_step(at(3, 9), ("doing", ACTIVE), ("done", DONE)),
    )
    issue = an_issue(created_at=at(3, 1), transitions=steps, status=Status("done", "done", DONE))

    assert Flag.GAP in item(issue).flags
    assert only(issue).cycle_time() is None
    assert item(issue).why_no_cycle_time(only(issue)) == "start unknown: the history has a gap"
    assert only(issue).finished_at == at(3, 9)


def test_a_gap_after_the_start_leaves_elapsed_time_known_and_the_other_modes_unknown():
    steps = (
        a_step(at(3, 3), ("new", BACKLOG), ("doing", ACTIVE)),
        a_step(at(3, 9), ("review", WAITING), ("done", DONE)),
    )
    issue = an_issue(created_at=at(3, 1), transitions=steps, status=Status("done", "done", DONE))

    assert [only(issue).cycle_time(mode) for mode in Mode] == [days(6), None, None]


def test_a_gap_within_one_category_only_leaves_a_flag():
    steps = (
        a_step(at(3, 3), ("new", BACKLOG), ("in development", ACTIVE)),
        a_step(at(3, 9), ("in progress", ACTIVE), ("done", DONE)),
    )
    issue = an_issue(created_at=at(3, 1), transitions=steps, status=Status("done", "done", DONE))

    assert Flag.GAP in item(issue).flags
    assert [only(issue).cycle_time(mode) for mode in Mode] == [days(6)] * 3


def test_a_finish_that_the_history_does_not_show_is_unknown():
    issue = moved(at(3, 1), (at(3, 3), ACTIVE), category=DONE)

    assert only(issue).finished_at is None
    assert item(issue).why_no_cycle_time(only(issue)) == "finish unknown: the history has a gap"


def test_a_truncated_history_does_not_show_the_first_start():
    issue = moved(at(3, 1), (at(3, 3), ACTIVE), (at(3, 5), DONE), history_is_complete=False)

    assert only(issue).started_at is None
    assert only(issue).finished_at == at(3, 5)


def test_an_export_without_history_is_not_created_as_done():
    issue = an_issue(created_at=at(3, 1), category=DONE, history_is_complete=False)

    assert item(issue).why_no_cycle_time(only(issue)) == "finish unknown: the history has a gap"


def test_an_unmapped_status_keeps_an_item_out_of_the_figures_and_says_which():
    issue = moved(at(3, 1), (at(3, 2), UNKNOWN), (at(3, 5), DONE))

    assert item(issue).why_outside == "status 'unknown' has no category"
    assert not list(item(issue).finished())


def test_events_after_now_are_moved_to_now():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 9), DONE))
    flow = item(issue, now=at(3, 5))

    assert flow.episodes[0].finished_at == at(3, 5)
    assert Flag.SKEW in flow.flags


def test_changes_of_one_instant_keep_the_trackers_order():
    moment = at(3, 3)
    steps = (
        a_transition(moment, ACTIVE, WAITING, sequence=2),
        a_transition(moment, TODO, ACTIVE, sequence=1),
    )
    issue = an_issue(created_at=at(3, 1), category=WAITING, transitions=steps)

    assert [span.category for span in timeline(issue, NOW).spans] == [TODO, ACTIVE, WAITING]
    assert Flag.GAP not in item(issue).flags


def test_replayed_changes_are_no_gap():
    step = a_transition(at(3, 3), TODO, ACTIVE)
    issue = an_issue(created_at=at(3, 1), category=ACTIVE, transitions=(step, step))

    assert item(issue).flags == frozenset()


def test_spans_touch_each_other():
    issue = moved(at(3, 2), (at(3, 3), ACTIVE), (at(3, 5), TODO), (at(3, 12), ACTIVE), (at(3, 14), DONE))
    spans = timeline(issue, NOW).spans

    assert spans[0].enter == at(3, 2)
    assert [span.exit for span in spans[:-1]] == [span.enter for span in spans[1:]]
    assert spans[-1].exit is None


# -- closing again and again ---------------------------------------------------------------------------------------


def test_done_after_done_keeps_the_first_finish():
    steps = (
        a_step(at(3, 2), ("new", BACKLOG), ("doing", ACTIVE)),
        a_step(at(3, 4), ("doing", ACTIVE), ("resolved", DONE)),
        a_step(at(4, 4), ("resolved", DONE), ("closed", DONE)),
    )
    issue = an_issue(created_at=at(3, 1), transitions=steps, status=Status("closed", "closed", DONE))

    assert only(issue).finished_at == at(3, 4)


def test_a_slip_of_the_hand_is_neither_a_reopening_nor_rework():
    soon = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE), (at(3, 4, 0, 2), ACTIVE), (at(3, 6), DONE))
    late = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE), (at(5, 4), ACTIVE), (at(5, 4, 0, 2), DONE))

    assert reopenings(timeline(soon, NOW)) == ()
    assert only(soon).cycle_time() == days(4)
    assert reopenings(timeline(late, NOW)) == ()
    assert only(late).finished_at == at(3, 4)


def test_a_reopened_item_has_an_age_from_its_first_start():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE), (at(3, 6), ACTIVE))

    assert item(issue, now=at(3, 10)).age(at(3, 10)) == days(8)


def test_a_paused_item_has_no_age_and_is_no_work_in_progress():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), TODO))

    assert item(issue).age(NOW) is None
    assert not item(issue).is_in_progress


def test_a_deleted_item_stays_in_past_figures_and_is_not_ageing():
    done = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE), presence=Presence.DELETED, updated_at=at(3, 4))
    started = moved(at(3, 1), (at(3, 2), ACTIVE), presence=Presence.DELETED, updated_at=at(3, 7))

    assert only(done).cycle_time() == days(2)
    assert item(started).age(NOW) is None
    assert wip_at([item(started)], at(3, 5))
    assert not wip_at([item(started)], at(3, 8))


# -- what only many issues show ------------------------------------------------------------------------------------


def test_imports_have_no_lead_time():
    issues = [
        moved(at(3, 1) + timedelta(seconds=n), (at(3, 2), ACTIVE), (at(3, 4), DONE), id=str(n), reporter="importer")
        for n in range(50)
    ]

    assert all(Flag.IMPORTED in each.flags and each.lead_time(each.episodes[0]) is None for each in items(issues, NOW))
    assert all(each.lead_time(each.episodes[0]) is not None for each in items(issues[1:], NOW))


def test_twenty_closes_in_five_minutes_are_flagged():
    def closed(count: int) -> list[Issue]:
        step = a_transition(at(3, 4), ACTIVE, DONE, actor="mia")
        return [an_issue(id=str(n), category=DONE, created_at=at(3, 1), transitions=(step,)) for n in range(count)]

    assert all(Flag.BULK_CLOSED in each.flags for each in items(closed(20), NOW))
    assert not any(Flag.BULK_CLOSED in each.flags for each in items(closed(19), NOW))


def test_a_mirror_counts_once_in_the_system_of_record():
    ours = moved(at(3, 1), id="1", source="jira", key="PAY-1", links=(Link(LinkKind.MIRRORS, "https://github.test/7"),))
    theirs = moved(at(3, 2), id="7", source="github", key="r#7", url="https://github.test/7",
                   links=(Link(LinkKind.MIRRORS, "PAY-1"),))  # fmt: skip

    by_age = {each.issue.key: each.why_outside for each in items([ours, theirs], NOW)}
    by_record = {
        each.issue.key: each.why_outside for each in items([ours, theirs], NOW, FlowOptions(records=("github",)))
    }
    assert by_age == {"PAY-1": None, "r#7": "mirror of PAY-1"}
    assert by_record == {"PAY-1": "mirror of r#7", "r#7": None}


def test_subtasks_are_in_no_figure():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE), type=IssueType.SUBTASK)

    assert item(issue).why_outside == "subtask"


def test_time_in_status_begins_with_the_start():
    issue = moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 5), WAITING), (at(3, 6), ACTIVE), (at(3, 7), DONE))

    assert time_in_status(only(issue)) == {("active", "active"): days(4), ("waiting", "waiting"): days(1)}


def test_the_cumulative_flow_counts_every_item_once_a_day():
    found = items([moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, 4), DONE)), moved(at(3, 3), id="2")], NOW)

    bands = cumulative_flow(found, [at(2, 28), at(3, 1), at(3, 2), at(3, 3), at(3, 4)])
    assert bands["to do"] == [0, 1, 0, 1, 1]
    assert bands["active"] == [0, 0, 1, 1, 0]
    assert bands["done"] == [0, 0, 0, 0, 1]


def test_the_bug_rate_is_bugs_created_for_each_item_finished():
    bugs = [moved(at(3, n), id=f"b{n}", type=IssueType.BUG) for n in (1, 2, 9)]
    stories = [moved(at(3, 1), (at(3, 2), ACTIVE), (at(3, n), DONE), id=f"s{n}") for n in (4, 5, 6, 20)]

    assert bug_rate(items([*bugs, *stories], NOW), at(3, 1), at(3, 8)) == Fraction(2, 3)


def test_sprint_predictability_is_what_was_committed_and_finished():
    sprint = Sprint(id="s", name="Sprint 1", starts_at=at(3, 2), ends_at=at(3, 16))

    def member(id: str, added: datetime, finish: datetime | None) -> Issue:
        steps = [(at(3, 3), ACTIVE)] + ([(finish, DONE)] if finish else [])
        return moved(at(3, 1), *steps, id=id, sprints=(SprintMembership(sprint=sprint, added_at=added),))

    found = items(
        [
            member("in time", at(3, 1), at(3, 10)),
            member("too late", at(3, 1), at(3, 20)),
            member("open", at(3, 1), None),
            member("added later", at(3, 5), at(3, 10)),
        ],
        NOW,
    )
    assert sprint_predictability(found, sprint) == Fraction(1, 3)


def test_weeks_begin_on_monday():
    assert iso_week(date(2026, 3, 8)) == date(2026, 3, 2)


# -- expectations and the cycle-time score -------------------------------------------------------------------------


def finished(count: int, *, team: str = "pay", first: int = 1, **rest: Any) -> list[Issue]:
    """Stories that took 1, 2, 3 ... days and finished one hour apart."""
    made = []
    for n in range(first, first + count):
        finish = at(5, 20) + timedelta(hours=n)
        steps = (finish - days(n), ACTIVE), (finish, DONE)
        made.append(moved(at(2, 1), *steps, id=f"{team}{n}", team=team, **rest))
    return made


def test_the_expectation_is_of_the_same_team_and_type():
    open_story = moved(at(5, 1), (at(5, 2), ACTIVE), id="open", team="pay")

    level = service_levels([*finished(20), open_story], NOW)["demo", "open"]

    assert (level.days, level.sample, level.scope, level.kind) == (17.0, 20, "team", "stories")


def test_with_too_few_of_the_type_the_team_is_asked_and_then_the_organisation():
    bug = moved(at(5, 1), (at(5, 2), ACTIVE), id="open", team="pay", type=IssueType.BUG)
    stranger = moved(at(5, 1), (at(5, 2), ACTIVE), id="stranger", team="web")

    levels = service_levels([*finished(20), bug, stranger], NOW)

    assert (levels["demo", "open"].scope, levels["demo", "open"].kind) == ("team", "items")
    assert levels["demo", "stranger"].scope == "organisation"


def test_nineteen_items_are_no_expectation():
    open_story = moved(at(5, 1), (at(5, 2), ACTIVE), id="open", team="pay")
    issues = [*finished(19), open_story]

    assert ("demo", "open") not in service_levels(issues, NOW)
    assert standings(items(issues, NOW), NOW)[("demo", "open"), 1].rank == "19 of 20 items needed"


def test_a_finished_item_is_measured_without_itself_by_what_was_in_force():
    issues = finished(21)

    found = standings(items(issues, NOW), NOW)

    assert found[("demo", "pay20"), 1].level is None  # only 19 others were finished by then
    last = found[("demo", "pay21"), 1]
    assert last.level is not None
    assert (last.level.days, last.level.sample) == (17.0, 20)
    assert last.rank == "slower than 100 % of 20"


def test_what_finished_more_than_ninety_days_ago_is_forgotten():
    open_story = moved(at(5, 1), (at(5, 2), ACTIVE), id="open", team="pay")

    assert service_levels([*finished(20), open_story], at(5, 20) + days(90))["demo", "open"].sample == 20
    assert (
        service_levels(
            [*finished(20), open_story],
            at(5, 20)
            + days(
                91,
            )
            + timedelta(hours=2),
        )
        == {}
    )


def test_the_expectation_survives_the_way_through_days():
    for span in (
        timedelta(seconds=1),
        timedelta(seconds=86_399, microseconds=1),
        timedelta(days=4_321, microseconds=7),
    ):
        assert ServiceLevel(span / days(1), 20, "team").duration == span


@pytest.mark.parametrize(("spent", "score"), [(4, 100), (6, 75), (8, 50), (10, 37), (12, 25), (16, 0), (40, 0)])
def test_the_score_falls_from_half_the_expectation_to_twice(spent, score):
    assert cycle_score(days(spent), days(8)) == score


def test_the_score_is_exact():
    assert cycle_score(timedelta(microseconds=4), timedelta(microseconds=3)) == 33
    assert cycle_score(timedelta(days=1, microseconds=1), timedelta(days=2)) == 99
