"""Generated backlogs: the same for a seed, consistent in themselves, and believable in their shares."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.world import World, WorldIssue

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FLAVOURS = ("jira", "linear", "github")


@pytest.fixture(scope="module", params=FLAVOURS)
def world(request: pytest.FixtureRequest) -> World:
    return generate(request.param, seed=7, size=1000, now=NOW)


def truth(world: World) -> dict[str, Any]:
    return {
        "issues": [asdict(issue) for issue in world.issues.values()],
        "people": [asdict(person) for person in world.people.values()],
        "sprints": [asdict(sprint) for sprint in world.sprints.values()],
        "labels": world.labels,
        "flaws": world.flaws,
    }


def kind(world: World, issue: WorldIssue) -> str:
    if issue.resolution in ("Won't Do", "Duplicate"):  # Jira's "Done" has both
        return "cancelled"
    return world.statuses[issue.status].kind


def is_open(world: World, issue: WorldIssue) -> bool:
    return kind(world, issue) not in ("completed", "cancelled")


def cycle_times(world: World) -> list[float]:
    found = []
    for issue in world.issues.values():
        moves = [(event.at, world.statuses[event.after].kind) for event in issue.events if event.field == "status"]
        starts = [at for at, after in moves if after == "started"]
        ends = [at for at, after in moves if after == "completed"]
        if starts and ends and issue.type not in ("epic", "initiative"):
            found.append((ends[-1] - starts[0]) / timedelta(days=1))
    return sorted(found)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_seed_gives_the_same_world_and_another_one_another(flavour: str) -> None:
    first, again, other = (truth(generate(flavour, seed=seed, size=200, now=NOW)) for seed in (4, 4, 5))

    assert first == again
    assert first["issues"] != other["issues"]


def test_the_size_is_about_what_was_asked(world: World) -> None:
    assert 950 <= len(world.issues) <= 1050
    assert len(world.projects) == (2 if world.flavour == "github" else 3)


@pytest.mark.parametrize("size", [30, 90])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_small_worlds_have_everything_too(flavour: str, size: int) -> None:
    world = generate(flavour, seed=11, size=size, now=NOW)

    assert all(len(world.in_project(key)) >= 9 for key in world.projects)
    assert {"epic", "story", "bug"} <= {issue.type for issue in world.issues.values()}


def test_a_thousand_issues_take_less_than_two_seconds() -> None:
    began = time.process_time()
    generate("jira", seed=1, size=1000, now=NOW)

    assert time.process_time() - began < 2


def test_an_unknown_tracker_is_named() -> None:
    with pytest.raises(ValueError, match="no sandbox tracker 'trello'"):
        generate("trello", seed=1, size=10, now=NOW)


# -- consistency -------------------------------------------------------------------------------------------------------


def test_histories_chain_and_end_in_the_present(world: World) -> None:
    for issue in world.issues.values():
        assert [event.at for event in issue.events] == sorted(event.at for event in issue.events)
        last: dict[str, Any] = {}
        for event in issue.events:
            assert event.before != event.after
            assert event.field not in last or last[event.field] == event.before
            last[event.field] = event.after
        for name, value in last.items():
            assert (issue.fields[name] if name == "flagged" else getattr(issue, name)) == value


def test_nothing_happens_before_creation_or_after_now(world: World) -> None:
    for issue in world.issues.values():
        moments = [*(event.at for event in issue.events), *(comment.at for comment in issue.comments)]
        assert issue.created_at <= min(moments, default=issue.created_at)
        assert issue.updated_at == max(moments, default=issue.created_at)
        assert issue.updated_at <= NOW
        assert all(moment.tzinfo is UTC for moment in moments)


def test_everything_refers_to_something_that_exists(world: World) -> None:
    people = {None, *world.people}
    for issue in world.issues.values():
        assert {issue.assignee, issue.reporter, *(event.actor for event in issue.events)} <= people
        assert {comment.author for comment in issue.comments} <= set(world.people)
        assert issue.status in world.statuses
        assert issue.parent is None or issue.parent in world.issues
        assert issue.sprint is None or issue.sprint in world.sprints
        assert all(target in world.issues and target != issue.id for _, target in issue.links)
        assert all(comment.body for comment in issue.comments)


def test_keys_are_unique_and_numbers_not_used_up(world: World) -> None:
    keys = [key for issue in world.issues.values() for key in (issue.key, *issue.former_keys)]

    assert len(keys) == len(set(keys))
    for key, project in world.projects.items():
        assert project.next_number > max(issue.number for issue in world.in_project(key))


def test_a_resolution_is_there_exactly_when_the_issue_is_over(world: World) -> None:
    if world.flavour == "linear":
        assert all(issue.resolution is None for issue in world.issues.values())
        return
    for issue in world.issues.values():
        assert (issue.resolution is None) is is_open(world, issue)


def test_no_issue_is_its_own_ancestor(world: World) -> None:
    for issue in world.issues.values():
        seen = {issue.id}
        above = issue.parent
        while above is not None:
            assert above not in seen
            seen.add(above)
            above = world.issues[above].parent


# -- believable --------------------------------------------------------------------------------------------------------


def test_types_come_in_realistic_shares(world: World) -> None:
    count = Counter(issue.type for issue in world.issues.values())

    assert 0.3 < count["story"] / 1000 < 0.5
    assert 0.15 < count["bug"] / 1000 < 0.35
    assert 0.03 < count["epic"] / 1000 < 0.1
    assert all(count[type] > 20 for type in ("task", "spike", "subtask"))
    assert (count["initiative"] > 0) is (world.flavour == "jira")


def test_most_is_done_some_is_open_and_a_little_in_progress(world: World) -> None:
    count = Counter(kind(world, issue) for issue in world.issues.values())

    assert 450 < count["completed"] < 700
    assert 60 < count["cancelled"] < 180
    assert 120 < count["backlog"] + count["triage"] < 330
    assert 10 < count["started"] < 90
    assert count["unstarted"] > 5


def test_about_half_of_what_is_open_is_clean(world: World) -> None:
    still_open = [issue for issue in world.issues.values() if is_open(world, issue)]
    clean = sum(not world.flaws[issue.id] for issue in still_open)

    assert 0.45 < clean / len(still_open) < 0.7


def test_the_bad_ones_are_bad_in_many_ways(world: World) -> None:
    flaws = Counter(flaw for found in world.flaws.values() for flaw in found)

    assert len(flaws) > 20
    assert max(flaws.values()) < 0.15 * len(world.issues)


def test_cycle_times_are_those_of_a_team_with_two_week_sprints(world: World) -> None:
    times = cycle_times(world)

    assert len(times) > 250
    assert 1.5 < times[len(times) // 2] < 5
    assert 4 < times[len(times) * 85 // 100] < 14
    assert times[0] >= 0


def test_issues_are_reopened_blocked_moved_back_and_carried_over(world: World) -> None:
    issues = list(world.issues.values())
    over = {status.id for status in world.statuses.values() if status.kind == "completed"}
    reopened = [i for i in issues if any(e.field == "status" and e.before in over for e in i.events)]
    blocked = [i for i in issues for e in i.events if e.field == "flagged" or "blocked" in str(e.after)]
    carried = [i for i in issues if len({e.after for e in i.events if e.field == "sprint"}) >= 2]
    stuck = [i for i in issues if len({e.after for e in i.events if e.field == "sprint"}) >= 3]

    assert 10 < len(reopened) < 80
    assert len(blocked) > 10
    assert 20 < len(carried) < 150
    assert stuck


def test_sprints_are_twelve_past_one_running_and_one_to_come(world: World) -> None:
    for key in {sprint.project for sprint in world.sprints.values()}:
        states = Counter(sprint.state(NOW) for sprint in world.sprints.values() if sprint.project == key)
        assert states == {"closed": 12, "active": 1, "future": 1}
    current = {sprint.id for sprint in world.sprints.values() if sprint.state(NOW) != "closed"}
    assert len({issue.sprint for issue in world.issues.values()} & current) == len(current)


@pytest.mark.parametrize("day", range(9, 23))
def test_on_every_day_and_hour_one_sprint_runs(day: int) -> None:
    for hour in (0, 7, 8, 23):
        now = datetime(2026, 3, day, hour, 30, tzinfo=UTC)
        world = generate("jira", seed=1, size=12, now=now)
        assert Counter(s.state(now) for s in world.sprints.values() if s.project == "PAY")["active"] == 1


def test_somebody_tidied_up_in_bulk(world: World) -> None:
    lead = {project.lead for project in world.projects.values()}
    moments = Counter(
        event.at.replace(minute=event.at.minute // 5 * 5, second=0)
        for issue in world.issues.values()
        for event in issue.events
        if event.actor in lead and event.field in ("labels", "status")
    )

    assert max(moments.values()) >= 20


def test_bots_edit_and_comment_and_people_left(world: World) -> None:
    bots = {person.id for person in world.people.values() if person.is_bot}
    left = {person.id for person in world.people.values() if not person.is_active}
    issues = list(world.issues.values())

    assert world.bot in bots
    assert len(bots) == 2
    assert any(event.actor in bots for issue in issues for event in issue.events)
    assert any(comment.author in bots for issue in issues for comment in issue.comments)
    assert any(issue.assignee in left for issue in issues if is_open(world, issue))


def test_texts_and_titles_hardly_repeat(world: World) -> None:
    titles = Counter(issue.title for issue in world.issues.values())
    bodies = {issue.body for issue in world.issues.values()}

    assert len(titles) > 900
    assert len(bodies) > 700


def test_texts_come_in_several_languages_and_forms(world: World) -> None:
    everything = "\n".join(issue.body for issue in world.issues.values())

    signs = (
        "Akzeptanzkriterien", "Critères", "Criterios", "担当者として", "```gherkin", "| # | Criterion", "- [ ]",
        "> Acceptance criteria", "<!--", "Owner: TBD", "Review date", "Steps to reproduce",
    )  # fmt: skip
    for sign in signs:
        assert sign in everything


def test_no_line_is_so_frequent_that_it_would_pass_for_a_template(world: World) -> None:
    for type in ("story", "bug"):
        bodies = [issue.body for issue in world.issues.values() if issue.type == type]
        lines = Counter(line for body in bodies for line in {each.strip() for each in body.splitlines()})
        authored = {
            line: n for line, n in lines.items() if line and not line.startswith(("#", "**", "|", "`", "<", "_"))
        }
        assert max(authored.values()) < 0.3 * len(bodies), max(authored, key=lambda line: authored[line])


def test_trackers_keep_their_peculiarities() -> None:
    jira, linear, github = (generate(flavour, seed=7, size=600, now=NOW) for flavour in FLAVOURS)

    assert any(issue.former_keys for issue in jira.issues.values())
    assert any(issue.former_keys for issue in linear.issues.values())
    assert any(issue.is_archived for issue in linear.issues.values())
    assert not any(issue.is_archived for issue in jira.issues.values())
    assert any(issue.is_locked for issue in github.issues.values())
    assert all(issue.estimate is None and issue.priority is None for issue in github.issues.values())
    assert {issue.status for issue in github.in_project("sandbox-org/scanner-app")} <= {"open", "done", "not_planned"}
    assert any(issue.pull_request_at for issue in github.issues.values())
    assert any("acceptance_criteria" in issue.fields for issue in jira.issues.values())


def test_no_one_has_a_common_name(world: World) -> None:
    for person in world.people.values():
        assert person.name.split()[1] in {"Product", "Engineer", "Designer", "Tester", "Bot", "Robot"}
    assert len({person.name for person in world.people.values()}) == len(world.people)
    assert len({person.handle for person in world.people.values()}) == len(world.people)
