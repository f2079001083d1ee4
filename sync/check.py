"""Checking: what is stored (or a file) becomes verdicts, scores, and findings with a life of their own."""

from __future__ import annotations

import difflib
import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from backlint.backlog import Backlog
from backlint.calendars import Calendar
from backlint.errors import InputError
from backlint.flow import FlowOptions, levels_of
from backlint.model import Issue, Judgement, Person, Presence, Project, Severity, Status, Tracker, Verdict
from backlint.moment import Moment, Watch
from backlint.rules.engine import Judge, asked, settled
from backlint.rules.registry import RULES_VERSION, all_rules, configured, every_rule, named, private_codes
from backlint.rules.rule import Context, Rule
from backlint.scopes import names_of
from backlint.scores import IssueScore, issue_score
from backlint.settings import Settings
from backlint.status import StatusMap
from backlint.sync import store
from backlint.sync.commands import hear
from backlint.sync.database import reading
from backlint.sync.findings import Finding, Judged, Recorded, record
from backlint.sync.ratchets import NO_TURN, Turn, turn
from backlint.sync.scopes import ScopeVerdicts, judged_scopes, scope_verdicts
from backlint.sync.trust import load_trust, trust_of_file
from backlint.sync.verdicts import NO_LESSONS, Facts, Memory, inputs, lessons, remember, save_lessons
from backlint.sync.waivers import to_json as waiver_json
from backlint.text.cache import TextCache
from backlint.text.templates import TemplateKey, template_key
from backlint.trust import PLAIN, Standing, Trust
from backlint.waivers import Waiver, spelled

CALENDAR_BACK, CALENDAR_AHEAD = timedelta(days=400), timedelta(days=730)

Identity = tuple[str, str]
Advance = Callable[[int, int], None]
NO_DECISIONS = Trust()
NO_FINDINGS: Recorded = Recorded(findings=MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One issue with its verdicts, its score and what may be asked of it. `score` None: nothing could be judged."""

    issue: Issue
    judgements: tuple[Judgement, ...]
    score: IssueScore | None
    is_near: bool
    standing: Standing = field(default_factory=lambda: PLAIN)

    @property
    def failures(self) -> tuple[Judgement, ...]:
        """What is wrong, the finding with the largest recoverable score first."""
        failing = [each for each in self.judgements if each.verdict is Verdict.FAIL]
        return tuple(sorted(failing, key=lambda each: (-self.points(each), -each.severity.rank, each.rule)))

    def points(self, finding: Judgement) -> Fraction:
        """What fixing the finding alone gives back."""
        return self.score.points(finding) if self.score else Fraction(0)

    @property
    def asked(self) -> tuple[Judgement, ...]:
        return asked(self.judgements, points=self.points, waived=self.standing.unasked)


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A whole check. `cannot_say` are scopes whose pull did not finish: their issues are not judged at all.

    `scopes` holds the verdicts on teams, sprints, projects and connectors, and those on persons, which no report shows.
    """

    as_of: datetime
    rules: tuple[Rule, ...]
    backlog: Backlog
    context: Context
    checked: tuple[Checked, ...]
    scopes: ScopeVerdicts = field(default_factory=ScopeVerdicts)
    recorded: Recorded = NO_FINDINGS
    would_find: Mapping[str, int] = field(default_factory=dict)  # rules outside the profile -> their findings
    cannot_say: tuple[store.ScopeState, ...] = ()
    unmapped: Mapping[tuple[str, Status], int] = field(default_factory=dict)  # (source, status) -> issues
    run: str | None = None
    trust: Trust = NO_DECISIONS
    ratchet: Turn = NO_TURN

    @cached_property
    def by_identity(self) -> dict[Identity, Checked]:
        return {each.issue.identity: each for each in self.checked}

    @cached_property
    def by_code(self) -> dict[str, Rule]:
        """The rules that judged."""
        return {rule.code: rule for rule in self.rules}

    def findings(self) -> list[tuple[Checked, Finding]]:
        """Every finding with its issue; in a check of a file each is new. Private ones only when asked for alone."""
        hidden = self.hidden
        return [pair for pair in self._every_finding() if pair[1].judgement.rule not in hidden]

    @property
    def private(self) -> int:
        """How many findings are for few eyes (secrets, personal data) and are not among `findings`."""
        hidden = self.hidden
        return sum(finding.judgement.rule in hidden for _, finding in self._every_finding())

    @property
    def hidden(self) -> frozenset[str]:
        """Codes of private rules, unless nothing but private rules was asked for."""
        asked_for = {rule.code for rule in self.rules}
        return frozenset() if asked_for <= private_codes() else private_codes()

    def _every_finding(self) -> list[tuple[Checked, Finding]]:
        return [
            (each, finding)
            for each in self.checked
            for finding in self.recorded.findings.get(each.issue.identity) or _unrecorded(each, self.as_of)
        ]

    def scope_findings(self) -> list[Finding]:
        """Every finding on a team, a sprint, a project or a connector, the most severe first; on persons when asked."""
        shown = self.scopes.public if self.hidden else (*self.scopes.public, *self.scopes.private)
        failing = [each for each in shown if each.verdict is Verdict.FAIL]
        recorded = (self.recorded.findings.get((each.source, each.issue), ()) for each in failing)
        lives = {finding.judgement: finding for found in recorded for finding in found}
        found = [lives.get(each) or self._a_new_scope_finding(each) for each in failing]
        return sorted(found, key=lambda each: -each.judgement.severity.rank)

    def _a_new_scope_finding(self, failure: Judgement) -> Finding:
        waived = self.trust.waivers_of(failure.scope, [failure.rule]) if failure.scope else {}
        return Finding(
            fingerprint="", judgement=failure, opened_at=self.as_of, is_new=True, waiver=waived.get(failure.rule)
        )

    def worst(self) -> Severity | None:
        """The highest severity among findings that neither the baseline nor a waiver keeps silent."""
        found = [*(finding for _, finding in self._every_finding()), *self.scope_findings()]
        severities = [finding.judgement.severity for finding in found if finding.is_spoken]
        return max(severities, key=lambda severity: severity.rank, default=None)


def _unrecorded(each: Checked, now: datetime) -> Iterable[Finding]:
    return (
        Finding(
            fingerprint="",
            judgement=failure,
            opened_at=now,
            is_new=True,
            waiver=each.standing.waived.get(failure.rule),
            expired=each.standing.expired.get(failure.rule),
        )
        for failure in each.failures
    )


# -- what is judged ----------------------------------------------------------------------------------------------------


def load_backlog(engine: sa.Engine, settings: Settings, *, now: datetime) -> Backlog:
    """Everything stored, with categories looked up afresh by the one function that maps them."""
    with reading(engine) as connection:
        issues = with_categories(connection, settings, store.load_issues(connection))
        people = store.people(connection)
        projects = store.projects(connection)
        watched_since = store.watched_since(connection)
    backlog = make_backlog(issues, settings, now=now, people=people, projects=projects)
    return replace(backlog, watched_since=watched_since)


def with_categories(connection: sa.Connection, settings: Settings, issues: Iterable[Issue]) -> tuple[Issue, ...]:
    maps = status_maps(connection, settings)
    return tuple(maps[issue.source].apply(issue) for issue in issues)


def make_backlog(
    issues: Sequence[Issue],
    settings: Settings,
    *,
    now: datetime,
    people: Mapping[Identity, Person] = MappingProxyType({}),
    projects: Mapping[Identity, Project] = MappingProxyType({}),
) -> Backlog:
    return Backlog(
        issues=tuple(issues),
        now=now,
        people=people,
        projects=projects,
        without_owners=_files_without_owners(issues),
        near_is_all=settings.check.near == "all",
        habits_are_on=settings.check.team_switches == "on",
    )


def flow_options(settings: Settings) -> FlowOptions:
    """What the configuration says of flow: labels that mean work has started, by source."""
    return FlowOptions(
        in_progress_labels={source.name: source.in_progress_labels for source in settings.sources},
    )


def _files_without_owners(issues: Iterable[Issue]) -> frozenset[str]:
    """An export without a column for owners says nothing about them; a tracker without owners does."""
    silent: dict[str, bool] = {}
    for issue in issues:
        if issue.tracker is Tracker.FILE:
            named = bool(issue.assignees or issue.accountable or issue.fields.get("owner"))
            silent[issue.source] = silent.get(issue.source, True) and not named
    return frozenset(source for source, is_silent in silent.items() if is_silent)


def status_maps(connection: sa.Connection, settings: Settings) -> dict[str, StatusMap]:
    """By source: the tracker's own classes, and over them the configured ones."""
    configured = {source.name: source.statuses for source in settings.sources}
    return {
        name: StatusMap(store.status_facts(connection, name), configured.get(name, {}))
        for name in store.source_names(connection)
    }


def chosen_rules(settings: Settings, *, only: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules of the profile as configured; `only` names codes or families to narrow it to, profile or not."""
    if only:
        rules = every_rule(settings.custom_rules)
        codes = named(only, rules)
        return tuple(rule(settings.rules.get(rule.code)) for rule in rules if rule.code in codes)
    return configured(
        settings.check.profile,
        settings.rules,
        enabled=settings.check.enable,
        disabled=settings.check.disable,
        custom=settings.custom_rules,
    )


def _calendar(settings: Settings, now: datetime, team: str) -> Calendar:
    """A team's holidays and leave, as far back and ahead as forecasts look."""
    today = now.astimezone(settings.zone).date()
    return settings.team_calendar(team, first=today - CALENDAR_BACK, last=today + CALENDAR_AHEAD)


def judge_backlog(
    backlog: Backlog,
    settings: Settings,
    *,
    rules: Sequence[Rule] = (),
    issues: Sequence[Issue] | None = None,
    as_new: bool = False,
    only_chosen: bool = False,
    trust: Trust = NO_DECISIONS,
    memory: Memory | None = None,
    texts: TextCache | None = None,
    advance: Advance = lambda done, total: None,
) -> tuple[tuple[Checked, ...], Context, Counter[str]]:
    """Judge the issues (all by default) within the backlog; also counts what rules outside the profile would find.

    `as_new` judges them as tickets just created: near, by the rules whose questions their authors can answer.
    `only_chosen`: nothing is counted of the rules outside the profile. `trust`: what people decided of rules and
    findings. What `memory` holds of earlier checks is not asked again.
    """
    watch = Watch() if memory is not None else None
    now = backlog.now if watch is None else Moment.present(backlog.now, watch)
    texts = TextCache(learn_from=backlog.issues) if texts is None else texts
    context = Context(
        now=now,
        backlog=replace(backlog, now=now, watch=watch, near_is_all=as_new or backlog.near_is_all),
        texts=texts,
        timezone=settings.timezone,
        flow_options=flow_options(settings),
        mapped_types={each.name: frozenset(name.casefold() for name in each.types) for each in settings.sources},
        calendar=partial(_calendar, settings, backlog.now),
        forecast_weeks=settings.forecast.weeks,
        watch=watch,
    )
    context = replace(context, levels=levels_of(context.flow.values(), now))
    chosen = {rule.code for rule in rules}
    codes = sorted(chosen)
    silent = () if as_new or only_chosen else tuple(rule() for rule in all_rules() if rule.code not in chosen)
    dimensions = {rule.code: rule.dimension for rule in rules if rule.dimension is not None}
    skip_label = f"{settings.write_back.label_prefix}skip"
    judge = Judge(rules, skip_label=skip_label, as_new=as_new)
    judge_quietly = Judge(silent, skip_label=skip_label)  # apart: a silent rule outranks nothing
    facts_of = Facts(context, texts.templates)
    would_find: Counter[str] = Counter()
    wanted = backlog.issues if issues is None else tuple(issues)
    checked: dict[int, Checked] = {}
    with rare_collections():
        for count, place in enumerate(_by_template(wanted), start=1):
            issue = wanted[place]
            standing = trust.standing(issue, codes, _names(issue, backlog) if trust.has_waivers else ())
            waived = standing.waived
            if memory is None:
                heard = judge(issue, context, waived=waived.keys())
                unheard = judge_quietly(issue, context) if silent else ()
            else:
                facts = facts_of(issue)
                known = memory.of(issue, facts, now=backlog.now)
                said, quietly = judge.said(issue, context, known), judge_quietly.said(issue, context, known)
                memory.keep(issue, facts, (*said, *quietly))
                heard = settled((verdict for each in said for verdict in each.verdicts), waived=waived.keys())
                unheard = settled(verdict for each in quietly for verdict in each.verdicts)
            judgements = standing.tempered(heard)
            would_find.update(each.rule for each in unheard if each.verdict is Verdict.FAIL)
            checked[place] = Checked(
                issue=issue,
                judgements=judgements,
                score=_score(judgements, dimensions, waived) if issue.is_open else None,
                is_near=context.backlog.is_near(issue) if not as_new else backlog.is_near(issue),
                standing=standing,
            )
            if count % 200 == 0 or count == len(wanted):
                advance(count, len(wanted))
    return tuple(checked[place] for place in range(len(wanted))), context, would_find


def _score(
    judgements: Sequence[Judgement], dimensions: Mapping[str, str], waived: Mapping[str, Waiver]
) -> IssueScore | None:
    """What is waived costs nothing."""
    if not waived:
        return issue_score(judgements, dimensions)
    return issue_score(judgements, dimensions, is_waived=lambda judgement: judgement.rule in waived)


def _by_template(issues: Sequence[Issue]) -> list[int]:
    """Their places, those that share a template together: what was parsed to learn it is read next."""
    groups: dict[TemplateKey, list[int]] = {}
    for place, issue in enumerate(issues):
        groups.setdefault(template_key(issue), []).append(place)
    return [place for places in groups.values() for place in places]


# Objects between two collections. Verdicts hold no cycles: looking for some at every 700th costs a fifth of a check.
RARELY = 100_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Python looks seldom for cycles while many objects are made that have none."""
    before = gc.get_threshold()
    gc.set_threshold(RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def check_store(
    engine: sa.Engine,
    settings: Settings,
    *,
    run: str,
    now: datetime,
    rules: Sequence[Rule] | None = None,
    scope: str | None = None,
    only: Collection[Identity] | None = None,
    as_new: bool = False,
    backlog: Backlog | None = None,
    advance: Advance = lambda done, total: None,
) -> CheckResult:
    """Check what is stored and record the findings' life. Scopes that were not read completely are left out.

    So are issues that changed meanwhile: whoever read the change judges them as they are now.

    `only` judges these issues within the whole backlog: no scope, no baseline, and nothing is taken for a first check.
    `backlog` is what was loaded a moment ago, if it was.
    """
    chosen = chosen_rules(settings) if rules is None else tuple(rules)
    with reading(engine) as connection:
        seen = store.marks(connection, only=only)
    hear(engine, settings, now=now, only=only)
    memory, taught = None, NO_LESSONS
    if backlog is None:
        configured_codes = [each.code for each in chosen_rules(settings)]
        if not as_new and [each.code for each in chosen] == configured_codes:
            with reading(engine) as connection:
                read = inputs(connection, settings, chosen)
                memory = remember(connection, read, now=now, is_whole=scope is None and only is None)
        backlog = load_backlog(engine, settings, now=now)
    if memory is not None:
        with reading(engine) as connection:
            taught = lessons(connection, memory.inputs, backlog.issues)
    texts = TextCache(taught.known, learn_from=backlog.issues)
    with reading(engine) as connection:
        cannot_say = tuple(state for state in store.scope_states(connection) if not state.is_complete)
        unread = store.ids_in_scopes(connection, [(state.source, state.scope) for state in cannot_say])
        known_sources = store.checked_sources(connection)
        trust = load_trust(connection, settings, now=now)
    issues = [
        issue
        for issue in in_scope(backlog, scope)
        if issue.identity not in unread and (only is None or issue.identity in only)
    ]
    checked, context, would_find = judge_backlog(
        backlog,
        settings,
        rules=chosen,
        issues=issues,
        as_new=as_new,
        only_chosen=only is not None,
        trust=trust,
        memory=memory,
        texts=texts,
        advance=advance,
    )
    first = {issue.source for issue in issues} - known_sources
    baseline_of: Collection[str] = first if settings.write_back.first_run == "baseline" and only is None else ()
    within = None if scope is None else {issue.identity for issue in issues}
    of_issues = as_new or only is not None
    scopes = ScopeVerdicts() if of_issues else scope_verdicts(context, chosen, within=within, unread=unread)
    would_find.update(scopes.would_find)
    with engine.begin() as connection:
        still = store.marks(connection, only=only)
        checked = tuple(each for each in checked if still.get(each.issue.identity) == seen.get(each.issue.identity))
        judged = [
            Judged(each.issue, each.judgements, each.is_near, each.standing.waived, each.standing.expired)
            for each in checked
        ]
        store.begin_run(connection, run, "check" if only is None else "check_issues", now=now)
        judged += judged_scopes(connection, scopes.public, are_all=scope is None and not of_issues, trust=trust)
        recorded = record(connection, run, judged, now=now, baseline_of=baseline_of)
        ratchet = NO_TURN
        if scope is None and not of_issues:
            ratchet = turn(
                connection,
                {rule.code for rule in chosen} - private_codes(),
                rules_version=RULES_VERSION,
                tolerance=settings.trust.tolerance,
                unread={state.source for state in cannot_say},
                now=now,
            )
        facts = {
            "sources": sorted({issue.source for issue in issues}),
            "checked": len(checked),
            "opened": recorded.opened + recorded.reopened,
            "fixed": recorded.fixed,
            "rules_version": RULES_VERSION,
            "is_first": bool(baseline_of),
        }
        if memory is not None:
            memory.save(connection, now=now)
            save_lessons(connection, taught, texts.learned)
        store.end_run(connection, run, now=now, outcome="done", facts=facts)
    return CheckResult(
        as_of=now,
        rules=chosen,
        backlog=backlog,
        context=context,
        checked=checked,
        scopes=scopes,
        recorded=recorded,
        would_find=would_find,
        cannot_say=cannot_say,
        unmapped=_unmapped(backlog),
        run=run,
        trust=trust,
        ratchet=ratchet,
    )


def check_issues(
    issues: Sequence[Issue],
    settings: Settings,
    *,
    now: datetime,
    rules: Sequence[Rule],
    people: Mapping[Identity, Person] = MappingProxyType({}),
    scope: str | None = None,
    as_new: bool = False,
    advance: Advance = lambda done, total: None,
) -> CheckResult:
    """Check issues from a file: no tracker, no store, nothing recorded."""
    backlog = make_backlog(issues, settings, now=now, people=people)
    trust = trust_of_file(issues, settings, now=now)
    checked, context, would_find = judge_backlog(
        backlog, settings, rules=rules, issues=in_scope(backlog, scope), as_new=as_new, trust=trust, advance=advance
    )
    within = None if scope is None else {each.issue.identity for each in checked}
    scopes = ScopeVerdicts() if as_new else scope_verdicts(context, rules, within=within)
    would_find.update(scopes.would_find)
    return CheckResult(
        as_of=now,
        rules=tuple(rules),
        backlog=backlog,
        context=context,
        checked=checked,
        scopes=scopes,
        would_find=would_find,
        unmapped=_unmapped(backlog),
        trust=trust,
    )


def in_scope(backlog: Backlog, scope: str | None) -> tuple[Issue, ...]:
    """The issues of a source, project, team or scope by its name; InputError when nothing has that name."""
    if scope is None:
        return backlog.issues
    wanted = scope.casefold()
    found = tuple(issue for issue in backlog.issues if wanted in _names(issue, backlog))
    if not found:
        known = sorted({name for issue in backlog.issues for name in _shown_names(issue, backlog)})
        near = difflib.get_close_matches(wanted, known, n=3) or known[:20]
        raise InputError(f"nothing belongs to {scope!r}; there is {', '.join(near) or 'nothing at all'}")
    return found


def _names(issue: Issue, backlog: Backlog) -> set[str]:
    """Everything a person may call what the issue belongs to; a project also goes by its id."""
    return _shown_names(issue, backlog) | ({issue.project.casefold()} if issue.project else set())


def _shown_names(issue: Issue, backlog: Backlog) -> set[str]:
    return names_of(issue, backlog.project(issue))


def _unmapped(backlog: Backlog) -> dict[tuple[str, Status], int]:
    counts: Counter[tuple[str, Status]] = Counter()
    for issue in backlog.issues:
        if issue.status.category.value == "unknown" and issue.presence is Presence.PRESENT:
            counts[issue.source, issue.status] += 1
    return dict(counts)


# -- what other programs read ------------------------------------------------------------------------------------------


def to_json(result: CheckResult, *, all_verdicts: bool = False) -> dict[str, Any]:
    """The shape of `check --format json`."""
    names = {rule.code: rule.name for rule in result.rules}
    shape: dict[str, Any] = {
        "as_of": result.as_of.isoformat(),
        "rules_version": RULES_VERSION,
        "checked": len(result.checked),
        "findings": [_finding_json(each, finding, names) for each, finding in result.findings()],
        "scope_findings": [_scope_finding_json(finding, names) for finding in result.scope_findings()],
        "scores": {
            f"{each.issue.source}:{each.issue.key}": {
                "source": each.issue.source,
                "issue": each.issue.key,
                "score": each.score.shown,
                "band": each.score.band,
            }
            for each in result.checked
            if each.score is not None
        },
        "private": result.private,
        "would_find": dict(sorted(result.would_find.items())),
        "cannot_say": [
            {"source": state.source, "scope": state.scope, "problem": state.problem or "its pull did not finish"}
            for state in result.cannot_say
        ],
        "unmapped": [
            {"source": source, "status": {"id": status.id, "name": status.name}, "issues": count}
            for (source, status), count in result.unmapped.items()
        ],
    }
    if all_verdicts:
        shape["verdicts"] = [
            _verdict_json(each.issue, judgement)
            for each in result.checked
            for judgement in each.judgements
            if judgement.rule not in result.hidden
        ]
    return shape


def _finding_json(each: Checked, finding: Finding, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "source": each.issue.source,
        "issue": each.issue.key,
        "id": each.issue.id,
        "url": each.issue.url,
        **_said_json(finding, names),
        "recoverable": round(float(each.points(finding.judgement)), 2),
    }


def _scope_finding_json(finding: Finding, names: Mapping[str, str]) -> dict[str, Any]:
    scope = finding.judgement.scope
    about = {"kind": scope.kind.value, "id": scope.key, "name": scope.name, "team": scope.team} if scope else None
    return {"source": finding.judgement.source, "about": about, **_said_json(finding, names)}


def _said_json(finding: Finding, names: Mapping[str, str]) -> dict[str, Any]:
    judgement = finding.judgement
    return {
        "rule": judgement.rule,
        "name": names.get(judgement.rule, judgement.rule),
        "severity": judgement.severity.value,
        "message": judgement.message,
        "question": judgement.question,
        "confidence": judgement.confidence,
        "evidence": _evidence_json(judgement),
        "waived": finding.waiver is not None,
        "waiver": waiver_json(finding.waiver) if finding.waiver else None,
        "expired_waiver": waiver_json(finding.expired) if finding.expired else None,
        "baselined": finding.is_baseline,
        "new": finding.is_new,
    }


def _verdict_json(issue: Issue, judgement: Judgement) -> dict[str, Any]:
    return {
        "source": issue.source,
        "issue": issue.key,
        "id": issue.id,
        "rule": judgement.rule,
        "verdict": judgement.verdict.value,
        "evidence": _evidence_json(judgement),
        "reason": judgement.reason or judgement.message,
    }


def _evidence_json(judgement: Judgement) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = msgspec.to_builtins(judgement.evidence)
    return plain


def as_spoken(each: Checked, findings: Sequence[Finding]) -> Checked:
    """The issue as the write-back may speak of it: what was accepted or waived is no failure; what is back says so."""
    silent = {finding.judgement for finding in findings if not finding.is_spoken}
    back = {finding.judgement: finding.expired for finding in findings if finding.expired is not None}
    if not silent and not back:
        return each
    kept = tuple(
        _as_back(judgement, back[judgement]) if judgement in back else judgement
        for judgement in each.judgements
        if judgement not in silent
    )
    return replace(each, judgements=kept)


def _as_back(judgement: Judgement, waiver: Waiver) -> Judgement:
    return structs.replace(judgement, message=f"{judgement.message.rstrip('.')}; {expiry_note(waiver)}")


def expiry_note(waiver: Waiver) -> str:
    """What a finding says whose waiver ran out."""
    return f"it was waived until {spelled(waiver.until)}"
