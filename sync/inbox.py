"""Takes webhook deliveries to the disk, many in one transaction, and says when each is safe.

SQLite has one writer at a time, and a page of a pull or the findings of a check hold it for a good part of a second:
too long for a tracker to wait. There deliveries go into a file of their own first, the box, which only the inbox writes
to: workers copy what is new in it to the store, and the inbox drops what it finds there.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from backlint.errors import BacklintError
from backlint.sync import tables as t
from backlint.sync.database import open_engine, reading
from backlint.sync.deliveries import Delivery, Identity, count_waiting, keep

AT_ONCE = 200  # deliveries in one transaction
UNDER_WAY = 2000  # may wait for their transaction; more would be answered too late for the tracker anyway
COUNT_EVERY = 1.0  # seconds between two looks at how many wait in the store

_box = sa.Table(
    "box",
    sa.MetaData(),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("delivery", sa.Text, nullable=False),  # JSON
    sa.UniqueConstraint("source", "id"),
    sqlite_autoincrement=True,  # a position is never used twice: see `copy`
)


def box_file(store_url: str) -> Path | None:
    """Where the box of a SQLite store is; None where the store takes deliveries itself."""
    url = sa.make_url(store_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    file = Path(url.database)
    return file.with_name(f"{file.stem}-inbox{file.suffix or '.db'}")


def open_box(store_url: str) -> sa.Engine | None:
    """The box, made where there is none yet."""
    file = box_file(store_url)
    if file is None:
        return None
    box = open_engine(f"sqlite:///{file.as_posix()}")

    @sa.event.listens_for(box, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=FULL")  # what was acknowledged outlasts a power cut

    with box.begin() as connection:
        _box.create(connection, checkfirst=True)
    return box


def copy(store: sa.Engine, box: sa.Engine, *, after: int, limit: int = 1000) -> int:
    """What came into the box behind that position, to the store; returns the position of the last.

    From the beginning again after a restart: what the store has already, it does not take twice.
    """
    with reading(box) as connection:
        query = sa.select(_box).where(_box.c.position > after).order_by(_box.c.position).limit(limit)
        rows = connection.execute(query).all()
    if not rows:
        return after
    with store.begin() as connection:
        keep(connection, [msgspec.json.decode(row.delivery, type=Delivery) for row in rows])
    return int(rows[-1].position)


def _copied_to(store: sa.Engine, box: sa.Engine, *, after: int = 0, limit: int = 1000) -> int:
    """The position up to which the store has everything; the box is copied in its order."""
    while True:
        with reading(box) as connection:
            query = sa.select(_box.c.position, _box.c.source, _box.c.id).where(_box.c.position > after)
            rows = connection.execute(query.order_by(_box.c.position).limit(limit)).all()
        if not rows:
            return after
        with reading(store) as connection:
            known = _known(connection, t.deliveries, [(row.source, row.id) for row in rows])
        for row in rows:
            if (row.source, row.id) not in known:
                return after
            after = int(row.position)


def count_all(store: sa.Engine, box: sa.Engine | None) -> int:
    """Deliveries that nobody has looked at yet."""
    with reading(store) as connection:
        waiting = count_waiting(connection)
    return waiting if box is None else waiting + _count_behind(box, _copied_to(store, box))


def _count_behind(box: sa.Engine, position: int) -> int:
    query = sa.select(sa.func.count()).select_from(_box).where(_box.c.position > position)
    with reading(box) as connection:
        return int(connection.execute(query).scalar() or 0)


def _keep_in_box(store: sa.Engine, box: sa.Engine, deliveries: Sequence[Delivery], *, drop_to: int) -> set[Identity]:
    """As `keep`: (source, id) of those that neither the box nor the store knows.

    What was copied, up to `drop_to`, leaves the box in the same transaction: one wait for the disk instead of two.
    """
    given = {(each.source, each.id): each for each in deliveries}
    with reading(store) as connection:
        known = _known(connection, t.deliveries, given)
    with box.begin() as connection:
        fresh = given.keys() - known - _known(connection, _box, given)
        rows: list[dict[str, str]] = [
            {"source": source, "id": id, "delivery": msgspec.json.encode(given[source, id]).decode()}
            for source, id in sorted(fresh)
        ]
        if rows:
            connection.execute(sqlite.insert(_box).on_conflict_do_nothing(), rows)
        connection.execute(sa.delete(_box).where(_box.c.position <= drop_to))
    return set(fresh)


def _known(connection: sa.Connection, table: sa.Table, given: Any) -> set[Identity]:
    found: set[Identity] = set()
    for source in {source for source, _ in given}:
        ids = [id for of, id in given if of == source]
        query = sa.select(table.c.id).where(table.c.source == source, table.c.id.in_(ids))
        found |= {(source, id) for id in connection.execute(query).scalars()}
    return found


class InboxFull(BacklintError):
    """More deliveries than can be looked at: the sender should come again later."""


class Inbox:
    """One thread that writes, and one that counts. While one transaction is on its way to the disk, the next deliveries
    gather."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        max_waiting: int,
        box: sa.Engine | None = None,
        on_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine, self._box, self._max_waiting, self._on_kept = engine, box, max_waiting, on_kept
        self._gathered: deque[tuple[Delivery, Future[bool]]] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._stored = 0  # waiting in the store, as far as is known
        self._copied_to = self._dropped_to = 0  # positions in the box
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._counter = threading.Thread(target=self._keep_counting, name="inbox-count", daemon=True)

    def open(self) -> Inbox:
        self._count()
        self._thread.start()
        self._counter.start()
        return self

    def close(self) -> None:
        """Write what has gathered, then end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._closed.set()
        for thread in (self._thread, self._counter):
            if thread.is_alive():
                thread.join(30.0)

    def waiting(self) -> int:
        """Deliveries that nobody has looked at yet."""
        return count_all(self._engine, self._box)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, delivery: Delivery) -> Future[bool]:
        """Done once the delivery is in the store: True for a new one, False for a repeat. InboxFull takes nothing."""
        future: Future[bool] = Future()
        with self._changed:
            if self._is_closing or len(self._gathered) >= UNDER_WAY or self._stored >= self._max_waiting:
                raise InboxFull("too many webhooks wait; send it again later")
            self._gathered.append((delivery, future))
            self._changed.notify()
        return future

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._gathered or self._is_closing, COUNT_EVERY)
                if self._is_closing and not self._gathered:
                    return
                batch = [self._gathered.popleft() for _ in range(min(AT_ONCE, len(self._gathered)))]
            if batch or self._copied_to > self._dropped_to:
                self._write(batch)

    def _write(self, batch: list[tuple[Delivery, Future[bool]]]) -> None:
        try:
            new = self._keep([delivery for delivery, _ in batch])
        except Exception as error:  # noqa: BLE001 - every sender learns that its delivery was not kept
            for _, future in batch:
                future.set_exception(error)
            return
        self._stored += len(new)
        for delivery, future in batch:
            identity = delivery.source, delivery.id
            future.set_result(identity in new)
            new.discard(identity)  # the same delivery twice in one transaction: the second is a repeat
        self._on_kept()

    def _keep(self, deliveries: Sequence[Delivery]) -> set[Identity]:
        if self._box is not None:
            drop_to = self._copied_to
            fresh = _keep_in_box(self._engine, self._box, deliveries, drop_to=drop_to)
            self._dropped_to = drop_to
            return fresh
        with self._engine.begin() as connection:
            return keep(connection, deliveries)

    def _keep_counting(self) -> None:
        while not self._closed.wait(COUNT_EVERY):
            try:
                self._count()
            except sa.exc.SQLAlchemyError:
                continue  # the next write says what is wrong with the store

    def _count(self) -> None:
        with reading(self._engine) as connection:
            stored = count_waiting(connection)
        if self._box is not None:
            self._copied_to = _copied_to(self._engine, self._box, after=self._copied_to)
            stored += _count_behind(self._box, self._copied_to)
        self._stored = stored
