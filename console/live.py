"""Live parts of pages: a streaming query becomes server-sent events, each with the part of the page as it is now.

In a template: `<div data-live hx-sse:connect="/campaigns/.../live" hx-swap="innerHTML">`; the script says when the connection is
lost and takes it up again, and the stream begins with what is now.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import grpc
from fastapi.responses import StreamingResponse
from google.protobuf.message import Message

from console.calls.problems import of_call
from console.page import SignedIn

SILENCE_S = 15.0
"""After so long without an answer a comment is sent, by which both ends see that the connection is alive."""
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


def live(
    page: SignedIn, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, part: Callable[[A], str]
) -> StreamingResponse:
    """The stream; `part` makes the HTML of one answer."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(page, method, request, part), headers=headers, media_type="text/event-stream")


async def _events(
    page: SignedIn, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, part: Callable[[A], str]
) -> AsyncIterator[str]:
    call = method(request, metadata=(("authorization", f"Bearer {page.person.token}"),))
    answers = aiter(call)
    waited: asyncio.Future[A] | None = None
    try:
        while True:
            waited = waited or asyncio.ensure_future(anext(answers))
            done, _ = await asyncio.wait({waited}, timeout=SILENCE_S)
            if not done:
                yield ": alive\n\n"
                continue
            yield _event(part(waited.result()))
            waited = None
    except StopAsyncIteration:
        return
    except grpc.aio.AioRpcError as error:
        yield f"event: problem\ndata: {of_call(error).code}\n\n"
    finally:
        if waited is not None:
            waited.cancel()
        call.cancel()


def _event(html: str) -> str:
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
