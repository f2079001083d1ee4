"""What is done for issues that webhooks named: read them again, save, check within the whole backlog, plan, apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

import sqlalchemy as sa
import structlog

from backlint.connectors.contract import Connector, Pulled, Whereabouts
from backlint.errors import NotFound, TokenRefused, TrackerDown, TrackerError
from backlint.model import Issue, Presence
from backlint.settings import Settings
from backlint.sync import store
from backlint.sync import tables as t
from backlint.sync.apply import MOVED_ON, Applied, apply, settle_unsettled
from backlint.sync.audit import plan_and_record
from backlint.sync.check import check_store
from backlint.sync.database import reading
from backlint.sync.deliveries import Identity, Touched
from backlint.sync.kept_backlog import KeptBacklog
from backlint.sync.plan import Plan

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
READS_AT_ONCE = 6
REFUSED_FOR = timedelta(minutes=5)  # a person has to make a new token
PULL_TAKES = timedelta(hours=1)  # a pull that began longer ago has failed rather than that it is still under way
LOOK_AGAIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Done:
    """Looked at; `note` says what came of it."""

    note: str = "checked"


@dataclass(frozen=True, slots=True)
class Later:
    """To be looked at again, through no fault of the issue."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """This issue cannot be handled; trying again may help."""

    reason: str


Outcome = Done | Later | Failed


@dataclass(slots=True)
class Looked:
    """What a job did: an outcome for every issue, and what was written."""

    outcomes: dict[Identity, Outcome] = field(default_factory=dict)
    checked: int = 0
    written: int = 0
    held_back: int = 0
    alarms: tuple[str, ...] = ()
    down_until: datetime | None = None  # the tracker does not answer: nothing of the source is worth a try before


def look_at(
    engine: sa.Engine,
    settings: Settings,
    connector: Connector,
    touched: Sequence[Touched],
    *,
    run: str,
    clock: Clock,
    kept: KeptBacklog | None = None,
) -> Looked:
    """Everything for some issues of one source. May be repeated at any point: each part looks first.

    `kept` spares loading the whole backlog.
    """
    looked = Looked()
    wanted = {each.identity: each for each in touched}
    why_not = _source_is_not_ready(engine, connector.name)
    if why_not is not None:
        looked.outcomes = {identity: Later(clock() + LOOK_AGAIN, why_not) for identity in wanted}
        return looked
    # What a job that was killed here had sent without learning the answer.
    settle_unsettled(engine, {connector.name: connector}, clock=clock, only=wanted.keys())
    fresh = _read_and_save(engine, settings, connector, wanted, looked, clock=clock)
    fresh = _of_whole_scopes(engine, connector.name, fresh, looked, now=clock())
    if fresh:
        _check_and_write(engine, settings, connector, fresh, looked, run=run, clock=clock, kept=kept)
    for identity in wanted:
        looked.outcomes.setdefault(identity, Done())
    return looked


def _source_is_not_ready(engine: sa.Engine, source: str) -> str | None:
    """Before a source's first audit everything would look new, and its baseline could not be taken."""
    with reading(engine) as connection:
        return None if source in store.checked_sources(connection) else "the first audit of its source comes first"


# -- reading -----------------------------------------------------------------------------------------------------------


def _read_and_save(
    engine: sa.Engine,
    settings: Settings,
    connector: Connector,
    wanted: Mapping[Identity, Touched],
    looked: Looked,
    *,
    clock: Clock,
) -> dict[Identity, Issue]:
    """The issues as they are now, also in the store; the others have their outcome."""
    with reading(engine) as connection:
        ids = [each.issue for each in wanted.values()]
        known = {issue.identity: issue for issue in store.load_issues(connection, source=connector.name, ids=ids)}
    found: dict[Identity, Issue] = {}
    stopped = Event()

    def stop(wait: timedelta, error: TrackerError) -> Later:
        stopped.set()
        looked.down_until = clock() + wait
        return Later(looked.down_until, str(error))

    def read(identity: Identity) -> tuple[Identity, Issue | Outcome]:
        if stopped.is_set():
            return identity, Later(clock() + down_for(settings), "the tracker does not answer")
        try:
            return identity, connector.read(known.get(identity) or _stub(connector, wanted[identity]))
        except NotFound:
            return identity, _gone(engine, connector, known.get(identity))
        except TrackerDown as error:
            return identity, stop(error.retry_after or down_for(settings), error)
        except TokenRefused as error:
            return identity, stop(REFUSED_FOR, error)
        except TrackerError as error:
            return identity, Failed(str(error))

    with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix=f"read-{connector.name}") as pool:
        for identity, what in pool.map(read, wanted):
            if isinstance(what, Issue):
                found[identity] = what
            else:
                looked.outcomes[identity] = what
    if not found:
        return {}
    scopes = {scope.casefold(): scope for scope in connector.scopes()}
    for identity, issue in list(found.items()):
        if scope_name(issue) not in scopes:
            looked.outcomes[identity] = _outside(engine, known.get(identity))
            del found[identity]
    with engine.begin() as connection:
        for issue in found.values():
            _save(connection, scopes[scope_name(issue)], issue, now=clock())
    return found


def _stub(connector: Connector, touched: Touched) -> Issue:
    """As much of an unknown issue as a connector needs to read it."""
    key = touched.key or touched.issue
    return Issue(source=connector.name, id=touched.issue, key=key, title="", tracker=connector.tracker)


def scope_name(issue: Issue) -> str:
    """The scope that an issue's key stands for: PAY of PAY-12, owner/repository of owner/repository#12."""
    return (issue.key.partition("#")[0] if "#" in issue.key else issue.key.rpartition("-")[0]).casefold()


def _gone(engine: sa.Engine, connector: Connector, known: Issue | None) -> Outcome:
    if known is None:
        return Done("gone before it was read")
    try:
        where = connector.locate(known)
    except TrackerError as error:
        return Failed(str(error))
    if where in (Whereabouts.PRESENT, Whereabouts.ARCHIVED):
        return Failed("the tracker finds the issue and does not let it be read")
    presence = Presence.DELETED if where is Whereabouts.DELETED else Presence.UNREADABLE
    with engine.begin() as connection:
        store.set_presence(connection, known.source, [known.id], presence)
    return Done(f"{where.value} in the tracker")


def _outside(engine: sa.Engine, known: Issue | None) -> Outcome:
    if known is not None:
        with engine.begin() as connection:
            store.set_presence(connection, known.source, [known.id], Presence.UNREADABLE)
    return Done("outside the configured scopes")


def _save(connection: sa.Connection, scope: str, issue: Issue, *, now: datetime) -> None:
    """As a pull would, less the payload, which single reads do not give: the next pull writes the issue whole."""
    saved = store.save_issues(connection, issue.source, scope, [Pulled(issue, b"")], now=now)
    if saved.changed:
        here = t.issues.c.source == issue.source, t.issues.c.id == issue.id
        connection.execute(sa.update(t.issues).where(*here).values(digest=""))
        payload = t.payloads.c.source == issue.source, t.payloads.c.issue == issue.id
        connection.execute(sa.delete(t.payloads).where(*payload))


def _of_whole_scopes(
    engine: sa.Engine, source: str, fresh: Mapping[Identity, Issue], looked: Looked, *, now: datetime
) -> dict[Identity, Issue]:
    """Without those of scopes whose pull did not finish: they would be judged against half a backlog."""
    with reading(engine) as connection:
        states = {state.scope.casefold(): state for state in store.scope_states(connection) if state.source == source}
    whole: dict[Identity, Issue] = {}
    for identity, issue in fresh.items():
        state = states.get(scope_name(issue))
        if state is not None and state.is_complete:
            whole[identity] = issue
        elif state is not None and state.started_at is not None and now - state.started_at > PULL_TAKES:
            looked.outcomes[identity] = Done("its scope could not be read whole; the next audit looks at it")
        else:
            looked.outcomes[identity] = Later(now + LOOK_AGAIN, "a pull of its scope is under way")
    return whole


# -- judging and writing -----------------------------------------------------------------------------------------------


def _check_and_write(
    engine: sa.Engine,
    settings: Settings,
    connector: Connector,
    fresh: Mapping[Identity, Issue],
    looked: Looked,
    *,
    run: str,
    clock: Clock,
    kept: KeptBacklog | None,
) -> None:
    now = clock()
    backlog = kept.at(now, fresh=fresh.keys()) if kept is not None else None
    result = check_store(engine, settings, run=f"{run}-check", now=now, only=fresh.keys(), backlog=backlog)
    looked.checked += len(result.checked)
    for identity in fresh.keys() - result.by_identity.keys():
        looked.outcomes[identity] = Later(now, MOVED_ON)
    planned, rows = plan_and_record(engine, settings, result, run=run, now=clock())
    applied = apply(engine, planned.changes, {connector.name: connector}, run=run, clock=clock, rows=rows)
    looked.written, looked.held_back, looked.alarms = len(applied.applied), len(planned.held_back), planned.alarms
    looked.outcomes |= dict(_outcomes(settings, planned, applied, now=clock()))


def down_for(settings: Settings) -> timedelta:
    """How long a tracker that does not answer is left alone, unless it says so itself."""
    return timedelta(seconds=settings.service.retry_seconds)


def _outcomes(
    settings: Settings, planned: Plan, applied: Applied, *, now: datetime
) -> Iterator[tuple[Identity, Outcome]]:
    for held in planned.held_back:
        if held.until is not None:
            yield (held.change.source, held.change.issue), Later(max(held.until, now + LOOK_AGAIN), held.why)
    for change, why in applied.held_back:
        if why == MOVED_ON:
            yield (change.source, change.issue), Later(now, why)
    for change, why in applied.failed:
        issue = change.source, change.issue
        yield issue, Later(now + down_for(settings), why) if issue in applied.unanswered else Failed(why)
