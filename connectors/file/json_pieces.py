"""The values of a JSON file one by one, each with its line, so that a broken one does not take the others along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_STRING_REST = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SEPARATORS = " \t\r\n,"
_STRUCTURE = re.compile(r'["{}\[\]]')


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one value. `index` counts the elements of a list from 1; `is_cut`: the file may end inside it."""

    text: str
    line: int
    index: int | None = None
    is_cut: bool = False


def json_lines(lines: Iterable[str]) -> Iterator[Piece]:
    """One value a line. Only the last line can be without an end, and only that one can be cut."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text:
            yield Piece(text, number, is_cut=not line.endswith(("\n", "\r")))


def json_elements(pieces: Iterable[str]) -> Iterator[Piece]:
    """The elements of a list, or objects that follow one another; what stands loose between them is a piece as well.

    Brackets are matched without decoding anything, so memory holds one element, and a malformed one ends where its
    brackets close.
    """
    return _Elements().split(pieces)


class _Elements:
    def __init__(self) -> None:
        self.is_list = False
        self.depth = 0
        self.in_string = False
        self.line = 1
        self.start_line = 1
        self.index = 0
        self.held: list[str] = []  # the text of the present element, or between two elements

    def split(self, pieces: Iterable[str]) -> Iterator[Piece]:
        carried = ""
        for piece in pieces:
            text = carried + piece
            # A backslash at the very end belongs to a character that comes with the next piece.
            carried = text[len(text.rstrip("\\")) :]
            yield from self._scan(text[: len(text) - len(carried)])
        self.held.append(carried)
        yield from self._end()

    @property
    def base(self) -> int:
        """The depth at which elements stand."""
        return 1 if self.is_list else 0

    def _scan(self, text: str) -> Iterator[Piece]:
        at = begin = 0
        while True:
            if self.in_string:
                rest = _STRING_REST.match(text, at)
                at = rest.end() if rest else at
                if at >= len(text):
                    break
                self.in_string = False
                at += 1
            found = _STRUCTURE.search(text, at)
            if found is None:
                break
            at = found.end()
            mark = found.group()
            if mark == '"':
                self.in_string = True
            elif mark in "{[":
                if self.depth == 0 and mark == "[":
                    self._hold(text[begin : found.start()])
                    begin, self.is_list, self.depth = at, True, 1
                    continue
                if self.depth == self.base:
                    self._hold(text[begin : found.start()])
                    yield from self._loose()
                    begin, self.start_line = found.start(), self.line
                self.depth += 1
            else:
                self.depth -= 1
                if self.depth == self.base:
                    self._hold(text[begin:at])
                    begin = at
                    yield self._element(is_cut=False)
                elif self.depth < self.base:
                    self._hold(text[begin : found.start()])
                    yield from self._loose()
                    begin, self.depth = at, 0
        self._hold(text[begin:])

    def _hold(self, text: str) -> None:
        self.held.append(text)
        self.line += text.count("\n")

    def _element(self, *, is_cut: bool) -> Piece:
        self.index += 1
        text = "".join(self.held)
        self.held = []
        return Piece(text, self.start_line, self.index if self.is_list else None, is_cut)

    def _loose(self) -> Iterator[Piece]:
        """What is neither an element nor a separator: a number, a word, a forgotten bracket."""
        text = "".join(self.held).lstrip(_SEPARATORS)
        line = self.line - text.count("\n")
        self.held = []
        if text:
            self.index += 1
            yield Piece(text.rstrip(_SEPARATORS), line, self.index if self.is_list else None)

    def _end(self) -> Iterator[Piece]:
        if self.depth > self.base:
            yield self._element(is_cut=True)
        elif self.depth == 1:
            yield from self._loose()
            yield Piece("", self.line, is_cut=True)
        else:
            yield from self._loose()
