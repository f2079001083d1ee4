"""HIE001: a story that belongs to nothing larger."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Presence, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.rule import Context, Example, Rule


class Orphan(Rule):
    """Belongs to no epic, project or milestone.

    Why it matters: nobody can say which goal is served by doing it, or what is lost by leaving it.

    How to fix: give it a parent, or put it into the project or milestone that it serves.

    Not flagged: types that stand alone, such as bugs and tasks (`types` adds them). The container that every
    issue has, a Jira project or a repository, is no goal and does not count. Where the parent cannot be read
    nothing is said; where the parent itself is flagged for open children of a cancelled epic, that says it.
    """

    code = "HIE001"
    name = "orphan"
    label = "orphan"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Which larger goal is this part of?"
    waits_for_triage = True
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.STORY})
    any_of: tuple[str, ...] = ("parent", "project", "milestone", "initiative")  # what counts as a larger goal

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        home = next((found for name in self.any_of if (found := _home(name, issue, context)) is not None), None)
        if home is not None:
            yield self.ok(issue, "part of something larger", evidence=[home])
            return
        above = context.backlog.parent(issue)
        if "parent" not in self.any_of or not issue.parent:
            yield self.fail(issue, context, "Belongs to no epic, project or milestone.")
        elif above is None or above.presence is Presence.UNREADABLE:
            yield self.unknown(issue, "its parent cannot be read")
        else:
            gone = "was deleted" if above.presence is Presence.DELETED else "was cancelled"
            message = f"Belongs to nothing larger any more: {above.key} {gone}."
            yield self.fail(issue, context, message, evidence=[of_value("F", "parent", above.key, note=gone)])

    flagged = (
        Example("ready without a parent", an_issue(category=StatusCategory.TODO), severity=Severity.WARNING),
        Example(
            "the parent was cancelled",
            an_issue(parent="9"),
            others=(an_issue(id="9", type=IssueType.EPIC, category=StatusCategory.CANCELLED),),
            severity=Severity.INFO,
            evidence="DEMO-9",
        ),
        Example("the repository is its only project", an_issue(key="acme/shop#12", project="acme/shop")),
        Example("a task, where tasks are asked", an_issue(type=IssueType.TASK), options={"types": ["story", "task"]}),
        Example(
            "in a milestone that does not count", an_issue(fields={"milestone": "2.0"}), options={"any_of": ["parent"]}
        ),
    )
    passed = (
        Example("in a project with a goal", an_issue(project="Faster invoices"), evidence="Faster invoices"),
        Example("in an epic", an_issue(parent="9"), others=(an_issue(id="9", type=IssueType.EPIC),), evidence="DEMO-9"),
        Example("in a milestone", an_issue(fields={"milestone": "2.0"}), evidence="2.0"),
        Example(
            "the parent is done",
            an_issue(parent="9"),
            others=(an_issue(id="9", type=IssueType.EPIC, category=StatusCategory.DONE),),
        ),
    )
    declined = (
        Example("a bug", an_issue(type=IssueType.BUG)),
        Example("the parent cannot be read", an_issue(parent="9")),
        Example(
            "the parent may not be read any more",
            an_issue(parent="9"),
            others=(an_issue(id="9", type=IssueType.EPIC, presence=Presence.UNREADABLE),),
        ),
    )


def _home(name: str, issue: Issue, context: Context) -> Evidence | None:
    if name == "parent":
        above = context.backlog.parent(issue)
        is_home = (
            above is not None
            and above.presence is Presence.PRESENT
            and above.status.category is not StatusCategory.CANCELLED
        )
        return of_value("F", "parent", above.key) if above is not None and is_home else None
    if name == "project":
        return None if not issue.project or _is_container(issue) else of_value("F", "project", issue.project)
    value = issue.fields.get(name)
    return of_value("F", f"fields.{name}", value) if value else None


def _is_container(issue: Issue) -> bool:
    """Whether the project is where the key comes from: PAY of PAY-12, acme/shop of acme/shop#12."""
    separator = "#" if "#" in issue.key else "-"
    return issue.project is not None and issue.key.rpartition(separator)[0].casefold() == issue.project.casefold()
