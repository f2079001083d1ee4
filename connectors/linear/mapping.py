"""Linear's payloads as domain values. Pure: names of labels, statuses and cycles come in as `Names`."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from backlint.connectors.contract import MARKER
from backlint.connectors.linear.payloads import (
    CommentNode,
    CycleNode,
    HistoryNode,
    IssueNode,
    PageInfo,
    ProjectNode,
    Ref,
    RelationNode,
    SpanNode,
    StateRef,
    UserNode,
)
from backlint.model import (
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Person,
    Presence,
    Project,
    Sprint,
    SprintMembership,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.status import StatusFact, StatusMap

# Linear's own classes of a workflow state (schema: WorkflowState.type).
CATEGORIES = {
    "triage": StatusCategory.TRIAGE,
    "backlog": StatusCategory.BACKLOG,
    "unstarted": StatusCategory.TODO,
    "started": StatusCategory.ACTIVE,
    "completed": StatusCategory.DONE,
    "canceled": StatusCategory.CANCELLED,
    "duplicate": StatusCategory.CANCELLED,
}
# Linear has no issue types: labels say it. The first of these that an issue carries counts.
TYPE_LABELS = {
    "incident": IssueType.INCIDENT, "bug": IssueType.BUG, "initiative": IssueType.INITIATIVE, "epic": IssueType.EPIC,
    "spike": IssueType.SPIKE, "decision": IssueType.DECISION, "story": IssueType.STORY, "user story": IssueType.STORY,
    "feature": IssueType.STORY, "improvement": IssueType.STORY, "subtask": IssueType.SUBTASK,
    "sub-task": IssueType.SUBTASK, "chore": IssueType.TASK, "task": IssueType.TASK,
}  # fmt: skip
# Keys of `types` that are no labels: what an issue with, or without, a parent is when no label says it.
SUB_ISSUE, PLAIN_ISSUE = "sub-issue", "issue"
RELATIONS = {"blocks": LinkKind.BLOCKS, "duplicate": LinkKind.DUPLICATES, "related": LinkKind.RELATES}
INVERSE = {"blocks": LinkKind.BLOCKED_BY, "duplicate": LinkKind.DUPLICATED_BY, "related": LinkKind.RELATES}
PULL_REQUEST = re.compile(r"https?://[^/]+/.+/(?:pull|merge_requests|pull-requests)/\d+", re.IGNORECASE)
OTHER_TRACKER = re.compile(r"https?://[^/]+/(?:.*/)?(?:browse/[A-Z][A-Z0-9_]*-\d+|(?:-/)?issues/\d+)$")
LABEL_DESCRIPTION = "Set and removed by backlint"  # marks the labels that are ours
SPAN_TOLERANCE = timedelta(seconds=5)  # between a span's start and the history entry of the same change


# -- names -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids in a payload mean. `me` is the token's account, `own_labels` are the labels that backlint made."""

    source: str
    me: str
    statuses: StatusMap
    states: frozenset[str] = frozenset()  # ids of the listed statuses
    labels: Mapping[str, str] = field(default_factory=dict)
    own_labels: frozenset[str] = frozenset()
    sprints: Mapping[str, Sprint] = field(default_factory=dict)
    objectives: Mapping[str, str] = field(default_factory=dict)  # project id -> its initiatives
    bots: frozenset[str] = frozenset()
    types: Mapping[str, IssueType] = field(default_factory=dict)

    def label(self, id: str) -> str:
        return self.labels.get(id, id)

    def sprint(self, id: str) -> Sprint:
        """A cycle that is not listed (another team's, deleted) is known by its id alone, and over."""
        return self.sprints.get(id) or Sprint(id=id, name=id, state="closed")

    def missing(self, nodes: Iterable[IssueNode]) -> set[str]:
        """The ids in the issues that the lists do not name: made since they were read."""
        found: set[str] = set()
        for node in nodes:
            found.update(node.labelIds)
            found.add(node.state.id)
            found.update(_ids(node.cycle))
        return found - self.labels.keys() - self.states - self.sprints.keys()


# -- issues ------------------------------------------------------------------------------------------------------------


def issue(node: IssueNode, names: Names) -> Issue:
    """The issue with its categories; `node` holds its whole history."""
    entries = _oldest_first(node)
    labels = _labels(node, names)
    type_, type_name = issue_type(labels, names.types, is_sub_issue=node.parent is not None)
    transitions, is_complete = _transitions(node, entries, names)
    mapped = Issue(
        source=names.source,
        id=node.id,
        key=node.identifier,
        title=node.title,
        tracker=Tracker.LINEAR,
        url=node.url,
        aliases=node.previousIdentifiers,
        project=node.project.id if node.project else None,
        team=node.team.key,
        type=type_,
        type_name=type_name,
        body=node.description or "",
        markup=Markup.MARKDOWN,
        status=names.statuses.status(node.state.id, node.state.name),
        resolution="duplicate" if node.state.type == "duplicate" else None,
        priority=int(node.priority) or None,  # 0 is "no priority"
        estimate=node.estimate,
        labels=frozenset(labels),
        assignees=_ids(node.assignee),
        reporter=node.creator.id if node.creator else None,
        parent=node.parent.id if node.parent else None,
        sprints=tuple(memberships(node, entries, names)),
        links=tuple(_links(node)),
        rank=sortable(node.sortOrder),
        due_on=node.dueDate,
        created_at=_utc(node.createdAt),
        updated_at=_utc(node.updatedAt),
        transitions=transitions,
        changes=tuple(_changes(node, entries, names)),
        comments=comments(node.comments.nodes, names),
        history_is_complete=is_complete,
        is_archived=node.archivedAt is not None,
        presence=Presence.DELETED if node.trashed else Presence.PRESENT,
        fields=_fields(node, names),
    )
    return names.statuses.apply(mapped)


def issue_type(
    labels: Iterable[str], configured: Mapping[str, IssueType], *, is_sub_issue: bool
) -> tuple[IssueType, str | None]:
    """By the first type label, the configured ones before the usual ones; `types` may name what is left over."""
    present = {label.casefold(): label for label in labels}
    wanted = {name.casefold(): type_ for name, type_ in configured.items()}
    for name, type_ in {**wanted, **{k: v for k, v in TYPE_LABELS.items() if k not in wanted}}.items():
        if name in present:
            return type_, present[name]
    if is_sub_issue and SUB_ISSUE in wanted:
        return wanted[SUB_ISSUE], SUB_ISSUE
    return wanted.get(PLAIN_ISSUE, IssueType.TASK), None


def _labels(node: IssueNode, names: Names) -> list[str]:
    inline = {label.id: label.name for label in node.labels.nodes} if node.labels else {}
    return [inline.get(id) or names.label(id) for id in node.labelIds]


def _ids(ref: Ref | None) -> tuple[str, ...]:
    return (ref.id,) if ref is not None and ref.id else ()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _fields(node: IssueNode, names: Names) -> dict[str, Any]:
    """The initiative hangs on the project; an issue serves it through that."""
    objective = names.objectives.get(node.project.id or "") if node.project else None
    return {"objective": objective} if objective else {}


def sortable(order: float) -> str:
    """A float as text that sorts like the float: the bits of the IEEE number, the sign turned around."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", order))
    return f"{(~bits & (2**64 - 1)) if bits >> 63 else bits | 2**63:016x}"


# -- history -----------------------------------------------------------------------------------------------------------


def _oldest_first(node: IssueNode) -> list[HistoryNode]:
    """Linear serves the newest first; entries of one moment keep their order."""
    entries = list(node.history.nodes)[::-1]
    entries.sort(key=lambda entry: entry.createdAt)
    return entries


def _is_bot(entry: HistoryNode, names: Names) -> bool:
    """Integrations and automations have no actor; of our own doings only the labels that we made are known as such."""
    if entry.actorId is None or entry.actorId in names.bots:
        return True
    touched = {*(entry.addedLabelIds or ()), *(entry.removedLabelIds or ())}
    return entry.actorId == names.me and bool(touched) and touched <= names.own_labels and not _has_other_change(entry)


def _has_other_change(entry: HistoryNode) -> bool:
    plain = ("id", "createdAt", "actorId", "addedLabelIds", "removedLabelIds")
    return any(getattr(entry, name) is not None for name in entry.__struct_fields__ if name not in plain)


def is_chain_broken(node: IssueNode) -> bool:
    """Whether the status changes do not lead to the present status: Linear may leave out the first minutes.

    The spans (`stateHistory`) then have to be asked for.
    """
    steps = [
        (entry.fromStateId, entry.toStateId) for entry in _oldest_first(node) if entry.toStateId and entry.fromStateId
    ]
    return not _leads_to(steps, node.state.id)


def _leads_to(steps: Sequence[tuple[str | None, str | None]], present: str) -> bool:
    joined = all(left[1] == right[0] for left, right in pairwise(steps))
    return joined and (not steps or steps[-1][1] == present)


def _transitions(node: IssueNode, entries: list[HistoryNode], names: Names) -> tuple[tuple[Transition, ...], bool]:
    """The status changes and whether they are all there. Ids, not objects: an archived status is null as an object."""
    if node.stateHistory is not None:
        return _from_spans(node, entries, names)
    steps = tuple(
        Transition(
            at=_utc(entry.createdAt),
            before=names.statuses.status(entry.fromStateId),
            after=names.statuses.status(entry.toStateId),
            sequence=number,
            actor=entry.actorId,
            is_bot=_is_bot(entry, names),
        )
        for number, entry in enumerate(entries)
        if entry.fromStateId and entry.toStateId and entry.fromStateId != entry.toStateId
    )
    return steps, not is_chain_broken(node)


def _from_spans(node: IssueNode, entries: list[HistoryNode], names: Names) -> tuple[tuple[Transition, ...], bool]:
    spans = sorted(node.stateHistory.nodes if node.stateHistory else (), key=lambda span: span.startedAt)
    steps = []
    for number, (left, right) in enumerate(pairwise(spans)):
        told = _entry_of(right, entries)
        steps.append(
            Transition(
                at=_utc(told.createdAt if told else right.startedAt),
                before=names.statuses.status(left.stateId),
                after=names.statuses.status(right.stateId),
                sequence=number,
                actor=told.actorId if told else None,
                is_bot=told is not None and _is_bot(told, names),
            )
        )
    return tuple(steps), bool(spans) and spans[-1].stateId == node.state.id


def _entry_of(span: SpanNode, entries: list[HistoryNode]) -> HistoryNode | None:
    """The history entry that began the span: it knows who."""
    near = [
        entry
        for entry in entries
        if entry.toStateId == span.stateId and abs(entry.createdAt - span.startedAt) <= SPAN_TOLERANCE
    ]
    return min(near, key=lambda entry: abs(entry.createdAt - span.startedAt), default=None)


def _changes(node: IssueNode, entries: list[HistoryNode], names: Names) -> Iterator[FieldChange]:
    sets = _label_sets(node, entries, names)
    for number, entry in enumerate(entries):
        for name, before, after in [*_sides(entry, names), *sets.get(entry.id, ())]:
            yield FieldChange(
                at=_utc(entry.createdAt),
                field=name,
                before=before,
                after=after,
                sequence=number,
                actor=entry.actorId,
                is_bot=_is_bot(entry, names),
            )


def _sides(entry: HistoryNode, names: Names) -> Iterator[tuple[str, str | None, str | None]]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("assignee", entry.fromAssigneeId, entry.toAssigneeId),
        ("estimate", _number(entry.fromEstimate), _number(entry.toEstimate)),
        ("priority", _number(entry.fromPriority), _number(entry.toPriority)),
        ("title", entry.fromTitle, entry.toTitle),
        ("due_on", entry.fromDueDate, entry.toDueDate),
        ("sprint", _sprint_name(entry.fromCycleId, names), _sprint_name(entry.toCycleId, names)),
        ("project", entry.fromProjectId, entry.toProjectId),
        ("parent", entry.fromParentId, entry.toParentId),
        ("team", entry.fromTeamId, entry.toTeamId),
    )
    for name, before, after in pairs:
        if before != after:
            yield name, before, after
    if entry.updatedDescription:
        yield "body", None, None
    if entry.archived is not None:
        yield "archived", None, str(entry.archived).lower()
    if entry.trashed is not None:
        yield "trashed", None, str(entry.trashed).lower()


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _sprint_name(id: str | None, names: Names) -> str | None:
    return names.sprint(id).name if id else None


def _label_sets(
    node: IssueNode, entries: list[HistoryNode], names: Names
) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Linear tells what was added and removed; whole lists, as other trackers print them, follow from the present."""
    present = set(node.labelIds)
    sets: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for entry in reversed(entries):
        if entry.addedLabelIds or entry.removedLabelIds:
            before = (present - set(entry.addedLabelIds or ())) | set(entry.removedLabelIds or ())
            sets[entry.id] = [("labels", _printed(before, names), _printed(present, names))]
            present = before
    return sets


def _printed(ids: Iterable[str], names: Names) -> str | None:
    return ", ".join(sorted(names.label(id) for id in ids)) or None


def memberships(node: IssueNode, entries: list[HistoryNode], names: Names) -> Iterator[SprintMembership]:
    """When the issue was in which cycle, from the history; a cycle without an entry was there since creation."""
    current = node.cycle.id if node.cycle else None
    running: dict[str, datetime] = {}
    for entry in entries:
        if entry.fromCycleId == entry.toCycleId:
            continue
        if entry.fromCycleId:
            added_at = running.pop(entry.fromCycleId, None)
            yield SprintMembership(
                sprint=names.sprint(entry.fromCycleId), added_at=added_at, removed_at=_utc(entry.createdAt)
            )
        if entry.toCycleId:
            running[entry.toCycleId] = _utc(entry.createdAt)
    for id, added_at in running.items():
        sprint = names.sprint(id)
        # Left without an entry: at its end, when Linear moves what is not done to the next cycle.
        removed_at = None if id == current else sprint.completed_at or sprint.ends_at
        yield SprintMembership(sprint=sprint, added_at=added_at, removed_at=removed_at)
    if current and current not in running:
        added = _utc(node.addedToCycleAt) if node.addedToCycleAt else None
        yield SprintMembership(sprint=names.sprint(current), added_at=added)


# -- what did not fit --------------------------------------------------------------------------------------------------


def unfinished(node: IssueNode) -> Iterator[tuple[str, str | None]]:
    """The connections that go on, with the cursor behind what is there."""
    for name in ("history", "comments", "relations", "inverseRelations", "attachments"):
        info: PageInfo = getattr(node, name).pageInfo
        if info.hasNextPage:
            yield name, info.endCursor


def with_more(raw: bytes, parts: Mapping[str, Sequence[msgspec.Raw]]) -> bytes:
    """The payload with further nodes, as if Linear had given all at once."""
    payload = msgspec.json.decode(raw)
    for name, nodes in parts.items():
        connection = payload.setdefault(name, {"nodes": []})
        connection["nodes"] = [*connection["nodes"], *nodes]
        connection["pageInfo"] = {"hasNextPage": False, "endCursor": None}
    return msgspec.json.encode(payload)


# -- comments and links ------------------------------------------------------------------------------------------------


def comments(nodes: Iterable[CommentNode], names: Names) -> tuple[Comment, ...]:
    """Oldest first; Linear serves the newest first."""
    return tuple(sorted((comment(node, names) for node in nodes), key=lambda made: (made.at, made.id)))


def comment(node: CommentNode, names: Names) -> Comment:
    """`is_own` takes both: the marker and our account; people paste things."""
    author = node.user.id if node.user else node.externalUser.id if node.externalUser else None
    is_integration = author is None and node.botActor is not None
    # With an actor=app token the account may show as the bot instead of the user [not verified].
    is_mine = author == names.me or (is_integration and node.botActor is not None and node.botActor.id == names.me)
    return Comment(
        id=node.id,
        at=_utc(node.createdAt),
        author=author,
        body=node.body,
        edited_at=_utc(node.editedAt) if node.editedAt else None,
        is_bot=is_integration or author in names.bots,
        is_own=is_mine and is_marked(node.body),
    )


def marked(body: str) -> str:
    """The comment as it is sent. HTML comments are not safe in Linear's editor: a small visible last line."""
    return body if is_marked(body) else f"{body.rstrip()}\n\n`{MARKER}`"


def is_marked(body: str) -> bool:
    """Whether the last line is the marker, however Linear's editor has dressed it."""
    lines = body.rstrip().splitlines()
    return bool(lines) and lines[-1].strip(" `*_\\") == MARKER


def _links(node: IssueNode) -> Iterator[Link]:
    for relation in node.relations.nodes:
        yield from _link(RELATIONS.get(relation.type, LinkKind.OTHER), relation.relatedIssue, relation)
    for relation in node.inverseRelations.nodes:
        yield from _link(INVERSE.get(relation.type, LinkKind.OTHER), relation.issue, relation)
    for attachment in node.attachments.nodes:
        yield Link(_attached(attachment.url), attachment.url, _utc(attachment.createdAt))


def _link(kind: LinkKind, target: Ref | None, relation: RelationNode) -> Iterator[Link]:
    if target is not None and target.id:
        yield Link(kind, target.id, _utc(relation.createdAt))


def _attached(url: str) -> LinkKind:
    """What an attachment points at, by its address: Linear's `sourceType` has no published list of values."""
    if PULL_REQUEST.match(url):
        return LinkKind.PULL_REQUEST
    return LinkKind.MIRRORS if OTHER_TRACKER.match(url) else LinkKind.OTHER


# -- the small lists ---------------------------------------------------------------------------------------------------


def status_fact(state: StateRef) -> StatusFact:
    return StatusFact(state.id, state.name, CATEGORIES.get(state.type, StatusCategory.UNKNOWN))


def person(node: UserNode) -> Person:
    return Person(
        id=node.id,
        name=node.name,
        handle=node.displayName,
        is_active=node.active,
        is_bot=node.app,
        email=node.email,
        last_seen_at=_utc(node.lastSeen) if node.lastSeen else None,
    )


def sprint(node: CycleNode) -> Sprint:
    state = "active" if node.isActive else "future" if node.isFuture else "closed"
    return Sprint(
        id=node.id,
        name=node.name or f"Cycle {node.number:g}",
        state=state,
        starts_at=_utc(node.startsAt),
        ends_at=_utc(node.endsAt),
        completed_at=_utc(node.completedAt) if node.completedAt else None,
        team=str(node.team["key"]) if node.team else None,
    )


def project(node: ProjectNode, source: str) -> Project:
    """`description` is the summary line, `content` the document: both may state the outcome."""
    body = "\n\n".join(part for part in (node.description, node.content) if part)
    lead = node.lead.id if node.lead else None
    return Project(source=source, id=node.id, name=node.name, lead=lead, body=body, target_on=node.targetDate)


def objective(node: ProjectNode) -> str | None:
    return ", ".join(each.name for each in node.initiatives.nodes) or None
