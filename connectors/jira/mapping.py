"""From what Jira sends to the domain's words. Pure: a record and the site's names in, an issue out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from backlint.connectors.http import decode, mended
from backlint.connectors.jira import payloads
from backlint.connectors.jira.adf import plain
from backlint.connectors.jira.payloads import Account, Head, History, Item, Moment, Record
from backlint.connectors.jira.site import Site, issue_type
from backlint.connectors.jira.values import (
    PROPERTY,
    comment_from,
    is_bot,
    link_kind,
    moment,
    own_comment_id,
    person_from,
    sprint_from,
    value_of,
)
from backlint.errors import MalformedPayload
from backlint.model import (
    Comment,
    FieldChange,
    Issue,
    Link,
    Markup,
    Person,
    Sprint,
    SprintMembership,
    Status,
    Tracker,
    Transition,
)

T = TypeVar("T")

# Texts pasted into Jira can hold the character NUL, which PostgreSQL refuses; it means nothing, so it goes.
NUL = rb"\u0000"
SECONDS_PER_HOUR = 3600
_TEXT = re.compile(rb'"text":\s*"[^"\s\\]')  # in a document: it says something, whatever the rest is
# Names of changed fields on the domain's side; others keep the name that Jira prints.
CHANGES = {
    "summary": "title", "description": "body", "assignee": "assignee", "reporter": "reporter", "labels": "labels",
    "priority": "priority", "duedate": "due_on", "resolution": "resolution", "issuetype": "type", "project": "project",
    "key": "key", "sprint": "sprint", "rank": "rank", "flagged": "flagged", "link": "links", "epic link": "parent",
    "parent": "parent", "issueparentassociation": "parent", "story points": "estimate",
    "story point estimate": "estimate",
}  # fmt: skip
# Changes whose value is an identity or a date: the raw side says it; of the others the printed side does.
BY_ID = frozenset({"assignee", "reporter", "sprint", "parent", "due_on"})


@dataclass(frozen=True, slots=True)
class Mapped:
    """An issue, everybody whom its payload names, and the record that it was made from as JSON."""

    issue: Issue
    people: tuple[Person, ...]
    raw: bytes


def mapped(record: Record, site: Site) -> Mapped:
    """MalformedPayload names the issue and the path of what is missing or of another type."""
    raw = msgspec.json.encode(record)
    if not _is_utf8(raw):
        raw = mended(raw)
        record = msgspec.json.decode(raw, type=Record)
    if NUL in raw:
        raw = msgspec.json.encode(_without_nuls(msgspec.json.decode(raw)))
        record = msgspec.json.decode(raw, type=Record)
    reading = _Reading(record, head_of(record.issue, site.source), site)
    return Mapped(reading.issue(), tuple(reading.people()), raw)


def issue_from(record: Record, site: Site) -> Issue:
    return mapped(record, site).issue


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_nuls(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nuls(each) for each in value]
    if isinstance(value, dict):
        return {_without_nuls(key): _without_nuls(each) for key, each in value.items()}
    return value


def head_of(raw: Raw, source: str) -> Head:
    try:
        return decode(bytes(raw), Head, source=source)
    except MalformedPayload:
        return decode(bytes(raw), Head, issue=name_in(raw), source=source)  # once more, to say of which issue


def name_in(raw: Raw) -> str:
    """The key or id of a payload that cannot be read as a whole."""
    return _first_of(raw, "key", "id")


def id_in(raw: Raw) -> str:
    """The id, else the key, of a payload that cannot be read as a whole."""
    return _first_of(raw, "id", "key")


def _first_of(raw: Raw, *names: str) -> str:
    try:
        some = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return "?"
    found = [some[name] for name in names if some.get(name)] if isinstance(some, dict) else []
    return str(found[0]) if found else "?"


class _Reading:
    """One record on its way to an issue; every part of it reports its problems under the issue's key."""

    def __init__(self, record: Record, head: Head, site: Site) -> None:
        self.record, self.head, self.site = record, head, site
        self.key = head.key or head.id
        self.payload = self.read(record.issue, payloads.Issue)
        custom = self.read(record.issue, payloads.Custom).fields
        self.custom = {id: custom[id] for id in site.fields.all if id in custom and bytes(custom[id]) != b"null"}
        self.histories = self._histories()
        self.comments = list(self._comment_payloads())

    def read(self, raw: Raw, kind: type[T]) -> T:
        return decode(bytes(raw), kind, issue=self.key, source=self.site.source)

    def wrong(self, reason: str, path: str) -> MalformedPayload:
        return MalformedPayload(f"{self.site.source} issue {self.key}: {reason}", issue=self.key, path=path)

    def moment(self, value: Moment, path: str) -> datetime:
        try:
            return moment(value)
        except (ValueError, OverflowError, OSError):
            raise self.wrong(f"{value!r} is no time", path) from None

    # -- the whole -------------------------------------------------------------------------------------------------

    def issue(self) -> Issue:
        fields, site = self.payload.fields, self.site
        histories = self.histories
        body, markup = self._text(fields.description)
        estimate, unit = self._estimate()
        return Issue(
            source=site.source,
            tracker=Tracker.JIRA,
            id=self.payload.id,
            key=self.payload.key,
            url=f"{site.url}/browse/{self.payload.key}",
            aliases=_former_keys(histories, self.payload.key),
            title=fields.summary,
            body=body,
            markup=markup,
            project=fields.project.key,
            team=self._team(),
            type=issue_type(fields.issuetype, site),
            type_name=fields.issuetype.name,
            status=Status(fields.status.id, fields.status.name),
            resolution=fields.resolution.name if fields.resolution else None,
            priority=site.priorities.get(fields.priority.id or "") if fields.priority else None,
            estimate=estimate,
            estimate_unit=unit,
            labels=frozenset(fields.labels),
            assignees=tuple(id for id in (_id(fields.assignee),) if id),
            accountable=self._people("accountable"),
            reporter=_id(fields.reporter),
            parent=self._parent(),
            sprints=tuple(self._memberships(histories)),
            links=tuple(self._links(histories)),
            rank=self._first(site.fields.rank, str | None),
            due_on=self._day(fields.duedate, "fields.duedate"),
            review_on=self._review_on(),
            created_at=self.moment(fields.created, "fields.created"),
            updated_at=self.moment(fields.updated, "fields.updated"),
            transitions=tuple(self._transitions(histories)),
            changes=tuple(self._changes(histories)),
            comments=tuple(sorted(self._comments(), key=lambda comment: (comment.at, _number(comment.id)))),
            history_is_complete=self.record.history_is_complete,
            fields=MappingProxyType(dict(self._mapped())),
        )

    def people(self) -> Iterator[Person]:
        """Everybody who appears in the record, once."""
        fields = self.payload.fields
        accounts = [fields.assignee, fields.reporter, *(history.author for history in self.histories)]
        accounts += [each.author for each in self.comments]
        found = {account.id: account for account in accounts if account is not None}
        for account in found.values():
            if (person := person_from(account, self.site)) is not None:
                yield person

    # -- texts and fields ------------------------------------------------------------------------------------------

    def _text(self, raw: Raw) -> tuple[str, Markup]:
        """Cloud sends documents, Data Center wiki markup. An emptied document is no text."""
        value = msgspec.json.decode(raw)
        if isinstance(value, str):
            return value, Markup.WIKI
        if not isinstance(value, dict) or not (_TEXT.search(raw) or plain(value).strip() or b'"media' in bytes(raw)):
            return "", Markup.ADF if self.site.is_cloud else Markup.WIKI
        return msgspec.json.encode(value, order="sorted").decode(), Markup.ADF

    def _first(self, ids: Iterable[str], kind: Any) -> Any:
        """The first of several fields that has a value."""
        for id in ids:
            if id in self.custom:
                try:
                    return msgspec.json.decode(self.custom[id], type=kind)
                except msgspec.ValidationError as error:
                    raise self.wrong(str(error), f"fields.{id}") from None
        return None

    def _estimate(self) -> tuple[float | None, str]:
        """Story points count; without any, the original time estimate in hours."""
        points = self._first(self.site.fields.estimate, float | str | None)
        if points not in (None, ""):
            try:
                return float(str(points).replace(",", ".")), "points"
            except ValueError:
                id = next(id for id in self.site.fields.estimate if id in self.custom)
                raise self.wrong(f"{points!r} is no number", f"fields.{id}") from None
        seconds = self.payload.fields.timeoriginalestimate
        return (None, "points") if seconds is None else (seconds / SECONDS_PER_HOUR, "hours")

    def _team(self) -> str | None:
        value = value_of(self._first(self.site.fields.team, Any))
        return str(value) if value not in (None, "") else None

    def _parent(self) -> str | None:
        """Cloud names every parent by id; Data Center names the epic by its key alone."""
        if self.payload.fields.parent is not None:
            return self.payload.fields.parent.id
        key = self._first(self.site.fields.epic_link, str | None)
        if self.record.epic and self.record.epic_key in (None, key):
            return self.record.epic
        return key or None

    def _people(self, role: str) -> tuple[str, ...]:
        value = self._first(self.site.fields.mapped.get(role, ()), Any)
        accounts = value if isinstance(value, list) else [value]
        ids = (each.get("accountId") or each.get("key") for each in accounts if isinstance(each, dict))
        return tuple(str(id) for id in ids if id)

    def _day(self, value: str | None, path: str) -> date | None:
        if not value:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise self.wrong(f"{value!r} is no date", path) from None

    def _review_on(self) -> date | None:
        ids = self.site.fields.mapped.get("review_on", ())
        return self._day(self._first(ids, str | None), f"fields.{ids[0]}") if ids else None

    def _mapped(self) -> Iterator[tuple[str, Any]]:
        """Custom fields under their catalogue names, as plain values."""
        for name, ids in self.site.fields.mapped.items():
            value = value_of(self._first(ids, Any))
            if value not in (None, "", []):
                yield name, value
        if self._first(self.site.fields.flagged, Any):
            yield "flagged", True

    # -- links -----------------------------------------------------------------------------------------------------

    def _links(self, histories: list[History]) -> Iterator[Link]:
        made = _linked_at(histories)
        for link in self.payload.fields.issuelinks:
            other = link.outward_issue or link.inward_issue
            if other is not None:
                kind = link_kind(link.type, outward=link.outward_issue is not None)
                yield Link(kind, other.id, made.get(other.key))

    # -- history ---------------------------------------------------------------------------------------------------

    def _histories(self) -> list[History]:
        """In the order in which things happened, each history once: pages and overlaps may repeat one."""
        raw = self.record.histories
        if raw is None:
            raw = self.payload.changelog.histories if self.payload.changelog else []
        found = {str(each.id): each for each in (self.read(one, History) for one in raw)}
        return sorted(found.values(), key=lambda each: (self._at(each), each.number))

    def _at(self, history: History) -> datetime:
        return self.moment(history.created, f"changelog.{history.id}.created")

    def _entries(self, histories: list[History]) -> Iterator[tuple[int, datetime, History, Item]]:
        sequence = 0
        for history in histories:
            at = self._at(history)
            for item in history.items:
                yield sequence, at, history, item
                sequence += 1

    def _transitions(self, histories: list[History]) -> Iterator[Transition]:
        for sequence, at, history, item in self._entries(histories):
            if item.what == "status":
                yield Transition(
                    at=at,
                    before=Status(item.from_ or item.from_string or "", item.from_string or ""),
                    after=Status(item.to or item.to_string or "", item.to_string or ""),
                    sequence=sequence,
                    actor=_id(history.author),
                    is_bot=is_bot(history.author, self.site),
                )

    def _changes(self, histories: list[History]) -> Iterator[FieldChange]:
        for sequence, at, history, item in self._entries(histories):
            if item.what == "status":
                continue
            name = self._field_name(item)
            before, after = _sides(item, name)
            own_label = name == "labels" and _id(history.author) == self.site.own_account
            yield FieldChange(
                at=at,
                field=name,
                before=before,
                after=after,
                sequence=sequence,
                actor=_id(history.author),
                is_bot=own_label or is_bot(history.author, self.site),
            )

    def _field_name(self, item: Item) -> str:
        role = self.site.fields.role_of(item.field_id) if item.field_id else None
        if role is not None:
            return "parent" if role == "epic_link" else role
        return CHANGES.get(item.what) or CHANGES.get(item.field.casefold()) or item.field

    # -- sprints ---------------------------------------------------------------------------------------------------

    def _memberships(self, histories: list[History]) -> Iterator[SprintMembership]:
        """From the changes of the sprint field; the value of today fills in what they do not tell.

        Jira keeps closed sprints in the list, so a carried-over issue was in all of them.
        """
        sprints = {sprint.id: sprint for sprint in self._sprints()}
        spans: dict[str, list[tuple[datetime | None, datetime | None]]] = {}
        names: dict[str, str] = {}
        changes = [(at, item) for _, at, _, item in self._entries(histories) if self._field_name(item) == "sprint"]
        present = _sprint_ids(changes[0][1].from_) if changes else list(sprints)
        for id in present:
            spans[id] = [(None, None)]
        for at, item in changes:
            before, after = _sprint_ids(item.from_), _sprint_ids(item.to)
            names |= _sprint_names(item.from_, item.from_string) | _sprint_names(item.to, item.to_string)
            for id in after:
                if id not in before:
                    spans.setdefault(id, []).append((at, None))
            for id in before:
                if id not in after and spans.get(id):
                    spans[id][-1] = (spans[id][-1][0], at)
        for id, of_one in spans.items():
            sprint = sprints.get(id) or self.site.sprints.get(id) or Sprint(id=id, name=names.get(id, id))
            for added, removed in of_one:
                yield SprintMembership(sprint=sprint, added_at=added, removed_at=removed)

    def _sprints(self) -> Iterator[Sprint]:
        values = self._first(self.site.fields.sprint, Any)
        for value in values if isinstance(values, list) else [values] if values else []:
            if (sprint := sprint_from(value)) is not None:
                yield sprint

    # -- comments --------------------------------------------------------------------------------------------------

    def _comment_payloads(self) -> Iterator[payloads.Comment]:
        raw = self.record.comments
        if raw is None:
            raw = self.payload.fields.comment.comments if self.payload.fields.comment else []
        for one in raw:
            yield self.read(one, payloads.Comment)

    def _comments(self) -> Iterator[Comment]:
        known = own_comment_id(self.payload.properties.get(PROPERTY))
        for each in self.comments:
            try:
                yield comment_from(each, self.site, known=known)
            except ValueError:
                raise self.wrong(f"{each.created!r} is no time", f"fields.comment.{each.id}.created") from None


def _sides(item: Item, name: str) -> tuple[str | None, str | None]:
    """The two values of a change. A name that is empty says that there was none."""
    if name in BY_ID and (item.from_ or item.to):
        return item.from_ or None, item.to or None
    return item.from_string or None, item.to_string or None


def _sprint_ids(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _sprint_names(ids: str | None, names: str | None) -> dict[str, str]:
    """Names are joined by commas as well; they are trusted only where the two counts agree."""
    known, shown = _sprint_ids(ids), [part.strip() for part in (names or "").split(", ")]
    return dict(zip(known, shown, strict=True)) if len(known) == len(shown) else {}


def _former_keys(histories: list[History], key: str) -> tuple[str, ...]:
    """Keys that the issue had before it was moved; they still lead to it."""
    keys = [item.from_string for each in histories for item in each.items if item.what == "key" and item.from_string]
    return tuple(former for former in dict.fromkeys(keys) if former != key)


def _linked_at(histories: list[History]) -> dict[str, datetime]:
    """When each link was made, by the other issue's key."""
    return {
        item.to: moment(each.created) for each in histories for item in each.items if item.what == "link" and item.to
    }


def _number(id: str) -> int:
    return int(id) if id.isdigit() else 0


def _id(account: Account | None) -> str | None:
    return account.id if account else None
