"""What people tell backlint in a comment: `/hygiene waive AC001 until 2026-06-30: reason`. Pure.

A command stands at the beginning of a line. In a code block, in a quote or inside a sentence it is only mentioned.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from backlint.model import Markup
from backlint.text.blocks import Block, BlockKind
from backlint.text.parse import parse

WORD = "/hygiene"

_COMMAND = re.compile(r"/hygiene\b[ \t]*(?P<verb>[^\W\d_]*)[ \t]*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"[A-Za-z]{2,4}\d{3}[a-z]?(?!\w)|[A-Za-z]{2,4}(?!\w)")
_AND = re.compile(r"\s*(?:,|&|\+|\band\b)\s*|\s+(?=[A-Za-z]{2,4}\d{3}(?!\w))")
_UNTIL = re.compile(r"\s*(?:until|till|through|by)\s+(?P<day>[^\s:;,]+)", re.IGNORECASE)
_FOR = re.compile(r"\s*for\s+(?P<count>\d{1,4})\s+(?P<unit>day|week|month)s?\b", re.IGNORECASE)
_DAYS = {"day": 1, "week": 7, "month": 30}
_SKIPPED = (BlockKind.CODE, BlockKind.QUOTE, BlockKind.HTML_COMMENT)


class Verb(StrEnum):
    WAIVE = "waive"
    UNWAIVE = "unwaive"
    WRONG = "wrong"
    USEFUL = "useful"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. `rules` are codes or families in capitals; `until` or `days` as given; `problem` makes it void."""

    verb: Verb
    rules: tuple[str, ...] = ()
    until: date | None = None
    days: int | None = None
    reason: str = ""
    problem: str = ""

    def last_day(self, today: date) -> date | None:
        """The last day that was asked for."""
        return today + timedelta(days=self.days) if self.days is not None else self.until


def may_hold_commands(text: str) -> bool:
    """Whether the text is worth parsing."""
    return WORD in text or WORD in text.casefold()


def commands(text: str, markup: Markup) -> tuple[Command, ...]:
    """The commands of a comment, in their order."""
    if not may_hold_commands(text):
        return ()
    lines = [line for line in _lines(parse(text, markup).blocks) if line]
    found: list[Command] = []
    for line, below in pairwise([*lines, ""]):
        if _begins(line):
            command = read(line)
            is_open = command.rules and not command.reason and not _begins(below)
            found.append(replace(command, reason=_reason(below)) if is_open else command)
    return tuple(found)


def _begins(line: str) -> bool:
    return line.casefold().startswith(WORD) and not line[len(WORD) : len(WORD) + 1].isalnum()


def _lines(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        if block.kind in _SKIPPED or block.is_struck:
            continue
        yield from (line.strip() for line in block.text.splitlines())
        yield from _lines(block.children)


def read(line: str) -> Command:
    """The command of a line that begins with `/hygiene`."""
    found = _COMMAND.match(line)
    said = found["verb"].casefold() if found else ""
    if found is None or said in ("", "help"):
        return Command(verb=Verb.HELP)
    if said not in list(Verb):
        near = difflib.get_close_matches(said, list(Verb), n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{verb}`' for verb in Verb)}"
        return Command(verb=Verb.HELP, problem=f"`{said}` is no command; {hint}")
    return _with_rules(Verb(said), found["rest"])


def _with_rules(verb: Verb, rest: str) -> Command:
    rules, rest = _rules(rest)
    if not rules:
        return Command(verb=verb, problem=f"name the rule, as in `/hygiene {verb} AC001`")
    if verb is not Verb.WAIVE:
        return Command(verb=verb, rules=rules, reason=_reason(rest))
    until, days, rest, problem = _end(rest)
    return Command(verb=verb, rules=rules, until=until, days=days, reason=_reason(rest), problem=problem)


def _rules(text: str) -> tuple[tuple[str, ...], str]:
    """The rules at the beginning and what follows them: `AC001, OUT: why` gives AC001 and OUT."""
    rules: list[str] = []
    rest = text.lstrip()
    while found := _RULE.match(rest):
        word = found.group()
        is_code = any(sign.isdigit() for sign in word)
        if not is_code and (word != word.upper() or word.casefold() in ("for", "by", "till", "until")):
            break  # the reason begins
        rules.append(word.upper())
        rest = rest[found.end() :]
        joint = _AND.match(rest)
        if joint is None:
            break
        if not _RULE.match(rest[joint.end() :]):
            break
        rest = rest[joint.end() :]
    return tuple(dict.fromkeys(rules)), rest


def _end(text: str) -> tuple[date | None, int | None, str, str]:
    """`until 2026-06-30` or `for 4 weeks`, the rest, and what is wrong with it."""
    if found := _FOR.match(text):
        return None, int(found["count"]) * _DAYS[found["unit"].casefold()], text[found.end() :], ""
    found = _UNTIL.match(text)
    if found is None:
        return None, None, text, ""
    try:
        return date.fromisoformat(found["day"]), None, text[found.end() :], ""
    except ValueError:
        problem = f"`{found['day']}` is no day: write it as 2026-06-30, or `for 30 days`"
        return None, None, text[found.end() :], problem


def _reason(text: str) -> str:
    return " ".join(text.split()).lstrip(":;,.–—- ").strip()
