"""A service's database in one SQLite file, for one process: one connection writes (writers queue for it), a pool reads."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges, in_key_order, on_conflict, quoted
from kernel.adapters.database import POOL_SIZE, Database, Entry, GuardMove, WriteTransaction
from kernel.adapters.disconnects import translated
from kernel.adapters.sqlite.driver import OneHop, OneHopConnection
from kernel.core.clock import system_clock

SINGLE = "single"
"""Execution option of an engine whose statements stand alone: no BEGIN."""
_MOVE = """
UPDATE guards AS g SET next_offset = u.next_offset, last_position = u.last_position
FROM (SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS partition,
json_extract(value, '$[2]') AS from_offset, json_extract(value, '$[3]') AS from_position,
json_extract(value, '$[4]') AS next_offset, json_extract(value, '$[5]') AS last_position FROM json_each(?)) AS u
WHERE g.consumer = ? AND g.source = u.source AND g.partition = u.partition
AND g.next_offset = u.from_offset AND g.last_position = u.from_position
"""
_USUAL = """
AND NOT EXISTS (SELECT 1 FROM parked WHERE consumer = ?)
AND NOT EXISTS (SELECT 1 FROM projections WHERE name = ? AND generation > ?)
"""


class SqliteDatabase(Database):
    """A write transaction holds the file's write lock from its first moment (BEGIN IMMEDIATE)."""

    is_shared = False

    def __init__(self, url: str, metadata: sa.MetaData) -> None:
        write, read = _engine(url, "BEGIN IMMEDIATE", pool_size=1), _engine(url, "BEGIN", pool_size=POOL_SIZE)
        super().__init__(url, metadata, write, read)
        self._single = read.execution_options(**{SINGLE: True})

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._single.connect() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self.read.connect() as connection:
                yield connection

    def reading_as(self, role: str, readers: Sequence[str]) -> AbstractAsyncContextManager[AsyncConnection]:
        """There is no row-level security here: queries carry their filter (kernel.processors.access.may_read)."""
        return self.snapshot()

    @asynccontextmanager
    async def exclusive(self, name: str, entry: Entry | None = None) -> AsyncIterator[WriteTransaction]:
        """Every write transaction is alone here, whatever its name."""
        async with self.transaction() as connection:
            entered = entry is not None and await _enter(connection, entry)
            yield _SqliteWrites(connection, entered)

    async def time(self, connection: AsyncConnection) -> datetime:
        return system_clock()

    async def upsert(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            ordered = in_key_order(table, rows)
            await connection.execute(on_conflict(sqlite.insert(table), table, list(ordered[0])), ordered)

    async def insert_missing(
        self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        await connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)

    async def move_guards(self, connection: AsyncConnection, consumer: str, moves: Sequence[GuardMove]) -> bool:
        return await _moved(connection, _MOVE, moves, [consumer])

    async def lock_upgrade(self, connection: AsyncConnection, service: str) -> None:
        """A first statement takes the file's write lock: Alembic's own state, one for the process, must not be entered before."""
        await connection.exec_driver_sql("SELECT 1")

    async def grant(self, connection: AsyncConnection, statements: Iterable[str]) -> None:
        """Whoever may open the file may do everything."""

    async def has_roles(self, connection: AsyncConnection, names: Sequence[str]) -> bool:
        return False

    async def close(self) -> None:
        await self.write.dispose()
        await self.read.dispose()


class _SqliteWrites(WriteTransaction):
    """Set-wise statements on the transaction's connection."""

    def __init__(self, connection: AsyncConnection, entered: bool) -> None:
        self.connection, self.entered = connection, entered

    async def select(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> list[dict[str, Any]]:
        query = sa.select(*[table.table.c[name] for name in table.columns]).where(table.by_key().in_(keys))
        return [dict(row) for row in (await self.connection.execute(query)).mappings()]

    async def upsert(self, table: BulkStatements, columns: Mapping[str, list[Any]], add: Sequence[str]) -> None:
        await upsert_columns(self.connection, table.table, columns, add)

    async def delete(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> None:
        await self.connection.execute(sa.delete(table.table).where(table.by_key().in_(keys)))


async def _enter(connection: AsyncConnection, entry: Entry) -> bool:
    """Moves the guards; False when fewer moved than asked for. The caller then goes step by step, and is fenced."""
    values = [entry.consumer, entry.consumer, entry.projection, entry.generation]
    return await _moved(connection, f"{_MOVE}{_USUAL}", entry.moves, values)


async def _moved(connection: AsyncConnection, sql: str, moves: Sequence[GuardMove], values: Sequence[Any]) -> bool:
    done: sa.CursorResult[Any] = await connection.exec_driver_sql(
        sql, (orjson.dumps([tuple(move) for move in moves]).decode(), *values)
    )
    return done.rowcount == len(moves)


async def upsert_columns(
    connection: AsyncConnection, table: sa.Table, columns: Mapping[str, list[Any]], add: Sequence[str] = ()
) -> None:
    """Upserts rows given column by column, without a dict per row: the values pass through their columns' types."""
    keys = [column.name for column in table.primary_key.columns]
    changed = ", ".join(f'"{name}" = {_after(name, add)}' for name in columns if name not in keys)
    action = f"DO UPDATE SET {changed}" if changed else "DO NOTHING"
    sql = (
        f'INSERT INTO "{table.name}" AS t ({quoted(columns)}) VALUES ({", ".join("?" * len(columns))}) '
        f"ON CONFLICT ({quoted(keys)}) {action}"
    )
    stored = [_bound(table.c[name].type, values, connection.dialect) for name, values in columns.items()]
    await connection.exec_driver_sql(sql, list(zip(*stored, strict=True)))


def _after(name: str, add: Sequence[str]) -> str:
    return f't."{name}" + excluded."{name}"' if name in add else f'excluded."{name}"'


def _bound(kind: sa.types.TypeEngine[Any], values: list[Any], dialect: sa.Dialect) -> list[Any]:
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if bind is None else [bind(value) for value in values]


async def write_changes(connection: AsyncConnection, changes: Sequence[RowChanges]) -> None:
    """Writes the rows of inline tables that an append changes, in its transaction."""
    for change in changes:
        if change.gone:
            await connection.execute(sa.delete(change.table.table).where(change.table.by_key().in_(change.gone)))
        if change.kept:
            await upsert_columns(connection, change.table.table, change.kept)


def _engine(url: str, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=30, connect_args={"isolation_level": None, "timeout": 30},
        module=OneHop(),
    )  # fmt: skip

    @sa.event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin_now(connection: sa.Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, OneHopConnection)
        if not connection.get_execution_options().get(SINGLE):
            raw.begin_with(begin)

    return engine
