"""From Jira's payloads to the domain: what each shape means, and what is said about a broken one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec import Raw

from backlint.connectors.jira.mapping import issue_from, mapped
from backlint.connectors.jira.payloads import Category, Record, Status, Type
from backlint.connectors.jira.site import issue_type, priority_ranks, status_facts
from backlint.connectors.jira.values import LAST_LINE, moment
from backlint.errors import MalformedPayload
from backlint.model import IssueType, Link, LinkKind, Markup, Sprint, StatusCategory
from tests.connectors.jira.payload import ANN, BOT, ME, a_history, a_payload, a_record, a_site, adf, an_item, read

SERVER = a_site(is_cloud=False)


# -- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["2026-03-01T10:15:30.500+0000", "2026-03-01T02:15:30.500-0800", 1772360130500, "1772360130500"],
)
def test_times_come_as_text_in_any_zone_and_as_milliseconds(value: str | int) -> None:
    assert moment(value) == datetime(2026, 3, 1, 10, 15, 30, 500_000, tzinfo=UTC)


def test_a_small_number_is_seconds() -> None:
    assert moment(1492070429) == datetime(2017, 4, 13, 8, 0, 29, tzinfo=UTC)


# -- the issue -------------------------------------------------------------------------------------------------------


def test_an_ordinary_issue() -> None:
    issue = read(
        a_payload(
            description=adf("Some text"), priority={"id": "2", "name": "High"}, labels=["billing"], assignee=ANN,
            reporter=ANN, duedate="2026-04-01", parent={"id": "10900", "key": "EX-90"}, customfield_1=5.0,
            customfield_5="0|i000b:", resolution={"name": "Done"}, customfield_7={"id": "t1", "name": "Payments"},
        )
    )  # fmt: skip

    assert (issue.id, issue.key, issue.project, issue.title) == ("10001", "EX-1", "EX", "Export invoices")
    assert issue.url == "https://acme.example.test/browse/EX-1"
    assert issue.created_at == datetime(2026, 3, 1, 9, 15, 30, 123_000, tzinfo=UTC)
    assert (issue.type, issue.type_name, issue.status.id) == (IssueType.STORY, "Story", "3")
    assert (issue.priority, issue.labels, issue.assignees, issue.reporter) == (
        2,
        {"billing"},
        ("5b10:ann",),
        "5b10:ann",
    )
    assert (issue.due_on, issue.parent, issue.estimate, issue.estimate_unit) == (
        date(2026, 4, 1),
        "10900",
        5.0,
        "points",
    )
    assert (issue.rank, issue.resolution, issue.team) == ("0|i000b:", "Done", "Payments")


def test_a_document_is_kept_as_json_text_whatever_the_order_of_its_keys() -> None:
    one = read(a_payload(description={"version": 1, "type": "doc", "content": adf("A")["content"]}))
    other = read(a_payload(description={"content": adf("A")["content"], "type": "doc", "version": 1}))

    assert one.markup is Markup.ADF
    assert json.loads(one.body)["type"] == "doc"
    assert one.body == other.body


@pytest.mark.parametrize("description", [None, adf(), {"version": 1, "type": "doc", "content": []}])
def test_an_emptied_document_is_no_text(description: Any) -> None:
    assert read(a_payload(description=description)).body == ""


def test_a_document_of_a_picture_alone_is_a_text() -> None:
    picture = {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "1", "type": "file"}}]}
    assert read(a_payload(description={"version": 1, "type": "doc", "content": [picture]})).body


def test_data_center_sends_wiki_markup() -> None:
    issue = read(a_payload(description="h2. Goal\n* one"), SERVER)

    assert (issue.body, issue.markup) == ("h2. Goal\n* one", Markup.WIKI)


def test_the_character_nul_is_left_out_everywhere() -> None:
    """PostgreSQL cannot store it."""
    payload = a_payload(
        [a_history("1", "2026-03-01T10:15:30.123+0100", an_item("summary", (None, "a\0b"), (None, "c")))],
        summary="Pasted\0 title",
    )
    made = mapped(a_record(payload), a_site())

    assert made.issue.title == "Pasted title"
    assert made.issue.changes[0].before == "ab"
    assert b"u0000" not in made.raw


def test_bytes_of_no_character_do_not_make_an_issue_unreadable() -> None:
    text = json.dumps(a_payload(description="caf?")).replace("caf?", "caf\udcff").encode("utf-8", "surrogateescape")

    assert issue_from(Record(issue=Raw(text)), SERVER).body == "caf\ufffd"


def test_hours_count_where_there_are_no_points() -> None:
    issue = read(a_payload(timeoriginalestimate=28800))

    assert (issue.estimate, issue.estimate_unit) == (8.0, "hours")


def test_the_first_point_field_with_a_value_counts() -> None:
    assert read(a_payload(customfield_1=None, customfield_2=3)).estimate == 3.0
    assert read(a_payload(customfield_1=0, customfield_2=3)).estimate == 0.0


def test_points_may_come_as_text() -> None:
    assert read(a_payload(customfield_2="0.5")).estimate == 0.5


def test_data_center_names_an_epic_by_key_until_its_id_is_known() -> None:
    payload = a_payload(customfield_4="EX-90")

    assert read(payload, SERVER).parent == "EX-90"
    assert read(payload, SERVER, epic="10900").parent == "10900"


def test_flag_team_and_criteria_are_found_without_settings() -> None:
    issue = read(a_payload(customfield_6=[{"value": "Impediment"}], customfield_8=adf("It works", "It is fast")))

    assert issue.fields["flagged"] is True
    assert issue.fields["acceptance_criteria"] == "It works\nIt is fast"


def test_lists_in_a_field_keep_their_items_and_boxes() -> None:
    tasks = [
        {"type": "taskItem", "attrs": {"state": state}, "content": [{"type": "text", "text": text}]}
        for state, text in (("DONE", "works offline"), ("TODO", "syncs later"))
    ]
    document = {"version": 1, "type": "doc", "content": [{"type": "taskList", "content": tasks}]}

    criteria = read(a_payload(customfield_8=document)).fields["acceptance_criteria"]

    assert criteria == "- [x] works offline\n- [ ] syncs later"


def test_configured_fields_come_under_their_catalogue_name() -> None:
    site = a_site(configured={"score": "customfield_9", "accountable": "customfield_10", "estimate": "customfield_2"})
    issue = read(a_payload(customfield_9=7.5, customfield_10=ANN, customfield_1=1, customfield_2=2), site)

    assert issue.fields["score"] == 7.5
    assert issue.accountable == ("5b10:ann",)
    assert issue.estimate == 2.0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"value": "High"}, "High"),
        ({"value": "Shop", "child": {"value": "Basket"}}, "Shop / Basket"),
        ([{"value": "a"}, {"value": "b"}], ["a", "b"]),
        ({"accountId": "x", "displayName": "Ann"}, "Ann"),
        (adf("text"), "text"),
        (3, 3),
    ],
)
def test_values_of_custom_fields_become_plain(value: Any, shown: Any) -> None:
    site = a_site(configured={"outcome": "customfield_9"})

    assert read(a_payload(customfield_9=value), site).fields["outcome"] == shown


# -- types, priorities, statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Type("1", "Große Sache", hierarchy_level=1), IssueType.EPIC),
        (Type("1", "Saga", hierarchy_level=2), IssueType.INITIATIVE),
        (Type("1", "Unteraufgabe", subtask=True), IssueType.SUBTASK),
        (Type("1", "故事", untranslated_name="Story", hierarchy_level=0), IssueType.STORY),
        (Type("1", "Fehler", hierarchy_level=0), IssueType.BUG),
        (Type("1", "Epic"), IssueType.EPIC),
        (Type("1", "Weird thing", hierarchy_level=0), IssueType.TASK),
    ],
)
def test_types_are_known_by_level_then_by_name(kind: Type, expected: IssueType) -> None:
    assert issue_type(kind, a_site()) is expected


def test_configured_types_win_over_everything() -> None:
    site = a_site(types={"fehler": IssueType.INCIDENT})

    assert issue_type(Type("1", "Fehler", hierarchy_level=0), site) is IssueType.INCIDENT


def test_priorities_are_ranked_by_their_order() -> None:
    assert list(priority_ranks(["5", "4", "3", "2", "1"]).values()) == [1, 2, 3, 4, 4]
    assert list(priority_ranks(["a", "b", "c"]).values()) == [1, 2, 3]
    assert list(priority_ranks([str(i) for i in range(8)]).values()) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_an_unknown_priority_is_none() -> None:
    assert read(a_payload(priority={"id": "77", "name": "Gone"})).priority is None


def test_status_classes_are_read_by_key_and_undefined_stays_unknown() -> None:
    listed = [Status(key, key, Category(key)) for key in ("new", "indeterminate", "done", "undefined")]

    assert [fact.default for fact in status_facts([*listed, Status("x", "x")])] == [
        StatusCategory.BACKLOG, StatusCategory.ACTIVE, StatusCategory.DONE, StatusCategory.UNKNOWN,
        StatusCategory.UNKNOWN,
    ]  # fmt: skip


# -- links -----------------------------------------------------------------------------------------------------------

BLOCKS = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}


@pytest.mark.parametrize(
    ("kind", "side", "expected"),
    [
        (BLOCKS, "outwardIssue", LinkKind.BLOCKS),
        (BLOCKS, "inwardIssue", LinkKind.BLOCKED_BY),
        ({"name": "Blocks", "inward": "wird blockiert", "outward": "blockiert"}, "inwardIssue", LinkKind.BLOCKED_BY),
        ({"name": "Needs", "inward": "is required by", "outward": "depends on"}, "outwardIssue", LinkKind.BLOCKED_BY),
        ({"name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates"}, "inwardIssue",
         LinkKind.DUPLICATED_BY),
        ({"name": "Parade", "inward": "follows", "outward": "leads"}, "outwardIssue", LinkKind.OTHER),
    ],
)  # fmt: skip
def test_links_have_a_direction(kind: dict[str, str], side: str, expected: LinkKind) -> None:
    issue = read(a_payload(issuelinks=[{"id": "1", "type": kind, side: {"id": "10002", "key": "EX-2"}}]))

    assert issue.links == (Link(expected, "10002"),)


def test_a_link_knows_when_it_was_made() -> None:
    history = a_history("5", 1772360130500, an_item("Link", (None, None), ("EX-2", "This issue blocks EX-2")))
    link = {"id": "1", "type": BLOCKS, "outwardIssue": {"id": "10002", "key": "EX-2"}}

    assert read(a_payload([history], issuelinks=[link])).links[0].at == moment(1772360130500)


# -- history ---------------------------------------------------------------------------------------------------------


def status_item(before: str, after: str) -> dict[str, Any]:
    return an_item("status", (before, f"S{before}"), (after, f"S{after}"), fieldId="status")


def test_histories_are_ordered_by_time_and_number_and_read_once() -> None:
    """Cloud sends the newest first or spreads them over pages; two can share an instant, "9" comes before "10"."""
    at = "2026-03-01T10:15:30.123+0100"
    histories = [
        a_history("10", at, status_item("2", "3")),
        a_history("9", at, status_item("1", "2")),
        a_history("9", at, status_item("1", "2")),
    ]

    steps = read(a_payload(histories)).transitions

    assert [(step.before.id, step.after.id) for step in steps] == [("1", "2"), ("2", "3")]
    assert steps[0].sequence < steps[1].sequence


def test_several_items_of_one_history_are_kept_in_their_order() -> None:
    history = a_history(
        "1", 1772360130500, status_item("1", "3"), an_item("resolution", (None, None), ("1", "Done")),
        an_item("labels", (None, ""), (None, "a b")),
    )  # fmt: skip
    issue = read(a_payload([history]))

    assert len(issue.transitions) == 1
    assert [(c.field, c.before, c.after) for c in issue.changes] == [
        ("resolution", None, "Done"),
        ("labels", None, "a b"),
    ]


def test_a_history_without_author_is_nobodys() -> None:
    step = read(a_payload([a_history("1", 1772360130500, status_item("1", "3"), author=None)])).transitions[0]

    assert (step.actor, step.is_bot) == (None, False)


def test_apps_are_bots_and_our_own_label_changes_are_no_activity() -> None:
    label = an_item("labels", (None, ""), (None, "hygiene:needs-owner"))
    issue = read(
        a_payload(
            [
                a_history("1", 1772360130500, status_item("1", "3"), author=BOT),
                a_history("2", 1772360130600, label, an_item("summary", (None, "a"), (None, "b")), author=ME),
                a_history("3", 1772360130700, label, author=ANN),
            ]
        )
    )

    assert issue.transitions[0].is_bot
    assert [(change.field, change.is_bot) for change in issue.changes] == [
        ("labels", True), ("title", False), ("labels", False),
    ]  # fmt: skip


def test_changes_have_the_domains_names_and_identities() -> None:
    history = a_history(
        "1", 1772360130500,
        an_item("assignee", (None, None), ("5b10:ann", "Ann Example")),
        an_item("duedate", (None, None), ("2026-04-01", "2026-04-01 00:00:00.0")),
        an_item("Punkte", (None, "3"), (None, "5"), fieldId="customfield_1"),
        an_item("Epic Link", (None, None), ("10900", "EX-90")),
        an_item("Rank", ("", ""), ("", "Ranked higher")),
        an_item("Fix Version", (None, None), ("1", "v2")),
    )  # fmt: skip
    changes = read(a_payload([history])).changes

    assert [(each.field, each.after) for each in changes] == [
        ("assignee", "5b10:ann"), ("due_on", "2026-04-01"), ("estimate", "5"), ("parent", "10900"),
        ("rank", "Ranked higher"), ("Fix Version", "v2"),
    ]  # fmt: skip


def test_former_keys_of_a_moved_issue_are_aliases() -> None:
    history = a_history("1", 1772360130500, an_item("Key", (None, "OLD-7"), (None, "EX-1")))

    assert read(a_payload([history])).aliases == ("OLD-7",)


# -- sprints ---------------------------------------------------------------------------------------------------------

CLOSED = {"id": 1, "name": "Sprint 1", "state": "closed", "startDate": "2026-02-01T08:00:00.000Z",
          "endDate": "2026-02-14T08:00:00.000Z", "completeDate": "2026-02-14T09:00:00.000Z"}  # fmt: skip
ACTIVE = {"id": 2, "name": "Sprint 2", "state": "active", "startDate": "2026-02-15T08:00:00.000Z"}


def sprint_item(before: str, after: str) -> dict[str, Any]:
    return an_item("Sprint", (before, ""), (after, ""), fieldId="customfield_3")


def test_a_carried_over_issue_was_in_both_sprints() -> None:
    added, carried = 1770000000000, 1771060000000
    histories = [a_history("1", added, sprint_item("", "1")), a_history("2", carried, sprint_item("1", "1, 2"))]
    sprints = read(a_payload(histories, customfield_3=[CLOSED, ACTIVE])).sprints

    assert [(each.sprint.name, each.added_at, each.removed_at) for each in sprints] == [
        ("Sprint 1", moment(added), None), ("Sprint 2", moment(carried), None),
    ]  # fmt: skip
    assert sprints[0].sprint.completed_at == datetime(2026, 2, 14, 9, tzinfo=UTC)


def test_an_issue_taken_out_and_put_back_was_in_the_sprint_twice() -> None:
    histories = [
        a_history("1", 1_770_000_000_000, sprint_item("2", "")),
        a_history("2", 1_770_000_060_000, sprint_item("", "2")),
    ]
    sprints = read(a_payload(histories, customfield_3=[ACTIVE])).sprints

    assert [(each.added_at, each.removed_at) for each in sprints] == [
        (None, moment(1_770_000_000_000)), (moment(1_770_000_060_000), None),
    ]  # fmt: skip


def test_a_sprint_since_creation_has_no_start_of_membership() -> None:
    assert [each.added_at for each in read(a_payload(customfield_3=[ACTIVE])).sprints] == [None]


def test_a_left_sprint_is_known_by_the_name_in_the_history() -> None:
    item = an_item("Sprint", ("7, 8", "Alpha, Beta"), ("", ""), fieldId="customfield_3")
    sprints = read(a_payload([a_history("1", 1_770_000_000_000, item)])).sprints

    assert [each.sprint.name for each in sprints] == ["Alpha", "Beta"]


def test_a_comma_in_a_sprint_name_does_not_shift_names() -> None:
    item = an_item("Sprint", ("7", "Alpha, final"), ("", ""), fieldId="customfield_3")

    assert [each.sprint.name for each in read(a_payload([a_history("1", 1, item)])).sprints] == ["7"]


def test_the_sites_sprint_list_knows_more_than_the_history() -> None:
    item = an_item("Sprint", ("7", "Alpha"), ("", ""), fieldId="customfield_3")
    site = a_site(sprints={"7": Sprint(id="7", name="Alpha", state="closed")})

    assert read(a_payload([a_history("1", 1, item)]), site).sprints[0].sprint.state == "closed"


def test_older_data_center_prints_sprints_as_java_objects() -> None:
    text = (
        "com.atlassian.greenhopper.service.sprint.Sprint@5a1d[id=12,rapidViewId=3,state=CLOSED,name=Plan A, or B=C,"
        "startDate=2026-02-01T09:00:00.000+01:00,endDate=2026-02-14T09:00:00.000+01:00,completeDate=<null>,sequence=12]"
    )
    sprint = read(a_payload(customfield_3=[text]), SERVER).sprints[0].sprint

    assert (sprint.id, sprint.name, sprint.state) == ("12", "Plan A, or B=C", "closed")
    assert sprint.starts_at == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert sprint.completed_at is None


# -- comments --------------------------------------------------------------------------------------------------------


def a_comment(id: str, author: dict[str, Any] | None, *texts: str, **rest: Any) -> dict[str, Any]:
    return {"id": id, "author": author, "body": adf(*texts), "created": "2026-03-01T10:00:00.000+0000", **rest}


def comments_of(*comments: dict[str, Any]) -> dict[str, Any]:
    return {"comments": list(comments), "total": len(comments)}


def test_comments_are_read_with_author_and_edit() -> None:
    edited = a_comment("2", ANN, "Later", updated="2026-03-01T11:00:00.000+0000")
    first, second = read(a_payload(comment=comments_of(a_comment("1", BOT, "x"), edited))).comments

    assert (first.author, first.is_bot, first.edited_at) == ("557058:bot", True, None)
    assert second.edited_at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert (json.loads(second.body), second.markup) == (adf("Later"), Markup.ADF)


def test_only_our_account_writes_our_comment() -> None:
    issue = read(
        a_payload(comment=comments_of(a_comment("1", ANN, "x", LAST_LINE), a_comment("2", ME, "x", LAST_LINE)))
    )

    assert [comment.is_own for comment in issue.comments] == [False, True]


def test_a_comment_of_the_same_account_without_mark_is_a_persons() -> None:
    assert not read(a_payload(comment=comments_of(a_comment("1", ME, "Hello")))).comments[0].is_own


def test_the_property_marks_a_comment_whose_last_line_was_edited_away() -> None:
    payload = a_payload(comment=comments_of(a_comment("1", ME, "Hello"), a_comment("2", ANN, "Hi")))
    payload["properties"] = {"backlint": {"v": 1, "comment": "1"}}

    assert [comment.is_own for comment in read(payload).comments] == [True, False]


def test_a_spoiled_property_is_only_a_hint() -> None:
    payload = a_payload(comment=comments_of(a_comment("1", ANN, "Hello")))
    payload["properties"] = {"backlint": ["1"]}

    assert not read(payload).comments[0].is_own


# -- broken payloads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda f: f.pop("summary"), "$.fields"),
        (lambda f: f.update(summary=None), "$.fields.summary"),
        (lambda f: f.update(created="yesterday"), "fields.created"),
        (lambda f: f.update(duedate="soon"), "fields.duedate"),
        (lambda f: f.update(status={"name": "x"}), "$.fields.status"),
        (lambda f: f.update(customfield_2="many"), "fields.customfield_2"),
        (lambda f: f.update(labels=[1]), "$.fields.labels[0]"),
    ],
)
def test_a_broken_field_is_named_with_its_issue(spoil: Any, path: str) -> None:
    payload = a_payload()
    spoil(payload["fields"])

    with pytest.raises(MalformedPayload) as error:
        read(payload)
    assert (error.value.issue, error.value.path) == ("EX-1", path)
    assert "EX-1" in str(error.value)


def test_a_payload_without_id_is_named_by_its_key() -> None:
    payload = a_payload()
    del payload["id"]

    with pytest.raises(MalformedPayload, match="EX-1"):
        read(payload)


def test_people_are_taken_from_wherever_they_appear() -> None:
    payload = a_payload(
        [a_history("1", 1, status_item("1", "2"), author=BOT)], assignee={**ANN, "active": False}, reporter=ME,
        comment=comments_of(a_comment("1", ANN, "x")),
    )  # fmt: skip

    people = {person.id: person for person in mapped(a_record(payload), a_site()).people}

    assert set(people) == {"5b10:ann", "557058:bot", "5b10:me"}
    assert people["557058:bot"].is_bot


def test_data_center_people_are_known_by_key_and_robots_by_name() -> None:
    payload = a_payload(
        assignee={"key": "JIRAUSER1", "name": "ann", "displayName": "Ann", "active": False},
        reporter={"key": "JIRAUSER2", "name": "jenkins-deploy", "displayName": "Deployments", "active": True},
    )
    people = {person.id: person for person in mapped(a_record(payload), SERVER).people}

    assert (people["JIRAUSER1"].handle, people["JIRAUSER1"].is_active, people["JIRAUSER1"].is_bot) == (
        "ann",
        False,
        False,
    )
    assert people["JIRAUSER2"].is_bot
