"""Opening, upgrading and refusing stores."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from backlint.errors import ConfigurationError, StoreError
from backlint.sync import tables
from backlint.sync.database import alembic_config, open_engine, require_current, upgrade


def test_the_migrations_make_exactly_the_tables_of_the_program(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, tables.metadata) == []


def test_every_migration_goes_down_and_up_again(engine: sa.Engine) -> None:
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}

    upgrade(engine)

    assert set(sa.inspect(engine).get_table_names()) >= set(tables.metadata.tables)


def test_a_new_file_is_set_up_without_being_asked(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")

    require_current(engine)

    assert "issues" in sa.inspect(engine).get_table_names()
    engine.dispose()


def test_many_processes_may_set_up_one_new_store_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    problems: list[BaseException] = []

    def set_up() -> None:
        engine = open_engine(url)
        try:
            require_current(engine)
        except Exception as error:  # noqa: BLE001 - whatever went wrong in a thread is the test's result
            problems.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=set_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


def test_a_database_newer_than_the_program_is_refused_untouched(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match=r"9999.*newer backlint"):
        require_current(engine)
    with pytest.raises(StoreError, match="9999"):
        upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.db"
    wrong.write_text("these are my notes, and they are long enough to be read as a page " * 20)
    engine = open_engine(f"sqlite:///{wrong}")

    with pytest.raises(StoreError, match="no backlint database"):
        require_current(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("nonsense", "no database URL"),
        ("mysql://root@localhost/x", "not supported"),
        ("sqlite:////no/such/folder/x.db", "no folder"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        open_engine(url)


def test_an_unreachable_server_is_explained() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(StoreError, match=r"store\.url"):
        require_current(engine)
