"""Rebuild equals live: a read model is filled anew beside the live one, compared byte for byte, and dropped again."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database, open_database
from kernel.core.check import PROBLEMS_LIMIT, Check, CheckResult
from kernel.core.faults import Fault
from kernel.eventlog.log import Log
from kernel.processors.generations import Rebuild, live_generation, rows_of
from kernel.processors.projector import Projection, consumer_name, physical
from kernel.verify.subject import Subject

CATCH_UP_S, LOOK_S = 30.0, 0.1
STALL_S = 20.0
"""So long without progress, and the source does not lead to its end: there is a hole in it."""
TRIES = 3
"""What is moved meanwhile (a clock that struck) is compared once more."""
Guards = Mapping[tuple[str, int], tuple[int, int]]


async def compare_rebuild(app: Subject, projection: Projection) -> CheckResult:
    """The live generation against a shadow of it. As the database's owner, for it makes tables."""
    look, owner = Check(f"rebuild_{projection.name}"), open_database(app.settings, app.metadata)
    try:
        live = await live_generation(owner, projection)
        shadow = _Shadow(app, projection, owner, live)
        try:
            await shadow.compare(look)
        finally:
            await shadow.rebuild.drop(live + 1)
    except Fault as fault:
        look.wrong(str(fault))
    finally:
        await owner.close()
    return look.done()


class _Shadow:
    def __init__(self, app: Subject, projection: Projection, owner: Database, live: int) -> None:
        self._projection, self._owner, self._live = projection, owner, live
        self._done = 0
        self.rebuild = Rebuild(
            projection, owner, Log(owner), app.service.codec, app.service.name, app.bus,
            app.service.decode or (lambda _type, _value: None), self._progress, app.deciders.partitions,
        )  # fmt: skip

    def _progress(self, done: int, _total: int) -> None:
        self._done = max(self._done, done)

    async def compare(self, look: Check) -> None:
        for _ in range(TRIES):
            if (behind := await self._behind()) is not None:
                return look.wrong(behind)
            if not await self._fill():
                return look.wrong(f"it cannot be rebuilt: its sources end at {self._done} of what they should hold")
            stands, shadow = await self._guards(self._live), await self._guards(self._live + 1)
            if stands == shadow:
                return await self._same_rows(look)
        places = sorted(place for place in {*stands, *shadow} if stands.get(place) != shadow.get(place))
        return look.wrong(f"live and rebuilt do not stand at the same place in {places[:3]}")

    async def _behind(self) -> str | None:
        """Waits until the live generation has read what there is; the source it does not read on."""
        ends, late = await self.rebuild.ends(), ""
        for _ in range(round(CATCH_UP_S / LOOK_S)):
            late = _late(ends, await self._guards(self._live))
            if not late:
                return None
            await asyncio.sleep(LOOK_S)
        return f"the live read model has not caught up: {late}"

    async def _fill(self) -> bool:
        """False when the shadow does not come to the end of its sources."""
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
        """Where a generation stands, in the sources it has read anything of."""
        guards = self._owner.metadata.tables["guards"]
        mine = (guards.c.consumer == consumer_name(self._projection.name, generation)) & (guards.c.next_offset > 0)
        async with self._owner.reading() as connection:
            rows = (await connection.execute(sa.select(guards).where(mine))).all()
        return {(row.source, row.partition): (row.next_offset, row.last_position) for row in rows}

    async def _same_rows(self, look: Check) -> None:
        look.looked_at, live = await self._digest(self._live)
        rows, shadow = await self._digest(self._live + 1)
        if (look.looked_at, live) == (rows, shadow):
            return
        look.wrong(f"{look.looked_at} rows, SHA-256 {live}; rebuilt {rows} rows, SHA-256 {shadow}")
        for one, other, what in ((0, 1, "is live and not rebuilt"), (1, 0, "is rebuilt and not live")):
            for row in await self._only_in(self._live + one, self._live + other):
                look.wrong(f"{row} {what}")

    async def _digest(self, generation: int) -> tuple[int, str]:
        """How many rows, and the SHA-256 over them."""
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
    """The first source that is not read to its end; empty when all are."""
    for where, end in sorted(ends.items()):
        at = guards.get(where, (0, 0))[0]
        if at < end:
            return f"{where[0]}/{where[1]} at {at} of {end}"
    return ""
