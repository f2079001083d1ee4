"""People at work in a sandbox: believable edits, for the demo and for tests of what changes between two runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from backlint.connectors.sandbox import phrases
from backlint.connectors.sandbox.stories import Writer
from backlint.connectors.sandbox.teams import Flavour, flavour_of
from backlint.connectors.sandbox.world import World, WorldIssue


@dataclass(frozen=True)
class Disturbance:
    """What one person did to one issue."""

    kind: str
    issue: str
    key: str
    actor: str


def disturb(world: World, *, seed: int, count: int, now: datetime) -> list[Disturbance]:
    """`count` random edits by people at `now`; the same seed does the same to the same world."""
    crowd = _Crowd(world, flavour_of(world.flavour), Random(seed), now)
    return [crowd.do_something() for _ in range(count)]


def human_actor(world: World, random: Random) -> str:
    """An active person."""
    return random.choice(sorted(id for id, person in world.people.items() if person.is_active and not person.is_bot))


def human_adds_criteria(world: World, issue: WorldIssue, *, actor: str, now: datetime, text: str | None = None) -> None:
    """The usual answer to our question: the author adds acceptance criteria to the text."""
    added = text or phrases.LATE_CRITERIA[0]
    present = issue.body if isinstance(issue.body, str) else ""
    world.change(issue, "body", f"{present}\n\n{added}".strip(), actor=actor, at=now)


def human_removes_label(world: World, issue: WorldIssue, label: str, *, actor: str) -> None:
    """Somebody does not want our label."""
    world.remove_labels(issue, [label], actor=actor)


@dataclass
class _Crowd:
    world: World
    kind: Flavour
    random: Random
    now: datetime

    def do_something(self) -> Disturbance:
        actions: list[tuple[int, str, Callable[[WorldIssue, str], None]]] = [
            (28, "moved", self._move),
            (18, "commented", self._comment),
            (12, "assigned", self._assign),
            (10, "criteria added", self._add_criteria),
            (8, "labelled", self._label),
            (6, "retitled", self._retitle),
            (5, "due date set", self._set_due),
            (4, "prioritised", self._prioritise),
            (3, "text emptied", self._empty),
        ]
        drawn = self.random.random()
        actor = human_actor(self.world, self.random)
        if drawn < 0.06:
            return self._done("created", self._create(actor), actor)
        issue = self._somewhere()
        if drawn < 0.075:
            self.world.delete_issue(issue, actor=actor)
            return self._done("deleted", issue, actor)
        _, name, act = self.random.choices(actions, [weight for weight, _, _ in actions])[0]
        act(issue, actor)
        return self._done(name, issue, actor)

    def _done(self, kind: str, issue: WorldIssue, actor: str) -> Disturbance:
        return Disturbance(kind, issue.id, issue.key, actor)

    def _somewhere(self) -> WorldIssue:
        """An issue that people may edit; mostly an open one."""
        editable = [i for i in self.world.issues.values() if not (i.is_archived or i.is_locked or i.is_trashed)]
        over = (self.kind.done, self.kind.cancelled)
        still_open = [issue for issue in editable if issue.status not in over]
        return self.random.choice(still_open if still_open and self.random.random() < 0.9 else editable)

    # -- edits -------------------------------------------------------------------------------------------------------

    def _move(self, issue: WorldIssue, actor: str) -> None:
        """On to the next step; what is done is reopened."""
        kind = self.kind
        onwards = {kind.triage: kind.first, kind.first: kind.todo, kind.todo: kind.active, kind.active: kind.review}
        if issue.status in (kind.done, kind.cancelled):
            self._set_status(issue, kind.active, None, actor)
        elif issue.status == kind.review:
            self._set_status(issue, kind.done, kind.resolutions[0] if kind.resolutions else None, actor)
        else:
            self._set_status(issue, onwards[issue.status], None, actor)

    def _set_status(self, issue: WorldIssue, status: str, resolution: str | None, actor: str) -> None:
        self.world.change(issue, "status", status, actor=actor, at=self.now)
        if self.kind.resolutions is not None:
            self.world.change(issue, "resolution", resolution, actor=actor, at=self.now)

    def _comment(self, issue: WorldIssue, actor: str) -> None:
        self.world.add_comment(issue, self.random.choice(phrases.COMMENTS), actor=actor, at=self.now)

    def _assign(self, issue: WorldIssue, actor: str) -> None:
        others = [id for id in (actor, human_actor(self.world, self.random)) if id != issue.assignee]
        self.world.change(issue, "assignee", others[0] if others else None, actor=actor, at=self.now)

    def _add_criteria(self, issue: WorldIssue, actor: str) -> None:
        text = self.random.choice(phrases.LATE_CRITERIA)
        human_adds_criteria(self.world, issue, actor=actor, now=self.now, text=text)

    def _empty(self, issue: WorldIssue, actor: str) -> None:
        if not issue.body:
            self._add_criteria(issue, actor)
            return
        self.world.change(issue, "body", "", actor=actor, at=self.now)

    def _label(self, issue: WorldIssue, actor: str) -> None:
        name = self.random.choice(("next-quarter", "needs-design", "customer-request"))
        kept = [label for label in issue.labels if label != name]
        wanted = kept if len(kept) < len(issue.labels) else sorted([*kept, name])
        self.world.change(issue, "labels", wanted, actor=actor, at=self.now)

    def _retitle(self, issue: WorldIssue, actor: str) -> None:
        suffix = self.random.choice((" on small screens", " for the pilot", " (second attempt)", " in one step"))
        title = issue.title.removesuffix(suffix) if issue.title.endswith(suffix) else issue.title + suffix
        self.world.change(issue, "title", title, actor=actor, at=self.now)

    def _set_due(self, issue: WorldIssue, actor: str) -> None:
        due = (self.now + timedelta(days=self.random.randint(3, 60))).date()
        self.world.change(issue, "due_on", due, actor=actor, at=self.now)

    def _prioritise(self, issue: WorldIssue, actor: str) -> None:
        if not self.kind.has_priorities:
            self._comment(issue, actor)
            return
        other = [priority for priority in (1, 2, 3, 4) if priority != issue.priority]
        self.world.change(issue, "priority", self.random.choice(other), actor=actor, at=self.now)

    def _create(self, actor: str) -> WorldIssue:
        plan = self.random.choice(self.kind.plans)
        project = self.world.projects[plan.key]
        writer = Writer(self.random, plan.domains, self.now.date(), taken={i.title for i in self.world.issues.values()})
        type = self.random.choice(("story", "story", "bug", "task"))
        flaw = self.random.choice((None, "empty"))
        text = {"story": writer.story, "bug": writer.bug, "task": writer.task}[type](flaw)
        with self.world.lock:
            number, project.next_number = project.next_number, project.next_number + 1
            id = self.world.issue_ids()
        issue = WorldIssue(
            id, plan.key, number, text.title, text.body, type, self.kind.triage or self.kind.first, self.now, self.now,
            reporter=actor, labels=[type] if self.kind.labels_types else [],
        )  # fmt: skip
        return self.world.add_issue(issue)
