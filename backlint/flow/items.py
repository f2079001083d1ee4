"""Issues with their episodes and with what is known only from looking at all of them (catalogue 5.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backlint.activity import BULK_ISSUES, BULK_WINDOW
from backlint.flow.episodes import Episode, episodes
from backlint.flow.options import DEFAULTS, ITEM_TYPES, LARGE_TYPES, Flag, FlowOptions, Mode
from backlint.flow.timeline import STARTED, Timeline, timeline
from backlint.model import Issue, IssueType, LinkKind, Presence, StatusCategory

IMPORT_ISSUES = 50  # created by one actor within a minute (catalogue 5.5)
IMPORT_WINDOW = timedelta(minutes=1)

Identity = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An issue as the flow metrics see it. `why_outside` is the reason why it is in no figure at all, if it is."""

    issue: Issue
    timeline: Timeline
    episodes: tuple[Episode, ...]
    flags: frozenset[Flag] = frozenset()
    why_outside: str | None = None

    @property
    def current(self) -> Episode | None:
        return self.episodes[-1] if self.episodes else None

    @property
    def is_large(self) -> bool:
        return self.issue.type in LARGE_TYPES

    @property
    def is_in_progress(self) -> bool:
        """Whether somebody is working on it now, as far as anything says; paused items are not."""
        current = self.current
        if current is None or current.closed_at or self.issue.presence is not Presence.PRESENT:
            return False
        if not self.issue.is_open or self.why_outside:
            return False
        return any(exit is None for _, exit in current.started_spans()) or self.issue.status.category in STARTED

    def age(self, now: datetime) -> timedelta | None:
        """Time since the start of an item in progress; None when it is not, or when the start is unknown."""
        current = self.current
        if current is None or current.started_at is None or current.unknown or not self.is_in_progress:
            return None
        return now - current.started_at

    def lead_time(self, episode: Episode) -> timedelta | None:
        """From creation (or reopening) to the finish; unknown for imports, whose creation is the import's."""
        if episode.finished_at is None or self.issue.created_at is None:
            return None
        if Flag.IMPORTED in self.flags and episode.number == 1:
            return None
        return episode.finished_at - episode.opened_at

    def why_no_cycle_time(self, episode: Episode) -> str | None:
        """Why a closed episode has no cycle time; None when it has one, or is still open."""
        if self.why_outside is not None:
            return self.why_outside
        if episode.cancelled_at is not None:
            return "cancelled"
        if episode.unknown:
            return episode.unknown
        if episode.finished_at is None or episode.started_at is not None:
            return None
        if Flag.DRAGGED in episode.flags:
            return "started and finished within a minute"
        if not episode.spans:
            return "created as done"
        return "finished without a known start"

    def finished(self) -> Iterator[Episode]:
        """The episodes that count as finished."""
        if self.why_outside is None:
            for episode in self.episodes:
                if episode.finished_at is not None:
                    yield episode


def items(issues: Iterable[Issue], now: datetime, options: FlowOptions = DEFAULTS) -> tuple[Item, ...]:
    """All issues in the order given, with episodes; epics and initiatives start with their earliest child."""
    issues = tuple(issues)
    imported, bulk, mirrors = imported_issues(issues), bulk_closed_issues(issues), mirrored_issues(issues, options)
    found: dict[Identity, Item] = {}

    def add(issue: Issue, child_start: datetime | None = None) -> None:
        identity = issue.identity
        line = timeline(issue, now)
        flags = line.flags
        if identity in imported:
            flags |= {Flag.IMPORTED}
        if identity in bulk:
            flags |= {Flag.BULK_CLOSED}
        found[identity] = Item(
            issue=issue,
            timeline=line,
            episodes=episodes(issue, line, options=options, child_start=child_start),
            flags=flags,
            why_outside=why_outside(issue, line, mirrors.get(identity)),
        )

    for issue in issues:
        if issue.type not in LARGE_TYPES:
            add(issue)
    starts = _child_starts(issues, found)
    for large in (IssueType.EPIC, IssueType.INITIATIVE):
        for issue in issues:
            if issue.type is large:
                add(issue, starts.get(issue.identity))
                _pass_up(issue, found[issue.identity], starts)
    return tuple(found[identity] for identity in dict.fromkeys(issue.identity for issue in issues))


def why_outside(issue: Issue, line: Timeline, record: str | None = None) -> str | None:
    """Why the issue is in no figure at all, if it is not; `record` is the issue that it is a mirror of."""
    if record is not None:
        return f"mirror of {record}"
    if issue.type is IssueType.SUBTASK:
        return "subtask"
    if Flag.UNMAPPED in line.flags and (status := line.unmapped) is not None:
        return f"status {status.name or status.id!r} has no category"
    if not line.spans:
        return "no dates"
    return None


def _child_starts(issues: Sequence[Issue], found: Mapping[Identity, Item]) -> dict[Identity, datetime]:
    """The earliest start directly below each parent. Parents are named by id, in exports also by key."""
    starts: dict[Identity, datetime] = {}
    for issue in issues:
        item = found.get(issue.identity)
        if item is not None:
            _pass_up(issue, item, starts)
    keys = {(issue.source, issue.key): issue.identity for issue in issues if issue.type in LARGE_TYPES}
    for named, identity in keys.items():
        if named != identity and named in starts:
            starts[identity] = min(starts[named], starts.get(identity, starts[named]))
    return starts


def _pass_up(issue: Issue, item: Item, starts: dict[Identity, datetime]) -> None:
    began = item.episodes[0].started_at if item.episodes else None
    if issue.parent and began is not None and not item.why_outside:
        above = issue.source, issue.parent
        starts[above] = min(began, starts.get(above, began))


# -- what only the whole shows -------------------------------------------------------------------------------------


def imported_issues(issues: Iterable[Issue]) -> frozenset[Identity]:
    """Issues created by one actor, 50 or more within a minute: an import, whose creation dates say nothing."""
    created: dict[Identity, list[tuple[datetime, Identity]]] = defaultdict(list)
    for issue in issues:
        if issue.created_at is not None and issue.reporter is not None:
            created[issue.source, issue.reporter].append((issue.created_at, issue.identity))
    return _crowds(created.values(), IMPORT_ISSUES, IMPORT_WINDOW)


def bulk_closed_issues(issues: Iterable[Issue]) -> frozenset[Identity]:
    """Issues that one actor closed together with 19 or more others within 5 minutes."""
    closed: dict[Identity, list[tuple[datetime, Identity]]] = defaultdict(list)
    for issue in issues:
        for step in issue.transitions:
            if step.after.category is StatusCategory.DONE and step.actor is not None and step.before.category.is_open:
                closed[issue.source, step.actor].append((step.at, issue.identity))
    return _crowds(closed.values(), BULK_ISSUES, BULK_WINDOW)


def _crowds(groups: Iterable[list[tuple[datetime, Identity]]], least: int, window: timedelta) -> frozenset[Identity]:
    crowded: set[Identity] = set()
    for moments in groups:
        if len(moments) < least:
            continue
        moments.sort()
        first = marked = 0
        for last, (at, _) in enumerate(moments):
            while at - moments[first][0] > window:
                first += 1
            if last - first + 1 >= least:
                crowded.update(identity for _, identity in moments[max(first, marked) : last + 1])
                marked = last + 1
    return frozenset(crowded)


def mirrored_issues(issues: Iterable[Issue], options: FlowOptions = DEFAULTS) -> dict[Identity, str]:
    """Mirrors that do not count -> key of the one that does: of the first system of record, else the oldest."""
    issues = tuple(issues)
    mirrors = [issue for issue in issues if any(link.kind is LinkKind.MIRRORS for link in issue.links)]
    if not mirrors:
        return {}
    named: dict[str, Issue] = {}
    for issue in mirrors:
        for name in (issue.url, issue.key, issue.id):
            if name:
                named.setdefault(name.casefold(), issue)
    # Often only one side carries the link, such as Linear's attachment; the other is known by its URL alone.
    targets = {link.target.casefold() for issue in mirrors for link in issue.links if link.kind is LinkKind.MIRRORS}
    for issue in issues:
        if issue.url and issue.url.casefold() in targets:
            named.setdefault(issue.url.casefold(), issue)
    order = {source: place for place, source in enumerate(options.records)}
    copies: dict[Identity, str] = {}
    for issue in mirrors:
        for link in issue.links:
            other = named.get(link.target.casefold()) if link.kind is LinkKind.MIRRORS else None
            if other is not None and other is not issue:
                record, copy = sorted((issue, other), key=lambda each: _precedence(each, order))
                copies[copy.identity] = record.key
    return copies


def _precedence(issue: Issue, order: Mapping[str, int]) -> tuple[int, datetime, Identity]:
    return order.get(issue.source, len(order)), issue.created_at or datetime.max.replace(tzinfo=UTC), issue.identity


# -- who held it ---------------------------------------------------------------------------------------------------


def team_of(issue: Issue, at: datetime | None = None) -> str | None:
    """Whose the issue was at the moment (now if None): its team, else its project."""
    field = "team" if issue.team is not None or any(change.field == "team" for change in issue.changes) else "project"
    holder = issue.team if field == "team" else issue.project
    if at is not None and issue.changes:
        for change in sorted(issue.changes, key=lambda each: (each.at, each.sequence), reverse=True):
            if change.at <= at:
                break
            if change.field == field:
                holder = change.before
    return holder


def handoffs(issue: Issue) -> int:
    """How often the issue changed hands between teams, or between projects where there are no teams."""
    fields = [change.field for change in issue.changes if change.field in ("team", "project")]
    return fields.count("team") or fields.count("project")


def cycle_times(found: Iterable[Item], *, mode: Mode = Mode.ELAPSED) -> Iterator[timedelta]:
    """The cycle times of all finished episodes of stories, tasks, bugs and the like."""
    for item in found:
        if item.issue.type in ITEM_TYPES:
            for episode in item.finished():
                spent = episode.cycle_time(mode)
                if spent is not None:
                    yield spent
