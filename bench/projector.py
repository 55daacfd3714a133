"""Single published events, exactly once into PostgreSQL, against bare aiokafka that decodes the same and keeps nothing."""

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from bench.measure import Cpu, Row, interleaved, ratio, say
from bench.place import Place
from kernel.adapters.bus import PARTITIONS, TopicPartition
from kernel.adapters.database import Database
from kernel.adapters.kafka import KafkaBus, KafkaReader
from kernel.adapters.opening import database_at
from kernel.adapters.schema import first_tables
from kernel.core.events import Recorded
from kernel.core.ids import partition_of, split_stream
from kernel.eventlog.opening import open_log
from kernel.processors.projector import Projection, Projector, physical
from kernel.streams.consumer import Consumer
from kernel.streams.records import BATCH_RECORDS
from kernel.streams.relay import Checkpoint, Relay
from tests.kit import counter

SERVICE = "bench"
TOPIC = f"{SERVICE}.events.v1"
EVENTS, STREAMS = 100_000, 2_000
SEND_S = 60.0
LIMIT_S = 120.0
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


async def bench(place: Place) -> list[Row]:
    """One row: events/s of the real Consumer and Projector with guards and a read model of 2,000 rows."""
    bus = TimedBus(place.kafka.url)
    database = database_at(place.postgres.url(await place.postgres.create_database()), counter.metadata())
    say(f"projector: {EVENTS:,} events by the relay")
    await bus.ensure_topics({TOPIC: PARTITIONS})
    await publish(bus, database)
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}

    async def ours() -> float:
        seconds, cpu_s = await project(bus, database)
        spent["ours"].append(cpu_s)
        return EVENTS / seconds

    async def theirs() -> float:
        seconds, cpu_s = await bare(place.kafka.bootstrap, TOPIC, EVENTS, decoded)
        spent["theirs"].append(cpu_s)
        return EVENTS / seconds

    mine, others = await interleaved(ours, theirs)
    await database.close()
    cpu = {name: statistics.median(values) / EVENTS * 1e6 for name, values in spent.items()}
    return [
        Row("single published events into PostgreSQL", f"{statistics.median(mine):,.0f}/s",
            f"bare aiokafka, decode and headers: {statistics.median(others):,.0f}/s", ratio(mine, others), 0.4, 0.8,
            note=f"CPU {cpu['ours']:.1f} against {cpu['theirs']:.1f} us an event")
    ]  # fmt: skip


async def publish(bus: KafkaBus, database: Database) -> None:
    """The events as the relay sends them: its headers, its record batches."""
    relay = Relay(SERVICE, open_log(database), bus, counter.CODEC, counter.publish, PARTITIONS)
    producer, checkpoint, waiting = await bus.producer(), Checkpoint(), recorded()
    while waiting:
        made = relay.build_round(waiting[:4_000], checkpoint)
        await producer.send(made.batches, SEND_S)
        checkpoint, waiting = made.checkpoint, waiting[made.events :]
    await producer.close()


def recorded() -> list[Recorded]:
    """Rows of a log: counters that take turns, some milliseconds apart."""
    streams = [counter.counter(str(number)) for number in range(STREAMS)]
    partitions = [partition_of(split_stream(stream)[1], PARTITIONS) for stream in streams]
    rows = []
    for position in range(1, EVENTS + 1):
        turn, which = divmod(position - 1, STREAMS)
        at = BEGAN + timedelta(milliseconds=7 * position)
        data = {"amount": 1 + position % 11, "owner": "all", "at": at.isoformat()}
        meta = {
            "correlation": f"request-{position:08}", "causation": f"request-{position:08}", "actor": "tester",
            "traceparent": f"00-{position:032x}-{position:016x}-01",
        }  # fmt: skip
        rows.append(
            Recorded(position, "tenant-1", streams[which], turn + 1, partitions[which], "counter.added@1",
                     orjson.dumps(data), orjson.dumps(meta), None, at)
        )  # fmt: skip
    return rows


class TimedBus(KafkaBus):
    """Notes when a reader stood at its offsets: reading starts there, for us as for the bare loop."""

    began: Cpu

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> KafkaReader:
        reader = await super().reader(positions, group)
        self.began = Cpu()
        return reader


async def project(bus: TimedBus, database: Database) -> tuple[float, float]:
    """Wall and CPU seconds from an open reader to the commit of the last event."""
    projector = Projector(counter.foreign_sums(SERVICE), 1, database)
    await fresh(database, projector.projection)
    stop, spent, offsets = asyncio.Event(), [(0.0, 0.0)], {}

    def observe(_: str, source: str, partition: int, next_offset: int, held: int) -> None:
        offsets[partition] = next_offset
        if sum(offsets.values()) >= EVENTS:
            spent[0] = bus.began.spent()
            stop.set()

    consumer = Consumer(
        projector.consumer, database, projector.handle, service=SERVICE, bus=bus, decode=counter.decode_event,
        topics=projector.projection.topics, observe=observe,
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        await consumer.run(stop)
    await _check(database)
    return spent[0]


async def fresh(database: Database, projection: Projection) -> None:
    """Empty tables of the kernel and of the projection's first generation."""
    async with database.transaction() as connection:
        await connection.run_sync(database.metadata.drop_all)
        await connection.run_sync(first_tables, database.metadata)
        for table in projection.tables:
            copy = physical(table, 1)
            await connection.run_sync(copy.drop, checkfirst=True)
            await connection.run_sync(copy.create)


async def _check(database: Database) -> None:
    """Every event was counted, once."""
    async with database.reading() as connection:
        counted = sum(row.events for row in await connection.execute(physical(counter.SUMS, 1).select()))
    if counted != EVENTS:
        raise AssertionError(f"{counted} events counted of {EVENTS}")


async def bare(
    bootstrap: str, topic: str, events: int, decode: Callable[[Sequence[Any]], list[Any]]
) -> tuple[float, float]:
    """Wall and CPU seconds of getmany and `decode` over so many records of a topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none",
        isolation_level="read_committed", max_partition_fetch_bytes=4 * 1024 * 1024,
    )  # fmt: skip
    await consumer.start()
    try:
        partitions = [KafkaPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        began, read = Cpu(), 0
        while read < events:
            for records in (await consumer.getmany(timeout_ms=1_000, max_records=BATCH_RECORDS)).values():
                read += len(decode(records))
        return began.spent()
    finally:
        await consumer.stop()


def decoded(records: Sequence[Any]) -> list[Any]:
    """What a reader without a kernel would make of a record: its event and what its headers say."""
    found = []
    for record in records:
        headers = {name: value.decode() for name, value in record.headers}
        event = counter.decode_event(headers["ce_type"], record.value)
        found.append(
            (headers["ce_source"], headers["ce_id"], headers["ce_subject"], int(headers["ce_sequence"]),
             int(headers["ce_position"]), int(headers["ce_previous"]), headers["ce_tenant"],
             datetime.fromisoformat(headers["ce_time"]), event, headers["ce_correlation"], headers["traceparent"])
        )  # fmt: skip
    return found
