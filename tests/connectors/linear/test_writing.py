"""Writing to Linear: labels that are things, comments whose id is ours, and rights that may be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backlint.connectors.contract import MARKER, Level
from backlint.connectors.linear.client import authorization
from backlint.connectors.linear.mapping import LABEL_DESCRIPTION
from backlint.connectors.sandbox.world import WorldStatus
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TrackerDown
from backlint.model import Issue
from tests.connectors.linear.conftest import BOT, MIA, Everything, Linear

LABEL = "hygiene:needs-owner"
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"


@pytest.fixture
def issue(linear: Linear, everything: Everything) -> Issue:
    added = linear.add(labels=["backend"])
    return everything(linear.connect())[added.id]


# -- labels ------------------------------------------------------------------------------------------------------------


def test_a_label_is_made_once_for_the_workspace_and_described(linear: Linear, issue: Issue) -> None:
    other = linear.add()
    connector = linear.connect()

    connector.add_label(issue, LABEL)
    connector.add_label(replace(issue, id=other.id), LABEL)

    assert linear.world.issues[issue.id].labels == ["backend", LABEL]
    assert other.labels == [LABEL]
    assert linear.sandbox.labels[LABEL]["description"] == LABEL_DESCRIPTION
    assert linear.faults.writes == 3  # one label made, two put on


def test_our_label_in_the_history_is_no_activity(linear: Linear, issue: Issue) -> None:
    connector = linear.connect()
    connector.add_label(issue, LABEL)

    changes = connector.read(issue).changes

    assert [(change.field, change.after, change.is_bot) for change in changes] == [
        ("labels", f"backend, {LABEL}", True)
    ]


def test_a_present_label_is_not_sent_again(linear: Linear, issue: Issue) -> None:
    linear.connect().add_label(issue, LABEL)
    writes = linear.faults.writes

    linear.connect().add_label(issue, LABEL)
    linear.connect().remove_label(issue, "hygiene:unknown")

    assert linear.faults.writes == writes


def test_a_lost_answer_to_a_label_is_repeated_without_harm(linear: Linear, issue: Issue) -> None:
    connector = linear.connect()
    linear.faults.fail_next(2, "lost_answer", only_writes=True)

    connector.add_label(issue, LABEL)

    assert linear.world.issues[issue.id].labels == ["backend", LABEL]


def test_a_label_group_is_refused_with_the_way_out(linear: Linear, issue: Issue) -> None:
    linear.sandbox.label_id(LABEL)
    linear.sandbox.labels[LABEL] = {"isGroup": True}

    with pytest.raises(RequestRefused, match=r"is a group.*label_prefix"):
        linear.connect().add_label(issue, LABEL)


def test_the_label_of_another_team_is_not_used(linear: Linear, issue: Issue) -> None:
    """Linear then has two labels of one name; the sandbox refuses the second, and the refusal is told."""
    linear.sandbox.label_id(LABEL)
    linear.sandbox.labels[LABEL] = {"team": {"id": "t-ops", "key": "OPS", "name": "Operations"}}

    with pytest.raises(RequestRefused, match="already exists"):
        linear.connect().add_label(issue, LABEL)
    assert linear.world.issues[issue.id].labels == ["backend"]


# -- comments ----------------------------------------------------------------------------------------------------------


def test_a_comment_is_stored_under_our_id_with_the_marker_as_last_line(linear: Linear, issue: Issue) -> None:
    written = linear.connect().create_comment(issue, "Two questions", key=KEY)

    assert (written.id, written.author, written.is_own) == (KEY, BOT, True)
    assert linear.world.issues[issue.id].comments[0].body == f"Two questions\n\n`{MARKER}`"


def test_a_key_of_another_kind_becomes_the_same_version_4_id_every_time(linear: Linear, issue: Issue) -> None:
    version_1 = "5f0c2a4e-9d55-1c51-8a55-0d6b1f6f2b11"

    written = linear.connect().create_comment(issue, "Text", key=version_1)

    assert written.id == KEY


def test_a_second_call_with_the_same_key_gives_the_comment_that_is_there(linear: Linear, issue: Issue) -> None:
    first = linear.connect().create_comment(issue, "Two questions", key=KEY)

    second = linear.connect().create_comment(issue, "Two questions", key=KEY)

    assert second == first
    assert len(linear.world.issues[issue.id].comments) == 1


def test_a_lost_answer_to_a_comment_is_not_sent_again_by_itself(linear: Linear, issue: Issue) -> None:
    connector = linear.connect()
    linear.faults.fail_next(1, "lost_answer", only_writes=True)

    with pytest.raises(TrackerDown):
        connector.create_comment(issue, "Two questions", key=KEY)

    assert linear.faults.writes == 1
    assert [comment.id for comment in connector.managed_comments(issue)] == [KEY]


def test_a_rate_limited_comment_is_sent_again_since_it_was_not_carried_out(linear: Linear, issue: Issue) -> None:
    linear.faults.fail_next(1, "rate_limit", only_writes=True)

    linear.connect().create_comment(issue, "Two questions", key=KEY)

    assert len(linear.world.issues[issue.id].comments) == 1


def test_the_marker_in_the_comment_of_a_person_makes_it_not_ours(linear: Linear, issue: Issue) -> None:
    linear.world.add_comment(linear.world.issues[issue.id], f"Look:\n\n`{MARKER}`", actor=MIA)

    assert linear.connect().managed_comments(issue) == ()


def test_a_comment_deleted_by_somebody_cannot_be_changed_and_is_no_error_to_delete(
    linear: Linear, issue: Issue
) -> None:
    connector = linear.connect()
    written = connector.create_comment(issue, "Two questions", key=KEY)
    linear.world.delete_comment(linear.world.issues[issue.id], written.id, actor=MIA)

    with pytest.raises(NotFound):
        connector.update_comment(issue, written, "One question")
    connector.delete_comment(issue, written)


# -- rights ------------------------------------------------------------------------------------------------------------


def test_a_reading_key_is_told_which_right_is_missing(linear: Linear, issue: Issue) -> None:
    linear.sandbox.can_write = False
    connector = linear.connect()

    with pytest.raises(PermissionMissing, match="Write"):
        connector.add_label(issue, LABEL)
    with pytest.raises(PermissionMissing, match="Write"):
        connector.create_comment(issue, "Two questions", key=KEY)
    checks = {check.name: check for check in connector.diagnose()}
    assert checks["write labels"].level is Level.WARNING
    assert "Write" in checks["write labels"].remedy
    assert checks["token"].level is Level.GOOD


def test_the_diagnosis_of_a_good_key_writes_nothing(linear: Linear, issue: Issue) -> None:
    before = linear.world.issues[issue.id].updated_at

    levels = {check.name: check.level for check in linear.connect().diagnose()}

    assert levels["write labels"] is Level.GOOD
    assert levels["write comment"] is Level.GOOD
    assert linear.world.issues[issue.id].updated_at == before


def test_the_diagnosis_names_a_wrong_team_and_near_ones(linear: Linear) -> None:
    checks = {check.name: check for check in linear.connect(scope=("ENG", "OPSS")).diagnose()}

    assert checks["team ENG"].level is Level.GOOD
    assert checks["team OPSS"].level is Level.BAD
    assert "OPS" in checks["team OPSS"].fact


def test_the_diagnosis_measures_the_clock(linear: Linear) -> None:
    linear.world.clock = lambda: datetime.now(UTC) + timedelta(minutes=4)

    checks = {check.name: check for check in linear.connect().diagnose()}

    assert checks["clock"].level is Level.WARNING
    assert "behind" in checks["clock"].fact


def test_the_diagnosis_names_statuses_without_a_category(linear: Linear) -> None:
    linear.world.statuses["s-odd"] = WorldStatus("s-odd", "Parked", "paused")

    checks = {check.name: check for check in linear.connect().diagnose()}

    assert (checks["statuses"].level, "Parked" in checks["statuses"].fact) == (Level.WARNING, True)


def test_an_oauth_token_is_sent_with_the_word_bearer_and_a_key_without() -> None:
    assert authorization("lin_api_x") == "lin_api_x"
    assert authorization("lin_oauth_x") == "Bearer lin_oauth_x"
    assert authorization("Bearer x") == "Bearer x"
