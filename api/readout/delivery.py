"""Sections about delivery: flow, ageing, blockers, punctuality, forecasts, epics and what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from backlint.api.readout.facts import LARGE, Facts
from backlint.api.readout.wording import as_entry, counted_issues, excerpt
from backlint.api.reports import figures
from backlint.api.reports.cycle_time import Row
from backlint.api.reports.entries import Entry, entries, entry
from backlint.api.reports.readout import Figure, Section
from backlint.api.reports.sprint_record import SprintRecord
from backlint.flow.metrics import finished_between, iso_week
from backlint.forecast import CycleClasses
from backlint.model import Issue, IssueType, StatusCategory
from backlint.rules.blocking import BLOCKED_LABELS, BLOCKED_STATUSES, blocked_mark, blockers
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.result_text import recorded_results
from backlint.rules.sprint_figures import SPRINT_TYPES
from backlint.rules.too_many_initiatives import TooManyInitiatives
from backlint.rules.wip_above_cap import WipAboveCap, joint_cap
from backlint.scopes import team_name
from backlint.text.story import read_story

AGEING_SHOWN = 10
DAYS_90 = "last 90 days"


# -- flow ----------------------------------------------------------------------------------------------------------


def flow(facts: Facts) -> Section:
    """How long things take and how many are under way."""
    report = facts.cycle_time
    rows = tuple(_finished(row) for row in sorted(report.rows, key=lambda row: (-row.cycle, row.source, row.key)))
    n = figures.counted(report.found.sample.count, "item")
    return Section(
        name="flow",
        title="Flow",
        figures=(
            _duration("Cycle time, median", report.found.p50, report.found.sample.remark or f"{n}, {DAYS_90}", rows),
            _duration("Cycle time, p85", report.found.p85, report.found.sample.remark or f"{n}, {DAYS_90}", rows),
            wip(facts),
            _efficiency(facts, rows),
        ),
        empty="Nothing finished and nothing is in progress." if not rows and not facts.in_progress else "",
    )


def _finished(row: Row) -> Entry:
    return Entry(
        source=row.source, key=row.key, url=row.url, title=row.title, said=f"cycle time {figures.in_days(row.cycle)}"
    )


def _duration(name: str, span: timedelta | None, of: str, behind: tuple[Entry, ...]) -> Figure:
    return Figure(name=name, value=figures.in_days(span), of=of, number=figures.days(span), behind=behind)


def _efficiency(facts: Facts, rows: tuple[Entry, ...]) -> Figure:
    found = facts.cycle_time.efficiency
    if found.p50 is None:
        why = "nothing tells waiting from working" if not found.sample.count else found.sample.remark
        return Figure(name="Flow efficiency, median", value="–", of=f"not measurable: {why}", number=None)
    of = f"{figures.counted(found.sample.count, 'item')}, {DAYS_90}"
    return Figure(
        name="Flow efficiency, median", value=figures.percent(found.p50), of=of, number=float(found.p50), behind=rows
    )


def wip(facts: Facts) -> Figure:
    """Work in progress against the caps of its teams, where there are any."""
    cap = joint_cap(facts.rule(WipAboveCap).caps, (team_name(item.issue) for item in facts.items))
    lines = tuple(
        entry(item.issue, f"{item.issue.status.name}, {figures.in_days(item.age(facts.now))}")
        for item in facts.in_progress
    )
    of = "no cap is set ([rules.FLO003] caps)" if cap is None else f"cap {cap:g}"
    return Figure(name="In progress", value=str(len(lines)), of=of, number=len(lines), behind=lines)


def sprints(facts: Facts) -> Section:
    """What became of the sprints of the last 90 days, and of the running ones so far."""
    found = facts.cycle_time.sprints
    ended = [each for each in found if not each.is_running]
    committed = tuple(line for each in ended for line in each.committed)
    finished = tuple(line for each in ended for line in each.finished)
    carried = tuple(line for each in ended for line in each.carried or ())
    of = f"{len(finished)} of {len(committed)} committed, {figures.counted(len(ended), 'ended sprint')}, {DAYS_90}"
    share = Fraction(len(finished), len(committed)) if committed else None
    return Section(
        name="sprints",
        title="Sprints",
        note="Committed at the start and finished; added and removed count from a day after the start."
        if found
        else "",
        figures=(
            Figure(
                name="Sprint predictability",
                value=figures.percent(share),
                of=of,
                number=None if share is None else float(share),
                behind=finished,
            ),
            Figure(
                name="Carried over",
                value=str(len(carried)),
                of=f"from {figures.counted(len(ended), 'ended sprint')}",
                number=len(carried),
                behind=carried,
            ),
        )
        if ended
        else (),
        entries=tuple(as_entry(_told(each), source=each.source, title=each.name) for each in found),
        empty="No sprint runs, and none ended in the last 90 days.",
    )


def _told(each: SprintRecord) -> str:
    """`5 of 7 committed finished (71 %), 4 added and 0 removed after the start, 3 carried over`."""
    so_far = " so far" if each.is_running else ""
    share = f" ({figures.percent(each.predictability)})" if each.committed else ""
    moved = (
        "nothing says what came in after the start"
        if each.added is None or each.removed is None
        else f"{len(each.added)} added and {len(each.removed)} removed after the start"
    )
    carried = "" if each.carried is None else f", {len(each.carried)} carried over"
    return f"{len(each.finished)} of {len(each.committed)} committed finished{share}{so_far}, {moved}{carried}"


def ageing(facts: Facts) -> Section:
    """The oldest work in progress against the expectation of its class."""
    report = facts.cycle_time
    shown = report.ageing[:AGEING_SHOWN]
    lines = []
    for each in shown:
        level = each.level
        against = f"; expectation {figures.in_days(level.duration)} ({level.scope}, {level.sample})" if level else ""
        said = f"{'age unknown' if each.age is None else figures.in_days(each.age)}, now {each.status}{against}"
        lines.append(
            Entry(
                source=each.source,
                key=each.key,
                url=each.url,
                title=each.title,
                said=f"{said}, beyond it" if each.is_beyond else said,
            )
        )
    beyond = tuple(
        Entry(source=each.source, key=each.key, url=each.url, title=each.title, said=figures.in_days(each.age))
        for each in report.beyond
    )
    of = f"of {figures.counted(len(report.ageing), 'item')} in progress"
    return Section(
        name="ageing",
        title="Ageing work",
        of=len(report.ageing),
        figures=(
            Figure(
                name="Beyond expectation", value=str(len(beyond)), of=of, number=len(beyond), behind=beyond
            ),
        ) if report.ageing else (),
        entries=tuple(lines),
        empty="Nothing is in progress, so nothing is ageing.",
    )  # fmt: skip


def blocked(facts: Facts) -> Section:
    """Near work that waits for something."""
    lines = [line for issue in facts.near for line in _waits(issue, facts)]
    return Section(
        name="blockers",
        title="Blockers",
        entries=tuple(lines),
        empty=f"Nothing near is blocked ({figures.counted(len(facts.near), 'item')} looked at).",
    )


def _waits(issue: Issue, facts: Facts) -> Iterator[Entry]:
    found = blockers(issue, facts.context).open
    mark = blocked_mark(issue, statuses=BLOCKED_STATUSES, labels=BLOCKED_LABELS)
    if found:
        named = ", ".join(f"{each.key} ({each.status.name})" for each in found)
        yield entry(issue, f"waits for {named}")
    elif mark is not None:
        since = f" since {figures.day(mark.at, facts.zone)}" if mark.at else ""
        yield entry(issue, f"marked as blocked ({mark.text}){since}; nothing says by what")


def bugs(facts: Facts) -> Section:
    """Bugs that came in against what was finished."""
    lately = _bugs_since(facts, facts.long_begin)
    finished = sum(1 for _ in finished_between(facts.items, facts.long_begin, facts.end))
    rate = len(lately) / finished if finished else None
    return Section(
        name="bugs",
        title="Bugs",
        figures=(
            counted_issues(
                "Bugs created",
                _bugs_since(facts, facts.begin),
                f"{facts.period}; {figures.counted(len(facts.finished), 'item')} finished in these days",
            ),
            Figure(
                name="Bugs created for each item finished",
                value="–" if rate is None else f"{rate:.2f}",
                of=f"{len(lately)} created, {figures.counted(finished, 'item')} finished, {DAYS_90}",
                number=rate,
                behind=entries(lately),
            ),
        ),
    )


def _bugs_since(facts: Facts, since: datetime) -> list[Issue]:
    return [
        issue
        for issue in facts.issues
        if issue.type is IssueType.BUG and issue.created_at is not None and since <= issue.created_at < facts.end
    ]


def on_time(facts: Facts) -> Section:
    """What was finished by the date that was set when work started."""
    due = facts.due
    met = [each for each in due if each.is_met]
    moved = [each.item.issue for each in due if each.is_moved]
    late = [each for each in due if not each.is_met]
    lines = tuple(
        entry(each.item.issue, f"was due on {each.day}, {_became(each.item.issue)}")
        for each in sorted(late, key=lambda each: (each.day, each.item.issue.key), reverse=True)
    )
    share = Fraction(len(met), len(due)) if due else None
    return Section(
        name="on_time",
        title="On time",
        figures=(
            Figure(
                name="On time",
                value=figures.percent(share),
                of=f"{len(met)} of {len(due)} due, {DAYS_90}" if due else f"no item was due, {DAYS_90}",
                number=None if share is None else float(share),
                behind=entries(each.item.issue for each in met),
            ),
            counted_issues("Date moved after the start", moved, f"of {len(due)} due"),
        ),
        entries=lines,
        empty="Everything that was due came in time." if due else "",
        missing=() if due else ("no item has a due date in these 90 days, so that nothing can be said of punctuality",),
    )


def _became(issue: Issue) -> str:
    return "still open" if issue.is_open else "finished later"


# -- forecast ----------------------------------------------------------------------------------------------------------


def forecast_figures(facts: Facts, *, weeks: Sequence[int], levels: Sequence[int]) -> Iterator[Figure]:
    """How many items are finished so many weeks ahead, at each level; or one figure that says why there is none."""
    why = facts.history.why_no_forecast
    if why is not None:
        yield Figure(name="Forecast", value="–", of=why, number=None)
        return
    sample = f"drawn from {facts.history.finished} items in {len(facts.history.weeks)} weeks"
    mondays = {week.monday for week in facts.history.weeks}
    behind = entries(issue for day, issue in facts.finishes.finished if iso_week(day) in mondays)
    for count in weeks:
        until = facts.today + timedelta(weeks=count)
        found = facts.how_many(until)
        if found is not None:
            told = ", ".join(f"{level} %: {found.at(level)} or more" for level in levels)
            yield Figure(
                name=f"Finished by {until}",
                value=f"{found.at(levels[0])}+",
                of=f"{told}; {sample}",
                number=found.at(levels[0]),
                behind=behind,
            )


def forecast(facts: Facts) -> Section:
    """Ranges, never one bare date."""
    return Section(
        name="forecast",
        title="Forecast",
        note="So many or more are finished, with the likelihood given, if the next weeks are like the last ones.",
        figures=tuple(forecast_figures(facts, weeks=(2, 4, 8), levels=(85, 50))),
    )


def likely(facts: Facts) -> Section:
    """What is under way, with the day by which 85 % of such items are done; nothing less certain is named."""
    classes = CycleClasses(facts.context.flow.values(), facts.now)
    dated: list[tuple[str, Entry]] = []
    without = 0
    for item in facts.in_progress:
        found = classes.forecast(item, facts.now)
        by = figures.day(found.likely_by, facts.zone) if found is not None and found.likely_by is not None else None
        if by is None:
            without += 1
        else:
            dated.append((by, entry(item.issue, f"85 % likely on or before {by}; {for_whom(item.issue, facts)}")))
    missing = f"{figures.counted(without, 'item')} in progress got no date: too few like them are known"
    return Section(
        name="likely",
        title="What comes next",
        note="Only ranges of 85 % and more; what is not started has no date.",
        figures=tuple(forecast_figures(facts, weeks=(4,), levels=(85, 95))),
        entries=tuple(line for _, line in sorted(dated, key=lambda pair: (pair[0], str(pair[1].key)))),
        empty="Nothing in progress can be given a date.",
        missing=(missing,) if without else (),
    )


# -- what it is for ----------------------------------------------------------------------------------------------------


def for_whom(issue: Issue, facts: Facts) -> str:
    """The person that a story names, else that nobody is named."""
    role = role_of(issue, facts)
    return f"for {role}" if role else "nothing says for whom"


def role_of(issue: Issue, facts: Facts) -> str | None:
    """Who wants it, from the story's sentence ("As a clerk ..."); its own, else that of what it belongs to."""
    for each in (issue, *facts.backlog.ancestors(issue)):
        story = read_story(f"{each.title}\n\n{facts.context.texts.body(each).text}".replace("*", " "))
        if story is not None and story.role and not story.is_job:
            return excerpt(story.role)
    return None


def shipped_for(facts: Facts) -> Section:
    """What was finished, for whom."""
    found = [item.issue for item, _ in facts.finished if item.issue.type is not IssueType.BUG]
    fixed = [item.issue for item, _ in facts.finished if item.issue.type is IssueType.BUG]
    without = [issue for issue in found if role_of(issue, facts) is None]
    return Section(
        name="shipped_for",
        title="What shipped, for whom",
        figures=(
            counted_issues("Finished, bugs aside", found, facts.period),
            counted_issues("Do not say for whom", without, f"of {len(found)}"),
            counted_issues("Bugs fixed", fixed, facts.period),
        ),
        entries=tuple(entry(issue, for_whom(issue, facts)) for issue in found),
        empty="Nothing but bugs was finished." if fixed else "Nothing was finished.",
    )


def objectives(facts: Facts) -> Section:
    """What stands above all other work, with its progress, and that of the outcome where a result is recorded."""
    highest = [each for each in facts.objectives if not any(up.type in LARGE for up in facts.backlog.ancestors(each))]
    silent = [issue for issue in highest if not own_outcomes(issue, facts.context)]
    unmeasured = [issue for issue in highest if issue not in silent and _result(issue, facts) is None]
    of = f"of {figures.counted(len(highest), 'objective')}: initiatives, and epics that belong to none"
    return Section(
        name="objectives",
        title="Objectives and their progress",
        note="Progress counts finished items; whether the outcome moved is only known where somebody recorded it.",
        figures=(
            counted_issues("Without a stated outcome", silent, of),
            counted_issues("Outcome without a result", unmeasured, of),
        )
        if highest
        else (),
        entries=tuple(entry(issue, f"{_progress(issue, facts)}; {_outcome(issue, facts)}") for issue in highest),
        empty="No epic and no initiative is under way or near.",
    )


def _result(issue: Issue, facts: Facts) -> str | None:
    found = next(recorded_results(issue, facts.context.texts.body(issue)), None)
    return excerpt(found.excerpt) if found else None


def _progress(issue: Issue, facts: Facts) -> str:
    work = [each for each in _below(issue, facts) if each.status.category is not StatusCategory.CANCELLED]
    done = sum(each.status.category is StatusCategory.DONE for each in work)
    return f"{done} of {figures.counted(len(work), 'item')} finished" if work else "no items below"


def _below(issue: Issue, facts: Facts, depth: int = 3) -> Iterator[Issue]:
    """Stories, tasks and bugs below, however deep; subtasks are part of theirs."""
    for child in facts.backlog.children(issue):
        if child.type in SPRINT_TYPES:
            yield child
        elif depth:
            yield from _below(child, facts, depth - 1)


def _outcome(issue: Issue, facts: Facts) -> str:
    stated = own_outcomes(issue, facts.context)
    if not stated:
        return "no outcome stated"
    return f"{excerpt(stated[0].text).rstrip('.')} (result: {_result(issue, facts) or 'none recorded'})"


def why_epics(facts: Facts) -> Section:
    """What each epic is for, so that nobody builds without knowing."""
    epics = [each for each in facts.objectives if each.type is IssueType.EPIC]
    return Section(
        name="why",
        title="Why: what each epic is for",
        entries=tuple(entry(issue, _outcome(issue, facts)) for issue in epics),
        empty="No epic is under way or near.",
    )


def initiatives(facts: Facts) -> Section:
    """What is under way at once against the cap."""
    rule = facts.rule(TooManyInitiatives)
    evergreen = {label.casefold() for label in rule.evergreen_labels}
    found = [
        each
        for each in facts.objectives
        if each.is_started and not evergreen & {label.casefold() for label in each.labels}
    ]
    kinds = [("Initiatives", IssueType.INITIATIVE), ("Epics", IssueType.EPIC)]
    return Section(
        name="initiatives",
        title="Under way against the cap",
        figures=tuple(
            counted_issues(
                f"{name} in progress",
                [each for each in found if each.type is kind],
                f"cap {rule.cap:g}" + (" for each team" if kind is IssueType.EPIC else ""),
            )
            for name, kind in kinds
        ),
    )
