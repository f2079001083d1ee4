"""`gh issue list --json`: any choice of fields, states with reasons, people by login."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backlint.connectors.file.reader import FileKind, FileRead
from backlint.model import IssueType, LinkKind, Markup, StatusCategory
from tests.connectors.file.reading import only, read

PLAIN: dict[str, Any] = {
    "number": 12,
    "title": "Crash on start",
    "state": "OPEN",
    "url": "https://github.com/acme/web/issues/12",
    "createdAt": "2026-03-02T09:00:00Z",
}


def read_one(**more: Any) -> FileRead:
    return read(json.dumps([{**PLAIN, **more}]))


def test_the_fields_become_an_issue() -> None:
    found = read_one(
        id="I_kwDO1",
        body="### Steps\r\n1. start",
        labels=[{"id": "LA_1", "name": "kind/bug", "color": "ff0000", "description": ""}, {"name": "web"}],
        assignees=[{"id": "U_1", "login": "dev-a", "name": "Person A"}],
        author={"id": "U_2", "is_bot": False, "login": "dev-b", "name": ""},
        updatedAt="2026-03-03T09:00:00Z",
        milestone=None,
        projectItems=[],
        stateReason="",
    )

    issue = only(found)
    assert found.kind is FileKind.GITHUB
    assert (issue.id, issue.key, issue.project, issue.url) == ("I_kwDO1", "acme/web#12", "acme/web", PLAIN["url"])
    assert (issue.body, issue.markup) == ("### Steps\r\n1. start", Markup.MARKDOWN)
    assert (issue.type, issue.type_name, issue.labels) == (IssueType.BUG, "kind/bug", {"kind/bug", "web"})
    assert (issue.assignees, issue.reporter) == (("dev-a",), "dev-b")
    assert issue.status.category is StatusCategory.BACKLOG
    assert {person.id: person.name for _, person in found.people} == {"dev-a": "Person A", "dev-b": "dev-b"}


def test_number_and_title_are_enough() -> None:
    issue = only(read('[{"number": 12, "title": "x"}]'))

    assert (issue.id, issue.key) == ("#12", "#12")
    assert issue.status.category is StatusCategory.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        ("COMPLETED", StatusCategory.DONE),
        ("", StatusCategory.DONE),
        (None, StatusCategory.DONE),
        ("NOT_PLANNED", StatusCategory.CANCELLED),
        ("DUPLICATE", StatusCategory.CANCELLED),
    ],
)
def test_a_closed_issue_is_done_unless_its_reason_says_otherwise(reason: str | None, category: StatusCategory) -> None:
    issue = only(read_one(state="CLOSED", stateReason=reason, closedAt="2026-03-05T09:00:00Z"))

    assert issue.status.category is category
    assert [(step.at, step.after.category) for step in issue.transitions] == [
        (datetime(2026, 3, 5, 9, tzinfo=UTC), category)
    ]


def test_a_reopened_issue_is_open_and_has_no_resolution() -> None:
    issue = only(read_one(stateReason="REOPENED"))

    assert (issue.status.category, issue.resolution) == (StatusCategory.BACKLOG, None)


def test_comments_keep_their_author_and_bots_are_marked() -> None:
    issue = only(
        read_one(
            comments=[
                {
                    "id": "C2",
                    "author": {"login": "github-actions[bot]"},
                    "body": "stale",
                    "createdAt": "2026-03-04T09:00:00Z",
                },
                {
                    "id": "C1",
                    "author": {"login": "dev-a"},
                    "body": "Done when ...",
                    "createdAt": "2026-03-03T09:00:00Z",
                },
                {"id": "C3", "author": None, "body": "gone", "createdAt": "2026-03-05T09:00:00Z"},
            ]
        )
    )

    assert [(comment.id, comment.author, comment.is_bot) for comment in issue.comments] == [
        ("C1", "dev-a", False),
        ("C2", "github-actions[bot]", True),
        ("C3", None, False),
    ]


def test_the_issue_type_goes_before_the_labels() -> None:
    issue = only(read_one(issueType={"id": "IT_1", "name": "Feature"}, labels=[{"name": "bug"}]))

    assert (issue.type, issue.type_name) == (IssueType.STORY, "Feature")


def test_a_board_status_counts_once_a_person_has_mapped_it() -> None:
    board = [{"status": {"optionId": "1", "name": "Doing"}, "title": "Roadmap"}]
    text = json.dumps([{**PLAIN, "projectItems": board}])

    assert only(read(text)).status.name == "open"
    assert only(read(text, statuses={"Doing": StatusCategory.ACTIVE})).status.category is StatusCategory.ACTIVE


def test_pull_requests_that_close_the_issue_are_links() -> None:
    address = "https://github.com/acme/web/pull/13"

    (link,) = only(read_one(closedByPullRequestsReferences=[{"number": 13, "url": address}])).links

    assert (link.kind, link.target) == (LinkKind.PULL_REQUEST, address)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": None}, "number"),
        ({"number": "12"}, "number"),
        ({"title": None}, "title"),
        ({"state": "LOCKED"}, "state"),
        ({"labels": "bug"}, "labels"),
        ({"labels": ["bug"]}, "labels[0]"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"comments": [{"id": "C1", "body": "x"}]}, "comments[0].createdAt"),
    ],
)
def test_a_wrong_value_is_reported_with_its_field(wrong: dict[str, Any], field: str) -> None:
    found = read_one(**wrong)

    assert [row.field for row in found.rejected] == [field]


def test_people_belong_to_the_source_of_their_issue() -> None:
    found = read(json.dumps([{**PLAIN, "author": {"login": "dev-a"}}]), source="upload")

    assert [(source, person.id) for source, person in found.people] == [("upload", "dev-a")]
