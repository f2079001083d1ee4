"""`backlint rule [CODE]`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backlint.api.console import Console, escape, severity
from backlint.rules.pages import page, summary
from backlint.rules.registry import all_rules, find
from backlint.rules.rule import Rule
from backlint.settings import load
from backlint.sync.check import chosen_rules


def run(console: Console, *, config: Path | None, code: str | None) -> int:
    if code is not None:
        rule = find(code)
        console.json(_facts(rule))
        console.out(escape(page(rule)))
        return 0
    on = {rule.code for rule in chosen_rules(load(config))}
    console.json({"rules": [{**_facts(rule), "on": rule.code in on} for rule in all_rules()]})
    for rule in all_rules():
        state = "on " if rule.code in on else "off"
        console.out(f"{rule.code}  {state}  {severity(rule.severity.value)}  {rule.name}: {escape(summary(rule))}")
    console.say(escape("`backlint rule CODE` prints a rule's page; profile, enable and disable under [check] choose."))
    return 0


def _facts(rule: type[Rule]) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": summary(rule),
        "severity": rule.severity.value,
        "severity_far": (rule.severity_far or rule.severity).value,
        "label": rule.label,
        "question": rule.question,
        "options": {name: _plain(value) for name, value in rule.options().items()},
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (frozenset, set, tuple, list)):
        return sorted(str(each) for each in value)
    return value
