"""Atlassian's document format: a walker of our own, because what it does not know it must still read.

Node types: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ . Offsets refer to the plain
rendering that the walk makes, since nobody sees the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from backlint.text.blocks import Block, BlockKind, Link, Parsed
from backlint.text.html import row
from backlint.text.markdown import without_surrogates
from backlint.text.plain import parse_plain
from backlint.text.tree import Line, Tree

# Nodes nested deeper than this contribute their text and no structure.
_MAX_DEPTH = 60
_COLLAPSED_LEVEL = 7
_INLINE = frozenset(
    {
        "text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline", "inlineExtension",
        "placeholder",
    }
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_adf(text: str) -> Parsed:
    """The document; text that is not a document of this format is read as plain text."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return parse_plain(text)
    if not isinstance(document, dict) or not ("content" in document or "type" in document):
        return parse_plain(text)
    walker = _Walker()
    walker.children(document, 0)
    return walker.finish()


class _Walker:
    def __init__(self) -> None:
        self.tree = Tree()
        self.out: list[str] = []
        self.length = 0
        self.lists: list[bool] = []  # ordered?

    def finish(self) -> Parsed:
        return Parsed("".join(self.out), self.tree.finish())

    def write(self, text: str) -> tuple[int, int]:
        text = without_surrogates(text)
        start = self.length
        self.out.append(text)
        self.length += len(text)
        return start, self.length

    def children(self, node: dict[str, Any], depth: int) -> None:
        """The blocks in a node; inline nodes that stand there directly make paragraphs."""
        inline: list[dict[str, Any]] = []
        for child in _content(node):
            if _type(child) in _INLINE:
                inline.append(child)
                continue
            self.paragraph(inline)
            inline = []
            self.block(child, depth + 1)
        self.paragraph(inline)

    def block(self, node: dict[str, Any], depth: int) -> None:
        if depth > _MAX_DEPTH:
            self.paragraph([{"type": "text", "text": _all_text(node)}])
            return
        kind, attrs = _type(node), _attributes(node)
        match kind:
            case "paragraph" | "caption":
                self.inline_lines(node, depth)
            case "heading":
                self.heading(_content(node), _number(attrs.get("level"), 1))
            case "bulletList" | "orderedList" | "taskList" | "decisionList":
                self.lists.append(kind == "orderedList")
                self.children(node, depth)
                self.lists.pop()
            case "listItem" | "taskItem" | "blockTaskItem" | "decisionItem":
                self.item(node, kind, attrs, depth)
            case "codeBlock":
                start, end = self.write(_all_text(node))
                self.write("\n")
                self.tree.add(
                    Block(
                        kind=BlockKind.CODE,
                        text="".join(self.out[-2:-1]),
                        start=start,
                        end=end,
                        language=_string(attrs.get("language")) or None,
                    )
                )
            case "blockquote":
                self.container(BlockKind.QUOTE, node, depth)
            case "expand" | "nestedExpand":
                self.container(BlockKind.PANEL, node, depth, title=_string(attrs.get("title")))
            case "panel":
                self.container(BlockKind.PANEL, node, depth)
            case "tableRow":
                self.row(node, depth)
            case "rule":
                start, end = self.write("----\n")
                self.tree.add(Block(kind=BlockKind.RULE, text="", start=start, end=end))
            case "mediaSingle" | "mediaGroup" | "media":
                self.media(node)
            case "blockCard" | "embedCard":
                self.paragraph([node])
            case _:
                self.unknown(node, attrs, depth)

    def unknown(self, node: dict[str, Any], attrs: dict[str, Any], depth: int) -> None:
        """Tables, layouts, extensions and whatever comes next: their children, else the text they carry."""
        if _content(node):
            self.children(node, depth)
            return
        text = _string(node.get("text")) or _string(attrs.get("text"))
        if text:
            self.paragraph([{"type": "text", "text": text}])

    def inline_lines(self, node: dict[str, Any], depth: int) -> None:
        nodes = _content(node)
        if all(_type(child) in _INLINE or not child.get("content") for child in nodes):
            self.paragraph(nodes)
        else:
            self.children(node, depth)

    def paragraph(self, nodes: list[dict[str, Any]]) -> None:
        """Inline nodes, cut into lines at every break."""
        joins = False
        for line in self.lines(nodes):
            self.tree.line(line, joins=joins)
            joins = True

    def lines(self, nodes: list[dict[str, Any]]) -> Iterator[Line]:
        if not nodes:
            return
        line = Line()
        for node in nodes:
            if _type(node) == "hardBreak":
                self.write("\n")
                yield line
                line = Line()
                continue
            pieces = _inline_text(node).split("\n")
            for index, piece in enumerate(pieces):
                if index:
                    self.write("\n")
                    yield line
                    line = Line()
                self.inline(node, piece, line)
        self.write("\n")
        yield line

    def inline(self, node: dict[str, Any], text: str, line: Line) -> None:
        marks = {_type(mark): _attributes(mark) for mark in _dicts(node.get("marks"))}
        start, end = self.write(text)
        if text:
            line.add(
                "".join(self.out[-1:]),
                start,
                end,
                bold="strong" in marks,
                italic="em" in marks,
                struck="strike" in marks,
            )
        url = _string(marks.get("link", {}).get("href")) or _card_url(node)
        if url:
            line.links.append(Link(url=url, text=text))
            line.reach(start, end)
        if _type(node) in ("mediaInline", "media"):
            line.images += 1
            line.reach(start, end)

    def heading(self, nodes: list[dict[str, Any]], level: int) -> None:
        self.write("#" * level + " ")
        line = Line()
        for node in nodes:
            self.inline(node, _inline_text(node).replace("\n", " "), line)
        self.write("\n")
        self.tree.add(line.block(BlockKind.HEADING, level=level))

    def item(self, node: dict[str, Any], kind: str, attrs: dict[str, Any], depth: int) -> None:
        ticked = attrs.get("state") == "DONE" if kind in ("taskItem", "blockTaskItem") else None
        box = "" if ticked is None else "[x] " if ticked else "[ ] "
        start, end = self.write("  " * max(0, len(self.lists) - 1) + "- " + box)
        before, ordered = self.tree.depth, bool(self.lists and self.lists[-1])
        self.tree.open(BlockKind.ITEM, start, end, level=max(0, len(self.lists) - 1), ordered=ordered, ticked=ticked)
        length = self.length
        self.children(node, depth)
        if self.length == length:
            self.write("\n")
        self.tree.close_to(before)

    def container(self, kind: BlockKind, node: dict[str, Any], depth: int, *, title: str = "") -> None:
        before = self.tree.depth
        self.tree.open(kind, self.length)
        if title:
            self.heading([{"type": "text", "text": title}], _COLLAPSED_LEVEL)
        self.children(node, depth)
        self.tree.close_to(before)

    def row(self, node: dict[str, Any], depth: int) -> None:
        """A row on one line; what stands in a cell loses its structure and keeps its text."""
        cells: list[str] = []
        start, line = self.length, Line()
        struck = 0
        for index, cell in enumerate(_content(node)):
            if index:
                self.write(" | ")
            inside = Line()
            for inline in _inlines(cell):
                self.inline(inline, _inline_text(inline).replace("\n", " "), inside)
            block = inside.block(BlockKind.ROW)
            cells.append("" if block is None else block.text)
            struck += block is not None and block.is_struck
            line.links += inside.links
            line.images += inside.images
        end = self.length
        self.write("\n")
        if any(cells) or line.images:
            headers = [_type(cell) == "tableHeader" for cell in _content(node)]
            self.tree.add(
                row(
                    tuple(cells),
                    start,
                    end,
                    is_header=all(headers),
                    is_struck=struck > 0 and struck == sum(map(bool, cells)),
                    links=tuple(line.links),
                    images=line.images,
                )
            )

    def media(self, node: dict[str, Any]) -> None:
        """Pictures by number, with their alternative texts."""
        line = Line()
        for each in [node, *_descendants(node)]:
            if _type(each) in ("media", "mediaInline"):
                self.inline({"type": "media"}, _string(_attributes(each).get("alt")), line)
        self.write("\n")
        self.tree.line(line)
        for child in _content(node):
            if _type(child) == "caption":
                self.paragraph(_content(child))


def _content(node: dict[str, Any]) -> list[dict[str, Any]]:
    return _dicts(node.get("content"))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _type(node: dict[str, Any]) -> str:
    """The node's type; nothing for what is no text, since anything may stand there in a broken document."""
    return _string(node.get("type"))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, default: int) -> int:
    return min(max(value, 1), 6) if isinstance(value, int) else default


def _inline_text(node: dict[str, Any]) -> str:
    attrs = _attributes(node)
    match _type(node):
        case "text":
            return _string(node.get("text"))
        case "hardBreak":
            return "\n"
        case "emoji":
            return _string(attrs.get("text")) or _string(attrs.get("shortName"))
        case "date":
            return _date(attrs.get("timestamp"))
        case "inlineCard" | "blockCard" | "embedCard":
            return _card_url(node)
        case "media" | "mediaInline":
            return _string(attrs.get("alt"))
        case "placeholder":
            return ""  # the editor's own prompt, shown until somebody types
        case _:
            return _string(attrs.get("text")) or _string(node.get("text")) or _all_text(node)


def _date(timestamp: object) -> str:
    """Milliseconds since 1970, as text, to an ISO date."""
    try:
        return (_EPOCH + timedelta(milliseconds=int(str(timestamp)))).date().isoformat()
    except (ValueError, OverflowError):
        return ""


def _card_url(node: dict[str, Any]) -> str:
    attrs = _attributes(node)
    if _type(node) not in ("inlineCard", "blockCard", "embedCard"):
        return ""
    data = attrs.get("data")
    return _string(attrs.get("url")) or (_string(data.get("url")) if isinstance(data, dict) else "")


def _descendants(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes below, in order, without recursion."""
    waiting = list(reversed(_content(node)))
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(_content(each)))


def _all_text(node: dict[str, Any]) -> str:
    return "".join(
        "\n" if _type(each) == "hardBreak" else _string(each.get("text")) or _string(_attributes(each).get("text"))
        for each in _descendants(node)
    )


def _inlines(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The inline nodes of a cell, its blocks parted by spaces."""
    is_first = True
    for block in [cell, *_descendants(cell)]:
        inlines = [child for child in _content(block) if _type(child) in _INLINE or _type(child) == "media"]
        if inlines and not is_first:
            yield {"type": "text", "text": " "}
        is_first &= not inlines
        yield from inlines
