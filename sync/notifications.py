"""Digests by e-mail and chat: what changed for each recipient since the last one, once, outside quiet hours.

The only module that knows `apprise`, which is loaded when something is sent. A digest that could not be sent is tried
again with everything that changed meanwhile; one that was sent while the process died may be sent twice, never not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from backlint.digest import Digest, Told, digest, quiet_until
from backlint.errors import ConfigurationError, NotificationFailed
from backlint.model import Severity
from backlint.rules.registry import private_codes
from backlint.settings import NotificationSettings, Settings, secret
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.database import reading

CHUNK = 500


class Outcome(StrEnum):
    SENT = "sent"
    NOTHING = "nothing changed"
    HELD = "held: quiet hours"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """What became of one notification. `until`: the quiet hours end then; `reason`: why it failed."""

    name: str
    outcome: Outcome
    digest: Digest | None = None
    until: datetime | None = None
    reason: str | None = None


def notify(engine: sa.Engine, settings: Settings, *, now: datetime, only: str | None = None) -> tuple[Notified, ...]:
    """Send every digest that has something to tell. A failure is an outcome: the others are still sent."""
    return tuple(
        _notify(engine, settings, each, now=now) for each in settings.notifications if only is None or each.name == only
    )


def send_test(settings: Settings, *, only: str | None = None) -> tuple[Notified, ...]:
    """A short message to every recipient, whatever the hour: does it arrive?"""
    found = []
    for each in settings.notifications:
        if only is None or each.name == only:
            title = f"{each.about}: this is a test"
            text = "backlint can reach you here. Digests of audits come when something has changed."
            found.append(_sent(each, title, text, None))
    return tuple(found)


def _notify(engine: sa.Engine, settings: Settings, one: NotificationSettings, *, now: datetime) -> Notified:
    found, still_open = pending(engine, one)
    if found.is_empty:
        return Notified(name=one.name, outcome=Outcome.NOTHING, digest=found)
    until = quiet_until(now, one.quiet, settings.zone)
    if until is not None:
        return Notified(name=one.name, outcome=Outcome.HELD, digest=found, until=until)
    result = _sent(one, found.title, found.text, found)
    if result.outcome is Outcome.SENT:
        with engine.begin() as connection:
            _remember(connection, one.name, still_open, now=now)
    return result


def _sent(one: NotificationSettings, title: str, text: str, told: Digest | None) -> Notified:
    try:
        addresses = secret(one.url_env, purpose=f"notification {one.name!r}").get_secret_value()
        deliver(addresses, title, text)
    except (ConfigurationError, NotificationFailed) as error:
        return Notified(name=one.name, outcome=Outcome.FAILED, digest=told, reason=str(error))
    return Notified(name=one.name, outcome=Outcome.SENT, digest=told)


def deliver(addresses: str, title: str, text: str) -> None:
    """Send a text to all addresses (apprise URLs, parted by spaces or commas). NotificationFailed says why not."""
    import apprise

    capture: Any = apprise.LogCapture  # its stub says nothing of types
    with capture(level=logging.WARNING, fmt="%(message)s") as said:
        recipients = apprise.Apprise()
        if not recipients.add(addresses):
            raise NotificationFailed(
                "the address is none that apprise knows: write mailtos://USER:PASSWORD@HOST?to=... or slack://..., "
                "see `backlint notify --help`"
            )
        is_sent = recipients.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
        if not is_sent:
            raise NotificationFailed(_reason(said.getvalue(), addresses))


def _reason(said: str, addresses: str) -> str:
    """What apprise said, without anything that stands in the addresses: they hold passwords."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = "; ".join(dict.fromkeys(lines)) or "the other side did not take it"
    for part in sorted(set(re.split(r"[^\w.-]+", addresses)), key=len, reverse=True):
        if len(part) > 3:
            text = text.replace(part, "…")
    return text[:300]


# -- what changed ------------------------------------------------------------------------------------------------------


def pending(engine: sa.Engine, one: NotificationSettings) -> tuple[Digest, frozenset[str]]:
    """The digest that is due, quiet hours or not, and the fingerprints of all that is open for this recipient."""
    with reading(engine) as connection:
        people = store.people(connection)
        rows = _rows(connection, t.findings.c.state == "open", t.findings.c.is_baseline.is_(False))
        open_ = [_told(row, people) for row in rows if row["waiver"] is None]
        mine = [each for each in open_ if _is_for(one, each)]
        told = set(
            connection.execute(sa.select(t.notified.c.fingerprint).where(t.notified.c.name == one.name)).scalars()
        )
        ended = sorted(told - {each.fingerprint for each in open_})
        gone = []
        for start in range(0, len(ended), CHUNK):
            for row in _rows(connection, t.findings.c.fingerprint.in_(ended[start : start + CHUNK])):
                how = "fixed" if row["state"] == "fixed" else "waived" if row["waiver"] is not None else "baseline"
                gone.append((_told(row, people), how))
    return digest(one.about, mine, told, gone), frozenset(each.fingerprint for each in mine)


def _rows(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Mapping[str, Any]]:
    """Findings with their issues; private ones are for few eyes, and never leave the house."""
    issues = t.issues
    columns = [issues.c[name] for name in ("key", "title", "url", "team", "project", "assignees", "accountable")]
    joined = t.findings.outerjoin(
        issues, sa.and_(issues.c.source == t.findings.c.source, issues.c.id == t.findings.c.issue)
    )
    query = sa.select(t.findings, *columns).select_from(joined)
    found = connection.execute(query.where(t.findings.c.rule.not_in(sorted(private_codes())), *where)).mappings()
    return [dict(row) for row in found]


def _told(row: Mapping[str, Any], people: Mapping[tuple[str, str], Any]) -> Told:
    kind, _, name = row["issue"].partition(":")
    is_issue = row["key"] is not None
    return Told(
        fingerprint=row["fingerprint"],
        issue=row["key"] if is_issue else f"{kind} {name}",
        title=row["title"] or "",
        rule=row["rule"],
        severity=Severity(row["severity"]),
        message=row["message"],
        url=row["url"],
        team=(row["team"] or row["project"]) if is_issue else name if kind == "team" else None,
        owners=frozenset(_names(row, people)),
    )


def _names(row: Mapping[str, Any], people: Mapping[tuple[str, str], Any]) -> Iterable[str]:
    for id in (*(row["accountable"] or ()), *(row["assignees"] or ())):
        person = people.get((row["source"], id))
        known = (id, person.name, person.handle) if person is not None else (id,)
        yield from (name.casefold() for name in known if name)


def _is_for(one: NotificationSettings, each: Told) -> bool:
    if each.severity.rank < Severity(one.from_severity).rank:
        return False
    if one.team and (each.team or "").casefold() != one.team.casefold():
        return False
    return not one.owner or one.owner.casefold() in each.owners


def _remember(connection: Connection, name: str, fingerprints: Iterable[str], *, now: datetime) -> None:
    connection.execute(sa.delete(t.notified).where(t.notified.c.name == name))
    rows = [{"name": name, "fingerprint": each, "at": now} for each in sorted(fingerprints)]
    if rows:
        connection.execute(t.notified.insert(), rows)
