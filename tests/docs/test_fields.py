"""docs/fields.md speaks of every part that an issue has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from backlint.model import Issue

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"
OURS = {"source", "tracker"}  # say where an issue came from; no tracker delivers them


def test_every_part_of_an_issue_has_its_line() -> None:
    rows = [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == {field.name for field in dataclasses.fields(Issue)} - OURS
