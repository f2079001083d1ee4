"""An issue's history: status changes, other changes, and when it was in which cycle. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from backlint.connectors.linear.names import Names
from backlint.connectors.linear.payloads import HistoryNode, IssueNode, SpanNode
from backlint.model import FieldChange, SprintMembership, Transition

SPAN_TOLERANCE = timedelta(seconds=5)  # between a span's start and the history entry of the same change


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def oldest_first(node: IssueNode) -> list[HistoryNode]:
    """Linear serves the newest first; entries of one moment keep their order."""
    entries = list(node.history.nodes)[::-1]
    entries.sort(key=lambda entry: entry.createdAt)
    return entries


def _is_bot(entry: HistoryNode, names: Names) -> bool:
    """Integrations and automations have no actor; of our own doings only the labels that we made are known as such."""
    if entry.actorId is None or entry.actorId in names.bots:
        return True
    touched = {*(entry.addedLabelIds or ()), *(entry.removedLabelIds or ())}
    return entry.actorId == names.me and bool(touched) and touched <= names.own_labels and not _has_other_change(entry)


def _has_other_change(entry: HistoryNode) -> bool:
    plain = ("id", "createdAt", "actorId", "addedLabelIds", "removedLabelIds")
    return any(getattr(entry, name) is not None for name in entry.__struct_fields__ if name not in plain)


def is_chain_broken(node: IssueNode) -> bool:
    """Whether the status changes do not lead to the present status: Linear may leave out the first minutes.

    The spans (`stateHistory`) then have to be asked for.
    """
    steps = [
        (entry.fromStateId, entry.toStateId) for entry in oldest_first(node) if entry.toStateId and entry.fromStateId
    ]
    return not _leads_to(steps, node.state.id)


def _leads_to(steps: Sequence[tuple[str | None, str | None]], present: str) -> bool:
    joined = all(left[1] == right[0] for left, right in pairwise(steps))
    return joined and (not steps or steps[-1][1] == present)


def transitions(node: IssueNode, entries: list[HistoryNode], names: Names) -> tuple[tuple[Transition, ...], bool]:
    """The status changes and whether they are all there. Ids, not objects: an archived status is null as an object."""
    is_cut = node.history.pageInfo.hasNextPage  # the rest could not be had: the issue went away meanwhile
    if node.stateHistory is not None:
        return _from_spans(node, entries, names)
    steps = tuple(
        Transition(
            at=utc(entry.createdAt),
            before=names.statuses.status(entry.fromStateId),
            after=names.statuses.status(entry.toStateId),
            sequence=number,
            actor=entry.actorId,
            is_bot=_is_bot(entry, names),
        )
        for number, entry in enumerate(entries)
        if entry.fromStateId and entry.toStateId and entry.fromStateId != entry.toStateId
    )
    return steps, not is_cut and not is_chain_broken(node)


def _from_spans(node: IssueNode, entries: list[HistoryNode], names: Names) -> tuple[tuple[Transition, ...], bool]:
    spans = sorted(node.stateHistory.nodes if node.stateHistory else (), key=lambda span: span.startedAt)
    steps = []
    for number, (left, right) in enumerate(pairwise(spans)):
        told = _entry_of(right, entries)
        steps.append(
            Transition(
                at=utc(told.createdAt if told else right.startedAt),
                before=names.statuses.status(left.stateId),
                after=names.statuses.status(right.stateId),
                sequence=number,
                actor=told.actorId if told else None,
                is_bot=told is not None and _is_bot(told, names),
            )
        )
    return tuple(steps), bool(spans) and spans[-1].stateId == node.state.id


def _entry_of(span: SpanNode, entries: list[HistoryNode]) -> HistoryNode | None:
    """The history entry that began the span: it knows who."""
    near = [
        entry
        for entry in entries
        if entry.toStateId == span.stateId and abs(entry.createdAt - span.startedAt) <= SPAN_TOLERANCE
    ]
    return min(near, key=lambda entry: abs(entry.createdAt - span.startedAt), default=None)


def changes(node: IssueNode, entries: list[HistoryNode], names: Names) -> Iterator[FieldChange]:
    sets = _label_sets(node, entries, names)
    for number, entry in enumerate(entries):
        for name, before, after in [*_sides(entry, names), *sets.get(entry.id, ())]:
            yield FieldChange(
                at=utc(entry.createdAt),
                field=name,
                before=before,
                after=after,
                sequence=number,
                actor=entry.actorId,
                is_bot=_is_bot(entry, names),
            )


def _sides(entry: HistoryNode, names: Names) -> Iterator[tuple[str, str | None, str | None]]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("assignee", entry.fromAssigneeId, entry.toAssigneeId),
        ("estimate", _number(entry.fromEstimate), _number(entry.toEstimate)),
        ("priority", _number(entry.fromPriority), _number(entry.toPriority)),
        ("title", entry.fromTitle, entry.toTitle),
        ("due_on", entry.fromDueDate, entry.toDueDate),
        ("sprint", _sprint_name(entry.fromCycleId, names), _sprint_name(entry.toCycleId, names)),
        ("project", entry.fromProjectId, entry.toProjectId),
        ("parent", entry.fromParentId, entry.toParentId),
        ("team", entry.fromTeamId, entry.toTeamId),
    )
    for name, before, after in pairs:
        if before != after:
            yield name, before, after
    if entry.updatedDescription:
        yield "body", None, None
    if entry.archived is not None:
        yield "archived", None, str(entry.archived).lower()
    if entry.trashed is not None:
        yield "trashed", None, str(entry.trashed).lower()


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _sprint_name(id: str | None, names: Names) -> str | None:
    return names.sprint(id).name if id else None


def _label_sets(
    node: IssueNode, entries: list[HistoryNode], names: Names
) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Linear tells what was added and removed; whole lists, as other trackers print them, follow from the present."""
    present = set(node.labelIds)
    sets: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for entry in reversed(entries):
        if entry.addedLabelIds or entry.removedLabelIds:
            before = (present - set(entry.addedLabelIds or ())) | set(entry.removedLabelIds or ())
            sets[entry.id] = [("labels", _printed(before, names), _printed(present, names))]
            present = before
    return sets


def _printed(ids: Iterable[str], names: Names) -> str | None:
    return ", ".join(sorted(names.label(id) for id in ids)) or None


def memberships(node: IssueNode, entries: list[HistoryNode], names: Names) -> Iterator[SprintMembership]:
    """When the issue was in which cycle, from the history; a cycle without an entry was there since creation."""
    current = node.cycle.id if node.cycle else None
    running: dict[str, datetime] = {}
    for entry in entries:
        if entry.fromCycleId == entry.toCycleId:
            continue
        if entry.fromCycleId:
            added_at = running.pop(entry.fromCycleId, None)
            yield SprintMembership(
                sprint=names.sprint(entry.fromCycleId), added_at=added_at, removed_at=utc(entry.createdAt)
            )
        if entry.toCycleId:
            running[entry.toCycleId] = utc(entry.createdAt)
    for id, added_at in running.items():
        sprint = names.sprint(id)
        # Left without an entry: at its end, when Linear moves what is not done to the next cycle.
        removed_at = None if id == current else sprint.completed_at or sprint.ends_at
        yield SprintMembership(sprint=sprint, added_at=added_at, removed_at=removed_at)
    if current and current not in running:
        added = utc(node.addedToCycleAt) if node.addedToCycleAt else None
        yield SprintMembership(sprint=names.sprint(current), added_at=added)
