"""kill -9 at any moment of pull or apply, then run again: store and tracker end as if it had not happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.trackers import APPS, Sandbox, make_app
from backlint.connectors.sandbox.world import World
from backlint.model import Issue
from backlint.sync import store
from backlint.sync.database import open_engine, reading
from tests.api.places import Forked, fork_backlint, write_configuration

NOW = datetime.now(UTC).replace(microsecond=0)
SIZE = 36


class Assassin:
    """Kills the client when its n-th request arrives, before it is handled or right after."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.victim: Forked | None = None
        self.at = 0
        self.before = True
        self.seen = 0
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self._lock:
            self.seen += 1
            turn = self.victim is not None and self.seen == self.at
        if turn and self.before:
            self._strike()
            return

        async def send_unless_dead(message: Any) -> None:
            if not turn:
                await send(message)

        await self.app(scope, receive, send_unless_dead)
        if turn:
            self._strike()

    def _strike(self) -> None:
        assert self.victim is not None
        self.victim.kill()


@contextmanager
def a_tracker(tracker: str) -> Iterator[tuple[Sandbox, Assassin]]:
    """The same small world every time, behind a server that can kill its client."""
    world: World = generate(tracker, seed=5, size=SIZE, now=NOW)
    assassin = Assassin(make_app(tracker, world))
    with serve(assassin, faults=Faults()) as running:
        yield Sandbox(tracker, world, Faults(), running, running.url + APPS[tracker][2]), assassin


def truth(world: World) -> dict[str, tuple[list[str], list[str]]]:
    """What the tracker holds of each issue: labels, and who wrote which comment."""
    return {
        id: (sorted(issue.labels), [f"{comment.author}: {comment.body}" for comment in issue.comments])
        for id, issue in world.issues.items()
    }


def stored(folder: Path) -> dict[str, Issue]:
    engine = open_engine(f"sqlite:///{folder / 'backlint.db'}")
    try:
        with reading(engine) as connection:
            assert all(state.is_complete for state in store.scope_states(connection))
            return {issue.id: issue for issue in store.load_issues(connection)}
    finally:
        engine.dispose()


def requests_of(folder: Path, assassin: Assassin, *command: str) -> int:
    """How many requests the command needs when nobody kills it."""
    before = assassin.seen
    code, _, err = fork_backlint(folder, *command).wait()
    assert code == 0, err
    return assassin.seen - before


def kill_at(folder: Path, assassin: Assassin, request: int, *, before: bool, command: tuple[str, ...]) -> None:
    assassin.at, assassin.before = assassin.seen + request, before
    assassin.victim = fork_backlint(folder, *command)
    code, out, err = assassin.victim.wait()
    assert code == -signal.SIGKILL, (code, assassin.seen, assassin.at, out, err)
    assassin.victim = None


def folder_for(tmp_path: Path, name: str, sandbox: Sandbox) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    write_configuration(folder, [sandbox])
    return folder


@pytest.mark.parametrize("tracker", list(APPS))
def test_a_pull_killed_at_any_request_goes_on_to_the_same_store(tracker: str, tmp_path: Path) -> None:
    with a_tracker(tracker) as (sandbox, assassin):
        undisturbed = folder_for(tmp_path, "undisturbed", sandbox)
        needed = requests_of(undisturbed, assassin, "pull", "--quiet")
        expected = stored(undisturbed)
        assert len(expected) == len(sandbox.world.issues)

        for number, (share, before) in enumerate([(0.25, True), (0.6, False), (0.85, True), (1.0, False)]):
            folder = folder_for(tmp_path, f"killed-{number}", sandbox)
            kill_at(folder, assassin, max(1, round(share * needed)), before=before, command=("pull", "--quiet"))
            code, _, err = fork_backlint(folder, "pull", "--quiet").wait()

            assert (code, err) == (0, "")
            assert stored(folder) == expected


@pytest.mark.parametrize("tracker", list(APPS))
def test_an_apply_killed_at_any_request_ends_with_one_comment_an_issue(tracker: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        sandbox, assassin = stack.enter_context(a_tracker(tracker))
        folder = folder_for(tmp_path, "undisturbed", sandbox)
        assert fork_backlint(folder, "pull", "--quiet").wait()[0] == 0
        needed = requests_of(folder, assassin, "apply", "--yes", "--quiet")
        expected = truth(sandbox.world)
        assert any(f"{sandbox.world.bot}: " in comment for _, comments in expected.values() for comment in comments)

    for number, (share, before) in enumerate([(0.1, False), (0.35, True), (0.5, False), (0.7, True), (0.9, False)]):
        with a_tracker(tracker) as (sandbox, assassin):
            folder = folder_for(tmp_path, f"killed-{number}", sandbox)
            assert fork_backlint(folder, "pull", "--quiet").wait()[0] == 0
            kill_at(
                folder, assassin, max(1, round(share * needed)), before=before, command=("apply", "--yes", "--quiet")
            )
            code, _, err = fork_backlint(folder, "apply", "--yes", "--quiet").wait()

            assert (code, err) == (0, "")
            assert truth(sandbox.world) == expected
            assert '"changes": []' in fork_backlint(folder, "plan", "--format", "json", "--quiet").wait()[1]
