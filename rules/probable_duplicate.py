"""TXT004: another issue has the same title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, takewhile

from backlint.examples import a_transition, an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Presence, Severity, StatusCategory
from backlint.rules.evidence import excerpt, of_value
from backlint.rules.history import closed_at
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.similar_titles import Place, Title, alike, by_what_they_say, says_the_same, title_of

SETTLED = frozenset({LinkKind.DUPLICATES, LinkKind.DUPLICATED_BY, LinkKind.CLONES, LinkKind.MIRRORS})
# Estimates, to be replaced by what people judge: even equal titles can be two things.
EQUAL, ALIKE = 0.8, 0.6
NEVER = datetime.max.replace(tzinfo=UTC)
SHOWN_TITLE = 80  # characters of the other title in the message


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def a_done(id: str, title: str, days: float) -> Issue:
    """Done so many days ago."""
    done = a_transition(days_ago(days), StatusCategory.ACTIVE, StatusCategory.DONE)
    created = days_ago(days + 20)
    return an_issue(id=id, title=title, category=StatusCategory.DONE, transitions=(done,), created_at=created)


@dataclass(frozen=True, slots=True)
class Peer:
    """The issue that another one repeats."""

    issue: Issue
    similarity: float


class ProbableDuplicate(Rule):
    """Looks like a duplicate of another issue.

    Why it matters: the same work is discussed, estimated and now and then done twice.

    How to fix: if it is the same, link the two and close one; if not, say in the title what differs.

    Not flagged: titles that differ in a word that says something, in a number, a version, a month or a weekday;
    issues that are linked as
    duplicate, clone, parent or mirror; a title that was done twice before, which is a recurring task;
    subtasks of different parents; issues closed more than 30 days ago; other projects, teams and sources.
    A pair is reported once, on the newer issue, or on the open one where the newer is closed.
    """

    code = "TXT004"
    name = "probable-duplicate"
    label = "possible-duplicate"
    severity = Severity.INFO
    question = "Same thing? If so, link them."
    dimension = "clarity"

    types: frozenset[IssueType] = EVERY_TYPE
    threshold: float = 0.9  # share of common words (Jaccard) from which titles are alike (catalogue TXT004)
    min_content_words: int = 3  # of titles that are alike, not equal (catalogue TXT004)
    closed_days: int = 30  # how long a closed issue can still be repeated (catalogue TXT004)
    recurring: int = 2  # a title done so often before is a recurring task; the number is ours

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        options = (self.threshold, self.min_content_words, self.closed_days, self.recurring)
        peer = context.of_backlog(("TXT004", options), lambda: self._peers(context)).get(issue.identity)
        if peer is None:
            return
        other = peer.issue
        shown = excerpt(other.title)[:SHOWN_TITLE]
        is_equal = title_of(issue.title).words == title_of(other.title).words
        note = "equal titles" if is_equal else f"{peer.similarity:.0%} of the words are common"
        yield self.fail(
            issue,
            context,
            f"Looks like {other.key} ('{shown}').",
            evidence=[of_value("F", "title", issue.title, note=note)],
            confidence=EQUAL if is_equal else ALIKE,
            discriminator=":".join(other.identity),
        )

    # -- once for the whole backlog --------------------------------------------------------------------------------

    def _peers(self, context: Context) -> Mapping[tuple[str, str], Peer]:
        """For each issue that repeats another one: which."""
        best: dict[tuple[str, str], Peer] = {}
        for clusters in self._clusters(context).values():
            alive = {key: self._alive(members, context) for key, members in clusters.items()}
            for members in alive.values():
                _choose(members, members, 1.0, best)
            for titles in by_what_they_say(key for key in alive if isinstance(key, frozenset)):
                for pair in alike(titles, self.threshold):
                    if says_the_same(pair.one, pair.other):
                        _choose(alive[pair.one], alive[pair.other], pair.similarity, best)
                        _choose(alive[pair.other], alive[pair.one], pair.similarity, best)
        return best

    def _clusters(self, context: Context) -> Mapping[Place, dict[Hashable, list[Issue]]]:
        """Issues by where they are compared, then by title: by its words, or in order where it has few of them."""
        clusters: dict[Place, dict[Hashable, list[Issue]]] = defaultdict(lambda: defaultdict(list))
        for issue in sorted(context.backlog.issues, key=_age):
            if issue.presence is not Presence.PRESENT:
                continue
            title = title_of(issue.title)
            if title.says_enough:
                for group in _groups(issue):
                    clusters[group, title.numbers][self._key(title)].append(issue)
        return clusters

    def _key(self, title: Title) -> Hashable:
        return title.tokens if title.content >= self.min_content_words else title.words

    def _alive(self, members: list[Issue], context: Context) -> list[Issue]:
        """Those that can be repeated or repeat, the oldest first; none of a recurring task."""
        if sum(issue.status.category is StatusCategory.DONE for issue in members) >= self.recurring:
            return []
        since = context.now - timedelta(days=self.closed_days)
        found = []
        for issue in members:
            closed = closed_at(issue)
            is_recent = issue.is_open or (closed is not None and closed >= since)
            if is_recent and not any(link.kind is LinkKind.DUPLICATES for link in issue.links):
                found.append(issue)
        return found

    flagged = (
        Example(
            "the same title twice",
            an_issue(id="2", title="Login fails on Safari", created_at=days_ago(1)),
            others=(an_issue(title="Login fails on Safari", type=IssueType.BUG, created_at=days_ago(9)),),
            evidence="Login fails on Safari",
        ),
        Example(
            "the same but for punctuation and capitals",
            an_issue(id="2", title="login fails, on Safari!", created_at=days_ago(1)),
            others=(an_issue(title="Login fails on Safari", created_at=days_ago(9)),),
        ),
        Example(
            "an article more in a long title",
            an_issue(
                id="2",
                title="Export of the invoice list as a CSV loses the last line in Excel on opening",
                created_at=days_ago(1),
            ),
            others=(
                an_issue(
                    title="Export of the invoice list as CSV loses the last line in Excel on opening",
                    created_at=days_ago(9),
                ),
            ),
        ),
        Example(
            "closed last week and filed again",
            an_issue(id="2", title="Login fails on Safari", created_at=days_ago(1)),
            others=(a_done("1", "Login fails on Safari", 7),),
        ),
        Example(
            "the newer one was closed: said on the open one",
            an_issue(id="2", title="Login fails on Safari", created_at=days_ago(60)),
            others=(a_done("3", "Login fails on Safari", 7),),
        ),
        Example(
            "a title without spaces",
            an_issue(id="2", title="請求書一覧をエクスポートする", created_at=days_ago(1)),
            others=(an_issue(title="請求書一覧をエクスポートする", created_at=days_ago(9)),),
        ),
    )
    passed = (
        Example(
            "another version",
            an_issue(id="2", title="Release 4.2 checklist", created_at=days_ago(1)),
            others=(an_issue(title="Release 4.1 checklist", created_at=days_ago(9)),),
        ),
        Example(
            "a parent and its subtask",
            an_issue(id="2", title="Login fails on Safari", type=IssueType.SUBTASK, parent="1"),
            others=(an_issue(title="Login fails on Safari", created_at=days_ago(9)),),
        ),
        Example(
            "the older one of the pair",
            an_issue(title="Login fails on Safari", created_at=days_ago(9)),
            others=(an_issue(id="2", title="Login fails on Safari", created_at=days_ago(1)),),
        ),
        Example(
            "linked as a clone",
            an_issue(id="2", title="Login fails on Safari", links=(Link(LinkKind.CLONES, "1"),)),
            others=(an_issue(title="Login fails on Safari", created_at=days_ago(9)),),
        ),
        Example(
            "a mirror in another tracker",
            an_issue(id="2", title="Login fails on Safari"),
            others=(an_issue(source="other", title="Login fails on Safari", created_at=days_ago(9)),),
        ),
        Example(
            "a task that comes back every month",
            an_issue(id="4", title="Rotate the signing keys", created_at=days_ago(1)),
            others=(a_done("1", "Rotate the signing keys", 25), a_done("2", "Rotate the signing keys", 55)),
        ),
        Example(
            "the same subtask of two stories",
            an_issue(id="3", title="Write the release note", type=IssueType.SUBTASK, parent="10"),
            others=(
                an_issue(id="2", title="Write the release note", type=IssueType.SUBTASK, parent="11"),
                an_issue(id="10", title="Export"),
                an_issue(id="11", title="Import"),
            ),
        ),
        Example(
            "another component in front",
            an_issue(id="2", title="[iOS] Login fails after the update", created_at=days_ago(1)),
            others=(an_issue(title="[Android] Login fails after the update", created_at=days_ago(9)),),
        ),
        Example(
            "another member of a series",
            an_issue(
                id="2",
                title="Refactor the Titanium module project wizard to have the mobile plugin contribute its entry",
                created_at=days_ago(1),
            ),
            others=(
                an_issue(
                    title="Refactor the Titanium project wizard to have the mobile plugin contribute its entry",
                    created_at=days_ago(9),
                ),
            ),
        ),
        Example(
            "the opposite",
            an_issue(id="2", title="Invoices are not sent when the last address is empty", created_at=days_ago(1)),
            others=(an_issue(title="Invoices are sent when the last address is empty", created_at=days_ago(9)),),
        ),
        Example(
            "another language of the same family",
            an_issue(id="2", title="Support C++ projects", created_at=days_ago(1)),
            others=(an_issue(title="Support C# projects", created_at=days_ago(9)),),
        ),
        Example(
            "closed two months ago",
            an_issue(id="2", title="Login fails on Safari", created_at=days_ago(1)),
            others=(a_done("1", "Login fails on Safari", 60),),
        ),
    )


def _choose(
    members: Sequence[Issue], others: Sequence[Issue], similarity: float, best: dict[tuple[str, str], Peer]
) -> None:
    """For each open member the oldest of `others` that it repeats, unless it repeats a more similar one already.

    Both are in order of age. Of open ones only older ones count, so that a pair is reported once.
    """
    closed = [other for other in others if not other.is_open]
    for issue in members:
        known = best.get(issue.identity)
        if not issue.is_open or (known is not None and known.similarity > similarity):
            continue
        older = takewhile(partial(_is_older, than=issue), others)
        peer = next((other for other in chain(older, closed) if _may_pair(issue, other)), None)
        if peer is not None and (known is None or known.similarity < similarity or _is_older(peer, than=known.issue)):
            best[issue.identity] = Peer(peer, similarity)


def _is_older(issue: Issue, *, than: Issue) -> bool:
    return _age(issue) < _age(than)


def _age(issue: Issue) -> tuple[datetime, int, str, str]:
    """Sorts the oldest first; where no dates are known, by id."""
    return issue.created_at or NEVER, len(issue.id), issue.id, issue.source


def _groups(issue: Issue) -> Iterator[Hashable]:
    """Where a title is compared: in its project and its team; that of a subtask beside its siblings alone."""
    if issue.type is IssueType.SUBTASK and issue.parent:
        yield issue.source, "parent", issue.parent
        return
    if issue.project:
        yield issue.source, "project", issue.project
    if issue.team or not issue.project:
        yield issue.source, "team", issue.team


def _may_pair(issue: Issue, other: Issue) -> bool:
    return issue.identity != other.identity and not _is_linked(issue, other) and not _is_linked(other, issue)


def _is_linked(issue: Issue, other: Issue) -> bool:
    names = {other.id, other.key, other.url}
    return issue.parent in (other.id, other.key) or any(
        link.kind in SETTLED and link.target in names for link in issue.links
    )
