"""Patterns in any case that are quick to say no, since most lines hold nothing of what is looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator


class AnyCase:
    """A verbose pattern in small letters, found in any case.

    The matcher skips what cannot begin a match only where letters are what they are, so the text in small letters is
    asked first, which takes a third of the time; the match itself is made on the text as written.
    """

    __slots__ = ("_exact", "_gate")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._exact = re.compile(pattern, re.VERBOSE | re.IGNORECASE | flags)
        self._gate = re.compile(pattern, re.VERBOSE | flags)

    @property
    def pattern(self) -> str:
        return self._exact.pattern

    def _may_hold(self, text: str, position: int) -> bool:
        small = text.lower()
        # A few capitals have two small letters (İ): then places differ, and the text itself is asked.
        return len(small) != len(text) or self._gate.search(small, position) is not None

    def search(self, text: str, position: int = 0) -> re.Match[str] | None:
        return self._exact.search(text, position) if self._may_hold(text, position) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self._exact.finditer(text) if self._may_hold(text, 0) else iter(())

    def holds(self, text: str) -> bool:
        """Whether there is a match at all."""
        small = text.lower()
        if len(small) != len(text):
            return self._exact.search(text) is not None
        return self._gate.search(small) is not None
