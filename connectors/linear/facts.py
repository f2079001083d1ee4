"""A workspace's small lists as Linear sent them, and the names they give to the ids in its issues. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from backlint.connectors.http import decode
from backlint.connectors.kept_facts import read_kept
from backlint.connectors.linear import mapping, payloads
from backlint.connectors.linear.names import Names
from backlint.settings import SourceSettings
from backlint.status import StatusMap

T = TypeVar("T")
VERSION = 1


class WorkspaceFacts(Struct, kw_only=True, frozen=True):
    """`lists` holds the rows of each list under its name in Linear's schema."""

    v: int = VERSION
    viewer: payloads.Viewer
    organization: str = ""
    lists: dict[str, list[Raw]] = {}

    def json(self) -> bytes:
        return msgspec.json.encode(self)

    def rows(self, name: str, kind: type[T], *, source: str) -> Iterator[T]:
        return (decode(bytes(raw), kind, source=source) for raw in self.lists.get(name, ()))


def read_facts(raw: bytes, *, source: str) -> WorkspaceFacts:
    return read_kept(raw, WorkspaceFacts, version=VERSION, what="workspace", source=source)


def names_from(facts: WorkspaceFacts, settings: SourceSettings) -> Names:
    source = settings.name
    labels = list(facts.rows("issueLabels", payloads.LabelNode, source=source))
    states = list(facts.rows("workflowStates", payloads.StateRef, source=source))
    cycles = [mapping.sprint(each) for each in facts.rows("cycles", payloads.CycleNode, source=source)]
    projects = facts.rows("projects", payloads.ProjectNode, source=source)
    people = facts.rows("users", payloads.UserNode, source=source)
    return Names(
        source=source,
        me=facts.viewer.id,
        statuses=StatusMap(map(mapping.status_fact, states), settings.statuses),
        states=frozenset(state.id for state in states),
        labels={label.id: label.name for label in labels},
        own_labels=frozenset(each.id for each in labels if each.description == mapping.LABEL_DESCRIPTION),
        sprints={cycle.id: cycle for cycle in cycles},
        objectives={each.id: told for each in projects if (told := mapping.objective(each))},
        bots=frozenset(user.id for user in people if user.app) | ({facts.viewer.id} if facts.viewer.app else set()),
        types=settings.types,
    )
