"""Half-sent requests: heads and bodies that never end hold nobody up, and end themselves after a bounded time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.edge.incoming import principal_of
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.http_server import Connections, HttpLimits, LimitedProtocol, http, listen
from tests.kit.notes import ID, make_app
from tests.kit.until import until, within

HEAD = b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n"
BODY = b"POST /ingest/rows HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
LONG_S = 600.0


@asynccontextmanager
async def served(app: Any, limits: HttpLimits) -> AsyncIterator[int]:
    bound, stop = listen("127.0.0.1", 0), asyncio.Event()
    port: int = bound.getsockname()[1]
    role = http(app, bound, limits=limits, grace_s=1)
    serving = asyncio.create_task(_serve(role.serve, stop))
    try:
        await until(lambda: is_served(port))
        yield port
    finally:
        stop.set()
        await serving


async def _serve(serve: Callable[[asyncio.Event], Any], stop: asyncio.Event) -> None:
    await serve(stop)


async def is_served(port: int) -> bool:
    """Whether a client without a connection yet is answered."""
    try:
        async with httpx.AsyncClient() as client, within(10):
            return (await client.get(f"http://127.0.0.1:{port}/healthz/live")).status_code == 200
    except httpx.TransportError:
        return False


async def half_sent(port: int, text: bytes, address: str = "127.0.0.1") -> tuple[asyncio.StreamReader, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(text)
    await writer.drain()
    return reader, writer


async def ending(reader: asyncio.StreamReader) -> bytes:
    """What the server says before it closes; b"" for a connection that it drops."""
    async with within(30):
        try:
            return await reader.read()
        except (ConnectionResetError, BrokenPipeError):
            return b""


@pytest.fixture
def app(tmp_path: Path, issuer: Issuer) -> Any:
    return make_app(tmp_path, [], live_requests=3)


@pytest.mark.parametrize("text", [HEAD, BODY, b""], ids=["head", "body", "nothing"])
async def test_more_half_sent_requests_than_there_are_places_stop_nobody(app: Any, text: bytes) -> None:
    """The attack of one address, and of several: who comes then and sends a whole request is answered."""
    limits = HttpLimits(head_s=LONG_S, body_s=LONG_S, connections=60, connections_per_address=20)
    async with served(app, limits) as port:
        held = [await half_sent(port, text, f"127.0.0.{2 + n % 5}") for n in range(200)]
        assert await is_served(port)
        held += [await half_sent(port, text) for _ in range(50)]
        assert await is_served(port)
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize(("text", "stage"), [(HEAD, b"head"), (BODY, b"body"), (b"", b"head")], ids=["h", "b", "n"])
async def test_a_half_sent_request_is_ended_in_time(app: Any, text: bytes, stage: bytes) -> None:
    async with served(app, HttpLimits(head_s=0.2, body_s=0.2)) as port:
        reader, writer = await half_sent(port, text)
        answer = await ending(reader)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request.too_slow"' in answer
        assert stage in answer
        writer.close()


async def test_a_request_that_trickles_is_ended_in_time(app: Any) -> None:
    """A byte now and then renews no limit."""
    async with served(app, HttpLimits(head_s=0.3, body_s=0.3)) as port:
        for text in (HEAD, BODY):
            reader, writer = await half_sent(port, text)
            answer = asyncio.create_task(ending(reader))
            async with within(30):
                while not answer.done():
                    writer.write(b"x" if text is BODY else b"X-A: b\r\n")
                    await asyncio.sleep(0.02)
            assert answer.result() == b"" or answer.result().startswith(b"HTTP/1.1 408 ")
            writer.close()


async def test_the_second_request_of_a_connection_has_its_limit_too(app: Any) -> None:
    async with served(app, HttpLimits(head_s=0.2, keep_alive_s=int(LONG_S))) as port:
        reader, writer = await half_sent(port, HEAD + b"\r\n" + HEAD)
        answer = await ending(reader)
        assert answer.startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_empty_lines_between_requests_renew_no_limit(app: Any) -> None:
    """The answer is read first: a line that crosses the end makes it a reset, which drops what is unread."""
    async with served(app, HttpLimits(head_s=1, keep_alive_s=int(LONG_S))) as port:
        reader, writer = await half_sent(port, HEAD + b"\r\n")
        async with within(30):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            rest = asyncio.create_task(ending(reader))
            while not rest.done():
                writer.write(b"\r\n")
                await asyncio.sleep(0.02)
        await rest
        writer.close()


async def test_who_is_being_answered_on_many_connections_keeps_nobody_out() -> None:
    """None of its connections waits; a client with fewer has one that does."""
    answering, go_on = Answering(), asyncio.Event()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            answering.count += 1
            await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with served(app, HttpLimits(head_s=LONG_S, connections=6)) as port:
        slow = HEAD.replace(b"/healthz/live", b"/slow") + b"\r\n"
        held = [await half_sent(port, HEAD, "127.0.0.3"), *[await half_sent(port, slow, "127.0.0.2") for _ in range(5)]]
        await until(answering.has_five)
        assert await is_served(port)
        go_on.set()
        for _, writer in held:
            writer.close()


class Answering:
    count = 0

    async def has_five(self) -> bool:
        return self.count == 5


def test_a_customer_of_a_provider_is_one_address_however_many_it_has() -> None:
    known = Connections(HttpLimits(connections_per_address=3, client_of=principal_of))
    admitted = [known.admit(Busy(known, f"2001:db8:1:2::{n:x}")) for n in range(5)]
    assert admitted == [True] * 3 + [False] * 2
    assert known.admit(Busy(known, "2001:db8:1:3::1"))


class Busy(LimitedProtocol):
    """A connection that is being answered."""

    def __init__(self, known: Connections, address: str) -> None:
        self.address, self.client_key = address, known.limits.client_of(address)

    @property
    def is_waiting(self) -> bool:
        return False


async def test_a_head_without_end_is_refused(app: Any) -> None:
    async with served(app, HttpLimits(head_s=LONG_S, head_bytes=4_000)) as port:
        reader, writer = await half_sent(port, HEAD)
        for _ in range(5):
            writer.write(b"X-A: " + b"b" * 900 + b"\r\n")
            await asyncio.sleep(0.01)
        assert (await ending(reader)).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_body_that_is_answered_before_it_is_whole_ends_too(app: Any) -> None:
    """413 is said at once; the rest of the body has the body's time."""
    async with served(app, HttpLimits(body_s=0.2, keep_alive_s=int(LONG_S))) as port:
        reader, writer = await half_sent(port, BODY.replace(b"900", b"90000"))
        answer = await ending(reader)
        assert answer.startswith(b"HTTP/1.1 413 ")
        writer.close()


async def test_a_client_that_does_not_read_its_answer_is_ended() -> None:
    async def endless(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while len(sent) < 10_000:
            sent.append(1)
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        ended.set()

    sent: list[int] = []
    ended = asyncio.Event()
    bound, stop = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(_serve(http(endless, bound, limits=HttpLimits(answer_s=0.2), grace_s=1).serve, stop))
    bound.listen()
    with socket.create_connection(bound.getsockname()) as unread:
        unread.sendall(HEAD + b"\r\n")
        async with within(30):
            await ended.wait()
    stop.set()
    await serving


async def test_live_requests_are_counted_and_not_those_that_are_being_sent(app: Any) -> None:
    """The app takes three at once: bodies on their way are none of them, so a whole request is answered beside forty."""
    async with served(app, HttpLimits(head_s=LONG_S, body_s=LONG_S)) as port:
        held = [await half_sent(port, BODY) for _ in range(40)]
        async with httpx.AsyncClient() as client, within(30):
            answer = await client.put(f"http://127.0.0.1:{port}/notes/{ID}", json={})
        assert answer.status_code == 401
        for _, writer in held:
            writer.close()


async def test_a_trusted_proxy_may_bring_more_than_an_address(app: Any) -> None:
    limits = HttpLimits(head_s=LONG_S, connections_per_address=5, is_exempt=lambda address: address == "127.0.0.1")
    async with served(app, limits) as port:
        held = [await half_sent(port, HEAD) for _ in range(20)]
        for _, writer in held:
            writer.write(b"\r\n")
        for reader, writer in held:
            async with within(30):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
