from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from time import perf_counter

import pytest

from backlint.api.reports import Answer, build_cycle_time, to_csv, to_html, to_json, to_markdown
from backlint.flow import Mode
from backlint.model import IssueType
from backlint.percentile import Shows
from tests.api.reports.backlog import (
    BROKEN,
    DOING,
    DONE,
    GOOD,
    NOW,
    READY,
    REVIEW,
    a_cycle_time_report,
    an_item,
    the_backlog,
)


def test_the_percentiles_are_about_the_rows():
    report = a_cycle_time_report()

    assert report.found.sample.count == len(report.rows)
    assert report.found.p50 == sorted(row.cycle for row in report.rows)[14]


def test_a_period_counts_whole_local_days_and_both_ends():
    # Finished at 22:30 UTC, which is half past midnight of the next day in Berlin.
    late = an_item(1, (10, DOING), (5 + 9.5 / 24, DONE))

    def count(day: date) -> int:
        report = build_cycle_time([late], scope="x", now=NOW, timezone="Europe/Berlin", since=day, until=day)
        return len(report.rows)

    assert (count(date(2026, 5, 26)), count(date(2026, 5, 27)), count(date(2026, 5, 28))) == (0, 1, 0)


def test_only_the_scope_is_shown_and_everybody_is_asked_for_the_expectation():
    issues = the_backlog()
    report = build_cycle_time(issues, scope="one", now=NOW, select=lambda issue: issue.key == "PAY-36")

    (item,) = report.ageing
    assert not report.rows
    assert item.level is not None
    assert item.level.scope == "organisation"


def test_other_modes_change_the_figures_and_not_the_scores():
    elapsed, working = (a_cycle_time_report(mode=mode) for mode in (Mode.ELAPSED, Mode.IN_PROGRESS))

    def row(report, key):
        return next(each for each in report.rows if each.key == key)

    assert row(elapsed, "PAY-30").cycle == timedelta(days=10)
    assert row(working, "PAY-30").cycle == timedelta(days=7)
    assert row(elapsed, "PAY-30").score == row(working, "PAY-30").score
    assert "SLE" in to_html(elapsed)
    assert '<path class="dotted"' not in to_html(working)
    assert "in progress: only the time in started statuses" in to_markdown(working)


def test_what_is_left_out_says_why():
    why = {each.key: each.why for each in a_cycle_time_report().excluded}

    assert why == {
        "PAY-32": "finished without a known start",
        "PAY-33": "finished without a known start",
        "PAY-34": "cancelled 4.0 d after the start",
        "PAY-35": "status 'Waiting for vendor' has no category",
    }


def test_epics_are_counted_apart():
    report = a_cycle_time_report()

    assert [row.key for row in report.large] == ["PAY-41"]
    assert "PAY-41" not in {row.key for row in report.rows}


def test_the_mix_of_starts_and_the_share_without_one_are_printed():
    report = a_cycle_time_report()

    assert report.quality.start_sources == {"pr": 1, "status": 28}
    assert (report.quality.without_start, report.quality.finished) == (2, 31)
    assert not report.quality.needs_banner


def test_many_finished_items_without_a_start_raise_a_banner():
    issues = [an_item(n, (5 + n / 10, DONE)) for n in range(3)] + [an_item(9, (5, DOING), (3, DONE))]
    report = build_cycle_time(issues, scope="x", now=NOW)

    assert report.quality.needs_banner
    assert "75 % of the finished items have no known start" in to_html(report)
    assert "75 % of the finished items have no known start" in to_markdown(report)


def test_the_json_keeps_its_promise():
    facts = json.loads(to_json(a_cycle_time_report()))

    assert {
        "scope",
        "as_of",
        "timezone",
        "mode",
        "count",
        "p50",
        "p85",
        "p95",
        "sle",
        "unit",
        "issues",
        "excluded",
    } <= set(facts)
    assert facts["unit"] == "days"
    assert {
        "source", "issue", "type", "started_at", "finished_at", "start_source", "cycle_time", "lead_time",
        "reaction_time", "score", "reopened", "flags",
    } <= set(facts["issues"][0])  # fmt: skip
    assert facts["count"] == len(facts["issues"])
    assert all(each["provisional"] for each in facts["in_progress"])


def test_a_small_sample_lists_the_items_and_claims_nothing():
    report = build_cycle_time(the_backlog()[:4], scope="x", now=NOW)
    facts = json.loads(to_json(report))

    assert report.found.sample.shows is Shows.VALUES
    assert (facts["p50"], facts["p85"], facts["sle"]) == (None, None, None)
    assert len(facts["issues"]) == 4
    assert "the items are listed below instead" in to_html(report)


# -- the three ways of having no figures ---------------------------------------------------------------------------


def test_nothing_to_measure():
    report = build_cycle_time([an_item(1, (5, READY))], scope="x", now=NOW)

    assert report.answer is Answer.NOTHING_TO_MEASURE
    assert "Nothing to measure." in to_html(report)
    assert "Nothing to measure." in to_markdown(report)


def test_nothing_ageing():
    report = build_cycle_time([an_item(1, (5, DOING), (3, DONE))], scope="x", now=NOW)

    assert "Nothing is in progress, so nothing is ageing" in to_html(report)


def test_cannot_say():
    report = build_cycle_time(the_backlog(), scope="x", now=NOW, health=[BROKEN])

    assert report.answer is Answer.CANNOT_SAY
    for text in (to_html(report), to_markdown(report)):
        assert "Cannot say." in text
        assert "GitHub answered 502 four times" in text
        assert "its 80 issues are not judged" in text


def test_a_source_that_could_not_be_read_is_left_out_and_named():
    issues = [*the_backlog(), an_item(1, (9, DOING), (3, DONE), source="oss", key="oss#1")]
    report = build_cycle_time(issues, scope="x", now=NOW, health=[GOOD, BROKEN])

    assert report.answer is Answer.FIGURES
    assert "oss#1" not in {row.key for row in report.rows}
    assert "oss: cannot say." in to_html(report)


# -- what a report must not do -------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_fetches_nothing():
    page = to_html(a_cycle_time_report())

    for forbidden in ("<script", "<link", "<img", "@import", "url(", "src=", "javascript:"):
        assert forbidden not in page


def test_every_dot_is_a_link_with_a_title():
    page = to_html(a_cycle_time_report())

    dots = page.count('r="3" class="dot')
    assert dots == 29 + 3
    assert page.count('tabindex="-1"><title>') == dots
    assert "<title>PAY-11 Show the exchange rate at checkout: 13.0 d, finished 2026-04-27</title>" in page


def test_foreign_texts_stay_texts():
    nasty = '<script>alert(1)</script> | **x** "y"'
    issue = an_item(
        1, (5, DOING), (3, DONE), title=nasty, url="javascript:alert(1)", team="<b>t</b>", status=DONE
    )  # fmt: skip
    report = build_cycle_time([issue], scope="<i>", now=NOW)
    page, text = to_html(report), to_markdown(report)

    assert "<script" not in page
    assert "javascript:" not in page
    assert "<b>t" not in page
    assert "\\<script\\>alert(1)\\</script\\> \\| \\*\\*x\\*\\*" in text
    assert "javascript:" not in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_runs_as_a_formula(start):
    issue = an_item(1, (5, DOING), (3, DONE), title=f"{start}HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(to_csv(build_cycle_time([issue], scope="x", now=NOW))))

    assert row["title"] == f"'{start}HYPERLINK(1)"


def test_the_order_does_not_depend_on_that_of_the_issues():
    issues = the_backlog()
    one = build_cycle_time(issues, scope="x", now=NOW)
    other = build_cycle_time(issues[::-1], scope="x", now=NOW)

    assert to_html(one) == to_html(other)
    assert to_json(one) == to_json(other)


def test_the_weeks_are_gapless_and_the_running_one_is_marked():
    weeks = a_cycle_time_report().weeks

    assert [week.monday for week in weeks] == [weeks[0].monday + timedelta(days=7 * n) for n in range(len(weeks))]
    assert [week.is_running for week in weeks[-2:]] == [False, True]
    assert sum(week.finished for week in weeks) == 31


def test_a_large_backlog_is_reported_quickly():
    steps = ((90, READY), (80, DOING), (70, REVIEW), (60, DOING), (50, REVIEW), (40, READY), (30, DOING))
    issues = [
        an_item(n, *steps, (10 + n / 200, DONE), type=IssueType.STORY, team=f"team {n % 10}") for n in range(2000)
    ]

    began = perf_counter()
    report = build_cycle_time(issues, scope="x", now=NOW)
    took = perf_counter() - began

    assert len(report.rows) == 2000
    assert took < 2  # 20,000 take about 2 seconds on the machine this was written on
    assert len(to_html(report)) < 1_200_000
