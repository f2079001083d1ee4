"""Reads why something is wanted, and whether one could see that it was reached, out of a text.

Two questions are kept apart: is an outcome stated at all (`stated_outcomes`), and can it be measured (`measure`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backlint.model import Evidence, Issue, IssueType
from backlint.rules.evidence import of_part, of_span, of_value, section_lines
from backlint.rules.measure_text import is_output, measure
from backlint.rules.rule import Context
from backlint.rules.words import content_words, repeats_the_work
from backlint.text.document import Document, Item, Meaning, Section

# Mapped fields that state an outcome by themselves (catalogue 1.1).
OUTCOME_FIELDS = ("outcome", "metric", "target", "key_result", "objective")

_OUTCOME_LINE = re.compile(
    r"""^\W*(?:(?:expected|desired|intended)\ )?(?:outcomes?|goals?|objectives?|impact|benefits?|hypothes[ie]s
        |success\ (?:metrics?|criteria|measures?)
        |business\ value|user\ value|value\ proposition|purpose|motivation|rationale|aim|why
        |ziele?|wirkung|nutzen|erfolgskriteri(?:um|en)|hypothese|zweck|mehrwert
        |objectifs?|b[ée]n[ée]fices?|indicateurs?\ de\ succ[èe]s|hypoth[èe]ses?|but|finalit[ée]
        |objetivos?|beneficios?|m[ée]tricas?\ de\ [ée]xito|hip[óo]tesis|prop[óo]sito|benef[íi]cios?
            |m[ée]tricas?\ de\ sucesso|hip[óo]teses?
        |obiettiv[oi]|benefici[o]?|scopo|ipotesi|doel(?:en)?|resultaat|voordeel|cel|korzy[śs][ćc]|hipoteza)
        \W*?[*_]*\s*[:：]\s*[*_]*(?P<rest>\S.*)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# French, German, Spanish, Portuguese "expected result" is an outcome in an epic and expected behaviour in a bug (X17).
_EXPECTED_RESULT = re.compile(
    r"r[ée]sultats?\s+attendus?|expected\s+(?:results?|outcomes?|impact)|erwartete[sr]?\s+ergebnis|resultados?\s+esperados?",
    re.IGNORECASE,
)
_RESULT_TYPES = (IssueType.EPIC, IssueType.INITIATIVE)

# -- purpose clauses (phrases, catalogue 1.6 P) -----------------------------------------------------------------------

_SO_THAT = re.compile(
    r"""(?<!\w)(?:so\ that|such\ that|so\ as\ to|so(?=\ (?:we|i|you|they|it|he|she|users?|customers?|people|the|our
        |everyone|that)\b)
        |in\ order\ (?:to|that)|damit|sodass|so\ dass|um(?=\ [^.;!?]{3,80}\ zu\ )|afin\ (?:que|de|d')|pour\ (?:que
            |pouvoir)
        |para\ (?:que|poder)|a\ fim\ de|con\ el\ fin\ de|affinch[ée]|in\ modo\ (?:che|da)|cos[ìi]\ (?:che|da)|zodat
            |opdat|om(?=\ [^.;!?]{3,80}\ te\ )
        |aby|żeby|tak\ aby)(?:\W)(?P<benefit>[^.;!?\n]+(?:\n[^.;!?\n]+)?)""",
    re.VERBOSE | re.IGNORECASE,
)
_WANT = re.compile(
    r"""(?<!\w)(?:i|we|they|he|she|users?|customers?)\s*(?:'d|\ would|\ want|\ need|\ can|\ wish|\ should|\ must)\b
        |\b(?:ich|wir)\ (?:möchte|will|kann|brauche)\w*
        |\bje\ (?:veux|souhaite|peux)|\b(?:quiero|necesito|quero|preciso|voglio|wil\ ik|chc[ęe])\b""",
    re.VERBOSE | re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"""
    # an aim, said to be one
      \b(?:the\ )?(?:main\ |overall\ |end\ )?(?:goal|aim|purpose|idea|point|intent(?:ion)?|motivation|objective
          |reason|benefit|advantage)s?
        \ (?:of\ (?:this|the|these)\ [\w ]{2,30}?|here|behind\ (?:this|it)|for\ (?:this|doing\ (?:this
            |so)))?\s*(?:is|was|are|would\ be|will\ be)\b
    | \bwe(?:'d|\ would|\ want|\ hope|\ aim|\ intend)?\s*(?:hope|aim|intend)?\s*to\ be\ able\ to\b
    | \b(?:hop(?:e|ing)|aim(?:ing)?)\ (?:to|that)\b
    # what it makes possible or better, for someone or something
    | \b(?:this|that|it|which|these|doing\ so|making\ this)\s+(?:change\ |feature\ |way\ )?(?:also\ )?
        (?:(?:will|would|should|can|could|might|may)\ (?:also\ |then\ |greatly\ |really\ )?
           (?:allow|enable|help|let|improve|reduce|increase|avoid|prevent|make|give|save|simplify|ensure|lead|mean
               |encourage|eliminate|speed|free|provide|bring|benefit|remove)
         |allows|enables|helps|lets|improves|reduces|increases|avoids|prevents|makes\ it\ (?:easier|possible|simpler
             |faster|clearer)|gives\ (?:us|users|people|customers)|saves|simplifies)\b
    | \bto\ (?:better\ |properly\ |further\ |greatly\ |easily\ |help\ |significantly\ )?(?:improve|reduce|increase
        |avoid|prevent|simplify|ease|minimi[sz]e|maximi[sz]e|boost|encourage|facilitate|speed\ up|eliminate|mitigate
        |streamline|save)\ (?!the\ (?:file|form|page|changes)\b)\w+
    | \bto\ (?:allow|enable|help|let)\ (?!me\b)(?:(?:the|our|all|other|new|their|your|more|a|an
        |any)\ )?[\w-]+(?:\ [\w-]+){0,3}?\ (?:to\ )?\w{3,}
    | \bto\ make\ (?:it|this|that|things|life|sure|[\w ]{2,30})\ (?:more|less|easier|simpler|faster|clearer|possible
        |consistent|accessible|better|safer|easy|clear)\b
    | ^\W*(?:allow|enable|let|help|give|empower|encourage)\ (?:(?:the|our|all|other|new|more)\ )?(?:users?
        |customers?|people|developers?|admins?(?:istrators?)?|visitors?|teams?|members?|teachers?|students?
        |creators?|clients?|us|everyone|owners?|operators?|players?|contributors?|readers?|editors?|managers?
        |\w+ers?)\b
    | ^\W*(?:avoid|prevent|increase|improve|reduce|decrease|speed\ up|boost|minimi[sz]e|maximi[sz]e|simplify
        |make\ [\w ]+\ (?:easier|faster|more|less))\ \w+
    | \bthis\ way\b | \bthat\ way\b
    | \b(?:makes?|making)\ it\ (?:much\ |a\ lot\ |far\ |more\ )?(?:easier|simpler|possible|clearer|faster|difficult
        |hard|harder|impossible)\b
    | \b(?:easier|simpler|quicker|faster|less\ (?:work|effort|time|confusing|error)|more\ (?:easily|quickly
        |efficiently|useful|discoverable|productive|reliable|user[- ]friendly))\ (?:for|to|than)?\b
    | \b(?:as\ )?measured\ by\b
    | \b(?:saves?|saving)\ (?:time|money|effort|us)\b
    | \bless\ (?:to|code\ to)\ (?:debug|maintain|learn|do)\b
    | \b(?:ermöglicht|verbessert|reduziert|vermeide[nt]|erleichtert|verringert|verhindert|spart)\b
    | \b(?:permet(?:tra|trait)?|am[ée]liore(?:r|ra)?|r[ée]dui(?:t|re|ra)|[ée]vite(?:r|ra)?|facilite(?:r|ra)?)\b
    | \b(?:permit(?:e|ir[áa]?|e\ que)|mejora(?:r|r[áa])?|reduci?r[áa]?|evita(?:r|r[áa])?|facilita(?:r|r[áa])?
        |melhora(?:r|r[áa])?|reduzir[áa]?)\b
    | \b(?:permette(?:re|r[àa])?|migliora(?:re)?|ridurre|evitare|verbetert|voorkomt?|vermindert|umożliwi[ać]?
        |poprawi[ać]?|zmniejsz[ya])\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Who is hurt, and how: a reason that names the pain.
_HARM = re.compile(
    r"""
      \b(?:annoy\w*|frustrat\w+|confus(?:es?|ing|ion)|painful|tedious|cumbersome|error[- ]prone|time[- ]consuming
          |distract\w*|inconvenien\w+|clunky|sluggish|hard\ for\ (?:users|people|us|\w+ers)|misleading\ for
          |disrupt(?:s|ive)|overwhelm\w*|waste[sd]?\ (?:of\ )?(?:time|money|resources|effort)|wasting)\b
    | \b(?:drive[sn]?|scare[sd]?|turn(?:s|ed)?)\ away\b
    | \b(?:los(?:e|es|ing)|cost(?:s|ing)?\ us)\ (?:users|customers|money|revenue|time|trust|data|work|sales)\b
    | \bperformance\ (?:loss|penalty|hit)\b
    | \b(?:limits?|hurts?|harms?|hinders?|slows?\ down|blocks?)\ (?:our|the|user|users|customer|adoption|development
        |teams?|us|people)\b
    | \b(?:have|has|had|need|needs|forced)\ to\ (?:manually|click\ through|completely\ bypass|work\ around|guess
        |re-?enter|re-?type|wait)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)

# -- outcomes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stated:
    """An outcome as stated: the text that says it and the place."""

    text: str
    evidence: Evidence


def field_outcomes(issue: Issue) -> Iterator[Stated]:
    """Outcomes in mapped fields; metric, target and date are one statement."""
    texts = [(name, str(issue.fields[name]).strip()) for name in OUTCOME_FIELDS if issue.fields.get(name)]
    for name, text in texts:
        if text:
            yield Stated(text, of_value("F", f"fields.{name}", text))


def section_outcomes(document: Document, issue_type: IssueType | None, *, field: str = "body") -> Iterator[Stated]:
    """What stands under an outcome heading or after "Outcome:" on a line."""
    for section in outcome_sections(document, issue_type):
        found = section_lines(section)
        if found:
            text = "\n".join(line.text for line in found)
            yield Stated(text, of_span(document, found[0].start, found[0].end, kind="S", field=field))
    for line in document.items:
        stated = _OUTCOME_LINE.match(line.text)
        if stated and content_words(stated["rest"]):
            yield Stated(stated["rest"], of_part(document, line, kind="S", field=field))


def outcome_sections(document: Document, issue_type: IssueType | None) -> tuple[Section, ...]:
    """Sections that state an outcome; "expected result" is one in an epic."""
    stated = document.under(Meaning.OUTCOME)
    if issue_type in _RESULT_TYPES:
        expected = (each for each in document.under(Meaning.EXPECTED) if _EXPECTED_RESULT.search(each.heading))
        return (*stated, *expected)
    return stated


def phrase_outcomes(issue: Issue, document: Document) -> Iterator[Stated]:
    """Benefits, purposes and pains in running text or in the title; a benefit that repeats the work is none."""
    title = issue.title
    found = _purpose_in(title, before="")
    if found is not None:
        start, end = found
        yield Stated(title[start:end], of_value("P", "title", title[start:end]))
    for line in document.items:
        place = _purpose_in(line.text, before=title)
        if place is not None:
            start, end = place
            yield Stated(line.text[start:end], _at(document, line, start, end))


def _at(document: Document, line: Item, start: int, end: int) -> Evidence:
    """Evidence at a stretch of a line; where markup inside the line shifts the offsets, at the whole line."""
    inner = document.text[line.start : line.end].find(line.text[start:end])
    if inner < 0:
        return of_part(document, line, kind="P", field="body")
    return of_span(document, line.start + inner, line.start + inner + end - start, kind="P", field="body")


def _purpose_in(text: str, *, before: str) -> tuple[int, int] | None:
    for clause in _SO_THAT.finditer(text):
        work = text[: clause.start()]
        want = _WANT.search(work)
        work = work[want.end() :] if want else f"{before} {work}"
        if not repeats_the_work(clause["benefit"], work):
            return clause.start(), clause.end()
    for pattern in (_PURPOSE, _HARM):
        match = pattern.search(text)
        if match is not None and not _is_only_the_work(text, match, before):
            return match.start(), _sentence_end(text, match.end())
    return None


def _is_only_the_work(text: str, match: re.Match[str], title: str) -> bool:
    rest = text[match.start() : _sentence_end(text, match.end())]
    return bool(title) and repeats_the_work(rest, title)


def _sentence_end(text: str, at: int) -> int:
    stop = re.compile(r"[.!?\n](?:\s|$)").search(text, at)
    return stop.start() if stop else len(text)


def own_outcomes(issue: Issue, context: Context) -> tuple[Stated, ...]:
    """Every outcome that the issue itself states, in the order of evidence: field, section, phrase (stories only)."""
    document = context.texts.body(issue)
    found = [*field_outcomes(issue), *section_outcomes(document, issue.type)]
    if not found:
        found = list(_measured_lines(document))
    if not found and issue.type not in _RESULT_TYPES:
        found = list(phrase_outcomes(issue, document))
    return tuple(found)


def _measured_lines(document: Document) -> Iterator[Stated]:
    """A line with a metric and a target is an outcome, whatever heads it ("activation 31 % -> 36 %")."""
    for line in document.items:
        found = measure(line.text)
        if found.metric and found.target and (found.direction or found.limit) and not is_output(line.text):
            yield Stated(line.text, of_part(document, line, kind="P", field="body"))


def inherited_outcome(issue: Issue, context: Context, *, depth: int) -> Stated | None:
    """The outcome of the nearest ancestor or of the project, as far as `depth` steps up."""
    for above in context.backlog.ancestors(issue, depth=depth):
        for stated in own_outcomes(above, context):
            return stated
    project = context.backlog.project(issue) if depth > 0 else None
    if project is not None and project.body:
        document = context.texts.read(project.body, project.markup)
        for stated in (*section_outcomes(document, IssueType.INITIATIVE, field="project"), *_measured_lines(document)):
            return stated
    return None
