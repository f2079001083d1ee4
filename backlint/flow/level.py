"""The service level expectation as rules and reports see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """A service level expectation: `days` is the 85th percentile of elapsed cycle time over `sample` finished items.

    `scope` says whose: "team", "project" or "organisation" (catalogue 5.6).
    """

    days: float
    sample: int
    scope: str
    kind: str = "items"

    @property
    def duration(self) -> timedelta:
        """The expectation to the microsecond."""
        return timedelta(days=self.days)
