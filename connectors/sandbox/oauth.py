"""An OAuth token endpoint in front of a sandbox tracker: tokens end, refresh tokens serve once and rotate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/oauth/token"


@dataclass
class Issuer:
    """`uses` ends an access token after so many requests, as if its hour were over in the middle of a run.

    A refresh token that was used is refused, unless `leeway` (Atlassian allows some minutes, for lost answers): then it
    gives what it gave before.
    """

    first: str = "refresh-0"
    client_id: str = "app"
    client_secret: str = "app-secret"  # noqa: S105 - the sandbox's own
    uses: int | None = None
    lifetime: int = 3600
    leeway: bool = False
    status: int = 0  # answers every renewal with it, if set
    renewals: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    bodies: list[str] = field(default_factory=list, init=False)  # "json" or "form"

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._refresh = self.first
        self._access = ""
        self._left: int | None = 0
        self._before: dict[str, dict[str, Any]] = {}

    @property
    def refresh_token(self) -> str:
        """The one that is good now."""
        return self._refresh

    def accepts(self, token: str) -> bool:
        with self._lock:
            good = token == self._access and (self._left is None or self._left > 0)
            if good and self._left is not None:
                self._left -= 1
            self.refused += not good
            return good

    def _next(self) -> str:
        self.renewals += 1
        self._access, self._refresh = f"access-{self.renewals}", f"refresh-{self.renewals}"
        self._left = self.uses
        return self._access

    def issue(self) -> str:
        """An access token that somebody else made; the one before is good no longer."""
        with self._lock:
            return self._next()

    def authorise(self, refresh_token: str) -> None:
        """A person has authorised the app anew; all that was is good no longer."""
        with self._lock:
            self._access, self._refresh = "", refresh_token

    def end(self) -> None:
        """The access token is good no longer."""
        with self._lock:
            self._access = ""

    def renew(self, asked: dict[str, Any]) -> Response:
        with self._lock:
            if self.status:
                return Response("<html>maintenance</html>", self.status, media_type="text/html")
            known = asked.get("client_id") == self.client_id and asked.get("client_secret") == self.client_secret
            if not known or asked.get("grant_type") != "refresh_token":
                return JSONResponse({"error": "invalid_client"}, 401)
            given = str(asked.get("refresh_token"))
            if given != self._refresh:
                if self.leeway and given in self._before:
                    return JSONResponse(self._before[given])
                return JSONResponse({"error": "invalid_grant", "error_description": f"unknown token {given}"}, 403)
            made = {
                "access_token": self._next(),
                "refresh_token": self._refresh,
                "expires_in": self.lifetime,
                "token_type": "Bearer",
            }
            self._before = {given: made}
            return JSONResponse(made)


class WithOAuth:
    """The app behind an issuer: who has its access token is who has `token` of the app itself."""

    def __init__(self, app: ASGIApp, issuer: Issuer, *, token: str) -> None:
        self.app, self.issuer, self._token = app, issuer, token
        self.state = getattr(app, "state", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == PATH:
            await self.issuer.renew(await self._asked(Request(scope, receive)))(scope, receive, send)
            return
        await self.app({**scope, "headers": list(map(self._translated, scope["headers"]))}, receive, send)

    def _translated(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        name, value = header
        if name.lower() != b"authorization":
            return header
        given = value.decode().removeprefix("Bearer ")
        return name, f"Bearer {self._token if self.issuer.accepts(given) else 'ended'}".encode()

    async def _asked(self, request: Request) -> dict[str, Any]:
        body = await request.body()
        if "json" in request.headers.get("content-type", ""):
            self.issuer.bodies.append("json")
            return dict(json.loads(body))
        self.issuer.bodies.append("form")
        return dict(parse_qsl(body.decode()))
