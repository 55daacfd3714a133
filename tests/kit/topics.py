"""A topic in memory, written as a relay writes it (or as a broken one would), and a Source over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dandelion_contracts.source import Record, TopicPartition
from google.protobuf.message import Message

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Idle(Exception):
    """Everything in the topic was read."""


@dataclass
class Topic:
    """`send` chains messages as the relay does: `ce_previous` is the position of the partition's message before."""

    name: str = "ledger.events.v1"
    partitions: int = 2
    records: dict[int, list[Record]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    head: int = 0
    bus_behind: timedelta = timedelta(0)
    """How far the bus's clock is behind the service's."""

    def send(self, message: Message, partition: int = 0, lost: bool = False) -> int:
        """Appends an event and returns its position; a `lost` one never arrives."""
        self.head += 1
        headers = self.headers(message, self.last.get(partition, 0))
        self.last[partition] = self.head
        if not lost:
            self.append(partition, message.SerializeToString(), headers)
        return self.head

    def headers(self, message: Message, previous: int) -> dict[str, str]:
        return {
            "ce_specversion": "1.0", "ce_id": f"deposit-{self.head}@1", "ce_source": "ledger",
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": at(self.head).isoformat(),
            "ce_subject": f"deposit-{self.head}", "ce_tenant": "brand", "ce_sequence": "1",
            "ce_position": str(self.head), "ce_previous": str(previous), "ce_correlation": "flow",
        }  # fmt: skip

    def append(self, partition: int, value: bytes, headers: Mapping[str, str]) -> None:
        found = self.records.setdefault(partition, [])
        sent = [(name, text.encode()) for name, text in headers.items()]
        stamp = round((at(self.head) - self.bus_behind).timestamp() * 1000)
        found.append(Record(self.name, partition, len(found), b"key", value, sent, stamp))

    def repeat(self, offset: int, partition: int = 0) -> None:
        """The relay sends a record again, at the end."""
        found = self.records[partition]
        found.append(replace(found[offset], offset=len(found)))


def at(position: int) -> datetime:
    """When the event of a position was recorded: an hour apart each."""
    return START + timedelta(hours=position)


class MemorySource:
    """Raises Idle instead of waiting. `kept_from`: offsets below are deleted. `skips`: left out the first time they are read."""

    def __init__(self, topic: Topic, kept_from: int = 0, skips: Sequence[int] = ()) -> None:
        self.topic, self.kept_from, self.skips = topic, kept_from, set(skips)
        self.offsets: dict[TopicPartition, int] = {}
        self.closed = False

    async def open(self, topic: str) -> list[int]:
        assert topic == self.topic.name
        return list(range(self.topic.partitions))

    async def begin_offsets(self, topic: str) -> dict[int, int]:
        return dict.fromkeys(await self.open(topic), self.kept_from)

    async def end_offsets(self, topic: str) -> dict[int, int]:
        return {partition: len(self.topic.records.get(partition, [])) for partition in await self.open(topic)}

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        ends = await self.end_offsets(topic)
        later = {p: [r.offset for r in self.topic.records.get(p, []) if r.timestamp_ms >= at_ms] for p in ends}
        return {partition: min(later[partition], default=end) for partition, end in ends.items()}

    async def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.offsets = dict(offsets)

    async def seek(self, place: TopicPartition, offset: int) -> None:
        self.offsets[place] = offset

    async def read(self, limit: int, wait_s: float) -> list[Record]:
        found: list[Record] = []
        for place, offset in self.offsets.items():
            found += self.topic.records.get(place[1], [])[offset : offset + limit - len(found)]
        if not found:
            raise Idle
        for record in found:
            self.offsets[record.topic, record.partition] = record.offset + 1
        skipped, self.skips = self.skips, set()
        return [record for record in found if record.offset not in skipped]

    async def close(self) -> None:
        self.closed = True
