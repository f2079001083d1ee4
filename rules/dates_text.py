"""Days and periods as people write them in issues, in the languages of catalogue 1.10."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

# Month names and their usual short forms: en, de, fr, es, pt, it, nl, pl. Longest first in the pattern.
_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari stycznia styczeń",
            "february feb februar februari février févr fevrier febrero fevereiro fev febbraio lutego luty",
            "march mar märz maerz mrz mars marzo março marco maart mrt marca marzec",
            "april apr avril avr abril abr aprile kwietnia kwiecień",
            "may mai mayo maio maggio mag mei maja maj",
            "june jun juni juin junio junho giugno giu czerwca czerwiec",
            "july jul juli juillet juil julio julho luglio lug lipca lipiec",
            "august aug août aout agosto ago augustus sierpnia sierpień",
            "september sep sept septembre septiembre setembro set settembre września wrzesień",
            "october oct oktober okt octobre octubre outubro out ottobre ott października październik",
            "november nov novembre noviembre novembro listopada listopad",
            "december dec dezember dez décembre déc decembre diciembre dic dezembro dicembre grudnia grudzień",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<{0}d>0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?P<{0}y>(?:19|20)\d\d)"

_DATE = re.compile(
    rf"""
    (?<![\w.])(?P<iy>(?:19|20)\d\d)[-/.](?P<im>0?[1-9]|1[0-2])[-/.](?P<id>0?[1-9]|[12]\d|3[01])(?!\w|\.\d)
    | (?P<cy>(?:19|20)\d\d)\s*[年년]\s*(?P<cm>\d{{1,2}})\s*[月월]\s*(?P<cd>\d{{1,2}})\s*[日일]
    | (?<![\w.])(?P<gd>0?[1-9]|[12]\d|3[01])\.\s?(?P<gm>0?[1-9]|1[0-2])\.\s?(?P<gy>(?:19|20)\d\d)(?!\w|\.\d)
    | (?<![\w/])(?P<sa>\d{{1,2}})/(?P<sb>\d{{1,2}})/(?P<sy>(?:19|20)\d\d)(?!\w)
    | (?<!\w){_DAY.format("n")}(?:st|nd|rd|th|er|[.º°])?(?:\s+(?:de|di|of))?[\s-]+(?P<nm>{_MONTH})\.?
        (?:(?:\s+(?:de|del|of))?[\s,-]+{_YEAR.format("n")})?(?!\w)
    | (?<!\w)(?P<um>{_MONTH})\.?\s+{_DAY.format("u")}(?:st|nd|rd|th)?(?:,?\s+{_YEAR.format("u")})?(?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)

_NUMBER_WORDS = {
    word: number
    for number, words in {
        1: "one a an ein eine einem einer un une uno una um uma één een jeden",
        2: "two zwei deux dos dois duas due twee dwa dwóch",
        3: "three drei trois tres três tre drie trzy trzech",
        4: "four vier quatre cuatro quatro quattro cztery",
        6: "six sechs seis sei zes sześć",
        8: "eight acht huit ocho oito otto osiem",
    }.items()
    for word in words.split()
}
_UNITS = {
    "day": r"days?|tage?n?|jours?|d[ií]as?|giorn[oi]|dagen|dag|dni",
    "week": r"weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken|tygodni",
    "month": r"months?|monate?n?|mois|m[eê]s(?:es)?|mes[ei]|maanden|maand|miesi[aą]c|miesiące|miesięcy",
    "quarter": r"quarters?|quartale?n?|trimestres?|trimestri?e?|kwartaal|kwartały",
    "sprint": r"sprints?",
}
_UNIT = "|".join(f"(?P<{unit}>{forms})" for unit, forms in _UNITS.items())
_PERIOD = re.compile(
    rf"""(?<!\w)(?:within|in|after|inside|innerhalb|binnen|nach|dans|sous|d'ici|apr[eè]s|en|dentro\ de|em|ap[oó]s
        |entro|fra|dopo|na|w\ ciągu|po)\s+(?:the\ )?(?:first\ |next\ |von\ |les\ |las\ |os\ )*
        (?P<count>\d{{1,3}}|{"|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))})[\s-]+(?:{_UNIT})(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "sprint": 14}

_LOOSE_LIMIT = re.compile(
    rf"""
    (?<!\w)(?:
        (?:20\d\d[\s/-]*)?[QT][1-4](?:[\s/-]*(?:FY)?[\s'/-]*(?:20)?\d\d)?
      | [1-4]Q(?:\s*(?:20)?\d\d)?
      | H[12](?:[\s/-]*(?:20)?\d\d)?
      | (?:by|until|before|till|end\ of|bis|vor|ende|avant|d'ici|fin|jusqu'[aà]|antes\ de|hasta|para|at[eé]|entro
          |fine|voor|eind|do|przed|koniec)
        \s+(?:the\ )?(?:end\ of\ |zum\ |ende\ |fin\ |la\ fin\ |el\ |o\ |il\ )*
        (?:{_MONTH}|20\d\d|(?:this|next|the)\ (?:week|month|quarter|year|sprint)|(?:week|month|quarter|year|sprint)
          |quartal|jahr(?:esende)?|monat(?:sende)?|trimestre|a[nñ]o|mes|sprints?|release|launch)
      | (?:this|next|coming)\ (?:month|quarter|year|sprint)
      | per\ (?:day|week|month|quarter|year)\b(?=.{{0,40}}\b(?:by|within)\b)
      | (?:{_MONTH})\s+20\d\d
    )(?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDate:
    """A day named at `start:end`. `day` is None where day and month cannot be told apart or the year is missing."""

    start: int
    end: int
    day: date | None
    is_ambiguous: bool = False


def find_date(text: str, *, written_on: date | None = None, date_order: str = "") -> FoundDate | None:
    """The first day that the text names; "in two weeks" counts from `written_on`.

    `date_order` ("dmy" or "mdy") settles 03/04/2026, which is ambiguous without it.
    """
    for match in _DATE.finditer(text):
        found = _absolute(match, date_order, written_on)
        if found is not None:
            return found
    period = _PERIOD.search(text)
    if period is not None and written_on is not None:
        day = written_on + timedelta(days=_days(period))
        return FoundDate(start=period.start(), end=period.end(), day=day)
    return None


def find_limit(text: str) -> tuple[int, int] | None:
    """Where the text sets a time limit of any kind: a day, a quarter, "within two weeks", "by the end of March"."""
    for pattern in (_DATE, _PERIOD, _LOOSE_LIMIT):
        match = pattern.search(text)
        if match is not None:
            return match.start(), match.end()
    return None


def _absolute(match: re.Match[str], date_order: str, written_on: date | None) -> FoundDate | None:
    part = match.groupdict()
    if part["sa"] is not None:
        return _slashed(match, date_order)
    if part["iy"] or part["cy"] or part["gy"]:
        key = next(letter for letter in "icg" if part[f"{letter}y"])
        year, month, day = (int(part[f"{key}{piece}"]) for piece in "ymd")
        return _found(match, _day(year, month, day))
    key = "n" if part["nm"] else "u"
    named = _MONTHS[part[f"{key}m"].casefold()]
    written_year = part[f"{key}y"]
    if written_year is not None:
        return _found(match, _day(int(written_year), named, int(part[f"{key}d"])))
    if written_on is None:
        return FoundDate(start=match.start(), end=match.end(), day=None)
    return _found(match, _next_occurrence(named, int(part[f"{key}d"]), written_on))


def _slashed(match: re.Match[str], date_order: str) -> FoundDate | None:
    first, second, year = int(match["sa"]), int(match["sb"]), int(match["sy"])
    month_first, day_first = _day(year, first, second), _day(year, second, first)
    if month_first and day_first and first != second and not date_order:
        return FoundDate(start=match.start(), end=match.end(), day=None, is_ambiguous=True)
    return _found(match, (month_first or day_first) if date_order == "mdy" else (day_first or month_first))


def _found(match: re.Match[str], day: date | None) -> FoundDate | None:
    return FoundDate(start=match.start(), end=match.end(), day=day) if day else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next_occurrence(month: int, day: int, after: date) -> date | None:
    this_year = _day(after.year, month, day)
    return this_year if this_year and this_year >= after else _day(after.year + 1, month, day)


def _days(period: re.Match[str]) -> int:
    count = _NUMBER_WORDS.get(period["count"].casefold()) or int(period["count"])
    unit = next(unit for unit in _UNITS if period[unit])
    return count * _DAYS[unit]
