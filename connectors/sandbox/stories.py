"""The texts of generated backlogs: stories, bugs, epics and tasks, good ones and bad ones.

Everything is built by combination from `phrases`, so that a thousand issues have nearly a thousand titles. Texts are
Markdown. A `flaw` names what is wrong with a text on purpose; None asks for a good one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain, count, product
from random import Random
from typing import TypeVar

from backlint.connectors.sandbox.phrases import (
    BACKGROUNDS,
    BUG_TEMPLATE,
    BUGS,
    CHORES,
    DOMAINS,
    ENVIRONMENTS,
    EPIC_TITLES,
    FOREIGN,
    INITIATIVE_TITLES,
    MOVES,
    NOT_NOW,
    PROBLEMS,
    SECOND_THOUGHTS,
    SEGMENTS,
    SPIKES,
    SUBTASKS,
    TEMPLATES,
    VAGUE_CRITERIA,
    WEAK_BENEFITS,
    Domain,
    Fault,
    Move,
)

T = TypeVar("T")

STORY_FLAWS = (
    "no_criteria",
    "template_untouched",
    "vague_criteria",
    "empty",
    "thin",
    "weak_benefit",
    "no_outcome",
    "owner_tbd",
    "quoted_only",
    "placeholder_criteria",
    "too_many_criteria",
    "pasted_log",
    "vague_title",
)
BUG_FLAWS = ("no_steps", "empty_steps", "template_untouched", "empty", "thin", "log_only", "vague_title")
EPIC_FLAWS = (
    "feature_list",
    "vague_outcome",
    "vanity_metric",
    "output_goal",
    "owner_tbd",
    "no_review",
    "review_passed",
    "empty",
)
TASK_FLAWS = ("empty", "thin", "vague_title", "owner_tbd")
FLAWS = {"story": STORY_FLAWS, "bug": BUG_FLAWS, "epic": EPIC_FLAWS, "initiative": EPIC_FLAWS, "task": TASK_FLAWS}

FORMATS = ("bullets", "checklist", "gherkin", "table", "numbered", "bold_heading", "fence", "phrase")
LANGUAGES = ("de", "fr", "es", "ja")


@dataclass(frozen=True)
class Text:
    """A title and a Markdown body; `criteria_field` holds criteria that stand in a field of their own instead."""

    title: str
    body: str
    flaw: str | None = None
    language: str = "en"
    criteria_field: str | None = None


@dataclass
class Writer:
    """Writes issues about some domains, no title twice."""

    random: Random
    domains: tuple[str, ...]
    today: date
    taken: set[str] = field(default_factory=set)  # titles that are in use
    _stories: Iterator[tuple[str, tuple[str, str], Move, str]] = field(init=False)

    _names: dict[str, Iterator[str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._stories = iter(self._all_stories())

    def _all_stories(self) -> Iterator[tuple[str, tuple[str, str], Move, str]]:
        for segment in SEGMENTS:
            every = [
                (name, thing, move, segment)
                for name in self.domains
                for thing, move in product(DOMAINS[name].things, MOVES)
            ]
            self.random.shuffle(every)
            yield from every

    # -- kinds of issues ---------------------------------------------------------------------------------------------

    def story(self, flaw: str | None = None, *, may_be_foreign: bool = True, field_share: float = 0.0) -> Text:
        """A user story. Some good ones are in another language, some keep their criteria in a field."""
        if flaw is None and may_be_foreign and self.random.random() < 0.08:
            return self._foreign()
        name, thing, move, segment = next(self._stories, (self.domains[0], ("entry", "entries"), MOVES[0], ""))
        words = _words(DOMAINS[name], thing, self.random)
        title = self._once(" ".join(part for part in (_fill(move.title, words), segment) if part))
        criteria = [_fill(line, words) for line in move.criteria]
        in_field = flaw is None and self.random.random() < field_share
        body = self._story_body(move, words, criteria, flaw, with_criteria=not in_field)
        if flaw == "vague_title":
            title = self.random.choice(("Improvements", "Small changes", "Update", "Refactor", "Misc fixes"))
        return Text(title, body, flaw, criteria_field="\n".join(f"* {line}" for line in criteria) if in_field else None)

    def bug(self, flaw: str | None = None) -> Text:
        fault, words = self._pick(BUGS)
        title = self._once(_fill(fault.title, words))
        if flaw == "vague_title":
            title = self.random.choice(("Fix bug", "Error", "Does not work", "Bug"))
        return Text(title, self._bug_body(fault, words, flaw), flaw)

    def epic(self, flaw: str | None = None) -> Text:
        title, words = self._pick(EPIC_TITLES)
        domain = DOMAINS[words["domain"]]
        return Text(self._once(_fill(title, words)), self._epic_body(domain, words, flaw), flaw)

    def initiative(self, flaw: str | None = None) -> Text:
        domain = DOMAINS[self.domains[0]]
        words = _words(domain, domain.things[0], self.random)
        return Text(self._once(self.random.choice(INITIATIVE_TITLES)), self._epic_body(domain, words, flaw), flaw)

    def task(self, flaw: str | None = None) -> Text:
        (title, body), words = self._pick(CHORES)
        return self._small(title, body, words, flaw)

    def spike(self) -> Text:
        (title, body), words = self._pick(SPIKES)
        return self._small(title, body, words, None)

    def subtask(self) -> Text:
        title, words = self._pick(SUBTASKS)
        body = self.random.choice(
            (
                "",
                f"Part of the work on {words['things']}, see the parent for the criteria.",
                f"Small step towards {words['things']}: start with the {words['place']}, the rest follows from there.",
                f"Do this before the {words['role']}s get the new version; ask the team about {words['things']}.",
            )
        )
        return Text(self._once(_fill(title, words)), body)

    def result(self, domain: str) -> str:
        """A recorded result of a finished epic."""
        metric, before, after = self.random.choice(DOMAINS[domain].metrics)
        return f"Result: {metric} went from {before} to {after}. We keep it."

    # -- bodies -------------------------------------------------------------------------------------------------------

    def _story_body(
        self, move: Move, words: dict[str, str], criteria: list[str], flaw: str | None, *, with_criteria: bool
    ) -> str:
        want = _fill(move.want, words)
        why = self.random.choice(move.why)
        wish = f"As a {words['role']}, I want to {want} so that {why}."
        background = self._background(words)
        match flaw:
            case "empty":
                return ""
            case "thin":
                return self.random.choice(("See chat.", f"Like the old {words['place']}.", "As discussed.", "Add it."))
            case "template_untouched":
                return self.random.choice(TEMPLATES)
            case "no_criteria" | "quoted_only" | "pasted_log":
                return _join(wish, background, self._distraction(flaw, criteria))
            case "vague_criteria":
                return _join(wish, background, f"## Acceptance criteria\n\n{_bullets(self._vague())}")
            case "weak_benefit":
                wish = f"As a {words['role']}, I want to {want} so that {self.random.choice(WEAK_BENEFITS)}."
            case "no_outcome":
                wish = f"The {words['place']} should let people {want}."
            case "owner_tbd":
                background += "\n\nOwner: TBD"
            case "placeholder_criteria":
                lines = self.random.choice(("- [ ] TBD", "- TBD\n- ...", "tbd", "1.\n2.\n3."))
                return _join(wish, background, f"## Acceptance criteria\n\n{lines}")
            case "too_many_criteria":
                criteria = criteria + [
                    f"Field {n} of the {words['thing']} is shown with its unit" for n in range(1, 11)
                ]
        if not with_criteria:
            return _join(wish, background)
        return _join(wish, background, self._criteria(move, words, criteria))

    def _background(self, words: dict[str, str]) -> str:
        parts = [_fill(self.random.choice(BACKGROUNDS), words)]
        if self.random.random() < 0.25:
            parts.append(_fill(self.random.choice(SECOND_THOUGHTS), words))
        if self.random.random() < 0.12:
            parts.append("<!-- Describe the present situation and who is affected. Screenshots help. -->")
        if self.random.random() < 0.08:
            parts.append(f"> Can we do something about the {words['things']}? I lose an hour every week.")
        return "\n\n".join(parts)

    def _criteria(self, move: Move, words: dict[str, str], criteria: list[str]) -> str:
        if len(criteria) > 8:
            return f"## Acceptance criteria\n\n{_bullets(criteria)}"
        kept = criteria[: self.random.randint(2, len(criteria))]
        steps = (f"Given {move.given}", f"When {move.when}", f"Then {move.then}")
        scenario = [_fill(step, words) for step in steps]
        match self.random.choice(FORMATS):
            case "bullets":
                return f"## Acceptance criteria\n\n{_bullets(kept)}"
            case "checklist":
                boxes = "\n".join(f"- [{self.random.choice('  x')}] {line}" for line in kept)
                return f"### Acceptance Criteria\n\n{boxes}"
            case "gherkin":
                # Two spaces end a line in Markdown: without them the steps would flow into one paragraph.
                return "## Acceptance criteria\n\n" + "  \n".join(scenario)
            case "table":
                rows = "\n".join(f"| {n} | {line} | open |" for n, line in enumerate(kept, 1))
                return f"## Acceptance criteria\n\n| # | Criterion | Status |\n|---|---|---|\n{rows}"
            case "numbered":
                return "## AC\n\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(kept, 1))
            case "bold_heading":
                return f"**Acceptance criteria**\n\n{_bullets(kept)}"
            case "fence":
                return "```gherkin\nScenario: usual case\n  " + "\n  ".join(scenario) + "\n```"
            case _:
                first = kept[0][0].lower() + kept[0][1:]
                return f"This is done when {first}."

    def _distraction(self, flaw: str, criteria: list[str]) -> str:
        if flaw == "quoted_only":
            quoted = "\n".join(f"> - {line}" for line in criteria[:2])
            return f"In the old ticket we had:\n\n> Acceptance criteria:\n{quoted}"
        if flaw == "pasted_log":
            return f"From the log:\n\n```\n{self._log()}\n```"
        return ""

    def _vague(self) -> list[str]:
        return self.random.sample(VAGUE_CRITERIA, self.random.randint(2, 3))

    def _log(self) -> str:
        second = self.random.randint(10, 59)
        return "\n".join(
            (
                f"2026-01-12 10:15:{second} ERROR worker-3 job failed after {self.random.randint(2, 9)} attempts",
                "java.lang.IllegalStateException: state DRAFT expected",
                f"    at shop.core.Flow.next(Flow.java:{self.random.randint(20, 400)})",
                f"    at shop.core.Runner.run(Runner.java:{self.random.randint(20, 200)})",
            )
        )

    def _bug_body(self, fault: Fault, words: dict[str, str], flaw: str | None) -> str:
        steps = "\n".join(f"{n}. {_fill(line, words)}" for n, line in enumerate(fault.steps, 1))
        expected, actual = _fill(fault.expected, words), _fill(fault.actual, words)
        environment = self.random.choice(ENVIRONMENTS)
        match flaw:
            case "empty":
                return ""
            case "thin":
                return self.random.choice(("Please check.", "Happens again.", "See screenshot in chat."))
            case "template_untouched":
                return BUG_TEMPLATE
            case "log_only":
                return f"```\n{self._log()}\n```"
            case "no_steps":
                return f"{actual} Seen by two customers this week, on {environment}."
            case "empty_steps":
                steps = "1.\n2.\n3."
                return _join(*_sections(steps, expected, actual))
        if self.random.random() < 0.3:
            short = " then ".join(_fill(line, words)[0].lower() + _fill(line, words)[1:] for line in fault.steps)
            return (
                f"**Steps to reproduce:** {short}.\n\n**Expected:** {expected}\n\n**Actual:** {actual}\n\n{environment}"
            )
        parts = [*_sections(steps, expected, actual), f"## Environment\n\n{environment}"]
        if self.random.random() < 0.25:
            parts.append(f"```\n{self._log()}\n```")
        return _join(*parts)

    def _epic_body(self, domain: Domain, words: dict[str, str], flaw: str | None) -> str:
        metric, before, after = self.random.choice(domain.metrics)
        by = self.today + timedelta(days=self.random.randint(40, 160))
        review = (
            by + timedelta(days=14)
            if flaw != "review_passed"
            else self.today - timedelta(days=self.random.randint(12, 60))
        )
        outcome = self.random.choice(
            (
                f"{metric[0].upper()}{metric[1:]} from {before} to {after} by {by:%Y-%m-%d}.",
                f"By {by.day} {by:%b %Y} {metric} moves from {before} to {after}.",
            )
        )
        problem = _fill(self.random.choice(PROBLEMS), words)
        match flaw:
            case "empty":
                return ""
            case "feature_list":
                return f"{problem}\n\n" + _bullets([_fill(move.title, words) for move in self.random.sample(MOVES, 4)])
            case "vague_outcome":
                outcome = f"People are happier with {words['things']}."
            case "vanity_metric":
                outcome = f"10,000 page views of the {words['place']} by {by:%Y-%m-%d}."
            case "output_goal":
                outcome = f"Implement the new {words['place']} and ship 3 new pages for {words['things']}."
        parts = [f"## Problem\n\n{problem}", f"## Outcome\n\n{outcome}"]
        if flaw not in ("vague_outcome", "vanity_metric", "output_goal"):
            parts.append(f"## Guardrails\n\n- {domain.guard[0].upper()}{domain.guard[1:]}")
        parts.append(f"## Out of scope\n\n- {_fill(self.random.choice(NOT_NOW), words)}")
        if flaw == "owner_tbd":
            parts.append("Owner: TBD")
        if flaw != "no_review":
            day = self.random.choice((f"{review:%Y-%m-%d}", f"{review.day} {review:%b %Y}"))
            parts.append(f"Review date: {day}")
        return _join(*parts)

    def _small(self, title: str, body: str, words: dict[str, str], flaw: str | None) -> Text:
        named = self._once(_fill(title, words))
        match flaw:
            case "empty":
                return Text(named, "", flaw)
            case "thin":
                return Text(named, self.random.choice(("See chat.", "Asap.", "As discussed.")), flaw)
            case "vague_title":
                return Text(self.random.choice(("Refactor", "Clean up", "Update", "Misc")), _fill(body, words), flaw)
            case "owner_tbd":
                return Text(named, _fill(body, words) + "\n\nOwner: TBD", flaw)
        return Text(named, _fill(body, words), flaw)

    def _foreign(self) -> Text:
        language = self.random.choice(LANGUAGES)
        things, actions, shape = FOREIGN[language]
        thing, (action, why, *criteria) = self.random.choice(things), self.random.choice(actions)
        lines = "\n".join(f"- {line.format(x=thing)}" for line in criteria)
        return Text(
            self._once(action.format(x=thing)),
            shape.format(action=action.format(x=thing), why=why, criteria=lines),
            language=language,
        )

    # -- small parts -------------------------------------------------------------------------------------------------

    def _pick(self, choices: Sequence[T]) -> tuple[T, dict[str, str]]:
        name = self.random.choice(self.domains)
        domain = DOMAINS[name]
        return self.random.choice(choices), _words(domain, self.random.choice(domain.things), self.random)

    def _once(self, title: str) -> str:
        """The title, with a segment or a number behind it when it was used before."""
        candidates = self._names.setdefault(
            title,
            chain(
                (title,),
                (f"{title} {segment}" for segment in SEGMENTS[1:]),
                (f"{title}, part {number}" for number in count(2)),
            ),
        )
        chosen = next(each for each in candidates if each not in self.taken)
        self.taken.add(chosen)
        return chosen


def _words(domain: Domain, thing: tuple[str, str], random: Random) -> dict[str, str]:
    one, many = thing
    return {
        "domain": domain.name,
        "thing": one,
        "things": many,
        "Things": many[0].upper() + many[1:],
        "slug": many.replace(" ", "-"),
        "place": domain.place,
        "Place": domain.place[0].upper() + domain.place[1:],
        "role": random.choice(domain.roles),
    }


def _fill(text: str, words: dict[str, str]) -> str:
    return text.format_map(words)


def _sections(steps: str, expected: str, actual: str) -> list[str]:
    return [
        f"## Steps to reproduce\n\n{steps}",
        f"## Expected behaviour\n\n{expected}",
        f"## Actual behaviour\n\n{actual}",
    ]


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
