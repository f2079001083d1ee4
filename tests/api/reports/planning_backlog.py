"""One team with half a year of finished work, a running sprint and a next one, for the reports that look ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from backlint.api.commands.report_sprint_prep import build_from_backlog
from backlint.api.reports.forecast import ForecastReport, build_forecast
from backlint.api.reports.sprint_prep import SprintPrep
from backlint.calendars import Calendar, Leave
from backlint.model import Issue, IssueType, Link, LinkKind, Person, Sprint, SprintMembership
from backlint.settings import Settings
from backlint.sync.check import make_backlog
from tests.api.reports.backlog import BROKEN, DOING, DONE, GOOD, NOW, READY, an_item

TODAY = NOW.date()  # a Monday
# Items finished in each of the last 30 weeks, oldest first.
WEEKLY = (4, 6, 3, 5, 7, 2, 5, 4, 6, 5, 3, 8, 4, 5, 6, 0, 5, 4, 7, 5, 3, 6, 5, 4, 8, 2, 5, 6, 4, 5)
HOLIDAYS = frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14), date(2026, 6, 4)})
CALENDAR = Calendar(
    holidays=HOLIDAYS, people=5, leave=(Leave(first=date(2026, 6, 8), last=date(2026, 6, 12), people=2),)
)


def finished() -> Iterator[Issue]:
    """Each week's items on its working days, started two to nine days before."""
    number = 1000
    for place, count in enumerate(WEEKLY):
        monday = TODAY - timedelta(weeks=len(WEEKLY) - place)
        for nth in range(count):
            number += 1
            day = datetime.combine(monday + timedelta(days=nth % 5), time(15), UTC)
            before = (NOW - day) / timedelta(days=1)
            yield an_item(number, (before + 2 + number % 8, DOING), (before, DONE), team="Payments")


def in_progress() -> tuple[Issue, ...]:
    return (
        an_item(2001, (3, DOING), team="Payments"),
        an_item(2002, (6.5, DOING), team="Payments"),
        an_item(2003, (40, DOING), team="Payments"),
    )


def a_forecast(**given: Any) -> ForecastReport:
    values: dict[str, Any] = {
        "scope": "Payments",
        "now": NOW,
        "timezone": "Europe/Berlin",
        "items": 25,
        "until": date(2026, 6, 28),
        "calendar": CALENDAR,
        "health": (GOOD, BROKEN),
    }
    return build_forecast((*finished(), *in_progress()), **{**values, **given})


def a_forecast_without_history() -> ForecastReport:
    """Three weeks of work: too little for any figure, and one item in progress."""
    young = [issue for issue in finished() if (issue.updated_at or NOW) > NOW - timedelta(days=33)]
    return build_forecast((*young, *in_progress()[:1]), scope="Pilot", now=NOW, items=10)


# -- the sprint to come --------------------------------------------------------------------------------------------

SETTINGS = Settings.model_validate(
    {
        "timezone": "Europe/Berlin",
        "calendar": {"country": "DE", "subdivision": "BE"},
        "teams": [{"name": "Payments", "people": 5}],
        "leave": [{"team": "Payments", "first": "2026-06-15", "last": "2026-06-19", "people": 2}],
        "rules": {"FLO003": {"caps": {"Payments": 4}}},
    }
)
EPIC_OUTCOME = "## Outcome\n\nCheckout drop-off from 42 % to 35 % by 2026-09-30.\n"
CRITERIA = (
    "As a clerk I want to sort the list so that I find late orders in seconds.\n\n"
    "## Acceptance criteria\n\n- the oldest order is on top\n- a click on the date turns the order around\n"
)


def a_sprint(number: int) -> Sprint:
    """Two weeks each from Tuesday to Monday; number 13 is running, 14 begins on 2 June."""
    start = datetime(2026, 6, 2, 7, tzinfo=UTC) + timedelta(weeks=2 * (number - 14))
    state = "closed" if number < 13 else "active" if number == 13 else "future"
    ends_at = start + timedelta(weeks=2)
    return Sprint(
        id=str(number), name=f"Payments {number}", state=state, starts_at=start, ends_at=ends_at,
        completed_at=ends_at if state == "closed" else None,
    )  # fmt: skip


def in_sprints(*numbers: int) -> tuple[SprintMembership, ...]:
    return tuple(SprintMembership(sprint=a_sprint(number)) for number in numbers)


def past_sprints() -> Iterator[Issue]:
    """The finished items with points, each in the sprint that it was finished in."""
    for place, issue in enumerate(finished()):
        at = issue.transitions[-1].at
        number = 14 + (at - datetime(2026, 6, 2, 7, tzinfo=UTC)) // timedelta(weeks=2)
        yield replace(issue, estimate=float((1, 2, 3)[place % 3]), sprints=in_sprints(number), assignees=("mia",))


def a_candidate(number: int, **given: Any) -> Issue:
    values: dict[str, Any] = {
        "team": "Payments", "type": IssueType.STORY, "sprints": in_sprints(14), "body": CRITERIA, "estimate": 3.0,
        "assignees": ("ana",), "parent": "13000", "created": 30, "priority": 2, "status": READY,
    }  # fmt: skip
    return an_item(number, **{**values, **given})


def candidates() -> tuple[Issue, ...]:
    many = "".join(f"- the column {name} can be hidden and comes back\n" for name in COLUMNS)
    return (
        an_item(3000, type=IssueType.EPIC, team="Payments", title="Faster checkout", body=EPIC_OUTCOME, created=90,
                assignees=("ana",), fields={"reach": 5000, "impact": 2, "confidence": 0.8, "effort": 2}),
        a_candidate(3001, title="Sort orders by date", sprints=in_sprints(12, 13, 14)),
        a_candidate(3002, title="Show the exchange rate at checkout"),
        a_candidate(3003, title="Remember the filter", body="Clerks set the same filter each morning. It should stay."),
        a_candidate(3004, title="Pay later", links=(Link(LinkKind.BLOCKED_BY, "13010"),)),
        a_candidate(3005, title="Hide columns", estimate=13.0,
                    body=f"{CRITERIA}{many}"),
        a_candidate(3006, title="Refund fails for gift cards", type=IssueType.BUG, parent=None, priority=1,
                    body="The refund fails. Nothing happens."),
        a_candidate(3007, title="Export as CSV", assignees=(), estimate=None, parent=None, body="TBD"),
        a_candidate(3008, title="Warn before a card expires", priority=4, estimate=5.0,
                    links=(Link(LinkKind.BLOCKED_BY, "13002"),)),
        an_item(3010, title="Contract with the bank", team="Payments", type=IssueType.TASK, created=40),
        an_item(3011, title="Loyalty points", team="Payments", created=60, labels=frozenset({"not-now"}),
                review_on=date(2026, 9, 1)),
        a_candidate(3012, title="Round totals", status=DOING, sprints=in_sprints(12, 13)),
    )  # fmt: skip


COLUMNS = ("number", "customer", "date", "amount", "currency", "state", "carrier", "note", "owner")


def a_sprint_prep(**given: Any) -> SprintPrep:
    """Sprint 14 with everything that can be said of a plan."""
    people = {("acme", "ana"): Person(id="ana", name="Ana Example", is_active=True, last_seen_at=NOW)}
    issues = (*past_sprints(), *in_progress(), *candidates())
    backlog = make_backlog(issues, SETTINGS, now=NOW, people=people)
    values: dict[str, Any] = {"scope": "Payments", "health": (GOOD,)}
    return _of_no_version(build_from_backlog(backlog, SETTINGS, **{**values, **given}))


def a_sprint_prep_of_the_backlog() -> SprintPrep:
    """A team without sprints and without much history: the top of its backlog."""
    without = (replace(issue, sprints=()) for issue in candidates())
    backlog = make_backlog((*in_progress(), *without), Settings(), now=NOW)
    return _of_no_version(build_from_backlog(backlog, Settings(), scope=None))


def _of_no_version(report: SprintPrep) -> SprintPrep:
    """The approved files need not change with every rule."""
    return replace(report, rules_version="2026.1")
