"""Issues that stand for one thing in two trackers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from backlint.model import Issue, LinkKind, Tracker
from backlint.rules.rule import Context

TRACKER_NAMES = {Tracker.JIRA: "Jira", Tracker.LINEAR: "Linear", Tracker.GITHUB: "GitHub"}
NEVER = datetime.max.replace(tzinfo=UTC)


def peers(issue: Issue, context: Context) -> Sequence[Issue]:
    """The mirrors of the issue that were read, by the links of either side."""
    return context.of_backlog("mirrors", lambda: _pairs(context)).get(issue.identity, ())


def _pairs(context: Context) -> Mapping[tuple[str, str], Sequence[Issue]]:
    found: dict[tuple[str, str], dict[tuple[str, str], Issue]] = defaultdict(dict)
    for issue in context.backlog.issues:
        for link in issue.links:
            other = context.backlog.linked(issue, link.target) if link.kind is LinkKind.MIRRORS else None
            if other is not None and other is not issue:
                found[issue.identity][other.identity] = other
                found[other.identity][issue.identity] = issue
    return {key: [others[name] for name in sorted(others)] for key, others in found.items()}


def is_record(issue: Issue, other: Issue, records: Sequence[str]) -> bool:
    """Whether the first of a pair is the system of record: by the order of sources given, else the older one."""
    return _rank(issue, records) < _rank(other, records)


def _rank(issue: Issue, records: Sequence[str]) -> tuple[int, datetime, tuple[str, str]]:
    order = {source: place for place, source in enumerate(records)}
    return order.get(issue.source, len(records)), issue.created_at or NEVER, issue.identity


def names(issue: Issue, other: Issue) -> tuple[str, str]:
    """What a reader calls the two sides: the trackers, or the sources where those are of one kind."""
    one, two = (TRACKER_NAMES.get(each.tracker, each.source) for each in (issue, other))
    return (one, two) if one != two else (issue.source, other.source)
