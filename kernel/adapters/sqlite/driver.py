"""The SQLite driver beneath SQLAlchemy: one thread for each connection, and one hop to it for each statement.

aiosqlite makes a hop for the cursor, for execute, for the rows and for close, and BEGIN makes as many again. A hop costs far
more than a short statement. Here a statement, its rows and the BEGIN before it are one hop.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util.concurrency import await_

from kernel.core.faults import BUGS

R = TypeVar("R")
Parameters = Sequence[Any] | None
FAILURES = (sqlite3.Error, sqlite3.Warning, MemoryError, OSError, RuntimeError, SystemError, BufferError, *BUGS)
STREAMED_ROWS = 1_000
"""Rows that a streamed result fetches in one hop."""


class Line:
    """One connection, and the thread that does all of its work, in the order in which the work was asked for."""

    def __init__(self, path: str, **options: Any) -> None:
        self._asked: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._open: Callable[[], sqlite3.Connection] = lambda: sqlite3.connect(path, **options)
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        Thread(target=self._serve, name="sqlite", daemon=True).start()

    def do(self, work: Callable[[sqlite3.Connection], R]) -> "asyncio.Future[R]":
        """Does `work` in the thread. Cancelling the future does not stop work that has begun."""
        return self._ask(lambda: work(self._opened()))

    def _ask(self, work: Callable[[], R]) -> "asyncio.Future[R]":
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            done.set_exception(sqlite3.ProgrammingError("the connection is closed"))
        else:
            self._asked.put((done, work))
        return done

    def _serve(self) -> None:
        while (asked := self._asked.get()) is not None:
            done, work = asked
            settle, outcome = _attempt(work)
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                done.get_loop().call_soon_threadsafe(settle, done, outcome)
            del asked, done, work, outcome
        self._shut()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @property
    def is_in_transaction(self) -> bool:
        connection = self._connection
        return connection is not None and connection.in_transaction

    async def create_function(self, *arguments: Any, **named: Any) -> None:
        await self.do(lambda connection: connection.create_function(*arguments, **named))

    async def close(self) -> None:
        """Closes the connection after the work that was asked for before, and ends the thread. Later work fails."""
        if not self._is_closed:
            closed = self._ask(self._shut)
            self.stop()
            await closed

    def stop(self) -> None:
        """Does the same as `close` and does not wait for it."""
        self._is_closed = True
        self._asked.put(None)


def _attempt(work: Callable[[], Any]) -> tuple[Callable[["asyncio.Future[Any]", Any], None], Any]:
    """The work's result or error: an error that ended the thread would leave its caller, and all later ones, waiting."""
    try:
        return _resolve, work()
    except FAILURES as error:
        return _reject, error


def _resolve(done: "asyncio.Future[Any]", result: Any) -> None:
    if not done.done():
        done.set_result(result)


def _reject(done: "asyncio.Future[Any]", error: Any) -> None:
    if not done.done():
        done.set_exception(error)


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
        self._take(self._connection.hop(lambda raw: _rows(raw.execute(sql, parameters or ()))))

    def executemany(self, sql: str, parameters: Sequence[Any]) -> None:
        self._take(self._connection.hop(lambda raw: _rows(raw.executemany(sql, parameters))))

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
        """SQLAlchemy's word for giving the cursor back and keeping its rows: nothing is held."""

    def close(self) -> None:
        self._rows.clear()


def _rows(cursor: sqlite3.Cursor) -> tuple[Any, int, Any, list[Any]]:
    rows = cursor.fetchall() if cursor.description else []
    return cursor.description, cursor.rowcount, cursor.lastrowid, rows


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
    """SQLAlchemy's connection over a Line. BEGIN travels with the transaction's first statement."""

    __slots__ = ("_begin", "_line")

    def __init__(self, dbapi: Any, line: Line) -> None:
        super().__init__(dbapi, line)  # type: ignore[arg-type]
        self._line, self._begin = line, ""

    def begin_with(self, statement: str) -> None:
        """`statement` opens a transaction before the next one is executed."""
        self._begin = statement

    def hop(self, work: Callable[[sqlite3.Connection], R]) -> R:
        begin, self._begin = self._begin, ""
        try:
            return await_(self._line.do(_begun(begin, work) if begin else work))
        except sqlite3.Error:
            if begin and not self._line.is_in_transaction:
                self._begin = begin  # BEGIN failed: the next statement must not stand outside of a transaction
            raise

    def cursor(self, server_side: bool = False) -> Any:
        return StreamedCursor(self) if server_side else Cursor(self)

    def commit(self) -> None:
        self._end(sqlite3.Connection.commit)

    def rollback(self) -> None:
        self._end(sqlite3.Connection.rollback)

    def _end(self, how: Callable[[sqlite3.Connection], None]) -> None:
        """No hop where nothing was begun: a single read ends by itself."""
        self._begin = ""
        if self._line.is_in_transaction:
            self.hop(how)


def _begun(begin: str, work: Callable[[sqlite3.Connection], R]) -> Callable[[sqlite3.Connection], R]:
    def both(connection: sqlite3.Connection) -> R:
        connection.execute(begin)
        return work(connection)

    return both


class OneHop(AsyncAdapt_aiosqlite_dbapi):
    """The DB-API module to hand to `create_async_engine(module=)`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> OneHopConnection:
        return OneHopConnection(self, Line(*arguments, **options))
