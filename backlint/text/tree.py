"""What the parsers of all notations share: collecting a line's inline parts, and building the block tree."""

from __future__ import annotations

import re
from typing import Any

from backlint.text.blocks import Block, BlockKind, Link

# Deeper nesting carries no meaning and would make every walk of the tree a danger to the stack.
MAX_DEPTH = 60

_WORD = re.compile(r"\w")
# "[ ]", "[x]", "[]" and GitLab's "[~]" (does not apply) at the start of a line; Jira's (/) and (x); ballot boxes.
_BOX = re.compile(r"\s*(?:\[(?P<mark>[ xX*~]?)\](?=\s|$)|(?P<sign>\(/\)|\(x\)|[☐☑☒]))\s*")
_TICKED_SIGNS = frozenset({"(/)", "☑"})


class Line:
    """One line while its inline parts arrive, each with its place and the marks that are open."""

    __slots__ = ("end", "has_unbold", "has_upright", "images", "links", "parts", "start", "struck", "ticked")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.struck: list[str] = []
        self.links: list[Link] = []
        self.images = 0
        self.start = -1
        self.end = -1
        self.ticked: bool | None = None
        self.has_unbold = False  # words outside bold
        self.has_upright = False  # words outside italics

    def reach(self, start: int, end: int) -> None:
        """Widen the line's place."""
        if self.start < 0:
            self.start = start
        if end > self.end:
            self.end = end

    def add(self, text: str, start: int, end: int, *, bold: int = 0, italic: int = 0, struck: int = 0) -> None:
        self.reach(start, end)
        if struck:
            self.struck.append(text)
            return
        self.parts.append(text)
        if not ((bold or self.has_unbold) and (italic or self.has_upright)) and _WORD.search(text):
            self.has_unbold |= not bold
            self.has_upright |= not italic

    def block(self, kind: BlockKind, **more: Any) -> Block | None:
        """The finished line; None when there is nothing in it at all."""
        text = "".join(self.parts).strip()
        is_struck = False
        if self.struck and not _WORD.search(text):
            text, is_struck = "".join(self.struck).strip(), True
        ticked = self.ticked
        if text and text[0] in "[(☐☑☒":
            text, ticked, crossed = without_box(text, ticked)
            is_struck |= crossed
        if not text and ticked is None and not self.images and not self.links and not more.get("cells"):
            return None
        is_marked = not (self.has_unbold and self.has_upright) and not is_struck and _WORD.search(text) is not None
        return Block(
            kind=kind,
            text=text,
            start=max(self.start, 0),
            end=max(self.end, 0),
            ticked=ticked,
            is_struck=is_struck,
            is_bold=is_marked and not self.has_unbold,
            is_italic=is_marked and not self.has_upright,
            links=tuple(self.links),
            images=self.images,
            **more,
        )


def without_box(text: str, ticked: bool | None) -> tuple[str, bool | None, bool]:
    """The text after a tick box, the box's state, and whether the box says that the line does not apply."""
    box = _BOX.match(text)
    if box is None:
        return text, ticked, False
    sign = box["sign"]
    if sign is not None:
        return text[box.end() :], sign in _TICKED_SIGNS, False
    mark = box["mark"]
    return text[box.end() :], mark in "xX*" if mark else False, mark == "~"


class _Frame:
    """A container that is still open; `attributes` is None for one too deep to count."""

    __slots__ = ("attributes", "children", "end", "kind", "own", "start")

    def __init__(self, kind: BlockKind | None, start: int, end: int, attributes: dict[str, Any]) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.attributes = attributes
        self.own: Block | None = None  # an item's own first line
        self.children: list[Block] = []


class Tree:
    """Builds the blocks in the order in which a parser meets them."""

    def __init__(self) -> None:
        self._frames = [_Frame(None, 0, 0, {})]
        self._too_deep = 0

    @property
    def depth(self) -> int:
        return len(self._frames) - 1 + self._too_deep

    def add(self, block: Block | None) -> None:
        if block is not None:
            frame = self._frames[-1]
            frame.children.append(block)
            if block.end > frame.end:
                frame.end = block.end

    def line(self, line: Line, *, joins: bool = False) -> None:
        """A line of text: an item's own first line, else a paragraph."""
        frame = self._frames[-1]
        if frame.kind is BlockKind.ITEM and frame.own is None and not frame.children:
            frame.own = line.block(BlockKind.ITEM)
            if frame.own is not None:
                frame.end = max(frame.end, frame.own.end)
            return
        self.add(line.block(BlockKind.PARAGRAPH, joins=joins))

    def open(self, kind: BlockKind, start: int, end: int = 0, **attributes: Any) -> None:
        if len(self._frames) > MAX_DEPTH:
            self._too_deep += 1
        else:
            self._frames.append(_Frame(kind, start, end, attributes))

    def close(self) -> None:
        """Close the innermost container."""
        if self._too_deep:
            self._too_deep -= 1
        elif len(self._frames) > 1:
            self.add(_closed(self._frames.pop()))

    def close_to(self, depth: int) -> None:
        while self.depth > depth:
            self.close()

    def close_through(self, kind: BlockKind) -> None:
        """Close the innermost container of this kind and all inside it, if there is one."""
        for index in range(len(self._frames) - 1, 0, -1):
            if self._frames[index].kind is kind:
                self.close_to(index - 1)
                return

    def finish(self) -> tuple[Block, ...]:
        self.close_to(0)
        return tuple(self._frames[0].children)


def _closed(frame: _Frame) -> Block | None:
    assert frame.kind is not None
    own, children = frame.own, tuple(frame.children)
    if own is None:
        end = max(frame.end, frame.start)
        return Block(kind=frame.kind, text="", start=frame.start, end=end, children=children, **frame.attributes)
    attributes = frame.attributes
    return Block(
        kind=frame.kind,
        text=own.text,
        start=own.start,
        end=own.end,
        level=attributes.get("level", 0),
        ticked=own.ticked if own.ticked is not None else attributes.get("ticked"),
        ordered=attributes.get("ordered", False),
        is_struck=own.is_struck,
        is_bold=own.is_bold,
        is_italic=own.is_italic,
        links=own.links,
        images=own.images,
        children=children,
    )
