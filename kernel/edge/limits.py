"""Limits at the edge: how large a body may be, and how often a principal may ask. Pure ASGI, bounded memory."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.core.faults import Exhausted
from kernel.edge import http_errors

BODY_LIMIT_BYTES = 64 * 1024


class BodyLimit:
    """Refuses bodies over the limit with 413: by Content-Length at once, else as soon as too much has come."""

    def __init__(self, app: ASGIApp, limit_bytes: int, by_prefix: Mapping[str, int]) -> None:
        """`by_prefix`: other limits in bytes for paths that begin so; the longest prefix counts."""
        self.app, self._limit_bytes = app, limit_bytes
        self._by_prefix = sorted(by_prefix.items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        if _announced(scope) > limit:
            refusal = http_errors.answer(Exhausted("body.too_large", limit_bytes=limit), scope)
            await refusal(scope, receive, send)
            return
        await self.app(scope, _counted(receive, limit), send)

    def limit_of(self, path: str) -> int:
        return next((limit for prefix, limit in self._by_prefix if path.startswith(prefix)), self._limit_bytes)


def _announced(scope: Scope) -> int:
    """Content-Length, 0 when absent; uvicorn has refused what is no number."""
    given = dict(scope["headers"]).get(b"content-length", b"0")
    return int(given) if given.isdigit() else 0


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413)  # the only exception FastAPI lets through while it reads a body
        return message

    return counted


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` requests a second in the long run, `burst` at once."""

    per_s: float = 50
    burst: int = 200


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after this request, and in how many seconds the bucket is full again."""

    rate: Rate
    left: int
    full_in_s: int

    def headers(self) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers."""
        window_s = math.ceil(self.rate.burst / self.rate.per_s)
        return {
            "RateLimit-Policy": f'"default";q={self.rate.burst};w={window_s}',
            "RateLimit": f'"default";r={self.left};t={self.full_in_s}',
        }


@dataclass(slots=True)
class Buckets:
    """A token bucket for each principal; past `limit` principals the one idle longest is forgotten (its bucket is full)."""

    rate: Rate = field(default_factory=Rate)
    limit: int = 20_000
    now: Callable[[], float] = time.monotonic
    held: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, principal: Hashable) -> tuple[Allowance, Exhausted | None]:
        """Takes one token; with none left also the Fault `rate.exhausted` with `retry_after_s`."""
        now = self.now()
        tokens, since = self.held.pop(principal, (float(self.rate.burst), now))
        tokens = min(self.rate.burst, tokens + (now - since) * self.rate.per_s)
        refused = tokens < 1
        self.held[principal] = (tokens if refused else tokens - 1, now)
        if len(self.held) > self.limit:
            self.held.popitem(last=False)
        left = max(0, int(tokens) - 1)
        allowance = Allowance(self.rate, left, math.ceil((self.rate.burst - left) / self.rate.per_s))
        return allowance, self._exhausted(tokens) if refused else None

    def _exhausted(self, tokens: float) -> Exhausted:
        wait_s = max(1, math.ceil((1 - tokens) / self.rate.per_s))
        return Exhausted("rate.exhausted", burst=self.rate.burst, retry_after_s=wait_s)
