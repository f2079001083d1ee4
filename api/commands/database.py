"""`backlint db upgrade`."""

from __future__ import annotations

from pathlib import Path

from backlint.api.console import Console
from backlint.settings import load
from backlint.sync.database import open_engine
from backlint.sync.database import upgrade as upgrade_schema


def upgrade(console: Console, *, config: Path | None) -> int:
    engine = open_engine(load(config).store.url)
    try:
        before, after = upgrade_schema(engine)
    finally:
        engine.dispose()
    if before == after:
        console.out(f"The store is at schema {after}; nothing to do.")
    else:
        console.out(f"The store went from schema {before or 'none'} to {after}.")
    return 0
