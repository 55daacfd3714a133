"""A streaming query as server-sent events (WHATWG HTML, 9.2): an event per message, a comment while nothing happens.

What fails before the first message is answered as a problem with its status. What ends the stream after it is its last event,
`problem`, with the same JSON.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from starlette.types import Receive, Scope, Send

from kernel.core.decider import Actor
from kernel.core.faults import Fault, Unavailable
from kernel.edge import http_errors
from kernel.edge.admission import Admission, set_caller
from kernel.edge.tokens.first import bearer, identify

MEDIA_TYPE = "text/event-stream"
BEAT_S = 15.0
"""Interval of comments on a silent stream: proxies keep it open, and a client that hears nothing for longer has lost it."""
BEAT = b": nothing new\n\n"
BEGIN = b"retry: 1000\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who opens a stream, with what its life depends on. A stream takes a slot of its own."""

    actor: Actor
    token: str
    admission: Admission


async def watcher(
    request: Request, documented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Watcher:
    """The caller of a stream."""
    caller = await identify(request)
    set_caller(caller)
    admission: Admission = request.app.state.edge.admission
    return Watcher(caller, documented.credentials if documented else "", admission)


class EventStream(Response):
    """The answer that lasts: it ends with its client, its token, its time, or the server."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        request: Request,
        watcher: Watcher,
        items: AsyncGenerator[Any, None],
        told: Callable[[Any], dict[str, Any]],
        left_s: float | None,
    ) -> None:
        """`told` makes plain values of an item; `left_s` are the seconds to the client's deadline."""
        super().__init__()
        self._request, self._watcher, self._items, self._show, self._left_s = request, watcher, items, told, left_s
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._last(receive, send)
        except TimeoutError:
            await self._end(send, Unavailable("deadline.exceeded", retry_after_s=1))
        except Fault as fault:
            await self._end(send, fault)
        except Exception as error:
            if not self._has_begun:
                raise
            await self._send_problem(send, http_errors.unexpected(error, scope))

    async def _last(self, receive: Receive, send: Send) -> None:
        admission, token = self._watcher.admission, self._watcher.token
        with admission.streams.hold(self._watcher.actor):
            self._request.state.held.close()  # a stream has a place of its own, and takes none of a request under way
            async with admission.open.lasting(token, self._left_s), aclosing(self._items):
                gone = asyncio.ensure_future(_gone(receive))
                try:
                    async for event in self._events(gone):
                        await admission.verifier.verify(token)  # an event is sent while the token is good
                        await self._send(send, event)
                        if getattr(self._request.state, "head", False):
                            break
                finally:
                    gone.cancel()
        if self._has_begun:
            await send({"type": "http.response.body", "body": b""})

    async def _events(self, gone: "asyncio.Future[None]") -> AsyncIterator[bytes]:
        """Events until the items or the client end; a beat where nothing comes for BEAT_S."""
        while not gone.done():
            coming = asyncio.ensure_future(anext(self._items, None))
            try:
                while not coming.done() and not gone.done():
                    await asyncio.wait({coming, gone}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done() and self._has_begun:
                        yield BEAT
                item = coming.result() if coming.done() else None
            finally:
                await _ended(coming)
            if item is None:
                return
            yield b"data: " + orjson.dumps(self._show(item)) + b"\n\n"

    async def _send(self, send: Send, event: bytes) -> None:
        if not self._has_begun:
            self._has_begun = True
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            event = BEGIN + event
        await send({"type": "http.response.body", "body": event, "more_body": True})

    async def _end(self, send: Send, fault: Fault) -> None:
        """Before the first event: the problem is the answer; after it: the last event."""
        if not self._has_begun:
            raise fault
        if fault.kind in {"internal", "poison"}:
            await self._send_problem(send, http_errors.unexpected(fault, self._request.scope))
        else:
            await self._send_problem(send, http_errors.problem_response(fault, self._request.scope))

    async def _send_problem(self, send: Send, problem: Response) -> None:
        event = b"event: problem\ndata: " + bytes(problem.body) + b"\n\n"
        await send({"type": "http.response.body", "body": event})


async def _gone(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] == "http.request":
        continue


async def _ended(coming: "asyncio.Future[Any]") -> None:
    """Ends the wait for an item: a generator that still runs cannot be closed."""
    coming.cancel()
    await asyncio.wait({coming})
    with suppress(asyncio.CancelledError):
        coming.exception()
