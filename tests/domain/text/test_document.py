"""Sections, items and drops of a text."""

from __future__ import annotations

import pytest

from backlint.model import Markup
from backlint.text.document import Document, DropReason, Meaning, Section, read


def markdown(text: str) -> Document:
    return read(text, Markup.MARKDOWN)


def section(text: str, meaning: Meaning, markup: Markup = Markup.MARKDOWN) -> Section:
    (found,) = read(text, markup).under(meaning)
    return found


def items(some: Section | Document) -> list[str]:
    return [item.text for item in some.items]


# -- headings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("## Acceptance criteria\n\n- the list is sorted\n", Markup.MARKDOWN),
        ("h3. Acceptance criteria\n\n- the list is sorted\n", Markup.MARKDOWN),
        ("Acceptance criteria\n- the list is sorted\n", Markup.MARKDOWN),
        ("Acceptance criteria: the list is sorted\n", Markup.MARKDOWN),
        ("**Acceptance criteria:** the list is sorted\n", Markup.MARKDOWN),
        ("Acceptance criteria - the list is sorted\n", Markup.MARKDOWN),
        ("| Acceptance criteria | the list is sorted |\n|---|---|\n", Markup.MARKDOWN),
        ("<details><summary>Acceptance criteria</summary>\n\nthe list is sorted\n\n</details>\n", Markup.MARKDOWN),
        ("+++ Acceptance criteria\n\nthe list is sorted\n\n+++\n", Markup.MARKDOWN),
        ("h2. Acceptance criteria\n* the list is sorted\n", Markup.WIKI),
        ("*Acceptance criteria*\n\nthe list is sorted\n", Markup.WIKI),
        ("{panel:title=Acceptance criteria}\nthe list is sorted\n{panel}\n", Markup.WIKI),
        ("{html}<h3>Acceptance criteria</h3><ul><li>the list is sorted</li></ul>{html}", Markup.WIKI),
        ("Acceptance criteria:\nthe list is sorted\n", Markup.PLAIN),
        ("ACCEPTANCE CRITERIA\nthe list is sorted\n", Markup.PLAIN),
    ],
)
def test_every_way_to_head_a_section_opens_it(text: str, markup: Markup) -> None:
    assert items(section(text, Meaning.ACCEPTANCE, markup)) == ["the list is sorted"]


def test_an_item_on_its_headings_line_starts_after_the_heading() -> None:
    document = markdown("**Acceptance criteria:** the list is sorted\n")

    (item,) = document.items
    assert document.text[item.start : item.end] == "the list is sorted"


def test_the_items_of_a_subsection_belong_to_its_parent_too() -> None:
    text = "## Acceptance criteria\n\n### Phone\n\n- the list is sorted\n\n#### Portrait\n\n- it has one column\n"

    assert items(section(text, Meaning.ACCEPTANCE)) == ["the list is sorted", "it has one column"]


def test_a_subsection_that_opens_something_else_keeps_its_items() -> None:
    document = markdown("## Acceptance criteria\n\n**Out of scope**\n\n- sorting by date comes later\n")

    assert items(document.under(Meaning.ACCEPTANCE)[0]) == []
    assert items(document.under(Meaning.OUT_OF_SCOPE)[0]) == ["sorting by date comes later"]


def test_a_labelled_criterion_stays_a_criterion() -> None:
    text = "## Acceptance criteria\n\n- Goal: the page greets the user\n- Expected: the page has five rows\n"

    assert len(section(text, Meaning.ACCEPTANCE).items) == 2


def test_a_heading_of_the_same_level_ends_a_section() -> None:
    text = "## Acceptance criteria\n\n- the list is sorted\n\n## Notes\n\n- this is no criterion\n"

    assert items(section(text, Meaning.ACCEPTANCE)) == ["the list is sorted"]


def test_a_label_with_its_text_ends_at_the_next_paragraph() -> None:
    text = "Acceptance criteria: the list is sorted\nand it has a title\n\nThe background is a long story.\n"

    assert items(section(text, Meaning.ACCEPTANCE)) == ["the list is sorted", "and it has a title"]


def test_a_heading_in_a_list_holds_what_is_nested_below_it() -> None:
    text = "- **Acceptance criteria:**\n  - the list is sorted\n- something else entirely\n"

    assert items(section(text, Meaning.ACCEPTANCE)) == ["the list is sorted"]


def test_a_ticked_name_of_a_section_is_a_checklist_item_and_no_heading() -> None:
    document = markdown("## Definition of ready\n\n- [x] Acceptance criteria\n- [x] Weighted and agreed on\n")

    assert document.under(Meaning.ACCEPTANCE) == ()


def test_what_follows_a_fold_is_not_in_it() -> None:
    fold = "<details><summary>Acceptance criteria</summary>\n\nthe list is sorted\n\n</details>\n\n"
    text = f"{fold}And now to something else.\n"

    assert items(section(text, Meaning.ACCEPTANCE)) == ["the list is sorted"]


def test_a_panel_with_nothing_but_a_heading_heads_what_follows() -> None:
    text = "{panel}\nh2. Acceptance criteria\n{panel}\n* the list is sorted\n"

    assert items(section(text, Meaning.ACCEPTANCE, Markup.WIKI)) == ["the list is sorted"]


def test_a_run_of_bold_lines_is_text() -> None:
    text = "## Acceptance criteria\n\n**The list is sorted**\n\n**The title is shown**\n"

    assert len(section(text, Meaning.ACCEPTANCE).items) == 2


def test_a_bold_sentence_is_content() -> None:
    document = markdown(
        "**As a user with many invoices I want to filter them by date so that I find one**\n\nMore text here.\n"
    )

    assert document.sections == ()
    assert len(document.items) == 2


def test_a_short_line_before_a_list_is_a_heading_and_a_long_one_is_content() -> None:
    short = markdown("Content:\n\n- the list is sorted\n")
    long = markdown("As a user I want the following things so that I am fast:\n\n- the list is sorted\n")

    assert [found.heading for found in short.sections] == ["Content"]
    assert (long.sections, len(long.items)) == ((), 2)


def test_combined_headings_have_several_meanings() -> None:
    (found,) = markdown(
        "### What did you do? What did you expect to happen?\n\nI opened the page and hoped.\n"
    ).sections

    assert found.meanings == {Meaning.STEPS, Meaning.EXPECTED}


def test_expected_and_actual_after_steps_are_no_steps() -> None:
    document = markdown(
        "Steps to reproduce:\n1. open the first page\n2. press the red button\n\n"
        "Expected: the list is sorted\nActual: it is not sorted\n"
    )

    assert len(document.under(Meaning.STEPS)[0].items) == 2
    assert items(document.under(Meaning.EXPECTED)[0]) == ["the list is sorted"]
    assert items(document.under(Meaning.ACTUAL)[0]) == ["it is not sorted"]


def test_a_template_heading_still_opens_its_section() -> None:
    from backlint.text.templates import known

    template = "### Acceptance criteria\n\n- describe what must be true\n"
    document = read(template + "- the list is sorted\n", Markup.MARKDOWN, templates=known([template]))

    (found,) = document.under(Meaning.ACCEPTANCE)
    assert items(found) == ["the list is sorted"]
    assert [dropped.reason for dropped in found.dropped] == [DropReason.TEMPLATE]


# -- what is dropped -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- describe what must be true -->", DropReason.HTML_COMMENT),
        ("> somebody else said that here", DropReason.QUOTE),
        ("~~we do not want this any more~~", DropReason.STRUCK),
        ("```\nx = compute(the, thing)\n```", DropReason.CODE),
        ("    at com.acme.Shop.open(Shop.java:17)\n", DropReason.CODE),
        ("2026-03-02 10:15:00 ERROR the shop is closed now", DropReason.LOG),
        ("com.acme.shop.ClosedException: the shop is closed now", DropReason.LOG),
        ("Traceback (most recent call last) in the shop", DropReason.LOG),
        ("TBD", DropReason.PLACEHOLDER),
        ("[describe the outcome here please]", DropReason.PLACEHOLDER),
        ("too short", DropReason.TOO_SHORT),
    ],
)
def test_what_is_not_authored_is_dropped_with_its_reason(text: str, reason: DropReason) -> None:
    document = markdown(f"{text}\n")

    assert document.items == ()
    assert [dropped.reason for dropped in document.dropped] == [reason]


def test_an_answer_that_quotes_backlint_is_the_authors() -> None:
    document = markdown("> What must be true?\n> `backlint:comment v=1`\n\nThe list must be sorted.\n")

    assert items(document) == ["The list must be sorted."]


def test_a_stack_trace_in_running_text_is_dropped_line_by_line() -> None:
    document = read(
        "The shop does not open any more.\n"
        "java.lang.IllegalStateException: the shop is closed\n\tat com.acme.Shop.open(Shop.java:17)\n"
        "Caused by: com.acme.NoKey: nobody has the key\n... 12 more\n",
        Markup.WIKI,
    )

    assert items(document) == ["The shop does not open any more."]
    assert {dropped.reason for dropped in document.dropped} == {DropReason.LOG}


@pytest.mark.parametrize("end", ["-- \nMia Example\nAcme Ltd", "Best regards,\nMia Example", "Sent from my phone"])
def test_a_signature_is_dropped_and_the_line_before_it_is_no_heading(end: str) -> None:
    document = markdown(f"The list must be sorted by name.\n{end}\n")

    assert items(document) == ["The list must be sorted by name."]
    assert document.sections == ()
    assert {dropped.reason for dropped in document.dropped} == {DropReason.SIGNATURE}


def test_a_fence_under_a_steps_heading_is_kept_as_code() -> None:
    document = markdown("### To reproduce\n\n```\nbacklint check\n```\n\n### Logs\n\n```\nboom\n```\n")

    assert [(item.text, item.is_code) for item in document.under(Meaning.STEPS)[0].items] == [("backlint check", True)]
    assert [dropped.text.strip() for dropped in document.dropped] == ["boom"]


def test_a_report_that_was_pasted_into_a_fence_is_read() -> None:
    document = markdown(
        "```\nWe make a backup of the volume every night.\nIt failed with no message at all.\n\nExpected results:\n"
        "* Errors will be logged on the console\n```\n"
    )

    assert items(document.under(Meaning.EXPECTED)[0]) == ["Errors will be logged on the console"]
    for item in document.items:
        assert document.text[item.start : item.end] == item.text


def test_a_fence_with_a_program_stays_code() -> None:
    document = markdown("```\nfor each in all of them:\n    print(each one of them);\n    stop();\n```\n")

    assert document.items == ()


def test_a_table_counts_by_its_filled_rows() -> None:
    table = "| # | Criterion | Status |\n|---|---|---|\n| 1 | the list is sorted | open |\n| 2 | TBD | |\n"

    found = markdown(f"## Acceptance criteria\n\n{table}").under(Meaning.ACCEPTANCE)[0]
    assert [item.cells for item in found.items] == [("1", "the list is sorted", "open")]


def test_a_table_of_criteria_needs_no_heading_and_ends_its_section() -> None:
    table = "| # | Criterion | Status |\n|---|---|---|\n| 1 | the list is sorted | open |\n\nMore text goes here.\n"

    assert items(section(table, Meaning.ACCEPTANCE)) == ["1 | the list is sorted | open"]


def test_an_image_under_a_heading_is_counted_there() -> None:
    document = markdown("## Acceptance criteria\n\n![criteria](a.png)\n\n## Notes\n\nnothing more to say\n")

    assert (document.images, document.under(Meaning.ACCEPTANCE)[0].images) == (1, 1)
    assert document.under(Meaning.ACCEPTANCE)[0].items == ()


def test_links_are_collected_once_written_either_way() -> None:
    document = markdown("see [the spec](https://x.y/a) and https://x.y/b.\n\n- https://x.y/a\n")

    assert document.links == ("https://x.y/a", "https://x.y/b")


def test_lines_that_an_editor_wrapped_are_one_item() -> None:
    document = markdown(
        "The list of invoices is sorted by the date on which the invoice was sent to\nthe customer.\n"
        "Whoever opens it sees the newest first.\n"
    )

    assert len(document.items) == 2
    assert document.items[0].text.endswith("sent to the customer.")


def test_words_are_counted_without_what_was_dropped() -> None:
    assert markdown("one two three four\n\n> five six seven\n\nTBD\n").words == 4


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b"])
def test_an_empty_text_has_nothing(text: str) -> None:
    document = markdown(text)

    assert (document.items, document.sections, document.dropped, document.words) == ((), (), (), 0)


def test_right_to_left_text_keeps_its_offsets() -> None:
    document = markdown("## Acceptance criteria\n\n- القائمة مرتبة حسب الاسم\n")

    (item,) = document.items
    assert document.text[item.start : item.end] == "القائمة مرتبة حسب الاسم"
