"""The page of a rule, out of its docstring, options and examples; `python -m backlint.rules.pages` prints them all."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from backlint.rules.evidence import masked
from backlint.rules.registry import RULES_VERSION, own_rules
from backlint.rules.rule import EVERY_TYPE, Example, Rule, ScopeRule

_OPTION = re.compile(r"^    (?P<name>\w+): [^=]+=(?P<rest>.*)$")
_COMMENT = re.compile(r"#\s*(?P<text>[^#]+?)\s*(?:#\s*(?:fmt|noqa|type):.*)?$")
SHOWN = 100  # characters of an example's text on the page

INTRODUCTION = f"""\
# Rules

What each rule finds, why it matters and how to fix it. This page is generated from the rules themselves
(`python -m backlint.rules.pages`); the examples on it run as tests. Rule set {RULES_VERSION}.

A severity with two values is that of *near* issues (started, ready, in the current or next sprint, or at the top of the
ranked backlog) and of *far* ones.
"""


def page(rule: type[Rule]) -> str:
    """One rule as Markdown."""
    parts = [
        f"## {rule.code} {rule.name}",
        inspect.cleandoc(rule.__doc__ or ""),
        _facts(rule),
        _options(rule),
        _examples("Flagged", rule.flagged),
        _examples("Passed", rule.passed),
        _examples("Not judged", rule.declined),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def pages() -> str:
    """Every rule of this package, after an overview."""
    overview = "\n".join(
        f"| [{rule.code}](#{anchor(rule)}) | {rule.name} | {severities(rule)} | {summary(rule)} |"
        for rule in own_rules()
    )
    table = f"| Code | Name | Severity | Finds |\n| --- | --- | --- | --- |\n{overview}\n"
    return "\n".join([INTRODUCTION, table, *(page(rule) for rule in own_rules())])


def anchor(rule: type[Rule]) -> str:
    return f"{rule.code.casefold()}-{rule.name}"


def summary(rule: type[Rule]) -> str:
    """The first line of the docstring: what a person reads in the tracker."""
    return inspect.cleandoc(rule.__doc__ or "").split("\n", 1)[0]


def severities(rule: type[Rule]) -> str:
    far = rule.severity_far
    return rule.severity.value if far in (None, rule.severity) else f"{rule.severity.value} near, {far.value} far"


def _facts(rule: type[Rule]) -> str:
    facts = {
        "Severity": severities(rule),
        **_subject(rule),
        "Label": f"`{rule.label}`" if rule.label else "none",
        "Asks": f"“{rule.question}”" if rule.question else "nothing",
        "Since": rule.since,
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _subject(rule: type[Rule]) -> dict[str, str]:
    """The types of issues that are asked, or what is judged instead of an issue."""
    if not issubclass(rule, ScopeRule):
        return {"Types": _types(rule)}
    where = "shown to that person and the team's lead alone" if rule.private else "shown in reports alone"
    judged = {"Judges": f"each {rule.judges.value} as a whole, {where}"}
    return judged | ({"Types": _types(rule)} if "types" in rule.options() else {})


def _types(rule: type[Rule]) -> str:
    types = rule.options().get("types", EVERY_TYPE)
    missing = EVERY_TYPE - types
    if not missing:
        return "all"
    named = sorted(kind.value for kind in (missing if len(missing) <= 2 else types))
    return f"all but {', '.join(named)}" if len(missing) <= 2 else ", ".join(named)


def _options(rule: type[Rule]) -> str:
    meanings = dict(_meanings(rule))
    rows = [
        f"| `{name}` | {_printed(default)} | {meanings.get(name, _MEANING.get(name, ''))} |"
        for name, default in rule.options().items()
    ]
    return "\n".join(["| Option | Default | Meaning |", "| --- | --- | --- |", *rows]) if rows else ""


_MEANING = {"types": "issue types that are asked"}


def _meanings(rule: type[Rule]) -> Iterator[tuple[str, str]]:
    """Option -> the comment behind or inside its definition, those of shared parents first."""
    for owner in reversed(rule.__mro__):
        if issubclass(owner, Rule) and owner is not Rule and inspect.get_annotations(owner):
            yield from _commented(inspect.getsource(owner), set(inspect.get_annotations(owner)))


def _commented(source: str, names: set[str]) -> Iterator[tuple[str, str]]:
    lines = source.splitlines()
    for number, line in enumerate(lines):
        option = _OPTION.match(line)
        if option is None or option["name"] not in names:
            continue
        for definition in _definition(lines, number):
            comment = _COMMENT.search(definition)
            if comment is not None:
                yield option["name"], comment["text"]
                break


def _definition(lines: list[str], first: int) -> Iterator[str]:
    """The lines of one definition: up to the closing bracket at the class's own indentation."""
    yield lines[first]
    if lines[first].split("#")[0].rstrip().endswith(("(", "{", "[")):
        for line in lines[first + 1 :]:
            yield line
            if line.startswith(("    )", "    }")):
                return


def _printed(default: Any) -> str:
    if default == EVERY_TYPE:
        return "all"
    if isinstance(default, Mapping):
        return ", ".join(f"`{name} = {value:g}`" for name, value in default.items()) or "none"
    if isinstance(default, (frozenset, tuple)):
        values = sorted(_plain(each) for each in default) if isinstance(default, frozenset) else map(_plain, default)
        return ", ".join(f"`{value}`" for value in values) or "none"
    return f"`{_plain(default)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value) if isinstance(value, Enum) else str(value)


def _examples(title: str, examples: tuple[Example, ...]) -> str:
    return "\n".join([f"{title}:", "", *(f"- {_example(example)}" for example in examples)]) if examples else ""


def _example(example: Example) -> str:
    text = masked(" ".join(example.issue.body.split())).replace("`", "ˋ")
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …"
    severity = f" ({example.severity.value})" if example.severity else ""
    return f"{example.name}{severity}: `{shown}`" if shown else f"{example.name}{severity}"


if __name__ == "__main__":
    sys.stdout.write(pages())
