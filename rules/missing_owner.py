"""OWN001: nobody answers for the issue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Person, Project, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.people_text import is_team, owners, resolve
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule


class Standing(StrEnum):
    """What a named owner turns out to be."""

    PERSON = "a person"
    NOBODY = "not a person"
    HIDDEN = "not visible to this account"


RACI = """\
| Decision | Ana | Ben | Cid |
| --- | --- | --- | --- |
| Release the export | R | A | I |
"""
PEOPLE = {
    ("demo", "ana"): Person(id="ana", name="Ana Example", handle="ana", is_active=True),
    ("demo", "bot"): Person(id="bot", name="Deploy Bot", handle="deploy", is_bot=True),
}


class MissingOwner(Rule):
    """No owner.

    Why it matters: nobody answers for the issue at the stand-up, decisions wait, and its cycle time grows
    unseen.

    How to fix: assign the person who makes the final call, or write "Owner: name".

    Not flagged: work not yet started whose parent or project has a lead; several assignees; an owner in a
    field, a line, a section or a RACI row. Bots, teams and placeholder accounts are nobody in particular.
    An assignee whose profile is hidden cannot be judged.
    """

    code = "OWN001"
    name = "missing-owner"
    label = "needs-owner"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Who makes the final call here?"
    waits_for_triage = True
    dimension = "ownership"

    types: frozenset[IssueType] = EVERY_TYPE - {IssueType.SUBTASK}  # a subtask's owner is its parent's
    inherit: bool = True  # until work starts the parent's or project's lead counts
    assignee_when_started: bool = True  # work in progress needs hands, not only a name to ask
    placeholder_users: tuple[str, ...] = ()  # default assignees and shared accounts, by id, handle or name
    team_aliases: tuple[str, ...] = ()  # names that mean a group

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        assigned = {person: self._standing(person, issue, context) for person in issue.assignees}
        holding = [person for person, standing in assigned.items() if standing is Standing.PERSON]
        if holding:
            yield self.ok(issue, "assigned", evidence=[of_value("F", "assignees", holding[0])])
        elif Standing.HIDDEN in assigned.values():
            yield self.unknown(issue, "the assignee's profile is not visible")
        elif issue.source in context.backlog.without_owners and self._named(issue, context) is None:
            yield self.not_applicable(issue, "the file names no owners at all")
        elif issue.is_started and self.assignee_when_started:
            yield self.fail(issue, context, "In progress with nobody assigned.", evidence=self._tried(issue, context))
        else:
            yield from self._without_assignee(issue, context)

    def _without_assignee(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        named = self._named(issue, context) or (self._above(issue, context) if self._may_inherit(issue) else None)
        if named is not None:
            yield self.ok(issue, "an owner is named", evidence=[named])
        else:
            yield self.fail(issue, context, "No owner.", evidence=self._tried(issue, context))

    def _may_inherit(self, issue: Issue) -> bool:
        return self.inherit and not issue.is_started

    def _named(self, issue: Issue, context: Context) -> Evidence | None:
        for named in owners(issue, context.texts.body(issue)):
            if self._standing(named.who, issue, context) is Standing.PERSON:
                return named.evidence
        return None

    def _above(self, issue: Issue, context: Context) -> Evidence | None:
        parent = context.backlog.parent(issue)
        if parent is not None:
            for person in (*parent.accountable, *parent.assignees):
                if self._standing(person, parent, context) is Standing.PERSON:
                    return of_value("F", "parent", person, note=f"inherited from {parent.key}")
        project = context.backlog.project(issue)
        if project is not None and project.lead and not self._is_placeholder(project.lead):
            return of_value("F", "project.lead", project.lead, note=f"lead of {project.name}")
        return None

    def _standing(self, who: str, issue: Issue, context: Context) -> Standing:
        if self._is_placeholder(who) or is_team(who, self.team_aliases):
            return Standing.NOBODY
        person = resolve(context.backlog, issue.source, who)
        if person is None:
            # Without a directory nothing can be looked up, and a name is taken at its word.
            return self._unlisted(who, issue) if context.backlog.has_people(issue.source) else Standing.PERSON
        is_nobody = person.is_bot or self._is_placeholder(person.name) or self._is_placeholder(person.handle or "")
        return Standing.NOBODY if is_nobody else Standing.PERSON

    @staticmethod
    def _unlisted(who: str, issue: Issue) -> Standing:
        """An assigned account exists though its profile is hidden; a written name that no account has is nobody."""
        is_account = who in issue.assignees or who in issue.accountable
        return Standing.HIDDEN if is_account else Standing.NOBODY

    def _is_placeholder(self, who: str) -> bool:
        return who.casefold() in {each.casefold() for each in self.placeholder_users}

    def _tried(self, issue: Issue, context: Context) -> Iterator[Evidence]:
        for person in issue.assignees:
            yield of_value("F", "assignees", person, note=self._standing(person, issue, context).value)
        for named in owners(issue, context.texts.body(issue)):
            yield named.evidence

    flagged = (
        Example("active without an assignee", an_issue(category=StatusCategory.ACTIVE), severity=Severity.ERROR),
        Example("owner to be defined", an_issue(body="Owner: TBD"), severity=Severity.INFO),
        Example(
            "active with an owner line and no assignee",
            an_issue(body="Owner: Ana", category=StatusCategory.ACTIVE),
            severity=Severity.ERROR,
        ),
        Example("a bot is nobody", an_issue(assignees=("bot",)), context={"people": PEOPLE}),
        Example("a team is nobody in particular", an_issue(body="Owner: @demo/payments")),
        Example(
            "the default assignee is a placeholder",
            an_issue(assignees=("lead",)),
            options={"placeholder_users": ("lead",)},
            evidence="lead",
        ),
        Example("a name that no account has", an_issue(body="Owner: Zoe"), context={"people": PEOPLE}),
        Example(
            "waiting in triage for a week",
            an_issue(category=StatusCategory.TRIAGE),
        ),
    )
    passed = (
        Example("one assignee", an_issue(assignees=("mia",))),
        Example(
            "backlog story in a project with a lead",
            an_issue(),
            context={"projects": {("demo", "DEMO"): Project(source="demo", id="DEMO", name="Demo", lead="ana")}},
        ),
        Example("an accountable person", an_issue(accountable=("ana",)), context={"people": PEOPLE}),
        Example("an owner line", an_issue(body="Owner: Ana Example"), context={"people": PEOPLE}),
        Example("an accountable handle", an_issue(body="Accountable: @ana"), evidence="@ana"),
        Example("a RACI row with an A", an_issue(body=RACI), evidence="Release the export"),
        Example("an owner section", an_issue(body="## Owner\n\nAna Example\n"), evidence="Ana Example"),
        Example("a German owner line", an_issue(body="Verantwortlich: Ana Example")),
        Example(
            "the parent's assignee, while not started",
            an_issue(id="2", parent="1"),
            others=(an_issue(id="1", type=IssueType.EPIC, assignees=("ana",)),),
        ),
    )
    declined = (
        Example("a subtask", an_issue(type=IssueType.SUBTASK)),
        Example("a hidden profile", an_issue(assignees=("zoe",)), context={"people": PEOPLE}),
        Example(
            "new in triage",
            an_issue(category=StatusCategory.TRIAGE, created_at=EXAMPLE_NOW - timedelta(days=1)),
        ),
    )
