"""PostgreSQL by its driver, for the few statements that every command waits for: one round trip each, prepared once.

The connections are SQLAlchemy's, with its roles and timeouts, and in autocommit; what it does round a statement (BEGIN and
COMMIT of their own, a greenlet, a compiled form) costs more than these statements do.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_NAME = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")
BREAKS_CONSTRAINT = "23"
"""The class of SQLSTATE of unique, check and foreign keys."""


@lru_cache(maxsize=256)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """`... = :name` as the driver takes it, `... = $1`, and the names in the order of their numbers."""
    names = tuple(dict.fromkeys(_NAME.findall(sql)))
    return _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names


class _Line(NamedTuple):
    pooled: AsyncConnection
    driver: Any


class Direct:
    """Keeps the connections it took: at most as many as statements were under way at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._idle: list[_Line] = []

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> list[Any]:
        """All rows of one statement, committed when this returns; raises what SQLAlchemy would have raised."""
        text, names = numbered(sql)
        line = self._idle.pop() if self._idle else await self._take()
        try:
            rows: list[Any] = await line.driver.fetch(text, *[values[name] for name in names])
        except asyncpg.PostgresError as error:
            await _throw_away(line)
            kind = IntegrityError if (error.sqlstate or "").startswith(BREAKS_CONSTRAINT) else DBAPIError
            raise kind(text, None, error) from error
        except BaseException:
            await _throw_away(line)
            raise
        self._idle.append(line)
        return rows

    async def _take(self) -> _Line:
        pooled = await self._engine.connect()
        try:
            driver: Any = (await pooled.get_raw_connection()).driver_connection
            # A plan is kept for the connection's life: made while a table is small, it would read all of it when it is large.
            await driver.execute("SET enable_seqscan = off")
        except BaseException:
            await pooled.invalidate()
            await pooled.close()
            raise
        return _Line(pooled, driver)

    async def close(self) -> None:
        """Ends the connections: with their settings they are of no use to others."""
        while self._idle:
            await _throw_away(self._idle.pop())


async def _throw_away(line: _Line) -> None:
    await line.pooled.invalidate()
    await line.pooled.close()
