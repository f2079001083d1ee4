"""The whole write-back on each sandbox tracker, over real HTTP: once, beside what people do, and never against them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from backlint.activity import human_events
from backlint.connectors.connect import make_connector
from backlint.connectors.contract import Connector
from backlint.connectors.sandbox.trackers import TOKEN, USER, Sandbox, start
from backlint.connectors.sandbox.world import WorldIssue
from backlint.settings import Settings, SourceSettings
from backlint.sync.apply import Applied, apply, undo
from backlint.sync.audit import make_plan, new_id
from backlint.sync.check import check_store, load_backlog
from backlint.sync.database import open_engine, require_current
from backlint.sync.plan import Plan
from backlint.sync.pull import pull
from tests.api.places import BOLD, ENABLED

TRACKERS = [("jira", "cloud"), ("jira", "server"), ("linear", "cloud"), ("github", "cloud")]
SETTINGS = Settings.model_validate({"write_back": BOLD, "check": {"enable": ENABLED}})


@dataclass
class Place:
    """A sandbox tracker with a store that follows it. Time passes a minute with every look at the clock."""

    sandbox: Sandbox
    connector: Connector
    engine: sa.Engine
    at: datetime

    def clock(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def pull(self) -> None:
        (result,) = pull(self.engine, [self.connector], now=self.clock())
        assert result.problems == []

    def plan(self) -> Plan:
        result = check_store(self.engine, SETTINGS, run=new_id("check"), now=self.clock())
        return make_plan(self.engine, SETTINGS, result, now=self.clock())

    def apply(self, plan: Plan) -> Applied:
        connectors = {self.connector.name: self.connector}
        return apply(self.engine, plan.changes, connectors, run=new_id("apply"), clock=self.clock)

    def person(self) -> str:
        people = self.sandbox.world.people.values()
        return next(person.id for person in people if person.id != self.sandbox.world.bot and not person.is_bot)

    def issue(self, id: str) -> WorldIssue:
        return self.sandbox.world.issues[id]

    def last_activity(self) -> dict[str, datetime | None]:
        backlog = load_backlog(self.engine, SETTINGS, now=self.at)
        return {issue.id: max((event.at for event in human_events(issue)), default=None) for issue in backlog}

    def truth(self) -> dict[str, tuple[list[str], list[str]]]:
        return {
            id: (sorted(issue.labels), [str(comment.body) for comment in issue.comments])
            for id, issue in self.sandbox.world.issues.items()
        }


@pytest.fixture(params=TRACKERS, ids=lambda param: "-".join(param))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    tracker, deployment = request.param
    with ExitStack() as stack:
        now = datetime.now(UTC)
        sandbox = start(stack, tracker, size=60, seed=3, now=now, deployment=deployment)
        source = SourceSettings(
            name=tracker,
            tracker=tracker,
            url=sandbox.url,
            user=USER if deployment == "cloud" else "",
            scope=tuple(sandbox.world.projects),
            requests_per_second=1000,
        )
        connector = make_connector(source, SecretStr(TOKEN), sleep=lambda _seconds: None)
        stack.callback(connector.close)
        engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
        stack.callback(engine.dispose)
        require_current(engine)
        place = Place(sandbox, connector, engine, now)
        place.pull()
        yield place


def test_after_an_apply_the_second_plan_is_empty_before_and_after_the_next_pull(place: Place) -> None:
    first = place.plan()
    assert {change.kind.value for change in first.changes} >= {"add_label", "put_comment"}

    result = place.apply(first)

    assert result.failed == []
    assert len(result.applied) == len(first.changes)
    assert place.plan().changes == ()
    place.pull()
    assert place.plan().changes == ()


def test_labels_and_comments_of_people_are_untouched(place: Place) -> None:
    before = place.truth()

    place.apply(place.plan())

    after = place.truth()
    for id, (labels, comments) in before.items():
        assert [label for label in after[id][0] if not label.startswith("hygiene:")] == labels
        assert after[id][1][: len(comments)] == comments
        assert len(after[id][1]) <= len(comments) + 1


def test_a_label_that_a_person_removed_is_not_added_again(place: Place) -> None:
    first = place.plan()
    place.apply(first)
    added = next(
        change
        for change in first.changes
        # Removing a label is activity, which ends findings about silence.
        if change.kind.value == "add_label" and not {"FLO001", "OWN003"} & set(change.because)
    )
    target = place.issue(added.issue)
    place.sandbox.world.remove_labels(target, [added.label or ""], actor=place.person())

    place.pull()
    again = place.plan()

    assert added.label not in target.labels
    assert [change for change in again.changes if change.issue == added.issue and change.label == added.label] == []
    assert "a person removed it" in {held.why for held in again.held_back}


def test_a_comment_that_a_person_deleted_is_not_posted_again(place: Place) -> None:
    first = place.plan()
    place.apply(first)
    put = next(change for change in first.changes if change.kind.value == "put_comment")
    target = place.issue(put.issue)
    place.sandbox.world.delete_comment(target, target.comments[-1].id, actor=place.person())

    place.pull()
    place.apply(place.plan())

    assert [comment for comment in target.comments if comment.author == place.sandbox.world.bot] == []


def test_our_own_writes_are_no_activity(place: Place) -> None:
    before = place.last_activity()
    result = place.apply(place.plan())
    assert result.applied

    place.pull()

    assert place.last_activity() == before


def test_an_undone_run_leaves_the_tracker_as_it_was(place: Place) -> None:
    before = place.truth()
    result = place.apply(place.plan())

    undone, left = undo(place.engine, result.run, {place.connector.name: place.connector}, clock=place.clock)

    assert left == []
    assert len(undone) == len(result.applied)
    assert place.truth() == before
    place.pull()
    assert place.plan().changes == ()


def test_a_census_finds_a_deleted_issue_and_its_findings_end(place: Place) -> None:
    target = next(change for change in place.plan().changes)
    place.sandbox.world.delete_issue(place.issue(target.issue), actor=place.person())

    place.pull()

    assert target.issue not in {change.issue for change in place.plan().changes}


def test_a_command_in_a_comment_waives_and_is_answered_once(place: Place) -> None:
    first = place.plan()
    place.apply(first)
    put = next(change for change in first.changes if change.kind.value == "put_comment")
    target = place.issue(put.issue)
    world, person = place.sandbox.world, place.person()
    said = f"/hygiene waive {put.because[0]}: agreed in planning, the design holds it"
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": said}]}
    is_cloud = place.connector.tracker.value == "jira" and not isinstance(target.comments[-1].body, str)
    world.change(target, "assignee", person, actor=world.bot)
    world.add_comment(target, {"type": "doc", "version": 1, "content": [paragraph]} if is_cloud else said, actor=person)

    place.pull()
    place.apply(place.plan())
    place.pull()

    own = [str(comment.body) for comment in target.comments if comment.author == world.bot]
    assert len(own) == 1
    assert f"{put.because[0]}" in own[0]
    assert "waived until" in own[0]
    assert [change for change in place.plan().changes if change.issue == put.issue] == []
