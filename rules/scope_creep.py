"""PLN002: a sprint grew after it had started."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, LinkKind, ScopeKind, Severity, Sprint, SprintMembership
from backlint.percentile import percentile
from backlint.rules.history import counted
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, ScopeRule
from backlint.rules.sprint_figures import ROLLOVER, SPRINT_TYPES, end_of, estimates, memberships, total_points, was_in
from backlint.scopes import SprintIssues

POINTS_SHARE = 0.5  # of the committed items that have an estimate, for a team that counts points
START = EXAMPLE_NOW - timedelta(days=6)
RUNNING = Sprint(id="12", name="Sprint 12", state="active", starts_at=START, ends_at=START + timedelta(days=13))


def members(
    count: int, first: int = 2, *, added: float = -1, removed: float | None = None, **given: object
) -> tuple[Issue, ...]:
    """Items added (and taken out) so many days after the start."""
    membership = SprintMembership(
        sprint=RUNNING,
        added_at=START + timedelta(days=added),
        removed_at=None if removed is None else START + timedelta(days=removed),
    )
    created: datetime = EXAMPLE_NOW - timedelta(days=60)
    values = {"sprints": (membership,), "created_at": created, **given}
    return tuple(an_issue(id=str(number), **values) for number in range(first, first + count))


@dataclass(frozen=True, slots=True)
class Change:
    """What came and went after the start, in items or points."""

    unit: str
    committed: float
    added: float
    removed: float

    @property
    def percent(self) -> int:
        return round(100 * (self.added - self.removed) / self.committed)


class ScopeCreep(ScopeRule):
    """Work was added to a sprint that had started.

    Why it matters: what was promised at the start gets less time, and nobody decided that.

    How to fix: trade: for what comes in, something goes out.

    Not flagged: additions within a day after the start; parts split off a committed item; incidents; as much taken
    out as was put in, which is churn; an item that was taken out and put back.
    """

    code = "PLN002"
    name = "scope-creep"
    severity = Severity.WARNING
    question = "What was traded out?"
    judges = ScopeKind.SPRINT

    max: float = 0.2  # growth as a share of what was committed (catalogue PLN002)
    grace_hours: int = 24  # after the start (catalogue PLN002)
    exempt_types: frozenset[IssueType] = frozenset({IssueType.INCIDENT})  # types that cannot wait for the next sprint

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        for found in _latest(context.backlog.scopes.sprints.values(), context.now):
            yield self._of_sprint(found, context)

    def _of_sprint(self, found: SprintIssues, context: Context) -> Judgement:
        scope, sprint = found.scope, found.sprint
        start = sprint.starts_at
        if start is None or context.now < start + timedelta(hours=self.grace_hours):
            return self.not_applicable(scope, "started less than a day ago" if start else "the sprint has no dates")
        if all(each.added_at is None for issue in found.issues for each in memberships(issue, sprint.id)):
            return self.not_applicable(scope, "nothing says when its issues were added")
        change = self._change(found, start + timedelta(hours=self.grace_hours), last_moment(sprint, context.now))
        if not change.committed:
            return self.not_applicable(scope, "nothing was committed at the start")
        if change.added == change.removed:
            return self.ok(
                scope, f"churn: {change.added:g} {change.unit} in, as many out" if change.added else "unchanged"
            )
        if change.added - change.removed > self.max * change.committed:
            return self.fail(scope, context, _message(change))
        return self.ok(scope, f"{change.percent} % more than at the start")

    def _change(self, found: SprintIssues, start: datetime, end: datetime) -> Change:
        first, added, removed = added_and_removed(found, start, end, exempt=self.exempt_types)
        sizes = estimates(first)
        if len(sizes) < POINTS_SHARE * len(first) or not sizes:
            return Change("items", len(first), len(added), len(removed))
        median = percentile(50, sizes)
        return Change("points", *(total_points(each, median=median) for each in (first, added, removed)))

    flagged = (
        Example(
            "3 on 10",
            members(1, 1)[0],
            others=(*members(9), *members(3, 20, added=3)),
            severity=Severity.WARNING,
        ),
        Example(
            "13 points on 40",
            members(1, 1, estimate=5)[0],
            others=(*members(7, estimate=5), *members(1, 20, added=3, estimate=13)),
        ),
        Example(
            "5 in, 2 out", members(1, 1)[0], others=(*members(7), *members(2, 30, removed=3), *members(5, 20, added=3))
        ),
    )
    passed = (
        Example("2 on 10", members(1, 1)[0], others=(*members(9), *members(2, 20, added=3))),
        Example(
            "3 in, 3 out",
            members(1, 1)[0],
            others=(*members(6), *members(3, 30, removed=3), *members(3, 20, added=3)),
        ),
        Example("within a day after the start", members(1, 1)[0], others=(*members(9), *members(5, 20, added=0.5))),
        Example(
            "split off a committed story",
            members(1, 1)[0],
            others=(*members(9), *members(5, 20, added=3, parent="1")),
        ),
        Example(
            "incidents cannot wait",
            members(1, 1)[0],
            others=(*members(9), *members(5, 20, added=3, type=IssueType.INCIDENT)),
        ),
        Example(
            "taken out and put back",
            an_issue(
                created_at=EXAMPLE_NOW - timedelta(days=60),
                sprints=(
                    SprintMembership(sprint=RUNNING, added_at=START, removed_at=START + timedelta(days=2)),
                    SprintMembership(sprint=RUNNING, added_at=START + timedelta(days=3)),
                ),
            ),
            others=members(2),
        ),
    )
    declined = (
        Example("no sprints", an_issue()),
        Example(
            "nothing says when they were added",
            an_issue(created_at=EXAMPLE_NOW - timedelta(days=60), sprints=(SprintMembership(sprint=RUNNING),)),
        ),
    )


def added_and_removed(
    found: SprintIssues, start: datetime, end: datetime, *, exempt: Collection[IssueType] = ()
) -> tuple[list[Issue], list[Issue], list[Issue]]:
    """What was in the sprint at one moment, and what had come in and gone out at a later one; splits do not come in."""
    counted_ones = [each for each in found.issues if each.type in SPRINT_TYPES and each.type not in exempt]
    first = [issue for issue in counted_ones if was_in(issue, found.sprint.id, start)]
    last = [issue for issue in counted_ones if was_in(issue, found.sprint.id, end)]
    names = {name for issue in first for name in (issue.id, issue.key)}
    known = {issue.identity for issue in first}
    added = [each for each in last if each.identity not in known and not _is_split(each, names)]
    kept = {issue.identity for issue in last}
    return first, added, [issue for issue in first if issue.identity not in kept]


def _latest(found: Iterable[SprintIssues], now: datetime) -> Iterator[SprintIssues]:
    """The running sprints; of teams without one the last that ended."""
    found = tuple(found)
    running = [each for each in found if each.sprint.state == "active"]
    yield from running
    busy = {(each.scope.source, each.scope.team) for each in running}
    last: dict[tuple[str, str | None], SprintIssues] = {}
    for each in found:
        end = end_of(each.sprint)
        if each.has_ended and end is not None and end <= now:
            team = each.scope.source, each.scope.team
            last[team] = max(last.get(team, each), each, key=lambda one: (end_of(one.sprint) or now, one.sprint.id))
    yield from (each for team, each in last.items() if team not in busy)


def last_moment(sprint: Sprint, now: datetime) -> datetime:
    end = end_of(sprint)
    return end - ROLLOVER if sprint.state == "closed" and end is not None else now


def _is_split(issue: Issue, committed: set[str]) -> bool:
    return issue.parent in committed or any(
        link.kind is LinkKind.CLONES and link.target in committed for link in issue.links
    )


def _message(change: Change) -> str:
    singular = change.unit.rstrip("s")
    added = f"{change.added:g} {change.unit}" if change.added != 1 else counted(1, singular)
    out = f" and {change.removed:g} removed" if change.removed else ""
    return f"{added} added{out} after the start on {change.committed:g} committed ({change.percent} %)."
