"""The weekly readout and its audience views: sections of figures and issues, each figure with the issues behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer, OfSources, SourceHealth


class Audience(StrEnum):
    """Whom a view is cut for; without one it is the whole readout (catalogue 7.4, 7.5)."""

    EXECUTIVE = "executive"
    ENGINEERING = "engineering"
    PRODUCT = "product"
    DESIGN = "design"
    MARKETING = "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number as people read it, what it counts, and the issues it was made from.

    `number` is the same for programs; None where there is none, and then `of` says why.
    """

    name: str
    value: str
    of: str
    number: float | None
    behind: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the readout. `empty` is said when it has no entries; `missing` names data that nobody has entered.

    `of` is how many there are when the entries are only the first of them.
    """

    name: str
    title: str
    note: str = ""
    figures: tuple[Figure, ...] = ()
    entries: tuple[Entry, ...] = ()
    empty: str = ""
    missing: tuple[str, ...] = ()
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout(OfSources):
    """Everything the report says. `since` and `until` are local days, both included."""

    scope: str
    audience: Audience | None
    as_of: datetime
    timezone: str
    rules_version: str
    since: date
    until: date
    health: tuple[SourceHealth, ...]
    answer: Answer
    issues: int  # looked at
    headline: str
    sections: tuple[Section, ...]
