"""Planning a write-back: from findings and what was written before to the changes still wanted. Pure.

Careful by rule (catalogue 8): only our labels and our one comment, silent on clean issues, people win, and whatever
may not be written now is held back with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from backlint.activity import human_events
from backlint.model import Comment, Issue, Judgement, Presence, Severity
from backlint.settings import WriteBackSettings
from backlint.sync import comment as managed

COMMENTS_PER_OWNER_AND_DAY = 5  # catalogue 8
WEEKEND = (5, 6)


class ChangeKind(StrEnum):
    ADD_LABEL = "add_label"
    REMOVE_LABEL = "remove_label"
    PUT_COMMENT = "put_comment"
    DELETE_COMMENT = "delete_comment"

    @property
    def is_label(self) -> bool:
        return self in (ChangeKind.ADD_LABEL, ChangeKind.REMOVE_LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: a label added or removed, or our comment put (created or edited in place)."""

    source: str
    issue: str
    key: str
    kind: ChangeKind
    because: tuple[str, ...]  # rule codes
    label: str | None = None
    body: str | None = None
    project: str = ""
    owner: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """`until` is when it may be written after all; None: once something else changes, or another run comes."""

    change: Change
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be written, what is held back and why; `alarms` name projects for which nothing is written at all."""

    id: str
    changes: tuple[Change, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def issues(self) -> int:
        return len({(change.source, change.issue) for change in self.changes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What counts against the caps of a plan before its first change, by (source, project).

    Nothing for a run of its own. The jobs of webhooks are many and small: those of one day count together, `until` its
    end, so that a bulk edit is held by the caps and stopped by the alarm as a run would be.
    """

    labels: Mapping[tuple[str, str], int] = field(default_factory=dict)
    comments: Mapping[tuple[str, str], int] = field(default_factory=dict)
    issues: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    until: datetime | None = None

    @property
    def period(self) -> str:
        return "run" if self.until is None else "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A write of ours that the tracker confirmed."""

    kind: ChangeKind
    at: datetime
    because: tuple[str, ...]
    label: str | None = None
    body: str | None = None
    comment: str | None = None
    digest: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A person took back what we wrote: a label by its name, or `comment`."""

    subject: str
    because: tuple[str, ...]
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An issue with what may be said about it: `failures` without baseline and waived ones, the best first."""

    issue: Issue
    failures: tuple[Judgement, ...]
    asked: tuple[Judgement, ...]  # the questions that the comment may ask
    labels: Mapping[str, str]  # rule code -> label without prefix
    opened_at: Mapping[str, datetime] = field(default_factory=dict)  # rule code -> when its finding (re)opened
    written: tuple[Written, ...] = ()  # oldest first
    heard: tuple[str, ...] = ()  # answers to what people told us on the issue
    heard_at: datetime | None = None  # when we read the last of it
    allowed_at: datetime | None = None  # ... of people who may give commands: they are answered where no comment stands
    overrides: tuple[Override, ...] = ()
    quiet: frozenset[str] = frozenset()  # rules that may say nothing new of it


def plan(
    candidates: Iterable[Candidate],
    settings: WriteBackSettings,
    *,
    id: str,
    now: datetime,
    zone: ZoneInfo,
    project_sizes: Mapping[tuple[str, str], int],
    comments_today: Mapping[tuple[str, str], int] | None = None,
    spent: Spent | None = None,
) -> Plan:
    """The changes that are wanted and allowed now. After they are applied, planning again gives none.

    `project_sizes` is the number of issues in each (source, project); `comments_today` of comments per (source, owner).
    """
    if settings.mode == "off":
        return Plan(id=id)
    spent = spent or Spent()
    wanted: list[Change] = []
    held: list[HeldBack] = []
    for candidate in candidates:
        for change in _changes(candidate, settings):
            held_by = _held_by_issue(candidate, change, settings, now=now, zone=zone)
            if held_by is None:
                wanted.append(change)
            else:
                held.append(HeldBack(change, *held_by))
    alarms = tuple(_alarms(wanted, settings, project_sizes, spent))
    stopped = {(source, project) for source, project, _ in alarms}
    too_much = f"too much of its project would be touched in one {spent.period}"
    held += [HeldBack(c, too_much, spent.until) for c in wanted if _project(c) in stopped]
    left = [c for c in wanted if _project(c) not in stopped]
    allowed, over = _within_caps(left, settings, comments_today or {}, spent)
    return Plan(
        id=id, changes=tuple(allowed), held_back=(*held, *over), alarms=tuple(sentence for _, _, sentence in alarms)
    )


# -- what is wanted ----------------------------------------------------------------------------------------------------


def _changes(candidate: Candidate, settings: WriteBackSettings) -> Iterator[Change]:
    if candidate.issue.presence is not Presence.PRESENT:
        return  # nothing is left to write to
    yield from _label_changes(candidate, settings)
    if settings.mode == "labels+comment":
        yield from _comment_changes(candidate, settings)


def _label_changes(candidate: Candidate, settings: WriteBackSettings) -> Iterator[Change]:
    wanted = _wanted_labels(candidate, settings)
    present = folded(candidate.issue.labels)
    prefix, added = settings.label_prefix.casefold(), _added_by_us(candidate)
    for label in sorted(wanted):
        if label.casefold() not in present:
            yield _change(candidate, ChangeKind.ADD_LABEL, because=wanted[label], label=label)
    for label in sorted(candidate.issue.labels):
        is_ours = label.casefold().startswith(prefix) and label.casefold() in added
        if is_ours and label.casefold() not in folded(wanted):
            yield _change(candidate, ChangeKind.REMOVE_LABEL, because=_reason_of(candidate, label), label=label)


def folded(labels: Iterable[str]) -> set[str]:
    """To compare: GitHub and Linear show a label as whoever made it first wrote it, in capitals or not."""
    return {label.casefold() for label in labels}


def _wanted_labels(candidate: Candidate, settings: WriteBackSettings) -> dict[str, tuple[str, ...]]:
    """At most `per_issue` labels with the rules behind each.

    Findings of severity info set none. A label that stands goes when its finding is fixed, not when the issue has moved
    down the backlog.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for failure in candidate.failures:
        name = candidate.labels.get(failure.rule)
        if name is None or failure.severity is Severity.CRITICAL:
            continue
        label = f"{settings.label_prefix}{name}"
        is_quiet = failure.severity is Severity.INFO or failure.rule in candidate.quiet
        if is_quiet and not _stands(candidate, label, failure.rule):
            continue
        if label in wanted or len(wanted) < settings.per_issue:
            wanted[label] = tuple(dict.fromkeys((*wanted.get(label, ()), failure.rule)))
    return wanted


def _added_by_us(candidate: Candidate) -> set[str]:
    """Labels, folded, whose last write of ours was an addition: only these are ours to remove."""
    last = {each.label.casefold(): each.kind for each in candidate.written if each.label is not None}
    return {label for label, kind in last.items() if kind is ChangeKind.ADD_LABEL}


def _stands(candidate: Candidate, label: str, rule: str) -> bool:
    """Whether we set the label for that rule, and nobody took it away."""
    is_ours = label.casefold() in folded(candidate.issue.labels) & _added_by_us(candidate)
    return is_ours and rule in _reason_of(candidate, label)


def _reason_of(candidate: Candidate, label: str) -> tuple[str, ...]:
    wanted = label.casefold()
    return next((each.because for each in reversed(candidate.written) if (each.label or "").casefold() == wanted), ())


def _comment_changes(candidate: Candidate, settings: WriteBackSettings) -> Iterator[Change]:
    standing = _own_comment(candidate.issue)
    last = _last_comment(candidate)
    questions = _questions(candidate, standing, last)
    if not questions and standing is None and not _is_since(last, candidate.allowed_at):
        return
    body = managed.render(
        questions,
        skip_label=f"{settings.label_prefix}skip",
        explain_url=settings.explain_url,
        heard=candidate.heard,
    )
    if standing is not None and last is not None and last.body == body:
        return
    because = tuple(each.rule for each in questions) or (last.because if last else ())
    yield _change(candidate, ChangeKind.PUT_COMMENT, because=because, body=body)


def _questions(candidate: Candidate, standing: Comment | None, last: Written | None) -> tuple[Judgement, ...]:
    """What the comment asks; after a person deleted it, nothing that it had already asked."""
    if standing is not None or last is None:
        return candidate.asked
    return tuple(each for each in candidate.asked if each.rule not in _silenced(candidate))


def _is_since(last: Written | None, heard_at: datetime | None) -> bool:
    """Whether somebody gave a command since we last wrote: who speaks to us gets an answer."""
    return heard_at is not None and (last is None or last.at < heard_at)


def _silenced(candidate: Candidate) -> set[str]:
    return {code for each in candidate.written if each.kind is ChangeKind.PUT_COMMENT for code in each.because}


def asked_before(issue: Issue, written: Sequence[Written]) -> tuple[str, ...]:
    """The rules whose questions our comment on the issue asks now; none where no comment of ours stands."""
    last = next((each for each in reversed(written) if not each.kind.is_label), None)
    stands = _own_comment(issue) is not None and last is not None and last.kind is ChangeKind.PUT_COMMENT
    is_asking = last is not None and not (last.body or "").startswith(managed.NOTHING_LEFT)
    return last.because if stands and last is not None and is_asking else ()


def _own_comment(issue: Issue) -> Comment | None:
    return next((comment for comment in issue.comments if comment.is_own), None)


def _last_comment(candidate: Candidate) -> Written | None:
    last = next((each for each in reversed(candidate.written) if not each.kind.is_label), None)
    return last if last is not None and last.kind is ChangeKind.PUT_COMMENT else None


def _change(candidate: Candidate, kind: ChangeKind, *, because: Sequence[str], **rest: str) -> Change:
    issue = candidate.issue
    return Change(
        source=issue.source,
        issue=issue.id,
        key=issue.key,
        url=issue.url,
        kind=kind,
        because=tuple(because),
        project=issue.project or issue.team or "",
        owner=issue.assignees[0] if issue.assignees else None,
        **rest,
    )


# -- what must wait ----------------------------------------------------------------------------------------------------


def _held_by_issue(
    candidate: Candidate, change: Change, settings: WriteBackSettings, *, now: datetime, zone: ZoneInfo
) -> tuple[str, datetime | None] | None:
    """Why this issue must not get the change now, and until when; None when it may."""
    issue = candidate.issue
    excluded = _excluded(issue, settings) or _overridden(candidate, change, settings, now=now)
    if excluded is not None:
        return excluded, None
    settled_at = _settles_until(issue, settings)
    if settled_at > now:
        return f"edited less than {settings.settle_minutes} minutes ago", settled_at
    if change.kind.is_label:
        return None
    return _held_comment(candidate, change, settings, now=now, zone=zone)


def _excluded(issue: Issue, settings: WriteBackSettings) -> str | None:
    if issue.is_archived:
        return "archived"
    if issue.is_locked:
        return "locked"
    if f"{settings.label_prefix}skip".casefold() in {label.casefold() for label in issue.labels}:
        return f"labelled {settings.label_prefix}skip"
    return None


def _overridden(candidate: Candidate, change: Change, settings: WriteBackSettings, *, now: datetime) -> str | None:
    """A person removed it: it stays away until the finding went and came back, or `override_days` have passed."""
    subject = change.label if change.kind.is_label else "comment"
    if change.kind is ChangeKind.REMOVE_LABEL:
        return None
    for override in candidate.overrides:
        if override.subject != subject or override.noticed_at + timedelta(days=settings.override_days) <= now:
            continue
        came_back = all(
            candidate.opened_at.get(code, override.noticed_at) > override.noticed_at for code in change.because
        )
        if change.because and came_back:
            continue
        return "a person removed it" if change.kind.is_label else "a person took the comment away or edited it"
    return None


def _settles_until(issue: Issue, settings: WriteBackSettings) -> datetime:
    last = max((event.at for event in human_events(issue)), default=datetime.min.replace(tzinfo=ZoneInfo("UTC")))
    if last.year == 1:
        return last
    return last + timedelta(minutes=settings.settle_minutes)


def _held_comment(
    candidate: Candidate, change: Change, settings: WriteBackSettings, *, now: datetime, zone: ZoneInfo
) -> tuple[str, datetime | None] | None:
    standing, last = _own_comment(candidate.issue), _last_comment(candidate)
    if standing is not None and last is not None and last.digest not in (None, managed.digest(standing)):
        return "a person took the comment away or edited it", None
    quiet = quiet_until(settings, now.astimezone(zone))
    if quiet is not None:
        return f"quiet hours until {quiet:%a %H:%M}", quiet
    is_urgent = (change.body or "").startswith(managed.NOTHING_LEFT) or _is_since(last, candidate.heard_at)
    if not is_urgent and last is not None and standing is not None:
        again = last.at + timedelta(days=settings.comment_every_days)
        if again > now:
            return f"the comment changed less than {settings.comment_every_days} days ago", again
    return None


def quiet_until(settings: WriteBackSettings, local: datetime) -> datetime | None:
    """When the quiet time that `local` falls into ends; None outside. Saturdays and Sundays are quiet all day."""
    if settings.quiet is None:
        return None
    begin, end = settings.quiet
    moment = local
    if _is_quiet(moment.time(), begin, end):
        moment = _next(moment, end)
    while moment.weekday() in WEEKEND:
        moment = _next(moment.replace(hour=23, minute=59), end)
    return moment if moment != local else None


def _is_quiet(at: time, begin: time, end: time) -> bool:
    return begin <= at < end if begin <= end else at >= begin or at < end


def _next(moment: datetime, at: time) -> datetime:
    later = moment.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return later if later > moment else later + timedelta(days=1)


# -- what is too much --------------------------------------------------------------------------------------------------


def _project(change: Change) -> tuple[str, str]:
    return change.source, change.project


def _alarms(
    wanted: Sequence[Change], settings: WriteBackSettings, sizes: Mapping[tuple[str, str], int], spent: Spent
) -> Iterator[tuple[str, str, str]]:
    touched: dict[tuple[str, str], set[str]] = defaultdict(set)
    for change in wanted:
        touched[_project(change)].add(change.issue)
    for (source, project), fresh in sorted(touched.items()):
        issues = fresh | spent.issues.get((source, project), frozenset())
        size = sizes.get((source, project), len(issues))
        if len(issues) > settings.abort_floor and len(issues) > settings.abort_share * size:
            yield source, project, _alarm(f"{source} {project}", len(issues), size, settings, spent)


def _alarm(where: str, touched: int, size: int, settings: WriteBackSettings, spent: Spent) -> str:
    share = f"more than {settings.abort_share:.0%}"
    if spent.until is not None:
        return (
            f"{where}: the webhooks of one day would touch {touched} of {size} issues, {share}; nothing more is "
            f"written there before {spent.until:%a %H:%M}. Look at `backlint plan`; if it is right, `backlint apply` "
            "with a higher write_back.abort_share writes it"
        )
    return (
        f"{where}: this run would touch {touched} of {size} issues, {share}; nothing is written there. "
        "Look at `backlint plan`; if it is right, raise write_back.abort_share for one run"
    )


def _within_caps(
    changes: Sequence[Change], settings: WriteBackSettings, comments_today: Mapping[tuple[str, str], int], spent: Spent
) -> tuple[list[Change], list[HeldBack]]:
    labels: Counter[tuple[str, str]] = Counter(dict(spent.labels))
    comments: Counter[tuple[str, str]] = Counter(dict(spent.comments))
    owners: Counter[tuple[str, str]] = Counter(dict(comments_today))
    allowed: list[Change] = []
    over: list[HeldBack] = []
    for change in changes:
        project, owner = _project(change), (change.source, change.owner or "")
        if change.kind.is_label:
            if labels[project] >= settings.max_labels:
                why = f"cap of {settings.max_labels} label changes a project and {spent.period}"
                over.append(HeldBack(change, why, spent.until))
                continue
            labels[project] += 1
        else:
            if comments[project] >= settings.max_comments:
                why = f"cap of {settings.max_comments} comments a project and {spent.period}"
                over.append(HeldBack(change, why, spent.until))
                continue
            if change.owner is not None and owners[owner] >= COMMENTS_PER_OWNER_AND_DAY:
                why = f"cap of {COMMENTS_PER_OWNER_AND_DAY} comments an owner and day"
                over.append(HeldBack(change, why, spent.until))
                continue
            comments[project] += 1
            owners[owner] += 1
        allowed.append(change)
    return allowed, over
