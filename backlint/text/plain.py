"""Plain text: lines, with the bullets, numbers, tick boxes and headings that people type anyway."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.text.blocks import Block, BlockKind, Parsed
from backlint.text.markdown import without_surrogates
from backlint.text.tree import Line, Tree

BULLET = re.compile(r"[ \t]*(?:[-*+•·▪◦●‣–—](?:[ \t]+|$)|(?P<number>\d{1,3}[.)]|[a-zA-Z]\))(?:[ \t]+|$))")
_HEADING = re.compile(r"[ \t]*(?:(?P<hashes>#{1,6})|[hH](?P<level>[1-6])\.)[ \t]+(?=\S)")
_RULE = re.compile(r"[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,})[ \t]*$")


def parse_plain(text: str) -> Parsed:
    text = without_surrogates(text)
    tree = Tree()
    items = Items(tree)
    joins = False
    for start, line in each_line(text):
        end = start + len(line)
        heading = _HEADING.match(line)
        bullet = BULLET.match(line)
        if not line.strip():
            joins = False
        elif heading is not None:
            items.end()
            level = len(heading["hashes"]) if heading["hashes"] else int(heading["level"])
            tree.add(_written(line[heading.end() :], start + heading.end()).block(BlockKind.HEADING, level=level))
            joins = False
        elif _RULE.match(line):
            items.end()
            tree.add(Block(kind=BlockKind.RULE, text="", start=start, end=end))
            joins = False
        elif bullet is not None:
            indent = len(line) - len(line.lstrip())
            items.start(indent, start + indent, ordered=bullet["number"] is not None)
            tree.line(_written(line[bullet.end() :], start + bullet.end()))
            joins = True
        else:
            if not joins and not line[0].isspace():
                items.end()
            tree.line(_written(line, start), joins=joins)
            joins = True
    return Parsed(text, tree.finish())


def _written(text: str, start: int) -> Line:
    line = Line()
    inner = text.strip()
    if inner:
        start += len(text) - len(text.lstrip())
        line.add(inner, start, start + len(inner))
    return line


def each_line(text: str) -> Iterator[tuple[int, str]]:
    """(where it starts, the line without its end)."""
    start = 0
    for line in text.split("\n"):
        yield start, line.removesuffix("\r")
        start += len(line) + 1


class Items:
    """The list items that are open, by their depth in the source."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._open: list[tuple[int, int]] = []  # depth in the source, depth of the tree before

    def __bool__(self) -> bool:
        return bool(self._open)

    def start(self, depth: int, start: int, *, ordered: bool) -> None:
        while self._open and self._open[-1][0] >= depth:
            self._tree.close_to(self._open.pop()[1])
        self._open.append((depth, self._tree.depth))
        self._tree.open(BlockKind.ITEM, start, level=len(self._open) - 1, ordered=ordered)

    def end(self) -> None:
        if self._open:
            self._tree.close_to(self._open[0][1])
            self._open.clear()
