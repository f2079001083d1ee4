"""`backlint audit`: the nightly job."""

from __future__ import annotations

from pathlib import Path

from backlint.api.commands.apply import show as show_applied
from backlint.api.commands.apply import to_json as applied_json
from backlint.api.commands.check import show as show_check
from backlint.api.commands.notify import show as show_notified
from backlint.api.commands.notify import to_json as notified_json
from backlint.api.commands.plan import show as show_plan
from backlint.api.commands.plan import to_json as plan_json
from backlint.api.commands.pull import show as show_pull
from backlint.api.commands.report import write_audit
from backlint.api.console import Console, escape
from backlint.api.installation import connected, is_served, now, open_installation
from backlint.model import Severity
from backlint.sync.audit import audit, new_id
from backlint.sync.check import to_json as check_json
from backlint.sync.notifications import notify

REPORT = Path("audit.html")


def run(console: Console, *, config: Path | None, output: Path | None) -> int:
    with open_installation(config) as place, connected(place.settings) as connectors:
        with console.progress("Pulling") as bars:
            holder = new_id("audit-command") if is_served(place) else None
            done = audit(place.engine, place.settings, connectors, clock=now, progress=bars.pulled, holder=holder)
        show_pull(console, done.pulled)
        show_check(console, done.check, limit=10)
        show_plan(console, done.plan, mode=place.settings.write_back.mode)
        if done.applied is not None:
            show_applied(console, done.applied)
        report = write_audit(place, done, output or REPORT)
        console.out(f"Report: {escape(str(report))}")
        notified = notify(place.engine, place.settings, now=now())
        show_notified(console, notified)
        fail_on = Severity(place.settings.check.fail_on)
    console.json(
        {
            "run": done.run,
            "pull": {"sources": [result.to_json() for result in done.pulled]},
            "check": check_json(done.check),
            "plan": plan_json(done.plan),
            "apply": applied_json(done.applied, done.plan) if done.applied is not None else None,
            "report": str(report),
            "notifications": [notified_json(each) for each in notified],
        }
    )
    if not all(result.complete for result in done.pulled) or (done.applied is not None and done.applied.failed):
        return 2
    worst = done.check.worst()
    return 1 if worst is not None and worst.rank >= fail_on.rank else 0
