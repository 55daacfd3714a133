"""Bus on Apache Kafka by aiokafka, with every default that could lose data overridden (kafka://host:port[,host:port]).

Partitions are assigned by hand, offsets come from the guards, and nothing is committed automatically. The idempotent
producer is thrown away after any error. Each call has its own deadline, because an idempotent producer never times out.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from kernel.adapters.bus import COMMAND_RETENTION_MS, MAX_MESSAGE_BYTES, BusRecord, Message, TopicPartition
from kernel.adapters.disconnects import is_closed_handle, is_stray
from kernel.adapters.kafka_url import Brokers
from kernel.core.faults import Internal, Poison, Unavailable

REQUEST_TIMEOUT_MS = 10_000
STOP_DEADLINE_S = 5.0
START_DEADLINE_S = 15.0
REMAKE_DEADLINE_S = 60.0


class KafkaBus:
    """Bus over the brokers of a URL (kernel.adapters.kafka_url)."""

    def __init__(self, url: str) -> None:
        self.brokers = Brokers.of(url)

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        async with self._admin() as admin, _kafka_errors(START_DEADLINE_S):
            await self._make_missing(admin, topics)
            await self._check_counts(admin, topics)

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        """Deletes the topics, waits until no broker lists them, and creates them again."""
        async with self._admin() as admin, _kafka_errors(REMAKE_DEADLINE_S):
            while known := sorted(set(topics) & set(await admin.list_topics())):
                await admin.delete_topics(known)
                await asyncio.sleep(0.1)
        await self.ensure_topics(topics)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self.brokers.client(), request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            async with _kafka_errors(START_DEADLINE_S):
                await admin.start()
            yield admin
        finally:
            await _ended(admin.close())

    async def _make_missing(self, admin: AIOKafkaAdminClient, topics: Mapping[str, int]) -> None:
        missing = sorted(set(topics) - set(await admin.list_topics()))
        new = [
            NewTopic(topic, topics[topic], self.brokers.replication, topic_configs=_configs(topic)) for topic in missing
        ]
        if new:
            with suppress(TopicAlreadyExistsError):
                response = await admin.create_topics(new)
                for _topic, code, *_ in response.topic_errors:
                    if code and for_code(code) is not TopicAlreadyExistsError:
                        raise for_code(code)

    async def _check_counts(self, admin: AIOKafkaAdminClient, topics: Mapping[str, int]) -> None:
        for found in await _described(admin, topics):
            count, expected = len(found["partitions"]), topics[found["topic"]]
            if count != expected:
                raise Internal("bus.partition_count", topic=found["topic"], expected=expected, found=count)

    async def producer(self) -> "KafkaProducer":
        producer = AIOKafkaProducer(
            **self.brokers.client(), enable_idempotence=True, acks="all", request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_batch_size=MAX_MESSAGE_BYTES + 65_536, max_request_size=8 * MAX_MESSAGE_BYTES, retry_backoff_ms=50,
            metadata_max_age_ms=30_000,
        )  # fmt: skip
        async with _kafka_errors(START_DEADLINE_S):
            try:
                await producer.start()
            except BaseException:
                await KafkaProducer(producer).close()
                raise
        return KafkaProducer(producer)

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> "KafkaReader":
        consumer = AIOKafkaConsumer(
            **self.brokers.client(), group_id=group, enable_auto_commit=False, auto_offset_reset="none",
            isolation_level="read_committed", request_timeout_ms=REQUEST_TIMEOUT_MS, fetch_max_wait_ms=250,
            max_partition_fetch_bytes=4 * 1024 * 1024, metadata_max_age_ms=30_000, retry_backoff_ms=100,
        )  # fmt: skip
        reader = KafkaReader(consumer)
        async with _kafka_errors(START_DEADLINE_S):
            try:
                await consumer.start()
                await reader.assign(positions)
            except BaseException:
                await reader.close()
                raise
        return reader

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        if not topics:  # aiokafka's consumer cannot be stopped in the moment it was started
            return {}
        consumer = AIOKafkaConsumer(**self.brokers.client(), enable_auto_commit=False)
        async with _kafka_errors(START_DEADLINE_S):
            try:
                await consumer.start()
                partitions = [
                    KafkaPartition(topic, number)
                    for topic in topics
                    for number in await _partitions_of(consumer, topic)
                ]
                ends = await consumer.end_offsets(partitions)
            finally:
                await KafkaReader(consumer).close()
        return {(where.topic, where.partition): end for where, end in ends.items()}

    async def close(self) -> None:
        """Closes nothing: producers and readers share no connection and close themselves."""


class KafkaProducer:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, batches: Mapping[TopicPartition, Sequence[Message]], deadline_s: float) -> None:
        """Sends one record batch per partition at a time: the next one only after all partitions' first is acknowledged."""
        async with _kafka_errors(deadline_s):
            left = {where: list(messages) for where, messages in batches.items() if messages}
            while left:
                sent = {where: await self._send(where, messages) for where, messages in left.items()}
                await asyncio.gather(*[acknowledged for acknowledged, _ in sent.values()])
                left = {where: left[where][count:] for where, (_, count) in sent.items() if count < len(left[where])}

    async def _send(self, where: TopicPartition, messages: Sequence[Message]) -> tuple[asyncio.Future[Any], int]:
        """Sends one record batch; returns its acknowledgement and how many messages fitted into it."""
        batch, count = self._producer.create_batch(), 0
        while count < len(messages) and _append(batch, messages[count]):
            count += 1
        if count == 0:
            raise Poison("message.too_large", topic=where[0], limit_bytes=MAX_MESSAGE_BYTES)
        batch.close()
        return await self._producer.send_batch(batch, where[0], partition=where[1]), count

    async def close(self) -> None:
        """Stops the producer within STOP_DEADLINE_S. A sender task that does not end is cancelled: the relay sends its messages
        again from the checkpoint."""
        if not await _ended(self._producer.stop()):
            task = getattr(self._producer._sender, "_sender_task", None)
            if task is not None:
                task.cancel()
            await _ended(self._producer.client.close())


class KafkaReader:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Assigns partitions and seeks without an await between: the fetcher would look for a committed offset and fail."""
        partitions = {KafkaPartition(*where): offset for where, offset in positions.items()}
        beginnings = await self._consumer.beginning_offsets(list(partitions))
        self._consumer.assign(list(partitions))
        for where, offset in partitions.items():
            self._consumer.seek(where, max(offset, beginnings[where]))

    async def read(self, limit: int, wait_s: float) -> dict[TopicPartition, list[BusRecord]]:
        async with _kafka_errors(wait_s + REQUEST_TIMEOUT_MS / 1000):
            found = await self._consumer.getmany(timeout_ms=int(wait_s * 1000), max_records=limit)
        return {
            (where.topic, where.partition): [_record(record) for record in records]
            for where, records in found.items()
            if records
        }

    async def end_offsets(self) -> dict[TopicPartition, int]:
        async with _kafka_errors(REQUEST_TIMEOUT_MS / 1000):
            ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
        return {(where.topic, where.partition): end for where, end in ends.items()}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits group offsets. A failure is ignored: it only makes a lag graph late."""
        wanted = {KafkaPartition(*where): offset for where, offset in offsets.items()}
        await _ended(self._consumer.commit(wanted))

    async def close(self) -> None:
        """Stops the consumer within STOP_DEADLINE_S. A stop that hangs (its coordinator finds no broker) is given up, and the
        coordinator's tasks, the fetcher and the connections are ended one by one."""
        if await _ended(self._consumer.stop()):
            return
        coordinator, fetcher = self._consumer._coordinator, self._consumer._fetcher
        for end in (
            getattr(coordinator, "_stop_heartbeat_task", None),
            getattr(coordinator, "_stop_commit_offsets_refresh_task", None),
            getattr(fetcher, "close", None),
            getattr(self._consumer._client, "close", None),
        ):
            if end is not None:
                await _ended(end())


async def _ended(call: Coroutine[Any, Any, Any]) -> bool:
    """Awaits `call` within STOP_DEADLINE_S; True when it ended without an error.

    Runs it as a task of its own: aiokafka's `stop` awaits tasks that it cancelled, and their CancelledError would cancel the
    caller, too.
    """
    task = asyncio.create_task(call)
    try:
        await asyncio.wait([task], timeout=STOP_DEADLINE_S)
    finally:
        task.cancel()
    if not task.done() or task.cancelled():
        return False
    error = task.exception()
    if error is not None and not _is_gone(error):
        raise error
    return error is None


def _append(batch: Any, message: Message) -> bool:
    appended = batch.append(key=message.key, value=message.value, timestamp=None, headers=list(message.headers))
    return appended is not None


def _record(record: Any) -> BusRecord:
    return BusRecord(
        record.topic, record.partition, record.offset, record.key or b"", record.value or b"", record.headers,
        record.timestamp,
    )  # fmt: skip


def _configs(topic: str) -> dict[str, str]:
    keep_ms = COMMAND_RETENTION_MS if ".commands." in topic else -1
    return {
        "retention.ms": str(keep_ms),
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_MESSAGE_BYTES + 131_072),
    }


async def _described(admin: AIOKafkaAdminClient, topics: Mapping[str, int]) -> list[dict[str, Any]]:
    """Describes topics, again until every broker knows them: a new topic takes a moment to spread."""
    for _ in range(50):
        found = await admin.describe_topics(list(topics))
        if all(topic["error_code"] == 0 for topic in found):
            return list(found)
        await asyncio.sleep(0.1)
    raise Unavailable("bus.topics_not_ready", topics=",".join(topics)[:200])


async def _partitions_of(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()
    partitions: set[int] = consumer.partitions_for_topic(topic) or set()
    if not partitions:
        await consumer._client.add_topic(topic)
        partitions = consumer.partitions_for_topic(topic) or set()
    return partitions


def _is_gone(error: BaseException | None) -> bool:
    return isinstance(error, KafkaError | OSError) or is_closed_handle(error)


class _kafka_errors:  # noqa: N801 - reads as a clause
    """Context manager with a deadline: turns Kafka's errors and a missed deadline into Unavailable `bus.unavailable`."""

    def __init__(self, deadline_s: float) -> None:
        self._timeout = asyncio.timeout(deadline_s)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise Unavailable("bus.unavailable", why="deadline") from late
        if _is_gone(error) or is_stray(error):
            raise Unavailable("bus.unavailable", why=type(error).__name__) from error
