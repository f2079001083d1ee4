"""The sections of the weekly readout: what shipped, changed and was learned, what is next and what is at risk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.api.readout.delivery import forecast_figures
from backlint.api.readout.facts import Facts
from backlint.api.readout.wording import (
    as_entry,
    counted_issues,
    excerpt,
    nothing_finished,
    serves,
    usual_week,
)
from backlint.api.reports import figures
from backlint.api.reports.entries import Entry, entry
from backlint.api.reports.readout import Section
from backlint.model import Issue, IssueType, Judgement, StatusCategory
from backlint.readiness import Standing
from backlint.rules.decision_incomplete import DECISION_LABELS
from backlint.rules.evidence import section_lines
from backlint.rules.result_text import RESULT_FIELDS, results_in_text, states_result
from backlint.rules.review_text import review_date
from backlint.rules.too_many_initiatives import TooManyInitiatives

MEASURES = frozenset({*RESULT_FIELDS, "metric", "baseline", "target", "outcome", "key_result", "measured_result"})
TEXTS = frozenset({"description", "body"})
RISKS = ("PLN004", "FLO002", "BLK004", "BLK003", "BLK002", "BLK001", "PLN003", "OWN003")
NEXT_SHOWN, REVIEWS_AHEAD = 10, timedelta(days=7)
# What a decision, a spike or an incident ended with.
_CONCLUSION = re.compile(
    r"\W*(?:decision(?:\s+outcome)?|conclusion|findings?|rationale|root\s+cause|what\s+we\s+learn(?:ed|t)|learnings?"
    r"|entscheidung|ergebnis|erkenntnisse|conclusi[óo]n|d[ée]cision)\W*",
    re.IGNORECASE,
)
_LEARNED_FROM = (IssueType.DECISION, IssueType.SPIKE, IssueType.INCIDENT)


def shipped(facts: Facts) -> Section:
    """Everything that was finished, with the outcome it should move; work for one outcome stands together."""
    found = [*facts.large_finished, *(item.issue for item, _ in facts.finished)]
    lines = sorted((entry(issue, serves(issue, facts)) for issue in found), key=_by_outcome)
    wanted = sum(issue.type is not IssueType.BUG for issue in found)
    without = [issue for issue in found if facts.outcome(issue) is None and issue.type is not IssueType.BUG]
    return Section(
        name="shipped",
        title="What shipped",
        figures=(
            counted_issues("Finished", [item.issue for item, _ in facts.finished], _finished_of(facts)),
            counted_issues("Epics and initiatives finished", facts.large_finished, facts.period),
            counted_issues("Without a stated outcome", without, f"of {wanted}, bugs aside"),
        )
        if found
        else (),
        entries=tuple(lines),
        empty=nothing_finished(facts),
    )


def _by_outcome(line: Entry) -> tuple[object, ...]:
    return line.said == "no outcome stated", line.said, line.source, line.key


def _finished_of(facts: Facts) -> str:
    bugs = sum(item.issue.type is IssueType.BUG for item, _ in facts.finished)
    rework = sum(episode.is_rework for _, episode in facts.finished)
    told = (
        facts.period,
        figures.counted(bugs, "bug") if bugs else "",
        f"{rework} rework" if rework else "",
        usual_week(facts) if facts.until - facts.since == timedelta(days=6) else "",
    )
    return "; ".join(part for part in told if part)


def changed(facts: Facts) -> Section:
    """Metrics and results that were recorded, hits and misses alike."""
    lines = tuple(line for issue in facts.issues for line in _recorded(issue, facts))
    owed = [issue for issue, _ in facts.failing(facts.closed_lately, "OUT005")]
    return Section(
        name="changed",
        title="What changed",
        note="Metrics and results that were recorded, hits and misses alike, as people wrote them.",
        figures=(counted_issues("Results owed", owed, "finished 30 to 180 days ago with an outcome"),) if owed else (),
        entries=lines,
        empty="No metric and no result was recorded.",
    )


def _recorded(issue: Issue, facts: Facts) -> Iterator[Entry]:
    for change in issue.changes:
        if change.field.casefold() in MEASURES and facts.holds(change.at) and change.after:
            name = change.field.replace("_", " ")
            before = f"{excerpt(change.before)} → " if change.before else ""
            yield entry(issue, f"{name}: {before}{excerpt(change.after)}")
    if any(change.field.casefold() in TEXTS and facts.holds(change.at) for change in issue.changes):
        for found in results_in_text(facts.context.texts.body(issue)):
            yield entry(issue, excerpt(found.excerpt))
    for comment in issue.comments:
        if facts.holds(comment.at) and states_result(comment):
            yield entry(issue, excerpt(comment.body.splitlines()[0]))


def learned(facts: Facts) -> Section:
    """Decisions, spikes and incidents that were closed, with what they ended with."""
    closed = [issue for issue in facts.issues if _teaches(issue) and facts.holds(_closed_at(issue))]
    return Section(
        name="learned",
        title="What we learned",
        note="Decisions, spikes and incidents that were closed.",
        entries=tuple(entry(issue, _conclusion(issue, facts)) for issue in closed),
        empty="No decision, spike or incident was closed.",
    )


def _teaches(issue: Issue) -> bool:
    return issue.type in _LEARNED_FROM or bool(DECISION_LABELS & {label.casefold() for label in issue.labels})


def _closed_at(issue: Issue) -> datetime | None:
    done = [step.at for step in issue.transitions if step.after.category is StatusCategory.DONE]
    return done[-1] if done and not issue.is_open else None


def _conclusion(issue: Issue, facts: Facts) -> str:
    for section in facts.context.texts.body(issue).sections:
        if _CONCLUSION.fullmatch(section.heading):
            line = next(iter(section_lines(section)), None)
            if line is not None:
                return f"{issue.type.value}: {excerpt(line.text)}"
    return f"{issue.type.value}; nothing says what came of it"


def upcoming(facts: Facts) -> Section:
    """The top of the ready backlog, how ready the rest is, and how much of it to expect."""
    by_standing = {
        standing: [issue for issue, ready in facts.upcoming if ready.standing is standing] for standing in Standing
    }
    of = f"of {figures.counted(len(facts.upcoming), 'item')} near and not started"
    return Section(
        name="next",
        title="What is next",
        note="What is ready: in a sprint first, then by priority and the backlog's own rank.",
        figures=(
            counted_issues("Ready", by_standing[Standing.READY], of),
            counted_issues("Nearly ready", by_standing[Standing.NEARLY], of),
            counted_issues("Not ready", by_standing[Standing.NOT_READY], of),
            *forecast_figures(facts, weeks=(2, 4), levels=(85, 50)),
        ),
        entries=tuple(entry(issue, serves(issue, facts)) for issue in by_standing[Standing.READY][:NEXT_SHOWN]),
        of=len(by_standing[Standing.READY]),
        empty=f"Nothing that is near is ready ({len(facts.upcoming)} looked at).",
    )


def risks(facts: Facts, *, most: int | None = None, decisions: bool = True) -> Section:
    """What may go wrong, the most severe first, each with the question to decide; and decisions that are open."""
    found = [
        *((judgement, as_scope(judgement)) for judgement in facts.about_scopes if judgement.rule != "PRI001"),
        *((judgement, entry(issue, _asked(judgement))) for issue, judgement in facts.failing(facts.near, *RISKS)),
    ]
    lines = [line for _, line in sorted(found, key=lambda pair: _by_risk(*pair))]
    open_ones = [issue for issue in facts.open if issue.type is IssueType.DECISION] if decisions else []
    total, shown = len(lines), tuple(lines if most is None else lines[:most])
    near = figures.counted(len(facts.near), "near item")
    return Section(
        name="risks",
        title="Risks and decisions needed" if decisions else "Largest risks",
        note="The most severe first, each with the question that decides it." if total else "",
        of=total + len(open_ones),
        entries=(*(entry(issue, "open decision") for issue in open_ones), *shown),
        empty=f"Nothing wrong: no risk on {near} and no open decision."
        if decisions
        else f"Nothing wrong: no risk on {near}.",
    )


def as_scope(judgement: Judgement) -> Entry:
    about = judgement.scope.title if judgement.scope else judgement.issue
    return as_entry(_asked(judgement), source=judgement.source, title=about)


def _asked(judgement: Judgement) -> str:
    return f"{judgement.message} {judgement.question or ''}".strip()


def _by_risk(judgement: Judgement, line: Entry) -> tuple[object, ...]:
    order = (*RISKS, judgement.rule).index(judgement.rule)
    return -judgement.severity.rank, line.key is not None, order, line.source, line.key or line.title


def reviews(facts: Facts) -> Section:
    """Review dates that have passed, and those of the coming week."""
    passed = [entry(issue, judgement.message) for issue, judgement in facts.failing(facts.open, "REV002")]
    last, ahead = facts.today + REVIEWS_AHEAD, []
    for issue in facts.open:
        found = review_date(issue, facts.context.texts.body(issue))
        if found is not None and found.day is not None and facts.today <= found.day <= last:
            ahead.append((found.day, entry(issue, f"to be reviewed on {found.day}")))
    return Section(
        name="reviews",
        title="Reviews due",
        entries=(*passed, *(line for _, line in sorted(ahead, key=lambda pair: (pair[0], str(pair[1].key))))),
        empty=f"No review date has passed, and none falls until {last}.",
    )


def not_now(facts: Facts) -> Section:
    """What was put off on purpose."""
    labels = {label.casefold() for label in facts.rule(TooManyInitiatives).not_now_labels}
    off = [issue for issue in facts.open if labels & {label.casefold() for label in issue.labels}]
    lines = [
        entry(issue, f"to be looked at again on {issue.review_on}" if issue.review_on else "no day to look again")
        for issue in sorted(off, key=lambda each: (each.source, each.key))
    ]
    return Section(
        name="not_now",
        title="Not now",
        note="Put off on purpose.",
        entries=tuple(lines),
        empty=f"Nothing carries one of the labels {', '.join(sorted(labels))}.",
    )
