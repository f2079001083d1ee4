"""What people say in comments: who may, what it does, that it is done once, and how it is answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from backlint.examples import a_comment, a_transition, an_issue
from backlint.model import Comment, Issue, StatusCategory
from backlint.settings import Settings
from backlint.sync import commands, feedback, waivers
from backlint.sync.apply import Applied, apply
from backlint.sync.audit import make_plan, new_id
from backlint.sync.check import CheckResult, check_store, to_json
from backlint.sync.database import reading
from backlint.sync.findings import history
from backlint.sync.pull import pull
from backlint.waivers import Waiver
from tests.sync.memory_tracker import MemoryTracker, statuses_as

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
BOLD = {
    "mode": "labels+comment", "first_run": "write", "abort_share": 1.0, "quiet_hours": "off", "settle_minutes": 0,
}  # fmt: skip
OPENLY = Settings.model_validate({"write_back": BOLD})
ACTIVE = statuses_as(StatusCategory.ACTIVE)
WAIVE = "/hygiene waive AC001 until 2026-04-30: a copy change, nothing to accept"


def a_story(**given: object) -> Issue:
    """In work, owned, with an outcome, without criteria: AC001 alone asks."""
    body = "The export lists every invoice of the year.\n\n## Outcome\n\nExport errors from 8 % to 2 % by 2026-06-30."
    return an_issue(**{"status": ACTIVE, "assignees": ("mia",), "body": body, **given})


def reply(text: str, *, id: str = "c1", hours: int = 0, **given: object) -> Comment:
    given = {"author": "mia", "may_write": True, **given}
    return a_comment(text, NOW - timedelta(hours=1) + timedelta(hours=hours), id=id, **given)


class Place:
    """A tracker with its store; every look happens a day after the one before."""

    def __init__(self, engine: sa.Engine, *issues: Issue, settings: Settings = OPENLY) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW
        self.tracker = MemoryTracker(issues)

    def say(self, *comments: Comment, id: str = "1") -> None:
        self.tracker.edit(id, comments=(*self.tracker.issues[id].comments, *comments))

    def check(self, *, days: float = 0) -> CheckResult:
        self.now += timedelta(days=days)
        pull(self.engine, [self.tracker], now=self.now)
        return check_store(self.engine, self.settings, run=new_id("check"), now=self.now)

    def write(self, *, days: float = 0) -> Applied:
        result = self.check(days=days)
        planned = make_plan(self.engine, self.settings, result, now=self.now)
        return apply(self.engine, planned.changes, {"demo": self.tracker}, run=new_id("apply"), clock=lambda: self.now)

    def comment(self, id: str = "1") -> str:
        return "".join(each.body for each in self.tracker.own_comments(id))

    def waivers(self) -> tuple[Waiver, ...]:
        with reading(self.engine) as connection:
            return waivers.stored(connection)

    def outcomes(self, id: str = "1") -> list[tuple[str, str]]:
        with reading(self.engine) as connection:
            return [(row["outcome"], row["answer"]) for row in commands.of_issue(connection, "demo", id)]


def state(result: CheckResult, rule: str = "AC001") -> tuple[bool, bool]:
    """Whether the rule found something, and whether that is waived."""
    found = [finding for _, finding in result.findings() if finding.judgement.rule == rule]
    return bool(found), any(finding.waiver is not None for finding in found)


def test_a_command_waives_and_the_finding_says_who_when_why_and_until(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    before = place.check()
    place.say(reply(WAIVE))

    result = place.check(days=1)

    assert (state(before), state(result)) == ((True, False), (True, True))
    (found,) = [each for each in to_json(result)["findings"] if each["rule"] == "AC001"]
    assert found["waived"] is True
    assert found["waiver"] | {"id": ""} == {
        "id": "", "rule": "AC001", "about": "issue", "name": "1", "source": "demo", "by": "mia",
        "reason": "a copy change, nothing to accept", "at": "2026-03-12T08:00:00+00:00", "until": "2026-04-30",
        "via": "comment", "ended_at": None, "ended_by": None,
    }  # fmt: skip
    costly, free = before.checked[0].score, result.checked[0].score
    assert costly is not None
    assert free is not None
    assert free.exact > costly.exact
    assert (free.waived, result.worst()) == (1, None)


def test_an_expired_waiver_brings_its_finding_back_and_the_comment_says_so(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.say(reply(WAIVE))
    place.write()
    assert place.comment() == "Nothing left to ask on this issue.\n\nNoted: `AC001` waived until 30 April 2026."

    back = place.check(days=60)
    place.write()

    assert state(back) == (True, False)
    (found,) = [each for each in to_json(back)["findings"] if each["rule"] == "AC001"]
    assert found["expired_waiver"]["until"] == "2026-04-30"
    assert "it was waived until 30 April 2026" in place.comment()
    with reading(engine) as connection:
        life = [event["event"] for event in history(connection, "demo", "1") if event["rule"] == "AC001"]
    assert life == ["opened", "waived", "waiver expired"]


def test_a_command_is_carried_out_and_answered_once(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.write()
    place.say(reply(WAIVE))
    place.write(days=0.1)

    again = place.write(days=0.1)
    later = place.write(days=30)

    assert len(place.waivers()) == 1
    assert (again.applied, later.applied) == ([], [])
    assert [write for write in place.tracker.writes if "AC" not in write and "label" not in write].count("1 edit") == 1
    assert "Noted: `AC001` waived until 30 April 2026." in place.comment()


def test_a_command_on_a_silent_issue_is_answered_and_its_deleted_answer_stays_away(engine: sa.Engine) -> None:
    place = Place(
        engine, a_story(body="## Acceptance criteria\n\n- shows the total\n\n## Outcome\n\nErrors to 2 % by May.")
    )
    place.write()
    assert place.comment() == ""
    place.say(reply("/hygiene waive OUT002: the number stands in the epic"))
    place.write(days=1)
    assert "Noted: `OUT002` waived" in place.comment()

    place.tracker.edit("1", comments=(reply("/hygiene waive OUT002: the number stands in the epic"),))
    place.write(days=1)

    assert place.comment() == ""


@pytest.mark.parametrize(
    ("given", "is_allowed"),
    [
        ({"may_write": True}, True),
        ({"may_write": False}, False),
        ({"may_write": None, "author": "mia"}, True),  # assigned: whoever is, can
        ({"may_write": None, "author": "stranger"}, False),
        ({"may_write": None, "author": "ben"}, True),  # has moved an issue of the project
        ({"may_write": False, "author": "trusted"}, True),  # named in the configuration
        ({"may_write": True, "is_bot": True}, False),
        ({"may_write": True, "author": None}, False),
    ],
)
def test_only_people_with_write_access_waive(engine: sa.Engine, given: dict[str, object], is_allowed: bool) -> None:
    moved = a_transition(NOW - timedelta(days=2), StatusCategory.TODO, StatusCategory.ACTIVE, actor="ben")
    settings = Settings.model_validate({"write_back": BOLD, "trust": {"may_waive": ["trusted"]}})
    place = Place(engine, a_story(), a_story(id="2", transitions=(moved,)), settings=settings)
    place.say(reply(WAIVE, **given))

    result = place.check()

    assert bool(place.waivers()) is is_allowed
    assert any(state(result)[1:]) is is_allowed


def test_a_stranger_is_not_answered_where_no_comment_stands(engine: sa.Engine) -> None:
    place = Place(
        engine,
        a_story(body="## Acceptance criteria\n\n- shows the total\n\n## Outcome\n\nErrors from 8 % to 2 % by May."),
    )
    place.say(reply(WAIVE, may_write=False, author="stranger"))

    place.write()

    assert place.outcomes() == [("refused", "`/hygiene waive` needs write access to this issue")]
    assert place.comment() == ""


def test_a_stranger_is_told_at_once_where_a_comment_stands(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.write()
    place.say(reply(WAIVE, may_write=False, author="stranger"))

    place.write(days=1)

    assert "Noted: `/hygiene waive` needs write access to this issue." in place.comment()
    assert "What must be observably true" in place.comment()


def test_who_asked_for_the_issue_may_call_a_finding_wrong_and_it_is_not_asked_again(engine: sa.Engine) -> None:
    place = Place(engine, a_story(reporter="customer"))
    place.write()
    assert "hygiene:needs-acceptance-criteria" in place.tracker.issues["1"].labels
    place.say(reply("/hygiene wrong AC001: the criteria are in the design", may_write=False, author="customer"))

    place.write(days=1)
    result = place.check(days=1)

    assert "hygiene:needs-acceptance-criteria" not in place.tracker.issues["1"].labels
    assert place.comment() == (
        "Nothing left to ask on this issue.\n\nNoted: `AC001` noted as wrong: not asked again here."
    )
    assert state(result) == (True, False)
    assert result.checked[0].score is not None
    assert result.checked[0].score.shown < 100, "calling a finding wrong is no waiver: it still counts"
    with reading(engine) as connection:
        (said,) = feedback.candidates(connection)
    assert (said["rule"], said["reason"], said["actor"]) == ("AC001", "the criteria are in the design", "customer")


def test_a_mistake_is_answered_with_the_remedy_until_the_next_command(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.write()
    place.say(reply("/hygiene waive AC01: nothing to accept here"))
    place.write(days=1)
    assert "there is no rule" in place.comment() or "name the rule" in place.comment()

    place.say(reply(WAIVE, id="c2", hours=30))
    place.write(days=1)

    assert "no rule" not in place.comment()
    assert "`AC001` waived until 30 April 2026" in place.comment()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/hygiene waive AC001: short", "at least 10 characters"),
        ("/hygiene waive AC001 until 2029-01-01: far too long a time", "more than 365 days ahead"),
        ("/hygiene waive AC001 until 2026-01-01: a day long ago", "is past"),
        ("/hygiene waive XY999: there is no such rule", "there is no rule 'XY999'"),
        ("/hygiene wrong PLN001: never found here", "nothing was found here"),
    ],
)
def test_what_cannot_be_done_says_why(engine: sa.Engine, text: str, says: str) -> None:
    place = Place(engine, a_story())
    place.check()
    place.say(reply(text))

    place.check(days=1)

    ((outcome, answer),) = place.outcomes()
    assert (outcome, says in answer) == ("mistaken", True), answer
    assert place.waivers() == ()


def test_an_edited_command_is_read_again_and_a_deleted_one_takes_its_waiver_with_it(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.say(reply(WAIVE))
    place.check()
    place.tracker.edit("1", comments=(reply(WAIVE.replace("2026-04-30", "2026-05-15")),))
    place.check(days=1)
    assert [waiver.until for waiver in place.waivers() if waiver.ended_at is None] == [date(2026, 5, 15)]

    place.tracker.edit("1", comments=())
    result = place.check(days=1)

    assert state(result) == (True, False)
    assert [waiver.ended_by for waiver in place.waivers()] == ["the comment was deleted"]


def test_a_waiver_is_ended_by_a_command(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.say(reply(WAIVE), reply("/hygiene unwaive AC001", id="c2", hours=1, author="ben"))

    result = place.check()

    assert state(result) == (True, False)
    assert [waiver.ended_by for waiver in place.waivers()] == ["ben"]


def test_a_waived_rule_suppresses_nothing(engine: sa.Engine) -> None:
    """OUT001 outranks OUT002; waived it does not."""
    settings = Settings.model_validate({"write_back": BOLD, "check": {"enable": ["AC", "TXT"]}})
    place = Place(engine, a_story(body=""), settings=settings)
    assert state(place.check(), "TXT002") == (False, False)
    place.say(reply("/hygiene waive TXT001: the title says it all"))

    result = place.check(days=1)

    assert state(result, "TXT001") == (True, True)
    reasons = {one.rule: one.reason for one in result.checked[0].judgements}
    assert reasons.get("TXT002") != "TXT001 says it"


def test_secrets_are_waived_for_30_days_and_not_spoken_of_in_public(engine: sa.Engine) -> None:
    place = Place(engine, a_story())
    place.say(reply("/hygiene waive SEC001: an example key of the documentation"))

    place.write()

    assert [waiver.until for waiver in place.waivers()] == [date(2026, 4, 11)]
    assert "SEC001" not in place.comment()
