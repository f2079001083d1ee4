"""TXT001: there is a title and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.criteria_text import field_text, is_allowed
from backlint.rules.evidence import of_dropped, of_value
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule
from backlint.text.document import Document, Dropped, DropReason

UNTOUCHED = """\
<!-- Describe the problem that you want to solve -->

### Description

_No response_

### Additional context

_No response_
"""
TRACE = """\
```
Traceback (most recent call last):
  File "export.py", line 12, in write
ValueError: no rows
```
"""


class EmptyDescription(Rule):
    """No description (template only).

    Why it matters: whoever picks the issue up starts with a guess, and the guess is found out in review.

    How to fix: two sentences: what is the problem, and for whom.

    Severity: stories and bugs are told as errors, everything else as a warning.

    Not flagged: issues with an exempt label; text kept in another mapped field; a link to an allowed place;
    the error text of a bug. Only images, or only a link, is information: the text may be there.
    """

    code = "TXT001"
    name = "empty-description"
    label = "needs-detail"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "What is the problem, and for whom?"
    on_create = True
    dimension = "clarity"

    types: frozenset[IssueType] = EVERY_TYPE
    exempt_labels: tuple[str, ...] = ("trivial",)  # nothing to say beyond the title
    description_fields: tuple[str, ...] = (
        "description", "problem", "steps", "expected", "actual", "acceptance_criteria", "outcome",
    )  # mapped fields whose text describes the issue as well as the body does  # fmt: skip
    allowed_links: tuple[str, ...] = ()  # domains whose pages count as a description
    quotes_count: bool = False  # in support projects the quoted mail is the report

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = {label.casefold() for label in issue.labels} & {label.casefold() for label in self.exempt_labels}
        if exempt:
            yield self.ok(issue, f"labelled {min(exempt)}")
            return
        document = context.texts.body(issue)
        if document.items or self._counted(issue, document):
            yield self.ok(issue, "text by the author")
            return
        kept = next((name for name in self.description_fields if self._holds_text(issue, name, context)), None)
        link = next((link for link in document.links if is_allowed(link, self.allowed_links)), None)
        if kept is not None:
            yield self.ok(issue, "text in a field", evidence=[of_value("F", f"fields.{kept}", field_text(issue, kept))])
        elif link is not None:
            yield self.ok(issue, "a link to an allowed place", evidence=[of_value("P", "body", link)])
        else:
            yield self._empty(issue, document, context)

    def _counted(self, issue: Issue, document: Document) -> Dropped | None:
        """A line that the pipeline drops for other rules and that describes something all the same."""
        reasons = {DropReason.TOO_SHORT}
        if issue.type in (IssueType.BUG, IssueType.INCIDENT):
            reasons |= {DropReason.CODE, DropReason.LOG}
        if self.quotes_count:
            reasons.add(DropReason.QUOTE)
        return next((line for line in document.dropped if line.reason in reasons and line.text.strip()), None)

    def _holds_text(self, issue: Issue, name: str, context: Context) -> bool:
        text = field_text(issue, name)
        return bool(text.strip()) and bool(context.texts.read(text, issue.markup).items)

    def _empty(self, issue: Issue, document: Document, context: Context) -> Judgement:
        if document.images:
            return self.fail(issue, context, "The description is only images.", severity=Severity.INFO)
        if document.links:
            evidence = [of_value("P", "body", document.links[0])]
            return self.fail(
                issue, context, "The description is only a link.", evidence=evidence, severity=Severity.INFO
            )
        message = "No description (template only)." if document.dropped else "No description."
        evidence = list(of_dropped(document, field="body"))
        return self.fail(issue, context, message, evidence=evidence, severity=self._severity(issue, context))

    def _severity(self, issue: Issue, context: Context) -> Severity:
        """Stories and bugs are told as errors, everything else as a warning."""
        severity = self.severity_for(issue, context)
        is_strict = issue.type in (IssueType.STORY, IssueType.BUG)
        return severity if is_strict or severity is not Severity.ERROR else Severity.WARNING

    flagged = (
        Example("nothing at all", an_issue(body="", category=StatusCategory.TODO), severity=Severity.ERROR),
        Example("an untouched template", an_issue(body=UNTOUCHED), evidence="No response"),
        Example(
            "a task is a warning",
            an_issue(type=IssueType.TASK, body="", category=StatusCategory.TODO),
            severity=Severity.WARNING,
        ),
        Example(
            "only images",
            an_issue(body="![screen](https://example.com/a.png)", category=StatusCategory.TODO),
            severity=Severity.INFO,
        ),
        Example("only a quoted mail", an_issue(body="> The list has no export.\n> Can you help?\n")),
        Example("a field that says N/A", an_issue(body="", fields={"problem": "n/a"})),
    )
    passed = (
        Example("a sentence", an_issue(body="Finance copies the list by hand each month.")),
        Example("two words are thin, not empty", an_issue(body="Add export.")),
        Example("an exempt label", an_issue(body="", labels=frozenset({"trivial"}))),
        Example("text in a mapped field", an_issue(body="", fields={"problem": "Finance copies the list by hand"})),
        Example(
            "a link to an allowed place",
            an_issue(body="https://wiki.example.com/export"),
            options={"allowed_links": ("example.com",)},
        ),
        Example("a bug with its error text", an_issue(type=IssueType.BUG, body=TRACE)),
        Example(
            "a quoted mail, where it is the report",
            an_issue(body="> The list has no export.\n> Can you help?\n"),
            options={"quotes_count": True},
        ),
        Example("Japanese", an_issue(body="請求書の一覧を表計算ソフトで開けるようにする。")),
    )
    declined = (Example("closed", an_issue(body="", category=StatusCategory.DONE)),)
