"""The life of findings in the store: opened, still there, fixed, opened again; and the baseline of the first check."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.activity import human_events
from backlint.model import Issue, Judgement, Scope, Verdict
from backlint.rules.engine import fingerprint
from backlint.sync import tables as t
from backlint.sync.store import CHUNK, upsert
from backlint.trust import NOTHING
from backlint.waivers import Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A failing judgement with its life so far."""

    fingerprint: str
    judgement: Judgement
    opened_at: datetime
    is_new: bool = False  # opened or opened again by this very check
    is_baseline: bool = False
    times_opened: int = 1
    waiver: Waiver | None = None  # in force: the finding costs nothing and is not spoken of
    expired: Waiver | None = None  # ran out: the finding is back

    @property
    def is_spoken(self) -> bool:
        """Whether it is open before everybody: neither in the baseline nor waived."""
        return not self.is_baseline and self.waiver is None


@dataclass(frozen=True, slots=True)
class Judged:
    """One issue, or one scope, with every verdict on it, ready to be recorded; waivers by rule code."""

    issue: Issue | Scope
    judgements: tuple[Judgement, ...]
    is_near: bool
    waived: Mapping[str, Waiver] = field(default_factory=lambda: NOTHING)
    expired: Mapping[str, Waiver] = field(default_factory=lambda: NOTHING)

    @property
    def failures(self) -> tuple[Judgement, ...]:
        return tuple(judgement for judgement in self.judgements if judgement.verdict.value == "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a check changed: the open findings by issue or scope, and how many opened, reopened and were fixed."""

    findings: Mapping[tuple[str, str], tuple[Finding, ...]]
    opened: int = 0
    reopened: int = 0
    fixed: int = 0


def text_digest(issue: Issue | Scope) -> str:
    """Of what a person wrote: a baseline entry dies when it changes. Nobody writes a team or a sprint."""
    if isinstance(issue, Scope):
        return ""
    return hashlib.sha256(f"{issue.title}\0{issue.body}".encode("utf-8", "backslashreplace")).hexdigest()[:32]


def record(
    connection: Connection, run: str, judged: Iterable[Judged], *, now: datetime, baseline_of: Collection[str] = ()
) -> Recorded:
    """Bring the stored findings of the judged issues in line with the verdicts. `baseline_of` names first-time sources.

    A verdict `unknown` changes nothing: what could not be judged is neither fixed nor new.
    """
    judged = tuple(judged)
    known = _known(connection, {each.issue.source for each in judged})
    rows: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    found: dict[tuple[str, str], tuple[Finding, ...]] = {}

    def note(fingerprint_: str, event: str) -> None:
        events.append({"fingerprint": fingerprint_, "at": now, "event": event, "run": run})

    for each in judged:
        open_now: list[Finding] = []
        for judgement in each.failures:
            mark = fingerprint(judgement)
            before = known.get(mark)
            finding = _finding(mark, judgement, before, now=now, is_first=each.issue.source in baseline_of)
            if before is not None and not finding.is_new and _leaves_baseline(before, each):
                finding = replace(finding, is_baseline=False)
            finding = replace(finding, waiver=each.waived.get(judgement.rule), expired=each.expired.get(judgement.rule))
            row = _row(finding, each, before)
            if before is None or any(before[name] != value for name, value in row.items()):
                rows.append(row)
            if finding.is_new:
                note(mark, "opened" if before is None else "reopened")
            for event in _waiver_events(finding, before):
                note(mark, event)
            open_now.append(finding)
        found[each.issue.identity] = tuple(open_now)
    fixed = _fixed(known, judged)
    for mark in fixed:
        note(mark, "fixed")
    edited = _fixed_by_edits(known, fixed, judged)
    for start in range(0, len(rows), CHUNK):
        upsert(connection, t.findings, rows[start : start + CHUNK])
    for by, marks in (("edit", list(edited)), ("other", [mark for mark in fixed if mark not in edited])):
        for start in range(0, len(marks), CHUNK):
            connection.execute(
                sa.update(t.findings)
                .where(t.findings.c.fingerprint.in_(marks[start : start + CHUNK]))
                .values(state="fixed", fixed_at=now, fixed_by=by, is_baseline=False, waiver=None)
            )
    if events:
        connection.execute(t.finding_events.insert(), events)
    counts = [event["event"] for event in events]
    return Recorded(
        findings=found, opened=counts.count("opened"), reopened=counts.count("reopened"), fixed=counts.count("fixed")
    )


def open_findings_of(connection: Connection, rules: Collection[str]) -> set[tuple[str, str, str]]:
    """(source, issue, rule) of every open finding of these rules."""
    columns = t.findings.c.source, t.findings.c.issue, t.findings.c.rule
    query = sa.select(*columns).where(t.findings.c.rule.in_(list(rules)), t.findings.c.state == "open")
    return {(row.source, row.issue, row.rule) for row in connection.execute(query)}


def accept(connection: Connection, found: Iterable[tuple[Issue, bool, Finding]]) -> None:
    """Take findings into the baseline, each with its issue and whether that is near: it dies when either changes."""
    for issue, is_near, finding in found:
        connection.execute(
            sa.update(t.findings)
            .where(t.findings.c.fingerprint == finding.fingerprint)
            .values(is_baseline=True, was_near=is_near, text_digest=text_digest(issue))
        )


def accepted(connection: Connection) -> dict[tuple[str, str, str], int]:
    """(source, project, rule) -> the open findings of the baseline."""
    joined = t.findings.outerjoin(
        t.issues, sa.and_(t.issues.c.source == t.findings.c.source, t.issues.c.id == t.findings.c.issue)
    )
    project = sa.func.coalesce(t.issues.c.project, t.issues.c.team, "").label("project")
    query = (
        sa.select(t.findings.c.source, project, t.findings.c.rule, sa.func.count())
        .select_from(joined)
        .where(t.findings.c.state == "open", t.findings.c.is_baseline, t.findings.c.waiver.is_(None))
        .group_by(t.findings.c.source, project, t.findings.c.rule)
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def _known(connection: Connection, sources: Collection[str]) -> dict[str, Mapping[str, Any]]:
    rows = connection.execute(sa.select(t.findings).where(t.findings.c.source.in_(sources))).mappings()
    return {row["fingerprint"]: dict(row) for row in rows}


def _finding(
    mark: str, judgement: Judgement, before: Mapping[str, Any] | None, *, now: datetime, is_first: bool
) -> Finding:
    if before is None:
        return Finding(fingerprint=mark, judgement=judgement, opened_at=now, is_new=True, is_baseline=is_first)
    if before["state"] == "fixed":
        return Finding(
            fingerprint=mark, judgement=judgement, opened_at=now, is_new=True, times_opened=before["times_opened"] + 1
        )
    return Finding(
        fingerprint=mark,
        judgement=judgement,
        opened_at=before["opened_at"],
        is_baseline=before["is_baseline"],
        times_opened=before["times_opened"],
    )


def _leaves_baseline(before: Mapping[str, Any], each: Judged) -> bool:
    """Catalogue 9: an entry dies when the issue becomes near, or when a person edits the text."""
    return (each.is_near and not before["was_near"]) or before["text_digest"] != text_digest(each.issue)


def _row(finding: Finding, each: Judged, before: Mapping[str, Any] | None) -> dict[str, Any]:
    judgement = finding.judgement
    carried = before if before is not None and not finding.is_new else None
    return {
        "fingerprint": finding.fingerprint, "source": judgement.source, "issue": judgement.issue,
        "rule": judgement.rule, "state": "open", "severity": judgement.severity.value,
        "confidence": judgement.confidence, "message": judgement.message, "question": judgement.question,
        "evidence": msgspec.to_builtins(judgement.evidence), "is_baseline": finding.is_baseline,
        "waiver": finding.waiver.id if finding.waiver else None,
        "was_near": carried["was_near"] if carried else each.is_near,
        "text_digest": carried["text_digest"] if carried else text_digest(each.issue),
        "opened_at": finding.opened_at, "fixed_at": None, "fixed_by": None, "times_opened": finding.times_opened,
    }  # fmt: skip


def _waiver_events(finding: Finding, before: Mapping[str, Any] | None) -> Iterable[str]:
    """What changed in its waiver since the last check."""
    was_waived = before is not None and before["state"] == "open" and before["waiver"] is not None
    if finding.waiver is not None and not was_waived:
        yield "waived"
    elif finding.waiver is None and was_waived:
        yield "waiver expired" if finding.expired is not None else "waiver ended"


def _fixed_by_edits(
    known: Mapping[str, Mapping[str, Any]], fixed: Iterable[str], judged: Iterable[Judged]
) -> dict[str, None]:
    """The fixed findings whose rule passes after a person changed the issue; others ended for a reason of their own."""
    issues = {each.issue.identity: each for each in judged}
    edited: dict[str, None] = {}
    for mark in fixed:
        row = known[mark]
        each = issues.get((row["source"], row["issue"]))
        if each is None or isinstance(each.issue, Scope):
            continue
        passes = any(one.rule == row["rule"] and one.verdict is Verdict.PASS for one in each.judgements)
        is_rewritten = row["text_digest"] != text_digest(each.issue)
        if passes and (is_rewritten or any(event.at >= row["opened_at"] for event in human_events(each.issue))):
            edited[mark] = None
    return edited


def _fixed(known: Mapping[str, Mapping[str, Any]], judged: Iterable[Judged]) -> list[str]:
    """Open findings whose rule was asked again and neither failed nor had to leave it open."""
    still: set[str] = set()
    asked: dict[tuple[str, str, str], set[str]] = {}
    for each in judged:
        still.update(fingerprint(judgement) for judgement in each.failures)
        for judgement in each.judgements:
            asked.setdefault((judgement.source, judgement.issue, judgement.rule), set()).add(judgement.verdict.value)
    return [
        mark
        for mark, row in known.items()
        if row["state"] == "open"
        and mark not in still
        and "unknown" not in asked.get((row["source"], row["issue"], row["rule"]), {"unknown"})
    ]


def fixed_at(connection: Connection, moment: datetime) -> tuple[tuple[str, str, str, str], ...]:
    """(source, issue or scope, rule, message) of the findings that the check of that moment found to be fixed."""
    query = (
        sa.select(t.findings.c.source, t.findings.c.issue, t.findings.c.rule, t.findings.c.message)
        .where(t.findings.c.state == "fixed", t.findings.c.fixed_at == moment)
        .order_by(t.findings.c.source, t.findings.c.issue, t.findings.c.rule)
    )
    return tuple((row.source, row.issue, row.rule, row.message) for row in connection.execute(query))


def history(connection: Connection, source: str, issue: str) -> tuple[Mapping[str, Any], ...]:
    """The life of an issue's findings, oldest first: at, event, rule, message; for `explain`."""
    query = (
        sa.select(t.finding_events.c.at, t.finding_events.c.event, t.findings.c.rule, t.findings.c.message)
        .join(t.findings, t.findings.c.fingerprint == t.finding_events.c.fingerprint)
        .where(t.findings.c.source == source, t.findings.c.issue == issue)
        .order_by(t.finding_events.c.id)
    )
    return tuple(dict(row) for row in connection.execute(query).mappings())
