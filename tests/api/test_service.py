"""What the service answers, to trackers and to programs: good input, bad input, too much of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from backlint.api.service import Service, make_app
from backlint.connectors.sandbox.server import serve
from backlint.settings import Settings
from backlint.sync import deliveries
from backlint.sync import tables as t
from backlint.sync.database import open_engine, upgrade
from backlint.sync.inbox import Inbox
from backlint.sync.pull import pull
from tests.api.places import API_TOKEN
from tests.factory import an_issue
from tests.sync.memory_tracker import MemoryTracker

SECRET = "It's a Secret to Everybody"
AUTHORISED = {"Authorization": f"Bearer {API_TOKEN}"}
MOST = 3000
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Place:
    """An application without a worker, its store, and signed deliveries for it."""

    def __init__(self, client: httpx.Client, engine: sa.Engine) -> None:
        self.client, self.engine = client, engine

    def rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(t.deliveries)))

    def github(self, body: Any, *, event: str = "issues", id: str | None = None, **headers: str | None) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given: dict[str, str | None] = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": id or str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + signature(raw),
            **headers,
        }
        kept = {name: value.encode("latin-1") for name, value in given.items() if value is not None}
        return self.client.post("/webhooks/github", content=raw, headers=kept).status_code

    def linear(self, *, sent_at: datetime) -> int:
        stamp = int(sent_at.timestamp() * 1000)
        raw = json.dumps({"type": "Issue", "action": "update", "data": {"id": "a"}, "webhookTimestamp": stamp}).encode()
        headers = {"Linear-Signature": signature(raw), "Linear-Delivery": str(uuid.uuid4())}
        return self.client.post("/webhooks/linear", content=raw, headers=headers).status_code

    def api(self, path: str) -> Any:
        answer = self.client.get(f"/api{path}", headers=AUTHORISED)
        assert answer.status_code == 200, answer.text
        return answer.json()


def signature(raw: bytes) -> str:
    return hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()


def an_event(**more: Any) -> dict[str, Any]:
    return {
        "action": "edited", "issue": {"id": 7, "number": 3}, "repository": {"full_name": "a/b"}, "sender": {"id": 1},
        **more,
    }  # fmt: skip


def settings(store: str, **service: Any) -> Settings:
    source = {"token_env": "UNUSED", "webhook_secret_env": "HOOK"}
    return Settings.model_validate(
        {
            "store": {"url": store},
            "service": {"max_body": MOST, **service},
            "sources": [
                {"name": "github", "tracker": "github", "scope": ["a/b"], **source},
                {"name": "linear", "tracker": "linear", "scope": ["A"], **source},
                {"name": "open", "tracker": "github", "scope": ["a/b"], "token_env": "UNUSED"},
            ],
        }
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def make(stack: ExitStack, store: str, monkeypatch: pytest.MonkeyPatch, *, token: bool = True, **service: Any) -> Place:
    monkeypatch.setenv("HOOK", SECRET)
    engine = open_engine(store)
    stack.callback(engine.dispose)
    upgrade(engine)
    chosen = settings(store, **service)
    inbox = Inbox(engine, max_waiting=chosen.service.max_waiting).open()
    stack.callback(inbox.close)
    made = Service(chosen, engine, inbox, lambda: NOW, SecretStr(API_TOKEN) if token else None)
    running = stack.enter_context(serve(make_app(made)))
    return Place(stack.enter_context(httpx.Client(base_url=running.url, timeout=30)), engine)


@pytest.fixture
def place(stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make(stack, f"sqlite:///{tmp_path / 'store.db'}", monkeypatch)


# -- webhooks ----------------------------------------------------------------------------------------------------------


def test_a_genuine_delivery_is_in_the_store_when_it_is_answered(place: Place) -> None:
    assert place.github(an_event(), id="one") == 200

    (row,) = place.rows()
    assert (row.source, row.id, row.event, row.issues, row.keys) == (
        "github",
        "one",
        "issues.edited",
        ["7"],
        {"7": "a/b#3"},
    )
    assert row.handled_at is None


@pytest.mark.parametrize(
    "wrong", [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=é", signature(b"other")]
)
def test_a_wrong_or_missing_signature_is_401_and_nothing_is_stored(place: Place, wrong: str | None) -> None:
    assert place.github(an_event(), **{"X-Hub-Signature-256": wrong}) == 401
    assert place.rows() == []


def test_a_source_without_a_secret_takes_nothing(place: Place) -> None:
    raw = json.dumps(an_event()).encode()
    unsigned = place.client.post("/webhooks/open", content=raw, headers={"X-GitHub-Event": "issues"})

    assert unsigned.status_code == 401
    assert place.rows() == []


def test_a_stale_time_stamp_is_401(place: Place) -> None:
    assert place.linear(sent_at=NOW - timedelta(minutes=5)) == 401
    assert place.linear(sent_at=NOW + timedelta(minutes=5)) == 401
    assert place.rows() == []
    assert place.linear(sent_at=NOW - timedelta(seconds=5)) == 200


def test_an_unknown_source_is_404(place: Place) -> None:
    assert place.client.post("/webhooks/nobody", content=b"{}").status_code == 404
    assert place.client.get("/webhooks/github").status_code == 405


def test_too_large_a_body_is_413_with_and_without_a_stated_length(place: Place) -> None:
    large = b"x" * (MOST + 1)

    assert place.github(large) == 413
    assert place.client.post("/webhooks/github", content=iter([large])).status_code == 413
    assert place.github(b" " * (MOST - 400) + json.dumps(an_event()).encode()) == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"issue": 1}', b'{"action": "edited"}'])
def test_malformed_json_is_400_and_counted(place: Place, raw: bytes) -> None:
    assert place.github(raw) == 400
    assert place.rows() == []
    assert 'backlint_webhooks_total{source="github",status="400"} 1.0' in place.client.get("/metrics").text


def test_missing_headers_are_400(place: Place) -> None:
    assert place.github(an_event(), **{"X-GitHub-Delivery": None}) == 400


def test_an_event_that_is_not_handled_is_202_and_listed(place: Place) -> None:
    assert place.github({"zen": "Keep it logically awesome.", "hook_id": 1}, event="ping") == 202
    assert place.github(an_event(), event="something_new") == 202

    webhooks = place.api("/sources")[0]["webhooks"]
    assert webhooks["not_handled"] == {"ping": 1, "something_new.edited": 1}
    assert webhooks["last_at"] == NOW.isoformat()


def test_a_replay_is_200_and_dropped(place: Place) -> None:
    assert [place.github(an_event(), id="same") for _ in range(3)] == [200, 200, 200]

    assert len(place.rows()) == 1


def test_a_flood_is_429_and_all_that_was_acknowledged_is_there(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make(stack, f"sqlite:///{tmp_path / 'small.db'}", monkeypatch, max_waiting=10)

    answers = {str(number): place.github(an_event(), id=str(number)) for number in range(30)}

    assert set(answers.values()) == {200, 429}
    assert {row.id for row in place.rows()} == {id for id, status in answers.items() if status == 200}


def test_a_store_that_cannot_be_written_to_is_503(place: Place) -> None:
    with place.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE deliveries")

    assert place.github(an_event()) == 503


# -- operation ---------------------------------------------------------------------------------------------------------


def test_it_is_alive_and_ready_only_with_a_worker(place: Place) -> None:
    assert place.client.get("/health").json()["status"] == "alive"
    not_ready = place.client.get("/ready")
    assert (not_ready.status_code, not_ready.json()["checks"]["store"]) == (503, "ok")
    with place.engine.begin() as connection:
        row = {"id": "worker", "machine": "m", "pid": 1, "started_at": NOW, "beat_at": NOW}
        connection.execute(t.executors.insert(), row)

    assert place.client.get("/ready").status_code == 200


# -- the API -----------------------------------------------------------------------------------------------------------

PATHS = ["/sources", "/runs", "/issues", "/issues/github/7", "/findings", "/plan", "/dead-letters"]


@pytest.mark.parametrize("path", PATHS)
def test_the_api_wants_its_token(place: Place, path: str) -> None:
    for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {API_TOKEN}"}):
        assert place.client.get(f"/api{path}", headers=wrong).status_code == 401


def test_without_a_configured_token_the_api_is_shut(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make(stack, f"sqlite:///{tmp_path / 'shut.db'}", monkeypatch, token=False)

    assert place.client.get("/api/sources", headers=AUTHORISED).status_code == 403


def test_the_api_only_reads_but_for_dead_letters(place: Place) -> None:
    described = place.client.get("/api/openapi.json").json()["paths"]
    changing = {
        (method, path) for path, methods in described.items() for method in methods if method not in ("get", "head")
    }

    assert changing == {
        ("post", "/webhooks/{source}"),
        ("post", "/api/dead-letters/{source}/{issue}/retry"),
        ("delete", "/api/dead-letters/{source}/{issue}"),
    }


def test_issues_and_findings_with_their_explanation(place: Place) -> None:
    tracker = MemoryTracker([an_issue(id="7", key="DEMO-7", body="", source="github")], name="github")
    pull(place.engine, [tracker], now=NOW)
    assert place.api("/plan")["changes"] == []  # a check, which records what it found; write-back is off

    (listed,) = place.api("/issues?source=github")
    found = place.api("/findings?source=github")
    issue = place.api("/issues/github/DEMO-7")

    assert listed["key"] == "DEMO-7"
    assert found
    assert {each["key"] for each in found} == {"DEMO-7"}
    assert all(each["about"] and each["message"] for each in found)
    assert [each["rule"] for each in issue["findings"]] == [each["rule"] for each in found]
    assert {each["event"] for each in issue["history"]} == {"opened"}
    assert place.api("/runs?kind=pull")[0]["outcome"] == "done"
    assert place.client.get("/api/issues/github/NONE-1", headers=AUTHORISED).status_code == 404


def test_a_dead_letter_is_retried_or_dropped(place: Place) -> None:
    for id in ("7", "8"):
        with place.engine.begin() as connection:
            connection.execute(
                t.touched.insert(),
                {
                    "source": "github", "issue": id, "state": deliveries.DEAD, "first_at": NOW, "last_at": NOW,
                    "due_at": NOW, "deliveries": 1, "attempts": 5, "reason": "refused",
                },
            )  # fmt: skip
    assert [each["issue"] for each in place.api("/dead-letters")] == ["7", "8"]

    retried = place.client.post("/api/dead-letters/github/7/retry", headers=AUTHORISED)
    dropped = place.client.delete("/api/dead-letters/github/8", headers=AUTHORISED)
    again = place.client.delete("/api/dead-letters/github/8", headers=AUTHORISED)

    assert [each.status_code for each in (retried, dropped, again)] == [200, 200, 404]
    assert place.api("/dead-letters") == []
    with place.engine.connect() as connection:
        assert deliveries.due_sources(connection, now=NOW) == ("github",)


def test_a_text_that_no_database_holds_finds_nothing(
    stack: ExitStack, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make(stack, store_url, monkeypatch)

    for path in ("/findings?source=%00", "/issues?source=%00", "/issues/a/%00", "/runs?kind=%00"):
        assert place.client.get(f"/api{path}", headers=AUTHORISED).status_code in (200, 400, 404), path
