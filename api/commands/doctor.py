"""`backlint doctor`: everything that could be wrong, looked at, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backlint.api.configuration import proposed_fields
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.api.webhooks import is_app
from backlint.connectors import hooks
from backlint.connectors.connect import connect
from backlint.connectors.contract import Check, Connector, Level
from backlint.errors import BacklintError, PermissionMissing, TrackerError
from backlint.settings import DEFAULT_FILE, Settings, SourceSettings, load
from backlint.sync import store
from backlint.sync.check import load_backlog
from backlint.sync.database import reading
from backlint.sync.mappings import mapping_states
from backlint.sync.remap import lacking_fields, stale_sources

MARKS = {Level.GOOD: "[green]ok  [/green]", Level.WARNING: "[yellow]warn[/yellow]", Level.BAD: "[red]bad [/red]"}


def run(console: Console, *, config: Path | None) -> int:
    checks: list[tuple[str, Check]] = []
    for group, check in _everything(config):
        checks.append((group, check))
        remedy = f" -> {check.remedy}" if check.remedy else ""
        console.out(
            f"{MARKS[check.level]}  {escape(group)}: {escape(check.name)}: {escape(check.fact)}{escape(remedy)}"
        )
    bad = sum(check.level is Level.BAD for _, check in checks)
    warned = sum(check.level is Level.WARNING for _, check in checks)
    console.json(
        {
            "checks": [
                {"about": group, "name": c.name, "level": c.level.value, "fact": c.fact, "remedy": c.remedy}
                for group, c in checks
            ]
        }
    )
    console.out(f"{plural(len(checks), 'check')}: {bad} bad, {plural(warned, 'warning')}.")
    return 1 if bad else 0


def _everything(config: Path | None) -> Iterator[tuple[str, Check]]:
    try:
        settings = load(config)
    except BacklintError as error:
        yield "configuration", Check("file", Level.BAD, str(error), "correct the file and run doctor again")
        return
    file = config or DEFAULT_FILE
    where = str(file) if file.is_file() else f"there is no {file}; defaults and the environment hold"
    yield "configuration", Check("file", Level.GOOD, f"{where}: {plural(len(settings.sources), 'source')}")
    yield from _database(config, settings)
    if not settings.sources:
        yield "configuration", Check("sources", Level.BAD, "no source is configured", "run `backlint init`")
    for source in settings.sources:
        for check in _source(source, settings.service.public_url):
            yield source.name, check


def _database(config: Path | None, settings: Settings) -> Iterator[tuple[str, Check]]:
    try:
        with open_installation(config) as place:
            yield "store", Check("schema", Level.GOOD, "opens, and its schema is this program's")
            for check in _stored(place):
                yield "store", check
    except BacklintError as error:
        yield "store", Check("schema", Level.BAD, str(error), "see the message; `backlint db upgrade` migrates")


def _stored(place: Installation) -> Iterator[Check]:
    with reading(place.engine) as connection:
        states = store.scope_states(connection)
        quarantined = store.quarantined(connection)
    for state in states:
        if not state.is_complete:
            why = state.problem or "its pull did not finish"
            yield Check(f"scope {state.source} {state.scope}", Level.WARNING, why, "run `backlint pull`")
    for row in quarantined:
        fact = f"{row['reason']} at {row['path']}"
        yield Check(
            f"quarantined {row['source']} {row['issue']}",
            Level.WARNING,
            fact,
            "correct the mapping and run `backlint remap`, or report it",
        )
    yield from _mapping(place)
    unmapped: dict[tuple[str, str, str], int] = {}
    for issue in load_backlog(place.engine, place.settings, now=now()):
        if issue.status.category.value == "unknown":
            status = issue.source, issue.status.id, issue.status.name
            unmapped[status] = unmapped.get(status, 0) + 1
    for (source, id, name), count in unmapped.items():
        fact = f"status '{name}' has no category: {plural(count, 'issue')} outside all metrics"
        yield Check(f"mapping of {source}", Level.WARNING, fact, f'add "{id}" = "active" (or another) to its statuses')


def _mapping(place: Installation) -> Iterator[Check]:
    """Whether what is stored was mapped as the settings say, and holds what they name."""
    with reading(place.engine) as connection:
        states = mapping_states(connection)
    stale = stale_sources(place.engine, place.settings.sources)
    for source in place.settings.sources:
        name = f"mapping of {source.name}"
        if source.name in stale:
            fact = "types or fields were mapped otherwise when the issues were read"
            yield Check(name, Level.WARNING, fact, "run `backlint remap`, or pull")
        if source.name in states and (lacking := lacking_fields(source, states[source.name].unread)):
            fact = f"not in every stored payload: {', '.join(lacking)}"
            yield Check(name, Level.WARNING, fact, f"run `backlint pull --source {source.name} --full`")


def _source(source: SourceSettings, public_url: str) -> Iterator[Check]:
    try:
        connector = connect(source)
    except BacklintError as error:
        yield Check("token", Level.BAD, str(error), "set the variable in the environment that runs backlint")
        return
    try:
        checks = connector.diagnose()
        yield from checks
        if all(check.level is not Level.BAD for check in checks):
            yield from _proposals(connector, source)
        if public_url and (source.webhook_secret_env or is_app(source)):
            yield _webhooks(connector, hooks.hook_address(public_url, source.name))
    except BacklintError as error:
        yield Check("connection", Level.BAD, str(error), "check the url, the network and the proxy")
    finally:
        connector.close()


def _proposals(connector: Connector, source: SourceSettings) -> Iterator[Check]:
    """Fields that rules could use and nobody has mapped, by their names: for a person to decide."""
    try:
        fields = connector.discover().fields
    except TrackerError as error:
        yield Check(
            "proposals", Level.WARNING, f"fields cannot be listed: {error}", "grant the right, or map them by id"
        )
        return
    found = [each for each in proposed_fields(fields) if each.role not in source.fields]
    if found:
        named = "; ".join(f'{each.role} = "{each.id}" ({each.name})' for each in found)
        remedy = "put those that are right under [sources.fields], then `backlint remap`"
        yield Check("proposals", Level.GOOD, f"not mapped, and by their names of use to rules: {named}", remedy)


def _webhooks(connector: Connector, address: str) -> Check:
    """Without the right to look it stays a warning: the hooks may be in order."""
    try:
        found = hooks.standing(connector.registrar(), address)
    except PermissionMissing as error:
        return Check("webhooks", Level.WARNING, str(error), "or look at them in the tracker yourself")
    if found.is_whole:
        return Check("webhooks", Level.GOOD, f"{plural(len(found.present), 'webhook')} to {address}")
    faults = [f"none for {target}" for target in found.missing]
    faults += [f"{hook.covers or 'all'}: {fault}" for hook in found.present for fault in hook.faults]
    return Check("webhooks", Level.BAD, f"to {address}: {'; '.join(faults)}", "run `backlint webhooks register`")
