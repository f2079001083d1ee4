"""GitHub's webhooks: what is particular to them, beside what the contract promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from backlint.connectors import hooks
from backlint.connectors.github.connector import GitHubConnector
from backlint.connectors.sandbox.server import Running
from backlint.connectors.sandbox.world import World, WorldHook
from backlint.errors import PermissionMissing, RequestRefused
from tests.connectors.github.conftest import SCOPE

URL = "https://backlint.example.test/webhooks/gh"
SECRET = SecretStr("a webhook secret")
Serve = Callable[..., Running]
Connect = Callable[..., GitHubConnector]


def test_every_repository_gets_its_own(world: World, serving: Serve, connect: Connect) -> None:
    registrar = connect(serving(), scope=(SCOPE, "sandbox-org/api")).registrar()

    hooks.register(registrar, URL, SECRET)

    assert sorted(hook.covers for hook in world.hooks.values()) == ["sandbox-org/api", SCOPE]


def test_a_webhook_without_a_secret_is_mended(world: World, serving: Serve, connect: Connect) -> None:
    registrar = connect(serving()).registrar()
    hooks.register(registrar, URL, SECRET)
    (hook,) = world.hooks.values()
    hook.secret = None

    assert hooks.standing(registrar, URL).present[0].faults == ("it has no secret",)
    hooks.register(registrar, URL, SECRET)

    assert hook.secret == SECRET.get_secret_value()


@pytest.fixture
def as_app(
    serving: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, private_key: str
) -> Callable[[], GitHubConnector]:
    monkeypatch.setenv("APP_KEY", private_key)
    server = serving(installation="678")
    return lambda: connect(server, app_id="12345", installation_id="678", private_key_env="APP_KEY")


def test_an_app_has_one_webhook_for_all(world: World, as_app: Callable[[], GitHubConnector]) -> None:
    registrar = as_app().registrar()

    assert len(hooks.register(registrar, URL, SECRET).created) == 1
    assert len(hooks.register(registrar, URL, SECRET).kept) == 1
    assert world.hooks["app"].secret == SECRET.get_secret_value()


def test_an_app_s_webhook_that_leads_elsewhere_is_left_alone(
    world: World, as_app: Callable[[], GitHubConnector]
) -> None:
    theirs = WorldHook("app", "https://others.example.test/hook", "theirs", ["issues"])
    world.hooks["app"] = theirs

    with pytest.raises(RequestRefused, match="leads elsewhere"):
        hooks.register(as_app().registrar(), URL, SECRET)
    world.hooks["app"] = WorldHook("app", URL, "s", ["issues"])
    with pytest.raises(RequestRefused, match="cannot be removed"):
        hooks.remove(as_app().registrar(), URL)


def test_a_token_that_may_not_see_webhooks_is_told_so(serving: Serve, connect: Connect, world: World) -> None:
    server = serving(hooks_hidden=True)

    with pytest.raises(PermissionMissing, match="admin:repo_hook"):
        hooks.standing(connect(server).registrar(), URL)
    with pytest.raises(PermissionMissing, match="admin:repo_hook"):
        connect(server).registrar().create(URL, SCOPE, SECRET)
    assert world.hooks == {}
