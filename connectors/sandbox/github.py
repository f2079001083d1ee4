"""GitHub's REST and GraphQL APIs over a World, as far as the connector calls them, with GitHub's own traps."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from graphql import GraphQLEnumType, GraphQLError, GraphQLObjectType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from backlint.connectors.sandbox import github_shapes as shapes
from backlint.connectors.sandbox.github_hooks import GithubHooks, HookRefused
from backlint.connectors.sandbox.github_hooks import shown as shown_hook
from backlint.connectors.sandbox.graphql import GraphqlSchemaServer, Resolver, operation
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue, WorldPerson, WorldProject

TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's only token, known to everybody
REQUESTS_AN_HOUR = 5_000
DEEPEST_ITEM = 10_000  # `page` beyond this is refused; the list has cursors for that
LONGEST_BODY = 65_536
LONGEST_LABEL = 50
DOCUMENTATION = "https://docs.github.com/rest"

Row = dict[str, Any]


class Refusal(Exception):
    """An error answer in GitHub's shape."""

    def __init__(
        self, status: int, message: str, *, errors: Sequence[Row] = (), headers: Mapping[str, str] | None = None
    ):
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, headers or {}


@dataclass
class GithubSandbox:
    """What the server needs beside the world.

    `role` is that of the token's account in every repository; `renamed` maps former repository names to present ones;
    `lacks` names what an older server's schema does not have (`Issue.parent`, `PROJECT_V2_ITEM_STATUS_CHANGED_EVENT`);
    `boards_hidden` is a token without the permission for projects.
    """

    world: World
    token: str = TOKEN
    role: str = "push"
    renamed: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    labels: dict[tuple[str, str], Row] = field(default_factory=dict)  # (repository, casefolded name) -> label
    lacks: frozenset[str] = frozenset()
    boards_hidden: bool = False
    hooks_hidden: bool = False  # a token without the permission for webhooks
    installation: str | None = None  # id of the app's installation; its tokens are no user's
    app_tokens: dict[str, float] = field(default_factory=dict)  # token -> end of its life
    app_keys_made: int = 0
    _ordered: dict[str, list[WorldIssue]] = field(default_factory=dict, repr=False)
    _by_id: dict[int, WorldIssue] | None = field(default=None, repr=False)
    _blockers: dict[str, list[WorldIssue]] | None = field(default=None, repr=False)
    _size: int = -1

    def __post_init__(self) -> None:
        self.hooks = GithubHooks(self.world, is_hidden=self.hooks_hidden)
        self.world.listeners.append(lambda *_what: self.forget())

    def forget(self) -> None:
        self._ordered, self._by_id, self._blockers = {}, None, None

    def refresh(self) -> None:
        """Issues put into the world without telling are seen as well."""
        if self._size != len(self.world.issues):
            self._size = len(self.world.issues)
            self.forget()

    # -- looking things up -----------------------------------------------------------------------------------------

    def repository(self, name: str) -> WorldProject:
        for key, project in self.world.projects.items():
            if key.casefold() == name.casefold() and project.is_readable:
                return project
        raise Refusal(404, "Not Found")

    def by_number(self, project: WorldProject, number: int) -> WorldIssue:
        """404 for what never was; transferred and deleted ones have answers of their own."""
        found = next((i for i in self.in_order(project.key, "created") if i.number == number), None)
        if found is not None:
            return found
        key = f"{project.key}#{number}"
        if any(issue.key == key for issue in self.world.deleted.values()):
            raise Refusal(410, "This issue was deleted")
        moved = next((issue for issue in self.world.issues.values() if key in issue.former_keys), None)
        if moved is not None and self.world.projects[moved.project].is_readable:
            target = f"/repositories/{self.world.projects[moved.project].id}/issues/{moved.number}"
            raise Refusal(301, "Moved Permanently", headers={"Location": target})
        raise Refusal(404, "Not Found")

    def by_database_id(self, id: int) -> WorldIssue | None:
        if self._by_id is None:
            self._by_id = {shapes.database_id(issue): issue for issue in self.world.issues.values()}
        return self._by_id.get(id)

    def in_order(self, project: str, order: str) -> list[WorldIssue]:
        """Oldest first, by change or by number."""
        key = f"{order} {project}"
        if key not in self._ordered:
            issues = self.world.in_project(project)
            if order == "updated":
                issues.sort(key=lambda issue: (shapes.stamp(issue.updated_at) or "", shapes.database_id(issue)))
            else:
                issues.sort(key=lambda issue: issue.number)
            self._ordered[key] = issues
        return self._ordered[key]

    def blockers(self, issue: WorldIssue) -> list[WorldIssue]:
        if self._blockers is None:
            self._blockers = {}
            for other in self.world.issues.values():
                for kind, target in other.links:
                    if kind == "blocks":
                        self._blockers.setdefault(target, []).append(other)
        return self._blockers.get(issue.id, [])

    def node(self, issue: WorldIssue) -> Row:
        return shapes.issue_node(issue, self.world)

    def reference(self, world_id: str) -> Row | None:
        found = self.world.issues.get(world_id)
        return self.node(found) if found else None

    def may_label(self) -> bool:
        return self.role != "pull"


def github_app(
    world: World, *, token: str = TOKEN, lacks: frozenset[str] = frozenset(), sandbox: GithubSandbox | None = None
) -> Starlette:
    """The application, at the root as github.com has it, and under /api as Enterprise Server has it."""
    served = sandbox or GithubSandbox(world, token, lacks=lacks)
    server = _server(served.lacks)
    rest = [_route(served, *each) for each in ROUTES]

    async def graphql(request: Request) -> Response:
        body = await request.body()
        return _guarded(served, request, lambda: _graphql(served, server, body))

    query = Route("/graphql", graphql, methods=["POST"])
    enterprise = Mount("/api", routes=[query, Mount("/v3", routes=rest)])
    app = Starlette(routes=[query, enterprise, *rest])
    app.state.limited = limited
    app.state.rate_headers = shapes.rate
    app.state.webhook_payload = lambda *what: webhook(world, *what)
    app.state.sandbox = served
    return app


def limited(reset_at: datetime, _retry_after: int) -> Response:
    """The primary limit: a 403 that looks like a missing permission but for its headers."""
    body = {"message": "API rate limit exceeded for user ID 1.", "documentation_url": DOCUMENTATION}
    return _response(body, 403, dict(shapes.rate(REQUESTS_AN_HOUR, 0, reset_at)))


def secondary_limited(*, retry_after: int | None, status: int = 403) -> Response:
    """The secondary limit, which may come without a time to wait."""
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return _response({"message": text, "documentation_url": DOCUMENTATION}, status, headers)


def graphql_limited(reset_at: datetime) -> Response:
    """GraphQL's primary limit comes with status 200."""
    errors = [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]
    return _response({"errors": errors}, 200, dict(shapes.rate(REQUESTS_AN_HOUR, 0, reset_at)))


# -- the outside of every answer ---------------------------------------------------------------------------------------


def _route(sandbox: GithubSandbox, method: str, path: str, answer: Callable[..., Any]) -> Route:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return _guarded(sandbox, request, lambda: answer(sandbox, request, body))

    return Route(path, endpoint, methods=[method])


def _guarded(sandbox: GithubSandbox, request: Request, answer: Callable[[], Any]) -> Response:
    try:
        with sandbox.world.lock:
            sandbox.refresh()
            _identified(sandbox, request)
            made = answer()
        response = made if isinstance(made, Response) else _response(made, 200)
    except Refusal as refusal:
        response = _refusal(refusal, request)
    response.headers.setdefault("Date", format_datetime(sandbox.world.clock(), usegmt=True))
    reset_at = datetime.fromtimestamp((int(time.time()) // 3600 + 1) * 3600, UTC)
    for name, value in shapes.rate(REQUESTS_AN_HOUR, REQUESTS_AN_HOUR - 1, reset_at).items():
        response.headers.setdefault(name, value)
    return response


def _identified(sandbox: GithubSandbox, request: Request) -> None:
    if not request.headers.get("user-agent"):
        raise Refusal(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent.")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    known = token == sandbox.token or sandbox.app_tokens.get(token, 0.0) > time.time()
    as_app = "/app" in request.url.path and token.count(".") == 2 and sandbox.installation is not None
    if kind.casefold() not in ("bearer", "token") or not (known or as_app):
        raise Refusal(401, "Bad credentials")


def _refusal(refusal: Refusal, request: Request) -> Response:
    body: Row = {"message": refusal.message, "documentation_url": DOCUMENTATION, "status": str(refusal.status)}
    if refusal.errors:
        body["errors"] = list(refusal.errors)
    headers = dict(refusal.headers)
    if "Location" in headers:
        headers["Location"] = _base(request) + headers["Location"]
    return _response(body, refusal.status, headers)


def _response(body: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    content = b"" if status == 204 else msgspec.json.encode(body)
    return Response(content, status, headers=dict(headers or {}), media_type="application/json; charset=utf-8")


def _base(request: Request) -> str:
    """How the server calls itself: the address that was called, with Enterprise Server's prefix if that was used."""
    prefix = "/api/v3" if request.url.path.startswith("/api/v3") else ""
    return f"{request.url.scheme}://{request.url.netloc}{prefix}"


# -- REST --------------------------------------------------------------------------------------------------------------


def _user(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    if request.headers["authorization"].partition(" ")[2] in sandbox.app_tokens:
        raise Refusal(403, "Resource not accessible by integration")
    return shapes.rest_user(sandbox.world.people[sandbox.world.bot], own=sandbox.world.bot)


def _named_user(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    login, world = request.path_params["login"], sandbox.world
    for person in world.people.values():
        if login in (person.handle, shapes.bot_login(person)):
            user = shapes.rest_user(person, own=world.bot if sandbox.installation is None else "")
            assert user is not None
            return user
    raise Refusal(404, "Not Found")


def _app(sandbox: GithubSandbox, _request: Request, _body: bytes) -> Any:
    events = sandbox.hooks.app_events
    return {"id": 1, "events": events, "slug": sandbox.world.people[sandbox.world.bot].handle.removesuffix("[bot]")}


def _installation_token(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    if request.path_params["id"] != sandbox.installation:
        raise Refusal(404, "Integration not found")
    sandbox.app_keys_made += 1
    token = f"ghs_sandbox{sandbox.app_keys_made}"
    ends = time.time() + 3600
    sandbox.app_tokens[token] = ends
    return _response({"token": token, "expires_at": shapes.stamp(datetime.fromtimestamp(ends, UTC))}, 201)


def _rate_limit(_sandbox: GithubSandbox, _request: Request, _body: bytes) -> Any:
    return {"resources": {"core": {"limit": REQUESTS_AN_HOUR, "remaining": REQUESTS_AN_HOUR - 1}}}


def _shown(sandbox: GithubSandbox, request: Request, project: WorldProject) -> Row:
    archived = project.key in sandbox.archived
    return shapes.rest_repository(project, base=_base(request), is_archived=archived, role=sandbox.role)


def _repositories(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    owner = request.path_params.get("owner")
    projects = [project for project in sandbox.world.projects.values() if project.is_readable]
    if owner is not None:
        projects = [project for project in projects if project.key.split("/")[0].casefold() == owner.casefold()]
        if not projects:
            raise Refusal(404, "Not Found")
    return _numbered(request, [_shown(sandbox, request, project) for project in projects])


def _installed(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
    response = _repositories(sandbox, request, body)
    repositories = json.loads(response.body)
    return {"total_count": len(repositories), "repositories": repositories}


def _repository(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    return _shown(sandbox, request, _project(sandbox, request))


def _project(sandbox: GithubSandbox, request: Request) -> WorldProject:
    """By name, or by the id that page links and redirects use. A renamed repository answers with its id's address."""
    if "repository_id" in request.path_params:
        for project in sandbox.world.projects.values():
            if project.id == request.path_params["repository_id"] and project.is_readable:
                return project
        raise Refusal(404, "Not Found")
    name = f"{request.path_params['owner']}/{request.path_params['name']}"
    if name in sandbox.renamed:
        present = sandbox.repository(sandbox.renamed[name])
        rest = request.url.path.split(f"/repos/{name}", 1)[1]
        query = f"?{request.url.query}" if request.url.query else ""
        status = 301 if request.method == "GET" else 307
        target = f"/repositories/{present.id}{rest}{query}"
        raise Refusal(status, "Moved Permanently", headers={"Location": target})
    return sandbox.repository(name)


def _issue(sandbox: GithubSandbox, request: Request) -> WorldIssue:
    return sandbox.by_number(_project(sandbox, request), int(request.path_params["number"]))


def _listed_issues(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    """Pull requests are among them, as in GitHub; the next page is named by a cursor."""
    project, asked = _project(sandbox, request), request.query_params
    size = min(100, int(asked.get("per_page", 30)))
    if int(asked.get("page", 1)) * size >= DEEPEST_ITEM:
        raise Refusal(
            422,
            "Pagination with the page parameter is not supported for large datasets, please use cursor based "
            "pagination (after/before)",
        )
    rows = _issue_rows(sandbox, project, asked, _base(request))
    start = (int(asked.get("page", 1)) - 1) * size
    if "after" in asked:
        after = base64.urlsafe_b64decode(asked["after"]).decode()
        start = next((n + 1 for n, row in enumerate(rows) if str(row["id"]) == after), len(rows))
    page = rows[start : start + size]
    headers = {}
    if start + size < len(rows):
        cursor = base64.urlsafe_b64encode(str(page[-1]["id"]).encode()).decode()
        query = {name: value for name, value in asked.items() if name != "page"} | {"after": cursor}
        url = f"{_base(request)}/repositories/{project.id}/issues?{urlencode(query)}"
        headers["Link"] = f'<{url}>; rel="next"'
    return _with_etag(request, page, headers)


def _issue_rows(sandbox: GithubSandbox, project: WorldProject, asked: Mapping[str, str], base: str) -> list[Row]:
    issues = sandbox.in_order(project.key, "updated")
    rows = [shapes.rest_issue(issue, sandbox.world, base=base) for issue in issues]
    rows += [shapes.rest_pull_request(issue, base=base) for issue in issues if issue.pull_request_at is not None]
    state, since = asked.get("state", "open"), asked.get("since", "")
    rows = [row for row in rows if state in ("all", row["state"]) and row["updated_at"] >= since]
    order = f"{asked.get('sort', 'created')}_at"
    rows.sort(key=lambda row: (row[order], row["id"]), reverse=asked.get("direction", "desc") == "desc")
    return rows


def _with_etag(request: Request, body: Any, headers: Mapping[str, str]) -> Response:
    """304 without a body for what the client has already."""
    content = msgspec.json.encode(body)
    etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    if request.headers.get("if-none-match") == etag:
        return Response(b"", 304, headers={"ETag": etag})
    return _response(body, 200, {**headers, "ETag": etag})


def _numbered(request: Request, rows: list[Row]) -> Response:
    """Lists other than that of issues have page numbers in their links."""
    size, page = min(100, int(request.query_params.get("per_page", 30))), int(request.query_params.get("page", 1))
    headers = {}
    if page * size < len(rows):
        query = urlencode({**request.query_params, "page": page + 1})
        last = urlencode({**request.query_params, "page": -(-len(rows) // size)})
        url = f"{_base(request)}{request.url.path.removeprefix('/api/v3')}"
        headers["Link"] = f'<{url}?{query}>; rel="next", <{url}?{last}>; rel="last"'
    return _response(rows[(page - 1) * size : page * size], 200, headers)


def _one_issue(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    return _with_etag(request, shapes.rest_issue(_issue(sandbox, request), sandbox.world, base=_base(request)), {})


def _comments(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    issue = _issue_below(sandbox, request)
    rows = [shapes.rest_comment(each, issue, sandbox.world, base=_base(request)) for each in issue.comments]
    return _numbered(request, sorted(rows, key=lambda row: row["id"]))


def _issue_below(sandbox: GithubSandbox, request: Request) -> WorldIssue:
    """What lies below a transferred issue is just not found."""
    try:
        return _issue(sandbox, request)
    except Refusal as refusal:
        if refusal.status == 301:
            raise Refusal(404, "Not Found") from None
        raise


def _comment(sandbox: GithubSandbox, request: Request) -> tuple[WorldIssue, WorldComment]:
    project, id = _project(sandbox, request), request.path_params["id"]
    for issue in sandbox.world.in_project(project.key):
        for comment in issue.comments:
            if str(shapes.number_of(comment.id)) == id:
                return issue, comment
    raise Refusal(404, "Not Found")


def _writable(sandbox: GithubSandbox, request: Request) -> None:
    if _project(sandbox, request).key in sandbox.archived:
        raise Refusal(403, "Repository was archived so is read-only.")


def _text(body: bytes) -> str:
    try:
        text = json.loads(body)["body"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "Problems parsing JSON") from None
    if len(text) > LONGEST_BODY:
        error = {"resource": "IssueComment", "code": "custom", "field": "body",
                 "message": f"body is too long (maximum is {LONGEST_BODY} characters)"}  # fmt: skip
        raise Refusal(422, "Validation Failed", errors=[error])
    return str(text)


def _write_comment(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
    _writable(sandbox, request)
    issue, world = _issue_below(sandbox, request), sandbox.world
    if issue.is_locked and sandbox.role in ("pull", "triage"):
        raise Refusal(403, "Unable to create comment because issue is locked.")
    made = world.add_comment(issue, _text(body), actor=world.bot)
    row = shapes.rest_comment(made, issue, world, base=_base(request))
    return _response(row, 201, {"Location": f"{_base(request)}/repos/{issue.project}/issues/comments/{row['id']}"})


def _edit_comment(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
    _writable(sandbox, request)
    issue, comment = _comment(sandbox, request)
    if comment.author != sandbox.world.bot:
        raise Refusal(403, "Must have admin rights to Repository.")
    sandbox.world.edit_comment(issue, comment, _text(body), actor=sandbox.world.bot)
    return shapes.rest_comment(comment, issue, sandbox.world, base=_base(request))


def _delete_comment(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    _writable(sandbox, request)
    issue, comment = _comment(sandbox, request)
    sandbox.world.delete_comment(issue, comment.id, actor=sandbox.world.bot)
    return _response(None, 204)


def _make_label(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
    project = _project(sandbox, request)
    _writable(sandbox, request)
    if sandbox.role in ("pull", "triage"):
        raise Refusal(
            403, "Resource not accessible by personal access token",
            headers={"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"},
        )  # fmt: skip
    asked = json.loads(body)
    name, color = asked["name"], asked.get("color", "ededed")
    if len(name) > LONGEST_LABEL:
        error = {"resource": "Label", "code": "custom", "field": "name",
                 "message": f"name is too long (maximum is {LONGEST_LABEL} characters)"}  # fmt: skip
        raise Refusal(422, "Validation Failed", errors=[error])
    if len(color) != 6 or set(color.casefold()) - set("0123456789abcdef"):
        raise Refusal(422, "Validation Failed", errors=[{"resource": "Label", "code": "invalid", "field": "color"}])
    if _label(sandbox, project.key, name) is not None:
        raise Refusal(
            422, "Validation Failed", errors=[{"resource": "Label", "code": "already_exists", "field": "name"}]
        )
    made = {**shapes.rest_label(name), "color": color, "description": asked.get("description")}
    sandbox.labels[project.key, name.casefold()] = made
    return _response(made, 201)


def _label(sandbox: GithubSandbox, project: str, name: str) -> Row | None:
    """A label that was made or is in use; names are compared without regard to case."""
    known = sandbox.labels.get((project, name.casefold()))
    if known is not None:
        return known
    used = {each.casefold(): each for issue in sandbox.world.in_project(project) for each in issue.labels}
    return shapes.rest_label(used[name.casefold()]) if name.casefold() in used else None


def _one_label(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    found = _label(sandbox, _project(sandbox, request).key, request.path_params["label"])
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _add_labels(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
    """Adds; makes what is missing, grey and bare. Without the role nothing happens, and the answer does not say so."""
    _writable(sandbox, request)
    issue, world = _issue_below(sandbox, request), sandbox.world
    if sandbox.may_label():
        names = json.loads(body)["labels"]
        for name in names:
            sandbox.labels.setdefault((issue.project, name.casefold()), shapes.rest_label(name))
        present = {name.casefold() for name in issue.labels}
        world.add_labels(issue, [name for name in names if name.casefold() not in present], actor=world.bot)
    return [_label(sandbox, issue.project, name) for name in issue.labels]


def _remove_label(sandbox: GithubSandbox, request: Request, _body: bytes) -> Any:
    _writable(sandbox, request)
    issue, wanted = _issue_below(sandbox, request), request.path_params["label"].casefold()
    present = [name for name in issue.labels if name.casefold() == wanted]
    if not present:
        raise Refusal(404, "Label does not exist")
    sandbox.world.remove_labels(issue, present, actor=sandbox.world.bot)
    return [_label(sandbox, issue.project, name) for name in issue.labels]


# -- webhooks ----------------------------------------------------------------------------------------------------------


def _hooked(answer: Callable[[GithubHooks, str, Request, bytes], Any]) -> Callable[..., Any]:
    def call(sandbox: GithubSandbox, request: Request, body: bytes) -> Any:
        repository = _project(sandbox, request).key if "owner" in request.path_params else ""
        try:
            return answer(sandbox.hooks, repository, request, body)
        except HookRefused as refused:
            raise Refusal(refused.status, refused.message, errors=refused.errors) from None

    return call


_hooks = _hooked(lambda hooks, repository, _request, _body: [shown_hook(each) for each in hooks.of(repository)])
_make_hook = _hooked(lambda hooks, repository, _request, body: _response(hooks.make(repository, body), 201))
_change_hook = _hooked(lambda hooks, repository, request, body: hooks.change(repository, _hook_id(request), body))
_app_hook = _hooked(lambda hooks, _repository, _request, _body: hooks.app_config())
_change_app_hook = _hooked(lambda hooks, _repository, _request, body: hooks.app_config(body))


def _hook_id(request: Request) -> str:
    return str(request.path_params["hook"])


@_hooked
def _remove_hook(hooks: GithubHooks, repository: str, request: Request, _body: bytes) -> Any:
    hooks.remove(repository, _hook_id(request))
    return _response(None, 204)


_HERE, _BY_ID = "/repos/{owner}/{name}", "/repositories/{repository_id}"
_IN_REPOSITORY: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "", _repository),
    ("GET", "/issues", _listed_issues),
    ("GET", "/issues/{number:int}", _one_issue),
    ("GET", "/issues/{number:int}/comments", _comments),
    ("POST", "/issues/{number:int}/comments", _write_comment),
    ("PATCH", "/issues/comments/{id}", _edit_comment),
    ("DELETE", "/issues/comments/{id}", _delete_comment),
    ("POST", "/issues/{number:int}/labels", _add_labels),
    ("DELETE", "/issues/{number:int}/labels/{label:path}", _remove_label),
    ("POST", "/labels", _make_label),
    ("GET", "/labels/{label:path}", _one_label),
    ("GET", "/hooks", _hooks),
    ("POST", "/hooks", _make_hook),
    ("PATCH", "/hooks/{hook}", _change_hook),
    ("DELETE", "/hooks/{hook}", _remove_hook),
)
ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "/user", _user),
    ("GET", "/user/repos", _repositories),
    ("GET", "/users/{login}", _named_user),
    ("GET", "/users/{owner}/repos", _repositories),
    ("GET", "/orgs/{owner}/repos", _repositories),
    ("GET", "/installation/repositories", _installed),
    ("GET", "/rate_limit", _rate_limit),
    ("GET", "/app", _app),
    ("GET", "/app/hook/config", _app_hook),
    ("PATCH", "/app/hook/config", _change_app_hook),
    ("POST", "/app/installations/{id}/access_tokens", _installation_token),
    *((method, prefix + path, answer) for prefix in (_HERE, _BY_ID) for method, path, answer in _IN_REPOSITORY),
)


# -- GraphQL -----------------------------------------------------------------------------------------------------------


def _graphql(sandbox: GithubSandbox, server: GraphqlSchemaServer, body: bytes) -> Response:
    try:
        asked = operation(body)
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    document, problems = server.prepare(asked.query)
    if document is None or problems:
        return _response({"errors": [{"message": each.message} for each in problems]}, 200)
    result = server.run(document, asked, context=sandbox)
    answer: Row = {"data": result.data}
    if result.errors:
        answer["errors"] = [_error(error) for error in result.errors]
    return _response(answer, 200)


def _error(error: GraphQLError) -> Row:
    shown: Row = {"message": error.message, "path": list(error.path or ())}
    kind = (error.extensions or {}).get("type")
    return {"type": kind, **shown} if kind else shown


def _wrong(message: str, kind: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


def _connection(rows: Sequence[Any], shape: Callable[[Any], Any], given: Mapping[str, Any], what: str) -> Row:
    """A page of rows. GitHub refuses a connection without `first` or `last`, or with more than a hundred."""
    first, last = given.get("first"), given.get("last")
    if first is None and last is None:
        raise _wrong(f"You must provide a `first` or `last` value to properly paginate the `{what}` connection.",
                     "MISSING_PAGINATION_BOUNDARIES")  # fmt: skip
    size = first if first is not None else last
    if size is None or not 1 <= size <= 100:
        raise _wrong(f"Requesting {size} records on the `{what}` connection exceeds the `first` limit of 100 records.",
                     "EXCESSIVE_PAGINATION")  # fmt: skip
    start = _place(given.get("after"))
    page = rows[start : start + size] if first is not None else rows[-size:]
    end = start + len(page)
    info = {"hasNextPage": first is not None and end < len(rows), "endCursor": _cursor(end) if page else None,
            "hasPreviousPage": start > 0, "startCursor": None}  # fmt: skip
    return {"nodes": lambda: [shape(row) for row in page], "pageInfo": info, "totalCount": len(rows)}


def _cursor(place: int) -> str:
    return base64.b64encode(f"cursor:{place}".encode()).decode()


def _place(after: str | None) -> int:
    return int(base64.b64decode(after).decode().removeprefix("cursor:")) if after else 0


def _change_cursor(issue: WorldIssue) -> str:
    return base64.b64encode(f"cursor:v2:{shapes.stamp(issue.updated_at)} {shapes.database_id(issue)}".encode()).decode()


def _resolvers() -> dict[str, dict[str, Resolver]]:
    """They find the sandbox in the context, so that one schema serves every sandbox of the process."""
    return {
        "Query": {
            "viewer": lambda _root, info: _viewer(info.context),
            "rateLimit": _rate_limit_now,
            "node": lambda _root, info, id: _node(info.context, id),
            "nodes": _nodes,
            "repository": _repository_named,
        },
        "Repository": REPOSITORY_FIELDS,
        "Organization": {"projectsV2": lambda _v, info, **given: _boards(info.context, given)},
        "Issue": ISSUE_FIELDS,
        "ProjectV2": {
            "items": _board_items,
            "field": _board_field,
            "fields": _board_fields,
            "updatedAt": _board_updated_at,
        },
        "ProjectV2Item": {
            "content": lambda value, info: info.context.node(value["_issue"]),
            "fieldValues": lambda value, info, **given: _connection(
                list(shapes.field_values(value["_issue"], info.context.world)), _same, given, "fieldValues"
            ),
        },
        "ProjectV2SingleSelectField": {"options": lambda value, _info, names=None: value.get("options", [])},
    }


def _rate_limit_now(_root: Any, info: Any, dryRun: bool = False) -> Row:
    reset_at = shapes.stamp(info.context.world.clock() + timedelta(hours=1))
    return {"cost": 1, "limit": 5000, "remaining": 4999, "used": 1, "nodeCount": 0, "resetAt": reset_at}


def _viewer(sandbox: GithubSandbox) -> Row:
    bot = sandbox.world.people[sandbox.world.bot]
    login = shapes.bot_login(bot) if sandbox.installation else bot.handle
    return {
        "__typename": "User",
        "id": bot.id,
        "login": login,
        "databaseId": shapes.number_of(bot.id),
        "name": bot.name,
    }


def _node(sandbox: GithubSandbox, id: str) -> Row:
    projects = sandbox.world.projects
    if id.startswith("PVT_") and id.removeprefix("PVT_") in projects:
        _require_boards(sandbox)
        return shapes.board(id.removeprefix("PVT_"))
    number = id.removeprefix("I_kwDO")
    issue = sandbox.by_database_id(int(number)) if number.isdigit() else None
    if issue is None or not projects[issue.project].is_readable:
        raise _wrong(f"Could not resolve to a node with the global id of '{id}'", "NOT_FOUND")
    return sandbox.node(issue)


def _nodes(_root: Any, info: Any, ids: list[str]) -> list[Row | GraphQLError]:
    if len(ids) > 100:
        raise _wrong("You may not provide more than 100 node ids; you provided too many.", "ARGUMENT_LIMIT")
    return [_node_or_error(info.context, id) for id in ids]


def _node_or_error(sandbox: GithubSandbox, id: str) -> Row | GraphQLError:
    """An id that leads nowhere makes its own entry null, not the whole answer."""
    try:
        return _node(sandbox, id)
    except GraphQLError as error:
        return error


def _repository_named(_root: Any, info: Any, owner: str, name: str, followRenames: bool = True) -> Row:
    sandbox: GithubSandbox = info.context
    wanted = f"{owner}/{name}"
    try:
        return {"__typename": "Repository", "_project": sandbox.repository(sandbox.renamed.get(wanted, wanted))}
    except Refusal:
        raise _wrong(f"Could not resolve to a Repository with the name '{wanted}'.", "NOT_FOUND") from None


def _issue_numbered(value: Row, info: Any, number: int) -> Row:
    sandbox: GithubSandbox = info.context
    try:
        return sandbox.node(sandbox.by_number(value["_project"], number))
    except Refusal:
        raise _wrong(f"Could not resolve to an Issue with the number of {number}.", "NOT_FOUND") from None


def _assignable(_value: Row, info: Any, query: str | None = None, **given: Any) -> Row:
    world: World = info.context.world
    active = [person for person in world.people.values() if person.is_active and not person.is_bot]
    return _connection(active, lambda person: shapes.actor(person, own=world.bot), given, "assignableUsers")


def _issue_types(_value: Row, _info: Any, **given: Any) -> Row:
    rows = [{"id": f"IT_{key}", "name": name} for key, name in shapes.TYPE_NAMES.items()]
    return _connection(rows, _same, given, "issueTypes")


def _owner(value: Row, _info: Any) -> Row:
    login = value["_project"].key.partition("/")[0]
    return {"__typename": "Organization", "id": f"O_{login}", "login": login}


REPOSITORY_FIELDS: dict[str, Resolver] = {
    "id": lambda value, _info: f"R_kgDO{value['_project'].id}",
    "databaseId": lambda value, _info: shapes.number_of(value["_project"].id),
    "nameWithOwner": lambda value, _info: value["_project"].key if "_project" in value else value["nameWithOwner"],
    "isArchived": lambda value, info: value["_project"].key in info.context.archived,
    "hasIssuesEnabled": lambda _value, _info: True,
    "owner": _owner,
    "issue": _issue_numbered,
    "issues": lambda value, info, **given: _issues(info.context, value["_project"], given),
    "issueTypes": _issue_types,
    "assignableUsers": _assignable,
    "projectsV2": lambda value, info, **given: _boards(info.context, given, value["_project"].key),
}


def _issues(sandbox: GithubSandbox, project: WorldProject, given: Mapping[str, Any]) -> Row:
    """Cursors of the list by time of change name a place in that order, so that a change in between moves nothing."""
    order = given.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    wanted, by_change = given.get("filterBy") or {}, order["field"] == "UPDATED_AT"
    rows = list(sandbox.in_order(project.key, "updated" if by_change else "created"))
    if wanted.get("since"):
        since = _moment(wanted["since"])
        rows = [issue for issue in rows if (shapes.stamp(issue.updated_at) or "") >= since]
    if order["direction"] == "DESC":
        rows.reverse()
    total = len(rows)
    if by_change and order["direction"] == "ASC" and given.get("after"):
        stamp, _, id = base64.b64decode(given["after"]).decode().removeprefix("cursor:v2:").partition(" ")
        place = (stamp, int(id))
        rows = [i for i in rows if (shapes.stamp(i.updated_at) or "", shapes.database_id(i)) > place]
        given = {**given, "after": None}
    page = _connection(rows, sandbox.node, given, "issues")
    if by_change and rows:
        shown = rows[: given.get("first") or 100]
        page["pageInfo"] = {**page["pageInfo"], "endCursor": _change_cursor(shown[-1])}
    return {**page, "totalCount": total}


def _moment(text: str) -> str:
    return shapes.stamp(datetime.fromisoformat(text.replace("Z", "+00:00"))) or ""


def _require_boards(sandbox: GithubSandbox) -> None:
    if sandbox.boards_hidden:
        raise _wrong(
            "Your token has not been granted the required scopes to execute this query. The 'projectsV2' field "
            "requires one of the following scopes: ['read:project'].",
            "INSUFFICIENT_SCOPES",
        )


def _boards(sandbox: GithubSandbox, given: Mapping[str, Any], project: str | None = None) -> Row:
    """A repository has a board when one of its issues stands in a column."""
    _require_boards(sandbox)
    names = [project] if project else list(sandbox.world.projects)
    return _connection([name for name in names if any(_cards(sandbox, name))], shapes.board, given, "projectsV2")


def _cards(sandbox: GithubSandbox, project: str) -> Iterator[WorldIssue]:
    issues = sandbox.in_order(project, "created")
    return (issue for issue in issues if shapes.is_on_board(sandbox.world, issue))


def _board_items(value: Row, info: Any, **given: Any) -> Row:
    world: World = info.context.world
    cards = list(_cards(info.context, value["_project"]))
    return _connection(cards, lambda issue: shapes.board_item(issue, world), given, "items")


def _board_fields(value: Row, info: Any, **given: Any) -> Row:
    return _connection(shapes.board_fields(info.context.world, value["_project"]), _same, given, "fields")


def _board_field(value: Row, info: Any, name: str) -> Row | None:
    fields = shapes.board_fields(info.context.world, value["_project"])
    return next((field for field in fields if field["name"] == name), None)


def _board_updated_at(value: Row, info: Any) -> str | None:
    cards = _cards(info.context, value["_project"])
    return shapes.stamp(max((shapes.moved_at(issue) for issue in cards), default=datetime(2020, 1, 1, tzinfo=UTC)))


def _state_reason(value: Row, info: Any, enableDuplicate: bool = False) -> str | None:
    """Without the argument a duplicate looks like one that is not planned."""
    reason = shapes.close_reason(info.context.world, value["_issue"])
    if reason == "duplicate" and not enableDuplicate:
        reason = "not_planned"
    return reason.upper() if reason else None


def _assignees(value: Row, info: Any, **given: Any) -> Row:
    world: World = info.context.world
    person = world.people.get(value["_issue"].assignee or "")

    def as_user(each: WorldPerson) -> Row:
        return {**(shapes.actor(each, own=world.bot) or {}), "__typename": "User"}

    return _connection([person] if person else [], as_user, given, "assignees")


def _parent(value: Row, info: Any) -> Row | None:
    above = value["_issue"].parent
    sandbox: GithubSandbox = info.context
    return sandbox.reference(above) if above else None


def _blocking(value: Row, info: Any, **given: Any) -> Row:
    issues = info.context.world.issues
    targets = [issues[id] for kind, id in value["_issue"].links if kind == "blocks" and id in issues]
    return _connection(targets, info.context.node, given, "blocking")


def _timeline(value: Row, info: Any, itemTypes: list[str] | None = None, **given: Any) -> Row:
    sandbox: GithubSandbox = info.context
    issue = value["_issue"]
    every = shapes.timeline(issue, sandbox.world, reference=sandbox.reference, blockers=sandbox.blockers(issue))
    rows = [event for kind, event in every if itemTypes is None or kind in itemTypes]
    found = _connection(rows, _same, given, "timelineItems")
    return {**found, "filteredCount": len(rows), "pageCount": 1, "updatedAt": value["updatedAt"]}


def _project_items(value: Row, info: Any, includeArchived: bool = True, **given: Any) -> Row:
    _require_boards(info.context)
    world, issue = info.context.world, value["_issue"]
    rows = [issue] if shapes.is_on_board(world, issue) else []
    return _connection(rows, lambda each: shapes.board_item(each, world), given, "projectItems")


def _comment_nodes(value: Row, info: Any, **given: Any) -> Row:
    world: World = info.context.world
    return _connection(value["_issue"].comments, lambda each: shapes.comment_node(each, world), given, "comments")


ISSUE_FIELDS: dict[str, Resolver] = {
    "stateReason": _state_reason,
    "assignees": _assignees,
    "parent": _parent,
    "blocking": _blocking,
    "blockedBy": lambda value, info, **given: _connection(
        info.context.blockers(value["_issue"]), info.context.node, given, "blockedBy"
    ),
    "labels": lambda value, _info, **given: _connection(value["_issue"].labels, shapes.label_node, given, "labels"),
    "comments": _comment_nodes,
    "timelineItems": _timeline,
    "projectItems": _project_items,
}


def _same(row: Any) -> Any:
    return row


@lru_cache(maxsize=8)
def _server(lacks: frozenset[str]) -> GraphqlSchemaServer:
    """The schema of a server without some parts; building and checking queries against it takes a while."""
    server = GraphqlSchemaServer(Path(__file__).with_name("github.graphql"), _resolvers())
    _take_away(server, lacks)
    return server


def _take_away(server: GraphqlSchemaServer, lacks: frozenset[str]) -> None:
    """Make the schema that of an older server: `Type.field`, or the name of a timeline event."""
    events = server.schema.type_map["IssueTimelineItemsItemType"]
    assert isinstance(events, GraphQLEnumType)
    for name in lacks:
        owner, dot, field_name = name.partition(".")
        if not dot:
            del events.values[name]
            continue
        type_ = server.schema.type_map[owner]
        assert isinstance(type_, GraphQLObjectType)
        del type_.fields[field_name]


# -- webhooks ----------------------------------------------------------------------------------------------------------

ACTIONS = {
    "issue_created": ("issues", "opened"),
    "issue_deleted": ("issues", "deleted"),
    "comment_created": ("issue_comment", "created"),
    "comment_updated": ("issue_comment", "edited"),
    "comment_deleted": ("issue_comment", "deleted"),
}


def webhook(
    world: World, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
) -> tuple[Mapping[str, str], bytes] | None:
    """Headers and body of the delivery for a change, or None where GitHub sends none."""
    named = ACTIONS.get(kind) or (_action(world, issue, what) if isinstance(what, Event) else None)
    if named is None:
        return None
    event, action = named
    body = _delivery(world, event, action, issue, what, actor)
    return {"X-GitHub-Event": event, "Content-Type": "application/json"}, msgspec.json.encode(body)


def _action(world: World, issue: WorldIssue, event: Event) -> tuple[str, str] | None:
    match event.field:
        case "title" | "body":
            return "issues", "edited"
        case "labels":
            return "issues", "labeled" if len(event.after or ()) > len(event.before or ()) else "unlabeled"
        case "assignee":
            return "issues", "assigned" if event.after else "unassigned"
        case "project":
            return "issues", "opened"
        case "status" if shapes.is_closed(world, event.after):
            return "issues", "closed"
        case "status" if shapes.is_closed(world, event.before):
            return "issues", "reopened"
        case "status" | "sprint" | "estimate":
            return "projects_v2_item", "edited"
        case _:
            return None


def _delivery(
    world: World, event: str, action: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
) -> Row:
    sender = shapes.rest_user(world.people.get(actor or ""), own=world.bot)
    sender = sender or {"login": "ghost", "id": 10137, "type": "User"}
    base, project = "https://api.github.com", world.projects[issue.project]
    if event == "projects_v2_item":
        item = {"id": int(issue.id), "content_node_id": shapes.node_id(issue), "content_type": "Issue"}
        return {"action": action, "projects_v2_item": item, "sender": sender}
    body: Row = {
        "action": action,
        "issue": shapes.rest_issue(issue, world, base=base),
        "repository": shapes.rest_repository(project, base=base, is_archived=False, role="pull"),
        "sender": sender,
    }
    if isinstance(what, WorldComment):
        body["comment"] = shapes.rest_comment(what, issue, world, base=base)
    elif isinstance(what, Event) and what.field in ("title", "body"):
        body["changes"] = {what.field: {"from": what.before}}
    return body
