"""Linear's stored payloads as issues, by the settings of today."""

from __future__ import annotations

from backlint.connectors.http import decode
from backlint.connectors.linear import mapping, payloads
from backlint.connectors.linear.facts import names_from, read_facts
from backlint.model import Issue
from backlint.settings import SourceSettings


class LinearStored:
    """See `StoredMapping`."""

    def __init__(self, settings: SourceSettings, facts: bytes) -> None:
        self._names = names_from(read_facts(facts, source=settings.name), settings)

    def __call__(self, raw: bytes) -> Issue:
        node = decode(raw, payloads.IssueNode, issue=payloads.called(raw)[1], source=self._names.source)
        return mapping.issue(node, self._names)
