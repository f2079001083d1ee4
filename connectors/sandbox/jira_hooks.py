"""Jira's webhooks as an administrator or an OAuth app registers them, kept in the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
from starlette.requests import Request

from backlint.connectors.sandbox.world import World, WorldHook

FILTER = "issue-related-events-section"
LIFE = timedelta(days=30)
MOST_OF_AN_APP = 5
APP_SECRET = "the client secret of the sandbox's app"  # noqa: S105 - known to everybody; proves its deliveries

Payload = dict[str, Any]
Refuse = Callable[[str, int], Exception]
Handler = Callable[[Request], Any]


class JiraHooks:
    """Handlers of both kinds. `refuse` makes the error answer; `may` says whether the account is allowed to."""

    def __init__(self, world: World, *, refuse: Refuse, may: Callable[[], bool], base: Callable[[], str]) -> None:
        self._world, self._refuse, self._may, self._base = world, refuse, may, base
        self._numbers = count(1)
        self.is_new = False  # Data Center 10: another path, and `id` and `active` in the answer

    def routes(self, *, is_cloud: bool) -> Iterator[tuple[str, Handler, str]]:
        for path in ("/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks"):
            yield path, self._admin_list, "GET POST"
            yield f"{path}/{{id}}", self._admin_one, "GET PUT DELETE"
        if is_cloud:
            for version in ("2", "3"):
                yield f"/rest/api/{version}/webhook", self._dynamic, "GET POST DELETE"
                yield f"/rest/api/{version}/webhook/refresh", self._refresh, "PUT"

    # -- an administrator's ----------------------------------------------------------------------------------------

    def _admin(self, request: Request) -> None:
        if not self._may():
            raise self._refuse("You do not have permission to manage webhooks.", 403)
        if ("jira-webhook" in request.url.path) is not self.is_new:
            raise self._refuse("null", 404)

    def _kept(self, *, dynamic: bool) -> list[WorldHook]:
        return [hook for hook in self._world.hooks.values() if (hook.expires_at is not None) is dynamic]

    async def _admin_list(self, request: Request) -> Any:
        self._admin(request)
        if request.method == "GET":
            return [self._shown(hook) for hook in self._kept(dynamic=False)]
        id = str(next(self._numbers))
        self._world.hooks[id] = self._made(id, await _body(request))
        return self._shown(self._world.hooks[id])

    async def _admin_one(self, request: Request) -> Any:
        self._admin(request)
        id = request.path_params["id"]
        if id not in self._world.hooks:
            raise self._refuse("No webhook exists for this id.", 404)
        if request.method == "DELETE":
            del self._world.hooks[id]
            return None
        if request.method == "PUT":
            self._world.hooks[id] = self._made(id, await _body(request))
        return self._shown(self._world.hooks[id])

    def _made(self, id: str, asked: Payload) -> WorldHook:
        url = str(asked.get("url", ""))
        if not url.startswith(("http://", "https://")):
            raise self._refuse("Invalid URL.", 400)
        secret = (asked.get("configuration") or {}).get("secret") if self.is_new else asked.get("secret")
        return WorldHook(
            id, url, secret, list(asked.get("events") or ()), filter=(asked.get("filters") or {}).get(FILTER, ""),
            label=str(asked.get("name", "")), is_enabled=asked.get("active" if self.is_new else "enabled") is not False,
            owner=self._world.bot,
        )  # fmt: skip

    def _shown(self, hook: WorldHook) -> Payload:
        shown: Payload = {"name": hook.label, "url": hook.url, "events": hook.events, "filters": {FILTER: hook.filter}}
        if self.is_new:
            return {**shown, "id": int(hook.id), "active": hook.is_enabled}
        owner = self._world.people.get(hook.owner or "")
        return {
            **shown,
            "enabled": hook.is_enabled,
            "excludeBody": False,
            "isSigned": bool(hook.secret),
            "lastUpdatedDisplayName": owner.name if owner else "",
            "self": f"{self._base()}/rest/webhooks/1.0/webhook/{hook.id}",
        }

    # -- an app's --------------------------------------------------------------------------------------------------

    def _app(self, request: Request) -> None:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            raise self._refuse("The caller is not a Connect or OAuth 2.0 app.", 403)

    async def _dynamic(self, request: Request) -> Any:
        self._app(request)
        if request.method == "GET":
            values = [_dynamic(hook) for hook in self._kept(dynamic=True)]
            return {"startAt": 0, "maxResults": 100, "total": len(values), "isLast": True, "values": values}
        asked = await _body(request)
        if request.method == "DELETE":
            for id in asked.get("webhookIds") or ():
                self._world.hooks.pop(str(id), None)
            return None
        results = [self._registered(str(asked.get("url", "")), each) for each in asked.get("webhooks") or ()]
        return {"webhookRegistrationResult": results}

    def _registered(self, url: str, asked: Payload) -> Payload:
        """Refusals stand in an answer of 200."""
        there = self._kept(dynamic=True)
        if not asked.get("jqlFilter"):
            return {"errors": ["The clause is missing."]}
        if len(there) >= MOST_OF_AN_APP:
            return {"errors": [f"Only {MOST_OF_AN_APP} webhooks are allowed."]}
        if any(hook.url != url for hook in there):
            return {"errors": ["Only a single URL per app is allowed to be registered via REST API."]}
        id = str(next(self._numbers))
        self._world.hooks[id] = WorldHook(
            id, url, APP_SECRET, list(asked.get("events") or ()), filter=asked["jqlFilter"],
            expires_at=self._world.clock() + LIFE,
        )  # fmt: skip
        return {"createdWebhookId": int(id)}

    async def _refresh(self, request: Request) -> Any:
        self._app(request)
        ends = self._world.clock() + LIFE
        for id in (await _body(request)).get("webhookIds") or ():
            hook = self._world.hooks.get(str(id))
            if hook is not None:
                hook.expires_at = ends
        return {"expirationDate": _milliseconds(ends)}


def _dynamic(hook: WorldHook) -> Payload:
    return {"id": int(hook.id), "url": hook.url, "jqlFilter": hook.filter, "events": hook.events,
            "expirationDate": _milliseconds(hook.expires_at)}  # fmt: skip


def _milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)


async def _body(request: Request) -> Payload:
    found = msgspec.json.decode(await request.body() or b"{}")
    return found if isinstance(found, dict) else {}
