"""Reactor: calls a system outside for each intent in the own log, at least once, under the intent's id; then moves the guard."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.events import Delivered
from kernel.core.faults import BUGS, Fault
from kernel.processors.processes import WAITING, Effect, commit
from kernel.runtime import telemetry
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import KEY_IS_PARKED, Parking, Redecode, reason_of
from kernel.streams.records import InboundRecord, PartitionBatch, placed


class Reactor:
    """Handler of an effect's Consumer: performs intents of one stream in order, and intents of different streams at once."""

    CONCURRENT = 16

    def __init__(self, effect: Effect, database: Database) -> None:
        self._effect, self._database = effect, database
        self._guards = Checkpoints(database, effect.name)
        self.parking = Parking(database, effect.name)
        self._slots = asyncio.Semaphore(self.CONCURRENT)

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        parked = await self.parking.keys()
        by_stream: dict[str, list[tuple[PartitionBatch, InboundRecord]]] = {}
        for part, inbound in placed(parts):
            if inbound.error is not None or self._is_wanted(inbound.incoming):
                by_stream.setdefault(inbound.key, []).append((part, inbound))
        telemetry.gauge("effects_pending", sum(map(len, by_stream.values())), effect=self._effect.name)
        calls = [self._perform_stream(intents, key in parked) for key, intents in by_stream.items()]
        results = await asyncio.gather(*calls, return_exceptions=True)
        telemetry.gauge("effects_pending", 0, effect=self._effect.name)
        parking = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            parking += result

        async def in_transaction(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        await commit(self._database, in_transaction)

    def _is_wanted(self, incoming: Delivered[Any] | None) -> bool:
        return incoming is not None and isinstance(incoming.event, self._effect.events)

    async def _perform_stream(
        self, intents: list[tuple[PartitionBatch, InboundRecord]], is_parked: bool
    ) -> list[tuple[PartitionBatch, InboundRecord, str]]:
        """Performs one stream's intents in order. An intent that cannot succeed is parked with all later intents."""
        parking: list[tuple[PartitionBatch, InboundRecord, str]] = []
        for part, inbound in intents:
            reason = KEY_IS_PARKED if is_parked or parking else inbound.error
            if reason is None and inbound.incoming is not None:
                reason = await self._try(inbound.incoming)
            if reason is not None:
                parking.append((part, inbound, reason))
        return parking

    async def _try(self, incoming: Delivered[Any]) -> str | None:
        outcome = "failed"
        try:
            async with self._slots:
                with telemetry.timed("effect_seconds", effect=self._effect.name):
                    await self._effect.perform(incoming)
            outcome = "done"
        except (Fault, *BUGS) as error:
            if isinstance(error, Fault) and error.kind in WAITING:
                outcome = "waits"
                raise
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
