"""Metrics with their targets, metrics that only flatter, guardrails, and when objectives end."""

from __future__ import annotations

from datetime import date

import pytest

from backlint.rules.guardrail_text import GUARD, without_guardrails
from backlint.rules.metric_text import pairs, vanity_in
from backlint.rules.objective_text import period_end

VANITY = ("page views", "downloads", "likes", "features")


def metrics(text: str) -> set[str]:
    return {pair.metric for pair in pairs(text)}


def test_baseline_and_target_are_one_pair() -> None:
    assert len(metrics("Activation from 31 % to 36 % by June")) == 1
    assert len(metrics("activation 31 % → 36 %")) == 1


def test_two_metrics_are_two() -> None:
    assert len(metrics("activation +5 % and churn −2 %")) == 2
    assert len(metrics("Error rate from 5 % to 2 %. Conversion rate from 8 % to 9 %.")) == 2


def test_one_metric_for_two_segments_is_one() -> None:
    assert len(metrics("activation +5 % for teams and +3 % for single users")) == 1


def test_a_time_limit_is_no_target() -> None:
    assert metrics("more activation within 4 weeks") == set()


@pytest.mark.parametrize(
    "text", ["10,000 page views", "number of downloads to 5,000", "ship 12 features", "page-views +10 %"]
)
def test_counts_that_only_flatter(text: str) -> None:
    assert vanity_in(text, VANITY)


@pytest.mark.parametrize(
    "text",
    [
        "page views per activated account",
        "downloads by paying accounts",
        "page views and complaints",
        "share of visits with two page views",
        "fewer complaints",
    ],
)
def test_counts_that_say_something(text: str) -> None:
    assert vanity_in(text, VANITY) is None


def test_without_a_list_nothing_flatters() -> None:
    assert vanity_in("10,000 page views", ()) is None


@pytest.mark.parametrize(
    "text",
    [
        "must not increase the load",
        "without raising refunds",
        "no worse than today",
        "keep latency under 2 s",
        "ohne dass die Ladezeit steigt",
        "sans augmenter le coût",
    ],
)
def test_guardrails_are_phrases(text: str) -> None:
    assert GUARD.search(text)


def test_what_is_guarded_is_no_outcome() -> None:
    assert without_guardrails("activation +5 %, without raising churn above 2 %").strip() == "activation +5 %,"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Q1 2026", date(2026, 3, 31)),
        ("2025 Q4: fewer calls", date(2025, 12, 31)),
        ("Objective for Q2", date(2026, 6, 30)),
        ("H1 2026", date(2026, 6, 30)),
        ("until 2026-02-14", date(2026, 2, 14)),
        ("fewer calls", None),
    ],
)
def test_a_period_ends_on_its_last_day(text: str, end: date | None) -> None:
    assert period_end(text, date(2026, 3, 10)) == end
