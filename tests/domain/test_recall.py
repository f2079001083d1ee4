"""The recall sample: drawn at random and repeatably, and an estimate that never says more than was judged."""

from __future__ import annotations

import pytest

from backlint.recall import draw, recall, wilson

ISSUES = [f"PAY-{n}" for n in range(200)]


def test_a_sample_is_the_same_for_its_month_and_rule_and_another_for_others() -> None:
    march = draw(ISSUES, 30, month="2026-03", rule="AC001")

    assert draw(ISSUES, 30, month="2026-03", rule="AC001") == march
    assert len(set(march)) == 30
    assert draw(ISSUES, 30, month="2026-04", rule="AC001") != march
    assert draw(ISSUES, 30, month="2026-03", rule="OUT001") != march


def test_few_issues_are_all_drawn() -> None:
    assert sorted(draw(ISSUES[:5], 30, month="2026-03", rule="AC001")) == ISSUES[:5]


def test_recall_is_what_was_found_of_what_was_there() -> None:
    found = recall(passed=300, failed=90, judged=30, missed=1)

    assert found is not None
    assert found.value == pytest.approx(0.9)  # one in thirty of 300 passes are 10 misses beside 90 findings
    assert found.low < found.value < found.high
    assert (found.judged, found.missed) == (30, 1)


def test_a_sample_without_a_miss_still_has_a_lower_bound() -> None:
    found = recall(passed=300, failed=90, judged=30, missed=0)

    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(90 / (90 + 300 * wilson(0, 30)[1]))


def test_nothing_is_said_without_an_answer_or_without_anything_to_find() -> None:
    assert recall(passed=300, failed=90, judged=0, missed=0) is None
    assert recall(passed=300, failed=0, judged=30, missed=0) is None


def test_a_rule_that_found_nothing_and_missed_something_has_no_recall_at_all() -> None:
    found = recall(passed=300, failed=0, judged=30, missed=3)

    assert found is not None
    assert found.value == 0.0
