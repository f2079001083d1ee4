"""The GraphQL documents, put together from what the server knows: old Enterprise Servers lack the newer parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

ACTOR = "{ __typename login ... on User { databaseId } ... on Bot { databaseId } ... on Mannequin { databaseId } }"
ISSUE_REF = "{ number repository { nameWithOwner } %s }"
PULL_REQUEST = "{ __typename ... on PullRequest { url createdAt } }"
PAGE = "pageInfo { hasNextPage endCursor }"

# One request tells what this server's schema has, so that no query fails for a field that came later. `viewer` is the
# account behind the token, an app's bot included.
SCHEMA = """
query Schema {
  viewer { login }
  issue: __type(name: "Issue") { fields(includeDeprecated: true) { name args { name } } }
  comment: __type(name: "IssueComment") { fields { name } }
  repository: __type(name: "Repository") { fields { name } }
  events: __type(name: "IssueTimelineItemsItemType") { enumValues { name } }
}
"""

# Issues only: unlike the REST list, no page is filled with pull requests. `since` includes its own second.
CHANGED = """
query Changed($owner: String!, $name: String!, $since: DateTime, $after: String) {
  repository(owner: $owner, name: $name) {
    issues(first: 100, after: $after, filterBy: {since: $since}, orderBy: {field: UPDATED_AT, direction: ASC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { id updatedAt }
    }
  }
}
"""

# How many issues have changed since each of several moments: a list can only be read one page after the other, but
# several lists from different moments side by side.
COUNTS_AT_ONCE = 100


def counts(moments: int) -> str:
    given = ", ".join(f"$since{n}: DateTime!" for n in range(moments))
    parts = " ".join(f"n{n}: issues(first: 1, filterBy: {{since: $since{n}}}) {{ totalCount }}" for n in range(moments))
    return (
        f"query Counts($owner: String!, $name: String!, {given}) "
        f"{{ repository(owner: $owner, name: $name) {{ {parts} }} }}"
    )


BOARDS_OF_REPOSITORY = """
query BoardsOfRepository($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    owner {
      ... on ProjectV2Owner {
        projectsV2(first: 100) {
          nodes { number field(name: "Status") { ... on ProjectV2SingleSelectField { options { name } } } }
        }
      }
    }
    projectsV2(first: 20) {
      nodes {
        id
        number
        title
        updatedAt
        fields(first: 50) {
          nodes {
            __typename
            ... on ProjectV2FieldCommon { name dataType }
            ... on ProjectV2SingleSelectField { options { name } }
            ... on ProjectV2IterationField {
              configuration {
                iterations { id title startDate duration }
                completedIterations { id title startDate duration }
              }
            }
          }
        }
      }
    }
  }
}
"""

BOARD_ITEMS = """
query BoardItems($board: ID!, $after: String) {
  node(id: $board) {
    ... on ProjectV2 {
      items(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { updatedAt content { __typename ... on Issue { id repository { nameWithOwner } } } }
      }
    }
  }
}
"""

BOARD_CHANGES = """
query BoardChanges($ids: [ID!]!) { nodes(ids: $ids) { ... on ProjectV2 { updatedAt } } }
"""

PEOPLE = """
query People($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    assignableUsers(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { databaseId login name }
    }
  }
}
"""

TYPES = """
query Types($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { issueTypes(first: 100) { nodes { name } } }
}
"""

# What each timeline event is asked for. Those that the server's enumeration lacks are left out of the query.
EVENTS = {
    "ASSIGNED_EVENT": "AssignedEvent { createdAt actor %(actor)s assignee %(assignee)s }",
    "UNASSIGNED_EVENT": "UnassignedEvent { createdAt actor %(actor)s assignee %(assignee)s }",
    "LABELED_EVENT": "LabeledEvent { createdAt actor %(actor)s label { name } }",
    "UNLABELED_EVENT": "UnlabeledEvent { createdAt actor %(actor)s label { name } }",
    "CLOSED_EVENT": "ClosedEvent { createdAt actor %(actor)s stateReason closer %(pull_request)s }",
    "REOPENED_EVENT": "ReopenedEvent { createdAt actor %(actor)s }",
    "CROSS_REFERENCED_EVENT": "CrossReferencedEvent { createdAt willCloseTarget source %(pull_request)s }",
    "CONNECTED_EVENT": "ConnectedEvent { createdAt source %(pull_request)s subject %(pull_request)s }",
    "DISCONNECTED_EVENT": "DisconnectedEvent { createdAt source %(pull_request)s subject %(pull_request)s }",
    "MILESTONED_EVENT": "MilestonedEvent { createdAt actor %(actor)s milestoneTitle }",
    "DEMILESTONED_EVENT": "DemilestonedEvent { createdAt actor %(actor)s milestoneTitle }",
    "RENAMED_TITLE_EVENT": "RenamedTitleEvent { createdAt actor %(actor)s previousTitle currentTitle }",
    "MARKED_AS_DUPLICATE_EVENT": "MarkedAsDuplicateEvent { createdAt actor %(actor)s canonical %(canonical)s }",
    "UNMARKED_AS_DUPLICATE_EVENT": "UnmarkedAsDuplicateEvent { createdAt actor %(actor)s canonical %(canonical)s }",
    "PARENT_ISSUE_ADDED_EVENT": "ParentIssueAddedEvent { createdAt actor %(actor)s parent %(issue)s }",
    "PARENT_ISSUE_REMOVED_EVENT": "ParentIssueRemovedEvent { createdAt actor %(actor)s parent %(issue)s }",
    "ISSUE_TYPE_ADDED_EVENT": "IssueTypeAddedEvent { createdAt actor %(actor)s issueType { name } }",
    "ISSUE_TYPE_CHANGED_EVENT": (
        "IssueTypeChangedEvent { createdAt actor %(actor)s issueType { name } prevIssueType { name } }"
    ),
    "ISSUE_TYPE_REMOVED_EVENT": "IssueTypeRemovedEvent { createdAt actor %(actor)s issueType { name } }",
    "BLOCKED_BY_ADDED_EVENT": "BlockedByAddedEvent { createdAt actor %(actor)s blockingIssue %(issue)s }",
}
BOARD_EVENTS = {
    "PROJECT_V2_ITEM_STATUS_CHANGED_EVENT": (
        "ProjectV2ItemStatusChangedEvent { createdAt actor %(actor)s previousStatus status wasAutomated "
        "project { number } }"
    ),
    "ADDED_TO_PROJECT_V2_EVENT": "AddedToProjectV2Event { createdAt actor %(actor)s wasAutomated project { number } }",
    "REMOVED_FROM_PROJECT_V2_EVENT": (
        "RemovedFromProjectV2Event { createdAt actor %(actor)s wasAutomated project { number } }"
    ),
}
# Each of these is one more connection or object of the issue, asked for where the server has it.
OPTIONAL_FIELDS = {
    "issueType": "issueType { name }",
    "parent": "parent %(issue)s",
    "blockedBy": "blockedBy(first: 50) { nodes %(issue)s }",
    "blocking": "blocking(first: 50) { nodes %(issue)s }",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The parts of the server's schema that differ between versions."""

    issue: frozenset[str] = frozenset()
    comment: frozenset[str] = frozenset()
    repository: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    state_reason_arguments: frozenset[str] = field(default_factory=frozenset)

    @property
    def has_boards(self) -> bool:
        return "projectItems" in self.issue

    @property
    def has_types(self) -> bool:
        return "issueTypes" in self.repository

    @property
    def board_events(self) -> tuple[str, ...]:
        return tuple(name for name in BOARD_EVENTS if name in self.events)


def details(schema: Schema, *, has_boards: bool) -> str:
    """Issues by node id, each with its history and comments, and its side of the boards for those who may see it."""
    fields = issue_fields(schema, has_boards=has_boards)
    return "query Details($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Issue { " + fields + " } } }"


def one_issue(schema: Schema, *, has_boards: bool) -> str:
    fields = issue_fields(schema, has_boards=has_boards)
    return (
        "query OneIssue($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) "
        "{ issue(number: $number) { __typename " + fields + " } } }"
    )


def issue_fields(schema: Schema, *, has_boards: bool) -> str:
    parts = [
        "id databaseId number title body state url locked createdAt updatedAt closedAt lastEditedAt",
        "fullDatabaseId" if "fullDatabaseId" in schema.issue else "",
        "stateReason(enableDuplicate: true)" if "enableDuplicate" in schema.state_reason_arguments else "stateReason",
        "author %(actor)s editor %(actor)s",
        "assignees(first: 20) { nodes { __typename login databaseId } }",
        "labels(first: 100) { nodes { name } }",
        "milestone { title dueOn }",
        *(text for name, text in OPTIONAL_FIELDS.items() if name in schema.issue),
        comments(schema),
        timeline(schema),
        board_fields(schema) if has_boards else "",
    ]
    return _filled(" ".join(part for part in parts if part), schema)


def comments(schema: Schema, *, after: str = "") -> str:
    id = "fullDatabaseId" if "fullDatabaseId" in schema.comment else ""
    return _filled(
        f"comments(first: 100{after}) {{ {PAGE} nodes {{ databaseId {id} body createdAt lastEditedAt authorAssociation "
        "author %(actor)s } }",
        schema,
    )


def timeline(schema: Schema, *, after: str = "") -> str:
    return _timeline(schema, EVENTS, after)


def more_comments(schema: Schema) -> str:
    return _more(comments(schema, after=", after: $after"))


def more_events(schema: Schema) -> str:
    return _more(timeline(schema, after=", after: $after"))


def more_board_events(schema: Schema) -> str:
    return _more(_board_timeline(schema, ", after: $after"))


def board_fields(schema: Schema) -> str:
    """The board side of an issue: it takes another permission, and old servers lack the history."""
    history = _board_timeline(schema, "") if schema.board_events else ""
    return (
        "projectItems(first: 10, includeArchived: true) { nodes { isArchived updatedAt project { id number title } "
        "fieldValues(first: 50) { nodes { __typename "
        "... on ProjectV2ItemFieldSingleSelectValue { name updatedAt field { ... on ProjectV2FieldCommon { name } } } "
        "... on ProjectV2ItemFieldNumberValue { number field { ... on ProjectV2FieldCommon { name } } } "
        "... on ProjectV2ItemFieldTextValue { text field { ... on ProjectV2FieldCommon { name } } } "
        "... on ProjectV2ItemFieldDateValue { date field { ... on ProjectV2FieldCommon { name } } } "
        "... on ProjectV2ItemFieldIterationValue { title iterationId startDate duration updatedAt "
        "field { ... on ProjectV2FieldCommon { name } } } } } } } " + history
    )


def _board_timeline(schema: Schema, after: str) -> str:
    """Under a name of its own, so that neither history crowds the other out of its hundred."""
    return "boardEvents: " + _timeline(schema, BOARD_EVENTS, after)


def census(schema: Schema) -> str:
    full = "fullDatabaseId" if "fullDatabaseId" in schema.issue else ""
    return (
        "query Census($owner: String!, $name: String!, $after: String) { repository(owner: $owner, name: $name) { "
        "issues(first: 100, after: $after, orderBy: {field: CREATED_AT, direction: ASC}) "
        f"{{ {PAGE} nodes {{ id databaseId {full} }} }} }} }}"
    )


def _timeline(schema: Schema, wanted: Iterable[str], after: str) -> str:
    known = [name for name in wanted if name in schema.events]
    shapes = {**EVENTS, **BOARD_EVENTS}
    fragments = " ".join(f"... on {shapes[name]}" for name in known)
    return _filled(
        f"timelineItems(first: 100{after}, itemTypes: [{', '.join(known)}]) {{ {PAGE} "
        f"nodes {{ __typename {fragments} }} }}",
        schema,
    )


def _more(part: str) -> str:
    return f"query More($id: ID!, $after: String) {{ node(id: $id) {{ ... on Issue {{ {part} }} }} }}"


def _filled(text: str, schema: Schema) -> str:
    reference = ISSUE_REF % ("fullDatabaseId databaseId" if "fullDatabaseId" in schema.issue else "databaseId")
    shapes = {
        "actor": ACTOR,
        "assignee": "{ __typename ... on User { login } ... on Bot { login } ... on Mannequin { login } }",
        "issue": reference,
        "canonical": "{ ... on Issue " + reference + " }",
        "pull_request": PULL_REQUEST,
    }
    return text % shapes if "%(" in text else text
