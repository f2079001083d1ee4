"""Runs a sandbox tracker on loopback, in a thread of this process, with faults and a control endpoint beside it."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from backlint.connectors.sandbox.faults import FaultInjector, Faults

START_TIMEOUT = 10.0
STOP_TIMEOUT = 10.0


class _Connection(H11Protocol):
    """Shows the app its connection, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["connection"] = {"transport": transport}
            await app(scope, receive, send)

        self.app = with_connection


class _Server(uvicorn.Server):
    """Says when it listens, and when it gave up before."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()


@dataclass
class Running:
    """A server that runs until `stop()` or the end of the `with` block."""

    url: str
    _server: _Server
    _thread: threading.Thread

    def stop(self) -> None:
        """Close the port and every connection, and wait for the thread. Stopping twice is no error."""
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT)
        if self._thread.is_alive():
            raise RuntimeError(f"the sandbox at {self.url} did not stop within {STOP_TIMEOUT:.0f} s")

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(app: ASGIApp, *, faults: Faults | None = None, host: str = "127.0.0.1", port: int = 0) -> Running:
    """Serve `app` on a free port; returns once it accepts connections."""
    listening = _listen(host, port)
    bound_port = listening.getsockname()[1]
    config = uvicorn.Config(
        app if faults is None else FaultInjector(app, faults),
        http=_Connection,
        ws="none",
        loop="asyncio",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)

    def run() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            listening.close()
            server.settled.set()

    thread = threading.Thread(target=run, name=f"sandbox-{bound_port}", daemon=True)
    thread.start()
    if not server.settled.wait(START_TIMEOUT) or not server.started:
        server.should_exit = True
        raise RuntimeError(f"the sandbox did not start on {host}:{bound_port}")
    return Running(f"http://{host}:{bound_port}", server, thread)


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it each answer takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError:
        listening.close()
        raise
    return listening
