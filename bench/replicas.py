"""Two replicas of a writer on one log against one alone; each is a process, as it is deployed, with half of the clients."""

import asyncio
import statistics
import subprocess
import sys
from asyncio.subprocess import Process
from contextlib import suppress

from bench.measure import Row, interleaved, ratio, say
from bench.place import Place
from bench.writer import SECONDS, drive, empty, opened, serving
from kernel.core.ids import new_id
from kernel.runtime.loops import loop_factory
from kernel.runtime.roles import calm_collector
from tests.kit import counter

CLIENTS, ROUNDS = 64, 5
CHILD_S = 60.0


async def bench(place: Place) -> list[Row]:
    """Rows: what two do together, and the slower one's share of it in the worst round."""
    url = place.postgres.url(await place.postgres.create_database())
    say("two replicas on one log")
    shares: list[float] = []

    async def two() -> float:
        counts = await _counts(url, 2)
        shares.append(min(counts) / sum(counts))
        return sum(counts) / SECONDS

    async def one() -> float:
        return sum(await _counts(url, 1)) / SECONDS

    mine, others = await interleaved(two, one, ROUNDS)
    together = f"{statistics.median(mine):,.0f}/s"
    alone = f"one replica: {statistics.median(others):,.0f}/s"
    return [
        Row("two replicas together", together, alone, ratio(mine, others), 0.4, 0.6),
        Row("the slower replica's share", f"{min(shares):.0%}", "of both", min(shares), 1 / 3, 0.45),
    ]


async def _counts(url: str, replicas: int) -> list[int]:
    """Commands that each replica did on a fresh log, all begun at once."""
    async with opened(url) as database:
        await empty(database)
    command = [sys.executable, "-m", "bench.replicas", url, str(CLIENTS // replicas)]
    pipe = subprocess.PIPE
    children = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(replicas)]
    try:
        async with asyncio.timeout(CHILD_S):
            for child in children:
                await _line(child)
            for child in children:
                assert child.stdin is not None
                child.stdin.write(b"begin\n")
            counts = [int(await _line(child)) for child in children]
            for child in children:
                await child.wait()
            return counts
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                child.kill()


async def _line(child: Process) -> bytes:
    assert child.stdout is not None
    line = await child.stdout.readline()
    if not line:
        raise RuntimeError("a replica ended before it was done")
    return line


async def replica(url: str, clients: int) -> None:
    """Says when it is ready, begins when it is told, says how many commands it did."""
    calm_collector()
    async with opened(url) as database, serving(database) as writer:
        await writer.execute(counter.counter(), counter.Add(1, new_id()), counter.meta())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        done = await drive(writer, clients, SECONDS)
        sys.stdout.write(f"{len(done)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(replica(sys.argv[1], int(sys.argv[2])))
