"""`backlint plan`: what would be written, as a diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from backlint.api.commands.check import checked_store
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, connected, now, open_installation
from backlint.sync.apply import settle_unsettled
from backlint.sync.audit import make_plan, unsettled_sources
from backlint.sync.check import CheckResult
from backlint.sync.plan import Change, ChangeKind, HeldBack, Plan


def run(console: Console, *, config: Path | None, scope: str | None) -> int:
    with open_installation(config) as place:
        _, planned = checked_plan(console, place, scope=scope)
    console.json(to_json(planned))
    show(console, planned, mode=place.settings.write_back.mode)
    return 0


def checked_plan(console: Console, place: Installation, *, scope: str | None) -> tuple[CheckResult, Plan]:
    """A fresh check and its plan; writes whose answer was lost are settled with their trackers first."""
    open_ends = unsettled_sources(place.engine)
    if open_ends:
        with connected(place.settings, names=sorted(open_ends)) as connectors:
            settle_unsettled(place.engine, {each.name: each for each in connectors}, clock=now)
    result = checked_store(console, place, scope=scope)
    return result, make_plan(place.engine, place.settings, result, now=now())


def to_json(planned: Plan) -> dict[str, Any]:
    """The shape of `plan --format json`."""
    return {
        "plan": planned.id,
        "changes": [change_json(change) for change in planned.changes],
        "held_back": [{**change_json(held.change), "why": held.why} for held in planned.held_back],
        "alarms": list(planned.alarms),
    }


def change_json(change: Change) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "source": change.source,
        "issue": change.key,
        "id": change.issue,
        "url": change.url,
        "kind": change.kind.value,
        "because": list(change.because),
    }
    if change.label is not None:
        shape["label"] = change.label
    if change.body is not None:
        shape["body"] = change.body
    return shape


def show(console: Console, planned: Plan, *, mode: str) -> None:
    """The number first, then the diff by issue, then what is held back with the reasons counted."""
    if mode == "off":
        console.out("Write-back is off: set write_back.mode to labels or labels+comment in the configuration.")
        return
    labels = sum(change.kind.is_label for change in planned.changes)
    comments = len(planned.changes) - labels
    counts = f"{plural(labels, 'label change')}, {plural(comments, 'comment')}"
    console.out(
        f"{plural(planned.issues, 'issue')} would change: {counts}." if planned.changes else "Nothing to write."
    )
    for alarm in planned.alarms:
        console.warn(escape(alarm))
    for (_source, key), changes in groupby(planned.changes, key=lambda change: (change.source, change.key)):
        console.out(f"[bold]{escape(key)}[/bold]")
        for change in changes:
            for line in diff(change):
                console.out(line)
    _show_held(console, planned.held_back)


def diff(change: Change) -> Sequence[str]:
    """One change as it reads in a diff."""
    why = f"  [dim]{', '.join(change.because)}[/dim]"
    match change.kind:
        case ChangeKind.ADD_LABEL:
            return [f"  [green]+ label {escape(change.label or '')}[/green]{why}"]
        case ChangeKind.REMOVE_LABEL:
            return [f"  [red]- label {escape(change.label or '')}[/red]{why}"]
        case ChangeKind.DELETE_COMMENT:
            return [f"  [red]- comment[/red]{why}"]
        case ChangeKind.PUT_COMMENT:
            lines = (change.body or "").splitlines()
            return [f"  [green]~ comment[/green]{why}", *(f"    [green]{escape(line)}[/green]" for line in lines)]


def _show_held(console: Console, held: Sequence[HeldBack]) -> None:
    if not held:
        return
    console.out(f"{plural(len(held), 'change')} held back:")
    for why, count in Counter(each.why for each in held).most_common():
        console.out(f"  {count:,}  {escape(why)}")
