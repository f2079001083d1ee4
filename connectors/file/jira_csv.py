"""A row of Jira's CSV export ("CSV (all fields)") to an issue. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from backlint.connectors.file.dates import DateReader
from backlint.connectors.file.mapping import (
    Mapped,
    Reading,
    day,
    instant,
    mapped_fields,
    moves,
    number,
    priority,
    required,
)
from backlint.connectors.file.table import Row
from backlint.model import (
    Comment,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Person,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Tracker,
)
from backlint.status import is_cancelling

COLUMNS = ("Issue key", "Summary")  # what makes a header Jira's
DATE_COLUMNS = ("Created", "Updated", "Resolved", "Due date")
# Jira's own three classes of statuses; its "To Do" is everything not begun, so it is the backlog here (catalogue 1.2).
_CLASSES = {
    "to do": StatusCategory.BACKLOG,
    "new": StatusCategory.BACKLOG,
    "in progress": StatusCategory.ACTIVE,
    "done": StatusCategory.DONE,
    "complete": StatusCategory.DONE,
}
_POINTS = ("Custom field (Story Points)", "Custom field (Story point estimate)")
_PARENTS = ("Parent id", "Parent key", "Parent", "Custom field (Parent Link)", "Custom field (Epic Link)")
# Custom fields with a name that leaves no doubt; others need a mapping by a person.
_FIELDS = {
    "acceptance_criteria": "Custom field (Acceptance Criteria)",
    "outcome": "Custom field (Outcome)",
    "blocked_reason": "Custom field (Blocked reason)",
}
_LINK_COLUMN = re.compile(r"(outward|inward) issue link \((.+)\)")
_LINKS = {
    ("outward", "blocks"): LinkKind.BLOCKS,
    ("inward", "blocks"): LinkKind.BLOCKED_BY,
    ("outward", "duplicate"): LinkKind.DUPLICATES,
    ("inward", "duplicate"): LinkKind.DUPLICATED_BY,
    ("outward", "cloners"): LinkKind.CLONES,
    ("outward", "relates"): LinkKind.RELATES,
    ("inward", "relates"): LinkKind.RELATES,
}


def issue_of(row: Row, reading: Reading) -> Mapped:
    dates = reading.dates
    key = required(row, "Issue key")
    type_name = row.first("Issue Type")
    status = _status(row, reading)
    assignee, reporter = _person(row, "Assignee"), _person(row, "Reporter")
    comments, remarks = _comments(row, key, dates)
    issue = Issue(
        source=reading.source,
        id=row.first("Issue id") or key,
        key=key,
        title=required(row, "Summary"),
        tracker=Tracker.FILE,
        project=row.first("Project key") or key.rpartition("-")[0] or None,
        type=(reading.type(type_name) if type_name else None) or IssueType.TASK,
        type_name=type_name,
        body=row.text("Description"),
        markup=Markup.WIKI,
        status=status,
        resolution=_resolution(row),
        priority=priority(row, "Priority"),
        **_estimate(row),
        labels=frozenset(label for cell in row.all("Labels") for label in cell.split()),  # labels hold no spaces
        assignees=(assignee.id,) if assignee else (),
        reporter=reporter.id if reporter else None,
        parent=row.first(*_PARENTS),
        sprints=_sprints(row),
        links=tuple(_links(row)),
        rank=row.first("Custom field (Rank)"),
        due_on=day(row, "Due date", dates),
        created_at=instant(row, "Created", dates),
        updated_at=instant(row, "Updated", dates),
        transitions=moves(_last_move(row, status, dates)),
        comments=comments,
        history_is_complete=False,
        fields=MappingProxyType(_custom_fields(row, reading)),
    )
    return Mapped(issue, tuple(person for person in (assignee, reporter) if person), remarks)


def _status(row: Row, reading: Reading) -> Status:
    name = required(row, "Status")
    category = reading.category(name) or _told_category(row)
    if category is StatusCategory.DONE and is_cancelling(_resolution(row)):
        category = StatusCategory.CANCELLED
    return Status(name, name, category)


def _told_category(row: Row) -> StatusCategory:
    """What the export itself says; the status name is never read for a meaning."""
    told = _CLASSES.get((row.first("Status Category") or "").casefold())
    if told is not None:
        return told
    if row.first("Resolved") and _resolution(row):
        return StatusCategory.DONE
    return StatusCategory.UNKNOWN


def _resolution(row: Row) -> str | None:
    value = row.first("Resolution")
    return None if value is None or value.casefold() == "unresolved" else value


def _last_move(row: Row, status: Status, dates: DateReader) -> tuple[Any, Status]:
    """The one move an export tells: into a closed status, or into the present class of statuses."""
    changed_at = instant(row, "Status Category Changed", dates)
    if not status.category.is_open:
        return instant(row, "Resolved", dates) or changed_at, status
    return (changed_at if status.category.is_started else None), status


def _person(row: Row, role: str) -> Person | None:
    """Cloud adds a column with the account id; Data Center has the user name alone."""
    name = row.first(role)
    id = row.first(f"{role} Id") or name
    if id is None or (name or "").casefold() == "unassigned":
        return None
    return Person(id=id, name=name or id)


def _estimate(row: Row) -> dict[str, Any]:
    points = number(row, *_POINTS)
    if points is not None:
        return {"estimate": points}
    seconds = number(row, "Original estimate")
    return {} if seconds is None else {"estimate": seconds / 3600, "estimate_unit": "hours"}


def _sprints(row: Row) -> tuple[SprintMembership, ...]:
    """The export has the names alone, one column each; ids and dates are not in it."""
    names = dict.fromkeys(name.strip() for name in row.all("Sprint"))
    return tuple(SprintMembership(sprint=Sprint(id=name, name=name)) for name in names)


def _links(row: Row) -> Iterator[Link]:
    for column in row.columns:
        found = _LINK_COLUMN.fullmatch(column)
        if found:
            kind = _LINKS.get((found[1], found[2]), LinkKind.OTHER)
            yield from (Link(kind, key.strip()) for key in row.all(column))


def _comments(row: Row, key: str, dates: DateReader) -> tuple[tuple[Comment, ...], tuple[tuple[str, str], ...]]:
    """Cells of the form `24/Nov/26 3:04 PM;author;text`. One that differs is left out with a remark."""
    found: list[Comment] = []
    remarks: list[tuple[str, str]] = []
    for place, cell in enumerate((*row.all("Comment"), *row.all("Comments")), start=1):
        printed, _, rest = cell.partition(";")
        author, separator, body = rest.partition(";")
        try:
            at = dates.instant(printed)
        except (ValueError, OverflowError):
            separator = ""
        if not separator:
            remarks.append(("Comment", f"comment {place} is not of the form date;author;text and was left out"))
            continue
        found.append(
            Comment(id=f"{key}-comment-{place}", at=at, author=author.strip() or None, body=body, markup=Markup.WIKI)
        )
    found.sort(key=lambda comment: comment.at)
    return tuple(found), tuple(remarks)


def _custom_fields(row: Row, reading: Reading) -> dict[str, Any]:
    known = {name: text for name, column in _FIELDS.items() if (text := row.text(column))}
    return {**known, **mapped_fields(row, reading)}
