"""Flow metrics from a status history (catalogue 5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """A service level expectation: `days` is the 85th percentile of elapsed cycle time over `sample` finished items.

    `scope` says whose: "team", "project" or "organisation" (catalogue 5.6).
    """

    days: float
    sample: int
    scope: str
    kind: str = "items"
