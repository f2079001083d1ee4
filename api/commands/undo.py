"""`backlint undo RUN`."""

from __future__ import annotations

from pathlib import Path

from backlint.api.commands.plan import change_json
from backlint.api.console import Console, escape, plural
from backlint.api.installation import connected, now, open_installation
from backlint.errors import InputError
from backlint.sync import writes
from backlint.sync.apply import undo as take_back
from backlint.sync.database import reading


def run(console: Console, *, config: Path | None, run_id: str) -> int:
    with open_installation(config) as place:
        with reading(place.engine) as connection:
            rows = writes.of_run(connection, run_id)
        if not rows:
            raise InputError(f"no write belongs to run {run_id!r}: `backlint apply` and `backlint audit` print the id")
        names = sorted({row.change.source for row in rows})
        with connected(place.settings, names=names) as connectors:
            undone, left = take_back(place.engine, run_id, {each.name: each for each in connectors}, clock=now)
    console.json(
        {
            "run": run_id,
            "undone": [change_json(change) for change in undone],
            "left": [{**change_json(change), "why": why} for change, why in left],
        }
    )
    console.out(
        f"{plural(len(undone), 'change')} undone, {len(left):,} left as they are. They will not be written again."
    )
    for change, why in left:
        console.out(f"  {escape(change.key)} {change.kind.value}: {escape(why)}")
    return 0
