"""A World in Linear's shapes: plain dicts under the field names of the GraphQL schema. Times have milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from backlint.connectors.sandbox.world import (
    Event,
    World,
    WorldComment,
    WorldIssue,
    WorldPerson,
    WorldProject,
    WorldSprint,
    WorldStatus,
)

SITE = "https://linear.app/sandbox"
STATE_TYPES = {"cancelled": "canceled"}  # the rest of the world's kinds are Linear's own words
RELATION_TYPES = {"blocks": "blocks", "duplicates": "duplicate", "relates": "related"}
# Which properties of a history entry hold the two sides of a change.
HISTORY_FIELDS = {
    "status": "StateId", "assignee": "AssigneeId", "estimate": "Estimate", "title": "Title", "due_on": "DueDate",
    "sprint": "CycleId", "parent": "ParentId",
}  # fmt: skip


def stamp(moment: datetime | None) -> str | None:
    """As Linear prints it: UTC with milliseconds; text order is time order."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def made_id(*parts: str) -> str:
    """The same id every time for something that the world has no id for."""
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))


def person(found: WorldPerson | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "id": found.id, "name": found.name, "displayName": found.handle, "email": f"{found.handle}@example.test",
        "active": found.is_active, "app": found.is_bot, "admin": False, "createdAt": "2020-01-01T00:00:00.000Z",
    }  # fmt: skip


def team(found: WorldProject) -> dict[str, Any]:
    return {
        "id": found.id, "key": found.key, "name": found.name, "createdAt": "2020-01-01T00:00:00.000Z",
        "issueEstimationType": "fibonacci",
    }  # fmt: skip


def state(found: WorldStatus) -> dict[str, Any]:
    kind = "duplicate" if found.name == "Duplicate" else STATE_TYPES.get(found.kind, found.kind)
    return {"id": found.id, "name": found.name, "type": kind, "position": 0.0}


def cycle(found: WorldSprint, world: World) -> dict[str, Any]:
    present = found.state(world.clock())
    return {
        "id": found.id, "number": float(found.number), "name": found.name or None, "startsAt": stamp(found.starts_at),
        "endsAt": stamp(found.ends_at), "completedAt": stamp(found.completed_at), "isActive": present == "active",
        "isFuture": present == "future", "isPast": present == "closed", "team": team(world.projects[found.project]),
    }  # fmt: skip


def project_id(owner: WorldProject) -> str:
    return made_id("project", owner.key)


def project(owner: WorldProject, world: World) -> dict[str, Any]:
    """The one Linear project of a team: the world keeps lead and description with the team."""
    return {
        "id": project_id(owner),
        "name": f"{owner.name} roadmap",
        "description": "",
        "content": owner.description or None,
        "targetDate": None,
        "lead": person(world.people.get(owner.lead or "")),
        "initiatives": (),
    }


def has_project(owner: WorldProject) -> bool:
    return bool(owner.lead or owner.description)


def issue(found: WorldIssue, world: World, label_ids: Iterable[str]) -> dict[str, Any]:
    """Cheap fields at once, those of other objects only when asked."""
    owner = world.projects[found.project]
    by_id = world.people.get
    return {
        "_issue": found,
        "id": found.id,
        "identifier": found.key,
        "number": float(found.number),
        "title": found.title,
        "description": found.body or None,
        "priority": float(found.priority or 0),
        "estimate": found.estimate,
        "url": f"{SITE}/issue/{found.key}",
        "createdAt": stamp(found.created_at),
        "updatedAt": stamp(found.updated_at),
        "archivedAt": stamp(found.archived_at),
        "trashed": True if found.is_trashed else None,
        "dueDate": found.due_on.isoformat() if found.due_on else None,
        "addedToCycleAt": None,
        "previousIdentifiers": found.former_keys,
        "labelIds": list(label_ids),
        "sortOrder": float(found.fields.get("rank", found.number)),
        "team": lambda: team(owner),
        "state": lambda: state(world.statuses[found.status]),
        "assignee": lambda: person(by_id(found.assignee or "")),
        "creator": lambda: person(by_id(found.reporter or "")),
        "cycle": lambda: cycle(world.sprints[found.sprint], world) if found.sprint else None,
        "project": lambda: project(owner, world) if has_project(owner) else None,
        "parent": lambda: {"id": found.parent} if found.parent in world.issues else None,
        "botActor": None if found.reporter else {"id": None, "type": "integration", "name": "Import"},
    }


def comment(found: WorldComment, on: WorldIssue, world: World) -> dict[str, Any]:
    author = world.people.get(found.author or "")
    outside = found.properties.get("external")
    return {
        "id": found.id,
        "body": found.body,
        "createdAt": stamp(found.at),
        "updatedAt": stamp(found.edited_at or found.at),
        "editedAt": stamp(found.edited_at),
        "user": person(author),
        "botActor": None if author or outside else {"id": made_id("bot"), "type": "integration", "name": "Integration"},
        "externalUser": {"id": made_id("external", outside), "name": outside} if outside else None,
        "issue": lambda: issue(on, world, ()),
    }


def relation(kind: str, source: WorldIssue, target: str) -> dict[str, Any]:
    return {
        "id": made_id("relation", source.id, kind, target),
        "type": RELATION_TYPES[kind],
        "createdAt": stamp(source.created_at),
        "issue": {"id": source.id},
        "relatedIssue": {"id": target},
    }


def history(found: WorldIssue, world: World, label_id: Any) -> list[dict[str, Any]]:
    """One entry for each change, oldest first; changes of one actor at one moment share an entry, as in Linear."""
    entries: list[dict[str, Any]] = []
    for event in found.events:
        sides = _sides(event, world, label_id)
        if not sides:
            continue
        last = entries[-1] if entries else None
        shares = last is not None and (last["createdAt"], last["actorId"]) == (stamp(event.at), event.actor)
        if last is not None and shares and not last.keys() & sides.keys():
            last.update(sides)
        else:
            entries.append({"id": event.id, "createdAt": stamp(event.at), "actorId": event.actor, **sides})
    return entries


def _sides(event: Event, world: World, label_id: Any) -> dict[str, Any]:
    match event.field:
        case "labels":
            before, after = event.before or [], event.after or []
            return {
                "addedLabelIds": [label_id(name) for name in after if name not in before] or None,
                "removedLabelIds": [label_id(name) for name in before if name not in after] or None,
            }
        case "body":
            return {"updatedDescription": True}
        case "priority":
            return {"fromPriority": float(event.before or 0), "toPriority": float(event.after or 0)}
        case "project":
            keys = world.projects
            return {"fromTeamId": keys[event.before].id, "toTeamId": keys[event.after].id}
        case name if name in HISTORY_FIELDS:
            suffix = HISTORY_FIELDS[name]
            return {f"from{suffix}": _plain(event.before), f"to{suffix}": _plain(event.after)}
        case _:
            return {}  # resolutions and mapped fields do not exist in Linear


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def state_spans(found: WorldIssue) -> list[dict[str, Any]]:
    """The statuses in the order in which the issue was in them; the last one is open."""
    steps = [event for event in found.events if event.field == "status"]
    states = [steps[0].before if steps else found.status, *(step.after for step in steps)]
    starts = [found.created_at, *(step.at for step in steps)]
    ends: list[datetime | None] = [*starts[1:], None]
    return [
        {"id": made_id("span", found.id, str(n)), "stateId": id, "startedAt": stamp(start), "endedAt": stamp(end)}
        for n, (id, start, end) in enumerate(zip(states, starts, ends, strict=True))
    ]


def attachments(found: WorldIssue) -> list[dict[str, Any]]:
    """The pull request, if there is one, and what else is attached by its address."""
    linked = [
        {"id": made_id(url), "url": url, "title": found.title, "createdAt": stamp(found.created_at)}
        for url in found.properties.get("attachments", ())
    ]
    if found.pull_request_at is None:
        return linked
    url = f"https://github.com/sandbox/{found.project.lower()}/pull/{found.number}"
    return [{"id": made_id(url), "url": url, "title": found.title, "createdAt": stamp(found.pull_request_at)}, *linked]
