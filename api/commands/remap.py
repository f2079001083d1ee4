"""`backlint remap`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backlint.api.console import Console, escape, plural
from backlint.api.installation import chosen_sources, now, open_installation
from backlint.sync.remap import SourceRemap, remap


def run(console: Console, *, config: Path | None, source: str | None) -> int:
    with open_installation(config) as place:
        sources = chosen_sources(place.settings, only=source)
        with console.progress("Mapping again") as bars:
            results = remap(place.engine, sources, now=now(), progress=bars.pulled)
    console.json({"sources": [result.to_json() for result in results]})
    show(console, results)
    return 0 if all(result.complete for result in results) else 2


def show(console: Console, results: Sequence[SourceRemap]) -> None:
    """A line for each source, then what it lacks."""
    for result in results:
        console.out(
            f"{escape(result.source)}: {plural(result.issues, 'issue')} mapped again, {result.changed:,} changed; "
            f"{result.seconds:.1f} s, no request"
        )
        if result.recovered:
            console.out(f"  {plural(result.recovered, 'issue')} that could not be read before came out of quarantine")
        if result.unreadable:
            console.warn(
                f"  {plural(result.unreadable, 'issue')} cannot be read with this mapping and stay as they were: "
                "`backlint doctor` says why"
            )
        for problem in result.problems:
            console.warn(f"  not complete: {escape(problem)}")
