"""The page of the settings, out of their models; `python -m backlint.api.settings_page` prints it."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from backlint.model import IssueType, StatusCategory, Tracker
from backlint.settings import ENVIRONMENT_PREFIX, MAPPED_FIELDS, Settings

INTRODUCTION = f"""\
# Settings

Every key of `backlint.toml`. This page is generated from the program (`python -m backlint.api.settings_page`).
`backlint init` writes the file; `backlint doctor` looks whether it fits the trackers.

- The file is `backlint.toml` in the working directory, or what `--config FILE` names. Without a file the defaults hold.
- The environment wins over the file. The variable of a key is `{ENVIRONMENT_PREFIX}` and its name in capitals, with two
  underscores between table and key: `{ENVIRONMENT_PREFIX}WRITE_BACK__MODE=labels`. Lists and tables are written as
  JSON: `{ENVIRONMENT_PREFIX}CHECK__DISABLE='["OWN001"]'`.
- Unknown keys and variables are refused, with the nearest right one.
- Secrets never stand in the file: it names the variables, or the files, that hold them.

"""
PLAIN_TYPES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "any",
    date: "day",
    StatusCategory: "category",
    IssueType: "type",
}
BOUNDS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
RULES = """\
## `[rules.CODE]`

A table for each rule that shall judge otherwise than by default. The options of a rule, with their defaults, are on its
page: `backlint rule AC001`, or [rules.md](rules.md).

```toml
[rules.AC001]
types = ["story", "bug"]
```
"""


def page() -> str:
    """The whole page: the keys outside all tables first, then each table."""
    parts = [INTRODUCTION + _section("Outside all tables", Settings)]
    for name, field in Settings.model_fields.items():
        model = _table_of(field)
        if model is not None:
            heading = f"`[[{name}]]`" if _is_list(field.annotation) else f"`[{name}]`"
            variable = None if _is_list(field.annotation) else f"{ENVIRONMENT_PREFIX}{name.upper()}__"
            parts.append(_section(heading, model, about=field.description or "", variable=variable))
            parts += _notes(name)
            for inner, within in model.model_fields.items():
                if (table := _table_of(within)) is not None:
                    parts.append(_section(f"`[{name}.{inner}]`", table, about=table.__doc__ or "", variable=None))
    parts.append(RULES)
    return "\n".join(parts)


def _section(
    heading: str, model: type[BaseModel], *, about: str = "", variable: str | None = ENVIRONMENT_PREFIX
) -> str:
    about = about.rstrip(".")
    opening = f"{about[:1].upper()}{about[1:]}.\n\n" if about else ""
    rows = "\n".join(_rows(model, variable))
    columns = ("Key", "Value", "Default", "Meaning", *(("Variable",) if variable else ()))
    head = f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"
    return f"## {heading}\n\n{opening}{head}\n{rows}\n"


def _rows(model: type[BaseModel], variable: str | None) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name == "rules" or (_table_of(field) is not None and model is Settings):
            continue
        is_table = _table_of(field) is not None
        cells = [
            f"`{name}`",
            "table, see below" if is_table else _value(field),
            _default(field),
            (field.description or "").replace("|", "\\|"),
        ]
        if variable:
            cells.append(f"`{variable}{name.upper()}`")
        yield f"| {' | '.join(cells)} |"


def _notes(name: str) -> Iterator[str]:
    if name == "custom_rules":
        yield (
            "`flagged` and `passed` are lists of tables, `[[custom_rules.flagged]]`, with a `name` and an `issue`. "
            "[custom-rules.md](custom-rules.md) shows them at work.\n"
        )
    if name == "sources":
        yield (
            f"All of them together can stand in one variable, `{ENVIRONMENT_PREFIX}SOURCES`, as a JSON list of objects "
            "with these keys.\n\n"
            f"- Categories for `statuses`: {_named(category.value for category in StatusCategory)}.\n"
            f"- Types for `types`: {_named(kind.value for kind in IssueType)}.\n"
            f"- Fields for `fields`: {_named(MAPPED_FIELDS)}.\n"
        )


def _named(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a key that is a table of its own, or a list of tables."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (tuple, list)


def _value(field: FieldInfo) -> str:
    if field.annotation is Tracker:
        return _kind(Literal["jira", "linear", "github"])  # files are input, never a source
    bounds = [
        f"{word} {bound:g}"
        for name, word in BOUNDS
        for rule in field.metadata
        if (bound := getattr(rule, name, None)) is not None
    ]
    return ", ".join((_kind(field.annotation), *bounds))


def _kind(kind: Any) -> str:
    if kind in PLAIN_TYPES:
        return PLAIN_TYPES[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " \\| ".join(f"`{each.value}`" for each in kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " \\| ".join(f"`{each}`" for each in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(each) for each in inner if each is not type(None))
    if origin is dict:
        return f"table: {_kind(inner[0])} = {_kind(inner[1])}"
    if origin in (tuple, list):
        return f"list of {_kind(inner[0])}"
    raise TypeError(f"no words for {kind!r}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in ("", (), {}, None):
        return "none"
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
