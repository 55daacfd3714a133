"""Parked keys that wait for an answer from outside: which are due, when each is tried next, and when a person has to.

A key's first record counts its tries. The pauses double up to PAUSE_LIMIT_S, so that MAX_TRIES of them last about a day.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.clock import system_clock

FIRST_PAUSE_S, PAUSE_LIMIT_S, MAX_TRIES = 2.0, 600.0, 150
DUE_KEYS, DUE_KEYS_OF_A_TENANT = 32, 4
GIVEN_UP = "no answer"


def next_try(tries: int, now: datetime) -> datetime:
    """When a key is tried again after so many tries."""
    return now + timedelta(seconds=min(FIRST_PAUSE_S * 2 ** min(tries, 20), PAUSE_LIMIT_S))


class Retries:
    """The parked keys of one consumer that are tried again by themselves."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._database = database
        self._table = database.metadata.tables["parked"]
        self._mine = (self._table.c.consumer == consumer) & self._table.c.retry_at.is_not(None)

    async def due(self) -> list[str]:
        """Keys that are due, the longest overdue first, at most DUE_KEYS and DUE_KEYS_OF_A_TENANT of one tenant."""
        table = self._table
        at = sa.func.min(table.c.retry_at).label("at")
        overdue = sa.select(table.c.key, sa.func.min(table.c.tenant).label("tenant"), at)
        overdue = overdue.where(self._mine, table.c.retry_at <= system_clock()).group_by(table.c.key)
        keys = overdue.subquery("keys")
        place = sa.func.row_number().over(partition_by=keys.c.tenant, order_by=(keys.c.at, keys.c.key)).label("place")
        ranked = sa.select(keys.c.key, keys.c.at, place).subquery("ranked")
        query = sa.select(ranked.c.key).where(ranked.c.place <= DUE_KEYS_OF_A_TENANT)
        async with self._database.reading() as connection:
            found = await connection.execute(query.order_by(ranked.c.at, ranked.c.key).limit(DUE_KEYS))
            return list(found.scalars())

    async def count(self) -> int:
        """Records that wait for an answer."""
        async with self._database.reading() as connection:
            query = sa.select(sa.func.count()).select_from(self._table).where(self._mine)
            return int((await connection.execute(query)).scalar_one())

    async def put_off(self, key: str, reason: str) -> bool:
        """Sets a key's next try; False when that was the last one, and the key needs a person from now on."""
        tries = await self._tries(key) + 1
        if tries >= MAX_TRIES:
            await self.give_up(key, f"{GIVEN_UP} after {tries} tries: {reason}"[:500])
            return False
        await self._set(key, {"tries": tries, "retry_at": next_try(tries, system_clock())})
        return True

    async def give_up(self, key: str, reason: str) -> None:
        """The key needs a person: `dlq retry`."""
        await self._set(key, {"retry_at": None, "reason": reason.replace("\x00", "\ufffd")})

    async def _tries(self, key: str) -> int:
        async with self._database.reading() as connection:
            query = sa.select(sa.func.coalesce(sa.func.max(self._table.c.tries), 0))
            return int((await connection.execute(query.where(self._mine, self._table.c.key == key))).scalar_one())

    async def _set(self, key: str, values: dict[str, Any]) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                sa.update(self._table).where(self._mine, self._table.c.key == key).values(**values)
            )
