"""AIF002: why it needs a model is not argued."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.ai_text import AiRule
from backlint.rules.rule import Context, Example

FIELDS = ("alternatives", "baseline_argument", "problem_fit")
_HEADING = re.compile(
    r"\b(?:alternatives?(?:\s+considered)?|baselines?|why\s+(?:a\s+)?(?:ml|ai|model|machine\s+learning|llm)"
    r"|heuristics?|rules?\s+based|alternativen|alternativas?"
    r"|alternatieven|alternatywy|regelbasiert)\b",
    re.IGNORECASE,
)
_ARGUED = re.compile(
    r"""(?<!\w)(?:(?:simple|hand[- ]?written|keyword|if[- ]then|static|existing|current|business|regex
        |fixed)[- ]rules?|rules?[- ]based|rules?\ (?:reach|would|do|cannot|can['’]?t|are\ not|fail|catch|cover)\w*
        |heuristics?|baselines?|keyword\ (?:search|matching|list)|regex(?:es)?|without\ (?:a\ )?(?:model|ml
        |machine\ learning|llm)
        |alternatives?|compared\ (?:to|with)\ (?:the\ )?(?:current|manual|simple|rules)|(?:too|so)\ many\ (?:cases
        |variants|rules)\b|cannot\ be\ (?:written|expressed)\ as\ rules
        |(?:einfache|feste)\ regeln|regelbasiert\w*|stichwort\w*|heuristik\w*|ohne\ modell|r[èe]gles?\ (?:simples?
        |m[ée]tier)|heuristique|sans\ mod[èe]le
        |reglas\ (?:simples|fijas)|heur[íi]stica|sin\ modelo|regras\ simples|sem\ modelo|regole\ semplici|euristica
        |senza\ modello|vaste\ regels|proste\ reguły|bez\ modelu)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


def an_ai_epic(body: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.EPIC, "title": "Use an LLM to route tickets", "body": body, **given})


class ProblemFitNotArgued(AiRule):
    """Nothing says why simple rules would not do.

    Why it matters: a model costs data, care and wrong answers for as long as it lives; a list of keywords costs an
    afternoon.

    How to fix: what rules reach, by a spike or an estimate, and what is left for a model.

    Not flagged: a section or a sentence on alternatives, a baseline, rules or a heuristic, here or in an issue above.
    """

    code = "AIF002"
    name = "problem-fit-not-argued"
    severity = Severity.INFO
    question = "Could if-then rules solve this? If not, what makes it need learning?"

    # Spikes need this one alone: it is what they are for.
    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE, IssueType.STORY, IssueType.SPIKE})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        outside = self.why_outside(issue)
        if outside is not None:
            yield self.not_applicable(issue, outside)
            return
        found = self.stated(issue, context, FIELDS, _HEADING, _ARGUED)
        if found is not None:
            yield self.ok(issue, "alternatives are named", evidence=[found])
        else:
            yield self.fail(issue, context, "Nothing says why simple rules would not do.", confidence=0.8)

    flagged = (
        Example(
            "an epic that starts with the model", an_ai_epic("We take the largest model and send each ticket to it.")
        ),
        Example("nothing said", an_ai_epic("")),
        Example("a spike", an_issue(type=IssueType.SPIKE, title="Evaluate a classifier for tickets", body="Two days.")),
    )
    passed = (
        Example("rules were tried", an_ai_epic("Keyword rules reach 61 %, see spike."), evidence="Keyword rules reach"),
        Example(
            "a section", an_ai_epic("## Alternatives considered\n\n- A form in which the customer chooses the team\n")
        ),
        Example(
            "argued by the epic above",
            an_issue(id="2", title="Build the classifier of tickets", body="The first slice.", parent="1"),
            others=(an_ai_epic("Keyword rules reach 61 %, see spike.", id="1"),),
        ),
        Example("German", an_ai_epic("Einfache Regeln erreichen 61 %.")),
    )
    declined = (Example("no model", an_issue(title="Export the list", body="")),)
