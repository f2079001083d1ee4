"""Issues as they were, and scores that are computed anew when the rules have changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from backlint.model import Status, StatusCategory
from backlint.rules.registry import RULES_VERSION
from backlint.sync import former, store
from backlint.sync import tables as t
from backlint.sync.audit import Audit, audit
from backlint.sync.database import reading
from tests.sync.test_commands import NOW, Place, a_story

CRITERIA = "\n\n## Acceptance criteria\n\n- the file holds every invoice of the year"


class Nights(Place):
    """A place that is audited once a day."""

    def audit(self) -> Audit:
        self.now += timedelta(days=1)
        return audit(self.engine, self.settings, [self.tracker], clock=lambda: self.now)

    def scores(self) -> tuple[str | None, dict[str, int]]:
        with reading(self.engine) as connection:
            version, found = store.previous_scores(connection, before=self.now + timedelta(seconds=1))
        return version, {name: each.score for (kind, name), each in found.items() if kind == "issue"}

    def as_of(self, days: float) -> dict[str, str]:
        backlog = former.backlog_at(self.engine, self.settings, at=NOW + timedelta(days=days))
        return {issue.id: issue.body for issue in backlog.issues}


def test_the_backlog_of_a_day_holds_every_text_as_it_was(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"), a_story(id="2"))
    first = place.tracker.issues["1"].body
    place.check(days=1)
    place.tracker.edit("1", body="second")
    place.check(days=1)
    place.tracker.edit("1", body="third")
    place.check(days=1)

    assert [place.as_of(days)["1"] for days in (1.5, 2.5, 3.5)] == [first, "second", "third"]
    assert place.as_of(1.5)["2"] == place.tracker.issues["2"].body


def test_what_was_made_later_was_not_there(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"))
    place.check(days=1)
    place.tracker.add(a_story(id="2", created_at=NOW + timedelta(days=1, hours=12)))
    place.check(days=1)

    assert set(place.as_of(1.2)) == {"1"}
    assert set(place.as_of(2)) == {"1", "2"}
    assert place.as_of(-5) == {}, "nothing was watched yet"


def test_a_former_status_has_its_category_by_the_mapping_of_today(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"))
    place.check(days=1)
    place.tracker.edit("1", status=Status("done", "done"))
    place.check(days=1)

    backlog = former.backlog_at(engine, place.settings, at=NOW + timedelta(days=1.5))

    assert backlog.issues[0].status.category is StatusCategory.ACTIVE


def test_a_pull_that_changes_nothing_keeps_nothing(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"))
    for _ in range(3):
        place.check(days=1)

    with reading(engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(t.former_issues)).scalar() == 0


@pytest.mark.parametrize(("days", "kept"), [(44, 1), (46, 0)])
def test_what_no_trend_looks_back_to_is_dropped(engine: sa.Engine, days: int, kept: int) -> None:
    place = Nights(engine, a_story(id="1"))
    place.check()
    place.tracker.edit("1", body="second")
    place.check()

    with engine.begin() as connection:
        former.forget(connection, now=NOW + timedelta(days=days))
        assert connection.execute(sa.select(sa.func.count()).select_from(t.former_issues)).scalar() == kept


def test_when_the_rules_change_both_ends_of_the_trend_are_by_todays_rules(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"))
    place.audit()
    _, before = place.scores()
    with engine.begin() as connection:  # an older program had scored otherwise
        connection.execute(sa.update(t.scores).values(rules_version="2020.1", score=1))
    place.tracker.edit("1", body=place.tracker.issues["1"].body + CRITERIA)
    place.now += timedelta(hours=1)

    changed = former.recompute_last(engine, place.settings, now=place.now)

    assert changed == "2020.1"
    assert place.scores() == (RULES_VERSION, before)
    assert former.recompute_last(engine, place.settings, now=place.now) is None


def test_an_audit_after_a_change_of_rules_says_which_were_computed_anew(engine: sa.Engine) -> None:
    place = Nights(engine, a_story(id="1"))
    place.audit()
    with engine.begin() as connection:
        connection.execute(sa.update(t.scores).values(rules_version="2020.1"))

    assert [place.audit().recomputed_from, place.audit().recomputed_from] == ["2020.1", None]
