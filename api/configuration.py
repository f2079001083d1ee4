"""The text of backlint.toml: what was chosen as keys, what is only proposed or left alone as comments. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from backlint.model import StatusCategory, Tracker
from backlint.settings import MAPPED_FIELDS
from backlint.status import StatusFact, suggests_waiting

# Words in the name of a "to do" status that suggest "chosen, to be started next": a proposal for a person, like the
# waiting ones. Without it every item of a Jira backlog would count as about to start (catalogue 1.2).
READY_WORDS = ("selected", "ready", "up next", "next up", "planned", "committed")
# Roles that connectors find by the fields' own kinds, which is surer than a name.
FOUND_BY_CONNECTORS = frozenset({"sprint", "team", "epic_link", "flagged", "rank", "estimate"})

# Further names under which fields of a role are known, each as `_plain` writes it. Proposals for a person as well.
OTHER_NAMES = {
    "acceptance_criteria": (
        "acceptance_criterion", "conditions_of_satisfaction", "akzeptanzkriterien", "abnahmekriterien",
        "critères_d_acceptation", "criterios_de_aceptación", "critérios_de_aceitação", "critérios_de_aceite",
    ),
    "outcome": ("expected_outcome", "desired_outcome", "business_outcome"),
    "objective": ("goal", "okr", "strategic_goal"),
    "by": ("target_date", "outcome_by"),
    "metric": ("success_metric", "kpi"),
    "guardrail": ("guardrail_metric", "counter_metric"),
    "measured_result": ("result", "actual_outcome"),
    "score": ("rice_score", "ice_score"),
    "moscow": ("moscow_priority",),
    "blocked_reason": ("reason_for_blocking", "blocking_reason", "blocker_reason", "impediment"),
    "owner": ("issue_owner", "feature_owner", "dri"),
    "accountable": ("accountable_person", "accountable_owner"),
    "review_on": ("review_date", "next_review", "review_by", "revisit_on"),
    "steps": ("steps_to_reproduce", "reproduction_steps", "repro_steps"),
    "expected": ("expected_result", "expected_results", "expected_behavior", "expected_behaviour"),
    "actual": ("actual_result", "actual_results", "actual_behavior", "actual_behaviour"),
}  # fmt: skip
_ROLES = {name: role for role, names in OTHER_NAMES.items() for name in names}

PROPOSED = "# What stands behind a # is proposed because of its name; remove the # where that is right."


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """A status whose category a person should look at. `category` None: neither tracker nor name gives one."""

    fact: StatusFact
    category: StatusCategory | None
    is_agreed: bool = False


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A tracker's field that has the name of a field that rules know."""

    role: str
    id: str
    name: str
    is_agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChoice:
    """One tracker account as it goes into the file."""

    name: str
    tracker: Tracker
    url: str = ""
    user: str = ""
    scope: tuple[str, ...]
    token_env: str
    statuses: tuple[StatusChoice, ...] = ()
    fields: tuple[FieldChoice, ...] = ()


# -- what is proposed --------------------------------------------------------------------------------------------------


def proposed_statuses(facts: Iterable[StatusFact]) -> tuple[StatusChoice, ...]:
    """Statuses that the tracker's own classes do not place well, with the category that the name suggests."""
    return tuple(
        StatusChoice(fact, category)
        for fact in facts
        if (category := _suggested(fact)) is not None or fact.default is StatusCategory.UNKNOWN
    )


def _suggested(fact: StatusFact) -> StatusCategory | None:
    """Waiting is a kind of started work: a status of the "to do" class named "Blocked" is left as it is."""
    if fact.default in (StatusCategory.ACTIVE, StatusCategory.UNKNOWN) and suggests_waiting(fact.name):
        return StatusCategory.WAITING
    name = fact.name.casefold()
    if fact.default is StatusCategory.BACKLOG and any(word in name for word in READY_WORDS):
        return StatusCategory.TODO
    return None


def proposed_fields(fields: Iterable[tuple[str, str]]) -> tuple[FieldChoice, ...]:
    """Fields named like one that rules know: "Acceptance Criteria" or "Abnahmekriterien" for acceptance_criteria."""
    found = ((_role(name), id, name) for id, name in fields)
    return tuple(FieldChoice(role, id, name) for role, id, name in found if role is not None)


def _role(name: str) -> str | None:
    plain = _plain(name)
    role = _ROLES.get(plain, plain)
    return role if role in MAPPED_FIELDS and role not in FOUND_BY_CONNECTORS else None


def _plain(name: str) -> str:
    """Without a kind behind the name ("Target (number)"), in small letters, words joined by underscores."""
    bare = re.sub(r"\s*\([^)]*\)\s*$", "", name)
    return re.sub(r"[\W_]+", "_", bare.casefold()).strip("_")


def agreed(choices: Sequence[FieldChoice]) -> tuple[FieldChoice, ...]:
    """All agreed to; of several fields for one role only the first, since a role has one field."""
    taken: set[str] = set()
    settled = []
    for choice in choices:
        settled.append(replace(choice, is_agreed=choice.role not in taken))
        taken.add(choice.role)
    return tuple(settled)


# -- the text ----------------------------------------------------------------------------------------------------------


def new_file(choice: SourceChoice, *, timezone: str) -> str:
    """A whole file with one source. Sources stand last, so that a further one can be put at the end."""
    return "\n".join((*_general(timezone), *_source(choice))) + "\n"


def further_source(choice: SourceChoice) -> str:
    """What is put at the end of a file that has sources already."""
    return "\n".join(("", *_source(choice))) + "\n"


def _general(timezone: str) -> Iterator[str]:
    yield "# backlint's configuration. Every key is described in docs/settings.md; secrets never belong in here."
    yield "# Any key can be overridden by the environment: BACKLINT_WRITE_BACK__MODE=labels"
    yield ""
    yield f"timezone = {quoted(timezone)}  # for printing, and for grouping by day"
    yield ""
    yield "[store]"
    yield 'url = "sqlite:///backlint.db"  # or postgresql+psycopg://user@host/database'
    yield ""
    yield "[check]"
    yield 'profile = "starter"  # starter, scrum, kanban, oss, ai or full; `backlint rule` lists what each runs'
    yield '# disable = ["OWN001"]  # rules to leave out, by code or family'
    yield ""
    yield "[write_back]"
    yield 'mode = "off"  # off: nothing is ever written to a tracker; labels; labels+comment'
    yield ""


def _source(choice: SourceChoice) -> Iterator[str]:
    yield "[[sources]]"
    yield f"name = {quoted(choice.name)}  # part of every issue's identity: do not change it later"
    yield f"tracker = {quoted(choice.tracker.value)}"
    if choice.url:
        yield f"url = {quoted(choice.url)}"
    yield f"scope = [{', '.join(map(quoted, choice.scope))}]"
    if choice.user:
        yield f"user = {quoted(choice.user)}"
    yield f"token_env = {quoted(choice.token_env)}  # the variable that holds the token, not the token"
    yield '# webhook_secret_env = "..."  # the variable with the webhook secret, for `backlint serve`'
    yield from _statuses(choice.statuses)
    yield from _fields(choice.fields)


def _statuses(choices: Sequence[StatusChoice]) -> Iterator[str]:
    if not choices:
        return
    yield ""
    yield "# Status id -> category: triage, backlog, todo, active, waiting, done or cancelled."
    yield "# Statuses that are not named here have the category that the tracker gives them."
    if any(choice.category and not choice.is_agreed for choice in choices):
        yield PROPOSED
    yield "[sources.statuses]"
    for choice in choices:
        yield _status(choice)


def _status(choice: StatusChoice) -> str:
    fact, category = choice.fact, choice.category
    name = remark(fact.name)
    if category is None:
        return (
            f'# {quoted(fact.id)} = "active"  # {name}: has no category yet, which keeps its issues out of all metrics'
        )
    line = f"{quoted(fact.id)} = {quoted(category.value)}  # {name}"
    if choice.is_agreed:
        return line
    theirs = "has no category" if fact.default is StatusCategory.UNKNOWN else f"is {fact.default.value} otherwise"
    return f"# {line}: {theirs}"


def _fields(choices: Sequence[FieldChoice]) -> Iterator[str]:
    if not choices:
        return
    yield ""
    yield "# What rules know -> the tracker's field for it."
    if not all(choice.is_agreed for choice in choices):
        yield PROPOSED
    yield "[sources.fields]"
    for choice in choices:
        line = f"{choice.role} = {quoted(choice.id)}  # {remark(choice.name)}"
        yield line if choice.is_agreed else f"# {line}"


def quoted(text: str) -> str:
    """A TOML string. JSON's escapes are TOML's as well; DEL, which JSON leaves bare, is not allowed bare in TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def remark(text: str) -> str:
    """A tracker's name as part of a comment: one line, nothing that cannot be printed."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
