"""`backlint webhooks` against each sandbox: made, delivering, looked at, removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.responses import Response

from backlint.api.webhooks import gates, reader_of
from backlint.connectors.sandbox.control import with_control
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.jira_hooks import APP_SECRET
from backlint.connectors.sandbox.jira_webhooks import jira_payload
from backlint.connectors.sandbox.oauth import PATH, Issuer, WithOAuth
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.trackers import APPS, TOKEN, Sandbox, make_app, start
from backlint.model import Tracker
from backlint.settings import load
from tests.api.conftest import CommandLine
from tests.api.places import API_TOKEN, API_VARIABLE, HOOK_SECRET, HOOK_VARIABLE, TOKEN_VARIABLE, write_configuration


@pytest.fixture(params=list(APPS))
def sandbox(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for name, value in ((TOKEN_VARIABLE, TOKEN), (HOOK_VARIABLE, HOOK_SECRET), (API_VARIABLE, API_TOKEN)):
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        made = start(stack, request.param, size=30, seed=3, now=datetime.now(UTC))
        write_configuration(tmp_path, [made])
        yield made


class Receiver:
    """Where a tracker sends to; keeps headers and body of every delivery."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.something = Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, is_more = b"", True
        while is_more:
            message = await receive()
            body, is_more = body + message.get("body", b""), message.get("more_body", False)
        self.got.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        self.something.set()
        await Response(status_code=200)(scope, receive, send)


def test_what_is_registered_delivers_signed_until_it_is_removed(backlint: CommandLine, sandbox: Sandbox) -> None:
    receiver = Receiver()
    with serve(receiver) as here:
        assert backlint("webhooks", "status", "--url", here.url).code == 1

        made = backlint("webhooks", "register", "--url", here.url)
        again = backlint("webhooks", "register", "--url", here.url, "--format", "json")
        assert (made.code, again.code) == (0, 0)
        assert ": made" in made.out
        assert (again.json["sources"][0]["created"], again.json["sources"][0]["repaired"]) == ([], [])
        assert HOOK_SECRET not in made.out + made.err + again.out

        issue = next(iter(sandbox.world.issues.values()))
        sandbox.world.change(issue, "title", "Another title", actor=next(iter(sandbox.world.people)))
        assert receiver.something.wait(10)
        headers, body = receiver.got[0]
        reader = reader_of(Tracker(sandbox.tracker))
        reader.verify(body, headers, SecretStr(HOOK_SECRET), datetime.now(UTC))
        assert reader.event(headers, body).issues

        assert backlint("webhooks", "status", "--url", here.url).code == 0
        assert "removed" in backlint("webhooks", "remove", "--url", here.url).out
        assert backlint("webhooks", "status", "--url", here.url).code == 1
        assert "no webhook leads here" in backlint("webhooks", "remove", "--url", here.url).out


def test_an_app_s_webhook_is_proven_by_its_token_and_renewed_in_time(
    backlint: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    monkeypatch.setenv("APP_SECRET", APP_SECRET)
    monkeypatch.setenv("FIRST", "refresh-0")
    monkeypatch.setenv("BACKLINT_SERVICE__PUBLIC_URL", "https://backlint.example.test")
    world = generate("jira", seed=3, size=30, now=datetime.now(UTC))
    behind = WithOAuth(make_app("jira", world), Issuer(client_secret=APP_SECRET), token=TOKEN)
    app = with_control(behind, world, Faults(), payload=jira_payload(world))
    stack.callback(app.close)
    jira = stack.enter_context(serve(app))
    receiver = Receiver()
    here = stack.enter_context(serve(receiver))
    project = next(iter(world.projects))
    (tmp_path / "backlint.toml").write_text(
        f"""
        [[sources]]
        name = "acme"
        tracker = "jira"
        url = "{jira.url}"
        scope = ["{project}"]
        [sources.oauth]
        client_id = "app"
        client_secret_env = "APP_SECRET"
        refresh_token_env = "FIRST"
        file = "acme.token"
        url = "{jira.url + PATH}"
        """,
        encoding="utf-8",
    )

    made = backlint("webhooks", "register", "--url", here.url)
    assert (made.code, APP_SECRET in made.out + made.err) == (0, False), made.err
    world.change(world.in_project(project)[0], "title", "Another title", actor=next(iter(world.people)))
    assert receiver.something.wait(10)
    headers, body = receiver.got[0]
    gate = gates(load())["acme"]
    assert gate.secret is not None
    gate.verify(body, headers, gate.secret, datetime.now(UTC))

    (hook,) = world.hooks.values()
    hook.expires_at = soon = datetime.now(UTC) + timedelta(days=5)
    again = backlint("webhooks", "register", "--url", here.url)
    assert (again.code, "renewed" in again.out, hook.expires_at > soon) == (0, True, True)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_doctor_misses_the_webhook_until_it_is_registered(
    backlint: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKLINT_SERVICE__PUBLIC_URL", "https://backlint.example.test/")

    def said() -> dict[str, str]:
        return next(
            each for each in backlint("doctor", "--format", "json").json["checks"] if each["name"] == "webhooks"
        )

    assert (said()["level"], "webhooks register" in said()["remedy"]) == ("bad", True)
    backlint("webhooks", "register")
    assert said()["level"] == "good"


def test_without_an_address_or_a_secret_nothing_is_made(
    backlint: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = backlint("webhooks", "register")
    assert (nowhere.code, "service.public_url" in nowhere.err) == (2, True)

    odd = backlint("webhooks", "register", "--url", "backlint.example.test")
    assert (odd.code, "https://" in odd.err) == (2, True)

    text = (tmp_path / "backlint.toml").read_text(encoding="utf-8").replace("webhook_secret_env", "# was")
    (tmp_path / "backlint.toml").write_text(text, encoding="utf-8")
    bare = backlint("webhooks", "register", "--url", "https://backlint.example.test")
    assert (bare.code, "webhook_secret_env" in bare.err) == (2, True)

    other = backlint("webhooks", "status", "--url", "https://backlint.example.test", "--source", "nobody")
    assert (other.code, sandbox.tracker in other.err) == (2, True)
    assert sandbox.world.hooks == {}
