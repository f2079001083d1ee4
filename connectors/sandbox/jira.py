"""A small Jira on loopback: what the connector uses of the Cloud and Data Center REST APIs, traps included."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backlint.connectors.sandbox.jira_hooks import JiraHooks
from backlint.connectors.sandbox.jira_jql import ACCOUNT_ZONE, JqlError, Query, compare, moment, parse
from backlint.connectors.sandbox.jira_payloads import (
    CATEGORIES,
    ESTIMATE,
    PRIORITIES,
    TYPES,
    Payload,
    Shapes,
    Wiki,
    category_of,
    milliseconds,
)
from backlint.connectors.sandbox.world import World, WorldComment, WorldIssue, WorldProject

MOST_BULK = 100
MOST_CHANGELOG_IDS = 1000
MOST_HISTORIES = 40  # expand=changelog on Cloud
COMMENT_LIMIT = 32_767
INVISIBLE = "Issue does not exist or you do not have permission to see it."
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
PERMISSIONS = (
    "BROWSE_PROJECTS", "EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS", "ADMINISTER_PROJECTS",
    "ADMINISTER", "USER_PICKER", "ASSIGN_ISSUES", "BULK_CHANGE",
)  # fmt: skip


class Refusal(Exception):
    """An answer that is no success, raised from wherever it becomes clear."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def errors(*messages: str, status: int = 400, **fields: str) -> Refusal:
    return Refusal(status, {"errorMessages": list(messages), "errors": fields})


@dataclass
class Manners:
    """How this Jira behaves; a test changes it while it runs. The numbers are those of real sites where known."""

    most_ids: int = 5000  # search page that names nothing but ids or keys, as measured on a Cloud site
    most_detailed: int = 100  # search page that names any other field
    most_histories: int = 10_000  # page of the bulk changelog
    most_comments: int = 100  # page of the comment list
    comments_inline: int = 20  # what the comment field of an issue holds on Cloud
    most_server_issues: int = 1000  # Data Center: jira.search.views.default.max
    search_window: int = 10_000  # Data Center: jira.search.platform.max.result.window
    empty_pages: int = 0  # search pages without issues that come before the next real one
    repeats_token: bool = False  # the next page token is always the same
    unindexed: set[str] = field(default_factory=set)  # issues that the search has not noticed yet
    bulk_fails: set[str] = field(default_factory=set)  # issues that the bulk request cannot load
    manages_webhooks: bool = True  # in life only with ADMINISTER
    denied: set[str] = field(default_factory=lambda: {"ADMINISTER", "ADMINISTER_PROJECTS"})  # permissions
    service_desks: set[str] = field(default_factory=set)  # keys of projects that are service desks
    agile_scope: bool = True  # whether the token may read boards
    spoils: Callable[[bytes], bytes] | None = None  # changes every answer on its way out
    before: Callable[[Request], None] | None = None  # called with every request that is let in


class JiraSandbox:
    """The state behind the routes."""

    def __init__(self, world: World, *, is_cloud: bool, token: str, user: str) -> None:
        self.world, self.is_cloud, self.token, self.user = world, is_cloud, token, user
        self.shapes = Shapes(world, is_cloud=is_cloud)
        self.manners = Manners()
        self.shapes.service_desks = self.manners.service_desks
        self.mails = 0  # writes that would have sent mail to watchers
        self.hooks = JiraHooks(
            world,
            refuse=lambda message, status: errors(message, status=status),
            may=lambda: self.manners.manages_webhooks,
            base=lambda: self.shapes.base,
        )

    # -- who asks --------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request) -> None:
        """401 for wrong credentials. Without any, many Cloud operations answer an anonymous caller with less."""
        given = request.headers.get("authorization", "")
        scheme, _, credentials = given.partition(" ")
        if scheme.casefold() == "basic":
            name, _, secret = _decoded(credentials).partition(":")
            good = name == self.user and secret == self.token
        else:
            good = scheme.casefold() == "bearer" and credentials == self.token
        if not good:
            message = "Client must be authenticated to access this resource."
            raise Refusal(401, {"message": message, "status-code": 401})

    def need(self, permission: str, message: str) -> None:
        if permission in self.manners.denied:
            raise errors(message, status=403)

    # -- finding ---------------------------------------------------------------------------------------------------

    def issue(self, reference: str) -> WorldIssue:
        found = self.shapes.find(reference)
        if found is None:
            raise errors(INVISIBLE, status=404)
        return found

    def project(self, reference: str) -> WorldProject:
        found = next(iter(self.projects([reference])), None)
        if found is None:
            raise errors(f"No project could be found with key '{reference}'.", status=404)
        return found

    def projects(self, references: Iterable[str] | None = None) -> list[WorldProject]:
        readable = [project for project in self.world.projects.values() if project.is_readable]
        if references is None:
            return readable
        wanted = {reference.casefold() for reference in references}
        return [project for project in readable if {project.key.casefold(), project.id.casefold()} & wanted]

    def search(self, jql: str) -> list[WorldIssue]:
        """The issues that a query finds, in its order, as the (possibly late) index has them."""
        query = parse(jql)
        if self.is_cloud and not query.is_bounded:
            raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        hidden = self.manners.unindexed
        found = [
            issue
            for issue in self._candidates(query)
            if not issue.is_archived and issue.id not in hidden and self.shapes.is_readable(issue)
        ]
        for clause in query.clauses:
            if clause.field.startswith(("updated", "created")):
                keep = compare(clause.operator)
                bound = moment(clause.values[0], self.world.clock())
                stamp = _updated_at if clause.field.startswith("updated") else _created_at
                found = [issue for issue in found if keep(stamp(issue), bound)]
        for name, descending in reversed(query.order or (("created", True),)):
            found.sort(key=_order(name), reverse=descending)
        return found

    def _candidates(self, query: Query) -> list[WorldIssue]:
        found = list(self.world.issues.values())
        for clause in query.clauses:
            if clause.field == "project":
                keys = {self._project_value(value).key for value in clause.values}
                found = [issue for issue in found if issue.project in keys]
            elif clause.field in ("id", "issue", "key", "issuekey"):
                ids = {self._issue_value(value, clause.field).id for value in clause.values}
                found = [issue for issue in found if issue.id in ids]
        return found

    def _project_value(self, value: str) -> WorldProject:
        project = next(iter(self.projects([value])), None)
        if project is None:
            raise JqlError(f"The value '{value}' does not exist for the field 'project'.")
        return project

    def _issue_value(self, value: str, field: str) -> WorldIssue:
        issue = self.shapes.find(value)
        if issue is None:
            raise JqlError(f"An issue with key '{value}' does not exist for field '{field}'.")
        return issue

    # -- answers ---------------------------------------------------------------------------------------------------

    async def server_info(self, request: Request) -> Any:
        return {
            "baseUrl": self.shapes.base,
            "version": "1001.0.0-SNAPSHOT" if self.is_cloud else "10.3.0" if self.hooks.is_new else "9.12.0",
            "versionNumbers": [1001, 0, 0] if self.is_cloud else [10, 3, 0] if self.hooks.is_new else [9, 12, 0],
            "deploymentType": "Cloud" if self.is_cloud else "Server",
            "serverTime": self.world.clock().astimezone(ACCOUNT_ZONE).isoformat(),
            "serverTitle": "Sandbox",
        }

    async def myself(self, request: Request) -> Any:
        return self.shapes.person(self.world.bot)

    async def my_permissions(self, request: Request) -> Any:
        asked = request.query_params.get("permissions")
        if asked is None and self.is_cloud:
            raise errors("The 'permissions' query parameter is required.")
        names = asked.split(",") if asked else list(PERMISSIONS)
        if unknown := [name for name in names if name not in PERMISSIONS]:
            raise errors(f"Unrecognized permission: {unknown[0]}")
        if key := request.query_params.get("projectKey"):
            self.project(key)
        return {
            "permissions": {
                name: {"id": "1", "key": name, "name": name, "havePermission": name not in self.manners.denied}
                for name in names
            }
        }

    async def field_list(self, request: Request) -> Any:
        return list(self.shapes.fields())

    async def status_list(self, request: Request) -> Any:
        return [self.shapes.status(status) for status in self.world.statuses.values()]

    async def category_list(self, request: Request) -> Any:
        return list(CATEGORIES.values())

    async def priority_list(self, request: Request) -> Any:
        return [{"id": str(i), "name": name} for i, name in enumerate(PRIORITIES, start=1)]

    async def type_list(self, request: Request) -> Any:
        return [self.shapes.type(name) for name in TYPES]

    async def project_list(self, request: Request) -> Any:
        return [self.shapes.project(project) for project in self.projects()]

    async def project_search(self, request: Request) -> Any:
        keys = request.query_params.getlist("keys")
        found = self.projects(keys or None)
        start, size = _window(request.query_params, most=100, default=50)
        detailed = "description" in request.query_params.get("expand", "")
        shown = [self.shapes.project(project, detailed=detailed) for project in found[start : start + size]]
        return _page(shown, start, size, len(found), key="values")

    async def project_one(self, request: Request) -> Any:
        return self.shapes.project(self.project(request.path_params["key"]), detailed=True)

    async def users(self, request: Request) -> Any:
        self.need("USER_PICKER", "You do not have permission to browse users.")
        start, size = _window(request.query_params, most=1000, default=50)
        return [self.shapes.person(id) for id in islice(self.world.people, start, start + size)]

    async def assignable(self, request: Request) -> Any:
        if "USER_PICKER" in self.manners.denied:
            self.need("ASSIGN_ISSUES", "You do not have permission to browse users.")
        self.project(request.query_params.get("project", ""))
        start, size = _window(request.query_params, most=1000, default=50)
        people = [id for id, each in self.world.people.items() if each.is_active and not each.is_bot]
        return [self.shapes.person(id) for id in people[start : start + size]]

    async def old_search(self, request: Request) -> Any:
        """Removed from Cloud; Data Center's only one."""
        if self.is_cloud:
            raise Refusal(410, {"errorMessages": [REMOVED], "errors": {}})
        asked = await _arguments(request)
        found = self.search(asked.get("jql", ""))
        start = int(asked.get("startAt", 0))
        size = min(int(asked.get("maxResults", 50)), self.manners.most_server_issues)
        if start + size > self.manners.search_window:
            raise errors(f"Search limit exceeded. The maximum is {self.manners.search_window}.", status=500)
        fields, expand = _names(asked.get("fields", "*navigable")), _names(asked.get("expand", ""))
        shown = [self.shapes.issue(i, fields=fields, expand=expand) for i in found[start : start + size]]
        return {"expand": "names,schema", "startAt": start, "maxResults": size, "total": len(found), "issues": shown}

    async def token_search(self, request: Request) -> Any:
        """Pages by token; their size is what the server likes, and nothing tells how many there are."""
        if not self.is_cloud:
            raise _no_such_route(request)
        asked = await _arguments(request)
        found = self.search(asked.get("jql", ""))
        fields = _names(asked.get("fields", "id"))
        manners = self.manners
        most = manners.most_ids if set(fields) <= {"id", "key"} else manners.most_detailed
        size = min(int(asked.get("maxResults", 50)), most)
        start = _offset(asked.get("nextPageToken"), asked.get("jql", ""))
        if manners.empty_pages:
            manners.empty_pages -= 1
            return {"issues": [], "nextPageToken": _page_token(start, asked.get("jql", ""), manners.empty_pages)}
        if manners.repeats_token:
            start, size = 0, 1
        shown = [self._found(issue, fields, asked) for issue in found[start : start + size]]
        answer: Payload = {"issues": shown, "isLast": start + size >= len(found)}
        if not answer["isLast"]:
            answer["nextPageToken"] = _page_token(start + size, asked.get("jql", ""))
        return answer

    def _found(self, issue: WorldIssue, fields: list[str], asked: Mapping[str, Any]) -> Payload:
        if fields == ["id"]:
            return {"id": issue.id}
        if set(fields) <= {"id", "key"}:
            return {"id": issue.id, "key": issue.key, "self": "", "expand": ""}
        return self.shapes.issue(
            issue, fields=fields, expand=_names(asked.get("expand", "")),
            properties=_names(asked.get("properties", "")), most_histories=MOST_HISTORIES,
            most_comments=self.manners.comments_inline,
        )  # fmt: skip

    async def count(self, request: Request) -> Any:
        return {"count": len(self.search((await _arguments(request)).get("jql", "")))}

    async def bulk_fetch(self, request: Request) -> Any:
        """In ascending order of ids; what is not found or not visible is simply missing."""
        asked = await _arguments(request)
        references = [str(each) for each in asked.get("issueIdsOrKeys", ())]
        if not 1 <= len(references) <= MOST_BULK:
            raise errors(f"The number of issue IDs or keys must be between 1 and {MOST_BULK}.")
        found = {issue.id: issue for each in references if (issue := self.shapes.find(each))}
        fields = _names(asked.get("fields", "*navigable"))
        shown = [
            self.shapes.issue(
                issue, fields=fields, expand=_names(asked.get("expand", [])), properties=asked.get("properties", ()),
                most_histories=MOST_HISTORIES, most_comments=self.manners.comments_inline,
            )
            for issue in sorted(found.values(), key=_by_id)
            if issue.id not in self.manners.bulk_fails
        ]  # fmt: skip
        failed = [{"id": id, "errorMessage": "Timed out."} for id in found if id in self.manners.bulk_fails]
        return {"issues": shown, "issueErrors": failed}

    async def bulk_changelog(self, request: Request) -> Any:
        """Sorted by time over all issues, so that one issue's histories may lie on several pages; times are numbers."""
        asked = await _arguments(request)
        references = asked.get("issueIdsOrKeys", [])
        if not 1 <= len(references) <= MOST_CHANGELOG_IDS:
            raise errors(f"The number of issue IDs or keys must be between 1 and {MOST_CHANGELOG_IDS}.")
        wanted = set(asked.get("fieldIds") or ())
        entries = sorted(self._entries(references, wanted), key=lambda entry: entry[:3])
        size = min(int(asked.get("maxResults", 1000)), self.manners.most_histories)
        start = _offset(asked.get("nextPageToken"), "changelog")
        grouped: dict[str, list[Payload]] = {}
        for _, id, _, history in entries[start : start + size]:
            grouped.setdefault(id, []).append(history)
        answer: Payload = {"issueChangeLogs": [{"issueId": id, "changeHistories": h} for id, h in grouped.items()]}
        if start + size < len(entries):
            answer["nextPageToken"] = _page_token(start + size, "changelog")
        return answer

    def _entries(self, references: Iterable[Any], wanted: set[str]) -> Iterator[tuple[int, str, int, Payload]]:
        for reference in references:
            issue = self.shapes.find(str(reference))
            if issue is None:
                continue
            moments = sorted(event.at for event in issue.events)
            for at, history in zip(moments, self.shapes.histories(issue), strict=False):
                if not wanted or any(item.get("fieldId") in wanted for item in history["items"]):
                    yield milliseconds(at), issue.id, int(history["id"]), {**history, "created": milliseconds(at)}

    async def issue_one(self, request: Request) -> Any:
        """Archived issues are out of search, and still there by id."""
        issue = self.issue(request.path_params["id"])
        query = request.query_params
        return self.shapes.issue(
            issue, fields=_names(query.get("fields", "*all")), expand=_names(query.get("expand", "")),
            properties=_names(query.get("properties", "")), most_histories=100,
        )  # fmt: skip

    async def issue_edit(self, request: Request) -> Any:
        issue = self.issue(request.path_params["id"])
        self._editable(issue)
        asked = await _arguments(request)
        if set(asked.get("fields", {})) - {"labels"} or set(asked.get("update", {})) - {"labels"}:
            raise errors(summary="The sandbox edits labels only.")
        for operation in asked.get("update", {}).get("labels", ()):
            self._edit_label(issue, operation)
        if "labels" in asked.get("fields", {}):
            self.world.change(issue, "labels", list(asked["fields"]["labels"]), actor=self.world.bot)
        for each in asked.get("properties", ()):
            issue.properties[each["key"]] = each["value"]
        self._notify(request)
        return None

    def _edit_label(self, issue: WorldIssue, operation: Mapping[str, str]) -> None:
        (verb, label), *_ = operation.items()
        if " " in label:
            raise errors(labels=f"The label '{label}' contains spaces which is invalid.")
        if verb == "add":
            self.world.add_labels(issue, [label], actor=self.world.bot)
        elif verb == "remove":
            self.world.remove_labels(issue, [label], actor=self.world.bot)
        else:
            raise errors(labels=f"Operation '{verb}' is not supported by the sandbox.")

    def _editable(self, issue: WorldIssue) -> None:
        if issue.is_archived:
            raise errors("This issue is archived. You cannot edit it.")
        if "EDIT_ISSUES" in self.manners.denied:
            raise errors(labels="Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.")

    def _notify(self, request: Request) -> None:
        """Mail is suppressed only by `notifyUsers=false`, and only an administrator may ask for that."""
        wish = request.query_params.get("notifyUsers")
        if wish not in (None, "true") and {"ADMINISTER", "ADMINISTER_PROJECTS"} <= self.manners.denied:
            raise errors("To discard the user notification either admin or project admin permissions are required.",
                         status=403)  # fmt: skip
        self.mails += wish in (None, "true")

    async def edit_meta(self, request: Request) -> Any:
        self.issue(request.path_params["id"])
        operations = [] if "EDIT_ISSUES" in self.manners.denied else ["add", "set", "remove"]
        return {"fields": {"labels": {"required": False, "name": "Labels", "key": "labels", "operations": operations}}}

    async def issue_changelog(self, request: Request) -> Any:
        if not self.is_cloud:
            raise _no_such_route(request)
        histories = list(self.shapes.histories(self.issue(request.path_params["id"])))
        start, size = _window(request.query_params, most=100, default=100)
        return _page(histories[start : start + size], start, size, len(histories), key="values")

    # -- properties ------------------------------------------------------------------------------------------------

    async def properties(self, request: Request) -> Any:
        return await self._property(request, self.issue(request.path_params["id"]).properties)

    async def comment_properties(self, request: Request) -> Any:
        id = request.path_params["comment"]
        issues = self.world.issues.values()
        found = next((c for i in issues if self.shapes.is_readable(i) for c in i.comments if c.id == id), None)
        if found is None:
            raise errors(f"Can not find a comment for the id: {id}.", status=404)
        return await self._property(request, found.properties)

    async def _property(self, request: Request, kept: dict[str, Any]) -> Any:
        key = request.path_params["key"]
        if request.method == "PUT":
            self.need("EDIT_ISSUES", "You do not have permission to edit this issue.")
            status = 200 if key in kept else 201
            kept[key] = msgspec.json.decode(await request.body())
            return Response(status_code=status)
        if key not in kept:
            raise errors(f"The property with key '{key}' does not exist.", status=404)
        if request.method == "DELETE":
            del kept[key]
            return None
        return {"key": key, "value": kept[key]}

    # -- comments --------------------------------------------------------------------------------------------------

    async def comments(self, request: Request) -> Any:
        issue = self.issue(request.path_params["id"])
        if request.method == "POST":
            return await self._comment_add(request, issue)
        all_at_once = not self.is_cloud and "maxResults" not in request.query_params
        everything = 1_000_000 if all_at_once else self.manners.most_comments
        start, size = _window(request.query_params, most=everything, default=everything)
        shown = [self.shapes.comment(comment) for comment in issue.comments[start : start + size]]
        return _page(shown, start, size, len(issue.comments), key="comments")

    async def _comment_add(self, request: Request, issue: WorldIssue) -> Any:
        self.need("ADD_COMMENTS", "You do not have the permission to comment on this issue.")
        if issue.is_archived:
            raise errors("This issue is archived. You cannot comment on it.")
        asked = await _arguments(request)
        body = self._comment_body(asked.get("body"))
        id = str(1 + max((self.shapes.number(c.id) for c in issue.comments), default=self.shapes.number(issue.id) * 10))
        comment = self.world.add_comment(issue, body, actor=self.world.bot, id=id)
        comment.properties |= {each["key"]: each["value"] for each in asked.get("properties", ())}
        self.mails += 1
        return Created(self.shapes.comment(comment))

    def _comment_body(self, body: Any) -> Any:
        """What is stored: the document with ids that Jira adds, or the wiki text."""
        if not self.is_cloud:
            if not isinstance(body, str):
                raise errors("Can not deserialize instance of java.lang.String out of START_OBJECT token")
            if not body.strip():
                raise errors(comment="Comment body can not be empty!")
            if len(body) > COMMENT_LIMIT:
                raise errors(comment=_too_long())
            return Wiki(body)
        if not _is_document(body):
            raise errors(comment="Comment body is not valid!")
        if len(msgspec.json.encode(body)) > COMMENT_LIMIT:
            raise errors(comment=_too_long())
        content = [
            {**node, "attrs": {**node.get("attrs", {}), "localId": f"{i:012x}"}}
            if node["type"] == "paragraph"
            else node
            for i, node in enumerate(body["content"])
        ]
        return {**body, "content": content}

    async def comment_one(self, request: Request) -> Any:
        issue = self.issue(request.path_params["id"])
        comment = _comment_of(issue, request.path_params["comment"])
        if request.method == "GET":
            return self.shapes.comment(comment)
        if comment.author != self.world.bot:
            raise errors("You do not have permission to edit this comment.")
        if request.method == "DELETE":
            self.world.delete_comment(issue, comment.id, actor=self.world.bot)
            return None
        self.need("EDIT_OWN_COMMENTS", "You do not have permission to edit this comment.")
        asked = await _arguments(request)
        self.world.edit_comment(issue, comment, self._comment_body(asked.get("body")), actor=self.world.bot)
        comment.properties |= {each["key"]: each["value"] for each in asked.get("properties", ())}
        self._notify(request)
        return self.shapes.comment(comment)

    async def comment_list(self, request: Request) -> Any:
        if not self.is_cloud:
            raise _no_such_route(request)
        wanted = {str(id) for id in (await _arguments(request)).get("ids", ())}
        with_properties = "properties" in request.query_params.get("expand", "")
        readable = [issue for issue in self.world.issues.values() if self.shapes.is_readable(issue)]
        found = [c for issue in readable for c in issue.comments if c.id in wanted]
        shown = [self.shapes.comment(c, with_properties=with_properties) for c in found]
        return _page(shown, 0, 1000, len(shown), key="values")

    # -- boards ----------------------------------------------------------------------------------------------------

    def _agile(self) -> None:
        if not self.manners.agile_scope:
            raise Refusal(401, {"code": 401, "message": "Unauthorized; scope does not match"})

    def _has_sprints(self, project: WorldProject) -> bool:
        return any(sprint.project == project.key for sprint in self.world.sprints.values())

    async def boards(self, request: Request) -> Any:
        self._agile()
        wanted = request.query_params.get("projectKeyOrId")
        shown = [
            {"id": self.shapes.number(project.id), "name": f"{project.key} board",
             "type": "scrum" if self._has_sprints(project) else "kanban"}
            for project in self.projects([wanted] if wanted else None)
        ]  # fmt: skip
        start, size = _window(request.query_params, most=50, default=50)
        return _page(shown[start : start + size], start, size, len(shown), key="values")

    def _board(self, request: Request) -> WorldProject:
        self._agile()
        number = int(request.path_params["board"])
        project = next((p for p in self.projects() if self.shapes.number(p.id) == number), None)
        if project is None:
            raise errors("Requested board cannot be viewed because it either does not exist.", status=404)
        return project

    async def board_sprints(self, request: Request) -> Any:
        project = self._board(request)
        if not self._has_sprints(project):
            raise errors("The board does not support sprints")
        sprints = [s for s in self.world.sprints.values() if s.project == project.key]
        start, size = _window(request.query_params, most=50, default=50)
        shown = [self.shapes.sprint(sprint) for sprint in sprints[start : start + size]]
        return _page(shown, start, size, len(sprints), key="values")

    async def board_configuration(self, request: Request) -> Any:
        project = self._board(request)
        statuses = self.world.statuses.values()
        columns = [
            {"name": category["name"], "statuses": [{"id": s.id} for s in statuses if category_of(s) == key]}
            for key, category in CATEGORIES.items()
        ]
        estimation = {"type": "field", "field": {"fieldId": ESTIMATE, "displayName": "Story points"}}
        return {"id": self.shapes.number(project.id), "columnConfig": {"columns": columns}, "estimation": estimation}


class Created(dict[str, Any]):
    """A body that is answered with 201."""


def jira_app(
    world: World,
    *,
    deployment: str = "cloud",
    token: str = "sandbox-token",  # noqa: S107 - the sandbox accepts a well-known token
    user: str = "bot@example.test",
    limited: Callable[[datetime, int], Response] | None = None,
) -> Starlette:
    """A Jira over the world. `app.state.sandbox` is its state; `limited` replaces the refusal for a rate limit."""
    sandbox = JiraSandbox(world, is_cloud=deployment == "cloud", token=token, user=user)
    app = Starlette(routes=list(_routes(sandbox)), exception_handlers={404: _missing})
    app.state.sandbox = sandbox
    app.state.limited = limited or rate_limited
    app.state.rate_headers = rate_headers
    return app


def rate_limited(reset_at: datetime, retry_after: int, reason: str = "jira-burst-based") -> Response:
    """Jira Cloud's 429; the reset is printed to the minute, as seen in the field."""
    body = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
    headers = {
        "Retry-After": str(retry_after),
        "X-RateLimit-Reset": f"{reset_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        "RateLimit-Reason": reason,
    }
    return Response(msgspec.json.encode(body), 429, headers=headers, media_type="application/json")


def rate_headers(limit: int, remaining: int, reset_at: datetime) -> Mapping[str, str]:
    near = {"X-RateLimit-NearLimit": "true"} if remaining < limit / 5 else {}
    return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining), **near}


def _routes(sandbox: JiraSandbox) -> Iterator[Route]:
    for version in ("2", "3", "latest") if sandbox.is_cloud else ("2", "latest"):
        root = f"/rest/api/{version}"
        yield _route(sandbox, f"{root}/serverInfo", sandbox.server_info, is_open=True)
        for path, handler, methods in (
            ("/myself", sandbox.myself, "GET"),
            ("/mypermissions", sandbox.my_permissions, "GET"),
            ("/field", sandbox.field_list, "GET"),
            ("/status", sandbox.status_list, "GET"),
            ("/statuscategory", sandbox.category_list, "GET"),
            ("/priority", sandbox.priority_list, "GET"),
            ("/issuetype", sandbox.type_list, "GET"),
            ("/project", sandbox.project_list, "GET"),
            ("/project/search", sandbox.project_search, "GET"),
            ("/project/{key}", sandbox.project_one, "GET"),
            ("/users/search", sandbox.users, "GET"),
            ("/user/search", sandbox.users, "GET"),
            ("/user/assignable/search", sandbox.assignable, "GET"),
            ("/search", sandbox.old_search, "GET POST"),
            ("/search/jql", sandbox.token_search, "GET POST"),
            ("/search/approximate-count", sandbox.count, "POST"),
            ("/issue/bulkfetch", sandbox.bulk_fetch, "POST"),
            ("/changelog/bulkfetch", sandbox.bulk_changelog, "POST"),
            ("/comment/list", sandbox.comment_list, "POST"),
            ("/comment/{comment}/properties/{key}", sandbox.comment_properties, "GET PUT DELETE"),
            ("/issue/{id}", sandbox.issue_one, "GET"),
            ("/issue/{id}", sandbox.issue_edit, "PUT"),
            ("/issue/{id}/editmeta", sandbox.edit_meta, "GET"),
            ("/issue/{id}/changelog", sandbox.issue_changelog, "GET"),
            ("/issue/{id}/properties/{key}", sandbox.properties, "GET PUT DELETE"),
            ("/issue/{id}/comment", sandbox.comments, "GET POST"),
            ("/issue/{id}/comment/{comment}", sandbox.comment_one, "GET PUT DELETE"),
        ):
            yield _route(sandbox, root + path, handler, methods=methods.split())
    for path, hook_handler, verbs in sandbox.hooks.routes(is_cloud=sandbox.is_cloud):
        yield _route(sandbox, path, hook_handler, methods=verbs.split())
    agile = "/rest/agile/1.0"
    yield _route(sandbox, f"{agile}/board", sandbox.boards)
    yield _route(sandbox, f"{agile}/board/{{board}}/sprint", sandbox.board_sprints)
    yield _route(sandbox, f"{agile}/board/{{board}}/configuration", sandbox.board_configuration)


def _route(
    sandbox: JiraSandbox, path: str, handler: Callable[[Request], Any], *, methods: Iterable[str] = ("GET",),
    is_open: bool = False,
) -> Route:  # fmt: skip
    async def endpoint(request: Request) -> Response:
        try:
            if not is_open:
                sandbox.authenticate(request)
                if sandbox.manners.before is not None:
                    sandbox.manners.before(request)
            sandbox.shapes.base = str(request.base_url).rstrip("/")
            await request.body()
            with sandbox.world.lock:
                found = await handler(request)
        except Refusal as refusal:
            return _json(refusal.body, refusal.status, sandbox)
        except JqlError as error:
            return _json({"errorMessages": [str(error)], "errors": {}}, 400, sandbox)
        if isinstance(found, Response):
            found.headers["date"] = _date_header(sandbox)
            return found
        if found is None:
            return Response(status_code=204, headers={"date": _date_header(sandbox)})
        return _json(found, 201 if isinstance(found, Created) else 200, sandbox)

    return Route(path, endpoint, methods=list(methods))


async def _missing(request: Request, _error: Exception) -> Response:
    body = {"message": f"null for uri: {request.url}", "status-code": 404}
    return Response(msgspec.json.encode(body), 404, media_type="application/json")


def _json(body: Any, status: int, sandbox: JiraSandbox) -> Response:
    headers = {"date": _date_header(sandbox)}
    content = msgspec.json.encode(body)
    if sandbox.manners.spoils is not None:
        content = sandbox.manners.spoils(content)
    return Response(content, status, headers=headers, media_type="application/json;charset=UTF-8")


def _date_header(sandbox: JiraSandbox) -> str:
    return format_datetime(sandbox.world.clock().astimezone(UTC), usegmt=True)


def _no_such_route(request: Request) -> Refusal:
    return Refusal(404, {"message": f"null for uri: {request.url}", "status-code": 404})


async def _arguments(request: Request) -> dict[str, Any]:
    if request.method == "GET":  # lists come as commas or as repeated names
        query = request.query_params
        return {name: ",".join(query.getlist(name)) for name in query}
    try:
        body = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError:
        raise errors("Invalid request payload. Refer to the REST API documentation and try again.") from None
    if not isinstance(body, dict):
        raise errors("Invalid request payload. Refer to the REST API documentation and try again.")
    return body


def _names(value: Any) -> list[str]:
    """A comma list (GET, and `expand` of the token search) or an array (POST)."""
    parts = value.split(",") if isinstance(value, str) else value
    return [part for part in parts if part]


def _window(query: Mapping[str, str], *, most: int, default: int) -> tuple[int, int]:
    return int(query.get("startAt", 0)), min(int(query.get("maxResults", default)), most)


def _page(shown: list[Any], start: int, size: int, total: int, *, key: str) -> Payload:
    last = {"isLast": start + len(shown) >= total} if key == "values" else {}
    return {"startAt": start, "maxResults": size, "total": total, **last, key: shown}


def _page_token(offset: int, belongs_to: str, number: int = 0) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([offset, belongs_to, number])).decode()


def _offset(token: str | None, belongs_to: str) -> int:
    if not token:
        return 0
    try:
        offset, query, _ = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[int, str, int])
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise errors("The provided next page token is invalid or expired.") from None
    if query != belongs_to:
        raise errors("The provided next page token belongs to another query.")
    return offset


def _decoded(credentials: str) -> str:
    try:
        return base64.b64decode(credentials).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _created_at(issue: WorldIssue) -> datetime:
    return issue.created_at


def _order(name: str) -> Callable[[WorldIssue], Any]:
    if name.startswith("updated"):
        return _updated_at
    return {"created": _created_at, "id": _by_id}.get(name, _by_key)


def _updated_at(issue: WorldIssue) -> datetime:
    return issue.updated_at


def _by_id(issue: WorldIssue) -> tuple[int, str]:
    return (int(issue.id) if issue.id.isdigit() else 0), issue.id


def _by_key(issue: WorldIssue) -> tuple[str, int]:
    return issue.project, issue.number


def _comment_of(issue: WorldIssue, id: str) -> WorldComment:
    found = next((comment for comment in issue.comments if comment.id == id), None)
    if found is None:
        raise errors(f"Can not find a comment for the id: {id}.", status=404)
    return found


def _too_long() -> str:
    return f"The entered text is too long. It exceeds the allowed limit of {COMMENT_LIMIT:,} characters."


def _is_document(body: Any) -> bool:
    """A document of version 1 without empty texts, lists or list items that hold bare text."""
    if not isinstance(body, dict) or body.get("type") != "doc" or body.get("version") != 1 or not body.get("content"):
        return False
    return all(_is_valid_node(node) for node in body["content"])


def _is_valid_node(node: Any) -> bool:
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return False
    content = node.get("content", [])
    if node["type"] == "text":
        return bool(node.get("text"))
    if node["type"] in ("bulletList", "orderedList", "taskList", "listItem") and not content:
        return False
    if node["type"] == "listItem" and any(child.get("type") == "text" for child in content):
        return False
    return all(_is_valid_node(child) for child in content)
