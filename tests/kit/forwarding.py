"""A reverse proxy as gateways are: hands a request on and adds the address that called it to X-Forwarded-For."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import Request, Response
from starlette.applications import Starlette
from starlette.routing import Route

from kernel.runtime.http_server import http, listen

METHODS = ["GET", "HEAD", "PUT", "POST"]
OWN = {"host", "content-length", "transfer-encoding", "connection"}


@asynccontextmanager
async def forwarding(upstream: str) -> AsyncIterator[str]:
    """The address of a proxy in front of `upstream`, until the block ends."""
    bound, stop = listen("127.0.0.1", 0), asyncio.Event()
    async with httpx.AsyncClient(base_url=upstream) as client:

        async def hand_on(request: Request) -> Response:
            peer = request.client.host if request.client else "unknown"
            headers = [(name, value) for name, value in request.headers.items() if name not in OWN]
            headers = [pair for pair in headers if pair[0] != "x-forwarded-for"]
            before = request.headers.getlist("x-forwarded-for")
            headers.append(("x-forwarded-for", ", ".join([*before, peer])))
            query = f"?{request.url.query}" if request.url.query else ""
            path = f"{request.url.path}{query}"
            answer = await client.request(request.method, path, headers=headers, content=await request.body())
            made = Response(answer.content, answer.status_code)
            made.raw_headers = [pair for pair in answer.headers.raw if pair[0].lower() not in {b"content-encoding"}]
            return made

        proxy = Starlette(routes=[Route("/{path:path}", hand_on, methods=METHODS)])
        serving = asyncio.create_task(_serve(http(proxy, bound).serve, stop))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        stop.set()
        await serving


async def _serve(serve: object, stop: asyncio.Event) -> None:
    await serve(stop)  # type: ignore[operator]
