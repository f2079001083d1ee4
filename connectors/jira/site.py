"""What one Jira site calls things: which custom field is which, the order of priorities, the names of types. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from backlint.connectors.jira.payloads import FieldInfo, Status, Type
from backlint.model import IssueType, Sprint, StatusCategory
from backlint.status import StatusFact

SYSTEM_FIELDS = (
    "summary", "description", "issuetype", "status", "priority", "labels", "assignee", "reporter", "created", "updated",
    "resolution", "duedate", "parent", "issuelinks", "project", "timeoriginalestimate", "comment",
)  # fmt: skip
# Category keys are fixed, their names are translated. "To do" means backlog until somebody maps it (catalogue 1.2).
CATEGORIES = {"new": StatusCategory.BACKLOG, "indeterminate": StatusCategory.ACTIVE, "done": StatusCategory.DONE}
LOWEST = 4
MOST_IN_ADDRESS = 200  # field names; servers refuse addresses beyond 8 KB or less

_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes:"
_GREENHOPPER = "com.pyxis.greenhopper.jira:"
_POINTS = re.compile(r"story[ -]?points?(?: estimate)?", re.IGNORECASE)
_ACCEPTANCE = frozenset(
    {
        "acceptance criteria", "acceptance criterion", "conditions of satisfaction", "akzeptanzkriterien",
        "abnahmekriterien", "critères d'acceptation", "criterios de aceptación", "critérios de aceitação",
        "critérios de aceite", "criteri di accettazione", "acceptatiecriteria",
    }
)  # fmt: skip
# Kinds of custom fields whose value is a text, a number, a date, options or people: what rules can use.
_MAPPABLE = frozenset(
    {
        "textarea", "textfield", "float", "datepicker", "datetime", "select", "multiselect", "radiobuttons",
        "multicheckboxes", "cascadingselect", "userpicker", "multiuserpicker", "people", "labels", "url",
    }
)  # fmt: skip
# The schema ids that mark Jira's own custom fields. They were found in several public connectors, not on a page of
# Atlassian's [unverified]; settings.fields overrides every one of them.
_BY_SCHEMA = {
    f"{_GREENHOPPER}jsw-story-points": "estimate",
    f"{_GREENHOPPER}gh-sprint": "sprint",
    f"{_GREENHOPPER}gh-epic-link": "epic_link",
    f"{_GREENHOPPER}gh-lexo-rank": "rank",
    f"{_PLUGIN}atlassian-team": "team",
    "com.atlassian.teams:rm-teams-custom-field-team": "team",
}
# Type names in their usual English form and some translations; anything else is a task and reported as unmapped.
_TYPE_NAMES = {
    IssueType.STORY: ("story", "user story", "new feature", "feature", "improvement", "historia", "récit", "故事"),
    IssueType.TASK: ("task", "aufgabe", "tâche", "tarea", "tarefa", "任务", "support", "service request"),
    IssueType.BUG: ("bug", "defect", "fehler", "bogue", "error", "缺陷", "故障"),
    IssueType.SPIKE: ("spike", "research"),
    IssueType.INCIDENT: ("incident", "[system] incident"),
    IssueType.DECISION: ("decision",),
    IssueType.EPIC: ("epic", "epos", "épopée", "épica"),
    IssueType.INITIATIVE: ("initiative", "theme"),
    IssueType.SUBTASK: ("sub-task", "subtask", "unteraufgabe", "子任务"),
}
_TYPES = {name: kind for kind, names in _TYPE_NAMES.items() for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldIds:
    """Custom field ids by role. Several fields may share a role; the first with a value counts."""

    estimate: tuple[str, ...] = ()
    sprint: tuple[str, ...] = ()
    epic_link: tuple[str, ...] = ()
    rank: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    mapped: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all(self) -> tuple[str, ...]:
        roles = (self.estimate, self.sprint, self.epic_link, self.rank, self.team, self.flagged, *self.mapped.values())
        return tuple(dict.fromkeys(id for ids in roles for id in ids))

    def role_of(self, id: str) -> str | None:
        """The role a field plays, for naming its changes."""
        for role in ROLES:
            if id in getattr(self, role):
                return role
        return next((name for name, ids in self.mapped.items() if id in ids), None)


ROLES = ("estimate", "sprint", "epic_link", "rank", "team", "flagged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything the mapping must know beyond the payload."""

    source: str
    url: str
    is_cloud: bool
    own_account: str | None = None
    fields: FieldIds = FieldIds()
    further: tuple[str, ...] = ()  # custom fields read for a mapping that may come later
    priorities: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    type_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # id -> untranslated name
    types: Mapping[str, IssueType] = field(default_factory=lambda: MappingProxyType({}))  # configured, by name
    sprints: Mapping[str, Sprint] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def asked_fields(self) -> list[str]:
        return [*SYSTEM_FIELDS, *self.fields.all, *self.further]

    @property
    def asked_in_address(self) -> str:
        """For requests without a body: an address must not become too long."""
        asked = self.asked_fields
        return ",".join(asked) if len(asked) <= MOST_IN_ADDRESS else "*all"


def is_mappable(each: FieldInfo) -> bool:
    """Whether a custom field may hold what a rule wants to know."""
    custom = each.schema.custom if each.schema else ""
    return each.custom and custom.removeprefix(_PLUGIN) in _MAPPABLE


def field_ids(known: Iterable[FieldInfo], configured: Mapping[str, str]) -> FieldIds:
    """Which field plays which role: as configured, else by schema, else by name."""
    found: dict[str, list[str]] = {}
    for each in known:
        role = _role(each)
        if role is not None and role not in configured:
            found.setdefault(role, []).append(each.id)
    for role, id in configured.items():
        found[role] = [id]
    roles = {role: tuple(found.pop(role, ())) for role in ROLES}
    return FieldIds(**roles, mapped={name: tuple(ids) for name, ids in found.items()})


def _role(each: FieldInfo) -> str | None:
    custom = each.schema.custom if each.schema else ""
    if role := _BY_SCHEMA.get(custom):
        return role
    name = each.name.strip().casefold()
    if custom == f"{_PLUGIN}float" and _POINTS.fullmatch(name):
        return "estimate"
    # The field's name is translated with the site's language [unverified]; settings.fields names it elsewhere.
    if custom == f"{_PLUGIN}multicheckboxes" and name == "flagged":
        return "flagged"
    if custom == f"{_PLUGIN}textarea" and name in _ACCEPTANCE:
        return "acceptance_criteria"
    return None


def priority_ranks(ids: Sequence[str]) -> dict[str, int]:
    """Priority ids, highest first as Jira lists them, onto 1 to 4.

    Up to five levels keep their place and the last ones share 4 (Highest 1, High 2, Medium 3, Low and Lowest 4), so
    that "top" means the same as in the other trackers; more levels are spread evenly.
    """
    count = len(ids)
    if count <= LOWEST + 1:
        return {id: min(LOWEST, place) for place, id in enumerate(ids, start=1)}
    return {id: 1 + place * LOWEST // count for place, id in enumerate(ids)}


def status_facts(statuses: Iterable[Status]) -> tuple[StatusFact, ...]:
    """Category `undefined` stays unknown: a person has to say."""
    return tuple(
        StatusFact(
            status.id,
            status.name,
            CATEGORIES.get(status.status_category.key if status.status_category else "", StatusCategory.UNKNOWN),
        )
        for status in statuses
    )


def issue_type(kind: Type, site: Site) -> IssueType:
    """As configured by name; else by hierarchy, which renaming does not touch; else by name; else a task."""
    names = (kind.name, kind.untranslated_name or site.type_names.get(kind.id) or kind.name)
    for name in names:
        if (configured := site.types.get(name.casefold())) is not None:
            return configured
    if kind.subtask or (kind.hierarchy_level or 0) < 0:
        return IssueType.SUBTASK
    if (kind.hierarchy_level or 0) > 1:
        return IssueType.INITIATIVE
    if kind.hierarchy_level == 1:
        return IssueType.EPIC
    return next((_TYPES[name.casefold()] for name in names if name.casefold() in _TYPES), IssueType.TASK)
