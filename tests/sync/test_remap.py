"""Mapping again gives the store that a full pull with the new settings would give, and asks no tracker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from backlint.connectors.connect import make_connector
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.jira import jira_app
from backlint.connectors.sandbox.server import serve
from backlint.connectors.sandbox.world import World
from backlint.model import Issue, IssueType, Presence, Tracker
from backlint.settings import SourceSettings
from backlint.sync import store, tables
from backlint.sync.database import open_engine, reading, upgrade
from backlint.sync.pull import SourcePull, pull
from backlint.sync.remap import SourceRemap, remap, stale_sources
from tests.connectors.jira.conftest import a_world

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
OUTCOME, POINTS = "customfield_10031", "customfield_10043"
MAPPED: dict[str, Any] = {"types": {"Story": "spike"}, "fields": {"outcome": OUTCOME, "estimate": POINTS}}


@dataclass
class Site:
    """A Jira sandbox of six issues, two of them with an outcome, and whoever pulls from it."""

    world: World
    faults: Faults
    url: str

    def source(self, **settings: Any) -> SourceSettings:
        given = {"name": "acme", "tracker": Tracker.JIRA, "url": self.url, "scope": ("EX",), **settings}
        return SourceSettings(requests_per_second=5000, **given)

    def pull(self, engine: sa.Engine, *, full: bool = False, **settings: Any) -> SourcePull:
        connector = make_connector(self.source(**settings), SecretStr("sandbox-token"), sleep=lambda _seconds: None)
        try:
            return pull(engine, [connector], now=NOW, full=full, loss_share=1.0)[0]
        finally:
            connector.close()

    def remap(self, engine: sa.Engine, **settings: Any) -> SourceRemap:
        return remap(engine, [self.source(**settings)], now=NOW)[0]


@pytest.fixture
def site() -> Iterator[Site]:
    world, faults = a_world(6), Faults()
    for number, text in ((1, "Fewer lost invoices"), (2, "Faster answers")):
        world.issues[str(1000 + number)].fields |= {"outcome": text, "effort": 5.0}
    with serve(jira_app(world, deployment="server", token="sandbox-token"), faults=faults) as running:
        yield Site(world, faults, running.url)


def stored(engine: sa.Engine) -> dict[str, Issue]:
    with reading(engine) as connection:
        return {issue.id: issue for issue in store.load_issues(connection)}


def a_fresh_store(folder: Path) -> sa.Engine:
    engine = open_engine(f"sqlite:///{folder / 'fresh.db'}")
    upgrade(engine)
    return engine


def test_the_store_is_what_a_full_pull_gives_without_a_request(engine: sa.Engine, site: Site, tmp_path: Path) -> None:
    site.pull(engine)
    before = stored(engine)
    asked = site.faults.total

    done = site.remap(engine, **MAPPED)

    assert site.faults.total == asked
    assert (done.issues, done.changed, done.problems) == (6, 6, [])
    fresh = a_fresh_store(tmp_path)
    site.pull(fresh, **MAPPED)
    assert stored(engine) == stored(fresh) != before
    fresh.dispose()
    assert stored(engine)["1001"].fields["outcome"] == "Fewer lost invoices"
    assert stored(engine)["1001"].estimate == 5.0


def test_mapping_again_with_the_same_settings_changes_nothing(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)

    assert site.remap(engine).changed == 0


def test_a_changed_mapping_is_known_until_it_is_applied(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)

    assert stale_sources(engine, [site.source()]) == ()
    assert stale_sources(engine, [site.source(**MAPPED)]) == ("acme",)
    site.remap(engine, **MAPPED)
    assert stale_sources(engine, [site.source(**MAPPED)]) == ()


def test_a_changed_category_needs_no_mapping_again(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)

    assert stale_sources(engine, [site.source(statuses={"2": "waiting"})]) == ()


def test_a_pull_maps_what_is_stored_by_the_settings_of_today(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)

    done = site.pull(engine, **MAPPED)

    assert (done.remapped, done.complete) == (6, True)
    assert {issue.type for issue in stored(engine).values()} == {IssueType.SPIKE}
    assert site.pull(engine, **MAPPED).remapped == 0


def test_what_is_gone_from_the_tracker_stays_gone(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)
    site.world.delete_issue(site.world.issues["1001"], actor=None)
    site.pull(engine)

    done = site.remap(engine, **MAPPED)

    assert stored(engine)["1001"].presence is Presence.DELETED
    assert stored(engine)["1001"].type is IssueType.SPIKE
    assert done.changed == 5  # of those that still exist


def test_a_value_that_does_not_fit_is_set_aside_and_comes_back_with_the_right_mapping(
    engine: sa.Engine, site: Site
) -> None:
    site.pull(engine)
    wrong = {"fields": {"estimate": OUTCOME}}

    done = site.remap(engine, **wrong)

    assert (done.unreadable, done.issues) == (2, 4)
    with reading(engine) as connection:
        aside = {(row["issue"], row["path"]) for row in store.quarantined(connection)}
    assert aside == {("EX-1", f"fields.{OUTCOME}"), ("EX-2", f"fields.{OUTCOME}")}
    assert stored(engine)["1001"].title == "Issue 1"

    assert site.remap(engine, **MAPPED).recovered == 2
    with reading(engine) as connection:
        assert store.quarantined(connection) == ()
    assert stored(engine)["1001"].estimate == 5.0


def test_an_issue_that_a_pull_could_not_read_is_recovered_by_the_mapping(engine: sa.Engine, site: Site) -> None:
    assert site.pull(engine, fields={"estimate": OUTCOME}).unreadable == 2

    assert site.remap(engine).recovered == 2
    assert len(stored(engine)) == 6


def test_issues_without_a_payload_are_counted_and_stay_as_they_were(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.payloads).where(tables.payloads.c.issue == "1003"))

    done = site.remap(engine, **MAPPED)

    assert (done.issues, done.missing, done.complete) == (5, 1, False)
    assert "as they were: 1;" in done.problems[0]
    assert "backlint pull --source acme --full" in done.problems[0]
    assert stored(engine)["1003"].type is not IssueType.SPIKE


def test_a_field_that_was_not_read_is_named_until_everything_was_read_again(engine: sa.Engine, site: Site) -> None:
    few: dict[str, Any] = {"keep_fields": "mapped"}
    site.pull(engine, **few)

    assert f"outcome ({OUTCOME})" in site.remap(engine, **few, **MAPPED).problems[0]

    site.pull(engine, **few, **MAPPED)  # only what changed
    assert site.remap(engine, **few, **MAPPED).problems != []
    site.pull(engine, full=True, **few, **MAPPED)
    assert site.remap(engine, **few, **MAPPED).problems == []
    assert stored(engine)["1001"].fields["outcome"] == "Fewer lost invoices"


def test_a_payload_is_kept_anew_though_the_issue_looks_the_same(engine: sa.Engine, site: Site) -> None:
    site.pull(engine, keep_fields="mapped")
    site.pull(engine, full=True)

    assert site.remap(engine, **MAPPED).problems == []
    assert stored(engine)["1002"].fields["outcome"] == "Faster answers"


def test_a_source_that_was_never_pulled_says_so(engine: sa.Engine, site: Site) -> None:
    assert "backlint pull" in site.remap(engine).problems[0]


def test_a_run_that_was_cut_off_is_done_again_by_the_next_pull(engine: sa.Engine, site: Site) -> None:
    site.pull(engine)

    def cut_off(**_progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remap(engine, [site.source(**MAPPED)], now=NOW, progress=cut_off)

    assert stale_sources(engine, [site.source(**MAPPED)]) == ("acme",)
    site.pull(engine, **MAPPED)
    assert {replace(issue).type for issue in stored(engine).values()} == {IssueType.SPIKE}
