"""The backlog kept in memory between the batches of a burst: only what changed meanwhile is read from the store again.

A few webhooks are judged within the whole backlog. To load it anew for each batch would cost as much as a full check.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import sqlalchemy as sa

from backlint.backlog import Backlog
from backlint.model import Issue
from backlint.settings import Settings
from backlint.sync import store
from backlint.sync.check import load_backlog, with_categories
from backlint.sync.database import reading

Identity = tuple[str, str]
IDLE = timedelta(minutes=1)  # then the memory is given back


@dataclass(slots=True)
class KeptBacklog:
    """Thread-safe. What it gives equals `load_backlog`, but for labels and comments that we wrote to other issues."""

    engine: sa.Engine
    settings: Settings
    _issues: dict[Identity, Issue] = field(default_factory=dict)
    _marks: Mapping[Identity, Any] = field(default_factory=dict)
    _surroundings: Any = None
    _whole: Backlog | None = None
    _used_at: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def at(self, now: datetime, *, fresh: Collection[Identity]) -> Backlog:
        """The backlog as stored; `fresh` are read again whether or not they seem to have changed."""
        with self._lock, reading(self.engine) as connection:
            self._used_at = now
            surroundings = store.surroundings(connection)
            marks = store.marks(connection)
            if self._whole is None or surroundings != self._surroundings:
                self._whole = load_backlog(self.engine, self.settings, now=now)
                self._issues = {issue.identity: issue for issue in self._whole.issues}
                self._surroundings, self._marks = surroundings, marks
                return self._whole
            stale = {identity for identity, mark in marks.items() if self._marks.get(identity) != mark}
            self._issues |= self._read(connection, stale | {each for each in fresh if each in marks})
            self._marks = marks
            issues = tuple(self._issues[identity] for identity in marks if identity in self._issues)
            self._whole = replace(self._whole, issues=issues, now=now)
            return self._whole

    @property
    def is_held(self) -> bool:
        return self._whole is not None

    def rest(self, now: datetime) -> None:
        """Forget everything when nobody has asked for a while."""
        with self._lock:
            if self._used_at is not None and now - self._used_at > IDLE:
                self._issues, self._marks, self._whole, self._used_at = {}, {}, None, None

    def _read(self, connection: sa.Connection, wanted: Collection[Identity]) -> dict[Identity, Issue]:
        found: dict[Identity, Issue] = {}
        for source in {source for source, _ in wanted}:
            ids = sorted(id for of, id in wanted if of == source)
            loaded = with_categories(connection, self.settings, store.load_issues(connection, source=source, ids=ids))
            found |= {issue.identity: issue for issue in loaded}
        return found
