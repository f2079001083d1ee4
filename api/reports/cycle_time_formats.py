"""The cycle-time report as JSON, Markdown and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from backlint.api.reports import figures
from backlint.api.reports.cycle_time import Ageing, CycleTimeReport, Group, Row
from backlint.api.reports.cycle_time_page import (
    MODE_SENTENCES,
    SPRINT_HEADER,
    SPRINTS_EXPLAINED,
    SPRINTS_SHOWN,
    bugs_of,
    movement,
    percentile_cells,
    period,
    rate_of,
    slowest,
    sprint_cells,
    sprint_figures,
    working_of,
)
from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer, SourceHealth
from backlint.api.reports.page import Report, cannot_say
from backlint.api.reports.sprint_record import SprintRecord
from backlint.api.reports.tables import link, markdown_table, plain
from backlint.api.reports.tables import to_csv as table_to_csv
from backlint.flow import ServiceLevel
from backlint.percentile import Percentiles

MOST_LINES = 25  # of a Markdown table; it is read in a mail or a chat
WEEKS_SHOWN = 12


def to_json(report: CycleTimeReport) -> str:
    """For programs. Durations are days, moments UTC, `null` where the sample rules allow no figure.

    `issues` are the finished ones that the percentiles are about, oldest finish first; `in_progress` carry provisional
    scores; `epics` (and initiatives) have figures of their own; `excluded` are closed without a cycle time, with why.
    """
    return json.dumps(_facts(report), ensure_ascii=False, indent=2) + "\n"


def _facts(report: CycleTimeReport) -> dict[str, Any]:
    quality = report.quality
    return {
        "scope": report.scope,
        "as_of": _at(report.as_of),
        "timezone": report.timezone,
        "rules_version": report.rules_version,
        "answer": report.answer.value,
        "mode": report.mode.value,
        "since": report.since and report.since.isoformat(),
        "until": report.until and report.until.isoformat(),
        "unit": "days",
        **_percentiles(report.found),
        "sle": report.expectation and round(report.expectation.days, 6),
        "sle_count": report.expectation.sample if report.expectation else 0,
        "lead_time": _percentiles(report.lead),
        "reaction_time": _percentiles(report.reaction),
        "flow_efficiency": {
            "count": report.efficiency.sample.count,
            "p50": None if report.efficiency.p50 is None else round(float(report.efficiency.p50), 6),
        },
        "on_time": {"on_time": report.on_time.on_time, "due": report.on_time.due, "moved": report.on_time.moved},
        "due": [_entry(each) for each in report.due],
        "bug_rate": None if report.bug_rate is None else round(float(report.bug_rate), 6),
        "bugs": [_entry(each) for each in report.bugs],
        "working_days": {
            "count": report.working.sample.count,
            **{name: getattr(report.working, name) for name in ("p50", "p85", "p95")},
            "remark": report.working.sample.remark,
        },
        "wip_cap": report.wip_cap,
        "sprints": [_sprint(each) for each in report.sprints],
        "trend": report.movement and {
            "days": report.movement.days,
            "now": _percentiles(report.movement.now),
            "before": _percentiles(report.movement.before),
            "verdict": report.movement.trend.value,
        },
        "teams": [_group(group) for group in report.teams],
        "types": [_group(group) for group in report.types],
        "statuses": [
            {"status": each.name, "time": _percentiles(each.spent), "age_on_leaving": _percentiles(each.age)}
            for each in report.statuses
        ],
        "throughput": [
            {
                "week": week.monday.isoformat(),
                "finished": week.finished,
                "rework": week.rework,
                "bulk_closed": week.bulk_closed,
                "running": week.is_running,
            }
            for week in report.weeks
        ],
        "flow": [
            {"day": day.isoformat(), **{name: counts[place] for name, counts in report.flow.items()}, "wip": wip}
            for place, (day, wip) in enumerate(zip(report.moments, report.wip, strict=True))
        ],
        "issues": [_row(row) for row in report.rows],
        "in_progress": [_ageing(each) for each in report.ageing],
        "paused": report.paused,
        "epics": {**_percentiles(report.large_found), "issues": [_row(row) for row in report.large]},
        "excluded": [
            {"source": each.source, "issue": each.key, "url": each.url, "why": each.why} for each in report.excluded
        ],
        "quality": {
            "finished": quality.finished,
            "without_start": quality.without_start,
            "unmapped": quality.unmapped,
            "imported": quality.imported,
            "skewed": quality.skewed,
            "gaps": quality.gaps,
            "bulk_closed": quality.bulk_closed,
            "cancelled_after_start": quality.cancelled_after_start,
            "start_sources": dict(quality.start_sources),
        },
        "sources": [source_facts(source) for source in report.health],
    }  # fmt: skip


def _entry(each: Entry) -> dict[str, Any]:
    return {"source": each.source, "issue": each.key, "url": each.url, "title": each.title, "said": each.said or None}


def _sprint(each: SprintRecord) -> dict[str, Any]:
    return {
        "source": each.source,
        "sprint": each.name,
        "team": each.team,
        "starts_at": _at(each.starts_at),
        "ends_at": _at(each.ends_at),
        "running": each.is_running,
        "predictability": None if each.predictability is None else round(float(each.predictability), 6),
        "scope_change": None if each.scope_change is None else round(float(each.scope_change), 6),
        **{
            name: None if found is None else [line.key for line in found]
            for name, found in (
                ("committed", each.committed), ("finished", each.finished), ("added", each.added),
                ("removed", each.removed), ("carried_over", each.carried),
            )
        },
    }  # fmt: skip


def _row(row: Row) -> dict[str, Any]:
    return {
        "source": row.source,
        "issue": row.key,
        "id": row.id,
        "url": row.url,
        "title": row.title,
        "team": row.team,
        "type": row.type,
        "started_at": _at(row.started_at),
        "finished_at": _at(row.finished_at),
        "start_source": row.start_source,
        "cycle_time": figures.days(row.cycle),
        "lead_time": figures.days(row.lead),
        "reaction_time": figures.days(row.reaction),
        "working_days": None if row.working is None else round(row.working, 6),
        "score": row.score,
        "rank": row.rank,
        "flow_efficiency": None if row.efficiency is None else round(float(row.efficiency), 6),
        "reopened": row.reopened,
        "handoffs": row.handoffs,
        "flags": list(row.flags),
    }


def _ageing(each: Ageing) -> dict[str, Any]:
    return {
        "source": each.source,
        "issue": each.key,
        "id": each.id,
        "url": each.url,
        "title": each.title,
        "team": each.team,
        "type": each.type,
        "status": each.status,
        "started_at": _at(each.started_at),
        "age": figures.days(each.age),
        "sle": None if each.level is None else round(each.level.days, 6),
        "sle_scope": None if each.level is None else each.level.scope,
        "beyond": each.is_beyond,
        "score": each.score,
        "provisional": True,
        "rank": each.rank,
        "flags": list(each.flags),
    }


def _percentiles(found: Percentiles) -> dict[str, Any]:
    return {
        "count": found.sample.count,
        "p50": figures.days(found.p50),
        "p85": figures.days(found.p85),
        "p95": figures.days(found.p95),
        "remark": found.sample.remark,
    }


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, **_percentiles(group.found)}


def source_facts(source: SourceHealth) -> dict[str, Any]:
    """A source's health as every report's JSON has it."""
    return {
        "source": source.name,
        "tracker": source.tracker,
        "complete": source.complete,
        "as_of": _at(source.as_of),
        "issues": source.issues,
        "requests": source.requests,
        "seconds": round(source.seconds, 3),
        "error": source.error,
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


# -- CSV -----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "state", "source", "issue", "url", "title", "team", "type", "status", "started_at", "finished_at", "start_source",
    "cycle_time_days", "age_days", "lead_time_days", "reaction_time_days", "sle_days", "score", "rank", "reopened",
    "flags", "why",
)  # fmt: skip


def to_csv(report: CycleTimeReport) -> str:
    """One line for each issue: finished, in progress, or excluded with the reason."""
    lines: list[Mapping[str, object]] = [
        *(_csv_row("finished", row) for row in report.rows),
        *(_csv_row("finished (apart)", row) for row in report.large),
        *(_csv_ageing(each) for each in report.ageing),
        *(
            {"state": "excluded", "source": x.source, "issue": x.key, "url": x.url, "title": x.title, "why": x.why}
            for x in report.excluded
        ),
    ]
    return table_to_csv(COLUMNS, ([line.get(name) for name in COLUMNS] for line in lines))


def _csv_row(state: str, row: Row) -> dict[str, object]:
    return {
        "state": state,
        "source": row.source,
        "issue": row.key,
        "url": row.url,
        "title": row.title,
        "team": row.team,
        "type": row.type,
        "started_at": _at(row.started_at),
        "finished_at": _at(row.finished_at),
        "start_source": row.start_source,
        "cycle_time_days": figures.days(row.cycle),
        "lead_time_days": figures.days(row.lead),
        "reaction_time_days": figures.days(row.reaction),
        "score": row.score,
        "rank": row.rank,
        "reopened": row.reopened,
        "flags": " ".join(row.flags),
    }


def _csv_ageing(each: Ageing) -> dict[str, object]:
    return {
        "state": "in progress",
        "source": each.source,
        "issue": each.key,
        "url": each.url,
        "title": each.title,
        "team": each.team,
        "type": each.type,
        "status": each.status,
        "started_at": _at(each.started_at),
        "age_days": figures.days(each.age),
        "sle_days": None if each.level is None else round(each.level.days, 6),
        "score": each.score,
        "rank": each.rank,
        "flags": " ".join(each.flags),
    }


# -- Markdown ------------------------------------------------------------------------------------------------------


def to_markdown(report: CycleTimeReport) -> str:
    """For a mail, a chat or a wiki; long tables are cut, with the number of lines left out."""
    head = [
        f"# Cycle time: {plain(report.scope)}",
        f"As of {figures.moment(report.as_of, report.zone)} ({report.timezone}); {period(report)}; "
        f"mode {MODE_SENTENCES[report.mode.value]}"
        + (f"; rules {plain(report.rules_version)}" if report.rules_version else "")
        + ".",
        *markdown_cannot_say(report),
    ]
    match report.answer:
        case Answer.CANNOT_SAY:
            body = ["**Cannot say.** What this is about could not be read to the end, so there are no figures."]
        case Answer.NOTHING_TO_MEASURE:
            looked = figures.counted(report.issues, "issue")
            body = [f"**Nothing to measure.** No items finished in this period and none is in progress ({looked})."]
        case _:
            body = list(_body(report))
    return (
        "\n\n".join(part.rstrip() for part in (*head, *body, *markdown_sources(report.health, report)) if part) + "\n"
    )


def _body(report: CycleTimeReport) -> Iterable[str]:
    if report.quality.needs_banner:
        yield (
            f"> {figures.percent(report.quality.share_without_start)} of the finished items have no known start "
            f"({report.quality.without_start} of {report.quality.finished}); the figures are about the others."
        )
    yield _key_figures(report)
    moved = movement(report)
    if moved:
        yield f"{moved[0].upper()}{moved[1:]}."
    yield _in_progress(report)
    yield _finished(report)
    for heading, groups in (("team", report.teams), ("type", report.types)):
        if groups:
            yield f"## By {heading}"
            cells = [(plain(group.name), *percentile_cells(group.found)) for group in groups]
            yield markdown_table((heading, "n", "median", "p85", "remark"), cells, numbers=(1, 2, 3))
    if report.weeks:
        yield "## Finished each week"
        weeks = [
            (f"{week.monday}{' (running)' if week.is_running else ''}", week.finished, week.rework, week.bulk_closed)
            for week in report.weeks[-WEEKS_SHOWN:][::-1]
        ]
        yield markdown_table(("week of", "finished", "rework", "closed in bulk"), weeks, numbers=(1, 2, 3))
    if report.sprints:
        yield f"## Sprints\n\n{SPRINTS_EXPLAINED}"
        shown = report.sprints[:SPRINTS_SHOWN]
        table = markdown_table(
            SPRINT_HEADER,
            [[plain(str(cell)) for cell in sprint_cells(each)] for each in shown],
            numbers=range(2, len(SPRINT_HEADER)),
        )
        yield table + _cut(len(report.sprints), SPRINTS_SHOWN, where="JSON")
    yield from _quality(report)


def _key_figures(report: CycleTimeReport) -> str:
    n, p50, p85, remark = percentile_cells(report.found)
    reacted = figures.counted(report.reaction.sample.count, "item")
    expectation = "20 items finished in the last 90 days needed"
    if report.expectation:
        expectation = f"85th percentile of {report.expectation.sample} items, last 90 days"
    rows = [
        ("cycle time, median", p50, f"{n} items, {period(report)}"),
        ("cycle time, 85th percentile", p85, remark or f"{n} items"),
        ("service level expectation", _level(report.expectation), expectation),
        ("lead time, median", figures.in_days(report.lead.p50), figures.counted(report.lead.sample.count, "item")),
        ("reaction time, median", figures.in_days(report.reaction.p50), reacted),
        ("in progress", len(report.ageing), f"{report.beyond_count} beyond expectation, {report.paused} paused"),
        ("finished", report.quality.finished, figures.counted(len(report.weeks), "week")),
        ("on time", figures.percent(report.on_time.share), f"{report.on_time.on_time} of {report.on_time.due} due"),
        ("reopened", report.reopened, f"of {figures.counted(len(report.rows), 'item')}"),
        ("bugs created for each item finished", rate_of(report), bugs_of(report)),
        ("working time, median", working_of(report.working.p50), figures.counted(report.working.sample.count, "item")),
        *((name, value, of) for name, value, of in sprint_figures(report)),
    ]  # fmt: skip
    return markdown_table(("figure", "value", "of"), rows, numbers=(1,))


def _level(level: ServiceLevel | None) -> str:
    return "–" if level is None else figures.in_days(level.duration)


def _in_progress(report: CycleTimeReport) -> str:
    if not report.ageing:
        return "## In progress\n\nNothing is in progress, so nothing is ageing."
    rows = [
        (
            link(each.key, each.url),
            plain(each.title),
            plain(each.status),
            ("unknown" if each.age is None else figures.in_days(each.age)) + (" **beyond**" if each.is_beyond else ""),
            f"{_level(each.level)} ({each.level.scope}, {each.level.sample})" if each.level else each.rank or "–",
            "–" if each.score is None else each.score,
        )
        for each in report.ageing[:MOST_LINES]
    ]
    header = ("issue", "title", "status", "age", "expectation", "score so far")
    table = markdown_table(header, rows, numbers=(3, 4, 5))
    return f"## In progress, oldest first\n\n{table}{_cut(len(report.ageing))}"


def _finished(report: CycleTimeReport) -> str:
    if not report.rows:
        return f"## Finished\n\n**Nothing to measure.** No item with a known start finished ({period(report)})."
    rows = [
        (
            link(row.key, row.url),
            plain(row.title),
            figures.day(row.finished_at, report.zone),
            figures.in_days(row.cycle),
            figures.in_days(row.lead),
            "–" if row.score is None else row.score,
            row.because,
        )
        for row in slowest(report.rows, MOST_LINES)
    ]
    header = ("issue", "title", "finished", "cycle", "lead", "score", "because")
    return f"## Finished, slowest first\n\n{markdown_table(header, rows, numbers=(3, 4, 5))}{_cut(len(report.rows))}"


def _cut(count: int, shown: int = MOST_LINES, *, where: str = "CSV") -> str:
    return f"\n{count - shown} more in the {where}.\n" if count > shown else ""


def _quality(report: CycleTimeReport) -> Iterable[str]:
    quality = report.quality
    yield "## Data quality"
    sources = ", ".join(f"{name} {count}" for name, count in quality.start_sources.items()) or "–"
    rows = [
        ("finished without a known start", f"{quality.without_start} of {quality.finished}"),
        ("in a status without a category", quality.unmapped),
        ("imported", quality.imported),
        ("events before creation or after now", quality.skewed),
        ("gaps in the history", quality.gaps),
        ("closed in bulk", quality.bulk_closed),
        ("cancelled after start", quality.cancelled_after_start),
        ("starts known from", sources),
    ]
    yield markdown_table(("what", "items"), rows, numbers=(1,))
    if report.excluded:
        yield "Without a cycle time:"
        reasons = [(link(x.key, x.url), plain(x.title), plain(x.why)) for x in report.excluded[:MOST_LINES]]
        yield markdown_table(("issue", "title", "why"), reasons) + _cut(len(report.excluded))


def markdown_cannot_say(report: Report) -> Iterable[str]:
    """One paragraph for each source that could not be read to the end."""
    for source in report.unreadable:
        yield f"**{plain(source.name)}: cannot say.** {plain(cannot_say(source, report.zone))}"


def markdown_sources(health: Iterable[SourceHealth], report: Report) -> Iterable[str]:
    """Each source as of its last pull, as every report's Markdown ends."""
    rows = [
        (
            plain(source.name),
            source.tracker,
            "complete" if source.complete else "incomplete",
            figures.moment(source.as_of, report.zone),
            source.issues,
        )
        for source in health
    ]
    if rows:
        yield "## Data"
        yield markdown_table(("source", "tracker", "pull", "as of", "issues"), rows, numbers=(4,))
