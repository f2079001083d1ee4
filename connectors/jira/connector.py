"""Jira Cloud and Data Center as a source: what is asked of it, in which order."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from pydantic import SecretStr

from backlint.connectors.contract import (
    Capabilities,
    Check,
    Page,
    Pulled,
    Quarantined,
    Reference,
    SourceFacts,
    Usage,
    Whereabouts,
)
from backlint.connectors.jira import diagnosis, reading
from backlint.connectors.jira.cursor import Cursor, begin, read_cursor
from backlint.connectors.jira.facts import unread_fields
from backlint.connectors.jira.mapping import mapped
from backlint.connectors.jira.payloads import Record
from backlint.connectors.jira.reading import Fetched, Row, ServerPage, batches, quarantine
from backlint.connectors.jira.registration import AdminHooks, AppHooks
from backlint.connectors.jira.session import Session
from backlint.connectors.jira.stored import JiraStored
from backlint.connectors.jira.values import milliseconds, project_from
from backlint.connectors.jira.writing import Writer
from backlint.connectors.mapping_digest import mapping_digest
from backlint.connectors.visible import visible
from backlint.errors import MalformedPayload, NotFound
from backlint.model import Comment, Issue, Person, Tracker
from backlint.settings import SourceSettings

MOST_IN_A_MINUTE = 20_000  # rows searched for the last one done; imports create thousands of issues at once


class JiraConnector:
    """One Jira site, Cloud or Data Center."""

    tracker = Tracker.JIRA
    capabilities = Capabilities(
        changelog=True, sprints=True, estimates=True, priorities=True, due_dates=True, archive_is_unlisted=True
    )

    def __init__(
        self, settings: SourceSettings, token: SecretStr, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = settings.name
        self.usage = Usage()
        self._settings = settings
        self._session = Session(settings, token, self.usage, sleep)
        self._writer = Writer(self._session)
        self._people: dict[str, Person] = {}

    def close(self) -> None:
        self._session.http.close()

    def registrar(self) -> AdminHooks | AppHooks:
        kind = AppHooks if self._settings.oauth is not None else AdminHooks
        return kind(self._session, self.scopes)

    # -- what there is ---------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        return diagnosis.diagnose(self._session)

    def discover(self) -> SourceFacts:
        return diagnosis.discover(self._session)

    def scopes(self) -> Sequence[str]:
        wanted: list[str] = []
        for scope in self._settings.scope:
            if any(sign in scope for sign in "*?["):
                keys = [str(each["key"]) for each in self._session.visible_projects()]
                wanted += sorted(key for key in keys if fnmatch.fnmatchcase(key, scope.upper()))
            else:
                wanted.append(scope)
        found = self._visible(wanted)
        return list(dict.fromkeys(str(each["key"]) if each else scope for scope, each in found.items()))

    def reference(self) -> Reference:
        session = self._session
        session.refresh()
        keys = [key for key, found in self._visible(self.scopes()).items() if found]
        _ = session.site  # before what is asked for side by side and needs it
        sprints, people = session.http.side_by_side(lambda: session.sprints(keys), lambda: list(session.people(keys)))
        self._people |= {person.id: person for person in people}
        session.know_sprints(sprints)
        return Reference(
            statuses=session.statuses.facts,
            people=tuple(self._people.values()),
            projects=tuple(project_from(session.project(key), session.site) for key in keys),
            sprints=sprints,
            types=tuple(dict.fromkeys(each.name for each in session.types)),
            own_account=session.account.id,
            account_name=session.account.name,
            facts=session.facts.json(),
            mapping=mapping_digest(self._settings),
            unread=unread_fields(session.facts, session.site),
        )

    def stored(self, facts: bytes, *, now: datetime) -> JiraStored:
        return JiraStored(self._settings, facts)

    def _visible(self, scopes: Iterable[str]) -> dict[str, Mapping[str, Any] | None]:
        _ = self._session.account  # once, before several ask for it
        return visible(scopes, self._session.project, at_once=self._settings.concurrency)

    def people_seen(self) -> Sequence[Person]:
        return tuple(self._people.values())

    # -- pulling ---------------------------------------------------------------------------------------------------

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        state = read_cursor(cursor, source=self.name)
        project = str(self._session.project(scope)["id"])
        begin(state, milliseconds(self._session.reader.tracker_now()))
        if self._session.is_cloud:
            yield from self._pull_cloud(project, state)
        else:
            yield from self._pull_server(project, state)
        yield Page(issues=(), cursor=state.finished().text(), is_last=True)

    def _pull_cloud(self, project: str, state: Cursor) -> Iterator[Page]:
        """Ids first, 5,000 at a time; then the issues in parallel, saved in the order of the ids."""
        cloud = self._session.cloud
        query = _query(project, state)
        pages = cloud.rows(query, with_updated=not state.full)
        first = next(pages)
        expected = len(first.rows) if first.is_last else cloud.count(query)
        rows = (row for page in chain([first], pages) for row in page.rows)
        wanted = _behind(rows, state) if state.full else _changed(rows, state)
        for fetched in self._session.http.in_parallel(cloud.fetch, batches(wanted, reading.PAGE)):
            yield self._page(fetched, state, expected)

    def _pull_server(self, project: str, state: Cursor) -> Iterator[Page]:
        server = self._session.server
        by = "created" if state.full else "updated"
        pages = server.pages(project, by=by, since=state.lower)
        wanted = (page for page in (_unknown(page, state) for page in pages) if page.rows)
        for fetched in self._session.http.in_parallel(server.fetch, wanted):
            yield self._page(fetched, state, server.expected)

    def _page(self, fetched: Fetched, state: Cursor, expected: int | None) -> Page:
        """Map what came, and move the cursor behind it."""
        issues, quarantined = self._read_all(fetched)
        _advance(state, fetched.rows, [each.issue for each in issues])
        return Page(issues=issues, cursor=state.text(), quarantined=quarantined, expected=expected)

    def _read_all(self, fetched: Fetched) -> tuple[tuple[Pulled, ...], tuple[Quarantined, ...]]:
        done: list[Pulled] = []
        quarantined = list(fetched.quarantined)
        for record in fetched.records:
            try:
                done.append(self._mapped(record))
            except MalformedPayload as error:
                quarantined.append(quarantine(error, record.issue, kept=msgspec.json.encode(record)))
        return tuple(done), tuple(quarantined)

    def _mapped(self, record: Record) -> Pulled:
        made = mapped(record, self._session.site)
        self._people |= {person.id: person for person in made.people}
        return Pulled(self._session.statuses.apply(made.issue), made.raw)

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        """Archived issues are in no search; `locate` finds them present."""
        project = str(self._session.project(scope)["id"])
        if self._session.is_cloud:
            for page in self._session.cloud.rows(f"project = {project} ORDER BY created ASC, key ASC"):
                yield [row.id for row in page.rows]
        else:
            yield from self._session.server.ids(project)

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        session = self._session
        if session.is_cloud:
            some = session.http.in_parallel(session.cloud.fetch, batches(map(Row, ids)))
        else:
            some = session.http.in_parallel(session.server.found, ids)
        for fetched in some:
            issues, quarantined = self._read_all(fetched)
            yield Page(issues=issues, quarantined=quarantined, cursor="")

    def locate(self, issue: Issue) -> Whereabouts:
        """Jira says the same of a deleted issue and of one behind a security level; a hidden project it tells apart."""
        session = self._session
        _ = session.account
        try:
            found = session.get_object(f"{session.root}/issue/{issue.id}", fields="project,archiveddate")
        except NotFound:
            return Whereabouts.DELETED if self._is_visible(issue.project or "") else Whereabouts.UNREADABLE
        fields = found.get("fields", {})
        if str(fields.get("project", {}).get("key", issue.project)) != issue.project:
            return Whereabouts.MOVED
        # Data Center has the field since issues can be archived (8.1); whether Cloud gives it is not documented
        # [unverified]: without it an archived issue is present, and in no list.
        return Whereabouts.ARCHIVED if fields.get("archiveddate") else Whereabouts.PRESENT

    def _is_visible(self, project: str) -> bool:
        try:
            self._session.get(f"{self._session.root}/project/{project}")
        except NotFound:
            return False
        return True

    def read(self, issue: Issue) -> Issue:
        session = self._session
        fetched = session.cloud.fetch([Row(issue.id)]) if session.is_cloud else session.server.one(issue.id)
        if fetched.records:
            return self._mapped(fetched.records[0]).issue
        if fetched.quarantined:
            bad = fetched.quarantined[0]
            raise MalformedPayload(bad.reason, issue=bad.issue, path=bad.path)
        raise NotFound(f"{self.name}: issue {issue.key} is gone or not visible to this account", status=404)

    # -- writing ---------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        self._writer.label(issue, "add", label)

    def remove_label(self, issue: Issue, label: str) -> None:
        self._writer.label(issue, "remove", label)

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        return self._writer.managed(issue)

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        return self._writer.create(issue, body, key)

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        return self._writer.update(issue, comment, body)

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        self._writer.delete(issue, comment)


def _query(project: str, state: Cursor) -> str:
    """By project id, which outlives a change of key; times as milliseconds, which no profile's time zone bends."""
    field = "created" if state.full else "updated"
    since = f" AND {field} >= {state.lower}" if state.lower else ""
    return f"project = {project}{since} ORDER BY {field} ASC, key ASC"


def _behind(rows: Iterator[Row], state: Cursor) -> Iterator[Row]:
    """Rows of a full pull behind the last one done. It shares its minute with the first row, so it comes early."""
    held: list[Row] = []
    while state.last and len(held) < MOST_IN_A_MINUTE and (row := next(rows, None)) is not None:
        held.append(row)
        if row.id == state.last:
            return rows
    return chain(held, rows)


def _changed(rows: Iterable[Row], state: Cursor) -> Iterator[Row]:
    """Rows of the overlap that are stored as they are need not be fetched again."""
    return (row for row in rows if not state.is_known(row.id, row.updated))


def _unknown(page: ServerPage, state: Cursor) -> ServerPage:
    kept = [
        (row, raw) for row, raw in zip(page.rows, page.issues, strict=True) if not state.is_known(row.id, row.updated)
    ]
    return ServerPage([row for row, _ in kept], [raw for _, raw in kept])


def _advance(state: Cursor, rows: Sequence[Row], issues: Sequence[Issue]) -> None:
    """Note what is stored; an issue whose history is behind its status is read again next time."""
    by_id = {issue.id: issue for issue in issues}
    for issue in issues:
        agrees = not issue.transitions or issue.transitions[-1].after.id == issue.status.id
        if issue.updated_at is not None and agrees:
            state.note(issue.id, milliseconds(issue.updated_at))
    if state.full:
        placed = [by_id[row.id] for row in rows if row.id in by_id]
        if placed and placed[-1].created_at is not None:
            state.at, state.last = milliseconds(placed[-1].created_at), placed[-1].id
    else:
        state.at = max([state.at, *(row.updated for row in rows)])
    state.forget_old()
