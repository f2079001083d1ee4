"""Each fault over a real socket, and what the server leaves behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backlint.connectors.sandbox.faults import KINDS, Faults, is_write
from backlint.connectors.sandbox.server import Running, serve


class Counting:
    """An app that counts what it was really asked, and answers 200 bytes of JSON."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/{rest:path}", self.answer, methods=["GET", "POST", "PUT", "DELETE"])])

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append(f"{request.method} {request.url.path} {body.decode()}".strip())
        return JSONResponse({"text": "x" * 200})


@pytest.fixture
def tracker() -> Counting:
    return Counting()


@pytest.fixture
def faults() -> Faults:
    return Faults(seed=3)


@pytest.fixture
def server(tracker: Counting, faults: Faults) -> Iterator[Running]:
    with serve(tracker.app, faults=faults) as running:
        yield running


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=5) as made:
        yield made


def test_in_fair_weather_everything_passes(client: httpx.Client, tracker: Counting) -> None:
    answer = client.post("/issues", content=b"one")

    assert answer.json() == {"text": "x" * 200}
    assert tracker.asked == ["POST /issues one"]


def test_a_server_error_does_not_reach_the_tracker(client: httpx.Client, tracker: Counting, faults: Faults) -> None:
    faults.fail_next(1, "server_error")

    assert client.get("/a").status_code >= 500
    assert client.get("/b").status_code == 200
    assert tracker.asked == ["GET /b"]


def test_a_lost_answer_was_processed(client: httpx.Client, tracker: Counting, faults: Faults) -> None:
    faults.fail_next(1, "lost_answer")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.post("/comment", content=b"hello")
    assert tracker.asked == ["POST /comment hello"]


def test_a_truncated_answer_breaks_off(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(1, "truncated")

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed"):
        client.get("/a")


def test_broken_json_arrives_whole_and_cannot_be_read(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(1, "broken_json")

    answer = client.get("/a")

    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()


def test_html_comes_with_status_200(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(1, "html")

    answer = client.get("/a")

    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_offline_refuses_everything_until_it_is_over(client: httpx.Client, tracker: Counting, faults: Faults) -> None:
    faults.offline = True
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/a")
    faults.offline = False

    assert client.get("/b").status_code == 200
    assert tracker.asked == ["GET /b"]


def test_only_the_next_requests_fail(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(2, "html")

    kinds = [client.get("/a").headers["content-type"] for _ in range(4)]

    assert ["html" in kind for kind in kinds] == [True, True, False, False]


def test_a_planned_failure_of_writes_lets_reads_pass(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(1, "html", only_writes=True)

    assert "json" in client.get("/a").headers["content-type"]
    assert "html" in client.put("/a").headers["content-type"]
    assert "json" in client.put("/a").headers["content-type"]


def test_a_planned_failure_of_a_path_lets_others_pass(client: httpx.Client, faults: Faults) -> None:
    faults.fail_next(1, "html", path="/comment")

    assert "json" in client.get("/issue").headers["content-type"]
    assert "html" in client.get("/comment/1").headers["content-type"]


def test_an_unknown_fault_is_refused_by_name(faults: Faults) -> None:
    with pytest.raises(ValueError, match="no fault 'flood'"):
        faults.fail_next(1, "flood")


def outcomes(seed: int, **shares: float) -> list[str]:
    tracker, faults = Counting(), Faults(seed=seed, **shares)  # type: ignore[arg-type]
    with serve(tracker.app, faults=faults) as running, httpx.Client(base_url=running.url) as client:
        found = []
        for _ in range(120):
            try:
                answer = client.get("/a")
                found.append(f"{answer.status_code} {answer.headers['content-type'][:9]}")
            except httpx.TransportError as error:
                found.append(type(error).__name__)
    return found


def test_shares_are_kept_and_repeat_for_a_seed() -> None:
    shares = {"server_error_share": 0.2, "lost_answer_share": 0.1, "html_share": 0.1}

    first, again, other = (outcomes(seed, **shares) for seed in (5, 5, 6))

    assert first == again
    assert first != other
    assert 10 <= sum(each.startswith("5") for each in first) <= 40
    assert 3 <= first.count("RemoteProtocolError") <= 25
    assert 3 <= first.count("200 text/html") <= 25


def test_shares_can_be_limited_to_writes(client: httpx.Client, faults: Faults) -> None:
    faults.html_share, faults.only_writes = 1.0, True

    assert "json" in client.get("/a").headers["content-type"]
    assert "html" in client.delete("/a").headers["content-type"]


def test_the_rate_limit_refuses_with_a_wait_and_opens_again(client: httpx.Client, faults: Faults) -> None:
    faults.rate_limit, faults.rate_window = 3, 0.6

    statuses = [client.get("/a").status_code for _ in range(5)]
    refused = client.get("/a")
    time.sleep(0.7)

    assert statuses == [200, 200, 200, 429, 429]
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get("/a").status_code == 200


def test_the_tracker_says_the_refusal_and_the_headers_in_its_own_words(tracker: Counting) -> None:
    def limited(reset_at: datetime, retry_after: int) -> Response:
        assert datetime.now(UTC) < reset_at < datetime.now(UTC) + timedelta(seconds=61)
        return Response(f"wait {retry_after}", 403)

    tracker.app.state.limited = limited
    tracker.app.state.rate_headers = lambda limit, remaining, _reset_at: {"X-Left": f"{remaining}/{limit}"}
    with serve(tracker.app, faults=Faults(rate_limit=2)) as running, httpx.Client(base_url=running.url) as client:
        answers = [client.get("/a") for _ in range(3)]

    assert [answer.headers.get("X-Left") for answer in answers] == ["1/2", "0/2", None]
    assert (answers[2].status_code, answers[2].text.split()[0]) == (403, "wait")


def test_latency_takes_time_and_requests_overlap(client: httpx.Client, faults: Faults) -> None:
    faults.latency = 0.2

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get("/slow"), range(8)))
    took = time.monotonic() - began

    assert 0.2 <= took < 1.2
    assert faults.max_concurrency >= 4
    assert faults.requests == {"/slow": 8}


def test_counters_tell_requests_writes_and_faults(client: httpx.Client, faults: Faults) -> None:
    client.get("/a")
    faults.fail_next(1, "html")
    client.put("/a")

    assert faults.seen() == {"requests": {"/a": 2}, "injected": {"html": 1}, "writes": 1, "max_concurrency": 1}
    faults.reset_counters()
    assert faults.total == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/rest/api/3/issue/1", b"", False),
        ("POST", "/rest/api/3/search/jql", b"{}", False),
        ("POST", "/rest/api/3/issue/bulkfetch", b"{}", False),
        ("POST", "/rest/api/3/issue/1/comment", b"{}", True),
        ("PUT", "/rest/api/3/issue/1", b"{}", True),
        ("POST", "/graphql", b'{"query": "query Q { viewer { id } }"}', False),
        ("POST", "/graphql", b'{"query": "mutation M { commentCreate { success } }"}', True),
        ("POST", "/graphql", b'{"query": "\\n  mutation { x }"}', True),
        ("POST", "/graphql", b"no json", False),
    ],
)
def test_reads_and_writes_are_told_apart(method: str, path: str, body: bytes, expected: bool) -> None:
    assert is_write(method, path, body) is expected


def test_settings_from_outside_are_checked(faults: Faults) -> None:
    faults.update({"latency": 1, "html_share": 0.5, "offline": True, "rate_limit": 10})
    assert (faults.latency, faults.html_share, faults.offline, faults.rate_limit) == (1, 0.5, True, 10)
    faults.update({"rate_limit": None})
    assert faults.rate_limit is None

    for wrong in ({"latency": "slow"}, {"offline": 1}, {"html_share": True}, {"latency": 2, "nonsense": 1}):
        with pytest.raises(ValueError, match=next(reversed(wrong))):
            faults.update(wrong)
    assert faults.latency == 1

    faults.calm()
    assert (faults.latency, faults.offline) == (0.0, False)


def test_the_server_leaves_no_thread_and_no_port(tracker: Counting) -> None:
    before = set(threading.enumerate())
    running = serve(tracker.app, faults=Faults())
    with httpx.Client(base_url=running.url) as client:
        client.get("/a")
        running.stop()  # while the connection is still open
        running.stop()

        with pytest.raises(httpx.TransportError):
            client.get("/a")
    assert set(threading.enumerate()) == before


def test_connections_are_kept_alive(client: httpx.Client, server: Running) -> None:
    seen = {client.get("/a").extensions["network_stream"].get_extra_info("client_addr") for _ in range(5)}

    assert len(seen) == 1


def test_it_answers_hundreds_of_requests_a_second(client: httpx.Client) -> None:
    client.get("/a")

    began = time.monotonic()
    for _ in range(200):
        client.get("/a")

    # 0.1 s on an idle machine; Nagle's algorithm alone would make it 8 s.
    assert time.monotonic() - began < 4


def test_a_taken_port_is_refused(server: Running, tracker: Counting) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(tracker.app, port=int(server.url.rsplit(":", 1)[1]))


def test_every_kind_is_tried_here() -> None:
    assert set(KINDS) == {
        "server_error", "html", "offline", "rate_limit", "lost_answer", "truncated", "broken_json",
    }  # fmt: skip
