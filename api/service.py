"""The HTTP service: webhooks in, facts out. Pages come beside it; nothing here knows of them."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from backlint import __version__
from backlint.api import webhooks
from backlint.api.commands.plan import to_json as plan_json
from backlint.api.facts import letter, source_facts
from backlint.api.metrics import CONTENT_TYPE, Metrics
from backlint.errors import BacklintError
from backlint.rules.registry import every_rule
from backlint.rules.rule import Rule
from backlint.settings import Settings
from backlint.sync import deliveries, listing, store
from backlint.sync.audit import make_plan, new_id
from backlint.sync.check import check_store
from backlint.sync.database import reading, require_current
from backlint.sync.findings import history
from backlint.sync.inbox import Inbox
from backlint.sync.jobs import living

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]


@dataclass(frozen=True)
class Service:
    """What the routes work with. The work itself is done by workers, in other processes."""

    settings: Settings
    engine: sa.Engine
    inbox: Inbox
    clock: Callable[[], datetime]
    token: SecretStr | None = None


def make_app(service: Service) -> FastAPI:
    """The whole application. /api/openapi.json describes it; FastAPI's own pages would load scripts from elsewhere."""
    app = FastAPI(title="backlint", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    metrics = Metrics(service.engine, waiting=service.inbox.waiting, clock=time.perf_counter)
    limit = service.settings.service.max_body
    known = webhooks.gates(service.settings)
    app.include_router(webhooks.router(known, service.inbox, metrics, max_body=limit, clock=service.clock))
    app.include_router(_operation(service, metrics))
    app.include_router(_api(service), prefix="/api", dependencies=[Depends(_token(service))])

    @app.exception_handler(BacklintError)
    def refused(_request: Any, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503)

    return app


# -- operation ---------------------------------------------------------------------------------------------------------


def _operation(service: Service, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    def health() -> dict[str, str]:
        """The process answers. Restart it when this fails."""
        return {"status": "alive", "version": __version__}

    @router.get("/ready")
    def ready() -> JSONResponse:
        """Webhooks would be kept and handled. Send no traffic while this fails."""
        found = dict(_readiness(service))
        is_ready = all(each == "ok" for each in found.values())
        return JSONResponse({"ready": is_ready, "checks": found}, 200 if is_ready else 503)

    @router.get("/metrics")
    def prometheus() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router


def _readiness(service: Service) -> Iterator[tuple[str, str]]:
    try:
        require_current(service.engine)
        yield "store", "ok"
    except BacklintError as error:
        yield "store", str(error)
        return
    except sa.exc.SQLAlchemyError as error:
        yield "store", type(error).__name__
        return
    yield "inbox", "ok" if service.inbox.is_alive else "it has stopped taking webhooks"
    with reading(service.engine) as connection:
        is_any = living(connection, now=service.clock())
    yield "worker", "ok" if is_any else "no worker shows signs of life: start `backlint worker`"


# -- the API -----------------------------------------------------------------------------------------------------------


def _token(service: Service) -> Callable[..., None]:
    def require(request: Request) -> None:
        if service.token is None:
            raise HTTPException(403, "the API is shut: name the variable of its token in service.api_token_env")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = service.token.get_secret_value().encode()
        if scheme.casefold() != "bearer" or not hmac.compare_digest(given.strip().encode(), expected):
            raise HTTPException(401, "the API token is missing or wrong", {"WWW-Authenticate": "Bearer"})

    return require


def _api(service: Service) -> APIRouter:
    router = APIRouter()
    engine, settings = service.engine, service.settings
    planning = Lock()
    rules = {rule.code: rule for rule in every_rule(settings.custom_rules)}

    @router.get("/sources")
    def sources() -> list[dict[str, Any]]:
        return source_facts(engine, settings, now=service.clock())

    @router.get("/runs")
    def runs(kind: str | None = None, limit: Limit = 50, offset: Offset = 0) -> list[Mapping[str, Any]]:
        with reading(engine) as connection:
            return list(listing.runs(connection, kind=kind, limit=limit, offset=offset))

    @router.get("/issues")
    def issues(source: str | None = None, limit: Limit = 100, offset: Offset = 0) -> list[Mapping[str, Any]]:
        with reading(engine) as connection:
            return list(listing.issues(connection, source=source, limit=limit, offset=offset))

    @router.get("/issues/{source}/{reference:path}")
    def issue(source: str, reference: str) -> dict[str, Any]:
        """By id, key or former key, with its findings and their history."""
        with reading(engine) as connection:
            id = listing.issue_id(connection, source, reference)
            loaded = store.load_issues(connection, source=source, ids=[id]) if id else ()
            if not loaded or id is None:
                raise HTTPException(404, f"{source} has no issue {reference}")
            found = listing.findings(connection, source=source, issue=id, state=None)
            past = history(connection, source, id)
        one = loaded[0]
        return {
            "source": one.source, "id": one.id, "key": one.key, "url": one.url, "title": one.title,
            "type": one.type.value, "status": one.status.name, "labels": sorted(one.labels),
            "updated_at": one.updated_at, "presence": one.presence.value,
            "findings": [_finding(each, rules) for each in found], "history": list(past),
        }  # fmt: skip

    @router.get("/findings")
    def findings(
        source: str | None = None, rule: str | None = None, state: str = "open", limit: Limit = 100, offset: Offset = 0
    ) -> list[dict[str, Any]]:
        with reading(engine) as connection:
            found = listing.findings(connection, source=source, rule=rule, state=state, limit=limit, offset=offset)
        return [_finding(each, rules) for each in found]

    @router.get("/writes")
    def writes(
        source: str | None = None, run: str | None = None, limit: Limit = 100, offset: Offset = 0
    ) -> list[dict[str, Any]]:
        """The log of what was written to the trackers, oldest first, each with the rules that asked for it."""
        with reading(engine) as connection:
            return list(listing.writes(connection, source=source, run=run, limit=limit, offset=offset))

    @router.get("/plan")
    def plan() -> dict[str, Any]:
        """What would be written now. Takes a whole check; one at a time."""
        if not planning.acquire(blocking=False):
            raise HTTPException(429, "a plan is being made already", {"Retry-After": "10"})
        try:
            result = check_store(engine, settings, run=new_id("check"), now=service.clock())
            return plan_json(make_plan(engine, settings, result, now=service.clock()))
        finally:
            planning.release()

    @router.get("/dead-letters")
    def dead_letters() -> list[dict[str, Any]]:
        with reading(engine) as connection:
            return [letter(each) for each in deliveries.dead_letters(connection)]

    @router.post("/dead-letters/{source}/{issue}/retry")
    def retry(source: str, issue: str) -> dict[str, str]:
        with engine.begin() as connection:
            if not deliveries.retry(connection, (source, issue), now=service.clock()):
                raise HTTPException(404, "there is no such dead letter")
        return {"status": "it is tried again"}

    @router.delete("/dead-letters/{source}/{issue}")
    def drop(source: str, issue: str) -> dict[str, str]:
        with engine.begin() as connection:
            if not deliveries.drop(connection, (source, issue)):
                raise HTTPException(404, "there is no such dead letter")
        return {"status": "dropped"}

    return router


def _finding(row: Mapping[str, Any], rules: Mapping[str, type[Rule]]) -> dict[str, Any]:
    """A finding with why it matters; what was found in the text stands in its evidence.

    A rule that the configuration no longer holds has its code alone.
    """
    rule = rules.get(row["rule"])
    names = ("source", "issue", "key", "url", "rule", "state", "severity", "confidence", "message", "question",
             "evidence", "is_baseline", "opened_at", "fixed_at", "times_opened", "fingerprint")  # fmt: skip
    about = " ".join(((rule.__doc__ if rule else "") or "").split("\n\n")[0].split())
    return {**{name: row[name] for name in names}, "name": rule.name if rule else row["rule"], "about": about}
