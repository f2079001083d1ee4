from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from backlint.model import Judgement, Severity, StatusCategory, Verdict
from backlint.scores import (
    Dimension,
    Nearness,
    backlog_score,
    band,
    issue_score,
    nearness,
    team_score,
)
from tests.factory import an_issue

DIMENSIONS = {
    "AC001": "clarity", "TXT001": "clarity", "TXT003": "clarity", "OUT001": "outcome", "OUT002": "outcome",
    "OWN001": "ownership", "EST001": "planning", "FLO001": "flow", "SYN001": "consistency",
}  # fmt: skip
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def verdict(rule: str, verdict: Verdict = Verdict.PASS, **rest) -> Judgement:
    return Judgement(rule=rule, source="demo", issue="1", verdict=verdict, **rest)


def failing(rule: str, severity: Severity, confidence: float = 1.0, **rest) -> Judgement:
    return verdict(rule, Verdict.FAIL, severity=severity, confidence=confidence, **rest)


def score(*findings: Judgement, without: tuple[str, ...] = (), **rest):
    """The score of an issue that every rule was asked about; `without` names dimensions that do not apply."""
    passing = [verdict(rule) for rule, dimension in DIMENSIONS.items() if dimension not in without]
    return issue_score([*passing, *findings], DIMENSIONS, **rest)


def test_t1_a_story_with_an_error_and_two_warnings():
    found = score(failing("AC001", ERROR), failing("OUT002", WARNING), failing("EST001", WARNING))

    assert (found.shown, found.band) == (66, "C")
    assert [(each.finding.rule, each.points) for each in found.do_first] == [
        ("AC001", 20),
        ("OUT002", 10),
        ("EST001", 4),
    ]


def test_t2_a_dimension_without_rules_is_left_out():
    found = score(failing("OWN001", ERROR), without=("outcome",))

    assert found.exact == Fraction(5900, 75)
    assert found.shown == 78


def test_t3_confidence_softens_a_finding():
    found = score(failing("AC001", INFO, 0.6))

    assert found.exact == Fraction(9925, 100)
    assert found.shown == 99


def test_t4_every_single_fix_moves_the_score():
    both = score(failing("AC001", ERROR), failing("TXT001", ERROR))
    one = score(failing("AC001", ERROR))

    assert (both.exact, one.exact) == (76, 80)
    assert [each.points for each in both.do_first] == [4, 4]


def test_t4b_is_exactly_32():
    findings = [failing(rule, ERROR) for rule in ("AC001", "OWN001", "EST001", "OUT001", "OUT002")]

    assert score(*findings).shown == 32


def test_waived_findings_cost_nothing_and_are_counted():
    found = score(failing("AC001", ERROR), is_waived=lambda finding: finding.rule == "AC001")

    assert (found.exact, found.waived) == (100, 1)


def test_unknown_verdicts_cost_nothing_and_are_counted():
    found = issue_score([verdict("AC001"), verdict("OUT001", Verdict.UNKNOWN)], DIMENSIONS)

    assert found is not None
    assert (found.exact, found.unknown) == (100, 1)
    assert [share.dimension for share in found.shares] == [Dimension.CLARITY]


def test_secrets_and_rules_without_a_dimension_stay_out():
    found = score(failing("SEC001", Severity.CRITICAL), failing("TAX001", ERROR))

    assert found.exact == 100


def test_an_issue_that_nothing_applies_to_has_no_score():
    assert issue_score([verdict("AC001", Verdict.NOT_APPLICABLE)], DIMENSIONS) is None


@pytest.mark.parametrize(
    ("points", "letter"),
    [(100, "A"), (90, "A"), (89, "B"), (75, "B"), (74, "C"), (60, "C"), (59, "D"), (40, "D"), (39, "E")],
)
def test_bands(points, letter):
    assert band(points) == letter


a_finding = st.builds(
    failing,
    st.sampled_from(sorted(DIMENSIONS)),
    st.sampled_from([INFO, WARNING, ERROR]),
    st.sampled_from([0.6, 0.8, 1.0]),
    discriminator=st.text(max_size=2),
)
findings = st.lists(a_finding, max_size=8)


@given(findings, a_finding)
def test_another_finding_always_lowers_the_score_and_fixing_it_raises_it(given_findings, more):
    assert 0 < score(*given_findings, more).exact < score(*given_findings).exact <= 100


@given(findings, a_finding)
def test_a_higher_severity_never_raises_the_score(given_findings, finding):
    for worse in (WARNING, ERROR):
        if worse.rank >= finding.severity.rank:
            assert (
                score(*given_findings, replace(finding, severity=worse)).exact <= score(*given_findings, finding).exact
            )


@given(findings, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(given_findings, random):
    shuffled = list(given_findings)
    random.shuffle(shuffled)

    assert score(*shuffled) is not None
    assert score(*shuffled).exact == score(*given_findings).exact


@given(findings, a_finding)
def test_the_recoverable_points_are_what_a_fix_gives_back(given_findings, finding):
    with_it, without = score(*given_findings, finding), score(*given_findings)

    assert with_it.points(finding) == without.exact - with_it.exact


# -- teams and backlogs --------------------------------------------------------------------------------------------

T5 = [
    (58, Nearness.STARTED), (90, Nearness.STARTED), (100, Nearness.PLANNED), (40, Nearness.NEAR), (75, Nearness.NEAR),
]  # fmt: skip


def test_t5_started_issues_weigh_more_and_scope_findings_are_deducted():
    plain, capped = team_score(T5), team_score(T5, [WARNING])

    assert plain is not None
    assert capped is not None
    assert (plain.exact, plain.shown) == (Fraction(759, 10), 75)
    assert (capped.exact, capped.shown) == (Fraction(709, 10), 70)
    assert capped.has_few_items


def test_deductions_end_at_twenty_points_and_the_score_at_nought():
    assert team_score(T5, [ERROR] * 5).deducted == 20
    assert team_score([(10, Nearness.NEAR)] * 12, [ERROR, ERROR]).exact == 0
    assert team_score(T5, [INFO]).deducted == 0


def test_a_team_without_near_issues_has_no_score():
    assert team_score([]) is None


@pytest.mark.parametrize(
    ("category", "is_in_sprint", "weight"),
    [
        (StatusCategory.ACTIVE, False, 3), (StatusCategory.WAITING, True, 3), (StatusCategory.TODO, False, 2),
        (StatusCategory.BACKLOG, True, 2), (StatusCategory.BACKLOG, False, 1),
    ],
)  # fmt: skip
def test_nearness_is_the_weight(category, is_in_sprint, weight):
    assert nearness(an_issue(category=category), is_in_sprint=is_in_sprint) == weight


def test_t6_a_backlog_score_is_made_of_four_parts():
    found = backlog_score(
        near_scores=[76], fresh=(90, 120), traced=(20, 25), open_items=120, weekly_throughput=[5, 5, 5]
    )

    assert found is not None
    assert (found.exact, found.shown, found.band) == (Fraction(755, 10), 75, "B")
    assert [part.value for part in found.parts] == [76, 75, 80, 70]


def test_missing_parts_drop_out():
    found = backlog_score(near_scores=[80], fresh=(1, 2))

    assert found is not None
    assert found.exact == Fraction(50 * 80 + 20 * 50, 70)
    assert backlog_score(open_items=3) is None


@pytest.mark.parametrize(("open_items", "value"), [(12, 100), (52, 0), (500, 0), (0, 100)])
def test_the_length_is_measured_in_weeks(open_items, value):
    found = backlog_score(open_items=open_items, weekly_throughput=[1, 1, 1])

    assert found is not None
    assert found.exact == value


def test_a_backlog_from_which_nothing_leaves_is_too_long():
    assert backlog_score(open_items=5, weekly_throughput=[0, 0, 3]).exact == 0
