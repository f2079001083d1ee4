"""Linear's webhooks: what is particular to them, beside what the contract promises."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from backlint.connectors import hooks
from backlint.connectors.sandbox.world import WorldHook
from backlint.errors import PermissionMissing
from tests.connectors.linear.conftest import Linear

URL = "https://backlint.example.test/webhooks/acme"
SECRET = SecretStr("a webhook secret")


def test_a_webhook_for_all_public_teams_serves_every_team(linear: Linear) -> None:
    linear.world.hooks["h"] = WorldHook("h", URL, "s", ["Issue", "Comment", "Attachment", "IssueSLA"])

    assert hooks.standing(linear.connect().registrar(), URL).is_whole
    assert len(hooks.register(linear.connect().registrar(), URL, SECRET).kept) == 1


def test_one_for_another_team_is_told_and_left_alone(linear: Linear) -> None:
    other = next(key for key in linear.world.projects if key != "ENG")
    linear.world.hooks["h"] = WorldHook("h", URL, "s", ["Issue"], covers=other)

    done = hooks.register(linear.connect().registrar(), URL, SECRET)

    assert [hook.covers for hook in done.created] == ["ENG"]
    assert [hook.covers for hook in done.spare] == [other]


def test_a_member_is_told_that_it_takes_an_admin(linear: Linear) -> None:
    linear.sandbox.is_admin = False

    with pytest.raises(PermissionMissing, match="admin"):
        hooks.standing(linear.connect().registrar(), URL)
