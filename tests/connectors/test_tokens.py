"""Tokens that end while a pull is under way are renewed; what rotates is on disk before it is used."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from backlint.connectors.connect import connect, make_connector
from backlint.connectors.contract import Connector
from backlint.connectors.jira.client import _auth
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.oauth import PATH, Issuer, WithOAuth
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.trackers import APPS, make_app
from backlint.connectors.tokens import GivenToken, RenewedToken, TokenFile, Tokens
from backlint.errors import ConfigurationError, TokenRefused, TrackerDown
from backlint.model import Tracker
from backlint.settings import SourceSettings
from tests.connectors.jira.conftest import a_world

TOKEN = "sandbox-token"
ISSUES = 12


@dataclass
class Site:
    """A sandbox tracker behind an OAuth issuer."""

    tracker: str
    issuer: Issuer
    faults: Faults
    url: str
    file: Path

    def source(self, **oauth: Any) -> SourceSettings:
        app = {
            "client_id": "app", "client_secret_env": "APP_SECRET", "refresh_token_env": "FIRST",
            "file": str(self.file), "url": self.url + PATH, **oauth,
        }  # fmt: skip
        return SourceSettings(
            name="acme", tracker=Tracker(self.tracker), url=self.url + APPS[self.tracker][2], scope=("EX",), oauth=app,
            concurrency=1, requests_per_second=5000,
        )  # fmt: skip

    def connect(self) -> Connector:
        return connect(self.source(), sleep=lambda _seconds: None)

    def pulled(self) -> int:
        connector = self.connect()
        try:
            return sum(len(page.issues) for page in connector.pull("EX", None))
        finally:
            connector.close()

    def stored(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found


@pytest.fixture(params=["jira", "linear"])
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    yield from _site(request.param, tmp_path, monkeypatch)


@pytest.fixture
def jira(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    yield from _site("jira", tmp_path, monkeypatch)


def _site(tracker: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("APP_SECRET", "app-secret")
    monkeypatch.setenv("FIRST", "refresh-0")
    issuer, faults = Issuer(), Faults()
    app = WithOAuth(make_app(tracker, a_world(ISSUES)), issuer, token=TOKEN)
    with serve(app, faults=faults) as running:
        yield Site(tracker, issuer, faults, running.url, folder / "acme.token")


def test_a_token_that_ends_in_the_middle_of_a_pull_is_renewed_and_nothing_is_lost(site: Site) -> None:
    site.issuer.uses = 2

    assert site.pulled() == ISSUES

    assert site.issuer.renewals > 1
    assert site.issuer.refused == site.issuer.renewals - 1
    assert set(site.issuer.bodies) == {"json" if site.tracker == "jira" else "form"}


def test_the_newest_refresh_token_is_on_disk_for_its_owner_alone(site: Site) -> None:
    site.issuer.uses = 2
    site.pulled()

    assert site.stored()["refresh_token"] == site.issuer.refresh_token
    assert site.file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in site.file.parent.iterdir() if "draft" in each.name] == []


def test_the_next_run_goes_on_with_the_stored_token(site: Site) -> None:
    site.pulled()

    assert site.pulled() == ISSUES
    assert site.issuer.renewals == 1


def test_a_token_is_renewed_before_its_end(jira: Site) -> None:
    jira.issuer.lifetime = 30  # less than the time for which a token has to be good
    jira.pulled()

    assert jira.issuer.refused == 0
    assert jira.issuer.renewals > 1


def test_many_threads_renew_once(jira: Site) -> None:
    auth = RenewedToken(jira.source(), endpoint="", body="json")
    barrier = threading.Barrier(4)

    def ask() -> None:
        with httpx.Client(base_url=jira.url, auth=auth) as client:
            barrier.wait()
            assert client.get("/rest/api/2/myself").status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert jira.issuer.renewals == 1


def test_what_another_process_renewed_is_taken_over(jira: Site) -> None:
    here, there = (RenewedToken(jira.source(), endpoint="", body="json") for _ in range(2))
    with httpx.Client(base_url=jira.url, auth=here) as first, httpx.Client(base_url=jira.url, auth=there) as second:
        first.get("/rest/api/2/myself")
        second.get("/rest/api/2/myself")
        jira.issuer.end()
        first.get("/rest/api/2/myself")
        assert second.get("/rest/api/2/myself").status_code == 200

    assert jira.issuer.renewals == 2


def test_a_lost_answer_to_a_renewal_is_asked_for_again_with_the_same_token(jira: Site) -> None:
    jira.issuer.leeway = True
    jira.faults.fail_next(1, "lost_answer", path=PATH)

    assert jira.pulled() == ISSUES
    assert jira.stored()["refresh_token"] == jira.issuer.refresh_token


def test_a_refused_renewal_says_what_to_do_and_no_secret(jira: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST", "refresh-stolen")

    with pytest.raises(TokenRefused, match=r"403, invalid_grant\): authorise it again.*FIRST") as refusal:
        jira.pulled()

    assert "refresh-stolen" not in str(refusal.value)
    assert "app-secret" not in str(refusal.value)


def test_an_endpoint_that_is_down_is_an_outage_and_no_refusal(jira: Site) -> None:
    jira.issuer.status = 503

    with pytest.raises(TrackerDown, match="renewed"):
        jira.pulled()
    assert not jira.file.exists()


def test_a_new_authorisation_replaces_what_the_file_holds(jira: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    jira.pulled()
    jira.issuer.authorise("refresh-new")
    monkeypatch.setenv("FIRST", "refresh-new")

    assert jira.pulled() == ISSUES


def test_the_environment_may_forget_the_first_token(jira: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    jira.pulled()
    monkeypatch.delenv("FIRST")
    jira.issuer.end()

    assert jira.pulled() == ISSUES


def test_a_file_that_others_may_read_is_refused(jira: Site) -> None:
    jira.pulled()
    jira.file.chmod(0o640)

    with pytest.raises(ConfigurationError, match=r"mode 640.*chmod 600"):
        jira.pulled()


def test_without_a_file_and_a_first_token_both_are_named(jira: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRST")

    with pytest.raises(ConfigurationError, match=r"acme\.token and FIRST"):
        jira.pulled()


@pytest.mark.parametrize("content", ["", "[]", "secret-and-no-json"])
def test_a_file_without_tokens_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match="holds no tokens") as refusal:
        TokenFile(path, source="acme").load()
    assert "secret" not in str(refusal.value)


def test_a_file_in_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "no" / "t", source="acme")

    with pytest.raises(ConfigurationError, match="cannot write"):
        file.save(Tokens(refresh_token="r"))


# -- tokens that somebody else makes -----------------------------------------------------------------------------------


def test_a_replaced_token_file_is_read_again_when_the_token_is_refused(tmp_path: Path) -> None:
    issuer = Issuer()
    file = tmp_path / "token"
    with serve(WithOAuth(make_app("jira", a_world(ISSUES), deployment="server"), issuer, token=TOKEN)) as running:
        file.write_text(issuer.issue())
        source = SourceSettings(name="acme", tracker=Tracker.JIRA, url=running.url, scope=("EX",), token_file=str(file))
        connector = connect(source, sleep=lambda _seconds: None)
        connector.reference()
        file.write_text(issuer.issue())

        assert sum(len(page.issues) for page in connector.pull("EX", None)) == ISSUES
        connector.close()


def test_a_token_of_the_environment_that_is_refused_stays_refused() -> None:
    with serve(make_app("jira", a_world(1), deployment="server")) as running:
        source = SourceSettings(name="acme", tracker=Tracker.JIRA, url=running.url, scope=("EX",), token_env="X")
        connector = make_connector(source, SecretStr("wrong"), sleep=lambda _seconds: None)
        with pytest.raises(TokenRefused):
            connector.reference()
        connector.close()


def test_basic_credentials_are_mail_address_and_token() -> None:
    source = SourceSettings(name="a", tracker=Tracker.JIRA, url="https://x.test", scope=("EX",), user="bot@acme.test")
    auth = _auth(source, SecretStr("t"))
    assert isinstance(auth, GivenToken)

    request = next(auth.sync_auth_flow(httpx.Request("GET", "https://x.test")))

    assert request.headers["Authorization"] == "Basic Ym90QGFjbWUudGVzdDp0"


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tracker": "github"}, "GitHub Apps are named by app_id"),
        ({"tracker": "jira", "url": "https://acme.atlassian.net"}, "api.atlassian.com/ex/jira"),
        ({"tracker": "jira", "url": "https://api.atlassian.com/ex/jira/1", "user": "bot@acme.test"}, "no user"),
        ({"tracker": "linear", "token_env": "X"}, "no token_env"),
    ],
)
def test_settings_that_do_not_go_with_an_oauth_app_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SourceSettings.model_validate(
            {"name": "a", "scope": ("X",), "oauth": {"client_id": "app", "file": "t"}, **given}
        )
