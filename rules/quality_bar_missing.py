"""AIF001: how good the model has to be is not said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.ai_text import AiRule
from backlint.rules.rule import Context, Example

FIELDS = ("quality_bar", "model_quality")
_MEASURE = (
    r"(?:precision|recall|f1(?:[- ]score)?|accuracy|error\ rates?|auc|roc|false[- ](?:positives?|negatives?|alarms?)"
    r"|true[- ]positives?|mae|rmse|bleu|rouge|wer"
    r"|ndcg|map@\d+|hit\ rate|win\ rates?|hallucinations?|human\ ratings?|ratings?|answers?|suggestions?|replies"
    r"|predictions?|results?|responses?|cases|latency"
    r"|genauigkeit|fehlerquote|trefferquote|pr[ée]cision|rappel|taux\ d['’]erreur|precisi[óo]n|exactitud"
    r"|tasa\ de\ error|precis[ãa]o|acur[áa]cia"
    r"|precisione|accuratezza|nauwkeurigheid|dokładność|precyzja)"
)
_BAR = (
    r"(?:[<>≤≥]=?\s*\d|\d+(?:[.,]\d+)?\s*%|0[.,]\d+|\b(?:at\s+(?:least|most)|no\s+more\s+than|fewer\s+than"
    r"|less\s+than|more\s+than|above|below|under|over|within|mindestens|höchstens"
    r"|au\s+moins|au\s+plus|al\s+menos|como\s+m[áa]ximo|pelo\s+menos|almeno|minstens|co\s+najmniej)\s+\d"
    r"|\b\d+\s+(?:in|of|out\s+of|von|sur|de|su|van|na)\s+\d+)"
)
_STATED = re.compile(
    rf"(?<!\w){_MEASURE}(?!\w)[^\n]{{0,80}}?{_BAR}|{_BAR}[^\n]{{0,80}}?(?<!\w){_MEASURE}(?!\w)",
    re.IGNORECASE | re.VERBOSE,
)
_NOTHING = re.compile(r"(?!)")  # a heading alone sets no bar: the numbers below it are found as sentences


def an_ai_story(body: str, **given: object) -> Issue:
    return an_issue(**{"title": "Recommend articles with a classifier", "body": body, **given})


class QualityBarMissing(AiRule):
    """No statement of how good the model must be.

    Why it matters: a model is never right always; without a bar every wrong answer starts the discussion again, and
    nobody knows when to stop.

    How to fix: which measure, which value, on which data, and what happens to the cases it gets wrong.

    Not flagged: a quality measure with a number or a comparison ("recall ≥ 0.95", "at most 1 in 200 answers"), here or
    in an issue above. A business metric alone is an outcome, not a quality.
    """

    code = "AIF001"
    name = "quality-bar-missing"
    label = "needs-quality-bar"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = (
        "What is good enough: which measure, which value, on which data, and what happens to the cases it gets wrong?"
    )

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        outside = self.why_outside(issue)
        if outside is not None:
            yield self.not_applicable(issue, outside)
            return
        found = self.stated(issue, context, FIELDS, _NOTHING, _STATED)
        if found is not None:
            yield self.ok(issue, "a bar is set", evidence=[found])
        else:
            yield self.fail(issue, context, "No statement of how good the model must be.", confidence=0.8)

    flagged = (
        Example("nothing said", an_ai_story("Recommend articles to users.")),
        Example(
            "an adjective",
            an_ai_story("The recommendations should be accurate.", category=StatusCategory.TODO),
            severity=Severity.WARNING,
        ),
        Example("a business metric alone", an_ai_story("Outcome: conversion from 8 % to 10 % by June.")),
        Example("by label", an_issue(title="Sort the inbox", body="Nothing yet.", labels=frozenset({"ML"}))),
    )
    passed = (
        Example(
            "measures with values",
            an_ai_story("We need recall ≥ 0.95 at precision ≥ 0.6 on the March sample."),
            evidence="recall ≥ 0.95",
        ),
        Example("so many in so many", an_ai_story("Accepted with at most 1 in 200 answers flagged by support.")),
        Example("German", an_ai_story("Die Genauigkeit liegt bei mindestens 90 % auf den Daten vom März.")),
        Example(
            "said by the epic above",
            an_ai_story("Show them in the sidebar.", id="2", parent="1"),
            others=(an_issue(id="1", type=IssueType.EPIC, body="Precision above 0.8 on 300 articles."),),
        ),
    )
    declined = (
        Example("no model in the title", an_issue(title="Export the list", body="Trained on recall.")),
        Example(
            "a passing mention in the body", an_issue(title="Add a data model page", body="The classifier reads it.")
        ),
        Example("a task", an_issue(type=IssueType.TASK, title="Train the classifier", body="")),
    )
