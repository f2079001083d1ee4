"""Pages of what is stored, for the API: runs, issues, findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.sync import tables as t

Rows = tuple[Mapping[str, Any], ...]


def runs(connection: Connection, *, kind: str | None, limit: int, offset: int) -> Rows:
    """Newest first."""
    query = sa.select(t.runs).order_by(t.runs.c.started_at.desc(), t.runs.c.id)
    if kind is not None:
        query = query.where(t.runs.c.kind == kind)
    return _rows(connection, query, limit, offset)


def alarms(connection: Connection, *, since: datetime) -> tuple[str, ...]:
    """What runs since then refused to write because it was too much, each once, the newest first."""
    query = sa.select(t.runs.c.facts).where(t.runs.c.started_at >= since, t.runs.c.kind.in_(("webhook", "audit")))
    found = connection.execute(query.order_by(t.runs.c.started_at.desc())).scalars()
    return tuple(dict.fromkeys(alarm for facts in found for alarm in (facts or {}).get("alarms", ())))


def issues(connection: Connection, *, source: str | None, limit: int, offset: int) -> Rows:
    columns = [
        t.issues.c[name]
        for name in ("source", "id", "key", "url", "project", "team", "type", "title", "status_name", "updated_at",
                     "presence")
    ]  # fmt: skip
    query = sa.select(*columns).order_by(t.issues.c.source, t.issues.c.key, t.issues.c.id)
    if source is not None:
        query = query.where(t.issues.c.source == source)
    return _rows(connection, query, limit, offset)


def issue_id(connection: Connection, source: str, reference: str) -> str | None:
    """The id of an issue by id, key or former key."""
    by_issue = sa.select(t.issues.c.id).where(
        t.issues.c.source == source, sa.or_(t.issues.c.id == reference, t.issues.c.key == reference)
    )
    found = connection.execute(by_issue).scalar()
    if found is None:
        former = sa.select(t.aliases.c.issue).where(t.aliases.c.source == source, t.aliases.c.alias == reference)
        found = connection.execute(former).scalar()
    return found


def findings(
    connection: Connection,
    *,
    source: str | None = None,
    issue: str | None = None,
    rule: str | None = None,
    state: str | None = "open",
    limit: int = 1000,
    offset: int = 0,
) -> Rows:
    """With the key of the issue; None for what is about a team, a sprint or a project."""
    query = (
        sa.select(t.findings, t.issues.c.key, t.issues.c.url)
        .outerjoin(t.issues, sa.and_(t.issues.c.source == t.findings.c.source, t.issues.c.id == t.findings.c.issue))
        .order_by(t.findings.c.opened_at.desc(), t.findings.c.fingerprint)
    )
    for column, value in (("source", source), ("issue", issue), ("rule", rule), ("state", state)):
        if value is not None:
            query = query.where(t.findings.c[column] == value)
    return _rows(connection, query, limit, offset)


def writes(
    connection: Connection,
    *,
    source: str | None = None,
    run: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Iterator[dict[str, Any]]:
    """The log of everything that was written to trackers or was to be, oldest first: when, why, and what came of it.

    `state`: wanted (recorded, not sent), sent (no answer recorded yet), confirmed, failed, dropped (its run ended
    before it was sent), undone (by `backlint undo`). `because` are the codes of the rules whose findings asked for it.
    """
    there = sa.and_(t.issues.c.source == t.writes.c.source, t.issues.c.id == t.writes.c.issue)
    query = (
        sa.select(t.writes, t.issues.c.key, t.issues.c.url, t.issues.c.project)
        .outerjoin(t.issues, there)
        .order_by(t.writes.c.wanted_at, t.writes.c.run, t.writes.c.position)
        .limit(limit)
        .offset(offset)
    )
    for column, value in (("source", source), ("run", run)):
        if value is not None:
            query = query.where(t.writes.c[column] == value)
    for row in connection.execute(query).mappings():
        yield {name: row[name] for name in WRITE_FIELDS}


WRITE_FIELDS = (
    "id", "run", "source", "issue", "key", "url", "project", "kind", "label", "body", "because", "state", "reason",
    "comment", "wanted_at", "sent_at", "settled_at",
)  # fmt: skip


def _rows(connection: Connection, query: sa.Select[Any], limit: int, offset: int) -> Rows:
    return tuple(dict(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings())
