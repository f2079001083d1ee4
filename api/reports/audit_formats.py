"""The audit as JSON, Markdown and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from backlint.api.reports import figures
from backlint.api.reports.audit import AuditFinding, AuditReport, ScoredGroup, ScoredIssue, WriteBack
from backlint.api.reports.cycle_time_formats import markdown_cannot_say, markdown_sources, source_facts
from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer
from backlint.api.reports.tables import link, markdown_table, plain
from backlint.api.reports.tables import to_csv as table_to_csv

MOST_LINES = 50


def to_json(report: AuditReport) -> str:
    """For programs.

    `{"scope","as_of","timezone","rules_version","answer","checked","first_run","counts":{...},"findings":[{"source",
    "issue","url","title","rule","name","severity","message","question","points","owner","new","waived","baselined",
    "about"}],"rules":[...],"scores":{"issues":[...],"bands":{...},"teams":[...],"backlogs":[...]},"write_back":{"mode",
    "written":[...],"held_back":[...]},"silent":[...],"reviewed":[...],"nights":[...],"runtime":{...},"sources":[...]}`.
    `answer` is figures, nothing_wrong, nothing_to_measure or cannot_say.
    """
    return json.dumps(_facts(report), ensure_ascii=False, indent=2) + "\n"


def _entry(each: Entry) -> dict[str, Any]:
    return {"source": each.source, "issue": each.key, "url": each.url, "title": each.title, "said": each.said}


def _facts(report: AuditReport) -> dict[str, Any]:
    counts = report.counts
    return {
        "scope": report.scope,
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
        "timezone": report.timezone,
        "rules_version": report.rules_version,
        "answer": report.answer.value,
        "checked": report.checked,
        "first_run": report.is_first_run,
        "comparable": report.is_comparable,
        "recomputed_from": report.recomputed_from,
        "counts": {
            "new": counts.new,
            "fixed": counts.fixed,
            "still_open": counts.still_open,
            "waived": counts.waived,
            "baselined": counts.baselined,
            "expired_waivers": counts.expired_waivers,
            "unknown": counts.unknown,
        },
        "fixed": [_entry(each) for each in report.fixed],
        "unknown": [_entry(each) for each in report.unknown],
        "findings": [_finding(each) for each in report.findings],
        "rules": [
            {
                "rule": rule.rule,
                "name": rule.name,
                "severity": rule.severity.value,
                "open": rule.open,
                "new": rule.new,
                "waived": rule.waived,
                "baselined": rule.baselined,
            }
            for rule in report.rules
        ],
        "scores": {
            "issues": [_scored(each) for each in report.issues],
            "bands": dict(report.bands),
            "teams": [_group(each) for each in report.teams],
            "backlogs": [_group(each) for each in report.backlogs],
        },
        "write_back": {
            "mode": report.write_back,
            "written": [_change(each) for each in report.written],
            "held_back": [_change(each) for each in report.held_back],
        },
        "silent": [{"rule": x.rule, "name": x.name, "would_find": x.would_find} for x in report.silent],
        "reviewed": [
            {"rule": x.rule, "name": x.name, "precision": x.precision, "judged": x.judged} for x in report.reviewed
        ],
        "waivers": [
            {
                "rule": x.rule,
                "about": x.about,
                "reason": x.reason,
                "by": x.by or None,
                "until": x.until.isoformat(),
                "via": x.via,
                "findings": x.findings,
                "expired": x.has_expired,
            }
            for x in report.waivers
        ],
        "inline_waivers": report.inline_waivers,
        "skipped": report.skipped,
        "nights": [{"on": x.on.isoformat(), "open": x.open_findings, "mark": x.mark} for x in report.nights],
        "runtime": {"seconds": round(report.seconds, 3), "requests": report.requests},
        "sources": [source_facts(source) for source in report.health],
    }


def _finding(finding: AuditFinding) -> dict[str, Any]:
    return {
        "source": finding.source,
        "issue": finding.issue,
        "url": finding.url,
        "title": finding.title,
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "question": finding.question,
        "points": finding.points,
        "owner": finding.owner,
        "new": finding.is_new,
        "waived": finding.waived,
        "baselined": finding.baselined,
        "about": finding.about,
    }


def _scored(each: ScoredIssue) -> dict[str, Any]:
    return {
        "source": each.source,
        "issue": each.issue,
        "url": each.url,
        "title": each.title,
        "score": each.score,
        "band": each.band,
        "previous": each.previous,
    }


def _group(each: ScoredGroup) -> dict[str, Any]:
    return {
        "name": each.name,
        "score": each.score,
        "band": each.band,
        "count": each.count,
        "previous": each.previous,
        "change": each.change,
        "few_items": each.has_few_items,
        "parts": [{"name": n, "weight": w, "points": p, "basis": basis} for n, w, p, basis in each.parts],
    }


def _change(each: WriteBack) -> dict[str, Any]:
    return {
        "source": each.source,
        "issue": each.issue,
        "url": each.url,
        "change": each.change,
        "because": list(each.because),
        "why": each.why,
    }


COLUMNS = (
    "source", "issue", "url", "title", "rule", "name", "severity", "message", "question", "points", "owner", "new",
    "waived", "baselined", "about",
)  # fmt: skip


def to_csv(report: AuditReport) -> str:
    """One line for each finding, waived and baselined ones included."""
    return table_to_csv(COLUMNS, ([_finding(each)[name] for name in COLUMNS] for each in report.findings))


# -- Markdown ------------------------------------------------------------------------------------------------------


def to_markdown(report: AuditReport) -> str:
    """For a mail, a chat or a wiki; long tables are cut, with the number of lines left out."""
    head = [
        f"# Backlog audit: {plain(report.scope)}",
        f"As of {figures.moment(report.as_of, report.zone)} ({report.timezone}); "
        f"{figures.counted(report.checked, 'issue')} judged; rules {plain(report.rules_version)}.",
        *markdown_cannot_say(report),
        verdict(report),
    ]
    body = [] if report.answer is Answer.CANNOT_SAY else [*_body(report)]
    parts = (*head, *body, *markdown_sources(report.health, report), runtime(report))
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def verdict(report: AuditReport) -> str:
    """The first sentence: what the audit found, or which of the three empty answers it has."""
    judged = figures.counted(report.checked, "issue")
    accepted = f"; {figures.counted(report.counts.baselined, 'older finding')} accepted as the baseline"
    accepted = accepted if report.counts.baselined else ""
    match report.answer:
        case Answer.CANNOT_SAY:
            return "Cannot say: what this is about could not be read to the end. No score changes, nothing is written."
        case Answer.NOTHING_TO_MEASURE:
            return "Nothing to measure: no issue of this scope is open."
        case Answer.NOTHING_WRONG:
            return f"0 open findings on {judged}{accepted}."
    found = figures.counted(len(report.open_findings), "open finding")
    return f"{found} on {judged}: {report.counts.new} new, {report.counts.fixed} fixed since the last audit{accepted}."


def first_run(report: AuditReport) -> str:
    """What happens on the first run; empty on every other."""
    if not report.is_first_run:
        return ""
    if report.written:
        return "First run: the baseline is recorded."
    return "First run: baseline recorded, nothing written."


def runtime(report: AuditReport) -> str:
    calls = figures.counted(report.requests, "API call")
    return f"Took {report.seconds:.1f} seconds and {calls}."


def _body(report: AuditReport) -> Iterable[str]:
    if first_run(report):
        yield f"> {first_run(report)}"
    counts = report.counts
    names = ("new", "fixed", "still open", "waived", "baselined", "expired waivers", "could not be judged")
    values = (
        counts.new, counts.fixed, counts.still_open, counts.waived, counts.baselined, counts.expired_waivers,
        counts.unknown,
    )  # fmt: skip
    yield markdown_table(names, [values], numbers=range(len(names)))
    yield from _scores(report)
    if report.first:
        yield "## Do first"
        for owner, findings in report.first:
            yield f"**{plain(owner)}**"
            rows = [
                (link(f.issue or "", f.url), plain(f.title), f.rule, plain(f.message), f"+{f.points}") for f in findings
            ]
            yield markdown_table(("issue", "title", "rule", "finding", "points"), rows, numbers=(4,))
    if report.about_scopes:
        yield "## Teams, sprints and projects"
        about = [(plain(f.about or f.title), f.rule, f.severity.value, plain(f.message)) for f in report.about_scopes]
        yield markdown_table(("about", "rule", "severity", "finding"), about)
    if report.rules:
        yield "## Findings by rule"
        lines = [
            (f"{r.rule} {plain(r.name)}", r.severity.value, r.open, r.new, r.waived, r.baselined) for r in report.rules
        ]
        yield markdown_table(("rule", "severity", "open", "new", "waived", "baselined"), lines, numbers=(2, 3, 4, 5))
    if report.about_issues:
        yield "## Open findings"
        yield _findings(report.about_issues)
    yield from _written(report)
    if report.silent:
        yield "## Silent rules"
        quiet = [(f"{x.rule} {plain(x.name)}", x.would_find) for x in report.silent]
        yield markdown_table(("rule", "would find"), quiet, numbers=(1,))
    if waived(report):
        yield "## Waivers"
        if report.waivers:
            cells = [tuple(plain(cell) for cell in row) for row in waiver_rows(report)]
            yield markdown_table(WAIVER_COLUMNS, cells, numbers=(5,))
        yield waived(report)
    if report.reviewed:
        yield "## Under review for low precision"
        doubted = [(f"{x.rule} {plain(x.name)}", f"{x.precision} %", x.judged) for x in report.reviewed]
        yield markdown_table(("rule", "precision", "judged"), doubted, numbers=(1, 2))


WAIVER_COLUMNS = ("rule", "for", "reason", "by", "until", "findings")


def waiver_rows(report: AuditReport) -> list[tuple[str, ...]]:
    """Those that ran out first, then by their end."""
    return [
        (
            each.rule,
            each.about,
            each.reason,
            f"{each.by or 'nobody named'} ({each.via})",
            f"{each.until}{', expired: its findings are back' if each.has_expired else ''}",
            str(each.findings),
        )
        for each in report.waivers[:MOST_LINES]
    ]


def waived(report: AuditReport) -> str:
    """What is waived in one sentence; empty when nothing is."""
    if not report.waivers and not report.inline_waivers and not report.skipped:
        return ""
    standing = sum(not each.has_expired for each in report.waivers)
    return (
        f"{figures.counted(standing, 'waiver')} in force, {len(report.waivers) - standing} expired; "
        f"{figures.counted(report.inline_waivers, 'inline waiver')} in texts (N/A with a reason); "
        f"{figures.counted(report.skipped, 'issue')} exempt by label."
    )


def _scores(report: AuditReport) -> Iterable[str]:
    for heading, groups in (("team", report.teams), ("backlog", report.backlogs)):
        if groups:
            yield f"## {heading.capitalize()} scores"
            rows = [(plain(x.name), f"{x.score} {x.band}", change(x), x.count) for x in groups]
            yield markdown_table((heading, "score", "change", "issues"), rows, numbers=(1, 2, 3))
    if rules_note(report):
        yield rules_note(report)


def rules_note(report: AuditReport) -> str:
    """What a change of the rules means for the scores; empty while the rules are the same."""
    if report.recomputed_from is not None:
        return (
            f"The rules changed from {report.recomputed_from} to {report.rules_version}: the scores of the last audit "
            "were computed anew by today's rules from the backlog as it was then."
        )
    return (
        "" if report.is_comparable else "The rules changed since the last audit, so that no change of score is shown."
    )


def change(group: ScoredGroup) -> str:
    if group.has_few_items:
        return "few items"
    return "–" if group.change is None else figures.signed(group.change)


def _findings(findings: tuple[AuditFinding, ...]) -> str:
    rows = [
        (
            link(f.issue or "", f.url),
            plain(f.title),
            f.rule,
            f.severity.value,
            plain(f.message) + (" **new**" if f.is_new else ""),
            "–" if f.points is None else f.points,
        )
        for f in findings[:MOST_LINES]
    ]
    table = markdown_table(("issue", "title", "rule", "severity", "finding", "points"), rows, numbers=(5,))
    rest = len(findings) - MOST_LINES
    return table + (f"\n{rest} more in the CSV.\n" if rest > 0 else "")


def _written(report: AuditReport) -> Iterable[str]:
    yield "## Written back"
    if report.write_back == "off":
        yield "Write-back is off: nothing was written."
        return
    if not report.written and not report.held_back:
        yield f"Nothing to write (mode {report.write_back})."
    if report.written:
        rows = [(link(x.issue, x.url), plain(x.change), ", ".join(x.because)) for x in report.written[:MOST_LINES]]
        yield markdown_table(("issue", "change", "because"), rows)
    if report.held_back:
        yield "Held back:"
        held = [(link(x.issue, x.url), plain(x.change), plain(x.why or "")) for x in report.held_back[:MOST_LINES]]
        yield markdown_table(("issue", "change", "why"), held)
