"""How often a rule was right, by what people said of its findings, and what follows from that (catalogue 9). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from msgspec import structs

from backlint.model import Judgement, Severity, Verdict

FIX_WITHIN = timedelta(days=14)  # a fix this soon after a finding was shown says that it was useful
SHOWN_FOR = timedelta(days=14)  # who has said nothing by then has let it pass
WEAK = Fraction(1, 2)
EVERYWHERE = ("", "")
_LOWER = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.INFO}


class Said(StrEnum):
    USEFUL = "useful"
    WRONG = "wrong"


class How(StrEnum):
    """How somebody said it, the strongest first: words, thumbs, a label or comment taken away, an edit that fixed it.

    An edit outranks what was taken away: who removes the label while fixing the text agrees.
    """

    COMMAND = "command"
    PAGE = "page"
    THUMBS = "thumbs"
    FIX = "fix"
    OVERRIDE = "override"

    @property
    def rank(self) -> int:
        return list(How).index(self)


class Level(StrEnum):
    """What has become of a rule in a project."""

    NONE = "none"
    LOWERED = "lowered"  # one severity less, no question
    REPORT_ONLY = "report only"  # information, neither question nor label

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person said of one life of a finding. `is_weak`: as likely about something else, and counts half."""

    fingerprint: str
    opening: int
    said: Said
    how: How
    at: datetime
    source: str
    project: str
    rule: str
    is_weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One life of a finding that people saw in their tracker."""

    fingerprint: str
    opening: int
    at: datetime
    source: str
    project: str
    rule: str
    is_waived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The book of one rule in one project. `false_share` is that of the catalogue's effective false positives."""

    useful: Fraction = Fraction(0)
    wrong: Fraction = Fraction(0)
    judged: int = 0
    shown: int = 0  # at least 14 days ago, waived ones left out unless somebody judged them
    shown_wrong: Fraction = Fraction(0)  # among them

    @property
    def precision(self) -> Fraction | None:
        told = self.useful + self.wrong
        return self.useful / told if told else None

    @property
    def false_share(self) -> Fraction | None:
        return self.shown_wrong / self.shown if self.shown else None


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many judged findings on, and above which shares of false ones, a rule steps back."""

    judged: int = 20
    lower_above: Fraction = Fraction(1, 10)
    report_above: Fraction = Fraction(1, 4)


Key = tuple[str, str, str]  # source, project, rule; ("", "", rule) is everywhere


def judged_once(feedback: Iterable[Feedback]) -> dict[tuple[str, int], Feedback]:
    """The strongest word on each life of a finding; of equally strong ones the last."""
    found: dict[tuple[str, int], Feedback] = {}
    for each in sorted(feedback, key=lambda each: (-each.how.rank, each.at)):
        found[each.fingerprint, each.opening] = each
    return found


def precision(feedback: Iterable[Feedback], shown: Iterable[Shown], *, now: datetime) -> dict[Key, Precision]:
    """The books by project, and of everything together. A waiver is no word on whether a finding was right."""
    told = judged_once(feedback)
    useful: dict[Key, Fraction] = {}
    wrong: dict[Key, Fraction] = {}
    judged: dict[Key, int] = {}
    for each in told.values():
        weight = WEAK if each.is_weak else Fraction(1)
        book = useful if each.said is Said.USEFUL else wrong
        for key in _keys(each):
            book[key] = book.get(key, Fraction(0)) + weight
            judged[key] = judged.get(key, 0) + 1
    seen: dict[Key, int] = {}
    seen_wrong: dict[Key, Fraction] = {}
    for one in shown:
        word = told.get((one.fingerprint, one.opening))
        if one.at > now - SHOWN_FOR or (one.is_waived and word is None):
            continue
        for key in _keys(one):
            seen[key] = seen.get(key, 0) + 1
            if word is not None and word.said is Said.WRONG:
                seen_wrong[key] = seen_wrong.get(key, Fraction(0)) + (WEAK if word.is_weak else 1)
    return {
        key: Precision(
            useful=useful.get(key, Fraction(0)),
            wrong=wrong.get(key, Fraction(0)),
            judged=judged.get(key, 0),
            shown=seen.get(key, 0),
            shown_wrong=seen_wrong.get(key, Fraction(0)),
        )
        for key in sorted(judged.keys() | seen.keys())
    }


def _keys(of: Feedback | Shown) -> tuple[Key, Key]:
    return (of.source, of.project, of.rule), (*EVERYWHERE, of.rule)


def deserved(book: Precision, limits: Limits) -> Level:
    """The level that a book asks for. With few judged findings it asks for nothing."""
    share = book.false_share
    if share is None or book.judged < limits.judged:
        return Level.NONE
    if share > limits.report_above:
        return Level.REPORT_ONLY
    return Level.LOWERED if share > limits.lower_above else Level.NONE


def level_of(levels: Mapping[Key, Level], source: str, project: str, rule: str) -> Level:
    """What holds in a project: its own level, else that of everything."""
    own = levels.get((source, project, rule))
    return own if own is not None else levels.get((*EVERYWHERE, rule), Level.NONE)


def tempered(judgement: Judgement, level: Level) -> Judgement:
    """The finding as a rule of this level may say it. Secrets keep their severity."""
    if judgement.verdict is not Verdict.FAIL or level is Level.NONE or judgement.severity is Severity.CRITICAL:
        return judgement
    severity = Severity.INFO if level is Level.REPORT_ONLY else _LOWER.get(judgement.severity, judgement.severity)
    return judgement if severity is judgement.severity else structs.replace(judgement, severity=severity)
