from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backlint.percentile import Sample, Shows, Trend, percentile, percentiles, rank, share_below, trend

T20 = [1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 7, 8, 12]


@pytest.mark.parametrize(("percent", "value"), [(50, 4), (70, 5), (85, 6), (95, 8)])
def test_t20_nearest_rank(percent, value):
    assert percentile(percent, T20) == value


@pytest.mark.parametrize(("percent", "place"), [(7, 7), (55, 55), (29, 29), (100, 100), (1, 1)])
def test_ranks_are_exact_where_floats_are_not(percent, place):
    assert rank(percent, 100) == place


@pytest.mark.parametrize(("percent", "count"), [(0, 5), (101, 5), (50, 0)])
def test_there_is_no_rank_outside_the_sample(percent, count):
    with pytest.raises(ValueError, match="no rank"):
        rank(percent, count)


@given(st.lists(st.integers(), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values, percent):
    ascending = sorted(values)
    found = percentile(percent, ascending)

    assert sum(value <= found for value in ascending) * 100 >= percent * len(ascending)
    assert sum(value < found for value in ascending) * 100 < percent * len(ascending)


@pytest.mark.parametrize(
    ("count", "shows"),
    [
        (0, Shows.NOTHING), (1, Shows.VALUES), (4, Shows.VALUES), (5, Shows.MEDIAN), (10, Shows.MEDIAN),
        (11, Shows.PROVISIONAL), (19, Shows.PROVISIONAL), (20, Shows.EXPECTATION), (500, Shows.EXPECTATION),
    ],
)  # fmt: skip
def test_the_sample_decides_what_is_shown(count, shows):
    assert Sample(count).shows is shows


def test_small_samples_give_no_percentiles():
    assert percentiles([1, 2, 3, 4]).p50 is None
    assert (percentiles([1, 2, 3, 4, 5]).p50, percentiles([1, 2, 3, 4, 5]).p85) == (3, None)
    assert percentiles(range(11)).p85 == 9


def test_a_remark_names_the_number_that_is_missing():
    assert "4 of 5" in Sample(4).remark
    assert "10 of 11" in Sample(10).remark
    assert "19 of 20" in Sample(19).remark
    assert Sample(20).remark == ""


def test_equal_values_are_not_below():
    assert share_below(3, [1, 2, 3, 3, 4]) == 40


def test_a_trend_needs_eleven_on_both_sides():
    assert trend([1] * 10, [9] * 50) is Trend.UNKNOWN


def test_a_clear_move_is_a_trend_and_noise_is_none():
    before, after = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4]

    assert trend(before, after) is Trend.DOWN
    assert trend(after, before) is Trend.UP
    assert trend(before, before) is Trend.NONE


def test_noise_seldom_looks_like_a_trend():
    # Both sides of one distribution: a 90 % interval should exclude 0 in about a tenth of the cases.
    import random

    source = random.Random(7)
    claimed = sum(
        trend([source.expovariate(1) for _ in range(40)], [source.expovariate(1) for _ in range(40)], seed=n)
        in (Trend.UP, Trend.DOWN)
        for n in range(100)
    )
    assert claimed <= 20
