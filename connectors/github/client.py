"""GitHub's two APIs as plain calls: REST with redirects and page links, GraphQL in batches that shrink."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock, local
from typing import Any, TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from backlint.connectors.contract import Usage
from backlint.connectors.github import queries
from backlint.connectors.github.access import (
    API_VERSION,
    AnswerReader,
    AppToken,
    budget,
    graphql_url,
    is_forbidden,
    is_gone,
    is_hosted,
    is_too_heavy,
    words,
)
from backlint.connectors.github.queries import Schema
from backlint.connectors.graphql import Answer, Problem, ask, data
from backlint.connectors.http import TrackerHttp, decode
from backlint.connectors.paging import Bookmarks
from backlint.connectors.tokens import GivenToken, given_token
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TrackerDown
from backlint.settings import SourceSettings, secret

T = TypeVar("T")

MOVED_FOR_GOOD = frozenset({301, 302})
MOVED_SAME_METHOD = frozenset({307, 308})
MOST_HOPS = 3
# GitHub allows 60 s of GraphQL time in a minute, for which the response time is a rough estimate ("Rate limits").
GRAPHQL_SECONDS, WINDOW = 45.0, 60.0
REST_RATE = 15.0  # 900 points a minute, one for a reading request (GitHub, "Rate limits for the REST API")
WRITE_PAUSE = 1.0  # seconds between writes that GitHub asks for ("Best practices for using the REST API")
# Issues in one GraphQL request. 100 would be allowed; with histories and comments that comes near the ten seconds
# after which GitHub cuts a request off.
BATCH = 50
TOO_HEAVY = frozenset({200, 500, 502, 503, 504})  # 200: GraphQL says in words that it did not finish


class _Nodes(msgspec.Struct, frozen=True, kw_only=True):
    nodes: tuple[msgspec.Raw, ...]


class _Name(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class _FieldName(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    args: tuple[_Name, ...] = ()


class _TypeFields(msgspec.Struct, frozen=True, kw_only=True):
    fields: tuple[_FieldName, ...] = ()


class _Values(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    enum_values: tuple[_Name, ...] = ()


class _Viewer(msgspec.Struct, frozen=True, kw_only=True):
    login: str


class _SchemaData(msgspec.Struct, frozen=True, kw_only=True):
    viewer: _Viewer | None = None
    issue: _TypeFields | None = None
    comment: _TypeFields | None = None
    repository: _TypeFields | None = None
    events: _Values | None = None


class TimeBudget:
    """Keeps the time that GraphQL requests take within what GitHub allows in a minute: short bursts run in parallel,
    long pulls slow down to it. Only what has been answered counts, so the limit leaves room for what is under way."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
        seconds: float = GRAPHQL_SECONDS,
    ) -> None:
        self._sleep, self._clock, self._seconds = sleep, clock, seconds
        self._spent: deque[tuple[float, float]] = deque()  # (when it ended, how long it took)
        self._lock = Lock()
        self._local = local()

    def __enter__(self) -> None:
        wait = self._wait()
        if wait > 0:
            self._sleep(wait)
        self._local.started = self._clock()

    def __exit__(self, *_error: object) -> None:
        now = self._clock()
        with self._lock:
            self._spent.append((now, now - self._local.started))

    def _wait(self) -> float:
        """Until so much of the last minute has passed that the budget is free again."""
        now = self._clock()
        with self._lock:
            while self._spent and self._spent[0][0] <= now - WINDOW:
                self._spent.popleft()
            excess = sum(took for _, took in self._spent) - self._seconds
            for ended, took in self._spent:
                if excess < 0:
                    return 0.0
                excess -= took
                if excess < 0:
                    return ended + WINDOW - now
        return 0.0


class Client:
    """The calls of one source. Thread-safe."""

    def __init__(self, settings: SourceSettings, token: SecretStr, *, usage: Usage, sleep: Callable[[float], None]):
        self.source = settings.name
        self.base_url = settings.base_url
        self.auth = _auth(settings, token)
        self._graphql = graphql_url(self.base_url)
        hosted = is_hosted(self.base_url)
        self._write_pause = WRITE_PAUSE if hosted else 0.0
        self._sleep = sleep
        self._last_write = 0.0
        self._lock = Lock()
        self._schema: tuple[Schema, str] | None = None
        self._batch = BATCH
        self.reader = AnswerReader(settings.name)
        self._budget = TimeBudget(sleep=sleep) if hosted else None
        self.http = TrackerHttp(
            base_url=self.base_url,
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION},
            read=self.reader,
            usage=usage,
            source=settings.name,
            auth=self.auth,
            timeout=settings.timeout,
            rate=min(settings.requests_per_second, REST_RATE) if hosted else settings.requests_per_second,
            concurrency=settings.concurrency,
            max_wait=settings.max_wait,
            budget=budget,
            people_share=settings.people_share,
            proxy=settings.proxy,
            ca_file=settings.ca_file,
            sleep=sleep,
        )

    # -- REST ------------------------------------------------------------------------------------------------------

    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A reading request, followed to wherever the thing has moved: repositories and issues are renamed."""
        response = self.http.request("GET", url, params=params, headers=headers, may_repeat=True)
        for _hop in range(MOST_HOPS):
            if response.status_code not in MOVED_FOR_GOOD | MOVED_SAME_METHOD:
                return response
            response = self.http.request("GET", self.target(response), headers=headers, may_repeat=True)
        raise NotFound(f"{self.source}: {url} leads from one address to the next", status=response.status_code)

    def as_app(self, url: str, auth: AppToken) -> httpx.Response:
        """A reading request as the app itself, which knows its own name."""
        return self.http.request("GET", url, headers={"Authorization": f"Bearer {auth.jwt()}"}, may_repeat=True)

    def get_once(self, url: str) -> httpx.Response:
        """A reading request whose redirect is the answer."""
        return self.http.request("GET", url, may_repeat=True)

    def pages(self, url: str, *, params: Mapping[str, Any] | None = None) -> Iterator[httpx.Response]:
        """Every page of a list. Only the links that GitHub gives are followed: pages cannot be computed."""
        response = self.get(url, params={"per_page": 100, **(params or {})})
        yield response
        bookmarks = Bookmarks(self.source, f"the list {url}")
        while (following := response.links.get("next", {}).get("url")) is not None:
            bookmarks.turn_to(following)
            response = self.get(self._own(following))
            yield response

    def write(self, method: str, url: str, *, json: Any = None, may_repeat: bool = True) -> httpx.Response:
        """A writing request. One that leads elsewhere is not followed, unless GitHub says it is the same thing."""
        self._pace()
        response = self.http.request(method, url, json=json, may_repeat=may_repeat)
        if response.status_code in MOVED_SAME_METHOD:
            response = self.http.request(method, self.target(response), json=json, may_repeat=may_repeat)
        if 300 <= response.status_code < 400:
            raise NotFound(f"{self.source}: {url} has moved elsewhere", status=response.status_code)
        return response

    def target(self, response: httpx.Response) -> str:
        """Where a redirect leads. NotFound without an address, as GitHub has sent for moved issues."""
        location = response.headers.get("location", "")
        if not location:
            raise NotFound(f"{self.source}: {response.request.url.path} has moved, and GitHub does not say where")
        return self._own(str(response.request.url.join(location)))

    def _own(self, url: str) -> str:
        """The token goes to no other host, whatever an answer says."""
        here, there = httpx.URL(self.base_url), httpx.URL(url)
        if there.is_absolute_url and (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise RequestRefused(
                f"{self.source}: an answer leads to {there.scheme}://{there.host}, but url is "
                f"{here.scheme}://{here.host}; set url to the address that the server calls itself"
            )
        return url

    def _pace(self) -> None:
        if not self._write_pause:
            return
        with self._lock:
            wait = self._last_write + self._write_pause - time.monotonic()
            if wait > 0:
                self._sleep(wait)
            self._last_write = time.monotonic()

    # -- GraphQL ---------------------------------------------------------------------------------------------------

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """A reading document; every one of ours may be repeated."""
        if self._budget is None:
            return ask(self.http, self._graphql, document, variables, may_repeat=True)
        with self._budget:
            return ask(self.http, self._graphql, document, variables, may_repeat=True)

    def data(self, document: str, kind: type[T], variables: Mapping[str, Any] | None = None, *, what: str) -> T:
        """The answer as a typed struct. NotFound or PermissionMissing naming `what` where GitHub says so."""
        answered = self.ask(document, variables)
        if is_gone(answered.problems):
            raise NotFound(f"{self.source}: {what} is not there or not visible to this token", status=404)
        if is_forbidden(answered.problems):
            raise PermissionMissing(f"{self.source}: {what}: {words(answered)}", status=403)
        return data(answered, kind, source=self.source)

    def part(self, document: str, kind: type[T], variables: Mapping[str, Any], *, what: str) -> T:
        """The answer as far as there is one: something hidden deep inside does not hide the rest."""
        answered = self.ask(document, variables)
        if not answered.has_data and is_forbidden(answered.problems):
            raise PermissionMissing(f"{self.source}: {what}: {words(answered)}", status=403)
        return data(answered, kind, source=self.source)

    def schema(self) -> Schema:
        return self._hello()[0]

    def viewer(self) -> str:
        """The login behind the token, as GraphQL gives it: `name[bot]` for an app."""
        return self._hello()[1]

    def _hello(self) -> tuple[Schema, str]:
        if self._schema is None:
            found = self.data(queries.SCHEMA, _SchemaData, what="the schema")
            reason = next((f for f in _fields(found.issue) if f.name == "stateReason"), None)
            schema = Schema(
                issue=frozenset(f.name for f in _fields(found.issue)),
                comment=frozenset(f.name for f in _fields(found.comment)),
                repository=frozenset(f.name for f in _fields(found.repository)),
                events=frozenset(value.name for value in (found.events.enum_values if found.events else ())),
                state_reason_arguments=frozenset(each.name for each in (reason.args if reason else ())),
            )
            self._schema = schema, found.viewer.login if found.viewer else ""
        return self._schema

    @property
    def batch(self) -> int:
        return self._batch

    def nodes(self, document: str, ids: Sequence[str]) -> list[bytes | Problem | None]:
        """One entry for each id: its JSON, None if it is gone, or the problem that GitHub had with it alone.

        A batch that GitHub cannot finish in time is halved, and later batches stay that small. An entry that is
        missing for any other reason than being gone is asked for once more by itself: it must not pass for deleted.
        """
        try:
            answered = self.ask(document, {"ids": list(ids)})
        except TrackerDown as error:
            if error.status not in TOO_HEAVY or len(ids) == 1:
                raise
            return self._halves(document, ids)
        if not answered.has_data:
            return self._without_data(document, ids, answered)
        found = decode(bytes(answered.data), _Nodes, source=self.source).nodes
        if len(found) != len(ids):
            raise TrackerDown(f"{self.source}: asked for {len(ids)} issues and got {len(found)}")
        if is_too_heavy(answered.problems) and len(ids) > 1:
            return self._halves(document, ids)
        troubles = _troubles(answered.problems)
        return [
            self._entry(document, id, bytes(raw), troubles.get(n), len(ids))
            for n, (id, raw) in enumerate(zip(ids, found, strict=True))
        ]

    def _entry(self, document: str, id: str, raw: bytes, trouble: Problem | None, asked: int) -> bytes | Problem | None:
        is_there = raw != b"null"
        if is_there and (trouble is None or is_forbidden([trouble])):
            return raw  # if something that it refers to is not for us, the rest is whole
        if trouble is not None and is_gone([trouble]):
            return None
        if asked > 1:
            return self.nodes(document, [id])[0]
        return trouble or Problem(message="no answer and no reason")

    def _halves(self, document: str, ids: Sequence[str]) -> list[bytes | Problem | None]:
        middle = len(ids) // 2
        self._batch = max(1, min(self._batch, middle))
        return [*self.nodes(document, ids[:middle]), *self.nodes(document, ids[middle:])]

    def _without_data(self, document: str, ids: Sequence[str], answered: Answer) -> list[bytes | Problem | None]:
        if is_forbidden(answered.problems):
            raise PermissionMissing(f"{self.source}: {words(answered)}", status=403)
        if len(ids) > 1:
            return self._halves(document, ids)
        return [Problem(message=words(answered))]

    def close(self) -> None:
        self.http.close()


def _troubles(problems: Sequence[Problem]) -> dict[int, Problem]:
    """The worst problem of each entry: being gone counts most, being forbidden least."""
    found: dict[int, Problem] = {}
    for problem in problems:
        path = problem.path or ()
        if len(path) >= 2 and path[0] == "nodes" and isinstance(path[1], int):
            present = found.get(path[1])
            if present is None or (is_forbidden([present]) and not is_forbidden([problem])):
                found[path[1]] = problem
    return found


def _fields(type_: _TypeFields | None) -> tuple[_FieldName, ...]:
    return type_.fields if type_ else ()


def _auth(settings: SourceSettings, token: SecretStr) -> GivenToken | AppToken:
    """As a GitHub App where the settings name one, else with the token."""
    if not settings.app_id:
        return given_token(settings, token)
    given = token.get_secret_value()
    key = given if given.lstrip().startswith("-----BEGIN") else ""
    purpose = f"source {settings.name!r}, private key of the GitHub App"
    return AppToken(
        source=settings.name,
        base_url=settings.base_url,
        app_id=settings.app_id,
        installation_id=settings.installation_id,
        private_key=key or secret(settings.private_key_env, purpose=purpose).get_secret_value(),
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
