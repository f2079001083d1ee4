"""How issues are fetched: Cloud by id lists and bulk requests, Data Center by windows of its search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from backlint.connectors.contract import Quarantined
from backlint.connectors.http import TrackerHttp, decode
from backlint.connectors.jira.mapping import head_of, id_in, name_in
from backlint.connectors.jira.payloads import (
    BulkChangelog,
    BulkError,
    BulkIssues,
    CommentPage,
    Custom,
    Found,
    Head,
    Record,
    SearchPage,
)
from backlint.connectors.jira.site import Site
from backlint.connectors.jira.values import PROPERTY, milliseconds, moment
from backlint.connectors.paging import Bookmarks
from backlint.errors import MalformedPayload, NotFound, RequestRefused, TrackerDown

T = TypeVar("T")

ID_PAGE = 5000  # what Cloud gives for ids alone; it gives less when it wants to
BULK = 100  # issues in one bulk request
PAGE = 200  # issues whose histories are asked for in one request, which could be 1,000
CHANGES = 10_000  # histories in one page of the bulk changelog
COMMENT_PAGE = 100
MOST_EMPTY_PAGES = 20
SERVER_PAGE = 100
SERVER_ID_PAGE = 1000
# Data Center refuses to search beyond 10,000 rows, so a new window is begun well before.
SERVER_WINDOW = 5000
MOST_WINDOWS_WITHOUT_PROGRESS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """An issue as a search lists it; `updated` in milliseconds, 0 where it was not asked for."""

    id: str
    updated: int = 0


@dataclass(frozen=True, slots=True)
class RowPage:
    rows: list[Row]
    is_last: bool


@dataclass(frozen=True, slots=True)
class ServerPage:
    """Rows and their issues, side by side."""

    rows: list[Row]
    issues: list[Raw]


@dataclass(slots=True)
class Fetched:
    """What came of asking for some issues. Missing ones are in neither list: gone, or not for us to see."""

    records: list[Record] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    rows: Sequence[Row] = ()


class CloudReader:
    """The calls of Jira Cloud, version 3."""

    root = "/rest/api/3"

    def __init__(self, http: TrackerHttp, site: Site) -> None:
        self._http, self._site = http, site

    def rows(self, jql: str, *, with_updated: bool = False) -> Iterator[RowPage]:
        """Every issue that a query finds, in its order. The end is the page without a token; no total is told."""
        token: str | None = None
        bookmarks = Bookmarks(self._site.source, "the search")
        empty = 0
        while True:
            page = self._search(jql, ["updated"] if with_updated else ["id"], token)
            token = page.next_page_token
            yield RowPage([self._row(raw) for raw in page.issues], is_last=not token)
            if not token:
                return
            empty = 0 if page.issues else empty + 1
            if empty > MOST_EMPTY_PAGES:
                raise TrackerDown(f"{self._site.source}: the search gives nothing but empty pages; try again later")
            bookmarks.turn_to(token)

    def count(self, jql: str) -> int:
        answer = self._post("/search/approximate-count", {"jql": jql})
        return int(decode(answer, dict[str, Any]).get("count", 0))

    def fetch(self, rows: Sequence[Row]) -> Fetched:
        """Issues with their whole history and all comments; the histories of more issues fit into one request."""
        fetched = Fetched(rows=rows)
        heads: list[tuple[Head, Raw]] = []
        for some in batches(rows):
            answer = self._bulk(some)
            retried = [raw for each in answer.issue_errors for raw in self._retried(each, fetched)]
            heads += self._heads([*answer.issues, *retried], fetched)
        histories = self._histories([head.id for head, _ in heads]) if heads else {}
        for head, raw in heads:
            comments = self._comments(head)
            fetched.records.append(Record(issue=raw, histories=histories.get(head.id, []), comments=comments))
        return fetched

    def _bulk(self, rows: Sequence[Row]) -> BulkIssues:
        body = {
            "issueIdsOrKeys": [row.id for row in rows],
            "fields": self._site.asked_fields,
            "properties": [PROPERTY],
        }
        return decode(self._post("/issue/bulkfetch", body), BulkIssues, source=self._site.source)

    def _search(self, jql: str, fields: list[str], token: str | None) -> SearchPage:
        body: dict[str, Any] = {"jql": jql, "fields": fields, "maxResults": ID_PAGE}
        if token:
            body["nextPageToken"] = token
        return decode(self._post("/search/jql", body), SearchPage, source=self._site.source)

    def _row(self, raw: Raw) -> Row:
        found = decode(bytes(raw), Found, source=self._site.source)
        return Row(found.id, _milliseconds(found.fields.updated))

    def _heads(self, issues: Iterable[Raw], fetched: Fetched) -> Iterator[tuple[Head, Raw]]:
        for raw in issues:
            try:
                yield head_of(raw, self._site.source), raw
            except MalformedPayload as error:
                fetched.quarantined.append(quarantine(error, raw))

    def _retried(self, failed: BulkError, fetched: Fetched) -> Iterator[Raw]:
        """An issue that the bulk request could not load this time, asked for alone."""
        params = {"fields": self._site.asked_in_address, "properties": PROPERTY}
        try:
            answer = self._http.request("GET", f"{self.root}/issue/{failed.id}", may_repeat=True, params=params)
        except NotFound:
            return
        except RequestRefused as error:
            reason = f"{error} (in bulk: {failed.error_message})"
            fetched.quarantined.append(
                Quarantined(id=failed.id, issue=failed.id, path="$", reason=reason, raw=b"", is_given=False)
            )
            return
        yield Raw(answer.content)

    def _histories(self, ids: list[str]) -> dict[str, list[Raw]]:
        """Whole histories; one issue's may lie on several pages, since the order is by time over all issues."""
        found: dict[str, list[Raw]] = {}
        body: dict[str, Any] = {"issueIdsOrKeys": ids, "maxResults": CHANGES}
        bookmarks = Bookmarks(self._site.source, "the changelog")
        while True:
            page = decode(self._post("/changelog/bulkfetch", body), BulkChangelog, source=self._site.source)
            for each in page.issue_change_logs:
                found.setdefault(each.issue_id, []).extend(each.change_histories)
            if not page.next_page_token:
                return found
            bookmarks.turn_to(page.next_page_token)
            body["nextPageToken"] = page.next_page_token

    def _comments(self, head: Head) -> list[Raw] | None:
        """None where the issue carries all of them; the field is cut for issues with many."""
        return all_comments_unless_whole(self._http, self.root, head)

    def _post(self, path: str, body: Any) -> bytes:
        return self._http.request("POST", self.root + path, may_repeat=True, json=body).content


class ServerReader:
    """The calls of Jira Data Center, version 2."""

    root = "/rest/api/2"

    def __init__(self, http: TrackerHttp, site: Site) -> None:
        self._http, self._site = http, site
        self._epics: dict[str, str] = {}
        self.expected: int | None = None  # issues in the search that `pages` went through last

    def ids(self, project: str) -> Iterator[list[str]]:
        """Every issue of a project."""
        for page in self.windows(project, by="created", since=0, size=SERVER_ID_PAGE, fields=["created"], expand=[]):
            yield [found.id for _, found in page]

    def pages(self, project: str, *, by: str, since: int) -> Iterator[ServerPage]:
        """Whole issues in the order of `by`, with histories and comments inline."""
        totals: list[int] = []
        for page in self.windows(
            project, by=by, since=since, size=SERVER_PAGE, fields=self._site.asked_fields, expand=["changelog"],
            totals=totals,
        ):  # fmt: skip
            rows = [Row(found.id, _milliseconds(found.fields.updated)) for _, found in page]
            self.expected = totals[0]
            yield ServerPage(rows, [raw for raw, _ in page])

    def fetch(self, page: ServerPage) -> Fetched:
        """The issues of a page with what a page may leave out."""
        fetched = Fetched(rows=page.rows)
        for raw in page.issues:
            try:
                fetched.records.append(self._record(raw))
            except MalformedPayload as error:
                fetched.quarantined.append(quarantine(error, raw))
        self._name_epics(fetched.records)
        return fetched

    def one(self, id: str) -> Fetched:
        params = {"fields": self._site.asked_in_address, "expand": "changelog"}
        answer = self._http.request("GET", f"{self.root}/issue/{id}", may_repeat=True, params=params)
        return self.fetch(ServerPage([Row(id)], [Raw(answer.content)]))

    def found(self, id: str) -> Fetched:
        """As `one`, and nothing if it is gone."""
        try:
            return self.one(id)
        except NotFound:
            return Fetched()

    def windows(
        self, project: str, *, by: str, since: int, size: int, fields: list[str], expand: list[str],
        totals: list[int] | None = None,
    ) -> Iterator[list[tuple[Raw, Found]]]:  # fmt: skip
        """Rows in the order of `by`, each once. A window ends before the server's limit, or when rows moved under us.

        Neighbouring pages share one row: where it does not match, an issue was deleted or changed meanwhile and
        others moved up, so a new window begins at the last row that is certain.
        """
        done: dict[str, int] = {}
        bound, stuck = since, 0
        while stuck < MOST_WINDOWS_WITHOUT_PROGRESS:
            jql = f"project = {project} AND {by} >= {bound - bound % 60_000} ORDER BY {by} ASC, key ASC"
            progress = False
            outcome = _Window([] if totals is None else totals)
            for page in self._window(jql, size, fields, expand, outcome):
                fresh = [(raw, found) for raw, found in page if done.get(found.id) != _stamp(found, by)]
                for _, found in page:
                    done[found.id] = _stamp(found, by)
                    bound = max(bound, done[found.id])
                if fresh:
                    progress = True
                    yield fresh
            if outcome.is_complete:
                return
            stuck = 0 if progress else stuck + 1
        raise TrackerDown(f"{self._site.source}: the search does not get on: too many issues share one minute")

    def _window(
        self, jql: str, size: int, fields: list[str], expand: list[str], outcome: _Window
    ) -> Iterator[list[tuple[Raw, Found]]]:
        first = self._search(jql, 0, fields, expand=expand, size=size)
        rows = self._rows(first)
        total, step = first.total or len(rows), len(rows) - 1
        outcome.totals.append(total)
        yield rows
        if len(rows) >= total or step < 1:
            outcome.is_complete = len(rows) >= total
            return
        starts = range(step, min(total - 1, SERVER_WINDOW), step)
        last = rows[-1][1].id
        for page in self._http.in_parallel(
            lambda start: self._search(jql, start, fields, expand=expand, size=step + 1), starts
        ):
            rows = self._rows(page)
            if not rows or rows[0][1].id != last:
                return
            yield rows[1:]
            last = rows[-1][1].id
            outcome.is_complete = (page.start_at or 0) + len(rows) >= (page.total or 0)

    def _rows(self, page: SearchPage) -> list[tuple[Raw, Found]]:
        return [(raw, self._found(raw)) for raw in page.issues]

    def _found(self, raw: Raw) -> Found:
        """A row whose times cannot be read goes on under its name, to be quarantined by the mapping."""
        try:
            return decode(bytes(raw), Found, source=self._site.source)
        except MalformedPayload:
            return Found(name_in(raw))

    def _search(self, jql: str, start: int, fields: list[str], *, size: int, expand: Sequence[str] = ()) -> SearchPage:
        # `expand` as an array in the body is how the package for Data Center sends it elsewhere [unverified here].
        body = {"jql": jql, "startAt": start, "maxResults": size, "fields": fields, "expand": list(expand)}
        answer = self._http.request("POST", f"{self.root}/search", may_repeat=True, json=body).content
        return decode(answer, SearchPage, source=self._site.source)

    def _record(self, raw: Raw) -> Record:
        head = head_of(raw, self._site.source)
        whole = head.changelog is None or (head.changelog.total or 0) <= len(head.changelog.histories)
        comments = all_comments_unless_whole(self._http, self.root, head)
        return Record(issue=raw, comments=comments, history_is_complete=whole)

    def _name_epics(self, records: Sequence[Record]) -> None:
        """Issues name their epic by key; the id is what lasts."""
        keys = [self._epic_key(record) for record in records]
        unknown = sorted({key for key in keys if key and key not in self._epics})
        if unknown:
            self._epics |= self._ids_of(unknown)
        for record, key in zip(records, keys, strict=True):
            record.epic, record.epic_key = self._epics.get(key or ""), key

    def _epic_key(self, record: Record) -> str | None:
        custom = msgspec.json.decode(record.issue, type=Custom).fields
        for id in self._site.fields.epic_link:
            value = msgspec.json.decode(custom.get(id, Raw(b"null")))
            if isinstance(value, str):
                return value
        return None

    def _ids_of(self, keys: list[str]) -> dict[str, str]:
        """One unknown or invisible key makes the whole query fail; then each is asked alone. Archived epics are in no
        search, but can be looked at."""
        quoted = ", ".join(f'"{key}"' for key in keys)
        found: dict[str, str] = {}
        try:
            page = self._search(f"key in ({quoted})", 0, ["id"], size=len(keys))
            found = {head.key: head.id for head in (head_of(raw, self._site.source) for raw in page.issues)}
        except RequestRefused:
            if len(keys) > 1:
                return {k: v for key in keys for k, v in self._ids_of([key]).items()}
        return found | {key: id for key in keys if key not in found and (id := self._id_of(key)) is not None}

    def _id_of(self, key: str) -> str | None:
        try:
            answer = self._http.request("GET", f"{self.root}/issue/{key}", may_repeat=True, params={"fields": "id"})
        except NotFound:
            return None
        return str(decode(answer.content, dict[str, Any], issue=key, source=self._site.source)["id"])


@dataclass(slots=True)
class _Window:
    """How a window of a search ended, and the totals that the server told."""

    totals: list[int]
    is_complete: bool = False


def all_comments_unless_whole(http: TrackerHttp, root: str, head: Head) -> list[Raw] | None:
    """None where the issue carries all its comments, else all of them from their own list."""
    page = head.fields.comment
    if page is not None and page.total is not None and page.total <= len(page.comments):
        return None
    return all_comments(http, root, head.id)


def all_comments(http: TrackerHttp, root: str, issue: str) -> list[Raw]:
    """Oldest first. Pages are as long as the server likes."""
    found: list[Raw] = []
    while True:
        params = {"startAt": len(found), "maxResults": COMMENT_PAGE, "orderBy": "created"}
        answer = http.request("GET", f"{root}/issue/{issue}/comment", may_repeat=True, params=params).content
        page = decode(answer, CommentPage, issue=issue, source=http.source)
        found += page.comments
        if not page.comments or len(found) >= (page.total or 0):
            return found


def quarantine(error: MalformedPayload, raw: Raw, *, kept: bytes | None = None) -> Quarantined:
    """`raw` is the issue; `kept` what is stored of it, if that is more."""
    return Quarantined(id=id_in(raw), issue=error.issue, path=error.path, reason=str(error), raw=kept or bytes(raw))


def batches(rows: Iterable[T], size: int = BULK) -> Iterator[list[T]]:
    batch: list[T] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _milliseconds(value: Any) -> int:
    try:
        return 0 if value is None else milliseconds(moment(value))
    except ValueError:  # the mapping reports it
        return 0


def _stamp(found: Found, by: str) -> int:
    return _milliseconds(found.fields.created if by == "created" else found.fields.updated)
