"""What every tracker connector offers; nothing outside a tracker's folder asks which tracker it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Lock
from typing import Protocol

from backlint.connectors.hooks import Registrar
from backlint.model import Comment, Issue, Person, Project, Sprint, Tracker
from backlint.status import StatusFact

MARKER = "backlint:comment v=1"  # hidden in the managed comment where the tracker can hide it


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the tracker can do, so that rules and write-back need not know which one it is."""

    changelog: bool = True
    sprints: bool = False
    estimates: bool = False
    priorities: bool = False
    due_dates: bool = False
    started_status: bool = True  # has statuses of its own between open and done
    edit_comment: bool = True
    labels_need_creation: bool = False
    reactions: bool = False  # `managed_comments` tells the thumbs on them
    archive_is_unlisted: bool = False  # no list names archived issues; each can be looked at by its id


@dataclass
class Usage:
    """Requests and bytes of one connector since it was made; shown by `pull` and by the reports."""

    requests: int = 0
    bytes: int = 0
    waited: float = 0.0  # seconds spent waiting because the tracker asked for it
    _lock: Lock = field(default_factory=Lock, repr=False)

    def count(self, received: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += received

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.waited += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The small lists that are read whole in every pull."""

    statuses: tuple[StatusFact, ...] = ()
    people: tuple[Person, ...] = ()
    projects: tuple[Project, ...] = ()
    sprints: tuple[Sprint, ...] = ()
    types: tuple[str, ...] = ()
    own_account: str | None = None  # person id of the token's account
    account_name: str = ""
    facts: bytes = b""  # what mapping a payload takes beyond it, as JSON: kept, so that it can be done again
    mapping: str = ""  # digest of the settings that the payloads are mapped with (`mapping_digest`)
    unread: tuple[str, ...] = ()  # fields that could be mapped and are not in the payloads


@dataclass(frozen=True, slots=True)
class Pulled:
    """An issue with the payload it was made from (JSON text), kept so that a changed mapping needs no new pull."""

    issue: Issue
    raw: bytes


class StoredMapping(Protocol):
    """A stored payload as an issue, by the settings of today and the site's facts of the last pull. Asks nobody."""

    def __call__(self, raw: bytes) -> Issue:
        """The issue that a pull would make of the payload; MalformedPayload names the issue and the path."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An issue whose payload could not be read: reported, kept, and no reason to stop.

    `id` is what the census calls it, as far as the payload tells; `issue` is how people call it. Where the tracker
    itself failed to give it (not `is_given`), the next pull asks again.
    """

    id: str
    issue: str
    path: str
    reason: str
    raw: bytes
    is_given: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some issues and the cursor that continues after them; the two are saved in one transaction.

    `cursor` is opaque text. Given to `pull` after a kill it goes on behind this page; given after the last page
    it starts the next incremental pull. `expected` is the number of issues in this pull, if the tracker says.
    """

    issues: tuple[Pulled, ...]
    cursor: str
    quarantined: tuple[Quarantined, ...] = ()
    expected: int | None = None
    is_last: bool = False


class Whereabouts(StrEnum):
    """What became of an issue that the census did not find."""

    PRESENT = "present"
    ARCHIVED = "archived"
    MOVED = "moved"
    DELETED = "deleted"
    UNREADABLE = "unreadable"


class Level(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `backlint doctor`: what was looked at, what was found, and what to do about it."""

    name: str
    level: Level
    fact: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What `backlint init` asks a tracker: everything a configuration can choose from."""

    scopes: tuple[tuple[str, str], ...] = ()  # (scope, human name)
    statuses: tuple[StatusFact, ...] = ()
    types: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()  # (field id, name) that could be mapped


class Connector(Protocol):
    """One configured source. Every method may raise a `TrackerError`; none retries beyond the shared HTTP layer."""

    name: str
    tracker: Tracker
    capabilities: Capabilities
    usage: Usage

    def diagnose(self) -> Sequence[Check]:
        """Token, permissions and scopes, each with the remedy. Raises only if the tracker cannot be reached."""
        ...

    def discover(self) -> SourceFacts: ...

    def scopes(self) -> Sequence[str]:
        """The configured scopes with wildcards expanded.

        One that cannot be seen is among them, and its pull says NotFound, as this does when none can be seen.
        """
        ...

    def reference(self) -> Reference: ...

    def stored(self, facts: bytes, *, now: datetime) -> StoredMapping:
        """How stored payloads become issues, given the `facts` of a reference. StoreError if those are unreadable."""
        ...

    def people_seen(self) -> Sequence[Person]:
        """Accounts that the issues pulled so far name, as far as `reference` does not list them; asks nothing."""
        ...

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        """Changed issues with whole histories and comments, oldest change first; `cursor` None pulls everything.

        Always yields at least one page; the last one has `is_last`. Quarantines what cannot be mapped.
        """
        ...

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        """The ids of every issue that exists in the scope now; archived ones too, unless the archive is unlisted."""
        ...

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        """Whole issues that the last census named, whenever they changed; their pages' cursors mean nothing.

        Those that are gone meanwhile are left out.
        """
        ...

    def locate(self, issue: Issue) -> Whereabouts:
        """What became of an issue that the census did not find."""
        ...

    def read(self, issue: Issue) -> Issue:
        """The issue as it is now, comments included. NotFound if it is gone."""
        ...

    def add_label(self, issue: Issue, label: str) -> None:
        """Idempotent: a present label is left alone. Creates the label where the tracker needs that."""
        ...

    def remove_label(self, issue: Issue, label: str) -> None:
        """Idempotent: an absent label is no error."""
        ...

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        """Our own marked comments on the issue as they are now, oldest first; normally none or one."""
        ...

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        """Write the managed comment. `body` is Markdown; `key` (a UUID) makes a repeat harmless where the tracker can.

        Never re-sent after a lost answer by the HTTP layer: the caller re-reads `managed_comments` first.
        """
        ...

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment: ...

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        """Idempotent: a comment that is gone is no error."""
        ...

    def registrar(self) -> Registrar:
        """Makes and removes the webhooks that lead to us."""
        ...

    def close(self) -> None: ...
