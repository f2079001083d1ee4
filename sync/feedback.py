"""What people say of findings, kept by finding; the book of each rule; the rules that step back for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.errors import InputError
from backlint.precision import (
    FIX_WITHIN,
    Feedback,
    How,
    Key,
    Level,
    Limits,
    Precision,
    Said,
    Shown,
    deserved,
    precision,
)
from backlint.rules.registry import private_codes
from backlint.settings import Settings
from backlint.sync import tables as t
from backlint.sync.store import CHUNK, upsert

Identity = tuple[str, str]


# -- words -------------------------------------------------------------------------------------------------------------


def say(
    connection: Connection,
    line: Mapping[str, Any],
    verdict: str,
    codes: Collection[str],
    reason: str,
    *,
    how: How = How.COMMAND,
) -> str:
    """Note what a person said of the findings of these rules on an issue; the answer to them.

    `line` has source, issue, author and at. InputError when the rules have found nothing there.
    """
    found = _findings(connection, line["source"], line["issue"], codes)
    if not found:
        raise InputError("nothing was found here by that")
    project = _project(connection, line["source"], line["issue"])
    rows = [_row(each, project, verdict, how, line["author"] or "", reason, line["at"]) for each in found]
    upsert(connection, t.feedback, rows)
    told = ", ".join(f"`{code}`" for code in sorted({each["rule"] for each in found} - private_codes()))
    if not told:
        return ""
    return f"{told} noted as wrong: not asked again here" if verdict == Said.WRONG else f"{told} noted as useful"


def note_thumbs(connection: Connection, line: Mapping[str, Any], said: Said | None, codes: Collection[str]) -> None:
    """What the thumbs on the comment say of the findings that it asks about; None takes back what they said.

    Nobody knows which of several questions is meant: then each counts half.
    """
    project = _project(connection, line["source"], line["issue"])
    for finding in _findings(connection, line["source"], line["issue"], codes):
        key = t.feedback.c.fingerprint == finding["fingerprint"], t.feedback.c.opening == finding["times_opened"]
        own = *key, t.feedback.c.via == How.THUMBS.value
        before = connection.execute(sa.select(t.feedback.c.verdict).where(*own)).scalar()
        if said is None:
            connection.execute(sa.delete(t.feedback).where(*own))
        elif before != said:
            row = _row(finding, project, said, How.THUMBS, "", "", line["at"])
            upsert(connection, t.feedback, [{**row, "is_weak": len(codes) > 1}])


def take_back(connection: Connection, source: str, issue: str, codes: Collection[str], *, actor: str) -> None:
    """The words of a comment that is gone."""
    connection.execute(
        sa.delete(t.feedback).where(
            t.feedback.c.source == source,
            t.feedback.c.issue == issue,
            t.feedback.c.rule.in_(sorted(codes)),
            t.feedback.c.via == How.COMMAND.value,
            t.feedback.c.actor == actor,
        )
    )


def _findings(connection: Connection, source: str, issue: str, codes: Collection[str]) -> list[Mapping[str, Any]]:
    """Of each rule what is open, else what was fixed last."""
    query = sa.select(t.findings).where(
        t.findings.c.source == source, t.findings.c.issue == issue, t.findings.c.rule.in_(list(codes))
    )
    by_rule: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(query.order_by(t.findings.c.fixed_at)).mappings():
        by_rule[row["rule"]].append(dict(row))
    found: list[Mapping[str, Any]] = []
    for rows in by_rule.values():
        found += [row for row in rows if row["state"] == "open"] or rows[-1:]
    return found


def _project(connection: Connection, source: str, issue: str) -> str:
    query = sa.select(t.issues.c.project, t.issues.c.team).where(t.issues.c.source == source, t.issues.c.id == issue)
    row = connection.execute(query).first()
    return (row.project or row.team or "") if row else ""


def _row(
    finding: Mapping[str, Any], project: str, verdict: str, how: How, actor: str, reason: str, at: datetime
) -> dict[str, Any]:
    return {
        "fingerprint": finding["fingerprint"], "opening": finding["times_opened"], "via": how.value, "actor": actor,
        "source": finding["source"], "issue": finding["issue"], "project": project, "rule": finding["rule"],
        "verdict": verdict, "is_weak": how is How.OVERRIDE, "reason": reason, "at": at,
    }  # fmt: skip


# -- deeds -------------------------------------------------------------------------------------------------------------


def note_deeds(connection: Connection, *, now: datetime) -> int:
    """What people did says something as well: a label or comment taken away while its finding stands is a weak "wrong",
    an edit that fixed a finding within 14 days after it was shown is "useful". Returns how many rows are new.

    A finding that ended otherwise (waived, closed, no longer judged) says nothing.
    """
    shown = _shown_rows(connection, since=now - timedelta(days=365))
    taken_back = {
        (row.source, row.issue, code): row.noticed_at
        for row in connection.execute(sa.select(t.overrides))
        for code in row.because
    }
    kept = sa.select(t.feedback.c.fingerprint, t.feedback.c.opening, t.feedback.c.via).where(t.feedback.c.actor == "")
    known = {tuple(row) for row in connection.execute(kept)}
    rows = []
    for each in shown:
        key = each["source"], each["issue"], each["rule"]
        noticed_at = taken_back.get(key)
        if each["state"] == "open" and noticed_at is not None and noticed_at >= each["shown_at"]:
            rows.append(_row(each, each["project"], Said.WRONG, How.OVERRIDE, "", "taken away by a person", noticed_at))
        elif each["state"] == "fixed" and _was_answered(each):
            rows.append(_row(each, each["project"], Said.USEFUL, How.FIX, "", "fixed by an edit", each["fixed_at"]))
    fresh = [row for row in rows if (row["fingerprint"], row["opening"], row["via"]) not in known]
    for start in range(0, len(fresh), CHUNK):
        upsert(connection, t.feedback, fresh[start : start + CHUNK])
    return len(fresh)


def _was_answered(finding: Mapping[str, Any]) -> bool:
    """Fixed in time, by a change of what the rule reads: the rule passes now, and is not merely asked no more."""
    if finding["fixed_at"] is None or finding["fixed_at"] > finding["shown_at"] + FIX_WITHIN:
        return False
    return bool(finding["fixed_by"] == "edit")


def _shown_rows(connection: Connection, *, since: datetime) -> list[dict[str, Any]]:
    """The last life of every finding that a label or a comment of ours spoke of, with `shown_at` and its project."""
    first: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    query = sa.select(t.writes.c.source, t.writes.c.issue, t.writes.c.because, t.writes.c.settled_at).where(
        t.writes.c.state == "confirmed",
        t.writes.c.kind.in_(("add_label", "put_comment")),
        t.writes.c.settled_at >= since,
    )
    for row in connection.execute(query):
        for code in row.because:
            first[row.source, row.issue, code].append(row.settled_at)
    joined = t.findings.join(
        t.issues, sa.and_(t.issues.c.source == t.findings.c.source, t.issues.c.id == t.findings.c.issue)
    )
    columns = *t.findings.c, t.issues.c.project, t.issues.c.team
    ids = sorted({issue for _, issue, _ in first})
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), CHUNK):
        of_these = sa.select(*columns).select_from(joined).where(t.findings.c.issue.in_(ids[start : start + CHUNK]))
        for finding in (dict(each) for each in connection.execute(of_these).mappings()):
            shown = first.get((finding["source"], finding["issue"], finding["rule"]), ())
            times = [at for at in shown if at >= finding["opened_at"]]
            if times:
                project = finding["project"] or finding["team"] or ""
                found.append({**finding, "project": project, "shown_at": min(times)})
    return found


# -- the book ----------------------------------------------------------------------------------------------------------


def books(connection: Connection, settings: Settings, *, now: datetime) -> dict[Key, Precision]:
    """What is known of every rule by project and of everything; older than `feedback_days` counts no more."""
    since = now - timedelta(days=settings.trust.feedback_days)
    lifted = {
        (row.source, row.project, row.rule): row.since
        for row in connection.execute(sa.select(t.demotions).where(t.demotions.c.lifted_by.is_not(None)))
    }
    told = [each for each in _feedback(connection, since) if each.at >= _counts_from(lifted, each, since)]
    shown = [
        Shown(
            fingerprint=row["fingerprint"], opening=row["times_opened"], at=row["shown_at"], source=row["source"],
            project=row["project"], rule=row["rule"], is_waived=row["waiver"] is not None,
        )
        for row in _shown_rows(connection, since=since)
        if row["shown_at"] >= _counts_from(lifted, row, since)
    ]  # fmt: skip
    return precision(told, shown, now=now)


def _counts_from(lifted: Mapping[Key, datetime], each: Any, since: datetime) -> datetime:
    """A rule that a person trusts again begins a new book."""
    of = each if isinstance(each, Mapping) else {"source": each.source, "project": each.project, "rule": each.rule}
    own = lifted.get((of["source"], of["project"], of["rule"]), since)
    return max(since, own, lifted.get(("", "", of["rule"]), since))


def _feedback(connection: Connection, since: datetime) -> Iterable[Feedback]:
    rows = connection.execute(sa.select(t.feedback).where(t.feedback.c.at >= since)).all()
    for row in rows:
        yield Feedback(
            fingerprint=row.fingerprint, opening=row.opening, said=Said(row.verdict), how=How(row.via), at=row.at,
            source=row.source, project=row.project, rule=row.rule, is_weak=row.is_weak,
        )  # fmt: skip


# -- rules that step back ----------------------------------------------------------------------------------------------


def limits(settings: Settings) -> Limits:
    trust = settings.trust
    return Limits(trust.judged, Fraction(str(trust.lower_above)), Fraction(str(trust.report_above)))


def review(connection: Connection, settings: Settings, *, now: datetime) -> dict[Key, Level]:
    """Let rules that were wrong too often step back; none steps forward by itself. Returns what changed."""
    held = levels(connection)
    bound = limits(settings)
    changed: dict[Key, Level] = {}
    rows = []
    for key, book in books(connection, settings, now=now).items():
        level = deserved(book, bound)
        # A project with enough words of its own does not follow the rest.
        stands_alone = level is Level.NONE and key not in held and key[0] != ""
        if book.judged < bound.judged or not (stands_alone or level.rank > held.get(key, Level.NONE).rank):
            continue
        source, project, rule = key
        rows.append(
            {
                "source": source, "project": project, "rule": rule, "level": level.value, "since": now,
                "judged": book.judged, "wrong": float(book.shown_wrong), "shown": book.shown, "lifted_by": None,
            }
        )  # fmt: skip
        if level is not Level.NONE:
            changed[key] = level
    upsert(connection, t.demotions, rows)
    return changed


def levels(connection: Connection) -> dict[Key, Level]:
    """The levels in force; one that a person lifted is `none` and stands before that of everything."""
    rows = connection.execute(sa.select(t.demotions))
    return {(row.source, row.project, row.rule): Level(row.level) for row in rows}


def lift(connection: Connection, key: Key, *, by: str, now: datetime) -> None:
    """A person trusts the rule again: its book begins anew. InputError where it has not stepped back."""
    held = levels(connection).get(key, Level.NONE)
    if held is Level.NONE:
        raise InputError(f"{key[2]} has not stepped back in {' '.join(key[:2]).strip() or 'general'}")
    here = t.demotions.c.source == key[0], t.demotions.c.project == key[1], t.demotions.c.rule == key[2]
    connection.execute(sa.update(t.demotions).where(*here).values(level=Level.NONE.value, since=now, lifted_by=by))


def disputed(connection: Connection) -> dict[Identity, frozenset[str]]:
    """(source, issue) -> rules whose present finding somebody called wrong in words."""
    joined = t.feedback.join(
        t.findings,
        sa.and_(
            t.findings.c.fingerprint == t.feedback.c.fingerprint, t.findings.c.times_opened == t.feedback.c.opening
        ),
    )
    query = (
        sa.select(t.feedback.c.source, t.feedback.c.issue, t.feedback.c.rule, t.feedback.c.verdict)
        .select_from(joined)
        .where(t.findings.c.state == "open", t.feedback.c.via.in_((How.COMMAND.value, How.PAGE.value)))
        .order_by(t.feedback.c.at)
    )
    last: dict[tuple[str, str, str], str] = {}
    for row in connection.execute(query):
        last[row.source, row.issue, row.rule] = row.verdict
    found: dict[Identity, set[str]] = defaultdict(set)
    for (source, issue, rule), verdict in last.items():
        if verdict == Said.WRONG:
            found[source, issue].add(rule)
    return {identity: frozenset(rules) for identity, rules in found.items()}


def of_issue(connection: Connection, source: str, issue: str) -> tuple[Mapping[str, Any], ...]:
    """Everything that people said of an issue's findings, oldest first; for `explain`."""
    query = sa.select(t.feedback).where(t.feedback.c.source == source, t.feedback.c.issue == issue)
    return tuple(dict(row) for row in connection.execute(query.order_by(t.feedback.c.at)).mappings())


def candidates(connection: Connection) -> tuple[Mapping[str, Any], ...]:
    """Every finding that somebody called wrong, newest first: each may become an example of its rule."""
    query = sa.select(t.feedback).where(t.feedback.c.verdict == Said.WRONG.value)
    return tuple(dict(row) for row in connection.execute(query.order_by(t.feedback.c.at.desc())).mappings())
