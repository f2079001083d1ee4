"""What is still waiting to be written."""

from __future__ import annotations

import pytest

from backlint.text.placeholder import is_placeholder, waiver_reason


@pytest.mark.parametrize(
    "text",
    [
        "", "TBD", "tbd.", "*tba*", "TODO", "To be defined", "to be determined", "Fill in", "WIP", "N/A", "n/a.",
        "NA", "none", "nil", "null", "-", "–", "?", "...", "…", "xxx", "Lorem ipsum", "see title", "See above",
        "as discussed", "coming soon", "No response", "offen", "folgt", "wird ergänzt", "à définir", "à compléter",
        "por definir", "pendiente", "a definir", "da definire", "nog te bepalen", "n.v.t.", "do ustalenia",
        "уточнить", "未定", "待定", "[…]", "[some context]", "<browser>", "\\<\\>", "{value}", "(criterion)", "[ ]",
        "1.", "2)", "3", "__", "[a] / [b]", "(Given)/(When)/(Then)", "Go to '...'", "Click on '....'",
        "As a …, I want …, so that …", "As a ..., I want ...",
        "(Paste any relevant logs - please use code blocks (```) to format them)",
        "(How one can reproduce the issue)", "We would like to X which will improve Y as measured by Z.",
        "Deliverable 1", "[ ] Not in scope 2", "Criterion #3", "We want to ...", "So that I can …",
        "What is out of scope and not part of this iteration?",
        "Is this a bug? Make sure to use the Bug template above and be as detailed in your report as possible.",
    ],
)  # fmt: skip
def test_nothing_of_the_authors_is_in_it(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "[Save] button stays disabled", "none of the rows are lost", "The field shows N/A", "TBD by the team in March",
        "(this only happens on the phone)", "(a) opens and (b) closes the list", "open [the spec](https://x.y/z)",
        "It says 'loading...' for a minute and never stops", "Wait... then press it", "3 rows are shown",
        "{{user}} is greeted by name", "Swap the X and Y labels so that the chart reads well", "Step 1 fails",
        "Option 3 is what we want", "Then it hangs ... for a minute", "Please use the new mail template for this",
    ],
)  # fmt: skip
def test_what_somebody_wrote_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


def test_an_instruction_in_italics_is_a_prompt_and_a_sentence_is_not() -> None:
    assert is_placeholder("Describe the steps to get there", is_italic=True)
    assert not is_placeholder("Describe the steps to get there", is_italic=False)
    assert not is_placeholder("Reproduced with one browser only", is_italic=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("N/A – wording change only, nothing to accept", "wording change only, nothing to accept"),
        ("n/a: internal tooling without users", "internal tooling without users"),
        ("N/A (this is a new endpoint)", "this is a new endpoint"),
        ("N/A", None),
        ("N/A - copy only", None),
        ("None of these apply here", None),
    ],
)
def test_a_waiver_needs_three_words_that_say_why(text: str, reason: str | None) -> None:
    assert waiver_reason(text) == reason
