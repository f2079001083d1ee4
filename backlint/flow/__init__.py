"""Flow metrics from a status history (catalogue 5)."""

from backlint.flow.episodes import Episode, episodes, reopenings
from backlint.flow.items import Item, cycle_times, handoffs, items, team_of
from backlint.flow.level import ServiceLevel
from backlint.flow.levels import Standing, cycle_score, levels_of, service_levels, standings
from backlint.flow.options import ITEM_TYPES, LARGE_TYPES, Flag, FlowOptions, Mode, StartSource
from backlint.flow.timeline import Span, Timeline, timeline

__all__ = [
    "ITEM_TYPES",
    "LARGE_TYPES",
    "Episode",
    "Flag",
    "FlowOptions",
    "Item",
    "Mode",
    "ServiceLevel",
    "Span",
    "Standing",
    "StartSource",
    "Timeline",
    "cycle_score",
    "cycle_times",
    "episodes",
    "handoffs",
    "items",
    "levels_of",
    "reopenings",
    "service_levels",
    "standings",
    "team_of",
    "timeline",
]
