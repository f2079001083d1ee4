"""Labels and the one comment: what is sent, what GitHub does silently, and what must not be touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response

from backlint.connectors.github.connector import LONGEST_BODY, GitHubConnector, marked
from backlint.connectors.github.mapping import HIDDEN_MARKER
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.github import secondary_limited
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.world import World, WorldStatus
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused, TrackerDown
from backlint.model import Issue
from tests.connectors.github.worlds import SCOPE, Clock, fill, pulled

LABEL = "hygiene:needs-owner"
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"

Serve = Callable[..., Running]
Connect = Callable[..., GitHubConnector]


def issue(number: int) -> Issue:
    return Issue(source="gh", id=str(number), key=f"{SCOPE}#{number}", title="")


def test_a_new_label_gets_a_colour_and_a_text(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    labels: dict[tuple[str, str], dict[str, object]] = {}
    connector = connect(serving(labels=labels))

    connector.add_label(issue(1), LABEL)

    made = labels[SCOPE, LABEL]
    assert made["color"] != "ededed"
    assert made["description"]
    assert world.issues["1"].labels == [LABEL]


def test_a_label_is_looked_for_once_and_then_only_set(
    world: World, serving: Serve, connect: Connect, faults: Faults
) -> None:
    fill(world, 9)
    connector = connect(serving())

    for number in range(1, 10):
        connector.add_label(issue(number), LABEL)

    assert faults.requests[f"/repos/{SCOPE}/labels"] == 1
    assert faults.writes == 1 + 9


def test_a_label_that_somebody_wrote_in_capitals_is_the_same_label(
    world: World, serving: Serve, connect: Connect
) -> None:
    fill(world, 2)
    world.add_labels(world.issues["1"], ["Hygiene:Needs-Owner"], actor="501")
    connector = connect(serving())

    connector.add_label(issue(1), LABEL)

    assert world.issues["1"].labels == ["Hygiene:Needs-Owner"]


def test_a_label_with_odd_letters_is_removed_by_its_encoded_name(
    world: World, serving: Serve, connect: Connect
) -> None:
    fill(world, 2)
    odd = "hygiene:50% done/über? #1"
    connector = connect(serving())

    connector.add_label(issue(1), odd)
    assert world.issues["1"].labels == [odd]
    connector.remove_label(issue(1), odd)
    assert world.issues["1"].labels == []


def test_labels_that_github_drops_in_silence_are_a_missing_permission(
    world: World, serving: Serve, connect: Connect
) -> None:
    fill(world, 2)
    labels = {(SCOPE, LABEL): {"name": LABEL}}
    connector = connect(serving(role="pull", labels=labels))

    with pytest.raises(PermissionMissing, match="triage"):
        connector.add_label(issue(1), LABEL)


def test_the_triage_role_sets_a_label_that_is_there(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving(role="triage", labels={(SCOPE, LABEL): {"name": LABEL}}))

    connector.add_label(issue(1), LABEL)

    assert world.issues["1"].labels == [LABEL]


def test_the_triage_role_cannot_make_a_label_and_is_told_so(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving(role="triage"))

    with pytest.raises(PermissionMissing, match="create it by hand"):
        connector.add_label(issue(1), LABEL)


def test_a_label_that_is_too_long_is_refused_before_anything_is_sent(
    world: World, serving: Serve, connect: Connect, faults: Faults
) -> None:
    fill(world, 2)

    with pytest.raises(RequestRefused, match="longer than 50"):
        connect(serving()).add_label(issue(1), "hygiene:" + "x" * 60)
    assert faults.writes == 0


def test_removing_an_absent_label_is_no_error_but_an_absent_issue_is(
    world: World, serving: Serve, connect: Connect
) -> None:
    fill(world, 2)
    connector = connect(serving())
    world.delete_issue(world.issues["2"], actor=None)

    connector.remove_label(issue(1), LABEL)
    with pytest.raises(NotFound):
        connector.remove_label(issue(2), LABEL)


def test_an_archived_repository_is_left_alone(world: World, serving: Serve, connect: Connect, faults: Faults) -> None:
    fill(world, 2)
    connector = connect(serving(archived={SCOPE}))

    for write in (
        lambda: connector.add_label(issue(1), LABEL),
        lambda: connector.remove_label(issue(1), LABEL),
        lambda: connector.create_comment(issue(1), "Question", key=KEY),
    ):
        with pytest.raises(PermissionMissing, match="archived"):
            write()
    assert faults.writes == 0
    assert pulled(list(connector.pull(SCOPE, None)))[f"{SCOPE}#1"].is_archived


def test_a_locked_issue_says_so_and_refuses_the_comment(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    world.issues["1"].is_locked = True
    connector = connect(serving(role="triage"))

    assert connector.read(issue(1)).is_locked
    with pytest.raises(PermissionMissing, match="locked"):
        connector.create_comment(issue(1), "Question", key=KEY)


def test_the_marker_is_hidden_and_stands_first(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)

    written = connect(serving()).create_comment(issue(1), "Who decides?", key=KEY)

    assert written.body == f"{HIDDEN_MARKER}\nWho decides?"
    assert written.is_own
    assert world.issues["1"].comments[0].body == written.body


def test_a_comment_that_is_too_long_is_shortened(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)

    written = connect(serving()).create_comment(issue(1), "ä" * 70_000, key=KEY)

    assert len(written.body) == LONGEST_BODY
    assert written.body.endswith("(shortened)")
    assert len(marked("short")) < 100


def test_our_comment_is_found_among_more_than_a_hundred(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving())
    for number in range(250):
        world.add_comment(world.issues["1"], f"Comment {number}", actor="501")
    written = connector.create_comment(issue(1), "Who decides?", key=KEY)

    assert [comment.id for comment in connector.managed_comments(issue(1))] == [written.id]


def test_two_runs_at_once_leave_two_comments_oldest_first(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving())
    first = connector.create_comment(issue(1), "Who decides?", key=KEY)
    second = connector.create_comment(issue(1), "Who decides?", key=KEY)

    assert [comment.id for comment in connector.managed_comments(issue(1))] == [first.id, second.id]


def test_a_comment_is_never_sent_twice_by_itself(
    world: World, serving: Serve, connect: Connect, faults: Faults
) -> None:
    fill(world, 2)
    connector = connect(serving())
    connector.managed_comments(issue(1))
    faults.fail_next(1, "lost_answer", only_writes=True)

    with pytest.raises(TrackerDown):
        connector.create_comment(issue(1), "Who decides?", key=KEY)
    assert len(world.issues["1"].comments) == 1
    assert len(connector.managed_comments(issue(1))) == 1


def test_a_comment_that_a_limit_held_back_is_sent_after_the_wait(
    world: World, serving: Serve, connect: Connect, faults: Faults
) -> None:
    fill(world, 2)
    slept: list[float] = []
    connector = connect(serving(), sleep=slept.append)
    connector.managed_comments(issue(1))
    faults.limited = lambda _reset, _after: secondary_limited(retry_after=9)
    faults.fail_next(1, "rate_limit", only_writes=True)

    connector.create_comment(issue(1), "Who decides?", key=KEY)

    assert len(world.issues["1"].comments) == 1
    assert max(slept) >= 9


def test_updating_a_comment_that_is_gone_says_not_found(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving())
    written = connector.create_comment(issue(1), "Who decides?", key=KEY)
    world.delete_comment(world.issues["1"], written.id, actor="501")

    with pytest.raises(NotFound):
        connector.update_comment(issue(1), written, "Who decides now?")
    connector.delete_comment(issue(1), written)


def test_our_labels_are_no_activity_of_people(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving())
    connector.add_label(issue(1), LABEL)
    world.add_labels(world.issues["1"], ["backend"], actor="501")

    changes = connector.read(issue(1)).changes

    assert [(change.after, change.is_bot) for change in changes] == [(LABEL, True), ("backend", False)]


def test_a_token_that_is_refused_while_writing_is_not_printed(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)
    connector = connect(serving(token="another"))

    with pytest.raises(TokenRefused) as refusal:
        connector.add_label(issue(1), LABEL)
    assert "sandbox-token" not in str(refusal.value)


# -- who we are --------------------------------------------------------------------------------------------------------


def test_an_app_s_token_of_unknown_origin_finds_its_own_name(world: World, serving: Serve, connect: Connect) -> None:
    """As in a workflow: a token of an installation, without the app's key, to which /user is closed."""
    fill(world, 2)
    connector = connect(serving(installation="678", token="x", app_tokens={"sandbox-token": 4_000_000_000.0}))

    own = connector.directory.own()

    assert (own.id, own.handle, own.is_bot) == ("900", "hygiene-bot[bot]", True)
    assert (SCOPE, "The shop") in connector.discover().scopes


def test_an_app_signs_in_with_its_key(
    world: World, serving: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, private_key: str
) -> None:
    fill(world, 3)
    monkeypatch.setenv("APP_KEY", private_key)
    connector = connect(serving(installation="678"), app_id="12345", installation_id="678", private_key_env="APP_KEY")

    assert len(pulled(list(connector.pull(SCOPE, None)))) == 3
    assert connector.directory.own().handle == "hygiene-bot[bot]"
    connector.create_comment(issue(1), "Who decides?", key=KEY)
    assert len(connector.managed_comments(issue(1))) == 1


def test_an_installation_token_that_ends_in_the_middle_of_a_run_is_renewed(
    world: World, serving: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, private_key: str
) -> None:
    fill(world, 3)
    monkeypatch.setenv("APP_KEY", private_key)
    tokens: dict[str, float] = {}
    app = {"app_id": "12345", "installation_id": "678", "private_key_env": "APP_KEY"}
    connector = connect(serving(installation="678", app_tokens=tokens), **app)
    connector.reference()
    tokens.clear()

    assert len(pulled(list(connector.pull(SCOPE, None)))) == 3
    assert len(tokens) == 1


# -- diagnosis ---------------------------------------------------------------------------------------------------------


def test_a_role_that_cannot_write_is_a_warning_with_a_remedy(world: World, serving: Serve, connect: Connect) -> None:
    fill(world, 2)

    checks = connect(serving(role="pull")).diagnose()

    (line,) = [check for check in checks if check.name.endswith("write back")]
    assert line.level.value == "warning"
    assert "triage" in line.remedy


def test_a_clock_that_is_off_is_told(world: World, serving: Serve, connect: Connect, clock: Clock) -> None:
    fill(world, 2)
    clock.now -= timedelta(minutes=9)

    (line,) = [check for check in connect(serving()).diagnose() if check.name == "clock"]

    assert line.level.value == "warning"
    assert "540 s" in line.fact or "541 s" in line.fact or "539 s" in line.fact


def test_a_scope_that_is_not_there_is_bad(world: World, serving: Serve, connect: Connect) -> None:
    checks = connect(serving(), scope=("sandbox-org/nowhere",)).diagnose()

    (bad,) = [check for check in checks if check.level.value == "bad"]
    assert "sandbox-org/nowhere" in bad.fact
    assert bad.remedy


def test_options_without_a_meaning_are_listed_with_the_line_to_write(
    world: World, serving: Serve, connect: Connect
) -> None:
    world.statuses["qa"] = WorldStatus("qa", "QA lab", "started")
    fill(world, 2)
    world.change(world.issues["1"], "status", "todo", actor="501")

    checks = connect(serving()).diagnose()

    (line,) = [check for check in checks if check.name.endswith("status QA lab")]
    assert '"project:1:QA lab" = "waiting"' in line.remedy


def test_a_down_server_is_not_diagnosed_but_raised(world: World, serving: Serve, connect: Connect) -> None:
    server = serving()
    connector = connect(server)
    server.stop()

    with pytest.raises(TrackerDown):
        connector.diagnose()


def test_a_proxy_s_page_is_no_answer(world: World, connect: Connect) -> None:
    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        await Response("<html>Log in</html>", 200, media_type="text/html")(scope, receive, send)

    with serve(proxy) as server, pytest.raises(TrackerDown, match="login page"):
        connect(server).read(issue(1))
