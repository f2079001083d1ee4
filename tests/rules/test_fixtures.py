"""Bodies that detectors commonly get wrong, each with the rule that must or must not speak."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import Evidence, Issue, IssueType, Judgement, Markup, StatusCategory, Verdict
from backlint.rules.engine import judge
from backlint.rules.registry import all_rules
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache
from backlint.text.templates import TemplateKey, Templates, known, learn, template_key
from tests.factory import a_comment, an_issue

TEMPLATE_FENCE = """\
### Acceptance Criteria

~~~gherkin
Given [some context]
When [certain action is taken]
Then [the outcome of the action should be observed]
~~~
"""
FILLED_FENCE = """\
### Acceptance Criteria

~~~
Given an invoice list with three rows
When the user presses Export
Then a file with three rows is downloaded
~~~
"""
FORM_DEFAULT = """\
### Acceptance criteria

Given a signed-in customer with a full basket
When the customer pays with a valid card
Then an order number is shown
"""
TABLE = r"""
| Step | Text |
| --- | --- |
| GIVEN | `\<\>` |
| **WHEN** | **`\<\>`** |
| **THEN** | **`\<\>`** |
"""
DONE_LIST = """\
Please offer an export of the list.

## Definition of done

- [ ] Code reviewed by a second person
- [ ] Unit tests written and green
- [ ] Documentation updated on the wiki
- [ ] Deployed to the staging system
- [ ] Product owner has seen it
"""


def verdicts(
    issue: Issue,
    *others: Issue,
    templates: Mapping[TemplateKey, Templates] | None = None,
    habits_are_on: bool = False,
) -> dict[str, Judgement]:
    backlog = one_issue_backlog(issue, *others, now=EXAMPLE_NOW, habits_are_on=habits_are_on)
    context = Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache(templates or {}))
    return {each.rule: each for each in judge(issue, [rule() for rule in all_rules()], context)}


def failing(issue: Issue, *others: Issue, templates: Mapping[TemplateKey, Templates] | None = None) -> set[str]:
    found = verdicts(issue, *others, templates=templates)
    return {code for code, each in found.items() if each.verdict is Verdict.FAIL}


def criteria(issue: Issue) -> Evidence:
    """The evidence with which AC001 passes the issue."""
    judgement = verdicts(issue)["AC001"]
    assert judgement.verdict is Verdict.PASS
    return judgement.evidence[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (TEMPLATE_FENCE, "AC002"),
        (TABLE, "AC002"),
        ("- [ ] (Given)/(When)/(Then)\n- [ ] (Given)/(When)/(Then)\n", "AC002"),
        ("> Acceptance criteria: the file opens, amounts keep two decimals", "AC001"),
        ("- [x] I have searched existing issues\n- [x] I checked the documentation\n", "AC001"),
        ("Als gebruiker wil ik filteren zodat ik sneller vind", "AC001"),
        ("* step one\n* step two\n", "AC001"),
        ("Date: 3 May\nWhen: noon\nThen: home\n", "AC001"),
        ("## Acceptance criteria\n\nN/A\n", "AC002"),
        ("## Acceptance criteria\n\n- ~~The file opens~~\n- ~~Amounts keep two decimals~~\n", "AC002"),
    ],
    ids=["X1", "X3", "X5", "X8", "X9", "X11", "X12", "X13", "X14", "X20"],
)
def test_there_are_no_criteria_in(body: str, code: str) -> None:
    other = {"AC001": "AC002", "AC002": "AC001"}[code]

    found = failing(an_issue(body=body))

    assert code in found
    assert other not in found


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (FILLED_FENCE, "G"),
        ("1. WHEN a user clicks an external link THEN the system SHALL validate the URL", "G"),
        ("## Acceptance Criteria\n\n- ファイルを表計算ソフトで開ける\n", "S"),
        ("**Acceptance criteria**\n\n- The file opens in a spreadsheet\n", "S"),
        ("h3. Acceptance criteria\n\n* The file opens in a spreadsheet\n", "S"),
        ("- [ ] The file opens in a spreadsheet\n- [ ] Amounts keep two decimals\n", "C"),
        ("Done when the file opens in a spreadsheet.", "P"),
    ],
    ids=["X2", "X6", "X7", "X22", "wiki", "boxes", "done when"],
)
def test_there_are_criteria_in(body: str, kind: str) -> None:
    markup = Markup.WIKI if body.startswith("h3.") else Markup.MARKDOWN

    found = verdicts(an_issue(body=body, markup=markup))

    assert not {"AC001", "AC002"} & {code for code, each in found.items() if each.verdict is Verdict.FAIL}
    if kind != "G":
        assert criteria(an_issue(body=body, markup=markup)).kind == kind
    assert criteria(an_issue(body=body, markup=markup)).confidence == (0.6 if kind == "P" else 1.0)


def test_the_default_of_a_form_is_no_criterion() -> None:
    issue = an_issue(body=FORM_DEFAULT)
    templates = {template_key(issue): known([FORM_DEFAULT])}

    assert failing(issue, templates=templates) & {"AC001", "AC002"} == {"AC002"}
    assert not failing(issue) & {"AC001", "AC002"}


def test_what_every_issue_of_a_project_holds_is_no_criterion() -> None:
    issues = [an_issue(id=str(number), body=DONE_LIST) for number in range(1, 21)]

    assert failing(issues[0], templates=learn(issues)) & {"AC001", "AC002"} == {"AC001"}


def test_a_reason_under_the_heading_waives_both_rules() -> None:
    body = "## Acceptance criteria\n\nN/A – wording change only, nothing to accept\n"

    found = verdicts(an_issue(body=body))

    assert found["AC001"].verdict is found["AC002"].verdict is Verdict.NOT_APPLICABLE
    assert "wording change only" in found["AC001"].reason


def test_a_business_indicator_is_no_criterion() -> None:
    assert "AC001" in failing(an_issue(body="Goal: activation from 31 % to 36 % by 30 Sep"))
    assert "AC001" not in failing(an_issue(body="The goal is to get below 100 open questions in the queue."))


def test_our_own_comment_is_no_criterion() -> None:
    text = "## Acceptance criteria\n\n- The file opens in a spreadsheet\n"
    issue = an_issue(body="Export the list.", reporter="mia", comments=(a_comment(text, is_own=True),))

    assert "AC001" in failing(issue)


def test_an_accepted_comment_is_less_certain_than_a_section() -> None:
    text = "## Acceptance criteria\n\n- The file opens in a spreadsheet\n"
    issue = an_issue(body="Export the list.", reporter="mia", comments=(a_comment(text),))

    assert criteria(issue).confidence == 0.8


@pytest.mark.parametrize(("type", "verdict"), [(IssueType.EPIC, Verdict.PASS), (IssueType.BUG, Verdict.NOT_APPLICABLE)])
def test_a_french_expected_result_is_an_outcome_in_an_epic(type: IssueType, verdict: Verdict) -> None:
    body = "### Résultat attendu\n\nLes clients trouvent leurs factures seuls\n"

    assert verdicts(an_issue(type=type, body=body))["OUT001"].verdict is verdict


def test_so_that_needs_a_benefit() -> None:
    want = "As a support clerk I want canned answers "

    assert "OUT001" in failing(an_issue(body=want + "so that it works."))
    assert not failing(an_issue(body=want + "so that support handles 30 % fewer tickets by June.")) & {
        "OUT001",
        "OUT002",
    }


def test_numbers_of_versions_and_buttons_are_no_targets() -> None:
    issue = an_issue(type=IssueType.EPIC, fields={"outcome": "Ship v2.0 with 3 new buttons in 2026"})

    found = verdicts(issue)["OUT002"]

    assert found.verdict is Verdict.FAIL
    assert found.message == "This is an output: it says what to build."


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("**To Reproduce**\n\n1. Go to '...'\n2. Click on '....'\n3. See error\n", "BUG001"),
        ("### Expected Behavior\n\n_No response_\n", "BUG002"),
    ],
    ids=["X15", "X16"],
)
def test_an_unanswered_form_of_a_bug_is_no_answer(body: str, code: str) -> None:
    assert code in failing(an_issue(type=IssueType.BUG, title="Order of the list", body=body))


def test_a_french_expected_result_is_expected_behaviour_in_a_bug() -> None:
    """X17, the other half."""
    body = "### Résultat attendu\n\nLe fichier contient trois lignes\n"

    assert verdicts(an_issue(type=IssueType.BUG, body=body))["BUG002"].verdict is Verdict.PASS


def test_a_dutch_story_is_a_story_and_no_scenario() -> None:
    """X11, all of it."""
    issue = an_issue(body="Als gebruiker wil ik filteren zodat ik sneller vind")

    found = verdicts(issue, habits_are_on=True)

    assert found["TXT005"].verdict is Verdict.PASS
    assert found["AC001"].verdict is Verdict.FAIL


def test_an_empty_description_is_not_called_thin_as_well() -> None:
    found = verdicts(an_issue(body=""))

    assert found["TXT001"].verdict is Verdict.FAIL
    assert (found["TXT002"].verdict, found["TXT002"].reason) == (Verdict.NOT_APPLICABLE, "TXT001 says it")


def test_without_an_outcome_nothing_else_is_said_of_it() -> None:
    issue = an_issue(type=IssueType.EPIC, body="- Export of invoices as CSV\n", category=StatusCategory.ACTIVE)

    assert {code for code in failing(issue) if code.startswith("OUT")} == {"OUT001"}


def test_no_rule_on_bugs_speaks_of_stories() -> None:
    assert not {code for code in failing(an_issue(body="Export the list.")) if code.startswith("BUG")}
