"""Sandbox trackers whose webhooks go to a running service, and tickets as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backlint.connectors.sandbox.trackers import Sandbox, webhook_payload
from backlint.connectors.sandbox.webhooks import WebhookSender
from backlint.connectors.sandbox.world import World, WorldIssue
from tests.api.places import HOOK_SECRET

PATIENT = {"retries": 60, "retry_pause": 0.5, "capacity": 100_000, "duplicate_share": 0.1, "shuffle": 20}
# Names an outcome, gives criteria in Given-When-Then, and says who wants it.
WHOLE = """As an accountant I want to export all invoices of a month as one CSV file, so that the monthly closing no
longer needs two hours of copying.

## Outcome

The monthly closing takes 30 minutes instead of 150, measured on the next three closings.

## Acceptance criteria

- Given a month with invoices, when I choose "Export", then a CSV file with one line for each invoice is offered.
- Given a month without invoices, when I choose "Export", then I am told that there is nothing to export.
- The file has the columns number, date, customer and total.
"""


def live_sender(sandbox: Sandbox, service: str, *, patient: bool = False) -> WebhookSender:
    """To that service, once it is started. A patient one repeats for half a minute, sends some twice and disorders."""
    payload = webhook_payload(sandbox.tracker, sandbox.world)
    assert payload is not None
    url = f"{service}/webhooks/{sandbox.tracker}"
    more: dict[str, Any] = PATIENT if patient else {}
    return WebhookSender(sandbox.world, url, sandbox.tracker, payload, HOOK_SECRET, **more)


def new_story(world: World, author: str, **values: Any) -> WorldIssue:
    """A story whose author says nothing of it, as a person makes one."""
    now = datetime.now(UTC)
    project = next(iter(world.projects.values()))
    template = next(iter(world.issues.values()))
    backlog = next(status.id for status in world.statuses.values() if status.kind == "backlog")
    with world.lock:
        number = project.next_number
        project.next_number += 1
    issue = WorldIssue(
        **{
            "id": world.issue_ids(), "project": project.key, "number": number, "title": "Export of invoices as a file",
            "body": "", "type": "story", "status": backlog, "created_at": now, "updated_at": now,
            "reporter": author, "fields": dict.fromkeys(template.fields), **values,
        }
    )  # fmt: skip
    return world.add_issue(issue)
