"""Against issues labelled by reading, where that folder is at hand; the figures may not fall."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backlint.api.accuracy import ALL_RULES, Row, agreement, calibration, clear, judged

LABELLED = Path(os.environ.get("BACKLINT_LABELLED", Path(__file__).parents[3] / "shared" / "corpus" / "labelled.jsonl"))

needs_labels = pytest.mark.skipif(not LABELLED.exists(), reason="no ../shared/corpus/labelled.jsonl here")


@pytest.fixture(scope="module")
def rows() -> tuple[Row, ...]:
    return judged(LABELLED)


@needs_labels
@pytest.mark.parametrize(
    ("question", "precision", "recall"),
    [("AC001 + AC002", 0.95, 0.90), ("OUT001", 0.8, 0.9), ("OUT002 (label guide)", 0.8, 0.8)],
)
def test_rules_agree_with_readers(rows: tuple[Row, ...], question: str, precision: float, recall: float) -> None:
    found = agreement(rows, question)

    assert found.precision >= precision
    assert found.recall >= recall


@needs_labels
@pytest.mark.parametrize(
    ("question", "f1", "undisputed"),
    [
        ("TXT005", 0.97, 0.97),
        ("TXT001 + TXT002", 0.92, 0.92),
        ("placeholder", 0.92, 0.92),
        ("BUG001", 0.92, 0.92),
        ("BUG002 + BUG003", 0.85, 0.85),
    ],
)
def test_rules_agree_with_readers_by_f1(rows: tuple[Row, ...], question: str, f1: float, undisputed: float) -> None:
    assert agreement(rows, question).f1 >= f1
    assert agreement(clear(rows, question), question).f1 >= undisputed


@needs_labels
def test_findings_are_right_about_as_often_as_their_confidence_says(rows: tuple[Row, ...]) -> None:
    bands = [band for band in calibration(rows) if band.rule == ALL_RULES and band.findings >= 20]

    assert bands
    assert [band.confidence for band in bands if band.share < band.confidence - 0.03] == []
