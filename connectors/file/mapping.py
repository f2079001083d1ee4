"""What the exports have in common: the choices of a reading, and an issue built from cells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, TypeVar

from backlint.connectors.file.dates import DateReader
from backlint.connectors.file.table import Row
from backlint.model import Issue, IssueType, Person, Status, StatusCategory, Transition
from backlint.normalised import FieldError, type_of

T = TypeVar("T")

# By name, since an export holds no priority ids: Jira's present and classic sets and Linear's, each in its own order.
PRIORITIES = {
    "highest": 1,
    "blocker": 1,
    "urgent": 1,
    "high": 2,
    "critical": 2,
    "medium": 3,
    "major": 3,
    "low": 4,
    "minor": 4,
    "lowest": 4,
    "trivial": 4,
}
NOWHERE = Status("", "", StatusCategory.UNKNOWN)  # where an issue stood before the one moment that an export tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file: everything an export leaves open and a person may settle.

    `statuses` and `types` go by name, since CSV exports hold no ids; `fields` is catalogue field -> column name.
    """

    source: str = "file"
    zone: tzinfo = UTC
    day_first: bool | None = None
    statuses: Mapping[str, StatusCategory] = field(default_factory=dict)
    types: Mapping[str, IssueType] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def dates(self) -> DateReader:
        return DateReader(self.zone, self.day_first)

    def category(self, name: str) -> StatusCategory | None:
        """The category a person gave the status; None: the export has to tell."""
        return _folded(self.statuses, name)

    def type(self, name: str) -> IssueType | None:
        return _folded(self.types, name) or type_of(name)


@dataclass(frozen=True, slots=True)
class Mapped:
    """An issue with the people it names, and what could not be read although the issue counts."""

    issue: Issue
    people: tuple[Person, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()  # (field, what is missing)


def required(row: Row, column: str) -> str:
    value = row.first(column)
    if value is None:
        raise FieldError(column, "is missing")
    return value


def instant(row: Row, column: str, dates: DateReader) -> datetime | None:
    value = row.first(column)
    try:
        return dates.instant(value) if value else None
    except (ValueError, OverflowError) as error:
        raise FieldError(column, str(error)) from None


def day(row: Row, column: str, dates: DateReader) -> date | None:
    value = row.first(column)
    try:
        return dates.day(value) if value else None
    except ValueError as error:
        raise FieldError(column, str(error)) from None


def number(row: Row, *columns: str) -> float | None:
    """The first column that holds something. A comma as decimal mark is accepted, a word is not."""
    for column in columns:
        value = row.first(column)
        if value is not None:
            try:
                return _finite(float(value.replace(",", ".")))
            except ValueError:
                raise FieldError(column, f"expected a number, got {value[:40]!r}") from None
    return None


def priority(row: Row, column: str) -> int | None:
    """None for no priority and for a name that only its own site can order."""
    return PRIORITIES.get((row.first(column) or "").casefold())


def mapped_fields(row: Row, reading: Reading) -> dict[str, Any]:
    return {name: text for name, column in reading.fields.items() if (text := row.text(column))}


def moves(*steps: tuple[datetime | None, Status]) -> tuple[Transition, ...]:
    """The moves whose moments an export tells, oldest first. Where the issue stood before the first one is unknown."""
    found: list[Transition] = []
    for at, status in sorted(((at, status) for at, status in steps if at is not None), key=lambda step: step[0]):
        before = found[-1].after if found else NOWHERE
        found.append(Transition(at=at, before=before, after=status, sequence=len(found)))
    return tuple(found)


def _folded(named: Mapping[str, T], name: str) -> T | None:
    if name in named:
        return named[name]
    word = name.casefold()
    return next((value for key, value in named.items() if key.casefold() == word), None)


def _finite(value: float) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("not finite")
    return value
