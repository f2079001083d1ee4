"""What goes wrong between us and a tracker, on purpose: the faults that tests and the demo switch on at run time."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What can happen to one request. The first three never reach the tracker's app; the last three do, and it acts on them.
SERVER_ERROR = "server_error"
HTML = "html"
OFFLINE = "offline"
RATE_LIMIT = "rate_limit"
LOST_ANSWER = "lost_answer"
TRUNCATED = "truncated"
BROKEN_JSON = "broken_json"
KINDS = (SERVER_ERROR, HTML, OFFLINE, RATE_LIMIT, LOST_ANSWER, TRUNCATED, BROKEN_JSON)

# POST routes that only read, as far as a path can tell; anything else that is posted counts as a write.
READING_POSTS = ("search", "bulkfetch", "/jql/", "approximate-count", "/graphql")

Limited = Callable[[datetime, int], Response]  # (reset_at, retry_after in seconds) -> the tracker's own refusal
RateHeaders = Callable[[int, int, datetime], Mapping[str, str]]  # (limit, remaining, reset_at) -> the tracker's headers


@dataclass
class Planned:
    """The next `left` matching requests fail in one way."""

    kind: str
    left: int
    only_writes: bool = False
    path: str = ""

    def matches(self, path: str, is_write: bool) -> bool:
        return (is_write or not self.only_writes) and self.path in path


@dataclass
class Faults:
    """The present weather between client and tracker; change any attribute while the server runs.

    Shares are of requests, 0 to 1, drawn from a random source of its own, so that a seed repeats a run. `rate_limit`
    is requests per `rate_window` seconds. A tracker's app names its own refusal and headers as `app.state.limited` and
    `app.state.rate_headers`; `limited` here overrides it.
    """

    latency: float = 0.0
    latency_jitter: float = 0.0
    server_error_share: float = 0.0
    lost_answer_share: float = 0.0
    truncated_share: float = 0.0
    broken_json_share: float = 0.0
    html_share: float = 0.0
    rate_limit: int | None = None
    rate_window: float = 60.0
    offline: bool = False
    only_writes: bool = False
    only_reads: bool = False
    seed: int = 0
    limited: Limited | None = field(default=None, repr=False)

    requests: Counter[str] = field(default_factory=Counter, init=False)  # by path
    injected: Counter[str] = field(default_factory=Counter, init=False)  # by kind
    writes: int = field(default=0, init=False)
    max_concurrency: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = Lock()
        self._planned: deque[Planned] = deque()
        self._running = 0
        self._window_ends = 0.0
        self._used = 0

    # -- for tests and the control endpoint ------------------------------------------------------------------------

    def fail_next(self, n: int, kind: str, *, only_writes: bool = False, path: str = "") -> None:
        """Let the next `n` requests (whose path contains `path`) fail as `kind`; others pass meanwhile."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        with self._lock:
            self._planned.append(Planned(kind, n, only_writes, path))

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Set several attributes; ValueError for one that does not exist or has a value of another type."""
        known = {each.name for each in fields(self) if each.init and each.name != "limited"}
        if unknown := sorted(set(wanted) - known):
            raise ValueError(f"no setting {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        for name, value in wanted.items():
            if not _is_alike(value, getattr(self, name)) and (name, value) != ("rate_limit", None):
                raise ValueError(f"{name} = {value!r}: expected a value like {getattr(self, name)!r}")
        for name, value in wanted.items():
            setattr(self, name, value)
        if "seed" in wanted:
            self._random = random.Random(self.seed)

    def calm(self) -> None:
        """Back to fair weather; the counters stay."""
        with self._lock:
            self._planned.clear()
        for each in fields(self):
            if each.init and each.name not in ("seed", "limited"):
                setattr(self, each.name, each.default)

    def reset_counters(self) -> None:
        with self._lock:
            self.requests.clear()
            self.injected.clear()
            self.writes = self.max_concurrency = 0

    @property
    def total(self) -> int:
        with self._lock:
            return sum(self.requests.values())

    def seen(self) -> dict[str, Any]:
        """The counters, as the control endpoint shows them."""
        with self._lock:
            return {
                "requests": dict(self.requests),
                "injected": dict(self.injected),
                "writes": self.writes,
                "max_concurrency": self.max_concurrency,
            }

    # -- for the injector ------------------------------------------------------------------------------------------

    def enter(self, path: str, is_write: bool) -> tuple[str | None, float]:
        """Count a request; what shall happen to it and how long that takes."""
        with self._lock:
            self._running += 1
            self.max_concurrency = max(self.max_concurrency, self._running)
            self.requests[path] += 1
            self.writes += is_write
            kind = self._decide(path, is_write)
            if kind is not None:
                self.injected[kind] += 1
            return kind, max(0.0, self.latency + self.latency_jitter * self._random.random())

    def leave(self) -> None:
        with self._lock:
            self._running -= 1

    def budget(self) -> tuple[int, int, datetime]:
        """Limit, what is left of it, and when it is full again."""
        with self._lock:
            limit = self.rate_limit or 0
            remaining_seconds = max(0.0, self._window_ends - time.monotonic())
            return limit, max(0, limit - self._used), datetime.now(UTC) + timedelta(seconds=remaining_seconds)

    def error_status(self) -> int:
        with self._lock:
            return self._random.choice((500, 502, 503, 504))

    def _decide(self, path: str, is_write: bool) -> str | None:
        planned = next((each for each in self._planned if each.left > 0 and each.matches(path, is_write)), None)
        if planned is not None:
            planned.left -= 1
            return planned.kind
        if self.offline:
            return OFFLINE
        if self._is_over_the_limit():
            return RATE_LIMIT
        if (self.only_writes and not is_write) or (self.only_reads and is_write):
            return None
        return self._drawn()

    def _drawn(self) -> str | None:
        shares = (
            (SERVER_ERROR, self.server_error_share),
            (LOST_ANSWER, self.lost_answer_share),
            (TRUNCATED, self.truncated_share),
            (BROKEN_JSON, self.broken_json_share),
            (HTML, self.html_share),
        )
        if not any(share for _, share in shares):
            return None
        drawn = self._random.random()
        for kind, share in shares:
            if drawn < share:
                return kind
            drawn -= share
        return None

    def _is_over_the_limit(self) -> bool:
        if self.rate_limit is None:
            return False
        now = time.monotonic()
        if now >= self._window_ends:
            self._window_ends, self._used = now + self.rate_window, 0
        if self._used >= self.rate_limit:
            return True
        self._used += 1
        return False


def _is_alike(value: Any, present: Any) -> bool:
    """Both switches, or both numbers; no number so far means that one may come."""
    if isinstance(present, bool) or isinstance(value, bool):
        return isinstance(present, bool) and isinstance(value, bool)
    return isinstance(value, (int, float))


def is_write(method: str, path: str, body: bytes) -> bool:
    """Whether a request changes something: by method, and for POST by route; GraphQL by the word mutation."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    if path.endswith("graphql"):
        return _is_mutation(body)
    return not (method == "POST" and any(part in path for part in READING_POSTS))


def _is_mutation(body: bytes) -> bool:
    try:
        query = json.loads(body).get("query", "")
    except (ValueError, AttributeError):
        return False
    return any(line.lstrip().startswith("mutation") for line in str(query).splitlines())


class FaultInjector:
    """ASGI middleware around a tracker's app. Needs the connection in the scope (`server.serve` puts it there)."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults
        self.state = getattr(app, "state", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await _whole_body(receive) if scope["method"] == "POST" else None
        kind, delay = self.faults.enter(scope["path"], is_write(scope["method"], scope["path"], body or b""))
        try:
            if delay:
                await asyncio.sleep(delay)
            await self._let_happen(kind, scope, receive if body is None else _replayed(body, receive), send)
        except ClientDisconnect:
            pass  # whoever asked was killed: nobody waits for an answer
        finally:
            self.faults.leave()

    async def _let_happen(self, kind: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        match kind:
            case None:
                await self.app(scope, receive, self._with_rate_headers(send))
            case "server_error":
                status = self.faults.error_status()
                await HTMLResponse(f"<html><h1>{status}</h1></html>", status)(scope, receive, send)
            case "html":
                await HTMLResponse("<!doctype html><html><title>Log in</title></html>")(scope, receive, send)
            case "rate_limit":
                await self._refusal()(scope, receive, send)
            case "offline":
                await drop(scope, receive)
            case _:
                await self._spoil(kind, scope, receive, send)

    def _refusal(self) -> Response:
        _, _, reset_at = self.faults.budget()
        retry_after = max(1, round((reset_at - datetime.now(UTC)).total_seconds() + 0.5))
        limited: Limited | None = self.faults.limited or getattr(self.state, "limited", None)
        if limited is not None:
            return limited(reset_at, retry_after)
        return PlainTextResponse("Too many requests", 429, headers={"Retry-After": str(retry_after)})

    def _with_rate_headers(self, send: Send) -> Send:
        named: RateHeaders | None = getattr(self.state, "rate_headers", None)
        if named is None or self.faults.rate_limit is None:
            return send
        added = [(name.lower().encode(), value.encode()) for name, value in named(*self.faults.budget()).items()]
        replaced = {name for name, _ in added}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] not in replaced]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        return send_with_headers

    async def _spoil(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The tracker does what was asked; its answer does not arrive whole."""
        start, body = await _answer(self.app, scope, receive)
        if kind == LOST_ANSWER or len(body) < 2:
            await drop(scope, receive)
            return
        half = body[: len(body) // 2]
        if kind == BROKEN_JSON:
            headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(half)).encode())]})
            await send({"type": "http.response.body", "body": half})
            return
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await drop(scope, receive, flush=True)


async def drop(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Cut the connection; returns when the server has noticed, so that it sends nothing of its own."""
    transport: asyncio.Transport = scope["extensions"]["connection"]["transport"]
    transport.close() if flush else transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """What the app answers, without sending it."""
    start: list[Message] = []
    body: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append({**message, "headers": list(message.get("headers", ()))})
        else:
            body.append(message.get("body", b""))

    await app(scope, receive, keep)
    return start[0], b"".join(body)
