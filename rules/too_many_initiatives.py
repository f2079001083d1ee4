"""PLN005: more large things are under way than anyone can steer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Scope, ScopeKind, Severity, StatusCategory
from backlint.rules.rule import Context, Example, ScopeRule

ACTIVE = StatusCategory.ACTIVE
NOT_NOW = an_issue(id="90", type=IssueType.EPIC, labels=frozenset({"not-now"}))


def large(count: int, first: int = 2, type: IssueType = IssueType.EPIC, **given: object) -> tuple[Issue, ...]:
    return tuple(an_issue(id=str(n), type=type, category=ACTIVE, **given) for n in range(first, first + count))


class TooManyInitiatives(ScopeRule):
    """More epics or initiatives are in progress than the cap allows.

    Why it matters: attention is divided until none of them moves.

    How to fix: decide which are not now, and publish that list; a label such as `not-now` on the parked ones will do.

    Severity: where no item carries such a label it is information only, since the team does not steer that way yet.

    Not flagged: three; those labelled `evergreen`. Epics count for their team, initiatives for all teams together.
    """

    code = "PLN005"
    name = "too-many-initiatives"
    severity = Severity.WARNING
    question = "Which are not now? Publish that list."
    judges = ScopeKind.TEAM

    cap: int = 3  # catalogue PLN005
    caps: Mapping[str, float] = MappingProxyType({})  # by team, where it differs
    evergreen_labels: tuple[str, ...] = ("evergreen",)  # never finished, and not counted
    not_now_labels: tuple[str, ...] = ("not-now", "not now", "parked", "later")  # labels of what was put off on purpose

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        scopes = context.backlog.scopes
        everything = [issue for issues in scopes.teams.values() for issue in issues]
        for team, issues in scopes.teams.items():
            if any(issue.type is IssueType.EPIC for issue in issues):
                yield self._compared(team, "epics", IssueType.EPIC, issues, context)
        if any(issue.type is IssueType.INITIATIVE for issue in everything):
            yield self._compared(scopes.organisation, "initiatives", IssueType.INITIATIVE, everything, context)

    def _compared(
        self, scope: Scope, what: str, kind: IssueType, issues: Sequence[Issue], context: Context
    ) -> Judgement:
        own_caps = {name.casefold(): cap for name, cap in self.caps.items()}
        cap = own_caps.get(scope.name.casefold(), self.cap)
        large_ones = [issue for issue in issues if issue.type is kind]
        count = sum(each.is_started and not _has_label(each, self.evergreen_labels) for each in large_ones)
        if count <= cap:
            return self.ok(scope, f"{count} {what} in progress, cap {cap:g}")
        steers = any(each.is_open and _has_label(each, self.not_now_labels) for each in large_ones)
        severity = self.severity if steers else Severity.INFO
        return self.fail(scope, context, f"{count} {what} in progress, cap {cap:g}.", severity=severity)

    flagged = (
        Example("seven epics", large(1, 1)[0], others=(*large(6), NOT_NOW), severity=Severity.WARNING),
        Example(
            "four initiatives in two teams",
            large(1, 1, IssueType.INITIATIVE)[0],
            others=large(3, 2, IssueType.INITIATIVE, project="SHOP"),
            severity=Severity.INFO,
        ),
        Example("a team that puts nothing off", large(1, 1)[0], others=large(3), severity=Severity.INFO),
    )
    passed = (
        Example("three", large(1, 1)[0], others=large(2)),
        Example(
            "five, two of them evergreen",
            large(1, 1)[0],
            others=(*large(2), *large(2, 10, labels=frozenset({"evergreen"}))),
        ),
        Example("five, where that is agreed", large(1, 1)[0], others=large(4), options={"caps": {"DEMO": 5}}),
    )
    declined = (Example("a team without epics", an_issue(category=ACTIVE)),)


def _has_label(issue: Issue, labels: Sequence[str]) -> bool:
    return bool({label.casefold() for label in labels} & {label.casefold() for label in issue.labels})
