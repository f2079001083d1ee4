"""The world in Jira's shapes: Cloud's version 3 (ADF, account ids), Data Center's version 2 (wiki markup, keys)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import marklassian

from backlint.connectors.jira.wiki_writer import markdown_to_wiki
from backlint.connectors.sandbox.jira_jql import ACCOUNT_ZONE
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

Payload = dict[str, Any]
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")  # ids 1 to 5; the world's 1..4 are the first four
TYPES = {
    "initiative": ("10000", "Initiative", 2),
    "epic": ("10001", "Epic", 1),
    "story": ("10002", "Story", 0),
    "task": ("10003", "Task", 0),
    "bug": ("10004", "Bug", 0),
    "spike": ("10005", "Spike", 0),
    "incident": ("10006", "Incident", 0),
    "decision": ("10007", "Decision", 0),
    "subtask": ("10008", "Sub-task", -1),
}
CATEGORIES = {
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
LINK_TYPES = {
    "blocks": {"id": "10000", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"},
    "duplicates": {"id": "10002", "name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates"},
    "relates": {"id": "10003", "name": "Relates", "inward": "relates to", "outward": "relates to"},
}
_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes:"
_GREENHOPPER = "com.pyxis.greenhopper.jira:"
ESTIMATE, SPRINT, RANK, FLAGGED = "customfield_10016", "customfield_10020", "customfield_10019", "customfield_10021"
TEAM, EPIC_LINK = "customfield_10001", "customfield_10014"
# Catalogue name -> custom field id, for everything that the world keeps in `fields`.
FIELD_IDS = {
    "acceptance_criteria": "customfield_10030", "outcome": "customfield_10031", "metric": "customfield_10032",
    "baseline": "customfield_10033", "target": "customfield_10034", "by": "customfield_10035",
    "guardrail": "customfield_10036", "objective": "customfield_10037", "key_result": "customfield_10038",
    "measured_result": "customfield_10039", "reach": "customfield_10040", "impact": "customfield_10041",
    "confidence": "customfield_10042", "effort": "customfield_10043", "score": "customfield_10044",
    "blocked_reason": "customfield_10045", "owner": "customfield_10046", "accountable": "customfield_10047",
    "review_on": "customfield_10048", "steps": "customfield_10049", "expected": "customfield_10050",
    "actual": "customfield_10051",
}  # fmt: skip
_NAMES = {
    "acceptance_criteria": "Acceptance Criteria", "by": "Target date", "key_result": "Key result", "owner": "DRI",
    "measured_result": "Measured result", "blocked_reason": "Blocked reason", "review_on": "Review date",
    "steps": "Steps to reproduce", "expected": "Expected result", "actual": "Actual result",
}  # fmt: skip
_AREAS = {"acceptance_criteria", "outcome", "objective", "measured_result", "steps", "expected", "actual"}
_PEOPLE = {"owner", "accountable"}
_NUMBERS = {"reach", "impact", "confidence", "effort", "score"}
_SYSTEM = {
    "summary": "string", "description": "string", "issuetype": "issuetype", "status": "status", "priority": "priority",
    "labels": "array", "assignee": "user", "reporter": "user", "creator": "user", "created": "datetime",
    "updated": "datetime", "resolution": "resolution", "resolutiondate": "datetime", "duedate": "date",
    "issuelinks": "array", "project": "project", "timeoriginalestimate": "number", "comment": "comments-page",
    "subtasks": "array", "components": "array", "fixVersions": "array", "statuscategorychangedate": "datetime",
}  # fmt: skip
AUTOMATION = WorldPerson("557058:automation", "Automation for Jira", "automation", is_bot=True)
DELETED_STATUS = WorldStatus("0", "Gone", "backlog")


class Wiki(str):
    """A text that a client stored as wiki markup, to tell it from the world's own Markdown."""

    __slots__ = ()


@lru_cache(maxsize=100_000)
def as_adf(text: str) -> Payload:
    """A Markdown text as Jira Cloud would store it; made once for each text."""
    return dict(marklassian.markdown_to_adf(text))


@lru_cache(maxsize=100_000)
def as_wiki(text: str) -> str:
    return markdown_to_wiki(text)


def zoned(at: datetime) -> str:
    """Jira prints times in the zone of the caller's profile, to the millisecond, the offset without a colon."""
    local = at.astimezone(ACCOUNT_ZONE)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


class Shapes:
    """Payloads of one world for one deployment; `base` is the address that `self` links carry."""

    def __init__(self, world: World, *, is_cloud: bool) -> None:
        self.world, self.is_cloud = world, is_cloud
        self.base = ""
        self.service_desks: set[str] = set()  # keys of projects that are service desks
        self._numbers: dict[str, int] = {}
        self._incoming: dict[str, list[tuple[str, str]]] = {}
        self._keys: dict[str, str] = {}
        self._is_stale = True
        world.listeners.append(self._forget)

    def _forget(self, _kind: str, _issue: WorldIssue, _what: object, _actor: str | None) -> None:
        self._is_stale = True

    def _index(self) -> None:
        """Keys and incoming links of all issues, made anew after a change."""
        if not self._is_stale:
            return
        self._is_stale = False
        self._incoming, self._keys = {}, {}
        for issue in self.world.issues.values():
            for former in issue.former_keys:
                self._keys.setdefault(former.casefold(), issue.id)
            for kind, target in issue.links:
                self._incoming.setdefault(target, []).append((kind, issue.id))
        for issue in self.world.issues.values():
            self._keys[issue.key.casefold()] = issue.id

    def find(self, reference: str) -> WorldIssue | None:
        """A readable issue by id, key (in any case) or former key."""
        self._index()
        issue = self.world.issues.get(reference) or self.world.issues.get(self._keys.get(reference.casefold(), ""))
        return issue if issue is not None and self.is_readable(issue) else None

    def is_readable(self, issue: WorldIssue) -> bool:
        return self.world.projects[issue.project].is_readable and not issue.is_trashed

    def number(self, text: str) -> int:
        """Jira's ids of sprints, boards and histories are numbers: the world's own, or one given on first sight."""
        if text.isdigit():
            return int(text)
        return self._numbers.setdefault(text, 900_000 + len(self._numbers))

    # -- small things ----------------------------------------------------------------------------------------------

    @property
    def rest(self) -> str:
        return f"{self.base}/rest/api/{3 if self.is_cloud else 2}"

    def person(self, id: str | None) -> Payload:
        """Changes of an automation come from an app account."""
        someone = AUTOMATION if id is None else self.world.people.get(id, WorldPerson(id, "Former user", id, False))
        common = {"displayName": someone.name, "active": someone.is_active, "timeZone": str(ACCOUNT_ZONE)}
        if self.is_cloud:
            kind = "app" if someone.is_bot else "atlassian"
            return {"self": f"{self.rest}/user?accountId={someone.id}", "accountId": someone.id, "accountType": kind,
                    **common}  # fmt: skip
        return {"self": f"{self.rest}/user?username={someone.handle}", "name": someone.handle, "key": someone.id,
                "emailAddress": f"{someone.handle}@example.test", **common}  # fmt: skip

    def user(self, id: str | None) -> Payload | None:
        return None if id is None else self.person(id)

    def status(self, status: WorldStatus) -> Payload:
        return {
            "self": f"{self.rest}/status/{status.id}",
            "description": "",
            "iconUrl": f"{self.base}/",
            "name": status.name,
            "id": status.id,
            "statusCategory": CATEGORIES[category_of(status)],
        }

    def priority(self, value: int | None) -> Payload | None:
        if value is None:
            return None
        return {"self": f"{self.rest}/priority/{value}", "name": PRIORITIES[value - 1], "id": str(value)}

    def type(self, name: str) -> Payload:
        id, shown, level = TYPES[name]
        kind: Payload = {
            "self": f"{self.rest}/issuetype/{id}", "id": id, "description": "", "name": shown, "subtask": level < 0,
        }  # fmt: skip
        if self.is_cloud:
            kind |= {"untranslatedName": shown, "hierarchyLevel": level}
        return kind

    def project(self, project: WorldProject, *, detailed: bool = False) -> Payload:
        short: Payload = {
            "self": f"{self.rest}/project/{project.id}", "id": project.id, "key": project.key, "name": project.name,
            "projectTypeKey": "service_desk" if project.key in self.service_desks else "software",
        }  # fmt: skip
        if self.is_cloud:
            short |= {"simplified": False}
        if detailed:
            short |= {"description": project.description, "lead": self.user(project.lead)}
        return short

    def sprint(self, sprint: WorldSprint) -> Payload:
        now = self.world.clock()
        shape: Payload = {
            "id": self.number(sprint.id), "name": sprint.name, "state": sprint.state(now),
            "boardId": self.number(self.world.projects[sprint.project].id), "goal": "",
            "startDate": _zulu(sprint.starts_at), "endDate": _zulu(sprint.ends_at),
        }  # fmt: skip
        if sprint.completed_at is not None:
            shape["completeDate"] = _zulu(sprint.completed_at)
        return shape

    def sprint_text(self, sprint: WorldSprint) -> str:
        """The sprint as older Data Center prints it: a Java object's text."""
        end = _zulu(sprint.completed_at) if sprint.completed_at else "<null>"
        board = self.number(self.world.projects[sprint.project].id)
        return (
            f"com.atlassian.greenhopper.service.sprint.Sprint@1f[id={self.number(sprint.id)},rapidViewId={board},"
            f"state={sprint.state(self.world.clock()).upper()},name={sprint.name},startDate={_zulu(sprint.starts_at)},"
            f"endDate={_zulu(sprint.ends_at)},completeDate={end},sequence={self.number(sprint.id)},goal=]"
        )

    def rich(self, text: Any) -> Any:
        """A text in the deployment's own notation; what a client stored comes back as it is."""
        if text is None or text == "":
            return None
        if isinstance(text, dict):
            return text
        if isinstance(text, Wiki):
            return str(text)
        return as_adf(text) if self.is_cloud else as_wiki(text)

    def comment(self, comment: WorldComment, *, with_properties: bool = False) -> Payload:
        shape: Payload = {
            "self": f"{self.rest}/comment/{comment.id}", "id": comment.id, "author": self.person(comment.author),
            "body": self.rich(comment.body), "updateAuthor": self.person(comment.author),
            "created": zoned(comment.at), "updated": zoned(comment.edited_at or comment.at), "jsdPublic": True,
        }  # fmt: skip
        if with_properties:
            shape["properties"] = [{"key": key, "value": value} for key, value in comment.properties.items()]
        return shape

    # -- issues ----------------------------------------------------------------------------------------------------

    def issue(
        self,
        issue: WorldIssue,
        *,
        fields: Sequence[str],
        expand: Iterable[str] = (),
        properties: Iterable[str] = (),
        most_histories: int | None = None,
        most_comments: int | None = None,
    ) -> Payload:
        self._index()
        shape: Payload = {"expand": "", "id": issue.id, "self": f"{self.rest}/issue/{issue.id}", "key": issue.key}
        names = list(self._renderers) if "*all" in fields or "*navigable" in fields else fields
        if "*navigable" in fields:
            names = [name for name in names if name != "comment"]
        values = {name: self._renderers[name](issue) for name in names if name in self._renderers}
        if most_comments is not None and "comment" in values:
            values["comment"] |= {
                "comments": values["comment"]["comments"][:most_comments],
                "maxResults": most_comments,
            }
        shape["fields"] = {name: value for name, value in values.items() if value is not _ABSENT}
        if "changelog" in expand:
            shape["changelog"] = self._changelog(issue, most_histories)
        if keys := list(properties):
            shape["properties"] = {key: issue.properties[key] for key in keys if key in issue.properties}
        return shape

    def _changelog(self, issue: WorldIssue, most: int | None) -> Payload:
        """Cloud cuts it and shows the newest first; Data Center shows all, the oldest first."""
        histories = list(self.histories(issue))
        total = len(histories)
        if self.is_cloud:
            histories = histories[::-1][:most]
        return {"startAt": 0, "maxResults": len(histories), "total": total, "histories": histories}

    @property
    def _renderers(self) -> dict[str, Callable[[WorldIssue], Any]]:
        known = self.__dict__.get("_renderer_table")
        if known is None:
            known = self.__dict__["_renderer_table"] = self._make_renderers()
        table: dict[str, Callable[[WorldIssue], Any]] = known
        return table

    def _make_renderers(self) -> dict[str, Callable[[WorldIssue], Any]]:
        world = self.world
        table: dict[str, Callable[[WorldIssue], Any]] = {
            "summary": lambda i: i.title,
            "description": lambda i: self.rich(i.body),
            "issuetype": lambda i: self.type(i.type),
            "status": lambda i: self.status(world.statuses[i.status]),
            "priority": lambda i: self.priority(i.priority),
            "labels": lambda i: list(i.labels),
            "assignee": lambda i: self.user(i.assignee),
            "reporter": lambda i: self.user(i.reporter),
            "creator": lambda i: self.user(i.reporter),
            "created": lambda i: zoned(i.created_at),
            "updated": lambda i: zoned(i.updated_at),
            "resolution": lambda i: {"id": "10000", "name": i.resolution} if i.resolution else None,
            "resolutiondate": lambda i: zoned(i.updated_at) if i.resolution else None,
            "archiveddate": lambda i: zoned(i.archived_at) if i.is_archived and i.archived_at else None,
            "duedate": lambda i: i.due_on.isoformat() if i.due_on else None,
            "parent": self._parent,
            "issuelinks": lambda i: list(self._links(i)),
            "project": lambda i: self.project(world.projects[i.project]),
            "timeoriginalestimate": lambda i: None,
            "comment": self._comments,
            "subtasks": lambda i: [],
            "components": lambda i: [],
            "fixVersions": lambda i: [],
            ESTIMATE: lambda i: i.estimate,
            SPRINT: self._sprints,
            RANK: lambda i: f"0|i{i.number:05d}:",
            FLAGGED: lambda i: [{"id": "10019", "value": "Impediment"}] if i.fields.get("flagged") else None,
            TEAM: lambda i: {"id": i.fields["team"], "name": i.fields["team"]} if i.fields.get("team") else None,
        }
        if not self.is_cloud:
            table[EPIC_LINK] = self._epic_link
        for name, id in FIELD_IDS.items():
            table[id] = self._custom(name)
        return table

    def _custom(self, name: str) -> Callable[[WorldIssue], Any]:
        def value(issue: WorldIssue) -> Any:
            given = issue.fields.get(name)
            if name in _PEOPLE and isinstance(given, str):
                return self.person(given) if given in self.world.people else None
            if name in _AREAS and isinstance(given, str):
                return self.rich(given)
            return given.isoformat() if isinstance(given, date) else given

        return value

    def _parent_of(self, issue: WorldIssue) -> WorldIssue | None:
        return self.world.issues.get(issue.parent) if issue.parent else None

    def _parent(self, issue: WorldIssue) -> Any:
        """On Data Center only a subtask has a parent; stories name their epic in another field."""
        parent = self._parent_of(issue)
        if parent is None or (not self.is_cloud and issue.type != "subtask"):
            return _ABSENT
        return self._linked(parent)

    def _epic_link(self, issue: WorldIssue) -> str | None:
        parent = self._parent_of(issue)
        return parent.key if parent is not None and issue.type != "subtask" else None

    def _linked(self, issue: WorldIssue) -> Payload:
        return {
            "id": issue.id,
            "key": issue.key,
            "self": f"{self.rest}/issue/{issue.id}",
            "fields": {
                "summary": issue.title,
                "status": self.status(self.world.statuses[issue.status]),
                "issuetype": self.type(issue.type),
            },
        }

    def _links(self, issue: WorldIssue) -> Iterator[Payload]:
        """A link to an issue that the caller may not see is left out."""
        for kind, target in issue.links:
            if other := self.find(target):
                yield {"id": f"{issue.id}{other.id}", "type": LINK_TYPES[kind], "outwardIssue": self._linked(other)}
        for kind, source in self._incoming.get(issue.id, ()):
            if other := self.find(source):
                yield {"id": f"{other.id}{issue.id}", "type": LINK_TYPES[kind], "inwardIssue": self._linked(other)}

    def _comments(self, issue: WorldIssue) -> Payload:
        shown = [self.comment(comment) for comment in issue.comments]
        return {"comments": shown, "maxResults": len(shown), "total": len(shown), "startAt": 0}

    # -- sprints and history ---------------------------------------------------------------------------------------

    def _sprints(self, issue: WorldIssue) -> list[Any] | None:
        now = self._sprint_lists(issue)[-1]
        sprints = [self.world.sprints[id] for id in now if id in self.world.sprints]
        if not sprints:
            return None
        return [self.sprint(each) if self.is_cloud else self.sprint_text(each) for each in sprints]

    def _sprint_lists(self, issue: WorldIssue) -> list[list[str]]:
        """The sprint field after each change: a sprint that was closed meanwhile stays in the list, as in Jira."""
        events = [event for event in issue.events if event.field == "sprint"]
        first = events[0].before if events else issue.sprint
        lists = [[first] if first else []]
        for event in events:
            kept = [id for id in lists[-1] if id != event.after and self._was_closed(id, event.at)]
            lists.append([*kept, event.after] if event.after else kept)
        return lists

    def _was_closed(self, id: str, at: datetime) -> bool:
        sprint = self.world.sprints.get(id)
        return sprint is not None and sprint.completed_at is not None and sprint.completed_at <= at

    def histories(self, issue: WorldIssue) -> Iterator[Payload]:
        """Oldest first, one history for each event."""
        sprints = iter(_pairs(self._sprint_lists(issue)))
        keys = iter(_pairs([*issue.former_keys, issue.key]))
        for event in sorted(issue.events, key=lambda event: event.at):
            items = list(self._items(issue, event, sprints, keys))
            if items:
                yield {
                    "id": str(self.number(event.id)),
                    "author": self.person(event.actor),
                    "created": zoned(event.at),
                    "items": items,
                }

    def _items(self, issue: WorldIssue, event: Event, sprints: Iterator[Any], keys: Iterator[Any]) -> Iterator[Payload]:
        before, after = event.before, event.after
        match event.field:
            case "status":
                yield _item("status", "status", (before, self._status_name(before)), (after, self._status_name(after)))
            case "assignee" | "reporter" as field:
                yield _item(field, field, (before, self._person_name(before)), (after, self._person_name(after)))
            case "labels":
                yield _item("labels", "labels", (None, " ".join(before or ())), (None, " ".join(after or ())))
            case "title":
                yield _item("summary", "summary", (None, before), (None, after))
            case "body":
                yield _item("description", "description", (None, _text(before)), (None, _text(after)))
            case "priority":
                yield _item("priority", "priority", _priority(before), _priority(after))
            case "due_on":
                yield _item("duedate", "duedate", _date(before), _date(after))
            case "resolution":
                yield _item("resolution", "resolution", (before and "10000", before), (after and "10000", after))
            case "estimate":
                name = "Story point estimate" if self.is_cloud else "Story Points"
                yield _item(name, ESTIMATE, (None, _text(before)), (None, _text(after)), is_custom=True)
            case "sprint":
                old, new = next(sprints)
                yield _item("Sprint", SPRINT, self._sprint_sides(old), self._sprint_sides(new), is_custom=True)
            case "parent":
                association = "IssueParentAssociation" if self.is_cloud else "Epic Link"
                yield _item(association, None, self._issue_sides(before), self._issue_sides(after))
            case "project":
                old_key, new_key = next(keys)
                yield _item("project", "project", self._project_sides(before), self._project_sides(after))
                yield _item("Key", None, (None, old_key), (None, new_key))
            case "type":
                yield _item("issuetype", "issuetype", _type(before), _type(after))
            case other:
                yield _item(_NAMES.get(other, other), FIELD_IDS.get(other), (None, _text(before)), (None, _text(after)))

    def _status_name(self, id: str) -> str:
        return self.world.statuses.get(id, DELETED_STATUS).name

    def _person_name(self, id: str | None) -> str | None:
        return None if id is None else str(self.person(id)["displayName"])

    def _sprint_sides(self, ids: list[str]) -> tuple[str, str]:
        names = [self.world.sprints[id].name for id in ids if id in self.world.sprints]
        return ", ".join(str(self.number(id)) for id in ids), ", ".join(names)

    def _issue_sides(self, id: str | None) -> tuple[str | None, str | None]:
        issue = self.world.issues.get(id) if id else None
        return id, issue.key if issue else None

    def _project_sides(self, key: str) -> tuple[str, str]:
        return self.world.projects[key].id, self.world.projects[key].name

    # -- lists -----------------------------------------------------------------------------------------------------

    def fields(self) -> Iterator[Payload]:
        for name, kind in _SYSTEM.items():
            yield _field(name, name.capitalize(), {"type": kind, "system": name})
        points = ("Story point estimate", f"{_GREENHOPPER}jsw-story-points")
        if not self.is_cloud:
            points = ("Story Points", f"{_PLUGIN}float")
            yield _custom(EPIC_LINK, "Epic Link", "any", f"{_GREENHOPPER}gh-epic-link")
        yield _custom(ESTIMATE, points[0], "number", points[1])
        yield _custom(SPRINT, "Sprint", "array", f"{_GREENHOPPER}gh-sprint")
        yield _custom(RANK, "Rank", "any", f"{_GREENHOPPER}gh-lexo-rank")
        yield _custom(FLAGGED, "Flagged", "array", f"{_PLUGIN}multicheckboxes")
        yield _custom(TEAM, "Team", "team", f"{_PLUGIN}atlassian-team")
        for name, id in FIELD_IDS.items():
            kind = "textarea" if name in _AREAS else "userpicker" if name in _PEOPLE else "textfield"
            kind = "float" if name in _NUMBERS else "datepicker" if name == "review_on" else kind
            yield _custom(id, _NAMES.get(name, name.replace("_", " ").capitalize()), "string", f"{_PLUGIN}{kind}")


class _Absent:
    """A field that the answer leaves out, unlike one that is null."""


_ABSENT = _Absent()


def category_of(status: WorldStatus) -> str:
    """Jira has three classes of status; a cancelled issue is done with a resolution that says so."""
    if status.kind in ("completed", "cancelled"):
        return "done"
    return "indeterminate" if status.kind == "started" else "new"


def _zulu(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _pairs(values: list[Any]) -> list[tuple[Any, Any]]:
    return list(pairwise(values))


def _item(
    field: str, id: str | None, before: tuple[Any, Any], after: tuple[Any, Any], *, is_custom: bool = False
) -> Payload:
    item: Payload = {
        "field": field, "fieldtype": "custom" if is_custom or (id or "").startswith("custom") else "jira",
        "from": before[0], "fromString": before[1], "to": after[0], "toString": after[1],
    }  # fmt: skip
    return item if id is None else {**item, "fieldId": id}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _priority(value: int | None) -> tuple[str | None, str | None]:
    return (None, None) if value is None else (str(value), PRIORITIES[value - 1])


def _date(value: Any) -> tuple[str | None, str | None]:
    return (None, None) if value is None else (value.isoformat(), f"{value.isoformat()} 00:00:00.0")


def _type(name: str) -> tuple[str, str]:
    return TYPES[name][0], TYPES[name][1]


def _field(id: str, name: str, schema: Payload) -> Payload:
    return {"id": id, "key": id, "name": name, "custom": False, "orderable": True, "navigable": True,
            "searchable": True, "clauseNames": [id], "schema": schema}  # fmt: skip


def _custom(id: str, name: str, kind: str, custom: str) -> Payload:
    number = int(id.removeprefix("customfield_"))
    schema = {"type": kind, "custom": custom, "customId": number}
    return {**_field(id, name, schema), "custom": True, "clauseNames": [f"cf[{number}]", name]}
