"""Accepted commands until their rows are committed in another service's read model, at 2,000 a second offered in open loop.

Two processes, as deployed they are three: this one offers load and is the writer; the other is the first service's relay,
woken by NOTIFY, and the second service's projector on a database of its own. Kafka lies between.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bench.measure import Row, percentile, say
from bench.place import Place
from bench.projector import fresh
from kernel.adapters.bus import TopicPartition
from kernel.adapters.kafka import KafkaBus, KafkaReader
from kernel.adapters.opening import database_at
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.host.app import App, Service, open_app, run_migrations
from kernel.processors.projector import Projector
from kernel.runtime.loops import loop_factory
from kernel.runtime.roles import Role, run
from kernel.runtime.settings import Settings
from kernel.runtime.wakeup import wait
from kernel.streams.consumer import Consumer
from kernel.streams.records import PartitionBatch
from tests.kit import counter, toy
from tests.kit.running import settings_in

MAKER = Service(
    name="makers", metadata=counter.metadata, migrations=toy.SERVICE.migrations, codec=counter.CODEC,
    deciders=[counter.COUNTER], publish=counter.publish, http=toy.make_api,
    inlines=[counter.TOTALS, counter.DEADLINES],
)  # fmt: skip
OFFERED_PER_S, SECONDS, WARM_S, ROUNDS = 2_000, 6, 1, 3
STREAMS = 500
CHILD_S = 60.0
Seen = dict[int, float]
"""Position: when its row was committed, on the machine's monotonic clock in seconds."""


async def bench(place: Place) -> list[Row]:
    """Two rows: the median and the 99th percentile from execute's answer; from submitting in the notes."""
    found = []
    for number in range(ROUNDS):
        say(f"  visible, round {number + 1} of {ROUNDS}")
        found.append(await _round(place, number))
    accepted, submitted, rates = zip(*found, strict=True)
    about = f"{OFFERED_PER_S:,}/s offered, {statistics.median(rates):,.0f}/s done"
    rows = []
    for name, share, floor, goal in (("p50", 0.5, 15, 5), ("p99", 0.99, 50, 15)):
        value = statistics.median(percentile(each, share) for each in accepted)
        since = statistics.median(percentile(each, share) for each in submitted)
        note = f"{about}; {since:.1f} ms from submitting"
        rows.append(
            Row(f"accepted -> visible in another service, {name}", f"{value:.1f} ms", "-", value, floor, goal, " ms",
                lower=True, note=note)
        )  # fmt: skip
    return rows


async def _round(place: Place, number: int) -> tuple[list[float], list[float], float]:
    """Milliseconds from answer and from submit to visible, and commands a second that were answered."""
    folder = place.folder / f"visible-{number}"
    folder.mkdir()
    first, second = [place.postgres.url(await place.postgres.create_database()) for _ in range(2)]
    maker = f"makers{number}"  # topics of its own
    await run_migrations(replace(MAKER, name=maker), _settings(folder, first, place.kafka.url))
    command = [sys.executable, "-m", "bench.visible", maker, str(folder), first, second, place.kafka.url]
    child = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(CHILD_S):
            if not await child.stdout.readline():
                raise RuntimeError("the relay and projector did not start")
            sent, rate = await _offer(first)
            child.stdin.write(f"{len(sent)}\n".encode())
            seen = dict(json.loads(await child.stdout.readline()))
            child.terminate()
            await child.wait()
    finally:
        with suppress(ProcessLookupError):
            child.kill()
    after = [(position, at, done) for position, at, done in sent if at >= sent[0][1] + WARM_S]
    accepted = [(seen[position] - done) * 1000 for position, _, done in after]
    return accepted, [(seen[position] - at) * 1000 for position, at, _ in after], rate


async def _offer(url: str) -> tuple[list[tuple[int, float, float]], float]:
    """(position, submitted, answered) of every command, and how many were answered a second."""
    database = database_at(url, counter.metadata())
    writer, stop = Writer(MAKER.name, open_log(database), counter.deciders(12)), asyncio.Event()
    serving = asyncio.create_task(writer.run(stop))
    streams = [counter.counter() for _ in range(STREAMS)]
    sent: list[tuple[int, float, float]] = []

    async def one(number: int) -> None:
        at = time.monotonic()
        receipt = await writer.execute(
            streams[number % STREAMS], counter.Add(1, f"owner-{number % STREAMS}"), counter.meta()
        )
        sent.append((receipt.position, at, time.monotonic()))

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(OFFERED_PER_S * SECONDS):
            late_s = time.monotonic() - began - number / OFFERED_PER_S
            if late_s < 0:
                await asyncio.sleep(-late_s)
            group.create_task(one(number))
    rate = len(sent) / (time.monotonic() - began)
    stop.set()
    await serving
    await database.close()
    return sent, rate


def _settings(folder: Path, database_url: str, bus_url: str) -> Settings:
    return settings_in(folder, Settings, database_url=database_url, bus_url=bus_url, http_port=0)


class View:
    """The second service's projector, which notes when each position was committed."""

    def __init__(self, app: App, url: str) -> None:
        self.database = database_at(url, counter.metadata())
        self.projector = Projector(counter.foreign_sums(app.service.name), 1, self.database)
        self.seen: Seen = {}
        self.consumer = Consumer(
            self.projector.consumer, self.database, self._handle, service="viewers", bus=app.bus,
            decode=counter.decode_event, topics=self.projector.projection.topics,
        )  # fmt: skip

    async def _handle(self, parts: Sequence[PartitionBatch]) -> None:
        await self.projector.handle(parts)
        at = time.monotonic()
        self.seen |= {inbound.position: at for part in parts for inbound in part.admitted.fresh}


class ReadingBus(KafkaBus):
    """Says when the first reader stood at its offsets."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.reading = asyncio.Event()

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> KafkaReader:
        reader = await super().reader(positions, group)
        self.reading.set()
        return reader


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve(maker: str, folder: Path, first: str, second: str, bus_url: str) -> int:
    """The first service's relay and the second's projector, until told how many events there are and all were seen."""
    bus = ReadingBus(bus_url)
    app = open_app(replace(MAKER, name=maker), _settings(folder, first, bus_url), bus)
    roles = await app.roles(["relay"])
    view = View(app, second)
    await fresh(view.database, view.projector.projection)

    async def told(stop: asyncio.Event) -> None:
        await bus.reading.wait()
        _say("ready")
        count, woken = int(await asyncio.to_thread(sys.stdin.readline)), view.projector.progress.listen()
        while len(view.seen) < count and not stop.is_set():
            woken.clear()
            await wait(woken, 1.0)
        _say(json.dumps(list(view.seen.items())))
        await stop.wait()

    return await run([*roles, Role("view", view.consumer.run), Role("told", told)])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
    os._exit(0)
