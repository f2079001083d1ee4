"""Runs the examples of a rule: what its page promises is what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backlint.model import Judgement, Verdict
from backlint.rules.engine import judge, judge_scopes
from backlint.rules.rule import Example, Rule, ScopeRule, example_context
from backlint.text.cache import TextCache

WANTED = {
    "flagged": frozenset({Verdict.FAIL}),
    "passed": frozenset({Verdict.PASS}),
    "declined": frozenset({Verdict.NOT_APPLICABLE, Verdict.UNKNOWN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One example and what came of it. `kind` is flagged, passed or declined; `said` why it came out otherwise."""

    rule: str
    kind: str
    name: str
    is_right: bool
    said: str = ""


def tried(rule: type[Rule]) -> Iterator[Trial]:
    """Every example of the rule. A rule without one to flag or without one to pass has not been tried."""
    for kind in WANTED:
        examples: tuple[Example, ...] = getattr(rule, kind)
        if not examples and kind != "declined":
            yield Trial(rule=rule.code, kind=kind, name="none", is_right=False, said=f"there is no {kind} example")
        for example in examples:
            judgements = judged(rule, example)
            yield Trial(
                rule=rule.code,
                kind=kind,
                name=example.name,
                is_right=all(each.verdict in WANTED[kind] for each in judgements),
                said="; ".join(
                    f"{each.verdict.value}: {each.message or each.reason or 'no smell'}" for each in judgements
                ),
            )


def judged(rule: type[Rule], example: Example) -> tuple[Judgement, ...]:
    """What the rule says of the example; a rule for scopes of its issues together."""
    asked, context = [rule(example.options)], example_context(example, TextCache())
    if issubclass(rule, ScopeRule):
        return judge_scopes(asked, context)
    return judge(example.issue, asked, context)
