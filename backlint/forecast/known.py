"""Which items were known to be finished on a day of the past (catalogue 6.6).

A finish that was undone later was a finish on the day of the forecast, and a forecast made then counted it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from backlint.flow.items import Item, items
from backlint.flow.metrics import local_day
from backlint.flow.options import DEFAULTS, ITEM_TYPES, Flag, FlowOptions
from backlint.flow.timeline import CLOSED
from backlint.model import Issue


class Finishes:
    """The finishes of a scope, as they were known on any day. Closes in bulk are housekeeping, and left out.

    Mirrors, types and teams are those of today.
    """

    def __init__(self, found: Iterable[Item], zone: ZoneInfo, options: FlowOptions = DEFAULTS) -> None:
        self._zone, self._options = zone, options
        self._settled: Counter[date] = Counter()
        self._undone: list[Issue] = []
        self._others: Counter[date] = Counter()  # of the undone, as it is now
        self.bulk_closed = 0
        self.finished: list[tuple[date, Issue]] = []  # as it is now: what the figures rest on
        for item in found:
            if item.issue.type not in ITEM_TYPES or item.why_outside is not None:
                continue
            finished = self._days(item)
            if Flag.BULK_CLOSED in item.flags:
                self.bulk_closed += len(finished)
                continue
            self.finished += [(day, item.issue) for day in finished]
            if _was_undone(item):
                self._undone.append(item.issue)
                self._others.update(finished)
            else:
                self._settled.update(finished)

    def today(self) -> Counter[date]:
        """As it is known now, by local day."""
        return self._settled + self._others

    def as_of(self, day: date) -> Counter[date]:
        """As it was known when the day began: what was finished before, whatever became of it."""
        moment = datetime.combine(day, time(), self._zone).astimezone(UTC)
        known = Counter({on: count for on, count in self._settled.items() if on < day})
        then = [_as_of(issue, moment) for issue in self._undone if _existed(issue, moment)]
        for item in items(then, moment, self._options):
            known.update(on for on in self._days(item) if on < day)
        return known

    def _days(self, item: Item) -> list[date]:
        ends = (episode.finished_at for episode in item.finished())
        return [local_day(at, self._zone) for at in ends if at is not None]


def _was_undone(item: Item) -> bool:
    """Whether a close was followed by anything."""
    closed = [span.category in CLOSED for span in item.timeline.spans]
    return sum(closed) > 1 or (any(closed) and not closed[-1])


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
