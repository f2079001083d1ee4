"""Which items were known to be finished at a moment of the past (catalogue 6.6).

A finish that was undone later was a finish on the day of the forecast, and a forecast made then counted it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from backlint.flow.items import Item, items
from backlint.flow.metrics import local_day
from backlint.flow.options import DEFAULTS, ITEM_TYPES, Flag, FlowOptions
from backlint.flow.timeline import CLOSED
from backlint.model import Issue


class Finishes:
    """The finishes of a scope, as they were known at any moment. Closes in bulk are housekeeping, and left out.

    Mirrors, types and teams are those of today.
    """

    def __init__(self, found: Iterable[Item], zone: ZoneInfo, options: FlowOptions = DEFAULTS) -> None:
        self._zone, self._options = zone, options
        self._settled: list[datetime] = []
        self._undone: list[Issue] = []
        self._now: list[datetime] = []
        self.bulk_closed = 0
        for item in found:
            if item.issue.type not in ITEM_TYPES or item.why_outside is not None:
                continue
            finishes = _finished_at(item)
            if Flag.BULK_CLOSED in item.flags:
                self.bulk_closed += len(finishes)
                continue
            self._now += finishes
            if sum(span.category in CLOSED for span in item.timeline.spans) > 1 or _is_reopened(item):
                self._undone.append(item.issue)
            else:
                self._settled += finishes

    def today(self) -> Counter[date]:
        """As it is known now, by local day."""
        return Counter(local_day(at, self._zone) for at in self._now)

    def as_of(self, moment: datetime) -> Counter[date]:
        """As it was known then: what was finished before, whatever became of it."""
        known = [at for at in self._settled if at < moment]
        replayed = items(
            (_as_of(issue, moment) for issue in self._undone if _existed(issue, moment)), moment, self._options
        )
        for item in replayed:
            known += [at for at in _finished_at(item) if at < moment]
        return Counter(local_day(at, self._zone) for at in known)


def _finished_at(item: Item) -> list[datetime]:
    return [episode.finished_at for episode in item.finished() if episode.finished_at is not None]


def _is_reopened(item: Item) -> bool:
    """Open again after a close."""
    categories = [span.category in CLOSED for span in item.timeline.spans]
    return any(categories) and not categories[-1]


def _existed(issue: Issue, moment: datetime) -> bool:
    return issue.created_at is None or issue.created_at < moment


def _as_of(issue: Issue, moment: datetime) -> Issue:
    """The issue without what happened to it later."""
    steps = sorted(issue.transitions, key=lambda step: (step.at, step.sequence))
    before = tuple(step for step in steps if step.at < moment)
    if len(before) == len(steps):
        return issue
    status = before[-1].after if before else steps[0].before
    return replace(
        issue, transitions=before, status=status, changes=tuple(each for each in issue.changes if each.at < moment)
    )
