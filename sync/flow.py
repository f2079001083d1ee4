"""Records of flow: made from the stored issues by the one domain function, when issues, statuses or options change."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.flow import FlowOptions
from backlint.flow.columns import IS_ITEM, IS_LARGE
from backlint.flow.record import EPISODE, LAYOUT, MISSING, Record, record
from backlint.model import Issue
from backlint.settings import Settings
from backlint.status import StatusMap
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.check import flow_options, status_maps
from backlint.sync.database import reading

REFRESH_LOCK = 7_215_903_442  # any number, the same in every process of ours
BATCH = 500  # issues in one transaction
NEEDLESS = (t.aliases, t.comments, t.labels, t.sprint_memberships)  # no record speaks of them
# Options that hold for all sources; `records` decides when reports are made, not before.
SHARED_OPTIONS = ("merge", "min_cycle", "undo_window", "blocked_labels", "assignment_is_start")
Advance = Callable[[int, int], None]


class Names:
    """Numbers for texts, given out once and kept in the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.execute(sa.select(t.flow_names.c.kind, t.flow_names.c.name, t.flow_names.c.id))
        self._known = {(row.kind, row.name): row.id for row in rows}

    def using(self, connection: Connection) -> Names:
        self._connection = connection
        return self

    def __call__(self, kind: str, name: str) -> int:
        number = self._known.get((kind, name))
        if number is None:
            number = self._known[kind, name] = self._new(kind, t.storable(name))
        return number

    def _new(self, kind: str, name: str) -> int:
        row = {"kind": kind, "name": name}
        table = t.flow_names
        insert = store.insert_for(self._connection)(table).on_conflict_do_nothing()
        self._connection.execute(insert, row)
        query = sa.select(table.c.id).where(table.c.kind == kind, table.c.name == name)
        return int(self._connection.execute(query).scalar_one())


def refresh(engine: sa.Engine, settings: Settings, *, advance: Advance = lambda done, total: None) -> int:
    """Make every record that is out of date; returns how many. It may be interrupted, and run twice at once."""
    with reading(engine) as connection:
        maps = status_maps(connection, settings)
        outdated = _new_bases(connection, maps, flow_options(settings))
    if outdated:
        with engine.begin() as connection:
            for basis, statuses in outdated:
                _outdate(connection, basis["source"], statuses)
            store.upsert(connection, t.flow_basis, [basis for basis, _ in outdated])
    with reading(engine) as connection:
        total = int(connection.execute(sa.select(sa.func.count()).select_from(t.flow_stale)).scalar_one())
        names = Names(connection) if total else None
    done = 0
    while names is not None:
        with engine.begin() as connection:
            made = _refresh_batch(connection, maps, flow_options(settings), names.using(connection))
        if not made:
            break
        done += made
        advance(done, max(total, done))
    return done


def _new_bases(
    connection: Connection, maps: Mapping[str, StatusMap], options: FlowOptions
) -> list[tuple[dict[str, Any], frozenset[str] | None]]:
    """Sources whose records rest on something else by now, with the statuses that changed; None: everything did."""
    known = {row.source: row for row in connection.execute(sa.select(t.flow_basis))}
    found: list[tuple[dict[str, Any], frozenset[str] | None]] = []
    for source, statuses in maps.items():
        now = {fact.id: [(each := statuses.status(fact.id)).category.value, each.name] for fact in statuses.facts}
        now |= {id: [category.value, ""] for id, category in statuses.configured.items() if id not in now}
        chosen = _digest(options, source)
        before = known.get(source)
        if before is not None and before.options == chosen:
            changed = frozenset(id for id in {*before.statuses, *now} if before.statuses.get(id) != now.get(id))
            if changed:
                found.append(({"source": source, "statuses": now, "options": chosen}, changed))
            continue
        found.append(({"source": source, "statuses": now, "options": chosen}, None))
    return found


def _digest(options: FlowOptions, source: str) -> str:
    facts = {
        **{name: getattr(options, name) for name in SHARED_OPTIONS},
        "in_progress_labels": list(options.in_progress_labels.get(source, ())),
        "layout": LAYOUT,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _outdate(connection: Connection, source: str, statuses: frozenset[str] | None) -> None:
    """Mark the issues of a source; only those that are or were in one of the statuses, if these are given."""
    issues, steps = t.issues, t.transitions
    queries = [sa.select(issues.c.source, issues.c.id, sa.literal(0)).where(issues.c.source == source)]
    if statuses is not None:
        wanted = sorted(statuses)
        queries = [
            queries[0].where(issues.c.status_id.in_(wanted)),
            sa.select(steps.c.source, steps.c.issue, sa.literal(0))
            .where(steps.c.source == source, sa.or_(steps.c.before_id.in_(wanted), steps.c.after_id.in_(wanted)))
            .distinct(),
        ]
    for query in queries:
        insert = store.insert_for(connection)(t.flow_stale).from_select(["source", "issue", "since"], query)
        connection.execute(insert.on_conflict_do_nothing())


def _refresh_batch(connection: Connection, maps: Mapping[str, StatusMap], options: FlowOptions, names: Names) -> int:
    if connection.dialect.name == "postgresql":  # two that give out names would wait for each other in a circle
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": REFRESH_LOCK})
    stale = t.flow_stale
    query = sa.select(stale.c.source, stale.c.issue).order_by(stale.c.source, stale.c.issue).limit(BATCH)
    found = connection.execute(query.with_for_update(skip_locked=True)).all()
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, issue in found:
        by_source[source].append(issue)
    for source, ids in by_source.items():
        issues = store.load_issues(connection, source=source, ids=ids, without=NEEDLESS)
        mapped = [maps[source].apply(issue) for issue in issues]
        save_records(connection, source, ids, [(each, record(each, names, options)) for each in mapped])
        connection.execute(sa.delete(stale).where(stale.c.source == source, stale.c.issue.in_(ids)))
    return len(found)


def save_records(connection: Connection, source: str, ids: Sequence[str], made: Sequence[tuple[Issue, Record]]) -> None:
    """The records in place of those that the issues had."""
    connection.execute(sa.delete(t.flow).where(t.flow.c.source == source, t.flow.c.issue.in_(ids)))
    if not made:
        return
    connection.execute(t.flow.insert(), [_row(issue, one) for issue, one in made])
    query = sa.select(t.flow.c.issue, t.flow.c.row).where(t.flow.c.source == source, t.flow.c.issue.in_(ids))
    rows = {each.issue: each.row for each in connection.execute(query)}
    finishes = [each for issue, one in made for each in finish_rows(rows[issue.id], one)]
    closes = [each for issue, one in made for each in close_rows(rows[issue.id], one)]
    for table, found in ((t.cycle_times, finishes), (t.closes, closes)):
        if found:
            connection.execute(table.insert(), found)


def _row(issue: Issue, one: Record) -> dict[str, Any]:
    first = np.frombuffer(one.episodes, EPISODE, 1)[0]
    return {
        "source": issue.source,
        "issue": issue.id,
        "source_name": one.source,
        "team": one.team,
        "project": one.project,
        "prefix": one.prefix,
        "reporter": one.reporter,
        "created": one.created,
        "parent": int(first["parent"]),
        "began": start_for_parent(first),
        "holds_from": one.holds_from,
        "episodes": one.episodes,
        "spans": one.spans,
    }


def start_for_parent(first: np.void) -> int | None:
    """When the issue of this first episode began, where an epic may start with it."""
    can = first["number"] == 1 and not first["outside"] and first["started"] != MISSING and first["parent"]
    return int(first["started"]) if can and not IS_LARGE[first["type"]] else None


def finish_rows(row: int, one: Record) -> Iterable[dict[str, Any]]:
    """The finished episodes of an item that have a cycle time."""
    for each in np.frombuffer(one.episodes, EPISODE):
        is_known = each["started"] != MISSING and each["finished"] != MISSING and not each["unknown"]
        if is_known and not each["outside"] and IS_ITEM[each["type"]]:
            yield {
                "row": row,
                "number": int(each["number"]),
                "team": int(each["team_then"]),
                "type": int(each["type"]),
                "finished": int(each["finished"]),
                "cycle": int(each["finished"] - each["started"]),
            }


def close_rows(row: int, one: Record) -> Iterable[dict[str, Any]]:
    return ({"row": row, "position": place, "actor": actor, "at": at} for place, (at, actor) in enumerate(one.closes))
