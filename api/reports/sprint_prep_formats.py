"""Sprint-planning prep as JSON, Markdown and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from backlint.api.reports import figures
from backlint.api.reports.cycle_time_formats import markdown_cannot_say, markdown_sources, source_facts
from backlint.api.reports.health import Answer
from backlint.api.reports.sprint_prep import Candidate, Dependency, SprintPrep, TooBig
from backlint.api.reports.tables import link, markdown_table, plain
from backlint.api.reports.tables import to_csv as table_to_csv
from backlint.readiness import Standing

HEADINGS = {Standing.READY: "Ready", Standing.NEARLY: "Nearly ready", Standing.NOT_READY: "Not ready"}


def to_json(report: SprintPrep) -> str:
    """For programs.

    `capacity.items` and `.points` are what is finished 85 and 50 % of the time; null with a reason where nothing can be
    said. `candidates` stand in the order of planning; `readiness` is 0 to 100, null where nothing could be judged.
    """
    return json.dumps(_facts(report), ensure_ascii=False, indent=2) + "\n"


def _facts(report: SprintPrep) -> dict[str, Any]:
    window, capacity = report.window, report.capacity
    return {
        "scope": report.scope,
        "team": report.team,
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
        "timezone": report.timezone,
        "rules_version": report.rules_version,
        "answer": report.answer.value,
        "sprint": {
            "name": window.name,
            "first": window.first.isoformat(),
            "last": window.last.isoformat(),
            "assumed": window.assumed or None,
        },
        "capacity": {
            "unit": capacity.unit,
            "set_to": capacity.set_to,
            "working_days": capacity.working_days,
            "holidays": [day.isoformat() for day in capacity.holidays],
            "people": capacity.people,
            "person_days_away": capacity.away_days,
            "availability": round(float(capacity.availability), 4),
            "items": {"p50": capacity.items50, "p85": capacity.items85, "why_none": capacity.why_no_items},
            "points": {"p50": capacity.points50, "p85": capacity.points85},
            "past_sprints": [
                {"name": name, "finished": total, "issues": [line.key for line in found]}
                for (name, total), found in zip(capacity.past, capacity.past_issues, strict=True)
            ],
            "drawn_from": [
                {"source": line.source, "issue": line.key, "url": line.url, "said": line.said}
                for line in capacity.drawn_from
            ],
            "seed": None if capacity.seed is None else str(capacity.seed),
        },
        "planned": {
            "items": len(report.candidates),
            "points": report.planned_points,
            "unestimated": report.unestimated,
            "counted": report.planned,
            "overcommitted": report.overcommitted or None,
        },
        "from_backlog": report.is_backlog,
        "order": report.order,
        "candidates": [_candidate(each) for each in report.candidates],
        "carry_over": {
            "issues": [
                {
                    "source": each.source, "issue": each.key, "url": each.url, "title": each.title,
                    "status": each.status, "points": each.points, "sprints": each.sprints,
                    "planned_again": each.is_candidate,
                }
                for each in report.carry_over
            ],
            "likely_left_over": report.left_over,
        },
        "dependencies": [
            {
                "source": each.source, "issue": each.key, "url": each.url, "blocked_by": each.blocker,
                "state": each.state, "late": each.is_late,
            }
            for each in report.dependencies
        ],
        "too_big": [
            {
                "source": each.source, "issue": each.key, "url": each.url, "why": each.why,
                "slices": list(each.slices), "sliced_by": each.basis or None,
            }
            for each in report.too_big
        ],
        "outcomes": [
            {
                "name": each.name, "url": each.url, "items": each.items, "points": each.points,
                "share": round(float(each.share), 4),
            }
            for each in report.outcomes
        ],
        "work_in_progress": {
            "now": report.room.in_progress,
            "issues": [line.key for line in report.room.items],
            "cap": report.room.cap,
            "room": report.room.free,
        },
        "not_now": [
            {"source": each.source, "issue": each.key, "url": each.url, "title": each.title, "why": each.why}
            for each in report.not_now
        ],
        "sources": [source_facts(source) for source in report.health],
    }  # fmt: skip


def _candidate(each: Candidate) -> dict[str, Any]:
    return {
        "source": each.source,
        "issue": each.key,
        "url": each.url,
        "title": each.title,
        "type": each.type,
        "points": each.points,
        "owner": each.owner,
        "standing": each.standing.value,
        "readiness": each.ready.shown,
        "question": each.ready.question,
        "needs": [
            {
                "need": need.need.value,
                "weight": need.weight,
                "verdict": need.verdict.value,
                "rule": need.rule,
                "said": need.said or None,
                "gate": need.need in each.ready.gates,
            }
            for need in each.ready.needs
        ],
        "fits": each.fits or None,
        "sprints": each.sprints,
        "in_running_sprint": each.is_running,
        "score": each.score,
        "outcome": each.outcome,
    }


# -- words ---------------------------------------------------------------------------------------------------------


def title(report: SprintPrep) -> str:
    return report.window.name or "next sprint"


def days(report: SprintPrep) -> str:
    """`Mon 2 Mar to Fri 13 Mar 2026`."""
    first, last = report.window.first, report.window.last
    return f"{first:%a} {first.day} {first:%b} to {last:%a} {last.day} {last:%b %Y}"


def people(report: SprintPrep) -> str:
    """Who is there, in one sentence."""
    capacity = report.capacity
    parts = [figures.counted(capacity.working_days, "working day")]
    if capacity.holidays:
        parts.append(f"{figures.counted(len(capacity.holidays), 'holiday')} ({', '.join(map(str, capacity.holidays))})")
    if capacity.people:
        lately = "" if capacity.is_size_known else " (who finished something in the last 90 days)"
        parts.append(f"{capacity.people:g} people{lately}")
        away = f"{capacity.away_days:g} person-days away" if capacity.away_days else "no leave entered"
        parts.append(f"{away}, {figures.percent(capacity.availability)} there")
    else:
        parts.append("team size unknown, so that leave is not counted")
    return ", ".join(parts)


def fits(report: SprintPrep) -> str:
    """What such a team finishes in such a sprint."""
    capacity = report.capacity
    said = []
    if capacity.set_to is not None:
        said.append(f"Capacity is set to {capacity.set_to:g} {capacity.unit}")
    likely, even = [], []
    if capacity.items85 is not None and capacity.items50 is not None:
        likely.append(figures.counted(capacity.items85, "item"))
        even.append(figures.counted(capacity.items50, "item"))
    if capacity.points85 is not None and capacity.points50 is not None:
        likely.append(f"{capacity.points85:g} points")
        even.append(f"{capacity.points50:g} points")
    if likely:
        said.append(f"85 % of the time this team finishes {' or '.join(likely)}; half of the time {' or '.join(even)}")
    elif capacity.set_to is None:
        said.append(f"What fits cannot be said: {capacity.why_no_items}")
    return f"{'. '.join(said)}."


def planned(report: SprintPrep) -> str:
    """The planned total against it, with the question when it is too much."""
    count = figures.counted(len(report.candidates), "item")
    if report.is_backlog:
        return f"No candidates in the next sprint; the top {len(report.candidates)} of the backlog instead."
    points = f", {report.planned_points:g} points" if report.capacity.unit == "points" else ""
    unknown = ""
    if points and report.unestimated:
        unknown = f" and {report.unestimated} without an estimate, counted as {report.assumed_points:g}"
    against = {
        "": "",
        "warning": " More than is finished 85 % of the time: what could move out?",
        "error": " More than is finished half of the time: what moves out?",
    }[report.overcommitted]
    if report.overcommitted and report.capacity.set_to is not None:
        against = " More than the capacity: what moves out?"
    return f"Planned: {count}{points}{unknown}.{against}"


def left_over(report: SprintPrep) -> str:
    """What of the running sprint will probably come on top."""
    still = len(report.carry_over)
    if not still:
        return ""
    fact = f"{figures.counted(still, 'item is', 'items are')} still open in the running sprint"
    if report.left_over is None:
        return f"{fact}."
    if not report.left_over:
        return f"{fact}; at even odds all of them are finished by its end."
    return f"{fact}; at even odds {report.left_over} of them will be left over and take room here."


def room(report: SprintPrep) -> str:
    """Work in progress against its cap."""
    found = report.room
    if found.cap is None or found.free is None:
        return f"{found.in_progress} in progress; no cap is set ([rules.FLO003] caps), so that no room can be said."
    free = f"room for {found.free:g}" if found.free else "no room: finish one first"
    return f"{found.in_progress} in progress, cap {found.cap:g}: {free}."


def nothing(report: SprintPrep) -> str:
    if report.answer is Answer.CANNOT_SAY:
        return "**Cannot say.** What this is about could not be read to the end, so nothing is planned from it."
    return "**Nothing to plan.** Neither the next sprint nor the backlog holds an open item."


def points_of(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def fit_of(each: Candidate) -> str:
    return {"": "–", "85 %": "85 % likely", "50 %": "even odds", "beyond": "beyond", "capacity": "fits"}[each.fits]


def depends(each: Dependency) -> str:
    return ("too late: " if each.is_late else "") + each.state


def sliced(each: TooBig) -> str:
    """Where the slices come from, or what to ask when there are none."""
    if each.slices:
        return f"slices along {each.basis}:"
    return "it says nothing that it could be cut by; which part would teach us most?"


# -- Markdown ------------------------------------------------------------------------------------------------------


def to_markdown(report: SprintPrep) -> str:
    """Fit to paste into a ticket or a chat: what fits first, then the questions to ask."""
    head = [
        f"# Sprint prep: {plain(report.team)}, {plain(title(report))}",
        f"{days(report)}: {people(report)}."
        + (f" Assumed: {plain(report.window.assumed)}." if report.window.assumed else ""),
        *markdown_cannot_say(report),
    ]
    body = list(_body(report)) if report.answer is Answer.FIGURES else [nothing(report)]
    foot = f"As of {figures.moment(report.as_of, report.zone)} ({report.timezone}), rules {report.rules_version}."
    parts = (*head, *body, foot, *markdown_sources(report.health, report))
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _body(report: SprintPrep) -> Iterable[str]:
    yield f"**{fits(report)}**"
    yield f"**{planned(report)}**"
    yield left_over(report)
    if report.candidates:
        yield f"Order: {report.order}."
    for standing in Standing:
        found = report.of_standing(standing)
        if found:
            yield f"## {HEADINGS[standing]} ({len(found)})"
            yield _candidates(found, report, is_ready=standing is Standing.READY)
    if report.dependencies:
        yield f"## Blocked or waiting ({len(report.dependencies)})"
        rows = [
            (link(x.key, x.url), link(x.blocker, x.blocker_url) if x.blocker else "–", plain(depends(x)))
            for x in report.dependencies
        ]
        yield markdown_table(("issue", "waits for", "which is"), rows)
    if report.too_big:
        yield f"## Too big ({len(report.too_big)})"
        for each in report.too_big:
            lines = [f"{link(each.key, each.url)} {plain(each.title)}: {plain(each.why)} {sliced(each).capitalize()}"]
            lines += [f"{number}. {plain(text)}" for number, text in enumerate(each.slices, start=1)]
            yield "\n".join(lines)
    if report.carry_over:
        yield f"## Still open in the running sprint ({len(report.carry_over)})"
        carried = [
            (link(x.key, x.url), plain(x.title), plain(x.status), points_of(x.points), x.sprints)
            for x in report.carry_over
        ]
        yield markdown_table(("issue", "title", "status", "points", "sprints"), carried, numbers=(3, 4))
    if report.outcomes:
        yield "## What it is for"
        served = [(plain(x.name), x.items, f"{x.points:g}", figures.percent(x.share)) for x in report.outcomes]
        yield markdown_table(("outcome", "items", "points", "share"), served, numbers=(1, 2, 3))
    yield f"**Work in progress:** {room(report)}"
    if report.not_now:
        yield f"## Not now ({len(report.not_now)})"
        yield "\n".join(f"- {link(x.key, x.url)} {plain(x.title)}: {plain(x.why)}" for x in report.not_now)


def _candidates(found: Sequence[Candidate], report: SprintPrep, *, is_ready: bool) -> str:
    rows = []
    for each in found:
        row = [link(each.key, each.url), plain(each.title), points_of(each.points), each.sprints or "–"]
        row += ["–" if each.score is None else f"{each.score:g}"] if report.has_scores else []
        row += [fit_of(each)] if not report.is_backlog else []
        row += [plain(each.ready.note) or "–"]
        row += [] if is_ready else [plain(each.ready.question or "–")]
        rows.append(row)
    header = ["issue", "title", "points", "sprints"]
    header += ["RICE"] if report.has_scores else []
    header += ["fits"] if not report.is_backlog else []
    header += ["note"] if is_ready else ["missing", "ask"]
    return markdown_table(header, rows, numbers=(2, 3, 4) if report.has_scores else (2, 3))


# -- CSV -----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "place", "state", "source", "issue", "url", "title", "type", "points", "owner", "readiness", "fits", "sprints",
    "score", "outcome", "missing", "question", "waits_for", "too_big", "slices",
)  # fmt: skip


def to_csv(report: SprintPrep) -> str:
    """One line for each candidate in the order of planning, then what is still open, then what is not now."""
    waits: dict[str, list[str]] = {}
    for each in report.dependencies:
        waits.setdefault(each.key, []).append(f"{each.blocker or 'marked as blocked'} ({depends(each)})")
    big = {each.key: each for each in report.too_big}
    lines: list[dict[str, object]] = []
    for place, each_one in enumerate(report.candidates, start=1):
        large = big.get(each_one.key)
        lines.append(
            {
                "place": place,
                "state": each_one.standing.value,
                "source": each_one.source,
                "issue": each_one.key,
                "url": each_one.url,
                "title": each_one.title,
                "type": each_one.type,
                "points": each_one.points,
                "owner": each_one.owner,
                "readiness": each_one.ready.shown,
                "fits": each_one.fits,
                "sprints": each_one.sprints,
                "score": each_one.score,
                "outcome": each_one.outcome,
                "missing": each_one.ready.note,
                "question": each_one.ready.question,
                "waits_for": "; ".join(waits.get(each_one.key, ())),
                "too_big": large.why if large else "",
                "slices": " | ".join(large.slices) if large else "",
            }
        )
    for still in report.carry_over:
        lines.append(
            {
                "state": "running sprint", "source": still.source, "issue": still.key, "url": still.url,
                "title": still.title, "points": still.points, "sprints": still.sprints,
            }
        )  # fmt: skip
    for off in report.not_now:
        lines.append(
            {
                "state": "not now", "source": off.source, "issue": off.key, "url": off.url, "title": off.title,
                "missing": off.why,
            }
        )  # fmt: skip
    return table_to_csv(COLUMNS, ([line.get(name) for name in COLUMNS] for line in lines))
