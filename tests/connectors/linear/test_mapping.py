"""Linear payloads as issues."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, strategies

from backlint.connectors.contract import MARKER
from backlint.connectors.http import decode
from backlint.connectors.linear import mapping
from backlint.connectors.linear.history import is_chain_broken
from backlint.connectors.linear.names import Names
from backlint.connectors.linear.payloads import CommentNode, CycleNode, IssueNode, ProjectNode, StateRef, UserNode
from backlint.errors import MalformedPayload
from backlint.model import Issue, IssueType, LinkKind, Presence, Sprint, StatusCategory
from backlint.status import StatusMap

STATES = {
    "s1": "backlog", "s2": "unstarted", "s3": "started", "s4": "completed", "s5": "canceled", "s6": "duplicate",
    "s7": "triage",
}  # fmt: skip


def the_names(**given: Any) -> Names:
    facts = [mapping.status_fact(StateRef(id, kind.title(), kind)) for id, kind in STATES.items()]
    values: dict[str, Any] = {
        "source": "acme",
        "me": "bot",
        "statuses": StatusMap(facts),
        "states": frozenset(STATES),
        "labels": {"l1": "Bug", "l2": "backend", "l3": "hygiene:needs-owner"},
        "own_labels": frozenset({"l3"}),
        "sprints": {id: Sprint(id=id, name=f"Cycle {id[1]}", state="closed", ends_at=at(20)) for id in ("c1", "c2")},
        "bots": frozenset({"robot"}),
    }
    return Names(**{**values, **given})


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def connection(*nodes: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more, "endCursor": "x" if more else None}}


def entry(day: int, **given: Any) -> dict[str, Any]:
    return {"id": f"h{day}-{sorted(given)}", "createdAt": text(at(day)), "actorId": "mia", **given}


def a_payload(*, newest_first: tuple[dict[str, Any], ...] = (), **given: Any) -> dict[str, Any]:
    return {
        "id": "i1", "identifier": "ENG-7", "number": 7.0, "title": "Export the list", "description": None,
        "priority": 0.0, "estimate": None, "url": "https://linear.app/acme/issue/ENG-7", "createdAt": text(at(1)),
        "updatedAt": text(at(2)), "archivedAt": None, "trashed": None, "dueDate": None, "addedToCycleAt": None,
        "previousIdentifiers": [], "labelIds": [], "sortOrder": 0.0, "team": {"id": "t1", "key": "ENG"},
        "state": {"id": "s1", "name": "Backlog", "type": "backlog"}, "assignee": None, "creator": {"id": "mia"},
        "cycle": None, "project": None, "parent": None, "botActor": None, "comments": connection(),
        "relations": connection(), "inverseRelations": connection(), "attachments": connection(),
        "history": connection(*newest_first), **given,
    }  # fmt: skip


def a_node(**given: Any) -> IssueNode:
    return msgspec.convert(a_payload(**given), IssueNode)


def mapped(names: Names | None = None, **given: Any) -> Issue:
    return mapping.issue(a_node(**given), names or the_names())


# -- plain fields ------------------------------------------------------------------------------------------------------


def test_every_plain_field_arrives() -> None:
    issue = mapped(
        description="* one\n* two",
        priority=2.0,
        estimate=3.0,
        dueDate="2026-04-01",
        labelIds=["l1", "l2"],
        assignee={"id": "ada"},
        project={"id": "p1"},
        parent={"id": "i0"},
        previousIdentifiers=["OPS-3"],
        archivedAt=text(at(5)),
    )

    assert (issue.source, issue.id, issue.key, issue.aliases) == ("acme", "i1", "ENG-7", ("OPS-3",))
    assert (issue.body, issue.priority, issue.estimate, issue.due_on) == ("* one\n* two", 2, 3.0, date(2026, 4, 1))
    assert (issue.labels, issue.assignees, issue.reporter) == ({"Bug", "backend"}, ("ada",), "mia")
    assert (issue.project, issue.team, issue.parent) == ("p1", "ENG", "i0")
    assert issue.is_archived
    assert issue.presence is Presence.PRESENT


def test_priority_none_is_no_priority() -> None:
    assert mapped(priority=0.0).priority is None


def test_an_integration_as_creator_leaves_the_reporter_open() -> None:
    assert mapped(creator=None, botActor={"id": "github"}).reporter is None


def test_the_trash_is_deleted() -> None:
    assert mapped(trashed=True).presence is Presence.DELETED


@pytest.mark.parametrize(
    ("state", "category"),
    [
        ("s1", StatusCategory.BACKLOG),
        ("s2", StatusCategory.TODO),
        ("s3", StatusCategory.ACTIVE),
        ("s4", StatusCategory.DONE),
        ("s5", StatusCategory.CANCELLED),
        ("s6", StatusCategory.CANCELLED),
        ("s7", StatusCategory.TRIAGE),
    ],
)
def test_every_kind_of_workflow_state_has_its_category(state: str, category: StatusCategory) -> None:
    assert mapped(state={"id": state, "name": "x", "type": STATES[state]}).status.category is category


def test_a_configured_category_wins_over_the_kind_of_state() -> None:
    facts = [mapping.status_fact(StateRef("s3", "In Review", "started"))]
    names = the_names(statuses=StatusMap(facts, {"s3": StatusCategory.WAITING}))

    issue = mapped(names, state={"id": "s3", "name": "In Review", "type": "started"})

    assert issue.status.category is StatusCategory.WAITING


def test_a_new_kind_of_state_is_reported_as_unknown() -> None:
    fact = mapping.status_fact(StateRef("s9", "Parked", "paused"))

    assert fact.default is StatusCategory.UNKNOWN


def test_a_missing_required_field_names_issue_and_path() -> None:
    payload = a_payload()
    del payload["state"]["id"]

    with pytest.raises(MalformedPayload) as problem:
        decode(msgspec.json.encode(payload), IssueNode, issue="ENG-7", source="acme")

    assert (problem.value.issue, problem.value.path) == ("ENG-7", "$.state")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        a_node(createdAt="2026-03-01T09:00:00")


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "configured", "is_sub_issue", "expected"),
    [
        (["BUG", "backend"], {}, False, IssueType.BUG),
        (["Feature"], {}, False, IssueType.STORY),
        (["chore"], {}, False, IssueType.TASK),
        (["backend"], {}, False, IssueType.TASK),
        (["Bug", "Story"], {}, False, IssueType.BUG),
        (["Bug", "Outage"], {"outage": IssueType.INCIDENT}, False, IssueType.INCIDENT),
        (["Feature"], {"feature": IssueType.EPIC}, False, IssueType.EPIC),
        ([], {"issue": IssueType.STORY}, False, IssueType.STORY),
        ([], {}, True, IssueType.TASK),
        ([], {"sub-issue": IssueType.SUBTASK, "issue": IssueType.STORY}, True, IssueType.SUBTASK),
        (["Bug"], {"sub-issue": IssueType.SUBTASK}, True, IssueType.BUG),
    ],
)
def test_labels_say_the_type(
    labels: list[str], configured: dict[str, IssueType], is_sub_issue: bool, expected: IssueType
) -> None:
    assert mapping.issue_type(labels, configured, is_sub_issue=is_sub_issue)[0] is expected


# -- history -----------------------------------------------------------------------------------------------------------


def test_transitions_are_oldest_first_with_actor_and_category() -> None:
    issue = mapped(
        state={"id": "s4", "name": "Done", "type": "completed"},
        newest_first=(
            entry(9, fromStateId="s3", toStateId="s4", actorId=None),
            entry(4, fromStateId="s1", toStateId="s3"),
        ),
    )

    assert [(step.at, step.before.category, step.after.category) for step in issue.transitions] == [
        (at(4), StatusCategory.BACKLOG, StatusCategory.ACTIVE),
        (at(9), StatusCategory.ACTIVE, StatusCategory.DONE),
    ]
    assert [(step.actor, step.is_bot) for step in issue.transitions] == [("mia", False), (None, True)]
    assert issue.history_is_complete


def test_changes_of_one_moment_keep_the_order_of_the_tracker() -> None:
    newest_first = (
        {**entry(4, fromStateId="s3", toStateId="s4"), "id": "a"},
        {**entry(4, fromStateId="s1", toStateId="s3"), "id": "b"},
    )
    issue = mapped(state={"id": "s4", "name": "Done", "type": "completed"}, newest_first=newest_first)

    assert [step.after.id for step in issue.transitions] == ["s3", "s4"]
    assert [step.sequence for step in issue.transitions] == [0, 1]


def test_one_entry_gives_a_change_for_every_field_it_bundles() -> None:
    bundled = entry(
        4, fromStateId="s1", toStateId="s3", toAssigneeId="ada", fromEstimate=2.0, toEstimate=3.5, fromPriority=0.0,
        toPriority=1.0, fromTitle="Old", toTitle="Export the list", toDueDate="2026-04-01", toCycleId="c1",
        updatedDescription=True, addedLabelIds=["l1"],
    )  # fmt: skip
    issue = mapped(
        state={"id": "s3", "name": "Started", "type": "started"}, labelIds=["l1", "l2"], cycle={"id": "c1"},
        newest_first=(bundled,),
    )  # fmt: skip

    assert len(issue.transitions) == 1
    assert {change.field: (change.before, change.after) for change in issue.changes} == {
        "assignee": (None, "ada"),
        "estimate": ("2", "3.5"),
        "priority": ("0", "1"),
        "title": ("Old", "Export the list"),
        "due_on": (None, "2026-04-01"),
        "sprint": (None, "Cycle 1"),
        "body": (None, None),
        "labels": ("backend", "Bug, backend"),
    }


def test_label_lists_are_traced_back_from_the_present() -> None:
    issue = mapped(
        labelIds=["l2"],
        newest_first=(entry(8, removedLabelIds=["l1"]), entry(5, addedLabelIds=["l2"]), entry(3, addedLabelIds=["l1"])),
    )

    assert [(change.before, change.after) for change in issue.changes] == [
        (None, "Bug"),
        ("Bug", "Bug, backend"),
        ("Bug, backend", "backend"),
    ]


@pytest.mark.parametrize(
    ("given", "is_bot"),
    [
        ({"actorId": None, "toAssigneeId": "ada"}, True),
        ({"actorId": "robot", "toAssigneeId": "ada"}, True),
        ({"actorId": "mia", "toAssigneeId": "ada"}, False),
        ({"actorId": "bot", "addedLabelIds": ["l3"]}, True),  # our own label by our own account
        ({"actorId": "mia", "removedLabelIds": ["l3"]}, False),  # a person takes it off
        ({"actorId": "bot", "addedLabelIds": ["l1"]}, False),  # the owner of a personal key at work
        ({"actorId": "bot", "addedLabelIds": ["l3"], "toEstimate": 3.0}, False),
    ],
)
def test_integrations_robots_and_our_own_labels_are_no_activity(given: dict[str, Any], is_bot: bool) -> None:
    issue = mapped(labelIds=given.get("addedLabelIds", []), newest_first=(entry(4, **given),))

    assert {change.is_bot for change in issue.changes} == {is_bot}


def test_the_first_minutes_missing_from_the_history_come_from_the_spans() -> None:
    given = {
        "state": {"id": "s4", "name": "Done", "type": "completed"},
        "newest_first": (entry(9, fromStateId="s3", toStateId="s4"),),
    }
    spans = connection(
        {"id": "1", "stateId": "s1", "startedAt": text(at(1)), "endedAt": text(at(1, 10))},
        {"id": "2", "stateId": "s3", "startedAt": text(at(1, 10)), "endedAt": text(at(9))},
        {"id": "3", "stateId": "s4", "startedAt": text(at(9)), "endedAt": None},
    )

    issue = mapped(**given, stateHistory=spans)

    assert [(step.at, step.before.id, step.after.id) for step in issue.transitions] == [
        (at(1, 10), "s1", "s3"),
        (at(9), "s3", "s4"),
    ]
    assert [step.actor for step in issue.transitions] == [None, "mia"]
    assert issue.history_is_complete


def test_a_history_that_does_not_lead_to_the_present_asks_for_the_spans_and_says_so() -> None:
    broken = a_node(newest_first=(entry(4, fromStateId="s1", toStateId="s3"),))
    gap = (entry(9, fromStateId="s3", toStateId="s1"), entry(4, fromStateId="s1", toStateId="s2"))

    assert is_chain_broken(broken)
    assert is_chain_broken(a_node(newest_first=gap))
    assert not is_chain_broken(a_node())
    assert not mapping.issue(broken, the_names()).history_is_complete


# -- cycles ------------------------------------------------------------------------------------------------------------


def spans(issue: Issue) -> list[tuple[str, datetime | None, datetime | None]]:
    return [(each.sprint.id, each.added_at, each.removed_at) for each in issue.sprints]


def test_cycles_are_memberships_with_their_intervals() -> None:
    issue = mapped(
        cycle={"id": "c2"},
        newest_first=(entry(9, fromCycleId="c1", toCycleId="c2"), entry(4, toCycleId="c1")),
    )

    assert spans(issue) == [("c1", at(4), at(9)), ("c2", at(9), None)]


def test_a_cycle_since_creation_has_no_beginning_in_the_history() -> None:
    issue = mapped(newest_first=(entry(9, fromCycleId="c1"),))

    assert spans(issue) == [("c1", None, at(9))]


def test_a_present_cycle_without_any_entry_has_the_time_that_linear_keeps() -> None:
    assert spans(mapped(cycle={"id": "c1"}, addedToCycleAt=text(at(3)))) == [("c1", at(3), None)]


def test_a_cycle_left_without_an_entry_ended_with_the_cycle() -> None:
    issue = mapped(cycle=None, newest_first=(entry(4, toCycleId="c1"),))

    assert spans(issue) == [("c1", at(4), at(20))]


def test_a_cycle_that_no_list_names_is_over() -> None:
    issue = mapped(newest_first=(entry(9, fromCycleId="gone"),))

    assert (issue.sprints[0].sprint.id, issue.sprints[0].sprint.state) == ("gone", "closed")


def test_a_cycle_without_a_name_is_called_by_its_number() -> None:
    node = CycleNode(
        id="c", number=12.0, startsAt=at(1), endsAt=at(14), isActive=True, isFuture=False, team={"key": "ENG"}
    )

    assert (mapping.sprint(node).name, mapping.sprint(node).state, mapping.sprint(node).team) == (
        "Cycle 12",
        "active",
        "ENG",
    )


# -- links, rank, comments ---------------------------------------------------------------------------------------------


def test_relations_have_their_direction_and_attachments_their_kind() -> None:
    moment = text(at(2))
    issue = mapped(
        relations=connection(
            {"type": "blocks", "createdAt": moment, "relatedIssue": {"id": "i2"}},
            {"type": "duplicate", "createdAt": moment, "relatedIssue": {"id": "i3"}},
            {"type": "similar", "createdAt": moment, "relatedIssue": {"id": "i4"}},
        ),
        inverseRelations=connection({"type": "blocks", "createdAt": moment, "issue": {"id": "i5"}}),
        attachments=connection(
            {"url": "https://github.com/acme/shop/pull/12", "createdAt": moment},
            {"url": "https://gitlab.com/acme/shop/-/merge_requests/3", "createdAt": moment},
            {"url": "https://acme.atlassian.net/browse/PAY-4", "createdAt": moment},
            {"url": "https://github.com/acme/shop/issues/9", "createdAt": moment},
            {"url": "https://www.figma.com/file/x", "createdAt": moment},
        ),
    )

    assert [link.kind for link in issue.links] == [
        LinkKind.BLOCKS,
        LinkKind.DUPLICATES,
        LinkKind.OTHER,
        LinkKind.BLOCKED_BY,
        LinkKind.PULL_REQUEST,
        LinkKind.PULL_REQUEST,
        LinkKind.MIRRORS,
        LinkKind.MIRRORS,
        LinkKind.OTHER,
    ]
    assert issue.links[0].target == "i2"
    assert issue.links[3].target == "i5"
    assert issue.links[4].at == at(2)


@given(strategies.lists(strategies.floats(allow_nan=False, allow_infinity=False), unique=True))
@example([-13701.52, -81.0, -0.5, 0.0, 0.25, 81.0, 9999.0])
def test_ranks_sort_as_text_like_the_order_in_linear(orders: list[float]) -> None:
    assert sorted(orders, key=mapping.sortable) == sorted(orders)


def a_comment(**given: Any) -> CommentNode:
    return msgspec.convert({"id": "k", "body": "Text", "createdAt": text(at(3)), **given}, CommentNode)


@pytest.mark.parametrize(
    ("given", "author", "is_bot"),
    [
        ({"user": {"id": "mia"}}, "mia", False),
        ({"user": {"id": "robot"}}, "robot", True),
        ({"botActor": {"id": "github"}}, None, True),
        ({"botActor": {"id": "github"}, "externalUser": {"id": "x9"}}, "x9", False),
        ({}, None, False),  # a deleted account
    ],
)
def test_a_comment_knows_whether_a_person_wrote_it(given: dict[str, Any], author: str | None, is_bot: bool) -> None:
    comment = mapping.comment(a_comment(**given), the_names())

    assert (comment.author, comment.is_bot) == (author, is_bot)


def test_the_own_comment_needs_both_marker_and_account() -> None:
    body = mapping.marked("Two questions")

    assert mapping.comment(a_comment(body=body, user={"id": "bot"}), the_names()).is_own
    assert not mapping.comment(a_comment(body=body, user={"id": "mia"}), the_names()).is_own
    assert not mapping.comment(a_comment(body="Two questions", user={"id": "bot"}), the_names()).is_own


def test_the_marker_is_one_last_line_and_added_once() -> None:
    body = mapping.marked("Text\n")

    assert body == f"Text\n\n`{MARKER}`"
    assert mapping.marked(body) == body


@pytest.mark.parametrize("line", [MARKER, f"`{MARKER}`", f"**{MARKER}**", f"_{MARKER}_", f"`{MARKER}`\n\n"])
def test_the_marker_is_known_however_the_editor_dresses_it(line: str) -> None:
    assert mapping.is_marked(f"Text\n\n{line}")


@pytest.mark.parametrize("body", [f"`{MARKER}`\n\nA reply to that", f"What does {MARKER} mean?", ""])
def test_a_comment_that_only_speaks_of_the_marker_is_not_marked(body: str) -> None:
    assert not mapping.is_marked(body)


# -- lists -------------------------------------------------------------------------------------------------------------


def test_people_are_bots_as_apps_and_inactive_when_suspended() -> None:
    node = UserNode(id="u", name="Robot", displayName="robot", active=False, app=True)

    assert (mapping.person(node).is_bot, mapping.person(node).is_active) == (True, False)


def test_a_project_states_its_outcome_in_summary_and_document() -> None:
    payload = {
        "id": "p",
        "name": "Q2",
        "description": "Faster checkout",
        "content": "Outcome: drop-off 35 %",
        "targetDate": "2026-06-30",
        "lead": {"id": "mia"},
        "initiatives": {"nodes": [{"id": "x", "name": "Grow"}]},
    }
    node = msgspec.convert(payload, ProjectNode)

    project = mapping.project(node, "acme")

    assert project.body == "Faster checkout\n\nOutcome: drop-off 35 %"
    assert (project.lead, project.target_on) == ("mia", date(2026, 6, 30))
    assert mapping.objective(node) == "Grow"
    names = the_names(objectives={"p": "Grow"})
    assert mapped(names, project={"id": "p"}).fields == {"objective": "Grow"}
