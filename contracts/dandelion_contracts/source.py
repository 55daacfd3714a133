"""Where records come from, as the subscriber sees it: Apache Kafka (kafka.py) or the embedded bus's file (local.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it stands in its topic; `timestamp_ms` is the bus's own time, milliseconds since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


class Source(Protocol):
    """Partitions read from given offsets; nothing is committed to the bus and nobody rebalances it."""

    async def open(self, topic: str) -> list[int]:
        """Connects; answers the topic's partitions. Raises Unreachable when there is no bus or no such topic."""

    async def begin_offsets(self, topic: str) -> dict[int, int]:
        """Offset of the oldest record kept, per partition."""

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Offset that the next record will get, per partition."""

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        """Offset of the first record with `timestamp_ms >= at_ms`, per partition; the end offset when there is none."""

    async def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        """From now on `read` reads these partitions, from these offsets."""

    async def seek(self, place: TopicPartition, offset: int) -> None:
        """Reads one of the started partitions on from another offset."""

    async def read(self, limit: int, wait_s: float) -> Sequence[Record]:
        """At most `limit` records, in offset order per partition, waiting at most `wait_s` for the first.

        Raises PositionLost when an offset asked for is no longer (or not yet) kept.
        """

    async def close(self) -> None: ...
