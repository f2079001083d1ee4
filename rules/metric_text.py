"""Which metrics a statement names, which of them it ties to a target, and which only flatter."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass

from backlint.rules.measure_text import metrics, targets
from backlint.rules.words import content_words

# Counters that name no metric by themselves: "number of page views", "conversion rate".
_CARRIER = re.compile(
    r"(?:rates?|ratio|share|percentage|number|count|volume|amount|score|index|level|frequency|anzahl|anteil|rate"
    r"|quote|taux|tasa"
    r"|taxa|tasso|porcentaje|percentagem|porcentagem|percentuale|aantal|liczba|odsetek)",
    re.IGNORECASE,
)
# What makes a count say something about behaviour: a rate, a cohort, people who pay or come back.
TIED = re.compile(
    r"""(?<!\w)(?:rates?|ratio|share\ of|percentage\ of|conversions?|retention|churn|cohorts?|activation|activated
        |returning|repeat|paying|paid
        |active|engaged|qualified|trial-to-paid|per\ (?!(?:day|week|month|quarter|year|hour|sprint)\b)\w+|→\s*paid
        |quote|anteil|konversion\w*|zahlende\w*|aktive\w*|pro\ (?!(?:tag|woche|monat|jahr)\b)\w+|taux|r[ée]tention
        |payants?|actifs?
        |tasa|retenci[óo]n|activ[oa]s?|taxa|reten[çc][ãa]o|ativ[oa]s?|tasso|attiv[oi]|retentie|betalende|actieve
        |wska[źz]nik|aktywn\w+)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_UPWARD = re.compile(
    r"\b(?:more|increas\w*|grow\w*|rais\w*|boost\w*|higher|number of|amount of|mehr|steiger\w*|plus de|augment\w*"
    r"|m[áa]s|aument\w*"
    r"|mais|pi[ùu]|meer|więcej)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
_PRIMARY = re.compile(r"\b(?:primary|main|north star|hauptziel|principal)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\n|[.;](?=\s|$)")
NEIGHBOURS = 3  # metrics on either side of a target that may be the one next to it
WINDOW = 300  # characters on either side of a metric in which its sentence is read
MAX_DISTANCE = 80  # characters between a metric and its target; farther apart they belong to different statements


@dataclass(frozen=True, slots=True)
class Pair:
    """A metric with its target as written."""

    metric: str
    target: str
    is_primary: bool = False


def pairs(text: str) -> Iterator[Pair]:
    """Each target of the text with the metric next to it in the same sentence; baseline and target are one pair."""
    for sentence in re.split(r"(?<=[.;!?])\s+|\n", text):
        named = sorted(metrics(sentence))
        is_primary = bool(named) and _PRIMARY.search(sentence) is not None
        for start, end, target in targets(sentence):
            place = bisect(named, (start, start))
            beside = named[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]
            near = [(min(abs(start - stop), abs(begin - end)), begin, stop) for begin, stop in beside]
            distance, begin, stop = min(near, default=(MAX_DISTANCE + 1, 0, 0))
            if distance <= MAX_DISTANCE:
                yield Pair(_name(sentence, begin, stop), target, is_primary)


def _name(sentence: str, start: int, end: int) -> str:
    """The metric's name: with the word before it where it only counts something ("error rate")."""
    metric = sentence[start:end]
    if _CARRIER.fullmatch(metric.strip()):
        before = content_words(sentence[max(0, start - 30) : start])
        after = content_words(sentence[end : end + 30])
        beside = before[-1:] or after[:1]
        return " ".join([*beside, metric.casefold()])
    return " ".join(content_words(metric)) or metric.casefold()


def vanity_in(text: str, vanity: tuple[str, ...]) -> str | None:
    """The vanity metric that the text rests on: named, tied to nothing, and no other metric beside it."""
    found = [match for match in _vanity(vanity).finditer(text) if _is_measured(text, match)]
    if not found or TIED.search(text):
        return None
    covered = [(match.start(), match.end()) for match in found]
    for start, end in metrics(text):
        place = bisect(covered, (start, len(text))) - 1
        inside = place >= 0 and end <= covered[place][1]
        if not inside and not _CARRIER.fullmatch(text[start:end].strip()):
            return None
    return found[0].group()


def _is_measured(text: str, match: re.Match[str]) -> bool:
    """Whether it is a number to move and not a thing: with a number or a direction in the same sentence."""
    first, last = max(0, match.start() - WINDOW), match.end() + WINDOW
    start = max(first - 1, *(text.rfind(stop, first, match.start()) for stop in ("\n", ". ", "; "))) + 1
    end = _SENTENCE_END.search(text, start, last)
    sentence = text[start : end.start() if end else last]
    return re.search(r"\d", sentence) is not None or _UPWARD.search(text[start : match.start()][-40:]) is not None


def _vanity(words: tuple[str, ...]) -> re.Pattern[str]:
    shipped = r"|(?:ship|deliver|releas|launch)\w*\s+\d+\s+(?:new\s+)?features" if "features shipped" in words else ""
    named = "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in words) or "(?!)"
    named += shipped
    return re.compile(rf"(?<![\w-])(?:{named})(?![\w-])", re.IGNORECASE)
