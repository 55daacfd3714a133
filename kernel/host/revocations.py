"""Revoked tokens: a table in each service's database, written by an operator and read by the edges every two seconds.

Rows are numbered in the order of their commits, so an edge reads the whole table once, and then what is new only. A row that is
deleted by hand counts until the edge's process starts again.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kernel.adapters.database import Database
from kernel.core.clock import system_clock
from kernel.core.faults import Fault, Unavailable

if TYPE_CHECKING:
    from kernel.edge.tokens.claims import Revoked

log = logging.getLogger(__name__)
KINDS = ("token", "subject", "tenant")
LOOK_S = 2.0
PAGE = 5_000
KEPT_LIMIT = 100_000
"""Revocations that an edge keeps in memory; past it those with the earliest times are dropped."""
TRIES = 20


async def revoke(database: Database, kind: str, name: str, before: datetime, reason: str) -> None:
    """Refuses one token by its `jti`, or all tokens of a subject or tenant that were issued before a time (UTC).

    Raises Unavailable `revocation.contended` when many others revoke at the same moment: say it again.
    """
    row = {"kind": kind, "name": name, "before": before, "reason": reason}
    for _ in range(TRIES):
        with suppress(
            IntegrityError
        ):  # somebody else took the number: a commit that is seen has every number before it
            return await _numbered(database, row)
    raise Unavailable("revocation.contended", kind=kind)


async def _numbered(database: Database, row: dict[str, Any]) -> None:
    table = database.metadata.tables["revocations"]
    async with database.transaction() as connection:
        last = (await connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.number), 0)))).scalar_one()
        await database.upsert(connection, table, [{**row, "number": last + 1}])


async def revoked_at(database: Database, who: Collection[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Since when tokens of these are revoked, by kind and name, as it stands in the table now."""
    table = database.metadata.tables["revocations"]
    query = sa.select(table).where(sa.tuple_(table.c.kind, table.c.name).in_(sorted(who)))
    async with database.reading() as connection:
        return {(row["kind"], row["name"]): row["before"] for row in (await connection.execute(query)).mappings()}


class Revocations:
    """What is revoked in one service, as an edge knows it; `look` reads what is new."""

    def __init__(self, database: Database, life_s: float, tell: "Callable[[Revoked], None]") -> None:
        """`life_s` is the longest life of a token: what was revoked two lives ago concerns tokens that have ended."""
        self._database, self._life_s, self._tell = database, life_s, tell
        self._table = database.metadata.tables["revocations"]
        self._last = -1
        self._kept: dict[tuple[str, str], datetime] = {}

    async def look(self) -> None:
        """Reads what is new, and tells when anything is. An edge looks before its first request: a restart makes no token
        good again."""
        is_first, found = self._last < 0, 0
        since = system_clock() - timedelta(seconds=2 * self._life_s)
        while rows := await self._page(since):
            self._last, found = rows[-1]["number"], found + len(rows)
            self._kept |= {(row["kind"], row["name"]): row["before"] for row in rows}
            if len(rows) < PAGE:
                break
        if found or is_first:
            self._last = max(self._last, 0)
            self._drop(since)
            self._tell(self._revoked())

    async def _page(self, since: datetime) -> list[Any]:
        table = self._table
        query = sa.select(table).where(table.c.number > self._last, table.c.before >= since)
        async with self._database.reading() as connection:
            return list((await connection.execute(query.order_by(table.c.number).limit(PAGE))).mappings())

    def _drop(self, since: datetime) -> None:
        newest = sorted(self._kept.items(), key=lambda one: one[1], reverse=True)[:KEPT_LIMIT]
        self._kept = {key: before for key, before in newest if before >= since}

    def _revoked(self) -> "Revoked":
        from kernel.edge.tokens.claims import Revoked

        times: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
        for (kind, name), before in self._kept.items():
            times[kind][name] = before.timestamp()
        return Revoked(frozenset(times["token"]), times["subject"], times["tenant"])

    async def run(self, stop: asyncio.Event) -> None:
        """The loop of a process with an edge. While the database is away the list of before holds, and readiness is red."""
        while not stop.is_set():
            try:
                await self.look()
            except Fault as fault:
                log.warning("revoked tokens not read, will retry", extra={"code": fault.code})
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
