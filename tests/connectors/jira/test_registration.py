"""Jira's two kinds of webhooks: what is particular to them, beside what the contract promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from backlint.connectors import hooks
from backlint.connectors.hooks import RENEW_BEFORE
from backlint.connectors.jira.connector import JiraConnector
from backlint.connectors.jira.registration import AppHooks
from backlint.errors import PermissionMissing, RequestRefused
from tests.connectors.jira.conftest import Jira

URL = "https://backlint.example.test/webhooks/acme"
SECRET = SecretStr("a webhook secret")


def app_hooks(jira: Jira, *scope: str) -> AppHooks:
    """As an OAuth app: with a bearer token."""
    connector = jira.connect(scope=scope or ("EX",), user="")
    return AppHooks(connector._session, connector.scopes)


def test_one_webhook_serves_all_projects_and_follows_the_scope(jira: Jira) -> None:
    hooks.register(jira.connect().registrar(), URL, SECRET)

    done = hooks.register(jira.connect(scope=("EX", "AB")).registrar(), URL, SECRET)

    assert [hook.covers for hook in done.repaired] == ['project in ("EX", "AB")']
    assert [hook.filter for hook in jira.world.hooks.values()] == ['project in ("EX", "AB")']


def test_a_webhook_without_a_filter_serves_too(jira: Jira) -> None:
    registrar = jira.connect().registrar()
    hooks.register(registrar, URL, SECRET)
    (hook,) = jira.world.hooks.values()
    hook.filter = ""

    assert hooks.standing(registrar, URL).is_whole
    assert len(hooks.register(registrar, URL, SECRET).kept) == 1


def test_who_is_no_administrator_is_told_which_right_it_takes(jira: Jira) -> None:
    jira.manners.manages_webhooks = False

    with pytest.raises(PermissionMissing, match="Administer Jira"):
        hooks.standing(jira.connect().registrar(), URL)


def test_data_center_from_10_on_is_asked_at_its_new_address(server: Jira) -> None:
    server.sandbox.hooks.is_new = True
    registrar = server.connect().registrar()

    assert len(hooks.register(registrar, URL, SECRET).created) == 1
    assert len(hooks.register(registrar, URL, SECRET).kept) == 1
    assert [hook.secret for hook in server.world.hooks.values()] == [SECRET.get_secret_value()]
    assert len(hooks.remove(registrar, URL)) == 1
    assert server.world.hooks == {}


def test_an_app_s_webhook_is_made_once_and_renewed_before_it_ends(cloud: Jira) -> None:
    registrar = app_hooks(cloud)
    now = datetime.now(UTC)

    assert len(hooks.register(registrar, URL, SECRET).created) == 1
    assert len(hooks.register(registrar, URL, SECRET).kept) == 1
    assert hooks.renew(registrar, URL, now=now) == ()

    (hook,) = cloud.world.hooks.values()
    hook.expires_at = now + RENEW_BEFORE - timedelta(days=1)
    (renewed,) = hooks.renew(registrar, URL, now=now)

    assert renewed.expires_at is not None
    assert hook.expires_at > renewed.expires_at + timedelta(days=5)
    assert hooks.renew(registrar, URL, now=now) == ()


def test_an_app_s_webhook_for_other_projects_is_replaced(cloud: Jira) -> None:
    hooks.register(app_hooks(cloud), URL, SECRET)

    hooks.register(app_hooks(cloud, "EX", "AB"), URL, SECRET)

    assert [hook.filter for hook in cloud.world.hooks.values()] == ['project in ("EX", "AB")']


def test_a_refusal_inside_a_good_answer_is_a_refusal(cloud: Jira) -> None:
    hooks.register(app_hooks(cloud), URL, SECRET)

    with pytest.raises(RequestRefused, match="Only a single URL per app"):
        hooks.register(app_hooks(cloud), "https://elsewhere.example.test/webhooks/acme", SECRET)


def test_only_an_app_can_make_an_app_s_webhook(cloud: Jira) -> None:
    connector = cloud.connect()
    assert isinstance(connector, JiraConnector)

    with pytest.raises(PermissionMissing, match="manage:jira-webhook"):
        hooks.standing(AppHooks(connector._session, connector.scopes), URL)
