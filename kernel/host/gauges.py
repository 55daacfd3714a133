"""Database metrics: reads lags, parked keys, stopped readers and overdue deadlines from the database and sets their gauges.

The `relay` role runs them, because every service runs that role in exactly one set of pods. All replicas of the role set
the same values, so an alert takes `max`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.faults import Fault
from kernel.eventlog.backpressure import relay_lag
from kernel.eventlog.log import StoredLog
from kernel.processors.projector import consumer_name
from kernel.processors.scheduler import CLOCK_POLL_S
from kernel.runtime import telemetry
from kernel.streams import halted
from kernel.streams.records import OWN_LOG

logger = logging.getLogger(__name__)

INTERVAL_S = 5.0
MONITOR_INTERVAL_S = 300.0
"""Interval between two runs of the invariant monitor (kernel.verify.invariants)."""
Gauges = Callable[[AsyncConnection], Awaitable[None]]
"""Gauges of one service: reads its tables over the connection and sets them."""
LATE = timedelta(seconds=10 * CLOCK_POLL_S)
"""Age past due at which a deadline counts as late: the scheduler executes a deadline within one poll."""


class DatabaseMetrics:
    """Gauges of one service. `processes` names the consumers, besides live read models, that keep guards.

    `monitor` is run every MONITOR_INTERVAL_S, to set the gauge of invariant violations; `own` are the service's own gauges.
    """

    def __init__(
        self, service: str, database: Database, log: StoredLog, processes: Sequence[str], clock: bool,
        monitor: Callable[[], Awaitable[None]] | None = None, own: Sequence[Gauges] = (),
    ) -> None:  # fmt: skip
        self._service, self._database, self._log, self._processes = service, database, log, processes
        self._live: set[str] = set()
        self._readers = set(processes)
        """Consumers that a gauge was set for: a consumer that recovers must be set back to 0."""
        self._clock, self._monitor, self._own = clock, monitor, own
        self._monitor_at = monotonic() + MONITOR_INTERVAL_S
        self._tables = database.metadata.tables

    async def run(self, stop: asyncio.Event) -> None:
        """Updates the gauges every INTERVAL_S until `stop`. Without the database they keep their values; readiness reports it."""
        while not stop.is_set():
            try:
                await self.update()
                await self._monitor_if_due()
            except Fault as fault:
                logger.warning("database metrics not updated: query failed", extra={"code": fault.code})
            try:
                async with asyncio.timeout(INTERVAL_S):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _monitor_if_due(self) -> None:
        if self._monitor is not None and monotonic() >= self._monitor_at:
            self._monitor_at = monotonic() + MONITOR_INTERVAL_S
            await self._monitor()

    async def update(self) -> None:
        """Sets all gauges of this file once."""
        await self._database.bound_log()
        lag = await relay_lag(self._log)
        telemetry.gauge("relay_lag_events", lag.events)
        telemetry.gauge("relay_lag_seconds", lag.seconds)
        now = await self._log.now()
        async with self._database.reading() as connection:
            head = (await self._log.head(connection)).position
            await self._find_live(connection)
            await self._projections(connection, head)
            await self._parked(connection)
            await self._stopped(connection)
            if self._clock:
                await self._deadlines(connection, now)
            for gauges in self._own:
                await gauges(connection)

    async def _find_live(self, connection: AsyncConnection) -> None:
        """Reads the live generations, and removes the gauges of generations that a rebuild has replaced."""
        table = self._tables["projections"]
        found = (await connection.execute(sa.select(table.c.name, table.c.generation))).all()
        live = {consumer_name(name, generation) for name, generation in found}
        for replaced in self._live - live:
            telemetry.forget("projection_lag_events", projection=replaced, source=OWN_LOG, partition="0")
            telemetry.forget("parked_keys", projection=replaced)
            telemetry.forget("reader_stopped", projection=replaced)
        self._readers = (self._readers - (self._live - live)) | live
        self._live = live

    async def _projections(self, connection: AsyncConnection, head: int) -> None:
        """Lag behind the service's own log. The lag behind topics is in the group offsets at the broker."""
        guards = self._tables["guards"]
        query = sa.select(guards.c.consumer, guards.c.last_position).where(
            guards.c.source == OWN_LOG, guards.c.consumer.in_([*self._live, *self._processes])
        )
        for consumer, last in (await connection.execute(query)).all():
            telemetry.gauge("projection_lag_events", head - last, projection=consumer, source=OWN_LOG, partition="0")

    async def _parked(self, connection: AsyncConnection) -> None:
        parked = self._tables["parked"]
        query = sa.select(parked.c.consumer, sa.func.count(parked.c.key.distinct())).where(parked.c.retry_at.is_(None))
        query = query.group_by(parked.c.consumer)  # keys that are tried again by themselves are in `effects_pending`
        found = Counter({row[0]: row[1] for row in (await connection.execute(query)).all()})
        self._readers |= found.keys()
        for reader in self._readers:
            telemetry.gauge("parked_keys", found[reader], projection=reader)

    async def _stopped(self, connection: AsyncConnection) -> None:
        found = await halted.halted_consumers(self._database, connection)
        self._readers |= found.keys()
        for reader in self._readers:
            telemetry.gauge("reader_stopped", reader in found, projection=reader)

    async def _deadlines(self, connection: AsyncConnection, now: datetime) -> None:
        deadlines = self._tables["deadlines"]
        query = sa.select(sa.func.count()).where(deadlines.c.due_at < now - LATE)
        telemetry.gauge("deadlines_due", (await connection.execute(query)).scalar_one(), process=self._service)
