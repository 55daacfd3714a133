"""Reading ahead: everything once and in order, never more than the limit held, and faults come out where it is taken."""

from collections.abc import Sequence

import pytest

from kernel.adapters.bus import Bus, BusRecord, Message, TopicPartition
from kernel.streams.prefetch import Prefetcher
from kernel.streams.records import InboundRecord, Topic, read_records
from tests.kit.until import within

LIMIT = 10


@pytest.fixture
async def topic(bus: Bus, service: str) -> str:
    await bus.ensure_topics({service: 2})
    return service


async def send(bus: Bus, topic: str, *numbers: int) -> None:
    producer = await bus.producer()
    headers = [("ce_type", b"Number"), ("ce_id", b"1"), ("ce_time", b"2026-01-01T00:00:00+00:00")]
    for partition in (0, 1):
        await producer.send({(topic, partition): [Message(b"k", str(n).encode(), headers) for n in numbers]}, 10)
    await producer.close()


def read(where: TopicPartition, records: Sequence[BusRecord]) -> list[InboundRecord]:
    return read_records(Topic(where[0], chained=False), records, lambda _, value: int(value))


async def taken(ahead: Prefetcher, count: int) -> tuple[list[int], list[int], list[int]]:
    """The numbers of both partitions until there are `count`, and how many came at a time."""
    found: tuple[list[int], list[int]] = ([], [])
    sizes = []
    async with within(30):
        while sum(map(len, found)) < count:
            batch = await ahead.take()
            sizes.append(sum(map(len, batch.values())))
            for (_, partition), records in batch.items():
                found[partition].extend(one.incoming.event for one in records if one.incoming)
    return *found, sizes


async def test_everything_comes_once_and_in_order_and_never_more_than_the_limit(bus: Bus, topic: str) -> None:
    await send(bus, topic, *range(40))
    reader = await bus.reader({(topic, 0): 0, (topic, 1): 0}, "suite")
    async with Prefetcher(reader, read, LIMIT, 1.0).open() as ahead:
        first, second, sizes = await taken(ahead, 80)
        assert first == second == [*range(40)]
        assert max(sizes) <= LIMIT
        await send(bus, topic, 40)
        assert (await taken(ahead, 2))[:2] == ([40], [40])
    await reader.close()


async def test_what_cannot_be_read_is_raised_where_it_is_taken(bus: Bus, topic: str) -> None:
    def broken(_: TopicPartition, records: Sequence[BusRecord]) -> list[InboundRecord]:
        raise RuntimeError("no such decoder")

    await send(bus, topic, 1)
    reader = await bus.reader({(topic, 0): 0}, "suite")
    async with Prefetcher(reader, broken, LIMIT, 1.0).open() as ahead:
        with pytest.raises(RuntimeError, match="no such decoder"):
            await taken(ahead, 1)
    await reader.close()
