"""`backlint baseline`: what adoption accepted, and the marks of the ratchet; accepting more, beginning marks anew."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import sqlalchemy as sa
import typer

from backlint.api.commands.check import checked_store, require_pulled
from backlint.api.commands.waive import me
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.errors import ConfigurationError, InputError
from backlint.rules.registry import RULES_VERSION, private_codes
from backlint.sync import ratchets, store
from backlint.sync.audit import new_id
from backlint.sync.check import CheckResult, chosen_rules
from backlint.sync.database import reading
from backlint.sync.findings import accept, accepted


def run(
    console: Console,
    *,
    config: Path | None,
    accept_open: bool,
    reset_ratchet: bool,
    scope: str | None,
    rules: tuple[str, ...],
    yes: bool,
) -> int:
    with open_installation(config) as place:
        require_pulled(place)
        if accept_open:
            _accept(console, place, scope, rules, yes=yes)
        elif reset_ratchet:
            _reset(console, place, rules)
        else:
            _list(console, place)
    return 0


def _accept(console: Console, place: Installation, scope: str | None, rules: tuple[str, ...], *, yes: bool) -> None:
    """Everything that is open now is silent until somebody changes its issue or takes it up."""
    result = _check(console, place, scope, rules)
    open_now = [finding for _, finding in result.findings() if finding.is_spoken]
    if open_now and not yes and not _is_agreed(len(open_now)):
        console.out("Nothing was accepted.")
        return
    with place.engine.begin() as connection:
        accept(connection, [(each.issue, each.is_near, finding) for each, finding in result.findings()
                            if finding.is_spoken])  # fmt: skip
    console.json({"accepted": len(open_now)})
    console.out(f"{plural(len(open_now), 'finding')} accepted into the baseline; they still count in scores.")


def _is_agreed(count: int) -> bool:
    try:
        return typer.confirm(
            f"Accept {plural(count, 'open finding')}? No label and no comment speaks of them any more.", err=True
        )
    except typer.Abort:
        raise ConfigurationError("nobody is there to agree; say --yes. Nothing was accepted") from None


def _check(console: Console, place: Installation, scope: str | None, rules: tuple[str, ...]) -> CheckResult:
    return checked_store(console, place, rules=chosen_rules(place.settings, only=rules), scope=scope)


def _reset(console: Console, place: Installation, rules: tuple[str, ...]) -> None:
    """The marks begin at what is found now; the run says who wanted it and what rose."""
    codes = _codes(place, rules)
    run = new_id("ratchet")
    with place.engine.begin() as connection:
        if not ratchets.marks(connection):
            raise InputError("no mark is set yet: the next `backlint check` of everything sets them")
        risen = ratchets.reset(connection, codes, rules_version=RULES_VERSION, now=now())
        store.begin_run(connection, run, "ratchet", now=now())
        facts = {"by": me(), "risen": {" ".join(key): by for key, by in risen.items()}}
        store.end_run(connection, run, now=now(), outcome="done", facts=facts)
    console.json({"run": run, "risen": [{"where": list(key), "by": by} for key, by in risen.items()]})
    console.out(f"The marks begin anew; {plural(len(risen), 'of them rose', 'of them rose')}.")
    for (source, project, rule), by in sorted(risen.items()):
        console.out(f"  {rule}  {escape(f'{source} {project}'.strip())}: {by:,} more allowed")


def _codes(place: Installation, rules: tuple[str, ...]) -> frozenset[str]:
    return frozenset(rule.code for rule in chosen_rules(place.settings, only=rules)) - private_codes()


def _list(console: Console, place: Installation) -> None:
    with reading(place.engine) as connection:
        silent = {key: count for key, count in accepted(connection).items() if key[2] not in private_codes()}
        marks, found = ratchets.marks(connection), _found(connection, place)
    console.json(
        {
            "baseline": [
                {"source": source, "project": project or None, "rule": rule, "findings": count}
                for (source, project, rule), count in sorted(silent.items())
            ],
            "ratchet": [
                {
                    "source": key[0], "project": key[1] or None, "rule": key[2], "mark": mark.mark,
                    "count": found.get(key, 0), "rules_version": mark.rules_version,
                    "since": mark.moved_at.isoformat(),
                }
                for key, mark in sorted(marks.items())
            ],
        }
    )  # fmt: skip
    total = sum(silent.values())
    console.out(f"{plural(total, 'finding')} in the baseline: silent until somebody changes the issue or takes it up.")
    by_rule: Counter[str] = Counter()
    for (_, _, rule), count in silent.items():
        by_rule[rule] += count
    for rule, count in by_rule.most_common():
        console.out(f"  {rule}  {count:,}")
    above = [(key, mark) for key, mark in sorted(marks.items()) if found.get(key, 0) > mark.mark]
    enforced = "enforced" if place.settings.trust.ratchet else "not enforced: set trust.ratchet = true"
    console.out(f"Ratchet ({enforced}): {plural(len(marks), 'mark')}, {len(above):,} exceeded.")
    for (source, project, rule), mark in above:
        where = escape(f"{source} {project}".strip())
        console.out(f"  {rule}  {where}: {found[source, project, rule]:,} findings, {mark.mark:,} was the lowest "
                    f"(since {mark.moved_at:%Y-%m-%d})")  # fmt: skip


def _found(connection: sa.Connection, place: Installation) -> dict[ratchets.Key, int]:
    return ratchets.counts(connection, _codes(place, ()))
