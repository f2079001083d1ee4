"""The nightly job: pull, check, plan, apply; each part is careful about what the one before could not do."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import sqlalchemy as sa

from backlint.connectors.contract import Connector
from backlint.rules.engine import asked
from backlint.rules.registry import RULES_VERSION
from backlint.settings import Settings
from backlint.sync import feedback, former, recall, thumbs, writes
from backlint.sync.apply import Applied, apply, settle_unsettled, unshared
from backlint.sync.check import Checked, CheckResult, as_spoken, check_store
from backlint.sync.commands import NOTHING_HEARD, Heard, heard
from backlint.sync.database import reading
from backlint.sync.deliveries import holding, taken_by_others
from backlint.sync.flow import refresh
from backlint.sync.plan import Candidate, Override, Plan, Spent, Written, asked_before, plan
from backlint.sync.progress import Progress, quietly
from backlint.sync.pull import SourcePull, pull
from backlint.sync.scoring import stored_scores
from backlint.sync.store import begin_run, end_run, save_scores
from backlint.sync.writes import Row

Clock = Callable[[], datetime]
PLAN_LOCK = 7_215_903_443  # on PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything one nightly run did."""

    run: str
    pulled: tuple[SourcePull, ...]
    check: CheckResult
    plan: Plan
    applied: Applied | None = None
    recomputed_from: str | None = None  # the rules whose scores of the last audit were computed anew by today's


def audit(
    engine: sa.Engine,
    settings: Settings,
    connectors: Sequence[Connector],
    *,
    clock: Clock,
    progress: Progress = quietly,
    holder: str | None = None,
) -> Audit:
    """Pull every source, judge what was read completely, and write back what is wanted and allowed.

    `holder`: webhooks are handled meanwhile, here or elsewhere. The issues they are at are left to them, and they keep
    off those that this writes to, which are marked with the name given; a repeat of the run has the same name.
    """
    run = new_id("audit")
    by_name = {connector.name: connector for connector in connectors}
    with engine.begin() as connection:
        begin_run(connection, run, "audit", now=clock())
    with engine.begin() as connection:
        busy = taken_by_others(connection, holder) if holder is not None else set()
    settle_unsettled(engine, by_name, clock=clock, leave=busy)
    pulled = pull(engine, connectors, now=clock(), loss_share=settings.loss_share, progress=progress)
    refresh(engine, settings)
    checked = check_store(engine, settings, run=new_id("check"), now=clock())
    planned = make_plan(engine, settings, checked, now=clock())
    applied = None
    if planned.changes:
        hold = holding(engine, holder, clock=clock) if holder is not None else unshared
        applied = apply(engine, planned.changes, by_name, run=run, clock=clock, hold=hold)
    found = [*(finding for _, finding in checked.findings()), *checked.scope_findings()]
    open_findings = sum(finding.is_spoken for finding in found)
    thumbs.gather(engine, by_name, now=clock())
    recomputed_from = None if checked.cannot_say else former.recompute_last(engine, settings, now=clock())
    with engine.begin() as connection:
        former.forget(connection, now=clock())
        feedback.note_deeds(connection, now=clock())
        feedback.review(connection, settings, now=clock())
        if not checked.cannot_say:
            month = f"{clock().astimezone(settings.zone):%Y-%m}"
            recall.draw_samples(connection, checked, month=month, size=settings.trust.recall_sample, now=clock())
        save_scores(connection, run, stored_scores(checked), rules_version=RULES_VERSION, now=clock())
        facts = {
            "check": checked.run,
            "rules_version": RULES_VERSION,
            "recomputed_from": recomputed_from,
            "open_findings": open_findings,
            "written": len(applied.applied) if applied else 0,
            "failed": len(applied.failed) if applied else 0,
            "held_back": len(planned.held_back),
            "alarms": list(planned.alarms),
            "complete": all(each.complete for each in pulled),
        }
        end_run(connection, run, now=clock(), outcome="done", facts=facts)
    return Audit(run=run, pulled=pulled, check=checked, plan=planned, applied=applied, recomputed_from=recomputed_from)


def make_plan(engine: sa.Engine, settings: Settings, result: CheckResult, *, now: datetime) -> Plan:
    """What would be written after this check. Notes what people took back since; writes nothing to a tracker."""
    with engine.begin() as connection:
        return _plan(connection, settings, result, now=now, spent=Spent())


def plan_and_record(
    engine: sa.Engine, settings: Settings, result: CheckResult, *, run: str, now: datetime
) -> tuple[Plan, tuple[Row, ...]]:
    """A plan within what the webhooks of the day have left of the caps, its changes recorded in the same transaction.

    Two workers at once cannot both take what is left.
    """
    midnight = datetime.combine(now.astimezone(settings.zone).date(), time(), settings.zone)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's writers take turns anyway
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(PLAN_LOCK)))
        spent = writes.spent_by_webhooks(connection, midnight, until=midnight + timedelta(days=1))
        planned = _plan(connection, settings, result, now=now, spent=spent)
        return planned, writes.want(connection, run, planned.changes, now=now)


def _plan(connection: sa.Connection, settings: Settings, result: CheckResult, *, now: datetime, spent: Spent) -> Plan:
    writes.note_overrides(connection, [each.issue for each in result.checked], now=now)
    log = writes.written(connection)
    taken_back = writes.overrides(connection)
    midnight = datetime.combine(now.astimezone(settings.zone).date(), time(), settings.zone)
    commented = [result.backlog.by_identity.get(issue) for issue in writes.comments_since(connection, midnight)]
    answers = heard(connection, today=midnight.date())
    return plan(
        (_candidate(each, result, log, taken_back, answers) for each in result.checked),
        settings.write_back,
        id=new_id("plan"),
        now=now,
        zone=settings.zone,
        project_sizes=Counter((issue.source, issue.project or issue.team or "") for issue in result.backlog.issues),
        comments_today=Counter((issue.source, issue.assignees[0]) for issue in commented if issue and issue.assignees),
        spent=spent,
    )


def _candidate(
    each: Checked,
    result: CheckResult,
    log: Mapping[tuple[str, str], tuple[Written, ...]],
    taken_back: Mapping[tuple[str, str], tuple[Override, ...]],
    answers: Mapping[tuple[str, str], Heard],
) -> Candidate:
    findings = result.recorded.findings.get(each.issue.identity, ())
    spoken = as_spoken(each, findings)
    written = log.get(each.issue.identity, ())
    before = asked_before(each.issue, written)
    quiet = _unasked_of_new(spoken, result) if result.context.is_new(each.issue) else frozenset[str]()
    unlabelled = each.standing.unlabelled
    labels = {
        judgement.rule: result.by_code[judgement.rule].label
        for judgement in spoken.failures
        if judgement.rule not in unlabelled
    }
    answer = answers.get(each.issue.identity, NOTHING_HEARD)
    return Candidate(
        issue=each.issue,
        failures=spoken.failures,
        asked=asked(
            [judgement for judgement in spoken.judgements if judgement.rule not in quiet - {*before}],
            points=spoken.points,
            waived=each.standing.unasked,
            info_too=before,
        ),
        labels={code: label for code, label in labels.items() if label is not None},
        opened_at={finding.judgement.rule: finding.opened_at for finding in findings},
        written=written,
        heard=answer.lines,
        heard_at=answer.at,
        allowed_at=answer.allowed_at,
        overrides=taken_back.get(each.issue.identity, ()),
        quiet=quiet,
    )


def _unasked_of_new(each: Checked, result: CheckResult) -> frozenset[str]:
    """What a new ticket's author cannot answer waits until the ticket is taken up, or is three days old."""
    codes = {judgement.rule for judgement in each.failures}
    return frozenset(code for code in codes if not result.by_code[code].is_asked_of_new(each.issue))


def unsettled_sources(engine: sa.Engine) -> set[str]:
    """Sources with writes whose answer was lost: only the tracker knows what became of them."""
    with reading(engine) as connection:
        return {row.change.source for row in writes.unsettled(connection)}


def new_id(kind: str) -> str:
    """A short id that sorts with its kind and is typed easily: `backlint undo audit-1f3c9a2b`."""
    return f"{kind}-{uuid.uuid4().hex[:8]}"
