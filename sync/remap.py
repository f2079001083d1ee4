"""Mapping again: stored payloads become issues by the settings of today, without asking a tracker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from backlint.connectors.connect import stored_mapping
from backlint.connectors.contract import Pulled, Quarantined, StoredMapping
from backlint.connectors.mapping_digest import mapping_digest
from backlint.errors import BacklintError, MalformedPayload
from backlint.model import Issue
from backlint.settings import SourceSettings
from backlint.sync import mappings, store
from backlint.sync.database import reading, writing
from backlint.sync.progress import Progress, quietly

log = structlog.get_logger(__name__)

BATCH = 500  # payloads in one transaction


@dataclass(slots=True)
class SourceRemap:
    """What mapping again did for one source; the shape that `remap --format json` prints."""

    source: str
    issues: int = 0
    changed: int = 0
    recovered: int = 0  # that could not be read before
    unreadable: int = 0  # that cannot be read now; they stay as they were
    missing: int = 0  # without a payload
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": round(self.seconds, 3), "complete": self.complete}


def stale_sources(engine: sa.Engine, sources: Sequence[SourceSettings]) -> tuple[str, ...]:
    """Names of sources whose stored issues were mapped with other settings than those of today."""
    with reading(engine) as connection:
        known = mappings.mapping_digests(connection)
    return tuple(each.name for each in sources if each.name in known and known[each.name] != mapping_digest(each))


def remap(
    engine: sa.Engine,
    sources: Sequence[SourceSettings],
    *,
    now: datetime,
    progress: Progress = quietly,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[SourceRemap, ...]:
    """Map every stored payload of the sources again. What one source lacks is said and stops no other."""
    results = []
    for source in sources:
        result = SourceRemap(source.name)
        began = clock()
        try:
            _remap(engine, source, result, now=now, progress=progress)
        except BacklintError as error:
            result.problems.append(str(error))
        result.seconds = clock() - began
        results.append(result)
    return tuple(results)


def _remap(
    engine: sa.Engine, source: SourceSettings, result: SourceRemap, *, now: datetime, progress: Progress
) -> None:
    with reading(engine) as connection:
        state = mappings.mapping_states(connection).get(source.name)
    if state is None:
        result.problems.append("the store does not say what this source calls its things: run `backlint pull` once")
        return
    mapped = stored_mapping(source, state.facts, now=now)
    remap_source(engine, result, mapped, mapping=mapping_digest(source), now=now, progress=progress)
    if lacking := lacking_fields(source, state.unread):
        result.problems.append(f"not in every stored payload: {', '.join(lacking)}; {_reads(source.name)}")
    if result.missing:
        result.problems.append(
            f"issues without a stored payload, which stay as they were: {result.missing:,}; a pull reads what webhooks "
            f"brought, {_reads(source.name)}"
        )


def lacking_fields(source: SourceSettings, unread: Sequence[str]) -> list[str]:
    """Fields that are mapped and that some stored payload does not hold."""
    return [f"{name} ({id})" for name, id in source.fields.items() if id in unread]


def _reads(source: str) -> str:
    return f"`backlint pull --source {source} --full` reads all"


def remap_source(
    engine: sa.Engine,
    result: SourceRemap,
    mapped: StoredMapping,
    *,
    mapping: str,
    now: datetime,
    progress: Progress,
) -> None:
    """Map the payloads of one source in batches. A run that is cut off leaves the old digest, so it is done again."""
    source, last = result.source, ""
    with reading(engine) as connection:
        count, result.missing = mappings.payload_counts(connection, source)
    while True:
        with writing(engine) as connection:
            batch = mappings.payloads_behind(connection, source, last, limit=BATCH)
            _remap_batch(connection, source, batch, mapped, result, now=now)
        if batch:
            progress(source=source, scope="mapping", done=result.issues + result.unreadable, expected=count)
        if len(batch) < BATCH:
            break
        last = batch[-1][0]
    _recover(engine, source, mapped, result, now=now)
    with writing(engine) as connection:
        mappings.settle_mapping(connection, source, mapping=mapping, now=now)


def _remap_batch(
    connection: sa.Connection,
    source: str,
    batch: Sequence[tuple[str, bytes]],
    mapped: StoredMapping,
    result: SourceRemap,
    *,
    now: datetime,
) -> None:
    issues: list[Issue] = []
    aside: list[tuple[str, Quarantined]] = []
    for id, raw in batch:
        try:
            issues.append(mapped(raw))
        except MalformedPayload as error:
            aside.append((id, Quarantined(id=id, issue=error.issue, path=error.path, reason=str(error), raw=raw)))
            log.warning("remap.quarantined", source=source, issue=error.issue, path=error.path)
    result.changed += mappings.save_remapped(connection, source, issues)
    mappings.quarantine_stored(connection, source, aside, now=now)
    result.issues += len(issues)
    result.unreadable += len(aside)


def _recover(engine: sa.Engine, source: str, mapped: StoredMapping, result: SourceRemap, *, now: datetime) -> None:
    """What could not be read may have been so because of the mapping."""
    with reading(engine) as connection:
        aside = mappings.quarantined_payloads(connection, source)
    for scope, raw in aside:
        try:
            issue = mapped(raw)
        except MalformedPayload:
            continue  # it stays in quarantine, as it is
        with writing(engine) as connection:
            saved = store.save_issues(connection, source, scope, [Pulled(issue, raw)], now=now)
        result.recovered += 1
        result.changed += saved.changed
