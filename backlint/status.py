"""The one function that gives a status its category, for the present state and for the whole history alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from backlint.model import Issue, Status, StatusCategory, Transition

# Resolutions and close reasons that turn "done" into "cancelled" (catalogue 1.2), casefolded, compared whole.
CANCELLING_RESOLUTIONS = frozenset(
    {
        "won't do", "wont do", "won't fix", "wontfix", "duplicate", "not planned", "not_planned", "cannot reproduce",
        "can't reproduce", "declined", "rejected", "invalid", "obsolete", "abandoned", "canceled", "cancelled",
        "incomplete", "not a bug",
    }
)  # fmt: skip
# Words in a status name that suggest waiting; proposed by `backlint init`, never applied without a person.
WAITING_WORDS = ("review", "qa", "test", "ready for", "on hold", "hold", "blocked", "waiting", "pending")


@dataclass(frozen=True, slots=True)
class StatusFact:
    """A status as its tracker lists it; `default` is the category of the tracker's own class for it."""

    id: str
    name: str
    default: StatusCategory


class StatusMap:
    """Status id -> category for one source: the configured mapping, then the tracker's own class, then UNKNOWN."""

    def __init__(self, facts: Iterable[StatusFact], configured: Mapping[str, StatusCategory] | None = None) -> None:
        self._facts = {fact.id: fact for fact in facts}
        self._configured = dict(configured or {})
        self._made: dict[tuple[str, str], Status] = {}

    def status(self, id: str, name: str = "") -> Status:
        """The status with its category. Only ids are looked up: names are neither unique nor stable."""
        made = self._made.get((id, name))
        if made is None:
            made = self._made[id, name] = self._make(id, name)
        return made

    def _make(self, id: str, name: str) -> Status:
        fact = self._facts.get(id)
        category = self._configured.get(id) or (fact.default if fact else StatusCategory.UNKNOWN)
        return Status(id, (fact.name if fact else "") or name or id, category)

    def apply(self, issue: Issue) -> Issue:
        """The issue with every category looked up afresh, in the present and in the whole history."""
        status = self._present(self.status(issue.status.id, issue.status.name), issue.resolution)
        transitions = tuple(
            Transition(
                at=step.at,
                before=self._historic(step.before),
                after=self._historic(step.after),
                sequence=step.sequence,
                actor=step.actor,
                is_bot=step.is_bot,
            )
            for step in issue.transitions
        )
        if status.category is StatusCategory.CANCELLED and transitions:
            transitions = (*transitions[:-1], self._cancelled_last(transitions[-1], status))
        return replace(issue, status=status, transitions=transitions)

    @property
    def facts(self) -> tuple[StatusFact, ...]:
        return tuple(self._facts.values())

    @property
    def configured(self) -> Mapping[str, StatusCategory]:
        return MappingProxyType(self._configured)

    def unmapped(self, issues: Iterable[Issue]) -> dict[Status, int]:
        """Statuses in use that nobody has mapped, with the number of issues in each."""
        counts: dict[Status, int] = {}
        for issue in issues:
            if issue.status.category is StatusCategory.UNKNOWN:
                counts[issue.status] = counts.get(issue.status, 0) + 1
        return counts

    def _historic(self, status: Status) -> Status:
        return self.status(status.id, status.name)

    @staticmethod
    def _present(status: Status, resolution: str | None) -> Status:
        if status.category is StatusCategory.DONE and is_cancelling(resolution):
            return replace(status, category=StatusCategory.CANCELLED)
        return status

    @staticmethod
    def _cancelled_last(step: Transition, status: Status) -> Transition:
        if step.after.id == status.id:
            return replace(step, after=status)
        return step


def is_cancelling(resolution: str | None) -> bool:
    """Whether a resolution or close reason says that the work was not done."""
    return resolution is not None and resolution.casefold().replace("\u2019", "'").strip() in CANCELLING_RESOLUTIONS


def suggests_waiting(name: str) -> bool:
    """Whether a status name suggests waiting; a proposal for a person, never a mapping."""
    words = name.casefold()
    return any(word in words for word in WAITING_WORDS)
