"""The census of a scope: what exists against what is stored. Finds what vanished, and what came back unchanged."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from backlint.connectors.contract import Connector, Whereabouts
from backlint.model import Presence
from backlint.sync import store
from backlint.sync.database import reading, writing

LOSS_FLOOR = 5  # a census may always lose this many, however small the scope
SAMPLE = 20  # looks that tell whether a large loss is an archive
MOST_LOOKS = 1_000  # in one census, each a request: a larger archive is learned by several
LOOK_AGAIN = timedelta(days=7)  # at what is in no list: it may be deleted there as well
LOOKS_AGAIN = 25

PRESENCES = {
    Whereabouts.DELETED: Presence.DELETED,
    Whereabouts.UNREADABLE: Presence.UNREADABLE,
    Whereabouts.MOVED: Presence.UNREADABLE,  # out of every configured scope: judged no longer
}


@dataclass(slots=True)
class Census:
    """What a census found and changed. `problem`: it would have lost too much, and marked nothing as gone."""

    saved: list[store.Saved] = field(default_factory=list)
    deleted: int = 0
    moved: int = 0
    problem: str | None = None


def take_census(
    engine: sa.Engine,
    connector: Connector,
    scope: str,
    existing: Set[str],
    *,
    mapping: str,
    now: datetime,
    loss_share: float,
) -> Census:
    """Compare, fetch what is new to us, and look at what is missing: deleted, moved, unreadable, or in no list.

    `existing` are the ids of all that the tracker lists. What this mapping could not read is not fetched to fail again.
    """
    result = Census()
    with reading(engine) as connection:
        known = store.listed_ids(connection, connector.name, scope)
        unreadable = store.unreadable_ids(connection, connector.name, scope)
    hopeless = {id for id, tried in unreadable.items() if tried == mapping}
    _fetch(engine, connector, scope, sorted(existing - known - hopeless), result, mapping=mapping, now=now)
    missing = sorted(known - existing)
    bound = max(LOSS_FLOOR, loss_share * len(known))
    found = _look(engine, connector, missing) if len(missing) <= bound else _archive_of(engine, connector, missing)
    unlisted = _note_unlisted(engine, connector, found, now=now)
    missing = [id for id in missing if id not in unlisted]
    if len(missing) > bound:
        result.problem = (
            f"{scope}: the census misses {len(missing)} of {len(known)} issues, more than {loss_share:.0%}; nothing "
            "was marked as deleted. Look at the token's rights, or raise loss_share for one pull if they really are "
            "gone, or archived"
        )
        return result
    if gone := unreadable.keys() - existing:
        with writing(engine) as connection:
            store.leave_quarantine(connection, connector.name, gone)
    found |= _look(engine, connector, [id for id in missing if id not in found])
    found |= _look_again(engine, connector, scope, now=now)
    _mark(engine, connector.name, found, result)
    return result


def _fetch(
    engine: sa.Engine,
    connector: Connector,
    scope: str,
    strangers: Sequence[str],
    result: Census,
    *,
    mapping: str,
    now: datetime,
) -> None:
    """Issues that come back into sight, or out of an archive or a trash, without having changed."""
    for page in connector.fetch(scope, strangers) if strangers else ():
        with writing(engine) as connection:
            saved = store.save_found(connection, connector.name, scope, page, mapping=mapping, now=now)
        result.saved.append(saved)


def _look(engine: sa.Engine, connector: Connector, ids: Sequence[str]) -> dict[str, Whereabouts]:
    if not ids:
        return {}
    with reading(engine) as connection:
        issues = store.load_issues(connection, source=connector.name, ids=ids)
    return {issue.id: connector.locate(issue) for issue in issues}


def _archive_of(engine: sa.Engine, connector: Connector, missing: Sequence[str]) -> dict[str, Whereabouts]:
    """Of a loss beyond the bound: whether it is an archive, which only looking tells."""
    if not connector.capabilities.archive_is_unlisted:
        return {}
    found = _look(engine, connector, missing[:SAMPLE])
    if Whereabouts.ARCHIVED in found.values():
        found |= _look(engine, connector, missing[SAMPLE:MOST_LOOKS])
    # Merely present says nothing here: a search that is being rebuilt leaves out issues as well.
    return {id: where for id, where in found.items() if where is Whereabouts.ARCHIVED}


def _note_unlisted(
    engine: sa.Engine, connector: Connector, found: dict[str, Whereabouts], *, now: datetime
) -> set[str]:
    """Remember what is there and in no list, so that it is not missed again."""
    archived = {id for id, where in found.items() if where is Whereabouts.ARCHIVED}
    present = {id for id, where in found.items() if where is Whereabouts.PRESENT}
    if not connector.capabilities.archive_is_unlisted:
        return set()
    with writing(engine) as connection:
        store.note_unlisted(connection, connector.name, sorted(archived), now=now, is_archived=True)
        store.note_unlisted(connection, connector.name, sorted(present), now=now)
    return archived | present


def _look_again(engine: sa.Engine, connector: Connector, scope: str, *, now: datetime) -> dict[str, Whereabouts]:
    """At a few of those that no list names, the longest unseen first."""
    with reading(engine) as connection:
        ids = store.unlisted_ids(connection, connector.name, scope, before=now - LOOK_AGAIN, limit=LOOKS_AGAIN)
    found = _look(engine, connector, ids)
    _note_unlisted(engine, connector, found, now=now)
    return found


def _mark(engine: sa.Engine, source: str, found: dict[str, Whereabouts], result: Census) -> None:
    for whereabouts, presence in PRESENCES.items():
        ids = [id for id, where in found.items() if where is whereabouts]
        with writing(engine) as connection:
            store.set_presence(connection, source, ids, presence)
    result.deleted = list(found.values()).count(Whereabouts.DELETED)
    result.moved = list(found.values()).count(Whereabouts.MOVED)
