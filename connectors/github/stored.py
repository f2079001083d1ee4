"""GitHub's stored payloads as issues, by the settings of today."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from backlint.connectors.github.mapping import Reading, issue_from
from backlint.connectors.http import decode
from backlint.connectors.kept_facts import read_kept
from backlint.model import Issue
from backlint.settings import SourceSettings

VERSION = 1


class AccountFacts(msgspec.Struct, kw_only=True, frozen=True):
    """`former` is the configured name of each repository that is called otherwise now, by its present name."""

    v: int = VERSION
    own_account: str | None = None
    former: dict[str, str] = {}

    def json(self) -> bytes:
        return msgspec.json.encode(self)


class _Where(msgspec.Struct, frozen=True):
    repository: str


class GitHubStored:
    """See `StoredMapping`. `now` says which iterations are over."""

    def __init__(self, settings: SourceSettings, facts: bytes, *, now: datetime) -> None:
        known = read_kept(facts, AccountFacts, version=VERSION, what="account", source=settings.name)
        self._former = known.former
        self._reading = reading_for(settings, own_account=known.own_account, now=now)

    def __call__(self, raw: bytes) -> Issue:
        repository = decode(raw, _Where, source=self._reading.source).repository
        return issue_from(raw, replace(self._reading, former_repository=self._former.get(repository)))


def reading_for(
    settings: SourceSettings, *, own_account: str | None, now: datetime, former_repository: str | None = None
) -> Reading:
    return Reading(
        source=settings.name,
        now=now,
        own_account=own_account,
        statuses=settings.statuses,
        types=settings.types,
        fields=settings.fields,
        former_repository=former_repository,
    )
