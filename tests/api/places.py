"""A configured place to work in: a folder with backlint.toml for sandbox trackers, and the program run there."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO, Any

from backlint.connectors.sandbox.trackers import USER, Sandbox

TOKEN_VARIABLE = "SANDBOX_TOKEN"
HOOK_VARIABLE, HOOK_SECRET = "SANDBOX_HOOK", "It's a Secret to Everybody"
API_VARIABLE, API_TOKEN = "SANDBOX_API", "sandbox-api-token"
SERVICE = {"port": 0, "burst_seconds": 0.5, "retry_seconds": 0.5, "audit_schedule": "off", "pull_schedule": "off"}
ENABLED = ["OUT002", "OWN003", "REV001", "FLO001"]  # beside the starter profile: a set that stays
BOLD = {
    "mode": "labels+comment",
    "first_run": "write",
    "max_comments": 1000,
    "max_labels": 1000,
    "abort_share": 1.0,
    "quiet_hours": "off",
    "settle_minutes": 0,
}


def write_configuration(
    folder: Path,
    sandboxes: Iterable[Sandbox],
    *,
    store: str | None = None,
    check: dict[str, Any] | None = None,
    write_back: dict[str, Any] | None = None,
    service: dict[str, Any] | None = None,
) -> Path:
    """backlint.toml for the sandboxes; writes at once unless told otherwise."""
    lines = [
        "[store]",
        f"url = {json.dumps(store or 'sqlite:///' + str(folder / 'backlint.db'))}",
        "[check]",
        *(f"{key} = {json.dumps(value)}" for key, value in ({"enable": ENABLED} | (check or {})).items()),
        "[write_back]",
        *(f"{key} = {json.dumps(value)}" for key, value in (BOLD | (write_back or {})).items()),
        "[service]",
        f'api_token_env = "{API_VARIABLE}"',
        *(f"{key} = {json.dumps(value)}" for key, value in (SERVICE | (service or {})).items()),
    ]
    for sandbox in sandboxes:
        lines += [
            "[[sources]]",
            f'name = "{sandbox.tracker}"',
            f'tracker = "{sandbox.tracker}"',
            f'url = "{sandbox.url}"',
            f"scope = {json.dumps(sorted(sandbox.world.projects))}",
            f'token_env = "{TOKEN_VARIABLE}"',
            f'webhook_secret_env = "{HOOK_VARIABLE}"',
            f'user = "{USER}"' if sandbox.tracker == "jira" else "",
            "requests_per_second = 1000",
        ]
    path = folder / "backlint.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


ENVIRONMENT = {
    TOKEN_VARIABLE: "sandbox-token",
    HOOK_VARIABLE: HOOK_SECRET,
    API_VARIABLE: API_TOKEN,
    "NO_COLOR": "1",
}


def start_backlint(
    folder: Path, *arguments: str, said: IO[str] | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """The program in a process of its own; what it says goes into pipes, or into the file `said`."""
    return subprocess.Popen(
        [sys.executable, "-m", "backlint.api.cli", *arguments],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=said or subprocess.PIPE,
        stderr=said or subprocess.PIPE,
        text=True,
    )


def run_backlint(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start_backlint(folder, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    [f"backlint.api.commands.{name}" for name in ("pull", "apply", "plan")] + ["backlint.sync.apply"]
)


@dataclass
class Forked:
    """The program in a process of its own that starts with its modules loaded: as real as the others, and sooner."""

    process: ForkServerProcess
    folder: Path

    def kill(self) -> None:
        """SIGKILL, from any thread; it has ended when this returns."""
        self.process.kill()
        assert connection.wait([self.process.sentinel], timeout=10), f"survived SIGKILL: {self.process}"

    def wait(self) -> tuple[int, str, str]:
        """Exit code (negative: the signal that ended it), standard output, standard error."""
        self.process.join(timeout=120)
        code = self.process.exitcode
        assert code is not None, f"still running: {self.process}"
        out, err = ((self.folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return code, out, err


def fork_backlint(folder: Path, *arguments: str) -> Forked:
    """Started; `wait` for it."""
    process = _server.Process(target=_main, args=(folder, arguments))
    process.start()
    return Forked(process, folder)


def _main(folder: Path, arguments: tuple[str, ...]) -> None:
    os.chdir(folder)
    os.environ.update(ENVIRONMENT)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["backlint", *arguments]
    from backlint.api.cli import main

    main()
