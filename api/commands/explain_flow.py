"""The part of `backlint explain` about time: statuses, episodes, what counts where, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from backlint.api.console import Console, escape
from backlint.api.reports import figures
from backlint.flow import Episode, Flag, Item, Mode, Standing, cycle_score, standings
from backlint.flow.metrics import due_moves, due_when_started, iso_week, local_day
from backlint.model import Issue, IssueType
from backlint.rules.rule import Context

MOST_SPANS = 30
MODES = {Mode.ELAPSED: "elapsed", Mode.IN_PROGRESS: "in progress", Mode.LAST_RUN: "last run"}
FLAGS = {
    Flag.BULK_CLOSED: "closed in bulk: in the throughput, not used for forecasts",
    Flag.IMPORTED: "imported: its creation is the import's, so that lead and reaction time are unknown",
    Flag.SKEW: "events before creation or after now were moved to the nearest possible moment",
    Flag.GAP: "the history has a gap: what depends on it is left out, never guessed",
    Flag.DRAGGED: "started and finished within a minute: never started",
}


def show_flow(console: Console, issue: Issue, context: Context) -> None:
    """Every status with its time, every episode with its figures, and why a figure is missing."""
    zone = ZoneInfo(context.timezone)
    item = context.flow[issue.identity]
    spans = item.timeline.spans
    console.out(f"Time ({context.timezone}): {figures.counted(len(spans), 'stay in a status', 'stays in statuses')}.")
    if len(spans) > MOST_SPANS:
        console.out(f"  ... {len(spans) - MOST_SPANS} earlier ones; --format json lists them")
    for span in spans[-MOST_SPANS:]:
        spent = figures.in_days(span.until(context.now) - span.enter)
        name = escape(span.status.name or span.status.id or "no name")
        note = "  [yellow]gap: changes are missing[/yellow]" if span.is_gap else ""
        lasts = "" if span.exit else "  and still there"
        console.out(f"  {figures.moment(span.enter, zone)}  {name} ({span.category.value})  {spent}{lasts}{note}")
    for episode in item.episodes:
        _show_episode(console, item, episode, context, zone)
    for line in _beyond(item, context):
        console.out(f"  {escape(line)}")


def _show_episode(console: Console, item: Item, episode: Episode, context: Context, zone: ZoneInfo) -> None:
    rework = ", rework" if episode.is_rework else ""
    source = f" (known from {episode.start_source})" if episode.start_source else ""
    started = "not known to have started"
    if episode.started_at is not None:
        started = f"started {figures.moment(episode.started_at, zone)}{source}"
    ended = "open"
    if episode.finished_at is not None:
        ended = f"finished {figures.moment(episode.finished_at, zone)}"
    elif episode.cancelled_at is not None:
        ended = f"cancelled {figures.moment(episode.cancelled_at, zone)}"
    elif episode.started_at is not None and not item.is_in_progress:
        ended = "paused: put back before it was finished, not in progress now"
    console.out(f"  Episode {episode.number}{rework}: {started}, {ended}")
    for line in _told(item, episode, context, zone):
        console.out(f"    {escape(line)}")


def _told(item: Item, episode: Episode, context: Context, zone: ZoneInfo) -> Iterator[str]:
    times = [f"{name} {figures.in_days(episode.cycle_time(mode))}" for mode, name in MODES.items()]
    if episode.cycle_time() is not None:
        yield f"cycle time: {', '.join(times)}"
    lead, reaction = item.lead_time(episode), episode.reaction_time
    if lead is not None or reaction is not None:
        yield f"lead time {figures.in_days(lead)}, reaction time {figures.in_days(reaction)}"
    if episode.reopenings:
        yield f"reopened {episode.reopenings} × within it, so that the earlier finish does not count"
    if episode.finished_at is not None and item.why_outside is None:
        week = iso_week(local_day(episode.finished_at, zone))
        yield f"counts in the throughput of {local_day(episode.finished_at, zone)}, week of {week}"
    why = item.why_no_cycle_time(episode)
    if why is not None:
        yield f"in no cycle time: {why}"
    standing = _standing(item, episode, context)
    if standing is not None:
        yield _against(item, episode, standing, context)


def _against(item: Item, episode: Episode, standing: Standing, context: Context) -> str:
    level = standing.level
    if level is None:
        return f"no expectation: {standing.available} of 20 finished items needed"
    spent = episode.cycle_time() or item.age(context.now)
    said = f"expectation {figures.in_days(level.duration)} ({level.scope}, {level.sample} finished items)"
    if spent is None:
        return said
    so_far = "" if episode.cycle_time() is not None else " so far"
    rank = f", {standing.rank}" if standing.rank else ""
    return f"{said}: score {cycle_score(spent, level.duration)}{so_far}{rank}"


def _standing(item: Item, episode: Episode, context: Context) -> Standing | None:
    found = context.of_backlog("standings", lambda: standings(context.flow.values(), context.now))
    if episode.cycle_time() is None and (episode is not item.current or item.age(context.now) is None):
        return None
    return found.get((item.issue.identity, episode.number))


def _beyond(item: Item, context: Context) -> Iterator[str]:
    """What holds for the issue as a whole."""
    issue = item.issue
    if item.why_outside is not None:
        yield f"In no figure about time: {item.why_outside}."
    if issue.type in (IssueType.EPIC, IssueType.INITIATIVE):
        yield "Counted apart from stories, tasks and bugs; its start is that of its first child."
    for flag in sorted(item.flags | (item.current.flags if item.current else frozenset())):
        if flag in FLAGS:
            yield f"Flag {flag.value}: {FLAGS[flag]}."
    first = item.episodes[0] if item.episodes else None
    due = due_when_started(issue, first.started_at if first else None)
    if due is not None:
        moves = due_moves(issue, first.started_at if first else None)
        moved = f"; moved {moves} × after the start, which on-time figures ignore" if moves else ""
        yield f"Due on {due} for on-time figures{moved}."


def flow_json(issue: Issue, context: Context) -> dict[str, Any]:
    """The same for programs: durations in days, moments in UTC."""
    item = context.flow[issue.identity]
    return {
        "spans": [
            {
                "from": span.enter.isoformat(),
                "to": span.exit.isoformat() if span.exit else None,
                "status": span.status.name,
                "category": span.category.value,
                "gap": span.is_gap,
            }
            for span in item.timeline.spans
        ],
        "episodes": [_episode_json(item, episode, context) for episode in item.episodes],
        "in_progress": item.is_in_progress,
        "age": figures.days(item.age(context.now)),
        "outside": item.why_outside,
        "flags": sorted(flag.value for flag in item.flags),
    }


def _episode_json(item: Item, episode: Episode, context: Context) -> dict[str, Any]:
    standing = _standing(item, episode, context)
    level = standing.level if standing else None
    spent = episode.cycle_time() or item.age(context.now)
    return {
        "number": episode.number,
        "rework": episode.is_rework,
        "opened_at": episode.opened_at.isoformat(),
        "started_at": episode.started_at.isoformat() if episode.started_at else None,
        "start_source": str(episode.start_source) if episode.start_source else None,
        "finished_at": episode.finished_at.isoformat() if episode.finished_at else None,
        "cancelled_at": episode.cancelled_at.isoformat() if episode.cancelled_at else None,
        "cycle_time": {mode.value: figures.days(episode.cycle_time(mode)) for mode in MODES},
        "lead_time": figures.days(item.lead_time(episode)),
        "reaction_time": figures.days(episode.reaction_time),
        "reopened": episode.reopenings,
        "why_no_cycle_time": item.why_no_cycle_time(episode),
        "sle": None if level is None else round(level.days, 6),
        "sle_scope": None if level is None else level.scope,
        "sle_count": None if level is None else level.sample,
        "score": cycle_score(spent, level.duration) if level and spent is not None else None,
    }
