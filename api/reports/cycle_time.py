"""The cycle-time report: what was finished, how long it took, what is ageing, and how far the data can be trusted."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from statistics import median_low
from zoneinfo import ZoneInfo

from backlint.api.reports.entries import Entry, entry
from backlint.api.reports.figures import day as day_of
from backlint.api.reports.figures import in_days
from backlint.api.reports.health import Answer, OfSources, SourceHealth, all_failed, unreadable, without_figures
from backlint.api.reports.sprint_record import SprintRecord, sprint_records
from backlint.flow import (
    ITEM_TYPES,
    Episode,
    Flag,
    FlowOptions,
    Item,
    Mode,
    ServiceLevel,
    Standing,
    cycle_score,
    handoffs,
    items,
    standings,
    team_of,
)
from backlint.flow.items import Identity
from backlint.flow.levels import WINDOW
from backlint.flow.metrics import (
    Due,
    OnTime,
    bug_rate,
    cumulative_flow,
    due_items,
    flow_efficiency,
    has_waiting_data,
    in_progress,
    iso_week,
    local_day,
    time_in_status,
    wip_counts,
)
from backlint.flow.options import DEFAULTS
from backlint.flow.timeline import STARTED
from backlint.model import Issue, IssueType
from backlint.percentile import Percentiles, Sample, Trend, percentile, percentiles, trend
from backlint.scopes import SprintIssues
from backlint.working_time import WorkingHours, working_days

NO_START_BANNER = Fraction(15, 100)  # catalogue FLO006
MOST_MOMENTS = 120  # points of a chart over time; beyond, one a week, then one every few weeks
MOST_WORKING_TIMES = 20_000  # rows; working time is counted day by day, and takes a second for so many
# Upper ends of the histogram's bins, in days.
BINS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A finished piece of work. `cycle` is in the report's mode; `score` is always of elapsed time.

    `working` is elapsed time within working hours in days of 8 h; None: nobody asked for it, or the rows are too many.
    """

    source: str
    id: str
    key: str
    url: str | None
    title: str
    team: str | None
    type: str
    started_at: datetime
    finished_at: datetime
    start_source: str
    cycle: timedelta
    lead: timedelta | None
    reaction: timedelta | None
    score: int | None
    rank: str
    efficiency: Fraction | None
    reopened: int
    handoffs: int
    flags: tuple[str, ...]
    working: float | None = None

    @property
    def because(self) -> str:
        """What explains the time, in words: rank, reopenings, handoffs."""
        told = (self.rank, f"reopened {self.reopened} ×" * (self.reopened > 0), _handed_over(self.handoffs))
        return "; ".join(each for each in told if each)


def _handed_over(times: int) -> str:
    return f"handed over {times} ×" if times else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Work in progress. Its score is provisional: it can only fall."""

    source: str
    id: str
    key: str
    url: str | None
    title: str
    team: str | None
    type: str
    status: str
    started_at: datetime | None
    age: timedelta | None
    level: ServiceLevel | None
    score: int | None
    rank: str
    flags: tuple[str, ...]

    @property
    def is_beyond(self) -> bool:
        return self.age is not None and self.level is not None and self.age > self.level.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """Work that is closed, or cannot be placed, and has no cycle time; with the reason."""

    source: str
    key: str
    url: str | None
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cycle times of one team or type."""

    name: str
    found: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTime:
    """Time in a status over finished items, and their age on leaving it: the bands of the ageing chart."""

    name: str
    spent: Percentiles
    age: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    monday: date
    finished: int
    rework: int
    bulk_closed: int
    is_running: bool  # not over yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """The median of the last stretch against the one before."""

    days: int
    now: Percentiles
    before: Percentiles
    trend: Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How far the figures can be trusted."""

    finished: int
    without_start: int
    unmapped: int
    imported: int
    skewed: int
    gaps: int
    bulk_closed: int
    cancelled_after_start: int
    start_sources: Mapping[str, int]

    @property
    def share_without_start(self) -> Fraction | None:
        return Fraction(self.without_start, self.finished) if self.finished else None

    @property
    def needs_banner(self) -> bool:
        return self.share_without_start is not None and self.share_without_start > NO_START_BANNER


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleTimeReport(OfSources):
    """Everything the report says. `since` and `until` are local days, both included; None: open."""

    scope: str
    as_of: datetime
    timezone: str
    rules_version: str
    mode: Mode
    since: date | None
    until: date | None
    health: tuple[SourceHealth, ...]
    answer: Answer
    issues: int
    rows: Sequence[Row]  # by finish
    large: Sequence[Row]  # epics and initiatives, a distribution of their own
    found: Percentiles
    lead: Percentiles
    reaction: Percentiles
    large_found: Percentiles
    expectation: ServiceLevel | None
    teams: tuple[Group, ...]
    types: tuple[Group, ...]
    histogram: tuple[tuple[str, int], ...]
    ageing: Sequence[Ageing]  # oldest first
    beyond_count: int  # of them older than the expectation of their class
    paused: int
    statuses: tuple[StatusTime, ...]
    moments: tuple[date, ...]
    flow: Mapping[str, tuple[int, ...]]
    wip: tuple[int, ...]
    wip_cap: float | None
    weeks: tuple[Week, ...]
    efficiency: Percentiles
    on_time: OnTime
    due: Sequence[Entry]  # what was due, with what became of it; late ones first
    bug_rate: Fraction | None
    bugs: Sequence[Entry]  # created in the period
    working: Percentiles
    sprints: tuple[SprintRecord, ...]
    movement: Movement | None
    reopened: int
    excluded: Sequence[Excluded]
    quality: Quality

    @property
    def is_elapsed(self) -> bool:
        return self.mode is Mode.ELAPSED

    @property
    def beyond(self) -> tuple[Ageing, ...]:
        return tuple(each for each in self.ageing if each.is_beyond)


@dataclass(frozen=True, slots=True)
class Period:
    since: datetime | None
    until: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and (self.since is None or at >= self.since) and at < self.until


def build_cycle_time(
    issues: Iterable[Issue],
    *,
    scope: str,
    now: datetime,
    timezone: str = "UTC",
    mode: Mode | str = Mode.ELAPSED,
    since: date | None = None,
    until: date | None = None,
    select: Callable[[Issue], bool] | None = None,
    options: FlowOptions = DEFAULTS,
    health: Sequence[SourceHealth] = (),
    rules_version: str = "",
    wip_cap: float | None = None,
    sprints: Iterable[SprintIssues] = (),
    hours: WorkingHours | None = None,
) -> CycleTimeReport:
    """The report over what finished from `since` to `until`, both local days and included.

    `issues` is everything there is, since expectations may have to ask the whole organisation; `select` picks those
    of the scope. Issues of sources whose pull did not finish are left out. `hours` asks for working time as well.
    """
    zone, mode = ZoneInfo(timezone), Mode(mode)
    period = Period(midnight(since, zone), end_of_day(until, zone, now))
    failed = unreadable(health)
    if failed:
        issues = tuple(issues)
    is_unread = (
        any(issue.source in failed and (select is None or select(issue)) for issue in issues) if failed else False
    )
    with no_garbage_collection():
        everything = items((issue for issue in issues if issue.source not in failed), now, options)
        places = standings(everything, now)
        found = [item for item in everything if select is None or select(item.issue)]
        return _report(
            found, places, period,
            scope=scope, now=now, timezone=timezone, mode=mode, since=since, until=until,
            options=options, health=tuple(health), rules_version=rules_version, wip_cap=wip_cap,
            sprints=[each for each in sprints if each.scope.source not in failed], hours=hours,
            is_unread=is_unread,
        )  # fmt: skip


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """While a report is made."""
    # Half of the time for a large backlog goes into looking for cycles among values that have none.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _report(
    found: Sequence[Item],
    places: Mapping[tuple[Identity, int], Standing],
    period: Period,
    *,
    scope: str,
    now: datetime,
    timezone: str,
    mode: Mode,
    since: date | None,
    until: date | None,
    options: FlowOptions,
    health: tuple[SourceHealth, ...],
    rules_version: str,
    wip_cap: float | None,
    sprints: Sequence[SprintIssues],
    hours: WorkingHours | None,
    is_unread: bool,
) -> CycleTimeReport:
    zone = ZoneInfo(timezone)
    finished = [(item, episode) for item in found for episode in item.finished() if period.holds(episode.finished_at)]
    teams_with_waiting = {team_of(item.issue) for item in found if has_waiting_data(item, options)}
    rows: list[Row] = []
    large: list[Row] = []
    for item, episode in finished:
        row = _row(item, episode, places, mode, options, is_measurable=team_of(item.issue) in teams_with_waiting)
        if row is not None:
            (large if item.is_large else rows).append(row)
    rows.sort(key=by_finish)
    if hours is not None and len(rows) <= MOST_WORKING_TIMES:
        rows = [replace(row, working=working_days(row.started_at, row.finished_at, hours)) for row in rows]
    large.sort(key=by_finish)
    ageing = _ageing(found, places, now)
    counted = [(item, episode) for item, episode in finished if item.issue.type in ITEM_TYPES]
    moments = _moments(found, period, zone)
    ends = [end_of_day(day, zone, now) for day in moments]
    due = tuple(due_items(found, now, zone, since=since, until=until + DAY if until else None))
    return CycleTimeReport(
        scope=scope,
        as_of=now,
        timezone=timezone,
        rules_version=rules_version,
        mode=mode,
        since=since,
        until=until,
        health=health,
        answer=answer_of(health, rows=rows, ageing=ageing, finished=counted, is_unread=is_unread),
        issues=len(found),
        rows=tuple(rows),
        large=tuple(large),
        found=percentiles(row.cycle for row in rows),
        lead=percentiles(lead for item, episode in counted if (lead := item.lead_time(episode)) is not None),
        reaction=percentiles(row.reaction for row in rows if row.reaction is not None),
        large_found=percentiles(row.cycle for row in large),
        expectation=_expectation(found, now),
        teams=_groups(rows, lambda row: row.team or "no team"),
        types=_groups(rows, lambda row: row.type),
        histogram=_histogram(rows),
        ageing=ageing,
        beyond_count=sum(each.is_beyond for each in ageing),
        paused=sum(_is_paused(item) for item in found),
        statuses=_statuses(counted, ageing),
        moments=moments,
        flow={name: tuple(counts) for name, counts in cumulative_flow(found, ends).items()},
        wip=tuple(wip_counts(in_progress(found), ends)),
        wip_cap=wip_cap,
        weeks=_weeks(counted, period, zone, now),
        efficiency=percentiles(sorted((row.efficiency for row in rows if row.efficiency is not None), key=float)),
        on_time=OnTime(sum(each.is_met for each in due), len(due), sum(each.is_moved for each in due)),
        due=_due_lines(due, zone),
        bug_rate=bug_rate(found, period.since or datetime.min.replace(tzinfo=UTC), period.until),
        bugs=_bugs(found, period, zone),
        working=percentiles(row.working for row in rows if row.working is not None),
        sprints=sprint_records(
            sprints, {item.issue.identity: item for item in found} if sprints else {}, now, since=period.since
        ),
        movement=_movement(found, period, mode),
        reopened=sum(row.reopened > 0 for row in rows),
        excluded=_excluded(found, period, mode),
        quality=_quality(found, counted, period, rows),
    )


def answer_of(
    health: Sequence[SourceHealth],
    *,
    rows: Sequence[Row],
    ageing: Sequence[Ageing],
    finished: Sequence[object],
    is_unread: bool = False,
) -> Answer:
    if all_failed(health):
        return Answer.CANNOT_SAY
    return Answer.FIGURES if rows or ageing or finished else without_figures(health, is_unread=is_unread)


def midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def end_of_day(day: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The end of a local day, which is the beginning of the next; at most just after now."""
    just_after = now + timedelta(microseconds=1)
    return just_after if day is None else min(midnight(day + DAY, zone) or just_after, just_after)


def by_finish(row: Row) -> tuple[datetime, str, str]:
    return row.finished_at, row.source, row.id


def _row(
    item: Item,
    episode: Episode,
    places: Mapping[tuple[Identity, int], Standing],
    mode: Mode,
    options: FlowOptions,
    *,
    is_measurable: bool,
) -> Row | None:
    cycle, elapsed = episode.cycle_time(mode), episode.cycle_time()
    if cycle is None or elapsed is None or episode.started_at is None or episode.finished_at is None:
        return None
    issue = item.issue
    place = places.get((issue.identity, episode.number))
    level = place.level if place else None
    return Row(
        source=issue.source,
        id=issue.id,
        key=issue.key,
        url=issue.url,
        title=issue.title,
        team=team_of(issue, episode.finished_at),
        type=issue.type.value,
        started_at=episode.started_at,
        finished_at=episode.finished_at,
        start_source=str(episode.start_source or ""),
        cycle=cycle,
        lead=item.lead_time(episode),
        reaction=None if Flag.IMPORTED in item.flags else episode.reaction_time,
        score=cycle_score(elapsed, level.duration) if level else None,
        rank=place.rank if place else "",
        efficiency=flow_efficiency(item, episode, is_measurable=is_measurable, options=options),
        reopened=episode.reopenings,
        handoffs=handoffs(issue) if issue.changes else 0,
        flags=_flags(item, episode),
    )


def _due_lines(due: Sequence[Due], zone: ZoneInfo) -> tuple[Entry, ...]:
    """Late ones first, the latest date first."""
    order = sorted(
        due, key=lambda each: (each.is_met, -each.day.toordinal(), each.item.issue.source, each.item.issue.key)
    )
    return tuple(
        entry(
            each.item.issue,
            due_said(each.day, each.item.episodes[0].finished_at, zone, is_moved=each.is_moved),
        )
        for each in order
    )


def due_said(due: date, finished_at: datetime | None, zone: ZoneInfo, *, is_moved: bool) -> str:
    """What became of an item that was due."""
    became = "still open" if finished_at is None else f"finished {day_of(finished_at, zone)}"
    return f"due {due}, {became}{'; the date was moved after the start' if is_moved else ''}"


def _bugs(found: Iterable[Item], period: Period, zone: ZoneInfo) -> tuple[Entry, ...]:
    """The bugs that the bug rate counts."""
    bugs = [
        item.issue
        for item in found
        if item.issue.type is IssueType.BUG
        and period.holds(item.issue.created_at)
        and (not item.why_outside or item.why_outside.startswith("status"))
    ]
    return tuple(
        entry(issue, f"created {day_of(issue.created_at, zone)}")
        for issue in sorted(bugs, key=lambda each: (str(each.created_at), each.source, each.key))
    )


def _flags(item: Item, episode: Episode) -> tuple[str, ...]:
    if not item.flags and not episode.flags:
        return ()
    return tuple(sorted(flag.value for flag in item.flags | episode.flags))


def _ageing(
    found: Iterable[Item], places: Mapping[tuple[Identity, int], Standing], now: datetime
) -> tuple[Ageing, ...]:
    ageing = []
    for item in found:
        if item.issue.type not in ITEM_TYPES or not item.is_in_progress or item.current is None:
            continue
        issue, age = item.issue, item.age(now)
        place = places.get((issue.identity, item.current.number))
        level = place.level if place else None
        ageing.append(
            Ageing(
                source=issue.source,
                id=issue.id,
                key=issue.key,
                url=issue.url,
                title=issue.title,
                team=team_of(issue),
                type=issue.type.value,
                status=issue.status.name or issue.status.id,
                started_at=item.current.started_at,
                age=age,
                level=level,
                score=cycle_score(age, level.duration) if level and age is not None else None,
                rank=place.rank if place else "",
                flags=_flags(item, item.current),
            )
        )
    return tuple(sorted(ageing, key=lambda each: (-(each.age or timedelta(-1)), each.source, each.id)))


def _is_paused(item: Item) -> bool:
    """Begun once, put back, and still open."""
    current = item.current
    is_open = current is not None and current.closed_at is None and item.issue.is_open and not item.why_outside
    return is_open and current is not None and current.started_at is not None and not item.is_in_progress


def _expectation(found: Iterable[Item], now: datetime) -> ServiceLevel | None:
    """The expectation of the whole scope, drawn as a line; items are scored by that of their own class."""
    recent = sorted(
        cycle
        for item in found
        if item.issue.type in ITEM_TYPES
        for episode in item.finished()
        if episode.finished_at is not None and episode.finished_at >= now - WINDOW
        if (cycle := episode.cycle_time()) is not None
    )
    if not Sample(len(recent)).allows_expectation:
        return None
    return ServiceLevel(percentile(85, recent) / DAY, len(recent), "scope")


def _groups(rows: Iterable[Row], name: Callable[[Row], str]) -> tuple[Group, ...]:
    cycles: dict[str, list[timedelta]] = defaultdict(list)
    for row in rows:
        cycles[name(row)].append(row.cycle)
    return tuple(Group(name=each, found=percentiles(cycles[each])) for each in sorted(cycles))


def _histogram(rows: Iterable[Row]) -> tuple[tuple[str, int], ...]:
    """How many items took up to so many days; bins without any at the long end are left out."""
    counts = [0] * (len(BINS) + 1)
    for row in rows:
        counts[next((place for place, end in enumerate(BINS) if row.cycle <= end * DAY), len(BINS))] += 1
    while counts and not counts[-1]:
        counts.pop()
    return tuple((bin_name(place), count) for place, count in enumerate(counts))


def bin_name(place: int) -> str:
    if place == len(BINS):
        return f"> {BINS[-1]}"
    return f"≤ {BINS[0]}" if place == 0 else f"{BINS[place - 1]}–{BINS[place]}"


def _statuses(finished: Iterable[tuple[Item, Episode]], ageing: Iterable[Ageing]) -> tuple[StatusTime, ...]:
    """Started statuses in the order in which work passes them, by the median age on leaving."""
    spent: dict[str, list[timedelta]] = defaultdict(list)
    ages: dict[str, list[timedelta]] = defaultdict(list)
    for _, episode in finished:
        if episode.started_at is None or episode.cycle_time() is None:
            continue
        left: dict[str, datetime] = {}
        started = set()
        for span in episode.spans:
            if span.category in STARTED and span.exit is not None:
                name = span.status.name or span.status.id
                left[name] = span.exit
                started.add((span.status.id, span.status.name))
        for name, at in left.items():
            ages[name].append(at - episode.started_at)
        for status, took in time_in_status(episode).items():
            if status in started:
                spent[status[1] or status[0]].append(took)
    for each in ageing:
        ages.setdefault(each.status, [])
    order = sorted(ages, key=lambda name: (median_low(ages[name]) if ages[name] else timedelta.max, name))
    return tuple(StatusTime(name=name, spent=percentiles(spent[name]), age=percentiles(ages[name])) for name in order)


def _moments(found: Iterable[Item], period: Period, zone: ZoneInfo) -> tuple[date, ...]:
    """The local days that charts over time have points for, evenly spread, the last one included."""
    last = local_day(period.until - timedelta(microseconds=1), zone)
    if period.since is not None:
        first = local_day(period.since, zone)
    else:
        created = (item.timeline.spans[0].enter for item in found if item.timeline.spans)
        first = local_day(min(created, default=period.until), zone)
    return evenly_spread(first, last)


def evenly_spread(first: date, last: date) -> tuple[date, ...]:
    """Days from the first to the last: every one, or as many as a chart can show; the last one included."""
    length = max((last - first).days, 0)
    step = 1 if length <= MOST_MOMENTS else 7 * -(-length // (7 * MOST_MOMENTS))
    return tuple(last - timedelta(days=back) for back in range(length - length % step, -1, -step))


def _weeks(finished: Iterable[tuple[Item, Episode]], period: Period, zone: ZoneInfo, now: datetime) -> tuple[Week, ...]:
    """Every ISO week from the first finish (or the period's start) to its end, empty ones included."""
    counts: dict[date, Counter[str]] = defaultdict(Counter)
    for item, episode in finished:
        if episode.finished_at is not None:
            week = counts[iso_week(local_day(episode.finished_at, zone))]
            week["finished"] += 1
            week["rework"] += episode.is_rework
            week["bulk"] += Flag.BULK_CLOSED in item.flags
    if not counts:
        return ()
    monday = iso_week(local_day(period.since, zone)) if period.since is not None else min(counts)
    last = iso_week(local_day(period.until - timedelta(microseconds=1), zone))
    weeks = []
    while monday <= last:
        week = counts[monday]
        is_running = local_day(now, zone) < monday + 7 * DAY
        weeks.append(
            Week(
                monday=monday,
                finished=week["finished"],
                rework=week["rework"],
                bulk_closed=week["bulk"],
                is_running=is_running,
            )
        )
        monday += 7 * DAY
    return tuple(weeks)


def _movement(found: Iterable[Item], period: Period, mode: Mode) -> Movement | None:
    """This stretch against the one before it of the same length; 90 days when the period is open."""
    length = period.until - period.since if period.since is not None else WINDOW
    if length <= timedelta():
        return None
    recent, before = [], []
    for item in found:
        if item.issue.type not in ITEM_TYPES:
            continue
        for episode in item.finished():
            cycle, at = episode.cycle_time(mode), episode.finished_at
            if cycle is None or at is None or at >= period.until:
                continue
            if at >= period.until - length:
                recent.append(cycle)
            elif at >= period.until - 2 * length:
                before.append(cycle)
    return Movement(
        days=round(length / DAY),
        now=percentiles(recent),
        before=percentiles(before),
        trend=trend([each / DAY for each in before], [each / DAY for each in recent]),
    )


def _excluded(found: Iterable[Item], period: Period, mode: Mode) -> tuple[Excluded, ...]:
    out = []
    for item in found:
        for episode in item.episodes:
            why = _why_excluded(item, episode, period, mode)
            if why is not None:
                issue = item.issue
                out.append(Excluded(source=issue.source, key=issue.key, url=issue.url, title=issue.title, why=why))
    return tuple(sorted(out, key=lambda each: (each.why, each.source, each.key)))


def _why_excluded(item: Item, episode: Episode, period: Period, mode: Mode) -> str | None:
    if item.why_outside is not None and Flag.UNMAPPED in item.flags:
        return item.why_outside if episode is item.episodes[0] else None
    if episode.closed_at is None:
        is_hidden = episode.unknown is not None and not item.issue.is_open
        return item.why_no_cycle_time(episode) if is_hidden else None
    if not period.holds(episode.closed_at):
        return None
    why = item.why_no_cycle_time(episode)
    if why == "cancelled" and episode.started_at is not None and episode.cancelled_at is not None:
        return f"cancelled {in_days(episode.cancelled_at - episode.started_at)} after the start"
    if why is None and episode.cycle_time(mode) is None:
        return f"cannot be told in mode {mode.value}"
    return why


def _quality(
    found: Sequence[Item], finished: Sequence[tuple[Item, Episode]], period: Period, rows: Iterable[Row]
) -> Quality:
    cancelled = [
        episode
        for item in found
        if item.why_outside is None and item.issue.type in ITEM_TYPES
        for episode in item.episodes
        if period.holds(episode.cancelled_at) and episode.started_at is not None
    ]
    hidden = [item for item in found if item.current and item.current.unknown and not item.issue.is_open]
    judged = {item.issue.identity: item for item in (*(item for item, _ in finished), *hidden)}
    flags = Counter(flag for item in judged.values() for flag in item.flags)
    return Quality(
        finished=len(finished),
        without_start=sum(episode.started_at is None for _, episode in finished),
        unmapped=sum(Flag.UNMAPPED in item.flags for item in found),
        imported=flags[Flag.IMPORTED],
        skewed=flags[Flag.SKEW],
        gaps=flags[Flag.GAP],
        bulk_closed=flags[Flag.BULK_CLOSED],
        cancelled_after_start=len(cancelled),
        start_sources=dict(sorted(Counter(row.start_source for row in rows).items())),
    )
