"""What holds for every rule, taken from the registry: a new rule is covered by the examples it brings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from msgspec.structs import replace as changed

from backlint.backlog import one_issue_backlog
from backlint.model import Issue, Judgement, Severity, Verdict
from backlint.normalised import to_dict
from backlint.rules.engine import judge, judge_scopes
from backlint.rules.registry import all_rules, dimensions
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule, example_context
from backlint.scores import issue_score
from backlint.text.cache import TextCache

RULES = [rule() for rule in all_rules()]
# All tests of a rule on one worker, so that its examples are judged once for them.
each_rule = pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=rule.code, marks=pytest.mark.xdist_group(rule.code)) for rule in all_rules()]
)


def examples(rule: type[Rule]) -> Iterator[Example]:
    yield from (*rule.flagged, *rule.passed, *rule.declined)


def rules_for(rule: type[Rule], example: Example) -> list[Rule]:
    """Every rule, this one with the example's options."""
    return [rule(example.options) if each.code == rule.code else each for each in RULES]


def verdicts(rule: type[Rule], example: Example, *, shuffled: bool = False) -> tuple[Judgement, ...]:
    asked = rules_for(rule, example)
    if shuffled:
        random.Random(example.name).shuffle(asked)
        example = replace(example, others=tuple(reversed(example.others)))
    context = example_context(example, TextCache())
    found = (*judge(example.issue, asked, context), *judge_scopes(asked, context))
    return tuple(sorted(found, key=lambda each: (each.rule, each.issue, each.discriminator, each.message)))


@cache
def of_examples(rule: type[Rule]) -> tuple[tuple[Example, tuple[Judgement, ...]], ...]:
    return tuple((example, verdicts(rule, example)) for example in examples(rule))


@each_rule
def test_judging_again_in_another_order_gives_the_same_and_changes_no_issue(rule: type[Rule]) -> None:
    for example, found in of_examples(rule):
        before = to_dict(example.issue), [to_dict(each) for each in example.others]

        assert verdicts(rule, example, shuffled=True) == found, example.name
        assert (to_dict(example.issue), [to_dict(each) for each in example.others]) == before, example.name


@each_rule
def test_a_finding_more_never_raises_a_score_and_a_finding_fixed_never_lowers_it(rule: type[Rule]) -> None:
    for example, found in of_examples(rule):
        mine = [each for each in found if each.rule == rule.code and each.scope is None]
        others = [each for each in found if each.rule != rule.code and each.scope is None]
        for judgement in mine:
            clean = score([*others, changed(judgement, verdict=Verdict.PASS)])
            scores = [
                score([*others, changed(judgement, verdict=Verdict.FAIL, severity=severity)])
                for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR)
            ]
            assert clean >= scores[0] >= scores[1] >= scores[2] >= 0, example.name
            assert clean <= 100, example.name


def score(judgements: list[Judgement]) -> int:
    """A score in whole points; nothing to judge is no reason to lose any."""
    found = issue_score(judgements, dimensions())
    return 100 if found is None else found.shown


@each_rule
def test_what_cannot_be_judged_costs_nothing(rule: type[Rule]) -> None:
    for example, found in of_examples(rule):
        others = [each for each in found if each.rule != rule.code and each.scope is None]
        for judgement in (each for each in found if each.rule == rule.code and each.scope is None):
            unknown = changed(judgement, verdict=Verdict.UNKNOWN)

            assert score([*others, unknown]) == score(others), example.name


@each_rule
def test_every_finding_says_what_is_wrong_once_and_in_few_words(rule: type[Rule]) -> None:
    for example, found in of_examples(rule):
        failures = [each for each in found if each.rule == rule.code and each.verdict is Verdict.FAIL]
        marks = [(each.source, each.issue, each.discriminator) for each in failures]

        assert len(marks) == len(set(marks)), example.name
        for failure in failures:
            assert 0 < len(failure.message) < 200, example.name
            assert 0 < failure.confidence <= 1, example.name
            assert all(len(evidence.excerpt) <= 121 for evidence in failure.evidence), example.name


@each_rule
def test_the_examples_of_one_rule_break_no_other(rule: type[Rule]) -> None:
    for example, found in of_examples(rule):
        assert not [each for each in found if each.reason.startswith("the rule itself failed")], example.name


def test_a_backlog_of_all_examples_is_judged_alike_from_either_end() -> None:
    issues = [
        replace(
            example.issue, id=f"{rule.code}-{place}", key=f"{rule.code}-{place}", source="all", parent=None, links=()
        )
        for rule in all_rules()
        for place, example in enumerate(examples(rule))
    ]

    assert by_issue(issues) == by_issue(issues[::-1])


def by_issue(issues: list[Issue]) -> dict[str, tuple[Judgement, ...]]:
    backlog = one_issue_backlog(issues[0], *issues[1:], now=EXAMPLE_NOW)
    context = Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache(learn_from=issues))
    return {issue.id: judge(issue, RULES, context) for issue in issues}
