"""The toy tracker's payloads as domain values. Pure: what it takes beyond a payload comes in as `Site`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from backlint.connectors.contract import MARKER
from backlint.connectors.http import decode
from backlint.connectors.kept_facts import read_kept
from backlint.model import (
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Person,
    Project,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.status import StatusFact, StatusMap

CATEGORIES = {
    "triage": StatusCategory.TRIAGE,
    "backlog": StatusCategory.BACKLOG,
    "unstarted": StatusCategory.TODO,
    "started": StatusCategory.ACTIVE,
    "completed": StatusCategory.DONE,
    "cancelled": StatusCategory.CANCELLED,
}
HIDDEN = f"<!-- {MARKER} -->"
VERSION = 1

# Typed structs read a payload ten times quicker than dictionaries, and name the path of what is missing.


class Account(msgspec.Struct, frozen=True):
    id: str
    name: str
    active: bool = True
    bot: bool = False


class Change(msgspec.Struct, frozen=True):
    at: datetime
    field: str
    actor: str | None = None
    before: str | None = None
    after: str | None = None


class Said(msgspec.Struct, frozen=True):
    id: str
    at: datetime
    body: str
    author: str | None = None
    edited_at: datetime | None = None


class Payload(msgspec.Struct, frozen=True):
    """An issue with its whole history and all comments, as the toy tracker sends it."""

    id: str
    key: str
    title: str
    status: str
    kind: str
    project: str
    created_at: datetime
    updated_at: datetime
    body: str = ""
    priority: int | None = None
    estimate: float | None = None
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    reporter: str | None = None
    parent: str | None = None
    history: tuple[Change, ...] = ()
    comments: tuple[Said, ...] = ()


class Named(msgspec.Struct, frozen=True):
    id: str
    name: str
    kind: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the site calls its things. Kept in the store, so that payloads can be mapped again without asking."""

    v: int = VERSION
    me: Account
    statuses: tuple[Named, ...] = ()
    people: tuple[Account, ...] = ()


def read_facts(raw: bytes, *, source: str) -> Facts:
    return read_kept(raw, Facts, version=VERSION, what="site", source=source)


class Site:
    """The facts, and what the settings make of them."""

    def __init__(self, source: str, facts: Facts, types: Mapping[str, IssueType]) -> None:
        self.source, self.me, self.types = source, facts.me.id, types
        self.bots = {person.id for person in facts.people if person.bot}
        self.statuses = StatusMap(
            StatusFact(each.id, each.name, CATEGORIES.get(each.kind, StatusCategory.UNKNOWN)) for each in facts.statuses
        )


def issue_from(raw: bytes, site: Site) -> Issue:
    """MalformedPayload names the issue and the path of what is missing."""
    payload = decode(raw, Payload, issue=_called(raw), source=site.source)
    issue = Issue(
        source=site.source,
        tracker=Tracker.FILE,  # a real tracker has a member of its own in backlint/model.py
        id=payload.id,
        key=payload.key,
        title=payload.title,
        body=payload.body,
        project=payload.project,
        type=site.types.get(payload.kind) or _usual_type(payload.kind),
        type_name=payload.kind,
        status=Status(payload.status, ""),
        priority=payload.priority,
        estimate=payload.estimate,
        labels=frozenset(payload.labels),
        assignees=(payload.assignee,) if payload.assignee else (),
        reporter=payload.reporter,
        parent=payload.parent,
        created_at=payload.created_at.astimezone(UTC),
        updated_at=payload.updated_at.astimezone(UTC),
        transitions=tuple(_transitions(payload, site)),
        changes=tuple(_changes(payload, site)),
        comments=tuple(comment_from(each, site) for each in payload.comments),
    )
    return site.statuses.apply(issue)  # the one place that gives statuses their category


def _usual_type(kind: str) -> IssueType:
    return IssueType(kind) if kind in list(IssueType) else IssueType.TASK


def _transitions(payload: Payload, site: Site) -> Iterator[Transition]:
    for number, change in enumerate(payload.history):
        if change.field == "status":
            yield Transition(
                at=change.at.astimezone(UTC),
                before=Status(change.before or "", ""),
                after=Status(change.after or "", ""),
                sequence=number,
                actor=change.actor,
                is_bot=change.actor is None or change.actor in site.bots,
            )


def _changes(payload: Payload, site: Site) -> Iterator[FieldChange]:
    for number, change in enumerate(payload.history):
        if change.field != "status":
            is_own_label = change.field == "labels" and change.actor == site.me
            yield FieldChange(
                at=change.at.astimezone(UTC),
                field=change.field,
                before=change.before,
                after=change.after,
                sequence=number,
                actor=change.actor,
                is_bot=is_own_label or change.actor is None or change.actor in site.bots,
            )


def comment_from(said: Said, site: Site) -> Comment:
    """Ours takes both, the marker and our account: people paste things."""
    return Comment(
        id=said.id,
        at=said.at.astimezone(UTC),
        author=said.author,
        body=said.body,
        edited_at=said.edited_at.astimezone(UTC) if said.edited_at else None,
        is_bot=said.author in site.bots,
        is_own=said.author == site.me and HIDDEN in said.body,
    )


def marked(body: str) -> str:
    return f"{HIDDEN}\n{body}"


def person_from(account: Account) -> Person:
    return Person(id=account.id, name=account.name, is_active=account.active, is_bot=account.bot)


def project_from(named: Named, source: str) -> Project:
    return Project(source=source, id=named.id, name=named.name)


class _Key(msgspec.Struct, frozen=True):
    key: str = "?"


def _called(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Key).key
    except msgspec.MsgspecError:
        return "?"


class _Id(msgspec.Struct):
    id: str


def id_in(raw: bytes) -> str:
    """What the census calls an issue that may be unreadable otherwise."""
    try:
        return msgspec.json.decode(raw, type=_Id).id
    except msgspec.MsgspecError:
        return "?"
