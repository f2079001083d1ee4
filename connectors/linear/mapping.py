"""Linear's payloads as domain values. Pure: names of labels, statuses and cycles come in as `Names`."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from backlint.connectors.contract import MARKER
from backlint.connectors.linear.history import changes, memberships, oldest_first, transitions, utc
from backlint.connectors.linear.names import Names
from backlint.connectors.linear.payloads import (
    CommentNode,
    CycleNode,
    IssueNode,
    PageInfo,
    ProjectNode,
    Ref,
    RelationNode,
    StateRef,
    UserNode,
)
from backlint.model import (
    Comment,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Person,
    Presence,
    Project,
    Sprint,
    StatusCategory,
    Tracker,
)
from backlint.status import StatusFact

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


# -- issues ------------------------------------------------------------------------------------------------------------


def issue(node: IssueNode, names: Names) -> Issue:
    """The issue with its categories; `node` holds its whole history."""
    entries = oldest_first(node)
    labels = _labels(node, names)
    type_, type_name = issue_type(labels, names.types, is_sub_issue=node.parent is not None)
    steps, is_complete = transitions(node, entries, names)
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
        created_at=utc(node.createdAt),
        updated_at=utc(node.updatedAt),
        transitions=steps,
        changes=tuple(changes(node, entries, names)),
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


def _fields(node: IssueNode, names: Names) -> dict[str, Any]:
    """The initiative hangs on the project; an issue serves it through that."""
    objective = names.objectives.get(node.project.id or "") if node.project else None
    return {"objective": objective} if objective else {}


def sortable(order: float) -> str:
    """A float as text that sorts like the float: the bits of the IEEE number, the sign turned around."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", order))
    return f"{(~bits & (2**64 - 1)) if bits >> 63 else bits | 2**63:016x}"


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
        at=utc(node.createdAt),
        author=author,
        body=node.body,
        edited_at=utc(node.editedAt) if node.editedAt else None,
        is_bot=is_integration or author in names.bots,
        is_own=is_mine and is_marked(node.body),
        may_write=node.user is not None,  # everyone of the workspace; others write from outside, through a bridge
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
        yield Link(_attached(attachment.url), attachment.url, utc(attachment.createdAt))


def _link(kind: LinkKind, target: Ref | None, relation: RelationNode) -> Iterator[Link]:
    if target is not None and target.id:
        yield Link(kind, target.id, utc(relation.createdAt))


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
        last_seen_at=utc(node.lastSeen) if node.lastSeen else None,
    )


def sprint(node: CycleNode) -> Sprint:
    state = "active" if node.isActive else "future" if node.isFuture else "closed"
    return Sprint(
        id=node.id,
        name=node.name or f"Cycle {node.number:g}",
        state=state,
        starts_at=utc(node.startsAt),
        ends_at=utc(node.endsAt),
        completed_at=utc(node.completedAt) if node.completedAt else None,
        team=str(node.team["key"]) if node.team else None,
    )


def project(node: ProjectNode, source: str) -> Project:
    """`description` is the summary line, `content` the document: both may state the outcome."""
    body = "\n\n".join(part for part in (node.description, node.content) if part)
    lead = node.lead.id if node.lead else None
    return Project(source=source, id=node.id, name=node.name, lead=lead, body=body, target_on=node.targetDate)


def objective(node: ProjectNode) -> str | None:
    return ", ".join(each.name for each in node.initiatives.nodes) or None
