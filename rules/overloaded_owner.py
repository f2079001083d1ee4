"""OWN004: one person works on more at once than one can; for that person and the team's lead alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from backlint.examples import an_issue
from backlint.model import (
    Issue,
    IssueType,
    Judgement,
    Person,
    Presence,
    Scope,
    ScopeKind,
    Severity,
    Sprint,
    SprintMembership,
    StatusCategory,
)
from backlint.rules.rule import Context, Example, ScopeRule
from backlint.rules.sprint_figures import points
from backlint.scopes import team_name

RUNNING = (SprintMembership(sprint=Sprint(id="12", name="Sprint 12", state="active")),)
TOO_MUCH = 1.25  # times the own capacity (catalogue OWN004)


def active(count: int, first: int = 2, **given: object) -> tuple[Issue, ...]:
    values = {"category": StatusCategory.ACTIVE, "assignees": ("ana",), **given}
    return tuple(an_issue(id=str(number), **values) for number in range(first, first + count))


class OverloadedOwner(ScopeRule):
    """One person is at work on many things at once.

    Why it matters: for whoever it is. It is shown to that person and the team's lead, in planning; it is in no
    report, no comment, no score and no ranking.

    How to fix: ask which of these can pause or move.

    Not flagged: what waits, subtasks, epics and mere accountability; robots; labels of on-call work; accounts
    that several people share, where `exempt_people` names them.
    """

    code = "OWN004"
    name = "overloaded-owner"
    severity = Severity.INFO
    question = "Which of these can pause or move?"
    judges = ScopeKind.PERSON
    private = True

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG})
    max_active: int = 3  # items in active work at once (catalogue OWN004)
    capacity: Mapping[str, float] = MappingProxyType({})  # by person (id, handle or name): points in a sprint
    exempt_labels: tuple[str, ...] = ("on-call", "oncall")  # work that goes round
    exempt_people: tuple[str, ...] = ()  # ids or handles of accounts that several people share

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        for person, issues in sorted(self._work(context).items()):
            yield self._of_person(_scope(person, issues, context), issues, context)

    def _work(self, context: Context) -> Mapping[tuple[str, str], list[Issue]]:
        """Open items by the person responsible; the accounts of one person are one."""
        exempt = {label.casefold() for label in self.exempt_labels}
        shared = {name.casefold() for name in self.exempt_people}
        found: dict[tuple[str, str], dict[tuple[str, str], Issue]] = defaultdict(dict)
        for issue in context.backlog.issues:
            is_counted = issue.is_open and issue.presence is Presence.PRESENT and issue.type in self.types
            if not is_counted or exempt & {label.casefold() for label in issue.labels}:
                continue
            for assignee in issue.assignees:
                person = context.backlog.person(issue.source, assignee)
                names = {assignee.casefold(), (person.handle or "").casefold() if person else ""}
                if not names & shared and not (person is not None and person.is_bot):
                    found[_account(issue.source, assignee, person, context)][issue.identity] = issue
        return {person: list(issues.values()) for person, issues in found.items()}

    def _of_person(self, scope: Scope, issues: Sequence[Issue], context: Context) -> Judgement:
        at_once = sum(issue.status.category is StatusCategory.ACTIVE for issue in issues)
        if at_once > self.max_active:
            return self.fail(scope, context, f"{at_once} items in active work at once.")
        capacity = _capacity(scope, self.capacity, context)
        left = sum(points(issue) or 0 for issue in issues if _is_in_running_sprint(issue))
        if capacity is not None and left > TOO_MUCH * capacity:
            message = f"{left:g} points left in the sprint, capacity {capacity:g}."
            return self.fail(scope, context, message, discriminator="capacity")
        return self.ok(scope, f"{at_once} items in active work")

    flagged = (
        Example("five active items", active(1, 1)[0], others=active(4), severity=Severity.INFO),
        Example(
            "20 points against a capacity of 10",
            active(1, 1, estimate=20, sprints=RUNNING)[0],
            options={"capacity": {"ana": 10}},
        ),
        Example(
            "two accounts of one person",
            active(1, 1)[0],
            others=(*active(1), *active(2, 10, source="other", assignees=("7",))),
            context={
                "people": {
                    ("demo", "ana"): Person(id="ana", name="Ana Example", email="ana@example.com"),
                    ("other", "7"): Person(id="7", name="Ana", email="ana@example.com"),
                }
            },
        ),
    )
    passed = (
        Example("three active items", active(1, 1)[0], others=active(2)),
        Example(
            "accountable for twelve epics",
            active(1, 1)[0],
            others=active(12, type=IssueType.EPIC),
        ),
        Example("the others wait", active(1, 1)[0], others=active(9, category=StatusCategory.WAITING)),
        Example("on call this week", active(1, 1)[0], others=active(9, labels=frozenset({"on-call"}))),
    )
    declined = (
        Example("nobody is responsible", an_issue(category=StatusCategory.ACTIVE)),
        Example("a shared account", active(1, 1)[0], others=active(9), options={"exempt_people": ["ana"]}),
    )


def _account(source: str, id: str, person: Person | None, context: Context) -> tuple[str, str]:
    """One identity for all accounts of a person."""
    if person is None:
        return source, id
    keys = context.of_backlog("account keys", lambda: _keys(context))
    return min((keys[each] for each in context.backlog.accounts(person) if each in keys), default=(source, id))


def _keys(context: Context) -> Mapping[Person, tuple[str, str]]:
    """Person -> its (source, id)."""
    return {person: key for key, person in sorted(context.backlog.people.items(), reverse=True)}


def _scope(person: tuple[str, str], issues: Sequence[Issue], context: Context) -> Scope:
    source, id = person
    known = context.backlog.person(source, id)
    counts = Counter(team_name(issue) for issue in issues)
    team = min(counts, key=lambda name: (-counts[name], name))
    return Scope(kind=ScopeKind.PERSON, source=source, key=id, name=known.name if known else id, team=team)


def _capacity(scope: Scope, table: Mapping[str, float], context: Context) -> float | None:
    person = context.backlog.person(scope.source, scope.key)
    names = [scope.key, scope.name, (person.handle or "") if person else ""]
    found = {key.casefold(): value for key, value in table.items()}
    return next((found[name.casefold()] for name in names if name.casefold() in found), None)


def _is_in_running_sprint(issue: Issue) -> bool:
    return any(each.removed_at is None and each.sprint.state == "active" for each in issue.sprints)
