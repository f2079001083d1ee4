"""The words of the domain: an issue with its history, as every rule, metric and report sees it.

Values are frozen and carry no behaviour beyond small questions about themselves. Times are aware
datetimes in UTC; `None` means that the tracker does not have the value, never "empty".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct


class StatusCategory(StrEnum):
    """What a status means for flow (catalogue 1.2)."""

    TRIAGE = "triage"
    BACKLOG = "backlog"
    TODO = "todo"
    ACTIVE = "active"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_started(self) -> bool:
        return self in (StatusCategory.ACTIVE, StatusCategory.WAITING)

    @property
    def is_open(self) -> bool:
        return self not in (StatusCategory.DONE, StatusCategory.CANCELLED)


class IssueType(StrEnum):
    """The types rules speak of (catalogue 1.3)."""

    INITIATIVE = "initiative"
    EPIC = "epic"
    STORY = "story"
    TASK = "task"
    BUG = "bug"
    SPIKE = "spike"
    SUBTASK = "subtask"
    INCIDENT = "incident"
    DECISION = "decision"


class Severity(StrEnum):
    """How much a finding weighs. CRITICAL is for secrets: private, and outside every score."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Presence(StrEnum):
    """Whether the tracker still shows the issue; deleted and unreadable are different facts."""

    PRESENT = "present"
    DELETED = "deleted"
    UNREADABLE = "unreadable"


class Markup(StrEnum):
    """The notation of a text. ADF texts are the JSON of Atlassian's document format."""

    MARKDOWN = "markdown"
    WIKI = "wiki"
    ADF = "adf"
    PLAIN = "plain"


class Tracker(StrEnum):
    JIRA = "jira"
    LINEAR = "linear"
    GITHUB = "github"
    FILE = "file"

    @property
    def has_started_statuses(self) -> bool:
        """Whether its own statuses say that work is under way; elsewhere a linked pull request may say it."""
        return self in (Tracker.JIRA, Tracker.LINEAR)


class LinkKind(StrEnum):
    """How this issue relates to the target: `BLOCKS` reads "this issue blocks the target"."""

    BLOCKS = "blocks"
    BLOCKED_BY = "blocked_by"
    DUPLICATES = "duplicates"
    DUPLICATED_BY = "duplicated_by"
    RELATES = "relates"
    CLONES = "clones"
    MIRRORS = "mirrors"
    PULL_REQUEST = "pull_request"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Status:
    """A status by the tracker's id, with the category that the source's mapping gives it."""

    id: str
    name: str
    category: StatusCategory = StatusCategory.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account in one source. `is_active` is None when the tracker does not say."""

    id: str
    name: str
    handle: str | None = None
    is_active: bool | None = None
    is_bot: bool = False
    email: str | None = None
    left_on: date | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    leave_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of status. `sequence` orders changes of the same instant as the tracker does."""

    at: datetime
    before: Status
    after: Status
    sequence: int = 0
    actor: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One change of any other field; values as the tracker prints them."""

    at: datetime
    field: str
    before: str | None = None
    after: str | None = None
    sequence: int = 0
    actor: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment. `is_own` marks the one that backlint manages; it never counts as activity.

    `may_write`: whether its author may change issues; None, as for the thumbs, where the tracker does not say.
    """

    id: str
    at: datetime
    author: str | None
    body: str
    markup: Markup = Markup.MARKDOWN
    edited_at: datetime | None = None
    is_bot: bool = False
    is_own: bool = False
    may_write: bool | None = None
    thumbs_up: int | None = None
    thumbs_down: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A relation to another issue of the same source (by id, else by key) or to a URL."""

    kind: LinkKind
    target: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprint:
    """A sprint; Linear's cycle and GitHub's iteration are sprints here."""

    id: str
    name: str
    state: str = "future"  # future | active | closed
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    completed_at: datetime | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintMembership:
    """When an issue was in a sprint. `added_at` None: since creation or unknown; `removed_at` None: still."""

    sprint: Sprint
    added_at: datetime | None = None
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    text: str
    is_ticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue as every rule sees it, whichever tracker it came from.

    `(source, id)` is its identity; `key` and `url` may change and are kept in `aliases`.
    `assignees`, `accountable`, `reporter` and every actor are person ids of the same source.
    `fields` holds mapped custom fields by their catalogue name (acceptance_criteria, outcome ...).
    """

    source: str
    id: str
    key: str
    title: str
    tracker: Tracker = Tracker.FILE
    url: str | None = None
    aliases: tuple[str, ...] = ()
    project: str | None = None
    team: str | None = None
    type: IssueType = IssueType.TASK
    type_name: str | None = None
    body: str = ""
    markup: Markup = Markup.MARKDOWN
    status: Status = Status("", "", StatusCategory.BACKLOG)
    resolution: str | None = None
    priority: int | None = None  # 1 highest .. 4 lowest; None: none set
    estimate: float | None = None
    estimate_unit: str = "points"
    labels: frozenset[str] = frozenset()
    assignees: tuple[str, ...] = ()
    accountable: tuple[str, ...] = ()
    reporter: str | None = None
    parent: str | None = None  # id in the same source
    sprints: tuple[SprintMembership, ...] = ()
    links: tuple[Link, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    rank: str | None = None  # sorts as text in the tracker's own backlog order
    due_on: date | None = None
    review_on: date | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    transitions: tuple[Transition, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    comments: tuple[Comment, ...] = ()
    history_is_complete: bool = True
    is_locked: bool = False
    is_archived: bool = False
    presence: Presence = Presence.PRESENT
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_open(self) -> bool:
        return self.status.category.is_open

    @property
    def is_started(self) -> bool:
        return self.status.category.is_started

    @property
    def identity(self) -> tuple[str, str]:
        return self.source, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What an issue may inherit from: a tracker's project, with its lead and the text that states its outcome."""

    source: str
    id: str
    name: str
    lead: str | None = None
    body: str = ""
    markup: Markup = Markup.MARKDOWN
    target_on: date | None = None


class Verdict(StrEnum):
    """What a rule says of an issue (catalogue 1.5). UNKNOWN is never a finding."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """The place that decided a verdict: `text[start:end]` of `field`, offsets in Unicode code points.

    For ADF the text is the plain rendering of the document (see `backlint.text.adf`), else the source as written.
    `kind` is F field, S section, C checklist, G Gherkin, P phrase (catalogue 1.6), or H history, T text dropped.
    """

    kind: str
    field: str
    excerpt: str
    start: int | None = None
    end: int | None = None
    confidence: float = 1.0
    note: str | None = None


class ScopeKind(StrEnum):
    """What a rule can judge instead of an issue."""

    TEAM = "team"
    PERSON = "person"
    SPRINT = "sprint"
    PROJECT = "project"
    CONNECTOR = "connector"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A team, a sprint, a project or a connector as something to judge; it stands where an issue stands elsewhere.

    `key` is its id among its kind, `name` what people call it. `team` is the team whose score its findings lower.
    """

    kind: ScopeKind
    source: str
    key: str
    name: str
    team: str | None = None

    @property
    def id(self) -> str:
        return f"{self.kind.value}:{self.key}"

    @property
    def identity(self) -> tuple[str, str]:
        return self.source, self.id

    @property
    def title(self) -> str:
        """With its kind, for a reader: `team Payments`."""
        return f"{self.kind.value} {self.name}"


INLINE_WAIVER = "N/A: "  # how the reason of a verdict begins whose author waived the rule in the text


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """One rule's verdict on one issue, or on a scope, with all that explains it.

    `reason` says why for verdicts other than fail; `message` and `question` speak for a failure.
    `discriminator` separates several failures of one rule on one issue in the fingerprint.
    """

    rule: str
    source: str
    issue: str
    verdict: Verdict
    severity: Severity = Severity.INFO
    message: str = ""
    question: str | None = None
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0
    discriminator: str = ""
    scope: Scope | None = None  # what is judged when it is no issue; `issue` is then the scope's id

    @property
    def is_waived_inline(self) -> bool:
        return self.verdict is Verdict.NOT_APPLICABLE and self.reason.startswith(INLINE_WAIVER)
