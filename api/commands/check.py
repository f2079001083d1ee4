"""`backlint check`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from backlint.api.console import Console, escape, plural, severity
from backlint.api.installation import Installation, now, open_installation
from backlint.api.reading import read_file
from backlint.errors import ConfigurationError, InputError
from backlint.model import Severity, Status
from backlint.rules.registry import RULES_VERSION
from backlint.rules.rule import Rule
from backlint.settings import Settings, load
from backlint.sync import ratchets, store
from backlint.sync.audit import new_id
from backlint.sync.check import Checked, CheckResult, check_issues, check_store, chosen_rules, to_json
from backlint.sync.database import reading
from backlint.sync.findings import Finding
from backlint.sync.remap import stale_sources

NEW_NAMED = 10
FAIL_ON = ("info", "warning", "error")


def run(
    console: Console,
    *,
    config: Path | None,
    input: str | None,
    scope: str | None,
    rules: Sequence[str],
    as_new: bool,
    all_verdicts: bool,
    fail_on: str | None,
    limit: int,
    day_first: bool | None = None,
    with_baseline: bool = False,
    with_ratchet: bool | None = None,
) -> int:
    if fail_on is not None and fail_on not in FAIL_ON:
        raise ConfigurationError(f"--fail-on {fail_on!r}: use {', '.join(FAIL_ON)}")
    if input is not None:
        settings, result = _check_file(console, config, input, scope, rules, as_new=as_new, day_first=day_first)
    else:
        settings, result = _check_store(console, config, scope, rules, as_new=as_new)
    is_enforced = settings.trust.ratchet if with_ratchet is None else with_ratchet
    console.json(
        {
            **to_json(result, all_verdicts=all_verdicts),
            "ratchet": ratchets.to_json(result.ratchet, is_enforced=is_enforced),
        }
    )
    show(console, result, limit=limit, with_baseline=with_baseline)
    if all_verdicts:
        _show_verdicts(console, result)
    _show_ratchet(console, result.ratchet, is_enforced=is_enforced)
    if is_enforced and result.ratchet.exceeded:
        return 1
    return _exit_code(result, Severity(fail_on or settings.check.fail_on))


def require_pulled(place: Installation) -> None:
    """InputError for a store that nothing was ever read into: to call that clean would be wrong."""
    with reading(place.engine) as connection:
        is_pulled = bool(store.scope_states(connection))
    if not is_pulled:
        raise InputError(
            "nothing is stored yet: `backlint pull` reads the trackers, `backlint check --input FILE` needs none"
        )


def checked_store(
    console: Console,
    place: Installation,
    *,
    rules: Sequence[Rule] | None = None,
    scope: str | None = None,
    as_new: bool = False,
) -> CheckResult:
    """A check of what is stored, with its bar; by the chosen profile unless told which rules."""
    with console.progress("Checking") as bars:
        return check_store(
            place.engine,
            place.settings,
            run=new_id("check"),
            now=now(),
            rules=rules,
            scope=scope,
            as_new=as_new,
            advance=lambda done, total: bars.move("check", done, total),
        )


def _check_store(
    console: Console, config: Path | None, scope: str | None, rules: Sequence[str], *, as_new: bool
) -> tuple[Settings, CheckResult]:
    with open_installation(config) as place:
        require_pulled(place)
        for name in stale_sources(place.engine, place.settings.sources):
            console.warn(
                f"The mapping of {escape(name)} has changed since its issues were read: they are judged as they were "
                "mapped then. Run `backlint remap` (no request is made), or pull."
            )
        result = checked_store(
            console, place, rules=chosen_rules(place.settings, only=rules), scope=scope, as_new=as_new
        )
        return place.settings, result


def _check_file(
    console: Console,
    config: Path | None,
    input: str,
    scope: str | None,
    rules: Sequence[str],
    *,
    as_new: bool,
    day_first: bool | None,
) -> tuple[Settings, CheckResult]:
    settings = load(config)
    read = read_file(console, input, zone=settings.zone, day_first=day_first)
    with console.progress("Checking") as bars:
        result = check_issues(
            read.issues,
            settings,
            now=now(),
            rules=chosen_rules(settings, only=rules),
            scope=scope,
            as_new=as_new,
            advance=lambda done, total: bars.move("check", done, total),
        )
    return settings, result


def _exit_code(result: CheckResult, fail_on: Severity) -> int:
    worst = result.worst()
    if worst is not None and worst.rank >= fail_on.rank:
        return 1
    return 2 if result.cannot_say and not result.checked else 0


def show(console: Console, result: CheckResult, *, limit: int = 50, with_baseline: bool = False) -> None:
    """The summary first, then the findings, the most severe and dearest first.

    What the baseline keeps silent is listed `with_baseline` only.
    """
    findings = result.findings()
    about_scopes = result.scope_findings()
    everything = [*(finding for _, finding in findings), *about_scopes]
    console.out(_summary(result, everything))
    for state in result.cannot_say:
        why = state.problem or "its pull did not finish"
        console.warn(
            f"Cannot say: {state.source} {state.scope} is not judged, since {escape(why)}. Run `backlint pull`."
        )
    for (source, status), count in result.unmapped.items():
        console.warn(_unmapped(status, source if result.run else None, count))
    spoken = [(each, finding) for each, finding in findings if with_baseline or finding.is_spoken]
    spoken.sort(
        key=lambda pair: (-pair[1].judgement.severity.rank, -pair[0].points(pair[1].judgement), pair[0].issue.key)
    )
    shown = spoken if limit == 0 else spoken[:limit]
    for finding in about_scopes:
        if with_baseline or finding.is_spoken:
            console.out(_scope_line(finding))
    for each, finding in shown:
        console.out(_line(each, finding))
    if len(shown) < len(spoken):
        console.out(
            f"... and {len(spoken) - len(shown):,} more; --limit 0 prints all, `backlint report audit` sorts them."
        )
    if not with_baseline and any(finding.is_baseline for finding in everything):
        console.say(
            "What the first check of a source finds is its baseline: it stays silent until somebody changes the issue "
            "or starts it. `backlint check --baseline` lists it."
        )
    if result.private:
        codes = " ".join(f"--rule {code}" for code in sorted(result.hidden))
        console.out(
            f"{plural(result.private, 'private finding')} not shown: `backlint check {codes}` prints the places."
        )
    if result.would_find:
        silent = ", ".join(f"{code} {count:,}" for code, count in sorted(result.would_find.items()))
        console.say(f"Rules outside the profile would find: {silent}.")


def _unmapped(status: Status, source: str | None, count: int) -> str:
    """A status that nobody gave a category; in a file (no source) only the export could say more."""
    issues = plural(count, "issue")
    if source is None:
        named = f"The status '{escape(status.name)}' has no known category" if status.name else "No status is given"
        return f"{named}: {issues} judged as if nothing were known of their progress."
    return (
        f"The status '{escape(status.name)}' of {escape(source)} has no category: {issues} outside all metrics. "
        f'Add {escape(json.dumps(status.id, ensure_ascii=False))} = "active" (or another) to the source\'s statuses.'
    )


def _summary(result: CheckResult, findings: Sequence[Finding]) -> str:
    counts = Counter(finding.judgement.severity for finding in findings if finding.is_spoken)
    by_severity = ", ".join(
        plural(counts[each], each.value) if each is not Severity.INFO else f"{counts[each]:,} info"
        for each in reversed(Severity)
        if counts[each]
    )
    waived = sum(finding.waiver is not None for finding in findings)
    silent = sum(finding.is_baseline and finding.waiver is None for finding in findings)
    fresh = sum(finding.is_new and finding.is_spoken for finding in findings) if result.run else 0
    said = [f"{plural(len(result.checked), 'issue')} checked: {by_severity or '0 findings'}"]
    if fresh:
        said.append(f"{fresh:,} new")
    if result.recorded.fixed:
        said.append(f"{result.recorded.fixed:,} fixed")
    if waived:
        said.append(f"{waived:,} waived")
    if silent:
        said.append(f"{silent:,} silent in the baseline")
    return "; ".join(said) + "."


def _line(each: Checked, finding: Finding) -> str:
    url = f"  [dim]{escape(each.issue.url)}[/dim]" if each.issue.url else ""
    return f"{_said(each.issue.key, finding)}{url}"


def _scope_line(finding: Finding) -> str:
    """About a team, a sprint, a project or a connector."""
    scope = finding.judgement.scope
    return _said(scope.title if scope else finding.judgement.issue, finding)


def _said(about: str, finding: Finding) -> str:
    judgement = finding.judgement
    mark = " [green]new[/green]" if finding.is_new and finding.fingerprint else ""
    if finding.waiver is not None:
        mark = f" [dim]waived until {finding.waiver.until}: {escape(finding.waiver.reason)}[/dim]"
    elif finding.is_baseline:
        mark = " [dim]baseline[/dim]"
    elif finding.expired is not None:
        mark = f" [yellow]was waived until {finding.expired.until}[/yellow]"
    level = severity(judgement.severity.value)
    return f"{escape(about)}  {level}  {judgement.rule}  {escape(judgement.message)}{mark}"


def _show_ratchet(console: Console, turn: ratchets.Turn, *, is_enforced: bool) -> None:
    """What is above its mark; where the ratchet is not enforced only that rules began anew."""
    if turn.reset_from is not None:
        console.say(f"The rules changed ({turn.reset_from} to {RULES_VERSION}): the marks of the ratchet begin anew.")
    if not is_enforced:
        return
    for each in turn.exceeded:
        where = escape(f"{each.source} {each.project}".strip())
        new = ", ".join(map(escape, each.new[:NEW_NAMED])) + (" ..." if len(each.new) > NEW_NAMED else "")
        console.out(
            f"Ratchet: {each.rule} in {where} finds {each.count:,}, its lowest was {each.mark:,}"
            + (f"; new: {new}" if new else "")
        )


def _show_verdicts(console: Console, result: CheckResult) -> None:
    for each in result.checked:
        for judgement in (judgement for judgement in each.judgements if judgement.rule not in result.hidden):
            why = judgement.reason or judgement.message
            console.out(f"{escape(each.issue.key)}  {judgement.rule}  {judgement.verdict.value}  {escape(why)}")
