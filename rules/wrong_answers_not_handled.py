"""AIF004: what a person can do about a wrong answer is not said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.ai_text import AiRule
from backlint.rules.rule import Context, Example

FIELDS = ("fallback", "human_review")
_HEADING = re.compile(
    r"\b(?:fall-?backs?|human\s+(?:review|in\s+the\s+loop)|wrong\s+(?:answers?|results?|predictions?)"
    r"|failure\s+(?:modes?|handling)|guard-?rails?|hand-?over|escalation|errors?\s+handling"
    r"|rückfall\w*|eskalation|menschliche\s+prüfung|solution\s+de\s+repli|revisi[óo]n\s+humana|revis[ãa]o\s+humana"
    r"|revisione\s+umana)\b",
    re.IGNORECASE,
)
_HANDLED = re.compile(
    r"""(?<!\w)(?:fall-?s?\ ?back\w*|human\ (?:review|check|approv\w+|in\ the\ loop)|(?:reviewed|checked|approved
        |confirmed|corrected)\ by\ (?:an?\ |the\ )?\w+|review\ queue
        |confidence\ (?:score\ )?(?:below|under|threshold|of|above|is)|(?:below
        |under)\ (?:a\ confidence\ of\ )?(?:0[.,]\d+|\d+\s?%)[^\n]{0,60}\b(?:goes|go|sent|routed|falls?|agent|human
        |person|manual\w*)
        |undo|revert|report\ (?:button|a\ wrong|wrong|it)|thumbs[- ](?:up|down)|flag(?:ged)?\ (?:as\ )?(?:wrong|by)
        |hand(?:ed)?[- ]?(?:over|off)|escalat\w+|guard-?rails?
        |suggestions?\ only|only\ (?:a\ )?suggest\w*|(?:author|user|agent|editor|person|human|clerk)s?\ (?:accepts?
        |confirms?|approves?|can\ (?:correct|edit|reject|override|change|undo|dismiss|bypass|opt\ out))
        |opt[- ]out|override|dismiss|(?:switch|turn)(?:ed)?\ (?:it\ )?off|kill\ ?switch|manual(?:ly)?\ (?:review|check
        |correct\w*|route)
        |nur\ (?:ein\ )?vorschlag|rückgängig|mensch\w*\ prüf\w*|wird\ (?:von\ \w+\ )?geprüft|unter\ 0[.,]\d+|annuler
        |relu\w*\ par|signaler|deshacer|revisad[oa]\ por|desfazer|revisto\ por|annullare|rivist[oa]\ da|ongedaan
        |cofn[ąi]\w*)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


def an_ai_story(body: str, **given: object) -> Issue:
    return an_issue(**{"title": "Auto-close duplicates with a classifier", "body": body, **given})


class WrongAnswersNotHandled(AiRule):
    """Nothing says what the user can do when it is wrong.

    Why it matters: it will be wrong, and the person it is wrong about has to notice it and get past it.

    How to fix: how one notices, corrects or bypasses it: a threshold below which a person decides, an undo, a report
    button.

    Not flagged: a fallback, human review, a confidence threshold, undo, a report button, a hand-over or a guardrail,
    as a section or in a sentence, here or in an issue above. Exceptions in code are not meant.
    """

    code = "AIF004"
    name = "wrong-answers-not-handled"
    label = "needs-fallback"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "How does a person notice, correct or bypass a wrong result?"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        outside = self.why_outside(issue)
        if outside is not None:
            yield self.not_applicable(issue, outside)
            return
        found = self.stated(issue, context, FIELDS, _HEADING, _HANDLED)
        if found is not None:
            yield self.ok(issue, "a way out is named", evidence=[found])
        else:
            yield self.fail(issue, context, "Nothing says what the user can do when it is wrong.", confidence=0.8)

    flagged = (
        Example("closed by itself", an_ai_story("Duplicates are closed as soon as they are found.")),
        Example(
            "a fully automatic reply", an_issue(title="Generate replies with an LLM", body="Replies are sent at once.")
        ),
        Example("an exception in code", an_ai_story("Catch the exception when the model does not answer in time.")),
    )
    passed = (
        Example(
            "a threshold", an_ai_story("A score below 0.8 goes to an agent."), evidence="below 0.8 goes to an agent"
        ),
        Example("a suggestion", an_ai_story("It is a suggestion only, the author accepts it.")),
        Example("a section", an_ai_story("## Fallback\n\nThe list of today's search is shown instead.\n")),
        Example("undo", an_ai_story("The reporter can undo it for a week.")),
        Example(
            "said by the epic above",
            an_ai_story("The first slice.", id="2", parent="1"),
            others=(an_issue(id="1", type=IssueType.EPIC, body="Every closing is reviewed by an agent."),),
        ),
    )
    declined = (Example("no model", an_issue(title="Export the list", body="")),)
