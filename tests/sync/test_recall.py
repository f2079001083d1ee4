"""Recall samples in the store: drawn once a month from what passed, answered by people."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backlint.errors import InputError
from backlint.recall import Answer
from backlint.sync import recall
from backlint.sync.recall import Drawn
from tests.sync.test_commands import Place, a_story

CRITERIA = "Why.\n\n## Acceptance criteria\n\n- the file holds every invoice of the year"


def test_a_sample_holds_only_what_the_rule_let_pass_and_stands_for_the_month(engine: sa.Engine) -> None:
    passing = [a_story(id=str(n), body=CRITERIA) for n in range(1, 6)]
    place = Place(engine, *passing, *(a_story(id=str(n)) for n in range(6, 8)))
    result = place.check()
    with engine.begin() as connection:
        recall.draw_samples(connection, result, month="2026-03", size=3, now=place.now)
        first = [each for each in recall.samples(connection) if each.rule == "AC001"]
        again = recall.draw_samples(connection, result, month="2026-03", size=3, now=place.now)

    assert len(first) == 3
    assert {each.issue for each in first} <= {"1", "2", "3", "4", "5"}
    assert again == 0


def test_answers_make_a_recall_and_unclear_ones_say_nothing(engine: sa.Engine) -> None:
    passing = [a_story(id=str(n), body=CRITERIA) for n in range(1, 6)]
    place = Place(engine, *passing, *(a_story(id=str(n)) for n in range(6, 8)))
    result = place.check()
    with engine.begin() as connection:
        recall.draw_samples(connection, result, month="2026-03", size=3, now=place.now)
        one, two, three = [each for each in recall.samples(connection) if each.rule == "AC001"]
        assert recall.recalls(connection)["2026-03", "AC001"] == (None, 3)
        for each, answer in ((one, Answer.RIGHT), (two, Answer.MISSED), (three, Answer.UNCLEAR)):
            recall.judge(connection, each, answer, by="mia", now=place.now)
        found, size = recall.recalls(connection)["2026-03", "AC001"]

    assert found is not None
    assert (size, found.judged, found.missed, found.passed, found.failed) == (3, 2, 1, 5, 2)
    assert found.value == pytest.approx(2 / 4.5)


def test_an_issue_outside_the_sample_is_refused(engine: sa.Engine) -> None:
    stranger = Drawn(
        month="2026-03", rule="AC001", source="demo", issue="9", key="DEMO-9", title="", url=None, answer=None
    )
    with engine.begin() as connection, pytest.raises(InputError, match="DEMO-9 is not in the sample of AC001"):
        recall.judge(connection, stranger, Answer.RIGHT, by="mia", now=Place(engine).now)
