"""Jira's webhooks: who may speak, and which issue it is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from backlint.connectors.jira.webhook import LEEWAY, event, verify, verify_app
from backlint.connectors.sandbox.jira_webhooks import jira_payload
from backlint.connectors.sandbox.webhooks import signed_headers
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue
from backlint.connectors.webhook import WebhookEvent, WebhookRefused, WebhookUnreadable
from tests.connectors.jira.conftest import a_world

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = SecretStr("It's a Secret to Everybody")
SIGNATURE = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"  # of "Hello World!"


def test_the_documented_example_is_genuine_whatever_the_case_of_the_header() -> None:
    for name in ("X-Hub-Signature", "x-hub-signature"):
        verify(b"Hello World!", {name: SIGNATURE}, SECRET, NOW)


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b"Hello World?", SIGNATURE),
        (b"Hello World!", ""),
        (b"Hello World!", "sha256="),
        (b"Hello World!", SIGNATURE.removeprefix("sha256=")),
        (b"Hello World!", SIGNATURE.replace("sha256", "sha1")),
        (b"Hello World!", "sha256=é"),
    ],
)
def test_anything_else_is_refused(body: bytes, signature: str) -> None:
    with pytest.raises(WebhookRefused) as error:
        verify(body, {"X-Hub-Signature": signature} if signature else {}, SECRET, NOW)
    assert SECRET.get_secret_value() not in str(error.value)


CLIENT_SECRET = SecretStr("the client secret of an app, which is as long as such secrets are in life")


def token(*, secret: str = CLIENT_SECRET.get_secret_value(), algorithm: str = "HS256", **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {jwt.encode(claims, secret, algorithm=algorithm)}"}


def test_an_app_s_webhook_is_proven_by_its_token() -> None:
    for claims in ({"exp": NOW.timestamp() + 60}, {"iat": NOW.timestamp() - 60}, {"exp": NOW.timestamp() - 60}):
        verify_app(b"{}", token(**claims), CLIENT_SECRET, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a.b.c"},
        {"X-Hub-Signature": SIGNATURE},
        token(exp=NOW.timestamp() - LEEWAY.total_seconds() - 1),
        token(sub="no time at all"),
        token(exp="soon"),
        token(
            exp=NOW.timestamp() + 60, secret="another client secret, which is as long as the right one is in this test"
        ),
        token(exp=NOW.timestamp() + 60, algorithm="HS512"),
        token(exp=NOW.timestamp() + 60, algorithm="none", secret=""),
    ],
)
def test_an_app_s_webhook_with_any_other_token_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused) as error:
        verify_app(b"{}", headers, CLIENT_SECRET, NOW)
    assert CLIENT_SECRET.get_secret_value() not in str(error.value)


def an_event(body: dict[str, Any], **headers: str) -> WebhookEvent:
    return event({name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def test_an_issue_event_names_issue_actor_and_scope() -> None:
    seen = an_event(
        {
            "timestamp": 1, "webhookEvent": "jira:issue_updated", "user": {"accountId": "5b10:ann"},
            "issue": {"id": "10001", "key": "EX-1", "fields": {"project": {"id": "1", "key": "EX"}}},
        },
        X_Atlassian_Webhook_Identifier="abc",
    )  # fmt: skip

    assert seen == WebhookEvent(
        delivery_id="abc", kind="jira:issue_updated", issues=("10001",), actor="5b10:ann", scope="EX"
    )


def test_a_comment_event_of_data_center_names_its_issue_by_address_only() -> None:
    seen = an_event(
        {
            "timestamp": 1, "webhookEvent": "comment_created",
            "comment": {
                "self": "https://jira.example.test/jira/rest/api/2/issue/10013/comment/10082", "id": "10082",
                "author": {"key": "JIRAUSER1", "name": "ann"}, "updateAuthor": {"key": "JIRAUSER2", "name": "ben"},
            },
        }
    )  # fmt: skip

    assert (seen.issues, seen.actor, seen.is_handled) == (("10013",), "JIRAUSER2", True)


def test_a_link_touches_both_issues() -> None:
    body = {"webhookEvent": "issuelink_created", "issueLink": {"sourceIssueId": 1, "destinationIssueId": 2}}

    assert an_event(body).issues == ("1", "2")


def test_properties_are_written_by_programs_and_do_not_count() -> None:
    seen = an_event({"webhookEvent": "issue_property_set", "issue": {"id": "1"}})

    assert (seen.is_handled, seen.is_known, seen.issues) == (False, True, ())


def test_an_unlisted_event_is_told_apart_from_an_ignored_one() -> None:
    assert an_event({"webhookEvent": "sprint_started"}).is_known
    assert not an_event({"webhookEvent": "moon_landed"}).is_known


def test_without_an_identifier_a_repeat_is_still_known_by_its_content() -> None:
    body = {"timestamp": 5, "webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, "changelog": {"id": 7}}

    assert an_event(body).delivery_id == an_event(body).delivery_id
    assert an_event(body).delivery_id != an_event({**body, "changelog": {"id": 8}}).delivery_id
    assert an_event(body).delivery_id != an_event({**body, "timestamp": 6}).delivery_id


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"webhookEvent": 1}', b"<html>"])
def test_what_is_no_event_is_unreadable(raw: bytes) -> None:
    with pytest.raises(WebhookUnreadable):
        event({}, raw)


@pytest.mark.parametrize("is_cloud", [True, False])
def test_what_the_sandbox_sends_is_understood(is_cloud: bool) -> None:
    world = a_world(3)
    made: list[WebhookEvent] = []
    payload = jira_payload(world, is_cloud=is_cloud)

    def listen(kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None) -> None:
        delivery = payload(kind, issue, what, actor)
        if delivery is not None:
            headers = signed_headers("jira", delivery[1], secret="s3cret", delivery=str(len(made)), now=NOW)
            verify(delivery[1], headers, SecretStr("s3cret"), NOW)
            made.append(event(headers, delivery[1]))

    world.listeners.append(listen)
    _play(world)

    assert [seen.kind for seen in made] == [
        "jira:issue_updated", "comment_created", "comment_updated", "comment_deleted", "jira:issue_deleted",
    ]  # fmt: skip
    assert {seen.issues for seen in made} == {("1001",)}
    assert made[0].actor == "p-ann"


def _play(world: World) -> None:
    issue = world.issues["1001"]
    world.change(issue, "labels", ["a"], actor="p-ann")
    comment = world.add_comment(issue, "Text", actor="p-ann")
    world.edit_comment(issue, comment, "More", actor="p-ann")
    world.delete_comment(issue, comment.id, actor="p-ann")
    world.archive_issue(issue, actor="p-ann")
    world.delete_issue(issue, actor="p-ann")
