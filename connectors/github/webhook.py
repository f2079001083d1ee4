"""GitHub's webhooks: is the delivery genuine, and which issues does it touch. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

import msgspec
from pydantic import SecretStr

from backlint.connectors.webhook import WebhookEvent, WebhookRefused, WebhookUnreadable, header

HANDLED = frozenset({"issues", "issue_comment", "sub_issues", "issue_dependencies"})
# Known and without effect. A card's move names neither repository nor issue, only a node id: the next pull finds it.
IGNORED = frozenset(
    {
        "ping", "label", "milestone", "projects_v2", "projects_v2_item", "projects_v2_status_update", "installation",
        "installation_repositories", "installation_target", "repository", "meta", "push", "pull_request",
        "pull_request_review", "pull_request_review_comment", "pull_request_review_thread", "check_run", "check_suite",
        "status", "star", "watch", "fork", "create", "delete", "release", "member", "organization", "team",
        "discussion", "discussion_comment", "workflow_job", "workflow_run", "github_app_authorization",
    }
)  # fmt: skip


class _Id(msgspec.Struct, frozen=True, kw_only=True):
    id: int


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    """An issue by its id, and by what its API address is made of."""

    id: int
    number: int | None = None
    repository_url: str = ""


class _Issue(_Named, frozen=True, kw_only=True):
    pull_request: msgspec.Raw = msgspec.Raw(b"null")


class _Repository(msgspec.Struct, frozen=True, kw_only=True):
    full_name: str = ""


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    new_issue: _Named | None = None
    new_repository: _Repository | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    action: str = ""
    issue: _Issue | None = None
    parent_issue: _Named | None = None
    sub_issue: _Named | None = None
    blocked_issue: _Named | None = None
    blocking_issue: _Named | None = None
    changes: _Changes | None = None
    repository: _Repository | None = None
    sender: _Id | None = None


def verify(raw: bytes, headers: Mapping[str, str], secret: SecretStr, now: datetime) -> None:
    """WebhookRefused unless signed with the secret over the raw bytes, in constant time.

    GitHub signs no time, so an old delivery cannot be told from a new one: the delivery id makes a repeat harmless.
    Without a secret set at GitHub there is no signature, which is refused too.
    """
    expected = "sha256=" + hmac.new(secret.get_secret_value().encode(), raw, hashlib.sha256).hexdigest()
    given = header(headers, "X-Hub-Signature-256").strip()
    if not given:
        raise WebhookRefused("the GitHub webhook is not signed: set a secret where it is configured")
    if not secret.get_secret_value() or not hmac.compare_digest(expected.encode(), given.encode()):
        raise WebhookRefused("the signature of the GitHub webhook does not match its secret")


def event(headers: Mapping[str, str], raw: bytes) -> WebhookEvent:
    """What happened to which issues. WebhookUnreadable when a required part is missing."""
    kind, delivery = header(headers, "X-GitHub-Event"), header(headers, "X-GitHub-Delivery")
    if not kind or not delivery:
        raise WebhookUnreadable("GitHub webhook: the headers X-GitHub-Event and X-GitHub-Delivery are required")
    try:
        body = msgspec.json.decode(_json(headers, raw), type=_Body)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WebhookUnreadable(f"GitHub webhook {kind}: {error}") from None
    found = _issues(kind, body) if kind in HANDLED else ()
    issues = tuple(dict.fromkeys(str(each.id) for each in found))
    return WebhookEvent(
        delivery_id=delivery,
        kind=f"{kind}.{body.action}" if body.action else kind,
        issues=issues,
        keys=dict(filter(None, (_key(each, body) for each in found))),
        actor=str(body.sender.id) if body.sender else None,
        scope=(body.repository.full_name or None) if body.repository else None,
        is_handled=bool(issues),
        is_known=kind in HANDLED or kind in IGNORED,
    )


def _json(headers: Mapping[str, str], raw: bytes) -> bytes:
    """The JSON itself: a webhook may be set to send it inside a form."""
    if "x-www-form-urlencoded" not in header(headers, "Content-Type"):
        return raw
    payload = parse_qs(raw.decode("utf-8", "replace")).get("payload")
    if not payload:
        raise WebhookUnreadable("GitHub webhook: the form has no payload")
    return payload[0].encode()


def _issues(kind: str, body: _Body) -> tuple[_Named, ...]:
    """None for comments on pull requests, which arrive under the same name."""
    if body.issue is not None and bytes(body.issue.pull_request) != b"null":
        return ()
    if kind in ("issues", "issue_comment") and body.issue is None:
        raise WebhookUnreadable(f"GitHub webhook {kind}: issue is missing")
    new = body.changes.new_issue if body.changes else None  # a transferred issue goes on under a new id
    named = (body.issue, new, body.parent_issue, body.sub_issue, body.blocked_issue, body.blocking_issue)
    return tuple(each for each in named if each is not None)


def _key(issue: _Named, body: _Body) -> tuple[str, str] | None:
    """`owner/repository#12`: what an issue is read by. Sub-issues and blockers may stand in other repositories."""
    moved_to = body.changes.new_repository if body.changes and issue is body.changes.new_issue else None
    repository = moved_to or body.repository
    of_address = "/".join(issue.repository_url.rstrip("/").split("/")[-2:])
    name = of_address or (repository.full_name if repository else "")
    return (str(issue.id), f"{name}#{issue.number}") if issue.number is not None and name else None
