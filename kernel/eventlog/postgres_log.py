"""The log on PostgreSQL: each of the statements that every command waits for is one round trip by the driver.

An append is one statement: the head's compare-and-set, the events, the rows of inline tables and the NOTIFY.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges, behind_the_head
from kernel.adapters.connecting import connected
from kernel.adapters.disconnects import translated
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.adapters.postgres.driver import INDEXES_ONLY
from kernel.adapters.vault.event_vault import EventVault
from kernel.core.events import Recorded
from kernel.core.faults import Unavailable
from kernel.eventlog.log import (
    COLUMNS,
    MAX_POSITION,
    READ_BYTES,
    Head,
    Moved,
    Pending,
    Statement,
    StoredLog,
    checked,
    head_of,
)

CHANNEL = "log_appended"
SEPARATOR = "\x1f"
LISTEN_AGAIN_S = 1.0
_APPEND = f"""
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
# OFFSET 0 keeps the planner at one index lookup for each id asked for: without statistics (a young table) the planner would
# read the whole log for a batch.
_LOAD = f"""
SELECT e.* FROM unnest(CAST(:streams AS text[])) AS u(stream) CROSS JOIN LATERAL
(SELECT {COLUMNS} FROM log_events WHERE stream = u.stream ORDER BY version OFFSET 0) AS e ORDER BY e.stream, e.version
"""
_PAGE = f"""
SELECT {COLUMNS} FROM (SELECT {COLUMNS}, sum(octet_length(data) + octet_length(meta)) OVER (ORDER BY position)
- octet_length(data) - octet_length(meta) AS bytes_before FROM log_events WHERE %s ORDER BY position LIMIT :limit) AS page
WHERE bytes_before < {READ_BYTES} ORDER BY position
"""
_READ = _PAGE % "position > :after AND position <= :upto"
_FIND = f"""
SELECT e.* FROM unnest(CAST(:streams AS text[]), CAST(:commands AS text[])) AS u(stream, command) CROSS JOIN LATERAL
(SELECT {COLUMNS} FROM log_events WHERE stream = u.stream AND command = u.command OFFSET 0) AS e
"""
_MOVE_AND_READ = f"""
WITH m AS (UPDATE relay_checkpoint SET position = :position, last = :last
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS s WHERE relay_checkpoint.position = :before RETURNING 1)
SELECT e.* FROM m LEFT JOIN LATERAL
({_PAGE % "position > :position"}) AS e ON true ORDER BY e.position
"""
"""Moves the relay's checkpoint and reads the events behind it. No row: the checkpoint was not moved. One row of NULLs: moved,
and no event is behind it. The commit does not wait for the disk: after a crash the relay sends some events again."""


class PostgresLog(StoredLog):
    """Statements without a connection are committed at once; `locked` locks the head's row."""

    database: PostgresDatabase

    def __init__(self, database: PostgresDatabase, vault: EventVault | None = None) -> None:
        super().__init__(database, vault)

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        return head_of(next(iter(await self.database.rows("SELECT head, at FROM log", {}, connection)), None))

    async def now(self) -> datetime:
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
        if prepared is None:
            await self._give_keys(rows, connection)
        sql, values = prepared or self._statement(rows, expected, changes)
        found = await self.database.rows(sql, values, connection)
        return found[0][0] if found else None

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        """None where a key has to be asked for first."""
        return None if self._keyless(rows) else self._statement(rows, expected, changes)

    def _statement(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement:
        sql, values = behind_the_head(changes)
        return _APPEND % sql, _arrays(rows, [self._sealed(row) for row in rows], expected) | values

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[AsyncConnection]:
        async with self.database.begun(f"SET LOCAL {INDEXES_ONLY}; SELECT FROM log FOR UPDATE") as begun:
            yield begun.connection

    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]:
        values = {"after": after, "upto": MAX_POSITION if upto is None else upto, "limit": limit}
        return await self.database.rows(_READ, values, connection)

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        found = await self.database.rows(_LOAD, {"streams": streams}, connection)
        return await self._opened([Recorded(*row) for row in found if row[0] <= upto], connection)

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        if not pairs:
            return {}
        streams, commands = map(list, zip(*pairs, strict=True))
        found = await self.database.rows(_FIND, {"streams": streams, "commands": commands}, connection)
        events = [Recorded(*row) for row in found]
        return {(event.stream, event.command or ""): event for event in events}

    async def read_rows(
        self, table: BulkStatements, keys: Sequence[PrimaryKey], connection: AsyncConnection | None = None
    ) -> list[dict[str, Any]]:
        sql, arrays = table.selecting(keys)
        return [table.read(row) for row in await self.database.rows(sql, arrays, connection)]

    async def listen(self, stop: asyncio.Event) -> None:
        """LISTEN for the appends of other processes. A lost connection is made again; readers also poll, so they miss nothing."""
        while not stop.is_set():
            with suppress(Unavailable), translated():
                await self._listen(stop)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LISTEN_AGAIN_S)

    async def _listen(self, stop: asyncio.Event) -> None:
        async with connected(self.database.read) as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            lost = asyncio.Event()
            raw.add_termination_listener(lambda _: lost.set())
            await raw.add_listener(CHANNEL, lambda *_: self.signal.notify())
            self.signal.notify()
            waits = [asyncio.ensure_future(lost.wait()), asyncio.ensure_future(stop.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiting in waits:
                    waiting.cancel()
                await connection.invalidate()

    async def move_checkpoint(self, before: int, position: int, last: str, limit: int) -> Moved:
        values = {"before": before, "position": position, "last": last, "limit": limit}
        rows = await self.database.rows(_MOVE_AND_READ, values)
        if not rows:
            return Moved(False, None)
        return Moved(True, await self._opened(checked([row for row in rows if row[0] is not None], position), None))


def _arrays(rows: Sequence[Pending], datas: Sequence[bytes], expected: int) -> dict[str, Any]:
    """Each column as one text: the driver takes far longer over an array of as many texts. Empty parts are NULL."""
    return {
        "n": len(rows),
        "expected": expected,
        "tenants": _joined([row.tenant for row in rows]),
        "streams": _joined([row.stream for row in rows]),
        "versions": ",".join([str(row.version) for row in rows]),
        "partitions": ",".join(["" if row.partition is None else str(row.partition) for row in rows]),
        "names": _joined([row.name for row in rows]),
        "datas": _joined([data.decode() for data in datas]),
        "metas": _joined([row.meta.decode() for row in rows]),
        "commands": _joined([row.command or "" for row in rows]),
    }


def _joined(values: Sequence[str]) -> str:
    """Texts joined by the unit separator, which canonical JSON escapes; raises ValueError where a name or id holds one."""
    text = SEPARATOR.join(values)
    if text.count(SEPARATOR) != max(0, len(values) - 1):
        raise ValueError("a tenant, stream, event name or command id holds a unit separator")
    return text
