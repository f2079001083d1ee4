"""The durable engine: once by id, steps, lanes, schedules, and taking over from the dead, on SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backlint.errors import ConfigurationError
from backlint.sync import tables as t
from backlint.sync.jobs import Jobs, Lane, Schedule, jobs_url, step

LANES = (Lane("lane", per_key=1, per_process=4),)
OpenJobs = Callable[..., Jobs]


@pytest.fixture
def opened(engine: sa.Engine, store_url: str) -> Iterator[OpenJobs]:
    """Engines of this process, one at a time."""
    with ExitStack() as stack:

        def open_jobs(work: Mapping[str, Any], **rest: Any) -> Jobs:
            jobs = Jobs(engine, jobs_url(store_url), work=work, lanes=rest.pop("lanes", LANES), beat=0.1, **rest)
            stack.callback(jobs.close, patience=0)
            return jobs.open()

        yield open_jobs


def an_id() -> str:
    return f"job-{uuid.uuid4().hex[:8]}"


def test_the_same_id_is_worked_on_once_also_after_its_end(opened: OpenJobs) -> None:
    seen: list[Any] = []
    jobs = opened({"note": lambda id, arguments: seen.append((id, arguments["word"]))})
    id = an_id()

    jobs.start("note", id, {"word": "first"}, lane="lane", key="a")
    jobs.wait(id, timeout=20)
    jobs.start("note", id, {"word": "again"}, lane="lane", key="a")
    time.sleep(0.5)

    assert seen == [(id, "first")]


def test_jobs_of_one_key_wait_for_each_other_and_other_keys_do_not(opened: OpenJobs) -> None:
    running: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "all": 0}
    lock = threading.Lock()

    def work(_id: str, arguments: Mapping[str, Any]) -> None:
        key = arguments["key"]
        with lock:
            running[key] += 1
            most["a"] = max(most["a"], running["a"])
            most["all"] = max(most["all"], sum(running.values()))
        time.sleep(0.4)
        with lock:
            running[key] -= 1

    jobs = opened({"work": work})
    ids = [an_id() for _ in range(4)]
    for id, key in zip(ids, "aabb", strict=True):
        jobs.start("work", id, {"key": key}, lane="lane", key=key)
    for id in ids:
        jobs.wait(id, timeout=20)

    assert most == {"a": 1, "all": 2}


def test_a_failing_job_says_so_and_stops_nothing_else(opened: OpenJobs) -> None:
    def work(_id: str, arguments: Mapping[str, Any]) -> str:
        if arguments["bad"]:
            raise ValueError("poison")
        return "done"

    jobs = opened({"work": work})
    bad, good = an_id(), an_id()
    jobs.start("work", bad, {"bad": True}, lane="lane", key="a")
    jobs.start("work", good, {"bad": False}, lane="lane", key="a")

    assert jobs.wait(good, timeout=20) == "done"
    _until(lambda: jobs.status(bad) == "ERROR")


def test_arguments_that_cannot_be_written_down_are_refused(opened: OpenJobs) -> None:
    jobs = opened({"work": lambda _id, _arguments: None})

    with pytest.raises(TypeError):
        jobs.start("work", an_id(), {"when": datetime.now(UTC)}, lane="lane", key="a")


def test_a_schedule_fires_and_one_that_is_no_longer_wanted_ends(opened: OpenJobs) -> None:
    fired: list[float] = []
    ticks = (Schedule("tick", "* * * * * *", "tick"),)
    jobs = opened({"tick": lambda _id, _arguments: fired.append(time.monotonic())}, schedules=ticks)
    deadline = time.monotonic() + 20
    while len(fired) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(fired) >= 2
    assert jobs.schedules() == ("tick",)
    jobs.close(patience=1)

    assert opened({"tick": lambda _id, _arguments: None}).schedules() == ()


def test_finished_jobs_are_forgotten_after_their_time(opened: OpenJobs) -> None:
    jobs = opened({"work": lambda _id, _arguments: None})
    id = an_id()
    jobs.start("work", id, {}, lane="lane", key="a")
    jobs.wait(id, timeout=20)

    assert jobs.clean(before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert jobs.clean(before=datetime.now(UTC) + timedelta(minutes=1)) >= 1
    assert jobs.status(id) is None


# -- the dead ----------------------------------------------------------------------------------------------------------

VICTIM = """
import sys, time
from pathlib import Path
from backlint.sync.database import open_engine
from backlint.sync.jobs import Jobs, Lane, jobs_url, step

ledger = Path(sys.argv[2])

def note(line):
    with ledger.open("a") as file:
        file.write(line + "\\n")

def work(id, arguments):
    step(lambda: note("first"), name="first")
    note("begun")
    time.sleep(60)

jobs = Jobs(open_engine(sys.argv[1]), jobs_url(sys.argv[1]), work={"work": work}, lanes=[Lane("lane", per_key=3)])
jobs.open()
for number in range(3):
    jobs.start("work", f"{sys.argv[3]}-{number}", {}, lane="lane", key="a")
time.sleep(120)
"""


def test_what_a_killed_process_had_begun_is_finished_by_another(
    opened: OpenJobs, engine: sa.Engine, store_url: str, tmp_path: Path
) -> None:
    ledger, id = tmp_path / "ledger", an_id()
    ledger.touch()
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, store_url, str(ledger), id])
    try:
        _until(lambda: ledger.read_text(encoding="utf-8").count("begun") == 3)
    finally:
        victim.kill()
        victim.wait(timeout=10)
    at_once, most = Counter[str](), 0

    def work(_id: str, _arguments: Mapping[str, Any]) -> str:
        nonlocal most
        at_once["work"] += 1
        most = max(most, at_once["work"])
        step(lambda: ledger.write_text("step repeated", encoding="utf-8"), name="first")
        time.sleep(0.3)
        at_once["work"] -= 1
        return "finished"

    jobs = opened({"work": work})

    assert [jobs.wait(f"{id}-{number}", timeout=20) for number in range(3)] == ["finished"] * 3
    assert sorted(ledger.read_text(encoding="utf-8").split()) == ["begun"] * 3 + ["first"] * 3
    assert most == 1  # they are in their lane again, which lets one of a key run at a time
    with engine.begin() as connection:
        assert connection.execute(sa.select(t.executors.c.id)).scalars().all() == [jobs.id]


def test_a_process_elsewhere_counts_as_dead_after_its_lease(opened: OpenJobs, engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    row = {"machine": "another", "pid": 1, "started_at": now - timedelta(hours=1)}
    with engine.begin() as connection:
        connection.execute(
            t.executors.insert(),
            [{**row, "id": "late", "beat_at": now - timedelta(minutes=2)}, {**row, "id": "alive", "beat_at": now}],
        )
    jobs = opened({"work": lambda _id, _arguments: None})

    def living() -> set[str]:
        with engine.connect() as connection:
            return set(connection.execute(sa.select(t.executors.c.id)).scalars())

    _until(lambda: "late" not in living())
    assert living() == {jobs.id, "alive"}


def _until(holds: Callable[[], bool], *, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


# -- where it is kept --------------------------------------------------------------------------------------------------


def test_jobs_are_kept_beside_the_store() -> None:
    assert jobs_url("sqlite:///folder/backlint.db") == "sqlite:///folder/backlint-jobs.db"
    assert jobs_url("postgresql://me:word@host/b") == "postgresql+psycopg://me:word@host/b"
    assert jobs_url("sqlite:///x.db", "sqlite:///y.db") == "sqlite:///y.db"


def test_a_store_in_memory_holds_no_jobs() -> None:
    with pytest.raises(ConfigurationError, match="in memory"):
        jobs_url("sqlite:///:memory:")


def test_the_engine_is_loaded_only_when_it_is_opened() -> None:
    script = "import sys, backlint.sync.jobs, backlint.api.cli; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
