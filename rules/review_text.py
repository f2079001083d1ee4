"""The day on which someone looks again: a field, a section or a sentence that names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backlint.model import Evidence, Issue
from backlint.rules.dates_text import FoundDate, find_date
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part, of_span, of_value, section_lines
from backlint.text.any_case import AnyCase
from backlint.text.document import Document, Meaning

REVIEW_FIELDS = ("review_on", "review_date", "revisit_on")
_REVIEW_PHRASE = AnyCase(
    r"""(?<!\w)(?:review(?:ed)?(?:\ date|\ on|\ by|\ due|\ again)?|re-?visit(?:ed)?(?:\ on)?|re-?evaluat\w+
        |check\ back|look\ again|decide\ again
        |überprüf\w+|wiedervorlage|rückblick|revue|r[ée]examin\w+|r[ée][ée]valu\w+|revis[ãaió]\w*|revisar\w*
            |rivedere|riesame|revisione|herzien\w*|evaluatie|przegląd)(?!\w)""",
)


@dataclass(frozen=True, slots=True)
class Review:
    """A review date: `day` is None where day and month cannot be told apart or the year is missing."""

    day: date | None
    evidence: Evidence


def review_date(issue: Issue, document: Document, *, date_order: str = "") -> Review | None:
    """The issue's own review date, the field before the text."""
    if issue.review_on is not None:
        return Review(issue.review_on, of_value("F", "review_on", issue.review_on.isoformat()))
    for name in REVIEW_FIELDS:
        value = issue.fields.get(name)
        if isinstance(value, date):
            return Review(value, of_value("F", f"fields.{name}", value))
        found = find_date(str(value), written_on=written_on(issue), date_order=date_order) if value else None
        if found is not None:
            return Review(found.day, of_value("F", f"fields.{name}", value))
    return dated_review(document, written_on(issue), date_order=date_order)


def dated_review(document: Document, since: date | None, *, date_order: str = "") -> Review | None:
    """The first review section or sentence that names a day."""

    def named(text: str) -> FoundDate | None:
        return find_date(text, written_on=since, date_order=date_order)

    for section in document.under(Meaning.REVIEW):
        for line in section_lines(section):
            if found := named(line.text):
                return Review(found.day, of_part(document, line, kind="S", field="body"))
        if found := named(section.heading):
            return Review(found.day, of_span(document, section.start, section.end, kind="S", field="body"))
    for line in lines_of(document):
        if _REVIEW_PHRASE.search(line.text) and (found := named(line.text)):
            return Review(found.day, of_part(document, line, kind="P", field="body"))
    return None


def written_on(issue: Issue) -> date | None:
    """The day of the last edit of the text, from which "in two weeks" counts."""
    edits = [change.at for change in issue.changes if change.field.casefold() in ("description", "body")]
    written_at = max(edits, default=issue.created_at)
    return written_at.date() if written_at else None
