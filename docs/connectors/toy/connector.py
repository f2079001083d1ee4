"""The calls to the toy tracker. What is sent, how often and when is decided by the shared HTTP layer."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Raw
from pydantic import SecretStr

from backlint.connectors.contract import (
    Capabilities,
    Check,
    Level,
    Page,
    Pulled,
    Quarantined,
    Reference,
    SourceFacts,
    Usage,
    Whereabouts,
)
from backlint.connectors.http import Throttled, TrackerHttp, decode, refused, require_json
from backlint.connectors.tokens import GivenToken
from backlint.connectors.visible import visible
from backlint.errors import MalformedPayload, NotFound, StoreError, TokenRefused
from backlint.model import Comment, Issue, IssueType, Person, Tracker

from . import mapping
from .mapping import Account, Facts, Named, Payload, Said, Site
from .webhook import ToyHooks

T = TypeVar("T")
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ToySettings:
    """A real connector takes `SourceSettings`; these are spelled out so that the toy needs no place in the core."""

    name: str
    url: str
    scope: tuple[str, ...]
    types: Mapping[str, IssueType] = field(default_factory=dict)
    timeout: float = 30.0


class _Cursor(msgspec.Struct, frozen=True):
    revision: int


class _Changed(msgspec.Struct, frozen=True):
    """A page of the feed; `revision` is that of its last issue."""

    issues: tuple[Raw, ...]
    revision: int
    total: int
    more: bool


class ToyConnector:
    """Each method does one thing of the contract (`backlint.connectors.contract`), whose docstrings are the rules."""

    tracker = Tracker.FILE
    capabilities = Capabilities(estimates=True, priorities=True)

    def __init__(self, settings: ToySettings, token: SecretStr, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name, self._settings = settings.name, settings
        self.usage = Usage()
        self._http = TrackerHttp(
            base_url=settings.url,
            headers={},
            auth=GivenToken(token.get_secret_value()),
            read=self._read,
            usage=self.usage,
            source=settings.name,
            timeout=settings.timeout,
            rate=1000.0,
            sleep=sleep,
        )
        self._known: Facts | None = None

    def close(self) -> None:
        self._http.close()

    def _read(self, response: httpx.Response) -> Throttled | None:
        """How this tracker says no. What means the same everywhere, `refused` knows."""
        if response.status_code == 429:
            after = response.headers.get("retry-after", "")
            return Throttled(timedelta(seconds=int(after)) if after.isdigit() else None)
        if response.status_code == 404:
            raise NotFound(f"{self.name}: {response.request.url.path} is not there, or not for us to see", status=404)
        if response.status_code >= 400:
            raise refused(response, source=self.name, detail="", needs="the role reader, or writer to write back")
        require_json(response, source=self.name)
        decode(response.content, Raw, source=self.name)  # an answer that was cut off is asked for again
        return None

    def _get(self, path: str, kind: type[T], **params: Any) -> T:
        answer = self._http.request("GET", path, may_repeat=True, params=params or None)
        return decode(answer.content, kind, source=self.name)

    # -- what there is ---------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        try:
            me = self._facts(fresh=True).me
        except TokenRefused as error:
            return (Check("token", Level.BAD, str(error), "make a new one in the toy's settings, role reader"),)
        checks = [Check("token", Level.GOOD, f"belongs to {me.name}")]
        for scope in self._settings.scope:
            try:
                self._project(scope)
            except NotFound as error:
                checks.append(Check(f"project {scope}", Level.BAD, str(error), "correct the key, or share the project"))
            else:
                checks.append(Check(f"project {scope}", Level.GOOD, "can be read"))
        return checks

    def discover(self) -> SourceFacts:
        site = self._site()
        projects = self._get("/projects", tuple[Named, ...])
        return SourceFacts(
            scopes=tuple((each.id, each.name) for each in projects),
            statuses=site.statuses.facts,
            types=tuple(kind.value for kind in IssueType),
        )

    def scopes(self) -> Sequence[str]:
        return tuple(visible(self._settings.scope, self._project))

    def reference(self) -> Reference:
        facts = self._facts(fresh=True)
        projects = [each for each in visible(self._settings.scope, self._project).values() if each is not None]
        types = sorted((name, kind.value) for name, kind in self._settings.types.items())
        return Reference(
            statuses=self._site().statuses.facts,
            people=tuple(map(mapping.person_from, facts.people)),
            projects=tuple(mapping.project_from(each, self.name) for each in projects),
            own_account=facts.me.id,
            account_name=facts.me.name,
            facts=msgspec.json.encode(facts),
            mapping=hashlib.sha256(json.dumps(types).encode()).hexdigest(),
        )

    def _facts(self, *, fresh: bool = False) -> Facts:
        if self._known is None or fresh:
            self._known = Facts(
                me=self._get("/me", Account),
                statuses=self._get("/statuses", tuple[Named, ...]),
                people=self._get("/people", tuple[Account, ...]),
            )
        return self._known

    def _site(self) -> Site:
        return Site(self.name, self._facts(), self._settings.types)

    def _project(self, key: str) -> Named:
        try:
            return self._get(f"/projects/{quote(key, safe='')}", Named)
        except NotFound:
            raise NotFound(f"{self.name}: no project {key!r} is visible to this account", status=404) from None

    def people_seen(self) -> Sequence[Person]:
        return ()  # this tracker lists everybody

    # -- pulling ---------------------------------------------------------------------------------------------------

    def stored(self, facts: bytes, *, now: datetime) -> Callable[[bytes], Issue]:
        site = Site(self.name, mapping.read_facts(facts, source=self.name), self._settings.types)
        return lambda raw: mapping.issue_from(raw, site)

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        """The tracker numbers every change, so the place in its feed is one number: a first pull begins at 0."""
        at = self._position(cursor)
        project = self._project(scope).id
        while True:
            page = self._get(f"/projects/{project}/changed", _Changed, after=at, limit=PAGE)
            at = page.revision
            issues, quarantined = self._mapped(page.issues)
            yield Page(
                issues=issues,
                quarantined=quarantined,
                cursor=msgspec.json.encode(_Cursor(at)).decode(),
                expected=page.total,
                is_last=not page.more,
            )
            if not page.more:
                return

    def _position(self, cursor: str | None) -> int:
        try:
            return 0 if cursor is None else msgspec.json.decode(cursor, type=_Cursor).revision
        except msgspec.DecodeError:
            raise StoreError(f"{self.name}: the saved position cannot be read; run `backlint pull --full`") from None

    def _mapped(self, payloads: Sequence[Raw]) -> tuple[tuple[Pulled, ...], tuple[Quarantined, ...]]:
        """One issue that cannot be read is set aside with the reason; the others go on."""
        site, done, aside = self._site(), [], []
        for raw in map(bytes, payloads):
            try:
                done.append(Pulled(mapping.issue_from(raw, site), raw))
            except MalformedPayload as error:
                id = mapping.id_in(raw)
                aside.append(Quarantined(id=id, issue=error.issue, path=error.path, reason=str(error), raw=raw))
        return tuple(done), tuple(aside)

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        yield self._get(f"/projects/{self._project(scope).id}/ids", tuple[str, ...])

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        for answer in self._http.in_parallel(self._whole_if_there, ids):
            if answer is not None:
                issues, quarantined = self._mapped([Raw(answer)])
                yield Page(issues=issues, quarantined=quarantined, cursor="")

    def _whole_if_there(self, id: str) -> bytes | None:
        try:
            return self._whole(id)
        except NotFound:
            return None

    def _whole(self, id: str) -> bytes:
        return self._http.request("GET", f"/issues/{id}", may_repeat=True).content

    def locate(self, issue: Issue) -> Whereabouts:
        try:
            found = decode(self._whole(issue.id), Payload, issue=issue.key, source=self.name)
        except NotFound:
            return Whereabouts.DELETED
        return Whereabouts.PRESENT if found.project in self._settings.scope else Whereabouts.MOVED

    def read(self, issue: Issue) -> Issue:
        return mapping.issue_from(self._whole(issue.id), self._site())

    # -- writing ---------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        self._http.request("PUT", f"/issues/{issue.id}/labels/{quote(label, safe='')}", may_repeat=True)

    def remove_label(self, issue: Issue, label: str) -> None:
        self._http.request("DELETE", f"/issues/{issue.id}/labels/{quote(label, safe='')}", may_repeat=True)

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        return [each for each in self.read(issue).comments if each.is_own]

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        """Not repeated after a lost answer: the caller looks first whether it is there."""
        sent = {"body": mapping.marked(body)}
        answer = self._http.request("POST", f"/issues/{issue.id}/comments", may_repeat=False, json=sent)
        return self._comment(answer)

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        sent = {"body": mapping.marked(body)}
        path = f"/issues/{issue.id}/comments/{comment.id}"
        return self._comment(self._http.request("PUT", path, may_repeat=True, json=sent))

    def _comment(self, answer: httpx.Response) -> Comment:
        return mapping.comment_from(decode(answer.content, Said, source=self.name), self._site())

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        self._http.request("DELETE", f"/issues/{issue.id}/comments/{comment.id}", may_repeat=True)

    # -- webhooks --------------------------------------------------------------------------------------------------

    def registrar(self) -> ToyHooks:
        return ToyHooks(self._http, self._settings.scope)
