"""Whether an issue is blocked, since when, and by which others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from backlint.flow.metrics import blocked_spans
from backlint.flow.options import FlowOptions
from backlint.model import Issue, LinkKind, Presence
from backlint.rules.order import by_key
from backlint.rules.rule import Context

# Names by which trackers and teams mark an issue as blocked; the rules have options for others.
BLOCKED_LABELS = ("blocked", "impediment", "status: blocked")
BLOCKED_STATUSES = ("blocked", "impeded", "impediment")
FLAG_FIELDS = ("flagged", "blocked", "impediment")


@dataclass(frozen=True, slots=True)
class Mark:
    """How the issue says that it is blocked; `at` None: the history does not tell since when."""

    kind: str  # flag | status | label
    text: str
    at: datetime | None


def blocked_mark(issue: Issue, *, statuses: Iterable[str], labels: Sequence[str]) -> Mark | None:
    """The mark of an issue that is blocked now: a flag, the name of its status, or a label."""
    if any(_is_on(issue.fields.get(name)) for name in FLAG_FIELDS):
        return Mark("flag", "flagged", _marked_at(issue, labels))
    if _says(issue.status.name, tuple(statuses)):
        moved = [step.at for step in issue.transitions if step.after.id == issue.status.id]
        return Mark("status", issue.status.name, max(moved, default=None))
    if not issue.labels:
        return None
    wanted = {label.casefold() for label in labels}
    label = next((label for label in sorted(issue.labels) if label.casefold() in wanted), None)
    return Mark("label", label, _marked_at(issue, labels)) if label is not None else None


def _is_on(value: object) -> bool:
    return bool(value) and str(value).casefold() not in ("false", "no", "0")


@lru_cache(maxsize=1024)
def _says(name: str, words: tuple[str, ...]) -> bool:
    """Whole words: "Unblocked" is not blocked."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", name, re.IGNORECASE) for word in words)


def _marked_at(issue: Issue, labels: Sequence[str]) -> datetime | None:
    spans = blocked_spans(issue, FlowOptions(blocked_labels=tuple(labels)))
    return spans[-1][0] if spans and spans[-1][1] is None else None


@dataclass(slots=True)
class Blockers:
    """What blocks one issue: the issues that were found, and how many could not be read."""

    found: dict[tuple[str, str], Issue] = field(default_factory=dict)
    unread: int = 0

    @property
    def issues(self) -> list[Issue]:
        return sorted(self.found.values(), key=by_key)

    @property
    def open(self) -> list[Issue]:
        return [each for each in self.issues if each.is_open and each.presence is Presence.PRESENT]


NONE = Blockers()


def blockers(issue: Issue, context: Context) -> Blockers:
    """By the links of either side, in the order of their keys."""
    return context.of_backlog("blockers", lambda: _all_blockers(context)).get(issue.identity, NONE)


def _all_blockers(context: Context) -> Mapping[tuple[str, str], Blockers]:
    found: dict[tuple[str, str], Blockers] = {}
    for issue in context.backlog.issues:
        for link in issue.links:
            if link.kind not in (LinkKind.BLOCKED_BY, LinkKind.BLOCKS):
                continue
            other = context.backlog.linked(issue, link.target)
            if link.kind is LinkKind.BLOCKED_BY:
                _add(found.setdefault(issue.identity, Blockers()), other)
            elif other is not None:
                _add(found.setdefault(other.identity, Blockers()), issue)
    return found


def _add(blockers: Blockers, other: Issue | None) -> None:
    if other is None or other.presence is Presence.UNREADABLE:
        blockers.unread += 1
    else:
        blockers.found[other.identity] = other
