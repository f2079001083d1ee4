"""GitHub has open and closed and, on a project board, a Status option: here the two become one chain of statuses.

Status ids are made here, since GitHub has none: `open`, `closed:completed`, `closed:not_planned`, `closed:duplicate`
and `project:<number>:<option name>`. Closed wins over whatever the board says; an open issue shows its board option.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backlint.model import Issue, Status, StatusCategory, Transition
from backlint.status import StatusFact, StatusMap

OPEN = "open"
CLOSED = {
    "completed": StatusFact("closed:completed", "Closed", StatusCategory.DONE),
    "not_planned": StatusFact("closed:not_planned", "Closed as not planned", StatusCategory.CANCELLED),
    "duplicate": StatusFact("closed:duplicate", "Closed as duplicate", StatusCategory.CANCELLED),
}
# Options have free names and no class of their own. Only the usual names are understood, and every one can be
# configured; the rest stays unknown and is reported. "In review" works as active until a person says it is waiting.
OPTION_CATEGORIES: Mapping[StatusCategory, frozenset[str]] = {
    StatusCategory.TRIAGE: frozenset({"triage", "needs triage", "to triage"}),
    StatusCategory.BACKLOG: frozenset({"backlog", "no status", "new", "inbox", "icebox", "ideas", "later"}),
    StatusCategory.TODO: frozenset({"todo", "to do", "ready", "next", "up next", "selected", "planned"}),
    StatusCategory.ACTIVE: frozenset(
        {"in progress", "doing", "in development", "wip", "started", "active", "in review", "review", "reviewing"}
    ),
}
# The board says that the work is over, the issue is still open: it waits to be closed, and closing it makes it done.
FINISHING = frozenset({"done", "complete", "completed", "finished", "closed", "shipped", "released", "merged"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that may change the status. `kind` is closed, reopened or board; `value` the reason or the option."""

    at: datetime
    kind: str
    value: str | None = None
    before: str | None = None
    actor: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the tracker says of the status now. `since` is when the board option was last set, if it says so."""

    closed_as: str | None
    option: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Chain:
    transitions: tuple[Transition, ...]
    status: Status
    is_complete: bool = True


def option_id(board: int, option: str) -> str:
    return f"project:{board}:{option}"


def reason_of(state_reason: str | None) -> str:
    """The close reason; issues closed before GitHub asked for one have none and count as completed."""
    return (state_reason or "completed").lower()


def closed_status(reason: str) -> Status:
    known = CLOSED.get(reason)
    return Status(known.id, known.name) if known else Status(f"closed:{reason}", f"Closed as {reason}")


def option_category(name: str) -> StatusCategory:
    """The category that the usual names of board options suggest."""
    plain = _plain(name)
    if plain in FINISHING:
        return StatusCategory.WAITING
    return next((category for category, names in OPTION_CATEGORIES.items() if plain in names), StatusCategory.UNKNOWN)


def is_finishing(option: str | None) -> bool:
    return option is not None and _plain(option) in FINISHING


def option_fact(board: int, option: str) -> StatusFact:
    return StatusFact(option_id(board, option), option, option_category(option))


def own_facts() -> tuple[StatusFact, ...]:
    """The statuses that every repository has."""
    return (StatusFact(OPEN, "Open", StatusCategory.BACKLOG), *CLOSED.values())


def follow(steps: Iterable[Step], *, board: int, present: Present) -> Chain:
    """The steps as one chain of status changes that ends in the present status.

    The board goes on moving while the issue is closed, which changes nothing. When the issue is reopened, an option
    that says "done" is stale and the issue is just open until somebody moves it.
    """
    ordered = sorted(steps, key=_order)
    option = _first_option(ordered)
    walk = _Walk(board, option)
    for step in ordered:
        walk.take(step)
    return _settled(walk, present)


def categorised(issue: Issue, configured: Mapping[str, StatusCategory]) -> Issue:
    """The issue with the category of every status: the configured one, else the one its name suggests."""
    return StatusMap(facts_in([issue]), configured).apply(issue)


def facts_in(issues: Iterable[Issue]) -> tuple[StatusFact, ...]:
    """The statuses that occur in the issues, as facts."""
    seen = {
        status.id: status
        for issue in issues
        for status in (issue.status, *(side for step in issue.transitions for side in (step.before, step.after)))
    }
    own = {fact.id: fact for fact in own_facts()}
    return tuple(own.get(id) or _fact(status) for id, status in seen.items())


def _fact(status: Status) -> StatusFact:
    category = option_category(status.name) if status.id.startswith("project:") else StatusCategory.UNKNOWN
    return StatusFact(status.id, status.name, category)


class _Walk:
    """Where the issue stands while its steps are followed."""

    def __init__(self, board: int, option: str | None) -> None:
        self.board, self.option, self.closed_as = board, option, None
        self.said: str | None = option  # what the board says, also where it does not count
        self.transitions: list[Transition] = []
        self.status = self._status()

    def take(self, step: Step) -> None:
        self._apply(step)
        after = self._status()
        if after.id != self.status.id:
            self.transitions.append(
                Transition(
                    at=step.at,
                    before=self.status,
                    after=after,
                    sequence=len(self.transitions),
                    actor=step.actor,
                    is_bot=step.is_bot,
                )
            )
            self.status = after

    def _apply(self, step: Step) -> None:
        match step.kind:
            case "closed":
                self.closed_as = step.value or "completed"
            case "reopened":
                self.closed_as = None
                self.option = None if is_finishing(self.option) else self.option
            case _:
                self.option = self.said = step.value

    closed_as: str | None

    def _status(self) -> Status:
        if self.closed_as is not None:
            return closed_status(self.closed_as)
        return Status(option_id(self.board, self.option), self.option) if self.option else Status(OPEN, "Open")


def _order(step: Step) -> tuple[datetime, bool]:
    # Times have whole seconds. Where a workflow closes the issue and moves the card in one second, the closing counts
    # first: the card then moves under a closed issue, and no status of zero length appears.
    return step.at, step.kind == "board"


def _first_option(steps: Sequence[Step]) -> str | None:
    """The option the issue was created with: what the first move on the board says it came from."""
    first = next((step for step in steps if step.kind == "board"), None)
    return first.before if first else None


def _settled(walk: _Walk, present: Present) -> Chain:
    """The chain made to end in what the tracker says now, where the history lacks a step."""
    if present.closed_as is not None:
        if walk.closed_as is None:
            walk.take(Step(at=present.since, kind="closed", value=present.closed_as))
        elif walk.closed_as != present.closed_as:
            _rename_last(walk, present.closed_as)
        return Chain(tuple(walk.transitions), walk.status)
    is_complete = walk.closed_as is None and walk.said == present.option
    if walk.closed_as is not None:
        walk.take(Step(at=present.since, kind="reopened"))
    if walk.said != present.option:
        # No history of the board (an old server): only when the present option was set is known.
        walk.take(Step(at=present.since, kind="board", value=present.option))
    return Chain(_in_order(walk.transitions), walk.status, is_complete)


def _rename_last(walk: _Walk, reason: str) -> None:
    """The reason may be changed afterwards, and old closings have none: the present one is right."""
    walk.status = closed_status(reason)
    walk.transitions[-1] = replace(walk.transitions[-1], after=walk.status)


def _in_order(transitions: Sequence[Transition]) -> tuple[Transition, ...]:
    """A step whose time was only estimated never lies before the one it follows."""
    found: list[Transition] = []
    for step in transitions:
        found.append(replace(step, at=max(step.at, found[-1].at)) if found else step)
    return tuple(found)


def _plain(name: str) -> str:
    """Without emoji, punctuation and case: boards are full of `🏗 In progress`."""
    return " ".join(re.sub(r"[^\w\s]|_", " ", name.casefold()).split())
