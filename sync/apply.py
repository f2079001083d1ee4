"""Carrying a plan out, once: each change is recorded, the issue is read again, then the write is sent and confirmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa
import structlog

from backlint.connectors.contract import Connector
from backlint.errors import TrackerDown, TrackerError
from backlint.model import Comment, Issue
from backlint.sync import comment as managed
from backlint.sync import store, writes
from backlint.sync.database import reading
from backlint.sync.plan import Change, ChangeKind, Written, folded
from backlint.sync.writes import CONFIRMED, DROPPED, FAILED, UNDONE, Row

log = structlog.get_logger(__name__)

ISSUES_AT_ONCE = 4  # per source; trackers ask for few concurrent writes
MOVED_ON = "changed in the tracker since the check; the next run looks again"
EDITED = "a person edited the comment"
BUSY = "a webhook's job is at work on it"

Clock = Callable[[], datetime]
Advance = Callable[[], None]
Identity = tuple[str, str]
Hold = Callable[[Identity], AbstractContextManager[bool]]


def unshared(_issue: Identity) -> AbstractContextManager[bool]:
    """Nobody else writes to the issue meanwhile, or the caller saw to that."""
    return nullcontext(True)


@dataclass(slots=True)
class Applied:
    """What a run wrote; the shape that `apply --format json` prints."""

    run: str
    applied: list[Change] = field(default_factory=list)
    already: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, str]] = field(default_factory=list)
    held_back: list[tuple[Change, str]] = field(default_factory=list)
    unanswered: set[Identity] = field(default_factory=set)  # of issues with failed changes: their tracker was away
    _lock: Lock = field(default_factory=Lock, repr=False)

    def note(self, change: Change, state: str, why: str = "") -> None:
        with self._lock:
            match state:
                case "applied":
                    self.applied.append(change)
                case "already":
                    self.already.append(change)
                case "failed":
                    self.failed.append((change, why))
                case _:
                    self.held_back.append((change, why))


def apply(
    engine: sa.Engine,
    changes: Sequence[Change],
    connectors: Mapping[str, Connector],
    *,
    run: str,
    clock: Clock,
    advance: Advance = lambda: None,
    hold: Hold = unshared,
    rows: Sequence[Row] | None = None,
) -> Applied:
    """Write the changes. A failing issue never stops the others; a refused token stops its source.

    `hold` keeps other processes off an issue while it is written to; False where one of them is at it. `rows` are the
    changes where they are recorded already.
    """
    result = Applied(run)
    if rows is None:
        with engine.begin() as connection:
            rows = writes.want(connection, run, changes, now=clock())
    with reading(engine) as connection:
        stored = _stored(connection, changes)
        log_ = writes.written(connection)
    for source, of_source in _by(rows, lambda row: row.change.source).items():
        work = _Work(engine, connectors[source], stored, log_, result, clock, advance, hold)
        groups = list(_by(of_source, lambda row: row.change.issue).values())
        with ThreadPoolExecutor(ISSUES_AT_ONCE, thread_name_prefix=f"apply-{source}") as pool:
            list(pool.map(work.issue, groups))
    return result


def settle_unsettled(
    engine: sa.Engine,
    connectors: Mapping[str, Connector],
    *,
    clock: Clock,
    only: Collection[Identity] | None = None,
    leave: Collection[Identity] = (),
) -> int:
    """After a crash: ask the trackers what became of every write that was sent and has no recorded answer.

    What arrived is confirmed; what did not is dropped, and the next plan wants it again if it still holds.
    `only` looks at these issues; `leave` are those that somebody is writing to now.
    """
    with reading(engine) as connection:
        rows = [
            row
            for row in writes.unsettled(connection)
            if (only is None or _issue_of(row) in only) and _issue_of(row) not in leave
        ]
        stored = _stored(connection, [row.change for row in rows])
        before = writes.written(connection) if rows else {}
    for row in rows:
        connector = connectors.get(row.change.source)
        issue = stored.get((row.change.source, row.change.issue))
        if connector is None or issue is None:
            continue
        try:
            fresh = connector.read(issue)
            arrived, comment = _arrived(connector, fresh, row, before.get(_issue_of(row), ()))
        except TrackerDown:
            continue  # still unsettled; the next run asks again
        except TrackerError as error:
            with engine.begin() as connection:
                writes.settle(connection, row, FAILED, now=clock(), reason=str(error))
            continue
        with engine.begin() as connection:
            writes.settle(
                connection,
                row,
                CONFIRMED if arrived else DROPPED,
                now=clock(),
                comment=comment,
                reason=None if arrived else "the answer was lost and the write never arrived",
            )
    with engine.begin() as connection:
        writes.drop_unsent(connection, now=clock(), only=only, leave=leave)
    return len(rows)


def _issue_of(row: Row) -> Identity:
    return row.change.source, row.change.issue


def undo(
    engine: sa.Engine, run: str, connectors: Mapping[str, Connector], *, clock: Clock
) -> tuple[list[Change], list[tuple[Change, str]]]:
    """Take a run's writes back where nobody touched them since; returns what was undone and what was left, and why.

    What is undone stays away, as if a person had removed it.
    """
    with reading(engine) as connection:
        rows = [row for row in writes.of_run(connection, run) if row.state == CONFIRMED]
        stored = _stored(connection, [row.change for row in rows])
        later = writes.written(connection)
    undone: list[Change] = []
    left: list[tuple[Change, str]] = []
    for row in reversed(rows):
        change = row.change
        issue = stored.get((change.source, change.issue))
        if issue is None or change.source not in connectors:
            left.append((change, "its source is not configured"))
            continue
        try:
            why = _take_back(connectors[change.source], issue, row, later[change.source, change.issue])
        except TrackerError as error:
            why = str(error)
        if why is not None:
            left.append((change, why))
            continue
        with engine.begin() as connection:
            writes.settle(connection, row, UNDONE, now=clock())
            writes.add_override(connection, change, now=clock())
            writes.forget(connection, change)
        undone.append(change)
    return undone, left


# -- one issue ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Work:
    engine: sa.Engine
    connector: Connector
    stored: Mapping[tuple[str, str], Issue]
    log: Mapping[tuple[str, str], Sequence[Any]]
    result: Applied
    clock: Clock
    advance: Advance
    hold: Hold = unshared

    def issue(self, rows: Sequence[Row]) -> None:
        """All changes of one issue, unless another process is at it."""
        with self.hold(_issue_of(rows[0])) as is_free:
            if is_free:
                self._issue(rows)
                return
        for row in rows:
            self._end(row, DROPPED, "held_back", BUSY)

    def _issue(self, rows: Sequence[Row]) -> None:
        """After one fresh look at it."""
        identity = _issue_of(rows[0])
        known = self.stored[identity]
        try:
            fresh = self.connector.read(known)
        except TrackerError as error:
            for row in rows:
                self._end(row, FAILED, "failed", str(error))
            if isinstance(error, TrackerDown):
                self.result.unanswered.add(identity)
            return
        if _moved_on(known, fresh):
            for row in rows:
                self._end(row, DROPPED, "held_back", MOVED_ON)
            return
        for row in rows:
            try:
                self._write(row, fresh)
            except TrackerDown as error:
                # It may have arrived: the row stays as it is, and `settle_unsettled` asks before the next try.
                self._unanswered(row, str(error))
            except TrackerError as error:
                log.warning("apply.failed", source=identity[0], issue=identity[1], kind=row.change.kind.value)
                self._end(row, FAILED, "failed", str(error))

    def _write(self, row: Row, fresh: Issue) -> None:
        change = row.change
        if change.kind.is_label and _has_label(fresh, change) is (change.kind is ChangeKind.ADD_LABEL):
            self._end(row, DROPPED, "already", "somebody was there first")
            return
        if change.kind is ChangeKind.PUT_COMMENT:
            self._put_comment(row, fresh)
            return
        self._sent(row)
        match change.kind:
            case ChangeKind.ADD_LABEL:
                self.connector.add_label(fresh, change.label or "")
            case ChangeKind.REMOVE_LABEL:
                self.connector.remove_label(fresh, change.label or "")
            case _:
                for comment in self.connector.managed_comments(fresh):
                    self.connector.delete_comment(fresh, comment)
        self._end(row, CONFIRMED, "applied")

    def _put_comment(self, row: Row, fresh: Issue) -> None:
        standing, *extra = self.connector.managed_comments(fresh) or (None,)
        for doubled in extra:  # two runs at once: the oldest stays
            if doubled is not None:
                self.connector.delete_comment(fresh, doubled)
        if standing is not None and self._is_edited(standing, fresh):
            self._end(row, DROPPED, "held_back", EDITED)
            return
        self._sent(row)
        if standing is not None:
            comment = self.connector.update_comment(fresh, standing, row.change.body or "")
        else:
            comment = self._create(row, fresh)
        self._end(row, CONFIRMED, "applied", comment=comment)

    def _create(self, row: Row, fresh: Issue) -> Comment:
        try:
            return self.connector.create_comment(fresh, row.change.body or "", key=row.id)
        except TrackerDown:
            arrived = self.connector.managed_comments(fresh)
            if not arrived:
                raise
            return arrived[0]

    def _is_edited(self, standing: Comment, fresh: Issue) -> bool:
        last = next((each for each in reversed(self.log.get(fresh.identity, ())) if not each.kind.is_label), None)
        return last is not None and last.digest is not None and last.digest != managed.digest(standing)

    def _sent(self, row: Row) -> None:
        with self.engine.begin() as connection:
            writes.mark_sent(connection, row, now=self.clock())

    def _unanswered(self, row: Row, why: str) -> None:
        self.result.unanswered.add(_issue_of(row))
        self.result.note(row.change, "failed", why)
        self.advance()

    def _end(self, row: Row, state: str, outcome: str, why: str = "", *, comment: Comment | None = None) -> None:
        with self.engine.begin() as connection:
            writes.settle(connection, row, state, now=self.clock(), comment=comment, reason=why or None)
        self.result.note(row.change, outcome, why)
        self.advance()


def _moved_on(known: Issue, fresh: Issue) -> bool:
    """Whether a person changed what findings rest on between the pull and now."""
    names = ("title", "body", "resolution", "assignees", "estimate", "parent")
    return known.status.id != fresh.status.id or any(getattr(known, name) != getattr(fresh, name) for name in names)


def _has_label(fresh: Issue, change: Change) -> bool:
    return (change.label or "").casefold() in folded(fresh.labels)


def _arrived(connector: Connector, fresh: Issue, row: Row, before: Sequence[Written]) -> tuple[bool, Comment | None]:
    """Whether the tracker shows what the write wanted; a comment that says what it said before was not changed."""
    change = row.change
    match change.kind:
        case ChangeKind.ADD_LABEL:
            return _has_label(fresh, change), None
        case ChangeKind.REMOVE_LABEL:
            return not _has_label(fresh, change), None
        case ChangeKind.PUT_COMMENT:
            own = next(iter(connector.managed_comments(fresh)), None)
            last = next((each for each in reversed(before) if not each.kind.is_label), None)
            is_as_before = own is not None and last is not None and last.digest == managed.digest(own)
            return own is not None and not is_as_before, own
        case ChangeKind.DELETE_COMMENT:
            return not connector.managed_comments(fresh), None


def _take_back(connector: Connector, issue: Issue, row: Row, log_: Sequence[Any]) -> str | None:
    """Undo one write; the reason when it must not be."""
    change = row.change
    fresh = connector.read(issue)
    later = [each for each in log_ if row.settled_at is not None and each.at > row.settled_at]
    if any(each.label == change.label and each.kind.is_label == change.kind.is_label for each in later):
        return "a later run wrote it again"
    match change.kind:
        case ChangeKind.ADD_LABEL:
            connector.remove_label(fresh, change.label or "")
        case ChangeKind.REMOVE_LABEL:
            connector.add_label(fresh, change.label or "")
        case ChangeKind.PUT_COMMENT:
            standing = next(iter(connector.managed_comments(fresh)), None)
            if standing is not None and managed.digest(standing) != row.digest:
                return EDITED
            before = [each for each in log_ if not each.kind.is_label and row.settled_at and each.at < row.settled_at]
            if standing is not None and before and before[-1].body:
                connector.update_comment(fresh, standing, before[-1].body)
            elif standing is not None:
                connector.delete_comment(fresh, standing)
        case ChangeKind.DELETE_COMMENT:
            return "a deleted comment is not written again"
    return None


def _stored(connection: sa.Connection, changes: Iterable[Change]) -> dict[tuple[str, str], Issue]:
    found: dict[tuple[str, str], Issue] = {}
    for source, of_source in _by(changes, lambda change: change.source).items():
        ids = sorted({change.issue for change in of_source})
        found |= {issue.identity: issue for issue in store.load_issues(connection, source=source, ids=ids)}
    return found


def _by(values: Iterable[Any], key: Callable[[Any], str]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups
