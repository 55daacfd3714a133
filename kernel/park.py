"""Parked events: a key that cannot be handled waits here with all its later events, in order, with the reason."""

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.clock import system_clock
from kernel.consume import Part, Sourced
from kernel.database import Database, upsert
from kernel.errors import Unavailable

BUDGET_KEYS = 1_000
"""Past this many parked keys the consumer stops: something general is wrong, and parking on would hide it."""


class Parking:
    """The parked events of one consumer; there is no dead-letter topic."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._database, self._consumer = database, consumer
        self._table = database.metadata.tables["parked"]
        self._empty: bool | None = None

    async def is_empty(self) -> bool:
        if self._empty is None:
            async with self._database.reading() as connection:
                self._empty = not await self.keys(connection)
        return self._empty

    async def keys(self, connection: AsyncConnection) -> set[str]:
        mine = self._table.c.consumer == self._consumer
        keys = set((await connection.execute(sa.select(self._table.c.key).where(mine).distinct())).scalars())
        self._empty = not keys
        return keys

    async def park(self, connection: AsyncConnection, part: Part, sourced: Sourced, reason: str) -> None:
        keys = await self.keys(connection)
        if sourced.key not in keys and len(keys) >= BUDGET_KEYS:
            raise Unavailable("parked.budget_spent", consumer=self._consumer, limit=BUDGET_KEYS)
        headers = orjson.dumps([(name, value.decode("latin-1")) for name, value in sourced.headers])
        row = {
            "consumer": self._consumer, "source": part.source, "partition": part.partition, "offset": sourced.offset,
            "key": sourced.key, "position": sourced.position, "type": sourced.type, "value": sourced.value,
            "headers": headers, "reason": reason.replace("\x00", "\ufffd"), "parked_at": system_clock(),
        }  # fmt: skip
        await upsert(connection, self._table, [row])
        self._empty = False

    async def take(self, connection: AsyncConnection, key: str) -> list[tuple[str, Sourced]]:
        """Removes a key's parked events and returns them in order with their source; the caller's transaction decides."""
        mine = (self._table.c.consumer == self._consumer) & (self._table.c.key == key)
        order = (self._table.c.source, self._table.c.partition, self._table.c.offset)
        rows = (await connection.execute(sa.select(self._table).where(mine).order_by(*order))).all()
        await connection.execute(sa.delete(self._table).where(mine))
        self._empty = None
        return [(row.source, _sourced(row)) for row in rows]


def _sourced(row: Any) -> Sourced:
    headers: Sequence[tuple[str, bytes]] = [(n, v.encode("latin-1")) for n, v in orjson.loads(row.headers)]
    return Sourced(row.offset, row.position, -1, row.key, row.type, row.value, headers)
