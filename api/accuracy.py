"""How well the rules agree with issues that people labelled by reading: precision, recall and F1 with intervals.

A label file is JSON Lines, one issue a line, with `id`, `title`, `description` and `labels`; `project`, `type`,
`markup` and `borderline` (the labels of which either answer can be defended) may be there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backlint.backlog import Backlog
from backlint.errors import InputError
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Markup, Verdict
from backlint.rules.engine import judge
from backlint.rules.registry import find
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.story_text import JOB
from backlint.text.cache import TextCache
from backlint.text.document import Document, Dropped, DropReason

Z = 1.959964  # 95 %
NO_WORDS = re.compile(r"(?:[\W\d_]|\bn/?a\b|\bnone\b)*", re.IGNORECASE)
TYPES = {"bug": IssueType.BUG, "task": IssueType.TASK}
ONLY_DATE = "The outcome has no date."
UNNAMED = "no project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A labelled issue with what the rules said of it."""

    id: str
    project: str
    labels: Mapping[str, bool | None]
    borderline: frozenset[str]
    verdicts: Mapping[str, Judgement]
    document: Document
    is_thin_by_default: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of one question: how often the rules and the reader said yes."""

    both: int
    only_rules: int
    only_reader: int
    neither: int

    @property
    def rows(self) -> int:
        return self.both + self.only_rules + self.only_reader + self.neither

    @property
    def precision(self) -> float:
        return self.both / (self.both + self.only_rules) if self.both + self.only_rules else math.nan

    @property
    def recall(self) -> float:
        return self.both / (self.both + self.only_reader) if self.both + self.only_reader else math.nan

    @property
    def f1(self) -> float:
        total = 2 * self.both + self.only_rules + self.only_reader
        return 2 * self.both / total if total else math.nan

    @property
    def precision_interval(self) -> tuple[float, float]:
        return wilson(self.both, self.both + self.only_rules)

    @property
    def recall_interval(self) -> tuple[float, float]:
        return wilson(self.both, self.both + self.only_reader)

    @property
    def f1_interval(self) -> tuple[float, float]:
        """F1 grows with the share of hits among all that anyone called yes, so that share's interval gives its own."""
        low, high = wilson(self.both, self.both + self.only_rules + self.only_reader)
        return 2 * low / (1 + low), 2 * high / (1 + high)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle = share + Z * Z / (2 * of)
    spread = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return (middle - spread) / (1 + Z * Z / of), (middle + spread) / (1 + Z * Z / of)


# -- judging the rows --------------------------------------------------------------------------------------------------

# What decides each question, and as which type a row is judged for it.
AS_STORY = ("AC001", "AC002", "OUT001", "OUT002", "TXT001", "TXT002", "TXT005")
AS_BUG = ("BUG001", "BUG002", "BUG003")
# By the label guide a crash alone does not say what should have happened, and fewer than 20 words are thin, of whatever
# type, a log not counted.
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "BUG002": {"crash_implies": False},
    "TXT002": {"min_words": 20, "min_words_task": 20, "code_counts": False},
}


def judged(path: Path) -> tuple[Row, ...]:
    """Every row judged as an open, near story, whatever its type: the label guide asks the same of all. Bugs are
    judged as bugs for the questions about bugs, and tasks as tasks where it is asked whether a text is thin."""
    as_story = [find(code)(OPTIONS.get(code)) for code in AS_STORY]
    as_bug = [find(code)(OPTIONS.get(code)) for code in AS_BUG]
    thin = [find(code)(OPTIONS.get(code)) for code in ("TXT001", "TXT002")]
    thin_by_default = [find(code)() for code in ("TXT001", "TXT002")]
    raw = list(_read(path))
    issues = [_issue(row) for row in raw]
    backlog = Backlog(issues=tuple(issues), now=EXAMPLE_NOW, near_is_all=True, habits_are_on=True)
    context = Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache())
    rows = []
    for row, issue in zip(raw, issues, strict=True):
        own = replace(issue, type=TYPES.get(row.get("type") or "", IssueType.STORY))
        verdicts = judge(issue, as_story, context)
        verdicts += judge(replace(issue, type=IssueType.BUG), as_bug, context)
        verdicts += judge(own, thin, context)
        by_default = judge(own, thin_by_default, context)
        rows.append(
            Row(
                id=issue.id,
                project=row.get("project") or UNNAMED,
                labels=row["labels"],
                borderline=frozenset(row.get("borderline") or ()),
                verdicts={each.rule: each for each in verdicts},
                document=context.texts.body(issue),
                is_thin_by_default=any(each.verdict is Verdict.FAIL for each in by_default),
            )
        )
    return tuple(rows)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not any(map(str.strip, lines)):
        raise InputError(f"{path} holds no labelled issue")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _checked(line, f"{path}, line {number}")


def _checked(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{place} is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise InputError(f"{place}: an object is wanted for each issue")
    for name, kind in (("id", str), ("title", str), ("labels", dict)):
        if not isinstance(row.get(name), kind):
            raise InputError(f"{place}: the field {name} is missing or of another type")
    if not all(answer is None or isinstance(answer, bool) for answer in row["labels"].values()):
        raise InputError(f"{place}: a label is true, false or null")
    if row.get("markup") is not None and row["markup"] not in list(Markup):
        raise InputError(f"{place}: markup {row['markup']!r} is none of {', '.join(Markup)}")
    return row


def _issue(row: Mapping[str, Any]) -> Issue:
    return an_issue(
        id=row["id"],
        key=row["id"],
        type=IssueType.STORY,
        title=row["title"],
        body=row.get("description") or "",
        markup=Markup(row.get("markup") or Markup.MARKDOWN),
    )


# -- what the rules say to each question -------------------------------------------------------------------------------


def says_criteria(row: Row) -> bool:
    return not any(row.verdicts[code].verdict is Verdict.FAIL for code in ("AC001", "AC002"))


def says_outcome(row: Row) -> bool:
    return row.verdicts["OUT001"].verdict is not Verdict.FAIL


def says_measurable(row: Row) -> bool:
    """By the label guide: a number, a threshold, or a named indicator with a direction; no date is asked for."""
    judgement = row.verdicts["OUT002"]
    parts = {evidence.note for evidence in judgement.evidence}
    return judgement.verdict is Verdict.PASS or {"metric", "target"} <= parts or {"metric", "direction"} <= parts


def says_number(row: Row) -> bool:
    """By the rule itself: a metric and a target number; only the date may be missing."""
    judgement = row.verdicts["OUT002"]
    return judgement.verdict is Verdict.PASS or judgement.message == ONLY_DATE


def says_story(row: Row) -> bool:
    """By the label guide a job story is none."""
    judgement = row.verdicts["TXT005"]
    return judgement.verdict is Verdict.PASS and all(each.note != JOB for each in judgement.evidence)


def says_thin(row: Row) -> bool:
    return any(row.verdicts[code].verdict is Verdict.FAIL for code in ("TXT001", "TXT002"))


def says_placeholder(row: Row) -> bool:
    """What the pipeline dropped as a template's words, or a scenario of slots; "N/A" and empty cells are answers."""
    return bool(_left_over(row)) or any(scenario.is_shell for scenario in row.document.scenarios)


def _left_over(row: Row) -> list[Dropped]:
    dropped = {DropReason.PLACEHOLDER, DropReason.HTML_COMMENT, DropReason.TEMPLATE}
    return [line for line in row.document.dropped if line.reason in dropped and not NO_WORDS.fullmatch(line.text)]


def says_steps(row: Row) -> bool:
    return row.verdicts["BUG001"].verdict is Verdict.PASS


def says_expected_and_actual(row: Row) -> bool:
    return all(row.verdicts[code].verdict is Verdict.PASS for code in ("BUG002", "BUG003"))


@dataclass(frozen=True, slots=True)
class Question:
    """A label, the rules that answer it, and how their verdicts are read."""

    label: str
    says: Callable[[Row], bool]
    rules: tuple[str, ...] = ()


QUESTIONS: Mapping[str, Question] = {
    "AC001 + AC002": Question("has_acceptance_criteria", says_criteria, ("AC001", "AC002")),
    "OUT001": Question("has_outcome", says_outcome, ("OUT001",)),
    "OUT002 (label guide)": Question("has_measurable_outcome", says_measurable, ("OUT002",)),
    "OUT002 (number)": Question("has_measurable_outcome", says_number, ("OUT002",)),
    "TXT005": Question("is_user_story_format", says_story, ("TXT005",)),
    "TXT001 + TXT002": Question("description_is_thin", says_thin, ("TXT001", "TXT002")),
    "TXT001 + TXT002 as is": Question("description_is_thin", lambda row: row.is_thin_by_default, ("TXT001", "TXT002")),
    "placeholder": Question("has_placeholder_text", says_placeholder),
    "BUG001": Question("bug_has_steps_to_reproduce", says_steps, ("BUG001",)),
    "BUG002 + BUG003": Question("bug_has_expected_and_actual", says_expected_and_actual, ("BUG002", "BUG003")),
}


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The questions that a person means by their names, their rules' codes or their labels; all if none is named."""
    wanted = [name.casefold() for name in names]
    if not wanted:
        return tuple(QUESTIONS)
    for name in wanted:
        if not any(_is_meant(name, question) for question in QUESTIONS):
            raise InputError(f"there is no question {name!r}: use {', '.join(QUESTIONS)}, a rule's code or a label")
    return tuple(question for question in QUESTIONS if any(_is_meant(name, question) for name in wanted))


def _is_meant(name: str, question: str) -> bool:
    asked = QUESTIONS[question]
    return name in (question.casefold(), asked.label) or name.upper() in asked.rules


# -- figures -----------------------------------------------------------------------------------------------------------


def agreement(rows: Iterable[Row], name: str, *, missing: bool = False) -> Agreement:
    """Counts for "it is there", or with `missing` for the finding, "it is not there"."""
    question = QUESTIONS[name]
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for row in rows:
        truth = row.labels.get(question.label)
        if truth is not None:
            counts[question.says(row) is not missing, truth is not missing] += 1
    return Agreement(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def clear(rows: Iterable[Row], name: str) -> tuple[Row, ...]:
    """The rows whose label for the question is not borderline."""
    return tuple(row for row in rows if QUESTIONS[name].label not in row.borderline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One line of the table."""

    question: str
    what: str  # stated or missing: which answer is counted as yes
    rows: str  # all or clear
    found: Agreement


def figures(rows: Sequence[Row], names: Iterable[str]) -> Iterator[Figures]:
    """All questions, both answers, over all rows and without the borderline ones."""
    for name in names:
        for scope, scoped in (("all", rows), ("clear", clear(rows, name))):
            for what in ("stated", "missing"):
                found = agreement(scoped, name, missing=what == "missing")
                yield Figures(question=name, what=what, rows=scope, found=found)


def by_project(rows: Sequence[Row], names: Iterable[str]) -> Iterator[tuple[str, Figures]]:
    """The same for each project alone, all its rows, counting what is stated."""
    projects = sorted({row.project for row in rows})
    for name in names:
        for project in projects:
            found = agreement((row for row in rows if row.project == project), name)
            if found.rows:
                yield project, Figures(question=name, what="stated", rows="all", found=found)


# -- misses ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A row on which the rules and the reader differ, and why the rules answered as they did."""

    question: str
    id: str
    project: str
    is_borderline: bool
    rules_say_yes: bool
    explanation: tuple[str, ...]


def misses(rows: Iterable[Row], name: str) -> Iterator[Miss]:
    question = QUESTIONS[name]
    for row in rows:
        truth = row.labels.get(question.label)
        says = question.says(row)
        if truth is not None and says is not truth:
            yield Miss(
                question=name,
                id=row.id,
                project=row.project,
                is_borderline=question.label in row.borderline,
                rules_say_yes=says,
                explanation=tuple(_explained(row, question)),
            )


def _explained(row: Row, question: Question) -> Iterator[str]:
    for code in question.rules:
        judgement = row.verdicts[code]
        yield f"{code} {judgement.verdict.value}: {judgement.message or judgement.reason}"
        for evidence in judgement.evidence[:4]:
            note = f" ({evidence.note})" if evidence.note else ""
            yield f"  {evidence.kind} in {evidence.field}: {evidence.excerpt!r}{note}"
    if not question.rules:
        left = _left_over(row)
        yield f"{len(left)} lines taken for a template's"
        for line in left[:4]:
            yield f"  {line.reason.value}: {line.text[:80]!r}"


# -- calibration -------------------------------------------------------------------------------------------------------

# What a finding of the rule claims of the label: missing (False) or there (True).
CLAIMS: Mapping[str, tuple[str, bool]] = {
    **dict.fromkeys(("AC001", "AC002"), ("has_acceptance_criteria", False)),
    "OUT001": ("has_outcome", False),
    "OUT002": ("has_measurable_outcome", False),
    "TXT005": ("is_user_story_format", False),
    **dict.fromkeys(("TXT001", "TXT002"), ("description_is_thin", True)),
    "BUG001": ("bug_has_steps_to_reproduce", False),
    **dict.fromkeys(("BUG002", "BUG003"), ("bug_has_expected_and_actual", False)),
}
ALL_RULES = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Findings of one rule, or of all, that were given one confidence, and how many of them the reader agrees with."""

    rule: str
    confidence: float
    findings: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.findings

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.findings)


def calibration(rows: Iterable[Row]) -> tuple[Band, ...]:
    """Whether findings are right as often as their confidence says: by confidence, the surest first, and by rule."""
    counts: dict[tuple[float, str], list[int]] = {}
    for row in rows:
        for code, (label, claimed) in CLAIMS.items():
            judgement, truth = row.verdicts[code], row.labels.get(label)
            if judgement.verdict is not Verdict.FAIL or truth is None:
                continue
            for rule in (ALL_RULES, code):
                count = counts.setdefault((judgement.confidence, rule), [0, 0])
                count[0] += 1
                count[1] += truth is claimed
    ordered = sorted(counts, key=lambda key: (-key[0], key[1] != ALL_RULES, key[1]))
    return tuple(
        Band(rule=rule, confidence=confidence, findings=counts[confidence, rule][0], right=counts[confidence, rule][1])
        for confidence, rule in ordered
    )
