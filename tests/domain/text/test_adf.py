"""Atlassian's document format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backlint.text.adf import parse_adf
from backlint.text.blocks import Block, BlockKind, Parsed


def node(kind: str, *content: dict[str, Any], **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def words(text: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": [{"type": mark} for mark in marks]}


def parsed(*content: dict[str, Any]) -> Parsed:
    return parse_adf(json.dumps({"version": 1, "type": "doc", "content": list(content)}))


def blocks(*content: dict[str, Any]) -> tuple[Block, ...]:
    return parsed(*content).blocks


def all_blocks(some: tuple[Block, ...]) -> list[Block]:
    return [each for block in some for each in (block, *all_blocks(block.children))]


def test_headings_and_paragraphs_and_breaks() -> None:
    heading, one, two = blocks(
        node("heading", words("Goal"), level=2), node("paragraph", words("one"), {"type": "hardBreak"}, words("two"))
    )

    assert (heading.kind, heading.level, heading.text) == (BlockKind.HEADING, 2, "Goal")
    assert (one.text, two.text, two.joins) == ("one", "two", True)


def test_offsets_refer_to_the_plain_rendering() -> None:
    result = parsed(
        node("heading", words("Größe 🎉"), level=1),
        node("bulletList", node("listItem", node("paragraph", words("first "), words("bold", "strong")))),
    )

    heading, item = result.blocks
    assert result.text[heading.start : heading.end] == "Größe 🎉"
    assert result.text[item.start : item.end] == "first bold"


def test_tasks_carry_their_state() -> None:
    items = blocks(
        node("taskList", node("taskItem", words("open"), state="TODO"), node("taskItem", words("done"), state="DONE"))
    )

    assert [(item.text, item.ticked) for item in items] == [("open", False), ("done", True)]


def test_nested_lists_nest_and_number() -> None:
    inner = node("orderedList", node("listItem", node("paragraph", words("inner"))))
    (outer,) = blocks(node("bulletList", node("listItem", node("paragraph", words("outer")), inner)))

    (child,) = outer.children
    assert (child.text, child.level, child.ordered) == ("inner", 1, True)


def test_a_table_row_joins_its_cells() -> None:
    header, row = blocks(
        node(
            "table",
            node("tableRow", node("tableHeader", node("paragraph", words("a"))), node("tableHeader")),
            node(
                "tableRow",
                node("tableCell", node("paragraph", words("1"))),
                node("tableCell", node("paragraph", words("2"))),
            ),
        )
    )

    assert (header.is_header, header.cells) == (True, ("a", ""))
    assert (row.is_header, row.cells, row.text) == (False, ("1", "2"), "1 | 2")


def test_code_quotes_panels_and_expands() -> None:
    code, quote, panel, expand = blocks(
        node("codeBlock", words("x = 1"), language="python"),
        node("blockquote", node("paragraph", words("quoted"))),
        node("panel", node("paragraph", words("boxed")), panelType="info"),
        node("expand", node("paragraph", words("inside")), title="More"),
    )

    assert (code.kind, code.text, code.language) == (BlockKind.CODE, "x = 1", "python")
    assert (quote.kind, panel.kind, expand.kind) == (BlockKind.QUOTE, BlockKind.PANEL, BlockKind.PANEL)
    assert [child.text for child in expand.children] == ["More", "inside"]


@pytest.mark.parametrize(
    ("inline", "expected"),
    [
        ({"type": "mention", "attrs": {"id": "1", "text": "@Ann"}}, "@Ann"),
        ({"type": "emoji", "attrs": {"shortName": ":tada:", "text": "🎉"}}, "🎉"),
        ({"type": "emoji", "attrs": {"shortName": ":tada:"}}, ":tada:"),
        ({"type": "date", "attrs": {"timestamp": "1772409600000"}}, "2026-03-02"),
        ({"type": "status", "attrs": {"text": "DONE", "color": "green"}}, "DONE"),
        ({"type": "inlineCard", "attrs": {"url": "https://x.y/z"}}, "https://x.y/z"),
        ({"type": "inlineCard", "attrs": {"data": {"url": "https://x.y/d"}}}, "https://x.y/d"),
        ({"type": "mediaInline", "attrs": {"id": "1", "alt": "a shot"}}, "a shot"),
        ({"type": "inlineExtension", "attrs": {"text": "macro"}}, "macro"),
    ],
)
def test_each_inline_node_has_its_text(inline: dict[str, Any], expected: str) -> None:
    (line,) = blocks(node("paragraph", inline))

    assert line.text == expected


def test_the_editors_own_placeholder_is_no_text() -> None:
    assert blocks(node("paragraph", {"type": "placeholder", "attrs": {"text": "Type here"}})) == ()


def test_media_count_as_images() -> None:
    (line,) = blocks(node("mediaSingle", {"type": "media", "attrs": {"id": "1", "collection": "c"}}))

    assert line.images == 1


@pytest.mark.parametrize(
    "kind", ["blockCard", "embedCard"]
)  # fmt: skip
def test_cards_are_links(kind: str) -> None:
    (line,) = blocks({"type": kind, "attrs": {"url": "https://x.y"}})

    assert line.links[0].url == "https://x.y"


def test_marks_strike_embolden_and_link() -> None:
    struck, bold, linked = blocks(
        node("paragraph", words("gone", "strike")),
        node("paragraph", words("Goal", "strong")),
        node(
            "paragraph", {"type": "text", "text": "spec", "marks": [{"type": "link", "attrs": {"href": "https://x"}}]}
        ),
    )

    assert (struck.is_struck, bold.is_bold, linked.links[0].url) == (True, True, "https://x")


@pytest.mark.parametrize(
    "kind",
    [
        "layoutSection",
        "layoutColumn",
        "bodiedExtension",
        "syncBlock",
        "caption",
        "decisionList",
        "decisionItem",
        "newNode",
    ],
)
def test_nodes_that_wrap_others_contribute_their_text(kind: str) -> None:
    found = all_blocks(blocks(node(kind, node("paragraph", words("kept")))))

    assert "kept" in [block.text for block in found]


@pytest.mark.parametrize("kind", ["extension", "newNode"])
def test_nodes_without_children_contribute_what_they_say(kind: str) -> None:
    (line,) = blocks({"type": kind, "attrs": {"text": "said"}})

    assert line.text == "said"


def test_an_unknown_inline_node_does_not_hide_its_paragraph() -> None:
    lines = blocks(
        node("paragraph", words("before "), {"type": "newInline", "attrs": {"text": "new"}}, words(" after"))
    )

    assert "before" in lines[0].text
    assert "after" in lines[-1].text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '"text"',
        "{}",
        '{"type":"doc"}',
        '{"type":"doc","content":"x"}',
        '{"content":[1,null,{}]}',
    ],
)
def test_what_is_no_document_is_read_without_an_error(text: str) -> None:
    parse_adf(text)


def test_broken_json_is_plain_text() -> None:
    assert parse_adf("just words").blocks[0].text == "just words"


@pytest.mark.parametrize("value", [{"level": "x"}, {"level": None}, {"level": 99}, []])
def test_odd_attributes_do_no_harm(value: object) -> None:
    (heading,) = parse_adf(
        json.dumps({"type": "doc", "content": [{"type": "heading", "attrs": value, "content": [words("a")]}]})
    ).blocks

    assert 1 <= heading.level <= 6


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deep_nesting_keeps_its_text(depth: int) -> None:
    text = '{"type":"doc","content":[' + '{"type":"panel","content":[' * depth
    text += '{"type":"paragraph","content":[{"type":"text","text":"deep"}]}' + "]}" * depth + "]}"

    assert "deep" in parse_adf(text).text
