"""Jira's stored payloads as issues, by the settings of today."""

from __future__ import annotations

from backlint.connectors.http import decode
from backlint.connectors.jira.facts import read_facts, site_from, status_map
from backlint.connectors.jira.mapping import issue_from
from backlint.connectors.jira.payloads import Record
from backlint.model import Issue
from backlint.settings import SourceSettings


class JiraStored:
    """See `StoredMapping`."""

    def __init__(self, settings: SourceSettings, facts: bytes) -> None:
        known = read_facts(facts, source=settings.name)
        self._site = site_from(known, settings)
        self._statuses = status_map(known.statuses, settings)

    def __call__(self, raw: bytes) -> Issue:
        record = decode(raw, Record, source=self._site.source)
        return self._statuses.apply(issue_from(record, self._site))
