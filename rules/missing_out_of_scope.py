"""OUT009: nothing is said to be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity
from backlint.rules.criteria_text import field_text
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part, of_span, of_value, section_lines
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Document, Meaning, Section

_WONT = re.compile(r"\W*won['’]?t(?:[- ]have)?(?:\s+(?:this time|now|yet|in this .*))?\W*", re.IGNORECASE)  # of MoSCoW
_PHRASE = re.compile(
    r"""(?<!\w)(?:out\ of\ scope|not\ in\ scope|not\ part\ of\ (?:this|the)|we\ (?:will|do)\ not\ (?:build|support
        |cover|include|do|touch)
        |won['’]t\ (?:be\ (?:built|supported|covered|included|part)|build|support|cover|include)|non-?goals?
        |nicht\ (?:teil|bestandteil|enthalten|im\ umfang)|außerhalb\ des\ umfangs|hors\ p[ée]rim[èe]tre
        |fuera\ de(?:l)?\ alcance|fora\ do\ escopo
        |fuori\ ambito|buiten\ (?:de\ )?scope|poza\ zakresem)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
FIELDS = ("out_of_scope", "non_goals")


def an_epic(body: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.EPIC, "title": "Exports", "body": body, **given})


class MissingOutOfScope(Rule):
    """Nothing is named as out of scope.

    Why it matters: what is not excluded is expected by somebody, and found out at the demo.

    How to fix: one line for each thing that a reader would expect and that is not built now.

    Not flagged: a section with at least one real line, MoSCoW's "Won't" list among them; a sentence that says what
    is not part of it; a mapped field.
    """

    code = "OUT009"
    name = "missing-out-of-scope"
    severity = Severity.INFO
    question = "What are you deliberately not building now?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        document = context.texts.body(issue)
        sections = tuple(_sections(document))
        waived = next((each.waiver for each in sections if each.waiver), None)
        if waived is not None:
            yield self.waived_inline(issue, waived)
            return
        found = next(_named(issue, document, sections), None)
        if found is not None:
            yield self.ok(issue, "named", evidence=[found])
            return
        evidence = [of_span(document, each.start, each.end, kind="S", field="body") for each in sections]
        yield self.fail(issue, context, "Nothing is named as out of scope.", evidence=evidence)

    flagged = (
        Example("no section", an_epic("Outcome: activation 31 % → 36 % by 30 Sep")),
        Example("a section that says none", an_epic("## Out of scope\n\nNone\n"), evidence="Out of scope"),
        Example("no description", an_epic("")),
    )
    passed = (
        Example("on one line", an_epic("Out of scope: enterprise SSO"), evidence="enterprise SSO"),
        Example("a section", an_epic("## Non-goals\n\n- Export of deleted invoices\n")),
        Example("MoSCoW", an_epic("**Won't have**\n\n- Export of deleted invoices\n")),
        Example("a sentence", an_epic("Exports of deleted invoices are not part of this epic.")),
        Example("French", an_epic("## Hors périmètre\n\n- Export des factures supprimées\n")),
        Example("a mapped field", an_epic("", fields={"out_of_scope": "Enterprise SSO"})),
    )
    declined = (
        Example("a story", an_issue(body="Export the list.")),
        Example("not applicable for a reason", an_epic("## Out of scope\n\nN/A - the law draws the line\n")),
    )


def _sections(document: Document) -> Iterator[Section]:
    for section in document.sections:
        if Meaning.OUT_OF_SCOPE in section.meanings or _WONT.fullmatch(section.heading):
            yield section


def _named(issue: Issue, document: Document, sections: tuple[Section, ...]) -> Iterator[Evidence]:
    for name in FIELDS:
        text = field_text(issue, name)
        if text.strip():
            yield of_value("F", f"fields.{name}", text)
    for section in sections:
        for line in section_lines(section)[:1]:
            yield of_part(document, line, kind="S", field="body")
    for line in lines_of(document):
        if _PHRASE.search(line.text):
            yield of_part(document, line, kind="P", field="body")
