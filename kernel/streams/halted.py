"""Readers that have stopped: they go on only when a person has mended something, and say so where operators look.

Their process stays live: started again, a reader would stop at the same place, and take all others of its process down each
time. It stays ready, too: its API still answers, and a pod out of service, or a drain held up by one, mends nothing. So
readiness names them and stays as it is, `reader_stopped` raises the alert, and `lag` says it. What is told fades in
SHOWN_S unless it is told again: a reader that goes on, or is gone, need not take it back.
"""

from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.runtime.health import SHOWN_S

BY_HAND = frozenset({"parked.budget_spent", "topic.made_anew"})
"""Codes of faults that do not go by themselves: `dlq retry` or a fixed version, `republish --recreated`."""
_PREFIX = "stopped/"


async def report(database: Database, reader: str, code: str) -> None:
    """Keeps, beside the leases, that `reader` stands now, and why."""
    async with database.transaction() as connection:
        until = await database.time(connection) + timedelta(seconds=SHOWN_S)
        row = {"name": f"{_PREFIX}{reader}", "owner": code, "until": until}
        await database.upsert(connection, database.metadata.tables["leases"], [row])


async def halted_readers(database: Database, connection: AsyncConnection) -> Mapping[str, str]:
    """Readers that stand now, each with the code of what it stands before."""
    leases = database.metadata.tables["leases"]
    ours = leases.c.name.startswith(_PREFIX, autoescape=True) & (leases.c.until > await database.time(connection))
    found = await connection.execute(sa.select(leases.c.name, leases.c.owner).where(ours).order_by(leases.c.name))
    return {name.removeprefix(_PREFIX): code for name, code in found}
