"""What a rule is: its page, its options, its check and its examples, in one class."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar
from zoneinfo import ZoneInfo

from backlint.backlog import Backlog, one_issue_backlog
from backlint.calendars import EVERY_DAY, Calendar
from backlint.errors import ConfigurationError
from backlint.flow import FlowOptions, Item, ServiceLevel, items
from backlint.forecast import WEEKS
from backlint.model import (
    INLINE_WAIVER,
    Evidence,
    Issue,
    IssueType,
    Judgement,
    Markup,
    Scope,
    ScopeKind,
    Severity,
    StatusCategory,
    Verdict,
)
from backlint.moment import Moment, Watch
from backlint.text.document import Document

EVERY_TYPE = frozenset(IssueType)
# A fixed moment for examples, so that pages and tests read the same on every day.
EXAMPLE_NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NEW_FOR = timedelta(days=3)  # catalogue 1.4
# Readings kept at a time: those of one issue are asked for at once, those of its epic by each of its stories.
MEMORY = 4096
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Read = TypeVar("Read")


class Texts(Protocol):
    """Texts after the pipeline, each read once."""

    def body(self, issue: Issue) -> Document: ...

    def read(self, text: str, markup: Markup) -> Document: ...


def _every_day(team: str) -> Calendar:
    return EVERY_DAY


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything a rule may know beside the issue. `service_level` gives the SLE of the issue's class, if any.

    `mapped_types` holds the names of types that the configuration of each source maps, in small letters. `calendar`
    gives a team's holidays and leave; `forecast_weeks` are the weeks that forecasts draw from.
    """

    now: datetime
    backlog: Backlog
    texts: Texts
    timezone: str = "UTC"
    levels: Mapping[tuple[str, str], ServiceLevel] = field(default_factory=lambda: MappingProxyType({}))
    flow_options: FlowOptions = field(default_factory=FlowOptions)
    mapped_types: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    calendar: Callable[[str], Calendar] = _every_day
    forecast_weeks: int = WEEKS
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    whole: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    watch: Watch | None = field(default=None, repr=False, compare=False)  # notes what verdicts rest on

    def once(self, what: Hashable, issue: Issue, read: Callable[[], Read]) -> Read:
        """What `read` gives, kept while it may be asked again: by another rule, or by the children of an epic."""
        key = (what, issue.identity)
        if key not in self.memory and len(self.memory) >= MEMORY:
            self.memory.clear()
        return self._kept(self.memory, key, read)

    def plain_now(self) -> datetime:
        """The time as a value, for those who cannot ask it questions: what they make of it is not kept."""
        self.never_again()
        return self.now.plain if isinstance(self.now, Moment) else self.now

    def never_again(self) -> None:
        """What is said now is not to be kept for a later check."""
        if self.watch is not None:
            self.watch.note(LONG_AGO)

    def of_backlog(self, what: Hashable, read: Callable[[], Read]) -> Read:
        """What `read` gives for the backlog as a whole, once a check: `what` names it with the options it rests on.

        Whatever looks through all issues belongs in here.
        """
        if self.watch is not None:
            self.watch.footing.on_others = True
        return self._kept(self.whole, what, read)

    def of_people(self, what: Hashable, read: Callable[[], Read]) -> Read:
        """What `read` makes of the people and projects alone, once a check."""
        return self._kept(self.whole, what, read)

    def _kept(self, kept: dict[Hashable, Any], key: Hashable, read: Callable[[], Read]) -> Read:
        """Who asks for something kept rests on what it rests on, too."""
        if self.watch is None:
            if key not in kept:
                kept[key] = read()
            found: Read = kept[key]
            return found
        if key not in kept:
            kept[key] = self.watch.apart(read)
        found, footing = kept[key]
        self.watch.footing.join(footing)
        return found

    @property
    def flow(self) -> Mapping[tuple[str, str], Item]:
        """Every issue with its episodes of work, by identity."""

        def read() -> dict[tuple[str, str], Item]:
            found = items(self.backlog.issues, self.now, self.flow_options)
            return {item.issue.identity: item for item in found}

        return self.of_backlog("flow", read)

    @property
    def today(self) -> date:
        """The day it is where the team works."""
        return self.day(self.now)

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.timezone)).date()

    def is_near(self, issue: Issue) -> bool:
        return self.backlog.is_near(issue)

    def is_new(self, issue: Issue) -> bool:
        """Younger than three days and not taken up by anybody: its author is asked about it (catalogue 1.4)."""
        is_untouched = issue.status.category in (StatusCategory.TRIAGE, StatusCategory.BACKLOG)
        return is_untouched and issue.created_at is not None and self.now - issue.created_at < NEW_FOR

    def service_level(self, issue: Issue) -> ServiceLevel | None:
        return self.levels.get(issue.identity)


@dataclass(frozen=True, slots=True)
class Example:
    """A named issue that the rule must flag, pass, or decline; executed as a test and printed on the rule's page.

    `others` are further issues of the same backlog; `context` holds Backlog and Context arguments; `options`
    configure it.
    """

    name: str
    issue: Issue
    others: tuple[Issue, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    context: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # Backlog and Context arguments
    severity: Severity | None = None  # asserted when given
    evidence: str | None = None  # asserted to be part of an excerpt when given


class Rule:
    """Base of every rule: subclass it in a file of its own in `rules/`; there is nothing else to register.

    The docstring is the rule's page: its first line is the summary. Annotated class attributes are options; a
    subclass must not annotate anything else. `check` yields judgements; yielding nothing is a pass.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    label: ClassVar[str | None] = None
    severity: ClassVar[Severity]  # of near issues
    severity_far: ClassVar[Severity | None] = None  # of far issues; None: the same
    question: ClassVar[str | None] = None
    since: ClassVar[str] = "0.1"
    on_create: ClassVar[bool] = False  # asked of a new ticket's author (catalogue 1.4)
    on_create_types: ClassVar[frozenset[IssueType]] = EVERY_TYPE  # of new tickets: the types whose author can answer
    waits_for_triage: ClassVar[bool] = False  # quiet while a new ticket is in triage (catalogue 1.4)
    judges_closed: ClassVar[bool] = False  # state default: open issues only (catalogue 1.12)
    private: ClassVar[bool] = False  # for few eyes: in no comment, label, score or open report
    judges_cancelled: ClassVar[bool] = False  # for rules that compare a cancelled issue with open ones
    is_followed: ClassVar[bool] = True  # asks the context for time and other issues: its verdicts may be kept
    dimension: ClassVar[str | None] = None  # of the issue score (catalogue 3.1); None: not scored
    flagged: ClassVar[tuple[Example, ...]] = ()
    passed: ClassVar[tuple[Example, ...]] = ()
    declined: ClassVar[tuple[Example, ...]] = ()  # not applicable or unknown

    def __init__(self, options: Mapping[str, Any] | None = None, *, ceiling: Severity | None = None) -> None:
        self.ceiling = ceiling  # findings never weigh more: a profile's or a scope's cap
        for key, value in (options or {}).items():
            setattr(self, self._known(key), self._converted(key, value))

    @classmethod
    def options(cls) -> dict[str, Any]:
        """Option name -> default, in the order of definition, those of shared parents first."""
        names = [
            name
            for owner in reversed(cls.__mro__)
            if issubclass(owner, Rule) and owner is not Rule
            for name, kind in inspect.get_annotations(owner).items()
            if not str(kind).startswith("ClassVar")
        ]
        return {name: getattr(cls, name) for name in names}

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        raise NotImplementedError

    # -- what checks yield ---------------------------------------------------------------------------------------

    def fail(
        self,
        issue: Issue | Scope,
        context: Context,
        message: str,
        *,
        evidence: Iterable[Evidence] = (),
        question: str | None = None,
        severity: Severity | None = None,
        confidence: float = 1.0,
        discriminator: str = "",
    ) -> Judgement:
        """The issue (or scope) has the smell. The severity follows near and far unless given."""
        return Judgement(
            rule=self.code,
            source=issue.source,
            issue=issue.id,
            verdict=Verdict.FAIL,
            scope=issue if isinstance(issue, Scope) else None,
            severity=self._capped(severity or self.severity_for(issue, context)),
            message=message,
            question=question or self.question,
            evidence=tuple(evidence),
            confidence=confidence,
            discriminator=discriminator,
        )

    def ok(self, issue: Issue | Scope, reason: str = "", *, evidence: Iterable[Evidence] = ()) -> Judgement:
        return self._judgement(issue, Verdict.PASS, reason, evidence)

    def not_applicable(self, issue: Issue | Scope, reason: str) -> Judgement:
        return self._judgement(issue, Verdict.NOT_APPLICABLE, reason)

    def waived_inline(self, issue: Issue | Scope, reason: str) -> Judgement:
        """The author wrote "N/A" with a reason where the rule would look (catalogue 9)."""
        return self.not_applicable(issue, f"{INLINE_WAIVER}{reason}")

    def unknown(self, issue: Issue | Scope, reason: str, *, evidence: Iterable[Evidence] = ()) -> Judgement:
        """It cannot be judged: the data was not readable. Never a finding, never a cost in the score."""
        return self._judgement(issue, Verdict.UNKNOWN, reason, evidence)

    def severity_for(self, issue: Issue | Scope, context: Context) -> Severity:
        if isinstance(issue, Scope) or self.severity_far is None or context.is_near(issue):
            return self.severity
        return self.severity if self.is_asked_of_new(issue) and context.is_new(issue) else self.severity_far

    @classmethod
    def is_asked_of_new(cls, issue: Issue) -> bool:
        """Whether the author of such a ticket can answer it when it is new (catalogue 1.4)."""
        return cls.on_create and issue.type in cls.on_create_types

    def _capped(self, severity: Severity) -> Severity:
        return severity if self.ceiling is None else min(severity, self.ceiling, key=lambda each: each.rank)

    def _judgement(
        self, issue: Issue | Scope, verdict: Verdict, reason: str, evidence: Iterable[Evidence] = ()
    ) -> Judgement:
        return Judgement(
            rule=self.code,
            source=issue.source,
            issue=issue.id,
            verdict=verdict,
            scope=issue if isinstance(issue, Scope) else None,
            reason=reason,
            evidence=tuple(evidence),
        )

    # -- options -------------------------------------------------------------------------------------------------

    def _known(self, key: str) -> str:
        known = self.options()
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"
            raise ConfigurationError(f"[rules.{self.code}] has no option {key!r}{hint}")
        return key

    def _converted(self, key: str, value: Any) -> Any:
        default = getattr(type(self), key)
        try:
            return _like(default, value)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"[rules.{self.code}] {key} = {value!r}: expected {type(default).__name__}: {error}"
            ) from None

    @cached_property
    def values(self) -> dict[str, Any]:
        """Option name -> value in force."""
        return {name: getattr(self, name) for name in self.options()}


class ScopeRule(Rule):
    """Base of the rules that judge a team, a sprint, a project or a connector: one finding each, in reports alone.

    `check_scopes` yields a judgement for every scope that the rule speaks of. Nothing of it reaches an issue: no
    label, no comment, no issue's score; a team's score pays for the findings of its scopes (catalogue 3.3).
    """

    judges: ClassVar[ScopeKind]

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        yield self.not_applicable(issue, f"judges a {self.judges.value}, not an issue")

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        raise NotImplementedError


def _like(default: Any, value: Any) -> Any:
    """The value in the type of the default: sets and tuples from lists, members of enumerations from their text."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise TypeError("true or false")
        return value
    if isinstance(default, frozenset):
        element = next(iter(default), "")
        kind = type(element) if default else str
        return frozenset(kind(each) for each in _as_list(value))
    if isinstance(default, tuple):
        return tuple(_as_list(value))
    if isinstance(default, Mapping):
        return MappingProxyType(_as_table(value))
    if isinstance(default, (int, float)) and not isinstance(value, bool):
        return type(default)(value)
    if default is None or isinstance(value, type(default)):
        return value
    raise TypeError(f"got {type(value).__name__}")


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError("a list")
    return list(value)


def _as_table(value: Any) -> dict[str, float]:
    """Names with numbers, such as caps by team."""
    if not isinstance(value, Mapping):
        raise TypeError("a table: names with numbers")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
            raise ValueError(f"{name!r} needs a number of 0 or more")
    return {str(name): number for name, number in value.items()}


def example_context(example: Example, texts: Texts) -> Context:
    """The context in which an example is judged: a backlog of the issue and its companions at `EXAMPLE_NOW`."""
    given = dict(example.context)
    own = {key: given.pop(key) for key in ("levels", "timezone", "mapped_types") if key in given}
    backlog = one_issue_backlog(example.issue, *example.others, now=EXAMPLE_NOW, **given)
    return Context(now=EXAMPLE_NOW, backlog=backlog, texts=texts, **own)


__all__ = ["EVERY_TYPE", "EXAMPLE_NOW", "Context", "Example", "Rule", "ScopeRule", "Texts", "example_context"]
