"""The HTTP layer's connections, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from backlint.connectors.contract import Usage
from backlint.connectors.github.access import budget as github_budget
from backlint.connectors.http import SLOWER, Budget, TrackerHttp, served_at
from backlint.connectors.jira.client import budget as jira_budget
from backlint.connectors.linear.answers import budget as linear_budget
from backlint.connectors.sandbox.server import serve
from backlint.errors import TrackerDown

AT_ONCE = 4


def test_requests_under_way_have_a_connection_each_and_later_ones_use_them_again() -> None:
    """A connection that two threads may touch is closed under one of them now and then, and an answer is lost."""
    used: list[int] = []
    together = asyncio.Barrier(AT_ONCE)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            used.append(scope["client"][1])
            if scope["path"] == "/together":
                await asyncio.wait_for(together.wait(), 10)
            await JSONResponse({})(scope, receive, send)

    with serve(app) as server:
        http = TrackerHttp(
            base_url=server.url, headers={}, read=lambda _response: None, usage=Usage(), source="s", rate=10_000
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda path: http.request("GET", path, may_repeat=False), ["/together"] * AT_ONCE))
        first = set(used)
        for _ in range(AT_ONCE):
            http.request("GET", "/alone", may_repeat=False)
        http.close()

    assert len(first) == AT_ONCE
    assert set(used) == first


@pytest.mark.parametrize(
    "header",
    [
        "",
        "yesterday",
        "Wed, 25 Nov 2026 07:00:00 -0000",
        "Wed, 25 Nov 2026 07:00:00 GMT, Wed, 25 Nov 2026 07:00:01 GMT",
    ],
)
def test_a_date_that_a_proxy_spoiled_says_nothing_of_the_clock(header: str) -> None:
    assert served_at({"date": header} if header else {}) is None


def test_the_date_of_an_answer_is_the_servers_clock() -> None:
    assert served_at({"date": "Wed, 25 Nov 2026 07:00:00 GMT"}) == datetime(2026, 11, 25, 7, tzinfo=UTC)


# -- what is left for people -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tracker", "headers", "wanted"),
    [
        ("github", {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "400", "x-ratelimit-reset": "1795593660",
                    "date": "Wed, 25 Nov 2026 07:00:00 GMT"}, Budget(5000, 400, timedelta(hours=1, minutes=1))),
        ("jira", {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "9"}, Budget(100, 9)),
        ("linear", {"x-ratelimit-requests-limit": "2500", "x-ratelimit-requests-remaining": "2000",
                    "x-ratelimit-requests-reset": "1795590060000", "x-ratelimit-complexity-limit": "3000000",
                    "x-ratelimit-complexity-remaining": "100.5", "x-ratelimit-complexity-reset": "1795590060000",
                    "date": "Wed, 25 Nov 2026 07:00:00 GMT"}, Budget(3_000_000, 100.5, timedelta(minutes=1))),
        ("github", {}, None), ("jira", {}, None), ("linear", {}, None),
    ],
)  # fmt: skip
def test_every_tracker_tells_what_is_left(tracker: str, headers: dict[str, str], wanted: Budget | None) -> None:
    told = {"github": github_budget, "jira": jira_budget, "linear": linear_budget}[tracker]

    assert told(httpx.Response(200, headers=headers)) == wanted


def sharing(url: str, left: list[Budget | None], slept: list[float], **given: Any) -> TrackerHttp:
    return TrackerHttp(
        base_url=url, headers={}, read=lambda _response: None, usage=Usage(), source="acme", rate=1e9,
        budget=lambda _response: left.pop(0), sleep=slept.append, clock=lambda: 0.0, **given,
    )  # fmt: skip


def test_requests_wait_for_the_reset_when_only_the_share_of_people_is_left() -> None:
    slept: list[float] = []
    with serve(an_app()) as running:
        http = sharing(running.url, [Budget(100, 11), Budget(100, 10, timedelta(seconds=7)), None], slept,
                       people_share=0.1)  # fmt: skip
        for _ in range(3):
            http.request("GET", "/", may_repeat=True)
        http.close()

    assert [seconds for seconds in slept if seconds > 1] == [7.0]


def test_a_reset_that_is_too_far_off_ends_the_run_and_says_why() -> None:
    slept: list[float] = []
    with serve(an_app()) as running:
        http = sharing(running.url, [Budget(100, 5, timedelta(hours=1))], slept, people_share=0.1, max_wait=300.0)
        http.request("GET", "/", may_repeat=True)
        with pytest.raises(TrackerDown, match=r"left for people \(people_share\), free again in 3600 s"):
            http.request("GET", "/", may_repeat=True)
        http.close()


def test_without_a_reset_requests_come_slower() -> None:
    slept: list[float] = []
    with serve(an_app()) as running:
        http = sharing(running.url, [Budget(100, 5), None], slept, people_share=0.1)
        for _ in range(2):
            http.request("GET", "/", may_repeat=True)
        http.close()

    assert slept == [SLOWER]


def an_app() -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await JSONResponse({})(scope, receive, send)

    return app
