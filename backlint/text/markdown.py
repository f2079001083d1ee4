"""Markdown as GitHub, GitLab and Linear write it, to blocks; the grammar is pulldown-cmark's."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from pyromark import Markdown, Options

from backlint.text.blocks import Block, BlockKind, Link, Parsed
from backlint.text.html import KNOWN_TAGS, comment, read_html, row
from backlint.text.tree import Line, Tree

_PARSER = Markdown(
    options=Options.ENABLE_TABLES | Options.ENABLE_TASKLISTS | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_GFM
)
_CONTINUATION = re.compile(rb"[\x80-\xbf]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
# "+++ Title" opens a collapsed part in Linear, "+++" alone closes it.
_COLLAPSED = re.compile(r"\+\+\+(?:[ \t]+(\S.*))?$")
_LEVELS = {f"H{level}": level for level in range(1, 7)}
_COLLAPSED_LEVEL = 7


def parse_markdown(text: str) -> Parsed:
    text = without_surrogates(text)
    walker = _Walker(text)
    for event, place in _PARSER.events_with_range(text, merge_text=True):
        walker.on(event, place["start"], place["end"])
    return Parsed(text, walker.tree.finish())


def without_surrogates(text: str) -> str:
    """The same text, as long as before, that UTF-8 can hold."""
    if text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", text)


def code_points(text: str) -> Callable[[int], int]:
    """From offsets in UTF-8 bytes to offsets in code points."""
    if text.isascii():
        return int
    continuations = [match.start() for match in _CONTINUATION.finditer(text.encode())]
    return lambda offset: offset - bisect_left(continuations, offset)


class _Walker:
    """Takes the parser's events; `line` is None between blocks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = code_points(text)
        self.tree = Tree()
        self.line: Line | None = None
        self.joins = False
        self.level = 0
        self.bold = self.italic = self.struck = 0
        self.in_image = 0
        self.code: list[str] | None = None
        self.language: str | None = None
        self.html: list[int] | None = None  # where an HTML block starts and ends
        self.ordered: list[bool] = []
        self.depths: list[int] = []  # of the tree, before each open item and quote
        self.comments: list[Block] = []  # met inside a line; they follow it
        self.cells: list[str] | None = None
        self.in_head = False
        self.struck_cells = 0
        self.cell_links: list[Link] = []
        self.cell_images = 0

    def on(self, event: Any, start: int, end: int) -> None:
        if type(event) is str:
            if event == "Rule":
                self.end_line()
                self.tree.add(Block(kind=BlockKind.RULE, text="", start=self.at(start), end=self.at(end)))
            else:
                self.end_line(goes_on=True)
            return
        ((name, value),) = event.items()
        if name == "Text" or name == "Code":
            self.on_text(value, start, end)
        elif name == "Start":
            if type(value) is str:
                self.on_start(value, None, start, end)
            else:
                ((tag, data),) = value.items()
                self.on_start(tag, data, start, end)
        elif name == "End":
            tag = value if type(value) is str else next(iter(value))
            self.on_end(tag, start, end)
        elif name == "InlineHtml":
            self.on_inline_html(value, start, end)
        elif name == "Html":
            if self.html is not None:
                self.html[1] = max(self.html[1], end)
        elif name == "TaskListMarker":
            self.open_line().ticked = value
            self.open_line().reach(self.at(start), self.at(end))

    def open_line(self) -> Line:
        if self.line is None:
            self.line = Line()
        return self.line

    def on_text(self, text: str, start: int, end: int) -> None:
        if self.code is not None:
            self.code.append(text)
        elif not self.in_image:
            self.open_line().add(
                text, self.at(start), self.at(end), bold=self.bold, italic=self.italic, struck=self.struck
            )

    def on_start(self, tag: str, data: Any, start: int, end: int) -> None:
        if tag in ("Strong", "Emphasis", "Strikethrough", "Link", "Image"):
            self.on_mark(tag, data, start, end)
            return
        self.end_line()
        if tag == "Item":
            self.depths.append(self.tree.depth)
            self.tree.open(
                BlockKind.ITEM,
                self.at(start),
                level=len(self.ordered) - 1,
                ordered=bool(self.ordered and self.ordered[-1]),
            )
        elif tag == "Heading":
            self.level = _LEVELS[data["level"]]
        elif tag == "List":
            self.ordered.append(data is not None)
        elif tag == "CodeBlock":
            self.code = []
            self.language = data["Fenced"].split()[0] if isinstance(data, dict) and data["Fenced"].split() else None
        elif tag == "HtmlBlock":
            self.html = [start, end]
        elif tag == "BlockQuote":
            # "> [!NOTE]" is a box that the author wrote, not a quotation.
            self.depths.append(self.tree.depth)
            self.tree.open(BlockKind.QUOTE if data is None else BlockKind.PANEL, self.at(start))
        elif tag in ("TableHead", "TableRow"):
            self.cells, self.in_head = [], tag == "TableHead"

    def on_mark(self, tag: str, data: Any, start: int, end: int) -> None:
        line = self.open_line()
        line.reach(self.at(start), self.at(end))
        if tag == "Strong":
            self.bold += 1
        elif tag == "Emphasis":
            self.italic += 1
        elif tag == "Strikethrough":
            self.struck += 1
        elif tag == "Link":
            line.links.append(Link(url=data["dest_url"], text=""))
        else:
            self.in_image += 1
            line.images += 1

    def on_end(self, tag: str, start: int, end: int) -> None:
        if tag == "Paragraph":
            self.end_line()
        elif tag == "Strong":
            self.bold -= 1
        elif tag == "Emphasis":
            self.italic -= 1
        elif tag == "Strikethrough":
            self.struck -= 1
        elif tag == "Image":
            self.in_image -= 1
        elif tag == "Heading":
            self.end_heading()
        elif tag == "Item":
            self.end_line()
            self.tree.close_to(self.depths.pop())
        elif tag == "List":
            self.end_line()
            self.ordered.pop()
        elif tag == "CodeBlock":
            self.end_code(start, end)
        elif tag == "HtmlBlock":
            self.end_html()
        elif tag == "BlockQuote":
            self.end_line()
            self.tree.close_to(self.depths.pop())
        elif tag == "TableCell":
            self.end_cell()
        elif tag in ("TableHead", "TableRow"):
            self.end_row(start, end)

    def on_inline_html(self, source: str, start: int, end: int) -> None:
        start, end = self.at(start), self.at(end)
        tag = _TAG_NAME.match(source)
        if tag is None:
            self.comments.append(comment(source, start))
            return
        name, step = tag[1].lower(), -1 if source.startswith("</") else 1
        if name == "br" and self.cells is None:
            self.end_line(goes_on=True)
        elif name in ("b", "strong"):
            self.bold = max(0, self.bold + step)
        elif name in ("s", "del", "strike"):
            self.struck = max(0, self.struck + step)
        elif name in ("img", "video"):
            self.open_line().images += 1
            self.open_line().reach(start, end)
        elif name not in KNOWN_TAGS:
            self.open_line().add(source, start, end, bold=self.bold, italic=self.italic, struck=self.struck)
        elif name == "br":
            self.open_line().add(" ", start, end)

    def end_line(self, *, goes_on: bool = False) -> None:
        """The line is complete; `goes_on` when the paragraph is not."""
        line, self.line = self.line, None
        if line is not None:
            if line.parts and line.parts[0].startswith("+++") and self.collapsed(line):
                self.joins = False
                return
            self.tree.line(line, joins=self.joins)
        for block in self.comments:
            self.tree.add(block)
        self.comments.clear()
        self.joins = goes_on and (line is not None or self.joins)

    def collapsed(self, line: Line) -> bool:
        fold = _COLLAPSED.match("".join(line.parts).strip())
        if fold is None:
            return False
        if fold[1]:
            self.tree.open(BlockKind.PANEL, line.start, line.end)
            self.tree.add(
                Block(kind=BlockKind.HEADING, text=fold[1], start=line.start, end=line.end, level=_COLLAPSED_LEVEL)
            )
        else:
            self.tree.close_through(BlockKind.PANEL)
        return True

    def end_heading(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            self.tree.add(line.block(BlockKind.HEADING, level=self.level))
        for block in self.comments:
            self.tree.add(block)
        self.comments.clear()

    def end_code(self, start: int, end: int) -> None:
        text, self.code = "".join(self.code or ()), None
        self.tree.add(
            Block(kind=BlockKind.CODE, text=text, start=self.at(start), end=self.at(end), language=self.language)
        )

    def end_html(self) -> None:
        if self.html is not None:
            start, end = (self.at(place) for place in self.html)
            self.html = None
            read_html(self.text[start:end], start, self.tree)

    def end_cell(self) -> None:
        line, self.line = self.line, None
        block = None if line is None else line.block(BlockKind.ROW)
        if self.cells is not None:
            self.cells.append("" if block is None else block.text)
            self.struck_cells += block is not None and block.is_struck
            if block is not None and line is not None:
                self.cell_links += line.links
                self.cell_images += line.images

    def end_row(self, start: int, end: int) -> None:
        cells, self.cells = tuple(self.cells or ()), None
        is_struck = self.struck_cells > 0 and self.struck_cells == sum(map(bool, cells))
        if any(cells) or self.cell_images:
            self.tree.add(
                row(
                    cells,
                    self.at(start),
                    self.at(end),
                    is_header=self.in_head,
                    is_struck=is_struck,
                    links=tuple(self.cell_links),
                    images=self.cell_images,
                )
            )
        self.struck_cells = self.cell_images = 0
        self.cell_links = []
