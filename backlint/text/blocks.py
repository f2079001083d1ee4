"""The block tree that Markdown, ADF and wiki markup share, with offsets into the text as written."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"  # a list item; nested lists are children
    TABLE = "table"  # children are rows
    ROW = "row"
    CODE = "code"
    QUOTE = "quote"
    PANEL = "panel"  # a container without meaning of its own: panel, expand, details
    HTML_COMMENT = "html_comment"
    IMAGE = "image"
    RULE = "rule"


class Link(Struct, frozen=True, kw_only=True, gc=False):
    url: str
    text: str


class Block(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of a text. `start:end` are Unicode code points into `Parsed.text`; `text` is the plain reading of it.

    Paragraphs come one block a line; `joins` marks the lines after the first, also those of a list item. Struck-out
    parts are left out of `text`, unless all of it is struck. `ticked` is None for items without a box.
    """

    kind: BlockKind
    text: str
    start: int
    end: int
    level: int = 0  # heading level, or nesting depth of a list item from 0
    ticked: bool | None = None
    ordered: bool = False
    is_header: bool = False  # a table's header row
    is_struck: bool = False  # the whole block is struck out
    is_bold: bool = False  # the whole block is bold: a heading in disguise
    is_italic: bool = False  # the whole block is in italics: often a template's prompt
    joins: bool = False  # goes on from the line before it
    cells: tuple[str, ...] = ()
    language: str | None = None
    links: tuple[Link, ...] = ()
    images: int = 0
    children: tuple[Block, ...] = ()


class Parsed(Struct, frozen=True):
    """The text that offsets refer to (the source for Markdown and wiki, a plain rendering for ADF) and its blocks."""

    text: str
    blocks: tuple[Block, ...]
