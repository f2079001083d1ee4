"""A small Linear world, its server, and connectors to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from backlint.connectors.contract import Page
from backlint.connectors.linear.connector import LinearConnector
from backlint.connectors.sandbox.faults import FaultInjector, Faults
from backlint.connectors.sandbox.linear import TOKEN, LinearSandbox, linear_app
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.world import World, WorldIssue, WorldPerson, WorldProject, WorldSprint, WorldStatus
from backlint.model import Issue, Tracker
from backlint.settings import SourceSettings

LONG_AGO = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BOT, MIA = "00000000-0000-4000-8000-0000000000b0", "00000000-0000-4000-8000-0000000000a1"


@dataclass
class Linear:
    """The world with what tests ask of it: new issues, connectors, and everything a pull gives."""

    world: World
    sandbox: LinearSandbox
    faults: Faults
    url: str
    made: list[LinearConnector] = field(default_factory=list)

    def connect(
        self, *, page: int = 75, token: str = TOKEN, scope: tuple[str, ...] = ("ENG",), at: str = "", **more: Any
    ) -> LinearConnector:
        url = (at or self.url) + "/graphql"
        settings = SourceSettings(name="acme", tracker=Tracker.LINEAR, url=url, scope=scope, **more)
        self.made.append(LinearConnector(settings, SecretStr(token), sleep=lambda _seconds: None, page=page))
        return self.made[-1]

    def add(self, title: str = "Export the invoice list", *, team: str = "ENG", **given: Any) -> WorldIssue:
        at = given.pop("created_at", LONG_AGO)
        number = given.pop("number", self.world.projects[team].next_number)
        values: dict[str, Any] = {
            "body": "Text", "type": "story", "status": "s-backlog", "updated_at": given.get("updated_at", at),
            "reporter": MIA, "labels": [],
        }  # fmt: skip
        issue = WorldIssue(
            id=str(uuid.uuid4()), project=team, number=number, title=title, created_at=at, **{**values, **given}
        )
        return self.world.add_issue(issue)


@pytest.fixture
def world() -> World:
    kinds = ("triage", "backlog", "unstarted", "started", "completed", "cancelled")
    return World(
        BOT,
        people={
            BOT: WorldPerson(BOT, "Backlint", "backlint", is_bot=True),
            MIA: WorldPerson(MIA, "Mia Product", "mia"),
        },
        statuses={f"s-{kind}": WorldStatus(f"s-{kind}", kind.title(), kind) for kind in kinds},
        sprints={
            f"c-{number}": WorldSprint(
                f"c-{number}", number, "", "ENG", LONG_AGO + timedelta(weeks=2 * number - 2),
                LONG_AGO + timedelta(weeks=2 * number), LONG_AGO + timedelta(weeks=2 * number),
            )
            for number in (1, 2)
        },
        projects={
            "ENG": WorldProject("ENG", "t-eng", "Engineering", lead=MIA, description="Outcome: fewer tickets"),
            "OPS": WorldProject("OPS", "t-ops", "Operations"),
        },
    )  # fmt: skip


@pytest.fixture
def faults() -> Faults:
    return Faults()


@dataclass
class Stage:
    """One server for all tests of the folder; each test puts its own world on it."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, str]]:
    shown = Stage()
    with serve(shown) as running:
        yield shown, running.url


@pytest.fixture
def linear(world: World, faults: Faults, stage: tuple[Stage, str]) -> Iterator[Linear]:
    sandbox = LinearSandbox(world)
    shown, url = stage
    shown.app = FaultInjector(linear_app(world, sandbox=sandbox), faults)
    served = Linear(world, sandbox, faults, url)
    yield served
    for connector in served.made:
        connector.close()


def issues_of(pages: list[Page]) -> dict[str, Issue]:
    return {pulled.issue.id: pulled.issue for page in pages for pulled in page.issues}


Everything = Callable[..., dict[str, Issue]]


@pytest.fixture
def everything() -> Everything:
    """All issues of a pull by id."""

    def pull(connector: LinearConnector, cursor: str | None = None, *, scope: str = "ENG") -> dict[str, Issue]:
        return issues_of(list(connector.pull(scope, cursor)))

    return pull
