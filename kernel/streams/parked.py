"""Parked events (dead letters by key): an event that cannot be handled, and all later events of its key, with the reason."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.faults import Unavailable
from kernel.streams.records import InboundRecord, PartitionBatch

BUDGET_KEYS = 1_000
"""Limit of parked keys. Past it the consumer halts: the cause is general, and parking more keys would hide it."""
KEY_IS_PARKED = "key is parked"
_KEYS = "SELECT DISTINCT key FROM parked WHERE consumer = :consumer"
Redecode = Callable[[str, InboundRecord], Awaitable[Delivered[Any] | None]]
"""Decodes a parked record of a source again (`Consumer.redecode`); raises the error that the record still has."""


class Parking:
    """The parked events of one consumer; there is no dead-letter topic."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._database, self._consumer = database, consumer
        self._table = database.metadata.tables["parked"]

    async def keys(self, connection: AsyncConnection | None = None) -> set[str]:
        """The parked keys. Call for every batch, after the guards were loaded: another replica may have parked a key."""
        return {row[0] for row in await self._database.rows(_KEYS, {"consumer": self._consumer}, connection)}

    async def park(
        self, connection: AsyncConnection, parked: Sequence[tuple[PartitionBatch, InboundRecord, str]]
    ) -> None:
        """Keeps records with their reasons, in the caller's transaction."""
        if not parked:
            return
        keys = await self.keys(connection)
        fresh = {inbound.key for _, inbound, _ in parked} - keys
        if fresh and len(keys) + len(fresh) > BUDGET_KEYS:
            raise Unavailable("parked.budget_spent", consumer=self._consumer, limit=BUDGET_KEYS)
        rows = {
            (part.source, part.partition, inbound.offset): (part, inbound, reason) for part, inbound, reason in parked
        }
        await self._database.upsert(connection, self._table, [self._row(*row) for row in rows.values()])

    def _row(self, part: PartitionBatch, inbound: InboundRecord, reason: str) -> dict[str, Any]:
        headers = orjson.dumps([(name, value.decode("latin-1")) for name, value in inbound.headers])
        return {
            "consumer": self._consumer, "source": part.source, "partition": part.partition, "offset": inbound.offset,
            "key": inbound.key, "position": inbound.position, "type": inbound.type, "value": inbound.value,
            "headers": headers, "reason": reason.replace("\x00", "\ufffd"), "parked_at": system_clock(),
        }  # fmt: skip

    async def waiting(
        self, key: str, connection: AsyncConnection | None = None
    ) -> list[tuple[Any, str, InboundRecord]]:
        """A key's parked records in order: what `remove` takes, the source, the record."""
        if connection is None:
            async with self._database.reading() as reading:
                return await self.waiting(key, reading)
        mine = (self._table.c.consumer == self._consumer) & (self._table.c.key == key)
        order = (self._table.c.source, self._table.c.partition, self._table.c.offset)
        rows = (await connection.execute(sa.select(self._table).where(mine).order_by(*order))).all()
        return [((row.source, row.partition, row.offset), row.source, _inbound(row)) for row in rows]

    async def remove(self, connection: AsyncConnection, places: Sequence[Any]) -> None:
        """Deletes only the records at `places`: the consumer may have parked more of the key meanwhile."""
        for source, partition, offset in places:
            await connection.execute(sa.delete(self._table).where(
                self._table.c.consumer == self._consumer, self._table.c.source == source,
                self._table.c.partition == partition, self._table.c.offset == offset,
            ))  # fmt: skip


def reason_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _inbound(row: Any) -> InboundRecord:
    headers: Sequence[tuple[str, bytes]] = [(n, v.encode("latin-1")) for n, v in orjson.loads(row.headers)]
    return InboundRecord(row.offset, row.position, -1, row.key, row.type, row.value, headers)
