"""Facts about sources and dead letters, as the API and `backlint status` give them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from backlint.settings import Settings
from backlint.sync import deliveries, store
from backlint.sync.database import reading


def letter(each: deliveries.Touched) -> dict[str, Any]:
    """A dead letter as the API and the command line show it."""
    return {
        "source": each.source, "issue": each.issue, "key": each.key, "reason": each.reason,
        "attempts": each.attempts, "deliveries": each.deliveries, "first_at": each.first_at.isoformat(),
        "last_at": each.last_at.isoformat(),
    }  # fmt: skip


def source_facts(engine: sa.Engine, settings: Settings, *, now: datetime) -> list[dict[str, Any]]:
    """Every configured source: how it was last read, what its webhooks do, what waits."""
    with reading(engine) as connection:
        scopes = store.scope_states(connection)
        counts = store.issue_counts(connection)
        checked = store.checked_sources(connection)
        last = deliveries.last_received(connection)
        touched = deliveries.count_touched(connection)
        unhandled = deliveries.not_handled(connection)
        unannounced = deliveries.unannounced(connection, now=now)
    return [
        {
            "source": source.name,
            "tracker": source.tracker.value,
            "issues": counts.get(source.name, 0),
            "is_checked": source.name in checked,
            "scopes": [
                {"scope": s.scope, "is_complete": s.is_complete, "completed_at": _text(s.completed_at),
                 "problem": s.problem}
                for s in scopes
                if s.source == source.name
            ],
            "webhooks": {
                "is_configured": bool(source.webhook_secret_env or source.oauth),
                "last_at": _text(last.get(source.name)),
                "unannounced": unannounced.get(source.name, 0),
                "is_silent": deliveries.is_silent(unannounced.get(source.name, 0)),
                "not_handled": {event: count for (of, event), count in unhandled.items() if of == source.name},
                "issues": {state: count for (of, state), count in touched.items() if of == source.name},
            },
        }
        for source in settings.sources
    ]  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
