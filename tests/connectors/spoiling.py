"""A sandbox tracker whose answers are changed on their way out, as a test likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Exchange:
    """What was asked and what the tracker would answer."""

    path: str
    asked: bytes
    status: int
    answer: bytes
    kind: str = "application/json"

    def with_answer(self, answer: bytes, *, status: int | None = None, kind: str = "application/json") -> Exchange:
        return Exchange(self.path, self.asked, status or self.status, answer, kind)


class Spoiled:
    """The app behind `spoil`, which gives each exchange as it shall be."""

    def __init__(self, app: ASGIApp, spoil: Callable[[Exchange], Exchange] = lambda exchange: exchange) -> None:
        self.app, self.spoil = app, spoil
        self.state = getattr(app, "state", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = bytearray()
        start: list[Message] = []
        answer = bytearray()

        async def listening() -> Any:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
            else:
                answer.extend(message.get("body", b""))

        await self.app(scope, listening, keep)
        given = Exchange(scope["path"], bytes(asked), start[0]["status"], bytes(answer))
        changed = self.spoil(given)
        headers = start[0]["headers"]
        if changed is not given:
            headers = [pair for pair in headers if pair[0].lower() not in (b"content-length", b"content-type")]
            length = str(len(changed.answer)).encode()
            headers += [(b"content-length", length), (b"content-type", changed.kind.encode())]
        await send({**start[0], "status": changed.status, "headers": headers})
        await send({"type": "http.response.body", "body": changed.answer})
