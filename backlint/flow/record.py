"""What flow metrics need of an issue in a fixed layout, so that a million issues are a few arrays.

A record holds what the domain functions say of one issue, whatever the time: it is made once, when the issue is
saved, and read by `backlint.flow.columns`. Moments and durations are whole microseconds (moments since 1970, UTC);
`MISSING` stands for None. Texts are numbers given out by a `Namer`; 0 stands for None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlint.flow.episodes import Episode, episodes
from backlint.flow.items import handoffs, team_of, why_outside
from backlint.flow.metrics import active_time, due_moves, due_when_started, has_waiting
from backlint.flow.options import DEFAULTS, LARGE_TYPES, Flag, FlowOptions, Mode, StartSource
from backlint.flow.timeline import CLOSED, Timeline, timeline
from backlint.model import Issue, IssueType, Presence, StatusCategory

LAYOUT = 1  # raise it when a record would come out differently: stored ones are then made anew
MISSING = np.iinfo(np.int64).min
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)  # nothing is later, so that no moment is moved to it

TYPES = tuple(IssueType)
CATEGORIES = tuple(StatusCategory)
SOURCES = (None, *StartSource)
FLAGS = tuple(Flag)

# Bits of an episode's `bits`.
PRESENT, STARTED_NOW, HAS_WAITING, HAS_TEAM, REWORK, NO_SPANS, DUE_MOVED, HAS_GAP, IS_LAST, LASTS, START_UNKNOWN = (
    1 << place for place in range(11)
)

EPISODE = np.dtype(
    [
        ("created", "<i8"), ("opened", "<i8"), ("started", "<i8"), ("finished", "<i8"), ("cancelled", "<i8"),
        ("in_progress", "<i8"), ("last_run", "<i8"), ("active", "<i8"), ("shut", "<i8"), ("ended", "<i8"),
        ("source", "<i4"), ("team", "<i4"), ("team_then", "<i4"), ("status", "<i4"), ("outside", "<i4"),
        ("unknown", "<i4"), ("reporter", "<i4"), ("parent", "<i4"), ("own", "<i4"), ("own_key", "<i4"),
        ("handoffs", "<i4"), ("reopenings", "<i4"), ("due", "<i4"), ("number", "<u2"), ("bits", "<u2"),
        ("type", "u1"), ("category", "u1"), ("start_source", "u1"), ("flags", "u1"), ("own_flags", "u1"),
    ]
)  # fmt: skip
# `episode` is the number of the episode that the span is part of, 0 for none. A span ends where the next one begins.
SPAN = np.dtype([("enter", "<i8"), ("status", "<i4"), ("category", "u1"), ("is_gap", "u1"), ("episode", "<u2")])

Namer = Callable[[str, str], int]  # kind and text -> its number, from 1


@dataclass(frozen=True, slots=True)
class Record:
    """An issue in the layout. It holds from `holds_from` on: before, part of its history would be in the future."""

    episodes: bytes
    spans: bytes
    closes: tuple[tuple[int, int], ...]  # when whom (a number of kind "actor") closed it as done
    holds_from: int
    source: int
    team: int
    project: int
    prefix: int
    reporter: int
    created: int


def instant(at: datetime | None) -> int:
    """A moment as microseconds since 1970."""
    return MISSING if at is None else (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(at))


def record(issue: Issue, names: Namer, options: FlowOptions = DEFAULTS, *, now: datetime = FOREVER) -> Record:
    """The record of an issue whose statuses have their categories; with a `now`, as it holds at that moment alone."""
    line = timeline(issue, now)
    found = episodes(issue, line, options=options)
    # An issue without any date has no episode; a row without number keeps its place among the others.
    rows = np.zeros(max(len(found), 1), EPISODE)
    _describe(rows, issue, line, names, options)
    for place, episode in enumerate(found):
        _fill(rows[place], issue, episode, names, options, now)
        rows["shut"][place] = instant(_shut_at(line, episode))
    if found:
        rows["bits"][-1] |= IS_LAST
        _add_due(rows, issue, found[0])
    closes = tuple(
        (instant(step.at), names("actor", _of(issue, step.actor)))
        for step in issue.transitions
        if step.after.category is StatusCategory.DONE and step.actor is not None and step.before.category.is_open
    )
    return Record(
        episodes=rows.tobytes(),
        spans=_spans(line, found, names),
        closes=closes,
        holds_from=max((instant(at) for at in _moments(issue)), default=MISSING),
        source=int(rows["source"][0]),
        team=names("team", issue.team) if issue.team else 0,
        project=names("project", issue.project) if issue.project else 0,
        prefix=names("prefix", prefix) if (prefix := key_prefix(issue.key)) else 0,
        reporter=int(rows["reporter"][0]),
        created=int(rows["created"][0]),
    )


def key_prefix(key: str) -> str:
    """PAY of PAY-12, acme/shop of acme/shop#7: what people call the place by."""
    return key.partition("#")[0] if "#" in key else key.rpartition("-")[0]


def _moments(issue: Issue) -> Iterable[datetime]:
    """Every moment that a later `now` could turn from the future into the past."""
    yield from (step.at for step in issue.transitions)
    yield from (change.at for change in issue.changes)
    yield from (link.at for link in issue.links if link.at is not None)
    yield from (at for at in (issue.created_at, issue.updated_at) if at is not None)


def _of(issue: Issue, name: str | None) -> str:
    """Ids are unique within their source only."""
    return f"{issue.source}\n{name}"


def _describe(rows: NDArray[Any], issue: Issue, line: Timeline, names: Namer, options: FlowOptions) -> None:
    """What all episodes share."""
    holder, outside = team_of(issue), why_outside(issue, line)
    rows["created"] = instant(issue.created_at)
    for name in ("opened", "started", "finished", "cancelled", "in_progress", "last_run", "active", "shut"):
        rows[name] = MISSING
    rows["ended"] = instant(line.spans[-1].exit) if line.spans else MISSING
    rows["source"] = names("source", issue.source)
    rows["team"] = names("holder", holder) if holder is not None else 0
    rows["status"] = names("status", f"{issue.status.id}\n{issue.status.name}")
    rows["outside"] = names("why", outside) if outside else 0
    rows["reporter"] = names("actor", _of(issue, issue.reporter)) if issue.reporter is not None else 0
    rows["parent"] = names("issue", _of(issue, issue.parent)) if issue.parent else 0
    if issue.type in LARGE_TYPES:
        rows["own"], rows["own_key"] = names("issue", _of(issue, issue.id)), names("issue", _of(issue, issue.key))
    rows["handoffs"] = handoffs(issue)
    rows["due"] = 0
    rows["type"] = TYPES.index(issue.type)
    rows["category"] = CATEGORIES.index(issue.status.category)
    rows["flags"] = _bits(line.flags)
    rows["bits"] = (
        PRESENT * (issue.presence is Presence.PRESENT)
        | HAS_WAITING * has_waiting(issue, line, options)
        | HAS_TEAM * (issue.team is not None)
        | LASTS * bool(line.spans and line.spans[-1].exit is None)
    )


def _fill(row: np.void, issue: Issue, episode: Episode, names: Namer, options: FlowOptions, now: datetime) -> None:
    at = episode.finished_at
    row["number"] = episode.number
    row["opened"], row["started"] = instant(episode.opened_at), instant(episode.started_at)
    row["finished"], row["cancelled"] = instant(at), instant(episode.cancelled_at)
    row["in_progress"] = _length(episode.cycle_time(Mode.IN_PROGRESS))
    row["last_run"] = _length(episode.cycle_time(Mode.LAST_RUN))
    row["active"] = _length(active_time(issue, episode, options))
    holder = team_of(issue, at or now)
    row["team_then"] = names("holder", holder) if holder is not None else 0
    row["unknown"] = names("why", episode.unknown) if episode.unknown else 0
    row["reopenings"] = episode.reopenings
    row["start_source"] = SOURCES.index(episode.start_source)
    row["own_flags"] = _bits(episode.flags)
    row["bits"] |= (
        STARTED_NOW * any(exit is None for _, exit in episode.started_spans())
        | REWORK * episode.is_rework
        | NO_SPANS * (not episode.spans)
        | START_UNKNOWN * bool(episode.unknown and episode.unknown.startswith("start"))
        | HAS_GAP * any(span.is_gap for span in episode.spans)
    )


def _shut_at(line: Timeline, episode: Episode) -> datetime | None:
    """When the episode was closed, also where a gap leaves open whether that was its finish."""
    if episode.closed_at is not None or not episode.spans:
        return episode.closed_at
    last = next(place for place, span in enumerate(line.spans) if span is episode.spans[-1])
    after = line.spans[last + 1] if last + 1 < len(line.spans) else None
    return after.enter if after is not None and after.category in CLOSED else None


def _add_due(rows: NDArray[Any], issue: Issue, episode: Episode) -> None:
    day = due_when_started(issue, episode.started_at)
    if day is not None:
        rows["due"][0] = day.toordinal()
        rows["bits"][0] |= DUE_MOVED * (due_moves(issue, episode.started_at) > 0)


def _spans(line: Timeline, found: Iterable[Episode], names: Namer) -> bytes:
    # The same objects stand in the timeline and in its episodes.
    owner = {id(span): episode.number for episode in found for span in episode.spans}
    rows = [
        (
            instant(span.enter), names("status", f"{span.status.id}\n{span.status.name}"),
            CATEGORIES.index(span.category), span.is_gap, owner.get(id(span), 0),
        )
        for span in line.spans
    ]  # fmt: skip
    return np.array(rows, SPAN).tobytes()


def _bits(flags: frozenset[Flag]) -> int:
    return sum(1 << place for place, flag in enumerate(FLAGS) if flag in flags) if flags else 0


def _length(span: timedelta | None) -> int:
    return MISSING if span is None else span // MICROSECOND
