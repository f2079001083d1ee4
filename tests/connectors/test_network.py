"""Proxies and certificates: as the settings say, else as the environment says; through a real proxy, with real TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from backlint.connectors.connect import make_connector
from backlint.connectors.contract import Usage
from backlint.connectors.http import TrackerHttp
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.trackers import APPS, make_app
from backlint.errors import ConfigurationError, TrackerDown
from backlint.model import Tracker
from backlint.settings import NetworkSettings, Settings, SourceSettings
from tests.connectors.jira.conftest import a_world
from tests.connectors.proxies import Proxy, a_proxy, an_authority, an_https_server


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with a_proxy() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return an_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(authority: tuple[Path, Path]) -> Iterator[str]:
    with an_https_server(authority[1]) as url:
        yield url


def get(url: str, **given: Any) -> int:
    http = TrackerHttp(
        base_url=url, headers={}, read=lambda _response: None, usage=Usage(), source="acme", sleep=lambda _s: None,
        **given,
    )  # fmt: skip
    try:
        return http.request("GET", "/", may_repeat=False).status_code
    finally:
        http.close()


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_every_tracker_is_reached_through_the_proxy_of_the_settings(proxy: Proxy, tracker: str) -> None:
    with serve(make_app(tracker, a_world(1))) as running:
        source = SourceSettings(
            name="acme", tracker=Tracker(tracker), url=running.url + APPS[tracker][2], scope=("*",), proxy=proxy.url,
            requests_per_second=5000, deployment="server",
        )  # fmt: skip
        connector = make_connector(source, SecretStr("sandbox-token"), sleep=lambda _seconds: None)
        connector.diagnose()
        connector.close()

    assert proxy.seen
    assert len(proxy.seen) == connector.usage.requests
    assert all(address.startswith(running.url) for address in proxy.seen)


def test_the_proxy_of_the_environment_is_followed(proxy: Proxy, secure: str, authority: tuple[Path, Path],
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    assert get(secure, ca_file=str(authority[0])) == 200
    assert proxy.seen == [secure.removeprefix("https://")]


def test_no_proxy_of_the_environment_is_followed(proxy: Proxy, secure: str, authority: tuple[Path, Path],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert get(secure, ca_file=str(authority[0])) == 200
    assert proxy.seen == []


def test_off_goes_straight_whatever_the_environment_says(proxy: Proxy, secure: str, authority: tuple[Path, Path],
                                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    assert get(secure, ca_file=str(authority[0]), proxy="off") == 200
    assert proxy.seen == []


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(secure: str, authority: tuple[Path, Path]) -> None:
    assert get(secure, ca_file=str(authority[0])) == 200
    with pytest.raises(TrackerDown, match=r"network\.ca_file"):
        get(secure)


def test_the_certificates_of_the_environment_are_followed(
    secure: str, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))

    assert get(secure) == 200


def test_a_proxy_that_refuses_is_named_as_the_cause(proxy: Proxy, secure: str) -> None:
    proxy.refuses = True

    with pytest.raises(TrackerDown, match=r"the proxy refused: check network\.proxy"):
        get(secure, proxy=proxy.url)


@pytest.mark.parametrize(("content", "said"), [(None, "cannot read"), ("no certificate", "no certificates")])
def test_a_file_without_certificates_is_a_wrong_setting(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=said):
        get("https://127.0.0.1:1", ca_file=str(path))


def test_what_a_source_says_of_the_network_wins_over_the_common_table() -> None:
    source = {"tracker": "linear", "scope": ["ENG"]}
    settings = Settings.model_validate(
        {
            "network": {"proxy": "http://proxy.test:3128", "ca_file": "ca.pem"},
            "sources": [{"name": "a", **source}, {"name": "b", "proxy": "off", **source}],
        }
    )

    assert [(each.proxy, each.ca_file) for each in settings.sources] == [
        ("http://proxy.test:3128", "ca.pem"),
        ("off", "ca.pem"),
    ]


@pytest.mark.parametrize("wrong", ["proxy.test:3128", "ftp://proxy.test", "http://me:secret@proxy.test:3128"])
def test_a_proxy_is_an_address_without_a_password(wrong: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NetworkSettings(proxy=wrong)
    assert "HTTPS_PROXY" in str(refusal.value) or "HOST:PORT" in str(refusal.value)
