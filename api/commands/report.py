"""`backlint report`: fills the reports from the store or a file, and writes them where they are wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from backlint.api.commands.report_trust import inline_waivers, reviewed_rules, skipped, waiver_lines
from backlint.api.commands.team_calendar import only_team, team_calendar
from backlint.api.console import Console, escape
from backlint.api.installation import Installation, now, open_installation
from backlint.api.reading import read_file
from backlint.api.reports import Report, ReportFormat, rendered
from backlint.api.reports.audit import (
    AuditCounts,
    AuditFinding,
    AuditReport,
    Night,
    ScoredGroup,
    ScoredIssue,
    SilentRule,
    WriteBack,
    build_audit,
)
from backlint.api.reports.cycle_time import CycleTimeReport, build_cycle_time
from backlint.api.reports.entries import Entry, entry
from backlint.api.reports.health import SourceHealth
from backlint.backlog import Backlog
from backlint.errors import ConfigurationError, InputError
from backlint.flow import Mode
from backlint.model import Issue, Verdict
from backlint.rules.registry import RULES_VERSION, find
from backlint.rules.wip_above_cap import WipAboveCap, joint_cap
from backlint.scopes import team_name
from backlint.settings import Settings, load
from backlint.sync import store
from backlint.sync.audit import Audit, make_plan, new_id
from backlint.sync.check import (
    CALENDAR_AHEAD,
    CALENDAR_BACK,
    Checked,
    CheckResult,
    check_issues,
    check_store,
    chosen_rules,
    flow_options,
    in_scope,
    load_backlog,
    make_backlog,
)
from backlint.sync.database import reading
from backlint.sync.findings import Finding, fixed_at
from backlint.sync.plan import Change, ChangeKind
from backlint.sync.scoring import score_groups
from backlint.working_time import WorkingHours

FORMATS = ("html", "md", "json", "csv")
DEFAULT_PERIOD = timedelta(days=90)
MANY_ISSUES = 20_000  # beyond, the cycle-time report is made from records instead of issues
TREND = timedelta(days=45)


# -- the commands ------------------------------------------------------------------------------------------------------


def audit_report(
    console: Console, *, config: Path | None, scope: str | None, input: str | None, format: str, output: Path | None
) -> int:
    require_format(format)
    if input is not None:
        settings = load(config)
        read = read_file(console, input, zone=settings.zone)
        result = check_issues(read.issues, settings, now=now(), rules=chosen_rules(settings), scope=scope)
        report = build_from_check(result, settings, scope=scope or input)
    else:
        with open_installation(config) as place:
            result = check_store(place.engine, place.settings, run=new_id("check"), now=now(), scope=scope)
            plan = make_plan(place.engine, place.settings, result, now=now())
            audit = Audit(run="", pulled=(), check=result, plan=plan)
            report = build_from_audit(place, audit, scope=scope or "everything")
    write_report(console, report, format, output)
    return 0


def cycle_time_report(
    console: Console,
    *,
    config: Path | None,
    scope: str | None,
    input: str | None,
    since: str | None,
    until: str | None,
    mode: str,
    format: str,
    output: Path | None,
) -> int:
    require_format(format)
    if mode not in list(Mode):
        raise ConfigurationError(f"--mode {mode!r}: use {', '.join(Mode)}")
    settings = load(config)
    today = now().astimezone(settings.zone).date()
    last = parsed_day(until, "--until")
    first = parsed_day(since, "--since") or (last or today) - DEFAULT_PERIOD
    require_order(first, last)
    if input is not None:
        backlog = make_backlog(read_file(console, input, zone=settings.zone).issues, settings, now=now())
        report = build_cycle_time_of(backlog, settings, scope=scope, name=input, since=first, until=last, mode=mode)
    else:
        with open_installation(config) as place:
            report = build_cycle_from_store(place, scope=scope, since=first, until=last, mode=mode)
    write_report(console, report, format, output)
    return 0


def require_format(format: str) -> None:
    if format not in FORMATS:
        raise ConfigurationError(f"--format {format!r}: use {', '.join(FORMATS)}")


def parsed_day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text!r}: write a day as 2026-03-31") from None


def require_order(first: date | None, last: date | None) -> None:
    if first is not None and last is not None and first > last:
        raise ConfigurationError(f"--since {first} is after --until {last}: exchange them")


def write_report(console: Console, report: Report, format: str, output: Path | None) -> None:
    text = rendered(report, cast(ReportFormat, format))
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}") from None
    console.say(f"{escape(str(output))} written")


def write_audit(place: Installation, audit: Audit, output: Path) -> Path:
    """The audit's HTML report in a file."""
    output.write_text(rendered(build_from_audit(place, audit, scope="everything"), "html"), encoding="utf-8")
    return output


# -- filling them ------------------------------------------------------------------------------------------------------


def build_cycle_from_store(
    place: Installation, *, scope: str | None, since: date | None, until: date | None, mode: str
) -> CycleTimeReport:
    health = source_health(place.engine)
    if sum(source.issues for source in health) > MANY_ISSUES:
        return _cycle_from_records(place, scope=scope, since=since, until=until, mode=mode, health=health)
    backlog = load_backlog(place.engine, place.settings, now=now())
    return build_cycle_time_of(
        backlog, place.settings, scope=scope, name="everything", since=since, until=until, mode=mode, health=health
    )


def _cycle_from_records(
    place: Installation,
    *,
    scope: str | None,
    since: date | None,
    until: date | None,
    mode: str,
    health: Sequence[SourceHealth],
) -> CycleTimeReport:
    """The same report for so many issues that loading them would take minutes."""
    from backlint.api.reports.cycle_time_store import build_from_records
    from backlint.sync.flow import refresh

    settings, at = place.settings, now()
    refresh(place.engine, settings)
    today = at.astimezone(settings.zone).date()

    def hours(team: str | None) -> WorkingHours:
        calendar = settings.team_calendar(team, first=today - CALENDAR_BACK, last=today + CALENDAR_AHEAD)
        return WorkingHours(zone=settings.zone, holidays=calendar.holidays)

    return build_from_records(
        place.engine,
        settings,
        scope=scope,
        name="everything",
        now=at,
        mode=mode,
        since=since,
        until=until,
        health=health,
        rules_version=RULES_VERSION,
        caps=WipAboveCap(settings.rules.get(WipAboveCap.code)).caps,
        hours_of=hours,
    )


def build_cycle_time_of(
    backlog: Backlog,
    settings: Settings,
    *,
    scope: str | None,
    name: str,
    since: date | None,
    until: date | None,
    mode: str,
    health: Sequence[SourceHealth] = (),
) -> CycleTimeReport:
    selected = in_scope(backlog, scope)
    wanted = {issue.identity for issue in selected}
    calendar = team_calendar(backlog, settings, selected, team=only_team(selected))
    caps = WipAboveCap(settings.rules.get(WipAboveCap.code)).caps
    return build_cycle_time(
        backlog.issues,
        scope=scope or name,
        now=backlog.now,
        timezone=settings.timezone,
        mode=mode,
        since=since,
        until=until,
        select=lambda issue: issue.identity in wanted,
        options=flow_options(settings),
        health=health,
        rules_version=RULES_VERSION,
        wip_cap=joint_cap(caps, {team_name(issue) for issue in selected}),
        sprints=backlog.scopes.sprints_of(wanted),
        hours=WorkingHours(zone=settings.zone, holidays=calendar.holidays),
    )


def build_from_check(result: CheckResult, settings: Settings, *, scope: str) -> AuditReport:
    """The audit of a file: nothing is remembered, nothing is written back."""
    return build_audit(
        scope=scope,
        as_of=result.as_of,
        timezone=settings.timezone,
        rules_version=RULES_VERSION,
        checked=len(result.checked),
        findings=_findings(result),
        counts=_counts(result),
        issues=_scored(result, {}),
        silent=_silent(result),
        waivers=waiver_lines(result),
        inline_waivers=inline_waivers(result),
        skipped=skipped(result, settings),
        unknown=_unknown(result),
    )


def build_from_audit(place: Installation, audit: Audit, *, scope: str) -> AuditReport:
    result, settings = audit.check, place.settings
    with reading(place.engine) as connection:
        version, previous = store.previous_scores(connection, before=result.as_of)
        nights = store.audits(connection, since=result.as_of - TREND)
        reviewed = reviewed_rules(connection, settings, result.as_of)
        fixed = fixed_at(connection, result.as_of)
    groups = score_groups(result)
    comparable = version == RULES_VERSION
    earlier = {key: value.score for key, value in previous.items()} if comparable else {}
    return build_audit(
        scope=scope,
        as_of=result.as_of,
        timezone=settings.timezone,
        rules_version=RULES_VERSION,
        health=source_health(place.engine),
        checked=len(result.checked),
        findings=_findings(result),
        counts=_counts(result),
        issues=_scored(result, earlier),
        teams=[
            ScoredGroup(
                name=name, score=team.shown, band=team.band, count=team.count, previous=earlier.get(("team", name)),
                has_few_items=team.has_few_items,
            )
            for name, team in groups.teams.items()
        ],
        backlogs=[
            ScoredGroup(
                name=name, score=backlog.shown, band=backlog.band, count=groups.open_issues[name],
                previous=earlier.get(("backlog", name)),
                parts=tuple((part.name, part.weight, int(part.value), part.basis) for part in backlog.parts),
            )
            for name, backlog in groups.backlogs.items()
        ],
        changes=_written_back(audit, settings),
        silent=_silent(result),
        reviewed=reviewed,
        waivers=waiver_lines(result),
        inline_waivers=inline_waivers(result),
        skipped=skipped(result, settings),
        nights=_nights(nights, settings),
        is_first_run=any(finding.is_baseline and finding.is_new for finding in _all_findings(result)),
        previous_rules_version=version,
        recomputed_from=audit.recomputed_from,
        write_back=settings.write_back.mode,
        seconds=(now() - result.as_of).total_seconds(),
        fixed=[
            _fixed(source, issue, f"{rule}: {message}", result)
            for source, issue, rule, message in fixed
            if rule not in result.hidden
        ],
        unknown=_unknown(result),
    )  # fmt: skip


def _fixed(source: str, issue: str, said: str, result: CheckResult) -> Entry:
    """Of an issue, or of a team or sprint by its name."""
    found = result.backlog.by_identity.get((source, issue))
    if found is not None:
        return entry(found, said)
    return Entry(source=source, key=None, url=None, title=issue.replace(":", " ", 1), said=said)


def _unknown(result: CheckResult) -> list[Entry]:
    """The verdicts that could not be given, on issues and then on teams, sprints and projects."""
    on_issues = [
        entry(each.issue, f"{judgement.rule}: {judgement.reason}")
        for each in result.checked
        for judgement in each.judgements
        if judgement.verdict is Verdict.UNKNOWN and judgement.rule not in result.hidden
    ]
    on_scopes = [
        Entry(
            source=each.source,
            key=None,
            url=None,
            title=each.scope.title if each.scope else each.issue,
            said=f"{each.rule}: {each.reason}",
        )
        for each in result.scopes.public
        if each.verdict is Verdict.UNKNOWN
    ]
    return [*on_issues, *on_scopes]


def source_health(engine: sa.Engine) -> tuple[SourceHealth, ...]:
    """How each source was last read."""
    with reading(engine) as connection:
        states = store.scope_states(connection)
        counts = store.issue_counts(connection)
        found = []
        for name, tracker in store.sources(connection):
            own = [state for state in states if state.source == name]
            pulled = store.last_pull_of(connection, name) or {}
            problems = [state.problem or "the pull did not finish" for state in own if not state.is_complete]
            found.append(
                SourceHealth(
                    name=name,
                    tracker=tracker,
                    complete=bool(own) and all(state.is_complete for state in own),
                    as_of=max((state.completed_at for state in own if state.completed_at), default=None),
                    issues=counts.get(name, 0),
                    error="; ".join(problems) or None,
                    requests=pulled.get("requests", 0),
                    seconds=pulled.get("seconds", 0.0),
                )
            )
    return tuple(found)


def _findings(result: CheckResult) -> list[AuditFinding]:
    """On issues, and on teams, sprints, projects and connectors."""
    about_issues = [_finding(each, finding, result) for each, finding in result.findings()]
    return [*about_issues, *(_scope_finding(finding) for finding in result.scope_findings())]


def _all_findings(result: CheckResult) -> list[Finding]:
    return [*(finding for _, finding in result.findings()), *result.scope_findings()]


def _scope_finding(finding: Finding) -> AuditFinding:
    judgement = finding.judgement
    about = judgement.scope.title if judgement.scope else judgement.issue
    return AuditFinding(
        source=judgement.source,
        issue=None,
        url=None,
        title=about,
        rule=judgement.rule,
        name=find(judgement.rule).name,
        severity=judgement.severity,
        message=judgement.message,
        question=judgement.question,
        is_new=finding.is_new,
        waived=finding.waiver is not None,
        baselined=finding.is_baseline,
        about=about,
    )


def _finding(each: Checked, finding: Finding, result: CheckResult) -> AuditFinding:
    judgement, issue = finding.judgement, each.issue
    return AuditFinding(
        source=issue.source,
        issue=issue.key,
        url=issue.url,
        title=issue.title,
        rule=judgement.rule,
        name=result.by_code[judgement.rule].name,
        severity=judgement.severity,
        message=judgement.message,
        question=judgement.question,
        points=int(each.points(judgement)) if each.score is not None else None,
        owner=_owner(issue, result),
        is_new=finding.is_new,
        waived=finding.waiver is not None,
        baselined=finding.is_baseline,
    )


def _owner(issue: Issue, result: CheckResult) -> str | None:
    owner = next(iter((*issue.accountable, *issue.assignees)), None)
    person = result.backlog.person(issue.source, owner) if owner else None
    return person.name if person else owner


def _counts(result: CheckResult) -> AuditCounts:
    findings = _all_findings(result)
    fresh = sum(finding.is_new and finding.is_spoken for finding in findings)
    waived = sum(finding.waiver is not None for finding in findings)
    baselined = sum(finding.is_baseline and finding.waiver is None for finding in findings)
    return AuditCounts(
        new=fresh,
        fixed=result.recorded.fixed,
        still_open=len(findings) - fresh - waived - baselined,
        waived=waived,
        baselined=baselined,
        expired_waivers=sum(finding.expired is not None for finding in findings),
        unknown=sum(j.verdict is Verdict.UNKNOWN for each in result.checked for j in each.judgements)
        + sum(judgement.verdict is Verdict.UNKNOWN for judgement in result.scopes.public),
    )


def _scored(result: CheckResult, earlier: dict[tuple[str, str], int]) -> list[ScoredIssue]:
    return [
        ScoredIssue(
            source=each.issue.source,
            issue=each.issue.key,
            url=each.issue.url,
            title=each.issue.title,
            score=each.score.shown,
            band=each.score.band,
            previous=earlier.get(("issue", f"{each.issue.source}:{each.issue.id}")),
        )
        for each in result.checked
        if each.score is not None
    ]


def _silent(result: CheckResult) -> list[SilentRule]:
    return [SilentRule(rule=code, name=find(code).name, would_find=count) for code, count in result.would_find.items()]


def _nights(nights: Iterable[tuple[datetime, Any]], settings: Settings) -> list[Night]:
    """The last audit of each local day by today's rules, with the lowest count up to then."""
    by_day = {
        at.astimezone(settings.zone).date(): facts["open_findings"]
        for at, facts in nights
        if "open_findings" in facts and facts.get("rules_version", RULES_VERSION) == RULES_VERSION
    }
    found, lowest = [], None
    for day, count in by_day.items():
        lowest = count if lowest is None else min(lowest, count)
        found.append(Night(on=day, open_findings=count, mark=lowest))
    return found


def _written_back(audit: Audit, settings: Settings) -> list[WriteBack]:
    if settings.write_back.mode == "off":
        return []
    done = audit.applied.applied if audit.applied else []
    held = [(each.change, each.why) for each in audit.plan.held_back]
    if audit.applied is not None:
        held += [*audit.applied.held_back, *((change, f"failed: {why}") for change, why in audit.applied.failed)]
    elif audit.plan.changes:
        held += [(change, "planned, not applied") for change in audit.plan.changes]
    return [*(_write_back(change, None) for change in done), *(_write_back(change, why) for change, why in held)]


def _write_back(change: Change, why: str | None) -> WriteBack:
    words: dict[ChangeKind, Callable[[], str]] = {
        ChangeKind.ADD_LABEL: lambda: f"label {change.label} added",
        ChangeKind.REMOVE_LABEL: lambda: f"label {change.label} removed",
        ChangeKind.PUT_COMMENT: lambda: "comment written",
        ChangeKind.DELETE_COMMENT: lambda: "comment deleted",
    }
    return WriteBack(
        source=change.source,
        issue=change.key,
        url=change.url,
        change=words[change.kind](),
        because=change.because,
        why=why,
    )
