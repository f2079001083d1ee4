"""How much a rule misses: a random sample of what it let pass, judged by a person (catalogue 9). Pure."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from typing import TypeVar

Z = 1.959964  # 95 %
T = TypeVar("T")


class Answer(StrEnum):
    """What a person says of an issue that a rule let pass."""

    RIGHT = "right"
    MISSED = "missed"
    UNCLEAR = "unclear"


def draw(passing: Sequence[T], size: int, *, month: str, rule: str) -> tuple[T, ...]:
    """At most `size` of them at random; the same for the same month, rule and issues in the same order."""
    seed = int.from_bytes(hashlib.sha256(f"{month} {rule}".encode()).digest()[:8], "big")
    return tuple(random.Random(seed).sample(list(passing), min(size, len(passing))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Recall with its 95 % interval, each 0 to 1, estimated from `judged` answers, `missed` of which were misses.

    `passed` issues were let pass and `failed` found when the sample was drawn; every finding is taken as right.
    """

    value: float
    low: float
    high: float
    judged: int
    missed: int
    passed: int
    failed: int


def recall(*, passed: int, failed: int, judged: int, missed: int) -> Recall | None:
    """found ÷ (found + missed among what passed). None without an answer, and where nothing was found or missed."""
    if judged == 0 or (failed == 0 and missed == 0):
        return None
    low, high = wilson(missed, judged)
    return Recall(
        value=_share(failed, passed * missed / judged),
        low=_share(failed, passed * high),
        high=_share(failed, passed * low),
        judged=judged,
        missed=missed,
        passed=passed,
        failed=failed,
    )


def _share(found: int, missed: float) -> float:
    return found / (found + missed) if found + missed else 1.0


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share: it says something even where none or all were hit."""
    if count == 0:
        return 0.0, 1.0
    share = float(Fraction(hits, count))
    middle = share + Z * Z / (2 * count)
    spread = Z * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    whole = 1 + Z * Z / count
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)
