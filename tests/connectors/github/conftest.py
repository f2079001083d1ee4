"""A small GitHub world whose clock the test holds, served over loopback, and connectors to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from backlint.connectors.github.connector import GitHubConnector
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.github import GithubSandbox, github_app
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.world import World, WorldPerson, WorldProject
from backlint.model import Tracker
from backlint.settings import SourceSettings
from tests.connectors.github.worlds import SCOPE, STATUSES, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    people = [WorldPerson("501", "Cilo Engineer", "cilo"), WorldPerson("502", "Dorvi Engineer", "dorvi"),
              WorldPerson("900", "Hygiene Bot", "hygiene-bot", is_bot=True)]  # fmt: skip
    ids = iter(range(10_000, 1_000_000))
    return World(
        "900",
        people={person.id: person for person in people},
        statuses={status.id: status for status in STATUSES},
        projects={
            SCOPE: WorldProject(SCOPE, "71", "shop", description="The shop"),
            "sandbox-org/api": WorldProject("sandbox-org/api", "72", "api"),
        },
        clock=clock,
        ids=lambda: str(next(ids)),
    )


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def serving(world: World, faults: Faults) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(**given: Any) -> Running:
        running.append(serve(github_app(world, sandbox=GithubSandbox(world, **given)), faults=faults))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def connect() -> Iterator[Callable[..., GitHubConnector]]:
    made: list[GitHubConnector] = []

    def build(server: Running, *, path: str = "", sleep: Callable[[float], None] = lambda _s: None, **more: Any) -> Any:
        settings = SourceSettings(
            name="gh", tracker=Tracker.GITHUB, url=server.url + path, **{"scope": (SCOPE,), **more},
            requests_per_second=1000,
        )  # fmt: skip
        made.append(GitHubConnector(settings, SecretStr("sandbox-token"), sleep=sleep))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture(scope="session")
def private_key() -> str:
    """An RSA key as GitHub gives it to an app."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    shape = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, shape, serialization.NoEncryption()).decode()
