"""Sprint-planning prep: what fits, what is ready and what to ask, what comes too late, and what is not now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction

from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer, OfSources, SourceHealth
from backlint.readiness import Readiness, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days that are planned for. `name` None: there is no next sprint yet, and the days are assumed."""

    name: str | None
    first: date
    last: date
    assumed: str = ""  # what of it is no fact of the tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Who is there, and what such a team finishes: items from the forecast, points from its last sprints.

    `availability` is the share of the working days that people are there for. Figures are None with a reason beside.
    """

    working_days: int
    holidays: tuple[date, ...]
    people: float | None
    is_size_known: bool  # False: they are those who finished something lately
    away_days: float
    availability: Fraction
    items50: int | None
    items85: int | None
    why_no_items: str | None
    points50: float | None
    points85: float | None
    past: tuple[tuple[str, float], ...]  # finished sprints, newest first, with what was finished in each
    set_to: float | None  # a capacity that was configured, in the team's unit
    unit: str  # what the team plans in: items or points
    seed: int | None
    drawn_from: tuple[Entry, ...] = ()  # what was finished in the weeks that the items are forecast from
    past_issues: tuple[tuple[Entry, ...], ...] = ()  # what was finished in each of the past sprints

    @property
    def sprints(self) -> int:
        return len(self.past)

    @property
    def even(self) -> float | None:
        return self.points50 if self.unit == "points" else self.items50

    @property
    def likely(self) -> float | None:
        return self.points85 if self.unit == "points" else self.items85


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item that may go into the sprint. `fits`: how likely everything up to and with it is finished."""

    source: str
    key: str
    url: str | None
    title: str
    type: str
    points: float | None
    counts: float  # what it takes of the capacity; items without an estimate count as the team's median
    owner: str | None
    ready: Readiness
    sprints: int  # the ones it was in before, the running one included
    is_running: bool  # still open in the running sprint as well
    score: float | None  # RICE or ICE, its own or that of what it belongs to
    outcome: str
    fits: str = ""  # "85 %", "50 %", "beyond", "" where nothing is known

    @property
    def standing(self) -> Standing:
        return self.ready.standing


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """An item that is open in the running sprint."""

    source: str
    key: str
    url: str | None
    title: str
    status: str
    points: float | None
    sprints: int
    is_candidate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A candidate that waits; `blocker` None: it is marked as blocked and nothing says by what."""

    source: str
    key: str
    url: str | None
    title: str
    blocker: str | None
    blocker_url: str | None
    state: str
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TooBig:
    """A candidate that is more than one slice, with slices along its own criteria; none: there is nothing to cut by."""

    source: str
    key: str
    url: str | None
    title: str
    why: str
    slices: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeShare:
    """What part of the candidates serves one outcome."""

    name: str
    url: str | None
    items: int
    points: float
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """Something that was put off, on purpose or because it does not fit."""

    source: str
    key: str
    url: str | None
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Work in progress against its cap; None: no cap is agreed on."""

    items: tuple[Entry, ...]  # in progress now
    cap: float | None

    @property
    def in_progress(self) -> int:
        return len(self.items)

    @property
    def free(self) -> float | None:
        return None if self.cap is None else max(0.0, self.cap - self.in_progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintPrep(OfSources):
    """Everything the report says. `is_backlog`: nothing is in the next sprint, the top of the backlog stands here."""

    scope: str
    team: str
    as_of: datetime
    timezone: str
    rules_version: str
    health: tuple[SourceHealth, ...]
    answer: Answer
    window: Window
    capacity: Capacity
    candidates: tuple[Candidate, ...]  # in the order of planning
    is_backlog: bool
    order: str  # how they are ordered, in words
    carry_over: tuple[CarryOver, ...]
    left_over: int | None  # items of the running sprint that are as likely open at its end as not
    dependencies: tuple[Dependency, ...]
    too_big: tuple[TooBig, ...]
    outcomes: tuple[OutcomeShare, ...]
    room: Room
    not_now: tuple[NotNow, ...]

    def of_standing(self, standing: Standing) -> tuple[Candidate, ...]:
        return tuple(each for each in self.candidates if each.standing is standing)

    @property
    def planned_points(self) -> float:
        return sum(each.points or 0 for each in self.candidates)

    @property
    def unestimated(self) -> int:
        return sum(each.points is None for each in self.candidates)

    @property
    def assumed_points(self) -> float:
        """What the items without an estimate count as, together."""
        return self.planned - self.planned_points if self.capacity.unit == "points" else 0.0

    @property
    def planned(self) -> float:
        """In what the team plans in; items without an estimate count as the team's median."""
        return sum(each.counts for each in self.candidates)

    @property
    def overcommitted(self) -> str:
        """Whether more is planned than fits: "error" above the even odds or a set capacity, "warning" above 85 %."""
        if self.is_backlog:
            return ""
        if self.capacity.set_to is not None:
            return "error" if self.planned > self.capacity.set_to else ""
        if self.capacity.even is None or self.capacity.likely is None:
            return ""
        if self.planned > self.capacity.even:
            return "error"
        return "warning" if self.planned > self.capacity.likely else ""

    @property
    def has_scores(self) -> bool:
        return any(each.score is not None for each in self.candidates)

    @property
    def is_ready(self) -> bool:
        return all(each.standing is Standing.READY for each in self.candidates)


def fitted(candidates: Iterable[Candidate], capacity: Capacity) -> tuple[Candidate, ...]:
    """The candidates with how far each still fits, taken in their order."""
    found, total = [], 0.0
    for each in candidates:
        total += each.counts
        found.append(replace(each, fits=_fit(total, capacity)))
    return tuple(found)


def _fit(total: float, capacity: Capacity) -> str:
    if capacity.set_to is not None:
        return "capacity" if total <= capacity.set_to else "beyond"
    if capacity.even is None or capacity.likely is None:
        return ""
    if total <= capacity.likely:
        return "85 %"
    return "50 %" if total <= capacity.even else "beyond"


def shares(candidates: Sequence[Candidate], url_of: Callable[[str], str | None]) -> tuple[OutcomeShare, ...]:
    """Items and points for each outcome, the largest share first."""
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        groups.setdefault(each.outcome, []).append(each)
    whole = sum(each.counts for each in candidates)
    found = [
        OutcomeShare(
            name=name,
            url=url_of(name),
            items=len(members),
            points=sum(each.points or 0 for each in members),
            share=Fraction(sum(each.counts for each in members)) / Fraction(whole) if whole else Fraction(0),
        )
        for name, members in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.share, each.name)))
