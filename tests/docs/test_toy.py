"""The toy connector of the documentation keeps what every connector promises: what it shows is what is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from toy.connector import ToyConnector, ToySettings
from toy.server import ToyServer
from toy.webhook import event, verify

from backlint.connectors.contract import Connector
from backlint.connectors.sandbox.world import World
from backlint.connectors.webhook import WebhookRefused
from backlint.model import IssueType
from tests.connectors.contract_suite import GOOD_TOKEN, ConnectorContract

FOLDER = Path(__file__).parents[2] / "docs" / "connectors" / "toy"


class TestToy(ConnectorContract):
    flavour: ClassVar[str] = "linear"
    size: ClassVar[int] = 40
    another_mapping: ClassVar[dict[str, Any]] = {"types": {"bug": IssueType.INCIDENT}}

    def make_app(self, world: World) -> Any:
        return ToyServer(world, GOOD_TOKEN).app()

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None], **settings: Any
    ) -> Connector:
        return ToyConnector(ToySettings(name="toy", url=url, scope=scope, **settings), SecretStr(token), sleep=sleep)


def test_a_delivery_with_another_secret_is_refused() -> None:
    body = json.dumps({"id": "1", "event": "issue", "issue": "7"}).encode()

    with pytest.raises(WebhookRefused):
        verify(body, {"Toy-Signature": "0" * 64}, SecretStr("s"), datetime.now(UTC))
    assert event({}, body).issues == ("7",)


def test_the_guide_names_every_file_of_the_folder() -> None:
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")

    files = {path.name for path in FOLDER.iterdir() if path.suffix == ".py"} - {"__init__.py"}
    assert files == set(re.findall(r"`(\w+\.py)` \|", guide))
