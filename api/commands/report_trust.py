"""What the audit says of waivers and of rules that stepped back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from backlint.api.reports.audit import ReviewedRule, WaiverLine
from backlint.model import Presence
from backlint.precision import Level
from backlint.rules.registry import every_rule, private_codes
from backlint.settings import Settings
from backlint.sync import feedback
from backlint.sync.check import CheckResult
from backlint.waivers import About, Waiver


def reviewed_rules(connection: sa.Connection, settings: Settings, now: datetime) -> list[ReviewedRule]:
    """Rules that stepped back, by project, with their precision and the number of judged findings behind it."""
    names = {rule.code: rule.name for rule in every_rule(settings.custom_rules)}
    books = feedback.books(connection, settings, now=now)
    found = []
    for key, level in feedback.levels(connection).items():
        source, project, code = key
        book = books.get(key)
        if level is Level.NONE or book is None or book.precision is None:
            continue
        where = f" ({' '.join(part for part in (source, project) if part)})" if source else ""
        found.append(
            ReviewedRule(
                rule=code,
                name=f"{names.get(code, code)}{where}, {level.value}",
                precision=int(100 * book.precision),
                judged=book.judged,
            )
        )
    return found


def waiver_lines(result: CheckResult) -> list[WaiverLine]:
    """Those in force, and those that ran out and whose findings are back; those of private rules are left out."""
    if result.trust.waivers is None:
        return []
    keys = {each.issue.identity: each.issue.key for each in result.checked}
    names = {each.issue.id: each.issue.key for each in result.checked}
    findings = [*(finding for _, finding in result.findings()), *result.scope_findings()]
    covered = Counter(finding.waiver.id for finding in findings if finding.waiver is not None)
    back = Counter(finding.expired.id for finding in findings if finding.expired is not None)
    today = result.trust.waivers.today
    return [
        WaiverLine(
            rule=each.rule,
            about=_about(each, keys, names),
            reason=each.reason,
            by=_person(each, result),
            until=each.until,
            via=each.via.value,
            findings=covered[each.id] + back[each.id],
            has_expired=not each.is_in_force(today),
        )
        for each in result.trust.waivers.all
        if (each.is_in_force(today) or back[each.id]) and not _is_private(each)
    ]


def _is_private(waiver: Waiver) -> bool:
    private = private_codes()
    return waiver.rule in private or any(waiver.names(code) for code in private)


def _about(waiver: Waiver, keys: Mapping[tuple[str, str], str], names: Mapping[str, str]) -> str:
    if waiver.about is not About.ISSUE:
        return f"{waiver.about.value} {waiver.name}"
    key = names.get(waiver.name) if waiver.source is None else keys.get((waiver.source, waiver.name))
    return key or waiver.name


def _person(waiver: Waiver, result: CheckResult) -> str:
    if waiver.author is None or waiver.source is None:
        return waiver.author or ""
    person = result.backlog.person(waiver.source, waiver.author)
    return person.name if person else waiver.author


def inline_waivers(result: CheckResult) -> int:
    """How often authors wrote "N/A" with a reason in the place of what a rule asks for."""
    return sum(judgement.is_waived_inline for each in result.checked for judgement in each.judgements)


def skipped(result: CheckResult, settings: Settings) -> int:
    """Issues that a label exempts from every rule but those on secrets."""
    label = f"{settings.write_back.label_prefix}skip".casefold()
    return sum(
        label in {one.casefold() for one in each.issue.labels}
        for each in result.checked
        if each.issue.presence is Presence.PRESENT
    )
