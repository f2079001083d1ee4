"""Jira's CSV export: repeated columns, wiki markup, local dates, and the little it tells of history."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from backlint.connectors.file.reader import FileKind, FileRead
from backlint.model import IssueType, LinkKind, Markup, StatusCategory
from tests.connectors.file.reading import only, read

Cells = list[tuple[str, str]]
PLAIN: Cells = [
    ("Summary", "Export invoices"),
    ("Issue key", "PAY-1"),
    ("Issue id", "10001"),
    ("Issue Type", "Story"),
    ("Status", "In Review"),
    ("Project key", "PAY"),
    ("Created", "02/Mar/26 9:00 AM"),
    ("Updated", "24/Nov/26 3:04 PM"),
]


def export(*more: tuple[str, str], without: tuple[str, ...] = ()) -> str:
    cells = [cell for cell in PLAIN if cell[0] not in {name for name, _ in more} | set(without)] + list(more)
    text = io.StringIO()
    csv.writer(text).writerows([[name for name, _ in cells], [value for _, value in cells]])
    return text.getvalue()


def read_one(*more: tuple[str, str], **options: object) -> FileRead:
    return read(export(*more), **options)


def test_the_plain_columns_become_an_issue() -> None:
    found = read_one(
        ("Description", " h3. Acceptance criteria\n* one"),
        ("Priority", "High"),
        ("Due date", "30/Nov/26 12:00 AM"),
        ("Custom field (Story Points)", "3.0"),
        ("Custom field (Rank)", "0|i0001:"),
        ("Parent key", "PAY-9"),
    )

    issue = only(found)
    assert found.kind is FileKind.JIRA
    assert (issue.id, issue.key, issue.title, issue.project) == ("10001", "PAY-1", "Export invoices", "PAY")
    assert (issue.type, issue.type_name, issue.priority, issue.estimate) == (IssueType.STORY, "Story", 2, 3.0)
    assert (issue.body, issue.markup) == (" h3. Acceptance criteria\n* one", Markup.WIKI)
    assert (issue.parent, issue.rank, issue.due_on) == ("PAY-9", "0|i0001:", date(2026, 11, 30))
    assert issue.created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert issue.updated_at == datetime(2026, 11, 24, 15, 4, tzinfo=UTC)
    assert not issue.history_is_complete


def test_repeated_columns_are_all_read() -> None:
    issue = only(
        read_one(
            ("Labels", "web"),
            ("Labels", "ops"),
            ("Labels", ""),
            ("Sprint", "Sprint 1"),
            ("Sprint", "Sprint 2"),
            ("Outward issue link (Blocks)", "PAY-2"),
            ("Outward issue link (Blocks)", "PAY-3"),
            ("Inward issue link (Blocks)", "PAY-4"),
            ("Inward issue link (Defect)", "PAY-5"),
        )
    )

    assert issue.labels == {"web", "ops"}
    assert [membership.sprint.name for membership in issue.sprints] == ["Sprint 1", "Sprint 2"]
    assert [(link.kind, link.target) for link in issue.links] == [
        (LinkKind.BLOCKS, "PAY-2"),
        (LinkKind.BLOCKS, "PAY-3"),
        (LinkKind.BLOCKED_BY, "PAY-4"),
        (LinkKind.OTHER, "PAY-5"),
    ]


def test_comments_are_split_into_date_author_and_text() -> None:
    issue = only(
        read_one(("Comment", "05/Mar/26 2:00 PM;5b10ac;Done; shipped"), ("Comment", "04/Mar/26 2:00 PM;ana;First"))
    )

    assert [(comment.author, comment.body) for comment in issue.comments] == [
        ("ana", "First"),
        ("5b10ac", "Done; shipped"),
    ]
    assert issue.comments[0].at == datetime(2026, 3, 4, 14, tzinfo=UTC)
    assert issue.comments[0].markup is Markup.WIKI


def test_a_comment_of_another_form_is_left_out_with_a_remark_and_the_issue_counts() -> None:
    found = read_one(("Comment", "just a text"))

    assert only(found).comments == ()
    assert [str(remark) for remark in found.remarks] == [
        "line 2: Comment: comment 1 is not of the form date;author;text and was left out"
    ]


@pytest.mark.parametrize(
    ("cells", "category"),
    [
        ([("Status Category", "To Do")], StatusCategory.BACKLOG),
        ([("Status Category", "In Progress")], StatusCategory.ACTIVE),
        ([("Status Category", "Done")], StatusCategory.DONE),
        ([("Status Category", "Done"), ("Resolution", "Won't Do")], StatusCategory.CANCELLED),
        ([("Resolution", "Fixed"), ("Resolved", "24/Nov/26 3:04 PM")], StatusCategory.DONE),
        ([("Resolution", "Duplicate"), ("Resolved", "24/Nov/26 3:04 PM")], StatusCategory.CANCELLED),
        ([("Resolution", "Unresolved")], StatusCategory.UNKNOWN),
        ([("Status", "Done")], StatusCategory.UNKNOWN),
    ],
)
def test_the_category_comes_from_what_the_export_tells_and_never_from_the_name(
    cells: Cells, category: StatusCategory
) -> None:
    found = read_one(*cells)

    assert only(found).status.category is category
    assert bool(found.unmapped) == (category is StatusCategory.UNKNOWN)


def test_a_mapping_by_a_person_goes_before_the_exports_own_class() -> None:
    found = read_one(("Status Category", "In Progress"), statuses={"in review": StatusCategory.WAITING})

    assert only(found).status.category is StatusCategory.WAITING


def test_the_only_moves_known_are_the_resolution_and_the_change_of_class() -> None:
    resolved = only(read_one(("Resolution", "Done"), ("Resolved", "24/Nov/26 3:04 PM")))
    begun = only(read_one(("Status Category", "In Progress"), ("Status Category Changed", "23/Nov/26 9:00 AM")))
    waiting = only(read_one(("Status Category", "To Do"), ("Status Category Changed", "23/Nov/26 9:00 AM")))

    assert [(step.at.day, step.after.category) for step in resolved.transitions] == [(24, StatusCategory.DONE)]
    assert [(step.at.day, step.after.category) for step in begun.transitions] == [(23, StatusCategory.ACTIVE)]
    assert begun.transitions[0].before.category is StatusCategory.UNKNOWN
    assert waiting.transitions == ()


def test_people_go_by_account_id_where_the_export_has_it() -> None:
    found = read_one(("Assignee", "Person A"), ("Assignee Id", "5b10ac"), ("Reporter", "person.b"))

    issue = only(found)
    assert (issue.assignees, issue.reporter) == (("5b10ac",), "person.b")
    assert [(person.id, person.name) for _, person in found.people] == [
        ("5b10ac", "Person A"),
        ("person.b", "person.b"),
    ]


def test_an_unassigned_issue_has_no_assignee() -> None:
    assert only(read_one(("Assignee", "Unassigned"))).assignees == ()


def test_a_time_estimate_is_in_hours_and_points_go_before_it() -> None:
    time = only(read_one(("Original estimate", "7200")))
    both = only(read_one(("Original estimate", "7200"), ("Custom field (Story point estimate)", "5")))

    assert (time.estimate, time.estimate_unit) == (2.0, "hours")
    assert (both.estimate, both.estimate_unit) == (5.0, "points")


def test_acceptance_criteria_in_a_field_of_their_own_are_mapped() -> None:
    issue = only(read_one(("Custom field (Acceptance Criteria)", "* shows the total")))

    assert issue.fields == {"acceptance_criteria": "* shows the total"}


def test_further_fields_are_mapped_by_the_column_that_a_person_names() -> None:
    issue = only(read_one(("Custom field (KPI)", "activation"), fields={"metric": "Custom field (KPI)"}))

    assert issue.fields == {"metric": "activation"}


def test_an_unmapped_type_is_a_task_under_its_own_name() -> None:
    issue = only(read_one(("Issue Type", "Widget")))

    assert (issue.type, issue.type_name) == (IssueType.TASK, "Widget")


def test_local_dates_are_in_the_zone_of_the_person_who_exported() -> None:
    issue = only(read_one(zone=ZoneInfo("Europe/Berlin")))

    assert issue.created_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        (("Created", "sometime"), "Created"),
        (("Updated", "03/04/2026 16:14"), "Updated"),
        (("Due date", "soon"), "Due date"),
        (("Custom field (Story Points)", "many"), "Custom field (Story Points)"),
        (("Custom field (Story Points)", "nan"), "Custom field (Story Points)"),
        (("Summary", ""), "Summary"),
        (("Status", ""), "Status"),
    ],
)
def test_a_row_with_an_unreadable_value_is_reported_with_the_column(cell: tuple[str, str], field: str) -> None:
    found = read_one(cell)

    assert found.issues == ()
    assert [(row.line, row.field) for row in found.rejected] == [(2, field)]


def test_numbered_dates_follow_the_order_that_other_rows_show() -> None:
    first = export(("Created", "3/4/2026 16:14"), without=("Updated",))
    second = export(("Created", "3/24/2026 16:14"), ("Issue key", "PAY-2"), ("Issue id", "10002"), without=("Updated",))
    header = first.splitlines()[0].split(",")
    rows = [
        dict(zip(text.splitlines()[0].split(","), text.splitlines()[1].split(","), strict=True))
        for text in (first, second)
    ]

    found = read("\n".join([",".join(header), *(",".join(row[name] for name in header) for row in rows)]) + "\n")

    assert [issue.created_at for issue in found.issues] == [
        datetime(2026, 3, 4, 16, 14, tzinfo=UTC),
        datetime(2026, 3, 24, 16, 14, tzinfo=UTC),
    ]
