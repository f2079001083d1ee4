"""Rows written in bulk come back as they would through SQLAlchemy, which reads them here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from backlint.sync import bulk
from backlint.sync import tables as t

EARLY = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
ISSUE = {
    "source": "acme", "id": "1", "scope": "S", "tracker": "jira", "key": "S-1", "url": None, "type": "story",
    "title": "caf\u00e9 \x00 \ud800", "body": "", "markup": "adf", "status_id": "1", "status_name": "Open",
    "estimate": 2.5, "estimate_unit": "points", "assignees": ["mia"], "accountable": [], "checklist": [["a", True]],
    "due_on": date(2026, 4, 1), "created_at": EARLY, "updated_at": None, "history_is_complete": True,
    "is_locked": False, "is_archived": False, "presence": "present", "fields": {}, "digest": "x",
    "pulled_at": datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
}  # fmt: skip


def read(engine: sa.Engine) -> list[sa.RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(t.issues).order_by(t.issues.c.id)).mappings())


def test_every_kind_of_column_comes_back_as_it_was_given(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        bulk.insert(connection, t.issues, [ISSUE])

    (row,) = read(engine)

    told = {name: row[name] for name in ISSUE if name != "title"}
    assert told == {name: value for name, value in ISSUE.items() if name != "title"}
    assert row["title"] == "caf\u00e9 \ufffd \ufffd"


def test_so_many_rows_that_postgresql_takes_them_by_copy_come_back_too(engine: sa.Engine) -> None:
    labels = [{"source": "acme", "issue": "1", "label": f"l{n:04}"} for n in range(bulk.COPY_FROM + 1)]
    with engine.begin() as connection:
        bulk.insert(connection, t.issues, [ISSUE])
        bulk.insert(connection, t.labels, labels)
        found = connection.execute(sa.select(t.labels.c.label).order_by(t.labels.c.label)).scalars()

        assert list(found) == [each["label"] for each in labels]


def test_a_row_that_is_there_is_replaced_and_others_stay(engine: sa.Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("there the store replaces rows by SQLAlchemy")
    with engine.begin() as connection:
        bulk.insert(connection, t.issues, [ISSUE, {**ISSUE, "id": "2"}])
        bulk.replace(connection, t.issues, [{**ISSUE, "body": "new"}])

    assert [(row["id"], row["body"]) for row in read(engine)] == [("1", "new"), ("2", "")]


def test_a_time_without_zone_is_refused(engine: sa.Engine) -> None:
    naive = {**ISSUE, "created_at": datetime(2026, 3, 1)}  # noqa: DTZ001 - that is the point

    with engine.begin() as connection, pytest.raises((ValueError, sa.exc.StatementError), match="no time zone"):
        bulk.insert(connection, t.issues, [naive])
