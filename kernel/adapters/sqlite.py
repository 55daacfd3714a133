"""A service's database in one SQLite file, for one process: one connection writes (writers queue for it), a pool reads."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.bulk import BulkStatements, Key, RowChanges, in_key_order, on_conflict, quoted
from kernel.adapters.database import POOL_SIZE, Database, Entry, GuardMove, WriteTransaction
from kernel.adapters.disconnects import translated
from kernel.core.clock import system_clock


class SqliteDatabase(Database):
    """A write transaction holds the file's write lock from its first moment (BEGIN IMMEDIATE)."""

    is_shared = False

    def __init__(self, url: str, metadata: sa.MetaData) -> None:
        write, read = _engine(url, "BEGIN IMMEDIATE", pool_size=1), _engine(url, "BEGIN", pool_size=POOL_SIZE)
        super().__init__(url, metadata, write, read)

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
            yield _SqliteWrites(connection)

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
        moved = [await self._move_one(connection, consumer, move) for move in moves]
        return all(moved)

    async def _move_one(self, connection: AsyncConnection, consumer: str, move: GuardMove) -> bool:
        guards = self.metadata.tables["guards"]
        where = (
            (guards.c.consumer == consumer)
            & (guards.c.source == move.source)
            & (guards.c.partition == move.partition)
            & (guards.c.next_offset == move.from_offset)
            & (guards.c.last_position == move.from_position)
        )
        values = {"next_offset": move.next_offset, "last_position": move.last_position}
        return (await connection.execute(sa.update(guards).where(where).values(**values))).rowcount == 1

    async def lock_upgrade(self, connection: AsyncConnection, service: str) -> None:
        """The transaction holds the file's write lock."""

    async def grant(self, connection: AsyncConnection, statements: Iterable[str]) -> None:
        """Whoever may open the file may do everything."""

    async def has_roles(self, connection: AsyncConnection, names: Sequence[str]) -> bool:
        return False

    async def close(self) -> None:
        await self.write.dispose()
        await self.read.dispose()


class _SqliteWrites(WriteTransaction):
    """Set-wise statements on the transaction's connection."""

    entered = False

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def select(self, table: BulkStatements, keys: Sequence[Key]) -> list[dict[str, Any]]:
        query = sa.select(*[table.table.c[name] for name in table.columns]).where(table.by_key().in_(keys))
        return [dict(row) for row in (await self.connection.execute(query)).mappings()]

    async def upsert(self, table: BulkStatements, columns: Mapping[str, list[Any]], add: Sequence[str]) -> None:
        await upsert_columns(self.connection, table.table, columns, add)

    async def delete(self, table: BulkStatements, keys: Sequence[Key]) -> None:
        await self.connection.execute(sa.delete(table.table).where(table.by_key().in_(keys)))


async def upsert_columns(
    connection: AsyncConnection, table: sa.Table, columns: Mapping[str, list[Any]], add: Sequence[str] = ()
) -> None:
    """Rows column by column, without a dict per row: the driver takes tuples, once they went through their columns' types."""
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
    """Rows that go with an append, in its transaction, after it."""
    for change in changes:
        if change.gone:
            await connection.execute(sa.delete(change.table.table).where(change.table.by_key().in_(change.gone)))
        if change.kept:
            await upsert_columns(connection, change.table.table, change.kept)


def _engine(url: str, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=30, connect_args={"isolation_level": None, "timeout": 30}
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin_now(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
