"""Judges an issue by rules, settles which finding outranks which, and chooses what a comment may ask."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from backlint.model import Issue, Judgement, LinkKind, Presence, Severity, StatusCategory, Verdict
from backlint.moment import Footing
from backlint.rules.registry import family
from backlint.rules.rule import NEW_FOR, Context, Rule, ScopeRule

OWN = "backlint."  # of rules from elsewhere nobody knows what they rest on
SKIP_LABEL = "hygiene:skip"
ALWAYS_JUDGED = "SEC"  # a secret is a secret in a duplicate, too
MAX_QUESTIONS = 3  # catalogue 1.11
CANCELLED = "cancelled"

# Loser -> winners: when a winner fails on the same issue, the loser has nothing to add (catalogue 2.9).
OUTRANKED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AC001": ("AC002",),
        "TXT002": ("TXT001",),
        **{f"OUT{number:03}": ("OUT001",) for number in range(2, 10)},
        "FLO001": ("FLO002",),
        "BLK001": ("BLK002",),
    }
)
# The same across issues: when a winner fails on the parent, the loser is not said of each child.
OUTRANKED_BY_PARENT: Mapping[str, tuple[str, ...]] = MappingProxyType({"HIE001": ("HIE002",)})
# The same for questions alone: the finding stays and counts, the comment does not ask it.
UNASKED_BESIDE: Mapping[str, tuple[str, ...]] = MappingProxyType({"REV001": ("OWN001",)})
# Information that is asked all the same when one of these is asked: one reply answers both (catalogue BUG002).
RIDES_ALONG: Mapping[str, tuple[str, ...]] = MappingProxyType({"BUG002": ("BUG001", "BUG003")})
STANDS_ALONE = "TXT001"  # whoever has no description yet is asked for that, and for nothing else

log = logging.getLogger(__name__)


class Said(Struct, frozen=True):
    """What one rule says of one issue, at least one verdict, and what that rests on where a `Watch` was kept."""

    rule: str
    verdicts: tuple[Judgement, ...]
    footing: Footing | None = None


NOTHING: Mapping[str, Said] = MappingProxyType({})


class Judge:
    """The rules of one check, sorted once for every kind of issue by which of them speak of it at all.

    `as_new` asks only what the author of a new ticket can answer. Rules that judge scopes are left out:
    `judge_scopes` asks them.
    """

    def __init__(self, rules: Iterable[Rule], *, skip_label: str = SKIP_LABEL, as_new: bool = False) -> None:
        self._as_new = as_new
        self.rules = tuple(rule for rule in rules if not isinstance(rule, ScopeRule))
        self._skip_label = skip_label
        self._asked: dict[Hashable, tuple[tuple[Rule, str | None], ...]] = {}

    def __call__(self, issue: Issue, context: Context, *, waived: Collection[str] = ()) -> tuple[Judgement, ...]:
        """Every rule's verdict on the issue, at least one each. `waived` names the codes that are waived for it."""
        found: list[Judgement] = []
        for rule, declined in self._asked_of(issue, context):
            if declined is not None:
                found.append(_declined(rule, issue, declined))
            else:
                found += self._verdicts(rule, issue, context)
        return settled(found, waived=waived)

    def said(self, issue: Issue, context: Context, known: Mapping[str, Said] = NOTHING) -> list[Said]:
        """What each rule says, before the other rules are heard. `known` is what is not to be asked again, by code."""
        found: list[Said] = []
        watch = context.watch
        if watch is None:
            asked, of_all = self._asked_of(issue, context), None
        else:
            asked, of_all = watch.apart(partial(self._asked_of, issue, context))
        for rule, declined in asked:
            if declined is not None:
                found.append(Said(rule.code, (_declined(rule, issue, declined),)))
            elif rule.code in known:
                found.append(known[rule.code])
            elif watch is None or of_all is None:
                found.append(Said(rule.code, self._verdicts(rule, issue, context)))
            else:
                verdicts, footing = watch.apart(partial(self._verdicts, rule, issue, context))
                footing.join(of_all)
                found.append(Said(rule.code, verdicts, footing))
        return found

    def _verdicts(self, rule: Rule, issue: Issue, context: Context) -> tuple[Judgement, ...]:
        try:
            verdicts = tuple(rule.check(issue, context)) or (rule.ok(issue),)
        except Exception as error:  # noqa: BLE001 - one faulty rule must not cost the verdicts of all others
            _log_failure(rule, f"issue {issue.id}", error)
            verdicts = (rule.unknown(issue, f"the rule itself failed: {type(error).__name__}"),)
            context.never_again()
        if not (rule.is_followed and type(rule).__module__.startswith(OWN)):
            context.never_again()
        if rule.code in OUTRANKED_BY_PARENT and any(each.verdict is Verdict.FAIL for each in verdicts):
            return self._settled_above(verdicts, rule.code, issue, context)
        return verdicts

    def _asked_of(self, issue: Issue, context: Context) -> tuple[tuple[Rule, str | None], ...]:
        """Every rule with why it does not speak of such issues; None when it does."""
        only_secrets = _why_only_secrets(issue, self._skip_label)
        is_new = _is_new_in_triage(issue, context)
        kind = issue.type, issue.is_open, only_secrets, is_new
        asked = self._asked.get(kind)
        if asked is None:
            rules = new_ticket_rules(self.rules, issue) if self._as_new else self.rules
            asked = tuple(
                (rule, _why_declined(rule, issue, only_secrets=only_secrets, is_new=is_new)) for rule in rules
            )
            self._asked[kind] = asked
        return asked

    def _settled_above(
        self, verdicts: tuple[Judgement, ...], code: str, issue: Issue, context: Context
    ) -> tuple[Judgement, ...]:
        """Failures that a failure on the parent outranks become not applicable; the parent is judged for it."""
        above = context.backlog.parent(issue)
        if above is None:
            return verdicts
        failing = {
            rule.code
            for rule, declined in self._asked_of(above, context)
            if rule.code in OUTRANKED_BY_PARENT[code] and declined is None
            if any(each.verdict is Verdict.FAIL for each in self._verdicts(rule, above, context))
        }
        return tuple(_settled(each, failing, OUTRANKED_BY_PARENT, of=f" of {above.key}") for each in verdicts)


def _declined(rule: Rule, issue: Issue, reason: str) -> Judgement:
    return Judgement(rule=rule.code, source=issue.source, issue=issue.id, verdict=Verdict.NOT_APPLICABLE, reason=reason)


def judge(
    issue: Issue,
    rules: Iterable[Rule],
    context: Context,
    *,
    waived: Collection[str] = (),
    skip_label: str = SKIP_LABEL,
) -> tuple[Judgement, ...]:
    """Every rule's verdict on one issue; `Judge` is quicker for many."""
    return Judge(rules, skip_label=skip_label)(issue, context, waived=waived)


def judge_scopes(rules: Iterable[Rule], context: Context) -> tuple[Judgement, ...]:
    """What the rules for teams, sprints, projects and connectors say; ordered, each scope once by rule and subject."""
    found: list[Judgement] = []
    for rule in rules:
        if isinstance(rule, ScopeRule):
            found += _scope_verdicts(rule, context)
    return tuple(sorted(found, key=lambda each: (each.rule, each.source, each.issue, each.discriminator)))


def _scope_verdicts(rule: ScopeRule, context: Context) -> Iterable[Judgement]:
    """At least one: of a rule that has nothing to speak of, or fails, on the whole organisation."""
    everything = context.backlog.scopes.organisation
    try:
        return tuple(rule.check_scopes(context)) or (rule.not_applicable(everything, f"no {rule.judges} to judge"),)
    except Exception as error:  # noqa: BLE001 - one faulty rule must not cost the verdicts of all others
        _log_failure(rule, "its scopes", error)
        return (rule.unknown(everything, f"the rule itself failed: {type(error).__name__}"),)


def settled(judgements: Iterable[Judgement], *, waived: Collection[str] = ()) -> tuple[Judgement, ...]:
    """Failures that another failure outranks become not applicable; a waived or unknown winner suppresses nothing."""
    judgements = tuple(judgements)
    failing = {judgement.rule for judgement in judgements if judgement.verdict is Verdict.FAIL}.difference(waived)
    if failing.isdisjoint(OUTRANKED_BY):
        return judgements
    return tuple(_settled(judgement, failing, OUTRANKED_BY) for judgement in judgements)


def _settled(
    judgement: Judgement, failing: Collection[str], outranked_by: Mapping[str, tuple[str, ...]], *, of: str = ""
) -> Judgement:
    winner = next((code for code in outranked_by.get(judgement.rule, ()) if code in failing), None)
    if winner is None or judgement.verdict is not Verdict.FAIL:
        return judgement
    reason = f"{winner}{of} says it"
    return replace(judgement, verdict=Verdict.NOT_APPLICABLE, reason=reason, message="", question=None)


def _log_failure(rule: Rule, subject: str, error: Exception) -> None:
    """Neither the message nor the traceback's lines: both may quote the issue's text."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    log.error(
        "rule %s failed on %s: %s at %s:%s", rule.code, subject, type(error).__name__, where.filename, where.lineno
    )


def _why_declined(rule: Rule, issue: Issue, *, only_secrets: str | None, is_new: bool) -> str | None:
    """Why the rule does not speak of this issue at all; None when it does. Nothing of the issue beside its type, its
    state, `only_secrets` and `is_new` may decide it: the answer is kept for all issues that share them."""
    is_heard = family(rule.code) == ALWAYS_JUDGED or (only_secrets == CANCELLED and rule.judges_cancelled)
    if only_secrets is not None and not is_heard:
        return only_secrets
    types = rule.values.get("types")
    if types is not None and issue.type not in types:
        return f"not asked of the type {issue.type.value}"
    if not issue.is_open and not rule.judges_closed and family(rule.code) != ALWAYS_JUDGED:
        return "closed"
    if rule.waits_for_triage and is_new:
        return "in triage for less than 3 days"
    return None


def _why_only_secrets(issue: Issue, skip_label: str) -> str | None:
    """Duplicates, cancelled issues and those a person has exempted are scanned for secrets alone (catalogue 2.9)."""
    if issue.presence is not Presence.PRESENT:
        return f"{issue.presence.value} in the tracker"
    if any(link.kind is LinkKind.DUPLICATES for link in issue.links):
        return "a duplicate of another issue"
    if issue.labels and skip_label.casefold() in {label.casefold() for label in issue.labels}:
        return f"labelled {skip_label}"
    if issue.status.category is StatusCategory.CANCELLED:
        return CANCELLED
    return None


def _is_new_in_triage(issue: Issue, context: Context) -> bool:
    if issue.status.category is not StatusCategory.TRIAGE or issue.created_at is None:
        return False
    return context.now - issue.created_at < NEW_FOR


def new_ticket_rules(rules: Iterable[Rule], issue: Issue) -> tuple[Rule, ...]:
    """The rules whose questions the author of a new ticket can answer (catalogue 1.4)."""
    return tuple(rule for rule in rules if rule.is_asked_of_new(issue))


def asked(
    judgements: Iterable[Judgement],
    *,
    waived: Collection[str] = (),
    points: Callable[[Judgement], Fraction] = lambda _: Fraction(0),
    info_too: Collection[str] = (),
    limit: int = MAX_QUESTIONS,
) -> tuple[Judgement, ...]:
    """What the comment on one issue may ask: at most `limit` findings, the largest recoverable score first.

    `points` gives the score points that fixing a finding brings (`IssueScore.points`); without it the severity
    orders. Findings of severity info ask only where `info_too` names their rule; secrets never do.
    """
    judgements = tuple(judgements)
    asking = [judgement for judgement in judgements if _may_ask(judgement, waived, info_too)]
    codes = {judgement.rule for judgement in asking}
    along = {rider for rider, hosts in RIDES_ALONG.items() if rider not in codes and codes & set(hosts)}
    asking += [judgement for judgement in judgements if judgement.rule in along and _may_ask(judgement, waived, along)]
    if STANDS_ALONE in codes:
        asking = [judgement for judgement in asking if judgement.rule == STANDS_ALONE]
    asking = [each for each in asking if not codes & set(UNASKED_BESIDE.get(each.rule, ()))]
    asking.sort(key=lambda each: (-points(each), -each.severity.rank, each.rule, each.discriminator))
    return tuple(asking[:limit])


def _may_ask(judgement: Judgement, waived: Collection[str], info_too: Collection[str]) -> bool:
    if judgement.verdict is not Verdict.FAIL or judgement.question is None or judgement.rule in waived:
        return False
    if family(judgement.rule) == ALWAYS_JUDGED:
        return False
    return judgement.severity is not Severity.INFO or judgement.rule in info_too


def fingerprint(judgement: Judgement) -> str:
    """What a finding is, whatever its words, its severity, its key or its place (catalogue 9)."""
    parts = [judgement.rule, judgement.source, judgement.issue, judgement.discriminator]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
