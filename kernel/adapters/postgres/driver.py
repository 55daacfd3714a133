"""PostgreSQL's driver without SQLAlchemy, for the few statements that every command waits for: one round trip, prepared once.

The connections are those of SQLAlchemy's pool, with their roles and timeouts, in autocommit. SQLAlchemy's work around a
statement (BEGIN and COMMIT, a greenlet, compiling) costs more than these statements do. `begun` is a transaction of such
statements, whose BEGIN travels together with the first of them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.connecting import finished, take, throw_away

_NAME = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")
BREAKS_CONSTRAINT = "23"
"""The class of SQLSTATE of unique, check and foreign keys."""
STATEMENT_LIMIT = 8
"""Connections kept for single statements. The pool has more: a burst of statements must leave some for transactions."""
SPARE_LIMIT = 2
"""Connections kept for transactions."""
INDEXES_ONLY = "enable_seqscan = off"
"""A plan is kept for the connection's life: a plan made while a table is small would scan the whole table later."""
PLANNED_ONCE = "plan_cache_mode = force_generic_plan"
"""Without this setting the server may plan a statement again at each execution, which costs more than the statement."""


@lru_cache(maxsize=1024)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """`... = :name` as the driver takes it, `... = $1`, and the names in the order of their numbers."""
    names = tuple(dict.fromkeys(_NAME.findall(sql)))
    return _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names


def literal(text: str) -> str:
    """A text as SQL has it (standard_conforming_strings is on); ValueError for a NUL, which PostgreSQL does not store."""
    if "\x00" in text:
        raise ValueError("a text holds a NUL")
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def array_literal(values: Sequence[str | int]) -> str:
    """Texts or numbers as an array's literal."""
    quoted = [
        '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else str(int(value))
        for value in values
    ]
    return literal("{" + ",".join(quoted) + "}")


class _Connection(NamedTuple):
    pooled: AsyncConnection
    driver: Any


@dataclass(frozen=True, slots=True)
class DriverTransaction:
    """A transaction under way. `connection` is SQLAlchemy's way into the same one; it begins and commits nothing itself.

    `tag` is the command tag of the opening's last statement ("UPDATE 3").
    """

    connection: AsyncConnection
    driver: Any
    tag: str

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> list[Any]:
        """All rows of one statement; raises what SQLAlchemy would have raised."""
        text, names = numbered(sql)
        rows: list[Any] = await _translated(text, self.driver.fetch(text, *[values[name] for name in names]))
        return rows


class DriverPool:
    """Keeps connections that it took from the pool: at most STATEMENT_LIMIT, and SPARE_LIMIT for transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._slots = asyncio.Semaphore(STATEMENT_LIMIT)
        self._idle: list[_Connection] = []
        self._spare: list[_Connection] = []
        self._under_way: dict[AsyncConnection, DriverTransaction] = {}

    def begun_on(self, connection: AsyncConnection) -> DriverTransaction | None:
        """The transaction that `begun` opened and gave out as this connection, while it is under way."""
        return self._under_way.get(connection)

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> list[Any]:
        """All rows of one statement, committed when this returns; raises what SQLAlchemy would have raised."""
        text, names = numbered(sql)
        async with self._slots:
            taken = self._idle.pop() if self._idle else await self._take(f"SET {INDEXES_ONLY}; SET {PLANNED_ONCE}")
            try:
                rows: list[Any] = await _translated(text, taken.driver.fetch(text, *[values[name] for name in names]))
            except BaseException:
                await throw_away(taken.pooled)
                raise
            self._idle.append(taken)
        return rows

    @asynccontextmanager
    async def begun(self, opening: str) -> AsyncIterator[DriverTransaction]:
        """BEGIN and `opening` (statements with literals, each with a snapshot of its own) in one round trip; COMMIT at the end.

        Any exception rolls back. A COMMIT that the server turned into a rollback, as a statement had failed, raises DBAPIError.
        """
        taken, is_free = self._spare.pop() if self._spare else await self._take(), False
        try:
            tag = await _translated(opening, taken.driver.execute(f"BEGIN; {opening}"))
            begun = self._under_way[taken.pooled] = DriverTransaction(taken.pooled, taken.driver, tag)
            yield begun
            if await _translated("COMMIT", taken.driver.execute("COMMIT")) != "COMMIT":
                raise DBAPIError("COMMIT", None, RuntimeError("a statement of the transaction had failed"))
            is_free = True
        except Exception:
            is_free = await _rolled_back(taken.driver)
            raise
        finally:
            self._under_way.pop(taken.pooled, None)
            await (finished(self._put_back(taken)) if is_free else throw_away(taken.pooled))

    async def _take(self, setting: str = "") -> _Connection:
        pooled = await take(self._engine)
        try:
            driver: Any = (await pooled.get_raw_connection()).driver_connection
            if setting:
                await driver.execute(setting)
        except BaseException:
            await throw_away(pooled)
            raise
        return _Connection(pooled, driver)

    async def _put_back(self, taken: _Connection) -> None:
        """Keeps the connection for the next transaction, or returns it to the pool past SPARE_LIMIT."""
        if len(self._spare) >= SPARE_LIMIT:
            await taken.pooled.close()
            return
        if taken.pooled.in_transaction():
            await taken.pooled.rollback()  # SQLAlchemy's own view of it
        self._spare.append(taken)

    async def close(self) -> None:
        """Closes the kept connections; their settings make them useless to other users of the pool."""
        for kept in (self._idle, self._spare):
            while kept:
                await throw_away(kept.pop().pooled)


async def _rolled_back(driver: Any) -> bool:
    try:
        await driver.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        return False
    return True


async def _translated(text: str, call: Awaitable[Any]) -> Any:
    """The result of the driver's call; turns the driver's errors into SQLAlchemy's."""
    try:
        return await call
    except asyncpg.PostgresError as error:
        kind = IntegrityError if (error.sqlstate or "").startswith(BREAKS_CONSTRAINT) else DBAPIError
        raise kind(text, None, error) from error
