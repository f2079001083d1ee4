"""What can be set about flow metrics, with the catalogue's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from backlint.model import IssueType


class Mode(StrEnum):
    """How cycle time counts work that went back (catalogue 5.4); printed on every chart."""

    ELAPSED = "elapsed"
    IN_PROGRESS = "in_progress"
    LAST_RUN = "last_run"


class StartSource(StrEnum):
    """Where a start is known from; its mix is printed beside every figure that rests on it."""

    STATUS = "status"
    LABEL = "label"
    PULL_REQUEST = "pr"
    ASSIGNMENT = "assignment"
    CHILD = "child"


class Flag(StrEnum):
    """What is odd about an item's history."""

    SKEW = "skew"  # events outside the item's life, moved to its nearest end
    GAP = "gap"  # the history misses changes
    UNMAPPED = "unmapped"  # a status that nobody has given a category
    IMPORTED = "imported"  # created together with many others: the creation date is the import's
    BULK_CLOSED = "bulk_closed"  # finished together with many others: housekeeping rather than delivery
    REWORK = "rework"
    DRAGGED = "dragged"  # started and finished within a minute
    CREATED_STARTED = "created_started"  # created in a started status


# Subtasks are in no figure; epics and initiatives have distributions of their own (catalogue 5.5).
LARGE_TYPES = frozenset({IssueType.EPIC, IssueType.INITIATIVE})
ITEM_TYPES = frozenset(IssueType) - LARGE_TYPES - {IssueType.SUBTASK}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOptions:
    """Options of catalogue section 5. `in_progress_labels` are by source; `records` orders systems of record."""

    merge: timedelta = timedelta(days=14)  # reopened later is a new episode
    min_cycle: timedelta = timedelta(seconds=60)  # faster is a drag across columns
    undo_window: timedelta = timedelta(minutes=10)  # catalogue FLO004: undone so soon is not a reopening
    in_progress_labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    blocked_labels: tuple[str, ...] = ("blocked",)
    assignment_is_start: bool = False
    records: tuple[str, ...] = ()  # sources in order of precedence, for mirrored issues


DEFAULTS = FlowOptions()
