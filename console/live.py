"""Live parts of pages: a streaming query becomes server-sent events, each with the part of the page as it is now.

In a template: `<div data-live hx-sse:connect="/campaigns/.../live" hx-swap="innerHTML">`; the script says when the connection is
lost and takes it up again, and the stream begins with what is now.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc
from fastapi.responses import StreamingResponse
from google.protobuf.message import Message

from console.calls.problems import Problem, of_call
from console.page import SignedIn

SILENCE_S = 15.0
"""After so long without an answer a comment is sent, by which both ends see that the connection is alive."""
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


async def live(
    page: SignedIn, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, part: Callable[[A], Awaitable[str]]
) -> StreamingResponse:
    """The stream, once its first answer is there; `part` makes the HTML of one and may ask for more on its way.

    Raises the Problem of a query that is refused.
    """
    call = method(request, metadata=(("authorization", f"Bearer {page.person.token}"),))
    answers = aiter(call)
    try:
        first = await anext(answers, None)
    except grpc.aio.AioRpcError as error:
        raise of_call(error) from error
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = _events(call, answers, first, part)
    return StreamingResponse(told, headers=headers, media_type="text/event-stream")


async def _events(
    call: grpc.aio.UnaryStreamCall[Q, A],
    answers: AsyncIterator[A],
    first: A | None,
    part: Callable[[A], Awaitable[str]],
) -> AsyncIterator[str]:
    waited: asyncio.Future[A] | None = None
    try:
        if first is not None:
            yield _event(await part(first))
        while True:
            waited = waited or asyncio.ensure_future(anext(answers))
            done, _ = await asyncio.wait({waited}, timeout=SILENCE_S)
            if not done:
                yield ": alive\n\n"
                continue
            yield _event(await part(waited.result()))
            waited = None
    except StopAsyncIteration:
        return
    except grpc.aio.AioRpcError as error:
        yield _refused(of_call(error))
    except Problem as problem:
        yield _refused(problem)
    finally:
        if waited is not None:
            waited.cancel()
        call.cancel()


def _refused(problem: Problem) -> str:
    return f"event: problem\ndata: {problem.code}\n\n"


def _event(html: str) -> str:
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
