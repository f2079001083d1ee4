"""Signed deliveries, with the trackers' published test vectors, and a sender that behaves as badly as the real ones."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.webhooks import WebhookSender, hmac_sha256, plain_payload, signed_headers
from backlint.connectors.sandbox.world import World

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECRET = "It's a Secret to Everybody"


class Receiver:
    """Keeps what arrives; answers with the statuses of `answers`, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.app = Starlette(routes=[Route("/hook", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.got.append((dict(request.headers), body))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    def fields(self) -> list[Any]:
        return [json.loads(body)["field"] for _, body in self.got]


@pytest.fixture
def world() -> World:
    return generate("jira", seed=2, size=60, now=NOW)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def server(receiver: Receiver) -> Iterator[Running]:
    with serve(receiver.app) as running:
        yield running


def sender(world: World, server: Running, tracker: str = "jira", **more: Any) -> WebhookSender:
    return WebhookSender(world, server.url + "/hook", tracker, plain_payload, SECRET, **more)


def change(world: World, times: int = 1) -> None:
    issue = next(iter(world.issues.values()))
    for number in range(times):
        world.change(issue, "title", f"Title {number}", actor=issue.reporter)


# -- signatures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # GitHub, "Validating webhook deliveries"
        (b"Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
        # Jira Cloud, "Webhooks", secure your webhooks
        (b"Hello World!", "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"),
    ],
)
def test_the_published_vectors_come_out(body: bytes, expected: str) -> None:
    assert hmac_sha256(SECRET, body) == expected


def test_each_tracker_puts_proof_and_number_where_it_does() -> None:
    body = b"Hello, World!"
    proof = hmac_sha256(SECRET, body)

    jira, linear, github = (
        signed_headers(tracker, body, secret=SECRET, delivery="d-1", now=NOW)
        for tracker in ("jira", "linear", "github")
    )

    assert jira["X-Hub-Signature"] == f"sha256={proof}"
    assert jira["X-Atlassian-Webhook-Identifier"] == "d-1"
    assert linear == {"Linear-Signature": proof, "Linear-Delivery": "d-1", "Linear-Timestamp": "1773144000000"}
    assert github["X-Hub-Signature-256"] == f"sha256={proof}"
    assert github["X-GitHub-Delivery"] == "d-1"


def test_without_a_secret_nothing_is_signed() -> None:
    for tracker in ("jira", "github"):
        headers = signed_headers(tracker, b"{}", secret=None, delivery="d", now=NOW)
        assert not any("signature" in name.lower() for name in headers)


def test_an_unknown_tracker_has_no_webhooks() -> None:
    with pytest.raises(ValueError, match="trello"):
        signed_headers("trello", b"", secret=None, delivery="d", now=NOW)


# -- sending -----------------------------------------------------------------------------------------------------------


def test_a_change_arrives_signed(world: World, server: Running, receiver: Receiver) -> None:
    with sender(world, server) as hook:
        change(world)
        assert hook.drain()

    headers, body = receiver.got[0]
    assert json.loads(body)["field"] == "title"
    assert headers["x-hub-signature"] == f"sha256={hmac_sha256(SECRET, body)}"
    assert headers["content-type"] == "application/json"
    assert (hook.sent, hook.failed, hook.lost) == (1, 0, 0)


def test_what_the_tracker_does_not_send_is_not_sent(world: World, server: Running, receiver: Receiver) -> None:
    hook = WebhookSender(world, server.url + "/hook", "jira", lambda *_what: None)
    with hook:
        change(world)
        assert hook.drain()

    assert receiver.got == []


def test_duplicates_carry_the_same_id(world: World, server: Running, receiver: Receiver) -> None:
    with sender(world, server, duplicate_share=1.0) as hook:
        change(world, 3)
        assert hook.drain()

    ids = Counter(headers["x-atlassian-webhook-identifier"] for headers, _ in receiver.got)
    assert sorted(ids.values()) == [2, 2, 2]


def test_shuffled_deliveries_all_arrive_in_another_order(world: World, server: Running, receiver: Receiver) -> None:
    issues = list(world.issues.values())[:12]
    with sender(world, server, shuffle=12, seed=1) as hook:
        for issue in issues:
            world.change(issue, "title", "Shuffled", actor=issue.reporter)
        assert hook.drain()

    arrived = [json.loads(body)["issue"] for _, body in receiver.got]
    assert sorted(arrived) == sorted(issue.id for issue in issues)
    assert arrived != [issue.id for issue in issues]


@pytest.mark.parametrize(("tracker", "arrivals"), [("jira", 3), ("linear", 3), ("github", 1)])
def test_a_failed_delivery_is_repeated_except_by_github(
    world: World, server: Running, receiver: Receiver, tracker: str, arrivals: int
) -> None:
    receiver.answers = [503, 503]
    with sender(world, server, tracker, retry_pause=0.0) as hook:
        change(world)
        assert hook.drain()

    assert len(receiver.got) == arrivals
    assert (hook.sent, hook.failed) == ((0, 1) if tracker == "github" else (1, 0))


def test_a_repeat_of_jira_keeps_its_id_and_counts(world: World, server: Running, receiver: Receiver) -> None:
    receiver.answers = [503]
    with sender(world, server, retry_pause=0.0) as hook:
        change(world)
        assert hook.drain()

    first, again = (headers for headers, _ in receiver.got)
    assert first["x-atlassian-webhook-identifier"] == again["x-atlassian-webhook-identifier"]
    assert again["x-atlassian-webhook-retry"] == "1"


def test_a_refusal_is_final(world: World, server: Running, receiver: Receiver) -> None:
    receiver.answers = [401]
    with sender(world, server) as hook:
        change(world)
        assert hook.drain()

    assert (len(receiver.got), hook.failed) == (1, 1)


def test_a_full_queue_loses_deliveries_and_says_so(world: World, server: Running) -> None:
    hook = sender(world, server, capacity=2)
    world.listeners.append(hook.offer)  # listening, not yet sending
    change(world, 5)

    assert hook.lost == 3
    world.listeners.clear()


def test_stopping_ends_the_thread_and_the_listening(world: World, server: Running, receiver: Receiver) -> None:
    before = set(threading.enumerate())
    hook = sender(world, server).start()
    change(world)
    hook.stop()
    hook.stop()
    change(world, 2)

    assert set(threading.enumerate()) == before
    assert receiver.fields() == ["title"]
    assert world.listeners == []


def test_an_unreachable_receiver_is_counted(world: World) -> None:
    hook = WebhookSender(world, "http://127.0.0.1:9/hook", "github", plain_payload, SECRET)
    with hook:
        change(world)
        assert hook.drain()

    assert (hook.sent, hook.failed) == (0, 1)
