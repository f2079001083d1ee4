"""Scenarios in prose, lists, tables and fences: at least one When followed by a Then (catalogue 1.9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from backlint.text.gates import Gates
from backlint.text.placeholder import words_outside_slots


class Scenario(Struct, frozen=True, kw_only=True, gc=False):
    """A scenario with a When and then a Then (catalogue 1.9); `is_shell` when their steps are placeholders."""

    text: str
    start: int
    end: int
    language: str
    is_shell: bool = False


# Given, When, Then, And and But of the languages that are on by default; Gherkin's own list (gherkin-languages.json of
# the gherkin-official package, which a test compares). Its "*" is left out on purpose: a bullet is no step.
KEYWORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": {"given": ("given",), "when": ("when",), "then": ("then",), "and": ("and", "but")},
        "de": {
            "given": ("angenommen", "gegeben sei", "gegeben seien"),
            "when": ("wenn",),
            "then": ("dann",),
            "and": ("und", "aber"),
        },
        "fr": {
            "given": (
                "soit", "sachant que", "sachant qu'", "sachant", "étant donné que", "étant donné qu'", "étant donné",
                "étant donnée", "étant donnés", "étant données", "etant donné que", "etant donné qu'", "etant donné",
                "etant donnée", "etant donnés", "etant données",
            ),
            "when": ("quand", "lorsque", "lorsqu'"),
            "then": ("alors", "donc"),
            "and": ("et", "et que", "et qu'", "mais", "mais que", "mais qu'"),
        },
        "es": {
            "given": ("dado", "dada", "dados", "dadas"),
            "when": ("cuando",),
            "then": ("entonces",),
            "and": ("y", "e", "pero"),
        },
        "pt": {
            "given": ("dado", "dada", "dados", "dadas"),
            "when": ("quando",),
            "then": ("então", "entao"),
            "and": ("e", "mas"),
        },
        "it": {
            "given": ("dato", "data", "dati", "date"),
            "when": ("quando",),
            "then": ("allora",),
            "and": ("e", "ma"),
        },
        "nl": {
            "given": ("gegeven", "stel"),
            "when": ("als", "wanneer"),
            "then": ("dan",),
            "and": ("en", "maar"),
        },
        "pl": {
            "given": ("zakładając", "mając", "zakładając, że"),
            "when": ("jeżeli", "jeśli", "gdy", "kiedy"),
            "then": ("wtedy",),
            "and": ("oraz", "i", "ale"),
        },
    }
)  # fmt: skip
_MIN_STEP_WORDS = 2
# Lines that are no step (a table of values, a second line of a step) may stand between a When and its Then.
_MAX_GAP = 3
# Nobody writes a scenario of this length in one sentence; what is longer is a paste.
_MAX_SENTENCE = 2000


class StepLine(Struct, frozen=True, gc=False):
    """A line that may be a step. `breaks` marks a heading or a gap; `is_template` a line that a template brought."""

    text: str
    start: int
    end: int
    breaks: bool = False
    is_template: bool = False


def _by_keyword() -> dict[str, dict[str, str]]:
    """Keyword -> language -> role."""
    table: dict[str, dict[str, str]] = {}
    for language, roles in KEYWORDS.items():
        for role, words in roles.items():
            for word in words:
                table.setdefault(word, {})[language] = role
    return table


_ROLES = _by_keyword()
_LONGEST_FIRST = sorted(_ROLES, key=len, reverse=True)
_ANY = "|".join(re.escape(word) for word in _LONGEST_FIRST)
# A keyword is followed by a space (or by the next cell of a table); "Date: 3 May" is no step.
_STEP = re.compile(rf"[\s>*•-]*(?P<keyword>{_ANY})(?:(?<=')|\s*\|\s*|\s+(?!:))(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_WHENS = "|".join(re.escape(word) for word in _LONGEST_FIRST if "when" in _ROLES[word].values())
_THENS = "|".join(re.escape(word) for word in _LONGEST_FIRST if "then" in _ROLES[word].values())
_GIVENS = "|".join(re.escape(word) for word in _LONGEST_FIRST if "given" in _ROLES[word].values())


def _whole_words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


# The When and Then words of each language, to be found as whole words.
_KEYWORDS = {
    (language, role): _whole_words(roles[role]) for language, roles in KEYWORDS.items() for role in ("when", "then")
}
_KEYWORD_GATES = Gates(_KEYWORDS.items())
_SENTENCE = re.compile(
    rf"(?:^\W*|[.:;!?]\s+)(?P<given>{_GIVENS})\s(?P<context>.{{1,400}}?)\b(?P<when>{_WHENS})\s(?P<event>.{{1,400}}?)\b(?P<then>{_THENS})\s(?P<result>.+)",
    re.IGNORECASE | re.DOTALL,
)
_REQUIREMENT = re.compile(r"^\W*when\s(?P<event>.{1,400}?)\bthen\s(?P<result>.+)", re.IGNORECASE | re.DOTALL)
_SHALL = re.compile(r"\bshall\b", re.IGNORECASE)
_SLOTTED = re.compile(r"^\W*given\W+when\W+then\W*$", re.IGNORECASE)
_SCENARIO = re.compile(
    r"\W*(?:scenarios?|szenario|sc[eé]nario|escenario|cen[aá]rio|scenariusz|example|beispiel|exemple|ejemplo|exemplo|esempio)\b[^:]{0,40}:",
    re.IGNORECASE,
)


def scenarios(lines: Iterable[StepLine]) -> tuple[Scenario, ...]:
    """The scenarios in a text, in order."""
    found: list[Scenario] = []
    run = _Run(found)
    for line in lines:
        if line.breaks:
            run.end()
        elif (alone := _in_one_line(line)) is not None:
            run.end()
            found.append(alone)
        else:
            run.take(line)
    run.end()
    return tuple(found)


def may_hold_scenarios(text: str) -> bool:
    """A quick no for most texts: some language must have both its words in it."""
    possible = _KEYWORD_GATES.open(text)
    languages = [language for language in KEYWORDS if {(language, "when"), (language, "then")} <= possible]
    if not languages:
        return False
    folded = text.casefold()
    return any(
        _KEYWORDS[language, "then"].search(folded) and _KEYWORDS[language, "when"].search(folded)
        for language in languages
    )


def is_step(text: str) -> bool:
    """Whether a line begins as a step does, in any of the languages."""
    return _STEP.match(text) is not None


def _in_one_line(line: StepLine) -> Scenario | None:
    text = line.text[:_MAX_SENTENCE]
    if _SLOTTED.match(text):
        return _scenario([line], "en", is_shell=True)
    sentence = _SENTENCE.search(text)
    if sentence is not None:
        languages = (
            _languages(sentence["given"], "given")
            & _languages(sentence["when"], "when")
            & _languages(sentence["then"], "then")
        )
        if languages:
            parts = (sentence["event"], sentence["result"])
            return _scenario([line], min(languages, key=_order), is_shell=line.is_template or not _all_filled(parts))
    requirement = _REQUIREMENT.match(text)
    if requirement is not None and _is_requirement(text, requirement):
        parts = (requirement["event"], requirement["result"])
        return _scenario([line], "en", is_shell=line.is_template or not _all_filled(parts))
    return None


def _is_requirement(text: str, match: re.Match[str]) -> bool:
    """ "WHEN … THEN … SHALL …": an ordinary sentence with when and then is none."""
    return bool(_SHALL.search(match["result"])) or ("WHEN" in text and "THEN" in text)


def _order(language: str) -> int:
    return list(KEYWORDS).index(language)


def _roles(keyword: str) -> Mapping[str, str]:
    """Language -> role of a keyword in any case; "İ" matches Polish "i", and folds to an i with a dot above."""
    return _ROLES.get(keyword.casefold().replace("\u0307", ""), {})


def _languages(keyword: str, role: str) -> set[str]:
    return {language for language, its_role in _roles(keyword).items() if its_role == role}


def _all_filled(parts: Iterable[str]) -> bool:
    return all(words_outside_slots(part) >= _MIN_STEP_WORDS for part in parts)


def _scenario(lines: list[StepLine], language: str, *, is_shell: bool) -> Scenario:
    return Scenario(
        text="\n".join(line.text for line in lines),
        start=lines[0].start,
        end=max(line.end for line in lines),
        language=language,
        is_shell=is_shell,
    )


class _Run:
    """Steps that follow one another; ends as a scenario if a When and then a Then of one language were among them."""

    def __init__(self, found: list[Scenario]) -> None:
        self._found = found
        self._clear()

    def _clear(self) -> None:
        self._lines: list[StepLine] = []
        self._steps: list[tuple[frozenset[str], str, bool]] = []  # (languages, role, filled)
        self._gap = 0

    def take(self, line: StepLine) -> None:
        if _SCENARIO.match(line.text):
            self.end()
            return
        step = _STEP.match(line.text)
        roles = _roles(step["keyword"]) if step is not None else {}
        if step is None or not self._fits(set(roles.values())):
            self._other(line)
            return
        if "given" in roles.values() and self._has_then():
            self.end()
        filled = not line.is_template and words_outside_slots(step["rest"]) >= _MIN_STEP_WORDS
        self._lines.append(line)
        self._gap = 0
        for role in set(roles.values()):
            languages = frozenset(language for language, its_role in roles.items() if its_role == role)
            self._steps.append((languages, role, filled))

    def _fits(self, roles: set[str]) -> bool:
        """And and Then go on; only Given and When begin."""
        return bool(self._lines) or "given" in roles or "when" in roles

    def _other(self, line: StepLine) -> None:
        if self._lines and not line.text.lstrip().startswith(("|", '"""')):
            self._gap += 1
            if self._gap > _MAX_GAP:
                self.end()

    def _has_then(self) -> bool:
        return any(role == "then" for _, role, _ in self._steps)

    def end(self) -> None:
        language = self._language(filled=False)
        if language is not None:
            real = self._language(filled=True)
            self._found.append(_scenario(self._lines, real or language, is_shell=real is None))
        self._clear()

    def _language(self, *, filled: bool) -> str | None:
        """The first language in which a When is followed by a Then."""
        for language in KEYWORDS:
            seen_when = False
            for languages, role, is_filled in self._steps:
                if language not in languages or (filled and not is_filled):
                    continue
                if role == "when":
                    seen_when = True
                elif role == "then" and seen_when:
                    return language
        return None
