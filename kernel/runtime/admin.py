"""Probes and metrics over HTTP on a port of their own (plain ASGI); the probes inside every API too."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import orjson

from kernel.runtime import http_server, telemetry
from kernel.runtime.health import Health, Report
from kernel.runtime.roles import POOLS, Role

JSON, TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"


def operations(health: Health, host: str, port: int) -> Role:
    """Role that serves probes and metrics on a port of their own. It ends with the pools, after all others have drained."""

    scrape = Scrape()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        found = None
        if scope["method"] in {"GET", "HEAD"}:
            path = scope["path"]
            found = (200, TEXT, await scrape.text()) if path == "/metrics" else await probe_response(health, path)
        status, kind, body = found or (404, TEXT, b"")
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return replace(http_server.http(app, http_server.listen(host, port)), name="operations", order=POOLS)


@dataclass(slots=True)
class Scrape:
    """The metrics as text, rendered in a thread: it takes longer than an event loop may be held. Scrapes at once share one."""

    _under_way: "asyncio.Task[bytes] | None" = None

    async def text(self) -> bytes:
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(asyncio.to_thread(telemetry.exposition))
        return await asyncio.shield(self._under_way)


async def probe_response(health: Health, path: str) -> tuple[int, str, bytes] | None:
    """Status, media type and body of a probe; None for any other path."""
    match path:
        case "/healthz/live":
            return _report(health.liveness())
        case "/healthz/ready":
            return _report(await health.readiness())
        case _:
            return None


def _report(report: Report) -> tuple[int, str, bytes]:
    body = orjson.dumps({"ok": report.ok, "checks": dict(report.checks)})
    return 200 if report.ok else 503, JSON, body
