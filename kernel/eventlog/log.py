"""The event log of one service: one head row, dense positions in commit order, idempotency keys and outbox in one table.

An append moves the head by compare-and-set and inserts the rows behind it, in one statement. The head row is lock, clock
and order in one: who appends at the head it expected has seen every event before it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import RowChanges, behind_the_head, write
from kernel.adapters.database import Database
from kernel.adapters.driver import INDEXES_ONLY
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.runtime.wakeup import Wakeup

CHANNEL = "log_appended"
READ_LIMIT = 5_000
SEPARATOR = "\x1f"
MAX_POSITION = 2**62


class Head(NamedTuple):
    """The log's end: `position` of the last event (0: empty) and `at`, the time of the last append (database time, UTC)."""

    position: int
    at: datetime


@dataclass(slots=True)
class Pending:
    """An event that is decided and not yet appended; its position is the expected head plus its place in the batch."""

    tenant: str
    stream: str
    version: int
    partition: int | None
    name: str
    data: bytes
    meta: bytes
    command: str | None


Statement = tuple[str, dict[str, Any]]
"""SQL with `:names`, and their values."""
COLUMNS = "position, tenant, stream, version, partition, name, data, meta, command, recorded_at"
_APPEND_POSTGRES = f"""
WITH h AS (UPDATE log SET head = head + :n, at = greatest(at, clock_timestamp()) WHERE head = :expected RETURNING at),
i AS (INSERT INTO log_events ({COLUMNS})
SELECT :expected + u.i, u.tenant, u.stream, u.version, u.partition, u.name, u.data, u.meta, u.command, h.at
FROM (SELECT convert_to(d, 'UTF8') AS data, convert_to(m, 'UTF8') AS meta, * FROM
unnest(string_to_array(:tenants, chr(31)), string_to_array(:streams, chr(31)), CAST(string_to_array(:versions, ',') AS int[]),
CAST(string_to_array(:partitions, ',', '') AS int[]), string_to_array(:names, chr(31)), string_to_array(:datas, chr(31)),
string_to_array(:metas, chr(31)), string_to_array(:commands, chr(31), ''))
WITH ORDINALITY AS t(tenant, stream, version, partition, name, d, m, command, i)) AS u, h)%s
SELECT h.at, pg_notify('{CHANNEL}', '') FROM h
"""
# OFFSET 0 keeps the planner at one index lookup for each id asked for: without statistics (a young table) it would read
# the whole log for a batch.
_LOAD_POSTGRES = f"""
SELECT e.* FROM unnest(CAST(:streams AS text[])) AS u(stream) CROSS JOIN LATERAL
(SELECT {COLUMNS} FROM log_events WHERE stream = u.stream ORDER BY version OFFSET 0) AS e ORDER BY e.stream, e.version
"""
_READ_POSTGRES = f"""
SELECT {COLUMNS} FROM log_events WHERE position > :after AND position <= :upto ORDER BY position LIMIT :limit
"""
_FIND_POSTGRES = f"""
SELECT e.* FROM unnest(CAST(:streams AS text[]), CAST(:commands AS text[])) AS u(stream, command) CROSS JOIN LATERAL
(SELECT {COLUMNS} FROM log_events WHERE stream = u.stream AND command = u.command OFFSET 0) AS e
"""
_APPEND_SQLITE = sa.text("""
INSERT INTO log_events (position, tenant, stream, version, partition, name, data, meta, command, recorded_at)
VALUES (:position, :tenant, :stream, :version, :partition, :name, :data, :meta, :command, :recorded_at)
""")


class Log:
    """Reads and appends. It opens no transaction by itself except in `append` and `locked`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self.database = database
        self.signal = Wakeup()
        self._clock = clock
        self._head = database.metadata.tables["log"]
        self._events = database.metadata.tables["log_events"]

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        if connection is None and self.database.is_sqlite:
            async with self.database.reading() as reading:
                return await self.head(reading)
        if connection is not None and self.database.is_sqlite:
            row: Any = (await connection.execute(sa.select(self._head.c.head, self._head.c.at))).first()
        else:
            row = next(iter(await self.database.rows("SELECT head, at FROM log", {}, connection)), None)
        if row is None:
            raise Internal("log.not_migrated", do="run the migrate role of this service")
        return Head(row[0], row[1])

    async def now(self) -> datetime:
        """Database time (UTC); on SQLite the machine's clock, never behind the last append."""
        if self.database.is_sqlite:
            return max(self._clock(), (await self.head()).at)
        async with self.database.reading() as connection:
            now: datetime = (await connection.execute(sa.text("SELECT clock_timestamp()"))).scalar_one()
            return now

    async def append(
        self,
        connection: AsyncConnection | None,
        rows: Sequence[Pending],
        expected: int,
        changes: Sequence[RowChanges] = (),
        prepared: Statement | None = None,
    ) -> datetime | None:
        """Appends at `expected + 1`... and returns the time recorded; None when the head has moved (nothing is written).

        `changes` are rows of other tables that go with it. With no rows it only proves, under the head row's lock, that the
        head is where the caller believes it. Without a connection it is a transaction of its own. `prepared`: its statement.
        """
        if not self.database.is_sqlite:
            sql, values = prepared or self.statement(rows, expected, changes)
            found = await self.database.rows(sql, values, connection)
            return found[0][0] if found else None
        if connection is not None:
            return await self._append_sqlite(connection, rows, expected, changes)
        async with self.database.transaction() as own:
            return await self._append_sqlite(own, rows, expected, changes)

    def statement(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement:
        """PostgreSQL: `append` made ready."""
        sql, values = behind_the_head(changes)
        return _APPEND_POSTGRES % sql, _arrays(rows, expected) | values

    async def _append_sqlite(
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
        await connection.execute(_APPEND_SQLITE, values)
        await write(connection, changes)
        return at

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction that holds the head row: nobody else appends until it ends."""
        if self.database.is_sqlite:  # its write lock is held from the first moment
            async with self.database.transaction() as connection:
                yield connection
        else:
            async with self.database.begun(f"SET LOCAL {INDEXES_ONLY}; SELECT FROM log FOR UPDATE") as begun:
                yield begun.connection

    async def read(
        self, after: int, limit: int = READ_LIMIT, upto: int | None = None, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        """Events with `after < position <= upto` in order, at most `limit`. A hole is a bug and raises `log.hole`."""
        return checked(await self._rows(after, limit, upto, connection), after)

    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]:
        if not self.database.is_sqlite:
            values = {"after": after, "upto": MAX_POSITION if upto is None else upto, "limit": limit}
            return await self.database.rows(_READ_POSTGRES, values, connection)
        if connection is None:
            async with self.database.reading() as reading:
                return await self._rows(after, limit, upto, reading)
        events = self._events
        query = sa.select(events).where(events.c.position > after).order_by(events.c.position).limit(limit)
        if upto is not None:
            query = query.where(events.c.position <= upto)
        return (await connection.execute(query)).all()

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        """All events of the streams up to a position, by stream and version, in one query."""
        if not self.database.is_sqlite:
            found = await self.database.rows(_LOAD_POSTGRES, {"streams": streams}, connection)
        elif connection is None:
            async with self.database.reading() as reading:
                return await self.load(streams, upto, reading)
        else:
            query = sa.select(self._events).where(self._events.c.stream.in_(streams))
            found = (await connection.execute(query.order_by(self._events.c.stream, self._events.c.version))).all()
        return [Recorded(*row) for row in found if row[0] <= upto]

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        """The first event of each (stream, command id) that has been appended."""
        if not pairs:
            return {}
        if not self.database.is_sqlite:
            streams, commands = map(list, zip(*pairs, strict=True))
            found = await self.database.rows(_FIND_POSTGRES, {"streams": streams, "commands": commands}, connection)
        elif connection is None:
            async with self.database.reading() as reading:
                return await self.find_commands(pairs, reading)
        else:
            asked = sa.tuple_(self._events.c.stream, self._events.c.command).in_(pairs)
            found = (await connection.execute(sa.select(self._events).where(asked))).all()
        events = [Recorded(*row) for row in found]
        return {(event.stream, event.command or ""): event for event in events}


def checked(rows: Sequence[Any], after: int) -> list[Recorded]:
    """Rows of the log in order as events; raises `log.hole` unless they follow `after` without one."""
    found = [Recorded(*row) for row in rows]
    if found and (found[0].position != after + 1 or found[-1].position != after + len(found)):
        raise Internal("log.hole", after=after, first=found[0].position, last=found[-1].position, rows=len(found))
    return found


def _arrays(rows: Sequence[Pending], expected: int) -> dict[str, Any]:
    """Each column as one text: the driver takes far longer over an array of as many texts. Empty parts are NULL."""
    return {
        "n": len(rows),
        "expected": expected,
        "tenants": _joined([row.tenant for row in rows]),
        "streams": _joined([row.stream for row in rows]),
        "versions": ",".join([str(row.version) for row in rows]),
        "partitions": ",".join(["" if row.partition is None else str(row.partition) for row in rows]),
        "names": _joined([row.name for row in rows]),
        "datas": _joined([row.data.decode() for row in rows]),
        "metas": _joined([row.meta.decode() for row in rows]),
        "commands": _joined([row.command or "" for row in rows]),
    }


def _joined(values: Sequence[str]) -> str:
    """By the unit separator, which canonical JSON writes as an escape; ValueError where a name or id holds it."""
    text = SEPARATOR.join(values)
    if text.count(SEPARATOR) != max(0, len(values) - 1):
        raise ValueError("a tenant, stream, event name or command id holds a unit separator")
    return text


def _columns(row: Pending) -> dict[str, Any]:
    return {
        "tenant": row.tenant, "stream": row.stream, "version": row.version, "partition": row.partition,
        "name": row.name, "data": row.data, "meta": row.meta, "command": row.command,
    }  # fmt: skip
