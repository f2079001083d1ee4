"""The Linear sandbox behaves as published: prices, limits, error shapes, headers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse

from backlint.connectors.sandbox.linear import TOKEN
from backlint.connectors.sandbox.linear_complexity import complexity
from tests.connectors.linear.conftest import LONG_AGO, MIA, Linear

# The shapes that published prices were measured on.
PRICED = build_schema("""
type Query {
  user: User users(first: Int): UserConnection viewer: User organization: User projects(first: Int): PConnection
}
type User { id: ID name: String email: String urlKey: String createdIssues: IConnection }
type UserConnection { nodes: [User] }
type I { id: ID title: String createdAt: String }
type IConnection { nodes: [I] }
type PConnection { nodes: [P] }
type P { id: ID a(first: Int): IConnection b(first: Int): IConnection }
""")


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{ user { name } }", 2),
        ("{ user { createdIssues { nodes { id title createdAt } } } }", 66),
        ("{ a: users(first: 10) { nodes { id name } } b: users(first: 10) { nodes { id name } } "
         "c: users(first: 10) { nodes { id name } } }", 36),
        ("{ viewer { id name email } organization { id name urlKey } }", 3),
    ],
)  # fmt: skip
def test_prices_are_the_published_ones(query: str, points: int) -> None:
    assert complexity(PRICED, parse(query), {}) == points


def test_half_the_rows_inside_cost_half() -> None:
    body = "{{ projects(first: 100) {{ nodes {{ id a{0} {{ nodes {{ id title createdAt }} }} }} }} }}"
    unbounded = complexity(PRICED, parse(body.format("")), {})
    bounded = complexity(PRICED, parse(body.format("(first: 25)")), {})

    assert unbounded - bounded == 100 * 25 * 1.3


def ask(linear: Linear, query: str, *, token: str = TOKEN, **variables: Any) -> httpx.Response:
    return httpx.post(
        linear.url + "/graphql", json={"query": query, "variables": variables}, headers={"Authorization": token}
    )


def test_a_good_answer_carries_its_price_and_the_budget(linear: Linear) -> None:
    answer = ask(linear, "{ viewer { id name email } organization { id name urlKey } }")

    assert answer.headers["X-Complexity"] == "3"
    assert answer.headers["X-RateLimit-Requests-Limit"] == "2500"
    assert int(answer.headers["X-RateLimit-Requests-Reset"]) > 1_700_000_000_000


def test_a_wrong_token_is_401_without_data(linear: Linear) -> None:
    answer = ask(linear, "{ viewer { id } }", token="wrong")

    assert answer.status_code == 401
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["code"] == "AUTHENTICATION_ERROR"


@pytest.mark.parametrize("query", ["{ viewer { nothing } }", "{ viewer { id }"])
def test_a_wrong_query_is_400_without_rate_limit_headers(linear: Linear, query: str) -> None:
    answer = ask(linear, query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


def test_more_than_250_rows_are_refused_with_200_and_null_data(linear: Linear) -> None:
    answer = ask(linear, "{ users(first: 251) { nodes { id } } }")

    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert answer.json()["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


def test_an_unknown_id_is_200_with_null_data(linear: Linear) -> None:
    answer = ask(linear, '{ issue(id: "nope") { id } }')

    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert answer.json()["errors"][0]["message"] == "Entity not found: Issue"


def test_a_query_over_10000_points_is_400(linear: Linear) -> None:
    answer = ask(linear, "{ issues(first: 250) { nodes { id comments { nodes { id } } } } }")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "Query too complex"
    assert "10000" in answer.json()["errors"][0]["extensions"]["userPresentableMessage"]


def test_the_order_is_newest_first_and_sort_can_turn_it_around(linear: Linear) -> None:
    issues = [linear.add(updated_at=LONG_AGO + timedelta(days=day)) for day in range(3)]
    query = "query Q($s: [IssueSortInput!]) { issues(first: 9, orderBy: updatedAt, sort: $s) { nodes { id } } }"

    def ids(**variables: Any) -> list[str]:
        return [node["id"] for node in ask(linear, query, **variables).json()["data"]["issues"]["nodes"]]

    assert ids() == [issue.id for issue in reversed(issues)]
    assert ids(s=[{"updatedAt": {"order": "Ascending"}}]) == [issue.id for issue in issues]


def test_a_cursor_stands_where_its_issue_stands_now(linear: Linear) -> None:
    """The reason why a pull does not use the cursors of issues: those between are passed over."""
    issues = [linear.add(updated_at=LONG_AGO + timedelta(days=day)) for day in range(4)]
    query = """query Q($after: String) {
      issues(first: 2, after: $after, sort: [{ updatedAt: { order: Ascending } }]) {
        nodes { id } pageInfo { endCursor }
      }
    }"""
    cursor = ask(linear, query).json()["data"]["issues"]["pageInfo"]["endCursor"]
    linear.world.change(issues[1], "title", "Moved to the end", actor=MIA)

    assert ask(linear, query, after=cursor).json()["data"]["issues"]["nodes"] == []


def test_archived_issues_are_hidden_unless_asked_for_even_by_a_filter(linear: Linear) -> None:
    linear.world.archive_issue(linear.add(), actor=MIA)
    wanted = "filter: { archivedAt: { null: false } }, includeArchived: $a"
    query = f"query Q($a: Boolean) {{ issues({wanted}) {{ nodes {{ id }} }} }}"

    def count(**variables: Any) -> int:
        return len(ask(linear, query, **variables).json()["data"]["issues"]["nodes"])

    assert count() == 0
    assert count(a=True) == 1


def test_changes_of_one_actor_at_one_moment_share_an_entry(linear: Linear) -> None:
    issue = linear.add()
    linear.world.change(issue, "status", "s-started", actor=MIA, at=LONG_AGO)
    linear.world.change(issue, "assignee", MIA, actor=MIA, at=LONG_AGO)
    linear.world.change(issue, "status", "s-completed", actor=MIA, at=LONG_AGO)
    query = "query Q($id: String!) { issue(id: $id) { history { nodes { toStateId toAssigneeId } } } }"

    nodes = ask(linear, query, id=issue.key).json()["data"]["issue"]["history"]["nodes"]

    assert nodes == [
        {"toStateId": "s-completed", "toAssigneeId": None},
        {"toStateId": "s-started", "toAssigneeId": MIA},
    ]
