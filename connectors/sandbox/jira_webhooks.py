"""The webhook bodies that Jira sends for what happens in a World; signing and sending is done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backlint.connectors.sandbox.jira_payloads import Payload as Shape
from backlint.connectors.sandbox.jira_payloads import Shapes, milliseconds
from backlint.connectors.sandbox.webhooks import Payload
from backlint.connectors.sandbox.world import Event, World, WorldComment, WorldIssue

ISSUE_EVENTS = {
    "issue_created": ("jira:issue_created", "issue_created"),
    "issue_updated": ("jira:issue_updated", "issue_generic"),
    "issue_deleted": ("jira:issue_deleted", None),
}
COMMENT_EVENTS = ("comment_created", "comment_updated", "comment_deleted")
FIELDS = ("summary", "description", "issuetype", "status", "priority", "labels", "assignee", "reporter", "project",
          "created", "updated")  # fmt: skip


def jira_payload(world: World, *, is_cloud: bool = True, base: str = "https://sandbox.example.test") -> Payload:
    """Builds the delivery for one change of `world`; None for kinds that Jira does not send (archiving)."""
    # Webhooks speak version 2 on Cloud as well: texts are wiki markup there, people keep their account ids.
    shapes = _WebhookShapes(world, is_cloud=is_cloud)
    shapes.base = base

    def payload(
        kind: str, issue: WorldIssue, what: Event | WorldComment | None, actor: str | None
    ) -> tuple[Mapping[str, str], bytes] | None:
        body: Shape = {"timestamp": milliseconds(world.clock())}
        if kind in ISSUE_EVENTS:
            body |= _issue_event(kind, issue, what, actor, shapes)
        elif kind in COMMENT_EVENTS and isinstance(what, WorldComment):
            body |= _comment_event(kind, issue, what, shapes)
        else:
            return None
        return {"Content-Type": "application/json; charset=UTF-8"}, msgspec.json.encode(body)

    return payload


def _issue_event(kind: str, issue: WorldIssue, what: Any, actor: str | None, shapes: _WebhookShapes) -> Shape:
    name, detail = ISSUE_EVENTS[kind]
    body: Shape = {"webhookEvent": name, "user": shapes.person(actor), "issue": _issue(issue, shapes, FIELDS)}
    if detail is not None:
        body["issue_event_type_name"] = detail
    if isinstance(what, Event):
        changed = next((h for h in shapes.histories(issue) if h["id"] == str(shapes.number(what.id))), None)
        items = changed["items"] if changed else []
        body["changelog"] = {"id": str(shapes.number(what.id)), "items": items}
    return body


def _comment_event(kind: str, issue: WorldIssue, comment: WorldComment, shapes: _WebhookShapes) -> Shape:
    """Only Cloud sends a part of the issue along; on Data Center the comment's address names it."""
    shape = shapes.comment(comment) | {"self": f"{shapes.rest}/issue/{issue.id}/comment/{comment.id}"}
    body: Shape = {"webhookEvent": kind, "comment": shape}
    if shapes.is_cloud:
        body["issue"] = _issue(issue, shapes, ("summary", "issuetype", "project", "assignee", "priority", "status"))
    return body


def _issue(issue: WorldIssue, shapes: _WebhookShapes, fields: tuple[str, ...]) -> Shape:
    """`self` lacks the part that says issue, as seen in real deliveries; it is nothing to call."""
    shape = shapes.issue(issue, fields=fields)
    return {"id": shape["id"], "self": f"{shapes.rest}/{issue.id}", "key": shape["key"], "fields": shape["fields"]}


class _WebhookShapes(Shapes):
    @property
    def rest(self) -> str:
        return f"{self.base}/rest/api/2"

    def rich(self, text: Any) -> Any:
        if isinstance(text, dict):
            return ""  # Jira renders a stored document as wiki markup; nobody reads it from here
        return text or None
