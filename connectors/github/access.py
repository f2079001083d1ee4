"""How GitHub is reached and how it says no: addresses, app tokens, limits and refusals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backlint.connectors.graphql import Answer, Problem
from backlint.connectors.http import Budget, Throttled, decode, refused, require_json, served_at
from backlint.errors import (
    ConfigurationError,
    MalformedPayload,
    NotFound,
    PermissionMissing,
    TokenRefused,
    TrackerDown,
    TrackerError,
)

API_VERSION = "2022-11-28"
# After a secondary limit that names no time: at least a minute, then longer (GitHub, "Best practices").
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=16)
RENEW_BEFORE = timedelta(minutes=5)  # an installation token lives one hour
READ_NEEDS = "read access to Issues and Metadata (classic tokens: repo, or public_repo)"
WRITE_NEEDS = "write access to Issues (classic tokens: repo, or public_repo)"
# Error types of GraphQL answers (none is in the official reference; all are widely seen) [unverified].
LIMIT_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
GONE_TYPES = frozenset({"NOT_FOUND"})
HEAVY_TYPES = frozenset({"RESOURCE_LIMITS_EXCEEDED"})
UNFINISHED = "Something went wrong while executing your query"
FORBIDDEN_TYPES = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})


def graphql_url(base_url: str) -> str:
    """Beside the REST API: `/graphql`; on Enterprise Server REST lies under /api/v3 and GraphQL under /api/graphql."""
    if base_url.endswith("/api/v3"):
        return base_url.removesuffix("/v3") + "/graphql"
    return f"{base_url}/graphql"


def is_hosted(base_url: str) -> bool:
    """Whether GitHub runs it: there the published limits hold, on Enterprise Server they are off by default."""
    host = httpx.URL(base_url).host
    return host == "api.github.com" or host.endswith(".ghe.com")


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    message: str = ""
    errors: tuple[Any, ...] = ()


class _Problems(msgspec.Struct, frozen=True, kw_only=True):
    errors: tuple[Problem, ...] = ()
    data: msgspec.Raw = msgspec.Raw(b"null")


class AnswerReader:
    """Tells good answers from limits and refusals; counts the secondary limits that name no time.

    `skew` is how far the server's clock is ahead of this machine's, by the last answer that carried a date.
    """

    def __init__(self, source: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._source, self._clock = source, clock
        self._unnamed = 0
        self.skew: timedelta | None = None

    def __call__(self, response: httpx.Response) -> Throttled | None:
        status = response.status_code
        theirs = served_at(response.headers)
        if theirs is not None:
            self.skew = theirs - self._clock()
        if status < 400:
            return self._good(response)
        detail = detail_of(response)
        limit = self._limit(response, detail)
        if limit is not None:
            return limit
        raise self._refused(response, detail)

    def _good(self, response: httpx.Response) -> Throttled | None:
        if response.status_code >= 300 or not response.content:
            return None  # moved, unchanged, or done
        require_json(response, source=self._source)
        problems, has_data = problems_in(response, source=self._source)
        if not has_data and any(problem.message.startswith(UNFINISHED) for problem in problems):
            raise TrackerDown(f"{self._source}: GitHub did not finish the query", status=response.status_code)
        if any(problem.type in LIMIT_TYPES for problem in problems):
            return Throttled(self._until_reset(response) or self._longer(), reason="GraphQL rate limit")
        self._unnamed = 0
        return None

    def _limit(self, response: httpx.Response, detail: str) -> Throttled | None:
        """A 403 may be a limit: the headers and the words tell (GitHub, "Rate limits")."""
        if response.status_code not in (403, 429):
            return None
        retry_after = response.headers.get("retry-after", "")
        if retry_after.isdigit():
            return Throttled(timedelta(seconds=int(retry_after)), reason="secondary rate limit")
        if response.headers.get("x-ratelimit-remaining") == "0":
            return Throttled(self._until_reset(response) or FIRST_PAUSE, reason="rate limit")
        if response.status_code == 429 or "rate limit" in detail.casefold():
            return Throttled(self._longer(), reason="secondary rate limit")
        return None

    def _until_reset(self, response: httpx.Response) -> timedelta | None:
        """Until the moment the header names, by the server's own clock; a second more, since both are whole seconds."""
        reset = response.headers.get("x-ratelimit-reset", "")
        if not reset.isdigit() or response.headers.get("x-ratelimit-remaining") not in ("0", None):
            return None
        now = served_at(response.headers) or self._clock()
        return max(timedelta(seconds=1), datetime.fromtimestamp(int(reset), UTC) - now + timedelta(seconds=1))

    def _longer(self) -> timedelta:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << self._unnamed))
        self._unnamed += 1
        return pause

    def _refused(self, response: httpx.Response, detail: str) -> TrackerError:
        status = response.status_code
        if status in (404, 410, 451):
            return NotFound(f"{self._source}: {_path(response)} is gone or hidden ({status})", status=status)
        if status == 403:
            return self._forbidden(response, detail)
        needs = READ_NEEDS if response.request.method == "GET" else WRITE_NEEDS
        return refused(response, source=self._source, detail=detail, needs=needs)

    def _forbidden(self, response: httpx.Response, detail: str) -> TrackerError:
        if "x-github-sso" in response.headers:
            return PermissionMissing(
                f"{self._source}: the organisation requires single sign-on (403); authorise the token for it in the "
                "token settings",
                status=403,
            )
        named = response.headers.get("x-accepted-github-permissions") or response.headers.get("x-accepted-oauth-scopes")
        fallback = READ_NEEDS if response.request.method == "GET" else WRITE_NEEDS
        return refused(response, source=self._source, detail=detail, needs=named or fallback)


def budget(response: httpx.Response) -> Budget | None:
    """Of the requests, or the points of GraphQL, in this hour."""
    named = [response.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(text.isdigit() for text in named):
        return None
    limit, remaining, reset = map(int, named)
    now = served_at(response.headers) or datetime.now(UTC)
    return Budget(limit, remaining, max(timedelta(0), datetime.fromtimestamp(reset, UTC) - now))


def problems_in(response: httpx.Response, *, source: str) -> tuple[Sequence[Problem], bool]:
    """The `errors` of a GraphQL answer, and whether it has data. Reading it all shows an answer that was cut off."""
    if not response.request.url.path.endswith("/graphql"):
        decode(response.content, msgspec.Raw, source=source)
        return (), True
    try:
        read = decode(response.content, _Problems, source=source)
    except MalformedPayload:  # whoever asked knows the shape, and names the path
        return (), True
    return read.errors, bytes(read.data) != b"null"


def detail_of(response: httpx.Response) -> str:
    """What GitHub says went wrong: the message, and for a 422 the fields."""
    if "json" not in response.headers.get("content-type", ""):
        return ""
    try:
        said = msgspec.json.decode(response.content, type=_Refusal)
    except msgspec.MsgspecError:
        return ""
    return "; ".join([said.message, *map(_error_text, said.errors)]).strip("; ")


def _error_text(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return " ".join(str(error[key]) for key in ("resource", "field", "code", "message") if error.get(key))


def is_gone(problems: Sequence[Problem]) -> bool:
    return any(problem.type in GONE_TYPES for problem in problems)


def is_too_heavy(problems: Sequence[Problem]) -> bool:
    return any(problem.type in HEAVY_TYPES or problem.message.startswith(UNFINISHED) for problem in problems)


def is_forbidden(problems: Sequence[Problem]) -> bool:
    return any(problem.type in FORBIDDEN_TYPES for problem in problems)


def words(answer: Answer) -> str:
    return "; ".join(dict.fromkeys(problem.message for problem in answer.problems)) or "no data and no reason"


def _path(response: httpx.Response) -> str:
    return response.request.url.path


class AppToken(httpx.Auth):
    """A GitHub App's installation token: made with a signed JWT, renewed before its hour is over and once on a 401."""

    requires_response_body = True

    def __init__(
        self,
        *,
        source: str,
        base_url: str,
        app_id: str,
        installation_id: str,
        private_key: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source, self._base_url, self._clock = source, base_url, clock
        self._app_id, self._installation_id = app_id, installation_id
        self._key = _private_key(private_key, source)
        self._lock = threading.Lock()
        self._token, self._expires = "", 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if "authorization" in request.headers:
            yield request  # made as the app itself
            return
        token = yield from self._current()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            response.read()
            token = yield from self._renewed(instead_of=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def jwt(self) -> str:
        """For the few calls that are made as the app itself. Back-dated a minute, because clocks differ."""
        now = int(self._clock())
        claims = {"iat": now - 60, "exp": now + 540, "iss": self._app_id}
        return jwt.encode(claims, self._key, algorithm="RS256")

    def _current(self) -> Generator[httpx.Request, httpx.Response, str]:
        if self._token and self._clock() < self._expires - RENEW_BEFORE.total_seconds():
            return self._token
        return (yield from self._renewed(instead_of=self._token))

    def _renewed(self, *, instead_of: str) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            if self._token != instead_of:
                return self._token  # another thread was quicker
            url = f"{self._base_url}/app/installations/{self._installation_id}/access_tokens"
            response = yield httpx.Request("POST", url, headers=self._headers())
            response.read()
            if response.status_code != 201:
                raise self._no_token(response)
            made = response.json()
            self._token = made["token"]
            self._expires = datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00")).timestamp()
            return self._token

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.jwt()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "backlint",
        }

    def _no_token(self, response: httpx.Response) -> TrackerError:
        status, detail = response.status_code, detail_of(response)
        if status >= 500 or status == 429:
            return TrackerDown(f"{self._source}: no installation token ({status})", status=status)
        return TokenRefused(
            f"{self._source}: GitHub gives the app no token ({status}): {detail}; check app_id, installation_id, "
            "private_key_env and the clock of this machine",
            status=status,
        )


def _private_key(pem: str, source: str) -> rsa.RSAPrivateKey:
    """Environment variables often carry the line breaks as two characters."""
    text = pem.replace("\\n", "\n").strip() + "\n"
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"source {source!r}: private_key_env holds no PEM key: {type(error).__name__}"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError(f"source {source!r}: private_key_env holds no RSA key, which GitHub Apps sign with")
    return key
