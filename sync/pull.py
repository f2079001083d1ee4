"""Pulling: every source at once, every scope in turn, page by page into the store, then the census."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from backlint.connectors.contract import Connector, Reference
from backlint.errors import TokenRefused, TrackerError
from backlint.model import Presence
from backlint.sync import mappings, store
from backlint.sync.census import Census, take_census
from backlint.sync.database import reading, writing
from backlint.sync.progress import Progress, quietly
from backlint.sync.remap import SourceRemap, remap_source

log = structlog.get_logger(__name__)
T = TypeVar("T")

PAGES_AHEAD = 3  # pages made ready while one is being saved
SCOPES_AT_ONCE = 4  # of one source: while one waits for an answer that the next request needs, others go on


@dataclass(slots=True)
class SourcePull:
    """What a pull did for one source; the shape that `pull --format json` prints."""

    source: str
    tracker: str
    issues: int = 0
    changed: int = 0
    transitions: int = 0
    comments: int = 0
    deleted: int = 0
    moved: int = 0
    unreadable: int = 0
    remapped: int = 0  # stored issues that are different after a change of the mapping
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = False
    problems: list[str] = field(default_factory=list)

    def count(self, saved: store.Saved) -> None:
        self.issues += saved.issues
        self.changed += saved.changed
        self.transitions += saved.transitions
        self.comments += saved.comments
        self.unreadable += saved.unreadable

    def compare(self, census: Census) -> None:
        for saved in census.saved:
            self.count(saved)
        self.deleted += census.deleted
        self.moved += census.moved
        if census.problem is not None:
            self.problems.append(census.problem)

    def add(self, part: SourcePull) -> None:
        """What was done for one of the scopes."""
        for name in ("issues", "changed", "transitions", "comments", "deleted", "moved", "unreadable"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        self.problems += part.problems

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def pull(
    engine: sa.Engine,
    connectors: Sequence[Connector],
    *,
    now: datetime,
    full: bool = False,
    loss_share: float = 0.2,
    progress: Progress = quietly,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[SourcePull, ...]:
    """Pull all sources, each in its own thread. A tracker's failure is recorded and never stops the others."""

    def one(connector: Connector) -> SourcePull:
        result = SourcePull(connector.name, connector.tracker.value)
        began, before = clock(), (connector.usage.requests, connector.usage.bytes)
        try:
            _pull_source(engine, connector, result, now=now, full=full, loss_share=loss_share, progress=progress)
        except TrackerError as error:
            result.problems.append(str(error))
            with writing(engine) as connection:
                store.fail_source(connection, connector.name, str(error), since=now)
        result.complete = not result.problems
        result.seconds = clock() - began
        result.requests = connector.usage.requests - before[0]
        result.bytes = connector.usage.bytes - before[1]
        return result

    if not connectors:
        return ()
    run = f"pull-{uuid.uuid4().hex[:8]}"
    with writing(engine) as connection:
        store.begin_run(connection, run, "pull", now=now)
    with ThreadPoolExecutor(len(connectors), thread_name_prefix="source") as pool:
        results = tuple(pool.map(one, connectors))
    with writing(engine) as connection:
        facts = {"sources": [result.to_json() for result in results]}
        store.end_run(connection, run, now=now, outcome="done", facts=facts)
    return results


def _pull_source(
    engine: sa.Engine,
    connector: Connector,
    result: SourcePull,
    *,
    now: datetime,
    full: bool,
    loss_share: float,
    progress: Progress,
) -> None:
    reference = connector.reference()
    with writing(engine) as connection:
        store.save_source(connection, connector.name, connector.tracker, reference, now=now)
        mappings.save_facts(connection, connector.name, reference)
    if not full:
        _map_again(engine, connector, reference, result, now=now, progress=progress)

    def read(scope: str) -> tuple[str, SourcePull, set[str] | None]:
        part = SourcePull(connector.name, connector.tracker.value)
        existing: set[str] | None = None
        with _failing(engine, connector, scope, part):
            seen = _pull_scope(
                engine, connector, scope, part, mapping=reference.mapping, now=now, full=full, progress=progress
            )
            existing = seen if seen is not None else {id for ids in connector.census(scope) for id in ids}
        return scope, part, existing

    scopes = connector.scopes()
    with ThreadPoolExecutor(SCOPES_AT_ONCE, thread_name_prefix=f"scope-{connector.name}") as pool:
        under_way = [pool.submit(read, scope) for scope in scopes]
        try:
            done = [each.result() for each in under_way]
        finally:
            for each in under_way:
                each.cancel()
    # One after the other, when all are read: an issue that has gone from here may have come there.
    for scope, part, existing in done:
        if existing is not None:
            with _failing(engine, connector, scope, part):
                census = take_census(
                    engine, connector, scope, existing, mapping=reference.mapping, now=now, loss_share=loss_share
                )
                part.compare(census)
                if census.problem is not None:
                    with writing(engine) as connection:
                        store.fail_scope(connection, connector.name, scope, census.problem)
        result.add(part)
    with writing(engine) as connection:
        store.save_people(connection, connector.name, connector.people_seen())
        if full and not result.problems:
            mappings.settle_mapping(
                connection, connector.name, mapping=reference.mapping, now=now, unread=reference.unread
            )


@contextmanager
def _failing(engine: sa.Engine, connector: Connector, scope: str, part: SourcePull) -> Iterator[None]:
    """A tracker's failure ends this scope's part of the pull and says so; a refused token ends them all."""
    try:
        yield
    except TrackerError as error:
        with writing(engine) as connection:
            store.fail_scope(connection, connector.name, scope, str(error))
        log.warning("pull.scope_failed", source=connector.name, scope=scope, error=type(error).__name__)
        if isinstance(error, TokenRefused):
            raise
        part.problems.append(f"{scope}: {error}")


def _map_again(
    engine: sa.Engine,
    connector: Connector,
    reference: Reference,
    result: SourcePull,
    *,
    now: datetime,
    progress: Progress,
) -> None:
    """What is stored, by the settings of today; a pull would otherwise mix the two."""
    with reading(engine) as connection:
        state = mappings.mapping_states(connection).get(connector.name)
    if state is None or state.mapping == reference.mapping:
        return
    done = SourceRemap(connector.name)
    remap_source(
        engine, done, connector.stored(reference.facts, now=now), mapping=reference.mapping, now=now, progress=progress
    )
    result.remapped = done.changed


def _pull_scope(
    engine: sa.Engine,
    connector: Connector,
    scope: str,
    result: SourcePull,
    *,
    mapping: str,
    now: datetime,
    full: bool,
    progress: Progress,
) -> set[str] | None:
    """The ids of every issue of the scope, where the pull went through all of it; else None."""
    with writing(engine) as connection:
        cursor, is_unfinished = store.begin_scope(connection, connector.name, scope, now=now, full=full)
    seen = _pull_pages(engine, connector, scope, cursor, result, mapping=mapping, now=now, progress=progress)
    if is_unfinished:
        # What changed between the pull that was cut off and this one, behind the place where this one went on.
        with writing(engine) as connection:
            cursor, _ = store.begin_scope(connection, connector.name, scope, now=now, full=False)
        _pull_pages(engine, connector, scope, cursor, result, mapping=mapping, now=now, progress=progress)
    return seen


def _pull_pages(
    engine: sa.Engine,
    connector: Connector,
    scope: str,
    cursor: str | None,
    result: SourcePull,
    *,
    mapping: str,
    now: datetime,
    progress: Progress,
) -> set[str] | None:
    done = 0
    seen: set[str] = set()
    for page in ahead(connector.pull(scope, cursor), depth=PAGES_AHEAD):
        with writing(engine) as connection:
            saved = store.save_page(connection, connector.name, scope, page, mapping=mapping, now=now)
        done += saved.issues
        seen.update(each.issue.id for each in page.issues if each.issue.presence is Presence.PRESENT)
        seen.update(each.id for each in page.quarantined)
        result.count(saved)
        progress(source=connector.name, scope=scope, done=done, expected=page.expected)
        for bad in page.quarantined:
            log.warning("pull.quarantined", source=connector.name, issue=bad.issue, path=bad.path)
    return seen if cursor is None else None


def ahead(items: Iterator[T], *, depth: int) -> Iterator[T]:
    """The same items, made in a thread of their own while the caller works; its error rises at its place."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(kind: str, value: Any) -> None:
        while not stopped.is_set():
            try:
                waiting.put((kind, value), timeout=0.1)
            except queue.Full:
                continue
            return

    def fill() -> None:
        try:
            for item in items:
                offer("item", item)
                if stopped.is_set():
                    return
            offer("end", None)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            offer("error", error)

    thread = threading.Thread(target=fill, name="pull-ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        thread.join()
