"""The forecast report: how many by a day, when for a number of items, and how far such answers came true before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from backlint.api.reports.health import Answer, OfSources, SourceHealth, all_failed, unreadable, without_figures
from backlint.calendars import EVERY_DAY, Calendar
from backlint.flow import ITEM_TYPES, FlowOptions, Item, team_of
from backlint.flow import items as flow_items
from backlint.flow.metrics import iso_week, local_day
from backlint.flow.options import DEFAULTS
from backlint.forecast import (
    LEVELS,
    NO_GROWTH,
    TRIALS,
    WEEKS,
    BackTest,
    Calibration,
    CycleClasses,
    Drift,
    Finishes,
    History,
    HowMany,
    ItemForecast,
    When,
    back_test,
    drift,
    history,
    how_many,
    seed_of,
    when,
)
from backlint.model import Issue

DEFAULT_SPAN = timedelta(weeks=4)  # what is forecast when nobody asks for anything else
DRIFT_WEEKS = 26  # looked back on for the last twelve usual weeks
LUMPY = Fraction(1, 2)  # of the weeks empty: whole numbers make such forecasts too careful


@dataclass(frozen=True, slots=True, kw_only=True)
class CountForecast:
    """How many items by the end of a day: at each level the largest number that so many percent of trials reach."""

    until: date
    seed: int
    levels: tuple[tuple[int, int], ...]
    calibrated: int  # the 85 % line at the calibrated level
    spread: tuple[tuple[int, int], ...]  # (items, trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateForecast:
    """When a number of items is done; None: not within two years. `spread` is (Monday, trials), None the rest."""

    items: int
    growth: tuple[float, float]
    seed: int
    levels: tuple[tuple[int, date | None], ...]
    calibrated: date | None
    endless: Fraction
    spread: tuple[tuple[date | None, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedItem:
    """Work in progress with the days on which it is done with 50 and 85 % likelihood, as far as its class tells."""

    source: str
    key: str
    url: str | None
    title: str
    team: str | None
    type: str
    found: ItemForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedItem:
    """An item of the history that the forecast draws from."""

    on: date
    source: str
    key: str
    url: str | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastReport(OfSources):
    """Everything the report says. `why_none` is the reason when there is no forecast."""

    scope: str
    as_of: datetime
    timezone: str
    health: tuple[SourceHealth, ...]
    answer: Answer
    start: date
    history: History
    finished: tuple[FinishedItem, ...]  # the items that the history counts, oldest first
    trials: int
    why_none: str | None
    counts: CountForecast | None
    dates: DateForecast | None
    chance: Fraction | None  # of `dates.items` by `counts.until`
    back_tests: tuple[BackTest, ...]
    calibration: Calibration
    drift: Drift | None
    calendar: Calendar
    started: tuple[StartedItem, ...]
    warnings: tuple[str, ...]
    assumptions: tuple[str, ...]
    issues: int


def build_forecast(
    issues: Iterable[Issue],
    *,
    scope: str,
    now: datetime,
    timezone: str = "UTC",
    items: int | None = None,
    until: date | None = None,
    weeks: int = WEEKS,
    growth: tuple[float, float] = NO_GROWTH,
    calendar: Calendar = EVERY_DAY,
    select: Callable[[Issue], bool] = lambda issue: True,
    options: FlowOptions = DEFAULTS,
    health: Sequence[SourceHealth] = (),
    trials: int = TRIALS,
    seed: int | None = None,
) -> ForecastReport:
    """The report on the selected issues; what is asked is `items`, `until` or both, else the next four weeks.

    Without a `seed` it follows from the question and the facts. ValueError when the day asked for has passed, or for
    fewer than one item. Issues of a source whose pull did not finish are left out.
    """
    failed, zone, issues = unreadable(health), ZoneInfo(timezone), tuple(issues)
    is_unread = any(issue.source in failed and select(issue) for issue in issues)
    today = local_day(now, zone)
    everything = flow_items([issue for issue in issues if issue.source not in failed], now, options)
    selected = [item for item in everything if select(item.issue)]
    finishes = Finishes(selected, zone, options)
    finished = finishes.today()
    sample = history(finished, today, weeks=weeks, calendar=calendar)
    if until is None and items is None:
        until = today + DEFAULT_SPAN
    why = sample.why_no_forecast
    counts = dates = chance = None
    tests: tuple[BackTest, ...] = ()
    calibration = Calibration()
    if why is None:
        ask = _Asker(scope, today, sample, calendar, trials, seed)
        tests, calibration = back_test(
            finishes.as_of,
            today,
            scope=scope,
            weeks=weeks,
            calendar=calendar,
        )
        counts = ask.how_many(until, calibration) if until else None
        dates, found = ask.when(items, growth, calibration) if items else (None, None)
        chance = found.chance(until) if found is not None and until is not None else None
    moved = drift(_usual_totals(finished, today, calendar)) if why is None else None
    report = ForecastReport(
        scope=scope,
        as_of=now,
        timezone=timezone,
        health=tuple(health),
        answer=_answer(health, why, is_unread=is_unread),
        start=today,
        history=sample,
        finished=_counted(finishes, sample),
        trials=trials,
        why_none=why,
        counts=counts,
        dates=dates,
        chance=chance,
        back_tests=tests,
        calibration=calibration,
        drift=moved,
        calendar=calendar,
        started=_started(everything, selected, now),
        warnings=(),
        assumptions=(),
        issues=len(selected),
    )
    return _explained(report, finishes)


class _Asker:
    """Puts questions to the engine, each with the seed that follows from it."""

    def __init__(
        self, scope: str, today: date, sample: History, calendar: Calendar, trials: int, seed: int | None
    ) -> None:
        self._scope, self._today, self._sample = scope, today, sample
        self._calendar, self._trials, self._given = calendar, trials, seed

    def how_many(self, until: date, calibration: Calibration) -> CountForecast:
        seed = self._seed({"kind": "how_many", "start": self._today.isoformat(), "until": until.isoformat()})
        found = how_many(self._sample, self._today, until, seed=seed, trials=self._trials, calendar=self._calendar)
        return CountForecast(
            until=until,
            seed=seed,
            levels=tuple((level, found.at(level)) for level in LEVELS),
            calibrated=found.at_level(calibration.level),
            spread=_spread(found),
        )

    def when(self, items: int, growth: tuple[float, float], calibration: Calibration) -> tuple[DateForecast, When]:
        seed = self._seed({"kind": "when", "start": self._today.isoformat(), "items": items, "growth": list(growth)})
        found = when(
            self._sample,
            items,
            self._today,
            seed=seed,
            growth=growth,
            trials=self._trials,
            calendar=self._calendar,
        )
        forecast = DateForecast(
            items=items,
            growth=growth,
            seed=seed,
            levels=tuple((level, found.at(level)) for level in LEVELS),
            calibrated=found.at_level(calibration.level),
            endless=Fraction(found.endless, len(found.trials)),
            spread=_weekly(found),
        )
        return forecast, found

    def _seed(self, question: dict[str, object]) -> int:
        if self._given is not None:
            return self._given
        return seed_of(scope=self._scope, day=self._today, question=question, history=self._sample)


def _spread(found: HowMany) -> tuple[tuple[int, int], ...]:
    counts: dict[int, int] = {}
    for trial in found.trials:
        counts[trial] = counts.get(trial, 0) + 1
    return tuple(sorted(counts.items()))


def _weekly(found: When) -> tuple[tuple[date | None, int], ...]:
    counts: dict[date | None, int] = {}
    for day in found.trials:
        week = None if day is None else iso_week(day)
        counts[week] = counts.get(week, 0) + 1
    return tuple(sorted(counts.items(), key=lambda each: (each[0] is None, each[0] or date.max)))


def _usual_totals(finished: dict[date, int], today: date, calendar: Calendar) -> list[int]:
    """Weekly totals, oldest first, weeks full of holidays left out."""
    return [week.total for week in history(finished, today, weeks=DRIFT_WEEKS, calendar=calendar).weeks]


def _counted(finishes: Finishes, sample: History) -> tuple[FinishedItem, ...]:
    mondays = {week.monday for week in sample.weeks}
    found = [
        FinishedItem(on=day, source=issue.source, key=issue.key, url=issue.url, title=issue.title)
        for day, issue in finishes.finished
        if iso_week(day) in mondays
    ]
    return tuple(sorted(found, key=lambda each: (each.on, each.source, each.key)))


def _answer(health: Sequence[SourceHealth], why_none: str | None, *, is_unread: bool) -> Answer:
    if all_failed(health):
        return Answer.CANNOT_SAY
    return without_figures(health, is_unread=is_unread) if why_none else Answer.FIGURES


def _started(everything: Sequence[Item], selected: Sequence[Item], now: datetime) -> tuple[StartedItem, ...]:
    """Work in progress, what is older than nearly everything first, then by likely end."""
    running = [item for item in selected if item.issue.type in ITEM_TYPES and item.is_in_progress]
    classes = CycleClasses(everything, now) if running else None
    rows = []
    for item in running:
        found = classes.forecast(item, now) if classes else None
        if found is not None:
            issue = item.issue
            rows.append(
                StartedItem(
                    source=issue.source,
                    key=issue.key,
                    url=issue.url,
                    title=issue.title,
                    team=team_of(issue),
                    type=issue.type.value,
                    found=found,
                )
            )
    return tuple(sorted(rows, key=lambda row: (row.found.likely_by is not None, -row.found.age, row.source, row.key)))


# -- what must be said beside the figures --------------------------------------------------------------------------


def _explained(report: ForecastReport, finishes: Finishes) -> ForecastReport:
    return replace(
        report, warnings=tuple(_warnings(report)), assumptions=tuple(_assumptions(report, finishes.bulk_closed))
    )


def _warnings(report: ForecastReport) -> Iterable[str]:
    if report.why_none is not None:
        return
    weeks = report.history.weeks
    if report.drift is not None and report.drift.is_changing:
        yield report.drift.message
    horizon = _horizon(report)
    if horizon is not None and horizon > len(weeks):
        yield f"the forecast reaches {horizon} weeks ahead, further than the {len(weeks)} weeks that it rests on"
    if report.dates is not None and report.dates.endless:
        yield (f"in {float(100 * report.dates.endless):.0f} % of the trials the items are not done within two years")
    empty = sum(week.total == 0 for week in weeks)
    if Fraction(empty, len(weeks)) > LUMPY:
        yield (
            f"{empty} of {len(weeks)} weeks had no finished item: with so few and lumpy ones the 85 % line comes true "
            "more often than it says"
        )
    for tested in report.back_tests:
        if tested.verdict.startswith("too"):
            yield f"forecasts {tested.weeks} weeks ahead were {tested.verdict} in the back-test"
    if report.calendar.leave and not report.calendar.people:
        yield "leave is entered, but not how many people the team has: it is not counted"


def _horizon(report: ForecastReport) -> int | None:
    """Weeks ahead of the farthest figure of 85 %."""
    ends = [report.counts.until] if report.counts else []
    if report.dates is not None:
        ends += [day for level, day in report.dates.levels if level == 85 and day is not None]
    return max(((end - report.start).days // 7 + 1 for end in ends), default=None)


def _assumptions(report: ForecastReport, bulk_closed: int) -> Iterable[str]:
    history = report.history
    if not history.weeks:
        return
    yield (
        f"the next weeks are like the last {len(history.weeks)} complete ones, "
        f"{history.weeks[0].monday} to {history.weeks[-1].monday + timedelta(days=6)}, empty days and weeks included"
    )
    if history.left_out:
        weeks = ", ".join(f"{monday} ({why})" for monday, why in history.left_out)
        yield f"weeks full of holidays are no sample: {weeks} left out"
    if bulk_closed:
        yield f"{bulk_closed} items closed in bulk (20 or more by one person within 5 minutes) are not counted"
    growth = report.dates.growth if report.dates else NO_GROWTH
    if growth != NO_GROWTH:
        yield f"the work grows on the way by a factor of {growth[0]:g} to {growth[1]:g}"
    elif report.dates is not None:
        yield f"exactly {report.dates.items} items have to be finished: nothing is added on the way"
    yield _calendar_assumption(report)
    yield "items started before today count when they are finished; their size is that of the usual mix"


def _calendar_assumption(report: ForecastReport) -> str:
    calendar, end = report.calendar, report.counts.until if report.counts else report.start + timedelta(weeks=12)
    free = calendar.holidays_between(report.start, end)
    if not calendar.holidays:
        holidays = "no holidays are known: no calendar is configured"
    else:
        holidays = f"nothing is finished on {', '.join(map(str, free))}" if free else f"no holiday until {end}"
    ahead = [each for each in calendar.leave if each.last >= report.start]
    if not ahead or not calendar.people:
        return f"{holidays}; everyone is there as usual"
    away = "; ".join(f"{each.people:g} away {each.first} to {each.last}" for each in ahead)
    return f"{holidays}; of {calendar.people:g} people {away}, beyond the leave that is usual"
