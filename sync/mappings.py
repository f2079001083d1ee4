"""The queries behind mapping again: the payloads, what mapping them takes, and the issues in their new form."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.connectors.contract import Quarantined, Reference
from backlint.model import Issue
from backlint.sync import tables as t
from backlint.sync.store import chunks, digest, issue_row, save_quarantine, upsert, write_issues


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingState:
    """How the payloads of a source became issues: see `tables.mappings`."""

    facts: bytes
    mapping: str
    unread: tuple[str, ...]


def mapping_states(connection: Connection) -> dict[str, MappingState]:
    """By source; sources that no pull of this version has read are missing."""
    return {
        row.source: MappingState(facts=zlib.decompress(row.facts), mapping=row.mapping, unread=tuple(row.unread))
        for row in connection.execute(sa.select(t.mappings))
    }


def mapping_digests(connection: Connection) -> dict[str, str]:
    """By source, the settings that its payloads are mapped with."""
    query = sa.select(t.mappings.c.source, t.mappings.c.mapping)
    return {row.source: row.mapping for row in connection.execute(query)}


def save_facts(connection: Connection, source: str, reference: Reference) -> None:
    """The facts of a pull that begins. What is stored already was mapped as before, and lacks what it lacked."""
    if not reference.facts:
        return
    row = connection.execute(sa.select(t.mappings).where(t.mappings.c.source == source)).first()
    is_empty = connection.execute(sa.select(t.issues.c.id).where(t.issues.c.source == source).limit(1)).first() is None
    before = "" if row is None else row.mapping
    known = [] if row is None or is_empty else row.unread
    values = {
        "source": source,
        "facts": zlib.compress(reference.facts, 3),
        "mapping": reference.mapping if is_empty else before,
        "unread": sorted({*known, *reference.unread}),
        "mapped_at": None if row is None else row.mapped_at,
    }
    upsert(connection, t.mappings, [values])


def settle_mapping(
    connection: Connection, source: str, *, mapping: str, now: datetime, unread: Sequence[str] | None = None
) -> None:
    """All payloads are mapped with these settings now. `unread` replaces what was, if all were read afresh."""
    values: dict[str, Any] = {"mapping": mapping, "mapped_at": now}
    values |= {} if unread is None else {"unread": sorted(unread)}
    connection.execute(sa.update(t.mappings).where(t.mappings.c.source == source).values(**values))


def payload_counts(connection: Connection, source: str) -> tuple[int, int]:
    """Issues with a payload, and issues without one."""
    joined = sa.outerjoin(
        t.issues, t.payloads, sa.and_(t.payloads.c.source == t.issues.c.source, t.payloads.c.issue == t.issues.c.id)
    )
    query = sa.select(sa.func.count(t.payloads.c.issue), sa.func.count()).select_from(joined)
    having, every = connection.execute(query.where(t.issues.c.source == source)).one()
    return having, every - having


def payloads_behind(connection: Connection, source: str, last: str, *, limit: int) -> list[tuple[str, bytes]]:
    """(issue id, payload), the next ones in the order of ids. Held against other writers until the transaction ends."""
    query = (
        sa.select(t.payloads.c.issue, t.payloads.c.body)
        .where(t.payloads.c.source == source, t.payloads.c.issue > last)
        .order_by(t.payloads.c.issue)
        .limit(limit)
        .with_for_update()
    )
    return [(row.issue, zlib.decompress(row.body)) for row in connection.execute(query)]


def quarantined_payloads(connection: Connection, source: str) -> list[tuple[str, bytes]]:
    """(scope, payload) of what could not be read, where there is a payload."""
    query = sa.select(t.quarantine.c.scope, t.quarantine.c.raw).where(t.quarantine.c.source == source)
    rows = connection.execute(query.order_by(t.quarantine.c.issue))
    return [(row.scope, raw) for row in rows if (raw := zlib.decompress(row.raw))]


def save_remapped(connection: Connection, source: str, issues: Sequence[Issue]) -> int:
    """Stored issues in their new form. Where and when they were read and whether they still exist stays as it was.

    Returns how many of those that still exist are different now.
    """
    of_row = ("scope", "presence", "digest", "pulled_at", "unlisted_at", "is_archived")
    columns = (t.issues.c.id, *(t.issues.c[name] for name in of_row))
    kept: dict[str, Any] = {}
    for chunk in chunks(issue.id for issue in issues):
        query = sa.select(*columns).where(t.issues.c.source == source, t.issues.c.id.in_(chunk))
        kept |= {row.id: row for row in connection.execute(query)}
    digests = {issue.id: digest(issue) for issue in issues}
    changed = [issue for issue in issues if issue.id in kept and kept[issue.id].digest != digests[issue.id]]
    rows = []
    for issue in changed:
        was = kept[issue.id]
        row = issue_row(issue, was.scope, digests[issue.id] if was.digest else "", was.pulled_at)
        is_archived = was.is_archived if was.unlisted_at is not None else issue.is_archived
        kept_as_is = {"presence": was.presence, "unlisted_at": was.unlisted_at, "is_archived": is_archived}
        rows.append({**row, **kept_as_is})
    write_issues(connection, source, changed, rows)
    return sum(1 for issue in changed if kept[issue.id].digest)


def quarantine_stored(
    connection: Connection, source: str, unreadable: Sequence[tuple[str, Quarantined]], *, now: datetime
) -> None:
    """Payloads, each with its issue's id, that cannot be read as they are mapped now; the issues stay as they were."""
    scopes: dict[str, str] = {}
    for chunk in chunks(id for id, _ in unreadable):
        query = sa.select(t.issues.c.id, t.issues.c.scope).where(t.issues.c.source == source, t.issues.c.id.in_(chunk))
        scopes |= {row.id: row.scope for row in connection.execute(query)}
    for id, each in unreadable:
        save_quarantine(connection, source, scopes.get(id, ""), [each], now)
