"""Webhooks at Jira: one for all configured projects, made by an administrator, or by an OAuth app for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.hooks import Hook
from backlint.connectors.http import decode
from backlint.connectors.jira.session import Session
from backlint.connectors.jira.webhook import HANDLED
from backlint.errors import NotFound, PermissionMissing, RequestRefused

NAME = "backlint"
EVENTS = tuple(sorted(HANDLED))
FILTER = "issue-related-events-section"
ADMIN_NEEDS = "the global permission Administer Jira"
# Cloud, and Data Center up to 9; from Data Center 10 another path and shape.
PATH, NEW_PATH, NEW_SINCE = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks", 10
DYNAMIC_EVENTS = tuple(event for event in EVENTS if not event.startswith("issuelink_"))  # the others are not offered
DYNAMIC_NEEDS = "the scopes read:jira-work and manage:jira-webhook"


def jql(projects: Sequence[str]) -> str:
    quoted = ", ".join(f'"{key}"' for key in projects)  # a key may be a word of the language
    return f"project in ({quoted})"


class _AdminHook(msgspec.Struct, rename="camel"):
    """Both shapes: `self` and `enabled` of the old one, `id` and `active` of the new one."""

    name: str = ""
    url: str = ""
    events: tuple[str, ...] = ()
    id: int | str | None = None
    self_link: str | None = msgspec.field(name="self", default=None)
    enabled: bool | None = None
    active: bool | None = None
    filters: Mapping[str, str] | None = None
    configuration: Mapping[str, Any] | None = None
    is_signed: bool | None = None
    last_updated_display_name: str = ""


class AdminHooks:
    """What a Jira administrator sees under System, WebHooks."""

    is_movable = True
    expires = False

    def __init__(self, session: Session, scopes: Callable[[], Sequence[str]]) -> None:
        self._session, self._scopes = session, scopes

    def targets(self) -> Sequence[str]:
        return (jql(self._scopes()),)

    @property
    def _is_new(self) -> bool:
        return not self._session.is_cloud and self._session.version >= NEW_SINCE

    @property
    def _path(self) -> str:
        return NEW_PATH if self._is_new else PATH

    def hooks(self, url: str) -> Sequence[Hook]:
        answer = self._send("GET", self._path)
        return tuple(_admin_hook(each) for each in decode(answer, list[_AdminHook]) if each.url == url)

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        answer = self._send("POST", self._path, json=self._wanted(url, target, secret), may_repeat=False)
        return _admin_hook(decode(answer, _AdminHook))

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        answer = self._send("PUT", f"{self._path}/{hook.id}", json=self._wanted(url, target, secret))
        return _admin_hook(decode(answer, _AdminHook))

    def remove(self, hook: Hook) -> None:
        try:
            self._send("DELETE", f"{self._path}/{hook.id}")
        except NotFound:
            return

    def renew(self, hooks: Sequence[Hook]) -> None:
        """An administrator's webhooks do not end by themselves."""

    def _wanted(self, url: str, target: str, secret: SecretStr) -> dict[str, Any]:
        given: dict[str, Any] = {"name": NAME, "url": url, "events": list(EVENTS)}
        if self._is_new:
            # The shape of Data Center 10 is known from client libraries only [unverified].
            return {**given, "active": True, "filters": {FILTER: target},
                    "configuration": {"secret": secret.get_secret_value()}}  # fmt: skip
        return {**given, "enabled": True, "filters": {FILTER: target}, "excludeBody": False,
                "secret": secret.get_secret_value()}  # fmt: skip

    def _send(self, method: str, path: str, *, json: Any = None, may_repeat: bool = True) -> bytes:
        _ = self._session.account  # strangers are told "not found"
        try:
            return self._session.http.request(method, path, json=json, may_repeat=may_repeat).content
        except PermissionMissing as error:
            raise PermissionMissing(
                f"{self._session.name}: Jira lets administrators alone manage webhooks ({error.status}); use a token "
                f"with {ADMIN_NEEDS} for this command",
                status=error.status,
            ) from error


def _admin_hook(raw: _AdminHook) -> Hook:
    is_enabled = raw.enabled if raw.enabled is not None else raw.active
    return Hook(
        id=str(raw.id if raw.id is not None else (raw.self_link or "").rsplit("/", 1)[-1]),
        covers=(raw.filters or {}).get(FILTER, ""),
        is_enabled=is_enabled is not False,
        lacks=tuple(event for event in EVENTS if event not in raw.events),
        is_signed=raw.is_signed,
        made_by=raw.last_updated_display_name,
    )


class _DynamicHook(msgspec.Struct, rename="camel"):
    id: int
    url: str = ""
    jql_filter: str = ""
    events: tuple[str, ...] = ()
    expiration_date: int | str | None = None


class _Result(msgspec.Struct, rename="camel"):
    created_webhook_id: int | None = None
    errors: tuple[str, ...] = ()


class _Results(msgspec.Struct, rename="camel"):
    webhook_registration_result: tuple[_Result, ...]


class AppHooks:
    """Dynamic webhooks, which an OAuth app makes for itself. They live 30 days and must be renewed.

    They carry no signature but a token signed with the app's client secret (`webhook.verify_app`), so `secret` is of no
    use to them.
    """

    is_movable = True
    expires = True

    def __init__(self, session: Session, scopes: Callable[[], Sequence[str]]) -> None:
        self._session, self._scopes = session, scopes
        self._path = f"{session.root}/webhook"

    def targets(self) -> Sequence[str]:
        return (jql(self._scopes()),)

    def hooks(self, url: str) -> Sequence[Hook]:
        listed = msgspec.convert(self._pages(), list[_DynamicHook], strict=False)
        # Older answers name no address; an app has one address only.
        return tuple(_dynamic_hook(each) for each in listed if each.url in ("", url))

    def _pages(self) -> list[Any]:
        try:
            return list(self._session.pages(self._path))
        except PermissionMissing as error:
            raise self._not_allowed(error) from error

    def _not_allowed(self, error: PermissionMissing) -> PermissionMissing:
        return PermissionMissing(
            f"{self._session.name}: the app may not manage webhooks ({error.status}); it needs {DYNAMIC_NEEDS}",
            status=error.status,
        )

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        """Jira answers 200 even if it made nothing; the reason stands inside."""
        wanted = {"url": url, "webhooks": [{"events": list(DYNAMIC_EVENTS), "jqlFilter": target}]}
        results = decode(self._send("POST", self._path, wanted, may_repeat=False), _Results)
        made = results.webhook_registration_result[0] if results.webhook_registration_result else _Result()
        if made.created_webhook_id is None:
            raise RequestRefused(f"{self._session.name}: Jira made no webhook: {'; '.join(made.errors) or 'no reason'}")
        id = str(made.created_webhook_id)
        return next((hook for hook in self.hooks(url) if hook.id == id), Hook(id=id, covers=target))

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        """They cannot be changed: another takes the place, first, so that nothing is missed."""
        made = self.create(url, target, secret)
        self.remove(hook)
        return made

    def remove(self, hook: Hook) -> None:
        self._send("DELETE", self._path, {"webhookIds": [int(hook.id)]})

    def renew(self, hooks: Sequence[Hook]) -> None:
        self._send("PUT", f"{self._path}/refresh", {"webhookIds": [int(hook.id) for hook in hooks]})

    def _send(self, method: str, path: str, body: Any, *, may_repeat: bool = True) -> bytes:
        try:
            return self._session.http.request(method, path, json=body, may_repeat=may_repeat).content
        except PermissionMissing as error:
            raise self._not_allowed(error) from error


def _dynamic_hook(raw: _DynamicHook) -> Hook:
    return Hook(
        id=str(raw.id),
        covers=raw.jql_filter,
        lacks=tuple(event for event in DYNAMIC_EVENTS if event not in raw.events),
        expires_at=_moment(raw.expiration_date),
    )


def _moment(stated: int | str | None) -> datetime | None:
    """Milliseconds in the documented schema; ISO text has been seen too [unverified]."""
    if stated is None:
        return None
    if isinstance(stated, int) or stated.isdigit():
        return datetime.fromtimestamp(int(stated) / 1000, UTC)
    moment = datetime.fromisoformat(stated)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
