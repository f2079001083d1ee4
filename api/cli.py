"""The command line: what can be typed, with its help; the work is in `api.commands`, loaded only when it is wanted."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from backlint import __version__

app = typer.Typer(
    name="backlint",
    help="The linter for backlogs. Start with `backlint demo`, then `backlint init`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
report = typer.Typer(
    no_args_is_help=True, help="Reports: audit, cycle-time, forecast, sprint-prep, weekly.", rich_markup_mode=None
)
database = typer.Typer(no_args_is_help=True, help="The store.", rich_markup_mode=None)
app.add_typer(report, name="report")
app.add_typer(database, name="db")
webhooks = typer.Typer(
    no_args_is_help=True, help="The trackers' webhooks that lead here: register, status, remove.", rich_markup_mode=None
)
app.add_typer(webhooks, name="webhooks")

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="configuration (default backlint.toml)")]
Output = Annotated[str, typer.Option("--format", metavar="text|json", help="json: the same facts for programs")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress and no messages, only the result")]
Plain = Annotated[bool, typer.Option("--no-color", help="no colours (also by the variable NO_COLOR)")]
Scope = Annotated[
    str | None, typer.Option("--scope", metavar="NAME", help="only this source, project, team or repository")
]

DayFirst = Annotated[
    bool | None,
    typer.Option("--day-first/--month-first", help="how 03/04/2026 in a file is meant (default: as the file shows)"),
]


def _console(format: str, quiet: bool, no_color: bool) -> Any:
    from backlint.api.console import Console, Format

    if format not in list(Format):
        raise typer.BadParameter(f"{format!r}: use text or json", param_hint="--format")
    return Console.make(format=Format(format), quiet=quiet, no_color=no_color)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"backlint {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="leave the sandboxes running and the folder in place")] = False,
    size: Annotated[int, typer.Option("--size", min=30, max=20000, help="issues in each of the three trackers")] = 1000,
    folder: Annotated[Path | None, typer.Option("--folder", help="where the report and the store go")] = None,
    seed: Annotated[int, typer.Option("--seed", help="another number, another backlog")] = 7,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """The whole product on three local sandbox trackers: pull, check, plan, apply, report. Nothing to configure."""
    from backlint.api.commands.demo import run

    run(_console("text", quiet, no_color), keep=keep, size=size, folder=folder, seed=seed)


@app.command()
def init(
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
    add: Annotated[bool, typer.Option("--add", help="put a further source into an existing file")] = False,
    tracker: Annotated[
        str | None, typer.Option("--tracker", help="jira, linear or github; asked for otherwise")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="the tracker's address")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Jira Cloud: the e-mail address of the token")] = None,
    token_env: Annotated[str | None, typer.Option("--token-env", help="the variable that holds the token")] = None,
    name: Annotated[str | None, typer.Option("--name", help="a short name for the source")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="project, team or repository; repeatable")] = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Ask the tracker what exists and write backlint.toml: scopes, status mapping, custom fields."""
    from backlint.api.commands.init import Answers, run

    given = Answers(tracker=tracker, url=url, user=user, token_env=token_env, name=name, scope=tuple(scope or ()))
    run(_console("text", quiet, no_color), config=config, force=force, add=add, given=given)


@app.command()
def doctor(config: Config = None, format: Output = "text", quiet: Quiet = False, no_color: Plain = False) -> None:
    """Tokens, permissions, mapping gaps, clock, database: what is wrong, each with the remedy."""
    from backlint.api.commands.doctor import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config))


@app.command()
def pull(
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="only this source")] = None,
    full: Annotated[bool, typer.Option("--full", help="read everything again, not only what changed")] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Read what changed from the trackers into the store."""
    from backlint.api.commands.pull import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, source=source, full=full))


@app.command()
def remap(
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="only this source")] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Apply a changed mapping of types and fields to what is stored, without pulling (a pull does it as well)."""
    from backlint.api.commands.remap import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, source=source))


@app.command()
def check(
    input: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="lint a file instead: JSON Lines, Jira or Linear CSV, gh JSON; - reads it from standard input",
        ),
    ] = None,
    scope: Scope = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", metavar="CODE", help="only this rule; repeatable")] = None,
    new: Annotated[
        bool, typer.Option("--new", help="judge as tickets just created: what their authors can answer")
    ] = False,
    all_verdicts: Annotated[bool, typer.Option("--all-verdicts", help="passes and unknowns as well")] = False,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", metavar="SEVERITY", help="info, warning or error (default)")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="findings to print as text; 0 prints all")] = 50,
    day_first: DayFirst = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="list as well what baseline and waivers keep silent (JSON always has it)")
    ] = False,
    ratchet: Annotated[
        bool | None, typer.Option("--ratchet/--no-ratchet", help="exit code 1 where a rule finds more than ever before")
    ] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Judge what is stored, or a file. Exit code 1: findings at or above --fail-on."""
    from backlint.api.commands.check import run

    raise typer.Exit(
        run(
            _console(format, quiet, no_color),
            config=config,
            input=input,
            scope=scope,
            rules=tuple(rule or ()),
            as_new=new,
            all_verdicts=all_verdicts,
            fail_on=fail_on,
            limit=limit,
            day_first=day_first,
            with_baseline=baseline,
            with_ratchet=ratchet,
        )
    )


@app.command()
def plan(
    scope: Scope = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """What would be written to the trackers, as a diff. Writes nothing."""
    from backlint.api.commands.plan import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, scope=scope))


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    scope: Scope = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Carry the plan out: labels and the one managed comment, each recorded before it is sent."""
    from backlint.api.commands.apply import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, scope=scope, yes=yes))


@app.command()
def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="the run's id, as `apply` and `audit` print it")],
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Take a run's writes back where nobody touched them since."""
    from backlint.api.commands.undo import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, run_id=run_id))


@app.command()
def audit(
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="the report (default audit.html)")
    ] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """The nightly job: pull, check, plan, apply if write-back is on, report."""
    from backlint.api.commands.audit import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, output=output))


@app.command()
def notify(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="one notification (default all)")] = None,
    test: Annotated[bool, typer.Option("--test", help="send a short test message, whatever has changed")] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Send what changed since the last digest to e-mail and chat; `audit` does it as well.

    [[notifications]] name a variable that holds addresses as apprise writes them:
    mailtos://USER:PASSWORD@HOST?to=TEAM@HOST, slack://TOKEN/#CHANNEL, msteams://..., json://HOST/PATH.
    """
    from backlint.api.commands.notify import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, name=name, is_test=test))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="address to listen on (default: this machine)")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="0 takes a free one")] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="work as well, or only answer")] = True,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Webhooks, API, schedule and a worker; runs until it is stopped."""
    from backlint.api.commands.serve import run

    raise typer.Exit(run(_console("text", quiet, no_color), config=config, host=host, port=port, with_worker=worker))


@app.command()
def worker(
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """A further process that works beside `serve`, for a store on PostgreSQL."""
    from backlint.api.commands.worker import run

    raise typer.Exit(run(_console("text", quiet, no_color), config=config, is_child=child))


@app.command()
def status(config: Config = None, format: Output = "text", quiet: Quiet = False, no_color: Plain = False) -> None:
    """What the service does: processes, webhooks, what waits, the last runs."""
    from backlint.api.commands.status import run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config))


Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="only this source")]
PublicUrl = Annotated[
    str | None, typer.Option("--url", help="how trackers reach the service (default: service.public_url)")
]


@webhooks.command("register")
def webhooks_register(
    source: Source = None,
    url: PublicUrl = None,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="give every webhook the secret anew, after it was changed")
    ] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Make the webhooks that are missing and mend those that are faulty; a second call changes nothing."""
    from backlint.api.commands.webhooks import register

    console = _console(format, quiet, no_color)
    raise typer.Exit(register(console, config=config, source=source, url=url, new_secret=new_secret))


@webhooks.command("status")
def webhooks_status(
    source: Source = None,
    url: PublicUrl = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Which webhooks lead here, which are missing or faulty. Exit code 1 if any is."""
    from backlint.api.commands.webhooks import status as run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, source=source, url=url))


@webhooks.command("remove")
def webhooks_remove(
    source: Source = None,
    url: PublicUrl = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Take away every webhook that leads here, and no other."""
    from backlint.api.commands.webhooks import remove

    raise typer.Exit(remove(_console(format, quiet, no_color), config=config, source=source, url=url))


@app.command("dead-letters")
def dead_letters(
    retry: Annotated[str | None, typer.Option("--retry", metavar="SOURCE:ISSUE", help="try this one again")] = None,
    drop: Annotated[str | None, typer.Option("--drop", metavar="SOURCE:ISSUE", help="forget this one")] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Issues of webhooks that could not be handled, each with the reason."""
    from backlint.api.commands.status import dead_letters as run

    raise typer.Exit(run(_console(format, quiet, no_color), config=config, retry=retry, drop=drop))


ReportFormat = Annotated[str, typer.Option("--format", metavar="html|md|json|csv", help="how the report is written")]
ReportFile = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="write here instead of printing")]
ReportInput = Annotated[
    str | None, typer.Option("--input", metavar="FILE", help="report on a file instead of the store")
]


@report.command("audit")
def report_audit(
    scope: Scope = None,
    input: ReportInput = None,
    format: ReportFormat = "md",
    output: ReportFile = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Findings new, open and fixed; scores; what was written back and what was held back."""
    from backlint.api.commands.report import audit_report

    raise typer.Exit(
        audit_report(
            _console("text", quiet, no_color), config=config, scope=scope, input=input, format=format, output=output
        )
    )


@report.command("cycle-time")
def report_cycle_time(
    scope: Scope = None,
    input: ReportInput = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="finished on or after (default: 90 days ago)")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="finished before the end of this day")
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", metavar="elapsed|in_progress|last_run", help="which cycle time")
    ] = "elapsed",
    format: ReportFormat = "md",
    output: ReportFile = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Cycle time, ageing work, throughput: every number with its count, everything left out with its reason."""
    from backlint.api.commands.report import cycle_time_report

    raise typer.Exit(
        cycle_time_report(
            _console("text", quiet, no_color),
            config=config,
            scope=scope,
            input=input,
            since=since,
            until=until,
            mode=mode,
            format=format,
            output=output,
        )
    )


@report.command("forecast")
def report_forecast(
    scope: Scope = None,
    input: ReportInput = None,
    items: Annotated[
        int | None, typer.Option("--items", metavar="K", help="when will so many items be finished?")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="how many by the end of this day? (default: 4 weeks)")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="draw from this seed (default: it follows from question and facts)")
    ] = None,
    format: ReportFormat = "md",
    output: ReportFile = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """How many items by a day, when for a number of items: with likelihoods, out of the team's own history."""
    from backlint.api.commands.report_forecast import run

    raise typer.Exit(
        run(
            _console("text", quiet, no_color),
            config=config,
            scope=scope,
            input=input,
            items=items,
            until=until,
            seed=seed,
            format=format,
            output=output,
        )
    )


@report.command("sprint-prep")
def report_sprint_prep(
    scope: Scope = None,
    input: ReportInput = None,
    sprint: Annotated[
        str | None, typer.Option("--sprint", metavar="NAME", help="this sprint (default: the team's next)")
    ] = None,
    format: ReportFormat = "md",
    output: ReportFile = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """What fits into a team's next sprint, what is ready, and the one question to ask of everything that is not."""
    from backlint.api.commands.report_sprint_prep import run

    raise typer.Exit(
        run(
            _console("text", quiet, no_color),
            config=config,
            scope=scope,
            input=input,
            sprint=sprint,
            format=format,
            output=output,
        )
    )


@report.command("weekly")
def report_weekly(
    scope: Scope = None,
    input: ReportInput = None,
    audience: Annotated[
        str | None,
        typer.Option(
            "--audience",
            metavar="NAME",
            help="executive, engineering, product, design or marketing (default: the whole readout)",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="the first day (default: seven days up to the last)")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DAY", help="the last day (default: today)")] = None,
    format: ReportFormat = "md",
    output: ReportFile = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """What shipped, changed and was learned, what is next and at risk: a draft to edit, for all or for one audience."""
    from backlint.api.commands.report_weekly import run

    raise typer.Exit(
        run(
            _console("text", quiet, no_color),
            config=config,
            scope=scope,
            input=input,
            audience=audience,
            since=since,
            until=until,
            format=format,
            output=output,
        )
    )


@app.command()
def waive(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="a code such as AC001, or a family such as OUT")
    ] = None,
    issue: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="key, former key or id")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="NAME", help="for issues with this label")] = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="NAME", help="for this project, team or repository")
    ] = None,
    type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="for issues of this type")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="only in this source")] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="why; at least 10 characters")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="the last day (default: 90 days from now, secrets 30)")
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="who agreed (default: you)")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="ID", help="end this waiver now")] = None,
    all: Annotated[bool, typer.Option("--all", help="list those that are over as well")] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Agree that a rule need not hold somewhere until a day; without RULE: the list of waivers."""
    from backlint.api.commands.waive import Wanted, run

    wanted = Wanted(rule, issue, label, project, type, source, reason, until, author)
    raise typer.Exit(run(_console(format, quiet, no_color), config=config, wanted=wanted, end=end, with_past=all))


@app.command()
def baseline(
    accept: Annotated[bool, typer.Option("--accept", help="take what is open now into the baseline")] = False,
    reset_ratchet: Annotated[
        bool, typer.Option("--reset-ratchet", help="begin the marks at what is found now; the run records it")
    ] = False,
    scope: Scope = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", metavar="CODE", help="only this rule; repeatable")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """What adoption accepted and keeps silent, and the lowest counts that the ratchet holds."""
    from backlint.api.commands.baseline import run

    raise typer.Exit(
        run(
            _console(format, quiet, no_color),
            config=config,
            accept_open=accept,
            reset_ratchet=reset_ratchet,
            scope=scope,
            rules=tuple(rule or ()),
            yes=yes,
        )
    )


@app.command()
def precision(
    restore: Annotated[
        str | None, typer.Option("--restore", metavar="RULE", help="let a rule speak again that has stepped back")
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option("--candidates", metavar="FILE", help="write the issues whose findings were wrong")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", metavar="NAME", help="with --restore: in this project alone")
    ] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """How often each rule was right by what people said and did, and which rules stepped back for it."""
    from backlint.api.commands.precision import run

    raise typer.Exit(
        run(_console(format, quiet, no_color), config=config, restore=restore, scope=scope, candidates=candidates)
    )


@app.command()
def recall(
    rule: Annotated[str | None, typer.Argument(metavar="[RULE]", help="the code of the rule")] = None,
    issue: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="an issue of its sample")] = None,
    answer: Annotated[str | None, typer.Argument(metavar="[right|missed|unclear]")] = None,
    draw: Annotated[bool, typer.Option("--draw", help="draw the month's samples, unless they stand")] = False,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="of this month (default: now)")
    ] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """How much the error rules miss: a monthly random sample of what they let pass, judged by a person."""
    from backlint.api.commands.recall import run

    raise typer.Exit(
        run(
            _console(format, quiet, no_color),
            config=config,
            rule=rule,
            issue=issue,
            answer=answer,
            month=month,
            draw=draw,
        )
    )


@app.command()
def feedback(
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="key, former key or id")],
    rule: Annotated[str, typer.Argument(metavar="RULE", help="the code of the finding")],
    verdict: Annotated[str, typer.Argument(metavar="wrong|useful")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="why")] = "",
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="the issue of this source")] = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Say that a finding is wrong or useful, as `/hygiene wrong RULE` in a comment on the issue does."""
    from backlint.api.commands.precision import say

    raise typer.Exit(
        say(
            _console(format, quiet, no_color),
            config=config,
            issue=issue,
            rule=rule,
            verdict=verdict,
            reason=reason,
            source=source,
        )
    )


@app.command()
def rule(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="a code or a name; none lists all rules")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="run the examples of your own rules, or of the rule that is named")
    ] = False,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """The page of a rule, or the list of all rules."""
    from backlint.api.commands.rule import run, test_examples

    console = _console(format, quiet, no_color)
    raise typer.Exit((test_examples if test else run)(console, config=config, code=code))


@app.command()
def explain(
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="key, former key or id")],
    input: Annotated[str | None, typer.Option("--input", metavar="FILE", help="an issue of this file")] = None,
    day_first: DayFirst = None,
    config: Config = None,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """Every verdict on an issue: what was tried, what was found, what was dropped and why."""
    from backlint.api.commands.explain import run

    raise typer.Exit(
        run(_console(format, quiet, no_color), config=config, reference=issue, input=input, day_first=day_first)
    )


@app.command()
def accuracy(
    labels: Annotated[Path, typer.Option("--labels", metavar="FILE", help="labelled issues, JSON Lines")],
    question: Annotated[
        list[str] | None, typer.Option("--question", metavar="NAME", help="only this question, rule or label")
    ] = None,
    projects: Annotated[bool, typer.Option("--projects", help="the figures of each project as well")] = False,
    misses: Annotated[bool, typer.Option("--misses", help="every answer that differs, with its explanation")] = False,
    format: Output = "text",
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """How well the rules agree with issues that people labelled: precision, recall and F1 with their intervals."""
    from backlint.api.commands.accuracy import run

    raise typer.Exit(
        run(
            _console(format, quiet, no_color),
            labels=labels,
            questions=question or (),
            projects=projects,
            list_misses=misses,
        )
    )


@app.command()
def export(
    what: Annotated[str, typer.Argument(metavar="issues|transitions|findings|writes")] = "issues",
    format: Annotated[str, typer.Option("--format", metavar="jsonl|csv|parquet")] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="write here instead of printing")
    ] = None,
    scope: Scope = None,
    config: Config = None,
    quiet: Quiet = False,
    no_color: Plain = False,
) -> None:
    """What is stored, for other programs; `writes` is the log of everything written to the trackers, with its cause."""
    from backlint.api.commands.export import run

    raise typer.Exit(
        run(_console("text", quiet, no_color), config=config, what=what, format=format, output=output, scope=scope)
    )


@database.command("upgrade")
def db_upgrade(config: Config = None, quiet: Quiet = False, no_color: Plain = False) -> None:
    """Bring the store to this program's schema."""
    from backlint.api.commands.database import upgrade

    raise typer.Exit(upgrade(_console("text", quiet, no_color), config=config))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and turn every error that was foreseen into one message and exit code 2.

    What was not foreseen is shown as it is, with exit code 2 as well: 1 says "findings" to whatever reads it.
    """
    from backlint.errors import BacklintError

    _speak_utf8()
    try:
        app(arguments)
    except BacklintError as error:
        typer.echo(f"backlint: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader went away, as `| head` does. Nothing is left to be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("backlint: interrupted; what was saved stays, the next run goes on from there", err=True)
        sys.exit(130)
    except Exception:  # noqa: BLE001 - the edge of the program
        traceback.print_exc()
        typer.echo("backlint: this is a fault of the program; please report it with the lines above", err=True)
        sys.exit(2)


def _speak_utf8() -> None:
    """JSON and exports are UTF-8 wherever they go; a terminal that cannot show a sign gets a substitute."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace") if stream.isatty() else stream.reconfigure(encoding="utf-8")


if __name__ == "__main__":
    main()
