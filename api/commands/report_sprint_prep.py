"""`backlint report sprint-prep`: fills the report on a team's next sprint from the store or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backlint.api.commands.report import require_format, source_health, write_report
from backlint.api.commands.sprint_planning import Planning, planning_team
from backlint.api.console import Console
from backlint.api.installation import Installation, now, open_installation
from backlint.api.reading import read_file
from backlint.api.reports.health import SourceHealth, unreadable
from backlint.api.reports.sprint_prep import SprintPrep
from backlint.backlog import Backlog
from backlint.scopes import team_name
from backlint.settings import Settings, load
from backlint.sync.check import in_scope, load_backlog, make_backlog


def run(
    console: Console,
    *,
    config: Path | None,
    scope: str | None,
    input: str | None,
    sprint: str | None,
    format: str,
    output: Path | None,
) -> int:
    """1: a candidate is not ready, and `planning.enforce` is set."""
    require_format(format)
    settings = load(config)
    if input is not None:
        backlog = make_backlog(read_file(console, input, zone=settings.zone).issues, settings, now=now())
        report = build_from_backlog(backlog, settings, scope=scope, sprint=sprint)
    else:
        with open_installation(config) as place:
            report = build_from_store(place, scope=scope, sprint=sprint)
    write_report(console, report, format, output)
    return int(settings.planning.enforce and not report.is_backlog and not report.is_ready)


def build_from_store(place: Installation, *, scope: str | None, sprint: str | None = None) -> SprintPrep:
    backlog = load_backlog(place.engine, place.settings, now=now())
    return build_from_backlog(backlog, place.settings, scope=scope, sprint=sprint, health=source_health(place.engine))


def build_from_backlog(
    backlog: Backlog,
    settings: Settings,
    *,
    scope: str | None,
    sprint: str | None = None,
    health: Sequence[SourceHealth] = (),
) -> SprintPrep:
    """InputError when the scope holds several teams, or no such sprint."""
    failed = unreadable(health)
    readable = make_backlog(
        [issue for issue in backlog.issues if issue.source not in failed],
        settings,
        now=backlog.now,
        people=backlog.people,
        projects=backlog.projects,
    )
    team = planning_team(in_scope(backlog, scope))
    own = {issue.source for issue in backlog.issues if team_name(issue) == team}
    told = [each for each in health if each.name in own or not each.complete]
    planning = Planning(readable, settings, team=team, sprint=sprint, is_unread=bool(own & failed))
    return planning.report(scope=scope or team, health=told)
