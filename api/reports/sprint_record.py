"""What became of the sprints: committed and finished, added and removed after the start, carried over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from backlint.api.reports.entries import Entry, entries
from backlint.flow import Item
from backlint.model import Issue
from backlint.rules.scope_creep import ScopeCreep, added_and_removed, last_moment
from backlint.rules.sprint_figures import SPRINT_TYPES, end_of, memberships, was_in, was_in_at_end
from backlint.scopes import SprintIssues


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintRecord:
    """One sprint in items, subtasks and epics aside.

    `added` and `removed` count from a day after the start; None: the tracker does not tell when items came in.
    `carried` None: it is still running.
    """

    source: str
    name: str
    team: str | None
    starts_at: datetime
    ends_at: datetime
    is_running: bool
    committed: tuple[Entry, ...]
    finished: tuple[Entry, ...]  # of the committed
    added: tuple[Entry, ...] | None
    removed: tuple[Entry, ...] | None
    carried: tuple[Entry, ...] | None

    @property
    def predictability(self) -> Fraction | None:
        """Committed at the start and finished, by committed at the start."""
        return Fraction(len(self.finished), len(self.committed)) if self.committed else None

    @property
    def scope_change(self) -> Fraction | None:
        """Added less removed after the start, by committed at the start."""
        if self.added is None or self.removed is None or not self.committed:
            return None
        return Fraction(len(self.added) - len(self.removed), len(self.committed))


def sprint_records(
    sprints: Iterable[SprintIssues],
    flow: Mapping[tuple[str, str], Item],
    now: datetime,
    *,
    since: datetime | None = None,
) -> tuple[SprintRecord, ...]:
    """The sprints that run, or ended at `since` or later; the running ones first, then by end, newest first."""
    found = [record for each in sprints for record in _record(each, flow, now, since)]
    return tuple(sorted(found, key=lambda each: (not each.is_running, -each.ends_at.timestamp(), each.name)))


def _record(
    found: SprintIssues, flow: Mapping[tuple[str, str], Item], now: datetime, since: datetime | None
) -> Iterator[SprintRecord]:
    sprint, start, end = found.sprint, found.sprint.starts_at, end_of(found.sprint)
    is_running = sprint.state == "active"
    if start is None or end is None or start > now or sprint.state == "future":
        return
    if not is_running and (end > now or (since is not None and end < since)):
        return
    last = now if is_running else end
    counted = [issue for issue in found.issues if issue.type in SPRINT_TYPES and issue.identity in flow]
    members = [issue for issue in counted if flow[issue.identity].why_outside is None]
    committed = [issue for issue in members if was_in(issue, sprint.id, start) and not _was_done(issue, flow, start)]
    finished = [issue for issue in committed if _was_finished(issue, flow, start, last)]
    is_told = any(each.added_at is not None for issue in members for each in memberships(issue, sprint.id))
    added, removed = _moved(found, now) if is_told else (None, None)
    carried = [issue for issue in members if was_in_at_end(issue, sprint) and not _was_done(issue, flow, end)]
    yield SprintRecord(
        source=found.scope.source,
        name=sprint.name,
        team=found.scope.team,
        starts_at=start,
        ends_at=end,
        is_running=is_running,
        committed=entries(committed),
        finished=entries(finished),
        added=None if added is None else entries(added),
        removed=None if removed is None else entries(removed),
        carried=None if is_running else entries(carried),
    )


def _moved(found: SprintIssues, now: datetime) -> tuple[list[Issue], list[Issue]]:
    rule = ScopeCreep()
    start = (found.sprint.starts_at or now) + timedelta(hours=rule.grace_hours)
    return added_and_removed(found, start, last_moment(found.sprint, now), exempt=rule.exempt_types)[1:]


def _was_finished(issue: Issue, flow: Mapping[tuple[str, str], Item], since: datetime, until: datetime) -> bool:
    finishes = (episode.finished_at for episode in flow[issue.identity].episodes)
    return any(at is not None and since <= at <= until for at in finishes)


def _was_done(issue: Issue, flow: Mapping[tuple[str, str], Item], at: datetime) -> bool:
    """Whether it was closed at the moment; finished later, or opened again before, it was not."""
    return any(
        span.enter <= at and (span.exit is None or at < span.exit) and not span.category.is_open
        for span in flow[issue.identity].timeline.spans
    )
