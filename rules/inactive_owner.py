"""OWN003: the owner is gone, or has not been seen for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from backlint.activity import human_events
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Person, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.people_text import has_left
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule

NEW_ACCOUNT_DAYS = 61  # catalogue OWN003: a young account that fell silent is found sooner


def a_person(**given: object) -> dict[tuple[str, str], Person]:
    """A directory of one, for the examples."""
    values: dict[str, object] = {"id": "ana", "name": "Ana Example", "is_active": True, **given}
    return {("demo", "ana"): Person(**values)}  # type: ignore[arg-type]


def days_ago(days: int) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


class InactiveOwner(Rule):
    """The owner's account is deactivated, or has been silent for long.

    Why it matters: work that belongs to someone who left looks owned in every list and moves nowhere.

    How to fix: hand it over, or move it back to the backlog without an owner.

    Severity: a deactivated account is an error, mere silence a warning, a long leave information with its end.

    Not flagged: a short leave; people who joined recently; issues one of whose assignees is still there; a
    person one of whose two accounts was closed. Where the account cannot be looked up nothing is said.
    """

    code = "OWN003"
    name = "inactive-owner"
    label = "needs-owner"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Who takes this over?"
    waits_for_triage = True
    dimension = "ownership"

    types: frozenset[IssueType] = EVERY_TYPE
    inactive_days: int = 90  # catalogue OWN003
    inactive_days_new: int = 28  # catalogue OWN003, for accounts younger than 61 days
    short_leave_days: int = 14  # two weeks' leave is a holiday, not a handover

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        owners = issue.accountable or issue.assignees
        if not owners:
            yield self.not_applicable(issue, "no owner: OWN001 says it")
            return
        people = [context.backlog.person(issue.source, owner) for owner in owners]
        verdicts = [self._of(person, issue, context) for person in people]
        # Whoever is still there owns the issue with or without the others.
        yield next((each for each in verdicts if each.verdict.value in ("pass", "unknown")), verdicts[0])

    def _of(self, person: Person | None, issue: Issue, context: Context) -> Judgement:
        if person is None:
            return self.unknown(issue, "the owner's account cannot be looked up")
        accounts = context.backlog.accounts(person)
        present = [account for account in accounts if not has_left(account, context.now.date())]
        if not present:
            return self._left(person, issue, context)
        if person.leave_until is not None and person.leave_until >= context.now.date():
            return self._on_leave(person.leave_until, issue, context)
        seen_at = self._seen_at(present, issue, context)
        if seen_at is None and all(account.is_active is None for account in present):
            return self.unknown(issue, "the tracker does not say whether the owner's account is active")
        return self._silent(seen_at, present, issue, context)

    def _left(self, person: Person, issue: Issue, context: Context) -> Judgement:
        since = f" since {person.left_on.isoformat()}" if person.left_on else ""
        evidence = [of_value("F", "owner", person.id, note="deactivated")]
        return self.fail(issue, context, f"The owner's account is deactivated{since}.", evidence=evidence)

    def _on_leave(self, until: date, issue: Issue, context: Context) -> Judgement:
        days = (until - context.now.date()).days
        if days <= self.short_leave_days:
            return self.ok(issue, f"on leave until {until.isoformat()}")
        message = f"The owner is on leave until {until.isoformat()}."
        return self.fail(issue, context, message, severity=Severity.INFO)

    def _seen_at(self, accounts: list[Person], issue: Issue, context: Context) -> datetime | None:
        ids = {account.id for account in accounts}
        seen = [account.last_seen_at for account in accounts if account.last_seen_at is not None]
        here = [event.at for event in human_events(issue) if event.actor in ids and event.at <= context.now]
        return max([*seen, *here], default=None)

    def _silent(self, seen_at: datetime | None, accounts: list[Person], issue: Issue, context: Context) -> Judgement:
        if seen_at is None or not context.is_near(issue):
            return self.ok(issue, "the owner's account is active")
        days = (context.now - seen_at).days
        if days <= self._limit(accounts, context.now):
            return self.ok(issue, f"the owner was last seen {days} days ago")
        message = f"The owner has been silent for {days} days."
        evidence = [of_value("H", "owner", seen_at.date().isoformat(), note="last seen")]
        return self.fail(issue, context, message, evidence=evidence, severity=Severity.WARNING)

    def _limit(self, accounts: list[Person], now: datetime) -> int:
        joined = [account.first_seen_at for account in accounts if account.first_seen_at is not None]
        is_new = bool(joined) and (now - min(joined)).days < NEW_ACCOUNT_DAYS
        return self.inactive_days_new if is_new else self.inactive_days

    flagged = (
        Example(
            "deactivated account",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(is_active=False)},
            severity=Severity.ERROR,
        ),
        Example(
            "silent for 120 days on started work",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(last_seen_at=days_ago(120))},
            severity=Severity.WARNING,
        ),
        Example(
            "left the company",
            an_issue(assignees=("ana",)),
            context={"people": a_person(left_on=date(2026, 1, 31))},
            severity=Severity.INFO,
        ),
        Example(
            "on leave for two months",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(leave_until=date(2026, 5, 10))},
            severity=Severity.INFO,
        ),
        Example(
            "a new account silent for 40 days",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(first_seen_at=days_ago(50), last_seen_at=days_ago(40))},
            severity=Severity.WARNING,
        ),
    )
    passed = (
        Example(
            "two weeks' leave",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(leave_until=date(2026, 3, 24), last_seen_at=days_ago(100))},
        ),
        Example(
            "joined last week",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={"people": a_person(first_seen_at=days_ago(7), last_seen_at=days_ago(6))},
        ),
        Example(
            "silent, but the issue is far",
            an_issue(assignees=("ana",)),
            context={"people": a_person(last_seen_at=days_ago(120))},
        ),
        Example(
            "one of two accounts was closed",
            an_issue(assignees=("ana",), category=StatusCategory.ACTIVE),
            context={
                "people": {
                    ("demo", "ana"): Person(id="ana", name="Ana", is_active=False, email="ana@example.com"),
                    ("other", "7"): Person(
                        id="7",
                        name="ana",
                        is_active=True,
                        email="ana@example.com",
                        last_seen_at=datetime(2026, 3, 9, tzinfo=UTC),
                    ),
                }
            },
        ),
        Example(
            "a second assignee is still there",
            an_issue(assignees=("ana", "ben")),
            context={
                "people": a_person(is_active=False) | {("demo", "ben"): Person(id="ben", name="Ben", is_active=True)}
            },
        ),
    )
    declined = (
        Example("the look-up failed", an_issue(assignees=("ana",))),
        Example("the tracker does not say", an_issue(assignees=("ana",)), context={"people": a_person(is_active=None)}),
        Example("no owner", an_issue()),
    )
