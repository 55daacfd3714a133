"""One SQLite connection and its thread: work goes to the thread, or is done at once by the caller while the thread is idle."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from kernel.core.faults import BUGS

R = TypeVar("R")
FAILURES = (sqlite3.Error, sqlite3.Warning, MemoryError, OSError, RuntimeError, SystemError, BufferError, *BUGS)
AT_ONCE_STEPS = 20_000
"""Steps of SQLite's virtual machine (about a millisecond) after which a SELECT that runs in the loop is moved to the thread."""


class Line:
    """One connection, and the thread that does all of its work, in the order in which the work was asked for."""

    def __init__(self, path: str, **options: Any) -> None:
        self._asked: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._open: Callable[[], sqlite3.Connection] = lambda: sqlite3.connect(
            path, **options | {"check_same_thread": False}
        )
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        self._put = self._done = 0
        """Counts of work given to the thread and of work finished: work goes on after its caller was cancelled."""
        self._is_limited = False
        Thread(target=self._serve, name="sqlite", daemon=True).start()

    def do(self, work: Callable[[sqlite3.Connection], R]) -> "asyncio.Future[R]":
        """Does `work` in the thread. Cancelling the future does not stop work that has begun."""
        return self._ask(lambda: work(self._opened()))

    def _ask(self, work: Callable[[], R]) -> "asyncio.Future[R]":
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            done.set_exception(sqlite3.ProgrammingError("the connection is closed"))
        else:
            self._put += 1
            self._asked.put((done, work))
        return done

    @property
    def is_idle(self) -> bool:
        """Whether the connection is open and the thread has finished all that was asked of it."""
        return self._connection is not None and self._put == self._done

    @property
    def is_busy(self) -> bool:
        """Whether the thread has work left, which a cancelled caller may have asked for."""
        return self._put != self._done and not self._is_closed

    def at_once(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Does `work` in the caller's thread. Call only while the line is idle."""
        assert self._connection is not None
        return work(self._connection)

    def at_once_if_short(self, read: Callable[[sqlite3.Connection], R]) -> tuple[R] | None:
        """Does a SELECT in the caller's thread; None if the SELECT was interrupted after AT_ONCE_STEPS."""
        self._is_limited = True
        try:
            return (self.at_once(read),)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return None
            raise
        finally:
            self._is_limited = False

    def _serve(self) -> None:
        while (asked := self._asked.get()) is not None:
            done, work = asked
            settle, outcome = _attempt(work)
            self._done += 1
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                done.get_loop().call_soon_threadsafe(settle, done, outcome)
            del asked, done, work, outcome
        self._shut()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
            self._connection.set_progress_handler(lambda: self._is_limited, AT_ONCE_STEPS)
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
