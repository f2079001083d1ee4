"""How requests reach Jira: one HTTP layer with Jira's ways of saying no, and the `jira` package on top of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import requests
from msgspec import Raw
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from backlint.connectors.contract import Usage
from backlint.connectors.http import Budget, Throttled, TrackerHttp, decode, refused, require_json, served_at
from backlint.connectors.tokens import RenewedToken, given_token
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused, TrackerDown
from backlint.settings import SourceSettings

RIGHTS = "the scopes read:jira-work and read:jira-user (and write:jira-work to write back), or the matching permissions"
TOKEN_ENDPOINT = "https://auth.atlassian.com/oauth/token"  # noqa: S105 - an address
LONGEST_DETAIL = 300
# Limits of one endpoint or one issue: other requests of the source may go on.
LOCAL_LIMITS = ("jira-burst-based", "jira-per-issue-on-write")


def open_http(
    settings: SourceSettings, token: SecretStr, *, read: Reader, usage: Usage, sleep: Callable[[float], None]
) -> TrackerHttp:
    """Basic with the account's mail address and an API token; without a user the token is a bearer (PAT, OAuth)."""
    return TrackerHttp(
        base_url=settings.base_url,
        headers={},
        auth=_auth(settings, token),
        read=read,
        usage=usage,
        source=settings.name,
        timeout=settings.timeout,
        rate=settings.requests_per_second,
        concurrency=settings.concurrency,
        max_wait=settings.max_wait,
        budget=budget,
        people_share=settings.people_share,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        sleep=sleep,
    )


def _auth(settings: SourceSettings, token: SecretStr) -> httpx.Auth:
    if settings.oauth is not None:
        return RenewedToken(settings, endpoint=TOKEN_ENDPOINT, body="json")
    if not settings.user:
        return given_token(settings, token)
    return given_token(settings, token, header=lambda value: _basic(settings.user, value))


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Reader:
    """What an answer of Jira means: good, wait, or a refusal with its remedy."""

    def __init__(self, source: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.source, self._now = source, now
        self.skew: timedelta | None = None  # how far the tracker's clock is ahead of ours

    def tracker_now(self) -> datetime:
        """The tracker's clock, since ours may be wrong; to the second, never ahead of it."""
        return self._now() + (self.skew or timedelta(0))

    def _look_at_clock(self, response: httpx.Response) -> None:
        if (theirs := served_at(response.headers)) is not None:
            self.skew = theirs - self._now()

    def __call__(self, response: httpx.Response) -> Throttled | None:
        status = response.status_code
        self._look_at_clock(response)
        if 200 <= status < 300:
            require_json(response, source=self.source)
            if response.content:
                decode(response.content, Raw, source=self.source)  # cut answers are asked for again
            return None
        if status == 429:
            return self._throttled(response)
        if 300 <= status < 400:
            where = httpx.URL(response.headers.get("location", "")).path
            raise TrackerDown(
                f"{self.source}: the tracker sends us elsewhere ({status}, {where}): a login page? check the url",
                status=status,
            )
        raise self._refusal(response, detail_of(response))

    def _refusal(self, response: httpx.Response, detail: str) -> Exception:
        status = response.status_code
        match status:
            case 401 if "scope" in detail:
                return PermissionMissing(f"{self.source}: {detail} (401); the token needs {RIGHTS}", status=status)
            case 403 if "CAPTCHA" in response.headers.get("x-authentication-denied-reason", ""):
                return TokenRefused(
                    f"{self.source}: Jira asks for a CAPTCHA after failed logins (403); log in once with a browser",
                    status=status,
                )
            case 403 if "Basic Authentication has been disabled" in detail:
                return TokenRefused(
                    f"{self.source}: this Jira takes no passwords (403); use a personal access token without `user`",
                    status=status,
                )
            case 404:
                return NotFound(f"{self.source}: {detail or 'not found'} (404)", status=status)
            case 410:
                return RequestRefused(
                    f"{self.source}: the deployment is Cloud (410): set deployment to cloud or auto. {detail}",
                    status=410,
                )
            case 500 if "Search limit exceeded" in detail:
                return RequestRefused(f"{self.source}: {detail}", status=status)
            case 503:
                return TrackerDown(
                    f"{self.source}: the tracker answered 503" + (f": {detail}" if detail else ""),
                    status=status,
                    retry_after=_retry_after(response, self._now()),
                )
        return refused(response, source=self.source, detail=detail, needs=RIGHTS if status in (401, 403) else "")

    def _throttled(self, response: httpx.Response) -> Throttled:
        reason = response.headers.get("ratelimit-reason", "")
        return Throttled(
            _retry_after(response, self._now()),
            for_all=reason not in LOCAL_LIMITS,
            reason=f"rate limit {reason}".strip(),
        )


def detail_of(response: httpx.Response) -> str:
    """The message in any of Jira's error shapes; pages of HTML say nothing worth printing."""
    if "json" not in response.headers.get("content-type", ""):
        return ""
    try:
        body = response.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    return "; ".join(_messages(body))[:LONGEST_DETAIL]


def _messages(body: Mapping[str, Any]) -> list[str]:
    found = [str(each) for each in body.get("errorMessages") or ()]
    errors = body.get("errors")
    if isinstance(errors, dict):
        found += [f"{name}: {text}" for name, text in errors.items()]
    elif isinstance(errors, list):
        found += [str(each.get("message", each)) if isinstance(each, dict) else str(each) for each in errors]
    return found or [str(body[name]) for name in ("message", "errorMessage") if body.get(name)]


def budget(response: httpx.Response) -> Budget | None:
    """Cloud tells what is left and not until when; Data Center tells only when its limits are switched on."""
    limit, remaining = (response.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    return Budget(int(limit), int(remaining)) if limit.isdigit() and remaining.isdigit() else None


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """Seconds, else the moment of reset, which Jira prints without seconds."""
    asked = response.headers.get("retry-after", "")
    if asked.isdigit():
        return timedelta(seconds=int(asked))
    try:
        reset = datetime.fromisoformat(response.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    reset = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return max(timedelta(0), reset - now)


def jira_client(http: TrackerHttp, base_url: str, *, is_cloud: bool) -> Any:
    """The `jira` package for the small lists, sending everything through our HTTP layer.

    So the limits, the waits and the counts are ours, it never learns the token, and it cannot send a write twice.
    """
    import jira  # 0.15 s, and not needed before the first request

    client = jira.JIRA(
        server=base_url,
        options={"rest_api_version": "3" if is_cloud else "2", "check_update": False},
        get_server_info=False,
        max_retries=0,
    )
    client.deploymentType = "Cloud" if is_cloud else "Server"
    session = client._session  # the package has no public way to change how it sends
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Through(http))
    return client


class _Through(BaseAdapter):
    """Sends a request of the `requests` library with a TrackerHttp; its refusals rise as our errors."""

    def __init__(self, http: TrackerHttp) -> None:
        super().__init__()
        self._http = http

    def send(  # type: ignore[override]  # what is left out is settled by our own layer
        self, request: requests.PreparedRequest, **_unused: Any
    ) -> requests.Response:
        answer = self._http.request(
            str(request.method),
            str(request.url),
            may_repeat=request.method != "POST",
            json=json.loads(request.body) if isinstance(request.body, str | bytes) else None,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = answer.content
        response.encoding = "utf-8"
        response.request, response.url, response.reason = request, str(request.url), answer.reason_phrase
        return response

    def close(self) -> None:
        """The HTTP layer belongs to the connector."""
