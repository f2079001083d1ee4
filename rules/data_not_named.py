"""AIF003: what the model learns from, or is judged on, is not named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.ai_text import AiRule
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part
from backlint.rules.rule import Context, Example

FIELDS = ("training_data", "data", "dataset", "data_source")
_HEADING = re.compile(
    r"\b(?:(?:training|evaluation|test|input)?\s*data(?:\s*(?:sources?|sets?))?|data\s?sets?|trainingsdaten"
    r"|datenquellen?|donn[ée]es|datos|dados|dati|gegevens|dane)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"""(?<!\w)(?:
        \d+\ (?:months?|weeks?|years?|days?)\ of\ (?:\w+\ ){0,3}(?:tickets?|logs?|orders?|events?|clicks?|data
        |e?-?mails?|calls?|chats?|transactions?|records?|reviews?|sessions?)
      | \d[\d.,]*\ (?:[\w-]+\ ){0,3}(?:questions?|examples?|samples?|tickets?|articles?|documents?|images?|rows?
      |records?|conversations?|e?-?mails?|cases|labels?|orders?|calls?)
      | (?:labell?ed|annotated|tagged|rated)\ (?:by|with|from)\ \w+ | held[- ]out | (?:training|test|validation
      |evaluation|golden)\ (?:set|sample|data)(?=[^\n]{0,40}\b(?:of|from|in|holds?|with|is|are|:))
      | (?:trained|learns?|fine[- ]tuned|evaluated|judged|tested|measured)\ (?:on|from|with
      |against)\ (?:the\ )?(?!our\ data\b|data\b|the\ data\b|your\ data\b)[\w-]+\ \w+
      | no\ training\b | (?:table|view|topic|bucket|warehouse|dataset)\ [`"'\w.]+ | [`"']?\w+\.\w+[`"']?\ table
      | (?:closed|past|historical|support|order|search|click|chat|audit)\ (?:tickets?|logs?|orders?|queries
      |data)\ (?:of|from|since|in)
      | \d+\ (?:monate|wochen|jahre)\ (?:\w+\ ){0,3}(?:tickets?|protokolle|bestellungen|anfragen) | beschriftet\ von
      | trainiert\ (?:auf|mit)\ (?!unseren\ daten\b)\w+
      | \d+\ mois\ de | entra[îi]n[ée]e?\ sur\ (?!nos\ donn[ée]es\b)\w+ | \d+\ meses\ de
      | entrenado\ con\ (?!nuestros\ datos\b)\w+ | treinado\ com\ (?!nossos\ dados\b)\w+
      | \d+\ mesi\ di | addestrato\ su\ (?!nostri\ dati\b)\w+ | getraind\ op\ (?!onze\ data\b)\w+
      | wytrenowan\w+\ na\ (?!naszych\ danych\b)\w+
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_CARE = re.compile(
    r"\b(?:consent|licen[cs]ed?|bias(?:ed)?|gdpr|anonymi[sz]ed|pseudonymi[sz]ed|einwilligung|dsgvo|rgpd|consentement"
    r"|consentimiento|consentimento|consenso)\b",
    re.IGNORECASE,
)


def an_ai_story(body: str, **given: object) -> Issue:
    return an_issue(**{"title": "Train a classifier for tickets", "body": body, **given})


class DataNotNamed(AiRule):
    """The data it learns from or is judged on is not named.

    Why it matters: the data decides what a model can do, who may be hurt by it and whether it may be used at all; it
    is found missing when everything else is built.

    How to fix: which tables, logs or documents, of what time, labelled by whom; for a bought model: what it is judged
    on.

    Not flagged: a data section, or a sentence that names a source, a set, a table, a log or who labels it, here or in
    an issue above. "Our data" names nothing, and data that a page shows is not meant. Consent, licence and bias are
    shown where they are mentioned.
    """

    code = "AIF003"
    name = "data-not-named"
    label = "needs-quality-bar"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Which data, who owns it, may we use it, is it biased against someone?"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        outside = self.why_outside(issue)
        if outside is not None:
            yield self.not_applicable(issue, outside)
            return
        found = self.stated(issue, context, FIELDS, _HEADING, _NAMED)
        if found is None:
            message = "The data it learns from or is judged on is not named."
            yield self.fail(issue, context, message, confidence=0.8)
            return
        document = context.texts.body(issue)
        care = [
            of_part(document, line, kind="P", field="body", note="care")
            for line in lines_of(document)
            if _CARE.search(line.text)
        ]
        yield self.ok(issue, "data is named", evidence=[found, *care[:1]])

    flagged = (
        Example("nothing said", an_ai_story("Route each ticket to the right team.")),
        Example("our data", an_ai_story("We train on our data and see what comes out.")),
        Example("data that a page shows", an_ai_story("The page shows the data of the user beside the suggestion.")),
    )
    passed = (
        Example(
            "a source and who labelled it",
            an_ai_story("12 months of closed support tickets, labelled by two agents"),
            evidence="12 months of closed",
        ),
        Example("a bought model", an_ai_story("Vendor model, no training; judged on 300 held-out questions.")),
        Example("a section", an_ai_story("## Data\n\n- The table of closed tickets since May, with consent\n")),
        Example(
            "named by the epic above",
            an_ai_story("The first slice.", id="2", parent="1"),
            others=(an_issue(id="1", type=IssueType.EPIC, body="Trained on closed tickets since May."),),
        ),
    )
    declined = (Example("no model", an_issue(title="Export the list", body="")),)
