"""Commands through execute() with real decide, codec, idempotency and version checks, against pgbench -N on the same server."""

import asyncio
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kernel.database import Database
from kernel.ids import new_id
from kernel.log import Log
from kernel.migrate import first_tables
from kernel.writer import Writer
from tests.kit import counter
from tests.load.measure import Row, interleaved, percentile, ratio, say
from tests.load.place import Place
from tools.servers import PostgresServer

SECONDS = 4.0
COMMANDS_A_STREAM = 10
"""Then the client goes on to a new one: a collaboration has about as many from its offer to its settlement."""


@asynccontextmanager
async def writers(url: str, count: int) -> AsyncIterator[list[Writer]]:
    """`count` replicas on one fresh log."""
    databases = [Database(url, counter.metadata()) for _ in range(count)]
    async with databases[0].transaction() as connection:
        await connection.run_sync(databases[0].metadata.drop_all)
        await connection.run_sync(first_tables, databases[0].metadata)
    stop = asyncio.Event()
    made = [Writer("bench", Log(database), counter.deciders()) for database in databases]
    tasks = [asyncio.create_task(writer.run(stop)) for writer in made]
    try:
        yield made
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        for database in databases:
            await database.close()


async def drive(replicas: Sequence[Writer], clients: int, seconds: float) -> tuple[list[int], list[float]]:
    """Closed loop: each client sends its next command when the last is answered, COMMANDS_A_STREAM to each stream.

    Returns counts per replica, latencies in ms.
    """
    counts, latencies = [0] * len(replicas), []
    until = time.perf_counter() + seconds

    async def client(which: int) -> None:
        writer, number, own = replicas[which], 0, ""
        while (now := time.perf_counter()) < until:
            command = new_id()
            if number % COMMANDS_A_STREAM == 0:
                own = command  # a stream and an inline row that nobody has touched
            await writer.execute(f"counter-{own}", counter.Add(1, own), counter.meta(command))
            latencies.append((time.perf_counter() - now) * 1000)
            counts[which], number = counts[which] + 1, number + 1

    await asyncio.gather(*[client(number % len(replicas)) for number in range(clients)])
    return counts, latencies


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
    """Rows: 64 clients with p99, one client, two replicas and the smaller one's share, SQLite beside it."""
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
            async with writers(url, 1) as one:
                counts, latencies = await drive(one, clients, SECONDS)
            p99.append(percentile(latencies, 0.99))
            return sum(counts) / SECONDS

        async def theirs(clients: int = clients) -> float:
            return await pgbench_tps(server, other, clients, SECONDS)

        mine, others = await interleaved(ours, theirs)
        rows.append(
            Row(f"commands/s, {clients} client{'s' * (clients > 1)}", f"{statistics.median(mine):,.0f}/s",
                f"pgbench -N -c {clients}: {statistics.median(others):,.0f}/s", ratio(mine, others), floor, goal,
                note=f"p99 {statistics.median(p99):.1f} ms")
        )  # fmt: skip
    rows += await _replicas(url)
    say("writer on SQLite")
    async with writers(f"sqlite+aiosqlite:///{folder / 'bench.db'}", 1) as one:
        counts, _ = await drive(one, 64, SECONDS)
    mine_lite = counts[0] / SECONDS
    rows.append(Row("commands/s on SQLite, 64 clients", f"{mine_lite:,.0f}/s", "-", mine_lite / 1000, 1, 4, "k/s"))
    return rows


async def _replicas(url: str) -> list[Row]:
    say("two replicas on one log")
    shares: list[float] = []

    async def two() -> float:
        async with writers(url, 2) as pair:
            counts, _ = await drive(pair, 64, SECONDS)
        shares.append(min(counts) / sum(counts))
        return sum(counts) / SECONDS

    async def one() -> float:
        async with writers(url, 1) as single:
            return sum((await drive(single, 64, SECONDS))[0]) / SECONDS

    mine, others = await interleaved(two, one, 3)
    together = f"{statistics.median(mine):,.0f}/s"
    alone = f"one replica: {statistics.median(others):,.0f}/s"
    return [
        Row("two replicas together", together, alone, ratio(mine, others), 0.4, 0.6),
        Row("the slower replica's share", f"{min(shares):.0%}", "of both", min(shares), 1 / 3, 0.45),
    ]
