"""How verdicts come about around the rules: who is asked, who outranks whom, what a failure costs."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest

from backlint.backlog import one_issue_backlog
from backlint.errors import ConfigurationError
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Presence, Severity, StatusCategory, Verdict
from backlint.rules.engine import asked, fingerprint, judge, judge_scopes, new_ticket_rules, settled
from backlint.rules.registry import all_rules, configured
from backlint.rules.rule import EXAMPLE_NOW, Context, Rule
from backlint.text.cache import TextCache
from tests.factory import an_issue


class Loud(Rule):
    """Fails always."""

    code = "SEC999"
    name = "loud"
    severity = Severity.WARNING
    question = "Why?"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        yield self.fail(issue, context, "It is so.")


class Broken(Loud):
    """Raises always."""

    code = "AC999"
    name = "broken"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        raise ValueError("a secret of the issue's text")


class Silent(Loud):
    """Yields nothing."""

    code = "AC998"
    name = "silent"
    waits_for_triage = True
    types: frozenset[IssueType] = frozenset({IssueType.STORY})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        yield from ()


def context(issue: Issue) -> Context:
    return Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())


def verdicts(issue: Issue, *rules: Rule) -> list[Verdict]:
    return [each.verdict for each in judge(issue, rules, context(issue))]


def a_finding(rule: str, severity: Severity = Severity.ERROR, **given: str) -> Judgement:
    return Judgement(
        rule=rule, source="demo", issue="1", verdict=Verdict.FAIL, severity=severity, question=f"{rule}?", **given
    )


def codes(judgements: tuple[Judgement, ...]) -> list[str]:
    return [each.rule for each in judgements]


def failing(judgements: tuple[Judgement, ...]) -> list[str]:
    return [each.rule for each in judgements if each.verdict is Verdict.FAIL]


def test_a_rule_that_yields_nothing_passes() -> None:
    assert verdicts(an_issue(), Silent()) == [Verdict.PASS]


def test_a_rule_that_raises_is_unknown_and_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        judgements = judge(an_issue(), [Broken(), Loud()], context(an_issue()))

    assert [each.verdict for each in judgements] == [Verdict.UNKNOWN, Verdict.FAIL]
    assert judgements[0].reason == "the rule itself failed: ValueError"
    assert "AC999" in caplog.text
    assert "issue 1" in caplog.text
    assert "secret" not in caplog.text


def test_a_type_outside_the_option_is_not_asked() -> None:
    assert verdicts(an_issue(type=IssueType.BUG), Silent()) == [Verdict.NOT_APPLICABLE]
    assert verdicts(an_issue(type=IssueType.BUG), Silent({"types": ["bug"]})) == [Verdict.PASS]


@pytest.mark.parametrize(
    "issue",
    [
        an_issue(category=StatusCategory.CANCELLED),
        an_issue(links=(Link(LinkKind.DUPLICATES, "2"),)),
        an_issue(labels=frozenset({"Hygiene:Skip"})),
        an_issue(presence=Presence.DELETED),
    ],
    ids=["cancelled", "duplicate", "skipped by label", "deleted"],
)
def test_only_secrets_are_looked_for_in(issue: Issue) -> None:
    assert verdicts(issue, Silent(), Loud()) == [Verdict.NOT_APPLICABLE, Verdict.FAIL]


def test_closed_issues_are_not_asked() -> None:
    assert verdicts(an_issue(category=StatusCategory.DONE), Silent()) == [Verdict.NOT_APPLICABLE]


def test_triage_is_quiet_for_three_days() -> None:
    new = an_issue(category=StatusCategory.TRIAGE, created_at=EXAMPLE_NOW - timedelta(days=2, hours=23))
    old = an_issue(category=StatusCategory.TRIAGE, created_at=EXAMPLE_NOW - timedelta(days=3))

    assert verdicts(new, Silent()) == [Verdict.NOT_APPLICABLE]
    assert verdicts(old, Silent()) == [Verdict.PASS]


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ("AC002", "AC001"),
        ("TXT001", "TXT002"),
        ("OUT001", "OUT002"),
        ("OUT001", "OUT009"),
        ("FLO002", "FLO001"),
        ("BLK002", "BLK001"),
    ],
)
def test_the_stronger_finding_alone_remains(winner: str, loser: str) -> None:
    assert failing(settled([a_finding(loser), a_finding(winner)])) == [winner]
    assert failing(settled([a_finding(loser)])) == [loser]


def test_a_waived_winner_suppresses_nothing() -> None:
    assert failing(settled([a_finding("FLO001"), a_finding("FLO002")], waived={"FLO002"})) == ["FLO001", "FLO002"]


def test_an_unknown_winner_suppresses_nothing() -> None:
    unknown = Judgement(rule="FLO002", source="demo", issue="1", verdict=Verdict.UNKNOWN)

    assert failing(settled([a_finding("FLO001"), unknown])) == ["FLO001"]


def test_ageing_work_is_not_called_stale_as_well() -> None:
    issue = an_issue(
        category=StatusCategory.ACTIVE, created_at=EXAMPLE_NOW - timedelta(days=40), body="Export the list of invoices."
    )
    found = judge(issue, configured("kanban"), context(issue))

    assert "FLO002" in failing(found)
    assert "FLO001" not in failing(found)


def test_an_empty_description_is_asked_alone() -> None:
    assert codes(asked([a_finding("AC001"), a_finding("TXT001"), a_finding("OUT001")])) == ["TXT001"]


def test_a_waived_empty_description_leaves_room_for_the_others() -> None:
    assert codes(asked([a_finding("AC001"), a_finding("TXT001")], waived={"TXT001"})) == ["AC001"]


def test_the_owner_is_asked_for_before_a_review_date() -> None:
    assert codes(asked([a_finding("REV001", Severity.WARNING), a_finding("OWN001")])) == ["OWN001"]


def test_at_most_three_questions_with_the_largest_gain_first() -> None:
    findings = [a_finding("AC001"), a_finding("EST001"), a_finding("FLO002"), a_finding("OUT002")]
    gains = {"AC001": Fraction(4), "EST001": Fraction(1), "FLO002": Fraction(2), "OUT002": Fraction(10)}

    assert codes(asked(findings, points=lambda finding: gains[finding.rule])) == ["OUT002", "AC001", "FLO002"]


def test_without_gains_the_severity_orders() -> None:
    findings = [a_finding("AC001", Severity.WARNING), a_finding("OWN001", Severity.ERROR)]

    assert codes(asked(findings)) == ["OWN001", "AC001"]


def test_information_and_secrets_are_never_asked() -> None:
    assert asked([a_finding("OUT002", Severity.INFO), a_finding("SEC001", Severity.CRITICAL)]) == ()
    assert codes(asked([a_finding("OUT002", Severity.INFO)], info_too={"OUT002"})) == ["OUT002"]


def test_what_was_expected_is_asked_beside_what_happened() -> None:
    expected = a_finding("BUG002", Severity.INFO)

    assert codes(asked([expected])) == []
    assert codes(asked([expected, a_finding("BUG003", Severity.WARNING)])) == ["BUG003", "BUG002"]
    assert codes(asked([expected, a_finding("BUG003", Severity.WARNING)], waived={"BUG002"})) == ["BUG003"]


def test_a_fingerprint_is_what_the_finding_is_about() -> None:
    one = fingerprint(a_finding("AC001"))

    assert one == fingerprint(a_finding("AC001", Severity.INFO, message="In other words."))
    assert len({one, fingerprint(a_finding("AC002")), fingerprint(a_finding("AC001", discriminator="title"))}) == 3
    assert len(one) == 64


def test_parts_of_a_fingerprint_do_not_run_together() -> None:
    left = Judgement(rule="AC001", source="a", issue="b1", verdict=Verdict.FAIL)
    right = Judgement(rule="AC001", source="ab", issue="1", verdict=Verdict.FAIL)

    assert fingerprint(left) != fingerprint(right)


def test_the_author_of_a_new_ticket_is_asked_what_only_the_author_knows() -> None:
    rules = configured("full")
    written = {"AC001", "AC002", "OUT001", "BUG001", "BUG003", "TXT001", "SEC001", "SEC002"}

    for_epic = {rule.code for rule in new_ticket_rules(rules, an_issue(type=IssueType.EPIC))}
    for_story = {rule.code for rule in new_ticket_rules(rules, an_issue())}
    for_bug = {rule.code for rule in new_ticket_rules(rules, an_issue(type=IssueType.BUG))}

    assert for_epic | for_story | for_bug == written
    assert for_epic == written - {"BUG001", "BUG003"}
    assert for_story == written - {"OUT001", "BUG001", "BUG003"}
    assert for_bug == written - {"OUT001"}


def test_judging_changes_nothing() -> None:
    issue = an_issue(body="Export the list.", labels=frozenset({"x"}), fields={"outcome": "none"})
    before = copy.deepcopy((issue, dict(issue.fields)))

    judge(issue, configured("full"), context(issue))

    assert (issue, dict(issue.fields)) == before


def test_every_rule_gives_at_least_one_verdict() -> None:
    rules = [rule() for rule in all_rules()]
    judgements = judge(an_issue(body=""), rules, context(an_issue(body="")))
    of_scopes = judge_scopes(rules, context(an_issue(body="")))

    assert {each.rule for each in (*judgements, *of_scopes)} == {rule.code for rule in all_rules()}
    assert not {each.rule for each in judgements} & {each.rule for each in of_scopes}


def test_a_ceiling_caps_what_a_finding_weighs() -> None:
    issue = an_issue(category=StatusCategory.TODO, created_at=EXAMPLE_NOW - timedelta(days=75))
    (stale,) = [rule for rule in configured("oss") if rule.code == "FLO001"]

    (finding,) = judge(issue, [stale], context(issue))

    assert (finding.verdict, finding.severity) == (Verdict.FAIL, Severity.INFO)


def test_an_unknown_option_names_the_right_one() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'min_items'"):
        configured("full", {"AC001": {"min_item": 2}})
