"""Which settings shape what is stored of an issue; when one changes, the stored payloads are mapped again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from backlint.model import Tracker
from backlint.settings import SourceSettings

# Raise it when a connector reads payloads otherwise than the release before: stores then map theirs again.
MAPPING_VERSION = 1
# Categories are looked up afresh in every check; on GitHub the statuses also say which board speaks for an issue.
SHAPING: Mapping[Tracker, tuple[str, ...]] = {
    Tracker.JIRA: ("types", "fields", "url", "site_url"),
    Tracker.LINEAR: ("types",),
    Tracker.GITHUB: ("types", "fields", "statuses"),
}


def mapping_digest(source: SourceSettings) -> str:
    """Equal for settings that make the same issues of the same payloads."""
    shaping = [MAPPING_VERSION, {name: getattr(source, name) for name in SHAPING.get(source.tracker, ())}]
    return hashlib.sha256(msgspec.json.encode(shaping, order="deterministic")).hexdigest()
