"""Three trackers, people at work, bad weather, and processes killed; it has to end as if all had been quiet.

`run` lets people work in several rounds while webhooks drive a service. Undisturbed, it gives the state that every
disturbed run has to reach. What our account did in the trackers is written down by the trackers themselves, so that
the service's own log can be compared with it.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from backlint.connectors.sandbox.disturb import human_adds_criteria
from backlint.connectors.sandbox.trackers import APPS, Sandbox, start
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue
from backlint.sync import deliveries
from backlint.sync import tables as t
from backlint.sync.database import open_engine, reading
from backlint.sync.inbox import count_all, open_box
from tests.api.live import WHOLE, live_sender, new_story
from tests.api.places import run_backlint, start_backlint, write_configuration

OURS = "hygiene:"
# Messages that count days would differ between two runs of one day.
DAYS_COUNTED = ["FLO001", "FLO002", "BLK002", "PLN004"]
# Judges every issue in full, and says everything at once: what is said must not depend on when it is said.
CHECK = {"near": "all", "disable": DAYS_COUNTED}
WRITE_BACK = {"comment_every_days": 0, "first_run": "baseline"}
SERVICE = {"burst_seconds": 0.3, "retry_seconds": 0.5, "attempts": 8, "batch": 25, "audit_schedule": "* * * * *"}
WEATHER: tuple[dict[str, Any], ...] = (
    {},
    {"server_error_share": 0.2},
    {"lost_answer_share": 0.2},
    {"truncated_share": 0.1, "broken_json_share": 0.1},
    {"html_share": 0.1, "server_error_share": 0.1},
    {"latency": 0.05, "latency_jitter": 0.4},
    {"rate_limit": 20, "rate_window": 2.0},
    {"offline": True},
)

Shown = tuple[list[str], list[str]]  # labels, "author: text" of each comment
Truth = dict[tuple[str, str], Shown]  # (tracker, key) ->


@dataclass(frozen=True, slots=True)
class Storm:
    """What is done to the service: seconds that a process may work before it is killed, and that a weather lasts."""

    seed: int = 0
    kill_after: tuple[float, float] = (2.0, 8.0)
    weather_every: tuple[float, float] = (1.0, 3.0)
    most_kills: int = 10_000


@dataclass
class Ended:
    """What a run came to. `problems` is everything that must not be, whatever the final state."""

    truth: Truth
    problems: list[str]
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    seconds: float = 0.0


def run(
    folder: Path, *, store: str, size: int, seed: int, now: datetime, workers: int = 0, storm: Storm | None = None
) -> Ended:
    """The whole story over `size` issues in all. `workers` beside a service that only answers; 0: it works itself."""
    began = time.monotonic()
    with ExitStack() as stack:
        sandboxes = [start(stack, name, size=max(4, size // len(APPS)), seed=seed, now=now) for name in APPS]
        write_configuration(
            folder, sandboxes, store=store, check=CHECK, write_back=WRITE_BACK, service=SERVICE | {"port": _free_port()}
        )
        journals = [Journal(sandbox.world) for sandbox in sandboxes]
        engine = open_engine(store)
        stack.callback(engine.dispose)
        code, _, err = run_backlint(folder, "audit", "--quiet")
        assert code in (0, 1), err
        box = open_box(store)
        if box is not None:
            stack.callback(box.dispose)
        processes = stack.enter_context(Processes(folder, workers=workers))
        trouble = stack.enter_context(Trouble(processes, sandboxes, engine, storm)) if storm else None
        waiting = _Waiting(engine, box, processes)
        for number, people in enumerate((_write_badly, _mend_and_object, _go_on), start=1):
            dice = {each.tracker: random.Random(f"{seed} {number} {each.tracker}") for each in sandboxes}
            _let_work(people, sandboxes, processes.url, dice)
            waiting.until_idle(f"round {number}")
        if trouble is not None:
            trouble.end()
        waiting.until_idle("the end")
        processes.stop()
        code, _, err = run_backlint(folder, "audit", "--quiet")  # as the next night's would
        assert code in (0, 1), err
        problems = [problem for journal in journals for problem in journal.problems]
        problems += _unexplained(engine, journals)
        return Ended(
            truth={key: shown for sandbox in sandboxes for key, shown in _truth(sandbox).items()},
            problems=problems,
            kills=processes.kills,
            faults=sum((sandbox.faults.injected for sandbox in sandboxes), Counter()),
            writes=sum(len(journal.acts) for journal in journals),
            seconds=time.monotonic() - began,
        )


def _let_work(
    people: Callable[[World, random.Random], None],
    sandboxes: list[Sandbox],
    service: str,
    dice: Mapping[str, random.Random],
) -> None:
    """A round of edits, until the service has taken every webhook of it."""
    with ExitStack() as stack:
        senders = [stack.enter_context(live_sender(each, service, patient=True)) for each in sandboxes]
        for sandbox in sandboxes:
            people(sandbox.world, dice[sandbox.tracker])
        until(lambda: all(sender.drain(0.1) for sender in senders), "the webhooks did not get through")


def differences(expected: Truth, found: Truth) -> list[str]:
    """Lines for people; empty when both are the same."""
    lines = [f"{key}: only undisturbed" for key in sorted(expected.keys() - found.keys())]
    lines += [f"{key}: only disturbed" for key in sorted(found.keys() - expected.keys())]
    return lines + [
        f"{key}: undisturbed {expected[key]}, disturbed {found[key]}"
        for key in sorted(expected.keys() & found.keys())
        if expected[key] != found[key]
    ]


def _truth(sandbox: Sandbox) -> Truth:
    return {
        (sandbox.tracker, issue.key): (
            sorted(issue.labels),
            [f"{comment.author}: {comment.body}" for comment in issue.comments],
        )
        for issue in sandbox.world.issues.values()
    }


# -- people ------------------------------------------------------------------------------------------------------------


def _write_badly(world: World, dice: random.Random) -> None:
    """Every open issue is edited once, some well and some badly; new ones are written with nothing in them."""
    for place, issue in enumerate(_editable(world)):
        actor = _person(world, dice)
        match place % 5:
            case 0:
                world.change(issue, "body", "", actor=actor)
            case 1:
                world.change(issue, "body", WHOLE, actor=actor)
            case 2:
                human_adds_criteria(world, issue, actor=actor, now=world.clock())
            case 3:
                world.change(issue, "title", f"{issue.title}, again", actor=actor)
            case _:
                world.add_comment(issue, "Who wants this, and since when?", actor=actor)
    for number in range(max(2, len(world.issues) // 20)):
        new_story(world, _person(world, dice), title=f"Export of report {number} as a file")


def _mend_and_object(world: World, dice: random.Random) -> None:
    """Some mend what they were asked for; others take our label or our comment away, or write into the comment."""
    for place, issue in enumerate(_editable(world)):
        actor = _person(world, dice)
        ours = [label for label in issue.labels if label.startswith(OURS)]
        comment = next((each for each in issue.comments if each.author == world.bot), None)
        match place % 6:
            case 0:
                world.change(issue, "body", WHOLE, actor=actor)
            case 1 if ours:
                world.remove_labels(issue, ours[:1], actor=actor)
            case 2 if comment is not None:
                world.delete_comment(issue, comment.id, actor=actor)
            case 3 if comment is not None:
                world.edit_comment(issue, comment, "We will see to it.", actor=actor)
            case 4:
                world.add_labels(issue, ["customer-request"], actor=actor)
            case 5 if place % 4 == 1:
                world.delete_issue(issue, actor=actor)
            case _:
                world.change(issue, "body", "", actor=actor)


def _go_on(world: World, dice: random.Random) -> None:
    """Every issue changes once more: nothing that was taken back may return."""
    for place, issue in enumerate(_editable(world)):
        world.change(issue, "title", f"{issue.title} ({place})", actor=_person(world, dice))


def _editable(world: World) -> list[WorldIssue]:
    over = {status.id for status in world.statuses.values() if status.kind in ("completed", "cancelled")}
    found = [issue for issue in world.issues.values() if issue.status not in over]
    return sorted(
        (issue for issue in found if not (issue.is_archived or issue.is_locked or issue.is_trashed)),
        key=lambda issue: (issue.project, issue.number),
    )


def _person(world: World, dice: random.Random) -> str:
    people = (each for each in world.people.values() if each.is_active and not each.is_bot and each.id != world.bot)
    return dice.choice(sorted(person.id for person in people))


# -- what our account did ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """One change in a tracker by our account."""

    issue: str
    kind: str  # add_label | remove_label | put_comment | delete_comment
    label: str | None = None


class Journal:
    """Written by the tracker: every act of our account, and at once what is wrong with it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acts: list[Act] = []
        self.problems: list[str] = []
        world.listeners.append(self._note)

    def _note(self, kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None) -> None:
        if actor != self.world.bot:
            return
        if isinstance(what, Event) and what.field == "labels":
            before, after = set(what.before or ()), set(what.after or ())
            self._labels(issue, "add_label", after - before)
            self._labels(issue, "remove_label", before - after)
        elif isinstance(what, WorldComment):
            self._comment(kind, issue, what)
        else:
            self.problems.append(f"{issue.key}: our account did {kind} {what}")

    def _labels(self, issue: WorldIssue, kind: str, labels: set[str]) -> None:
        self.acts += [Act(issue.id, kind, label) for label in sorted(labels)]
        self.problems += [f"{issue.key}: {kind} {label}, which is a person's" for label in labels if OURS not in label]

    def _comment(self, kind: str, issue: WorldIssue, comment: WorldComment) -> None:
        self.acts.append(Act(issue.id, "delete_comment" if kind == "comment_deleted" else "put_comment"))
        own = [each for each in issue.comments if each.author == self.world.bot]
        if comment.author != self.world.bot:
            self.problems.append(f"{issue.key}: {kind} of a comment by {comment.author}")
        if len(own) > 1:
            self.problems.append(f"{issue.key}: {len(own)} comments of ours")


def _unexplained(engine: sa.Engine, journals: list[Journal]) -> list[str]:
    """Acts without a line in the log, lines without an act, lines without a cause, and what is left undone."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(t.writes)).mappings().all()
        runs = set(connection.execute(sa.select(t.runs.c.id)).scalars())
        letters = deliveries.dead_letters(connection)
    problems = [f"dead letter {each.source} {each.key}: {each.reason}" for each in letters]
    problems += [f"{row['id']} is {row['state']}" for row in rows if row["state"] in ("wanted", "sent")]
    problems += [f"{row['id']} has no cause" for row in rows if not row["because"] or row["run"] not in runs]
    problems += [f"{row['id']}: {row['state']} without a reason" for row in rows if _is_silent(row)]
    logged = Counter(
        (row["source"], row["issue"], row["kind"], row["label"]) for row in rows if row["state"] == "confirmed"
    )
    acted = Counter(
        (journal.world.flavour, act.issue, act.kind, act.label) for journal in journals for act in journal.acts
    )
    problems += [f"{act} was done and is not in the log" for act in acted.keys() - logged.keys()]
    problems += [f"{act} is in the log and was not done" for act in logged.keys() - acted.keys()]
    # A label's change is one act each time; the text of a comment may arrive twice, which changes nothing.
    problems += [
        f"{act}: done {count} times, {logged[act]} times in the log"
        for act, count in acted.items()
        if act[3] is not None and count != logged[act]
    ]
    return problems


def _is_silent(row: Any) -> bool:
    return row["state"] in ("dropped", "failed") and not row["reason"]


# -- processes, and what is done to them -------------------------------------------------------------------------------


class Processes:
    """The service and its workers as an orchestrator keeps them: what dies is started again."""

    def __init__(self, folder: Path, *, workers: int) -> None:
        self._folder = folder
        self._commands = [("serve", "--no-worker")] + [("worker",)] * workers if workers else [("serve",)]
        self._running: list[Any] = [None] * len(self._commands)
        self._lock = threading.Lock()
        self._is_stopping = False
        self.kills = 0
        self.logs = [folder / f"log-{place}" for place in range(len(self._commands))]

    @property
    def url(self) -> str:
        port = next(
            line.split("=")[1].strip()
            for line in (self._folder / "backlint.toml").read_text(encoding="utf-8").splitlines()
            if line.startswith("port = ")
        )
        return f"http://127.0.0.1:{port}"

    def __enter__(self) -> Processes:
        for place in range(len(self._commands)):
            self._start(place)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _start(self, place: int) -> None:
        with self.logs[place].open("a", encoding="utf-8") as log:
            self._running[place] = start_backlint(self._folder, *self._commands[place], said=log)

    def working(self) -> list[int]:
        """The process ids of those that work, whether or not they have begun to."""
        if len(self._commands) > 1:
            return [process.pid for process in self._running[1:]]
        return _children(self._running[0].pid)

    def kill(self, victim: int, dice: random.Random) -> None:
        """SIGKILL to a worker; where the service has it as its child, to the service, to its worker, or to both."""
        with self._lock:
            if self._is_stopping:
                return
            self.kills += 1
            parents = [place for place, process in enumerate(self._running) if process.pid == victim]
            chosen = "worker" if parents else dice.choice(("worker", "service", "both"))
            if chosen != "service":
                os.kill(victim, signal.SIGKILL)
            if chosen != "worker" or parents:
                place = parents[0] if parents else 0
                self._running[place].kill()
                self._running[place].wait()
                self._start(place)

    def stop(self) -> None:
        """As an orchestrator would; twice is no error."""
        with self._lock:
            self._is_stopping = True
        for process in self._running:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running:
            if process is not None:
                process.wait(timeout=60)

    def said(self) -> str:
        return "\n".join(line for log in self.logs for line in log.read_text(encoding="utf-8").splitlines()[-25:])


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


class Trouble:
    """Changes the weather and kills, each in a thread of its own, until it is ended."""

    def __init__(self, processes: Processes, sandboxes: list[Sandbox], engine: sa.Engine, storm: Storm) -> None:
        self._processes, self._sandboxes, self._engine, self._storm = processes, sandboxes, engine, storm
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._kill, self._change_weather)]

    def __enter__(self) -> Trouble:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        for sandbox in self._sandboxes:
            sandbox.faults.calm()

    def _kill(self) -> None:
        dice = random.Random(f"kill {self._storm.seed}")
        while self._processes.kills < self._storm.most_kills and not self._over.wait(0.1):
            ready = sorted(set(self._processes.working()) & self._alive())
            if not ready or self._over.wait(dice.uniform(*self._storm.kill_after)):
                continue  # a process that has not begun to work has nothing to lose
            victim = dice.choice(ready)
            if victim in self._processes.working():
                self._processes.kill(victim, dice)

    def _alive(self) -> set[int]:
        with reading(self._engine) as connection:
            return set(connection.execute(sa.select(t.executors.c.pid)).scalars())

    def _change_weather(self) -> None:
        dice = random.Random(f"weather {self._storm.seed}")
        while not self._over.wait(dice.uniform(*self._storm.weather_every)):
            for sandbox in self._sandboxes:
                sandbox.faults.calm()
                sandbox.faults.update(dice.choice(WEATHER))


@dataclass(frozen=True, slots=True)
class _Waiting:
    engine: sa.Engine
    box: sa.Engine | None
    processes: Processes

    def until_idle(self, what: str, *, timeout: float = 420) -> None:
        """Every webhook was looked at and no issue waits, nor is any in a job's hands."""
        try:
            until(self._is_idle, f"{what} did not end", timeout=timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self.processes.said()}") from None

    def _is_idle(self) -> bool:
        with reading(self.engine) as connection:
            states = deliveries.count_touched(connection)
        return not states and count_all(self.engine, self.box) == 0


def until(holds: Callable[[], bool], what: str, *, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {timeout:.0f} s"
        time.sleep(0.2)


def _free_port() -> int:
    """One that stays the same when the service is started again: senders know no other."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """A database for one run on the server with that URL, with the schema."""
    import uuid

    import psycopg

    from backlint.sync.database import upgrade

    name = f"backlint_chaos_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = sa.make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    try:
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def today() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
