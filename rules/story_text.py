"""The sentence of a user story in an issue: "As a R, I want G, so that B", in the body or in the title."""

from __future__ import annotations

from dataclasses import dataclass

from backlint.model import Evidence, Issue
from backlint.rules.evidence import of_span, of_value
from backlint.rules.rule import Context
from backlint.text.document import Document, DropReason
from backlint.text.story import Story, read_story

JOB = "job story"
# A sentence may run over lines that are too short by themselves, or over one that looks like a heading in bold; many
# people set it off as a quote.
_READ_TOO = (DropReason.TOO_SHORT, DropReason.PLACEHOLDER, DropReason.QUOTE)


@dataclass(frozen=True, slots=True)
class ToldStory:
    story: Story
    evidence: Evidence


def told_story(issue: Issue, context: Context) -> ToldStory | None:
    """The sentence in the body, else in the title; a filled one before an empty one."""
    return context.once("story", issue, lambda: _told_story(issue, context))


def _told_story(issue: Issue, context: Context) -> ToldStory | None:
    found = (_in_body(context.texts.body(issue)), _in_title(issue.title))
    told = [each for each in found if each is not None]
    return min(told, key=lambda each: len(each.story.missing), default=None)


def _in_title(title: str) -> ToldStory | None:
    story = read_story(title)
    return (
        ToldStory(story, of_value("P", "title", title[story.start : story.end], note=_kind(story))) if story else None
    )


def _in_body(document: Document) -> ToldStory | None:
    pieces = sorted(_pieces(document))
    story = read_story("\n".join(text for _, _, text in pieces))
    if story is None:
        return None
    start, end = _place(pieces, story)
    return ToldStory(story, of_span(document, start, end, kind="P", field="body", note=_kind(story)))


def _kind(story: Story) -> str | None:
    return JOB if story.is_job else None


def _pieces(document: Document) -> set[tuple[int, int, str]]:
    headings = {(section.start, _line_end(document, section.start), section.heading) for section in document.sections}
    begun = {start for start, _, _ in headings}
    lines = {(item.start, item.end, item.text) for item in document.items if item.start not in begun}
    short = {(line.start, line.end, line.text) for line in document.dropped if line.reason in _READ_TOO}
    return headings | lines | short


def _line_end(document: Document, start: int) -> int:
    end = document.text.find("\n", start)
    return len(document.text) if end < 0 else end


def _place(pieces: list[tuple[int, int, str]], story: Story) -> tuple[int, int]:
    """From the line in which the sentence begins to the one in which it ends."""
    at, first, last = 0, pieces[0], pieces[0]
    for piece in pieces:
        if at <= story.start:
            first = piece
        if at < story.end:
            last = piece
        at += len(piece[2]) + 1
    return first[0], max(first[1], last[1])
