"""One service's database as the kernel uses it: parts that both stores share, and methods that each store implements."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.bulk import BulkStatements, PrimaryKey
from kernel.adapters.connecting import connected
from kernel.adapters.disconnects import translated

POOL_SIZE = 8


class GuardMove(NamedTuple):
    """A guard's compare-and-set: `from_*` is where the guard must stand, `next_offset` and `last_position` where it goes."""

    source: str
    partition: int
    from_offset: int
    from_position: int
    next_offset: int
    last_position: int


class Entry(NamedTuple):
    """Entry of a projector's transaction: moves the guards, unless `consumer` has parked keys or a newer generation is live."""

    consumer: str
    moves: Sequence[GuardMove]
    projection: str
    generation: int


class WriteTransaction(ABC):
    """A write transaction under way, with set-wise statements on known tables; `connection` executes any other statement."""

    connection: AsyncConnection
    entered: bool
    """True if the opening carried out the Entry; if not, the caller checks each condition and moves the guards itself."""

    @abstractmethod
    async def select(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> list[dict[str, Any]]:
        """The rows of these primary keys, by column; absent ones are left out."""

    @abstractmethod
    async def upsert(self, table: BulkStatements, columns: Mapping[str, list[Any]], add: Sequence[str]) -> None:
        """Upserts rows, given column by column: columns in `add` are added to the stored values, the others replace them.

        The caller sorts the rows by primary key, because unsorted upserts deadlocked.
        """

    @abstractmethod
    async def delete(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> None:
        """Deletes the rows of these primary keys."""


class Database(ABC):
    """Engines of one service's database: `write` begins write transactions, `read` serves single statements."""

    is_shared: ClassVar[bool]
    """True where several processes may serve one database; False where one process has the database to itself."""

    def __init__(self, url: str, metadata: sa.MetaData, write: AsyncEngine, read: AsyncEngine) -> None:
        self.url, self.metadata = url, metadata
        self.write, self.read = write, read

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction: commits at the end of the block, rolls back on any exception; Unavailable on a lost connection."""
        return self.begun_on(self.write)

    @asynccontextmanager
    async def begun_on(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A transaction that has begun before its first statement, which SQLAlchemy or a driver executes."""
        with translated():
            async with connected(engine) as connection, connection.begin():
                yield connection

    def grouped(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction of a few statements, which may share its COMMIT with others that wait at the same time.

        A transaction that fails is rolled back alone. If the COMMIT fails, every transaction of the group raises. The block must
        not wait for another write transaction.
        """
        return self.transaction()

    @abstractmethod
    async def rows(
        self, sql: str, values: Mapping[str, Any], connection: AsyncConnection | None = None
    ) -> Sequence[Any]:
        """The rows of one statement with `:names`, in the caller's transaction; without one the statement commits at once."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for single statements, each of which sees what was committed before it."""
        with translated():
            async with connected(self.read) as connection:
                yield connection

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read transaction: all its statements see the same rows."""

    @abstractmethod
    def reading_as(self, role: str, readers: Sequence[str]) -> AbstractAsyncContextManager[AsyncConnection]:
        """A `snapshot` in which row-level security, where the store has it, shows only what `readers` may read."""

    @abstractmethod
    def exclusive(self, name: str, entry: Entry | None = None) -> AbstractAsyncContextManager[WriteTransaction]:
        """A write transaction under the lock `name`, one at a time over all processes; the opening may carry out `entry`.

        The commit may be asynchronous: a crash of the database may lose the last such transactions, each one whole.
        """

    @abstractmethod
    async def time(self, connection: AsyncConnection) -> datetime:
        """The time (UTC) that leases of all processes are measured by."""

    @abstractmethod
    async def scrub(self) -> None:
        """Drops copies that a store keeps of rows deleted before. Best effort: PostgreSQL does so by VACUUM, in its own time."""

    @abstractmethod
    async def upsert(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """One set-wise upsert by primary key. Rows must have the same columns and distinct primary keys.

        The rows are sorted by primary key first, because unsorted upserts deadlocked.
        """

    @abstractmethod
    async def insert_missing(
        self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Inserts the rows whose primary key is absent; stored rows stay as they are."""

    @abstractmethod
    async def move_guards(self, connection: AsyncConnection, consumer: str, moves: Sequence[GuardMove]) -> bool:
        """Compare-and-set of a consumer's guards; False when one of the guards stands elsewhere."""

    @abstractmethod
    async def lock_upgrade(self, connection: AsyncConnection, service: str) -> None:
        """Locks the upgrade of this service's tables until the transaction ends."""

    @abstractmethod
    async def grant(self, connection: AsyncConnection, statements: Iterable[str]) -> None:
        """Executes statements about roles, rights and row-level security; does nothing in a store without users."""

    @abstractmethod
    async def has_roles(self, connection: AsyncConnection, names: Sequence[str]) -> bool:
        """True if all of these roles exist."""

    @abstractmethod
    async def bound_log(self) -> None:
        """Keeps the store's own write-ahead log within its bound, where that is not the server's work."""

    @abstractmethod
    async def close(self) -> None:
        """Ends every connection."""
