"""What each refusal of Jira is turned into, and how long it makes us wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from backlint.connectors.http import Throttled
from backlint.connectors.jira.client import Reader
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused, TrackerDown, TrackerError

NOW = datetime(2026, 3, 26, 15, 50, tzinfo=UTC)


def answer(status: int, body: Any = None, text: str | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if text is not None:
        return httpx.Response(status, text=text, headers={"content-type": "text/html", **named})
    return httpx.Response(status, json=body if body is not None else {}, headers=named)


def read(response: httpx.Response) -> Throttled | None:
    return Reader("acme", now=lambda: NOW)(response)


def refusal(response: httpx.Response) -> TrackerError:
    with pytest.raises(TrackerError) as error:
        read(response)
    return error.value


@pytest.mark.parametrize(
    ("reason", "for_all"),
    [
        ("jira-quota-global-based", True),
        ("jira-quota-tenant-based", True),
        ("jira-cost-based", True),
        ("", True),
        ("jira-burst-based", False),
        ("jira-per-issue-on-write", False),
    ],
)
def test_a_quota_stops_everything_and_a_burst_one_request(reason: str, for_all: bool) -> None:
    throttled = read(answer(429, retry_after="1847", ratelimit_reason=reason))

    assert throttled is not None
    assert throttled.after == timedelta(seconds=1847)
    assert throttled.for_all is for_all


def test_without_retry_after_the_reset_counts_though_it_has_no_seconds() -> None:
    throttled = read(answer(429, x_ratelimit_reset="2026-03-26T16:00Z"))

    assert throttled is not None
    assert throttled.after == timedelta(minutes=10)


def test_a_reset_in_the_past_is_no_wait() -> None:
    throttled = read(answer(429, x_ratelimit_reset="2026-03-26T15:00Z"))

    assert throttled is not None
    assert throttled.after == timedelta(0)


@pytest.mark.parametrize("header", ["", "soon", "Thu, 26 Mar 2026 16:00:00 GMT"])
def test_an_unreadable_wait_is_left_to_the_back_off(header: str) -> None:
    throttled = read(answer(429, retry_after=header))

    assert throttled is not None
    assert throttled.after is None


def test_503_waits_as_told_and_is_no_limit() -> None:
    """Whether a write was carried out is unknown, unlike with 429."""
    error = refusal(answer(503, {"errorMessage": "Maintenance"}, retry_after="30"))

    assert isinstance(error, TrackerDown)
    assert error.retry_after == timedelta(seconds=30)
    assert "Maintenance" in str(error)
    assert isinstance(refusal(answer(503)), TrackerDown)


def test_a_page_instead_of_data_is_an_outage() -> None:
    for status in (200, 502):
        assert isinstance(refusal(answer(status, text="<html>Log in</html>")), TrackerDown)


def test_a_redirect_to_a_login_page_is_an_outage() -> None:
    assert isinstance(refusal(answer(302, text="", location="https://acme.example.test/login.jsp")), TrackerDown)


@pytest.mark.parametrize(
    ("response", "kind", "said"),
    [
        (answer(401, {"message": "Client must be authenticated.", "status-code": 401}), TokenRefused, "authenticated"),
        (answer(401, {"code": 401, "message": "Unauthorized; scope does not match"}), PermissionMissing, "read:jira"),
        (answer(403, {"errorMessages": ["No."]}), PermissionMissing, "read:jira-work"),
        (answer(403, x_authentication_denied_reason="CAPTCHA_CHALLENGE; login-url=x"), TokenRefused, "browser"),
        (answer(403, {"message": "Basic Authentication has been disabled on this."}), TokenRefused, "personal"),
        (answer(404, {"errorMessages": ["Issue does not exist."], "errors": {}}), NotFound, "does not exist"),
        (answer(410, {"errorMessages": ["The requested API was removed."]}), RequestRefused, "deployment is Cloud"),
        (answer(400, {"errorMessages": [], "errors": {"labels": "has spaces"}}), RequestRefused, "labels: has spaces"),
        (answer(400, {"errors": [{"message": "Bulk"}]}), RequestRefused, "Bulk"),
        (answer(409), RequestRefused, "409"),
        (answer(413), RequestRefused, "413"),
        (answer(500, {"errorMessages": ["Search limit exceeded. 10000"]}), RequestRefused, "Search limit"),
        (answer(500), TrackerDown, "500"),
    ],
)  # fmt: skip
def test_every_shape_of_refusal_is_understood(response: httpx.Response, kind: type[TrackerError], said: str) -> None:
    error = refusal(response)

    assert type(error) is kind
    assert said in str(error)


def test_an_empty_answer_is_good() -> None:
    assert read(httpx.Response(204)) is None


def test_the_trackers_clock_is_learned_from_its_answers() -> None:
    reader = Reader("acme", now=lambda: NOW)
    reader(answer(200, date="Thu, 26 Mar 2026 15:40:00 GMT"))
    assert reader.skew == timedelta(minutes=-10)
    assert reader.tracker_now() == NOW - timedelta(minutes=10)

    reader(answer(200, date="sometime"))
    assert reader.skew == timedelta(minutes=-10)
