"""The teams, projects, sprints and sources of a backlog, each with its issues: what rules judge beside issues."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from backlint.model import Issue, Presence, Project, Scope, ScopeKind, Sprint

_STATES = ("future", "active", "closed")  # a sprint moves forward only: of two readings the later state is the truth
Key = TypeVar("Key")


def team_name(issue: Issue) -> str:
    """Whose issue it is, by the best name there is."""
    return issue.team or issue.project or issue.source


def names_of(issue: Issue, project: Project | None) -> set[str]:
    """Everything a person may call what the issue belongs to, in small letters: source, project, team, key's prefix."""
    prefix = issue.key.partition("#")[0] if "#" in issue.key else issue.key.rpartition("-")[0]
    names = (issue.source, project.name if project else issue.project, issue.team, prefix)
    return {name.casefold() for name in names if name}


def project_name(issue: Issue) -> str:
    return issue.project or issue.team or issue.source


@dataclass(frozen=True, slots=True)
class SprintIssues:
    """A sprint with every issue that is or was in it."""

    scope: Scope
    sprint: Sprint
    issues: tuple[Issue, ...]

    @property
    def has_ended(self) -> bool:
        return self.sprint.state == "closed"


@dataclass(frozen=True)
class Scopes:
    """The present issues of a backlog by what they belong to; teams go by name, across sources."""

    issues: Sequence[Issue]
    known: Mapping[tuple[str, str], Project] = field(default_factory=lambda: MappingProxyType({}))  # for their names

    @cached_property
    def _present(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.presence is Presence.PRESENT)

    @cached_property
    def teams(self) -> Mapping[Scope, tuple[Issue, ...]]:
        found: dict[Scope, tuple[Issue, ...]] = {}
        for name, members in _grouped((team_name(issue), issue) for issue in self._present):
            source = min(issue.source for issue in members)
            found[Scope(kind=ScopeKind.TEAM, source=source, key=name, name=name, team=name)] = members
        return found

    @cached_property
    def projects(self) -> Mapping[Scope, tuple[Issue, ...]]:
        return {
            Scope(kind=ScopeKind.PROJECT, source=source, key=key, name=self._name(source, key)): members
            for (source, key), members in _grouped(((each.source, project_name(each)), each) for each in self._present)
        }

    def _name(self, source: str, project: str) -> str:
        """Where projects have ids of their own, people know them by another name."""
        known = self.known.get((source, project))
        return known.name if known is not None else project

    @cached_property
    def connectors(self) -> Mapping[Scope, tuple[Issue, ...]]:
        return {
            Scope(kind=ScopeKind.CONNECTOR, source=source, key=source, name=source): members
            for source, members in _grouped((issue.source, issue) for issue in self._present)
        }

    @cached_property
    def organisation(self) -> Scope:
        source = min((issue.source for issue in self.issues), default="")
        return Scope(kind=ScopeKind.ORGANISATION, source=source, key="all", name="all teams")

    @cached_property
    def sprints(self) -> Mapping[tuple[str, str], SprintIssues]:
        """(source, sprint id) -> the sprint, by start; its team is the one that most of its issues belong to."""
        known: dict[tuple[str, str], Sprint] = {}
        members: dict[tuple[str, str], dict[str, Issue]] = defaultdict(dict)
        for issue in self._present:
            for membership in issue.sprints:
                key = issue.source, membership.sprint.id
                known[key] = max(known.get(key, membership.sprint), membership.sprint, key=_progress)
                members[key][issue.id] = issue
        found = [
            SprintIssues(self._sprint_scope(source, sprint, issues), sprint, issues)
            for (source, id), sprint in known.items()
            for issues in (tuple(members[source, id].values()),)
        ]
        found.sort(key=lambda each: (*_start(each.sprint), each.scope.source, each.scope.key))
        return {(each.scope.source, each.sprint.id): each for each in found}

    def sprints_of(self, wanted: Collection[tuple[str, str]]) -> list[SprintIssues]:
        """The sprints of which more than half of the issues are among the wanted ones."""
        return [
            found
            for found in self.sprints.values()
            if 2 * sum(issue.identity in wanted for issue in found.issues) > len(found.issues)
        ]

    @staticmethod
    def _sprint_scope(source: str, sprint: Sprint, issues: Iterable[Issue]) -> Scope:
        counts = Counter(team_name(issue) for issue in issues)
        team = min(counts, key=lambda name: (-counts[name], name))
        return Scope(kind=ScopeKind.SPRINT, source=source, key=sprint.id, name=sprint.name, team=team)

    def members(self, scope: Scope) -> Sequence[Issue]:
        """The issues that a verdict on the scope rests on."""
        match scope.kind:
            case ScopeKind.TEAM:
                return self.teams.get(scope, ())
            case ScopeKind.PROJECT:
                return self.projects.get(scope, ())
            case ScopeKind.CONNECTOR:
                return self.connectors.get(scope, ())
            case ScopeKind.SPRINT:
                found = self.sprints.get((scope.source, scope.key))
                return found.issues if found else ()
            case ScopeKind.PERSON:
                return [issue for issue in self._present if scope.key in issue.assignees]
        return self._present


def _grouped(pairs: Iterable[tuple[Key, Issue]]) -> list[tuple[Key, tuple[Issue, ...]]]:
    groups: dict[Key, list[Issue]] = defaultdict(list)
    for key, issue in pairs:
        groups[key].append(issue)
    return [(key, tuple(groups[key])) for key in sorted(groups)]  # type: ignore[type-var]


def _progress(sprint: Sprint) -> tuple[int, str, str, str]:
    """Of two readings of one sprint the one that knows more; equal ones are told apart by what they say."""
    state = _STATES.index(sprint.state) if sprint.state in _STATES else -1
    return state, str(sprint.completed_at or ""), str(sprint.ends_at or ""), sprint.name


def _start(sprint: Sprint) -> tuple[bool, str]:
    at = sprint.starts_at or sprint.ends_at
    return at is None, at.isoformat() if at else ""
