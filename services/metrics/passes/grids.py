"""Measures creators' grids, of all creators with recent contents.

What a pass sends is decided once however many replicas measure: the moment of a pass is cut to the interval, and the id of a
command follows from the creator and that moment.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.adapters.bus import Producer
from kernel.adapters.requests import send
from kernel.host.app import App
from services.metrics.domain.grid.formula import FORMULA, WINDOWS_DAYS, grid
from services.metrics.passes.repeat import repeat
from services.metrics.publish.grids import grid_request
from services.metrics.reads.grids import GridReads

CREATORS_AT_ONCE = 200
BEYOND = timedelta(days=max(WINDOWS_DAYS) + 2)
"""Creators whose last content has just left the longest window are measured too: their grid becomes empty."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """`interval_s`: seconds from one pass to the next."""

    app: App
    interval_s: int

    async def run(self, stop: asyncio.Event) -> None:
        await repeat(self.app, self.once, self.interval_s, "grid_passes_total", stop)

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
        requests = [grid_request(one, grid(counted.get(one, ()), at), FORMULA, at) for one in creators]
        await send(producer, self.app.service.name, requests)


def cut(now: datetime, interval_s: int) -> datetime:
    """The last multiple of the interval since 1970, UTC."""
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % interval_s, UTC)
