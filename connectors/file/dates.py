"""Dates as exports print them: ISO 8601, Jira's 24/Nov/26 3:04 PM in several languages, spreadsheet dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

# Month abbreviations of the languages that texts are read in (en, de, fr, es, pt, it, nl, pl), without dots and accents
# where both spellings occur. Longer names are recognised by these beginnings.
_MONTHS = (
    ("jan", "ene", "jän", "gen", "sty"),
    ("feb", "fév", "fev", "lut"),
    ("mar", "mär", "mrz", "maa", "mrt"),
    ("apr", "avr", "abr", "kwi"),
    ("may", "mai", "mag", "mei", "maj"),
    ("jun", "juin", "giu", "cze"),
    ("jul", "juil", "lug", "lip"),
    ("aug", "aoû", "aou", "ago", "sie"),
    ("sep", "set", "wrz"),
    ("oct", "okt", "out", "ott", "paź"),
    ("nov", "lis"),
    ("dec", "dez", "déc", "dic", "gru"),
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_TIME = r"(?:,?\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\s*(?P<half>[ap]\.?\s?m\.?))?)?"
_NAMED = re.compile(rf"(?P<day>\d{{1,2}})[/. -]+(?P<month>[^\W\d_]{{3,}})\.?[/. -]+(?P<year>\d{{4}}|\d\d){_TIME}", re.I)
_NUMBERED = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<mark>[/.-])(?P<next>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d\d){_TIME}", re.I
)
# `Date.toString()` of JavaScript, which older Linear exports hold; the zone's name in brackets adds nothing.
_SCRIPT = re.compile(
    r"[A-Z][a-z]{2} (?P<text>[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d) GMT(?P<offset>[+-]\d{4})(?: \(.*\))?"
)


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads the dates of one file. `zone` is for dates that name none; `day_first` decides 03/04/2026."""

    zone: tzinfo = UTC
    day_first: bool | None = None

    def instant(self, text: str) -> datetime:
        """The moment in UTC. ValueError says what is wrong with the text."""
        found = self._found(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)

    def day(self, text: str) -> date:
        """The calendar day as printed: a due date has no zone."""
        return self._found(text.strip()).date()

    def _found(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # not ISO 8601; the other forms are tried in turn
        if found := _SCRIPT.fullmatch(text):
            return datetime.strptime(f"{found['text']} {found['offset']}", "%b %d %Y %H:%M:%S %z")
        if found := _NAMED.fullmatch(text):
            return self._built(found, text, day=int(found["day"]), month=_month(found["month"], text))
        if found := _NUMBERED.fullmatch(text):
            day, month = self._ordered(found, text)
            return self._built(found, text, day=day, month=month)
        raise ValueError(f"no known date format: {text[:40]!r}")

    def _ordered(self, found: re.Match[str], text: str) -> tuple[int, int]:
        first, following = int(found["first"]), int(found["next"])
        day_first = True if found["mark"] == "." else self.day_first
        if day_first is None:
            day_first = _shows_day_first(first, following)
        if day_first is None and first != following:
            raise ValueError(f"{text[:40]!r} can be read day first or month first, and nothing in the file tells which")
        return (first, following) if day_first else (following, first)

    def _built(self, found: re.Match[str], text: str, *, day: int, month: int) -> datetime:
        year = int(found["year"])
        hour, half = int(found["hour"] or 0), (found["half"] or "").casefold()[:1]
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        try:
            return datetime(  # noqa: DTZ001 the caller adds the zone
                year if year > 99 else 2000 + year,
                month,
                day,
                hour,
                int(found["minute"] or 0),
                int(found["second"] or 0),
            )
        except ValueError:
            raise ValueError(f"no such day or time: {text[:40]!r}") from None


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether the numbered dates of a file are written day first; None when no date shows it or they disagree."""
    shown = {
        _shows_day_first(int(found["first"]), int(found["next"]))
        for text in texts
        if (found := _NUMBERED.fullmatch(text.strip())) and found["mark"] != "."
    }
    known = shown - {None}
    return known.pop() if len(known) == 1 else None


def _shows_day_first(first: int, following: int) -> bool | None:
    if first > 12:
        return True
    return False if following > 12 else None


def _month(name: str, text: str) -> int:
    word = name.casefold()
    for beginning in (word, word[:4], word[:3]):
        if beginning in _MONTH:
            return _MONTH[beginning]
    raise ValueError(f"no known month: {text[:40]!r}")
