"""The toy tracker itself: a small server over a sandbox `World`, which the contract suite talks to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backlint.connectors.sandbox.world import World, WorldComment, WorldHook, WorldIssue

Handler = Callable[[Request], Awaitable[Any]]


class _Gone(Exception):
    pass


class ToyServer:
    """Numbers every change of an issue, so that a client can ask for all changes behind a number."""

    def __init__(self, world: World, token: str) -> None:
        self.world, self._token = world, token
        self._revisions: dict[str, int] = {}
        self._last = 0
        for issue in sorted(world.issues.values(), key=lambda issue: issue.updated_at):
            self._touch(issue)
        world.listeners.append(lambda _kind, issue, _what, _actor: self._touch(issue))

    def _touch(self, issue: WorldIssue) -> None:
        with self.world.lock:
            self._last += 1
            self._revisions[issue.id] = self._last

    def app(self) -> Starlette:
        routes = {
            ("GET", "/me"): self._me,
            ("GET", "/statuses"): self._statuses,
            ("GET", "/people"): self._people,
            ("GET", "/projects"): self._projects,
            ("GET", "/projects/{key}"): self._project,
            ("GET", "/projects/{key}/changed"): self._changed,
            ("GET", "/projects/{key}/ids"): self._ids,
            ("GET", "/issues/{id}"): self._issue,
            ("PUT", "/issues/{id}/labels/{label}"): self._label,
            ("DELETE", "/issues/{id}/labels/{label}"): self._label,
            ("POST", "/issues/{id}/comments"): self._comment,
            ("PUT", "/issues/{id}/comments/{comment}"): self._comment,
            ("DELETE", "/issues/{id}/comments/{comment}"): self._uncomment,
            ("GET", "/hooks"): self._hooks,
            ("POST", "/hooks"): self._hook,
            ("PUT", "/hooks/{hook}"): self._hook,
            ("DELETE", "/hooks/{hook}"): self._unhook,
        }
        return Starlette(
            routes=[Route(path, self._guarded(handler), methods=[verb]) for (verb, path), handler in routes.items()]
        )

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self._token}":
                return JSONResponse({"error": "unknown token"}, 401)
            try:
                return JSONResponse(await handler(request))
            except _Gone:
                return JSONResponse({"error": "not found"}, 404)

        return answer

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _me(self, _request: Request) -> Any:
        return {"id": self.world.bot, "name": self.world.people[self.world.bot].name}

    async def _statuses(self, _request: Request) -> Any:
        return [{"id": each.id, "name": each.name, "kind": each.kind} for each in self.world.statuses.values()]

    async def _people(self, _request: Request) -> Any:
        people = self.world.people.values()
        return [{"id": each.id, "name": each.name, "active": each.is_active, "bot": each.is_bot} for each in people]

    async def _projects(self, _request: Request) -> Any:
        return [{"id": each.key, "name": each.name} for each in self.world.projects.values() if each.is_readable]

    async def _project(self, request: Request) -> Any:
        found = self.world.projects.get(request.path_params["key"])
        if found is None or not found.is_readable:
            raise _Gone
        return {"id": found.key, "name": found.name}

    async def _changed(self, request: Request) -> Any:
        after, limit = int(request.query_params["after"]), int(request.query_params["limit"])
        with self.world.lock:
            there = self.world.in_project(request.path_params["key"])
            behind = sorted((self._revisions[each.id], each.id) for each in there if self._revisions[each.id] > after)
            page = behind[:limit]
            return {
                "issues": [_shown(self.world.issues[id]) for _, id in page],
                "revision": page[-1][0] if page else max(after, self._last),
                "total": len(behind),
                "more": len(behind) > limit,
            }

    async def _ids(self, request: Request) -> Any:
        return [each.id for each in self.world.in_project(request.path_params["key"])]

    async def _issue(self, request: Request) -> Any:
        return _shown(self._find(request))

    def _find(self, request: Request) -> WorldIssue:
        found = self.world.issues.get(request.path_params["id"])
        if found is None:
            raise _Gone
        return found

    # -- writing ---------------------------------------------------------------------------------------------------

    async def _label(self, request: Request) -> Any:
        issue, label = self._find(request), request.path_params["label"]
        change = self.world.add_labels if request.method == "PUT" else self.world.remove_labels
        change(issue, [label], actor=self.world.bot)
        return issue.labels

    async def _comment(self, request: Request) -> Any:
        issue, body = self._find(request), json.loads(await request.body())["body"]
        if request.method == "POST":
            return _said(self.world.add_comment(issue, body, actor=self.world.bot))
        found = next((each for each in issue.comments if each.id == request.path_params["comment"]), None)
        if found is None:
            raise _Gone
        self.world.edit_comment(issue, found, body, actor=self.world.bot)
        return _said(found)

    async def _uncomment(self, request: Request) -> Any:
        self.world.delete_comment(self._find(request), request.path_params["comment"], actor=self.world.bot)
        return {}

    # -- webhooks --------------------------------------------------------------------------------------------------

    async def _hooks(self, _request: Request) -> Any:
        return [_hook(each) for each in self.world.hooks.values()]

    async def _hook(self, request: Request) -> Any:
        asked = json.loads(await request.body())
        if request.method == "POST":
            made = WorldHook(self.world.ids(), asked["url"], asked["secret"], asked["events"], asked["project"])
            self.world.hooks[made.id] = made
            return _hook(made)
        found = self.world.hooks.get(request.path_params["hook"])
        if found is None:
            raise _Gone
        found.events, found.is_enabled, found.secret = asked["events"], asked["enabled"], asked["secret"]
        return _hook(found)

    async def _unhook(self, request: Request) -> Any:
        if self.world.hooks.pop(request.path_params["hook"], None) is None:
            raise _Gone
        return {}


def _hook(each: WorldHook) -> dict[str, Any]:
    return {
        "id": each.id, "url": each.url, "project": each.covers, "events": each.events, "enabled": each.is_enabled,
        "signed": each.secret is not None,
    }  # fmt: skip


def _shown(issue: WorldIssue) -> dict[str, Any]:
    return {
        "id": issue.id, "key": issue.key, "title": issue.title, "body": str(issue.body or ""), "kind": issue.type,
        "status": issue.status, "project": issue.project, "priority": issue.priority, "estimate": issue.estimate,
        "labels": issue.labels, "assignee": issue.assignee, "reporter": issue.reporter, "parent": issue.parent,
        "created_at": issue.created_at.isoformat(), "updated_at": issue.updated_at.isoformat(),
        "history": [
            {"at": each.at.isoformat(), "field": each.field, "actor": each.actor, "before": _text(each.before),
             "after": _text(each.after)}
            for each in sorted(issue.events, key=lambda each: each.at)
        ],
        "comments": [_said(each) for each in issue.comments],
    }  # fmt: skip


def _said(comment: WorldComment) -> dict[str, Any]:
    edited = comment.edited_at.isoformat() if comment.edited_at else None
    return {"id": comment.id, "at": comment.at.isoformat(), "body": str(comment.body), "author": comment.author,
            "edited_at": edited}  # fmt: skip


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
