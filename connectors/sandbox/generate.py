"""A believable backlog for a tracker: a year of work by a few teams, with its good texts and its usual smells.

The same flavour, seed, size and `now` give the same world. Work is simulated beyond `now` and cut there, so that work
in progress, open backlog and the running sprint come out as they would. About half of the issues are written and kept
well; `World.flaws` names what was done wrong on purpose with the others.

What the servers should know: `WorldIssue.fields` holds `flagged` (True while Jira's impediment flag is set), and
`acceptance_criteria` and `review_on` where they live in custom fields. In GitHub's worlds a status is the column of the
project board: `open` is an open issue that is on no board, a completed or cancelled one is closed with the state reason
in `resolution`. Linear's and GitHub's types are also labels. Sprints of GitHub are milestones or iterations, as the
server likes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from backlint.connectors.sandbox import phrases
from backlint.connectors.sandbox.stories import FLAWS, Text
from backlint.connectors.sandbox.teams import (
    LEFT,
    Flavour,
    Ids,
    Plan,
    Team,
    at_work,
    flavour_of,
    lognormal_days,
    people,
    project_of,
    settled,
    sprints_of,
    writer_for,
)
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue

T = TypeVar("T")

HISTORY = timedelta(days=365)
# Shares of the types below epics. Subtasks come on top, as children of stories.
TYPES = (("story", 0.46), ("task", 0.20), ("bug", 0.28), ("spike", 0.06))
SUBTASK_SHARE = 0.08
STORIES_PER_EPIC = 16
# Median days in progress and spread, of the size that teams report for items of a two-week sprint.
CYCLE = {"story": (3.6, 0.75), "task": (1.9, 0.8), "bug": (1.3, 1.0), "spike": (2.4, 0.5), "subtask": (0.9, 0.6)}
TEXT_FLAW_SHARE = {"story": 0.4, "bug": 0.34, "task": 0.16, "epic": 0.45, "initiative": 0.4}
AREAS = ("backend", "frontend", "data", "ops", "ux", "legal", "onboarding")


@dataclass
class _Step:
    at: datetime
    field: str
    value: Any
    actor: str | None


@dataclass(eq=False)
class _Draft:
    """An issue while it is made up: where it begins, and what happens to it until long after now."""

    team: Team
    type: str
    text: Text
    created_at: datetime
    reporter: str
    flaws: list[str] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    comments: list[tuple[datetime, str, str]] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=dict)  # values at creation
    parent: _Draft | None = None
    links: list[tuple[str, _Draft]] = field(default_factory=list)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pull_request_at: datetime | None = None
    moved_from: Team | None = None
    moved_at: datetime | None = None
    is_stuck: bool = False
    made: WorldIssue | None = None

    def step(self, at: datetime, field_name: str, value: Any, actor: str | None) -> None:
        moment = max(at, self.created_at + timedelta(minutes=1)).replace(microsecond=0)
        self.steps.append(_Step(moment, field_name, value, actor))


def generate(flavour: str, *, seed: int, size: int, now: datetime) -> World:
    """A world of about `size` issues as the tracker `flavour` (jira, linear or github) would hold it at `now`."""
    kind = flavour_of(flavour)
    random = Random(f"{flavour} {seed} {size}")
    return _Author(flavour, kind, random, settled(now), size).world()


@dataclass
class _Author:
    name: str
    kind: Flavour
    random: Random
    now: datetime
    size: int
    ids: Ids = field(init=False)
    robot: str = field(init=False)
    teams: list[Team] = field(init=False)

    def world(self) -> World:
        self.ids = Ids(self.name, self.random)
        persons, own, self.robot, members = people(self.ids, len(self.kind.plans))
        self.teams = [self._team(plan, group) for plan, group in zip(self.kind.plans, members, strict=True)]
        world = World(
            own,
            people=persons,
            statuses={status.id: status for status in self.kind.statuses},
            sprints={sprint.id: sprint for team in self.teams for sprint in team.sprints},
            projects={team.project.key: team.project for team in self.teams},
            ids=self.ids.other,
            issue_ids=self.ids.issue,
            flavour=self.name,
        )
        drafts = [draft for team in self.teams for draft in self._backlog(team)]
        drafts.sort(key=lambda draft: draft.created_at)
        self._entangle(drafts)
        self._settle(world, drafts)
        return world

    def _team(self, plan: Plan, group: list[str]) -> Team:
        lead, *rest = group
        return Team(
            plan=plan,
            project=project_of(plan, self.ids, lead),
            writer=writer_for(plan, self.random, self.now),
            lead=lead,
            engineers=rest[:5],
            others=[lead, *rest[5:7]],
            left=rest[7:],
            sprints=sprints_of(plan, self.ids, self.now),
        )

    # -- one team's backlog ------------------------------------------------------------------------------------------

    def _backlog(self, team: Team) -> list[_Draft]:
        count = max(12, round(self.size * team.plan.share))
        epics = self._epics(team, max(3, count // STORIES_PER_EPIC))
        subtasks = round(count * SUBTASK_SHARE)
        drafts = [self._issue(team, epics) for _ in range(max(1, count - len(epics) - subtasks))]
        self._bulk_edits(team, drafts)
        self._fill_the_next_sprint(team, drafts)
        self._forget_owners(drafts)
        parents = [draft for draft in drafts if draft.type == "story" and draft.started_at is not None] or drafts
        children = [self._subtask(team, self.random.choice(parents)) for _ in range(subtasks)]
        self._close_epics(epics, drafts)
        for draft in (*epics, *drafts, *children):
            self._talk(draft)
        return [*epics, *drafts, *children]

    def _epics(self, team: Team, count: int) -> list[_Draft]:
        """Epics spread over the year, so that the old ones can be finished; Jira's stand below an initiative."""
        made: list[_Draft] = []
        above: _Draft | None = None
        if self.kind.has_initiatives:
            above = self._parentlike(team, "initiative", self.now - HISTORY - timedelta(days=20))
            made.append(above)
        for number in range(count - len(made)):
            created = self.now - HISTORY - timedelta(days=5) + number * (HISTORY - timedelta(days=15)) / max(1, count)
            epic = self._parentlike(team, "epic", created)
            epic.parent = above
            made.append(epic)
        return sorted(made, key=lambda epic: epic.created_at)

    def _parentlike(self, team: Team, type: str, created: datetime) -> _Draft:
        flaw = self._text_flaw(type)
        text = team.writer.initiative(flaw) if type == "initiative" else team.writer.epic(flaw)
        draft = _Draft(team, type, text, at_work(created, self.random), team.lead, flaws=[flaw] if flaw else [])
        draft.start["assignee"] = self._one_of(team.engineers) if self.random.random() < 0.5 else team.lead
        self._common(draft)
        return draft

    def _issue(self, team: Team, epics: list[_Draft]) -> _Draft:
        type = self.random.choices([name for name, _ in TYPES], [share for _, share in TYPES])[0]
        # A little more is written down each month than in the one before.
        created = at_work(self.now - HISTORY * (1 - self.random.random() ** 0.8), self.random)
        created = min(created, self.now - timedelta(minutes=self.random.randint(20, 4000)))
        flaw = self._text_flaw(type)
        draft = _Draft(team, type, self._text(team, type, flaw), created, self._one_of([*team.others, *team.engineers]))
        draft.flaws = [flaw] if flaw else []
        draft.parent = self._epic_for(draft, epics)
        self._common(draft)
        self._life(draft)
        return draft

    def _text(self, team: Team, type: str, flaw: str | None) -> Text:
        match type:
            case "story":
                return team.writer.story(flaw, field_share=0.15 if self.name == "jira" else 0.0)
            case "bug":
                return team.writer.bug(flaw)
            case "spike":
                return team.writer.spike()
            case _:
                return team.writer.task(flaw)

    def _subtask(self, team: Team, parent: _Draft) -> _Draft:
        earliest = parent.started_at or parent.created_at
        created = min(
            at_work(earliest - timedelta(hours=self.random.randint(0, 30)), self.random),
            self.now - timedelta(minutes=30),
        )
        created = max(created, parent.created_at + timedelta(minutes=5))
        draft = _Draft(team, "subtask", team.writer.subtask(), created, self._one_of(team.engineers), parent=parent)
        self._common(draft)
        starts = max(created, earliest) + timedelta(hours=self.random.randint(1, 20))
        self._work(draft, selected=created + timedelta(minutes=20), starts=at_work(starts, self.random))
        return draft

    def _text_flaw(self, type: str) -> str | None:
        if self.random.random() >= TEXT_FLAW_SHARE.get(type, 0.0):
            return None
        return self._one_of(FLAWS[type])

    def _epic_for(self, draft: _Draft, epics: list[_Draft]) -> _Draft | None:
        if self.random.random() < (0.08 if draft.type == "story" else 0.5):
            if draft.type == "story":
                draft.flaws.append("orphan")
            return None
        there = bisect_right(epics, draft.created_at, key=lambda epic: epic.created_at)
        recent = [epic for epic in epics[max(0, there - 3) : there] if epic.type == "epic"]
        return self._one_of(recent) if recent else None

    def _common(self, draft: _Draft) -> None:
        """Priority, estimate, labels and due date as they are set at creation."""
        random, start = self.random, draft.start
        if self.kind.has_priorities and random.random() > 0.12:
            start["priority"] = random.choices((1, 2, 3, 4), (5, 20, 55, 20))[0]
        if self.kind.has_estimates and draft.type in ("story", "task"):
            if random.random() < 0.1:
                draft.flaws.append("no_estimate")
            else:
                start["estimate"] = float(random.choices((1, 2, 3, 5, 8, 13), (15, 25, 30, 20, 8, 2))[0])
        labels = random.sample(AREAS, random.choices((0, 1, 2), (45, 40, 15))[0])
        start["labels"] = sorted([*labels, *([draft.type] if self.kind.labels_types else [])])
        if random.random() < 0.07:
            start["due_on"] = (draft.created_at + timedelta(days=random.randint(20, 120))).date()
        if draft.text.criteria_field is not None:
            start["fields"] = {"acceptance_criteria": draft.text.criteria_field}

    # -- what happens to an issue ------------------------------------------------------------------------------------

    def _life(self, draft: _Draft) -> None:
        random, team, created = self.random, draft.team, draft.created_at
        if self.kind.triage is not None and random.random() < 0.5:
            draft.start["status"] = self.kind.triage
            draft.step(
                at_work(created + lognormal_days(random, 1.2, 0.8), random), "status", self.kind.first, team.lead
            )
        if random.random() < 0.35:
            draft.start["assignee"] = self._owner(draft, self.now)
        if random.random() < 0.3:
            self._never_begun(draft)
            return
        selected = at_work(created + lognormal_days(random, 18.0, 1.1), random)
        starts = at_work(selected + lognormal_days(random, 2.0, 0.8), random)
        self._work(draft, selected=self._plan(draft, selected, starts), starts=starts)

    def _never_begun(self, draft: _Draft) -> None:
        """Many wishes stay in the backlog; some are dropped after a while."""
        if self.random.random() < 0.4:
            at = at_work(draft.created_at + lognormal_days(self.random, 100, 0.7), self.random)
            self._cancel(draft, at, draft.team.lead)
        if self.random.random() < 0.06:
            draft.flaws.append("inactive_owner")
            draft.start["assignee"] = self._one_of(draft.team.left)

    def _cancel(self, draft: _Draft, at: datetime, actor: str | None, *, is_duplicate: bool = False) -> None:
        draft.finished_at = at
        draft.step(at, "status", self.kind.cancelled, actor)
        if self.kind.resolutions is not None:
            draft.step(at, "resolution", self.kind.resolutions[2 if is_duplicate else 1], actor)

    def _plan(self, draft: _Draft, selected: datetime, starts: datetime) -> datetime:
        """Put the issue into the sprint of its start, mostly at planning; returns when it was selected."""
        team = draft.team
        index = team.sprint_at(starts)
        if index is None or self.random.random() < 0.2:
            return selected
        sprint = team.sprints[index]
        ahead = self.random.choice((3, 20, 50, 90, 240, 300))
        planned = sprint.starts_at - timedelta(hours=ahead, minutes=self.random.randint(0, 170))
        if planned < draft.created_at or self.random.random() < 0.12:
            planned = max(draft.created_at + timedelta(minutes=10), starts - timedelta(hours=self.random.randint(1, 8)))
        draft.step(planned, "sprint", sprint.id, team.lead)
        draft.start.setdefault("sprint_index", index)
        return planned

    def _work(self, draft: _Draft, *, selected: datetime, starts: datetime) -> None:
        """From selected to done, with reviews that send it back, blocked days and reopenings."""
        random, kind, team = self.random, self.kind, draft.team
        starts = max(starts, selected + timedelta(minutes=15))
        median, sigma = CYCLE[draft.type]
        ends = at_work(starts + lognormal_days(random, median, sigma), random)
        owner = self._owner(draft, starts)
        draft.started_at = starts
        draft.is_stuck = random.random() < 0.012
        draft.step(starts - timedelta(minutes=2), "assignee", owner, owner)
        if random.random() < 0.7:
            draft.pull_request_at = starts + (ends - starts) * random.uniform(0.2, 0.6)
        if not team.plan.has_board:
            self._finish(draft, ends, owner)
            return
        draft.step(selected, "status", kind.todo, team.lead)
        if random.random() > 0.03:  # the others are dragged straight to done
            self._review(draft, starts, ends, owner)
        self._block(draft, starts, ends, owner)
        self._finish(draft, ends, owner)
        self._carry_over(draft)

    def _review(self, draft: _Draft, starts: datetime, ends: datetime, owner: str) -> None:
        draft.step(starts, "status", self.kind.active, owner)
        at = starts + (ends - starts) * self.random.uniform(0.5, 0.85)
        if self.random.random() < 0.16:
            first = starts + (at - starts) * 0.6
            draft.step(first, "status", self.kind.review, owner)
            draft.step(first + (at - first) * 0.4, "status", self.kind.active, self._one_of(draft.team.engineers))
        if self.random.random() < 0.9:
            draft.step(at, "status", self.kind.review, owner)

    def _block(self, draft: _Draft, starts: datetime, ends: datetime, owner: str) -> None:
        if self.random.random() >= (0.5 if draft.is_stuck else 0.09):
            return
        at = starts + (ends - starts) * self.random.uniform(0.1, 0.4)
        free = at + (ends - at) * self.random.uniform(0.4, 0.9)
        if self.name == "jira":
            draft.step(at, "flagged", True, owner)
            if not draft.is_stuck:
                draft.step(free, "flagged", False, owner)
        else:
            draft.step(at, "+label", "blocked", owner)
            if not draft.is_stuck:
                draft.step(free, "-label", "blocked", owner)
        if self.random.random() < 0.6:
            draft.comments.append((at + timedelta(minutes=4), owner, self._one_of(phrases.BLOCKED_REASONS)))

    def _finish(self, draft: _Draft, ends: datetime, owner: str) -> None:
        if draft.is_stuck:
            draft.flaws.append("stuck")
            return
        random = self.random
        self._close(draft, ends, self.robot if random.random() < 0.12 else owner)
        if random.random() < 0.2:
            draft.step(ends + timedelta(hours=random.randint(1, 30)), "+label", "released", self.robot)
        reopened = 0
        while random.random() < (0.05, 0.2, 0.0)[reopened]:
            reopened += 1
            again = at_work(ends + lognormal_days(random, 4.0, 1.2), random)
            back_to = self.kind.active if draft.team.plan.has_board else self.kind.first
            draft.step(again, "status", back_to, self._one_of(draft.team.others))
            if self.kind.resolutions is not None:
                draft.step(again, "resolution", None, draft.team.lead)
            ends = at_work(again + lognormal_days(random, 1.0, 0.8), random)
            self._close(draft, ends, owner)

    def _close(self, draft: _Draft, at: datetime, actor: str) -> None:
        draft.finished_at = at
        draft.step(at, "status", self.kind.done, actor)
        if self.kind.resolutions is not None:
            draft.step(at, "resolution", self.kind.resolutions[0], actor)

    def _carry_over(self, draft: _Draft) -> None:
        """At the end of a sprint what is not done goes on into the next one."""
        index = draft.start.get("sprint_index")
        if index is None:
            return
        sprints = draft.team.sprints
        end = draft.finished_at or self.now + HISTORY
        while index + 1 < len(sprints) and sprints[index].ends_at < end:
            draft.step(sprints[index].ends_at + timedelta(seconds=1), "sprint", sprints[index + 1].id, draft.team.lead)
            index += 1

    def _close_epics(self, epics: list[_Draft], drafts: list[_Draft]) -> None:
        """An epic starts with its first child and is finished after its last, mostly."""
        below: dict[_Draft, list[_Draft]] = defaultdict(list)
        for draft in drafts:
            if draft.parent is not None:
                below[draft.parent].append(draft)
        for epic in epics:
            children = below[epic]
            begun = min((child.started_at for child in children if child.started_at is not None), default=None)
            if begun is None or not epic.team.plan.has_board:
                continue
            epic.started_at = begun
            epic.step(begun + timedelta(minutes=30), "status", self.kind.active, epic.team.lead)
            self._move_open_children_on(epic, epics, children)
            for child in children:
                if child.parent is not None and child.parent is not epic:
                    below[child.parent].append(child)
            kept = [child for child in children if child.parent is epic]
            ends = max((child.finished_at or self.now + HISTORY for child in kept), default=None)
            if ends is not None and self.random.random() < 0.85:
                self._close(
                    epic,
                    at_work(max(ends, begun) + timedelta(hours=self.random.randint(2, 60)), self.random),
                    epic.team.lead,
                )

    def _move_open_children_on(self, epic: _Draft, epics: list[_Draft], children: list[_Draft]) -> None:
        """Wishes that nobody began leave an old epic for a later one, or stand alone."""
        if epic.created_at > self.now - timedelta(days=120):
            return
        later = [each for each in epics if each.created_at > self.now - timedelta(days=120)]
        for child in children:
            ends = child.finished_at
            if (ends is None or ends > self.now) and self.random.random() < 0.95:
                target = self._one_of(later) if later else None
                child.step(max(child.created_at, self.now - timedelta(days=100)), "parent", target, epic.team.lead)
                child.parent, child.start["first_parent"] = target, epic

    # -- talk, bulk edits, links, moves ------------------------------------------------------------------------------

    def _talk(self, draft: _Draft) -> None:
        random = self.random
        until = min(draft.finished_at or self.now, self.now)
        span = max(until - draft.created_at, timedelta(hours=2))
        for _ in range(random.choices((0, 1, 2, 3, 5), (40, 28, 18, 10, 4))[0]):
            at = at_work(draft.created_at + span * random.random(), random)
            draft.comments.append((at, self._owner(draft, at), self._one_of(phrases.COMMENTS)))
        if random.random() < 0.12:
            at = (draft.finished_at or draft.created_at) + timedelta(minutes=random.randint(5, 90))
            draft.comments.append((at, self.robot, self._one_of(phrases.BOT_COMMENTS)))
        if draft.type == "story" and random.random() < 0.07:
            before = "\n\n".join(draft.text.body.split("\n\n")[:1])
            draft.start["first_body"] = before
            draft.step(
                draft.created_at + timedelta(hours=random.randint(1, 80)), "body", draft.text.body, draft.reporter
            )
        if random.random() < 0.04:
            draft.start["first_title"] = draft.text.title.split(",")[0] + " (draft)"
            draft.step(
                draft.created_at + timedelta(hours=random.randint(1, 50)), "title", draft.text.title, draft.team.lead
            )
        if draft.type == "epic" and draft.finished_at and random.random() < 0.6:
            result = draft.team.writer.result(draft.team.plan.domains[0])
            draft.comments.append((at_work(draft.finished_at + timedelta(days=25), random), draft.team.lead, result))

    def _bulk_edits(self, team: Team, drafts: list[_Draft]) -> None:
        """Twice a year somebody tidies up: many issues get a label, or are dropped, within minutes."""
        for age, what in ((48, "label"), (155, "cancel")):
            at = at_work(self.now - timedelta(days=age), self.random)
            idle = [
                draft for draft in drafts
                if draft.created_at < at - timedelta(days=25) and (draft.started_at or self.now) >= self.now
                and (draft.finished_at is None or draft.finished_at > self.now)
            ]  # fmt: skip
            touched = idle[:40] if what == "label" else [draft for draft in idle if draft.started_at is None][:24]
            if len(touched) < 5:
                continue
            for number, draft in enumerate(touched):
                moment = at + timedelta(seconds=4 * number)
                if what == "label":
                    draft.step(moment, "+label", "next-quarter", team.lead)
                else:
                    draft.steps = [step for step in draft.steps if step.at < moment]
                    self._cancel(draft, moment, team.lead)

    def _fill_the_next_sprint(self, team: Team, drafts: list[_Draft]) -> None:
        """Planning has begun: some wishes are already in the sprint to come."""
        ahead = [sprint for sprint in team.sprints if sprint.starts_at > self.now]
        waiting = [
            draft
            for draft in drafts
            if draft.created_at < self.now - timedelta(days=4)
            and (draft.started_at is None or draft.started_at > self.now)
            and (draft.finished_at is None or draft.finished_at > self.now)
            and not any(step.field == "sprint" and step.at <= self.now for step in draft.steps)
        ]
        if not ahead:
            return
        for draft in self.random.sample(waiting, min(len(waiting), max(2, len(drafts) // 40))):
            at = self.now - timedelta(hours=self.random.randint(2, 90))
            draft.steps = [step for step in draft.steps if step.at < at or step.field not in ("sprint", "status")]
            draft.step(at, "sprint", ahead[0].id, team.lead)
            if team.plan.has_board:
                draft.step(at, "status", self.kind.todo, team.lead)

    def _forget_owners(self, drafts: list[_Draft]) -> None:
        """One in six of what is in progress has nobody's name on it."""
        running = [
            draft
            for draft in drafts
            if draft.started_at is not None
            and draft.started_at <= self.now
            and (draft.finished_at is None or draft.finished_at > self.now)
        ]
        for draft in self.random.sample(running, -(-len(running) // 6)):
            draft.flaws.append("unassigned")
            draft.start.pop("assignee", None)
            draft.steps = [step for step in draft.steps if step.field != "assignee"]

    def _entangle(self, drafts: list[_Draft]) -> None:
        """Links between issues of a team, duplicates, one circle of blockers, and moves between projects."""
        for team in self.teams:
            own = [
                draft for draft in drafts if draft.team is team and draft.type not in ("epic", "initiative", "subtask")
            ]
            for draft in own:
                drawn = self.random.random()
                if drawn < 0.03:
                    draft.links.append(("blocks", self._one_of(own)))
                elif drawn < 0.06:
                    draft.links.append(("relates", self._one_of(own)))
            self._duplicates(team, own)
            self._circle(own)
        if self.kind.moves:
            self._moves(drafts)
        for draft in drafts:
            draft.links = [(kind, other) for kind, other in dict.fromkeys(draft.links) if other is not draft]

    def _duplicates(self, team: Team, own: list[_Draft]) -> None:
        waiting = [
            draft for draft in own if draft.started_at is None and draft.finished_at is None and draft.type == "bug"
        ]
        for draft in waiting[: len(own) // 60]:
            older = [each for each in own if each.type == "bug" and each.created_at < draft.created_at]
            if older:
                draft.links.append(("duplicates", self._one_of(older)))
                at = at_work(draft.created_at + timedelta(days=2), self.random)
                draft.steps = [step for step in draft.steps if step.at < at]
                self._cancel(draft, at, team.lead, is_duplicate=True)

    def _circle(self, own: list[_Draft]) -> None:
        waiting = [draft for draft in own if draft.started_at is None and draft.finished_at is None]
        if len(waiting) >= 6:
            first, second = waiting[-2:]
            first.links.append(("blocks", second))
            second.links.append(("blocks", first))
            first.flaws.append("circle")
            second.flaws.append("circle")

    def _moves(self, drafts: list[_Draft]) -> None:
        """About one issue in a hundred began in another project. Children and parents stay where they are."""
        tied = {draft.parent for draft in drafts if draft.parent is not None}
        for draft in drafts:
            free = (
                draft.parent is None
                and draft not in tied
                and draft.started_at is None
                and "first_parent" not in draft.start
            )
            if free and draft.type in ("bug", "task") and self.random.random() < 0.12:
                draft.moved_from = self._one_of([team for team in self.teams if team is not draft.team])
                age = (self.now - draft.created_at) / 2
                draft.moved_at = draft.created_at + age

    # -- the world at `now` ------------------------------------------------------------------------------------------

    def _settle(self, world: World, drafts: list[_Draft]) -> None:
        for draft in drafts:
            draft.made = self._issue_at_creation(world, draft)
        for draft in drafts:
            assert draft.made is not None
            if draft.moved_from is not None:
                self._number(world, draft.made, draft.team.plan.key)
            self._replay(draft, draft.made)
            world.issues[draft.made.id] = draft.made
            world.flaws[draft.made.id] = tuple(draft.flaws)
        if self.kind.labels_types:
            names = sorted({name for issue in world.issues.values() for name in issue.labels})
            world.labels = {name: self.ids.other() for name in (*names, "blocked")}
        self._retire(list(world.issues.values()))

    def _issue_at_creation(self, world: World, draft: _Draft) -> WorldIssue:
        start = draft.start
        made = WorldIssue(
            id=self.ids.issue(), project=draft.team.plan.key, number=0,
            title=start.get("first_title", draft.text.title), body=start.get("first_body", draft.text.body),
            type=draft.type, status=start.get("status", self.kind.first),
            created_at=draft.created_at, updated_at=draft.created_at, reporter=draft.reporter,
            assignee=start.get("assignee"), priority=start.get("priority"), estimate=start.get("estimate"),
            labels=list(start.get("labels", ())), due_on=start.get("due_on"), fields=dict(start.get("fields", {})),
        )  # fmt: skip
        self._number(world, made, (draft.moved_from or draft.team).plan.key)
        return made

    def _number(self, world: World, issue: WorldIssue, project: str) -> None:
        """The next number of a project; a few are missing, as after deletions. A second call is a move."""
        if issue.number:
            issue.former_keys.append(issue.key)
        owner = world.projects[project]
        owner.next_number += self.random.random() < 0.01
        issue.project, issue.number = project, owner.next_number
        owner.next_number += 1

    def _replay(self, draft: _Draft, issue: WorldIssue) -> None:
        """Apply what happened until now, in order, each event with the value that was there before."""
        first = draft.start.get("first_parent") or draft.parent
        issue.parent = first.made.id if first is not None and first.made is not None else None
        issue.links = [(kind, other.made.id) for kind, other in draft.links if other.made is not None]
        if draft.moved_from is not None and draft.moved_at is not None:
            draft.step(draft.moved_at, "project", draft.team.plan.key, draft.team.lead)
        for step in sorted(draft.steps, key=lambda step: step.at):
            if step.at <= self.now:
                self._apply(draft, issue, step)
        for at, author, text in sorted(draft.comments):
            if draft.created_at < at <= self.now:
                issue.comments.append(WorldComment(self.ids.other(), at.replace(microsecond=0), author, text))
        if draft.pull_request_at is not None and draft.pull_request_at <= self.now:
            issue.pull_request_at = draft.pull_request_at
        times = [*(event.at for event in issue.events), *(comment.at for comment in issue.comments)]
        issue.updated_at = max([issue.created_at, *times])

    def _apply(self, draft: _Draft, issue: WorldIssue, step: _Step) -> None:
        name, value = step.field, step.value
        match name:
            case "+label" | "-label":
                before: Any = list(issue.labels)
                kept = [label for label in before if label != value]
                name, value = "labels", sorted([*kept, value]) if name == "+label" else kept
                issue.labels = value
            case "flagged":
                before = bool(issue.fields.get("flagged"))
                issue.fields["flagged"] = value
            case "project":
                assert draft.moved_from is not None
                before = draft.moved_from.plan.key
            case "parent":
                before = issue.parent
                value = value.made.id if value is not None else None
                issue.parent = value
            case _:
                before = getattr(issue, name)
                setattr(issue, name, value)
        if before != value:
            issue.events.append(Event(self.ids.other(), step.at, step.actor, name, before, value))

    def _retire(self, issues: list[WorldIssue]) -> None:
        """Linear archives what is long closed, and GitHub has a few locked threads. Jira's archive hides issues."""
        over = {self.kind.done, self.kind.cancelled}
        old = [
            issue for issue in issues[10:] if issue.status in over and issue.updated_at < self.now - timedelta(days=150)
        ]
        if self.name == "linear":
            for issue in old[: len(old) // 3]:
                issue.is_archived, issue.archived_at = True, issue.updated_at + timedelta(days=90)
        if self.name == "github":
            for issue in old[:: max(1, len(old) // 4)][:4]:
                issue.is_locked = True

    # -- choices -----------------------------------------------------------------------------------------------------

    def _owner(self, draft: _Draft, at: datetime) -> str:
        """Somebody who was there at the time."""
        team = draft.team
        there: list[str] = [*team.engineers, *(team.left if at < self.now - LEFT else ())]
        return self._one_of(there)

    def _one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self.random.random() * len(choices))]


__all__ = ["generate"]
