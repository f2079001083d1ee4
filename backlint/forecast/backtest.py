"""Whether the forecasts came true: back-test, self-calibration and drift guard (catalogue 6.6, 6.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from math import comb

from backlint.calendars import EVERY_DAY, Calendar
from backlint.flow.metrics import iso_week
from backlint.forecast.engine import how_many, seed_of
from backlint.forecast.history import WEEK, WEEKS, history

WEEKS_BACK = 26
HORIZONS = (2, 4)  # weeks
CALIBRATED_BY = 2  # the horizon whose checks move the level
# The percentiles of so many trials lie within about one percent of those of 10,000; there are 52 forecasts to make.
TRIALS = 2_000
FEW_WINDOWS = 20  # fewer independent checks say little: 21 hits of 26 leave everything from 64 to 92 % open
# Levels and steps in hundredths of a percent, so that nothing is ever rounded: 0.02 * (0.85 - hit).
TARGET, LOWEST, HIGHEST = 8_500, 5_000, 9_900
ON_HIT, ON_MISS = -30, 170

Known = Callable[[date], Mapping[date, int]]  # the finishes by day, as known at the beginning of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One forecast of the past with what came: `line` is the calibrated one at `level`, k50 and k85 the raw ones."""

    monday: date
    weeks: int
    k50: int
    k85: int
    level: int
    line: int
    came: int

    @property
    def hit(self) -> bool:
        return self.came >= self.k85

    @property
    def line_hit(self) -> bool:
        return self.came >= self.line

    @property
    def resolved_on(self) -> date:
        return self.monday + self.weeks * WEEK


@dataclass(frozen=True, slots=True)
class BackTest:
    """All checks of one horizon, oldest first. `independent` are those whose windows do not overlap."""

    weeks: int
    checks: tuple[Check, ...]

    @property
    def hits(self) -> int:
        return sum(check.hit for check in self.checks)

    @property
    def independent(self) -> tuple[Check, ...]:
        """Counted back from the newest."""
        return self.checks[::-1][:: self.weeks][::-1]

    @property
    def interval(self) -> tuple[Fraction, Fraction] | None:
        """The exact 90 % interval of the share that comes true; None without a check."""
        windows = self.independent
        return binomial_interval(sum(check.hit for check in windows), len(windows)) if windows else None

    @property
    def width(self) -> Fraction | None:
        """k85 divided by k50 over all checks: 1 is a narrow forecast, 0 one that promises nothing."""
        even = sum(check.k50 for check in self.checks)
        return Fraction(sum(check.k85 for check in self.checks), even) if even else None

    @property
    def verdict(self) -> str:
        interval = self.interval
        if interval is None:
            return "not enough history to check"
        target = Fraction(TARGET, 10_000)
        low, high = interval
        found = "too optimistic" if high < target else "too cautious" if low > target else "consistent"
        return f"{found}, but with few independent checks" if len(self.independent) < FEW_WINDOWS else found


@dataclass(frozen=True, slots=True)
class Calibration:
    """The level at which the 85 % line is drawn now, in hundredths of a percent, after so many resolved checks."""

    level: int = TARGET
    checks: int = 0

    @property
    def percent(self) -> Fraction:
        return Fraction(self.level, 100)


def next_level(level: int, *, hit: bool) -> int:
    """One step of self-calibration: a little bolder after a hit, more careful after a miss."""
    return min(HIGHEST, max(LOWEST, level + (ON_HIT if hit else ON_MISS)))


def back_test(
    known: Known,
    today: date,
    *,
    scope: str,
    weeks: int = WEEKS,
    calendar: Calendar = EVERY_DAY,
    weeks_back: int = WEEKS_BACK,
    trials: int = TRIALS,
) -> tuple[tuple[BackTest, ...], Calibration]:
    """Replay the last Mondays with what was known on each; also the level that the resolved checks lead to.

    What came is counted as it was known at the end of the window, so that a check never changes afterwards.
    """
    states: dict[date, Mapping[date, int]] = {}

    def at(day: date) -> Mapping[date, int]:
        if day not in states:
            states[day] = known(day)
        return states[day]

    this_week = iso_week(today)
    mondays = [this_week - back * WEEK for back in range(weeks_back, 0, -1)]
    found: list[BackTest] = []
    calibration = Calibration()
    for horizon in HORIZONS:
        is_calibrating = horizon == CALIBRATED_BY
        checks: list[Check] = []
        for monday in mondays:
            if monday + horizon * WEEK > this_week:
                break
            if is_calibrating:
                calibration = _calibrated(checks, monday)
            level = calibration.level if is_calibrating else TARGET
            check = _check(at, monday, horizon, level, scope=scope, weeks=weeks, calendar=calendar, trials=trials)
            if check is not None:
                checks.append(check)
        if is_calibrating:
            calibration = _calibrated(checks, this_week)
        found.append(BackTest(horizon, tuple(checks)))
    return tuple(found), calibration


def _calibrated(checks: Sequence[Check], day: date) -> Calibration:
    """The level after all checks that were resolved by the day."""
    resolved = [check for check in checks if check.resolved_on <= day]
    level = TARGET
    for check in resolved:
        level = next_level(level, hit=check.line_hit)
    return Calibration(level, len(resolved))


def _check(
    at: Known,
    monday: date,
    horizon: int,
    level: int,
    *,
    scope: str,
    weeks: int,
    calendar: Calendar,
    trials: int,
) -> Check | None:
    """None where there was not enough history for a forecast."""
    sample = history(at(monday), monday, weeks=weeks, calendar=calendar)
    if sample.why_no_forecast is not None:
        return None
    until = monday + horizon * WEEK - timedelta(days=1)
    # Leave is not replayed: it was entered for the future, not for the past.
    usual = Calendar(holidays=calendar.holidays)
    question = {"kind": "how_many", "start": monday.isoformat(), "until": until.isoformat()}
    seed = seed_of(scope=scope, day=monday, question=question, history=sample)
    forecast = how_many(sample, monday, until, seed=seed, trials=trials, calendar=usual)
    finished = at(until + timedelta(days=1))
    return Check(
        monday=monday,
        weeks=horizon,
        k50=forecast.at(50),
        k85=forecast.at(85),
        level=level,
        line=forecast.at_level(level),
        came=sum(count for day, count in finished.items() if monday <= day <= until),
    )


def binomial_interval(hits: int, count: int, *, confidence: Fraction = Fraction(9, 10)) -> tuple[Fraction, Fraction]:
    """Clopper and Pearson's exact interval for the share behind so many hits; to a millionth."""
    tail = (1 - float(confidence)) / 2
    low = 0.0 if hits == 0 else _where(lambda share: _at_least(hits, count, share) < tail)
    high = 1.0 if hits == count else _where(lambda share: 1 - _at_least(hits + 1, count, share) > tail)
    return Fraction(low).limit_denominator(1_000_000), Fraction(high).limit_denominator(1_000_000)


def _at_least(hits: int, count: int, share: float) -> float:
    return sum(comb(count, each) * share**each * (1 - share) ** (count - each) for each in range(hits, count + 1))


def _where(is_below: Callable[[float], bool]) -> float:
    """The share at which the condition stops to hold."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


# -- drift ---------------------------------------------------------------------------------------------------------

RECENT, BEFORE = 4, 8  # weeks
STEADY_FROM, STEADY_TO = Fraction(7, 10), Fraction(143, 100)
CHANCE = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Drift:
    """The mean of the last weeks against the ones before; `chance` is how often mere order would do as much."""

    recent: Fraction
    before: Fraction
    chance: Fraction

    @property
    def is_changing(self) -> bool:
        low, high = STEADY_FROM * self.before, STEADY_TO * self.before
        return not low <= self.recent <= high and self.chance < CHANCE

    @property
    def message(self) -> str:
        return (
            f"throughput is changing; forecast unreliable: {float(self.recent):.1f} items a week in the last {RECENT} "
            f"weeks, {float(self.before):.1f} in the {BEFORE} before"
        )


def drift(totals: Sequence[int]) -> Drift | None:
    """Of weekly totals, oldest first; None with fewer than twelve."""
    totals = list(totals)[-(RECENT + BEFORE) :]
    if len(totals) < RECENT + BEFORE:
        return None
    recent, whole = sum(totals[BEFORE:]), sum(totals)
    # Over all 495 ways to choose four of twelve weeks: how many set them as far apart, either way.
    gap = abs(_gap(recent, whole))
    sums = Counter(sum(chosen) for chosen in combinations(totals, RECENT))
    as_far = sum(times for chosen, times in sums.items() if abs(_gap(chosen, whole)) >= gap)
    return Drift(
        recent=Fraction(recent, RECENT),
        before=Fraction(whole - recent, BEFORE),
        chance=Fraction(as_far, sum(sums.values())),
    )


def _gap(recent: int, whole: int) -> int:
    """The difference of the two means, times 8."""
    return recent * BEFORE // RECENT - (whole - recent)
