"""What a waiver covers, for how long, and what it must say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from backlint.errors import InputError
from backlint.examples import an_issue
from backlint.model import IssueType, Scope, ScopeKind
from backlint.waivers import About, Via, Waiver, Waivers, good_reason, last_day, subject

TODAY = date(2026, 3, 12)
CODES = ("AC001", "AC002", "OUT001", "SEC001")


def a_waiver(rule: str = "AC001", about: About = About.ISSUE, name: str = "1", **given: object) -> Waiver:
    values = {"id": f"w-{rule}", "reason": "a copy change", "until": date(2026, 4, 1), "via": Via.COMMAND, **given}
    return Waiver(rule=rule, about=about, name=name, **values)  # type: ignore[arg-type]


def waived(*waivers: Waiver, today: date = TODAY, **issue: object) -> set[str]:
    return set(Waivers(today, waivers).of(subject(an_issue(**issue), ["DEMO"]), CODES))


def test_a_rule_is_waived_for_its_issue_alone() -> None:
    assert waived(a_waiver()) == {"AC001"}
    assert waived(a_waiver(), id="2") == set()
    assert waived(a_waiver(source="other")) == set()


def test_a_family_waives_each_of_its_rules() -> None:
    assert waived(a_waiver("AC")) == {"AC001", "AC002"}


@pytest.mark.parametrize(
    ("about", "name"), [(About.LABEL, "Spike"), (About.PROJECT, "demo"), (About.TYPE, "story"), (About.ISSUE, "1")]
)
def test_what_a_waiver_names_covers_its_issues_and_no_others(about: About, name: str) -> None:
    waiver = a_waiver(about=about, name=name)

    assert waived(waiver, labels=frozenset({"spike"})) == {"AC001"}
    others = Waivers(TODAY, (waiver,)).of(subject(an_issue(id="2", type=IssueType.BUG), ["WEB"]), CODES)
    assert others == {}


def test_a_waiver_holds_through_its_last_day_and_is_then_known_as_expired() -> None:
    book = Waivers(date(2026, 4, 2), (a_waiver(),))

    assert waived(a_waiver(), today=date(2026, 4, 1)) == {"AC001"}
    assert book.of(subject(an_issue()), CODES) == {}
    assert set(book.expired(subject(an_issue()), CODES)) == {"AC001"}


def test_an_ended_waiver_neither_holds_nor_counts_as_expired() -> None:
    ended = a_waiver(ended_at=datetime(2026, 3, 11, tzinfo=UTC))

    assert waived(ended) == set()
    assert Waivers(date(2026, 5, 1), (ended,)).expired(subject(an_issue()), CODES) == {}


def test_the_longest_of_several_holds_and_hides_those_that_ran_out() -> None:
    short, long, over = (a_waiver(id=id, until=day) for id, day in
                         (("s", date(2026, 3, 20)), ("l", date(2026, 4, 20)), ("o", date(2026, 3, 1))))  # fmt: skip
    book = Waivers(TODAY, (short, long, over))

    assert book.of(subject(an_issue()), CODES)["AC001"].id == "l"
    assert book.expired(subject(an_issue()), CODES) == {}


def test_a_sprint_is_waived_by_its_name_and_by_its_team() -> None:
    sprint = Scope(kind=ScopeKind.SPRINT, source="demo", key="4", name="Sprint 4", team="Payments")

    for name in ("sprint 4", "payments"):
        book = Waivers(TODAY, (a_waiver("PLN001", About.PROJECT, name),))
        assert set(book.of(subject(sprint), ["PLN001"])) == {"PLN001"}


def test_a_waiver_lasts_90_days_unless_told_and_one_on_secrets_30() -> None:
    assert last_day("AC001", TODAY, None) == date(2026, 6, 10)
    assert last_day("SEC001", TODAY, None) == date(2026, 4, 11)
    assert last_day("OUT", TODAY, date(2027, 3, 12)) == date(2027, 3, 12)


@pytest.mark.parametrize(
    ("rule", "until", "says"),
    [
        ("AC001", date(2027, 3, 13), "2027-03-13 is more than 365 days ahead"),
        ("SEC", date(2026, 4, 12), "more than 30 days ahead"),
        ("AC001", date(2026, 3, 11), "is past"),
    ],
)
def test_a_last_day_that_is_past_or_too_far_off_is_refused_with_the_bound(rule: str, until: date, says: str) -> None:
    with pytest.raises(InputError, match=says):
        last_day(rule, TODAY, until)


def test_a_reason_of_less_than_ten_characters_is_refused() -> None:
    assert good_reason("  copy \n change ") == "copy change"
    with pytest.raises(InputError, match="at least 10 characters"):
        good_reason("it's fine")
