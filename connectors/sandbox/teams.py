"""Who works on what in a generated backlog: the projects, people, statuses and sprints of each tracker."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from backlint.connectors.sandbox.phrases import DOMAINS
from backlint.connectors.sandbox.stories import Writer
from backlint.connectors.sandbox.world import WorldPerson, WorldProject, WorldSprint, WorldStatus

SPRINT = timedelta(days=14)
PAST_SPRINTS = 12
LEFT = timedelta(days=60)  # so long ago the inactive people left

# First names that nobody bears; the family name says what the person does.
FIRST_NAMES = (
    "Abra", "Bexo", "Cilo", "Dorvi", "Elpa", "Fimo", "Gundi", "Hylo", "Ixa", "Jumbo", "Kivo", "Lumo", "Mirvo", "Nuri",
    "Ombi", "Pixa", "Quilo", "Rondo", "Sarvi", "Tavi", "Ubba", "Vexi", "Wimbo", "Xandi", "Yolko", "Zinni",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A project as it is set up: key, name, what it is about, and whether it works on a board and in sprints."""

    key: str
    name: str
    domains: tuple[str, ...]
    share: float
    has_board: bool = True
    has_sprints: bool = True


@dataclass(frozen=True)
class Flavour:
    """What a tracker calls things. The ids of the steps of work are keys of `statuses`."""

    plans: tuple[Plan, ...]
    statuses: tuple[WorldStatus, ...]
    first: str
    todo: str
    active: str
    review: str
    done: str
    cancelled: str
    triage: str | None = None
    resolutions: tuple[str, str, str] | None = None  # done, not wanted, duplicate
    has_estimates: bool = True
    has_priorities: bool = True
    has_initiatives: bool = False
    labels_types: bool = False  # the type is a label
    moves: bool = True  # issues keep their id when they move to another project


FLAVOURS: dict[str, Flavour] = {
    "jira": Flavour(
        plans=(
            Plan("PAY", "Payments", ("billing", "checkout"), 0.4),
            Plan("SHOP", "Storefront", ("search", "reporting"), 0.35),
            Plan("WMS", "Warehouse", ("warehouse", "shipping"), 0.25),
        ),
        statuses=(
            WorldStatus("10000", "To Do", "backlog"),
            WorldStatus("10001", "Selected for Development", "unstarted"),
            WorldStatus("3", "In Progress", "started"),
            WorldStatus("10002", "In Review", "started"),
            WorldStatus("10003", "Done", "completed"),
        ),
        first="10000", todo="10001", active="3", review="10002", done="10003", cancelled="10003",
        resolutions=("Done", "Won't Do", "Duplicate"), has_initiatives=True,
    ),
    "linear": Flavour(
        plans=(
            Plan("BIL", "Billing", ("billing", "accounts"), 0.4),
            Plan("SEA", "Search", ("search", "support"), 0.35),
            Plan("MOB", "Mobile", ("mobile", "booking"), 0.25, has_sprints=False),
        ),
        statuses=(
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000001", "Triage", "triage"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000002", "Backlog", "backlog"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000003", "Todo", "unstarted"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000004", "In Progress", "started"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000005", "In Review", "started"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000006", "Done", "completed"),
            WorldStatus("5e0d1a6c-0001-4c00-8000-000000000007", "Canceled", "cancelled"),
        ),
        triage="5e0d1a6c-0001-4c00-8000-000000000001", first="5e0d1a6c-0001-4c00-8000-000000000002",
        todo="5e0d1a6c-0001-4c00-8000-000000000003", active="5e0d1a6c-0001-4c00-8000-000000000004",
        review="5e0d1a6c-0001-4c00-8000-000000000005", done="5e0d1a6c-0001-4c00-8000-000000000006",
        cancelled="5e0d1a6c-0001-4c00-8000-000000000007", labels_types=True,
    ),
    "github": Flavour(
        plans=(
            Plan("sandbox-org/checkout", "checkout", ("checkout", "billing", "accounts", "reporting"), 0.6),
            Plan("sandbox-org/scanner-app", "scanner-app", ("mobile", "warehouse", "shipping", "booking"), 0.4,
                 has_board=False, has_sprints=False),
        ),
        statuses=(
            WorldStatus("open", "Open", "backlog"),
            WorldStatus("todo", "Todo", "unstarted"),
            WorldStatus("in_progress", "In Progress", "started"),
            WorldStatus("in_review", "In Review", "started"),
            WorldStatus("done", "Done", "completed"),
            WorldStatus("not_planned", "Not planned", "cancelled"),
        ),
        first="open", todo="todo", active="in_progress", review="in_review", done="done", cancelled="not_planned",
        resolutions=("completed", "not_planned", "duplicate"), has_estimates=False, has_priorities=False,
        labels_types=True, moves=False,
    ),
}  # fmt: skip


def flavour_of(name: str) -> Flavour:
    if name not in FLAVOURS:
        raise ValueError(f"no sandbox tracker {name!r}; there are {', '.join(FLAVOURS)}")
    return FLAVOURS[name]


@dataclass
class Ids:
    """Ids in the shape of a tracker: UUIDs for Linear, growing numbers elsewhere; the same for a seed."""

    flavour: str
    random: Random
    _issues: itertools.count[int] = field(default_factory=lambda: itertools.count(10_001))
    _others: itertools.count[int] = field(default_factory=lambda: itertools.count(200_001))

    def issue(self) -> str:
        return self._uuid() if self.flavour == "linear" else str(next(self._issues))

    def other(self) -> str:
        """For events, comments, sprints and labels."""
        return self._uuid() if self.flavour == "linear" else str(next(self._others))

    def person(self, number: int) -> str:
        if self.flavour == "linear":
            return self._uuid()
        return f"712020:sandbox-{number:03}" if self.flavour == "jira" else str(9_000_000 + number)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


@dataclass
class Team:
    """A project with its people, sprints and texts."""

    plan: Plan
    project: WorldProject
    writer: Writer
    lead: str
    engineers: list[str]
    others: list[str]  # design, test, product: they report and comment
    left: list[str]
    sprints: list[WorldSprint]

    def sprint_at(self, moment: datetime) -> int | None:
        """Index of the sprint that runs at a moment."""
        return next((n for n, s in enumerate(self.sprints) if s.starts_at <= moment < s.ends_at), None)


def people(ids: Ids, teams: int) -> tuple[dict[str, WorldPerson], str, str, list[list[str]]]:
    """All people, our own account, another bot, and for each team: lead, five engineers, two others, one who left."""
    roles = ("Product", *("Engineer",) * 5, "Designer", "Tester", "Engineer")
    found: dict[str, WorldPerson] = {}
    members: list[list[str]] = []
    names = iter(FIRST_NAMES * 3)
    numbers = itertools.count(1)
    for team in range(teams):
        members.append([])
        for place, role in enumerate(roles):
            number = next(numbers)
            name = f"{next(names)} {role}"
            suffix = "" if name not in {person.name for person in found.values()} else f" {team + 1}"
            person = WorldPerson(
                ids.person(number),
                name + suffix,
                (name + suffix).lower().replace(" ", "-"),
                is_active=place < len(roles) - 1,
            )
            found[person.id] = person
            members[-1].append(person.id)
    own = WorldPerson(ids.person(next(numbers)), "Hygiene Bot", "hygiene-bot", is_bot=True)
    robot = WorldPerson(ids.person(next(numbers)), "Release Robot", "release-robot[bot]", is_bot=True)
    found |= {own.id: own, robot.id: robot}
    return found, own.id, robot.id, members


def sprints_of(plan: Plan, ids: Ids, now: datetime) -> list[WorldSprint]:
    """Twelve past sprints, the running one and the next, each two weeks from a Monday morning."""
    if not plan.has_sprints:
        return []
    monday = (now - timedelta(days=now.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)
    if monday > now:  # on a Monday before eight the old sprint still runs
        monday -= timedelta(days=7)
    first = monday - timedelta(days=7) * (monday.isocalendar().week % 2) - PAST_SPRINTS * SPRINT
    made = []
    for number in range(PAST_SPRINTS + 2):
        starts = first + number * SPRINT
        ends = starts + SPRINT
        made.append(
            WorldSprint(
                ids.other(), number + 31, f"{plan.name} Sprint {number + 31}", plan.key, starts, ends,
                completed_at=ends if ends <= now else None,
            )
        )  # fmt: skip
    return made


def writer_for(plan: Plan, random: Random, now: datetime) -> Writer:
    return Writer(random, plan.domains, now.date())


def project_of(plan: Plan, ids: Ids, lead: str) -> WorldProject:
    names = " and ".join(DOMAINS[name].place for name in plan.domains[:2])
    return WorldProject(plan.key, ids.other(), plan.name, lead=lead, description=f"Everything about the {names}.")


# -- times of work -----------------------------------------------------------------------------------------------------


def at_work(moment: datetime, random: Random) -> datetime:
    """The moment, or the next working hours after it; now and then somebody works at the weekend or late."""
    moment = moment.replace(microsecond=0)
    if random.random() < 0.05:
        return moment
    if moment.hour >= 18:
        moment = _morning(moment + timedelta(days=1), random)
    elif moment.hour < 8:
        moment = _morning(moment, random)
    if moment.weekday() >= 5:
        moment = _morning(moment + timedelta(days=7 - moment.weekday()), random)
    return moment


def _morning(day: datetime, random: Random) -> datetime:
    return day.replace(hour=random.randint(8, 17), minute=random.randint(0, 59))


def lognormal_days(random: Random, median: float, sigma: float) -> timedelta:
    """Waiting and working times are skewed: most are short, some are very long."""
    return timedelta(days=median * random.lognormvariate(0.0, sigma))


def settled(now: datetime) -> datetime:
    """UTC and whole seconds: trackers keep no more than milliseconds, and a seed shall give the same everywhere."""
    return now.astimezone(UTC).replace(microsecond=0)


Clock = Callable[[], datetime]
