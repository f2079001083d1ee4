"""A running service: `backlint serve` in a process of its own, and what a test wants to ask of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.api.places import API_TOKEN, start_backlint


@dataclass
class Running:
    """Stop it by leaving the `with` block, or end it at once with `kill`."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        return self.ask(path).json()

    def ask(self, path: str) -> httpx.Response:
        try:
            answer = httpx.get(self.url + path, headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=30)
        except httpx.TransportError as error:
            time.sleep(0.5)  # for its last words
            code, said = self.process.poll(), "\n".join(self.lines[-80:])
            raise AssertionError(f"the service (exit code {code}) did not answer: {error}; it said:\n{said}") from None
        answer.raise_for_status()
        return answer

    def wait_until_checked(self) -> None:
        """The first audit of every source is done."""
        until(lambda: all(source["is_checked"] for source in self.get("/api/sources")), self)

    def wait_until_idle(self, *, timeout: float = 60) -> None:
        """Every webhook was looked at, and no issue waits."""

        def is_idle() -> bool:
            waiting = "backlint_webhooks_waiting 0.0" in self.ask("/metrics").text
            return waiting and not any(source["webhooks"]["issues"] for source in self.get("/api/sources"))

        until(is_idle, self, timeout=timeout)

    def kill(self) -> None:
        """SIGKILL to the service and to its worker, with no last word."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        self.process.kill()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """As an orchestrator would; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)


@contextmanager
def served(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The service of the folder's backlint.toml, once it listens."""
    running = Running(start_backlint(folder, "serve", *arguments, environment=environment))
    reader = threading.Thread(target=_read, args=(running,), daemon=True)
    reader.start()
    try:
        until(lambda: bool(running.url), running)
        until(lambda: _is_ready(running), running)
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        reader.join(5)
        for pipe in (running.process.stdout, running.process.stderr):
            if pipe is not None:
                pipe.close()


def until(holds: Callable[[], bool], running: Running | None = None, *, timeout: float = 60) -> None:
    """Wait for it; a failure shows what the service said."""
    deadline = time.monotonic() + timeout
    while not holds():
        said = "\n".join(running.lines[-40:]) if running else ""
        assert running is None or running.process.poll() is None, (
            f"the service ended ({running.process.returncode}):\n{said}"
        )
        assert time.monotonic() < deadline, f"it did not happen in time; the service said:\n{said}"
        time.sleep(0.05)


def _is_ready(running: Running) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(running.url + "/ready", timeout=10).status_code == 200
    return False


def _read(running: Running) -> None:
    assert running.process.stderr is not None
    for line in running.process.stderr:
        running.lines.append(line.rstrip())
        found = re.search(r"http://\S+:\d+", line)
        if found and not running.url:
            running.url = found.group(0)
