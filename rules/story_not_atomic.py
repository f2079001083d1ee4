"""TXT006: one story asks for two things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.rule import Context, Example, Rule
from backlint.rules.story_text import told_story

# English verbs of what stories ask for. A bare word after "and" is a second verb only if it is one of these.
_VERB = (
    r"(?:add|analy[sz]e|approve|archive|assign|book|browse|buy|cancel|change|check|choose|close|compare|configure|connect"
    r"|create|customi[sz]e|define|delete|deploy|disable|download|edit|enable|enter|export|filter|find|follow|generate|get"
    r"|hide|import|install|invite|link|list|load|log|make|manage|mark|merge|monitor|move|navigate|notify|open|order|pay"
    r"|preview|print|publish|read|receive|record|remove|rename|reply|report|request|reset|restore|retrieve|review|run"
    r"|save|schedule|search|see|select|send|set|share|show|sort|specify|start|stop|store|submit|subscribe|sync|tag|test"
    r"|track|transfer|translate|update|upgrade|upload|use|validate|verify|view|visit|watch|write)"
)
_TWO_VERBS = re.compile(
    rf"""(?:^|\bto\s+|\bable\s+to\s+)(?P<first>{_VERB})\b(?P<between>[^.;\n]{{0,120}}?)\s(?:and|or)\s+
            (?:then\s+|also\s+|be\s+able\s+to\s+)*(?:to\s+\w+|(?P<second>{_VERB})\s+(?!and\b|or\b|of\b|is\b|are\b|in\b|for\b)\w+)
        | \bto\s+\w+\b[^.;\n]{{0,120}}?\s(?:and|or)\s+(?:then\s+|also\s+)?to\s+\w+
        | \b\w+(?:er|ir|re)\b[^.;\n]{{0,120}}?\set\s+(?:de\s+|d['’]|pouvoir\s+)?[a-zà-ÿ]{{2,}}(?:er|ir)\b
        | \b\w+(?:ar|er|ir)\b[^.;\n]{{0,120}}?\s(?:y|e)\s+(?:de\s+|poder\s+)?[a-zà-ÿ]{{2,}}(?:ar|er|ir)\b
        | \b\w+(?:are|ere|ire)\b[^.;\n]{{0,120}}?\se\s+(?:di\s+|poter\s+)?[a-zà-ÿ]{{2,}}(?:are|ere|ire)\b
        | \w+ieren\s+und\s[^.;\n]{{0,120}}?[a-zäöüß]+en(?=\W*$)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class StoryNotAtomic(Rule):
    """Two wants in one story.

    Why it matters: of two wants one is usually worth more, and together they take as long as the worse one.

    How to fix: one story for each want; the second often turns out not to be needed.

    Not flagged: lists of things ("name and address"); pairs that are one action ("drag and drop"); the benefit,
    however long it is.
    """

    code = "TXT006"
    name = "story-not-atomic"
    severity = Severity.INFO
    question = "Could these be two slices?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY})
    pairs: tuple[str, ...] = (
        "drag and drop", "copy and paste", "cut and paste", "find and replace", "search and replace",
        "point and click", "search and filter", "filter and sort", "sort and filter", "see and use", "read and write",
        "come and go", "try and see", "save and close", "view and edit",
    )  # verbs that are one action together  # fmt: skip

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        told = told_story(issue, context)
        if told is None or told.story.want is None:
            yield self.not_applicable(issue, "not told as a story: TXT005 says it")
        elif len(told.story.wants) > 1 or self._has_two_verbs(told.story.want):
            yield self.fail(issue, context, "Two wants in one story.", evidence=[told.evidence], confidence=0.6)
        else:
            yield self.ok(issue, "one want", evidence=[told.evidence])

    def _has_two_verbs(self, want: str) -> bool:
        for pair in self.pairs:
            want = re.sub(rf"\b{re.escape(pair)}\b", pair.split()[0], want, flags=re.IGNORECASE)
        return _TWO_VERBS.search(want) is not None

    flagged = (
        Example(
            "two verbs", an_issue(body="As a clerk I want to export and to schedule reports."), evidence="schedule"
        ),
        Example("two sentences", an_issue(body="As a clerk I want an export of reports. I want a schedule for them.")),
        Example("a second want after and", an_issue(body="As a clerk, I want an export, and I want it each Monday.")),
        Example("two verbs with things", an_issue(body="As a clerk I want to create invoices and send reminders.")),
        Example("Spanish", an_issue(body="Como contable quiero exportar la lista y programar informes.")),
    )
    passed = (
        Example("two things", an_issue(body="As a clerk I want to see the name and address of a customer.")),
        Example("one action of two verbs", an_issue(body="As a clerk I want to drag and drop rows in the list.")),
        Example("and in the benefit", an_issue(body="As a clerk I want an export so that I can sort and send it.")),
        Example("and inside a name", an_issue(body="As a clerk I want to open the Research and Development report.")),
    )
    declined = (
        Example("not told as a story", an_issue(body="Export the list and schedule it.")),
        Example("a task", an_issue(type=IssueType.TASK, body="As a clerk I want to export and to schedule reports.")),
    )
