"""Markdown to Jira's wiki markup, for the comments written on Data Center: the small part that our own texts use."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^\s*(```|~~~)\s*([\w+-]*)\s*$")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_RULE = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")
_BULLET = re.compile(r"^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?(.*)$")
_NUMBER = re.compile(r"^(\s*)\d+[.)]\s+(.*)$")
_QUOTE = re.compile(r"^\s*>\s?(.*)$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"(?P<code>`+)(?P<text>.+?)(?P=code)"
    r"|!\[(?P<alt>[^\]]*)\]\((?P<image>[^)\s]+)\)"
    r"|\[(?P<label>[^\]]+)\]\((?P<url>[^)\s]+)\)"
    r"|\*\*(?P<strong>.+?)\*\*|__(?P<strong2>.+?)__"
    r"|(?<![\w*])\*(?P<em>[^*\s][^*]*?)\*(?![\w*])|(?<![\w_])_(?P<em2>[^_\s][^_]*?)_(?![\w_])"
    r"|~~(?P<struck>.+?)~~"
    r"|\\(?P<escaped>[\\`*_{}\[\]()#+\-.!~|<>])"
)
# What wiki markup would read as its own: macros, links, emphasis, mentions of users.
_SPECIAL = re.compile(r"([{}\[\]*_|~^!])")
INDENT = 2  # spaces that nest a Markdown list one level deeper


def markdown_to_wiki(text: str) -> str:
    """Wiki markup that shows what the Markdown shows; hidden HTML comments are left out."""
    return "\n".join(_lines(_COMMENT.sub("", text).strip("\n")))


def _lines(text: str) -> Iterator[str]:
    in_code = False
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence:
            in_code = not in_code
            yield f"{{code:{fence[2]}}}" if in_code and fence[2] else "{code}"
        elif in_code:
            yield line
        else:
            yield _line(line)
    if in_code:
        yield "{code}"


def _line(line: str) -> str:
    if heading := _HEADING.match(line):
        return f"h{len(heading[1])}. {_inline(heading[2])}"
    if _RULE.match(line):
        return "----"
    if bullet := _BULLET.match(line):
        box = "" if bullet[2] is None else ("[ ] " if bullet[2] == " " else "(/) ")
        return f"{'*' * _depth(bullet[1])} {box}{_inline(bullet[3])}"
    if number := _NUMBER.match(line):
        return f"{'#' * _depth(number[1])} {_inline(number[2])}"
    if quote := _QUOTE.match(line):
        return f"bq. {_inline(quote[1])}"
    return _inline(line)


def _depth(indent: str) -> int:
    return 1 + len(indent.expandtabs(4)) // INDENT


def _inline(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _INLINE.finditer(text):
        parts += (_escaped(text[at : found.start()]), _element(found))
        at = found.end()
    return "".join((*parts, _escaped(text[at:])))


def _element(found: re.Match[str]) -> str:
    group = found.groupdict()
    if group["text"] is not None:
        return f"{{{{{_escaped(group['text'])}}}}}"
    if group["url"] is not None:
        return f"[{_escaped(group['label'])}|{group['url']}]"
    if group["image"] is not None:
        return f"[{_escaped(group['alt']) or group['image']}|{group['image']}]"
    if strong := group["strong"] or group["strong2"]:
        return f"*{_escaped(strong)}*"
    if em := group["em"] or group["em2"]:
        return f"_{_escaped(em)}_"
    if group["struck"] is not None:
        return f"-{_escaped(group['struck'])}-"
    return _escaped(str(group["escaped"]))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
