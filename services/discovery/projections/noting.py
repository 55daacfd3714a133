"""Notes in the projector's transaction whose rows a batch has written, so that search indexes hear of it in commit order."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.schema import commit_stamp
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.processors.projector import Target
from services.discovery.tables.search_changes import SEARCH_CHANGES

Apply = Callable[[Target, Sequence[Delivered[Any]]], Awaitable[None]]
CREATOR = "creator_id"


def noting(projection: str, apply: Apply) -> Apply:
    """The same `apply`, which also notes the creators of all rows that it upserts or deletes through its target."""

    async def noted(target: Target, events: Sequence[Delivered[Any]]) -> None:
        seen = _Noted(target)
        await apply(seen, events)
        await _note(target, projection, sorted(seen.creators))

    return noted


class _Noted(Target):
    """Passes everything on, and keeps whose rows were written."""

    def __init__(self, target: Target) -> None:
        self._passed, self.creators = target, set[str]()

    @property
    def connection(self) -> AsyncConnection:
        return self._passed.connection

    def __getitem__(self, table: sa.Table) -> sa.Table:
        return self._passed[table]

    async def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, add: Sequence[str] = ()) -> None:
        if CREATOR in table.c:
            self.creators.update(row[CREATOR] for row in rows)
        await self._passed.upsert(table, rows, add=add)

    async def upsert_columns(
        self, table: sa.Table, columns: Mapping[str, list[Any]], *, add: Sequence[str] = ()
    ) -> None:
        self.creators.update(columns.get(CREATOR, ()))
        await self._passed.upsert_columns(table, columns, add=add)

    async def rows(self, table: sa.Table, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        return await self._passed.rows(table, keys)

    async def delete(self, table: sa.Table, keys: Iterable[Key]) -> None:
        gone = list(keys)
        names = [column.name for column in table.primary_key.columns]
        if CREATOR in names:
            self.creators.update(str(key[names.index(CREATOR)]) for key in gone)
        await self._passed.delete(table, gone)


async def _note(target: Target, projection: str, creators: Sequence[str]) -> None:
    if creators:
        stamp = (await target.connection.execute(sa.select(commit_stamp(SEARCH_CHANGES.c.stamp)))).scalar_one()
        rows = [{"projection": projection, CREATOR: one, "stamp": stamp} for one in creators]
        await target.upsert_beside(SEARCH_CHANGES, rows)
