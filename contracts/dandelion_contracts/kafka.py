"""Source on Apache Kafka: partitions are assigned by hand and offsets sought explicitly; no consumer group, no commits."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as Place
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from dandelion_contracts.errors import PositionLost, Unreachable
from dandelion_contracts.outage import speak_sparingly
from dandelion_contracts.source import Record, TopicPartition

R = TypeVar("R")
STOP_S = 5.0
CALL_S = 30.0
"""Deadline of every call to the broker, because aiokafka itself may wait for ever."""
SETTINGS: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "group_id": None,
    "isolation_level": "read_committed",
    "fetch_max_wait_ms": 100,
    "request_timeout_ms": 20_000,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
}


class KafkaSource:
    """Source over `brokers` ("host:port,host:port"); `options` are aiokafka's, e.g. security_protocol, ssl_context.

    A consumer that delivers nothing for `stall_after_s` while its topic has more is replaced, because aiokafka's consumers
    are known to hang after broker restarts.
    """

    def __init__(
        self,
        brokers: str,
        options: Mapping[str, Any] | None = None,
        connect_within_s: float = 30.0,
        stall_after_s: float = 60.0,
        consumer: Callable[..., Any] = AIOKafkaConsumer,
    ) -> None:
        speak_sparingly()
        self._settings = {**(options or {}), **SETTINGS, "bootstrap_servers": brokers}
        self._connect_within_s = connect_within_s
        self._stall_after_s = stall_after_s
        self._make = consumer
        self._consumer: Any = None
        self._offsets: dict[TopicPartition, int] = {}
        self._progress = time.monotonic()

    async def open(self, topic: str) -> list[int]:
        deadline = time.monotonic() + self._connect_within_s
        while True:
            try:
                return await self._partitions(topic)
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)

    async def _partitions(self, topic: str) -> list[int]:
        async with _named(f"topic {topic}"):
            if self._consumer is None:
                self._consumer = await self._started()
            client = self._consumer._client  # aiokafka's public calls know the partitions of assigned topics only
            client.add_topic(topic)
            await _bounded(client.force_metadata_update())
        partitions = self._consumer.partitions_for_topic(topic)
        if not partitions:
            raise Unreachable(f"no topic {topic}")
        return sorted(partitions)

    async def _started(self) -> Any:
        consumer = self._make(**self._settings)
        try:
            await _bounded(consumer.start())
        except BaseException:
            await _stopped(consumer)
            raise
        return consumer

    async def _places(self, topic: str) -> list[Place]:
        return [Place(topic, partition) for partition in await self.open(topic)]

    async def begin_offsets(self, topic: str) -> dict[int, int]:
        places = await self._places(topic)
        async with _named(f"first offsets of {topic}"):
            found = await _bounded(self._consumer.beginning_offsets(places))
        return {place.partition: offset for place, offset in found.items()}

    async def end_offsets(self, topic: str) -> dict[int, int]:
        places = await self._places(topic)
        async with _named(f"end offsets of {topic}"):
            found = await _bounded(self._consumer.end_offsets(places))
        return {place.partition: offset for place, offset in found.items()}

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        ends = await self.end_offsets(topic)
        places = [Place(topic, partition) for partition in ends]
        async with _named(f"offsets of {topic} at {at_ms}"):
            found = await _bounded(self._consumer.offsets_for_times(dict.fromkeys(places, at_ms)))
        return ends | {place.partition: there.offset for place, there in found.items() if there is not None}

    async def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._offsets = dict(offsets)
        self._consumer.assign([Place(*place) for place in offsets])
        for place, offset in offsets.items():
            self._consumer.seek(Place(*place), offset)
        self._progress = time.monotonic()

    async def seek(self, place: TopicPartition, offset: int) -> None:
        self._offsets[place] = offset
        if self._consumer is not None:
            self._consumer.seek(Place(*place), offset)

    async def read(self, limit: int, wait_s: float) -> list[Record]:
        if self._consumer is None:
            await self._reopen()
        async with _named("reading"):
            try:
                found = await self._consumer.getmany(timeout_ms=round(wait_s * 1000), max_records=limit)
            except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
                raise PositionLost(f"the bus does not keep the offset asked for: {error}") from error
        records = [_record(record) for several in found.values() for record in several]
        for record in records:
            self._offsets[record.topic, record.partition] = record.offset + 1
        await self._watch(bool(records))
        return records

    async def _watch(self, moved: bool) -> None:
        """Replaces a consumer that delivers nothing although its topics have more."""
        now = time.monotonic()
        if moved:
            self._progress = now
        elif now - self._progress >= self._stall_after_s:
            self._progress = now
            if await self._behind():
                await self._reopen()

    async def _behind(self) -> bool:
        for topic in {topic for topic, _ in self._offsets}:
            try:
                ends = await self.end_offsets(topic)
            except Unreachable:
                return True
            if any(ends.get(place[1], 0) > offset for place, offset in self._offsets.items() if place[0] == topic):
                return True
        return False

    async def _reopen(self) -> None:
        await self.close()
        for topic in {topic for topic, _ in self._offsets}:
            await self.open(topic)
        await self.start(self._offsets)

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _stopped(consumer)


def _record(record: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key or b"",
        record.value or b"",
        [(name, value or b"") for name, value in record.headers],
        record.timestamp,
    )


async def _bounded(call: Awaitable[R]) -> R:
    """Awaits a call within CALL_S. A cancelled caller waits for its end: aiokafka leaks a connection cancelled in connect."""
    task = asyncio.ensure_future(asyncio.wait_for(call, CALL_S))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_S)
        if not task.cancel() and not task.cancelled():
            task.exception()
        raise


async def _stopped(consumer: Any) -> None:
    """Stops a consumer within STOP_S; one that does not stop in time is abandoned, since it holds no position.

    Runs as a task of its own: aiokafka's `stop` awaits tasks that it cancelled, and their CancelledError would cancel the
    caller, too.
    """
    task = asyncio.ensure_future(consumer.stop())
    try:
        await asyncio.wait([task], timeout=STOP_S)
    finally:
        task.cancel()
    error = task.exception() if task.done() and not task.cancelled() else None
    if error is not None and not _is_gone(error):
        raise error


@asynccontextmanager
async def _named(what: str) -> AsyncIterator[None]:
    try:
        yield
    except (KafkaError, OSError, RuntimeError, asyncio.CancelledError) as error:
        if not _is_gone(error):
            raise
        raise Unreachable(f"{what}: {error!r}") from error


def _is_gone(error: BaseException) -> bool:
    """True for the errors of a lost connection. Two are odd: uvloop raises RuntimeError for writing to a connection closed
    meanwhile, and aiokafka lets CancelledError of its own futures out, which nobody asked this task for."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, KafkaError | OSError) or "the handler is closed" in str(error)
