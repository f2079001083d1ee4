"""A read-only view of everything stored: what a rule asks when one issue is not enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType

from backlint.activity import BulkEdits, bulk_edits, last_human_activity
from backlint.model import Issue, IssueType, Person, Project, StatusCategory, Transition
from backlint.moment import Watch
from backlint.scopes import Scopes, project_name
from backlint.text.story import has_story
from backlint.text.ticks import ticks

NEAR_TOP_N = 30  # catalogue 1.4
HABIT_WINDOW = timedelta(days=90)  # catalogue 2.9: team switches are learned from 90 days of use
HABIT_SHARE = 0.5
HABIT_SAMPLE = 5  # fewer finished items say nothing about a habit
TICKED_SHARE = 0.2  # catalogue AC005: a team that ticks fewer of the boxes on finished items does not use them


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a team does anyway, learned from its finished work; None: too little to tell."""

    estimates: bool | None = None
    sample: int = 0
    ticks_boxes: bool | None = None  # on finished stories and bugs
    boxes: int = 0
    story_format: bool | None = None  # "As a ..., I want ..." in finished stories
    stories: int = 0


@dataclass(frozen=True)
class Backlog:
    """All issues of all sources at one moment. Identity everywhere is (source, id)."""

    issues: tuple[Issue, ...]
    now: datetime
    people: Mapping[tuple[str, str], Person] = field(default_factory=lambda: MappingProxyType({}))
    projects: Mapping[tuple[str, str], Project] = field(default_factory=lambda: MappingProxyType({}))
    near_is_all: bool = False  # `check.near = "all"`
    habits_are_on: bool = False  # `check.team_switches = "on"`
    # Source -> when it was pulled first: nobody is asked for results of what was finished before.
    watched_since: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    without_owners: frozenset[str] = frozenset()  # files that name no owner of any issue: a gap in the export
    watch: Watch | None = field(default=None, repr=False, compare=False)  # notes who looks at other issues

    def __iter__(self) -> Iterator[Issue]:
        return iter(self.issues)

    @cached_property
    def by_identity(self) -> dict[tuple[str, str], Issue]:
        return {issue.identity: issue for issue in self.issues}

    @cached_property
    def by_key(self) -> dict[tuple[str, str], Issue]:
        found: dict[tuple[str, str], Issue] = {}
        for issue in self.issues:
            for alias in issue.aliases:
                found.setdefault((issue.source, alias.casefold()), issue)
        for issue in self.issues:
            found[issue.source, issue.key.casefold()] = issue
        return found

    def find(self, source: str, reference: str) -> Issue | None:
        """The issue with this id, key or former key in the source."""
        self._look_around()
        return self.by_identity.get((source, reference)) or self.by_key.get((source, reference.casefold()))

    @cached_property
    def by_url(self) -> dict[str, Issue]:
        return {issue.url: issue for issue in self.issues if issue.url}

    def linked(self, issue: Issue, target: str) -> Issue | None:
        """The issue that a link of this one names: by id or key in the same source, by URL in any."""
        self._look_around()
        return self.find(issue.source, target) or self.by_url.get(target)

    @property
    def scopes(self) -> Scopes:
        """Teams, projects, sprints and sources with their issues."""
        self._look_around()
        return self._scopes

    @cached_property
    def _scopes(self) -> Scopes:
        return Scopes(self.issues, self.projects)

    def _look_around(self) -> None:
        if self.watch is not None:
            self.watch.footing.on_others = True

    def parent(self, issue: Issue) -> Issue | None:
        return self.find(issue.source, issue.parent) if issue.parent else None

    def ancestors(self, issue: Issue, *, depth: int = 3) -> tuple[Issue, ...]:
        """Parents upward, nearest first, at most `depth`; a cycle ends the walk."""
        chain: list[Issue] = []
        seen = {issue.identity}
        above = self.parent(issue)
        while above is not None and above.identity not in seen and len(chain) < depth:
            chain.append(above)
            seen.add(above.identity)
            above = self.parent(above)
        return tuple(chain)

    @cached_property
    def _children(self) -> dict[tuple[str, str], list[Issue]]:
        children: dict[tuple[str, str], list[Issue]] = defaultdict(list)
        for issue in self.issues:
            above = self.parent(issue)
            if above is not None:
                children[above.identity].append(issue)
        return children

    def children(self, issue: Issue) -> Sequence[Issue]:
        self._look_around()
        return self._children.get(issue.identity, ())

    def project(self, issue: Issue) -> Project | None:
        return self.projects.get((issue.source, issue.project)) if issue.project else None

    def project_title(self, issue: Issue) -> str:
        """A project by its name where the tracker gives one: ids say nothing to a reader."""
        project = self.project(issue)
        return project.name if project else project_name(issue)

    def person(self, source: str, id: str) -> Person | None:
        return self.people.get((source, id))

    @cached_property
    def _people_by_name(self) -> dict[tuple[str, str], list[Person]]:
        """(source, casefolded id, handle, e-mail address, its local part, full or first name) -> accounts."""
        found: dict[tuple[str, str], list[Person]] = defaultdict(list)
        for (source, _), person in self.people.items():
            mail = (person.email or "").casefold()
            names = {person.id.casefold(), person.name.casefold(), (person.handle or "").casefold()}
            names |= {mail, mail.partition("@")[0], person.name.casefold().partition(" ")[0]}
            for name in names - {""}:
                found[source, name].append(person)
        return found

    def people_named(self, source: str, name: str) -> Sequence[Person]:
        """The accounts of one source that a written name can mean."""
        return self._people_by_name.get((source, name.casefold().lstrip("@").strip()), ())

    @cached_property
    def _accounts(self) -> dict[str, list[Person]]:
        found: dict[str, list[Person]] = defaultdict(list)
        for person in self.people.values():
            for mark in _identity_marks(person):
                found[mark].append(person)
        return found

    def accounts(self, person: Person) -> tuple[Person, ...]:
        """All accounts of one person in every source, the given one first; a mail address or full name joins them."""
        others = [
            other for mark in _identity_marks(person) for other in self._accounts.get(mark, ()) if other != person
        ]
        return (person, *dict.fromkeys(others))

    def has_people(self, source: str) -> bool:
        """Whether the people of the source were read at all; without them no name can be looked up."""
        return source in self._peopled_sources

    @cached_property
    def _peopled_sources(self) -> frozenset[str]:
        return frozenset(source for source, _ in self.people)

    @cached_property
    def _near(self) -> frozenset[tuple[str, str]]:
        near: set[tuple[str, str]] = set()
        ranked: dict[tuple[str, str | None], list[Issue]] = defaultdict(list)
        upcoming = self._upcoming_sprints
        for issue in self.issues:
            if not issue.is_open:
                continue
            if issue.is_started or issue.status.category is StatusCategory.TODO or self._is_planned(issue, upcoming):
                near.add(issue.identity)
            elif issue.rank is not None:
                ranked[issue.source, issue.team or issue.project].append(issue)
        for members in ranked.values():
            members.sort(key=lambda issue: (issue.rank or "", issue.id))
            near.update(issue.identity for issue in members[:NEAR_TOP_N])
        return frozenset(near)

    @cached_property
    def _upcoming_sprints(self) -> frozenset[tuple[str, str]]:
        """The running sprints and, for each team, the next one by start."""
        following: dict[tuple[str, str | None], tuple[datetime, str]] = {}
        upcoming: set[tuple[str, str]] = set()
        for issue in self.issues:
            for membership in issue.sprints:
                sprint = membership.sprint
                if sprint.state == "active":
                    upcoming.add((issue.source, sprint.id))
                elif sprint.state == "future" and sprint.starts_at is not None:
                    team = issue.source, sprint.team or issue.team or issue.project
                    following[team] = min(
                        following.get(team, (sprint.starts_at, sprint.id)), (sprint.starts_at, sprint.id)
                    )
        return frozenset(upcoming | {(source, id) for (source, _), (_, id) in following.items()})

    @staticmethod
    def _is_planned(issue: Issue, upcoming: frozenset[tuple[str, str]]) -> bool:
        return any(
            membership.removed_at is None and (issue.source, membership.sprint.id) in upcoming
            for membership in issue.sprints
        )

    def is_in_sprint(self, issue: Issue) -> bool:
        """Whether the issue is in a running sprint, or in the next one of its team."""
        return self._is_planned(issue, self._upcoming_sprints)

    def is_upcoming(self, source: str, sprint: str) -> bool:
        """Whether the sprint with this id is running, or is the next one of its team."""
        return (source, sprint) in self._upcoming_sprints

    def is_near(self, issue: Issue) -> bool:
        """Started, ready, in the current or next sprint, or at the top of its ranked backlog (catalogue 1.4)."""
        return issue.is_open and (self.near_is_all or issue.identity in self._near)

    @cached_property
    def _finished(self) -> dict[tuple[str, str | None], list[Issue]]:
        """What each team finished in the last 90 days."""
        finished: dict[tuple[str, str | None], list[Issue]] = defaultdict(list)
        since = self.now - HABIT_WINDOW
        for issue in self.issues:
            if issue.status.category is StatusCategory.DONE:
                closed_at = issue.transitions[-1].at if issue.transitions else issue.updated_at
                if closed_at is not None and closed_at >= since:
                    finished[issue.source, issue.team or issue.project].append(issue)
        return finished

    @cached_property
    def _habits(self) -> dict[tuple[str, str | None], Habits]:
        return {team: _learned(issues) for team, issues in self._finished.items()}

    @cached_property
    def _bulk_edits(self) -> BulkEdits:
        return bulk_edits(self.issues)

    def is_bulk_move(self, issue: Issue, step: Transition) -> bool:
        """Whether the move was one of many that one actor made at once."""
        spans = self._bulk_edits.get((issue.source, step.actor), ()) if step.actor else ()
        return any(start <= step.at <= end for start, end in spans)

    def last_human_activity(self, issue: Issue) -> datetime | None:
        """When a person last touched this issue itself; bots, re-ranking and bulk edits do not count."""
        return last_human_activity(issue, self._bulk_edits, now=self.now)

    def surroundings(self, source: str) -> tuple[object, ...]:
        """What verdicts on any issue of the source may rest on beside the issue and those it is linked with."""
        upcoming = sorted(id for each, id in self._upcoming_sprints if each == source)
        bulk = sorted((actor, spans) for (each, actor), spans in self._bulk_edits.items() if each == source)
        return upcoming, bulk, source in self.without_owners, self.watched_since.get(source)

    def standing(self, issue: Issue) -> tuple[object, ...]:
        """What the backlog says of the issue that the issue does not say itself."""
        sprints = [membership.sprint for membership in issue.sprints]
        return self.is_near(issue), self.is_in_sprint(issue), self.habits(issue), sprints

    def habits(self, issue: Issue) -> Habits:
        """What the team of this issue does anyway; everything when switches are pinned on."""
        learned = self._habits.get((issue.source, issue.team or issue.project), Habits())
        return replace(learned, estimates=True, ticks_boxes=True, story_format=True) if self.habits_are_on else learned


def _learned(finished: Sequence[Issue]) -> Habits:
    """The habits of a team; a switch of which too few finished items speak stays undecided."""
    sized = [issue.estimate is not None for issue in finished if issue.type in (IssueType.STORY, IssueType.TASK)]
    told = [has_story(issue.title, issue.body, issue.markup) for issue in finished if issue.type is IssueType.STORY]
    ticked = [
        is_ticked
        for issue in finished
        if issue.type in (IssueType.STORY, IssueType.BUG)
        for is_ticked in (*(item.is_ticked for item in issue.checklist), *ticks(issue.body, issue.markup))
    ]
    return Habits(
        estimates=_habit(sized, HABIT_SHARE),
        sample=len(sized),
        ticks_boxes=_habit(ticked, TICKED_SHARE),
        boxes=len(ticked),
        story_format=_habit(told, HABIT_SHARE),
        stories=len(told),
    )


def _habit(seen: Sequence[bool], share: float) -> bool | None:
    return sum(seen) >= share * len(seen) if len(seen) >= HABIT_SAMPLE else None


def _identity_marks(person: Person) -> tuple[str, ...]:
    """What two accounts of one person have in common; a single first name is too little."""
    if person.email:
        return (person.email.casefold(),)
    name = person.name.casefold().strip()
    return (name,) if " " in name else ()


def one_issue_backlog(issue: Issue, *others: Issue, now: datetime, **rest: object) -> Backlog:
    """A backlog of the issues given: for a single check and for the rules' examples."""
    return Backlog(issues=(issue, *others), now=now, **rest)  # type: ignore[arg-type]


def open_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(issue for issue in issues if issue.is_open)
