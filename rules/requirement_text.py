"""Conditions of acceptance in running text: "done when", "shall", requirements, targets and lists of end states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.model import Evidence
from backlint.rules.evidence import of_part
from backlint.rules.measure_text import names_business
from backlint.rules.words import opens_with_work
from backlint.text.any_case import AnyCase
from backlint.text.document import Document, Item, Meaning

_DONE_WHEN = AnyCase(
    r"""(?<!\w)(?:(?:accepted|done|completed?|finished|closed|satisfied|fulfilled|successful)\s+(?:when|once|if
        |as\ soon\ as)
      |(?:fertig|erledigt|abgenommen|erfüllt),?\s+(?:wenn|sobald)
      |(?:termin[ée]e?|accept[ée]e?|valid[ée]e?)\s+(?:quand|lorsque|si|d[èe]s\ que)
      |(?:terminad[oa]|hech[oa]|aceptad[oa]|conclu[íi]d[oa]|aceite|pront[oa])\s+(?:cuando|quando|si|se)
      |(?:completat[oa]|accettat[oa]|klaar|gereed|geaccepteerd|gotowe|uko[ńn]czone)\s+(?:quando|se|als|wanneer|gdy
          |kiedy)
    )\s+\w.{8,}""",
)
# What may stand before "done when": the beginning of a sentence, or the issue as its subject.
_ISSUE_AS_SUBJECT = re.compile(
    r"""(?:^|[.;:!?\n])\W*(?:(?:this|it|we|the\ (?:story|task|issue|ticket|work|spike|feature|change)|(?:das
        |die\ \w+|der\ \w+|la\ \w+|le\ \w+|el\ \w+|o\ \w+|a\ \w+|het|to))\s*
        (?:is|are|will\ be|can\ be|'re|'s|ist|gilt\ als|wird|est|sera|est[áa]|é|è|jest)?
        \s*(?:(?:considered|only)\s+)*)?$""",
    re.VERBOSE | re.IGNORECASE,
)
_SHALL = re.compile(r"(?<!\w)shall\s+(?!we\b|i\b|you\b)(?:not\s+|also\s+|be\s+)?\w+", re.IGNORECASE)

# One requirement: a subject, a modal verb, a state. A wish ("we should probably") is none.
_MODAL = AnyCase(
    r"""(?<!\w)(?:must(?:n't|\ not)?|should(?:n't|\ not)?|needs?\ to\ be|(?:is|are|be)\ able\ to
        |be\ (?:required|allowed|permitted)\ to|may\ not
        |muss|müssen|soll(?:en|te|ten)?|darf|dürfen|doit|doivent|devra(?:it|ient)?|devront|debe[n]?|deber[áa]n?
            |deber[íi]an?|deve[m]?|dever[áa]o?|devono|dovr[àa]|dovrebbe|dovranno|moet(?:en)?|dient|musi|muszą
            |powin(?:ien|na|no|ny))(?!\w)""",
)
_NO_REQUIREMENT = AnyCase(
    r"""(?<!\w)(?:(?:want|like|love|wish|need|hope|nice)s?\ (?:it\ )?to\ be\ able\ to|should(?:n't)?\ (?:probably|maybe
        |perhaps|we|i|you|be\ (?:fairly|pretty|quite|relatively|easy|simple
        |straight|fine|ok|okay|enough|possible\?|noted|able\ to\ reproduce)|work\ fine|do\ the\ trick|suffice|help
        |have\ (?:been|\w+ed|\w+en)|already|just|mean)
        |ideally|(?:it|this)\ (?:appears|seems)
        |i\ (?:think|guess|suggest|believe|propose)
        |(?:would|could|might)\ be\ (?:nice|great|good|cool|better|best|useful)
        |must\ have\ been|must\ be\ (?:a\ (?:bug|mistake|problem)|something|because|due)|has\ to\ do\ with
            |have\ to\ do\ with|currently|at\ the\ moment|right\ now|instead\ it|but\ (?:it|this|the|they|we|instead
            |does|is)|however|used\ to|fails?\ to|does\ ?n[o']t\ work|is\ broken|crash\w*|why\b)""",
)
# "We should upgrade first" proposes work; "when a row is added, we should update the sum" says what is to happen.
_PROPOSAL = AnyCase(
    r"""(?<!\w)(?:we|i|you|one|someone|somebody)(?:\ (?:also|really|probably|then|still|all))*
        \ (?:should|must|have\ to|need\ to|could)(?:n't)?(?!\ (?:still\ |also\ )?be\ able)(?!\w)""",
)
_OPENS_WITH_EVENT = re.compile(
    r"^\W*(?:when(?:ever)?|if|once|as soon as|after|upon)\s+(?!possible|needed|necessary|not)[^,;?\n]{6,},",
    re.IGNORECASE,
)
_NUMERIC_END = AnyCase(
    r"""(?:(?:within|under|below|less\ than|fewer\ than|no\ more\ than|at\ least|at\ most|up\ to|for|every
        |maximum\ of|minimum\ of|exactly|[<>≤≥]=?)\s*\d[\d.,]*\s*\w+
        |\d[\d.,]*\s*(?:%|concurrent|simultaneous|parallel)|from\s+\d[\d.,]*\s*%?\s+to\s+\d[\d.,]*)""",
)
_FAULT = AnyCase(
    r"""\b(?:steps?\ to\ reproduce|to\ reproduce|repro(?:duces?|duced|duction)|stack\ ?traces?|regression
        |exceptions?\ (?:is|was|are|in|at)
        |throws?|crash(?:es|ed|ing)?|does(?:n't|\ not)\ work|(?:is|are)(?:n't|\ not)\ working|stopped\ working
            |no\ longer\ works?|expected\s*:|actual\s*:
        |but\ (?:instead|it\ (?:doesn't|does\ not|is\ not|isn't|shows|gives|returns|fails))|instead\ of\ (?:the|only
            |being|getting))\b""",
)
_GOAL = re.compile(
    r"\b(?:goal|target|aim)s?\b(?!\s+(?:was|platform|sdk|device|branch|version|audience|page|url))", re.IGNORECASE
)
# What the goal was once says nothing of what is to be true in the end.
_IS_PAST = re.compile(
    r"\b(?:goal|target|aim)s?\s+(?:was|were|had)\b|\b(?:however|originally|no longer)\b", re.IGNORECASE
)
# "The overview should show", "It has to": what follows in a list is what shall be.
_PROMISE = re.compile(
    r"""\b(?:should|must|shall|ha(?:s|ve)\ to|needs?\ to|muss|müssen|soll(?:en|te)?|doit|doivent|debe[n]?|deve[m]?)
        (?:\ (?:also|then|not|only|at\ least|be\ able\ to|show|display|contain|include|have|support|cover|feature|allow
            |provide|handle|offer|list|return|accept|behave|consist\ of|enthalten|anzeigen|afficher|contenir|mostrar
            |contener|conter|permitir|permettre)){0,4}\W*$""",
    re.VERBOSE | re.IGNORECASE,
)
# Work that is to be done, in the passive: a plan and not a state that one finds afterwards.
_WORK_PASSIVE = AnyCase(
    r"""\b(?:should|must|needs?\ to|ha(?:s|ve)\ to)\ (?:also\ |then\ |all\ )?be\ (?:extended|updated|created|added
        |removed|changed|moved|refactored|replaced|implemented|done|fixed|investigated|tested
        |documented|reviewed|rewritten|split|renamed|migrated|upgraded|converted|improved|adapted|adjusted|discussed
            |checked|written|made|merged|addressed|exposed\ to)\b""",
)
# "The clerk may sort the list", "A total is shown below the list": a state that one can look at.
_END_STATE = re.compile(
    r"""^\W*(?:the|an?|all|each|every|no|any|only|user|users|admins?|customers?|visitors?|when|if|once|after|given
        |while|clicking|tapping|pressing|selecting|hovering)\b
        .*?\b(?:is|are|can|may|cannot|can't|will|won't|must|should|shows?|displays?|appears?|opens?|returns?|gets?
            |has|have|receives?|sees?|remains?|stays?|contains?|becomes?|works?|disappears?|redirects?|reflects?
            |supports?|exists?|accepts?)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# What is to be, against what is: "the total will be shown", "if the list is empty, hide it".
_TO_COME = re.compile(
    r"\b(?:will|won't|can(?:not)?|can't|may|must|should|be)\b|^\W*(?:when|if|once|after|given|clicking|tapping|pressing"
    r"|selecting|hovering)\b",
    re.IGNORECASE,
)
# "The module will need to read the class": what people need, what is needed for something else and what a sentence
# mentions as known are no requirements, so that the subject must open the sentence.
_NEEDS = re.compile(
    r"""^\W*(?!(?:we|i|you|they|one|someone|somebody|people|devs?|developers?|there)\b)
        (?:(?:the|this|these|it|all|each|every)\b[^,;:\n]{0,60}?\bneeds?|[\w-]+(?:\ [\w-]+){0,5}?\ (?:will|would)\ need)
        \ to\ (?!know|have|check|decide|discuss|investigate|figure|find\ out|think|look|talk|ask|wait|do)\w+""",
    re.VERBOSE | re.IGNORECASE,
)
# "When a user joins, create a document", "If the page is reloaded, the values are kept": an event and what follows.
_EVENT = re.compile(
    r"""^\W*(?:when(?:ever)?|if|once|as\ soon\ as|after|upon|on)\s+
        (?!(?:i|we|you|possible|needed|necessary|required|not|so|any|there|in\ doubt|time|applicable|desired)\b)
        (?P<event>[^,.;?!\n]{6,90}),\s*(?:then\s+)?(?!(?:(?!\bso\b).)*\b(?:i|we|you|but|likely|otherwise|because|remember)\b)(?P<reaction>[^.;?!\n]{8,})""",
    re.VERBOSE | re.IGNORECASE,
)
_REACTION = re.compile(
    r"""^(?:(?:the|an?|all|each|every|it|its|they|no|only|that|users?|any)\b.*?\b(?:is|are|will|can(?:not)?|must|should|shows?
            |displays?|appears?|opens?|returns?|gets?|receives?|sees?|remains?|stays?|becomes?|disappears?|redirects?)\b
        |(?:show|display|hide|create|update|delete|remove|store|save|send|return|redirect|open|close|disable|enable|reset
            |keep|set|mark|notify|log|reject|refuse|block|skip|ignore|reload|refresh|switch|highlight)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
# "Make sure the tag is shown": an order to reach a state, and not a step of work.
_ENSURE = re.compile(
    r"""^\W*(?:please\s+)?(?:make\ (?:it\ )?sure|ensure)\s+(?:that\s+)?(?!that\b|to\b|if\b)
        (?:(?!\b(?:you|your|we|our|i)\b)[^.;?!\n]){3,200}?\b(?:is|are|can(?:not)?|will|shows?|displays?|appears?|works?|stays?
            |remains?|gets?|has|have|does(?:n't|\ not)|do(?:n't|\ not)|returns?|contains?)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_DISPLAY = re.compile(
    r"^\W*(?:x\W+)?(?:display|show|hide|open|return|redirect|reject|accept|allow|prevent|keep|only|never|always|no)s?\b",
    re.IGNORECASE,
)
_IS_SO = re.compile(
    r"\b(?:is|are|isn't|aren't|can(?:not|'t)?|will|won't|has|have|shows?|appears?|opens?|works?|stays?|gets?|does|doesn't)\b"
    r"|^\W*(?:x\W+)?(?:when|if|once|after|on)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\S*://\S*|!?\[[^\]]*\]\([^)]*\)|\([^)]*\)")
_WORD = re.compile(r"[^\W_]{2,}")
_WORK_DONE = AnyCase(
    r"""\b(?:is|are|gets?)\s+(?:all\s+|also\s+|properly\s+)*(?:updated|created|added|removed|changed|moved|refactored|replaced
        |implemented|done|fixed|tested|documented|reviewed|migrated|configured|installed)\b""",
)
_REPORT = AnyCase(
    r"""\b(?:currently|at\ the\ moment|right\ now|issues?|problems?|errors?|fail(?:s|ed|ing)?|broken|doesn't
        |does\ not|isn't|not\ working|wrong|bug|seems?|noticed|instead\ of|would\ be|could|maybe|perhaps|todo
        |tbd)\b|\?\s*$""",
)
_FAULT_MEANINGS = (Meaning.STEPS, Meaning.ACTUAL)
# Items that say nothing of what is to be accepted: boxes of a checklist for all, and what a fault should have done.
_NOT_CONDITIONS = (Meaning.EXCLUDED, Meaning.EXPECTED)
# A stretch without a full stop, and its end if that is one: "a.b" has none behind its "a", and is no sentence.
_STRETCH = re.compile(r"[^.!?\n;]++(?P<end>[.!?;]++(?=\s|$)|\n|$)?")
_QUESTION = re.compile(r"\W*(?:how|what|why|which|who|where|whether|see|note)\b", re.IGNORECASE)
MAX_SUBJECT = 80  # characters; the subject of "is done when" is never longer
MIN_CONDITION_WORDS = 5  # "UX design" under a heading is a topic
MIN_STATE_WORDS = 4  # "Order list" in a box names a part
MIN_STATEMENTS = 2  # one "should" is a wish, two are requirements
MIN_END_STATES = 2  # of a list, and more than half of it


def promises_conditions(heading: str) -> bool:
    """Whether a line opens a list of what shall be: "The overview should show:"."""
    if not _PROMISE.search(heading) or _PROPOSAL.holds(heading) or _WORK_PASSIVE.holds(heading):
        return False
    return not (_NO_REQUIREMENT.holds(heading) or _QUESTION.match(heading))


def is_condition(item: Item) -> bool:
    """Whether a line under "Requirements" or the like is a condition, not a step, a question or a topic."""
    text = item.text
    if opens_with_work(text) or text.rstrip().endswith(("?", ":")):
        return False
    return bool(_MODAL.search(text) or _END_STATE.match(text)) or len(text.split()) >= MIN_CONDITION_WORDS


def is_state(text: str) -> bool:
    """Whether a box says what is to be true: more than the name of a part, and no step of work."""
    if opens_with_work(text):
        return False
    return len(_WORD.findall(_ASIDE.sub(" ", text))) >= MIN_STATE_WORDS or bool(
        _MODAL.search(text) or _IS_SO.search(text) or _ENSURE.match(text) or _DISPLAY.match(text)
    )


def phrases(document: Document) -> Iterator[Evidence]:
    """Conditions stated in running text; a text that reports a fault states what should have happened, not these."""
    for line in document.items:
        if _says_done_when(line.text) or (_SHALL.search(line.text) and not opens_with_work(line.text)):
            yield of_part(document, line, kind="P", field="body")
    if reports_a_fault(document):
        return
    read = [(line, sentence) for line in authored_lines(document) for sentence in _sentences(line.text)]
    statements = [line for line, sentence in read if _is_statement(sentence)]
    if len(statements) >= MIN_STATEMENTS:
        yield of_part(document, statements[0], kind="P", field="body", note=f"{len(statements)} requirements")
    numeric = next((line for line, sentence in read if _is_target(sentence)), None)
    if numeric is not None:
        yield of_part(document, numeric, kind="P", field="body", note="a number to check")
    yield from _end_states(document)


def _says_done_when(text: str) -> bool:
    return any(_ISSUE_AS_SUBJECT.search(_before(text, stated.start())) for stated in _DONE_WHEN.finditer(text))


def _before(text: str, end: int) -> str:
    """The last words before a place; no subject is longer, and a text of many thousand words stays cheap."""
    start = max(0, end - MAX_SUBJECT)
    return text[:end] if start == 0 else "…" + text[start:end]


def reports_a_fault(document: Document) -> bool:
    """Whether the text tells of something broken: its "should" says what was expected."""
    return bool(document.under(*_FAULT_MEANINGS)) or any(_FAULT.search(item.text) for item in document.items)


def authored_lines(document: Document) -> list[Item]:
    excluded = {item.start for section in document.under(*_NOT_CONDITIONS) for item in section.items}
    return [item for item in document.items if item.start not in excluded]


def _sentences(text: str) -> list[str]:
    return [stretch.group() for stretch in _STRETCH.finditer(text) if stretch["end"] is not None]


def _is_requirement(sentence: str) -> bool:
    if not (_MODAL.holds(sentence) or _NEEDS.match(sentence)):
        return False
    if sentence.rstrip().endswith("?") or _QUESTION.match(sentence):
        return False
    if _PROPOSAL.holds(sentence) and not _OPENS_WITH_EVENT.match(sentence):
        return False
    return not (_NO_REQUIREMENT.holds(sentence) or _WORK_PASSIVE.holds(sentence))


def _is_statement(sentence: str) -> bool:
    """Whether it says what shall be: a requirement, an event with what follows, an order to reach a state."""
    return _is_requirement(sentence) or _is_reaction(sentence) or _is_ensured(sentence)


def _is_reaction(sentence: str) -> bool:
    event = _EVENT.match(sentence)
    if event is None or sentence.rstrip().endswith("?") or _REPORT.search(sentence):
        return False
    return _REACTION.match(event["reaction"]) is not None


def _is_ensured(sentence: str) -> bool:
    return _ENSURE.match(sentence) is not None and not (_REPORT.holds(sentence) or _WORK_DONE.holds(sentence))


def _is_target(sentence: str) -> bool:
    """A number in a requirement or a goal, but in no business indicator: that is measured later (OUT002)."""
    if not _NUMERIC_END.holds(sentence):
        return False
    is_goal = _GOAL.search(sentence) and not names_business(sentence) and not _IS_PAST.search(sentence)
    return bool(is_goal) or _is_requirement(sentence)


def _end_states(document: Document) -> Iterator[Evidence]:
    """A list most of whose items are states that one can look at, and two of them not merely as things are now."""
    items = [item for item in authored_lines(document) if item.is_list_item]
    states = [item for item in items if _END_STATE.match(item.text) and not _REPORT.search(item.text)]
    if sum(bool(_TO_COME.search(item.text)) for item in states) < MIN_END_STATES:
        return
    if 2 * len(states) > len(items):
        yield of_part(document, states[0], kind="P", field="body", note=f"{len(states)} end states")
