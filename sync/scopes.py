"""Verdicts on teams, sprints, projects and connectors within a check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec.structs import replace
from sqlalchemy import Connection

from backlint.backlog import Backlog
from backlint.model import Judgement, Scope, ScopeKind, Verdict
from backlint.rules.engine import judge_scopes
from backlint.rules.registry import all_rules
from backlint.rules.rule import Context, Rule, ScopeRule
from backlint.sync.findings import Judged, open_findings_of
from backlint.trust import Trust

Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ScopeVerdicts:
    """Those for reports, those on persons, and what rules outside the profile would find."""

    public: tuple[Judgement, ...] = ()
    private: tuple[Judgement, ...] = ()
    would_find: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def scope_verdicts(
    context: Context,
    rules: Sequence[Rule],
    *,
    within: Collection[Identity] | None = None,
    unread: Collection[Identity] = (),
) -> ScopeVerdicts:
    """What the rules say of all scopes, or of those that hold one of the issues `within`.

    A scope that holds an issue of `unread`, whose pull did not finish, cannot be judged.
    """
    chosen = {rule.code for rule in rules}
    silent = judge_scopes([rule() for rule in all_rules() if rule.code not in chosen], context)
    private = {rule.code for rule in rules if isinstance(rule, ScopeRule) and rule.private}
    found = [
        _unless_unread(each, context.backlog, unread)
        for each in judge_scopes(rules, context)
        if within is None or _holds_any(each, context.backlog, within)
    ]
    return ScopeVerdicts(
        public=tuple(each for each in found if each.rule not in private),
        private=tuple(each for each in found if each.rule in private),
        would_find=Counter(each.rule for each in silent if each.verdict is Verdict.FAIL),
    )


def _holds_any(judgement: Judgement, backlog: Backlog, issues: Collection[Identity]) -> bool:
    members = backlog.scopes.members(judgement.scope) if judgement.scope is not None else ()
    return any(issue.identity in issues for issue in members)


def _unless_unread(judgement: Judgement, backlog: Backlog, unread: Collection[Identity]) -> Judgement:
    if (
        not unread
        or judgement.verdict not in (Verdict.PASS, Verdict.FAIL)
        or not _holds_any(judgement, backlog, unread)
    ):
        return judgement
    return replace(
        judgement, verdict=Verdict.UNKNOWN, reason="its pull did not finish", message="", question=None, evidence=()
    )


def judged_scopes(
    connection: Connection, verdicts: Sequence[Judgement], *, are_all: bool, trust: Trust
) -> tuple[Judged, ...]:
    """The scopes of a check, ready to be recorded; of a whole one with those that are not there any more.

    A sprint that is over, or a team that was dissolved, gets no verdict. What a rule had found of it is over as
    well, unless the rule itself failed.
    """
    by_scope: dict[Scope, list[Judgement]] = {}
    for judgement in verdicts:
        if judgement.scope is not None:
            by_scope.setdefault(judgement.scope, []).append(judgement)
    said = {(each.source, each.issue, each.rule) for each in verdicts}
    silent = {each.rule for each in verdicts if each.verdict is Verdict.UNKNOWN and _is_of_all(each)}
    asked = {rule for _, _, rule in said} - silent if are_all else set()
    for source, id, rule in sorted(open_findings_of(connection, asked) - said):
        kind, _, key = id.partition(":")
        gone = Scope(kind=ScopeKind(kind), source=source, key=key, name=key)
        over = Judgement(rule=rule, source=source, issue=id, verdict=Verdict.NOT_APPLICABLE, reason="over", scope=gone)
        by_scope.setdefault(gone, []).append(over)
    return tuple(
        Judged(scope, tuple(found), is_near=True, waived=trust.waivers_of(scope, {each.rule for each in found}))
        for scope, found in by_scope.items()
    )


def _is_of_all(judgement: Judgement) -> bool:
    return judgement.scope is not None and judgement.scope.kind is ScopeKind.ORGANISATION
