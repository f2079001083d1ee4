"""A small tracker-neutral world behind the sandbox servers: issues, people, sprints, and every change that happened.

Each sandbox server shows one `World` in its tracker's own shape. All access is under `world.lock`; every mutation
records an event, moves `updated_at` and tells the listeners (webhooks).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import RLock
from typing import Any


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass
class WorldPerson:
    id: str
    name: str
    handle: str
    is_active: bool = True
    is_bot: bool = False


@dataclass
class WorldStatus:
    """`kind` is triage, backlog, unstarted, started, completed or cancelled; each server translates it."""

    id: str
    name: str
    kind: str


@dataclass
class WorldSprint:
    id: str
    number: int
    name: str
    project: str
    starts_at: datetime
    ends_at: datetime
    completed_at: datetime | None = None

    def state(self, now: datetime) -> str:
        if self.completed_at is not None:
            return "closed"
        return "active" if self.starts_at <= now else "future"


@dataclass
class WorldProject:
    key: str  # Jira project key, Linear team key, GitHub owner/name
    id: str
    name: str
    lead: str | None = None
    description: str = ""
    next_number: int = 1
    is_readable: bool = True


@dataclass
class Event:
    """One change. `field` is status, assignee, labels, sprint, estimate, title, body, priority, parent, due_on,
    resolution, project, or a name in `WorldIssue.fields` such as flagged.

    Values are ids (a sorted list for labels); `actor` is a person id or None for an automation.
    """

    id: str
    at: datetime
    actor: str | None
    field: str
    before: Any
    after: Any


@dataclass
class WorldComment:
    id: str
    at: datetime
    author: str | None
    body: Any  # Markdown, or what the tracker was sent (ADF as a dict, wiki markup as text)
    edited_at: datetime | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    thumbs: tuple[int, int] = (0, 0)  # up, down


@dataclass
class WorldIssue:
    id: str
    project: str
    number: int
    title: str
    body: Any
    type: str  # initiative | epic | story | task | bug | spike | subtask
    status: str
    created_at: datetime
    updated_at: datetime
    reporter: str | None = None
    assignee: str | None = None
    priority: int | None = None
    estimate: float | None = None
    labels: list[str] = field(default_factory=list)
    parent: str | None = None
    sprint: str | None = None
    due_on: date | None = None
    resolution: str | None = None
    links: list[tuple[str, str]] = field(default_factory=list)  # (kind, other issue id): blocks | duplicates | relates
    fields: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    comments: list[WorldComment] = field(default_factory=list)
    former_keys: list[str] = field(default_factory=list)
    is_archived: bool = False
    is_locked: bool = False
    archived_at: datetime | None = None
    is_trashed: bool = False
    pull_request_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.project}#{self.number}" if "/" in self.project else f"{self.project}-{self.number}"


@dataclass
class WorldHook:
    """A webhook that somebody registered. `covers` is a project key, or empty for all; `filter` is the tracker's."""

    id: str
    url: str
    secret: str | None
    events: list[str]
    covers: str = ""
    filter: str = ""
    label: str = ""
    is_enabled: bool = True
    owner: str | None = None
    last_status: int | None = None
    expires_at: datetime | None = None


Listener = Callable[[str, WorldIssue, Event | WorldComment | None, "str | None"], None]  # kind, issue, what, actor


@dataclass
class World:
    """`bot` is the person id of the account whose token the servers accept."""

    bot: str
    people: dict[str, WorldPerson] = field(default_factory=dict)
    statuses: dict[str, WorldStatus] = field(default_factory=dict)
    sprints: dict[str, WorldSprint] = field(default_factory=dict)
    projects: dict[str, WorldProject] = field(default_factory=dict)
    issues: dict[str, WorldIssue] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # name -> id, for trackers whose labels are things
    deleted: dict[str, WorldIssue] = field(default_factory=dict)
    flaws: dict[str, tuple[str, ...]] = field(default_factory=dict)  # issue id -> what was made wrong on purpose
    hooks: dict[str, WorldHook] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    clock: Callable[[], datetime] = now_utc
    ids: Callable[[], str] = lambda: str(uuid.uuid4())
    issue_ids: Callable[[], str] = lambda: str(uuid.uuid4())
    flavour: str = ""  # jira | linear | github, where the world was generated
    lock: RLock = field(default_factory=RLock)

    # -- questions -------------------------------------------------------------------------------------------------

    def find(self, reference: str) -> WorldIssue | None:
        """By id, key or former key."""
        with self.lock:
            found = self.issues.get(reference)
            if found is not None:
                return found
            wanted = reference.casefold()
            return next(
                (
                    i
                    for i in self.issues.values()
                    if wanted in (i.key.casefold(), *(k.casefold() for k in i.former_keys))
                ),
                None,
            )

    def in_project(self, key: str) -> list[WorldIssue]:
        with self.lock:
            return [issue for issue in self.issues.values() if issue.project == key]

    # -- changes ---------------------------------------------------------------------------------------------------

    def add_issue(self, issue: WorldIssue) -> WorldIssue:
        with self.lock:
            self.issues[issue.id] = issue
            project = self.projects[issue.project]
            project.next_number = max(project.next_number, issue.number + 1)
        self.tell("issue_created", issue, None, issue.reporter)
        return issue

    def change(
        self, issue: WorldIssue, field_name: str, value: Any, *, actor: str | None, at: datetime | None = None
    ) -> None:
        """Set a field, record the event; setting the present value does nothing, as in the trackers."""
        with self.lock:
            before = getattr(issue, field_name)
            if before == value:
                return
            moment = at or self.clock()
            setattr(issue, field_name, value)
            event = Event(self.ids(), moment, actor, field_name, before, value)
            issue.events.append(event)
            issue.updated_at = max(issue.updated_at, moment)
        self.tell("issue_updated", issue, event, actor)

    def add_labels(self, issue: WorldIssue, names: Iterable[str], *, actor: str | None) -> None:
        with self.lock:
            wanted = list(dict.fromkeys([*issue.labels, *names]))
        self.change(issue, "labels", wanted, actor=actor)

    def remove_labels(self, issue: WorldIssue, names: Iterable[str], *, actor: str | None) -> None:
        gone = set(names)
        with self.lock:
            kept = [name for name in issue.labels if name not in gone]
        self.change(issue, "labels", kept, actor=actor)

    def add_comment(
        self, issue: WorldIssue, body: Any, *, actor: str | None, at: datetime | None = None, id: str | None = None
    ) -> WorldComment:
        with self.lock:
            moment = at or self.clock()
            comment = WorldComment(id or self.ids(), moment, actor, body)
            issue.comments.append(comment)
            issue.updated_at = max(issue.updated_at, moment)
        self.tell("comment_created", issue, comment, actor)
        return comment

    def edit_comment(self, issue: WorldIssue, comment: WorldComment, body: Any, *, actor: str | None) -> None:
        with self.lock:
            comment.body = body
            comment.edited_at = self.clock()
            issue.updated_at = max(issue.updated_at, comment.edited_at)
        self.tell("comment_updated", issue, comment, actor)

    def delete_comment(self, issue: WorldIssue, comment_id: str, *, actor: str | None) -> None:
        with self.lock:
            gone = next((comment for comment in issue.comments if comment.id == comment_id), None)
            if gone is None:
                return
            issue.comments.remove(gone)
            issue.updated_at = max(issue.updated_at, self.clock())
        self.tell("comment_deleted", issue, gone, actor)

    def delete_issue(self, issue: WorldIssue, *, actor: str | None) -> None:
        with self.lock:
            self.deleted[issue.id] = self.issues.pop(issue.id)
        self.tell("issue_deleted", issue, None, actor)

    def move_issue(self, issue: WorldIssue, project: str, *, actor: str | None) -> None:
        """To another project of the same tracker, under a new number, as Jira and Linear do it."""
        with self.lock:
            target = self.projects[project]
            issue.former_keys.append(issue.key)
            issue.number, target.next_number = target.next_number, target.next_number + 1
            before, issue.project = issue.project, project
            moment = self.clock()
            event = Event(self.ids(), moment, actor, "project", before, project)
            issue.events.append(event)
            issue.updated_at = max(issue.updated_at, moment)
        self.tell("issue_updated", issue, event, actor)

    def archive_issue(self, issue: WorldIssue, *, actor: str | None) -> None:
        """Without moving `updated_at`, as Linear does (and Jira)."""
        with self.lock:
            issue.is_archived = True
            issue.archived_at = self.clock()
        self.tell("issue_archived", issue, None, actor)

    def tell(self, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None) -> None:
        for listener in list(self.listeners):
            listener(kind, issue, what, actor)
