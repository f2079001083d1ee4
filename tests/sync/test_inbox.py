"""The inbox: what was said to be kept is kept, once, whatever dies between the box and the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from backlint.sync import tables as t
from backlint.sync.deliveries import Delivery
from backlint.sync.inbox import Inbox, InboxFull, copy, count_all, open_box

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def a_delivery(id: str) -> Delivery:
    return Delivery(
        source="demo", id=id, event="edited", issues=("a",), keys={"a": "D-1"}, received_at=NOW, actor="mia"
    )


@pytest.fixture
def box(store_url: str) -> Iterator[sa.Engine | None]:
    """On PostgreSQL there is none: the store takes deliveries itself."""
    opened = open_box(store_url)
    yield opened
    if opened is not None:
        opened.dispose()


@pytest.fixture
def inbox(engine: sa.Engine, box: sa.Engine | None) -> Iterator[Inbox]:
    opened = Inbox(engine, max_waiting=50, box=box).open()
    yield opened
    opened.close()


def stored(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(t.deliveries.c.id)).scalars())


def copied(engine: sa.Engine, box: sa.Engine | None, *, after: int = 0) -> int:
    return copy(engine, box, after=after) if box is not None else 0


def test_new_ones_and_repeats_are_told_apart_also_after_they_were_copied(
    inbox: Inbox, engine: sa.Engine, box: sa.Engine | None
) -> None:
    first = [inbox.put(a_delivery(id)) for id in ("1", "2", "1")]
    assert [future.result(10) for future in first] == [True, True, False]
    copied(engine, box)

    assert inbox.put(a_delivery("2")).result(10) is False
    assert inbox.put(a_delivery("3")).result(10) is True


def test_what_was_acknowledged_is_in_the_store_once_however_often_it_is_copied(
    inbox: Inbox, engine: sa.Engine, box: sa.Engine | None
) -> None:
    for number in range(20):
        assert inbox.put(a_delivery(f"{number:02}")).result(10)

    last = copied(engine, box)
    copied(engine, box)  # by a process that was started anew and knows no position
    assert inbox.put(a_delivery("20")).result(10)
    copied(engine, box, after=last)

    assert stored(engine) == [f"{number:02}" for number in range(21)]
    with engine.connect() as connection:
        row = connection.execute(sa.select(t.deliveries).limit(1)).one()
    assert (row.issues, row.keys, row.actor, row.received_at, row.handled_at) == (["a"], {"a": "D-1"}, "mia", NOW, None)


def test_above_its_limit_it_takes_nothing_more_and_keeps_what_it_has(
    inbox: Inbox, engine: sa.Engine, box: sa.Engine | None
) -> None:
    taken = []
    with suppress(InboxFull):
        for number in range(200):
            assert inbox.put(a_delivery(f"{number:03}")).result(10)
            taken.append(f"{number:03}")

    copied(engine, box)
    assert 50 <= len(taken) < 200
    assert stored(engine) == taken


def test_a_closed_inbox_has_written_what_it_was_given(engine: sa.Engine, box: sa.Engine | None) -> None:
    inbox = Inbox(engine, max_waiting=1000, box=box).open()
    futures = [inbox.put(a_delivery(str(number))) for number in range(100)]

    inbox.close()

    assert all(future.done() for future in futures)
    assert count_all(engine, box) == 100
    with pytest.raises(InboxFull):
        inbox.put(a_delivery("late"))
