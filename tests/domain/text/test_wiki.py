"""Jira's wiki markup."""

from __future__ import annotations

import pytest

from backlint.text.blocks import Block, BlockKind
from backlint.text.wiki import parse_wiki


def blocks(text: str) -> tuple[Block, ...]:
    return parse_wiki(text).blocks


@pytest.mark.parametrize("level", range(1, 7))
def test_headings_of_all_levels_with_and_without_a_space(level: int) -> None:
    for text in (f"h{level}. Title", f"h{level}.Title"):
        (heading,) = blocks(text)
        assert (heading.kind, heading.level, heading.text) == (BlockKind.HEADING, level, "Title")


def test_lists_nest_by_their_marks() -> None:
    first, second = blocks("* one\n** inner\n*# numbered\n- two")

    assert [(child.text, child.level, child.ordered) for child in first.children] == [
        ("inner", 1, False),
        ("numbered", 1, True),
    ]
    assert (second.text, second.level) == ("two", 0)


def test_bold_at_the_start_of_a_line_is_no_list() -> None:
    (line,) = blocks("*Acceptance criteria*")

    assert (line.kind, line.is_bold) == (BlockKind.PARAGRAPH, True)


def test_inline_marks_are_taken_off_and_hyphens_in_words_are_none() -> None:
    (line,) = blocks("a *bold* _word_ with {{mono}} and well-known -gone- things, -Xmx1g")

    assert " ".join(line.text.split()) == "a bold word with mono and well-known things, -Xmx1g"


def test_a_struck_item_is_struck_and_a_dash_is_not() -> None:
    struck, dash = blocks("* -not any more-\n* works - mostly - here")

    assert (struck.is_struck, struck.text) == (True, "not any more")
    assert (dash.is_struck, dash.text) == (False, "works - mostly - here")


@pytest.mark.parametrize("name", ["code", "code:java", "noformat", "code:title=x.py|borderStyle=solid"])
def test_verbatim_macros_are_code_even_within_a_line(name: str) -> None:
    before, code, after = blocks(f"before {{{name}}}h1. not a heading{{{name.partition(':')[0]}}} after")

    assert (before.text, code.kind, code.text, after.text) == ("before", BlockKind.CODE, "h1. not a heading", "after")


def test_the_language_of_code_is_kept() -> None:
    (code,) = blocks("{code:sql}\nselect 1\n{code}")

    assert code.language == "sql"


def test_an_unclosed_macro_is_text() -> None:
    assert [block.kind for block in blocks("the path is /x/{code}/y\n\nnext")] == [BlockKind.PARAGRAPH] * 2


def test_quotes_open_and_close_by_turns() -> None:
    line, quote, after = blocks("bq. short\n{quote}\nlong\n{quote}\nafter")

    assert (line.kind, quote.kind, after.kind) == (BlockKind.QUOTE, BlockKind.QUOTE, BlockKind.PARAGRAPH)
    assert quote.children[0].text == "long"


def test_a_panel_is_headed_by_its_title() -> None:
    (panel,) = blocks("{panel:title=Goal|bgColor=#fff}\nsell more\n{panel}")

    assert [(child.kind, child.text) for child in panel.children] == [
        (BlockKind.HEADING, "Goal"),
        (BlockKind.PARAGRAPH, "sell more"),
    ]


def test_a_quote_left_open_ends_with_its_panel() -> None:
    panel, after = blocks("{panel}\n{quote}\nquoted\n{panel}\nafter")

    assert [child.kind for child in panel.children] == [BlockKind.QUOTE]
    assert (after.kind, after.text) == (BlockKind.PARAGRAPH, "after")


def test_colours_leave_no_trace() -> None:
    text = "this is {color:red}very *red*{color} text"
    (line,) = blocks(text)

    assert line.text == "this is very red text"
    assert text[line.start : line.end] == text


def test_tables_have_headers_cells_and_links_with_bars() -> None:
    header, row = blocks("|| # || Criterion ||\n| 1 | see [spec|https://x.y] |")

    assert (header.is_header, header.cells) == (True, ("#", "Criterion"))
    assert (row.is_header, row.cells) == (False, ("1", "see spec"))
    assert row.links[0].url == "https://x.y"


def test_links_images_and_buttons_in_brackets() -> None:
    (line,) = blocks("[the spec|https://x.y/z] [~mia] !shot.png|thumbnail! [Save] button!")

    assert [link.url for link in line.links] == ["https://x.y/z", "~mia"]
    assert line.images == 1
    assert line.text.endswith("[Save] button!")


def test_html_macros_are_stripped_with_offsets_into_the_source() -> None:
    text = "{html}<div>one<br/>two <a href='https://x.y'>link</a></div><!-- no -->{html}"
    one, two, comment = blocks(text)

    assert (one.text, two.text, comment.kind) == ("one", "two link", BlockKind.HTML_COMMENT)
    assert text[one.start : one.end] == "one"
    assert two.links[0].url == "https://x.y"


@pytest.mark.parametrize("text", ["- [ ] open", "* [ ] open", "[ ] open"])
def test_pasted_boxes_are_boxes(text: str) -> None:
    (line,) = blocks(text)

    assert (line.text, line.ticked) == ("open", False)


def test_check_marks_tick() -> None:
    assert [block.ticked for block in blocks("* (/) yes\n* (x) no\n* maybe")] == [True, False, None]


def test_pasted_markdown_headings_and_fences_are_read_and_steps_stay_steps() -> None:
    heading, code, item = blocks("## Acceptance criteria\n\n```\nx = 1\n```\n\n# open the page")

    assert (heading.kind, heading.level) == (BlockKind.HEADING, 2)
    assert (code.kind, code.text) == (BlockKind.CODE, "x = 1")
    assert (item.kind, item.ordered) == (BlockKind.ITEM, True)


def test_typed_numbers_are_ordered_items_and_a_bare_number_is_an_empty_one() -> None:
    first, second = blocks("1. open it\n2.")

    assert (first.ordered, first.text, second.kind, second.text) == (True, "open it", BlockKind.ITEM, "")


def test_windows_line_ends_change_nothing() -> None:
    unix = [(block.kind, block.text) for block in blocks("h2. A\n* b\n\nc")]

    assert [(block.kind, block.text) for block in blocks("h2. A\r\n* b\r\n\r\nc")] == unix
