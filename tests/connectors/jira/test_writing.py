"""Writing back to Jira: our labels and our comment, once, and nothing of anybody else's."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from backlint.connectors.jira.adf import plain
from backlint.connectors.jira.values import LAST_LINE
from backlint.connectors.sandbox.world import WorldPerson
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TrackerDown
from tests.connectors.jira.conftest import Jira

BODY = "Two questions:\n\n- Who decides? (`OWN001`)"
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"


def watched(jira: Jira) -> list[tuple[str, str]]:
    """Requests from now on, by method and the end of the path."""
    seen: list[tuple[str, str]] = []

    def note(request: Request) -> None:
        seen.append((request.method, request.url.path.split("/rest/api/")[-1][2:]))

    jira.manners.before = note
    return seen


def test_a_label_is_one_request_that_names_nothing_else(jira: Jira) -> None:
    jira.issue(1).labels = ["billing"]
    connector, issue = jira.connect(), jira.read(1)
    connector.add_label(issue, "hygiene:a")
    seen = watched(jira)

    connector.add_label(issue, "hygiene:b")
    connector.remove_label(issue, "hygiene:a")

    assert seen == [("PUT", "issue/1001")] * 2
    assert jira.issue(1).labels == ["billing", "hygiene:b"]


def test_a_label_that_people_added_meanwhile_stays(jira: Jira) -> None:
    issue = jira.read(1)
    jira.world.add_labels(jira.issue(1), ["urgent"], actor="p-ann")

    jira.connect().add_label(issue, "hygiene:a")

    assert jira.issue(1).labels == ["urgent", "hygiene:a"]


def test_a_label_with_a_space_is_refused_by_name(jira: Jira) -> None:
    with pytest.raises(RequestRefused, match="contains spaces"):
        jira.connect().add_label(jira.read(1), "two words")


def test_mail_is_switched_off_only_by_those_who_may(cloud: Jira) -> None:
    """Anybody else is refused for asking."""
    issue = cloud.read(1)
    cloud.connect().add_label(issue, "hygiene:a")
    assert cloud.sandbox.mails == 1

    cloud.manners.denied.remove("ADMINISTER_PROJECTS")
    cloud.connect().add_label(issue, "hygiene:b")
    assert cloud.sandbox.mails == 1


def test_the_comment_ends_with_our_line_in_the_trackers_notation(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)

    comment = connector.create_comment(issue, BODY, key=KEY)

    text = plain(json.loads(comment.body)) if jira.is_cloud else comment.body
    assert text.strip().split("\n")[-1].strip("_") == LAST_LINE
    assert "Who decides?" in text
    assert (comment.is_own, comment.author) == (True, "p-bot")
    assert jira.issue(1).properties["backlint"] == {"v": 1, "comment": comment.id, "key": KEY}


def test_the_stored_text_is_what_a_later_read_gives(jira: Jira) -> None:
    """Jira adds to what it was sent, so the answer is the text to compare with."""
    connector, issue = jira.connect(), jira.read(1)
    written = connector.create_comment(issue, BODY, key=KEY)

    assert [each.body for each in connector.managed_comments(issue)] == [written.body]
    assert [each.body for each in connector.read(issue).comments if each.is_own] == [written.body]


def test_a_comment_without_its_property_is_found_by_its_last_line(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    written = connector.create_comment(issue, BODY, key=KEY)
    jira.issue(1).properties.clear()
    jira.issue(1).comments[-1].properties.clear()

    assert [each.id for each in connector.managed_comments(issue)] == [written.id]


def test_a_comment_without_its_last_line_is_found_by_the_issues_property(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    written = connector.create_comment(issue, BODY, key=KEY)
    jira.issue(1).comments[-1].body = "Somebody rewrote it"
    jira.issue(1).comments[-1].properties.clear()

    assert [each.id for each in connector.managed_comments(issue)] == [written.id]


def test_a_comment_without_line_and_issue_property_is_found_by_its_own_property(cloud: Jira) -> None:
    connector, issue = cloud.connect(), cloud.read(1)
    written = connector.create_comment(issue, BODY, key=KEY)
    cloud.issue(1).properties.clear()
    cloud.issue(1).comments[-1].body = "Somebody rewrote it"

    assert [each.id for each in connector.managed_comments(issue)] == [written.id]


def test_comments_of_others_are_never_ours_whatever_they_carry(jira: Jira) -> None:
    issue = jira.read(1)
    jira.world.add_comment(jira.issue(1), f"x\n\n{LAST_LINE}", actor="p-ann", id="77").properties["backlint"] = {"v": 1}
    jira.issue(1).properties["backlint"] = {"v": 1, "comment": "77"}

    assert jira.connect().managed_comments(issue) == []


def test_the_managed_comment_is_found_among_many(jira: Jira) -> None:
    jira.manners.most_comments = 3
    connector, issue = jira.connect(), jira.read(1)
    for number in range(7):
        jira.world.add_comment(jira.issue(1), f"Talk {number}", actor="p-ann", id=str(500 + number))
    written = connector.create_comment(issue, BODY, key=KEY)

    assert [each.id for each in connector.managed_comments(issue)] == [written.id]


def test_customers_of_a_service_desk_do_not_see_it(jira: Jira) -> None:
    jira.manners.service_desks.add("EX")
    connector, issue = jira.connect(), jira.read(1)

    connector.create_comment(issue, BODY, key=KEY)

    assert jira.issue(1).comments[-1].properties["sd.public.comment"] == {"internal": True}
    assert any(check.name == "comments EX" for check in connector.diagnose())


def test_a_comment_is_sent_once_when_the_answer_is_lost(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    connector.managed_comments(issue)
    jira.faults.fail_next(5, "lost_answer", path="/comment", only_writes=True)

    with pytest.raises(TrackerDown):
        connector.create_comment(issue, BODY, key=KEY)

    jira.faults.calm()
    assert len(connector.managed_comments(issue)) == 1
    assert len(jira.issue(1).comments) == 2


def test_a_rate_limit_means_not_done_so_the_comment_is_sent_again(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    connector.managed_comments(issue)
    jira.faults.fail_next(1, "rate_limit", path="/comment", only_writes=True)

    connector.create_comment(issue, BODY, key=KEY)

    assert len(jira.issue(1).comments) == 2


def test_a_refused_property_does_not_undo_the_comment(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    jira.manners.denied.add("EDIT_ISSUES")

    written = connector.create_comment(issue, BODY, key=KEY)

    assert [each.id for each in connector.managed_comments(issue)] == [written.id]


def test_no_right_to_comment_is_said(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    jira.manners.denied.add("ADD_COMMENTS")

    with pytest.raises(PermissionMissing):
        connector.create_comment(issue, BODY, key=KEY)


def test_a_comment_that_a_person_deleted_cannot_be_updated(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    written = connector.create_comment(issue, BODY, key=KEY)
    jira.world.delete_comment(jira.issue(1), written.id, actor="p-ann")

    with pytest.raises(NotFound):
        connector.update_comment(issue, written, BODY)


def test_deleting_takes_the_property_along(jira: Jira) -> None:
    connector, issue = jira.connect(), jira.read(1)
    connector.delete_comment(issue, connector.create_comment(issue, BODY, key=KEY))

    assert jira.issue(1).properties == {}
    assert [each.body for each in jira.issue(1).comments] == ["Comment 1"]


def test_our_own_label_is_no_activity(jira: Jira) -> None:
    """Even if the token belongs to a person, whose other changes do count."""
    jira.world.people["p-bot"] = WorldPerson("p-bot", "Pat Example", "pat")
    connector, issue = jira.connect(), jira.read(1)
    connector.add_label(issue, "hygiene:a")
    jira.world.change(jira.issue(1), "title", "By hand", actor="p-bot")

    changes = {change.field: change.is_bot for change in connector.read(issue).changes}

    assert changes == {"labels": True, "title": False}
