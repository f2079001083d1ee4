"""Waivers in the store and in the configuration, and what a check makes of them."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.errors import ConfigurationError, InputError
from backlint.model import Issue, Presence
from backlint.rules.registry import every_rule, named
from backlint.settings import Settings, WaiverSettings
from backlint.sync import tables as t
from backlint.sync.store import CHUNK, upsert
from backlint.waivers import About, Via, Waiver, Waivers, good_reason, last_day, letters


def codes_named(settings: Settings, names: Collection[str]) -> frozenset[str]:
    """Codes by code, name or family, those of the configuration's own rules too. ConfigurationError for no rule."""
    return named(names, every_rule(settings.custom_rules))


def rule_or_family(settings: Settings, name: str) -> str:
    """`AC001` or `AC`, however it was written. ConfigurationError names the nearest rule."""
    codes = codes_named(settings, [name])
    is_family = name.strip().upper() in {letters(code) for code in codes}
    return name.strip().upper() if is_family else next(iter(codes))


def waive(
    connection: Connection,
    rule: str,
    *,
    about: About,
    name: str,
    reason: str,
    author: str | None,
    now: datetime,
    today: date,
    until: date | None = None,
    source: str | None = None,
    via: Via = Via.COMMAND,
    id: str | None = None,
) -> Waiver:
    """Record a waiver. InputError for a reason that says too little and a day that is past or too far off."""
    waiver = Waiver(
        id=id or f"waiver-{uuid.uuid4().hex[:8]}",
        rule=rule,
        about=about,
        name=name,
        source=source,
        reason=good_reason(reason),
        until=last_day(rule, today, until),
        via=via,
        author=author,
        made_at=now,
    )
    upsert(connection, t.waivers, [_row(waiver)])
    return waiver


def end(connection: Connection, id: str, *, by: str | None, now: datetime) -> None:
    """End a waiver early. InputError for one that is not stored or has ended."""
    found = connection.execute(sa.select(t.waivers).where(t.waivers.c.id == id)).mappings().first()
    if found is None:
        raise InputError(f"no stored waiver has the id {id!r}: `backlint waive` lists them; one of the configuration "
                         "ends when it is taken out there")  # fmt: skip
    if found["ended_at"] is not None:
        raise InputError(f"{id} has ended already")
    connection.execute(sa.update(t.waivers).where(t.waivers.c.id == id).values(ended_at=now, ended_by=by))


def stored(connection: Connection) -> tuple[Waiver, ...]:
    """Every waiver that was ever recorded, the oldest first."""
    rows = connection.execute(sa.select(t.waivers).order_by(t.waivers.c.made_at, t.waivers.c.id)).mappings()
    return tuple(
        Waiver(**{**row, "about": About(row["about"]), "via": Via(row["via"])}) for row in (dict(row) for row in rows)
    )


def all_waivers(connection: Connection | None, settings: Settings, *, now: datetime) -> Waivers:
    """Those of the store and of the configuration, on the team's day."""
    today = now.astimezone(settings.zone).date()
    kept = stored(connection) if connection is not None else ()
    keys = _ids(connection, [each.issue for each in settings.waivers if each.issue])
    return Waivers(today, (*kept, *configured(settings, today, keys)))


def configured(
    settings: Settings, today: date, ids: Mapping[str, Collection[tuple[str, str]]] | None = None
) -> tuple[Waiver, ...]:
    """The waivers of the configuration. ConfigurationError for an unknown rule and a day too far off.

    `ids` are the (source, id) that a key stands for; without them an issue goes by its id.
    """
    found: list[Waiver] = []
    for number, each in enumerate(settings.waivers, start=1):
        waiver = _configured(settings, each, number, today)
        if waiver.about is About.ISSUE and ids and (named_issues := ids.get(waiver.name.casefold())):
            wanted = [(source, id) for source, id in named_issues if waiver.source in (None, source)]
            found += [replace(waiver, source=source, name=id) for source, id in wanted]
        else:
            found.append(waiver)
    return tuple(found)


def _configured(settings: Settings, each: WaiverSettings, number: int, today: date) -> Waiver:
    where = f"waivers[{number - 1}] ({each.rule})"
    try:
        rule = rule_or_family(settings, each.rule)
        if each.until >= today:
            last_day(rule, today, each.until)
    except (ConfigurationError, InputError) as error:
        raise ConfigurationError(f"{where}: {error}") from None
    about, name = next(
        (about, name)
        for about, name in (
            (About.ISSUE, each.issue),
            (About.LABEL, each.label),
            (About.PROJECT, each.project),
            (About.TYPE, each.type.value if each.type else ""),
        )
        if name
    )
    return Waiver(
        id=f"configuration-{number}", rule=rule, about=about, name=name, source=each.source or None,
        reason=each.reason, until=each.until, via=Via.CONFIGURATION, author=each.author or None,
    )  # fmt: skip


def _ids(connection: Connection | None, keys: list[str]) -> dict[str, set[tuple[str, str]]]:
    """Key in small letters -> the (source, id) that it stands for, former keys included."""
    if connection is None or not keys:
        return {}
    wanted = [key.casefold() for key in keys]
    found: dict[str, set[tuple[str, str]]] = {}
    for key, source, id in (
        (t.issues.c.key, t.issues.c.source, t.issues.c.id),
        (t.aliases.c.alias, t.aliases.c.source, t.aliases.c.issue),
    ):
        for row in connection.execute(sa.select(key, source, id).where(sa.func.lower(key).in_(wanted))):
            found.setdefault(row[0].casefold(), set()).add((row[1], row[2]))
    return found


def keyed(issues: Collection[Issue]) -> dict[str, set[tuple[str, str]]]:
    """The same for the issues of a file."""
    found: dict[str, set[tuple[str, str]]] = {}
    for issue in issues:
        for name in (issue.key, *issue.aliases):
            found.setdefault(name.casefold(), set()).add(issue.identity)
    return found


def _row(waiver: Waiver) -> dict[str, Any]:
    return {**asdict(waiver), "about": waiver.about.value, "via": waiver.via.value}


def covered(connection: Connection) -> dict[str, int]:
    """Waiver id -> the open findings that the last check found it to cover."""
    query = sa.select(t.findings.c.waiver, sa.func.count()).where(
        t.findings.c.state == "open", t.findings.c.waiver.is_not(None)
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(t.findings.c.waiver))}


def labelled(connection: Connection, label: str) -> tuple[tuple[str, str], ...]:
    """(source, key) of the present issues with this label, whatever its case."""
    joined = t.labels.join(t.issues, sa.and_(t.issues.c.source == t.labels.c.source, t.issues.c.id == t.labels.c.issue))
    query = (
        sa.select(t.issues.c.source, t.issues.c.key)
        .select_from(joined)
        .where(sa.func.lower(t.labels.c.label) == label.casefold(), t.issues.c.presence == Presence.PRESENT.value)
        .order_by(t.issues.c.source, t.issues.c.key)
    )
    return tuple((row.source, row.key) for row in connection.execute(query))


def keys_of(connection: Connection, waivers_: Collection[Waiver]) -> dict[tuple[str | None, str], str]:
    """(source, id) -> the key of the issue, for people."""
    ids = sorted({waiver.name for waiver in waivers_ if waiver.about is About.ISSUE})
    found: dict[tuple[str | None, str], str] = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(t.issues.c.source, t.issues.c.id, t.issues.c.key).where(
            t.issues.c.id.in_(ids[start : start + CHUNK])
        )
        found |= {(row.source, row.id): row.key for row in connection.execute(query)}
    return found


def people_of(connection: Connection, waivers_: Collection[Waiver]) -> dict[tuple[str | None, str], str]:
    """(source, account) -> the name of whoever gave the waivers in comments."""
    ids = sorted({waiver.author for waiver in waivers_ if waiver.author and waiver.via is Via.COMMENT})
    found: dict[tuple[str | None, str], str] = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(t.people.c.source, t.people.c.id, t.people.c.name)
        rows = connection.execute(query.where(t.people.c.id.in_(ids[start : start + CHUNK])))
        found |= {(row.source, row.id): row.name for row in rows if row.name}
    return found


def require_project(connection: Connection, name: str) -> None:
    """InputError with the nearest names unless something stored belongs to a project, team or scope of this name."""
    columns = t.issues.c.project, t.issues.c.team, t.issues.c.scope, t.issues.c.source, t.projects.c.name
    known = {
        value for column in columns for value in connection.execute(sa.select(column).distinct()).scalars() if value
    }
    if name.casefold() not in {each.casefold() for each in known}:
        near = difflib.get_close_matches(name, sorted(known), n=3) or sorted(known)[:20]
        raise InputError(f"nothing belongs to {name!r}; there is {', '.join(near) or 'nothing at all'}")


def to_json(waiver: Waiver) -> dict[str, Any]:
    """As `check`, `explain` and `waive` print it: who, when, why, until."""
    return {
        "id": waiver.id,
        "rule": waiver.rule,
        "about": waiver.about.value,
        "name": waiver.name,
        "source": waiver.source,
        "reason": waiver.reason,
        "by": waiver.author,
        "at": waiver.made_at.isoformat() if waiver.made_at else None,
        "until": waiver.until.isoformat(),
        "via": waiver.via.value,
        "ended_at": waiver.ended_at.isoformat() if waiver.ended_at else None,
        "ended_by": waiver.ended_by,
    }


__all__ = [
    "all_waivers",
    "codes_named",
    "configured",
    "covered",
    "end",
    "keyed",
    "keys_of",
    "labelled",
    "people_of",
    "require_project",
    "rule_or_family",
    "stored",
    "to_json",
    "waive",
]
