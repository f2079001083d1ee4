"""Jira payloads for tests: name only what the test is about."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from backlint.connectors.jira.mapping import issue_from
from backlint.connectors.jira.payloads import FieldInfo, FieldSchema, Record
from backlint.connectors.jira.site import Site, field_ids, priority_ranks
from backlint.model import Issue

PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes:"
GREENHOPPER = "com.pyxis.greenhopper.jira:"
FIELDS = (
    FieldInfo("customfield_1", "Story point estimate", True, FieldSchema("number", f"{GREENHOPPER}jsw-story-points")),
    FieldInfo("customfield_2", "Story Points", True, FieldSchema("number", f"{PLUGIN}float")),
    FieldInfo("customfield_3", "Sprint", True, FieldSchema("array", f"{GREENHOPPER}gh-sprint")),
    FieldInfo("customfield_4", "Epic Link", True, FieldSchema("any", f"{GREENHOPPER}gh-epic-link")),
    FieldInfo("customfield_5", "Rank", True, FieldSchema("any", f"{GREENHOPPER}gh-lexo-rank")),
    FieldInfo("customfield_6", "Flagged", True, FieldSchema("array", f"{PLUGIN}multicheckboxes")),
    FieldInfo("customfield_7", "Team", True, FieldSchema("team", f"{PLUGIN}atlassian-team")),
    FieldInfo("customfield_8", "Acceptance Criteria", True, FieldSchema("string", f"{PLUGIN}textarea")),
    FieldInfo("customfield_9", "Risk", True, FieldSchema("number", f"{PLUGIN}float")),
    FieldInfo("customfield_10", "DRI", True, FieldSchema("user", f"{PLUGIN}userpicker")),
)
ANN = {"accountId": "5b10:ann", "accountType": "atlassian", "displayName": "Ann Example", "active": True}
BOT = {"accountId": "557058:bot", "accountType": "app", "displayName": "Automation for Jira", "active": True}
ME = {"accountId": "5b10:me", "accountType": "atlassian", "displayName": "Token Owner", "active": True}


def a_site(*, is_cloud: bool = True, configured: dict[str, str] | None = None, **given: Any) -> Site:
    return Site(
        source="acme",
        url="https://acme.example.test",
        is_cloud=is_cloud,
        own_account="5b10:me",
        fields=field_ids(FIELDS, configured or {}),
        priorities=priority_ranks(["1", "2", "3", "4", "5"]),
        **given,
    )


def a_payload(histories: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": "10001",
        "key": "EX-1",
        "fields": {
            "summary": "Export invoices",
            "status": {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
            "issuetype": {"id": "10002", "name": "Story", "subtask": False, "hierarchyLevel": 0},
            "project": {"id": "10000", "key": "EX"},
            "created": "2026-03-01T10:15:30.123+0100",
            "updated": "2026-03-02T10:15:30.123+0100",
            "comment": {"comments": [], "total": 0, "maxResults": 0, "startAt": 0},
            **fields,
        },
        "changelog": {"histories": histories or [], "total": len(histories or [])},
    }


def a_record(payload: dict[str, Any], **given: Any) -> Record:
    return Record(issue=Raw(json.dumps(payload).encode()), **given)


def read(payload: dict[str, Any], site: Site | None = None, **given: Any) -> Issue:
    return issue_from(a_record(payload, **given), site or a_site())


def a_history(id: str, at: str | int, *items: dict[str, Any], author: dict[str, Any] | None = ANN) -> dict[str, Any]:
    return {"id": id, "created": at, "items": list(items), **({"author": author} if author else {})}


def an_item(field: str, before: Any = (None, None), after: Any = (None, None), **rest: Any) -> dict[str, Any]:
    return {"field": field, "fieldtype": "jira", "from": before[0], "fromString": before[1], "to": after[0],
            "toString": after[1], **rest}  # fmt: skip


def adf(*texts: str) -> dict[str, Any]:
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in texts]
    return {"version": 1, "type": "doc", "content": paragraphs or [{"type": "paragraph", "content": []}]}
