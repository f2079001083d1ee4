"""Commands in comments: read once, carried out where their author may, and answered in the managed comment."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.errors import BacklintError, ConfigurationError
from backlint.model import Markup
from backlint.rules.registry import private_codes
from backlint.settings import Settings
from backlint.sync import feedback, waivers
from backlint.sync import tables as t
from backlint.sync.database import reading
from backlint.sync.store import upsert
from backlint.text.commands import Command, Verb, commands
from backlint.waivers import About, Via, spelled

Identity = tuple[str, str]
DONE, REFUSED, MISTAKEN, WITHDRAWN = "done", "refused", "mistaken", "withdrawn"
USAGE = (
    "`/hygiene waive AC001 until 2026-06-30: reason`, `/hygiene unwaive AC001`, `/hygiene wrong AC001: why` "
    "and `/hygiene useful AC001` are understood"
)
NOT_ALLOWED = "needs write access to this issue"
SELECTED = (t.comments.c.source, t.comments.c.issue, t.comments.c.id, t.comments.c.author, t.comments.c.at,
            t.comments.c.body, t.comments.c.markup, t.comments.c.may_write)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What the managed comment answers on an issue. `at`: when we last read a command; `allowed_at`: by who may."""

    lines: tuple[str, ...] = ()
    at: datetime | None = None
    allowed_at: datetime | None = None


NOTHING_HEARD = Heard()


def hear(engine: sa.Engine, settings: Settings, *, now: datetime, only: Collection[Identity] | None = None) -> int:
    """Carry out the commands that nobody has read yet, the oldest first; returns how many comments were read.

    An edited comment is read again. One that is gone takes its waivers with it. `only` looks at these issues.
    """
    with reading(engine) as connection:
        fresh, gone = _unread(connection, only)
    if not fresh and not gone:
        return 0
    with engine.begin() as connection:
        for source, issue, comment in gone:
            _withdraw(connection, settings, source, issue, comment, now=now)
        for row in fresh:
            _read(connection, settings, row, now=now)
    return len(fresh)


def _unread(
    connection: Connection, only: Collection[Identity] | None
) -> tuple[list[Mapping[str, Any]], list[tuple[str, str, str]]]:
    """Comments to read, and those that were read and are not there any more."""
    read = {
        (row.source, row.issue, row.comment): row.digest
        for row in connection.execute(
            sa.select(t.commands.c.source, t.commands.c.issue, t.commands.c.comment, t.commands.c.digest)
            .where(t.commands.c.outcome != WITHDRAWN)
            .distinct()
        )
        if only is None or (row.source, row.issue) in only
    }
    query = sa.select(*SELECTED).where(t.comments.c.is_command).order_by(t.comments.c.at, t.comments.c.id)
    rows: list[Mapping[str, Any]] = [
        dict(row)
        for row in connection.execute(query).mappings()
        if only is None or (row["source"], row["issue"]) in only
    ]
    standing = {(row["source"], row["issue"], row["id"]) for row in rows}
    fresh = [row for row in rows if read.get((row["source"], row["issue"], row["id"])) != _digest(row["body"])]
    return fresh, sorted(read.keys() - standing)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _withdraw(
    connection: Connection, settings: Settings, source: str, issue: str, comment: str, *, now: datetime
) -> None:
    """The comment is gone: its waivers end, what was said of findings is taken back."""
    here = t.commands.c.source == source, t.commands.c.issue == issue, t.commands.c.comment == comment
    for row in [dict(each) for each in connection.execute(sa.select(t.commands).where(*here)).mappings()]:
        _end_waivers(connection, _waiver_ids(row), by="the comment was deleted", now=now)
        feedback.take_back(connection, source, issue, _codes(settings, row["rules"]), actor=row["author"] or "")
    connection.execute(sa.update(t.commands).where(*here).values(outcome=WITHDRAWN, answer=""))


def _codes(settings: Settings, rules: Collection[str]) -> frozenset[str]:
    """What a line named when it was read; a rule that is no more names nothing."""
    try:
        return waivers.codes_named(settings, rules)
    except ConfigurationError:
        return frozenset(rules)


def _waiver_ids(row: Mapping[str, Any]) -> list[str]:
    return [_waiver_id(row, rule) for rule in row["rules"]] if row["verb"] == Verb.WAIVE else []


def _waiver_id(row: Mapping[str, Any], rule: str) -> str:
    """The same for the same line, so that reading it twice makes one waiver."""
    comment = row.get("comment") or row["id"]
    parts = "\0".join((row["source"], row["issue"], comment, str(row["position"]), rule))
    return f"waiver-{hashlib.sha256(parts.encode()).hexdigest()[:8]}"


def _end_waivers(connection: Connection, ids: Sequence[str], *, by: str, now: datetime) -> int:
    ended = connection.execute(
        sa.update(t.waivers).where(t.waivers.c.id.in_(ids), t.waivers.c.ended_at.is_(None)).values(
            ended_at=now, ended_by=by
        )
    )  # fmt: skip
    return ended.rowcount


def _read(connection: Connection, settings: Settings, row: Mapping[str, Any], *, now: datetime) -> None:
    """Every command of one comment; what an earlier reading of it had done is undone first."""
    source, issue, comment = row["source"], row["issue"], row["id"]
    _withdraw(connection, settings, source, issue, comment, now=now)
    here = t.commands.c.source == source, t.commands.c.issue == issue, t.commands.c.comment == comment
    connection.execute(sa.delete(t.commands).where(*here))
    found = commands(row["body"], Markup(row["markup"])) or (Command(verb=Verb.HELP, problem="-"),)
    rows = []
    for position, command in enumerate(found):
        line = {**row, "position": position}
        outcome, answer = _carry_out(connection, settings, line, command, now=now)
        rows.append(
            {
                "source": source, "issue": issue, "comment": comment, "position": position,
                "digest": _digest(row["body"]), "author": row["author"], "at": row["at"], "verb": command.verb.value,
                "rules": list(command.rules), "reason": command.reason, "outcome": outcome, "answer": answer,
                "read_at": now,
            }
        )  # fmt: skip
    upsert(connection, t.commands, rows)


def _carry_out(
    connection: Connection, settings: Settings, line: Mapping[str, Any], command: Command, *, now: datetime
) -> tuple[str, str]:
    """(outcome, answer). An empty answer is not given: nothing was asked of us, or it is not for everybody's eyes."""
    if command.problem == "-":
        return MISTAKEN, ""  # the word stands in the comment, and no command
    is_opinion = command.verb in (Verb.WRONG, Verb.USEFUL)
    if not _may(connection, settings, line, is_opinion=is_opinion):
        return REFUSED, f"`/hygiene {command.verb}` {NOT_ALLOWED}"
    if command.problem:
        return MISTAKEN, command.problem
    if command.verb is Verb.HELP:
        return MISTAKEN, USAGE
    try:
        rules = [waivers.rule_or_family(settings, rule) for rule in command.rules]
        match command.verb:
            case Verb.WAIVE:
                answer = _waive(connection, settings, line, command, rules, now=now)
            case Verb.UNWAIVE:
                answer = _unwaive(connection, line, rules, now=now)
            case _:
                answer = feedback.say(
                    connection, line, command.verb.value, waivers.codes_named(settings, rules), command.reason
                )
    except BacklintError as error:
        return MISTAKEN, f"{', '.join(f'`{rule}`' for rule in command.rules)}: {error}"
    return DONE, answer


# -- who may -----------------------------------------------------------------------------------------------------------


def _may(connection: Connection, settings: Settings, line: Mapping[str, Any], *, is_opinion: bool) -> bool:
    """Whether the author may say this: write access for all of it; whom the issue is about may call a finding wrong."""
    author = line["author"]
    if author is None:
        return False
    if line["may_write"] or _is_named(connection, settings, line["source"], author):
        return True
    one = connection.execute(
        sa.select(t.issues).where(t.issues.c.source == line["source"], t.issues.c.id == line["issue"])
    ).first()
    if one is None:
        return False
    if is_opinion and author in (one.reporter, *one.assignees, *one.accountable):
        return True
    return line["may_write"] is None and _has_changed_issues(connection, line["source"], one, author)


def _is_named(connection: Connection, settings: Settings, source: str, author: str) -> bool:
    if not settings.trust.may_waive:
        return False
    who = connection.execute(
        sa.select(t.people.c.handle, t.people.c.name).where(t.people.c.source == source, t.people.c.id == author)
    ).first()
    names = {author, *(name for name in (who or ()) if name)}
    return bool(names & set(settings.trust.may_waive))


def _has_changed_issues(connection: Connection, source: str, issue: Any, author: str) -> bool:
    """Where the tracker says nothing of rights: somebody who has changed an issue of this project can."""
    if author in (*issue.assignees, *issue.accountable):
        return True
    beside = t.issues.c.source == source, t.issues.c.project.is_not_distinct_from(issue.project)
    for table in (t.transitions, t.changes):
        query = (
            sa.select(sa.literal(1))
            .select_from(table.join(t.issues, _same_issue(table)))
            .where(table.c.source == source, table.c.actor == author, table.c.is_bot.is_(False), *beside)
            .where(sa.or_(t.issues.c.reporter.is_(None), t.issues.c.reporter != author))
            .limit(1)
        )  # fmt: skip
        if connection.execute(query).first():
            return True
    return False


def _same_issue(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(t.issues.c.source == table.c.source, t.issues.c.id == table.c.issue)


# -- what commands do --------------------------------------------------------------------------------------------------


def _waive(
    connection: Connection,
    settings: Settings,
    line: Mapping[str, Any],
    command: Command,
    rules: Sequence[str],
    *,
    now: datetime,
) -> str:
    today = now.astimezone(settings.zone).date()
    given = line["at"].astimezone(settings.zone).date()
    until = command.last_day(given)
    made = [
        waivers.waive(
            connection,
            rule,
            about=About.ISSUE,
            name=line["issue"],
            source=line["source"],
            reason=command.reason,
            author=line["author"],
            now=line["at"],
            today=today,
            until=until,
            via=Via.COMMENT,
            id=_waiver_id(line, wanted),
        )
        for rule, wanted in zip(rules, command.rules, strict=True)
    ]
    public = [waiver for waiver in made if not waivers.codes_named(settings, [waiver.rule]) <= private_codes()]
    if not public:
        return ""
    return f"{_listed(waiver.rule for waiver in public)} waived until {spelled(min(waiver.until for waiver in public))}"


def _unwaive(connection: Connection, line: Mapping[str, Any], rules: Sequence[str], *, now: datetime) -> str:
    query = sa.select(t.waivers.c.id).where(
        t.waivers.c.about == About.ISSUE.value,
        t.waivers.c.name == line["issue"],
        t.waivers.c.rule.in_(list(rules)),
        sa.or_(t.waivers.c.source.is_(None), t.waivers.c.source == line["source"]),
        t.waivers.c.made_at <= line["at"],
    )
    ids = list(connection.execute(query).scalars())
    ended = _end_waivers(connection, ids, by=line["author"] or "", now=now)
    return f"{_listed(rules)} {'waived no longer' if ended else 'was not waived on this issue by anybody'}"


def _listed(rules: Iterable[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in dict.fromkeys(rules))


# -- answers -----------------------------------------------------------------------------------------------------------


def heard(connection: Connection, *, today: date, only: Collection[Identity] | None = None) -> dict[Identity, Heard]:
    """What to answer on each issue: waivers while they are in force, and the last comment with a command."""
    by_issue: dict[Identity, list[Mapping[str, Any]]] = {}
    query = sa.select(t.commands).where(t.commands.c.outcome != WITHDRAWN)
    order = t.commands.c.at, t.commands.c.comment, t.commands.c.position
    for row in connection.execute(query.order_by(*order)).mappings():
        identity = row["source"], row["issue"]
        if only is None or identity in only:
            by_issue.setdefault(identity, []).append(dict(row))
    standing = {each.id for each in waivers.stored(connection) if each.is_in_force(today)} if by_issue else set()
    return {identity: _answered(rows, standing) for identity, rows in by_issue.items()}


def _answered(rows: Sequence[Mapping[str, Any]], standing: Collection[str]) -> Heard:
    last = rows[-1]["comment"]
    lines = [
        row["answer"]
        for row in rows
        if row["answer"] and (set(_waiver_ids(row)) & set(standing) if row["verb"] == Verb.WAIVE
                              and row["outcome"] == DONE else row["comment"] == last)
    ]  # fmt: skip
    answered = [row for row in rows if row["answer"]]
    allowed = [row["read_at"] for row in answered if row["outcome"] != REFUSED]
    at = max((row["read_at"] for row in answered), default=None)
    return Heard(tuple(dict.fromkeys(lines)), at, max(allowed, default=None))


def of_issue(connection: Connection, source: str, issue: str) -> tuple[Mapping[str, Any], ...]:
    """Every command ever given on an issue, oldest first; for `explain`."""
    query = sa.select(t.commands).where(t.commands.c.source == source, t.commands.c.issue == issue)
    order = t.commands.c.at, t.commands.c.comment, t.commands.c.position
    return tuple(dict(row) for row in connection.execute(query.order_by(*order)).mappings())
