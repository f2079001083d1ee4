"""GraphQL over TrackerHttp: sending a document, reading the errors. What an error means each connector says itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from backlint.connectors.http import TrackerHttp, decode, require_json
from backlint.errors import RequestRefused

T = TypeVar("T")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `errors`. GitHub puts the kind into `type`, Linear into `extensions`."""

    message: str = ""
    type: str | None = None
    path: tuple[str | int, ...] | None = None
    extensions: dict[str, Any] | None = None

    @property
    def code(self) -> str:
        return str((self.extensions or {}).get("code", ""))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: `data` as raw JSON, decoded by whoever knows its shape. Both may be there at once."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: tuple[Problem, ...] | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.errors or ()

    @property
    def has_data(self) -> bool:
        return bytes(self.data) != b"null"


def answer(response: httpx.Response, *, source: str) -> Answer:
    """The answer's outer shape. HTML and JSON that breaks off are outages (TrackerDown), so that they are repeated."""
    require_json(response, source=source)
    return decode(response.content, Answer, source=source)


def ask(
    http: TrackerHttp, url: str, document: str, variables: Mapping[str, Any] | None = None, *, may_repeat: bool
) -> Answer:
    """Send one document. The reader of `http` has already raised for the errors that stop everything."""
    body = {"query": document, "variables": dict(variables or {})}
    return answer(http.request("POST", url, json=body, may_repeat=may_repeat), source=http.source)


def data(answered: Answer, kind: type[T], *, source: str, issue: str = "?") -> T:
    """`data` as a typed struct; RequestRefused with the tracker's words if there is none."""
    if not answered.has_data:
        said = "; ".join(problem.message for problem in answered.problems) or "no data and no reason"
        raise RequestRefused(f"{source}: {said}")
    return decode(bytes(answered.data), kind, issue=issue, source=source)
