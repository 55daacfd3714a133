"""The log on SQLite: an append is a few statements under the file's write lock, which its transaction holds from the start."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges
from kernel.adapters.sqlite.database import SqliteDatabase, write_changes
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Recorded
from kernel.eventlog.log import COLUMNS, Head, Moved, Pending, Statement, StoredLog, head_of

_APPEND = sa.text(f"""
INSERT INTO log_events ({COLUMNS})
VALUES (:position, :tenant, :stream, :version, :partition, :name, :data, :meta, :command, :recorded_at)
""")
_MOVE = sa.text("UPDATE relay_checkpoint SET position = :position, last = :last WHERE position = :before")


class SqliteLog(StoredLog):
    """Reads go to the read pool; time is the machine's clock, never behind the last append."""

    def __init__(self, database: SqliteDatabase, clock: Clock = system_clock) -> None:
        super().__init__(database)
        self._clock = clock
        self._head = database.metadata.tables["log"]
        self._events = database.metadata.tables["log_events"]

    @asynccontextmanager
    async def _on(self, connection: AsyncConnection | None) -> AsyncIterator[AsyncConnection]:
        """The caller's connection, or one of the read pool."""
        if connection is not None:
            yield connection
            return
        async with self.database.reading() as own:
            yield own

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        async with self._on(connection) as one:
            return head_of((await one.execute(sa.select(self._head.c.head, self._head.c.at))).first())

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
        async with self.database.transaction() as own:
            return await self._append(own, rows, expected, changes)

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        return None

    async def _append(
        self, connection: AsyncConnection, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]
    ) -> datetime | None:
        head = await self.head(connection)
        if head.position != expected:
            return None
        if not rows:
            return head.at
        at = max(head.at, self._clock())
        await connection.execute(sa.update(self._head).values(head=expected + len(rows), at=at))
        stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
        values = [
            {"position": expected + i, "recorded_at": stamp, **_columns(row)} for i, row in enumerate(rows, start=1)
        ]
        await connection.execute(_APPEND, values)
        await write_changes(connection, changes)
        return at

    def locked(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.database.transaction()

    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]:
        events = self._events
        query = sa.select(events).where(events.c.position > after).order_by(events.c.position).limit(limit)
        if upto is not None:
            query = query.where(events.c.position <= upto)
        async with self._on(connection) as one:
            return (await one.execute(query)).all()

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        events = self._events
        query = sa.select(events).where(events.c.stream.in_(streams)).order_by(events.c.stream, events.c.version)
        async with self._on(connection) as one:
            found = (await one.execute(query)).all()
        return [Recorded(*row) for row in found if row[0] <= upto]

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        if not pairs:
            return {}
        asked = sa.tuple_(self._events.c.stream, self._events.c.command).in_(pairs)
        async with self._on(connection) as one:
            found = (await one.execute(sa.select(self._events).where(asked))).all()
        events = [Recorded(*row) for row in found]
        return {(event.stream, event.command or ""): event for event in events}

    async def read_rows(
        self, table: BulkStatements, keys: Sequence[PrimaryKey], connection: AsyncConnection | None = None
    ) -> list[dict[str, Any]]:
        query = sa.select(*[table.table.c[name] for name in table.columns]).where(table.by_key().in_(keys))
        async with self._on(connection) as one:
            return [dict(row) for row in (await one.execute(query)).mappings()]

    async def listen(self, stop: asyncio.Event) -> None:
        """One process has the database, and its own writer sets the signal."""
        await stop.wait()

    async def move_checkpoint(self, before: int, position: int, last: str, limit: int) -> Moved:
        async with self.database.transaction() as connection:
            done = await connection.execute(_MOVE, {"before": before, "position": position, "last": last})
        return Moved(done.rowcount == 1, None)


def _columns(row: Pending) -> dict[str, Any]:
    return {
        "tenant": row.tenant, "stream": row.stream, "version": row.version, "partition": row.partition,
        "name": row.name, "data": row.data, "meta": row.meta, "command": row.command,
    }  # fmt: skip
