"""Jira's webhooks: is the delivery genuine, and which issues does it touch. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import jwt
import msgspec
from msgspec import Struct
from pydantic import SecretStr

from backlint.connectors.jira.payloads import Account, ProjectRef
from backlint.connectors.webhook import WebhookEvent, WebhookRefused, WebhookUnreadable, header

HANDLED = frozenset(
    {
        "jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_updated",
        "comment_deleted", "issuelink_created", "issuelink_deleted",
    }
)  # fmt: skip
# Known and without effect: properties are written by programs (us among them), the rest is read whole in every pull.
IGNORED_PREFIXES = (
    "issue_property_", "sprint_", "board_", "project_", "jira:version_", "worklog_", "attachment_", "user_", "option_",
    "jira:worklog_", "issuetype_", "filter_", "jira_expression_",
)  # fmt: skip

LEEWAY = timedelta(minutes=35)  # Jira delivers up to half an hour late; whether a retry has a fresh token is not known


class EventFields(Struct):
    project: ProjectRef | None = None


class EventIssue(Struct):
    id: str
    fields: EventFields | None = None


class EventComment(Struct, rename="camel"):
    self_link: str | None = msgspec.field(name="self", default=None)
    author: Account | None = None
    update_author: Account | None = None


class EventLink(Struct, rename="camel"):
    source_issue_id: str | int | None = None
    destination_issue_id: str | int | None = None


class EventChangelog(Struct):
    id: str | int | None = None


class Body(Struct, rename="camel"):
    webhook_event: str
    timestamp: int | None = None
    user: Account | None = None
    issue: EventIssue | None = None
    comment: EventComment | None = None
    issue_link: EventLink | None = None
    changelog: EventChangelog | None = None


def verify(raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime) -> None:
    """WebhookRefused unless signed with the secret over the raw bytes, in constant time.

    Jira signs no time, and may deliver half an hour late, so `now` says nothing; a repeat is known by its delivery id.
    Data Center before 10 signs nothing at all: its deliveries are refused here.
    """
    method, _, given = header(headers, "X-Hub-Signature").strip().partition("=")
    if not given:
        raise WebhookRefused("the Jira webhook is not signed: give it a secret (Data Center: from version 10)")
    expected = hmac.new(secret.get_secret_value().encode(), raw, hashlib.sha256).hexdigest()
    # The sender names the method; accepting any but this one would let it choose a weak one.
    if method.casefold() != "sha256" or not hmac.compare_digest(expected.encode(), given.encode()):
        raise WebhookRefused("the signature of the Jira webhook does not match its secret")


def verify_app(raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime) -> None:
    """WebhookRefused unless the delivery carries a token that was signed with the app's client secret.

    So are the dynamic webhooks of OAuth apps proven: the token says nothing of the body, which is no more than a hint
    here anyway. How long a token holds is not documented [unverified]: one without an end counts from its beginning.
    """
    scheme, _, token = header(headers, "Authorization").strip().partition(" ")
    if scheme.casefold() not in ("bearer", "jwt") or not token:
        raise WebhookRefused("the Jira webhook carries no token: is it one of the app's own?")
    try:
        claims = jwt.decode(
            token.strip(), secret.get_secret_value(), algorithms=["HS256"],
            options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
        )  # fmt: skip
        ends = float(claims.get("exp") or claims["iat"])
    except (jwt.InvalidTokenError, TypeError, ValueError, KeyError):
        raise WebhookRefused("the token of the Jira webhook does not match the app's client secret") from None
    if now.timestamp() > ends + LEEWAY.total_seconds():
        raise WebhookRefused(f"the token of the Jira webhook ended {now.timestamp() - ends:.0f} s ago")


def event(headers: Mapping[str, str], raw: bytes) -> WebhookEvent:
    """What happened to which issues. WebhookUnreadable when a required part is missing."""
    try:
        body = msgspec.json.decode(raw, type=Body)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WebhookUnreadable(f"Jira webhook: {error}") from None
    kind = body.webhook_event
    issues = _issues(body) if kind in HANDLED else ()
    return WebhookEvent(
        delivery_id=header(headers, "X-Atlassian-Webhook-Identifier") or _made_id(body),
        kind=kind,
        issues=issues,
        actor=_actor(body),
        scope=_scope(body),
        is_handled=bool(issues),
        is_known=kind in HANDLED or kind.startswith(IGNORED_PREFIXES),
    )


def _issues(body: Body) -> tuple[str, ...]:
    """Comment events carry a part of the issue on Cloud; on Data Center only the comment's address names it."""
    found: list[str | int | None] = [body.issue.id if body.issue else None]
    if body.issue is None and body.comment is not None:
        found.append(_issue_in(body.comment.self_link or ""))
    if body.issue_link is not None:
        found += [body.issue_link.source_issue_id, body.issue_link.destination_issue_id]
    return tuple(dict.fromkeys(str(id) for id in found if id))


def _issue_in(address: str) -> str | None:
    """`.../rest/api/2/issue/10013/comment/10082`."""
    parts = address.split("/")
    return parts[parts.index("issue") + 1] if "issue" in parts[:-1] else None


def _actor(body: Body) -> str | None:
    comment = body.comment
    people = (body.user, comment.update_author if comment else None, comment.author if comment else None)
    return next((person.id for person in people if person is not None), None)


def _scope(body: Body) -> str | None:
    fields = body.issue.fields if body.issue else None
    return fields.project.key if fields and fields.project else None


def _made_id(body: Body) -> str:
    """Data Center numbers no deliveries; the same event at the same moment is the same delivery."""
    parts = (
        body.webhook_event,
        *_issues(body),
        body.timestamp,
        body.changelog.id if body.changelog else None,
        body.comment.self_link if body.comment else None,
    )
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()
