"""The webhook bodies that GitHub sends for what happens in a World, found by name as the other trackers' are."""

from __future__ import annotations

from collections.abc import Mapping

from backlint.connectors.sandbox.github import webhook
from backlint.connectors.sandbox.webhooks import Payload
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue


def github_payload(world: World) -> Payload:
    """Builds the delivery for one change of `world`; None for kinds that GitHub does not send."""

    def payload(
        kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
    ) -> tuple[Mapping[str, str], bytes] | None:
        return webhook(world, kind, issue, what, actor)

    return payload
