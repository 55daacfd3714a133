"""Reads whose rows changed since a mark, never missing a transaction that commits later than one with a larger stamp.

A dump that is restored into another cluster brings stamps of that cluster's future: they are not looked at, since the load of
the index has read their rows.
"""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.schema import next_stamp, settled_stamp
from services.discovery.tables.search_changes import SEARCH_CHANGES

PAGE = 5_000
Row = tuple[int, str, str]


@dataclass(slots=True)
class Changes:
    """`mark`: every change with a smaller stamp has been read. `seen` are those from there on, which are read again until
    no transaction is under way that is older than theirs."""

    mark: int
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    async def read(self, connection: AsyncConnection) -> list[str]:
        """Creators whose rows changed, each once, the mark moved on behind what can still come."""
        ahead, found = await settled(connection), dict[str, None]()
        after: Row = (self.mark, "", "")
        while rows := await _page(connection, after):
            after = rows[-1]
            for stamp, projection, creator_id in rows:
                if self.seen.get((projection, creator_id)) != stamp:
                    self.seen[projection, creator_id] = stamp
                    found[creator_id] = None
            if len(rows) < PAGE:
                break
        self.mark = max(self.mark, ahead)
        self.seen = {key: stamp for key, stamp in self.seen.items() if stamp >= self.mark}
        return list(found)


async def settled(connection: AsyncConnection) -> int:
    """The smallest stamp that a transaction which has not been seen yet may have."""
    return int((await connection.execute(sa.select(settled_stamp(SEARCH_CHANGES.c.stamp)))).scalar_one())


async def _page(connection: AsyncConnection, after: Row) -> list[Row]:
    changes = SEARCH_CHANGES.c
    key = sa.tuple_(changes.stamp, changes.projection, changes.creator_id)
    query = sa.select(changes.stamp, changes.projection, changes.creator_id).where(
        key > sa.tuple_(*map(sa.literal, after)), changes.stamp < next_stamp(changes.stamp)
    )
    rows = await connection.execute(query.order_by(changes.stamp, changes.projection, changes.creator_id).limit(PAGE))
    return [(row.stamp, row.projection, row.creator_id) for row in rows]
