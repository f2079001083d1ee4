"""Linear's CSV export: stamps instead of history, cycles, the apostrophe before would-be formulas."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest

from backlint.connectors.file.reader import FileKind, FileRead
from backlint.model import IssueType, LinkKind, Markup, StatusCategory
from tests.connectors.file.reading import only, read

HEADER_LINE = (
    "ID,Team,Title,Description,Status,Estimate,Priority,Project ID,Project,Creator,Assignee,Labels,Cycle Number,"
    "Cycle Name,Cycle Start,Cycle End,Created,Updated,Started,Triaged,Completed,Canceled,Archived,Due Date,"
    "Parent issue,Initiatives,Project Milestone ID,Project Milestone,SLA Status,UUID,Time in status (minutes),"
    "Related to,Blocked by,Duplicate of"
)
HEADER = HEADER_LINE.split(",")


def read_one(**cells: str) -> FileRead:
    values = {
        "ID": "ENG-1",
        "Team": "ENG",
        "Title": "Export invoices",
        "Status": "Ready",
        "Created": "2026-03-02T09:00:00Z",
    }
    values |= {name.replace("_", " "): value for name, value in cells.items()}
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, [values.get(name, "") for name in HEADER]])
    return read(text.getvalue())


def test_the_columns_become_an_issue() -> None:
    found = read_one(
        UUID="9cfb482a",
        Description="## Why\n\n- less mail",
        Estimate="3",
        Priority="Urgent",
        Project="Billing",
        Creator="person-a@example.com",
        Assignee="Person B",
        Labels="Feature, web",
        Due_Date="2026-11-30",
        Parent_issue="ENG-9",
        Related_to="ENG-7, ENG-8",
        Blocked_by="ENG-6",
    )

    issue = only(found)
    assert found.kind is FileKind.LINEAR
    assert (issue.id, issue.key, issue.team, issue.project) == ("9cfb482a", "ENG-1", "ENG", "Billing")
    assert (issue.body, issue.markup) == ("## Why\n\n- less mail", Markup.MARKDOWN)
    assert (issue.estimate, issue.priority, issue.due_on, issue.parent) == (3.0, 1, date(2026, 11, 30), "ENG-9")
    assert (issue.type, issue.type_name, issue.labels) == (IssueType.STORY, "Feature", {"Feature", "web"})
    assert (issue.assignees, issue.reporter) == (("Person B",), "person-a@example.com")
    assert [(link.kind, link.target) for link in issue.links] == [
        (LinkKind.RELATES, "ENG-7"),
        (LinkKind.RELATES, "ENG-8"),
        (LinkKind.BLOCKED_BY, "ENG-6"),
    ]
    assert [(person.id, person.email) for _, person in found.people] == [
        ("Person B", None),
        ("person-a@example.com", "person-a@example.com"),
    ]


@pytest.mark.parametrize(
    ("stamps", "category"),
    [
        ({}, StatusCategory.UNKNOWN),
        ({"Started": "2026-03-03T09:00:00Z"}, StatusCategory.ACTIVE),
        ({"Started": "2026-03-03T09:00:00Z", "Completed": "2026-03-05T09:00:00Z"}, StatusCategory.DONE),
        ({"Canceled": "2026-03-05T09:00:00Z"}, StatusCategory.CANCELLED),
    ],
)
def test_the_category_comes_from_the_stamps(stamps: dict[str, str], category: StatusCategory) -> None:
    found = read_one(**stamps)

    assert only(found).status.category is category
    assert found.unmapped == ({"Ready": 1} if not stamps else {})


def test_the_stamps_are_the_moves_that_are_known() -> None:
    issue = only(read_one(Status="Shipped", Started="2026-03-03T09:00:00Z", Completed="2026-03-05T09:00:00Z"))

    assert [(step.at, step.after.name, step.after.category) for step in issue.transitions] == [
        (datetime(2026, 3, 3, 9, tzinfo=UTC), "started", StatusCategory.ACTIVE),
        (datetime(2026, 3, 5, 9, tzinfo=UTC), "Shipped", StatusCategory.DONE),
    ]
    assert not issue.history_is_complete


def test_a_cycle_is_a_sprint_of_its_team() -> None:
    (membership,) = only(
        read_one(Cycle_Number="12", Cycle_Start="2026-03-02T00:00:00Z", Cycle_End="2026-03-16T00:00:00Z")
    ).sprints

    assert (membership.sprint.id, membership.sprint.name, membership.sprint.team) == ("ENG/12", "Cycle 12", "ENG")
    assert membership.sprint.ends_at == datetime(2026, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("printed", "meant"), [("'- one\n- two", "- one\n- two"), ("'=1+1", "=1+1"), ("'quoted' word", "'quoted' word")]
)
def test_the_apostrophe_before_a_would_be_formula_is_taken_off(printed: str, meant: str) -> None:
    issue = only(read_one(Description=printed, Title=printed))

    assert (issue.title, issue.body) == (meant, meant)


def test_dates_in_the_older_form_are_read() -> None:
    issue = only(read_one(Created="Tue May 14 2024 08:53:33 GMT+0000 (GMT)"))

    assert issue.created_at == datetime(2024, 5, 14, 8, 53, 33, tzinfo=UTC)


def test_an_issue_without_a_label_that_names_a_type_is_a_task() -> None:
    issue = only(read_one(Labels="web"))

    assert (issue.type, issue.type_name) == (IssueType.TASK, None)


def test_no_priority_is_none() -> None:
    assert only(read_one(Priority="No priority")).priority is None


def test_an_archived_issue_says_so() -> None:
    assert only(read_one(Archived="2026-03-05T09:00:00Z")).is_archived
