"""The cycle-time report out of the records of the store: the same answers as `build_cycle_time`, for a million issues.

Figures come from arrays; rows are made when they are printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from statistics import median_low
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from backlint.api.reports.cycle_time import (
    BINS,
    MOST_WORKING_TIMES,
    Ageing,
    CycleTimeReport,
    Excluded,
    Group,
    Movement,
    Period,
    Quality,
    Row,
    StatusTime,
    Week,
    answer_of,
    bin_name,
    by_finish,
    due_said,
    end_of_day,
    evenly_spread,
    midnight,
    no_garbage_collection,
)
from backlint.api.reports.entries import Entry
from backlint.api.reports.figures import day as day_of
from backlint.api.reports.figures import in_days
from backlint.api.reports.health import SourceHealth, unreadable
from backlint.api.reports.many import Many
from backlint.api.reports.sprint_record import SprintRecord, sprint_records
from backlint.flow import Flag, Mode, ServiceLevel, cycle_score, items
from backlint.flow.columns import (
    BUG,
    BULK_CLOSED,
    DRAGGED,
    IMPORTED,
    UNMAPPED,
    Columns,
    Days,
    has_waiting_data,
    mondays,
)
from backlint.flow.levels import WINDOW, kind_name
from backlint.flow.metrics import OnTime
from backlint.flow.record import (
    DUE_MOVED,
    FLAGS,
    HAS_TEAM,
    MICROSECOND,
    MISSING,
    NO_SPANS,
    REWORK,
    SOURCES,
    TYPES,
    instant,
    moment,
)
from backlint.percentile import SLE_SAMPLE, Percentiles, Sample, percentiles, rank, trend
from backlint.rules.wip_above_cap import joint_cap
from backlint.scopes import Scopes
from backlint.settings import Settings
from backlint.sync.check import flow_options
from backlint.sync.flow_reading import Finishes, FlowStore, Named, reading_flow
from backlint.working_time import WorkingHours, working_days

DAY_LENGTH = timedelta(days=1) // MICROSECOND
DAY = timedelta(days=1)
MOST_TEAMS = 100_000
HoursOf = Callable[[str | None], WorkingHours]


def build_from_records(
    engine: sa.Engine,
    settings: Settings,
    *,
    scope: str | None,
    name: str,
    now: datetime,
    mode: Mode | str = Mode.ELAPSED,
    since: date | None = None,
    until: date | None = None,
    health: Sequence[SourceHealth] = (),
    rules_version: str = "",
    caps: Mapping[str, float] = MappingProxyType({}),
    hours_of: HoursOf | None = None,
) -> CycleTimeReport:
    """The report over what finished from `since` to `until`, both local days and included.

    `caps` are by team; `hours_of` gives the working hours of a team, None for several.
    """
    failed = unreadable(health)
    with no_garbage_collection(), reading_flow(engine, settings, now=now, failed=failed) as store:
        maker = _Maker(engine, settings, store, store.read(scope), now=now, mode=Mode(mode), since=since, until=until)
        maker.failed = failed
        return maker.report(
            scope=scope, name=name, health=tuple(health), rules_version=rules_version, caps=caps, hours_of=hours_of
        )


@dataclass(frozen=True, slots=True)
class _Level:
    level: ServiceLevel | None
    available: int
    ascending: Any

    def slower_than(self, measured: int, *, is_own: bool) -> int:
        return int(100 * np.searchsorted(self.ascending, measured) // (len(self.ascending) - is_own))


class _Levels:
    """Expectations in force at a moment, by class (as `backlint.flow.levels` has them)."""

    def __init__(self, own: Finishes, everyone: Callable[[int, int], Finishes] | None) -> None:
        """`own` are the finishes of all teams asked about; `everyone` finds those of all teams in a stretch of time;
        None: `own` are all there are."""
        self._own, self._find_everyone = own, everyone
        self._everyone: tuple[int, int, Finishes] | None = None
        by_time = np.argsort(own.at, kind="stable")
        order = by_time[np.argsort(own.team[by_time], kind="stable")]
        self._at, self._cycle = own.at[order], own.cycle[order]
        self._team, self._type = own.team[order], own.type[order]

    def at(self, at: int, team: int, type: int, cycle: int | None, *, has_team: bool) -> _Level:
        available, found = 0, np.zeros(0, np.int64)
        for narrowness in ("type", "team", "organisation"):
            found = self._window(narrowness, at, team, type)
            available, duration = _without(found, cycle)
            if duration is not None:
                scope = "organisation" if narrowness == "organisation" else "team" if has_team else "project"
                kind = kind_name(TYPES[type] if narrowness == "type" else None)
                level = ServiceLevel(timedelta(microseconds=duration) / DAY, available, scope, kind)
                return _Level(level, available, found)
        return _Level(None, available, found)

    def _window(self, narrowness: str, at: int, team: int, type: int) -> Any:
        since = at - WINDOW // MICROSECOND
        if narrowness == "organisation":
            finishes = self._of_everyone(since, at)
            return np.sort(finishes.cycle[(finishes.at >= since) & (finishes.at <= at)])
        first, last = np.searchsorted(self._team, team), np.searchsorted(self._team, team, "right")
        low = first + np.searchsorted(self._at[first:last], since)
        high = first + np.searchsorted(self._at[first:last], at, "right")
        cycles = self._cycle[low:high]
        return np.sort(cycles[self._type[low:high] == type] if narrowness == "type" else cycles)

    def _of_everyone(self, since: int, until: int) -> Finishes:
        if self._find_everyone is None:
            return self._own
        known = self._everyone
        if known is None or since < known[0] or until > known[1]:
            first, last = (since, until) if known is None else (min(since, known[0]), max(until, known[1]))
            known = self._everyone = (first, last, self._find_everyone(first, last))
        return known[2]


def _without(ascending: Any, cycle: int | None) -> tuple[int, int | None]:
    """How many others there are, and their 85th percentile if they are enough."""
    count = len(ascending) - (cycle is not None)
    if count < SLE_SAMPLE:
        return count, None
    place = rank(85, count) - 1
    if cycle is not None and np.searchsorted(ascending, cycle) <= place:
        place += 1
    return count, int(ascending[place])


class _Maker:
    """One report while it is being made."""

    failed: frozenset[str] = frozenset()

    def __init__(
        self, engine: sa.Engine, settings: Settings, store: FlowStore, all: Columns, *, now: datetime, mode: Mode,
        since: date | None, until: date | None,
    ) -> None:  # fmt: skip
        self._engine, self._settings, self._store, self._all = engine, settings, store, all
        self._now, self._mode, self._since, self._until = now, mode, since, until
        self._zone = ZoneInfo(settings.timezone)
        self._period = Period(midnight(since, self._zone), end_of_day(until, self._zone, now))
        self._names = dict(store.names)
        self._elapsed = all.cycles()
        self._cycles = all.cycles(mode)
        self._leads = all.leads()
        self._counted = all.is_finished & all.is_item & self._holds(all["finished"])
        self._is_row = all.is_finished & self._holds(all["finished"]) & (self._cycles != MISSING)
        self._rows = np.flatnonzero(self._is_row & all.is_item)
        self._is_measurable = has_waiting_data(all)
        self._ages = all.ages(instant(now))
        self._open = np.flatnonzero(all.is_in_progress & all.is_item)

    def _holds(self, at: Any) -> Any:
        since = MISSING if self._period.since is None else instant(self._period.since)
        return (at != MISSING) & (at >= since) & (at < instant(self._period.until))

    def report(
        self,
        *,
        scope: str | None,
        name: str,
        health: tuple[SourceHealth, ...],
        rules_version: str,
        caps: Mapping[str, float],
        hours_of: HoursOf | None,
    ) -> CycleTimeReport:
        all, zone = self._all, self._zone
        self._is_everything = scope is None
        teams = self._store.team_names(scope, most=MOST_TEAMS if caps else 2)
        self._add_working(teams, hours_of)
        rows = self._many_rows(self._rows)
        large = self._many_rows(np.flatnonzero(self._is_row & all.is_large))
        ageing = self._ageing()
        moments = self._moments()
        ends = np.array([instant(end_of_day(day, zone, self._now)) for day in moments], np.int64)
        reactions = np.where((all.more_flags & IMPORTED) != 0, MISSING, all.reactions())[self._rows]
        return CycleTimeReport(
            scope=scope or name,
            as_of=self._now,
            timezone=self._settings.timezone,
            rules_version=rules_version,
            mode=self._mode,
            since=self._since,
            until=self._until,
            health=health,
            answer=answer_of(
                health,
                rows=rows,
                ageing=ageing,
                finished=range(int(self._counted.sum())),
                is_unread=self._store.holds_unread(scope),
            ),
            issues=len(all.first),
            rows=rows,
            large=large,
            found=_percentiles(self._cycles[self._rows]),
            lead=_percentiles(_known(self._leads[self._counted])),
            reaction=_percentiles(_known(reactions)),
            large_found=_percentiles(self._cycles[self._is_row & all.is_large]),
            expectation=self._expectation(),
            teams=self._groups(all["team_then"], lambda code: self._names.get(code, "") if code else "no team"),
            types=self._groups(all["type"], lambda code: TYPES[code].value),
            histogram=self._histogram(),
            ageing=ageing,
            beyond_count=self._beyond_count(),
            paused=int(all.is_paused.sum()),
            statuses=self._statuses(),
            moments=moments,
            flow=all.flow(ends),
            wip=all.wip(ends),
            wip_cap=joint_cap(caps, teams),
            weeks=self._weeks(),
            efficiency=self._efficiency(),
            on_time=self._on_time(),
            due=self._due_lines(),
            bug_rate=Fraction(len(self._bugs), int(self._counted.sum())) if self._counted.any() else None,
            bugs=self._bug_lines(),
            working=percentiles(self._working.values()),
            sprints=self._sprints(scope),
            movement=self._movement(),
            reopened=int((all["reopenings"][self._rows] > 0).sum()),
            excluded=self._excluded(),
            quality=self._quality(),
        )

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _many_rows(self, places: Any) -> Many[Row]:
        return Many(
            self._all["finished"][places],
            lambda chosen: self._made(places[chosen]),
            by_finish,
            lengths=self._cycles[places],
        )

    def _made(self, places: Any) -> list[Row]:
        one, named = self._all.episodes, self._named(places)
        found = []
        for place in places.tolist():
            row, issue = one[place], named[int(self._all.row[place])]
            level = self._level(place, int(row["finished"]), int(row["team_then"]), int(self._elapsed[place]))
            elapsed, lead = int(self._elapsed[place]), int(self._leads[place])
            is_imported = bool(self._all.more_flags[place] & IMPORTED)
            found.append(
                Row(
                    source=issue.source,
                    id=issue.id,
                    key=issue.key,
                    url=issue.url,
                    title=issue.title,
                    team=self._names.get(int(row["team_then"])),
                    type=TYPES[row["type"]].value,
                    started_at=moment(row["started"]),
                    finished_at=moment(row["finished"]),
                    start_source=str(SOURCES[row["start_source"]] or ""),
                    cycle=_span(self._cycles[place]),
                    lead=None if lead == MISSING else _span(lead),
                    reaction=None if is_imported else _span(max(int(row["started"]) - int(row["opened"]), 0)),
                    score=cycle_score(_span(elapsed), level.level.duration) if level and level.level else None,
                    rank=_rank(level, elapsed, is_own=True),
                    efficiency=self._efficiency_of(place),
                    reopened=int(row["reopenings"]),
                    handoffs=int(row["handoffs"]),
                    flags=self._flags(place),
                    working=self._working.get(place),
                )
            )
        return found

    def _level(self, place: int, at: int, team: int, cycle: int | None) -> _Level | None:
        """None for epics: no expectation is about them."""
        if not self._all.is_item[place]:
            return None
        has_team = bool(self._all["bits"][place] & HAS_TEAM)
        return self._levels.at(at, team, int(self._all["type"][place]), cycle, has_team=has_team)

    def _flags(self, place: int) -> tuple[str, ...]:
        row = self._all.episodes[place]
        bits = int(row["flags"]) | int(row["own_flags"]) | int(self._all.more_flags[place])
        return tuple(sorted(flag.value for number, flag in enumerate(FLAGS) if bits & (1 << number)))

    def _named(self, places: Any) -> dict[int, Named]:
        """Read when rows are printed, which is after the figures: the store is opened again."""
        with reading_flow(self._engine, self._settings, now=self._now, failed=self.failed) as store:
            return store.named(self._all.row[places].tolist())

    def _ageing(self) -> Many[Ageing]:
        ages = self._ages[self._open]
        rough = np.where(ages == MISSING, DAY_LENGTH, np.where(ages == 0, DAY_LENGTH, -ages))

        def key(each: Ageing) -> Any:
            return -(each.age or timedelta(-1)), each.source, each.id

        return Many(rough, lambda chosen: self._aged(self._open[chosen]), key, lengths=ages)

    def _aged(self, places: Any) -> list[Ageing]:
        one, named = self._all.episodes, self._named(places)
        found = []
        for place in places.tolist():
            row, issue, age = one[place], named[int(self._all.row[place])], int(self._ages[place])
            level = self._level_now(place)
            name = self._status(int(row["status"]))
            is_known = age != MISSING
            found.append(
                Ageing(
                    source=issue.source,
                    id=issue.id,
                    key=issue.key,
                    url=issue.url,
                    title=issue.title,
                    team=self._names.get(int(row["team"])),
                    type=TYPES[row["type"]].value,
                    status=name,
                    started_at=None if row["started"] == MISSING else moment(row["started"]),
                    age=_span(age) if is_known else None,
                    level=level.level,
                    score=cycle_score(_span(age), level.level.duration) if level.level and is_known else None,
                    rank=_rank(level, age if is_known else None, is_own=False),
                    flags=self._flags(place),
                )
            )
        return found

    def _status(self, code: int) -> str:
        id, _, name = self._names[code].partition("\n")
        return name or id

    # -- expectations --------------------------------------------------------------------------------------------------

    @cached_property
    def _levels(self) -> _Levels:
        all = self._all
        if self._is_everything:
            mine = all.is_finished & all.is_item & (self._elapsed != MISSING)
            own = Finishes(all["finished"][mine], self._elapsed[mine], all["team_then"][mine], all["type"][mine])
            return _Levels(own, None)
        teams = {*all["team_then"][self._rows].tolist(), *all["team_then"][self._open].tolist()}
        finished = all["finished"][self._rows]
        first = min(int(finished.min()) if len(finished) else instant(self._now), instant(self._now))
        own = self._finishes(first - WINDOW // MICROSECOND, instant(self._now), teams)
        return _Levels(own, self._finishes)

    def _finishes(self, since: int, until: int, teams: set[int] | None = None) -> Finishes:
        with reading_flow(self._engine, self._settings, now=self._now, failed=self.failed) as store:
            return store.finishes(since=since, until=until, teams=teams)

    def _level_now(self, place: int) -> _Level:
        row = self._all.episodes[place]
        known = int(row["team_then"]), int(row["type"]), bool(row["bits"] & HAS_TEAM)
        if known not in self._now_levels:
            team, type, has_team = known
            self._now_levels[known] = self._levels.at(instant(self._now), team, type, None, has_team=has_team)
        return self._now_levels[known]

    @cached_property
    def _now_levels(self) -> dict[tuple[int, int, bool], _Level]:
        return {}

    def _expectation(self) -> ServiceLevel | None:
        all = self._all
        recent = all.is_finished & all.is_item & (all["finished"] >= instant(self._now - WINDOW))
        values = np.sort(self._elapsed[recent & (self._elapsed != MISSING)])
        if not Sample(len(values)).allows_expectation:
            return None
        return ServiceLevel(_span(values[rank(85, len(values)) - 1]) / DAY, len(values), "scope")

    def _beyond_count(self) -> int:
        """How much work in progress is older than the expectation of its class."""
        one, ages = self._all.episodes, self._ages
        known = self._open[ages[self._open] != MISSING]
        has_team = (one["bits"][known] & HAS_TEAM) != 0
        classes = (one["team_then"][known].astype(np.int64) * len(TYPES) + one["type"][known]) * 2 + has_team
        found, some, of = np.unique(classes, return_index=True, return_inverse=True)
        limits = np.full(len(found), np.iinfo(np.int64).max)
        for place, member in enumerate(known[some].tolist()):
            level = self._level_now(member).level
            if level is not None:
                limits[place] = level.duration // MICROSECOND
        return int((ages[known] > limits[of]).sum())

    # -- figures -------------------------------------------------------------------------------------------------------

    def _groups(self, codes: Any, name: Any) -> tuple[Group, ...]:
        of, cycles = codes[self._rows], self._cycles[self._rows]
        found = [(name(int(code)), _percentiles(cycles[of == code])) for code in np.unique(of)]
        return tuple(Group(name=each, found=figures) for each, figures in sorted(found, key=lambda pair: pair[0]))

    def _histogram(self) -> tuple[tuple[str, int], ...]:
        ends = np.array([end * DAY_LENGTH for end in BINS])
        counts = np.bincount(np.searchsorted(ends, self._cycles[self._rows]), minlength=len(BINS) + 1).tolist()
        while counts and not counts[-1]:
            counts.pop()
        return tuple((bin_name(place), count) for place, count in enumerate(counts))

    def _statuses(self) -> tuple[StatusTime, ...]:
        all = self._all
        chosen = self._counted & (all["started"] != MISSING) & (self._elapsed != MISSING)
        (stayed, took), (episode, left, age) = all.times_in_status(chosen)
        spent, ages = _by_name(stayed, took, self._status), _ages_by_name(episode, left, age, self._status)
        for code in np.unique(all["status"][self._open]).tolist():
            ages.setdefault(self._status(code), np.zeros(0, np.int64))
        nothing = np.zeros(0, np.int64)
        order = sorted(ages, key=lambda name: (median_low(ages[name]) if len(ages[name]) else np.inf, name))
        return tuple(
            StatusTime(name=name, spent=_percentiles(spent.get(name, nothing)), age=_percentiles(ages[name]))
            for name in order
        )

    def _moments(self) -> tuple[date, ...]:
        last = (self._period.until - timedelta(microseconds=1)).astimezone(self._zone).date()
        if self._period.since is not None:
            first = self._period.since.astimezone(self._zone).date()
        else:
            opened = self._all["opened"][self._all["number"] == 1]
            first = (moment(opened.min()) if len(opened) else self._period.until).astimezone(self._zone).date()
        return evenly_spread(first, last)

    def _days(self) -> Any:
        """Local days of the finishes that count, as ordinals."""
        at = self._all["finished"][self._counted]
        if not len(at):
            return at
        return Days(moment(at.min()), moment(at.max()), self._zone).ordinals(at)

    def _weeks(self) -> tuple[Week, ...]:
        weeks = mondays(self._days()) if self._counted.any() else np.zeros(0, np.int64)
        if not len(weeks):
            return ()
        since = self._period.since
        last = (self._period.until - timedelta(microseconds=1)).astimezone(self._zone).date()
        start = since.astimezone(self._zone).date() if since is not None else date.fromordinal(int(weeks.min()))
        monday = start.toordinal() - start.weekday()
        count = (last.toordinal() - last.weekday() - monday) // 7 + 1
        place = (weeks - monday) // 7
        rework = self._all.has(REWORK)[self._counted]
        bulk = (self._all.more_flags[self._counted] & BULK_CLOSED) != 0
        today = self._now.astimezone(self._zone).date()
        totals = [np.bincount(place[mask], minlength=count) for mask in (place >= 0, rework, bulk)]
        return tuple(
            Week(
                monday=(day := date.fromordinal(monday + 7 * number)),
                finished=int(totals[0][number]),
                rework=int(totals[1][number]),
                bulk_closed=int(totals[2][number]),
                is_running=today < day + 7 * DAY,
            )
            for number in range(count)
        )

    def _efficiency(self) -> Percentiles:
        active, elapsed = self._all["active"][self._rows], self._elapsed[self._rows]
        usable = np.flatnonzero(
            self._is_measurable[self._rows] & (active != MISSING) & (elapsed != MISSING) & (elapsed > 0)
        )
        order = usable[np.argsort(active[usable] / elapsed[usable], kind="stable")]
        return _percentiles_of(
            len(order), lambda place: Fraction(int(active[order[place]]), int(elapsed[order[place]]))
        )

    def _efficiency_of(self, place: int) -> Fraction | None:
        active, elapsed = int(self._all["active"][place]), int(self._elapsed[place])
        if not self._is_measurable[place] or MISSING in (active, elapsed) or elapsed <= 0:
            return None
        return Fraction(active, elapsed)

    @cached_property
    def _due(self) -> tuple[Any, Any]:
        """Places of what was due in the period, and whether each was met."""
        all = self._all
        today = self._now.astimezone(self._zone).date().toordinal()
        due = (all["number"] == 1) & all.is_inside & all.is_item & (all["cancelled"] == MISSING)
        due &= (all["due"] > 0) & (all["unknown"] == 0)
        if self._since is not None:
            due &= all["due"] >= self._since.toordinal()
        if self._until is not None:
            due &= all["due"] < (self._until + DAY).toordinal()
        is_done = all["finished"] != MISSING
        places = np.flatnonzero(due & (is_done | (all["due"] < today)))
        at = all["finished"][places]
        done = at != MISSING
        met = np.zeros(len(places), bool)
        if done.any():
            days = Days(moment(at[done].min()), moment(at[done].max()), self._zone)
            met[done] = days.ordinals(at[done]) <= all["due"][places][done]
        return places, met

    def _on_time(self) -> OnTime:
        places, met = self._due
        return OnTime(int(met.sum()), len(places), int(self._all.has(DUE_MOVED)[places].sum()))

    def _due_lines(self) -> Many[Entry]:
        """Late ones first, the latest date first."""
        places, met = self._due
        days = self._all["due"][places].astype(np.int64)

        def said(place: int) -> str:
            at = int(self._all["finished"][places[place]])
            finished_at = None if at == MISSING else moment(at)
            is_moved = bool(self._all["bits"][places[place]] & DUE_MOVED)
            return due_said(date.fromordinal(int(days[place])), finished_at, self._zone, is_moved=is_moved)

        rough = np.where(met, 10**9, 0) - days
        return self._entries(places, rough, said)

    @cached_property
    def _bugs(self) -> Any:
        all = self._all
        unmapped = [code for code, text in self._names.items() if text.startswith("status")]
        counts = all.is_inside | np.isin(all["outside"], unmapped)
        return np.flatnonzero(all.is_first & (all["type"] == BUG) & counts & self._holds(all["created"]))

    def _bug_lines(self) -> Many[Entry]:
        created = self._all["created"][self._bugs]
        return self._entries(self._bugs, created, lambda place: f"created {day_of(moment(created[place]), self._zone)}")

    def _entries(self, places: Any, rough: Any, said: Callable[[int], str]) -> Many[Entry]:
        def make(picked: Any) -> list[Entry]:
            named = self._named(places[picked])
            found = []
            for place in picked.tolist():
                issue = named[int(self._all.row[places[place]])]
                found.append(
                    Entry(source=issue.source, key=issue.key, url=issue.url, title=issue.title, said=said(place))
                )
            return found

        return Many(rough, make, lambda each: (each.source, each.key or ""))

    def _add_working(self, teams: Collection[str], hours_of: HoursOf | None) -> None:
        """Working time of every row, if they are not too many, by the hours of the team if it is one alone."""
        self._working: dict[int, float] = {}
        if hours_of is None or len(self._rows) > MOST_WORKING_TIMES:
            return
        hours = hours_of(next(iter(teams)) if len(teams) == 1 else None)
        for place in self._rows.tolist():
            started, finished = self._all["started"][place], self._all["finished"][place]
            self._working[place] = working_days(moment(started), moment(finished), hours)

    def _sprints(self, scope: str | None) -> tuple[SprintRecord, ...]:
        issues = self._store.sprint_issues(since=self._period.since)
        if not issues:
            return ()
        rows = self._store.identities(scope) if scope is not None else None
        members = {each.identity for each in issues if rows is None or each.identity in rows}
        sprints = Scopes(issues).sprints_of(members)
        options = flow_options(self._settings)
        flow = {item.issue.identity: item for item in items(issues, self._now, options)}
        return sprint_records(
            sprints, {id: item for id, item in flow.items() if id in members}, self._now, since=self._period.since
        )

    def _movement(self) -> Movement | None:
        until, since = self._period.until, self._period.since
        length = until - since if since is not None else WINDOW
        if length <= timedelta():
            return None
        all = self._all
        usable = all.is_finished & all.is_item & (self._cycles != MISSING)
        at, cycles = all["finished"][usable], self._cycles[usable]
        middle, first, last = instant(until - length), instant(until - 2 * length), instant(until)
        recent, before = cycles[(at >= middle) & (at < last)], cycles[(at >= first) & (at < middle)]
        return Movement(
            days=round(length / DAY),
            now=_percentiles(recent),
            before=_percentiles(before),
            trend=trend((before / DAY_LENGTH).tolist(), (recent / DAY_LENGTH).tolist()),
        )

    # -- what has no cycle time ----------------------------------------------------------------------------------------

    def _excluded(self) -> Many[Excluded]:
        all = self._all
        is_closed = (all["finished"] != MISSING) | (all["cancelled"] != MISSING)
        closed_at = np.where(all["finished"] != MISSING, all["finished"], all["cancelled"])
        unmapped = ~all.is_inside & ((all["flags"] & UNMAPPED) != 0)
        hidden = ~is_closed & (all["unknown"] != 0) & ~all.is_open_status
        has_none = ~all.is_inside | (all["cancelled"] != MISSING) | (all["unknown"] != 0) | (self._cycles == MISSING)
        closed = is_closed & self._holds(closed_at) & has_none
        chosen = np.where(unmapped, all.is_first, hidden | closed) & (all["number"] > 0)
        places = np.flatnonzero(chosen)
        whys = [self._why(place) for place in places.tolist()]
        order = {why: number for number, why in enumerate(sorted(set(whys)))}
        rough = np.array([order[why] for why in whys], np.int64)

        def make(picked: Any) -> list[Excluded]:
            named = self._named(places[picked])
            found = []
            for place in picked.tolist():
                issue = named[int(all.row[places[place]])]
                found.append(
                    Excluded(source=issue.source, key=issue.key, url=issue.url, title=issue.title, why=whys[place])
                )
            return found

        return Many(rough, make, lambda each: (each.why, each.source, each.key))

    def _why(self, place: int) -> str:
        row = self._all.episodes[place]
        started, cancelled = int(row["started"]), int(row["cancelled"])
        if row["outside"]:
            return self._name(int(row["outside"]))
        if cancelled != MISSING:
            return (
                "cancelled"
                if started == MISSING
                else f"cancelled {in_days(_span(cancelled - started))} after the start"
            )
        if row["unknown"]:
            return self._name(int(row["unknown"]))
        if started != MISSING:
            return f"cannot be told in mode {self._mode.value}"
        if row["own_flags"] & DRAGGED:
            return "started and finished within a minute"
        return "created as done" if row["bits"] & NO_SPANS else "finished without a known start"

    def _name(self, code: int) -> str:
        return self._names[code]

    def _quality(self) -> Quality:
        all = self._all
        cancelled = all.is_inside & all.is_item & self._holds(all["cancelled"]) & (all["started"] != MISSING)
        hidden = all.is_last & (all["unknown"] != 0) & ~all.is_open_status
        issue = np.cumsum(all.is_first) - 1
        judged = np.zeros(len(all.first), bool)
        judged[issue[self._counted | hidden]] = True
        bits = (all["flags"] | all.more_flags)[all.first[judged]]
        counts = {flag: int(((bits & (1 << number)) != 0).sum()) for number, flag in enumerate(FLAGS)}
        sources = Counter(np.array([str(each or "") for each in SOURCES])[all["start_source"][self._rows]].tolist())
        return Quality(
            finished=int(self._counted.sum()),
            without_start=int((self._counted & (all["started"] == MISSING)).sum()),
            unmapped=int((all.is_first & ((all["flags"] & UNMAPPED) != 0)).sum()),
            imported=counts[Flag.IMPORTED],
            skewed=counts[Flag.SKEW],
            gaps=counts[Flag.GAP],
            bulk_closed=counts[Flag.BULK_CLOSED],
            cancelled_after_start=int(cancelled.sum()),
            start_sources=dict(sorted(sources.items())),
        )


def _span(length: Any) -> timedelta:
    return timedelta(microseconds=int(length))


def _known(values: Any) -> Any:
    return values[values != MISSING]


def _percentiles(values: Any) -> Percentiles:
    ascending = np.sort(values)
    return _percentiles_of(len(ascending), lambda place: _span(ascending[place]))


def _percentiles_of(count: int, value: Any) -> Percentiles:
    sample = Sample(count)
    return Percentiles(
        sample=sample,
        p50=value(rank(50, count) - 1) if sample.allows_median else None,
        p85=value(rank(85, count) - 1) if sample.allows_percentiles else None,
        p95=value(rank(95, count) - 1) if sample.allows_percentiles else None,
    )


def _rank(level: _Level | None, measured: int | None, *, is_own: bool) -> str:
    if level is None:
        return ""
    if level.level is None:
        return f"{level.available} of {SLE_SAMPLE} items needed"
    if measured is None:
        return ""
    return f"slower than {level.slower_than(measured, is_own=is_own)} % of {level.available}"


def _by_name(codes: Any, values: Any, name: Any) -> dict[str, Any]:
    """Values by the name of their code: statuses of one name are one to the reader."""
    found: dict[str, Any] = {}
    for code in np.unique(codes).tolist():
        found.setdefault(name(code), []).append(values[codes == code])
    return {each: np.concatenate(parts) for each, parts in found.items()}


def _ages_by_name(episode: Any, codes: Any, age: Any, name: Any) -> dict[str, Any]:
    """The age on leaving a status of that name for the last time, for each episode."""
    names = {code: name(code) for code in np.unique(codes).tolist()}
    found: dict[str, Any] = {}
    for each in sorted(set(names.values())):
        same = [code for code, known in names.items() if known == each]
        mine = np.isin(codes, same)
        if len(same) == 1:
            found[each] = age[mine]
            continue
        of, last = episode[mine], age[mine]
        order = np.lexsort((last, of))
        is_last = np.append(np.diff(of[order]) != 0, True)
        found[each] = last[order][is_last]
    return found
