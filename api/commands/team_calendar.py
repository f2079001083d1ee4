"""The calendar of a team: holidays and leave as configured, with what the trackers and the history add."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from backlint.backlog import Backlog
from backlint.calendars import Calendar, Leave
from backlint.flow.metrics import local_day
from backlint.model import Issue, StatusCategory
from backlint.scopes import team_name
from backlint.settings import Settings
from backlint.sync.check import CALENDAR_AHEAD, CALENDAR_BACK

AT_WORK = timedelta(days=90)


def only_team(issues: Iterable[Issue]) -> str | None:
    """The team that all the issues belong to; None when there are several, or none."""
    names = {team_name(issue) for issue in issues}
    return names.pop() if len(names) == 1 else None


def team_calendar(backlog: Backlog, settings: Settings, issues: Collection[Issue], *, team: str | None) -> Calendar:
    """Configured holidays and leave, leave that the tracker knows of, and the number of people.

    Where nobody said how many people there are, those count who finished something in the last 90 days.
    """
    today = local_day(backlog.now, settings.zone)
    calendar = settings.team_calendar(team, first=today - CALENDAR_BACK, last=today + CALENDAR_AHEAD)
    if team is None:
        return calendar
    at_work = _people_at_work(backlog, issues)
    known = [backlog.person(source, id) for source, id in sorted(at_work)]
    away = [
        Leave(first=today, last=person.leave_until)
        for person in known
        if person is not None and person.leave_until is not None and person.leave_until >= today
    ]
    return replace(calendar, people=calendar.people or len(at_work) or None, leave=(*calendar.leave, *away))


def _people_at_work(backlog: Backlog, issues: Iterable[Issue]) -> set[tuple[str, str]]:
    """Assignees of what was finished lately; bots are none."""
    found = set()
    for issue in issues:
        ended = issue.transitions[-1].at if issue.transitions else issue.updated_at
        if issue.status.category is StatusCategory.DONE and ended is not None and ended >= backlog.now - AT_WORK:
            found |= {(issue.source, id) for id in issue.assignees}
    return {each for each in found if (person := backlog.person(*each)) is None or not person.is_bot}
