"""A server that answers from memory: what a sandbox tracker said once it says again, after a fixed time.

For measurements only. A sandbox works out every answer, which takes longer than a client needs to read it; here the
client is what is measured. A request that was not seen before is passed on to the sandbox and its answer kept.
`/_recorded` lists the requests in the order of their first arrival, `/_latency` sets the seconds that each one takes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from typing import Any

import httpx

KEPT_HEADERS = ("content-type", "etag", "link", "location", "x-ratelimit-limit", "x-ratelimit-remaining")
CONTROL = b"/_"


class Answers:
    """Requests and their answers as they go over the wire."""

    def __init__(self, tracker: str) -> None:
        self.tracker = tracker.rstrip("/")
        self.latency = 0.0
        self.kept: dict[bytes, bytes] = {}
        self.client = httpx.AsyncClient(timeout=300, limits=httpx.Limits(max_connections=4))

    async def to(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        if target.startswith("/_recorded"):
            return _answer(200, {"content-type": "application/json"}, self._recorded())
        if target.startswith("/_latency/"):
            self.latency = float(target.rpartition("/")[2])
            return _answer(200, {"content-type": "application/json"}, b"{}")
        key = b"\0".join((method.encode(), target.encode(), headers.get("if-none-match", "").encode(), body))
        if key not in self.kept:
            given = {name: value for name, value in headers.items() if name not in ("host", "content-length")}
            given["accept-encoding"] = "identity"
            try:
                said = await self.client.request(method, self.tracker + target, headers=given, content=body)
            except httpx.TransportError as error:
                return _answer(502, {"content-type": "text/plain"}, f"never asked before: {error}".encode())
            kept = {name: said.headers[name] for name in KEPT_HEADERS if name in said.headers}
            self.kept[key] = _answer(said.status_code, kept, said.content)
        return self.kept[key]

    def _recorded(self) -> bytes:
        rows = []
        for key in self.kept:
            method, target, _, body = key.split(b"\0", 3)
            rows.append([method.decode(), target.decode(), base64.b64encode(body).decode()])
        return json.dumps(rows).encode()


def _answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Connection(asyncio.Protocol):
    """One connection; one request after the other, as the client does it."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.buffer = answers, b""
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, target, _ = first.split(" ", 2)
        task = asyncio.get_running_loop().create_task(self.reply(method, target, headers, rest[:length]))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def reply(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        if self.answers.latency and not target.startswith("/_"):
            await asyncio.sleep(self.answers.latency)
        answer = await self.answers.to(method, target, headers, body)
        if not self.transport.is_closing():
            self.transport.write(answer)


async def serve(tracker: str) -> None:
    answers = Answers(tracker)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
