"""GitHub.com and Enterprise Server: what is called for each thing a connector offers."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec
from pydantic import SecretStr

from backlint.connectors.contract import Capabilities, Check, Page, Reference, SourceFacts, Usage, Whereabouts
from backlint.connectors.github import boards, diagnosis, queries
from backlint.connectors.github.access import AppToken
from backlint.connectors.github.client import Client, utc_now
from backlint.connectors.github.mapping import (
    HIDDEN_MARKER,
    PageInfo,
    Reading,
    RestComment,
    RestIssue,
    RestLabel,
    RestRepository,
    comment_from,
    issue_from,
)
from backlint.connectors.github.people import Directory
from backlint.connectors.github.position import Found, position
from backlint.connectors.github.pulling import Home, Loaded, Pull, load, read_all, whole
from backlint.connectors.github.registration import AppHook, RepositoryHooks
from backlint.connectors.github.stored import AccountFacts, GitHubStored, reading_for
from backlint.connectors.http import decode
from backlint.connectors.mapping_digest import mapping_digest
from backlint.connectors.paging import Bookmarks
from backlint.connectors.visible import visible
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TrackerError
from backlint.model import Comment, Issue, Person, Project, Tracker
from backlint.settings import SourceSettings

LONGEST_BODY = 65_536  # characters of a comment
CUT = "\n\n(shortened)"
LABEL_COLOR = "d4c5f9"
LABEL_TEXT = "Set and removed by backlint while a finding is open"
LONGEST_LABEL = 50


class _Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class _Id(_Camel, frozen=True, kw_only=True):
    id: str
    database_id: int | None = None
    full_database_id: int | str | None = None


class _Ids(_Camel, frozen=True, kw_only=True):
    page_info: PageInfo
    nodes: tuple[_Id | None, ...] = ()


class _CensusIssues(_Camel, frozen=True, kw_only=True):
    issues: _Ids


class _CensusData(_Camel, frozen=True, kw_only=True):
    repository: _CensusIssues | None = None


class GitHubConnector:
    """One configured GitHub account. Reads by GraphQL where that takes fewer requests, writes by REST."""

    tracker = Tracker.GITHUB
    capabilities = Capabilities(
        changelog=True,
        sprints=True,
        estimates=True,
        priorities=True,
        due_dates=True,
        started_status=False,
        edit_comment=True,
        labels_need_creation=True,
        reactions=True,
    )

    def __init__(
        self, settings: SourceSettings, token: SecretStr, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self.usage = Usage()
        self.client = Client(settings, token, usage=self.usage, sleep=sleep)
        self.directory = Directory(self.client, settings)
        self.boards = boards.BoardBook(self.client)
        self._homes: dict[str, Home] = {}
        self._repositories: dict[str, RestRepository] = {}
        self._labels: set[tuple[str, str]] = set()
        self._nodes: dict[str, str] = {}  # database id -> node id of every issue that a census has named

    # -- what there is ---------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        return diagnosis.diagnose(self)

    def discover(self) -> SourceFacts:
        homes = self._seen_homes()
        found = [self.boards.of(home) for home in homes]
        return SourceFacts(
            scopes=self._visible(homes),
            statuses=boards.facts(found),
            types=self._types(homes),
            fields=boards.fields(found),
        )

    def scopes(self) -> Sequence[str]:
        wanted: list[str] = []
        for scope in self.settings.scope:
            wanted += self._owned(scope.removesuffix("/*")) if scope.endswith("/*") else [scope]
        return tuple(visible(wanted, self.home, at_once=self.settings.concurrency))

    def _seen_homes(self) -> list[Home]:
        seen = visible(self.scopes(), self.home, at_once=self.settings.concurrency)
        return [home for home in seen.values() if home is not None]

    def reference(self) -> Reference:
        homes = self._seen_homes()
        _ = self.client.schema()  # once, before several ask for it
        side_by_side = self.client.http.side_by_side
        own, found = side_by_side(self.directory.own, lambda: self._boards_of(homes))
        people, types = side_by_side(lambda: self.directory.people(homes), lambda: self._types(homes))
        return Reference(
            statuses=boards.every_fact(found),
            people=people,
            projects=tuple(self._project(home) for home in homes),
            sprints=boards.sprints(found, utc_now()),
            types=types,
            own_account=own.id,
            account_name=own.name,
            facts=AccountFacts(
                own_account=own.id, former={home.full_name: home.former for home in homes if home.former}
            ).json(),
            mapping=mapping_digest(self.settings),
        )

    def people_seen(self) -> Sequence[Person]:
        """Whoever may be assigned is in `reference`; others are not listed."""
        return ()

    def home(self, scope: str) -> Home:
        """The repository of a scope under its present name. NotFound names the scope and similar ones."""
        if scope not in self._homes:
            self._remember(scope, self._repository(scope))
        return self._homes[scope]

    def _remember(self, scope: str, repository: RestRepository) -> None:
        self._repositories[repository.full_name] = repository
        self._homes[scope] = Home(scope=scope, full_name=repository.full_name, is_archived=repository.archived)

    def repository(self, scope: str) -> RestRepository:
        return self._repositories[self.home(scope).full_name]

    def _repository(self, scope: str) -> RestRepository:
        if not re.fullmatch(r"[^/\s]+/[^/\s*]+", scope):
            raise NotFound(f"{self.name}: {scope!r} is no repository: write it as owner/repository, or owner/*")
        try:
            response = self.client.get(f"/repos/{_path(scope)}")
        except NotFound:
            raise NotFound(
                f"{self.name}: there is no repository {scope}, or this token cannot see it{self._similar(scope)}",
                status=404,
            ) from None
        return decode(response.content, RestRepository, issue=scope, source=self.name)

    def _similar(self, scope: str) -> str:
        try:
            near = difflib.get_close_matches(scope, self._owned(scope.partition("/")[0]), n=3)
        except TrackerError:
            return ""
        return f"; there is {', '.join(near)}" if near else ""

    def _owned(self, owner: str) -> list[str]:
        """The owner's repositories with issues. Archived ones are read-only and are left out of a wildcard."""
        for kind in ("orgs", "users"):
            try:
                listed = self._listed(f"/{kind}/{_path(owner)}/repos")
            except NotFound:
                continue
            for repository in listed:
                self._remember(repository.full_name, repository)
            return sorted(each.full_name for each in listed if each.has_issues and not each.archived)
        raise NotFound(
            f"{self.name}: there is no organisation or user {owner}, or this token cannot see it", status=404
        )

    def _visible(self, homes: Sequence[Home]) -> tuple[tuple[str, str], ...]:
        found = {home.full_name: self._repositories[home.full_name] for home in homes}
        found |= {each.full_name: each for each in self._all()}
        return tuple((name, found[name].description or name) for name in sorted(found))

    def _all(self) -> list[RestRepository]:
        """What the token can see: a user's repositories, or those that an app was installed for."""
        if not self.settings.app_id:
            try:
                return self._listed("/user/repos")
            except PermissionMissing:  # an installation's token that somebody else made
                pass
        return self._listed("/installation/repositories")

    def _listed(self, url: str) -> list[RestRepository]:
        return [
            repository
            for page in self.client.pages(url)
            for repository in _repositories(page.content, source=self.name)
        ]

    def _project(self, home: Home) -> Project:
        repository = self._repositories[home.full_name]
        return Project(source=self.name, id=home.full_name, name=home.full_name, body=repository.description or "")

    def _types(self, homes: Sequence[Home]) -> tuple[str, ...]:
        found = self.client.http.in_parallel(lambda home: boards.types_of(self.client, home), homes)
        return tuple(dict.fromkeys(name for names in found for name in names))

    def _boards_of(self, homes: Sequence[Home]) -> list[boards.Boards]:
        return list(self.client.http.in_parallel(self.boards.of, homes))

    def stored(self, facts: bytes, *, now: datetime) -> GitHubStored:
        return GitHubStored(self.settings, facts, now=now)

    # -- reading ---------------------------------------------------------------------------------------------------

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        home = self.home(scope)
        found = self.boards.of(home)
        return Pull(
            client=self.client,
            home=home,
            reading=self._reading(home),
            start=position(cursor, source=self.name),
            has_boards=found.are_visible,
            on_boards_hidden=self._hide_boards(home),
            linked_boards={board.id: board.updated_at for board in found.boards},
        ).pages()

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        home = self.home(scope)
        document = queries.census(self.client.schema())
        after: str | None = None
        bookmarks = Bookmarks(self.name, f"the list of ids of {scope}")
        while True:
            answered = self.client.data(document, _CensusData, {**home.variables, "after": after}, what=scope)
            if answered.repository is None:
                raise NotFound(f"{self.name}: {scope} is gone or hidden", status=404)
            issues = answered.repository.issues
            if any(node is None for node in issues.nodes):
                # A missing entry is no deleted issue; a census that cannot see all must not look complete.
                raise RequestRefused(f"{self.name}: GitHub left entries out of the list of issues of {scope}")
            named = {str(node.full_database_id or node.database_id): node.id for node in issues.nodes if node}
            self._nodes |= named
            yield list(named)
            after = issues.page_info.end_cursor
            if not issues.page_info.has_next_page or after is None:
                return
            bookmarks.turn_to(after)

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        home = self.home(scope)
        has_boards = self.boards.of(home).are_visible
        wanted = [Found(self._nodes[id]) for id in ids if id in self._nodes]
        size = self.client.batch
        batches = [wanted[start : start + size] for start in range(0, len(wanted), size)]

        def fetched(batch: Sequence[Found]) -> list[Loaded]:
            return load(self.client, home, batch, has_boards=has_boards, on_boards_hidden=self._hide_boards(home))

        for loaded in self.client.http.in_parallel(fetched, batches):
            issues, quarantined = read_all(loaded, self._reading(home))
            yield Page(issues=issues, quarantined=quarantined, cursor="")

    def locate(self, issue: Issue) -> Whereabouts:
        """301 is moved, 410 deleted, 404 either or hidden (GitHub, "Get an issue")."""
        repository, number = _address(issue)
        try:
            response = self.client.get_once(f"/repos/{repository}/issues/{number}")
            if response.status_code < 300:
                return self._same(response, issue)
        except NotFound as error:
            return self._lost(error, repository)
        try:
            return self._same(self.client.get(self.client.target(response)), issue)
        except NotFound:
            return Whereabouts.MOVED  # to where this token cannot look

    def read(self, issue: Issue) -> Issue:
        repository, number = _address(issue)
        home = self.home(repository)
        answered = self._one(home, number, what=issue.key)
        raw = bytes(answered.repository.issue) if answered.repository else b"null"
        if raw == b"null":
            raise NotFound(f"{self.name}: {issue.key} is gone or hidden", status=404)
        node = decode(raw, _Id, issue=issue.key, source=self.name)
        if str(node.full_database_id or node.database_id) != issue.id:
            raise NotFound(f"{self.name}: {issue.key} is another issue now: it was transferred", status=404)
        found = whole(self.client, home, Found(node.id), raw)
        assert found.raw is not None  # the issue was given
        return issue_from(found.raw, self._reading(home))

    def _one(self, home: Home, number: int | str, *, what: str) -> _OneData:
        schema, given = self.client.schema(), {**home.variables, "number": number}
        if self.boards.of(home).are_visible:
            try:
                return self.client.part(queries.one_issue(schema, has_boards=True), _OneData, given, what=what)
            except PermissionMissing as error:
                self._hide_boards(home)(error)
        return self.client.part(queries.one_issue(schema, has_boards=False), _OneData, given, what=what)

    def _reading(self, home: Home) -> Reading:
        return reading_for(
            self.settings, own_account=self.directory.own().id, now=utc_now(), former_repository=home.former
        )

    def _hide_boards(self, home: Home) -> Callable[[PermissionMissing], None]:
        return lambda error: self.boards.hide(home, str(error))

    def _same(self, response: httpx.Response, issue: Issue) -> Whereabouts:
        found = decode(response.content, RestIssue, issue=issue.key, source=self.name)
        return Whereabouts.PRESENT if str(found.id) == issue.id else Whereabouts.MOVED

    def _lost(self, error: NotFound, repository: str) -> Whereabouts:
        if error.status != 410:
            return Whereabouts.UNREADABLE
        # Repositories whose issues are switched off answer 410 as well: nothing was deleted there.
        try:
            response = self.client.get(f"/repos/{repository}")
        except NotFound:
            return Whereabouts.UNREADABLE
        has_issues = decode(response.content, RestRepository, source=self.name).has_issues
        return Whereabouts.DELETED if has_issues else Whereabouts.UNREADABLE

    # -- writing ---------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        repository, number = self._writable(issue)
        self._ensure_label(repository, label)
        response = self.client.write("POST", f"/repos/{repository}/issues/{number}/labels", json={"labels": [label]})
        present = {each.name.casefold() for each in decode(response.content, list[RestLabel], source=self.name)}
        if label.casefold() not in present:
            # Without triage rights GitHub drops labels and still answers 200.
            raise PermissionMissing(
                f"{self.name}: GitHub took the label {label} and did not set it: the account needs "
                f"the triage role in {repository}",
                status=403,
            )

    def remove_label(self, issue: Issue, label: str) -> None:
        repository, number = self._writable(issue)
        url = f"/repos/{repository}/issues/{number}"
        try:
            self.client.write("DELETE", f"{url}/labels/{quote(label, safe='')}")
        except NotFound:
            self.client.get(url)  # the label is not there, or the issue is not: the second is an error

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        repository, number = _address(issue)
        own = self.directory.own().id
        found = [
            comment_from(node, own)
            for page in self.client.pages(f"/repos/{repository}/issues/{number}/comments")
            for node in decode(page.content, list[RestComment], issue=issue.key, source=self.name)
        ]
        return tuple(comment for comment in found if comment.is_own)

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        """GitHub knows no key for a comment: after a lost answer the marker tells whether it was written."""
        repository, number = self._writable(issue)
        url = f"/repos/{repository}/issues/{number}/comments"
        return self._stored(self.client.write("POST", url, json={"body": marked(body)}, may_repeat=False))

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        repository, _ = self._writable(issue)
        url = f"/repos/{repository}/issues/comments/{comment.id}"
        return self._stored(self.client.write("PATCH", url, json={"body": marked(body)}))

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        repository, _ = self._writable(issue)
        try:
            self.client.write("DELETE", f"/repos/{repository}/issues/comments/{comment.id}")
        except NotFound:
            return

    def registrar(self) -> RepositoryHooks | AppHook:
        auth = self.client.auth
        return AppHook(self.client, auth) if isinstance(auth, AppToken) else RepositoryHooks(self.client, self.scopes)

    def close(self) -> None:
        self.client.close()

    def _stored(self, response: httpx.Response) -> Comment:
        node = decode(response.content, RestComment, source=self.name)
        return comment_from(node, self.directory.own().id)

    def _writable(self, issue: Issue) -> tuple[str, int]:
        repository, number = _address(issue)
        home = self.home(repository)
        if home.is_archived:
            raise PermissionMissing(
                f"{self.name}: {home.full_name} is archived and read-only; leave it out of write-back", status=403
            )
        return home.full_name, number

    def _ensure_label(self, repository: str, label: str) -> None:
        """With a colour and a text of its own; GitHub would make it grey and bare."""
        if (repository, label.casefold()) in self._labels:
            return
        if len(label) > LONGEST_LABEL:
            raise RequestRefused(f"{self.name}: the label {label} is longer than {LONGEST_LABEL} characters")
        try:
            self.client.get(f"/repos/{repository}/labels/{quote(label, safe='')}")
        except NotFound:
            self._make_label(repository, label)
        self._labels.add((repository, label.casefold()))

    def _make_label(self, repository: str, label: str) -> None:
        wanted = {"name": label, "color": LABEL_COLOR, "description": LABEL_TEXT}
        try:
            self.client.write("POST", f"/repos/{repository}/labels", json=wanted)
        except RequestRefused as error:
            if "already_exists" not in str(error):  # somebody was quicker, or the answer was lost
                raise
        except (PermissionMissing, NotFound):
            # The triage role sets labels and may not make them.
            raise PermissionMissing(
                f"{self.name}: the account may not create the label {label} in {repository}: create it by hand, or "
                "give the account the write role",
                status=403,
            ) from None


class _One(_Camel, frozen=True, kw_only=True):
    issue: msgspec.Raw = msgspec.Raw(b"null")


class _OneData(_Camel, frozen=True, kw_only=True):
    repository: _One | None = None


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    repositories: tuple[RestRepository, ...] = ()


def _repositories(body: bytes, *, source: str) -> Sequence[RestRepository]:
    """A plain list, or the object that app installations get."""
    if body.lstrip().startswith(b"{"):
        return decode(body, _Listed, source=source).repositories
    return decode(body, list[RestRepository], source=source)


def marked(body: str) -> str:
    """The comment with the hidden marker that makes it ours, cut to what GitHub takes."""
    text = f"{HIDDEN_MARKER}\n{body}"
    return text if len(text) <= LONGEST_BODY else text[: LONGEST_BODY - len(CUT)] + CUT


def _address(issue: Issue) -> tuple[str, int]:
    repository, _, number = issue.key.rpartition("#")
    return _path(repository), int(number)


def _path(name: str) -> str:
    return quote(name, safe="/")
