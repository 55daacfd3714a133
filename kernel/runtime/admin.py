"""Probes and metrics: on a port of their own (plain ASGI: FastAPI is for processes with an API), and in every API."""

from dataclasses import replace
from typing import Any

import orjson

from kernel.runtime import roles, telemetry
from kernel.runtime.health import Health, Report
from kernel.runtime.roles import POOLS, Role

JSON, TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"


def operations(health: Health, host: str, port: int) -> Role:
    """The role that answers probes and metrics on a port of their own until the very end of a drain."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        found = await answer(health, scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        status, kind, body = found or (404, TEXT, b"")
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return replace(roles.http(app, roles.listen(host, port)), name="operations", order=POOLS)


async def answer(health: Health, path: str) -> tuple[int, str, bytes] | None:
    """Status, media type and body; None for another path. Live: work that waits moves on. Ready: a request's needs answer."""
    match path:
        case "/healthz/live":
            return _probed(health.liveness())
        case "/healthz/ready":
            return _probed(await health.readiness())
        case "/metrics":
            return 200, TEXT, telemetry.exposition()
        case _:
            return None


def _probed(report: Report) -> tuple[int, str, bytes]:
    body = orjson.dumps({"ok": report.ok, "checks": dict(report.checks)})
    return 200 if report.ok else 503, JSON, body
