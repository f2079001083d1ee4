"""The webhook bodies that Linear sends for what happens in a World; signing and sending is done elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backlint.connectors.sandbox import linear_shapes as shapes
from backlint.connectors.sandbox.webhooks import Payload
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue

ACTIONS = {
    "issue_created": ("Issue", "create"),
    "issue_updated": ("Issue", "update"),
    "issue_archived": ("Issue", "update"),  # no action of its own is documented
    "issue_deleted": ("Issue", "remove"),
    "comment_created": ("Comment", "create"),
    "comment_updated": ("Comment", "update"),
    "comment_deleted": ("Comment", "remove"),
}
# What `updatedFrom` calls the old value of a change.
OLD_VALUES = {
    "status": "stateId", "assignee": "assigneeId", "estimate": "estimate", "title": "title", "due_on": "dueDate",
    "sprint": "cycleId", "parent": "parentId", "body": "description", "priority": "priority",
}  # fmt: skip


def linear_payload(world: World) -> Payload:
    """Builds the delivery for one change of `world`; None for kinds that Linear does not send."""

    def payload(
        kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
    ) -> tuple[Mapping[str, str], bytes] | None:
        if kind not in ACTIONS:
            return None
        entity, action = ACTIONS[kind]
        now = world.clock()
        body: dict[str, Any] = {
            "action": action,
            "type": entity,
            "createdAt": shapes.stamp(now),
            "data": _comment(what, issue) if isinstance(what, WorldComment) else _issue(issue, world),
            "url": f"{shapes.SITE}/issue/{issue.key}",
            "organizationId": shapes.made_id("organization"),
            "webhookId": shapes.made_id("webhook"),
            "webhookTimestamp": int(now.timestamp() * 1000),
        }
        if actor is not None:
            body["actor"] = {"id": actor, "type": "user", "name": world.people[actor].name}
        if action == "update":
            body["updatedFrom"] = _before(what)
        return {"Linear-Event": entity, "Content-Type": "application/json; charset=utf-8"}, json.dumps(body).encode()

    return payload


def _issue(issue: WorldIssue, world: World) -> dict[str, Any]:
    owner, status = world.projects[issue.project], world.statuses[issue.status]
    return {
        "id": issue.id,
        "identifier": issue.key,
        "number": issue.number,
        "title": issue.title,
        "description": issue.body,
        "teamId": owner.id,
        "team": {"id": owner.id, "key": owner.key, "name": owner.name},
        "stateId": status.id,
        "state": {"id": status.id, "name": status.name, "type": shapes.state(status)["type"]},
        "labels": [{"name": name} for name in issue.labels],
        "assigneeId": issue.assignee,
        "creatorId": issue.reporter,
        "priority": issue.priority or 0,
        "estimate": issue.estimate,
        "createdAt": shapes.stamp(issue.created_at),
        "updatedAt": shapes.stamp(issue.updated_at),
        "archivedAt": shapes.stamp(issue.archived_at),
        "trashed": issue.is_trashed or None,
        "previousIdentifiers": issue.former_keys,
    }


def _comment(comment: WorldComment, issue: WorldIssue) -> dict[str, Any]:
    return {
        "id": comment.id,
        "body": comment.body,
        "issueId": issue.id,
        "issue": {"id": issue.id, "identifier": issue.key, "title": issue.title},
        "userId": comment.author,
        "createdAt": shapes.stamp(comment.at),
        "updatedAt": shapes.stamp(comment.edited_at or comment.at),
    }


def _before(what: Event | WorldComment | None) -> dict[str, Any]:
    if not isinstance(what, Event) or what.field not in OLD_VALUES:
        return {}
    return {OLD_VALUES[what.field]: what.before if not hasattr(what.before, "isoformat") else what.before.isoformat()}
