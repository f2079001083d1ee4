"""What our Markdown becomes in Jira's two notations, and what a document says in plain text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backlint.connectors.jira.adf import markdown_to_adf, plain
from backlint.connectors.jira.values import LAST_LINE, has_marker
from backlint.connectors.jira.wiki_writer import markdown_to_wiki
from backlint.connectors.sandbox.jira import _is_document
from backlint.model import Markup
from tests.connectors.jira.payload import adf

SAFE_NODES = {"doc", "paragraph", "text", "heading", "bulletList", "listItem", "rule", "hardBreak"}
SAFE_MARKS = {"strong", "em", "code", "link"}
EVERYTHING = """# Title

Some **bold**, _soft_, ~~gone~~, `code` and **`both`** with [a link](https://example.test/a) <!-- hidden -->

- one
  - nested
    1. deep
- [ ] open
- [x] done

1. first
2. second

> quoted

```python
print("x")

print("y")
```

| a | b |
|---|---|
| 1 | 2 |

![picture](https://example.test/p.png)

- # heading in an item
- ---

---
"""


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for child in node.get("content", []) for inner in nodes(child))]


@pytest.mark.parametrize("text", [EVERYTHING, "", "\n\n", "<!-- hidden -->", "- \n- ", "***", "[](x)", "``` \n```"])
def test_only_safe_nodes_in_legal_places(text: str) -> None:
    document = markdown_to_adf(text, last_line=LAST_LINE)

    found = nodes(document)
    assert {node["type"] for node in found} <= SAFE_NODES
    assert {mark["type"] for node in found for mark in node.get("marks", [])} <= SAFE_MARKS
    assert _is_document(document)
    for node in found:
        marks = {mark["type"] for mark in node.get("marks", [])}
        assert "code" not in marks or marks <= {"code", "link"}
        if node["type"] == "listItem":
            assert {child["type"] for child in node["content"]} <= {"paragraph", "bulletList"}


def test_nothing_that_can_be_read_is_lost() -> None:
    text = plain(markdown_to_adf(EVERYTHING, last_line=LAST_LINE))

    for words in (
        "Title", "bold", "soft", "gone", "code", "both", "a link", "one", "nested", "deep", "[ ] open", "[x] done",
        "1. first", "2. second", "quoted", 'print("x")', "1 | 2", "picture", "heading in",
    ):  # fmt: skip
        assert words in text
    assert "hidden" not in text


def test_the_last_line_marks_the_comment_in_both_notations() -> None:
    document = json.dumps(markdown_to_adf("Text", last_line=LAST_LINE))
    assert has_marker(document, Markup.ADF)
    assert has_marker(f"Text\r\n\r\n_{LAST_LINE}_\r\n", Markup.WIKI)


@pytest.mark.parametrize("text", ["", "Text", f"{LAST_LINE}\nand more", f"I read '{LAST_LINE}'"])
def test_no_other_text_is_marked(text: str) -> None:
    assert not has_marker(text, Markup.WIKI)


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("## Title ##", "h2. Title"),
        ("some **bold** and *soft* or _soft_", "some *bold* and _soft_ or _soft_"),
        ("- one\n  - two\n1. three", "* one\n** two\n# three"),
        ("- [ ] open\n- [x] done", "* [ ] open\n* (/) done"),
        ("`code` and [text](https://x.test/a_b)", "{{code}} and [text|https://x.test/a_b]"),
        ("> quoted", "bq. quoted"),
        ("---", "----"),
        ("```py\na {b}\n```", "{code:py}\na {b}\n{code}"),
        ("```\nnever closed", "{code}\nnever closed\n{code}"),
        ("~~gone~~", "-gone-"),
        ("a <!-- hidden\nlines --> b", "a  b"),
        ("{panel} [~ann] a|b 2^3", "\\{panel\\} \\[\\~ann\\] a\\|b 2\\^3"),
        ("snake_case stays", "snake\\_case stays"),
        (r"not \*bold\*", "not \\*bold\\*"),
        ("`/hygiene waive AC001`", "{{/hygiene waive AC001}}"),
    ],
)
def test_wiki_markup_shows_what_markdown_shows(markdown: str, wiki: str) -> None:
    assert markdown_to_wiki(markdown) == wiki


def test_unknown_and_odd_nodes_are_walked() -> None:
    document = {
        "type": "doc",
        "content": [
            {"type": "hologram", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "inside"}]}]},
            {"type": "paragraph", "content": [
                {"type": "mention", "attrs": {"id": "1", "text": "@Ann"}}, {"type": "text", "text": " by "},
                {"type": "date", "attrs": {"timestamp": "1772323200000"}}, {"type": "text", "text": " "},
                {"type": "status", "attrs": {"text": "LATE", "color": "red"}},
                {"type": "emoji", "attrs": {"shortName": ":tada:"}},
                {"type": "inlineCard", "attrs": {"url": "https://x.test"}}, {"type": "hardBreak"},
                {"type": "text", "text": "next"}, {"type": "date", "attrs": {"timestamp": "x"}}]},
            {"type": "expand", "attrs": {"title": "More"}, "content": adf("folded")["content"]},
            {"type": "paragraph", "content": None}, None, "stray",
        ],
    }  # fmt: skip

    assert plain(document) == "inside\n@Ann by 2026-03-01 LATE:tada:https://x.test\nnext\nMore\nfolded"
