"""What is known of a scope and a stretch of days, worked out once and asked by every section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from backlint.api.commands.team_calendar import only_team, team_calendar
from backlint.api.reports.cycle_time import CycleTimeReport, build_cycle_time
from backlint.backlog import Backlog
from backlint.calendars import Calendar
from backlint.flow import Episode, Item
from backlint.flow.metrics import Due, due_items, finished_between, local_day
from backlint.forecast import Finishes, History, HowMany, history, how_many, seed_of
from backlint.model import Issue, IssueType, Judgement, Presence, StatusCategory, Verdict
from backlint.readiness import Need, Readiness, bug_impact, readiness, rule_codes
from backlint.rules.engine import judge, judge_scopes
from backlint.rules.outcome_text import Stated, own_outcomes
from backlint.rules.registry import all_rules, named
from backlint.rules.rule import Context, Rule
from backlint.rules.sprint_figures import SPRINT_TYPES
from backlint.settings import Settings
from backlint.sync.check import flow_options, judge_backlog

LOOKED_BACK = timedelta(days=90)  # for figures that a week is too short for
CLOSED_LATELY = timedelta(days=180)  # results may still be owed (catalogue OUT005)
LARGE = (IssueType.EPIC, IssueType.INITIATIVE)
ASKED = frozenset(
    {
        "BLK001", "BLK002", "BLK003", "BLK004", "FLO002", "FLO003", "OUT002", "OUT005", "OWN003", "PLN001", "PLN002",
        "PLN003", "PLN004", "PLN005", "PRI001", "PRI004", "REV001", "REV002",
    }
)  # fmt: skip
_Rule = TypeVar("_Rule", bound=Rule)


@dataclass(frozen=True, slots=True)
class BacklogScore:
    """As the last audit recorded it."""

    name: str
    score: int
    issues: int


@dataclass(frozen=True)
class Facts:
    """`issues` are those of the scope; the whole backlog is asked for parents, links and expectations.

    `is_unread`: some of the scope belongs to a source whose pull did not finish, and is not among them.
    `since` and `until` are local days, both included. `scores` are the last audit's; empty when none was run.
    """

    backlog: Backlog  # without the issues of sources whose pull did not finish
    settings: Settings
    scope: str
    issues: tuple[Issue, ...]
    since: date
    until: date
    scores: Sequence[BacklogScore] = ()
    is_unread: bool = False
    _memory: dict[tuple[str, str], Mapping[str, Judgement]] = field(default_factory=dict, repr=False)

    @property
    def now(self) -> datetime:
        return self.backlog.now

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    @property
    def period(self) -> str:
        """`1 to 7 Jun`."""
        first = f"{self.since.day} {self.since:%b}" if self.since.month != self.until.month else f"{self.since.day}"
        return f"{first} to {self.until.day} {self.until:%b}"

    @cached_property
    def today(self) -> date:
        return local_day(self.now, self.zone)

    @cached_property
    def begin(self) -> datetime:
        return datetime.combine(self.since, time(), self.zone)

    @cached_property
    def end(self) -> datetime:
        return datetime.combine(self.until + timedelta(days=1), time(), self.zone)

    @cached_property
    def long_begin(self) -> datetime:
        """Where the 90 days begin that figures are of for which these days are too few."""
        return datetime.combine(self.until - LOOKED_BACK, time(), self.zone)

    def holds(self, at: datetime | None) -> bool:
        """Whether a moment lies within the days of the readout."""
        return at is not None and self.begin <= at < self.end

    # -- work ----------------------------------------------------------------------------------------------------------

    @cached_property
    def context(self) -> Context:
        return judge_backlog(self.backlog, self.settings, issues=())[1]

    def rule(self, kind: type[_Rule]) -> _Rule:
        """The rule with its options as configured, for a figure that it already knows."""
        return kind(self.settings.rules.get(kind.code))

    @cached_property
    def items(self) -> tuple[Item, ...]:
        return tuple(self.context.flow[issue.identity] for issue in self.issues)

    @cached_property
    def finished(self) -> list[tuple[Item, Episode]]:
        """Stories, tasks, bugs and the like that were finished in these days, by finish."""
        found = finished_between(self.items, self.begin, self.end)
        return sorted(found, key=lambda pair: (str(pair[1].finished_at), pair[0].issue.source, pair[0].issue.key))

    @cached_property
    def large_finished(self) -> list[Issue]:
        return [
            item.issue
            for item in self.items
            if item.is_large and any(self.holds(episode.finished_at) for episode in item.finished())
        ]

    @cached_property
    def in_progress(self) -> list[Item]:
        """Oldest first; those whose start is unknown last."""
        running = [item for item in self.items if not item.is_large and item.is_in_progress]
        return sorted(running, key=lambda item: (-(item.age(self.now) or timedelta(-1)), item.issue.key))

    @cached_property
    def cycle_time(self) -> CycleTimeReport:
        """The cycle-time report over the 90 days up to the last day of the readout."""
        wanted = {issue.identity for issue in self.issues}
        return build_cycle_time(
            self.backlog.issues,
            scope=self.scope,
            now=self.now,
            timezone=self.settings.timezone,
            since=self.until - LOOKED_BACK,
            until=self.until,
            select=lambda issue: issue.identity in wanted,
            options=flow_options(self.settings),
            sprints=self.backlog.scopes.sprints_of(wanted),
        )

    @cached_property
    def due(self) -> tuple[Due, ...]:
        """What was due in the last 90 days."""
        since, until = self.until - LOOKED_BACK, self.until + timedelta(days=1)
        return tuple(due_items(self.items, self.now, self.zone, since=since, until=until))

    # -- forecast ------------------------------------------------------------------------------------------------------

    @cached_property
    def _calendar(self) -> Calendar:
        return team_calendar(self.backlog, self.settings, self.issues, team=only_team(self.issues))

    @cached_property
    def finishes(self) -> Finishes:
        return Finishes(self.items, self.zone, flow_options(self.settings))

    @cached_property
    def history(self) -> History:
        """The weeks that forecasts draw from."""
        weeks = self.settings.forecast.weeks
        return history(self.finishes.today(), self.today, weeks=weeks, calendar=self._calendar)

    def how_many(self, until: date) -> HowMany | None:
        """How many items are finished by the end of a day; None when the history does not allow a forecast."""
        if self.history.why_no_forecast is not None:
            return None
        question = {"kind": "how_many", "start": self.today.isoformat(), "until": until.isoformat()}
        seed = seed_of(scope=self.scope, day=self.today, question=question, history=self.history)
        return how_many(self.history, self.today, until, seed=seed, calendar=self._calendar)

    # -- verdicts ------------------------------------------------------------------------------------------------------

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        """Whichever profile is chosen; those that the configuration disables are not asked."""
        codes = (rule_codes() | ASKED) - named(self.settings.check.disable)
        return tuple(rule(self.settings.rules.get(rule.code)) for rule in all_rules() if rule.code in codes)

    def verdicts(self, issue: Issue) -> Mapping[str, Judgement]:
        """By rule; of several verdicts of one rule a failure first."""
        if issue.identity not in self._memory:
            found: dict[str, Judgement] = {}
            skip = f"{self.settings.write_back.label_prefix}skip"
            for each in judge(issue, self._rules, self.context, skip_label=skip):
                if each.rule not in found or each.verdict is Verdict.FAIL:
                    found[each.rule] = each
            self._memory[issue.identity] = MappingProxyType(found)
        return self._memory[issue.identity]

    def failing(self, issues: Sequence[Issue], *codes: str) -> Iterator[tuple[Issue, Judgement]]:
        for issue in issues:
            found = self.verdicts(issue)
            for code in codes:
                if code in found and found[code].verdict is Verdict.FAIL:
                    yield issue, found[code]

    @cached_property
    def about_scopes(self) -> tuple[Judgement, ...]:
        """What is wrong with the teams, sprints and projects that the scope's issues belong to."""
        wanted = {issue.identity for issue in self.issues}
        found = [each for each in judge_scopes(self._rules, self.context) if each.verdict is Verdict.FAIL]
        return tuple(
            each
            for each in found
            if each.scope is not None
            and any(issue.identity in wanted for issue in self.backlog.scopes.members(each.scope))
        )

    # -- kinds of issues -----------------------------------------------------------------------------------------------

    @cached_property
    def open(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.is_open)

    @cached_property
    def near(self) -> tuple[Issue, ...]:
        """Open work that is started, planned or at the top of the backlog."""
        return tuple(issue for issue in self.open if issue.type in SPRINT_TYPES and self.backlog.is_near(issue))

    @cached_property
    def objectives(self) -> tuple[Issue, ...]:
        """Initiatives and epics that are under way or near, by kind."""
        found = [each for each in self.open if each.type in LARGE and (each.is_started or self.backlog.is_near(each))]
        return tuple(sorted(found, key=lambda each: (each.type is IssueType.EPIC, each.source, each.key)))

    @cached_property
    def closed_lately(self) -> tuple[Issue, ...]:
        """What may still owe a result."""
        kinds = (*LARGE, IssueType.STORY)
        return tuple(
            issue
            for issue in self.issues
            if issue.type in kinds
            and issue.status.category is StatusCategory.DONE
            and issue.transitions
            and issue.transitions[-1].at >= self.now - CLOSED_LATELY
        )

    @cached_property
    def upcoming(self) -> list[tuple[Issue, Readiness]]:
        """What may be started next, with its readiness: in a sprint first, then by priority and the backlog's rank."""
        waiting = [issue for issue in self.near if not issue.is_started]
        return [(issue, self._readiness(issue)) for issue in sorted(waiting, key=self._place)]

    def _place(self, issue: Issue) -> tuple[object, ...]:
        in_sprint = self.backlog.is_in_sprint(issue)
        return not in_sprint, issue.priority or 9, issue.rank is None, issue.rank or "", issue.source, issue.key

    def _readiness(self, issue: Issue) -> Readiness:
        planning = self.settings.planning
        return readiness(
            issue,
            self.verdicts(issue).values(),
            further={Need.OUTCOME: (bug_impact(issue),)} if issue.type is IssueType.BUG else {},
            gates=(Need(name) for name in planning.gates),
            ready_from=planning.ready_from,
            nearly_from=planning.nearly_from,
        )

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def outcome(self, issue: Issue) -> tuple[Issue, Stated] | None:
        """The outcome that a piece of work should move: that of the nearest epic or initiative, else its own."""
        above = [each for each in self.backlog.ancestors(issue) if each.type in LARGE]
        for each in (*above, issue):
            stated = own_outcomes(each, self.context)
            if stated:
                return each, stated[0]
        return None

    def person(self, issue: Issue) -> str | None:
        """Who owns it, by name."""
        owner = next(iter((*issue.accountable, *issue.assignees)), None)
        known = self.backlog.person(issue.source, owner) if owner else None
        return known.name if known else owner


def present(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    return tuple(issue for issue in issues if issue.presence is Presence.PRESENT)
