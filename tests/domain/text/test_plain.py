"""Plain text with what people type into it."""

from __future__ import annotations

from backlint.text.blocks import BlockKind
from backlint.text.plain import parse_plain


def test_bullets_numbers_boxes_and_headings_are_seen() -> None:
    heading, item, box, numbered, paragraph = parse_plain("## Goal\n• one\n- [x] two\n3) three\n\nfour\n").blocks

    assert (heading.kind, heading.level) == (BlockKind.HEADING, 2)
    assert (item.kind, item.text) == (BlockKind.ITEM, "one")
    assert (box.text, box.ticked) == ("two", True)
    assert (numbered.ordered, numbered.text) == (True, "three")
    assert paragraph.kind is BlockKind.PARAGRAPH


def test_indentation_nests() -> None:
    (outer,) = parse_plain("- outer\n    - inner").blocks

    assert outer.children[0].level == 1


def test_offsets_leave_bullets_out() -> None:
    text = "  - größer als 3"
    (item,) = parse_plain(text).blocks

    assert text[item.start : item.end] == "größer als 3"
