"""What sprints say of issues: until when one is planned, and who was in a sprint at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backlint.model import Issue, IssueType, Sprint, SprintMembership, StatusCategory
from backlint.rules.history import closed_at
from backlint.rules.rule import Context
from backlint.scopes import SprintIssues

# Subtasks are part of their parents, and epics are no sprint's work.
SPRINT_TYPES = frozenset(IssueType) - {IssueType.SUBTASK, IssueType.EPIC, IssueType.INITIATIVE}
# Trackers that carry an issue over take it out of the old sprint at, or a moment before, its end.
ROLLOVER = timedelta(hours=1)
MORNING = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Planned:
    """Until when an issue is planned; None: in a sprint without dates, or not at all."""

    until: date | None
    sprint: Sprint | None
    is_current: bool

    @property
    def is_planned(self) -> bool:
        return self.until is not None or self.sprint is not None


def planned(issue: Issue, context: Context) -> Planned:
    """By the end of its sprint, else by its due date."""
    sprint = _open_sprint(issue)
    if sprint is not None and sprint.ends_at is not None:
        return Planned(context.day(sprint.ends_at), sprint, sprint.state == "active")
    return Planned(issue.due_on, sprint, sprint is not None and sprint.state == "active")


def _open_sprint(issue: Issue) -> Sprint | None:
    """The running one, else the next by start."""
    sprints = [each.sprint for each in issue.sprints if each.removed_at is None and each.sprint.state != "closed"]
    return min(sprints, key=lambda each: (each.state != "active", *_start(each)), default=None)


def _start(sprint: Sprint) -> tuple[bool, str]:
    return sprint.starts_at is None, sprint.starts_at.isoformat() if sprint.starts_at else sprint.id


def end_of(sprint: Sprint) -> datetime | None:
    """When it was really over, else when it is to end."""
    return sprint.completed_at or sprint.ends_at


def first_day(sprint: Sprint, zone: ZoneInfo) -> date | None:
    return sprint.starts_at.astimezone(zone).date() if sprint.starts_at else None


def last_day(sprint: Sprint, zone: ZoneInfo) -> date | None:
    """A sprint that ends in the morning, when the next begins, or at midnight, has its last day before."""
    return (sprint.ends_at - MORNING).astimezone(zone).date() if sprint.ends_at else None


def memberships(issue: Issue, sprint: str) -> Iterator[SprintMembership]:
    return (membership for membership in issue.sprints if membership.sprint.id == sprint)


def was_in(issue: Issue, sprint: str, at: datetime) -> bool:
    """Whether the issue was in the sprint at the moment. A membership of unknown age began with the issue."""
    for membership in memberships(issue, sprint):
        added_at = membership.added_at or issue.created_at
        if (added_at is None or added_at <= at) and (membership.removed_at is None or membership.removed_at > at):
            return True
    return False


def was_in_at_end(issue: Issue, sprint: Sprint) -> bool:
    end = end_of(sprint)
    return end is not None and was_in(issue, sprint.id, end - ROLLOVER)


def is_in(issue: Issue, sprint: str) -> bool:
    return any(membership.removed_at is None for membership in memberships(issue, sprint))


def completed(found: SprintIssues) -> Iterator[Issue]:
    """What was finished within an ended sprint by those who were in it to the end."""
    start, end = found.sprint.starts_at, end_of(found.sprint)
    if start is None or end is None:
        return
    for issue in found.issues:
        if issue.type not in SPRINT_TYPES or issue.status.category is not StatusCategory.DONE:
            continue
        at = closed_at(issue)
        if at is not None and start <= at <= end and was_in_at_end(issue, found.sprint):
            yield issue


def points(issue: Issue) -> float | None:
    """The estimate, if it is in points: hours beside points do not add up."""
    return issue.estimate if issue.estimate_unit == "points" else None


def estimates(issues: Iterable[Issue]) -> list[float]:
    """All points that there are, ascending."""
    return sorted(size for issue in issues if (size := points(issue)) is not None)


def total_points(issues: Iterable[Issue], *, median: float) -> float:
    """The sum, in which an item without points counts the median."""
    return sum(median if (size := points(issue)) is None else size for issue in issues)
