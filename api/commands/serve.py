"""`backlint serve`: webhooks, API, schedule and worker in one process."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from backlint.api.commands.worker import leave, log_lines
from backlint.api.console import Console
from backlint.api.service import Service, make_app
from backlint.api.workplace import connected, now, open_workplace
from backlint.errors import ConfigurationError
from backlint.settings import Settings, secret
from backlint.sync.inbox import Inbox
from backlint.sync.worker import Worker

SWITCH = 0.001  # seconds: with Python's 5 ms a busy worker would keep each webhook waiting for several turns
PATIENCE = 20.0  # seconds for running work to end; orchestrators commonly give 30


class _Server(uvicorn.Server):
    """Leaves signals to us: what runs beside it has to end in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(console: Console, *, config: Path | None, host: str | None, port: int | None, with_worker: bool) -> int:
    log_lines()
    sys.setswitchinterval(SWITCH)
    with open_workplace(config) as place, connected(place.settings) as connectors:
        settings = place.settings
        listening = _listen(host or settings.service.host, settings.service.port if port is None else port)
        worker = Worker(place.engine, settings, connectors, clock=now) if with_worker else None
        inbox = Inbox(
            place.engine,
            max_waiting=settings.service.max_waiting,
            on_kept=worker.wake if worker else lambda: None,
        )
        service = Service(settings, place.engine, inbox, now, worker, _token(settings))
        server = _Server(_configuration(service))
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda _signal, _frame: setattr(server, "should_exit", True))
        inbox.open()
        if worker is not None:
            worker.open()
        address, bound = listening.getsockname()[:2]
        console.say(f"Listening on http://{address}:{bound}; webhooks go to /webhooks/SOURCE. Stop with Ctrl+C.")
        server.run(sockets=[listening])
        inbox.close()
        is_over = worker.close(patience=PATIENCE) if worker is not None else True
    console.say("Stopped." if is_over else "Stopped; unfinished work is taken up at the next start.")
    return leave(is_over)


def _configuration(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(service),
        loop="asyncio",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _token(settings: Settings) -> SecretStr | None:
    name = settings.service.api_token_env
    return secret(name, purpose="token of the API") if name else None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it each answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): set service.host and service.port, or use --port"
        ) from None
    listening.listen(1024)
    return listening
