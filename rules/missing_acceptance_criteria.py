"""AC001: nobody wrote down what must be true for the story to be accepted."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import a_comment, an_issue
from backlint.model import ChecklistItem, Issue, Judgement, Severity, StatusCategory
from backlint.rules.criteria_text import CriteriaRule
from backlint.rules.evidence import of_dropped
from backlint.rules.rule import Context, Example

BACKGROUND = """\
Finance copies the invoice list by hand at the end of each month.

The list has grown to several hundred rows since the last release.

The export of orders was built two years ago by another team.
"""
PRE_FLIGHT = """\
The invoice list has no export.

### Before you submit

- [x] I have searched existing issues
- [x] I read the docs
"""
DEFINITION_OF_DONE = """\
Please offer an export of the invoice list.

## Definition of done

- [ ] Code reviewed by a second person
- [ ] Unit tests written and green
- [ ] Documentation updated on the wiki
- [ ] Deployed to the staging system
- [ ] Product owner has seen it
"""
QUOTED = "> Acceptance criteria: the file opens in a spreadsheet, amounts keep two decimals"
GHERKIN = """\
An export for finance.

~~~gherkin
Scenario: export
  Given an invoice list with three rows
  When the user presses Export
  Then a file with three rows is downloaded
~~~
"""
TABLE = """\
## Acceptance criteria

| # | Criterion | Status |
| --- | --- | --- |
| 1 | The file opens in a spreadsheet | open |
| 2 | Amounts keep two decimals | open |
"""
STEPS_AS_SENTENCE = "1. WHEN a user clicks an external link THEN the system SHALL validate the URL"
JAPANESE = "## Acceptance Criteria\n\n- ファイルを表計算ソフトで開ける\n- 金額は小数点以下二桁で表示する\n"
BOLD_HEADING = "**Acceptance criteria**\n\n- The file opens in a spreadsheet\n- Amounts keep two decimals\n"
WORK_STEPS = """\
## Tasks

- [ ] Add the button to the list
- [ ] Write the file in the background
- [ ] Deploy to staging
"""


class MissingAcceptanceCriteria(CriteriaRule):
    """No acceptance criteria found.

    Why it matters: without a condition that can be checked, done is whatever each reader believes it to be,
    and the difference is found in review or in production.

    How to fix: write two to five bullets under a heading "Acceptance criteria", or one Given/When/Then.

    Not flagged: criteria in a mapped field, under any heading that means acceptance, as boxes, as Gherkin,
    as a table, or in sentences ("done when ...", "shall", two or more that say what must or should be, what
    is to be ensured, or what follows an event: "when a row is added, the sum is shown"). Boxes that list work,
    a team's definition of done, quoted text and what backlint itself wrote do not count.
    Criteria that are only an image cannot be judged.
    """

    code = "AC001"
    name = "missing-acceptance-criteria"
    label = "needs-acceptance-criteria"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = (
        "What must be observably true for you to accept this? Two to five bullets or one Given/When/Then are enough."
    )
    on_create = True
    dimension = "clarity"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        criteria = self.criteria(issue, context)
        document = context.texts.body(issue)
        if criteria.waiver is not None:
            yield self.waived_inline(issue, criteria.waiver)
        elif criteria.found is not None:
            yield self.ok(issue, f"criteria found ({criteria.found.kind})", evidence=[criteria.found])
        elif criteria.unreadable is not None:
            yield self.unknown(issue, criteria.unreadable)
        elif criteria.shells:
            yield self.not_applicable(issue, "the section exists and is empty: AC002 says it")
        elif criteria.elsewhere is not None:
            yield self.fail(
                issue, context, "The criteria live elsewhere.", evidence=[criteria.elsewhere], severity=Severity.INFO
            )
        else:
            yield self.fail(
                issue, context, "No acceptance criteria found.", evidence=of_dropped(document, field="body")
            )

    flagged = (
        Example("three paragraphs of background", an_issue(body=BACKGROUND)),
        Example(
            "what a team needs is no requirement",
            an_issue(body="We need to create the file.\n\nSomeone needs to look at the server first.\n"),
        ),
        Example(
            "proposals of work",
            an_issue(body="We should switch to the new driver. We should then measure how fast the export is.\n"),
        ),
        Example(
            "what a fault should have done",
            an_issue(
                body="## Expected behaviour\n\nThe dialogue should close. The list should be shown again.\n",
            ),
        ),
        Example("boxes that name parts", an_issue(body="- [ ] Invoice list\n- [x] Order list\n- [ ] Price list\n")),
        Example(
            "a list of how things are",
            an_issue(body="- The export is written by the old driver\n- The list has several hundred rows\n"),
        ),
        Example("only pre-flight boxes", an_issue(body=PRE_FLIGHT)),
        Example("only the team's definition of done", an_issue(body=DEFINITION_OF_DONE)),
        Example("criteria quoted from another issue", an_issue(body=QUOTED), evidence="opens in a spreadsheet"),
        Example("boxes that list work", an_issue(body=WORK_STEPS)),
        Example("no description at all", an_issue(body="")),
        Example("Dutch user story is no Gherkin", an_issue(body="Als gebruiker wil ik filteren zodat ik sneller vind")),
        Example("starred steps without keywords are no Gherkin", an_issue(body="* step one\n* step two\n")),
        Example("a date line is no Italian Given", an_issue(body="Date: 3 May\nWhen: noon\nThen: home\n")),
        Example(
            "criteria only in a comment of backlint",
            an_issue(
                body="Export the invoice list for finance.",
                reporter="mia",
                comments=(a_comment("## Acceptance criteria\n\n- The file opens in a spreadsheet\n", is_own=True),),
            ),
        ),
        Example(
            "criteria in a comment of someone else",
            an_issue(
                body="Export the invoice list for finance.",
                reporter="mia",
                comments=(a_comment("## Acceptance criteria\n\n- The file opens in a spreadsheet\n", author="ben"),),
            ),
        ),
        Example(
            "near, hence an error",
            an_issue(body=BACKGROUND, category=StatusCategory.TODO),
            severity=Severity.ERROR,
        ),
        Example("far, hence information", an_issue(body=BACKGROUND), severity=Severity.INFO),
        Example(
            "criteria on a page elsewhere",
            an_issue(body="See https://wiki.example.com/export for all that matters.", category=StatusCategory.TODO),
            options={"accept_links": ("example.com",)},
            severity=Severity.INFO,
        ),
    )
    passed = (
        Example(
            "events and what follows them",
            an_issue(
                body="When a row is added, the sum is shown again. If the list is empty, the button stays disabled."
            ),
        ),
        Example(
            "a definition of done that is the issue's own",
            an_issue(body="## Definition of done\n\n- The file opens in a spreadsheet\n- Amounts keep two decimals\n"),
        ),
        Example(
            "success criteria that can be checked",
            an_issue(
                body="## Success criteria\n\n- The file opens in a spreadsheet\n- All amounts keep two decimals\n"
            ),
        ),
        Example(
            "a list of what shall be",
            an_issue(body="The overview should show:\n\n- the sum of all rows\n- the date of the last export\n"),
        ),
        Example(
            "boxes that say what is so in the end",
            an_issue(body="- [ ] Border is grey\n- [ ] Shadow is gone on hover\n"),
        ),
        Example(
            "states to be ensured",
            an_issue(body="* make sure the total is shown at the top\n* amounts should keep two decimals\n"),
        ),
        Example("a goal that can be checked at the end", an_issue(body="The aim is 90 % coverage of the export.")),
        Example(
            "a Gherkin fence with a real scenario", an_issue(body=GHERKIN), evidence="When the user presses Export"
        ),
        Example("the same fence without a language", an_issue(body=GHERKIN.replace("~~~gherkin", "~~~"))),
        Example("a table of criteria", an_issue(body=TABLE), evidence="The file opens in a spreadsheet"),
        Example("requirement style WHEN THEN SHALL", an_issue(body=STEPS_AS_SENTENCE)),
        Example("Japanese bullets", an_issue(body=JAPANESE), evidence="ファイルを表計算ソフトで開ける"),
        Example("a bold line as heading", an_issue(body=BOLD_HEADING), evidence="The file opens in a spreadsheet"),
        Example("a mapped field", an_issue(fields={"acceptance_criteria": "The file opens in a spreadsheet"})),
        Example(
            "the tracker's own checklist",
            an_issue(checklist=(ChecklistItem("The file opens in a spreadsheet"), ChecklistItem("Amounts keep cents"))),
        ),
        Example("done when", an_issue(body="Done when the file opens in a spreadsheet with all its rows.")),
        Example(
            "two must statements",
            an_issue(body="The file must open in a spreadsheet. Amounts must keep two decimals."),
        ),
        Example(
            "a German section",
            an_issue(body="## Akzeptanzkriterien\n\n- Die Datei lässt sich in einer Tabelle öffnen\n"),
        ),
        Example(
            "a comment of the author",
            an_issue(
                body="Export the invoice list for finance.",
                reporter="mia",
                comments=(a_comment("## Acceptance criteria\n\n- The file opens in a spreadsheet\n"),),
            ),
            evidence="The file opens in a spreadsheet",
        ),
        Example(
            "criteria of the parent, where they are inherited",
            an_issue(id="2", parent="1"),
            others=(an_issue(id="1", body=BOLD_HEADING),),
            options={"inherit": True},
        ),
    )
    declined = (
        Example("criteria only in an image", an_issue(body="![criteria](https://example.com/criteria.png)")),
        Example(
            "not applicable for a reason",
            an_issue(body="## Acceptance criteria\n\nN/A – wording change only, nothing to accept\n"),
        ),
        Example("an empty section belongs to AC002", an_issue(body="## Acceptance criteria\n\n- [ ] TBD\n")),
    )
