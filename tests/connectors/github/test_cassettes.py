"""Whole conversations with a sandbox, recorded and replayed: what is sent must not change by accident.

To record anew: serve the world below on port 18731 (`python -m tests.connectors.github.test_cassettes`), then
`pytest tests/connectors/github/test_cassettes.py --vcr-record=all`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from backlint.connectors.contract import Whereabouts
from backlint.connectors.github.connector import GitHubConnector
from backlint.model import Issue, Tracker
from backlint.settings import SourceSettings

PORT = 18731
SCOPE = "sandbox-org/checkout"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return {
        "filter_headers": ["authorization", "user-agent"],
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        "record_mode": "none",
    }


@pytest.fixture
def connector() -> Iterator[GitHubConnector]:
    settings = SourceSettings(
        name="gh",
        tracker=Tracker.GITHUB,
        url=f"http://127.0.0.1:{PORT}",
        scope=(SCOPE,),
        concurrency=1,
        requests_per_second=1000,
    )
    made = GitHubConnector(settings, SecretStr("sandbox-token"), sleep=lambda _seconds: None)
    yield made
    made.close()


@pytest.mark.vcr
def test_a_full_and_an_incremental_pull(connector: GitHubConnector) -> None:
    pages = list(connector.pull(SCOPE, None))
    again = list(connector.pull(SCOPE, pages[-1].cursor))

    issues = [each.issue for page in pages for each in page.issues]
    assert len(issues) == pages[0].expected == 14
    assert {issue.status.id for issue in issues} >= {"open", "closed:completed", "project:1:Todo"}
    assert "project:1:In Progress" in {step.after.id for issue in issues for step in issue.transitions}
    assert [page.issues for page in again] == [()]


@pytest.mark.vcr
def test_a_label_and_the_comment_are_written_and_taken_back(connector: GitHubConnector) -> None:
    issue = Issue(source="gh", id="10008", key=f"{SCOPE}#5", title="")

    connector.add_label(issue, "hygiene:needs-owner")
    written = connector.create_comment(issue, "Who makes the final call here? (`OWN001`)", key=KEY)
    changed = connector.update_comment(issue, written, "Settled.")
    assert "hygiene:needs-owner" in connector.read(issue).labels
    assert [comment.id for comment in connector.managed_comments(issue)] == [changed.id]

    connector.remove_label(issue, "hygiene:needs-owner")
    connector.delete_comment(issue, changed)
    assert connector.managed_comments(issue) == ()


@pytest.mark.vcr
def test_the_small_lists_the_census_and_an_issue_that_never_was(connector: GitHubConnector) -> None:
    reference = connector.reference()
    ids = {id for found in connector.census(SCOPE) for id in found}

    assert reference.account_name == "hygiene-bot"
    assert len(ids) == 14
    nobody = Issue(source="gh", id="1", key=f"{SCOPE}#4000", title="")
    assert connector.locate(nobody) is Whereabouts.UNREADABLE


if __name__ == "__main__":
    from backlint.connectors.sandbox.generate import generate
    from backlint.connectors.sandbox.github import github_app
    from backlint.connectors.sandbox.server import serve

    world = generate("github", seed=3, size=24, now=NOW)
    world.clock = lambda: NOW
    with serve(github_app(world), port=PORT):
        threading.Event().wait()
