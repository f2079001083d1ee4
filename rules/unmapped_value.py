"""TAX002: a status or a type that nobody has said the meaning of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Scope, ScopeKind, Severity, Status, StatusCategory, Tracker
from backlint.rules.history import counted
from backlint.rules.rule import Context, Example, ScopeRule

PARKED = Status("10007", "Parked", StatusCategory.UNKNOWN)
# What trackers call a task. Any other type that is read as one was not recognised (catalogue 1.3).
TASK_NAMES = frozenset(
    {
        "task", "to-do", "todo", "chore", "maintenance", "support", "service request", "aufgabe", "tâche", "tarea",
        "tarefa", "taak", "attività", "compito", "zadanie", "úkol", "opgave", "oppgave", "uppgift", "tehtävä", "görev",
        "задача", "завдання", "任务", "任務", "タスク", "작업",
    }
)  # fmt: skip


def of_jira(**given: object) -> Issue:
    return an_issue(tracker=Tracker.JIRA, **given)


class UnmappedValue(ScopeRule):
    """A status or type in use has no meaning here.

    Why it matters: issues in an unmapped status are outside all metrics, and those of an unmapped type are judged as
    tasks.

    How to fix: name its category in the source's `statuses` table, or its type in `types`; `backlint doctor` lists
    them all.

    Not flagged: a renamed status, since the id counts; statuses that no issue is in; types that mean a task, or that
    the configuration names.
    """

    code = "TAX002"
    name = "unmapped-value"
    severity = Severity.WARNING
    question = "Which category is it?"
    judges = ScopeKind.CONNECTOR

    task_names: frozenset[str] = TASK_NAMES  # names of types that are tasks without saying so in the configuration

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        for connector, issues in context.backlog.scopes.connectors.items():
            if all(issue.tracker is Tracker.FILE for issue in issues):
                yield self.not_applicable(connector, "a file: only its export could say more")
                continue
            found = (*self._statuses(connector, issues, context), *self._types(connector, issues, context))
            yield from found or (self.ok(connector, "every status and type in use is mapped"),)

    def _statuses(self, connector: Scope, issues: Sequence[Issue], context: Context) -> Iterator[Judgement]:
        unmapped = [each.status for each in issues if each.status.category is StatusCategory.UNKNOWN]
        counts = Counter(status.id or status.name for status in unmapped)
        names = {status.id or status.name: status.name or status.id for status in unmapped}
        for id, count in sorted(counts.items()):
            are = f"{counted(count, 'issue')} {'is' if count == 1 else 'are'} outside all metrics"
            message = f"Status '{names[id]}' is unmapped: {are}."
            yield self.fail(connector, context, message, discriminator=f"status:{id}")

    def _types(self, connector: Scope, issues: Sequence[Issue], context: Context) -> Iterator[Judgement]:
        known = self.task_names | context.mapped_types.get(connector.source, frozenset())
        counts = Counter(
            issue.type_name
            for issue in issues
            if issue.type is IssueType.TASK and issue.type_name and issue.type_name.casefold() not in known
        )
        for name, count in sorted(counts.items()):
            are = f"{counted(count, 'issue')} {'is' if count == 1 else 'are'} judged as a task"
            message = f"Type '{name}' is unmapped: {are}."
            yield self.fail(connector, context, message, question="Which type is it?", discriminator=f"type:{name}")

    flagged = (
        Example("a new status", of_jira(status=PARKED), severity=Severity.WARNING),
        Example("a new type", of_jira(type=IssueType.TASK, type_name="Change request")),
    )
    passed = (
        Example("a renamed status", of_jira(status=Status("3", "Doing it now", StatusCategory.ACTIVE))),
        Example("a task in another language", of_jira(type=IssueType.TASK, type_name="Aufgabe")),
        Example("no type at all", of_jira(type=IssueType.TASK)),
        Example(
            "a type that the configuration calls a task",
            of_jira(type=IssueType.TASK, type_name="Change request"),
            context={"mapped_types": {"demo": frozenset({"change request"})}},
        ),
    )
    declined = (Example("a file", an_issue(status=PARKED)),)
