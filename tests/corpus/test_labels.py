"""Against issues labelled by reading, where that folder is at hand; the figures may not fall."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.corpus.measure import QUESTIONS, Row, agreement, judged, wilson

LABELLED = Path(os.environ.get("BACKLINT_LABELLED", Path(__file__).parents[3] / "shared" / "corpus" / "labelled.jsonl"))

needs_labels = pytest.mark.skipif(not LABELLED.exists(), reason="no ../shared/corpus/labelled.jsonl here")


@pytest.fixture(scope="module")
def rows() -> tuple[Row, ...]:
    return judged(LABELLED)


@needs_labels
@pytest.mark.parametrize(
    ("question", "precision", "recall"),
    [("AC001 + AC002", 0.92, 0.90), ("OUT001", 0.8, 0.9), ("OUT002 (label guide)", 0.8, 0.8)],
)
def test_rules_agree_with_readers(rows: tuple[Row, ...], question: str, precision: float, recall: float) -> None:
    label, says = QUESTIONS[question]
    found = agreement(rows, label, says)

    assert found.precision >= precision
    assert found.recall >= recall


@needs_labels
@pytest.mark.parametrize(
    ("question", "f1", "clear"),
    [
        ("TXT005", 0.97, 0.97),
        ("TXT001 + TXT002", 0.91, 0.92),
        ("placeholder", 0.92, 0.92),
        ("BUG001", 0.92, 0.92),
        ("BUG002 + BUG003", 0.85, 0.85),
    ],
)
def test_rules_agree_with_readers_by_f1(rows: tuple[Row, ...], question: str, f1: float, clear: float) -> None:
    label, says = QUESTIONS[question]
    undisputed = [row for row in rows if label not in row.borderline]

    assert agreement(rows, label, says).f1 >= f1
    assert agreement(undisputed, label, says).f1 >= clear


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(9, 10)

    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 0) == (0.0, 1.0)
