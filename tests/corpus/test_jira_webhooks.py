"""Recorded deliveries of Jira Cloud and Data Center: every one names its issue and who did it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backlint.connectors.jira.webhook import event

RECORDED = Path(__file__).parents[3] / "shared" / "corpus" / "payloads" / "jira"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the folder ../shared/corpus/payloads/jira is missing")


def test_recorded_deliveries_are_understood() -> None:
    files = sorted(RECORDED.rglob("webhook-*.json"))
    assert files
    for file in files:
        body = json.loads(file.read_bytes())
        seen = event({}, file.read_bytes())
        expected = body["issue"]["id"] if "issue" in body else body["comment"]["self"].split("/")[-3]

        assert seen.is_handled, file.name
        assert seen.issues == (expected,), file.name
        assert seen.actor, file.name
