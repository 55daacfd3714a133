"""The event log of one service: one head row, dense positions in commit order, idempotency keys and outbox in one table.

An append moves the head by compare-and-set and inserts the events behind the old head, in one transaction. The head is lock,
clock and order in one: a writer that appends at the head it expected has seen every event before that head.
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
from kernel.adapters.vault.event_vault import EventVault
from kernel.adapters.vault.personal import SubjectKey
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
    key: SubjectKey | None = None
    """The subject's data key, under which a stored log encrypts personal fields; it is not written."""


class StreamSpan(NamedTuple):
    """A part of one stream: at most `limit` events behind version `after` (None: from its end), recorded until a moment."""

    limit: int
    after: int | None = None
    upto: int = MAX_POSITION
    """Place in the log."""
    until: datetime | None = None
    falling: bool = False
    """The newest first."""
    last: int = MAX_POSITION
    """Version after which the span ends."""


Statement = tuple[str, dict[str, Any]]
"""SQL with `:names`, and their values."""
COLUMNS = "position, tenant, stream, version, partition, name, data, meta, command, recorded_at"


class Log(Protocol):
    """An append-only event log with one head, and the inline tables that change together with it.

    An implementer promises (tests/contract/test_log.py asks every implementation):
    - Order: positions are dense and in commit order, so a reader of `position > last` misses nothing.
    - Atomicity: an append happens whole or not at all, its events and its rows of inline tables alike.
    - Optimistic concurrency: an append happens at the head that its caller expects. Of several callers that expect the same
      head one wins, and the others get None.
    - Uniqueness: a second event of one (stream, version) or one (stream, command id) raises IntegrityError.
    - Time: it is the store's. `now` and the time of an append are never before the time of the last append.
    - Transactions: a call with a `connection` belongs to that transaction and sees its rows. A call without one sees what is
      committed, and an append without one is a transaction of its own.

    An append that meets another writer's append, and reads what it missed:

        head = await log.head()
        at = await log.append(None, [Pending("acme", "order-1", 1, 0, "order.placed@1", b"{}", b"{}", "key-1")], head.position)
        if at is None:
            missed = await log.read(head.position)
    """

    signal: Wakeup
    """Notified after every append that this process knows of; readers of the log wait on it."""

    @property
    def metadata(self) -> sa.MetaData:
        """The service's tables, the inline tables among them."""

    def monotonic(self) -> float:
        """A clock in seconds that runs on between two readings of the log's time; only differences count."""

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
        """Appends from position `expected + 1` on; returns the time recorded, or None (nothing written) if the head has moved.

        `changes` are rows of inline tables, written with the events. Without `rows` the append proves that the head is at
        `expected`, and holds the head there until the transaction ends. `prepared` is this append as `prepare` built it.
        """

    def prepare(self, rows: Sequence[Pending], expected: int, changes: Sequence[RowChanges]) -> Statement | None:
        """Builds the append's statement ahead, while the process is idle; None where there is none to build."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction: commits at the end of the block, rolls back on any exception."""

    def locked(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction that locks the head: every other append waits until the transaction ends."""

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
        """Notifies `signal` of the appends of other processes, until `stop`."""


class Moved(NamedTuple):
    """Result of moving the relay's checkpoint: whether it was `done`, and the events `behind` the checkpoint (None: not read)."""

    done: bool
    behind: list[Recorded] | None


class StoredLog(Log):
    """A log in a service's database, beside the service's other tables; also keeps the relay's checkpoint."""

    def __init__(self, database: Database, vault: EventVault | None = None) -> None:
        """With a `vault` rows are sealed before they are appended, and opened as they are read."""
        self.database, self.vault = database, vault
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
        return await self._opened(checked(await self._rows(after, limit, upto, connection), after), connection)

    async def read_stream(self, stream: str, span: StreamSpan, *, opened: bool = True) -> list[Recorded]:
        """A part of one stream, in the span's order; with `opened` False its personal fields stay sealed, and read as blanks."""
        events = self.metadata.tables["log_events"].c
        query = sa.select(*(events[name] for name in COLUMNS.split(", ")))
        query = query.where(events.stream == stream, events.position <= span.upto)
        if span.last != MAX_POSITION:
            query = query.where(events.version <= span.last)
        if span.until is not None:
            query = query.where(events.recorded_at <= span.until)
        if span.after is not None:
            query = query.where(events.version < span.after if span.falling else events.version > span.after)
        query = query.order_by(events.version.desc() if span.falling else events.version).limit(span.limit)
        async with self.database.reading() as connection:
            found = [Recorded(*row) for row in await connection.execute(query)]
            return await self._opened(found, connection) if opened else found

    async def _opened(self, events: list[Recorded], connection: AsyncConnection | None) -> list[Recorded]:
        return events if self.vault is None else await self.vault.opened(events, connection)

    def _keyless(self, rows: Sequence[Pending]) -> dict[int, str]:
        """Subjects by place in `rows`, of the events whose key did not come with the command."""
        if self.vault is None:
            return {}
        found = {
            at: self.vault.wants_key(row.name, row.stream, row.data) for at, row in enumerate(rows) if row.key is None
        }
        return {at: subject for at, subject in found.items() if subject is not None}

    async def _give_keys(self, rows: Sequence[Pending], connection: AsyncConnection | None) -> None:
        """Gives every row the key that it is to be sealed under."""
        keyless = self._keyless(rows)
        if self.vault is not None and keyless:
            keys = await self.vault.make_keys(keyless.values(), connection)
            for at, subject in keyless.items():
                rows[at].key = keys[subject]

    def _sealed(self, row: Pending) -> bytes:
        """The event's bytes as they are stored."""
        if self.vault is None:
            return row.data
        return self.vault.sealed(row.name, row.stream, row.version, row.data, row.key)

    @abstractmethod
    async def _rows(
        self, after: int, limit: int, upto: int | None, connection: AsyncConnection | None
    ) -> Sequence[Any]: ...

    @abstractmethod
    async def move_checkpoint(self, before: int, position: int, last: str, limit: int) -> Moved:
        """Moves the relay's checkpoint by compare-and-set; reads `limit` events behind it where one statement can do both."""


def checked(rows: Sequence[Any], after: int) -> list[Recorded]:
    """Events of the log's rows, in order; raises Internal `log.hole` unless their positions follow `after` without a gap."""
    found = [Recorded(*row) for row in rows]
    if found and (found[0].position != after + 1 or found[-1].position != after + len(found)):
        raise Internal("log.hole", after=after, first=found[0].position, last=found[-1].position, rows=len(found))
    return found


def is_cut(found: Sequence[Recorded], limit: int) -> bool:
    """True if a read ended at one of its limits, so that more events may follow."""
    return len(found) >= limit or sum(len(event.data) + len(event.meta) for event in found) >= READ_BYTES


def head_of(row: Any) -> Head:
    """The head's row; raises Internal `log.not_migrated` where there is none."""
    if row is None:
        raise Internal("log.not_migrated", do="run the migrate role of this service")
    return Head(row[0], row[1])
