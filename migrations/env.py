"""How Alembic reaches the database: over the connection that `sync.database` hands in, or a URL of its own."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from backlint.sync.tables import Instant, Words, metadata


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the database's types, so that they never need the classes of today."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Words):
        return "sa.Text()"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=plain_types,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is None:
    raise SystemExit("run `backlint db upgrade`; for a new revision see CONTRIBUTING.md")
run(handed_in)
