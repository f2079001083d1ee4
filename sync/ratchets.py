"""The ratchet: in each project a rule may find no more than it ever has (catalogue 9). Its marks only fall."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.model import Presence
from backlint.sync import tables as t
from backlint.sync.store import CHUNK, upsert

Key = tuple[str, str, str]  # source, project, rule; project "" holds teams, sprints and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The lowest count so far, since when, and under which rules."""

    mark: int
    rules_version: str
    moved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """A rule that finds more than its mark allows; `new` are the keys with findings that came, or came back, since."""

    source: str
    project: str
    rule: str
    mark: int
    count: int
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a check made of the ratchet. `reset_from`: the rules version whose marks were begun anew."""

    exceeded: tuple[Exceeded, ...] = ()
    fallen: int = 0
    reset_from: str | None = None


NO_TURN = Turn()


def turn(
    connection: Connection,
    codes: Collection[str],
    *,
    rules_version: str,
    tolerance: int,
    unread: Collection[str],
    now: datetime,
) -> Turn:
    """Compare the open, unwaived findings of these rules with the marks, and let the marks fall.

    `unread` are sources that were not read completely: their marks stay. Another version of the rules begins anew.
    """
    known = marks(connection)
    found = counts(connection, codes)
    exceeded: list[Exceeded] = []
    rows: list[dict[str, Any]] = []
    fallen, reset_from = 0, None
    for key in _keys(connection, codes):
        if key[0] in unread:
            continue
        count, before = found.get(key, 0), known.get(key)
        if before is None or before.rules_version != rules_version:
            reset_from = before.rules_version if before is not None else reset_from
            rows.append(_row(key, count, rules_version, now))
        elif count < before.mark:
            fallen += 1
            rows.append(_row(key, count, rules_version, now))
        elif count > before.mark + tolerance:
            exceeded.append(_exceeded(connection, key, before, count))
    for start in range(0, len(rows), CHUNK):
        upsert(connection, t.ratchets, rows[start : start + CHUNK])
    return Turn(exceeded=tuple(exceeded), fallen=fallen, reset_from=reset_from)


def marks(connection: Connection) -> dict[Key, Mark]:
    return {
        (row.source, row.project, row.rule): Mark(mark=row.mark, rules_version=row.rules_version, moved_at=row.moved_at)
        for row in connection.execute(sa.select(t.ratchets))
    }


def reset(connection: Connection, codes: Collection[str], *, rules_version: str, now: datetime) -> Mapping[Key, int]:
    """Begin the marks of these rules at what is found now; returns those that rose, with how much."""
    known, found = marks(connection), counts(connection, codes)
    keys = list(_keys(connection, codes))
    upsert(connection, t.ratchets, [_row(key, found.get(key, 0), rules_version, now) for key in keys])
    before = {key: known[key].mark for key in keys if key in known}
    return {key: found.get(key, 0) - mark for key, mark in before.items() if found.get(key, 0) > mark}


def _row(key: Key, mark: int, rules_version: str, now: datetime) -> dict[str, Any]:
    source, project, rule = key
    return {
        "source": source, "project": project, "rule": rule, "mark": mark, "rules_version": rules_version,
        "moved_at": now,
    }  # fmt: skip


PROJECT = sa.func.coalesce(t.issues.c.project, t.issues.c.team, "")
WITH_ISSUES = t.findings.outerjoin(
    t.issues, sa.and_(t.issues.c.source == t.findings.c.source, t.issues.c.id == t.findings.c.issue)
)


def counts(connection: Connection, codes: Collection[str]) -> dict[Key, int]:
    """Open findings that no waiver covers, those of the baseline included."""
    project = PROJECT.label("project")
    query = (
        sa.select(t.findings.c.source, project, t.findings.c.rule, sa.func.count())
        .select_from(WITH_ISSUES)
        .where(t.findings.c.state == "open", t.findings.c.waiver.is_(None), t.findings.c.rule.in_(sorted(codes)))
        .group_by(t.findings.c.source, project, t.findings.c.rule)
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def _keys(connection: Connection, codes: Collection[str]) -> Iterable[Key]:
    """Every rule in every project that has issues, and for what is no issue of any."""
    project = PROJECT.label("project")
    query = sa.select(t.issues.c.source, project).where(t.issues.c.presence == Presence.PRESENT.value).distinct()
    places = {(row[0], row[1]) for row in connection.execute(query)}
    places |= {(source, "") for source, _ in places}
    return ((source, name, code) for source, name in sorted(places) for code in sorted(codes))


def _exceeded(connection: Connection, key: Key, before: Mark, count: int) -> Exceeded:
    source, project, rule = key
    back = sa.select(t.finding_events.c.fingerprint).where(
        t.finding_events.c.event.in_(("waiver expired", "waiver ended")), t.finding_events.c.at > before.moved_at
    )
    query = (
        sa.select(sa.func.coalesce(t.issues.c.key, t.findings.c.issue))
        .select_from(WITH_ISSUES)
        .where(
            t.findings.c.source == source,
            t.findings.c.rule == rule,
            PROJECT.in_([project]),
            t.findings.c.state == "open",
            t.findings.c.waiver.is_(None),
            sa.or_(t.findings.c.opened_at > before.moved_at, t.findings.c.fingerprint.in_(back)),
        )
        .order_by(t.findings.c.opened_at.desc(), t.findings.c.issue)
    )
    new = tuple(connection.execute(query).scalars())
    return Exceeded(source=source, project=project, rule=rule, mark=before.mark, count=count, new=new)


def to_json(done: Turn, *, is_enforced: bool) -> dict[str, Any]:
    """As `check` prints it."""
    return {
        "enforced": is_enforced,
        "reset_from": done.reset_from,
        "exceeded": [
            {
                "source": each.source, "project": each.project or None, "rule": each.rule, "mark": each.mark,
                "count": each.count, "new": list(each.new),
            }
            for each in done.exceeded
        ],
    }  # fmt: skip
