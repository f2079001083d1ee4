"""The inputs of RICE, ICE and MoSCoW as people fill them in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backlint.model import Issue
from backlint.rules.rule import Context

RICE = ("reach", "impact", "confidence", "effort")
ICE = ("impact", "confidence", "ease")
ALL_INPUTS = tuple(dict.fromkeys((*RICE, *ICE)))
SCORE = "score"
# The words of the published RICE scale, which trackers offer instead of the numbers.
IMPACT_WORDS = {"massive": 3.0, "high": 2.0, "medium": 1.0, "low": 0.5, "minimal": 0.25}
CONFIDENCE_WORDS = {"high": 100.0, "medium": 80.0, "low": 50.0}
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d)[ ,_\u00a0'](?=\d{3}\b)")
_MOSCOW = re.compile(r"(?:moscow\s*[:/=-]\s*)?(?P<class>must|should|could|won'?t)(?:[ -]?have)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Input:
    """A filled-in value; `number` None: it is none. `is_percent`: written with a percent sign."""

    text: str
    number: float | None
    is_percent: bool = False


def inputs(issue: Issue) -> dict[str, Input]:
    """What is filled in, by name. Fields that are all 0 are calculated ones that nobody has touched."""
    found = {name: _input(name, issue.fields[name]) for name in ALL_INPUTS if issue.fields.get(name) not in (None, "")}
    return {} if all(each.number == 0 for each in found.values()) else found


def _input(name: str, value: object) -> Input:
    text = str(value).strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Input(f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}", float(value))
    number = _NUMBER.search(_THOUSANDS.sub("", text))
    if number is not None:
        return Input(text, float(number.group()), "%" in text)
    words = {"impact": IMPACT_WORDS, "confidence": CONFIDENCE_WORDS}.get(name, {})
    return Input(text, words.get(text.casefold()), name == "confidence" and text.casefold() in words)


def score(issue: Issue) -> float | None:
    """The stored score; 0 is that of a calculated field without inputs."""
    value = issue.fields.get(SCORE)
    if value in (None, ""):
        return None
    return _input(SCORE, value).number or None


def moscow(issue: Issue) -> tuple[str, ...]:
    """The classes that the issue is in, by field and labels."""
    values = issue.fields.get("moscow") or ()
    texts = [values] if isinstance(values, str) else [str(each) for each in values]
    found = (_MOSCOW.fullmatch(text.strip()) for text in (*texts, *sorted(issue.labels)))
    return tuple(dict.fromkeys(match["class"].casefold().replace("'", "") for match in found if match))


@dataclass(slots=True)
class Usage:
    """How a project scores: which scheme, how many items use it, and whether its confidence is in fractions."""

    rice: int = 0
    ice: int = 0
    complete: int = 0  # items with all inputs but one, or all
    has_percents: bool = False

    @property
    def is_ice(self) -> bool:
        return self.ice > self.rice

    @property
    def scheme(self) -> tuple[str, ...]:
        return ICE if self.is_ice else RICE

    @property
    def name(self) -> str:
        return "ICE" if self.is_ice else "RICE"


def usage(issue: Issue, context: Context) -> Usage:
    """Of the issue's project."""
    return context.of_backlog("priority inputs", lambda: _usages(context)).get((issue.source, issue.project), Usage())


def _usages(context: Context) -> Mapping[tuple[str, str | None], Usage]:
    filled: dict[tuple[str, str | None], list[dict[str, Input]]] = defaultdict(list)
    for issue in context.backlog.issues:
        found = inputs(issue)
        if found:
            filled[issue.source, issue.project].append(found)
    usages = {}
    for project, all_found in filled.items():
        seen = Usage()
        for found in all_found:
            seen.ice += "ease" in found
            seen.rice += "reach" in found or "effort" in found
            seen.has_percents |= any(_is_percent(each) for each in _confidences(found))
        seen.complete = sum(sum(name in found for name in seen.scheme) >= len(seen.scheme) - 1 for found in all_found)
        usages[project] = seen
    return usages


def _confidences(found: Mapping[str, Input]) -> Iterator[Input]:
    if "confidence" in found:
        yield found["confidence"]


def _is_percent(value: Input) -> bool:
    return value.is_percent or (value.number is not None and value.number > 1)
