"""An issue as plain JSON values and back: what `export issues` writes and `--input` reads (docs/schemas/issue.json).

Writing gives every field. Reading is lenient about what is absent or null and strict about what is wrong: a value of
the wrong type raises `FieldError` with the path of the field, and unknown keys are ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from backlint.model import (
    ChecklistItem,
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Presence,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[Any], Any]

# Names that trackers and people commonly give to the types of catalogue 1.3, casefolded, compared whole.
TYPE_NAMES: Mapping[str, IssueType] = {
    **{kind.value: kind for kind in IssueType},
    "user story": IssueType.STORY,
    "feature": IssueType.STORY,
    "new feature": IssueType.STORY,
    "feature request": IssueType.STORY,
    "enhancement": IssueType.STORY,
    "improvement": IssueType.STORY,
    "defect": IssueType.BUG,
    "sub-task": IssueType.SUBTASK,
    "chore": IssueType.TASK,
    "research": IssueType.SPIKE,
}


class FieldError(ValueError):
    """A value that is not what the field holds: `field` is its path, `reason` what was expected."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason

    def under(self, step: str) -> FieldError:
        """The same error seen from one level up: `id` under `from` is `from.id`."""
        joint = "." if self.field and not self.field.startswith("[") else ""
        return FieldError(f"{step}{joint}{self.field}", self.reason)


def type_of(name: str) -> IssueType | None:
    """The type that a name commonly means; None when it has to be mapped by a person."""
    return TYPE_NAMES.get(name.casefold().strip())


# -- writing ---------------------------------------------------------------------------------------------------------


def to_dict(issue: Issue) -> dict[str, Any]:
    """Every field of the issue as values that JSON has; keys in the published order."""
    return {
        "source": issue.source,
        "id": issue.id,
        "key": issue.key,
        "aliases": list(issue.aliases),
        "tracker": issue.tracker.value,
        "url": issue.url,
        "project": issue.project,
        "team": issue.team,
        "type": issue.type.value,
        "type_name": issue.type_name,
        "title": issue.title,
        "body": issue.body,
        "markup": issue.markup.value,
        "status": _status_out(issue.status),
        "resolution": issue.resolution,
        "priority": issue.priority,
        "estimate": issue.estimate,
        "estimate_unit": issue.estimate_unit,
        "labels": sorted(issue.labels),
        "assignees": list(issue.assignees),
        "accountable": list(issue.accountable),
        "reporter": issue.reporter,
        "parent": issue.parent,
        "sprints": [_sprint_out(membership) for membership in issue.sprints],
        "links": [{"kind": link.kind.value, "target": link.target, "at": time_text(link.at)} for link in issue.links],
        "checklist": [{"text": item.text, "is_ticked": item.is_ticked} for item in issue.checklist],
        "rank": issue.rank,
        "due_on": _day_text(issue.due_on),
        "review_on": _day_text(issue.review_on),
        "created_at": time_text(issue.created_at),
        "updated_at": time_text(issue.updated_at),
        "presence": issue.presence.value,
        "is_locked": issue.is_locked,
        "is_archived": issue.is_archived,
        "history_is_complete": issue.history_is_complete,
        "transitions": [transition_to_dict(step) for step in issue.transitions],
        "changes": [_change_out(change) for change in issue.changes],
        "comments": [_comment_out(comment) for comment in issue.comments],
        "fields": {name: _plain(value) for name, value in issue.fields.items()},
    }


def transition_to_dict(step: Transition) -> dict[str, Any]:
    return {
        "at": time_text(step.at),
        "from": _status_out(step.before),
        "to": _status_out(step.after),
        "sequence": step.sequence,
        "actor": step.actor,
        "is_bot": step.is_bot,
    }


def time_text(at: datetime | None) -> str | None:
    """RFC 3339 in UTC; None stays None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _status_out(status: Status) -> dict[str, str]:
    return {"id": status.id, "name": status.name, "category": status.category.value}


def _sprint_out(membership: SprintMembership) -> dict[str, Any]:
    sprint = membership.sprint
    return {
        "id": sprint.id,
        "name": sprint.name,
        "state": sprint.state,
        "starts_at": time_text(sprint.starts_at),
        "ends_at": time_text(sprint.ends_at),
        "completed_at": time_text(sprint.completed_at),
        "team": sprint.team,
        "added_at": time_text(membership.added_at),
        "removed_at": time_text(membership.removed_at),
    }


def _change_out(change: FieldChange) -> dict[str, Any]:
    return {
        "at": time_text(change.at),
        "field": change.field,
        "from": change.before,
        "to": change.after,
        "sequence": change.sequence,
        "actor": change.actor,
        "is_bot": change.is_bot,
    }


def _comment_out(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "at": time_text(comment.at),
        "author": comment.author,
        "body": comment.body,
        "markup": comment.markup.value,
        "edited_at": time_text(comment.edited_at),
        "is_bot": comment.is_bot,
        "is_own": comment.is_own,
        "may_write": comment.may_write,
        "thumbs_up": comment.thumbs_up,
        "thumbs_down": comment.thumbs_down,
    }


def _plain(value: Any) -> Any:
    """A mapped field's value in JSON's own types: days and times as text, sets in order."""
    if isinstance(value, datetime):
        return time_text(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(each) for each in value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


# -- reading ---------------------------------------------------------------------------------------------------------


def from_dict(data: object, *, source: str = "file") -> Issue:
    """The issue; at least `id` and `title` must be there. `source` is for rows that name none.

    `description` is another word for `body`; `status` may be a category or a name; `type` any common type name.
    """
    if not isinstance(data, Mapping):
        raise FieldError("", f"expected an object, got {_kind(data)}")
    values = _ISSUE.values(data)
    values.setdefault("source", source)
    values.setdefault("key", values["id"])
    _name_type(values, data.get("type"))
    _settle_body(values)
    return Issue(**values)


def _name_type(values: dict[str, Any], given: object) -> None:
    """Keeps the tracker's own word where it is not ours, so that an unmapped type can be reported."""
    if isinstance(given, str) and given != values["type"].value:
        values.setdefault("type_name", given)


def _settle_body(values: dict[str, Any]) -> None:
    described = values.pop("description", None)
    body = values.get("body", described)
    if isinstance(body, Mapping):
        if values.setdefault("markup", Markup.ADF) is not Markup.ADF:
            raise FieldError("body", f"an object is an ADF document, but markup is {values['markup'].value}")
        body = json.dumps(body, ensure_ascii=False)
    if body is not None:
        values["body"] = body


@dataclass(frozen=True)
class _Shape(Generic[T]):
    """How an object becomes a value: JSON key -> (attribute, reader). Null counts as absent."""

    make: Callable[..., T]
    required: tuple[str, ...]
    keys: Mapping[str, tuple[str, Reader]]

    def values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in data.items():
            known = self.keys.get(key)
            if known is None or value is None:
                continue
            try:
                values[known[0]] = known[1](value)
            except FieldError as error:
                raise error.under(key) from None
        for key in self.required:
            if self.keys[key][0] not in values:
                raise FieldError(key, "is missing")
        return values

    def __call__(self, data: object) -> T:
        if not isinstance(data, Mapping):
            raise FieldError("", f"expected an object, got {_kind(data)}")
        return self.make(**self.values(data))


def _kind(value: object) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError("", f"expected text, got {_kind(value)}")
    return value


def _identifier(value: object) -> str:
    """An id or key; whole numbers are accepted since trackers print them so."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not _text(value):
        raise FieldError("", "is empty")
    return str(value)


def _status_id(value: object) -> str:
    """A status id may be empty: an issue without a status of its own has none."""
    return "" if value == "" else _identifier(value)


def _body(value: object) -> object:
    return value if isinstance(value, Mapping) else _text(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError("", f"expected true or false, got {_kind(value)}")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError("", f"expected a whole number, got {_kind(value)}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError("", f"expected a number, got {_kind(value)}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise FieldError("", "expected a number of ordinary size")
    return found


def _priority(value: object) -> int:
    level = _whole(value)
    if not 1 <= level <= 4:
        raise FieldError("", f"expected 1 (highest) to 4 (lowest), got {level}")
    return level


def _time(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(_text(value))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, FieldError):
            raise
        raise FieldError("", f"not an RFC 3339 time: {str(value)[:40]!r}") from None
    raise FieldError("", f"a time needs its zone, as in 2026-03-02T09:00:00Z; got {str(value)[:40]!r}")


def _day(value: object) -> date:
    text = _text(value)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldError("", f"not a day like 2026-03-02: {text[:40]!r}") from None


def _one_of(members: type[E]) -> Callable[[object], E]:
    def read(value: object) -> E:
        text = _text(value).casefold()
        try:
            return members(text)
        except ValueError:
            raise FieldError("", f"expected one of {', '.join(members)}; got {text[:40]!r}") from None

    return read


def _many(one: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, (list, tuple)):
            raise FieldError("", f"expected a list, got {_kind(value)}")
        found = []
        for index, each in enumerate(value):
            try:
                found.append(one(each))
            except FieldError as error:
                raise error.under(f"[{index}]") from None
        return tuple(found)

    return read


def _label(value: object) -> str:
    """A label by its name; trackers' own JSON writes labels as objects with a name."""
    return _text(value.get("name") if isinstance(value, Mapping) else value)


def _labels(value: object) -> frozenset[str]:
    """A list of labels, or an object of label -> whether it is set."""
    if isinstance(value, Mapping):
        return frozenset(name for name, is_set in value.items() if is_set is not None and _flag(is_set))
    return frozenset(_many(_label)(value))


def _type(value: object) -> IssueType:
    """Unmapped types are tasks (catalogue 1.3); their name is kept in `type_name`."""
    return type_of(_text(value)) or IssueType.TASK


def _status(value: object) -> Status:
    """A status object, a category, or a bare name, whose category nobody can know."""
    if not isinstance(value, str):
        return _STATUS(value)
    try:
        category = StatusCategory(value.casefold().strip())
    except ValueError:
        return Status(value, value, StatusCategory.UNKNOWN)
    return Status(category.value, category.value, category)


def _fields(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FieldError("", f"expected an object, got {_kind(value)}")
    return MappingProxyType(dict(value))


def _same(reader: Reader, *names: str) -> dict[str, tuple[str, Reader]]:
    return {name: (name, reader) for name in names}


def _make_status(id: str, name: str | None = None, category: StatusCategory = StatusCategory.UNKNOWN) -> Status:
    return Status(id, id if name is None else name, category)


def _make_membership(
    added_at: datetime | None = None, removed_at: datetime | None = None, **sprint: Any
) -> SprintMembership:
    return SprintMembership(sprint=Sprint(**{"name": sprint["id"], **sprint}), added_at=added_at, removed_at=removed_at)


def _make_comment(**values: Any) -> Comment:
    return Comment(**{"author": None, "body": "", **values})


_STATUS = _Shape(
    _make_status,
    ("id",),
    {"id": ("id", _status_id), **_same(_text, "name"), "category": ("category", _one_of(StatusCategory))},
)
_STEP = {**_same(_time, "at"), **_same(_whole, "sequence"), **_same(_identifier, "actor"), **_same(_flag, "is_bot")}
_TRANSITION = _Shape(Transition, ("at", "from", "to"), {**_STEP, "from": ("before", _status), "to": ("after", _status)})
_CHANGE = _Shape(
    FieldChange, ("at", "field"), {**_STEP, **_same(_text, "field"), "from": ("before", _text), "to": ("after", _text)}
)
_COMMENT = _Shape(
    _make_comment,
    ("id", "at"),
    {
        **_same(_identifier, "id", "author"),
        **_same(_time, "at", "edited_at"),
        **_same(_text, "body"),
        **_same(_one_of(Markup), "markup"),
        **_same(_flag, "is_bot", "is_own", "may_write"),
        **_same(_whole, "thumbs_up", "thumbs_down"),
    },
)
_SPRINT = _Shape(
    _make_membership,
    ("id",),
    {
        **_same(_identifier, "id"),
        **_same(_text, "name", "state", "team"),
        **_same(_time, "starts_at", "ends_at", "completed_at", "added_at", "removed_at"),
    },
)
_LINK = _Shape(
    Link, ("kind", "target"), {"kind": ("kind", _one_of(LinkKind)), **_same(_text, "target"), **_same(_time, "at")}
)
_CHECKLIST_ITEM = _Shape(ChecklistItem, ("text",), {**_same(_text, "text"), **_same(_flag, "is_ticked")})
_ISSUE = _Shape(
    Issue,
    ("id", "title"),
    {
        **_same(_identifier, "id", "key", "parent", "reporter"),
        **_same(_text, "source", "url", "project", "team", "type_name", "title", "resolution", "estimate_unit", "rank"),
        **_same(_body, "body", "description"),
        **_same(_many(_identifier), "aliases", "assignees", "accountable"),
        **_same(_time, "created_at", "updated_at"),
        **_same(_day, "due_on", "review_on"),
        **_same(_flag, "is_locked", "is_archived", "history_is_complete"),
        "tracker": ("tracker", _one_of(Tracker)),
        "type": ("type", _type),
        "markup": ("markup", _one_of(Markup)),
        "presence": ("presence", _one_of(Presence)),
        "status": ("status", _status),
        "priority": ("priority", _priority),
        "estimate": ("estimate", _number),
        "labels": ("labels", _labels),
        "fields": ("fields", _fields),
        "sprints": ("sprints", _many(_SPRINT)),
        "links": ("links", _many(_LINK)),
        "checklist": ("checklist", _many(_CHECKLIST_ITEM)),
        "transitions": ("transitions", _many(_TRANSITION)),
        "changes": ("changes", _many(_CHANGE)),
        "comments": ("comments", _many(_COMMENT)),
    },
)
