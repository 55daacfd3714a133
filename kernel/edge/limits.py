"""Limits of requests: body size and requests under way (ASGI middleware), rates (token buckets), slots. Memory is bounded."""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.core.decider import Actor
from kernel.core.faults import Exhausted, Unavailable
from kernel.edge import http_errors

BODY_LIMIT_BYTES = 64 * 1024
LIVE_REQUESTS = 1_000


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


class LiveRequests:
    """Limit of requests under way: a request counts from the last byte of its body on, and not while it is being sent.

    So a client that sends half a request takes no place here: the server's time limits end it (kernel.runtime.http_server).
    `scope["state"]["held"]` is an ExitStack that is closed when the request ends.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self._limit, self._count = app, limit, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with ExitStack() as held:
            scope.setdefault("state", {})["held"] = held
            if not _has_body(scope) and not self._enter(held):
                busy = http_errors.problem_response(Unavailable("server.busy", retry_after_s=1), scope)
                await busy(scope, receive, send)
                return
            await self.app(scope, self._entering(receive, held) if _has_body(scope) else receive, send)

    def _enter(self, held: ExitStack) -> bool:
        if self._count >= self._limit:
            return False
        self._count += 1
        held.callback(self._leave)
        return True

    def _leave(self) -> None:
        self._count -= 1

    def _entering(self, receive: Receive, held: ExitStack) -> Receive:
        entered = False

        async def entering() -> Message:
            nonlocal entered
            message = await receive()
            if not entered and not message.get("more_body", False) and message["type"] == "http.request":
                entered = True
                if not self._enter(held):
                    raise HTTPException(503)  # the only exception FastAPI lets through while it reads a body
            return message

        return entering


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or _content_length(scope) > 0


@dataclass(frozen=True, slots=True)
class Share:
    """Places of a kind: at most so many for one principal, for one tenant, and in all."""

    per_principal: int
    per_tenant: int
    in_all: int


class Slots:
    """Places that calls or streams hold while they run, counted per principal, per tenant and in all."""

    def __init__(self, what: str, share: Share) -> None:
        """`what` begins the code of the refusal, e.g. "streams" in `streams.exhausted`."""
        self._what, self._share = what, share
        self._held: Counter[tuple[str, ...]] = Counter()

    @contextmanager
    def hold(self, actor: Actor) -> Iterator[None]:
        """A place until the block ends; raises Exhausted `<what>.exhausted` that names the limit that is used up."""
        places = {
            (): ("all", self._share.in_all),
            (actor.tenant,): ("tenant", self._share.per_tenant),
            (actor.tenant, actor.id): ("principal", self._share.per_principal),
        }
        for place, (of, limit) in reversed(places.items()):
            if self._held[place] >= limit:
                raise Exhausted(f"{self._what}.exhausted", of=of, limit=limit, retry_after_s=1)
        self._held.update(places.keys())
        try:
            yield
        finally:
            self._held.subtract(places.keys())
            for place in places:
                if not self._held[place]:
                    del self._held[place]

    @property
    def count(self) -> int:
        return self._held[()]


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
        """Takes `cost` tokens. With fewer left it takes none and also returns Exhausted `rate.exhausted` with `retry_after_s`.

        A cost above the burst is the burst: such a request waits for a full bucket.
        """
        cost, now = min(cost, self.rate.burst), self.now()
        tokens = self._tokens(principal, now)
        refused = tokens < cost
        self.held[principal] = (tokens if refused else tokens - cost, now)
        self.held.move_to_end(principal)
        if len(self.held) > self.limit:
            self.held.popitem(last=False)
        left = max(0, int(tokens) - cost)
        allowance = Allowance(self.rate, left, math.ceil((self.rate.burst - left) / self.rate.per_s))
        return allowance, self._exhausted(tokens, cost) if refused else None

    def wait_s(self, principal: Hashable) -> int:
        """Seconds until the principal has a token; 0 when it has one. Takes none."""
        tokens = self._tokens(principal, self.now())
        return 0 if tokens >= 1 else self._wait_s(tokens, 1)

    def _tokens(self, principal: Hashable, now: float) -> float:
        tokens, since = self.held.get(principal, (float(self.rate.burst), now))
        return min(self.rate.burst, tokens + (now - since) * self.rate.per_s)

    def _wait_s(self, tokens: float, cost: int) -> int:
        return max(1, math.ceil((cost - tokens) / self.rate.per_s))

    def _exhausted(self, tokens: float, cost: int) -> Exhausted:
        return Exhausted("rate.exhausted", burst=self.rate.burst, retry_after_s=self._wait_s(tokens, cost))
