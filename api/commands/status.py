"""`backlint status`: what the service does, out of the store alone; and its dead letters."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from backlint.api.console import Console, escape, plural
from backlint.api.facts import letter, source_facts
from backlint.api.installation import Installation, now, open_installation
from backlint.errors import InputError
from backlint.sync import deliveries, listing
from backlint.sync.database import reading
from backlint.sync.inbox import box_file, count_all, open_box
from backlint.sync.jobs import living

RUNS = 5
ALARMS_OF = timedelta(days=1)


def run(console: Console, *, config: Path | None) -> int:
    with open_installation(config) as place:
        facts = _facts(place)
    console.json(facts)
    _show(console, facts)
    return 0


def _facts(place: Installation) -> dict[str, Any]:
    file = box_file(place.settings.store.url)
    box = open_box(place.settings.store.url) if file is not None and file.exists() else None
    waiting = count_all(place.engine, box)
    if box is not None:
        box.dispose()
    with reading(place.engine) as connection:
        return {
            "processes": living(connection, now=now()),
            "webhooks_waiting": waiting,
            "dead_letters": len(deliveries.dead_letters(connection)),
            "alarms": list(listing.alarms(connection, since=now() - ALARMS_OF)),
            "sources": source_facts(place.engine, place.settings, now=now()),
            "runs": [
                {"run": each["id"], "kind": each["kind"], "started_at": each["started_at"].isoformat(),
                 "outcome": each["outcome"]}
                for each in listing.runs(connection, kind=None, limit=RUNS, offset=0)
            ],
        }  # fmt: skip


def _show(console: Console, facts: dict[str, Any]) -> None:
    working = plural(facts["processes"], "process", "processes")
    console.out(f"{working} at work; {plural(facts['webhooks_waiting'], 'webhook')} not yet looked at.")
    for source in facts["sources"]:
        hooks = source["webhooks"]
        states = ", ".join(f"{count} {state}" for state, count in sorted(hooks["issues"].items())) or "none"
        heard = hooks["last_at"] or ("never" if hooks["is_configured"] else "no webhook secret is configured")
        console.out(
            f"{escape(source['source'])}: {plural(source['issues'], 'issue')}, last webhook {heard}; issues to look "
            f"at: {states}"
        )
        if hooks["is_silent"]:
            console.warn(
                f"  {plural(hooks['unannounced'], 'issue')} changed since its last webhook: it sends no more; see "
                "`backlint webhooks status`"
            )
        for event, count in hooks["not_handled"].items():
            console.say(f"  {count:,} of {escape(event)}, which says nothing of an issue")
        for scope in source["scopes"]:
            if not scope["is_complete"]:
                console.warn(f"  {escape(scope['scope'])}: {escape(scope['problem'] or 'its pull did not finish')}")
    for alarm in facts["alarms"]:
        console.warn(escape(alarm))
    if facts["dead_letters"]:
        console.warn(f"{plural(facts['dead_letters'], 'dead letter')}: see `backlint dead-letters`")
    for each in facts["runs"]:
        console.out(f"{each['started_at']} {each['kind']} {each['run']}: {each['outcome'] or 'under way, or killed'}")


def dead_letters(console: Console, *, config: Path | None, retry: str | None, drop: str | None) -> int:
    """List them, or do something about one, named as SOURCE:ISSUE."""
    with open_installation(config) as place, place.engine.begin() as connection:
        if retry is not None and not deliveries.retry(connection, _identity(retry), now=now()):
            raise InputError(f"there is no dead letter {retry}")
        if drop is not None and not deliveries.drop(connection, _identity(drop)):
            raise InputError(f"there is no dead letter {drop}")
        letters = [letter(each) for each in deliveries.dead_letters(connection)]
    console.json({"dead_letters": letters})
    for each in letters:
        name = f"{each['source']}:{each['issue']}"
        console.out(f"{escape(name)} ({escape(each['key'] or 'no key')}), {plural(each['attempts'], 'try', 'tries')}")
        console.out(f"  {escape(each['reason'] or '')}")
    if not letters:
        console.out("No dead letters.")
    return 0


def _identity(name: str) -> tuple[str, str]:
    source, _, issue = name.partition(":")
    if not issue:
        raise InputError(f"{name!r}: name a dead letter as SOURCE:ISSUE, as `backlint dead-letters` shows it")
    return source, issue
