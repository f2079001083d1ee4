"""Every query of the store: functions over a connection that take and give domain values."""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from backlint.connectors.contract import Page, Pulled, Quarantined, Reference
from backlint.model import (
    ChecklistItem,
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Person,
    Presence,
    Project,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.normalised import to_dict
from backlint.status import StatusFact
from backlint.sync import bulk
from backlint.sync import tables as t
from backlint.text.commands import may_hold_commands

CHUNK = 500  # ids in one IN list


# -- generic ---------------------------------------------------------------------------------------------------------


def insert_for(connection: Connection) -> Any:
    """The insert that knows `on_conflict_...`: both databases speak alike here, SQLAlchemy has one for each."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace every other column where the primary key exists. Repeating it changes nothing."""
    if not rows:
        return
    insert = insert_for(connection)(table)
    key = [column.name for column in table.primary_key]
    others = {name: insert.excluded[name] for name in rows[0] if name not in key}
    statement = (
        insert.on_conflict_do_update(index_elements=key, set_=others)
        if others
        else insert.on_conflict_do_nothing(index_elements=key)
    )
    connection.execute(statement, list(rows))


def replace_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """As `upsert`, for rows that name every column that may not be null: many of them are written much sooner."""
    (upsert if connection.dialect.name == "postgresql" else bulk.replace)(connection, table, rows)


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    kept = list(values)
    for start in range(0, len(kept), CHUNK):
        yield kept[start : start + CHUNK]


# -- pulling ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Saved:
    """What one page changed in the store."""

    issues: int = 0
    changed: int = 0
    transitions: int = 0
    comments: int = 0
    unreadable: int = 0


def save_source(connection: Connection, name: str, tracker: Tracker, reference: Reference, *, now: datetime) -> None:
    """The small lists of a source. What is no longer listed stays: histories still name it."""
    row = {
        "name": name,
        "tracker": tracker.value,
        "own_account": reference.own_account,
        "account_name": reference.account_name,
    }
    upsert(connection, t.sources, [row])
    unseen = t.sources.c.name == name, t.sources.c.watched_since.is_(None)
    connection.execute(sa.update(t.sources).where(*unseen).values(watched_since=now))
    facts = [
        {"source": name, "id": fact.id, "name": fact.name, "default_category": fact.default.value}
        for fact in reference.statuses
    ]
    upsert(connection, t.statuses, facts)
    save_people(connection, name, reference.people)
    upsert(
        connection, t.projects, [{**asdict(project), "markup": project.markup.value} for project in reference.projects]
    )
    upsert(connection, t.sprints, [{"source": name, **asdict(sprint)} for sprint in reference.sprints])


def save_people(connection: Connection, source: str, people: Iterable[Person]) -> None:
    upsert(connection, t.people, [{"source": source, **asdict(person)} for person in people])


def begin_scope(
    connection: Connection, source: str, scope: str, *, now: datetime, full: bool
) -> tuple[str | None, bool]:
    """Mark the scope as being pulled. The cursor to go on from (None: from the start), and whether it stands in the
    middle of a pull that was cut off."""
    found = connection.execute(
        sa.select(t.scopes.c.cursor, t.scopes.c.is_complete).where(
            t.scopes.c.source == source, t.scopes.c.scope == scope
        )
    ).first()
    cursor = None if full or found is None else found.cursor
    is_unfinished = cursor is not None and found is not None and not found.is_complete
    row = {
        "source": source,
        "scope": scope,
        "cursor": cursor,
        "is_complete": False,
        "started_at": now,
        "problem": None,
    }
    upsert(connection, t.scopes, [row])
    return cursor, is_unfinished


def fail_scope(connection: Connection, source: str, scope: str, problem: str) -> None:
    _update_scope(connection, source, scope, is_complete=False, problem=problem)


def fail_source(connection: Connection, source: str, problem: str, *, since: datetime) -> None:
    """Nothing more can be read of the source: every scope that this pull has not finished cannot say."""
    unfinished = sa.or_(
        t.scopes.c.started_at.is_(None), t.scopes.c.started_at < since, t.scopes.c.is_complete.is_(False)
    )
    connection.execute(
        sa.update(t.scopes).where(t.scopes.c.source == source, unfinished).values(is_complete=False, problem=problem)
    )


def save_page(connection: Connection, source: str, scope: str, page: Page, *, mapping: str, now: datetime) -> Saved:
    """The page's issues and its cursor, together: call it inside one transaction."""
    saved = save_found(connection, source, scope, page, mapping=mapping, now=now)
    done = {"is_complete": True, "completed_at": now} if page.is_last else {}
    _update_scope(connection, source, scope, cursor=page.cursor, **done)
    return saved


def save_found(connection: Connection, source: str, scope: str, page: Page, *, mapping: str, now: datetime) -> Saved:
    """The page's issues and what could not be read, without moving the cursor."""
    saved = save_issues(connection, source, scope, page.issues, now=now)
    saved.unreadable = len(page.quarantined)
    save_quarantine(connection, source, scope, page.quarantined, now, mapping=mapping)
    return saved


def _update_scope(connection: Connection, source: str, scope: str, **values: Any) -> None:
    connection.execute(
        sa.update(t.scopes).where(t.scopes.c.source == source, t.scopes.c.scope == scope).values(**values)
    )


def save_issues(connection: Connection, source: str, scope: str, pulled: Sequence[Pulled], *, now: datetime) -> Saved:
    """Write the issues whose normalised form differs from the stored one, whole, with their payloads."""
    latest = {each.issue.id: each for each in pulled}
    for id in _overtaken(connection, source, latest, now=now):
        del latest[id]
    known = _digests(connection, source, latest)
    digests = {id: digest(each.issue) for id, each in latest.items()}
    changed = [each for id, each in latest.items() if known.get(id) != digests[id]]
    issues = [each.issue for each in changed]
    ids = [issue.id for issue in issues]
    rows = [issue_row(issue, scope, digests[issue.id], now) for issue in issues]
    _keep_former(connection, source, scope, {id: known[id] for id in ids if id in known}, digests, now=now)
    write_issues(connection, source, issues, rows, new=frozenset(ids) - known.keys())
    replace_all(connection, t.payloads, _payload_rows(connection, source, list(latest.values()), changed=set(ids)))
    leave_quarantine(connection, source, [name for each in latest.values() for name in (each.issue.id, each.issue.key)])
    _touch(connection, source, latest.keys() - set(ids), now)
    return Saved(
        issues=len(latest),
        changed=len(changed),
        transitions=sum(len(issue.transitions) for issue in issues),
        comments=sum(len(issue.comments) for issue in issues),
    )


def _overtaken(connection: Connection, source: str, latest: Mapping[str, Pulled], *, now: datetime) -> list[str]:
    """Issues that somebody read while this pull was on its way, and that had changed once more by then."""
    found: list[str] = []
    for chunk in chunks(latest):
        query = sa.select(t.issues.c.id, t.issues.c.updated_at).where(
            t.issues.c.source == source, t.issues.c.id.in_(chunk), t.issues.c.pulled_at > now
        )
        for row in connection.execute(query):
            updated_at = latest[row.id].issue.updated_at
            if row.updated_at is not None and updated_at is not None and updated_at < row.updated_at:
                found.append(row.id)
    return found


def _keep_former(
    connection: Connection,
    source: str,
    scope: str,
    known: Mapping[str, str],
    digests: Mapping[str, str],
    *,
    now: datetime,
) -> None:
    """What these issues were before they are written anew: `known` are their stored digests, empty where forgotten."""
    if not known:
        return
    rows = [
        {
            "source": source, "issue": issue.id, "replaced_at": now, "scope": scope,
            "body": zlib.compress(msgspec.json.encode(to_dict(issue)), 3),
        }
        for issue in load_issues(connection, source=source, ids=sorted(known))
        if known[issue.id] or digest(issue) != digests[issue.id]
    ]  # fmt: skip
    upsert(connection, t.former_issues, rows)


def _payload_rows(
    connection: Connection, source: str, pulled: Sequence[Pulled], *, changed: set[str]
) -> list[dict[str, Any]]:
    """Payloads of changed issues, and those that differ in what no mapping reads yet. Some ways to read give none."""
    same = [each.issue.id for each in pulled if each.issue.id not in changed]
    known: dict[str, int | None] = {}
    for chunk in chunks(same):
        rows = connection.execute(_KNOWN_CHECKSUMS, {"of": source, "ids": chunk})
        known |= {row.issue: row.checksum for row in rows}
    checksums = {each.issue.id: zlib.crc32(each.raw) for each in pulled}
    return [
        {"source": source, "issue": id, "body": zlib.compress(each.raw, 3), "checksum": checksums[id]}
        for each in pulled
        if each.raw and ((id := each.issue.id) in changed or known.get(id) != checksums[id])
    ]


def write_issues(
    connection: Connection,
    source: str,
    issues: Sequence[Issue],
    rows: Sequence[Mapping[str, Any]],
    *,
    new: frozenset[str] = frozenset(),
) -> None:
    """Issues with their rows, and everything that belongs to them in place of what did; of `new` ones nothing did."""
    ids = [issue.id for issue in issues if issue.id not in new]
    _keep_statuses(connection, source, issues)
    _keep_sprints(connection, source, issues)
    replace_all(connection, t.issues, rows)
    _outdate(connection, source, [issue.id for issue in issues])
    kept_aliases = _former_keys(connection, source, ids)
    for table in t.CHILDREN:
        for chunk in chunks(ids):
            connection.execute(_DELETED[table], {"of": source, "ids": chunk})
    for table, rows_of in _CHILD_ROWS.items():
        bulk.insert(connection, table, [row for issue in issues for row in rows_of(issue)])
    upsert(connection, t.aliases, [{"source": source, "alias": alias, "issue": id} for id, alias in kept_aliases])


def _outdate(connection: Connection, source: str, ids: Iterable[str]) -> None:
    """The records of flow are to be made anew (sync/flow.py)."""
    rows = [{"source": source, "issue": id, "since": 0} for id in sorted(ids)]
    upsert(connection, t.flow_stale, rows)


def _keep_statuses(connection: Connection, source: str, issues: Iterable[Issue]) -> None:
    """Statuses that only histories still name (a board's deleted column) keep the category they were read with."""
    seen = {
        status.id: status
        for issue in issues
        for status in (issue.status, *(side for step in issue.transitions for side in (step.before, step.after)))
        if status.category is not StatusCategory.UNKNOWN
    }
    known = {fact.id for fact in status_facts(connection, source)}
    rows = [
        {"source": source, "id": id, "name": status.name, "default_category": _default(status).value}
        for id, status in sorted(seen.items())
        if id not in known
    ]
    upsert(connection, t.statuses, rows)


def _keep_sprints(connection: Connection, source: str, issues: Iterable[Issue]) -> None:
    """What issues say of their sprints, where no board could be read or a board is behind."""
    seen: dict[str, Sprint] = {}
    for sprint in (membership.sprint for issue in issues for membership in issue.sprints):
        # A sprint that an issue has left is named by its id alone, which says nothing.
        if sprint.starts_at is not None or sprint.ends_at is not None:
            seen[sprint.id] = max(seen.get(sprint.id, sprint), sprint, key=_sprint_progress)
    if not seen:
        return
    query = sa.select(t.sprints.c.id, t.sprints.c.state).where(t.sprints.c.source == source)
    known = {row.id: row.state for row in connection.execute(query)}
    rows = [
        {"source": source, **asdict(sprint)}
        for id, sprint in sorted(seen.items())
        if id not in known or _sprint_progress(sprint) > _SPRINT_STATES.get(known[id], -1)
    ]
    upsert(connection, t.sprints, rows)


# A sprint goes forward only.
_SPRINT_STATES = {"future": 0, "active": 1, "closed": 2}


def _sprint_progress(sprint: Sprint) -> int:
    return _SPRINT_STATES.get(sprint.state, -1)


def _default(status: Status) -> StatusCategory:
    """A cancelled issue's status is a done one whose resolution says more."""
    return StatusCategory.DONE if status.category is StatusCategory.CANCELLED else status.category


def digest(issue: Issue) -> str:
    """Of everything that is stored of an issue; categories are left out, since they follow from the mapping."""
    steps = [
        (step.at, step.before.id, step.before.name, step.after.id, step.after.name, *_REST_OF_STEP(step))
        for step in issue.transitions
    ]
    parts = (_REST_OF_ISSUE(issue), issue.status.id, issue.status.name, sorted(issue.labels), steps)
    try:
        text = msgspec.json.encode(parts, enc_hook=_plain, order="deterministic")
    except UnicodeEncodeError:  # half of a surrogate pair
        text = repr(msgspec.to_builtins(parts, enc_hook=_plain, order="deterministic")).encode("utf-8", "replace")
    return hashlib.sha256(text).hexdigest()


_REST_OF_ISSUE = attrgetter(
    *(each.name for each in fields(Issue) if each.name not in ("status", "labels", "transitions"))
)
_REST_OF_STEP = attrgetter(*(each.name for each in fields(Transition) if each.name not in ("at", "before", "after")))


def _plain(value: Any) -> Any:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(type(value))


def _digests(connection: Connection, source: str, ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for chunk in chunks(ids):
        rows = connection.execute(_KNOWN_DIGESTS, {"of": source, "ids": chunk})
        found |= {row.id: row.digest for row in rows}
    return found


def _former_keys(connection: Connection, source: str, ids: Iterable[str]) -> set[tuple[str, str]]:
    """Aliases once seen stay, even where the tracker forgets them."""
    found: set[tuple[str, str]] = set()
    for chunk in chunks(ids):
        rows = connection.execute(_KNOWN_ALIASES, {"of": source, "ids": chunk})
        found |= {(row.issue, row.alias) for row in rows}
    return found


def _touch(connection: Connection, source: str, ids: Iterable[str], now: datetime) -> None:
    for chunk in chunks(ids):
        connection.execute(_SEEN_AGAIN, {"of": source, "ids": chunk, "pulled_at": now})


def save_quarantine(
    connection: Connection,
    source: str,
    scope: str,
    quarantined: Sequence[Quarantined],
    now: datetime,
    *,
    mapping: str = "",
) -> None:
    rows = [
        {
            "source": source, "id": each.id, "issue": each.issue, "scope": scope, "path": each.path,
            "reason": each.reason, "mapping": mapping if each.is_given else "", "raw": zlib.compress(each.raw),
            "at": now,
        }
        for each in quarantined
    ]  # fmt: skip
    upsert(connection, t.quarantine, rows)


def leave_quarantine(connection: Connection, source: str, ids: Iterable[str]) -> None:
    """By ids, and by keys: what could not be read may not have told its id."""
    for chunk in chunks(ids):
        connection.execute(_DELETED[t.quarantine], {"of": source, "ids": chunk})


def issue_row(issue: Issue, scope: str, digest_: str, now: datetime) -> dict[str, Any]:
    return {
        "source": issue.source, "id": issue.id, "scope": scope, "tracker": issue.tracker.value, "key": issue.key,
        "url": issue.url, "project": issue.project, "team": issue.team, "type": issue.type.value,
        "type_name": issue.type_name, "title": issue.title, "body": issue.body, "markup": issue.markup.value,
        "status_id": issue.status.id, "status_name": issue.status.name, "resolution": issue.resolution,
        "priority": issue.priority, "estimate": issue.estimate, "estimate_unit": issue.estimate_unit,
        "assignees": list(issue.assignees), "accountable": list(issue.accountable), "reporter": issue.reporter,
        "parent": issue.parent, "checklist": [[item.text, item.is_ticked] for item in issue.checklist],
        "rank": issue.rank, "due_on": issue.due_on, "review_on": issue.review_on, "created_at": issue.created_at,
        "updated_at": issue.updated_at, "history_is_complete": issue.history_is_complete,
        "is_locked": issue.is_locked, "is_archived": issue.is_archived, "unlisted_at": None,
        "presence": issue.presence.value,
        "fields": dict(issue.fields), "digest": digest_, "pulled_at": now,
    }  # fmt: skip


def _of(issue: Issue) -> dict[str, Any]:
    return {"source": issue.source, "issue": issue.id}


def _transition_rows(issue: Issue) -> list[dict[str, Any]]:
    return [
        {
            **_of(issue), "position": position, "at": step.at, "sequence": step.sequence, "before_id": step.before.id,
            "before_name": step.before.name, "after_id": step.after.id, "after_name": step.after.name,
            "actor": step.actor, "is_bot": step.is_bot,
        }
        for position, step in enumerate(issue.transitions)
    ]  # fmt: skip


def _change_rows(issue: Issue) -> list[dict[str, Any]]:
    return [
        {
            **_of(issue), "position": position, "at": change.at, "sequence": change.sequence, "field": change.field,
            "before": change.before, "after": change.after, "actor": change.actor, "is_bot": change.is_bot,
        }
        for position, change in enumerate(issue.changes)
    ]  # fmt: skip


def _comment_rows(issue: Issue) -> list[dict[str, Any]]:
    return [comment_row(issue.source, issue.id, position, comment) for position, comment in enumerate(issue.comments)]


def comment_row(source: str, issue: str, position: int, comment: Comment) -> dict[str, Any]:
    return {
        "source": source, "issue": issue, "id": comment.id, "position": position, "at": comment.at,
        "author": comment.author, "body": comment.body, "markup": comment.markup.value,
        "edited_at": comment.edited_at, "is_bot": comment.is_bot, "is_own": comment.is_own,
        "may_write": comment.may_write, "thumbs_up": comment.thumbs_up, "thumbs_down": comment.thumbs_down,
        "is_command": not comment.is_own and not comment.is_bot and may_hold_commands(comment.body),
    }  # fmt: skip


# Made once: building a condition over hundreds of ids takes longer than the database takes to answer it.
_OF: sa.BindParameter[str] = sa.bindparam("of")
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_KNOWN_DIGESTS = sa.select(t.issues.c.id, t.issues.c.digest).where(t.issues.c.source == _OF, t.issues.c.id.in_(_IDS))
_KNOWN_ALIASES = sa.select(t.aliases.c.issue, t.aliases.c.alias).where(
    t.aliases.c.source == _OF, t.aliases.c.issue.in_(_IDS)
)
_KNOWN_CHECKSUMS = sa.select(t.payloads.c.issue, t.payloads.c.checksum).where(
    t.payloads.c.source == _OF, t.payloads.c.issue.in_(_IDS)
)
_SEEN_AGAIN = (
    sa.update(t.issues)
    .where(t.issues.c.source == _OF, t.issues.c.id.in_(_IDS))
    .values(pulled_at=sa.bindparam("pulled_at"))
)
_DELETED = {
    table: sa.delete(table).where(table.c.source == _OF, column.in_(_IDS))
    for table, column in (*((child, child.c.issue) for child in t.CHILDREN), (t.quarantine, t.quarantine.c.id))
}
_CHILD_ROWS: dict[Table, Callable[[Issue], list[dict[str, Any]]]] = {
    t.aliases: lambda issue: [{**_of(issue), "alias": alias} for alias in dict.fromkeys(issue.aliases)],
    t.labels: lambda issue: [{**_of(issue), "label": label} for label in sorted(issue.labels)],
    t.transitions: _transition_rows,
    t.changes: _change_rows,
    t.comments: _comment_rows,
    t.sprint_memberships: lambda issue: [
        {
            **_of(issue), "position": position, "sprint": membership.sprint.id, "added_at": membership.added_at,
            "removed_at": membership.removed_at,
        }
        for position, membership in enumerate(issue.sprints)
    ],
    t.links: lambda issue: [
        {**_of(issue), "position": position, "kind": link.kind.value, "target": link.target, "at": link.at}
        for position, link in enumerate(issue.links)
    ],
}  # fmt: skip


def listed_ids(connection: Connection, source: str, scope: str) -> set[str]:
    """What a census should name: the present issues, less those known to be in no list."""
    query = sa.select(t.issues.c.id).where(
        t.issues.c.source == source,
        t.issues.c.scope == scope,
        t.issues.c.presence == Presence.PRESENT.value,
        t.issues.c.unlisted_at.is_(None),
    )
    return set(connection.execute(query).scalars())


def unlisted_ids(connection: Connection, source: str, scope: str, *, before: datetime, limit: int) -> list[str]:
    """Issues in no list that were last seen before a moment, the longest unseen first."""
    query = sa.select(t.issues.c.id).where(
        t.issues.c.source == source,
        t.issues.c.scope == scope,
        t.issues.c.presence == Presence.PRESENT.value,
        t.issues.c.unlisted_at < before,
    )
    return list(connection.execute(query.order_by(t.issues.c.unlisted_at, t.issues.c.id).limit(limit)).scalars())


def note_unlisted(
    connection: Connection, source: str, ids: Iterable[str], *, now: datetime, is_archived: bool = False
) -> None:
    """Issues that are there and in no list. The next pull that finds one listed writes it whole."""
    archived = {"is_archived": True} if is_archived else {}
    for chunk in chunks(ids):
        connection.execute(
            sa.update(t.issues)
            .where(t.issues.c.source == source, t.issues.c.id.in_(chunk))
            .values(unlisted_at=now, digest="", **archived)
        )


def unreadable_ids(connection: Connection, source: str, scope: str) -> dict[str, str]:
    """What is in quarantine, and the mapping that could not read it ("": the tracker could not give it)."""
    query = sa.select(t.quarantine.c.id, t.quarantine.c.mapping).where(
        t.quarantine.c.source == source, t.quarantine.c.scope == scope
    )
    return {row.id: row.mapping for row in connection.execute(query)}


def set_presence(connection: Connection, source: str, ids: Iterable[str], presence: Presence) -> None:
    for chunk in chunks(ids):
        connection.execute(
            sa.update(t.issues)
            .where(t.issues.c.source == source, t.issues.c.id.in_(chunk))
            .values(presence=presence.value, digest="")  # the next pull that sees it again writes it whole
        )
        _outdate(connection, source, chunk)


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """How a scope was last pulled."""

    source: str
    scope: str
    is_complete: bool
    started_at: datetime | None
    completed_at: datetime | None
    problem: str | None
    cursor: str | None


def scope_states(connection: Connection) -> tuple[ScopeState, ...]:
    rows = connection.execute(sa.select(t.scopes).order_by(t.scopes.c.source, t.scopes.c.scope)).mappings()
    return tuple(ScopeState(**row) for row in rows)


def status_facts(connection: Connection, source: str) -> tuple[StatusFact, ...]:
    rows = connection.execute(sa.select(t.statuses).where(t.statuses.c.source == source).order_by(t.statuses.c.id))
    return tuple(StatusFact(row.id, row.name, StatusCategory(row.default_category)) for row in rows)


def source_names(connection: Connection) -> tuple[str, ...]:
    return tuple(connection.execute(sa.select(t.sources.c.name).order_by(t.sources.c.name)).scalars())


def own_accounts(connection: Connection) -> dict[str, str | None]:
    return {row.name: row.own_account for row in connection.execute(sa.select(t.sources))}


def people(connection: Connection) -> dict[tuple[str, str], Person]:
    rows = connection.execute(sa.select(t.people)).mappings()
    return {(row["source"], row["id"]): Person(**{k: v for k, v in row.items() if k != "source"}) for row in rows}


def watched_since(connection: Connection) -> dict[str, datetime]:
    """When the first pull of each source began."""
    query = sa.select(t.sources.c.name, t.sources.c.watched_since).where(t.sources.c.watched_since.is_not(None))
    return {row.name: row.watched_since for row in connection.execute(query)}


def projects(connection: Connection) -> dict[tuple[str, str], Project]:
    rows = connection.execute(sa.select(t.projects)).mappings()
    return {(row["source"], row["id"]): Project(**{**row, "markup": Markup(row["markup"])}) for row in rows}


def marks(
    connection: Connection, *, only: Collection[tuple[str, str]] | None = None
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Of every issue something that differs after it changed, in the order of `load_issues`."""
    here = t.issues.c
    query = sa.select(here.source, here.id, here.digest, here.updated_at, here.presence)
    if only is not None:
        by_source: dict[str, list[str]] = defaultdict(list)
        for source, id in only:
            by_source[source].append(id)
        wanted = (sa.and_(here.source == source, here.id.in_(ids)) for source, ids in by_source.items())
        query = query.where(sa.or_(sa.false(), *wanted))
    rows = connection.execute(query.order_by(here.source, here.key, here.id)).all()
    return {(row.source, row.id): tuple(row[2:]) for row in rows}


def surroundings(connection: Connection) -> Any:
    """All that issues are judged with and that is not part of one: to see whether any of it changed."""
    tables = t.sources, t.statuses, t.sprints, t.people, t.projects
    return [connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all() for table in tables]


def load_issues(
    connection: Connection,
    *,
    source: str | None = None,
    ids: Sequence[str] | None = None,
    without: Collection[Table] = (),
) -> tuple[Issue, ...]:
    """Issues with everything they hold, in a stable order; categories are still to be applied (`StatusMap.apply`).

    What stands in the tables `without` is left out of them.
    """
    batches = [None] if ids is None else list(chunks(ids))
    return tuple(issue for batch in batches for issue in _load(connection, source, batch, without))


def _load(connection: Connection, source: str | None, ids: list[str] | None, without: Collection[Table]) -> list[Issue]:
    def rows(table: Table, *order: sa.Column[Any]) -> sa.CursorResult[Any]:
        query = sa.select(table).order_by(*order)
        id_column = table.c.id if table is t.issues else table.c.issue
        if source is not None:
            query = query.where(table.c.source == source)
        if ids is not None:
            query = query.where(id_column.in_(ids))
        return connection.execute(query)

    def grouped(table: Table, order: str, make: Callable[[Any], Any]) -> dict[tuple[str, str], list[Any]]:
        found: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows(table, table.c[order]) if table not in without else ():
            found[row.source, row.issue].append(make(row))
        return found

    sprints = {(row.source, row.id): row for row in connection.execute(sa.select(t.sprints))}
    aliases = grouped(t.aliases, "alias", lambda row: row.alias)
    labels = grouped(t.labels, "label", lambda row: row.label)
    transitions = grouped(t.transitions, "position", _transition)
    changes = grouped(t.changes, "position", _change)
    comments = grouped(t.comments, "position", _comment)
    links = grouped(t.links, "position", lambda row: Link(LinkKind(row.kind), row.target, row.at))
    memberships = grouped(t.sprint_memberships, "position", lambda row: _membership(row, sprints))

    def issue(row: Any) -> Issue:
        me = row.source, row.id
        return Issue(
            source=row.source, id=row.id, key=row.key, title=row.title, tracker=Tracker(row.tracker), url=row.url,
            aliases=tuple(aliases.get(me, ())), project=row.project, team=row.team, type=IssueType(row.type),
            type_name=row.type_name, body=row.body, markup=Markup(row.markup),
            status=Status(row.status_id, row.status_name), resolution=row.resolution, priority=row.priority,
            estimate=row.estimate, estimate_unit=row.estimate_unit, labels=frozenset(labels.get(me, ())),
            assignees=tuple(row.assignees), accountable=tuple(row.accountable), reporter=row.reporter,
            parent=row.parent, sprints=tuple(memberships.get(me, ())), links=tuple(links.get(me, ())),
            checklist=tuple(ChecklistItem(text, ticked) for text, ticked in row.checklist), rank=row.rank,
            due_on=row.due_on, review_on=row.review_on, created_at=row.created_at, updated_at=row.updated_at,
            transitions=tuple(transitions.get(me, ())), changes=tuple(changes.get(me, ())),
            comments=tuple(comments.get(me, ())), history_is_complete=row.history_is_complete,
            is_locked=row.is_locked, is_archived=row.is_archived, presence=Presence(row.presence),
            fields=MappingProxyType(row.fields),
        )  # fmt: skip

    return [issue(row) for row in rows(t.issues, t.issues.c.source, t.issues.c.key, t.issues.c.id)]


def _transition(row: Any) -> Transition:
    return Transition(
        at=row.at,
        before=Status(row.before_id, row.before_name),
        after=Status(row.after_id, row.after_name),
        sequence=row.sequence,
        actor=row.actor,
        is_bot=row.is_bot,
    )


def _change(row: Any) -> FieldChange:
    return FieldChange(
        at=row.at, field=row.field, before=row.before, after=row.after, sequence=row.sequence, actor=row.actor,
        is_bot=row.is_bot,
    )  # fmt: skip


def _comment(row: Any) -> Comment:
    return Comment(
        id=row.id, at=row.at, author=row.author, body=row.body, markup=Markup(row.markup), edited_at=row.edited_at,
        is_bot=row.is_bot, is_own=row.is_own, may_write=row.may_write, thumbs_up=row.thumbs_up,
        thumbs_down=row.thumbs_down,
    )  # fmt: skip


def _membership(row: Any, sprints: Mapping[tuple[str, str], Any]) -> SprintMembership:
    known = sprints.get((row.source, row.sprint))
    sprint = (
        Sprint(
            id=known.id, name=known.name, state=known.state, starts_at=known.starts_at, ends_at=known.ends_at,
            completed_at=known.completed_at, team=known.team,
        )
        if known
        else Sprint(id=row.sprint, name=row.sprint, state="unknown")
    )  # fmt: skip
    return SprintMembership(sprint=sprint, added_at=row.added_at, removed_at=row.removed_at)


def payload(connection: Connection, source: str, issue: str) -> bytes | None:
    found = connection.execute(
        sa.select(t.payloads.c.body).where(t.payloads.c.source == source, t.payloads.c.issue == issue)
    ).scalar()
    return zlib.decompress(found) if found else None


def quarantined(connection: Connection) -> tuple[Mapping[str, Any], ...]:
    """What could not be read: source, id, issue, scope, path, reason, mapping, at; newest first."""
    columns = [column for column in t.quarantine.c if column.name != "raw"]
    rows = connection.execute(sa.select(*columns).order_by(t.quarantine.c.at.desc())).mappings()
    return tuple(dict(row) for row in rows)


# -- runs ------------------------------------------------------------------------------------------------------------


def begin_run(connection: Connection, id: str, kind: str, *, now: datetime) -> None:
    connection.execute(t.runs.insert(), {"id": id, "kind": kind, "started_at": now, "facts": {}})


def end_run(connection: Connection, id: str, *, now: datetime, outcome: str, facts: Mapping[str, Any]) -> None:
    connection.execute(
        sa.update(t.runs).where(t.runs.c.id == id).values(finished_at=now, outcome=outcome, facts=dict(facts))
    )


def last_run(connection: Connection, kind: str) -> Mapping[str, Any] | None:
    query = sa.select(t.runs).where(t.runs.c.kind == kind, t.runs.c.outcome == "done")
    row = connection.execute(query.order_by(t.runs.c.started_at.desc(), t.runs.c.id).limit(1)).mappings().first()
    return None if row is None else dict(row)


def checked_sources(connection: Connection) -> set[str]:
    """Sources that an earlier check has judged: their baseline is taken."""
    query = sa.select(t.runs.c.facts).where(t.runs.c.kind == "check", t.runs.c.outcome == "done")
    return {source for facts in connection.execute(query).scalars() for source in facts.get("sources", ())}


def ids_in_scopes(connection: Connection, scopes: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """(source, id) of every issue that was pulled with one of the (source, scope) pairs."""
    found: set[tuple[str, str]] = set()
    for source, scope in scopes:
        query = sa.select(t.issues.c.id).where(t.issues.c.source == source, t.issues.c.scope == scope)
        found |= {(source, id) for id in connection.execute(query).scalars()}
    return found


def last_pull_of(connection: Connection, source: str) -> Mapping[str, Any] | None:
    """What the last pull said of the source: requests, seconds, problems."""
    query = sa.select(t.runs.c.facts).where(t.runs.c.kind == "pull", t.runs.c.outcome == "done")
    for facts in connection.execute(query.order_by(t.runs.c.started_at.desc()).limit(50)).scalars():
        for each in facts.get("sources", ()):
            if each["source"] == source:
                return dict(each)
    return None


def audits(connection: Connection, *, since: datetime) -> tuple[tuple[datetime, Mapping[str, Any]], ...]:
    """When each finished audit began, and its facts; oldest first."""
    query = sa.select(t.runs.c.started_at, t.runs.c.facts).where(
        t.runs.c.kind == "audit", t.runs.c.outcome == "done", t.runs.c.started_at >= since
    )
    rows = connection.execute(query.order_by(t.runs.c.started_at))
    return tuple((row.started_at, row.facts) for row in rows)


# -- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScore:
    """A score of a team, of a backlog, or of one issue (`kind`), as a check found it."""

    kind: str  # team | backlog | issue
    name: str
    score: int
    count: int


def save_scores(
    connection: Connection, run: str, scores: Iterable[StoredScore], *, rules_version: str, now: datetime
) -> None:
    rows = [
        {
            "run": run, "kind": score.kind, "name": score.name, "score": score.score, "count": score.count,
            "rules_version": rules_version, "at": now,
        }
        for score in scores
    ]  # fmt: skip
    upsert(connection, t.scores, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastScores:
    """The last scores that an audit saved."""

    run: str
    at: datetime
    rules_version: str


def last_scores(connection: Connection, *, before: datetime) -> LastScores | None:
    columns = t.scores.c.run, t.scores.c.at, t.scores.c.rules_version
    query = sa.select(*columns).where(t.scores.c.at < before).order_by(t.scores.c.at.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else LastScores(run=row.run, at=row.at, rules_version=row.rules_version)


def drop_scores(connection: Connection, run: str) -> None:
    connection.execute(sa.delete(t.scores).where(t.scores.c.run == run))


def previous_scores(
    connection: Connection, *, before: datetime
) -> tuple[str | None, Mapping[tuple[str, str], StoredScore]]:
    """The rules version and the scores of the last audit before that time."""
    last = connection.execute(
        sa.select(t.scores.c.run).where(t.scores.c.at < before).order_by(t.scores.c.at.desc()).limit(1)
    ).scalar()
    rows = connection.execute(sa.select(t.scores).where(t.scores.c.run == last)).mappings().all() if last else []
    version = rows[0]["rules_version"] if rows else None
    scores = (StoredScore(kind=row["kind"], name=row["name"], score=row["score"], count=row["count"]) for row in rows)
    found = {(score.kind, score.name): score for score in scores}
    return version, found


def sources(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(name, tracker) of every source ever pulled."""
    return tuple((row.name, row.tracker) for row in connection.execute(sa.select(t.sources).order_by(t.sources.c.name)))


def issue_counts(connection: Connection) -> dict[str, int]:
    """Issues present in each source."""
    query = sa.select(t.issues.c.source, sa.func.count()).where(t.issues.c.presence == Presence.PRESENT.value)
    return {row[0]: row[1] for row in connection.execute(query.group_by(t.issues.c.source))}
