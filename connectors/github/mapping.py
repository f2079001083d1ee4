"""GitHub's payloads as issues: typed structs for what GraphQL sends, one small function for each part of an issue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from backlint.connectors.contract import MARKER
from backlint.connectors.github import statuses
from backlint.connectors.github.statuses import Chain, Present, Step
from backlint.connectors.http import decode
from backlint.errors import MalformedPayload
from backlint.model import (
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Person,
    Sprint,
    SprintMembership,
    StatusCategory,
    Tracker,
)

# A time without a zone is refused with its path: whose time it would be is not told.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
HIDDEN_MARKER = f"<!-- {MARKER} -->"
WRITERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})  # of CommentAuthorAssociation
# Type names and labels that mean a type in most repositories; `types` in the settings adds to them and wins.
TYPE_NAMES: Mapping[str, IssueType] = {
    "initiative": IssueType.INITIATIVE,
    "epic": IssueType.EPIC,
    "feature": IssueType.STORY,
    "feature request": IssueType.STORY,
    "enhancement": IssueType.STORY,
    "story": IssueType.STORY,
    "user story": IssueType.STORY,
    "task": IssueType.TASK,
    "chore": IssueType.TASK,
    "maintenance": IssueType.TASK,
    "bug": IssueType.BUG,
    "defect": IssueType.BUG,
    "regression": IssueType.BUG,
    "spike": IssueType.SPIKE,
    "research": IssueType.SPIKE,
    "investigation": IssueType.SPIKE,
    "subtask": IssueType.SUBTASK,
    "sub-task": IssueType.SUBTASK,
    "incident": IssueType.INCIDENT,
    "decision": IssueType.DECISION,
    "adr": IssueType.DECISION,
}
TYPE_PREFIX = re.compile(r"^(?:type|kind)\s*[:/=-]\s*")
PRIORITY_LABEL = re.compile(r"^(?:(?:priority|prio)\s*[:/=_-]?\s*(?P<word>.+)|(?P<level>p[0-4]))$")
PRIORITY_WORDS: Mapping[str, int] = {
    "critical": 1, "urgent": 1, "highest": 1, "blocker": 1, "p0": 1, "p1": 1, "0": 1, "1": 1,
    "high": 2, "p2": 2, "2": 2,
    "medium": 3, "normal": 3, "moderate": 3, "p3": 3, "3": 3,
    "low": 4, "lowest": 4, "p4": 4, "4": 4,
}  # fmt: skip
# Board fields read under these names when the settings do not name one.
ESTIMATE_FIELDS = frozenset({"estimate", "story points", "points"})
DUE_FIELDS = frozenset({"due", "due date", "due on"})
PRIORITY_FIELDS = frozenset({"priority"})


class _Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """GraphQL writes names in camel case."""


class Actor(_Camel, frozen=True, kw_only=True):
    login: str
    typename: str = msgspec.field(name="__typename", default="User")
    database_id: int | None = None


class Named(_Camel, frozen=True, kw_only=True):
    name: str | None = None


class Repository(_Camel, frozen=True, kw_only=True):
    name_with_owner: str


class Reference(_Camel, frozen=True, kw_only=True):
    """Another issue. `full_database_id` came later; the old id stops at 2^31."""

    number: int | None = None
    repository: Repository | None = None
    database_id: int | None = None
    full_database_id: int | str | None = None

    @property
    def id(self) -> str | None:
        """Its identity here: the database id, else the key."""
        known = self.full_database_id or self.database_id
        if known:
            return str(known)
        return f"{self.repository.name_with_owner}#{self.number}" if self.repository else None


class Subject(_Camel, frozen=True, kw_only=True):
    """What closed or mentioned the issue: only a pull request says more than its kind."""

    typename: str = msgspec.field(name="__typename", default="")
    url: str | None = None
    created_at: Moment | None = None


class PageInfo(_Camel, frozen=True, kw_only=True):
    has_next_page: bool = False
    end_cursor: str | None = None


class CommentNode(_Camel, frozen=True, kw_only=True):
    database_id: int | None = None
    full_database_id: int | str | None = None
    body: str
    created_at: Moment
    last_edited_at: Moment | None = None
    author: Actor | None = None
    author_association: str | None = None


class Board(_Camel, frozen=True, kw_only=True):
    number: int
    id: str = ""
    title: str = ""


class Event(_Camel, frozen=True, kw_only=True):
    """One timeline event of any kind; each kind fills some of the fields."""

    typename: str = msgspec.field(name="__typename")
    created_at: Moment | None = None
    actor: Actor | None = None
    label: Named | None = None
    assignee: Actor | None = None
    state_reason: str | None = None
    closer: Subject | None = None
    source: Subject | None = None
    subject: Subject | None = None
    will_close_target: bool = False
    previous_title: str | None = None
    current_title: str | None = None
    milestone_title: str | None = None
    canonical: Reference | None = None
    parent: Reference | None = None
    blocking_issue: Reference | None = None
    issue_type: Named | None = None
    prev_issue_type: Named | None = None
    previous_status: str | None = None
    status: str | None = None
    was_automated: bool = False
    project: Board | None = None


class Comments(_Camel, frozen=True, kw_only=True):
    nodes: tuple[CommentNode | None, ...] = ()
    page_info: PageInfo = PageInfo()


class Events(_Camel, frozen=True, kw_only=True):
    nodes: tuple[Event | None, ...] = ()
    page_info: PageInfo = PageInfo()


class References(_Camel, frozen=True, kw_only=True):
    nodes: tuple[Reference | None, ...] = ()


class NamedNodes(_Camel, frozen=True, kw_only=True):
    nodes: tuple[Named | None, ...] = ()


class Actors(_Camel, frozen=True, kw_only=True):
    nodes: tuple[Actor | None, ...] = ()


class Milestone(_Camel, frozen=True, kw_only=True):
    title: str
    due_on: Moment | None = None


class IssueNode(_Camel, frozen=True, kw_only=True):
    id: str
    number: int
    title: str
    state: str
    url: str
    created_at: Moment
    updated_at: Moment
    database_id: int | None = None
    full_database_id: int | str | None = None
    body: str | None = None
    state_reason: str | None = None
    locked: bool = False
    closed_at: Moment | None = None
    last_edited_at: Moment | None = None
    author: Actor | None = None
    editor: Actor | None = None
    assignees: Actors = Actors()
    labels: NamedNodes | None = None
    milestone: Milestone | None = None
    issue_type: Named | None = None
    parent: Reference | None = None
    blocked_by: References = References()
    blocking: References = References()
    comments: Comments = Comments()
    timeline_items: Events = Events()
    project_items: BoardItems | None = None
    board_events: Events = msgspec.field(default_factory=Events)


class FieldValue(_Camel, frozen=True, kw_only=True):
    """A value on the board; the kind says which of these is filled."""

    typename: str = msgspec.field(name="__typename", default="")
    field: Named | None = None
    name: str | None = None
    number: float | None = None
    text: str | None = None
    day: str | None = msgspec.field(name="date", default=None)
    title: str | None = None
    iteration_id: str | None = None
    start_date: date | None = None
    duration: int = 0
    updated_at: Moment | None = None

    @property
    def field_name(self) -> str:
        return (self.field.name if self.field else None) or ""


class FieldValues(_Camel, frozen=True, kw_only=True):
    nodes: tuple[FieldValue | None, ...] = ()


class BoardItem(_Camel, frozen=True, kw_only=True):
    is_archived: bool = False
    updated_at: Moment | None = None
    project: Board | None = None
    field_values: FieldValues = FieldValues()


class BoardItems(_Camel, frozen=True, kw_only=True):
    nodes: tuple[BoardItem | None, ...] = ()


class BoardNode(_Camel, frozen=True, kw_only=True):
    project_items: BoardItems | None = None
    timeline_items: Events = Events()


class Envelope(_Camel, frozen=True, kw_only=True):
    """What is kept as the raw payload: the answer about one issue, and where it was asked.

    `board` is what was asked about boards by itself; as a rule it came with the issue.
    """

    repository: str
    is_archived: bool = False
    issue: msgspec.Raw
    board: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How payloads of one source are to be read."""

    source: str
    now: datetime
    own_account: str | None = None
    statuses: Mapping[str, StatusCategory] = field(default_factory=lambda: MappingProxyType({}))
    types: Mapping[str, IssueType] = field(default_factory=lambda: MappingProxyType({}))
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    former_repository: str | None = None  # the configured name, where the repository has been renamed since

    @property
    def type_names(self) -> Mapping[str, IssueType]:
        return {**TYPE_NAMES, **{name.casefold(): type for name, type in self.types.items()}}


def envelope(repository: str, *, is_archived: bool, issue: bytes, board: bytes | None = None) -> bytes:
    """The raw payload of one issue, as it is stored."""
    name = msgspec.json.encode(repository)
    archived = b"true" if is_archived else b"false"
    return b'{"repository":%s,"isArchived":%s,"issue":%s,"board":%s}' % (name, archived, issue, board or b"null")


def issue_from(raw: bytes, reading: Reading) -> Issue:
    """One stored payload as an issue. MalformedPayload names the issue and the path of what is missing."""
    outer = decode(raw, Envelope, source=reading.source)
    name = _name_in(bytes(outer.issue), outer.repository)
    node = decode(bytes(outer.issue), IssueNode, issue=name, source=reading.source)
    board = decode(bytes(outer.board), BoardNode | None, issue=name, source=reading.source)  # type: ignore[arg-type]
    return _issue(
        node, board or BoardNode(project_items=node.project_items, timeline_items=node.board_events), outer, reading
    )


def _issue(node: IssueNode, board: BoardNode, outer: Envelope, reading: Reading) -> Issue:
    key = f"{outer.repository}#{node.number}"
    item = chosen_item(board, reading.statuses)
    events = known_events(node.timeline_items, key, reading)
    moves = known_events(board.timeline_items, key, reading)
    chain = status_chain(node, item, events, moves)
    type_name, type = issue_type(node, reading)
    values = board_values(item)
    issue = Issue(
        source=reading.source,
        id=identity(node.full_database_id, node.database_id, key=key, reading=reading),
        key=key,
        aliases=(f"{reading.former_repository}#{node.number}",) if reading.former_repository else (),
        title=node.title,
        tracker=Tracker.GITHUB,
        url=node.url,
        project=outer.repository,
        type=type,
        type_name=type_name,
        body=node.body or "",
        status=chain.status,
        resolution=statuses.reason_of(node.state_reason) if node.state == "CLOSED" else None,
        priority=priority(label_names(node), values),
        estimate=estimate(values, reading.fields),
        labels=frozenset(label_names(node)),
        assignees=tuple(person_id(actor) for actor in node.assignees.nodes if actor),
        reporter=person_id(node.author) if node.author else None,
        parent=node.parent.id if node.parent else None,
        sprints=sprints(values, reading),
        links=tuple(links(node, events)),
        due_on=due_on(values),
        review_on=day(values.get(reading.fields.get("review_on", "").casefold())),
        created_at=utc(node.created_at),
        updated_at=utc(node.updated_at),
        transitions=chain.transitions,
        changes=tuple(changes(node, events, reading)),
        comments=tuple(comment(each, key, reading) for each in node.comments.nodes if each),
        history_is_complete=chain.is_complete
        and not node.timeline_items.page_info.has_next_page
        and not node.comments.page_info.has_next_page,
        is_locked=node.locked,
        is_archived=outer.is_archived,
        fields=custom_fields(node, values, reading.fields),
    )
    return statuses.categorised(issue, reading.statuses)


def identity(full: int | str | None, short: int | None, *, key: str, reading: Reading) -> str:
    """The database id as text. Node ids will not do: the same issue has had two forms of them."""
    found = full or short
    if not found:
        raise MalformedPayload(f"{reading.source} issue {key}: it has no database id", issue=key, path="$.databaseId")
    return str(found)


def person_id(actor: Actor) -> str:
    return str(actor.database_id) if actor.database_id else actor.login


def person(actor: Actor, *, is_active: bool | None = None) -> Person:
    return Person(
        id=person_id(actor),
        name=actor.login,
        handle=actor.login,
        is_active=is_active,
        is_bot=is_bot(actor),
    )


def is_bot(actor: Actor | None) -> bool:
    return actor is not None and (actor.typename == "Bot" or actor.login.endswith("[bot]"))


def label_names(node: IssueNode) -> tuple[str, ...]:
    nodes = node.labels.nodes if node.labels else ()
    return tuple(label.name for label in nodes if label and label.name)


# -- status ------------------------------------------------------------------------------------------------------------


def chosen_item(board: BoardNode, configured: Mapping[str, StatusCategory]) -> BoardItem | None:
    """The board that speaks for the issue: configured options first, then one with a status, then by number."""
    named = {id.split(":")[1] for id in configured if id.startswith("project:")}
    items = [item for item in (board.project_items.nodes if board.project_items else ()) if item and item.project]

    def rank(item: BoardItem) -> tuple[bool, bool, bool, int]:
        number = item.project.number if item.project else 0
        return str(number) not in named, item.is_archived, status_value(item) is None, number

    return min(items, key=rank, default=None)


def status_value(item: BoardItem | None) -> FieldValue | None:
    return next((value for value in _values(item) if value.field_name == "Status" and value.name), None)


def status_chain(node: IssueNode, item: BoardItem | None, events: Sequence[Event], moves: Sequence[Event]) -> Chain:
    """Closings and the moves on one board as one chain, in the order of time."""
    board = item.project.number if item and item.project else _board_of(moves)
    value = status_value(item)
    closed_as = statuses.reason_of(node.state_reason) if node.state == "CLOSED" else None
    present = Present(
        closed_as=closed_as,
        option=value.name if value else None,
        since=utc((node.closed_at if closed_as else None) or (value.updated_at if value else None) or node.updated_at),
    )
    steps = [*closings(events), *board_steps(moves, board)]
    return statuses.follow(steps, board=board, present=present)


def closings(events: Iterable[Event]) -> Iterator[Step]:
    for event in events:
        if event.typename == "ClosedEvent":
            yield _step(event, "closed", statuses.reason_of(event.state_reason))
        elif event.typename == "ReopenedEvent":
            yield _step(event, "reopened", None)


def board_steps(moves: Iterable[Event], board: int) -> Iterator[Step]:
    """The moves on one board. Being put on it counts where the first move says which option that meant."""
    added: Event | None = None
    is_first = True
    for event in moves:
        if event.project is None or event.project.number != board:
            continue
        match event.typename:
            case "AddedToProjectV2Event":
                added = event
            case "RemovedFromProjectV2Event":
                yield _step(event, "board", None)
            case "ProjectV2ItemStatusChangedEvent":
                if is_first and added is not None and event.previous_status:
                    yield _step(added, "board", event.previous_status)
                    yield _step(event, "board", event.status or None)
                else:
                    yield _step(event, "board", event.status or None, before=event.previous_status or None)
                is_first = False
            case _:
                continue


def _board_of(moves: Iterable[Event]) -> int:
    """The board that the issue was on last: its items no longer show it."""
    numbers = [event.project.number for event in moves if event.project]
    return numbers[-1] if numbers else 0


def _step(event: Event, kind: str, value: str | None, *, before: str | None = None) -> Step:
    return Step(
        at=_at(event),
        kind=kind,
        value=value,
        before=before,
        actor=person_id(event.actor) if event.actor else None,
        is_bot=is_bot(event.actor) or event.was_automated,
    )


# -- type, priority, planning ------------------------------------------------------------------------------------------


def issue_type(node: IssueNode, reading: Reading) -> tuple[str | None, IssueType]:
    """The type's name as the tracker has it (its issue type, else the label that says it) and what it means here."""
    names = reading.type_names
    if node.issue_type and node.issue_type.name:
        name = node.issue_type.name
        return name, names.get(name.casefold(), IssueType.TASK)
    for label in label_names(node):
        found = names.get(label.casefold()) or names.get(_unprefixed(label))
        if found is not None:
            return label, found
    return None, IssueType.TASK


def _unprefixed(label: str) -> str:
    """`kind/bug`, `type: bug` and `🐛 bug` all say bug."""
    plain = re.sub(r"^[^\w]+|[^\w]+$", "", label.casefold())
    return TYPE_PREFIX.sub("", plain).strip()


def priority(labels: Iterable[str], values: Mapping[str, FieldValue]) -> int | None:
    """From the board's Priority field, else from a label that can mean nothing else (`P1`, `priority: high`)."""
    for name in PRIORITY_FIELDS:
        value = values.get(name)
        if value is not None and value.name:
            return PRIORITY_WORDS.get(re.sub(r"[^\w]+", "", value.name.casefold()))
    found = [level for level in map(_label_priority, labels) if level is not None]
    return min(found, default=None)


def _label_priority(label: str) -> int | None:
    match = PRIORITY_LABEL.fullmatch(re.sub(r"^[^\w]+|[^\w]+$", "", label.casefold()))
    return PRIORITY_WORDS.get((match["word"] or match["level"]).strip()) if match else None


def estimate(values: Mapping[str, FieldValue], fields: Mapping[str, str]) -> float | None:
    names = [fields["estimate"].casefold()] if "estimate" in fields else sorted(ESTIMATE_FIELDS)
    for name in names:
        value = values.get(name)
        if value is None:
            continue
        written = value.number if value.number is not None else _number(value.name or value.text)
        if written is not None:
            return written
    return None


def due_on(values: Mapping[str, FieldValue]) -> date | None:
    """A date field of the board that says so. A milestone's date is its own fact, see `custom_fields`."""
    return next((found for name in sorted(DUE_FIELDS) if (found := day(values.get(name)))), None)


def day(value: FieldValue | None) -> date | None:
    try:
        return date.fromisoformat(value.day[:10]) if value and value.day else None
    except ValueError:
        return None


def sprints(values: Mapping[str, FieldValue], reading: Reading) -> tuple[SprintMembership, ...]:
    """The iteration. GitHub keeps no history of it: known is when the present one was set."""
    wanted = reading.fields.get("sprint", "").casefold()
    for name, value in values.items():
        if value.iteration_id and value.start_date and (not wanted or name == wanted):
            title, start = value.title or "", value.start_date
            sprint = iteration(value.iteration_id, title, start, value.duration, now=reading.now)
            return (SprintMembership(sprint=sprint, added_at=utc(value.updated_at) if value.updated_at else None),)
    return ()


def iteration(id: str, title: str, start: date, days: int, *, now: datetime) -> Sprint:
    """An iteration as a sprint; it ends with the day before the next one may start."""
    starts_at = datetime(start.year, start.month, start.day, tzinfo=UTC)
    ends_at = starts_at + timedelta(days=days)
    state = "closed" if ends_at <= now else "active" if starts_at <= now else "future"
    return Sprint(id=id, name=title, state=state, starts_at=starts_at, ends_at=ends_at)


def custom_fields(node: IssueNode, values: Mapping[str, FieldValue], fields: Mapping[str, str]) -> Mapping[str, Any]:
    """The mapped fields of the board by their catalogue name, and the milestone with its date."""
    found: dict[str, Any] = {}
    for name, theirs in fields.items():
        value = values.get(theirs.casefold())
        plain = _plain_value(value) if value else None
        if plain is not None and name not in ("estimate", "sprint", "review_on"):
            found[name] = plain
    if node.milestone:
        found["milestone"] = node.milestone.title
        if node.milestone.due_on:
            found["milestone_due_on"] = node.milestone.due_on.date().isoformat()
    return MappingProxyType(found)


def board_values(item: BoardItem | None) -> dict[str, FieldValue]:
    """The board's values by the casefolded name of their field."""
    return {value.field_name.casefold(): value for value in _values(item) if value.field_name}


def _values(item: BoardItem | None) -> Iterator[FieldValue]:
    return (value for value in (item.field_values.nodes if item else ()) if value)


def _plain_value(value: FieldValue) -> str | float | None:
    for found in (value.number, value.text, value.day, value.name, value.title):
        if found is not None:
            return found
    return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


# -- links, changes, comments ------------------------------------------------------------------------------------------


def links(node: IssueNode, events: Sequence[Event]) -> Iterator[Link]:
    blocked_at = {e.blocking_issue.id: _at(e) for e in events if e.blocking_issue}
    for reference in node.blocked_by.nodes:
        if reference and reference.id:
            yield Link(LinkKind.BLOCKED_BY, reference.id, blocked_at.get(reference.id))
    for reference in node.blocking.nodes:
        if reference and reference.id:
            yield Link(LinkKind.BLOCKS, reference.id)
    yield from _duplicates(events)
    yield from pull_requests(events)


def _duplicates(events: Iterable[Event]) -> Iterator[Link]:
    marked: dict[str, datetime] = {}
    for event in events:
        target = event.canonical.id if event.canonical else None
        if target and event.typename == "MarkedAsDuplicateEvent":
            marked[target] = _at(event)
        elif target and event.typename == "UnmarkedAsDuplicateEvent":
            marked.pop(target, None)
    for target, at in marked.items():
        yield Link(LinkKind.DUPLICATES, target, at)


def pull_requests(events: Iterable[Event]) -> Iterator[Link]:
    """The pull requests that are to close the issue or did; work on them began when they were opened."""
    linked: dict[str, datetime] = {}
    for event in events:
        found = _pull_request(event)
        if found is None or found.url is None:
            continue
        if event.typename == "DisconnectedEvent":
            linked.pop(found.url, None)
        else:
            linked.setdefault(found.url, utc(found.created_at) if found.created_at else _at(event))
    for url, at in sorted(linked.items(), key=lambda pair: pair[1]):
        yield Link(LinkKind.PULL_REQUEST, url, at)


def _pull_request(event: Event) -> Subject | None:
    if event.typename == "CrossReferencedEvent" and not event.will_close_target:
        return None  # a mention
    subjects = (event.source, event.subject, event.closer)
    return next((each for each in subjects if each and each.typename == "PullRequest"), None)


def changes(node: IssueNode, events: Sequence[Event], reading: Reading) -> Iterator[FieldChange]:
    """Every other change, and the last edit of the body, which is all that GitHub tells of those."""
    for sequence, event in enumerate(events):
        change = _change(event, sequence, reading)
        if change is not None:
            yield change
    if node.last_edited_at is not None:
        yield FieldChange(
            at=utc(node.last_edited_at),
            field="body",
            sequence=len(events),
            actor=person_id(node.editor) if node.editor else None,
            is_bot=is_bot(node.editor),
        )


def _change(event: Event, sequence: int, reading: Reading) -> FieldChange | None:
    read = CHANGES.get(event.typename)
    if read is None:
        return None
    name, before, after = read(event)
    actor = person_id(event.actor) if event.actor else None
    # Labels are what we write ourselves; with a token of a person these changes carry that person's name.
    is_own = name == "labels" and actor is not None and actor == reading.own_account
    return FieldChange(
        at=_at(event),
        field=name,
        before=before,
        after=after,
        sequence=sequence,
        actor=actor,
        is_bot=is_bot(event.actor) or is_own,
    )


def _name_of(named: Named | None) -> str | None:
    return named.name if named else None


def _login(actor: Actor | None) -> str | None:
    return actor.login if actor else None


def _id(reference: Reference | None) -> str | None:
    return reference.id if reference else None


# Event -> (field, before, after). Closings and board moves are transitions; links come as links.
CHANGES: Mapping[str, Callable[[Event], tuple[str, str | None, str | None]]] = {
    "LabeledEvent": lambda e: ("labels", None, _name_of(e.label)),
    "UnlabeledEvent": lambda e: ("labels", _name_of(e.label), None),
    "AssignedEvent": lambda e: ("assignee", None, _login(e.assignee)),
    "UnassignedEvent": lambda e: ("assignee", _login(e.assignee), None),
    "MilestonedEvent": lambda e: ("milestone", None, e.milestone_title),
    "DemilestonedEvent": lambda e: ("milestone", e.milestone_title, None),
    "RenamedTitleEvent": lambda e: ("title", e.previous_title, e.current_title),
    "ParentIssueAddedEvent": lambda e: ("parent", None, _id(e.parent)),
    "ParentIssueRemovedEvent": lambda e: ("parent", _id(e.parent), None),
    "IssueTypeAddedEvent": lambda e: ("type", None, _name_of(e.issue_type)),
    "IssueTypeChangedEvent": lambda e: ("type", _name_of(e.prev_issue_type), _name_of(e.issue_type)),
    "IssueTypeRemovedEvent": lambda e: ("type", _name_of(e.issue_type), None),
}


def comment(node: CommentNode, key: str, reading: Reading) -> Comment:
    author = person_id(node.author) if node.author else None
    return Comment(
        id=identity(node.full_database_id, node.database_id, key=key, reading=reading),
        at=utc(node.created_at),
        author=author,
        body=node.body,
        edited_at=utc(node.last_edited_at) if node.last_edited_at else None,
        is_bot=is_bot(node.author),
        is_own=is_own(node.body, author, reading.own_account),
        may_write=may_write(node.author_association),
    )


def may_write(association: str | None) -> bool | None:
    """Whether the author of a comment belongs to the repository's own people; GitHub says nothing nearer than that."""
    return None if association is None else association in WRITERS


def is_own(body: str, author: str | None, own_account: str | None) -> bool:
    """Marked and written by us: a marker that somebody quoted must not make their comment ours."""
    return own_account is not None and author == own_account and HIDDEN_MARKER in body


def known_events(events: Events, key: str, reading: Reading) -> tuple[Event, ...]:
    """The events of kinds we asked for. Others come without a time and are left out; they are no error."""
    found = []
    for position, event in enumerate(events.nodes):
        if event is None:
            continue
        if event.created_at is not None:
            found.append(event)
        elif event.typename in CHANGES or event.typename in ("ClosedEvent", "ReopenedEvent"):
            path = f"$.timelineItems.nodes[{position}].createdAt"
            raise MalformedPayload(f"{reading.source} issue {key}: {path} is missing", issue=key, path=path)
    return tuple(found)


def _at(event: Event) -> datetime:
    assert event.created_at is not None  # held by known_events
    return utc(event.created_at)


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _name_in(raw: bytes, repository: str) -> str:
    """How to call an issue that may turn out to be unreadable."""
    try:
        number = msgspec.json.decode(raw, type=Reference).number
    except msgspec.MsgspecError:
        number = None
    return f"{repository}#{number}" if number else f"{repository}#?"


def id_in(raw: bytes) -> str | None:
    """The identity in a stored payload that may be unreadable otherwise."""
    try:
        found = msgspec.json.decode(msgspec.json.decode(raw, type=Envelope).issue, type=_Identity)
    except msgspec.MsgspecError:
        return None
    return str(found.full_database_id or found.database_id or "") or None


class _Identity(_Camel, frozen=True, kw_only=True):
    database_id: int | None = None
    full_database_id: int | str | None = None


# -- REST --------------------------------------------------------------------------------------------------------------


class RestUser(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    login: str
    type: str = "User"

    @property
    def actor(self) -> Actor:
        return Actor(login=self.login, typename=self.type, database_id=self.id)


class RestReactions(msgspec.Struct, frozen=True, kw_only=True, rename={"up": "+1", "down": "-1"}):
    up: int = 0
    down: int = 0


class RestComment(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    created_at: Moment
    body: str | None = None
    updated_at: Moment | None = None
    user: RestUser | None = None
    author_association: str | None = None
    reactions: RestReactions | None = None


class RestPermissions(msgspec.Struct, frozen=True, kw_only=True):
    pull: bool = False
    triage: bool = False
    push: bool = False
    maintain: bool = False
    admin: bool = False

    @property
    def can_label(self) -> bool:
        return self.triage or self.push or self.maintain or self.admin


class RestRepository(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    full_name: str
    description: str | None = None
    archived: bool = False
    has_issues: bool = True
    permissions: RestPermissions | None = None


class RestLabel(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class RestIssue(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    number: int


def comment_from(node: RestComment, own_account: str | None) -> Comment:
    """A comment as the REST API gives it, for writing back."""
    actor = node.user.actor if node.user else None
    author = person_id(actor) if actor else None
    body = node.body or ""
    is_edited = node.updated_at is not None and node.updated_at != node.created_at
    return Comment(
        id=str(node.id),
        at=utc(node.created_at),
        author=author,
        body=body,
        edited_at=utc(node.updated_at) if is_edited and node.updated_at else None,
        is_bot=is_bot(actor),
        is_own=is_own(body, author, own_account),
        may_write=may_write(node.author_association),
        thumbs_up=node.reactions.up if node.reactions else None,
        thumbs_down=node.reactions.down if node.reactions else None,
    )
