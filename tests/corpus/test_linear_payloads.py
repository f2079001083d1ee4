"""Published webhook bodies of Linear, where they are at hand: each is understood or listed as ignored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backlint.connectors.linear.webhook import event

PAYLOADS = Path(__file__).parents[3] / "shared" / "corpus" / "payloads" / "linear"
pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="needs ../shared/corpus/payloads/linear")
FILES = sorted(PAYLOADS.rglob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_published_delivery_is_understood(file: Path) -> None:
    raw = file.read_bytes()

    found = event({"Linear-Delivery": "d"}, raw)

    body = json.loads(raw)
    data = body["data"]
    expected = {"Issue": data.get("id"), "Comment": data.get("issueId"), "Attachment": data.get("issueId")}
    assert found.is_known
    assert found.issues == ((expected[body["type"]],) if expected.get(body["type"]) else ())
    assert found.kind == f"{body['type']}.{body['action']}"
