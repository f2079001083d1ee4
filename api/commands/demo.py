"""`backlint demo`: the whole product on three local sandbox trackers, with nothing to configure."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from backlint.api.commands.check import checked_store
from backlint.api.commands.check import show as show_check
from backlint.api.commands.every_report import PAGES, write_every_report
from backlint.api.commands.plan import diff
from backlint.api.commands.pull import show as show_pull
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, connected, now, open_installation
from backlint.connectors.contract import Connector
from backlint.errors import BacklintError, ConfigurationError
from backlint.sync.apply import Applied
from backlint.sync.apply import apply as carry_out
from backlint.sync.audit import Audit, make_plan, new_id
from backlint.sync.plan import Plan
from backlint.sync.pull import SourcePull
from backlint.sync.pull import pull as pull_sources

FOLDER = Path("backlint-demo")
DISTURBED = 25  # tickets that people change between the two rounds, in each tracker
HOOK_VARIABLE, HOOK_SECRET = "DEMO_HOOK", "demo-hook"  # of the webhooks; a secret of local sandboxes is none
SHOWN_ISSUES = 3  # of the plan, as a sample of the diff


def run(console: Console, *, keep: bool, size: int, folder: Path | None, seed: int) -> None:
    """Pull, check, plan, apply, check again, disturb, pull again, report; then clean up unless asked to keep."""
    began = time.monotonic()
    where = (folder or FOLDER).resolve()
    if where.exists() and any(where.iterdir()):
        _remove_own(where)
    where.mkdir(parents=True, exist_ok=True)
    with _sandboxes(console, size=size, seed=seed, keep=keep) as trackers:
        port = _free_port()
        config = _write_configuration(where, trackers, port=port)
        with open_installation(config) as place, connected(place.settings) as connectors:
            audit = _rounds(console, place, connectors, trackers, seed=seed)
            console.out("[bold]7. Reports[/bold]")
            reports = write_every_report(place, audit, where)
    console.say("")
    console.out(f"[bold]Done in {time.monotonic() - began:.0f} seconds.[/bold] Open in a browser:")
    for report in reports:
        console.out(f"  {escape(str(report))}  [dim]{PAGES[report.name]}[/dim]")
    if keep:
        _send_webhooks(trackers, port)
        _say_how_to_explore(console, where)
    else:
        for leftover in where.iterdir():
            if leftover not in reports:
                leftover.unlink()
        console.say("The sandboxes and the store are gone; --keep leaves them for exploring.")


# -- the rounds --------------------------------------------------------------------------------------------------------


def _rounds(
    console: Console,
    place: Installation,
    connectors: tuple[Connector, ...],
    trackers: Mapping[str, Mapping[str, Any]],
    *,
    seed: int,
) -> Audit:
    console.out("[bold]1. Pull[/bold] three trackers with their whole history")
    _pull(console, place, connectors)
    console.out("[bold]2. Check[/bold]")
    checked = checked_store(console, place)
    show_check(console, checked, limit=5)
    console.out("[bold]3. Plan[/bold] the write-back")
    planned = make_plan(place.engine, place.settings, checked, now=now())
    _show_plan(console, planned)
    console.out("[bold]4. Apply[/bold]")
    applied = _apply(console, place, connectors, planned)
    console.out("[bold]5. Check again:[/bold] the second plan must be empty")
    again = make_plan(place.engine, place.settings, checked_store(console, place), now=now())
    console.out(f"  {plural(len(again.changes), 'change')} wanted.")
    console.out("[bold]6. People change tickets,[/bold] and only those are pulled")
    for facts in trackers.values():
        httpx.post(
            f"{facts['control']}/disturb", json={"seed": seed, "count": DISTURBED}, timeout=30
        ).raise_for_status()
    _write_rare_tickets(trackers)
    pulled = _pull(console, place, connectors)
    after = checked_store(console, place)
    fresh = sum(finding.is_new for _, finding in after.findings()) + sum(each.is_new for each in after.scope_findings())
    console.out(f"  {plural(fresh, 'new finding')}, {after.recorded.fixed:,} fixed.")
    return Audit(run=applied.run, pulled=pulled, check=after, plan=planned, applied=applied)


def _write_rare_tickets(trackers: Mapping[str, Mapping[str, Any]]) -> None:
    """Tickets of kinds that the backlogs lack, in each tracker; one of Linear's mirrors one of GitHub's."""
    mirrored = ""
    for name in sorted(trackers):  # github before linear
        asked = {"mirrored": mirrored} if name == "linear" else {}
        answer = httpx.post(f"{trackers[name]['control']}/showcase", json=asked, timeout=30).raise_for_status()
        if name == "github":
            project, _, number = answer.json()["made"][-1].partition("#")
            mirrored = f"https://github.com/{project}/issues/{number}"


def _pull(console: Console, place: Installation, connectors: tuple[Connector, ...]) -> tuple[SourcePull, ...]:
    with console.progress("Pulling") as bars:
        results = pull_sources(place.engine, connectors, now=now(), progress=bars.pulled)
    show_pull(console, results)
    broken = [problem for result in results for problem in result.problems]
    if broken:
        raise BacklintError(f"the demo's own trackers could not be read: {broken[0]}")
    return results


def _show_plan(console: Console, planned: Plan) -> None:
    labels = sum(change.kind.is_label for change in planned.changes)
    comments = len(planned.changes) - labels
    console.out(
        f"  {planned.issues:,} issues: {plural(labels, 'label change')}, {plural(comments, 'comment')}. For instance:"
    )
    shown = list(dict.fromkeys((change.source, change.key) for change in planned.changes if not change.kind.is_label))
    for source, key in shown[:SHOWN_ISSUES]:
        console.out(f"  [bold]{escape(key)}[/bold]")
        for change in planned.changes:
            if (change.source, change.key) == (source, key):
                for line in diff(change):
                    console.out(f"  {line}")
    for alarm in planned.alarms:
        console.warn(escape(alarm))
    if planned.held_back:
        console.out(f"  {plural(len(planned.held_back), 'change')} held back, each with its reason in the report.")


def _apply(console: Console, place: Installation, connectors: tuple[Connector, ...], planned: Plan) -> Applied:
    done = 0
    with console.progress("Writing") as bars:

        def advance() -> None:
            nonlocal done
            done += 1
            bars.move("apply", done, len(planned.changes))

        applied = carry_out(
            place.engine,
            planned.changes,
            {connector.name: connector for connector in connectors},
            run=new_id("apply"),
            clock=now,
            advance=advance,
        )
    console.out(f"  {plural(len(applied.applied), 'change')} written, {len(applied.failed):,} failed.")
    return applied


# -- the sandboxes -----------------------------------------------------------------------------------------------------


@contextmanager
def _sandboxes(console: Console, *, size: int, seed: int, keep: bool) -> Iterator[dict[str, dict[str, Any]]]:
    """The three trackers in a process of their own, which ends with this one unless it is kept."""
    command = [sys.executable, "-m", "backlint.connectors.sandbox", "--size", str(size), "--seed", str(seed)]
    console.say(f"Starting three sandbox trackers with {plural(size, 'issue')} each ...")
    process = subprocess.Popen(  # noqa: S603 - our own module
        command if keep else [*command, "--until-stdin-closes"],
        stdin=subprocess.DEVNULL if keep else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if keep else None,  # one that stays must not hold the caller's pipe open
        start_new_session=keep,
    )
    with ExitStack() as ending:
        ending.callback(_end, process)
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise BacklintError(f"the sandbox trackers did not start (exit code {process.wait(timeout=10)})")
        yield json.loads(line)
        if keep:
            console.out(f"The sandboxes keep running as process {process.pid}; stop them with: kill {process.pid}")
            ending.pop_all()


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)


def _write_configuration(where: Path, trackers: Mapping[str, Mapping[str, Any]], *, port: int) -> Path:
    """A configuration as a user would have it, less careful than the defaults so that there is something to see."""
    token = where / "sandbox-token"
    token.write_text(next(iter(trackers.values()))["token"], encoding="utf-8")
    lines = [
        'timezone = "UTC"',
        "[store]",
        f'url = "sqlite:///{(where / "backlint.db").as_posix()}"',
        "[check]",
        'profile = "full"',
        "# The defaults are careful: nothing is written at first, and little a day. A demo writes at once.",
        "[write_back]",
        'mode = "labels+comment"',
        'first_run = "write"',
        "max_comments = 1000",
        "max_labels = 1000",
        "abort_share = 1.0",
        'quiet_hours = "off"',
        "settle_minutes = 0",
        "# For `backlint serve`: the sandboxes send webhooks to this port, and the nightly audit comes often.",
        "[service]",
        f"port = {port}",
        'audit_schedule = "*/5 * * * *"',
        "burst_seconds = 1.0",
    ]
    for name, facts in trackers.items():
        lines += [
            "[[sources]]",
            f'name = "{name}"',
            f'tracker = "{name}"',
            f'url = "{facts["url"]}"',
            f"scope = {json.dumps(facts['scope'])}",
            f'user = "{facts.get("user", "")}"',
            f'token_file = "{token.as_posix()}"',
            f'webhook_secret_env = "{HOOK_VARIABLE}"',
            "requests_per_second = 1000",
        ]
    config = where / "backlint.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config


def _free_port() -> int:
    """For `backlint serve`, later: the sandboxes have to know it now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send_webhooks(trackers: Mapping[str, Mapping[str, Any]], port: int) -> None:
    """From now on what people change in the sandboxes is told to the service, if it runs."""
    for name, facts in trackers.items():
        wanted = {"url": f"http://127.0.0.1:{port}/webhooks/{name}", "secret": HOOK_SECRET}
        httpx.post(f"{facts['control']}/webhook", json=wanted, timeout=30).raise_for_status()


OWN_FILES = frozenset(
    {*PAGES, "backlint.toml", "sandbox-token"}
    | {f"backlint{part}.db{rest}" for part in ("", "-jobs", "-inbox") for rest in ("", "-wal", "-shm")}
)


def _remove_own(where: Path) -> None:
    """Make room for a second run; anything that is not of the demo stops it."""
    foreign = sorted(each.name for each in where.iterdir() if each.name not in OWN_FILES)
    if foreign:
        raise ConfigurationError(
            f"{where} holds {', '.join(foreign[:3])}, which is not the demo's: name another --folder"
        )
    shutil.rmtree(where)


def _say_how_to_explore(console: Console, where: Path) -> None:
    console.out(f"Explore with, for instance:\n  cd {escape(str(where))}")
    for command in (
        "backlint check",
        "backlint plan",
        "backlint report audit",
        "backlint report weekly --audience product",
        "backlint doctor",
        "backlint rule AC001",
    ):
        console.out(f"  {command}")
    console.out(
        "Or watch it at work: webhooks of what people change in the sandboxes, and an audit every five minutes:\n"
        f"  {HOOK_VARIABLE}={HOOK_SECRET} backlint serve"
    )
