"""Whether an item can go into a sprint: seven needs, weighed; guidance, never a gate of the product (catalogue 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor
from types import MappingProxyType

from backlint.model import Issue, IssueType, Judgement, Verdict


class Need(StrEnum):
    """What an item needs before a team can promise it."""

    ACCEPTANCE = "acceptance"
    OUTCOME = "outcome"
    OWNER = "owner"
    ESTIMATE = "estimate"
    SIZE = "size"
    DEPENDENCIES = "dependencies"
    CLARITY = "clarity"


WEIGHTS: Mapping[Need, int] = MappingProxyType(
    {
        Need.ACCEPTANCE: 25,
        Need.OUTCOME: 20,
        Need.OWNER: 15,
        Need.ESTIMATE: 15,
        Need.SIZE: 10,
        Need.DEPENDENCIES: 10,
        Need.CLARITY: 5,
    }
)
RULES: Mapping[Need, tuple[str, ...]] = MappingProxyType(
    {
        Need.ACCEPTANCE: ("AC001", "AC002"),
        Need.OUTCOME: ("OUT001",),
        Need.OWNER: ("OWN001", "OWN002", "OWN003"),
        Need.ESTIMATE: ("EST001",),
        Need.SIZE: ("EST002",),
        Need.DEPENDENCIES: ("BLK002", "BLK003", "BLK004"),
        Need.CLARITY: ("TXT001", "TXT002"),
    }
)
# A bug is understood by how it happens and what happens, and wanted for what it does to people.
BUG_RULES: Mapping[Need, tuple[str, ...]] = MappingProxyType(
    {**RULES, Need.ACCEPTANCE: ("BUG001", "BUG003"), Need.OUTCOME: ()}
)
GATES = frozenset({Need.ACCEPTANCE, Need.OUTCOME, Need.OWNER, Need.ESTIMATE, Need.DEPENDENCIES})
READY_FROM, NEARLY_FROM = 80, 60


def rule_codes() -> frozenset[str]:
    """Every rule that readiness asks."""
    return frozenset(code for table in (RULES, BUG_RULES) for codes in table.values() for code in codes)


class Standing(StrEnum):
    READY = "ready"
    NEARLY = "nearly"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one rule, or a look at the sprint, says of a need."""

    verdict: Verdict
    said: str = ""
    question: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A need with the answer that decides it: the first failure, else the first that could not be checked."""

    need: Need
    verdict: Verdict
    said: str = ""
    question: str | None = None
    rule: str | None = None

    @property
    def weight(self) -> int:
        return WEIGHTS[self.need]

    @property
    def is_open(self) -> bool:
        """Whether it still stands in the way: what could not be checked counts as not passed."""
        return self.verdict in (Verdict.FAIL, Verdict.UNKNOWN)

    @property
    def note(self) -> str:
        return f"could not check: {self.said}" if self.verdict is Verdict.UNKNOWN else self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The readiness R of an item with what explains it; `exact` is None when no need applies to it."""

    exact: Fraction | None
    standing: Standing
    needs: tuple[Answered, ...]
    gates: frozenset[Need]

    @property
    def shown(self) -> int | None:
        return None if self.exact is None else floor(self.exact)

    @property
    def missing(self) -> tuple[Answered, ...]:
        """What is not passed: what it waits for first, then what keeps it from being ready, then by weight."""
        missing = [each for each in self.needs if each.is_open]
        return tuple(sorted(missing, key=lambda each: (not _waits(each), each.need not in self.gates, -each.weight)))

    @property
    def question(self) -> str | None:
        """The one question to ask; None when nothing is missing."""
        for each in self.missing:
            if each.verdict is Verdict.UNKNOWN:
                return f"Could not check {each.need.value}: who can tell?"
            if each.question is not None:
                return each.question
        return None

    @property
    def note(self) -> str:
        """What is missing, in words."""
        if self.exact is None:
            return "nothing could be judged"
        return "; ".join(f"{each.need.value}: {each.note}".rstrip(": .") for each in self.missing)


def readiness(
    issue: Issue,
    judgements: Iterable[Judgement],
    *,
    further: Mapping[Need, Sequence[Answer]] = MappingProxyType({}),
    gates: Iterable[Need] = GATES,
    ready_from: int = READY_FROM,
    nearly_from: int = NEARLY_FROM,
) -> Readiness:
    """R = 100 times passed weight by applicable weight. `further` holds what no rule knows, such as the sprint."""
    by_rule: dict[str, list[Answer]] = {}
    for judgement in judgements:
        by_rule.setdefault(judgement.rule, []).append(_answer(judgement))
    rules = BUG_RULES if issue.type is IssueType.BUG else RULES
    needs = tuple(
        _answered(need, [*(each for code in rules[need] for each in by_rule.get(code, ())), *further.get(need, ())])
        for need in Need
    )
    gates = frozenset(gates)
    applicable = [each for each in needs if each.verdict is not Verdict.NOT_APPLICABLE]
    whole = sum(each.weight for each in applicable)
    passed = sum(each.weight for each in applicable if not each.is_open)
    exact = Fraction(100 * passed, whole) if whole else None
    return Readiness(
        exact=exact, standing=_standing(exact, applicable, gates, ready_from, nearly_from), needs=needs, gates=gates
    )


def _answer(judgement: Judgement) -> Answer:
    said = judgement.message if judgement.verdict is Verdict.FAIL else judgement.reason
    return Answer(verdict=judgement.verdict, said=said, question=judgement.question, rule=judgement.rule)


def _answered(need: Need, answers: Sequence[Answer]) -> Answered:
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS):
        for each in answers:
            if each.verdict is verdict:
                return Answered(need=need, verdict=verdict, said=each.said, question=each.question, rule=each.rule)
    return Answered(need=need, verdict=Verdict.NOT_APPLICABLE, said=answers[0].said if answers else "")


def _standing(
    exact: Fraction | None, applicable: Sequence[Answered], gates: frozenset[Need], ready_from: int, nearly_from: int
) -> Standing:
    if exact is None:
        return Standing.NOT_READY
    missing = {each.need for each in applicable if each.is_open}
    if not missing & gates and exact >= ready_from:
        return Standing.READY
    return Standing.NEARLY if exact >= nearly_from and not any(map(_waits, applicable)) else Standing.NOT_READY


def _waits(each: Answered) -> bool:
    """Whether it has to wait for something: no answer given in the meeting changes that."""
    return each.need is Need.DEPENDENCIES and each.verdict is Verdict.FAIL


# -- bugs ----------------------------------------------------------------------------------------------------------

SEVERITY_FIELDS = ("severity", "impact", "reach")
_SEVERITY_LABEL = re.compile(r"sev(?:erity)?\W*\d+|(?:sev|severity|impact)\W+\w+", re.IGNORECASE)
_PEOPLE = (
    r"(?:users?|customers?|clients?|visitors?|accounts?|people|teams?|orders?|nutzer\w*|kund(?:e|en|innen)\b"
    r"|utilisateurs?|usuari[oa]s?|clientes?|usuári[oa]s?|utenti|gebruikers?|klanten)"
)
_AFFECTED = re.compile(
    rf"""\bsev(?:erity)?\s*[:=-]?\s*(?:\d|critical|high|major|medium|minor|low|blocker)
        |\b(?:affect(?:s|ed|ing)?|impact(?:s|ed|ing)?|betrifft|betroffen|touche|afecta|afeta|blocks)\b[^.\n]{{0,40}}?\b{_PEOPLE}
        |\b{_PEOPLE}\s+(?:are|is|were)?\s*(?:affected|impacted|betroffen|touchés|afectad\w+|afetad\w+)
        |\b(?:\d[\d.,]*\s*%?\s*(?:of\s+)?(?:all\s+|our\s+|the\s+)?|all|most|many|some|every|alle|viele|tous\ les
            |todos\ los|todos\ os)\s*{_PEOPLE}\b""",
    re.IGNORECASE | re.VERBOSE,
)


def bug_impact(issue: Issue) -> Answer:
    """Whether a bug says how bad it is, or for whom; this is its outcome."""
    if any(issue.fields.get(name) not in (None, "") for name in SEVERITY_FIELDS):
        return Answer(verdict=Verdict.PASS, said="a field states it")
    if any(_SEVERITY_LABEL.fullmatch(label) for label in issue.labels):
        return Answer(verdict=Verdict.PASS, said="a label states it")
    found = _AFFECTED.search(f"{issue.title}\n{issue.body}")
    if found is not None:
        return Answer(verdict=Verdict.PASS, said=f"it says {found.group()!r}")
    return Answer(
        verdict=Verdict.FAIL,
        said="neither severity nor affected users are stated",
        question="How bad is it, and for whom?",
    )
