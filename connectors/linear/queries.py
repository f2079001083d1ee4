"""The GraphQL documents that are sent to Linear. Sizes are fitted to its limit of 10,000 points for one query.

A leaf costs 0.1, an object 1, a connection its children times `first` (documented). Connections inside an issue are
therefore asked for in small pieces, and what does not fit is fetched by `rest`, many issues in one request.
"""

from __future__ import annotations

from collections.abc import Sequence

PAGE = 75  # issues in one page: about 125 points each
LIST = 250  # most rows that Linear gives in one page
CONTENT_LIST = 100  # lists with texts and lists of their own
INLINE = {"history": 10, "comments": 5, "relations": 3, "inverseRelations": 3, "attachments": 3}
REST = 50  # entries of one connection of one issue in a rest request
REST_ISSUES = 25  # such connections in one rest request: about 300 points each

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

# Ids instead of objects: names come from the small lists, and an archived status or cycle is null as an object.
_HISTORY = """id createdAt actorId fromStateId toStateId fromAssigneeId toAssigneeId fromEstimate toEstimate
fromPriority toPriority fromTitle toTitle fromDueDate toDueDate fromCycleId toCycleId fromProjectId toProjectId
fromParentId toParentId fromTeamId toTeamId addedLabelIds removedLabelIds archived trashed updatedDescription"""
_COMMENT = "id body createdAt editedAt user { id } botActor { id } externalUser { id }"
NODES = {
    "history": _HISTORY,
    "comments": _COMMENT,
    "relations": "id type createdAt relatedIssue { id }",
    "inverseRelations": "id type createdAt issue { id }",
    "attachments": "id url createdAt",
    "stateHistory": "id stateId startedAt endedAt",
    "labels": "id name",
}


def _connection(name: str, first: int | str, *, after: str = "", more: str = "") -> str:
    given = f"first: {first}" + (f", after: {after}" if after else "") + more
    return f"{name}({given}) {{ nodes {{ {NODES[name]} }} {_PAGE_INFO} }}"


_ISSUE = f"""
id identifier number title description priority estimate url createdAt updatedAt archivedAt trashed startedAt
completedAt canceledAt dueDate addedToCycleAt previousIdentifiers labelIds sortOrder
team {{ id key }} state {{ id name type }} assignee {{ id }} creator {{ id }} cycle {{ id }} project {{ id }}
parent {{ id }} botActor {{ id }}
{" ".join(_connection(name, size) for name, size in INLINE.items())}
"""

# `sort` is the only way to an ascending sweep: `orderBy` has no direction and is always newest first.
ISSUES = f"""query Issues($filter: IssueFilter!, $first: Int!, $sort: [IssueSortInput!]) {{
  issues(filter: $filter, first: $first, sort: $sort, includeArchived: true) {{
    nodes {{ {_ISSUE} }} pageInfo {{ hasNextPage }}
  }}
}}"""

ISSUE = f"""query Issue($id: String!) {{
  issue(id: $id) {{ {_ISSUE} {_connection("labels", 50)} }}
}}"""

ISSUE_IDS = """query IssueIds($filter: IssueFilter!, $first: Int!, $sort: [IssueSortInput!]) {
  issues(filter: $filter, first: $first, sort: $sort, includeArchived: true) {
    nodes { id identifier createdAt updatedAt trashed } pageInfo { hasNextPage }
  }
}"""

WHERE = "query Where($id: String!) { issue(id: $id) { id trashed team { key } } }"

CHANGED_COMMENTS = """query ChangedComments($filter: CommentFilter!, $first: Int!) {
  comments(filter: $filter, first: $first, orderBy: updatedAt) {
    nodes { id updatedAt issue { id updatedAt } } pageInfo { hasNextPage }
  }
}"""

# Several of the newest issues: those of an import share a moment, and moved ones have new numbers and old dates.
TEAM = """query Team($key: String!) {
  teams(filter: { key: { eq: $key } }, first: 1) { nodes { id key issueCount(includeArchived: true) } }
  issues(filter: { team: { key: { eq: $key } } }, first: 100, includeArchived: true, orderBy: createdAt) {
    nodes { number }
  }
}"""

# The small lists, each with its own field list, page size and arguments.
LISTS = {
    "teams": ("id key name issueEstimationType", LIST, ""),
    "workflowStates": ("id name type", LIST, ", includeArchived: true"),
    "issueLabels": ("id name description isGroup", LIST, ", includeArchived: true"),
    "users": ("id name displayName email active app lastSeen", LIST, ", includeArchived: true, includeDisabled: true"),
    "cycles": (
        "id number name startsAt endsAt completedAt isActive isFuture isPast team { key }",
        LIST,
        ", includeArchived: true, filter: { team: $teams }",
    ),
    "projects": (
        "id name description content targetDate lead { id } initiatives(first: 5) { nodes { id name } }",
        CONTENT_LIST,
        ", includeArchived: true, filter: { accessibleTeams: { some: $teams } }",
    ),
}


def lists(names: Sequence[str]) -> str:
    """The first pages of several lists in one request, with who is asking."""
    parts = " ".join(_list(name, "") for name in names)
    return f"query Lists{_variables(names)} {{ viewer {{ id name app }} organization {{ id name }} {parts} }}"


def more_of(name: str) -> str:
    """A further page of one list."""
    given = "($after: String, $teams: TeamFilter!)" if _needs_teams([name]) else "($after: String)"
    return f"query MoreOf{name[0].upper()}{name[1:]}{given} {{ {_list(name, ', after: $after')} }}"


def _list(name: str, after: str) -> str:
    fields, size, arguments = LISTS[name]
    return f"{name}(first: {size}{after}{arguments}) {{ nodes {{ {fields} }} {_PAGE_INFO} }}"


def _needs_teams(names: Sequence[str]) -> bool:
    return any("$teams" in LISTS[name][2] for name in names)


def _variables(names: Sequence[str]) -> str:
    return "($teams: TeamFilter!)" if _needs_teams(names) else ""


def rest(wanted: Sequence[str]) -> str:
    """The next entries of one connection each of several issues; `wanted` names the connections in order."""
    variables = ", ".join(f"$id{n}: ID!, $after{n}: String" for n in range(len(wanted)))
    parts = "\n".join(
        f"part{n}: issues(filter: {{ id: {{ eq: $id{n} }} }}, first: 1, includeArchived: true) "
        f"{{ nodes {{ id {_connection(name, REST, after=f'$after{n}')} }} }}"
        for n, name in enumerate(wanted)
    )
    return f"query Rest({variables}) {{\n{parts}\n}}"


MANAGED_COMMENTS = f"""query ManagedComments($id: String!, $marker: String!) {{
  issue(id: $id) {{ id {_connection("comments", 100, more=", filter: { body: { contains: $marker } }")} }}
}}"""

COMMENT = f"""query Comment($id: ID!) {{
  comments(filter: {{ id: {{ eq: $id }} }}, first: 1) {{ nodes {{ {_COMMENT} issue {{ id }} }} }}
}}"""

CREATE_COMMENT = f"""mutation CreateComment($input: CommentCreateInput!) {{
  commentCreate(input: $input) {{ success comment {{ {_COMMENT} }} }}
}}"""

UPDATE_COMMENT = f"""mutation UpdateComment($id: String!, $body: String!) {{
  commentUpdate(id: $id, input: {{ body: $body }}) {{ success comment {{ {_COMMENT} }} }}
}}"""

DELETE_COMMENT = "mutation DeleteComment($id: String!) { commentDelete(id: $id) { success } }"

LABELS_NAMED = """query LabelsNamed($name: String!) {
  issueLabels(filter: { name: { eqIgnoreCase: $name } }, first: 100) {
    nodes { id name description isGroup retiredAt team { id } } pageInfo { hasNextPage }
  }
}"""

CREATE_LABEL = """mutation CreateLabel($input: IssueLabelCreateInput!) {
  issueLabelCreate(input: $input) { success issueLabel { id name } }
}"""

ADD_LABEL = """mutation AddLabel($id: String!, $label: String!) {
  issueAddLabel(id: $id, labelId: $label) { success }
}"""

REMOVE_LABEL = """mutation RemoveLabel($id: String!, $label: String!) {
  issueRemoveLabel(id: $id, labelId: $label) { success }
}"""

LABELS_OF = "query LabelsOf($id: String!) { issue(id: $id) { id labelIds team { id } } }"

_WEBHOOK = "id label url enabled resourceTypes allPublicTeams team { id key } creator { name }"

WEBHOOKS = f"""query Webhooks($after: String) {{
  webhooks(first: {LIST}, after: $after) {{ nodes {{ {_WEBHOOK} }} {_PAGE_INFO} }}
}}"""

TEAM_IDS = "query TeamIds($key: String!) { teams(filter: { key: { eq: $key } }, first: 1) { nodes { id key } } }"

CREATE_WEBHOOK = f"""mutation CreateWebhook($input: WebhookCreateInput!) {{
  webhookCreate(input: $input) {{ success webhook {{ {_WEBHOOK} }} }}
}}"""

UPDATE_WEBHOOK = f"""mutation UpdateWebhook($id: String!, $input: WebhookUpdateInput!) {{
  webhookUpdate(id: $id, input: $input) {{ success webhook {{ {_WEBHOOK} }} }}
}}"""

DELETE_WEBHOOK = "mutation DeleteWebhook($id: String!) { webhookDelete(id: $id) { success } }"
