"""Flow metrics over records in arrays: the same answers as `items` and `metrics` give one by one, for a million issues.

Moments are microseconds since 1970 (UTC), durations microseconds; `MISSING` stands for None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from backlint.activity import BULK_ISSUES, BULK_WINDOW
from backlint.flow.items import IMPORT_ISSUES, IMPORT_WINDOW
from backlint.flow.options import DEFAULTS, ITEM_TYPES, LARGE_TYPES, Flag, FlowOptions, Mode, StartSource
from backlint.flow.record import (
    CATEGORIES,
    FLAGS,
    HAS_GAP,
    HAS_WAITING,
    IS_LAST,
    LASTS,
    MICROSECOND,
    MISSING,
    PRESENT,
    SOURCES,
    START_UNKNOWN,
    STARTED_NOW,
    TYPES,
    instant,
)
from backlint.flow.timeline import CLOSED, STARTED
from backlint.model import IssueType, StatusCategory

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BY_STATUS, BY_CHILD = SOURCES.index(StartSource.STATUS), SOURCES.index(StartSource.CHILD)
DRAGGED = 1 << FLAGS.index(Flag.DRAGGED)
IMPORTED = 1 << FLAGS.index(Flag.IMPORTED)
BULK_CLOSED = 1 << FLAGS.index(Flag.BULK_CLOSED)
CREATED_STARTED = 1 << FLAGS.index(Flag.CREATED_STARTED)
UNMAPPED = 1 << FLAGS.index(Flag.UNMAPPED)
ACTIVE, WAITING, DONE = (
    CATEGORIES.index(each) for each in (StatusCategory.ACTIVE, StatusCategory.WAITING, StatusCategory.DONE)
)
BUG = TYPES.index(IssueType.BUG)


def _codes(of: Sequence[object], wanted: Collection[object]) -> Mask:
    return np.array([each in wanted for each in of])


IS_ITEM, IS_LARGE = _codes(TYPES, ITEM_TYPES), _codes(TYPES, LARGE_TYPES)
IS_STARTED, IS_CLOSED = _codes(CATEGORIES, STARTED), _codes(CATEGORIES, CLOSED)
# The bands of the cumulative flow: to do, active, waiting, done; -1 for what is in none.
BANDS = ("to do", "active", "waiting", "done")
_BAND_OF = np.array(
    [
        1 if code == ACTIVE else 2 if code == WAITING else 3 if code == DONE
        else -1 if closed or each is StatusCategory.UNKNOWN else 0
        for code, (each, closed) in enumerate(zip(CATEGORIES, IS_CLOSED, strict=True))
    ]
)  # fmt: skip


@dataclass
class Columns:
    """Records of many issues. `row` numbers the issue of each episode; `span_episode` is the span's place in
    `episodes`, -1 for none; `span_item` the place of its issue's first episode."""

    row: Ints
    episodes: NDArray[Any]
    spans: NDArray[Any]
    first: Ints  # place in `episodes` of each issue's first row
    span_counts: Ints
    more_flags: NDArray[np.uint8] = field(init=False)  # what only the whole shows: imported, closed in bulk

    def __post_init__(self) -> None:
        self.more_flags = np.zeros(len(self.row), np.uint8)

    # -- of each episode -----------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self.episodes[name]
        return found

    def has(self, bit: int) -> Mask:
        found: Mask = (self.episodes["bits"] & bit) != 0
        return found

    @cached_property
    def is_inside(self) -> Mask:
        found: Mask = self.episodes["outside"] == 0
        return found

    @cached_property
    def is_item(self) -> Mask:
        found: Mask = IS_ITEM[self.episodes["type"]]
        return found

    @cached_property
    def is_large(self) -> Mask:
        found: Mask = IS_LARGE[self.episodes["type"]]
        return found

    @cached_property
    def is_finished(self) -> Mask:
        found: Mask = self.is_inside & (self.episodes["finished"] != MISSING)
        return found

    @cached_property
    def is_first(self) -> Mask:
        """The first row of each issue, which stands for the issue itself."""
        found = np.zeros(len(self.row), bool)
        found[self.first] = True
        return found

    @cached_property
    def is_last(self) -> Mask:
        return self.has(IS_LAST)

    @cached_property
    def is_open_status(self) -> Mask:
        """Whether the issue's present status is an open one."""
        found: Mask = ~IS_CLOSED[self.episodes["category"]]
        return found

    @cached_property
    def is_in_progress(self) -> Mask:
        """Last episodes of issues that somebody is working on now."""
        one = self.episodes
        is_now = self.has(STARTED_NOW) | IS_STARTED[one["category"]]
        found: Mask = self._is_open_now & is_now & self.is_inside & self.has(PRESENT)
        return found

    @cached_property
    def is_paused(self) -> Mask:
        found: Mask = self._is_open_now & self.is_inside & (self.episodes["started"] != MISSING) & ~self.is_in_progress
        return found

    @cached_property
    def _is_open_now(self) -> Mask:
        one = self.episodes
        is_open = (one["finished"] == MISSING) & (one["cancelled"] == MISSING)
        found: Mask = self.is_last & is_open & self.is_open_status
        return found

    def ages(self, now: int) -> Ints:
        """Time since the start of what is in progress; MISSING for everything else."""
        one = self.episodes
        known = self.is_in_progress & (one["started"] != MISSING) & (one["unknown"] == 0)
        return np.where(known, now - one["started"], MISSING)

    def cycles(self, mode: Mode = Mode.ELAPSED) -> Ints:
        """Cycle times in the mode; MISSING unless start and finish are known."""
        one = self.episodes
        known = (one["started"] != MISSING) & (one["finished"] != MISSING) & (one["unknown"] == 0)
        elapsed = np.where(known, one["finished"] - np.where(known, one["started"], 0), MISSING)
        if mode is Mode.ELAPSED:
            return elapsed
        spent = one["in_progress" if mode is Mode.IN_PROGRESS else "last_run"].copy()
        for place in np.flatnonzero((one["start_source"] == BY_CHILD) & known & ~self.has(HAS_GAP)):
            spent[place] = elapsed[place] if mode is Mode.LAST_RUN else self._since(int(place))
        return np.where(known, spent, MISSING)

    def _since(self, place: int) -> int:
        """Time in progress of an episode whose start is known from elsewhere."""
        mine = np.flatnonzero(self.span_episode == place)
        worked = mine[~IS_CLOSED[self.spans["category"][mine]]]
        enter = np.maximum(self.spans["enter"][worked], self.episodes["started"][place])
        exit = self.span_exits[worked]
        return int(np.where(exit == MISSING, 0, np.maximum(exit - enter, 0)).sum())

    def leads(self) -> Ints:
        """From creation (or reopening) to the finish."""
        one = self.episodes
        unknown = (one["finished"] == MISSING) | (one["created"] == MISSING)
        unknown |= ((self.more_flags & IMPORTED) != 0) & (one["number"] == 1)
        return np.where(unknown, MISSING, one["finished"] - np.where(unknown, 0, one["opened"]))

    def reactions(self) -> Ints:
        one = self.episodes
        known = one["started"] != MISSING
        return np.where(known, np.maximum(one["started"] - np.where(known, one["opened"], 0), 0), MISSING)

    # -- of each span --------------------------------------------------------------------------------------------------

    @cached_property
    def span_item(self) -> Ints:
        return np.repeat(self.first, self.span_counts)

    @cached_property
    def span_episode(self) -> Ints:
        number = self.spans["episode"].astype(np.int64)
        return np.where(number > 0, self.span_item + number - 1, -1)

    @cached_property
    def span_exits(self) -> Ints:
        """Where the next span of the issue begins; MISSING while it lasts."""
        exits = np.empty(len(self.spans), np.int64)
        exits[:-1] = self.spans["enter"][1:]
        with_spans = self.span_counts > 0
        lasts = np.cumsum(self.span_counts)[with_spans] - 1
        ended = np.where(self.has(LASTS), MISSING, self.episodes["ended"])
        exits[lasts] = ended[self.first[with_spans]]
        return exits

    def flow(self, moments: Ints) -> dict[str, tuple[int, ...]]:
        """How many items were in each band at each moment (ascending)."""
        counted = (self.is_item & self.is_inside)[self.span_item]
        band = _BAND_OF[self.spans["category"]]
        enters = np.searchsorted(moments, self.spans["enter"])
        exits = self.span_exits
        leaves = np.where(exits == MISSING, len(moments), np.searchsorted(moments, exits))
        counted &= (band >= 0) & (enters < leaves)
        wide = len(moments) + 1
        came = np.bincount(band[counted] * wide + enters[counted], minlength=4 * wide)
        went = np.bincount(band[counted] * wide + leaves[counted], minlength=4 * wide)
        running = np.cumsum((came - went).reshape(4, wide), axis=1)[:, :-1]
        return {name: tuple(running[place].tolist()) for place, name in enumerate(BANDS)}

    def wip(self, moments: Ints) -> tuple[int, ...]:
        """How many stretches of work hold each moment (ascending)."""
        place = self.span_episode
        one = self.episodes
        works = (place >= 0) & (self.is_item & self.is_inside)[self.span_item]
        by_status = (one["start_source"] == BY_STATUS) | ((one["started"] == MISSING) & (one["unknown"] != 0))
        exits = self.span_exits
        started = one["started"][place]
        category = self.spans["category"]
        elsewhere = (started != MISSING) & ~IS_CLOSED[category] & ((exits == MISSING) | (exits > started))
        from_status = by_status[place]
        works &= np.where(from_status, IS_STARTED[category], elsewhere)
        enters = np.where(from_status, self.spans["enter"], np.maximum(self.spans["enter"], started))[works]
        leaves = exits[works]
        wide = len(moments) + 1
        came = np.bincount(np.searchsorted(moments, enters), minlength=wide)
        went = np.bincount(np.searchsorted(moments, leaves[leaves != MISSING]), minlength=wide)
        return tuple(np.cumsum(came - went)[:-1].tolist())

    def times_in_status(self, chosen: Mask) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints, Ints]]:
        """Over the chosen episodes: (status, time) of each in its started statuses, and (episode, status, age) on
        leaving them for the last time."""
        place, exits, category = self.span_episode, self.span_exits, self.spans["category"]
        # Of a status that means work, no stay means anything else: the category follows from the status.
        mine = np.flatnonzero(IS_STARTED[category] & (place >= 0) & chosen[place] & (exits != MISSING))
        if not len(mine):
            nothing = np.zeros(0, np.int64)
            return (nothing, nothing), (nothing, nothing, nothing)
        # Spans stand by episode; a stable sort by status brings together what an episode spent in each.
        status = self.spans["status"][mine]
        rank = np.cumsum(np.bincount(status - status.min()) > 0)  # small numbers sort by digits
        mine = mine[np.argsort(rank[status - status.min()].astype(np.uint16), kind="stable")]
        status, episode, exit = self.spans["status"][mine].astype(np.int64), place[mine], exits[mine]
        began = np.flatnonzero(np.append(True, (np.diff(status) != 0) | (np.diff(episode) != 0)))
        started = self.episodes["started"][episode]
        stays = exit > started
        stayed = np.where(stays, exit - np.maximum(self.spans["enter"][mine], started), 0)
        spent = np.add.reduceat(stayed, began)
        left = np.maximum.reduceat(exit - started, began)
        told = np.logical_or.reduceat(stays, began)
        return (status[began][told], spent[told]), (episode[began], status[began], left)


# -- what only the whole shows -----------------------------------------------------------------------------------------


def crowds(actor: Ints, at: Ints, least: int, window: timedelta) -> Mask:
    """Which moments lie with so many others of their actor within the window."""
    order = np.lexsort((at, actor))
    who, when = actor[order], at[order]
    found = np.zeros(len(at), bool)
    if len(at) < least:
        return found
    span = window // MICROSECOND
    ends = np.flatnonzero((who[least - 1 :] == who[: len(who) - least + 1]) & (
        when[least - 1 :] - when[: len(when) - least + 1] <= span
    ))  # fmt: skip
    edges = np.zeros(len(at) + 1, np.int64)
    np.add.at(edges, ends, 1)
    np.add.at(edges, ends + least, -1)
    found[order] = np.cumsum(edges)[:-1] > 0
    return found


def imports(reporter: Ints, created: Ints) -> Mask:
    """Which of the issues were created together with 49 or more others by one actor."""
    known = np.flatnonzero((reporter != 0) & (created != MISSING))
    found = np.zeros(len(reporter), bool)
    found[known] = crowds(reporter[known], created[known], IMPORT_ISSUES, IMPORT_WINDOW)
    return found


def bulk_closes(actor: Ints, at: Ints) -> Mask:
    """Which of the closes belong to 20 or more by one actor."""
    return crowds(actor, at, BULK_ISSUES, BULK_WINDOW)


def begin_with_children(all: Columns, starts: Mapping[int, int], options: FlowOptions = DEFAULTS) -> dict[int, int]:
    """Epics and initiatives start with their earliest child. `starts` is by parent, children of all scopes included.

    Returns the starts with those of the epics added.

    As `episodes` does it with a child's start: it comes before every other candidate.
    """
    one, known = all.episodes, dict(starts)
    places = np.flatnonzero(all.is_large)
    for place in places[all.is_first[places]]:
        own, named = int(one["own"][place]), int(one["own_key"][place])
        if own != named and named in known:
            known[own] = min(known[named], known.get(own, known[named]))
    for kind in (IssueType.EPIC, IssueType.INITIATIVE):
        for place in places[one["type"][places] == TYPES.index(kind)]:
            row = one[place]
            if int(row["own"]) in known and row["number"]:
                _begin(all, int(place), known[int(row["own"])], options)
            parent, began = int(row["parent"]), int(one["started"][place])
            if row["number"] == 1 and parent and began != MISSING and not row["outside"]:
                known[parent] = min(began, known.get(parent, began))
    return known


def _begin(all: Columns, place: int, at: int, options: FlowOptions) -> None:
    row = all.episodes[place]
    closed = int(row["shut"])
    if (row["number"] > 1 and at < row["opened"]) or (closed != MISSING and at > closed):
        return
    is_done = closed != MISSING and row["cancelled"] == MISSING
    if is_done and closed - at <= options.min_cycle // MICROSECOND:
        row["own_flags"] |= DRAGGED
        return
    row["started"], row["start_source"] = at, BY_CHILD
    if row["bits"] & START_UNKNOWN:  # it is known now; an unknown finish stays unknown
        row["unknown"] = 0
    row["own_flags"] &= ~np.uint8(CREATED_STARTED | DRAGGED)
    if row["bits"] & LASTS and row["bits"] & IS_LAST and closed == MISSING:
        row["bits"] |= STARTED_NOW


def child_starts(all: Columns) -> dict[int, int]:
    """Number of the parent -> the earliest start directly below it, epics and initiatives aside."""
    one = all.episodes
    begins = (one["number"] == 1) & ~all.is_large & all.is_inside & (one["parent"] != 0) & (one["started"] != MISSING)
    parents, of = np.unique(one["parent"][begins], return_inverse=True)
    earliest = np.full(len(parents), np.iinfo(np.int64).max)
    np.minimum.at(earliest, of, one["started"][begins])
    return dict(zip(parents.tolist(), earliest.tolist(), strict=True))


# -- days --------------------------------------------------------------------------------------------------------------


class Days:
    """Local days of moments, for many at once."""

    def __init__(self, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        self._first = first.astimezone(zone).date()
        count = (last.astimezone(zone).date() - self._first).days + 2
        days = (self._first + timedelta(days=number) for number in range(count))
        self._midnights = np.array([instant(datetime.combine(day, time(), zone)) for day in days], np.int64)

    def ordinals(self, at: Ints) -> Ints:
        """The proleptic ordinals of the local days, as `date.toordinal` gives them."""
        return np.searchsorted(self._midnights, at, "right") - 1 + self._first.toordinal()


def mondays(ordinals: Ints) -> Ints:
    """The ordinals of the Mondays of the ISO weeks."""
    return ordinals - (ordinals - date(1, 1, 1).toordinal()) % 7


def has_waiting_data(all: Columns) -> Mask:
    """Episodes of issues whose team tells waiting from working."""
    teams = np.unique(all["team"][all.has(HAS_WAITING)])
    return np.isin(all["team"], teams)
