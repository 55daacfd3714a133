"""Probes and metrics over HTTP: on a port of their own for processes without an API (plain ASGI), and inside every API."""

from dataclasses import replace
from typing import Any

import orjson

from kernel.runtime import roles, telemetry
from kernel.runtime.health import Health, Report
from kernel.runtime.roles import POOLS, Role

JSON, TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"


def operations(health: Health, host: str, port: int) -> Role:
    """Role that serves probes and metrics on a port of their own. It ends with the pools, after all others have drained."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        found = await probe_response(health, scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        status, kind, body = found or (404, TEXT, b"")
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return replace(roles.http(app, roles.listen(host, port)), name="operations", order=POOLS)


async def probe_response(health: Health, path: str) -> tuple[int, str, bytes] | None:
    """Status, media type and body of a probe or of the metrics; None for any other path."""
    match path:
        case "/healthz/live":
            return _report(health.liveness())
        case "/healthz/ready":
            return _report(await health.readiness())
        case "/metrics":
            return 200, TEXT, telemetry.exposition()
        case _:
            return None


def _report(report: Report) -> tuple[int, str, bytes]:
    body = orjson.dumps({"ok": report.ok, "checks": dict(report.checks)})
    return 200 if report.ok else 503, JSON, body
