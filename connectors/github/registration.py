"""Webhooks at GitHub: one for each repository, or the one that a GitHub App has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.github.access import AppToken
from backlint.connectors.github.client import Client
from backlint.connectors.github.webhook import HANDLED
from backlint.connectors.hooks import Hook
from backlint.connectors.http import decode
from backlint.errors import NotFound, PermissionMissing, RequestRefused

EVENTS = tuple(sorted(HANDLED))
NEEDS = "write access to Webhooks of the repository (classic tokens: admin:repo_hook)"


class _Config(msgspec.Struct, frozen=True, kw_only=True):
    url: str = ""
    secret: str | None = None  # stars if there is one


class _LastResponse(msgspec.Struct, frozen=True, kw_only=True):
    code: int | None = None
    status: str | None = None
    message: str | None = None


class _Hook(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    active: bool = True
    events: tuple[str, ...] = ()
    config: _Config = _Config()
    last_response: _LastResponse | None = None


class _App(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[str, ...] = ()


class RepositoryHooks:
    """The hooks of the configured repositories."""

    is_movable = False
    expires = False

    def __init__(self, client: Client, scopes: Callable[[], Sequence[str]]) -> None:
        self._client, self._scopes = client, scopes

    def targets(self) -> Sequence[str]:
        return self._scopes()

    def hooks(self, url: str) -> Sequence[Hook]:
        return tuple(
            self._hook(each, scope)
            for scope in self._scopes()
            for each in self._listed(scope)
            if each.config.url == url
        )

    def _listed(self, scope: str) -> list[_Hook]:
        try:
            pages = self._client.pages(f"/repos/{scope}/hooks")
            return [hook for page in pages for hook in decode(page.content, list[_Hook], source=self._client.source)]
        except NotFound:
            # GitHub hides hooks from those who may not see them, as it hides private repositories.
            raise self._not_allowed(scope) from None

    def _not_allowed(self, scope: str) -> PermissionMissing:
        return PermissionMissing(
            f"{self._client.source}: the webhooks of {scope} are hidden (404); the token needs {NEEDS}", status=404
        )

    def _hook(self, raw: _Hook, scope: str) -> Hook:
        last = raw.last_response
        said = f"{last.code} {last.message or last.status or ''}".strip() if last and last.code is not None else ""
        return Hook(
            id=str(raw.id),
            covers=scope,
            is_enabled=raw.active,
            lacks=() if "*" in raw.events else tuple(event for event in EVENTS if event not in raw.events),
            is_signed=bool(raw.config.secret),
            last_delivery=said,
        )

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        """GitHub refuses a second hook with the same address and events, so a repeat is harmless."""
        made = self._write("POST", f"/repos/{target}/hooks", {"name": "web", **_wanted(url, secret)}, scope=target)
        return self._hook(made, target)

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        made = self._write("PATCH", f"/repos/{target}/hooks/{hook.id}", _wanted(url, secret), scope=target)
        return self._hook(made, target)

    def _write(self, method: str, path: str, body: dict[str, Any], *, scope: str) -> _Hook:
        try:
            answer = self._client.write(method, path, json=body, may_repeat=method != "POST")
        except NotFound:
            raise self._not_allowed(scope) from None
        return decode(answer.content, _Hook, source=self._client.source)

    def remove(self, hook: Hook) -> None:
        try:
            self._client.write("DELETE", f"/repos/{hook.covers}/hooks/{hook.id}")
        except NotFound:
            return

    def renew(self, hooks: Sequence[Hook]) -> None:
        """GitHub's webhooks do not end by themselves."""


class AppHook:
    """The one webhook of a GitHub App, which reports on everything the app is installed in."""

    is_movable = False
    expires = False

    def __init__(self, client: Client, auth: AppToken) -> None:
        self._client, self._auth = client, auth

    def targets(self) -> Sequence[str]:
        return ("all repositories of the app",)

    def hooks(self, url: str) -> Sequence[Hook]:
        config = self._config()
        return (self._hook(config),) if config.url == url else ()

    def _config(self) -> _Config:
        answer = self._client.as_app("/app/hook/config", self._auth)
        return decode(answer.content, _Config, source=self._client.source)

    def _hook(self, config: _Config) -> Hook:
        app = decode(self._client.as_app("/app", self._auth).content, _App, source=self._client.source)
        return Hook(
            id="app",
            covers=self.targets()[0],
            lacks=tuple(event for event in EVENTS if event not in app.events),
            is_signed=bool(config.secret),
        )

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        there = self._config().url
        if there and there != url:
            raise RequestRefused(
                f"{self._client.source}: the app's webhook already leads elsewhere ({there}); an app has one only: "
                "change it in the app's settings if nothing else needs it"
            )
        return self._set(url, secret)

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        if hook.lacks:
            raise RequestRefused(
                f"{self._client.source}: the app does not report {', '.join(hook.lacks)}, and GitHub has no call for "
                "that: subscribe to these events in the app's settings, under Permissions & events"
            )
        return self._set(url, secret)

    def _set(self, url: str, secret: SecretStr) -> Hook:
        answer = self._client.http.request(
            "PATCH",
            "/app/hook/config",
            json=_config(url, secret),
            headers={"Authorization": f"Bearer {self._auth.jwt()}"},
            may_repeat=True,
        )
        return self._hook(decode(answer.content, _Config, source=self._client.source))

    def remove(self, hook: Hook) -> None:
        raise RequestRefused(
            f"{self._client.source}: the webhook of an app cannot be removed, only switched off in the app's settings"
        )

    def renew(self, hooks: Sequence[Hook]) -> None:
        """GitHub's webhooks do not end by themselves."""


def _config(url: str, secret: SecretStr) -> dict[str, Any]:
    return {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": secret.get_secret_value()}


def _wanted(url: str, secret: SecretStr) -> dict[str, Any]:
    return {"active": True, "events": list(EVENTS), "config": _config(url, secret)}
