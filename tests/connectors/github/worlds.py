"""Small GitHub worlds, and what a test asks of a pull."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from backlint.connectors.contract import Page
from backlint.connectors.github.connector import GitHubConnector
from backlint.connectors.sandbox.world import World, WorldIssue, WorldStatus
from backlint.model import Issue

SCOPE = "sandbox-org/shop"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
STATUSES = (
    WorldStatus("open", "Open", "backlog"), WorldStatus("todo", "Todo", "unstarted"),
    WorldStatus("in_progress", "In Progress", "started"), WorldStatus("done", "Done", "completed"),
    WorldStatus("not_planned", "Not planned", "cancelled"),
)  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


def fill(
    world: World, count: int, *, project: str = SCOPE, first: int = 1, every: timedelta = timedelta(minutes=10)
) -> None:
    for number in range(first, first + count):
        at = START + every * (number - 1)
        world.add_issue(
            WorldIssue(
                id=str(number), project=project, number=number, title=f"Issue {number}", body="Text", type="story",
                status="open", created_at=at, updated_at=at, reporter="501",
            )
        )  # fmt: skip


def pulled(pages: list[Page]) -> dict[str, Issue]:
    return {each.issue.key: each.issue for page in pages for each in page.issues}


def requests_of(connector: GitHubConnector, call: Callable[[], Any]) -> tuple[Any, int]:
    before = connector.usage.requests
    return call(), connector.usage.requests - before
