"""Recorded exchanges, replayed without any server: what goes over the wire stays what it was.

To record anew after a query has changed: `pytest tests/connectors/linear/test_cassettes.py --vcr-record=all`, which
starts the sandbox. The cassettes hold no token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backlint.connectors.linear.connector import LinearConnector
from backlint.connectors.sandbox.linear import TOKEN, linear_app
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.world import World, WorldIssue
from backlint.errors import NotFound, TokenRefused
from backlint.model import StatusCategory, Tracker
from backlint.settings import SourceSettings
from tests.connectors.linear.conftest import LONG_AGO, MIA

PORT = 18_423  # of the recordings; nothing listens there when they are replayed
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"
CASSETTES = Path(__file__).with_name("cassettes")


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return {
        "filter_headers": ["authorization", "user-agent"],
        "match_on": ["method", "path", "body"],
        "record_mode": "none",
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture(autouse=True)
def recording(request: pytest.FixtureRequest, world: World) -> Iterator[None]:
    """The sandbox with three issues, only while recording."""
    if request.config.getoption("--vcr-record") in (None, "none"):
        yield
        return
    for number in (1, 2, 3):
        issue = an_issue(number)
        world.add_issue(issue)
        world.change(issue, "status", "s-started", actor=MIA, at=LONG_AGO + timedelta(days=number))
        world.add_comment(issue, "Looks right", actor=MIA, at=LONG_AGO + timedelta(days=number, hours=1))
    with serve(linear_app(world), port=PORT):
        yield


def an_issue(number: int) -> WorldIssue:
    return WorldIssue(
        id=f"00000000-0000-4000-8000-00000000000{number}", project="ENG", number=number, title=f"Issue {number}",
        body="Text", type="story", status="s-backlog", created_at=LONG_AGO, updated_at=LONG_AGO, reporter=MIA,
    )  # fmt: skip


@pytest.fixture
def connect() -> Iterator[Callable[..., LinearConnector]]:
    made: list[LinearConnector] = []

    def build(token: str = TOKEN) -> LinearConnector:
        url = f"http://127.0.0.1:{PORT}/graphql"
        settings = SourceSettings(name="acme", tracker=Tracker.LINEAR, url=url, scope=("ENG",))
        made.append(LinearConnector(settings, SecretStr(token), sleep=lambda _seconds: None))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


Connect = Callable[..., LinearConnector]


@pytest.mark.vcr
def test_a_recorded_first_pull_is_read(connect: Connect) -> None:
    pages = list(connect().pull("ENG", None))

    issues = [pulled.issue for page in pages for pulled in page.issues]
    assert [issue.key for issue in issues] == ["ENG-1", "ENG-2", "ENG-3"]
    assert [step.at for issue in issues for step in issue.transitions] == [
        LONG_AGO + timedelta(days=number) for number in (1, 2, 3)
    ]
    assert {issue.status.category for issue in issues} == {StatusCategory.ACTIVE}
    assert [comment.author for issue in issues for comment in issue.comments] == [MIA] * 3


@pytest.mark.vcr
def test_a_recorded_comment_is_written_found_and_deleted(connect: Connect) -> None:
    connector = connect()
    issue = next(pulled.issue for page in connector.pull("ENG", None) for pulled in page.issues)

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
    issue = next(pulled.issue for page in connector.pull("ENG", None) for pulled in page.issues)

    with pytest.raises(NotFound):
        connector.read(replace(issue, id="00000000-0000-4000-8000-000000000000"))


def test_no_cassette_holds_a_token() -> None:
    files = sorted(CASSETTES.glob("*.yaml"))

    assert files
    for file in files:
        content = file.read_text(encoding="utf-8").casefold()
        assert TOKEN not in content
        assert "authorization" not in content
