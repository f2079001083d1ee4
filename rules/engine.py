"""Judges an issue by rules, settles which finding outranks which, and chooses what a comment may ask."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType

from backlint.model import Issue, Judgement, LinkKind, Presence, Severity, StatusCategory, Verdict
from backlint.rules.registry import family
from backlint.rules.rule import Context, Rule

SKIP_LABEL = "hygiene:skip"
ALWAYS_JUDGED = "SEC"  # a secret is a secret in a duplicate, too
MAX_QUESTIONS = 3  # catalogue 1.11
TRIAGE_QUIET = timedelta(days=3)  # catalogue 1.4, new-ticket check

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
# The same for questions alone: the finding stays and counts, the comment does not ask it.
UNASKED_BESIDE: Mapping[str, tuple[str, ...]] = MappingProxyType({"REV001": ("OWN001",)})
STANDS_ALONE = "TXT001"  # whoever has no description yet is asked for that, and for nothing else

log = logging.getLogger(__name__)


def judge(
    issue: Issue,
    rules: Iterable[Rule],
    context: Context,
    *,
    waived: Collection[str] = (),
    skip_label: str = SKIP_LABEL,
) -> tuple[Judgement, ...]:
    """Every rule's verdict on the issue, at least one each. `waived` names the codes that are waived for it."""
    only_secrets = _why_only_secrets(issue, skip_label)
    verdicts = [judgement for rule in rules for judgement in _verdicts(rule, issue, context, only_secrets=only_secrets)]
    return settled(verdicts, waived=waived)


def settled(judgements: Iterable[Judgement], *, waived: Collection[str] = ()) -> tuple[Judgement, ...]:
    """Failures that another failure outranks become not applicable; a waived or unknown winner suppresses nothing."""
    judgements = tuple(judgements)
    failing = {judgement.rule for judgement in judgements if judgement.verdict is Verdict.FAIL} - set(waived)
    return tuple(_settled(judgement, failing) for judgement in judgements)


def _settled(judgement: Judgement, failing: Collection[str]) -> Judgement:
    winner = next((code for code in OUTRANKED_BY.get(judgement.rule, ()) if code in failing), None)
    if winner is None or judgement.verdict is not Verdict.FAIL:
        return judgement
    return replace(judgement, verdict=Verdict.NOT_APPLICABLE, reason=f"{winner} says it", message="", question=None)


def _verdicts(rule: Rule, issue: Issue, context: Context, *, only_secrets: str | None) -> Iterator[Judgement]:
    declined = _why_declined(rule, issue, context, only_secrets=only_secrets)
    if declined is not None:
        yield rule.not_applicable(issue, declined)
        return
    try:
        verdicts = tuple(rule.check(issue, context))
    except Exception as error:  # noqa: BLE001 - one faulty rule must not cost the verdicts of all others
        # Neither the message nor the traceback's lines: both may quote the issue's text.
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "rule %s failed on issue %s: %s at %s:%s",
            rule.code, issue.id, type(error).__name__, where.filename, where.lineno,
        )  # fmt: skip
        verdicts = (rule.unknown(issue, f"the rule itself failed: {type(error).__name__}"),)
    yield from verdicts or (rule.ok(issue),)


def _why_declined(rule: Rule, issue: Issue, context: Context, *, only_secrets: str | None) -> str | None:
    """Why the rule does not speak of this issue at all; None when it does."""
    if only_secrets is not None and family(rule.code) != ALWAYS_JUDGED:
        return only_secrets
    types = rule.values.get("types")
    if types is not None and issue.type not in types:
        return f"not asked of the type {issue.type.value}"
    if not issue.is_open and not rule.judges_closed and family(rule.code) != ALWAYS_JUDGED:
        return "closed"
    if rule.waits_for_triage and _is_new_in_triage(issue, context):
        return "in triage for less than 3 days"
    return None


def _why_only_secrets(issue: Issue, skip_label: str) -> str | None:
    """Duplicates, cancelled issues and those a person has exempted are scanned for secrets alone (catalogue 2.9)."""
    if issue.presence is not Presence.PRESENT:
        return f"{issue.presence.value} in the tracker"
    if issue.status.category is StatusCategory.CANCELLED:
        return "cancelled"
    if any(link.kind is LinkKind.DUPLICATES for link in issue.links):
        return "a duplicate of another issue"
    if skip_label.casefold() in {label.casefold() for label in issue.labels}:
        return f"labelled {skip_label}"
    return None


def _is_new_in_triage(issue: Issue, context: Context) -> bool:
    if issue.status.category is not StatusCategory.TRIAGE or issue.created_at is None:
        return False
    return context.now - issue.created_at < TRIAGE_QUIET


def new_ticket_rules(rules: Iterable[Rule], issue: Issue) -> tuple[Rule, ...]:
    """The rules whose questions the author of a new ticket can answer (catalogue 1.4)."""
    return tuple(rule for rule in rules if rule.on_create and issue.type in rule.on_create_types)


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
    asking = [judgement for judgement in judgements if _may_ask(judgement, waived, info_too)]
    codes = {judgement.rule for judgement in asking}
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
