"""The SQLite driver beneath SQLAlchemy: one thread for each connection, and at most one hop to it for each statement.

aiosqlite makes a hop for the cursor, for execute, for the rows and for close, and BEGIN makes as many again. A hop costs far
more than a short statement. Here a statement, its rows and the BEGIN before it are one hop; a short statement that waits for
no lock and no disk sync (a SELECT, a few inserted rows of an open transaction) is executed at once, without a hop.
"""

import re
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util.concurrency import await_

from kernel.adapters.sqlite.line import Line

R = TypeVar("R")
Parameters = Sequence[Any] | None
Values = Parameters | Mapping[str, Any]
AT_ONCE_ROWS = 50
"""Inserted rows that an open transaction takes without a hop."""
STREAMED_ROWS = 1_000
"""Rows that a streamed result fetches in one hop."""

_INSERTS = re.compile(r"INSERT INTO [^()]*\([^()]*\)\s+VALUES ").match


class Cursor:
    """The DB-API's cursor as SQLAlchemy calls it, in a greenlet: all rows are here when `execute` returns."""

    arraysize = 1
    server_side = False

    def __init__(self, connection: "OneHopConnection") -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, None

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        self._take(self._connection.run(sql, lambda raw: _rows(raw.execute(sql, parameters or ()))))

    def executemany(self, sql: str, parameters: Sequence[Any]) -> None:
        self._take(self._connection.run(sql, lambda raw: _rows(raw.executemany(sql, parameters)), len(parameters)))

    def _take(self, found: tuple[Any, int, Any, list[Any]]) -> None:
        self.description, self.rowcount, self.lastrowid, rows = found
        self._rows = deque(rows)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    async def _async_soft_close(self) -> None:
        """Called by SQLAlchemy to free the cursor and keep its rows; there is nothing to free."""

    def close(self) -> None:
        self._rows.clear()


def _rows(cursor: sqlite3.Cursor) -> tuple[Any, int, Any, list[Any]]:
    rows = cursor.fetchall() if cursor.description else []
    return cursor.description, cursor.rowcount, cursor.lastrowid, rows


class Done(NamedTuple):
    """Result of a statement: its rows, and the count of rows that it changed."""

    rows: list[Any]
    changed: int


def _done(cursor: sqlite3.Cursor, limit_bytes: int = 0) -> Done:
    if limit_bytes:
        return Done(_page(cursor, limit_bytes), cursor.rowcount)
    return Done(cursor.fetchall() if cursor.description else [], cursor.rowcount)


def _page(cursor: sqlite3.Cursor, limit_bytes: int) -> list[Any]:
    rows, left = [], limit_bytes
    for row in cursor:
        rows.append(row)
        left -= sum(len(value) for value in row if isinstance(value, bytes))
        if left <= 0:
            break
    cursor.close()
    return rows


class StreamedCursor(Cursor):
    """The cursor of a streamed result: STREAMED_ROWS at a time."""

    server_side = True

    def __init__(self, connection: "OneHopConnection") -> None:
        super().__init__(connection)
        self._raw: sqlite3.Cursor | None = None

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        self._raw = raw = self._connection.hop(lambda connection: connection.execute(sql, parameters or ()))
        self.description, self.rowcount = raw.description, raw.rowcount

    def _fill(self) -> bool:
        raw = self._raw
        if not self._rows and raw is not None:
            self._rows = deque(self._connection.hop(lambda _: raw.fetchmany(STREAMED_ROWS)))
        return bool(self._rows)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._fill() else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        self._fill()
        return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        found: list[Any] = []
        while self._fill():
            found += super().fetchall()
        return found

    def __iter__(self) -> Iterator[Any]:
        while self._fill():
            yield self._rows.popleft()

    def close(self) -> None:
        raw, self._raw = self._raw, None
        super().close()
        if raw is not None:
            self._connection.hop(lambda _: raw.close())


class OneHopConnection(AsyncAdapt_aiosqlite_connection):
    """SQLAlchemy's connection over a Line. BEGIN travels with the transaction's first statement.

    SQLite itself rolls a transaction back on some errors (disk full, I/O). The statements after it, and its COMMIT, then fail:
    they would each be committed alone, and what stood before them would be lost unnoticed.
    """

    __slots__ = ("_begin", "_has_begun", "_line")

    def __init__(self, dbapi: Any, line: Line) -> None:
        super().__init__(dbapi, line)  # type: ignore[arg-type]
        self._line, self._begin, self._has_begun = line, "", False

    def begin_with(self, statement: str) -> None:
        """Executes `statement` in the same hop as the next statement, and before it."""
        self._begin = statement

    def hop(self, work: Callable[[sqlite3.Connection], R]) -> R:
        return await_(self._hop(work))

    async def _hop(self, work: Callable[[sqlite3.Connection], R]) -> R:
        begin, self._begin = self._begin, ""
        try:
            return await self._line.do(self._begun(begin, work) if begin else self._inside(work))
        except sqlite3.Error:
            if begin and not self._line.is_in_transaction:
                self._begin = begin  # BEGIN failed: the next statement must not stand outside of a transaction
            raise

    def _begun(self, begin: str, work: Callable[[sqlite3.Connection], R]) -> Callable[[sqlite3.Connection], R]:
        def both(connection: sqlite3.Connection) -> R:
            connection.execute(begin)
            self._has_begun = True
            return work(connection)

        return both

    def _inside(self, work: Callable[[sqlite3.Connection], R]) -> Callable[[sqlite3.Connection], R]:
        def checked(connection: sqlite3.Connection) -> R:
            if self._has_begun and not connection.in_transaction:
                raise sqlite3.OperationalError("the transaction was rolled back on an error of disk or memory")
            return work(connection)

        return checked

    def run(self, sql: str, work: Callable[[sqlite3.Connection], R], rows: int = 1) -> R:
        """Executes a statement; without a hop if it cannot wait: a short SELECT, or a few inserts in an open transaction."""
        done = self._done_at_once(sql, work, rows <= AT_ONCE_ROWS and _INSERTS(sql) is not None)
        return self.hop(work) if done is None else await_(_Ready(done[0]))

    async def direct(self, sql: str, values: Values = None, *, is_short: bool = False, limit_bytes: int = 0) -> Done:
        """Executes a statement without SQLAlchemy, and raises SQLAlchemy's errors.

        `is_short` vouches that a statement other than a SELECT is short. With `limit_bytes` the rows end with the one whose blobs
        pass the limit.
        """
        return await self._without_sqlalchemy(
            sql, lambda raw: _done(raw.execute(sql, values or ()), limit_bytes), is_short
        )

    async def direct_many(self, sql: str, rows: Sequence[Sequence[Any] | Mapping[str, Any]]) -> Done:
        """Executes a statement for each row; each finds its place by the primary key."""
        is_short = len(rows) <= AT_ONCE_ROWS
        return await self._without_sqlalchemy(sql, lambda raw: _done(raw.executemany(sql, rows)), is_short)

    async def _without_sqlalchemy(self, sql: str, work: Callable[[sqlite3.Connection], R], is_short: bool) -> R:
        try:
            done = self._done_at_once(sql, work, is_short)
            return await self._hop(work) if done is None else done[0]
        except sqlite3.Error as error:
            kind = getattr(sa.exc, type(error).__name__, DBAPIError)
            raise kind(sql, None, error) from error

    def _done_at_once(self, sql: str, work: Callable[[sqlite3.Connection], R], is_short: bool) -> tuple[R] | None:
        """Executes a statement that cannot wait for a lock or the disk, in the loop; None for one that needs a hop."""
        if self._begin or not self._line.is_idle:
            return None
        if sql.startswith("SELECT "):
            return self._line.at_once_if_short(work)
        return (self._line.at_once(work),) if is_short and self._line.is_in_transaction else None

    def cursor(self, server_side: bool = False) -> Any:
        return StreamedCursor(self) if server_side else Cursor(self)

    def commit(self) -> None:
        self._end(self._inside(sqlite3.Connection.commit))

    def rollback(self) -> None:
        self._end(sqlite3.Connection.rollback)

    def _end(self, how: Callable[[sqlite3.Connection], None]) -> None:
        """Ends the transaction; without a hop if none was begun, as after a single read.

        A statement that a cancelled caller left under way may still begin one.
        """
        self._begin = ""
        if self._has_begun or self._line.is_in_transaction or self._line.is_busy:
            await_(self._line.do(self._ended(how)))

    def _ended(self, how: Callable[[sqlite3.Connection], None]) -> Callable[[sqlite3.Connection], None]:
        def end(connection: sqlite3.Connection) -> None:
            how(connection)
            self._has_begun = False

        return end


def connection_of(connection: AsyncConnection) -> OneHopConnection:
    """The driver's connection beneath SQLAlchemy's, in the same transaction."""
    assert connection.sync_connection is not None
    raw = connection.sync_connection.connection.dbapi_connection
    assert isinstance(raw, OneHopConnection)
    return raw


class _Ready(Generic[R]):
    """Awaits nothing: SQLAlchemy refuses a statement that awaited nothing at all."""

    def __init__(self, found: R) -> None:
        self._found = found

    def __await__(self) -> Generator[Any, Any, R]:
        yield from ()
        return self._found


class OneHop(AsyncAdapt_aiosqlite_dbapi):
    """The DB-API module to hand to `create_async_engine(module=)`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> OneHopConnection:
        return OneHopConnection(self, Line(*arguments, **options))
