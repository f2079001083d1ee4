"""The cycle-time report as a page: its charts and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from markupsafe import Markup

from backlint.api.reports import charts, figures
from backlint.api.reports.cycle_time import Ageing, CycleTimeReport, Row
from backlint.api.reports.entries import Entry
from backlint.api.reports.many import Many
from backlint.api.reports.page import drawn, rendered
from backlint.api.reports.sprint_record import SprintRecord
from backlint.percentile import Percentiles, percentile

MOST_ROWS = 300  # of a table in the page; the CSV has them all
MOST_EXCLUDED = 100
AXIS_MARGIN = 1.6  # an axis ends here times the 95th percentile; what lies above is drawn at its edge and counted
BANDS_SHOWN = 4  # times the highest band, at most: what has been ageing for a year would hide all the others
DAY = timedelta(days=1)
WEEKS_SHOWN = 26


def to_html(report: CycleTimeReport) -> str:
    """The whole report as one file."""
    drawings, capped = _charts(report)
    return rendered(
        "cycle_time.html.jinja",
        report,
        charts=drawings,
        capped=capped,
        slowest=slowest(report.rows, MOST_ROWS),
        most_dots=charts.MOST_DOTS,
        excluded=report.excluded[:MOST_EXCLUDED],
        weeks=report.weeks[-WEEKS_SHOWN:],
        flow_rows=_flow_rows(report),
        wip_rows=[(day.isoformat(), wip) for day, wip in zip(report.moments, report.wip, strict=True)][::-1],
        period=period(report),
        mode_sentence=MODE_SENTENCES[report.mode.value],
        percentile_cells=percentile_cells,
        movement=movement(report),
        rate=rate_of(report),
        bugs_of=bugs_of(report),
        working=working_of(report.working.p50),
        sprint_figures=sprint_figures(report),
        sprint_header=SPRINT_HEADER,
        sprints_explained=SPRINTS_EXPLAINED,
        sprints_shown=SPRINTS_SHOWN,
        sprint_rows=_sprint_rows,
        unfinished=_unfinished,
    )


def slowest(rows: Sequence[Row], count: int) -> Sequence[Row]:
    """The slowest first."""

    def key(row: Row) -> tuple[timedelta, str, str]:
        return -row.cycle, row.source, row.id

    return rows.longest(count, key) if isinstance(rows, Many) else sorted(rows, key=key)[:count]


MODE_SENTENCES = {
    "elapsed": "elapsed: first start to last completion, everything in between included",
    "in_progress": "in progress: only the time in started statuses",
    "last_run": "last run: from the first start after the last return to the backlog",
}


SPRINT_HEADER = (
    "sprint", "team", "committed", "finished of them", "predictability", "added", "removed", "scope change",
    "carried over",
)  # fmt: skip
SPRINTS_SHOWN = 12
SPRINTS_EXPLAINED = (
    "In items, subtasks and epics aside. Predictability is what was committed at the start and finished; added and "
    "removed count from a day after the start."
)


def sprint_cells(each: SprintRecord) -> Sequence[object]:
    """A line of the table of sprints; a dash where the tracker does not tell."""
    change = each.scope_change
    return (
        f"{each.name} (running)" if each.is_running else each.name,
        each.team or "–",
        len(each.committed),
        len(each.finished),
        figures.percent(each.predictability) + (" so far" if each.is_running and each.committed else ""),
        "–" if each.added is None else len(each.added),
        "–" if each.removed is None else len(each.removed),
        "–" if change is None else f"{figures.signed(round(100 * change))} %",
        "–" if each.carried is None else len(each.carried),
    )


def _sprint_rows(records: Sequence[SprintRecord]) -> list[Sequence[object]]:
    return [sprint_cells(each) for each in records]


def _unfinished(each: SprintRecord) -> list[Entry]:
    return [line for line in each.committed if line not in each.finished]


def sprint_figures(report: CycleTimeReport) -> list[tuple[str, str, str]]:
    """Over all sprints that ended in the period: name, value, of how many."""
    ended = [each for each in report.sprints if not each.is_running]
    committed = sum(len(each.committed) for each in ended)
    if not committed:
        return []
    sprints = sprints_of(len(ended))
    done = sum(len(each.finished) for each in ended)
    carried = sum(len(each.carried or ()) for each in ended)
    found = [
        ("sprint predictability", figures.percent(Fraction(done, committed)), f"{done} of {committed}, {sprints}"),
        ("carried over", str(carried), f"from {sprints}"),
    ]
    told = [each for each in ended if each.scope_change is not None]
    if told:
        base = sum(len(each.committed) for each in told)
        net = sum(len(each.added or ()) - len(each.removed or ()) for each in told)
        value = f"{figures.signed(round(100 * Fraction(net, base)))} %"
        found.append(("scope change after the start", value, f"on {base} committed, {sprints_of(len(told))}"))
    return found


def sprints_of(count: int) -> str:
    return figures.counted(count, "ended sprint")


def rate_of(report: CycleTimeReport) -> str:
    return "–" if report.bug_rate is None else f"{float(report.bug_rate):.2f}"


def bugs_of(report: CycleTimeReport) -> str:
    return f"{figures.counted(len(report.bugs), 'bug')} created, {report.quality.finished} finished"


def working_of(span: float | None) -> str:
    return "–" if span is None else f"{span:.1f} working days"


def period(report: CycleTimeReport) -> str:
    """Which finishes the report is about, in words."""
    if report.since and report.until:
        return f"finished {report.since} to {report.until}"
    if report.since:
        return f"finished since {report.since}"
    return f"finished until {report.until}" if report.until else "all finished items"


def percentile_cells(found: Percentiles) -> tuple[str, str, str, str]:
    """n, p50, p85 and the remark of the sample rules, as the tables print them."""
    mark = "*" if found.sample.allows_percentiles and not found.sample.allows_expectation else ""
    return f"{found.sample.count:,}", figures.in_days(found.p50), figures.in_days(found.p85) + mark, found.sample.remark


def movement(report: CycleTimeReport) -> str:
    """Whether the median moved, with both counts; empty when there is nothing to compare."""
    moved = report.movement
    if moved is None or moved.now.p50 is None or moved.before.p50 is None:
        return ""
    fact = (
        f"median {figures.in_days(moved.now.p50)} ({figures.counted(moved.now.sample.count, 'item')}) in the last "
        f"{moved.days} days, {figures.in_days(moved.before.p50)} ({moved.before.sample.count:,}) in the "
        f"{moved.days} before"
    )
    verdict = {
        "up": "slower: the difference is more than chance",
        "down": "faster: the difference is more than chance",
        "no trend": "no trend: the difference may be chance",
        "too few items": "no trend is claimed: fewer than 11 items on one side",
    }[moved.trend.value]
    return f"{fact}; {verdict}"


def _charts(report: CycleTimeReport) -> tuple[dict[str, Markup], dict[str, int]]:
    """The drawings that the sample rules allow, and how many points lie above each capped axis."""
    drawings = dict.fromkeys(("scatter", "histogram", "ageing", "flow", "wip", "weeks"), Markup(""))
    capped: dict[str, int] = {}
    if report.found.sample.allows_median:
        svg, capped["scatter"] = _scatter(report)
        drawings["scatter"] = drawn(svg)
        every = -(-len(report.histogram) // 8)
        title = f"Histogram of {figures.counted(len(report.rows), 'cycle time')} in days"
        drawings["histogram"] = drawn(charts.bars(report.histogram, title=title, every=every))
    many = report.ageing.drawn(charts.MOST_DOTS) if isinstance(report.ageing, Many) else report.ageing
    known = [each for each in many if each.age is not None]
    if known:
        svg, capped["ageing"] = _ageing(report, known)
        drawings["ageing"] = drawn(svg)
    if len(report.moments) > 1:
        names = [_short(day) for day in report.moments]
        every = -(-len(names) // 5)
        flow = {name: report.flow[name] for name in ("done", "waiting", "active", "to do")}
        flow["done"] = tuple(
            max(count - flow["done"][0], 0) for count in flow["done"]
        )  # else years of it hide the rest
        drawings["flow"] = drawn(charts.stacked(flow, names, title="Cumulative flow", every=every))
        wip: dict[str, Sequence[float | None]] = {"in progress": report.wip}
        if report.wip_cap is not None:
            wip["cap"] = [report.wip_cap] * len(names)
        drawings["wip"] = drawn(charts.lines(wip, names, title="Work in progress over time", every=every))
    if report.weeks:
        weeks = report.weeks[-WEEKS_SHOWN:]
        values = [(_short(week.monday), week.finished) for week in weeks]
        title = f"Items finished in each of {figures.counted(len(weeks), 'week')}"
        drawings["weeks"] = drawn(charts.bars(values, title=title, every=-(-len(values) // 6)))
    return drawings, {"scatter": 0, "ageing": 0, **capped}


def _scatter(report: CycleTimeReport) -> tuple[str, int]:
    rows = report.rows.drawn(charts.MOST_DOTS) if isinstance(report.rows, Many) else report.rows
    dots = [charts.Dot(_place(row.finished_at), row.cycle / DAY, _dot_title(row, report), row.url) for row in rows]
    heights = report.rows.days.tolist() if isinstance(report.rows, Many) else [dot.y for dot in dots]
    lines = [charts.Line(report.found.p50 / DAY, f"p50 {figures.in_days(report.found.p50)}", "dashed")]
    if report.found.p85 is not None:
        lines.append(charts.Line(report.found.p85 / DAY, f"p85 {figures.in_days(report.found.p85)}", "solid"))
    if report.expectation is not None and report.is_elapsed:
        lines.append(
            charts.Line(report.expectation.days, f"SLE {figures.in_days(report.expectation.duration)}", "dotted")
        )
    first, last = _place(report.rows[0].finished_at), _place(report.rows[-1].finished_at)
    if report.since is not None:
        first = min(first, float(report.since.toordinal()))
    ticks = _date_ticks(first, max(last, first + 1))
    top = _top(heights, [line.y for line in lines])
    svg = charts.scatter(
        dots,
        title=f"Cycle times of {figures.counted(len(report.rows), 'item')} by finish date: {_summary(report.found)}",
        ticks=ticks,
        x_range=(first, max(last, first + 1)),
        lines=lines,
        top=top,
    )
    return svg, sum(height > top for height in heights)


def _ageing(report: CycleTimeReport, known: Sequence[Ageing]) -> tuple[str, int]:
    """One column for each status, items side by side; the marks are the ages at which finished items left it."""
    statuses = [status for status in report.statuses if status.age.sample.count or _has(known, status.name)]
    columns = {status.name: place for place, status in enumerate(statuses)}
    dots: list[charts.Dot] = []
    for status in statuses:
        members = [each for each in known if each.status == status.name]
        for place, each in enumerate(members):
            x = columns[status.name] + 0.5 + 0.7 * ((place + 0.5) / len(members) - 0.5)
            title = f"{each.key} {each.title}: {figures.in_days(each.age)} in progress"
            dots.append(charts.Dot(x, (each.age or timedelta()) / DAY, title, each.url))
    bands = []
    for status in statuses:
        for value, style in ((status.age.p50, "dashed"), (status.age.p85, "solid")):
            if value is not None:
                place = columns[status.name]
                bands.append(charts.Band(place + 0.08, place + 0.92, value / DAY, style))
    heights = report.ageing.days.tolist() if isinstance(report.ageing, Many) else [dot.y for dot in dots]
    top = _top(heights, [band.y for band in bands], most=BANDS_SHOWN)
    oldest = max(each.age or timedelta() for each in known)
    svg = charts.scatter(
        dots,
        title=f"Age of {figures.counted(len(heights), 'item')} in progress by status, "
        f"at most {figures.in_days(oldest)}",
        ticks=[(columns[status.name] + 0.5, _cut(status.name)) for status in statuses],
        x_range=(0, max(len(statuses), 1)),
        bands=bands,
        top=top,
    )
    return svg, sum(height > top for height in heights)


def _summary(found: Percentiles) -> str:
    """What the picture says, for whoever cannot see it."""
    if found.p85 is None:
        return f"half took no longer than {figures.in_days(found.p50)}"
    return f"half took no longer than {figures.in_days(found.p50)}, 85 % no longer than {figures.in_days(found.p85)}"


def _has(known: Sequence[Ageing], status: str) -> bool:
    return any(each.status == status for each in known)


def _top(values: Sequence[float], marks: Sequence[float], *, most: float | None = None) -> float:
    """Where the axis ends: an outlier must not press everything else, or the marks, to the floor."""
    usual = percentile(95, sorted(values)) * AXIS_MARGIN
    if most is not None and marks:
        usual = min(usual, most * max(marks))
    return max(min(max(values), usual), *marks, 1.0) * 1.02


def _dot_title(row: Row, report: CycleTimeReport) -> str:
    score = "" if row.score is None else f", score {row.score}"
    finished = figures.day(row.finished_at, report.zone)
    return f"{row.key} {row.title}: {figures.in_days(row.cycle)}, finished {finished}{score}"


def _place(at: datetime) -> float:
    """A moment as days, for an axis."""
    return at.timestamp() / 86400 + date(1970, 1, 1).toordinal()


def _date_ticks(first: float, last: float) -> list[tuple[float, str]]:
    """About five dates: months where the span is long, else even days."""
    length = max(int(last - first), 1)
    step = max(1, -(-length // 5))
    return [
        (float(place), _short(date.fromordinal(place))) for place in range(int(first) + step // 2, int(last) + 1, step)
    ]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _cut(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"


def _flow_rows(report: CycleTimeReport) -> list[tuple[object, ...]]:
    """The numbers behind the charts over time, newest first."""
    rows = [
        (day.isoformat(), *(f"{report.flow[name][place]:,}" for name in ("to do", "active", "waiting", "done")), wip)
        for place, (day, wip) in enumerate(zip(report.moments, report.wip, strict=True))
    ]
    return rows[::-1]
