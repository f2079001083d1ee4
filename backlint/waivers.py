"""Waivers: who agreed that a rule need not hold, where, why, and until when (catalogue 9). Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from backlint.errors import InputError
from backlint.model import Issue, Scope

SECRETS = "SEC"
REASON_LENGTH = 10
DEFAULT_DAYS = 90
MOST_DAYS: Mapping[str, int] = {SECRETS: 30}
MOST_DAYS_ELSE = 365
_LETTERS = re.compile(r"[A-Z]+")


class About(StrEnum):
    """What a waiver holds for."""

    ISSUE = "issue"
    LABEL = "label"
    PROJECT = "project"
    TYPE = "type"


class Via(StrEnum):
    """How it was given. The label `hygiene:skip` and inline reasons hold while they stand, and are no waivers here."""

    COMMENT = "comment"
    COMMAND = "command line"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A rule (or family, by its letters) that need not hold for an issue (by id), a label, a project or a type.

    `until` is its last day where the team works. `source` None: in every source. `ended_at`: somebody ended it early.
    """

    id: str
    rule: str
    about: About
    name: str
    reason: str
    until: date
    via: Via
    source: str | None = None
    author: str | None = None
    made_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    def names(self, code: str) -> bool:
        """Whether it speaks of the rule with this code."""
        return self.rule in (code, letters(code))

    def is_in_force(self, today: date) -> bool:
        return self.ended_at is None and today <= self.until

    def has_expired(self, today: date) -> bool:
        """It ran out; nobody ended it."""
        return self.ended_at is None and today > self.until

    @property
    def is_of_secrets(self) -> bool:
        return letters(self.rule) == SECRETS


def spelled(day: date) -> str:
    """`30 June 2026`: the same in every country."""
    return f"{day.day} {day:%B %Y}"


def letters(code: str) -> str:
    """The family of a code: AC, OUT, OWN."""
    found = _LETTERS.match(code)
    return found.group() if found else code


def last_day(rule: str, today: date, until: date | None) -> date:
    """The day on which a waiver given today ends. InputError when it is past, or further off than the rule allows."""
    most = MOST_DAYS.get(letters(rule), MOST_DAYS_ELSE)
    if until is None:
        return today + timedelta(days=min(DEFAULT_DAYS, most))
    if until < today:
        raise InputError(f"{until} is past: give a day from today on")
    if until > today + timedelta(days=most):
        raise InputError(
            f"{until} is more than {most} days ahead, which is the most for {rule}: "
            f"{today + timedelta(days=most)} at the latest"
        )
    return until


def good_reason(text: str) -> str:
    """The reason without white space around it. InputError when it says too little."""
    reason = " ".join(text.split())
    if len(reason) < REASON_LENGTH:
        raise InputError(f"a waiver needs a reason of at least {REASON_LENGTH} characters, for whoever reads it later")
    return reason


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged, by everything that a waiver may name."""

    source: str
    id: str
    labels: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()  # every name that people use, in small letters
    type: str = ""


def subject(judged: Issue | Scope, projects: Iterable[str] = ()) -> Subject:
    """`projects` are the names of what an issue belongs to; a team or a sprint goes by its own names."""
    if isinstance(judged, Scope):
        names = (judged.key, judged.name, judged.team)
        return Subject(judged.source, judged.id, projects=frozenset(name.casefold() for name in names if name))
    return Subject(
        judged.source,
        judged.id,
        labels=frozenset(label.casefold() for label in judged.labels),
        projects=frozenset(name.casefold() for name in projects),
        type=judged.type.value,
    )


@dataclass(frozen=True)
class Waivers:
    """Every waiver that is known, in force or not, on one day of the team."""

    today: date
    all: tuple[Waiver, ...] = ()

    @cached_property
    def _of_issues(self) -> Mapping[str, list[Waiver]]:
        found: dict[str, list[Waiver]] = defaultdict(list)
        for waiver in self.all:
            if waiver.about is About.ISSUE:
                found[waiver.name].append(waiver)
        return found

    @cached_property
    def _wide(self) -> tuple[Waiver, ...]:
        return tuple(waiver for waiver in self.all if waiver.about is not About.ISSUE)

    def of(self, judged: Subject, codes: Collection[str]) -> Mapping[str, Waiver]:
        """Rule code -> the waiver in force, the one that lasts longest where there are several."""
        return _by_code((each for each in self._about(judged) if each.is_in_force(self.today)), codes)

    def expired(self, judged: Subject, codes: Collection[str]) -> Mapping[str, Waiver]:
        """Rule code -> the waiver that ran out last, for the rules that none in force waives."""
        standing = self.of(judged, codes)
        ran_out = _by_code((each for each in self._about(judged) if each.has_expired(self.today)), codes)
        return {code: waiver for code, waiver in ran_out.items() if code not in standing}

    def _about(self, judged: Subject) -> Iterator[Waiver]:
        for waiver in self._of_issues.get(judged.id, ()):
            if waiver.source in (None, judged.source):
                yield waiver
        for waiver in self._wide:
            if waiver.source in (None, judged.source) and _names(waiver, judged):
                yield waiver


def _by_code(waivers: Iterable[Waiver], codes: Collection[str]) -> dict[str, Waiver]:
    found: dict[str, Waiver] = {}
    for waiver in waivers:
        for code in codes:
            if waiver.names(code) and (code not in found or found[code].until < waiver.until):
                found[code] = waiver
    return found


def _names(waiver: Waiver, judged: Subject) -> bool:
    name = waiver.name.casefold()
    match waiver.about:
        case About.LABEL:
            return name in judged.labels
        case About.PROJECT:
            return name in judged.projects
        case _:
            return name == judged.type
