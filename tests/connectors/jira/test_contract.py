"""Jira Cloud and Data Center keep what every connector promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from backlint.connectors.contract import Connector
from backlint.connectors.jira.connector import JiraConnector
from backlint.connectors.sandbox.jira import jira_app
from backlint.connectors.sandbox.world import World
from backlint.model import Tracker
from backlint.settings import SourceSettings
from tests.connectors.contract_suite import ConnectorContract

USER = "bot@example.test"


class TestCloud(ConnectorContract):
    flavour = "jira"

    def make_app(self, world: World) -> Any:
        return jira_app(world, deployment="cloud", user=USER)

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None]
    ) -> Connector:
        settings = SourceSettings(
            name="acme", tracker=Tracker.JIRA, url=url, scope=scope, user=USER, requests_per_second=5000
        )
        return JiraConnector(settings, SecretStr(token), sleep=sleep)


class TestServer(TestCloud):
    def make_app(self, world: World) -> Any:
        return jira_app(world, deployment="server")

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None]
    ) -> Connector:
        settings = SourceSettings(name="acme", tracker=Tracker.JIRA, url=url, scope=scope, requests_per_second=5000)
        return JiraConnector(settings, SecretStr(token), sleep=sleep)
