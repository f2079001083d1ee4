"""FLO006: finished, and nothing says when work on it began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.flow import ITEM_TYPES, Episode, Item
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Severity, StatusCategory
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule
from backlint.scopes import team_name

TODO, ACTIVE, DONE = StatusCategory.TODO, StatusCategory.ACTIVE, StatusCategory.DONE


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def done_from(before: StatusCategory, id: str = "1", days: float = 5, **given: object) -> Issue:
    """Created 30 days earlier, and done so many days ago straight from this category."""
    steps = [a_transition(days_ago(days), before, DONE)]
    if before is ACTIVE:
        steps.insert(0, a_transition(days_ago(days + 3), TODO, ACTIVE))
    return an_issue(id=id, category=DONE, transitions=tuple(steps), created_at=days_ago(days + 30), **given)


class FinishedWithoutStart(Rule):
    """Finished without a known start.

    Why it matters: it is missing in every cycle-time figure, and where many are missing the figures flatter.

    How to fix: move work through a started status, also if it is quick. For this issue nothing can be done; the
    report shows the share.

    Not flagged: cancelled issues; starts known from a linked pull request; teams that have no started status at
    all, learned from what they finished in 90 days.
    """

    code = "FLO006"
    name = "finished-without-start"
    severity = Severity.INFO
    judges_closed = True
    dimension = "flow"

    types: frozenset[IssueType] = ITEM_TYPES
    days: int = 90  # how long ago it was finished at most (catalogue FLO006)
    min_share: float = (
        0.5  # of the team's finished items that have a start, else it has none to give (catalogue FLO006)
    )

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if issue.status.category is not StatusCategory.DONE:
            yield self.not_applicable(issue, "not done")
            return
        item = context.flow[issue.identity]
        if item.why_outside is not None:
            yield self.not_applicable(issue, item.why_outside)
            return
        episode = self._recent(item, context.now)
        if episode is None:
            yield self.not_applicable(issue, f"not finished in the last {self.days} days")
        elif episode.unknown:
            yield self.unknown(issue, episode.unknown)
        elif episode.started_at is None:
            yield self._without_start(issue, context)

    def _recent(self, item: Item, now: datetime) -> Episode | None:
        since = now - timedelta(days=self.days)
        last = item.current
        return last if last is not None and last.finished_at is not None and last.finished_at >= since else None

    def _without_start(self, issue: Issue, context: Context) -> Judgement:
        started, finished = context.of_backlog(("FLO006", self.days), lambda: self._shares(context))[team_name(issue)]
        if started < self.min_share * finished:
            reason = f"the team's items have no start: {started} of {finished} finished in {self.days} days"
            return self.not_applicable(issue, reason)
        return self.fail(issue, context, "Finished without a known start; not in cycle-time figures.")

    def _shares(self, context: Context) -> Mapping[str, tuple[int, int]]:
        """By team: items with a start, of all that were finished."""
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for item in context.flow.values():
            if item.issue.type in self.types and item.why_outside is None:
                episode = self._recent(item, context.now)
                if episode is not None:
                    counts[team_name(item.issue)][0] += episode.started_at is not None
                    counts[team_name(item.issue)][1] += 1
        return {team: (started, finished) for team, (started, finished) in counts.items()}

    flagged = (
        Example(
            "from ready straight to done",
            done_from(TODO),
            others=(done_from(ACTIVE, "2"), done_from(ACTIVE, "3")),
            severity=Severity.INFO,
        ),
        Example(
            "created as done",
            an_issue(category=DONE, created_at=days_ago(5)),
            others=(done_from(ACTIVE, "2"),),
        ),
    )
    passed = (
        Example(
            "the start is known from a pull request",
            done_from(TODO, links=(Link(LinkKind.PULL_REQUEST, "https://example.com/pull/1", days_ago(9)),)),
            others=(done_from(ACTIVE, "2"),),
        ),
        Example("through a started status", done_from(ACTIVE)),
    )
    declined = (
        Example("cancelled", an_issue(category=StatusCategory.CANCELLED)),
        Example("open and closed are all there is", done_from(TODO), others=(done_from(TODO, "2"),)),
        Example("done half a year ago", done_from(TODO, days=180), others=(done_from(ACTIVE, "2"),)),
        Example("still open", an_issue()),
    )
