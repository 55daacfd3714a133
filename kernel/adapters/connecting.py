"""Connections taken from a pool and given back to it whatever is cancelled.

SQLAlchemy leaves a connection behind whose opening or closing is cancelled half way: a pool with a place less, and on SQLite a
read transaction that pins the write-ahead log. So both run in tasks of their own, which a cancelled caller does not end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

R = TypeVar("R")
_under_way: set["asyncio.Task[Any]"] = set()
"""References to the tasks, as the event loop keeps none."""


async def finished(work: Coroutine[Any, Any, R], undo: Callable[[R], Coroutine[Any, Any, None]] | None = None) -> R:
    """Result of work that goes on to its end when its caller is cancelled; `undo` then takes back what it returned."""
    task = asyncio.create_task(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: _undo(done, undo))
        raise


def _undo(done: "asyncio.Task[R]", undo: Callable[[R], Coroutine[Any, Any, None]] | None) -> None:
    if not done.cancelled() and done.exception() is None and undo is not None:
        undoing = asyncio.get_running_loop().create_task(undo(done.result()))
        _under_way.add(undoing)
        undoing.add_done_callback(_under_way.discard)


async def take(engine: AsyncEngine) -> AsyncConnection:
    """A connection of the pool; the caller gives it back by `finished(connection.close())`."""
    return await finished(_connect(engine), lambda connection: connection.close())


async def _connect(engine: AsyncEngine) -> AsyncConnection:
    return await engine.connect()


async def throw_away(connection: AsyncConnection) -> None:
    """Closes a connection that may have work or a transaction left, and makes its place in the pool free."""
    await finished(_thrown_away(connection))


async def _thrown_away(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the pool until the block ends."""
    connection = await take(engine)
    try:
        yield connection
    finally:
        await finished(connection.close())
