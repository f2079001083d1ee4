"""Records of flow out of the store and into arrays: all of them, or those of one scope with what they depend on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.activity import BULK_ISSUES, BULK_WINDOW
from backlint.errors import InputError
from backlint.flow import FlowOptions
from backlint.flow.columns import (
    BULK_CLOSED,
    IMPORTED,
    Columns,
    Ints,
    Mask,
    begin_with_children,
    bulk_closes,
    child_starts,
    imports,
)
from backlint.flow.items import IMPORT_ISSUES, IMPORT_WINDOW, mirrored_issues
from backlint.flow.record import EPISODE, MICROSECOND, MISSING, SPAN, Record, instant, record
from backlint.model import Issue, Link, LinkKind
from backlint.settings import Settings
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.check import flow_options, status_maps
from backlint.sync.flow import NEEDLESS, finish_rows, start_for_parent

FETCH = 50_000  # rows at once
PART = 20_000  # issues in one aggregate on PostgreSQL
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Finishes:
    """Finished work that expectations are made of: when, how long, whose (a name of kind "holder"), of what type."""

    at: Ints
    cycle: Ints
    team: Ints
    type: Ints


@dataclass(frozen=True, slots=True)
class Named:
    """What a reader wants to know of an issue in a report."""

    source: str
    id: str
    key: str
    url: str | None
    title: str


class FlowStore:
    """The records at one moment, without those of sources that could not be read. Open it with `reading_flow`."""

    def __init__(self, connection: Connection, settings: Settings, *, now: datetime, failed: Collection[str]) -> None:
        self._connection, self._settings, self._now, self._failed = connection, settings, now, failed
        self._options: FlowOptions = flow_options(settings)
        wanted = ("source", "holder", "status", "why")
        rows = connection.execute(
            sa.select(t.flow_names.c.id, t.flow_names.c.name).where(t.flow_names.c.kind.in_(wanted))
        )
        self.names: dict[int, str] = {row.id: row.name for row in rows}
        self.mirrors = self._mirrors()

    def read(self, scope: str | None = None) -> Columns:
        """The records of a source, project, team or key prefix by its name, or all."""
        where = [*self._in(scope), *self._not_failed()]
        found = self._columns(where)
        if scope is None:
            self._flag_all(found)
            begin_with_children(found, child_starts(found), self._options)
        else:
            self._flag_some(found, where)
            begin_with_children(found, self._child_starts(found), self._options)
        return found

    def finishes(self, *, since: int, until: int, teams: Collection[int] | None = None) -> Finishes:
        """What finished from `since` to `until`, both included; of these teams, or of everyone."""
        table = t.cycle_times
        query = sa.select(table.c.finished, table.c.cycle, table.c.team, table.c.type, table.c.row)
        query = query.where(table.c.finished.between(since, until))
        if teams is not None:
            query = query.where(table.c.team.in_(sorted(teams)))
        values = np.array([tuple(row) for row in self._connection.execute(query)], np.int64).reshape(-1, 5)
        if self._late:
            again = [
                (each["finished"], each["cycle"], each["team"], each["type"], row)
                for row, one in self._late.items()
                for each in finish_rows(row, one)
                if since <= each["finished"] <= until and (teams is None or each["team"] in teams)
            ]
            kept = values[~np.isin(values[:, 4], list(self._late))]
            values = np.concatenate((kept, np.array(again, np.int64).reshape(-1, 5)))
        if self.mirrors:
            values = values[~np.isin(values[:, 4], list(self.mirrors))]
        return Finishes(values[:, 0], values[:, 1], values[:, 2], values[:, 3])

    def named(self, rows: Iterable[int]) -> dict[int, Named]:
        """The issues of these rows as people know them."""
        found: dict[int, Named] = {}
        issues = t.issues
        columns = (t.flow.c.row, issues.c.source, issues.c.id, issues.c.key, issues.c.url, issues.c.title)
        joined = t.flow.join(issues, sa.and_(t.flow.c.source == issues.c.source, t.flow.c.issue == issues.c.id))
        for chunk in _chunks(sorted(set(rows))):
            query = sa.select(*columns).select_from(joined).where(t.flow.c.row.in_(chunk))
            for row, *facts in self._connection.execute(query):
                found[row] = Named(*facts)
        return found

    def team_names(self, scope: str | None, *, most: int) -> set[str]:
        """Whose issues they are, as `backlint.scopes.team_name` has it; no more than so many."""
        columns = t.flow.c.team, t.flow.c.project, t.flow.c.source_name
        rows = self._connection.execute(
            sa.select(*columns).where(*self._in(scope), *self._not_failed()).distinct().limit(most)
        ).all()
        query = sa.select(t.flow_names.c.id, t.flow_names.c.name)
        numbers = {next(filter(None, row)) for row in rows}
        return {row.name for chunk in _chunks(sorted(numbers)) for row in self._connection.execute(
            query.where(t.flow_names.c.id.in_(chunk)))}  # fmt: skip

    def holds_unread(self, scope: str | None) -> bool:
        """Whether issues of the scope belong to a source that could not be read."""
        if not self._failed:
            return False
        query = sa.select(sa.literal(1)).where(*self._in(scope), t.flow.c.source.in_(sorted(self._failed))).limit(1)
        return self._connection.execute(query).first() is not None

    def identities(self, scope: str | None) -> set[tuple[str, str]]:
        """(source, id) of the issues of a scope."""
        query = sa.select(t.flow.c.source, t.flow.c.issue).where(*self._in(scope), *self._not_failed())
        return {(row.source, row.issue) for row in self._connection.execute(query)}

    def sprint_issues(self, *, since: datetime | None) -> tuple[Issue, ...]:
        """The issues, with categories, of every sprint that runs or ended at `since` or later."""
        sprints, members = t.sprints, t.sprint_memberships
        query = sa.select(sprints.c.source, sprints.c.id).where(sprints.c.state != "future")
        if since is not None:
            ended = sa.func.coalesce(sprints.c.completed_at, sprints.c.ends_at)
            query = query.where(sa.or_(sprints.c.state == "active", ended >= since))
        wanted: dict[str, list[str]] = {}
        for source, id in self._connection.execute(query):
            if source not in self._failed:
                wanted.setdefault(source, []).append(id)
        maps = status_maps(self._connection, self._settings) if wanted else {}
        found: list[Issue] = []
        for source, ids in wanted.items():
            issues = {
                issue
                for chunk in _chunks(ids)
                for issue in self._connection.execute(
                    sa.select(members.c.issue).where(members.c.source == source, members.c.sprint.in_(chunk))
                ).scalars()
            }
            loaded = store.load_issues(self._connection, source=source, ids=sorted(issues), without=(t.comments,))
            found += [maps[source].apply(issue) for issue in loaded]
        return tuple(found)

    # -- which ---------------------------------------------------------------------------------------------------------

    def _in(self, scope: str | None) -> list[sa.ColumnElement[bool]]:
        if scope is None:
            return []
        wanted = scope.casefold()
        kinds = {"source": t.flow.c.source_name, "team": t.flow.c.team, "project": t.flow.c.project,
                 "prefix": t.flow.c.prefix}  # fmt: skip
        rows = self._connection.execute(sa.select(t.flow_names).where(t.flow_names.c.kind.in_(tuple(kinds)))).all()
        called = self._called()
        numbers: dict[str, list[int]] = {kind: [] for kind in kinds}
        known: set[str] = set()
        for row in rows:
            shown = called.get(row.name, {row.name}) if row.kind == "project" else {row.name}
            known |= {name.casefold() for name in shown}
            if wanted in {row.name.casefold(), *(name.casefold() for name in shown)}:
                numbers[row.kind].append(row.id)
        clauses = [kinds[kind].in_(found) for kind, found in numbers.items() if found]
        if not clauses:
            near = difflib.get_close_matches(wanted, sorted(known), n=3) or sorted(known)[:20]
            raise InputError(f"nothing belongs to {scope!r}; there is {', '.join(near) or 'nothing at all'}")
        return [sa.or_(*clauses)]

    def _called(self) -> dict[str, set[str]]:
        """Where projects have ids of their own, people know them by another name."""
        found: dict[str, set[str]] = {}
        for (_, id), project in store.projects(self._connection).items():
            found.setdefault(id, set()).add(project.name)
        return found

    def _not_failed(self) -> list[sa.ColumnElement[bool]]:
        return [t.flow.c.source.not_in(sorted(self._failed))] if self._failed else []

    # -- what `now` or other issues decide -----------------------------------------------------------------------------

    @cached_property
    def _late(self) -> dict[int, Record]:
        """Issues with moments in the future, judged as of now: clocks differ, and some are wrong."""
        query = sa.select(t.flow.c.row, t.flow.c.source, t.flow.c.issue)
        query = query.where(t.flow.c.holds_from > instant(self._now), *self._not_failed())
        rows = {(source, issue): row for row, source, issue in self._connection.execute(query)}
        maps = status_maps(self._connection, self._settings) if rows else {}
        made: dict[int, Record] = {}
        for source in sorted({source for source, _ in rows}):
            ids = sorted(id for of, id in rows if of == source)
            for issue in store.load_issues(self._connection, source=source, ids=ids, without=NEEDLESS):
                made[rows[issue.identity]] = self._record(maps[source].apply(issue))
        return made

    def _late_in(self, where: Sequence[sa.ColumnElement[bool]]) -> list[tuple[int, Record]]:
        if not self._late:
            return []
        query = sa.select(t.flow.c.row).where(t.flow.c.holds_from > instant(self._now), *where)
        return [(row, self._late[row]) for row in self._connection.execute(query).scalars()]

    def _record(self, issue: Issue) -> Record:
        return record(issue, self._number, self._options, now=self._now)

    def _number(self, kind: str, name: str) -> int:
        """Names that the store has no number for get one below zero, for this report alone."""
        query = sa.select(t.flow_names.c.id).where(t.flow_names.c.kind == kind, t.flow_names.c.name == name)
        number = self._connection.execute(query).scalar()
        if number is None:
            number = next((id for id, known in self.names.items() if id < 0 and known == name), None)
        if number is None:
            number = min(min(self.names, default=0), 0) - 1
            self.names[number] = name
        return int(number)

    def _mirrors(self) -> dict[int, str]:
        """Row of each mirror that does not count -> the key of the issue that does."""
        mirrors = LinkKind.MIRRORS.value
        links = self._connection.execute(sa.select(t.links).where(t.links.c.kind == mirrors)).all()
        if not links:
            return {}
        wanted = {(link.source, link.issue) for link in links}
        targets = {link.target.casefold() for link in links}
        own: dict[tuple[str, str], list[Link]] = {}
        for link in links:
            own.setdefault((link.source, link.issue), []).append(Link(LinkKind.MIRRORS, link.target))
        columns = [t.issues.c[name] for name in ("source", "id", "key", "url", "created_at")]
        query = sa.select(*columns).order_by(t.issues.c.source, t.issues.c.key, t.issues.c.id)
        issues = [
            Issue(
                source=row.source, id=row.id, key=row.key, title="", url=row.url, created_at=row.created_at,
                links=tuple(own.get((row.source, row.id), ())),
            )
            for row in self._connection.execute(query)
            if row.source not in self._failed
            and ((row.source, row.id) in wanted or (row.url and row.url.casefold() in targets))
        ]  # fmt: skip
        copies = mirrored_issues(issues, self._options)
        rows: dict[int, str] = {}
        for source in {source for source, _ in copies}:
            for chunk in _chunks([id for of, id in copies if of == source]):
                query = sa.select(t.flow.c.row, t.flow.c.issue).where(
                    t.flow.c.source == source, t.flow.c.issue.in_(chunk)
                )
                rows |= {row: copies[source, issue] for row, issue in self._connection.execute(query)}
        return rows

    def _columns(self, where: Sequence[sa.ColumnElement[bool]]) -> Columns:
        late = self._late_in(where)
        known = [*where, t.flow.c.row.not_in([row for row, _ in late])] if late else where
        found = _columns(self._connection, known, late)
        self._apply_mirrors(found)
        return found

    def _apply_mirrors(self, found: Columns) -> None:
        for place in np.flatnonzero(np.isin(found.row, list(self.mirrors))) if self.mirrors else ():
            found.episodes["outside"][place] = self._number("why", f"mirror of {self.mirrors[int(found.row[place])]}")

    def _flag_all(self, found: Columns) -> None:
        firsts = found.first
        marked = imports(found["reporter"][firsts], found["created"][firsts])
        found.more_flags[np.isin(found.row, found.row[firsts][marked])] |= IMPORTED
        closes = _integers(self._connection, sa.select(t.closes.c.actor, t.closes.c.at, t.closes.c.row), 3)
        many = np.unique(closes[:, 2][bulk_closes(closes[:, 0], closes[:, 1])])
        found.more_flags[np.isin(found.row, many)] |= BULK_CLOSED

    def _flag_some(self, found: Columns, where: Sequence[sa.ColumnElement[bool]]) -> None:
        """The same for a part of the issues: only those with neighbours enough, whose neighbours are then read."""
        other, flow, closes = t.flow.alias(), t.flow, t.closes
        created = sa.select(flow.c.reporter, flow.c.created).where(flow.c.reporter != 0, flow.c.created != MISSING)
        created = created.where(
            *where,
            _has_neighbours(
                (other.c.reporter, other.c.created), (flow.c.reporter, flow.c.created), IMPORT_ISSUES, IMPORT_WINDOW
            ),
        )
        columns = flow.c.reporter, flow.c.created, flow.c.row
        crowded = self._crowded(columns, created, imports, IMPORT_WINDOW)
        found.more_flags[np.isin(found.row, crowded)] |= IMPORTED
        others = t.closes.alias()
        closed = sa.select(closes.c.actor, closes.c.at).join(flow, flow.c.row == closes.c.row)
        closed = closed.where(
            *where,
            _has_neighbours((others.c.actor, others.c.at), (closes.c.actor, closes.c.at), BULK_ISSUES, BULK_WINDOW),
        )
        crowded = self._crowded((closes.c.actor, closes.c.at, closes.c.row), closed, bulk_closes, BULK_WINDOW)
        found.more_flags[np.isin(found.row, crowded)] |= BULK_CLOSED

    def _crowded(
        self, columns: tuple[sa.Column[int], ...], query: sa.Select[Any], crowds: Callable[[Ints, Ints], Mask],
        window: timedelta,
    ) -> Ints:  # fmt: skip
        """Rows of all crowds near the events (actor, moment) that the query finds."""
        events = _integers(self._connection, query, 2)
        actor, at, row = columns
        wide = window // MICROSECOND
        near = [
            tuple(each)
            for who, first, last in _stretches(events[np.lexsort((events[:, 1], events[:, 0]))], 2 * wide)
            for each in self._connection.execute(
                sa.select(actor, at, row).where(actor == who, at.between(first - 2 * wide, last + 2 * wide))
            )
        ]
        found = np.array(near, np.int64).reshape(-1, 3)
        return np.unique(found[:, 2][crowds(found[:, 0], found[:, 1])])

    def _child_starts(self, found: Columns) -> dict[int, int]:
        """The starts below the epics and initiatives found, and below epics that are their children elsewhere."""
        wanted = _names_of_large(found)
        below = [t.flow.c.parent.in_(chunk) for chunk in _chunks(wanted)]
        if not below:
            return {}
        where = [sa.or_(*below), t.flow.c.began.is_(None), *self._not_failed()]
        large = self._columns(where)
        starts: dict[int, int] = {}
        for chunk in _chunks(sorted({*wanted, *_names_of_large(large)})):
            query = sa.select(t.flow.c.parent, t.flow.c.began, t.flow.c.row)
            query = query.where(t.flow.c.parent.in_(chunk), t.flow.c.began.is_not(None))
            known = [each for each in self._connection.execute(query) if each.row not in self._late]
            for parent, began, row in [*known, *self._late_starts(chunk)]:
                if row not in self.mirrors:
                    starts[parent] = min(began, starts.get(parent, began))
        return begin_with_children(large, starts, self._options)

    def _late_starts(self, parents: Collection[int]) -> Iterator[tuple[int, int, int]]:
        for row, one in self._late.items():
            first = np.frombuffer(one.episodes, EPISODE, 1)[0]
            began = start_for_parent(first)
            if began is not None and int(first["parent"]) in parents:
                yield int(first["parent"]), began, row


def _names_of_large(found: Columns) -> list[int]:
    """The numbers that children name the epics and initiatives by."""
    one = found.episodes[found.is_large]
    return sorted({*one["own"].tolist(), *one["own_key"].tolist()})


def _has_neighbours(
    theirs: tuple[Any, Any], ours: tuple[Any, Any], least: int, window: timedelta
) -> sa.ColumnElement[bool]:
    """Whether so many events of the actor are near; looks at no more of them than that takes."""
    wide = window // MICROSECOND
    near = theirs[1].between(ours[1] - wide, ours[1] + wide)
    query = sa.select(sa.literal(1)).where(theirs[0] == ours[0], near).limit(1).offset(least - 1)
    return query.correlate(ours[0].table).scalar_subquery().is_not(None)


@contextmanager
def reading_flow(
    engine: sa.Engine, settings: Settings, *, now: datetime, failed: Collection[str] = ()
) -> Iterator[FlowStore]:
    """The records as they stand at one moment, whatever is saved meanwhile."""
    chosen: dict[str, Any] = {"backlint_reads": True}
    if engine.dialect.name == "postgresql":
        chosen["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**chosen) as connection:
        yield FlowStore(connection, settings, now=now, failed=frozenset(failed))


def _stretches(events: Ints, apart: int) -> Iterator[tuple[int, int, int]]:
    """(actor, first, last) of events in order that are less than so far apart."""
    if not len(events):
        return
    breaks = (np.diff(events[:, 0]) != 0) | (np.diff(events[:, 1]) > apart)
    firsts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
    lasts = np.concatenate((np.flatnonzero(breaks), [len(events) - 1]))
    for first, last in zip(firsts, lasts, strict=True):
        yield int(events[first, 0]), int(events[first, 1]), int(events[last, 1])


def _columns(
    connection: Connection, where: Sequence[sa.ColumnElement[bool]], late: Sequence[tuple[int, Record]]
) -> Columns:
    parts = [*_read(connection, where), *((row, one.episodes, one.spans) for row, one in late)]
    return made(parts)


def made(parts: Sequence[tuple[Any, ...]]) -> Columns:
    """Arrays of (row, episodes, spans), single ones or already joined: rows with the lengths of their parts."""
    heads, episodes, spans = [], [], []
    for head, some_episodes, some_spans in parts:
        if isinstance(head, int):
            head = np.array([[head, len(some_episodes), len(some_spans)]], np.int64)
        heads.append(head)
        episodes.append(some_episodes)
        spans.append(some_spans)
    table = np.concatenate(heads) if heads else np.zeros((0, 3), np.int64)
    counts = table[:, 1] // EPISODE.itemsize
    return Columns(
        row=np.repeat(table[:, 0], counts),
        episodes=np.frombuffer(bytearray(b"".join(episodes)), EPISODE),
        spans=np.frombuffer(b"".join(spans), SPAN),
        first=np.cumsum(counts) - counts,
        span_counts=table[:, 2] // SPAN.itemsize,
    )


def _read(connection: Connection, where: Sequence[sa.ColumnElement[bool]]) -> Iterator[tuple[Any, bytes, bytes]]:
    """Parts of many records joined, each with (row, bytes of episodes, bytes of spans) of its issues."""
    if connection.dialect.name == "postgresql":
        yield from _read_postgresql(connection, where)
        return
    found = connection.execute(sa.select(t.flow.c.row, t.flow.c.episodes, t.flow.c.spans).where(*where))
    cursor: Any = found.cursor
    while chunk := cursor.fetchmany(FETCH):
        rows, episodes, spans = zip(*chunk, strict=True)
        head = np.array([rows, [len(each) for each in episodes], [len(each) for each in spans]], np.int64).T
        yield head, b"".join(episodes), b"".join(spans)


def _read_postgresql(
    connection: Connection, where: Sequence[sa.ColumnElement[bool]]
) -> Iterator[tuple[Any, bytes, bytes]]:
    # Joined by the server: a million rows, one by one, take seconds to hand over. All three see the rows in one order.
    length = sa.func.octet_length
    head = sa.func.int8send(sa.cast(t.flow.c.row, sa.BigInteger)).concat(
        sa.func.int8send(sa.cast(length(t.flow.c.episodes), sa.BigInteger))
    ).concat(sa.func.int8send(sa.cast(length(t.flow.c.spans), sa.BigInteger)))  # fmt: skip
    nothing = sa.literal(b"", sa.LargeBinary)
    joined = (sa.func.string_agg(part, nothing) for part in (head, t.flow.c.episodes, t.flow.c.spans))
    query = sa.select(*joined).where(*where).group_by(t.flow.c.row / PART)
    for heads, episodes, spans in _binary(connection, query):
        yield np.frombuffer(heads, ">i8").astype(np.int64).reshape(-1, 3), episodes, spans


def _binary(connection: Connection, query: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of bytes as the server has them: as text they would be twice as long."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        yield from cursor


def _integers(connection: Connection, query: sa.Select[Any], width: int) -> Ints:
    """Rows of whole numbers as an array."""
    if connection.dialect.name == "postgresql":
        return _integers_postgresql(connection, query, width)
    cursor: Any = connection.execute(query).cursor
    return np.fromiter(chain.from_iterable(cursor), np.int64).reshape(-1, width)


def _integers_postgresql(connection: Connection, query: sa.Select[Any], width: int) -> Ints:
    found = query.subquery()
    wide = [sa.func.int8send(sa.cast(column, sa.BigInteger)) for column in found.columns]
    record: sa.ColumnElement[Any] = wide[0]
    for part in wide[1:]:
        record = record.concat(part)
    joined = sa.select(sa.func.string_agg(record, sa.literal(b"", sa.LargeBinary)))
    ((read,),) = _binary(connection, joined)
    return np.frombuffer(read or b"", ">i8").astype(np.int64).reshape(-1, width)


def _chunks(values: Sequence[int] | Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])
