"""The figures of `backlint accuracy`: counted right, with intervals, for each project, every miss explained."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from backlint.api.accuracy import (
    Agreement,
    Band,
    agreement,
    by_project,
    calibration,
    chosen,
    clear,
    judged,
    misses,
    wilson,
)
from backlint.errors import InputError
from tests.api.conftest import CommandLine

CRITERIA = "## Acceptance criteria\n\n- The file opens in a spreadsheet\n- Amounts keep two decimals\n"


def a_row(id: str, *, stated: bool | None, body: str = "", **more: Any) -> dict[str, Any]:
    labels = {"has_acceptance_criteria": stated}
    return {"id": id, "project": "demo", "title": "Export", "description": body, "labels": labels, **more}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A hit, a claim of the rules alone, one of the reader alone, one that does not apply."""
    rows = [
        a_row("1", stated=True, body=CRITERIA),
        a_row("2", stated=False, body=CRITERIA, project="other"),
        a_row("3", stated=True, body="The clerk copies the list by hand.", borderline=["has_acceptance_criteria"]),
        a_row("4", stated=None),
    ]
    path = tmp_path / "labelled.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_counts_leave_out_what_does_not_apply(labels: Path) -> None:
    rows = judged(labels)

    assert agreement(rows, "AC001 + AC002") == Agreement(1, 1, 1, 0)
    assert agreement(rows, "AC001 + AC002", missing=True) == Agreement(0, 1, 1, 1)
    assert agreement(clear(rows, "AC001 + AC002"), "AC001 + AC002") == Agreement(1, 1, 0, 0)


def test_a_label_that_nobody_gave_has_no_figures(labels: Path) -> None:
    found = agreement(judged(labels), "OUT001")

    assert found.rows == 0
    assert math.isnan(found.f1)


def test_each_project_has_figures_of_its_own(labels: Path) -> None:
    found = {project: each.found for project, each in by_project(judged(labels), ["AC001 + AC002"])}

    assert found == {"demo": Agreement(1, 0, 1, 0), "other": Agreement(0, 1, 0, 0)}


def test_findings_are_counted_by_the_confidence_they_were_given(labels: Path) -> None:
    found = calibration(judged(labels))

    assert found == (
        Band(rule="all", confidence=1.0, findings=1, right=0),
        Band(rule="AC001", confidence=1.0, findings=1, right=0),
    )


def test_every_miss_says_why(labels: Path) -> None:
    only_rules, only_reader = misses(judged(labels), "AC001 + AC002")

    assert (only_rules.id, only_rules.rules_say_yes, only_rules.is_borderline) == ("2", True, False)
    assert any("The file opens in a spreadsheet" in line for line in only_rules.explanation)
    assert (only_reader.id, only_reader.rules_say_yes, only_reader.is_borderline) == ("3", False, True)
    assert only_reader.explanation[0] == "AC001 fail: No acceptance criteria found."


def test_a_question_is_meant_by_its_name_its_rule_or_its_label() -> None:
    assert chosen(["ac001"]) == ("AC001 + AC002",)
    assert chosen(["has_measurable_outcome"]) == ("OUT002 (label guide)", "OUT002 (number)")
    with pytest.raises(InputError, match="there is no question 'flo001'"):
        chosen(["FLO001"])


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(9, 10)

    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_of_f1_holds_f1() -> None:
    found = Agreement(9, 1, 2, 88)
    low, high = found.f1_interval

    assert low < found.f1 < high


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no labelled issue"),
        ("{", "line 1 is no JSON"),
        ("[]", "an object is wanted"),
        ('{"id": "1", "title": "Export"}', "the field labels is missing"),
        ('{"id": "1", "title": "Export", "labels": {"has_outcome": "yes"}}', "true, false or null"),
        ('{"id": "1", "title": "Export", "labels": {}, "markup": "rtf"}', "markup 'rtf' is none of"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match=message):
        judged(path)


def test_the_command_prints_table_projects_and_misses(backlint: CommandLine, labels: Path) -> None:
    done = backlint("accuracy", "--labels", str(labels), "--question", "AC001", "--projects", "--misses")

    assert done.code == 0
    assert "0.500 [0.095, 0.905]" in done.out
    assert "2 (other): only the rules say yes" in done.out


def test_the_command_gives_the_same_facts_to_programs(backlint: CommandLine, labels: Path) -> None:
    done = backlint("accuracy", "--labels", str(labels), "--question", "AC001", "--format", "json")
    facts = done.json

    assert (facts["figures"][0]["precision"], facts["figures"][0]["count"]) == (0.5, 3)
    assert [each["id"] for each in facts["misses"]] == ["2", "3"]
