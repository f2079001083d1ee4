"""What `backlint explain` says of time: the spans, the episodes, and why a figure is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backlint.normalised import to_dict
from tests.api.conftest import CommandLine
from tests.api.reports.backlog import the_backlog


def explained(backlint: CommandLine, key: str, *options: str) -> Any:
    issues = [replace(issue, due_on=None) if issue.key != "PAY-40" else issue for issue in the_backlog()]
    Path("issues.jsonl").write_text("".join(json.dumps(to_dict(issue)) + "\n" for issue in issues), encoding="utf-8")
    return backlint("explain", key, "--input", "issues.jsonl", *options)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("PAY-30", "cycle time: elapsed 10.0 d, in progress 7.0 d, last run 10.0 d"),
        ("PAY-30", "reopened 1 × within it, so that the earlier finish does not count"),
        ("PAY-31", "Episode 2, rework: started 2026-05-20 08:00 (known from status), finished 2026-05-23 08:00"),
        ("PAY-32", "in no cycle time: finished without a known start"),
        ("PAY-34", "in no cycle time: cancelled"),
        ("PAY-35", "In no figure about time: status 'Waiting for vendor' has no category."),
        ("PAY-39", "paused: put back before it was finished, not in progress now"),
        ("PAY-40", "Due on 2026-05-20 for on-time figures."),
        ("PAY-41", "Counted apart from stories, tasks and bugs"),
        ("PAY-43", "In progress (active)  2.0 d"),
    ],
)
def test_time_is_told_with_what_was_left_out(backlint: CommandLine, key: str, said: str) -> None:
    assert said in explained(backlint, key).out


def test_the_json_has_the_same(backlint: CommandLine) -> None:
    flow = explained(backlint, "PAY-30", "--format", "json").json["flow"]

    assert [span["category"] for span in flow["spans"]] == ["backlog", "active", "done", "active", "done"]
    assert flow["episodes"][0]["cycle_time"] == {"elapsed": 10.0, "in_progress": 7.0, "last_run": 10.0}
    assert flow["episodes"][0]["why_no_cycle_time"] is None
