"""Linear's GraphQL API over a World: real execution, Linear's limits, paging, error shapes and headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backlint.connectors.sandbox import linear_shapes as shapes
from backlint.connectors.sandbox.graphql import GraphqlSchemaServer, Operation, Resolver, operation
from backlint.connectors.sandbox.linear_complexity import complexity
from backlint.connectors.sandbox.linear_webhooks import linear_payload
from backlint.connectors.sandbox.world import World, WorldComment, WorldHook, WorldIssue

TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's only token, known to everybody
MOST_POINTS = 10_000
MOST_ROWS = 250
REQUESTS_AN_HOUR = 2_500
POINTS_AN_HOUR = 3_000_000

Row = dict[str, Any]
Key = Callable[[Any], Any]
Resolvers = dict[str, dict[str, Resolver]]


@dataclass
class LinearSandbox:
    """What the server needs beside the world. `can_write` False is a key limited to reading."""

    world: World
    token: str = TOKEN
    can_write: bool = True
    is_admin: bool = True  # members see no webhooks
    organization: str = "Sandbox"
    labels: dict[str, Row] = field(default_factory=dict)  # name -> what the world does not keep of a label
    _incoming: dict[str, list[tuple[str, WorldIssue]]] | None = field(default=None, repr=False)

    def label_id(self, name: str) -> str:
        return self.world.labels.setdefault(name, shapes.made_id("label", name))

    def label(self, name: str) -> Row:
        facts: Row = {"color": "#95a2b3", "isGroup": False}
        return {"id": self.label_id(name), "name": name, **facts, **self.labels.get(name, {})}

    def label_names(self) -> list[str]:
        used = {name for issue in self.world.issues.values() for name in issue.labels}
        return sorted(used | set(self.world.labels))

    def incoming_links(self) -> dict[str, list[tuple[str, WorldIssue]]]:
        """Links by their target; made once for each request."""
        if self._incoming is None:
            self._incoming = {}
            for issue in self.world.issues.values():
                for kind, target in issue.links:
                    if kind in shapes.RELATION_TYPES:
                        self._incoming.setdefault(target, []).append((kind, issue))
        return self._incoming

    def begin_request(self) -> None:
        self._incoming = None

    def node(self, issue: WorldIssue) -> Row:
        return shapes.issue(issue, self.world, map(self.label_id, issue.labels))


def linear_app(world: World, *, token: str = TOKEN, sandbox: LinearSandbox | None = None) -> Starlette:
    """The application; `app.state.limited` and `app.state.rate_headers` say how Linear refuses for the faults."""
    served = sandbox or LinearSandbox(world, token)
    resolvers = _resolvers(served)

    async def graphql(request: Request) -> Response:
        if request.headers.get("authorization") not in (served.token, f"Bearer {served.token}"):
            return _refusal(401, "Authentication required, not authenticated", "AUTHENTICATION_ERROR")
        try:
            asked = operation(await request.body())
        except ValueError as error:
            return _refusal(400, str(error), "GRAPHQL_VALIDATION_FAILED")
        with served.world.lock:
            served.begin_request()
            return _answer(served, resolvers, asked)

    app = Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])
    app.state.limited = lambda reset_at, _retry_after: _limited(reset_at)
    app.state.rate_headers = rate_headers
    app.state.webhook_payload = linear_payload(world)
    return app


@lru_cache(maxsize=1)
def _schema_server() -> GraphqlSchemaServer:
    """Made once for all sandboxes, with what was parsed; the resolvers of the one asked come with the request."""

    def asked(owner: str, name: str) -> Resolver:
        return lambda value, info, **given: info.context[owner][name](value, info, **given)

    names = _resolvers(LinearSandbox(World("")))
    dispatching = {owner: {name: asked(owner, name) for name in fields} for owner, fields in names.items()}
    return GraphqlSchemaServer(Path(__file__).with_name("linear.graphql"), dispatching)


def _answer(sandbox: LinearSandbox, resolvers: Resolvers, asked: Operation) -> Response:
    server = _schema_server()
    document, problems = server.prepare(asked.query)
    if document is None or problems:
        # Published answers of this kind carry no rate-limit headers at all.
        return _refusal(400, problems[0].message, "GRAPHQL_VALIDATION_FAILED")
    points = complexity(server.schema, document, asked.variables)
    headers = {**_budget(points), "Date": format_datetime(sandbox.world.clock(), usegmt=True)}
    if points > MOST_POINTS:
        shown = f"Query complexity is {points}, the maximum is {MOST_POINTS}."
        return _refusal(400, "Query too complex", "INPUT_ERROR", shown=shown, headers=headers)
    result = server.run(document, asked, context=resolvers)
    body: Row = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    return Response(msgspec.json.encode(body), media_type="application/json; charset=utf-8", headers=headers)


# -- refusals ----------------------------------------------------------------------------------------------------------

TYPES = {
    "AUTHENTICATION_ERROR": "authentication error",
    "GRAPHQL_VALIDATION_FAILED": "graphql error",
    "INPUT_ERROR": "invalid input",
    "INVALID_INPUT": "invalid input",
    "RATELIMITED": "ratelimited",
    "FORBIDDEN": "forbidden",
}


def _refusal(
    status: int, message: str, code: str, *, shown: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    extensions: Row = {"type": TYPES[code], "code": code, "statusCode": status, "userError": True, "meta": {}}
    extensions |= {"userPresentableMessage": shown or message, "http": {"status": status, "headers": {}}}
    body = {"errors": [{"message": message, "extensions": extensions}]}
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json; charset=utf-8")


def _limited(reset_at: datetime) -> Response:
    headers = {**_budget(0), **rate_headers(REQUESTS_AN_HOUR, 0, reset_at)}
    return _refusal(400, "Rate limit exceeded", "RATELIMITED", headers=headers)


def rate_headers(limit: int, remaining: int, reset_at: datetime) -> dict[str, str]:
    """The request budget as Linear announces it; resets are epoch milliseconds."""
    return {
        "X-RateLimit-Requests-Limit": str(limit),
        "X-RateLimit-Requests-Remaining": str(remaining),
        "X-RateLimit-Requests-Reset": str(int(reset_at.timestamp() * 1000)),
    }


def _budget(points: int) -> dict[str, str]:
    """A full budget: limits that bite come from the faults."""
    reset = str(int((time.time() + 3600) * 1000))
    return {
        "X-Complexity": str(points),
        "X-RateLimit-Requests-Limit": str(REQUESTS_AN_HOUR),
        "X-RateLimit-Requests-Remaining": str(REQUESTS_AN_HOUR - 1),
        "X-RateLimit-Requests-Reset": reset,
        "X-RateLimit-Complexity-Limit": str(POINTS_AN_HOUR),
        "X-RateLimit-Complexity-Remaining": str(POINTS_AN_HOUR - points),
        "X-RateLimit-Complexity-Reset": reset,
    }


def _error(error: GraphQLError) -> Row:
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        raise error.original_error  # a fault of the sandbox, to be seen
    shown: Row = {"message": error.message, "path": error.path, "extensions": error.extensions}
    return shown


def _wrong(message: str, code: str = "INPUT_ERROR", **more: Any) -> GraphQLError:
    known = {"type": TYPES[code], "code": code, "statusCode": 400, "userError": True}
    return GraphQLError(message, extensions={**known, "userPresentableMessage": message, **more})


def _not_found(kind: str) -> GraphQLError:
    return _wrong(f"Entity not found: {kind}", userPresentableMessage=f"Could not find referenced {kind}.")


# -- paging ------------------------------------------------------------------------------------------------------------


def _page(
    rows: Iterable[Any], show: Callable[[Any], Row], key: Key, find: Callable[[str], Any] | None, **given: Any
) -> Row:
    """One page of a connection. The cursor is the last row's id: it stands where that row stands NOW, as in Linear."""
    first = 50 if given.get("first") is None else given["first"]
    if not 0 < first <= MOST_ROWS:
        limits = {"max": f"first must not be greater than {MOST_ROWS}", "min": "first must not be less than 1"}
        problem: Row = {"target": {}, "value": first, "property": "first", "children": [], "constraints": limits}
        raise _wrong("Argument Validation Error", "INVALID_INPUT", validationErrors=[problem])
    descending = given.get("descending", True)
    ordered = sorted(rows, key=key, reverse=descending)
    if given.get("after"):
        known = find(given["after"]) if find else next((row for row in ordered if _id(row) == given["after"]), None)
        if known is None:
            raise _wrong("Invalid cursor")  # what the live service says to an unknown cursor is not published
        place = key(known)
        ordered = [row for row in ordered if (key(row) < place if descending else key(row) > place)]
    chosen = ordered[:first]
    info = {
        "hasNextPage": len(ordered) > first,
        "hasPreviousPage": bool(given.get("after")),
        "startCursor": _id(chosen[0]) if chosen else None,
        "endCursor": _id(chosen[-1]) if chosen else None,
    }
    return {"nodes": [show(row) for row in chosen], "pageInfo": info}


def _id(row: Any) -> str:
    return str(row["id"] if isinstance(row, dict) else row.id)


def _plain(rows: Sequence[Row], **given: Any) -> Row:
    """Lists of little things, newest first where they have a time."""
    return _page(rows, lambda row: row, lambda row: (row.get("createdAt") or "", row["id"]), None, **given)


# -- filters -----------------------------------------------------------------------------------------------------------

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "neq": lambda value, wanted: value != wanted,
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "gt": lambda value, wanted: value is not None and value > wanted,
    "gte": lambda value, wanted: value is not None and value >= wanted,
    "lt": lambda value, wanted: value is not None and value < wanted,
    "lte": lambda value, wanted: value is not None and value <= wanted,
    "null": lambda value, wanted: (value is None) == wanted,
    "eqIgnoreCase": lambda value, wanted: value.casefold() == wanted.casefold(),
    "contains": lambda value, wanted: wanted in (value or ""),
}


def _moment(text: Any) -> Any:
    """Times are compared at one millisecond, whatever form they come in."""
    return shapes.stamp(datetime.fromisoformat(text)) if isinstance(text, str) else text


def _matches(value: Any, comparator: Mapping[str, Any] | None, *, is_time: bool = False) -> bool:
    for test, wanted in (comparator or {}).items():
        operand = set(wanted) if test in ("in", "nin") else _moment(wanted) if is_time else wanted
        if not TESTS[test](value, operand):
            return False
    return True


Filter = Callable[[WorldIssue], bool]


def _issue_filter(wanted: Mapping[str, Any], world: World) -> Filter:
    """All conditions together; the team first, since it decides most."""
    parts: list[Filter] = []
    if team := wanted.get("team"):
        keys = {key for key, owner in world.projects.items() if _is_team(owner, team)}
        parts.append(lambda issue: issue.project in keys)
    if number := wanted.get("number"):
        parts.append(lambda issue: _matches(float(issue.number), number))
    if ids := wanted.get("id"):
        parts.append(_id_filter(ids))
    parts += [_issue_filter(each, world) for each in wanted.get("and") or ()]
    for name, attribute in (("updatedAt", "updated_at"), ("createdAt", "created_at"), ("archivedAt", "archived_at")):
        if name in wanted:
            parts.append(_time_filter(attribute, wanted[name]))
    return lambda issue: all(part(issue) for part in parts)


def _id_filter(ids: Mapping[str, Any]) -> Filter:
    sets = {test: set(wanted) if test in ("in", "nin") else wanted for test, wanted in ids.items()}
    return lambda issue: all(TESTS[test](issue.id, wanted) for test, wanted in sets.items())


def _time_filter(attribute: str, comparator: Mapping[str, Any]) -> Filter:
    moments = {test: _moment(wanted) for test, wanted in comparator.items()}
    return lambda issue: all(
        TESTS[test](shapes.stamp(getattr(issue, attribute)), wanted) for test, wanted in moments.items()
    )


def _is_team(owner: Any, wanted: Mapping[str, Any] | None) -> bool:
    wanted = wanted or {}
    return owner.is_readable and _matches(owner.key, wanted.get("key")) and _matches(owner.id, wanted.get("id"))


# -- queries -----------------------------------------------------------------------------------------------------------


def _resolvers(sandbox: LinearSandbox) -> Resolvers:
    return {
        "Query": _queries(sandbox),
        "Mutation": {name: _guarded(sandbox, call) for name, call in _mutations(sandbox).items()},
        "Issue": _issue_connections(sandbox),
        "Team": {"issueCount": lambda value, _info, **given: _issue_count(sandbox.world, value["key"], **given)},
        "Project": {"initiatives": lambda value, _info, **given: _plain(value["initiatives"], **given)},
    }


def _issue_count(world: World, key: str, *, includeArchived: bool = False) -> int:
    return sum(includeArchived or each.archived_at is None for each in world.in_project(key))


def _queries(sandbox: LinearSandbox) -> dict[str, Resolver]:
    world = sandbox.world

    def teams(_root: Any, _info: Any, filter: Any = None, **given: Any) -> Row:
        return _plain([shapes.team(each) for each in world.projects.values() if _is_team(each, filter)], **given)

    def cycles(_root: Any, _info: Any, filter: Any = None, **given: Any) -> Row:
        wanted = (filter or {}).get("team")
        shown = [s for s in world.sprints.values() if _is_team(world.projects[s.project], wanted)]
        return _plain([shapes.cycle(each, world) for each in shown], **given)

    def projects(_root: Any, _info: Any, filter: Any = None, **given: Any) -> Row:
        wanted = ((filter or {}).get("accessibleTeams") or {}).get("some")
        shown = [each for each in world.projects.values() if _is_team(each, wanted) and shapes.has_project(each)]
        return _plain([shapes.project(each, world) for each in shown], **given)

    def labels(_root: Any, _info: Any, filter: Any = None, **given: Any) -> Row:
        names = [name for name in sandbox.label_names() if _matches(name, (filter or {}).get("name"))]
        return _plain([sandbox.label(name) for name in names], **given)

    return {
        "viewer": lambda _root, _info: shapes.person(world.people[world.bot]),
        "organization": lambda _root, _info: {
            "id": shapes.made_id("organization"), "name": sandbox.organization, "urlKey": "sandbox",
        },
        "teams": teams,
        "workflowStates": lambda _r, _i, **given: _plain([shapes.state(s) for s in world.statuses.values()], **given),
        "issueLabels": labels,
        "users": lambda _r, _i, **given: _plain([shapes.person(p) or {} for p in world.people.values()], **given),
        "cycles": cycles,
        "projects": projects,
        "issues": lambda _root, _info, **given: _issues(sandbox, **given),
        "issue": lambda _root, _info, id: sandbox.node(_found(sandbox, id)),
        "comments": lambda _root, _info, **given: _comments(sandbox, **given),
        "webhooks": lambda _r, _i, **given: _plain([_webhook(sandbox, h) for h in _seen_hooks(sandbox)], **given),
    }  # fmt: skip


def _issues(sandbox: LinearSandbox, *, filter: Any = None, includeArchived: bool = False, **given: Any) -> Row:
    matches = _issue_filter(filter or {}, sandbox.world)
    rows = [
        issue
        for issue in sandbox.world.issues.values()
        if matches(issue) and (includeArchived or issue.archived_at is None) and _is_readable(sandbox, issue)
    ]
    field_name, descending = given.pop("orderBy", "createdAt"), True
    for chosen in given.pop("sort", None) or ():
        field_name, order = next(iter(chosen.items()))
        descending = (order or {}).get("order") == "Descending"
    attribute = {"createdAt": "created_at", "updatedAt": "updated_at"}[field_name]

    def place(issue: WorldIssue) -> tuple[Any, str]:
        return shapes.stamp(getattr(issue, attribute)), issue.id

    return _page(rows, sandbox.node, place, sandbox.world.issues.get, descending=descending, **given)


def _is_readable(sandbox: LinearSandbox, issue: WorldIssue) -> bool:
    return sandbox.world.projects[issue.project].is_readable


def _comments(sandbox: LinearSandbox, *, filter: Any = None, **given: Any) -> Row:
    wanted = filter or {}
    on = _issue_filter(wanted.get("issue") or {}, sandbox.world)
    rows = [
        shapes.comment(each, issue, sandbox.world)
        for issue in sandbox.world.issues.values()
        if issue.comments and on(issue) and _is_readable(sandbox, issue)
        for each in issue.comments
        if _is_comment(each, wanted)
    ]
    name = given.pop("orderBy", "createdAt")
    return _page(rows, lambda row: row, lambda row: (row[name], row["id"]), None, **given)


def _is_comment(comment: WorldComment, wanted: Mapping[str, Any]) -> bool:
    return (
        _matches(comment.id, wanted.get("id"))
        and _matches(comment.body, wanted.get("body"))
        and _matches(shapes.stamp(comment.edited_at or comment.at), wanted.get("updatedAt"), is_time=True)
    )


def _seen_hooks(sandbox: LinearSandbox) -> list[WorldHook]:
    if not sandbox.is_admin:
        raise _wrong("Admin role required", "FORBIDDEN", statusCode=403)
    return list(sandbox.world.hooks.values())


def _webhook(sandbox: LinearSandbox, hook: WorldHook) -> Row:
    world = sandbox.world
    return {
        "id": hook.id, "label": hook.label, "url": hook.url, "enabled": hook.is_enabled, "resourceTypes": hook.events,
        "allPublicTeams": not hook.covers, "team": shapes.team(world.projects[hook.covers]) if hook.covers else None,
        "creator": shapes.person(world.people[world.bot]), "createdAt": shapes.stamp(world.clock()),
    }  # fmt: skip


def _found(sandbox: LinearSandbox, reference: str) -> WorldIssue:
    found = sandbox.world.find(reference)
    if found is None or not _is_readable(sandbox, found):
        raise _not_found("Issue")
    return found


def _issue_connections(sandbox: LinearSandbox) -> dict[str, Resolver]:
    world = sandbox.world

    def on(rows: Callable[[WorldIssue], list[Row]]) -> Resolver:
        return lambda value, _info, **given: _plain(rows(value["_issue"]), **given)

    def comments(value: Row, _info: Any, filter: Any = None, **given: Any) -> Row:
        issue = value["_issue"]
        return _plain(
            [shapes.comment(c, issue, world) for c in issue.comments if _is_comment(c, filter or {})], **given
        )

    def history(value: Row, _info: Any, **given: Any) -> Row:
        # Entries of one moment keep their order, so the place in the list is the key and not the id.
        rows = [{**row, "_n": n} for n, row in enumerate(shapes.history(value["_issue"], world, sandbox.label_id))]
        return _page(rows, lambda row: row, lambda row: row["_n"], None, **given)

    def inverse(issue: WorldIssue) -> list[Row]:
        return [shapes.relation(kind, other, issue.id) for kind, other in sandbox.incoming_links().get(issue.id, ())]

    return {
        "labels": on(lambda issue: [sandbox.label(name) for name in issue.labels]),
        "comments": comments,
        "attachments": on(shapes.attachments),
        "history": history,
        "stateHistory": on(shapes.state_spans),
        "relations": on(
            lambda issue: [shapes.relation(k, issue, t) for k, t in issue.links if k in shapes.RELATION_TYPES]
        ),
        "inverseRelations": on(inverse),
    }


# -- mutations ---------------------------------------------------------------------------------------------------------


def _guarded(sandbox: LinearSandbox, call: Resolver) -> Resolver:
    def guarded(root: Any, info: Any, **given: Any) -> Row:
        if not sandbox.can_write:
            raise _wrong("You do not have permission to do this", "FORBIDDEN", statusCode=403)
        return {"success": True, **call(**given)}

    return guarded


def _mutations(sandbox: LinearSandbox) -> dict[str, Resolver]:
    world = sandbox.world

    def label_of(label_id: str) -> str:
        found = next((name for name in sandbox.label_names() if sandbox.label_id(name) == label_id), None)
        if found is None:
            raise _not_found("IssueLabel")
        if sandbox.label(found)["isGroup"]:
            raise _wrong("The label is a group")  # wording not published
        return found

    # Whether the live service refuses a label that is there, or the removal of one that is not, is not published:
    # the sandbox refuses, so that a client has to cope with both.
    def add_label(*, id: str, labelId: str) -> Row:
        issue, name = _found(sandbox, id), label_of(labelId)
        if name in issue.labels:
            raise _wrong("The issue already has the label")
        world.add_labels(issue, [name], actor=world.bot)
        return {"issue": sandbox.node(issue)}

    def remove_label(*, id: str, labelId: str) -> Row:
        issue, name = _found(sandbox, id), label_of(labelId)
        if name not in issue.labels:
            raise _wrong("The issue does not have the label")
        world.remove_labels(issue, [name], actor=world.bot)
        return {"issue": sandbox.node(issue)}

    def create_label(*, input: Row) -> Row:
        name = input["name"]
        if any(name.casefold() == known.casefold() for known in sandbox.label_names()):
            raise _wrong("A label with this name already exists")
        world.labels[name] = input.get("id") or world.ids()
        sandbox.labels[name] = {key: input[key] for key in ("color", "description", "isGroup") if input.get(key)}
        return {"issueLabel": sandbox.label(name)}

    def comment_of(id: str) -> tuple[WorldIssue, WorldComment]:
        for issue in world.issues.values():
            for comment in issue.comments:
                if comment.id == id:
                    return issue, comment
        raise _not_found("Comment")

    def create_comment(*, input: Row) -> Row:
        issue, id = _found(sandbox, input.get("issueId") or ""), input.get("id")
        if id and any(id == each.id for other in world.issues.values() for each in other.comments):
            raise _wrong("A comment with this id already exists")  # answer to a repeated id not published
        comment = world.add_comment(issue, input.get("body") or "", actor=world.bot, id=id)
        return {"comment": shapes.comment(comment, issue, world)}

    def update_comment(*, id: str, input: Row) -> Row:
        issue, comment = comment_of(id)
        world.edit_comment(issue, comment, input.get("body") or comment.body, actor=world.bot)
        return {"comment": shapes.comment(comment, issue, world)}

    def delete_comment(*, id: str) -> Row:
        issue, _ = comment_of(id)
        world.delete_comment(issue, id, actor=world.bot)
        return {"entityId": id}

    def create_webhook(*, input: Row) -> Row:
        _seen_hooks(sandbox)
        if not input["url"].startswith("http"):
            raise _wrong("url must be a valid URL")
        team = next((each for each in world.projects.values() if each.id == input.get("teamId")), None)
        if team is None and not input.get("allPublicTeams"):
            raise _wrong("Either teamId or allPublicTeams must be set")
        id = input.get("id") or world.ids()
        world.hooks[id] = WorldHook(
            id, input["url"], input.get("secret") or world.ids(), list(input["resourceTypes"]),
            covers=team.key if team else "", label=input.get("label") or "", is_enabled=input.get("enabled", True),
        )  # fmt: skip
        return {"webhook": _webhook(sandbox, world.hooks[id])}

    def hook_of(id: str) -> WorldHook:
        found = next((hook for hook in _seen_hooks(sandbox) if hook.id == id), None)
        if found is None:
            raise _not_found("Webhook")
        return found

    def update_webhook(*, id: str, input: Row) -> Row:
        hook = hook_of(id)
        hook.url, hook.secret = input.get("url") or hook.url, input.get("secret") or hook.secret
        hook.events = list(input.get("resourceTypes") or hook.events)
        hook.is_enabled = input.get("enabled", hook.is_enabled)
        return {"webhook": _webhook(sandbox, hook)}

    def delete_webhook(*, id: str) -> Row:
        del world.hooks[hook_of(id).id]
        return {"entityId": id}

    return {
        "issueAddLabel": add_label,
        "issueRemoveLabel": remove_label,
        "issueLabelCreate": create_label,
        "commentCreate": create_comment,
        "commentUpdate": update_comment,
        "commentDelete": delete_comment,
        "webhookCreate": create_webhook,
        "webhookUpdate": update_webhook,
        "webhookDelete": delete_webhook,
    }
