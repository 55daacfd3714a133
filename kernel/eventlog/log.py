"""The event log of one service: one head row, dense positions in commit order, idempotency keys and outbox in one table.

An append moves the head by compare-and-set and puts the events behind it, in one transaction. The head is lock, clock and
order in one: who appends at the head it expected has seen every event before it.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, PrimaryKey, RowChanges
from kernel.adapters.database import Database
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.runtime.wakeup import Wakeup

READ_LIMIT = 5_000
READ_BYTES = 16 * 1024 * 1024
"""Data and metadata after which a read ends, with the event that passes the bound: a page of large events stays small."""
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


class Log(Protocol):
    """An append-only event log with one head, and the inline tables that change together with it.

    An implementer promises the following, and tests/contract/test_log.py asks every implementation for it. Positions are
    dense and in commit order, so whoever reads `position > last` misses nothing. An append happens whole or not at all, its
    events and its rows of inline tables alike, and only at the head that the caller expected; of several callers that expect
    the same head one wins and the others are answered None. No (stream, version) and no (stream, command id) stands twice:
    such an append raises IntegrityError. Time is the store's, and neither `now` nor an append's time is before the last
    append's. Everything takes an optional `connection`: with one a call belongs to that transaction and sees what it wrote;
    without one it sees what is committed, and an append is a transaction of its own.

    Example, an append that notices that somebody was faster and decides anew:

        head = await log.head()
        at = await log.append(None, [Pending("acme", "order-1", 1, 0, "order.placed@1", b"{}", b"{}", "key-1")], head.position)
        if at is None:
            missed = await log.read(head.position)
    """

    signal: Wakeup
    """Set after every append that this process knows of; whoever follows the log waits on it."""

    @property
    def metadata(self) -> sa.MetaData:
        """The service's tables, the inline tables among them."""

    def monotonic(self) -> float:
        """Seconds that pass between two answers of the log; only differences count."""

    async def head(self, connection: AsyncConnection | None = None) -> Head:
        """The log's end as it is committed, or as the transaction of `connection` sees it."""

    async def now(self) -> datetime:
        """The store's time (UTC)."""

    async def append(
        self,
        connection: AsyncConnection | None,
        rows: Sequence[Pending],
        expected: int,
        changes: Sequence[RowChanges] = (),
        prepared: Statement | None = None,
    ) -> datetime | None:
        """Appends at `expected + 1`... and returns the time recorded; None when the head has moved (nothing is written).

        `changes` are rows of inline tables that go with it. With no rows it only proves that the head is where the caller
        believes it, and holds it there until the transaction ends. `prepared` is the same append made ready by `prepare`.
        """

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        """The append made ready while there is nothing else to do; None where there is nothing to make ready."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction: commits at the block's end, rolls back whatever is raised."""

    def locked(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction that holds the head: nobody else appends until it ends."""

    async def read(
        self, after: int, limit: int = READ_LIMIT, upto: int | None = None, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        """Events with `after < position <= upto` in order, at most `limit` of them and about READ_BYTES, and one at least.

        A hole is a bug and raises `log.hole`. `is_cut` says whether a read ended at one of its limits.
        """

    async def load(
        self, streams: Sequence[str], upto: int, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        """All events of the streams up to a position, by stream and version."""

    async def find_commands(
        self, pairs: Sequence[tuple[str, str]], connection: AsyncConnection | None = None
    ) -> dict[tuple[str, str], Recorded]:
        """The first event of each (stream, command id) that has been appended."""

    async def read_rows(
        self, table: BulkStatements, keys: Sequence[PrimaryKey], connection: AsyncConnection | None = None
    ) -> list[dict[str, Any]]:
        """The rows of an inline table with these primary keys, by column; absent ones are left out."""

    async def listen(self, stop: asyncio.Event) -> None:
        """Until `stop`: sets `signal` at what other processes append."""


class Moved(NamedTuple):
    """What became of a move of the relay's checkpoint: whether it was made, and what stands behind it (None: not read)."""

    done: bool
    behind: list[Recorded] | None


class StoredLog(Log):
    """A log in a service's database, beside its other tables."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.signal = Wakeup()

    @property
    def metadata(self) -> sa.MetaData:
        return self.database.metadata

    def monotonic(self) -> float:
        return monotonic()

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.database.grouped()

    async def read(
        self, after: int, limit: int = READ_LIMIT, upto: int | None = None, connection: AsyncConnection | None = None
    ) -> list[Recorded]:
        return checked(await self._rows(after, limit, upto, connection), after)

    @abstractmethod
    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]: ...

    @abstractmethod
    async def move_checkpoint(self, before: int, position: int, last: str, limit: int) -> Moved:
        """Compare-and-set of the relay's checkpoint; where one statement can do both, reads `limit` events behind it."""


def checked(rows: Sequence[Any], after: int) -> list[Recorded]:
    """Rows of the log in order as events; raises `log.hole` unless they follow `after` without one."""
    found = [Recorded(*row) for row in rows]
    if found and (found[0].position != after + 1 or found[-1].position != after + len(found)):
        raise Internal("log.hole", after=after, first=found[0].position, last=found[-1].position, rows=len(found))
    return found


def is_cut(found: Sequence[Recorded], limit: int) -> bool:
    """Whether a read ended at one of its limits, so that more events may be behind it."""
    return len(found) >= limit or sum(len(event.data) + len(event.meta) for event in found) >= READ_BYTES


def head_of(row: Any) -> Head:
    """The head's row; raises Internal `log.not_migrated` where there is none."""
    if row is None:
        raise Internal("log.not_migrated", do="run the migrate role of this service")
    return Head(row[0], row[1])
