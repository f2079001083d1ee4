"""Rules that judge teams, sprints, projects and connectors, and those that look at a parent."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from backlint.backlog import Backlog
from backlint.errors import ConfigurationError
from backlint.model import Issue, IssueType, Judgement, ScopeKind, Severity, StatusCategory, Verdict
from backlint.rules.engine import fingerprint, judge, judge_scopes
from backlint.rules.label_drift import look_alikes
from backlint.rules.orphan import Orphan
from backlint.rules.parent_child_mismatch import ParentChildMismatch
from backlint.rules.registry import all_rules, configured
from backlint.rules.rule import EXAMPLE_NOW, Context, Rule, ScopeRule
from backlint.rules.wip_above_cap import WipAboveCap
from backlint.text.cache import TextCache
from tests.factory import an_issue

CANCELLED_EPIC = an_issue(id="9", type=IssueType.EPIC, category=StatusCategory.CANCELLED)


class BrokenScope(ScopeRule):
    """Raises always."""

    code = "PLN999"
    name = "broken"
    severity = Severity.WARNING
    judges = ScopeKind.TEAM

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        raise ValueError("a secret of the issue's text")


def context(*issues: Issue) -> Context:
    return Context(now=EXAMPLE_NOW, backlog=Backlog(issues=issues, now=EXAMPLE_NOW), texts=TextCache())


def failing(issue: Issue, rules: list[Rule], *others: Issue) -> list[str]:
    return [each.rule for each in judge(issue, rules, context(issue, *others)) if each.verdict is Verdict.FAIL]


def started(count: int, **given: object) -> list[Issue]:
    return [an_issue(id=str(n), category=StatusCategory.ACTIVE, **given) for n in range(1, count + 1)]


def test_a_scope_is_judged_once_and_its_finding_is_not_one_of_an_issue() -> None:
    issues = started(3)
    rule = WipAboveCap({"caps": {"DEMO": 2}})

    (finding,) = judge_scopes([rule], context(*issues))

    assert (finding.source, finding.issue, finding.message) == ("demo", "team:DEMO", "3 items in progress, cap 2.")
    assert finding.scope is not None
    assert finding.scope.title == "team DEMO"
    assert judge(issues[0], [rule], context(*issues)) == ()


def test_a_finding_on_a_scope_stays_the_same_while_its_numbers_change() -> None:
    rule = WipAboveCap({"caps": {"DEMO": 2}})

    (few,), (many,) = (judge_scopes([rule], context(*started(count))) for count in (3, 9))

    assert few.message != many.message
    assert fingerprint(few) == fingerprint(many)


def test_teams_are_told_apart_and_one_team_may_have_two_sources() -> None:
    issues = [*started(2, team="Pay"), an_issue(id="7", source="other", team="Pay", category=StatusCategory.ACTIVE)]

    found = judge_scopes([WipAboveCap({"caps": {"pay": 2}})], context(*issues, an_issue(id="8", team="Shop")))

    assert [(each.issue, each.verdict) for each in found] == [
        ("team:Pay", Verdict.FAIL),
        ("team:Shop", Verdict.NOT_APPLICABLE),
    ]


def test_a_scope_rule_that_raises_is_unknown_and_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        found = judge_scopes([BrokenScope(), WipAboveCap({"caps": {"DEMO": 1}})], context(*started(2)))

    assert [(each.rule, each.verdict) for each in found] == [("FLO003", Verdict.FAIL), ("PLN999", Verdict.UNKNOWN)]
    assert "PLN999" in caplog.text
    assert "secret" not in caplog.text


def test_no_scope_rule_labels_or_counts_in_an_issues_score() -> None:
    scope_rules = [rule for rule in all_rules() if issubclass(rule, ScopeRule)]

    assert len(scope_rules) >= 8
    assert all(rule.label is None and rule.dimension is None for rule in scope_rules)
    assert [rule.code for rule in scope_rules if rule.private] == ["OWN004"]


def test_an_empty_backlog_is_judged_by_every_rule() -> None:
    found = judge_scopes([rule() for rule in all_rules()], context())

    assert {each.verdict for each in found} == {Verdict.NOT_APPLICABLE}


def test_the_parents_finding_says_it_for_its_children() -> None:
    child = an_issue(parent="9")

    assert failing(child, [Orphan()], CANCELLED_EPIC) == ["HIE001"]
    assert failing(child, [Orphan(), ParentChildMismatch()], CANCELLED_EPIC) == []
    assert failing(CANCELLED_EPIC, [Orphan(), ParentChildMismatch()], child) == ["HIE002"]


def test_a_parent_that_is_not_flagged_says_nothing_for_its_children() -> None:
    evergreen = an_issue(
        id="9", type=IssueType.EPIC, category=StatusCategory.CANCELLED, labels=frozenset({"evergreen"})
    )

    assert failing(an_issue(parent="9"), [Orphan(), ParentChildMismatch()], evergreen) == ["HIE001"]


def test_a_cancelled_issue_is_looked_at_only_by_rules_that_compare_it() -> None:
    judged = judge(CANCELLED_EPIC, configured("full"), context(CANCELLED_EPIC, an_issue(parent="9")))

    heard = {each.rule for each in judged if each.verdict in (Verdict.PASS, Verdict.FAIL)}
    assert "HIE002" in heard
    assert all(rule.startswith("SEC") for rule in heard - {"HIE002"})


@pytest.mark.parametrize("value", [6, ["DEMO"], {"DEMO": "six"}, {"DEMO": True}, {"DEMO": -1}], ids=repr)
def test_a_table_of_numbers_is_nothing_else(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"\[rules.FLO003\] caps"):
        WipAboveCap({"caps": value})


def test_labels_look_alike_by_spelling_number_and_one_letter() -> None:
    counts = {"front-end": 3, "Frontend": 9, "front end": 1, "kubernetes": 4, "kuberntes": 1, "api": 5, "apis": 2}

    assert look_alikes(counts) == [["Frontend", "front-end", "front end"], ["api", "apis"], ["kubernetes", "kuberntes"]]


@pytest.mark.parametrize(
    "labels",
    [("P1", "P2"), ("iOS", "IoT"), ("area:api", "area:app"), ("release-2.1", "release-21"), ("sprint10", "sprint11")],
    ids=" ".join,
)
def test_labels_that_differ_on_purpose_do_not(labels: tuple[str, str]) -> None:
    assert look_alikes(dict.fromkeys(labels, 1)) == []
