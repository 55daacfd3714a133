"""Measures creators' grids: a loop over all creators with recent contents, set-wise, that says what it found as commands.

It runs in the role `stream`. What it sends is decided once however many replicas measure: the moment of a pass is cut to the
interval, and the id of a command follows from the creator and that moment. A pass that fails is made again at the next moment;
`grid_passes_total` counts both outcomes.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.adapters.bus import PARTITIONS, Message, Producer, TopicPartition
from kernel.core.faults import Fault
from kernel.core.ids import partition_of
from kernel.host.app import App
from kernel.runtime import telemetry
from services.metrics.domain.grid.formula import FORMULA, WINDOWS_DAYS, grid
from services.metrics.publish.grids import grid_request
from services.metrics.reads.grids import GridReads

CREATORS_AT_ONCE = 200
SEND_DEADLINE_S = 15.0
COMMANDS = "metrics.commands.v1"
BEYOND = timedelta(days=max(WINDOWS_DAYS) + 2)
"""Creators whose last content has just left the longest window are measured too: their grid becomes empty."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measuring:
    """`interval_s`: seconds from one pass to the next."""

    app: App
    interval_s: int

    async def run(self, stop: asyncio.Event) -> None:
        """Passes until `stop`, the first one at once."""
        while not stop.is_set():
            try:
                await self.once(await self.app.log.now())
                telemetry.count("grid_passes_total", outcome="done")
            except (Fault, TimeoutError) as fault:
                telemetry.count("grid_passes_total", outcome="failed")
                logger.warning("pass over grids failed; the next one measures all again", exc_info=fault)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.interval_s)

    async def once(self, now: datetime) -> int:
        """One pass over all creators; how many were measured."""
        at, measured, after = cut(now, self.interval_s), 0, ""
        reads, since = GridReads(self.app.database), now - BEYOND
        producer = await self.app.bus.producer()
        try:
            while creators := await reads.creators(since, after, CREATORS_AT_ONCE):
                await self._send(producer, reads, creators, at)
                measured, after = measured + len(creators), creators[-1]
        finally:
            await producer.close()
        return measured

    async def _send(self, producer: Producer, reads: GridReads, creators: list[str], at: datetime) -> None:
        counted = await reads.counted(creators, at - BEYOND)
        batches: dict[TopicPartition, list[Message]] = {}
        for creator_id in creators:
            stream, message = grid_request(creator_id, grid(counted.get(creator_id, ()), at), FORMULA, at)
            batches.setdefault((COMMANDS, partition_of(stream, PARTITIONS)), []).append(message)
        await producer.send(batches, SEND_DEADLINE_S)


def cut(now: datetime, interval_s: int) -> datetime:
    """The last multiple of the interval since 1970, UTC."""
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % interval_s, UTC)
