"""An object of `gh issue list --json ...` to an issue. Pure. Any choice of fields will do that has number and title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backlint.connectors.file.mapping import Mapped, Reading, moves
from backlint.model import (
    Comment,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Person,
    Status,
    StatusCategory,
    Tracker,
)
from backlint.normalised import FieldError
from backlint.status import is_cancelling

# Fields that only `gh` writes so; backlint's own rows say created_at, and have no number.
FIELDS = frozenset({"number", "createdAt", "updatedAt", "closedAt", "stateReason", "projectItems"})
_ADDRESS = re.compile(r"https?://[^/]+/(?P<repository>[^/]+/[^/]+)/issues/\d+")
# "bug", but also the prefixed label sets in wide use: "type: bug", "kind/bug", "type/bug".
_TYPE_PREFIX = re.compile(r"^(?:type|kind)\s*[:/]\s*", re.IGNORECASE)


def issue_of(data: Mapping[str, Any], reading: Reading) -> Mapped:
    number = _number(data)
    url = _text(data, "url") or None
    address = _ADDRESS.match(url or "")
    repository = address["repository"] if address else None
    key = f"{repository or ''}#{number}"
    labels = tuple(_names(data, "labels", "name"))
    type, type_name = _type(data, labels, reading)
    status = _status(data, reading)
    closed_at = _time(data, "closedAt")
    assignees = tuple(_person(each) for each in _objects(data, "assignees"))
    author = _author(data)
    comments = tuple(_comment(each, place) for place, each in enumerate(_objects(data, "comments")))
    issue = Issue(
        source=reading.source,
        id=_text(data, "id") or key,
        key=key,
        title=_title(data),
        tracker=Tracker.FILE,
        url=url,
        project=repository,
        type=type,
        type_name=type_name,
        body=_text(data, "body"),
        markup=Markup.MARKDOWN,
        status=status,
        resolution=(_text(data, "stateReason") or None) if not status.category.is_open else None,
        labels=frozenset(labels),
        assignees=tuple(person.id for person in assignees),
        reporter=author.id if author else None,
        parent=_parent(data),
        links=tuple(
            Link(LinkKind.PULL_REQUEST, _text(each, "url"))
            for each in _objects(data, "closedByPullRequestsReferences")
            if _text(each, "url")
        ),
        created_at=_time(data, "createdAt"),
        updated_at=_time(data, "updatedAt"),
        transitions=moves((None if status.category.is_open else closed_at, status)),
        comments=tuple(sorted(comments, key=lambda comment: comment.at)),
        history_is_complete=False,
    )
    people = (*assignees, *((author,) if author else ()))
    return Mapped(issue, people)


def _status(data: Mapping[str, Any], reading: Reading) -> Status:
    state, reason = _text(data, "state").casefold(), _text(data, "stateReason").casefold()
    if state == "closed":
        # A reason is missing on issues that were closed before GitHub had reasons; they count as done.
        category = StatusCategory.CANCELLED if is_cancelling(reason) else StatusCategory.DONE
        return Status("closed", "closed", category)
    if state == "open":
        return _board_status(data, reading) or Status("open", "open", StatusCategory.BACKLOG)
    if state:
        raise FieldError("state", f"expected OPEN or CLOSED, got {state[:40]!r}")
    if data.get("closed") is True or data.get("closedAt"):
        return Status("closed", "closed", StatusCategory.DONE)
    # `gh issue list` lists open issues unless told otherwise, but without the state in the file nobody can know.
    return Status("", "no state in the file", StatusCategory.UNKNOWN)


def _board_status(data: Mapping[str, Any], reading: Reading) -> Status | None:
    """The status of a project board, where a person has said what it means."""
    for item in _objects(data, "projectItems"):
        name = _text(item.get("status") or {}, "name")
        category = reading.category(name) if name else None
        if category is not None:
            return Status(name, name, category)
    return None


def _type(data: Mapping[str, Any], labels: tuple[str, ...], reading: Reading) -> tuple[IssueType, str | None]:
    own = data.get("issueType")
    own_name = _text(own, "name") if isinstance(own, Mapping) else ""
    if own_name:
        return reading.type(own_name) or IssueType.TASK, own_name
    for label in labels:
        type = reading.type(label) or reading.type(_TYPE_PREFIX.sub("", label))
        if type is not None:
            return type, label
    return IssueType.TASK, None


def _number(data: Mapping[str, Any]) -> int:
    number = data.get("number")
    if isinstance(number, bool) or not isinstance(number, int):
        raise FieldError("number", "is missing" if number is None else "expected a whole number")
    return number


def _title(data: Mapping[str, Any]) -> str:
    if data.get("title") is None:
        raise FieldError("title", "is missing")
    return _text(data, "title")


def _text(data: Mapping[str, Any], name: str) -> str:
    """Null and absent are empty: `gh` prints an empty text for most of what is not there."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(name, f"expected text, got {type(value).__name__}")
    return value


def _objects(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldError(name, f"expected a list, got {type(value).__name__}")
    for place, each in enumerate(value):
        if not isinstance(each, Mapping):
            raise FieldError(f"{name}[{place}]", f"expected an object, got {type(each).__name__}")
    return value


def _names(data: Mapping[str, Any], name: str, key: str) -> list[str]:
    return [found for each in _objects(data, name) if (found := _text(each, key))]


def _time(data: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(data, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError(name, f"not an RFC 3339 time: {text[:40]!r}") from None


def _author(data: Mapping[str, Any]) -> Person | None:
    author = data.get("author")
    return _person(author) if isinstance(author, Mapping) and _text(author, "login") else None


def _person(data: Mapping[str, Any]) -> Person:
    """People go by login here: it is all that `gh` prints of a comment's author."""
    login = _text(data, "login")
    if not login:
        raise FieldError("login", "is missing")
    return Person(id=login, name=_text(data, "name") or login, handle=login, is_bot=_is_bot(data, login))


def _is_bot(data: Mapping[str, Any], login: str) -> bool:
    return data.get("is_bot") is True or login.endswith("[bot]") or login.startswith("app/")


def _comment(data: Mapping[str, Any], place: int) -> Comment:
    at = _time(data, "createdAt")
    if at is None:
        raise FieldError(f"comments[{place}].createdAt", "is missing")
    author = _author(data)
    return Comment(
        id=_text(data, "id") or str(place),
        at=at,
        author=author.id if author else None,
        body=_text(data, "body"),
        is_bot=author.is_bot if author else False,
    )


def _parent(data: Mapping[str, Any]) -> str | None:
    """Newer versions of `gh` print the parent as an object [unverified: its keys; id and url are tried]."""
    parent = data.get("parent")
    if not isinstance(parent, Mapping):
        return None
    address = _ADDRESS.match(_text(parent, "url"))
    if address and isinstance(parent.get("number"), int):
        return f"{address['repository']}#{parent['number']}"
    return _text(parent, "id") or None
