"""A tracker that lives in memory and behaves: issues change, comments are kept, answers get lost, sources go down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from backlint.connectors.contract import (
    Capabilities,
    Check,
    Page,
    Pulled,
    Quarantined,
    Reference,
    SourceFacts,
    StoredMapping,
    Usage,
    Whereabouts,
)
from backlint.errors import NotFound, TrackerDown, TrackerError
from backlint.model import Comment, Issue, Person, Status, StatusCategory, Tracker
from backlint.status import StatusFact

OWN = "bot"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CATEGORIES = (
    StatusCategory.BACKLOG,
    StatusCategory.TODO,
    StatusCategory.ACTIVE,
    StatusCategory.DONE,
)


class MemoryTracker:
    """A `Connector` over a dictionary. `down` fails every call; `lose_next` carries a write out, loses the answer."""

    tracker = Tracker.JIRA
    capabilities = Capabilities(archive_is_unlisted=True)

    def __init__(self, issues: Sequence[Issue] = (), *, name: str = "demo", page_size: int = 3) -> None:
        self.name = name
        self.usage = Usage()
        self.mapping = "1"
        self.issues = {issue.id: replace(issue, tracker=Tracker.JIRA) for issue in issues}
        self.page_size = page_size
        self.down: TrackerError | None = None
        self.down_after_pages: int | None = None
        self.lose_next = False
        self.unreadable: dict[str, str] = {}
        self.archived: set[str] = set()  # in no list, and there by id
        self.located: list[str] = []
        self.writes: list[str] = []
        self.fetched: list[str] = []
        self.censuses = 0
        self._ticks = itertools.count()
        self._ids = itertools.count(1)

    # -- what people do ------------------------------------------------------------------------------------------------

    def edit(self, id: str, **values: object) -> None:
        """A person changes fields."""
        self.issues[id] = replace(self.issues[id], updated_at=self._tick(), **values)  # type: ignore[arg-type]

    def add(self, issue: Issue) -> None:
        self.issues[issue.id] = replace(issue, tracker=Tracker.JIRA, updated_at=self._tick())

    def delete(self, id: str) -> None:
        del self.issues[id]

    def own_comments(self, id: str) -> list[Comment]:
        return [comment for comment in self.issues[id].comments if comment.is_own]

    def _tick(self) -> datetime:
        return datetime(2026, 3, 11, tzinfo=UTC) + timedelta(seconds=next(self._ticks))

    # -- the contract --------------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        return ()

    def discover(self) -> SourceFacts:
        return SourceFacts()

    def scopes(self) -> Sequence[str]:
        return ("DEMO",)

    def reference(self) -> Reference:
        self._call()
        return Reference(
            statuses=tuple(StatusFact(each.value, each.value, each) for each in CATEGORIES),
            people=(Person(id="mia", name="Mia", is_active=True), Person(id=OWN, name="Bot", is_bot=True)),
            sprints=tuple(
                {each.sprint.id: each.sprint for issue in self.issues.values() for each in issue.sprints}.values()
            ),
            own_account=OWN,
            mapping=self.mapping,
        )

    def stored(self, facts: bytes, *, now: datetime) -> StoredMapping:
        raise NotImplementedError("it gives no facts, so nobody asks")

    def people_seen(self) -> Sequence[Person]:
        return ()

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        since = datetime.fromisoformat(json.loads(cursor)["since"]) if cursor else None
        listed = [issue for issue in self.issues.values() if issue.id not in self.archived]
        found = sorted(listed, key=lambda issue: (issue.updated_at, issue.id))
        wanted = [issue for issue in found if since is None or (issue.updated_at and issue.updated_at >= since)]
        pages = [wanted[start : start + self.page_size] for start in range(0, len(wanted), self.page_size)] or [[]]
        for number, page in enumerate(pages):
            self._call()
            if self.down_after_pages is not None and number >= self.down_after_pages:
                raise TrackerDown("demo: no answer in time")
            last = page[-1].updated_at if page else since
            yield Page(
                issues=tuple(Pulled(issue, issue.id.encode()) for issue in page if issue.id not in self.unreadable),
                quarantined=tuple(
                    Quarantined(
                        id=issue.id,
                        issue=f"DEMO-{issue.id}",
                        path=self.unreadable[issue.id],
                        reason="no title",
                        raw=b"{}",
                    )
                    for issue in page
                    if issue.id in self.unreadable
                ),
                cursor=json.dumps({"since": last.isoformat()})
                if last
                else cursor or '{"since": "2020-01-01T00:00:00+00:00"}',
                expected=len(wanted),
                is_last=number == len(pages) - 1,
            )

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        self._call()
        self.censuses += 1
        yield sorted(self.issues.keys() - self.archived)

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        self._call()
        self.fetched += ids
        there = [id for id in ids if id in self.issues and id not in self.unreadable]
        yield Page(issues=tuple(Pulled(self.issues[id], id.encode()) for id in there), cursor="")

    def locate(self, issue: Issue) -> Whereabouts:
        self.located.append(issue.id)
        if issue.id in self.archived & self.issues.keys():
            return Whereabouts.ARCHIVED
        return Whereabouts.PRESENT if issue.id in self.issues else Whereabouts.DELETED

    def read(self, issue: Issue) -> Issue:
        self._call()
        if issue.id not in self.issues:
            raise NotFound(f"demo: issue {issue.key} is gone", status=404)
        return self.issues[issue.id]

    def add_label(self, issue: Issue, label: str) -> None:
        self._write(issue, f"+{label}", labels=self.read(issue).labels | {label})

    def remove_label(self, issue: Issue, label: str) -> None:
        self._write(issue, f"-{label}", labels=self.read(issue).labels - {label})

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        return [comment for comment in self.read(issue).comments if comment.is_own]

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        comment = Comment(id=f"own{next(self._ids)}", at=self._tick(), author=OWN, body=body, is_bot=True, is_own=True)
        self._write(issue, "comment", comments=(*self.read(issue).comments, comment))
        return comment

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        changed = replace(comment, body=body)
        others = tuple(changed if each.id == comment.id else each for each in self.read(issue).comments)
        self._write(issue, "edit", comments=others)
        return changed

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        kept = tuple(each for each in self.read(issue).comments if each.id != comment.id)
        self._write(issue, "delete", comments=kept)

    def close(self) -> None:
        pass

    def _call(self) -> None:
        self.usage.count(100)
        if self.down is not None:
            raise self.down

    def _write(self, issue: Issue, what: str, **values: object) -> None:
        self.writes.append(f"{issue.id} {what}")
        self.issues[issue.id] = replace(self.issues[issue.id], updated_at=self._tick(), **values)  # type: ignore[arg-type]
        if self.lose_next:
            self.lose_next = False
            raise TrackerDown("demo: the connection broke before the answer was complete")


def statuses_as(category: StatusCategory) -> Status:
    return Status(category.value, category.value, category)
