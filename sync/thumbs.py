"""Thumbs on the managed comment: looked at in the nightly audit, since no tracker tells of them by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from backlint.connectors.contract import Connector
from backlint.errors import NotFound, TrackerError
from backlint.model import Comment
from backlint.precision import Said
from backlint.sync import feedback, store, writes
from backlint.sync.database import reading
from backlint.sync.plan import ChangeKind, Written

log = structlog.get_logger(__name__)

RECENT = timedelta(days=30)  # an older comment is hardly looked at any more
MOST = 100  # comments a source and audit: each costs a request

Identity = tuple[str, str]


def gather(engine: sa.Engine, connectors: Mapping[str, Connector], *, now: datetime) -> int:
    """Note the thumbs on our recent comments where the tracker tells of them; returns how many comments have some."""
    with reading(engine) as connection:
        asked = _last_comments(writes.written(connection), since=now - RECENT)
    found = 0
    for name, connector in connectors.items():
        if not connector.capabilities.reactions:
            continue
        ours = sorted((at, identity) for identity, (at, _) in asked.items() if identity[0] == name)
        newest = [identity for _, identity in ours[::-1]][:MOST]
        found += _of_source(engine, connector, {identity: asked[identity][1] for identity in newest}, now=now)
    return found


def _last_comments(
    log_: Mapping[Identity, Collection[Written]], *, since: datetime
) -> dict[Identity, tuple[datetime, tuple[str, ...]]]:
    """When our comment on an issue was last written, and the rules whose questions it asks."""
    found: dict[Identity, tuple[datetime, tuple[str, ...]]] = {}
    for identity, written in log_.items():
        comments = [each for each in written if not each.kind.is_label]
        if comments and comments[-1].kind is ChangeKind.PUT_COMMENT and comments[-1].at >= since:
            found[identity] = comments[-1].at, comments[-1].because
    return found


def _of_source(
    engine: sa.Engine, connector: Connector, asked: Mapping[Identity, tuple[str, ...]], *, now: datetime
) -> int:
    with reading(engine) as connection:
        issues = store.load_issues(connection, source=connector.name, ids=sorted(id for _, id in asked))
    found = 0
    for issue in issues:
        try:
            comments = connector.managed_comments(issue)
        except NotFound:
            continue  # the next pull says what became of it
        except TrackerError as error:
            log.warning("thumbs.unread", source=connector.name, error=type(error).__name__)
            return found  # the next audit looks again
        said = verdict(comments[0]) if comments else None
        line: dict[str, Any] = {"source": issue.source, "issue": issue.id, "author": "", "at": now}
        with engine.begin() as connection:
            feedback.note_thumbs(connection, line, said, asked[issue.identity])
        found += said is not None
    return found


def verdict(comment: Comment) -> Said | None:
    """What most thumbs say; nothing where there are none, or as many up as down."""
    up, down = comment.thumbs_up or 0, comment.thumbs_down or 0
    if up == down:
        return None
    return Said.WRONG if down > up else Said.USEFUL
