"""Rules that a configuration brings: an expression of `[[custom_rules]]` becomes a rule like any other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

from backlint.custom_rules import CustomExample, CustomRuleSettings
from backlint.errors import ConfigurationError
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.normalised import FieldError, from_dict
from backlint.rules.expression import CannotSayError, Expression
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule

# What an example fills in where its author names nothing, as backlint's own examples do.
_FILLED: Mapping[str, Any] = MappingProxyType(
    {"id": "1", "key": "DEMO-1", "title": "Export the invoice list as CSV", "type": "story", "status": "backlog"}
)


class CustomRule(Rule):
    """A rule whose check is an expression; one subclass for each table."""

    expression: ClassVar[Expression]
    message: ClassVar[str]
    types: frozenset[IssueType] = EVERY_TYPE

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        try:
            is_smelly = self.expression.holds(issue, context)
        except CannotSayError as error:
            decline = self.not_applicable if error.is_missing else self.unknown
            yield decline(issue, error.reason)
            return
        if is_smelly:
            yield self.fail(issue, context, self.message)


def custom_rules(tables: Sequence[CustomRuleSettings], among: Collection[type[Rule]]) -> tuple[type[Rule], ...]:
    """The rules of the tables, compiled. ConfigurationError points at what cannot be one.

    `among` are the rules that exist already: neither codes nor names may be theirs.
    """
    taken = {name: rule for rule in among for name in (rule.code, rule.name)}
    families = {rule.code.rstrip("0123456789") for rule in among}
    for table in tables:
        for given in (table.code, table.name):
            if given in taken:
                raise ConfigurationError(f"custom rule {given}: {taken[given].code} is called so; choose another")
        if table.code.rstrip("0123456789") in families:
            raise ConfigurationError(
                f"custom rule {table.code}: the letters {table.code.rstrip('0123456789')} belong to other rules; "
                "choose letters of your own, so that both can grow"
            )
    return tuple(map(_rule, tables))


def _rule(table: CustomRuleSettings) -> type[Rule]:
    values: dict[str, Any] = {
        "__doc__": _page(table),
        "__module__": __name__,
        "code": table.code,
        "name": table.name,
        "message": table.summary,
        "expression": Expression(table.fails_when, table.place),
        "label": table.label or None,
        "question": table.question or None,
        "severity": Severity(table.severity),
        "severity_far": Severity(table.severity_far),
        "since": "the configuration",
        "on_create": table.on_create,
        "judges_closed": table.judges_closed,
        "types": frozenset(table.types) or EVERY_TYPE,
        "flagged": tuple(_examples(table, table.flagged, "flagged")),
        "passed": tuple(_examples(table, table.passed, "passed")),
    }
    return type("".join(part.capitalize() for part in table.name.split("-")), (CustomRule,), values)


def _page(table: CustomRuleSettings) -> str:
    parts = [
        table.summary,
        f"Why it matters: {table.why.strip()}" if table.why else "",
        f"How to fix: {table.fix.strip()}" if table.fix else "",
        "Flagged when:",
        "\n".join(f"    {line}" for line in table.fails_when.strip().splitlines()),
    ]
    return "\n\n".join(part for part in parts if part)


def _examples(table: CustomRuleSettings, examples: Sequence[CustomExample], kind: str) -> Iterator[Example]:
    for example in examples:
        try:
            given = from_dict({**_FILLED, **example.issue}, source="demo")
        except FieldError as error:
            raise ConfigurationError(
                f"custom rule {table.code}, {kind} example {example.name!r}: {error.field}: {error.reason}"
            ) from None
        blank = an_issue()
        yield Example(
            example.name,
            replace(
                given,
                created_at=given.created_at or blank.created_at,
                updated_at=given.updated_at or given.created_at or blank.updated_at,
            ),
        )
