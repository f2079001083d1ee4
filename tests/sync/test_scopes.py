"""Findings on teams, sprints and projects: recorded with a life, paid for by the team's score, shown in reports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from backlint.connectors.contract import Reference
from backlint.examples import an_issue
from backlint.model import Issue, Sprint, SprintMembership, StatusCategory, Verdict
from backlint.settings import Settings
from backlint.sync.audit import new_id
from backlint.sync.check import CheckResult, check_issues, check_store, chosen_rules, to_json
from backlint.sync.findings import Finding, fixed_at
from backlint.sync.pull import pull
from backlint.sync.scoring import score_groups
from tests.sync.memory_tracker import MemoryTracker, statuses_as

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
ACTIVE, DONE = statuses_as(StatusCategory.ACTIVE), statuses_as(StatusCategory.DONE)


def settings(**given: object) -> Settings:
    values = {
        "write_back": {"first_run": "write"},
        "check": {"profile": "full"},
        "rules": {"FLO003": {"caps": {"DEMO": 2}}, "PLN001": {"capacity": {"DEMO": 3}}},
    }
    return Settings.model_validate({**values, **given})


def at_work(count: int) -> list[Issue]:
    return [an_issue(id=str(n), status=ACTIVE, assignees=("mia",)) for n in range(1, count + 1)]


def checked(engine: sa.Engine, tracker: MemoryTracker, *, hours: int = 0, using: Settings | None = None) -> CheckResult:
    pull(engine, [tracker], now=NOW + timedelta(hours=hours))
    return check_store(engine, using or settings(), run=new_id("check"), now=NOW + timedelta(hours=hours))


def of_rule(result: CheckResult, code: str) -> list[Finding]:
    return [finding for finding in result.scope_findings() if finding.judgement.rule == code]


def test_a_finding_on_a_team_is_opened_once_fixed_and_opened_again(engine: sa.Engine) -> None:
    tracker = MemoryTracker(at_work(3))
    first, second = (of_rule(checked(engine, tracker, hours=hours), "FLO003") for hours in (0, 1))
    tracker.edit("3", status=DONE)
    third = of_rule(checked(engine, tracker, hours=2), "FLO003")
    tracker.edit("3", status=ACTIVE)
    (fourth,) = of_rule(checked(engine, tracker, hours=3), "FLO003")

    assert [[finding.is_new for finding in found] for found in (first, second, third)] == [[True], [False], []]
    assert (fourth.is_new, fourth.times_opened) == (True, 2)


def test_the_baseline_of_a_new_source_holds_findings_on_teams(engine: sa.Engine) -> None:
    quiet = settings(write_back={"first_run": "baseline"})
    tracker = MemoryTracker(at_work(3))

    (first,) = of_rule(checked(engine, tracker, using=quiet), "FLO003")
    (second,) = of_rule(checked(engine, tracker, hours=1, using=quiet), "FLO003")

    assert (first.is_baseline, second.is_baseline) == (True, True)


def test_the_finding_on_a_sprint_that_is_over_is_over(engine: sa.Engine) -> None:
    running = Sprint(id="4", name="Sprint 4", state="active", starts_at=NOW, ends_at=NOW + timedelta(days=14))
    tracker = MemoryTracker([an_issue(estimate=5.0, sprints=(SprintMembership(sprint=running),))])
    opened = of_rule(checked(engine, tracker), "PLN001")
    tracker.edit("1", sprints=())

    result = checked(engine, tracker, hours=1)

    assert [finding.judgement.message for finding in opened] == ["5 points planned, capacity 3."]
    assert of_rule(result, "PLN001") == []
    assert result.recorded.fixed >= 1
    with engine.connect() as connection:
        state = connection.execute(sa.text("select state from findings where rule = 'PLN001'")).scalar_one()
    assert state == "fixed"


def test_what_a_check_found_fixed_can_be_listed_and_is_as_much_as_it_counted(engine: sa.Engine) -> None:
    running = Sprint(id="4", name="Sprint 4", state="active", starts_at=NOW, ends_at=NOW + timedelta(days=14))
    tracker = MemoryTracker([an_issue(estimate=5.0, sprints=(SprintMembership(sprint=running),))])
    checked(engine, tracker)
    tracker.edit("1", sprints=())

    result = checked(engine, tracker, hours=1)

    with engine.connect() as connection:
        fixed = fixed_at(connection, result.as_of)
    assert len(fixed) == result.recorded.fixed
    assert "PLN001" in {rule for _, _, rule, _ in fixed}


class WithoutBoards(MemoryTracker):
    """A tracker whose boards may not be read: sprints are known from issues alone."""

    def reference(self) -> Reference:
        return replace(super().reference(), sprints=())


def test_sprints_that_no_board_lists_are_known_from_their_issues(engine: sa.Engine) -> None:
    def running(state: str) -> tuple[SprintMembership, ...]:
        sprint = Sprint(id="4", name="Sprint 4", state=state, starts_at=NOW, ends_at=NOW + timedelta(days=14))
        return (SprintMembership(sprint=sprint),)

    tracker = WithoutBoards([an_issue(estimate=5.0, sprints=running("active")), an_issue(id="2")])
    first = of_rule(checked(engine, tracker), "PLN001")
    tracker.edit("2", sprints=running("closed"))
    second = of_rule(checked(engine, tracker, hours=1), "PLN001")

    assert [finding.judgement.issue for finding in first] == ["sprint:4"]
    assert second == []


def test_a_check_of_one_project_leaves_the_others_scopes_alone(engine: sa.Engine) -> None:
    shop = an_issue(id="9", project="SHOP", key="SHOP-9", status=ACTIVE, assignees=("mia",))
    both = settings(rules={"FLO003": {"caps": {"DEMO": 1, "SHOP": 0}}})
    checked(engine, MemoryTracker([*at_work(2), shop]), using=both)

    narrow = check_store(engine, both, run=new_id("check"), now=NOW + timedelta(hours=1), scope="SHOP")
    whole = check_store(engine, both, run=new_id("check"), now=NOW + timedelta(hours=2))

    assert [finding.judgement.issue for finding in of_rule(narrow, "FLO003")] == ["team:SHOP"]
    assert [finding.is_new for finding in of_rule(whole, "FLO003")] == [False, False]


def test_a_team_whose_pull_did_not_finish_cannot_be_judged(engine: sa.Engine) -> None:
    tracker = MemoryTracker(at_work(3))
    checked(engine, tracker)
    tracker.down_after_pages = 0
    tracker.edit("1", assignees=("mia", "ben"))

    result = checked(engine, tracker, hours=1)

    verdicts = {each.verdict for each in result.scopes.public if each.rule == "FLO003"}
    assert result.cannot_say
    assert verdicts == {Verdict.UNKNOWN}
    assert of_rule(result, "FLO003") == []
    assert result.recorded.fixed == 0


def test_the_teams_score_pays_for_its_scopes_and_no_issue_does() -> None:
    free = settings(rules={})
    with_cap, without = (
        check_issues(at_work(3), each, now=NOW, rules=chosen_rules(each)) for each in (settings(), free)
    )

    paid, unpaid = (score_groups(result).teams["DEMO"] for result in (with_cap, without))
    assert paid.deducted - unpaid.deducted == 5
    assert paid.before_deductions == unpaid.before_deductions
    assert [each.score for each in with_cap.checked] == [each.score for each in without.checked]


def test_what_is_about_a_person_is_in_no_output_and_no_score(engine: sa.Engine) -> None:
    result = checked(engine, MemoryTracker(at_work(5)))

    assert [each.rule for each in result.scopes.private if each.verdict is Verdict.FAIL] == ["OWN004"]
    assert "OWN004" not in json.dumps(to_json(result, all_verdicts=True))
    with engine.connect() as connection:
        assert not connection.execute(sa.text("select count(*) from findings where rule = 'OWN004'")).scalar_one()


def test_what_is_about_a_person_is_shown_to_those_who_ask_for_nothing_else() -> None:
    result = check_issues(at_work(5), settings(), now=NOW, rules=chosen_rules(settings(), only=["OWN004"]))

    assert [finding.judgement.issue for finding in result.scope_findings()] == ["person:mia"]


def test_programs_read_what_a_finding_is_about() -> None:
    result = check_issues(at_work(3), settings(), now=NOW, rules=chosen_rules(settings()))

    found = next(each for each in to_json(result)["scope_findings"] if each["rule"] == "FLO003")

    assert found["about"] == {"kind": "team", "id": "DEMO", "name": "DEMO", "team": "DEMO"}
    assert found["message"] == "3 items in progress, cap 2."
    assert result.worst() is not None


def test_rules_outside_the_profile_say_what_they_would_find_of_scopes() -> None:
    starter = settings(check={"profile": "starter"})
    everybody = [an_issue(id=str(n), priority=1, status=ACTIVE) for n in range(1, 13)]

    result = check_issues(everybody, starter, now=NOW, rules=chosen_rules(starter))

    assert result.would_find["PRI001"] == 1
    assert [finding.judgement.rule for finding in result.scope_findings()] == []


def test_a_new_ticket_is_no_reason_to_judge_teams() -> None:
    result = check_issues(at_work(3), settings(), now=NOW, rules=chosen_rules(settings()), as_new=True)

    assert result.scopes.public == ()
