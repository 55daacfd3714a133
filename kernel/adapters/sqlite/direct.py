"""SQLite by its driver, without SQLAlchemy, for the statements that every event needs: made once, values bound by type.

SQLAlchemy's work around such a statement (a pooled connection, compiling, a result object) costs many times what SQLite does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.bulk import BulkStatements, PrimaryKey, quoted
from kernel.adapters.connecting import finished, take, throw_away
from kernel.adapters.sqlite.driver import Values, connection_of
from kernel.core.bounds import SUM_LIMIT

KEPT_LIMIT = 2
"""Connections kept for single reads. A read that waits for nothing is over before the next one begins."""
PADDED_LIMIT = 64
"""Keys up to which statements are made for powers of two only: the driver keeps them prepared."""


class DirectReads:
    """Single SELECTs on connections that are kept."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kept: list[AsyncConnection] = []

    async def fetch(self, sql: str, values: Values, limit_bytes: int = 0) -> list[Any]:
        """The rows of one SELECT, which sees what was committed before it; `limit_bytes` as in OneHopConnection.direct."""
        pooled = self._kept.pop() if self._kept else await take(self._engine)
        try:
            found = await connection_of(pooled).direct(sql, values, limit_bytes=limit_bytes)
        except BaseException:
            await throw_away(pooled)
            raise
        if len(self._kept) < KEPT_LIMIT:
            self._kept.append(pooled)
        else:
            await finished(pooled.close())
        return found.rows

    async def close(self) -> None:
        while self._kept:
            await throw_away(self._kept.pop())


class TableStatements:
    """One table's statements by primary key."""

    def __init__(self, known: BulkStatements, dialect: sa.Dialect) -> None:
        self._name, self._columns, self._key = known.table.name, known.columns, known.key
        kinds = {column.name: column.type.dialect_impl(dialect) for column in known.table.columns}
        self._bind = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        reads = [(name, kinds[name].result_processor(dialect, None)) for name in known.columns]
        self._read = [(name, read) for name, read in reads if read is not None]
        self._upserts: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}

    def selecting(self, keys: Sequence[PrimaryKey]) -> tuple[str, list[Any]]:
        return self._by_key(f'SELECT {quoted(self._columns)} FROM "{self._name}"', keys)

    def deleting(self, keys: Sequence[PrimaryKey]) -> tuple[str, list[Any]]:
        return self._by_key(f'DELETE FROM "{self._name}"', keys)

    def upserting(self, columns: Mapping[str, list[Any]], add: Sequence[str] = ()) -> tuple[str, list[tuple[Any, ...]]]:
        """An upsert: columns in `add` are added to the stored values, the others replace them."""
        names, summed = tuple(columns), tuple(add)
        sql = self._upserts.get((names, summed))
        if sql is None:
            sql = self._upserts[names, summed] = self._upserting(names, summed)
        return sql, list(zip(*[self._bound(name, values) for name, values in columns.items()], strict=True))

    def row(self, found: Sequence[Any]) -> dict[str, Any]:
        """A selected row by column, with the values in their application types."""
        row = dict(zip(self._columns, found, strict=True))
        for name, read in self._read:
            row[name] = read(row[name])
        return row

    def _by_key(self, what: str, keys: Sequence[PrimaryKey]) -> tuple[str, list[Any]]:
        columns = [self._bound(name, [key[at] for key in keys]) for at, name in enumerate(self._key)]
        padded, values = in_values(len(self._key), list(zip(*columns, strict=True)))
        return f"{what} WHERE ({quoted(self._key)}) IN ({padded})", values

    def _bound(self, name: str, values: list[Any]) -> list[Any]:
        bind = self._bind[name]
        return values if bind is None else [bind(value) for value in values]

    def _upserting(self, names: Sequence[str], add: Sequence[str]) -> str:
        changed = ", ".join(f'"{name}" = {_after(name, add)}' for name in names if name not in self._key)
        action = f"DO UPDATE SET {changed}" if changed else "DO NOTHING"
        return (
            f'INSERT INTO "{self._name}" AS t ({quoted(names)}) VALUES ({", ".join("?" * len(names))}) '
            f"ON CONFLICT ({quoted(self._key)}) {action}"
        )


def in_values(width: int, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """`VALUES (?, ?), ...` for rows to look up, the last one repeated up to a power of two; and all values in order."""
    wanted = 1 << (len(rows) - 1).bit_length() if len(rows) <= PADDED_LIMIT else len(rows)
    values = [value for row in rows for value in row]
    return _values(width, wanted), values + list(rows[-1]) * (wanted - len(rows))


@lru_cache(maxsize=256)
def _values(width: int, count: int) -> str:
    one = f"({', '.join('?' * width)})"
    return f"VALUES {', '.join([one] * count)}"


def _after(name: str, add: Sequence[str]) -> str:
    added = f't."{name}" + excluded."{name}"'
    return f"min({added}, {SUM_LIMIT})" if name in add else f'excluded."{name}"'
