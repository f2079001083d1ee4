"""From a configured source to its connector; the one list of trackers there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from backlint.connectors.contract import Connector, StoredMapping
from backlint.connectors.structs import make_ready
from backlint.errors import ConfigurationError
from backlint.model import Tracker
from backlint.settings import SourceSettings, secret


def connect(source: SourceSettings, *, sleep: Callable[[float], None] = time.sleep) -> Connector:
    """The connector of a source, with its token from the environment or file that the source names."""
    return make_connector(source, _token(source), sleep=sleep)


def make_connector(
    source: SourceSettings, token: SecretStr, *, sleep: Callable[[float], None] = time.sleep
) -> Connector:
    """The connector with the token given; each tracker's code is loaded only when it is used."""
    connector = _made(source, token, sleep)
    make_ready()
    return connector


def _made(source: SourceSettings, token: SecretStr, sleep: Callable[[float], None]) -> Connector:
    match source.tracker:
        case Tracker.JIRA:
            from backlint.connectors.jira.connector import JiraConnector

            return JiraConnector(source, token, sleep=sleep)
        case Tracker.LINEAR:
            from backlint.connectors.linear.connector import LinearConnector

            return LinearConnector(source, token, sleep=sleep)
        case Tracker.GITHUB:
            from backlint.connectors.github.connector import GitHubConnector

            return GitHubConnector(source, token, sleep=sleep)
        case Tracker.FILE:
            raise ConfigurationError(f"source {source.name!r}: a file is no source; use `backlint check --input FILE`")


def stored_mapping(source: SourceSettings, facts: bytes, *, now: datetime) -> StoredMapping:
    """How the stored payloads of a source become issues, with the facts that its last pull kept; needs no token.

    StoreError when the facts are of another program's version.
    """
    match source.tracker:
        case Tracker.JIRA:
            from backlint.connectors.jira.stored import JiraStored

            return JiraStored(source, facts)
        case Tracker.LINEAR:
            from backlint.connectors.linear.stored import LinearStored

            return LinearStored(source, facts)
        case Tracker.GITHUB:
            from backlint.connectors.github.stored import GitHubStored

            return GitHubStored(source, facts, now=now)
        case Tracker.FILE:
            raise ConfigurationError(f"source {source.name!r}: a file is no source; use `backlint check --input FILE`")


def _token(source: SourceSettings) -> SecretStr:
    if source.tracker is Tracker.GITHUB and source.app_id:
        return SecretStr("")  # the connector makes short-lived tokens from the app's key
    if source.oauth is not None:
        return SecretStr("")  # renewed with what the app's file holds
    return secret(source.token_env, file=source.token_file, purpose=f"token of source {source.name!r}")
