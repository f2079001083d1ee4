"""DEC001: a decision that nobody could follow a year later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.criteria_text import field_text, is_allowed
from backlint.rules.dates_text import find_date
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import section_lines
from backlint.rules.people_text import owners
from backlint.rules.review_text import review_date
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule
from backlint.text.document import Document, Meaning, Section

DECISION_LABELS = frozenset({"decision", "adr", "decision-record"})
_DECISION = re.compile(
    r"\W*(?:the\s+)?(?:decision|decision\s+(?:outcome|record)|entscheidung|d[ée]cision|decisi[óo]n|decis[ãa]o"
    r"|decisione|besluit|decyzja)\W*",
    re.IGNORECASE,
)
_CHOSEN = re.compile(
    r"\b(?:decision(?:\s+outcome)?|chosen\s+option|conclusion|outcome|resolution|entscheidung|d[ée]cision|decisi[óo]n"
    r"|decis[ãa]o|decisione|besluit|decyzja)\b",
    re.IGNORECASE,
)
_CHOSEN_PHRASE = re.compile(
    r"""(?<!\w)(?:we\ (?:have\ )?(?:chose|choose|decided|decide|will\ (?:use|take|go\ with)|go\ with|went\ with|take
        |picked|selected)|decided\ (?:on|to|for)|decision\s*[:：]|chosen(?:\ option)?\s*[:：]
        |option\ \w+\ (?:it\ is|wins|is\ taken|was\ chosen)|wir\ (?:haben\ uns\ (?:für\ [^.;\n]{1,60}\ )?entschieden
        |nehmen|entscheiden\ uns)|nous\ (?:avons\ (?:choisi|d[ée]cid[ée])|retenons|choisissons)
        |hemos\ (?:decidido|elegido)|elegimos|decidimos|escolhemos|abbiamo\ (?:deciso|scelto)|we\ hebben\ (?:gekozen
        |besloten)|zdecydowaliśmy|wybraliśmy)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_OPTIONS = re.compile(
    r"\b(?:options?|alternatives?|possibilit(?:y|ies)|considered|choices|candidates|optionen|alternativen|opciones"
    r"|alternativas|op[çc][õo]es|opzioni|alternative|opties|opcje|warianty)\b",
    re.IGNORECASE,
)
_OPTION_LINE = re.compile(
    r"\W*(?:option|alternative|variant|variante|opci[óo]n|op[çc][ãa]o|opzione|optie|opcja|wariant)\s*(?:[A-H]|\d{1,2}"
    r"|I{1,3})\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:rationale|reasons?|reasoning|why|justification|motivation|consequences|pros(?:\s+and\s+cons)?|drivers?"
    r"|begründung|gründe|warum|raisons?|pourquoi|justification|motivos?|raz[óo]n(?:es)?|por\s+qu[ée]|motiva[çc][ãa]o"
    r"|motivazione|perch[ée]|reden(?:en)?|waarom|uzasadnienie|dlaczego)\b",
    re.IGNORECASE,
)
_REASON_PHRASE = re.compile(
    r"(?<!\w)(?:because|since|as\s+it|due\s+to|so\s+that|in\s+order\s+to|reason|therefore|weil|da\s+(?:es|sie|wir)"
    r"|damit|deshalb|parce\s+que|car|afin|porque|ya\s+que|para\s+que|pois|perch[ée]|poich[ée]|omdat|want|ponieważ"
    r"|bo)(?!\w)",
    re.IGNORECASE,
)
_DATE_LINE = re.compile(
    r"\W*(?:date|decided(?:\s+on)?|decision\s+date|status|datum|entschieden|fecha|data|d[ée]cid[ée])\b", re.IGNORECASE
)
DATE_FIELDS = ("decided_on", "decision_date", "date")
COMPLETE = """\
Date: 2026-03-02
Owner: Ana Example

## Options

- A file in the format of the tax office
- A file in the format of the auditor

## Decision

We take the format of the tax office.

## Rationale

The auditor reads it as well.

Review date: 30 Sep 2026
"""


def a_decision(body: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.DECISION, "title": "Format of the export", "body": body, **given})


class DecisionIncomplete(Rule):
    """A decision record lacks some of its parts.

    Why it matters: a decision without its options and its reason is taken again by the next person who asks.

    How to fix: date, who decides, at least two options, what was chosen, why, and when it is looked at again.

    Not flagged: parts in mapped fields or under headings in any enabled language; options kept on a page that the
    option `accept_links` allows; issues that are no decision, by type, label or a section "Decision".
    """

    code = "DEC001"
    name = "decision-incomplete"
    severity = Severity.INFO
    question = "What were the options and why this one?"
    dimension = "consistency"

    types: frozenset[IssueType] = EVERY_TYPE
    min_options: int = 2  # one option is no choice
    accept_links: tuple[str, ...] = ()  # domains where options may be described

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        document = context.texts.body(issue)
        if not _is_decision(issue, document):
            yield self.not_applicable(issue, "no decision")
            return
        parts: dict[str, Callable[[], bool]] = {
            "date": lambda: _has_date(issue, document),
            "owner": lambda: bool(issue.accountable or issue.assignees) or any(True for _ in owners(issue, document)),
            "options": lambda: self._has_options(issue, document),
            "chosen path": lambda: _says(issue, document, ("decision", "chosen"), _CHOSEN, _CHOSEN_PHRASE),
            "reason": lambda: _says(issue, document, ("reason", "rationale"), _REASON, _REASON_PHRASE),
            "review date": lambda: review_date(issue, document) is not None,
        }
        missing = [name for name, is_there in parts.items() if not is_there()]
        if missing:
            yield self.fail(issue, context, f"Decision record lacks: {', '.join(missing)}.", confidence=0.8)

    def _has_options(self, issue: Issue, document: Document) -> bool:
        if field_text(issue, "options").strip():
            return True
        if any(is_allowed(link, self.accept_links) for link in document.links):
            return True
        listed = sum(bool(_OPTION_LINE.match(line.text)) for line in lines_of(document))
        headed = sum(bool(_OPTION_LINE.match(section.heading)) for section in document.sections)
        under = max((_count(section) for section in document.sections if _OPTIONS.search(section.heading)), default=0)
        return max(listed, headed, under) >= self.min_options

    flagged = (
        Example("no options", a_decision(COMPLETE.replace("- A file in the format of the auditor\n", ""))),
        Example("no review date", a_decision(COMPLETE.replace("Review date: 30 Sep 2026\n", ""))),
        Example("only a question", a_decision("Which format do we take?")),
        Example(
            "by label", an_issue(title="Format of the export", body="We take CSV.", labels=frozenset({"decision"}))
        ),
    )
    passed = (
        Example("all six", a_decision(COMPLETE)),
        Example(
            "options on a page",
            a_decision(
                COMPLETE.replace("- A file in the format of the auditor\n", "- See https://wiki.example.com/formats\n")
            ),
            options={"accept_links": ("example.com",)},
        ),
        Example(
            "German",
            a_decision(
                "Datum: 2. März 2026\nVerantwortlich: Ana Example\n\n## Optionen\n\n- Format des Finanzamts\n- Format"
                " der Prüfer\n\n"
                "## Entscheidung\n\nWir nehmen das erste, weil die Prüfer es auch lesen.\n\nÜberprüfung am 30."
                " September 2026\n"
            ),
        ),
    )
    declined = (Example("an ordinary story", an_issue(body="Export the list.")),)


def _is_decision(issue: Issue, document: Document) -> bool:
    if issue.type is IssueType.DECISION or DECISION_LABELS & {label.casefold() for label in issue.labels}:
        return True
    return any(_DECISION.fullmatch(section.heading) for section in document.sections)


def _count(section: Section) -> int:
    return sum(getattr(line, "depth", 0) == 0 for line in section_lines(section))


def _has_date(issue: Issue, document: Document) -> bool:
    if any(issue.fields.get(name) for name in DATE_FIELDS):
        return True
    reviews = {line.start for section in document.under(Meaning.REVIEW) for line in section_lines(section)}
    for section in document.sections:
        if _DATE_LINE.match(section.heading) and any(find_date(line.text) for line in section_lines(section)):
            return True
    return any(
        _DATE_LINE.match(line.text) and find_date(line.text) for line in lines_of(document) if line.start not in reviews
    )


def _says(
    issue: Issue, document: Document, fields: tuple[str, ...], heading: re.Pattern[str], phrase: re.Pattern[str]
) -> bool:
    if any(field_text(issue, name).strip() for name in fields):
        return True
    for section in document.sections:
        if heading.search(section.heading) and section_lines(section):
            return True
    return any(phrase.search(line.text) for line in lines_of(document))
