"""A service's database in one SQLite file, for one process: one connection writes (writers queue for it), a pool reads."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges, in_key_order, on_conflict
from kernel.adapters.connecting import connected
from kernel.adapters.database import POOL_SIZE, Database, Entry, GuardMove, WriteTransaction
from kernel.adapters.disconnects import translated
from kernel.adapters.sqlite.direct import DirectReads, TableStatements
from kernel.adapters.sqlite.driver import AT_ONCE_ROWS, OneHop, OneHopConnection, Values, connection_of
from kernel.adapters.sqlite.group import GroupCommit
from kernel.core.clock import system_clock
from kernel.runtime import telemetry

logger = logging.getLogger(__name__)

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""Size past which the write-ahead log is cut."""
SINGLE = "single"
"""Execution option of an engine whose statements stand alone: no BEGIN."""
PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536",
    f"journal_size_limit={WAL_LIMIT_BYTES}",
)  # fmt: skip
"""Of every connection. A service that keeps personal data also overwrites with zeros what is deleted."""
SCRUB_WAIT_S, CUT_WAIT_S = 1.0, 0.1
"""Time for which the cut of the write-ahead log waits for readers: every writer waits meanwhile."""
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
        pragmas = (*PRAGMAS, "secure_delete=ON") if "personal_keys" in metadata.tables else PRAGMAS
        write, read = _engine(url, "BEGIN IMMEDIATE", 1, pragmas), _engine(url, "BEGIN", POOL_SIZE, pragmas)
        super().__init__(url, metadata, write, read)
        self._single = read.execution_options(**{SINGLE: True})
        self._direct, self._group = DirectReads(self._single), GroupCommit(self.transaction)
        self._tables: WeakKeyDictionary[BulkStatements, TableStatements] = WeakKeyDictionary()

    def grouped(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._group.joined()

    async def rows(
        self, sql: str, values: Values, connection: AsyncConnection | None = None, limit_bytes: int = 0
    ) -> Sequence[Any]:
        if connection is not None:
            return (await connection_of(connection).direct(sql, values, limit_bytes=limit_bytes)).rows
        with translated():
            return await self._direct.fetch(sql, values, limit_bytes)

    def statements(self, table: BulkStatements) -> TableStatements:
        """A known table's statements in this store."""
        found = self._tables.get(table)
        if found is None:
            found = self._tables[table] = TableStatements(table, self.write.dialect)
        return found

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with connected(self._single) as connection:
                yield connection

    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.begun_on(self.read)

    def reading_as(self, role: str, readers: Sequence[str]) -> AbstractAsyncContextManager[AsyncConnection]:
        """There is no row-level security here: queries carry their filter (kernel.processors.access.may_read)."""
        return self.snapshot()

    @asynccontextmanager
    async def exclusive(self, name: str, entry: Entry | None = None) -> AsyncIterator[WriteTransaction]:
        """Every write transaction has the connection for itself, whatever its name."""
        async with self.grouped() if entry is not None else self.transaction() as connection:
            entered = entry is not None and await _enter(connection, entry)
            yield _SqliteWrites(self, connection, entered)

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
        """Takes the file's write lock by a first statement: Alembic has one state per process, for one migration at a time."""
        await connection.exec_driver_sql("SELECT 1")

    async def grant(self, connection: AsyncConnection, statements: Iterable[str]) -> None:
        """Grants nothing: a process that may open the file may do everything."""

    async def has_roles(self, connection: AsyncConnection, names: Sequence[str]) -> bool:
        return False

    async def write_changes(self, connection: AsyncConnection, changes: Sequence[RowChanges]) -> None:
        """Writes the rows of inline tables that an append changes, in its transaction."""
        for change in changes:
            writes = _SqliteWrites(self, connection, entered=False)
            if change.deletes:
                await writes.delete(change.table, change.deletes)
            if change.upserts:
                await writes.upsert(change.table, change.upserts, ())

    @property
    def _file(self) -> str:
        return str(self.write.url.database)

    async def scrub(self) -> None:
        await asyncio.to_thread(_truncate, self._file, SCRUB_WAIT_S)

    async def bound_log(self) -> None:
        """Sets the gauge of the write-ahead log's size. Past its bound the log is written back and cut.

        A reader that never ends would keep SQLite from doing so by itself: then this says so, and the gauge grows.
        """
        size = self._log_bytes()
        telemetry.gauge("sqlite_wal_bytes", size)
        if size > WAL_LIMIT_BYTES and await asyncio.to_thread(_truncate, self._file, CUT_WAIT_S):
            logger.warning("write-ahead log not cut: a reader holds it")

    def _log_bytes(self) -> int:
        log = Path(f"{self._file}-wal")
        return log.stat().st_size if log.exists() else 0

    async def close(self) -> None:
        await self._direct.close()
        await self.write.dispose()
        await self.read.dispose()


class _SqliteWrites(WriteTransaction):
    """Set-wise statements on the transaction's connection."""

    def __init__(self, database: SqliteDatabase, connection: AsyncConnection, entered: bool) -> None:
        self.connection, self.entered = connection, entered
        self._database, self._raw = database, connection_of(connection)

    async def select(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> list[dict[str, Any]]:
        known = self._database.statements(table)
        sql, values = known.selecting(keys)
        return [known.row(row) for row in (await self._raw.direct(sql, values)).rows]

    async def upsert(self, table: BulkStatements, columns: Mapping[str, list[Any]], add: Sequence[str]) -> None:
        await self._raw.direct_many(*self._database.statements(table).upserting(columns, add))

    async def delete(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> None:
        sql, values = self._database.statements(table).deleting(keys)
        await self._raw.direct(sql, values, is_short=len(keys) <= AT_ONCE_ROWS)


async def _enter(connection: AsyncConnection, entry: Entry) -> bool:
    """Moves the guards; False when fewer moved than asked for. The caller then goes step by step, and is fenced."""
    values = [entry.consumer, entry.consumer, entry.projection, entry.generation]
    return await _moved(connection, f"{_MOVE}{_USUAL}", entry.moves, values)


async def _moved(connection: AsyncConnection, sql: str, moves: Sequence[GuardMove], values: Sequence[Any]) -> bool:
    packed = orjson.dumps([tuple(move) for move in moves]).decode()
    done = await connection_of(connection).direct(sql, (packed, *values), is_short=len(moves) <= AT_ONCE_ROWS)
    return done.changed == len(moves)


def _truncate(path: str, wait_s: float) -> bool:
    """Moves the write-ahead log into the file and empties it; True where readers of old pages keep it for another time."""
    with closing(sqlite3.connect(path, timeout=wait_s)) as connection:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def _engine(url: str, begin: str, pool_size: int, pragmas: Sequence[str]) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=30, connect_args={"isolation_level": None, "timeout": 30},
        module=OneHop(), hide_parameters=True,  # the text of an error is logged and parked, and values may be personal
    )  # fmt: skip

    @sa.event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin_now(connection: sa.Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, OneHopConnection)
        if not connection.get_execution_options().get(SINGLE):
            raw.begin_with(begin)

    return engine
