"""The HTTP layer's connections, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.responses import JSONResponse

from backlint.connectors.contract import Usage
from backlint.connectors.http import TrackerHttp, served_at
from backlint.connectors.sandbox.server import serve

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
