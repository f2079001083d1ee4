"""Opening the store: the right engine for the URL, its settings, and the check that program and database fit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from backlint.errors import ConfigurationError, StoreError

UPGRADE_LOCK = 7_215_903_441  # any number, the same in every process of ours
BUSY_MS = 30_000  # another process may hold the write lock for a whole page


def open_engine(url: str) -> sa.Engine:
    """An engine for SQLite (write-ahead log) or PostgreSQL. ConfigurationError names a URL that cannot be used."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "store.url is no database URL: write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    raise ConfigurationError(f"store.url: {parsed.get_backend_name()} is not supported; use sqlite or postgresql")


def _open_sqlite(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).resolve().parent
        if not folder.is_dir():
            raise ConfigurationError(f"store.url: there is no folder {folder}; make it, or name another file")
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's late one
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock at once: two writers wait for each other instead of failing half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")

    return engine


def _writes(connection: sa.Connection) -> bool:
    return not connection.get_execution_options().get("backlint_reads", False)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection for queries only; on SQLite it never waits for a writer."""
    with engine.connect().execution_options(backlint_reads=True) as connection:
        yield connection


_TURN = threading.RLock()


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction. With SQLite the threads of this process take turns; its own waiting looks up again only so often.

    For parts of which several run at once. One that is short and alone may as well use `engine.begin()`.
    """
    with _TURN if engine.dialect.name == "sqlite" else nullcontext(), engine.begin() as connection:
        yield connection


def upgrade(engine: sa.Engine) -> tuple[str | None, str | None]:
    """Bring the database to this program's schema; returns the revision before and after."""
    before = _revision(engine)
    config = alembic_config()
    _refuse_newer(before, config)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's transactions take turns anyway
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, _revision(engine)


def require_current(engine: sa.Engine) -> None:
    """StoreError unless the database has exactly this program's schema; a new file is set up silently."""
    revision = _revision(engine)
    config = alembic_config()
    _refuse_newer(revision, config)
    head = ScriptDirectory.from_config(config).get_current_head()
    if revision is None and not _has_tables(engine):
        _, revision = upgrade(engine)
    elif revision is None:  # another process may have set it up since the first look
        revision = _revision(engine)
    if revision != head:
        raise StoreError(
            f"the database is at schema {revision or 'none'}, this program needs {head}: run `backlint db upgrade`"
        )


def _refuse_newer(revision: str | None, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the database is at schema {revision}, which this program does not know: it was used by a newer backlint. "
            "Install that version, or restore a backup from before"
        )


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", "backlint:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _revision(engine: sa.Engine) -> str | None:
    try:
        with reading(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        raise StoreError(
            f"the database cannot be opened: {error.orig}; check store.url and that the server runs"
        ) from None
    except sa.exc.DatabaseError as error:
        raise StoreError(f"the file is no backlint database: {error.orig}; name another one in store.url") from None


def _has_tables(engine: sa.Engine) -> bool:
    return bool(sa.inspect(engine).get_table_names())
