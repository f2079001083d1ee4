"""The durable engine: work that is started by an id runs to its end, whatever dies meanwhile.

The only module that knows `dbos`, which is loaded when `Jobs.open` is called and not before (docs/decisions/0008).
Work and steps run at least once: what they do must bear being repeated.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from backlint.errors import ConfigurationError
from backlint.sync import tables as t
from backlint.sync.database import reading
from backlint.sync.store import upsert

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Raised by hand when work begun by the version before cannot be finished by this one.
VERSION = "1"
APPLICATION = "backlint"
SCHEMA = "backlint_jobs"  # on PostgreSQL
POLLING = 0.1  # seconds; the engine's default of one second would be felt after every webhook
BEAT = 2.0  # seconds between two signs of life
LEASE = timedelta(seconds=15)  # without a sign for so long a process counts as dead
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
UNFINISHED = ("PENDING", "ENQUEUED", "DELAYED")
CLEAN_AT_ONCE = 500

Arguments = Mapping[str, Any]
Work = Callable[[str, Arguments], Any]  # the job's id and its arguments, all of it JSON


@dataclass(frozen=True, slots=True)
class Lane:
    """Jobs that wait for each other. `per_key` jobs of one key run at once in a process, `starts` in `seconds`.

    `everywhere` counts the jobs of all processes against `per_key`.
    """

    name: str
    per_key: int = 1
    everywhere: bool = False
    per_process: int | None = None
    starts: int | None = None
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """`work` with `arguments` whenever the cron expression says so, once among all processes."""

    name: str
    cron: str
    work: str
    zone: str = "UTC"


def jobs_url(store_url: str, configured: str = "") -> str:
    """Where the jobs are kept: a SQLite file of their own beside the store's, or a schema on the store's server."""
    if configured:
        return configured
    url = sa.make_url(store_url)
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("a store in memory holds no durable jobs: name a file in store.url")
    file = Path(url.database)
    beside = file.with_name(f"{file.stem}-jobs{file.suffix or '.db'}")
    return f"sqlite:///{beside.as_posix()}"


class Jobs:
    """The engine of one process. Open it once, close it at the end; `store` holds the signs of life."""

    def __init__(
        self,
        store: sa.Engine,
        url: str,
        *,
        work: Mapping[str, Work],
        lanes: Sequence[Lane],
        schedules: Sequence[Schedule] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lease: timedelta = LEASE,
        beat: float = BEAT,
    ) -> None:
        self.id = f"{APPLICATION}-{uuid.uuid4().hex[:12]}"  # never used twice: see `take_over`
        self._store, self._url, self._work = store, url, dict(work)
        self._lanes, self._schedules = tuple(lanes), tuple(schedules)
        self._clock, self._lease, self._beat = clock, lease, beat
        self._registered: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._pulse: threading.Thread | None = None
        self._is_open = False
        self._running: set[str] = set()

    # -- life ----------------------------------------------------------------------------------------------------------

    def open(self) -> Jobs:
        """Start working. Loads the engine, which takes a second or two."""
        _quiet()
        _prepare_sqlite(self._url)
        from dbos import DBOS

        DBOS(config=self._configuration())
        for name, function in self._work.items():
            self._registered[name] = DBOS.workflow(name=name, max_recovery_attempts=100)(self._workflow(function))
        scheduled = DBOS.workflow(name="scheduled")(_scheduled(self._work))
        self._sign(begin=True)  # before any work: what this process takes must be seen to be held
        DBOS.launch()
        self._is_open = True
        for lane in self._lanes:
            limiter: Any = {"limit": lane.starts, "period": lane.seconds} if lane.starts else None
            DBOS.register_queue(
                lane.name,
                worker_concurrency=lane.per_process,
                partition_worker_concurrency=lane.per_key,
                partition_concurrency=lane.per_key if lane.everywhere else None,
                partition_limiter=limiter,
                polling_interval_sec=POLLING,
                on_conflict="always_update",
            )
        self._apply(scheduled)
        self._pulse = threading.Thread(target=self._live, name="jobs-pulse", daemon=True)
        self._pulse.start()
        return self

    @property
    def is_open(self) -> bool:
        return self._is_open

    def close(self, *, patience: float = 10.0) -> bool:
        """Take nothing new, let running work finish for `patience` seconds, hand the rest to whoever comes next.

        False when something still runs: it ends with the process, and is done again from its last step.
        """
        if not self._is_open:
            return True
        self._is_open = False
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=max(0, round(patience)))
        self._stopping.set()
        if self._pulse is not None:
            self._pulse.join(5.0)
        with self._store.begin() as connection:
            # A sign of life that ended long ago: the next process takes over at once.
            connection.execute(
                sa.update(t.executors).where(t.executors.c.id == self.id).values(beat_at=_long_ago(self._clock()))
            )
        return not self._running

    def __enter__(self) -> Jobs:
        return self.open()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def schedules(self) -> tuple[str, ...]:
        """The names of the schedules in force, as the engine keeps them."""
        from dbos import DBOS

        return tuple(sorted(known["schedule_name"] for known in DBOS.list_schedules()))

    # -- work ----------------------------------------------------------------------------------------------------------

    def start(self, work: str, id: str, arguments: Arguments, *, lane: str, key: str, after: float = 0.0) -> str:
        """Have the work done under this id. An id that was used before changes nothing, also after its end."""
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        json.dumps(dict(arguments))  # a job outlives the process: only what can be written down goes in
        with SetWorkflowID(id), SetEnqueueOptions(queue_partition_key=key, delay_seconds=after or None):
            DBOS.enqueue_workflow(lane, self._registered[work], dict(arguments))
        return id

    def wait(self, id: str, *, timeout: float) -> Any:
        """The result of a job, once it is there; for tests and for commands that wait."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.status(id) in FINISHED:
                from dbos import DBOS

                return DBOS.retrieve_workflow(id).get_result()
            time.sleep(POLLING)
        raise TimeoutError(f"job {id} did not end within {timeout:.0f} s")

    def status(self, id: str) -> str | None:
        from dbos import DBOS

        found = DBOS.list_workflows(workflow_ids=[id], load_input=False, load_output=False)
        return found[0].status if found else None

    def is_waiting(self, work: str, *, lane: str, key: str) -> bool:
        """Whether such a job has its turn before it: one more would find nothing left to do."""
        from dbos import DBOS

        waiting = DBOS.list_workflows(
            name=work, queue_name=lane, status="ENQUEUED", load_input=False, load_output=False
        )
        return any(job.queue_partition_key == key for job in waiting)

    def unfinished(self) -> dict[str, int]:
        """How many jobs of each kind wait or run, in all processes."""
        from dbos import DBOS

        counts: dict[str, int] = {}
        for job in DBOS.list_workflows(status=list(UNFINISHED), load_input=False, load_output=False):
            counts[job.name] = counts.get(job.name, 0) + 1
        return counts

    def take_over(self) -> list[str]:
        """Go on with what dead processes had begun. Their ids; what they had in hand runs again here or elsewhere."""
        from dbos import DBOS

        ours = {lane.name for lane in self._lanes}
        dead = self._dead()
        for executor in dead:
            begun = DBOS.list_workflows(status="PENDING", executor_id=executor, load_input=False, load_output=False)
            for job in begun:
                # Back into its lane: otherwise everything that died with a process would run at once.
                DBOS.resume_workflow(job.workflow_id, queue_name=job.queue_name if job.queue_name in ours else None)
            with self._store.begin() as connection:
                connection.execute(sa.delete(t.executors).where(t.executors.c.id == executor))
            log.warning("jobs.taken_over", executor=executor, jobs=len(begun))
        return dead

    def clean(self, *, before: datetime) -> int:
        """Forget jobs that ended before that time; the engine has no such setting of its own."""
        from dbos import DBOS

        forgotten = 0
        while True:
            old = DBOS.list_workflows(
                status=list(FINISHED), end_time=before.isoformat(), limit=CLEAN_AT_ONCE, load_input=False,
                load_output=False,
            )  # fmt: skip
            if not old:
                return forgotten
            DBOS.delete_workflows([job.workflow_id for job in old])
            forgotten += len(old)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _configuration(self) -> Any:
        from dbos import DBOSPortableJSONSerializer

        return {
            "name": APPLICATION,
            "system_database_url": self._url,
            "dbos_system_schema": SCHEMA,
            "application_version": VERSION,
            "executor_id": self.id,
            "serializer": DBOSPortableJSONSerializer(),  # the default, pickle, would make a job table run code
            "log_level": "WARNING",
            "enable_otlp": False,
            "run_admin_server": False,
            "scheduler_polling_interval_sec": 5.0,
        }

    def _apply(self, scheduled: Any) -> None:
        from dbos import DBOS

        wanted = {schedule.name for schedule in self._schedules}
        for known in DBOS.list_schedules():
            if known["schedule_name"] not in wanted:
                DBOS.delete_schedule(known["schedule_name"])
        if not self._schedules:
            return
        DBOS.apply_schedules(
            [
                {
                    "schedule_name": schedule.name,
                    "workflow_fn": scheduled,
                    "schedule": schedule.cron,
                    "cron_timezone": schedule.zone,
                    "context": {"work": schedule.work},
                }
                for schedule in self._schedules
            ]
        )

    def _workflow(self, function: Work) -> Callable[[dict[str, Any]], Any]:
        def run(arguments: dict[str, Any]) -> Any:
            from dbos import DBOS

            id = DBOS.workflow_id or ""
            self._running.add(id)
            try:
                return function(id, arguments)
            finally:
                self._running.discard(id)

        return run

    def _live(self) -> None:
        """The pulse of this process, and the watch over the others'."""
        while not self._stopping.wait(self._beat):
            try:
                self._sign()
                self.take_over()
            except Exception as error:  # noqa: BLE001 - the store may be away for a while; the next beat tries again
                log.warning("jobs.pulse_failed", error=type(error).__name__)

    def _sign(self, *, begin: bool = False) -> None:
        now = self._clock()
        row: dict[str, Any] = {"id": self.id, "machine": _machine(), "pid": os.getpid(), "beat_at": now}
        with self._store.begin() as connection:
            if begin:
                upsert(connection, t.executors, [{**row, "started_at": now}])
                return
            done = connection.execute(sa.update(t.executors).where(t.executors.c.id == self.id).values(beat_at=now))
            if not done.rowcount:
                # It slept longer than the lease and was taken for dead: its work runs elsewhere, and is fenced there.
                upsert(connection, t.executors, [{**row, "started_at": now}])

    def _dead(self) -> list[str]:
        with reading(self._store) as connection:
            rows = connection.execute(sa.select(t.executors).where(t.executors.c.id != self.id)).all()
        limit = self._clock() - self._lease
        return [row.id for row in rows if row.beat_at < limit or _is_gone(row.machine, row.pid)]


def step(work: Callable[[], T], *, name: str) -> T:
    """A part of a job whose result is kept: when the job is taken up again, it is not done twice once it was done."""
    from dbos import DBOS

    result: T = DBOS.run_step({"name": name}, work)
    return result


def living(connection: sa.Connection, *, now: datetime, lease: timedelta = LEASE) -> int:
    """Processes that show signs of life."""
    query = sa.select(sa.func.count()).select_from(t.executors).where(t.executors.c.beat_at >= now - lease)
    return int(connection.execute(query).scalar() or 0)


def _scheduled(work: Mapping[str, Work]) -> Callable[[Any, Mapping[str, Any]], None]:
    def run(_at: Any, context: Mapping[str, Any]) -> None:
        from dbos import DBOS

        work[context["work"]](DBOS.workflow_id or "", {})

    return run


def _quiet() -> None:
    """The engine advertises a hosted console in its log, and installs a handler of its own unless there is one."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = True


def _prepare_sqlite(url: str) -> None:
    """The engine sets no journal mode; without a write-ahead log it is half as fast and readers block writers."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return
    engine = sa.create_engine(parsed)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()


def _machine() -> str:
    """What a process id means something on: this boot of this machine, or of this container. Linux only."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_gone(machine: str, pid: int) -> bool:
    """Whether the process certainly ended. Elsewhere, and where ids tell nothing, only the lease decides."""
    if not machine or machine != _machine():
        return False
    if pid == os.getpid():
        return False  # another engine of this very process, which tests have
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _long_ago(now: datetime) -> datetime:
    return now - timedelta(days=1)
