"""The one entry to the parsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from backlint.model import Markup
from backlint.text.adf import parse_adf
from backlint.text.blocks import Parsed
from backlint.text.markdown import parse_markdown
from backlint.text.plain import parse_plain
from backlint.text.wiki import parse_wiki

_PARSERS: Mapping[Markup, Callable[[str], Parsed]] = MappingProxyType(
    {
        Markup.MARKDOWN: parse_markdown,
        Markup.WIKI: parse_wiki,
        Markup.ADF: parse_adf,
        Markup.PLAIN: parse_plain,
    }
)


def parse(text: str, markup: Markup) -> Parsed:
    """The blocks of a text in any notation; there is no text that it refuses."""
    return _PARSERS[markup](text)
