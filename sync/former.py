"""Issues as they were: what a change replaces is kept for some weeks, so that an earlier night can be judged anew.

Scores of different versions of the rules are never compared. When the rules have changed, the scores of the last audit
are computed again, by today's rules, from the backlog as it was then (catalogue 3.2).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.backlog import Backlog
from backlint.model import Issue
from backlint.normalised import from_dict
from backlint.rules.registry import RULES_VERSION
from backlint.settings import Settings
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.check import CheckResult, chosen_rules, judge_backlog, load_backlog, with_categories
from backlint.sync.database import reading
from backlint.sync.scopes import scope_verdicts
from backlint.sync.scoring import stored_scores
from backlint.sync.trust import load_trust
from backlint.trust import Trust
from backlint.waivers import Waivers

KEPT = timedelta(days=45)  # as long as the trend of the audit looks back


def backlog_at(engine: sa.Engine, settings: Settings, *, at: datetime) -> Backlog:
    """The backlog as it was stored then; people, projects and the mapping of statuses are those of today.

    What was created later, or belongs to a source that was not watched yet, is left out.
    """
    present = load_backlog(engine, settings, now=at)
    with reading(engine) as connection:
        former = {issue.identity: issue for issue in with_categories(connection, settings, _former(connection, at))}
    issues = tuple(
        former.get(issue.identity, issue)
        for issue in present.issues
        if (issue.created_at is None or issue.created_at <= at) and present.watched_since.get(issue.source, at) <= at
    )
    return replace(present, issues=issues)


def _former(connection: Connection, at: datetime) -> list[Issue]:
    """Of every issue that changed since, the form that the first change replaced."""
    query = sa.select(t.former_issues).where(t.former_issues.c.replaced_at > at)
    first: dict[tuple[str, str], Any] = {}
    for row in connection.execute(query.order_by(t.former_issues.c.replaced_at)):
        first.setdefault((row.source, row.issue), row)
    return [from_dict(json.loads(zlib.decompress(row.body))) for row in first.values()]


def recompute_last(engine: sa.Engine, settings: Settings, *, now: datetime) -> str | None:
    """Compute the scores of the last audit anew if other rules made them; returns their version, None if none did."""
    with reading(engine) as connection:
        last = store.last_scores(connection, before=now)
    if last is None or last.rules_version == RULES_VERSION:
        return None
    result = _judged_at(engine, settings, at=last.at)
    with engine.begin() as connection:
        store.drop_scores(connection, last.run)
        store.save_scores(connection, last.run, stored_scores(result), rules_version=RULES_VERSION, now=last.at)
    return last.rules_version


def _judged_at(engine: sa.Engine, settings: Settings, *, at: datetime) -> CheckResult:
    """What a check of then would have said by today's rules; nothing of it is recorded."""
    backlog = backlog_at(engine, settings, at=at)
    rules = chosen_rules(settings)
    with reading(engine) as connection:
        trust = _trust_at(connection, settings, at=at)
    checked, context, _ = judge_backlog(backlog, settings, rules=rules, trust=trust)
    scopes = scope_verdicts(context, rules)
    return CheckResult(
        as_of=at, rules=rules, backlog=backlog, context=context, checked=checked, scopes=scopes, trust=trust
    )


def _trust_at(connection: Connection, settings: Settings, *, at: datetime) -> Trust:
    """The waivers that stood then."""
    today = load_trust(connection, settings, now=at)
    if today.waivers is None:
        return today
    given = [each for each in today.waivers.all if each.made_at is None or each.made_at <= at]
    standing = tuple(
        replace(each, ended_at=None) if each.ended_at is not None and each.ended_at > at else each for each in given
    )
    return replace(today, waivers=Waivers(today.waivers.today, standing))


def forget(connection: Connection, *, now: datetime) -> int:
    """Drop what is older than any trend looks back."""
    return connection.execute(sa.delete(t.former_issues).where(t.former_issues.c.replaced_at < now - KEPT)).rowcount
