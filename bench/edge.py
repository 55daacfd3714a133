"""The HTTP edge: a command route against the same route stripped and a bare ASGI app, and engagement in batches.

The server is a process of its own and the clients raw sockets in this one; a figure is requests per CPU second of the
server's process, so that the clients' share of the machine does not count.
"""

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any

import orjson

from bench.edge_server import BRAND
from bench.measure import Row, cpu_s, interleaved, ratio, say
from bench.place import Place, layout_of
from cli.layout import SERVICES
from kernel.core.clock import system_clock
from kernel.core.ids import derived_id, new_id
from tests.integration.campaigns.story import brief_body
from tools.servers.places import free_port
from tools.servers.run import Process

CLIENTS, SECONDS = 32, 3.0  # as many requests as one principal may have under way
ROWS_A_BATCH = 500
START_S = 60.0
Make = Callable[[], bytes]


def request(method: str, path: str, body: bytes, token: str) -> bytes:
    """A request as a client that keeps its connection sends it."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {new_id()}\r\n\r\n"
    ).encode() + body


async def answered(reader: asyncio.StreamReader) -> int:
    """Reads one answer; returns its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split(b" ", 2)[1])


async def load(port: int, make: Make, pid: int) -> float:
    """Requests per CPU second of the server, `CLIENTS` closed loops for `SECONDS`."""
    loop, done, before_s = asyncio.get_running_loop(), 0, cpu_s([pid])
    until = loop.time() + SECONDS

    async def client() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while loop.time() < until:
            writer.write(make())
            status = await answered(reader)
            if status >= 300:
                raise AssertionError(f"the server answered {status}")
            done += 1
        writer.close()

    await asyncio.gather(*[client() for _ in range(CLIENTS)])
    return done / (cpu_s([pid]) - before_s)


async def bench(place: Place) -> list[Row]:
    """Rows: the command route against the stripped one and the bare app; engagement in batches of 500."""
    say("HTTP edge")
    layout, port = layout_of(place.folder), free_port()
    migrated = [sys.executable, "-m", "cli", "migrate", "--data", str(layout.folder)]
    layout.save(0, "bench")
    made = await asyncio.create_subprocess_exec(*migrated, env=layout.environment(SERVICES[0]))
    assert await made.wait() == 0
    command = [sys.executable, "-m", "bench.edge_server", str(place.folder), str(port)]
    server = Process(command, place.folder / "edge.log", env=layout.environment("campaigns"))
    server.start()
    try:
        await listening(port + 3)
        return await _measured(layout, port, server.pid())
    finally:
        server.close()


async def listening(port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


async def _measured(layout: Any, port: int, pid: int) -> list[Row]:
    brand = layout.issuer().issue(BRAND.id, BRAND.tenant, "brand")
    operator = layout.issuer().issue("bench", "platform", "operator")
    draft = orjson.dumps({"brief": brief_body(), "terms": {}})
    batch = observations()

    def drafting() -> bytes:
        return request("PUT", f"/campaigns/{new_id()}", draft, brand)

    def on(number: int, make: Make = drafting) -> Callable[[], Awaitable[float]]:
        return lambda: load(port + number, make, pid)

    whole, bare = await interleaved(on(0), on(1), 3)
    again, fixed = await interleaved(on(0), on(3), 3)
    ingest, alone = await interleaved(on(2, lambda: request("POST", "/engagement", batch, operator)), on(3), 3)
    return [
        Row("a command over HTTP, with everything round it", _per_s(whole), f"the route stripped: {_per_s(bare)}",
            ratio(whole, bare), 0.5, 0.8, note=f"draft of {len(draft)} bytes; SQLite; a second of server CPU"),
        Row("a command over HTTP", _per_s(again), f"bare ASGI app: {_per_s(fixed)}", ratio(again, fixed), 0.03, 0.08),
        Row(f"engagement over HTTP, {ROWS_A_BATCH} a batch", f"{statistics.median(ingest) * ROWS_A_BATCH:,.0f} events/s",
            f"bare ASGI app: {_per_s(alone)}", ratio(ingest, alone) * ROWS_A_BATCH, 1, 5,
            note=f"events for a bare request; {_per_s(ingest)}"),
    ]  # fmt: skip


def _per_s(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} requests/s"


def observations() -> bytes:
    """A batch as a platform adapter sends it: rows of ten contents, a minute old."""
    at = (system_clock() - timedelta(minutes=1)).astimezone(UTC).isoformat(timespec="seconds")
    rows = [
        {"content_id": derived_id("bench", str(n % 10)), "metric": "views", "value": n, "observed_at": at}
        for n in range(ROWS_A_BATCH)
    ]
    return orjson.dumps({"rows": rows})
