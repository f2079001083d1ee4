"""Issues as they come from Linear: whole ones page by page, and light ones for the census."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from backlint.connectors.linear import answers, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.cursor import Sweep
from backlint.connectors.paging import Bookmarks
from backlint.errors import MalformedPayload, TrackerDown

MOST_SPOILED = 5  # issues that may be left out of one page before it counts as an outage


class Row(NamedTuple):
    """An issue as it came; `problem` is what Linear said of a part that it could not give."""

    raw: msgspec.Raw
    problem: str | None


class IssueRows:
    """`size` is the number of whole issues in one page; it shrinks when Linear finds them too complex."""

    def __init__(self, client: LinearClient, *, size: int) -> None:
        self._client = client
        self.size = size

    def page(self, wanted: Mapping[str, Any], *, sort: str | None = None) -> tuple[list[Row], bool]:
        """One page of whole issues and whether there are more; smaller when Linear finds the query too complex."""
        order = [{sort: {"order": "Ascending"}}] if sort else None
        set_aside: list[Row] = []
        while True:
            size = self.size
            given = {"filter": _without(wanted, self.heads_of(set_aside)), "first": size, "sort": order}
            try:
                answered = self._client.answer(queries.ISSUES, given)
                page = self._client.data(answered, payloads.IssuesAnswer).issues
                spoiled = answers.spoiled(answered.problems)
                rows = [Row(raw, spoiled.get(place)) for place, raw in enumerate(page.nodes)]
                return [*rows, *set_aside], page.pageInfo.hasNextPage
            except answers.SpoiledPage as problem:
                if len(set_aside) == MOST_SPOILED:
                    raise
                set_aside.append(self._light(given, problem))
            except answers.TooComplex:
                if size == 1:
                    raise
                self.size = min(self.size, max(1, size // 2))

    def _light(self, given: Mapping[str, Any], problem: answers.SpoiledPage) -> Row:
        """The issue that spoils a page, with no more than its id, key and times."""
        nodes = self._client.ask(queries.ISSUE_IDS, payloads.IssuesAnswer, given).issues.nodes
        if problem.place >= len(nodes):
            raise problem
        return Row(nodes[problem.place], str(problem))

    def numbered(self, scope: str, above: int, upto: int | None) -> list[Row]:
        """The issues with numbers in (above, upto]; numbers never change, so windows are independent of each other."""
        number: dict[str, Any] = {"gt": above} | ({"lte": upto} if upto is not None else {})
        found: list[Row] = []
        seen: list[str] = []
        while True:
            wanted = {"team": {"key": {"eq": scope}}, "number": number, **({"id": {"nin": seen}} if seen else {})}
            rows, has_more = self.page(wanted, sort="createdAt")
            found.extend(rows)
            if not has_more or not rows:
                return found
            before, seen = len(seen), [head.id for head in self.heads_of(found)]
            if len(seen) == before:
                raise TrackerDown(f"{self._client.source}: Linear gives the same page of {scope} again and again")

    def heads_of(self, rows: Sequence[Row]) -> list[payloads.Head]:
        """Those that can be read; the others are set aside with their page."""
        found = []
        for row in rows:
            with suppress(MalformedPayload):
                found.append(self._client.decoded(row.raw, payloads.Head))
        if rows and not found:
            raise TrackerDown(f"{self._client.source}: none of {len(rows)} issues on a page has an id and its times")
        return found

    def heads(self, wanted: Mapping[str, Any]) -> Iterator[payloads.Head]:
        """Ids and times of many issues, in the order of creation, which never changes."""
        place: Sweep | None = None
        bookmarks = Bookmarks(self._client.source, "the list of ids")
        while True:
            page = self._head_page(wanted, place)
            yield from page
            if len(page) < queries.LIST:
                return
            last = page[-1].createdAt
            ties = tuple(head.id for head in page if head.createdAt == last)
            place = Sweep(last, (*(place.seen if place and place.at == last else ()), *ties))
            bookmarks.turn_to((place.at, frozenset(place.seen)))

    def _head_page(self, wanted: Mapping[str, Any], place: Sweep | None) -> list[payloads.Head]:
        more = {"createdAt": {"gte": text(place.at)}, "id": {"nin": list(place.seen)}} if place else {}
        order = [{"createdAt": {"order": "Ascending"}}]
        given = {"filter": {**wanted, **more}, "first": queries.LIST, "sort": order}
        answered = self._client.ask(queries.ISSUE_IDS, payloads.IssuesAnswer, given)
        return [self._client.decoded(each, payloads.Head) for each in answered.issues.nodes]

    def of(self, ids: Sequence[str]) -> list[Row]:
        """Whole issues by id; those that are gone are left to the census."""
        found: list[Row] = []
        missing = list(ids)
        while missing:
            rows, has_more = self.page({"id": {"in": missing}})
            found.extend(rows)
            here = {head.id for head in self.heads_of(rows)}
            missing = [id for id in missing if id not in here] if has_more else []
        return found


def _without(wanted: Mapping[str, Any], gone: Sequence[payloads.Head]) -> Mapping[str, Any]:
    return {"and": [wanted, {"id": {"nin": [head.id for head in gone]}}]} if gone else wanted


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
