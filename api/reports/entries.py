"""A line of a list: an issue with what is said of it. Lists of them stand behind the figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backlint.model import Issue
from backlint.rules.order import by_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An issue, or with `key` None a fact about a team, a sprint or a project."""

    source: str
    key: str | None
    url: str | None
    title: str
    said: str = ""


def entry(issue: Issue, said: str = "") -> Entry:
    return Entry(source=issue.source, key=issue.key, url=issue.url, title=issue.title, said=said)


def entries(issues: Iterable[Issue]) -> tuple[Entry, ...]:
    """The issues behind a figure, in a stable order."""
    return tuple(entry(issue) for issue in sorted(issues, key=by_key))
