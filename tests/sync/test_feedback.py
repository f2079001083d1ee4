"""What people say and do about findings, and rules that step back for it, in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backlint.connectors.contract import Capabilities
from backlint.errors import InputError
from backlint.examples import a_comment
from backlint.model import Comment, Issue, Severity
from backlint.precision import Level
from backlint.settings import Settings
from backlint.sync import feedback, thumbs
from backlint.sync.database import reading
from tests.sync.memory_tracker import MemoryTracker
from tests.sync.test_commands import BOLD, NOW, Place, a_story, reply

QUICK = Settings.model_validate({"write_back": BOLD, "trust": {"judged": 2}})
KEY = ("demo", "DEMO", "AC001")
CRITERIA = "\n\n## Acceptance criteria\n\n- the file holds every invoice of the year"
LABEL = "hygiene:needs-acceptance-criteria"


def place_of(engine: sa.Engine, count: int = 2, settings: Settings = QUICK) -> Place:
    place = Place(engine, *(a_story(id=str(n)) for n in range(1, count + 1)), settings=settings)
    place.write()
    return place


def noted(place: Place) -> list[Mapping[str, Any]]:
    with place.engine.begin() as connection:
        feedback.note_deeds(connection, now=place.now)
        return [*feedback.of_issue(connection, "demo", "1"), *feedback.of_issue(connection, "demo", "2")]


def rewrite(place: Place, id: str, more: str) -> None:
    place.tracker.edit(id, body=place.tracker.issues[id].body + more)


def test_an_edit_that_fixes_a_shown_finding_within_14_days_is_useful(engine: sa.Engine) -> None:
    place = place_of(engine)
    rewrite(place, "1", CRITERIA)
    place.check(days=5)
    place.tracker.edit("2", body=place.tracker.issues["2"].body + CRITERIA)
    place.check(days=20)

    assert [(row["issue"], row["verdict"], row["via"]) for row in noted(place)] == [("1", "useful", "fix")]
    assert len(noted(place)) == 1, "noting it twice adds nothing"


@pytest.mark.parametrize(
    "change",
    [
        {"labels": frozenset({"hygiene:skip"})},
        {"body": "Nothing.\n\n## Acceptance criteria\n\nN/A – wording change only, nothing to accept"},
    ],
)
def test_a_finding_that_ends_because_it_was_waived_says_nothing_for_the_rule(
    engine: sa.Engine, change: dict[str, Any]
) -> None:
    place = place_of(engine, 1)
    place.tracker.edit("1", **{"labels": frozenset({LABEL}), **change})

    place.check(days=1)

    assert [row for row in noted(place) if row["rule"] == "AC001"] == []


def test_a_waiver_by_command_says_nothing_for_the_rule(engine: sa.Engine) -> None:
    place = place_of(engine, 1)
    place.say(reply("/hygiene waive AC001: nothing to accept in a copy change"))
    place.write(days=1)

    assert noted(place) == []
    with reading(engine) as connection:
        book = feedback.books(connection, QUICK, now=NOW + timedelta(days=40)).get(KEY)
    assert book is None or book.shown == 0


def test_a_label_that_a_person_removes_while_the_finding_stands_is_half_a_wrong(engine: sa.Engine) -> None:
    place = place_of(engine, 1)
    place.tracker.edit("1", labels=frozenset())

    place.write(days=1)

    assert [(row["rule"], row["verdict"], row["is_weak"]) for row in noted(place)] == [("AC001", "wrong", True)]


def called_wrong(engine: sa.Engine) -> Place:
    """Two findings, shown 20 days ago, both called wrong."""
    place = place_of(engine)
    for id in ("1", "2"):
        place.say(a_comment("/hygiene wrong AC001: it is in the design", NOW, id="c9", may_write=True), id=id)
    place.check(days=20)
    with engine.begin() as connection:
        assert feedback.review(connection, QUICK, now=place.now)[KEY] is Level.REPORT_ONLY
    return place


def test_a_rule_that_is_wrong_too_often_speaks_in_reports_alone_in_its_project(engine: sa.Engine) -> None:
    place = called_wrong(engine)
    place.tracker.add(a_story(id="3"))
    place.tracker.add(a_story(id="4", project="WEB", key="WEB-4"))

    place.write(days=1)
    result = place.check(days=1)

    severities = {
        each.issue.id: finding.judgement.severity
        for each, finding in result.findings()
        if finding.judgement.rule == "AC001"
    }
    assert severities["3"] is Severity.INFO
    assert (LABEL in place.tracker.issues["3"].labels, place.comment("3")) == (False, "")


def test_only_a_person_lets_a_rule_speak_again_and_its_book_begins_anew(engine: sa.Engine) -> None:
    place = called_wrong(engine)
    with engine.begin() as connection:
        assert feedback.review(connection, QUICK, now=place.now + timedelta(days=1)) == {}
        for key in (KEY, ("", "", "AC001")):
            feedback.lift(connection, key, by="mia", now=place.now)
        with pytest.raises(InputError, match="has not stepped back"):
            feedback.lift(connection, KEY, by="mia", now=place.now)
        assert feedback.review(connection, QUICK, now=place.now + timedelta(days=1)) == {}
        assert feedback.levels(connection)[KEY] is Level.NONE


def test_a_finding_called_useful_after_wrong_may_be_asked_again(engine: sa.Engine) -> None:
    place = place_of(engine, 1)
    place.say(reply("/hygiene wrong AC001"), reply("/hygiene useful AC001", id="c2", hours=1))
    place.check(days=1)

    with reading(engine) as connection:
        assert feedback.disputed(connection) == {}


class ThumbedTracker(MemoryTracker):
    """Our comments carry the thumbs that people gave."""

    capabilities = Capabilities(reactions=True)
    thumbs: tuple[int, int] = (0, 0)

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        up, down = self.thumbs
        return [replace(each, thumbs_up=up, thumbs_down=down) for each in super().managed_comments(issue)]


@pytest.mark.parametrize(("given", "said"), [((0, 1), ["wrong"]), ((2, 1), ["useful"]), ((1, 1), []), ((0, 0), [])])
def test_thumbs_on_the_comment_are_words_on_what_it_asks(
    engine: sa.Engine, given: tuple[int, int], said: list[str]
) -> None:
    place = place_of(engine, 1)
    place.tracker = ThumbedTracker(tuple(place.tracker.issues.values()))
    place.tracker.thumbs = given

    for _ in range(2):
        thumbs.gather(engine, {"demo": place.tracker}, now=place.now)

    assert [(row["rule"], row["via"], row["is_weak"]) for row in noted(place)] == [("AC001", "thumbs", False)] * len(
        said
    )
    assert [row["verdict"] for row in noted(place)] == said


def test_a_thumb_that_is_taken_back_says_nothing(engine: sa.Engine) -> None:
    place = place_of(engine, 1)
    place.tracker = ThumbedTracker(tuple(place.tracker.issues.values()))
    for given in ((0, 1), (0, 0)):
        place.tracker.thumbs = given
        thumbs.gather(engine, {"demo": place.tracker}, now=place.now)

    assert noted(place) == []


def test_a_tracker_without_thumbs_is_not_asked(engine: sa.Engine) -> None:
    place = place_of(engine, 1)
    before = place.tracker.usage.requests

    assert thumbs.gather(engine, {"demo": place.tracker}, now=place.now) == 0
    assert place.tracker.usage.requests == before
