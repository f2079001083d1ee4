"""The ratchet's marks: they only fall, an incomplete pull leaves them, and new rules begin anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from backlint.examples import an_issue
from backlint.settings import Settings
from backlint.sync import ratchets, waivers
from backlint.sync.check import check_store
from backlint.sync.database import reading
from backlint.sync.findings import accept, accepted
from backlint.waivers import About
from tests.sync.test_commands import NOW, Place, a_story

KEY = ("demo", "DEMO", "AC001")
CRITERIA = "\n\n## Acceptance criteria\n\n- the file holds every invoice of the year"


def mark(place: Place) -> int:
    with reading(place.engine) as connection:
        return ratchets.marks(connection)[KEY].mark


def exceeded(place: Place, *, days: float = 1) -> list[tuple[str, int, int, tuple[str, ...]]]:
    result = place.check(days=days)
    return [(each.rule, each.mark, each.count, each.new) for each in result.ratchet.exceeded if each.rule == "AC001"]


def fix(place: Place, id: str) -> None:
    place.tracker.edit(id, body=place.tracker.issues[id].body + CRITERIA)


def test_a_mark_falls_with_the_findings_and_never_rises(engine: sa.Engine) -> None:
    place = Place(engine, *(a_story(id=str(n)) for n in range(1, 4)))
    assert exceeded(place, days=0) == []
    assert mark(place) == 3

    fix(place, "1")
    assert exceeded(place) == []
    assert mark(place) == 2
    place.tracker.add(a_story(id="4"))

    assert exceeded(place) == [("AC001", 2, 3, ("DEMO-4",))]
    assert exceeded(place) == [("AC001", 2, 3, ("DEMO-4",))]
    assert mark(place) == 2


def test_the_baseline_counts_and_a_rule_that_found_nothing_has_a_mark_of_nothing(engine: sa.Engine) -> None:
    place = Place(engine, an_issue(id="1"), settings=Settings())
    fix(place, "1")
    place.check()
    place.tracker.add(a_story(id="2"))

    assert mark(place) == 0
    assert exceeded(place) == [("AC001", 0, 1, ("DEMO-2",))]


def test_a_waived_finding_does_not_count(engine: sa.Engine) -> None:
    place = Place(engine, a_story(id="1"), a_story(id="2"))
    place.check()
    fix(place, "1")
    place.check(days=1)
    place.tracker.add(a_story(id="3"))
    with engine.begin() as connection:
        waivers.waive(
            connection, "AC001", about=About.ISSUE, name="3", reason="a copy change only", author="mia", now=NOW,
            today=NOW.date(),
        )  # fmt: skip

    assert exceeded(place) == []


@pytest.mark.parametrize(("tolerance", "is_exceeded"), [(0, True), (1, False)])
def test_the_tolerance_lets_a_few_more_pass(engine: sa.Engine, tolerance: int, is_exceeded: bool) -> None:
    place = Place(engine, a_story(id="1"))
    place.check()
    place.settings = Settings.model_validate({"trust": {"tolerance": tolerance}})
    place.tracker.add(a_story(id="2"))

    assert bool(exceeded(place)) is is_exceeded


def test_a_pull_that_did_not_finish_moves_no_mark_and_exceeds_none(engine: sa.Engine) -> None:
    place = Place(engine, *(a_story(id=str(n)) for n in range(1, 9)))
    place.check()
    for n in range(1, 4):
        fix(place, str(n))
    place.tracker.down_after_pages = 1

    assert exceeded(place) == []
    assert mark(place) == 8


def test_a_check_of_a_part_moves_no_mark(engine: sa.Engine) -> None:
    place = Place(engine, a_story(id="1"), a_story(id="2"))
    place.check()
    fix(place, "1")
    result = check_store(engine, place.settings, run="part", now=place.now, only={("demo", "2")})

    assert result.ratchet == ratchets.NO_TURN
    assert mark(place) == 2


def test_another_version_of_the_rules_begins_anew_and_says_so(engine: sa.Engine) -> None:
    place = Place(engine, a_story(id="1"))
    place.check()
    with engine.begin() as connection:
        before = ratchets.marks(connection)[KEY]
        turned = ratchets.turn(connection, ["AC001"], rules_version="2099.1", tolerance=0, unread=(), now=place.now)
        after = ratchets.marks(connection)[KEY]

    assert turned.reset_from == before.rules_version
    assert after == replace(before, rules_version="2099.1")


def test_marks_are_begun_anew_by_a_person_with_what_rose(engine: sa.Engine) -> None:
    place = Place(engine, a_story(id="1"))
    place.check()
    place.tracker.add(a_story(id="2"))
    place.check(days=1)

    with engine.begin() as connection:
        risen = ratchets.reset(connection, ["AC001"], rules_version="2026.3", now=place.now)

    assert risen == {KEY: 1}
    assert mark(place) == 2


def test_what_is_accepted_later_is_silent_until_its_text_changes(engine: sa.Engine) -> None:
    place = Place(engine, a_story(id="1"))
    result = place.check()
    with engine.begin() as connection:
        accept(connection, [(each.issue, each.is_near, finding) for each, finding in result.findings()])
        assert accepted(connection)[KEY] == 1

    silent = place.check(days=1)
    place.tracker.edit("1", title="Export the invoices of a year")
    spoken = place.check(days=1)

    assert {finding.is_baseline for _, finding in silent.findings()} == {True}
    assert {finding.is_baseline for _, finding in spoken.findings()} == {False}
