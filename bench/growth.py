"""What an event costs when there is ten times as much parallelism or a hundred times as much data as before.

Costs are CPU seconds of this process and of PostgreSQL together: on a shared machine wall time measures the neighbours.
Keys grow at the end, as the time-leading ids of the product do, and the newest are the ones that change.
"""

import os
import statistics
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from bench.measure import Row, cpu_s, interleaved, say
from bench.place import Place
from bench.writer import drive, serving
from kernel.adapters.bus import BusRecord
from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.schema import first_tables
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.clock import system_clock
from kernel.core.events import Recorded
from kernel.core.ids import derived_id, partition_of
from kernel.eventlog.opening import open_log
from kernel.processors.projector import Projection, Projector, physical
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.records import OWN_LOG, Topic, of_log, of_topic, read_records
from kernel.streams.relay import Checkpoint, Relay
from tests.kit import counter
from tools.servers import PostgresServer
from tools.servers.run import Process, family

SERVICE, TOPIC = "bench", Topic("bench.events.v1")
EVENTS, BATCH, STREAMS = 30_000, 5_000, 3_000
FEW_PARTITIONS, MANY_PARTITIONS = 12, 120
SMALL_ROWS, LARGE_ROWS = 10_000, 1_000_000
COPY_ROWS = 50_000
APPEND_S = 3.0


class Spent:
    """CPU seconds of this process, and of the server's processes where it runs on this machine."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._since_s = self._now_s()

    def us_per(self, events: int) -> float:
        return (self._now_s() - self._since_s) / events * 1e6

    def _now_s(self) -> float:
        runner = self._server.runner
        return cpu_s([os.getpid(), *(family(runner.pid()) if isinstance(runner, Process) else [])])


async def fresh(server: PostgresServer) -> Database:
    """A database with the kernel's tables."""
    made = database_at(server.url(await server.create_database()), counter.metadata())
    async with made.transaction() as connection:
        await connection.run_sync(first_tables, made.metadata)
    return made


async def copy(database: Database, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """In pieces, each within a statement's time limit."""
    left = iter(rows)
    while piece := list(islice(left, COPY_ROWS)):
        async with database.transaction() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.copy_records_to_table(table, records=piece, columns=columns)


async def settle(database: Database) -> None:
    """What bulk loading leaves to do is done before anything is measured."""
    async with database.reading() as connection:
        await connection.exec_driver_sql("VACUUM ANALYZE")
        await connection.exec_driver_sql("CHECKPOINT")


def stored(streams: Sequence[str], count: int) -> Iterator[Recorded]:
    """A log of `count` events over the streams, one after the other."""
    at, meta = system_clock(), b'{"actor":"a","causation":"","correlation":"","fingerprint":"","traceparent":""}'
    name, data = counter.CODEC.encode(counter.Added(1, "bench", at))
    return (
        Recorded(n + 1, "tenant-1", streams[n % len(streams)], n // len(streams) + 1, 0, name, data, meta, f"c{n}", at)
        for n in range(count)
    )


def ordered(number: int) -> str:
    """Stream ids that grow with their number, as UUIDv7 do with time."""
    return f"counter-{number:08x}-0000-7000-8000-{derived_id('bench', str(number))[-12:]}"


async def bench(place: Place) -> list[Row]:
    """Rows: ten times the partitions; a hundred times the rows under appends and under upserts."""
    return [await _partitions(place), await _appends(place.postgres), await _upserts(place.postgres)]


def _row(path: str, few: str, many: str, costs: tuple[list[float], list[float]], floor: float) -> Row:
    more = statistics.median(a / b for a, b in zip(*costs, strict=True)) * 100 - 100
    large, small = (statistics.median(each) for each in costs)
    return Row(path, f"{many}: {large:.0f} us", f"{few}: {small:.0f} us", more, floor, 10, "%", lower=True, note="CPU")


async def _partitions(place: Place) -> Row:
    say("projecting 12 and 120 partitions")
    database, bus = await fresh(place.postgres), SqliteBus(str(place.folder / "growth.db"))
    relay = Relay(SERVICE, open_log(database), bus, counter.CODEC, counter.publish)
    events = list(stored([ordered(number) for number in range(STREAMS)], EVENTS))
    generation = 0

    async def over(partitions: int) -> float:
        nonlocal generation
        generation += 1
        return await _project(database, place.postgres, generation, _batches(relay, events, partitions))

    costs = await interleaved(lambda: over(MANY_PARTITIONS), lambda: over(FEW_PARTITIONS), 3)
    await database.close()
    await bus.close()
    return _row("an event over 10x the partitions", "12 partitions", "120 partitions", costs, 25)


def _batches(relay: Relay, events: Sequence[Recorded], partitions: int) -> list[dict[int, list[BusRecord]]]:
    """What a reader gives: records of many partitions at a time, chained in each as the relay chains them."""
    made: list[dict[int, list[BusRecord]]] = []
    ends, checkpoint = dict.fromkeys(range(partitions), 0), Checkpoint()
    placed = [event._replace(partition=partition_of(event.stream, partitions)) for event in events]
    while checkpoint.position < len(placed):
        sent = relay.build_round(placed[checkpoint.position : checkpoint.position + BATCH], checkpoint)
        batch: dict[int, list[BusRecord]] = {}
        for (_, partition), messages in sent.batches.items():
            batch[partition] = [
                BusRecord(TOPIC.name, partition, ends[partition] + n, one.key, one.value, one.headers, 0)
                for n, one in enumerate(messages)
            ]
            ends[partition] += len(messages)
        made.append(batch)
        checkpoint = sent.checkpoint
    return made


async def _project(
    database: Database, server: PostgresServer, generation: int, batches: Sequence[dict[int, list[BusRecord]]]
) -> float:
    """CPU microseconds an event, from headers to commit."""
    projection = counter.foreign_sums(SERVICE)
    await _tables(database, projection, generation)
    projector = Projector(projection, generation, database)
    wanted = sorted({(TOPIC.name, partition) for batch in batches for partition in batch})
    guards = await Checkpoints(database, projector.consumer).load(wanted)
    spent = Spent(server)
    for batch in batches:
        parts = [
            of_topic(
                TOPIC, partition, guards[TOPIC.name, partition], read_records(TOPIC, records, counter.decode_event)
            )
            for partition, records in batch.items()
        ]
        await projector.handle(parts)
        for part in parts:
            part.guard.move(part.admitted)
    return spent.us_per(EVENTS)


async def _tables(database: Database, projection: Projection, generation: int) -> None:
    async with database.transaction() as connection:
        for table in projection.tables:
            await connection.run_sync(physical(table, generation).create)


Round = Callable[[], Awaitable[float]]


async def _appends(server: PostgresServer) -> Row:
    say("appending to a small and a large log")
    columns = list(Recorded._fields)
    databases = []
    for rows in (SMALL_ROWS, LARGE_ROWS):
        database = await fresh(server)
        events = stored([ordered(number) for number in range(rows // 5)], rows)
        await copy(database, "log_events", columns, events)
        async with database.transaction() as connection:
            await connection.exec_driver_sql(f"UPDATE log SET head = {rows}")
        await settle(database)
        databases.append(database)

    def appending(database: Database) -> Round:
        async def cost() -> float:
            async with serving(database) as writer:
                spent = Spent(server)
                return spent.us_per(len(await drive(writer, 64, APPEND_S)))

        return cost

    costs = await interleaved(appending(databases[1]), appending(databases[0]), 3)
    for database in databases:
        await database.close()
    return _row("an append at 100x the log", f"{SMALL_ROWS:,} events", f"{LARGE_ROWS:,} events", costs, 15)


async def _upserts(server: PostgresServer) -> Row:
    say("projecting into a small and a large read model")
    database = await fresh(server)
    for generation, rows in enumerate((SMALL_ROWS, LARGE_ROWS), start=1):
        await _tables(database, counter.OWN_SUMS, generation)
        standing = ((ordered(number), 1, 1, 1) for number in range(rows))
        await copy(database, f"sums_g{generation}", ["stream", "total", "events", "last_version"], standing)
    await settle(database)
    costs = await interleaved(
        lambda: _newest(database, server, 2, LARGE_ROWS), lambda: _newest(database, server, 1, SMALL_ROWS), 3
    )
    await database.close()
    return _row("an upsert at 100x the read model", f"{SMALL_ROWS:,} rows", f"{LARGE_ROWS:,} rows", costs, 15)


async def _newest(database: Database, server: PostgresServer, generation: int, rows: int) -> float:
    """CPU microseconds an event of the newest streams among `rows`, from stored bytes to commit."""
    events = list(stored([ordered(number) for number in range(rows - STREAMS, rows)], EVENTS))
    projector = Projector(counter.OWN_SUMS, generation, database)
    guard = (await Checkpoints(database, projector.consumer).load([(OWN_LOG, 0)]))[OWN_LOG, 0]
    spent = Spent(server)
    for start in range(0, EVENTS, BATCH):
        part = of_log(SERVICE, counter.CODEC, guard, events[start : start + BATCH])
        await projector.handle([part])
        guard.move(part.admitted)
    return spent.us_per(EVENTS)
