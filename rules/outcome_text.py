"""Reads why something is wanted, and whether one could see that it was reached, out of a text.

Two questions are kept apart: is an outcome stated at all (`stated_outcomes`), and can it be measured (`measure`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backlint.model import Evidence, Issue, IssueType
from backlint.rules.evidence import of_part, of_span, of_value
from backlint.rules.measure_text import is_output, measure, names_performance
from backlint.rules.rule import Context
from backlint.rules.words import content_words, opens_with_work, repeats_the_work
from backlint.text.any_case import AnyCase
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

_SO_THAT = AnyCase(
    r"""(?<!\w)(?:so\ that(?!\ (?:is|was|will|would|means|could\ be|might\ be)\b)|such\ that|so\ as\ to
        |so(?=\ (?:we|i|you|they|it|he|she|the\ \w+|users?|customers?|people|our\ \w+|everyone|that)\ (?:can|could
            |may|might|will|would|won't|don't
            |doesn't|do\ not|does\ not|never|always|only|know|have|has|get|gets|are\ able|is\ able|need\ not)\b
            (?!\ (?:mean\b|be\ (?:that|because|relat|due)|think|assume|guess|suspect|seem|have\ (?:the|no)\ )))
        |in\ order\ (?:to|that)(?!\ (?:run|reproduce|test|replicate|verify|see|start|install)\b)
        |damit|sodass|so\ dass|um(?=\ [^.;!?]{3,80}\ zu\ )|afin\ (?:que|de|d')|pour\ (?:que|pouvoir)
        |para\ (?:que|poder)|a\ fim\ de|con\ el\ fin\ de|affinch[ée]|in\ modo\ (?:che|da)|cos[ìi]\ (?:che|da)|zodat
            |opdat
        |om(?=\ [^.;!?]{3,80}\ te\ )|aby|żeby|tak\ aby)(?:\W)(?P<benefit>[^.;!?\n]+(?:\n[^.;!?\n]+)?)""",
)
_WANT = re.compile(
    r"""(?<!\w)(?:i|we|they|he|she|users?|customers?)\s*(?:'d|\ would|\ want|\ need|\ can|\ wish|\ should|\ must)\b
        |\b(?:ich|wir)\ (?:möchte|will|kann|brauche)\w*
        |\bje\ (?:veux|souhaite|peux)|\b(?:quiero|necesito|quero|preciso|voglio|wil\ ik|chc[ęe])\b""",
    re.VERBOSE | re.IGNORECASE,
)
_PEOPLE = (
    r"(?:us|users?|customers?|people|developers?|admins?|administrators?|visitors?|teams?|members?|teachers?|students?"
    r"|creators?|clients?|everyone|operators?|players?|contributors?|readers?|editors?|managers?|buyers?|agents?"
    r"|(?:an?|any|each|every)\ (?:user|customer|admin|developer)|(?:the|our|new|other|more)\ \w+s?)"
)
# Every branch starts with a letter of its own: the matcher skips those whose first letter is not there.
_PURPOSE = AnyCase(
    rf"""(?<!\w)(?:
    # an aim, said to be one
      (?:goal|aim|purpose|idea|point|intent(?:ion)?|motivation|objective|reason|benefit|advantage)s?
        \ (?:of\ (?:this|the|these)\ [\w ]{{2,30}}?|here|behind\ (?:this|it)|for\ (?:this|doing\ (?:this|so)))?
        \s*(?:is|are|would\ be|will\ be)\b
    | goal\ to\ \w+
    | we(?:'d|\ would)?\s*(?:hope|aim|intend)\ to\b
    # what it makes possible or better
    | (?:this|that|it|which|these|they|doing\ so)\s+(?:change\ |feature\ |way\ )?(?:also\ )?
        (?:(?:will|would|should|can|could|might|may)\ (?:also\ |then\ |greatly\ |really\ |help\ |help\ to\ )?
           (?:allow|enable|help|let\ (?:us|users|people|\w+s)|improve|reduce|increase|avoid|prevent
              |make\ (?:it|things|this|life|\w+\ (?:more|easier|better))|give\ (?:us|users|people)|save|simplify|ensure
              |lead\ to\ (?:an?\ )?(?:better|more|fewer|less|improved|increased
              |higher|lower|faster)|mean\ (?:that\ )?(?:we|users|less|fewer|more)
              |encourage|eliminate|speed|free|bring|benefit)
         |allows\ (?:us|users|people|for|the|\w+s)|enables|helps\ (?:us|users|to|with|people|\w+s)|improves|reduces
         |avoids|prevents\ (?:us|users|people)|makes\ it\ (?:easier|possible|simpler|faster|clearer)
         |gives\ (?:us|users|people|customers)|saves|simplifies)\b
    | (?:this|that)\ way,?\ (?:we|users?|you|they|it|people|i|the\ \w+)\b
    | (?:allow|enabl|help|let|permit)(?:e|es|s|ing)?\ {_PEOPLE}\ to\ (?:better\ |easily\ |quickly\ )?\w+
    | to\ (?:better\ |properly\ |further\ |greatly\ |easily\ |help\ |significantly\ )?
        (?:(?:improve|reduce|increase|avoid|simplify|minimi[sz]e|maximi[sz]e|encourage|facilitate|speed\ up|eliminate
             |mitigate|streamline|ensure\ that|make\ sure\ that)\ \w+
          |prevent\ (?!the\b)\w+
          |save\ (?:time|money|effort|cost|us|users|people|resources|disk|memory)
          |enable\ (?!the\b|it\b|this\b|a\b|an\b|or\b)[\w-]+\ \w+
          |make\ (?:it|this|that|things|life|[\w ]{{2,30}})\ (?:more|less|easier|simpler|faster|clearer|possible
             |consistent|accessible|better|safer|easy|clear)\b)
    | mak(?:es?|ing)\ (?:it|\w+|[\w ]{{2,40}}?)\ (?:much\ |a\ lot\ |far\ |more\ )?
        (?:easier|simpler|clearer|faster|safer|more\ \w+)\b
    | (?:easier|simpler|quicker)\ (?:for|to)\b
    | less\ (?:(?:work|effort|time|confusing)\ (?:for|to)\b|(?:code\ )?to\ (?:debug|maintain|learn|do)\b)
    | measured\ by\b
    | to\ (?:explain|show|inform|tell|teach|remind|warn|guide|give|offer)\ (?:to\ )?{_PEOPLE}
        \ (?:to|about|of|how|what|why|when|where|which|that|on|through|a\ (?:better|clear)\w*)\b
    | (?<!light\ )(?<!daily\ )sav(?:es?|ing)\ (?:time|money|effort|us)\b
    | for\ (?:the\ sake\ of\ )?(?:better\ |more\ |improved\ |greater\ )?(?:consistency|clarity|maintainability
        |readability|accessibility|usability|discoverability|reusability)\b
    | without\ (?:having|needing)\ to\b
    | instead\ of\ having\ to\b
    | (?:increase|improve|grow|boost|drive|raise)\ (?:our\ |user\ |customer\ |the\ )?(?:adoption|engagement|retention
        |conversions?|revenue|sales|sign-?ups|usability|satisfaction|productivity|efficiency|visibility
        |discoverability|awareness|trust)\b
    | (?:ermöglicht|verbessert|reduziert|vermeidet|erleichtert|verringert|verhindert|spart)\b
    | zur\ (?:verbesserung|vermeidung|reduzierung|entlastung|vereinfachung)\b
    | pour\ (?:r[ée]duire|[ée]viter|am[ée]liorer|faciliter|permettre|gagner|augmenter)\b
    | (?:permettra|am[ée]liorera|r[ée]duira|[ée]vitera|facilitera)(?:it)?\b
    | para\ (?:reducir|evitar|mejorar|facilitar|permitir|ahorrar|aumentar|reduzir|melhorar|economizar)\b
    | (?:permitir|mejorar|reducir|evitar|facilitar|melhorar|reduzir)[áa]\b
    | per\ (?:ridurre|evitare|migliorare|facilitare|permettere|aumentare|risparmiare)\b
    | (?:permetter|migliorer|ridurr|eviter)à\b
    | (?:verbetert|voorkomt|vermindert|umożliwi|poprawi|zmniejszy)\b
    )
    | ^\W*to\ (?:properly|better|be\ able\ to)\ \w+
    """,
)
# Verbs that open a task and an aim alike; "enable customers to ..." under "Goal" is an aim.
_AIM = re.compile(
    r"^\W*(?:(?:we|i)\W.{0,20}?\bto\s+)?(?:improve|increase|reduce|decrease|enable|allow|ensure|make|get|help|avoid|let|support"
    r"|prevent|speed|simplify|grow|find|learn|understand)\b",
    re.IGNORECASE,
)
_AIM_AFTER = re.compile(
    r"\W*(?:\d\W+)?(?:improve|increase|reduce|decrease|enable|avoid|prevent|speed|simplify|grow)\b", re.IGNORECASE
)
# Verbs of work that may as well state a condition, so that only a goal is measured by them.
_TASK = re.compile(
    r"^\W*(?:provide|display|show|hide|accept|put|handle|fetch|render|return|store|track|log|forward|redesign|redirect|switch)\b",
    re.IGNORECASE,
)
_PART = re.compile(r"[^.!?\n,]+")
_WISH = re.compile(
    r"\W*(?:we|i)(?:'d|\s+would)\s+like\s+(?:to\s+)?(?!to\b|see\b|know\b|be\b|a\b|an\b|the\b|our\b|people\b|users\b)\w+",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\W*(?:as an?|als|en tant que|como)\s", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?\n](?:\s|$)")
_ADDRESS = re.compile(r"https?://\S+")
_POINTER = re.compile(
    r"(?<!\w)(?:examples?|links?|see|here|pages?|urls?|info|source|ref(?:erence)?s?|issue|thread)(?!\w)", re.I
)
MAX_WORK = 600  # characters before a "so that" in which its work is looked for
MIN_WORDS_BESIDE = 2  # content words next to an address that make a statement of a line
# Slots of a pattern that nobody filled: "We build X so that Y grows".
_SLOTS = re.compile(
    r"""(?<![\w'])[XYZ](?![\w'+-]).{0,60}?(?<![\w'])[XYZ](?![\w'+-])  # two of the letters in one stretch
        |^\W*\w+\W*:\W*(?:\w+\W+){0,4}?(?:\.{3}|…)\W*$  # "Context: when ..."
    """,
    re.VERBOSE,
)
_CHANGE = AnyCase(
    r"""→|->|(?<!\w)(?:increas\w+|decreas\w+|reduc\w+|improv\w+|cut|lower|raise|grow|drop|reach|doubl\w+|halv\w+
        |steiger\w*|erhöh\w*|senk\w*|verringer\w*|reduzier\w*
        |augment\w+|r[ée]dui\w+|diminu\w+|aument\w+|mejor\w+|melhor\w+|ridu\w+|miglior\w+|verhog\w*|verlag\w*
            |zwiększ\w*|zmniejsz\w*)(?![\w-])""",
)
# Who is hurt, and how: a reason that names the pain.
_HARM = AnyCase(
    r"""(?<!\w)(?:
      (?:annoy\w*|frustrat\w+|confus(?:es?|ing|ion)|painful|tedious|cumbersome|error[- ]prone|time[- ]consuming
          |distract\w*|inconvenien\w+|clunky|sluggish|hard\ for\ (?:users|people|us|\w+ers)
          |(?:hard|difficult)\ to\ (?:tell|know|see|find|understand|debug|follow|maintain|reconcile|use|read)
          |misleading\ for
          |disrupt(?:s|ive)|overwhelm\w*|waste[sd]?\ (?:of\ )?(?:time|money|resources|effort)|wasting)\b
    | (?:drive[sn]?|scare[sd]?|turn(?:s|ed)?)\ away\b
    | (?:los(?:e|es|ing)|cost(?:s|ing)?\ us)\ (?:users|customers|money|revenue|time|trust|data|work|sales)\b
    | performance\ (?:loss|penalty|hit)\b
    | takes?\ (?:way\ |far\ |much\ )?too\ (?:long|much\ time)\b
    | result(?:s|ing)\ in\ (?:an?\ )?(?:time-?outs?|delays?|data\ loss|lost|wasted|confusion|poor|slow)\b
    | (?:limits?|hurts?|harms?|hinders?|slows?\ down|blocks?)\ (?:our|the|user|users|customer|adoption|development
        |teams?|us|people)\b
    | (?:have|has|had|need|needs|forced)\ to\ (?:manually|click\ through|completely\ bypass|work\ around|guess
        |re-?enter|re-?type|wait)\b
    )""",
)

# -- outcomes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stated:
    """An outcome as stated: the text that says it and the place."""

    text: str
    evidence: Evidence
    under_heading: bool = False  # in lines of its own below a heading, not behind "Goal:" on the same line


def field_outcomes(issue: Issue) -> Iterator[Stated]:
    """Outcomes in mapped fields; metric, target and date are one statement."""
    texts = [(name, str(issue.fields[name]).strip()) for name in OUTCOME_FIELDS if issue.fields.get(name)]
    for name, text in texts:
        if text:
            yield Stated(text, of_value("F", f"fields.{name}", text))


def section_outcomes(document: Document, issue_type: IssueType | None, *, field: str = "body") -> Iterator[Stated]:
    """What stands under an outcome heading or after "Outcome:" on a line."""
    for section in outcome_sections(document, issue_type):
        found = [line for line in section.items if not _SLOTS.search(line.text) and not _is_reference(line.text)]
        if found:
            text = "\n".join(line.text for line in found)
            below = "\n" in document.text[section.start : found[0].start]
            yield Stated(text, of_span(document, found[0].start, found[0].end, kind="S", field=field), below)
    for line in document.items:
        stated = _OUTCOME_LINE.match(line.text)
        if stated and content_words(stated["rest"]) and not _SLOTS.search(line.text):
            yield Stated(stated["rest"], of_part(document, line, kind="S", field=field))


def _is_reference(text: str) -> bool:
    """Whether a line holds an address and hardly a word besides ("Example link https://...")."""
    rest = _ADDRESS.sub(" ", text)
    return rest != text and len(content_words(_POINTER.sub(" ", rest))) < MIN_WORDS_BESIDE


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
    if found is not None and not (document.under(Meaning.ACTUAL) and _HARM.search(title)):
        start, end = found
        yield Stated(title[start:end], of_value("P", "title", title[start:end]))
    told = _told_lines(document)
    for line in document.items:
        place = None if line.start in told else _purpose_in(line.text, before=title)
        if place is not None:
            start, end = place
            yield Stated(line.text[start:end], _at(document, line, start, end))


def _told_lines(document: Document) -> set[int]:
    """Where a report tells what was done, what happened and what should have: the malfunction, not what is aimed at."""
    meanings: tuple[Meaning, ...] = (Meaning.STEPS, Meaning.ACTUAL)
    if document.under(*meanings):
        meanings += (Meaning.EXPECTED,)
    return {line.start for section in document.under(*meanings) for line in section.items}


def _at(document: Document, line: Item, start: int, end: int) -> Evidence:
    """Evidence at a stretch of a line; where markup inside the line shifts the offsets, at the whole line."""
    inner = document.text[line.start : line.end].find(line.text[start:end])
    if inner < 0:
        return of_part(document, line, kind="P", field="body")
    return of_span(document, line.start + inner, line.start + inner + end - start, kind="P", field="body")


def _purpose_in(text: str, *, before: str) -> tuple[int, int] | None:
    if _SLOTS.search(text):
        return None
    for clause in _SO_THAT.finditer(text):
        work = text[max(0, clause.start() - MAX_WORK) : clause.start()]
        want = _WANT.search(work)
        work = work[want.end() :] if want else f"{before} {work}"
        if not repeats_the_work(clause["benefit"], work):
            return clause.start(), clause.end()
    for pattern in (_PURPOSE, _HARM):
        match = pattern.search(text, 0 if before else 1)
        if match is not None and not _is_only_the_work(text, match, before):
            return match.start(), _sentence_end(text, match.end())
    return None


def _is_only_the_work(text: str, match: re.Match[str], title: str) -> bool:
    rest = text[match.start() : _sentence_end(text, match.end())]
    return bool(title) and repeats_the_work(rest, title)


def _sentence_end(text: str, at: int) -> int:
    stop = _SENTENCE_END.search(text, at)
    return stop.start() if stop else len(text)


def own_outcomes(issue: Issue, context: Context) -> tuple[Stated, ...]:
    """Every outcome that the issue itself states, in the order of evidence: field, section, phrase (stories only)."""
    return context.once("outcomes", issue, lambda: _own_outcomes(issue, context))


def _own_outcomes(issue: Issue, context: Context) -> tuple[Stated, ...]:
    document = context.texts.body(issue)
    found = [*field_outcomes(issue), *_beyond_the_title(issue, section_outcomes(document, issue.type))]
    if not found:
        found = list(_measured_lines(document))
    if not found and issue.type not in _RESULT_TYPES:
        found = list(phrase_outcomes(issue, document))
    return (*found, *_performances(document))


def _beyond_the_title(issue: Issue, stated: Iterator[Stated]) -> Iterator[Stated]:
    """A story's goal that only says its title or its work again states nothing; an epic's is left to OUT002."""
    for each in stated:
        if issue.type in _RESULT_TYPES or not _is_only_work(each, issue.title):
            yield each


def _is_only_work(stated: Stated, title: str) -> bool:
    """Whether a form's goal section holds the title or the task. "Goal: build it" on one line is an output (OUT002)."""
    if repeats_the_work(stated.text, title):
        return True
    is_aim = _AIM.match(stated.text) or any(map(_AIM_AFTER.match, _PART.findall(stated.text)))
    if not stated.under_heading or is_aim or not _holds_work(stated.text):
        return False
    return _purpose_in(stated.text, before=title) is None and measure(stated.text).target is None


def _holds_work(text: str) -> bool:
    """Whether the text, one of its sentences or what follows an opening clause says what to do, or it is a story."""
    if _WANT.search(text) and _ROLE.match(text):
        return True
    return any(opens_with_work(part) or _TASK.match(part) or _WISH.match(part) for part in _PART.findall(text))


def _measured_lines(document: Document) -> Iterator[Stated]:
    """A line with a metric and a target is an outcome, whatever heads it ("activation 31 % -> 36 %")."""
    for line in document.items:
        if _CHANGE.search(line.text) and not is_output(line.text):
            found = measure(line.text)
            if found.metric and found.target:
                yield Stated(line.text, of_part(document, line, kind="P", field="body"))


def _performances(document: Document) -> Iterator[Stated]:
    """Lines that say what somebody can do in what time, or how much can go on at once: results with their measure."""
    told = _told_lines(document)
    for line in document.items:
        if line.start not in told and names_performance(line.text):
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
