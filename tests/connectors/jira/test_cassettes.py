"""Recorded exchanges, replayed without any server: what goes over the wire stays what it was.

To record anew after a request has changed: `pytest tests/connectors/jira/test_cassettes.py --vcr-record=all`, which
starts the sandbox. The cassettes hold no token.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backlint.connectors.jira.connector import JiraConnector
from backlint.connectors.sandbox.jira import jira_app
from backlint.connectors.sandbox.server import serve
from backlint.errors import NotFound, TokenRefused
from backlint.model import StatusCategory, Tracker
from backlint.settings import SourceSettings
from tests.connectors.jira.conftest import TOKEN, USER, a_world

PORT = 18_425  # of the recordings; nothing listens there when they are replayed
SERVER_PORT = 18_426
THEN = datetime(2026, 3, 10, 9, tzinfo=UTC)
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"
CASSETTES = Path(__file__).with_name("cassettes")


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return {
        "filter_headers": ["authorization", "user-agent"],
        "match_on": ["method", "path", "query", "body"],
        "record_mode": "none",
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture(autouse=True)
def recording(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both sandboxes with three issues, only while recording."""
    if request.config.getoption("--vcr-record") in (None, "none"):
        yield
        return
    cloud, server = a_world(3, now=THEN), a_world(3, now=THEN)
    cloud.clock = server.clock = lambda: THEN
    with (
        serve(jira_app(cloud, user=USER, token=TOKEN), port=PORT),
        serve(jira_app(server, deployment="server", token=TOKEN), port=SERVER_PORT),
    ):
        yield


Connect = Callable[..., JiraConnector]


@pytest.fixture
def connect() -> Iterator[Connect]:
    made: list[JiraConnector] = []

    def build(token: str = TOKEN, *, port: int = PORT) -> JiraConnector:
        settings = SourceSettings(
            name="acme", tracker=Tracker.JIRA, url=f"http://127.0.0.1:{port}", scope=("EX",),
            user=USER if port == PORT else "",
        )  # fmt: skip
        made.append(JiraConnector(settings, SecretStr(token), sleep=lambda _seconds: None))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.mark.vcr
def test_a_recorded_first_pull_from_cloud_is_read(connect: Connect) -> None:
    issues = [pulled.issue for page in connect().pull("EX", None) for pulled in page.issues]

    assert [issue.key for issue in issues] == ["EX-1", "EX-2", "EX-3"]
    assert {issue.status.category for issue in issues} == {StatusCategory.ACTIVE}
    assert [len(issue.transitions) for issue in issues] == [1, 1, 1]
    assert [comment.author for issue in issues for comment in issue.comments] == ["p-ben"] * 3


@pytest.mark.vcr
def test_a_recorded_first_pull_from_data_center_is_read(connect: Connect) -> None:
    issues = [pulled.issue for page in connect(port=SERVER_PORT).pull("EX", None) for pulled in page.issues]

    assert [issue.body for issue in issues] == ["Text 1", "Text 2", "Text 3"]
    assert [len(issue.transitions) for issue in issues] == [1, 1, 1]


@pytest.mark.vcr
def test_a_recorded_comment_is_written_found_and_deleted(connect: Connect) -> None:
    connector = connect()
    issue = next(pulled.issue for page in connector.pull("EX", None) for pulled in page.issues)

    written = connector.create_comment(issue, "Who decides?", key=KEY)
    found = connector.managed_comments(issue)
    connector.delete_comment(issue, written)

    assert [comment.id for comment in found] == [written.id]
    assert found[0].is_own


@pytest.mark.vcr
def test_a_recorded_refusal_of_the_token_is_told(connect: Connect) -> None:
    with pytest.raises(TokenRefused, match="make a new one"):
        connect("wrong").scopes()


@pytest.mark.vcr
def test_a_recorded_missing_issue_is_not_found(connect: Connect) -> None:
    connector = connect()
    issue = next(pulled.issue for page in connector.pull("EX", None) for pulled in page.issues)

    with pytest.raises(NotFound):
        connector.read(replace(issue, id="4711"))


def test_no_cassette_holds_a_token() -> None:
    files = sorted(CASSETTES.glob("*.yaml"))
    encoded = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()

    assert files
    for file in files:
        content = file.read_text(encoding="utf-8")
        assert TOKEN not in content
        assert encoded not in content
        assert "authorization" not in content.casefold()
