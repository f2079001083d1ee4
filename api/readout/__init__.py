"""Gathers what the weekly readout and its audience views say; the reports only show it."""

from backlint.api.readout.facts import Facts
from backlint.api.readout.views import build_readout

__all__ = ["Facts", "build_readout"]
