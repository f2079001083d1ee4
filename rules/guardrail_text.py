"""What must not get worse: guard-rails in fields, sections, phrases, and limits among the acceptance criteria."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.model import Evidence, Issue
from backlint.rules.criteria_text import field_text
from backlint.rules.evidence import of_part, of_value, section_lines
from backlint.text.document import Document, Meaning

FIELDS = ("guardrail", "guardrails", "counter_metric")
GUARD = re.compile(
    r"""(?<!\w)(?:(?:must|should|may|shall)\ not\ (?:get\ worse|increase|decrease|drop|fall|rise|exceed|go|grow|slow
        |degrade|suffer|decline|be\ (?:worse|slower|lower|higher))\w*
        |without\ (?:(?:any|a)\ )?(?:increas|rais|reduc|hurt|harm|affect|degrad|slow|lower|los(?:e|ing)|exceed|compromis
        |sacrific|impact|worsen|breaking)\w*
        |no\ (?:worse|slower|higher|lower|more)\ than|not\ (?:worse|slower)\ than|at\ no\ (?:cost|expense)
        |while\ (?:keeping|maintaining|holding|staying)
        |(?:keep|keeps|keeping|stay|stays|remain|remains|hold|holds)\ (?:\w+\ ){0,4}(?:below|under|above|within
        |at\ or\ (?:below|above)|at\ least|at\ most|stable|constant|flat|unchanged)
        |we\ (?:would\ |will\ )?stop\ if|abort\ if|roll\ back\ if
        |ohne\ (?:dass\b|[^.;\n]{1,60}\ zu\ (?:erhöhen|verschlechtern|senken|verlangsamen|steigern))
        |darf\ nicht\ (?:steigen|sinken|schlechter)|nicht\ schlechter\ als|dürfen\ nicht\ (?:steigen|sinken)
        |sans\ (?:augmenter|d[ée]grader|r[ée]duire|ralentir|d[ée]passer)|ne\ (?:doit|doivent)\ pas\ (?:augmenter
        |baisser|d[ée]passer)|pas\ pire\ que
        |sin\ (?:aumentar|empeorar|reducir|superar)|no\ debe[n]?\ (?:aumentar|bajar|empeorar|superar)|no\ peor\ que
        |sem\ (?:aumentar|piorar|reduzir|ultrapassar)|n[ãa]o\ deve[m]?\ (?:aumentar|piorar|cair|ultrapassar)
        |senza\ (?:aumentare|peggiorare|ridurre|superare)|non\ deve\ (?:aumentare|peggiorare|superare)
        |zonder\ [^.;\n]{1,60}\ te\ (?:verhogen|verslechteren|vertragen)|mag\ niet\ (?:stijgen|dalen|slechter)
        |bez\ (?:zwiększania|pogorszenia|obniżania)|nie\ może\ (?:wzrosnąć|spaść|się\ pogorszyć))""",
    re.VERBOSE | re.IGNORECASE,
)
_LIMIT = re.compile(
    r"[<>≤≥]=?\s*\d|\b(?:under|below|within|at most|no more than|less than|fewer than|at least|unter|höchstens"
    r"|mindestens"
    r"|moins de|au plus|menos de|como máximo|no máximo|meno di|al massimo|hoogstens|poniżej|co najwyżej)\s+\d",
    re.IGNORECASE,
)


def guardrails(issue: Issue, document: Document) -> Iterator[Evidence]:
    """Every place that names a limit which would make one stop."""
    for name in FIELDS:
        text = field_text(issue, name)
        if text.strip():
            yield of_value("F", f"fields.{name}", text)
    for section in document.under(Meaning.GUARDRAIL):
        for line in section_lines(section)[:1]:
            yield of_part(document, line, kind="S", field="body")
    for item in document.items:
        if GUARD.search(item.text):
            yield of_part(document, item, kind="P", field="body")
    for section in document.under(Meaning.ACCEPTANCE):
        for item in section.items:
            if _LIMIT.search(item.text):
                yield of_part(document, item, kind="S", field="body", note="a limit among the criteria")


def without_guardrails(text: str) -> str:
    """The text up to where it says what must not get worse, sentence by sentence."""
    kept = []
    for sentence in re.split(r"(?<=[.;!?])\s+|\n", text):
        guard = GUARD.search(sentence)
        kept.append(sentence[: guard.start()] if guard else sentence)
    return "\n".join(kept)
