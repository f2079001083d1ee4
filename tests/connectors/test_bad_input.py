"""What trackers, and what stands before them, do wrong: named with source, issue and path, and the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from backlint.connectors.connect import make_connector
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.trackers import APPS, make_app
from backlint.connectors.sandbox.world import Event, World, WorldIssue
from backlint.model import Issue, Presence, Tracker
from backlint.settings import SourceSettings
from backlint.sync import store
from backlint.sync.database import open_engine, reading, upgrade
from backlint.sync.pull import SourcePull, pull
from tests.connectors.spoiling import Exchange, Spoiled

NOW = datetime.now(UTC)
TRACKERS = ("jira", "linear", "github")


@dataclass
class Place:
    """A tracker with two projects, a spoiler before it, and a store."""

    tracker: str
    world: World
    spoiled: Spoiled
    url: str
    engine: sa.Engine
    scopes: tuple[str, str]

    def pull(self, *scopes: str) -> SourcePull:
        source = SourceSettings(
            name="acme", tracker=Tracker(self.tracker), url=self.url + APPS[self.tracker][2], deployment="cloud"
            if self.tracker == "jira" else "auto", scope=scopes or self.scopes[:1], requests_per_second=5000,
        )  # fmt: skip
        connector = make_connector(source, SecretStr("sandbox-token"), sleep=lambda _seconds: None)
        try:
            return pull(self.engine, [connector], now=NOW)[0]
        finally:
            connector.close()

    def stored(self) -> dict[str, Issue]:
        with reading(self.engine) as connection:
            return {issue.key: issue for issue in store.load_issues(connection)}

    def states(self) -> dict[str, tuple[bool, str | None]]:
        with reading(self.engine) as connection:
            return {each.scope: (each.is_complete, each.problem) for each in store.scope_states(connection)}

    def aside(self) -> list[tuple[str, str, str]]:
        with reading(self.engine) as connection:
            return [(row["source"], row["issue"], row["path"]) for row in store.quarantined(connection)]

    def one(self) -> WorldIssue:
        """An issue that moved at least once."""
        there = self.world.in_project(self.scopes[0])
        return next(issue for issue in there if any(event.field == "status" for event in issue.events))


@pytest.fixture(params=TRACKERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from _place(request.param, tmp_path)


@pytest.fixture
def jira(tmp_path: Path) -> Iterator[Place]:
    yield from _place("jira", tmp_path)


def _place(tracker: str, folder: Path) -> Iterator[Place]:
    world = generate(tracker, seed=11, size=30, now=NOW)
    first, second = sorted(world.projects, key=lambda key: -len(world.in_project(key)))[:2]
    spoiled = Spoiled(make_app(tracker, world))
    engine = open_engine(f"sqlite:///{folder / 'store.db'}")
    upgrade(engine)
    with serve(spoiled) as running:
        yield Place(tracker, world, spoiled, running.url, engine, (first, second))
    engine.dispose()


def replacing(old: str | bytes, new: str | bytes, *, within: str = "") -> Callable[[Exchange], Exchange]:
    """Puts other bytes into every answer, or into those that mention something."""
    wanted, given = (text.encode() if isinstance(text, str) else text for text in (old, new))

    def spoil(exchange: Exchange) -> Exchange:
        if wanted not in exchange.answer or within.encode() not in exchange.answer:
            return exchange
        return exchange.with_answer(exchange.answer.replace(wanted, given))

    return spoil


def about(place: Place, scope: str) -> Callable[[Exchange], bool]:
    """Requests that name a project."""
    project = place.world.projects[scope]
    names = [scope.encode(), *([project.id.encode()] if place.tracker == "jira" else [])]
    _, _, repository = scope.partition("/")

    def is_about(exchange: Exchange) -> bool:
        if repository and f'"name":"{repository}"'.encode() in exchange.asked:
            return True
        path = f"/{scope}".encode() in exchange.path.encode()
        return path or any(re.search(rb"\b" + re.escape(name) + rb"\b", exchange.asked) for name in names)

    return is_about


# -- answers that are none ---------------------------------------------------------------------------------------------


def test_a_list_that_names_its_place_for_ever_is_given_up(place: Place) -> None:
    def spoil(exchange: Exchange) -> Exchange:
        answer = re.sub(rb'"hasNextPage":\s*false', b'"hasNextPage":true', exchange.answer)
        answer = re.sub(rb'"endCursor":\s*(null|"[^"]*")', rb'"endCursor":"MQ=="', answer)
        if exchange.path.endswith("/search/jql"):
            answer = answer.rstrip()[:-1] + b',"nextPageToken":"again"}'
        return exchange.with_answer(answer) if answer != exchange.answer else exchange

    place.spoiled.spoil = spoil

    result = place.pull()

    assert not result.complete
    assert re.search("acme: .*(circles|empty pages|cursor|token|again)", result.problems[0])
    assert all(not is_complete for is_complete, _ in place.states().values())


def test_html_in_place_of_one_project_keeps_no_other_from_being_read(place: Place) -> None:
    bad, good = place.scopes
    is_bad, is_good = about(place, bad), about(place, good)
    page = b"<!doctype html><title>Maintenance</title>"

    def spoil(exchange: Exchange) -> Exchange:
        only_bad = is_bad(exchange) and not is_good(exchange)
        return exchange.with_answer(page, status=200, kind="text/html") if only_bad else exchange

    place.spoiled.spoil = spoil

    result = place.pull(bad, good)

    assert any("expected JSON and got text/html" in problem for problem in result.problems)
    assert place.states()[good] == (True, None)
    assert {issue.key.rpartition("#" if "/" in good else "-")[0] for issue in place.stored().values()} == {good}


def test_json_that_breaks_off_makes_the_scope_incomplete(place: Place) -> None:
    def spoil(exchange: Exchange) -> Exchange:
        is_issues = (
            b'"description"' in exchange.answer or b'"bodyText"' in exchange.answer or len(exchange.answer) > 9000
        )
        return exchange.with_answer(exchange.answer[: len(exchange.answer) // 2]) if is_issues else exchange

    place.spoiled.spoil = spoil

    result = place.pull()

    assert any("complete JSON" in problem for problem in result.problems)
    assert not any(is_complete for is_complete, _ in place.states().values())


@pytest.mark.parametrize("tracker", ["jira", "github"])
def test_a_project_that_is_forbidden_keeps_no_other_from_being_read(tracker: str, tmp_path: Path) -> None:
    for place in _place(tracker, tmp_path):
        bad, good = place.scopes
        is_about = about(place, bad)

        def spoil(exchange: Exchange, is_about: Callable[[Exchange], bool] = is_about) -> Exchange:
            is_bad = is_about(exchange) and exchange.path.count("/project/") + exchange.path.count("/repos/")
            return exchange.with_answer(b'{"message":"Forbidden"}', status=403) if is_bad else exchange

        place.spoiled.spoil = spoil

        result = place.pull(bad, good)

        assert not result.complete
        assert any("403" in problem for problem in result.problems)
        is_complete, problem = place.states()[good]
        assert (is_complete, problem) == (True, None)
        assert {issue.project for issue in place.stored().values()} == {good}


def test_fewer_rights_than_yesterday_lose_nothing_and_the_scope_cannot_say(jira: Place) -> None:
    jira.pull()
    before = jira.stored()
    kept = next(iter(before.values())).id

    def spoil(exchange: Exchange) -> Exchange:
        if not exchange.path.endswith("/search/jql"):
            return exchange
        return exchange.with_answer(b'{"issues":[{"id":"%s","fields":{}}],"isLast":true}' % kept.encode())

    jira.spoiled.spoil = spoil

    result = jira.pull()

    assert not result.complete
    assert {issue.presence for issue in jira.stored().values()} == {Presence.PRESENT}
    is_complete, problem = jira.states()[jira.scopes[0]]
    assert not is_complete
    assert "rights" in (problem or "")


# -- issues that are not as they should be -----------------------------------------------------------------------------


def test_an_issue_with_twenty_thousand_changes_comes_whole(jira: Place) -> None:
    issue = jira.one()
    statuses = list(jira.world.statuses)[:2]
    start = issue.created_at
    issue.events = [
        Event(str(900_000 + n), start + timedelta(minutes=n), None, "status", statuses[n % 2], statuses[1 - n % 2])
        for n in range(20_000)
    ]
    issue.status = statuses[0]

    assert jira.pull().complete
    assert len(jira.stored()[issue.key].transitions) == 20_000


def test_a_description_of_five_megabytes_is_kept(place: Place) -> None:
    issue = place.one()
    issue.body = "As long as a book. " * 270_000

    assert place.pull().complete
    assert len(place.stored()[issue.key].body) >= 5_000_000


def test_half_a_character_spoils_neither_its_issue_nor_its_page(place: Place) -> None:
    issue = place.one()
    issue.title = "Cut in HALF"
    place.spoiled.spoil = replacing("Cut in HALF", rb"Cut in \ud83d")

    assert place.pull().complete
    assert place.stored()[issue.key].title == "Cut in \ufffd"
    assert place.aside() == []


def test_nodes_of_a_kind_that_nobody_knows_keep_their_text(jira: Place) -> None:
    issue = jira.one()
    issue.body = "Beam the invoice up"
    jira.spoiled.spoil = replacing('"type":"paragraph"', '"type":"holodeck"')

    assert jira.pull().complete
    assert "Beam the invoice up" in jira.stored()[issue.key].body


MISSING = {
    "jira": ("summary", "$.fields.summary"),
    "linear": ("title", "$.title"),
    "github": ("title", "$.title"),
}


def test_an_issue_without_what_every_issue_has_is_set_aside_by_source_key_and_path(place: Place) -> None:
    issue = place.one()
    issue.title = "Nobody will read this"
    name, path = MISSING[place.tracker]
    place.spoiled.spoil = lambda exchange: exchange.with_answer(
        re.sub(rb'"%s":\s*"Nobody will read this"' % name.encode(), b'"%s":null' % name.encode(), exchange.answer)
    )

    result = place.pull()

    assert (result.unreadable, result.complete) == (1, True)
    assert place.aside() == [("acme", issue.key, path)]
    assert len(place.stored()) == len(place.world.in_project(place.scopes[0])) - 1


def test_a_time_without_a_zone_is_set_aside_and_not_guessed(place: Place) -> None:
    issue = place.one()
    issue.created_at = datetime(2019, 4, 5, 12, 7, 8, tzinfo=UTC)
    with_zone = re.compile(rb'"2019-04-05T(\d\d):07:08([.0-9]*)(?:Z|[+-][0-9:]{4,5})"')

    def spoil(exchange: Exchange) -> Exchange:
        without = with_zone.sub(rb'"2019-04-05T\1:07:08\2"', exchange.answer)
        return exchange.with_answer(without) if without != exchange.answer else exchange

    place.spoiled.spoil = spoil

    result = place.pull()

    assert result.unreadable == 1
    assert [(source, key) for source, key, _ in place.aside()] == [("acme", issue.key)]
    assert "created" in place.aside()[0][2]
    assert len(place.stored()) == len(place.world.in_project(place.scopes[0])) - 1


def test_what_happened_before_an_issue_was_made_is_kept_as_it_was_told(place: Place) -> None:
    issue = place.one()
    first = min(event.at for event in issue.events)
    issue.created_at = first + timedelta(days=1)

    assert place.pull().complete

    seen = place.stored()[issue.key]
    assert seen.transitions
    assert seen.created_at is not None
    assert seen.transitions[0].at < seen.created_at or len(seen.changes) > 0


def test_a_kind_of_status_that_nobody_knows_is_reported_and_not_guessed(place: Place) -> None:
    spoils: dict[str, Any] = {
        "jira": replacing('"key":"indeterminate"', '"key":"galactic"'),
        "linear": replacing('"type":"started"', '"type":"galactic"'),
        "github": replacing("NOT_PLANNED", "GALACTIC"),
    }
    place.spoiled.spoil = spoils[place.tracker]

    assert place.pull().complete
    with reading(place.engine) as connection:
        categories = {fact.default.value for fact in store.status_facts(connection, "acme")}
    assert place.tracker == "github" or "unknown" in categories
