"""One site as it answers us: whose token it is, what it calls things, and its small lists."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.contract import Usage
from backlint.connectors.http import decode
from backlint.connectors.jira import payloads
from backlint.connectors.jira.client import Reader, jira_client, open_http
from backlint.connectors.jira.facts import SiteFacts, site_from, status_map
from backlint.connectors.jira.reading import CloudReader, ServerReader
from backlint.connectors.jira.site import Site
from backlint.connectors.jira.values import person_from, sprint_from
from backlint.connectors.paging import Bookmarks
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused
from backlint.model import Person, Sprint
from backlint.settings import SourceSettings
from backlint.status import StatusMap

LOG = logging.getLogger(__name__)

AGILE = "/rest/agile/1.0"
PEOPLE_PAGE = 1000
MOST_PEOPLE = 10_000  # people beyond are known from the issues that name them
PROJECT_PAGE = 50
# What is kept until `refresh`.
LISTS = ("site", "facts", "field_infos", "statuses", "listed_statuses", "types", "priorities", "cloud", "server")
NAMED_PROJECTS = 5  # near ones in an error message


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the token belongs to."""

    id: str
    name: str


class Session:
    """Lists are asked for on first use and kept until `refresh`."""

    def __init__(
        self, settings: SourceSettings, token: SecretStr, usage: Usage, sleep: Callable[[float], None]
    ) -> None:
        self.name, self.settings = settings.name, settings
        self.reader = Reader(settings.name)
        self.http = open_http(settings, token, read=self.reader, usage=usage, sleep=sleep)
        self._projects: dict[str, Mapping[str, Any]] = {}

    def refresh(self) -> None:
        for name in LISTS:
            self.__dict__.pop(name, None)
        self._projects.clear()

    def get(self, path: str, **params: Any) -> bytes:
        return self.http.request("GET", path, may_repeat=True, params=params or None).content

    def get_object(self, path: str, **params: Any) -> dict[str, Any]:
        return decode(self.get(path, **params), dict[str, Any], source=self.name)

    # -- the site --------------------------------------------------------------------------------------------------

    @cached_property
    def is_cloud(self) -> bool:
        if self.settings.deployment != "auto":
            return self.settings.deployment == "cloud"
        return bool(self.server_info.get("deploymentType") == "Cloud")

    @cached_property
    def server_info(self) -> dict[str, Any]:
        return self.get_object("/rest/api/2/serverInfo")

    @property
    def version(self) -> int:
        """The first number of Data Center's version; 0 where it is not told."""
        numbers = self.server_info.get("versionNumbers") or [0]
        return int(numbers[0])

    @property
    def root(self) -> str:
        return CloudReader.root if self.is_cloud else ServerReader.root

    @cached_property
    def jira(self) -> Any:
        """The `jira` package, for the small lists and for properties."""
        return jira_client(self.http, self.settings.base_url, is_cloud=self.is_cloud)

    @cached_property
    def account(self) -> Account:
        """Asked before anything else: many calls answer strangers with less instead of a refusal."""
        me = msgspec.convert(self.jira.myself(), payloads.Account)
        if me.id is None:
            raise TokenRefused(f"{self.name}: Jira does not say whose token this is: make a new one", status=401)
        return Account(me.id, me.display_name)

    @cached_property
    def facts(self) -> SiteFacts:
        """Everything about the site that mapping an issue takes."""
        account = self.account
        lists = ("field_infos", "types", "listed_statuses", "priorities")
        _ = list(self.http.in_parallel(lambda name: getattr(self, name), lists))  # asked for side by side, then kept
        return SiteFacts(
            is_cloud=self.is_cloud,
            own_account=account.id,
            fields=self.field_infos,
            statuses=self.listed_statuses,
            types=self.types,
            priorities=self.priorities,
        )

    @cached_property
    def site(self) -> Site:
        return site_from(self.facts, self.settings)

    @cached_property
    def field_infos(self) -> list[payloads.FieldInfo]:
        return msgspec.convert(self.jira.fields(), list[payloads.FieldInfo])

    @cached_property
    def statuses(self) -> StatusMap:
        return status_map(self.listed_statuses, self.settings)

    @cached_property
    def listed_statuses(self) -> list[payloads.Status]:
        return msgspec.convert([each.raw for each in self.jira.statuses()], list[payloads.Status])

    @cached_property
    def priorities(self) -> list[str]:
        """Their ids, highest first."""
        return [str(each.raw["id"]) for each in self.jira.priorities()]

    @cached_property
    def types(self) -> list[payloads.Type]:
        return msgspec.convert([each.raw for each in self.jira.issue_types()], list[payloads.Type])

    @cached_property
    def cloud(self) -> CloudReader:
        return CloudReader(self.http, self.site)

    @cached_property
    def server(self) -> ServerReader:
        return ServerReader(self.http, self.site)

    def know_sprints(self, sprints: Sequence[Sprint]) -> None:
        """Issues name the sprints they have left by id alone; from now on those are known in full."""
        self.facts.sprints = list(sprints)
        self.__dict__["site"] = site_from(self.facts, self.settings)

    def permissions(self, names: Sequence[str], *, project: str) -> dict[str, bool]:
        """Which of the permissions the account has in a project."""
        answer = self.jira.my_permissions(projectKey=project, permissions=",".join(names))
        return {name: bool(answer["permissions"].get(name, {}).get("havePermission")) for name in names}

    # -- projects --------------------------------------------------------------------------------------------------

    def project(self, key: str) -> Mapping[str, Any]:
        """NotFound names the scope and what there is like it."""
        if key not in self._projects:
            _ = self.account
            try:
                self._projects[key] = self.get_object(f"{self.root}/project/{key}")
            except NotFound:
                raise NotFound(
                    f"{self.name}: no project {key!r} is visible to this account{self._like(key)}", status=404
                ) from None
        return self._projects[key]

    def _like(self, key: str) -> str:
        """Only to help: what can be seen, the most alike first."""
        keys = [str(each["key"]) for each in self.visible_projects()]
        near = difflib.get_close_matches(key.upper(), keys, n=NAMED_PROJECTS, cutoff=0.4) or keys[:NAMED_PROJECTS]
        return f"; there is {', '.join(near)}" if near else "; it sees no project at all"

    def visible_projects(self) -> list[Mapping[str, Any]]:
        if not self.is_cloud:
            return [each.raw for each in self.jira.projects()]
        return list(self.pages(f"{self.root}/project/search", maxResults=PROJECT_PAGE))

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        """A list paged by `startAt`. Pages may be shorter than asked for, so steps follow what came."""
        start = 0
        bookmarks = Bookmarks(self.name, f"the list {path}")
        while True:
            page = self.get_object(path, **params, startAt=start)
            values = page.get("values") or []
            bookmarks.turn_to(msgspec.json.encode(values) if values else start)  # a proxy may drop `startAt`
            yield from values
            start += len(values)
            if not values or page.get("isLast") or start >= page.get("total", start + 1):
                return

    # -- people and sprints ----------------------------------------------------------------------------------------

    def people(self, projects: Sequence[str]) -> Iterator[Person]:
        """All accounts, deactivated ones and apps included; without that right, those who can be assigned."""
        try:
            accounts = list(self._everybody())
        except PermissionMissing:
            accounts = [each for key in projects for each in self._assignable(key)]
        for account in accounts:
            if (person := person_from(account, self.site)) is not None:
                yield person

    def _everybody(self) -> Iterator[payloads.Account]:
        if self.is_cloud:
            return self._accounts("/users/search")
        # A dot finds everybody on Data Center [unverified, long-standing].
        return self._accounts("/user/search", username=".", includeInactive="true")

    def _assignable(self, project: str) -> list[payloads.Account]:
        try:
            return list(self._accounts("/user/assignable/search", project=project))
        except PermissionMissing:
            LOG.warning("%s: people are known from issues only: the account may not browse users", self.name)
            return []

    def _accounts(self, path: str, **params: Any) -> Iterator[payloads.Account]:
        """Plain arrays; the server filters after paging, so only an empty page is the end."""
        start = 0
        while start < MOST_PEOPLE:
            answer = self.get(self.root + path, **params, startAt=start, maxResults=PEOPLE_PAGE)
            page = decode(answer, list[payloads.Account], source=self.name)
            yield from page
            start += len(page)
            if not page:
                return

    def sprints(self, projects: Sequence[str]) -> tuple[Sprint, ...]:
        """Boards have rights of their own, so what cannot be read is left to the sprint field of the issues."""
        found: dict[str, Sprint] = {}
        try:
            boards = [board for some in self.http.in_parallel(self._boards, projects) for board in some]
            for sprints in self.http.in_parallel(self._board_sprints, {each["id"]: each for each in boards}.values()):
                found |= sprints
        except (PermissionMissing, NotFound, RequestRefused) as error:
            LOG.warning("%s: boards cannot be read; sprints are known from issues only (%s)", self.name, error)
        return tuple(found.values())

    def _boards(self, project: str) -> list[Mapping[str, Any]]:
        return list(self.pages(f"{AGILE}/board", projectKeyOrId=project))

    def _board_sprints(self, board: Mapping[str, Any]) -> dict[str, Sprint]:
        """A board of a kind without sprints refuses to list them."""
        if board.get("type") == "kanban":
            return {}
        try:
            values = list(self.pages(f"{AGILE}/board/{board['id']}/sprint"))
        except RequestRefused:
            return {}
        return {sprint.id: sprint for value in values if (sprint := sprint_from(value)) is not None}
