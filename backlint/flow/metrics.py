"""Figures over many items: work in progress, throughput, efficiency, punctuality (catalogue 5.4)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from backlint.flow.episodes import Episode, label_removals, label_times
from backlint.flow.items import Item
from backlint.flow.options import DEFAULTS, ITEM_TYPES, FlowOptions, Mode
from backlint.flow.timeline import STARTED, Timeline
from backlint.model import Issue, IssueType, Sprint, StatusCategory

BLOCKED_FIELDS = frozenset({"flagged", "impediment", "blocked"})
DUE_FIELD = "due_on"

Stretch = tuple[datetime, datetime | None]


def in_progress(found: Iterable[Item]) -> Iterator[Stretch]:
    """Every stretch of work on stories, tasks, bugs and the like."""
    for item in found:
        if item.why_outside is None and item.issue.type in ITEM_TYPES:
            for episode in item.episodes:
                yield from episode.started_spans()


def wip_at(found: Iterable[Item], moment: datetime) -> tuple[Item, ...]:
    """The items in a started span at the moment."""
    return tuple(item for item in found if any(_holds(stretch, moment) for stretch in in_progress((item,))))


def _holds(stretch: Stretch, moment: datetime) -> bool:
    enter, exit = stretch
    return enter <= moment and (exit is None or moment < exit)


def wip_counts(stretches: Iterable[Stretch], moments: Sequence[datetime]) -> list[int]:
    """How many stretches hold each moment."""
    starts: list[datetime] = []
    ends: list[datetime] = []
    for enter, exit in stretches:
        starts.append(enter)
        if exit is not None:
            ends.append(exit)
    starts.sort()
    ends.sort()
    return [bisect_right(starts, moment) - bisect_right(ends, moment) for moment in moments]


def average_wip(stretches: Iterable[Stretch], since: datetime, until: datetime) -> Fraction:
    """The time integral of work in progress over [since, until), divided by its length."""
    length = until - since
    worked = sum(
        (max(min(exit or until, until) - max(enter, since), timedelta()) for enter, exit in stretches), timedelta()
    )
    return Fraction(worked // timedelta(microseconds=1), length // timedelta(microseconds=1))


def finished_between(
    found: Iterable[Item], since: datetime | None, until: datetime | None
) -> Iterator[tuple[Item, Episode]]:
    """The episodes of stories, tasks, bugs and the like that finished in [since, until)."""
    for item in found:
        if item.issue.type in ITEM_TYPES:
            for episode in item.finished():
                at = episode.finished_at
                if at is not None and (since is None or at >= since) and (until is None or at < until):
                    yield item, episode


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def iso_week(day: date) -> date:
    """The Monday of the day's ISO week."""
    return day - timedelta(days=day.weekday())


def throughput(finishes: Iterable[datetime], zone: ZoneInfo) -> Counter[date]:
    """Finishes per local day; days without any are absent."""
    return Counter(local_day(at, zone) for at in finishes)


# -- flow efficiency -----------------------------------------------------------------------------------------------


def blocked_spans(issue: Issue, options: FlowOptions = DEFAULTS) -> tuple[Stretch, ...]:
    """When the issue was marked as blocked, by a flag or a label; the last one may last."""
    marks: list[tuple[datetime, int, bool]] = []
    for change in issue.changes:
        if change.field.casefold() in BLOCKED_FIELDS:
            is_on = bool(change.after) and str(change.after).casefold() not in ("false", "no", "0")
            marks.append((change.at, change.sequence, is_on))
    marks += [(at, 0, True) for at in label_times(issue, options.blocked_labels)]
    marks += [(change.at, change.sequence, False) for change in label_removals(issue, options.blocked_labels)]
    spans: list[Stretch] = []
    since: datetime | None = None
    for at, _, is_on in sorted(marks):
        if is_on and since is None:
            since = at
        elif not is_on and since is not None:
            spans.append((since, at))
            since = None
    return (*spans, (since, None)) if since is not None else tuple(spans)


def has_waiting_data(item: Item, options: FlowOptions = DEFAULTS) -> bool:
    """Whether anything tells waiting from working: a waiting status in its history, or a mark that it was blocked."""
    return has_waiting(item.issue, item.timeline, options)


def has_waiting(issue: Issue, line: Timeline, options: FlowOptions = DEFAULTS) -> bool:
    """The same of an issue with its timeline."""
    waiting = any(span.category is StatusCategory.WAITING for span in line.spans)
    return waiting or bool(issue.changes and blocked_spans(issue, options))


def flow_efficiency(
    item: Item, episode: Episode, *, is_measurable: bool | None = None, options: FlowOptions = DEFAULTS
) -> Fraction | None:
    """Active and unblocked time divided by elapsed cycle time; None when not measurable.

    `is_measurable` says whether the team tells waiting from working at all; None asks this item alone.
    """
    measurable = has_waiting_data(item, options) if is_measurable is None else is_measurable
    elapsed = episode.cycle_time(Mode.ELAPSED)
    active = active_time(item.issue, episode, options) if measurable and elapsed else None
    if active is None or not elapsed:
        return None
    return Fraction(active // timedelta(microseconds=1), elapsed // timedelta(microseconds=1))


def active_time(issue: Issue, episode: Episode, options: FlowOptions = DEFAULTS) -> timedelta | None:
    """Active and unblocked time; None where a gap in the history hides it."""
    if any(span.is_gap for span in episode.spans):
        return None
    blocked = blocked_spans(issue, options) if issue.changes else ()
    active = timedelta()
    for span in episode.spans:
        if span.category is StatusCategory.ACTIVE and span.exit is not None:
            active += (span.exit - span.enter) - _overlap(span.enter, span.exit, blocked)
    return active


def _overlap(enter: datetime, exit: datetime, stretches: Iterable[Stretch]) -> timedelta:
    shared = (min(end or exit, exit) - max(start, enter) for start, end in stretches)
    return sum((each for each in shared if each > timedelta()), timedelta())


def time_in_status(episode: Episode) -> dict[tuple[str, str], timedelta]:
    """(status id, name) -> time spent between the start and the close; gaps are left out."""
    spent: dict[tuple[str, str], timedelta] = {}
    if episode.started_at is None:
        return spent
    for span in episode.spans:
        if span.exit is None or span.is_gap or span.exit <= episode.started_at:
            continue
        name = span.status.id, span.status.name
        spent[name] = spent.get(name, timedelta()) + (span.exit - max(span.enter, episode.started_at))
    return spent


# -- punctuality ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnTime:
    """Items that were due in a period; `moved` had their date changed after the start."""

    on_time: int
    due: int
    moved: int

    @property
    def share(self) -> Fraction | None:
        return Fraction(self.on_time, self.due) if self.due else None


def due_when_started(issue: Issue, started_at: datetime | None) -> date | None:
    """The due date at the start of work; if there was none (or no start), the first one ever set."""
    known = _due_history(issue)
    if started_at is not None:
        at_start = [day for at, day in known if at is None or at <= started_at]
        if at_start and at_start[-1] is not None:
            return at_start[-1]
    return next((day for _, day in known if day is not None), None)


def due_moves(issue: Issue, started_at: datetime | None) -> int:
    """How often the date was changed after work had started."""
    moves = 0
    previous: date | None = None
    for at, day in _due_history(issue):
        is_later = at is not None and started_at is not None and at > started_at
        moves += is_later and previous is not None and day != previous
        previous = day
    return moves


def _due_history(issue: Issue) -> list[tuple[datetime | None, date | None]]:
    """(since when, date), oldest first; the first entry holds from creation."""
    changes = sorted((change for change in issue.changes if change.field == DUE_FIELD), key=lambda each: each.at)
    if not changes:
        return [(None, issue.due_on)]
    return [(None, _day(changes[0].before)), *((change.at, _day(change.after)) for change in changes)]


def _day(text: str | None) -> date | None:
    """Trackers print dates as 2026-03-10, some with a time behind; anything else is no date we know."""
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Due:
    """An item that was due on a day, with what became of it."""

    item: Item
    day: date
    is_met: bool
    is_moved: bool  # the date was changed after work had started


def due_items(
    found: Iterable[Item], now: datetime, zone: ZoneInfo, *, since: date | None = None, until: date | None = None
) -> Iterator[Due]:
    """The items that were due in [since, until) by the date set when work started; open ones only once it is over."""
    today = local_day(now, zone)
    for item in found:
        episode = item.episodes[0] if item.episodes else None
        if episode is None or item.why_outside or item.issue.type not in ITEM_TYPES or episode.cancelled_at:
            continue
        day = due_when_started(item.issue, episode.started_at)
        if day is None or episode.unknown or (since and day < since) or (until and day >= until):
            continue
        if episode.finished_at is None and day >= today:
            continue
        is_met = episode.finished_at is not None and local_day(episode.finished_at, zone) <= day
        yield Due(item, day, is_met, due_moves(item.issue, episode.started_at) > 0)


def on_time(
    found: Iterable[Item], now: datetime, zone: ZoneInfo, *, since: date | None = None, until: date | None = None
) -> OnTime:
    """Finished by the date set when work started, over the items due in [since, until)."""
    due = tuple(due_items(found, now, zone, since=since, until=until))
    return OnTime(sum(each.is_met for each in due), len(due), sum(each.is_moved for each in due))


def bug_rate(found: Sequence[Item], since: datetime, until: datetime) -> Fraction | None:
    """Bugs created divided by items finished in [since, until); None when nothing was finished."""
    bugs = sum(
        item.issue.type is IssueType.BUG
        and item.issue.created_at is not None
        and since <= item.issue.created_at < until
        for item in found
        if not item.why_outside or item.why_outside.startswith("status")
    )
    finished = sum(1 for _ in finished_between(found, since, until))
    return Fraction(bugs, finished) if finished else None


def sprint_predictability(found: Iterable[Item], sprint: Sprint) -> Fraction | None:
    """Committed at the sprint's start and finished by its end, divided by committed; None when nothing was."""
    start, end = sprint.starts_at, sprint.completed_at or sprint.ends_at
    if start is None or end is None:
        return None
    committed = done = 0
    for item in found:
        if item.why_outside or item.issue.type not in ITEM_TYPES or not _is_committed(item.issue, sprint, start):
            continue
        if any(episode.finished_at is not None and episode.finished_at < start for episode in item.episodes[-1:]):
            continue
        committed += 1
        done += any(
            episode.finished_at is not None and start <= episode.finished_at <= end for episode in item.episodes
        )
    return Fraction(done, committed) if committed else None


def _is_committed(issue: Issue, sprint: Sprint, start: datetime) -> bool:
    return any(
        membership.sprint.id == sprint.id
        and (membership.added_at is None or membership.added_at <= start)
        and (membership.removed_at is None or membership.removed_at > start)
        for membership in issue.sprints
    )


# -- the state of everything, day by day -----------------------------------------------------------------------------


def cumulative_flow(found: Sequence[Item], moments: Sequence[datetime]) -> dict[str, list[int]]:
    """How many items were waiting to start, in progress, and done at each moment (ascending).

    Cancelled items leave the picture; items before their creation are not in it yet.
    """
    deltas = {name: [0] * (len(moments) + 1) for name in ("to do", "active", "waiting", "done")}
    for item in found:
        if item.why_outside is not None or item.issue.type not in ITEM_TYPES:
            continue
        for span in item.timeline.spans:
            name = _band(span.category)
            if name is None:
                continue
            # A span holds the moments from its enter up to, and without, its exit.
            first = bisect_left(moments, span.enter)
            last = len(moments) if span.exit is None else bisect_left(moments, span.exit)
            if first < last:
                deltas[name][first] += 1
                deltas[name][last] -= 1
    return {name: _running(delta[:-1]) for name, delta in deltas.items()}


def _running(deltas: Iterable[int]) -> list[int]:
    total, running = 0, []
    for delta in deltas:
        total += delta
        running.append(total)
    return running


def _band(category: StatusCategory) -> str | None:
    if category is StatusCategory.ACTIVE:
        return "active"
    if category is StatusCategory.WAITING:
        return "waiting"
    if category is StatusCategory.DONE:
        return "done"
    return "to do" if category.is_open and category not in STARTED and category is not StatusCategory.UNKNOWN else None
