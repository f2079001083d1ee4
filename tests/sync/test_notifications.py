"""Digests over real SMTP and HTTP on this machine: once, to the right people, outside quiet hours, never in silence."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from backlint.connectors.contract import Pulled, Reference
from backlint.model import IssueType, Person, Tracker
from backlint.settings import ServiceSettings, Settings, StoreSettings
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.check import check_store
from backlint.sync.database import open_engine
from backlint.sync.notifications import Outcome, notify, send_test
from backlint.sync.worker import Worker
from tests.factory import an_issue

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=default)
        self.mails.append((str(mail["Subject"]), mail.get_body(("plain", "html")).get_content()))
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


class Chat:
    """A chat's web hook; answers 500 while it is `down`."""

    def __init__(self) -> None:
        self.posts: list[dict[str, str]] = []
        self.down, self.refused = False, 0
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if chat.down:
                    chat.refused += 1
                else:
                    chat.posts.append(json.loads(body))
                self.send_response(500 if chat.down else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server.server_port}/hooks/s3cr3t-token"


@pytest.fixture
def chat() -> Iterator[Chat]:
    found = Chat()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(store_url)
    with engine.begin() as connection:
        people = (Person(id="u1", name="Mia", handle="mia"),)
        store.save_source(connection, "acme", Tracker.JIRA, Reference(people=people), now=NOW)
        store.begin_scope(connection, "acme", "PAY", now=NOW, full=True)
        connection.execute(sa.update(t.scopes).values(is_complete=True))
    yield engine
    engine.dispose()


def settings(*notifications: dict[str, str]) -> Settings:
    return Settings.model_validate(
        {
            "check": {"near": "all", "profile": "full"},
            "write_back": {"first_run": "write"},
            "notifications": [{"name": "team", "url_env": "CHAT", **each} for each in notifications],
        }
    )


def save_and_check(engine: sa.Engine, how: Settings, *bodies: str, now: datetime = NOW) -> None:
    issues = [
        an_issue(
            source="acme", id=str(number), key=f"PAY-{number}", title=f"Pay by card {number}", body=body,
            type=IssueType.STORY, team="Payments" if number % 2 else "Web", assignees=("u1",) if number == 1 else (),
            tracker=Tracker.JIRA, created_at=NOW,
        )
        for number, body in enumerate(bodies, start=1)
    ]  # fmt: skip
    with engine.begin() as connection:
        store.save_issues(connection, "acme", "PAY", [Pulled(each, b"{}") for each in issues], now=now)
    check_store(engine, how, run=f"check-{now.isoformat()}-{len(bodies)}", now=now)


def test_only_what_changed_since_the_last_digest_is_sent_and_nothing_when_nothing_did(engine, chat, monkeypatch):
    monkeypatch.setenv("CHAT", chat.url)
    how = settings({})
    save_and_check(engine, how, "", "")

    assert [each.outcome for each in notify(engine, how, now=NOW)] == [Outcome.SENT]
    assert [each.outcome for each in notify(engine, how, now=NOW)] == [Outcome.NOTHING]

    save_and_check(engine, how, "", "", "")
    notify(engine, how, now=NOW)
    first, second = chat.posts
    assert "PAY-1" in first["message"]
    assert "PAY-2" in first["message"]
    assert "PAY-3" in second["message"]
    assert "PAY-1" not in second["message"]


def test_teams_and_owners_get_their_own(engine, chat, monkeypatch):
    monkeypatch.setenv("CHAT", chat.url)
    how = settings({"name": "web", "team": "web"}, {"name": "mia", "owner": "Mia"})
    save_and_check(engine, how, "", "")

    notify(engine, how, now=NOW)

    web, mia = chat.posts
    assert web["title"].startswith("web: ")
    assert mia["title"].startswith("Mia: ")
    assert "PAY-2" in web["message"]
    assert "PAY-1 " not in web["message"]
    assert "PAY-1 " in mia["message"]
    assert "PAY-2" not in mia["message"]


def test_quiet_hours_hold_a_digest_which_is_then_sent_once_with_all_that_changed(engine, chat, monkeypatch):
    monkeypatch.setenv("CHAT", chat.url)
    how = settings({"quiet_hours": "20:00-08:00"})
    save_and_check(engine, how, "", now=NIGHT)

    (held,) = notify(engine, how, now=NIGHT)
    assert held.outcome is Outcome.HELD
    assert held.until == datetime(2026, 3, 3, 8, tzinfo=UTC)
    save_and_check(engine, how, "", "", now=NIGHT)
    notify(engine, how, now=NIGHT)
    assert chat.posts == []

    (sent,) = notify(engine, how, now=held.until)
    assert sent.outcome is Outcome.SENT
    (post,) = chat.posts
    assert "PAY-1" in post["message"]
    assert "PAY-2" in post["message"]


def test_a_failure_is_an_outcome_without_the_secret_and_nothing_is_lost(engine, chat, monkeypatch):
    monkeypatch.setenv("CHAT", chat.url)
    how = settings({})
    save_and_check(engine, how, "")
    chat.down = True

    (failed,) = notify(engine, how, now=NOW)
    assert failed.outcome is Outcome.FAILED
    assert "500" in failed.reason
    assert "s3cr3t" not in failed.reason

    chat.down = False
    assert [each.outcome for each in notify(engine, how, now=NOW)] == [Outcome.SENT]
    assert "PAY-1" in chat.posts[0]["message"]


def test_a_missing_variable_and_an_address_of_no_kind_are_named(engine, monkeypatch):
    how = settings({}, {"name": "other", "url_env": "NOWHERE"})
    monkeypatch.delenv("CHAT", raising=False)
    monkeypatch.setenv("NOWHERE", "nothing://here")

    missing, unknown = send_test(how)

    assert "the environment variable CHAT is not set" in missing.reason
    assert "the address is none that apprise knows" in unknown.reason


def test_an_e_mail_reads_as_plain_lines(engine, mail, monkeypatch):
    address = f"mailto://127.0.0.1:{mail.port}/?from=backlint@acme.test&to=team@acme.test&mode=insecure&format=text"
    monkeypatch.setenv("CHAT", address)
    how = settings({"team": "Payments"})
    save_and_check(engine, how, "")

    (sent,) = notify(engine, how, now=NOW)

    assert sent.outcome is Outcome.SENT, sent.reason
    ((subject, text),) = mail.mails
    assert subject == sent.digest.title
    assert "• PAY-1 Pay by card 1" in text.replace("\r\n", "\n").splitlines()


def test_the_durable_job_tries_again_until_the_digest_is_taken(engine, chat, monkeypatch):
    monkeypatch.setenv("CHAT", chat.url)
    url = engine.url.render_as_string(hide_password=False)
    how = settings({}).model_copy(
        update={
            "store": StoreSettings(url=url),
            "service": ServiceSettings(retry_seconds=0.2, audit_schedule="off", pull_schedule="off"),
        }
    )
    save_and_check(engine, how, "")
    chat.down = True

    with Worker(engine, how, (), clock=lambda: NOW, schedules=False) as worker:
        worker.send_digests("audit-1")
        wait_until(lambda: chat.refused >= 2)
        chat.down = False
        wait_until(lambda: chat.posts)
        worker.send_digests("audit-1")  # a repeat of the same audit

    (post,) = chat.posts
    assert "PAY-1" in post["message"]


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
