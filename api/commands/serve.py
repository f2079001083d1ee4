"""`backlint serve`: webhooks and API, and beside them a worker that runs as long as this does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn
from pydantic import SecretStr

from backlint.api.commands.worker import log_lines
from backlint.api.console import Console
from backlint.api.installation import connected, now, open_installation
from backlint.api.service import Service, make_app
from backlint.errors import ConfigurationError
from backlint.settings import Settings, secret
from backlint.sync.inbox import Inbox, open_box

log = structlog.get_logger(__name__)

PATIENCE = 25.0  # seconds for running work to end; orchestrators commonly give 30
RESTART_AFTER = 2.0  # seconds; doubled with each quick death
LONGEST_PAUSE = 60.0


class _Server(uvicorn.Server):
    """Leaves signals to us: what runs beside it has to end in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Child:
    """The worker, in a process of its own: a check keeps Python busy, and a webhook must not wait for it.

    Started again when it dies. It holds the other end of a pipe, so that it never outlives this process for long.
    """

    def __init__(self, config: Path | None) -> None:
        named = ["--config", str(config)] if config is not None else []
        self._command = [sys.executable, "-m", "backlint.api.cli", "worker", "--child", *named]
        self._is_stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def open(self) -> None:
        self._start()
        self._thread.start()

    def close(self) -> None:
        self._is_stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()  # what it had begun is taken up at the next start
                process.wait()
        self._thread.join(5.0)

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603 - our own module

    def _watch(self) -> None:
        pause = RESTART_AFTER
        while not self._is_stopping.is_set():
            began = time.monotonic()
            code = self._process.wait() if self._process is not None else 0
            if self._is_stopping.is_set():
                return
            pause = RESTART_AFTER if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            log.error("serve.worker_died", code=code, again_in=pause)
            if not self._is_stopping.wait(pause):
                self._start()


def run(console: Console, *, config: Path | None, host: str | None, port: int | None, with_worker: bool) -> int:
    log_lines()
    with open_installation(config) as place:
        settings = place.settings
        with connected(settings):
            pass  # wrong or missing tokens are said here, before anything listens
        listening = _listen(host or settings.service.host, settings.service.port if port is None else port)
        inbox = Inbox(place.engine, max_waiting=settings.service.max_waiting, box=open_box(settings.store.url))
        server = _Server(_configuration(Service(settings, place.engine, inbox, now, _token(settings))))
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda _signal, _frame: setattr(server, "should_exit", True))
        child = _Child(config) if with_worker else None
        inbox.open()
        if child is not None:
            child.open()
        address, bound = listening.getsockname()[:2]
        console.say(f"Listening on http://{address}:{bound}; webhooks go to /webhooks/SOURCE. Stop with Ctrl+C.")
        server.run(sockets=[listening])
        inbox.close()
        if child is not None:
            child.close()
    console.say("Stopped.")
    return 0


def _configuration(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(service),
        loop="asyncio",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than proxies keep theirs (60 s is common): they must not meet a closed one
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
