"""Reactor: calls a system outside for each intent in the own log, at least once, under the intent's id; then moves the guard.

An answer is one of three. Done; refused for good, which parks the stream until a person retries it; or later. A stream whose
answer comes later is tried a few times in place, is then set aside and tried again by itself for about a day, and is parked for
a person after that. No stream holds up the batch, and no tenant takes all calls.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.leases import Leases
from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.faults import Fault
from kernel.processors.processes import Effect, commit, waits
from kernel.runtime import telemetry
from kernel.runtime.wakeup import wait
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import ParkedKeys, Parking, Redecode, SetAside, reason_of
from kernel.streams.records import UNDECODABLE, InboundRecord, PartitionBatch, placed
from kernel.streams.retries import Retries, next_try

logger = logging.getLogger(__name__)

Intents = list[tuple[PartitionBatch, InboundRecord]]
CONCURRENT, CONCURRENT_OF_A_TENANT = 16, 4
TRIES_IN_PLACE, PAUSE_S = 3, 0.1
CALL_LIMIT_S = 20.0
"""Longest call; the ports' own limits are shorter."""
HOLD_S = 10.0
"""Longest time that calls hold a batch: one that has begun ends with it, and its stream is tried again by itself."""
POLL_S = 1.0


class Later(Exception):
    """The system outside has not answered: the same intent may be performed again."""


class Reactor:
    """Handler of an effect's Consumer: performs intents of one stream in order, and intents of different streams at once."""

    def __init__(self, effect: Effect, database: Database) -> None:
        self._effect, self._database = effect, database
        self._guards = Checkpoints(database, effect.name)
        self.parking, self._retries = Parking(database, effect.name), Retries(database, effect.name)
        self._slots, self._retry_slots = asyncio.Semaphore(CONCURRENT), asyncio.Semaphore(CONCURRENT)
        self._tenants: dict[str, asyncio.Semaphore] = {}
        self._unanswered = self._waiting = 0

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        by_stream: dict[str, Intents] = defaultdict(list)
        for part, inbound in placed(parts):
            if inbound.error is not None or self._is_wanted(inbound.incoming):
                by_stream[inbound.key].append((part, inbound))
        standing = await self.parking.standing(by_stream)
        self._tenants.clear()
        self._count(unanswered=sum(map(len, by_stream.values())))
        until = monotonic() + HOLD_S
        calls = [self._perform_stream(intents, standing, until) for intents in by_stream.values()]
        parking = [one for stream in await asyncio.gather(*calls) for one in stream]

        async def in_transaction(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        await commit(self._database, in_transaction)
        self._count(waiting=self._waiting + sum(one.retry_at is not None for one in parking), unanswered=0)

    def _is_wanted(self, incoming: Delivered[Any] | None) -> bool:
        return incoming is not None and isinstance(incoming.event, self._effect.events)

    def _count(self, unanswered: int | None = None, waiting: int | None = None) -> None:
        """Intents that wait: those of the batch, until it is committed, and those that were set aside."""
        self._unanswered = self._unanswered if unanswered is None else unanswered
        self._waiting = self._waiting if waiting is None else waiting
        telemetry.gauge("effects_pending", self._unanswered + self._waiting, effect=self._effect.name)

    async def _perform_stream(self, intents: Intents, standing: ParkedKeys, until: float) -> list[SetAside]:
        """Performs one stream's intents in order. An intent without a final answer is set aside with all later intents."""
        parking: list[SetAside] = []
        for part, inbound in intents:
            reason = standing.reason(inbound)
            if reason is None and inbound.incoming is not None:
                try:
                    reason = await self._try_in_place(inbound.incoming, until)
                except Later as later:
                    standing.keys[inbound.key] = retry_at = next_try(0, system_clock())
                    parking.append(SetAside(part, inbound, str(later), retry_at))
            if reason is not None:
                parking.append(standing.set_aside(part, inbound, reason))
            elif inbound.key not in standing.keys:
                self._count(unanswered=self._unanswered - 1)
        return parking

    async def _try_in_place(self, incoming: Delivered[Any], until: float) -> str | None:
        """Tries a few times; None when it is done, or the reason for which it never will be. Raises Later."""
        tenant = self._tenants.setdefault(incoming.tenant, asyncio.Semaphore(CONCURRENT_OF_A_TENANT))
        async with tenant:
            for tried in range(TRIES_IN_PLACE):
                if monotonic() >= until:
                    break
                try:
                    return await self._try(incoming, self._slots, until - monotonic())
                except Later as later:
                    if tried == TRIES_IN_PLACE - 1:
                        raise
                    last = later
                await asyncio.sleep(PAUSE_S * 2**tried * (0.5 + random.random()))
            raise Later("not tried: its batch took too long") if not tried else last

    async def _try(self, incoming: Delivered[Any], slots: asyncio.Semaphore, left_s: float | None = None) -> str | None:
        """Performs one intent within `left_s`, the wait for a slot included; None when it is done, or the reason for which it
        never will be. Raises Later."""
        outcome = "failed"
        try:
            async with asyncio.timeout(left_s), slots, asyncio.timeout(CALL_LIMIT_S):
                with telemetry.timed("effect_seconds", effect=self._effect.name):
                    await self._effect.perform(incoming)
            outcome = "done"
        except Exception as error:  # whatever the port raises concerns this one stream
            if isinstance(error, TimeoutError) or waits(error):
                outcome = "waits"
                raise Later(reason_of(error)) from error
            logger.warning("effect refused: its stream is parked", exc_info=error, extra={"effect": self._effect.name})
            return reason_of(error)
        finally:
            telemetry.count("effects_total", effect=self._effect.name, outcome=outcome)
        return None

    async def retry(self, key: str, redecode: Redecode) -> int:
        """Performs a key's parked intents in order; returns how many, and raises the error of one that still fails."""
        waiting = await self.parking.waiting(key)
        for place, source, inbound in waiting:
            incoming = await redecode(source, inbound)
            if incoming is not None and self._is_wanted(incoming):
                await self._effect.perform(incoming)
            async with self._database.transaction() as connection:
                await self.parking.remove(connection, [place])
        return len(waiting)

    async def run_retries(self, redecode: Redecode, stop: asyncio.Event) -> None:
        """Tries what was set aside again, until `stop`; one replica at a time."""
        lease = Leases(self._database, f"{self._effect.name}/retries", ["retries"])
        try:
            while not stop.is_set():
                is_more = False
                try:
                    is_more = bool(await lease.held()) and await self.retry_due(redecode)
                except Fault as fault:
                    if not waits(fault):
                        raise
                    logger.warning("effect's retries paused: dependency unavailable", exc_info=fault)
                if not is_more:
                    await wait(stop, POLL_S)
        finally:
            with suppress(Fault):
                await lease.release()

    async def retry_due(self, redecode: Redecode) -> bool:
        """Tries keys that are due, each once; a key that fails again is put off. True when more keys may be due."""
        keys = await self._retries.due()
        await asyncio.gather(*[self._retry_key(key, redecode) for key in keys])
        self._count(waiting=await self._retries.count())
        return bool(keys)

    async def _retry_key(self, key: str, redecode: Redecode) -> None:
        """Performs a key's parked intents in order, up to the first that has no final answer or is refused."""
        for place, source, inbound in await self.parking.waiting(key):
            try:
                reason = await self._try_again(await redecode(source, inbound))
            except Later as later:
                if not await self._retries.put_off(key, str(later)):
                    self._tell(key, str(later))
                return
            except UNDECODABLE as error:
                reason = reason_of(error)
            if reason is not None:
                await self._retries.give_up(key, reason)
                self._tell(key, reason)
                return
            async with self._database.transaction() as connection:
                await self.parking.remove(connection, [place])

    async def _try_again(self, incoming: Delivered[Any] | None) -> str | None:
        return await self._try(incoming, self._retry_slots) if incoming and self._is_wanted(incoming) else None

    def _tell(self, key: str, reason: str) -> None:
        extra = {"effect": self._effect.name, "stream": key}
        logger.error("effect parked: its stream waits for dlq retry (%s)", reason, extra=extra)
