"""Webhooks at Linear: one for each team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.hooks import Hook
from backlint.connectors.linear import queries
from backlint.connectors.linear.client import LinearClient
from backlint.errors import NotFound, PermissionMissing

EVENTS = ("Attachment", "Comment", "Issue", "IssueSLA")
LABEL = "backlint"
NEEDS = "a key of a workspace admin (OAuth: the scope admin)"


class _Team(msgspec.Struct, frozen=True):
    id: str
    key: str


class _Person(msgspec.Struct, frozen=True):
    name: str = ""


class _Webhook(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    enabled: bool
    resource_types: tuple[str, ...]
    all_public_teams: bool = False
    url: str | None = None
    team: _Team | None = None
    creator: _Person | None = None


class _PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Webhooks(msgspec.Struct, frozen=True, rename="camel"):
    nodes: tuple[_Webhook, ...]
    page_info: _PageInfo


class _Teams(msgspec.Struct, frozen=True):
    nodes: tuple[_Team, ...]


class _Listed(msgspec.Struct, frozen=True):
    webhooks: _Webhooks


class _Found(msgspec.Struct, frozen=True):
    teams: _Teams


class _Written(msgspec.Struct, frozen=True):
    webhook: _Webhook


class _Made(msgspec.Struct, frozen=True, rename="camel"):
    webhook_create: _Written


class _Changed(msgspec.Struct, frozen=True, rename="camel"):
    webhook_update: _Written


class TeamHooks:
    """The hooks of the configured teams. Linear always signs: it makes a secret where none is given."""

    is_movable = False
    expires = False

    def __init__(self, client: LinearClient, scopes: Sequence[str]) -> None:
        self._client, self._scopes = client, scopes

    def targets(self) -> Sequence[str]:
        return self._scopes

    def hooks(self, url: str) -> Sequence[Hook]:
        return tuple(_hook(each) for each in self._listed() if each.url == url)

    def _listed(self) -> list[_Webhook]:
        found: list[_Webhook] = []
        after: str | None = None
        while True:
            page = self._ask(queries.WEBHOOKS, _Listed, {"after": after}).webhooks
            found += page.nodes
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor

    def _ask(self, document: str, kind: type[Any], given: dict[str, Any], *, may_repeat: bool = True) -> Any:
        try:
            return self._client.ask(document, kind, given, may_repeat=may_repeat)
        except PermissionMissing as error:
            raise PermissionMissing(
                f"{self._client.source}: Linear lets admins alone manage webhooks; use {NEEDS}", status=error.status
            ) from error

    def create(self, url: str, target: str, secret: SecretStr) -> Hook:
        teams = self._ask(queries.TEAM_IDS, _Found, {"key": target}).teams.nodes
        if not teams:
            raise NotFound(f"{self._client.source}: no team with the key {target!r} is visible to this account")
        given = {"url": url, "label": LABEL, "teamId": teams[0].id, **_wanted(secret)}
        return _hook(
            self._ask(queries.CREATE_WEBHOOK, _Made, {"input": given}, may_repeat=False).webhook_create.webhook
        )

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        given = {"id": hook.id, "input": _wanted(secret)}
        return _hook(self._ask(queries.UPDATE_WEBHOOK, _Changed, given).webhook_update.webhook)

    def remove(self, hook: Hook) -> None:
        try:
            self._ask(queries.DELETE_WEBHOOK, dict[str, Any], {"id": hook.id})
        except NotFound:
            return

    def renew(self, hooks: Sequence[Hook]) -> None:
        """Linear's webhooks do not end by themselves."""


def _hook(raw: _Webhook) -> Hook:
    return Hook(
        id=raw.id,
        covers="" if raw.all_public_teams else raw.team.key if raw.team else "several teams",
        is_enabled=raw.enabled,
        lacks=tuple(kind for kind in EVENTS if kind not in raw.resource_types),
        made_by=raw.creator.name if raw.creator else "",
    )


def _wanted(secret: SecretStr) -> dict[str, Any]:
    return {"enabled": True, "resourceTypes": list(EVENTS), "secret": secret.get_secret_value()}
