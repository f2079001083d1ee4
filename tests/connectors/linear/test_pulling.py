"""Pulling from Linear: its limits, its ties, and what moves no `updatedAt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse
from starlette.types import Message, Receive, Scope, Send

from backlint.connectors.contract import Page, Whereabouts
from backlint.connectors.linear import queries
from backlint.connectors.linear.connector import LinearConnector
from backlint.connectors.sandbox import linear as sandbox
from backlint.connectors.sandbox.linear import linear_app
from backlint.connectors.sandbox.linear_complexity import complexity
from backlint.connectors.sandbox.server import serve
from backlint.errors import NotFound, RequestRefused, TrackerDown
from backlint.model import Issue, LinkKind, Presence
from tests.connectors.linear.conftest import BOT, LONG_AGO, MIA, Everything, Linear, issues_of

RECENT = datetime.now(UTC) - timedelta(minutes=30)


def keys(issues: dict[str, Issue]) -> list[str]:
    return sorted(issue.key for issue in issues.values())


def last_cursor(connector: LinearConnector) -> str:
    return list(connector.pull("ENG", None))[-1].cursor


# -- the first pull ----------------------------------------------------------------------------------------------------


def test_pages_are_windows_of_numbers_and_say_how_many_issues_are_expected(linear: Linear) -> None:
    for _ in range(12):
        linear.add()

    pages = list(linear.connect(page=5).pull("ENG", None))

    assert [len(page.issues) for page in pages] == [5, 5, 2, 0]
    assert {page.expected for page in pages} == {12}
    assert [page.is_last for page in pages] == [False, False, False, True]


def test_windows_are_fetched_side_by_side(linear: Linear) -> None:
    for _ in range(30):
        linear.add()
    linear.faults.latency = 0.03

    list(linear.connect(page=5).pull("ENG", None))

    assert linear.faults.max_concurrency >= 3


def test_an_issue_moved_into_the_team_has_a_higher_number_than_the_newest_one(
    linear: Linear, everything: Everything
) -> None:
    linear.add("newest", number=3, created_at=LONG_AGO + timedelta(days=9))
    moved = linear.add("old and moved", number=40)

    assert moved.id in everything(linear.connect(page=2))


def test_gaps_in_the_numbers_cost_few_requests(linear: Linear, everything: Everything) -> None:
    for number in range(1, 1001, 20):
        linear.add(number=number)
    connector = linear.connect(page=25)

    assert len(everything(connector)) == 50
    assert connector.usage.requests < 10


def test_a_crowded_window_among_gaps_is_read_to_its_end(linear: Linear, everything: Everything) -> None:
    for number in (*range(1, 20), *range(480, 501)):
        linear.add(number=number)

    assert len(everything(linear.connect(page=5))) == 40


def test_a_first_pull_goes_on_behind_any_page(linear: Linear, everything: Everything) -> None:
    for _ in range(11):
        linear.add()
    pages = list(linear.connect(page=3).pull("ENG", None))
    whole = issues_of(pages)

    for stop in range(1, len(pages)):
        rest = everything(linear.connect(page=3), pages[stop - 1].cursor)
        assert issues_of(pages[:stop]) | rest == whole
        assert len(rest) <= len(whole) - 3 * min(stop, 3)


def test_what_changes_during_the_first_pull_is_in_the_next_one(linear: Linear, everything: Everything) -> None:
    first = linear.add()
    for _ in range(5):
        linear.add()
    pages = []
    for page in linear.connect(page=2).pull("ENG", None):
        pages.append(page)
        if len(pages) == 2:
            linear.world.change(first, "title", "Changed behind our back", actor=MIA)

    again = everything(linear.connect(), pages[-1].cursor)

    assert again[first.id].title == "Changed behind our back"


# -- the complexity limit ----------------------------------------------------------------------------------------------


def test_a_too_complex_query_is_asked_again_with_half_the_issues(linear: Linear, everything: Everything) -> None:
    for _ in range(200):
        linear.add()

    assert len(everything(linear.connect(page=200))) == 200


def test_more_history_than_fits_beside_an_issue_is_fetched_to_the_end(linear: Linear, everything: Everything) -> None:
    busy, quiet = linear.add(), linear.add()
    for number in range(130):
        at = LONG_AGO + timedelta(hours=number + 1)
        linear.world.change(busy, "estimate", float(number), actor=MIA, at=at)
    linear.world.change(busy, "status", "s-started", actor=MIA, at=LONG_AGO + timedelta(days=30))
    connector = linear.connect()

    pulled = everything(connector)

    estimates = [change.after for change in pulled[busy.id].changes if change.field == "estimate"]
    assert estimates == [str(number) for number in range(130)]
    assert pulled[quiet.id].changes == ()
    assert connector.usage.requests <= 8  # lists, team, two windows, and three further pages of one history


def test_the_payload_that_is_kept_holds_the_fetched_rest_too(linear: Linear) -> None:
    busy = linear.add()
    for number in range(20):
        linear.world.change(busy, "estimate", float(number), actor=MIA, at=LONG_AGO + timedelta(hours=number + 1))

    kept = next(pulled for page in linear.connect().pull("ENG", None) for pulled in page.issues).raw

    assert kept.count(b'"toEstimate":') == 20


def test_all_comments_and_links_come_however_many(linear: Linear, everything: Everything) -> None:
    busy = linear.add()
    for number in range(60):
        linear.world.add_comment(busy, f"Comment {number}", actor=MIA, at=LONG_AGO + timedelta(hours=number))
    others = [linear.add() for _ in range(8)]
    busy.links = [("blocks", other.id) for other in others]

    pulled = everything(linear.connect())

    assert [comment.body for comment in pulled[busy.id].comments] == [f"Comment {number}" for number in range(60)]
    assert {link.target for link in pulled[busy.id].links} == {other.id for other in others}
    assert [(link.kind, link.target) for link in pulled[others[0].id].links] == [(LinkKind.BLOCKED_BY, busy.id)]


# -- incremental pulls -------------------------------------------------------------------------------------------------


def test_a_pull_without_changes_costs_three_requests_whatever_the_size(linear: Linear) -> None:
    for _ in range(40):
        linear.add()
    connector = linear.connect(page=5)
    cursor = last_cursor(connector)
    before = connector.usage.requests

    pages = list(connector.pull("ENG", cursor))

    assert sum(len(page.issues) for page in pages) == 0
    assert connector.usage.requests - before == 3


def test_many_changes_of_one_millisecond_are_all_seen(linear: Linear, everything: Everything) -> None:
    issues = [linear.add() for _ in range(23)]
    cursor = last_cursor(linear.connect())
    moment = datetime.now(UTC)
    for issue in issues:
        issue.updated_at = moment

    assert len(everything(linear.connect(page=4), cursor)) == 23


def test_issues_that_change_while_they_are_read_do_not_hide_others(linear: Linear) -> None:
    """Linear's cursor stands where its issue stands now: one that moves to the end would take the cursor along."""
    issues = [linear.add(updated_at=RECENT + timedelta(seconds=number)) for number in range(9)]
    cursor = '{"since":"2026-03-01T00:00:00Z"}'
    pages = []
    for page in linear.connect(page=3).pull("ENG", cursor):
        pages.append(page)
        if len(pages) == 1:
            linear.world.change(issues[2], "title", "Moved to the end", actor=MIA, at=datetime.now(UTC))

    assert {issue.id for issue in issues} <= issues_of(pages).keys()


def test_an_incremental_pull_goes_on_behind_any_page(linear: Linear, everything: Everything) -> None:
    changed = [linear.add(updated_at=RECENT + timedelta(seconds=number // 3)) for number in range(10)]
    cursor = '{"since":"2026-03-01T00:00:00Z"}'
    pages = list(linear.connect(page=3).pull("ENG", cursor))

    for stop in range(1, len(pages)):
        rest = everything(linear.connect(page=3), pages[stop - 1].cursor)
        assert issues_of(pages[:stop]).keys() | rest.keys() == {issue.id for issue in changed}


@pytest.mark.parametrize("minutes", [-30, 30])
def test_a_clock_that_differs_from_linears_loses_nothing(linear: Linear, everything: Everything, minutes: int) -> None:
    linear.world.clock = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    issue = linear.add()
    cursor = last_cursor(linear.connect())
    linear.world.change(issue, "title", "Changed by Linear's clock", actor=MIA)

    assert everything(linear.connect(), cursor)[issue.id].title == "Changed by Linear's clock"


def test_what_linear_wrote_while_the_last_pull_looked_is_read_by_the_next(
    linear: Linear, everything: Everything
) -> None:
    issue = linear.add()
    cursor = last_cursor(linear.connect())
    issue.updated_at = datetime.now(UTC) - timedelta(seconds=90)  # committed late, with an earlier time

    assert issue.id in everything(linear.connect(), cursor)


def test_archiving_is_seen_although_it_moves_no_time_of_change(linear: Linear, everything: Everything) -> None:
    issue = linear.add()
    linear.add()
    cursor = last_cursor(linear.connect())
    linear.world.archive_issue(issue, actor=MIA)
    assert issue.updated_at == LONG_AGO

    again = everything(linear.connect(), cursor)

    assert list(again) == [issue.id]
    assert again[issue.id].is_archived


def test_a_trashed_issue_is_pulled_as_deleted_and_left_out_of_the_census(
    linear: Linear, everything: Everything
) -> None:
    issue, kept = linear.add(), linear.add()
    connector = linear.connect()
    cursor = last_cursor(connector)
    linear.world.archive_issue(issue, actor=MIA)
    issue.is_trashed = True

    again = everything(connector, cursor)

    assert again[issue.id].presence is Presence.DELETED
    assert [id for ids in connector.census("ENG") for id in ids] == [kept.id]
    assert connector.locate(again[issue.id]) is Whereabouts.DELETED
    with pytest.raises(NotFound, match="trash"):
        connector.read(again[issue.id])


def test_a_comment_is_seen_even_if_it_moves_no_time_of_change(linear: Linear, everything: Everything) -> None:
    issue = linear.add()
    linear.add()
    cursor = last_cursor(linear.connect())
    linear.world.add_comment(issue, "Who decides?", actor=MIA)
    issue.updated_at = LONG_AGO

    again = everything(linear.connect(), cursor)

    assert [comment.body for comment in again[issue.id].comments] == ["Who decides?"]
    assert list(again) == [issue.id]


def test_very_many_comments_are_swept_to_the_end(linear: Linear, everything: Everything) -> None:
    issues = [linear.add() for _ in range(3)]
    cursor = last_cursor(linear.connect())
    moment = datetime.now(UTC)
    for issue in issues:
        for number in range(130):
            linear.world.add_comment(issue, "Same", actor=MIA, at=moment + timedelta(milliseconds=number // 50))
        issue.updated_at = LONG_AGO

    assert len(everything(linear.connect(), cursor)) == 3


def test_a_label_renamed_or_made_since_is_known_by_its_name(linear: Linear, everything: Everything) -> None:
    issue = linear.add()
    connector = linear.connect()
    cursor = last_cursor(connector)
    linear.world.add_labels(issue, ["made-just-now"], actor=MIA)

    assert everything(connector, cursor)[issue.id].labels == {"made-just-now"}


def test_a_cursor_that_is_none_of_ours_is_refused_with_the_remedy(linear: Linear) -> None:
    with pytest.raises(RequestRefused, match="--full"):
        list(linear.connect().pull("ENG", "garbage"))


# -- teams, presence, faults -------------------------------------------------------------------------------------------


def test_a_star_means_every_team_and_a_wrong_key_names_near_ones(linear: Linear) -> None:
    assert list(linear.connect(scope=("*",)).scopes()) == ["ENG", "OPS"]
    with pytest.raises(NotFound, match=r"'ENGG'.*ENG"):
        linear.connect(scope=("ENGG",)).scopes()


def test_a_move_to_a_team_outside_the_scope_is_located_and_keeps_the_old_key(
    linear: Linear, everything: Everything
) -> None:
    issue = linear.add()
    before = everything(linear.connect())[issue.id]
    linear.world.move_issue(issue, "OPS", actor=MIA)

    assert linear.connect().locate(before) is Whereabouts.MOVED
    assert linear.connect(scope=("ENG", "OPS")).locate(before) is Whereabouts.PRESENT
    moved = everything(linear.connect(scope=("OPS",)), scope="OPS")[issue.id]
    assert (moved.key, moved.aliases, moved.team) == ("OPS-1", ("ENG-1",), "OPS")


def test_an_issue_of_a_team_that_cannot_be_seen_any_more_is_unreadable_and_not_deleted(
    linear: Linear, everything: Everything
) -> None:
    issue = linear.add()
    before = everything(linear.connect())[issue.id]
    linear.world.projects["ENG"].is_readable = False

    assert linear.connect().locate(before) is Whereabouts.UNREADABLE


def test_the_project_brings_lead_and_outcome(linear: Linear, everything: Everything) -> None:
    issue = linear.add()
    connector = linear.connect()

    reference = connector.reference()

    pulled = everything(connector)[issue.id]
    project = next(each for each in reference.projects if each.id == pulled.project)
    assert (project.lead, project.body) == (MIA, "Outcome: fewer tickets")
    assert reference.own_account == BOT


def test_one_unreadable_issue_is_set_aside_and_the_others_go_on(linear: Linear) -> None:
    good, bad = linear.add(), linear.add("Cannot be read")

    pages = _pulled(linear, lambda body: body.replace(b'"title":"Cannot be read"', b'"title":null'))

    assert [pulled.issue.id for page in pages for pulled in page.issues] == [good.id]
    quarantined = [each for page in pages for each in page.quarantined]
    assert [(each.issue, each.path) for each in quarantined] == [(bad.key, "$.title")]


def test_an_issue_of_which_linear_cannot_give_a_part_is_set_aside(linear: Linear) -> None:
    linear.add()
    failed = b'{"errors":[{"message":"Failed","path":["issues","nodes",0,"creator"],"extensions":{}}],"data":'

    pages = _pulled(linear, lambda body: body.replace(b'{"data":', failed, 1) if b'"identifier"' in body else body)

    assert [each.reason for page in pages for each in page.quarantined] == [
        "acme issue ENG-1: Linear says: creator: Failed"
    ]


def test_an_issue_that_spoils_its_whole_page_is_found_and_set_aside(linear: Linear) -> None:
    good, spoiler, other = linear.add(), linear.add("Spoils the page"), linear.add()

    def fail(body: bytes) -> bytes:
        nodes = (json.loads(body)["data"].get("issues") or {}).get("nodes", ())
        place = next((n for n, node in enumerate(nodes) if node.get("title") == spoiler.title), None)
        if place is None:
            return body
        path = ["issues", "nodes", place, "history"]
        error = {"message": "Failed", "path": path, "extensions": {"type": "internal error"}}
        return json.dumps({"errors": [error], "data": None}).encode()

    pages = _pulled(linear, fail)

    assert {pulled.issue.id for page in pages for pulled in page.issues} == {good.id, other.id}
    assert [(each.issue, each.reason) for page in pages for each in page.quarantined] == [
        (spoiler.key, f"acme issue {spoiler.key}: Linear says: acme: Linear failed: Failed")
    ]


def test_an_unreadable_entry_in_the_rest_of_a_history_sets_its_issue_aside(linear: Linear) -> None:
    good, busy = linear.add(), linear.add()
    for number in range(12):
        linear.world.change(busy, "title", f"Title {number}", actor=MIA, at=LONG_AGO + timedelta(hours=number + 1))
    first = b'"createdAt":"2026-03-02T10:00:00.000Z"'

    pages = _pulled(linear, lambda body: body.replace(first, b'"createdAt":null') if b"part0" in body else body)

    assert [pulled.issue.id for page in pages for pulled in page.issues] == [good.id]
    assert [each.path for page in pages for each in page.quarantined] == ["$.history.nodes[11].createdAt"]


def _pulled(linear: Linear, change: Callable[[bytes], bytes]) -> list[Page]:
    """A pull in which every answer is changed on its way."""
    inner = linear_app(linear.world, sandbox=linear.sandbox)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: list[Message] = []

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            body = change(message["body"])
            headers = [pair for pair in start[0]["headers"] if pair[0] != b"content-length"]
            await send({**start[0], "headers": headers})
            await send({**message, "body": body})

        await inner(scope, receive, changed if scope["type"] == "http" else send)

    with serve(app) as running:
        connector = linear.connect(at=running.url)
        return list(connector.pull("ENG", None))


@pytest.mark.parametrize("kind", ["server_error", "html", "truncated", "broken_json", "lost_answer"])
def test_a_pull_under_passing_faults_gives_everything(linear: Linear, everything: Everything, kind: str) -> None:
    for _ in range(20):
        linear.add()
    connector = linear.connect(page=4)
    linear.faults.fail_next(3, kind)

    assert len(everything(connector)) == 20


def test_a_rate_limit_is_waited_for_and_the_pull_goes_on(linear: Linear, everything: Everything) -> None:
    linear.add()
    linear.faults.fail_next(2, "rate_limit")
    connector = linear.connect()

    assert len(everything(connector)) == 1
    assert linear.faults.injected["rate_limit"] == 2


def test_a_rate_limit_longer_than_allowed_ends_the_run_and_says_when(linear: Linear) -> None:
    linear.faults.rate_limit, linear.faults.rate_window = 0, 900.0

    with pytest.raises(TrackerDown, match=r"rate limit \(requests\), free again in 9\d\d s|8\d\d s") as refusal:
        list(linear.connect().pull("ENG", None))
    assert refusal.value.retry_after is not None


# -- sizes -------------------------------------------------------------------------------------------------------------


def test_every_query_fits_the_complexity_limit() -> None:
    schema = build_schema(Path(sandbox.__file__).with_name("linear.graphql").read_text(encoding="utf-8"))

    def points(document: str, **variables: Any) -> int:
        return complexity(schema, parse(document), variables)

    assert 9_000 < points(queries.ISSUES, first=queries.PAGE) <= 10_000
    assert points(queries.lists(list(queries.LISTS))) <= 10_000
    assert points(queries.ISSUE_IDS, first=queries.LIST) <= 1_000
    for name in (*queries.INLINE, "stateHistory"):
        assert points(queries.rest([name] * queries.REST_ISSUES)) <= 10_000
