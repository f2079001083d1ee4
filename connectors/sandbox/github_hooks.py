"""GitHub's repository webhooks and the one webhook of an app, kept in the world."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from backlint.connectors.sandbox.world import World, WorldHook

Row = dict[str, Any]
STARS = "********"
APP = "app"


class HookRefused(Exception):
    """What GitHub would refuse: a status, words, and the errors of a validation."""

    def __init__(self, status: int, message: str, errors: list[Row] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors or []


class GithubHooks:
    """`is_hidden`: the token has no right to webhooks, which GitHub answers with "not found"."""

    def __init__(self, world: World, *, is_hidden: bool) -> None:
        self._world, self._is_hidden = world, is_hidden
        self._numbers = count(5001)
        self.app_events = ["issue_comment", "issue_dependencies", "issues", "sub_issues"]

    def of(self, repository: str) -> list[WorldHook]:
        self._visible()
        return [hook for hook in self._world.hooks.values() if hook.covers == repository]

    def one(self, repository: str, id: str) -> WorldHook:
        found = next((hook for hook in self.of(repository) if hook.id == id), None)
        if found is None:
            raise HookRefused(404, "Not Found")
        return found

    def _visible(self) -> None:
        if self._is_hidden:
            raise HookRefused(404, "Not Found")

    def make(self, repository: str, body: bytes) -> Row:
        asked = json.loads(body)
        config, events = asked["config"], list(asked.get("events") or ["push"])
        for other in self.of(repository):
            if other.url == config["url"] and set(other.events) & set(events):
                problem = {"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}
                raise HookRefused(422, "Validation Failed", [problem])
        id = str(next(self._numbers))
        hook = WorldHook(id, config["url"], config.get("secret"), events, covers=repository,
                         is_enabled=asked.get("active", True))  # fmt: skip
        self._world.hooks[id] = hook
        return shown(hook)

    def change(self, repository: str, id: str, body: bytes) -> Row:
        hook, asked = self.one(repository, id), json.loads(body)
        config = asked.get("config") or {}
        # A change of the configuration without a secret takes the secret away.
        hook.url, hook.secret = config.get("url", hook.url), config.get("secret") if config else hook.secret
        hook.events, hook.is_enabled = list(asked.get("events", hook.events)), asked.get("active", hook.is_enabled)
        return shown(hook)

    def remove(self, repository: str, id: str) -> None:
        del self._world.hooks[self.one(repository, id).id]

    def app_config(self, body: bytes | None = None) -> Row:
        """What the app's settings say; with a body, after changing it."""
        hook = self._world.hooks.get(APP)
        if body is not None:
            asked = json.loads(body)
            hook = WorldHook(APP, asked.get("url", ""), asked.get("secret"), self.app_events)
            self._world.hooks[APP] = hook
        if hook is None:
            return {"content_type": "json", "insecure_ssl": "0", "url": ""}
        return _config(hook)


def _config(hook: WorldHook) -> Row:
    secret = {"secret": STARS} if hook.secret else {}
    return {"content_type": "json", "insecure_ssl": "0", "url": hook.url, **secret}


def shown(hook: WorldHook) -> Row:
    status = {None: "unused", 200: "active"}.get(hook.last_status, "failed")
    return {
        "type": "Repository", "id": int(hook.id), "name": "web", "active": hook.is_enabled, "events": hook.events,
        "config": _config(hook), "last_response": {"code": hook.last_status, "status": status, "message": None},
    }  # fmt: skip
