"""A gate may say yes for nothing; a no must be true."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.text.gates import Gates

PATTERNS = {
    "words": re.compile(r"\b(?:key|token)s?\b", re.IGNORECASE),
    "look-around": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?![\w-])"),
    "backreference": re.compile(r"(['\"])\w+\1"),
    "not in a class": re.compile(r"[^\W\d_]{3}[\S:]{2}"),
    "spaces": re.compile(r"^\s+\S", re.MULTILINE),
    "repeats": re.compile(r"(?:ab?){3,40}c{2,}"),
    "group flags": re.compile(r"x(?i:yes)|(?-i:No)z", re.IGNORECASE),
    "one character": re.compile(r"[^a].\W\D"),
    "verbose": re.compile(r"straße  # a comment\n | \ über", re.VERBOSE | re.IGNORECASE),
}
GATES = Gates(PATTERNS.items())


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_a_pattern_matches_opens_its_gate(name: str, data: st.DataObject) -> None:
    before, after = data.draw(st.text(max_size=5)), data.draw(st.text(max_size=5))
    text = before + data.draw(st.from_regex(PATTERNS[name])) + after

    found = {each for each, pattern in PATTERNS.items() if pattern.search(text)}
    assert found <= GATES.open(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
def test_no_gate_is_closed_to_a_text_that_its_pattern_is_found_in(text: str) -> None:
    assert {each for each, pattern in PATTERNS.items() if pattern.search(text)} <= GATES.open(text)


def test_most_gates_stay_closed_for_a_plain_sentence() -> None:
    assert GATES.open("The list is sorted by name.") <= {"not in a class", "one character", "spaces"}


@pytest.mark.parametrize("text", ["TOKEN\u0130", "a \ud800 token"])
def test_what_the_automaton_cannot_judge_opens_every_gate(text: str) -> None:
    assert GATES.open(text) == set(PATTERNS)


def test_names_may_have_several_patterns() -> None:
    gates = Gates([("animal", re.compile("cat")), ("animal", re.compile("dog")), ("plant", re.compile("fern"))])

    assert gates.open("a dog") == {"animal"}
    assert gates.open("a fern and a cat") == {"animal", "plant"}
