"""The tail of a service's own log: its newest events, read and decoded once for all consumers of the process.

A consumer that stands in the tail gets its events from memory; one that stands before it reads from the log. Only rows that
were read from the log enter the tail, so another replica's appends are in it as this replica's own, in the log's order.
"""

import asyncio
from collections import deque
from itertools import islice
from time import monotonic

from kernel.core.codec import Codec
from kernel.core.events import Recorded
from kernel.eventlog.log import Log
from kernel.streams.records import InboundRecord, decoded

TAIL_EVENTS = 2_000
TAIL_BYTES = 8 * 1024 * 1024
"""Of stored data and metadata."""
FRESH_S = 0.5
"""Time for which a read that found nothing holds for every consumer, unless an append is notified: polls share one read."""

TailEvent = tuple[Recorded, InboundRecord]


class LogTail:
    """The newest events up to the last one read, without a hole: at most TAIL_EVENTS of them, and TAIL_BYTES."""

    def __init__(
        self, log: Log, service: str, codec: Codec, limit_events: int = TAIL_EVENTS, limit_bytes: int = TAIL_BYTES
    ) -> None:
        self._log, self._service, self._codec = log, service, codec
        self._limit_events, self._limit_bytes = limit_events, limit_bytes
        self._kept: deque[TailEvent] = deque()
        self._reading = asyncio.Lock()
        self.clear()

    def clear(self) -> None:
        """Drops all events. Call before reading on from a stored position: a restored database may hold other events there."""
        self._kept.clear()
        self._end = self._bytes = 0
        self._nothing = (-1, -1, 0.0)
        """The last read that found nothing: its position, the count of notifications then, and its time in seconds."""

    async def read(self, after: int, limit: int) -> list[InboundRecord]:
        """At most `limit` events behind the position `after`, in order and decoded."""
        return [inbound for _, inbound in await self._entries(after, limit)]

    async def recorded(self, after: int, limit: int) -> list[Recorded]:
        """The same events as they are stored."""
        return [recorded for recorded, _ in await self._entries(after, limit)]

    async def _entries(self, after: int, limit: int) -> list[TailEvent]:
        if after >= self._end:
            async with self._reading:  # a consumer that waited for another's read shares its events
                if after >= self._end:
                    return await self._read_on(after, limit)
        first = self._end - len(self._kept)
        if after < first:
            return self._decoded(await self._log.read(after, limit))
        return list(islice(self._kept, after - first, after - first + limit))

    async def _read_on(self, after: int, limit: int) -> list[TailEvent]:
        notified, asked = self._log.signal.count, monotonic()
        if self._nothing[:2] == (after, notified) and asked < self._nothing[2] + FRESH_S:
            return []
        found = self._decoded(await self._log.read(after, limit))
        if found:
            self._keep(after, found)
        else:
            self._nothing = (after, notified, asked)
        return found

    def _decoded(self, events: list[Recorded]) -> list[TailEvent]:
        return [(event, decoded(self._service, self._codec, event)) for event in events]

    def _keep(self, after: int, found: list[TailEvent]) -> None:
        """Adds events behind the end, or replaces all where adding would leave a hole; drops the oldest past the limits."""
        if after != self._end:
            self._kept.clear()
            self._bytes = 0
        self._kept.extend(found)
        self._bytes += sum(map(_size, found))
        self._end = found[-1][0].position
        while len(self._kept) > self._limit_events or self._bytes > self._limit_bytes:
            self._bytes -= _size(self._kept.popleft())

    @property
    def size(self) -> tuple[int, int]:
        """Events and bytes held."""
        return len(self._kept), self._bytes


def _size(event: TailEvent) -> int:
    return len(event[0].data) + len(event[0].meta)
