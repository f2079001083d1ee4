"""From a sandbox tracker's webhook to labels and one comment in that tracker, live, on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backlint.connectors.sandbox.control import state
from backlint.connectors.sandbox.trackers import APPS, Sandbox, start
from backlint.connectors.sandbox.webhooks import WebhookSender
from backlint.connectors.sandbox.world import WorldIssue
from tests.api.places import HOOK_SECRET, write_configuration
from tests.api.services import Running, served, until

SILENT_FIRST = {"first_run": "baseline"}


@dataclass
class Live:
    """A sandbox whose webhooks go to a running service."""

    sandbox: Sandbox
    service: Running
    sender: WebhookSender

    def person(self) -> str:
        people = self.sandbox.world.people.values()
        return next(person.id for person in people if person.id != self.sandbox.world.bot and not person.is_bot)

    def new_story(self, **values: Any) -> WorldIssue:
        """A story whose author says too little, as a person makes one."""
        return new_story(self.sandbox, self.person(), **values)

    def own(self, issue: WorldIssue) -> tuple[list[str], int]:
        """Our labels and the number of our comments."""
        return own(self.sandbox, issue)


def new_story(sandbox: Sandbox, author: str, **values: Any) -> WorldIssue:
    world, now = sandbox.world, datetime.now(UTC)
    project = next(iter(world.projects.values()))
    template = next(iter(world.issues.values()))
    backlog = next(status.id for status in world.statuses.values() if status.kind == "backlog")
    with world.lock:
        number = project.next_number
        project.next_number += 1
    issue = WorldIssue(
        **{
            "id": world.issue_ids(), "project": project.key, "number": number, "title": "Export of invoices as a file",
            "body": "We need it.", "type": "story", "status": backlog, "created_at": now, "updated_at": now,
            "reporter": author, "fields": dict.fromkeys(template.fields), **values,
        }
    )  # fmt: skip
    return world.add_issue(issue)


def own(sandbox: Sandbox, issue: WorldIssue) -> tuple[list[str], int]:
    shown = next(each for each in state(sandbox.world)["issues"] if each["id"] == issue.id)
    labels = [label for label in shown["labels"] if label.startswith("hygiene:")]
    return labels, sum(comment["author"] == sandbox.world.bot for comment in shown["comments"])


@pytest.fixture(params=list(APPS))
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    with ExitStack() as stack:
        sandbox = start(stack, request.param, size=40, seed=3, now=datetime.now(UTC))
        write_configuration(tmp_path, [sandbox], write_back=SILENT_FIRST)
        service = stack.enter_context(served(tmp_path))
        service.wait_until_checked()
        yield stack.enter_context(live_webhooks(sandbox, service))


class live_webhooks:
    def __init__(self, sandbox: Sandbox, service: Running) -> None:
        payload = sandbox_payload(sandbox)
        url = f"{service.url}/webhooks/{sandbox.tracker}"
        self.sender = WebhookSender(sandbox.world, url, sandbox.tracker, payload, HOOK_SECRET)
        self.live = Live(sandbox, service, self.sender)

    def __enter__(self) -> Live:
        self.sender.start()
        return self.live

    def __exit__(self, *_error: object) -> None:
        self.sender.stop()


def sandbox_payload(sandbox: Sandbox) -> Any:
    from backlint.connectors.sandbox.trackers import _webhook_payload

    return _webhook_payload(sandbox.tracker, sandbox.world)


def test_a_new_ticket_has_its_labels_and_one_comment_within_seconds(live: Live) -> None:
    began = time.monotonic()
    issue = live.new_story()

    until(lambda: live.own(issue)[1] == 1, live.service, timeout=20)
    live.service.wait_until_idle()

    labels, comments = live.own(issue)
    assert (labels, comments) == (labels, 1)
    assert labels
    assert time.monotonic() - began < 15  # 5 s after the settle time of 0.5 s on a quiet machine
    events = [each for each in live.service.get("/api/runs?kind=webhook") if each["facts"]["written"]]
    assert len(events) == 1  # our own writes came back as webhooks and started nothing
