"""The connectors part of scripts/bench: our pulls against a floor that is measured in the same run.

The floor is a bare client (httpx, 16 threads, msgspec) that sends the requests for issues of our own pull, those that
need the answer before them one after the other, the others side by side; it decodes every answer, counts, and throws
it away. Answers come from memory in a process of their own (`answering.py`), after 80 ms, for both alike.

An incremental pull is measured on backlogs of two sizes, beginning where a full pull of a small one ended, so that
nothing has to be pulled first; its seconds are those of our process (CPU), since the sandbox itself searches its whole
backlog for each question.
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

LATENCY = 0.08
THREADS = 16
DEPLOYMENTS = {
    "jira": ("jira", "cloud"),
    "jira-server": ("jira", "server"),
    "linear": ("linear", "cloud"),
    "github": ("github", "cloud"),
}
# What the requests for issues look like: those that need the answer before them, and those that need none.
CHAINED = (b"/search/jql", b"query Changed", b"query Counts")
SIDE_BY_SIDE = (b"bulkfetch", b"query Issues(", b"query Rest", b"query Details", b"/rest/api/2/search")


def full_pulls(size: int, names: list[str]) -> None:
    """A line for each tracker: floor, ours, their ratio, requests and memory."""
    print(f"full pull of {size:,} issues with histories and comments, {LATENCY * 1000:.0f} ms a request")
    print(f"{'tracker':12} {'floor s':>8} {'ours s':>8} {'ratio':>6} {'our CPU s':>10}", end=" ")
    print(f"{'requests':>9} {'issues each':>12} {'peak MB':>8}")
    for name in names:
        tracker, deployment = DEPLOYMENTS[name]
        with (
            tempfile.TemporaryDirectory() as folder,
            sandbox(tracker, size=size, deployment=deployment) as facts,
            answering(facts["url"]) as (base, url),
        ):
            given = {**facts, "url": url, "tracker": tracker}
            child("pull", given, store=f"{folder}/first.db")  # to have the answers in memory
            httpx.get(f"{base}/_latency/{LATENCY}")
            floor = child("floor", {"base": base})
            ours = child("pull", given, store=f"{folder}/second.db")
        ratio, share = ours["seconds"] / floor["seconds"], ours["issues"] / ours["requests"]
        print(
            f"{name:12} {floor['seconds']:>8.2f} {ours['seconds']:>8.2f} {ratio:>6.2f} {ours['cpu']:>10.2f} "
            f"{ours['requests']:>9,} {share:>12.0f} {ours['peak']:>8.0f}",
            flush=True,
        )


def incremental_pulls(sizes: list[int], names: list[str], *, changes: int = 200) -> None:
    """A line for each tracker and size: what a pull of some changed issues takes, and what the census after it does."""
    print(f"incremental pull after {changes} changes; the census by itself")
    print(f"{'tracker':12} {'backlog':>8} {'issues':>7} {'requests':>9} {'CPU s':>7} {'census requests':>16}")
    for name in names:
        tracker, deployment = DEPLOYMENTS[name]
        with sandbox(tracker, size=100, deployment=deployment) as facts:
            cursors = child("cursors", {**facts, "tracker": tracker})["cursors"]
        for size in sizes:
            with sandbox(tracker, size=size, deployment=deployment) as facts:
                given = {**facts, "tracker": tracker, "cursors": cursors}
                time.sleep(2)  # the overlap of the first pull is over
                httpx.post(f"{facts['control']}/disturb", json={"count": changes, "seed": 5}, timeout=300)
                found = child("incremental", given)
            print(
                f"{name:12} {size:>8,} {found['issues']:>7,} {found['requests']:>9,} {found['cpu']:>7.2f} "
                f"{found['census']:>16,}",
                flush=True,
            )


def memory(size: int, name: str) -> None:
    """The most memory that a full pull takes, on a sandbox that works its answers out."""
    tracker, deployment = DEPLOYMENTS[name]
    with tempfile.TemporaryDirectory() as folder, sandbox(tracker, size=size, deployment=deployment) as facts:
        found = child("pull", {**facts, "tracker": tracker}, store=f"{folder}/store.db")
    print(
        f"full pull of {found['issues']:,} {name} issues: peak {found['peak']:.0f} MB, {found['requests']:,} requests"
    )


# -- processes ---------------------------------------------------------------------------------------------------------


def child(what: str, facts: Mapping[str, Any], *, store: str = "") -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, what, json.dumps(facts), store]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def sandbox(tracker: str, *, size: int, deployment: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "backlint.connectors.sandbox", "--trackers", tracker, "--size", str(size)]
    with _running([*command, "--deployment", deployment, "--until-stdin-closes"]) as said:
        yield json.loads(said)[tracker]


@contextmanager
def answering(tracker: str) -> Iterator[tuple[str, str]]:
    """The address of the answers from memory, and what takes the tracker's place."""
    parts = urlsplit(tracker)
    script = str(Path(__file__).with_name("answering.py"))
    with _running([sys.executable, script, f"{parts.scheme}://{parts.netloc}"]) as base:
        yield base, base + parts.path


@contextmanager
def _running(command: list[str]) -> Iterator[str]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.stdin.close()


# -- measurements ------------------------------------------------------------------------------------------------------


def floor(facts: Mapping[str, Any]) -> dict[str, Any]:
    recorded = [(method, target, base64.b64decode(body)) for method, target, body in
                httpx.get(facts["base"] + "/_recorded", timeout=60).json()]  # fmt: skip
    chained = [each for each in recorded if _is_any_of(CHAINED, each)]
    others = [each for each in recorded if each not in chained and _is_any_of(SIDE_BY_SIDE, each)]
    limits = httpx.Limits(max_connections=THREADS)
    with httpx.Client(base_url=facts["base"], timeout=60, limits=limits) as client, ThreadPoolExecutor(THREADS) as pool:

        def ask(request: tuple[str, str, bytes]) -> int:
            method, target, body = request
            answer = client.request(method, target, content=body, headers={"content-type": "application/json"})
            msgspec.json.decode(answer.content)
            return len(answer.content)

        began = time.perf_counter()
        under_way, done = [], 0
        # Our GitHub list is read in several places at once, so its pages count as side by side.
        if any(b"query Counts" in body for _, _, body in chained):
            others, chained = [*chained, *others], []
        for number, request in enumerate(chained, 1):
            ask(request)
            upto = len(others) * number // len(chained)
            under_way += [pool.submit(ask, each) for each in others[done:upto]]
            done = upto
        under_way += [pool.submit(ask, each) for each in others[done:]]
        size = sum(each.result() for each in under_way)
        return {"seconds": time.perf_counter() - began, "bytes": size}


def _is_any_of(signs: tuple[bytes, ...], request: tuple[str, str, bytes]) -> bool:
    _, target, body = request
    return any(sign in target.encode() or sign in body for sign in signs)


def pull(facts: Mapping[str, Any], store: str) -> dict[str, Any]:
    from backlint.sync.database import open_engine, require_current
    from backlint.sync.pull import pull as pull_sources

    engine = open_engine(f"sqlite:///{store}")
    require_current(engine)
    connector = _connector(facts)
    began, busy = time.perf_counter(), time.process_time()
    (result,) = pull_sources(engine, [connector], now=datetime.now(UTC))
    assert result.complete, result.problems
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"issues": result.issues, "seconds": seconds, "cpu": cpu, "requests": result.requests, "peak": peak}


def cursors(facts: Mapping[str, Any]) -> dict[str, Any]:
    connector = _connector(facts)
    connector.reference()
    return {"cursors": {scope: [page.cursor for page in connector.pull(scope, None)][-1] for scope in facts["scope"]}}


def incremental(facts: Mapping[str, Any]) -> dict[str, Any]:
    connector = _connector(facts)
    connector.reference()
    before, busy = connector.usage.requests, time.process_time()
    issues = sum(
        len(page.issues) for scope in facts["scope"] for page in connector.pull(scope, facts["cursors"].get(scope))
    )
    requests, cpu = connector.usage.requests - before, time.process_time() - busy
    before = connector.usage.requests
    for scope in facts["scope"]:
        for _ in connector.census(scope):
            pass
    return {"issues": issues, "requests": requests, "cpu": cpu, "census": connector.usage.requests - before}


def _connector(facts: Mapping[str, Any]) -> Any:
    from pydantic import SecretStr

    from backlint.connectors.connect import make_connector
    from backlint.settings import SourceSettings

    settings = SourceSettings(
        name=facts["tracker"], tracker=facts["tracker"], url=facts["url"], user=facts.get("user", ""),
        scope=facts["scope"], requests_per_second=10_000, concurrency=THREADS, timeout=300,
    )  # fmt: skip
    return make_connector(settings, SecretStr(facts["token"]))


if __name__ == "__main__":
    what, given, where = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    measure = {"floor": floor, "cursors": cursors, "incremental": incremental}
    print(json.dumps(pull(given, where) if what == "pull" else measure[what](given)))
