"""`backlint report forecast`: fills the report from the store or a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from backlint.api.commands.report import parsed_day, require_format, source_health, write_report
from backlint.api.commands.team_calendar import only_team, team_calendar
from backlint.api.console import Console
from backlint.api.installation import Installation, now, open_installation
from backlint.api.reading import read_file
from backlint.api.reports.forecast import ForecastReport, build_forecast
from backlint.api.reports.health import SourceHealth
from backlint.backlog import Backlog
from backlint.errors import ConfigurationError
from backlint.forecast.engine import HORIZON
from backlint.settings import Settings, load
from backlint.sync.check import flow_options, in_scope, load_backlog, make_backlog


def run(
    console: Console,
    *,
    config: Path | None,
    scope: str | None,
    input: str | None,
    items: int | None,
    until: str | None,
    seed: int | None = None,
    format: str,
    output: Path | None,
) -> int:
    require_format(format)
    settings = load(config)
    last = parsed_day(until, "--until")
    today = now().astimezone(settings.zone).date()
    if last is not None and last < today:
        raise ConfigurationError(f"--until {last} has passed: a forecast needs a day from {today} on")
    if last is not None and last >= today + timedelta(days=HORIZON):
        raise ConfigurationError(f"--until {last} is more than {HORIZON} days away: nothing can be said of it")
    if items is not None and items < 1:
        raise ConfigurationError(f"--items {items}: at least 1")
    if input is not None:
        backlog = make_backlog(read_file(console, input, zone=settings.zone).issues, settings, now=now())
        report = build_from_backlog(backlog, settings, scope=scope, name=input, items=items, until=last, seed=seed)
    else:
        with open_installation(config) as place:
            report = build_from_store(place, scope=scope, items=items, until=last, seed=seed)
    write_report(console, report, format, output)
    return 0


def build_from_store(
    place: Installation,
    *,
    scope: str | None,
    items: int | None = None,
    until: date | None = None,
    seed: int | None = None,
) -> ForecastReport:
    backlog = load_backlog(place.engine, place.settings, now=now())
    health = source_health(place.engine)
    return build_from_backlog(
        backlog, place.settings, scope=scope, name="everything", items=items, until=until, seed=seed, health=health
    )


def build_from_backlog(
    backlog: Backlog,
    settings: Settings,
    *,
    scope: str | None,
    name: str,
    items: int | None = None,
    until: date | None = None,
    seed: int | None = None,
    health: Sequence[SourceHealth] = (),
) -> ForecastReport:
    issues = in_scope(backlog, scope)
    wanted = {issue.identity for issue in issues}
    return build_forecast(
        backlog.issues,
        scope=scope or name,
        now=backlog.now,
        timezone=settings.timezone,
        items=items,
        until=until,
        weeks=settings.forecast.weeks,
        growth=(settings.forecast.growth_from, settings.forecast.growth_to),
        calendar=team_calendar(backlog, settings, issues, team=only_team(issues)),
        select=lambda issue: issue.identity in wanted,
        options=flow_options(settings),
        health=health,
        seed=seed,
    )
