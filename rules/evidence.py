"""Evidence as a reader sees it: the place that decided a verdict, short, with secrets masked."""

from __future__ import annotations

import re
from functools import lru_cache

from backlint.model import Evidence
from backlint.rules.secret_text import find_secrets
from backlint.text.document import Document, Dropped, DropReason, Item, Scenario, Section
from backlint.text.gates import Gates

MAX_EXCERPT = 120  # catalogue 1.6
# Confidence by kind of evidence (catalogue 1.6): what has a place of its own is certain, a phrase is a reading.
CONFIDENCE = {"F": 1.0, "S": 1.0, "C": 1.0, "G": 1.0, "P": 0.6}
ACCEPTED_COMMENT = 0.8

_SECRET = re.compile(
    r"""
    \b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|lin_api_|sk-|AKIA|ASIA|AIza|ATATT)[\w./+=-]{8,}
    | \beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*
    | (?<=://)[^\s:/@]+:[^\s@/]+(?=@)
    | (?<![\w-])(?:password|passwd|pwd|secret|token|api[_-]?key)\s*[=:]\s*[^\s,;]{4,}
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
_MASKED = Gates([(pattern, pattern) for pattern in (_SECRET, _LONG_RUN)])
_SPACE = re.compile(r"\s+")
MASK = "•••"


def masked(text: str) -> str:
    """The text with everything that looks like a secret replaced; what is left may be shown to anyone."""
    last = len(text)
    for secret in sorted(find_secrets(text), key=lambda each: -each.start):
        text = text[: secret.start] + MASK + text[min(secret.end, last) :]
        last = secret.start
    if _MASKED.open(text):
        text = _LONG_RUN.sub(_mask_if_random, _SECRET.sub(MASK, text))
    return text


def _mask_if_random(run: re.Match[str]) -> str:
    """Long runs that mix digits and both cases are keys; long words, hashes of one case and paths are not."""
    text = run.group()
    classes = any(c.isdigit() for c in text) + any(c.islower() for c in text) + any(c.isupper() for c in text)
    return MASK if classes == 3 else text


@lru_cache(maxsize=1024)
def excerpt(text: str) -> str:
    """At most 120 characters on one line, secrets masked before the cut so that no half of one is left."""
    line = _SPACE.sub(" ", masked(text)).strip()
    return line if len(line) <= MAX_EXCERPT else line[:MAX_EXCERPT].rstrip()


def of_span(
    document: Document, start: int, end: int, *, kind: str, field: str, note: str | None = None, confidence: float = 1.0
) -> Evidence:
    """Evidence at `start:end` of a document that was read from `field`."""
    return Evidence(
        kind=kind,
        field=field,
        excerpt=excerpt(document.text[start:end]),
        start=start,
        end=end,
        confidence=CONFIDENCE.get(kind, 1.0) * confidence,
        note=note,
    )


def of_part(
    document: Document,
    part: Item | Dropped | Section | Scenario,
    *,
    kind: str,
    field: str,
    note: str | None = None,
    confidence: float = 1.0,
) -> Evidence:
    """Evidence at an item, a dropped line, a section or a scenario."""
    return of_span(document, part.start, part.end, kind=kind, field=field, note=note, confidence=confidence)


def of_value(kind: str, field: str, value: object, *, note: str | None = None) -> Evidence:
    """Evidence in a value that has no place in a text: a mapped field, a label, a date, a person's id."""
    return Evidence(
        kind=kind, field=field, excerpt=excerpt(str(value)), confidence=CONFIDENCE.get(kind, 1.0), note=note
    )


def of_dropped(document: Document, *, field: str, limit: int = 3) -> tuple[Evidence, ...]:
    """The first lines that were taken out, each with its reason: what a person asks for when a verdict surprises."""
    return tuple(
        of_part(document, line, kind="T", field=field, note=line.reason.value) for line in document.dropped[:limit]
    )


def lines(document: Document) -> tuple[Item | Dropped, ...]:
    """Authored lines with those that are merely short, in order."""
    return document.lines


def section_lines(section: Section) -> tuple[Item | Dropped, ...]:
    """The same for one section."""
    short = [line for line in section.dropped if line.reason is DropReason.TOO_SHORT]
    return tuple(sorted((*section.items, *short), key=lambda line: line.start))
