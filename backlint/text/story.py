"""Reads the sentence of a user story: who wants what, and what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backlint.model import Markup
from backlint.text.parse import parse
from backlint.text.placeholder import is_placeholder

MAX_READ = 6_000  # characters; a story's sentence stands at the beginning, not behind a log


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story's sentence at `start:end` of the text. A slot that nobody filled is None.

    `wants` are all the things wanted: one, unless somebody put two stories into one.
    """

    role: str | None
    want: str | None
    benefit: str | None
    start: int
    end: int
    wants: tuple[str, ...] = ()
    is_job: bool = False  # "When ..., I want ..., so I can ..."

    @property
    def missing(self) -> tuple[str, ...]:
        parts = (("role", self.role), ("want", self.want), ("benefit", self.benefit))
        return tuple(name for name, found in parts if found is None)


# "As a R, I want G" in the languages of catalogue 1.9, and the job story "When S, I want M, so I can O". The role ends
# where the want begins; "I can only", "I cannot" report a fault.
_I_WANT = (
    r"(?:(?:i|we|they)\s+(?:want|need|wish|would\s+(?:like|love|want|prefer)|should\s+be\s+able|must\s+be\s+able"
    r"|like\s+to|must|may|could|can(?!\s*(?:not\b|only\b|still\b|no\b|never\b|see\s+(?:that|an?\s+error)))"
    r"|should|have\s+to|expect|will)|(?:i|we)['’]d\s+(?:like|love|want))"
)
_PAIRS = (
    (r"as\s+(?:an?\s+|the\s+|one\s+of\s+)?", _I_WANT),
    (r"als\s+(?:eine?[nr]?\s+)?", r"(?:möchten?|wollen|will|brauchen?|kann|können|muss|müssen)\s+(?:ich|wir)"),
    (r"als\s+(?:een\s+)?", r"(?:wil(?:len)?|moet(?:en)?|kan|kunnen|zou(?:den)?)\s+(?:ik|we|wij)"),
    (
        r"en\s+tant\s+qu(?:e\s+|['’])",
        r"(?:je|nous)\s+(?:veux|voulons|souhait\w+|voudr\w+|aimer\w+|peux|pouvons|dois|devons)|j['’]\s*aimerais",
    ),
    (
        r"como\s+(?:una?\s+)?",
        r"(?:(?:yo|nosotros)\s+)?(?:quiero|queremos|necesit\w+|dese\w+|puedo|podemos|quisiera|me\s+gustar[íi]a)",
    ),
    (
        r"(?:como|enquanto)\s+(?:uma?\s+)?",
        r"(?:(?:eu|n[óo]s)\s+)?(?:quero|queremos|precis\w+|gostar\w+|desej\w+|posso|podemos)",
    ),
    (r"come\s+(?:un['’]?a?\s*)?", r"(?:(?:io|noi)\s+)?(?:voglio|vogliamo|vorrei|vorremmo|posso|possiamo|desider\w+)"),
    (r"jako\s+", r"(?:chc[ęe]|chcemy|potrzebuj\w+|chcia[łl]\w+|mog[ęe]|musz[ęe])"),
    (r"when\s+", r"(?:i|we)\s+(?:want|need|would\s+like)|(?:i|we)['’]d\s+like"),
)
_OPENERS = "|".join(dict.fromkeys(opener for opener, _ in _PAIRS))
# A story opens a sentence or a clause: "log it as an urgent issue, and see what I can do" is none. A capital
# in mid-line opens one as well, where line breaks were lost.
_CLAUSE = r"(?:(?:^|[\n.!?:;,()\[\]–—\"“>|*#-])[\s\"'“*_>|]{0,3}|\s(?-i:(?=[A-Z])))"
_OPENER = re.compile(rf"{_CLAUSE}(?P<opener>{_OPENERS})(?=\S)", re.IGNORECASE)
_FORMS = tuple(
    (re.compile(opener, re.IGNORECASE), re.compile(rf"(?<!\w)(?:{want})(?!\w)", re.IGNORECASE))
    for opener, want in _PAIRS
)
_JOB = 8  # the place of the job story among the forms: its opener is a situation, and a benefit is part of it
_JOB_PARTS = re.compile(r"[,\n*].{0,600}?\bso\s+(?:that\s+)?(?:i|we)\s+can\b", re.IGNORECASE | re.DOTALL)
MAX_ROLE = 160  # characters between "as a" and "I want"; "As a user, given I have received the feed, I want"
_BENEFIT = re.compile(
    r"""(?<!\w)(?:so\s+that|so\s+as\s+to|such\s+that|so(?=\s+(?:i|we|they|it|my|our|the|users?|customers?)\s)
        |in\s+order\s+(?:to|that)
        |damit|sodass|so\s+dass|um(?=\s[^.;!?]{3,80}\szu\s)|afin\s+(?:que|de|d['’])|pour\s+(?:que?|pouvoir)
        |para(?:\s+que)?
        |a\s+fim\s+de|affinch[ée]|in\s+modo\s+(?:che|da)|cos[ìi]\s+(?:che|da)|zodat|opdat|aby|[żz]eby)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:\.{3,}|…)\W*$|^\W*(?:\.{3,}|…)")  # "When ...": nobody went on writing
_DOTS = re.compile(r"\.{3,}")
_STOP = re.compile(r"[.!?](?=\s|$)|\n\s*\n")
# Words that name a slot and do not fill it: "As a role I want goal so that benefit".
_SLOT_NAME = re.compile(
    r"""\W*(?:an?\s|the\s|some\s|to\s|do\s|your\s|of\s)*(?:type\s+of\s+(?:user|role)|user\s+type|role|persona|who|actor
        |goal|what|action|feature|something|task|desired?\s+\w+|benefit|reason|why|value|outcome|xyz|[xyz]|rolle|ziel
        |nutzen|grund|r[ôo]le|but|b[ée]n[ée]fice|rol|objetivo|beneficio|papel|ruolo|obiettivo|doel|reden|i|we
        |i\s+can)\W*""",
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]{2,}")
_WANT_AGAIN = re.compile(
    r"(?:^|[.!?;\n]\s*|,\s*(?:and|und|et|y|e|en|i)\s+|\s(?:and|und|et|y|e|en|i)\s+)(?:also\s+)?"
    r"(?P<marker>(?:i|we)\s+(?:also\s+)?(?:want|need|would\s+like)|(?:i|we)['’]d\s+like"
    r"|(?:ich|wir)\s+(?:will|möchten?|wollen)|je\s+(?:veux|souhaite|voudrais)|quiero|quero|voglio|vorrei|ik\s+wil"
    r"|wil\s+ik"
    r"|möchte\s+ich|will\s+ich|chc[ęe])(?!\w)",
    re.IGNORECASE,
)


def read_story(text: str) -> Story | None:
    """The first sentence of a user story in the text, filled or not; None when there is none.

    Line breaks between the parts do not matter, so that each marker may stand on a line of its own.
    """
    best: Story | None = None
    for story in _stories(text[:MAX_READ]):
        if story.role and story.want:
            return story
        best = best or story
    return best


def _stories(text: str) -> Iterator[Story]:
    for opener in _OPENER.finditer(text):
        for place, (opens, want) in enumerate(_FORMS):
            opened = opens.match(text, opener.start("opener"))
            if opened is None:
                continue
            wanted = want.search(text, opened.end(), min(len(text), opened.end() + MAX_ROLE))
            if wanted is not None and _is_one_sentence(text[opened.end() : wanted.start()]):
                story = _story(text, opened.start(), opened.end(), wanted, is_job=place == _JOB)
                if story is not None:
                    yield story
                    break


def _is_one_sentence(between: str) -> bool:
    """A role is no longer than its sentence: "As an aside. I want" is two."""
    return _STOP.search(_DOTS.sub("", between)) is None


def _story(text: str, start: int, role_at: int, wanted: re.Match[str], *, is_job: bool) -> Story | None:
    end = min(len(text), wanted.end() + 600)
    benefit = _BENEFIT.search(text, wanted.end(), end)
    want_end = benefit.start() if benefit else _stop(text, wanted.end(), end)
    benefit_text = (
        text[benefit.end() : _stop(text, benefit.end(), min(len(text), benefit.end() + 400))] if benefit else ""
    )
    if is_job and (benefit is None or not _JOB_PARTS.search(text, wanted.start() - 3, benefit.end() + 9)):
        return None
    stop = _stop(text, benefit.end() if benefit else wanted.end(), end)
    wants = tuple(_wants(text, wanted.end(), want_end))
    return Story(
        role=_filled(text[role_at : wanted.start()]),
        want=_filled(text[wanted.end() : want_end]),
        benefit=_filled(benefit_text),
        start=start,
        end=stop,
        wants=wants,
        is_job=is_job,
    )


def _wants(text: str, start: int, end: int) -> Iterator[str]:
    """What is wanted, and what the author wants as well before the paragraph ends."""
    paragraph = text.find("\n\n", end)
    last = min(len(text) if paragraph < 0 else paragraph, start + 600)
    yield from filter(None, (_filled(text[start:end]),))
    place = start
    for marker in _WANT_AGAIN.finditer(text, start, last):
        if marker.start() >= place:
            benefit = _BENEFIT.search(text, marker.end(), last)
            place = benefit.start() if benefit else _stop(text, marker.end(), last)
            again = _filled(text[marker.end() : place])
            if again is not None:
                yield again


def _stop(text: str, start: int, end: int) -> int:
    stop = _STOP.search(text, start, end)
    return stop.start() if stop else end


def _filled(slot: str) -> str | None:
    """The slot's text, if it says something: dots, brackets and the slot's own name say nothing."""
    text = " ".join(slot.split()).strip(" ,;:-–—*")
    bare = text.strip("_.… ")
    if not _WORD.search(bare) or is_placeholder(text) or _SLOT_NAME.fullmatch(bare) or _DOTTED.search(text):
        return None
    return text.strip("_")


def has_story(title: str, body: str, markup: Markup) -> bool:
    """Whether title or body hold a filled sentence, read fast: what a team's habit is learned from."""
    text = parse(body, markup).text if markup is Markup.ADF else body
    story = read_story(f"{title}\n\n{text[:MAX_READ].replace('*', ' ')}")
    return story is not None and story.role is not None and story.want is not None
