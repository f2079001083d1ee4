"""`backlint worker`: a further process that works, for a store on PostgreSQL."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import sqlalchemy as sa
import structlog

from backlint.api.console import Console
from backlint.api.installation import connected, now, open_installation
from backlint.errors import ConfigurationError
from backlint.sync.inbox import open_box
from backlint.sync.worker import Worker

PATIENCE = 20.0
NICENESS = 5  # a webhook's answer goes before a check where both want the processor


def run(console: Console, *, config: Path | None, is_child: bool = False) -> int:
    """`is_child`: of a `backlint serve`, with whose end it ends, however that comes; it may share a SQLite file."""
    log_lines()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _signal, _frame: stop.set())
    with open_installation(config) as place, connected(place.settings) as connectors:
        if not is_child and sa.make_url(place.settings.store.url).get_backend_name() == "sqlite":
            raise ConfigurationError(
                "a store in a SQLite file has one process, `backlint serve`, which works as well: for further workers "
                "put the store on PostgreSQL (store.url)"
            )
        if is_child:
            if hasattr(os, "nice"):  # not on Windows
                os.nice(NICENESS)
            threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
        box = open_box(place.settings.store.url)
        worker = Worker(place.engine, place.settings, connectors, clock=now, box=box).open()
        if not is_child:
            console.say(f"Working as {worker.id}. Stop with Ctrl+C.")
        while not stop.wait(0.5):  # in short turns: a wait without end would not see signals on every system
            pass
        is_over = worker.close(patience=PATIENCE)
    return leave(is_over)


def _watch_parent(stop: threading.Event) -> None:
    """The parent holds the other end of standard input for as long as it lives."""
    sys.stdin.buffer.read()
    stop.set()


def log_lines() -> None:
    """One JSON object a line on standard error, for whatever collects the lines of a service."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def leave(is_over: bool) -> int:
    """End, also where a job still runs: its thread would keep the process alive, and it is taken up again anyway."""
    if not is_over:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0
