"""The guard rows of one consumer, which move by compare-and-set in the handler's transaction."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import TopicPartition
from kernel.adapters.database import Database
from kernel.adapters.driver import array_literal, literal
from kernel.core.guard import Guard
from kernel.streams.records import PartitionBatch

_MOVE = """
UPDATE guards AS g SET next_offset = u.next_offset, last_position = u.last_position
FROM unnest(CAST({} AS text[]), CAST({} AS int[]), CAST({} AS bigint[]), CAST({} AS bigint[]), CAST({} AS bigint[]),
CAST({} AS bigint[])) AS u(source, partition, from_offset, from_position, next_offset, last_position)
WHERE g.consumer = {consumer} AND g.source = u.source AND g.partition = u.partition
AND g.next_offset = u.from_offset AND g.last_position = u.from_position
"""


_MOVE_BOUND = sa.text(_MOVE.format(*[f":{name}" for name in "abcdef"], consumer=":consumer"))


class Checkpoints:
    """The guard rows of one consumer."""

    def __init__(self, database: Database, consumer: str) -> None:
        self.consumer = consumer
        self._database = database
        self._table = database.metadata.tables["guards"]

    async def load(self, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, Guard]:
        """Rows are made where missing: offset 0, last position 0."""
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
        dialect = sqlite if self._database.is_sqlite else postgresql
        rows = [
            {"consumer": self.consumer, "source": source, "partition": partition, "next_offset": 0, "last_position": 0}
            for source, partition in sorted(missing)
        ]
        await connection.execute(dialect.insert(self._table).on_conflict_do_nothing(), rows)

    async def move(self, connection: AsyncConnection, parts: Sequence[PartitionBatch]) -> bool:
        """Compare-and-set of every part's guard; False when one of them belongs to somebody else by now."""
        ordered = sorted(parts, key=lambda part: (part.source, part.partition))
        if self._database.is_sqlite:
            moved = [await self._move_one(connection, part) for part in ordered]
            return all(moved)
        arrays = dict(zip("abcdef", _moves(ordered), strict=True))
        done = await connection.execute(_MOVE_BOUND, {"consumer": self.consumer, **arrays})
        return bool(done.rowcount == len(ordered))

    def moving(self, parts: Sequence[PartitionBatch]) -> str:
        """PostgreSQL: `move` as a statement of literals, for a transaction's opening; it ends with its WHERE."""
        return _MOVE.format(*map(array_literal, _moves(parts)), consumer=literal(self.consumer))

    async def _move_one(self, connection: AsyncConnection, part: PartitionBatch) -> bool:
        guard, after = part.guard, part.admitted
        where = (
            (self._table.c.consumer == self.consumer)
            & (self._table.c.source == part.source)
            & (self._table.c.partition == part.partition)
            & (self._table.c.next_offset == guard.next_offset)
            & (self._table.c.last_position == guard.last_position)
        )
        values = {"next_offset": after.next_offset, "last_position": after.last_position}
        return (await connection.execute(sa.update(self._table).where(where).values(**values))).rowcount == 1


def _moves(parts: Sequence[PartitionBatch]) -> list[list[Any]]:
    """Source, partition, where its guard stands and where it goes (offset, position), column by column."""
    rows = [
        (part.source, part.partition, part.guard.next_offset, part.guard.last_position,
         part.admitted.next_offset, part.admitted.last_position)
        for part in parts
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]
