"""Scores of teams and backlogs from a check; no score of a person exists."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from backlint.activity import human_events
from backlint.flow import items
from backlint.flow.metrics import iso_week
from backlint.model import Issue, Presence, Severity, Verdict
from backlint.scopes import team_name
from backlint.scores import BacklogScore, TeamScore, backlog_score, nearness, team_score
from backlint.sync.check import Checked, CheckResult
from backlint.sync.store import StoredScore

FRESH = timedelta(days=90)  # catalogue 3.4
WEEKS = 12  # of throughput behind the length of a backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScores:
    """The scores of a check: by team over its near issues, by project over its whole backlog."""

    teams: Mapping[str, TeamScore]
    backlogs: Mapping[str, BacklogScore]
    open_issues: Mapping[str, int]  # by project


def score_groups(result: CheckResult) -> GroupScores:
    teams: dict[str, list[Checked]] = defaultdict(list)
    projects: dict[str, list[Checked]] = defaultdict(list)
    for each in result.checked:
        if each.issue.presence is Presence.PRESENT:
            teams[team_name(each.issue)].append(each)
            projects[result.backlog.project_title(each.issue)].append(each)
    throughput = _weekly_throughput(result)
    costly = _deducted(result)
    scored_teams = {name: _team(members, result, costly.get(name, ())) for name, members in teams.items()}
    scored = {name: _backlog(members, result, throughput[name]) for name, members in projects.items()}
    return GroupScores(
        teams={name: score for name, score in scored_teams.items() if score is not None},
        backlogs={name: score for name, score in scored.items() if score is not None},
        open_issues={name: sum(each.issue.is_open for each in members) for name, members in projects.items()},
    )


def _deducted(result: CheckResult) -> Mapping[str, list[Severity]]:
    """The open findings on a team and its sprints, for which its score pays; waived ones excepted."""
    found: dict[str, list[Severity]] = defaultdict(list)
    for each in result.scopes.public:
        if each.verdict is not Verdict.FAIL or each.scope is None or each.scope.team is None:
            continue
        if not result.trust.waivers_of(each.scope, [each.rule]):
            found[each.scope.team].append(each.severity)
    return found


def _team(members: Iterable[Checked], result: CheckResult, costly: Iterable[Severity]) -> TeamScore | None:
    near = (
        (each.score.exact, nearness(each.issue, is_in_sprint=result.backlog.is_in_sprint(each.issue)))
        for each in members
        if each.is_near and each.score is not None
    )
    return team_score(near, costly)


def _backlog(members: list[Checked], result: CheckResult, weekly: Iterable[int]) -> BacklogScore | None:
    open_ones = [each for each in members if each.issue.is_open]
    fresh = sum(_is_fresh(each.issue, result) for each in open_ones)
    return backlog_score(
        near_scores=[each.score.exact for each in open_ones if each.is_near and each.score is not None],
        fresh=(fresh, len(open_ones)),
        open_items=len(open_ones),
        weekly_throughput=list(weekly),
    )


def _is_fresh(issue: Issue, result: CheckResult) -> bool:
    if issue.review_on is not None and issue.review_on > result.as_of.date():
        return True
    return any(event.at >= result.as_of - FRESH for event in human_events(issue))


def _weekly_throughput(result: CheckResult) -> Mapping[str, list[int]]:
    """Items finished in each of the last whole weeks, zeros included, by project."""
    today = result.as_of.date()
    this_week = iso_week(today)
    weeks = [this_week - timedelta(weeks=back) for back in range(WEEKS, 0, -1)]
    finished: dict[str, Counter[object]] = defaultdict(Counter)
    judged = [each.issue for each in result.checked]
    for item in items(judged, result.as_of):
        for episode in item.finished():
            if episode.finished_at is not None:
                finished[result.backlog.project_title(item.issue)][iso_week(episode.finished_at.date())] += 1
    names = {result.backlog.project_title(issue) for issue in judged}
    return {name: [finished[name][week] for week in weeks] for name in names}


def stored_scores(result: CheckResult) -> list[StoredScore]:
    """Everything that a later audit compares with."""
    groups = score_groups(result)
    issues = (each for each in result.checked if each.score is not None and each.is_near)
    return [
        *(StoredScore(kind="team", name=name, score=s.shown, count=s.count) for name, s in groups.teams.items()),
        *(
            StoredScore(kind="backlog", name=name, score=s.shown, count=groups.open_issues[name])
            for name, s in groups.backlogs.items()
        ),
        *(
            StoredScore(
                kind="issue", name=f"{e.issue.source}:{e.issue.id}", score=e.score.shown if e.score else 0, count=1
            )
            for e in issues
        ),
    ]
