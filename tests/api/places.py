"""A configured place to work in: a folder with backlint.toml for sandbox trackers, and the program run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
    write_back: dict[str, Any] | None = None,
    service: dict[str, Any] | None = None,
) -> Path:
    """backlint.toml for the sandboxes; writes at once unless told otherwise."""
    lines = [
        "[store]",
        f"url = {json.dumps(store or 'sqlite:///' + str(folder / 'backlint.db'))}",
        "[check]",
        f"enable = {json.dumps(ENABLED)}",
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


def start_backlint(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "backlint.api.cli", *arguments],
        cwd=folder,
        env={
            **os.environ,
            TOKEN_VARIABLE: "sandbox-token",
            HOOK_VARIABLE: HOOK_SECRET,
            API_VARIABLE: API_TOKEN,
            "NO_COLOR": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_backlint(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start_backlint(folder, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
