"""What people decided, as a check needs it: waivers, rules that stepped back, findings called wrong. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backlint.model import Issue, Judgement, Scope
from backlint.precision import Key, Level, level_of, tempered
from backlint.waivers import Waiver, Waivers, subject

NOTHING: Mapping[str, Waiver] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one issue, by rule code."""

    waived: Mapping[str, Waiver] = field(default_factory=lambda: NOTHING)
    expired: Mapping[str, Waiver] = field(default_factory=lambda: NOTHING)  # ran out, and none waives the rule now
    levels: Mapping[str, Level] = field(default_factory=dict)
    disputed: frozenset[str] = frozenset()  # a person called the finding wrong

    @property
    def unasked(self) -> frozenset[str]:
        """Rules that may not ask in a comment."""
        return self.disputed | self.waived.keys() | self.levels.keys()

    @property
    def unlabelled(self) -> frozenset[str]:
        """Rules that may not set a label."""
        silent = {code for code, level in self.levels.items() if level is Level.REPORT_ONLY}
        return self.disputed | self.waived.keys() | silent

    def tempered(self, judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
        """The verdicts with the severities that the rules may still claim."""
        judgements = tuple(judgements)
        if not self.levels:
            return judgements
        return tuple(tempered(each, self.levels.get(each.rule, Level.NONE)) for each in judgements)


PLAIN = Standing()


@dataclass(frozen=True, slots=True)
class Trust:
    """Every decision that is in force on the day of a check."""

    waivers: Waivers | None = None
    levels: Mapping[Key, Level] = field(default_factory=dict)
    disputed: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # (source, issue) -> rule codes

    @property
    def has_waivers(self) -> bool:
        return self.waivers is not None and bool(self.waivers.all)

    def standing(self, issue: Issue, codes: Collection[str], projects: Iterable[str]) -> Standing:
        """`projects` are the names that people use for what the issue belongs to."""
        if not self.has_waivers and not self.levels and issue.identity not in self.disputed:
            return PLAIN
        waived, expired = NOTHING, NOTHING
        if self.waivers is not None and self.has_waivers:
            judged = subject(issue, projects)
            waived, expired = self.waivers.of(judged, codes), self.waivers.expired(judged, codes)
        project = issue.project or issue.team or ""
        levels = {code: level_of(self.levels, issue.source, project, code) for code in codes} if self.levels else {}
        stepped_back = {code: level for code, level in levels.items() if level is not Level.NONE}
        return Standing(waived, expired, stepped_back, self.disputed.get(issue.identity, frozenset()))

    def waivers_of(self, scope: Scope, codes: Collection[str]) -> Mapping[str, Waiver]:
        """Rule code -> the waiver in force for a team, a sprint, a project or a source."""
        return self.waivers.of(subject(scope), codes) if self.waivers is not None else NOTHING
