"""Public holidays and leave: the days on which a team finishes nothing, or less than usual."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from backlint.errors import ConfigurationError

WEEKEND = 5  # the weekday of Saturday


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """So many people of a team are away on these days, both included."""

    first: date
    last: date
    people: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What is known of a team's days beyond its history. Without `people` leave cannot be weighed."""

    holidays: frozenset[date] = frozenset()
    people: float | None = None
    leave: tuple[Leave, ...] = ()

    def share(self, day: date) -> float:
        """Of the usual capacity: 0 on a holiday, less than 1 while people are away."""
        if day in self.holidays:
            return 0.0
        if not self.people:
            return 1.0
        return max(0.0, 1 - self.away(day) / self.people)

    def away(self, day: date) -> float:
        """How many people are on leave."""
        return sum(each.people for each in self.leave if each.first <= day <= each.last)

    def working_days(self, first: date, last: date) -> list[date]:
        """Mondays to Fridays that are no holidays."""
        return [day for day in days(first, last) if day.weekday() < WEEKEND and day not in self.holidays]

    def holidays_between(self, first: date, last: date) -> list[date]:
        """Those that fall on Mondays to Fridays: the others cost nothing."""
        return [day for day in days(first, last) if day.weekday() < WEEKEND and day in self.holidays]

    def availability(self, first: date, last: date) -> float | None:
        """The share of working days that people are there for, holidays aside; None without a working day."""
        working = self.working_days(first, last)
        return sum(self.share(day) for day in working) / len(working) if working else None


EVERY_DAY = Calendar()


def days(first: date, last: date) -> Iterable[date]:
    """Every date from the first to the last, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def public_holidays(
    country: str, subdivision: str = "", *, years: Collection[int], further: Iterable[date] = ()
) -> frozenset[date]:
    """The public holidays of a country (ISO code such as DE) or of a part of it (BY), with the team's own ones."""
    if not country:
        return frozenset(further)
    return frozenset(further) | _of_country(country.upper(), subdivision, tuple(sorted(years)))


@lru_cache(maxsize=64)
def _of_country(country: str, subdivision: str, years: tuple[int, ...]) -> frozenset[date]:
    import holidays  # a large library that most commands do not need

    known = holidays.list_supported_countries()
    if country not in known:
        raise ConfigurationError(f"no holidays are known for country {country!r}{_hint(country, known)}")
    parts = list(known[country])
    if subdivision and subdivision not in parts:
        raise ConfigurationError(
            f"country {country} has no subdivision {subdivision!r}{_hint(subdivision, parts)}; "
            f"it has {', '.join(parts) or 'none'}"
        )
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))


def _hint(wrong: str, right: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(right), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
