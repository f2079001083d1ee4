"""Gathers what a team needs to plan its next sprint: window, capacity, candidates, and what stands in their way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from math import floor
from statistics import median_low
from typing import TypeVar

from backlint.api.commands.team_calendar import team_calendar
from backlint.api.reports.entries import Entry, entries, entry
from backlint.api.reports.health import Answer, SourceHealth, all_failed, without_figures
from backlint.api.reports.sprint_prep import (
    Candidate,
    Capacity,
    CarryOver,
    Dependency,
    NotNow,
    OutcomeShare,
    Room,
    SprintPrep,
    TooBig,
    Window,
    fitted,
    shares,
)
from backlint.api.reports.sprint_prep_slices import slices
from backlint.backlog import Backlog
from backlint.errors import InputError
from backlint.flow.metrics import iso_week, local_day
from backlint.forecast import Finishes, History, history, how_many, seed_of
from backlint.model import Issue, IssueType, Judgement, Presence, Scope, ScopeKind, Sprint, Verdict
from backlint.percentile import rank
from backlint.readiness import Answer as NeedAnswer
from backlint.readiness import Need, Readiness, bug_impact, readiness, rule_codes
from backlint.rules.blocking import BLOCKED_LABELS, BLOCKED_STATUSES, blocked_mark, blockers
from backlint.rules.carried_over import sprints_endured
from backlint.rules.order import by_key
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.priority_inputs import RICE, inputs, score
from backlint.rules.registry import RULES_VERSION, all_rules, named
from backlint.rules.rule import Context, Rule
from backlint.rules.sprint_figures import SPRINT_TYPES, completed, first_day, is_in, last_day, planned
from backlint.rules.sprint_overcommitted import (
    LEAST,
    SprintOvercommitted,
    Velocity,
    ended_sprints,
    set_for,
    velocity_of,
)
from backlint.rules.too_many_initiatives import TooManyInitiatives
from backlint.rules.wip_above_cap import WipAboveCap
from backlint.scopes import SprintIssues, team_name
from backlint.settings import Settings
from backlint.sync.check import flow_options, judge_backlog

TOP_OF_BACKLOG = 10  # catalogue 7.3, when nothing is in the next sprint
MOST_NOT_NOW = 20
SIZE_RULES = ("EST002", "AC004")
DAY = timedelta(days=1)
NO_OUTCOME, OWN_OUTCOME, BUGS = "without an outcome", "an outcome of their own, no epic above", "bugs without an epic"
_LARGE = (IssueType.EPIC, IssueType.INITIATIVE)
_Rule = TypeVar("_Rule", bound=Rule)


def planning_team(issues: Iterable[Issue]) -> str:
    """The one team to plan for; of several the one that has sprints. InputError names them when they are more."""
    with_sprints: dict[str, bool] = {}
    for issue in issues:
        if issue.presence is Presence.PRESENT:
            name = team_name(issue)
            open_sprint = any(each.sprint.state != "closed" for each in issue.sprints)
            with_sprints[name] = with_sprints.get(name, False) or open_sprint
    sprinting = [name for name, has_sprints in with_sprints.items() if has_sprints]
    teams = sorted(sprinting or with_sprints)
    if len(teams) == 1:
        return teams[0]
    if not teams:
        raise InputError("there is no team to plan for: no issue is there")
    raise InputError(f"a sprint is planned for one team: name it with --scope; there are {', '.join(teams)}")


class Planning:
    """One team's planning, worked out part by part."""

    def __init__(
        self, backlog: Backlog, settings: Settings, *, team: str, sprint: str | None = None, is_unread: bool = False
    ) -> None:
        """`is_unread`: some of the team's issues belong to a source whose pull did not finish, and are not there."""
        self._is_unread = is_unread
        self._backlog, self._settings, self._team, self._wanted = backlog, settings, team, sprint
        self._zone = settings.zone
        self._today = local_day(backlog.now, self._zone)
        self._issues = [
            issue for issue in backlog.issues if issue.presence is Presence.PRESENT and team_name(issue) == team
        ]
        self._calendar = team_calendar(backlog, settings, self._issues, team=team)

    def report(self, *, scope: str, health: Sequence[SourceHealth] = ()) -> SprintPrep:
        candidates = fitted((self._candidate(issue) for issue in self._chosen), self._capacity)
        carried = self._carry_over()
        return SprintPrep(
            scope=scope,
            team=self._team,
            as_of=self._backlog.now,
            timezone=self._settings.timezone,
            rules_version=RULES_VERSION,
            health=tuple(health),
            answer=self._answer(health),
            window=self._window,
            capacity=self._capacity,
            candidates=candidates,
            is_backlog=self._is_backlog,
            order=self._order,
            carry_over=carried,
            left_over=self._left_over(len(carried)),
            dependencies=tuple(self._dependencies()),
            too_big=tuple(self._too_big()),
            outcomes=self._outcomes(candidates),
            room=self._room(),
            not_now=tuple(self._not_now(candidates))[:MOST_NOT_NOW],
        )

    def _answer(self, health: Sequence[SourceHealth]) -> Answer:
        if all_failed(health):
            return Answer.CANNOT_SAY
        return Answer.FIGURES if self._chosen else without_figures(health, is_unread=self._is_unread)

    # -- the sprint ------------------------------------------------------------------------------------------------

    @cached_property
    def _sprints(self) -> list[SprintIssues]:
        """The team's own, by start."""
        return [each for each in self._backlog.scopes.sprints.values() if each.scope.team == self._team]

    @cached_property
    def _running(self) -> SprintIssues | None:
        return next((each for each in self._sprints if each.sprint.state == "active"), None)

    @cached_property
    def _next(self) -> SprintIssues | None:
        """The sprint asked for, else the first that has not begun."""
        if self._wanted is None:
            return next((each for each in self._sprints if each.sprint.state == "future"), None)
        wanted = self._wanted.casefold()
        open_ones = [each for each in self._sprints if not each.has_ended]
        for each in open_ones:
            if wanted in (each.sprint.id.casefold(), each.sprint.name.casefold()):
                return each
        names = ", ".join(each.sprint.name for each in open_ones) or "none"
        raise InputError(f"team {self._team} has no open sprint {self._wanted!r}; there is {names}")

    @cached_property
    def _window(self) -> Window:
        sprint = self._next.sprint if self._next else None
        first = first_day(sprint, self._zone) if sprint else None
        last = last_day(sprint, self._zone) if sprint else None
        begin = max(first or self._after_running(), self._today)
        end = last if last is not None and last >= begin else begin + self._length - DAY
        assumed = []
        if sprint is None:
            assumed.append("there is no next sprint yet")
        elif first is None or last is None:
            assumed.append("the sprint has no dates yet")
        elif first < begin:
            assumed.append(f"it was to begin on {first}; planned from today on")
        if last is None or last < begin:
            usual = ", as usual here" if self._lengths else ""
            assumed.append(f"{self._length.days} days long{usual}")
        return Window(name=sprint.name if sprint else None, first=begin, last=end, assumed="; ".join(assumed))

    def _after_running(self) -> date:
        """The day after the running sprint, else the next Monday."""
        end = last_day(self._running.sprint, self._zone) if self._running else None
        return end + DAY if end is not None else iso_week(self._today) + timedelta(weeks=1)

    @property
    def _length(self) -> timedelta:
        return median_low(self._lengths) if self._lengths else timedelta(days=self._settings.planning.sprint_days)

    @cached_property
    def _lengths(self) -> list[timedelta]:
        return [
            last - first + DAY
            for each in self._sprints
            if (first := first_day(each.sprint, self._zone))
            and (last := last_day(each.sprint, self._zone))
            and last >= first
        ]

    # -- capacity --------------------------------------------------------------------------------------------------

    @cached_property
    def _context(self) -> Context:
        return self._judged[1]

    @cached_property
    def _finishes(self) -> Finishes:
        flow = self._context.flow
        return Finishes((flow[issue.identity] for issue in self._issues), self._zone, flow_options(self._settings))

    @cached_property
    def _sample(self) -> History:
        return history(
            self._finishes.today(), self._today, weeks=self._settings.forecast.weeks, calendar=self._calendar
        )

    @cached_property
    def _velocity(self) -> Velocity:
        return velocity_of(self._ended, self._chosen)

    @cached_property
    def _ended(self) -> list[SprintIssues]:
        own = self._next or self._running or next(iter(self._sprints[-1:]), None) or self._nameless()
        return ended_sprints(own, self._sprints, self._backlog.now)

    def _nameless(self) -> SprintIssues:
        """Stands for a sprint that nobody has made yet."""
        source = min((issue.source for issue in self._issues), default="")
        scope = Scope(kind=ScopeKind.SPRINT, source=source, key="", name="", team=self._team)
        return SprintIssues(scope, Sprint(id="", name=""), ())

    @cached_property
    def _capacity(self) -> Capacity:
        window, calendar = self._window, self._calendar
        working = calendar.working_days(window.first, window.last)
        available = calendar.availability(window.first, window.last)
        why, items50, items85, seed = self._items()
        points = self._velocity.totals if self._velocity.unit == "points" else ()
        share = 1.0 if available is None else available
        enough = len(points) >= LEAST
        own = self._next.scope if self._next else self._nameless().scope
        team = self._settings.team(self._team)
        return Capacity(
            working_days=len(working),
            holidays=tuple(calendar.holidays_between(window.first, window.last)),
            people=calendar.people,
            is_size_known=bool(team and team.people),
            away_days=sum(min(calendar.away(day), calendar.people or 0) for day in working),
            availability=Fraction(share).limit_denominator(10_000),
            items50=items50,
            items85=items85,
            why_no_items=why,
            points50=_tenths(_reached(points, 50) * share) if enough else None,
            points85=_tenths(_reached(points, 85) * share) if enough else None,
            past=tuple(
                (each.sprint.name, total) for each, total in zip(self._ended, self._velocity.totals, strict=True)
            ),
            set_to=set_for(own, self._rule(SprintOvercommitted).capacity),
            unit=self._velocity.unit,
            seed=seed,
            drawn_from=self._drawn_from() if seed is not None else (),
            past_issues=tuple(entries(completed(each)) for each in self._ended),
        )

    def _drawn_from(self) -> tuple[Entry, ...]:
        """What was finished in the weeks of the sample, oldest first."""
        mondays = {week.monday for week in self._sample.weeks}
        found = [(day, issue) for day, issue in self._finishes.finished if iso_week(day) in mondays]
        return tuple(
            entry(issue, f"finished {day}") for day, issue in sorted(found, key=lambda e: (e[0], by_key(e[1])))
        )

    def _items(self) -> tuple[str | None, int | None, int | None, int | None]:
        why = self._sample.why_no_forecast
        if why is not None:
            return why, None, None, None
        window = self._window
        question = {"kind": "how_many", "start": window.first.isoformat(), "until": window.last.isoformat()}
        seed = seed_of(scope=self._team, day=self._today, question=question, history=self._sample)
        found = how_many(self._sample, window.first, window.last, seed=seed, calendar=self._calendar)
        return None, found.at(50), found.at(85), seed

    def _left_over(self, still_open: int) -> int | None:
        """How many of the running sprint's items will as likely as not be open at its end."""
        end = last_day(self._running.sprint, self._zone) if self._running else None
        if not still_open or end is None or end < self._today or self._sample.why_no_forecast is not None:
            return None
        question = {"kind": "how_many", "start": self._today.isoformat(), "until": end.isoformat()}
        seed = seed_of(scope=self._team, day=self._today, question=question, history=self._sample)
        found = how_many(self._sample, self._today, end, seed=seed, calendar=self._calendar)
        return max(0, still_open - found.at(50))

    # -- the candidates --------------------------------------------------------------------------------------------

    @cached_property
    def _is_backlog(self) -> bool:
        return not self._in_next

    @cached_property
    def _in_next(self) -> list[Issue]:
        if self._next is None:
            return []
        key = self._next.sprint.id
        return [issue for issue in self._next.issues if _is_plannable(issue) and is_in(issue, key)]

    @cached_property
    def _chosen(self) -> list[Issue]:
        """What is in the next sprint, else the top of the backlog; in the order of planning."""
        if not self._is_backlog:
            return sorted(self._in_next, key=self._place)
        waiting = [
            issue
            for issue in self._issues
            if _is_plannable(issue) and not issue.is_started and not self._is_in_open_sprint(issue)
            and not self._is_put_off(issue)
        ]  # fmt: skip
        return sorted(waiting, key=self._place)[:TOP_OF_BACKLOG]

    @staticmethod
    def _is_in_open_sprint(issue: Issue) -> bool:
        return any(each.removed_at is None and each.sprint.state != "closed" for each in issue.sprints)

    def _place(self, issue: Issue) -> tuple[object, ...]:
        """What was begun or carried over first, then by score where there are scores, priority and the team's rank."""
        value = self._score(issue)
        return (
            not issue.is_started,
            -len(sprints_endured(issue, self._backlog.now)),
            -(value or 0),
            issue.priority or 9,
            issue.rank is None,
            issue.rank or "",
            issue.created_at is None,
            str(issue.created_at),
            issue.key,
        )

    @cached_property
    def _order(self) -> str:
        by_score = "RICE score, " if any(self._score(issue) is not None for issue in self._chosen) else ""
        return f"begun and carried over first, then by {by_score}priority and the backlog's own rank"

    def _score(self, issue: Issue) -> float | None:
        """Its own, else that of the nearest thing above it that has one."""
        for each in (issue, *self._backlog.ancestors(issue)):
            value = _rice(each)
            if value is not None:
                return value
        return None

    @cached_property
    def _judged(self) -> tuple[dict[tuple[str, str], tuple[Judgement, ...]], Context]:
        """The verdicts that readiness and size rest on, whichever profile is chosen."""
        codes = (rule_codes() | {*SIZE_RULES}) & {rule.code for rule in all_rules()}
        codes -= named(self._settings.check.disable)
        rules = tuple(rule(self._settings.rules.get(rule.code)) for rule in all_rules() if rule.code in codes)
        checked, context, _ = judge_backlog(self._backlog, self._settings, rules=rules, issues=self._chosen)
        return {each.issue.identity: each.judgements for each in checked}, context

    def _candidate(self, issue: Issue) -> Candidate:
        running = self._running.sprint.id if self._running else None
        return Candidate(
            source=issue.source,
            key=issue.key,
            url=issue.url,
            title=issue.title,
            type=issue.type.value,
            points=_points(issue),
            counts=self._velocity.total([issue]),
            owner=self._owner(issue),
            ready=self._readiness(issue),
            sprints=len(sprints_endured(issue, self._backlog.now)),
            is_running=running is not None and is_in(issue, running),
            score=self._score(issue),
            outcome=self._outcome(issue),
        )

    def _owner(self, issue: Issue) -> str | None:
        owner = next(iter((*issue.accountable, *issue.assignees)), None)
        person = self._backlog.person(issue.source, owner) if owner else None
        if owner and person is None and self._backlog.has_people(issue.source):
            return "not visible to us"  # the account is hidden or gone: its id says nothing to a reader
        return person.name if person else owner

    def _readiness(self, issue: Issue) -> Readiness:
        chosen, planning = self._judged[0].get(issue.identity, ()), self._settings.planning
        further: dict[Need, Sequence[NeedAnswer]] = {Need.DEPENDENCIES: self._depends(issue)}
        if issue.type is IssueType.BUG:
            further[Need.OUTCOME] = (bug_impact(issue),)
        return readiness(
            issue,
            chosen,
            further=further,
            gates=(Need(name) for name in planning.gates),
            ready_from=planning.ready_from,
            nearly_from=planning.nearly_from,
        )

    def _depends(self, issue: Issue) -> tuple[NeedAnswer, ...]:
        """Whether everything that blocks it is done, or is planned to be before the sprint ends."""
        found = blockers(issue, self._context)
        late = [each for each in found.open if self._is_late(each)]
        if late:
            keys = ", ".join(each.key for each in late)
            said = f"blocked by {keys}, open and not planned for before the sprint ends"
            return (NeedAnswer(verdict=Verdict.FAIL, said=said, question=f"Can {keys} come first, or does this wait?"),)
        if found.unread:
            return (NeedAnswer(verdict=Verdict.UNKNOWN, said="a blocker cannot be read"),)
        return (NeedAnswer(verdict=Verdict.PASS, said="nothing outside the sprint blocks it"),)

    def _is_late(self, blocker: Issue) -> bool:
        if self._is_among_them(blocker):
            return False
        plan = planned(blocker, self._context)
        return plan.until is None or plan.until > self._window.last

    def _is_among_them(self, issue: Issue) -> bool:
        """Whether it is in the sprint as well, or in the list that stands for it."""
        if self._next is not None and is_in(issue, self._next.sprint.id):
            return True
        return any(each.identity == issue.identity for each in self._chosen)

    # -- what stands in the way ------------------------------------------------------------------------------------

    def _carry_over(self) -> tuple[CarryOver, ...]:
        if self._running is None or self._running is self._next:
            return ()
        chosen = {issue.identity for issue in self._chosen}
        still = [each for each in self._running.issues if _is_plannable(each) and is_in(each, self._running.sprint.id)]
        rows = [
            CarryOver(
                source=issue.source,
                key=issue.key,
                url=issue.url,
                title=issue.title,
                status=issue.status.name,
                points=_points(issue),
                sprints=len(sprints_endured(issue, self._backlog.now)),
                is_candidate=issue.identity in chosen,
            )
            for issue in still
        ]
        return tuple(sorted(rows, key=lambda row: (-row.sprints, row.source, row.key)))

    def _dependencies(self) -> Iterable[Dependency]:
        for issue in self._chosen:
            found = blockers(issue, self._context).open
            for blocker in found:
                yield self._dependency(issue, blocker, self._state(blocker), is_late=self._is_late(blocker))
            mark = blocked_mark(issue, statuses=BLOCKED_STATUSES, labels=BLOCKED_LABELS)
            if mark is not None and not found:
                yield self._dependency(issue, None, f"marked as blocked ({mark.text})", is_late=False)

    def _state(self, blocker: Issue) -> str:
        if self._is_among_them(blocker):
            return f"{blocker.status.name}, in this {'list' if self._is_backlog else 'sprint'}"
        plan = planned(blocker, self._context)
        if plan.until is None:
            return f"{blocker.status.name}, not planned"
        return f"{blocker.status.name}, planned until {plan.until}"

    @staticmethod
    def _dependency(issue: Issue, blocker: Issue | None, state: str, *, is_late: bool) -> Dependency:
        return Dependency(
            source=issue.source,
            key=issue.key,
            url=issue.url,
            title=issue.title,
            blocker=blocker.key if blocker else None,
            blocker_url=blocker.url if blocker else None,
            state=state,
            is_late=is_late,
        )

    def _too_big(self) -> Iterable[TooBig]:
        for issue in self._chosen:
            failing = [
                each
                for each in self._judged[0].get(issue.identity, ())
                if each.rule in SIZE_RULES and each.verdict is Verdict.FAIL
            ]
            if failing:
                found, basis = slices(issue, self._context)
                yield TooBig(
                    source=issue.source,
                    key=issue.key,
                    url=issue.url,
                    title=issue.title,
                    why=" ".join(each.message for each in failing),
                    slices=found,
                    basis=basis,
                )

    # -- what it is for --------------------------------------------------------------------------------------------

    def _outcome(self, issue: Issue) -> str:
        """The epic or initiative above it; else that it states one itself, is a bug, or serves none."""
        above = next((each for each in self._backlog.ancestors(issue) if each.type in _LARGE), None)
        if above is not None:
            return f"{above.key} {above.title}"
        if issue.type is IssueType.BUG:
            return BUGS
        return OWN_OUTCOME if own_outcomes(issue, self._context) else NO_OUTCOME

    def _outcomes(self, candidates: Sequence[Candidate]) -> tuple[OutcomeShare, ...]:
        named = {
            f"{above.key} {above.title}": above.url
            for issue in self._chosen
            for above in self._backlog.ancestors(issue)
            if above.type in _LARGE
        }
        return shares(candidates, named.get)

    def _room(self) -> Room:
        rule = self._rule(WipAboveCap)
        at_work = [
            issue
            for issue in self._issues
            if issue.type in rule.types and self._context.flow[issue.identity].is_in_progress
        ]
        caps = {name.casefold(): cap for name, cap in rule.caps.items()}
        return Room(items=entries(at_work), cap=caps.get(self._team.casefold()))

    def _not_now(self, candidates: Sequence[Candidate]) -> Iterable[NotNow]:
        even = "the capacity" if self._capacity.set_to is not None else "what is finished half of the time"
        for each in candidates:
            if each.fits == "beyond" and not self._is_backlog:
                yield NotNow(source=each.source, key=each.key, url=each.url, title=each.title, why=f"beyond {even}")
        for issue in sorted(self._issues, key=lambda each: (each.source, each.key)):
            if issue.is_open and self._is_put_off(issue):
                until = f", to be looked at again on {issue.review_on}" if issue.review_on else ""
                yield NotNow(
                    source=issue.source, key=issue.key, url=issue.url, title=issue.title,
                    why=f"put off on purpose{until}",
                )  # fmt: skip

    def _is_put_off(self, issue: Issue) -> bool:
        labels = {label.casefold() for label in self._rule(TooManyInitiatives).not_now_labels}
        return bool(labels & {label.casefold() for label in issue.labels})

    def _rule(self, kind: type[_Rule]) -> _Rule:
        """The rule with its options as configured, for a figure that it already knows."""
        return kind(self._settings.rules.get(kind.code))


def _is_plannable(issue: Issue) -> bool:
    """Open work of its own: no subtask, which is part of its parent, and no epic."""
    return issue.is_open and issue.type in SPRINT_TYPES


def _points(issue: Issue) -> float | None:
    return issue.estimate if issue.estimate_unit == "points" else None


def _reached(totals: Sequence[float], percent: int) -> float:
    """The largest total that at least so many percent of the sprints reached."""
    return sorted(totals, reverse=True)[rank(percent, len(totals)) - 1]


def _tenths(points: float) -> float:
    """Rounded down: what is promised must not be rounding."""
    return floor(10 * points + 1e-9) / 10


def _rice(issue: Issue) -> float | None:
    """The stored score, else reach times impact times confidence by effort; None without them."""
    stored = score(issue)
    if stored is not None:
        return stored
    found = inputs(issue)
    values = [found[name].number for name in RICE if name in found]
    if len(values) < len(RICE) or any(value is None for value in values):
        return None
    reach, impact, confidence, effort = (value or 0.0 for value in values)
    if effort <= 0:
        return None
    return reach * impact * (confidence / 100 if confidence > 1 else confidence) / effort
