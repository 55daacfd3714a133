"""The bus as the kernel sees it: topics of partitions that keep order. Apache Kafka (kafka.py) or an SQLite file (local.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]
TopicPartition = tuple[str, int]
PARTITIONS = 12
"""Fixed when a topic is made; start-up refuses a topic with another count (a key would move to another partition)."""
MAX_MESSAGE_BYTES = 900_000


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `key` decides nothing here (the caller chose the partition), `headers` are UTF-8 or raw bytes."""

    key: bytes
    value: bytes
    headers: Headers = ()

    def size(self) -> int:
        return 80 + len(self.key) + len(self.value) + sum(len(name) + len(value) + 8 for name, value in self.headers)


class BusRecord(NamedTuple):
    """What is read; `timestamp_ms` is UTC milliseconds as the bus has it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Headers
    timestamp_ms: int

    def header(self, name: str) -> str:
        """A header's text; empty when absent. Invalid UTF-8 raises UnicodeDecodeError (a ValueError)."""
        return next((value.decode() for key, value in self.headers if key == name), "")


class Producer(Protocol):
    async def send(self, batches: Mapping[TopicPartition, Sequence[Message]], deadline_s: float) -> None:
        """Sends one batch per partition and returns when all are acknowledged; any error: close it and take a new one."""

    async def close(self) -> None: ...


class Reader(Protocol):
    """Reads given partitions from given offsets; nobody rebalances it."""

    async def read(self, limit: int, wait_s: float) -> dict[TopicPartition, list[BusRecord]]:
        """At most `limit` records, waiting at most `wait_s` for the first."""

    async def end_offsets(self) -> dict[TopicPartition, int]:
        """Where the partitions it reads end now, asked of the bus and not of what was fetched."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Group offsets for lag dashboards and autoscaling only; the truth is in the guards."""

    async def close(self) -> None: ...


class Bus(Protocol):
    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Makes missing topics with this many partitions; refuses an existing one with another count."""

    async def producer(self) -> Producer: ...

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> Reader:
        """Starts at the given offsets; an offset before the beginning of what is kept starts at the beginning."""

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]: ...

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        """Makes topics anew: all that they held is gone, offsets begin at 0. Those that do not exist are made."""

    async def close(self) -> None: ...
