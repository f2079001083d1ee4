"""Which objectives an issue serves, and whether they are still running."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from backlint.model import Evidence, Issue, IssueType, LinkKind
from backlint.rules.dates_text import find_date
from backlint.rules.evidence import of_value
from backlint.rules.outcome_text import outcome_sections
from backlint.rules.rule import Context

GOAL_FIELDS = ("objective", "key_result", "goal", "initiative", "okr")
OBJECTIVE_TYPES = ("objective", "goal", "okr")
KEY_RESULT_TYPES = ("key result", "key-result", "keyresult", "kr")
_KEY = re.compile(r"(?<![\w-])[A-Z][A-Z0-9_]{1,9}-\d{1,7}(?![\w-])")
_QUARTER = re.compile(
    r"(?<!\w)(?:(?P<y1>20\d\d)[\s/-]*)?(?:Q(?P<q1>[1-4])|(?P<q2>[1-4])Q)(?:[\s/-]*(?P<y2>20\d\d))?(?!\w)", re.IGNORECASE
)
_HALF = re.compile(r"(?<!\w)(?:(?P<y1>20\d\d)[\s/-]*)?H(?P<h>[12])(?:[\s/-]*(?P<y2>20\d\d))?(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective that an issue names: where, as what, and when it ended, if it did."""

    name: str
    evidence: Evidence
    ended_on: date | None = None
    is_closed: bool = False


def is_objective(issue: Issue, types: Iterable[str] = OBJECTIVE_TYPES) -> bool:
    return _kind(issue, types)


def is_key_result(issue: Issue, types: Iterable[str] = KEY_RESULT_TYPES) -> bool:
    return _kind(issue, types)


def _kind(issue: Issue, names: Iterable[str]) -> bool:
    known = {name.casefold() for name in names}
    named = {(issue.type_name or "").casefold(), *(label.casefold() for label in issue.labels)}
    return bool(named & known)


def keeps_objectives(issue: Issue, context: Context) -> bool:
    """Whether the issue's source holds objectives at all: elsewhere nobody could link to one."""
    sources = context.of_backlog("objectives", lambda: frozenset(_sources(context)))
    return context.backlog.habits_are_on or issue.source in sources


def _sources(context: Context) -> Iterator[str]:
    for issue in context.backlog.issues:
        if issue.type is IssueType.INITIATIVE or is_objective(issue) or any(map(issue.fields.get, GOAL_FIELDS)):
            yield issue.source


def objectives(issue: Issue, context: Context, goal_sources: tuple[str, ...]) -> Iterator[Objective]:
    """The objectives of the issue itself, by field, parent, link, milestone and key in the outcome section."""
    for name in GOAL_FIELDS:
        if name in goal_sources:
            for value in _values(issue.fields.get(name)):
                yield _in_words(value, of_value("F", f"fields.{name}", value), context)
    if "parent" in goal_sources and issue.parent is not None:
        above = context.backlog.parent(issue)
        yield _of_issue(above, "parent") if above else Objective(issue.parent, of_value("F", "parent", issue.parent))
    if "link" in goal_sources:
        for link in issue.links:
            other = context.backlog.find(issue.source, link.target) if link.kind is LinkKind.RELATES else None
            if other is not None and (other.type is IssueType.INITIATIVE or is_objective(other)):
                yield _of_issue(other, "links")
    if "milestone" in goal_sources and issue.fields.get("milestone"):
        yield Objective(str(issue.fields["milestone"]), of_value("F", "fields.milestone", issue.fields["milestone"]))
    for section in outcome_sections(context.texts.body(issue), issue.type):
        for item in section.items:
            for key in _KEY.findall(item.text):
                other = context.backlog.find(issue.source, key)
                if other is not None and other.identity != issue.identity:
                    yield _of_issue(other, "body")


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from filter(None, [value.strip()])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _values(each)


def _of_issue(other: Issue, field: str) -> Objective:
    category = other.status.category
    return Objective(other.key, of_value("F", field, f"{other.key} {other.title}"), other.due_on, not category.is_open)


def _in_words(text: str, evidence: Evidence, context: Context) -> Objective:
    return Objective(text, evidence, period_end(text, context.now.date()))


def period_end(text: str, today: date) -> date | None:
    """When a period named in the text ends: a quarter or half-year (of this year, if it names none), or a day."""
    quarter = _QUARTER.search(text)
    if quarter is not None:
        year = int(quarter["y1"] or quarter["y2"] or today.year)
        return _last_day(year, 3 * int(quarter["q1"] or quarter["q2"]))
    half = _HALF.search(text)
    if half is not None:
        return _last_day(int(half["y1"] or half["y2"] or today.year), 6 * int(half["h"]))
    found = find_date(text)
    return found.day if found is not None else None


def _last_day(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
