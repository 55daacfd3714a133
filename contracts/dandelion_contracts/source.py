"""Source of a subscriber's records, as a protocol. Implemented on Apache Kafka (kafka.py) and the embedded bus (local.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a topic. `timestamp_ms` is the bus's own time, in milliseconds since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


class Source(Protocol):
    """Source of partitions from given offsets. It commits nothing to the bus, and no group rebalances its partitions."""

    async def open(self, topic: str) -> list[int]:
        """Connects and returns the topic's partitions; raises Unreachable without a bus or without the topic."""

    async def begin_offsets(self, topic: str) -> dict[int, int]:
        """Offset of the oldest record kept, per partition."""

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Offset that the next record will get, per partition."""

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        """Offset of the first record with `timestamp_ms >= at_ms`, per partition; the end offset when there is none."""

    async def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Starts reading: `read` returns records of these partitions, from these offsets."""

    async def seek(self, place: TopicPartition, offset: int) -> None:
        """Moves one of the started partitions to another offset."""

    async def read(self, limit: int, wait_s: float) -> Sequence[Record]:
        """Next records, at most `limit`, in order of offset per partition; waits at most `wait_s` for the first.

        Raises PositionLost when the topic does not keep the offset to read, or has not reached it.
        """

    async def close(self) -> None:
        """Closes the connection."""
