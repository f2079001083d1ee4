"""PRI003: an input of a priority score is not on its scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.evidence import of_value
from backlint.rules.priority_inputs import ICE, RICE, Input, Usage, inputs, moscow, score, usage
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule

LOWEST, HIGHEST = 1, 10  # of ICE (catalogue PRI003)
SHOWN = 2  # problems in the message


def scored(**fields: object) -> Issue:
    return an_issue(type=IssueType.EPIC, fields={"reach": 5000, "impact": 2, "confidence": 0.8, "effort": 2, **fields})


class RiceOutOfScale(Rule):
    """A priority score has an input that is not on its scale.

    Why it matters: one wrong input moves the item to the top, and nobody checks the arithmetic.

    How to fix: correct the input; let the tracker compute the score.

    Not flagged: confidence as a fraction where the whole project writes it so; the words of the published scale
    (massive, high ...) instead of its numbers. Reach per month against per quarter cannot be told apart.
    """

    code = "PRI003"
    name = "rice-out-of-scale"
    label = "rescore"
    severity = Severity.WARNING
    question = "Please correct the input."
    dimension = "planning"

    types: frozenset[IssueType] = EVERY_TYPE
    impact_scale: tuple[float, ...] = (3, 2, 1, 0.5, 0.25)  # the published scale of RICE
    confidence_scale: tuple[float, ...] = (100, 80, 50)  # percent; the published scale of RICE
    free_confidence: bool = False  # whether any confidence from 0 to 100 % will do
    tolerance: float = 0.01  # by which a stored score may differ from its inputs (catalogue PRI003)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        found, classes = inputs(issue), moscow(issue)
        if not found and not classes:
            yield self.not_applicable(issue, "not scored")
            return
        used = usage(issue, context)
        problems = list(self._ice(found) if used.is_ice else self._rice(found, used, score(issue)))
        if len(classes) > 1:
            problems.append(f"MoSCoW says {' and '.join(classes)}; exactly one can be.")
        if problems:
            evidence = [of_value("F", f"fields.{name}", each.text) for name, each in found.items()]
            yield self.fail(issue, context, " ".join(problems[:SHOWN]), evidence=evidence)

    def _rice(self, found: Mapping[str, Input], used: Usage, stored: float | None) -> Iterator[str]:
        for name in RICE:
            if name in found:
                problem = self._problem(name, found[name], used)
                if problem:
                    yield problem
        expected = self._expected(found, used)
        if expected is not None and stored is not None and abs(stored - expected) > self.tolerance * abs(expected):
            yield f"Score {stored:,g}, recomputed {expected:,g}."

    def _problem(self, name: str, value: Input, used: Usage) -> str | None:
        number = value.number
        if name == "reach":
            return f"Reach {value.text} is no number of 0 or more." if number is None or number < 0 else None
        if name == "impact":
            scale = ", ".join(f"{each:g}" for each in self.impact_scale)
            return None if number in self.impact_scale else f"Impact {value.text} is not on the scale {scale}."
        if name == "effort":
            return f"Effort {value.text} is not above 0." if number is None or number <= 0 else None
        percent = _percent(value, used)
        if self.free_confidence:
            return (
                None if percent is not None and 0 <= percent <= 100 else f"Confidence {value.text} is not 0 to 100 %."
            )
        scale = ", ".join(f"{each:g}" for each in self.confidence_scale)
        return None if percent in self.confidence_scale else f"Confidence {value.text} is not one of {scale} %."

    def _expected(self, found: Mapping[str, Input], used: Usage) -> float | None:
        """reach x impact x confidence / effort, where all four are there."""
        values = [found[name].number if name in found else None for name in RICE]
        reach, impact, _, effort = values
        percent = _percent(found["confidence"], used) if "confidence" in found else None
        if reach is None or impact is None or percent is None or not effort:
            return None
        return reach * impact * percent / 100 / effort

    @staticmethod
    def _ice(found: Mapping[str, Input]) -> Iterator[str]:
        for name in ICE:
            number = found[name].number if name in found else LOWEST
            if number is None or not LOWEST <= number <= HIGHEST:
                yield f"{name.capitalize()} {found[name].text} is not between {LOWEST} and {HIGHEST}."

    flagged = (
        Example("no effort at all", scored(effort=0), severity=Severity.WARNING),
        Example("more than sure", scored(confidence="120 %"), evidence="120 %"),
        Example("impact 5", scored(impact=5)),
        Example("a score that its inputs do not give", scored(score=400)),
        Example("a reach that is no number", scored(reach="many")),
        Example(
            "a fraction in a project that writes percents",
            scored(),
            others=(an_issue(id="2", fields={"reach": 10, "confidence": 80}),),
        ),
        Example("ICE above 10", an_issue(fields={"impact": 12, "confidence": 5, "ease": 3})),
        Example("must and should", an_issue(labels=frozenset({"must-have", "moscow:should"}))),
    )
    passed = (
        Example("impact 0.25", scored(impact=0.25)),
        Example("confidence 0.8", scored(score=4000)),
        Example("any confidence, where that is agreed", scored(confidence="65 %"), options={"free_confidence": True}),
        Example("the words of the scale", scored(impact="Massive", confidence="High", score="7,500")),
        Example("one MoSCoW class, twice", an_issue(labels=frozenset({"must-have", "moscow: must"}))),
    )
    declined = (
        Example("not scored", an_issue()),
        Example("calculated fields that are 0", an_issue(fields={"reach": 0, "impact": 0})),
    )


def _percent(value: Input, used: Usage) -> float | None:
    """Fractions count as such where all of the project's are."""
    if value.number is None:
        return None
    is_fraction = not value.is_percent and not used.has_percents and value.number <= 1
    return round(value.number * 100, 6) if is_fraction else value.number
