"""The forecast as JSON, Markdown and CSV. No format ever prints one bare date."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from backlint.api.reports import figures
from backlint.api.reports.cycle_time_formats import markdown_cannot_say, markdown_sources, source_facts
from backlint.api.reports.forecast import CountForecast, DateForecast, ForecastReport, StartedItem
from backlint.api.reports.health import Answer
from backlint.api.reports.tables import link, markdown_table, plain
from backlint.api.reports.tables import to_csv as table_to_csv
from backlint.forecast import ALGORITHM, BackTest

MOST_LINES = 25
NEVER = "later than two years"


def to_json(report: ForecastReport) -> str:
    """For programs.

    `history.weeks` are the days that were drawn from, Monday to Sunday; with them, the algorithm's name, `trials` and
    a `seed` (a text: it has 64 bits) anybody can draw the same figures. `pNN`: so many percent of the trials reach the
    number, or are done on or before the day; null means later than two years. `calibrated_p85` is the 85 % line at
    the level of `calibration`.
    """
    return json.dumps(_facts(report), ensure_ascii=False, indent=2) + "\n"


def _facts(report: ForecastReport) -> dict[str, Any]:
    counts, dates = report.counts, report.dates
    return {
        "scope": report.scope,
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
        "timezone": report.timezone,
        "answer": report.answer.value,
        "why_none": report.why_none,
        "algorithm": ALGORITHM,
        "trials": report.trials,
        "start": report.start.isoformat(),
        "history": {
            "weeks": [
                {"monday": week.monday.isoformat(), "finished": list(week.counts)} for week in report.history.weeks
            ],
            "issues": [
                {"source": each.source, "issue": each.key, "url": each.url, "finished_on": each.on.isoformat()}
                for each in report.finished
            ],
            "left_out": [{"monday": monday.isoformat(), "why": why} for monday, why in report.history.left_out],
        },
        "how_many": counts and {
            "until": counts.until.isoformat(),
            "seed": str(counts.seed),
            **{f"p{level}": items for level, items in counts.levels},
            "calibrated_p85": counts.calibrated,
        },
        "when": dates and {
            "items": dates.items,
            "growth": list(dates.growth),
            "seed": str(dates.seed),
            **{f"p{level}": _day(day) for level, day in dates.levels},
            "calibrated_p85": _day(dates.calibrated),
            "never": _share(dates.endless),
        },
        "chance": None if report.chance is None else _share(report.chance),
        "calibration": {"level": report.calibration.level / 100, "checks": report.calibration.checks},
        "back_test": [_tested(each) for each in report.back_tests],
        "drift": report.drift and {
            "recent": _share(report.drift.recent),
            "before": _share(report.drift.before),
            "chance": _share(report.drift.chance),
            "changing": report.drift.is_changing,
        },
        "calendar": {
            "holidays": sorted(day.isoformat() for day in report.calendar.holidays if day >= report.start),
            "people": report.calendar.people,
            "leave": [
                {"first": each.first.isoformat(), "last": each.last.isoformat(), "people": each.people}
                for each in report.calendar.leave
            ],
        },
        "in_progress": [_started(each) for each in report.started],
        "warnings": list(report.warnings),
        "assumptions": list(report.assumptions),
        "sources": [source_facts(source) for source in report.health],
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _share(share: Fraction) -> float:
    return round(float(share), 6)


def _tested(tested: BackTest) -> dict[str, Any]:
    interval = tested.interval
    return {
        "weeks": tested.weeks,
        "checks": len(tested.checks),
        "hits": tested.hits,
        "independent": len(tested.independent),
        "independent_hits": sum(check.hit for check in tested.independent),
        "interval": None if interval is None else [_share(each) for each in interval],
        "width": None if tested.width is None else _share(tested.width),
        "verdict": tested.verdict,
        "replayed": [
            {
                "monday": check.monday.isoformat(),
                "k50": check.k50,
                "k85": check.k85,
                "level": check.level / 100,
                "line": check.line,
                "came": check.came,
                "hit": check.hit,
            }
            for check in tested.checks
        ],
    }


def _started(row: StartedItem) -> dict[str, Any]:
    found = row.found
    return {
        "source": row.source,
        "issue": row.key,
        "url": row.url,
        "title": row.title,
        "team": row.team,
        "type": row.type,
        "age": figures.days(found.age),
        "p50": found.even_by and found.even_by.isoformat().replace("+00:00", "Z"),
        "p85": found.likely_by and found.likely_by.isoformat().replace("+00:00", "Z"),
        "basis": found.remark,
    }


# -- words ---------------------------------------------------------------------------------------------------------


def in_words(day: date | None) -> str:
    """`Wed 25 Feb 2026`."""
    return NEVER if day is None else f"{day:%a} {day.day} {day:%b %Y}"


def headline(report: ForecastReport) -> list[str]:
    """The answers in sentences, each with its likelihood and its alternative."""
    said = []
    if report.counts is not None:
        said.append(count_sentence(report.counts))
    if report.dates is not None:
        said.append(date_sentence(report.dates))
    if report.chance is not None and report.dates is not None and report.counts is not None:
        said.append(
            f"{sentence(chance_in_words(report.chance))} likely: {figures.counted(report.dates.items, 'item')} by "
            f"{in_words(report.counts.until)}."
        )
    return said


def count_sentence(counts: CountForecast) -> str:
    levels = dict(counts.levels)
    return (
        f"85 % likely at least {figures.counted(levels[85], 'item')} by {in_words(counts.until)}; "
        f"even odds of {levels[50]} or more."
    )


def date_sentence(dates: DateForecast) -> str:
    levels = dict(dates.levels)
    items = figures.counted(dates.items, "item")
    if levels[85] is None:
        return f"{items}: less than 85 % likely within two years."
    return f"85 % likely on or before {in_words(levels[85])} for {items}; even odds of {in_words(levels[50])}."


def chance_in_words(chance: Fraction) -> str:
    """Never 0 or 100: a simulation is not certain."""
    if chance < Fraction(1, 100):
        return "less than 1 %"
    return "more than 99 %" if chance > Fraction(99, 100) else figures.percent(chance)


def level_rows(report: ForecastReport) -> list[tuple[str, ...]]:
    """Likelihood, number, day; the calibrated 85 % line last."""
    counts, dates = report.counts, report.dates
    rows = []
    for level in (50, 70, 85, 95):
        row = [f"{level} %"]
        if counts is not None:
            row.append(f"at least {dict(counts.levels)[level]}")
        if dates is not None:
            row.append(_by(dict(dates.levels)[level]))
        rows.append(tuple(row))
    row = [f"85 %, calibrated (drawn at {float(report.calibration.percent):.1f} %)"]
    if counts is not None:
        row.append(f"at least {counts.calibrated}")
    if dates is not None:
        row.append(_by(dates.calibrated))
    return [*rows, tuple(row)]


def _by(day: date | None) -> str:
    return NEVER if day is None else f"by {in_words(day)}"


def level_header(report: ForecastReport) -> list[str]:
    header = ["likelihood"]
    if report.counts is not None:
        header.append(f"finished by {in_words(report.counts.until)}")
    if report.dates is not None:
        header.append(f"{figures.counted(report.dates.items, 'item')} done")
    return header


def calibration_sentence(report: ForecastReport) -> str:
    checks = report.calibration.checks
    if not checks:
        return "Not calibrated yet: no forecast of the past could be checked."
    return (
        f"Calibrated by {figures.counted(checks, 'resolved check')} of the last half year: to come true 85 % of the "
        f"time, the line is drawn at {float(report.calibration.percent):.1f} %."
    )


def tested_rows(report: ForecastReport) -> list[tuple[str, ...]]:
    """One line for each horizon of the back-test."""
    rows: list[tuple[str, ...]] = []
    for tested in report.back_tests:
        interval = tested.interval
        independent = sum(check.hit for check in tested.independent)
        rows.append(
            (
                f"{tested.weeks} weeks ahead",
                f"{tested.hits} of {len(tested.checks)}",
                f"{independent} of {len(tested.independent)}",
                "–" if interval is None else f"{_percent(interval[0])}–{_percent(interval[1])} %",
                "–" if tested.width is None else f"{float(tested.width):.2f}",
                tested.verdict,
            )
        )
    return rows


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.0f}"


TESTED = ("forecast", "85 % line came true", "in windows apart", "90 % interval", "k85 ÷ k50", "verdict")


def input_rows(report: ForecastReport) -> list[tuple[str, str]]:
    """Everything that the figures follow from."""
    weeks = report.history.weeks
    span = f"{weeks[0].monday} to {iso_end(report)}" if weeks else "–"
    rows = [
        ("algorithm", f"{ALGORITHM}, {report.trials:,} trials"),
        ("start", str(report.start)),
        ("history", f"{figures.counted(report.history.finished, 'item')} in {len(weeks)} weeks, {span}"),
    ]
    if report.counts is not None:
        rows.append(("seed, how many", str(report.counts.seed)))
    if report.dates is not None:
        rows.append(("seed, when", str(report.dates.seed)))
        low, high = report.dates.growth
        rows.append(("growth", f"{low:g} to {high:g}"))
    return rows


def iso_end(report: ForecastReport) -> str:
    """The Sunday of the last week."""
    return date.fromordinal(report.history.weeks[-1].monday.toordinal() + 6).isoformat()


def nothing(report: ForecastReport) -> str:
    """Why there is no forecast, as a sentence."""
    if report.answer is Answer.CANNOT_SAY:
        return "**Cannot say.** What this is about could not be read to the end, so there is no forecast."
    looked = figures.counted(report.issues, "issue")
    return f"**No forecast.** {sentence(report.why_none or '')} ({looked} looked at)."


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def started_cells(row: StartedItem, report: ForecastReport) -> tuple[str, str, str, str]:
    """Age, even odds, 85 %, basis."""
    found, zone = row.found, report.zone
    if found.likely_by is None or found.even_by is None:
        return figures.in_days(found.age), "–", "–", found.remark
    likely, even = (at.astimezone(zone).date() for at in (found.likely_by, found.even_by))
    return figures.in_days(found.age), f"by {in_words(even)}", f"by {in_words(likely)}", found.remark


# -- Markdown ------------------------------------------------------------------------------------------------------


def to_markdown(report: ForecastReport) -> str:
    """For a ticket or a chat."""
    head = [
        f"# Forecast: {plain(report.scope)}",
        f"As of {figures.moment(report.as_of, report.zone)} ({report.timezone}).",
        *markdown_cannot_say(report),
    ]
    body = list(_body(report)) if report.answer is Answer.FIGURES else [nothing(report)]
    if report.answer is Answer.NOTHING_TO_MEASURE:
        body += _in_progress(report)
    parts = (*head, *body, *markdown_sources(report.health, report))
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _body(report: ForecastReport) -> Iterable[str]:
    for warning in report.warnings:
        yield f"> **Careful:** {plain(warning)}."
    for said in headline(report):
        yield f"**{said}**"
    yield markdown_table(level_header(report), level_rows(report))
    yield calibration_sentence(report)
    yield "## Did it come true before?"
    yield markdown_table(TESTED, tested_rows(report))
    yield "## What it rests on"
    yield markdown_table(("input", "value"), input_rows(report))
    weeks = [(str(week.monday), week.total, " ".join(map(str, week.counts))) for week in report.history.weeks[::-1]]
    yield markdown_table(("week of", "finished", "Mon to Sun"), weeks, numbers=(1,))
    yield "It assumes:"
    yield "\n".join(f"- {plain(each)}" for each in report.assumptions)
    yield from _in_progress(report)


def _in_progress(report: ForecastReport) -> Iterable[str]:
    if not report.started:
        return
    yield "## Each item in progress"
    rows = [
        (link(row.key, row.url), plain(row.title), *started_cells(row, report)) for row in report.started[:MOST_LINES]
    ]
    table = markdown_table(("issue", "title", "age", "even odds", "85 % likely", "because"), rows, numbers=(2,))
    rest = len(report.started) - MOST_LINES
    yield table + (f"\n{rest} more in the CSV.\n" if rest > 0 else "")


# -- CSV -----------------------------------------------------------------------------------------------------------

COLUMNS = ("kind", "name", "percent", "value", "basis")


def to_csv(report: ForecastReport) -> str:
    """One table: the answers, the history they rest on, the checks of the past, each item in progress."""
    return table_to_csv(COLUMNS, _lines(report))


def _lines(report: ForecastReport) -> Iterable[tuple[object, ...]]:
    counts, dates = report.counts, report.dates
    if report.why_none:
        yield "no forecast", "", "", "", report.why_none
    if counts is not None:
        for level, items in counts.levels:
            yield "how many", counts.until.isoformat(), level, items, f"seed {counts.seed}"
        yield "how many, calibrated", counts.until.isoformat(), 85, counts.calibrated, f"level {_level(report)}"
    if dates is not None:
        for level, day in dates.levels:
            yield "when", f"{dates.items} items", level, _day(day) or NEVER, f"seed {dates.seed}"
        calibrated = _day(dates.calibrated) or NEVER
        yield "when, calibrated", f"{dates.items} items", 85, calibrated, f"level {_level(report)}"
        if report.chance is not None and counts is not None:
            yield "chance", f"{dates.items} items by {counts.until}", "", _share(report.chance), ""
    for week in report.history.weeks:
        yield "history", week.monday.isoformat(), "", week.total, " ".join(map(str, week.counts))
    for item in report.finished:
        yield "finished", item.key, "", item.on.isoformat(), item.title
    for tested in report.back_tests:
        for check in tested.checks:
            basis = f"k50 {check.k50}, k85 {check.k85}, came {check.came}"
            yield f"check, {tested.weeks} weeks", check.monday.isoformat(), 85, "hit" if check.hit else "miss", basis
    for row in report.started:
        for level, at in ((50, row.found.even_by), (85, row.found.likely_by)):
            yield "in progress", row.key, level, at and at.date().isoformat(), row.found.remark
    for warning in report.warnings:
        yield "warning", "", "", "", warning


def _level(report: ForecastReport) -> str:
    return f"{float(report.calibration.percent):.1f} %"
