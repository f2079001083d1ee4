"""Loading what people decided: one look at the store before a check."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from backlint.model import Issue
from backlint.settings import Settings
from backlint.sync import feedback, waivers
from backlint.trust import Trust
from backlint.waivers import Waivers


def load_trust(connection: Connection, settings: Settings, *, now: datetime) -> Trust:
    """Waivers of store and configuration, rules that stepped back, findings that somebody called wrong."""
    return Trust(
        waivers.all_waivers(connection, settings, now=now), feedback.levels(connection), feedback.disputed(connection)
    )


def trust_of_file(issues: Collection[Issue], settings: Settings, *, now: datetime) -> Trust:
    """The configuration's waivers alone: a file has no store."""
    if not settings.waivers:
        return Trust()
    today = now.astimezone(settings.zone).date()
    return Trust(Waivers(today, waivers.configured(settings, today, waivers.keyed(issues))))
