"""Linear's webhooks: is the delivery genuine and fresh, and which issues does it touch. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from pydantic import SecretStr

from backlint.connectors.webhook import WebhookEvent, WebhookRefused, WebhookUnreadable, header

# Linear's own client refuses what is further off; a redelivery hours later carries a fresh time stamp.
TOLERANCE = timedelta(seconds=60)
IGNORED = frozenset(
    {
        "AgentSessionEvent", "AppUserNotification", "Customer", "CustomerNeed", "Cycle", "Document", "Initiative",
        "InitiativeUpdate", "IssueLabel", "OAuthApp", "OAuthAuthorization", "PermissionChange", "Project",
        "ProjectLabel", "ProjectUpdate", "Reaction", "Release", "ReleaseNote", "User",
    }
)  # fmt: skip


class Named(msgspec.Struct, frozen=True):
    id: str | None = None
    key: str | None = None


class Data(msgspec.Struct, frozen=True):
    """The parts of `data` that say which issue; the rest is read again from the API."""

    id: str | None = None
    issueId: str | None = None
    issue: Named | None = None
    userId: str | None = None
    creatorId: str | None = None
    team: Named | None = None


class Body(msgspec.Struct, frozen=True):
    type: str
    action: str
    data: Data = Data()
    actor: Named | None = None
    webhookTimestamp: int | float | str | None = None


def verify(
    raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime, *, tolerance: timedelta = TOLERANCE
) -> None:
    """WebhookRefused unless signed with the secret over the raw bytes, in constant time, and sent just now."""
    expected = hmac.new(secret.get_secret_value().encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), header(headers, "Linear-Signature").strip().encode()):
        raise WebhookRefused("the signature of the Linear webhook does not match its secret")
    sent_at = _sent_at(raw, headers)
    if sent_at is None:
        raise WebhookRefused("the Linear webhook carries no time stamp")
    if abs(now - sent_at) > tolerance:
        off = (now - sent_at).total_seconds()
        raise WebhookRefused(
            f"the Linear webhook was sent {off:.0f} s ago; {tolerance.total_seconds():.0f} s is allowed"
        )


def event(headers: Mapping[str, str], raw: bytes) -> WebhookEvent:
    """What happened to which issues. WebhookUnreadable when a required part is missing."""
    try:
        body = msgspec.json.decode(raw, type=Body)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WebhookUnreadable(f"Linear webhook: {error}") from None
    delivery = header(headers, "Linear-Delivery")
    if not delivery:
        raise WebhookUnreadable("Linear webhook: the header Linear-Delivery is missing")
    issues = _issues(body)
    return WebhookEvent(
        delivery_id=delivery,
        kind=f"{body.type}.{body.action}",
        issues=issues,
        actor=_actor(body),
        scope=body.data.team.key if body.data.team else None,
        is_handled=bool(issues),
        is_known=bool(issues) or body.type in IGNORED,
    )


def _issues(body: Body) -> tuple[str, ...]:
    """Archiving, trashing and restoring have no documented action of their own: the issue is read again in any case."""
    match body.type:
        case "Issue":
            found = body.data.id
        case "Comment" | "Attachment" | "IssueSLA":
            found = body.data.issueId or (body.data.issue.id if body.data.issue else None)
        case _:
            found = None
    return (found,) if found else ()


def _actor(body: Body) -> str | None:
    if body.actor is not None and body.actor.id:
        return body.actor.id
    # Older payloads have no actor; of a creation the author is known.
    return (body.data.userId or body.data.creatorId) if body.action == "create" else None


def _sent_at(raw: bytes, headers: Mapping[str, str]) -> datetime | None:
    """The signed body's time stamp before the header's, in milliseconds; older payloads have ISO text."""
    try:
        stated = msgspec.json.decode(raw, type=Body).webhookTimestamp
    except (msgspec.ValidationError, msgspec.DecodeError):
        stated = None
    return _moment(stated if stated is not None else header(headers, "Linear-Timestamp"))


def _moment(stated: int | float | str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(stated) / 1000, UTC)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
