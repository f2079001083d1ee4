"""GitHub's deliveries: genuine ones are read, and only those that touch an issue are handled."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from backlint.connectors.github.webhook import event, verify
from backlint.connectors.webhook import WebhookRefused, WebhookUnreadable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = SecretStr("It's a Secret to Everybody")  # the example of GitHub's documentation


def signed(raw: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.get_secret_value().encode(), raw, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def named(kind: str, **more: str) -> dict[str, str]:
    return {"X-GitHub-Event": kind, "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", **more}


def body(**parts: Any) -> bytes:
    repository = {"id": 7, "full_name": "sandbox-org/shop"}
    return json.dumps({"repository": repository, "sender": {"id": 42, "login": "someone"}, **parts}).encode()


def test_the_documented_signature_is_accepted() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify(b"Hello, World!", {"X-Hub-Signature-256": f"sha256={digest}"}, SECRET, NOW)


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b"Hello, World?", signed(b"Hello, World!")),
        (b"Hello, World!", {}),
        (b"Hello, World!", {"X-Hub-Signature-256": "sha256="}),
        (b"Hello, World!", {"X-Hub-Signature": "sha1=0000"}),
    ],
    ids=["changed", "unsigned", "empty", "only the old kind"],
)
def test_anything_else_is_refused(raw: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        verify(raw, headers, SECRET, NOW)


def test_a_signature_with_an_empty_secret_is_refused() -> None:
    digest = hmac.new(b"", b"x", hashlib.sha256).hexdigest()

    with pytest.raises(WebhookRefused):
        verify(b"x", {"X-Hub-Signature-256": f"sha256={digest}"}, SecretStr(""), NOW)


def test_an_opened_issue_is_named_with_its_repository_and_actor() -> None:
    seen = event(named("issues"), body(action="opened", issue={"id": 4_100_000_001, "number": 12}))

    assert (seen.kind, seen.issues, seen.actor, seen.scope) == (
        "issues.opened",
        ("4100000001",),
        "42",
        "sandbox-org/shop",
    )
    assert seen.is_handled


def test_a_transferred_issue_names_the_new_one_as_well() -> None:
    raw = body(action="transferred", issue={"id": 1}, changes={"new_issue": {"id": 2}, "new_repository": {"id": 9}})

    assert event(named("issues"), raw).issues == ("1", "2")


def test_a_comment_on_a_pull_request_is_not_ours() -> None:
    raw = body(action="created", issue={"id": 1, "pull_request": {"url": "https://example.test"}}, comment={"id": 3})

    seen = event(named("issue_comment"), raw)

    assert not seen.is_handled
    assert seen.is_known


def test_a_delivery_inside_a_form_is_read() -> None:
    form = urlencode({"payload": body(action="closed", issue={"id": 5}).decode()}).encode()

    seen = event(named("issues", **{"Content-Type": "application/x-www-form-urlencoded"}), form)

    assert seen.issues == ("5",)


def test_a_ping_is_known_and_an_unheard_of_event_is_not() -> None:
    assert event(named("ping"), b'{"zen": "Keep it logically awesome.", "hook_id": 1}').is_known
    unknown = event(named("issue_telepathy"), body(action="sensed"))
    assert not unknown.is_known
    assert not unknown.is_handled


@pytest.mark.parametrize("raw", [b"not json", b"[]", b'{"action": "opened"}'], ids=["text", "list", "no issue"])
def test_what_lacks_its_parts_is_unreadable(raw: bytes) -> None:
    with pytest.raises(WebhookUnreadable):
        event(named("issues"), raw)


def test_a_delivery_without_its_headers_is_unreadable() -> None:
    with pytest.raises(WebhookUnreadable, match="X-GitHub-Delivery"):
        event({"X-GitHub-Event": "issues"}, body(action="opened", issue={"id": 1}))
