"""Engagement in columnar envelopes, end to end into PostgreSQL, against bare aiokafka that only decodes single events."""

import asyncio
import statistics
from collections.abc import Sequence
from typing import Any

from dandelion.metrics.v1 import events_pb2 as pb

from bench import engagement
from bench.measure import Row, interleaved, ratio, say
from bench.place import Place
from bench.projector import LIMIT_S, TimedBus, bare, fresh
from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.processors.projector import Projector, physical
from kernel.streams.consumer import Consumer
from services.metrics.projections import COUNTS
from services.metrics.subscribe import ENGAGEMENT, decode
from services.metrics.tables import ENVELOPES, MINUTES, metadata

EVENTS, SINGLES = 600_000, 100_000


async def bench(place: Place) -> list[Row]:
    """One row: events/s through the projection `counts`, its envelope ids, minutes, cells and guards committed."""
    bus = TimedBus(place.kafka.url)
    database = database_at(place.postgres.url(await place.postgres.create_database()), metadata())
    say(f"envelopes: {EVENTS:,} events")
    await engagement.publish(bus, EVENTS, SINGLES)
    records = sum((await bus.end_offsets([ENGAGEMENT.name])).values())
    spent: list[float] = []

    async def ours() -> float:
        seconds, cpu_s = await count(bus, database, records)
        spent.append(cpu_s)
        return EVENTS / seconds

    async def theirs() -> float:
        return SINGLES / (await bare(place.kafka.bootstrap, engagement.SINGLES, SINGLES, decoded))[0]

    mine, others = await interleaved(ours, theirs)
    await database.close()
    note = f"{records:,} envelopes of {EVENTS / records:.0f}; CPU {statistics.median(spent) / EVENTS * 1e6:.2f} us an event"
    return [
        Row("engagement in envelopes into PostgreSQL", f"{statistics.median(mine):,.0f}/s",
            f"bare aiokafka, single events decoded: {statistics.median(others):,.0f}/s", ratio(mine, others), 2, 5,
            note=note)
    ]  # fmt: skip


async def count(bus: TimedBus, database: Database, records: int) -> tuple[float, float]:
    """Wall and CPU seconds from an open reader to the commit of the last envelope."""
    projector = Projector(COUNTS, 1, database)
    await fresh(database, COUNTS)
    stop, spent, offsets = asyncio.Event(), [(0.0, 0.0)], {}

    def observe(_: str, source: str, partition: int, next_offset: int, held: int) -> None:
        offsets[partition] = next_offset
        if sum(offsets.values()) >= records:
            spent[0] = bus.began.spent()
            stop.set()

    consumer = Consumer(
        projector.consumer, database, projector.handle, service="metrics", bus=bus, decode=decode,
        topics=COUNTS.topics, batch_records=COUNTS.batch_records, observe=observe,
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        await consumer.run(stop)
    await _check(database, records)
    return spent[0]


async def _check(database: Database, records: int) -> None:
    """Every envelope was counted, once."""
    async with database.reading() as connection:
        seen = len((await connection.execute(physical(ENVELOPES, 1).select())).all())
        added = sum(row.added for row in await connection.execute(physical(MINUTES, 1).select()))
    wanted = sum(int(each.rows.value.sum()) for each in engagement.envelopes(EVENTS))
    if (seen, added) != (records, wanted):
        raise AssertionError(f"{seen} of {records} envelopes counted, {added} of {wanted} added")


def decoded(records: Sequence[Any]) -> list[Any]:
    """One message, used again and again: the quickest way to read protobuf in Python."""
    message, found = pb.EngagementRecorded(), []
    for record in records:
        message.ParseFromString(record.value)
        found.append(
            (message.envelope_id, message.content_id, message.metric, message.value, message.kind, message.traffic,
             message.provenance, message.observed_at.seconds, message.observed_at.nanos)
        )  # fmt: skip
    return found
