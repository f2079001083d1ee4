"""Webhook deliveries in the store: kept once, noted by issue, and taken by one job at a time.

A delivery says no more than "this issue may have changed". However many name an issue, it has one row in `touched`,
which is due once they have ceased for a while; a job takes due rows, and gives each back with what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from backlint.sync import tables as t
from backlint.sync import writes
from backlint.sync.store import CHUNK, own_accounts, upsert

LATE = timedelta(minutes=30)  # Jira's deliveries come up to half an hour late, the others sooner
SILENT_FROM = 5  # issues

Identity = tuple[str, str]

WAITING, TAKEN, DEAD = "waiting", "taken", "dead"
NOTED, OWN_WRITE, NOT_HANDLED = "noted", "own write", "not handled"
FOLD_AT_ONCE = 1000
# Jira may deliver half an hour late ("Webhooks", Jira Cloud); what we wrote is remembered a little longer.
OWN_WRITES_FOR = timedelta(minutes=45)
FOLD_LOCK = 7_215_903_442  # on PostgreSQL; SQLite's writers take turns anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A genuine delivery. `is_handled` False: a kind that says nothing of an issue; it is kept to be listed."""

    source: str
    id: str
    event: str
    received_at: datetime
    issues: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    actor: str | None = None
    is_handled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """An issue to be looked at."""

    source: str
    issue: str
    key: str | None
    state: str
    first_at: datetime
    last_at: datetime
    due_at: datetime
    deliveries: int
    attempts: int
    reason: str | None = None

    @property
    def identity(self) -> Identity:
        return self.source, self.issue


# -- what comes in -----------------------------------------------------------------------------------------------------


def keep(connection: Connection, deliveries: Sequence[Delivery]) -> set[Identity]:
    """Insert what is not known yet; returns (source, id) of the new ones."""
    fresh = {(each.source, each.id): each for each in deliveries}
    for source in {each.source for each in deliveries}:
        ids = [each.id for each in deliveries if each.source == source]
        query = sa.select(t.deliveries.c.id).where(t.deliveries.c.source == source, t.deliveries.c.id.in_(ids))
        for id in connection.execute(query).scalars():
            fresh.pop((source, id), None)
    if not fresh:
        return set()
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(t.deliveries)
    connection.execute(insert.on_conflict_do_nothing(), [_row(each) for each in fresh.values()])
    return set(fresh)


def _row(each: Delivery) -> dict[str, Any]:
    return {
        "source": each.source, "id": each.id, "event": each.event, "issues": list(each.issues),
        "keys": dict(each.keys), "actor": each.actor, "received_at": each.received_at,
        "handled_at": None if each.is_handled else each.received_at,
        "outcome": None if each.is_handled else NOT_HANDLED,
    }  # fmt: skip


def fold(connection: Connection, *, now: datetime, settle: timedelta, limit: int = FOLD_AT_ONCE) -> int:
    """Note the issues that waiting deliveries name; returns how many deliveries were looked at.

    An issue is due `settle` after its last delivery. Events of our own account about what we just wrote are no news.
    """
    if (
        connection.dialect.name == "postgresql"
        and not connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(FOLD_LOCK))).scalar()
    ):
        return 0  # another process is at it
    waiting = connection.execute(
        sa.select(t.deliveries)
        .where(t.deliveries.c.handled_at.is_(None))
        .order_by(t.deliveries.c.received_at, t.deliveries.c.id)
        .limit(limit)
    ).all()
    if not waiting:
        return 0
    own = own_accounts(connection)
    wrote = writes.recently_written(connection, now - OWN_WRITES_FOR)
    outcomes: dict[str, list[Identity]] = {NOTED: [], OWN_WRITE: []}
    news = []
    for row in waiting:
        is_own = row.actor is not None and row.actor == own.get(row.source)
        is_echo = is_own and all((row.source, issue) in wrote for issue in row.issues)
        outcomes[OWN_WRITE if is_echo else NOTED].append((row.source, row.id))
        if not is_echo:
            news.append(row)
    _note(connection, news, settle=settle)
    for outcome, ids in outcomes.items():
        _handled(connection, ids, outcome, now=now)
    return len(waiting)


def _note(connection: Connection, news: Sequence[Any], *, settle: timedelta) -> None:
    named = {(row.source, issue) for row in news for issue in row.issues}
    rows = {identity: dict(row) for identity, row in _known(connection, named).items()}
    for news_row in news:
        at = news_row.received_at
        for issue in news_row.issues:
            identity = news_row.source, issue
            row = rows.setdefault(
                identity,
                {
                    "source": news_row.source, "issue": issue, "key": None, "state": WAITING, "first_at": at,
                    "last_at": at, "due_at": at, "deliveries": 0, "attempts": 0, "job": None, "taken_at": None,
                    "reason": None,
                },
            )  # fmt: skip
            row["key"] = (news_row.keys or {}).get(issue) or row["key"]
            row["last_at"] = max(row["last_at"], at)
            due = row["last_at"] + settle
            # What was put off is looked at anew; what fails keeps its distance.
            row["due_at"] = max(row["due_at"], due) if row["attempts"] else due
            row["deliveries"] += 1
            if row["state"] == DEAD:  # it changed, so it is worth another try
                row |= {"state": WAITING, "attempts": 0, "reason": None}
    upsert(connection, t.touched, [rows[identity] for identity in sorted(rows)])


def _known(connection: Connection, named: Collection[Identity]) -> dict[Identity, Mapping[str, Any]]:
    found: dict[Identity, Mapping[str, Any]] = {}
    for source in {source for source, _ in named}:
        ids = sorted(issue for of, issue in named if of == source)
        for start in range(0, len(ids), CHUNK):
            chunk = t.touched.c.issue.in_(ids[start : start + CHUNK])
            query = sa.select(t.touched).where(t.touched.c.source == source, chunk).with_for_update()
            found |= {(row["source"], row["issue"]): row for row in connection.execute(query).mappings()}
    return found


def _handled(connection: Connection, deliveries: Sequence[Identity], outcome: str, *, now: datetime) -> None:
    for source in {source for source, _ in deliveries}:
        ids = [id for of, id in deliveries if of == source]
        for start in range(0, len(ids), CHUNK):
            connection.execute(
                sa.update(t.deliveries)
                .where(t.deliveries.c.source == source, t.deliveries.c.id.in_(ids[start : start + CHUNK]))
                .values(handled_at=now, outcome=outcome)
            )


# -- one job at a time for each issue ----------------------------------------------------------------------------------


def due_sources(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    query = sa.select(t.touched.c.source).where(t.touched.c.state == WAITING, t.touched.c.due_at <= now).distinct()
    return tuple(sorted(connection.execute(query).scalars()))


def take(connection: Connection, job: str, source: str, *, now: datetime, limit: int) -> tuple[Touched, ...]:
    """The issues that the job shall look at; asked again, it gets the same. One that failed before comes alone."""
    already = held(connection, job)
    if already:
        return already
    query = (
        sa.select(t.touched)
        .where(t.touched.c.source == source, t.touched.c.state == WAITING, t.touched.c.due_at <= now)
        .order_by(t.touched.c.due_at, t.touched.c.issue)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).mappings().all()
    fresh = [row for row in rows if not row["attempts"]]
    chosen = [_touched({**row, "state": TAKEN}) for row in fresh or rows[:1]]
    for each in chosen:
        _change(connection, each.identity, state=TAKEN, job=job, taken_at=now)
    return tuple(chosen)


def held(connection: Connection, job: str) -> tuple[Touched, ...]:
    """What the job has taken and not given back."""
    query = sa.select(t.touched).where(t.touched.c.state == TAKEN, t.touched.c.job == job)
    return tuple(_touched(row) for row in connection.execute(query).mappings())


def _touched(row: Any) -> Touched:
    return Touched(**{name: row[name] for name in Touched.__dataclass_fields__})


def done(connection: Connection, each: Touched, *, job: str) -> None:
    """Looked at. It goes, unless a delivery came meanwhile: then it waits for its next turn."""
    gone = connection.execute(
        sa.delete(t.touched).where(*_held(each, job), t.touched.c.last_at == each.last_at)
    ).rowcount
    if not gone:
        _give_back(connection, each, job, state=WAITING, attempts=0, reason=None)


def postpone(connection: Connection, each: Touched, *, job: str, until: datetime, reason: str) -> None:
    """Not now, and through no fault of the issue: no try is counted."""
    latest = sa.case((t.touched.c.due_at > until, t.touched.c.due_at), else_=sa.literal(until, t.touched.c.due_at.type))
    _give_back(connection, each, job, state=WAITING, due_at=latest, reason=reason)


def postpone_source(connection: Connection, source: str, *, until: datetime) -> int:
    """Nothing of the source is due before that time: its tracker is away, and one try a while is enough to see it."""
    waiting = t.touched.c.source == source, t.touched.c.state == WAITING, t.touched.c.due_at < until
    return connection.execute(sa.update(t.touched).where(*waiting).values(due_at=until)).rowcount


def fail(connection: Connection, each: Touched, *, job: str, reason: str, again_at: datetime | None) -> None:
    """A try failed; without a next one it is a dead letter."""
    attempts = each.attempts + 1
    if again_at is None:
        _give_back(connection, each, job, state=DEAD, attempts=attempts, reason=reason)
    else:
        _give_back(connection, each, job, state=WAITING, attempts=attempts, due_at=again_at, reason=reason)


def _held(each: Touched, job: str) -> tuple[sa.ColumnElement[bool], ...]:
    return t.touched.c.source == each.source, t.touched.c.issue == each.issue, t.touched.c.job == job


def _give_back(connection: Connection, each: Touched, job: str, **values: Any) -> None:
    connection.execute(sa.update(t.touched).where(*_held(each, job)).values(job=None, taken_at=None, **values))


def _change(connection: Connection, identity: Identity, **values: Any) -> int:
    here = t.touched.c.source == identity[0], t.touched.c.issue == identity[1]
    return connection.execute(sa.update(t.touched).where(*here).values(**values)).rowcount


def free_lost(
    connection: Connection, *, before: datetime, is_over: Callable[[str, datetime], bool], attempts: int
) -> list[Identity]:
    """Issues whose job ended without giving them back: a crash of the job counts as a try.

    `is_over` is asked with the job's name and when it took the issue.
    """
    query = sa.select(t.touched).where(t.touched.c.state == TAKEN, t.touched.c.taken_at < before)
    freed = []
    for row in connection.execute(query.with_for_update(skip_locked=True)).mappings():
        if is_over(row["job"] or "", row["taken_at"]):
            tries = row["attempts"] + 1
            state = WAITING if tries < attempts else DEAD
            _change(
                connection, (row["source"], row["issue"]), state=state, attempts=tries, job=None, taken_at=None,
                reason="its job ended before its time",
            )  # fmt: skip
            freed.append((row["source"], row["issue"]))
    return freed


def taken_by_others(connection: Connection, holder: str) -> set[Identity]:
    """Issues that others are at work on; what the holder had in hand when it was killed is given back."""
    query = sa.select(t.touched.c.source, t.touched.c.issue, t.touched.c.job).where(t.touched.c.state == TAKEN)
    rows = connection.execute(query).all()
    for row in rows:
        if row.job == holder:
            _let_go(connection, (row.source, row.issue), holder)
    return {(row.source, row.issue) for row in rows if row.job != holder}


def holding(engine: sa.Engine, run: str, *, clock: Callable[[], datetime]) -> Callable[[Identity], Any]:
    """For `apply`: keeps webhook jobs off an issue while a run writes to it, and the run off what they are at."""

    @contextmanager
    def hold(identity: Identity) -> Iterator[bool]:
        with engine.begin() as connection:
            is_free = _hold(connection, identity, run, now=clock())
        try:
            yield is_free
        finally:
            if is_free:
                with engine.begin() as connection:
                    _let_go(connection, identity, run)

    return hold


def _hold(connection: Connection, identity: Identity, run: str, *, now: datetime) -> bool:
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(t.touched)
    row = {
        "source": identity[0], "issue": identity[1], "state": TAKEN, "first_at": now, "last_at": now, "due_at": now,
        "deliveries": 0, "attempts": 0, "job": run, "taken_at": now,
    }  # fmt: skip
    # Asked for by RETURNING: the count of inserted rows is not known on every driver.
    claim = insert.values(row).on_conflict_do_nothing().returning(t.touched.c.issue)
    if connection.execute(claim).first() is not None:
        return True
    # A row that is there means a webhook's job will look at the issue, or is at it: it writes what is to be written.
    # One that was put off, for the night or for a cap, may be taken meanwhile.
    here = t.touched.c.source == identity[0], t.touched.c.issue == identity[1]
    is_put_off = t.touched.c.state == WAITING, t.touched.c.due_at > now, t.touched.c.reason.is_not(None)
    taken = sa.update(t.touched).where(*here, *is_put_off).values(state=TAKEN, job=run, taken_at=now)
    if connection.execute(taken).rowcount:
        return True
    return connection.execute(sa.select(t.touched.c.state).where(*here)).scalar() == DEAD


def _let_go(connection: Connection, identity: Identity, run: str) -> None:
    mine = t.touched.c.source == identity[0], t.touched.c.issue == identity[1], t.touched.c.job == run
    gone = connection.execute(sa.delete(t.touched).where(*mine, t.touched.c.deliveries == 0)).rowcount
    if not gone:
        connection.execute(sa.update(t.touched).where(*mine).values(state=WAITING, job=None, taken_at=None))


# -- dead letters ------------------------------------------------------------------------------------------------------


def dead_letters(connection: Connection) -> tuple[Touched, ...]:
    query = sa.select(t.touched).where(t.touched.c.state == DEAD).order_by(t.touched.c.last_at, t.touched.c.issue)
    return tuple(_touched(row) for row in connection.execute(query).mappings())


def retry(connection: Connection, identity: Identity, *, now: datetime) -> bool:
    """Try a dead letter again, now; False when there is none."""
    here = t.touched.c.source == identity[0], t.touched.c.issue == identity[1], t.touched.c.state == DEAD
    values = {"state": WAITING, "attempts": 0, "due_at": now, "reason": None}
    return connection.execute(sa.update(t.touched).where(*here).values(**values)).rowcount == 1


def drop(connection: Connection, identity: Identity) -> bool:
    """Forget a dead letter; the next webhook of its issue is looked at again."""
    here = t.touched.c.source == identity[0], t.touched.c.issue == identity[1], t.touched.c.state == DEAD
    return connection.execute(sa.delete(t.touched).where(*here)).rowcount == 1


# -- numbers -----------------------------------------------------------------------------------------------------------


def count_waiting(connection: Connection) -> int:
    query = sa.select(sa.func.count()).where(t.deliveries.c.handled_at.is_(None))
    return int(connection.execute(query).scalar() or 0)


def count_touched(connection: Connection) -> dict[tuple[str, str], int]:
    """By (source, state)."""
    query = sa.select(t.touched.c.source, t.touched.c.state, sa.func.count())
    return {
        (row[0], row[1]): row[2] for row in connection.execute(query.group_by(t.touched.c.source, t.touched.c.state))
    }


def last_received(connection: Connection) -> dict[str, datetime]:
    """When each source last sent anything genuine."""
    query = sa.select(t.deliveries.c.source, sa.func.max(t.deliveries.c.received_at).label("at"))
    return {row.source: row.at for row in connection.execute(query.group_by(t.deliveries.c.source))}


def not_handled(connection: Connection) -> dict[Identity, int]:
    """Kinds of events that say nothing of an issue, by (source, event): how many came."""
    query = sa.select(t.deliveries.c.source, t.deliveries.c.event, sa.func.count())
    query = query.where(t.deliveries.c.outcome == NOT_HANDLED).group_by(t.deliveries.c.source, t.deliveries.c.event)
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def forget(connection: Connection, *, before: datetime) -> int:
    """Drop deliveries that were handled before that time: a tracker repeats none after so long.

    The last one of every source stays: that it used to send is what makes its silence worth a word.
    """
    newest = sa.select(sa.func.max(t.deliveries.c.received_at)).group_by(t.deliveries.c.source)
    old = sa.delete(t.deliveries).where(t.deliveries.c.handled_at < before)
    return connection.execute(old.where(t.deliveries.c.received_at.not_in(newest))).rowcount


def unannounced(connection: Connection, *, now: datetime) -> dict[str, int]:
    """Issues that changed in the tracker since a source last sent anything, by source; only those that used to send.

    The next pull finds such changes; that no webhook told of them means that the webhook is gone or does not get
    through. Trackers deliver up to half an hour late, so what is younger says nothing.
    """
    found: dict[str, int] = {}
    for source, last in last_received(connection).items():
        changed = t.issues.c.updated_at.between(last + LATE, now - LATE)
        query = sa.select(sa.func.count()).where(t.issues.c.source == source, changed)
        found[source] = int(connection.execute(query).scalar() or 0)
    return found


def is_silent(unannounced: int) -> bool:
    """A few are no proof: some changes have no webhook, a sprint's or a board's."""
    return unannounced >= SILENT_FROM
