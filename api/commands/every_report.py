"""Every report of one audit, as pages in a folder: the demo's, from one reading of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from backlint.api.commands import report_forecast, report_sprint_prep
from backlint.api.commands.report import DEFAULT_PERIOD, build_cycle_time_of, build_from_audit, source_health
from backlint.api.commands.report_weekly import gather
from backlint.api.installation import Installation
from backlint.api.readout import build_readout
from backlint.api.readout.facts import BacklogScore
from backlint.api.reports import Report, rendered
from backlint.api.reports.readout import Audience
from backlint.backlog import Backlog
from backlint.flow import Mode
from backlint.flow.metrics import local_day
from backlint.scopes import team_name
from backlint.sync.audit import Audit
from backlint.sync.scoring import score_groups

# File name -> what a person opens it for.
PAGES: Mapping[str, str] = MappingProxyType(
    {
        "audit.html": "what is wrong, what changed, what was written back",
        "sprint-prep.html": "one team's next sprint: what fits, what is ready, what to ask",
        "cycle-time.html": "how long things take, what is ageing, sprints",
        "forecast.html": "how many by when, and whether such forecasts came true",
        "weekly.html": "the week, as a draft to edit",
        "weekly-executive.html": "objectives, punctuality, forecast, the five largest risks",
        "weekly-engineering.html": "flow, ageing, blockers, sprints, bugs, what each epic is for",
        "weekly-product.html": "outcome coverage, results owed, priorities, backlog score",
        "weekly-design.html": "what waits for design, user context, results",
        "weekly-marketing.html": "what shipped for whom, what comes next",
    }
)


def write_every_report(place: Installation, audit: Audit, folder: Path) -> tuple[Path, ...]:
    """Write the pages and give their paths, in the order of `PAGES`."""
    paths = []
    for name, report in _reports(place, audit):
        path = folder / name
        path.write_text(rendered(report, "html"), encoding="utf-8")
        paths.append(path)
    return tuple(sorted(paths, key=lambda path: list(PAGES).index(path.name)))


def _reports(place: Installation, audit: Audit) -> Iterator[tuple[str, Report]]:
    backlog, settings = audit.check.backlog, place.settings
    health = source_health(place.engine)
    yield "audit.html", build_from_audit(place, audit, scope="everything")
    since = local_day(backlog.now, settings.zone) - DEFAULT_PERIOD
    yield (
        "cycle-time.html",
        build_cycle_time_of(
            backlog, settings, scope=None, name="everything", since=since, until=None, mode=Mode.ELAPSED, health=health
        ),
    )
    yield (
        "forecast.html",
        report_forecast.build_from_backlog(backlog, settings, scope=None, name="everything", health=health),
    )
    team = _busiest_team(backlog)
    yield "sprint-prep.html", report_sprint_prep.build_from_backlog(backlog, settings, scope=team, health=health)
    scored = score_groups(audit.check)
    scores = [BacklogScore(name, each.shown, scored.open_issues[name]) for name, each in scored.backlogs.items()]
    facts = gather(backlog, settings, scope=None, name="everything", health=health, scores=scores)
    for audience in (None, *Audience):
        name = "weekly.html" if audience is None else f"weekly-{audience}.html"
        yield name, build_readout(facts, audience=audience, health=health)


def _busiest_team(backlog: Backlog) -> str:
    """The team with most that is estimated in a sprint to come; without points or such a sprint, with most issues."""
    ahead = [
        each for each in backlog.issues if each.is_open and any(one.sprint.state == "future" for one in each.sprints)
    ]
    planned = Counter(team_name(each) for each in ahead if each.estimate) or Counter(team_name(each) for each in ahead)
    counts = planned or Counter(team_name(issue) for issue in backlog.issues if issue.is_open)
    return min(counts, key=lambda name: (-counts[name], name))
