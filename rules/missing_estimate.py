"""EST001: the team estimates its work, and this item has no estimate."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import lines, of_part, of_value
from backlint.rules.rule import Context, Example, Rule

# Fields that some sources map beside the main one: several point fields in one Jira site, time instead of points.
ESTIMATE_FIELDS = ("estimate", "story_points", "points", "time_estimate", "original_estimate", "size")
_SIZE_LABEL = re.compile(
    r"""^(?:(?:size|effort|estimate|est|points?|sp|story[- ]?points?|complexity|t-?shirt)\s*[:/=_-]+\s*
            (?:x{0,3}[sl]|m|small|medium|large|\d+(?:\.\d+)?)
        |x{0,2}[sl]|m|\d+\s*(?:sp|pts?|points?))$""",
    re.VERBOSE | re.IGNORECASE,
)
_ESTIMATE_LINE = re.compile(
    r"""^\W*(?:estimat(?:e|ion)|story\ points?|points?|effort|size|t-?shirt(?:\ size)?|aufwand|schätzung|estimación
            |estimativa|stima|schatting|wycena)\W*?\s*[:=]\s*[*_]*
        (?:~|ca\.?\s*)?(?:\d+(?:[.,]\d+)?|x{0,3}[sl]|m|small|medium|large)\b""",
    re.VERBOSE | re.IGNORECASE,
)
ESTIMATING = {"habits_are_on": True}


class MissingEstimate(Rule):
    """Not estimated.

    Why it matters: a sprint is planned by what fits in, and an item without a size fits in always.

    How to fix: compare it with items finished recently and give it the same size.

    Not flagged: teams that count items instead, learned from what they finished in 90 days; a size label or
    a line "Estimate: 3"; a time estimate; zero, which is a value.
    """

    code = "EST001"
    name = "missing-estimate"
    label = "needs-estimate"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Roughly how big compared with recent items?"
    waits_for_triage = True
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK})
    zero_counts: bool = True  # some teams give small chores no points on purpose

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        found = self._estimate(issue, context)
        if found is not None:
            yield self.ok(issue, "estimated", evidence=[found])
            return
        habits = context.backlog.habits(issue)
        if habits.estimates is None:
            yield self.not_applicable(issue, "too little finished in 90 days to tell whether the team estimates")
        elif not habits.estimates:
            yield self.not_applicable(
                issue, f"the team counts items: under half of the last {habits.sample} had an estimate"
            )
        else:
            yield self.fail(issue, context, "Not estimated.")

    def _estimate(self, issue: Issue, context: Context) -> Evidence | None:
        if issue.estimate is not None and (issue.estimate != 0 or self.zero_counts):
            return of_value("F", "estimate", f"{issue.estimate:g} {issue.estimate_unit}")
        for name in ESTIMATE_FIELDS:
            if self._is_value(issue.fields.get(name)):
                return of_value("F", f"fields.{name}", issue.fields[name])
        label = next((label for label in sorted(issue.labels) if _SIZE_LABEL.match(label)), None)
        if label is not None:
            return of_value("F", "labels", label)
        document = context.texts.body(issue)
        line = next((line for line in lines(document) if _ESTIMATE_LINE.match(line.text)), None)
        return of_part(document, line, kind="P", field="body") if line is not None else None

    def _is_value(self, value: object) -> bool:
        if isinstance(value, bool) or value is None:
            return False
        if isinstance(value, (int, float)):
            return value != 0 or self.zero_counts
        return bool(re.search(r"\d|^\s*(?:x{0,3}[sl]|m)\s*$", str(value), re.IGNORECASE))

    flagged = (
        Example(
            "ready without points",
            an_issue(category=StatusCategory.TODO),
            context=ESTIMATING,
            severity=Severity.WARNING,
        ),
        Example("a question mark", an_issue(body="Estimate: ?"), context=ESTIMATING, severity=Severity.INFO),
        Example("zero, where it is no value", an_issue(estimate=0), context=ESTIMATING, options={"zero_counts": False}),
        Example("a label that is no size", an_issue(labels=frozenset({"small-screen"})), context=ESTIMATING),
    )
    passed = (
        Example("half a point", an_issue(estimate=0.5), context=ESTIMATING),
        Example("zero", an_issue(estimate=0), context=ESTIMATING),
        Example("a size label", an_issue(labels=frozenset({"size/M"})), context=ESTIMATING),
        Example("a line", an_issue(body="Estimate: 3"), context=ESTIMATING, evidence="Estimate: 3"),
        Example("time instead of points", an_issue(fields={"time_estimate": "2d"}), context=ESTIMATING),
    )
    declined = (
        Example("a team that counts items", an_issue(category=StatusCategory.TODO)),
        Example("a bug", an_issue(type=IssueType.BUG), context=ESTIMATING),
    )
