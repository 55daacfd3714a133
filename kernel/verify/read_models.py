"""Check of read models: rebuilds one beside the live one, compares both byte for byte, and drops the rebuilt one."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.opening import open_database
from kernel.adapters.vault.event_vault import vault_of
from kernel.core.check import PROBLEMS_LIMIT, Check, CheckResult
from kernel.core.faults import Fault
from kernel.eventlog.opening import open_log
from kernel.processors.generations import Rebuild, live_generation, rows_of
from kernel.processors.projector import Projection, consumer_name, physical
from kernel.verify.subject import Subject

CATCH_UP_S, POLL_S = 30.0, 0.1
STALL_S = 20.0
"""Rebuild without progress for this long: the source has a hole before its end, and the check fails."""
TRIES = 3
"""Comparisons before the check fails: a deadline that falls due between rebuild and comparison moves the live guards."""
Guards = Mapping[tuple[str, int], tuple[int, int]]


async def compare_rebuild(app: Subject, projection: Projection) -> CheckResult:
    """Rebuild equals live: fills a shadow generation and compares its rows with the live generation's.

    Connects as the owner of the database, because a shadow generation needs new tables.
    """
    check, owner = Check(f"rebuild_{projection.name}"), open_database(app.settings, app.metadata)
    try:
        live = await live_generation(owner, projection)
        shadow = _Shadow(app, projection, owner, live)
        try:
            await shadow.compare(check)
        finally:
            await shadow.rebuild.drop(live + 1)
    except Fault as fault:
        check.fail(str(fault))
    finally:
        await owner.close()
    return check.result()


class _Shadow:
    def __init__(self, app: Subject, projection: Projection, owner: Database, live: int) -> None:
        self._projection, self._owner, self._live = projection, owner, live
        self._done = 0
        log = open_log(owner, vault=vault_of(owner, app.service.codec, app.settings))
        self.rebuild = Rebuild(
            projection, owner, log, app.service.codec, app.service.name, app.bus,
            app.service.decode or (lambda _type, _value: None), self._progress, app.deciders.partitions,
        )  # fmt: skip

    def _progress(self, done: int, _total: int) -> None:
        self._done = max(self._done, done)

    async def compare(self, check: Check) -> None:
        for _ in range(TRIES):
            if (behind := await self._behind()) is not None:
                return check.fail(behind)
            if not await self._fill():
                return check.fail(f"the rebuild stopped after {self._done} records: a source has a hole before its end")
            live, shadow = await self._guards(self._live), await self._guards(self._live + 1)
            if live == shadow:
                return await self._same_rows(check)
        places = sorted(place for place in {*live, *shadow} if live.get(place) != shadow.get(place))
        return check.fail(f"live and rebuilt do not stand at the same place in {places[:3]}")

    async def _behind(self) -> str | None:
        """Waits until the live generation has read all its sources; returns the first source that still lags, or None."""
        ends, late = await self.rebuild.ends(), ""
        for _ in range(round(CATCH_UP_S / POLL_S)):
            late = _late(ends, await self._guards(self._live))
            if not late:
                return None
            await asyncio.sleep(POLL_S)
        return f"the live read model has not caught up: {late}"

    async def _fill(self) -> bool:
        """Fills the shadow; False when it makes no progress for STALL_S before the end of its sources."""
        self._done, before = 0, -1
        filling = asyncio.create_task(self.rebuild.fill())
        try:
            while not filling.done() and self._done > before:
                before = self._done
                await asyncio.wait({filling}, timeout=STALL_S)
            if filling.done():
                await filling
                return True
            return False
        finally:
            filling.cancel()
            await asyncio.wait({filling})

    async def _guards(self, generation: int) -> Guards:
        """Guards of a generation by source and partition; a guard at offset 0 has read nothing and is left out."""
        guards = self._owner.metadata.tables["guards"]
        mine = (guards.c.consumer == consumer_name(self._projection.name, generation)) & (guards.c.next_offset > 0)
        async with self._owner.reading() as connection:
            rows = (await connection.execute(sa.select(guards).where(mine))).all()
        return {(row.source, row.partition): (row.next_offset, row.last_position) for row in rows}

    async def _same_rows(self, check: Check) -> None:
        check.checked, live = await self._digest(self._live)
        rows, shadow = await self._digest(self._live + 1)
        if (check.checked, live) == (rows, shadow):
            return
        check.fail(f"{check.checked} rows, SHA-256 {live}; rebuilt {rows} rows, SHA-256 {shadow}")
        for one, other, what in ((0, 1, "is live and not rebuilt"), (1, 0, "is rebuilt and not live")):
            for row in await self._only_in(self._live + one, self._live + other):
                check.fail(f"{row} {what}")

    async def _digest(self, generation: int) -> tuple[int, str]:
        """Count of rows, and the SHA-256 over all of them in order."""
        digest, count = hashlib.sha256(), 0
        async for row in rows_of(self._owner, self._projection, generation):
            digest.update(repr(row).encode())
            count += 1
        return count, digest.hexdigest()

    async def _only_in(self, one: int, other: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        async with self._owner.reading() as connection:
            for table in self._projection.tables:
                here, there = sa.select(physical(table, one)), sa.select(physical(table, other))
                rows = await connection.execute(here.except_(there).limit(PROBLEMS_LIMIT // 4))
                found += [(table.name, *row) for row in rows]
        return found


def _late(ends: Mapping[tuple[str, int], int], guards: Guards) -> str:
    """First source that is not read to its end, as text; empty when all are."""
    for (source, partition), end in sorted(ends.items()):
        at = guards.get((source, partition), (0, 0))[0]
        if at < end:
            return f"{source}/{partition} at {at} of {end}"
    return ""
