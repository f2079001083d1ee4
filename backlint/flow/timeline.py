"""The statuses of an issue as contiguous spans of time (catalogue 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from backlint.flow.options import Flag
from backlint.model import Issue, Presence, Status, StatusCategory, Transition

# Clocks of trackers and of this machine differ by seconds; more than this is worth a flag.
CLOCK_TOLERANCE = timedelta(minutes=5)
STARTED = frozenset(category for category in StatusCategory if category.is_started)
CLOSED = frozenset(category for category in StatusCategory if not category.is_open)
NOT_STARTED = frozenset({StatusCategory.TRIAGE, StatusCategory.BACKLOG, StatusCategory.TODO})
NO_FLAGS: frozenset[Flag] = frozenset()
_when = attrgetter("at", "sequence")


class Span(NamedTuple):
    """A stay in one status: from `enter` up to, and without, `exit`; None while it lasts.

    `gap_end` is set where the history misses changes within the span: the category it is known to have reached by
    the end. The category of such a span is UNKNOWN. (A named tuple, since a backlog has hundreds of thousands.)
    """

    enter: datetime
    exit: datetime | None
    status: Status
    category: StatusCategory
    gap_end: StatusCategory | None = None

    @property
    def is_gap(self) -> bool:
        return self.gap_end is not None

    def until(self, now: datetime) -> datetime:
        return now if self.exit is None else self.exit


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans of an issue, oldest first, with what is odd about them. Empty when not even its creation is known."""

    spans: tuple[Span, ...]
    flags: frozenset[Flag] = frozenset()

    @property
    def unmapped(self) -> Status | None:
        """The first status that nobody has given a category."""
        for span in self.spans:
            if span.status.category is StatusCategory.UNKNOWN:
                return span.status
        return None

    def at(self, moment: datetime) -> Span | None:
        """The span that holds the moment."""
        for span in self.spans:
            if span.enter <= moment and (span.exit is None or moment < span.exit):
                return span
        return None


def timeline(issue: Issue, now: datetime) -> Timeline:
    """The issue's history as spans that touch each other, from its creation to now.

    Changes before the creation or after now are moved there and flagged. Where a change does not begin with the
    status that the previous one ended with, the span between them is a gap; if both are of one category, the
    category is certain and only the flag remains.
    """
    steps = _in_order(issue.transitions)
    opened = issue.created_at or (steps[0].at if steps else issue.updated_at)
    if opened is None:
        return Timeline(())
    skewed = opened > now + CLOCK_TOLERANCE
    opened = enter = min(opened, now)
    status = steps[0].before if steps else issue.status
    spans: list[Span] = []
    missing = not issue.history_is_complete  # the oldest changes are the ones that trackers cut
    gap = missing
    for step in steps:
        at = step.at
        if at < opened:
            at, skewed = opened, True
        elif at > now:
            skewed = skewed or at > now + CLOCK_TOLERANCE
            at = now
        before = step.before
        if not _is_same(before, status):
            missing = True
            gap = gap or before.category is not status.category
        spans.append(_span(enter, at, status, before.category if gap else None))
        enter, status, gap = at, step.after, False
    present = issue.status
    if _is_same(present, status):
        status = present  # its category knows the resolution, which the history does not
    else:
        missing = True
        gap = gap or present.category is not status.category
    spans.append(_span(enter, _end(issue, enter, now), status, present.category if gap else None))
    return Timeline(tuple(spans), _flags(spans, skewed=skewed, missing=missing))


def _span(enter: datetime, exit: datetime | None, status: Status, gap_end: StatusCategory | None) -> Span:
    return Span(enter, exit, status, status.category if gap_end is None else StatusCategory.UNKNOWN, gap_end)


def _end(issue: Issue, enter: datetime, now: datetime) -> datetime | None:
    """An issue that is gone left its last status some time after its last known change; nothing says when."""
    if issue.presence is Presence.PRESENT:
        return None
    return min(max(issue.updated_at or enter, enter), now)


def _in_order(steps: tuple[Transition, ...]) -> Sequence[Transition]:
    """As the tracker ordered them, without moves to the same status and without those that a transfer replayed."""
    if len(steps) < 2:
        return steps
    ordered = sorted(steps, key=_when)
    kept: list[Transition] = []
    for step in ordered:
        if _is_same(step.before, step.after):
            continue
        if kept and step.at == kept[-1].at and _is_replay(step, kept[-1]):
            continue
        kept.append(step)
    return kept


def _is_replay(step: Transition, previous: Transition) -> bool:
    return _is_same(step.before, previous.before) and _is_same(step.after, previous.after)


def _is_same(one: Status, other: Status) -> bool:
    """Statuses are told apart by id; exports that have none go by name."""
    return one is other or (one.id == other.id and (bool(one.id) or one.name == other.name))


def _flags(spans: list[Span], *, skewed: bool, missing: bool) -> frozenset[Flag]:
    # Gaps are of category UNKNOWN, too; only a status of that category lacks its mapping.
    unknown = [span for span in spans if span.category is StatusCategory.UNKNOWN]
    unmapped = any(span.status.category is StatusCategory.UNKNOWN for span in unknown)
    if not (skewed or missing or unmapped):
        return NO_FLAGS
    found = ((Flag.SKEW, skewed), (Flag.GAP, missing), (Flag.UNMAPPED, unmapped))
    return frozenset(flag for flag, is_set in found if is_set)
