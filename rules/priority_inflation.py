"""PRI001: when everything is urgent, nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Scope, ScopeKind, Severity, StatusCategory
from backlint.rules.rule import Context, Example, ScopeRule

TOP, SECOND = 1, 2
LEAST = 10  # near issues with a priority (catalogue PRI001)
UNSET_SHARE = 0.5  # above it the priorities say nothing (catalogue PRI001)
TODO = StatusCategory.TODO


def prioritised(*counts: tuple[int | None, int], first: int = 2) -> tuple[Issue, ...]:
    """Ready issues: so many of each priority."""
    levels = [level for level, count in counts for _ in range(count)]
    return tuple(an_issue(id=str(n), priority=level, category=TODO) for n, level in enumerate(levels, start=first))


class PriorityInflation(ScopeRule):
    """Too many of the near issues are top priority.

    Why it matters: if everything comes first, the order is made by whoever asks last.

    How to fix: ask which three could stay at the top, and lower the others.

    Severity: where more than half of the near issues have no priority at all, that is said instead, as information.

    Not flagged: fewer than ten near issues with a priority; incidents; sources in which no issue has one.
    """

    code = "PRI001"
    name = "priority-inflation"
    severity = Severity.WARNING
    question = "If only three could stay at the top, which?"
    judges = ScopeKind.TEAM

    max_top: float = 0.3  # share of the top level (catalogue PRI001)
    max_top2: float = 0.7  # share of the top two levels (catalogue PRI001)

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        using = {issue.source for issue in context.backlog.issues if issue.priority is not None}
        for team, issues in context.backlog.scopes.teams.items():
            near = [each for each in issues if context.is_near(each) and each.type is not IssueType.INCIDENT]
            yield self._of_team(team, [issue for issue in near if issue.source in using], context)

    def _of_team(self, team: Scope, near: Sequence[Issue], context: Context) -> Judgement:
        levels = [issue.priority for issue in near if issue.priority is not None]
        if len(near) >= LEAST and len(near) - len(levels) > UNSET_SHARE * len(near):
            message = f"Priority is mostly unset: {len(near) - len(levels)} of {len(near)} near issues have none."
            return self.fail(team, context, message, severity=Severity.INFO, discriminator="unset")
        if len(levels) < LEAST:
            return self.not_applicable(team, f"{len(levels)} near issues with a priority; {LEAST} are needed")
        top, top2 = levels.count(TOP), levels.count(TOP) + levels.count(SECOND)
        if top > self.max_top * len(levels):
            return self.fail(team, context, f"{top} of {len(levels)} near issues are top priority.")
        if top2 > self.max_top2 * len(levels):
            return self.fail(team, context, f"{top2} of {len(levels)} near issues are in the top two priorities.")
        return self.ok(team, f"{top} of {len(levels)} near issues are top priority")

    flagged = (
        Example(
            "14 of 30",
            an_issue(priority=1, category=TODO),
            others=prioritised((1, 13), (3, 16)),
            severity=Severity.WARNING,
        ),
        Example(
            "40 of 50 in the top two", an_issue(priority=1, category=TODO), others=prioritised((1, 9), (2, 30), (4, 10))
        ),
        Example(
            "mostly unset",
            an_issue(priority=1, category=TODO),
            others=prioritised((None, 10), (2, 3)),
            severity=Severity.INFO,
        ),
    )
    passed = (
        Example("9 of 30", an_issue(priority=1, category=TODO), others=prioritised((1, 8), (2, 5), (3, 16))),
        Example(
            "incidents may all be urgent",
            an_issue(priority=1, category=TODO),
            others=(
                *prioritised((3, 11)),
                *(an_issue(id=str(n), priority=1, category=TODO, type=IssueType.INCIDENT) for n in range(100, 120)),
            ),
        ),
    )
    declined = (
        Example("6 issues in all", an_issue(priority=1, category=TODO), others=prioritised((1, 5))),
        Example("a tracker without priorities", an_issue(category=TODO), others=prioritised((None, 20))),
        Example("all of them far", an_issue(priority=1), others=()),
    )
