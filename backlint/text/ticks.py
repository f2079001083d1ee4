"""Whether the boxes in a text are ticked, read fast: what a team's habit is learned from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.model import Markup

_MARKDOWN_BOX = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,3}[.)])[ \t]+\[(?P<mark>[ xX])\][ \t]", re.MULTILINE)
_ADF_BOX = re.compile(r'"state"\s*:\s*"(?P<mark>TODO|DONE)"')  # of taskItem nodes


def ticks(text: str, markup: Markup) -> Iterator[bool]:
    """One value for each box."""
    pattern = _ADF_BOX if markup is Markup.ADF else _MARKDOWN_BOX
    for box in pattern.finditer(text):
        yield box["mark"] in ("x", "X", "DONE")
