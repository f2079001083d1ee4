"""The monthly recall samples in the store: drawn from a check, answered by a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.errors import InputError
from backlint.model import Judgement, Presence, Severity, Verdict
from backlint.recall import Answer, Recall, draw, recall
from backlint.rules.rule import Rule, ScopeRule
from backlint.sync import tables as t
from backlint.sync.check import CheckResult
from backlint.sync.store import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An issue of a sample, with what a person said of it so far."""

    month: str
    rule: str
    source: str
    issue: str  # id
    key: str
    title: str
    url: str | None
    answer: Answer | None


def sampled_rules(result: CheckResult) -> tuple[Rule, ...]:
    """The error rules on issues that everybody may see."""
    return tuple(
        rule
        for rule in result.rules
        if rule.severity is Severity.ERROR and not rule.private and not isinstance(rule, ScopeRule)
    )


def draw_samples(connection: Connection, result: CheckResult, *, month: str, size: int, now: datetime) -> int:
    """Draw the samples of the month for every error rule that has none yet; returns how many issues were drawn.

    Only issues that the rule looked at and let pass: what it did not speak of, or could not judge, is no pass.
    """
    drawn = set(
        connection.execute(sa.select(t.recall_samples.c.rule).where(t.recall_samples.c.month == month)).scalars()
    )
    rows: list[dict[str, Any]] = []
    passing, failing = _verdicts(result)
    for rule in sampled_rules(result):
        if rule.code in drawn:
            continue
        chosen = draw(sorted(passing[rule.code]), size, month=month, rule=rule.code)
        for position, (source, issue) in enumerate(chosen):
            rows.append(
                {
                    "month": month, "rule": rule.code, "source": source, "issue": issue, "position": position,
                    "passed": len(passing[rule.code]), "failed": failing[rule.code], "drawn_at": now,
                    "answer": None, "judged_by": None, "judged_at": None,
                }
            )  # fmt: skip
    upsert(connection, t.recall_samples, rows)
    return len(rows)


def _verdicts(result: CheckResult) -> tuple[Mapping[str, set[tuple[str, str]]], Mapping[str, int]]:
    passing: dict[str, set[tuple[str, str]]] = defaultdict(set)
    failing: dict[str, int] = defaultdict(int)
    for each in result.checked:
        if each.issue.presence is not Presence.PRESENT:
            continue
        for judgement in each.judgements:
            if judgement.verdict is Verdict.PASS:
                passing[judgement.rule].add(each.issue.identity)
            failing[judgement.rule] += _is_found(judgement)
    return passing, failing


def _is_found(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.FAIL


def samples(connection: Connection, *, month: str | None = None) -> tuple[Drawn, ...]:
    """What was drawn, by month, rule and place in the sample; issues that are gone are left out."""
    joined = t.recall_samples.join(
        t.issues,
        sa.and_(t.issues.c.source == t.recall_samples.c.source, t.issues.c.id == t.recall_samples.c.issue),
    )
    query = (
        sa.select(t.recall_samples, t.issues.c.key, t.issues.c.title, t.issues.c.url)
        .select_from(joined)
        .order_by(t.recall_samples.c.month, t.recall_samples.c.rule, t.recall_samples.c.position)
    )
    if month is not None:
        query = query.where(t.recall_samples.c.month == month)
    return tuple(
        Drawn(
            month=row.month, rule=row.rule, source=row.source, issue=row.issue, key=row.key, title=row.title,
            url=row.url, answer=Answer(row.answer) if row.answer else None,
        )
        for row in connection.execute(query)
    )  # fmt: skip


def judge(connection: Connection, drawn: Drawn, answer: Answer, *, by: str, now: datetime) -> None:
    """What a person says; a second answer replaces the first."""
    changed = connection.execute(
        sa.update(t.recall_samples)
        .where(
            t.recall_samples.c.month == drawn.month,
            t.recall_samples.c.rule == drawn.rule,
            t.recall_samples.c.source == drawn.source,
            t.recall_samples.c.issue == drawn.issue,
        )
        .values(answer=answer.value, judged_by=by, judged_at=now)
    )
    if not changed.rowcount:
        raise InputError(f"{drawn.key} is not in the sample of {drawn.rule} for {drawn.month}")


def recalls(connection: Connection) -> dict[tuple[str, str], tuple[Recall | None, int]]:
    """(month, rule) -> the recall, if it can be said, and the size of the sample. Unclear answers say nothing."""
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in connection.execute(sa.select(t.recall_samples)):
        groups[row.month, row.rule].append(row)
    found: dict[tuple[str, str], tuple[Recall | None, int]] = {}
    for key, rows in sorted(groups.items()):
        answers = [row.answer for row in rows if row.answer in (Answer.RIGHT, Answer.MISSED)]
        found[key] = (
            recall(
                passed=rows[0].passed,
                failed=rows[0].failed,
                judged=len(answers),
                missed=answers.count(Answer.MISSED.value),
            ),
            len(rows),
        )
    return found
