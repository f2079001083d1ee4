"""Which of many patterns can match a text at all, told in one pass over it; the pass takes a microsecond for a thousand
characters, whatever the number of patterns.

RE2 matches a set of patterns at once, but knows no look-around, and differs beyond ASCII. So each pattern is given to
it in a wider form, which matches wherever the pattern does. A "no" is certain; a "yes" says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from functools import cached_property
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Generic, TypeVar

import re2

Name = TypeVar("Name", bound=Hashable)
Node = tuple[Any, Any]

# Two letters that Python takes for an "i" in any case and RE2 does not.
_TURKISH = re.compile("[\u0130\u0131]")
# The categories within ASCII. Beyond it the two differ by their Unicode tables, so there every character is in.
_SPACES = r"\x{9}-\x{d}\x{1c}-\x{20}"
_IN_ASCII = {
    _constants.CATEGORY_DIGIT: "0-9",
    _constants.CATEGORY_SPACE: _SPACES,
    _constants.CATEGORY_WORD: "0-9A-Za-z_",
    _constants.CATEGORY_NOT_DIGIT: r"\x{0}-\x{2f}\x{3a}-\x{7f}",
    _constants.CATEGORY_NOT_SPACE: r"\x{0}-\x{8}\x{e}-\x{1b}\x{21}-\x{7f}",
    _constants.CATEGORY_NOT_WORD: r"\x{0}-\x{2f}\x{3a}-\x{40}\x{5b}-\x{5e}\x{60}\x{7b}-\x{7f}",
}
_LAST_ASCII = 0x7F
_BEYOND = r"\x{80}-\x{10ffff}"
_BEYOND_IN_ANY_CASE = _BEYOND + "iIkKsS"  # some letters beyond ASCII are these in another case
# RE2 copies what is repeated, and an automaton that counts is a large one: more than this is taken for any number.
_MOST_COPIES = 20
_BUDGET = 64 << 20  # bytes for the automaton of one set; it grows as far as texts need it


class Gates(Generic[Name]):
    """Patterns with their names, several of which may be the same. Compiled at the first text.

    Few patterns that go on behind a part of any length fit one set: each doubles what the automaton has to keep apart.
    """

    def __init__(self, patterns: Iterable[tuple[Name, re.Pattern[str]]]) -> None:
        self._patterns = tuple(patterns)
        self._names = tuple(name for name, _ in self._patterns)
        self._all = frozenset(self._names)

    @cached_property
    def _match(self) -> Any:
        options = re2.Options()
        options.max_mem = _BUDGET
        options.dot_nl = True
        gates = re2.Set.SearchSet(options)
        for _, pattern in self._patterns:
            gates.Add(widened(pattern))
        gates.Compile()
        return gates.Match

    def open(self, text: str) -> frozenset[Name]:
        """The names of all patterns that may match somewhere in the text."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
            return self._all
        if not text.isascii() and _TURKISH.search(text):
            return self._all
        matches = self._match(encoded)
        return frozenset([self._names[index] for index in matches]) if matches else frozenset()


def widened(pattern: re.Pattern[str]) -> str:
    """RE2's notation of a pattern that matches wherever this one does."""
    body = _sequence(_parser.parse(pattern.pattern, pattern.flags))
    return f"(?i:{body})" if pattern.flags & re.IGNORECASE else body


def _sequence(nodes: Iterable[Node]) -> str:
    return f"(?:{''.join(map(_node, nodes))})"


def _node(node: Node) -> str:
    kind, value = node
    match str(kind):
        case "LITERAL":
            return _class([node])
        case "NOT_LITERAL":
            return _class([(_constants.NEGATE, None), (_constants.LITERAL, value)])
        case "ANY":
            return "."
        case "IN":
            return _class(value)
        case "BRANCH":
            return f"(?:{'|'.join(map(_sequence, value[1]))})"
        case "SUBPATTERN":
            return _group(value)
        case "ATOMIC_GROUP":
            return _sequence(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _repeat(*value)
        case "GROUPREF" | "GROUPREF_EXISTS":
            return ".*"
        case _:  # places and look-around: what they forbid is allowed here
            return ""


def _group(value: tuple[Any, int, int, Iterable[Node]]) -> str:
    _, added, removed, nodes = value
    inner = _sequence(nodes)
    if added & re.IGNORECASE:
        return f"(?i:{inner})"
    return f"(?-i:{inner})" if removed & re.IGNORECASE else inner


def _repeat(least: int, most: Any, nodes: Iterable[Node]) -> str:
    inner = _sequence(nodes)
    if most is _constants.MAXREPEAT or int(most) > _MOST_COPIES:
        least = min(least, _MOST_COPIES)
        return f"{inner}{{{least},}}" if least > 1 else f"{inner}{'+' if least else '*'}"
    return f"{inner}{{{least},{int(most)}}}"


def _class(items: list[Node]) -> str:
    if items[0][0] is not _constants.NEGATE:
        return f"[{''.join(_allowed(*item) for item in items)}]"
    # What a class forbids must be forbidden for certain, so only within ASCII.
    forbidden = "".join(_forbidden(*item) for item in items[1:])
    return f"[^{forbidden}]" if forbidden else "."


def _allowed(kind: Any, value: Any) -> str:
    if kind is _constants.CATEGORY:
        return _IN_ASCII[value] + _BEYOND
    first, last = (value, value) if kind is _constants.LITERAL else value
    return _span(first, last) if last <= _LAST_ASCII else _span(first, last) + _BEYOND_IN_ANY_CASE


def _forbidden(kind: Any, value: Any) -> str:
    if kind is _constants.CATEGORY:
        return _IN_ASCII[value]
    first, last = (value, value) if kind is _constants.LITERAL else value
    return _span(first, min(last, _LAST_ASCII)) if first <= _LAST_ASCII else ""


def _span(first: int, last: int) -> str:
    return f"\\x{{{first:x}}}-\\x{{{last:x}}}"
