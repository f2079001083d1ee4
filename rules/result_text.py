"""What came of a piece of work, where somebody wrote it down: a field, a section, a line or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.model import Comment, Evidence, Issue
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part, of_value, section_lines
from backlint.text.document import Document

RESULT_FIELDS = ("measured_result", "result")
_HEADING = re.compile(
    r"""\W*(?:(?:the\ |measured\ |actual\ |final\ )?results?(?:\ (?:and|&)\ \w+)?|(?:measured\ |actual\ )?impact
        |learnings?|lessons?(?:\ learned)?
        |what\ we\ (?:learned|learnt)|what\ happened|retrospective|ergebnis(?:se)?|erkenntnisse|wirkung|r[ée]sultats?
        |enseignements?
        |resultados?|aprendizajes?|aprendizados?|risultat[oi]|resultaten?|geleerd|wyniki?|wnioski)\W*""",
    re.VERBOSE | re.IGNORECASE,
)
_SAYS = re.compile(
    r"""\d|\bno\ (?:change|effect|difference|impact|movement)\b|\bunchanged\b|\bflat\b|\bnothing\ changed\b|\b(?:above
        |below|missed|hit|reached)\b
        |kein(?:e)?\ (?:änderung|wirkung|effekt)|unverändert|aucun\ (?:effet|changement)|sin\ (?:cambios?|efecto)
        |sem\ (?:mudan[çc]a|efeito)
        |nessun\ (?:effetto|cambiamento)|geen\ (?:effect|verandering)|bez\ zmian""",
    re.VERBOSE | re.IGNORECASE,
)
_OPENING = re.compile(
    r"[\s#*_>]*(?:results?|outcome|impact|learnings?|ergebnis|r[ée]sultats?|resultados?|risultat[oi]|resultaat"
    r"|wynik)\s*[*_]*\s*[:：]\s*[*_]*\s*\w",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"\W*(?:(?:measured |actual |final )?results?|learnings?|ergebnis|r[ée]sultats?|resultados?|risultat[oi]"
    r"|resultaat|wynik)"
    r"\W*[:：]\W*(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)


def recorded_results(issue: Issue, document: Document) -> Iterator[Evidence]:
    """Every result that is recorded on the issue, the field before the text, the text before the comments."""
    for name in RESULT_FIELDS:
        value = issue.fields.get(name)
        if value is not None and str(value).strip():
            yield of_value("F", f"fields.{name}", value)
    yield from results_in_text(document)
    for comment in issue.comments:
        if states_result(comment):
            yield of_value("P", f"comments.{comment.id}", comment.body)


def states_result(comment: Comment) -> bool:
    """Whether a person opens the comment with the result ("Result: 33 %, below target")."""
    return not comment.is_bot and not comment.is_own and _OPENING.match(comment.body) is not None


def results_in_text(document: Document) -> Iterator[Evidence]:
    """Sections and lines that say what the measure did; a heading with nothing below is none."""
    for section in document.sections:
        if _HEADING.fullmatch(section.heading):
            for line in section_lines(section):
                if _SAYS.search(line.text):
                    yield of_part(document, line, kind="S", field="body")
    for line in lines_of(document):
        stated = _LINE.match(line.text)
        if stated is not None and _SAYS.search(stated["rest"]):
            yield of_part(document, line, kind="P", field="body")
