"""Checking what is stored: findings with a life, silence of the baseline, and the shape that programs read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from backlint.errors import InputError
from backlint.examples import an_issue
from backlint.model import IssueType, Presence, Severity, Status, StatusCategory
from backlint.rules.rule import ScopeRule
from backlint.settings import Settings
from backlint.sync.audit import new_id
from backlint.sync.check import CheckResult, check_issues, check_store, chosen_rules, load_backlog, to_json
from backlint.sync.database import reading
from backlint.sync.findings import history
from backlint.sync.pull import pull
from backlint.sync.scoring import score_groups
from tests.sync.memory_tracker import MemoryTracker, statuses_as

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
ACTIVE = statuses_as(StatusCategory.ACTIVE)
OPENLY = Settings.model_validate({"write_back": {"first_run": "write"}})


def tracker_of(*issues: object) -> MemoryTracker:
    return MemoryTracker(issues)  # type: ignore[arg-type]


def checked(engine: sa.Engine, tracker: MemoryTracker, *, hours: int = 0, settings: Settings = OPENLY) -> CheckResult:
    pull(engine, [tracker], now=NOW + timedelta(hours=hours))
    return check_store(engine, settings, run=new_id("check"), now=NOW + timedelta(hours=hours))


def codes(result: CheckResult) -> set[str]:
    return {finding.judgement.rule for _, finding in result.findings()}


def test_a_finding_is_opened_once_fixed_and_opened_again(engine: sa.Engine) -> None:
    tracker = tracker_of(an_issue(status=ACTIVE))
    first = checked(engine, tracker)
    second = checked(engine, tracker, hours=1)
    tracker.edit("1", assignees=("mia",))
    third = checked(engine, tracker, hours=2)
    tracker.edit("1", assignees=())
    fourth = checked(engine, tracker, hours=3)

    owner = [
        next((f for _, f in r.findings() if f.judgement.rule == "OWN001"), None) for r in (first, second, third, fourth)
    ]
    assert [finding.is_new if finding else None for finding in owner] == [True, False, None, True]
    assert third.recorded.fixed == 1
    assert owner[3] is not None
    assert owner[3].times_opened == 2
    with reading(engine) as connection:
        life = [event["event"] for event in history(connection, "demo", "1") if event["rule"] == "OWN001"]
    assert life == ["opened", "fixed", "reopened"]


def test_an_issue_that_is_read_again_while_it_is_judged_is_left_to_whoever_read_it(engine: sa.Engine) -> None:
    tracker = tracker_of(an_issue(id="1", status=ACTIVE), an_issue(id="2", key="DEMO-2", status=ACTIVE))
    checked(engine, tracker)

    def answered_meanwhile(_done: int, _total: int) -> None:
        tracker.edit("1", assignees=("mia",))
        checked(engine, tracker, hours=1)

    slow = check_store(engine, OPENLY, run="slow", now=NOW + timedelta(hours=2), advance=answered_meanwhile)

    assert {each.issue.id for each in slow.checked} == {"2"}
    with reading(engine) as connection:
        life = [event["event"] for event in history(connection, "demo", "1") if event["rule"] == "OWN001"]
    assert life == ["opened", "fixed"]  # and not opened again by what was true a moment ago


def test_checking_twice_without_a_change_records_nothing(engine: sa.Engine) -> None:
    tracker = tracker_of(an_issue(status=ACTIVE), an_issue(id="2", type=IssueType.EPIC))
    checked(engine, tracker)

    again = checked(engine, tracker, hours=1)

    assert (again.recorded.opened, again.recorded.reopened, again.recorded.fixed) == (0, 0, 0)


def test_findings_of_a_deleted_issue_end(engine: sa.Engine) -> None:
    tracker = tracker_of(*(an_issue(id=str(n), status=ACTIVE) for n in range(1, 9)))
    checked(engine, tracker)
    tracker.delete("3")

    result = checked(engine, tracker, hours=1)

    gone = result.by_identity["demo", "3"]
    assert gone.issue.presence is Presence.DELETED
    assert gone.failures == ()
    assert result.recorded.fixed > 0


def test_the_first_check_is_silent_and_still_in_scores(engine: sa.Engine) -> None:
    result = checked(engine, tracker_of(an_issue(status=ACTIVE)), settings=Settings())

    assert all(finding.is_baseline for _, finding in result.findings())
    assert result.worst() is None
    score = result.checked[0].score
    assert score is not None
    assert score.shown < 100


def test_a_rule_outside_the_profile_is_counted_and_says_nothing(engine: sa.Engine) -> None:
    result = checked(engine, tracker_of(an_issue(status=ACTIVE, type=IssueType.EPIC)))

    assert "REV001" not in codes(result)
    assert result.would_find["REV001"] == 1


def test_an_unmapped_status_is_reported_with_its_count_and_not_guessed(engine: sa.Engine) -> None:
    parked = tracker_of(an_issue(status=Status("4711", "Parked")))

    result = checked(engine, parked)

    ((key, count),) = result.unmapped.items()
    assert (key[0], key[1].name, count) == ("demo", "Parked", 1)
    assert result.checked[0].issue.status.category is StatusCategory.UNKNOWN


def test_a_changed_status_mapping_holds_without_a_new_pull(engine: sa.Engine) -> None:
    checked(engine, tracker_of(an_issue(status=statuses_as(StatusCategory.TODO))))
    source = {"name": "demo", "tracker": "jira", "url": "http://x", "scope": ["DEMO"], "statuses": {"todo": "active"}}
    remapped = Settings.model_validate({"sources": [source]})

    backlog = load_backlog(engine, remapped, now=NOW)

    assert backlog.issues[0].status.category is StatusCategory.ACTIVE


def test_a_source_is_watched_since_its_first_pull(engine: sa.Engine) -> None:
    """OUT005 asks for no result of what was finished before."""
    tracker = tracker_of(an_issue())
    pull(engine, [tracker], now=NOW)
    pull(engine, [tracker], now=NOW + timedelta(days=3))

    assert load_backlog(engine, OPENLY, now=NOW + timedelta(days=4)).watched_since == {"demo": NOW}


def test_an_unknown_scope_is_named_with_those_there_are(engine: sa.Engine) -> None:
    pull(engine, [tracker_of(an_issue())], now=NOW)

    with pytest.raises(InputError, match=r"'nowhere'; there is demo"):
        check_store(engine, OPENLY, run="r", now=NOW, scope="nowhere")


def test_a_file_is_checked_without_a_store_and_every_finding_is_new() -> None:
    issues = [an_issue(status=ACTIVE), an_issue(id="2", status=ACTIVE, assignees=("mia",), body="")]

    result = check_issues(issues, OPENLY, now=NOW, rules=chosen_rules(OPENLY))

    shape = to_json(result, all_verdicts=True)
    assert shape["checked"] == 2
    assert all(finding["new"] for finding in shape["findings"])
    asked = [rule for rule in chosen_rules(OPENLY) if not isinstance(rule, ScopeRule) and not rule.private]
    asked = {verdict["rule"] for verdict in shape["verdicts"]}
    assert len(shape["verdicts"]) == 2 * len(asked)
    assert {"AC001", "OWN001", "OUT001"} <= asked
    assert set(shape["scores"]) == {"demo:DEMO-1", "demo:DEMO-2"}


def test_a_file_that_names_no_owner_at_all_is_not_blamed_for_it() -> None:
    bare = [an_issue(id=str(n), status=ACTIVE) for n in range(3)]
    only_owner = chosen_rules(OPENLY, only=["OWN001"])

    without = check_issues(bare, OPENLY, now=NOW, rules=only_owner)
    one_named = check_issues([*bare, an_issue(id="9", assignees=("mia",))], OPENLY, now=NOW, rules=only_owner)

    assert codes(without) == set()
    assert len(one_named.findings()) == 3


def test_only_the_rule_asked_for_is_judged() -> None:
    result = check_issues([an_issue(status=ACTIVE)], OPENLY, now=NOW, rules=chosen_rules(OPENLY, only=["own001"]))

    assert {judgement.rule for judgement in result.checked[0].judgements} == {"OWN001"}


def test_teams_and_backlogs_are_scored_over_what_was_judged(engine: sa.Engine) -> None:
    issues = [an_issue(id=str(n), status=ACTIVE, assignees=("mia",)) for n in range(1, 5)]
    result = checked(engine, tracker_of(*issues))

    groups = score_groups(result)

    assert groups.teams["DEMO"].count == 4
    assert groups.teams["DEMO"].has_few_items
    assert groups.open_issues == {"DEMO": 4}
    assert {part.name for part in groups.backlogs["DEMO"].parts} == {"items", "freshness", "length"}


def test_a_secret_is_counted_and_shown_only_to_those_who_ask_for_it() -> None:
    leaked = an_issue(
        status=ACTIVE, body="-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"
    )

    shown = check_issues([leaked], OPENLY, now=NOW, rules=chosen_rules(OPENLY))
    asked_for = check_issues([leaked], OPENLY, now=NOW, rules=chosen_rules(OPENLY, only=["SEC001"]))

    assert (shown.private, "SEC001" in codes(shown)) == (1, False)
    assert "SEC001" not in str(to_json(shown, all_verdicts=True)["verdicts"])
    assert shown.worst() is Severity.CRITICAL
    assert codes(asked_for) == {"SEC001"}
