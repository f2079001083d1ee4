"""Cycle and lead times that other programs published for real and made-up histories, reproduced or explained."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backlint.flow import Flag, FlowOptions, Item, Mode, items
from backlint.model import Issue, Status, StatusCategory, Transition

FOLDER = Path(__file__).parents[3] / "shared" / "corpus" / "transitions"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"needs the corpus folder {FOLDER}")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# That program merges whatever is reopened, however late, and knows no shortest cycle.
ALIKE = FlowOptions(merge=timedelta(days=10_000), min_cycle=timedelta(-1))


def histories() -> Iterator[dict[str, Any]]:
    with (FOLDER / "histories.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def categories(record: dict[str, Any]) -> dict[str, StatusCategory]:
    """Statuses before the step that counts as started are the backlog, the last step is done, the rest is work."""
    steps = json.loads((FOLDER / "status_maps.json").read_text(encoding="utf-8"))[record["status_map"]]
    names = [step["name"] for step in steps]
    start = names.index(record["started_step"])
    found = {}
    for place, step in enumerate(steps):
        category = StatusCategory.DONE if place == len(steps) - 1 else StatusCategory.ACTIVE
        for status in step["statuses"]:
            found[status] = StatusCategory.BACKLOG if place < start else category
    return found


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def issue_of(record: dict[str, Any]) -> Issue:
    known = categories(record)

    def status(name: str) -> Status:
        return Status(name, name, known.get(name, StatusCategory.UNKNOWN))

    return Issue(
        source=record["source"],
        id=record["id"],
        key=record["key"],
        title="-",
        status=status(record["current_status"]),
        created_at=moment(record["created"]),
        transitions=tuple(
            Transition(at=moment(step["at"]), before=status(step["from"]), after=status(step["to"]), sequence=place)
            for place, step in enumerate(record["transitions"])
        ),
    )


def item_of(record: dict[str, Any], options: FlowOptions = ALIKE) -> Item:
    (item,) = items([issue_of(record)], NOW, options)
    return item


def in_calendar_days(record: dict[str, Any], item: Item) -> int | None:
    """Our last run in whole local dates, the offset as written, as that program counts."""
    episode = item.episodes[-1]
    spent = episode.cycle_time(Mode.LAST_RUN)
    if spent is None or episode.finished_at is None or item.why_outside:
        return None
    zone = moment(record["created"]).tzinfo
    finish, start = episode.finished_at, episode.finished_at - spent
    return (finish.astimezone(zone).date() - start.astimezone(zone).date()).days


def explanation(record: dict[str, Any], item: Item) -> str:
    """How our answer relates to the published one; a difference that nothing here names is a failure."""
    theirs, ours = record["published"]["jira_agile_metrics"]["cycle_time_days"], in_calendar_days(record, item)
    if theirs == ours:
        return "same"
    if item.why_outside:
        return "a status without a category: they ignore it, we leave the item out"
    if Flag.GAP in item.flags and ours is None:
        return "a gap in the history: they bridge it, we say unknown"
    if theirs == 0 and ours is None:
        return "closed from the backlog: they take the finish for the start, we know of none in the last run"
    return f"unexplained: {record['id']} theirs {theirs} ours {ours}"


def test_cycle_times_of_the_last_run_are_theirs_or_the_difference_has_a_name() -> None:
    relations = Counter(explanation(record, item_of(record)) for record in histories())

    assert not [name for name in relations if name.startswith("unexplained")]
    assert relations["same"] >= 19


def test_lead_times_in_minutes_are_those_of_devlake() -> None:
    """DevLake looks at the resolution date, we at the entry to done: Jira writes the two within a second."""
    compared = 0
    for record in histories():
        published = record["published"].get("devlake_lead_time_minutes")
        if published is not None:
            item = item_of(record)
            lead = item.lead_time(item.episodes[-1])

            assert lead is not None
            assert lead // MINUTE == published, record["key"]
            compared += 1
    assert compared >= 16


def test_a_finish_before_the_creation_is_skew_and_not_a_negative_time() -> None:
    with (FOLDER / "created_finished_days.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    found = items([_task(row) for row in rows], NOW)

    for row, item in zip(rows, found, strict=True):
        days = int(row["cycle_time_days"])
        lead = item.lead_time(item.episodes[-1])
        assert lead == timedelta(days=max(days, 0))
        assert (Flag.SKEW in item.flags) is (days < 0)
    assert any(Flag.SKEW in item.flags for item in found)


def _task(row: dict[str, str]) -> Issue:
    created, finished = (moment(row[name]) for name in ("created_date", "finished_date"))
    new, done = Status("new", "new", StatusCategory.BACKLOG), Status("done", "done", StatusCategory.DONE)
    step = Transition(at=finished, before=new, after=done)
    return Issue(
        source="csv", id=row["id"], key=row["id"], title="-", status=done, created_at=created, transitions=(step,)
    )
