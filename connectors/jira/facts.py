"""What Jira's payloads do not say themselves, as a pull found it; kept, so that they can be mapped again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from backlint.connectors.jira.payloads import FieldInfo, Status, Type
from backlint.connectors.jira.site import Site, field_ids, is_mappable, priority_ranks, status_facts
from backlint.connectors.kept_facts import read_kept
from backlint.model import Sprint
from backlint.settings import SourceSettings
from backlint.status import StatusMap

VERSION = 1


class SiteFacts(Struct, kw_only=True):
    """The site's small lists as Jira sent them, whatever the settings make of them."""

    v: int = VERSION
    is_cloud: bool
    own_account: str | None = None
    fields: list[FieldInfo] = []
    statuses: list[Status] = []
    types: list[Type] = []
    priorities: list[str] = []  # ids, highest first
    sprints: list[Sprint] = []

    def json(self) -> bytes:
        return msgspec.json.encode(self)


def read_facts(raw: bytes, *, source: str) -> SiteFacts:
    return read_kept(raw, SiteFacts, version=VERSION, what="site", source=source)


def site_from(facts: SiteFacts, settings: SourceSettings) -> Site:
    ids = field_ids(facts.fields, settings.fields)
    further = [each.id for each in facts.fields if is_mappable(each)] if settings.keep_fields == "mappable" else []
    return Site(
        source=settings.name,
        url=(settings.site_url or settings.base_url).rstrip("/"),
        is_cloud=facts.is_cloud,
        own_account=facts.own_account,
        fields=ids,
        further=tuple(id for id in dict.fromkeys(further) if id not in ids.all),
        priorities=priority_ranks(facts.priorities),
        type_names={each.id: each.untranslated_name or each.name for each in facts.types},
        types={name.casefold(): kind for name, kind in settings.types.items()},
        sprints={sprint.id: sprint for sprint in facts.sprints},
    )


def status_map(statuses: Iterable[Status], settings: SourceSettings) -> StatusMap:
    return StatusMap(status_facts(statuses), settings.statuses)


def unread_fields(facts: SiteFacts, site: Site) -> tuple[str, ...]:
    """Custom fields of the site that are not asked for, so that no payload holds them."""
    asked = set(site.asked_fields)
    return tuple(each.id for each in facts.fields if each.custom and each.id not in asked)
