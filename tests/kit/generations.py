"""Generations of read models for tests: the first one without a migration, and all rows of one."""

from typing import Any

from kernel.adapters.database import Database
from kernel.processors.generations import Live, make_first, rows_of
from kernel.processors.projector import Projection


async def prepare(database: Database, projection: Projection) -> Live:
    """Makes the first generation, as the role `migrate` does."""
    async with database.transaction() as connection:
        return await make_first(connection, database, projection)


async def dump(database: Database, projection: Projection, generation: int) -> list[tuple[Any, ...]]:
    """Every row of a generation, ordered by table and primary key."""
    return [row async for row in rows_of(database, projection, generation)]
