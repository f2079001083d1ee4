"""What people did to an issue and when: the activity that keeps it from being stale (catalogue FLO001)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.model import Issue, LinkKind

# A bulk edit says nothing about one issue: at least 20 issues by one actor within 5 minutes (catalogue FLO001, 5.5).
BULK_ISSUES = 20
BULK_WINDOW = timedelta(minutes=5)
# Changes of order, made by dragging a board, are no work on the issue.
RANK_FIELDS = frozenset({"rank", "sortorder", "sort order", "subissuesortorder", "position", "priority sort order"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did. `actor` is None where the tracker does not say who."""

    at: datetime
    actor: str | None
    kind: str  # created | comment | status | field | pull request


def human_events(issue: Issue) -> Iterator[Event]:
    """Everything a person did to the issue; bots, our own writes and changes of rank are left out."""
    if issue.created_at is not None:
        yield Event(issue.created_at, issue.reporter, "created")
    for comment in issue.comments:
        if not comment.is_bot and not comment.is_own:
            yield Event(comment.at, comment.author, "comment")
    for step in issue.transitions:
        if not step.is_bot:
            yield Event(step.at, step.actor, "status")
    for change in issue.changes:
        if not change.is_bot and change.field.casefold() not in RANK_FIELDS:
            yield Event(change.at, change.actor, "field")
    for link in issue.links:
        if link.kind is LinkKind.PULL_REQUEST and link.at is not None:
            yield Event(link.at, None, "pull request")


BulkEdits = dict[tuple[str, str], list[tuple[datetime, datetime]]]


def bulk_edits(issues: Iterable[Issue]) -> BulkEdits:
    """For each (source, actor) the spans in which they edited at least 20 issues within 5 minutes."""
    edits: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for issue in issues:
        for event in human_events(issue):
            if event.actor is not None and event.kind in ("status", "field"):
                edits[issue.source, event.actor].append((event.at, issue.id))
    found = {actor: _merged(_bulk_spans(sorted(done))) for actor, done in edits.items() if len(done) >= BULK_ISSUES}
    return {actor: spans for actor, spans in found.items() if spans}


def _bulk_spans(done: list[tuple[datetime, str]]) -> Iterator[tuple[datetime, datetime]]:
    counts: dict[str, int] = {}
    first = 0
    for at, issue in done:
        counts[issue] = counts.get(issue, 0) + 1
        while done[first][0] < at - BULK_WINDOW:
            left = done[first][1]
            counts[left] -= 1
            if not counts[left]:
                del counts[left]
            first += 1
        if len(counts) >= BULK_ISSUES:
            yield done[first][0], at


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Overlapping spans as one; they come in order of their ends and starts."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def last_human_activity(issue: Issue, bulk: BulkEdits, *, now: datetime) -> datetime | None:
    """When a person last touched the issue itself; None when nothing is known, not even its creation."""
    moments = [event.at for event in human_events(issue) if event.at <= now and not _is_bulk(issue, event, bulk)]
    return max(moments, default=None)


def _is_bulk(issue: Issue, event: Event, bulk: BulkEdits) -> bool:
    if event.actor is None or event.kind not in ("status", "field"):
        return False
    return any(start <= event.at <= end for start, end in bulk.get((issue.source, event.actor), ()))
