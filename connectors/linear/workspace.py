"""The small lists of a workspace, read whole and kept for a while: teams, people, statuses, labels, cycles ..."""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import msgspec

from backlint.connectors.linear import mapping, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.facts import WorkspaceFacts, names_from
from backlint.connectors.linear.names import Names
from backlint.connectors.paging import Bookmarks
from backlint.errors import NotFound
from backlint.model import Project
from backlint.settings import SourceSettings

KEPT = 600.0  # seconds for which the lists are not asked for again


@dataclass(frozen=True, slots=True)
class Lists:
    """What was read, and when (monotonic)."""

    facts: WorkspaceFacts
    names: Names
    teams: Mapping[str, str]  # key -> name
    people: tuple[payloads.UserNode, ...]
    projects: tuple[Project, ...]
    read_at: float

    @property
    def viewer(self) -> payloads.Viewer:
        return self.facts.viewer

    @property
    def organization(self) -> str:
        return self.facts.organization


class Workspace:
    def __init__(self, client: LinearClient, settings: SourceSettings) -> None:
        self._client, self._settings = client, settings
        self._known: Lists | None = None
        self._lock = Lock()  # pages are mapped side by side, and one look at the lists is enough for all
        self._unlisted: set[str] = set()  # ids in issues that no list names

    def lists(self, *, fresh: bool = False) -> Lists:
        known = self._known
        if known is None or fresh or time.monotonic() - known.read_at > KEPT:
            known = self._known = self._read()
        return known

    def names_for(self, nodes: Sequence[payloads.IssueNode]) -> Names:
        """The names, read again when an issue carries something made since."""
        with self._lock:
            names = self.lists().names
            if names.missing(nodes) - self._unlisted:
                names = self.lists(fresh=True).names
                self._unlisted |= names.missing(nodes)  # still not there: do not ask again for every page
            return names

    def require(self, key: str) -> str:
        """The team's name. NotFound with near keys unless it is visible, even after looking again."""
        if key not in self.lists().teams and key not in self.lists(fresh=True).teams:
            raise self.no_such_team(key)
        return self.lists().teams[key]

    def no_such_team(self, key: str) -> NotFound:
        teams = list(self.lists().teams)
        near = difflib.get_close_matches(key.upper(), teams, n=3, cutoff=0.4) or teams[:5]
        there = f"; there is {', '.join(near)}" if near else ""
        return NotFound(f"{self._client.source}: no team with the key {key!r} is visible to this account{there}")

    def _read(self) -> Lists:
        """Usually one request; a further one for each list with more than a page."""
        scopes = [scope for scope in self._settings.scope if scope != "*"]
        teams = {"key": {"in": scopes}} if len(scopes) == len(self._settings.scope) else {}
        first = self._client.ask(queries.lists(list(queries.LISTS)), payloads.Lists, {"teams": teams})
        facts = WorkspaceFacts(
            viewer=first.viewer,
            organization=first.organization.name,
            lists={name: self._whole(name, getattr(first, name), teams) for name in queries.LISTS},
        )
        source = self._client.source
        keys = facts.rows("teams", payloads.TeamNode, source=source)
        projects = facts.rows("projects", payloads.ProjectNode, source=source)
        return Lists(
            facts=facts,
            names=names_from(facts, self._settings),
            teams={team.key: team.name for team in sorted(keys, key=lambda team: team.key)},
            people=tuple(facts.rows("users", payloads.UserNode, source=source)),
            projects=tuple(mapping.project(each, source) for each in projects),
            read_at=time.monotonic(),
        )

    def _whole(self, name: str, page: payloads.RawPage, teams: Mapping[str, Any]) -> list[msgspec.Raw]:
        rows = list(page.nodes)
        document = queries.more_of(name)
        bookmarks = Bookmarks(self._client.source, f"the list {name}")
        while page.pageInfo.hasNextPage:
            bookmarks.turn_to(page.pageInfo.endCursor)
            given = {"after": page.pageInfo.endCursor} | ({"teams": teams} if "$teams" in document else {})
            page = self._client.ask(document, dict[str, payloads.RawPage], given)[name]
            rows.extend(page.nodes)
        return rows
