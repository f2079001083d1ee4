"""Pulls a team: the first time by windows of issue numbers side by side, later by what changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from backlint.connectors.contract import Page
from backlint.connectors.linear import payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.cursor import Cursor, Sweep
from backlint.connectors.linear.rows import IssueRows, Row, text
from backlint.connectors.linear.whole import WholeIssues
from backlint.connectors.linear.workspace import Workspace
from backlint.connectors.paging import Bookmarks

OVERLAP = timedelta(minutes=2)  # read again: what was written while the last pull looked
SLACK = timedelta(seconds=2)  # the Date header has whole seconds


class Pulling:
    def __init__(self, client: LinearClient, workspace: Workspace, rows: IssueRows, issues: WholeIssues) -> None:
        self._client, self._workspace, self._rows, self._issues = client, workspace, rows, issues

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        at = Cursor.read(cursor)
        self._workspace.require(scope)
        if at is None or at.number is not None:
            return self._everything(scope, at)
        return self._changes(scope, at)

    def some(self, ids: Sequence[str]) -> Iterator[Page]:
        """Issues by id, whenever they changed."""
        return self._client.in_parallel(self._of, _batches(ids, self._rows.size))

    def _everything(self, scope: str, at: Cursor | None) -> Iterator[Page]:
        team = self._client.ask(queries.TEAM, payloads.TeamAnswer, {"key": scope})
        if not team.teams.nodes:
            raise self._workspace.no_such_team(scope)
        began = at.since if at else self._client.now()
        count = team.teams.nodes[0].issueCount
        newest = max((int(each.number) for each in team.issues.nodes), default=0)
        windows = _windows(
            (at.number or 0) if at else 0, newest, step=_step(self._rows.size, count=count, newest=newest)
        )

        def whole(window: tuple[int, int | None]) -> tuple[int | None, Page]:
            return window[1], self._issues.page(self._rows.numbered(scope, *window))

        for upto, page in self._client.in_parallel(whole, windows):
            after = Cursor(since=began) if upto is None else Cursor(since=began, number=upto)
            yield Page(
                issues=page.issues,
                quarantined=page.quarantined,
                cursor=after.text(),
                expected=count,
                is_last=upto is None,
            )

    def _changes(self, scope: str, at: Cursor) -> Iterator[Page]:
        """What changed, what was archived (that moves no `updatedAt`), and what got comments (that may move none)."""
        until = at.until or self._client.now() + SLACK
        began = at.began or self._client.now()
        since = at.since - OVERLAP
        going = Cursor(since=at.since, until=until, began=began, sweep=at.sweep, is_swept=at.is_swept)
        if not going.is_swept:
            for rows, sweep in self._sweep(scope, since, until, going.sweep):
                page = self._issues.page(rows)
                going = Cursor(since=at.since, until=until, began=began, sweep=sweep, is_swept=sweep is None)
                yield Page(issues=page.issues, quarantined=page.quarantined, cursor=going.text())
        touched = [*self._archived(scope, since, until), *self._commented(scope, since, until)]
        for page in self._client.in_parallel(self._of, _batches(list(dict.fromkeys(touched)), self._rows.size)):
            yield Page(issues=page.issues, quarantined=page.quarantined, cursor=going.text())
        yield Page(issues=(), cursor=Cursor(since=began).text(), is_last=True)

    def _sweep(
        self, scope: str, since: datetime, until: datetime, sweep: Sweep | None
    ) -> Iterator[tuple[list[Row], Sweep | None]]:
        """Pages of changed issues, oldest change first, each with the place behind it (None: that was all).

        Linear's own cursor stands where its issue stands now: an issue that changes meanwhile takes the cursor along
        to the end and everything between is lost. The place is therefore a time and the ids already seen at that time.
        """
        bookmarks = Bookmarks(self._client.source, f"the list of changed issues of {scope}")
        while True:
            wanted = _beyond(scope, since, until, sweep)
            rows, has_more = self._rows.page(wanted, sort="updatedAt")
            sweep = _place(sweep, self._rows.heads_of(rows)) if has_more and rows else None
            yield rows, sweep
            if sweep is None:
                return
            bookmarks.turn_to((sweep.at, frozenset(sweep.seen)))

    def _archived(self, scope: str, since: datetime, until: datetime) -> list[str]:
        """Issues archived or trashed in the time, unless the sweep has had them anyway."""
        wanted = {
            "team": {"key": {"eq": scope}},
            "archivedAt": {"gt": text(since), "lte": text(until)},
        }
        return [head.id for head in self._rows.heads(wanted) if not since < head.updatedAt <= until]

    def _commented(self, scope: str, since: datetime, until: datetime) -> list[str]:
        """Issues with new or edited comments, unless the sweep has had them or the next one will."""
        found: list[str] = []
        upper, seen = until, set[str]()
        bookmarks = Bookmarks(self._client.source, f"the list of comments of {scope}")
        while True:
            wanted: dict[str, Any] = {
                "issue": {"team": {"key": {"eq": scope}}},
                "updatedAt": {"gt": text(since), "lte": text(upper)},
            }
            wanted |= {"id": {"nin": sorted(seen)}} if seen else {}
            given = {"filter": wanted, "first": queries.LIST}
            page = self._client.ask(queries.CHANGED_COMMENTS, payloads.CommentsAnswer, given)
            nodes = page.comments.nodes
            found += [each.issue.id for each in nodes if each.issue is not None and each.issue.updatedAt <= since]
            if not page.comments.pageInfo.hasNextPage or not nodes:
                return found
            lowest = nodes[-1].updatedAt
            ties = {each.id for each in nodes if each.updatedAt == lowest}
            upper, seen = lowest, (seen | ties if lowest == upper else ties)
            bookmarks.turn_to((upper, frozenset(seen)))

    def _of(self, ids: Sequence[str]) -> Page:
        return self._issues.page(self._rows.of(ids))


def _step(size: int, *, count: int, newest: int) -> int:
    """Numbers in one window, so that it holds about a page of the issues that are left of them."""
    density = max(0.02, min(1.0, count / newest)) if newest else 1.0
    return max(1, int(size / density * (1.0 if density > 0.95 else 0.9)))


def _windows(above: int, newest: int, *, step: int) -> Iterator[tuple[int, int | None]]:
    """(above, upto] pairs; the last is open: an issue moved here may have a higher number than the newest ones."""
    while above < newest:
        yield above, min(newest, above + step)
        above = min(newest, above + step)
    yield above, None


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _beyond(scope: str, since: datetime, until: datetime, sweep: Sweep | None) -> dict[str, Any]:
    lower = {"gte": text(sweep.at)} if sweep else {"gt": text(since)}
    wanted: dict[str, Any] = {"team": {"key": {"eq": scope}}, "updatedAt": {**lower, "lte": text(until)}}
    return {**wanted, "id": {"nin": list(sweep.seen)}} if sweep else wanted


def _place(sweep: Sweep | None, heads: Sequence[payloads.Head]) -> Sweep:
    """Behind the last issue: its time, and every id already had at that very time."""
    last = heads[-1].updatedAt
    ties = tuple(head.id for head in heads if head.updatedAt == last)
    return Sweep(last, (*(sweep.seen if sweep and sweep.at == last else ()), *ties))
