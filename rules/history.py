"""When things happened to an issue, and how a message says it."""

from __future__ import annotations

from datetime import date, datetime

from backlint.model import Issue


def closed_at(issue: Issue) -> datetime | None:
    """When it was closed for the last time; None for open issues and where nothing says when."""
    if issue.is_open:
        return None
    for step in reversed(issue.transitions):
        if not step.after.category.is_open:
            if step.before.category.is_open:
                return step.at
        else:
            break
    return issue.updated_at if not issue.transitions else issue.transitions[-1].at


def finished_between(issue: Issue, since: datetime, until: datetime) -> bool:
    """Whether it is done now, and was closed between the two moments, both included."""
    at = closed_at(issue) if issue.status.category.value == "done" else None
    return at is not None and since <= at <= until


def short_date(day: date, today: date) -> str:
    """`14 Mar`; with the year where it is another one."""
    text = f"{day.day} {day:%b}"
    return text if day.year == today.year else f"{text} {day.year}"


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 child`, `3 days`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def ago(days: int) -> str:
    return "today" if days <= 0 else f"{counted(days, 'day')} ago"
