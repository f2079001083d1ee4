"""The published JSON Schemas: valid themselves, true of what the program prints, and able to say no."""

from __future__ import annotations

import copy
import io
import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from backlint.api.commands import apply as apply_command
from backlint.api.commands import plan as plan_command
from backlint.api.reports.cycle_time_formats import to_json as cycle_time_json
from backlint.api.reports.forecast_formats import to_json as forecast_json
from backlint.api.reports.readout import Audience
from backlint.api.reports.readout_formats import to_json as readout_json
from backlint.api.reports.sprint_prep_formats import to_json as sprint_prep_json
from backlint.connectors.file import read_issues
from backlint.connectors.file.export import FINDING_COLUMNS, ISSUE_COLUMNS, TRANSITION_COLUMNS
from backlint.model import (
    ChecklistItem,
    FieldChange,
    Issue,
    Link,
    LinkKind,
    Sprint,
    SprintMembership,
    StatusCategory,
)
from backlint.normalised import from_dict, to_dict
from backlint.rules.registry import all_rules
from backlint.settings import Settings
from backlint.sync.apply import Applied
from backlint.sync.check import CheckResult, check_issues, to_json
from backlint.sync.plan import Change, ChangeKind, HeldBack, Plan
from backlint.sync.pull import SourcePull
from tests.api.reports.backlog import a_cycle_time_report
from tests.api.reports.planning_backlog import a_forecast, a_sprint_prep
from tests.api.reports.readout_backlog import a_readout
from tests.factory import a_comment, a_transition, an_issue

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def is_a_time_with_its_zone(value: object) -> bool:
    """jsonschema passes every text as a date-time unless a further package is installed."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def problems(name: str, value: Any) -> list[str]:
    """What the schema says against the value after its way through JSON text, by path."""
    checker = Draft202012Validator(SCHEMAS[name], format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(json.loads(json.dumps(value)))]


def a_rich_issue() -> Issue:
    sprint = Sprint(id="4", name="Sprint 4", state="active", starts_at=NOW, ends_at=NOW + timedelta(days=14))
    return an_issue(
        url="https://example.com/DEMO-1",
        priority=1,
        estimate=3.0,
        labels=frozenset({"web"}),
        assignees=("mia",),
        sprints=(SprintMembership(sprint=sprint, added_at=NOW),),
        links=(Link(LinkKind.BLOCKS, "2"),),
        checklist=(ChecklistItem("total is shown", True),),
        due_on=date(2026, 9, 30),
        transitions=(a_transition(NOW, StatusCategory.BACKLOG, StatusCategory.ACTIVE),),
        changes=(FieldChange(at=NOW, field="assignee", after="mia"),),
        comments=(a_comment("Done when p95 < 2 s"),),
        fields={"metric": "activation"},
    )


def a_check() -> CheckResult:
    started = an_issue(id="2", category=StatusCategory.ACTIVE, body="TBD")
    waived = {"issue": "DEMO-2", "reason": "agreed in planning"}
    settings = Settings.model_validate(
        {
            "waivers": [
                {**waived, "rule": "OWN001", "until": "2026-07-01"},
                {**waived, "rule": "TXT", "until": "2026-05-01"},
            ]
        }
    )
    return check_issues((a_rich_issue(), started), settings, now=NOW, rules=[rule() for rule in all_rules()])


def a_change(kind: ChangeKind, **rest: Any) -> Change:
    return Change(source="demo", issue="1", key="DEMO-1", kind=kind, **{"because": ("AC001",), **rest})


CHANGES = (
    a_change(ChangeKind.ADD_LABEL, label="hygiene:needs-acceptance-criteria"),
    a_change(ChangeKind.REMOVE_LABEL, label="hygiene:needs-owner", because=()),
    a_change(ChangeKind.PUT_COMMENT, body="What must be true?"),
    a_change(ChangeKind.DELETE_COMMENT, because=()),
)
PLAN = Plan(id="plan-1", changes=CHANGES, held_back=(HeldBack(CHANGES[2], "quiet hours"),))
APPLIED = Applied(
    run="apply-1",
    applied=[CHANGES[0]],
    already=[CHANGES[1]],
    failed=[(CHANGES[2], "the tracker refused")],
    held_back=[(CHANGES[3], "a person edited it")],
)
# The shape of design section 4, by hand.
CYCLE_TIME: dict[str, Any] = {
    "scope": "DEMO",
    "as_of": "2026-06-01T12:00:00Z",
    "timezone": "Europe/Berlin",
    "mode": "elapsed",
    "count": 1,
    "p50": 2.5,
    "p85": None,
    "p95": None,
    "sle": None,
    "unit": "days",
    "issues": [
        {
            "source": "demo",
            "issue": "DEMO-1",
            "type": "story",
            "started_at": "2026-05-01T09:00:00Z",
            "finished_at": "2026-05-03T21:00:00Z",
            "start_source": "history",
            "cycle_time": 2.5,
            "lead_time": 9.0,
            "reaction_time": 6.5,
            "score": 88,
            "reopened": 0,
            "flags": [],
        }
    ],
    "excluded": [{"issue": "DEMO-2", "why": "never started"}],
}


@cache
def outputs() -> dict[str, Any]:
    return {
        "issue": to_dict(a_rich_issue()),
        "pull": {"sources": [SourcePull("acme", "jira", issues=3, seconds=0.5, complete=True).to_json()]},
        "check": to_json(a_check(), all_verdicts=True),
        "plan": plan_command.to_json(PLAN),
        "apply": apply_command.to_json(APPLIED, PLAN),
        "report-cycle-time": json.loads(cycle_time_json(a_cycle_time_report())),
        "report-forecast": json.loads(forecast_json(a_forecast())),
        "report-sprint-prep": json.loads(sprint_prep_json(a_sprint_prep())),
        "report-weekly": json.loads(readout_json(a_readout(Audience.EXECUTIVE))),
    }


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_valid_schema_with_its_version(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])

    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMAS[name]["$id"] == f"urn:backlint:schema:{name}:1"


def test_every_output_has_a_schema_and_is_true_to_it() -> None:
    printed = outputs()

    assert set(printed) == set(SCHEMAS)
    assert {name: problems(name, value) for name, value in printed.items()} == {name: [] for name in SCHEMAS}


def test_the_check_that_is_validated_has_findings_and_verdicts() -> None:
    printed = to_json(a_check(), all_verdicts=True)

    assert printed["findings"]
    assert any(verdict["evidence"] for verdict in printed["verdicts"])


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_required_property_is_missed_when_it_is_gone(name: str) -> None:
    printed = outputs()[name]

    for required in SCHEMAS[name]["required"]:
        without = {key: value for key, value in printed.items() if key != required}
        assert problems(name, without) == [f"$: {required!r} is a required property"]


@pytest.mark.parametrize(
    ("name", "path", "wrong"),
    [
        ("issue", ("status", "category"), "open"),
        ("issue", ("created_at",), "yesterday"),
        ("issue", ("transitions", 0, "to"), None),
        ("issue", ("comments", 0, "id"), None),
        ("issue", ("labels",), "web"),
        ("issue", ("priority",), 5),
        ("pull", ("sources", 0, "issues"), -1),
        ("pull", ("sources", 0, "complete"), "yes"),
        ("check", ("findings", 0, "severity"), "bad"),
        ("check", ("findings", 0, "rule"), "ac1"),
        ("check", ("findings", 0, "waiver"), "me"),
        ("check", ("verdicts", 0, "verdict"), "maybe"),
        ("plan", ("changes", 0, "label"), None),
        ("plan", ("changes", 0, "kind"), "close_issue"),
        ("plan", ("held_back", 0, "why"), None),
        ("apply", ("failed", 0, "why"), None),
        ("report-cycle-time", ("mode",), "median"),
        ("report-cycle-time", ("unit",), "hours"),
        ("report-cycle-time", ("issues", 0, "cycle_time"), -1),
        ("report-forecast", ("how_many", "seed"), 42),
        ("report-forecast", ("when", "p85"), 20),
        ("report-forecast", ("history", "weeks", 0, "finished"), [1, 2, 3]),
        ("report-sprint-prep", ("candidates", 0, "standing"), "done"),
        ("report-sprint-prep", ("candidates", 0, "readiness"), 101),
    ],
)
def test_a_wrong_value_is_found(name: str, path: tuple[str | int, ...], wrong: Any) -> None:
    value = copy.deepcopy(outputs()[name])
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong

    assert len(problems(name, value)) == 1


def test_the_shape_that_the_design_promises_is_enough() -> None:
    assert problems("report-cycle-time", CYCLE_TIME) == []


def test_a_label_change_without_its_label_is_no_plan() -> None:
    value = plan_command.to_json(PLAN)
    del value["changes"][0]["label"]

    assert problems("plan", value) == ["$.changes[0]: 'label' is a required property"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": 7, "title": "x"},
        {"id": "7", "title": "x", "type": "User Story", "description": None, "markup": "wiki", "status": "todo"},
        {"id": "7", "title": "x", "status": "Parked", "labels": [{"name": "web"}, "ops"]},
        {"id": "7", "title": "x", "labels": {"web": True, "ops": None}, "description": {"type": "doc", "content": []}},
        {"id": "7", "title": "x", "comments": [{"id": 1, "at": "2026-03-02T09:00:00Z"}], "priority": None},
    ],
)
def test_the_short_forms_that_are_read_are_in_the_schema(row: dict[str, Any]) -> None:
    assert problems("issue", row) == []
    assert from_dict(row).id == "7"


def test_the_schema_names_every_field_of_an_issue() -> None:
    named = set(SCHEMAS["issue"]["properties"]) - {"description"}

    assert named == set(to_dict(a_rich_issue()))


def test_a_finding_of_check_fills_every_column_of_the_table() -> None:
    (finding, *_) = to_json(a_check())["findings"]

    assert set(FINDING_COLUMNS) <= set(finding)


@pytest.mark.parametrize("columns", [ISSUE_COLUMNS, TRANSITION_COLUMNS, FINDING_COLUMNS])
def test_the_page_lists_the_columns_of_every_table_in_order(columns: dict[str, str]) -> None:
    page = (FOLDER.parent / "schemas.md").read_text(encoding="utf-8")
    plain = page.replace(" (count)", "").replace(" (JSON)", "").replace(" (id)", "")

    assert f"| {', '.join(columns)} |" in plain


def test_the_page_names_every_schema() -> None:
    page = (FOLDER.parent / "schemas.md").read_text(encoding="utf-8")

    assert [name for name in SCHEMAS if f"(schemas/{name}.json)" not in page] == []


def test_a_line_that_the_schema_allows_is_read_from_a_file() -> None:
    line = json.dumps(to_dict(a_rich_issue())).encode()

    assert read_issues(io.BytesIO(line)).issues == (a_rich_issue(),)
