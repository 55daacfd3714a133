"""Deadline scheduler: executes the command of each deadline that is due, once, and deletes the deadline's row."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.leases import Leases
from kernel.adapters.schema import utc_of
from kernel.core.codec import Codec
from kernel.core.decider import Actor, Meta
from kernel.core.faults import Fault
from kernel.core.ids import derived_id
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.log import Log
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, WAITING, Deadline
from kernel.runtime.wakeup import wait

_FIRST = "SELECT min(due_at) FROM deadlines"
DUE_LIMIT = 200
CLOCK_POLL_S = 1.0


class DeadlineScheduler:
    """Executes a due command under an id derived from its deadline. The row stays while the writer is unavailable."""

    def __init__(self, database: Database, log: Log, writer: Writer, codec: Codec) -> None:
        self._database, self._log, self._writer, self._codec = database, log, writer, codec
        self._table = database.metadata.tables["deadlines"]

    async def run(self, stop: asyncio.Event) -> None:
        lease = Leases(self._database, "clock", ["clock"])
        woken = self._log.signal.listen()
        try:
            while not stop.is_set():
                woken.clear()
                await wait(woken, await self._tick(lease))
        finally:
            self._log.signal.leave(woken)
            with suppress(Fault):
                await lease.release()

    async def _tick(self, lease: Leases) -> float:
        """Executes due commands; returns the seconds until the next may be due, at most CLOCK_POLL_S."""
        try:
            return await self.run_due() if await lease.held() else CLOCK_POLL_S
        except Fault as fault:
            if fault.kind not in WAITING:
                raise
            return CLOCK_POLL_S * random.random()

    async def run_due(self) -> float:
        """Executes the commands due by the writer's time, so that no decision is made before its deadline."""
        now, first = await self._writer.now(), await self._first()
        if first is None or first > now:
            return CLOCK_POLL_S if first is None else min(CLOCK_POLL_S, (first - now) / timedelta(seconds=1))
        async with self._database.reading() as connection:
            is_due = self._table.c.due_at <= now
            query = sa.select(self._table).where(is_due).order_by(self._table.c.due_at).limit(DUE_LIMIT)
            due = [Deadline(**row) for row in (await connection.execute(query)).mappings()]
        return 0.0 if await self._execute(due) else CLOCK_POLL_S

    async def _first(self) -> datetime | None:
        """Time of the next deadline, None without one; asked after every append."""
        ((first,),) = await self._database.rows(_FIRST, {})
        return utc_of(first)

    async def _execute(self, due: Sequence[Deadline]) -> bool:
        """Executes the commands and deletes the finished rows; False when some have to wait."""
        results = await self._writer.execute_many([self._item(row) for row in due])
        done = []
        for row, result in zip(due, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, Fault):
                raise result
            if not (isinstance(result, Fault) and result.kind in WAITING):
                done.append(row)
        if done:
            async with self._database.transaction() as connection:
                columns = sa.tuple_(self._table.c.stream, self._table.c.name, self._table.c.due_at)
                await connection.execute(sa.delete(self._table).where(columns.in_([_columns(row) for row in done])))
        return len(done) == len(due)

    def _item(self, row: Deadline) -> QueuedCommand:
        command = self._codec.decode(row.command, row.data.encode())
        identity = derived_id("deadline", row.stream, row.name, row.due_at.isoformat())
        return QueuedCommand(row.stream, command, Meta(identity, Actor("clock", "platform", SYSTEM)))


def _columns(row: Deadline) -> tuple[str, str, datetime]:
    return row.stream, row.name, row.due_at
