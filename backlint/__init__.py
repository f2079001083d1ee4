"""backlint, the linter for backlogs: the pure domain, and the one import name of every other part."""

__version__ = "0.1.0"
