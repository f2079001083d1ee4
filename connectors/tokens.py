"""Tokens as they go onto requests: given ones, and those of OAuth apps, which are renewed and rotate."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import msgspec
from pydantic import SecretStr

from backlint import __version__
from backlint.errors import ConfigurationError, TokenRefused, TrackerDown
from backlint.settings import SourceSettings, secret, secret_if_set

try:
    import fcntl
except ImportError:  # Windows, where one process at a time has to do
    fcntl = None  # type: ignore[assignment]

RENEW_BEFORE = 60.0  # seconds before its end: clocks differ, and requests take time
Flow = Generator[httpx.Request, httpx.Response, None]
Header = Callable[[str], str]


def bearer(token: str) -> str:
    return f"Bearer {token}"


class GivenToken(httpx.Auth):
    """A token that somebody else made. One from a file is read again when it is refused: it may have been replaced."""

    def __init__(self, token: str, *, header: Header = bearer, again: Callable[[], str] | None = None) -> None:
        self._token, self._header, self._again = token, header, again

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        used = self._token
        request.headers["Authorization"] = self._header(used)
        response = yield request
        if response.status_code == 401 and self._again is not None and (now := self._again()) != used:
            self._token = now
            request.headers["Authorization"] = self._header(now)
            yield request


def given_token(settings: SourceSettings, token: SecretStr, *, header: Header = bearer) -> GivenToken:
    def again() -> str:
        return secret("", file=settings.token_file, purpose=f"token of source {settings.name!r}").get_secret_value()

    return GivenToken(token.get_secret_value(), header=header, again=again if settings.token_file else None)


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the file of an OAuth app holds. `expires_at` in seconds since 1970."""

    refresh_token: str
    access_token: str = ""
    expires_at: float = 0.0
    first: str = ""  # digest of the refresh token from the environment that all of this descends from


class TokenFile:
    """The tokens of one app on disk, readable by its owner alone, changed as a whole or not at all."""

    def __init__(self, path: Path, *, source: str) -> None:
        self.path, self._source = path, source

    def load(self) -> Tokens | None:
        """None if there is no file. ConfigurationError if others may read it, or if it holds no tokens."""
        try:
            mode = self.path.stat().st_mode
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"source {self._source!r}: cannot read {self.path}: {error.strerror}") from None
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                f"source {self._source!r}: others may read {self.path} (mode {mode & 0o777:o}): run chmod 600 on it"
            )
        try:
            return msgspec.json.decode(content, type=Tokens)
        except msgspec.MsgspecError:
            raise ConfigurationError(
                f'source {self._source!r}: {self.path} holds no tokens: write {{"refresh_token": "..."}} into it'
            ) from None

    def save(self, tokens: Tokens) -> None:
        """On disk before it is used: a refresh token serves once, so losing the new one locks the app out."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.draft")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(tokens))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            raise ConfigurationError(f"source {self._source!r}: cannot write {self.path}: {error.strerror}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time renews; the others find what it got."""
        beside = self.path.with_name(f".{self.path.name}.lock")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(f"source {self._source!r}: cannot write {beside}: {error.strerror}") from None
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)  # gives the lock back


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    access_token: str
    refresh_token: str | None = None  # missing where the old one stays good
    expires_in: float = 3600.0


class RenewedToken(httpx.Auth):
    """The access token of an OAuth app: renewed shortly before its end and when it is refused.

    Renewals go through the client that sends the request, so its proxy and certificates hold for them as well.
    """

    requires_response_body = True

    def __init__(
        self,
        settings: SourceSettings,
        *,
        endpoint: str,
        body: Literal["json", "form"],
        clock: Callable[[], float] = time.time,
    ) -> None:
        assert settings.oauth is not None
        self._source, self._oauth, self._clock, self._body = settings.name, settings.oauth, clock, body
        self._endpoint = settings.oauth.url or endpoint
        self._file = TokenFile(Path(settings.oauth.file), source=settings.name)
        self._secret = SecretStr("")
        if settings.oauth.client_secret_env:
            purpose = f"source {settings.name!r}, secret of the OAuth app"
            self._secret = secret(settings.oauth.client_secret_env, purpose=purpose)
        self._first = secret_if_set(settings.oauth.refresh_token_env)
        self._known = Tokens(refresh_token="")
        self._lock = threading.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        token = yield from self._current()
        request.headers["Authorization"] = bearer(token)
        response = yield request
        if response.status_code == 401:
            token = yield from self._renewed(instead_of=token)
            request.headers["Authorization"] = bearer(token)
            yield request

    def _current(self) -> Generator[httpx.Request, httpx.Response, str]:
        if self._is_good(self._known):
            return self._known.access_token
        return (yield from self._renewed(instead_of=self._known.access_token))

    def _is_good(self, tokens: Tokens) -> bool:
        return bool(tokens.access_token) and self._clock() < tokens.expires_at - RENEW_BEFORE

    def _renewed(self, *, instead_of: str) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            if self._known.access_token != instead_of and self._is_good(self._known):
                return self._known.access_token  # another thread was quicker
            with self._file.locked():
                stored = self._stored()
                if stored.access_token != instead_of and self._is_good(stored):
                    self._known = stored  # another process was quicker
                    return stored.access_token
                response = yield self._request(stored.refresh_token)
                response.read()
                self._known = self._made(response, stored)
                self._file.save(self._known)
        return self._known.access_token

    def _stored(self) -> Tokens:
        """What the file holds, unless the environment names a refresh token that it does not descend from."""
        stored = self._file.load()
        given = self._first.get_secret_value() if self._first else ""
        first = hashlib.sha256(given.encode()).hexdigest() if given else ""
        if stored is None or (first and stored.first != first):
            if not given:
                named = self._oauth.refresh_token_env or "refresh_token_env"
                raise ConfigurationError(
                    f"source {self._source!r}: there is no {self._file.path} and {named} is not set: authorise the app "
                    "once and put its refresh token there"
                )
            return Tokens(refresh_token=given, first=first)
        return stored

    def _request(self, refresh_token: str) -> httpx.Request:
        fields = {
            "grant_type": "refresh_token",
            "client_id": self._oauth.client_id,
            "client_secret": self._secret.get_secret_value(),
            "refresh_token": refresh_token,
        }
        headers = {"Accept": "application/json", "User-Agent": f"backlint/{__version__}"}
        if self._body == "json":
            return httpx.Request("POST", self._endpoint, json=fields, headers=headers)
        return httpx.Request("POST", self._endpoint, data=fields, headers=headers)

    def _made(self, response: httpx.Response, before: Tokens) -> Tokens:
        status = response.status_code
        if status >= 500 or status == 429:
            raise TrackerDown(f"{self._source}: the token could not be renewed now ({status})", status=status)
        try:
            made = msgspec.json.decode(response.content, type=_Made) if status < 300 else None
        except msgspec.MsgspecError:
            raise TrackerDown(
                f"{self._source}: the token endpoint answered no token ({status})", status=status
            ) from None
        if made is None:
            raise TokenRefused(
                f"{self._source}: the OAuth app gets no new token ({status}{_reason(response)}): authorise it again, "
                f"put the new refresh token into {self._oauth.refresh_token_env or self._file.path}, and check "
                "client_id and the secret",
                status=status,
            )
        return Tokens(
            refresh_token=made.refresh_token or before.refresh_token,
            access_token=made.access_token,
            expires_at=self._clock() + made.expires_in,
            first=before.first,
        )


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


def _reason(response: httpx.Response) -> str:
    """The error's code (RFC 6749, section 5.2); descriptions may repeat what was sent."""
    try:
        said = msgspec.json.decode(response.content, type=_Refusal).error
    except msgspec.MsgspecError:
        return ""
    return f", {said}" if said.replace("_", "").isalnum() else ""
