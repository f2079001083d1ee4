"""The hand that moves a sandbox from outside: disturb it, change its weather, read its truth, switch webhooks on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backlint.connectors.sandbox.disturb import disturb
from backlint.connectors.sandbox.faults import FaultInjector, Faults
from backlint.connectors.sandbox.showcase import showcase
from backlint.connectors.sandbox.webhooks import Payload, RegisteredHooks, WebhookSender
from backlint.connectors.sandbox.world import World, WorldIssue

PREFIX = "/_sandbox/"


class Controlled:
    """A tracker's app under faults, with the control endpoint beside it, which knows neither faults nor tokens."""

    def __init__(self, app: ASGIApp, world: World, faults: Faults, payload: Payload | None) -> None:
        self.world, self.faults = world, faults
        self.senders: list[WebhookSender] = []
        self._payload = payload
        self._registered = RegisteredHooks(world, world.flavour, payload) if payload is not None else None
        self._tracker = FaultInjector(app, faults)
        self._control = Starlette(
            routes=[
                Route(f"{PREFIX}disturb", self._disturb, methods=["POST"]),
                Route(f"{PREFIX}showcase", self._showcase, methods=["POST"]),
                Route(f"{PREFIX}state", self._state, methods=["GET"]),
                Route(f"{PREFIX}faults", self._faults, methods=["GET", "POST"]),
                Route(f"{PREFIX}webhook", self._webhook, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_control = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (self._control if is_control else self._tracker)(scope, receive, send)

    def close(self) -> None:
        """Stop the webhooks that were switched on or registered."""
        for sender in self.senders:
            sender.stop()
        if self._registered is not None:
            self._registered.close()

    async def _disturb(self, request: Request) -> Response:
        asked = await _body(request)
        seed, count = asked.get("seed", 0), asked.get("count", 1)
        if not isinstance(seed, int) or not isinstance(count, int) or not 0 <= count <= 10_000:
            return _wrong("seed and count are whole numbers, count at most 10000")
        done = disturb(self.world, seed=seed, count=count, now=self.world.clock())
        return JSONResponse({"done": [asdict(each) for each in done]})

    async def _showcase(self, request: Request) -> Response:
        mirrored = (await _body(request)).get("mirrored", "")
        if not isinstance(mirrored, str):
            return _wrong("mirrored is an address")
        made = showcase(self.world, seed=0, now=self.world.clock(), mirrored=mirrored)
        return JSONResponse({"made": [issue.key for issue in made]})

    async def _state(self, _request: Request) -> Response:
        return JSONResponse(state(self.world))

    async def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            asked = await _body(request)
            planned = asked.pop("fail_next", None)
            try:
                if asked.pop("calm", False):
                    self.faults.calm()
                self.faults.update(asked)
                if planned is not None:
                    self.faults.fail_next(planned["n"], planned["kind"], only_writes=planned.get("only_writes", False))
            except (ValueError, KeyError, TypeError) as error:
                return _wrong(str(error))
        return JSONResponse(self.faults.seen())

    async def _webhook(self, request: Request) -> Response:
        if self._payload is None:
            return _wrong("this sandbox sends no webhooks", status=501)
        asked = await _body(request)
        if not isinstance(asked.get("url"), str):
            return _wrong("url is missing")
        sender = WebhookSender(self.world, asked["url"], self.world.flavour, self._payload, asked.get("secret"))
        self.senders.append(sender.start())
        return JSONResponse({"url": sender.url}, 201)


def with_control(app: ASGIApp, world: World, faults: Faults, *, payload: Payload | None = None) -> Controlled:
    """The app to serve: `serve(with_control(app, world, faults))`. `payload` makes the bodies of its webhooks."""
    return Controlled(app, world, faults, payload)


def state(world: World) -> dict[str, Any]:
    """The truth of a world, to compare with what a client believes or did."""
    with world.lock:
        return {
            "tracker": world.flavour,
            "bot": world.bot,
            "issues": [_issue(world, issue) for issue in world.issues.values()],
            "deleted": sorted(world.deleted),
        }


def _issue(world: World, issue: WorldIssue) -> dict[str, Any]:
    status = world.statuses[issue.status]
    return {
        "id": issue.id,
        "key": issue.key,
        "project": issue.project,
        "type": issue.type,
        "title": issue.title,
        "status": {"id": status.id, "name": status.name, "kind": status.kind},
        "resolution": issue.resolution,
        "assignee": issue.assignee,
        "labels": sorted(issue.labels),
        "comments": [{"id": each.id, "author": each.author, "body": each.body} for each in issue.comments],
        "updated_at": issue.updated_at.isoformat(),
        "is_archived": issue.is_archived,
        "is_locked": issue.is_locked,
        "flaws": list(world.flaws.get(issue.id, ())),
    }


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; an empty or broken one is an empty request."""
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wrong(message: str, *, status: int = 400) -> Response:
    return JSONResponse({"error": message}, status)
