"""One payload for each part of an issue."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from backlint.connectors.github.mapping import HIDDEN_MARKER
from backlint.errors import MalformedPayload
from backlint.model import IssueType, Link, LinkKind
from tests.connectors.github.payloads import (
    at,
    board,
    closed,
    comment,
    day,
    event,
    item,
    labels,
    node,
    option,
    person,
    pull_request,
    read,
    value,
)


def test_the_identity_is_the_long_database_id_and_the_key_is_the_number() -> None:
    issue = read(node())

    assert (issue.id, issue.key, issue.project) == ("4100000001", "sandbox-org/shop#12", "sandbox-org/shop")


def test_a_server_without_long_ids_gives_the_short_one() -> None:
    assert read(node(databaseId=4711, fullDatabaseId=None)).id == "4711"


def test_a_renamed_repository_leaves_its_former_key_as_an_alias() -> None:
    assert read(node(), former_repository="sandbox-org/store").aliases == ("sandbox-org/store#12",)


@pytest.mark.parametrize("missing", ["title", "createdAt", "state", "number", "url"])
def test_a_missing_part_is_named_with_its_issue_and_path(missing: str) -> None:
    raw = node()
    del raw[missing]

    with pytest.raises(MalformedPayload, match=missing) as found:
        read(raw)
    assert found.value.issue == ("sandbox-org/shop#?" if missing == "number" else "sandbox-org/shop#12")


def test_a_wrong_type_deep_inside_is_named_by_its_path() -> None:
    with pytest.raises(MalformedPayload) as found:
        read(node(comments=(comment(1, "fine"), {**comment(2, "x"), "createdAt": "yesterday"})))
    assert found.value.path == "$.comments.nodes[1].createdAt"


def test_an_issue_without_any_id_cannot_be_read() -> None:
    with pytest.raises(MalformedPayload, match="database id"):
        read(node(databaseId=None, fullDatabaseId=None))


def test_an_event_without_its_time_cannot_be_read() -> None:
    with pytest.raises(MalformedPayload, match="createdAt"):
        read(node({"__typename": "ClosedEvent", "createdAt": None}))


def test_kinds_of_events_that_nobody_asked_for_are_no_error() -> None:
    issue = read(node({"__typename": "AlienEvent"}, event("PinnedEvent", 3), None))  # type: ignore[arg-type]

    assert (issue.transitions, issue.changes) == ((), ())


def test_deleted_accounts_leave_no_author() -> None:
    issue = read(node(closed(20, actor=None), comments=(comment(5, "hi") | {"author": None},), author=None))

    assert (issue.reporter, issue.comments[0].author) == (None, None)


@pytest.mark.parametrize(
    ("names", "type", "shown"),
    [
        (("bug",), IssueType.BUG, "bug"), (("kind/bug", "area/api"), IssueType.BUG, "kind/bug"),
        (("Type: Feature",), IssueType.STORY, "Type: Feature"), (("enhancement",), IssueType.STORY, "enhancement"),
        (("🐛 bug",), IssueType.BUG, "🐛 bug"), (("spike",), IssueType.SPIKE, "spike"),
        (("epic",), IssueType.EPIC, "epic"),
        (("debugging", "good first issue"), IssueType.TASK, None), ((), IssueType.TASK, None),
    ],
)  # fmt: skip
def test_labels_tell_the_type(names: tuple[str, ...], type: IssueType, shown: str | None) -> None:
    issue = read(node(labels=labels(*names)))

    assert (issue.type, issue.type_name) == (type, shown)


def test_the_issue_type_wins_over_labels_and_the_settings_over_both() -> None:
    raw = node(labels=labels("bug"), issueType={"name": "Feature"})

    assert (read(raw).type, read(raw).type_name) == (IssueType.STORY, "Feature")
    assert read(raw, types={"feature": IssueType.EPIC}).type is IssueType.EPIC
    assert read(node(labels=labels("Chapter")), types={"chapter": IssueType.EPIC}).type is IssueType.EPIC


def test_an_issue_type_that_nobody_mapped_is_a_task_by_that_name() -> None:
    issue = read(node(labels=labels("bug"), issueType={"name": "Moonshot"}))

    assert (issue.type, issue.type_name) == (IssueType.TASK, "Moonshot")


@pytest.mark.parametrize(
    ("names", "level"),
    [
        (("P1",), 1), (("p0",), 1), (("priority: high",), 2), (("priority/low",), 4), (("prio-medium",), 3),
        (("P3", "P2"), 2), (("high",), None), (("P10",), None), (("priority: someday",), None), ((), None),
    ],
)  # fmt: skip
def test_only_labels_that_can_mean_nothing_else_are_priorities(names: tuple[str, ...], level: int | None) -> None:
    assert read(node(labels=labels(*names))).priority == level


def test_the_board_s_fields_are_read_by_their_usual_names() -> None:
    card = item(
        option("In Progress"),
        option("🔥 Urgent", field="Priority"),
        value("Estimate", number=5.0),
        value("Due date", date="2026-04-01"),
        value("Notes", text="whatever"),
    )

    issue = read(node(), board(items=(card,)))

    assert (issue.priority, issue.estimate, issue.due_on) == (1, 5.0, date(2026, 4, 1))
    assert "Notes" not in issue.fields


def test_mapped_fields_are_read_from_the_board_by_name() -> None:
    card = item(
        value("Size", number=8.0), value("Acceptance", text="Total is right"), value("Look again", date="2026-05-01")
    )

    issue = read(
        node(),
        board(items=(card,)),
        fields={"estimate": "size", "acceptance_criteria": "Acceptance", "review_on": "Look again"},
    )

    assert (issue.estimate, issue.review_on) == (8.0, date(2026, 5, 1))
    assert issue.fields["acceptance_criteria"] == "Total is right"


def test_a_milestone_is_no_due_date_but_keeps_its_own() -> None:
    issue = read(node(milestone={"title": "v2", "dueOn": "2026-03-31T07:00:00Z"}))

    assert issue.due_on is None
    assert issue.fields == {"milestone": "v2", "milestone_due_on": "2026-03-31"}


@pytest.mark.parametrize(
    ("start", "state"), [("2026-01-05", "closed"), ("2026-02-23", "active"), ("2026-03-09", "future")]
)
def test_the_iteration_is_a_sprint(start: str, state: str) -> None:
    card = item(
        value("Iteration", title="Sprint 4", iterationId="a1b2", startDate=start, duration=14, updatedAt=day(16))
    )

    (membership,) = read(node(), board(items=(card,))).sprints

    assert (membership.sprint.id, membership.sprint.name, membership.sprint.state) == ("a1b2", "Sprint 4", state)
    assert membership.sprint.starts_at == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert membership.added_at == at(16)


def issue_ref(number: int, id: str | None = None) -> dict[str, Any]:
    return {
        "number": number,
        "fullDatabaseId": id,
        "databaseId": None,
        "repository": {"nameWithOwner": "sandbox-org/api"},
    }


def test_relations_have_direction_and_the_parent_is_an_id() -> None:
    raw = node(
        event("BlockedByAddedEvent", 4, blockingIssue=issue_ref(3, "33")),
        event("MarkedAsDuplicateEvent", 5, canonical=issue_ref(9)),
        event("MarkedAsDuplicateEvent", 6, canonical=issue_ref(8, "88")),
        event("UnmarkedAsDuplicateEvent", 7, canonical=issue_ref(8, "88")),
        parent=issue_ref(2, "22"),
        blockedBy={"nodes": [issue_ref(3, "33")]},
        blocking={"nodes": [issue_ref(4, "44"), None]},
    )

    issue = read(raw)

    assert issue.parent == "22"
    assert issue.links == (
        Link(LinkKind.BLOCKED_BY, "33", at(4)),
        Link(LinkKind.BLOCKS, "44"),
        Link(LinkKind.DUPLICATES, "sandbox-org/api#9", at(5)),
    )


def test_pull_requests_that_close_the_issue_are_linked_with_the_time_they_were_opened() -> None:
    raw = node(
        event("CrossReferencedEvent", 8, willCloseTarget=True, source=pull_request(40, on=6)),
        event("CrossReferencedEvent", 9, willCloseTarget=False, source=pull_request(41, on=2)),
        event("CrossReferencedEvent", 9, willCloseTarget=True, source={"__typename": "Issue"}),
        event("ConnectedEvent", 10, source={"__typename": "Issue"}, subject=pull_request(42, on=5)),
        event("ConnectedEvent", 11, source=pull_request(43, on=1), subject={"__typename": "Issue"}),
        event("DisconnectedEvent", 12, source=pull_request(43, on=1), subject={"__typename": "Issue"}),
        closed(20) | {"closer": pull_request(44, on=12)},
        state="CLOSED",
        stateReason="COMPLETED",
        closedAt=day(20),
    )

    issue = read(raw)

    found = [(link.target.rpartition("/")[2], link.at) for link in issue.links if link.kind is LinkKind.PULL_REQUEST]
    assert found == [("42", at(5)), ("40", at(6)), ("44", at(12))]


def test_other_changes_keep_who_and_when() -> None:
    raw = node(
        event("LabeledEvent", 2, label={"name": "in progress"}),
        event("UnlabeledEvent", 3, label={"name": "in progress"}),
        event("AssignedEvent", 4, assignee={"__typename": "User", "login": "dorvi"}),
        event("RenamedTitleEvent", 5, previousTitle="Old", currentTitle="New"),
        event("MilestonedEvent", 6, milestoneTitle="v2"),
        event("ParentIssueAddedEvent", 7, parent=issue_ref(2, "22")),
        event("IssueTypeChangedEvent", 8, prevIssueType={"name": "Task"}, issueType={"name": "Bug"}),
        lastEditedAt=day(9),
        editor=person(502, "dorvi"),
    )

    changes = read(raw).changes

    assert [(c.at.day, c.field, c.before, c.after) for c in changes] == [
        (2, "labels", None, "in progress"), (3, "labels", "in progress", None), (4, "assignee", None, "dorvi"),
        (5, "title", "Old", "New"), (6, "milestone", None, "v2"), (7, "parent", None, "22"), (8, "type", "Task", "Bug"),
        (9, "body", None, None),
    ]  # fmt: skip
    assert [c.actor for c in changes] == ["501"] * 7 + ["502"]
    assert not any(c.is_bot for c in changes)


def test_bots_and_our_own_labels_are_no_activity_of_people() -> None:
    robot = {"actor": person(77, "release-robot", "Bot")}
    raw = node(
        event("LabeledEvent", 2, label={"name": "released"}) | robot,
        event("LabeledEvent", 3, label={"name": "hygiene:needs-owner"}),
        event("RenamedTitleEvent", 4, previousTitle="Old", currentTitle="New"),
    )

    changes = read(raw, own_account="501").changes

    assert [change.is_bot for change in changes] == [True, True, False]


def test_a_comment_is_ours_by_marker_and_author_together() -> None:
    raw = node(
        comments=(
            comment(1, f"{HIDDEN_MARKER}\nTwo questions", person(900, "hygiene-bot")),
            comment(2, f"> {HIDDEN_MARKER}\n> Two questions", person(501, "cilo")),
            comment(3, "No marker", person(900, "hygiene-bot")),
            comment(4, "Deployed", person(77, "release-robot", "Bot")),
        )
    )

    comments = read(raw, own_account="900").comments

    assert [c.is_own for c in comments] == [True, False, False, False]
    assert [c.is_bot for c in comments] == [False, False, False, True]
    assert not any(c.is_own for c in read(raw).comments)


def test_an_unfinished_history_says_so() -> None:
    page = {"hasNextPage": True, "endCursor": "x"}

    assert not read(node() | {"timelineItems": {"nodes": [], "pageInfo": page}}).history_is_complete
    assert not read(node() | {"comments": {"nodes": [], "pageInfo": page}}).history_is_complete
    assert read(node()).history_is_complete
