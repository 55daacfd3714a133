"""Commands through execute() with real decide, codec, idempotency and version checks, against pgbench -N on the same server."""

import asyncio
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.measure import Row, interleaved, percentile, ratio, say
from bench.place import Place
from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.schema import first_tables
from kernel.core.ids import new_id
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from tests.kit import counter
from tools.servers import PostgresServer

SECONDS = 4.0
COMMANDS_A_STREAM = 10
"""Then the client goes on to a new one: a collaboration has about as many from its offer to its settlement."""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = database_at(url, counter.metadata())
    try:
        yield database
    finally:
        await database.close()


async def empty(database: Database) -> None:
    """Nothing of an earlier round is left."""
    async with database.transaction() as connection:
        await connection.run_sync(database.metadata.drop_all)
        await connection.run_sync(first_tables, database.metadata)


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[Writer]:
    """A writer on the log there, until the block ends."""
    writer, stop = Writer("bench", open_log(database), counter.deciders()), asyncio.Event()
    running = asyncio.create_task(writer.run(stop))
    try:
        yield writer
    finally:
        stop.set()
        await running


async def drive(writer: Writer, clients: int, seconds: float) -> list[float]:
    """Closed loop: each client sends its next command when the last is answered, COMMANDS_A_STREAM to each stream.

    Returns the milliseconds that each command took.
    """
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def client() -> None:
        number, own = 0, ""
        while (now := time.perf_counter()) < until:
            command = new_id()
            if number % COMMANDS_A_STREAM == 0:
                own = command  # a stream and an inline row that nobody has touched
            await writer.execute(f"counter-{own}", counter.Add(1, own), counter.meta(command))
            latencies.append((time.perf_counter() - now) * 1000)
            number += 1

    await asyncio.gather(*[client() for _ in range(clients)])
    return latencies


def pgbench() -> str:
    found = shutil.which("pgbench") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))), None)
    if found is None:
        raise FileNotFoundError("pgbench comes with Debian's postgresql package")
    return found


async def pgbench_tps(server: PostgresServer, database: str, clients: int, seconds: float) -> float:
    """`pgbench -N`: one small transaction per round trip, each with its own commit."""
    command = [pgbench(), "-N", "-n", "-c", str(clients), "-j", "1", "-T", str(int(seconds)), server.dsn(database)]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=120)
    line = next(line for line in run.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


async def bench(place: Place) -> list[Row]:
    """Rows: 64 clients with p99, one client, SQLite beside it."""
    server, folder = place.postgres, place.folder
    name, other = await server.create_database(), await server.create_database()
    await asyncio.to_thread(
        subprocess.run, [pgbench(), "-i", "-q", server.dsn(other)], capture_output=True, check=True, timeout=120
    )
    url, rows = server.url(name), []
    for clients, floor, goal in ((64, 4.0, 8.0), (1, 1.0, 2.0)):
        say(f"writer, {clients} clients")
        p99: list[float] = []

        async def ours(clients: int = clients, p99: list[float] = p99) -> float:
            async with opened(url) as database:
                await empty(database)
                async with serving(database) as writer:
                    latencies = await drive(writer, clients, SECONDS)
            p99.append(percentile(latencies, 0.99))
            return len(latencies) / SECONDS

        async def theirs(clients: int = clients) -> float:
            return await pgbench_tps(server, other, clients, SECONDS)

        mine, others = await interleaved(ours, theirs)
        rows.append(
            Row(f"commands/s, {clients} client{'s' * (clients > 1)}", f"{statistics.median(mine):,.0f}/s",
                f"pgbench -N -c {clients}: {statistics.median(others):,.0f}/s", ratio(mine, others), floor, goal,
                note=f"p99 {statistics.median(p99):.1f} ms")
        )  # fmt: skip
    say("writer on SQLite")
    async with opened(f"sqlite+aiosqlite:///{folder / 'bench.db'}") as database:
        await empty(database)
        async with serving(database) as writer:
            mine_lite = len(await drive(writer, 64, SECONDS)) / SECONDS
    rows.append(Row("commands/s on SQLite, 64 clients", f"{mine_lite:,.0f}/s", "-", mine_lite / 1000, 1, 4, "k/s"))
    return rows
