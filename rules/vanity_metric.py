"""OUT003: the only metric is one that rises by itself."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.metric_text import vanity_in
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.rule import Context, Example, Rule
from backlint.text.languages import sure_language

LANGUAGE_CHARACTERS = 1_000


def an_epic(body: str, **given: object) -> Issue:
    return an_issue(
        **{"type": IssueType.EPIC, "title": "A new page for the articles of the week", "body": body, **given}
    )


class VanityMetric(Rule):
    """The only metric named rarely drives a decision.

    Why it matters: page views and downloads rise with time and money; nobody does anything else when they do.

    How to fix: the behaviour behind it: a rate, a share, "per active user", who came back, who paid.

    Not flagged: such a metric tied to a rate, a cohort or a behaviour; beside another metric; metrics that the team
    allows. Where the language is not certain, nothing is said.
    """

    code = "OUT003"
    name = "vanity-metric"
    severity = Severity.INFO
    question = "Which behaviour should change if this number rises?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE, IssueType.STORY})
    vanity: tuple[str, ...] = (
        "page views", "pageviews", "page view", "impressions", "likes", "followers", "downloads",
        "total registered users", "registered users", "time on page", "lines of code", "features shipped",
        "story points", "velocity",
        "Seitenaufrufe", "Downloads", "Codezeilen", "pages vues", "téléchargements", "páginas vistas", "descargas",
        "visualizações de página", "visualizzazioni di pagina", "paginaweergaven", "odsłony",
    )  # counts that rise with time and money; catalogue OUT003, and their usual names in other languages  # fmt: skip
    allow: tuple[str, ...] = ()  # of these, what this team decides by: page views are a publisher's business

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        stated = own_outcomes(issue, context)
        if not stated:
            yield self.not_applicable(issue, "no outcome of its own: OUT001 says it")
            return
        allowed = {word.casefold() for word in self.allow}
        vanity = tuple(word for word in self.vanity if word.casefold() not in allowed)
        found = vanity_in("\n".join(each.text for each in stated), vanity)
        if found is None:
            return
        lines = [issue.title, *(item.text for item in context.texts.body(issue).items)]
        if sure_language("\n".join(lines)[:LANGUAGE_CHARACTERS]) is None:
            yield self.unknown(issue, "the language of the text is not certain")
            return
        message = f"The only metric named, “{found}”, rarely drives a decision."
        yield self.fail(issue, context, message, evidence=[stated[0].evidence], confidence=0.6)

    flagged = (
        Example("page views", an_epic("Success metric: 10,000 page views"), evidence="10,000 page views"),
        Example("features", an_epic("Goal: ship 12 features")),
        Example("a number of downloads", an_epic("## Outcome\n\nThe number of downloads grows to 5,000 by June.\n")),
    )
    passed = (
        Example("tied to accounts", an_epic("Outcome: page views per activated account, trial-to-paid 8 % → 10 %")),
        Example("a publisher", an_epic("Outcome: 10,000 page views by June"), options={"allow": ("page views",)}),
        Example("who pays", an_epic("Outcome: downloads per week by paying accounts rise to 500")),
        Example("another metric beside it", an_epic("Outcome: more page views and fewer complaints by June")),
        Example("no metric at all", an_epic("Outcome: users are happier with search")),
    )
    declined = (
        Example("no outcome at all", an_epic("- Export of invoices as CSV\n")),
        Example("a language that is not certain", an_epic("Goal: 12 likes", title="Likes")),
    )
