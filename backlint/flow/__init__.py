"""Flow metrics from a status history (catalogue 5)."""

from backlint.flow.level import ServiceLevel

__all__ = ["ServiceLevel"]
