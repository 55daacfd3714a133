"""Halted consumers: consumers that go on only after a person has mended something, reported where operators look.

The process of a halted consumer stays live: after a restart the consumer would halt at the same place, and each restart would
stop the other consumers of the process. The process is not ready: readiness names the consumer, the reason and the tenant with
the most parked keys, `reader_stopped` raises the alert, and `lag` shows them. A report fades after SHOWN_S unless it is repeated,
so a consumer that goes on need not withdraw its report.
"""

from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.runtime.health import SHOWN_S

BY_HAND = frozenset({"parked.budget_spent", "topic.made_anew"})
"""Codes of faults that need a person: `dlq retry` or a fixed version for the first, `republish --recreated` for the second."""
_PREFIX = "stopped/"


async def report(database: Database, consumer: str, code: str) -> None:
    """Stores in the table of leases that `consumer` is halted, and the fault's code."""
    async with database.transaction() as connection:
        until = await database.time(connection) + timedelta(seconds=SHOWN_S)
        row = {"name": f"{_PREFIX}{consumer}", "owner": code, "until": until}
        await database.upsert(connection, database.metadata.tables["leases"], [row])


async def halted_consumers(database: Database, connection: AsyncConnection) -> Mapping[str, str]:
    """The consumers that are halted now, each with the code of its fault."""
    leases = database.metadata.tables["leases"]
    ours = leases.c.name.startswith(_PREFIX, autoescape=True) & (leases.c.until > await database.time(connection))
    found = await connection.execute(sa.select(leases.c.name, leases.c.owner).where(ours).order_by(leases.c.name))
    return {name.removeprefix(_PREFIX): code for name, code in found}
