"""GraphQL payloads as GitHub sends them, with only what a test is about to be filled in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from backlint.connectors.github.mapping import Reading, envelope, issue_from
from backlint.model import Issue

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
REPOSITORY = "sandbox-org/shop"

Row = dict[str, Any]


def person(id: int = 501, login: str = "cilo", kind: str = "User") -> Row:
    return {"__typename": kind, "login": login, "databaseId": id}


def day(number: int, clock: str = "09:00:00") -> str:
    """A moment in January 2026 as GitHub prints it."""
    return f"2026-01-{number:02}T{clock}Z"


def at(number: int, clock: str = "09:00:00") -> datetime:
    return datetime.fromisoformat(day(number, clock).replace("Z", "+00:00"))


def event(kind: str, on: int, clock: str = "09:00:00", **parts: Any) -> Row:
    return {"__typename": kind, "createdAt": day(on, clock), "actor": person(), **parts}


def closed(on: int, reason: str | None = "COMPLETED", clock: str = "09:00:00", **parts: Any) -> Row:
    return event("ClosedEvent", on, clock, stateReason=reason, closer=None, **parts)


def reopened(on: int, clock: str = "09:00:00") -> Row:
    return event("ReopenedEvent", on, clock)


def added(on: int, board: int = 7) -> Row:
    return event("AddedToProjectV2Event", on, project={"number": board}, wasAutomated=False)


def removed(on: int, board: int = 7) -> Row:
    return event("RemovedFromProjectV2Event", on, project={"number": board}, wasAutomated=False)


def moved(on: int, before: str, after: str, clock: str = "09:00:00", *, board: int = 7, automated: bool = False) -> Row:
    return event(
        "ProjectV2ItemStatusChangedEvent",
        on,
        clock,
        previousStatus=before,
        status=after,
        project={"number": board},
        wasAutomated=automated,
    )


def pull_request(number: int, on: int) -> Row:
    url = f"https://github.com/{REPOSITORY}/pull/{number}"
    return {"__typename": "PullRequest", "url": url, "createdAt": day(on)}


def node(*events: Row, comments: tuple[Row, ...] = (), **parts: Any) -> Row:
    page = {"hasNextPage": False, "endCursor": None}
    return {
        "__typename": "Issue",
        "id": "I_kwDO1",
        "databaseId": None,
        "fullDatabaseId": "4100000001",
        "number": 12,
        "title": "Basket forgets vouchers",
        "body": "Steps",
        "state": "OPEN",
        "stateReason": None,
        "url": f"https://github.com/{REPOSITORY}/issues/12",
        "locked": False,
        "createdAt": day(1),
        "updatedAt": day(28),
        "closedAt": None,
        "lastEditedAt": None,
        "author": person(),
        "editor": None,
        "assignees": {"nodes": []},
        "labels": {"nodes": []},
        "milestone": None,
        "comments": {"pageInfo": page, "nodes": list(comments)},
        "timelineItems": {"pageInfo": page, "nodes": list(events)},
        **parts,
    }


def labels(*names: str) -> Row:
    return {"nodes": [{"name": name} for name in names]}


def comment(id: int, body: str, author: Row | None = None) -> Row:
    return {
        "databaseId": None,
        "fullDatabaseId": str(id),
        "body": body,
        "createdAt": day(3),
        "lastEditedAt": None,
        "author": author or person(),
    }


def option(name: str, on: int = 20, *, field: str = "Status") -> Row:
    return {
        "__typename": "ProjectV2ItemFieldSingleSelectValue",
        "name": name,
        "updatedAt": day(on),
        "field": {"name": field},
    }


def value(field: str, **parts: Any) -> Row:
    return {"__typename": "ProjectV2ItemFieldValue", "field": {"name": field}, **parts}


def item(*values: Row, board: int = 7, is_archived: bool = False) -> Row:
    return {
        "isArchived": is_archived,
        "updatedAt": day(20),
        "project": {"id": f"PVT_{board}", "number": board, "title": "Shop"},
        "fieldValues": {"nodes": list(values)},
    }


def board(*moves: Row, items: tuple[Row, ...] = ()) -> Row:
    page = {"hasNextPage": False, "endCursor": None}
    return {"projectItems": {"nodes": list(items)}, "timelineItems": {"pageInfo": page, "nodes": list(moves)}}


def read(issue: Row, on_board: Row | None = None, **reading: Any) -> Issue:
    """The payloads through the mapping."""
    raw = envelope(
        REPOSITORY,
        is_archived=False,
        issue=json.dumps(issue).encode(),
        board=json.dumps(on_board).encode() if on_board else None,
    )
    return issue_from(raw, Reading(source="gh", now=NOW, **reading))
