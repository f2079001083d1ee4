"""Content words, and whether one text only repeats another."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

REPEAT_SHARE = 0.8
_WORD = re.compile(r"[^\W\d_][\w'’-]*|\d+")
# Words that say nothing about a benefit, in the languages of catalogue 1.10: do, done, have, use, work and the like.
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
    a an the and or of to in on at for from by with into onto is are was were be been it its this that these
    those i we you they he she me us them my our your their his her as so can could may might will would shall
    should must able possible when if then than not no any some all do does did done doing have has had having
    use uses used using work works worked working get gets got make makes made want wants need needs there here
    also just only more very well easily better properly correctly feature story task issue thing things der die
    das ein eine einen und oder zu in im auf für von mit ist sind wird werden es ich wir sie kann können nicht
    funktioniert geht tun machen haben nutzen le la les un une des et ou de du à au aux en pour par avec est
    sont il elle je nous vous on que qui pas fonctionne faire avoir utiliser puisse pouvoir el los las uno una y
    o de del al por para con es son yo que no se funcione funciona hacer tener usar pueda os as um uma e ou do
    da dos das no na em por com é são eu que não funcione funciona fazer ter usar possa il lo gli i di che e per
    con è sono io non funzioni funziona fare avere usare het de een en van is zijn ik dat niet werkt doen hebben
    gebruiken i w z na do jest są się nie działa działało
    """,
    )
)


def content_words(text: str) -> list[str]:
    """Words that carry meaning, reduced to a crude stem so that "exports" repeats "export"."""
    return [_stem(word) for word in (w.casefold() for w in _WORD.findall(text)) if word not in _EMPTY_WORDS]


def adds_nothing(text: str, said: Container[str]) -> bool:
    """Whether a text has content words, and all of them were said before; at the first new one the answer is known."""
    has_any = False
    for word in _WORD.finditer(text):
        folded = word.group().casefold()
        if folded not in _EMPTY_WORDS:
            if _stem(folded) not in said:
                return False
            has_any = True
    return has_any


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "en", "er"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def repeats_the_work(benefit: str, work: str) -> bool:
    """Whether at least 80 % of the benefit's content words only say the work again ("so that it is done")."""
    words = content_words(benefit)
    known = set(content_words(work))
    return sum(word in known for word in words) >= REPEAT_SHARE * len(words)


# An imperative of work at the start, after "please" or "we would like to".
_WORK = re.compile(
    r"""^\W*(?:(?:we|i)(?:'d|\ would)?\ (?:like|want|need|should|plan)\ to\ |we\ should\ |please\ )?(?:collect
        |gather|list|compare|summari[sz]e|describe|agree|clarify|confirm|coordinate|estimate|prototype
        |benchmark
        |measure|analy[sz]e|audit|collaborate|meet|email|contact|order|buy|train|read|learn|study|add|update|create
            |implement|write|refactor|remove|delete|rename|move|fix|deploy|merge|release
        |investigate|research|review|discuss|decide|check|test|document|migrate|set\ ?up|setup|build|design
        |replace|change|convert|extract|clean\ ?up|configure|install|integrate|introduce|make|use|get|find
        |define|identify|prepare|publish|push|open|close|ask|talk|schedule|communicate|announce|notify
        |verify\ with|assign|label|link|post|share|send|draft|plan|evaluate|explore|figure|run|rebase|bump
        |upgrade|generate|import|export\ the|port|apply|adjust|enable|disable|allow|support|improve|expose|reuse
        |drop|split|wire|hook|copy|download|upload|sync|backport|complete|finish|extend|submit|request|determine
        |(?:add|remov|updat|creat|implement|writ|refactor|mov|fix|document|deploy|releas|migrat|replac|upgrad)ing
        |ensure\ that\ all\ \w+\ have\ been|confirm\ with)\b""",
    re.VERBOSE | re.IGNORECASE,
)

# "List shows three rows", "Order number is displayed": the first word is a noun after all.
_NOUN_FIRST = re.compile(
    r"""^\W*(?!(?:we|i|please)\b)\w+(?:\s+(?!(?:that|which|if|when|where|so|to|the|an?|all|each)\b)[\w'-]+){0,3}
        \s+(?:is|are|can|may|must|should|will|shows?|displays?|appears?|opens?|returns?|reads?|contains?|stays?
            |remains?|has|have)\b""",
    re.VERBOSE | re.IGNORECASE,
)


def opens_with_work(text: str) -> bool:
    """Whether a line says what to do rather than what shall be: "Add the button to the list"."""
    return bool(_WORK.match(text)) and not _NOUN_FIRST.match(text)
