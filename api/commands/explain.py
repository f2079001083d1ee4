"""`backlint explain ISSUE`: every verdict, what was tried, what was dropped and why, the score, and its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from backlint.api.commands.check import require_pulled
from backlint.api.commands.explain_flow import flow_json, show_flow
from backlint.api.console import Console, escape, severity
from backlint.api.installation import now, open_installation
from backlint.api.reading import read_file
from backlint.backlog import Backlog
from backlint.errors import InputError
from backlint.model import Evidence, Issue, Judgement, Verdict
from backlint.rules.registry import RULES_VERSION
from backlint.rules.rule import Context, Rule
from backlint.settings import Settings, load
from backlint.sync import commands, feedback
from backlint.sync.check import Checked, chosen_rules, judge_backlog, load_backlog, make_backlog
from backlint.sync.commands import hear
from backlint.sync.database import reading
from backlint.sync.findings import history
from backlint.sync.trust import load_trust, trust_of_file
from backlint.sync.waivers import to_json as waiver_json
from backlint.waivers import Waiver

# The letters of catalogue 1.6, as JSON has them, in words.
KINDS = {
    "F": "field", "S": "section", "C": "checklist", "G": "scenario", "P": "phrase", "H": "history", "T": "dropped text",
}  # fmt: skip


def run(
    console: Console, *, config: Path | None, reference: str, input: str | None, day_first: bool | None = None
) -> int:
    past: Sequence[Mapping[str, Any]] = ()
    said: Sequence[Mapping[str, Any]] = ()
    opinions: Sequence[Mapping[str, Any]] = ()
    if input is not None:
        settings = load(config)
        read = read_file(console, input, zone=settings.zone, day_first=day_first)
        backlog = make_backlog(read.issues, settings, now=now())
        issue = _find(backlog, reference)
        trust = trust_of_file(read.issues, settings, now=now())
    else:
        with open_installation(config) as place:
            require_pulled(place)
            settings = place.settings
            hear(place.engine, settings, now=now())
            backlog = load_backlog(place.engine, settings, now=now())
            issue = _find(backlog, reference)
            with reading(place.engine) as connection:
                past = history(connection, issue.source, issue.id)
                trust = load_trust(connection, settings, now=now())
                said = [*commands.of_issue(connection, issue.source, issue.id)]
                opinions = feedback.of_issue(connection, issue.source, issue.id)
    rules = chosen_rules(settings)
    (checked,), context, _ = judge_backlog(backlog, settings, rules=rules, issues=[issue], trust=trust)
    console.json(to_json(checked, context, rules, past, said, opinions))
    show(console, checked, context, rules, past, settings)
    _show_said(console, said, opinions)
    return 0


def _find(backlog: Backlog, reference: str) -> Issue:
    found = [
        issue for source in {issue.source for issue in backlog.issues} if (issue := backlog.find(source, reference))
    ]
    if not found:
        raise InputError(
            f"there is no issue {reference!r}: name it by key, former key or id; `backlint pull` reads new ones"
        )
    if len(found) > 1:
        names = ", ".join(f"{issue.source} {issue.key}" for issue in found)
        raise InputError(f"{reference!r} is ambiguous: {names}; use the id")
    return found[0]


def show(
    console: Console,
    checked: Checked,
    context: Context,
    rules: Sequence[Rule],
    past: Sequence[Mapping[str, Any]],
    settings: Settings,
) -> None:
    issue = checked.issue
    console.out(f"[bold]{escape(issue.key)}[/bold]  {escape(issue.title)}")
    if issue.url:
        console.out(f"[dim]{escape(issue.url)}[/dim]")
    near = "near: judged in full" if checked.is_near else "far: most rules only inform"
    console.out(
        f"{issue.type.value}, {escape(issue.status.name or 'no status')} ({issue.status.category.value}), {near}. "
        f"Rules {RULES_VERSION}, profile {settings.check.profile}."
    )
    _show_score(console, checked)
    codes = {rule.code: rule for rule in rules}
    for judgement in checked.judgements:
        _show_verdict(console, judgement, checked, codes[judgement.rule])
    _show_text(console, issue, context)
    show_flow(console, issue, context)
    for event in past:
        console.out(f"  {event['at']:%Y-%m-%d %H:%M} UTC  {event['rule']} {event['event']}: {escape(event['message'])}")


def _show_score(console: Console, checked: Checked) -> None:
    if checked.score is None:
        console.out("No score: nothing could be judged.")
        return
    console.out(f"Score {checked.score.shown} of 100 (band {checked.score.band})")
    for share in checked.score.shares:
        console.out(f"  {share.dimension.value}: weight {share.weight}, kept {float(share.kept):.0%}")
    if checked.score.waived or checked.score.unknown:
        console.out(f"  {checked.score.waived} waived, {checked.score.unknown} could not be judged")
    for each in checked.score.do_first:
        console.out(f"  fix {each.finding.rule} first: +{float(each.points):.1f}")


def _show_verdict(console: Console, judgement: Judgement, checked: Checked, rule: Rule) -> None:
    said = judgement.message if judgement.verdict is Verdict.FAIL else judgement.reason
    level = f"  {severity(judgement.severity.value)}" if judgement.verdict is Verdict.FAIL else ""
    cost = f"  costs {float(checked.points(judgement)):.1f}" if judgement.verdict is Verdict.FAIL else ""
    console.out(f"{judgement.rule}  {_coloured(judgement.verdict)}{level}  {escape(said)}{cost}")
    if judgement.verdict is Verdict.FAIL:
        for line in _decisions(judgement.rule, checked):
            console.out(f"    {escape(line)}")
    if judgement.verdict is Verdict.FAIL and judgement.confidence < 1:
        console.out(f"    confidence {judgement.confidence:.2f}")
    for evidence in judgement.evidence:
        console.out(f"    {escape(_evidence(evidence))}")
    changed = {name: value for name, value in rule.values.items() if value != type(rule).options()[name]}
    if changed:
        console.out(f"    options from the configuration: {escape(str(changed))}")


def _decisions(code: str, checked: Checked) -> Iterator[str]:
    """What people decided about the finding."""
    standing = checked.standing
    if waiver := standing.waived.get(code):
        yield f"waived until {waiver.until}{_by(waiver)}: {waiver.reason}"
    if waiver := standing.expired.get(code):
        yield f"was waived until {waiver.until}{_by(waiver)}: {waiver.reason}"
    if code in standing.disputed:
        yield "called wrong by a person: neither asked nor labelled here again"
    if level := standing.levels.get(code):
        yield f"the rule has stepped back ({level.value}): `backlint precision` says why"


def _by(waiver: Waiver) -> str:
    by = f" by {waiver.author}" if waiver.author else ""
    return f" ({waiver.id}, {waiver.via.value}{by})"


def _show_said(console: Console, said: Sequence[Mapping[str, Any]], opinions: Sequence[Mapping[str, Any]]) -> None:
    for row in said:
        what = f"/hygiene {row['verb']} {', '.join(row['rules'])}".rstrip()
        answer = f": {row['answer']}" if row["answer"] else ""
        console.out(f"  {row['at']:%Y-%m-%d %H:%M} UTC  {escape(what)} by {escape(row['author'] or 'somebody')}, "
                    f"{row['outcome']}{escape(answer)}")  # fmt: skip
    for row in opinions:
        reason = f": {row['reason']}" if row["reason"] else ""
        weak = ", counts half" if row["is_weak"] else ""
        console.out(f"  {row['at']:%Y-%m-%d %H:%M} UTC  {row['rule']} {row['verdict']} "
                    f"({row['via']}{weak}){escape(reason)}")  # fmt: skip


def _evidence(evidence: Evidence) -> str:
    place = f"{evidence.field}[{evidence.start}:{evidence.end}]" if evidence.start is not None else evidence.field
    note = f" ({evidence.note})" if evidence.note else ""
    kind = KINDS.get(evidence.kind, evidence.kind)
    return f'{kind} in {place}: "{evidence.excerpt}"{note}'


def _show_text(console: Console, issue: Issue, context: Context) -> None:
    document = context.texts.body(issue)
    console.out(
        f"Text: {document.words} words by the author, {len(document.sections)} sections, {document.images} images."
    )
    for section in document.sections:
        meanings = ", ".join(sorted(meaning.value for meaning in section.meanings))
        console.out(
            f'  "{escape(section.heading)}" read as {meanings or "nothing special"}: {len(section.items)} items'
        )
    for dropped in document.dropped[:30]:
        console.out(f'  dropped as {dropped.reason.value}: "{escape(dropped.text[:80])}"')
    if len(document.dropped) > 30:
        console.out(f"  ... and {len(document.dropped) - 30} more dropped lines; --format json lists them")


def _coloured(verdict: Verdict) -> str:
    return {Verdict.PASS: "[green]pass[/green]", Verdict.FAIL: "[red]fail[/red]"}.get(
        verdict, f"[dim]{verdict.value}[/dim]"
    )


def to_json(
    checked: Checked,
    context: Context,
    rules: Sequence[Rule],
    past: Sequence[Mapping[str, Any]],
    said: Sequence[Mapping[str, Any]] = (),
    opinions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    issue = checked.issue
    document = context.texts.body(issue)
    score, standing = checked.score, checked.standing
    return {
        "source": issue.source,
        "issue": issue.key,
        "id": issue.id,
        "url": issue.url,
        "rules_version": RULES_VERSION,
        "near": checked.is_near,
        "score": None
        if score is None
        else {
            "score": score.shown,
            "band": score.band,
            "dimensions": [
                {"dimension": share.dimension.value, "weight": share.weight, "kept": float(share.kept)}
                for share in score.shares
            ],
            "recoverable": [
                {"rule": each.finding.rule, "points": round(float(each.points), 2)} for each in score.recoverable
            ],
        },
        "verdicts": [
            {
                "rule": each.rule,
                "verdict": each.verdict.value,
                "severity": each.severity.value if each.verdict is Verdict.FAIL else None,
                "reason": each.reason or each.message,
                "confidence": each.confidence,
                "evidence": msgspec.to_builtins(each.evidence),
            }
            for each in checked.judgements
        ],
        "options": {rule.code: {name: str(value) for name, value in rule.values.items()} for rule in rules},
        "sections": [
            {"heading": each.heading, "meanings": sorted(each.meanings), "items": [item.text for item in each.items]}
            for each in document.sections
        ],
        "dropped": [
            {"text": each.text, "reason": each.reason.value, "start": each.start, "end": each.end}
            for each in document.dropped
        ],
        "flow": flow_json(issue, context),
        "history": [{**event, "at": event["at"].isoformat()} for event in past],
        "waivers": [waiver_json(each) for each in (*standing.waived.values(), *standing.expired.values())],
        "disputed": sorted(standing.disputed),
        "stepped_back": {code: level.value for code, level in standing.levels.items()},
        "commands": [
            {
                **{name: row[name] for name in ("comment", "author", "verb", "rules", "reason", "outcome", "answer")},
                "at": row["at"].isoformat(),
            }
            for row in said
        ],
        "feedback": [
            {
                **{name: row[name] for name in ("rule", "verdict", "via", "is_weak", "actor", "reason")},
                "at": row["at"].isoformat(),
            }
            for row in opinions
        ],
    }
