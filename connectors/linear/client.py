"""Sends documents to Linear and knows its clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from backlint.connectors import graphql
from backlint.connectors.contract import Usage
from backlint.connectors.http import Throttled, TrackerHttp, decode, served_at
from backlint.connectors.linear import answers
from backlint.connectors.tokens import RenewedToken, given_token
from backlint.settings import SourceSettings

T = TypeVar("T")
R = TypeVar("R")


TOKEN_ENDPOINT = "https://api.linear.app/oauth/token"  # noqa: S105 - an address


def authorization(token: str) -> str:
    """A personal key goes as it is; OAuth tokens (`lin_oauth_...`) need the word Bearer, which may also be written."""
    return f"Bearer {token}" if token.startswith("lin_oauth_") else token


def _auth(settings: SourceSettings, token: SecretStr) -> httpx.Auth:
    if settings.oauth is not None:
        return RenewedToken(settings, endpoint=TOKEN_ENDPOINT, body="form")
    return given_token(settings, token, header=authorization)


class LinearClient:
    """One workspace. `skew` is Linear's clock minus ours, by its last answer."""

    def __init__(
        self, settings: SourceSettings, token: SecretStr, *, usage: Usage, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.source = settings.name
        self.skew = timedelta(0)
        self._url = settings.base_url
        self._http = TrackerHttp(
            base_url=self._url,
            headers={},
            auth=_auth(settings, token),
            read=self._read,
            usage=usage,
            source=settings.name,
            timeout=settings.timeout,
            rate=settings.requests_per_second,
            concurrency=settings.concurrency,
            max_wait=settings.max_wait,
            budget=answers.budget,
            people_share=settings.people_share,
            proxy=settings.proxy,
            ca_file=settings.ca_file,
            sleep=sleep,
        )

    def _read(self, response: httpx.Response) -> Throttled | None:
        if (theirs := served_at(response.headers)) is not None:
            self.skew = theirs - datetime.now(UTC)
        return answers.judge(response, source=self.source)

    def answer(
        self, document: str, variables: Mapping[str, Any] | None = None, *, may_repeat: bool = True
    ) -> graphql.Answer:
        """The whole answer, for those who look at the errors beside the data."""
        return graphql.ask(self._http, self._url, document, variables, may_repeat=may_repeat)

    def ask(
        self, document: str, kind: type[T], variables: Mapping[str, Any] | None = None, *, may_repeat: bool = True
    ) -> T:
        return self.data(self.answer(document, variables, may_repeat=may_repeat), kind)

    def data(self, answered: graphql.Answer, kind: type[T]) -> T:
        return graphql.data(answered, kind, source=self.source)

    def decoded(self, raw: msgspec.Raw, kind: type[T]) -> T:
        return decode(bytes(raw), kind, source=self.source)

    def now(self) -> datetime:
        """By Linear's clock, to about a second."""
        return datetime.now(UTC) + self.skew

    def in_parallel(self, call: Callable[[T], R], arguments: Iterable[T]) -> Iterator[R]:
        return self._http.in_parallel(call, arguments)

    def close(self) -> None:
        self._http.close()
