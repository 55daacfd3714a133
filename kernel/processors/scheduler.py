"""Deadline scheduler: executes the command of each deadline that is due, once, and deletes the deadline's row."""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.leases import Leases
from kernel.adapters.schema import utc_of
from kernel.core.codec import Codec
from kernel.core.decider import Actor, Meta
from kernel.core.faults import BUGS, WAITING, Fault
from kernel.core.ids import derived_id
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.log import Log
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, Deadline, waits
from kernel.runtime.wakeup import wait

logger = logging.getLogger(__name__)

_FIRST = "SELECT min(due_at) FROM deadlines"
DUE_LIMIT = 200
CLOCK_POLL_S = 1.0
BROKEN_PAUSE_S, BROKEN_LIMIT = 60.0, 1_000


class DeadlineScheduler:
    """Executes a due command under an id derived from its deadline. The row stays while the writer is unavailable."""

    def __init__(self, database: Database, log: Log, writer: Writer, codec: Codec) -> None:
        self._database, self._log, self._writer, self._codec = database, log, writer, codec
        self._table = database.metadata.tables["deadlines"]
        self._broken: dict[Deadline, float] = {}
        """When a deadline that met a bug is tried again, monotonic()."""
        self._passed: Deadline | None = None
        """Once there are more broken deadlines than are remembered: where the next look begins, behind those that were tried."""
        self._again_at, self._is_at_end = 0.0, True

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
        self._begin_again()
        limit = DUE_LIMIT + len(self._broken)  # so that broken ones hold up nobody
        found = await self._due(now, limit)
        due = [row for row in found if self._broken.get(row, 0.0) <= monotonic()][:DUE_LIMIT]
        is_finished = bool(due) and await self._execute(due)
        self._pass_over(is_last=len(found) < limit)
        return 0.0 if is_finished else CLOCK_POLL_S

    async def _due(self, now: datetime, limit: int) -> list[Deadline]:
        """Rows that are due, the oldest first, behind those that were passed."""
        columns = (self._table.c.due_at, self._table.c.stream, self._table.c.name)
        query = sa.select(self._table).where(self._table.c.due_at <= now).order_by(*columns)
        if self._passed is not None:
            last = [sa.bindparam(None, getattr(self._passed, one.name), type_=one.type) for one in columns]
            query = query.where(sa.tuple_(*columns) > sa.tuple_(*last))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.limit(limit))
            return [Deadline(**row) for row in rows.mappings()]

    def _pass_over(self, is_last: bool) -> None:
        """Goes past the broken deadlines once they fill the memory of them."""
        self._is_at_end = is_last
        if len(self._broken) >= BROKEN_LIMIT:
            if self._passed is None:
                self._again_at = monotonic() + BROKEN_PAUSE_S
            self._passed = max(self._broken, key=lambda row: (row.due_at, row.stream, row.name))
            self._broken.clear()

    def _begin_again(self) -> None:
        """Looks at the first deadlines again, after the pause and where none is due behind those that were passed."""
        if self._passed is not None and self._is_at_end and monotonic() >= self._again_at:
            self._passed = None
            self._broken.clear()

    async def _first(self) -> datetime | None:
        """Time of the next deadline, None without one; asked after every append."""
        ((first,),) = await self._database.rows(_FIRST, {})
        return utc_of(first)

    async def _execute(self, due: Sequence[Deadline]) -> bool:
        """Executes the commands and deletes the finished rows; False when none was finished."""
        rows, items = self._readable(due)
        done = []
        for row, result in zip(rows, await self._writer.execute_many(items), strict=True):
            if isinstance(result, BUGS):
                self._set_aside(row, result)
            elif isinstance(result, BaseException) and not isinstance(result, Fault):
                raise result
            elif not (isinstance(result, Fault) and waits(result)):
                done.append(row)
                self._broken.pop(row, None)
        if done:
            async with self._database.transaction() as connection:
                columns = sa.tuple_(self._table.c.stream, self._table.c.name, self._table.c.due_at)
                await connection.execute(sa.delete(self._table).where(columns.in_([_columns(row) for row in done])))
        return bool(done)

    def _readable(self, due: Sequence[Deadline]) -> tuple[list[Deadline], list[QueuedCommand]]:
        rows, items = [], []
        for row in due:
            try:
                items.append(self._item(row))
                rows.append(row)
            except (Fault, *BUGS) as error:
                self._set_aside(row, error)
        return rows, items

    def _set_aside(self, row: Deadline, error: BaseException) -> None:
        """A deadline that meets a bug stays, is overdue in the metrics, and is tried again later: it holds up no other."""
        self._broken[row] = monotonic() + BROKEN_PAUSE_S
        extra = {"stream": row.stream, "command": row.command}
        logger.error("deadline failed: it stays due and is tried again", exc_info=error, extra=extra)

    def _item(self, row: Deadline) -> QueuedCommand:
        command = self._codec.decode(row.command, row.data.encode())
        identity = derived_id("deadline", row.stream, row.name, row.due_at.isoformat())
        return QueuedCommand(row.stream, command, Meta(identity, Actor("clock", "platform", SYSTEM)))


def _columns(row: Deadline) -> tuple[str, str, datetime]:
    return row.stream, row.name, row.due_at
