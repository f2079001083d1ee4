"""What nearly every command begins with: the settings, the store, the connectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from backlint.connectors.connect import connect
from backlint.connectors.contract import Connector
from backlint.errors import ConfigurationError
from backlint.settings import DEFAULT_FILE, Settings, SourceSettings, load
from backlint.sync.database import open_engine, reading, require_current
from backlint.sync.jobs import living


@dataclass(frozen=True, slots=True)
class Installation:
    settings: Settings
    engine: sa.Engine


@contextmanager
def open_installation(config: Path | None) -> Iterator[Installation]:
    """Settings and a store with the right schema; raises what the way in prints."""
    settings = load(config)
    engine = open_engine(settings.store.url)
    try:
        require_current(engine)
        yield Installation(settings, engine)
    finally:
        engine.dispose()


def chosen_sources(settings: Settings, *, only: str | None = None) -> list[SourceSettings]:
    """All configured sources, or the one that is named. ConfigurationError when there is none."""
    sources = [settings.source(only)] if only else list(settings.sources)
    if not sources:
        raise ConfigurationError(
            f"no source is configured: run `backlint init`, or write [[sources]] in {DEFAULT_FILE}"
        )
    return sources


@contextmanager
def connected(
    settings: Settings, *, only: str | None = None, names: Sequence[str] | None = None
) -> Iterator[tuple[Connector, ...]]:
    """The connectors of the configured sources, closed afterwards."""
    if names is None:
        sources = chosen_sources(settings, only=only)
    else:
        sources = [source for source in settings.sources if source.name in names and only in (None, source.name)]
    connectors: list[Connector] = []
    try:
        for source in sources:
            connectors.append(connect(source))
        yield tuple(connectors)
    finally:
        for connector in connectors:
            connector.close()


def is_served(place: Installation) -> bool:
    """Whether a service works on this store, whose jobs a command must not cross."""
    with reading(place.engine) as connection:
        return living(connection, now=now()) > 0


def now() -> datetime:
    """The one place where commands look at the clock."""
    return datetime.now(UTC)
