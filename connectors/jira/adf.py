"""Atlassian's document format: the few nodes that our comments use, and the plain text of any document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import marklassian

Node = dict[str, Any]
SAFE_MARKS = ("strong", "em", "link")
BLOCKS = frozenset(
    {
        "paragraph", "heading", "codeBlock", "listItem", "taskItem", "decisionItem", "tableRow", "rule", "blockCard",
        "embedCard", "mediaSingle", "caption",
    }
)  # fmt: skip


def markdown_to_adf(text: str, *, last_line: str) -> Node:
    """A Markdown text in the nodes that every Jira accepts in a comment, with a line of ours below it."""
    blocks = list(_blocks(marklassian.markdown_to_adf(text).get("content", [])))
    blocks.append(_paragraph([{"type": "text", "text": last_line, "marks": [{"type": "em"}]}]))
    return {"version": 1, "type": "doc", "content": blocks}


def _blocks(nodes: Iterable[Any]) -> Iterator[Node]:
    for node in nodes:
        yield from _block(node)


def _block(node: Node) -> Iterator[Node]:
    """The node itself if it is a safe one, else the nearest that is."""
    content = node.get("content", [])
    match node["type"]:
        case "heading":
            inline = list(_inline(content))
            if inline:
                yield {"type": "heading", "attrs": {"level": node["attrs"]["level"]}, "content": inline}
        case "paragraph":
            inline = list(_inline(content))
            if inline:
                yield _paragraph(inline)
        case "bulletList" | "orderedList" | "taskList":
            items = [item for i, child in enumerate(content, start=1) if (item := _item(child, node, i))]
            if items:
                yield {"type": "bulletList", "content": items}
        case "rule":
            yield {"type": "rule"}
        case "codeBlock":
            yield from _code(content)
        case "tableRow":
            yield _paragraph([_text(" | ".join(plain(cell).strip() for cell in content) or " ")])
        case "mediaSingle":
            yield from _media(content)
        case _:
            yield from _blocks(content)


def _item(node: Node, parent: Node, number: int) -> Node | None:
    """Inside a list item only paragraphs and lists may stand; boxes and numbers become text."""
    content = node.get("content", [])
    if parent["type"] == "taskList":
        box = "[x] " if node.get("attrs", {}).get("state") == "DONE" else "[ ] "
        return {"type": "listItem", "content": [_paragraph([_text(box), *_inline(content)])]}
    inside = [_within_item(block) for block in _blocks(content)]
    if not inside:
        return None
    if parent["type"] == "orderedList" and inside[0]["type"] == "paragraph":
        inside[0] = _paragraph([_text(f"{number}. "), *inside[0]["content"]])
    return {"type": "listItem", "content": inside}


def _within_item(block: Node) -> Node:
    if block["type"] in ("heading", "rule"):
        return _paragraph(block.get("content") or [_text("-")])
    return block


def _code(content: list[Node]) -> Iterator[Node]:
    lines = "".join(child.get("text", "") for child in content).splitlines()
    inline: list[Node] = []
    for line in lines:
        if inline:
            inline.append({"type": "hardBreak"})
        inline.append({"type": "text", "text": line or " ", "marks": [{"type": "code"}]})
    if inline:
        yield _paragraph(inline)


def _media(content: list[Node]) -> Iterator[Node]:
    for media in content:
        attributes = media.get("attrs", {})
        if url := attributes.get("url"):
            mark = {"type": "link", "attrs": {"href": url}}
            yield _paragraph([{"type": "text", "text": attributes.get("alt") or url, "marks": [mark]}])


def _inline(nodes: Iterable[Node]) -> Iterator[Node]:
    """Texts and breaks; a text must not be empty, and code goes together with a link alone."""
    for node in nodes:
        if node["type"] == "hardBreak":
            yield {"type": "hardBreak"}
        elif node.get("text"):
            marks = node.get("marks", [])
            is_code = any(mark["type"] == "code" for mark in marks)
            safe = ("code", "link") if is_code else SAFE_MARKS
            kept = [mark for mark in marks if mark["type"] in safe]
            yield {"type": "text", "text": node["text"], **({"marks": kept} if kept else {})}
        elif node.get("content"):
            yield from _inline(node["content"])


def _paragraph(content: list[Node]) -> Node:
    return {"type": "paragraph", "content": content}


def _text(text: str) -> Node:
    return {"type": "text", "text": text}


def plain(node: Any) -> str:
    """What a reader sees, one block a line, list items and boxes marked as in Markdown. Unknown nodes are walked."""
    return "\n".join(line for line in _rendered(node, depth=0).split("\n") if line.strip())


def _rendered(node: Any, *, depth: int) -> str:
    if not isinstance(node, dict):
        return ""
    kind, attributes = node.get("type"), node.get("attrs") or {}
    match kind:
        case "text":
            return str(node.get("text", ""))
        case "hardBreak":
            return "\n"
        case "mention" | "placeholder" | "status":
            return str(attributes.get("text", ""))
        case "emoji":
            return str(attributes.get("text") or attributes.get("shortName") or "")
        case "date":
            return _date(attributes.get("timestamp"))
        case "inlineCard" | "blockCard" | "embedCard":
            return str(attributes.get("url", ""))
        case "media" | "mediaInline":
            return str(attributes.get("alt") or "")
        case "bulletList" | "orderedList" | "taskList" | "decisionList":
            return "\n" + "".join(_marked(child, kind, depth) for child in _children(node)) + "\n"
        case "tableRow":
            return " | ".join(_rendered(cell, depth=depth).strip() for cell in _children(node)) + "\n"
        case "expand" | "nestedExpand":
            return f"{attributes.get('title') or ''}\n{_inside(node, depth)}"
        case _:
            return _inside(node, depth) + ("\n" if kind in BLOCKS else "")


def _marked(node: Any, kind: str, depth: int) -> str:
    if isinstance(node, dict) and node.get("type") == kind:  # a task list directly inside a task list
        return _rendered(node, depth=depth + 1)
    state = (node.get("attrs") or {}).get("state") if isinstance(node, dict) else None
    box = {"TODO": "[ ] ", "DONE": "[x] "}.get(str(state), "") if kind == "taskList" else ""
    return f"\n{'  ' * depth}- {box}{_rendered(node, depth=depth + 1).strip()}"


def _inside(node: Node, depth: int) -> str:
    return "".join(_rendered(child, depth=depth) for child in _children(node))


def _children(node: Node) -> list[Any]:
    content = node.get("content")
    return content if isinstance(content, list) else []


def _date(timestamp: Any) -> str:
    """Milliseconds as text."""
    try:
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
