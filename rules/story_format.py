"""TXT005: the team tells its stories as "As a ..., I want ...", and this one is told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.story_text import told_story

TOLD = "As a clerk, I want to export the invoice list, so that the month closes a day earlier."
ON_BOLD_LINES = """\
**As a** clerk

**I want** to export the invoice list

**So that** the month closes a day earlier
"""
SLOTS = "As a …, I want …, so that …"
USED = {"habits_are_on": True}


def finished(count: int, body: str) -> tuple[Issue, ...]:
    """Stories that the team finished last week."""
    return tuple(
        an_issue(
            id=f"f{number}", body=body, category=StatusCategory.DONE, updated_at=EXAMPLE_NOW - timedelta(days=number)
        )
        for number in range(1, count + 1)
    )


class StoryFormat(Rule):
    """Role, want or benefit is missing.

    Why it matters: where a team reads its stories as "who wants what", one that is told otherwise is read as a
    task, and nobody asks for whom it is.

    How to fix: one sentence: "As a (who), I want (what), so that (why)"; or "When (situation), I want (what), so
    I can (why)".

    Not flagged: teams without the habit (under half of the stories finished in 90 days); the sentence in any of
    the enabled languages, in the title or in the body, on one line or on three; "user" as the role.
    """

    code = "TXT005"
    name = "story-format"
    severity = Severity.INFO
    question = "For whom is this and why?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY})
    require_benefit: bool = False  # the reason often stands in the epic

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        habits = context.backlog.habits(issue)
        if habits.story_format is None:
            yield self.not_applicable(issue, "too little finished in 90 days to tell whether the team uses the format")
            return
        if not habits.story_format:
            yield self.not_applicable(issue, f"under half of the last {habits.stories} stories used the format")
            return
        told = told_story(issue, context)
        missing = set(told.story.missing if told else ("role", "want", "benefit"))
        needed = [part for part in ("role", "want", "benefit") if part != "benefit" or self.require_benefit]
        lacking = [part for part in needed if part in missing]
        evidence = [told.evidence] if told else []
        if not lacking:
            yield self.ok(issue, "told as a story", evidence=evidence)
            return
        message = f"{' and '.join(lacking).capitalize()} {'is' if len(lacking) == 1 else 'are'} missing."
        yield self.fail(issue, context, message, evidence=evidence)

    flagged = (
        Example(
            "a task among stories",
            an_issue(title="Add button", body="A button that exports the list."),
            others=finished(6, TOLD),
        ),
        Example("nobody filled the slots", an_issue(body=SLOTS), context=USED),
        Example(
            "slots named and not filled", an_issue(body="As a [role] I want [goal] so that [benefit]"), context=USED
        ),
        Example(
            "no benefit, where it is required",
            an_issue(body="As a clerk, I want to export the invoice list."),
            options={"require_benefit": True},
            context=USED,
        ),
        Example(
            "a fault told as a role's", an_issue(body="As a visitor I can only see the first page of it."), context=USED
        ),
    )
    passed = (
        Example("the sentence in the body", an_issue(body=TOLD), context=USED, evidence="As a clerk, I want to export"),
        Example("each marker on its own bold line", an_issue(body=ON_BOLD_LINES), context=USED, evidence="As a"),
        Example("in the title", an_issue(title="As a user I want to export the list"), context=USED),
        Example("no benefit", an_issue(body="As a user, I'd like to export the list."), context=USED),
        Example("Dutch", an_issue(body="Als gebruiker wil ik filteren zodat ik sneller vind"), context=USED),
        Example(
            "German",
            an_issue(body="Als Buchhalterin möchte ich die Liste exportieren, damit ich fertig werde."),
            context=USED,
        ),
        Example("French", an_issue(body="En tant que client, je veux trouver mes factures seul."), context=USED),
        Example("Spanish", an_issue(body="Como contable quiero exportar la lista para cerrar el mes"), context=USED),
        Example("Portuguese", an_issue(body="Como contadora quero exportar a lista para fechar o mês"), context=USED),
        Example("Italian", an_issue(body="Come contabile voglio esportare la lista delle fatture"), context=USED),
        Example(
            "a job story",
            an_issue(body="When a month ends, I want to export the list, so I can close it."),
            context=USED,
        ),
    )
    declined = (
        Example("a team without the habit", an_issue(body="A button."), others=finished(6, "A list with a button.")),
        Example("a young team", an_issue(body="A button."), others=finished(2, TOLD)),
    )
