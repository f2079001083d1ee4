"""The nightly audit: what changed, what weighs most, what was written back, and what could not be judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer, OfSources, SourceHealth, all_failed, unreadable, without_figures
from backlint.model import Severity
from backlint.scores import BANDS

MOST_SHOWN_FIRST = 10  # catalogue 7.1
NIGHTS = 30
NO_OWNER = "without an owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """A finding as the report shows it. `issue` None: about the team, sprint or project that `about` names.

    `points` are what fixing it alone would give back to its issue's score; None for findings outside scores.
    """

    source: str
    issue: str | None
    url: str | None
    title: str
    rule: str
    name: str
    severity: Severity
    message: str
    question: str | None = None
    points: int | None = None
    owner: str | None = None
    is_new: bool = False
    waived: bool = False
    baselined: bool = False
    about: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is open: neither waived nor accepted at adoption."""
        return not self.waived and not self.baselined


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCounts:
    """Against the last audit."""

    new: int = 0
    fixed: int = 0
    still_open: int = 0
    waived: int = 0
    baselined: int = 0
    expired_waivers: int = 0
    unknown: int = 0  # verdicts that could not be given


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredIssue:
    source: str
    issue: str
    url: str | None
    title: str
    score: int
    band: str
    previous: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGroup:
    """The score of a team, or of a project's backlog. `previous` is None where versions or few items forbid a trend.

    `parts` of a backlog score are (name, weight in percent, points, basis).
    """

    name: str
    score: int
    band: str
    count: int
    previous: int | None = None
    has_few_items: bool = False
    parts: tuple[tuple[str, int, int, str], ...] = ()

    @property
    def change(self) -> int | None:
        return None if self.previous is None or self.has_few_items else self.score - self.previous


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """A change of ours on an issue. `why` is set when it was held back."""

    source: str
    issue: str
    url: str | None
    change: str  # "label hygiene:needs-owner added", "comment updated"
    because: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentRule:
    """A rule that is switched off or waits for a profile, with what it would find."""

    rule: str
    name: str
    would_find: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRule:
    """A rule whose findings people call wrong too often."""

    rule: str
    name: str
    precision: int  # percent
    judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverLine:
    """A waiver as the report lists it: what it covers, and whether it has run out."""

    rule: str
    about: str  # PAY-12, label spike, project Payments
    reason: str
    by: str
    until: date
    via: str
    findings: int
    has_expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One earlier audit, for the trend. `mark` is the ratchet: the lowest count so far."""

    on: date
    open_findings: int
    mark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    rule: str
    name: str
    severity: Severity  # the highest among its open findings
    open: int
    new: int
    waived: int
    baselined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport(OfSources):
    """Everything the report says; `findings` by weight, of sources that could be read."""

    scope: str
    as_of: datetime
    timezone: str
    rules_version: str
    health: tuple[SourceHealth, ...]
    answer: Answer
    checked: int
    findings: tuple[AuditFinding, ...]
    counts: AuditCounts
    rules: tuple[RuleCount, ...]
    issues: tuple[ScoredIssue, ...]  # worst first
    bands: tuple[tuple[str, int], ...]
    teams: tuple[ScoredGroup, ...]
    backlogs: tuple[ScoredGroup, ...]
    written: tuple[WriteBack, ...]
    held_back: tuple[WriteBack, ...]
    silent: tuple[SilentRule, ...]
    reviewed: tuple[ReviewedRule, ...]
    waivers: tuple[WaiverLine, ...]
    inline_waivers: int  # "N/A – reason" in the place of what a rule asks for
    skipped: int  # issues that a label exempts from everything but secrets
    nights: tuple[Night, ...]
    is_first_run: bool
    is_comparable: bool  # False when the rules changed since the last audit
    recomputed_from: str | None  # the rules of the last audit, whose scores were computed anew by today's
    write_back: str  # off | labels | labels+comment
    seconds: float
    requests: int
    fixed: tuple[Entry, ...] = ()  # what the count of fixed findings is made of
    unknown: tuple[Entry, ...] = ()  # the verdicts that could not be given, each with the reason

    @property
    def open_findings(self) -> tuple[AuditFinding, ...]:
        return tuple(finding for finding in self.findings if finding.counts)

    @property
    def about_scopes(self) -> tuple[AuditFinding, ...]:
        """Findings about a team, a sprint or a project."""
        return tuple(finding for finding in self.open_findings if finding.issue is None)

    @property
    def about_issues(self) -> tuple[AuditFinding, ...]:
        return tuple(finding for finding in self.open_findings if finding.issue is not None)

    @property
    def first(self) -> tuple[tuple[str, tuple[AuditFinding, ...]], ...]:
        """The ten findings with the most points to recover, by owner; the owner with most to recover first."""
        weighty = [each for each in self.about_issues if each.points is not None]
        owners: dict[str, list[AuditFinding]] = defaultdict(list)
        for finding in sorted(weighty, key=_by_points)[:MOST_SHOWN_FIRST]:
            owners[finding.owner or NO_OWNER].append(finding)
        return tuple((owner, tuple(found)) for owner, found in owners.items())


def build_audit(
    *,
    scope: str,
    as_of: datetime,
    timezone: str = "UTC",
    rules_version: str,
    health: Sequence[SourceHealth] = (),
    checked: int,
    findings: Iterable[AuditFinding] = (),
    counts: AuditCounts | None = None,
    issues: Iterable[ScoredIssue] = (),
    teams: Iterable[ScoredGroup] = (),
    backlogs: Iterable[ScoredGroup] = (),
    changes: Iterable[WriteBack] = (),
    silent: Iterable[SilentRule] = (),
    reviewed: Iterable[ReviewedRule] = (),
    waivers: Iterable[WaiverLine] = (),
    inline_waivers: int = 0,
    skipped: int = 0,
    nights: Iterable[Night] = (),
    is_first_run: bool = False,
    previous_rules_version: str | None = None,
    recomputed_from: str | None = None,
    write_back: str = "off",
    seconds: float = 0.0,
    fixed: Iterable[Entry] = (),
    unknown: Iterable[Entry] = (),
) -> AuditReport:
    """The report in its stable order. What belongs to a source whose pull did not finish is left out.

    `checked` counts the issues that were judged. Without `counts` they are taken from the findings.
    """
    failed = unreadable(health)
    found = tuple(sorted((each for each in findings if each.source not in failed), key=_by_weight))
    scored = sorted((each for each in issues if each.source not in failed), key=lambda e: (e.score, e.source, e.issue))
    letters = Counter(each.band for each in scored)
    changes = sorted(changes, key=lambda each: (each.source, each.issue, each.change))
    return AuditReport(
        scope=scope,
        as_of=as_of,
        timezone=timezone,
        rules_version=rules_version,
        health=tuple(health),
        answer=_answer(health, checked, found),
        checked=checked,
        findings=found,
        counts=counts or _counted(found),
        rules=_rule_counts(found),
        issues=tuple(scored),
        bands=tuple((letter, letters[letter]) for _, letter in BANDS),
        teams=tuple(sorted(teams, key=lambda each: each.name)),
        backlogs=tuple(sorted(backlogs, key=lambda each: each.name)),
        written=tuple(each for each in changes if each.why is None),
        held_back=tuple(each for each in changes if each.why is not None),
        silent=tuple(sorted(silent, key=lambda each: (-each.would_find, each.rule))),
        reviewed=tuple(sorted(reviewed, key=lambda each: (each.precision, each.rule))),
        waivers=tuple(sorted(waivers, key=lambda each: (not each.has_expired, each.until, each.rule, each.about))),
        inline_waivers=inline_waivers,
        skipped=skipped,
        nights=tuple(sorted(nights, key=lambda each: each.on)[-NIGHTS:]),
        is_first_run=is_first_run,
        is_comparable=previous_rules_version in (None, rules_version),
        recomputed_from=recomputed_from,
        write_back=write_back,
        seconds=seconds,
        requests=sum(source.requests for source in health),
        fixed=tuple(fixed),
        unknown=tuple(unknown),
    )


def _answer(health: Sequence[SourceHealth], checked: int, found: Sequence[AuditFinding]) -> Answer:
    if all_failed(health):
        return Answer.CANNOT_SAY
    if not checked:
        return without_figures(health, is_unread=bool(unreadable(health)))
    return Answer.FIGURES if any(finding.counts for finding in found) else Answer.NOTHING_WRONG


def _by_points(finding: AuditFinding) -> tuple[object, ...]:
    return -(finding.points or 0), -finding.severity.rank, finding.source, finding.issue or "", finding.rule


def _by_weight(finding: AuditFinding) -> tuple[object, ...]:
    return (
        -finding.severity.rank,
        -(finding.points or 0),
        finding.source,
        finding.issue or finding.about or "",
        finding.rule,
        finding.message,
    )


def _counted(found: Iterable[AuditFinding]) -> AuditCounts:
    found = tuple(found)
    return AuditCounts(
        new=sum(each.is_new and each.counts for each in found),
        still_open=sum(not each.is_new and each.counts for each in found),
        waived=sum(each.waived for each in found),
        baselined=sum(each.baselined and not each.waived for each in found),
    )


def _rule_counts(found: Iterable[AuditFinding]) -> tuple[RuleCount, ...]:
    by_rule: dict[str, list[AuditFinding]] = defaultdict(list)
    for finding in found:
        by_rule[finding.rule].append(finding)
    counted = [
        RuleCount(
            rule=rule,
            name=members[0].name,
            severity=max((each.severity for each in members), key=lambda severity: severity.rank),
            open=sum(each.counts for each in members),
            new=sum(each.counts and each.is_new for each in members),
            waived=sum(each.waived for each in members),
            baselined=sum(each.baselined and not each.waived for each in members),
        )
        for rule, members in by_rule.items()
    ]
    return tuple(sorted(counted, key=lambda each: (-each.open, each.rule)))
