"""How the readout puts facts into words, the same in every section."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median_low

from backlint.api.readout.facts import Facts
from backlint.api.reports import figures
from backlint.api.reports.entries import Entry, entries
from backlint.api.reports.readout import Figure
from backlint.model import Issue

LONGEST = 120
DAY = timedelta(days=1)


def excerpt(text: str) -> str:
    """One line, cut where it gets long."""
    text = " ".join(text.split()).strip("*_#- ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def serves(issue: Issue, facts: Facts) -> str:
    """What it is for: the outcome of what it belongs to, or its own."""
    found = facts.outcome(issue)
    if found is None:
        return "no outcome stated"
    holder, stated = found
    if holder.identity == issue.identity:
        return f"why: {excerpt(stated.text)}"
    return f"for {holder.key}: {excerpt(stated.text)}"


def age(issue_age: timedelta | None) -> str:
    return "age unknown" if issue_age is None else f"{figures.in_days(issue_age)} in progress"


def counted_issues(name: str, found: Sequence[Issue], of: str) -> Figure:
    return Figure(name=name, value=f"{len(found):,}", of=of, number=len(found), behind=entries(found))


def usual_week(facts: Facts) -> str:
    """How many items are finished in a week, as it was before; empty without a history."""
    weeks = facts.history.weeks
    if not weeks:
        return ""
    median = median_low(sorted(week.total for week in weeks))
    return f"the median of the last {len(weeks)} weeks is {median}"


def nothing_finished(facts: Facts) -> str:
    """`Nothing finished; 3 items in progress, oldest 12.0 d.`"""
    count = figures.counted(len(facts.in_progress), "item")
    oldest = facts.in_progress[0].age(facts.now) if facts.in_progress else None
    tail = f", oldest {figures.in_days(oldest)}" if oldest is not None else ""
    return f"Nothing finished; {count} in progress{tail}."


def as_entry(said: str, *, source: str, title: str) -> Entry:
    """A fact about a team, a sprint or a project."""
    return Entry(source=source, key=None, url=None, title=title, said=said)
