"""People at work: many kinds of edits, repeatable, and never where people could not edit."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from backlint.connectors.sandbox.control import state
from backlint.connectors.sandbox.disturb import disturb, human_adds_criteria, human_removes_label
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.world import World

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(params=["jira", "linear", "github"])
def world(request: pytest.FixtureRequest) -> World:
    return generate(request.param, seed=3, size=300, now=NOW)


def test_the_same_seed_does_the_same_to_the_same_world(world: World) -> None:
    twin = generate(world.flavour, seed=3, size=300, now=NOW)

    assert disturb(world, seed=1, count=60, now=LATER) == disturb(twin, seed=1, count=60, now=LATER)
    assert state(world) == state(twin)


def test_many_things_happen(world: World) -> None:
    done = Counter(each.kind for each in disturb(world, seed=1, count=400, now=LATER))

    assert sum(done.values()) == 400
    assert {"moved", "commented", "assigned", "criteria added", "labelled", "created", "deleted"} <= set(done)
    assert done["moved"] > 60
    assert done["deleted"] < 30


def test_every_edit_is_seen_as_new_and_by_a_person(world: World) -> None:
    done = disturb(world, seed=2, count=80, now=LATER)

    for each in done:
        assert world.people[each.actor].is_active
        assert not world.people[each.actor].is_bot
        issue = world.issues.get(each.issue) or world.deleted[each.issue]
        assert each.kind == "deleted" or issue.updated_at == LATER


def test_locked_and_archived_issues_are_left_alone(world: World) -> None:
    untouchable = {issue.id for issue in world.issues.values() if issue.is_locked or issue.is_archived}
    assert untouchable or world.flavour == "jira"

    assert not untouchable & {each.issue for each in disturb(world, seed=4, count=300, now=LATER)}


def test_created_issues_have_ids_and_keys_of_their_own(world: World) -> None:
    before = set(world.issues)
    created = [each for each in disturb(world, seed=5, count=300, now=LATER) if each.kind == "created"]

    assert len(created) > 5
    assert not before & {each.issue for each in created}
    assert len({issue.key for issue in world.issues.values()}) == len(world.issues)
    assert all(world.find(each.key) for each in created if each.issue in world.issues)


def test_histories_still_end_in_the_present(world: World) -> None:
    disturb(world, seed=6, count=200, now=LATER)

    for issue in world.issues.values():
        moves = [event for event in issue.events if event.field == "status"]
        assert not moves or moves[-1].after == issue.status


def test_a_person_adds_criteria_and_another_takes_a_label_away(world: World) -> None:
    issue = next(iter(world.issues.values()))
    world.add_labels(issue, ["hygiene:needs-owner"], actor=world.bot)

    human_adds_criteria(world, issue, actor=issue.reporter or "", now=LATER, text="## Acceptance criteria\n\n- Shows 3")
    human_removes_label(world, issue, "hygiene:needs-owner", actor=issue.reporter or "")

    assert issue.body.endswith("- Shows 3")
    assert "hygiene:needs-owner" not in issue.labels
    assert issue.events[-1].actor == issue.reporter
