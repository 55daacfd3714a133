"""Open streams of one process, over gRPC and as server-sent events: each ends with its time, its token, or the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from kernel.core.faults import Fault, Unauthenticated, Unavailable
from kernel.edge.tokens.auth import Verifier
from kernel.runtime import telemetry

STREAM_LIMIT_S = 900.0
"""Longest life of a stream: a watcher reconnects after it, and its token is verified again."""
RECHECK_S = 5.0
"""Interval at which the tokens of open streams are verified again."""


@dataclass(slots=True, eq=False)
class OpenStream:
    """An open stream: the timeout that ends it, the token it was opened with, and why it ends, where its time is not over."""

    wait: asyncio.Timeout
    token: str
    why: Fault | None = None

    def end(self, why: Fault) -> None:
        if not self.wait.expired():
            self.why = self.why or why
            self.wait.reschedule(0)


class OpenStreams:
    """The streams of both edges, so that a revoked token and a stopping server end them all."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self.open: set[OpenStream] = set()
        self.stopping = False
        verifier.watchers.append(self.look_again)

    @asynccontextmanager
    async def lasting(self, token: str, left_s: float | None = None) -> AsyncIterator[None]:
        """Ends the block with the client's deadline (TimeoutError), the longest life of a stream, the token, or the server.

        `left_s` are the seconds to the client's deadline."""
        if self.stopping:
            raise Unavailable("server.stopping", retry_after_s=1)
        life_s, token_s = (
            min(STREAM_LIMIT_S if left_s is None else left_s, STREAM_LIMIT_S),
            self._verifier.left_s(token),
        )
        stream = None
        try:
            async with asyncio.timeout(min(life_s, token_s)) as wait:
                stream = OpenStream(wait, token, Unauthenticated("token.expired") if token_s < life_s else None)
                self.open.add(stream)
                telemetry.gauge("streams_open", len(self.open))
                yield
        except TimeoutError:
            if stream is not None and stream.why is not None:
                raise stream.why from None
            raise
        finally:
            if stream is not None:
                self.open.discard(stream)
            telemetry.gauge("streams_open", len(self.open))

    async def recheck(self) -> None:
        """Verifies the token of every open stream again, and ends the streams whose token is refused by now."""
        for stream in list(self.open):
            try:
                await self._verifier.verify(stream.token)
            except Unauthenticated as refused:
                stream.end(refused)

    def look_again(self) -> None:
        """Ends the streams whose token is revoked now."""
        for stream in list(self.open):
            if self._verifier.is_revoked(stream.token):
                stream.end(Unauthenticated("token.revoked", do="sign in again"))

    def end_all(self) -> None:
        """Ends all streams with Unavailable, so that their clients reconnect to another replica."""
        self.stopping = True
        for stream in list(self.open):
            stream.end(Unavailable("server.stopping", retry_after_s=1))

    async def run(self, stop: asyncio.Event) -> None:
        """Verifies tokens again every RECHECK_S until `stop`, which ends all streams."""
        while not stop.is_set():
            await self.recheck()
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK_S):
                    await stop.wait()
        self.end_all()
