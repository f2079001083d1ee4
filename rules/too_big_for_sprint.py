"""EST002: the item is larger than what gets finished within a sprint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, Sprint, SprintMembership, StatusCategory
from backlint.percentile import SLE_SAMPLE, percentile
from backlint.rules.evidence import of_value
from backlint.rules.history import closed_at
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.sprint_figures import end_of, planned
from backlint.scopes import team_name

WEEKEND = 5  # the first day of it, by date.weekday()
DAYS_IN = {"days": 1.0, "hours": 1 / 8, "minutes": 1 / 480}  # of 8 working hours, as trackers count by default


def a_sprint(number: int) -> Sprint:
    """Two weeks each; number 12 is running."""
    start: datetime = EXAMPLE_NOW - timedelta(days=8) + timedelta(days=14 * (number - 12))
    state = "closed" if number < 12 else "active" if number == 12 else "future"
    return Sprint(
        id=str(number), name=f"Sprint {number}", state=state, starts_at=start, ends_at=start + timedelta(days=13)
    )


def in_sprint(number: int) -> tuple[SprintMembership, ...]:
    return (SprintMembership(sprint=a_sprint(number)),)


def finished(count: int, points: float, first: int) -> tuple[Issue, ...]:
    """So many items of that size, each finished within sprint 11."""
    sprint = a_sprint(11)
    done_at = (sprint.starts_at or EXAMPLE_NOW) + timedelta(days=5)
    return tuple(
        an_issue(
            id=str(number),
            estimate=points,
            category=StatusCategory.DONE,
            sprints=in_sprint(11),
            created_at=done_at - timedelta(days=30),
            transitions=(a_transition(done_at, StatusCategory.ACTIVE, StatusCategory.DONE),),
        )
        for number in range(first, first + count)
    )


class TooBigForSprint(Rule):
    """Too big for one sprint.

    Why it matters: large items hide what is not understood yet; they are carried over, and nothing is learned
    before they end.

    How to fix: cut off the thinnest slice that still teaches something.

    Not flagged: an estimate exactly at the cap; epics. The cap is what the team finished within one sprint (85 % of
    at least 20 items), unless `max_points` is set.
    """

    code = "EST002"
    name = "too-big-for-sprint"
    label = "too-big"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "What is the thinnest slice that still teaches us something?"
    waits_for_triage = True
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG})
    max_points: float = 0  # cap in points; 0: learned from the team's sprints
    default_points: float = (
        8  # cap in points where fewer than 20 items were finished within a sprint (catalogue EST002)
    )
    sprint_days: int = 10  # working days of a sprint where the issue is in none with dates
    max_children: int = 10  # open children of a story without an estimate (catalogue EST002)
    scale_since: str = ""  # day from which the present scale is used, as 2026-01-31; "": always

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if issue.estimate is None:
            yield from self._by_children(issue, context)
        elif issue.estimate_unit in DAYS_IN:
            yield from self._by_days(issue, issue.estimate * DAYS_IN[issue.estimate_unit], context)
        elif issue.estimate_unit == "points":
            yield from self._by_points(issue, issue.estimate, context)
        else:
            yield self.not_applicable(issue, f"estimated in {issue.estimate_unit}")

    def _by_children(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        count = sum(child.is_open for child in context.backlog.children(issue))
        if issue.type is not IssueType.STORY or count <= self.max_children:
            yield self.not_applicable(issue, "not estimated: EST001 says it")
            return
        yield self.fail(issue, context, f"Not estimated, with {count} open children: more than one sprint's work.")

    def _by_days(self, issue: Issue, days: float, context: Context) -> Iterator[Judgement]:
        sprint = planned(issue, context).sprint
        limit = _working_days(sprint, context) if sprint is not None else None
        limit = self.sprint_days if limit is None else limit
        if days > limit:
            evidence = [of_value("F", "estimate", f"{issue.estimate:g} {issue.estimate_unit}")]
            message = f"{days:g} days; the sprint has {limit} working days."
            yield self.fail(issue, context, message, evidence=evidence)

    def _by_points(self, issue: Issue, points: float, context: Context) -> Iterator[Judgement]:
        learned = None
        if not self.max_points:
            caps = context.of_backlog(("EST002", self.scale_since), lambda: self._caps(context))
            learned = caps.get(team_name(issue))
        cap = self.max_points or (self.default_points if learned is None else learned)
        if points > cap:
            where = " here" if learned is not None else ""
            message = f"{points:g} points; items above {cap:g} rarely finish within one sprint{where}."
            evidence = [of_value("F", "estimate", f"{points:g} points")]
            yield self.fail(issue, context, message, evidence=evidence)

    def _caps(self, context: Context) -> Mapping[str, float]:
        """By team: the 85th percentile of the points that were finished inside one sprint."""
        since = date.fromisoformat(self.scale_since) if self.scale_since else date.min
        sizes: dict[str, list[float]] = defaultdict(list)
        for issue in context.backlog.issues:
            if issue.type not in self.types or issue.estimate is None or issue.estimate_unit != "points":
                continue
            at = closed_at(issue) if issue.status.category is StatusCategory.DONE else None
            if at is not None and context.day(at) >= since and _is_within_one_sprint(issue, at):
                sizes[team_name(issue)].append(issue.estimate)
        return {team: percentile(85, sorted(seen)) for team, seen in sizes.items() if len(seen) >= SLE_SAMPLE}

    flagged = (
        Example(
            "13 points, nothing known of the team",
            an_issue(estimate=13, category=StatusCategory.TODO),
            severity=Severity.WARNING,
            evidence="13 points",
        ),
        Example(
            "15 days in a sprint of ten",
            an_issue(estimate=120, estimate_unit="hours", sprints=in_sprint(12)),
            evidence="120 hours",
        ),
        Example(
            "5 points in a team that finishes 3 in a sprint",
            an_issue(estimate=5),
            others=(*finished(18, 3, 100), *finished(2, 8, 200)),
            severity=Severity.INFO,
        ),
        Example("above the team's own cap", an_issue(estimate=5), options={"max_points": 3}),
        Example(
            "eleven open children and no estimate",
            an_issue(),
            others=tuple(an_issue(id=str(number), parent="1") for number in range(2, 13)),
        ),
    )
    passed = (
        Example("exactly 8", an_issue(estimate=8)),
        Example("13 in a team that finishes 13", an_issue(estimate=13), others=finished(20, 13, 100)),
        Example("ten days in a sprint of ten", an_issue(estimate=10, estimate_unit="days", sprints=in_sprint(12))),
        Example("16 hours are two days", an_issue(estimate=16, estimate_unit="hours")),
        Example(
            "a learned cap that forgets the old scale",
            an_issue(estimate=5),
            others=(*finished(18, 3, 100), *finished(2, 8, 200)),
            options={"scale_since": "2026-03-01"},
        ),
    )
    declined = (
        Example("an epic", an_issue(type=IssueType.EPIC, estimate=100)),
        Example("not estimated", an_issue()),
        Example("sizes that are no points", an_issue(estimate=3, estimate_unit="shirts")),
    )


def _working_days(sprint: Sprint, context: Context) -> int | None:
    """Mondays to Fridays from the first to the last day of the sprint."""
    if sprint.starts_at is None or sprint.ends_at is None:
        return None
    first, last = context.day(sprint.starts_at), context.day(sprint.ends_at)
    days = (first + timedelta(days=number) for number in range(min((last - first).days, 366) + 1))
    return sum(day.weekday() < WEEKEND for day in days)


def _is_within_one_sprint(issue: Issue, at: datetime) -> bool:
    """Whether it was ever in one sprint alone, and was finished while that lasted."""
    sprints = {membership.sprint.id: membership.sprint for membership in issue.sprints}
    if len(sprints) != 1:
        return False
    (sprint,) = sprints.values()
    end = end_of(sprint)
    return sprint.starts_at is not None and end is not None and sprint.starts_at <= at <= end
