"""The forecast report: what it asks the engine, what it says beside the figures, and what it refuses to say."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from backlint.api.reports import Answer, to_csv, to_html, to_json, to_markdown
from backlint.api.reports.forecast import ForecastReport
from backlint.api.reports.forecast_formats import chance_in_words
from backlint.calendars import Calendar, Leave
from tests.api.reports.backlog import BROKEN, GOOD, NOW
from tests.api.reports.planning_backlog import TODAY, WEEKLY, a_forecast, a_forecast_without_history


@pytest.fixture(scope="module")
def report() -> ForecastReport:
    return a_forecast()


def test_it_draws_from_the_last_twelve_weeks_that_are_no_holiday_weeks(report: ForecastReport) -> None:
    assert [week.total for week in report.history.weeks] == list(WEEKLY[-12:])


def test_the_chance_and_the_dates_are_of_one_simulation(report: ForecastReport) -> None:
    assert report.counts is not None
    assert report.dates is not None
    assert report.chance is not None
    reached = [day for day in (dict(report.dates.levels)[50], dict(report.dates.levels)[95]) if day is not None]

    assert (report.chance >= Fraction(1, 2)) == (reached[0] <= report.counts.until)
    assert reached[0] < reached[1]


def test_more_leave_means_fewer_items(report: ForecastReport) -> None:
    fortnight = Leave(first=TODAY, last=TODAY + timedelta(days=27), people=3)
    absent = a_forecast(items=None, calendar=Calendar(people=5, leave=(fortnight,)))

    assert report.counts is not None
    assert absent.counts is not None
    assert all(few < many for (_, few), (_, many) in zip(absent.counts.levels, report.counts.levels, strict=True))


def test_without_a_question_the_next_four_weeks_are_forecast() -> None:
    found = a_forecast(items=None, until=None)

    assert found.dates is None
    assert found.counts is not None
    assert found.counts.until == TODAY + timedelta(weeks=4)


def test_the_same_facts_give_the_same_report() -> None:
    assert a_forecast() == a_forecast()


def test_another_scope_draws_other_numbers(report: ForecastReport) -> None:
    other = a_forecast(scope="Others")

    assert report.counts is not None
    assert other.counts is not None
    assert report.counts.seed != other.counts.seed


def test_a_given_seed_is_used_and_printed() -> None:
    found = a_forecast(seed=42)

    assert found.counts is not None
    assert found.counts.seed == 42
    assert "| seed, how many | 42 |" in to_markdown(found)


def test_too_little_history_is_a_reason_and_no_number() -> None:
    found = a_forecast_without_history()

    assert found.answer is Answer.NOTHING_TO_MEASURE
    assert found.counts is None
    assert found.dates is None
    assert "3 complete weeks since the first finished item; 6 are needed" in to_markdown(found)
    assert json.loads(to_json(found))["when"] is None
    assert re.search(r"no forecast,.*6 are needed", to_csv(found))


def test_an_item_older_than_all_others_gets_no_date(report: ForecastReport) -> None:
    oldest = report.started[0]

    assert oldest.key == "PAY-2003"
    assert oldest.found.likely_by is None
    assert oldest.found.remark.startswith("older than almost everything seen")


def test_a_source_that_could_not_be_read_says_nothing() -> None:
    found = a_forecast(health=(replace(GOOD, complete=False), BROKEN))

    assert found.answer is Answer.CANNOT_SAY
    assert found.history.weeks == ()
    assert "**Cannot say.**" in to_markdown(found)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"until": date(2026, 10, 30)}, "the forecast reaches 22 weeks ahead, further than the 12 weeks"),
        ({"items": 3000}, "in 100 % of the trials the items are not done within two years"),
        (
            {"calendar": Calendar(leave=(Leave(first=TODAY, last=TODAY),))},
            "leave is entered, but not how many people the team has: it is not counted",
        ),
    ],
)
def test_what_makes_a_forecast_doubtful_is_said(given: dict[str, object], warning: str) -> None:
    found = a_forecast(**given)

    assert any(warning in each for each in found.warnings)
    assert "**Careful:**" in to_markdown(found)


def test_a_drift_of_the_throughput_is_a_banner() -> None:
    slowed = a_forecast(now=NOW + timedelta(weeks=4), until=None)  # four weeks in which nothing was finished

    assert slowed.drift is not None
    assert slowed.drift.is_changing
    assert "throughput is changing; forecast unreliable" in to_html(slowed)


def test_no_format_gives_one_bare_date(report: ForecastReport) -> None:
    assert report.dates is not None
    likely = dict(report.dates.levels)[85]
    assert likely is not None
    words = f"{likely:%a} {likely.day} {likely:%b %Y}"

    for text in (to_markdown(report), to_html(report)):
        sentences = [line for line in re.split(r"[.\n]", re.sub(r"<[^>]+>", "\n", text)) if words in line]
        assert sentences
        assert all("likely" in line or "by " in line for line in sentences)


def test_raw_and_calibrated_lines_stand_side_by_side(report: ForecastReport) -> None:
    facts = json.loads(to_json(report))

    assert facts["how_many"]["p85"] is not None
    assert facts["how_many"]["calibrated_p85"] is not None
    assert "85 %, calibrated (drawn at" in to_html(report)
    assert facts["calibration"]["checks"] == facts["back_test"][0]["checks"]


def test_the_json_holds_what_is_needed_to_draw_the_same_figures(report: ForecastReport) -> None:
    facts = json.loads(to_json(report))

    assert facts["algorithm"] == "week-nested/1"
    assert int(facts["when"]["seed"]) == (report.dates and report.dates.seed)
    assert sum(sum(week["finished"]) for week in facts["history"]["weeks"]) == sum(WEEKLY[-12:])


def test_the_csv_is_one_table(report: ForecastReport) -> None:
    header, *rows = csv.reader(io.StringIO(to_csv(report)))

    assert {len(row) for row in rows} == {len(header)}
    assert {"how many", "when", "chance", "history", "check, 2 weeks", "in progress"} <= {row[0] for row in rows}


@pytest.mark.parametrize(
    ("chance", "said"),
    [(Fraction(0), "less than 1 %"), (Fraction(1, 2), "50 %"), (Fraction(1), "more than 99 %")],
)
def test_a_simulation_is_never_certain(chance: Fraction, said: str) -> None:
    assert chance_in_words(chance) == said
