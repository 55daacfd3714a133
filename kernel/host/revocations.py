"""Revoked tokens: a table in each service's database, written by an operator and read by the edges every two seconds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.clock import system_clock
from kernel.core.faults import Fault

if TYPE_CHECKING:
    from kernel.edge.tokens.claims import Revoked

log = logging.getLogger(__name__)
KINDS = ("token", "subject", "tenant")
LOOK_S = 2.0
READ_LIMIT = 100_000


async def revoke(database: Database, kind: str, name: str, before: datetime, reason: str) -> None:
    """Refuses one token by its `jti`, or all tokens of a subject or tenant that were issued before a time (UTC)."""
    row = {"kind": kind, "name": name, "before": before, "reason": reason}
    async with database.transaction() as connection:
        await database.upsert(connection, database.metadata.tables["revocations"], [row])


async def revoked(database: Database, since: datetime) -> "Revoked":
    """What is revoked; a row from before `since` concerns tokens that have ended."""
    from kernel.edge.tokens.claims import Revoked

    table = database.metadata.tables["revocations"]
    query = sa.select(table).where(table.c.before >= since).order_by(table.c.before.desc()).limit(READ_LIMIT)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).mappings().all()
    times: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    for row in rows:
        times[row["kind"]][row["name"]] = row["before"].timestamp()
    return Revoked(frozenset(times["token"]), times["subject"], times["tenant"])


async def tell_now(database: Database, life_s: float, tell: "Callable[[Revoked], None]") -> None:
    """Tells what is revoked now. An edge is told before its first request: a restart makes no token good again."""
    tell(await revoked(database, system_clock() - timedelta(seconds=2 * life_s)))


def watching(
    database: Database, life_s: float, tell: "Callable[[Revoked], None]"
) -> Callable[[asyncio.Event], Awaitable[None]]:
    """The loop of a process with an edge. While the database is away the list of before holds, and readiness is red."""

    async def serve(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await tell_now(database, life_s, tell)
            except Fault as fault:
                log.warning("revoked tokens not read, will retry", extra={"code": fault.code})
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()

    return serve
