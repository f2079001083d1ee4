"""`backlint report weekly`: the readout of a week, or an audience's view of it, from the store or a file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from backlint.api.commands.report import parsed_day, require_format, require_order, source_health, write_report
from backlint.api.console import Console
from backlint.api.installation import Installation, now, open_installation
from backlint.api.reading import read_file
from backlint.api.readout import Facts, build_readout
from backlint.api.readout.facts import BacklogScore, present
from backlint.api.reports.health import SourceHealth, unreadable
from backlint.api.reports.readout import Audience
from backlint.backlog import Backlog
from backlint.errors import ConfigurationError
from backlint.flow.metrics import local_day
from backlint.settings import Settings, load
from backlint.sync import store
from backlint.sync.check import in_scope, load_backlog, make_backlog
from backlint.sync.database import reading

WEEK = timedelta(days=6)  # from the first to the last of seven days


def run(
    console: Console,
    *,
    config: Path | None,
    scope: str | None,
    input: str | None,
    audience: str | None,
    since: str | None,
    until: str | None,
    format: str,
    output: Path | None,
) -> int:
    require_format(format)
    chosen = chosen_audience(audience)
    first, last = parsed_day(since, "--since"), parsed_day(until, "--until")
    require_order(first, last)
    settings = load(config)
    if input is not None:
        backlog = make_backlog(read_file(console, input, zone=settings.zone).issues, settings, now=now())
        facts = gather(backlog, settings, scope=scope, name=input, since=first, until=last)
        report = build_readout(facts, audience=chosen)
    else:
        with open_installation(config) as place:
            facts, health = gather_from_store(place, scope=scope, since=first, until=last)
            report = build_readout(facts, audience=chosen, health=health)
    write_report(console, report, format, output)
    return 0


def chosen_audience(name: str | None) -> Audience | None:
    if name is None or name in list(Audience):
        return None if name is None else Audience(name)
    near = difflib.get_close_matches(name, list(Audience), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigurationError(f"--audience {name!r}: use {', '.join(Audience)}{hint}")


def gather_from_store(
    place: Installation, *, scope: str | None = None, since: date | None = None, until: date | None = None
) -> tuple[Facts, tuple[SourceHealth, ...]]:
    """What every view of the stored backlog rests on; one gathering serves all of them."""
    backlog = load_backlog(place.engine, place.settings, now=now())
    health = source_health(place.engine)
    with reading(place.engine) as connection:
        _, stored = store.previous_scores(connection, before=backlog.now)
    scores = [
        BacklogScore(each.name, each.score, each.count) for (kind, _), each in stored.items() if kind == "backlog"
    ]
    facts = gather(
        backlog, place.settings, scope=scope, name="everything", since=since, until=until, health=health, scores=scores
    )
    return facts, health


def gather(
    backlog: Backlog,
    settings: Settings,
    *,
    scope: str | None,
    name: str,
    since: date | None = None,
    until: date | None = None,
    health: Sequence[SourceHealth] = (),
    scores: Sequence[BacklogScore] = (),
) -> Facts:
    """The last seven days up to today unless told otherwise; issues of sources that could not be read are left out."""
    failed = unreadable(health)
    wanted = present(in_scope(backlog, scope))
    readable = backlog
    if failed:
        kept = [issue for issue in backlog.issues if issue.source not in failed]
        readable = make_backlog(kept, settings, now=backlog.now, people=backlog.people, projects=backlog.projects)
    last = min(until or date.max, local_day(backlog.now, settings.zone))
    if since is not None and since > last:
        raise ConfigurationError(f"--since {since} is after {last}, the last day that is known")
    issues = tuple(issue for issue in wanted if issue.source not in failed)
    own = {backlog.project_title(issue) for issue in issues}
    return Facts(
        backlog=readable,
        settings=settings,
        scope=scope or name,
        issues=issues,
        since=since or last - WEEK,
        until=last,
        is_unread=len(issues) < len(wanted),
        scores=[each for each in sorted(scores, key=lambda score: score.name) if each.name in own],
    )
