"""Recorded Jira answers and what another program made of them: our mapping has to agree, or to say why not."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from backlint.connectors.jira.mapping import issue_from
from backlint.connectors.jira.payloads import Category, FieldInfo, FieldSchema, Record, Status, Type
from backlint.connectors.jira.site import Site, field_ids, priority_ranks, status_facts
from backlint.connectors.jira.values import sprint_from
from backlint.model import Issue, IssueType, StatusCategory
from backlint.status import StatusMap

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "devlake"
JIRA, TRACE = CORPUS / "jira", CORPUS / "issue_trace"
pytestmark = pytest.mark.skipif(not JIRA.is_dir(), reason="the folder ../shared/corpus/devlake/jira is missing")
csv.field_size_limit(10**9)

PARAMS = '{"ConnectionId":2,"BoardId":8}'
STANDARD = {
    StatusCategory.BACKLOG: "TODO",
    StatusCategory.ACTIVE: "IN_PROGRESS",
    StatusCategory.DONE: "DONE",
    StatusCategory.CANCELLED: "DONE",  # a done status whose resolution says that nothing was done
    StatusCategory.UNKNOWN: "",
}
# Their type -> ours. They upper-case the type's name as it is shown; we read the untranslated name and the hierarchy.
TYPES = {"故事": IssueType.STORY, "TASK": IssueType.TASK, "SUB-TASK": IssueType.SUBTASK}
# Statuses that their test configuration renames for one type; the class behind them is the status's own.
RENAMED = {
    "你好世界": "DONE",
    "hello world": "DONE",
    "恩底滴梯欸夫典亢姆": "TODO",
    "110 100 100 116 102 46 99 111 109": "TODO",
}
# Issues whose category differs, each with the reason.
OTHER_CATEGORY = dict.fromkeys(
    ("10063", "10072", "10097", "10098"),
    "the payload carries class `new` inside status 10068, which the recorded status list says is done; a status has "
    "one category here, looked up by its id in the list",
)
# Labels that only we have, each with the reason.
OTHER_LABELS = dict.fromkeys(
    (("10063", "Saas"), ("10063", "frontEnd")), "the payload names both; their table has no row for this issue"
)
# Changes that only we have, each with the reason.
SECOND_ITEM = (
    "one history holds two items of the field Fix Version (a version removed, another added); they keep one row for a "
    "history and a field, so the second item replaced the first"
)
# Fields whose printed value differs, each with the reason.
OTHER_VALUE = {
    "assignee": "they keep ids of their own tables around the account id",
    "Sprint": "they keep ids of their own tables around the sprint ids; compared by sprint id below",
    "Parent": "the raw side names the parent by id, which lasts; they print its key",
    "Epic Link": "the raw side names the epic by id, which lasts; they print its key",
}
# Spans of issues for which this part of the corpus has no payload.
WITHOUT_PAYLOAD = {
    "jira:JiraIssue:2:10100": "its recorded payload is not in this part of the corpus",
    "tapd:TapdStory:2:1149308060001017333": "a story of another tracker",
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def payloads(name: str) -> list[dict[str, Any]]:
    return [json.loads(row["data"]) for row in rows(JIRA / name)]


@cache
def site() -> Site:
    fields = [
        FieldInfo("customfield_10020", "Sprint", True, FieldSchema("array", "com.pyxis.greenhopper.jira:gh-sprint")),
        FieldInfo("customfield_10024", "Story Points", True, FieldSchema("number", POINTS)),
    ]
    types = msgspec.convert(payloads("raw_issue_types.csv"), list[Type])
    return Site(
        source="corpus",
        url="https://merico.atlassian.net",
        is_cloud=True,
        fields=field_ids(fields, {}),
        priorities=priority_ranks(["1", "2", "3", "4", "5"]),
        type_names={each.id: each.untranslated_name or each.name for each in types},
    )


POINTS = "com.atlassian.jira.plugin.system.customfieldtypes:float"


@cache
def statuses() -> StatusMap:
    return StatusMap(status_facts(msgspec.convert(payloads("raw_status.csv"), list[Status])))


@cache
def statuses_of_the_changelog_test() -> StatusMap:
    """Their changelog test knows fewer statuses: those of connection 2."""
    listed = [
        Status(row["id"], row["name"], Category(row["status_category"]))
        for row in rows(JIRA / "statuses_for_changelog.csv")
        if row["connection_id"] == "2"
    ]
    return StatusMap(status_facts(listed))


@cache
def issues() -> dict[str, Issue]:
    found = [
        issue_from(Record(issue=Raw(row["data"].encode())), site())
        for row in rows(JIRA / "raw_issues.csv")
        if row["params"] == PARAMS
    ]
    return {issue.id: issue for issue in found}


def tail(id: str) -> str:
    return id.rsplit(":", 1)[-1]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_recorded_issue_is_read_whatever_board_it_is_of() -> None:
    for row in rows(JIRA / "raw_issues.csv"):
        assert issue_from(Record(issue=Raw(row["data"].encode())), site()).title


def test_key_title_times_priority_parent_and_points_agree() -> None:
    expected = {tail(row["id"]): row for row in rows(JIRA / "expected_issues.csv")}

    assert set(issues()) == set(expected)
    for id, row in expected.items():
        issue = issues()[id]
        assert (issue.key, issue.title, issue.url) == (row["issue_key"], row["title"], row["url"])
        assert (issue.created_at, issue.updated_at) == (at(row["created_date"]), at(row["updated_date"]))
        assert issue.priority == {"Highest": 1, "High": 2, "Medium": 3, "Low": 4, "Lowest": 4}[row["priority"]]
        assert (issue.parent or "") == (tail(row["parent_issue_id"]) if row["parent_issue_id"] else "")


def test_points_agree_and_a_missing_one_stays_missing() -> None:
    """They print 0 for no points at all, which would be an estimate here."""
    raw = {each["id"]: each["fields"].get("customfield_10024") for each in payloads("raw_issues.csv")}
    for row in rows(JIRA / "expected_issues.csv"):
        issue = issues()[tail(row["id"])]
        if raw[issue.id] is None:
            assert issue.estimate_unit != "points" or issue.estimate is None
        else:
            assert issue.estimate == float(row["story_point"])


def test_types_agree() -> None:
    for row in rows(JIRA / "expected_issues.csv"):
        assert issues()[tail(row["id"])].type is TYPES[row["type"]]


def test_status_categories_agree_but_for_the_explained_ones() -> None:
    differing = set()
    for row in rows(JIRA / "expected_issues.csv"):
        issue = statuses().apply(issues()[tail(row["id"])])
        if STANDARD[issue.status.category] != RENAMED.get(row["status"], row["status"]):
            differing.add(issue.id)

    assert differing == set(OTHER_CATEGORY)


def test_the_status_list_agrees() -> None:
    facts = {fact.id: fact for fact in status_facts(msgspec.convert(payloads("raw_status.csv"), list[Status]))}
    by_key = {"new": StatusCategory.BACKLOG, "indeterminate": StatusCategory.ACTIVE, "done": StatusCategory.DONE}
    for row in rows(JIRA / "expected_statuses.csv"):
        assert facts[row["id"]].name == row["name"]
        assert facts[row["id"]].default is by_key[row["status_category"]]


def test_labels_and_assignees_agree() -> None:
    labels = Counter((tail(row["issue_id"]), row["label_name"]) for row in rows(JIRA / "expected_issue_labels.csv"))
    ours = Counter((issue.id, label) for issue in issues().values() for label in issue.labels)
    assert ours - labels == Counter(OTHER_LABELS.keys())
    assert labels - ours == Counter()
    for row in rows(JIRA / "expected_issue_assignees.csv"):
        assert issues()[tail(row["issue_id"])].assignees == (tail(row["assignee_id"]),)


def test_every_change_of_status_agrees_in_time_name_and_class() -> None:
    expected = Counter(
        (tail(row["issue_id"]), at(row["created_date"]), row["original_from_value"], row["original_to_value"],
         row["from_value"], row["to_value"])
        for row in rows(JIRA / "expected_issue_changelogs.csv")
        if row["field_name"] == "status"
    )  # fmt: skip
    ours = Counter(
        (issue.id, step.at, step.before.name, step.after.name, STANDARD[step.before.category],
         STANDARD[step.after.category])
        for issue in map(statuses_of_the_changelog_test().apply, issues().values())
        for step in issue.transitions
    )  # fmt: skip

    assert ours == expected


def test_every_other_change_agrees_in_time_field_and_value() -> None:
    expected = Counter(
        (tail(row["issue_id"]), at(row["created_date"]), *_their_values(row))
        for row in rows(JIRA / "expected_issue_changelogs.csv")
        if row["field_name"] != "status"
    )
    ours = Counter(
        (issue.id, each.at, each.before, each.after) for issue in issues().values() for each in issue.changes
    )

    assert {entry for entry in expected - ours if entry[2:] != _EXPLAINED} == set()
    assert sum(ours.values()) - sum(expected.values()) == len(second_items())


def second_items() -> list[str]:
    """Histories with two items of one field: SECOND_ITEM says why they count once on the other side."""
    found = []
    for row in rows(JIRA / "raw_issues.csv"):
        if row["params"] == PARAMS:
            for history in json.loads(row["data"])["changelog"]["histories"]:
                counts = Counter(item["field"] for item in history["items"])
                found += [history["id"] for field, count in counts.items() if (field, count) == ("Fix Version", 2)]
                assert all(count == 1 for field, count in counts.items() if field != "Fix Version"), SECOND_ITEM
    return found


_EXPLAINED = ("explained", "explained")


def _their_values(row: dict[str, str]) -> tuple[str | None, str | None]:
    if row["field_name"] in OTHER_VALUE:
        return _EXPLAINED
    return row["original_from_value"] or None, row["original_to_value"] or None


def test_assignees_of_the_history_agree() -> None:
    expected = Counter(
        (tail(row["issue_id"]), at(row["created_date"]), tail(row["original_to_value"]) or None)
        for row in rows(JIRA / "expected_issue_changelogs.csv")
        if row["field_name"] == "assignee"
    )
    ours = Counter(
        (issue.id, each.at, each.after)
        for issue in issues().values()
        for each in issue.changes
        if each.field == "assignee"
    )

    assert ours == expected


def test_sprint_memberships_agree() -> None:
    expected = {(row["sprint_id"], row["issue_id"]) for row in rows(JIRA / "expected_sprint_issues.csv")}
    ours = {
        (each.sprint.id, issue.id) for issue in issues().values() for each in issue.sprints if each.removed_at is None
    }

    assert ours == expected


def test_the_start_of_a_membership_is_the_change_that_made_it() -> None:
    expected = {
        (tail(row["issue_id"]), tail(sprint)): at(row["created_date"])
        for row in rows(JIRA / "expected_issue_changelogs.csv")
        if row["field_name"] == "Sprint"
        for sprint in set(row["original_to_value"].split(",")) - set(row["original_from_value"].split(",")) - {""}
    }
    assert expected
    ours = {(issue.id, each.sprint.id): each.added_at for issue in issues().values() for each in issue.sprints}
    assert {pair: ours[pair] for pair in expected} == expected


def test_sprints_agree() -> None:
    sprints = {each["id"]: sprint_from(each) for each in payloads("raw_sprints.csv")}
    for row in rows(JIRA / "expected_sprints.csv"):
        sprint = sprints[int(tail(row["id"]))]
        assert sprint is not None
        assert (sprint.name, sprint.state) == (row["name"], row["status"].casefold())
        for ours, theirs in ((sprint.starts_at, "started_date"), (sprint.ends_at, "ended_date")):
            assert ours == (at(row[theirs]) if row[theirs] else None)
        assert sprint.completed_at == (at(row["completed_date"]) if row["completed_date"] else None)


def test_status_spans_agree() -> None:
    """By the names that the history prints; a status may be called otherwise today."""
    expected = Counter(
        (tail(row["issue_id"]), row["original_status"], at(row["start_date"]))
        for row in rows(TRACE / "expected_issue_status_history.csv")
        if row["issue_id"] not in WITHOUT_PAYLOAD
    )
    ours: Counter[tuple[str, str, datetime]] = Counter()
    for issue in issues().values():
        assert issue.created_at is not None
        first = issue.transitions[0].before if issue.transitions else issue.status
        spans = [(issue.created_at, first), *((step.at, step.after) for step in issue.transitions)]
        ours.update((issue.id, status.name, start) for start, status in spans)

    assert ours == expected
