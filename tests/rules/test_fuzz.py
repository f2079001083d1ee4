"""A short run of scripts/fuzz, always of the same texts, one of each kind at least."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.rules.fuzzing import KINDS, Case, case, fuzzed, problems

SMALL = [kind for kind, (_, is_large, _) in KINDS.items() if not is_large]


def test_texts_that_nobody_should_write_are_judged_alike_twice_without_a_failure() -> None:
    seen: Counter[str] = Counter()
    for made, wrong in fuzzed("short", cases=60, large=0.0):
        assert wrong == [], made.seed
        seen[made.kind] += 1

    assert set(seen) == set(SMALL)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SMALL])
def test_no_large_text_breaks_a_rule(kind: str) -> None:
    made = next(found for number in range(1_000) if (found := case(f"large:{number}", large=1.0)).kind == kind)
    shorter = Case(seed=made.seed, kind=kind, body=made.body[:50_000], markup=made.markup, type=made.type)

    assert problems(shorter) == []
