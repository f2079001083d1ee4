"""The forecast as a page: its charts and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from backlint.api.reports import charts, figures
from backlint.api.reports.forecast import CountForecast, DateForecast, ForecastReport
from backlint.api.reports.forecast_formats import (
    TESTED,
    calibration_sentence,
    headline,
    in_words,
    input_rows,
    level_header,
    level_rows,
    nothing,
    sentence,
    started_cells,
    tested_rows,
)
from backlint.api.reports.page import drawn, rendered

MOST_BARS = 30
MOST_ROWS = 100
MOST_FINISHED = 300


def to_html(report: ForecastReport) -> str:
    """The whole report as one file."""
    return rendered(
        "forecast.html.jinja",
        report,
        charts=_charts(report),
        headline=headline(report),
        nothing=nothing(report).replace("*", ""),
        header=level_header(report),
        levels=level_rows(report),
        calibration=calibration_sentence(report),
        tested_header=TESTED,
        tested=tested_rows(report),
        checks=[check for tested in report.back_tests for check in tested.checks[::-1]],
        inputs=input_rows(report),
        finished=report.finished[: -MOST_FINISHED - 1 : -1],
        history_rows=[(week.monday, *week.counts, week.total) for week in report.history.weeks[::-1]],
        chance_rows=_chance_rows(report.counts) if report.counts else (),
        date_rows=_date_rows(report.dates) if report.dates else (),
        started=[(row, started_cells(row, report)) for row in report.started[:MOST_ROWS]],
        in_words=in_words,
        sentence=sentence,
    )


def _charts(report: ForecastReport) -> dict[str, Markup]:
    drawings = dict.fromkeys(("history", "counts", "dates", "checks"), Markup(""))
    weeks = report.history.weeks
    if weeks:
        values = [(_short(week.monday), float(week.total)) for week in weeks]
        title = f"Items finished in each of {figures.counted(len(weeks), 'week')}"
        drawings["history"] = drawn(charts.bars(values, title=title, every=-(-len(values) // 6)))
    if report.counts is not None:
        rows = _chance_rows(report.counts)
        bars = [(str(items), float(100 * trials)) for items, trials in _shares(report.counts)]
        title = f"How many items by {report.counts.until}: percent of the trials that reach each number"
        drawings["counts"] = drawn(charts.bars(bars, title=title, every=-(-len(rows) // 8)))
    if report.dates is not None:
        bars = [(_short(monday), share) for monday, share in _reached(report.dates)]
        what = figures.counted(report.dates.items, "item")
        title = f"When {what} are done: percent of the trials by the end of each week"
        if bars:
            drawings["dates"] = drawn(charts.bars(bars[:MOST_BARS], title=title, every=-(-min(len(bars), 30) // 6)))
    checks = report.back_tests[0].checks if report.back_tests else ()
    if len(checks) > 1:
        series: dict[str, Sequence[float | None]] = {
            "finished": [check.came for check in checks],
            "85 % line": [check.k85 for check in checks],
        }
        names = [_short(check.monday) for check in checks]
        title = "Forecasts two weeks ahead: the 85 % line and what came"
        drawings["checks"] = drawn(charts.lines(series, names, title=title, every=-(-len(names) // 5)))
    return drawings


def _shares(counts: CountForecast) -> list[tuple[int, float]]:
    """(items, share of trials that reach at least so many), every number, thinned to what can be drawn."""
    whole = sum(trials for _, trials in counts.spread)
    first, last = counts.spread[0][0], counts.spread[-1][0]
    step = -(-(last - first + 1) // MOST_BARS)
    by_count = dict(counts.spread)
    shares, reached = [], whole
    for items in range(first, last + 1):
        if (items - first) % step == 0:
            shares.append((items, reached / whole))
        reached -= by_count.get(items, 0)
    return shares


def _chance_rows(counts: CountForecast) -> list[tuple[str, str]]:
    return [(f"{items} or more", f"{100 * share:.0f} %") for items, share in _shares(counts)]


def _reached(dates: DateForecast) -> list[tuple[date, float]]:
    """(Monday, percent of trials done by the end of that week)."""
    whole = sum(trials for _, trials in dates.spread)
    done, rows = 0, []
    for monday, trials in dates.spread:
        if monday is not None:
            done += trials
            rows.append((monday, 100 * done / whole))
    return rows


def _date_rows(dates: DateForecast) -> list[tuple[str, str]]:
    return [(str(monday), f"{share:.0f} %") for monday, share in _reached(dates)]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
