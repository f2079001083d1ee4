"""Planning write-backs: what is wanted, what is held back and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backlint.examples import a_comment, an_issue
from backlint.model import Comment, Issue, Judgement, Presence, Severity, Verdict
from backlint.settings import WriteBackSettings
from backlint.sync import comment as managed
from backlint.sync.plan import Candidate, ChangeKind, Override, Plan, Spent, Written, asked_before, plan, quiet_until

NOON = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)  # a Wednesday
LABELS = {
    "AC001": "needs-acceptance-criteria",
    "OWN001": "needs-owner",
    "OUT001": "needs-outcome",
    "EST001": "needs-estimate",
}
ON = WriteBackSettings(mode="labels+comment")


def failing(*rules: str, severity: Severity = Severity.ERROR) -> tuple[Judgement, ...]:
    return tuple(
        Judgement(
            rule=rule, source="demo", issue="1", verdict=Verdict.FAIL, severity=severity,
            message=f"{rule} is missing.", question=f"What about {rule}?",
        )
        for rule in rules
    )  # fmt: skip


def candidate(issue: Issue | None = None, *rules: str, **rest: Any) -> Candidate:
    failures = rest.pop("failures", failing(*rules))
    return Candidate(issue=issue or an_issue(), failures=failures, asked=failures[:3], labels=LABELS, **rest)


def planned(*candidates: Candidate, settings: WriteBackSettings = ON, now: datetime = NOON, **rest: Any) -> Plan:
    sizes = rest.pop("project_sizes", {("demo", "DEMO"): 1000})
    return plan(candidates, settings, id="plan-1", now=now, zone=ZoneInfo("UTC"), project_sizes=sizes, **rest)


def added(label: str, *because: str, at: datetime = NOON - timedelta(days=2)) -> Written:
    return Written(kind=ChangeKind.ADD_LABEL, at=at, because=because, label=label)


def put(body: str, *because: str, at: datetime = NOON - timedelta(days=30), digest: str | None = None) -> Written:
    return Written(kind=ChangeKind.PUT_COMMENT, at=at, because=because, body=body, comment="c9", digest=digest)


def own(body: str) -> Comment:
    return a_comment(body, id="c9", author="bot", is_bot=True, is_own=True)


def labels(result: Plan) -> list[tuple[ChangeKind, str | None]]:
    return [(change.kind, change.label) for change in result.changes if change.kind.is_label]


def comments(result: Plan) -> list[str | None]:
    return [change.body for change in result.changes if not change.kind.is_label]


def test_nothing_is_planned_while_write_back_is_off() -> None:
    assert planned(candidate(None, "AC001"), settings=WriteBackSettings()) == Plan(id="plan-1")


def test_a_clean_issue_gets_neither_label_nor_comment() -> None:
    assert planned(candidate()).changes == ()


def test_findings_label_and_ask() -> None:
    result = planned(candidate(None, "AC001", "OWN001"))

    assert labels(result) == [
        (ChangeKind.ADD_LABEL, "hygiene:needs-acceptance-criteria"),
        (ChangeKind.ADD_LABEL, "hygiene:needs-owner"),
    ]
    (body,) = comments(result)
    assert body is not None
    assert "Two questions" in body
    assert [change.because for change in result.changes] == [("AC001",), ("OWN001",), ("AC001", "OWN001")]


def test_labels_alone_leave_comments_out() -> None:
    assert comments(planned(candidate(None, "AC001"), settings=replace_mode("labels"))) == []


def test_findings_of_severity_info_never_label() -> None:
    quiet = candidate(failures=failing("AC001", severity=Severity.INFO))

    assert labels(planned(replace(quiet, asked=()))) == []


def test_a_label_stays_while_its_finding_is_open_however_far_the_issue_has_moved_down() -> None:
    labelled = an_issue(labels=frozenset({"hygiene:needs-outcome"}))
    log = (added("hygiene:needs-outcome", "OUT001"),)

    still_open = candidate(labelled, failures=failing("OUT001", severity=Severity.INFO), written=log)
    another = candidate(labelled, failures=failing("OUT002", severity=Severity.INFO), written=log)
    another = replace(another, labels={"OUT002": "needs-outcome"})

    assert labels(planned(replace(still_open, asked=()))) == []
    assert labels(planned(replace(another, asked=()))) == [(ChangeKind.REMOVE_LABEL, "hygiene:needs-outcome")]


def test_a_rule_that_is_quiet_sets_no_label_and_keeps_the_one_it_set() -> None:
    fresh = candidate(None, "OWN001", quiet=frozenset({"OWN001"}))
    labelled = an_issue(labels=frozenset({"hygiene:needs-owner"}))
    standing = replace(fresh, issue=labelled, written=(added("hygiene:needs-owner", "OWN001"),))

    assert labels(planned(fresh)) == []
    assert labels(planned(standing)) == []


def test_what_a_comment_asks_is_known_while_it_stands() -> None:
    asking = put("One question ...", "AC001")
    commented = an_issue(comments=(own("One question ..."),))

    assert asked_before(commented, (added("x", "OWN001"), asking)) == ("AC001",)
    assert asked_before(an_issue(), (asking,)) == ()
    assert asked_before(commented, (put(managed.NOTHING_LEFT, "AC001"),)) == ()


def test_at_most_three_labels_are_set_on_an_issue() -> None:
    result = planned(candidate(None, "AC001", "OWN001", "OUT001", "EST001"))

    assert [label for _, label in labels(result)] == [
        "hygiene:needs-acceptance-criteria",
        "hygiene:needs-outcome",
        "hygiene:needs-owner",
    ]


def test_after_applying_the_second_plan_is_empty() -> None:
    first = planned(candidate(None, "AC001", "OWN001"))
    body = next(body for body in comments(first) if body)
    issue = an_issue(labels=frozenset(c.label for c in first.changes if c.label), comments=(own(body),))
    log = (
        *(added(c.label, *c.because) for c in first.changes if c.label),
        put(body, "AC001", "OWN001", digest=managed.digest(own(body))),
    )

    second = planned(candidate(issue, "AC001", "OWN001", written=log))

    assert (second.changes, second.held_back) == ((), ())


def test_a_label_is_removed_when_its_finding_is_fixed() -> None:
    issue = an_issue(labels=frozenset({"hygiene:needs-owner"}))

    result = planned(candidate(issue, written=(added("hygiene:needs-owner", "OWN001"),)))

    assert labels(result) == [(ChangeKind.REMOVE_LABEL, "hygiene:needs-owner")]


def test_a_label_that_a_person_added_is_never_removed() -> None:
    issue = an_issue(labels=frozenset({"hygiene:needs-owner", "frontend"}))

    assert planned(candidate(issue)).changes == ()


def test_a_label_that_the_tracker_writes_in_capitals_is_the_same_label() -> None:
    issue = an_issue(labels=frozenset({"Hygiene:Needs-Owner"}))
    ours = (added("hygiene:needs-owner", "OWN001"),)

    assert labels(planned(candidate(issue, "OWN001"))) == []  # a person's: nothing is set beside it
    assert labels(planned(candidate(issue))) == []
    assert labels(planned(candidate(issue, "OWN001", written=ours))) == []
    assert labels(planned(candidate(issue, written=ours))) == [(ChangeKind.REMOVE_LABEL, "Hygiene:Needs-Owner")]


def test_a_label_that_a_person_removed_is_not_added_again() -> None:
    override = Override("hygiene:needs-owner", ("OWN001",), NOON - timedelta(days=1))

    result = planned(candidate(None, "OWN001", overrides=(override,)), settings=replace_mode("labels"))

    assert result.changes == ()
    assert [held.why for held in result.held_back] == ["a person removed it"]


def test_an_override_ends_when_the_finding_went_and_came_back() -> None:
    override = Override("hygiene:needs-owner", ("OWN001",), NOON - timedelta(days=5))
    again = {"OWN001": NOON - timedelta(days=1)}

    result = planned(candidate(None, "OWN001", overrides=(override,), opened_at=again), settings=replace_mode("labels"))

    assert labels(result) == [(ChangeKind.ADD_LABEL, "hygiene:needs-owner")]


def test_an_override_ends_after_half_a_year() -> None:
    override = Override("hygiene:needs-owner", ("OWN001",), NOON - timedelta(days=180))

    assert len(planned(candidate(None, "OWN001", overrides=(override,)), settings=replace_mode("labels")).changes) == 1


def test_the_comment_shrinks_to_one_line_when_everything_is_answered() -> None:
    body = "One question on this issue: ..."
    issue = an_issue(comments=(own(body),))

    result = planned(candidate(issue, written=(put(body, "AC001"),)))

    assert comments(result) == [managed.NOTHING_LEFT]


def test_a_deleted_comment_is_not_posted_again_for_what_it_had_asked() -> None:
    asked_before = candidate(None, "AC001", written=(put("...", "AC001"),))
    with_news = candidate(None, "AC001", "OUT001", written=(put("...", "AC001"),))

    assert comments(planned(asked_before)) == []
    (body,) = comments(planned(with_news))
    assert body is not None
    assert "OUT001" in body
    assert "AC001" not in body


def test_a_comment_that_a_person_edited_is_left_alone() -> None:
    issue = an_issue(comments=(own("A person wrote this over it"),))

    result = planned(candidate(issue, "AC001", written=(put("...", "AC001", digest="another"),)))

    assert comments(result) == []
    assert "a person took the comment away or edited it" in {held.why for held in result.held_back}


def test_a_comment_changes_at_most_once_a_week() -> None:
    body = "One question on this issue: ..."
    issue = an_issue(comments=(own(body),))
    last = put(body, "AC001", at=NOON - timedelta(days=3), digest=managed.digest(own(body)))

    result = planned(candidate(issue, "AC001", "OUT001", written=(last,)))

    assert comments(result) == []
    assert "the comment changed less than 7 days ago" in {held.why for held in result.held_back}


def test_nothing_is_written_right_after_a_person_edited() -> None:
    issue = an_issue(comments=(a_comment("just now", NOON - timedelta(minutes=5)),))

    result = planned(candidate(issue, "AC001"))

    assert result.changes == ()
    assert {held.why for held in result.held_back} == {"edited less than 15 minutes ago"}


def test_comments_wait_in_quiet_hours_and_labels_go_on() -> None:
    result = planned(candidate(None, "AC001"), now=NOON.replace(hour=22))

    assert len(labels(result)) == 1
    assert [held.why for held in result.held_back] == ["quiet hours until Thu 08:00"]


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-03-11 12:00", None),
        ("2026-03-11 18:00", "2026-03-12 08:00"),
        ("2026-03-11 07:59", "2026-03-11 08:00"),
        ("2026-03-11 08:00", None),
        ("2026-03-13 19:00", "2026-03-16 08:00"),  # Friday evening to Monday
        ("2026-03-14 12:00", "2026-03-16 08:00"),  # Saturday noon
        ("2026-03-29 01:30", "2026-03-30 08:00"),  # the night the clocks change
    ],
)
def test_quiet_time_covers_nights_and_weekends(moment: str, ends: str | None) -> None:
    berlin = ZoneInfo("Europe/Berlin")

    found = quiet_until(ON, datetime.fromisoformat(moment).replace(tzinfo=berlin))

    assert (found.strftime("%Y-%m-%d %H:%M") if found else None) == ends


@pytest.mark.parametrize(
    ("issue", "why"),
    [
        (an_issue(is_locked=True), "locked"),
        (an_issue(is_archived=True), "archived"),
        (an_issue(labels=frozenset({"Hygiene:Skip"})), "labelled hygiene:skip"),
    ],
)
def test_excluded_issues_are_skipped_with_the_reason(issue: Issue, why: str) -> None:
    result = planned(candidate(issue, "AC001"))

    assert result.changes == ()
    assert {held.why for held in result.held_back} == {why}


def test_nothing_is_wanted_of_an_issue_that_is_gone() -> None:
    gone = an_issue(presence=Presence.DELETED, labels=frozenset({"hygiene:needs-owner"}))

    result = planned(candidate(gone, "AC001", written=(added("hygiene:needs-owner", "OWN001"),)))

    assert (result.changes, result.held_back) == ((), ())


def many(count: int, *rules: str) -> list[Candidate]:
    return [candidate(an_issue(id=str(n)), *rules) for n in range(count)]


def test_a_run_that_touches_too_much_of_a_project_writes_nothing_there() -> None:
    result = planned(*many(30, "AC001"), project_sizes={("demo", "DEMO"): 100})

    assert result.changes == ()
    (alarm,) = result.alarms
    assert "30 of 100 issues" in alarm


def test_a_small_project_may_be_touched_whole() -> None:
    result = planned(*many(20, "AC001"), project_sizes={("demo", "DEMO"): 20})

    assert result.alarms == ()
    assert len(result.changes) == 40


def test_caps_hold_back_what_is_over_them() -> None:
    result = planned(*many(150, "AC001"))

    kinds = [change.kind for change in result.changes]
    assert (kinds.count(ChangeKind.ADD_LABEL), kinds.count(ChangeKind.PUT_COMMENT)) == (100, 20)
    assert len(result.held_back) == 50 + 130


def test_an_owner_gets_at_most_five_comments_a_day() -> None:
    owned = [replace(each, issue=replace(each.issue, assignees=("mia",))) for each in many(8, "AC001")]

    result = planned(*owned, comments_today={("demo", "mia"): 2})

    assert len(comments(result)) == 3
    assert {held.why for held in result.held_back} == {"cap of 5 comments an owner and day"}


MIDNIGHT = NOON.replace(hour=0) + timedelta(days=1)
HERE = ("demo", "DEMO")


def test_what_webhooks_wrote_today_counts_against_the_caps_until_midnight() -> None:
    spent = Spent(labels={HERE: 98}, comments={HERE: 19}, until=MIDNIGHT)

    result = planned(*many(4, "AC001"), spent=spent)

    assert (len(labels(result)), len(comments(result))) == (2, 1)
    assert {(held.why, held.until) for held in result.held_back} == {
        ("cap of 100 label changes a project and day", MIDNIGHT),
        ("cap of 20 comments a project and day", MIDNIGHT),
    }


def test_webhooks_that_touch_too_much_of_a_project_in_a_day_are_stopped_for_the_day() -> None:
    touched = frozenset(str(number) for number in range(100, 124))

    calm = planned(
        candidate(an_issue(id="101"), "AC001"), project_sizes={HERE: 100}, spent=Spent(issues={HERE: touched})
    )
    result = planned(*many(2, "AC001"), project_sizes={HERE: 100}, spent=Spent(issues={HERE: touched}, until=MIDNIGHT))

    assert (len(calm.changes), calm.alarms) == (2, ())
    assert result.changes == ()
    assert {held.until for held in result.held_back} == {MIDNIGHT}
    assert "26 of 100 issues" in result.alarms[0]
    assert "before Thu 00:00" in result.alarms[0]


def test_what_is_held_back_says_until_when() -> None:
    night = NOON.replace(hour=22)
    edited = an_issue(created_at=NOON - timedelta(minutes=5))

    at_night = planned(candidate(None, "AC001"), now=night).held_back
    just_edited = planned(candidate(edited, "AC001")).held_back

    assert {held.until for held in at_night} == {NOON.replace(hour=8) + timedelta(days=1)}
    assert {held.until for held in just_edited} == {NOON + timedelta(minutes=10)}


def replace_mode(mode: str) -> WriteBackSettings:
    return WriteBackSettings.model_validate({"mode": mode})
