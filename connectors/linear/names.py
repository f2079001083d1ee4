"""What the ids in Linear's payloads mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backlint.connectors.linear.payloads import IssueNode
from backlint.model import IssueType, Sprint
from backlint.status import StatusMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """`me` is the token's account, `own_labels` are labels that backlint made."""

    source: str
    me: str
    statuses: StatusMap
    states: frozenset[str] = frozenset()  # ids of the listed statuses
    labels: Mapping[str, str] = field(default_factory=dict)
    own_labels: frozenset[str] = frozenset()
    sprints: Mapping[str, Sprint] = field(default_factory=dict)
    objectives: Mapping[str, str] = field(default_factory=dict)  # project id -> its initiatives
    bots: frozenset[str] = frozenset()
    types: Mapping[str, IssueType] = field(default_factory=dict)

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.labels.values())))

    def label(self, id: str) -> str:
        return self.labels.get(id, id)

    def sprint(self, id: str) -> Sprint:
        """A cycle that is not listed (another team's, deleted) is known by its id alone, and over."""
        return self.sprints.get(id) or Sprint(id=id, name=id, state="closed")

    def missing(self, nodes: Iterable[IssueNode]) -> set[str]:
        """The ids in the issues that the lists do not name: made since they were read."""
        found: set[str] = set()
        for node in nodes:
            found.update(node.labelIds)
            found.add(node.state.id)
            if node.cycle is not None and node.cycle.id:
                found.add(node.cycle.id)
        return found - self.labels.keys() - self.states - self.sprints.keys()
