"""Linear's webhooks: genuine, fresh, and about which issue."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from backlint.connectors.linear.webhook import event, verify
from backlint.connectors.sandbox.linear_webhooks import linear_payload
from backlint.connectors.sandbox.webhooks import signed_headers
from backlint.connectors.sandbox.world import World
from backlint.connectors.webhook import WebhookRefused, WebhookUnreadable
from tests.connectors.linear.conftest import MIA, Linear

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = SecretStr("hook-secret")


def a_body(**given: Any) -> bytes:
    body = {"type": "Issue", "action": "update", "data": {"id": "i1", "team": {"id": "t", "key": "ENG"}},
            "actor": {"id": "mia", "type": "user"}, "webhookTimestamp": int(NOW.timestamp() * 1000)}  # fmt: skip
    return json.dumps({**body, **given}).encode()


def signed(raw: bytes, **more: str) -> dict[str, str]:
    proof = hmac.new(b"hook-secret", raw, hashlib.sha256).hexdigest()
    return {"linear-signature": proof, "linear-delivery": "d1", **more}


def test_a_genuine_fresh_delivery_passes() -> None:
    raw = a_body()

    verify(raw, signed(raw), SECRET, NOW + timedelta(seconds=59))


@pytest.mark.parametrize("headers", [{}, {"linear-signature": ""}, {"Linear-Signature": "00" * 32}])
def test_a_wrong_or_missing_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused, match="signature"):
        verify(a_body(), headers, SECRET, NOW)


def test_the_signature_covers_the_raw_bytes() -> None:
    raw = a_body()

    with pytest.raises(WebhookRefused, match="signature"):
        verify(raw.replace(b": ", b":"), signed(raw), SECRET, NOW)


@pytest.mark.parametrize("off", [timedelta(seconds=61), timedelta(seconds=-61), timedelta(hours=6)])
def test_an_old_or_future_delivery_is_refused(off: timedelta) -> None:
    raw = a_body()

    with pytest.raises(WebhookRefused, match="s ago"):
        verify(raw, signed(raw), SECRET, NOW + off)


def test_the_signed_time_stamp_counts_before_the_header() -> None:
    raw = a_body()
    later = NOW + timedelta(hours=1)

    with pytest.raises(WebhookRefused):
        verify(raw, signed(raw, **{"linear-timestamp": str(int(later.timestamp() * 1000))}), SECRET, later)


def test_a_delivery_without_any_time_is_refused() -> None:
    raw = a_body(webhookTimestamp=None)

    with pytest.raises(WebhookRefused, match="time stamp"):
        verify(raw, signed(raw), SECRET, NOW)


def test_older_time_stamps_in_iso_text_are_read() -> None:
    raw = a_body(webhookTimestamp="2026-03-02T09:00:00.000Z")

    verify(raw, signed(raw), SECRET, NOW)


@pytest.mark.parametrize(
    ("given", "issues", "is_handled", "is_known"),
    [
        ({}, ("i1",), True, True),
        ({"action": "remove"}, ("i1",), True, True),
        ({"type": "Comment", "data": {"id": "c", "issueId": "i2"}}, ("i2",), True, True),
        ({"type": "Comment", "data": {"id": "c", "issue": {"id": "i3"}}}, ("i3",), True, True),
        ({"type": "Attachment", "data": {"id": "a", "issueId": "i4"}}, ("i4",), True, True),
        ({"type": "Reaction", "data": {"id": "r"}}, (), False, True),
        ({"type": "Cycle", "data": {"id": "y"}}, (), False, True),
        ({"type": "Telepathy", "data": {"id": "z"}}, (), False, False),
    ],
)
def test_an_event_names_the_issues_it_touches(
    given: dict[str, Any], issues: tuple[str, ...], is_handled: bool, is_known: bool
) -> None:
    found = event(signed(b""), a_body(**given))

    assert (found.issues, found.is_handled, found.is_known) == (issues, is_handled, is_known)


def test_an_event_tells_delivery_kind_actor_and_team() -> None:
    found = event(signed(b""), a_body())

    assert (found.delivery_id, found.kind, found.actor, found.scope) == ("d1", "Issue.update", "mia", "ENG")


def test_a_payload_without_an_actor_knows_the_author_of_a_creation() -> None:
    created = a_body(action="create", actor=None, data={"id": "i1", "creatorId": "ada"})
    updated = a_body(action="update", actor=None, data={"id": "i1", "creatorId": "ada"})

    assert (event(signed(b""), created).actor, event(signed(b""), updated).actor) == ("ada", None)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"type": "Issue"}'])
def test_a_body_of_another_shape_is_unreadable_and_says_why(raw: bytes) -> None:
    with pytest.raises(WebhookUnreadable, match="Linear webhook"):
        event(signed(b""), raw)


def test_without_a_delivery_id_nothing_can_be_deduplicated() -> None:
    with pytest.raises(WebhookUnreadable, match="Linear-Delivery"):
        event({}, a_body())


def test_what_the_sandbox_sends_is_verified_and_understood(linear: Linear, world: World) -> None:
    issue = linear.add()
    sent: list[tuple[dict[str, str], bytes]] = []

    def listen(*change: Any) -> None:
        made = linear_payload(world)(*change)
        assert made is not None
        headers = signed_headers("linear", made[1], secret="hook-secret", delivery="d", now=world.clock())
        sent.append(({**made[0], **headers}, made[1]))

    world.listeners.append(listen)
    world.change(issue, "title", "New", actor=MIA)
    world.add_comment(issue, "Hello", actor=MIA)
    world.archive_issue(issue, actor=None)
    world.delete_issue(issue, actor=MIA)

    events = []
    for headers, raw in sent:
        verify(raw, headers, SECRET, datetime.now(UTC))
        events.append(event(headers, raw))
    assert [each.kind for each in events] == ["Issue.update", "Comment.create", "Issue.update", "Issue.remove"]
    assert {each.issues for each in events} == {(issue.id,)}
    assert [each.actor for each in events] == [MIA, MIA, None, MIA]
