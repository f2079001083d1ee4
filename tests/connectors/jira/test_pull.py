"""Pulling from Jira where it does what real sites do: cut, lag, shift, repeat, and break off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request

from backlint.connectors.jira import reading
from backlint.connectors.jira.cursor import OVERLAP, Cursor
from backlint.connectors.sandbox.world import WorldPerson
from backlint.errors import NotFound, RequestRefused, StoreError, TokenRefused, TrackerDown
from backlint.model import StatusCategory
from tests.connectors.jira.conftest import ISSUES, NOW, Jira, last_cursor, pulled

ALL = {str(1000 + number) for number in range(1, ISSUES + 1)}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and pages of 4, so that 25 issues make many."""
    for name in ("BULK", "PAGE", "SERVER_PAGE", "SERVER_ID_PAGE"):
        monkeypatch.setattr(reading, name, 4)
    monkeypatch.setattr(reading.batches, "__defaults__", (4,))


def requests(jira: Jira, path: str) -> int:
    return sum(count for seen, count in jira.faults.requests.items() if path in seen)


# -- whole pulls -----------------------------------------------------------------------------------------------------


def test_every_part_of_an_issue_arrives(jira: Jira) -> None:
    world = jira.world
    target, epic = jira.issue(1), jira.issue(2)
    epic.type = "epic"
    target.due_on, target.priority = NOW.date(), 2
    target.fields |= {"acceptance_criteria": "- works\n- fast", "flagged": True}
    target.links = [("blocks", jira.issue(3).id)]
    for name, value in (("sprint", "7"), ("estimate", 5.0), ("parent", epic.id), ("assignee", "p-ben")):
        world.change(target, name, value, actor="p-ann")

    issue = pulled(jira.connect())["1001"]

    assert (issue.priority, issue.estimate, issue.assignees, issue.parent) == (2, 5.0, ("p-ben",), epic.id)
    assert [(each.sprint.id, each.removed_at) for each in issue.sprints] == [("7", None)]
    assert issue.sprints[0].added_at is not None
    assert [(link.kind.value, link.target) for link in issue.links] == [("blocks", "1003")]
    assert [step.after.category for step in issue.transitions] == [StatusCategory.ACTIVE]
    assert "works" in issue.fields["acceptance_criteria"]
    assert issue.fields["flagged"] is True
    assert "Text 1" in issue.body
    assert [change.actor for change in issue.changes] == ["p-ann"] * 4


def test_the_other_end_of_a_link_is_blocked(jira: Jira) -> None:
    jira.issue(1).links = [("blocks", "1003")]

    links = pulled(jira.connect())["1003"].links

    assert [(link.kind.value, link.target) for link in links] == [("blocked_by", "1001")]


@pytest.mark.usefixtures("small_pages")
def test_a_pull_says_how_much_to_expect(jira: Jira) -> None:
    pages = list(jira.connect().pull("EX", None))

    assert {page.expected for page in pages[:-1]} == {ISSUES}
    assert len(pages) > 5


def test_few_large_requests_fetch_a_cloud_project(cloud: Jira) -> None:
    pulled(cloud.connect())

    assert requests(cloud, "search") == 1
    assert requests(cloud, "/issue/bulkfetch") == 1
    assert requests(cloud, "changelog/bulkfetch") == 1
    assert requests(cloud, "/comment") == 0


def test_one_page_fetches_a_small_data_center_project(server: Jira) -> None:
    pulled(server.connect())

    assert requests(server, "search") == 1


@pytest.mark.usefixtures("small_pages")
def test_a_kill_behind_any_page_costs_nothing_and_loses_nothing(jira: Jira) -> None:
    whole = pulled(jira.connect())
    pages = list(jira.connect().pull("EX", None))

    for stop in range(1, len(pages)):
        rest = list(jira.connect().pull("EX", pages[stop - 1].cursor))
        again = {each.issue.id: each.issue for page in rest for each in page.issues}
        before = {each.issue.id: each.issue for page in pages[:stop] for each in page.issues}
        assert before | again == whole
        assert len(again) <= len(whole) - len(before) + (0 if jira.is_cloud else 4)
        assert rest[-1].is_last


@pytest.mark.usefixtures("small_pages")
def test_a_kill_in_the_middle_of_an_import_of_one_minute_goes_on(jira: Jira) -> None:
    """All issues were created in the same minute: the position alone would begin at the first one again."""
    for issue in jira.world.issues.values():
        issue.created_at = NOW - timedelta(days=9)
    pages = list(jira.connect().pull("EX", None))
    seen = {each.issue.id for page in pages[:3] for each in page.issues}

    rest = pulled(jira.connect(), pages[2].cursor)

    assert seen | set(rest) == ALL
    if jira.is_cloud:
        assert not seen & set(rest)


def test_the_search_may_send_empty_pages_in_between(cloud: Jira) -> None:
    cloud.manners.empty_pages = 3

    assert set(pulled(cloud.connect())) == ALL


def test_a_search_that_goes_round_is_given_up(cloud: Jira) -> None:
    cloud.manners.repeats_token = True

    with pytest.raises(TrackerDown, match="circles"):
        pulled(cloud.connect())


def test_pages_of_the_search_may_be_as_short_as_the_server_likes(cloud: Jira) -> None:
    cloud.manners.most_ids = 3

    assert set(pulled(cloud.connect())) == ALL


def test_a_history_spread_over_pages_is_put_together(cloud: Jira) -> None:
    issue = cloud.issue(5)
    for minute in range(6):
        world_status = "23"[minute % 2]
        cloud.world.change(issue, "status", world_status, actor="p-ann", at=NOW - timedelta(minutes=60 - minute))
    cloud.manners.most_histories = 2

    assert len(pulled(cloud.connect())["1005"].transitions) == len(issue.events)


def test_comments_beyond_what_the_field_holds_are_fetched(jira: Jira) -> None:
    jira.manners.comments_inline, jira.manners.most_comments = 2, 3
    for number in range(8):
        jira.world.add_comment(jira.issue(5), f"More {number}", actor="p-ann", id=str(900 + number))

    comments = pulled(jira.connect())["1005"].comments

    assert [comment.id for comment in comments] == [comment.id for comment in jira.issue(5).comments]


def test_an_issue_that_the_bulk_request_cannot_load_is_fetched_alone(cloud: Jira) -> None:
    cloud.manners.bulk_fails = {"1004"}

    assert set(pulled(cloud.connect())) == ALL


def test_an_issue_deleted_between_search_and_fetch_is_no_error(cloud: Jira) -> None:
    def delete(request: Request) -> None:
        if request.url.path.endswith("bulkfetch") and "1004" in cloud.world.issues:
            cloud.world.delete_issue(cloud.issue(4), actor=None)

    cloud.manners.before = delete

    assert set(pulled(cloud.connect())) == ALL - {"1004"}


@pytest.mark.usefixtures("small_pages")
def test_an_issue_deleted_under_offset_paging_hides_no_other(server: Jira) -> None:
    """Everything behind it moves up by one, so the row at the next page's edge would be skipped."""
    calls: Iterator[int] = iter(range(1000))

    def delete(request: Request) -> None:
        if request.url.path.endswith("/search") and next(calls) == 1:
            server.world.delete_issue(server.issue(1), actor=None)

    server.manners.before = delete

    assert set(pulled(server.connect(concurrency=1))) >= ALL - {"1001"}


@pytest.mark.usefixtures("small_pages")
def test_windows_stay_below_the_limit_of_the_search(server: Jira, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SERVER_WINDOW", 8)
    server.manners.search_window = 12

    assert set(pulled(server.connect())) == ALL
    assert {id for ids in server.connect().census("EX") for id in ids} == ALL


@pytest.mark.usefixtures("small_pages")
def test_a_server_that_gives_less_than_asked_is_followed(server: Jira) -> None:
    server.manners.most_server_issues = 3

    assert set(pulled(server.connect())) == ALL


def test_a_broken_issue_is_set_aside_and_the_others_go_on(jira: Jira) -> None:
    jira.issue(4).title = None  # type: ignore[assignment]
    jira.world.statuses["9"] = jira.world.statuses["2"]

    pages = list(jira.connect().pull("EX", None))

    assert {each.issue.id for page in pages for each in page.issues} == ALL - {"1004"}
    bad = [each for page in pages for each in page.quarantined]
    assert [(each.issue, each.path) for each in bad] == [("EX-4", "$.fields.summary")]
    assert json.loads(bad[0].raw)["issue"]["key"] == "EX-4"


def test_half_an_emoji_in_one_title_does_not_stop_the_pull(jira: Jira) -> None:
    """Jira counts in halves of characters when it cuts; strict readers take the whole page for broken."""
    jira.issue(4).title = "Cut in two HALF"
    jira.manners.spoils = lambda body: body.replace(b"HALF", rb"\ud83d")

    assert pulled(jira.connect())["1004"].title == "Cut in two \ufffd"


# -- incremental pulls -----------------------------------------------------------------------------------------------


def test_nothing_changed_costs_one_search(jira: Jira) -> None:
    connector = jira.connect()
    cursor = last_cursor(connector, last_cursor(connector))
    jira.faults.reset_counters()

    assert pulled(connector, cursor) == {}
    assert jira.faults.total == 1


def test_only_what_changed_is_fetched_again(jira: Jira) -> None:
    connector = jira.connect()
    cursor = last_cursor(connector)
    jira.world.change(jira.issue(3), "title", "New", actor="p-ann")

    assert set(pulled(connector, cursor)) == {"1003"}


def test_times_are_asked_in_a_form_that_no_profile_bends(jira: Jira) -> None:
    """The account's profile is eight hours west: a quoted time would be read in its zone and hide the change."""
    connector = jira.connect()
    cursor = last_cursor(connector)
    jira.world.change(jira.issue(3), "title", "New", actor="p-ann", at=datetime.now(UTC))

    assert "1003" in pulled(connector, cursor)


def test_a_change_that_the_search_noticed_late_is_not_lost(jira: Jira) -> None:
    """The older change is indexed after a newer one was pulled: the greatest time seen is no safe lower bound."""
    connector = jira.connect()
    cursor = last_cursor(connector)
    jira.manners.unindexed.add("1003")
    jira.world.change(jira.issue(3), "title", "Late", actor="p-ann", at=datetime.now(UTC) - timedelta(minutes=10))
    jira.world.change(jira.issue(4), "title", "Early", actor="p-ann")
    cursor = last_cursor(connector, cursor)
    jira.manners.unindexed.clear()

    assert pulled(connector, cursor)["1003"].title == "Late"


def test_two_changes_of_one_stamp_are_both_pulled(jira: Jira) -> None:
    """A database may keep whole seconds, so `updated` alone does not say that nothing happened since."""
    connector = jira.connect()
    at = datetime.now(UTC)
    jira.world.change(jira.issue(3), "title", "First", actor="p-ann", at=at)
    cursor = last_cursor(connector)
    jira.world.change(jira.issue(3), "title", "Second", actor="p-ann", at=at)

    assert pulled(connector, cursor)["1003"].title == "Second"


def test_an_issue_whose_stamp_another_change_may_still_share_is_not_taken_for_known() -> None:
    began = 1_767_225_600_000
    cursor = Cursor(started=began)

    cursor.note("young", began - 1_000)
    cursor.note("old", began - 3_000)

    assert not cursor.is_known("young", began - 1_000)
    assert cursor.is_known("old", began - 3_000)


@pytest.mark.usefixtures("small_pages")
def test_a_change_during_a_long_pull_is_found_by_the_next(jira: Jira) -> None:
    """An issue read early may change before the last page is read, an hour later; later changes must not hide it."""
    pages = jira.connect(concurrency=1).pull("EX", None)
    next(pages)
    jira.world.change(jira.issue(1), "title", "Meanwhile", actor="p-ann", at=NOW + timedelta(minutes=1))
    jira.world.change(jira.issue(ISSUES), "title", "An hour later", actor="p-ann", at=NOW + timedelta(hours=1))
    rest = list(pages)

    assert rest[-2].issues[-1].issue.title == "An hour later"
    assert pulled(jira.connect(), rest[-1].cursor)["1001"].title == "Meanwhile"


def test_in_a_quiet_project_a_late_entry_is_found_hours_later(jira: Jira) -> None:
    """The bound follows what was seen, not the clock."""
    connector = jira.connect()
    jira.manners.unindexed.add("1003")
    jira.world.change(jira.issue(3), "title", "Late", actor="p-ann", at=NOW - timedelta(hours=3, minutes=5))
    jira.world.change(jira.issue(4), "title", "Early", actor="p-ann", at=NOW - timedelta(hours=3))
    cursor = last_cursor(connector, last_cursor(connector))
    jira.manners.unindexed.clear()

    assert pulled(connector, cursor)["1003"].title == "Late"


@pytest.mark.usefixtures("small_pages")
def test_a_killed_incremental_pull_goes_on_and_reads_nothing_twice(jira: Jira) -> None:
    cursor = last_cursor(jira.connect())
    for number in range(1, 21):
        at = datetime.now(UTC) - timedelta(minutes=60 - 2 * number)
        jira.world.change(jira.issue(number), "title", "New", actor="p-ann", at=at)
    cursor = json.dumps(json.loads(cursor) | {"since": _ms(NOW - timedelta(hours=2))})
    pages = list(jira.connect().pull("EX", cursor))
    changed = {str(1000 + number) for number in range(1, 21)}

    for stop in range(1, len(pages) - 1):
        before = {each.issue.id for page in pages[:stop] for each in page.issues}
        rest = set(pulled(jira.connect(), pages[stop - 1].cursor))
        assert before | rest == changed
        assert not before & rest


def test_once_a_day_the_search_goes_back_a_whole_day(jira: Jira) -> None:
    connector = jira.connect()
    jira.manners.unindexed.add("1003")
    jira.world.change(jira.issue(3), "title", "Very late", actor="p-ann", at=NOW - timedelta(hours=10))
    jira.world.change(jira.issue(4), "title", "Now", actor="p-ann")
    cursor = last_cursor(connector)
    jira.manners.unindexed.clear()

    assert "1003" not in pulled(connector, cursor)
    a_day_ago = json.dumps(json.loads(cursor) | {"wide": _ms(NOW - timedelta(hours=25))})
    assert "1003" in pulled(connector, a_day_ago)
    again = json.loads(last_cursor(connector, a_day_ago))
    assert again["since"] >= json.loads(cursor)["since"]
    assert again["wide"] > _ms(NOW - timedelta(hours=1))


def test_an_issue_whose_history_is_behind_is_read_again(cloud: Jira) -> None:
    """The bulk changelog may lag behind the issue; whether it does is not documented."""
    connector = cloud.connect()
    issue, at = cloud.issue(3), datetime.now(UTC) - timedelta(minutes=1)
    issue.status, issue.updated_at = "3", at
    cursor = last_cursor(connector)
    issue.status = "2"
    cloud.world.change(issue, "status", "3", actor="p-ann", at=at)

    assert pulled(connector, cursor)["1003"].transitions[-1].after.id == "3"


def test_the_first_position_lies_before_the_pull_began(jira: Jira) -> None:
    jira.world.change(jira.issue(1), "title", "Just now", actor="p-ann")
    since = json.loads(last_cursor(jira.connect()))["since"]

    assert since <= _ms(datetime.now(UTC)) - OVERLAP


def test_a_spoiled_position_is_refused_with_the_remedy(jira: Jira) -> None:
    for text in ("nonsense", '{"v": 99}'):
        with pytest.raises(StoreError, match="pull --full"):
            list(jira.connect().pull("EX", text))


def test_an_archived_epic_is_known_by_its_id_as_any_other(server: Jira) -> None:
    """It is in no search, and its children name it by key alone."""
    child, epic = server.issue(1), server.issue(2)
    epic.type = "epic"
    server.world.change(child, "parent", epic.id, actor="p-ben")
    server.world.archive_issue(epic, actor="p-ben")

    assert pulled(server.connect())["1001"].parent == epic.id


# -- where issues went -----------------------------------------------------------------------------------------------


def test_a_moved_issue_is_located_as_moved_and_keeps_its_old_key(jira: Jira) -> None:
    issue = pulled(jira.connect())["1003"]
    jira.world.move_issue(jira.issue(3), "AB", actor="p-ann")
    connector = jira.connect(scope=("EX", "AB"))

    assert connector.locate(issue).value == "moved"
    moved = pulled(connector, scope="AB")["1003"]
    assert (moved.key, moved.aliases) == ("AB-1", ("EX-3",))


def test_an_issue_of_a_hidden_project_is_unreadable_not_deleted(jira: Jira) -> None:
    connector = jira.connect()
    issue = pulled(connector)["1003"]
    jira.world.projects["EX"].is_readable = False

    assert connector.locate(issue).value == "unreadable"


def test_an_archived_issue_is_present_although_no_search_finds_it(jira: Jira) -> None:
    connector = jira.connect()
    issue = pulled(connector)["1003"]
    jira.world.archive_issue(jira.issue(3), actor=None)

    assert "1003" not in {id for ids in connector.census("EX") for id in ids}
    assert connector.locate(issue).value == "archived"


# -- lists and refusals ----------------------------------------------------------------------------------------------


def test_reference_has_people_projects_and_sprints(jira: Jira) -> None:
    reference = jira.connect().reference()

    assert {person.id for person in reference.people} == set(jira.world.people)
    assert [(p.id, p.lead, p.body) for p in reference.projects] == [("EX", "p-ann", "Fewer lost invoices")]
    assert [(sprint.id, sprint.state) for sprint in reference.sprints] == [("7", "active")]
    assert (reference.own_account, reference.account_name) == ("p-bot", "Hygiene Bot")


def test_a_sprint_that_an_issue_left_is_known_in_full_after_reference(jira: Jira) -> None:
    for sprint in ("7", None):
        jira.world.change(jira.issue(1), "sprint", sprint, actor="p-ann")
    connector = jira.connect()
    connector.reference()

    left = pulled(connector)["1001"].sprints[0]

    assert (left.sprint.name, left.sprint.state) == ("EX Sprint 7", "active")
    assert left.removed_at is not None


def test_boards_may_be_out_of_reach(jira: Jira) -> None:
    """The agile part of the API has scopes of its own."""
    jira.manners.agile_scope = False
    connector = jira.connect()

    assert connector.reference().sprints == ()
    assert set(pulled(connector)) == ALL
    assert [check.level.value for check in connector.diagnose() if check.name == "boards"] == ["warning"]


def test_without_the_right_to_browse_users_those_who_can_be_assigned_are_known(jira: Jira) -> None:
    jira.manners.denied.add("USER_PICKER")

    assert {person.id for person in jira.connect().reference().people} == {"p-ann", "p-ben"}


def test_without_any_right_to_see_users_those_in_issues_are_known(jira: Jira) -> None:
    jira.manners.denied |= {"USER_PICKER", "ASSIGN_ISSUES"}
    jira.world.people["p-eve"] = WorldPerson("p-eve", "Eve Example", "eve")
    connector = jira.connect()
    pulled(connector)

    assert {person.id for person in connector.reference().people} == {"p-ann", "p-ben"}


def test_scopes_may_be_patterns_and_in_any_case(jira: Jira) -> None:
    assert jira.connect(scope=("*",)).scopes() == ["AB", "EX"]
    assert jira.connect(scope=("ex",)).scopes() == ["EX"]


def test_an_unknown_project_is_named_with_near_ones(jira: Jira) -> None:
    with pytest.raises(NotFound, match=r"'EXX'.*EX"):
        jira.connect(scope=("EXX",)).scopes()


def test_missing_rights_are_told_with_the_remedy(jira: Jira) -> None:
    jira.manners.denied |= {"ADD_COMMENTS", "EDIT_ISSUES"}

    checks = {check.name: check for check in jira.connect().diagnose()}

    assert checks["write-back EX"].level.value == "warning"
    assert "Add comments" in checks["write-back EX"].fact
    assert "Edit issues" in checks["write-back EX"].remedy


def test_an_invisible_scope_and_a_wrong_field_are_bad(jira: Jira) -> None:
    checks = {c.name: c for c in jira.connect(scope=("NO",), fields={"outcome": "customfield_9"}).diagnose()}

    assert checks["scope NO"].level.value == "bad"
    assert checks["field outcome"].level.value == "bad"


def test_a_status_without_class_is_reported(jira: Jira) -> None:
    connector = jira.connect(statuses={"2": "unknown"})

    assert any("In Progress (2)" in check.fact for check in connector.diagnose() if check.name == "statuses")


def test_discovery_lists_custom_fields(jira: Jira) -> None:
    facts = jira.connect().discover()

    assert ("EX", "Example") in facts.scopes
    assert "Acceptance Criteria" in dict(facts.fields).values()
    assert "Story" in facts.types


def test_the_wrong_deployment_is_told_apart(cloud: Jira, server: Jira) -> None:
    with pytest.raises(RequestRefused, match="deployment is Cloud"):
        pulled(cloud.connect(deployment="server"))
    with pytest.raises(NotFound):
        pulled(server.connect(deployment="cloud"))


def test_the_right_token_of_somebody_else_is_refused(cloud: Jira) -> None:
    with pytest.raises(TokenRefused):
        pulled(cloud.connect(user="someone@example.test"))


def test_the_token_is_in_no_error_and_no_name(jira: Jira) -> None:
    connector = jira.connect(token="very-secret-token")
    texts = [repr(connector), repr(connector.__dict__)]
    for call in (lambda: pulled(connector), connector.reference, connector.discover):
        with pytest.raises(TokenRefused) as error:
            call()
        texts.append(repr(error.value))

    assert all("very-secret-token" not in text for text in texts)


# -- bad days --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    "weather",
    [
        {"server_error_share": 0.25}, {"truncated_share": 0.25}, {"broken_json_share": 0.15, "html_share": 0.1},
        {"lost_answer_share": 0.25}, {"latency": 0.01, "latency_jitter": 0.02},
    ],
)  # fmt: skip
def test_a_pull_rides_out_bad_weather(jira: Jira, weather: dict[str, Any]) -> None:
    jira.faults.update(weather)

    assert set(pulled(jira.connect())) == ALL


@pytest.mark.usefixtures("small_pages")
def test_a_rate_limit_is_waited_for(jira: Jira) -> None:
    jira.faults.update({"rate_limit": 9, "rate_window": 0.5})
    connector = jira.connect(sleep=time.sleep)

    assert set(pulled(connector)) == ALL
    assert connector.usage.waited > 0


def test_a_request_that_never_succeeds_is_given_up(jira: Jira) -> None:
    jira.faults.update({"server_error_share": 1.0})

    with pytest.raises(TrackerDown):
        pulled(jira.connect())


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
