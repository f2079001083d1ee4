"""The forecast engine against the golden values of its definition (T25 to T28) and against what it must not do."""

from __future__ import annotations

import hashlib
import math
import runpy
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from backlint.calendars import Calendar, Leave, public_holidays
from backlint.errors import ConfigurationError
from backlint.flow import items
from backlint.forecast import (
    BackTest,
    Calibration,
    Finishes,
    History,
    Week,
    back_test,
    drift,
    history,
    how_many,
    item_forecast,
    seed_of,
    when,
)
from backlint.forecast.backtest import binomial_interval, next_level
from backlint.model import Issue, StatusCategory
from tests.factory import a_transition, an_issue

MONDAY = date(2026, 1, 5)
STEADY = [[1, 1, 1, 1, 1, 0, 0]] * 6
LUMPY = [[10, 0, 0, 0, 0, 0, 0]] * 3 + [[0] * 7] * 3
EIGHT_WEEKS = [
    [1, 0, 2, 0, 1, 0, 0],
    [0, 0, 1, 1, 0, 0, 0],
    [2, 1, 0, 1, 3, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [1, 1, 1, 0, 2, 0, 0],
    [0, 2, 0, 1, 1, 0, 0],
    [1, 0, 0, 3, 0, 0, 0],
    [0, 1, 1, 0, 1, 0, 0],
]


def weeks(rows: Sequence[Sequence[int]], before: date = MONDAY) -> History:
    """A history of these weeks, the last of which ends before the day."""
    first = before - timedelta(weeks=len(rows))
    found = tuple(Week(first + timedelta(weeks=place), tuple(row)) for place, row in enumerate(rows))
    return History(found, first_finish=first)


# -- T26 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [50, 70, 85, 95])
def test_a_steady_team_is_certain_of_its_day(percent: int) -> None:
    assert when(weeks(STEADY), 7, MONDAY, seed=1, trials=500).at(percent) == date(2026, 1, 13)


def test_a_steady_team_finishes_one_a_working_day_to_the_end_of_the_last() -> None:
    found = how_many(weeks(STEADY), MONDAY, date(2026, 1, 16), seed=1, trials=500)

    assert {found.at(percent) for percent in (50, 70, 85, 95)} == {10}


def test_a_start_in_the_middle_of_a_week_takes_only_what_is_left_of_it() -> None:
    assert how_many(weeks(STEADY), date(2026, 1, 7), date(2026, 1, 16), seed=1, trials=500).at(85) == 8


# -- T27 -----------------------------------------------------------------------------------------------------------


def test_the_uncertainty_of_a_short_history_is_carried() -> None:
    expected = 1 - (0.25 + 0.25 / 6)
    two_weeks = MONDAY + timedelta(days=13)

    by_count = how_many(weeks(LUMPY), MONDAY, two_weeks, seed=42).chance(10)
    by_date = when(weeks(LUMPY), 10, MONDAY, seed=42).chance(two_weeks)

    assert float(by_count) == pytest.approx(expected, abs=0.014)
    assert float(by_date) == pytest.approx(expected, abs=0.014)


# -- T28 -----------------------------------------------------------------------------------------------------------


def test_the_first_trials_are_those_of_the_definition() -> None:
    found = how_many(weeks(EIGHT_WEEKS), MONDAY, date(2026, 2, 1), seed=42)

    assert found.trials[:8] == (14, 15, 16, 17, 19, 18, 12, 14)


@pytest.mark.parametrize("seed", [42, 1, 7])
def test_the_counts_are_those_of_the_definition(seed: int) -> None:
    found = how_many(weeks(EIGHT_WEEKS), MONDAY, date(2026, 2, 1), seed=seed)

    assert [found.at(percent) for percent in (50, 70, 85, 95)] == [15, 12, 10, 7]


def test_the_dates_are_those_of_the_definition() -> None:
    found = when(weeks(EIGHT_WEEKS), 20, MONDAY, seed=42)

    assert [found.at(percent) for percent in (50, 70, 85, 95)] == [
        date(2026, 2, 10),
        date(2026, 2, 17),
        date(2026, 2, 25),
        date(2026, 3, 10),
    ]


# -- the engine ----------------------------------------------------------------------------------------------------


def test_the_same_question_on_the_same_facts_has_the_same_answer() -> None:
    question = {"kind": "how_many", "until": "2026-02-01"}
    one, other = (
        seed_of(scope="PAY", day=MONDAY, question=dict(reversed(question.items())), history=weeks(EIGHT_WEEKS))
        for _ in range(2)
    )

    assert one == other
    assert one != seed_of(scope="WEB", day=MONDAY, question=question, history=weeks(EIGHT_WEEKS))
    assert one != seed_of(scope="PAY", day=MONDAY, question=question, history=weeks(EIGHT_WEEKS[1:]))


def test_the_seed_is_the_beginning_of_a_known_hash() -> None:
    """Another program can make the same seed: SHA-256 of JSON with sorted keys and no spaces."""
    text = (
        '{"algorithm":"week-nested/1","day":"2026-01-05","history":[[1,1,1,1,1,0,0]],'
        '"question":{"items":7,"kind":"when"},"scope":"Zahlungen Süd"}'
    )
    expected = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    seed = seed_of(scope="Zahlungen Süd", day=MONDAY, question={"kind": "when", "items": 7}, history=weeks(STEADY[:1]))

    assert seed == expected


def test_the_draws_come_in_the_order_that_the_algorithm_names() -> None:
    """A second writing of the walk, day by day and without any short cut."""
    random, rows = Random(5), EIGHT_WEEKS
    expected: list[date] = []
    for _ in range(50):
        own = [rows[int(random.random() * len(rows))] for _ in rows]
        wanted = math.ceil(9 * (1.0 + 0.5 * random.random()) - 1e-9)
        day, total, week = date(2026, 1, 8), 0, own[int(random.random() * len(rows))]
        while True:
            total += week[day.weekday()]
            if total >= wanted:
                break
            day += timedelta(days=1)
            if day.weekday() == 0:
                week = own[int(random.random() * len(rows))]
        expected.append(day)

    found = when(weeks(rows), 9, date(2026, 1, 8), seed=5, growth=(1.0, 1.5), trials=50)

    assert list(found.trials) == expected


def test_growth_multiplies_the_work_and_rounds_up_without_inventing_an_item() -> None:
    steady = weeks(STEADY)

    assert when(steady, 7, MONDAY, seed=1, growth=(1.2, 1.2), trials=10).at(85) == date(2026, 1, 15)  # 8.4 are 9
    assert when(steady, 10, MONDAY, seed=1, growth=(1.1, 1.1), trials=10).at(85) == date(2026, 1, 19)  # 11, not 12


def test_what_is_not_done_in_two_years_is_said_to_be_never() -> None:
    rare = weeks([[1, 0, 0, 0, 0, 0, 0]] + [[0] * 7] * 11)
    found = when(rare, 9, MONDAY, seed=1, trials=200)

    assert found.at(95) is None
    assert found.endless > 0
    assert found.chance(MONDAY + timedelta(days=729)) == 1 - Fraction(found.endless, 200)
    assert max(day for day in found.trials if day) <= MONDAY + timedelta(days=729)


def test_nothing_is_finished_on_a_holiday() -> None:
    epiphany = Calendar(holidays=frozenset({date(2026, 1, 6)}))
    steady = weeks(STEADY)

    assert how_many(steady, MONDAY, date(2026, 1, 16), seed=1, trials=50, calendar=epiphany).at(85) == 9
    assert when(steady, 7, MONDAY, seed=1, trials=50, calendar=epiphany).at(85) == date(2026, 1, 14)


def test_leave_costs_the_share_of_the_people_who_are_away() -> None:
    away = Calendar(people=4, leave=(Leave(first=MONDAY, last=date(2026, 1, 9), people=2),))
    steady = weeks(STEADY)

    assert how_many(steady, MONDAY, date(2026, 1, 16), seed=1, trials=50, calendar=away).at(85) == 7  # 2.5 + 5
    assert when(steady, 3, MONDAY, seed=1, trials=50, calendar=away).at(85) == date(2026, 1, 12)


def test_leave_in_a_team_of_unknown_size_is_not_guessed_at() -> None:
    unknown = Calendar(leave=(Leave(first=MONDAY, last=date(2026, 1, 9), people=2),))

    assert how_many(weeks(STEADY), MONDAY, date(2026, 1, 16), seed=1, trials=50, calendar=unknown).at(85) == 10


@pytest.mark.parametrize("items", [0, -3])
def test_a_forecast_for_no_items_is_refused(items: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        when(weeks(STEADY), items, MONDAY, seed=1)


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="is before"):
        how_many(weeks(STEADY), MONDAY, date(2026, 1, 4), seed=1)


# -- the history ---------------------------------------------------------------------------------------------------


def finishes(*days: date) -> Counter[date]:
    return Counter(days)


def test_empty_days_and_weeks_stay_in_the_sample() -> None:
    found = history(finishes(MONDAY - timedelta(weeks=8), MONDAY - timedelta(days=3)), MONDAY)

    assert [week.total for week in found.weeks] == [1, 0, 0, 0, 0, 0, 0, 1]
    assert found.why_no_forecast is None


def test_weeks_before_the_first_finished_item_are_no_part_of_it() -> None:
    found = history(finishes(MONDAY - timedelta(weeks=7, days=-3)), MONDAY)

    assert len(found.weeks) == 7


def test_the_running_week_is_not_complete() -> None:
    wednesday = MONDAY + timedelta(days=2)

    found = history(finishes(MONDAY - timedelta(weeks=12), MONDAY, MONDAY + timedelta(days=1)), wednesday)

    assert found.weeks[-1].monday == MONDAY - timedelta(weeks=1)
    assert found.finished == 1


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ((), "no item was ever finished"),
        ((MONDAY,), "0 complete weeks since the first finished item; 6 are needed"),
        (
            tuple(MONDAY - timedelta(weeks=back) for back in range(1, 6)),
            "5 complete weeks since the first finished item; 6 are needed",
        ),
        ((MONDAY - timedelta(weeks=40),), "no item was finished in the last 12 complete weeks"),
    ],
)
def test_too_little_history_gives_the_reason_instead_of_a_number(days: tuple[date, ...], reason: str) -> None:
    assert history(finishes(*days), MONDAY).why_no_forecast == reason


def test_weeks_full_of_holidays_are_no_example_of_a_usual_one() -> None:
    christmas = Calendar(holidays=frozenset(date(2025, 12, day) for day in (24, 25, 26)))
    found = history(finishes(*(MONDAY - timedelta(weeks=back) for back in range(1, 13))), MONDAY, calendar=christmas)

    assert found.left_out == ((date(2025, 12, 22), "3 holidays"),)
    assert len(found.weeks) == 11


def test_holidays_at_the_weekend_cost_nothing() -> None:
    weekend = Calendar(holidays=frozenset({date(2025, 12, 26), date(2025, 12, 27), date(2025, 12, 28)}))

    assert history(finishes(MONDAY - timedelta(weeks=12)), MONDAY, calendar=weekend).left_out == ()


def test_the_holidays_of_a_country_are_those_of_its_part() -> None:
    bavaria, berlin = (public_holidays("DE", part, years=[2026]) for part in ("BY", "BE"))

    assert date(2026, 1, 6) in bavaria  # Epiphany
    assert date(2026, 1, 6) not in berlin
    assert date(2026, 12, 25) in berlin


@pytest.mark.parametrize(
    ("country", "part", "said"),
    [("UKK", "", "no holidays are known for country 'UKK'"), ("DE", "XX", "has no subdivision 'XX'")],
)
def test_an_unknown_place_is_refused(country: str, part: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        public_holidays(country, part, years=[2026])


# -- one item (T25) ------------------------------------------------------------------------------------------------

SEEN = [timedelta(days=days) for days in (2, 3, 4, 5, 8, 11, 12, 14, 20, 30)]


def test_a_started_item_is_measured_by_those_that_got_as_old() -> None:
    found = item_forecast(SEEN, timedelta(days=10), started_at=datetime(2026, 1, 5, tzinfo=UTC))

    assert found.p50 == timedelta(days=14)
    assert found.p85 == timedelta(days=30)
    assert found.likely_by == datetime(2026, 2, 4, tzinfo=UTC)


def test_an_item_older_than_nearly_all_gets_no_date() -> None:
    found = item_forecast(SEEN, timedelta(days=11))  # as long is not longer

    assert found.p85 is None
    assert found.remark == "older than almost everything seen: 4 of 10 items took longer"


# -- what was known then -------------------------------------------------------------------------------------------

UTC_ZONE = ZoneInfo("UTC")
ACTIVE, DONE, TODO = StatusCategory.ACTIVE, StatusCategory.DONE, StatusCategory.TODO


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def an_item(id: str, *steps: tuple[int, StatusCategory], **rest: object) -> Issue:
    before, moves = TODO, []
    for day, after in steps:
        moves.append(a_transition(at(day), before, after, **rest))
        before = after
    return an_issue(id=id, created_at=at(1), category=before, transitions=tuple(moves))


def known(*issues: Issue) -> Finishes:
    return Finishes(items(issues, at(31)), UTC_ZONE)


def test_a_finish_that_was_undone_later_was_known_until_then() -> None:
    found = known(an_item("1", (5, ACTIVE), (7, DONE), (12, ACTIVE), (20, DONE)))

    assert found.as_of(date(2026, 1, 10)) == {date(2026, 1, 7): 1}
    assert found.as_of(date(2026, 1, 15)) == {}
    assert found.as_of(date(2026, 1, 25)) == {date(2026, 1, 20): 1}
    assert found.today() == {date(2026, 1, 20): 1}


def test_what_is_open_again_today_was_finished_then() -> None:
    found = known(an_item("1", (5, ACTIVE), (7, DONE), (12, ACTIVE)))

    assert found.as_of(date(2026, 1, 10)) == {date(2026, 1, 7): 1}
    assert found.today() == {}


def test_the_future_is_not_known() -> None:
    assert known(an_item("1", (5, ACTIVE), (7, DONE))).as_of(date(2026, 1, 7)) == {}


def test_closes_in_bulk_are_no_throughput() -> None:
    tidied = [an_item(str(number), (5, ACTIVE), (7, DONE), actor="mia") for number in range(25)]

    found = known(*tidied, an_item("99", (5, ACTIVE), (8, DONE)))

    assert found.today() == {date(2026, 1, 8): 1}
    assert found.bulk_closed == 25


# -- whether it came true ------------------------------------------------------------------------------------------


def a_team(weekly: Sequence[int], before: date) -> dict[date, int]:
    """So many items on the Tuesday of each week, the last of which ends before the day."""
    first = before - timedelta(weeks=len(weekly), days=-1)
    return {first + timedelta(weeks=place): count for place, count in enumerate(weekly)}


def replayed(weekly: Sequence[int]) -> tuple[tuple[BackTest, ...], Calibration]:
    everything = a_team(weekly, MONDAY)

    def as_of(day: date) -> dict[date, int]:
        return {at: count for at, count in everything.items() if at < day}

    return back_test(as_of, MONDAY, scope="T", trials=200)


def test_a_steady_team_is_always_forecast_rightly() -> None:
    (two, four), calibration = replayed([5] * 40)

    assert (len(two.checks), len(four.checks)) == (25, 23)
    assert two.hits == 25
    assert two.checks[0].k85 == two.checks[0].came == 10
    assert two.width == 1
    assert calibration.level == 8_500 - 25 * 30


def test_a_forecast_sees_nothing_that_came_later() -> None:
    (two, _), _ = replayed([5] * 30 + [50] * 10)

    assert {check.k50 for check in two.checks if check.monday <= MONDAY - timedelta(weeks=10)} == {10}


def test_a_steady_decline_is_called_too_optimistic() -> None:
    (two, _), calibration = replayed([60 - number for number in range(52)])

    assert two.verdict.startswith("too optimistic")
    assert calibration.level > 8_500


def test_a_short_history_is_not_checked() -> None:
    (two, _), calibration = replayed([3] * 7)

    assert two.checks == ()
    assert two.verdict == "not enough history to check"
    assert calibration == Calibration()


def test_windows_that_overlap_are_not_counted_as_independent() -> None:
    (two, four), _ = replayed([5] * 40)

    assert [each.monday for each in two.independent][-2:] == [MONDAY - timedelta(weeks=4), MONDAY - timedelta(weeks=2)]
    assert len(four.independent) == 6


def test_the_interval_is_the_exact_one() -> None:
    low, high = binomial_interval(21, 26)

    assert [round(float(each), 2) for each in (low, high)] == [0.64, 0.92]
    assert binomial_interval(0, 5)[0] == 0
    assert binomial_interval(5, 5)[1] == 1
    assert float(binomial_interval(5, 5)[0]) == pytest.approx(0.05 ** (1 / 5), abs=1e-5)


@pytest.mark.parametrize(
    ("level", "hit", "after"),
    [(8_500, True, 8_470), (8_500, False, 8_670), (9_890, False, 9_900), (5_010, True, 5_000)],
)
def test_each_check_moves_the_level_by_its_step_and_no_further_than_its_bounds(
    level: int, hit: bool, after: int
) -> None:
    assert next_level(level, hit=hit) == after


def test_a_change_of_throughput_is_noticed_and_chance_is_not() -> None:
    fallen = drift([6, 7, 6, 5, 7, 6, 6, 7, 2, 1, 2, 2])
    lumpy = drift([0, 12, 0, 11, 0, 13, 0, 12, 0, 0, 12, 0])

    assert fallen is not None
    assert fallen.is_changing
    assert "1.8 items a week in the last 4 weeks, 6.2 in the 8 before" in fallen.message
    assert lumpy is not None
    assert lumpy.recent < lumpy.before * Fraction(7, 10)
    assert not lumpy.is_changing
    assert drift([5] * 11) is None


# -- acceptance ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("known_weeks", "ahead"), [(6, 6), (12, 6)])
def test_85_percent_forecasts_come_true_as_often_as_they_claim(known_weeks: int, ahead: int) -> None:
    """The short form of scripts/forecast-acceptance, which runs all five settings."""
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "forecast-acceptance"))

    assert 0.80 <= script["came_true"](known_weeks, ahead, series=250, trials=300) <= 0.90


def test_a_forecast_of_10_000_trials_is_quick() -> None:
    twelve = weeks(EIGHT_WEEKS + EIGHT_WEEKS[:4])
    began = time.process_time()

    when(twelve, 20, MONDAY, seed=1)

    assert time.process_time() - began < 1  # 0.1 s where it was measured; scripts/bench holds the real limit
