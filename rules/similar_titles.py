"""Titles that say the same in almost the same words, found without comparing each with each."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

# "4.1" is one token, "C++" and "C#" are two different ones.
_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)*[+#]*")
_EPSILON = 1e-9  # 0.9 * 10 must not round up to 10
# Words that carry no content in a title, in the languages that titles here are mostly written in; none that negates.
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        """
    a an the of on in to for from by at as is are be it its and or with into when if we i you our
    der die das ein eine einen im am zu zum zur für von mit und oder bei auf ist sind wenn als
    le la les un une des du de et ou pour avec dans sur el los las una unos y o para con en por um uma os e com
    """,
    )
)
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|en|er|e|n)$")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_LEAST_UNSPACED = 6  # characters, catalogue 1.7
# Months and weekdays number a series as digits do.
_DATED = frozenset(
    re.findall(
        r"\w+",
        """
    january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday januar februar märz mai juni juli
    oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag
    """,
    )
)


@dataclass(frozen=True, slots=True)
class Title:
    """A title in small letters without punctuation; `numbers` are what tells the members of a series apart."""

    words: tuple[str, ...]
    tokens: frozenset[str]
    numbers: tuple[str, ...]

    @property
    def content(self) -> int:
        """How many different words say something."""
        return len(self.tokens - _EMPTY)

    @property
    def says_enough(self) -> bool:
        """Whether two equal ones are worth a word: "Login" twice is not."""
        if self.content >= 2:
            return True
        return sum(len(_UNSPACED.findall(token)) for token in self.tokens) >= _LEAST_UNSPACED


def title_of(text: str) -> Title:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    words = tuple(_TOKEN.findall(plain.casefold()))
    numbers = tuple(word for word in words if word in _DATED or any(map(str.isdigit, word)))
    return Title(words, frozenset(words), numbers)


def says_the_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of words differ in endings and empty words alone.

    A further word that says something makes another member of a series: "Refactor the module wizard" beside
    "Refactor the wizard". On real backlogs five in six of such pairs were no duplicates.
    """
    return _stems(one - other) == _stems(other - one)


def by_what_they_say(titles: Iterable[frozenset[str]]) -> Iterator[list[frozenset[str]]]:
    """Titles in groups outside of which none says the same as another: the members of a series are each alone.

    Where all words are common but for their endings and empty words, the stems of all words are the same.
    """
    groups: dict[frozenset[str], list[frozenset[str]]] = defaultdict(list)
    for title in titles:
        groups[frozenset(_stems(title))].append(title)
    return (group for group in groups.values() if len(group) > 1)


def _stems(words: frozenset[str]) -> set[str]:
    return {_stem(word) for word in words - _EMPTY}


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return _ENDING.sub("", word)


Numbers = tuple[str, ...]
Place = tuple[Hashable, Numbers]  # titles are compared within a group, and only where all numbers are the same


@dataclass(frozen=True, slots=True)
class Alike:
    """Two different sets of words in one group, with their Jaccard similarity."""

    one: frozenset[str]
    other: frozenset[str]
    similarity: float


def alike(titles: Iterable[frozenset[str]], threshold: float) -> Iterator[Alike]:
    """The pairs of different sets that are at least that similar.

    Two sets that differ in few tokens are equal in at least one of a few more parts (pigeonhole). So each set is
    looked up by its parts, and only sets that share a part are compared. A set of n tokens may differ from a larger
    one by (1 - t) / t * n tokens: below 9 tokens and with t = 0.9 by none.
    """
    seen: dict[tuple[int, int, frozenset[str]], list[frozenset[str]]] = defaultdict(list)
    for tokens in sorted(set(titles), key=len):
        found: set[frozenset[str]] = set()
        for count in _part_counts(len(tokens), threshold):
            for key in _parts(tokens, count):
                found.update(seen.get(key, ()))
        for other in found:
            shared = len(tokens & other)
            if shared >= threshold * (len(tokens) + len(other) - shared) - _EPSILON:
                yield Alike(tokens, other, shared / (len(tokens) + len(other) - shared))
        own = _part_count(len(tokens), threshold)
        # One part means that no other set can be similar.
        for key in _parts(tokens, own) if own > 1 else ():
            seen[key].append(tokens)


def _part_count(size: int, threshold: float) -> int:
    return floor((1 - threshold) / threshold * size + _EPSILON) + 1


def _part_counts(size: int, threshold: float) -> set[int]:
    """How the smaller partners of a set of this size, or its equals in size, were divided."""
    smallest = max(1, ceil(threshold * size - _EPSILON))
    return {count for each in range(smallest, size + 1) if (count := _part_count(each, threshold)) > 1}


def _parts(tokens: frozenset[str], count: int) -> Iterator[tuple[int, int, frozenset[str]]]:
    parts: list[list[str]] = [[] for _ in range(count)]
    for token in tokens:
        parts[_number(token) % count].append(token)
    return ((count, place, frozenset(part)) for place, part in enumerate(parts))


@lru_cache(maxsize=200_000)
def _number(token: str) -> int:
    """The same in every process, which Python's own hash of a text is not."""
    return zlib.crc32(token.encode("utf-8", "backslashreplace"))
