"""What must hold for every text, however odd or long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.model import Markup
from backlint.text.document import Document, read
from backlint.text.parse import parse

MARKS = st.sampled_from(
    [
        "# ", "## ", "h3. ", "* ", "- ", "# ", "1. ", "- [ ] ", "- [x] ", "> ", "bq. ", "| ", " | ", "||", "\n",
        "\n\n", "\r\n", "    ", "\t", "**", "*", "_", "__", "~~", "-", "`", "```\n", "~~~gherkin\n", "{code}",
        "{code:java}", "{noformat}", "{quote}", "{panel:title=x}", "{panel}", "{html}", "{color:red}", "{color}",
        "<!--", "-->", "<details>", "<summary>", "</summary>", "</details>", "<table><tr><td>", "</td></tr></table>",
        "<li>", "<br>", "<pre>", "<b>", "</b>", "<x y", ">", "[", "](", ")", "![", "!a.png!", "[a|http://x]",
        "+++ T\n", "+++\n", "-- \n", "---\n", ":", "Acceptance criteria", "Expected: ", "Given ", "When ", "Then ",
        "the list is sorted", "N/A - because we said so", "TBD", "...", "at a.b.C(D.java:1)\n", "🎉", "é",
        "日本語の一覧です",
        "שלום", "\ud800", "\u200b", "\x00", "\\",
        ]
)  # fmt: skip
ANY_TEXT = st.one_of(st.lists(MARKS, max_size=40).map("".join), st.text(max_size=200))
NOTATIONS = st.sampled_from(list(Markup))


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT, NOTATIONS)
def test_no_text_is_refused_and_every_place_is_in_the_text(text: str, markup: Markup) -> None:
    document = read(text, markup)

    for part in (*document.items, *document.dropped, *document.sections, *document.scenarios):
        assert 0 <= part.start <= part.end <= len(document.text)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.sampled_from([Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN]))
def test_offsets_refer_to_the_source_as_long_as_it_was(text: str, markup: Markup) -> None:
    assert len(read(text, markup).text) == len(text)


WORDS = st.lists(
    st.sampled_from(["größe", "list", "日本語", "🎉list", "sorted", "name", "שלום", "zebra"]), min_size=3, max_size=6
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=8), st.sampled_from([Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN, Markup.ADF])
)
def test_the_place_of_an_item_holds_its_source(lines: list[list[str]], markup: Markup) -> None:
    written = [" ".join([f"line{index}", *words]) for index, words in enumerate(lines)]
    text = "".join(f"- {line}\n" for line in written) if markup is not Markup.ADF else adf(written)

    document = read(text, markup)

    assert [document.text[item.start : item.end] for item in document.items] == written


def adf(lines: list[str]) -> str:
    items = [
        {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": line}]}]}
        for line in lines
    ]
    return json.dumps({"type": "doc", "version": 1, "content": [{"type": "bulletList", "content": items}]})


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["type", "content", "text", "attrs", "marks", "x"]),
                inner
                | st.sampled_from(
                    [
                        "doc",
                        "paragraph",
                        "listItem",
                        "taskItem",
                        "table",
                        "tableRow",
                        "heading",
                        "mention",
                        "media",
                        "date",
                    ]
                ),
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_no_json_is_refused_as_a_document(value: object) -> None:
    read(json.dumps(value), Markup.ADF)


# -- size ------------------------------------------------------------------------------------------------------------


def test_ten_thousand_items_are_ten_thousand_items() -> None:
    text = "".join(f"- item number {number} is here\n" for number in range(10_000))

    for markup in (Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN):
        assert len(read(text, markup).items) == 10_000


def test_a_megabyte_of_log_holds_nothing_authored() -> None:
    line = "2026-03-02 10:15:00,123 ERROR [worker-1] com.acme.Shop - the shop is closed\n"

    document = read(line * (1_000_000 // len(line)), Markup.WIKI)

    assert document.items == ()
    assert len(document.dropped) > 10_000


GROWTH: dict[str, str] = {
    "openers of code": "{code:java} ",
    "openers of comments": "<!-- a ",
    "openers of links": "[a](b ",
    "stars": "*a **b ",
    "underscores": "_a __b ",
    "hyphens": " -a-b ",
    "bars": "|a||b",
    "backticks": "`a ``b ",
    "tags": "<a <b> ",
    "quotes": "> ",
    "brackets": "[[({<",
    "steps": "given when ",
    "sentences": "given a b when c d ",
    "requirement": "when a then ",
    "labels": "why: goal - ",
    "dots": "'... ",
    "spaces": " " * 8,
    "items": "- a b c\n",
    "nested items": "* a\n** b\n",
    "tables": "| a | b |\n",
    "panels": "{panel:title=a}\n",
    "braces": "{a{b}",
    "numbers": "1.1.1. ",
    "emoji": "🎉é ",
    "images": "!a.png ",
    "fences": "```\n",
    "details": "<details>\n\n",
    "dates": "2026-03-02 10:15 ",
    "joined lines": "the long line goes on and on and on and on and on and on\n",
}


@pytest.mark.parametrize("markup", [Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN])
@pytest.mark.parametrize("name", GROWTH)
def test_four_times_the_text_takes_about_four_times_as_long(name: str, markup: Markup) -> None:
    piece = GROWTH[name]
    small = piece * (20_000 // len(piece))
    # Quadratic work would take sixteen times as long; a noisy machine is given twice the linear share.
    ratio = _seconds(read, small * 4, markup) / max(_seconds(read, small, markup), 0.002)

    assert ratio < 9


def _seconds(work: Callable[[str, Markup], Document], text: str, markup: Markup) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        work(text, markup)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("depth", [1_000, 20_000])
def test_deep_nesting_is_no_danger(depth: int) -> None:
    texts = [
        "> " * depth + "deep",
        "\n".join("  " * level + "- x" for level in range(min(depth, 500))),
        "<details>" * depth,
        "<ul><li>" * depth,
        "*" * depth + " deep",
    ]
    for text in texts:
        for markup in (Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN):
            read(text, markup)
            parse(text, markup)
