"""`backlint pull`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backlint.api.console import Console, escape, plural
from backlint.api.installation import connected, now, open_installation
from backlint.sync.apply import settle_unsettled
from backlint.sync.flow import refresh
from backlint.sync.pull import SourcePull
from backlint.sync.pull import pull as pull_sources


def run(console: Console, *, config: Path | None, source: str | None, full: bool) -> int:
    with open_installation(config) as place, connected(place.settings, only=source) as connectors:
        settle_unsettled(place.engine, {each.name: each for each in connectors}, clock=now)
        with console.progress("Pulling") as bars:
            results = pull_sources(
                place.engine,
                connectors,
                now=now(),
                full=full,
                loss_share=place.settings.loss_share,
                progress=bars.pulled,
            )
        refresh(place.engine, place.settings)
    console.json({"sources": [result.to_json() for result in results]})
    show(console, results)
    return 0 if all(result.complete for result in results) else 2


def show(console: Console, results: Sequence[SourcePull]) -> None:
    """A line for each source, and what went wrong in full."""
    for result in results:
        console.out(
            f"{escape(result.source)}: {plural(result.issues, 'issue')} read, {result.changed:,} changed, "
            f"{plural(result.transitions, 'transition')}, {plural(result.comments, 'comment')}; "
            f"{plural(result.requests, 'request')}, {result.bytes / 1e6:.1f} MB, {result.seconds:.1f} s"
        )
        if result.remapped:
            console.out(f"  the mapping has changed: {plural(result.remapped, 'stored issue')} mapped again")
        gone = [
            f"{count} {what}"
            for count, what in (
                (result.deleted, "deleted"),
                (result.moved, "moved out of scope"),
                (result.unreadable, "could not be read and are in quarantine (`backlint doctor` lists them)"),
            )
            if count
        ]
        if gone:
            console.out(f"  {', '.join(gone)}")
        for problem in result.problems:
            console.warn(f"  not complete: {escape(problem)}")
