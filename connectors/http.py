"""The one place that sends requests to trackers: limits, waits, retries, counts, and turns refusals into our errors.

A connector says what to call and how its tracker announces limits; how often, and when, is decided here.
"""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

import httpx
import msgspec
import tenacity

from backlint import __version__
from backlint.connectors.contract import Usage
from backlint.errors import (
    ConfigurationError,
    MalformedPayload,
    PermissionMissing,
    RequestRefused,
    TokenRefused,
    TrackerDown,
    TrackerError,
)

T = TypeVar("T")
R = TypeVar("R")

ATTEMPTS = 5
FIRST_WAIT = 1.0  # seconds; doubled with jitter up to LONGEST_WAIT
LONGEST_WAIT = 30.0
SLOWER = 1.0  # seconds between requests when the share of people is reached and no reset is told


@dataclass(frozen=True, slots=True)
class Throttled:
    """The tracker said "not now". `for_all` stops every request of the source, not just this one."""

    after: timedelta | None
    for_all: bool = True
    reason: str = "rate limit"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a good answer says is left of a limit, and in how long it is whole again (None: it does not say)."""

    limit: float
    remaining: float
    reset_in: timedelta | None = None

    def leaves(self, share: float) -> bool:
        """Whether more than that share of the limit is left."""
        return self.remaining > self.limit * share


class Reader(Protocol):
    """How a tracker says no: None when the answer is good, Throttled to wait, or raises a TrackerError."""

    def __call__(self, response: httpx.Response) -> Throttled | None: ...


class Gate:
    """Lets requests of one source through: at most `rate` a second, and none before a moment the tracker named."""

    def __init__(self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval = 1.0 / rate
        self._clock, self._sleep = clock, sleep
        self._next = 0.0
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def pass_through(self) -> float:
        """Wait for a turn; returns the seconds that the tracker's own limit cost."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next, self._closed_until)
            forced = max(0.0, self._closed_until - max(now, self._next))
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
        return forced

    def closed_for(self) -> float:
        with self._lock:
            return max(0.0, self._closed_until - self._clock())

    def close_for(self, seconds: float) -> None:
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)


class TrackerHttp:
    """A client for one source. Thread-safe; `read` decides what an answer means for this tracker."""

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        read: Reader,
        usage: Usage,
        source: str,
        auth: httpx.Auth | tuple[str, str] | None = None,
        timeout: float = 30.0,
        rate: float = 20.0,
        concurrency: int = 6,
        max_wait: float = 300.0,
        proxy: str = "",
        ca_file: str = "",
        budget: Callable[[httpx.Response], Budget | None] = lambda _response: None,
        people_share: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.source = source
        self.concurrency = concurrency
        self._usage, self._read, self._max_wait, self._jitter, self._sleep = usage, read, max_wait, jitter, sleep
        self._budget, self._people_share = budget, people_share
        self._gate = Gate(rate, clock=clock, sleep=sleep)
        self._under_way = threading.BoundedSemaphore(concurrency)  # however many lists are read side by side
        self._clients = _Clients(
            lambda tls: httpx.Client(
                base_url=base_url,
                headers={"User-Agent": f"backlint/{__version__}", "Accept": "application/json", **headers},
                auth=auth,
                timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
                follow_redirects=False,
                verify=tls,
                proxy=proxy if proxy not in ("", "off") else None,
                trust_env=proxy != "off",
            ),
            ca_file,
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        may_repeat: bool,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send, waiting and repeating as the tracker allows.

        `may_repeat` False sends once after the tracker's limits are obeyed: a lost answer then rises as TrackerDown and
        the caller looks at what happened before trying again. A refusal with 429 was not carried out, so it is
        repeated in any case. Raises TrackerError subclasses; never a bare httpx error.
        """

        def once() -> httpx.Response:
            self._keep_off()
            self._usage.wait(self._gate.pass_through())
            return self._answer(method, url, params=params, json=json, headers=headers)

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            retry=tenacity.retry_if_exception(lambda error: self._is_worth_repeating(error, may_repeat)),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(once)

    def _answer(self, method: str, url: str, **rest: Any) -> httpx.Response:
        with self._under_way, self._clients.lent() as client:
            try:
                response = client.request(method, url, **{k: v for k, v in rest.items() if v is not None})
            except httpx.TransportError as error:
                self._usage.count(0)
                raise TrackerDown(f"{self.source}: {_plain(error)} ({_host(client)})") from error
        self._usage.count(len(response.content))
        throttled = self._read(response)
        if throttled is not None:
            raise self._throttle(throttled, response.status_code)
        budget = self._budget(response)
        if budget is not None and not budget.leaves(self._people_share):
            self._gate.close_for(SLOWER if budget.reset_in is None else budget.reset_in.total_seconds())
        return response

    def _keep_off(self) -> None:
        """What is left of the limit belongs to people; a wait that is too long ends the run instead."""
        seconds = self._gate.closed_for()
        if seconds > self._max_wait:
            raise _Limited(
                f"{self.source}: what is left of the rate limit is left for people (people_share), free again in "
                f"{seconds:.0f} s",
                retry_after=timedelta(seconds=seconds),
            )

    def _throttle(self, throttled: Throttled, status: int) -> TrackerDown:
        if throttled.for_all and throttled.after is not None:
            self._gate.close_for(min(throttled.after.total_seconds(), self._max_wait + 1))
        return _Limited(
            f"{self.source}: {throttled.reason}"
            + (f", free again in {_seconds(throttled.after)}" if throttled.after else ""),
            status=status,
            retry_after=throttled.after,
        )

    def _is_worth_repeating(self, error: BaseException, may_repeat: bool) -> bool:
        if isinstance(error, _Limited):
            return error.retry_after is None or error.retry_after.total_seconds() <= self._max_wait
        return isinstance(error, TrackerDown) and may_repeat

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """What the tracker asked for, else exponential back-off; jitter only ever adds to what was asked."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TrackerDown) and error.retry_after is not None:
            asked = error.retry_after.total_seconds()
            self._usage.wait(asked)
            return asked + self._jitter() * min(1.0, asked)
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (state.attempt_number - 1)) * (0.7 + 0.6 * self._jitter())

    def in_parallel(self, call: Callable[[T], R], arguments: Iterable[T], *, ahead: int | None = None) -> Iterator[R]:
        """`call` over the arguments in threads, results in the order of the arguments, at most `ahead` under way.

        The first error cancels what has not begun and rises.
        """
        limit = ahead or self.concurrency * 2
        pending: list[Future[R]] = []
        source = iter(arguments)
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix=f"pull-{self.source}") as pool:
            try:
                for argument in source:
                    pending.append(pool.submit(call, argument))
                    if len(pending) >= limit:
                        yield pending.pop(0).result()
                while pending:
                    yield pending.pop(0).result()
            finally:
                for future in pending:
                    future.cancel()

    def side_by_side(self, one: Callable[[], T], other: Callable[[], R]) -> tuple[T, R]:
        """What two calls give that do not need each other."""
        with ThreadPoolExecutor(1, thread_name_prefix=f"pull-{self.source}") as pool:
            beside = pool.submit(other)
            return one(), beside.result()

    def close(self) -> None:
        self._clients.close()


class _Clients:
    """A client for each request under way, given back with its connection open for the next one.

    One client for all threads loses answers: its connection pool (httpcore 1.0.9) asks whether a connection is idle and
    then whether it is readable; if another thread sends and is answered in between, the connection counts as ended and
    is closed under that thread, which then waits for its time-out.
    """

    def __init__(self, make: Callable[[ssl.SSLContext], httpx.Client], ca_file: str) -> None:
        self._make, self._ca_file = make, ca_file
        self._idle: deque[httpx.Client] = deque()
        self._tls: ssl.SSLContext | None = None  # loading the certificates takes longer than a request

    @contextmanager
    def lent(self) -> Iterator[httpx.Client]:
        try:
            client = self._idle.pop()
        except IndexError:
            self._tls = self._tls or tls_context(self._ca_file)
            client = self._make(self._tls)
        try:
            yield client
        finally:
            self._idle.append(client)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Trusts the usual authorities (or those of SSL_CERT_FILE in the environment) and those of a file."""
    context = httpx.create_ssl_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except ssl.SSLError:
            raise ConfigurationError(f"network.ca_file: {ca_file} holds no certificates in PEM form") from None
        except OSError as error:
            raise ConfigurationError(f"network.ca_file: cannot read {ca_file}: {error.strerror}") from None
    return context


class _Limited(TrackerDown):
    """The tracker refused because of a limit: nothing was carried out, so even a write may be sent again."""


def decode(body: bytes, kind: type[T], *, issue: str = "?", source: str = "") -> T:
    """JSON into a typed struct; MalformedPayload names the issue and the path of the bad field."""
    try:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.json.decode(mended(body), type=kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        raise MalformedPayload(f"{source} issue {issue}: {message}", issue=issue, path=path.strip("`") or "$") from None
    except msgspec.DecodeError as error:
        raise TrackerDown(f"{source}: the answer is no complete JSON: {error}") from None


def mended(body: bytes) -> bytes:
    """The JSON with what is no character replaced: half of a surrogate pair (an emoji cut in two), bytes of no UTF-8.

    One such text in one issue would otherwise make a whole page unreadable, for ever.
    """
    return _ESCAPE.sub(_whole_escape, body.decode("utf-8", "replace").encode())


# Every escape is consumed, so that a backslash before it, itself escaped, is not taken for its beginning.
_ESCAPE = re.compile(rb"\\(?:u([dD][89abAB]..)(\\u[dD][c-fC-F]..)?|u([dD][c-fC-F]..)|.)", re.DOTALL)


def _whole_escape(found: re.Match[bytes]) -> bytes:
    is_half = (found[1] is not None and found[2] is None) or found[3] is not None
    return rb"\ufffd" if is_half else found[0]


def refused(response: httpx.Response, *, source: str, detail: str, needs: str = "") -> TrackerError:
    """The error for a refusing status that means the same in every tracker; `needs` names the rights it takes."""
    status = response.status_code
    detail = detail.rstrip(". ")
    said = f"{source}: the tracker answered {status}" + (f": {detail}" if detail else "")
    if status == 401:
        because = f": {detail}" if detail else ""
        rights = f" with {needs}" if needs else ""
        return TokenRefused(
            f"{source}: the tracker refused the token (401){because}; make a new one{rights}", status=401
        )
    if status == 403:
        return PermissionMissing(said + (f"; the token needs {needs}" if needs else ""), status=status)
    if status >= 500:
        return TrackerDown(said, status=status)
    return RequestRefused(said, status=status)


def served_at(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock, to the second. None where a proxy leaves the header out, doubles it, or spoils it."""
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo else None


def require_json(response: httpx.Response, *, source: str) -> None:
    """HTML from a proxy, a login page or maintenance is an outage, not data."""
    kind = response.headers.get("content-type", "")
    if response.content and "json" not in kind:
        got = kind or "an untyped answer"
        raise TrackerDown(
            f"{source}: expected JSON and got {got} ({response.status_code}): a proxy, a login page or maintenance; "
            "check the url",
            status=response.status_code,
        )


def _plain(error: httpx.TransportError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            "the server's certificate comes from no authority that is trusted here: name the authority's in "
            "network.ca_file"
        )
    names = {
        httpx.ProxyError: "the proxy refused: check network.proxy, or HTTPS_PROXY and NO_PROXY of the environment",
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.ConnectError: "cannot connect",
        httpx.RemoteProtocolError: "the connection broke before the answer was complete",
        httpx.ReadError: "the connection broke while reading",
    }
    return names.get(type(error), type(error).__name__)


def _host(client: httpx.Client) -> str:
    return f"{client.base_url.host}:{client.base_url.port}" if client.base_url.port else client.base_url.host


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
