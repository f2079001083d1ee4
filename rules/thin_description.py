"""TXT002: a description that a newcomer could not start from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.bug_text import BUG_TYPES, stated_actual, stated_expected, stated_steps
from backlint.rules.criteria_text import field_text, found_criteria, is_allowed
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_span
from backlint.rules.rule import Context, Example, Rule
from backlint.rules.words import adds_nothing, content_words
from backlint.text.document import Document, DropReason
from backlint.text.noise import is_log_line
from backlint.text.words import count_words, unspaced_characters

_LETTERS = re.compile(r"(?<![\w/.\\:-])[^\W\d_]{2,}(?![\w/\\=(])")
_CODE_SIGN = re.compile(r"[{};]\s*$|^\s*[#$>]\s|::|->|=>|==|\w\(|</")
_OPEN_BOX = "[ ]"  # with one or two words behind it: a form's choice that nobody took
MIN_SENTENCE = 4  # words of letters alone; code seldom has so many on a line
LOG = """\
The export fails:

```
Traceback (most recent call last):
  File "export.py", line 12, in write
    raise ValueError("no rows in the list of invoices")
ValueError: no rows in the list of invoices
```
"""


class ThinDescription(Rule):
    """Only a few words of description.

    Why it matters: whoever picks the issue up has to find its author before the work can begin.

    How to fix: say what is there now, what is missing, and for whom.

    Severity: a near story is a warning, everything else information.

    Not flagged: short texts with acceptance criteria, with steps to reproduce or with what was expected and what
    happened; a link to an allowed place; the error text of a bug; a discussion that is quoted, since it says what it is
    about though another wrote it. A line that only repeats the title adds no words.
    """

    code = "TXT002"
    name = "thin-description"
    label = "needs-detail"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "What would someone new to this need to start?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG})
    min_words: int = 12  # catalogue TXT002; in scripts without spaces two characters are a word
    min_words_task: int = 6  # a task may be said in one line
    code_counts: bool = True  # whether error text in a fence describes a bug
    exempt_labels: tuple[str, ...] = ("trivial",)  # nothing to say beyond the title, as for TXT001
    allowed_links: tuple[str, ...] = ()  # domains whose pages count as a description
    description_fields: tuple[str, ...] = (
        "description", "problem", "steps", "expected", "actual", "acceptance_criteria", "outcome",
    )  # mapped fields whose words count as well  # fmt: skip

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = issue.labels and {each.casefold() for each in issue.labels} & {*map(str.casefold, self.exempt_labels)}
        if exempt:
            yield self.ok(issue, f"labelled {min(exempt)}")
            return
        document = context.texts.body(issue)
        words = self._words(issue, document, context)
        least = self.min_words_task if issue.type is IssueType.TASK else self.min_words
        if words >= least:
            yield self.ok(issue, f"{words} words")
            return
        instead = self._instead(issue, document, context)
        if instead is not None:
            yield self.ok(issue, instead)
            return
        said = lines_of(document)
        evidence = [of_span(document, said[0].start, said[-1].end, kind="P", field="body")] if said else []
        yield self.fail(
            issue,
            context,
            f"Only {words} {'word' if words == 1 else 'words'} of description.",
            evidence=evidence,
            severity=None if issue.type is IssueType.STORY else Severity.INFO,
        )

    def _words(self, issue: Issue, document: Document, context: Context) -> int:
        """Words beyond the title: authored or quoted; sentences in a fence count, and for bugs its other lines do."""
        said = set(content_words(issue.title))
        authored = sum(
            item.words for item in document.items if not item.is_header and not _only_repeats(item.text, said)
        )
        short = (DropReason.TOO_SHORT, DropReason.QUOTE)
        lines = [
            line.text
            for line in document.dropped
            if line.reason in short and not document.text.startswith(_OPEN_BOX, line.start)
        ]
        code = [line.text for line in document.dropped if line.reason in (DropReason.CODE, DropReason.LOG)]
        if issue.type in BUG_TYPES and self.code_counts:
            lines += code
        else:
            lines += [line for text in code for line in _sentences(text)]
        for name in self.description_fields if issue.fields else ():
            text = field_text(issue, name)
            if text.strip():
                lines += [item.text for item in context.texts.read(text, issue.markup).items]
        return authored + sum(count_words(line) for line in lines if not _only_repeats(line, said))

    def _instead(self, issue: Issue, document: Document, context: Context) -> str | None:
        """What makes up for few words."""
        if found_criteria(issue, context) is not None:
            return "criteria say it"
        if issue.type in BUG_TYPES:
            if stated_steps(issue, context) is not None:
                return "steps say it"
            if stated_expected(issue, context) is not None and stated_actual(issue, context) is not None:
                return "expected and actual say it"
        link = next((link for link in document.links if is_allowed(link, self.allowed_links)), None)
        return None if link is None else "a link to an allowed place"

    flagged = (
        Example(
            "a form of which only boxes are left",
            an_issue(
                body="## Requirements\n\n- [ ] Copy writing\n- [ ] Illustration\n- [ ] Research\n- [ ] UX Design\n"
                "- [ ] Data / Analytics\n- [ ] Custom Graphics\n- [ ] Engineering\n\nFor the export.\n"
            ),
        ),
        Example("two words", an_issue(body="Add export."), evidence="Add export", severity=Severity.INFO),
        Example(
            "near, hence a warning", an_issue(body="see slack", category=StatusCategory.TODO), severity=Severity.WARNING
        ),
        Example(
            "a near bug is information",
            an_issue(type=IssueType.BUG, title="Export", body="It broke today.", category=StatusCategory.TODO),
            severity=Severity.INFO,
        ),
        Example(
            "a task that repeats its title",
            an_issue(
                type=IssueType.TASK,
                title="Write documentation for the export",
                body="Write documentation for the export.",
            ),
        ),
        Example("Japanese", an_issue(title="出力", body="一覧を出力する。")),
    )
    passed = (
        Example(
            "few words and two criteria",
            an_issue(body="Export the list.\n\n## Acceptance criteria\n\n- File has all rows\n- Amounts keep cents\n"),
        ),
        Example(
            "a task of seven words",
            an_issue(type=IssueType.TASK, title="Keys", body="Rotate the keys of the mail server."),
        ),
        Example(
            "a quoted discussion",
            an_issue(
                title="Follow-up",
                body="From the review:\n\n> The list should be read once and kept, since each page asks for it again "
                "and the server answers slowly at the end of the month.\n",
            ),
        ),
        Example("a bug with its error text", an_issue(type=IssueType.BUG, title="Export", body=LOG)),
        Example(
            "a link to an allowed place",
            an_issue(body="See https://wiki.example.com/export"),
            options={"allowed_links": ("example.com",)},
        ),
        Example(
            "Japanese sentences", an_issue(body="請求書の一覧を表計算ソフトで開けるようにする。毎月の締めに使う。")
        ),
        Example("an exempt label", an_issue(body="Add export.", labels=frozenset({"trivial"}))),
        Example(
            "a short bug that says both",
            an_issue(type=IssueType.BUG, title="Order", body="Sorted by name, should be by date."),
        ),
    )
    declined = (Example("an epic", an_issue(type=IssueType.EPIC, body="Exports.")),)


def _sentences(code: str) -> Iterator[str]:
    """The lines of a fence that read as prose: whole reports are pasted into fences. A log is no prose."""
    lines = [line for line in code.splitlines() if line.strip()]
    if lines and not is_log_line(lines[0]):
        yield from filter(_is_sentence, lines)


def _is_sentence(line: str) -> bool:
    return len(_LETTERS.findall(line)) >= MIN_SENTENCE and not is_log_line(line) and not _CODE_SIGN.search(line)


def _only_repeats(line: str, said: set[str]) -> bool:
    """Whether a line holds no content word beyond the title's."""
    return adds_nothing(line, said) and not unspaced_characters(line)
