"""The sandbox has GitHub's traps, so that what the connector does about them is really tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backlint.connectors.github.webhook import event, verify
from backlint.connectors.sandbox.github import webhook
from backlint.connectors.sandbox.server import Running
from backlint.connectors.sandbox.webhooks import signed_headers
from backlint.connectors.sandbox.world import Event, World
from tests.connectors.github.worlds import SCOPE, START, fill

ISSUES = f"/repos/{SCOPE}/issues"


@pytest.fixture
def ask(serving: Callable[..., Running]) -> Iterator[Callable[..., httpx.Client]]:
    made: list[httpx.Client] = []

    def build(**given: Any) -> httpx.Client:
        headers = {"Authorization": "Bearer sandbox-token"}
        made.append(httpx.Client(base_url=serving(**given).url, headers=headers))
        return made[-1]

    yield build
    for client in made:
        client.close()


def query(client: httpx.Client, text: str, **variables: Any) -> Any:
    return client.post("/graphql", json={"query": text, "variables": variables}).json()


def test_the_issue_list_is_full_of_pull_requests(world: World, ask: Callable[..., httpx.Client]) -> None:
    fill(world, 3)
    world.issues["2"].pull_request_at = START

    rows = ask().get(ISSUES, params={"state": "all"}).json()

    assert sorted("pull_request" in row for row in rows) == [False, False, False, True]


def test_the_next_page_has_another_address_and_a_cursor(world: World, ask: Callable[..., httpx.Client]) -> None:
    fill(world, 250)
    client, numbers = ask(), []
    response = client.get(ISSUES, params={"state": "all", "per_page": 100, "sort": "updated", "direction": "asc"})

    while True:
        numbers += [row["number"] for row in response.json()]
        link = response.links.get("next")
        if link is None:
            break
        assert "/repositories/71/issues" in link["url"]
        assert "after=" in link["url"]
        assert "last" not in response.links
        response = client.get(link["url"])

    assert numbers == list(range(1, 251))


def test_deep_pages_by_number_are_refused(world: World, ask: Callable[..., httpx.Client]) -> None:
    response = ask().get(ISSUES, params={"page": 100, "per_page": 100})

    assert response.status_code == 422
    assert "cursor based pagination" in response.json()["message"]


def test_an_unchanged_list_is_304_without_a_body(world: World, ask: Callable[..., httpx.Client]) -> None:
    fill(world, 3)
    client = ask()
    etag = client.get(ISSUES).headers["etag"]

    again = client.get(ISSUES, headers={"If-None-Match": etag})
    world.change(world.issues["1"], "title", "Renamed", actor="501")
    changed = client.get(ISSUES, headers={"If-None-Match": etag})

    assert (again.status_code, again.content, changed.status_code) == (304, b"", 200)


def test_since_includes_its_own_second(world: World, ask: Callable[..., httpx.Client]) -> None:
    fill(world, 3)
    text = """query Q($owner: String!, $name: String!, $since: DateTime) { repository(owner: $owner, name: $name) {
        issues(first: 100, filterBy: {since: $since}) { totalCount } } }"""

    at = (START + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = query(ask(), text, owner="sandbox-org", name="shop", since=at)

    assert answer["data"]["repository"]["issues"]["totalCount"] == 2


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(first: 0)", "EXCESSIVE_PAGINATION"),
    ],
)
def test_a_connection_needs_bounds(world: World, ask: Callable[..., httpx.Client], arguments: str, kind: str) -> None:
    fill(world, 1)
    text = f'{{ repository(owner: "sandbox-org", name: "shop") {{ issues{arguments} {{ totalCount }} }} }}'

    assert query(ask(), text)["errors"][0]["type"] == kind


def test_a_node_that_is_not_there_spoils_only_its_own_entry(world: World, ask: Callable[..., httpx.Client]) -> None:
    fill(world, 2)

    answer = query(ask(), "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["I_kwDO1", "I_kwDO99", "I_kwDO2"])

    assert [node and node["id"] for node in answer["data"]["nodes"]] == ["I_kwDO1", None, "I_kwDO2"]
    assert [(error["type"], error["path"]) for error in answer["errors"]] == [("NOT_FOUND", ["nodes", 1])]


def test_an_unknown_field_fails_the_whole_query(world: World, ask: Callable[..., httpx.Client]) -> None:
    answer = query(ask(lacks=frozenset({"Issue.parent"})), '{ node(id: "I_kwDO1") { ... on Issue { parent { id } } } }')

    assert "data" not in answer
    assert "parent" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": ""}, 401), ({"User-Agent": ""}, 403),
        ({"Authorization": "token sandbox-token"}, 200),
    ],
)  # fmt: skip
def test_who_asks_is_checked(
    world: World, ask: Callable[..., httpx.Client], headers: dict[str, str], status: int
) -> None:
    assert ask().get(f"/repos/{SCOPE}", headers=headers).status_code == status


def test_every_answer_says_the_date_and_what_is_left(world: World, ask: Callable[..., httpx.Client]) -> None:
    headers = ask().get(f"/repos/{SCOPE}").headers

    assert headers["date"]
    assert int(headers["x-ratelimit-remaining"]) < int(headers["x-ratelimit-limit"])
    assert int(headers["x-ratelimit-reset"]) > 1_700_000_000


# -- webhooks ----------------------------------------------------------------------------------------------------------


def delivered(world: World, change: Callable[[], Any]) -> list[tuple[dict[str, str], bytes]]:
    """What GitHub would send for a change."""
    sent: list[tuple[dict[str, str], bytes]] = []

    def listen(*what: Any) -> None:
        made = webhook(world, *what)
        if made is not None:
            headers, body = made
            signed = signed_headers("github", body, secret="s3cret", delivery="d1", now=datetime.now(UTC))
            sent.append(({**headers, **signed}, body))

    world.listeners.append(listen)
    change()
    world.listeners.remove(listen)
    return sent


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda w: fill(w, 1, first=9), "issues.opened"),
        (lambda w: w.change(w.issues["1"], "title", "New", actor="501"), "issues.edited"),
        (lambda w: w.add_labels(w.issues["1"], ["bug"], actor="501"), "issues.labeled"),
        (lambda w: w.change(w.issues["1"], "assignee", "501", actor="501"), "issues.assigned"),
        (lambda w: w.change(w.issues["1"], "status", "done", actor="501"), "issues.closed"),
        (lambda w: w.add_comment(w.issues["1"], "Hm", actor="501"), "issue_comment.created"),
        (lambda w: w.delete_issue(w.issues["1"], actor="501"), "issues.deleted"),
    ],
)
def test_a_change_becomes_a_delivery_that_the_connector_understands(
    world: World, change: Callable[[World], Any], kind: str
) -> None:
    fill(world, 1)

    ((headers, body),) = delivered(world, lambda: change(world))

    verify(body, headers, SecretStr("s3cret"), datetime.now(UTC))
    seen = event(headers, body)
    assert (seen.kind, seen.actor, seen.scope, seen.is_handled) == (kind, "501", SCOPE, True)
    assert seen.issues == (("9",) if kind == "issues.opened" else ("1",))


def test_a_card_s_move_is_known_and_left_to_the_next_pull(world: World) -> None:
    fill(world, 1)

    ((headers, body),) = delivered(world, lambda: world.change(world.issues["1"], "status", "todo", actor="501"))

    seen = event(headers, body)
    assert (seen.kind, seen.is_handled, seen.is_known) == ("projects_v2_item.edited", False, True)
    assert "issue" not in json.loads(body)


def test_what_github_does_not_tell_is_not_sent(world: World) -> None:
    fill(world, 1)
    issue = world.issues["1"]

    assert webhook(world, "issue_updated", issue, Event("1", START, "501", "rank", None, "a"), "501") is None
    assert webhook(world, "issue_archived", issue, None, "501") is None
