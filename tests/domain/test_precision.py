"""The book of a rule: what counts as a word on a finding, what does not, and when a rule steps back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from backlint.model import Judgement, Severity, Verdict
from backlint.precision import (
    EVERYWHERE,
    Feedback,
    How,
    Level,
    Limits,
    Precision,
    Said,
    Shown,
    deserved,
    level_of,
    precision,
    tempered,
)

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
KEY = ("demo", "PAY", "AC001")
OF = {"source": "demo", "project": "PAY", "rule": "AC001"}


def word(mark: str, said: Said = Said.WRONG, how: How = How.COMMAND, **given: object) -> Feedback:
    values = {"fingerprint": mark, "opening": 1, "said": said, "how": how, "at": NOW, **OF, **given}
    return Feedback(**values)  # type: ignore[arg-type]


def shown(mark: str, *, days: int = 20, **given: object) -> Shown:
    values = {"fingerprint": mark, "opening": 1, "at": NOW - timedelta(days=days), **OF, **given}
    return Shown(**values)  # type: ignore[arg-type]


def book(words: list[Feedback], seen: list[Shown] | None = None) -> Precision:
    return precision(words, seen or [], now=NOW)[KEY]


def test_precision_is_useful_over_useful_and_wrong() -> None:
    assert book([word("a"), word("b", Said.USEFUL), word("c", Said.USEFUL)]).precision == Fraction(2, 3)


def test_a_finding_is_judged_once_by_the_strongest_word() -> None:
    edit_and_removal = [word("a", how=How.OVERRIDE, is_weak=True), word("a", Said.USEFUL, How.FIX)]

    assert book(edit_and_removal).precision == 1
    assert book([*edit_and_removal, word("a", how=How.COMMAND)]).precision == 0
    assert book([*edit_and_removal, word("a")]).judged == 1


def test_what_was_taken_away_counts_half() -> None:
    found = book([word("a", how=How.OVERRIDE, is_weak=True), word("b", Said.USEFUL)])

    assert (found.wrong, found.precision) == (Fraction(1, 2), Fraction(2, 3))


def test_a_new_life_of_a_finding_is_judged_anew() -> None:
    assert book([word("a"), word("a", Said.USEFUL, opening=2)]).judged == 2


def test_the_false_share_is_of_what_was_shown_for_14_days() -> None:
    seen = [shown("a"), shown("b"), shown("c", days=3)]

    found = book([word("a")], seen)

    assert (found.shown, found.false_share) == (2, Fraction(1, 2))


def test_a_waiver_makes_a_rule_look_neither_better_nor_worse() -> None:
    words, seen = [word("a"), word("b", Said.USEFUL)], [shown("a"), shown("b")]

    with_waivers = book(words, [*seen, *(shown(f"w{n}", is_waived=True) for n in range(50))])

    assert with_waivers == book(words, seen)


def test_a_waived_finding_that_was_called_wrong_still_counts_as_wrong() -> None:
    assert book([word("a")], [shown("a", is_waived=True)]).false_share == 1


@pytest.mark.parametrize(
    ("judged", "wrong", "seen", "level"),
    [
        (19, 19, 19, Level.NONE),  # too few have said anything
        (20, 2, 20, Level.NONE),  # 10 % is not above 10 %
        (20, 3, 20, Level.LOWERED),
        (20, 5, 20, Level.LOWERED),  # 25 % is not above 25 %
        (20, 6, 20, Level.REPORT_ONLY),
        (20, 20, 1000, Level.NONE),  # 2 % of what was shown
        (20, 20, 0, Level.NONE),  # nothing was shown for long enough
    ],
)
def test_a_rule_steps_back_when_enough_people_call_it_wrong(judged: int, wrong: int, seen: int, level: Level) -> None:
    kept = Precision(wrong=Fraction(wrong), judged=judged, shown=seen, shown_wrong=Fraction(wrong if seen else 0))

    assert deserved(kept, Limits()) is level


def test_a_project_with_a_level_of_its_own_does_not_follow_the_rest() -> None:
    levels = {(*EVERYWHERE, "AC001"): Level.LOWERED, KEY: Level.NONE}

    assert level_of(levels, *KEY) is Level.NONE
    assert level_of(levels, "demo", "WEB", "AC001") is Level.LOWERED
    assert level_of(levels, "demo", "WEB", "OUT001") is Level.NONE


@pytest.mark.parametrize(
    ("severity", "level", "then"),
    [
        (Severity.ERROR, Level.LOWERED, Severity.WARNING),
        (Severity.WARNING, Level.LOWERED, Severity.INFO),
        (Severity.INFO, Level.LOWERED, Severity.INFO),
        (Severity.ERROR, Level.REPORT_ONLY, Severity.INFO),
        (Severity.ERROR, Level.NONE, Severity.ERROR),
        (Severity.CRITICAL, Level.REPORT_ONLY, Severity.CRITICAL),
    ],
)
def test_a_rule_that_stepped_back_claims_less(severity: Severity, level: Level, then: Severity) -> None:
    finding = Judgement(rule="AC001", source="demo", issue="1", verdict=Verdict.FAIL, severity=severity)

    assert tempered(finding, level).severity is then
