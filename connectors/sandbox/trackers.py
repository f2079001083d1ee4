"""Whole sandbox trackers, made and served by name: for the demo, the command line and the tests."""

from __future__ import annotations

import importlib
import importlib.util
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backlint.connectors.sandbox.control import with_control
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.webhooks import Payload
from backlint.connectors.sandbox.world import World

TOKEN = "sandbox-token"  # noqa: S105 - the sandboxes accept a well-known token
USER = "bot@example.test"
# Where each tracker's app is made, and what a client calls beneath the server's address.
APPS = {
    "jira": ("backlint.connectors.sandbox.jira", "jira_app", ""),
    "linear": ("backlint.connectors.sandbox.linear", "linear_app", "/graphql"),
    "github": ("backlint.connectors.sandbox.github", "github_app", ""),
}


# Parts of the schema that came to github.com last, and that an Enterprise Server of some age does not have.
LACKING_ON_ENTERPRISE = frozenset(
    {
        "Issue.blockedBy", "Issue.blocking", "BLOCKED_BY_ADDED_EVENT", "Issue.issueType", "Repository.issueTypes",
        "PROJECT_V2_ITEM_STATUS_CHANGED_EVENT", "ADDED_TO_PROJECT_V2_EVENT", "REMOVED_FROM_PROJECT_V2_EVENT",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox tracker with all that a test or the demo wants to reach."""

    tracker: str
    world: World
    faults: Faults
    server: Running
    url: str

    def facts(self) -> dict[str, Any]:
        """What a client must know."""
        user = {"user": USER} if self.tracker == "jira" else {}
        return {"url": self.url, "control": self.server.url + "/_sandbox", "token": TOKEN, **user,
                "scope": list(self.world.projects)}  # fmt: skip


def start(
    stack: ExitStack,
    tracker: str,
    *,
    size: int,
    seed: int,
    now: datetime,
    deployment: str = "cloud",
    faults: Faults | None = None,
    port: int = 0,
) -> Sandbox:
    """Generate a world and serve it until `stack` is closed."""
    world = generate(tracker, seed=seed, size=size, now=now)
    app = make_app(tracker, world, deployment=deployment)
    weather = faults or Faults()
    controlled = with_control(app, world, weather, payload=webhook_payload(tracker, world))
    stack.callback(controlled.close)
    running = stack.enter_context(serve(controlled, port=port))
    beneath = "/api/v3" if (tracker, deployment) == ("github", "server") else APPS[tracker][2]
    return Sandbox(tracker, world, weather, running, running.url + beneath)


def make_app(tracker: str, world: World, *, deployment: str = "cloud") -> Any:
    """The tracker's application over a world; it accepts TOKEN."""
    module, maker, _ = APPS[tracker]
    more: dict[str, Any] = {"deployment": deployment} if tracker == "jira" else {}
    if (tracker, deployment) == ("github", "server"):
        more = {"lacks": LACKING_ON_ENTERPRISE}
    return getattr(importlib.import_module(module), maker)(world, token=TOKEN, **more)


def webhook_payload(tracker: str, world: World) -> Payload | None:
    """What makes the tracker's webhook bodies, where its sandbox has that."""
    module = f"backlint.connectors.sandbox.{tracker}_webhooks"
    if importlib.util.find_spec(module) is None:
        return None
    made: Payload = getattr(importlib.import_module(module), f"{tracker}_payload")(world)
    return made
