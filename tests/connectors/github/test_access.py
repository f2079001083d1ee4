"""How GitHub's answers are told apart: limits, refusals, outages, and the app's tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from backlint.connectors.github.access import AnswerReader, AppToken, graphql_url, is_hosted
from backlint.connectors.github.client import TimeBudget
from backlint.connectors.http import Throttled
from backlint.errors import (
    ConfigurationError,
    NotFound,
    PermissionMissing,
    RequestRefused,
    TokenRefused,
    TrackerDown,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RESET = {"x-ratelimit-reset": str(int((NOW + timedelta(minutes=10)).timestamp()))}


def read(
    status: int,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    url: str = "/repos/o/r",
    method: str = "GET",
    reader: AnswerReader | None = None,
    raw: bytes | None = None,
) -> Throttled | None:
    content = raw if raw is not None else json.dumps(body if body is not None else {}).encode()
    every = {"content-type": "application/json; charset=utf-8", "date": format_datetime(NOW, usegmt=True)}
    request = httpx.Request(method, f"https://api.github.com{url}")
    response = httpx.Response(status, headers={**every, **(headers or {})}, content=content, request=request)
    return (reader or AnswerReader("gh", clock=lambda: NOW))(response)


def test_good_answers_pass() -> None:
    assert read(200, []) is None
    assert read(204, raw=b"") is None
    assert read(304, raw=b"") is None
    assert read(301, raw=b"") is None


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_limit_waits_for_the_reset_by_the_server_s_clock(status: int) -> None:
    body = {"message": "API rate limit exceeded for user ID 1."}

    # The machine's own clock is an hour off, which must not matter.
    reader = AnswerReader("gh", clock=lambda: NOW - timedelta(hours=1))
    limit = read(status, body, {"x-ratelimit-remaining": "0", **RESET}, reader=reader)

    assert limit is not None
    assert limit.after == timedelta(minutes=10, seconds=1)


def test_the_secondary_limit_waits_as_long_as_it_says() -> None:
    body = {"message": "You have exceeded a secondary rate limit."}

    limit = read(403, body, {"retry-after": "37", "x-ratelimit-remaining": "4100", **RESET})

    assert limit is not None
    assert limit.after == timedelta(seconds=37)


def test_a_secondary_limit_without_a_time_waits_a_minute_and_longer_each_time() -> None:
    reader = AnswerReader("gh", clock=lambda: NOW)
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}

    waits = []
    for _ in range(6):
        limit = read(403, body, {"x-ratelimit-remaining": "4100"}, reader=reader)
        assert limit is not None
        waits.append(limit.after)
    read(200, [], reader=reader)
    again = read(403, body, reader=reader)

    assert [wait.total_seconds() / 60 for wait in waits if wait] == [1, 2, 4, 8, 16, 16]
    assert again is not None
    assert again.after == timedelta(minutes=1)


def test_graphql_says_its_limit_with_status_200() -> None:
    body = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}

    limit = read(200, body, {"x-ratelimit-remaining": "0", **RESET}, url="/graphql", method="POST")

    assert limit is not None
    assert limit.after == timedelta(minutes=10, seconds=1)


def test_an_issue_that_speaks_of_rate_limits_is_no_rate_limit() -> None:
    body = {"data": {"node": {"body": '{"errors": [{"type": "RATE_LIMITED"}]}'}}}

    assert read(200, body, url="/graphql", method="POST") is None


def test_a_403_that_is_no_limit_names_the_permission() -> None:
    body = {"message": "Resource not accessible by personal access token"}
    needs = {"x-accepted-github-permissions": "issues=write; pull_requests=write", "x-ratelimit-remaining": "4000"}

    with pytest.raises(PermissionMissing, match=r"issues=write; pull_requests=write"):
        read(403, body, needs, method="POST")


def test_single_sign_on_is_named() -> None:
    with pytest.raises(PermissionMissing, match="single sign-on"):
        read(403, {"message": "Resource protected by organization SAML enforcement."}, {"x-github-sso": "required"})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, TokenRefused), (404, NotFound), (410, NotFound), (451, NotFound), (422, RequestRefused),
        (409, RequestRefused), (500, TrackerDown), (502, TrackerDown), (504, TrackerDown),
    ],
)  # fmt: skip
def test_every_refusal_says_what_to_do_next(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(status, {"message": "Something"})


def test_a_validation_error_names_the_field() -> None:
    errors = [{"resource": "Label", "code": "already_exists", "field": "name"}]

    with pytest.raises(RequestRefused, match="Label name already_exists"):
        read(422, {"message": "Validation Failed", "errors": errors})


@pytest.mark.parametrize(
    ("url", "raw"),
    [("/repos/o/r/issues", b'[{"id": 1}, {"id"'), ("/graphql", b'{"data": {"nodes": ['), ("/repos/o/r", b'{"id": 7')],
)
def test_an_answer_that_breaks_off_is_an_outage(url: str, raw: bytes) -> None:
    with pytest.raises(TrackerDown, match="no complete JSON"):
        read(200, raw=raw, url=url)


def test_html_is_an_outage() -> None:
    with pytest.raises(TrackerDown, match="expected JSON"):
        read(200, raw=b"<html>Log in</html>", headers={"content-type": "text/html"})


def test_a_query_that_github_gave_up_on_is_an_outage_and_no_refusal() -> None:
    text = "Something went wrong while executing your query. This may be the result of a timeout."

    with pytest.raises(TrackerDown, match="did not finish"):
        read(200, {"data": None, "errors": [{"message": text}]}, url="/graphql", method="POST")


def test_graphql_lies_beside_the_rest_api() -> None:
    assert graphql_url("https://api.github.com") == "https://api.github.com/graphql"
    assert graphql_url("https://git.example.test/api/v3") == "https://git.example.test/api/graphql"


def test_limits_are_only_assumed_where_github_runs_it() -> None:
    assert is_hosted("https://api.github.com")
    assert is_hosted("https://api.example.ghe.com")
    assert not is_hosted("https://git.example.test/api/v3")


# -- the time that queries may take ------------------------------------------------------------------------------------


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_short_burst_of_queries_is_not_slowed_down() -> None:
    clock = FakeClock()
    budget = TimeBudget(sleep=clock.sleep, clock=clock, seconds=45)

    for _ in range(14):
        with budget:
            clock.now += 3

    assert clock.slept == []


def test_a_long_pull_stays_within_the_time_that_github_allows() -> None:
    clock = FakeClock()
    budget = TimeBudget(sleep=clock.sleep, clock=clock, seconds=45)

    spent: list[float] = []
    for _ in range(200):
        with budget:
            clock.now += 3
        spent.append(clock.now)

    busiest = max(sum(3 for end in spent if at - 60 < end <= at) for at in spent)
    assert busiest <= 48


# -- tokens of an app --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class FakeApp:
    """GitHub's side of app tokens: gives them out, and knows which are still good."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.made = clock, 0
        self.good: set[str] = set()
        self.jwts: list[str] = []
        self.status = 201

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/access_tokens"):
            return self.make(request)
        token = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(200 if token in self.good else 401, json={"token": token})

    def make(self, request: httpx.Request) -> httpx.Response:
        self.jwts.append(request.headers["authorization"].removeprefix("Bearer "))
        if self.status != 201:
            return httpx.Response(self.status, json={"message": "A JSON web token could not be decoded"})
        self.made += 1
        self.good = {f"ghs_{self.made}"}
        expires = datetime.fromtimestamp(self.clock.now + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return httpx.Response(201, json={"token": f"ghs_{self.made}", "expires_at": expires})


@pytest.fixture
def app() -> FakeApp:
    return FakeApp(FakeClock())


@pytest.fixture
def client(app: FakeApp, key: rsa.RSAPrivateKey) -> Callable[..., httpx.Client]:
    def build(private_key: str | None = None) -> httpx.Client:
        auth = AppToken(
            source="gh",
            base_url="https://api.github.com",
            app_id="12345",
            installation_id="678",
            private_key=private_key or pem(key),
            clock=app.clock,
        )
        return httpx.Client(base_url="https://api.github.com", auth=auth, transport=httpx.MockTransport(app))

    return build


def test_a_token_is_made_once_and_used_until_shortly_before_its_end(
    app: FakeApp, client: Callable[..., httpx.Client]
) -> None:
    with client() as github:
        seen = [github.get("/repos/o/r").json()["token"], github.get("/repos/o/r").json()["token"]]
        app.clock.now += 3600 - 299
        seen.append(github.get("/repos/o/r").json()["token"])

    assert seen == ["ghs_1", "ghs_1", "ghs_2"]


def test_a_revoked_token_is_renewed_once(app: FakeApp, client: Callable[..., httpx.Client]) -> None:
    with client() as github:
        github.get("/repos/o/r")
        app.good.clear()
        response = github.get("/repos/o/r")

    assert (response.status_code, app.made) == (200, 2)


def test_a_token_that_is_never_accepted_is_not_asked_for_without_end(
    app: FakeApp, client: Callable[..., httpx.Client]
) -> None:
    with client() as github:
        github.get("/repos/o/r")
        app.make = lambda request: httpx.Response(  # type: ignore[method-assign]
            201, json={"token": "useless", "expires_at": "2099-01-01T00:00:00Z"}
        )
        app.good.clear()
        response = github.get("/repos/o/r")

    assert response.status_code == 401


def test_the_jwt_is_signed_by_the_key_and_dated_back_a_minute(
    app: FakeApp, client: Callable[..., httpx.Client], key: rsa.RSAPrivateKey
) -> None:
    with client() as github:
        github.get("/repos/o/r")

    head, claims, signature = app.jwts[0].split(".")
    key.public_key().verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT"}
    assert json.loads(decoded(claims)) == {"iat": 1000 - 60, "exp": 1000 + 540, "iss": "12345"}


def test_a_refused_app_says_what_to_check(app: FakeApp, client: Callable[..., httpx.Client]) -> None:
    app.status = 401

    with client() as github, pytest.raises(TokenRefused, match="private_key_env"):
        github.get("/repos/o/r")


def test_a_key_on_one_line_is_read(app: FakeApp, client: Callable[..., httpx.Client], key: rsa.RSAPrivateKey) -> None:
    with client(pem(key).replace("\n", "\\n")) as github:
        assert github.get("/repos/o/r").status_code == 200


def test_a_key_that_is_none_is_a_wrong_setting(client: Callable[..., httpx.Client]) -> None:
    with pytest.raises(ConfigurationError, match="private_key_env"):
        client("-----BEGIN NOTHING-----")


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
