"""Prefetcher: reads and decodes records while a batch commits, and hands them over when the handler is free again.

Without prefetching, broker, processor and database take turns. A prefetcher holds at most `limit` records beside the batch
under way. It does not wait until a batch is full: the longer a commit takes, the more records arrive meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from kernel.adapters.bus import BusRecord, Reader, TopicPartition
from kernel.runtime.wakeup import wait
from kernel.streams.records import InboundRecord

SLICE_RECORDS = 500
"""Records decoded between two turns of the event loop, which takes some milliseconds."""

Prefetched = dict[TopicPartition, list[InboundRecord]]
Read = Callable[[TopicPartition, Sequence[BusRecord]], list[InboundRecord]]


class Prefetcher:
    """One reader's records, decoded. `open` runs it; a reader's error is raised by `take`."""

    def __init__(self, reader: Reader, read: Read, limit: int, wait_s: float) -> None:
        self._reader, self._read, self._limit, self._wait_s = reader, read, limit, wait_s
        self._held: Prefetched = {}
        self._count = 0
        self._ready, self._room = asyncio.Event(), asyncio.Event()

    async def take(self) -> Prefetched:
        """All records read since the last call. Waits up to `wait_s` for the first one; empty when none came."""
        await wait(self._ready, self._wait_s)
        if self._task.done():
            self._task.result()
        held, self._held, self._count = self._held, {}, 0
        self._ready.clear()
        self._room.set()
        return held

    async def _run(self) -> None:
        try:
            while True:
                await self._fill()
        finally:
            self._ready.set()

    async def _fill(self) -> None:
        """Reads and decodes one slice, or waits for room."""
        self._room.clear()
        room = self._limit - self._count
        if room <= 0:
            await self._room.wait()
            return
        for where, records in (await self._reader.read(min(SLICE_RECORDS, room), self._wait_s)).items():
            self._held.setdefault(where, []).extend(self._read(where, records))
            self._count += len(records)
        if self._count:
            self._ready.set()
        await asyncio.sleep(0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Prefetcher"]:
        """Reads on until the block ends. Records that were not taken are read again by the next reader."""
        self._task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()
