"""From a sandbox tracker's webhook to labels and one comment in that tracker, live, on loopback."""

from __future__ import annotations

import json
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
from tests.api.live import WHOLE, live_sender, new_story
from tests.api.places import run_backlint, write_configuration
from tests.api.services import Running, served, until

SILENT_FIRST = {"first_run": "baseline"}


@dataclass
class Live:
    """A sandbox whose webhooks go to a running service."""

    sandbox: Sandbox
    service: Running
    sender: WebhookSender
    folder: Path

    def runs(self) -> dict[str, Any]:
        """What webhooks have set off so far, by run."""
        return {run["id"]: run["facts"] for run in self.service.get("/api/runs?kind=webhook")}

    def person(self) -> str:
        people = self.sandbox.world.people.values()
        return next(person.id for person in people if person.id != self.sandbox.world.bot and not person.is_bot)

    def new_story(self, **values: Any) -> WorldIssue:
        """A story whose author says nothing of it, as a person makes one."""
        return new_story(self.sandbox.world, self.person(), **values)

    def own(self, issue: WorldIssue) -> tuple[list[str], int]:
        """Our labels and the number of our comments."""
        return own(self.sandbox, issue)


def own(sandbox: Sandbox, issue: WorldIssue) -> tuple[list[str], int]:
    shown = next(each for each in state(sandbox.world)["issues"] if each["id"] == issue.id)
    labels = [label for label in shown["labels"] if label.startswith("hygiene:")]
    return labels, sum(comment["author"] == sandbox.world.bot for comment in shown["comments"])


on_each_tracker = pytest.mark.parametrize(
    "live", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in APPS], indirect=True, scope="module"
)


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One service for a tracker's tests, which each make a ticket of their own; the last one stops it."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        sandbox = start(stack, request.param, size=40, seed=3, now=datetime.now(UTC))
        write_configuration(folder, [sandbox], write_back=SILENT_FIRST)
        service = stack.enter_context(served(folder))
        service.wait_until_checked()
        yield stack.enter_context(live_webhooks(sandbox, service, folder))


class live_webhooks:
    def __init__(self, sandbox: Sandbox, service: Running, folder: Path) -> None:
        self.sender = live_sender(sandbox, service.url)
        self.live = Live(sandbox, service, self.sender, folder)

    def __enter__(self) -> Live:
        self.sender.start()
        return self.live

    def __exit__(self, *_error: object) -> None:
        self.sender.stop()


@on_each_tracker
def test_a_new_ticket_has_its_labels_and_one_comment_within_seconds(live: Live) -> None:
    began, earlier = time.monotonic(), live.runs()
    issue = live.new_story()

    until(lambda: live.own(issue)[1] == 1, live.service, timeout=20)
    live.service.wait_until_idle()

    labels, comments = live.own(issue)
    assert (labels, comments) == (labels, 1)
    assert labels
    assert time.monotonic() - began < 15  # 5 s after the settle time of 0.5 s on a quiet machine
    writing = [run for run, facts in live.runs().items() if facts["written"] and run not in earlier]
    assert len(writing) == 1  # our own writes came back as webhooks and started nothing


@on_each_tracker
def test_a_burst_of_fifty_edits_makes_one_check(live: Live) -> None:
    earlier = live.runs()
    issue = live.new_story()
    for number in range(50):
        live.sandbox.world.change(issue, "title", f"Export of invoices, draft {number}", actor=live.person())

    until(lambda: live.own(issue)[1] == 1, live.service, timeout=20)
    live.service.wait_until_idle()

    assert [facts["issues"] for run, facts in live.runs().items() if run not in earlier] == [1]
    assert [facts["deliveries"] for run, facts in live.runs().items() if run not in earlier] == [51]
    assert live.own(issue)[1] == 1


@on_each_tracker
def test_a_fixed_ticket_loses_its_labels_and_its_comment_says_so(live: Live) -> None:
    issue = live.new_story()
    until(lambda: live.own(issue)[1] == 1, live.service, timeout=20)
    before = issue.comments[-1].body

    live.sandbox.world.change(issue, "body", WHOLE, actor=live.person())

    until(lambda: live.own(issue)[0] == [], live.service, timeout=20)
    live.service.wait_until_idle()
    assert live.own(issue) == ([], 1)
    assert issue.comments[-1].body != before


@on_each_tracker
def test_a_ticket_that_is_deleted_at_once_is_no_trouble(live: Live) -> None:
    issue = live.new_story()
    live.sandbox.world.delete_issue(issue, actor=live.person())

    live.service.wait_until_idle()

    assert live.service.get("/api/dead-letters") == []


@pytest.mark.long
@pytest.mark.parametrize("tracker", list(APPS))
def test_a_service_killed_at_work_loses_nothing_and_says_nothing_twice(tracker: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        sandbox = start(stack, tracker, size=40, seed=3, now=datetime.now(UTC))
        write_configuration(tmp_path, [sandbox], write_back=SILENT_FIRST, service={"batch": 4})
        with served(tmp_path) as service:
            service.wait_until_checked()
            with live_webhooks(sandbox, service, tmp_path) as live:
                issues = [live.new_story() for _ in range(12)]
                assert live.sender.drain()
            assert (live.sender.failed, live.sender.lost) == (0, 0)
            until(lambda: any(live.own(issue)[1] for issue in issues), service, timeout=30)
            service.kill()
        with served(tmp_path) as service:  # killed once more, in the middle of catching up
            time.sleep(0.3)
            service.kill()
        with served(tmp_path) as service:
            service.wait_until_idle()

        assert [own(sandbox, issue)[1] for issue in issues] == [1] * 12
        assert all(own(sandbox, issue)[0] for issue in issues)


@on_each_tracker
def test_told_to_stop_it_finishes_and_says_how_it_was(live: Live) -> None:
    issue = live.new_story()
    until(lambda: live.own(issue)[1] == 1, live.service, timeout=20)
    live.service.wait_until_idle()

    assert live.service.stop() == 0

    code, out, _ = run_backlint(live.folder, "status", "--format", "json")
    facts = json.loads(out)
    assert (code, facts["processes"], facts["webhooks_waiting"], facts["dead_letters"]) == (0, 0, 0, 0)
    assert facts["sources"][0]["webhooks"]["last_at"]
    assert run_backlint(live.folder, "dead-letters")[:2] == (0, "No dead letters.\n")
    assert run_backlint(live.folder, "dead-letters", "--retry", "jira:1")[0] == 2
