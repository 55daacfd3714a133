"""Requests of one address that are under way at once, bounded: one visitor's script leaves room for everybody else."""

from collections import Counter
from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LIVE_PER_ADDRESS = 200
"""A live page is a request as long as it is open; an office is one address."""


class LivePerAddress:
    """ASGI middleware: answers 503 to more. `client_of` says what counts as one address."""

    def __init__(self, app: ASGIApp, client_of: Callable[[str], str], limit: int = LIVE_PER_ADDRESS) -> None:
        self.app, self._client_of, self._limit = app, client_of, limit
        self._live: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope.get("client"):
            await self.app(scope, receive, send)
            return
        client = self._client_of(scope["client"][0])
        if self._live[client] >= self._limit:
            busy = PlainTextResponse("too many requests of this address are under way", 503, {"Retry-After": "1"})
            await busy(scope, receive, send)
            return
        self._live[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._live[client] -= 1
            if not self._live[client]:
                del self._live[client]
