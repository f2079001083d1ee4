"""From start to finish: the episodes of work on an issue (catalogue 5.2, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backlint.flow.options import DEFAULTS, Flag, FlowOptions, Mode, StartSource
from backlint.flow.timeline import CLOSED, NO_FLAGS, NOT_STARTED, STARTED, Span, Timeline
from backlint.model import FieldChange, Issue, LinkKind, StatusCategory

LABEL_FIELDS = frozenset({"label", "labels"})
ASSIGNMENT_FIELDS = frozenset({"assignee", "assignees"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One stretch of work: from creation or a late reopening to the finish, if there is one.

    `unknown` says why start or finish cannot be told, although there must have been one; None otherwise.
    `spans` are those before the close. `reopenings` happened within this episode and were merged into it.
    """

    number: int
    opened_at: datetime
    started_at: datetime | None
    start_source: StartSource | None
    finished_at: datetime | None
    cancelled_at: datetime | None
    is_rework: bool
    reopenings: int
    spans: tuple[Span, ...]
    flags: frozenset[Flag]
    unknown: str | None

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def closed_at(self) -> datetime | None:
        return self.finished_at or self.cancelled_at

    @property
    def reaction_time(self) -> timedelta | None:
        """From creation (or reopening) to the start; 0 where an epic's first child was there before it."""
        if self.started_at is None:
            return None
        return max(self.started_at - self.opened_at, timedelta())

    def cycle_time(self, mode: Mode = Mode.ELAPSED) -> timedelta | None:
        """From start to finish in the mode given; None unless both are known."""
        if self.started_at is None or self.finished_at is None or self.unknown:
            return None
        if mode is Mode.ELAPSED:
            return self.finished_at - self.started_at
        if any(span.is_gap for span in self.spans):
            return None  # what happened in a gap decides both other modes
        return self._in_progress() if mode is Mode.IN_PROGRESS else self._last_run()

    def started_spans(self) -> Iterator[tuple[datetime, datetime | None]]:
        """When the item was in progress, oldest first. A start known from elsewhere lasts while the issue is open."""
        if self.started_at is None and not self.unknown:
            return
        if self.started_at is None or self.start_source is StartSource.STATUS:
            for span in self.spans:
                if span.category in STARTED:
                    yield span.enter, span.exit
            return
        for span in self.spans:
            if span.category not in CLOSED and (span.exit is None or span.exit > self.started_at):
                yield max(span.enter, self.started_at), span.exit

    def _in_progress(self) -> timedelta:
        spent = ((exit or enter) - enter for enter, exit in self.started_spans())
        return sum(spent, timedelta())

    def _last_run(self) -> timedelta | None:
        if self.finished_at is None or self.started_at is None:
            return None
        if self.start_source is not StartSource.STATUS:
            return self.finished_at - self.started_at
        began: datetime | None = None
        for span in self.spans:
            if span.category in NOT_STARTED:
                began = None
            elif began is None and span.category in STARTED:
                began = span.enter
        return None if began is None else self.finished_at - began


def episodes(
    issue: Issue, line: Timeline, *, options: FlowOptions = DEFAULTS, child_start: datetime | None = None
) -> tuple[Episode, ...]:
    """All episodes of an issue, oldest first. `child_start` is the earliest start below an epic or initiative."""
    found: list[Episode] = []
    for stretch in _stretches(line.spans, options):
        found.append(
            _episode(
                issue,
                stretch,
                number=len(found) + 1,
                is_rework=any(episode.is_finished for episode in found),
                options=options,
                child_start=child_start,
            )
        )
    return tuple(found)


@dataclass(slots=True)
class _Stretch:
    """An episode while its spans are being collected."""

    opened_at: datetime
    spans: list[Span]
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None
    reopenings: int = 0
    unknown: str | None = None

    @property
    def closed_at(self) -> datetime | None:
        return self.finished_at or self.cancelled_at


def _stretches(spans: Sequence[Span], options: FlowOptions) -> Iterator[_Stretch]:
    if not spans:
        return
    stretch = _Stretch(spans[0].enter, [])
    closing: list[Span] = []  # the closed spans behind the stretch: part of it once it is reopened within `merge`
    for index, span in enumerate(spans):
        if span.category in CLOSED:
            _close(stretch, span)
            closing.append(span)
            continue
        closed_at = stretch.closed_at
        if closed_at is not None:
            is_undo = _is_undone(spans, index, closed_at, options)
            if span.enter - closed_at > options.merge:
                if is_undo:
                    continue
                yield stretch
                stretch = _Stretch(span.enter, [])
            else:
                stretch.reopenings += stretch.finished_at is not None and not is_undo
                stretch.spans += closing
                stretch.finished_at = stretch.cancelled_at = None
            closing = []
        stretch.spans.append(span)
        _mind_the_gap(stretch, span, options)
    if stretch.spans or stretch.closed_at:
        yield stretch


def _close(stretch: _Stretch, span: Span) -> None:
    """Done after done keeps the first; cancelled takes a finish back, since someone says the work was not done."""
    if span.category is StatusCategory.DONE:
        stretch.finished_at = stretch.finished_at or span.enter
        stretch.cancelled_at = None
        if stretch.spans and stretch.spans[-1].gap_end is StatusCategory.DONE:
            stretch.unknown = "finish unknown: the history has a gap"
    else:
        stretch.cancelled_at = stretch.cancelled_at or span.enter
        stretch.finished_at = None


def _mind_the_gap(stretch: _Stretch, span: Span, options: FlowOptions) -> None:
    """A gap that ends closed hides when; one that begins closed may hide that a new episode began."""
    if span.gap_end is None or (span.exit is not None and span.status.category not in CLOSED):
        return
    if span.exit is None and span.gap_end is StatusCategory.CANCELLED:
        stretch.cancelled_at = span.enter
        return
    hides_a_close = span.exit is None and span.gap_end is StatusCategory.DONE
    hides_an_episode = span.status.category in CLOSED and span.until(span.enter) - span.enter > options.merge
    if hides_a_close or hides_an_episode or (span.exit is None and span.status.category in CLOSED):
        stretch.unknown = "finish unknown: the history has a gap"


def _is_undone(spans: Sequence[Span], index: int, closed_at: datetime, options: FlowOptions) -> bool:
    """Whether a close or a reopening was taken back at once: a slip of the hand, not a reopening."""
    reopened_at = spans[index].enter
    if reopened_at - closed_at <= options.undo_window:
        return True
    again = next((span.enter for span in spans[index + 1 :] if span.category in CLOSED), None)
    return again is not None and again - reopened_at <= options.undo_window


def reopenings(line: Timeline, *, options: FlowOptions = DEFAULTS) -> tuple[datetime, ...]:
    """When the issue went from done back to open; slips undone within `undo_window` are left out."""
    moments: list[datetime] = []
    done_at: datetime | None = None
    for index, span in enumerate(line.spans):
        if span.category is StatusCategory.DONE:
            done_at = done_at or span.enter
            continue
        is_reopened = span.category not in CLOSED and not span.is_gap
        if done_at is not None and is_reopened and not _is_undone(line.spans, index, done_at, options):
            moments.append(span.enter)
        done_at = None
    return tuple(moments)


# -- the start ---------------------------------------------------------------------------------------------------


def _episode(
    issue: Issue,
    stretch: _Stretch,
    *,
    number: int,
    is_rework: bool,
    options: FlowOptions,
    child_start: datetime | None,
) -> Episode:
    started_at, source, unknown = None, None, stretch.unknown
    flags = {Flag.REWORK} if is_rework else set()
    starts = _starts(issue, stretch, options, child_start, is_first=number == 1)
    for at, candidate in starts:
        if at is None:
            unknown = unknown or "start unknown: the history has a gap"
            break
        if stretch.finished_at is not None and stretch.finished_at - at <= options.min_cycle:
            flags.add(Flag.DRAGGED)
            continue
        started_at, source = at, candidate
        break
    if source is StartSource.STATUS and number == 1 and stretch.spans[0].category in STARTED:
        flags.add(Flag.CREATED_STARTED)
    return Episode(
        number=number,
        opened_at=stretch.opened_at,
        started_at=started_at,
        start_source=source,
        finished_at=None if unknown and unknown.startswith("finish") else stretch.finished_at,
        cancelled_at=stretch.cancelled_at,
        is_rework=is_rework,
        reopenings=stretch.reopenings,
        spans=tuple(stretch.spans),
        flags=frozenset(flags) if flags else NO_FLAGS,
        unknown=unknown,
    )


def _starts(
    issue: Issue, stretch: _Stretch, options: FlowOptions, child_start: datetime | None, *, is_first: bool
) -> Iterator[tuple[datetime | None, StartSource]]:
    """Candidates in the order of trust (catalogue 5.2); a moment of None: there was a start, its time is unknown."""
    opened, closed = stretch.opened_at, stretch.closed_at

    def is_within(at: datetime) -> bool:
        return (is_first or at >= opened) and (closed is None or at <= closed)

    if child_start is not None and is_within(child_start):
        yield child_start, StartSource.CHILD
    for span in stretch.spans:
        is_cut = is_first and span is stretch.spans[0] and not issue.history_is_complete
        if span.is_gap and (is_cut or span.status.category not in STARTED):
            yield None, StartSource.STATUS
        if span.status.category in STARTED:
            yield span.enter, StartSource.STATUS
            break
    labels = options.in_progress_labels.get(issue.source)
    if labels:
        yield from _first(label_times(issue, labels), is_within, opened, StartSource.LABEL)
    if issue.tracker.has_started_statuses:
        return
    if issue.links:
        pulls = (link.at for link in issue.links if link.kind is LinkKind.PULL_REQUEST and link.at is not None)
        yield from _first(pulls, is_within, opened, StartSource.PULL_REQUEST)
    if options.assignment_is_start:
        taken = (change.at for change in issue.changes if change.field in ASSIGNMENT_FIELDS and change.after)
        yield from _first(taken, is_within, opened, StartSource.ASSIGNMENT)


def _first(
    moments: Iterator[datetime], is_within: Callable[[datetime], bool], opened: datetime, source: StartSource
) -> Iterator[tuple[datetime, StartSource]]:
    """The earliest; work that is older than its issue starts with it."""
    found = min((at for at in moments if is_within(at)), default=None)
    if found is not None:
        yield max(found, opened), source


def label_times(issue: Issue, labels: Sequence[str]) -> Iterator[datetime]:
    """When one of the labels was put on."""
    wanted = {label.casefold() for label in labels}
    for change in issue.changes:
        if (
            change.field.casefold() in LABEL_FIELDS
            and _named(change.after, wanted)
            and not _named(change.before, wanted)
        ):
            yield change.at


def label_removals(issue: Issue, labels: Sequence[str]) -> Iterator[FieldChange]:
    """The changes that took one of the labels off."""
    wanted = {label.casefold() for label in labels}
    for change in issue.changes:
        if (
            change.field.casefold() in LABEL_FIELDS
            and _named(change.before, wanted)
            and not _named(change.after, wanted)
        ):
            yield change


def _named(text: str | None, wanted: set[str]) -> bool:
    """Whether a printed list of labels holds one: Jira separates by spaces, others by commas."""
    if not text:
        return False
    printed = text.casefold()
    return bool(wanted & {printed.strip(), *(part.strip() for part in printed.split(",")), *printed.split()})
