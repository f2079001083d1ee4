"""Jira's wiki markup to blocks, line by line, in linear time.

The notation: https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all . What people paste into it from
Markdown (fences, "## headings" and "- [ ]") is read as they meant it.
"""

from __future__ import annotations

import re

from backlint.text.blocks import Block, BlockKind, Link, Parsed
from backlint.text.headings import meanings_of_label
from backlint.text.html import read_html, row
from backlint.text.markdown import without_surrogates
from backlint.text.plain import Items, each_line
from backlint.text.tree import Line, Tree

_MACRO = re.compile(
    r"(?<!\\)\{(?P<name>code|noformat|html|quote|panel|color|expand|info|note|tip|warning|anchor|excerpt|section|column)"
    r"(?::(?P<options>[^{}\n]*))?\}"
)
_TITLE = re.compile(r"(?:^|\|)\s*(?:title=)([^|}\n]*)")
_VERBATIM = frozenset({"code", "noformat", "html"})
_SILENT = frozenset({"color", "anchor", "excerpt", "section", "column"})
_COLLAPSED_LEVEL = 7

_HEADING = re.compile(r"[ \t]*[hH]([1-6])\.[ \t]*(?=\S)")
_HASHES = re.compile(r"[ \t]*(#{1,6})[ \t]+(?=\S)")
_BQ = re.compile(r"[ \t]*bq\.[ \t]*")
_RULE = re.compile(r"[ \t]*-{4,}[ \t]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^`~]*$")
_ITEM = re.compile(
    r"[ \t]*(?:(?P<marks>[*#]{1,9}|[*#]{0,8}-)|(?P<bullet>[•·▪◦●‣–—+])|(?P<number>\d{1,3}[.)]|[a-zA-Z]\)))(?:[ \t]+|$)"
)
_CELL_MARK = re.compile(r"\|\|?|\[[^\[\]\n|]*\|[^\[\]\n]*\]|![^\s!|][^!|\n]*\|[^!\n]*!|\{\{[^{}\n]*\}\}")

_INLINE = re.compile(
    r"""\\(?P<escaped>[*_+^~\-{}\[\]!|?\\])
      | \{\{(?P<mono>[^{}\n]+)\}\}
      | \[(?P<link>[^\[\]\n]+)\]
      | !(?P<image>[^\s!|][^!|\n]*)(?:\|[^!\n]*)?!
      | (?P<url>\b(?:https?|ftp|mailto):[^\s|\]{}"<>]+)
      | (?P<mark>\*+|_+|\?\?|[+^~]|-+)
    """,
    re.VERBOSE,
)
_ANY_MARK = re.compile(r"[\\{\[!*_+^~?]|(?<!\w)-|-(?!\w)")
_IMAGE_NAME = re.compile(r"\.(?:png|jpe?g|gif|svg|bmp|webp|tiff?|mp4|mov|webm|avi|heic)$|^https?://|thumbnail", re.I)
_ADDRESS = re.compile(r"^(?:https?:|ftp:|mailto:|file:|#|\^|~|//)|^[A-Z][A-Z0-9_]+-\d+$", re.IGNORECASE)
# A mark may only open before, and close after, something that is no space.
_PAIRED = frozenset("*_+^~-?")


def parse_wiki(text: str) -> Parsed:
    text = without_surrogates(text)
    walker = _Walker(text)
    walker.walk()
    return Parsed(text, walker.tree.finish())


class _Walker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = Tree()
        self.items = Items(self.tree)
        self.joins = False
        self.quote: int | None = None  # depth of the tree before the open quote
        self.boxes: list[int] = []  # depth of the tree before each open panel
        self.fence: tuple[str, str, int] | None = None
        self.fenced: list[str] = []

    def walk(self) -> None:
        """Cut at the macros; what lies between them is lines."""
        text, position = self.text, 0
        last = {name: text.rfind("{" + name + "}") for name in _VERBATIM}  # what opens after it is never closed
        search = 0
        while macro := _MACRO.search(text, search):
            name, search = macro["name"], macro.end()
            is_verbatim = name in _VERBATIM
            if name in _SILENT or (is_verbatim and last[name] < macro.end()):
                continue  # taken out with the line, or never closed
            self.lines(position, macro.start())
            position = macro.start()
            if self.fence is not None:
                continue
            if is_verbatim:
                position = search = self.verbatim(name, macro)
            else:
                self.box(name, macro)
                position = macro.end()
            self.joins = False
        self.lines(position, len(text))
        self.end_fence(len(text))

    def verbatim(self, name: str, macro: re.Match[str]) -> int:
        """Code or HTML up to its closing tag; where it ends."""
        closer = "{" + name + "}"
        closed = self.text.find(closer, macro.end())
        inner, end = self.text[macro.end() : closed], closed + len(closer)
        if name == "html":
            self.items.end()
            read_html(inner, macro.end(), self.tree)
            return end
        language = (macro["options"] or "").split("|")[0] if name == "code" else ""
        self.tree.add(
            Block(
                kind=BlockKind.CODE,
                text=inner.strip("\n"),
                start=macro.start(),
                end=end,
                language=language if language and "=" not in language else None,
            )
        )
        return end

    def box(self, name: str, macro: re.Match[str]) -> None:
        """{quote} and {panel} open and close by turns."""
        self.items.end()
        if name == "quote":
            self.turn_quote(macro)
        elif self.boxes and macro["options"] is None:
            depth = self.boxes.pop()
            self.tree.close_to(depth)
            if self.quote is not None and self.quote >= depth:
                self.quote = None
        else:
            self.open_box(name, macro)

    def turn_quote(self, macro: re.Match[str]) -> None:
        if self.quote is None:
            self.quote = self.tree.depth
            self.tree.open(BlockKind.QUOTE, macro.start(), macro.end())
            return
        self.tree.close_to(self.quote)
        self.boxes = [depth for depth in self.boxes if depth < self.tree.depth]
        self.quote = None

    def open_box(self, name: str, macro: re.Match[str]) -> None:
        self.boxes.append(self.tree.depth)
        self.tree.open(BlockKind.PANEL, macro.start(), macro.end())
        options = macro["options"] or ""
        title = _TITLE.search(options)
        name_of_box = title[1] if title else options if name == "expand" and "=" not in options else ""
        if name_of_box.strip():
            at = macro.start("options") + (title.start(1) if title else 0)
            line = Line()
            line.add(name_of_box, at, at + len(name_of_box))
            self.tree.add(line.block(BlockKind.HEADING, level=_COLLAPSED_LEVEL))

    def lines(self, start: int, end: int) -> None:
        for offset, line in each_line(self.text[start:end]):
            if self.fence is not None:
                self.in_fence(line, start + offset)
            else:
                self.line(line, start + offset)

    def line(self, line: str, start: int) -> None:
        if not line.strip():
            self.joins = False
        elif not self.special_line(line, start, line.lstrip()[0]):
            item = _ITEM.match(line)
            if item is not None:
                self.item(line, item, start)
            else:
                self.paragraph(line, start)

    def special_line(self, line: str, start: int, first: str) -> bool:
        """Headings, quotes, rules, rows and fences; most lines are told apart by their first character."""
        if first in "`~" and (fence := _FENCE.match(line)):
            if not line[0].isspace():
                self.items.end()
            self.fence = (fence[1], fence[2], start)
        elif first in "hH" and (heading := _HEADING.match(line)):
            self.heading(line, heading.end(), start, int(heading[1]))
        elif first == "b" and (quoted := _BQ.match(line)):
            self.short_quote(line, quoted.end(), start)
        elif first == "-" and _RULE.match(line):
            self.items.end()
            self.tree.add(Block(kind=BlockKind.RULE, text="", start=start, end=start + len(line)))
            self.joins = False
        elif first == "|":
            self.row(line, start)
        elif first == "#" and not self.items and (hashes := _HASHES.match(line)) and _is_pasted_heading(line, hashes):
            self.heading(line, hashes.end(), start, len(hashes[1]))
        else:
            return False
        return True

    def short_quote(self, line: str, skip: int, start: int) -> None:
        self.items.end()
        before = self.tree.depth
        self.tree.open(BlockKind.QUOTE, start)
        self.tree.line(_inline(line[skip:], start + skip))
        self.tree.close_to(before)
        self.joins = False

    def heading(self, line: str, skip: int, start: int, level: int) -> None:
        self.items.end()
        self.tree.add(_inline(line[skip:], start + skip).block(BlockKind.HEADING, level=level))
        self.joins = False

    def item(self, line: str, item: re.Match[str], start: int) -> None:
        marks = item["marks"] or ""
        indent = len(line) - len(line.lstrip())
        # Real list marks nest by their number; typed bullets and numbers nest below them, and by indentation.
        depth = len(marks) if marks else 20 + indent
        self.items.start(depth, start + indent, ordered=marks.endswith("#") or item["number"] is not None)
        self.tree.line(_inline(line[item.end() :], start + item.end()))
        self.joins = True

    def paragraph(self, line: str, start: int) -> None:
        if not self.joins:
            self.items.end()
        self.tree.line(_inline(line, start), joins=self.joins)
        self.joins = True

    def row(self, line: str, start: int) -> None:
        self.items.end()
        self.joins = False
        cells, headers, links, images, struck = [], [], [], 0, 0
        pieces = _cells(line)
        for is_header, cell_start, cell_end in pieces:
            inside = _inline(line[cell_start:cell_end], start + cell_start)
            block = inside.block(BlockKind.ROW)
            cells.append("" if block is None else block.text)
            struck += block is not None and block.is_struck
            headers.append(is_header)
            links += inside.links
            images += inside.images
        if any(cells) or images:
            self.tree.add(
                row(
                    tuple(cells),
                    start,
                    start + len(line.rstrip()),
                    is_header=all(headers),
                    is_struck=struck > 0 and struck == sum(map(bool, cells)),
                    links=tuple(links),
                    images=images,
                )
            )

    def in_fence(self, line: str, start: int) -> None:
        assert self.fence is not None
        if line.strip().startswith(self.fence[0]) and not line.strip().strip(self.fence[0][0]):
            self.end_fence(start + len(line))
        else:
            self.fenced.append(line)

    def end_fence(self, end: int) -> None:
        if self.fence is None:
            return
        _, language, start = self.fence
        self.tree.add(
            Block(kind=BlockKind.CODE, text="\n".join(self.fenced), start=start, end=end, language=language or None)
        )
        self.fence, self.fenced, self.joins = None, [], False


def _is_pasted_heading(line: str, hashes: re.Match[str]) -> bool:
    """ "## Acceptance criteria" is Markdown; "# Open the page" is Jira's first step of a list."""
    return len(hashes[1]) > 1 or bool(meanings_of_label(line[hashes.end() :]))


def _cells(line: str) -> list[tuple[bool, int, int]]:
    """(is header, start, end) of each cell of a row; bars inside links and images are no borders."""
    cells: list[tuple[bool, int, int]] = []
    opened: tuple[bool, int] | None = None
    for mark in _CELL_MARK.finditer(line):
        if not mark.group().startswith("|"):
            continue
        if opened is not None:
            cells.append((opened[0], opened[1], mark.start()))
        opened = (mark.group() == "||", mark.end())
    if opened is not None and line[opened[1] :].strip():
        cells.append((opened[0], opened[1], len(line)))
    return cells


def _inline(text: str, offset: int) -> Line:
    """The line with its marks taken off."""
    line = Line()
    text = text.rstrip()
    offset += len(text) - len(text.lstrip())
    text = text.lstrip()
    if not text:
        return line
    if "{" in text:
        return _with_macros(text, offset, line)
    _pieces(text, offset, line)
    return line


def _with_macros(text: str, offset: int, line: Line) -> Line:
    """Macros that colour or anchor a part of a line say nothing; blanks of the same length keep the places right."""
    blanked = _MACRO.sub(lambda macro: "\0" * len(macro.group()), text)
    _pieces(blanked, offset, line)
    line.parts = [part.replace("\0", "") for part in line.parts]
    line.struck = [part.replace("\0", "") for part in line.struck]
    return line


def _pieces(text: str, offset: int, line: Line) -> None:
    if not _ANY_MARK.search(text):
        line.add(text, offset, offset + len(text))
        return
    tokens = list(_INLINE.finditer(text))
    pairs = _pairs(text, tokens)
    marks = {"bold": 0, "italic": 0, "struck": 0}
    position = 0
    for token in tokens:
        if token["mark"] is not None and token.start() not in pairs:
            continue
        if token["link"] is not None and not _is_link(token["link"]):
            continue
        if token["image"] is not None and not _IMAGE_NAME.search(token["image"]):
            continue
        if token["url"] is not None:
            continue
        if token.start() > position:
            line.add(text[position : token.start()], offset + position, offset + token.start(), **marks)
        position = token.end()
        _special(token, offset, line, marks, pairs)
    if position < len(text):
        line.add(text[position:], offset + position, offset + len(text), **marks)


def _special(token: re.Match[str], offset: int, line: Line, marks: dict[str, int], pairs: dict[int, int]) -> None:
    start, end = offset + token.start(), offset + token.end()
    if token["mark"] is not None:
        line.reach(start, end)
        name = {"*": "bold", "_": "italic", "-": "struck"}.get(token["mark"][0])
        if name is not None:
            marks[name] += pairs[token.start()]
    elif token["link"] is not None:
        label, _, target = token["link"].rpartition("|") if "|" in token["link"] else ("", "", token["link"])
        label = label.split("|")[0] if label else target
        line.links.append(Link(url=target.strip(), text=label))
        line.add(label, start, end, **marks)
    elif token["image"] is not None:
        line.images += 1
        line.reach(start, end)
    else:
        line.add(token["escaped"] or token["mono"] or "", start, end, **marks)


def _is_link(text: str) -> bool:
    return "|" in text or bool(_ADDRESS.match(text))


def _pairs(text: str, tokens: list[re.Match[str]]) -> dict[int, int]:
    """Where marks open (+1) and close (-1); a mark without a partner is a character like any other."""
    opened: dict[str, int] = {}
    pairs: dict[int, int] = {}
    for token in tokens:
        mark = token["mark"]
        if mark is None:
            continue
        before = text[token.start() - 1] if token.start() else " "
        after = text[token.end()] if token.end() < len(text) else " "
        can_close = not before.isspace() and not (after.isalnum() or after == "_")
        can_open = not after.isspace() and not (before.isalnum() or before == "_")
        if mark in opened and can_close:
            pairs[opened.pop(mark)] = 1
            pairs[token.start()] = -1
        elif can_open and mark[0] in _PAIRED:
            opened[mark] = token.start()
    return pairs
