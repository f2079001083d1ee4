"""Percentiles by nearest rank, and what a sample of a given size may be said to show (catalogue 5.6)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, TypeVar

Value = TypeVar("Value")

MEDIAN_SAMPLE = 5
PROVISIONAL_SAMPLE = 11
# A 95 % upper bound for the 85th percentile needs 19 values: 0.85 ** 19 = 0.046.
SLE_SAMPLE = 20
TREND_SAMPLE = 11
TREND_TRIALS = 2000


def rank(percent: int, count: int) -> int:
    """The nearest rank, from 1. In whole numbers: ceil(0.07 * 100) in floats is 8."""
    if not 0 < percent <= 100 or count < 1:
        raise ValueError(f"no rank for {percent} % of {count} values")
    return -(-percent * count // 100)


def percentile(percent: int, ascending: Sequence[Value]) -> Value:
    """The observed value at the nearest rank of values that are sorted already."""
    return ascending[rank(percent, len(ascending)) - 1]


def share_below(value: Any, ascending: Sequence[Any]) -> int:
    """How many percent of the sorted values are smaller, rounded down."""
    return 100 * bisect_left(ascending, value) // len(ascending)


class Shows(StrEnum):
    """What a sample may be said to show."""

    NOTHING = "nothing"
    VALUES = "values"  # too few for any statistic: list them
    MEDIAN = "median"
    PROVISIONAL = "provisional"  # the 85th percentile, marked
    EXPECTATION = "expectation"  # enough for a service level expectation


@dataclass(frozen=True, slots=True)
class Sample:
    """A number of values with what it allows; the one place where the sample rules live."""

    count: int

    @property
    def shows(self) -> Shows:
        if self.count < 1:
            return Shows.NOTHING
        if self.count < MEDIAN_SAMPLE:
            return Shows.VALUES
        if self.count < PROVISIONAL_SAMPLE:
            return Shows.MEDIAN
        return Shows.PROVISIONAL if self.count < SLE_SAMPLE else Shows.EXPECTATION

    @property
    def allows_median(self) -> bool:
        return self.count >= MEDIAN_SAMPLE

    @property
    def allows_percentiles(self) -> bool:
        return self.count >= PROVISIONAL_SAMPLE

    @property
    def allows_expectation(self) -> bool:
        return self.count >= SLE_SAMPLE

    @property
    def remark(self) -> str:
        """The sentence that stands beside the figures; empty when nothing needs saying."""
        match self.shows:
            case Shows.NOTHING:
                return "no items"
            case Shows.VALUES:
                return f"{self.count} of {MEDIAN_SAMPLE} items needed for a median"
            case Shows.MEDIAN:
                return f"median only: {self.count} of {PROVISIONAL_SAMPLE} items needed for the 85th percentile"
            case Shows.PROVISIONAL:
                return f"provisional: {self.count} of {SLE_SAMPLE} items needed for a service level expectation"
            case Shows.EXPECTATION:
                return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """The percentiles that a sample allows; None where it does not."""

    sample: Sample
    p50: Any = None
    p85: Any = None
    p95: Any = None


def percentiles(values: Iterable[Any]) -> Percentiles:
    """p50, p85 and p95 as far as the number of values allows."""
    ascending = sorted(values)
    sample = Sample(len(ascending))
    return Percentiles(
        sample=sample,
        p50=percentile(50, ascending) if sample.allows_median else None,
        p85=percentile(85, ascending) if sample.allows_percentiles else None,
        p95=percentile(95, ascending) if sample.allows_percentiles else None,
    )


class Trend(StrEnum):
    UP = "up"
    DOWN = "down"
    NONE = "no trend"
    UNKNOWN = "too few items"


def trend(before: Iterable[float], after: Iterable[float], *, seed: int = 0) -> Trend:
    """Whether the median moved: claimed only if the 90 % bootstrap interval of the difference excludes 0.

    The same values and seed give the same answer.
    """
    old, new = sorted(before), sorted(after)
    if min(len(old), len(new)) < TREND_SAMPLE:
        return Trend.UNKNOWN
    random = Random(seed)
    moves = sorted(_resampled_median(new, random) - _resampled_median(old, random) for _ in range(TREND_TRIALS))
    if percentile(5, moves) > 0:
        return Trend.UP
    return Trend.DOWN if percentile(95, moves) < 0 else Trend.NONE


def _resampled_median(ascending: Sequence[float], random: Random) -> float:
    # The k-th smallest of n uniform draws is Beta(k, n - k + 1) distributed, so that one draw gives the median of a
    # whole resample.
    count = len(ascending)
    middle = rank(50, count)
    return ascending[min(int(random.betavariate(middle, count - middle + 1) * count), count - 1)]
