"""The toy tracker's webhooks: is a delivery genuine, which issues does it touch, and how a hook is made."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.hooks import Hook
from backlint.connectors.http import TrackerHttp, decode
from backlint.connectors.webhook import WebhookEvent, WebhookRefused, WebhookUnreadable, header
from backlint.errors import NotFound

EVENTS = ("comment", "issue")


class Body(msgspec.Struct, frozen=True):
    id: str
    event: str
    issue: str | None = None
    actor: str | None = None
    project: str | None = None


def verify(raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime) -> None:
    """Over the raw bytes, in constant time, before anything is parsed. The toy signs no time: `now` says nothing."""
    expected = hmac.new(secret.get_secret_value().encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), header(headers, "Toy-Signature").encode()):
        raise WebhookRefused("the signature of the toy's webhook does not match its secret")


def event(headers: Mapping[str, str], raw: bytes) -> WebhookEvent:
    try:
        body = msgspec.json.decode(raw, type=Body)
    except msgspec.MsgspecError as error:
        raise WebhookUnreadable(f"toy webhook: {error}") from None
    is_known = body.event in EVENTS
    return WebhookEvent(
        delivery_id=body.id,
        kind=body.event,
        issues=(body.issue,) if body.issue and is_known else (),
        actor=body.actor,
        scope=body.project,
        is_handled=is_known and body.issue is not None,
        is_known=is_known,
    )


class _Hook(msgspec.Struct, frozen=True):
    id: str
    url: str
    project: str
    events: tuple[str, ...] = ()
    enabled: bool = True
    signed: bool = False


class ToyHooks:
    """See `Registrar`: one hook for each project."""

    is_movable = False

    def __init__(self, http: TrackerHttp, scopes: Sequence[str]) -> None:
        self._http, self._scopes = http, scopes

    def targets(self) -> Sequence[str]:
        return self._scopes

    def hooks(self, url: str) -> Sequence[Hook]:
        answer = self._http.request("GET", "/hooks", may_repeat=True).content
        found = decode(answer, tuple[_Hook, ...], source=self._http.source)
        return [_shown(each) for each in found if each.url == url]

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        return self._sent("POST", "/hooks", {"url": url, "project": target, **_wanted(secret)})

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        return self._sent("PUT", f"/hooks/{hook.id}", _wanted(secret))

    def _sent(self, method: str, path: str, body: Mapping[str, Any]) -> Hook:
        answer = self._http.request(method, path, may_repeat=method == "PUT", json=body).content
        return _shown(decode(answer, _Hook, source=self._http.source))

    def remove(self, hook: Hook) -> None:
        try:
            self._http.request("DELETE", f"/hooks/{hook.id}", may_repeat=True)
        except NotFound:
            return

    def renew(self, hooks: Sequence[Hook]) -> None:
        """They do not end by themselves."""


def _wanted(secret: SecretStr) -> dict[str, Any]:
    return {"events": EVENTS, "enabled": True, "secret": secret.get_secret_value()}


def _shown(each: _Hook) -> Hook:
    lacks = tuple(sorted(set(EVENTS) - set(each.events)))
    return Hook(id=each.id, covers=each.project, is_enabled=each.enabled, lacks=lacks, is_signed=each.signed)
