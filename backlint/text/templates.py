"""Texts that came with the form and not from the author: known templates, and lines learned from a project's issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.model import Issue, IssueType, Markup
from backlint.text.blocks import Block, BlockKind, Parsed
from backlint.text.parse import parse
from backlint.text.words import normalised

# Catalogue 1.7: a line is a template's if it stands in at least this share, and this number, of a project's issues.
LEARNED_SHARE = 0.30
LEARNED_COUNT = 10
LEARNED_DAYS = 90

TemplateKey = tuple[str, str | None, IssueType]


@dataclass(frozen=True, slots=True)
class Templates:
    """Normalised lines that count as nobody's when an issue of this kind is read."""

    lines: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __or__(self, other: Templates) -> Templates:
        return Templates(self.lines | other.lines)

    def holds(self, text: str) -> bool:
        return normalised(text) in self.lines


NO_TEMPLATES = Templates()


def template_key(issue: Issue) -> TemplateKey:
    """The issues that share a template: one source, one project, one type."""
    return issue.source, issue.project, issue.type


def known(texts: Iterable[str], markup: Markup = Markup.MARKDOWN) -> Templates:
    """The lines of template texts: issue templates and forms of a repository, team templates, configured defaults."""
    return Templates(frozenset(line for text in texts for line in template_lines(text, markup)))


def learn(
    issues: Iterable[Issue], *, now: datetime | None = None, days: int = LEARNED_DAYS
) -> Mapping[TemplateKey, Templates]:
    """Lines that many issues of one project and type share, by source, project and type.

    With `now`, only issues created in the last `days` days teach.
    """
    groups: dict[TemplateKey, list[Issue]] = {}
    for issue in issues:
        if now is None or (issue.created_at is not None and issue.created_at >= now - timedelta(days=days)):
            groups.setdefault(template_key(issue), []).append(issue)
    learned = {
        key: shared_lines(parse(issue.body, issue.markup) for issue in members)
        for key, members in groups.items()
        if len(members) >= LEARNED_COUNT
    }
    return {key: templates for key, templates in learned.items() if templates}


def shared_lines(texts: Iterable[Parsed]) -> Templates:
    """The lines that a good share of the texts of one kind hold; a line counts once a text."""
    counts: Counter[str] = Counter()
    total = 0
    for parsed in texts:
        total += 1
        counts.update(_template_lines(parsed.blocks))
    least = max(LEARNED_COUNT, LEARNED_SHARE * total)
    return Templates(frozenset(line for line, count in counts.items() if count >= least))


def template_lines(text: str, markup: Markup) -> frozenset[str]:
    """The distinct normalised lines of a text, headings and code included."""
    return frozenset(_template_lines(parse(text, markup).blocks))


def _template_lines(blocks: Iterable[Block]) -> set[str]:
    written: list[str] = []
    _collect(blocks, written)
    lines = {normalised(line) for line in set(written)}
    lines.discard("")
    return lines


def _collect(blocks: Iterable[Block], lines: list[str]) -> None:
    for block in blocks:
        if block.kind is BlockKind.CODE:
            lines += block.text.splitlines()
        elif block.kind is not BlockKind.HTML_COMMENT:
            lines.append(block.text)
        if block.children:
            _collect(block.children, lines)
