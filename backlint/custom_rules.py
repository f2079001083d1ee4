"""The `[[custom_rules]]` tables of the configuration: rules without code, as a person writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from backlint.model import IssueType

_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TABLE = re.compile(r"^\s*\[\[\s*custom_rules\s*\]\]")
_FIELD = re.compile(r"^(?P<before>\s*fails_when\s*=\s*)(?P<quotes>'''|\"\"\"|'|\")(?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text begins in a file: line and column count from 1."""

    file: str
    line: int = 0
    column: int = 0

    def at(self, line: int, column: int) -> str:
        """The place of a line and a column of the text, both from 1, as `file:line:column`."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line + line - 1}:{column + (self.column - 1 if line == 1 else 0)}"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CustomExample(_Table):
    """An issue that a custom rule must flag or pass."""

    name: str = Field(min_length=1, description="what the example shows")
    issue: dict[str, Any] = Field(description="its fields, as `check --input` reads them; the rest is filled in")


class CustomRuleSettings(_Table):
    """A rule written as an expression."""

    code: str = Field(description="capital letters and three digits, such as ACME001, with letters of your own")
    name: str = Field(description="what it finds, in small letters with hyphens: missing-design-link")
    summary: str = Field(min_length=1, description="one sentence: what is wrong; it is the message as well")
    fails_when: str = Field(min_length=1, description="a CEL expression that is true of issues with the smell")
    why: str = Field("", description="why it matters, for the rule's page")
    fix: str = Field("", description="how to fix it, for the rule's page")
    question: str = Field("", description="what the comment asks; without one the comment does not speak of it")
    label: str = Field("", description="the label it sets, after label_prefix; without one it sets none")
    severity: Literal["info", "warning", "error"] = Field("warning", description="of near issues")
    severity_far: Literal["info", "warning", "error"] = Field("info", description="of far issues")
    types: tuple[IssueType, ...] = Field((), description="types of issues that are asked; none: all")
    judges_closed: bool = Field(False, description="true: issues that are done are asked as well")
    on_create: bool = Field(False, description="true: asked of new tickets, too")
    flagged: tuple[CustomExample, ...] = Field((), description="examples that it must flag")
    passed: tuple[CustomExample, ...] = Field((), description="examples that it must pass")

    _place: Place = PrivateAttr(default=Place(""))

    @property
    def place(self) -> Place:
        """Where its expression stands."""
        return self._place if self._place.line else Place(f"custom rule {self.code}")

    def stand_at(self, place: Place) -> None:
        """Say where the expression was read from, so that errors can point at it."""
        self._place = place

    @field_validator("code")
    @classmethod
    def _is_code(cls, code: str) -> str:
        if not _CODE.fullmatch(code):
            raise ValueError(f"{code!r} is no code: write 2 to 8 capital letters and three digits, such as ACME001")
        return code

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name: write small letters with hyphens, such as missing-design-link")
        return name

    @field_validator("summary", "question")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if "\n" in text or len(text) > 200:
            raise ValueError("write one line of at most 200 characters")
        return text

    @field_validator("label")
    @classmethod
    def _no_spaces(cls, label: str) -> str:
        if re.search(r"\s|,", label) or len(label) > 40:
            raise ValueError("a label has at most 40 characters and no spaces or commas: Jira labels cannot hold them")
        return label


def places(toml: str, file: str) -> Iterator[Place]:
    """Where the expression of each `[[custom_rules]]` table begins in the file; line 0 where that cannot be told."""
    lines = toml.splitlines()
    starts = [number for number, line in enumerate(lines) if _TABLE.match(line)]
    for start, stop in pairwise((*starts, len(lines))):
        yield next(_found(lines, start, stop, file), Place(file))


def _found(lines: list[str], start: int, stop: int, file: str) -> Iterator[Place]:
    for number in range(start, stop):
        field = _FIELD.match(lines[number])
        if field is None:
            continue
        if len(field["quotes"]) == 3 and not field["rest"]:  # TOML drops a line break right behind the quotes
            yield Place(file, number + 2, 1)
        else:
            yield Place(file, number + 1, field.start("rest") + 1)
