"""One pull of one repository: which issues changed, then their histories in batches, several at once.

The list of changed issues comes by GraphQL because it holds issues only: the REST list mixes pull requests in, and a
repository with ten pull requests for each issue would cost ten times the pages. A page of the list is light and names
the next one, so the pages come one after the other while the heavy batches (histories, comments, board) run beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import httpx
import msgspec

from backlint.connectors.contract import Page, Pulled, Quarantined
from backlint.connectors.github import queries
from backlint.connectors.github.client import Client, utc_now
from backlint.connectors.github.mapping import PageInfo, Reading, envelope, id_in, issue_from, utc
from backlint.connectors.github.position import Found, Look, Position
from backlint.connectors.github.queries import Schema
from backlint.connectors.graphql import Problem
from backlint.connectors.http import decode, served_at
from backlint.connectors.paging import Bookmarks
from backlint.errors import MalformedPayload, NotFound, PermissionMissing, TrackerDown

MOST_BOARDS = 100  # ids in one request
# Changed issues from which the list is read in several places at once, and how many each of them reads.
WORTH_PARTING = 1000
WINDOW = 400
SETTLED = timedelta(seconds=10)  # times have whole seconds, and GitHub's answers come from copies that may lag


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A repository as GitHub calls it now; `scope` is how the settings call it."""

    scope: str
    full_name: str
    is_archived: bool = False

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    @property
    def variables(self) -> dict[str, str]:
        return {"owner": self.owner, "name": self.name}

    @property
    def former(self) -> str | None:
        return self.scope if self.scope.casefold() != self.full_name.casefold() else None


class _Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class _Changed(_Camel, frozen=True, kw_only=True):
    id: str
    updated_at: datetime


class _ChangedPage(_Camel, frozen=True, kw_only=True):
    total_count: int
    page_info: PageInfo
    nodes: tuple[_Changed | None, ...]


class _ChangedIssues(_Camel, frozen=True, kw_only=True):
    issues: _ChangedPage


class _ChangedData(_Camel, frozen=True, kw_only=True):
    repository: _ChangedIssues | None


class _ItemRepository(_Camel, frozen=True, kw_only=True):
    name_with_owner: str


class _ItemContent(_Camel, frozen=True, kw_only=True):
    id: str | None = None
    repository: _ItemRepository | None = None


class _Item(_Camel, frozen=True, kw_only=True):
    updated_at: datetime
    content: _ItemContent | None = None


class _Items(_Camel, frozen=True, kw_only=True):
    page_info: PageInfo
    nodes: tuple[_Item | None, ...] = ()


class _ItemsOfBoard(_Camel, frozen=True, kw_only=True):
    items: _Items | None = None


class _ItemsData(_Camel, frozen=True, kw_only=True):
    node: _ItemsOfBoard | None = None


class _BoardChange(_Camel, frozen=True, kw_only=True):
    updated_at: str


class _Connection(_Camel, frozen=True, kw_only=True):
    page_info: PageInfo = PageInfo()


class _Rest(_Camel, frozen=True, kw_only=True):
    """Whether more of an issue is to come."""

    id: str = ""
    comments: _Connection = _Connection()
    timeline_items: _Connection = _Connection()
    board_events: _Connection = _Connection()

    def part(self, name: str) -> _Connection:
        return {"comments": self.comments, "timelineItems": self.timeline_items}.get(name, self.board_events)


class _MoreOf(_Camel, frozen=True, kw_only=True):
    page_info: PageInfo
    nodes: tuple[msgspec.Raw, ...] = ()


class _MoreNode(_Camel, frozen=True, kw_only=True):
    comments: _MoreOf | None = None
    timeline_items: _MoreOf | None = None
    board_events: _MoreOf | None = None


class _Count(_Camel, frozen=True, kw_only=True):
    total_count: int


class _CountsData(_Camel, frozen=True, kw_only=True):
    repository: dict[str, _Count] | None


class _MoreData(_Camel, frozen=True, kw_only=True):
    node: _MoreNode | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What GitHub said of one issue: its raw payload, or why there is none."""

    found: Found
    raw: bytes | None = None
    problem: str | None = None


@dataclass
class Pull:
    """Asks for what changed since `start` and gives it page by page."""

    client: Client
    home: Home
    reading: Reading
    start: Position
    has_boards: bool
    on_boards_hidden: Callable[[PermissionMissing], None]
    linked_boards: Mapping[str, str] = field(default_factory=dict)  # node id -> when it last changed
    parted_from: int = WORTH_PARTING
    window: int = WINDOW
    expected: int | None = field(default=None, init=False)
    _swept: dict[str, Look] = field(default_factory=dict, init=False)

    def pages(self) -> Iterator[Page]:
        """At least one page; the last one's cursor starts the next pull."""
        etag, is_unchanged, server_now = self._probe()
        at = self.start.starting(server_now, self.linked_boards)
        queue = self._batches(is_unchanged, server_now)
        held: tuple[Page, Position] | None = None
        for loaded in self.client.http.in_parallel(self._load, queue):
            if held is not None:
                yield held[0]
            page, at = self._page(loaded, at)
            held = page, at
        last = (held[1] if held else at).complete(etag=etag, swept=self._swept)
        issues, quarantined = (held[0].issues, held[0].quarantined) if held else ((), ())
        yield Page(issues=issues, quarantined=quarantined, cursor=last.text, expected=self.expected, is_last=True)

    # -- what changed ----------------------------------------------------------------------------------------------

    def _probe(self) -> tuple[str | None, bool, datetime]:
        """The newest entry's ETag. Sent back later, an answer 304 says for free that no issue has changed."""
        response = self.client.get(
            f"/repos/{self.home.full_name}/issues",
            params={"state": "all", "sort": "updated", "direction": "desc", "per_page": 1},
            headers={"If-None-Match": self.start.etag} if self.start.etag else None,
        )
        is_unchanged = response.status_code == 304
        now = served_at(response.headers) or utc_now()
        etag = self.start.etag if is_unchanged else _lasting_etag(response, now, source=self.client.source)
        return etag, is_unchanged, now

    def _batches(self, is_unchanged: bool, now: datetime) -> Iterator[list[Found]]:
        wanted = self._wanted(is_unchanged, now)
        while batch := list(islice(wanted, self.client.batch)):
            yield batch

    def _wanted(self, is_unchanged: bool, now: datetime) -> Iterator[Found]:
        seen: dict[str, datetime | None] = {}
        for found in () if is_unchanged else self._changed(now):
            if not self.start.has_delivered(found) and seen.get(found.id) != found.updated_at:
                seen[found.id] = found.updated_at
                yield found
        for id in self._moved(now) if self.has_boards and self.start.has_all else ():
            if id not in seen:
                seen[id] = None
                yield Found(id)

    def _changed(self, now: datetime) -> Iterator[Found]:
        """Oldest change first, so that a pull that is cut off can go on where it was."""
        first, after = self._listed(self.start.asks_since, None)
        yield from first
        if after is None:
            return
        if self.expected is None or self.expected < self.parted_from:
            yield from self._list(self.start.asks_since, after=after)
            return
        newest = first[-1].updated_at
        windows = self._windows(newest, now)
        for found in self.client.http.in_parallel(lambda window: list(self._list(*window)), windows):
            yield from found
            newest = found[-1].updated_at if found else newest
        # What changed meanwhile went from its window to the end, where it may have come too late.
        yield from self._list(newest)

    def _list(
        self, since: datetime | None, until: datetime | None = None, *, after: str | None = None
    ) -> Iterator[Found]:
        """Changes in [since, until), one page after the other; `after` is where an earlier page ended."""
        bookmarks = Bookmarks(self.client.source, f"the list of issues of {self.home.scope}")
        while True:
            page, after = self._listed(since, after)
            for found in page:
                if until is not None and found.updated_at is not None and found.updated_at >= until:
                    return
                yield found
            if after is None:
                return
            bookmarks.turn_to(after)

    def _listed(self, since: datetime | None, after: str | None) -> tuple[list[Found], str | None]:
        """One page, and where the next one begins."""
        variables = {**self.home.variables, "after": after} | ({"since": _text(since)} if since else {})
        answered = self.client.data(queries.CHANGED, _ChangedData, variables, what=self.home.scope)
        if answered.repository is None:
            raise NotFound(f"{self.client.source}: {self.home.scope} is gone or hidden", status=404)
        page = answered.repository.issues
        self.expected = page.total_count if self.expected is None else self.expected
        if any(node is None for node in page.nodes):  # it must not pass for an issue that is not there
            raise TrackerDown(f"{self.client.source}: GitHub left issues out of the list of {self.home.scope}")
        info = page.page_info
        found = [Found(node.id, utc(node.updated_at)) for node in page.nodes if node]
        return found, info.end_cursor if info.has_next_page and found else None

    def _windows(self, begin: datetime | None, now: datetime) -> list[tuple[datetime, datetime | None]]:
        """Spans of time with some hundreds of changes each, the last one open, from `begin` to the end of today."""
        assert begin is not None  # of the list of changes, which names a time for each
        end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        step = (end - begin) / queries.COUNTS_AT_ONCE
        grid = [(begin + step * n).replace(microsecond=0) for n in range(queries.COUNTS_AT_ONCE)]
        asked = {f"since{n}": _text(moment) for n, moment in enumerate(grid)}
        answered = self.client.data(
            queries.counts(len(grid)), _CountsData, {**self.home.variables, **asked}, what=self.home.scope
        )
        counts = answered.repository or {}
        left = [counts[f"n{n}"].total_count if f"n{n}" in counts else 0 for n in range(len(grid))]
        return spans(grid, left, size=self.window)

    def _moved(self, now: datetime) -> Iterator[str]:
        """Issues whose card has moved. Whether that changes the issue's own time is not documented [unverified], so
        the boards themselves are asked: first whether they changed, then each hundred cards by a light page."""
        looks = {**{id: Look() for id in self.linked_boards}, **self.start.boards}
        for id, updated_at in self._board_changes(list(looks)):
            look = looks[id]
            if look.is_due(updated_at, now):
                yield from self._moved_on(id, look.asks_since)
                self._swept[id] = Look(updated_at=updated_at, swept_at=now)

    def _board_changes(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        for start in range(0, len(ids), MOST_BOARDS):
            asked = ids[start : start + MOST_BOARDS]
            try:
                answers = self.client.nodes(queries.BOARD_CHANGES, asked)
            except PermissionMissing as error:
                self.on_boards_hidden(error)
                return
            for id, raw in zip(asked, answers, strict=True):
                if isinstance(raw, bytes):  # else it was deleted, or is hidden now
                    yield id, decode(raw, _BoardChange, source=self.client.source).updated_at

    def _moved_on(self, board: str, since: datetime | None) -> Iterator[str]:
        after: str | None = None
        bookmarks = Bookmarks(self.client.source, "the list of a board's cards")
        while True:
            try:
                answered = self.client.data(
                    queries.BOARD_ITEMS, _ItemsData, {"board": board, "after": after}, what="a project board"
                )
            except NotFound:
                return  # the board was deleted
            except PermissionMissing as error:
                self.on_boards_hidden(error)
                return
            items = answered.node.items if answered.node else None
            if items is None:
                return
            for item in items.nodes:
                if item and (since is None or utc(item.updated_at) >= since) and self._is_here(item):
                    yield str(item.content.id if item.content else "")
            after = items.page_info.end_cursor
            if not items.page_info.has_next_page or after is None:
                return
            bookmarks.turn_to(after)

    def _is_here(self, item: _Item) -> bool:
        content = item.content
        return bool(
            content
            and content.id
            and content.repository
            and content.repository.name_with_owner.casefold() == self.home.full_name.casefold()
        )

    # -- the issues themselves -------------------------------------------------------------------------------------

    def _load(self, batch: Sequence[Found]) -> list[Loaded]:
        return load(self.client, self.home, batch, has_boards=self.has_boards, on_boards_hidden=self._go_on_without)

    def _go_on_without(self, error: PermissionMissing) -> None:
        self.has_boards = False
        self.on_boards_hidden(error)

    def _page(self, loaded: Sequence[Loaded], at: Position) -> tuple[Page, Position]:
        issues, quarantined = read_all(loaded, self.reading)
        boards = frozenset(id for each in loaded if each.raw for id in boards_in(each.raw))
        moved_on = at.behind((each.found for each in loaded), boards=boards)
        page = Page(issues=issues, quarantined=quarantined, cursor=moved_on.text, expected=self.expected)
        return page, moved_on


class _Newest(msgspec.Struct, frozen=True, kw_only=True):
    updated_at: datetime


def _lasting_etag(response: httpx.Response, now: datetime, *, source: str) -> str | None:
    """Of an entry whose second is over: another change within it would leave the newest entry as it is."""
    newest = decode(response.content, list[_Newest], source=source)
    if newest and utc(newest[0].updated_at) > now - SETTLED:
        return None
    etag: str | None = response.headers.get("etag")
    return etag


def load(
    client: Client,
    home: Home,
    batch: Sequence[Found],
    *,
    has_boards: bool,
    on_boards_hidden: Callable[[PermissionMissing], None],
) -> list[Loaded]:
    """The payloads of a batch, complete: histories and comments beyond the first hundred are fetched here."""
    schema = client.schema()
    ids = [found.id for found in batch]
    try:
        answers = client.nodes(queries.details(schema, has_boards=has_boards), ids)
    except PermissionMissing as error:
        if not has_boards:
            raise
        on_boards_hidden(error)
        answers = client.nodes(queries.details(schema, has_boards=False), ids)
    return [whole(client, home, *each) for each in zip(batch, answers, strict=True)]


def whole(client: Client, home: Home, found: Found, answer: bytes | Problem | None) -> Loaded:
    """One issue with its continuations."""
    if answer is None:
        return Loaded(found)
    if isinstance(answer, Problem):
        return Loaded(found, problem=answer.message)
    return Loaded(
        found, envelope(home.full_name, is_archived=home.is_archived, issue=completed(client, answer, found.id))
    )


MORE: Mapping[str, Callable[[Schema], str]] = {
    "comments": queries.more_comments,
    "timelineItems": queries.more_events,
    "boardEvents": queries.more_board_events,
}


def completed(client: Client, raw: bytes, id: str) -> bytes:
    """The issue with its further comments and events, where there are more than a hundred."""
    try:
        rest = msgspec.json.decode(raw, type=_Rest)
    except msgspec.ValidationError:
        return raw  # it cannot even say whether more is to come: the mapping says what is wrong
    for part, document in MORE.items():
        info = rest.part(part).page_info
        if info.has_next_page:
            raw = _completed(client, raw, id, part, info, document(client.schema()))
    return raw


def _completed(client: Client, raw: bytes, id: str, part: str, info: PageInfo, document: str) -> bytes:
    issue = msgspec.json.decode(raw)
    bookmarks = Bookmarks(client.source, f"the list {part} of an issue")
    while info.has_next_page:
        bookmarks.turn_to(info.end_cursor)
        try:
            answered = client.data(document, _MoreData, {"id": id, "after": info.end_cursor}, what="an issue")
        except NotFound:
            break  # deleted meanwhile; what there is says that it is not whole
        node = answered.node
        more = (node.comments or node.timeline_items or node.board_events) if node else None
        if more is None:
            break
        issue[part]["nodes"].extend(msgspec.json.decode(bytes(node)) for node in more.nodes)
        info = more.page_info
        issue[part]["pageInfo"] = {"hasNextPage": info.has_next_page, "endCursor": info.end_cursor}
    return msgspec.json.encode(issue)


def read_all(loaded: Iterable[Loaded], reading: Reading) -> tuple[tuple[Pulled, ...], tuple[Quarantined, ...]]:
    """The payloads as issues; those that cannot be read are set aside. Gone ones are the census's business."""
    issues: list[Pulled] = []
    aside: list[Quarantined] = []
    for each in loaded:
        if each.problem is not None:
            aside.append(
                Quarantined(
                    id=each.found.id, issue=each.found.id, path="$", reason=each.problem, raw=b"", is_given=False
                )
            )
        if each.raw is None:
            continue
        try:
            issues.append(Pulled(issue_from(each.raw, reading), each.raw))
        except MalformedPayload as error:
            id = id_in(each.raw) or each.found.id
            aside.append(Quarantined(id=id, issue=error.issue, path=error.path, reason=str(error), raw=each.raw))
    return tuple(issues), tuple(aside)


class _OnBoard(_Camel, frozen=True, kw_only=True):
    project: _BoardId | None = None


class _BoardId(_Camel, frozen=True, kw_only=True):
    id: str | None = None


class _OnBoards(_Camel, frozen=True, kw_only=True):
    nodes: tuple[_OnBoard | None, ...] = ()


class _BoardsOnly(_Camel, frozen=True, kw_only=True):
    project_items: _OnBoards | None = None


class _IssueBoards(_Camel, frozen=True, kw_only=True):
    issue: _BoardsOnly = _BoardsOnly()


def boards_in(raw: bytes) -> Iterator[str]:
    """The node ids of the boards an issue is on."""
    try:
        items = msgspec.json.decode(raw, type=_IssueBoards).issue.project_items
    except msgspec.ValidationError:
        return
    for item in items.nodes if items else ():
        if item and item.project and item.project.id:
            yield item.project.id


def spans(grid: Sequence[datetime], left: Sequence[int], *, size: int) -> list[tuple[datetime, datetime | None]]:
    """The grid's moments joined to spans of `size` changes or more; `left` are the changes from each moment on."""
    bounds, count = [grid[0]], left[0]
    for moment, more in zip(grid[1:], left[1:], strict=True):
        if count - more >= size:
            bounds.append(moment)
            count = more
    return list(zip(bounds, [*bounds[1:], None], strict=True))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
