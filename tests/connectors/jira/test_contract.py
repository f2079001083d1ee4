"""Jira Cloud and Data Center keep what every connector promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

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
    user = USER
    another_mapping: ClassVar[dict[str, Any]] = {
        "types": {"Story": "spike"},
        "fields": {"outcome": "customfield_10031", "estimate": "customfield_10043", "review_on": "customfield_10048"},
    }

    def make_app(self, world: World) -> Any:
        return jira_app(world, deployment="cloud", user=USER)

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None], **settings: Any
    ) -> Connector:
        source = SourceSettings(
            name="acme",
            tracker=Tracker.JIRA,
            url=url,
            scope=scope,
            user=self.user,
            requests_per_second=5000,
            **settings,
        )
        return JiraConnector(source, SecretStr(token), sleep=sleep)


class TestServer(TestCloud):
    user = ""

    def make_app(self, world: World) -> Any:
        return jira_app(world, deployment="server")
