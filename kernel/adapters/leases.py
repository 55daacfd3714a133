"""Leases: elect the replica that works on each name (a partition of a consumer, the relay), by the database's time.

Replicas share the names out evenly. A replica that is gone loses its leases after TTL_S. Leases do not fence: the
compare-and-set of guards and checkpoints refuses the writes of a replica that lost its lease and still works.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.ids import new_id

TTL_S = 6.0
RENEW_S = 2.0


class Leases:
    """Leases of one replica: its fair share of `names` under `prefix` (rows `<prefix>/<name>`, `<prefix>/member/<owner>`)."""

    def __init__(self, database: Database, prefix: str, names: Sequence[str]) -> None:
        self._database, self._prefix = database, prefix
        self._names = {f"{prefix}/{name}": name for name in names}
        self._table = database.metadata.tables["leases"]
        self.owner = new_id()
        self._held: frozenset[str] = frozenset()
        self._renew_at = 0.0
        self._joined = False

    async def held(self) -> frozenset[str]:
        """The names held now; renews them every RENEW_S. A process that has its database to itself holds all names."""
        if not self._database.is_shared:
            return frozenset(self._names.values())
        self._joined = True  # before the renewal, which may be committed although it was cancelled
        if monotonic() >= self._renew_at:
            self._held = await self._renew()
            self._renew_at = monotonic() + RENEW_S
        return self._held

    async def _renew(self) -> frozenset[str]:
        async with self._database.transaction() as connection:
            now = await self._database.time(connection)
            await self._join(connection, now)
            share = ceil(len(self._names) / max(1, await self._members(connection, now)))
            mine = await self._mine(connection)
            keep = sorted(mine)[:share]
            await self._set(connection, sorted(mine)[share:], now)
            wanted = keep + await self._free(connection, now, share - len(keep))
            await self._set(connection, wanted, now + timedelta(seconds=TTL_S))
        return frozenset(self._names[name] for name in wanted)

    async def _join(self, connection: AsyncConnection, now: datetime) -> None:
        until = now + timedelta(seconds=TTL_S)
        member = {"name": f"{self._prefix}/member/{self.owner}", "owner": self.owner, "until": until}
        await self._database.upsert(connection, self._table, [member])
        known = set((await connection.execute(sa.select(self._table.c.name).where(self._of_names()))).scalars())
        missing = [{"name": name, "owner": "", "until": now} for name in self._names if name not in known]
        if missing:
            await self._database.insert_missing(connection, self._table, missing)

    async def _members(self, connection: AsyncConnection, now: datetime) -> int:
        members = self._table.c.name.startswith(f"{self._prefix}/member/", autoescape=True)
        await connection.execute(
            sa.delete(self._table).where(members, self._table.c.until < now - timedelta(minutes=5))
        )
        live = sa.select(sa.func.count()).where(members, self._table.c.until >= now)
        return int((await connection.execute(live)).scalar_one())

    async def _mine(self, connection: AsyncConnection) -> list[str]:
        mine = self._of_names() & (self._table.c.owner == self.owner)
        return list((await connection.execute(sa.select(self._table.c.name).where(mine))).scalars())

    async def _free(self, connection: AsyncConnection, now: datetime, count: int) -> list[str]:
        """Takes up to `count` names whose holder is gone; skips rows that another replica has locked."""
        if count <= 0:
            return []
        free = self._of_names() & (self._table.c.until <= now) & (self._table.c.owner != self.owner)
        query = sa.select(self._table.c.name).where(free).order_by(self._table.c.name).limit(count)
        taken = list((await connection.execute(query.with_for_update(skip_locked=True))).scalars())
        await connection.execute(sa.update(self._table).where(self._table.c.name.in_(taken)).values(owner=self.owner))
        return taken

    async def _set(self, connection: AsyncConnection, names: Sequence[str], until: datetime) -> None:
        mine = self._table.c.name.in_(names) & (self._table.c.owner == self.owner)
        owner = self.owner if until > await self._database.time(connection) else ""
        await connection.execute(sa.update(self._table).where(mine).values(until=until, owner=owner))

    def _of_names(self) -> sa.ColumnElement[bool]:
        return self._table.c.name.in_(list(self._names))

    async def release(self) -> None:
        """Deletes all rows of this replica, its membership too: other replicas need not wait until the TTL has passed."""
        self._renew_at = 0.0
        if self._joined:
            self._joined, self._held = False, frozenset()
            async with self._database.transaction() as connection:
                await connection.execute(sa.delete(self._table).where(self._table.c.owner == self.owner))
