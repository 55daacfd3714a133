"""Generations of a read model: `migrate` makes the first, a rebuild fills the next beside it and swaps them by moving views."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import PARTITIONS, Bus
from kernel.adapters.database import Database
from kernel.core.codec import Codec
from kernel.core.faults import Internal
from kernel.eventlog.log import StoredLog
from kernel.processors.grants import protection, roles_of
from kernel.processors.projector import Projection, Projector, consumer_name, physical
from kernel.streams.consumer import Consumer
from kernel.streams.records import BATCH_RECORDS, OWN_LOG, Decode

REBUILD_BATCH_RECORDS = 4 * BATCH_RECORDS
"""Records in one transaction of a rebuild. Large, because nobody reads the new generation yet, and a row that many records of a
batch change is written once."""


@dataclass(frozen=True, slots=True)
class Live:
    """The live generation, which the views show, and the version of the projection that filled it."""

    generation: int
    version: int


async def live(connection: AsyncConnection, database: Database, projection: Projection) -> Live | None:
    """The live generation, None before the first `migrate`."""
    table = database.metadata.tables["projections"]
    query = sa.select(table.c.generation, table.c.version).where(table.c.name == projection.name)
    row = (await connection.execute(query)).first()
    return Live(row[0], row[1]) if row else None


async def make_first(connection: AsyncConnection, database: Database, projection: Projection) -> Live:
    """Makes generation 1 and its views unless the read model has a generation, and returns the live one.

    Runs in the caller's transaction, whose lock keeps other processes from doing the same. A projection of another version
    than the live generation is left alone: only `rebuild` replaces a generation.
    """
    found = await live(connection, database, projection)
    if found is None:
        await create_tables(connection, projection, 1)
        await move_views(connection, database, projection, 1)
    return found or Live(1, projection.version)


async def live_generation(database: Database, projection: Projection) -> int:
    """Number of the live generation; raises Internal `projection.needs_rebuild` when another version of the code filled it."""
    async with database.reading() as connection:
        found = await live(connection, database, projection)
    if found is None:
        raise Internal("projection.not_migrated", projection=projection.name, do="run the migrate role")
    if found.version != projection.version:
        raise Internal("projection.needs_rebuild", projection=projection.name, stored=found.version)
    return found.generation


async def is_at_head(connection: AsyncConnection, log: StoredLog, projection: Projection) -> bool:
    """True when a read model over the service's own log has applied every event up to the head, as this connection sees it."""
    found, guards = await live(connection, log.database, projection), log.database.metadata.tables["guards"]
    mine = guards.c.consumer == consumer_name(projection.name, found.generation if found else 0)
    last = await connection.execute(sa.select(guards.c.last_position).where(mine, guards.c.source == OWN_LOG))
    return (last.scalar() or 0) == (await log.head(connection)).position


async def create_tables(connection: AsyncConnection, projection: Projection, generation: int) -> None:
    for table in projection.tables:
        copy = physical(table, generation)
        await connection.run_sync(copy.create, checkfirst=True)


async def move_views(connection: AsyncConnection, database: Database, projection: Projection, generation: int) -> None:
    """Points the read model's views at a generation and records it as the live one, in the caller's transaction."""
    for table in projection.tables:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        await connection.execute(sa.text(f'DROP VIEW IF EXISTS "{table.name}"'))
        await connection.execute(
            sa.text(f'CREATE VIEW "{table.name}" AS SELECT {columns} FROM "{table.name}_g{generation}"')
        )
    row = {"name": projection.name, "generation": generation, "version": projection.version}
    await database.upsert(connection, database.metadata.tables["projections"], [row])


class Rebuild:
    """Rebuild: fills a new generation from the beginning of the log and of all topics, beside the live one, then swaps them.

    `progress(done, total)` is called after each batch: records applied so far, and the total as it was at the start.
    """

    def __init__(
        self, projection: Projection, database: Database, log: StoredLog, codec: Codec, service: str, bus: Bus, decode: Decode,
        progress: Callable[[int, int], None] | None = None, partitions: int = PARTITIONS,
    ) -> None:  # fmt: skip
        self._projection, self._database, self._log = projection, database, log
        self._codec, self._service, self._bus, self._decode = codec, service, bus, decode
        self._partitions = partitions
        self._progress = progress or (lambda _done, _total: None)

    async def run(self) -> int:
        """Fills the new generation, makes it live and returns it. The old generation's tables stay until `drop`."""
        generation = await self.fill()
        async with self._database.transaction() as connection:
            await move_views(connection, self._database, self._projection, generation)
            if await self._database.has_roles(connection, roles_of(self._service)):
                await self._database.grant(connection, protection(self._service, self._projection, generation))
        return generation

    async def fill(self) -> int:
        """Fills the generation after the live one up to the present ends of its sources; no view shows it yet."""
        async with self._database.reading() as connection:
            before = await live(connection, self._database, self._projection)
        generation = (before.generation if before else 0) + 1
        await self._start_clean(generation)
        projector = Projector(self._projection, generation, self._database, is_live=False)
        ends = await self.ends()
        stop, seen = asyncio.Event(), dict.fromkeys(ends, 0)

        def observe(_consumer: str, source: str, partition: int, next_offset: int, _held: int) -> None:
            seen[source, partition] = next_offset
            self._progress(sum(min(seen.get(where, 0), end) for where, end in ends.items()), sum(ends.values()))
            if all(seen[where] >= end for where, end in ends.items()):
                stop.set()

        if all(end == 0 for end in ends.values()):
            stop.set()
        consumer = Consumer(
            projector.consumer, self._database, projector.handle, log=self._log if self._projection.own else None,
            codec=self._codec, service=self._service, bus=self._bus, topics=self._projection.topics,
            decode=self._decode, partitions=self._partitions, batch_records=_batch_records(self._projection), observe=observe,
        )  # fmt: skip
        await consumer.run(stop)
        return generation

    async def _start_clean(self, generation: int) -> None:
        """Drops the half-filled generation that a killed rebuild may have left, and creates empty tables."""
        async with self._database.transaction() as connection:
            await self._drop(connection, generation)
            await create_tables(connection, self._projection, generation)

    async def ends(self) -> dict[tuple[str, int], int]:
        """Present end of each source. Asks the topics before the log, so that an event between both is before the log's end."""
        ends = await self._bus.end_offsets([topic.name for topic in self._projection.topics])
        wanted = {where: end for where, end in ends.items() if end > 0}
        if self._projection.own:
            head = (await self._log.head()).position
            wanted |= {(OWN_LOG, 0): head + 1} if head else {}
        return wanted

    async def drop(self, generation: int) -> None:
        """Drops a generation that no view shows, with its guards and parked records."""
        async with self._database.transaction() as connection:
            await self._drop(connection, generation)

    async def _drop(self, connection: AsyncConnection, generation: int) -> None:
        for table in self._projection.tables:
            await connection.run_sync(physical(table, generation).drop, checkfirst=True)
        for name in ("guards", "parked", "parked_tenants"):
            kept = self._database.metadata.tables[name]
            mine = kept.c.consumer == consumer_name(self._projection.name, generation)
            await connection.execute(sa.delete(kept).where(mine))


def _batch_records(projection: Projection) -> int:
    """Batch size of a rebuild: large, unless the projection asks for small batches because its records are many rows each."""
    return projection.batch_records if projection.batch_records < BATCH_RECORDS else REBUILD_BATCH_RECORDS


async def rows_of(database: Database, projection: Projection, generation: int) -> AsyncIterator[tuple[Any, ...]]:
    """Rows of a generation, each behind the name of its table, ordered by table and primary key: two dumps compare row by row."""
    async with database.snapshot() as connection:
        for table in projection.tables:
            copy = physical(table, generation)
            rows = await connection.stream(sa.select(copy).order_by(*copy.primary_key.columns))
            async for row in rows:
                yield (table.name, *row)
