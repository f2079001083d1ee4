"""POST /webhooks/{source}: is it genuine, keep it, answer. What it means is found out afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from backlint.api.metrics import Metrics
from backlint.connectors.structs import make_ready
from backlint.connectors.webhook import WebhookRefused, WebhookUnreadable
from backlint.errors import ConfigurationError
from backlint.model import Tracker
from backlint.settings import Settings, SourceSettings, secret
from backlint.sync.deliveries import Delivery
from backlint.sync.inbox import Inbox, InboxFull

log = structlog.get_logger(__name__)
AGAIN_AFTER = "10"  # seconds, for a sender that honours it


@dataclass(frozen=True, slots=True)
class Gate:
    """What a source's deliveries must pass. Without a secret none does."""

    source: str
    reader: ModuleType
    secret: SecretStr | None
    is_app: bool = False  # the deliveries are an OAuth app's own, proven by its client secret

    def verify(self, raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime) -> None:
        (self.reader.verify_app if self.is_app else self.reader.verify)(raw, headers, secret, now)


def gates(settings: Settings) -> dict[str, Gate]:
    """By source name. ConfigurationError where a secret is named and not there."""
    made = {
        source.name: Gate(source.name, reader_of(source.tracker), webhook_secret(source), is_app(source))
        for source in settings.sources
    }
    make_ready()
    return made


def is_app(source: SourceSettings) -> bool:
    """Whether the source's webhooks are dynamic ones, which a Jira OAuth app makes for itself."""
    return source.tracker is Tracker.JIRA and source.oauth is not None


def webhook_secret(source: SourceSettings) -> SecretStr | None:
    """What the source's deliveries are proven by; None where nothing is configured."""
    if is_app(source) and source.oauth is not None and source.oauth.client_secret_env:
        return secret(source.oauth.client_secret_env, purpose=f"client secret of source {source.name!r}")
    if not source.webhook_secret_env:
        return None
    return secret(source.webhook_secret_env, purpose=f"webhook secret of source {source.name!r}")


def reader_of(tracker: Tracker) -> ModuleType:
    """The tracker's own `webhook.py`: `verify` and `event`."""
    match tracker:
        case Tracker.JIRA:
            from backlint.connectors.jira import webhook
        case Tracker.LINEAR:
            from backlint.connectors.linear import webhook  # type: ignore[no-redef]
        case Tracker.GITHUB:
            from backlint.connectors.github import webhook  # type: ignore[no-redef]
        case Tracker.FILE:
            raise ConfigurationError("a file sends no webhooks")
    return webhook


def router(
    known: Mapping[str, Gate], inbox: Inbox, metrics: Metrics, *, max_body: int, clock: Callable[[], datetime]
) -> APIRouter:
    """The one address that trackers call."""
    made = APIRouter()
    unlisted: set[tuple[str, str]] = set()

    def answer(status: int, what: str, *, source: str, **headers: str) -> JSONResponse:
        metrics.answered(source, status)
        return JSONResponse({"status": what}, status, headers)

    async def receive(request: Request, source: str) -> JSONResponse:
        gate = known.get(source)
        if gate is None:
            return answer(404, "no such source", source="unknown")
        raw = await _body(request, max_body)
        if raw is None:
            return answer(413, f"a webhook has at most {max_body} bytes here", source=source)
        if gate.secret is None:
            return answer(401, "no webhook secret is configured for this source", source=source)
        try:
            gate.verify(raw, request.headers, gate.secret, clock())
        except WebhookRefused as refused:
            log.warning("webhook.refused", source=source, why=str(refused))
            return answer(401, str(refused), source=source)
        try:
            event = gate.reader.event(request.headers, raw)
        except WebhookUnreadable as unreadable:
            log.warning("webhook.unreadable", source=source, why=str(unreadable))
            return answer(400, "not a webhook that this tracker documents", source=source)
        if not event.is_known and (source, event.kind) not in unlisted:
            unlisted.add((source, event.kind))
            log.warning("webhook.unlisted_kind", source=source, kind=event.kind)
        delivery = Delivery(
            source=source, id=event.delivery_id, event=event.kind, received_at=clock(), issues=event.issues,
            keys=event.keys, actor=event.actor, is_handled=event.is_handled,
        )  # fmt: skip
        try:
            is_new = await asyncio.wrap_future(inbox.put(delivery))
        except InboxFull as full:
            return answer(429, str(full), source=source, **{"Retry-After": AGAIN_AFTER})
        except Exception as error:  # noqa: BLE001 - whatever the store suffers from, the sender must come again
            log.error("webhook.not_kept", source=source, error=type(error).__name__)
            return answer(503, "it could not be kept; send it again", source=source, **{"Retry-After": AGAIN_AFTER})
        if not is_new:
            return answer(200, "known already", source=source)
        return (
            answer(202, "kept; nothing to do", source=source)
            if not event.is_handled
            else answer(200, "kept", source=source)
        )

    @made.post("/webhooks/{source}")
    async def webhook(request: Request, source: str) -> JSONResponse:
        with metrics.acknowledging():
            return await receive(request, source)

    return made


async def _body(request: Request, limit: int) -> bytes | None:
    """The raw bytes; None when there are too many, which is known before all of them are read."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)
