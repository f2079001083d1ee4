"""What the author really wrote in a text: sections, items, scenarios; and what was dropped, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What a heading opens (catalogue 1.10); matched against the union of all enabled languages."""

    ACCEPTANCE = "acceptance"
    OUTCOME = "outcome"
    OWNER = "owner"
    REVIEW = "review"
    STEPS = "steps"
    EXPECTED = "expected"
    ACTUAL = "actual"
    OUT_OF_SCOPE = "out_of_scope"
    GUARDRAIL = "guardrail"
    EXCLUDED = "excluded"  # definition of done, before you submit, environment, sub-tasks, to do
    OTHER = "other"


class DropReason(StrEnum):
    HTML_COMMENT = "HTML comment"
    QUOTE = "quoted text"
    STRUCK = "struck out"
    CODE = "code"
    LOG = "log or stack trace"
    SIGNATURE = "e-mail signature"
    OWN = "written by backlint"
    TEMPLATE = "template"
    PLACEHOLDER = "placeholder"
    TOO_SHORT = "too short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line or list item that the author wrote; `text[start:end]` of the document."""

    text: str
    start: int
    end: int
    ticked: bool | None = None
    is_list_item: bool = False
    depth: int = 0
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A line that does not count, and why."""

    text: str
    start: int
    end: int
    reason: DropReason
    section: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it. `items` are authored; `dropped` are the lines that were taken out.

    `meanings` may be several ("What did you do? What did you expect?"). `waiver` is the reason of an inline "N/A - reason".
    """

    heading: str
    start: int
    end: int
    level: int
    meanings: frozenset[Meaning]
    items: tuple[Item, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    waiver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A Gherkin scenario with a real When and a real Then (catalogue 1.9); `is_shell` when its steps are placeholders."""

    text: str
    start: int
    end: int
    language: str
    is_shell: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text after the pipeline of catalogue 1.7. Offsets are code points into `text`."""

    text: str
    sections: tuple[Section, ...] = ()
    items: tuple[Item, ...] = ()  # everything authored, in order, the sections' items included
    dropped: tuple[Dropped, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    words: int = 0  # authored words; for scripts without spaces, characters / 2
    images: int = 0
    links: tuple[str, ...] = ()

    def under(self, *meanings: Meaning) -> tuple[Section, ...]:
        """The sections that open any of the meanings."""
        return tuple(section for section in self.sections if section.meanings & set(meanings))
