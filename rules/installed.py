"""Rules of other packages: what they declare as entry points of the group `backlint.rules`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from backlint.errors import ConfigurationError
from backlint.rules.rule import Rule

GROUP = "backlint.rules"
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3}")
_NEEDED = ("name", "severity")


def installed_rules(
    own: Collection[type[Rule]], declared: Iterable[EntryPoint] | None = None
) -> tuple[type[Rule], ...]:
    """The rules that installed packages declare. ConfigurationError names the package whose rules cannot be used.

    An entry point leads to a rule class, or to a module whose rule classes all count.
    """
    found: dict[str, type[Rule]] = {rule.code: rule for rule in own}
    families = {rule.code.rstrip("0123456789") for rule in own}
    for entry in entry_points(group=GROUP) if declared is None else declared:
        for rule in _rules(entry):
            problem = _problem(rule, found, families)
            if problem:
                raise ConfigurationError(f"{_origin(entry)}: {rule.__name__} {problem}")
            found[rule.code] = rule
    return tuple(rule for rule in found.values() if rule not in own)


def _rules(entry: EntryPoint) -> Iterator[type[Rule]]:
    try:
        loaded = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"{_origin(entry)} cannot be loaded ({type(error).__name__}: {error}): mend it or uninstall its package"
        ) from error
    if isinstance(loaded, ModuleType):
        yield from (
            value
            for value in vars(loaded).values()
            if inspect.isclass(value) and issubclass(value, Rule) and value.__module__ == loaded.__name__
            if "code" in vars(value)
        )
    elif inspect.isclass(loaded) and issubclass(loaded, Rule):
        yield loaded
    else:
        raise ConfigurationError(f"{_origin(entry)} is no rule: it has to be a subclass of Rule, or a module of them")


def _problem(rule: type[Rule], known: dict[str, type[Rule]], families: set[str]) -> str | None:
    code = getattr(rule, "code", "")
    if not _CODE.fullmatch(code):
        return f"has the code {code!r}: 2 to 8 capital letters and three digits are needed, such as ACME001"
    if code.rstrip("0123456789") in families:
        return f"has the code {code}, whose letters belong to backlint's own rules; choose letters of your own"
    if code in known:
        return f"has the code {code}, and so has {known[code].__module__}.{known[code].__name__}"
    missing = [name for name in _NEEDED if not hasattr(rule, name)]
    if missing or not (rule.__doc__ or "").strip():
        return f"lacks {', '.join(missing) or 'a docstring, which is its page'}"
    return None


def _origin(entry: EntryPoint) -> str:
    package = f" of the package {entry.dist.name}" if entry.dist else ""
    return f"the rule {entry.value}{package}"
