"""One small fixed backlog, and the reports made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from backlint.api.reports import AuditReport, CycleTimeReport, build_audit, build_cycle_time
from backlint.api.reports.audit import (
    AuditCounts,
    AuditFinding,
    Night,
    ReviewedRule,
    ScoredGroup,
    ScoredIssue,
    SilentRule,
    WriteBack,
)
from backlint.api.reports.entries import Entry
from backlint.api.reports.health import SourceHealth
from backlint.flow import FlowOptions
from backlint.model import (
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Severity,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.scopes import Scopes
from backlint.working_time import WorkingHours

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SITE = "https://acme.example/browse"
BACKLOG = Status("1", "Backlog", StatusCategory.BACKLOG)
READY = Status("2", "Selected", StatusCategory.TODO)
DOING = Status("3", "In progress", StatusCategory.ACTIVE)
REVIEW = Status("4", "In review", StatusCategory.WAITING)
DONE = Status("5", "Done", StatusCategory.DONE)
DROPPED = Status("6", "Won't do", StatusCategory.CANCELLED)
NEW = Status("9", "Waiting for vendor", StatusCategory.UNKNOWN)

GOOD = SourceHealth(
    name="acme", tracker="jira", complete=True, as_of=NOW, issues=43, requests=14, seconds=3.2
)  # fmt: skip
BROKEN = SourceHealth(
    name="oss",
    tracker="github",
    complete=False,
    as_of=datetime(2026, 6, 1, 0, 10, tzinfo=UTC),
    issues=80,
    error="GitHub answered 502 four times; try again later",
    requests=9,
    seconds=61.0,
)


def an_item(number: int, *steps: tuple[float, Status], created: float = 0, **rest: object) -> Issue:
    """An issue created so many days before NOW that went through the statuses so many days before NOW."""
    before, transitions = BACKLOG, []
    for days, after in steps:
        transitions.append(Transition(at=NOW - timedelta(days=days), before=before, after=after, actor="mia"))
        before = after
    created_at = NOW - timedelta(days=created or max((days for days, _ in steps), default=1) + 2)
    values: dict[str, object] = {
        "source": "acme",
        "id": str(10_000 + number),
        "key": f"PAY-{number}",
        "url": f"{SITE}/PAY-{number}",
        "title": TITLES[number % len(TITLES)],
        "tracker": Tracker.JIRA,
        "project": "PAY",
        "team": "Payments" if number % 3 else "Checkout",
        "type": IssueType.BUG if number % 4 == 0 else IssueType.STORY,
        "status": before,
        "created_at": created_at,
        "updated_at": created_at,
        "transitions": tuple(transitions),
        "reporter": "mia",
    }
    return Issue(**{**values, **rest})  # type: ignore[arg-type]


TITLES = (
    "Export the invoice list as CSV",
    "Show the exchange rate at checkout",
    "Refund fails for gift cards",
    "Warn before a card expires",
    "Sort orders by <delivery date> & name | newest first",
)


def the_backlog() -> tuple[Issue, ...]:
    finished = [
        an_item(n, (60 - n, READY), (59 - n, DOING), (57.5 - n, REVIEW), (59 - n - length, DONE))
        for n, length in enumerate(
            (2.5, 3, 4, 2, 5.5, 8, 3, 2.25, 6, 4, 13, 3, 2, 7, 4.5, 3, 5, 9, 2, 3.5, 4, 6, 30), 1
        )
    ]
    return (
        *finished,
        an_item(30, (20, DOING), (15, DONE), (12, DOING), (10, DONE)),
        an_item(31, (40, DOING), (38, DONE), (12, DOING), (9, DONE)),
        an_item(32, (8, DONE)),
        an_item(33, (7, READY), (6, DONE)),
        an_item(34, (9, DOING), (5, DROPPED)),
        an_item(35, (9, NEW)),
        an_item(36, (21, DOING)),
        an_item(37, (6, DOING), (4, REVIEW)),
        an_item(38, (3, DOING)),
        an_item(39, (12, DOING), (8, READY)),
        an_item(40, (14, DOING), (11, DONE), due_on=date(2026, 5, 20)),
        an_item(41, (50, DOING), (3, DONE), type=IssueType.EPIC),
        an_item(
            42, (13, DONE), tracker=Tracker.GITHUB,
            links=(Link(LinkKind.PULL_REQUEST, "acme/pay#7", NOW - timedelta(days=15)),),
        ),
        an_item(
            43, (11, DOING), (9, DONE),
            changes=(FieldChange(at=NOW - timedelta(days=10), field="flagged", after="Impediment"),),
        ),
    )  # fmt: skip


def in_sprint(issues: Iterable[Issue], sprint: Sprint, *, added: Mapping[str, float]) -> tuple[Issue, ...]:
    """The issues, those named by key as members of the sprint since so many days before NOW."""
    return tuple(
        replace(issue, sprints=(SprintMembership(sprint=sprint, added_at=NOW - timedelta(days=added[issue.key])),))
        if issue.key in added
        else issue
        for issue in issues
    )


THE_SPRINT = Sprint(
    id="7", name="Payments 7", state="closed", starts_at=NOW - timedelta(days=22), ends_at=NOW - timedelta(days=8),
)  # fmt: skip
HOURS = WorkingHours(zone=ZoneInfo("Europe/Berlin"), holidays=frozenset({date(2026, 5, 1)}))


def the_backlog_in_sprints() -> tuple[Issue, ...]:
    """Three committed, of which two were finished; one came in later and is open."""
    added = {"PAY-30": 25.0, "PAY-43": 25.0, "PAY-36": 25.0, "PAY-37": 15.0}
    return in_sprint(the_backlog(), THE_SPRINT, added=added)


def a_cycle_time_report(**given: object) -> CycleTimeReport:
    issues = the_backlog_in_sprints()
    values: dict[str, object] = {
        "scope": "Payments and Checkout",
        "now": NOW,
        "timezone": "Europe/Berlin",
        "since": date(2026, 4, 1),
        "health": (GOOD, BROKEN),
        "rules_version": "2026.1",
        "wip_cap": 4,
        "options": FlowOptions(),
        "sprints": tuple(Scopes(issues).sprints.values()),
        "hours": HOURS,
    }
    return build_cycle_time(issues, **{**values, **given})  # type: ignore[arg-type]


def a_small_cycle_time_report() -> CycleTimeReport:
    """Three finished items: too few for any statistic."""
    return build_cycle_time(the_backlog()[:3], scope="Pilot", now=NOW)


def a_finding(number: int, rule: str, name: str, severity: Severity, message: str, **rest: object) -> AuditFinding:
    values: dict[str, object] = {
        "source": "acme",
        "issue": f"PAY-{number}",
        "url": f"{SITE}/PAY-{number}",
        "title": TITLES[number % len(TITLES)],
        "rule": rule,
        "name": name,
        "severity": severity,
        "message": message,
    }
    return AuditFinding(**{**values, **rest})  # type: ignore[arg-type]


def the_findings() -> tuple[AuditFinding, ...]:
    criteria = ("AC001", "missing-acceptance-criteria", Severity.ERROR, "No acceptance criteria.")
    ageing = (
        "FLO002",
        "ageing-beyond-sle",
        Severity.WARNING,
        "In progress 21.0 days; 85 % of the last 25 stories took ≤ 8.0.",
    )
    question = "What must be true for this to be accepted?"
    return (
        a_finding(36, *criteria, question=question, points=20, owner="Ana", is_new=True),
        a_finding(37, *criteria, question=question, points=20, owner="Ben"),
        a_finding(38, *criteria, question=question, points=20, baselined=True),
        a_finding(36, *ageing, question="What is the next step, and what is in the way?", points=4, owner="Ana"),
        a_finding(39, "OWN001", "missing-owner", Severity.ERROR, "In progress without an owner.", points=16),
        a_finding(4, "TXT003", "vague-title", Severity.INFO, "The title says little.", points=1, waived=True),
        a_finding(
            0, "FLO003", "wip-above-cap", Severity.WARNING, "9 items in progress, cap 6.",
            issue=None, url=None, title="", about="Team Payments", is_new=True,
        ),
        a_finding(80, *criteria, source="oss", points=20),
    )  # fmt: skip


THE_SCORES = ((36, 56, "D", 61), (37, 80, "B", 80), (38, 80, "B", None), (40, 100, "A", 100))


def the_changes() -> tuple[WriteBack, ...]:
    label, comment = "label hygiene:needs-owner added", "comment written"
    return (
        WriteBack(source="acme", issue="PAY-39", url=f"{SITE}/PAY-39", change=label, because=("OWN001",)),
        WriteBack(
            source="acme", issue="PAY-36", url=f"{SITE}/PAY-36", change=comment, because=("AC001", "FLO002"),
            why="quiet hours until 08:00",
        ),
    )  # fmt: skip


def the_nights() -> tuple[Night, ...]:
    counts, marks = (9, 8, 8, 6, 7), (9, 8, 8, 6, 6)
    return tuple(
        Night(on=date(2026, 5, 26 + n), open_findings=count, mark=mark)
        for n, (count, mark) in enumerate(zip(counts, marks, strict=True))
    )


def an_audit(**given: object) -> AuditReport:
    values: dict[str, object] = {
        "scope": "Payments and Checkout",
        "as_of": NOW,
        "timezone": "Europe/Berlin",
        "rules_version": "2026.1",
        "previous_rules_version": "2026.1",
        "health": (GOOD, BROKEN),
        "checked": 9,
        "findings": the_findings(),
        "counts": AuditCounts(new=2, fixed=3, still_open=3, waived=1, baselined=1, expired_waivers=1, unknown=2),
        "issues": [
            ScoredIssue(
                source="acme", issue=f"PAY-{number}", url=f"{SITE}/PAY-{number}", title=TITLES[number % 5],
                score=score, band=band, previous=previous,
            )
            for number, score, band, previous in THE_SCORES
        ],
        "teams": [
            ScoredGroup(name="Payments", score=70, band="C", count=31, previous=66),
            ScoredGroup(name="Checkout", score=90, band="A", count=4, previous=80, has_few_items=True),
        ],
        "backlogs": [
            ScoredGroup(
                name="PAY", score=75, band="B", count=120, previous=77,
                parts=(("items", 50, 76, "mean of 53 near issues"), ("length", 15, 70, "24.0 weeks of work")),
            )
        ],
        "changes": the_changes(),
        "silent": [SilentRule(rule="REV001", name="missing-review-date", would_find=34)],
        "reviewed": [ReviewedRule(rule="TXT003", name="vague-title", precision=71, judged=24)],
        "nights": the_nights(),
        "write_back": "labels+comment",
        "seconds": 41.3,
        "fixed": [Entry(source="acme", key="PAY-40", url=f"{SITE}/PAY-40", title=TITLES[0], said="AC001: None.")],
        "unknown": [Entry(source="acme", key=None, url=None, title="sprint Payments 14", said="PLN001: 2 sprints")],
    }  # fmt: skip
    return build_audit(**{**values, **given})  # type: ignore[arg-type]


def an_empty_audit() -> AuditReport:
    """Nothing wrong, on the first run."""
    return build_audit(
        scope="Pilot", as_of=NOW, rules_version="2026.1", health=(GOOD,), checked=214, is_first_run=True,
        findings=[finding for finding in the_findings() if finding.baselined],
    )  # fmt: skip
