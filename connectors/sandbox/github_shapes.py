"""A World in GitHub's shapes: REST objects in snake case, GraphQL nodes in camel case. Times have whole seconds.

In a GitHub world a status is a column of the project board: `open` is an open issue on no board, completed and
cancelled ones are closed, and what closed them is in `resolution`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from backlint.connectors.sandbox.world import (
    Event,
    World,
    WorldComment,
    WorldIssue,
    WorldPerson,
    WorldProject,
    WorldSprint,
)

Row = dict[str, Any]

SITE = "https://github.com"
TYPE_NAMES = {"bug": "Bug", "story": "Feature", "task": "Task"}  # the types that every organisation starts with
DONE = "Done"
BOARD = 1
# A transferred issue is a new one with a new id; the world keeps its own.
NEW_ID = 1_000_000_000
PULL_REQUESTS = 3_000_000_000  # beyond what the old 32-bit ids could hold
ITERATION_DAYS = 14


def stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def database_id(issue: WorldIssue) -> int:
    return int(issue.id) + NEW_ID * len(issue.former_keys)


def node_id(issue: WorldIssue) -> str:
    return f"I_kwDO{database_id(issue)}"


def number_of(text: str) -> int:
    """World ids are numbers in a GitHub world; whatever else a test makes up gets one of its own."""
    return int(text) if text.isdigit() else sum(ord(letter) * 31**place for place, letter in enumerate(text[-6:]))


def is_closed(world: World, status: str) -> bool:
    return world.statuses[status].kind in ("completed", "cancelled")


def close_reason(world: World, issue: WorldIssue) -> str | None:
    if not is_closed(world, issue.status):
        return None
    fallback = "completed" if world.statuses[issue.status].kind == "completed" else "not_planned"
    return issue.resolution or fallback


def is_on_board(world: World, issue: WorldIssue) -> bool:
    """Whether the issue ever stood in a column; `open` means that it was taken off or never put there."""
    if world.statuses[issue.status].kind in ("backlog", "triage"):
        return False
    seen = {issue.status, *(event.before for event in issue.events if event.field == "status")}
    return any(world.statuses[status].kind in ("unstarted", "started") for status in seen)


def column(world: World, status: str, *, on_board: bool = True) -> str | None:
    found = world.statuses[status]
    if found.kind in ("unstarted", "started"):
        return found.name
    return DONE if on_board and found.kind in ("completed", "cancelled") else None


# -- people ------------------------------------------------------------------------------------------------------------


def rest_user(found: WorldPerson | None, *, own: str) -> Row | None:
    if found is None:
        return None
    login = bot_login(found) if _is_app(found, own) else found.handle
    return {
        "login": login, "id": number_of(found.id), "node_id": f"U_kgDO{found.id}",
        "type": "Bot" if _is_app(found, own) else "User", "site_admin": False,
    }  # fmt: skip


def bot_login(found: WorldPerson) -> str:
    return found.handle if found.handle.endswith("[bot]") else f"{found.handle}[bot]"


def actor(found: WorldPerson | None, *, own: str) -> Row | None:
    """GraphQL names apps without the `[bot]` of the REST API."""
    if found is None:
        return None
    kind = "Bot" if _is_app(found, own) else "User"
    login = found.handle.removesuffix("[bot]")
    return {"__typename": kind, "id": f"U_kgDO{found.id}", "login": login, "databaseId": number_of(found.id),
            "name": found.name}  # fmt: skip


def _is_app(found: WorldPerson, own: str) -> bool:
    """Our own account is a machine user with a token of its own; other bots are apps."""
    return found.is_bot and found.id != own


# -- REST --------------------------------------------------------------------------------------------------------------


def rest_repository(found: WorldProject, *, base: str, is_archived: bool, role: str) -> Row:
    owner, _, name = found.key.partition("/")
    roles = ("pull", "triage", "push", "maintain", "admin")
    return {
        "id": number_of(found.id), "node_id": f"R_kgDO{found.id}", "name": name, "full_name": found.key,
        "owner": {"login": owner, "id": 1, "type": "Organization"}, "private": True,
        "description": found.description or None, "fork": False, "url": f"{base}/repos/{found.key}",
        "html_url": f"{SITE}/{found.key}", "archived": is_archived, "disabled": False, "has_issues": True,
        "permissions": {each: roles.index(each) <= roles.index(role) for each in roles},
    }  # fmt: skip


def rest_issue(issue: WorldIssue, world: World, *, base: str) -> Row:
    own = world.bot
    repository = f"{base}/repos/{issue.project}"
    person = world.people.get
    assignee = person(issue.assignee or "")
    comments = issue.comments
    return {
        "id": database_id(issue), "node_id": node_id(issue), "number": issue.number, "title": issue.title,
        "body": issue.body or None, "state": "closed" if is_closed(world, issue.status) else "open",
        "state_reason": close_reason(world, issue), "user": rest_user(person(issue.reporter or ""), own=own),
        "labels": [rest_label(name) for name in issue.labels],
        "assignees": [rest_user(assignee, own=own)] if assignee else [], "milestone": None, "locked": issue.is_locked,
        "comments": len(comments), "created_at": stamp(issue.created_at), "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(closed_at(world, issue)), "url": f"{repository}/issues/{issue.number}",
        "repository_url": repository, "html_url": f"{SITE}/{issue.project}/issues/{issue.number}",
        "author_association": "MEMBER",
    }  # fmt: skip


def rest_pull_request(issue: WorldIssue, *, base: str) -> Row:
    """The pull request that an issue is worked on in: the issue list is full of them."""
    at = stamp(issue.pull_request_at)
    found = pull_request(issue)
    repository = f"{base}/repos/{issue.project}"
    return {
        "id": found["databaseId"], "node_id": found["id"], "number": found["number"], "title": f"Work on {issue.title}",
        "body": None, "state": "open", "state_reason": None, "user": None, "labels": [], "assignees": [],
        "milestone": None, "locked": False, "comments": 0, "created_at": at, "updated_at": at, "closed_at": None,
        "url": f"{repository}/issues/{found['number']}", "repository_url": repository, "html_url": found["url"],
        "pull_request": {"url": f"{repository}/pulls/{found['number']}"}, "author_association": "MEMBER",
    }  # fmt: skip


def rest_label(name: str) -> Row:
    return {"id": sum(map(ord, name)), "name": name, "color": "ededed", "description": None, "default": False}


def rest_comment(found: WorldComment, issue: WorldIssue, world: World, *, base: str) -> Row:
    return {
        "id": number_of(found.id), "node_id": f"IC_kwDO{found.id}", "body": found.body,
        "user": rest_user(world.people.get(found.author or ""), own=world.bot), "created_at": stamp(found.at),
        "updated_at": stamp(found.edited_at or found.at), "author_association": "MEMBER",
        "reactions": {"+1": found.thumbs[0], "-1": found.thumbs[1], "total_count": sum(found.thumbs)},
        "issue_url": f"{base}/repos/{issue.project}/issues/{issue.number}",
        "html_url": f"{SITE}/{issue.project}/issues/{issue.number}#issuecomment-{found.id}",
    }  # fmt: skip


def closed_at(world: World, issue: WorldIssue) -> datetime | None:
    if not is_closed(world, issue.status):
        return None
    steps = [event.at for event in issue.events if event.field == "status" and is_closed(world, event.after)]
    return steps[-1] if steps else issue.created_at


# -- GraphQL -----------------------------------------------------------------------------------------------------------


def issue_node(issue: WorldIssue, world: World) -> Row:
    """What needs no further lookup; the connections have resolvers."""
    return {
        "__typename": "Issue",
        "_issue": issue,
        "id": node_id(issue),
        "databaseId": database_id(issue) if database_id(issue) < 2**31 else None,
        "fullDatabaseId": str(database_id(issue)),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body or "",
        "state": "CLOSED" if is_closed(world, issue.status) else "OPEN",
        "url": f"{SITE}/{issue.project}/issues/{issue.number}",
        "locked": issue.is_locked,
        "createdAt": stamp(issue.created_at),
        "updatedAt": stamp(issue.updated_at),
        "closedAt": lambda: stamp(closed_at(world, issue)),
        "lastEditedAt": lambda: stamp(_last_edit(issue)[0]),
        "editor": lambda: actor(world.people.get(_last_edit(issue)[1] or ""), own=world.bot),
        "author": lambda: actor(world.people.get(issue.reporter or ""), own=world.bot),
        "milestone": lambda: milestone(issue.due_on) if issue.due_on and not is_on_board(world, issue) else None,
        "issueType": lambda: (
            {"id": f"IT_{issue.type}", "name": TYPE_NAMES[issue.type]} if issue.type in TYPE_NAMES else None
        ),
        "repository": lambda: {"__typename": "Repository", "nameWithOwner": issue.project},
    }


def milestone(due_on: date) -> Row:
    """GitHub keeps the day as seven or eight in the morning UTC, midnight on its own coast."""
    at = datetime(due_on.year, due_on.month, due_on.day, 8, tzinfo=UTC)
    return {"id": f"MI_{due_on}", "number": due_on.toordinal() % 1000, "title": f"Release {due_on}", "dueOn": stamp(at)}


def comment_node(found: WorldComment, world: World) -> Row:
    number = number_of(found.id)
    return {
        "__typename": "IssueComment",
        "id": f"IC_kwDO{found.id}",
        "databaseId": number if number < 2**31 else None,
        "fullDatabaseId": str(number),
        "body": found.body,
        "createdAt": stamp(found.at),
        "updatedAt": stamp(found.edited_at or found.at),
        "lastEditedAt": stamp(found.edited_at),
        "authorAssociation": "MEMBER",
        "author": actor(world.people.get(found.author or ""), own=world.bot),
    }


def pull_request(issue: WorldIssue) -> Row:
    number = 100_000 + issue.number
    return {
        "__typename": "PullRequest", "id": f"PR_kwDO{issue.id}", "databaseId": PULL_REQUESTS + int(issue.id),
        "number": number, "url": f"{SITE}/{issue.project}/pull/{number}", "createdAt": stamp(issue.pull_request_at),
    }  # fmt: skip


def board(project: str) -> Row:
    return {"__typename": "ProjectV2", "_project": project, "id": board_id(project), "number": BOARD,
            "title": f"{project.partition('/')[2].capitalize()} board"}  # fmt: skip


def board_id(project: str) -> str:
    return f"PVT_{project}"


def board_item(issue: WorldIssue, world: World) -> Row:
    moved = moved_at(issue)
    return {
        "__typename": "ProjectV2Item", "_issue": issue, "id": f"PVTI_{issue.id}", "isArchived": False,
        "createdAt": stamp(issue.created_at), "updatedAt": stamp(moved), "project": board(issue.project),
    }  # fmt: skip


def field_values(issue: WorldIssue, world: World) -> Iterator[Row]:
    """The card's values. Iterations have no history: only when the present one was set is known."""
    option = column(world, issue.status)
    if option is not None:
        at = stamp(_set_at(issue, "status"))
        yield {"__typename": "ProjectV2ItemFieldSingleSelectValue", "id": f"V1_{issue.id}", "name": option,
               "optionId": f"{sum(map(ord, option)):08x}", "createdAt": at, "updatedAt": at,
               "field": board_field("Status", "SINGLE_SELECT")}  # fmt: skip
    sprint = world.sprints.get(issue.sprint or "")
    if sprint is not None:
        at = stamp(_set_at(issue, "sprint"))
        yield {"__typename": "ProjectV2ItemFieldIterationValue", "id": f"V2_{issue.id}", **iteration(sprint),
               "iterationId": sprint.id, "createdAt": at, "updatedAt": at,
               "field": board_field("Iteration", "ITERATION")}  # fmt: skip
    if issue.estimate is not None:
        at = stamp(_set_at(issue, "estimate"))
        yield {"__typename": "ProjectV2ItemFieldNumberValue", "id": f"V3_{issue.id}", "number": issue.estimate,
               "createdAt": at, "updatedAt": at, "field": board_field("Estimate", "NUMBER")}  # fmt: skip
    if issue.due_on is not None:
        at = stamp(_set_at(issue, "due_on"))
        yield {"__typename": "ProjectV2ItemFieldDateValue", "id": f"V4_{issue.id}", "date": issue.due_on.isoformat(),
               "createdAt": at, "updatedAt": at, "field": board_field("Due date", "DATE")}  # fmt: skip


def iteration(sprint: WorldSprint) -> Row:
    return {"id": sprint.id, "title": sprint.name, "startDate": sprint.starts_at.date().isoformat(),
            "duration": max(1, round((sprint.ends_at - sprint.starts_at) / timedelta(days=1)))}  # fmt: skip


def board_field(name: str, kind: str, **more: Any) -> Row:
    typename = {"SINGLE_SELECT": "ProjectV2SingleSelectField", "ITERATION": "ProjectV2IterationField"}
    return {
        "__typename": typename.get(kind, "ProjectV2Field"),
        "id": f"F_{name}",
        "name": name,
        "dataType": kind,
        **more,
    }


def board_fields(world: World, project: str) -> list[Row]:
    columns = [column(world, id) for id in world.statuses]
    options = [{"id": f"{n:08x}", "name": name} for n, name in enumerate(dict.fromkeys(filter(None, columns)))]
    sprints = [sprint for sprint in world.sprints.values() if sprint.project == project]
    done = [iteration(sprint) for sprint in sprints if sprint.completed_at is not None]
    ahead = [iteration(sprint) for sprint in sprints if sprint.completed_at is None]
    configuration = {"completedIterations": done, "iterations": ahead, "duration": ITERATION_DAYS}
    return [
        board_field("Title", "TITLE"),
        board_field("Status", "SINGLE_SELECT", options=options),
        board_field("Iteration", "ITERATION", configuration=configuration),
        board_field("Estimate", "NUMBER"),
        board_field("Due date", "DATE"),
    ]


def moved_at(issue: WorldIssue) -> datetime:
    on_board = ("status", "sprint", "estimate", "due_on")
    return max((event.at for event in issue.events if event.field in on_board), default=issue.created_at)


def _set_at(issue: WorldIssue, field: str) -> datetime:
    return max((event.at for event in issue.events if event.field == field), default=issue.created_at)


def _last_edit(issue: WorldIssue) -> tuple[datetime | None, str | None]:
    edits = [event for event in issue.events if event.field == "body"]
    return (edits[-1].at, edits[-1].actor) if edits else (None, None)


# -- the timeline ------------------------------------------------------------------------------------------------------


def timeline(
    issue: WorldIssue, world: World, *, reference: Any, blockers: Iterable[WorldIssue] = ()
) -> list[tuple[str, Row]]:
    """(item type, event) in the order of time. `reference` gives the node of another issue by its world id."""
    found: list[Row] = []
    if issue.pull_request_at is not None:
        found.append(
            {"__typename": "CrossReferencedEvent", "createdAt": stamp(issue.pull_request_at), "willCloseTarget": True,
             "source": pull_request(issue), "id": f"CRE_{issue.id}", "actor": None}
        )  # fmt: skip
    was_on_board = False
    for event in (*_creation(issue, world), *issue.events):
        for made in _events(event, issue, world, reference, was_on_board):
            was_on_board = was_on_board or made["__typename"] == "AddedToProjectV2Event"
            if made["__typename"] == "RemovedFromProjectV2Event":
                was_on_board = False
            person = actor(world.people.get(event.actor or ""), own=world.bot)
            found.append({"createdAt": stamp(event.at), "actor": person, **made, "id": f"E{event.id}_{len(found)}"})
    for kind, target in issue.links:
        if kind == "duplicates":
            found.append({"__typename": "MarkedAsDuplicateEvent", "createdAt": stamp(issue.updated_at), "actor": None,
                          "canonical": reference(target), "id": f"D{issue.id}_{target}"})  # fmt: skip
    for other in blockers:
        at = stamp(max(other.created_at, issue.created_at))
        found.append({"__typename": "BlockedByAddedEvent", "createdAt": at, "actor": None,
                      "blockingIssue": reference(other.id), "id": f"B{issue.id}_{other.id}"})  # fmt: skip
    found.sort(key=lambda event: str(event["createdAt"]))
    return [(item_type(event["__typename"]), event) for event in found]


def item_type(typename: str) -> str:
    """`ProjectV2ItemStatusChangedEvent` is PROJECT_V2_ITEM_STATUS_CHANGED_EVENT."""
    spaced = "".join(f"_{letter}" if letter.isupper() else letter for letter in typename)
    return spaced.lstrip("_").upper().replace("PROJECT_V2", "PROJECT_V2").replace("_V2ITEM", "_V2_ITEM")


def _creation(issue: WorldIssue, world: World) -> tuple[Event, ...]:
    """An issue that began in a column was put there when it was written."""
    first = next((event.before for event in issue.events if event.field == "status"), issue.status)
    if world.statuses[first].kind not in ("unstarted", "started"):
        return ()
    start = next(id for id, status in world.statuses.items() if status.kind == "backlog")
    return (Event(f"{issue.id}0", issue.created_at, issue.reporter, "status", start, first),)


def _events(event: Event, issue: WorldIssue, world: World, reference: Any, was_on_board: bool) -> Iterator[Row]:
    match event.field:
        case "labels":
            yield from _label_events(event.before or [], event.after or [])
        case "assignee":
            yield from _assignments(event, world)
        case "title":
            yield {"__typename": "RenamedTitleEvent", "previousTitle": event.before, "currentTitle": event.after}
        case "parent":
            for side, kind in ((event.before, "ParentIssueRemovedEvent"), (event.after, "ParentIssueAddedEvent")):
                if side:
                    yield {"__typename": kind, "parent": reference(side)}
        case "due_on":
            if not is_on_board(world, issue):
                for side, kind in ((event.before, "DemilestonedEvent"), (event.after, "MilestonedEvent")):
                    if side:
                        yield {"__typename": kind, "milestoneTitle": milestone(side)["title"]}
        case "status":
            yield from _status_events(event, issue, world, was_on_board)
        case _:
            return


def _label_events(before: list[str], after: list[str]) -> Iterator[Row]:
    for name in after:
        if name not in before:
            yield {"__typename": "LabeledEvent", "label": label_node(name)}
    for name in before:
        if name not in after:
            yield {"__typename": "UnlabeledEvent", "label": label_node(name)}


def label_node(name: str) -> Row:
    return {"__typename": "Label", "id": f"LA_{name}", "name": name, "color": "ededed", "description": None}


def _assignments(event: Event, world: World) -> Iterator[Row]:
    for side, kind in ((event.before, "UnassignedEvent"), (event.after, "AssignedEvent")):
        person = world.people.get(side or "")
        if person is not None:
            yield {"__typename": kind, "assignee": actor(person, own=world.bot)}


def _status_events(event: Event, issue: WorldIssue, world: World, was_on_board: bool) -> Iterator[Row]:
    """Closing and the board are two things: a workflow of the board moves the card when the issue is closed."""
    before, after = world.statuses[event.before], world.statuses[event.after]
    was_closed, closed = is_closed(world, before.id), is_closed(world, after.id)
    if closed:
        yield {"__typename": "ClosedEvent", "stateReason": _reason(event, issue, world).upper(), "closer": None}
    elif was_closed:
        yield {"__typename": "ReopenedEvent", "stateReason": "REOPENED"}
    yield from _moves(event, world, issue, was_on_board, automated=closed)


def _moves(event: Event, world: World, issue: WorldIssue, was_on_board: bool, *, automated: bool) -> Iterator[Row]:
    shown = board(issue.project)
    new = column(world, event.after, on_board=was_on_board)
    old = column(world, event.before, on_board=was_on_board) if was_on_board else None
    if new is not None and not was_on_board:
        yield {"__typename": "AddedToProjectV2Event", "project": shown, "wasAutomated": False}
    if new is None and old is not None:
        yield {"__typename": "RemovedFromProjectV2Event", "project": shown, "wasAutomated": False}
    elif new is not None and new != old:
        yield {"__typename": "ProjectV2ItemStatusChangedEvent", "project": shown, "previousStatus": old or "",
               "status": new, "wasAutomated": automated}  # fmt: skip


def _reason(event: Event, issue: WorldIssue, world: World) -> str:
    beside = [e.after for e in issue.events if e.field == "resolution" and e.at == event.at and e.after]
    if beside:
        return str(beside[-1])
    return "completed" if world.statuses[event.after].kind == "completed" else "not_planned"


def rate(limit: int, remaining: int, reset_at: datetime) -> Mapping[str, str]:
    return {
        "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Used": str(limit - remaining), "X-RateLimit-Reset": str(int(reset_at.timestamp())),
        "X-RateLimit-Resource": "core",
    }  # fmt: skip
