"""The report from records is the report from issues, whatever the histories, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from backlint.api.reports.cycle_time import CycleTimeReport, build_cycle_time
from backlint.api.reports.cycle_time_store import build_from_records
from backlint.api.reports.health import SourceHealth
from backlint.connectors.contract import Pulled, Reference
from backlint.errors import InputError
from backlint.flow import Mode
from backlint.model import (
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Presence,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.settings import Settings
from backlint.status import StatusFact
from backlint.sync import store
from backlint.sync.check import flow_options, in_scope, load_backlog
from backlint.sync.database import open_engine
from backlint.sync.flow import refresh
from backlint.working_time import WorkingHours

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
STATUSES = {
    "1": ("Backlog", StatusCategory.BACKLOG), "2": ("To do", StatusCategory.TODO),
    "3": ("Doing", StatusCategory.ACTIVE), "4": ("Review", StatusCategory.WAITING),
    "5": ("Done", StatusCategory.DONE), "6": ("Released", StatusCategory.DONE),
    "7": ("Doing", StatusCategory.ACTIVE), "9": ("Dropped by hand", StatusCategory.UNKNOWN),
}  # fmt: skip
TYPES = [IssueType.STORY] * 6 + [IssueType.BUG] * 3 + [IssueType.TASK, IssueType.SUBTASK]
SETTINGS = Settings.model_validate(
    {
        "timezone": "Europe/Berlin",
        "sources": [
            {"name": name, "tracker": tracker, "url": "http://x", "scope": ["A"], "in_progress_labels": ["wip"]}
            for name, tracker in (("jira", "jira"), ("github", "github"))
        ],
    }
)


def some_issues(seed: int, count: int, source: str, tracker: Tracker) -> list[Issue]:
    """Histories as bad as they come: gaps, reopenings, skew, drags, crowds, moves, mirrors, the deleted."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        created, reporter = NOW - timedelta(days=rng.uniform(0, 200)), rng.choice(["ann", "bob", None])
        if rng.random() < 0.4:  # an import
            reporter, created = "ann", NOW - timedelta(days=100, seconds=rng.uniform(0, 50))
        status, at, steps, changes = rng.choice("1223"), created, [], []
        if rng.random() < 0.05:
            status = "5"
        for place in range(rng.randint(0, 7)):
            at += timedelta(days=rng.choice([0, 0.0001, 0.5, 3, 20]) * rng.random())
            is_housekeeping = rng.random() < 0.12
            if is_housekeeping:
                at = NOW - timedelta(days=30, seconds=rng.uniform(0, 200))
            before = status if rng.random() < 0.93 else rng.choice(list(STATUSES))
            status = rng.choice("1233344555567") if rng.random() < 0.99 else "9"
            if rng.random() < 0.02:
                at += timedelta(days=400)  # a clock that is wrong
            if is_housekeeping:
                status = "5"
            actor = "bob" if is_housekeeping else rng.choice(["ann", "bob", None])
            steps.append(_step(at, before, status, place, actor))
            if is_housekeeping:
                break
        if rng.random() < 0.05:
            status = rng.choice("1235")
        # Every 20th is an initiative, over epics and items; every 7th an epic, over items.
        type = IssueType.INITIATIVE if number % 20 == 0 else IssueType.EPIC if number % 7 == 0 else rng.choice(TYPES)
        above = str(rng.randrange(0, count, 20 if type is IssueType.EPIC else rng.choice([7, 20])))
        parent = None if type is IssueType.INITIATIVE else rng.choice([None, above])
        team, project = rng.choice(["Red", "Blue", None]), rng.choice(["PAY", "WEB"])
        if rng.random() < 0.1:
            changes.append(FieldChange(at=created + timedelta(days=4), field="team", before="Green", after=team))
        if rng.random() < 0.2:
            changes.append(FieldChange(at=created + timedelta(days=5), field="due_on", before="2026-04-10", after=""))
        if rng.random() < 0.2:
            changes.append(FieldChange(at=created + timedelta(days=1), field="labels", before="", after="wip blocked"))
            changes.append(FieldChange(at=created + timedelta(days=2), field="labels", before="wip blocked", after=""))
        links = []
        if rng.random() < 0.2:
            links.append(Link(LinkKind.PULL_REQUEST, "http://pr", created + timedelta(days=rng.random() * 9)))
        if source == "github" and rng.random() < 0.05:
            links.append(Link(LinkKind.MIRRORS, f"http://jira/{rng.randrange(count)}"))
        found.append(
            Issue(
                source=source, id=str(number), key=f"{project}-{number}", title=f"Item {number}", tracker=tracker,
                url=f"http://{source}/{number}", project=project, team=team, type=type,
                status=_status(status), resolution=rng.choice([None, None, "Won't do"]) if status in "56" else None,
                reporter=reporter, parent=parent,
                due_on=rng.choice([None, (created + timedelta(days=20)).date()]), created_at=created,
                updated_at=min(max(at, created), NOW), transitions=tuple(steps), changes=tuple(changes),
                links=tuple(links), history_is_complete=rng.random() > 0.05,
                presence=rng.choice([Presence.PRESENT] * 15 + [Presence.DELETED, Presence.UNREADABLE]),
            )
        )  # fmt: skip
    return found


def _status(id: str) -> Status:
    return Status(id, *STATUSES[id])


def _step(at: datetime, before: str, after: str, place: int, actor: str | None) -> Transition:
    return Transition(at=at, before=_status(before), after=_status(after), sequence=place, actor=actor)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(store_url)
    facts = tuple(StatusFact(id, name, category) for id, (name, category) in STATUSES.items() if id != "9")
    with engine.begin() as connection:
        for source, tracker in (("jira", Tracker.JIRA), ("github", Tracker.GITHUB)):
            store.save_source(connection, source, tracker, Reference(statuses=facts), now=NOW)
    yield engine
    engine.dispose()


def save(engine: sa.Engine, issues: list[Issue], now: datetime = NOW) -> None:
    with engine.begin() as connection:
        for source in sorted({issue.source for issue in issues}):
            pulled = [Pulled(issue, b"{}") for issue in issues if issue.source == source]
            store.save_issues(connection, source, "A", pulled, now=now)


def hours_of(team: str | None) -> WorkingHours:
    return WorkingHours(zone=ZoneInfo("Europe/Berlin"))


def both(engine: sa.Engine, *, scope: str | None = None, **how: object) -> tuple[CycleTimeReport, CycleTimeReport]:
    """The report from issues, and the one from records."""
    now = how.pop("now", NOW)
    refresh(engine, SETTINGS)
    backlog = load_backlog(engine, SETTINGS, now=now)
    selected = in_scope(backlog, scope)
    wanted = {issue.identity for issue in selected}
    plain = build_cycle_time(
        backlog.issues, scope=scope or "all", now=now, timezone=SETTINGS.timezone,
        select=lambda issue: issue.identity in wanted, options=flow_options(SETTINGS), hours=hours_of(None), **how,
    )  # fmt: skip
    made = build_from_records(engine, SETTINGS, scope=scope, name="all", now=now, hours_of=hours_of, **how)
    return plain, made


def assert_same(plain: CycleTimeReport, made: CycleTimeReport) -> None:
    for name in plain.__dataclass_fields__:
        one, other = getattr(plain, name), getattr(made, name)
        if name in ("rows", "large", "ageing", "excluded", "due", "bugs"):
            assert list(other) == list(one), name
            assert list(other[:3]) == list(one[:3]), name
        else:
            assert other == one, name


def test_records_say_what_issues_say(engine):
    save(engine, some_issues(1, 320, "jira", Tracker.JIRA) + some_issues(10, 200, "github", Tracker.GITHUB))

    plain, made = both(engine)
    assert_same(plain, made)
    assert min(plain.quality.imported, plain.quality.bulk_closed, plain.quality.gaps, plain.quality.skewed) > 0
    for mode in Mode:
        assert_same(*both(engine, mode=mode, since=date(2026, 3, 1), until=date(2026, 5, 20)))
    for scope in ("red", "PAY", "github"):
        assert_same(*both(engine, scope=scope, since=date(2026, 4, 1)))


def test_records_follow_new_issues_changed_mappings_and_deletions(engine):
    issues = some_issues(3, 40, "jira", Tracker.JIRA)
    save(engine, issues)
    assert refresh(engine, SETTINGS) == 40
    assert refresh(engine, SETTINGS) == 0

    moved = [issue for issue in issues if "4" in _statuses_of(issue)]
    waiting = SETTINGS.sources[0].model_copy(update={"statuses": {"4": StatusCategory.ACTIVE}})
    mapped = SETTINGS.model_copy(update={"sources": (waiting, SETTINGS.sources[1])})
    assert 0 < refresh(engine, mapped) == len(moved) < 40
    assert refresh(engine, SETTINGS) == len(moved)

    labelled = SETTINGS.sources[0].model_copy(update={"in_progress_labels": ("doing",)})
    assert refresh(engine, SETTINGS.model_copy(update={"sources": (labelled, SETTINGS.sources[1])})) == 40
    refresh(engine, SETTINGS)

    with engine.begin() as connection:
        store.set_presence(connection, "jira", ["5", "6"], Presence.DELETED)
    assert refresh(engine, SETTINGS) == 2
    save(engine, [replace(issues[0], title="Another title")])
    assert_same(*both(engine))


def test_a_source_that_was_not_read_is_left_out_and_its_scope_cannot_say(engine):
    save(engine, some_issues(4, 60, "jira", Tracker.JIRA) + some_issues(5, 60, "github", Tracker.GITHUB))
    health = tuple(
        SourceHealth(name=name, tracker=name, complete=name == "jira", as_of=NOW, issues=60)
        for name in ("github", "jira")
    )

    assert_same(*both(engine, health=health))
    assert_same(*both(engine, scope="github", health=health))


def _statuses_of(issue: Issue) -> set[str]:
    return {issue.status.id} | {side.id for step in issue.transitions for side in (step.before, step.after)}


def test_an_unknown_scope_names_what_there_is(engine):
    save(engine, some_issues(3, 40, "jira", Tracker.JIRA))
    refresh(engine, SETTINGS)

    with pytest.raises(InputError, match="nothing belongs to 'rde'; there is red"):
        build_from_records(engine, SETTINGS, scope="rde", name="all", now=NOW)
