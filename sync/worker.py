"""What a process of the service does beside answering: webhooks to jobs, schedules, audits, cleaning up."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from backlint.connectors.contract import Connector
from backlint.connectors.hooks import hook_address, renew
from backlint.errors import TrackerError
from backlint.settings import Settings
from backlint.sync import deliveries, store
from backlint.sync.audit import audit, new_id
from backlint.sync.database import reading
from backlint.sync.deliveries import Touched
from backlint.sync.flow import refresh
from backlint.sync.inbox import copy
from backlint.sync.jobs import FINISHED, Jobs, Lane, Schedule, jobs_url, step
from backlint.sync.kept_backlog import KeptBacklog
from backlint.sync.notifications import Outcome, notify
from backlint.sync.pull import pull
from backlint.sync.tickets import Done, Failed, Later, Looked, look_at

log = structlog.get_logger(__name__)

TICK = 0.2  # seconds between two looks for news, where nobody says that there are some
ISSUES = Lane("issues", per_key=1)  # one batch of a source at a time in each process
RUNS = Lane("runs", per_key=1, everywhere=True)  # one pull or audit at a time, wherever it runs
NOTES = Lane("notes", per_key=1, everywhere=True)  # one digest of a notification at a time
LOST_AFTER = timedelta(minutes=2)
LOST_BY_A_COMMAND = timedelta(minutes=15)  # an `apply` that holds an issue longer was killed: nobody waits so long
LOOK_AFTER_LOST = timedelta(seconds=10)
FIRST_AUDIT_EVERY = timedelta(minutes=10)  # tries, until a source can be read for the first time
LONGEST_WAIT = timedelta(hours=6)


class Worker:
    """Open it once in a process. `wake` tells it of news; without, it looks by itself a few times a second."""

    def __init__(
        self,
        engine: sa.Engine,
        settings: Settings,
        connectors: Sequence[Connector],
        *,
        clock: Callable[[], datetime],
        schedules: bool = True,
        box: sa.Engine | None = None,
    ) -> None:
        self._engine, self._settings, self._clock, self._box = engine, settings, clock, box
        self._connectors = {connector.name: connector for connector in connectors}
        self._jobs = Jobs(
            engine,
            jobs_url(settings.store.url, settings.service.jobs_url),
            work={"look": self._look, "audit": self._audit, "pull": self._pull, "clean": self._clean,
                  "renew": self._renew, "notify": self._notify,
                  "start audit": self._start_audit, "start pull": self._start_pull},
            lanes=(ISSUES, RUNS, NOTES),
            schedules=tuple(_schedules(settings)) if schedules else (),
            clock=clock,
        )  # fmt: skip
        self._kept = KeptBacklog(engine, settings)
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._started: dict[str, str] = {}  # source -> the job that this process last started for it
        self._copied = 0  # position in the box
        self._looked_for_lost: datetime | None = None
        self._audited_first: datetime | None = None

    # -- life ----------------------------------------------------------------------------------------------------------

    def open(self) -> Worker:
        self._jobs.open()
        self._thread.start()
        return self

    def close(self, *, patience: float = 10.0) -> bool:
        """Finish what is in hand, for `patience` seconds; the next process takes up the rest (`Jobs.close`)."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        return self._jobs.close(patience=patience)

    def __enter__(self) -> Worker:
        return self.open()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def wake(self) -> None:
        self._news.set()

    @property
    def id(self) -> str:
        return self._jobs.id

    # -- from webhooks to jobs -----------------------------------------------------------------------------------------

    def _feed(self) -> None:
        while not self._stopping.is_set():
            self._news.wait(TICK)
            self._news.clear()
            try:
                while self._fold() and not self._stopping.is_set():
                    pass
                self._start_due()
                self._look_for_lost()
                self._audit_first()
                self._kept.rest(self._clock())
            except Exception as error:  # noqa: BLE001 - the store may be away for a while; it is tried again
                log.warning("worker.feed_failed", error=type(error).__name__)
                self._stopping.wait(1.0)

    def _fold(self) -> bool:
        """Whether there may be more."""
        if self._box is not None:
            self._copied = copy(self._engine, self._box, after=self._copied)
        with reading(self._engine) as connection:  # most ticks find nothing and need no transaction
            if not deliveries.count_waiting(connection):
                return False
        with self._engine.begin() as connection:
            return deliveries.fold(connection, now=self._clock(), settle=settle_time(self._settings)) > 0

    def _start_due(self) -> None:
        with reading(self._engine) as connection:
            due = deliveries.due_sources(connection, now=self._clock())
        for source in due:
            before = self._started.get(source)
            if before is not None and self._jobs.status(before) not in (*FINISHED, None):
                continue
            if self._jobs.is_waiting("look", lane=ISSUES.name, key=source):
                continue
            id = f"look-{uuid.uuid4().hex[:12]}"
            self._started[source] = self._jobs.start("look", id, {"source": source}, lane=ISSUES.name, key=source)

    def _look_for_lost(self) -> None:
        now = self._clock()
        if self._looked_for_lost is not None and now - self._looked_for_lost < LOOK_AFTER_LOST:
            return
        self._looked_for_lost = now
        with self._engine.begin() as connection:
            freed = deliveries.free_lost(
                connection,
                before=now - LOST_AFTER,
                is_over=self._is_over,
                attempts=self._settings.service.attempts,
            )
        if freed:
            log.warning("worker.freed", issues=len(freed))

    def _is_over(self, job: str, taken_at: datetime) -> bool:
        status = self._jobs.status(job)
        return status in FINISHED or (status is None and self._clock() - taken_at > LOST_BY_A_COMMAND)

    def _audit_first(self) -> None:
        """A source that was never checked gets its baseline before its first webhook is judged."""
        now = self._clock()
        if self._audited_first is not None and now - self._audited_first < FIRST_AUDIT_EVERY:
            return
        self._audited_first = now
        with reading(self._engine) as connection:
            unchecked = self._connectors.keys() - store.checked_sources(connection)
        if unchecked:
            period = int(now.timestamp() // FIRST_AUDIT_EVERY.total_seconds())
            self._jobs.start("audit", f"first-audit-{period}", {}, lane=RUNS.name, key=RUNS.name)

    # -- the jobs ------------------------------------------------------------------------------------------------------

    def _look(self, job: str, arguments: Mapping[str, Any]) -> None:
        source = arguments["source"]
        if step(lambda: self._take(job, source), name="take"):
            step(lambda: self._handle(job, source), name="handle")
        self.wake()

    def _take(self, job: str, source: str) -> int:
        with self._engine.begin() as connection:
            limit = self._settings.service.batch
            return len(deliveries.take(connection, job, source, now=self._clock(), limit=limit))

    def _handle(self, job: str, source: str) -> dict[str, Any]:
        with reading(self._engine) as connection:
            touched = deliveries.held(connection, job)
        if not touched:
            return {}
        run = new_id("webhook")
        with self._engine.begin() as connection:
            store.begin_run(connection, run, "webhook", now=self._clock())
        looked = self._look_at(source, touched, run)
        facts = _facts(looked, touched)
        with self._engine.begin() as connection:
            for each in touched:
                self._settle(connection, each, looked, job)
            if looked.down_until is not None:
                deliveries.postpone_source(connection, source, until=looked.down_until)
            store.end_run(connection, run, now=self._clock(), outcome="done", facts={"source": source, **facts})
        for alarm in looked.alarms:
            log.warning("webhooks.alarm", run=run, source=source, alarm=alarm)
        log.info("webhooks.handled", run=run, source=source, **facts)
        return facts

    def _look_at(self, source: str, touched: Sequence[Touched], run: str) -> Looked:
        connector = self._connectors.get(source)
        if connector is None:
            return Looked({each.identity: Failed("its source is not configured") for each in touched})
        try:
            return look_at(
                self._engine, self._settings, connector, touched, run=run, clock=self._clock, kept=self._kept
            )
        except Exception as error:
            log.exception("webhooks.failed", run=run, source=source, issues=len(touched))
            reason = f"{type(error).__name__}: {error}"[:500]
            return Looked({each.identity: Failed(reason) for each in touched})

    def _settle(self, connection: sa.Connection, each: Touched, looked: Looked, job: str) -> None:
        match looked.outcomes[each.identity]:
            case Done():
                deliveries.done(connection, each, job=job)
            case Later(until=until, reason=reason):
                deliveries.postpone(connection, each, job=job, until=until, reason=reason)
            case Failed(reason=reason):
                again_at = self._again_at(each)
                deliveries.fail(connection, each, job=job, reason=reason, again_at=again_at)
                if again_at is None:
                    log.warning("webhooks.dead_letter", source=each.source, issue=each.issue)

    def _again_at(self, each: Touched) -> datetime | None:
        if each.attempts + 1 >= self._settings.service.attempts:
            return None
        wait = timedelta(seconds=self._settings.service.retry_seconds * 2**each.attempts)
        return self._clock() + min(wait, LONGEST_WAIT)

    def _start_audit(self, job: str, _arguments: Mapping[str, Any]) -> None:
        self._start_run("audit", job)

    def _start_pull(self, job: str, _arguments: Mapping[str, Any]) -> None:
        self._start_run("pull", job)

    def _start_run(self, work: str, job: str) -> None:
        if not self._jobs.is_waiting(work, lane=RUNS.name, key=RUNS.name):
            self._jobs.start(work, f"{job}-run", {}, lane=RUNS.name, key=RUNS.name)

    def _audit(self, job: str, _arguments: Mapping[str, Any]) -> None:
        def run() -> str:
            done = audit(self._engine, self._settings, list(self._connectors.values()), clock=self._clock, holder=job)
            log.info("audit.done", run=done.run, job=job, written=len(done.applied.applied) if done.applied else 0)
            return done.run

        step(run, name="audit")
        self.send_digests(job)

    def send_digests(self, id: str) -> None:
        """Have every notification tell what changed: in quiet hours later, and again while it is not taken."""
        for each in self._settings.notifications:
            self._start_notify(f"{id}-{each.name}", each.name, attempt=0)

    def _start_notify(self, id: str, name: str, *, attempt: int, after: float = 0.0) -> None:
        arguments = {"name": name, "attempt": attempt}
        self._jobs.start("notify", f"{id}-digest-{attempt}", arguments, lane=NOTES.name, key=name, after=after)

    def _notify(self, job: str, arguments: Mapping[str, Any]) -> None:
        """Send one digest; later when hours are quiet, again when it was not taken."""
        name, attempt = arguments["name"], arguments["attempt"]

        def run() -> dict[str, Any]:
            results = notify(self._engine, self._settings, now=self._clock(), only=name)
            if not results:
                return {}
            (result,) = results
            until = result.until
            wait = max((until - self._clock()).total_seconds(), 0.0) + 1 if until is not None else 0.0
            return {"outcome": result.outcome.value, "reason": result.reason, "wait": wait}

        done = step(run, name="notify")
        match done.get("outcome"):
            case Outcome.HELD:
                self._start_notify(job, name, attempt=attempt, after=done["wait"])
            case Outcome.FAILED:
                log.warning("notify.failed", notification=name, attempt=attempt + 1, reason=done["reason"])
                if attempt + 1 < self._settings.service.attempts:
                    wait = min(self._settings.service.retry_seconds * 2**attempt, LONGEST_WAIT.total_seconds())
                    self._start_notify(job, name, attempt=attempt + 1, after=wait)

    def _pull(self, _job: str, _arguments: Mapping[str, Any]) -> None:
        def run() -> int:
            results = pull(
                self._engine, list(self._connectors.values()), now=self._clock(), loss_share=self._settings.loss_share
            )
            refresh(self._engine, self._settings)
            self._notice_silence()
            return sum(result.changed for result in results)

        step(run, name="pull")

    def _notice_silence(self) -> None:
        with reading(self._engine) as connection:
            found = deliveries.unannounced(connection, now=self._clock())
        for source, count in found.items():
            if deliveries.is_silent(count):
                log.warning("webhooks.silent", source=source, unannounced=count)

    def _renew(self, _job: str, _arguments: Mapping[str, Any]) -> None:
        """Webhooks that would end soon. What fails is tried again tomorrow, some two weeks long."""

        def run() -> int:
            return sum(map(self._renew_one, self._connectors.values()))

        step(run, name="renew")

    def _renew_one(self, connector: Connector) -> int:
        address = hook_address(self._settings.service.public_url, connector.name)
        try:
            renewed = renew(connector.registrar(), address, now=self._clock())
        except TrackerError as error:
            log.error("webhooks.not_renewed", source=connector.name, error=str(error))
            return 0
        for hook in renewed:
            log.info("webhooks.renewed", source=connector.name, hook=hook.id, would_have_ended=str(hook.expires_at))
        return len(renewed)

    def _clean(self, _job: str, _arguments: Mapping[str, Any]) -> None:
        before = self._clock() - timedelta(days=self._settings.service.keep_days)
        with self._engine.begin() as connection:
            deliveries.forget(connection, before=before)
        self._jobs.clean(before=before)


def settle_time(settings: Settings) -> timedelta:
    """How long after its last webhook an issue is looked at: when people have finished with it."""
    return max(
        timedelta(minutes=settings.write_back.settle_minutes if settings.write_back.mode != "off" else 0),
        timedelta(seconds=settings.service.burst_seconds),
    )


def _schedules(settings: Settings) -> list[Schedule]:
    wanted = (
        ("nightly audit", settings.service.audit_schedule, "start audit"),
        ("pull", settings.service.pull_schedule, "start pull"),
        ("clean up", "17 4 * * *", "clean"),
        ("renew webhooks", "43 3 * * *" if settings.service.public_url else "off", "renew"),
    )
    return [Schedule(name, cron, work, settings.timezone) for name, cron, work in wanted if cron != "off"]


def _facts(looked: Looked, touched: Sequence[Touched]) -> dict[str, Any]:
    kinds = Counter(type(outcome) for outcome in looked.outcomes.values())
    return {
        "issues": len(touched),
        "deliveries": sum(each.deliveries for each in touched),
        "checked": looked.checked,
        "written": looked.written,
        "held_back": looked.held_back,
        "alarms": list(looked.alarms),
        "postponed": kinds[Later],
        "failed": kinds[Failed],
    }
