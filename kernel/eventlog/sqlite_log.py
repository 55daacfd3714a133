"""The log on SQLite: an append is a few statements under the file's write lock, which its transaction holds from the start."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges
from kernel.adapters.schema import utc_text
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.adapters.sqlite.direct import in_values
from kernel.adapters.sqlite.driver import connection_of
from kernel.adapters.vault.event_vault import EventVault
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Recorded
from kernel.eventlog.log import COLUMNS, MAX_POSITION, READ_BYTES, Head, Moved, Pending, Statement, StoredLog, head_of

_APPEND = f"INSERT INTO log_events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_HEAD = "SELECT head, at FROM log"
_MOVE_HEAD = "UPDATE log SET head = ?, at = ?"
_SELECT = f"SELECT {COLUMNS} FROM log_events"
_READ = f"{_SELECT} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
_MOVE = "UPDATE relay_checkpoint SET position = ?, last = ? WHERE position = ?"


class SqliteLog(StoredLog):
    """Log in one SQLite file. Reads go to the read pool; time is the machine's clock, and never before the last append."""

    database: SqliteDatabase

    def __init__(self, database: SqliteDatabase, clock: Clock = system_clock, vault: EventVault | None = None) -> None:
        super().__init__(database, vault)
        self._clock = clock

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        found = head_of(next(iter(await self.database.rows(_HEAD, (), connection)), None))
        return found._replace(at=datetime.fromisoformat(str(found.at)))

    async def now(self) -> datetime:
        return max(self._clock(), (await self.head()).at)

    async def append(
        self,
        connection: AsyncConnection | None,
        rows: Sequence[Pending],
        expected: int,
        changes: Sequence[RowChanges] = (),
        prepared: Statement | None = None,
    ) -> datetime | None:
        if connection is not None:
            return await self._append(connection, rows, expected, changes)
        async with self.database.grouped() as own:
            return await self._append(own, rows, expected, changes)

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        return None

    async def _append(
        self, connection: AsyncConnection, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]
    ) -> datetime | None:
        head, raw = await self.head(connection), connection_of(connection)
        if head.position != expected:
            return None
        if not rows:
            return head.at
        await self._give_keys(rows, connection)
        at = max(head.at, self._clock())
        stamp = utc_text(at)
        inserted = [_columns(expected + i, row, self._sealed(row), stamp) for i, row in enumerate(rows, start=1)]
        await raw.direct(_MOVE_HEAD, (expected + len(rows), stamp), is_short=True)
        await raw.direct_many(_APPEND, inserted)
        await self.database.write_changes(connection, changes)
        return at

    def locked(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction of its own and not of a group: the cache keeps rows read under the lock, so they must be committed."""
        return self.database.transaction()

    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]:
        values = (after, MAX_POSITION if upto is None else upto, limit)
        return [_timed(row) for row in await self.database.rows(_READ, values, connection, READ_BYTES)]

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        if not streams:
            return []
        wanted, values = in_values(1, [(stream,) for stream in streams])
        query = f"{_SELECT} WHERE stream IN ({wanted}) ORDER BY stream, version"
        found = await self.database.rows(query, values, connection)
        return await self._opened([Recorded(*_timed(row)) for row in found if row[0] <= upto], connection)

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        if not pairs:
            return {}
        wanted, values = in_values(2, pairs)
        found = await self.database.rows(f"{_SELECT} WHERE (stream, command) IN ({wanted})", values, connection)
        events = [Recorded(*_timed(row)) for row in found]
        return {(event.stream, event.command or ""): event for event in events}

    async def read_rows(
        self, table: BulkStatements, keys: Sequence[PrimaryKey], connection: AsyncConnection | None = None
    ) -> list[dict[str, Any]]:
        known = self.database.statements(table)
        sql, values = known.selecting(keys)
        return [known.row(row) for row in await self.database.rows(sql, values, connection)]

    async def listen(self, stop: asyncio.Event) -> None:
        """Waits for `stop`: one process has the database to itself, and the writer of that process sets the signal."""
        await stop.wait()

    async def move_checkpoint(self, before: int, position: int, last: str, limit: int) -> Moved:
        async with self.database.grouped() as connection:
            done = await connection_of(connection).direct(_MOVE, (position, last, before), is_short=True)
        return Moved(done.changed == 1, None)


def _timed(row: Sequence[Any]) -> tuple[Any, ...]:
    """A stored row with its time, which SQLite keeps as text."""
    return (*row[:9], datetime.fromisoformat(row[9]))


def _columns(position: int, row: Pending, data: bytes, stamp: str) -> tuple[Any, ...]:
    return (
        position, row.tenant, row.stream, row.version, row.partition, row.name, data, row.meta, row.command, stamp,
    )  # fmt: skip
