"""Sends what happens in a world to a webhook address, signed as each tracker signs, from a thread of its own.

What a delivery contains a tracker's own sandbox says (`Payload`); how it is signed, numbered, repeated and disordered
is said here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import httpx
import jwt

from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldHook, WorldIssue

STOP_TIMEOUT = 10.0
SEND_TIMEOUT = 10.0
# GitHub does not repeat a failed delivery; Jira and Linear do (after minutes and hours, which no test waits for).
RETRIES = {"jira": 5, "linear": 3, "github": 0}


class Payload(Protocol):
    """Headers and raw body of the delivery for a change, or None where the tracker sends none."""

    def __call__(
        self, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
    ) -> tuple[Mapping[str, str], bytes] | None: ...


def hmac_sha256(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_headers(
    tracker: str,
    body: bytes,
    *,
    secret: str | None,
    delivery: str,
    now: datetime,
    attempt: int = 0,
    is_app: bool = False,
) -> dict[str, str]:
    """The headers that prove and number a delivery. Without a secret Jira and GitHub sign nothing.

    `is_app`: as Jira proves the webhooks of an OAuth app, by a token that is signed with the client secret.
    """
    match tracker:
        case "jira":
            headers = {"X-Atlassian-Webhook-Identifier": delivery, "X-Atlassian-Webhook-Flow": "Primary"}
            if attempt:
                headers["X-Atlassian-Webhook-Retry"] = str(attempt)
            if is_app:
                claims = {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 180}
                return headers | {"Authorization": f"Bearer {jwt.encode(claims, secret or '', algorithm='HS256')}"}
            return headers | ({"X-Hub-Signature": f"sha256={hmac_sha256(secret, body)}"} if secret else {})
        case "linear":
            return {
                "Linear-Signature": hmac_sha256(secret or "", body),
                "Linear-Delivery": delivery,
                "Linear-Timestamp": str(int(now.timestamp() * 1000)),
            }
        case "github":
            headers = {"X-GitHub-Delivery": delivery, "User-Agent": "GitHub-Hookshot/sandbox"}
            return headers | ({"X-Hub-Signature-256": f"sha256={hmac_sha256(secret, body)}"} if secret else {})
        case _:
            raise ValueError(f"no webhooks are known for {tracker!r}")


@dataclass(frozen=True)
class Delivery:
    """One delivery; a repeat carries the same id."""

    id: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WebhookSender:
    """Listens to a world from `start()` (or the `with` block) to `stop()`.

    `duplicate_share` of the deliveries are sent twice; `shuffle` waits for up to so many and sends them in any order.
    At most `capacity` wait; what does not fit is lost and counted, as trackers lose deliveries.
    """

    world: World
    url: str
    tracker: str
    payload: Payload
    secret: str | None = None
    duplicate_share: float = 0.0
    shuffle: int = 1
    capacity: int = 1000
    retry_pause: float = 0.05
    retries: int | None = None  # instead of the tracker's own number
    seed: int = 0
    on_answer: Callable[[int], None] = lambda _status: None
    is_app: bool = False

    sent: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._waiting: deque[Delivery] = deque()
        self._under_way = 0
        self._is_stopping = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, *, is_listening: bool = True) -> WebhookSender:
        """`is_listening` False: it sends only what `offer` gives it."""
        self._thread = threading.Thread(target=self._run, name=f"webhooks-{self.tracker}", daemon=True)
        self._thread.start()
        if is_listening:
            self.world.listeners.append(self.offer)
        return self

    def stop(self) -> None:
        """Stop listening, send what waits (each once), and end the thread. Stopping twice is no error."""
        if self.offer in self.world.listeners:
            self.world.listeners.remove(self.offer)
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT)
            self._thread = None

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until nothing waits and nothing is under way; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._under_way, timeout)

    def __enter__(self) -> WebhookSender:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    # -- the world's side ----------------------------------------------------------------------------------------------

    def offer(self, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None) -> None:
        made = self.payload(kind, issue, what, actor)
        if made is None:
            return
        headers, body = made
        with self._changed:
            delivery = Delivery(str(uuid.UUID(int=self._random.getrandbits(128), version=4)), dict(headers), body)
            copies = 2 if self._random.random() < self.duplicate_share else 1
            for _ in range(copies):
                if len(self._waiting) >= self.capacity:
                    self.lost += 1
                else:
                    self._waiting.append(delivery)
            self._changed.notify_all()

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with httpx.Client(timeout=SEND_TIMEOUT, headers={"Content-Type": "application/json"}) as client:
            while batch := self._next():
                for delivery in batch:
                    was_taken = self._send(client, delivery)
                    with self._changed:
                        self._under_way -= 1
                        self.sent += was_taken
                        self.failed += not was_taken
                        self._changed.notify_all()

    def _next(self) -> list[Delivery]:
        """What to send now; nothing means that it is over."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._is_stopping)
            if self.shuffle > 1:
                self._changed.wait_for(lambda: len(self._waiting) >= self.shuffle or self._is_stopping, 0.1)
            batch = [self._waiting.popleft() for _ in range(min(self.shuffle, len(self._waiting)))]
            self._under_way += len(batch)
        if self.shuffle > 1:
            self._random.shuffle(batch)
        return batch

    def _send(self, client: httpx.Client, delivery: Delivery) -> bool:
        """Whether the receiver took it; what it refuses for good (4xx) is not repeated."""
        for attempt in range(1 + (RETRIES[self.tracker] if self.retries is None else self.retries)):
            if attempt:
                time.sleep(self.retry_pause)
            if self._is_stopping and attempt:
                return False
            proof = signed_headers(
                self.tracker, delivery.body, secret=self.secret, delivery=delivery.id, now=self.world.clock(),
                attempt=attempt, is_app=self.is_app,
            )  # fmt: skip
            try:
                status = client.post(self.url, content=delivery.body, headers={**delivery.headers, **proof}).status_code
            except httpx.TransportError:
                continue
            self.on_answer(status)
            if status < 300:
                return True
            if status < 500 and status not in (408, 409, 425, 429):
                return False
        return False


class RegisteredHooks:
    """Sends what happens to every webhook that somebody registered with the tracker, as long as it is there."""

    def __init__(self, world: World, tracker: str, payload: Payload) -> None:
        self._world, self._tracker, self._payload = world, tracker, payload
        self._senders: dict[str, WebhookSender] = {}
        world.listeners.append(self._tell)

    def _tell(self, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None) -> None:
        for hook in list(self._world.hooks.values()):
            if hook.is_enabled and hook.covers in ("", issue.project) and _asks_for(hook, issue):
                self._sender(hook).offer(kind, issue, what, actor)

    def _sender(self, hook: WorldHook) -> WebhookSender:
        sender = self._senders.get(hook.id)
        if sender is None or (sender.url, sender.secret) != (hook.url, hook.secret):
            if sender is not None:
                sender.stop()

            def remember(status: int) -> None:
                hook.last_status = status

            sender = WebhookSender(
                self._world, hook.url, self._tracker, self._payload, hook.secret, on_answer=remember,
                is_app=hook.expires_at is not None,
            )  # fmt: skip
            self._senders[hook.id] = sender.start(is_listening=False)
        return sender

    def close(self) -> None:
        if self._tell in self._world.listeners:
            self._world.listeners.remove(self._tell)
        for sender in self._senders.values():
            sender.stop()


def _asks_for(hook: WorldHook, issue: WorldIssue) -> bool:
    """Whether a query over projects names the issue's."""
    return not hook.filter or f'"{issue.project}"' in hook.filter


def plain_payload(
    kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
) -> tuple[Mapping[str, str], bytes]:
    """What happened, in no tracker's words: for tests of the delivery itself."""
    field_name = what.field if isinstance(what, Event) else None
    return {}, json.dumps({"kind": kind, "issue": issue.id, "field": field_name, "actor": actor}).encode()
