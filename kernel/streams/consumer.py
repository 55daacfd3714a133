"""Consumer: reads the service's own log and other services' topics in batches, from the stored guards on, with fencing.

Projectors, processes and command consumers share its loops. Leases share the partitions out, and the guards' table says
where to start; no broker's group protocol is trusted. A guard that another process moved ends the batch.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import monotonic
from typing import Any

from kernel.adapters.bus import PARTITIONS, Bus, BusRecord, Reader, TopicPartition
from kernel.adapters.database import Database
from kernel.adapters.disconnects import is_stray
from kernel.adapters.leases import Leases
from kernel.core.clock import system_clock
from kernel.core.codec import Codec, incoming_of
from kernel.core.events import Delivered
from kernel.core.faults import WAITING, Fault, Unavailable
from kernel.core.guard import Guard
from kernel.eventlog.commands import Fenced
from kernel.eventlog.log import Log
from kernel.runtime import telemetry
from kernel.runtime.health import Watchdog
from kernel.runtime.wakeup import wait
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.marks import Marks
from kernel.streams.prefetch import Prefetched, Prefetcher
from kernel.streams.records import (
    BATCH_RECORDS,
    OWN_LOG,
    Decode,
    Handle,
    InboundRecord,
    PartitionBatch,
    Topic,
    find_place,
    of_tail,
    of_topic,
    read_records,
    received,
)
from kernel.streams.tail import LogTail

logger = logging.getLogger(__name__)

IDLE_S = 1.0
LOOK_AT_ENDS_S = 10.0
SHOW_S = 1.0
WATCH_S = 0.25
PAUSE_S, PAUSE_LIMIT_S = 0.1, 5.0
Observe = Callable[[str, str, int, int, int], None]
"""`(consumer, source, partition, next offset, records held behind a hole)` after each batch."""


class Consumer:
    """One consumer's loops over the service's own log (where `log` is given) and over `topics`.

    Leases and guards go by `name`; under `group` offsets are shown at the broker (the same over generations).
    """

    def __init__(
        self, name: str, database: Database, handle: Handle, *, log: Log | None = None, codec: Codec | None = None,
        service: str = "", bus: Bus | None = None, topics: Sequence[Topic] = (), decode: Decode | None = None,
        partitions: int = PARTITIONS, batch_records: int = BATCH_RECORDS, observe: Observe | None = None,
        watchdog: Watchdog | None = None, group: str = "", tail: LogTail | None = None,
    ) -> None:  # fmt: skip
        """`tail`: the log's tail that all consumers of the process share. Without it the consumer makes one of its own."""
        self.name, self._database, self._handle = name, database, handle
        self._log, self._codec, self._service = log, codec, service
        self._tail = tail or (LogTail(log, service, codec) if log is not None and codec is not None else None)
        self._bus, self._topics, self._decode = bus, {topic.name: topic for topic in topics}, decode
        self._partitions, self._batch_records = partitions, batch_records
        self._observe = observe or (lambda *_: None)
        self._marks = Marks(name, watchdog or Watchdog(), database)
        self._group = f"{service}.{group or name}"
        self._holes: set[TopicPartition] = set()
        self.guards = Checkpoints(database, name)

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop`, and finishes the batch under way."""
        loops = []
        if self._log is not None:
            loops.append(self._forever(self._follow_log, stop))
        if self._bus is not None and self._topics:
            loops.append(self._forever(self._follow_topics, stop))
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def _forever(self, follow: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event) -> None:
        """Runs `follow` again after a transient fault, with backoff and jitter, from the stored guards; raises other errors."""
        pause = PAUSE_S
        while not stop.is_set():
            began = monotonic()
            try:
                await follow(stop)
            except Fenced:
                await wait(stop, pause * random.random())
            except asyncio.CancelledError as stray:
                if not is_stray(stray):
                    raise
                logger.warning(
                    "consumer paused: cancelled by nobody, will retry", exc_info=stray, extra={"consumer": self.name}
                )
                await wait(stop, PAUSE_LIMIT_S)
            except Fault as fault:
                if fault.kind not in WAITING:
                    raise
                extra = {"consumer": self.name, "code": fault.code}
                logger.warning("consumer paused: dependency unavailable, will retry", exc_info=fault, extra=extra)
                await self._marks.failing(fault)
                pause = PAUSE_S if monotonic() - began > PAUSE_LIMIT_S else pause
                await wait(stop, pause * (0.5 + random.random()))
                pause = min(pause * 2, PAUSE_LIMIT_S)

    async def _follow_log(self, stop: asyncio.Event) -> None:
        assert self._log is not None
        assert self._tail is not None
        lease = Leases(self._database, f"{self.name}/log", ["log"])
        self._tail.clear()
        woken = self._log.signal.listen()
        try:
            guard = (await self.guards.load([(OWN_LOG, 0)]))[OWN_LOG, 0]
            while not stop.is_set():
                woken.clear()
                is_ours = bool(await lease.held())
                if not is_ours:
                    self._marks.forget_log()
                if not (is_ours and await self._log_batch(guard)):
                    await wait(woken, IDLE_S)
            self._marks.forget_log()
        finally:
            self._log.signal.leave(woken)
            with suppress(Fault):
                await lease.release()

    async def _log_batch(self, guard: Guard) -> bool:
        assert self._tail is not None
        events = await self._tail.read(guard.last_position, self._batch_records)
        end = events[-1].position if events else guard.last_position
        self._marks.log(guard.last_position, end)
        if not events:
            return False
        await self._handle_batch([of_tail(guard, events)])
        self._marks.log(guard.last_position, end)
        return True

    async def _handle_batch(self, parts: Sequence[PartitionBatch]) -> None:
        traces = (one.incoming.traceparent for part in parts for one in part.admitted.fresh if one.incoming)
        timed = telemetry.timed("project_seconds", projection=self.name)
        with timed, telemetry.batch_span(f"consume {self.name}", traces):
            await self._handle(parts)
        for part in parts:
            part.guard.move(part.admitted)
            self._observe(self.name, part.source, part.partition, part.guard.next_offset, part.admitted.held)
        self._record_metrics(parts)

    def _record_metrics(self, parts: Sequence[PartitionBatch]) -> None:
        """Records metrics once for a batch: counting for each partition would cost more than applying the batch."""
        fresh, repeats = Counter[str](), Counter[str]()
        for part in parts:
            fresh[part.source] += len(part.admitted.fresh)
            repeats[part.source] += part.repeats
            (self._holes.discard if part.guard.hole is None else self._holes.add)((part.source, part.partition))
        for source, count in fresh.items():
            labels = {"projection": self.name, "source": source}
            telemetry.count("records_projected_total", count, **labels)
            telemetry.count("records_repeated_total", repeats[source], **labels)
        telemetry.gauge("guard_holes", len(self._holes), projection=self.name)
        newest = max((at for part in parts if (at := _newest(part)) is not None), default=None)
        if newest is not None:
            delay = (system_clock() - newest).total_seconds()
            telemetry.gauge("projection_delay_seconds", max(0.0, delay), projection=self.name)

    async def _follow_topics(self, stop: asyncio.Event) -> None:
        names = [f"{topic}/{partition}" for topic in sorted(self._topics) for partition in range(self._partitions)]
        leases = Leases(self._database, f"{self.name}/topics", names)
        try:
            while not stop.is_set():
                held = await leases.held()
                self._marks.keep_only(held, names)
                if held:
                    await self._follow_held(held, leases, stop)
                else:
                    await wait(stop, IDLE_S)
            self._marks.keep_only((), names)
        finally:
            with suppress(Fault):
                await leases.release()

    async def _follow_held(self, held: frozenset[str], leases: Leases, stop: asyncio.Event) -> None:
        """Reads the held partitions until the share changes."""
        assert self._bus is not None
        wanted = [(name.rpartition("/")[0], int(name.rpartition("/")[2])) for name in sorted(held)]
        guards = await self.guards.load(wanted)
        positions = {where: guard.next_offset for where, guard in guards.items()}
        reader = await self._bus.reader(positions, self._group)
        look_at = watch_at = 0.0
        try:
            async with (
                Prefetcher(reader, self._read, self._batch_records, IDLE_S).open() as prefetcher,
                self._shown(reader, guards),
            ):
                while not stop.is_set() and await leases.held() == held:
                    if monotonic() >= look_at:
                        ends, look_at = await reader.end_offsets(), monotonic() + LOOK_AT_ENDS_S
                        self._check_ends(guards, ends)
                    if monotonic() >= watch_at:  # before the batch, which may fail
                        self._marks.topics(guards, ends)
                        watch_at = monotonic() + WATCH_S
                    await self._topic_batch(await prefetcher.take(), guards)
        finally:
            self._holes -= guards.keys()
            await reader.close()

    def _check_ends(self, guards: Mapping[TopicPartition, Guard], ends: Mapping[TopicPartition, int]) -> None:
        """Raises Unavailable `topic.made_anew` where a topic ends before its guard: it was recreated, and its start is unread."""
        for where, guard in guards.items():
            end = ends.get(where, guard.next_offset)
            if guard.next_offset > end:
                telemetry.gauge("guard_holes", len(self._holes | {where}), projection=self.name)
                raise Unavailable(
                    "topic.made_anew", topic=where[0], partition=where[1], next_offset=guard.next_offset, end=end,
                    do="republish --recreated",
                )  # fmt: skip

    def _read(self, where: TopicPartition, records: Sequence[BusRecord]) -> list[InboundRecord]:
        assert self._decode is not None
        return read_records(self._topics[where[0]], records, self._decode)

    async def _topic_batch(self, found: Prefetched, guards: Mapping[TopicPartition, Guard]) -> None:
        parts = [of_topic(self._topics[w[0]], w[1], guards[w], records) for w, records in found.items()]
        if parts:
            await self._handle_batch(parts)

    @asynccontextmanager
    async def _shown(self, reader: Reader, guards: Mapping[TopicPartition, Guard]) -> AsyncIterator[None]:
        """Commits the guards' offsets at the broker every second, beside the work, and once at the end: lag tools read them."""
        shown: dict[TopicPartition, int] = {}

        async def show() -> None:
            moved = {w: g.next_offset for w, g in guards.items() if g.next_offset != shown.get(w, 0)}
            if moved:
                await reader.commit(moved)
                shown.update(moved)

        ended = asyncio.Event()

        async def show_on() -> None:
            while not await wait(ended, SHOW_S):
                await show()

        task = asyncio.create_task(show_on())
        try:
            yield
        finally:
            ended.set()  # not cancelled: aiokafka would leave the connection it is making open
            await asyncio.wait([task])
        await show()

    async def redecode(self, source: str, inbound: InboundRecord) -> Delivered[Any] | None:
        """Decodes a parked record again, for `retry`; raises the error that the record still has."""
        if source != OWN_LOG:
            assert self._decode is not None
            find_place(self._topics[source], inbound)
            return received(self._topics[source], inbound, self._decode)
        assert self._log is not None
        assert self._codec is not None
        recorded = await self._log.read(inbound.position - 1, 1)
        return incoming_of(self._service, recorded[0], self._codec)


def _newest(part: PartitionBatch) -> datetime | None:
    return next((one.incoming.at for one in reversed(part.admitted.fresh) if one.incoming), None)
