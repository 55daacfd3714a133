"""What operators see of the console: probes and metrics on a port of their own, which no gateway leads to."""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METRICS = CollectorRegistry()
ProcessCollector(registry=METRICS)
PAGE_SECONDS = Histogram(
    "console_page_seconds", "Time of a request of the console by route and outcome", ("route", "outcome"), registry=METRICS,
    buckets=SECONDS,
)  # fmt: skip
SIGN_INS = Counter(
    "console_sign_ins_total", "Sign-ins by how they ended: ok, refused, away", ("outcome",), registry=METRICS
)
REFRESHES = Counter(
    "console_refreshes_total",
    "Refreshes of sessions by how they ended: ok, refused, away",
    ("outcome",),
    registry=METRICS,
)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Timed:
    """ASGI middleware, the outermost: how long each request took until its last byte, assets left out.

    A stream's time would say how long somebody watched: of streams the time to the head counts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/assets/"):
            await self.app(scope, receive, send)
            return
        began, status, took_s = time.perf_counter(), 500, -1.0

        async def sending(message: Message) -> None:
            nonlocal status, took_s
            if message["type"] == "http.response.start":
                status = message["status"]
                took_s = time.perf_counter() - began if _streams(message["headers"]) else -1.0
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            spent_s = took_s if took_s >= 0 else time.perf_counter() - began
            PAGE_SECONDS.labels(_route(scope), _outcome(status)).observe(spent_s)


def _streams(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)


def _route(scope: Scope) -> str:
    """The route's pattern, which has few values, and never the address, which has any."""
    return str(getattr(scope.get("route"), "path", "none"))


def _outcome(status: int) -> str:
    """`away`: a service or the provider did not answer; `failed`: the console broke."""
    if status >= 500:
        return "away" if status in (502, 503, 504) else "failed"
    return "refused" if status >= 400 else "ok"


def operations() -> Starlette:
    """`/healthz/live`, `/healthz/ready`, `/metrics`. The console is ready when it serves: of what it reads each page says itself
    whether it is away."""

    async def well(_: Request) -> Response:
        return JSONResponse({"ok": True})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(METRICS), media_type=MEDIA_TYPE)

    return Starlette(routes=[Route("/healthz/live", well), Route("/healthz/ready", well), Route("/metrics", metrics)])


def _begin_at_zero() -> None:
    """Series are there from the start: a rate over one that begins at 1 would miss the first."""
    for outcome in ("ok", "refused", "away"):
        SIGN_INS.labels(outcome)
        REFRESHES.labels(outcome)
    for outcome in ("ok", "refused", "away", "failed"):
        PAGE_SECONDS.labels("/", outcome)


_begin_at_zero()
