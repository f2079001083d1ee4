"""BLK001: blocked, and nothing says by what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.examples import a_comment, an_issue
from backlint.model import (
    Evidence,
    FieldChange,
    Issue,
    IssueType,
    Judgement,
    Link,
    LinkKind,
    Severity,
    Status,
    StatusCategory,
)
from backlint.rules.blocking import BLOCKED_LABELS, BLOCKED_STATUSES, Mark, blocked_mark, blockers
from backlint.rules.evidence import excerpt, of_value
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule

BEFORE_THE_MARK = timedelta(days=1)  # catalogue BLK001: the reason is given about when the flag is set
_URL = re.compile(r"https?://\S")


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def a_flagged(days: float = 5, **given: object) -> Issue:
    """In progress, and flagged so many days ago."""
    flag = FieldChange(at=days_ago(days), field="flagged", after="Impediment", actor="ana")
    values = {"category": StatusCategory.ACTIVE, "fields": {"flagged": True}, "changes": (flag,)}
    return an_issue(**{"created_at": days_ago(60), **values, **given})


class BlockedWithoutReason(Rule):
    """Blocked, but nothing says by what.

    Why it matters: nobody can help, and nobody notices when the reason is gone.

    How to fix: link the blocking issue, or say in one line who or what is waited for, and since when.

    Not flagged: an open blocking link; a filled "blocked reason" field; a comment of five words or more, or one
    with a link, from a day before the mark on; a status whose name says the reason. A label or a flag counts
    as the mark, a mere link does not.
    """

    code = "BLK001"
    name = "blocked-without-reason"
    label = "blocked-check"
    severity = Severity.WARNING
    question = "Waiting for whom or what, since when?"
    waits_for_triage = True
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE
    blocked_labels: tuple[str, ...] = BLOCKED_LABELS  # labels that mark an issue as blocked
    blocked_statuses: tuple[str, ...] = BLOCKED_STATUSES  # words in the name of a status that mean blocked
    reason_statuses: tuple[str, ...] = ("blocked by", "blocked on", "waiting for")  # ... and that say by what
    min_words: int = 5  # of a comment that gives the reason (catalogue BLK001)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        mark = blocked_mark(issue, statuses=self.blocked_statuses, labels=self.blocked_labels)
        if mark is None:
            yield self.not_applicable(issue, "not blocked")
            return
        reason = self._reason(issue, mark, context)
        if reason is not None:
            yield self.ok(issue, "the reason is given", evidence=[reason])
        elif blockers(issue, context).unread:
            yield self.unknown(issue, "what blocks it cannot be read")
        else:
            note = f"since {mark.at.date().isoformat()}" if mark.at else None
            evidence = [of_value("H", mark.kind, mark.text, note=note)]
            yield self.fail(issue, context, "Blocked, but nothing says by what.", evidence=evidence)

    def _reason(self, issue: Issue, mark: Mark, context: Context) -> Evidence | None:
        if issue.fields.get("blocked_reason"):
            return of_value("F", "fields.blocked_reason", issue.fields["blocked_reason"])
        open_ones = blockers(issue, context).open
        if open_ones:
            return of_value("F", "links", open_ones[0].key, note="blocks this")
        name = issue.status.name.casefold()
        if any(words.casefold() in name for words in self.reason_statuses):
            return of_value("F", "status", issue.status.name)
        return self._said(issue, mark, context)

    def _said(self, issue: Issue, mark: Mark, context: Context) -> Evidence | None:
        """A comment or a link to a page that can be the reason. Later ones count: answering must settle it."""
        since = mark.at - BEFORE_THE_MARK if mark.at is not None else None
        for comment in issue.comments:
            if comment.is_bot or comment.is_own or (since is not None and comment.at < since):
                continue
            document = context.texts.read(comment.body, comment.markup)
            if document.words >= self.min_words or document.links or _URL.search(document.text):
                return Evidence(kind="P", field=f"comments.{comment.id}", excerpt=excerpt(document.text))
        for link in issue.links:
            is_page = link.kind in (LinkKind.OTHER, LinkKind.RELATES) and _URL.match(link.target)
            if is_page and link.at is not None and (since is None or link.at >= since):
                return of_value("F", "links", link.target)
        return None

    flagged = (
        Example("a flag and nothing else", a_flagged(), severity=Severity.WARNING, evidence="flagged"),
        Example("a comment that only repeats it", a_flagged(comments=(a_comment("blocked", days_ago(5)),))),
        Example("a label", an_issue(labels=frozenset({"Blocked"}))),
        Example(
            "a column",
            an_issue(status=Status("7", "Blocked", StatusCategory.WAITING)),
            evidence="Blocked",
        ),
        Example(
            "what was said a month before",
            a_flagged(comments=(a_comment("Waiting for the contract of the vendor.", days_ago(35)),)),
        ),
        Example(
            "a robot's comment",
            a_flagged(comments=(a_comment("This issue was flagged by the board.", days_ago(5), is_bot=True),)),
        ),
    )
    passed = (
        Example(
            "blocked by an open issue",
            a_flagged(links=(Link(LinkKind.BLOCKED_BY, "7"),)),
            others=(an_issue(id="7"),),
            evidence="DEMO-7",
        ),
        Example(
            "somebody said what is waited for",
            a_flagged(comments=(a_comment("Waiting for vendor contract, asked Lea", days_ago(5)),)),
        ),
        Example(
            "answered two days later",
            a_flagged(comments=(a_comment("We need the new certificate from the bank first.", days_ago(3)),)),
        ),
        Example("a reason in its field", a_flagged(fields={"flagged": True, "blocked_reason": "Contract"})),
        Example(
            "a status that says it",
            an_issue(status=Status("7", "Blocked by vendor", StatusCategory.WAITING)),
        ),
        Example("a link in a comment", a_flagged(comments=(a_comment("https://example.com/ticket/1", days_ago(5)),))),
    )
    declined = (
        Example("not blocked", an_issue()),
        Example("unblocked", an_issue(status=Status("7", "Unblocked", StatusCategory.TODO))),
        Example("the blocker cannot be read", a_flagged(links=(Link(LinkKind.BLOCKED_BY, "99"),))),
    )
