"""Which rules there are, which of them a profile runs, and how they are configured.

There are those of this package, those of packages that declare them (entry points), and those of the configuration.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import backlint.rules
from backlint.custom_rules import CustomRuleSettings
from backlint.errors import ConfigurationError
from backlint.model import Severity
from backlint.rules.custom import custom_rules
from backlint.rules.installed import installed_rules
from backlint.rules.rule import Rule

# Printed with every score: scores of different versions are never compared (catalogue 3.2). Raised whenever a
# rule is added or its meaning changes.
RULES_VERSION = "2026.4"

_STARTER = (
    "AC001", "AC002", "OUT001", "OWN001", "TXT001", "BUG001", "FLO002", "BLK002", "PLN004", "TAX002", "SEC001",
)  # fmt: skip
# Codes and families of catalogue 2.9. A code that no rule carries yet selects nothing.
PROFILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "starter": _STARTER,
        "scrum": (*_STARTER, "EST", "PLN", "HIE", "REV", "OUT002"),
        "kanban": (*_STARTER, "FLO", "BLK", "REV", "OUT002"),
        "oss": ("BUG", "TXT001", "TXT004", "FLO001", "TAX001", "SEC001"),
        "ai": (*_STARTER, "AIF"),
        "full": ("*",),
    }
)
# Open source projects are told that an issue is old, never warned (catalogue 2.9).
_CEILINGS: Mapping[str, Mapping[str, Severity]] = MappingProxyType({"oss": MappingProxyType({"FLO001": Severity.INFO})})
_FAMILY = re.compile(r"[A-Z]+")


@cache
def own_rules() -> tuple[type[Rule], ...]:
    """Every rule of this package, by code; a rule exists because its file does."""
    found = {rule.code: rule for rule in _defined()}
    return tuple(found[code] for code in sorted(found))


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """The rules of this package and of those that are installed beside it, by code."""
    return tuple(sorted((*own_rules(), *installed_rules(own_rules())), key=lambda rule: rule.code))


def every_rule(tables: Sequence[CustomRuleSettings]) -> tuple[type[Rule], ...]:
    """All rules with those of the configuration, which are compiled for it."""
    return tuple(sorted((*all_rules(), *custom_rules(tables, all_rules())), key=lambda rule: rule.code))


def _defined() -> Iterator[type[Rule]]:
    for module in pkgutil.iter_modules(backlint.rules.__path__):
        loaded = importlib.import_module(f"{backlint.rules.__name__}.{module.name}")
        for value in vars(loaded).values():
            is_rule = isinstance(value, type) and issubclass(value, Rule) and "code" in vars(value)
            if is_rule and value.__module__ == loaded.__name__:
                yield value


def find(code_or_name: str, among: Sequence[type[Rule]] | None = None) -> type[Rule]:
    """The rule with this code (AC001), name (missing-acceptance-criteria) or class name (MissingAcceptanceCriteria)."""
    names: dict[str, type[Rule]] = {}
    for rule in all_rules() if among is None else among:
        names |= {name.casefold(): rule for name in (rule.code, rule.name, rule.__name__)}
    wanted = code_or_name.strip().casefold()
    if wanted not in names:
        raise ConfigurationError(f"there is no rule {code_or_name!r}; {_suggestion(wanted, names)}")
    return names[wanted]


def _suggestion(wanted: str, names: Mapping[str, type[Rule]]) -> str:
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    if not near:
        return "`backlint rule` lists them all"
    rule = names[near[0]]
    return f"did you mean {rule.code} ({rule.name})?"


@cache
def dimensions() -> Mapping[str, str]:
    """Rule code -> dimension of the issue score, for the rules that count in it."""
    return MappingProxyType({rule.code: rule.dimension for rule in all_rules() if rule.dimension is not None})


@cache
def private_codes() -> frozenset[str]:
    """Rules whose findings are for few eyes: in no comment, label, score, open page or report, nor in a log."""
    return frozenset(rule.code for rule in all_rules() if rule.private)


@cache
@cache
def family(code: str) -> str:
    """The letters of a code: AC, OUT, OWN."""
    letters = _FAMILY.match(code)
    return letters.group() if letters else code


def configured(
    profile: str,
    options: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    *,
    enabled: Collection[str] = (),
    disabled: Collection[str] = (),
    custom: Sequence[CustomRuleSettings] = (),
) -> tuple[Rule, ...]:
    """The rules of a profile with their options, more or fewer by code, name or family; custom rules in any profile.

    Options of rules outside the profile are checked as well: a typing error should not wait for its rule.
    """
    if profile not in PROFILES:
        raise ConfigurationError(f"there is no profile {profile!r}; {_nearest_profile(profile)}")
    rules = every_rule(custom)
    settings = {find(key, rules).code: dict(values) for key, values in options.items()}
    ceilings = _CEILINGS.get(profile, {})
    built = {rule.code: rule(settings.get(rule.code), ceiling=ceilings.get(rule.code)) for rule in rules}
    chosen = _selected(PROFILES[profile], rules) | named(enabled, rules) | {table.code for table in custom}
    return tuple(built[code] for code in sorted(chosen - named(disabled, rules)))


def _nearest_profile(profile: str) -> str:
    near = difflib.get_close_matches(profile, PROFILES, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PROFILES)}"


def _selected(selectors: Collection[str], among: Sequence[type[Rule]]) -> frozenset[str]:
    codes = (rule.code for rule in among)
    return frozenset(code for code in codes if "*" in selectors or code in selectors or family(code) in selectors)


def named(names: Collection[str], among: Sequence[type[Rule]] | None = None) -> frozenset[str]:
    """Codes by code, name or family; what selects nothing is a mistake of the person who wrote it."""
    rules = all_rules() if among is None else among
    codes: set[str] = set()
    for name in names:
        codes |= _selected((name.upper(),), rules) or {find(name, rules).code}
    return frozenset(codes)
