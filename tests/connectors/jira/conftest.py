"""Both deployments of the Jira sandbox over one small world, and connectors to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from backlint.connectors.jira.connector import JiraConnector
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.jira import JiraSandbox, Manners, jira_app
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.world import (
    World,
    WorldIssue,
    WorldPerson,
    WorldProject,
    WorldSprint,
    WorldStatus,
)
from backlint.model import Issue, Tracker
from backlint.settings import SourceSettings

NOW = datetime.now(UTC)
TOKEN = "sandbox-token"
USER = "bot@example.test"
ISSUES = 25


def a_world(issues: int = ISSUES, *, now: datetime = NOW) -> World:
    """EX with a sprint, and issues made one a minute some days ago, each moved once and commented once."""
    world = World(bot="p-bot")
    for id, name in (("p-ann", "Ann Example"), ("p-ben", "Ben Example")):
        world.people[id] = WorldPerson(id, name, id[2:])
    world.people["p-bot"] = WorldPerson("p-bot", "Hygiene Bot", "hygiene-bot", is_bot=True)
    for id, name, kind in (("1", "Backlog", "backlog"), ("2", "In Progress", "started"), ("3", "Done", "completed")):
        world.statuses[id] = WorldStatus(id, name, kind)
    world.projects["EX"] = WorldProject("EX", "100", "Example", lead="p-ann", description="Fewer lost invoices")
    world.projects["AB"] = WorldProject("AB", "101", "Other")
    start = now - timedelta(days=9)
    world.sprints["7"] = WorldSprint("7", 7, "EX Sprint 7", "EX", start, start + timedelta(days=14))
    for number in range(1, issues + 1):
        at = start + timedelta(minutes=number)
        issue = WorldIssue(str(1000 + number), "EX", number, f"Issue {number}", f"Text {number}", "story", "1", at, at)
        issue.reporter = "p-ann"
        world.add_issue(issue)
        world.change(issue, "status", "2", actor="p-ben", at=at + timedelta(hours=1))
        world.add_comment(issue, f"Comment {number}", actor="p-ben", at=at + timedelta(hours=2), id=str(number))
    return world


@dataclass
class Jira:
    """A running sandbox with everything a test reaches for."""

    world: World
    sandbox: JiraSandbox
    faults: Faults
    url: str
    is_cloud: bool
    slept: list[float] = field(default_factory=list)
    made: list[JiraConnector] = field(default_factory=list)

    @property
    def manners(self) -> Manners:
        return self.sandbox.manners

    def connect(self, **given: Any) -> JiraConnector:
        settings: dict[str, Any] = {
            "name": "acme", "tracker": Tracker.JIRA, "url": self.url, "scope": ("EX",), "requests_per_second": 5000,
            "user": USER if self.is_cloud else "", **given,
        }  # fmt: skip
        token, sleep = settings.pop("token", TOKEN), settings.pop("sleep", self.slept.append)
        self.made.append(JiraConnector(SourceSettings(**settings), SecretStr(token), sleep=sleep))
        return self.made[-1]

    def issue(self, number: int = 1) -> WorldIssue:
        return self.world.issues[str(1000 + number)]

    def read(self, number: int = 1) -> Issue:
        """The issue as a connector of its own sees it now."""
        return pulled(self.connect())[str(1000 + number)]


def pulled(connector: JiraConnector, cursor: str | None = None, scope: str = "EX") -> dict[str, Issue]:
    return {each.issue.id: each.issue for page in connector.pull(scope, cursor) for each in page.issues}


def last_cursor(connector: JiraConnector, cursor: str | None = None) -> str:
    return list(connector.pull("EX", cursor))[-1].cursor


@pytest.fixture(params=["cloud", "server"])
def jira(request: pytest.FixtureRequest) -> Iterator[Jira]:
    yield from _running(request.param)


@pytest.fixture
def cloud() -> Iterator[Jira]:
    yield from _running("cloud")


@pytest.fixture
def server() -> Iterator[Jira]:
    yield from _running("server")


def _running(deployment: str) -> Iterator[Jira]:
    world, faults = a_world(), Faults()
    app = jira_app(world, deployment=deployment, user=USER, token=TOKEN)
    with serve(app, faults=faults) as running:
        made = Jira(world, app.state.sandbox, faults, running.url, deployment == "cloud")
        yield made
        for connector in made.made:
            connector.close()
