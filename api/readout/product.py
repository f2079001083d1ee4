"""Sections for product and design: outcomes, results, priorities, and what a design needs to know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from backlint.api.readout.delivery import role_of
from backlint.api.readout.facts import Facts
from backlint.api.readout.weekly import as_scope
from backlint.api.readout.wording import counted_issues
from backlint.api.reports import figures
from backlint.api.reports.entries import entry
from backlint.api.reports.readout import Figure, Section
from backlint.model import Issue, IssueType, Verdict
from backlint.rules.priority_inputs import inputs, score

PRIORITIES = {1: "highest", 2: "high", 3: "medium", 4: "low"}
# Words of statuses and labels that say what is waited for, and that it is.
_DESIGN = re.compile(r"(?<![a-z])(?:design|ux|ui|mock-?ups?|wireframes?|prototyp\w*|entwurf)(?![a-z])", re.IGNORECASE)

_WAITED = re.compile(
    r"(?<![a-z])(?:needs?|needed|wait\w*|await\w*|requires?d?|missing|pending|wanted|to-?do)(?![a-z])", re.I
)


# -- product -------------------------------------------------------------------------------------------------------


def coverage(facts: Facts) -> Section:
    """How much of the near work has an outcome, its own or that of what it belongs to."""
    asked = [issue for issue in facts.near if _verdict(issue, "OUT001", facts) in (Verdict.PASS, Verdict.FAIL)]
    lacking = [issue for issue in asked if _verdict(issue, "OUT001", facts) is Verdict.FAIL]
    covered = [issue for issue in asked if issue not in lacking]
    return Section(
        name="coverage",
        title="Outcome coverage",
        figures=(counted_issues("With an outcome", covered, _stories(asked)),) if asked else (),
        entries=tuple(entry(issue, "no outcome, neither its own nor inherited") for issue in lacking),
        empty=f"Nothing wrong: all {len(asked)} near stories have an outcome." if asked else "No story is near.",
    )


def _stories(whole: Sequence[Issue]) -> str:
    return f"of {figures.counted(len(whole), 'near story', 'near stories')}"


def _verdict(issue: Issue, code: str, facts: Facts) -> Verdict | None:
    found = facts.verdicts(issue).get(code)
    return found.verdict if found else None


def results_owed(facts: Facts) -> Section:
    """What was finished, and nobody wrote down whether it worked."""
    found = list(facts.failing(facts.closed_lately, "OUT005"))
    return Section(
        name="owed",
        title="Results owed",
        entries=tuple(entry(issue, judgement.message) for issue, judgement in found),
        empty=f"No result is owed. {_why_none_owed(facts)}",
    )


def _why_none_owed(facts: Facts) -> str:
    """What became of the question for everything that was closed lately: `8 too early to measure, 3 recorded`."""
    found = Counter(
        judgement.reason or judgement.verdict.value
        for issue in facts.closed_lately
        if (judgement := facts.verdicts(issue).get("OUT005")) is not None
    )
    told = ", ".join(f"{count} {reason}" for reason, count in found.most_common())
    closed = figures.counted(len(facts.closed_lately), "epic, initiative or story", "epics, initiatives and stories")
    return f"{closed} closed in 180 days{': ' + told if told else ''}."


def review_dates(facts: Facts) -> Section:
    """Epics and initiatives that nobody has set a day for to look again."""
    without = [issue for issue, _ in facts.failing(facts.objectives, "REV001")]
    return Section(
        name="review_dates",
        title="Review dates",
        figures=(
            counted_issues(
                "Without a review date",
                without,
                f"of {figures.counted(len(facts.objectives), 'epic or initiative', 'epics and initiatives')}",
            ),
        )
        if facts.objectives
        else (),
        entries=tuple(entry(issue, "no day to look again") for issue in without),
        empty="Nothing lacks a review date." if facts.objectives else "No epic and no initiative is under way or near.",
    )


def priorities(facts: Facts) -> Section:
    """How the near work spreads over priorities; when everything is urgent, nothing is."""
    counts: Counter[int | None] = Counter(issue.priority for issue in facts.near)
    levels = sorted(counts, key=lambda level: (level is None, level or 0))
    inflated = [as_scope(each) for each in facts.about_scopes if each.rule == "PRI001"]
    none_set = not any(level is not None for level in counts)
    return Section(
        name="priorities",
        title="Priority spread",
        figures=tuple(
            counted_issues(
                "No priority" if level is None else f"Priority {PRIORITIES.get(level, level)}",
                [issue for issue in facts.near if issue.priority == level],
                f"of {figures.counted(len(facts.near), 'near item')}",
            )
            for level in levels
        ),
        entries=tuple(inflated),
        empty="" if none_set else "No team has too much at the top.",
        missing=("no near item has a priority",) if facts.near and none_set else (),
    )


def scores(facts: Facts) -> Section:
    """RICE and ICE that are older than what they rest on."""
    scored = [issue for issue in facts.objectives if score(issue) is not None or inputs(issue)]
    stale = list(facts.failing(scored, "PRI004"))
    return Section(
        name="stale_scores",
        title="Stale scores (RICE, ICE)",
        entries=tuple(entry(issue, f"{judgement.message} {judgement.question or ''}") for issue, judgement in stale),
        empty=f"No score is stale ({len(scored)} looked at)." if scored else "",
        missing=() if scored else ("no near epic or initiative has a score",),
    )


def backlog_scores(facts: Facts) -> Section:
    """As the last audit gave them; its report has the parts that they are made of."""
    return Section(
        name="backlog_score",
        title="Backlog score",
        note="Of the last audit, whose report names the parts and the findings behind each score.",
        figures=tuple(
            Figure(
                name=each.name,
                value=str(each.score),
                of=f"of 100; {figures.counted(each.issues, 'open issue')}",
                number=each.score,
            )
            for each in facts.scores
        ),
        missing=() if facts.scores else ("no audit has recorded a score yet: run `backlint audit`",),
    )


# -- design --------------------------------------------------------------------------------------------------------


def waiting_for_design(facts: Facts) -> Section:
    """Items whose status or label says that a design is waited for; a label such as "ux" only names the field."""
    found = [(issue, mark) for issue in facts.open if (mark := _awaited(issue)) is not None]
    about = [issue for issue in facts.open if any(_DESIGN.search(label) for label in issue.labels)]
    is_known = found or any(_awaited(issue) for issue in facts.issues)
    return Section(
        name="waiting_for_design",
        title="Waiting for design",
        figures=(counted_issues("Labelled as design", about, f"of {len(facts.open)} open"),) if about else (),
        entries=tuple(entry(issue, _waiting_since(issue, mark, facts)) for issue, mark in found),
        empty="Nothing waits for design." if is_known else "",
        missing=() if is_known else ("no status and no label says that something waits for design",),
    )


def _awaited(issue: Issue) -> str | None:
    if _DESIGN.search(issue.status.name):
        return issue.status.name
    return next((label for label in sorted(issue.labels) if _DESIGN.search(label) and _WAITED.search(label)), None)


def _waiting_since(issue: Issue, mark: str, facts: Facts) -> str:
    if mark != issue.status.name or not issue.transitions:
        return f"labelled {mark}"
    return f"{mark} for {figures.in_days(facts.now - issue.transitions[-1].at)}"


def context_given(facts: Facts) -> Section:
    """Whether near stories say for whom they are and how one sees that they worked."""
    stories = [issue for issue in facts.near if issue.type is IssueType.STORY]
    with_role = [issue for issue in stories if role_of(issue, facts) is not None]
    with_success = [issue for issue in stories if facts.outcome(issue) is not None]
    lacking = [
        entry(issue, " and ".join(_lacks(issue, with_role, with_success)))
        for issue in stories
        if issue not in with_role or issue not in with_success
    ]
    return Section(
        name="context",
        title="User context and success criteria",
        figures=(
            counted_issues("Say for whom", with_role, _stories(stories)),
            counted_issues("Say what success is", with_success, _stories(stories)),
        )
        if stories
        else (),
        entries=tuple(lacking),
        empty=f"Nothing wrong: all {len(stories)} near stories say both." if stories else "No story is near.",
    )


def _lacks(issue: Issue, with_role: list[Issue], with_success: list[Issue]) -> list[str]:
    return [
        *(["no user named"] if issue not in with_role else []),
        *(["no success criterion"] if issue not in with_success else []),
    ]
