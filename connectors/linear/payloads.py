"""Linear's payloads as typed structs: what the queries ask for, under Linear's own names."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Ref(msgspec.Struct, frozen=True):
    id: str | None = None


class TeamRef(msgspec.Struct, frozen=True):
    id: str
    key: str


class StateRef(msgspec.Struct, frozen=True):
    id: str
    name: str
    type: str


class PageInfo(msgspec.Struct, frozen=True):
    hasNextPage: bool
    endCursor: str | None = None


class CommentNode(msgspec.Struct, frozen=True):
    id: str
    body: str
    createdAt: Moment
    editedAt: Moment | None = None
    user: Ref | None = None
    botActor: Ref | None = None
    externalUser: Ref | None = None


class HistoryNode(msgspec.Struct, frozen=True):
    """One entry bundles what one actor changed within a short time; a pair of nulls is a field that did not change."""

    id: str
    createdAt: Moment
    actorId: str | None = None
    fromStateId: str | None = None
    toStateId: str | None = None
    fromAssigneeId: str | None = None
    toAssigneeId: str | None = None
    fromEstimate: float | None = None
    toEstimate: float | None = None
    fromPriority: float | None = None
    toPriority: float | None = None
    fromTitle: str | None = None
    toTitle: str | None = None
    fromDueDate: str | None = None
    toDueDate: str | None = None
    fromCycleId: str | None = None
    toCycleId: str | None = None
    fromProjectId: str | None = None
    toProjectId: str | None = None
    fromParentId: str | None = None
    toParentId: str | None = None
    fromTeamId: str | None = None
    toTeamId: str | None = None
    addedLabelIds: tuple[str, ...] | None = None
    removedLabelIds: tuple[str, ...] | None = None
    archived: bool | None = None
    trashed: bool | None = None
    updatedDescription: bool | None = None


class SpanNode(msgspec.Struct, frozen=True):
    id: str
    stateId: str
    startedAt: Moment
    endedAt: Moment | None = None


class RelationNode(msgspec.Struct, frozen=True):
    type: str
    createdAt: Moment
    issue: Ref | None = None
    relatedIssue: Ref | None = None


class AttachmentNode(msgspec.Struct, frozen=True):
    url: str
    createdAt: Moment


class LabelNode(msgspec.Struct, frozen=True):
    id: str
    name: str
    description: str | None = None


class Comments(msgspec.Struct, frozen=True):
    nodes: tuple[CommentNode, ...]
    pageInfo: PageInfo


class Histories(msgspec.Struct, frozen=True):
    nodes: tuple[HistoryNode, ...]
    pageInfo: PageInfo


class Spans(msgspec.Struct, frozen=True):
    nodes: tuple[SpanNode, ...]
    pageInfo: PageInfo


class Relations(msgspec.Struct, frozen=True):
    nodes: tuple[RelationNode, ...]
    pageInfo: PageInfo


class Attachments(msgspec.Struct, frozen=True):
    nodes: tuple[AttachmentNode, ...]
    pageInfo: PageInfo


class Labels(msgspec.Struct, frozen=True):
    nodes: tuple[LabelNode, ...]
    pageInfo: PageInfo


class IssueNode(msgspec.Struct, frozen=True):
    id: str
    identifier: str
    title: str
    url: str
    createdAt: Moment
    updatedAt: Moment
    priority: float
    sortOrder: float
    team: TeamRef
    state: StateRef
    labelIds: tuple[str, ...]
    comments: Comments
    history: Histories
    relations: Relations
    inverseRelations: Relations
    attachments: Attachments
    description: str | None = None
    estimate: float | None = None
    archivedAt: Moment | None = None
    trashed: bool | None = None
    dueDate: date | None = None
    addedToCycleAt: Moment | None = None
    previousIdentifiers: tuple[str, ...] = ()
    assignee: Ref | None = None
    creator: Ref | None = None
    cycle: Ref | None = None
    project: Ref | None = None
    parent: Ref | None = None
    botActor: Ref | None = None
    labels: Labels | None = None
    stateHistory: Spans | None = None


class UserNode(msgspec.Struct, frozen=True):
    id: str
    name: str
    displayName: str
    active: bool
    app: bool = False
    email: str | None = None
    lastSeen: Moment | None = None


class CycleNode(msgspec.Struct, frozen=True):
    id: str
    number: float
    startsAt: Moment
    endsAt: Moment
    isActive: bool
    isFuture: bool
    name: str | None = None
    completedAt: Moment | None = None
    team: dict[str, Any] | None = None


class Named(msgspec.Struct, frozen=True):
    id: str
    name: str


class NamedList(msgspec.Struct, frozen=True):
    nodes: tuple[Named, ...] = ()


class ProjectNode(msgspec.Struct, frozen=True):
    id: str
    name: str
    description: str = ""
    content: str | None = None
    targetDate: date | None = None
    lead: Ref | None = None
    initiatives: NamedList = NamedList()


# -- answers -----------------------------------------------------------------------------------------------------------


class RawPage(msgspec.Struct, frozen=True):
    """A page of a connection whose nodes are decoded one by one, so that a bad one does not spoil the others."""

    nodes: tuple[msgspec.Raw, ...] = ()
    pageInfo: PageInfo = PageInfo(False)


class Viewer(msgspec.Struct, frozen=True):
    id: str
    name: str
    app: bool = False


class TeamNode(msgspec.Struct, frozen=True):
    id: str
    key: str
    name: str


class Lists(msgspec.Struct, frozen=True):
    viewer: Viewer
    organization: Named
    teams: RawPage
    workflowStates: RawPage
    issueLabels: RawPage
    users: RawPage
    cycles: RawPage
    projects: RawPage


class Head(msgspec.Struct, frozen=True):
    """What is needed to go on behind an issue."""

    id: str
    createdAt: Moment
    updatedAt: Moment
    trashed: bool | None = None


class Title(msgspec.Struct, frozen=True):
    """What to call an issue that cannot be read, whatever is wrong with it."""

    id: Any = None
    identifier: Any = None


class IssuesAnswer(msgspec.Struct, frozen=True):
    issues: RawPage


class Count(msgspec.Struct, frozen=True):
    issueCount: int


class Counts(msgspec.Struct, frozen=True):
    nodes: tuple[Count, ...]


class Number(msgspec.Struct, frozen=True):
    number: float


class Numbers(msgspec.Struct, frozen=True):
    nodes: tuple[Number, ...]


class TeamAnswer(msgspec.Struct, frozen=True):
    teams: Counts
    issues: Numbers


class TouchedIssue(msgspec.Struct, frozen=True):
    id: str
    updatedAt: Moment


class TouchedComment(msgspec.Struct, frozen=True):
    id: str
    updatedAt: Moment
    issue: TouchedIssue | None = None


class TouchedComments(msgspec.Struct, frozen=True):
    nodes: tuple[TouchedComment, ...]
    pageInfo: PageInfo


class CommentsAnswer(msgspec.Struct, frozen=True):
    comments: TouchedComments


class RestNode(msgspec.Struct, frozen=True):
    id: str
    history: RawPage | None = None
    comments: RawPage | None = None
    relations: RawPage | None = None
    inverseRelations: RawPage | None = None
    attachments: RawPage | None = None
    stateHistory: RawPage | None = None
    labels: RawPage | None = None

    def connection(self, name: str) -> RawPage:
        found: RawPage | None = getattr(self, name)
        return found or RawPage()


class RestPage(msgspec.Struct, frozen=True):
    nodes: tuple[RestNode, ...] = ()


class TeamKey(msgspec.Struct, frozen=True):
    key: str


class Place(msgspec.Struct, frozen=True):
    team: TeamKey
    trashed: bool | None = None


class WhereAnswer(msgspec.Struct, frozen=True):
    issue: Place


class IssueAnswer(msgspec.Struct, frozen=True):
    issue: msgspec.Raw


class LabelsOf(msgspec.Struct, frozen=True):
    labelIds: tuple[str, ...]
    team: Ref


class LabelsOfAnswer(msgspec.Struct, frozen=True):
    issue: LabelsOf


class LabelRow(msgspec.Struct, frozen=True):
    id: str
    name: str
    isGroup: bool = False
    retiredAt: Moment | None = None
    team: Ref | None = None


class LabelRows(msgspec.Struct, frozen=True):
    nodes: tuple[LabelRow, ...]


class LabelsNamedAnswer(msgspec.Struct, frozen=True):
    issueLabels: LabelRows


class Commented(msgspec.Struct, frozen=True):
    comments: Comments


class CommentedAnswer(msgspec.Struct, frozen=True):
    issue: Commented


class CommentOn(CommentNode, frozen=True, kw_only=True):
    issue: Ref | None = None


class CommentsOn(msgspec.Struct, frozen=True):
    nodes: tuple[CommentOn, ...]


class CommentAnswer(msgspec.Struct, frozen=True):
    comments: CommentsOn


class CommentPayload(msgspec.Struct, frozen=True):
    comment: CommentNode


class CreatedAnswer(msgspec.Struct, frozen=True):
    commentCreate: CommentPayload


class UpdatedAnswer(msgspec.Struct, frozen=True):
    commentUpdate: CommentPayload


def called(raw: bytes) -> tuple[str, str]:
    """The id and the key of an issue that may be unreadable otherwise."""
    try:
        title = msgspec.json.decode(raw, type=Title)
    except msgspec.MsgspecError:
        return "?", "?"
    return str(title.id or title.identifier or "?"), str(title.identifier or title.id or "?")
