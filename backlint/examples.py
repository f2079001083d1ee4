"""Issues for examples and tests: name only what the example is about, the rest is filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backlint.model import Comment, Issue, IssueType, Status, StatusCategory, Transition

CREATED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def an_issue(**given: Any) -> Issue:
    """A story in the backlog of source `demo`; `category=` sets the status by its category alone."""
    category = given.pop("category", StatusCategory.BACKLOG)
    values: dict[str, Any] = {
        "source": "demo",
        "id": "1",
        "key": f"DEMO-{given.get('id', '1')}",
        "title": "Export the invoice list as CSV",
        "project": "DEMO",
        "type": IssueType.STORY,
        "status": Status(category.value, category.value, category),
        "created_at": CREATED_AT,
        "updated_at": given.get("created_at", CREATED_AT),
    }
    return Issue(**{**values, **given})


def a_transition(at: datetime, before: StatusCategory, after: StatusCategory, **rest: Any) -> Transition:
    """A move between two statuses that are named after their categories."""
    return Transition(
        at=at, before=Status(before.value, before.value, before), after=Status(after.value, after.value, after), **rest
    )


def a_comment(body: str, at: datetime = CREATED_AT, *, author: str = "mia", **rest: Any) -> Comment:
    return Comment(id=rest.pop("id", "c1"), at=at, author=author, body=body, **rest)
