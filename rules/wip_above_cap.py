"""FLO003: more is in progress than the team has agreed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from backlint.examples import an_issue
from backlint.model import (
    Issue,
    IssueType,
    Judgement,
    Link,
    LinkKind,
    Scope,
    ScopeKind,
    Severity,
    Status,
    StatusCategory,
)
from backlint.rules.rule import Context, Example, ScopeRule

ACTIVE = StatusCategory.ACTIVE
REVIEW = Status("5", "In review", StatusCategory.WAITING)
CAP = {"caps": {"DEMO": 6}}


def started(count: int, first: int = 1, **given: object) -> tuple[Issue, ...]:
    return tuple(an_issue(**{"id": str(n), "category": ACTIVE, **given}) for n in range(first, first + count))


def joint_cap(caps: Mapping[str, float], teams: Iterable[str]) -> float | None:
    """The caps of the teams together; None unless each of them has one."""
    known = {name.casefold(): cap for name, cap in caps.items()}
    wanted = {name.casefold() for name in teams}
    return sum(known[name] for name in wanted) if wanted and wanted <= known.keys() else None


class WipAboveCap(ScopeRule):
    """More is in progress than the cap allows.

    Why it matters: each item more makes all others slower, and what is started last is finished last.

    How to fix: finish one before starting the next; ask which item finishes first if nothing new starts.

    Not flagged: exactly at the cap; subtasks, epics and paused items, which are no work in progress; the mirror of
    an issue in a second tracker; teams without a cap.
    """

    code = "FLO003"
    name = "wip-above-cap"
    severity = Severity.WARNING
    question = "Which item finishes first if nothing new starts?"
    judges = ScopeKind.TEAM

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG, IssueType.SPIKE})
    caps: Mapping[str, float] = MappingProxyType({})  # by team: how many items may be in progress
    status_caps: Mapping[str, float] = MappingProxyType({})  # by status, or "team/status": how many may be in it
    expedite_labels: tuple[str, ...] = ("expedite",)  # labels of the lane that does not count for the team's cap
    expedite_cap: int = 0  # how many of them may be in progress; 0: no cap of their own

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        for team, issues in context.backlog.scopes.teams.items():
            at_work = [each for each in issues if each.type in self.types and self._is_at_work(each, context)]
            yield from tuple(self._of_team(team, at_work, context)) or (
                self.not_applicable(team, "no cap is set for this team"),
            )

    @staticmethod
    def _is_at_work(issue: Issue, context: Context) -> bool:
        return context.flow[issue.identity].is_in_progress

    def _of_team(self, team: Scope, at_work: Sequence[Issue], context: Context) -> Iterator[Judgement]:
        lane = [issue for issue in at_work if self._is_expedited(issue)]
        cap = _for(team.name, self.caps)
        if cap is not None:
            yield self._compared(team, "items in progress", len(at_work) - len(lane), cap, "", context)
        if self.expedite_cap and lane:
            yield self._compared(team, "expedited items", len(lane), self.expedite_cap, "expedite", context)
        counts = Counter(issue.status.name for issue in at_work if not self._is_expedited(issue))
        for status in sorted(counts):
            cap = _for(f"{team.name}/{status}", self.status_caps)
            cap = _for(status, self.status_caps) if cap is None else cap
            if cap is not None:
                yield self._compared(team, f"items in {status}", counts[status], cap, f"status:{status}", context)

    def _is_expedited(self, issue: Issue) -> bool:
        lane = {label.casefold() for label in self.expedite_labels}
        return bool(lane & {label.casefold() for label in issue.labels})

    def _compared(
        self, team: Scope, what: str, count: int, cap: float, discriminator: str, context: Context
    ) -> Judgement:
        if count <= cap:
            return self.ok(team, f"{count} {what}, cap {cap:g}")
        return self.fail(team, context, f"{count} {what}, cap {cap:g}.", discriminator=discriminator)

    flagged = (
        Example("9 of 6", an_issue(category=ACTIVE), others=started(8, 2), options=CAP, severity=Severity.WARNING),
        Example(
            "in review 5 of 3",
            an_issue(status=REVIEW),
            others=started(4, 2, status=REVIEW),
            options={"status_caps": {"In review": 3}},
        ),
        Example(
            "the express lane has a cap of its own",
            an_issue(category=ACTIVE, labels=frozenset({"expedite"})),
            others=started(1, 2, labels=frozenset({"Expedite"})),
            options={"expedite_cap": 1},
        ),
    )
    passed = (
        Example("6 of 6", an_issue(category=ACTIVE), others=started(5, 2), options=CAP),
        Example(
            "4 stories with 20 subtasks",
            an_issue(category=ACTIVE),
            others=(*started(3, 2), *started(20, 10, type=IssueType.SUBTASK, parent="1")),
            options=CAP,
        ),
        Example(
            "a mirror is not counted twice",
            an_issue(category=ACTIVE, url="https://example.com/1"),
            others=(
                *started(5, 2),
                an_issue(id="9", category=ACTIVE, links=(Link(LinkKind.MIRRORS, "https://example.com/1"),)),
            ),
            options=CAP,
        ),
        Example(
            "the express lane does not count",
            an_issue(category=ACTIVE),
            others=(*started(5, 2), *started(2, 10, labels=frozenset({"expedite"}))),
            options=CAP,
        ),
    )
    declined = (Example("no cap", an_issue(category=ACTIVE), others=started(8, 2)),)


def _for(name: str, table: Mapping[str, float]) -> float | None:
    return next((cap for key, cap in table.items() if key.casefold() == name.casefold()), None)
