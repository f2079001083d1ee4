"""What Linear's answers mean: waits, refusals and outages. It looks at `extensions.code`, never at the status alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import httpx

from backlint.connectors.graphql import Problem, answer
from backlint.connectors.http import Budget, Throttled, refused, served_at
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused, TrackerDown, TrackerError

READING = "read access to the team (for a private team, membership)"
WRITING = "the right to write (API key: Write; OAuth: write)"
PASSING = frozenset({"internal error", "lock timeout", "network error", "bootstrap error"})  # worth another try
BUCKETS = ("Requests", "Complexity", "Endpoint-Requests")


class TooComplex(RequestRefused):
    """The query would cost more than Linear allows for one: ask for fewer rows."""


class SpoiledPage(TrackerDown):
    """One issue of a page could not be given and took the whole page along; `place` is its place in the page."""

    def __init__(self, message: str, *, place: int) -> None:
        super().__init__(message)
        self.place = place


class UnknownField(RequestRefused):
    """The query does not fit Linear's schema."""


def judge(response: httpx.Response, *, source: str) -> Throttled | None:
    """Raise for what stops a request, Throttled for what only delays it, None for an answer to be used.

    Data beside errors is used: a nullable part failed, and whoever asked looks at `errors`.
    """
    if response.status_code in (401, 403) and "json" not in response.headers.get("content-type", ""):
        raise refused(response, source=source, detail="", needs=READING)
    if response.status_code >= 500:
        raise refused(response, source=source, detail="")
    if response.status_code == 429:  # documented is 400; Linear's own client knows both
        return throttled(response.headers)
    answered = answer(response, source=source)
    for problem in answered.problems:
        if _code(problem) == "RATELIMITED":
            return throttled(response.headers)
    if answered.problems and not answered.has_data:
        raise meaning(answered.problems[0], response, source=source)
    if response.status_code >= 400:
        raise refused(response, source=source, detail="", needs=READING)
    return None


def meaning(problem: Problem, response: httpx.Response, *, source: str) -> TrackerError:
    """The error for one entry of `errors`."""
    code, kind, status = _code(problem), _kind(problem), response.status_code
    said = str((problem.extensions or {}).get("userPresentableMessage") or problem.message)
    needs = WRITING if _is_write(response.request) else READING
    if code == "AUTHENTICATION_ERROR" or kind == "authentication error":
        return TokenRefused(
            f"{source}: Linear refused the token (401): {said}; make a new one with {needs}", status=status
        )
    match problem.path:
        case ("issues", "nodes", int(place), *_):
            return SpoiledPage(f"{source}: Linear failed: {said}", place=place)
    if code == "FORBIDDEN" or kind in ("forbidden", "feature not accessible"):
        return PermissionMissing(f"{source}: Linear refused: {said}; the token needs {needs}", status=status)
    if problem.message.startswith("Entity not found"):
        return NotFound(f"{source}: {problem.message}: gone, or not visible to this account", status=status)
    if "too complex" in problem.message.casefold():
        return TooComplex(f"{source}: {said}", status=status)
    if code == "GRAPHQL_VALIDATION_FAILED":
        return UnknownField(f"{source}: Linear's schema has changed: {said}", status=status)
    if kind in PASSING or code in ("INTERNAL_SERVER_ERROR", "LOCK_TIMEOUT"):
        return TrackerDown(f"{source}: Linear failed: {said}", status=status)
    return RequestRefused(f"{source}: Linear refused: {said}{_constraints(problem)}", status=status)


def spoiled(problems: Iterable[Problem]) -> dict[int, str]:
    """Place in the page -> what Linear could not give of the issue there."""
    found: dict[int, str] = {}
    for problem in problems:
        match problem.path:
            case ("issues", "nodes", int(place), *rest):
                found.setdefault(place, f"{'.'.join(map(str, rest))}: {problem.message}")
    return found


def throttled(headers: Mapping[str, str]) -> Throttled:
    """How long: Retry-After if it comes (undocumented), else the reset of the bucket that is empty."""
    now = served_at(headers) or datetime.now(UTC)
    retry_after = headers.get("retry-after", "")
    if retry_after.isdigit():
        return Throttled(timedelta(seconds=int(retry_after)))
    empty = [name for name in BUCKETS if headers.get(f"x-ratelimit-{name}-remaining".lower()) in ("0", "0.0")]
    resets = {name: _reset(headers, name) for name in empty}
    known = {name: at for name, at in resets.items() if at is not None}
    if not known:
        return Throttled(None)
    name = max(known, key=lambda each: known[each])
    for_all = name != "Endpoint-Requests"  # one operation's own limit stops nothing else
    return Throttled(max(timedelta(0), known[name] - now), for_all, f"rate limit ({name.casefold()})")


def budget(response: httpx.Response) -> Budget | None:
    """Of the bucket that is emptiest, of those that hold for all requests."""
    now = served_at(response.headers) or datetime.now(UTC)
    found = []
    for name in ("Requests", "Complexity"):
        told = [response.headers.get(f"x-ratelimit-{name}-{part}".lower(), "") for part in ("limit", "remaining")]
        reset = _reset(response.headers, name)
        if all(part.replace(".", "", 1).isdigit() for part in told) and reset is not None:
            found.append(Budget(float(told[0]), float(told[1]), max(timedelta(0), reset - now)))
    return min(found, key=lambda each: each.remaining / (each.limit or 1), default=None)


def _reset(headers: Mapping[str, str], name: str) -> datetime | None:
    """Resets are epoch milliseconds."""
    text = headers.get(f"x-ratelimit-{name}-reset".lower(), "")
    try:
        return datetime.fromtimestamp(float(text) / 1000, UTC)
    except (ValueError, OverflowError):
        return None


def _code(problem: Problem) -> str:
    return problem.code.upper()


def _kind(problem: Problem) -> str:
    return str((problem.extensions or {}).get("type", "")).casefold()


def _is_write(request: httpx.Request) -> bool:
    return b'"query":"mutation' in request.content


def _constraints(problem: Problem) -> str:
    """What argument validation says: which property and why."""
    found = (problem.extensions or {}).get("validationErrors") or ()
    told = [f"{each.get('property')}: {'; '.join((each.get('constraints') or {}).values())}" for each in found]
    return f" ({', '.join(told)})" if told else ""
