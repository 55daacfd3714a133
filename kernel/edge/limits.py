"""Limits of requests: body size (ASGI middleware) and rate per principal (token buckets). Memory is bounded."""

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
    """Body size limit: answers 413 at once when Content-Length exceeds the limit, else as soon as the bytes read exceed it."""

    def __init__(self, app: ASGIApp, limit_bytes: int, by_prefix: Mapping[str, int]) -> None:
        """`by_prefix` maps a path prefix to its own limit in bytes; of several matching prefixes the longest wins."""
        self.app, self._limit_bytes = app, limit_bytes
        self._by_prefix = sorted(by_prefix.items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        if _content_length(scope) > limit:
            too_large = http_errors.problem_response(Exhausted("body.too_large", limit_bytes=limit), scope)
            await too_large(scope, receive, send)
            return
        await self.app(scope, _counting(receive, limit), send)

    def limit_of(self, path: str) -> int:
        return next((limit for prefix, limit in self._by_prefix if path.startswith(prefix)), self._limit_bytes)


def _content_length(scope: Scope) -> int:
    """Content-Length, 0 when absent; uvicorn has already refused a value that is no number."""
    given = dict(scope["headers"]).get(b"content-length", b"0")
    return int(given) if given.isdigit() else 0


def _counting(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise HTTPException(413)  # the only exception FastAPI lets through while it reads a body
        return message

    return counting


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate limit: `per_s` requests a second in the long run, `burst` requests at once."""

    per_s: float = 50
    burst: int = 200


@dataclass(frozen=True, slots=True)
class Allowance:
    """State of a bucket after a request: tokens left, and seconds until the bucket is full again."""

    rate: Rate
    left: int
    full_in_s: int

    def headers(self) -> dict[str, str]:
        """Response headers of draft-ietf-httpapi-ratelimit-headers."""
        window_s = math.ceil(self.rate.burst / self.rate.per_s)
        return {
            "RateLimit-Policy": f'"default";q={self.rate.burst};w={window_s}',
            "RateLimit": f'"default";r={self.left};t={self.full_in_s}',
        }


@dataclass(slots=True)
class Buckets:
    """Token bucket per principal. Past `limit` principals the one idle longest is dropped, because its bucket is full anyway."""

    rate: Rate = field(default_factory=Rate)
    limit: int = 20_000
    now: Callable[[], float] = time.monotonic
    held: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, principal: Hashable, cost: int = 1) -> tuple[Allowance, Exhausted | None]:
        """Takes `cost` tokens, at most a full bucket. Without so many left it also returns Exhausted `rate.exhausted` with
        `retry_after_s`."""
        now, cost = self.now(), min(cost, self.rate.burst)
        tokens, since = self.held.pop(principal, (float(self.rate.burst), now))
        tokens = min(self.rate.burst, tokens + (now - since) * self.rate.per_s)
        refused = tokens < cost
        self.held[principal] = (tokens if refused else tokens - cost, now)
        if len(self.held) > self.limit:
            self.held.popitem(last=False)
        left = max(0, int(tokens) - cost)
        allowance = Allowance(self.rate, left, math.ceil((self.rate.burst - left) / self.rate.per_s))
        return allowance, self._exhausted(tokens, cost) if refused else None

    def _exhausted(self, tokens: float, cost: int) -> Exhausted:
        wait_s = max(1, math.ceil((cost - tokens) / self.rate.per_s))
        return Exhausted("rate.exhausted", burst=self.rate.burst, retry_after_s=wait_s)
