"""`backlint apply`: carries the plan out."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from backlint.api.commands.plan import change_json, checked_plan
from backlint.api.commands.plan import show as show_plan
from backlint.api.console import Console, escape, plural
from backlint.api.installation import connected, is_served, now, open_installation
from backlint.errors import ConfigurationError
from backlint.sync.apply import Applied, unshared
from backlint.sync.apply import apply as carry_out
from backlint.sync.audit import new_id
from backlint.sync.deliveries import holding
from backlint.sync.plan import Plan


def run(console: Console, *, config: Path | None, scope: str | None, yes: bool) -> int:
    with open_installation(config) as place:
        _, planned = checked_plan(console, place, scope=scope)
        show_plan(console, planned, mode=place.settings.write_back.mode)
        run_id = new_id("apply")
        applied = Applied(run_id)
        if planned.changes and _is_agreed(planned, yes=yes):
            names = sorted({change.source for change in planned.changes})
            with connected(place.settings, names=names) as connectors, console.progress("Writing") as bars:
                done = Counter[str]()

                def advance() -> None:
                    done["changes"] += 1
                    bars.move("apply", done["changes"], len(planned.changes))

                applied = carry_out(
                    place.engine,
                    planned.changes,
                    {each.name: each for each in connectors},
                    run=run_id,
                    clock=now,
                    advance=advance,
                    hold=holding(place.engine, run_id, clock=now) if is_served(place) else unshared,
                )
    console.json(to_json(applied, planned))
    show(console, applied)
    return 2 if applied.failed else 0


def _is_agreed(planned: Plan, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to agree: look at `backlint plan`, then run `backlint apply --yes`")
    try:
        return typer.confirm(f"Write {len(planned.changes)} changes to {planned.issues} issues?", err=True)
    except typer.Abort:
        raise ConfigurationError("stopped; nothing was written") from None


def to_json(applied: Applied, planned: Plan) -> dict[str, Any]:
    """The shape of `apply --format json`."""
    held = [(each.change, each.why) for each in planned.held_back] + applied.held_back
    return {
        "run": applied.run,
        "applied": [change_json(change) for change in applied.applied],
        "already": [change_json(change) for change in applied.already],
        "failed": [{**change_json(change), "why": why} for change, why in applied.failed],
        "held_back": [{**change_json(change), "why": why} for change, why in held],
    }


def show(console: Console, applied: Applied) -> None:
    if not (applied.applied or applied.already or applied.failed or applied.held_back):
        return
    console.out(
        f"{plural(len(applied.applied), 'change')} written, {len(applied.already):,} already so, "
        f"{len(applied.held_back):,} held back, {len(applied.failed):,} failed. "
        f"`backlint undo {applied.run}` takes it back."
    )
    for change, why in applied.failed:
        console.warn(f"  {escape(change.key)} {change.kind.value}: {escape(why)}")
    for change, why in applied.held_back:
        console.say(f"  {escape(change.key)} {change.kind.value}: {escape(why)}")
