"""FLO005: the issue goes to and fro instead of forward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from backlint.examples import a_transition, an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, Status, StatusCategory, Transition
from backlint.percentile import percentile
from backlint.rules.evidence import of_value
from backlint.rules.history import closed_at
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule
from backlint.scopes import team_name

ORDER = (
    StatusCategory.TRIAGE, StatusCategory.BACKLOG, StatusCategory.TODO, StatusCategory.ACTIVE, StatusCategory.WAITING,
    StatusCategory.DONE,
)  # fmt: skip
SAMPLE = 20  # items of a team before its own habit counts (catalogue FLO005)
HABIT = timedelta(days=90)
TODO, ACTIVE, WAITING = StatusCategory.TODO, StatusCategory.ACTIVE, StatusCategory.WAITING


def moving(*through: StatusCategory, last: float = 1, apart: float = 1, **given: object) -> Issue:
    """An issue that went through these categories, one move each so many days, the last one `last` days ago."""
    count = len(through) - 1
    moments = [EXAMPLE_NOW - timedelta(days=last + apart * back) for back in range(count - 1, -1, -1)]
    steps = tuple(a_transition(at, *pair) for at, pair in zip(moments, pairwise(through), strict=True))
    created = EXAMPLE_NOW - timedelta(days=60)
    return an_issue(**{"category": through[-1], "transitions": steps, "created_at": created, **given})


def columns(changes: int, id: str = "1") -> Issue:
    """An issue that went through so many columns of one category, twice a day."""
    steps = tuple(
        Transition(
            at=EXAMPLE_NOW - timedelta(days=(changes - number) / 2),
            before=Status(f"c{number}", f"Column {number}", ACTIVE),
            after=Status(f"c{number + 1}", f"Column {number + 1}", ACTIVE),
        )
        for number in range(changes)
    )
    created = EXAMPLE_NOW - timedelta(days=60)
    return an_issue(
        id=id, status=Status(f"c{changes}", f"Column {changes}", ACTIVE), transitions=steps, created_at=created
    )


class StatusBouncing(Rule):
    """The issue keeps going back.

    Why it matters: each way back is a hand-over that failed, and time that no column shows.

    How to fix: find out what sends it back, such as a missing agreement, a test or a person, and settle that first.

    Not flagged: moves forward, however many; moves that were undone within ten minutes; moves of many issues at
    once; as many changes as are usual in the team.
    """

    code = "FLO005"
    name = "status-bouncing"
    label = "bouncing"
    severity = Severity.INFO
    question = "What keeps sending it back?"
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE
    min: int = 3  # moves backward (catalogue FLO005)
    days: int = 14  # in which they count (catalogue FLO005)
    min_changes: int = 6  # status changes of any kind before they are called unusual (catalogue FLO005)
    undo_window: int = 10  # minutes in which a move may be taken back (catalogue FLO004)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not issue.is_started:
            yield self.not_applicable(issue, "not started")
            return
        moves = self._moves(issue, context, until=context.now)
        back = [step for step in moves if _is_backward(step)]
        if len(back) >= self.min:
            evidence = [of_value("H", "status", step.at.date().isoformat(), note="moved back") for step in back[-3:]]
            yield self.fail(
                issue, context, f"Moved backwards {len(back)} times in {self.days} days.", evidence=evidence
            )
        elif len(moves) >= self.min_changes and len(moves) > (usual := self._usual(issue, context)):
            message = (
                f"{len(moves)} changes of status in {self.days} days; 95 % of the team's items have ≤ {usual:.0f}."
            )
            yield self.fail(issue, context, message)
        elif not issue.history_is_complete:
            yield self.unknown(issue, "the history is not complete")

    def _moves(self, issue: Issue, context: Context, *, until: datetime) -> list[Transition]:
        """The changes of status in the window that people meant for this issue."""
        since = until - timedelta(days=self.days)
        undo = timedelta(minutes=self.undo_window)
        kept: list[Transition] = []
        for step in sorted(issue.transitions, key=lambda each: (each.at, each.sequence)):
            if step.at < since or step.at > until or step.before.id == step.after.id:
                continue
            if kept and step.after.id == kept[-1].before.id and step.at - kept[-1].at <= undo:
                kept.pop()
            elif not context.backlog.is_bulk_move(issue, step):
                kept.append(step)
        return kept

    def _usual(self, issue: Issue, context: Context) -> float:
        """The team's 95th percentile of changes in a window; infinity where too few items tell."""
        options = (self.days, self.undo_window)
        return context.of_backlog(("FLO005", options), lambda: self._habits(context)).get(
            team_name(issue), float("inf")
        )

    def _habits(self, context: Context) -> Mapping[str, float]:
        """By team, over what is in progress or was closed in the last 90 days."""
        counts: dict[str, list[int]] = defaultdict(list)
        for issue in context.backlog.issues:
            until = context.now if issue.is_started else closed_at(issue)
            if until is not None and until >= context.now - HABIT:
                counts[team_name(issue)].append(len(self._moves(issue, context, until=until)))
        return {team: percentile(95, sorted(seen)) for team, seen in counts.items() if len(seen) >= SAMPLE}

    flagged = (
        Example(
            "between review and work four times",
            moving(ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE),
            severity=Severity.INFO,
        ),
        Example(
            "nine changes in a week, where others have one",
            columns(9),
            others=tuple(columns(1, str(number)) for number in range(2, 42)),
        ),
    )
    passed = (
        Example("forward all the way", moving(StatusCategory.TRIAGE, StatusCategory.BACKLOG, TODO, ACTIVE, WAITING)),
        Example("back, and undone at once", moving(ACTIVE, WAITING, ACTIVE, last=0.1, apart=3 / 1440)),
        Example(
            "back three times, a month ago",
            moving(ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE, last=30),
        ),
        Example(
            "nine changes in a week, as everybody has",
            columns(9),
            others=tuple(columns(9, str(number)) for number in range(2, 42)),
        ),
        Example("nine changes in a team of which too little is known", columns(9)),
        Example("back twice", moving(ACTIVE, WAITING, ACTIVE, WAITING, ACTIVE)),
    )
    declined = (
        Example("not started", an_issue()),
        Example("history cut off", an_issue(category=ACTIVE, history_is_complete=False)),
    )


def _is_backward(step: Transition) -> bool:
    if step.before.category not in ORDER or step.after.category not in ORDER:
        return False
    return ORDER.index(step.after.category) < ORDER.index(step.before.category)
