"""Traps of pulling from GitHub, each met over real HTTP against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from backlint.connectors.github.connector import GitHubConnector
from backlint.connectors.github.mapping import Reading
from backlint.connectors.github.position import Position
from backlint.connectors.github.pulling import Pull, spans
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.github import GithubSandbox, github_app, graphql_limited, secondary_limited
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.world import (
    World,
)
from backlint.errors import NotFound, RequestRefused, TrackerDown
from backlint.model import Issue, LinkKind, StatusCategory
from tests.connectors.github.worlds import SCOPE, START, Clock, fill, pulled, requests_of

# -- how much is asked for ---------------------------------------------------------------------------------------------


def test_a_full_pull_takes_a_request_for_each_hundred_and_one_for_each_fifty(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 230)

    pages, requests = requests_of(connector := connect(serving()), lambda: list(connector.pull(SCOPE, None)))

    assert len(pulled(pages)) == 230
    assert [len(page.issues) for page in pages] == [50, 50, 50, 50, 30]
    assert [page.is_last for page in pages] == [False] * 4 + [True]
    assert {page.expected for page in pages} == {230}
    # repository, schema, boards, account, newest entry, three pages of the list, five batches
    assert requests == 4 + 1 + 3 + 5


def parted(connector: GitHubConnector, **given: Any) -> Pull:
    """A pull that reads the list of changes in several places at once, however short it is."""
    home = connector.home(SCOPE)
    return Pull(
        client=connector.client, home=home, reading=Reading(source="gh", now=datetime.now(UTC)), start=Position(),
        has_boards=False, on_boards_hidden=lambda _error: None, parted_from=100, window=30, **given,
    )  # fmt: skip


def test_a_long_list_read_in_several_places_at_once_gives_every_issue_once_and_in_order(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 230)

    pages = list(parted(connect(serving())).pages())

    found = [each.issue for page in pages for each in page.issues]
    assert len(found) == len({issue.id for issue in found}) == 230
    assert [issue.updated_at for issue in found] == sorted(issue.updated_at for issue in found if issue.updated_at)


def test_what_changes_while_a_long_list_is_read_is_read_again_at_its_end(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 420)
    seen: dict[str, Issue] = {}

    for number, page in enumerate(parted(connect(serving(), concurrency=1)).pages()):
        seen |= pulled([page])
        if number == 0:
            for id in ("1", "399"):
                world.change(world.issues[id], "title", "Changed meanwhile", actor="501")

    assert len(seen) == 420
    assert seen[f"{SCOPE}#399"].title == seen[f"{SCOPE}#1"].title == "Changed meanwhile"


def test_spans_hold_so_many_changes_and_the_last_one_is_open() -> None:
    grid = [START + timedelta(days=n) for n in range(5)]

    assert spans(grid, [100, 90, 40, 39, 0], size=50) == [(grid[0], grid[2]), (grid[2], None)]
    assert spans(grid, [7, 0, 0, 0, 0], size=50) == [(grid[0], None)]


def test_issues_come_oldest_change_first_so_that_a_kill_loses_nothing(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 120)

    pages = list(connect(serving()).pull(SCOPE, None))

    updated = [each.issue.updated_at for page in pages for each in page.issues]
    assert updated == sorted(updated, key=lambda at: at or START)


def test_a_pull_without_news_is_one_free_request(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 120)
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor

    pages, requests = requests_of(connector, lambda: list(connector.pull(SCOPE, cursor)))

    assert [page.issues for page in pages] == [()]
    assert pages[0].is_last
    assert requests == 1


def test_the_cost_of_an_incremental_pull_follows_the_changed_issues(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 400)
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor
    world.change(world.issues["3"], "title", "Renamed", actor="501")

    pages, requests = requests_of(connector, lambda: list(connector.pull(SCOPE, cursor)))

    assert pulled(pages)[f"{SCOPE}#3"].title == "Renamed"
    assert len(pulled(pages)) <= 2  # and the one on the last second, which is never sure
    assert requests == 3


def test_many_issues_of_one_second_are_neither_lost_nor_sent_for_ever(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 250, every=timedelta(0))
    connector = connect(serving())

    pages = list(connector.pull(SCOPE, None))
    assert len(pulled(pages)) == 250

    clock.now += timedelta(hours=1)
    world.change(world.issues["7"], "title", "Renamed", actor="501")
    after = list(connector.pull(SCOPE, pages[-1].cursor))
    world.change(world.issues["8"], "title", "Renamed", actor="501")
    assert set(pulled(list(connector.pull(SCOPE, after[-1].cursor)))) == {f"{SCOPE}#7", f"{SCOPE}#8"}


def test_a_second_change_within_the_last_second_is_seen(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 60)
    connector = connect(serving())
    world.change(world.issues["5"], "title", "First", actor="501")
    cursor = list(connector.pull(SCOPE, None))[-1].cursor

    world.change(world.issues["5"], "title", "Second", actor="501")  # the clock of the world stands still

    assert pulled(list(connector.pull(SCOPE, cursor)))[f"{SCOPE}#5"].title == "Second"


def test_a_bulk_edit_just_before_the_last_pull_is_not_sent_again(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 60)
    for id in range(1, 41):
        world.add_labels(world.issues[str(id)], ["triaged"], actor="501")
    clock.now += timedelta(seconds=30)
    world.change(world.issues["50"], "title", "Renamed", actor="501")
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor
    clock.now += timedelta(seconds=30)
    world.change(world.issues["51"], "title", "Renamed", actor="501")

    assert set(pulled(list(connector.pull(SCOPE, cursor)))) == {f"{SCOPE}#50", f"{SCOPE}#51"}


def test_an_issue_that_github_s_copies_showed_late_comes_with_the_next_change(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 60)
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor
    newest = world.issues["60"].updated_at

    fill(world, 1, first=61)
    world.issues["61"].updated_at = newest - timedelta(seconds=50)
    world.change(world.issues["5"], "title", "Renamed", actor="501")

    assert {f"{SCOPE}#5", f"{SCOPE}#61"} <= set(pulled(list(connector.pull(SCOPE, cursor))))


def test_the_first_pull_goes_on_behind_every_page_with_another_connector(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 230)
    server = serving()
    pages = list(connect(server).pull(SCOPE, None))
    whole = pulled(pages)

    for stop in range(1, len(pages)):
        rest = list(connect(server).pull(SCOPE, pages[stop - 1].cursor))
        assert pulled(pages[:stop]) | pulled(rest) == whole
        assert len(pulled(rest)) <= 230 - 50 * stop + 1


def test_an_incremental_pull_goes_on_behind_every_page_too(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 200)
    started(world, "2", at=START + timedelta(days=1))
    server = serving()
    cursor = list(connect(server).pull(SCOPE, None))[-1].cursor
    for id in range(1, 171):
        clock.now += timedelta(seconds=20)
        world.change(world.issues[str(id)], "title", f"Renamed {id}", actor="501")
    clock.now += timedelta(minutes=1)
    pages = list(connect(server).pull(SCOPE, cursor))
    whole = pulled(pages)
    assert set(whole) >= {f"{SCOPE}#{id}" for id in range(1, 171)}

    for stop in range(1, len(pages)):
        rest = list(connect(server).pull(SCOPE, pages[stop - 1].cursor))
        assert pulled(pages[:stop]) | pulled(rest) == whole
        assert list(connect(server).pull(SCOPE, rest[-1].cursor))[-1].issues == ()


def test_a_change_within_the_second_of_the_newest_one_is_not_taken_for_no_change(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    """The newest entry stays as it is, and with it its ETag: GitHub would answer 304."""
    fill(world, 3)
    server = serving()
    clock.now = START.replace(microsecond=0) + timedelta(days=30)
    world.change(world.issues["3"], "title", "First", actor="501")
    cursor = list(connect(server).pull(SCOPE, None))[-1].cursor
    clock.now += timedelta(milliseconds=300)
    world.change(world.issues["1"], "title", "Second", actor="501")

    again = pulled(list(connect(server).pull(SCOPE, cursor)))

    assert again[f"{SCOPE}#1"].title == "Second"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_pull_through_bad_weather_gives_what_a_calm_one_gives(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], faults: Faults, seed: int
) -> None:
    """A tenth of the requests fail in each of four ways; a pull that gives up is begun again where it stopped."""
    fill(world, 260)
    server = serving()
    calm = pulled(list(connect(server).pull(SCOPE, None)))
    faults.update(
        {"server_error_share": 0.1, "lost_answer_share": 0.1, "truncated_share": 0.1, "broken_json_share": 0.1}
    )
    faults.seed = seed

    seen: dict[str, Issue] = {}
    cursor: str | None = None
    for _attempt in range(20):
        try:
            for page in connect(server, concurrency=2).pull(SCOPE, cursor):
                seen, cursor = seen | pulled([page]), page.cursor
                if page.is_last:
                    break
            break
        except TrackerDown:
            continue

    assert seen == calm


def test_an_issue_that_changes_while_the_pull_runs_is_not_skipped(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    """It moves to the end of the list: with page numbers the one behind it would fall into the page before."""
    fill(world, 420)
    connector = connect(serving(), concurrency=1)
    seen: dict[str, Issue] = {}
    pull = connector.pull(SCOPE, None)

    for number, page in enumerate(pull):
        seen |= pulled([page])
        if number == 0:
            for id in ("1", "2", "399"):
                world.change(world.issues[id], "title", "Changed meanwhile", actor="501")
        cursor = page.cursor
    seen |= pulled(list(connector.pull(SCOPE, cursor)))

    assert len(seen) == 420
    assert seen[f"{SCOPE}#399"].title == seen[f"{SCOPE}#1"].title == "Changed meanwhile"


def test_a_history_of_more_than_a_hundred_entries_is_read_to_its_end(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 3)
    issue = world.issues["2"]
    for number in range(260):
        at = START + timedelta(hours=number + 2)
        world.change(issue, "status", "todo" if number % 2 else "in_progress", actor="501", at=at)
        world.change(issue, "title", f"Title {number}", actor="502", at=at)
        world.add_comment(issue, f"Comment {number}", actor="502", at=at)

    found = pulled(list(connect(serving()).pull(SCOPE, None)))[f"{SCOPE}#2"]

    assert [comment.body for comment in found.comments] == [f"Comment {number}" for number in range(260)]
    assert len(found.transitions) == 260
    assert len([change for change in found.changes if change.field == "title"]) == 260
    assert found.history_is_complete


async def whole(receive: Any) -> dict[str, Any]:
    """A request's body in one message, in however many pieces it came."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body, is_more = body + message.get("body", b""), message.get("more_body", False)
    return {"type": "http.request", "body": body, "more_body": False}


def test_a_batch_that_is_too_heavy_is_halved_and_later_ones_stay_small(
    world: World, connect: Callable[..., GitHubConnector], faults: Faults
) -> None:
    fill(world, 120)
    app = github_app(world)
    sizes: list[int] = []

    async def weak(scope: Any, receive: Any, send: Any) -> None:
        """Gives up on more than twenty issues at once, as a server does after ten seconds."""
        message = await whole(receive) if scope["type"] == "http" and scope["path"] == "/graphql" else None

        async def again() -> Any:
            return message

        if message is not None:
            ids = json.loads(message["body"])["variables"].get("ids", [])
            if len(ids) > 20:
                await Response("<html>", 502, media_type="text/html")(scope, receive, send)
                return
            sizes.append(len(ids)) if ids else None
        await app(scope, again if message is not None else receive, send)

    with serve(weak) as server:
        pages = list(connect(server, concurrency=1).pull(SCOPE, None))

    assert len(pulled(pages)) == 120
    assert max(sizes) <= 20


# -- what GitHub leaves out or says halfway ----------------------------------------------------------------------------


def spoiled(world: World, spoil: Callable[[dict[str, Any], dict[str, Any]], None], **given: Any) -> Any:
    """The sandbox with its GraphQL answers changed on their way out; `spoil` is told what was asked with."""
    app = github_app(world, sandbox=GithubSandbox(world, **given))

    async def between(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await app(scope, receive, send)
            return
        message = await whole(receive)
        variables = json.loads(message["body"])["variables"]
        parts: list[bytes] = []

        async def again() -> Any:
            return message

        async def keep(sent: Any) -> None:
            parts.append(sent.get("body", b""))

        await app(scope, again, keep)
        answer = json.loads(b"".join(parts))
        spoil(answer, variables)
        await JSONResponse(answer)(scope, receive, send)

    return between


def test_a_null_entry_is_asked_for_again_and_does_not_pass_for_deleted(
    world: World, connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 10)

    def leave_out(answer: dict[str, Any], variables: dict[str, Any]) -> None:
        if len(variables.get("ids", ())) > 1:
            answer["data"]["nodes"][4] = None
            answer["errors"] = [{"message": "Something else went wrong", "path": ["nodes", 4]}]

    with serve(spoiled(world, leave_out)) as server:
        pages = list(connect(server).pull(SCOPE, None))

    assert len(pulled(pages)) == 10


def test_an_entry_that_never_comes_is_set_aside_and_the_rest_goes_on(
    world: World, connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 10)

    def leave_out(answer: dict[str, Any], variables: dict[str, Any]) -> None:
        for place, id in enumerate(variables.get("ids", ())):
            if id == "I_kwDO4":
                answer["data"]["nodes"][place] = None
                answer["errors"] = [{"message": "It will not be", "path": ["nodes", place]}]

    with serve(spoiled(world, leave_out)) as server:
        pages = list(connect(server).pull(SCOPE, None))

    assert len(pulled(pages)) == 9
    (aside,) = [each for page in pages for each in page.quarantined]
    assert (aside.issue, aside.reason) == ("I_kwDO4", "It will not be")


def test_a_payload_that_cannot_be_read_is_set_aside_with_its_raw_text(
    world: World, connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 10)

    def cripple(answer: dict[str, Any], variables: dict[str, Any]) -> None:
        for node in answer["data"].get("nodes", ()):
            if node and node.get("number") == 4:
                del node["title"]

    with serve(spoiled(world, cripple)) as server:
        pages = list(connect(server).pull(SCOPE, None))

    assert len(pulled(pages)) == 9
    (aside,) = [each for page in pages for each in page.quarantined]
    assert aside.issue == f"{SCOPE}#4"
    assert "title" in aside.reason
    assert json.loads(aside.raw)["issue"]["number"] == 4


def test_an_issue_that_is_deleted_between_the_list_and_its_history_is_no_error(
    world: World, connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 10)

    def lose(answer: dict[str, Any], variables: dict[str, Any]) -> None:
        if "ids" not in variables:
            return
        place = variables["ids"].index("I_kwDO4")
        answer["data"]["nodes"][place] = None
        answer["errors"] = [{"type": "NOT_FOUND", "message": "Could not resolve", "path": ["nodes", place]}]

    with serve(spoiled(world, lose)) as server:
        pages = list(connect(server).pull(SCOPE, None))

    assert len(pulled(pages)) == 9
    assert [each for page in pages for each in page.quarantined] == []


def test_something_hidden_inside_an_issue_does_not_hide_the_issue(
    world: World, connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 5)

    def hide(answer: dict[str, Any], variables: dict[str, Any]) -> None:
        ids = variables.get("ids", [])
        if "I_kwDO3" in ids or "number" in variables:
            path = ["nodes", ids.index("I_kwDO3"), "parent"] if ids else ["repository", "issue", "parent"]
            message = "Resource protected by organization SAML enforcement"
            answer["errors"] = [{"type": "FORBIDDEN", "message": message, "path": path}]

    with serve(spoiled(world, hide)) as server:
        connector = connect(server)
        pages = list(connector.pull(SCOPE, None))
        read = connector.read(pulled(pages)[f"{SCOPE}#3"])

    assert len(pulled(pages)) == 5
    assert read.title == "Issue 3"


# -- boards ------------------------------------------------------------------------------------------------------------


def started(world: World, id: str, *, at: datetime) -> None:
    world.change(world.issues[id], "status", "todo", actor="501", at=at)
    world.change(world.issues[id], "status", "in_progress", actor="502", at=at + timedelta(hours=1))


def test_a_token_without_the_permission_for_boards_still_pulls(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 5)
    started(world, "2", at=START + timedelta(days=1))
    connector = connect(serving(boards_hidden=True))

    found = pulled(list(connector.pull(SCOPE, None)))[f"{SCOPE}#2"]

    assert found.status.id == "open"
    (line,) = [check for check in connector.diagnose() if check.name.endswith("boards")]
    assert "read:project" in line.remedy + line.fact


@pytest.mark.parametrize(
    "lacks",
    [
        {"PROJECT_V2_ITEM_STATUS_CHANGED_EVENT", "ADDED_TO_PROJECT_V2_EVENT", "REMOVED_FROM_PROJECT_V2_EVENT"},
        {"Issue.parent", "PARENT_ISSUE_ADDED_EVENT", "PARENT_ISSUE_REMOVED_EVENT"},
        {"Issue.blockedBy", "Issue.blocking", "BLOCKED_BY_ADDED_EVENT", "Issue.issueType", "Repository.issueTypes"},
        {"Issue.fullDatabaseId", "IssueComment.fullDatabaseId"},
        {"Issue.projectItems"},
    ],
    ids=["board history", "sub-issues", "dependencies and types", "long ids", "boards"],
)
def test_an_older_server_is_only_asked_for_what_it_has(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], lacks: set[str]
) -> None:
    fill(world, 5)
    started(world, "2", at=START + timedelta(days=1))
    world.add_comment(world.issues["2"], "Taken", actor="502")
    connector = connect(serving(lacks=frozenset(lacks)), path="/api/v3")

    found = pulled(list(connector.pull(SCOPE, None)))
    connector.reference()

    assert len(found) == 5
    assert found[f"{SCOPE}#2"].comments[0].body == "Taken"
    assert {id for ids in connector.census(SCOPE) for id in ids} == {"1", "2", "3", "4", "5"}


def test_without_the_board_s_history_the_present_option_counts_and_the_gap_is_marked(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 5)
    started(world, "2", at=START + timedelta(days=1))
    gone = {"PROJECT_V2_ITEM_STATUS_CHANGED_EVENT", "ADDED_TO_PROJECT_V2_EVENT", "REMOVED_FROM_PROJECT_V2_EVENT"}

    found = pulled(list(connect(serving(lacks=frozenset(gone))).pull(SCOPE, None)))[f"{SCOPE}#2"]

    assert [step.after.id for step in found.transitions] == ["project:1:In Progress"]
    assert not found.history_is_complete


def test_a_moved_card_is_found_though_the_issue_itself_did_not_change(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 8)
    started(world, "2", at=START + timedelta(days=1))
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor
    issue = world.issues["2"]
    updated_at = issue.updated_at
    clock.now += timedelta(minutes=30)
    world.change(issue, "status", "todo", actor="502")
    issue.updated_at = updated_at  # as if a card's move left the issue alone

    found = pulled(list(connector.pull(SCOPE, cursor)))

    assert found[f"{SCOPE}#2"].status.id == "project:1:Todo"
    assert len(found) == 1


def test_a_board_without_news_costs_one_request(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], clock: Clock
) -> None:
    fill(world, 150)
    for id in range(1, 151):
        world.change(world.issues[str(id)], "status", "todo", actor="501", at=START + timedelta(days=3))
    connector = connect(serving())
    cursor = list(connector.pull(SCOPE, None))[-1].cursor
    clock.now += timedelta(hours=1)

    pages, requests = requests_of(connector, lambda: list(connector.pull(SCOPE, cursor)))
    assert (pulled(pages), requests) == ({}, 2)  # the newest entry and the boards

    clock.now += timedelta(days=1)
    pages, requests = requests_of(connector, lambda: list(connector.pull(SCOPE, pages[-1].cursor)))
    assert (pulled(pages), requests) == ({}, 4)  # once a day the cards themselves, a hundred a request


def test_relations_and_pull_requests_come_with_the_issue(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 5)
    world.issues["2"].links = [("blocks", "3"), ("duplicates", "4")]
    world.change(world.issues["3"], "parent", "5", actor="501", at=START + timedelta(hours=3))
    world.issues["3"].pull_request_at = START + timedelta(hours=5)

    found = pulled(list(connect(serving()).pull(SCOPE, None)))

    assert [(link.kind, link.target) for link in found[f"{SCOPE}#2"].links] == [
        (LinkKind.BLOCKS, "3"),
        (LinkKind.DUPLICATES, "4"),
    ]
    three = found[f"{SCOPE}#3"]
    assert three.parent == "5"
    assert [(link.kind, link.at) for link in three.links if link.kind is not LinkKind.BLOCKED_BY] == [
        (LinkKind.PULL_REQUEST, START + timedelta(hours=5))
    ]
    assert LinkKind.BLOCKED_BY in {link.kind for link in three.links}


def test_a_mapped_status_has_its_category_in_the_whole_history(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 2)
    started(world, "2", at=START + timedelta(days=1))
    connector = connect(serving(), statuses={"project:1:In Progress": StatusCategory.WAITING})

    found = pulled(list(connector.pull(SCOPE, None)))[f"{SCOPE}#2"]

    assert found.transitions[-1].after.category is found.status.category is StatusCategory.WAITING


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        lambda reset_at, _after: graphql_limited(reset_at),
        lambda _reset, _after: secondary_limited(retry_after=7),
        lambda _reset, _after: secondary_limited(retry_after=None),
        lambda _reset, _after: secondary_limited(retry_after=None, status=429),
    ],
    ids=["graphql", "secondary", "secondary without a time", "429"],
)
def test_every_kind_of_limit_is_waited_for(
    world: World,
    serving: Callable[..., Running],
    connect: Callable[..., GitHubConnector],
    faults: Faults,
    refusal: Callable[..., Response],
) -> None:
    fill(world, 120)
    slept: list[float] = []
    connector = connect(serving(), sleep=slept.append, max_wait=7200)
    connector.home(SCOPE)
    faults.limited = refusal
    faults.fail_next(1, "rate_limit", path="graphql")

    pages = list(connector.pull(SCOPE, None))

    assert len(pulled(pages)) == 120
    assert max(slept) >= 1
    assert connector.usage.waited > 0


def test_a_limit_that_lasts_too_long_ends_the_pull_with_the_time_it_is_free_again(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector], faults: Faults
) -> None:
    fill(world, 10)
    connector = connect(serving(), max_wait=5)
    connector.home(SCOPE)
    faults.limited = lambda _reset, _after: secondary_limited(retry_after=3000)
    faults.fail_next(20, "rate_limit")

    with pytest.raises(TrackerDown) as limit:
        list(connector.pull(SCOPE, None))
    assert limit.value.retry_after == timedelta(seconds=3000)


# -- renamed, moved, hidden --------------------------------------------------------------------------------------------


def test_a_renamed_repository_is_followed_and_its_former_keys_are_known(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 3)
    connector = connect(serving(renamed={"sandbox-org/store": SCOPE}), scope=("sandbox-org/store",))

    found = pulled(list(connector.pull("sandbox-org/store", None)))

    assert found[f"{SCOPE}#2"].aliases == ("sandbox-org/store#2",)
    old = Issue(source="gh", id="2", key="sandbox-org/store#2", title="")
    assert connector.locate(old).value == "present"
    connector.add_label(old, "hygiene:needs-owner")
    assert world.issues["2"].labels == ["hygiene:needs-owner"]


def test_a_transferred_issue_is_moved_and_a_new_one(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 3)
    server = serving()
    connector = connect(server, scope=(SCOPE, "sandbox-org/api"))
    before = pulled(list(connector.pull(SCOPE, None)))[f"{SCOPE}#2"]
    world.move_issue(world.issues["2"], "sandbox-org/api", actor="501")

    (new,) = pulled(list(connector.pull("sandbox-org/api", None))).values()

    assert connector.locate(before).value == "moved"
    assert new.id != before.id
    assert new.title == before.title
    with pytest.raises(NotFound):
        connector.read(before)
    with pytest.raises(NotFound):
        connector.add_label(before, "hygiene:needs-owner")
    assert world.issues["2"].labels == []


def test_a_number_that_leads_to_another_issue_is_not_taken_for_the_one_that_was_meant(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 3)

    with pytest.raises(NotFound, match="another issue"):
        connect(serving()).read(Issue(source="gh", id="77", key=f"{SCOPE}#2", title=""))


def test_deleted_hidden_and_transferred_out_of_sight_are_told_apart(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 4)
    connector = connect(serving())
    issues = pulled(list(connector.pull(SCOPE, None)))
    world.delete_issue(world.issues["1"], actor="501")
    world.move_issue(world.issues["2"], "sandbox-org/api", actor="501")
    world.projects["sandbox-org/api"].is_readable = False

    where = [connector.locate(issues[f"{SCOPE}#{number}"]).value for number in (1, 2, 3)]
    assert where == ["deleted", "unreadable", "present"]

    world.projects[SCOPE].is_readable = False
    assert connector.locate(issues[f"{SCOPE}#3"]).value == "unreadable"


def test_a_wildcard_is_every_repository_with_issues_that_is_not_archived(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    connector = connect(serving(archived={"sandbox-org/api"}), scope=("sandbox-org/*",))

    assert connector.scopes() == (SCOPE,)


def test_a_repository_that_is_not_there_is_named_beside_similar_ones(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    connector = connect(serving(), scope=("sandbox-org/shopp",))

    with pytest.raises(NotFound, match=r"sandbox-org/shopp.*there is sandbox-org/shop"):
        connector.scopes()


def test_a_scope_that_is_no_repository_says_how_to_write_one(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    with pytest.raises(NotFound, match="owner/repository"):
        connect(serving()).pull("SHOP", None)


def test_a_cursor_that_is_none_of_ours_is_refused(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    with pytest.raises(RequestRefused, match="--full"):
        connect(serving()).pull(SCOPE, "page 7")


def test_enterprise_server_is_reached_beneath_its_own_paths(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    fill(world, 120)
    connector = connect(serving(), path="/api/v3")

    assert len(pulled(list(connector.pull(SCOPE, None)))) == 120
    assert [check.level.value for check in connector.diagnose() if check.level.value == "bad"] == []


def test_the_token_goes_to_no_other_host(
    world: World, serving: Callable[..., Running], connect: Callable[..., GitHubConnector]
) -> None:
    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        headers = {"Location": "http://elsewhere.example.test/repositories/71"}
        await Response("", 301, headers=headers)(scope, receive, send)

    with serve(elsewhere) as server, pytest.raises(RequestRefused, match=r"elsewhere\.example\.test"):
        connect(server).pull(SCOPE, None)
