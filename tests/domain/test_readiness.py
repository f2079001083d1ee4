"""Readiness for sprint planning: T7 to T9, what is not applicable, what could not be checked, and the one question."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import pytest

from backlint.model import IssueType, Judgement, Verdict
from backlint.readiness import (
    BUG_RULES,
    RULES,
    WEIGHTS,
    Answer,
    Need,
    Readiness,
    Standing,
    bug_impact,
    readiness,
    rule_codes,
)
from tests.factory import an_issue

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE


def judged(codes: Iterable[str] = tuple(sorted(rule_codes())), **verdicts: Verdict) -> list[Judgement]:
    """Every rule passes but the ones that are named."""
    return [
        Judgement(
            rule=code,
            source="demo",
            issue="1",
            verdict=verdicts.get(code, PASS),
            message=f"{code} fails",
            question=f"{code}?",
            reason=f"{code} says so",
        )
        for code in codes
    ]


def of_story(**verdicts: Verdict) -> Readiness:
    return readiness(an_issue(), judged(**verdicts))


def test_the_weights_are_a_hundred() -> None:
    assert sum(WEIGHTS.values()) == 100


def test_with_everything_there_it_is_ready() -> None:
    found = of_story()

    assert (found.shown, found.standing, found.question, found.missing) == (100, Standing.READY, None, ())


def test_t7_a_story_that_lacks_only_its_outcome_is_nearly_ready() -> None:
    found = of_story(OUT001=FAIL)

    assert (found.shown, found.standing) == (80, Standing.NEARLY)
    assert found.question == "OUT001?"


def test_t8_a_counting_team_needs_no_estimate_and_size_is_only_a_note() -> None:
    found = of_story(EST001=NOT_APPLICABLE, EST002=FAIL)

    assert found.exact == Fraction(7500, 85)
    assert (found.shown, found.standing) == (88, Standing.READY)
    assert found.note == "size: EST002 fails"


def test_t9_what_waits_for_a_later_sprint_is_not_ready_whatever_else_it_has() -> None:
    found = of_story(BLK003=FAIL)

    assert (found.shown, found.standing) == (90, Standing.NOT_READY)


def test_a_blocker_outside_the_sprint_is_a_dependency_that_no_rule_knows_of() -> None:
    outside = {Need.DEPENDENCIES: (Answer(verdict=FAIL, said="DEMO-7 is open", question="Move DEMO-7?"),)}

    found = readiness(an_issue(), judged(), further=outside)

    assert (found.shown, found.standing, found.question) == (90, Standing.NOT_READY, "Move DEMO-7?")


def test_a_dependency_that_cannot_be_read_does_not_make_it_unready_by_itself() -> None:
    assert of_story(BLK003=UNKNOWN).standing is Standing.NEARLY


def test_what_could_not_be_checked_counts_as_not_passed_and_is_said() -> None:
    found = of_story(AC001=UNKNOWN)

    assert (found.shown, found.standing) == (75, Standing.NEARLY)
    assert found.note == "acceptance: could not check: AC001 says so"
    assert found.question == "Could not check acceptance: who can tell?"


def test_below_sixty_it_is_not_ready() -> None:
    assert of_story(AC001=FAIL, OUT001=FAIL).standing is Standing.NOT_READY


def test_the_threshold_itself_counts() -> None:
    gates = (Need.OWNER,)

    assert readiness(an_issue(), judged(OUT001=FAIL), gates=gates).standing is Standing.READY
    assert readiness(an_issue(), judged(OUT001=FAIL), gates=gates, ready_from=81).standing is Standing.NEARLY


def test_the_question_is_the_heaviest_that_stands_in_the_way() -> None:
    found = of_story(TXT002=FAIL, EST001=FAIL, EST002=FAIL)

    assert [each.need for each in found.missing] == [Need.ESTIMATE, Need.SIZE, Need.CLARITY]
    assert found.question == "EST001?"


def test_what_it_waits_for_is_asked_before_anything_that_an_answer_could_mend() -> None:
    assert of_story(AC001=FAIL, BLK003=FAIL).question == "BLK003?"


def test_one_failing_rule_of_several_is_enough() -> None:
    found = of_story(OWN003=FAIL)

    assert [(each.need, each.rule) for each in found.missing] == [(Need.OWNER, "OWN003")]


def test_a_rule_that_does_not_exist_is_not_applicable() -> None:
    found = readiness(an_issue(), judged(codes=["AC001", "OWN001"]))

    assert (found.shown, found.standing) == (100, Standing.READY)


def test_an_item_of_which_nothing_is_judged_is_not_called_ready() -> None:
    found = readiness(an_issue(), [])

    assert (found.shown, found.standing, found.note) == (None, Standing.NOT_READY, "nothing could be judged")


# -- bugs ----------------------------------------------------------------------------------------------------------


def test_a_bug_is_accepted_by_its_steps_and_not_by_criteria() -> None:
    bug = an_issue(type=IssueType.BUG)

    found = readiness(bug, judged(AC001=FAIL, OUT001=FAIL, BUG003=FAIL))

    assert [(each.need, each.rule) for each in found.missing] == [(Need.ACCEPTANCE, "BUG003")]
    assert BUG_RULES[Need.OWNER] == RULES[Need.OWNER]


@pytest.mark.parametrize(
    "body",
    [
        "Severity: high",
        "This affects about 300 users a day.",
        "All customers see an empty page.",
        "12 % of orders are charged twice.",
        "Viele Kunden sehen eine leere Seite.",
        "Tous les utilisateurs voient une page vide.",
    ],
)
def test_a_bug_that_says_whom_it_hits_has_its_outcome(body: str) -> None:
    assert bug_impact(an_issue(type=IssueType.BUG, body=body)).verdict is PASS


@pytest.mark.parametrize("body", ["", "Open the list. The page is empty.", "The user menu is one pixel too high."])
def test_a_bug_that_does_not_is_asked(body: str) -> None:
    found = bug_impact(an_issue(type=IssueType.BUG, body=body))

    assert (found.verdict, found.question) == (FAIL, "How bad is it, and for whom?")


def test_labels_and_fields_state_the_severity_as_well() -> None:
    assert bug_impact(an_issue(labels=frozenset({"severity: 2"}))).verdict is PASS
    assert bug_impact(an_issue(labels=frozenset({"sev1"}))).verdict is PASS
    assert bug_impact(an_issue(fields={"impact": "high"})).verdict is PASS
    assert bug_impact(an_issue(labels=frozenset({"several"}))).verdict is FAIL
