"""A row of Linear's CSV export to an issue. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

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
    Transition,
)

COLUMNS = ("ID", "Team", "Title", "Status")  # what makes a header Linear's
DATE_COLUMNS = ("Created", "Updated", "Started", "Completed", "Canceled", "Due Date")
_STARTED = Status("started", "started", StatusCategory.ACTIVE)  # which started status it was, the export does not say
# Linear puts an apostrophe before a text that a spreadsheet could take for a formula; its own importer removes it.
_GUARD = re.compile(r"'(?=[-+=@<>∑√∏≤≥≠±÷×])")
_LINKS = {"Related to": LinkKind.RELATES, "Blocked by": LinkKind.BLOCKED_BY, "Duplicate of": LinkKind.DUPLICATES}


def issue_of(row: Row, reading: Reading) -> Mapped:
    dates = reading.dates
    key = required(row, "ID")
    started_at, done_at, cancelled_at = (instant(row, column, dates) for column in ("Started", "Completed", "Canceled"))
    status = _status(row, reading, started_at=started_at, done_at=done_at, cancelled_at=cancelled_at)
    labels = _listed(row, "Labels")
    type, type_name = _type(labels, reading)
    issue = Issue(
        source=reading.source,
        id=row.first("UUID") or key,
        key=key,
        title=_plain(required(row, "Title")),
        tracker=Tracker.FILE,
        project=row.first("Project"),
        team=row.first("Team"),
        type=type,
        type_name=type_name,
        body=_plain(row.text("Description")),
        markup=Markup.MARKDOWN,
        status=status,
        priority=priority(row, "Priority"),
        estimate=number(row, "Estimate"),
        labels=frozenset(labels),
        assignees=_people(row, "Assignee"),
        reporter=next(iter(_people(row, "Creator")), None),
        parent=row.first("Parent issue"),
        sprints=_cycle(row, dates),
        links=tuple(_links(row)),
        due_on=day(row, "Due Date", dates),
        created_at=instant(row, "Created", dates),
        updated_at=instant(row, "Updated", dates),
        transitions=_moves(status, started_at, done_at or cancelled_at),
        history_is_complete=False,
        is_archived=row.first("Archived") is not None,
        fields=MappingProxyType(mapped_fields(row, reading)),
    )
    people = dict.fromkeys((*issue.assignees, *_people(row, "Creator")))
    return Mapped(issue, tuple(_person(name) for name in people))


def _status(
    row: Row,
    reading: Reading,
    *,
    started_at: datetime | None,
    done_at: datetime | None,
    cancelled_at: datetime | None,
) -> Status:
    """The stamps tell what was reached; without one only a person can say what the status means."""
    name = required(row, "Status")
    category = reading.category(name)
    if category is None and cancelled_at:
        category = StatusCategory.CANCELLED
    elif category is None and done_at:
        category = StatusCategory.DONE
    elif category is None and started_at:
        category = StatusCategory.ACTIVE
    return Status(name, name, category or StatusCategory.UNKNOWN)


def _moves(status: Status, started_at: datetime | None, closed_at: datetime | None) -> tuple[Transition, ...]:
    if status.category.is_open:
        return moves((started_at if status.category.is_started else None, status))
    return moves((started_at, _STARTED), (closed_at, status))


def _type(labels: tuple[str, ...], reading: Reading) -> tuple[IssueType, str | None]:
    """Linear has no types; teams use labels such as Bug and Feature."""
    for label in labels:
        type = reading.type(label)
        if type is not None:
            return type, label
    return IssueType.TASK, None


def _plain(text: str) -> str:
    return _GUARD.sub("", text, count=1) if text.startswith("'") else text


def _listed(row: Row, column: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (row.first(column) or "").split(",") if part.strip())


def _people(row: Row, column: str) -> tuple[str, ...]:
    """One person: a display name or an e-mail address, which is all the export has."""
    name = row.first(column)
    return (name,) if name else ()


def _person(name: str) -> Person:
    return Person(id=name, name=name, email=name if re.fullmatch(r"\S+@\S+\.\S+", name) else None)


def _cycle(row: Row, dates: DateReader) -> tuple[SprintMembership, ...]:
    number_text, name = row.first("Cycle Number"), row.first("Cycle Name")
    id = number_text or name
    if id is None:
        return ()
    team = row.first("Team")
    sprint = Sprint(
        id=f"{team}/{id}" if team else id,  # cycles are numbered within their team
        name=name or f"Cycle {id}",
        starts_at=instant(row, "Cycle Start", dates),
        ends_at=instant(row, "Cycle End", dates),
        team=team,
    )
    return (SprintMembership(sprint=sprint),)


def _links(row: Row) -> Iterator[Link]:
    for column, kind in _LINKS.items():
        yield from (Link(kind, key) for key in _listed(row, column))
