"""HTTP API of a service: authenticates the caller, reads a command request's headers, answers errors as RFC 9457 problems only.

`api = create_api(...)` makes the app. Its routes take `request: CommandRequest` (commands) or `caller: Caller` (other calls).
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPAuthorizationCredentials
from opentelemetry.trace import SpanKind
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.faults import Unavailable
from kernel.core.ids import command_id, new_id
from kernel.edge import api_page, http_errors
from kernel.edge.admission import Admission, set_caller
from kernel.edge.fields import worded
from kernel.edge.incoming import HeadAsGet
from kernel.edge.limits import BODY_LIMIT_BYTES, LIVE_REQUESTS, BodyLimit, LiveRequests
from kernel.edge.tokens.first import RefusedBeforeBody, TokenFirst, bearer, identify, on_refused
from kernel.runtime import admin, telemetry
from kernel.runtime.health import Health

CORRELATION = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DOCUMENTED = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class _AppState:
    """State of the app that the dependencies below read: admission, key of the fingerprints."""

    admission: Admission
    fingerprint_key: bytes


async def actor(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Actor:
    """The caller, with a slot that is held until the request ends."""
    admission: Admission = request.app.state.edge.admission
    caller = await identify(request)
    request.state.held.enter_context(admission.calls.hold(caller))
    set_caller(caller)
    return caller


def charge(request: Request, caller: Actor, tokens: int) -> None:
    """Takes more tokens for a request that costs more than others; raises Exhausted `rate.exhausted` without so many left."""
    if tokens > 0:
        admission: Admission = request.app.state.edge.admission
        allowance, exhausted = admission.take(caller, tokens)
        request.state.headers.update(allowance.headers())
        if exhausted:
            raise exhausted


Caller = Annotated[Actor, Depends(actor)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=worded(r"^[\x21-\x7e]+$", "printable ASCII without blanks"),
        description="The same key and body give the first answer again; another body is refused.",
    ),
]
CorrelationId = Annotated[
    str | None,
    Header(
        alias="X-Correlation-Id",
        pattern=worded(CORRELATION, "letters, digits and . _ : -, at most 128, a letter or digit first"),
    ),
]


@dataclass(frozen=True, slots=True)
class _CommandRequest:
    """Request that carries a command: `actor`, idempotency `key`, the HTTP request and the response being made."""

    actor: Actor
    key: str
    http: Request
    response: Response

    def meta(
        self, stream: str, command: object, body: BaseModel | None = None, former: Callable[[], BaseModel] | None = None
    ) -> Meta:
        """Meta of `command` on `stream`. Its fingerprint covers the command's name, the path and the body, but no time.

        A field of the body that has its default is left out: a body that grows one keeps the fingerprints stored before.
        `former` makes the body as 0.1.0 covered it, where that was another; it is asked for repeats only.
        """
        name = type(command).__name__

        def formerly() -> str:
            before = former() if former else body
            return self._fingerprint(name, before.model_dump(mode="json") if before else None)

        return Meta(
            command_id=command_id(self.actor.tenant, self.actor.id, stream, self.key),
            actor=self.actor,
            fingerprint=self._fingerprint(name, body.model_dump(mode="json", exclude_defaults=True) if body else None),
            former_fingerprint=formerly,
            correlation=self.http.state.correlation,
            traceparent=telemetry.current_traceparent(),
        )

    def respond(self, receipt: Receipt) -> Receipt:
        """Returns the receipt as the body, and sets the stream's version as ETag."""
        self.response.headers["ETag"] = f'"{receipt.version}"'
        return receipt

    def _fingerprint(self, name: str, content: Any) -> str:
        """Keyed hash of name, path and body: it is stored for ever, and personal text could be guessed from a plain hash."""
        covered = json.dumps([name, self.http.url.path, content], sort_keys=True, separators=(",", ":"))
        state: _AppState = self.http.app.state.edge
        return hashlib.blake2b(covered.encode(), key=state.fingerprint_key, digest_size=16).hexdigest()


async def _command_request(
    request: Request, response: Response, actor: Caller, key: IdempotencyKey, correlation: CorrelationId = None
) -> _CommandRequest:
    return _CommandRequest(actor, key, request, response)


CommandRequest = Annotated[_CommandRequest, Depends(_command_request)]
"""Parameter of a command's route: FastAPI authenticates the caller, requires an idempotency key, and passes both."""


class Edge:
    """Outermost ASGI middleware: correlation id, trace, metrics, security headers, and a problem for an unexpected exception."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope)
        correlation = given.get("x-correlation-id", "")
        state = scope.setdefault("state", {})
        state["correlation"] = correlation if re.fullmatch(CORRELATION, correlation) else new_id()
        state["headers"] = {"X-Correlation-Id": state["correlation"]}
        with telemetry.span(f"http {scope['method']}", given.get("traceparent", ""), kind=SpanKind.SERVER):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), 0

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope)
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception as error:
            problem = http_errors.unexpected(error, scope)
            if status:  # the response has begun, so the connection can only be closed
                raise
            await problem(scope, receive, with_headers)
        except asyncio.CancelledError:
            if not status:  # a stopping server cancelled the request, and would answer 500
                stopping = http_errors.problem_response(Unavailable("server.stopping", retry_after_s=1), scope)
                await stopping(scope, receive, with_headers)
            raise
        finally:
            _measure(scope, status, perf_counter() - started)


_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def _add_headers(message: Message, scope: Scope) -> None:
    """Adds security headers, correlation id and rate limit to a response; a header that the response sets itself wins."""
    given = list(message.get("headers", ()))
    set_by_route = {name for name, _ in given}
    own = [(name.lower().encode(), value.encode("latin-1")) for name, value in scope["state"]["headers"].items()]
    message["headers"] = given + [pair for pair in (*_SECURITY, *own) if pair[0] not in set_by_route]


def _measure(scope: Scope, status: int, seconds: float) -> None:
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    route = getattr(matched, "path", "unmatched")
    method = scope["method"] if scope["method"] in {"GET", "PUT", "POST", "PATCH", "DELETE"} else "other"
    telemetry.count("http_requests_total", route=route, method=method, status=str(status))
    telemetry.observe("http_request_seconds", seconds, route=route, method=method)


def create_api(
    title: str,
    admission: Admission,
    *,
    fingerprint_key: bytes,
    health: Health | None = None,
    live_requests: int = LIVE_REQUESTS,
    body_limit_bytes: int = BODY_LIMIT_BYTES,
    body_limits: Mapping[str, int] | None = None,
    description: str = "",
    version: str = "1",
) -> FastAPI:
    """FastAPI app with authentication, limits, problems and probes installed; metrics are on the port of operations only.

    `fingerprint_key` is 16 to 64 secret bytes: the same in every replica and for ever. `body_limits` maps a path prefix to
    its limit in bytes, where the default of 64 KiB is too small.
    """
    if not 16 <= len(fingerprint_key) <= 64:
        raise ValueError("the fingerprint key has 16 to 64 bytes")
    app = FastAPI(
        title=title,
        description=description,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=http_errors.documented(*DOCUMENTED),
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.edge = _AppState(admission, fingerprint_key)
    app.state.schemas = {}
    app.add_middleware(TokenFirst, needs=actor)
    app.add_middleware(BodyLimit, limit_bytes=body_limit_bytes, by_prefix=body_limits or {})
    app.add_middleware(LiveRequests, limit=live_requests)
    app.add_middleware(Edge)
    app.add_middleware(HeadAsGet)
    http_errors.install(app)
    app.add_exception_handler(RefusedBeforeBody, on_refused)
    _add_probes(app, health or Health())
    api_page.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


class ProbeAnswer(BaseModel):
    """Result of a probe: `checks` maps the name of each check to "ok" or to a word on the problem."""

    ok: bool
    checks: dict[str, str]


def _add_probes(app: FastAPI, health: Health) -> None:
    red: dict[int | str, dict[str, Any]] = {503: {"model": ProbeAnswer, "description": "Not now", "content": {}}}

    @app.get("/healthz/live", tags=["operations"], responses=red, response_model=ProbeAnswer)
    async def live() -> Response:
        """Liveness: every loop that has work to do makes progress."""
        return await _probe(health, "/healthz/live")

    @app.get("/healthz/ready", tags=["operations"], responses=red, response_model=ProbeAnswer)
    async def ready() -> Response:
        """Readiness: every dependency of a request answers."""
        return await _probe(health, "/healthz/ready")


async def _probe(health: Health, path: str) -> Response:
    status, kind, body = await admin.probe_response(health, path) or (404, admin.TEXT, b"")
    return Response(body, status, media_type=kind)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 document with the schema of problems; generated at the first call and cached."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        named = schema.setdefault("components", {}).setdefault("schemas", {})
        named.update({"Problem": http_errors.SCHEMA, **app.state.schemas})
        for operation in (each for path in schema["paths"].values() for each in path.values()):
            operation["summary"] = " ".join(operation["summary"].split()).capitalize()
        app.openapi_schema = schema
    return app.openapi_schema
