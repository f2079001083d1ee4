"""What every connector promises, kept by the GitHub connector against its sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import SecretStr

from backlint.connectors.contract import Connector
from backlint.connectors.github.connector import GitHubConnector
from backlint.connectors.sandbox.github import github_app
from backlint.connectors.sandbox.world import World
from backlint.model import Tracker
from backlint.settings import SourceSettings
from tests.connectors.contract_suite import GOOD_TOKEN, ConnectorContract, everything


class TestGitHub(ConnectorContract):
    flavour = "github"
    path = ""
    another_mapping: ClassVar[dict[str, Any]] = {
        "types": {"bug": "incident"}, "fields": {"sprint": "None", "estimate": "None"},
    }  # fmt: skip

    def make_app(self, world: World) -> Any:
        return github_app(world, token=GOOD_TOKEN)

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None], **settings: Any
    ) -> Connector:
        source = SourceSettings(
            name="gh", tracker=Tracker.GITHUB, url=url + self.path, scope=scope, requests_per_second=1000, **settings
        )
        return GitHubConnector(source, SecretStr(token), sleep=sleep)

    def test_people_are_known_with_their_active_state(self, connector: Connector, scope: str, world: World) -> None:
        """GitHub lists whom an issue may be assigned to; who has left is not among them and stays unknown."""
        reference = connector.reference()
        assignees = {id for issue in everything(connector, scope).values() for id in issue.assignees}

        known = {person.id for person in reference.people if person.is_active}
        assert assignees & known
        assert {id for id in assignees - known if world.people[id].is_active} == set()
        assert reference.own_account == world.bot


class TestEnterpriseServer(TestGitHub):
    """The same beneath Enterprise Server's own paths."""

    path = "/api/v3"
    size = 40
