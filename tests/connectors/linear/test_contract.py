"""The shared promises, kept by the Linear connector against the Linear sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import SecretStr

from backlint.connectors.contract import Connector
from backlint.connectors.linear.connector import LinearConnector
from backlint.connectors.sandbox.linear import linear_app
from backlint.connectors.sandbox.world import World
from backlint.model import Tracker
from backlint.settings import SourceSettings
from tests.connectors.contract_suite import ConnectorContract


class TestLinear(ConnectorContract):
    flavour: ClassVar[str] = "linear"
    another_mapping: ClassVar[dict[str, Any]] = {"types": {"bug": "incident", "issue": "story"}}

    def make_app(self, world: World) -> Any:
        return linear_app(world)

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None], **settings: Any
    ) -> Connector:
        source = SourceSettings(name="acme", tracker=Tracker.LINEAR, url=f"{url}/graphql", scope=scope, **settings)
        return LinearConnector(source, SecretStr(token), sleep=sleep)
