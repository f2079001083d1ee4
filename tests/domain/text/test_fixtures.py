"""The catalogue's text fixtures (2.10), as far as reading the text decides them."""

from __future__ import annotations

import pytest

from backlint.model import Markup
from backlint.text.document import Document, DropReason, Meaning, read
from backlint.text.templates import Templates, known, learn, template_key
from tests.factory import an_issue

SHELL = "~~~gherkin\nGiven [some context]\nWhen [certain action is taken]\nThen [the outcome of the action]\n~~~\n"
REAL = "```\nGiven I am signed in as an admin\nWhen I press the export button\nThen a file is downloaded\n```\n"


def markdown(text: str, templates: Templates | None = None) -> Document:
    return read(text, Markup.MARKDOWN, templates=templates or Templates())


def reasons(document: Document) -> set[DropReason]:
    return {dropped.reason for dropped in document.dropped}


def test_x1_a_fence_with_the_templates_slots_is_a_shell() -> None:
    document = markdown(f"### Acceptance Criteria\n\n{SHELL}")

    (section,) = document.under(Meaning.ACCEPTANCE)
    assert section.items == ()
    assert [scenario.is_shell for scenario in document.scenarios] == [True]


def test_x2_a_fence_without_a_language_and_with_real_steps_is_a_scenario() -> None:
    document = markdown(f"### Acceptance Criteria\n\n{REAL}")

    assert [scenario.is_shell for scenario in document.scenarios] == [False]
    assert len(document.under(Meaning.ACCEPTANCE)[0].items) == 1


def test_x3_table_rows_with_escaped_slots_are_a_shell() -> None:
    document = markdown("| GIVEN | `\\<\\>` |\n|---|---|\n| **WHEN** | **`\\<\\>`** |\n| **THEN** | **`\\<\\>`** |\n")

    assert [scenario.is_shell for scenario in document.scenarios] == [True]
    assert [item for item in document.items if not item.is_header] == []


def test_x4_a_plausible_default_value_is_subtracted() -> None:
    templates = known([f"### Acceptance Criteria\n\n{REAL}"])

    document = markdown(f"### Acceptance Criteria\n\n{REAL}", templates)

    assert document.under(Meaning.ACCEPTANCE)[0].items == ()
    assert [scenario.is_shell for scenario in document.scenarios] == [True]


def test_x5_slashed_keywords_in_brackets_are_a_shell() -> None:
    document = markdown("- [ ] (Given)/(When)/(Then)\n- [ ] (Given)/(When)/(Then)\n")

    assert [scenario.is_shell for scenario in document.scenarios] == [True, True]
    assert document.items == ()


def test_x6_a_requirement_with_shall_is_a_scenario() -> None:
    document = markdown("1. WHEN a user clicks an external link THEN the system SHALL validate the URL\n")

    assert [scenario.is_shell for scenario in document.scenarios] == [False]


def test_x7_japanese_bullets_count_by_characters() -> None:
    document = markdown("## Acceptance Criteria\n\n- 一覧が名前順に並ぶ\n- 保存\n")

    assert [item.text for item in document.under(Meaning.ACCEPTANCE)[0].items] == ["一覧が名前順に並ぶ"]


def test_x8_quoted_criteria_are_nobodys() -> None:
    document = markdown("> Acceptance criteria: A, B\n")

    assert (document.sections, document.items, reasons(document)) == ((), (), {DropReason.QUOTE})


def test_x9_pre_flight_boxes_open_no_section() -> None:
    document = markdown("- [x] I have searched existing issues\n- [x] I checked the docs\n")

    assert document.sections == ()
    assert [item.ticked for item in document.items] == [True, True]


def test_x10_a_definition_of_done_that_every_issue_has_is_learned_and_excluded() -> None:
    body = "## Definition of done\n\n- [ ] code has been reviewed\n- [ ] tests have been written\n"
    issues = [an_issue(id=str(number), body=body) for number in range(10)]

    document = markdown(body, learn(issues)[template_key(issues[0])])

    assert document.sections[0].meanings == {Meaning.EXCLUDED}
    assert document.items == ()
    assert reasons(document) == {DropReason.TEMPLATE}


def test_x11_a_dutch_story_is_no_scenario() -> None:
    document = markdown("Als gebruiker wil ik filteren zodat ik sneller vind")

    assert document.scenarios == ()
    assert len(document.items) == 1


def test_x12_bullets_are_no_steps() -> None:
    assert markdown("* step one goes here\n* step two goes here\n").scenarios == ()


def test_x13_a_date_with_a_colon_is_no_italian_step() -> None:
    assert markdown("Date: 3 May\nWhen: noon\nThen: home\n").scenarios == ()


def test_x14_a_bare_not_applicable_is_a_placeholder_and_one_with_a_reason_a_waiver() -> None:
    bare = markdown("## Acceptance criteria\n\nN/A\n").sections[0]
    waived = markdown("## Acceptance criteria\n\nN/A – wording change only, nothing to accept\n").sections[0]

    assert (bare.items, bare.waiver) == ((), None)
    assert (waived.items, waived.waiver) == ((), "wording change only, nothing to accept")


def test_x15_unfilled_steps_are_no_steps() -> None:
    assert markdown("1. Go to '...'\n2. Click on '....'\n3. See error\n").items == ()


def test_x16_no_response_is_a_placeholder() -> None:
    (section,) = markdown("### Expected Behavior\n\n_No response_\n").under(Meaning.EXPECTED)

    assert section.items == ()
    assert [dropped.reason for dropped in section.dropped] == [DropReason.PLACEHOLDER]


def test_x17_the_french_expected_result_may_be_either() -> None:
    (section,) = markdown("### Résultat attendu\n\nLa liste est triée par nom\n").sections

    assert section.meanings == {Meaning.EXPECTED, Meaning.OUTCOME}


def test_x20_struck_out_criteria_leave_an_empty_section() -> None:
    (section,) = markdown("## Acceptance criteria\n\n- ~~the list is sorted~~\n- ~~it has a title~~\n").sections

    assert section.items == ()
    assert {dropped.reason for dropped in section.dropped} == {DropReason.STRUCK}


def test_x21_what_backlint_wrote_is_nobodys() -> None:
    document = markdown("<!-- backlint:comment v=1 -->\n## Acceptance criteria\n\n- the list is sorted\n")

    assert (document.sections, document.items, reasons(document)) == ((), (), {DropReason.OWN})


@pytest.mark.parametrize("heading", ["**Acceptance criteria**", "__Acceptance criteria:__", "Acceptance criteria:"])
def test_x22_a_heading_in_disguise_opens_its_section(heading: str) -> None:
    document = markdown(f"{heading}\n- the list is sorted by name\n")

    (section,) = document.under(Meaning.ACCEPTANCE)
    assert [item.text for item in section.items] == ["the list is sorted by name"]
