"""Recorded GitHub issues and what another program made of them: our mapping has to agree, or to say why not."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backlint.connectors.github.mapping import Reading, envelope, issue_from
from backlint.model import Issue, IssueType, StatusCategory

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "devlake" / "github"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder ../shared/corpus/devlake/github is missing")
csv.field_size_limit(10**9)

READING = Reading(source="gh", now=datetime(2026, 1, 1, tzinfo=UTC))
REPOSITORY = "panjf2000/ants"
STANDARD = {StatusCategory.BACKLOG: "TODO", StatusCategory.DONE: "DONE", StatusCategory.CANCELLED: "DONE"}
TYPES = {"BUG": IssueType.BUG, "REQUIREMENT": IssueType.STORY}
# Issues whose type differs, each with the reason.
OTHER_TYPES = dict.fromkeys(
    ("381941219", "402513849", "433564955", "434069015"),
    "labelled `enhancement`, GitHub's own label for a feature: a story here; their patterns know feat, feature, "
    "proposal and requirement only",
)

Row = dict[str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    with (CORPUS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def raw(name: str) -> list[dict[str, Any]]:
    return [json.loads(row["data"]) for row in rows(name) if "panjf2000/ants" in row["params"]]


def actor(user: dict[str, Any] | None) -> dict[str, Any] | None:
    return user and {"__typename": user["type"], "login": user["login"], "databaseId": user["id"]}


def event(found: dict[str, Any]) -> dict[str, Any] | None:
    """A recorded REST event as GraphQL names it; other kinds say nothing about an issue's state."""
    names = {"closed": "ClosedEvent", "reopened": "ReopenedEvent", "labeled": "LabeledEvent",
             "unlabeled": "UnlabeledEvent"}  # fmt: skip
    if found["event"] not in names:
        return None
    reason = found.get("state_reason")
    return {
        "__typename": names[found["event"]],
        "createdAt": found["created_at"],
        "actor": actor(found["actor"]),
        "stateReason": reason.upper() if reason else None,
        "label": {"name": found["label"]["name"]} if "label" in found else None,
    }


def node(found: dict[str, Any]) -> dict[str, Any]:
    """A recorded REST issue as the GraphQL node that the connector asks for: the same facts under other names."""
    comments = [each for each in raw("raw_comments") if each["issue_url"] == found["url"]]
    events = [each for each in raw("raw_events") if each["issue"]["id"] == found["id"]]
    reason, milestone = found.get("state_reason"), found["milestone"]
    return {
        "id": found["node_id"], "databaseId": found["id"], "number": found["number"], "title": found["title"],
        "body": found["body"], "state": found["state"].upper(), "stateReason": reason.upper() if reason else None,
        "url": found["html_url"], "locked": found["locked"], "createdAt": found["created_at"],
        "updatedAt": found["updated_at"], "closedAt": found["closed_at"], "author": actor(found["user"]),
        "assignees": {"nodes": [actor(each) for each in found["assignees"]]},
        "labels": {"nodes": [{"name": each["name"]} for each in found["labels"]]},
        "milestone": milestone and {"title": milestone["title"], "dueOn": milestone["due_on"]},
        "comments": {"nodes": [
            {"databaseId": each["id"], "body": each["body"] or "", "createdAt": each["created_at"],
             "author": actor(each["user"])} for each in sorted(comments, key=lambda each: each["id"])
        ]},
        "timelineItems": {"nodes": [event(each) for each in sorted(events, key=lambda each: each["created_at"])]},
    }  # fmt: skip


@cache
def mapped() -> dict[str, Issue]:
    """By database id; what GitHub lists as an issue and is a pull request is never asked for by GraphQL."""
    found = {}
    for each in raw("raw_issues"):
        if "pull_request" not in each and each.get("id"):
            stored = envelope(REPOSITORY, is_archived=False, issue=json.dumps(node(each)).encode(), board=None)
            found[str(each["id"])] = issue_from(stored, READING)
    return found


def expected(name: str) -> dict[str, Row]:
    return {row["id"].rpartition(":")[2]: row for row in rows(name)}


def test_the_same_rows_are_issues() -> None:
    assert set(mapped()) == set(expected("expected_issues"))
    assert len(mapped()) == 16


def test_status_agrees() -> None:
    theirs = {id: row["status"] for id, row in expected("expected_issues").items()}

    assert {id: STANDARD[issue.status.category] for id, issue in mapped().items()} == theirs


def test_lead_time_in_whole_minutes_agrees() -> None:
    """From creation to the closing that the history of the issue ends with."""
    theirs = {id: row["lead_time_minutes"] for id, row in expected("expected_issues").items()}

    ours = {}
    for id, issue in mapped().items():
        assert issue.created_at is not None
        closed = [step.at for step in issue.transitions if not step.after.category.is_open]
        ours[id] = str(int((closed[-1] - issue.created_at).total_seconds()) // 60) if closed else ""
    assert ours == theirs


def test_type_agrees() -> None:
    """They read a type from two patterns of labels; everything else has none, which is a task here."""
    for id, row in expected("expected_issues").items():
        issue = mapped()[id]
        if row["type"] in TYPES:
            assert issue.type is TYPES[row["type"]], issue.key
        else:
            assert (issue.type is not IssueType.TASK) == (id in OTHER_TYPES), (issue.key, issue.type_name)


def test_labels_author_and_milestone_agree() -> None:
    labels: dict[str, set[str]] = {}
    for row in rows("expected_issue_labels"):
        labels.setdefault(row["issue_id"].rpartition(":")[2], set()).add(row["label_name"])
    in_milestone = {row["issue_id"].rpartition(":")[2] for row in rows("expected_milestone_issues")}

    for id, issue in mapped().items():
        assert issue.labels == labels.get(id, set())
        assert issue.reporter == expected("expected_issues")[id]["creator_id"].rpartition(":")[2]
        assert ("milestone" in issue.fields) == (id in in_milestone)


def test_comments_agree() -> None:
    theirs: dict[str, list[tuple[str, str]]] = {}
    for row in rows("expected_issue_comments"):
        comment = row["id"].rpartition(":")[2], row["account_id"].rpartition(":")[2]
        theirs.setdefault(row["issue_id"].rpartition(":")[2], []).append(comment)

    for id, issue in mapped().items():
        assert sorted((c.id, c.author or "") for c in issue.comments) == sorted(theirs.get(id, [])), issue.key
