"""A search reply of 20 hits against an empty unary call on the same server: both with token, deadline, trace and metrics.

Figures are calls per CPU second of the server's process; the clients are another process's.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub

from bench.edge import listening
from bench.grpc_server import EMPTY
from bench.measure import Row, cpu_s, interleaved, ratio, say
from bench.place import Place, layout_of
from kernel.core.decider import Actor, Meta
from kernel.core.ids import new_id
from kernel.host.app import open_app, run_migrations
from services.discovery.domain.commands import RegisterCreator
from services.discovery.domain.profile import Account, Platform, Profile
from services.discovery.rest.sealing import Sealer
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE
from tests.kit.until import until
from tools.servers.places import free_port
from tools.servers.run import Process

CREATORS, HITS, CLIENTS, SECONDS = 300, 20, 16, 3.0
START_S = 60.0
OPERATOR = Actor("bench", "platform", frozenset({"operator"}))


async def register(layout: Any) -> None:
    """Creators to be found, by commands of their own."""
    settings = DiscoverySettings(**layout.settings("discovery"))
    await run_migrations(SERVICE, settings)
    app, stop = open_app(SERVICE, settings), asyncio.Event()
    writing = asyncio.create_task(app.writer.run(stop))
    commands = [_registration(number) for number in range(CREATORS)]
    keys = await Sealer(app.database, app.personal).keys([command.creator_id for command, _ in commands])
    executing = [
        app.writer.execute(f"creator-{command.creator_id}", command, meta, key=keys[command.creator_id])
        for command, meta in commands
    ]
    await asyncio.gather(*executing)
    stop.set()
    await writing
    await app.close()


def _registration(number: int) -> tuple[RegisterCreator, Meta]:
    creator_id = new_id()
    profile = Profile("r1", categories=("美妆/口红",), languages=("zh",), country="CN", city="上海")
    command = RegisterCreator(creator_id, profile, (Account(Platform.DOUYIN, f"bench_{number}"),))
    return command, Meta(new_id(), OPERATOR)


@asynccontextmanager
async def served(place: Place) -> AsyncIterator[tuple[int, int, str]]:
    """Port and pid of the server, and a token."""
    layout, port = layout_of(place.folder), free_port()
    await register(layout)
    command = [sys.executable, "-m", "bench.grpc_server", str(place.folder), str(port)]
    server = Process(command, place.folder / "grpc.log", env=layout.environment("discovery"))
    server.start()
    try:
        await listening(port)
        yield port, server.pid(), layout.issuer().issue(OPERATOR.id, OPERATOR.tenant, *OPERATOR.roles)
    finally:
        server.close()


async def calls(ask: Callable[[], Any], pid: int) -> float:
    """Calls per CPU second of the server, `CLIENTS` closed loops for `SECONDS`."""
    loop, done, before_s = asyncio.get_running_loop(), 0, cpu_s([pid])
    until = loop.time() + SECONDS

    async def client() -> None:
        nonlocal done
        while loop.time() < until:
            await ask()
            done += 1

    await asyncio.gather(*[client() for _ in range(CLIENTS)])
    return done / (cpu_s([pid]) - before_s)


async def bench(place: Place) -> list[Row]:
    """One row."""
    say("gRPC")
    async with served(place) as (port, pid, token), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        told = (("authorization", f"Bearer {token}"),)
        request = pb.SearchCreatorsRequest(categories=["美妆"], page_size=HITS)
        search, empty = (
            CreatorQueryServiceStub(channel).SearchCreators,
            channel.unary_unary(f"/{EMPTY}/Ask", None, None),
        )

        async def shown() -> bool:
            return (await search(request, metadata=told, timeout=10)).total == CREATORS

        await until(shown, START_S)
        found = await search(request, metadata=told, timeout=10)
        assert len(found.hits) == HITS
        hits, nothing = await interleaved(
            lambda: calls(lambda: search(request, metadata=told, timeout=10), pid),
            lambda: calls(lambda: empty(b"", metadata=told, timeout=10), pid), 3,
        )  # fmt: skip
    here, there = (f"{statistics.median(each):,.0f} calls/s" for each in (hits, nothing))
    size = f"{found.ByteSize():,} bytes, asked again within half a second; a second of server CPU"
    return [
        Row(
            "gRPC, a search reply of 20 hits", here, f"empty unary: {there}", ratio(hits, nothing), 0.7, 0.95, note=size
        )
    ]
