"""What Jira sends, as typed structs: only what the mapping reads. Cloud and Data Center differ in what is present."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct, field

Moment = str | int | float  # ISO text; a number in the bulk changelog


class Account(Struct, rename="camel"):
    """Cloud has `accountId` and `accountType`, Data Center `key` and `name`."""

    account_id: str | None = None
    account_type: str | None = None
    key: str | None = None
    name: str | None = None
    display_name: str = ""
    active: bool | None = None
    email_address: str | None = None

    @property
    def id(self) -> str | None:
        return self.account_id or self.key or self.name or None


class Category(Struct):
    key: str = "undefined"


class Status(Struct, rename="camel"):
    id: str
    name: str
    status_category: Category | None = None


class Type(Struct, rename="camel"):
    id: str
    name: str
    subtask: bool = False
    hierarchy_level: int | None = None
    untranslated_name: str | None = None


class Named(Struct):
    name: str
    id: str | None = None


class ProjectRef(Struct, rename="camel"):
    id: str
    key: str
    project_type_key: str | None = None


class Linked(Struct):
    id: str
    key: str


class LinkType(Struct):
    name: str
    inward: str = ""
    outward: str = ""


class IssueLink(Struct, rename="camel"):
    type: LinkType
    inward_issue: Linked | None = None
    outward_issue: Linked | None = None


class Comment(Struct):
    id: str
    created: Moment
    author: Account | None = None
    body: Raw = Raw(b"null")
    updated: Moment | None = None


class CommentPage(Struct):
    """The comment field of an issue, and a page of the comment list; the field may hold fewer than `total`."""

    comments: list[Raw] = []
    total: int | None = None


class Item(
    Struct, rename={"from_": "from", "from_string": "fromString", "to_string": "toString", "field_id": "fieldId"}
):
    """One changed field. `field` is its name at that time, perhaps translated; `fieldId` is missing on old entries."""

    field: str
    field_id: str | None = None
    from_: str | None = None
    from_string: str | None = None
    to: str | None = None
    to_string: str | None = None

    @property
    def what(self) -> str:
        return (self.field_id or self.field).casefold()


class History(Struct):
    id: str | int
    created: Moment
    author: Account | None = None
    items: list[Item] = []

    @property
    def number(self) -> int:
        return int(self.id) if str(self.id).isdigit() else 0


class Changelog(Struct):
    histories: list[Raw] = []
    total: int | None = None


class Fields(Struct):
    summary: str
    status: Status
    issuetype: Type
    project: ProjectRef
    created: Moment
    updated: Moment
    description: Raw = Raw(b"null")
    priority: Named | None = None
    labels: list[str] = []
    assignee: Account | None = None
    reporter: Account | None = None
    resolution: Named | None = None
    duedate: str | None = None
    parent: Linked | None = None
    issuelinks: list[IssueLink] = []
    timeoriginalestimate: float | None = None
    comment: CommentPage | None = None


class Issue(Struct):
    id: str
    key: str
    fields: Fields
    changelog: Changelog | None = None
    properties: dict[str, Any] = {}


class Custom(Struct):
    """The same issue once more, for the custom fields, whose names differ from site to site."""

    fields: dict[str, Raw] = {}


class CountedFields(Struct):
    comment: CommentPage | None = None


class Head(Struct):
    """What must be readable to fetch the rest of an issue."""

    id: str
    key: str = ""
    fields: CountedFields = field(default_factory=CountedFields)
    changelog: Changelog | None = None


class Record(Struct):
    """An issue with everything fetched for it: what is kept, and what the mapping needs to do its work again.

    `histories` and `comments` are None where the issue itself carries them whole.
    """

    issue: Raw
    histories: list[Raw] | None = None
    comments: list[Raw] | None = None
    epic: str | None = None  # Data Center: the id of the epic that the issue names by key ...
    epic_key: str | None = None  # ... and that key, since another field may be the epic link one day
    history_is_complete: bool = True


class SprintValue(Struct, rename="camel"):
    id: int | str
    name: str = ""
    state: str = "future"
    board_id: int | str | None = None
    start_date: str | None = None
    end_date: str | None = None
    complete_date: str | None = None


class FieldSchema(Struct):
    type: str = ""
    custom: str = ""


class FieldInfo(Struct):
    id: str
    name: str
    custom: bool = False
    schema: FieldSchema | None = None


class SearchPage(Struct, rename="camel"):
    """Cloud: no total, and the last page is the one without a token. Data Center: `total`, `startAt`, no token."""

    issues: list[Raw] = []
    next_page_token: str | None = None
    total: int | None = None
    start_at: int | None = None


class Found(Struct):
    """A row of the id scan."""

    id: str
    fields: FoundFields = field(default_factory=lambda: FoundFields())


class FoundFields(Struct):
    updated: Moment | None = None
    created: Moment | None = None


class BulkError(Struct, rename="camel"):
    id: str = "?"
    error_message: str = ""


class BulkIssues(Struct, rename="camel"):
    issues: list[Raw] = []
    issue_errors: list[BulkError] = []


class IssueHistories(Struct, rename="camel"):
    issue_id: str
    change_histories: list[Raw] = []


class BulkChangelog(Struct, rename="camel"):
    issue_change_logs: list[IssueHistories] = []
    next_page_token: str | None = None


def canonical(value: Raw) -> bytes:
    """JSON with sorted keys, so that equal content is equal text."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")
