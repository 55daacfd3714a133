"""Read-your-writes: a query that names a receipt's token waits until the read model has applied that event."""

import asyncio
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.faults import Invalid, Unavailable
from kernel.runtime.wakeup import Wakeup, wait

WAIT_LIMIT_S = 5.0
ELSEWHERE_S = 0.025
"""Progress in this process wakes; that of other processes is looked for so often."""


def parse_token(token: str) -> tuple[str, int, int | None]:
    """`(service, position, partition)` of a receipt's token; Invalid `at_least.malformed`."""
    parts = token.split(":")
    if len(parts) != 3 or not parts[1].isdigit() or not (parts[2] == "" or parts[2].isdigit()):
        raise Invalid("at_least.malformed", expected="the token of a receipt")
    return parts[0], int(parts[1]), int(parts[2]) if parts[2] else None


async def wait_for(
    database: Database, service: str, consumer: str, token: str, progress: Wakeup, limit_s: float = WAIT_LIMIT_S
) -> None:
    """Read-your-writes: returns when the consumer has applied the token's event; Unavailable after `limit_s`."""
    source, position, partition = parse_token(token)
    table = database.metadata.tables["guards"]
    where = table.c.consumer == consumer
    if source == service:
        where &= table.c.source == "log"
    else:
        where &= (table.c.source == f"{source}.events.v1") & (table.c.partition == (partition or 0))
    woken = progress.listen()
    try:
        async with asyncio.timeout(limit_s):
            while not await _reached(database, where, table, position):
                woken.clear()
                await wait(woken, ELSEWHERE_S)
    except TimeoutError:
        raise Unavailable("at_least.not_reached", token=token, retry_after_s=1) from None
    finally:
        progress.leave(woken)


async def _reached(database: Database, where: Any, table: sa.Table, position: int) -> bool:
    async with database.reading() as connection:
        last = (await connection.execute(sa.select(table.c.last_position).where(where))).scalar()
    return last is not None and last >= position
