"""What Linear's refusals mean, from bodies of the published shapes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backlint.connectors.http import Throttled
from backlint.connectors.linear.answers import TooComplex, UnknownField, judge
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused, TrackerDown

NOW = "Mon, 02 Mar 2026 09:00:00 GMT"
NOW_MS = 1772442000000


def a_response(
    status: int, *, message: str = "No", code: str = "", kind: str = "", data: Any = None, query: str = "query A { a }",
    headers: dict[str, str] | None = None, **extensions: Any,
) -> httpx.Response:  # fmt: skip
    told = {"code": code, "type": kind, **extensions}
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": told}]}
    if status == 200:
        body["data"] = data
    request = httpx.Request("POST", "https://linear.invalid/graphql", json={"query": query, "variables": {}})
    return httpx.Response(status, json=body, headers={"Date": NOW, **(headers or {})}, request=request)


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (a_response(401, code="AUTHENTICATION_ERROR", kind="authentication error"), TokenRefused, "make a new one"),
        (a_response(400, code="GRAPHQL_VALIDATION_FAILED", kind="graphql error"), UnknownField, "schema has changed"),
        (a_response(200, message="Entity not found: Issue", code="INPUT_ERROR"), NotFound, "not visible"),
        (a_response(400, message="Query too complex", code="INPUT_ERROR", kind="invalid input"), TooComplex, "No|too"),
        (a_response(403, code="FORBIDDEN", kind="forbidden", query="mutation B { b }"), PermissionMissing, "Write"),
        (a_response(200, code="FORBIDDEN", kind="forbidden"), PermissionMissing, "read access to the team"),
        (a_response(200, kind="feature not accessible"), PermissionMissing, "Linear refused"),
        (a_response(200, kind="internal error"), TrackerDown, "Linear failed"),
        (a_response(200, code="LOCK_TIMEOUT", kind="lock timeout"), TrackerDown, "Linear failed"),
        (a_response(200, kind="usage limit exceeded"), RequestRefused, "Linear refused"),
    ],
)
def test_every_refusal_has_its_error(response: httpx.Response, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        judge(response, source="acme")


def test_an_argument_out_of_range_is_named() -> None:
    problems = [{"property": "first", "constraints": {"max": "first must not be greater than 250"}}]
    response = a_response(200, code="INVALID_INPUT", kind="invalid input", validationErrors=problems)

    with pytest.raises(RequestRefused, match="first: first must not be greater than 250"):
        judge(response, source="acme")


def test_data_beside_errors_is_used() -> None:
    assert judge(a_response(200, data={"issues": {}}), source="acme") is None


def limited(**headers: str) -> Throttled:
    named = {f"X-RateLimit-{name.replace('_', '-')}": value for name, value in headers.items()}
    found = judge(a_response(400, code="RATELIMITED", kind="ratelimited", headers=named), source="acme")
    assert found is not None
    return found


def test_a_rate_limit_waits_for_the_reset_of_the_empty_bucket_by_the_servers_clock() -> None:
    found = limited(
        Requests_Remaining="0",
        Requests_Reset=str(NOW_MS + 42_000),
        Complexity_Remaining="1000",
        Complexity_Reset=str(NOW_MS + 999_000),
    )

    assert (found.after, found.for_all) == (timedelta(seconds=42), True)


def test_the_limit_of_one_operation_stops_no_other() -> None:
    found = limited(Endpoint_Requests_Remaining="0", Endpoint_Requests_Reset=str(NOW_MS + 5_000))

    assert (found.after, found.for_all) == (timedelta(seconds=5), False)


def test_a_rate_limit_without_headers_leaves_the_wait_to_the_back_off() -> None:
    assert limited().after is None


def test_the_usual_status_of_a_rate_limit_is_known_too() -> None:
    request = httpx.Request("POST", "https://linear.invalid/graphql", json={})
    response = httpx.Response(429, text="slow down", headers={"Retry-After": "3"}, request=request)

    assert judge(response, source="acme") == Throttled(timedelta(seconds=3))


def test_retry_after_is_obeyed_where_it_comes() -> None:
    response = a_response(400, code="RATELIMITED", headers={"Retry-After": "7"})

    assert judge(response, source="acme") == Throttled(timedelta(seconds=7))


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (502, b"<html>", "text/html", TrackerDown),
        (200, b"<html>log in</html>", "text/html", TrackerDown),
        (401, b"<html>", "text/html", TokenRefused),
        (403, b"", "text/plain", PermissionMissing),
        (200, b'{"data": {"issues', "application/json", TrackerDown),
    ],
)
def test_answers_that_are_no_graphql(status: int, body: bytes, kind: str, error: type[Exception]) -> None:
    request = httpx.Request("POST", "https://linear.invalid/graphql", json={})
    response = httpx.Response(status, content=body, headers={"Content-Type": kind}, request=request)

    with pytest.raises(error):
        judge(response, source="acme")
