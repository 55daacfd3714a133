"""The guard rows of one consumer, which move by compare-and-set in the handler's transaction."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import TopicPartition
from kernel.adapters.database import Database, GuardMove
from kernel.core.guard import Guard
from kernel.streams.records import PartitionBatch


class Checkpoints:
    """The guard rows of one consumer."""

    def __init__(self, database: Database, consumer: str) -> None:
        self.consumer = consumer
        self._database = database
        self._table = database.metadata.tables["guards"]

    async def load(self, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, Guard]:
        """Loads the guards, and inserts missing ones with offset 0 and last position 0."""
        async with self._database.reading() as connection:
            found = await self._select(connection)
        missing = [where for where in wanted if where not in found]
        if missing:
            async with self._database.transaction() as connection:
                await self._insert(connection, missing)
                found = await self._select(connection)
        return {where: found[where] for where in wanted}

    async def _select(self, connection: AsyncConnection) -> dict[TopicPartition, Guard]:
        rows = await connection.execute(sa.select(self._table).where(self._table.c.consumer == self.consumer))
        return {(row.source, row.partition): Guard(row.next_offset, row.last_position) for row in rows}

    async def _insert(self, connection: AsyncConnection, missing: Sequence[TopicPartition]) -> None:
        rows = [
            {"consumer": self.consumer, "source": source, "partition": partition, "next_offset": 0, "last_position": 0}
            for source, partition in sorted(missing)
        ]
        await self._database.insert_missing(connection, self._table, rows)

    async def move(self, connection: AsyncConnection, parts: Sequence[PartitionBatch]) -> bool:
        """Compare-and-set of every part's guard; False when another process has moved one of them."""
        return await self._database.move_guards(connection, self.consumer, moves_of(parts))


def moves_of(parts: Sequence[PartitionBatch]) -> list[GuardMove]:
    """The moves sorted by source and partition: two processes that move the same guards lock them in one order."""
    ordered = sorted(parts, key=lambda part: (part.source, part.partition))
    return [
        GuardMove(part.source, part.partition, part.guard.next_offset, part.guard.last_position,
                  part.admitted.next_offset, part.admitted.last_position)
        for part in ordered
    ]  # fmt: skip
