"""Reading and decoding on while a batch commits: what has come is handed over when the handler is free again.

Without it broker, processor and database take turns. It holds at most `limit` records beside the batch under way. Nothing
waits for a batch to be full: the longer a commit takes, the more has come meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from kernel.adapters.bus import BusRecord, Reader, TopicPartition
from kernel.runtime.wakeup import wait
from kernel.streams.records import InboundRecord

SLICE_RECORDS = 500
"""Decoded between two turns of the event loop: some milliseconds."""

Batch = dict[TopicPartition, list[InboundRecord]]
Read = Callable[[TopicPartition, Sequence[BusRecord]], list[InboundRecord]]


class Prefetcher:
    """One reader's records, decoded. `open` runs it; a reader's error is raised by `take`."""

    def __init__(self, reader: Reader, read: Read, limit: int, wait_s: float) -> None:
        self._reader, self._read, self._limit, self._wait_s = reader, read, limit, wait_s
        self._held: Batch = {}
        self._count = 0
        self._ready, self._room = asyncio.Event(), asyncio.Event()

    async def take(self) -> Batch:
        """All that was read since, waiting for the first of it as long as the reader would; empty when nothing came."""
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
        """One slice."""
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
        """Reads on until the block ends; what was not taken is read again by whoever comes next."""
        self._task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()
