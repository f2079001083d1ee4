"""The control endpoint, and the trackers as a program of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from backlint.connectors.sandbox.control import with_control
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.webhooks import hmac_sha256, plain_payload
from backlint.connectors.sandbox.world import World

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


async def hello(_request: Request) -> Response:
    return PlainTextResponse("the tracker")


@pytest.fixture
def world() -> World:
    return generate("github", seed=2, size=60, now=NOW)


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=[Route("/", hello)])


@pytest.fixture
def client(app: Starlette, world: World) -> Iterator[httpx.Client]:
    controlled = with_control(app, world, Faults())
    with serve(controlled) as running, httpx.Client(base_url=running.url) as made:
        yield made
    controlled.close()


def test_the_tracker_answers_beside_the_control(client: httpx.Client) -> None:
    assert client.get("/").text == "the tracker"
    assert client.get("/_sandbox/nonsense").status_code == 404


def test_a_disturbance_shows_in_the_state(client: httpx.Client, world: World) -> None:
    before = client.get("/_sandbox/state").json()
    done = client.post("/_sandbox/disturb", json={"seed": 1, "count": 12}).json()["done"]
    after = client.get("/_sandbox/state").json()

    assert len(done) == 12
    assert {each["key"] for each in before["issues"]} == {issue["key"] for issue in before["issues"]}
    assert before != after
    assert after["bot"] == world.bot
    assert {"labels", "status", "comments", "flaws"} <= set(after["issues"][0])


def test_the_weather_changes_from_outside_and_spares_the_control(client: httpx.Client) -> None:
    client.post("/_sandbox/faults", json={"html_share": 1.0})
    assert client.get("/").text.startswith("<!doctype html>")

    seen = client.post("/_sandbox/faults", json={"calm": True, "fail_next": {"n": 1, "kind": "server_error"}}).json()
    assert seen["injected"] == {"html": 1}
    assert [client.get("/").status_code >= 500 for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("faults", {"nonsense": 1}, "nonsense"),
        ("faults", {"latency": "slow"}, "latency"),
        ("faults", {"fail_next": {"n": 1, "kind": "flood"}}, "flood"),
        ("disturb", {"count": "many"}, "whole numbers"),
    ],
)
def test_a_wrong_request_is_named(client: httpx.Client, path: str, body: dict[str, object], said: str) -> None:
    answer = client.post(f"/_sandbox/{path}", json=body)

    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_a_tracker_without_webhooks_says_so(client: httpx.Client) -> None:
    assert client.post("/_sandbox/webhook", json={"url": "http://127.0.0.1:9"}).status_code == 501


def test_webhooks_are_switched_on_from_outside(app: Starlette, world: World) -> None:
    got: list[tuple[str, bytes]] = []

    async def take(request: Request) -> Response:
        got.append((request.headers["x-hub-signature-256"], await request.body()))
        return Response()

    controlled = with_control(app, world, Faults(), payload=plain_payload)
    receiver = Starlette(routes=[Route("/hook", take, methods=["POST"])])
    with serve(receiver) as hook, serve(controlled) as running, httpx.Client(base_url=running.url) as client:
        answer = client.post("/_sandbox/webhook", json={"url": hook.url + "/hook", "secret": "s"})
        client.post("/_sandbox/disturb", json={"seed": 3, "count": 5})
        assert controlled.senders[0].drain()
        controlled.close()

    assert answer.status_code == 201
    assert len(got) >= 5
    assert all(proof == f"sha256={hmac_sha256('s', body)}" for proof, body in got)


# -- as a program ------------------------------------------------------------------------------------------------------


def program(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "backlint.connectors.sandbox", "--size", "60", "--trackers", "jira"]
    return subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_it_prints_what_a_client_must_know_and_ends_with_its_input() -> None:
    with program("--until-stdin-closes") as running:
        assert running.stdout is not None
        facts = json.loads(running.stdout.readline())["jira"]
        issues = httpx.get(facts["control"] + "/state").json()["issues"]
        _, said = running.communicate(input="", timeout=20)

    assert facts["scope"] == ["PAY", "SHOP", "WMS"]
    assert {"url", "token", "user"} <= set(facts)
    assert {issue["project"] for issue in issues} == set(facts["scope"])
    assert (running.returncode, said) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_it_ends_on_a_signal() -> None:
    with program() as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=20)

    assert (running.returncode, said) == (0, "")


def test_an_unknown_tracker_ends_it_with_the_reason() -> None:
    with program("--trackers", "trello") as running:
        _, said = running.communicate(timeout=20)

    assert running.returncode == 2
    assert "trello" in said
