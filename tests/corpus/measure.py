"""How well the rules agree with issues that people labelled by reading: precision, recall and F1 with intervals.

A label file is JSON Lines with `title`, `description`, `markup`, `labels` and `borderline`, one issue a line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backlint.backlog import Backlog
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Markup, Verdict
from backlint.rules.engine import judge
from backlint.rules.registry import find
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.story_text import JOB
from backlint.text.cache import TextCache
from backlint.text.document import Document, DropReason

Z = 1.959964  # 95 %
NO_WORDS = re.compile(r"(?:[\W\d_]|\bn/?a\b|\bnone\b)*", re.IGNORECASE)
TYPES = {"bug": IssueType.BUG, "task": IssueType.TASK}
ONLY_DATE = "The outcome has no date."


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled issue with what the rules said of it."""

    id: str
    labels: dict[str, bool | None]
    borderline: frozenset[str]
    verdicts: dict[str, Judgement]
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
    def precision(self) -> float:
        return self.both / (self.both + self.only_rules) if self.both + self.only_rules else math.nan

    @property
    def recall(self) -> float:
        return self.both / (self.both + self.only_reader) if self.both + self.only_reader else math.nan

    @property
    def f1(self) -> float:
        total = 2 * self.both + self.only_rules + self.only_reader
        return 2 * self.both / total if total else math.nan


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle = share + Z * Z / (2 * of)
    spread = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return (middle - spread) / (1 + Z * Z / of), (middle + spread) / (1 + Z * Z / of)


# What decides each question, and as which type a row is judged for it.
AS_STORY = ("AC001", "AC002", "OUT001", "OUT002", "TXT001", "TXT002", "TXT005")
AS_BUG = ("BUG001", "BUG002", "BUG003")
# By the label guide a crash alone does not say what should have happened, and fewer than 20 words are thin, of whatever
# type, a log not counted.
OPTIONS: dict[str, dict[str, object]] = {
    "BUG002": {"crash_implies": False},
    "TXT002": {"min_words": 20, "min_words_task": 20, "code_counts": False},
}


def judged(path: Path) -> tuple[Row, ...]:
    """Every row judged as an open, near story, whatever its type: the label guide asks the same of all. Bugs are
    judged as bugs for the questions about bugs, and tasks as tasks where it is asked whether a text is thin."""
    as_story = [find(code)(OPTIONS.get(code)) for code in AS_STORY]
    as_bug = [find(code)(OPTIONS.get(code)) for code in AS_BUG]
    thin = [find(code)(OPTIONS.get(code)) for code in ("TXT001", "TXT002")]
    raw = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    issues = [_issue(row) for row in raw]
    backlog = Backlog(issues=tuple(issues), now=EXAMPLE_NOW, near_is_all=True, habits_are_on=True)
    context = Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache())
    rows = []
    for row, issue in zip(raw, issues, strict=True):
        own = replace(issue, type=TYPES.get(row["type"], IssueType.STORY))
        verdicts = judge(issue, as_story, context)
        verdicts += judge(replace(issue, type=IssueType.BUG), as_bug, context)
        verdicts += judge(own, thin, context)
        by_default = judge(own, [find(code)() for code in ("TXT001", "TXT002")], context)
        rows.append(
            Row(
                id=row["id"],
                labels=row["labels"],
                borderline=frozenset(row.get("borderline", ())),
                verdicts={each.rule: each for each in verdicts},
                document=context.texts.body(issue),
                is_thin_by_default=any(each.verdict is Verdict.FAIL for each in by_default),
            )
        )
    return tuple(rows)


def _issue(row: dict[str, Any]) -> Issue:
    return an_issue(
        id=row["id"],
        key=row["id"],
        type=IssueType.STORY,
        title=row["title"],
        body=row.get("description") or "",
        markup=Markup(row["markup"]),
    )


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
    dropped = {DropReason.PLACEHOLDER, DropReason.HTML_COMMENT, DropReason.TEMPLATE}
    lines = [line for line in row.document.dropped if line.reason in dropped and not NO_WORDS.fullmatch(line.text)]
    return bool(lines) or any(scenario.is_shell for scenario in row.document.scenarios)


def says_steps(row: Row) -> bool:
    return row.verdicts["BUG001"].verdict is Verdict.PASS


def says_expected_and_actual(row: Row) -> bool:
    return all(row.verdicts[code].verdict is Verdict.PASS for code in ("BUG002", "BUG003"))


QUESTIONS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "AC001 + AC002": ("has_acceptance_criteria", says_criteria),
    "OUT001": ("has_outcome", says_outcome),
    "OUT002 (label guide)": ("has_measurable_outcome", says_measurable),
    "OUT002 (number)": ("has_measurable_outcome", says_number),
    "TXT005": ("is_user_story_format", says_story),
    "TXT001 + TXT002": ("description_is_thin", says_thin),
    "TXT001 + TXT002 as is": ("description_is_thin", lambda row: row.is_thin_by_default),
    "placeholder": ("has_placeholder_text", says_placeholder),
    "BUG001": ("bug_has_steps_to_reproduce", says_steps),
    "BUG002 + BUG003": ("bug_has_expected_and_actual", says_expected_and_actual),
}


def agreement(rows: Iterable[Row], label: str, says: Callable[[Row], bool], *, missing: bool = False) -> Agreement:
    """Counts for "it is there", or with `missing` for the finding, "it is not there"."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for row in rows:
        truth = row.labels[label]
        if truth is not None:
            counts[says(row) is not missing, truth is not missing] += 1
    return Agreement(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def report(rows: Sequence[Row]) -> Iterator[str]:
    """A table of all questions, over all rows and without the borderline ones."""
    yield f"{'question':<22} {'rows':>5}  {'precision':<22} {'recall':<22} F1"
    for name, (label, says) in QUESTIONS.items():
        for scope, chosen in (("all", rows), ("clear", [row for row in rows if label not in row.borderline])):
            for polarity in ("stated", "missing"):
                found = agreement(chosen, label, says, missing=polarity == "missing")
                count = sum(row.labels[label] is not None for row in chosen)
                yield _line(name, f"{polarity}, {scope}", count, found)


def _line(name: str, what: str, count: int, found: Agreement) -> str:
    precision = wilson(found.both, found.both + found.only_rules)
    recall = wilson(found.both, found.both + found.only_reader)
    return (
        f"{name:<22} {what:<15} {count:>4}  "
        f"{found.precision:.3f} [{precision[0]:.3f}, {precision[1]:.3f}]  "
        f"{found.recall:.3f} [{recall[0]:.3f}, {recall[1]:.3f}]  {found.f1:.3f}"
    )


def disagreements(rows: Iterable[Row], name: str) -> Iterator[tuple[str, str, Judgement]]:
    """Rows on which the rules and the reader differ, for reading."""
    label, says = QUESTIONS[name]
    code = next(code for code in (name.split()[0], "TXT001") if code in (*AS_STORY, *AS_BUG))
    for row in rows:
        if row.labels[label] is not None and says(row) is not row.labels[label]:
            mark = " (borderline)" if label in row.borderline else ""
            yield row.id + mark, "only the rules" if says(row) else "only the reader", row.verdicts[code]
