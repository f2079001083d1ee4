"""The block tree as a sequence of lines, the shape in which sections and items are found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from backlint.text.blocks import Block, BlockKind, Parsed
from backlint.text.gherkin import is_step
from backlint.text.headings import meanings_of_label
from backlint.text.noise import is_log_line, is_prose
from backlint.text.plain import parse_plain
from backlint.text.templates import NO_TEMPLATES, Templates

# A line of at least this length that is followed by a small letter was wrapped by an editor, not ended by its author.
_WRAPPED = 50
_BULK = 0.6
_JIRA_HEADING = re.compile(r"h([1-6])\.\s+(?=\S)")
_LABEL = re.compile(r"(?P<label>[^:：\n]{1,60}?)\s*(?:[:：]|\s[-–—]\s)\s*(?P<rest>\S.*)", re.DOTALL)


class DropReason(StrEnum):
    HTML_COMMENT = "HTML comment"
    QUOTE = "quoted text"
    STRUCK = "struck out"
    CODE = "code"
    LOG = "log or stack trace"
    SIGNATURE = "e-mail signature"
    OWN = "written by backlint"
    TEMPLATE = "template"
    PLACEHOLDER = "placeholder"
    TOO_SHORT = "too short"


class SourceLine:
    """A line on its way through the pipeline. A panel is two lines: where it opens (level 1) and closes (level -1)."""

    __slots__ = (
        "cells", "end", "images", "is_bold", "is_header", "is_italic", "joins", "kind", "language", "level", "links",
        "reason", "start", "text", "ticked",
    )  # fmt: skip

    def __init__(self, block: Block, reason: DropReason | None = None) -> None:
        self.kind = block.kind
        self.text = block.text
        self.start = block.start
        self.end = block.end
        self.level = block.level
        self.ticked = block.ticked
        self.cells = block.cells
        self.is_header = block.is_header
        self.is_bold = block.is_bold
        self.is_italic = block.is_italic
        self.images = block.images
        self.links = tuple(link.url for link in block.links) if block.links else ()
        self.joins = block.joins
        self.language = block.language
        self.reason = reason

    @property
    def is_content(self) -> bool:
        """Something that a heading before it may be a heading of."""
        return self.kind is not BlockKind.HEADING and self.kind is not BlockKind.RULE


def flat(parsed: Parsed) -> list[SourceLine]:
    """The lines of a text; a code block that is nearly all of it, and prose, is read as the text it is."""
    lines: list[SourceLine] = []
    _flatten(parsed.blocks, None, lines)
    for index, line in enumerate(lines):
        if line.kind is BlockKind.CODE and _is_the_text(line, parsed.text):
            inner = _inside(line, parsed.text)
            return lines if inner is None else [*lines[:index], *inner, *lines[index + 1 :]]
    return lines


def _is_the_text(code: SourceLine, text: str) -> bool:
    if code.language is not None or code.reason is not None or len(code.text) < _BULK * len(text):
        return False
    return is_prose(code.text) and not any(map(is_step, code.text.splitlines()))


def _inside(code: SourceLine, text: str) -> list[SourceLine] | None:
    """The lines inside a code block; None if its text does not stand in the source as it is."""
    shift = text.find(code.text, code.start, code.end)
    if shift < 0:
        return None
    lines: list[SourceLine] = []
    _flatten(parse_plain(code.text).blocks, None, lines)
    for line in lines:
        line.start += shift
        line.end += shift
    return lines


def _flatten(blocks: Iterable[Block], reason: DropReason | None, lines: list[SourceLine]) -> None:
    for block in blocks:
        kind = block.kind
        if kind is BlockKind.QUOTE:
            _flatten(block.children, DropReason.QUOTE, lines)
        elif kind is BlockKind.PANEL:
            lines.append(_fold(block, 1))
            _flatten(block.children, reason, lines)
            lines.append(_fold(block, -1))
        elif kind is BlockKind.TABLE:
            _flatten(block.children, reason, lines)
        else:
            lines.append(_line(block, reason))
            if block.children:
                _flatten(block.children, reason, lines)


def _line(block: Block, reason: DropReason | None) -> SourceLine:
    if block.is_struck and reason is None:
        reason = DropReason.STRUCK
    elif block.kind is BlockKind.HTML_COMMENT:
        reason = DropReason.HTML_COMMENT
    line = SourceLine(block, reason)
    # People write "h3. Title" in every tracker.
    if block.kind is BlockKind.PARAGRAPH and block.text[:1] == "h":
        heading = _JIRA_HEADING.match(block.text)
        if heading is not None:
            line.kind, line.level, line.text = BlockKind.HEADING, int(heading[1]), block.text[heading.end() :]
    return line


def _fold(block: Block, level: int) -> SourceLine:
    line = SourceLine(block, None)
    line.level = level
    return line


def merged(lines: Iterable[SourceLine], text: str, templates: Templates = NO_TEMPLATES) -> Iterator[SourceLine]:
    """Lines that an editor wrapped become one; the second line of a list item goes with the first.

    Lines of a template stay apart, since they are known one by one.
    """
    before: SourceLine | None = None
    for line in lines:
        if templates and templates.holds(line.text):
            if before is not None:
                yield before
            before = None
            yield line
            continue
        if before is not None and line.joins and _goes_on(before, line, text):
            before.text = f"{before.text} {line.text}"
            before.end = line.end
            before.images += line.images
            before.links += line.links
            before.is_italic &= line.is_italic
            continue
        if before is not None:
            yield before
        before = line
    if before is not None:
        yield before


def _goes_on(before: SourceLine, line: SourceLine, source: str) -> bool:
    if line.kind is not BlockKind.PARAGRAPH or line.reason is not before.reason or line.ticked is not None:
        return False
    text = line.text
    if not text:
        return True
    if before.kind is BlockKind.PARAGRAPH and not (len(before.text) >= _WRAPPED and text[0].islower()):
        return False
    # A line with a capital at the margin, right below a list, is a new paragraph to whoever wrote it.
    if before.kind is BlockKind.ITEM and text[0].isupper() and line.start and source[line.start - 1] == "\n":
        return False
    if before.kind not in (BlockKind.PARAGRAPH, BlockKind.ITEM) or before.text.endswith(":") or text.endswith(":"):
        return False
    return not (line.is_bold or before.is_bold or is_log_line(text) or is_log_line(before.text) or opens_label(text))


def split_label(text: str) -> tuple[str, str] | None:
    """ "Acceptance criteria: the list is sorted" to its heading and the rest, if the heading is one of ours."""
    head = text[:64]
    if ":" not in head and "：" not in head and " - " not in head and " – " not in head and " — " not in head:
        return None
    match = _LABEL.match(text)
    if match is None or not meanings_of_label(match["label"]):
        return None
    return match["label"].strip(), match["rest"].strip()


def opens_label(text: str) -> bool:
    return split_label(text) is not None
