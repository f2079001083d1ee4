"""Every example of every rule, run for real; what a rule's page promises is what it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import Judgement, Verdict
from backlint.rules.engine import judge, judge_scopes
from backlint.rules.evidence import MASK
from backlint.rules.registry import all_rules
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule, ScopeRule, example_context
from backlint.text.cache import TextCache

RULES = {rule.code: rule for rule in all_rules()}


def examples(kind: str) -> list[tuple[str, str]]:
    return [(rule.code, example.name) for rule in RULES.values() for example in getattr(rule, kind)]


def the_example(kind: str, code: str, name: str) -> tuple[type[Rule], Example]:
    rule = RULES[code]
    return rule, next(example for example in getattr(rule, kind) if example.name == name)


def judged(rule: type[Rule], example: Example) -> tuple[Judgement, ...]:
    return judged_in(rule, example, example_context(example, TextCache()))


def judged_in(rule: type[Rule], example: Example, context: Context) -> tuple[Judgement, ...]:
    """Of a rule for scopes what it says of the example's issues together."""
    asked = [rule(example.options)]
    if issubclass(rule, ScopeRule):
        return judge_scopes(asked, context)
    return judge(example.issue, asked, context)


@pytest.mark.parametrize(("code", "name"), examples("flagged"))
def test_is_flagged(code: str, name: str) -> None:
    rule, example = the_example("flagged", code, name)

    judgements = judged(rule, example)

    assert [each.verdict for each in judgements] == [Verdict.FAIL], judgements
    assert judgements[0].message
    assert len(judgements[0].message) < 200
    agrees(judgements[0], example)


@pytest.mark.parametrize(("code", "name"), examples("passed"))
def test_is_passed(code: str, name: str) -> None:
    rule, example = the_example("passed", code, name)

    judgements = judged(rule, example)

    assert [each.verdict for each in judgements] == [Verdict.PASS], judgements
    agrees(judgements[0], example)


@pytest.mark.parametrize(("code", "name"), examples("declined"))
def test_is_not_judged(code: str, name: str) -> None:
    rule, example = the_example("declined", code, name)

    judgements = judged(rule, example)

    assert {each.verdict for each in judgements} <= {Verdict.NOT_APPLICABLE, Verdict.UNKNOWN}, judgements
    assert all(each.reason for each in judgements)


def agrees(judgement: Judgement, example: Example) -> None:
    if example.severity is not None:
        assert judgement.severity is example.severity
    if example.evidence is not None:
        assert any(example.evidence in each.excerpt for each in judgement.evidence), judgement.evidence


def test_the_names_of_a_rules_examples_differ() -> None:
    for kind in ("flagged", "passed", "declined"):
        assert len(examples(kind)) == len(set(examples(kind)))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_shows_two_of_each(rule: type[Rule]) -> None:
    assert len(rule.flagged) >= 2
    assert len(rule.passed) >= 2


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_says_why_how_and_what_it_lets_pass(rule: type[Rule]) -> None:
    page = rule.__doc__ or ""

    assert all(part in page for part in ("Why it matters:", "How to fix:", "Not flagged:"))
    assert page.split("\n", 1)[0].endswith((".", "?"))


@pytest.mark.parametrize("kind", ["flagged", "passed", "declined"])
def test_judging_twice_gives_the_same(kind: str) -> None:
    for code, name in examples(kind):
        rule, example = the_example(kind, code, name)
        assert judged(rule, example) == judged(rule, example)


@pytest.mark.parametrize("kind", ["flagged", "passed", "declined"])
def test_the_order_of_issues_does_not_matter(kind: str) -> None:
    for code, name in examples(kind):
        rule, example = the_example(kind, code, name)
        context = example_context(example, TextCache())
        turned = replace(context, backlog=replace(context.backlog, issues=context.backlog.issues[::-1]), whole={})

        assert judged_in(rule, example, turned) == judged(rule, example), (code, name)


@pytest.mark.parametrize("kind", ["flagged", "passed"])
def test_evidence_points_at_its_excerpt(kind: str) -> None:
    for code, name in examples(kind):
        rule, example = the_example(kind, code, name)
        for judgement in judged(rule, example):
            for evidence in judgement.evidence:
                assert len(evidence.excerpt) <= 120
                if evidence.start is not None and MASK not in evidence.excerpt:
                    text = source_of(evidence.field, example)
                    assert evidence.excerpt in " ".join(text[evidence.start : evidence.end].split()), (
                        rule,
                        example.name,
                    )


def source_of(field: str, example: Example) -> str:
    """The text that offsets refer to. Evidence found above the issue is looked for in the companions' texts."""
    cache = TextCache()
    if field == "body":
        texts = [cache.body(issue).text for issue in (example.issue, *example.others)]
        return max(texts, key=len) if not example.issue.body else texts[0]
    if field.startswith("fields."):
        return cache.read(str(example.issue.fields[field.removeprefix("fields.")]), example.issue.markup).text
    if field.startswith("comments."):
        comment = next(each for each in example.issue.comments if f"comments.{each.id}" == field)
        return cache.read(comment.body, comment.markup).text
    if field == "project":
        project = next(iter(example.context["projects"].values()))
        return cache.read(project.body, project.markup).text
    return example.issue.title


def test_a_far_issue_is_never_judged_harder_than_a_near_one() -> None:
    for rule in RULES.values():
        if issubclass(rule, ScopeRule):
            continue  # what is near makes the scope, not the severity
        for example in rule.flagged:
            judgements = judged(rule, example)
            near = Context(
                now=EXAMPLE_NOW,
                backlog=one_issue_backlog(
                    example.issue, *example.others, now=EXAMPLE_NOW, near_is_all=True, **only_backlog(example)
                ),
                texts=TextCache(),
                levels=example.context.get("levels", {}),
                timezone=example.context.get("timezone", "UTC"),
            )
            nearer = judged_in(rule, example, near)
            assert rank(nearer) >= rank(judgements), (rule.code, example.name)


def only_backlog(example: Example) -> dict[str, object]:
    return {key: value for key, value in example.context.items() if key not in ("levels", "timezone", "mapped_types")}


def rank(judgements: tuple[Judgement, ...]) -> int:
    return max(each.severity.rank if each.verdict is Verdict.FAIL else -1 for each in judgements)
