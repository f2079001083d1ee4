"""PLN001: more is planned for a sprint than the team finishes in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from backlint.examples import a_transition, an_issue
from backlint.forecast import Finishes, history, how_many, seed_of
from backlint.model import (
    Issue,
    IssueType,
    Judgement,
    Scope,
    ScopeKind,
    Severity,
    Sprint,
    SprintMembership,
    StatusCategory,
)
from backlint.percentile import percentile, rank
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, ScopeRule
from backlint.rules.sprint_figures import (
    SPRINT_TYPES,
    completed,
    end_of,
    estimates,
    first_day,
    is_in,
    last_day,
    total_points,
)
from backlint.scopes import SprintIssues

HISTORY = 12  # sprints looked back on (catalogue PLN001)
LEAST = 3  # finished sprints without which nothing is said (catalogue PLN001)
POINTS_SHARE = 0.5  # of the finished items that have an estimate, for a team that counts points


def a_sprint(number: int) -> Sprint:
    """Two weeks each; number 12 is running, 13 is the next."""
    start: datetime = EXAMPLE_NOW - timedelta(days=2) + timedelta(days=14 * (number - 12))
    state = "closed" if number < 12 else "active" if number == 12 else "future"
    end = start + timedelta(days=13)
    return Sprint(id=str(number), name=f"Sprint {number}", state=state, starts_at=start, ends_at=end)


def in_sprint(number: int, count: int, points: float | None, **given: object) -> tuple[Issue, ...]:
    """So many items of that size in the sprint: finished in an ended one, open in another."""
    sprint = a_sprint(number)
    values: dict[str, object] = {
        "estimate": points,
        "sprints": (SprintMembership(sprint=sprint),),
        "created_at": EXAMPLE_NOW - timedelta(days=200),
        **given,
    }
    if number < 12:
        values |= {"category": StatusCategory.DONE}
    return tuple(
        an_issue(id=f"{number}-{place}", key=f"DEMO-{number}0{place}", **values, **_finish(sprint, place / count))
        for place in range(count)
    )


def _finish(sprint: Sprint, share: float) -> Mapping[str, object]:
    """Done in an ended sprint, when that share of it had passed."""
    if sprint.state != "closed" or sprint.starts_at is None:
        return {}
    at = sprint.starts_at + timedelta(days=1 + 12 * share)
    return {"transitions": (a_transition(at, StatusCategory.ACTIVE, StatusCategory.DONE),)}


def past(*points: float) -> tuple[Issue, ...]:
    """Ended sprints, in each of which so many points were finished by items of one point."""
    return tuple(issue for back, total in enumerate(points, start=1) for issue in in_sprint(12 - back, int(total), 1))


@dataclass(frozen=True, slots=True)
class Velocity:
    """What the team finished in each of its last sprints; `median` is the size that an unestimated item counts."""

    unit: str
    totals: tuple[float, ...]
    median: float

    def reached(self, percent: int) -> float:
        """The largest total that at least so many percent of the sprints reached."""
        return sorted(self.totals, reverse=True)[rank(percent, len(self.totals)) - 1]

    def total(self, issues: Sequence[Issue]) -> float:
        if self.unit == "items":
            return len(issues)
        return total_points(issues, median=self.median)


class SprintOvercommitted(ScopeRule):
    """More is planned than the team finishes in a sprint.

    Why it matters: what does not fit is chosen by chance at the end, instead of by intent at the start.

    How to fix: move out what can wait, until the plan is what the team finishes most of the time.

    Severity: above what is finished half of the time, or above a capacity that was set, it is an error; above what
    is finished 85 % of the time a warning. Teams that count items are forecast from the items of their last weeks,
    teams that count points from those of their last sprints.

    Not flagged: a plan at the number itself; teams with fewer than three finished sprints and no capacity. Subtasks
    and epics are not counted; items without an estimate count as the team's median.
    """

    code = "PLN001"
    name = "sprint-overcommitted"
    severity = Severity.ERROR
    question = "What moves out?"
    judges = ScopeKind.SPRINT

    capacity: Mapping[str, float] = MappingProxyType({})  # by sprint (id or name) or team: points, or items
    availability: Mapping[str, float] = MappingProxyType({})  # by sprint or team: share of the usual time, such as 0.8

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        sprints = context.backlog.scopes.sprints
        for (source, id), found in sprints.items():
            if context.backlog.is_upcoming(source, id) and not found.has_ended:
                yield self._of_sprint(found, ended_sprints(found, sprints.values(), context.now), context)

    def _of_sprint(self, found: SprintIssues, past: Sequence[SprintIssues], context: Context) -> Judgement:
        scope = found.scope
        members = [issue for issue in found.issues if _is_planned(issue, scope.key)]
        if not members:
            return self.not_applicable(scope, "nothing is planned yet")
        velocity = velocity_of(past, members)
        planned = velocity.total(members)
        capacity = set_for(scope, self.capacity)
        if capacity is not None:
            if planned > capacity:
                message = f"{planned:g} {velocity.unit} planned, capacity {capacity:g}."
                return self.fail(scope, context, message)
            return self.ok(scope, f"{planned:g} {velocity.unit} planned, capacity {capacity:g}")
        if len(velocity.totals) < LEAST:
            return self.unknown(scope, f"{len(velocity.totals)} finished sprints; {LEAST} are needed")
        likely = self._likely(found, velocity, context)
        if isinstance(likely, str):
            return self.unknown(scope, likely)
        share = set_for(scope, self.availability)
        half, most = (number * (1 if share is None else share) for number in likely)
        message = (
            f"{planned:g} {velocity.unit} planned; half the time this team finishes {half:g}, "
            f"85 % of the time {most:g}."
        )
        if planned > most:
            return self.fail(scope, context, message, severity=Severity.ERROR if planned > half else Severity.WARNING)
        return self.ok(scope, message.rstrip("."))

    def _likely(self, found: SprintIssues, velocity: Velocity, context: Context) -> tuple[float, float] | str:
        """What is finished half and 85 % of the time, or why that cannot be said.

        Items by the forecast for the days of the sprint, made on the day it began or today; points by what the last
        sprints reached.
        """
        zone = ZoneInfo(context.timezone)
        first, last = first_day(found.sprint, zone), last_day(found.sprint, zone)
        if velocity.unit == "points" or first is None or last is None:
            return velocity.reached(50), velocity.reached(85)
        first = first if found.sprint.state == "active" else max(first, context.today)
        return _forecast(found, first, max(first, last), context)

    flagged = (
        Example(
            "34 points where 26 are usual",
            in_sprint(13, 1, 34)[0],
            others=past(26, 30, 26, 19, 19, 28, 24),
            severity=Severity.ERROR,
        ),
        Example(
            "22 points: more than is certain",
            in_sprint(13, 1, 22)[0],
            others=past(26, 30, 26, 19, 19, 28, 24),
            severity=Severity.WARNING,
        ),
        Example(
            "12 items where 9 are usual",
            in_sprint(12, 1, None)[0],
            others=(
                *in_sprint(12, 12, None)[1:],
                *(issue for back in range(7, 12) for issue in in_sprint(back, 9, None)),
            ),
            severity=Severity.ERROR,
        ),
        Example(
            "above a capacity that was set",
            in_sprint(13, 1, 34)[0],
            options={"capacity": {"DEMO": 30}},
            severity=Severity.ERROR,
        ),
        Example(
            "half of the team is away",
            in_sprint(13, 1, 19)[0],
            others=past(26, 30, 26, 19, 19, 28, 24),
            options={"availability": {"Sprint 13": 0.5}},
        ),
        Example(
            "items without an estimate count as the median",
            in_sprint(13, 1, None)[0],
            others=(*in_sprint(13, 30, None)[1:], *past(20, 20, 20)),
        ),
    )
    passed = (
        Example("19 of 19", in_sprint(13, 1, 19)[0], others=past(26, 30, 26, 19, 19, 28, 24)),
        Example(
            "subtasks are part of their stories",
            in_sprint(13, 1, 19)[0],
            others=(
                *past(26, 30, 26, 19, 19, 28, 24),
                an_issue(
                    id="99", type=IssueType.SUBTASK, estimate=30, sprints=(SprintMembership(sprint=a_sprint(13)),)
                ),
            ),
        ),
        Example(
            "hours are no points: a team that counts items",
            in_sprint(12, 1, 40, estimate_unit="hours")[0],
            others=(
                *in_sprint(12, 8, 40, estimate_unit="hours")[1:],
                *(issue for back in range(7, 12) for issue in in_sprint(back, 9, 4, estimate_unit="hours")),
            ),
        ),
        Example("within the capacity", in_sprint(13, 1, 30)[0], options={"capacity": {"DEMO": 30}}),
    )
    declined = (
        Example("the first sprint of a team", in_sprint(12, 1, 50)[0]),
        Example("two finished sprints", in_sprint(12, 1, 50)[0], others=past(10, 10)),
        Example("no sprints at all", an_issue()),
        Example("only ended sprints", in_sprint(11, 1, 5)[0]),
    )


def _is_planned(issue: Issue, sprint: str) -> bool:
    return issue.type in SPRINT_TYPES and issue.status.category is not StatusCategory.CANCELLED and is_in(issue, sprint)


def _forecast(found: SprintIssues, first: date, last: date, context: Context) -> tuple[float, float] | str:
    zone, team = ZoneInfo(context.timezone), found.scope.team or ""
    day, calendar = min(first, context.today), context.calendar(team)
    members = [issue for scope, issues in context.backlog.scopes.teams.items() if scope.key == team for issue in issues]
    finishes = Finishes((context.flow[issue.identity] for issue in members), zone, context.flow_options)
    sample = history(finishes.as_of(day), day, weeks=context.forecast_weeks, calendar=calendar)
    if sample.why_no_forecast is not None:
        return sample.why_no_forecast
    question = {"kind": "how_many", "start": first.isoformat(), "until": last.isoformat()}
    seed = seed_of(scope=team, day=day, question=question, history=sample)
    trials = how_many(sample, first, last, seed=seed, calendar=calendar)
    return trials.at(50), trials.at(85)


def ended_sprints(found: SprintIssues, all_sprints: Iterable[SprintIssues], now: datetime) -> list[SprintIssues]:
    """The last ended sprints of the same team, newest first."""
    ended = [
        (end, each)
        for each in all_sprints
        if each.scope.team == found.scope.team
        and each.scope.source == found.scope.source
        and each.has_ended
        and each.sprint.starts_at is not None
        and (end := end_of(each.sprint)) is not None
        and end <= now
    ]
    ended.sort(key=lambda pair: (pair[0], pair[1].sprint.id), reverse=True)
    return [each for _, each in ended[:HISTORY]]


def velocity_of(past: Sequence[SprintIssues], planned: Sequence[Issue]) -> Velocity:
    """In points where most of what was finished has some; without a history, where most of what is planned has."""
    finished = [list(completed(each)) for each in past]
    everything = [issue for of_one in finished for issue in of_one] or list(planned)
    sizes = estimates(everything)
    if len(sizes) < POINTS_SHARE * len(everything) or not sizes:
        return Velocity("items", tuple(float(len(of_one)) for of_one in finished), 1)
    median = percentile(50, sizes)
    counting = Velocity("points", (), median)
    return Velocity("points", tuple(counting.total(of_one) for of_one in finished), median)


def set_for(scope: Scope, table: Mapping[str, float]) -> float | None:
    """What is set for the sprint by id or name, else for its team."""
    names = [name.casefold() for name in (scope.key, scope.name, scope.team or "")]
    found = {key.casefold(): value for key, value in table.items()}
    return next((found[name] for name in names if name in found), None)
