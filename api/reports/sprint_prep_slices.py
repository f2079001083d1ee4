"""Slices for items that are too big, along what they already say about themselves."""

from __future__ import annotations

import re

from backlint.model import Issue
from backlint.rules.criteria_list import criteria, scenarios
from backlint.rules.rule import Context

MOST_SLICES = 5
LONGEST = 140
_NAME = re.compile(
    r"^\W*(?:scenario|szenario|sc[ée]nario|escenario|cen[áa]rio)(?: outline)?\s*\d*\s*[:：]\s*(.+)$", re.I
)


def slices(issue: Issue, context: Context) -> tuple[tuple[str, ...], str]:
    """Proposed slices and what they rest on: its children, its scenarios, its criteria; none where it has neither."""
    children = [child for child in context.backlog.children(issue) if child.is_open]
    if len(children) > 1:
        return tuple(f"{child.key} {child.title}" for child in children[:MOST_SLICES]), "its open children"
    told = [_short(_name(scenario.text)) for scenario, _ in scenarios(issue, context)]
    listed = [_short(each.text) for each in criteria(issue, context) if each.depth == 0 and each.text.strip()]
    if len(told) > 1 and len(told) >= len(listed):
        return _grouped(told), "its scenarios"
    if len(listed) > 1:
        return _grouped(listed), "its criteria"
    return (), ""


def _name(text: str) -> str:
    """What a scenario is called, else its own words."""
    first = _NAME.match(text.strip().splitlines()[0]) if text.strip() else None
    return first.group(1) if first else text


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _grouped(parts: list[str]) -> tuple[str, ...]:
    """At most so many slices; neighbours stay together, since people list what belongs together."""
    size = -(-len(parts) // MOST_SLICES)
    return tuple("; ".join(parts[place : place + size]) for place in range(0, len(parts), size))
