"""Markdown as the trackers write it."""

from __future__ import annotations

from backlint.text.blocks import Block, BlockKind
from backlint.text.markdown import parse_markdown


def blocks(text: str) -> tuple[Block, ...]:
    return parse_markdown(text).blocks


def texts(text: str) -> list[str]:
    return [block.text for block in blocks(text)]


def test_a_heading_has_its_level_and_its_text_without_marks() -> None:
    (heading,) = blocks("### The **bold** `title`\n")

    assert (heading.kind, heading.level, heading.text) == (BlockKind.HEADING, 3, "The bold title")


def test_each_line_of_a_paragraph_is_a_block_and_the_later_ones_join() -> None:
    first, second, third = blocks("one\ntwo  \nthree")

    assert [first.text, second.text, third.text] == ["one", "two", "three"]
    assert [first.joins, second.joins, third.joins] == [False, True, True]


def test_offsets_are_code_points_even_after_emoji_and_umlauts() -> None:
    text = "🎉 Größe\n\n- [x] 日本語の一覧\n"

    _, item = blocks(text)

    assert text[item.start : item.end] == "[x] 日本語の一覧"


def test_nested_items_are_children_with_their_depth() -> None:
    (outer,) = blocks("1. outer\n   - inner\n")

    (inner,) = outer.children
    assert (outer.level, outer.ordered, inner.level, inner.ordered) == (0, True, 1, False)


def test_boxes_are_read_in_every_way_people_write_them() -> None:
    items = blocks("- [ ] open\n- [x] done\n- [X] done too\n- [] no space\n")

    assert [item.ticked for item in items] == [False, True, True, False]
    assert [item.text for item in items] == ["open", "done", "done too", "no space"]


def test_an_empty_box_is_an_item_without_text() -> None:
    (item,) = blocks("- [ ] \n")

    assert (item.kind, item.text, item.ticked) == (BlockKind.ITEM, "", False)


def test_a_box_that_does_not_apply_is_struck_out() -> None:
    (item,) = blocks("- [~] not for us\n")

    assert item.is_struck


def test_a_line_is_struck_only_if_all_of_it_is() -> None:
    whole, part = blocks("~~all of it~~\n\nkeep ~~drop~~ this\n")

    assert (whole.is_struck, whole.text) == (True, "all of it")
    assert (part.is_struck, "drop" in part.text) == (False, False)


def test_bold_marks_a_line_only_when_nothing_else_stands_there() -> None:
    whole, part = blocks("**Acceptance criteria**:\n\n**Given** a user\n")

    assert (whole.is_bold, part.is_bold) == (True, False)


def test_a_table_has_a_header_and_rows_with_cells() -> None:
    header, row = blocks("| # | Criterion |\n|---|---|\n| 1 | *sorted* |\n")

    assert (header.is_header, row.is_header, row.cells) == (True, False, ("1", "sorted"))


def test_a_quote_contains_and_an_alert_is_no_quote() -> None:
    quote, alert = blocks("> quoted\n\ntext\n\n> [!NOTE]\n> ours\n")[::2]

    assert (quote.kind, alert.kind) == (BlockKind.QUOTE, BlockKind.PANEL)


def test_links_and_images_are_counted_and_image_texts_are_not_read() -> None:
    (line,) = blocks("see [the spec](https://x.y/z) ![a shot](b.png) <img src=c.png>\n")

    assert [link.url for link in line.links] == ["https://x.y/z"]
    assert (line.images, "shot" in line.text) == (2, False)


def test_html_comments_are_kept_apart_from_text() -> None:
    comment, line, inner = blocks("<!-- a prompt -->\n\nwritten <!-- aside --> here\n")

    assert (comment.kind, inner.kind) == (BlockKind.HTML_COMMENT, BlockKind.HTML_COMMENT)
    assert (comment.text, line.text.split(), inner.text) == ("a prompt", ["written", "here"], "aside")


def test_an_unclosed_comment_reaches_to_the_end() -> None:
    (comment,) = blocks("<!-- never closed\n\n# not a heading\n")

    assert comment.kind is BlockKind.HTML_COMMENT


def test_what_is_folded_in_details_is_a_panel_headed_by_its_summary() -> None:
    panel, after = blocks("<details><summary>Notes</summary>\n\ninside\n\n</details>\n\nafter\n")

    assert panel.kind is BlockKind.PANEL
    assert [(child.kind, child.text) for child in panel.children] == [
        (BlockKind.HEADING, "Notes"),
        (BlockKind.PARAGRAPH, "inside"),
    ]
    assert after.text == "after"


def test_plus_signs_fold_as_they_do_in_linear() -> None:
    panel, after = blocks("+++ Notes\n\ninside\n\n+++\n\nafter\n")

    assert [child.text for child in panel.children] == ["Notes", "inside"]
    assert after.text == "after"


def test_a_details_element_without_blank_lines_is_read_too() -> None:
    (panel,) = blocks("<details><summary>Log</summary>\n```\nboom();\n```\n<p>text</p></details>\n")

    assert [child.kind for child in panel.children] == [BlockKind.HEADING, BlockKind.CODE, BlockKind.PARAGRAPH]


def test_an_html_table_has_rows_and_an_html_list_has_items() -> None:
    header, row, item = blocks(
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>\n\n"
        "<ul><li>one <b>item</b></li></ul>\n"
    )

    assert (header.is_header, row.cells) == (True, ("1", "2"))
    assert (item.kind, item.text) == (BlockKind.ITEM, "one item")


def test_an_unknown_tag_is_a_slot_and_stays_in_the_text() -> None:
    assert texts("Run it on <environment> first\n") == ["Run it on <environment> first"]


def test_code_keeps_its_text_and_language() -> None:
    (code,) = blocks("~~~gherkin\nGiven x\n~~~\n")

    assert (code.kind, code.language, code.text) == (BlockKind.CODE, "gherkin", "Given x\n")


def test_lone_surrogates_do_no_harm_and_move_nothing() -> None:
    parsed = parse_markdown("a\ud800b and \udfff more")

    assert len(parsed.text) == len("a\ud800b and \udfff more")
    assert parsed.blocks[0].text.endswith("more")


def test_deep_nesting_is_flattened_and_not_lost() -> None:
    (outer,) = blocks("> " * 500 + "deep\n")

    depth, block = 0, outer
    while block.children:
        depth, block = depth + 1, block.children[0]
    assert block.text == "deep"
    assert depth <= 60
