"""HTML inside other notations: tags are stripped, blocks, tick boxes, comments and collapsed parts are kept."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from backlint.text.blocks import Block, BlockKind, Link
from backlint.text.tree import Line, Tree

# One token: a tag, or text up to the next "<". Comments are cut out before, because an unclosed one must not be
# searched for again and again.
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)([^<>]*)>|\n|[^<\n]+|<")
_ATTRIBUTE = re.compile(r"""\b(href|type|checked)\b(?:\s*=\s*["']?([^"'\s>]*))?""", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption",
        "figure", "footer", "form", "header", "hr", "html", "main", "nav", "ol", "p", "pre", "section", "table",
        "tbody", "tfoot", "thead", "ul",
    }
)  # fmt: skip
_SILENT = frozenset({"script", "style", "head", "title"})
_BOLD = frozenset({"b", "strong"})
_ITALIC = frozenset({"i", "em"})
_STRUCK = frozenset({"s", "del", "strike"})
_INLINE = frozenset(
    {
        "a", "abbr", "acronym", "big", "button", "center", "cite", "code", "dfn", "font", "g-emoji", "img", "input",
        "ins", "kbd", "label", "mark", "picture", "q", "rp", "rt", "ruby", "samp", "small", "source", "span", "sub",
        "sup", "time", "tt", "u", "var", "video", "wbr",
    }
)  # fmt: skip
KNOWN_TAGS = frozenset(
    {
        *_HEADINGS, *_BREAKS, *_SILENT, *_BOLD, *_ITALIC, *_STRUCK, *_INLINE,
        "details", "summary", "li", "tr", "td", "th", "caption", "col", "colgroup", "iframe", "object", "svg", "path",
        "option", "select", "textarea",
    }
)  # fmt: skip
_COLLAPSED_LEVEL = 7  # below every real heading


def split_comments(source: str) -> list[tuple[bool, int, int]]:
    """(is comment, start, end) for the whole source, in order; an unclosed comment reaches to the end."""
    pieces = []
    position = 0
    while position < len(source):
        opened = source.find("<!--", position)
        if opened < 0:
            break
        if opened > position:
            pieces.append((False, position, opened))
        closed = source.find("-->", opened + 4)
        position = len(source) if closed < 0 else closed + 3
        pieces.append((True, opened, position))
    if position < len(source):
        pieces.append((False, position, len(source)))
    return pieces


def comment(source: str, start: int) -> Block:
    return Block(
        kind=BlockKind.HTML_COMMENT,
        text=source.removeprefix("<!--").removesuffix("-->").strip("- \t\r\n"),
        start=start,
        end=start + len(source),
    )


def read_html(source: str, offset: int, tree: Tree) -> None:
    """Add the blocks of a piece of HTML that stands at `offset` of the text."""
    walker = _Walker(tree, offset)
    for is_comment, start, end in split_comments(source):
        if is_comment:
            walker.end_line()
            tree.add(comment(source[start:end], offset + start))
        else:
            walker.feed(source, start, end)
    walker.finish()


class _Walker:
    def __init__(self, tree: Tree, offset: int) -> None:
        self.tree = tree
        self.offset = offset
        self.line = Line()
        self.heading = 0
        self.cells: list[str] | None = None
        self.is_header = False
        self.row_start = 0
        self.marks = {"bold": 0, "italic": 0, "struck": 0}
        self.code: list[str] | None = None
        self.code_start = 0
        self.fenced = False
        self.silent: str | None = None
        self.items = 0
        self.quotes = 0
        self.link: Link | None = None

    def feed(self, source: str, start: int, end: int) -> None:
        for token in _TOKEN.finditer(source, start, end):
            name = token[2]
            if name is None:
                self.text(token.group(), self.offset + token.start())
            elif self.silent is None or (token[1] and name.lower() == self.silent):
                self.tag(name.lower(), token, is_end=bool(token[1]))

    def text(self, text: str, start: int) -> None:
        if self.silent is not None:
            return
        if self.code is not None:
            self.code.append(text)
            if not (self.fenced and text.lstrip().startswith(("```", "~~~"))):
                return
            self.end_code(start + len(text))
            return
        if text == "\n":
            if self.cells is None:
                self.end_line()
            return
        # A fence glued to a tag is no fence for CommonMark; its author meant one.
        if self.cells is None and text.lstrip().startswith(("```", "~~~")):
            self.end_line()
            self.start_code(start, fenced=True)
            return
        if text.strip() or self.line.parts:
            self.line.add(unescape(text), start, start + len(text), **self.marks)

    def tag(self, name: str, token: re.Match[str], *, is_end: bool) -> None:
        start, end = self.offset + token.start(), self.offset + token.end()
        if self.code is not None and name != "pre":
            if name not in KNOWN_TAGS:
                self.code.append(token.group())
            return
        if name in _SILENT:
            self.silent = None if is_end else name
        elif name in _BOLD:
            self.mark("bold", is_end)
        elif name in _ITALIC:
            self.mark("italic", is_end)
        elif name in _STRUCK:
            self.mark("struck", is_end)
        elif name in _HEADINGS or name == "summary":
            self.end_line()
            self.heading = 0 if is_end else _HEADINGS.get(name, _COLLAPSED_LEVEL)
        elif name == "details":
            self.end_line()
            if is_end:
                self.tree.close_through(BlockKind.PANEL)
            else:
                self.tree.open(BlockKind.PANEL, start, end)
        elif name == "li":
            self.end_line()
            self.end_item()
            if not is_end:
                self.tree.open(BlockKind.ITEM, start, end)
                self.items += 1
        elif name == "blockquote":
            self.quote(start, end, is_end)
        elif name in ("tr", "td", "th"):
            self.table(name, start, end, is_end)
        elif name == "pre":
            self.end_line()
            if is_end:
                self.end_code(start)
            else:
                self.start_code(start, fenced=False)
        elif name in _BREAKS:
            if self.cells is None:
                self.end_line()
        elif name in _INLINE:
            self.inline(name, token[3] or "", start, end, is_end=is_end)
        elif name not in KNOWN_TAGS:
            self.line.add(token.group(), start, end, **self.marks)  # "<your name>": a slot, not a tag

    def mark(self, name: str, is_end: bool) -> None:
        self.marks[name] = max(0, self.marks[name] + (-1 if is_end else 1))

    def inline(self, name: str, attributes: str, start: int, end: int, *, is_end: bool) -> None:
        if name in ("img", "video"):
            self.line.images += not is_end
            self.line.reach(start, end)
        elif name == "a" and not is_end:
            for key, value in _ATTRIBUTE.findall(attributes):
                if key.lower() == "href" and value:
                    self.line.links.append(Link(url=unescape(value), text=""))
                    self.line.reach(start, end)
        elif name == "input" and "checkbox" in attributes.lower():
            self.line.ticked = any(key.lower() == "checked" for key, _ in _ATTRIBUTE.findall(attributes))
            self.line.reach(start, end)

    def table(self, name: str, start: int, end: int, is_end: bool) -> None:
        if name == "tr":
            self.end_cell()
            self.end_row(start)
            if not is_end:
                self.end_line()
                self.cells, self.is_header, self.row_start = [], True, start
            return
        if self.cells is None:
            self.end_line()
            self.cells, self.is_header, self.row_start = [], True, start
        self.end_cell()
        if not is_end:
            self.line.reach(start, end)
            self.is_header &= name == "th"

    def end_cell(self) -> None:
        if self.cells is not None and self.line.start >= 0:
            block = self.line.block(BlockKind.ROW, cells=("",))
            self.cells.append("" if block is None else block.text)
            self.line = Line()

    def end_row(self, end: int) -> None:
        cells, self.cells = self.cells, None
        if cells and any(cells):
            self.tree.add(row(tuple(cells), self.row_start, end, is_header=self.is_header))

    def quote(self, start: int, end: int, is_end: bool) -> None:
        self.end_line()
        if not is_end:
            self.tree.open(BlockKind.QUOTE, start, end)
            self.quotes += 1
        elif self.quotes:
            self.quotes -= 1
            self.tree.close_through(BlockKind.QUOTE)

    def start_code(self, start: int, *, fenced: bool) -> None:
        self.code, self.code_start, self.fenced = [], start, fenced

    def end_code(self, end: int) -> None:
        if self.code is not None:
            text = unescape("".join(self.code)).strip("\n")
            self.tree.add(
                Block(
                    kind=BlockKind.CODE, text=text.rstrip("`~ \n"), start=self.code_start, end=max(end, self.code_start)
                )
            )
            self.code = None

    def end_item(self) -> None:
        if self.items:
            self.items -= 1
            self.tree.close_through(BlockKind.ITEM)

    def end_line(self) -> None:
        line, self.line = self.line, Line()
        if line.start < 0:
            return
        if self.heading:
            self.tree.add(line.block(BlockKind.HEADING, level=self.heading))
        else:
            self.tree.line(line)

    def finish(self) -> None:
        if self.code is not None:
            self.end_code(self.code_start + sum(map(len, self.code)))
        if self.cells is not None:
            self.end_cell()
            self.end_row(max(self.line.end, self.row_start))
        self.end_line()
        while self.items:
            self.end_item()
        while self.quotes:
            self.quotes -= 1
            self.tree.close_through(BlockKind.QUOTE)


def row(cells: tuple[str, ...], start: int, end: int, **more: Any) -> Block:
    """A table row; its text joins the cells that hold something."""
    text = " | ".join(cell for cell in cells if cell)
    return Block(kind=BlockKind.ROW, text=text, start=start, end=end, cells=cells, **more)
