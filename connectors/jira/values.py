"""Single values of Jira in the domain's words: times, people, projects, sprints, links, comments. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from backlint.connectors.jira import payloads
from backlint.connectors.jira.adf import plain
from backlint.connectors.jira.payloads import Account, Moment
from backlint.connectors.jira.site import Site
from backlint.model import Comment, LinkKind, Markup, Person, Project, Sprint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROPERTY = "backlint"  # key of the issue property and of the comment property that mark our comment
# Jira cannot hide a marker in a comment, so the comment ends with a line that says what it is.
LAST_LINE = "Kept up to date by backlint."
MILLISECONDS_FROM = 10**11  # a number beyond this is milliseconds since 1970, else seconds
_LINKS = {
    "blocks": LinkKind.BLOCKS, "is blocking": LinkKind.BLOCKS, "is required by": LinkKind.BLOCKS,
    "is depended on by": LinkKind.BLOCKS, "is blocked by": LinkKind.BLOCKED_BY, "blocked by": LinkKind.BLOCKED_BY,
    "depends on": LinkKind.BLOCKED_BY, "requires": LinkKind.BLOCKED_BY, "duplicates": LinkKind.DUPLICATES,
    "is duplicated by": LinkKind.DUPLICATED_BY, "clones": LinkKind.CLONES, "relates to": LinkKind.RELATES,
}  # fmt: skip
# Verbs are free text and may be translated; the names of the types that Jira ships with say the direction as well.
_LINK_TYPES = {
    "blocks": (LinkKind.BLOCKS, LinkKind.BLOCKED_BY),
    "duplicate": (LinkKind.DUPLICATES, LinkKind.DUPLICATED_BY),
    "relates": (LinkKind.RELATES, LinkKind.RELATES),
}
_SPRINT_TEXT = re.compile(
    r"\b(id|rapidViewId|state|name|goal|startDate|endDate|completeDate|activatedDate|sequence|autoStartStop|synced)=(.*?)"
    r"(?=,(?:id|rapidViewId|state|name|goal|startDate|endDate|completeDate|activatedDate|sequence|autoStartStop|synced)="
    r"|\]$)",
    re.DOTALL,
)
# Data Center does not say which accounts are programs; these words in a name do.
_ROBOT = re.compile(r"\b(?:bot|robot|automation|jenkins|service account|ci)\b", re.IGNORECASE)


@lru_cache(maxsize=10_000)  # an issue names the same few times again and again
def moment(value: Moment) -> datetime:
    """An ISO text with an offset without a colon, or a number: milliseconds, in one example seconds.

    ValueError for anything else, and for a text without an offset: whose time it would be is not told.
    """
    if isinstance(value, str):
        if value.isdigit():
            return moment(int(value))
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return found.astimezone(UTC)
    seconds = value / 1000 if abs(value) > MILLISECONDS_FROM else float(value)
    return EPOCH + timedelta(seconds=seconds)


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def value_of(value: Any) -> Any:
    """A custom field's value as text, number or list: options by their value, people by name, documents as text."""
    if isinstance(value, list):
        return [inner for each in value if (inner := value_of(each)) not in (None, "")]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "doc":
        return plain(value)
    if "child" in value and isinstance(value["child"], dict):
        return f"{value.get('value')} / {value['child'].get('value')}"
    for name in ("value", "displayName", "name", "title", "key", "id"):
        if value.get(name) not in (None, ""):
            return value[name]
    return None


def link_kind(kind: payloads.LinkType, *, outward: bool) -> LinkKind:
    """What this issue does to the other one, by the verb on its side, else by the name of the type."""
    verb = (kind.outward if outward else kind.inward).strip().casefold()
    if verb in _LINKS:
        return _LINKS[verb]
    sides = _LINK_TYPES.get(kind.name.strip().casefold())
    return LinkKind.OTHER if sides is None else sides[0] if outward else sides[1]


def sprint_from(value: Any) -> Sprint | None:
    """An object, or the text of a Java object on older Data Center."""
    if isinstance(value, str):
        parts = dict(_SPRINT_TEXT.findall(value))
        value = {name: None if part == "<null>" else part for name, part in parts.items()}
        value["boardId"] = value.get("rapidViewId")
        value = {name: part for name, part in value.items() if part is not None or name != "name"}
    try:
        found = msgspec.convert(value, payloads.SprintValue)
    except msgspec.ValidationError:
        return None
    return Sprint(
        id=str(found.id),
        name=found.name,
        state=found.state.casefold(),
        starts_at=_optional(found.start_date),
        ends_at=_optional(found.end_date),
        completed_at=_optional(found.complete_date),
    )


def person_from(account: Account, site: Site) -> Person | None:
    if account.id is None:
        return None
    return Person(
        id=account.id,
        name=account.display_name or account.name or account.id,
        handle=account.name,
        is_active=account.active,
        is_bot=is_bot(account, site),
        email=account.email_address or None,
    )


def is_bot(account: Account | None, site: Site) -> bool:
    """Cloud marks apps. Data Center does not, so the name has to say it."""
    if account is None:
        return False
    if site.is_cloud or account.account_type is not None:
        return account.account_type == "app"
    return bool(_ROBOT.search(account.display_name) or _ROBOT.search(account.name or ""))


def project_from(raw: Mapping[str, Any], site: Site) -> Project:
    """The project's key is its id here, since issues name their project by key."""
    lead = raw.get("lead")
    account = msgspec.convert(lead, Account) if isinstance(lead, dict) else Account()
    return Project(
        source=site.source,
        id=str(raw["key"]),
        name=str(raw.get("name") or raw["key"]),
        lead=account.id,
        body=str(raw.get("description") or ""),
        markup=Markup.PLAIN,
    )


def comment_from(each: payloads.Comment, site: Site, *, known: str | None = None) -> Comment:
    """`known` is the comment id in the issue's property. Ours is only what our account wrote."""
    body, markup = _comment_text(each.body, is_cloud=site.is_cloud)
    author = each.author.id if each.author else None
    created, updated = moment(each.created), _optional(each.updated)
    is_ours = author is not None and author == site.own_account
    return Comment(
        id=each.id,
        at=created,
        author=author,
        body=body,
        markup=markup,
        edited_at=updated if updated is not None and updated > created else None,
        is_bot=is_bot(each.author, site),
        is_own=is_ours and (each.id == known or has_marker(body, markup)),
        may_write=False if each.author is not None and each.author.account_type == "customer" else None,
    )


def has_marker(body: str, markup: Markup) -> bool:
    """Whether a comment ends with our line."""
    text = plain(msgspec.json.decode(body)) if markup is Markup.ADF and body else body
    lines = [line.strip(" _*\r") for line in text.split("\n") if line.strip()]
    return bool(lines) and lines[-1] == LAST_LINE


def own_comment_id(value: Any) -> str | None:
    """The comment id in our issue property. Anyone may change the property, so it is a hint only."""
    found = value.get("comment") if isinstance(value, dict) else None
    return str(found) if found else None


def _comment_text(raw: Raw, *, is_cloud: bool) -> tuple[str, Markup]:
    value = msgspec.json.decode(raw)
    if isinstance(value, str):
        return value, Markup.WIKI
    if not isinstance(value, dict):
        return "", Markup.ADF if is_cloud else Markup.WIKI
    return msgspec.json.encode(value, order="sorted").decode(), Markup.ADF


def _optional(value: Moment | None) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return moment(value)
    except ValueError:
        return None
