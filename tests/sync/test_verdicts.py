"""A check that remembers earlier ones finds what a check without memory finds, at any time and after any change."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from backlint.connectors.contract import Pulled, Reference
from backlint.model import Issue, IssueType, Link, LinkKind, Status, StatusCategory, Tracker, Transition
from backlint.rules.registry import all_rules
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.settings import Settings
from backlint.status import StatusFact
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.audit import new_id
from backlint.sync.check import CheckResult, check_store, judge_backlog, load_backlog
from backlint.sync.database import open_engine, upgrade
from backlint.sync.scopes import scope_verdicts
from backlint.sync.verdicts import forget
from tests.factory import a_comment, an_issue

FULL = Settings.model_validate({"check": {"profile": "full"}, "write_back": {"first_run": "write"}})
STATUSES = {category: Status(category.value, category.value, category) for category in StatusCategory}


def example_issues(random: Random, count: int) -> list[Issue]:
    """Issues from the rules' examples, each example in a source of its own: every rule has something to say."""
    examples = [each for rule in all_rules() for each in (*rule.flagged, *rule.passed, *rule.declined)]
    found: list[Issue] = []
    for number, example in enumerate(random.sample(examples, k=len(examples))):
        for issue in {each.id: each for each in (example.issue, *example.others)}.values():
            status = STATUSES[issue.status.category]
            steps = tuple(
                replace(step, before=STATUSES[step.before.category], after=STATUSES[step.after.category])
                for step in issue.transitions
            )
            found.append(replace(issue, source=f"source-{number}", status=status, transitions=steps))
        if len(found) >= count:
            break
    return found


def save(engine: sa.Engine, issues: list[Issue], *, now: datetime) -> None:
    by_source: dict[str, list[Issue]] = {}
    for issue in issues:
        by_source.setdefault(issue.source, []).append(issue)
    facts = tuple(StatusFact(each.id, each.name, each.category) for each in STATUSES.values())
    with engine.begin() as connection:
        known = store.source_names(connection)
        for source, members in by_source.items():
            if source not in known:
                store.save_source(connection, source, Tracker.JIRA, Reference(statuses=facts), now=now)
            store.save_issues(connection, source, "all", [Pulled(issue, b"{}") for issue in members], now=now)


def edited(issue: Issue, random: Random, *, now: datetime) -> Issue:
    """The issue after somebody worked on it."""
    category = random.choice(list(StatusCategory))
    step = Transition(at=now - timedelta(hours=1), before=issue.status, after=STATUSES[category], actor="ana")
    changes: list[dict[str, Any]] = [
        {"title": f"{issue.title} once more"},
        {"body": f"{issue.body}\n\n## Acceptance criteria\n\n- The list is sorted by name\n"},
        {"body": ""},
        {"status": STATUSES[category], "transitions": (*issue.transitions, step)},
        {"assignees": ("ana",)},
        {"estimate": 13.0},
        {"type": random.choice(list(IssueType))},
        {"due_on": (now + timedelta(days=random.randint(-3, 3))).date()},
        {"labels": issue.labels ^ {"blocked"}},
        {"parent": None},
        {"links": (*issue.links, Link(LinkKind.BLOCKED_BY, random.choice("123"), now))},
        {"comments": (*issue.comments, replace(a_comment("I see it as well.", now), id=f"at {now}"))},
    ]
    return replace(issue, updated_at=now, **random.choice(changes))


def told(result: CheckResult) -> dict[str, Any]:
    verdicts = {each.issue.identity: (each.judgements, each.score, each.is_near) for each in result.checked}
    return {"verdicts": verdicts, "scopes": result.scopes.public, "would_find": dict(result.would_find)}


def cold(engine: sa.Engine, *, now: datetime, settings: Settings = FULL) -> dict[str, Any]:
    """What a check finds that knows nothing of earlier ones."""
    backlog = load_backlog(engine, settings, now=now)
    rules = [rule() for rule in all_rules()]
    checked, context, would_find = judge_backlog(backlog, settings, rules=rules)
    scopes = scope_verdicts(context, rules)
    would_find.update(scopes.would_find)
    verdicts = {each.issue.identity: (each.judgements, each.score, each.is_near) for each in checked}
    return {"verdicts": verdicts, "scopes": scopes.public, "would_find": dict(would_find)}


def check(engine: sa.Engine, *, now: datetime, settings: Settings = FULL, **given: Any) -> CheckResult:
    return check_store(engine, settings, run=new_id("check"), now=now, **given)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_check_with_memory_finds_what_a_check_without_finds(tmp_path: Any, seed: int) -> None:
    random = Random(seed)
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    upgrade(engine)
    issues = example_issues(random, 120)
    now = EXAMPLE_NOW
    save(engine, issues, now=now)
    for _ in range(6):
        assert told(check(engine, now=now)) == cold(engine, now=now)

        chosen = random.sample(range(len(issues)), k=random.choice([0, 1, 6]))
        for place in chosen:
            issues[place] = edited(issues[place], random, now=now)
        save(engine, [issues[place] for place in chosen], now=now)
        now += random.choice([timedelta(seconds=5), timedelta(hours=9), timedelta(days=3), timedelta(days=40)])
    engine.dispose()


def days_old(days: int) -> Settings:
    return Settings.model_validate(
        {
            "check": {"profile": "starter"},
            "write_back": {"first_run": "write"},
            "custom_rules": [
                {
                    "code": "OLD001",
                    "name": "too-old",
                    "summary": "Too old.",
                    "fails_when": f'issue.created_at < now - duration("{24 * days}h")',
                }
            ],
        }
    )


def found(result: CheckResult, code: str) -> set[str]:
    return {each.issue.id for each in result.checked for failure in each.failures if failure.rule == code}


def test_a_changed_custom_rule_is_asked_again_and_so_is_one_that_reads_the_time(engine: sa.Engine) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    save(engine, [replace(an_issue(id="1"), created_at=now - timedelta(days=5))], now=now)

    assert found(check(engine, now=now, settings=days_old(10)), "OLD001") == set()
    assert found(check(engine, now=now, settings=days_old(3)), "OLD001") == {"1"}
    assert found(check(engine, now=now, settings=days_old(10)), "OLD001") == set()
    assert found(check(engine, now=now + timedelta(days=6), settings=days_old(10)), "OLD001") == {"1"}


def test_nothing_that_still_holds_is_asked_again(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    issues = [an_issue(id=str(number), body="The list shall be sorted by name.") for number in range(12)]
    save(engine, issues, now=EXAMPLE_NOW)
    check(engine, now=EXAMPLE_NOW)
    asked: list[tuple[str, str]] = []
    for rule in all_rules():
        monkeypatch.setattr(rule, "check", _noting(rule.check, asked))

    check(engine, now=EXAMPLE_NOW + timedelta(seconds=1))
    assert asked == []

    save(engine, [replace(issues[3], title="Another title for the list")], now=EXAMPLE_NOW)
    check(engine, now=EXAMPLE_NOW + timedelta(seconds=2))
    assert {issue for code, issue in asked if code == "TXT001"} == {"3"}
    assert {issue for code, issue in asked if code == "TXT004"} == {issue.id for issue in issues}


def _noting(ask: Any, asked: list[tuple[str, str]]) -> Any:
    def check_noting(self: Any, issue: Issue, context: Context) -> Iterator[Any]:
        asked.append((self.code, issue.id))
        return ask(self, issue, context)  # type: ignore[no-any-return]

    return check_noting


def test_a_label_that_we_set_ourselves_counts_at_once(engine: sa.Engine) -> None:
    save(engine, [an_issue(id="1", body="")], now=EXAMPLE_NOW)
    before = check(engine, now=EXAMPLE_NOW)
    with engine.begin() as connection:
        here = {"source": "demo", "issue": "1"}
        connection.execute(t.labels.insert(), [{**here, "label": "hygiene:skip"}])
        forget(connection, **here)

    after = check(engine, now=EXAMPLE_NOW + timedelta(seconds=1))
    assert "1" in found(before, "TXT001")
    assert found(after, "TXT001") == set()


def test_an_earlier_time_is_not_told_what_a_later_one_found(engine: sa.Engine) -> None:
    old = replace(an_issue(id="1", category=StatusCategory.ACTIVE), created_at=EXAMPLE_NOW - timedelta(days=2))
    save(engine, [old], now=EXAMPLE_NOW)
    check(engine, now=EXAMPLE_NOW + timedelta(days=90))

    assert told(check(engine, now=EXAMPLE_NOW)) == cold(engine, now=EXAMPLE_NOW)


def test_two_processes_mean_the_same_by_one_configuration() -> None:
    program = (
        "from backlint.settings import Settings; from backlint.sync.check import chosen_rules;"
        "from backlint.sync.verdicts import of_rule;"
        "print([*map(of_rule, chosen_rules(Settings.model_validate({'check': {'profile': 'full'}})))])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert said[0] == said[1]
