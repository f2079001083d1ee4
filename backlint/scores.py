"""Hygiene scores in exact fractions, shown rounded down, so that 100 always means "nothing found" (catalogue 3).

No score of a person exists, and none can be made here: a team's score knows issues, not assignees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import lru_cache
from math import floor, prod
from types import MappingProxyType

from msgspec import Struct

from backlint.model import Issue, Judgement, Severity, StatusCategory, Verdict
from backlint.percentile import percentile


class Dimension(StrEnum):
    """What an issue score is made of; a rule names its dimension."""

    CLARITY = "clarity"
    OUTCOME = "outcome"
    OWNERSHIP = "ownership"
    PLANNING = "planning"
    FLOW = "flow"
    CONSISTENCY = "consistency"


# Catalogue 3.1.
WEIGHTS: Mapping[Dimension, int] = MappingProxyType(
    {
        Dimension.CLARITY: 25,
        Dimension.OUTCOME: 25,
        Dimension.OWNERSHIP: 20,
        Dimension.PLANNING: 10,
        Dimension.FLOW: 10,
        Dimension.CONSISTENCY: 10,
    }
)
# What a dimension keeps beside a finding. Critical findings are secrets: private, and outside every score.
KEPT: Mapping[Severity, Fraction] = MappingProxyType(
    {Severity.ERROR: Fraction(1, 5), Severity.WARNING: Fraction(3, 5), Severity.INFO: Fraction(19, 20)}
)
BANDS: tuple[tuple[int, str], ...] = ((90, "A"), (75, "B"), (60, "C"), (40, "D"), (0, "E"))
DO_FIRST = 3

DEDUCTIONS: Mapping[Severity, int] = MappingProxyType({Severity.WARNING: 5, Severity.ERROR: 10})  # catalogue 3.3
MOST_DEDUCTED = 20
FEW_ITEMS = 10

# Catalogue 3.4: weights in percent, and the length of a backlog in weeks that is fine and that is hopeless.
BACKLOG_WEIGHTS: Mapping[str, int] = MappingProxyType({"items": 50, "freshness": 20, "traceability": 15, "length": 15})
SHORT_BACKLOG, LONG_BACKLOG = 12, 52


def band(score: Fraction | int) -> str:
    """A to E."""
    return next(letter for least, letter in BANDS if score >= least)


class Recoverable(Struct, frozen=True):
    """A finding with the points that fixing it alone would give back."""

    finding: Judgement
    points: Fraction

    @property
    def shown(self) -> int:
        return floor(self.points)


class Share(Struct, frozen=True):
    """One dimension's part in a score: its weight, what it keeps (0 to 1) and what took the rest away."""

    dimension: Dimension
    weight: int
    kept: Fraction
    findings: tuple[Recoverable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueScore:
    """An issue's score with everything that explains it; `exact` is above 0 and at most 100."""

    exact: Fraction
    shares: tuple[Share, ...]
    waived: int = 0
    unknown: int = 0

    @property
    def shown(self) -> int:
        return floor(self.exact)

    @property
    def band(self) -> str:
        return band(self.exact)

    @property
    def recoverable(self) -> tuple[Recoverable, ...]:
        """All findings that cost something, the dearest first."""
        found = (each for share in self.shares for each in share.findings)
        return tuple(sorted(found, key=lambda each: (-each.points, each.finding.rule, each.finding.discriminator)))

    @property
    def do_first(self) -> tuple[Recoverable, ...]:
        return self.recoverable[:DO_FIRST]

    def points(self, finding: Judgement) -> Fraction:
        """What fixing the finding alone gives back; 0 for one that costs nothing."""
        return next((each.points for each in self.recoverable if each.finding == finding), Fraction(0))


def never_waived(_: Judgement) -> bool:
    return False


def issue_score(
    judgements: Iterable[Judgement],
    dimensions: Mapping[str, str],
    *,
    is_waived: Callable[[Judgement], bool] = never_waived,
) -> IssueScore | None:
    """The score of one issue from its verdicts; `dimensions` maps a rule code to its dimension.

    Rules without a dimension and critical findings stay out. A dimension counts when a rule of it passed or failed.
    None: nothing could be judged.
    """
    costing: dict[str, list[Judgement]] = {}
    waived = unknown = 0
    for judgement in judgements:
        verdict = judgement.verdict
        if verdict is Verdict.NOT_APPLICABLE:
            continue
        named = dimensions.get(judgement.rule)
        if named is None or judgement.severity is Severity.CRITICAL:
            continue
        if verdict is Verdict.UNKNOWN:
            unknown += 1
            continue
        findings = costing.setdefault(named, [])
        if verdict is Verdict.FAIL:
            if is_waived(judgement):
                waived += 1
            else:
                findings.append(judgement)
    if not costing:
        return None
    counted = [(name, costing[name]) for name in _DIMENSIONS if name in costing]
    exact, sums = _sums(
        tuple(
            [
                (name, tuple([(each.severity._value_, each.confidence) for each in findings]))
                for name, findings in counted
            ]
        )
    )
    shares = tuple(
        [
            Share(_DIMENSIONS[name], weight, kept, tuple(map(Recoverable, findings, points)))
            for (name, findings), (weight, kept, points) in zip(counted, sums, strict=True)
        ]
    )
    return IssueScore(exact=exact, shares=shares, waived=waived, unknown=unknown)


# By plain text, whose hash costs a tenth of a member's.
_DIMENSIONS: Mapping[str, Dimension] = {dimension.value: dimension for dimension in Dimension}
Costs = tuple[tuple[str, float], ...]  # severity and confidence of each finding of a dimension
Sums = tuple[int, Fraction, tuple[Fraction, ...]]  # weight, what is kept, and the points that each finding gives back


@lru_cache(maxsize=4096)
def _sums(costing: tuple[tuple[str, Costs], ...]) -> tuple[Fraction, tuple[Sums, ...]]:
    """The exact score and each dimension's part in it; most issues of a backlog fail in one of a few ways."""
    whole = sum(WEIGHTS[_DIMENSIONS[name]] for name, _ in costing)
    sums: list[Sums] = []
    for name, costs in costing:
        weight = WEIGHTS[_DIMENSIONS[name]]
        factors = [_factor(Severity(severity), confidence) for severity, confidence in costs]
        kept = prod(factors, start=Fraction(1))
        sums.append((weight, kept, tuple(100 * weight * (kept / own - kept) / whole for own in factors)))
    return 100 * sum((weight * kept for weight, kept, _ in sums), Fraction(0)) / whole, tuple(sums)


def factor(finding: Judgement) -> Fraction:
    """What a dimension keeps beside this finding. The confidence is taken as the decimal it is written as."""
    return _factor(finding.severity, finding.confidence)


def _factor(severity: Severity, confidence: float) -> Fraction:
    return 1 - (1 - KEPT[severity]) * Fraction(str(confidence))


# -- teams ---------------------------------------------------------------------------------------------------------


class Nearness(IntEnum):
    """How much an issue weighs in its team's score."""

    NEAR = 1
    PLANNED = 2  # in the current or next sprint, or ready
    STARTED = 3


def nearness(issue: Issue, *, is_in_sprint: bool) -> Nearness:
    """The weight of a near issue."""
    if issue.is_started:
        return Nearness.STARTED
    if is_in_sprint or issue.status.category is StatusCategory.TODO:
        return Nearness.PLANNED
    return Nearness.NEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamScore:
    """A team's score over its near issues. With few items it is shown so, and has no trend."""

    exact: Fraction
    count: int
    before_deductions: Fraction
    deducted: int

    @property
    def shown(self) -> int:
        return floor(self.exact)

    @property
    def band(self) -> str:
        return band(self.exact)

    @property
    def has_few_items(self) -> bool:
        return self.count < FEW_ITEMS


def team_score(
    issues: Iterable[tuple[Fraction | int, Nearness]], scope_findings: Iterable[Severity] = ()
) -> TeamScore | None:
    """The weighted mean of issue scores less what open scope findings cost; None for a team without near issues."""
    issues = tuple(issues)
    if not issues:
        return None
    mean = Fraction(sum((weight * Fraction(score) for score, weight in issues), Fraction(0)), sum(w for _, w in issues))
    deducted = min(MOST_DEDUCTED, sum(DEDUCTIONS.get(severity, 0) for severity in scope_findings))
    return TeamScore(
        exact=max(mean - deducted, Fraction(0)), count=len(issues), before_deductions=mean, deducted=deducted
    )


# -- backlogs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a backlog score, 0 to 100, with its weight in percent; `basis` says what it rests on."""

    name: str
    weight: int
    value: Fraction
    basis: str


@dataclass(frozen=True, slots=True)
class BacklogScore:
    exact: Fraction
    parts: tuple[Part, ...]

    @property
    def shown(self) -> int:
        return floor(self.exact)

    @property
    def band(self) -> str:
        return band(self.exact)


def backlog_score(
    *,
    near_scores: Sequence[Fraction | int] = (),
    fresh: tuple[int, int] | None = None,
    traced: tuple[int, int] | None = None,
    open_items: int = 0,
    weekly_throughput: Sequence[int] = (),
) -> BacklogScore | None:
    """Items, freshness, traceability and length; what is missing drops out and the rest is weighed anew.

    `fresh` is (open issues with recent human activity or parked, open issues), `traced` is (near issues with an
    objective, near issues), `weekly_throughput` the items finished in each week, zeros included. None: nothing known.
    """
    parts = []
    if near_scores:
        mean = sum((Fraction(score) for score in near_scores), Fraction(0)) / len(near_scores)
        parts.append(_part("items", mean, f"mean of {len(near_scores)} near issues"))
    if fresh is not None and fresh[1]:
        parts.append(_part("freshness", Fraction(100 * fresh[0], fresh[1]), f"{fresh[0]} of {fresh[1]} open issues"))
    if traced is not None and traced[1]:
        parts.append(
            _part("traceability", Fraction(100 * traced[0], traced[1]), f"{traced[0]} of {traced[1]} near issues")
        )
    if weekly_throughput:
        parts.append(_length_part(open_items, weekly_throughput))
    if not parts:
        return None
    whole = sum(part.weight for part in parts)
    return BacklogScore(sum((part.weight * part.value for part in parts), Fraction(0)) / whole, tuple(parts))


def _part(name: str, value: Fraction, basis: str) -> Part:
    return Part(name, BACKLOG_WEIGHTS[name], value, basis)


def _length_part(open_items: int, weekly: Sequence[int]) -> Part:
    median = percentile(50, sorted(weekly))
    if not median:
        value = Fraction(0 if open_items else 100)
        return _part("length", value, f"{open_items} open items, none finished in the median week")
    weeks = Fraction(open_items, median)
    value = 100 * (LONG_BACKLOG - weeks) / (LONG_BACKLOG - SHORT_BACKLOG)
    return _part("length", min(max(value, Fraction(0)), Fraction(100)), f"{float(weeks):.1f} weeks of work")
