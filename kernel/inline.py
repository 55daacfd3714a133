"""Inline tables in SQL: rows read for a batch's decisions, and the dirty ones written in its append's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.batch import Decided, RowKey
from kernel.database import upsert
from kernel.model import Inline, Key


class InlineTables:
    """A service's inline tables, and `personal`, whose rows travel sealed beside the commands."""

    def __init__(self, metadata: sa.MetaData, inlines: Mapping[str, Inline[Any]]) -> None:
        self._tables, self._inlines = metadata.tables, inlines

    async def read(self, connection: AsyncConnection, wanted: Sequence[RowKey]) -> dict[RowKey, Any]:
        """One query per table; a row that is absent is None."""
        found: dict[RowKey, Any] = dict.fromkeys(wanted)
        for name in sorted({table for table, _ in wanted}):
            found.update(await self._select(connection, name, [key for table, key in wanted if table == name]))
        return found

    async def _select(self, connection: AsyncConnection, name: str, keys: Sequence[Key]) -> dict[RowKey, Any]:
        table, inline = self._tables[name], self._inlines[name]
        selected = [table.c[column] for column in inline.row.__dataclass_fields__]
        result = await connection.execute(sa.select(*selected).where(self._keys(name).in_(keys)))
        rows = [inline.row(**row) for row in result.mappings()]
        return {(name, tuple(getattr(row, column) for column in inline.key)): row for row in rows}

    def _keys(self, name: str) -> Any:
        return sa.tuple_(*[self._tables[name].c[column] for column in self._inlines[name].key])

    async def write(self, connection: AsyncConnection, decided: Decided) -> None:
        """Set-wise, table by table in one order; None deletes."""
        for name in sorted({table for table, _ in decided.rows}):
            rows = {key: row for (table, key), row in decided.rows.items() if table == name}
            gone = sorted(key for key, row in rows.items() if row is None)
            if gone:
                await connection.execute(sa.delete(self._tables[name]).where(self._keys(name).in_(gone)))
            await upsert(connection, self._tables[name], [asdict(row) for row in rows.values() if row is not None])
        if decided.sealed:
            latest = {(sealed.subject, sealed.field): asdict(sealed) for sealed in decided.sealed}
            await upsert(connection, self._tables["personal"], list(latest.values()))
