"""The outbox and what it remembers: every write before it is sent, what was confirmed, and what people took back."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.model import Comment, Issue
from backlint.sync import comment as managed
from backlint.sync import tables as t
from backlint.sync import verdicts
from backlint.sync.plan import Change, ChangeKind, Override, Spent, Written, folded
from backlint.sync.store import CHUNK, comment_row, upsert

WANTED, SENT, CONFIRMED, FAILED, DROPPED, UNDONE = "wanted", "sent", "confirmed", "failed", "dropped", "undone"
STANDING = (WANTED, SENT, CONFIRMED)  # what is in the tracker, or may come to be


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the outbox. Its `id` is a UUID and doubles as the key that makes a repeated comment harmless."""

    id: str
    run: str
    state: str
    change: Change
    comment: str | None = None
    digest: str | None = None
    settled_at: datetime | None = None


def want(connection: Connection, run: str, changes: Sequence[Change], *, now: datetime) -> tuple[Row, ...]:
    """Record the changes of a run before the first of them is sent."""
    rows = tuple(Row(str(uuid.uuid4()), run, WANTED, change) for change in changes)
    if rows:
        connection.execute(
            t.writes.insert(),
            [
                {
                    "id": row.id, "run": run, "position": position, "source": row.change.source,
                    "issue": row.change.issue, "kind": row.change.kind.value, "label": row.change.label,
                    "body": row.change.body, "because": list(row.change.because), "state": WANTED, "wanted_at": now,
                }
                for position, row in enumerate(rows)
            ],
        )  # fmt: skip
    return rows


def mark_sent(connection: Connection, row: Row, *, now: datetime) -> None:
    _set(connection, row, state=SENT, sent_at=now)


def settle(
    connection: Connection,
    row: Row,
    state: str,
    *,
    now: datetime,
    comment: Comment | None = None,
    reason: str | None = None,
) -> None:
    """The end of a row; a confirmed one is carried into the stored issue, so that the next plan knows it."""
    _set(
        connection,
        row,
        state=state,
        settled_at=now,
        reason=reason,
        comment=comment.id if comment else None,
        digest=managed.digest(comment) if comment else None,
    )
    if state == CONFIRMED:
        _carry(connection, row.change, comment)


def _set(connection: Connection, row: Row, **values: Any) -> None:
    connection.execute(sa.update(t.writes).where(t.writes.c.id == row.id).values(**values))


def _carry(connection: Connection, change: Change, comment: Comment | None) -> None:
    verdicts.forget(connection, change.source, change.issue)
    here = {"source": change.source, "issue": change.issue}
    match change.kind:
        case ChangeKind.ADD_LABEL:
            upsert(connection, t.labels, [{**here, "label": change.label}])
        case ChangeKind.REMOVE_LABEL:
            connection.execute(_delete(t.labels, change).where(t.labels.c.label == change.label))
        case ChangeKind.PUT_COMMENT if comment is not None:
            position = _next_position(connection, change)
            upsert(connection, t.comments, [comment_row(change.source, change.issue, position, comment)])
        case ChangeKind.DELETE_COMMENT:
            connection.execute(_delete(t.comments, change).where(t.comments.c.is_own.is_(True)))
        case _:
            pass


def _delete(table: sa.Table, change: Change) -> sa.Delete:
    return sa.delete(table).where(table.c.source == change.source, table.c.issue == change.issue)


def _next_position(connection: Connection, change: Change) -> int:
    query = sa.select(sa.func.max(t.comments.c.position)).where(
        t.comments.c.source == change.source, t.comments.c.issue == change.issue
    )
    return int(connection.execute(query).scalar() or 0) + 1


def unsettled(connection: Connection) -> tuple[Row, ...]:
    """Rows that were sent without a recorded answer: only the tracker knows what became of them."""
    return _rows(connection, sa.select(t.writes).where(t.writes.c.state == SENT).order_by(t.writes.c.sent_at))


def drop_unsent(
    connection: Connection,
    *,
    now: datetime,
    only: Collection[tuple[str, str]] | None = None,
    leave: Collection[tuple[str, str]] = (),
) -> int:
    """Rows of a run that ended before they were sent; the next plan wants them again if they still hold."""
    query = sa.select(t.writes.c.id, t.writes.c.source, t.writes.c.issue).where(t.writes.c.state == WANTED)
    ids = [
        row.id
        for row in connection.execute(query)
        if (only is None or (row.source, row.issue) in only) and (row.source, row.issue) not in leave
    ]
    for start in range(0, len(ids), CHUNK):
        connection.execute(
            sa.update(t.writes)
            .where(t.writes.c.id.in_(ids[start : start + CHUNK]))
            .values(state=DROPPED, settled_at=now, reason="the run ended before this was sent")
        )
    return len(ids)


def of_run(connection: Connection, run: str) -> tuple[Row, ...]:
    return _rows(connection, sa.select(t.writes).where(t.writes.c.run == run).order_by(t.writes.c.position))


def _rows(connection: Connection, query: sa.Select[Any]) -> tuple[Row, ...]:
    keys = {
        (row.source, row.id): row.key
        for row in connection.execute(sa.select(t.issues.c.source, t.issues.c.id, t.issues.c.key))
    }
    return tuple(
        Row(
            id=row.id,
            run=row.run,
            state=row.state,
            comment=row.comment,
            digest=row.digest,
            settled_at=row.settled_at,
            change=Change(
                source=row.source,
                issue=row.issue,
                key=keys.get((row.source, row.issue), row.issue),
                kind=ChangeKind(row.kind),
                because=tuple(row.because),
                label=row.label,
                body=row.body,
            ),
        )
        for row in connection.execute(query)
    )


def written(connection: Connection) -> dict[tuple[str, str], tuple[Written, ...]]:
    """Everything confirmed and not undone, by issue, oldest first."""
    found: dict[tuple[str, str], list[Written]] = defaultdict(list)
    query = (
        sa.select(t.writes).where(t.writes.c.state == CONFIRMED).order_by(t.writes.c.settled_at, t.writes.c.position)
    )
    for row in connection.execute(query):
        found[row.source, row.issue].append(
            Written(
                kind=ChangeKind(row.kind),
                at=row.settled_at,
                because=tuple(row.because),
                label=row.label,
                body=row.body,
                comment=row.comment,
                digest=row.digest,
            )
        )
    return {issue: tuple(each) for issue, each in found.items()}


def recently_written(connection: Connection, since: datetime) -> set[tuple[str, str]]:
    """(source, issue) of every write that was sent since then, whatever became of it."""
    query = sa.select(t.writes.c.source, t.writes.c.issue).where(t.writes.c.sent_at >= since)
    return {(row.source, row.issue) for row in connection.execute(query)}


def count_writes(connection: Connection) -> dict[tuple[str, str, str], int]:
    """By (source, kind, state)."""
    by = t.writes.c.source, t.writes.c.kind, t.writes.c.state
    rows = connection.execute(sa.select(*by, sa.func.count()).group_by(*by))
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def comments_since(connection: Connection, since: datetime) -> tuple[tuple[str, str], ...]:
    """(source, issue) of every comment written since then, or about to be."""
    query = sa.select(t.writes.c.source, t.writes.c.issue).where(
        t.writes.c.state.in_(STANDING), t.writes.c.kind == ChangeKind.PUT_COMMENT.value, t.writes.c.wanted_at >= since
    )
    return tuple((row.source, row.issue) for row in connection.execute(query))


def spent_by_webhooks(connection: Connection, since: datetime, *, until: datetime) -> Spent:
    """What the jobs of webhooks wrote since then, or are about to."""
    project = sa.func.coalesce(sa.func.nullif(t.issues.c.project, ""), t.issues.c.team, "").label("project")
    query = (
        sa.select(t.writes.c.source, project, t.writes.c.issue, t.writes.c.kind)
        .join(t.runs, t.runs.c.id == t.writes.c.run)
        .join(t.issues, sa.and_(t.issues.c.source == t.writes.c.source, t.issues.c.id == t.writes.c.issue))
        .where(t.runs.c.kind == "webhook", t.writes.c.state.in_(STANDING), t.writes.c.wanted_at >= since)
    )
    labels: Counter[tuple[str, str]] = Counter()
    comments: Counter[tuple[str, str]] = Counter()
    issues: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in connection.execute(query):
        where = row.source, row.project
        (labels if ChangeKind(row.kind).is_label else comments)[where] += 1
        issues[where].add(row.issue)
    return Spent(
        labels=labels,
        comments=comments,
        issues={where: frozenset(found) for where, found in issues.items()},
        until=until,
    )


# -- what people took back -------------------------------------------------------------------------------------------


def overrides(connection: Connection) -> dict[tuple[str, str], tuple[Override, ...]]:
    found: dict[tuple[str, str], list[Override]] = defaultdict(list)
    for row in connection.execute(sa.select(t.overrides).order_by(t.overrides.c.subject)):
        found[row.source, row.issue].append(Override(row.subject, tuple(row.because), row.noticed_at))
    return {issue: tuple(each) for issue, each in found.items()}


def note_overrides(connection: Connection, issues: Iterable[Issue], *, now: datetime) -> int:
    """Store what people took back since our writes: labels that are gone, comments deleted or edited.

    Only issues read from the tracker after the write count, so that a slow pull is not taken for a person.
    """
    log = written(connection)
    columns = t.issues.c.source, t.issues.c.id, t.issues.c.pulled_at
    read_at = {(row.source, row.id): row.pulled_at for row in connection.execute(sa.select(*columns))}
    known = overrides(connection)
    fresh = [
        override
        for issue in issues
        if issue.identity in log
        for override in _taken_back(issue, log[issue.identity], read_at.get(issue.identity), now)
    ]
    rows = [
        {**_identity(issue), "subject": each.subject, "because": list(each.because), "noticed_at": each.noticed_at}
        for issue, each, since in fresh
        if not any(old.subject == each.subject and old.noticed_at >= since for old in known.get(issue, ()))
    ]
    upsert(connection, t.overrides, rows)
    return len(rows)


def add_override(connection: Connection, change: Change, *, now: datetime) -> None:
    """An undone write stays undone."""
    subject = change.label if change.kind.is_label else "comment"
    row = {
        "source": change.source,
        "issue": change.issue,
        "subject": subject,
        "because": list(change.because),
        "noticed_at": now,
    }
    upsert(connection, t.overrides, [row])


def _identity(issue: tuple[str, str]) -> Mapping[str, str]:
    return {"source": issue[0], "issue": issue[1]}


def _taken_back(
    issue: Issue, log: Sequence[Written], read_at: datetime | None, now: datetime
) -> list[tuple[tuple[str, str], Override, datetime]]:
    found: list[tuple[tuple[str, str], Override, datetime]] = []
    labels = {each.label: each for each in log if each.label is not None}
    for label, last in labels.items():
        if (
            last.kind is ChangeKind.ADD_LABEL
            and label.casefold() not in folded(issue.labels)
            and _is_later(read_at, last.at)
        ):
            found.append((issue.identity, Override(label or "", last.because, now), last.at))
    comment = next((each for each in reversed(log) if not each.kind.is_label), None)
    if comment is None or comment.kind is not ChangeKind.PUT_COMMENT or not _is_later(read_at, comment.at):
        return found
    standing = next((each for each in issue.comments if each.is_own), None)
    if standing is None or (comment.digest is not None and managed.digest(standing) != comment.digest):
        found.append((issue.identity, Override("comment", comment.because, now), comment.at))
    return found


def _is_later(read_at: datetime | None, written_at: datetime) -> bool:
    return read_at is not None and read_at > written_at


def forget(connection: Connection, change: Change) -> None:
    """Carry an undone write back into the stored issue."""
    verdicts.forget(connection, change.source, change.issue)
    match change.kind:
        case ChangeKind.ADD_LABEL:
            connection.execute(_delete(t.labels, change).where(t.labels.c.label == change.label))
        case ChangeKind.REMOVE_LABEL:
            upsert(connection, t.labels, [{"source": change.source, "issue": change.issue, "label": change.label}])
        case ChangeKind.PUT_COMMENT:
            connection.execute(_delete(t.comments, change).where(t.comments.c.is_own.is_(True)))
        case ChangeKind.DELETE_COMMENT:
            pass
