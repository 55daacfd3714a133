"""A log in memory with its inline rows, for tests of decisions: the real Writer runs on it and no database is asked.

It keeps every promise of `Log` that tests/contract/test_log.py asks for. CHECK constraints of SQL tables it has not.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Recorded
from kernel.eventlog.log import MAX_POSITION, READ_BYTES, READ_LIMIT, Head, Log, Pending, Statement, checked
from kernel.runtime.wakeup import Wakeup

RowKey = tuple[str, PrimaryKey]
Row = Mapping[str, Any]


@dataclass(slots=True)
class Stored:
    """Events in order, and rows of inline tables by table and key; in a transaction, what it adds (a row None: deleted)."""

    events: list[Recorded] = field(default_factory=list)
    rows: dict[RowKey, Row | None] = field(default_factory=dict)


class MemoryLog(Log):
    """One transaction writes at a time; what it wrote is seen by others when its block has ended well."""

    def __init__(self, metadata: sa.MetaData, clock: Clock = system_clock) -> None:
        self._metadata, self._clock = metadata, clock
        self.signal = Wakeup()
        self.stored = Stored()
        self._began = clock()
        self._turn = asyncio.Lock()

    @property
    def metadata(self) -> sa.MetaData:
        return self._metadata

    def monotonic(self) -> float:
        """By the clock that was given: where that stands still, no time passes between two answers."""
        return (self._clock() - self._began) / timedelta(seconds=1)

    def _seen(self, connection: AsyncConnection | None) -> list[Recorded]:
        written = [] if connection is None else _of(connection).events
        return self.stored.events + written if written else self.stored.events

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        events = self._seen(connection)
        return Head(events[-1].position, events[-1].recorded_at) if events else Head(0, self._began)

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
        if connection is None:
            async with self.transaction() as own:
                return await self.append(own, rows, expected, changes)
        head = await self.head(connection)
        if head.position != expected:
            return None
        if not rows:
            return head.at
        at = max(head.at, self._clock())
        made = [Recorded(position, **_columns(row), recorded_at=at) for position, row in enumerate(rows, expected + 1)]
        _refuse_repeats([*self._seen(connection), *made])
        written = _of(connection)
        written.events += made
        for change in changes:
            _change(written.rows, change)
        return at

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        return None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """What stands for the connection is good for calls of this log only."""
        async with self._turn:
            written = Stored()
            yield cast(AsyncConnection, written)
            self.stored.events += written.events
            self.stored.rows |= written.rows

    def locked(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.transaction()

    async def read(
        self, after: int, limit: int = READ_LIMIT, upto: int | None = None, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        events, position = self._seen(connection), attrgetter("position")
        first = bisect_right(events, after, key=position)
        last = bisect_right(events, MAX_POSITION if upto is None else upto, key=position)
        found = events[first : min(last, first + limit)]
        sizes = accumulate(len(event.data) + len(event.meta) for event in found)
        return checked(
            [event for event, before in zip(found, chain([0], sizes), strict=False) if before < READ_BYTES], after
        )

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        wanted = set(streams)
        found = [event for event in self._seen(connection) if event.stream in wanted and event.position <= upto]
        return sorted(found, key=lambda event: (event.stream, event.version))

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        wanted = set(pairs)
        events = ((event, (event.stream, event.command or "")) for event in self._seen(connection) if event.command)
        return {pair: event for event, pair in events if pair in wanted}

    async def read_rows(
        self, table: BulkStatements, keys: Sequence[PrimaryKey], connection: AsyncConnection | None = None
    ) -> list[dict[str, Any]]:
        written = {} if connection is None else _of(connection).rows
        places = [(table.table.name, key) for key in keys]
        found = [written[place] if place in written else self.stored.rows.get(place) for place in places]
        return [dict(row) for row in found if row is not None]

    async def listen(self, stop: asyncio.Event) -> None:
        await stop.wait()


def _of(connection: AsyncConnection) -> Stored:
    return cast(Stored, connection)


def _columns(row: Pending) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Pending.__slots__ if name != "key"}


def _refuse_repeats(events: Sequence[Recorded]) -> None:
    versions = {(event.stream, event.version) for event in events}
    commands = [(event.stream, event.command) for event in events if event.command is not None]
    if len(versions) < len(events) or len(set(commands)) < len(commands):
        raise IntegrityError("append", None, ValueError("a stream has this version or this command id already"))


def _change(rows: dict[RowKey, Row | None], change: RowChanges) -> None:
    name = change.table.table.name
    for values in zip(*change.upserts.values(), strict=True):
        row = dict(zip(change.upserts, values, strict=True))
        rows[name, tuple(row[column] for column in change.table.key)] = row
    for key in change.deletes:
        rows[name, key] = None
