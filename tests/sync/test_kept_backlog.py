"""The kept backlog is the stored one, whatever changed since it was read last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from backlint.model import Presence, StatusCategory
from backlint.settings import Settings
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.check import load_backlog
from backlint.sync.kept_backlog import IDLE, KeptBacklog
from backlint.sync.pull import pull
from tests.factory import an_issue
from tests.sync.memory_tracker import MemoryTracker, statuses_as

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
SETTINGS = Settings()


def test_it_equals_what_is_stored_after_every_kind_of_change(engine: sa.Engine) -> None:
    tracker = MemoryTracker([an_issue(id=str(number), key=f"DEMO-{number}") for number in range(5)])
    kept = KeptBacklog(engine, SETTINGS)

    def agree(minute: int) -> bool:
        now = NOW + timedelta(minutes=minute)
        return kept.at(now, fresh=()) == load_backlog(engine, SETTINGS, now=now)

    pull(engine, [tracker], now=NOW)
    assert agree(0)
    tracker.edit("1", title="Another title", status=statuses_as(StatusCategory.ACTIVE))
    tracker.add(an_issue(id="9", key="DEMO-9"))
    pull(engine, [tracker], now=NOW + timedelta(minutes=1))
    assert agree(1)
    with engine.begin() as connection:
        store.set_presence(connection, "demo", ["2"], Presence.DELETED)
    assert agree(2)
    with engine.begin() as connection:  # what every issue is judged with: here, that a status counts as done
        connection.execute(sa.update(t.statuses).values(default_category=StatusCategory.DONE.value))
    assert agree(3)


def test_what_is_fresh_is_read_again_also_where_nothing_seems_to_have_changed(engine: sa.Engine) -> None:
    pull(engine, [MemoryTracker([an_issue(id="1"), an_issue(id="2", key="DEMO-2")])], now=NOW)
    kept = KeptBacklog(engine, SETTINGS)
    kept.at(NOW, fresh=())
    with engine.begin() as connection:  # as a write of ours is noted, which is no change of the issue
        connection.execute(t.labels.insert(), [{"source": "demo", "issue": "1", "label": "hygiene:needs-owner"}])

    assert kept.at(NOW, fresh=[("demo", "1")]) == load_backlog(engine, SETTINGS, now=NOW)


def test_after_a_while_without_work_nothing_is_held(engine: sa.Engine) -> None:
    pull(engine, [MemoryTracker([an_issue(id="1")])], now=NOW)
    kept = KeptBacklog(engine, SETTINGS)
    kept.at(NOW, fresh=())

    kept.rest(NOW + IDLE)
    assert kept.is_held
    kept.rest(NOW + IDLE + timedelta(seconds=1))
    assert not kept.is_held
    assert len(kept.at(NOW, fresh=()).issues) == 1
