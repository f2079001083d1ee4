"""Runs the sandbox trackers: `python -m backlint.connectors.sandbox --size 1000 --seed 7`.

Prints one line of JSON with addresses, tokens and scopes, then runs until it is told to stop.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.trackers import APPS, start


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    trackers = given.trackers.split(",")
    ports = [int(port) for port in given.ports.split(",")] if given.ports else [0] * len(trackers)
    if unknown := sorted(set(trackers) - set(APPS)):
        sys.stderr.write(f"no sandbox tracker {', '.join(unknown)}; there are {', '.join(APPS)}\n")
        return 2
    if len(ports) != len(trackers):
        sys.stderr.write(f"--ports needs one port for each of {given.trackers}\n")
        return 2
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _signal, _frame: stop.set())
    now = datetime.now(UTC)
    with ExitStack() as stack:
        running = [
            start(
                stack, tracker, size=given.size, seed=given.seed, now=now, deployment=given.deployment, port=port,
                faults=Faults(latency=given.latency, latency_jitter=given.latency_jitter, seed=given.seed),
            )
            for tracker, port in zip(trackers, ports, strict=True)
        ]  # fmt: skip
        sys.stdout.write(json.dumps({sandbox.tracker: sandbox.facts() for sandbox in running}) + "\n")
        sys.stdout.flush()
        if given.until_stdin_closes:
            threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
        # Waiting in short turns: a wait without end would not see signals on every system.
        while not stop.wait(0.2):
            pass
    return 0


def _watch_stdin(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backlint.connectors.sandbox", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="issues in each tracker")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same backlogs")
    parser.add_argument("--trackers", default=",".join(APPS), help="which ones, separated by commas")
    parser.add_argument("--ports", help="one for each tracker, separated by commas; free ones unless given")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each request takes longer")
    parser.add_argument("--latency-jitter", type=float, default=0.0, help="random seconds on top")
    parser.add_argument(
        "--deployment", choices=("cloud", "server"), default="cloud", help="which Jira, and which GitHub"
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
