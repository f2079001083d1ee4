"""Takes webhook deliveries to the store, many in one transaction, and says when each is safe."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import sqlalchemy as sa

from backlint.errors import BacklintError
from backlint.sync.database import reading
from backlint.sync.deliveries import Delivery, count_waiting, keep

AT_ONCE = 200  # deliveries in one transaction
UNDER_WAY = 2000  # may wait for their transaction; more would be answered too late for the tracker anyway
COUNT_EVERY = 1.0  # seconds between two looks at how many wait in the store


class InboxFull(BacklintError):
    """More deliveries than can be looked at: the sender should come again later."""


class Inbox:
    """One thread that writes. While one transaction is on its way to the disk, the next deliveries gather."""

    def __init__(self, engine: sa.Engine, *, max_waiting: int, on_kept: Callable[[], None] = lambda: None) -> None:
        self._engine, self._max_waiting, self._on_kept = engine, max_waiting, on_kept
        self._gathered: deque[tuple[Delivery, Future[bool]]] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._stored = 0  # waiting in the store, as far as is known
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def open(self) -> Inbox:
        self._count()
        self._thread.start()
        return self

    def close(self) -> None:
        """Write what has gathered, then end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(30.0)

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
                is_news = self._changed.wait_for(lambda: self._gathered or self._is_closing, COUNT_EVERY)
                if self._is_closing and not self._gathered:
                    return
                batch = [self._gathered.popleft() for _ in range(min(AT_ONCE, len(self._gathered)))]
            if batch:
                self._write(batch)
            if not is_news or self._stored >= self._max_waiting // 2:
                self._count_if_possible()

    def _write(self, batch: list[tuple[Delivery, Future[bool]]]) -> None:
        try:
            with self._engine.begin() as connection:
                new = keep(connection, [delivery for delivery, _ in batch])
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

    def _count_if_possible(self) -> None:
        try:
            self._count()
        except sa.exc.SQLAlchemyError:
            return  # the next write says what is wrong with the store

    def _count(self) -> None:
        with reading(self._engine) as connection:
            self._stored = count_waiting(connection)
