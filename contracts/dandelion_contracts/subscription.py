"""Subscription: a loop that reads records, passes them through lanes, hands out events, and stores which events are done."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, Self

from dandelion_contracts.errors import BadRecord, PositionLost
from dandelion_contracts.event import Event, M
from dandelion_contracts.lanes import Lane, Received, is_before, place
from dandelion_contracts.positions import Position, PositionStore
from dandelion_contracts.source import Record, Source, TopicPartition

Start = Literal["beginning", "end"] | datetime
OnBad = Callable[[BadRecord], None]
Lanes = Callable[[Position], Lane]

BATCH_RECORDS = 500
WAIT_S = 1.0
SAVE_EVERY_S = 1.0
SKEW = timedelta(minutes=5)
"""Tolerance for the bus's clock when a replay by time looks for its first record; older events are dropped by `ce_time`."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hole:
    """Hole in a partition's chain: records after it are held until the relay sends the missing event again."""

    position: Position
    """Position of the last event before the hole."""
    open_s: float
    red: bool
    """True once the hole is open for longer than `red_after_s`: an operator has to look."""


class Subscription(Generic[M]):
    """Subscription: an async iterator of Event[M]. Use `async with` (or `aclose`) when the loop ends before the process."""

    def __init__(
        self,
        source: Source,
        topic: str,
        lanes: Lanes,
        positions: PositionStore,
        start: Start = "beginning",
        on_bad: OnBad | None = None,
        red_after_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._topic, self._make_lane, self._store = source, topic, lanes, positions
        self._start = checked_start(start)
        self._on_bad, self._red_after_s, self._clock = on_bad, red_after_s, clock
        self._lanes: dict[int, Lane] = {}
        self._not_before: dict[int, datetime] = {}
        self._ready: deque[Received] = deque()
        self._read: set[int] = set()
        self._done: dict[TopicPartition, Position] = {}
        self._current: Received | None = None
        self._holes: dict[int, float] = {}
        self._red: set[int] = set()
        self._sought: dict[int, Position] = {}
        self._saved_at = clock()

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def __anext__(self) -> Event[M]:
        if self._current is not None:
            self._mark(self._current)
            self._current = None
        if self._done and self._clock() - self._saved_at >= SAVE_EVERY_S:
            await self._save()
        while True:
            while not self._ready:
                await self._fill()
            received = self._ready.popleft()
            if received.bad is None:
                self._current = received
                return Event(received)
            self._report(received, received.bad)

    def _report(self, received: Received, bad: BadRecord) -> None:
        """Hands a bad record to `on_bad` and skips it; without `on_bad` the record stays next and its error is raised."""
        if self._on_bad is None:
            self._ready.appendleft(received)
            raise bad
        self._on_bad(bad)
        self._mark(received)

    async def done(self) -> None:
        """Marks the current event as done and stores the positions, e.g. before a `break`."""
        if self._current is not None:
            self._mark(self._current)
            self._current = None
        await self._save()

    async def aclose(self) -> None:
        """Stores the positions and closes the source. The current event counts as not done unless `done()` was called."""
        self._current = None
        try:
            await self._save()
        finally:
            await self._source.close()

    def holes(self) -> Mapping[int, Hole]:
        """Open holes by partition."""
        now = self._clock()
        return {
            partition: Hole(self._lanes[partition].after, now - since, now - since >= self._red_after_s)
            for partition, since in self._holes.items()
        }

    def _mark(self, received: Received) -> None:
        self._done[place(received.record)] = received.after

    async def _save(self) -> None:
        done, self._done, self._saved_at = self._done, {}, self._clock()
        if done:
            await self._store.save(done)

    async def _fill(self) -> None:
        """Stores the positions, because everything read before is done, then reads the next records."""
        self._done |= {(self._topic, partition): self._lanes[partition].after for partition in self._read}
        await self._save()
        if not self._lanes:
            await self._open()
        records = await self._source.read(BATCH_RECORDS, WAIT_S)
        self._read = {record.partition for record in records}
        for partition in sorted(self._read):
            self._admit(partition, [record for record in records if record.partition == partition])
        await self._watch_holes()

    def _admit(self, partition: int, records: Sequence[Record]) -> None:
        not_before = self._not_before.get(partition)
        self._ready.extend(each for each in self._lanes[partition].admit(records) if not is_before(each, not_before))

    async def _watch_holes(self) -> None:
        held = [partition for partition, lane in self._lanes.items() if lane.held]
        self._holes = {partition: self._holes.get(partition, self._clock()) for partition in held}
        for partition, hole in self.holes().items():
            if self._sought.get(partition) != hole.position:
                self._sought[partition] = hole.position
                await self._seek_back(partition, hole.position)
            if hole.red and partition not in self._red:
                _log.error("%s[%d]: a hole after %s is still open", self._topic, partition, hole.position)
        self._red = {partition for partition, hole in self.holes().items() if hole.red}

    async def _seek_back(self, partition: int, position: Position) -> None:
        """Seeks back to a hole, once: a record that the reader skipped is read now; any other hole waits for the relay."""
        self._lanes[partition] = self._make_lane(position)
        self._lanes[partition].held = 1
        await self._source.seek((self._topic, partition), position.next_offset)

    async def _open(self) -> None:
        partitions = await self._source.open(self._topic)
        stored = {
            partition: position
            for (topic, partition), position in (await self._store.load()).items()
            if topic == self._topic and partition in partitions
        }
        starts = stored | await self._chosen([each for each in partitions if each not in stored])
        await self._check_kept(stored)
        await self._source.start({(self._topic, each): position.next_offset for each, position in starts.items()})
        await self._store.save({(self._topic, each): position for each, position in starts.items()})
        self._lanes = {partition: self._make_lane(position) for partition, position in starts.items()}

    async def _chosen(self, partitions: Sequence[int]) -> dict[int, Position]:
        """Start positions of partitions without a stored position."""
        if not partitions:
            return {}
        if isinstance(self._start, datetime):
            self._not_before = dict.fromkeys(partitions, self._start)
            offsets = await self._source.offsets_at(self._topic, _milliseconds(self._start - SKEW))
        elif self._start == "end":
            offsets = await self._source.end_offsets(self._topic)
        else:
            offsets = await self._source.begin_offsets(self._topic)
            _check_whole(self._topic, offsets)
        return {each: Position(offsets[each], None if offsets[each] else 0) for each in partitions}

    async def _check_kept(self, stored: Mapping[int, Position]) -> None:
        """Raises PositionLost when the topic does not keep a stored offset: Kafka would report it at the first fetch only."""
        if stored:
            first, end = await self._source.begin_offsets(self._topic), await self._source.end_offsets(self._topic)
            for partition, position in stored.items():
                if not first[partition] <= position.next_offset <= end[partition]:
                    kept = f"{first[partition]}..{end[partition]}"
                    raise PositionLost(f"{self._topic}[{partition}] keeps {kept}, not offset {position.next_offset}")


def checked_start(start: Start) -> Start:
    if isinstance(start, datetime) and start.tzinfo is None:
        raise ValueError("start: a time needs its zone")
    if not isinstance(start, datetime) and start not in ("beginning", "end"):
        raise ValueError(f"start: {start!r} is neither 'beginning', 'end' nor a time")
    return start


def _check_whole(topic: str, first_offsets: Mapping[int, int]) -> None:
    """Raises PositionLost when the topic's first records were deleted: "beginning" would then skip events."""
    if any(first_offsets.values()):
        raise PositionLost(f"{topic} does not keep its beginning; start at a time instead")


def _milliseconds(at: datetime) -> int:
    return max(0, int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)))
