"""What the author really wrote in a text: sections, items, scenarios; and what was dropped, with the reason."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from msgspec import Struct

from backlint.model import Markup
from backlint.text.blocks import Block, BlockKind, Parsed
from backlint.text.gherkin import Scenario, StepLine, may_hold_scenarios, scenarios
from backlint.text.headings import OTHER, Meaning, meanings_of_heading, meanings_of_label
from backlint.text.lines import DropReason, SourceLine, flat, merged, split_label
from backlint.text.markdown import without_surrogates
from backlint.text.noise import is_code_line, is_log_line, signature_start
from backlint.text.parse import parse
from backlint.text.placeholder import is_placeholder, waiver_reason
from backlint.text.plain import each_line
from backlint.text.templates import NO_TEMPLATES, Templates
from backlint.text.words import count_words, unspaced_characters

__all__ = [
    "MIN_WORDS",
    "OWN_MARKER",
    "Document",
    "DropReason",
    "Dropped",
    "Item",
    "Meaning",
    "Scenario",
    "Section",
    "read",
]

MIN_WORDS = 3
MIN_UNSPACED_CHARACTERS = 6
# What the managed comment carries in every tracker that has no better place for it (the connectors' MARKER, without
# its version); a text with it is not the author's, unless they only quote it.
OWN_MARKER = "backlint:comment"


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """A line or list item that the author wrote; `text[start:end]` of the document.

    `is_code` marks a fence kept because it stands under a steps heading; `is_header` a table's header row, which is
    among the document's items and in no section. `words` as `count_words` counts them.
    """

    text: str
    start: int
    end: int
    ticked: bool | None = None
    is_list_item: bool = False
    depth: int = 0
    cells: tuple[str, ...] = ()
    is_code: bool = False
    is_header: bool = False
    words: int = 0


class Dropped(Struct, frozen=True, kw_only=True, gc=False):
    """A line that does not count, and why."""

    text: str
    start: int
    end: int
    reason: DropReason
    section: str | None = None
    ticked: bool | None = None


class Section(Struct, frozen=True, kw_only=True, gc=False):
    """A heading with what stands under it. `items` are authored; `dropped` are the lines that were taken out.

    `meanings` may be several ("What did you do? What did you expect?"). `waiver` is the reason of an inline
    "N/A - reason".
    Items of a subsection belong to its parents too, but not to a parent that opens something else.
    """

    heading: str
    start: int
    end: int
    level: int
    meanings: frozenset[Meaning]
    items: tuple[Item, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    waiver: str | None = None
    images: int = 0


class Document(Struct, frozen=True, kw_only=True, dict=True):
    """A text after the pipeline of catalogue 1.7. Offsets are code points into `text`."""

    text: str
    sections: tuple[Section, ...] = ()
    items: tuple[Item, ...] = ()  # everything authored, in order, the sections' items included
    dropped: tuple[Dropped, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    words: int = 0  # authored words; for scripts without spaces, characters / 2
    images: int = 0
    links: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> tuple[Item | Dropped, ...]:
        """Authored lines with those that are merely short, in order: "@mia" and "30 Sep" mean something."""
        short = [line for line in self.dropped if line.reason is DropReason.TOO_SHORT]
        return tuple(sorted((*self.items, *short), key=_start))

    def is_in_scenario(self, place: int) -> bool:
        """Whether the character at this offset belongs to a scenario."""
        starts, ends = self._scenario_places
        before = bisect_right(starts, place)
        return before > 0 and place < ends[before - 1]

    @cached_property
    def _scenario_places(self) -> tuple[list[int], list[int]]:
        """Where scenarios start, and the furthest end of all that started by then."""
        spans = sorted((scenario.start, scenario.end) for scenario in self.scenarios)
        return [start for start, _ in spans], list(accumulate((end for _, end in spans), max))

    def under(self, *meanings: Meaning) -> tuple[Section, ...]:
        """The sections that open any of the meanings."""
        if not self.sections:
            return ()
        return tuple(section for section in self.sections if not section.meanings.isdisjoint(meanings))


def read(
    text: str,
    markup: Markup,
    *,
    templates: Templates = NO_TEMPLATES,
    own_marker: str = OWN_MARKER,
    parsed: Parsed | None = None,
) -> Document:
    """The text after parsing, dropping, subtracting templates, the placeholder test and the least length.

    `parsed` is what `parse` gave for the whole text, where that is at hand.
    """
    if not text or text.isspace():
        return Document(text=text)
    text = without_surrogates(text)
    if own_marker in text and _is_own(text, own_marker):
        return _all_dropped(text, DropReason.OWN)
    # A signature is cut off before parsing: its "-- " would make Markdown take the line before for a heading.
    end = len(text) if markup is Markup.ADF else signature_start(text)
    if parsed is None or end < len(text):
        parsed = parse(text[:end], markup)
    lines = flat(parsed)
    rendered = parsed.text + text[end:]
    reader = _Reader(rendered, templates, end=end if markup is not Markup.ADF else signature_start(rendered))
    found = reader.scenarios(lines)
    return reader.read([*merged(lines, rendered, templates), *_plain_lines(text, end)], found)


def _is_own(text: str, marker: str) -> bool:
    return any(marker in line and not line.lstrip().startswith((">", "bq.")) for line in text.splitlines())


def _all_dropped(text: str, reason: DropReason) -> Document:
    return Document(text=text, dropped=tuple(_dropped(line, reason) for line in _plain_lines(text, 0)))


def _plain_lines(text: str, start: int) -> list[SourceLine]:
    """What stands from `start` on, unparsed, one line each."""
    return [
        SourceLine(
            Block(kind=BlockKind.PARAGRAPH, text=line.strip(), start=start + place, end=start + place + len(line))
        )
        for place, line in each_line(text[start:])
        if line.strip()
    ]


# Levels below the six of real headings: a bold line or a fold, then a line that ends in a colon.
_BOLD_LEVEL = 7
_COLON_LEVEL = 8
# An unknown line is a heading only while it is short; a longer one is a sentence that happens to be bold.
_MAX_UNKNOWN_WORDS = 6
_MAX_BOLD_WORDS = 10
_MAX_BARE_WORDS = 8
# Set as a heading, but a sentence: it opens a section and is content too.
_SENTENCE_WORDS = 12

_VISIBLE = re.compile(r"[^\s\u200b-\u200f\u2060\ufeff]")
_URL = re.compile(r"https?://[^\s<>()\[\]{}\"'`|]+[^\s<>()\[\]{}\"'`|.,;:!?]")


@dataclass(slots=True)
class _Open:
    """A section while lines arrive; `number` counts them from 0."""

    number: int
    heading: str
    start: int
    end: int
    level: int
    meanings: frozenset[Meaning]
    items: list[Item] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    waiver: str | None = None
    images: int = 0
    # A label with text on its line ends at the next gap; one on a list item at the next item of its depth.
    ends_at_gap: bool = False
    ends_with_table: bool = False
    item_depth: int | None = None
    is_shared: bool = False  # its items belong to its parents whatever it opens

    def done(self) -> Section:
        return Section(
            heading=self.heading,
            start=self.start,
            end=self.end,
            level=self.level,
            meanings=self.meanings,
            items=tuple(self.items),
            dropped=tuple(self.dropped),
            waiver=self.waiver,
            images=self.images,
        )


class _Reader:
    """Takes the lines of one text in order."""

    def __init__(self, text: str, templates: Templates, *, end: int) -> None:
        self._text = text
        self._templates = templates
        self._signature = end
        self._sections: list[_Open] = []
        self._stack: list[_Open] = []
        self._targets: list[_Open] | None = None
        self._folds: list[int] = []  # the number of sections before each open panel
        self._items: list[Item] = []
        self._dropped: list[Dropped] = []
        self._fences: dict[int, bool] = {}  # start of a Gherkin fence -> is it filled
        self._words = 0
        self._images = 0
        self._links: list[str] = []

    def scenarios(self, lines: Sequence[SourceLine]) -> tuple[Scenario, ...]:
        """Scenarios are looked for before lines are joined, since every step stands on its own line."""
        if not may_hold_scenarios(self._text):
            return ()
        steps: list[StepLine] = []
        for line in lines:
            if line.reason is not None:
                continue
            if line.kind is BlockKind.CODE:
                steps += self._fence(line)
            elif line.text:
                steps.append(self._step(line.text, line.start, line.end, breaks=line.kind is BlockKind.HEADING))
        return scenarios(steps)

    def _fence(self, line: SourceLine) -> list[StepLine]:
        steps = [self._step(text, line.start, line.end) for text in line.text.splitlines() if text.strip()]
        found = scenarios(steps)
        if not found:
            return [StepLine("", line.start, line.end, breaks=True)]
        self._fences[line.start] = any(not scenario.is_shell for scenario in found)
        gap = StepLine("", line.start, line.end, breaks=True)
        return [gap, *steps, gap]

    def _step(self, text: str, start: int, end: int, *, breaks: bool = False) -> StepLine:
        return StepLine(
            text, start, end, breaks=breaks, is_template=bool(self._templates) and self._templates.holds(text)
        )

    def read(self, lines: Sequence[SourceLine], found: tuple[Scenario, ...]) -> Document:
        last = len(lines) - 1
        for index, line in enumerate(lines):
            self._take(line, lines[index + 1] if index < last else None)
        return Document(
            text=self._text,
            sections=tuple(section.done() for section in self._sections),
            items=tuple(self._items),
            dropped=tuple(self._dropped),
            scenarios=found,
            words=self._words,
            images=self._images,
            links=tuple(dict.fromkeys(self._links)),
        )

    def _take(self, line: SourceLine, following: SourceLine | None) -> None:
        kind = line.kind
        if line.reason is not None:
            self._drop(line, line.reason)
            return
        if kind is BlockKind.PANEL:
            self._fold(line)
            return
        if kind is BlockKind.RULE:
            return
        if line.start >= self._signature:
            self._drop(line, DropReason.SIGNATURE)
            return
        self._leave(line)
        if line.images or line.links or "://" in line.text:
            self._attach(line)
        if kind is BlockKind.HEADING:
            self._heading(line)
        elif kind is BlockKind.CODE:
            self._code(line)
        elif not self._disguised(line, following):
            self._content(line)

    # -- headings ------------------------------------------------------------------------------------------------

    def _heading(self, line: SourceLine) -> None:
        label = split_label(line.text)
        if label is not None:
            self._open(label[0], line, level=line.level)
            self._rest(line, label[1])
            return
        section = self._open(line.text, line, level=line.level)
        if section.meanings is OTHER and count_words(line.text) > _SENTENCE_WORDS:
            self._content(line)

    def _disguised(self, line: SourceLine, following: SourceLine | None) -> bool:
        """Open a section if the line is a heading by its looks; whether it was, content and all."""
        text = line.text
        if not text or ((line.is_italic or text[0] == "(") and is_placeholder(text, is_italic=line.is_italic)):
            return False
        if line.kind is BlockKind.ROW:
            return self._row_label(line, following)
        is_item = line.kind is BlockKind.ITEM
        if text[-1] in ":：":
            return self._colon(line, text[:-1].rstrip(), following, is_item=is_item)
        if line.is_bold:
            return self._bold(line, following, is_item=is_item)
        label = split_label(text)
        if label is not None:
            section = self._open(label[0], line, level=_COLON_LEVEL)
            self._scope(section, line, is_item=is_item, is_shared=is_item)
            section.ends_at_gap = not is_item
            self._rest(line, label[1])
            return True
        if is_item or following is None or len(text) > 80 or text[-1] == ".":
            return False
        if meanings_of_label(text) and count_words(text) <= _MAX_BARE_WORDS and following.is_content:
            self._open(text, line, level=_BOLD_LEVEL)
            return True
        return False

    def _colon(self, line: SourceLine, heading: str, following: SourceLine | None, *, is_item: bool) -> bool:
        meanings = meanings_of_heading(heading)
        if meanings is not OTHER:
            if is_item and line.ticked is not None:
                return False
            level = _BOLD_LEVEL if line.is_bold else _COLON_LEVEL
            self._scope(self._open(heading, line, level=level), line, is_item=is_item, is_shared=False)
            return True
        if is_item or following is None or count_words(heading) > _MAX_UNKNOWN_WORDS:
            return False
        opens_list = following.kind in (BlockKind.ITEM, BlockKind.ROW, BlockKind.CODE)
        if not opens_list and not (line.is_bold and following.is_content):
            return False
        self._open(heading, line, level=_BOLD_LEVEL if line.is_bold else _COLON_LEVEL)
        return True

    def _bold(self, line: SourceLine, following: SourceLine | None, *, is_item: bool) -> bool:
        meanings = meanings_of_heading(line.text)
        if meanings is not OTHER:
            if is_item and line.ticked is not None:
                return False
            self._scope(self._open(line.text, line, level=_BOLD_LEVEL), line, is_item=is_item, is_shared=False)
            return True
        if is_item or following is None or count_words(line.text) > _MAX_BOLD_WORDS:
            return False
        # A run of bold lines is text in bold; a heading has something under it.
        if not following.is_content or following.is_bold or following.kind is BlockKind.PANEL:
            return False
        self._open(line.text, line, level=_BOLD_LEVEL)
        return True

    def _row_label(self, line: SourceLine, following: SourceLine | None) -> bool:
        """ "| Owner | Mia |" is a form in a table, "| # | Criterion | Status |" the head of a list of criteria."""
        cells = line.cells
        if line.is_header and following is not None and following.kind is BlockKind.ROW and _heads_columns(cells):
            criteria = next((cell for cell in cells if Meaning.ACCEPTANCE in meanings_of_label(cell)), None)
            if criteria is not None:
                self._open(criteria, line, level=_COLON_LEVEL).ends_with_table = True
            return False
        if len(cells) != 2 or not cells[1] or not meanings_of_label(cells[0]):
            return False
        section = self._open(cells[0], line, level=_COLON_LEVEL)
        section.ends_at_gap = True
        self._rest(line, cells[1])
        return True

    def _open(self, heading: str, line: SourceLine, *, level: int) -> _Open:
        stack = self._stack
        while stack and stack[-1].level >= level:
            stack.pop()
        heading = heading.strip()
        section = _Open(len(self._sections), heading, line.start, line.end, level, meanings_of_heading(heading))
        self._sections.append(section)
        stack.append(section)
        self._targets = None
        return section

    def _scope(self, section: _Open, line: SourceLine, *, is_item: bool, is_shared: bool) -> None:
        """A heading that is a list item holds what is nested below it, and belongs to its list."""
        if is_item:
            section.item_depth = line.level
            section.is_shared = is_shared

    def _leave(self, line: SourceLine) -> None:
        """Close the sections that this line is no part of."""
        stack = self._stack
        while stack:
            top = stack[-1]
            if top.item_depth is not None:
                is_over = line.kind is BlockKind.ITEM and line.level <= top.item_depth
            elif top.ends_with_table:
                is_over = line.kind is not BlockKind.ROW
            else:
                is_over = top.ends_at_gap and not line.joins and line.kind is not BlockKind.ITEM
            if not is_over:
                return
            stack.pop()
            self._targets = None

    def _fold(self, line: SourceLine) -> None:
        """What is headed inside a panel ends with it, unless only the heading stood in it."""
        if line.level > 0:
            self._folds.append(len(self._sections))
            return
        count = self._folds.pop()
        if len(self._sections) > count and not (self._sections[-1].items or self._sections[-1].dropped):
            return
        while self._stack and self._stack[-1].number >= count:
            self._stack.pop()
        self._targets = None

    # -- content -------------------------------------------------------------------------------------------------

    def _rest(self, line: SourceLine, rest: str) -> None:
        """What stands on a heading's own line."""
        is_template = bool(self._templates) and self._templates.holds(line.text)
        rest = rest.lstrip("-*• ") or rest
        place = self._text.rfind(rest[:40], line.start, line.end)
        if place >= 0:
            line.start = place
        line.text, line.cells, line.is_header = rest, (), False
        if is_template:
            self._drop(line, DropReason.TEMPLATE)
        else:
            self._content(line)

    def _content(self, line: SourceLine) -> None:
        words = count_words(line.text)
        reason = self._reason(line, words)
        if reason is not None:
            self._drop(line, reason)
            return
        item = Item(
            text=line.text,
            start=line.start,
            end=line.end,
            ticked=line.ticked,
            is_list_item=line.kind is BlockKind.ITEM,
            depth=line.level if line.kind is BlockKind.ITEM else 0,
            cells=line.cells,
            is_header=line.is_header,
            words=words,
        )
        self._items.append(item)
        if not item.is_header:
            self._keep(item)

    def _keep(self, item: Item) -> None:
        """The item counts, and belongs to the sections that are open."""
        self._words += item.words
        for section in self._under():
            section.items.append(item)
            section.end = max(section.end, item.end)

    def _reason(self, line: SourceLine, words: int) -> DropReason | None:
        text = line.text
        if self._templates and self._templates.holds(text):
            return DropReason.TEMPLATE
        if is_log_line(text):
            return DropReason.LOG
        if is_code_line(text) and line.ticked is None:
            return DropReason.CODE
        if text[:1] in "nNeEsS(*_" and (reason := waiver_reason(text)) is not None:
            for section in self._under():
                section.waiver = reason
            return DropReason.PLACEHOLDER
        if line.cells:
            if line.is_header:
                return None
            if all(is_placeholder(cell) for cell in line.cells):
                return DropReason.PLACEHOLDER
        elif is_placeholder(text, is_italic=line.is_italic):
            return DropReason.PLACEHOLDER
        if words < MIN_WORDS and unspaced_characters(text) < MIN_UNSPACED_CHARACTERS:
            return DropReason.TOO_SHORT
        return None

    def _code(self, line: SourceLine) -> None:
        is_filled = self._fences.get(line.start)
        if is_filled is False:
            self._drop(line, DropReason.PLACEHOLDER)
        elif not is_filled and not (self._is_under_steps() and line.text.strip()):
            self._drop(line, DropReason.CODE)
        else:
            text = line.text.strip("\n")
            item = Item(text=text, start=line.start, end=line.end, is_code=True, words=count_words(text))
            self._items.append(item)
            self._keep(item)

    def _is_under_steps(self) -> bool:
        known = next((section for section in reversed(self._stack) if section.meanings is not OTHER), None)
        return known is not None and Meaning.STEPS in known.meanings

    def _drop(self, line: SourceLine, reason: DropReason) -> None:
        if line.kind is BlockKind.PARAGRAPH and line.ticked is None and not _VISIBLE.search(line.text):
            return
        under = self._under()
        dropped = _dropped(line, reason, under[0].heading if under else None)
        self._dropped.append(dropped)
        for section in under:
            section.dropped.append(dropped)
            section.end = max(section.end, dropped.end)

    def _attach(self, line: SourceLine) -> None:
        self._images += line.images
        self._links += line.links
        self._links += _URL.findall(line.text)
        if line.images:
            for section in self._under():
                section.images += line.images

    def _under(self) -> list[_Open]:
        """The open sections that the present line belongs to, the innermost first.

        What stands under "Expected result" is no step, though that heading may stand under "Steps to reproduce".
        """
        if self._targets is None:
            self._targets = []
            known: frozenset[Meaning] | None = None
            for section in reversed(self._stack):
                if known is None or section.meanings is OTHER or section.meanings & known:
                    self._targets.append(section)
                if known is None and section.meanings is not OTHER and not section.is_shared:
                    known = section.meanings
        return self._targets


def _start(line: Item | Dropped) -> int:
    return line.start


def _heads_columns(cells: tuple[str, ...]) -> bool:
    """Names of columns are short."""
    return all(count_words(cell) < MIN_WORDS for cell in cells)


def _dropped(line: SourceLine, reason: DropReason, section: str | None = None) -> Dropped:
    return Dropped(text=line.text, start=line.start, end=line.end, reason=reason, section=section, ticked=line.ticked)
