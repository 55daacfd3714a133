"""Bus: topics of ordered partitions, as a protocol. Implemented on Apache Kafka (kafka.py) and an SQLite file (sqlite_bus.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]
TopicPartition = tuple[str, int]
COMMAND_RETENTION_MS = 7 * 24 * 3600 * 1000
"""How long a topic of commands keeps a record; topics of events keep all."""
PARTITIONS = 12
"""Partitions of a topic. The count is fixed for ever, because another count would move keys; start-up refuses any other."""
MAX_MESSAGE_BYTES = 900_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send. The caller chooses its partition, so `key` is data only; `headers` are UTF-8 or raw bytes."""

    key: bytes
    value: bytes
    headers: Headers = ()

    def size(self) -> int:
        """Bytes of the message in a Kafka record batch, rounded up."""
        return 80 + len(self.key) + len(self.value) + sum(len(name) + len(value) + 8 for name, value in self.headers)


class BusRecord(NamedTuple):
    """A record read from a partition. `timestamp_ms` is the bus's own time, in milliseconds since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Headers
    timestamp_ms: int

    def header(self, name: str) -> str:
        """Text of a header, empty when absent; raises UnicodeDecodeError (a ValueError) for invalid UTF-8."""
        return next((value.decode() for key, value in self.headers if key == name), "")


class Producer(Protocol):
    """Producer of a bus: sends batches in order, and is thrown away after an error."""

    async def send(self, batches: Mapping[TopicPartition, Sequence[Message]], deadline_s: float) -> None:
        """Sends each partition's messages in order and returns when the bus has stored all of them.

        It raises Unavailable `bus.unavailable` on failure or past `deadline_s`. Then any number of the messages may have
        been stored, and the caller closes this producer, opens another one and sends again.
        """

    async def close(self) -> None:
        """Closes the producer within a few seconds, also when the bus does not answer."""


class Reader(Protocol):
    """Reader of given partitions. Partitions are never rebalanced: leases in the database share them out."""

    async def read(self, limit: int, wait_s: float) -> dict[TopicPartition, list[BusRecord]]:
        """The next records, at most `limit`; waits at most `wait_s` for the first. Each partition comes in order."""

    async def end_offsets(self) -> dict[TopicPartition, int]:
        """End offsets of the partitions being read, asked of the bus itself, because a fetcher that hangs would not know."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits group offsets, for lag dashboards and autoscaling only: the guards decide where a consumer continues."""

    async def close(self) -> None:
        """Closes the reader within a few seconds, also when the bus does not answer."""


class Bus(Protocol):
    """Bus: keeps topics, whose partitions are append-only sequences of records with dense offsets from 0.

    An implementer promises:
    - Order: records of one partition are read in the order in which they were stored.
    - Durability: what `send` returned from survives a crash of every process. Kafka has it on all in-sync replicas, SQLite on
      disk.
    - At least once: a failed `send` may have stored any part of its messages. Nothing else stores a message twice; consumers
      skip repeats by their guards.
    - No hidden position: a reader starts where the caller says, and committed offsets never move it.
    - Errors: a bus that does not answer raises Unavailable `bus.unavailable` within a deadline, in every method.

    Send one message, then read it:

        await bus.ensure_topics({"orders.events.v1": 12})
        producer = await bus.producer()
        await producer.send({("orders.events.v1", 3): [Message(b"order-1", b"...")]}, deadline_s=10)
        reader = await bus.reader({("orders.events.v1", 3): 0}, group="orders.read-model")
        records = await reader.read(limit=500, wait_s=1)
    """

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Creates missing topics with this many partitions; raises Internal `bus.partition_count` for any other count."""

    async def producer(self) -> Producer:
        """Opens a producer."""

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> Reader:
        """Opens a reader at the given offsets. An offset that retention has deleted starts at the first record kept."""

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """End offset (the offset of the next record) of every partition of the topics."""

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        """Deletes the topics with all their records and creates them again, empty, with offsets from 0."""

    async def close(self) -> None:
        """Closes what the bus itself has open; producers and readers close themselves."""
