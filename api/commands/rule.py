"""`backlint rule [CODE]`, and `--test`, which runs examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from backlint.api.console import Console, escape, severity
from backlint.rules.custom import CustomRule
from backlint.rules.pages import page, summary
from backlint.rules.registry import every_rule, find, own_rules
from backlint.rules.rule import Rule
from backlint.rules.trial import tried
from backlint.settings import load
from backlint.sync.check import chosen_rules


def run(console: Console, *, config: Path | None, code: str | None) -> int:
    settings = load(config)
    rules = every_rule(settings.custom_rules)
    if code is not None:
        rule = find(code, rules)
        console.json(_facts(rule))
        console.out(escape(page(rule)))
        return 0
    on = {rule.code for rule in chosen_rules(settings)}
    console.json({"rules": [{**_facts(rule), "on": rule.code in on} for rule in rules]})
    for rule in rules:
        state = "on " if rule.code in on else "off"
        origin = f" [dim]({_origin(rule)})[/dim]" if _origin(rule) != "backlint" else ""
        console.out(
            f"{rule.code}  {state}  {severity(rule.severity.value)}  {rule.name}: {escape(summary(rule))}{origin}"
        )
    console.say(escape("`backlint rule CODE` prints a rule's page; profile, enable and disable under [check] choose."))
    return 0


def test_examples(console: Console, *, config: Path | None, code: str | None) -> int:
    """Run the examples of one rule, or of all that are not backlint's own; 1 when one comes out otherwise."""
    rules = every_rule(load(config).custom_rules)
    chosen = (find(code, rules),) if code is not None else tuple(rule for rule in rules if rule not in own_rules())
    trials = [trial for rule in chosen for trial in tried(rule)]
    wrong = [trial for trial in trials if not trial.is_right]
    console.json({"rules": len(chosen), "examples": [asdict(trial) for trial in trials], "wrong": len(wrong)})
    for trial in trials:
        mark = "[green]right[/green]" if trial.is_right else "[red]wrong[/red]"
        said = "" if trial.is_right else f"  {escape(trial.said)}"
        console.out(f"{trial.rule}  {mark}  {trial.kind}: {escape(trial.name)}{said}")
    if not chosen:
        console.out("There are no rules of your own: docs/custom-rules.md shows how to write one.")
    else:
        console.say(f"{len(trials)} examples of {len(chosen)} rules, {len(wrong)} wrong.")
    return 1 if wrong else 0


def _origin(rule: type[Rule]) -> str:
    """Whose rule it is: backlint's, the configuration's, or that of an installed module."""
    if issubclass(rule, CustomRule):
        return "configuration"
    return "backlint" if rule in own_rules() else rule.__module__


def _facts(rule: type[Rule]) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": summary(rule),
        "severity": rule.severity.value,
        "severity_far": (rule.severity_far or rule.severity).value,
        "label": rule.label,
        "question": rule.question,
        "origin": _origin(rule),
        "options": {name: _plain(value) for name, value in rule.options().items()},
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (frozenset, set, tuple, list)):
        return sorted(str(each) for each in value)
    return value
